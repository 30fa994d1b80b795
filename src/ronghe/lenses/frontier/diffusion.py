"""How fast do technologies get cheaper, better or adopted, and where will they stand? Moore, Wright, logistic, Bass."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ronghe.errors import AskError, UnknownName
from ronghe.kernels.diffusion import Curve
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.diffusion_fit import AHEAD, BACK, LEVEL, Fit
from ronghe.lenses.frontier.diffusion_load import READS, Driver, Series, load_driver, load_series
from ronghe.lenses.params import LATEST, Indicator, Region, Year
from ronghe.model.finding import Caveat, Chart, Field, Finding, Matrix, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

_FEW = 10
WORLD = Region("WLD")
Law = Literal["auto", "moore", "wright", "logistic", "bass"]


def _summary(fits: Sequence[Fit]) -> Result:
    rows = []
    for fit in fits:
        one = fit.series
        ahead = fit.ahead()
        names = ("forecast", "forecast_low", "forecast_high")
        last = {n: None if ahead is None else float(ahead[k][-1]) for k, n in enumerate(names)}
        trend, curve = fit.trend, fit.curve
        moving = trend is not None and trend.law == "moore" and trend.slope != 0
        rows.append(
            {
                "series_zh": one.names["zh"], "series_en": one.names["en"], "series_kind": one.kind,
                "law": curve.kind if curve else trend.law if trend else "none", "points": len(one.years),
                "first_year": one.years[0], "until_year": one.years[-1], "latest": one.values[-1],
                "yearly": float(np.exp(trend.slope) - 1) if trend and moving else None,
                "doubling": trend.doubling_time if trend and moving else None,
                "learning": trend.learning_rate if trend and trend.law == "wright" and one.kind == "cost" else None,
                "midpoint": fit.turning,
                "innovation": float(curve.values[0]) if curve and curve.kind == "bass" else None,
                "imitation": float(curve.values[1]) if curve and curve.kind == "bass" else None,
                "ceiling": float(curve.values[2]) if curve else None,
                "ceiling_error": float(np.sqrt(curve.covariance[2, 2])) if curve else None,
                **last, "forecast_year": int(fit.years[-1]), **fit.hindsight(),
                "unfitted": fit.why or "none", "unit_of": one.unit, "technology_series": one.code,
            }
        )  # fmt: skip
    return result(rows, _summary_fields(), ("technology_series",), Text("diffusion.summary"))


def _summary_fields() -> list[Field]:
    every = Matrix("technology_series", {})
    unit = "=unit_of"
    return [
        *name_fields("series", "column.technology_series_name"), text_field("series_kind", "class"),
        text_field("law", "class"), figure("points", "integer", basis=every), figure("first_year", "year"),
        figure("until_year", "year"), figure("latest", unit=unit, basis=every),
        figure("yearly", "share", basis=every), figure("doubling", unit="year", basis=every, digits=2),
        figure("learning", "share", basis=every), figure("midpoint", basis=every, digits=1),
        figure("innovation", basis=every, digits=5), figure("imitation", basis=every, digits=3),
        figure("ceiling", unit=unit, basis=every), figure("ceiling_error", unit=unit, basis=every),
        figure("forecast_year", "year"), figure("forecast", unit=unit, basis=every),
        figure("forecast_low", unit=unit, basis=every), figure("forecast_high", unit=unit, basis=every),
        figure("tests", "integer", basis=every), figure("hit", "share", basis=every),
        figure("error", basis=every, digits=2), figure("error_naive", basis=every, digits=2),
        text_field("unfitted", "class"), text_field("unit_of"), text_field("technology_series"),
    ]  # fmt: skip


def _path_table(fits: Sequence[Fit]) -> Result:
    rows = []
    for fit in fits:
        one = fit.series
        names = {"series_zh": one.names["zh"], "series_en": one.names["en"]}
        tail = {"unit_of": one.unit, "technology_series": one.code}
        empty = {"observed": None, "forecast": None, "forecast_low": None, "forecast_high": None}
        seen = dict(zip(one.years, one.values, strict=True))
        # A year without a figure stands as a gap, so that a picture keeps the distances in time.
        rows += [
            {**names, "year": y, **empty, "observed": seen.get(y), **tail}
            for y in range(one.years[0], one.years[-1] + 1)
        ]
        ahead = fit.ahead()
        if ahead is not None:
            rows += [
                {**names, "year": int(y), **empty, "forecast": float(m), "forecast_low": float(a),
                 "forecast_high": float(b), **tail}
                for y, m, a, b in zip(fit.years, *ahead, strict=True)
            ]  # fmt: skip
    every, unit = Matrix("technology_series", {}), "=unit_of"
    fields = [
        *name_fields("series", "column.technology_series_name"), figure("year", "year"),
        *(figure(n, unit=unit, basis=every) for n in ("observed", "forecast", "forecast_low", "forecast_high")),
        text_field("unit_of"), text_field("technology_series"),
    ]  # fmt: skip
    return result(rows, fields, ("technology_series", "year"), Text("diffusion.paths"))


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The observations behind a figure: the one of its year, or the first, the last and those that moved it most."""
    del finding
    one = next(s for s in load_series(ctx, ctx.params["since"]) if s.code == row["technology_series"])
    if table == "paths" and column == "observed":
        return [_observation(one, i, 1.0) for i, y in enumerate(one.years) if y == row["year"]]
    logs = np.log(np.asarray(one.values))
    moves = np.abs(np.diff(logs, prepend=logs[0]))
    order = np.argsort(-moves, kind="stable")[:8]
    total = float(moves.sum()) or 1.0
    if column == "latest":
        return [_observation(one, len(one.years) - 1, 1.0)]
    return [_observation(one, int(i), float(moves[i] / total)) for i in sorted(order.tolist())]


def _observation(one: Series, at: int, share: float) -> Path:
    year = str(one.years[at])
    table, cells = one.origins[at]
    return Path(both(year, year), one.values[at], share, cells, table)


def _caveats(fits: Sequence[Fit], driver: Driver | None) -> list[Caveat]:
    said = [Caveat("note", Text("diffusion.frontier")), Caveat("note", Text("diffusion.band", {"level": LEVEL}))]
    short = [dict(f.series.names) for f in fits if len(f.series.years) < _FEW]
    if short:
        said.append(Caveat("warning", Text("diffusion.short", {"least": _FEW, "series": short})))
    tried = [(f, f.hindsight()) for f in fits]
    worse = [dict(f.series.names) for f, h in tried if h["error"] is not None and h["error"] >= h["error_naive"]]
    if worse:
        said.append(Caveat("warning", Text("diffusion.loses", {"series": worse, "ahead": AHEAD})))
    loose = [dict(f.series.names) for f, h in tried if h["hit"] is not None and h["hit"] < LEVEL - 0.1]
    if loose:
        said.append(Caveat("warning", Text("diffusion.narrow", {"series": loose, "level": LEVEL})))
    if any(f.curve and _vague(f.curve) for f in fits):
        said.append(Caveat("warning", Text("diffusion.unbent")))
    if driver is None:
        said.append(Caveat("note", Text("diffusion.no_driver")))
    elif any(f.trend and f.trend.law == "wright" for f in fits):
        said.append(Caveat("warning", Text("diffusion.driver_path")))
    none = [dict(f.series.names) for f in fits if f.why]
    if none:
        said.append(Caveat("warning", Text("diffusion.none_fitted", {"series": none})))
    return said


def _vague(curve: Curve) -> bool:
    """Whether the ceiling's standard error exceeds a third of it."""
    return bool(np.sqrt(curve.covariance[2, 2]) > curve.values[2] / 3)


@lens("diffusion", version=1, reads=READS, explain=_explain)
def diffusion(
    ctx: Context,
    *,
    series: str | None = None,
    law: Law = "auto",
    horizon: int = 10,
    since: Year = LATEST,
    driver: Indicator | None = None,
    region: Region = WORLD,
) -> Finding:
    """How fast do technologies get cheaper or better, where will they stand, and how well would that have been told?"""
    if not 1 <= horizon <= 50:
        raise AskError("diffusion_horizon", value=horizon)
    known = load_series(ctx, since)
    if not known:
        raise ctx.nothing("technology_series")
    if series is not None and series not in {s.code for s in known}:
        raise UnknownName("unknown_series", series, [s.code for s in known])
    output = load_driver(ctx, str(driver), str(region)) if driver is not None else None
    if law == "wright" and output is None:
        raise AskError("diffusion_driver", known=[])
    wanted = [s for s in known if series in {None, s.code}]
    fits = [Fit(s, _law_of(s, law, output), output, horizon) for s in wanted]
    tables = {"summary": _summary(fits), "paths": _path_table(fits)}
    charts = [
        Chart("line", "paths", {"x": "year", "y": "observed", "y2": "forecast", "y3": "forecast_low",
                                "y4": "forecast_high"},
              Text("diffusion.path", {"series": dict(f.series.names)}),
              {"log": f.law in {"moore", "wright"}, "band": True, "where": {"technology_series": f.series.code}})
        for f in fits if f.why is None
    ][:6]  # fmt: skip
    speed = "learning" if law == "wright" else "yearly"
    first = tables["summary"].data.to_pylist()
    if sum(r[speed] is not None for r in first) > 1:
        charts.insert(0, Chart("bar", "summary", {"x": "series", "y": speed}, Text(f"diffusion.speed_{speed}"),
                               {"sort": "desc"}))  # fmt: skip
    return ctx.answer(_headline(first), tables, charts=charts, caveats=_caveats(fits, output),
                      steps=_steps(horizon))  # fmt: skip


def _headline(rows: Sequence[Mapping[str, Any]]) -> Text:
    """What moves fastest: by the year, by the doubling of output, or where a curve turns."""
    fitted = [r for r in rows if r["law"] != "none"]
    longest = [r for r in fitted if r["points"] >= _FEW] or fitted
    args: dict[str, Any] = {"count": len(fitted), "tests": sum(r["tests"] for r in fitted), "level": LEVEL,
                            "inside": _mean([r["hit"] for r in fitted], [r["tests"] for r in fitted])}  # fmt: skip
    for measure in ("learning", "yearly", "midpoint"):
        told = [r for r in longest if r[measure] is not None]
        if told:
            best = max(told, key=lambda r: abs(r[measure]))
            args |= {"series": {"zh": best["series_zh"], "en": best["series_en"]}, measure: best[measure],
                     "doubling": abs(best["doubling"] or 0.0)}  # fmt: skip
            return Text(f"diffusion.headline_{measure}", args)
    return Text("diffusion.headline_none", {"count": len(rows)})


def _law_of(series: Series, law: str, driver: Driver | None) -> str:
    """What the user asks for; by itself: a curve with a ceiling for shares, Wright with a driver, else Moore."""
    if law != "auto":
        return law
    if series.kind in {"share", "adoption"}:
        return "logistic" if series.kind == "share" else "bass"
    return "wright" if driver is not None and series.kind == "cost" else "moore"


def _mean(values: Sequence[float | None], weights: Sequence[int]) -> float:
    held = [(v, w) for v, w in zip(values, weights, strict=True) if v is not None]
    total = sum(w for _, w in held)
    return sum(v * w for v, w in held) / total if total else float("nan")


def _steps(horizon: int) -> list[Step]:
    return [
        Step("diffusion_load.frontier", "cost: the least of a year so far; performance: the most so far", ""),
        Step("learning.moore", "d ln y = μ dt + noise; limits with the error of μ",
             "Farmer & Lafond 2016, Research Policy 45", {"level": LEVEL, "horizon": horizon}),
        Step("learning.wright", "d ln y = −w d ln(cumulated output) + √dt noise; limits with the error of w",
             "Lafond et al. 2018, TFSC 128"),
        Step("diffusion.logistic", "y = m/(1 + e^{−k(t−t0)}); m = 1 for shares", "Fisher & Pry 1971, TFSC 3"),
        Step("diffusion.bass", "y = N(t) − N(t−1), N = m (1 − e^{−(p+q)t})/(1 + (q/p) e^{−(p+q)t})",
             "Bass 1969, Management Science 15; Srinivasan & Mason 1986, Marketing Science 5"),
        Step("learning.hindcast", "forecast from every past year; share of outcomes inside the limits; mean |error| of "
             "ln y beside that of no change", "Farmer & Lafond 2016", {"window": BACK, "ahead": AHEAD}),
    ]  # fmt: skip
