"""Two regions side by side: who is ahead since when, by which indicators, and is it more than noise?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ronghe.errors import AskError, UnknownName
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.fusion.common import (
    class_key,
    everything,
    measure_steps,
    named,
    own_basis,
    own_cells,
    panel_caveats,
    paths,
    result,
    say_names,
    source_cells,
    unit_of,
)
from ronghe.lenses.fusion.fusion_map import PROVINCE
from ronghe.lenses.fusion.load import READS
from ronghe.lenses.fusion.measure import (
    DRAWS,
    Filling,
    Form,
    Measure,
    Sure,
    Weighing,
    measure,
    uncertainty,
)
from ronghe.lenses.fusion.params import Alpha, SystemName
from ronghe.lenses.params import LATEST, PanelRegion, Year, pick_year
from ronghe.model.finding import Caveat, Chart, Field, Finding, Result
from ronghe.model.text import Text, both

_SURE = 0.95


def _years(measured: Measure, sure: Sure, a: int, b: int) -> Result:
    D, level, ranks = measured.found.D, sure.level.score, sure.ranks
    rows = []
    for t, year in enumerate(measured.panel.years):
        p = float(ranks.ahead[t, a, b])
        rows.append(
            {
                "year": year,
                **{f"{k}_{side}": v for side, i in (("a", a), ("b", b)) for k, v in {
                    "D": float(D[t, i]), "low": float(level[0, t, i]), "high": float(level[2, t, i]),
                    "class": class_key(int(measured.classes[t, i])), "rank_low": int(ranks.rank[0, t, i]),
                    "rank_high": int(ranks.rank[2, t, i])}.items()},
                "gap": float(D[t, a] - D[t, b]),
                "p": p,
                "verdict": _verdict(p),
            }
        )  # fmt: skip
    basis = everything(measured)
    panel = measured.panel
    fields = [Field("year", Text("column.year"), "year")]
    for side, i in (("a", a), ("b", b)):
        who = {"name": panel.name(panel.regions[i])}
        fields += [
            Field(f"D_{side}", Text("column.D_of", who), basis=basis, digits=3),
            Field(f"low_{side}", Text("column.low_of", who), basis=basis, digits=3),
            Field(f"high_{side}", Text("column.high_of", who), basis=basis, digits=3),
            Field(f"class_{side}", Text("column.class_of", who), "key"),
            Field(f"rank_low_{side}", Text("column.rank_low_of", who), "integer", basis=basis),
            Field(f"rank_high_{side}", Text("column.rank_high_of", who), "integer", basis=basis),
        ]
    fields += [
        Field("gap", Text("column.gap"), basis=basis, digits=3),
        Field("p", Text("column.p_first_ahead"), "share", basis=basis, digits=1),
        Field("verdict", Text("column.verdict"), "key"),
    ]
    return result(rows, fields, ("year",), Text("compare.years"))


def _verdict(p: float) -> str:
    if p >= _SURE:
        return "compare.verdict.first"
    return "compare.verdict.second" if p <= 1 - _SURE else "compare.verdict.noise"


def _parts(measured: Measure, a: int, b: int, t: int) -> Result:
    """By indicator: both values, both scores, and what the difference adds to the gap in T."""
    panel = measured.panel
    part = measured.loading * (measured.Z[t, a] - measured.Z[t, b])
    rows = []
    for j in (int(j) for j in np.argsort(-np.abs(part), kind="stable")):
        item = panel.items[j]
        cells = [source_cells(measured, item, j, panel.regions[i], t) for i in (a, b)]
        rows.append(
            {
                **say_names("name", item.names),
                **say_names("subsystem", measured.system.subsystems[int(measured.groups[j])].names),
                "value_a": float(panel.values[t, a, j]),
                "value_b": float(panel.values[t, b, j]),
                **say_names("unit", unit_of(panel, j)),
                "z_a": float(measured.Z[t, a, j]),
                "z_b": float(measured.Z[t, b, j]),
                "part": float(part[j]),
                "indicator": item.id,
                "sources": ", ".join(cells[0]["indicator"] or item.of),
                "years_a": ", ".join(str(y) for y in cells[0]["year"]),
                "years_b": ", ".join(str(y) for y in cells[1]["year"]),
            }
        )
    return result(rows, _part_fields(measured, a, b), ("indicator",), Text("compare.parts", {"year": panel.years[t]}))


def _part_fields(measured: Measure, a: int, b: int) -> tuple[Field, ...]:
    panel, basis = measured.panel, everything(measured)
    first, second = (panel.name(panel.regions[i]) for i in (a, b))

    return (
        *named("name", "column.indicator_name"),
        *named("subsystem", "column.subsystem"),
        Field("value_a", Text("column.value_at", {"name": first}), basis=own_basis(measured, panel.regions[a])),
        Field("value_b", Text("column.value_at", {"name": second}), basis=own_basis(measured, panel.regions[b])),
        *named("unit", "column.unit"),
        Field("z_a", Text("column.z_of", {"name": first}), basis=basis, digits=3),
        Field("z_b", Text("column.z_of", {"name": second}), basis=basis, digits=3),
        Field("part", Text("column.gap_part"), basis=basis, digits=4),
        Field("indicator", Text("column.indicator"), "text"),
        Field("sources", Text("column.sources"), "text"),
        Field("years_a", Text("column.source_years"), "text"),
        Field("years_b", Text("column.source_years"), "text"),
    )


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The indicators that make most of the gap (or of one side's level) in the year of the row."""
    del table
    measured = measure(ctx, finding.params)
    panel = measured.panel
    t = panel.years.index(pick_year(int(row.get("year") or finding.params["year"]), panel.years, measured.system.name))
    a, b = panel.at(finding.params["region"]), panel.at(finding.params["other"])
    if column in {"value_a", "value_b"}:
        return own_cells(
            ctx, measured, str(row["indicator"]), finding.params["region" if column == "value_a" else "other"], t
        )
    if column.endswith("_b"):
        return paths(measured, panel.regions[b], t, measured.loading * measured.Z[t, b])
    if column.endswith("_a"):
        return paths(measured, panel.regions[a], t, measured.loading * measured.Z[t, a])
    return paths(measured, panel.regions[a], t, measured.loading * (measured.Z[t, a] - measured.Z[t, b]))


def _headline(measured: Measure, years: Result, parts: Result, a: str, b: str, t: int) -> Text:
    panel = measured.panel
    now = years.data.to_pylist()[t]
    listed = parts.data.to_pylist()
    side = 1.0 if now["gap"] >= 0 else -1.0
    lead = [{"zh": r["name_zh"], "en": r["name_en"]} for r in listed if r["part"] * side > 0][:3]
    args = {
        "a": panel.name(a), "b": panel.name(b), "year": panel.years[t], "D_a": now["D_a"], "D_b": now["D_b"],
        "p": now["p"], "verdict": Text(now["verdict"]), "lead": lead or [both("—", "—")],
    }  # fmt: skip
    return Text("compare.headline", args)


@lens("compare", version=2, reads=READS, explain=_explain)
def compare(
    ctx: Context,
    *,
    region: PanelRegion,
    other: PanelRegion,
    system: SystemName = PROVINCE,
    year: Year = LATEST,
    alpha: Alpha | None = None,
    form: Form = "modified",
    weights: Weighing = "combined",
    missing: Filling = "system",
    draws: int = DRAWS,
    seed: int = 0,
) -> Finding:
    """Which of two regions is ahead, by which indicators, and is the difference more than noise?"""
    del alpha, form, weights, missing
    if region == other:
        raise AskError("same_region", region=str(region))
    measured = measure(ctx, ctx.params)
    panel = measured.panel
    for one in (region, other):
        if one not in panel.regions:
            raise UnknownName("unknown_region", str(one), panel.regions)
    t = panel.years.index(pick_year(year, panel.years, str(system)))
    i, j = panel.at(region), panel.at(other)
    sure = uncertainty(ctx, measured, draws, seed, sensitivity=False)
    years = _years(measured, sure, i, j)
    parts = _parts(measured, i, j, t)
    charts = (
        Chart("line", "years", {"x": "year", "y": "D_a", "y2": "D_b"}, Text("compare.years")),
        Chart("bar", "parts", {"x": "name", "y": "part"}, Text("compare.parts", {"year": panel.years[t]}), {"top": 15}),
        Chart("bar", "parts", {"x": "name", "y": "z_a", "y2": "z_b"}, Text("compare.scores")),
    )
    return ctx.answer(
        _headline(measured, years, parts, region, other, t),
        {"years": years, "parts": parts},
        charts=charts,
        caveats=[
            Caveat("note", Text("fusion.intervals", {"draws": draws, "form": Text(f"fusion.form.{measured.form}")})),
            *panel_caveats(measured),
        ],
        steps=measure_steps(measured, draws, seed),
    )
