"""How fast do technologies get cheaper or better, and where will they stand? Moore, Wright and logistic curves."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, UnknownName
from ronghe.kernels.diffusion import Curve, logistic
from ronghe.kernels.errors import KernelError
from ronghe.kernels.learning import Forecast, Trend, forecast, moore, wright
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.diffusion_load import READS, Driver, Series, load_driver, load_series
from ronghe.lenses.params import LATEST, Indicator, Region, Year
from ronghe.model.finding import Caveat, Chart, Field, Finding, Matrix, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
LEVEL = 0.9
_BACK = 5
_AHEAD = 5
_FEW = 10
WORLD = Region("WLD")
Law = Literal["auto", "moore", "wright", "logistic"]


class _Fit:
    """One series with its law; ``why`` says what stopped a fit."""

    def __init__(self, series: Series, law: str, driver: Driver | None, horizon: int) -> None:
        self.series, self.law, self.driver = series, law, driver
        self.trend: Trend | None = None
        self.curve: Curve | None = None
        self.why: str | None = None
        self.years = np.arange(series.years[-1] + 1, series.years[-1] + 1 + horizon)
        try:
            self._fit()
        except KernelError as error:
            self.why = error.code

    def _fit(self) -> None:
        years, values = np.asarray(self.series.years, float), np.asarray(self.series.values)
        if self.law == "logistic":
            self.curve = logistic(years, values, 1.0 if self.series.kind == "share" else None)
        elif self.law == "wright" and self.driver is not None:
            common = [i for i, y in enumerate(self.series.years) if y in self.driver.cumulated]
            output = [self.driver.cumulated[self.series.years[i]] for i in common]
            self.trend = wright(output, values[common])
        else:
            self.trend = moore(years, values)

    def ahead(self) -> tuple[Floats, Floats, Floats] | None:
        """Median and limits for the years ahead."""
        if self.curve is not None:
            low, high = self.curve.interval(self.years, LEVEL)
            return self.curve.at(self.years), np.maximum(low, 0.0), high
        if self.trend is None:
            return None
        path = self.years.astype(float)
        if self.trend.law == "wright" and self.driver is not None:
            path = self.driver.ahead(self.years)
        made: Forecast = forecast(self.trend, path, LEVEL)
        return made.median, made.lower, made.upper


def _hindsight(series: Series) -> dict[str, Any]:
    """The law tried on the past: share of outcomes inside its limits, and its error against no change at all."""
    years, values = np.asarray(series.years, float), np.asarray(series.values)
    inside: list[bool] = []
    law: list[float] = []
    naive: list[float] = []
    for origin in range(_BACK, years.size - 1):
        later = slice(origin + 1, min(origin + 1 + _AHEAD, years.size))
        made = _told(series.kind, years[: origin + 1], values[: origin + 1], years[later])
        if made is not None:
            centre, low, high = made
            true = values[later]
            inside += ((low <= true) & (true <= high)).tolist()
            law += np.abs(np.log(true / np.maximum(centre, 1e-300))).tolist()
            naive += np.abs(np.log(true / values[origin])).tolist()
    if not inside:
        return {"tests": 0, "hit": None, "error": None, "error_naive": None}
    return {"tests": len(inside), "hit": float(np.mean(inside)), "error": float(np.mean(law)),
            "error_naive": float(np.mean(naive))}  # fmt: skip


def _told(kind: str, years: Floats, values: Floats, later: Floats) -> tuple[Floats, Floats, Floats] | None:
    """What the law would have told at a past moment; ``None`` where it could not be fitted."""
    try:
        if kind == "share":
            curve = logistic(years, values, 1.0)
            return (curve.at(later), *curve.interval(later, LEVEL))
        seen = slice(-_BACK - 1, None)
        made = forecast(moore(years[seen], values[seen]), later, LEVEL)
    except KernelError:
        return None
    return made.median, made.lower, made.upper


def _summary(fits: Sequence[_Fit]) -> Result:
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
                "learning": trend.learning_rate if trend and trend.law == "wright" else None,
                "midpoint": float(curve.values[1]) if curve else None,
                "ceiling": float(curve.values[2]) if curve else None,
                "ceiling_error": float(np.sqrt(curve.covariance[2, 2])) if curve else None,
                **last, "forecast_year": int(fit.years[-1]), **_hindsight(one),
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
        figure("ceiling", unit=unit, basis=every), figure("ceiling_error", unit=unit, basis=every),
        figure("forecast_year", "year"), figure("forecast", unit=unit, basis=every),
        figure("forecast_low", unit=unit, basis=every), figure("forecast_high", unit=unit, basis=every),
        figure("tests", "integer", basis=every), figure("hit", "share", basis=every),
        figure("error", basis=every, digits=2), figure("error_naive", basis=every, digits=2),
        text_field("unfitted", "class"), text_field("unit_of"), text_field("technology_series"),
    ]  # fmt: skip


def _path_table(fits: Sequence[_Fit]) -> Result:
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


def _caveats(fits: Sequence[_Fit], driver: Driver | None) -> list[Caveat]:
    said = [Caveat("note", Text("diffusion.frontier")), Caveat("note", Text("diffusion.band", {"level": LEVEL}))]
    short = [dict(f.series.names) for f in fits if len(f.series.years) < _FEW]
    if short:
        said.append(Caveat("warning", Text("diffusion.short", {"least": _FEW, "series": short})))
    tried = [(f, _hindsight(f.series)) for f in fits]
    worse = [dict(f.series.names) for f, h in tried if h["error"] is not None and h["error"] >= h["error_naive"]]
    if worse:
        said.append(Caveat("warning", Text("diffusion.loses", {"series": worse, "ahead": _AHEAD})))
    loose = [dict(f.series.names) for f, h in tried if h["hit"] is not None and h["hit"] < LEVEL - 0.1]
    if loose:
        said.append(Caveat("warning", Text("diffusion.narrow", {"series": loose, "level": LEVEL})))
    if any(f.curve and _vague(f.curve) for f in fits):
        said.append(Caveat("warning", Text("diffusion.unbent")))
    if driver is None:
        said.append(Caveat("note", Text("diffusion.no_driver")))
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
    fits = [_Fit(s, _law_of(s, law, output), output, horizon) for s in wanted]
    tables = {"summary": _summary(fits), "paths": _path_table(fits)}
    first = tables["summary"].data.to_pylist()
    longest = [r for r in first if r["points"] >= _FEW] or first
    best = max(longest, key=lambda r: abs(r["yearly"] or 0.0))
    args: dict[str, Any] = {"count": len(fits), "series": {"zh": best["series_zh"], "en": best["series_en"]},
            "yearly": best["yearly"] or 0.0, "doubling": abs(best["doubling"] or 0.0),
            "tests": sum(r["tests"] for r in first),
            "inside": _mean([r["hit"] for r in first], [r["tests"] for r in first])}  # fmt: skip
    charts = [
        Chart("line", "paths", {"x": "year", "y": "observed", "y2": "forecast", "y3": "forecast_low",
                                "y4": "forecast_high"},
              Text("diffusion.path", {"series": dict(f.series.names)}),
              {"log": f.law != "logistic", "where": {"technology_series": f.series.code}})
        for f in fits
    ][:6]  # fmt: skip
    if len(fits) > 1:
        charts.insert(0, Chart("bar", "summary", {"x": "series", "y": "yearly"}, Text("diffusion.speed")))
    return ctx.answer(Text("diffusion.headline", args), tables, charts=charts, caveats=_caveats(fits, output),
                      steps=_steps(horizon))  # fmt: skip


def _law_of(series: Series, law: str, driver: Driver | None) -> str:
    """What the user asks for; by itself: a curve with a ceiling for shares, Wright with a driver, else Moore."""
    if law != "auto":
        return law
    if series.kind == "share":
        return "logistic"
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
        Step("learning.wright", "d ln y = −w d ln(cumulated output) + noise", "Lafond et al. 2018, TFSC 128"),
        Step("diffusion.logistic", "y = m/(1 + e^{−k(t−t0)}); m = 1 for shares", "Fisher & Pry 1971, TFSC 3"),
        Step("learning.hindcast", "forecast from every past year; share of outcomes inside the limits; mean |error| of "
             "ln y beside that of no change", "Farmer & Lafond 2016", {"window": _BACK, "ahead": _AHEAD}),
    ]  # fmt: skip
