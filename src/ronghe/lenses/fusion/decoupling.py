"""Does a pressure still grow with what drives it? Tapio's classes for two series of the panel, period by period."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ronghe.errors import AskError, UnknownName
from ronghe.kernels.decoupling import State
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.fusion.common import named, result, say_names
from ronghe.lenses.fusion.decoupling_load import READS, Change, Pair, Series, load
from ronghe.lenses.params import LATEST, PanelRegion, Year, pick_year
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Matrix, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text

EMISSIONS = Series("owid_co2")
GDP = Series("owid_gdp")
_HALF = 0.5
_DRAWN = 40
_NAMED = 10
_JUMP = 0.15
_CURRENT = frozenset({"money_cny", "money_usd", "money_eur"})
_GAP_ROW = ("growth_pressure", "growth_activity", "elasticity", "elasticity_low", "elasticity_high")


def _rows(pair: Pair, change: Change, first: int, last: int) -> list[dict[str, Any]]:
    shown = pair.shown(0), pair.shown(1)
    a, b = pair.years[first], pair.years[last]
    rows = []
    for k, i in enumerate(change.at):
        figures = (change.pressure, change.activity, change.elasticity, change.low, change.high)
        rows.append(
            {
                **say_names("name", pair.labels[pair.regions[i]]),
                "from_year": a,
                "to_year": b,
                **{
                    f"{series}_{end}": float(shown[s][t, i])
                    for s, series in enumerate(("pressure", "activity"))
                    for end, t in (("from", first), ("to", last))
                },
                **{name: float(values[k]) for name, values in zip(_GAP_ROW, figures, strict=True)},
                "state": state_key(int(change.state[k])),
                "number": int(change.state[k]),
                "sure": f"decoupling.{'sure' if change.sure[k] else 'open'}",
                "region": pair.regions[i],
            }
        )
    return sorted(rows, key=lambda r: (r["number"], np.nan_to_num(r["elasticity"], nan=np.inf), r["region"]))


def state_key(number: int) -> str:
    """The locale key of one of Tapio's classes."""
    return f"decoupling.state.{State(number).name.lower()}"


def _fields(pair: Pair) -> tuple[Field, ...]:
    ends = []
    for s, series in enumerate(("pressure", "activity")):
        for end in ("from", "to"):
            where: dict[str, Any] = {"indicator": pair.asked[s].parts, "industry": "ALL", "region": Cell("region")}
            label = Text(f"column.at_{end}", {"name": dict(pair.names[s])})
            basis = Rows("indicator", {**where, "year": Cell(f"{end}_year")})
            ends.append(Field(f"{series}_{end}", label, "number", pair.unit(s), basis))
    both_series = Matrix("indicator", {"indicator": tuple(pair.cells), "industry": "ALL", "region": Cell("region")})
    return (
        *named("name", "column.region_name"),
        Field("from_year", Text("column.period_start"), "year"),
        Field("to_year", Text("column.period_end"), "year"),
        Field("state", Text("column.decoupling_state"), "key"),
        Field("elasticity", Text("column.elasticity"), basis=both_series, digits=2),
        Field("elasticity_low", Text("column.elasticity_low"), basis=both_series, digits=2),
        Field("elasticity_high", Text("column.elasticity_high"), basis=both_series, digits=2),
        Field("sure", Text("column.decoupling_sure"), "key"),
        Field("growth_pressure", Text("column.growth_of", {"name": dict(pair.names[0])}), "share", basis=both_series),
        Field("growth_activity", Text("column.growth_of", {"name": dict(pair.names[1])}), "share", basis=both_series),
        *ends,
        Field("region", Text("column.region"), "text"),
    )


def _bounds(pair: Pair, since: int, year: int, span: int) -> list[int]:
    """The places of the years that part the periods, the last one first asked for: every ``span`` years back."""
    if span < 1:
        raise AskError("span", span=span)
    counts = pair.known.sum(axis=1)
    enough = [y for y, n in zip(pair.years, counts, strict=True) if n and n >= _HALF * counts.max()]
    last = pick_year(year, enough, f"{pair.asked[0]} · {pair.asked[1]}")
    first = max(since, enough[0])
    wanted = [y for y in range(last, first - 1, -span) if y in pair.years]
    if len(wanted) < 2:
        known = [str(y) for y in enough if y <= last - span]
        raise AskError("decoupling_years", known=known, first=first, last=last, span=span)
    return [pair.years.index(y) for y in reversed(wanted)]


def _classes(periods: Sequence[Mapping[str, Any]]) -> Result:
    """How many regions were in each class in each period."""
    counts: dict[str, Counter[str]] = {}
    for row in periods:
        counts.setdefault(f"{row['from_year']}–{row['to_year']}", Counter())[row["state"]] += 1
    rows = [
        {"state": state_key(int(state)), "period": period, "regions": held[state_key(int(state))]}
        for state in State
        for period, held in sorted(counts.items())
        if any(other[state_key(int(state))] for other in counts.values())
    ]
    fields = (
        Field("state", Text("column.decoupling_state"), "key"),
        Field("period", Text("column.period"), "text"),
        Field("regions", Text("column.regions_count"), "integer"),
    )
    return result(rows, fields, ("state", "period"), Text("decoupling.classes"))


def _caveats(pair: Pair, first: int, last: int, rows: Sequence[Mapping[str, Any]]) -> list[Caveat]:
    said = [Caveat("note", Text("decoupling.reading"))]
    current = [dict(pair.names[s]) for s in (0, 1) if pair.series(s).dimension in _CURRENT]
    if current:
        said.append(Caveat("warning", Text("decoupling.current_prices", {"series": current})))
    loose = sum(r["sure"] == "decoupling.open" for r in rows)
    said.append(Caveat("warning" if loose else "note", Text("decoupling.rounding", {"count": loose, "of": len(rows)})))
    shown = {r["region"] for r in rows}
    absent = [dict(pair.labels[r]) for r in pair.regions if r not in shown]
    if absent:
        args = {"count": len(absent), "regions": absent[:_NAMED], "year": pair.years[last]}
        said.append(Caveat("warning", Text("decoupling.absent", args)))
    jumps = [
        Text("decoupling.jump", {"region": dict(pair.labels[pair.regions[i]]), "year": pair.years[t], "change": change})
        for change, t, i in _jumps(pair, first, last)
    ]
    if jumps:
        said.append(Caveat("warning", Text("decoupling.jumps", {"count": len(jumps), "listed": jumps[:_NAMED]})))
    return said


def _jumps(pair: Pair, first: int, last: int) -> list[tuple[float, int, int]]:
    """Where the activity jumped against the median region's from one year to the next: (change, year, region).

    A revision or a new coverage looks like this, and an elasticity across it means nothing.
    """
    values = np.where(pair.known, pair.series(1).values, np.nan)[first : last + 1]
    with np.errstate(invalid="ignore"):
        growth = values[1:] / values[:-1] - 1.0
        middle = np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in growth])
        far = np.abs(growth - middle[:, None])
        found = [(float(growth[t, i]), first + 1 + int(t), int(i)) for t, i in np.argwhere(far > _JUMP)]
        return sorted(found, key=lambda f: (-far[f[1] - first - 1, f[2]], f[1], f[2]))


def _charts(pair: Pair, region: str | None, titles: Mapping[str, Text]) -> list[Chart]:
    charts = [
        Chart("scatter", "latest", {"x": "growth_activity", "y": "growth_pressure", "name": "name", "color": "state"},
              Text("decoupling.plane"), {"x_line": 0.0, "y_line": 0.0}),
        Chart("interval", "latest", {"x": "name", "y": "elasticity", "low": "elasticity_low",
              "high": "elasticity_high"}, titles["latest"], {"sort": "desc", "by": "activity_to", "top": _DRAWN}),
        Chart("bar", "classes", {"x": "period", "y": "regions", "series": "state"}, Text("decoupling.classes"),
              {"stack": True, "horizontal": False}),
    ]  # fmt: skip
    if region is not None:
        charts.insert(0, Chart("line", "periods", {"x": "to_year", "y": "elasticity"},
                               Text("decoupling.path", {"region": dict(pair.labels[region])}),
                               {"where": {"region": region}, "line": 1.0}))  # fmt: skip
    return charts


def _headline(pair: Pair, rows: Sequence[Mapping[str, Any]], region: str | None) -> Text:
    args: dict[str, Any] = {"pressure": dict(pair.names[0]), "activity": dict(pair.names[1]),
                            "first": rows[0]["from_year"], "last": rows[0]["to_year"]}  # fmt: skip
    if region is not None:
        own = next(r for r in rows if r["region"] == region)
        kept = {k: own[k] for k in ("growth_pressure", "growth_activity", "elasticity")}
        named_region = {"region": dict(pair.labels[region]), "state": Text(own["state"]), "sure": Text(own["sure"])}
        said = "headline_region" if np.isfinite(own["elasticity"]) else "headline_region_open"
        return Text(f"decoupling.{said}", {**args, **kept, **named_region})
    found = Counter(r["state"] for r in rows)
    parts = [Text("decoupling.of_class", {"state": Text(s), "count": n}) for s, n in found.most_common()]
    return Text("decoupling.headline", {**args, "count": len(rows), "parts": parts})


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The figures of both years that a growth or an elasticity is made of."""
    del table
    pair = load(ctx, Series(finding.params["pressure"]), Series(finding.params["activity"]))
    i = pair.regions.index(row["region"])
    growth = {"growth_pressure": (0,), "growth_activity": (1,)}
    paths = []
    for s in growth.get(column, (0, 1)):
        for year in (row["from_year"], row["to_year"]):
            where = {"indicator": pair.asked[s].parts, "industry": "ALL", "region": row["region"], "year": year}
            value = float(pair.shown(s)[pair.years.index(year), i])
            names = {lang: f"{name} {year}" for lang, name in pair.names[s].items()}
            paths.append(Path(names, value, 1.0 / (2 * len(growth.get(column, (0, 1)))), where))
    return paths


@lens("decoupling", version=1, reads=READS, explain=_explain)
def decoupling(
    ctx: Context,
    *,
    pressure: Series = EMISSIONS,
    activity: Series = GDP,
    region: PanelRegion | None = None,
    since: Year = LATEST,
    year: Year = LATEST,
    span: int = 5,
) -> Finding:
    """Has a pressure come loose from what drives it? Tapio's elasticity and eight classes, by region and period."""
    pair = load(ctx, pressure, activity)
    ctx.check()
    bounds = _bounds(pair, since, year, span)
    periods = [r for a, b in pairwise(bounds) for r in _rows(pair, pair.change(a, b), a, b)]
    latest = [r for r in periods if r["to_year"] == pair.years[bounds[-1]]]
    whole = _rows(pair, pair.change(bounds[0], bounds[-1]), bounds[0], bounds[-1])
    if region is not None and region not in {r["region"] for r in latest}:
        known = [r["region"] for r in latest]
        raise UnknownName("unknown_region", str(region), known, parameter="region")
    fields = _fields(pair)
    ends = {"first": pair.years[bounds[-2]], "last": pair.years[bounds[-1]]}
    titles = {
        "latest": Text("decoupling.latest", ends),
        "whole": Text("decoupling.whole", {"first": pair.years[bounds[0]], "last": ends["last"]}),
        "periods": Text("decoupling.periods"),
    }
    key = ("region", "to_year")
    periods.sort(key=lambda r: (-r["to_year"], r["region"]))
    tables = {
        "latest": result(latest, fields, ("region",), titles["latest"]),
        "whole": result(whole, fields, ("region",), titles["whole"]),
        "periods": result(periods, fields, key, titles["periods"]),
        "classes": _classes(periods),
    }
    return ctx.answer(
        _headline(pair, latest, region),
        tables,
        charts=_charts(pair, region, titles),
        caveats=_caveats(pair, bounds[-2], bounds[-1], latest),
        steps=[
            Step("decoupling.tapio", "e = (ΔE/E₀)/(ΔG/G₀); eight classes at 0, 0.8 and 1.2",
                 "Tapio 2005, Transport Policy 12:137-151"),
            Step("rounding", "the lowest and highest e among all values that round to the published ones", ""),
        ],
    )  # fmt: skip
