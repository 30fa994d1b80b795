"""One region diagnosed: where it stands, how it came there, what holds it back, whom to learn from, what it takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ronghe.errors import UnknownName
from ronghe.kernels.obstacle import lagging, marginal_effect, obstacle_degree
from ronghe.lenses.base import Context, lens
from ronghe.lenses.fusion.common import (
    contributions,
    everything,
    filled_table,
    level_fields,
    measure_steps,
    named,
    own_basis,
    panel_caveats,
    result,
    say_names,
    source_cells,
    unit_of,
)
from ronghe.lenses.fusion.fusion_map import PROVINCE
from ronghe.lenses.fusion.load import READS, in_words
from ronghe.lenses.fusion.measure import DRAWS, Filling, Form, Measure, Weighing, measure
from ronghe.lenses.fusion.params import NEXT, Alpha, SystemName, Target
from ronghe.lenses.fusion.peers import (
    Company,
    company,
    dimensions_table,
    lessons_table,
    peers_table,
    structure_of,
)
from ronghe.lenses.fusion.target import Goal, goal_of, needs_table, path_table, subsystems_table
from ronghe.lenses.params import LATEST, PanelRegion, Year, pick_year
from ronghe.model.finding import Basis, Caveat, Cell, Chart, Child, Field, Finding, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

_HELD = ("C", "T", "D", "class", "D_low", "D_high", "rank", "rank_low", "rank_high")
_WORST = 3


def _path(measured: Measure, child: Finding, region: str) -> tuple[Result, list[dict[str, Any]]]:
    """The region's years, taken from the map, with the subsystem that lags."""
    i = measured.panel.at(region)
    behind = lagging(measured.U[:, i]) if len(measured.system.subsystems) > 1 else np.full(len(measured.U), -1)
    held = {r["year"]: r for r in child.tables["panel"].data.to_pylist() if r["region"] == region}
    rows = []
    for t, year in enumerate(measured.panel.years):
        lag = int(behind[t])
        named_lag = measured.system.subsystems[lag].names if lag >= 0 else both("大体同步", "none: in step")
        one = held[year]
        levels = {k: one[k] for k in one if k.startswith("u") and k[1:].isdecimal()}
        rows.append({"year": year, **levels, **{k: one[k] for k in _HELD}, **say_names("lagging", named_lag)})

    def taken(name: str) -> Basis:
        return Child(child.id, "panel", name, {"region": region, "year": Cell("year")})

    source = {f.name: f for f in child.tables["panel"].fields}
    shown = [f.name for f in level_fields(measured.system, everything(measured))]
    fields = [
        Field("year", Text("column.year"), "year"),
        *(
            Field(n, source[n].label, source[n].kind, source[n].unit, taken(n), digits=source[n].digits)
            for n in (*shown, *_HELD)
        ),
        *named("lagging", "column.lagging"),
    ]
    return result(rows, fields, ("year",), Text("fusion.path")), rows


def _obstacles(measured: Measure, region: str, t: int) -> tuple[Result, list[dict[str, Any]]]:
    """Every indicator of the region in one year, worst obstacle first; three are marked."""
    panel, i = measured.panel, measured.panel.at(region)
    with in_words([x.names for x in panel.items], [panel.name(r) for r in panel.regions]):
        degree = obstacle_degree(measured.Z[t], measured.weights, measured.groups, alpha=measured.alpha)[i]
        effect = marginal_effect(
            measured.Z[t], measured.weights, measured.groups, alpha=measured.alpha, form=measured.form
        )[i]
    order = [int(j) for j in np.argsort(-degree, kind="stable")]
    both_count = degree * np.maximum(effect, 0.0)
    worst = [int(j) for j in np.argsort(-both_count, kind="stable")[:_WORST] if both_count[j] > 0]
    oriented = panel.oriented[t]
    rows = []
    for j in order:
        item = panel.items[j]
        cells = source_cells(measured, item, j, region, t)
        rows.append(
            {
                "holds_back": j in worst,
                **say_names("name", item.names),
                **say_names("subsystem", measured.system.subsystems[int(measured.groups[j])].names),
                "value": float(panel.values[t, i, j]),
                **say_names("unit", unit_of(panel, j)),
                "place": 1 + int((oriented[i, j] < oriented[:, j]).sum()),
                "z": float(measured.Z[t, i, j]),
                "obstacle": float(degree[j]),
                "effect": float(effect[j]),
                "gain": float(effect[j] * min(0.1, 1.0 - measured.Z[t, i, j])),
                "filled": bool(panel.filled[t, i, j]),
                "indicator": item.id,
                "sources": ", ".join(cells["indicator"] or item.of),
                "source_years": ", ".join(str(y) for y in cells["year"]),
            }
        )
    return result(rows, _obstacle_fields(measured, region), ("indicator",),
                  Text("fusion.obstacles", {"year": panel.years[t]})), rows  # fmt: skip


def _obstacle_fields(measured: Measure, region: str) -> tuple[Field, ...]:
    whole = everything(measured)
    cells = own_basis(measured, region)
    return (
        *named("name", "column.indicator_name"),
        *named("subsystem", "column.subsystem"),
        Field("obstacle", Text("column.obstacle"), "share", basis=whole),
        Field("effect", Text("column.effect"), basis=whole, digits=3),
        Field("holds_back", Text("column.holds_back"), "text"),
        Field("value", Text("column.value"), basis=cells),
        *named("unit", "column.unit"),
        Field("place", Text("column.raw_place"), "integer", basis=whole),
        Field("z", Text("column.z"), basis=whole, digits=3),
        Field("gain", Text("column.gain"), basis=whole, digits=4),
        Field("filled", Text("column.is_filled"), "text"),
        Field("indicator", Text("column.indicator"), "text"),
        Field("sources", Text("column.sources"), "text"),
        Field("source_years", Text("column.source_years"), "text"),
    )


def _charts(goal: Goal, *, peers: bool) -> list[Chart]:
    charts = [
        Chart("line", "path", {"x": "year", "y": "D", "y2": "D_low", "y3": "D_high"}, Text("fusion.path_chart")),
        Chart("line", "path", {"x": "year", "y": "u1", "y2": "u2"}, Text("fusion.levels_chart")),
        Chart("bar", "obstacles", {"x": "name", "y": "obstacle"}, Text("fusion.obstacle_chart"), {"top": 10}),
        Chart("bar", "obstacles", {"x": "name", "y": "effect"}, Text("fusion.effect_chart"), {"top": 10}),
        Chart("radar", "dimensions", {"axis": "dimension", "value": "score", "color": "series"},
              Text("fusion.dimensions"), {"max": 1.0}),
    ]  # fmt: skip
    if peers:
        charts.append(Chart("bar", "lessons", {"x": "name", "y": "more"}, Text("fusion.lessons"), {"top": 10}))
    if not goal.reached:
        charts.append(
            Chart("line", "target_path", {"x": "year", "y": "D"}, Text("fusion.target_path", {"by": goal.by}))
        )
    return charts


def _headline(
    measured: Measure, region: str, path: Mapping[str, Any], first: Mapping[str, Any], worst: Sequence[Any], goal: Goal
) -> Text:
    past = first["year"] < path["year"]
    met = Text("fusion.aim_met", {"class": Text(f"fusion.class.{goal.number}")})
    aim = Text("fusion.aim", {"class": Text(f"fusion.class.{goal.number}"), "by": goal.by})
    args = {
        "region": measured.panel.name(region), "year": path["year"], "D": path["D"], "class": Text(path["class"]),
        "low": path["D_low"], "high": path["D_high"], "rank_low": path["rank_low"], "rank_high": path["rank_high"],
        "count": len(measured.panel.regions), "lagging": {"zh": path["lagging_zh"], "en": path["lagging_en"]},
        "before": Text("fusion.before", {"first": first["year"], "from": first["D"]}) if past else "",
        "worst": [{"zh": r["name_zh"], "en": r["name_en"]} for r in worst] or [both("无", "none")],
        "aim": met if goal.reached else aim,
    }  # fmt: skip
    return Text("fusion.headline", args)


def _goal_caveats(goal: Goal, sides: Result) -> list[Caveat]:
    """What the target means, and a warning where no region ever moved as fast as it asks."""
    args: dict[str, Any] = {"class": Text(f"fusion.class.{goal.number}"), "by": goal.by, "edge": goal.edge}
    if goal.reached:
        return [Caveat("note", Text("fusion.goal_met", args))]
    said = [Caveat("note", Text("fusion.goal_share", {**args, "share": goal.share}))]
    fast = [r for r in sides.data.to_pylist() if r["best_pace"] is not None and r["pace"] > r["best_pace"]]
    if fast:
        names = [both(r["subsystem_zh"], r["subsystem_en"]) for r in fast]
        said.append(Caveat("warning", Text("fusion.goal_fast", {**args, "subsystems": names})))
    return said


def _company_notes(near: Company | None, measured: Measure, t: int) -> list[Caveat]:
    if near is None:
        return [Caveat("note", Text("fusion.no_structure"))]
    if t == 0:
        return [Caveat("note", Text("fusion.one_year"))]
    if not near.ahead.any():
        return [Caveat("note", Text("fusion.nobody_ahead", {"count": len(near.index)}))]
    names = [measured.panel.name(measured.panel.regions[j]) for j in near.index[near.ahead]]
    return [Caveat("note", Text("fusion.moved_ahead", {"regions": names, "first": measured.panel.years[0]}))]


def _company(measured: Measure, i: int, t: int) -> tuple[Company | None, dict[str, Result]]:
    """The region's peers with their tables, as far as the system and the data give them."""
    structure = structure_of(measured)
    near = None if structure is None else company(measured, structure, i, t)
    if near is None:
        return None, {}
    tables = {"peers": peers_table(measured, near, i, t)}
    if near.ahead.any():
        tables["lessons"] = lessons_table(measured, near, i, t)
    return near, tables


_STEPS = (
    Step("obstacle.obstacle_degree", "O_j = F_j(1 − z_j)/Σ F_j(1 − z_j), F_j = α_k w_j", "障碍度模型"),
    Step(
        "obstacle.marginal_effect", "(D(z_j + 0.1) − D)/0.1, all else equal; named: the three largest O_j × effect", ""
    ),
    Step("obstacle.lagging", "lowest U under 0.8 × mean of the others", "廖重斌 1999, 热带地理 19:171"),
    Step("obstacle.gap_to_close", "least λ with D(U + λ(1 − U)) ≥ target", ""),
    Step("peers.nearest_peers", "√Σ(s_i − s_r)² of standardised structure", "Navarro et al. 2014, S3 WP 03/2014"),
)


@lens("fusion", version=2, reads=READS, explain=contributions, builds_on=("fusion_map",))
def fusion(
    ctx: Context,
    *,
    region: PanelRegion,
    system: SystemName = PROVINCE,
    year: Year = LATEST,
    target: Target = NEXT,
    until: Year = LATEST,
    alpha: Alpha | None = None,
    form: Form = "modified",
    weights: Weighing = "combined",
    missing: Filling = "system",
    draws: int = DRAWS,
    seed: int = 0,
) -> Finding:
    """Do science and industry grow together in a region, what holds it back, and what would it take?"""
    asked = {"system": str(system), "year": int(year), "alpha": alpha, "form": form, "weights": weights}
    child = ctx.child("fusion_map", **asked, missing=missing, draws=draws, seed=seed)
    measured = measure(ctx, ctx.params)
    if region not in measured.panel.regions:
        raise UnknownName("unknown_region", str(region), measured.panel.regions)
    t = measured.panel.years.index(pick_year(year, measured.panel.years, str(system)))
    i = measured.panel.at(region)
    path, years = _path(measured, child, region)
    obstacles, listed = _obstacles(measured, region, t)
    goal = goal_of(measured, i, t, str(target), int(until))
    near, tables = _company(measured, i, t)
    tables = {
        "path": path,
        "obstacles": obstacles,
        "target": subsystems_table(measured, goal),
        **tables,
        "needs": needs_table(measured, goal),
        "target_path": path_table(measured, goal),
        "dimensions": dimensions_table(measured, i, t, [] if near is None else near.index.tolist()),
        "filled": filled_table(measured, region),
    }
    worst = [r for r in listed if r["holds_back"]]
    return ctx.answer(
        _headline(measured, region, years[t], years[0], worst, goal),
        tables,
        charts=_charts(goal, peers=bool(near is not None and near.ahead.any())),
        caveats=[
            Caveat("note", Text("fusion.intervals", {"draws": draws, "form": Text(f"fusion.form.{form}")})),
            *_goal_caveats(goal, tables["target"]),
            *_company_notes(near, measured, t),
            *panel_caveats(measured),
        ],
        steps=[*measure_steps(measured, draws, seed), *_STEPS],
    )
