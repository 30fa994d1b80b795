"""A made-up finding with one chart of every kind: long Chinese names, gaps, negative and large figures."""

from dataclasses import replace
from typing import Any

import pyarrow as pa

from ronghe.model.finding import Caveat, Chart, Field, Finding, Result, Rows
from ronghe.model.provenance import Input, Provenance, Step
from ronghe.model.regions import provinces
from ronghe.model.text import Text

NAMES = (
    ("广播电视设备和雷达及配套设备制造业", "Broadcasting, television, radar and ancillary equipment"),
    ("石油和天然气开采产品", "Crude petroleum and natural gas"),
    ("教育", "Education"),
    ("电子元器件", "Electronic components"),
    ("水的生产和供应", "Water supply"),
    ("汽车整车", "Motor vehicles"),
)
ROWS = Rows("indicator", {"year": 2020})


def _field(name: str, kind: str = "number", unit: str = "none", **more: Any) -> Field:
    label = more.pop("label", "column.value")
    return Field(name, Text(label), kind, unit, None if kind in {"text", "class"} else ROWS, **more)


def _names(name: str = "name") -> tuple[Field, Field]:
    return (
        _field(f"{name}_zh", "text", label="column.name_zh", lang="zh"),
        _field(f"{name}_en", "text", label="column.name_en", lang="en"),
    )


def _result(columns: dict[str, Any], fields: tuple[Field, ...], *key: str) -> Result:
    return Result(pa.table(columns), fields, key, Text("structure.sectors"))


def _sectors() -> Result:
    zh, en = zip(*NAMES, strict=True)
    columns = {
        "code": [f"{i:03d}" for i in range(6)],
        "name_zh": zh,
        "name_en": en,
        "output": [707889673.7, 60485059.0, None, 128117802.0, 70298332.0, 235072612.0],
        "change": [120.5, -33.25, -250.0, 61.0, 12.0, -89.75],
        "whole": [False, False, False, False, False, True],
        "share": [0.071, 0.93, 0.4, 0.25, 0.001, 0.5],
        "low": [0.05, 0.9, -0.1, 0.2, 0.0, 0.45],
        "high": [0.1, 0.95, 0.6, 0.3, 0.01, 0.52],
        "whole_share": [0.1, 0.8, 0.3, 0.2, 0.05, 0.6],
        "quadrant": ["key", "weak", "forward", "key", "backward", "weak"],
    }
    fields = (
        _field("code", "text", label="column.sector"),
        *_names(),
        _field("output", unit="CNY_10k", label="column.output"),
        _field("change", unit="CNY_100m", label="column.amount"),
        _field("whole", "class"),
        _field("share", "share", label="column.value_added_content"),
        _field("low", "share", label="column.value_added_content"),
        _field("high", "share", label="column.import_content"),
        _field("whole_share", "share", label="column.import_content"),
        _field("quadrant", "class", label="column.quadrant"),
    )
    return _result(columns, fields, "code")


def _panel() -> Result:
    rows = [
        {"region": region, "year": year, "value": None if (place, year) == (3, 2021) else 100.0 * place + year - 2000}
        for year in (2020, 2021, 2022)
        for place, region in enumerate(provinces())
    ]
    columns = {k: [r[k] for r in rows] for k in ("region", "year", "value")}
    fields = (
        _field("region", "text", label="column.region"),
        _field("year", "year", label="column.year"),
        _field("value", unit="CNY_100m"),
    )
    return _result(columns, fields, "region", "year")


def _long() -> Result:
    axes = ("研发投入强度", "高新技术企业数量占比", "论文", "专利")
    rows = [
        {"axis": axis, "who": who, "x": float(i), "y": (i + 1) * (j + 1) / 10}
        for i, axis in enumerate(axes)
        for j, who in enumerate(("广东", "江苏", "浙江"))
    ]
    columns = {k: [r[k] for r in rows] for k in ("axis", "who", "x", "y")}
    fields = (
        _field("axis", "text", label="column.measure"),
        _field("who", "text", label="column.region"),
        _field("x"),
        _field("y", "share"),
    )
    return _result(columns, fields, "axis", "who")


def _edges() -> Result:
    pairs = [("000", "003", 5.0), ("001", "003", 2.0), ("003", "005", 6.0), ("004", "005", 1.0), ("005", "002", 3.0)]
    columns = {
        "giver": [a for a, _, _ in pairs],
        "taker": [b for _, b, _ in pairs],
        "flow": [f for _, _, f in pairs],
        "giver_name_zh": [NAMES[int(a)][0] for a, _, _ in pairs],
        "giver_name_en": [NAMES[int(a)][1] for a, _, _ in pairs],
        "taker_name_zh": [NAMES[int(b)][0] for _, b, _ in pairs],
        "taker_name_en": [NAMES[int(b)][1] for _, b, _ in pairs],
    }
    fields = (
        _field("giver", "text"),
        _field("taker", "text"),
        _field("flow", unit="CNY_100m"),
        *_names("giver_name"),
        *_names("taker_name"),
    )
    return _result(columns, fields, "giver", "taker")


CHARTS = (
    Chart("bar", "sectors", {"x": "name", "y": "output", "label": "code"}, Text("structure.top"), {"top": 5}),
    Chart("bar", "sectors", {"x": "name", "y": "share", "y2": "whole_share", "low": "low", "high": "high"},
          Text("structure.top")),
    Chart("bar", "long", {"x": "axis", "y": "y", "series": "who"}, Text("structure.top"), {"stack": True}),
    Chart("line", "panel", {"x": "year", "y": "value", "series": "region"}, Text("structure.top"), {"line": 2000.0}),
    Chart(
        "scatter",
        "sectors",
        {"x": "share", "y": "change", "size": "output", "color": "quadrant", "name": "name"},
        Text("structure.quadrants"),
        {"x_line": 0.5, "y_line": 0.0},
    ),
    Chart(
        "graph",
        "sectors",
        {"id": "code", "name": "name", "category": "quadrant", "size": "share", "value": "change", "links": "edges",
         "source": "giver", "target": "taker", "weight": "flow"},
        Text("structure.top"),
    ),
    Chart(
        "sankey",
        "edges",
        {"source": "giver", "target": "taker", "value": "flow", "source_name": "giver_name",
         "target_name": "taker_name"},
        Text("structure.top"),
    ),
    Chart("tilemap", "panel", {"region": "region", "value": "value", "time": "year"}, Text("structure.top")),
    Chart("heatmap", "long", {"x": "who", "y": "axis", "value": "y"}, Text("structure.top"), {"diverging": True,
                                                                                            "middle": 0.5}),
    Chart("radar", "long", {"axis": "axis", "value": "y", "series": "who"}, Text("structure.top")),
    Chart("interval", "sectors", {"x": "name", "y": "share", "low": "low", "high": "high"}, Text("structure.top"),
          {"x_line": 0.5}),
    Chart("ridge", "long", {"x": "x", "y": "y", "series": "who"}, Text("structure.top")),
    Chart("waterfall", "sectors", {"x": "name", "y": "change"}, Text("structure.top"), {"total": {"whole": 1}}),
)  # fmt: skip


def gallery(identity: str = "a1" * 12, snapshot: int = -1) -> Finding:
    """The finding."""
    folded = replace(_edges(), aside=True, lead=Text("structure.top"))
    tables = {"sectors": _sectors(), "panel": _panel(), "long": _long(), "edges": folded}
    return Finding(
        id=identity,
        lens="structure",
        version=1,
        params={"table": "none", "region": None},
        headline=Text("structure.top"),
        tables=tables,
        charts=CHARTS,
        caveats=(Caveat("invented", Text("caveat.invented")), Caveat("note", Text("structure.top"))),
        provenance=Provenance(
            snapshot,
            {"indicator": 0},
            (Input("toys", "<b>a&b</b>.txt", "0" * 64, "CC BY 4.0", True, True, 12, "load", invented=True),),
            (Step("leontief", "A = Z x̂⁻¹", "Leontief 1936", {"sectors": 6}),),
            "test",
        ),
    )
