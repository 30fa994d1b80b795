"""A finding written by hand: every kind of column, a text that looks like a formula, missing figures, a licence."""

from pathlib import Path

import pyarrow as pa

from ronghe.brain import Answer, Brain
from ronghe.config import Config
from ronghe.model.finding import Caveat, Cell, Chart, Child, Field, Finding, Matrix, Result, Rows
from ronghe.model.provenance import Input, Provenance, Step
from ronghe.model.text import Text

DANGEROUS = ("=cmd|' /C calc'!A0", "@SUM(A1:A9)", "-1+1", "+8613800000000a", "\tx")
NAMES = ("农产品", "煤炭开采和洗选产品", *DANGEROUS)
OUTPUT = (707889674.125, 235072612.0, 0.1 + 0.2, -1e-7, None, 1e15 + 0.5, 3.0)
SHARE = (0.953, None, 0.0, 1.0, -0.25, 0.5, 1 / 3)


def _input(dataset: str, **terms: object) -> Input:
    given = {"licence": "CC BY 4.0", "redistributable": True, "commercial": True, "rows": 7, "load": dataset, **terms}
    return Input(dataset=dataset, file=f"{dataset}.csv", sha256=dataset[0] * 64, **given)  # type: ignore[arg-type]


OPEN = _input("open_data", url="https://example.org/a/open_data.csv")
CLOSED = _input("closed_data", licence="CC BY-NC", redistributable=False, commercial=False)
INVENTED = _input("sandbox", invented=True)


def _main(rows: int) -> Result:
    where = {"table_id": "t", "row": Cell("sector"), "year": (2019, 2020)}
    data = pa.table(
        {
            "sector": pa.array([f"{i:03d}" for i in range(rows)]),
            "name_zh": pa.array([NAMES[i % len(NAMES)] for i in range(rows)]),
            "name_en": pa.array([f"sector {i}" for i in range(rows)]),
            "output": pa.array([OUTPUT[i % len(OUTPUT)] for i in range(rows)], pa.float64()),
            "value_added_content": pa.array([SHARE[i % len(SHARE)] for i in range(rows)], pa.float64()),
            "quadrant": pa.array(["key", "weak"] * (rows // 2) + ["key"] * (rows % 2)),
            "year": pa.array([2020] * rows, pa.int64()),
            "rank": pa.array(range(1, rows + 1), pa.int64()),
        }
    )
    fields = (
        Field("sector", Text("column.sector"), "text"),
        Field("name_zh", Text("column.name_zh"), "text", lang="zh"),
        Field("name_en", Text("column.name_en"), "text", lang="en"),
        Field("output", Text("column.output"), "number", "CNY_10k", Rows("io_cell", where)),
        Field("value_added_content", Text("column.value_added_content"), "share", basis=Matrix("io_cell", {"a": None})),
        Field("quadrant", Text("column.quadrant"), "class"),
        Field("year", Text("column.year"), "year"),
        Field("rank", Text("column.rank"), "integer", basis=Child("f" * 24, "other", "rank", {"s": Cell("sector")})),
    )
    return Result(data, fields, ("sector",), Text("structure.sectors"))


def _totals() -> Result:
    data = pa.table({"measure": ["column.output"], "amount": [26990278045.0], "unit": ["CNY_10k"]})
    fields = (
        Field("measure", Text("column.measure"), "key"),
        Field("amount", Text("column.amount"), "number", "=unit", Matrix("io_cell", {"table_id": "t"})),
        Field("unit", Text("web.column.unit"), "text"),
    )
    return Result(data, fields, ("measure",), Text("structure.sectors"))


def finding(
    *, inputs: tuple[Input, ...] = (OPEN,), rows: int = 7, charts: int = 1, identity: str = "0a" * 12
) -> Finding:
    """A finding of the lens ``structure`` with two tables of the same title."""
    said = {"where": "甲国", "sector": "农产品", "linkage": 1.5, "keys": 3, "count": rows}
    bars = [
        Chart("bar", "sectors", {"x": "name", "y": y}, Text("structure.top"), {"top": 3})
        for y in ("output", "value_added_content")
    ]
    return Finding(
        id=identity,
        lens="structure",
        version=1,
        params={"table": "cn-2020-153", "region": None},
        headline=Text("structure.headline", said),
        tables={"sectors": _main(rows), "totals": _totals()},
        charts=tuple(bars[:charts]),
        caveats=(Caveat("note", Text("structure.negative", {"count": 2})),),
        provenance=Provenance(
            snapshot=4,
            tables={"io_cell": 3},
            inputs=inputs,
            steps=(Step("leontief.normalised", "A = Z x̂⁻¹", "Rasmussen 1956", {"sectors": rows}),),
            code="0.1.0+test",
        ),
    )


def answer(folder: Path, **how: object) -> Answer:
    """The finding with a brain on an empty lake."""
    return Answer(finding(**how), Brain(Config(lake=str(folder / "lake"))))  # type: ignore[arg-type]
