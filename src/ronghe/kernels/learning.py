"""How a technology gets cheaper or better, with the error of the forecast: Moore's and Wright's laws.

    Moore     d ln c = mu dt + sqrt(dt) noise         Wright    d ln c = -w d ln(cumulated output) + sqrt(dt) noise

noise_i = v_i + theta v_{i-1}, v independent normal. The series wander, so both laws are fitted on differences, as a
regression through the origin of Y on X; fitted on levels, the error of a forecast would be far too small. A forecast
sums future noise and carries the error of the slope: it is off by a known linear combination of the v, whose variance
is computed exactly. Scaled by it the error follows Student's t with n - 1 degrees (Farmer & Lafond 2016 for Moore,
Lafond et al. 2018 for Wright; both give the closed form of what is computed here).

References
----------
Wright, T. P. (1936). Factors affecting the cost of airplanes. J Aeronautical Sciences 3.
Farmer, J. D. & Lafond, F. (2016). How predictable is technological progress? Research Policy 45.
Lafond, F. et al. (2018). How well do experience curves predict technological progress? Technol Forecast Soc Change 128.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trend:
    """Moore's or Wright's law of one technology.

    Attributes
    ----------
    law : ``"moore"`` or ``"wright"``.
    slope : mu a unit of time (Moore); -w, the change of ln cost per unit of ln cumulated output (Wright).
    slope_error : its standard error. sigma : standard deviation of the noise. theta : its autocorrelation.
    x : (n,) the differences the slope was fitted on, scaled to equal variance.
    driver, value : the last time or ln cumulated output, and the last ln value: where forecasts start.
    """

    law: str
    slope: float
    slope_error: float
    sigma: float
    theta: float
    x: Floats
    driver: float
    value: float

    @property
    def learning_rate(self) -> float:
        """Share by which cost falls when the driver doubles, 1 - 2^slope (Wright)."""
        return float(1 - 2.0**self.slope)

    @property
    def doubling_time(self) -> float:
        """Time in which the value doubles; negative: in which it halves (Moore)."""
        return float(np.log(2) / self.slope) if self.slope else float("inf")


@dataclass(frozen=True, slots=True)
class Forecast:
    """Median and limits in the unit of the series, (h,) each; `spread` is the standard error in logarithms."""

    median: Floats
    lower: Floats
    upper: Floats
    spread: Floats


def moore(time: ArrayLike, value: ArrayLike, theta: float = 0.0) -> Trend:
    """Fit exponential change in time.

    Parameters
    ----------
    time : (n + 1,) strictly ascending. value : (n + 1,) cost or performance, > 0.
    theta : autocorrelation of the noise, |theta| <= 1; it wants equal steps of time. Farmer & Lafond use 0.63.

    Returns
    -------
    Trend

    Raises
    ------
    KernelError
        ``shape``, ``not_finite``, ``few`` (under three values), ``order``, ``range`` (a value not above zero),
        ``theta``, ``steps`` (autocorrelated noise on unequal steps).

    Examples
    --------
    >>> fit = moore([2000, 2001, 2002, 2003], [8.0, 4.1, 2.0, 1.0])
    >>> round(fit.slope, 3), round(fit.doubling_time, 2)
    (-0.693, -1.0)
    """
    when, logs = _series(time, value)
    root = _roots(when, theta)
    return _through_origin("moore", root, np.diff(logs) / root, theta, float(when[-1]), float(logs[-1]))


def wright(cumulated: ArrayLike, value: ArrayLike, theta: float = 0.0, time: ArrayLike | None = None) -> Trend:
    """Fit an experience curve.

    Parameters
    ----------
    cumulated : (n + 1,) cumulated output, > 0 and strictly ascending. value : (n + 1,) cost, > 0.
    theta : as in `moore`; Lafond et al. use 0.19.
    time : (n + 1,) when they were so; steps of one by default. The noise of a longer step is larger by its root.

    Returns
    -------
    Trend

    Raises
    ------
    KernelError
        As `moore`.

    Examples
    --------
    >>> fit = wright([1.0, 2.0, 4.0, 8.0], [10.0, 8.0, 6.4, 5.12])
    >>> round(fit.learning_rate, 6)
    0.2
    """
    output = np.asarray(cumulated, dtype=np.float64)
    if not (output > 0).all():
        raise KernelError("range", "cumulated output must be above zero", which="cumulated")
    driver, logs = _series(np.log(output), value)
    when = np.arange(driver.size, dtype=np.float64) if time is None else _series(time, value)[0]
    root = _roots(when, theta)
    return _through_origin("wright", np.diff(driver) / root, np.diff(logs) / root, theta, float(driver[-1]),
                           float(logs[-1]))  # fmt: skip


def forecast(trend: Trend, driver: ArrayLike, level: float = 0.9, steps: ArrayLike | None = None) -> Forecast:
    """Forecast with limits.

    Parameters
    ----------
    trend : from `moore` or `wright`.
    driver : (h,) the path ahead, ascending and beyond the last: times (Moore), or cumulated output at each step
        ahead (Wright).
    level : probability that the value falls between the limits, if the law and the path hold.
    steps : (h,) length of each step ahead in time (Wright); one by default.

    Returns
    -------
    Forecast

    Raises
    ------
    KernelError
        ``shape``, ``order``, ``level``, ``few`` (a trend of fewer than two differences has no error).

    Examples
    --------
    >>> fit = moore([2000, 2001, 2002, 2003], [8.0, 4.1, 2.0, 1.0])
    >>> ahead = forecast(fit, [2004, 2005])
    >>> ahead.median.round(2), bool((ahead.upper > ahead.median).all())
    (array([0.5 , 0.25]), True)
    """
    if not 0 < level < 1:
        raise KernelError("level", "the level must be between 0 and 1", level=level)
    path = np.asarray(driver, dtype=np.float64)
    if path.ndim != 1 or path.size == 0 or not np.isfinite(path).all():
        raise KernelError("shape", "a plain list of steps ahead is needed", shape=path.shape)
    path = np.log(path) if trend.law == "wright" else path
    step = np.diff(path, prepend=trend.driver)
    if not (step > 0).all():
        raise KernelError("order", "steps ahead must ascend from the last one", last=trend.driver)
    scale = np.sqrt(step if trend.law == "moore" else np.ones(step.size) if steps is None else _lengths(steps, step))
    centre = trend.value + trend.slope * (path - trend.driver)
    spread = trend.sigma * np.sqrt(_error_variance(trend.x, np.cumsum(step), scale, trend.theta))
    width = student.ppf((1 + level) / 2, trend.x.size - 1) * spread
    return Forecast(np.exp(centre), np.exp(centre - width), np.exp(centre + width), spread)


def _lengths(steps: ArrayLike, path: Floats) -> Floats:
    found = np.asarray(steps, dtype=np.float64)
    if found.shape != path.shape or not (found > 0).all():
        raise KernelError("shape", "a length above zero is needed for every step ahead", steps=found.shape)
    return found


def hindcast(time: ArrayLike, value: ArrayLike, window: int, ahead: int, theta: float = 0.0) -> Floats:
    """Test Moore's law on its own past: forecast from every moment, and compare with what came.

    Parameters
    ----------
    time, value : as in `moore`. window : differences each forecast may look back on, >= 2. ahead : steps, >= 1.

    Returns
    -------
    (origins, ahead) errors in ln value over their forecast standard error; NaN past the end. If the law holds they
    follow Student's t with window - 1 degrees.

    Examples
    --------
    >>> hindcast([0, 1, 2, 3, 4, 5], [32, 16, 9, 4, 2, 1], window=3, ahead=1).shape
    (2, 1)
    """
    when, logs = _series(time, value)
    if window < 2 or ahead < 1 or when.size < window + 2:
        raise KernelError("few", "too few values to look back and ahead", window=window, ahead=ahead, size=when.size)
    origins = range(window, when.size - 1)
    errors = np.full((len(origins), ahead), np.nan)
    for row, origin in enumerate(origins):
        seen = slice(origin - window, origin + 1)
        fit = moore(when[seen], np.exp(logs[seen]), theta)
        future = slice(origin + 1, min(origin + 1 + ahead, when.size))
        made = forecast(fit, when[future])
        with np.errstate(divide="ignore", invalid="ignore"):
            errors[row, : made.spread.size] = (logs[future] - np.log(made.median)) / made.spread
    return errors


def _roots(when: Floats, theta: float) -> Floats:
    gap = np.diff(when)
    if theta and np.ptp(gap) > 1e-9 * gap.mean():
        raise KernelError("steps", "autocorrelated noise wants equal steps of time", steps=gap.size)
    return np.sqrt(gap)


def _through_origin(law: str, x: Floats, y: Floats, theta: float, driver: float, value: float) -> Trend:
    if not abs(theta) <= 1:
        raise KernelError("theta", "the autocorrelation must be between -1 and 1", theta=theta)
    square = float(x @ x)
    slope = float(x @ y) / square
    residual = y - slope * x
    sigma = float(np.sqrt(residual @ residual / (x.size - 1)))
    padded = np.convolve(x, [theta, 1.0])  # weight of each v in sum(x noise), the last of them v_0 reversed
    error = sigma * float(np.sqrt(padded @ padded / (1 + theta**2))) / square
    return Trend(law, slope, error, sigma, theta, x, driver, value)


def _error_variance(x: Floats, reach: Floats, scale: Floats, theta: float) -> Floats:
    """Variance of the forecast error at each step ahead, in units of the noise variance.

    The noises weigh -reach_h x_i / sum x^2 in the past and scale_j in the steps ahead; v_k weighs what noise k weighs
    plus theta times what noise k + 1 weighs.
    """
    n, h = x.size, scale.size
    noise = np.zeros((h, n + h))
    noise[:, :n] = -reach[:, None] * (x / (x @ x))
    noise[:, n:] = np.tril(np.ones((h, h))) * scale
    v = np.zeros((h, n + h + 1))
    v[:, 1:] += noise
    v[:, :-1] += theta * noise
    return np.asarray((v**2).sum(axis=1) / (1 + theta**2))


def _series(driver: ArrayLike, value: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(driver, dtype=np.float64), np.asarray(value, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise KernelError("shape", "one value a step is needed", driver=x.shape, value=y.shape)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise KernelError("not_finite", "missing or infinite values", size=x.size)
    if x.size < 3:
        raise KernelError("few", "three values at least are needed", size=x.size)
    if not (np.diff(x) > 0).all():
        raise KernelError("order", "time or cumulated output must ascend", at=int(np.argmin(np.diff(x))))
    if not (y > 0).all():
        raise KernelError("range", "values must be above zero", at=int(np.argmin(y)))
    return x, np.log(y)
