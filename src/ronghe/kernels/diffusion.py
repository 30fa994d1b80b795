"""How a technology spreads: logistic (Fisher-Pry) and Bass curves with limits for what comes next.

    logistic        y = m / (1 + exp(-k (t - t0)));  with m = 1 the share a substitute has taken (Fisher & Pry)
    Bass            N(t) = m (1 - e^{-(p+q)t}) / (1 + (q/p) e^{-(p+q)t}), p innovation, q imitation, m market
                    y = N(t) - N(t-1), the adoptions of a period, or the rate dN/dt

Both are fitted by non-linear least squares with the covariance of the parameters, from which the limits follow by the
delta method. A curve that has not yet bent says little about its ceiling: look at the standard error of m.

References
----------
Fisher, J. C. & Pry, R. H. (1971). A simple substitution model of technological change. Technol Forecast Soc Change 3.
Bass, F. M. (1969). A new product growth model for consumer durables. Management Science 15.
Srinivasan, V. & Mason, C. H. (1986). Nonlinear least squares estimation of new product diffusion models.
Marketing Science 5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares
from scipy.stats import t as student

from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted curve.

    Attributes
    ----------
    kind : ``"logistic"``, ``"bass"`` (adoptions of a period) or ``"bass_rate"``.
    names, values : (k,) parameters; t0 is in the unit and origin of the times handed in.
    covariance : (k, k) of the values, zero for a parameter that was given.
    sigma : standard deviation of the residuals. freedom : observations less fitted parameters.
    launch : the moment subtracted from times (Bass), else 0.
    """

    kind: str
    names: tuple[str, ...]
    values: Floats
    covariance: Floats
    sigma: float
    freedom: int
    launch: float

    def at(self, t: ArrayLike) -> Floats:
        """The fitted value at times t."""
        return _SHAPES[self.kind](np.asarray(t, dtype=np.float64) - self.launch, self.values)

    def interval(self, t: ArrayLike, level: float = 0.9) -> tuple[Floats, Floats]:
        """Limits between which a new observation at t falls with the given probability."""
        if not 0 < level < 1:
            raise KernelError("level", "the level must be between 0 and 1", level=level)
        when = np.atleast_1d(np.asarray(t, dtype=np.float64)) - self.launch
        slope = _jacobian(_SHAPES[self.kind], when, self.values)
        spread = np.sqrt(self.sigma**2 + np.einsum("ni,ij,nj->n", slope, self.covariance, slope))
        width = student.ppf((1 + level) / 2, self.freedom) * spread
        centre = _SHAPES[self.kind](when, self.values)
        return centre - width, centre + width


def logistic(t: ArrayLike, y: ArrayLike, ceiling: float | None = None) -> Curve:
    """Fit the logistic curve; with a ceiling of 1 it is Fisher-Pry substitution.

    Parameters
    ----------
    t : (n,) times. y : (n,) level or share. ceiling : m where it is known; else it is estimated.

    Returns
    -------
    Curve with parameters k (a unit of time), t0 (the midpoint) and m.

    Raises
    ------
    KernelError
        ``shape``, ``not_finite``, ``few`` (no more observations than parameters), ``range`` (fewer than two values
        between zero and the ceiling), ``no_fit`` (values that do not bend have no ceiling to find).

    Examples
    --------
    >>> t = np.arange(2000.0, 2020.0)
    >>> fit = logistic(t, 1 / (1 + np.exp(-0.5 * (t - 2008))), ceiling=1.0)
    >>> dict(zip(fit.names, fit.values.round(3).tolist()))
    {'k': 0.5, 't0': 2008.0, 'm': 1.0}
    """
    when, level = _series(t, y, 2 if ceiling is not None else 3)
    peak = float(level.max())
    tops = [ceiling] if ceiling is not None else [peak * more for more in (1.02, 1.3, 2.0, 5.0, 20.0)]
    starts = [start for top in tops if (start := _logit_start(when, level, float(top))) is not None]
    if not starts:
        raise KernelError("range", "two values between zero and the ceiling are needed", ceiling=ceiling, peak=peak)
    free = np.array([True, True, ceiling is None])
    return _fit("logistic", ("k", "t0", "m"), np.array(starts), free, when, level, 0.0)


def bass(t: ArrayLike, adoptions: ArrayLike, launch: float | None = None, rate: bool = False) -> Curve:
    """Fit the Bass model to adoptions.

    Parameters
    ----------
    t : (n,) ends of the periods, one apart, in years say. adoptions : (n,) units adopted in each period (t - 1, t].
    launch : when adoption began; one period before the first by default.
    rate : the values are rates at t, not totals of a period.

    Returns
    -------
    Curve with parameters p, q (a period) and m (units). `market_taken` gives N(t) / m.

    Raises
    ------
    KernelError
        ``shape``, ``not_finite``, ``few``, ``range`` (nothing adopted), ``launch`` (after the first period),
        ``no_fit``.

    Examples
    --------
    >>> sales = [840, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890]
    >>> fit = bass(range(1, 11), sales, rate=True)
    >>> [round(float(value), 4) for value in fit.values[:2]], round(float(fit.values[2]), -1)
    ([0.0066, 0.6381], 67980.0)
    """
    when, units = _series(t, adoptions, 3)
    begin = float(when.min()) - 1 if launch is None else float(launch)
    if begin > when.min() - (0 if rate else 1) + 1e-9:
        raise KernelError("launch", "adoption began after the first period", launch=begin, first=float(when.min()))
    if (units < 0).any() or not units.sum() > 0:
        raise KernelError("range", "adoptions must not be negative, nor all zero", total=float(units.sum()))
    kind = "bass_rate" if rate else "bass"
    start = [
        (p, q, float(units.sum()) * more)
        for p in (0.0005, 0.005, 0.03)
        for q in (0.1, 0.3, 0.6, 1.2)
        for more in (1.0, 2.0, 6.0)
    ]
    return _fit(kind, ("p", "q", "m"), np.array(start), np.ones(3, bool), when - begin, units, begin)


def market_taken(curve: Curve, t: ArrayLike) -> Floats:
    """Share of the market that has adopted by times t, N(t) / m of a Bass curve.

    Examples
    --------
    >>> sales = [840, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890]
    >>> market_taken(bass(range(1, 11), sales), [5, 10]).round(2)
    array([0.25, 0.9 ])
    """
    if not curve.kind.startswith("bass"):
        raise KernelError("kind", "only a Bass curve has a market", kind=curve.kind)
    return _taken(np.asarray(t, dtype=np.float64) - curve.launch, curve.values)


def _logistic(t: Floats, values: Floats) -> Floats:
    k, middle, top = values
    return np.asarray(top / (1 + np.exp(np.clip(-k * (t - middle), -500, 500))))


def _taken(t: Floats, values: Floats) -> Floats:
    p, q, _ = values
    fading = np.exp(-np.clip((p + q) * np.maximum(t, 0.0), 0, 500))
    return np.asarray((1 - fading) / (1 + q / p * fading))


def _bass(t: Floats, values: Floats) -> Floats:
    return np.asarray(values[2] * (_taken(t, values) - _taken(t - 1, values)))


def _bass_rate(t: Floats, values: Floats) -> Floats:
    p, q, top = values
    share = _taken(t, values)
    return np.asarray(top * (p + q * share) * (1 - share))


_SHAPES: MappingProxyType[str, Shape] = MappingProxyType(
    {"logistic": _logistic, "bass": _bass, "bass_rate": _bass_rate}
)


def _fit(
    kind: str, names: tuple[str, ...], starts: Floats, free: NDArray[np.bool_], t: Floats, y: Floats, launch: float
) -> Curve:
    """Least squares from the most promising starts; the best one that ends well."""
    shape, size = _SHAPES[kind], float(np.abs(y).max())  # tolerances must not depend on the unit
    quality = [float(((shape(t, start) - y) ** 2).sum()) for start in starts]
    lower = np.where([name in {"p", "q", "m"} for name in names], 1e-12, -np.inf)[free]
    best = None
    for start in starts[np.argsort(quality)[:3]]:
        values = start.copy()

        def residual(inner: Floats, values: Floats = values) -> Floats:
            values[free] = inner
            return (shape(t, values) - y) / size

        found = least_squares(
            residual, start[free], bounds=(lower, np.inf), x_scale=np.abs(start[free]) + 1e-9,
            xtol=1e-10, ftol=1e-10, gtol=1e-10, max_nfev=2000,
        )  # fmt: skip
        if found.success and (best is None or found.cost < best.cost):
            best = found
    if best is None:
        raise KernelError("no_fit", "least squares did not end", kind=kind, starts=len(starts))
    values = starts[0].copy()
    values[free] = best.x
    freedom = t.size - int(free.sum())
    variance = 2 * float(best.cost) * size**2 / freedom
    covariance = np.zeros((len(names), len(names)))
    jacobian = _jacobian(shape, t, values)[:, free]
    # Parameters of unlike size (p of 1e-4, m of 1e5) are brought to one, or the pseudo-inverse drops the small ones.
    length = np.linalg.norm(jacobian, axis=0)
    length[length == 0] = 1.0
    inner = np.linalg.pinv((jacobian / length).T @ (jacobian / length), hermitian=True)
    covariance[np.ix_(free, free)] = variance * inner / np.outer(length, length)
    return Curve(kind, names, values, covariance, float(np.sqrt(variance)), freedom, launch)


def _jacobian(shape: Shape, t: Floats, values: Floats) -> Floats:
    columns = []
    for i, value in enumerate(values):
        step = np.zeros(values.size)
        step[i] = 1e-6 * max(abs(value), 1e-6)
        columns.append((shape(t, values + step) - shape(t, values - step)) / (2 * step[i]))
    return np.stack(columns, axis=-1)


def _logit_start(t: Floats, y: Floats, top: float) -> tuple[float, float, float] | None:
    inside = (y > 0) & (y < top)
    if inside.sum() < 2 or np.ptp(t[inside]) == 0:
        return None
    middle = float(t[inside].mean())
    k, a = np.polyfit(t[inside] - middle, np.log(y[inside] / (top - y[inside])), 1)
    k = k if abs(k) > 1e-9 else 1e-9
    return float(k), float(middle - a / k), top


def _series(t: ArrayLike, y: ArrayLike, parameters: int) -> tuple[Floats, Floats]:
    when, level = np.asarray(t, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if when.ndim != 1 or when.shape != level.shape:
        raise KernelError("shape", "one value a time is needed", t=when.shape, y=level.shape)
    if not (np.isfinite(when).all() and np.isfinite(level).all()):
        raise KernelError("not_finite", "missing or infinite values", size=when.size)
    if when.size <= parameters:
        raise KernelError("few", "no more observations than parameters", size=when.size, parameters=parameters)
    return when, level
