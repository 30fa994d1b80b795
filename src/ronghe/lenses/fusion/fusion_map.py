"""Every region, every year: levels, coupling, coordination, class, and a rank that says how far it can be trusted."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ronghe.kernels.coupling import coordination_class
from ronghe.kernels.montecarlo import FACTORS, clearly_ahead
from ronghe.lenses.base import Context, lens
from ronghe.lenses.fusion.common import (
    class_key,
    contributions,
    everything,
    filled_table,
    level_fields,
    measure_steps,
    named,
    panel_caveats,
    result,
    say_names,
)
from ronghe.lenses.fusion.load import READS
from ronghe.lenses.fusion.measure import (
    DRAWS,
    Filling,
    Form,
    Measure,
    Sure,
    Weighing,
    measure,
    order_of,
    uncertainty,
)
from ronghe.lenses.fusion.params import Alpha, SystemName
from ronghe.lenses.params import LATEST, Year, pick_year
from ronghe.model.finding import Caveat, Chart, Field, Finding, Result
from ronghe.model.regions import zone_of
from ronghe.model.text import Text

PROVINCE = SystemName("fusion_province")
_SURE = 0.95


def _rows(measured: Measure, sure: Sure, t: int) -> list[dict[str, Any]]:
    """One year's regions from best to worst, each with how sure its place is."""
    panel, D = measured.panel, measured.found.D[t]
    order = order_of(D)
    ranks, level = sure.ranks, sure.level
    clear = clearly_ahead(ranks.ahead[t], level=_SURE)
    bands = coordination_class(np.clip(level.score[:, t], 0.0, 1.0))
    rows = []
    for place, i in enumerate(order):
        after = order[place + 1] if place + 1 < len(order) else None
        region = panel.regions[i]
        rows.append(
            {
                "rank": 1 + int((D[i] < D).sum()),
                "region": region,
                **say_names("name", panel.name(region)),
                "year": panel.years[t],
                **{f"u{k + 1}": float(u) for k, u in enumerate(measured.U[t, i])},
                "C": float(measured.found.C[t, i]),
                "T": float(measured.found.T[t, i]),
                "D": float(D[i]),
                "class": class_key(int(measured.classes[t, i])),
                "D_low": float(level.score[0, t, i]),
                "D_high": float(level.score[2, t, i]),
                "class_low": class_key(int(bands[0, i])),
                "class_high": class_key(int(bands[2, i])),
                "rank_low": int(ranks.rank[0, t, i]),
                "rank_mid": int(ranks.rank[1, t, i]),
                "rank_high": int(ranks.rank[2, t, i]),
                "p_next": None if after is None else float(ranks.ahead[t, i, after]),
                "ahead_of_next": None if after is None else _verdict(clear, i, after),
                "D_other": float(measured.other.D[t, i]),
                "filled": int(panel.filled[t, i].sum()),
            }
        )
    return rows


def _verdict(clear: Any, i: int, after: int) -> str:
    if clear[i, after]:
        return "fusion.ahead.clear"
    return "fusion.ahead.reversed" if clear[after, i] else "fusion.ahead.noise"


def ranking_fields(measured: Measure, *, year: bool) -> tuple[Field, ...]:
    """The fields of a ranking, with the year where rows are of several."""
    basis = everything(measured)
    other = "classic" if measured.form == "modified" else "modified"
    whole = {"basis": basis, "digits": 3}
    return (
        Field("rank", Text("column.rank"), "integer", basis=basis),
        *named("name", "column.region_name"),
        *([Field("year", Text("column.year"), "year")] if year else []),
        *level_fields(measured.system, basis),
        Field("C", Text("column.C"), **whole),  # type: ignore[arg-type]
        Field("T", Text("column.T"), **whole),  # type: ignore[arg-type]
        Field("D", Text(f"column.D_{measured.form}"), **whole),  # type: ignore[arg-type]
        Field("class", Text("column.coordination_class"), "key"),
        Field("D_low", Text("column.D_low"), **whole),  # type: ignore[arg-type]
        Field("D_high", Text("column.D_high"), **whole),  # type: ignore[arg-type]
        Field("rank_low", Text("column.rank_low"), "integer", basis=basis),
        Field("rank_mid", Text("column.rank_mid"), "integer", basis=basis),
        Field("rank_high", Text("column.rank_high"), "integer", basis=basis),
        Field("p_next", Text("column.p_next"), "share", basis=basis, digits=1),
        Field("ahead_of_next", Text("column.ahead_of_next"), "key"),
        Field("D_other", Text(f"column.D_{other}"), **whole),  # type: ignore[arg-type]
        Field("class_low", Text("column.class_low"), "key"),
        Field("class_high", Text("column.class_high"), "key"),
        Field("filled", Text("column.filled"), "integer"),
        Field("region", Text("column.region"), "text"),
    )


def _drivers(measured: Measure, sure: Sure, t: int) -> Result:
    """What the spread of ranks comes from: each factor's share, mean over the regions whose rank moves at all."""
    shares = sure.ranks.drivers
    rows = []
    if shares is not None:
        moving = shares.variance[t] > 0
        weight = shares.variance[t][moving]
        for k, factor in enumerate(FACTORS):
            total = float(weight.sum())
            mean = [
                float(s[k, t][moving] @ weight / total) if total > 0 else None for s in (shares.first, shares.total)
            ]
            rows.append({"factor": f"fusion.factor.{factor}", "first": mean[0], "total": mean[1]})
    fields = (
        Field("factor", Text("column.factor"), "key"),
        Field("first", Text("column.sobol_first"), "share", basis=everything(measured)),
        Field("total", Text("column.sobol_total"), "share", basis=everything(measured)),
    )
    return result(rows, fields, ("factor",), Text("fusion.drivers", {"year": measured.panel.years[t]}))


def weights_table(measured: Measure) -> Result:
    """Weights of every indicator by every method."""
    methods = sorted(measured.methods)
    rows = [
        {
            **say_names("subsystem", measured.system.subsystems[int(measured.groups[j])].names),
            **say_names("dimension", item.dimension),
            **say_names("name", item.names),
            "indicator": item.id,
            **{m: float(measured.methods[m][j]) for m in methods},
        }
        for j, item in enumerate(measured.panel.items)
    ]
    fields = (
        *named("subsystem", "column.subsystem"),
        *named("dimension", "column.dimension"),
        *named("name", "column.indicator_name"),
        *(Field(m, Text(f"column.weight_{m}"), basis=everything(measured), digits=4) for m in methods),
        Field("indicator", Text("column.indicator"), "text"),
    )
    return result(
        rows, fields, ("indicator",), Text("fusion.weights", {"method": Text(f"fusion.method.{measured.method}")})
    )


def _ahead(measured: Measure, sure: Sure, t: int) -> Result:
    """The chance of every region to be ahead of every other, best first."""
    panel, order = measured.panel, order_of(measured.found.D[t])
    rows = [
        {
            "region": panel.regions[i],
            "other": panel.regions[j],
            **say_names("name", panel.name(panel.regions[i])),
            **say_names("than", panel.name(panel.regions[j])),
            "p": None if i == j else float(sure.ranks.ahead[t, i, j]),
        }
        for i in order
        for j in order
    ]
    fields = (
        *named("name", "column.region_name"),
        *named("than", "column.than"),
        Field("p", Text("column.p_ahead"), "share", basis=everything(measured), digits=0),
        Field("region", Text("column.region"), "text"),
        Field("other", Text("column.other_region"), "text"),
    )
    return result(rows, fields, ("region", "other"), Text("fusion.ahead", {"year": panel.years[t]}))


def _charts(measured: Measure, year: int) -> list[Chart]:
    charts = [
        Chart("interval", "ranking", {"x": "name", "y": "rank_mid", "low": "rank_low", "high": "rank_high"},
              Text("fusion.rank_chart", {"year": year}), {"sort": "asc", "by": "rank"}),
        Chart("interval", "ranking", {"x": "name", "y": "D", "low": "D_low", "high": "D_high"},
              Text("fusion.level_chart", {"year": year})),
        Chart("heatmap", "ahead", {"x": "than", "y": "name", "value": "p"}, Text("fusion.ahead", {"year": year}),
              {"diverging": True, "middle": 0.5}),
        Chart("bar", "drivers", {"x": "factor", "y": "total"}, Text("fusion.drivers", {"year": year})),
    ]  # fmt: skip
    if any(zone_of(r) for r in measured.panel.regions):
        charts.insert(0, Chart("tilemap", "panel", {"region": "region", "value": "D", "time": "year"},
                               Text("fusion.map")))  # fmt: skip
    if len(measured.system.subsystems) == 2:
        charts.append(Chart("scatter", "ranking", {"x": "u1", "y": "u2", "name": "name"}, Text("fusion.balance")))
    return charts


def _headline(rows: list[dict[str, Any]], measured: Measure, sure: Sure, t: int) -> Text:
    year, n = measured.panel.years[t], len(rows)
    clear = int(clearly_ahead(sure.ranks.ahead[t], level=_SURE).sum())
    lead = [{"zh": r["name_zh"], "en": r["name_en"]} for r in rows[:5]]
    noise = sum(r["ahead_of_next"] == "fusion.ahead.noise" for r in rows)
    width = float(np.median([r["rank_high"] - r["rank_low"] for r in rows]))
    args: Mapping[str, Any] = {
        "system": dict(measured.system.names), "year": year, "lead": lead, "top": rows[0]["D"],
        "class": Text(rows[0]["class"]), "bottom": {"zh": rows[-1]["name_zh"], "en": rows[-1]["name_en"]},
        "low": rows[-1]["D"], "noise": noise, "next": n - 1, "width": width, "count": n,
        "clear": clear, "pairs": n * (n - 1) // 2,
    }  # fmt: skip
    return Text("fusion_map.headline", args)


@lens("fusion_map", version=2, reads=READS, explain=contributions)
def fusion_map(
    ctx: Context,
    *,
    system: SystemName = PROVINCE,
    year: Year = LATEST,
    alpha: Alpha | None = None,
    form: Form = "modified",
    weights: Weighing = "combined",
    missing: Filling = "system",
    draws: int = DRAWS,
    seed: int = 0,
) -> Finding:
    """Who stands where on fusion, every region in every year, and which differences are more than noise?"""
    del alpha, form, weights, missing
    measured = measure(ctx, ctx.params)
    at = pick_year(year, measured.panel.years, str(system))
    t = measured.panel.years.index(at)
    sure = uncertainty(ctx, measured, draws, seed)
    rows = _rows(measured, sure, t)
    every = [r for s in reversed(range(len(measured.panel.years))) for r in _rows(measured, sure, s)]
    caveats = [
        Caveat("note", Text("fusion.intervals", {"draws": draws, "form": Text(f"fusion.form.{measured.form}")})),
        *panel_caveats(measured),
    ]
    outside = [r for r in rows if not r["rank_low"] <= r["rank"] <= r["rank_high"]]
    if outside:
        listed = [{"zh": r["name_zh"], "en": r["name_en"]} for r in outside[:8]]
        caveats.append(Caveat("warning", Text("fusion.outside", {"count": len(outside), "regions": listed})))
    tables = {
        "ranking": result(
            rows, ranking_fields(measured, year=False), ("region",), Text("fusion.ranking", {"year": at})
        ),
        "panel": result(every, ranking_fields(measured, year=True), ("region", "year"), Text("fusion.panel")),
        "drivers": _drivers(measured, sure, t),
        "weights": weights_table(measured),
        "ahead": _ahead(measured, sure, t),
        "filled": filled_table(measured),
    }
    return ctx.answer(
        _headline(rows, measured, sure, t),
        tables,
        charts=_charts(measured, at),
        caveats=caveats,
        steps=measure_steps(measured, draws, seed),
    )
