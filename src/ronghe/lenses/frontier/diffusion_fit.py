"""One law fitted to one series, carried on, and tried on the series' own past."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels.diffusion import Curve, bass, logistic
from ronghe.kernels.errors import KernelError
from ronghe.kernels.learning import Trend, forecast, moore, wright
from ronghe.lenses.frontier.diffusion_load import Driver, Series

Floats = NDArray[np.float64]
Told = tuple[Floats, Floats, Floats]
"""Median and limits."""

LEVEL = 0.9
BACK = 5
AHEAD = 5


class Fit:
    """One series with its law; ``why`` says what stopped a fit.

    ``start``: the last year that the law was fitted on, from which it is carried on.
    """

    def __init__(self, series: Series, law: str, driver: Driver | None, horizon: int) -> None:
        self.series, self.law, self.driver = series, law, driver
        self.trend: Trend | None = None
        self.curve: Curve | None = None
        self.why: str | None = None
        self.years = np.arange(series.years[-1] + 1, series.years[-1] + 1 + horizon)
        kept = list(range(len(series.years)))
        if law == "wright" and driver is not None:
            kept = [i for i in kept if series.years[i] in driver.cumulated]
        self.seen = np.asarray([series.years[i] for i in kept], dtype=np.float64)
        self.values = np.asarray([series.values[i] for i in kept], dtype=np.float64)
        try:
            self._fit()
        except KernelError as error:
            self.why = error.code

    def _fit(self) -> None:
        made = self._made(self.seen, self.values)
        self.curve = made if isinstance(made, Curve) else None
        self.trend = made if isinstance(made, Trend) else None

    def _made(self, years: Floats, values: Floats) -> Curve | Trend:
        if self.law == "logistic":
            return logistic(years, values, 1.0 if self.series.kind == "share" else None)
        if self.law == "bass":
            return bass(years, values)
        if self.law == "wright" and self.driver is not None:
            return wright([self.driver.cumulated[int(y)] for y in years], values, time=years)
        return moore(years, values)

    def _on(self, made: Curve | Trend, start: float, years: Floats) -> Told:
        if isinstance(made, Curve):
            low, high = made.interval(years, LEVEL)
            return made.at(years), np.maximum(low, 0.0), high
        path, steps = years, None
        if made.law == "wright" and self.driver is not None:
            path, steps = self.driver.ahead(years), np.diff(years, prepend=start)
        told = forecast(made, path, LEVEL, steps=steps)
        return told.median, told.lower, told.upper

    def ahead(self) -> Told | None:
        """Median and limits for the years ahead."""
        made = self.curve or self.trend
        if made is None:
            return None
        try:
            return self._on(made, float(self.seen[-1]), self.years.astype(float))
        except KernelError as error:
            # Output that stands still leads nowhere.
            self.why = error.code
            return None

    def hindsight(self) -> dict[str, Any]:
        """The law tried on the past: outcomes inside its limits, and its error against no change at all.

        Moore's and Wright's laws look back over a window of years and Wright's is told what was to be made; curves
        are fitted to all that was known.
        """
        window = self.law in {"moore", "wright"}
        inside: list[bool] = []
        law: list[float] = []
        naive: list[float] = []
        for origin in range(BACK, self.seen.size - 1):
            known = slice(origin - BACK if window else 0, origin + 1)
            later = slice(origin + 1, min(origin + 1 + AHEAD, self.seen.size))
            try:
                made = self._made(self.seen[known], self.values[known])
                centre, low, high = self._on(made, float(self.seen[origin]), self.seen[later])
            except KernelError:
                continue
            true = self.values[later]
            inside += ((low <= true) & (true <= high)).tolist()
            law += np.abs(np.log(true / np.maximum(centre, 1e-300))).tolist()
            naive += np.abs(np.log(true / self.values[origin])).tolist()
        if not inside:
            return {"tests": 0, "hit": None, "error": None, "error_naive": None}
        return {"tests": len(inside), "hit": float(np.mean(inside)), "error": float(np.mean(law)),
                "error_naive": float(np.mean(naive))}  # fmt: skip

    @property
    def turning(self) -> float | None:
        """The year of a curve's midpoint: of the fastest growth (logistic) or the most adoptions (Bass)."""
        if self.curve is None:
            return None
        if self.curve.kind == "logistic":
            return float(self.curve.values[1])
        p, q = float(self.curve.values[0]), float(self.curve.values[1])
        return self.curve.launch + float(np.log(q / p)) / (p + q) if q > p else None
