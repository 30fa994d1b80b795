"""Two scenarios side by side, against the usual course of things."""

from collections.abc import Mapping, Sequence
from typing import Any

from ronghe.errors import AskError
from ronghe.lenses.base import Context, lens
from ronghe.lenses.chains.chain_loss import horizon
from ronghe.lenses.chains.impact import VALUE_ADDED, loss_bars
from ronghe.lenses.chains.scenario import READS
from ronghe.lenses.chains.shocks import Shocks
from ronghe.lenses.frames import name_fields, result, text_field
from ronghe.lenses.params import Region, TableId
from ronghe.model.finding import Caveat, Cell, Chart, Child, Field, Finding, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both
from ronghe.model.units import amounts

_SIDES = ("a", "b")


def _joined(
    found: Mapping[str, Finding], table: str, keys: Sequence[str], columns: Mapping[str, str], kept: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows of both scenarios by key: ``<side>_<column>`` of each, and what they share."""
    sides = {s: {tuple(r[k] for k in keys): r for r in f.tables[table].data.to_pylist()} for s, f in found.items()}
    rows = []
    for k in dict.fromkeys([*sides["a"], *sides["b"]]):
        row: dict[str, Any] = dict(zip(keys, k, strict=True))
        for s in _SIDES:
            one = sides[s].get(k, {})
            row |= {f"{s}_{new}": one.get(old) for old, new in columns.items()}
            row |= {c: one[c] for c in kept if c in one and row.get(c) is None}
        row["difference"] = _difference(sides["a"].get(k, {}), sides["b"].get(k, {}), columns)
        rows.append(row)
    return rows


def _difference(a: Mapping[str, Any], b: Mapping[str, Any], columns: Mapping[str, str]) -> float | None:
    """B less A: of the values, or of the upper bounds of both where either has nothing but bounds."""
    for column in list(columns)[1:3]:
        if a.get(column) is not None and b.get(column) is not None:
            return float(b[column]) - float(a[column])
    return None


def _figures(
    found: Mapping[str, Finding], table: str, keys: Sequence[str], columns: Mapping[str, str], unit: str
) -> list[Field]:
    where = {k: Cell(k) for k in keys}
    fields = [
        Field(f"{s}_{new}", Text(f"column.{s}_{new}"), "number", unit, Child(found[s].id, table, old, where))
        for s in _SIDES
        for old, new in columns.items()
    ]
    value = list(columns)[1]
    return [*fields, Field("difference", Text("column.difference"), "number", unit,
                           Child(found["b"].id, table, value, where))]  # fmt: skip


def _totals(found: Mapping[str, Finding]) -> Result:
    columns = {"low": "low", "value": "value", "high": "high"}
    rows = _joined(found, "totals", ("measure",), columns, ("usual", "unit"))
    where = {"measure": Cell("measure")}
    fields = [
        text_field("measure", "key"),
        Field("usual", Text("column.usual"), "number", "=unit", Child(found["a"].id, "totals", "usual", where)),
        *_figures(found, "totals", ("measure",), columns, "=unit"),
        text_field("unit", "unit"),
    ]
    return result(rows, fields, ("measure",), "compare_scenarios.totals")


def _sectors(found: Mapping[str, Finding], unit: str) -> Result:
    columns = dict(zip(VALUE_ADDED, ("low", "value", "high"), strict=True))
    key = found["a"].tables["sectors"].key
    rows = _joined(found, "sectors", key, columns, ("name_zh", "name_en"))
    rows.sort(key=lambda r: (-max(r["a_high"] or 0.0, r["b_high"] or 0.0), *(r[k] for k in key)))
    fields = [
        *(text_field(k) for k in key),
        *name_fields("name", "column.sector_name"),
        *_figures(found, "sectors", key, columns, unit),
    ]
    return result(rows, fields, key, "compare_scenarios.sectors")


def _path(found: Mapping[str, Finding]) -> Result:
    columns = {"share_low": "share_low", "share": "share_value", "share_top": "share_top"}
    rows = _joined(found, "path", ("week",), columns, ())
    for row in rows:
        row["baseline"] = 0.0
    figures = _figures(found, "path", ("week",), columns, "none")
    fields = [text_field("week", "integer"), Field("baseline", Text("column.baseline"), "share", digits=3)]
    fields += [Field(f.name, f.label, "share", f.unit, f.basis, digits=3) for f in figures]
    return result(rows, fields, ("week",), "compare_scenarios.path")


def _abroad(found: Mapping[str, Finding]) -> Result:
    columns = dict(zip(VALUE_ADDED, ("low", "value", "high"), strict=True))
    unit = found["a"].tables["abroad"].field("value_added_lost").unit
    rows = _joined(found, "abroad", ("region",), columns, ("name_zh", "name_en"))
    rows.sort(key=lambda r: (-max(r["a_high"] or 0.0, r["b_high"] or 0.0), r["region"]))
    fields = [
        text_field("region"),
        *name_fields("name", "column.region_name"),
        *_figures(found, "abroad", ("region",), columns, unit),
    ]
    return result(rows, fields, ("region",), "compare_scenarios.abroad")


def _headline(totals: Result) -> Text:
    row = next(r for r in totals.data.to_pylist() if r["measure"].endswith("value_added"))
    args: dict[str, Any] = {s: amounts(row[f"{s}_low"], row[f"{s}_high"], row["unit"]) for s in _SIDES}
    apart = row["b_low"] > row["a_high"] or row["a_low"] > row["b_high"]
    worse = "b" if (row["difference"] or 0.0) > 0 else "a"
    known = row["a_value"] is not None and row["b_value"] is not None
    kind = "worse" if apart else "overlap" if known else "bounds"
    verdict = Text(f"compare_scenarios.{kind}_{worse}")
    return Text("compare_scenarios.headline", {**args, "verdict": verdict})


@lens("compare_scenarios", version=3, reads=READS, builds_on=("scenario",))
def compare_scenarios(
    ctx: Context, *, a: Shocks, b: Shocks, economy: TableId, weeks: int = 12, home: Region | None = None
) -> Finding:
    """Which of two scenarios costs more, where and when, against the usual course of things?"""
    steps = horizon(weeks)
    found = {
        s: ctx.child("scenario", shock=str(one), economy=str(economy), weeks=steps, **({"home": home} if home else {}))
        for s, one in zip(_SIDES, (a, b), strict=True)
    }
    for side, one in found.items():
        if "totals" not in one.tables:
            raise AskError("shock_no_sector", table=str(economy), steps=str(a if side == "a" else b))
    unit = found["a"].tables["sectors"].field("value_added_lost").unit
    tables = {"totals": _totals(found), "sectors": _sectors(found, unit), "path": _path(found)}
    if all("abroad" in f.tables for f in found.values()):
        tables["abroad"] = _abroad(found)
    charts = (
        Chart("line", "path", {"x": "week", "y": "a_share_top", "y2": "b_share_top", "y3": "baseline"},
              Text("compare_scenarios.path")),
        loss_bars(tables["sectors"], "sectors", Text("compare_scenarios.bars"),
                  [[f"{s}_{end}" for end in ("low", "value", "high")] for s in _SIDES], top=15),
    )  # fmt: skip
    inherited = [c for f in found.values() for c in f.caveats if not c.text.key.startswith("caveat.")]
    return ctx.answer(
        _headline(tables["totals"]),
        tables,
        charts=charts,
        caveats=[Caveat("note", Text("compare_scenarios.reading", {"a": both(a, a), "b": both(b, b)})), *inherited],
        steps=[Step("compare_scenarios", "difference = B − A of the values, or of the upper bounds where there is none",
                    "", {"a": str(a), "b": str(b)})],
    )  # fmt: skip
