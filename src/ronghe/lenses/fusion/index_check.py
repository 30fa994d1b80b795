"""Does an indicator system hold against the lake? Coverage, dead indicators, collinearity, unknown names."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, NoData, nearest
from ronghe.indexing.figures import Figures
from ronghe.indexing.panel import Panel
from ronghe.indexing.system import Item, System
from ronghe.lenses.base import Context, lens
from ronghe.lenses.fusion.common import named, result, say_names, unit_of
from ronghe.lenses.fusion.fusion_map import PROVINCE
from ronghe.lenses.fusion.load import READS, load_figures, part, region_labels
from ronghe.lenses.fusion.params import SystemName
from ronghe.lenses.params import Indicator
from ronghe.model.finding import Basis, Caveat, Chart, Field, Finding, Matrix, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
_CLOSE = 0.9
_DEAD_SPREAD = 1e-12


@dataclass(frozen=True, slots=True)
class _Checked:
    """One indicator: ``raw`` before gaps are filled and ``full`` after, both ``None`` where it can't be made."""

    item: Item
    raw: Panel | None
    full: Panel | None
    why: Text | None


def _examine(system: System, figures: Figures, years: tuple[int, ...], labels: dict[str, Any]) -> list[_Checked]:
    found = []
    for item in system.items:
        try:
            raw = part(figures, years, [item], labels, "none")
            found.append(_Checked(item, raw, part(figures, years, [item], labels), None))
        except AskError as error:
            found.append(_Checked(item, None, None, error.text))
    return found


def _status(one: _Checked) -> str:
    if one.full is None or one.raw is None:
        return "index_check.status.unmade"
    values = one.full.values
    known = values[np.isfinite(values)]
    if not known.size or np.ptp(known) <= _DEAD_SPREAD * max(1.0, float(np.abs(known).max())):
        return "index_check.status.dead"
    if np.isnan(values).any():
        return "index_check.status.gaps"
    if one.full.filled.any():
        return "index_check.status.filled"
    return "index_check.status.whole"


def _summary(system: System, checked: list[_Checked]) -> tuple[Result, list[dict[str, Any]]]:
    place = {s.id: s.names for s in system.subsystems}
    rows = []
    for one in checked:
        item, raw, full = one.item, one.raw, one.full
        seen = None if raw is None else np.isfinite(raw.values)
        years = [] if raw is None or seen is None else [y for t, y in enumerate(raw.years) if seen[t].any()]
        rows.append(
            {
                "role": f"index_check.role.{item.role}",
                **say_names("subsystem", place.get(item.subsystem, both("—", "—"))),
                **say_names("dimension", item.dimension),
                **say_names("name", item.names),
                "status": _status(one),
                "coverage": None if seen is None else float(seen.mean()),
                "filled": None if full is None else int(full.filled.sum()),
                "left": None if full is None else int(np.isnan(full.values).sum()),
                "first": min(years, default=None),
                "last": max(years, default=None),
                **_range(raw),
                **say_names("unit", unit_of(full, 0) if full is not None else both("", "")),
                "direction": f"index_check.direction.{item.direction}",
                **say_names("why", item.why),
                "indicator": item.id,
                "sources": ", ".join(system.sources_of(item) or item.of),
            }
        )
    sources = tuple(dict.fromkeys(s for c in checked for s in system.sources_of(c.item)))
    return result(rows, _summary_fields(sources), ("role", "indicator"), Text("index_check.summary")), rows


def _range(raw: Panel | None) -> dict[str, float | None]:
    known = np.zeros(0) if raw is None else raw.values[np.isfinite(raw.values)]
    if not known.size:
        return {"min": None, "median": None, "max": None}
    return {"min": float(known.min()), "median": float(np.median(known)), "max": float(known.max())}


def _summary_fields(sources: tuple[str, ...]) -> tuple[Field, ...]:
    cells: Basis = Matrix("indicator", {"indicator": sources, "industry": "ALL"})
    return (
        *named("subsystem", "column.subsystem"),
        *named("name", "column.indicator_name"),
        Field("status", Text("column.status"), "key"),
        Field("coverage", Text("column.coverage"), "share", basis=cells, digits=1),
        Field("filled", Text("column.cells_filled"), "integer", basis=cells),
        Field("left", Text("column.cells_left"), "integer", basis=cells),
        Field("first", Text("column.first_year"), "year"),
        Field("last", Text("column.last_year"), "year"),
        Field("min", Text("column.min"), basis=cells),
        Field("median", Text("column.median"), basis=cells),
        Field("max", Text("column.max"), basis=cells),
        *named("unit", "column.unit"),
        Field("direction", Text("column.direction"), "key"),
        Field("role", Text("column.role"), "key"),
        *named("dimension", "column.dimension"),
        *named("why", "column.why"),
        Field("indicator", Text("column.indicator"), "text"),
        Field("sources", Text("column.sources"), "text"),
    )


def _coverage(checked: list[_Checked]) -> Result:
    """Indicator by year: how many regions have a figure of their own."""
    rows = []
    for one in checked:
        if one.raw is None or one.item.role != "indicator":
            continue
        for t, year in enumerate(one.raw.years):
            seen = int(np.isfinite(one.raw.values[t, :, 0]).sum())
            of = len(one.raw.regions)
            rows.append(
                {
                    **say_names("name", one.item.names),
                    "year": year,
                    "known": seen,
                    "of": of,
                    "share": seen / of,
                    "indicator": one.item.id,
                }
            )
    fields = (
        *named("name", "column.indicator_name"),
        Field("year", Text("column.year"), "year"),
        Field("known", Text("column.regions_known"), "integer"),
        Field("of", Text("column.regions_all"), "integer"),
        Field("share", Text("column.coverage"), "share"),
        Field("indicator", Text("column.indicator"), "text"),
    )
    return result(rows, fields, ("indicator", "year"), Text("index_check.coverage"))


def _together(system: System, checked: list[_Checked]) -> Result:
    """Pairs of indicators of one subsystem that say nearly the same, and how much of each the others explain."""
    rows: list[dict[str, Any]] = []
    for subsystem in system.subsystems:
        own = [c for c in checked if c.item.role == "indicator" and c.item.subsystem == subsystem.id]
        held = [c for c in own if c.full is not None and _status(c) in _USABLE]
        if len(held) < 2:
            continue
        cells = np.column_stack([c.full.oriented[:, :, 0].ravel() for c in held if c.full is not None])
        cells = cells[np.isfinite(cells).all(axis=1)]
        if len(cells) < 3 or (np.ptp(cells, axis=0) == 0).any():
            continue
        r = np.atleast_2d(np.corrcoef(cells, rowvar=False))
        rows += [
            {
                **say_names("subsystem", subsystem.names),
                **say_names("name", held[a].item.names),
                **say_names("other", held[b].item.names),
                "r": float(r[a, b]),
                "indicator": held[a].item.id,
                "other_id": held[b].item.id,
            }
            for a in range(len(held))
            for b in range(a + 1, len(held))
            if abs(r[a, b]) >= _CLOSE
        ]
    rows.sort(key=lambda row: (-abs(float(row["r"])), str(row["indicator"])))
    fields = (
        *named("subsystem", "column.subsystem"),
        *named("name", "column.indicator_name"),
        *named("other", "column.other_indicator"),
        Field("r", Text("column.correlation"), digits=3),
        Field("indicator", Text("column.indicator"), "text"),
        Field("other_id", Text("column.other_id"), "text"),
    )
    return result(rows, fields, ("indicator", "other_id"), Text("index_check.together", {"limit": _CLOSE}))


_USABLE = frozenset({"index_check.status.whole", "index_check.status.filled"})


def _alone(system: System, checked: list[_Checked]) -> Result:
    """Variance inflation: 1/(1 - R²) of each indicator on the others of its subsystem."""
    rows: list[dict[str, Any]] = []
    for subsystem in system.subsystems:
        held = [
            c for c in checked
            if c.item.role == "indicator" and c.item.subsystem == subsystem.id and _status(c) in _USABLE
        ]  # fmt: skip
        cells = [c.full.values[:, :, 0].ravel() for c in held if c.full is not None]
        if len(held) < 2 or len(cells[0]) <= len(held) + 1:
            continue
        r = np.corrcoef(np.array(cells))
        inflation = np.diag(np.linalg.pinv(r))
        rows += [
            {
                **say_names("subsystem", subsystem.names),
                **say_names("name", c.item.names),
                "vif": float(v),
                "indicator": c.item.id,
            }
            for c, v in zip(held, inflation, strict=True)
        ]
    rows.sort(key=lambda row: (-float(row["vif"]), str(row["indicator"])))
    fields = (
        *named("subsystem", "column.subsystem"),
        *named("name", "column.indicator_name"),
        Field("vif", Text("column.vif"), digits=1),
        Field("indicator", Text("column.indicator"), "text"),
    )
    return result(rows, fields, ("indicator",), Text("index_check.alone"))


def _unknown(ctx: Context, system: System, figures: Figures) -> tuple[Result, int]:
    """Names in the file that the lake does not hold, with the nearest it does."""
    offered = [c.value for c in Indicator.choices(ctx.snapshot)]
    rows = [
        {
            **say_names("name", item.names),
            "source": source,
            "nearest": ", ".join(nearest(source, offered)[:3]),
            "indicator": item.id,
        }
        for item in system.items
        for source in system.sources_of(item)
        if source not in figures.base
    ]
    fields = (
        Field("source", Text("column.unknown_name"), "text"),
        *named("name", "column.used_by"),
        Field("nearest", Text("column.nearest"), "text"),
        Field("indicator", Text("column.indicator"), "text"),
    )
    return result(rows, fields, ("source", "indicator"), Text("index_check.unknown")), len({r["source"] for r in rows})


@lens("index_check", version=1, reads=READS)
def index_check(ctx: Context, *, system: SystemName = PROVINCE) -> Finding:
    """Does an indicator system hold against the lake: coverage, dead indicators, collinearity, unknown names?"""
    read = system.system
    figures, years = load_figures(ctx, read, strict=False)
    if not figures.regions:
        raise NoData("no_data", what=read.names["en"], tables="indicator")
    labels = region_labels(ctx, figures.regions)
    checked = _examine(read, figures, years, labels)
    summary, rows = _summary(read, checked)
    together, (unknown, strangers) = _together(read, checked), _unknown(ctx, read, figures)
    states = [r["status"].rsplit(".", 1)[1] for r in rows if r["role"].endswith("indicator")]
    bad = {k: states.count(k) for k in ("unmade", "dead", "gaps")}
    said = [Caveat("warning", Text("index_check.because", {"indicator": dict(c.item.names), "why": c.why}))
            for c in checked if c.why is not None]  # fmt: skip
    if bad["gaps"]:
        said.append(Caveat("warning", Text(f"index_check.gaps_{read.gaps}", {"count": bad["gaps"]})))
    if read.note["zh"]:
        said.append(Caveat("note", Text("fusion.note", {"note": dict(read.note)})))
    args = {
        "system": dict(read.names), "count": len(states), "regions": len(figures.regions), "first": years[0],
        "last": years[-1], "whole": states.count("whole"), "filled": states.count("filled"), **bad,
        "unknown": strangers, "pairs": together.data.num_rows,
    }  # fmt: skip
    charts = [
        Chart("heatmap", "coverage", {"x": "year", "y": "name", "value": "share"}, Text("index_check.coverage")),
    ]
    if together.data.num_rows:
        charts.append(Chart("bar", "alone", {"x": "name", "y": "vif"}, Text("index_check.alone"), {"top": 15}))
    tables = {
        "summary": summary,
        "coverage": _coverage(checked),
        "together": together,
        "alone": _alone(read, checked),
        "unknown": unknown,
    }
    return ctx.answer(
        Text("index_check.headline", args),
        tables,
        charts=charts,
        caveats=said,
        steps=(Step("index_check", "share of region-years with a figure; r over all cells; VIF = diag(R⁻¹)", ""),),
    )
