"""Times to an event when some have not happened yet (Kaplan & Meier 1958; Mantel 1966).

Lags from paper to patent or from patent to product, and the length of approvals, are distributions, and the open
cases are in them: a case still open has lasted at least until now. It is censored, never dropped.

    S(t) = prod over event times u <= t of (1 - d_u / n_u)

d_u events at u among n_u at risk just before. Variance by Greenwood; pointwise limits on the log(-log S) scale, which
stay within [0, 1]. Groups are compared by the log-rank statistic, chi-squared with one degree less than groups.

References
----------
Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. JASA 53.
Mantel, N. (1966). Evaluation of survival data and two new rank order statistics. Cancer Chemother Rep 50.
Klein, J. P. & Moeschberger, M. L. (2003). Survival Analysis, 2nd ed.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Survival:
    """A Kaplan-Meier curve; S is 1 before the first time, and constant between times.

    Attributes
    ----------
    time : (k,) moments of events, ascending. at_risk, events : (k,) n_u and d_u.
    survival : (k,) S just after each. lower, upper : (k,) pointwise limits.
    last : the longest time seen, event or not; beyond it the curve says nothing.
    subjects, censored : how many there are, how many of them without the event.
    """

    time: Floats
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    survival: Floats
    lower: Floats
    upper: Floats
    last: float
    subjects: int
    censored: int

    def at(self, moment: ArrayLike) -> Floats:
        """S at given moments; NaN past the last time seen unless everything has happened by then."""
        moments = np.asarray(moment, dtype=np.float64)
        steps = np.concatenate(([1.0], self.survival))
        value = steps[np.searchsorted(self.time, moments, side="right")]
        return np.where((moments > self.last) & (steps[-1] > 0), np.nan, value)

    def quantile(self, share: float) -> float:
        """First time by which the share has happened (0.5 is the median); NaN if the curve never gets there."""
        return _first_below(self.time, self.survival, share)

    def quantile_limits(self, share: float) -> tuple[float, float]:
        """Confidence limits of a quantile, where the limits of S cross the same level; NaN where they do not."""
        return _first_below(self.time, self.lower, share), _first_below(self.time, self.upper, share)

    def restricted_mean(self, horizon: float) -> float:
        """Mean time up to a horizon, the area under S; NaN past the last time seen with open cases left."""
        if not horizon > 0:
            raise KernelError("horizon", "the horizon must be positive", horizon=horizon)
        if np.isnan(self.at(horizon)):
            return float("nan")
        inside = self.time < horizon
        knots = np.concatenate(([0.0], self.time[inside], [horizon]))
        return float(np.diff(knots) @ np.concatenate(([1.0], self.survival[inside])))


@dataclass(frozen=True, slots=True)
class LogRank:
    """Log-rank comparison: chi-squared statistic, degrees of freedom, p; observed and expected events a group."""

    statistic: float
    freedom: int
    p: float
    observed: Floats
    expected: Floats


def kaplan_meier(
    duration: ArrayLike, happened: ArrayLike, entry: ArrayLike | None = None, level: float = 0.95
) -> Survival:
    """The Kaplan-Meier curve of durations, some of them censored.

    Parameters
    ----------
    duration : (n,) time to the event, or so far, >= 0. happened : (n,) False where it has not happened yet.
    entry : (n,) when each came under observation (left truncation), < duration; 0 by default.
    level : of the pointwise limits.

    Returns
    -------
    Survival

    Raises
    ------
    KernelError
        ``shape``, ``empty``, ``not_finite``, ``negative``, ``entry`` (seen only after the end), ``level``.

    Examples
    --------
    >>> curve = kaplan_meier([1, 2, 2, 3], [True, True, False, True])
    >>> curve.survival.tolist(), curve.quantile(0.5)
    ([0.75, 0.5, 0.0], 2.0)
    """
    length, event = _observations(duration, happened)
    start = _entry(entry, length)
    if not 0 < level < 1:
        raise KernelError("level", "the level must be between 0 and 1", level=level)
    time = np.unique(length[event])
    risk = _at_risk(time, length, start)
    count = _happening(time, length[event])
    curve = np.asarray(np.cumprod(1 - count / risk), dtype=np.float64)
    lower, upper = _limits(curve, risk, count, float(norm.ppf((1 + level) / 2)))
    return Survival(time, risk, count, curve, lower, upper, float(length.max()), length.size, int((~event).sum()))


def log_rank(duration: ArrayLike, happened: ArrayLike, group: ArrayLike, entry: ArrayLike | None = None) -> LogRank:
    """Compare the curves of two or more groups.

    Parameters
    ----------
    duration, happened, entry : as in `kaplan_meier`. group : (n,) integers 0 .. g - 1, each with a member.

    Returns
    -------
    LogRank. p is small where the groups differ by more than chance.

    Raises
    ------
    KernelError
        As `kaplan_meier`; ``groups`` with fewer than two groups, ``no_events`` where nothing happened.

    Examples
    --------
    >>> found = log_rank([1, 2, 3, 8, 9, 10], [True] * 6, [0, 0, 0, 1, 1, 1])
    >>> round(found.statistic, 3), found.freedom
    (5.052, 1)
    """
    length, event = _observations(duration, happened)
    start = _entry(entry, length)
    label = np.asarray(group)
    if label.shape != length.shape or label.dtype.kind not in "iu":
        raise KernelError("shape", "one integer group a case is needed", group=label.shape)
    count = int(label.max()) + 1
    if count < 2 or label.min() < 0 or np.unique(label).size != count:
        raise KernelError("groups", "two or more groups 0 .. g-1, none empty", groups=np.unique(label).tolist())
    if not event.any():
        raise KernelError("no_events", "nothing has happened in any group", cases=length.size)
    time = np.unique(length[event])
    risk = np.array([_at_risk(time, length[label == g], start[label == g]) for g in range(count)], float)
    seen = np.array([_happening(time, length[event & (label == g)]) for g in range(count)], float)
    n, d = risk.sum(axis=0), seen.sum(axis=0)
    share = risk / n
    expected = (share * d).sum(axis=1)
    spread = d * (n - d) / np.maximum(n - 1, 1)
    variance = np.diag((share * spread).sum(axis=1)) - (share * spread) @ share.T
    gap = (seen.sum(axis=1) - expected)[:-1]
    statistic = float(gap @ np.linalg.pinv(variance[:-1, :-1]) @ gap)
    return LogRank(statistic, count - 1, float(chi2.sf(statistic, count - 1)), seen.sum(axis=1), expected)


def lags(begin: ArrayLike, end: ArrayLike, now: float) -> tuple[Floats, Flags, Flags]:
    """Durations with censoring from moments of beginning and end.

    Parameters
    ----------
    begin : (n,) when each began. end : (n,) when it ended; NaN, or later than `now`, means it has not ended by then.
    now : the moment of observation; what began later is left out.

    Returns
    -------
    duration (m,), happened (m,) for the usable cases, and usable (n,). Not usable: no beginning, begun after `now`,
    or ended before it began.

    Examples
    --------
    >>> duration, happened, usable = lags([2000, 2005, 2012], [2003, float("nan"), 2015], now=2010)
    >>> duration.tolist(), happened.tolist(), usable.tolist()
    ([3.0, 5.0], [True, False], [True, True, False])
    """
    first, last = np.asarray(begin, dtype=np.float64), np.asarray(end, dtype=np.float64)
    if first.shape != last.shape or first.ndim != 1:
        raise KernelError("shape", "one end a beginning is needed", begin=first.shape, end=last.shape)
    if not np.isfinite(now):
        raise KernelError("not_finite", "the moment of observation is missing", which="now")
    happened: Flags = last <= now
    with np.errstate(invalid="ignore"):
        usable: Flags = np.isfinite(first) & (first <= now) & ~(last < first)
    duration = np.where(happened, last, now) - first
    return duration[usable], happened[usable], usable


def _first_below(time: Floats, curve: Floats, share: float) -> float:
    if not 0 < share < 1:
        raise KernelError("share", "the share must be between 0 and 1", share=share)
    # Products of exact shares miss the level by rounding; a survival of 0.5 less one ulp is 0.5.
    below = np.flatnonzero(curve <= 1 - share + 1e-12)
    return float(time[below[0]]) if below.size else float("nan")


def _limits(curve: Floats, risk: NDArray[np.int64], count: NDArray[np.int64], z: float) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(count / (risk * (risk - count).astype(np.float64)))
        logs = np.log(curve)
        width = z * np.sqrt(greenwood) / logs
        lower, upper = curve ** np.exp(-width), curve ** np.exp(width)
    done = (curve <= 0) | (curve >= 1)
    return np.where(done, curve, lower), np.where(done, curve, upper)


def _at_risk(time: Floats, length: Floats, start: Floats) -> NDArray[np.int64]:
    """Those under observation just before each time: entered before it and not ended before it."""
    entered = np.searchsorted(np.sort(start), time, side="left")
    if not start.any():
        entered = np.full(time.shape, length.size)
    ended = np.searchsorted(np.sort(length), time, side="left")
    return (entered - ended).astype(np.int64)


def _happening(time: Floats, length: Floats) -> NDArray[np.int64]:
    ordered = np.sort(length)
    after = np.searchsorted(ordered, time, side="right")
    return (after - np.searchsorted(ordered, time, side="left")).astype(np.int64)


def _observations(duration: ArrayLike, happened: ArrayLike) -> tuple[Floats, Flags]:
    length, event = np.asarray(duration, dtype=np.float64), np.asarray(happened)
    if length.ndim != 1 or event.shape != length.shape or event.dtype.kind not in "biu":
        raise KernelError("shape", "one flag a duration is needed", duration=length.shape, happened=event.shape)
    if length.size == 0:
        raise KernelError("empty", "no cases", size=0)
    if not np.isfinite(length).all():
        raise KernelError("not_finite", "missing or infinite durations", at=int(np.argmin(np.isfinite(length))))
    if (length < 0).any():
        raise KernelError("negative", "durations must not be negative", at=int(np.argmin(length)))
    return length, event.astype(bool)


def _entry(entry: ArrayLike | None, length: Floats) -> Floats:
    start = np.zeros(length.size) if entry is None else np.asarray(entry, dtype=np.float64)
    if start.shape != length.shape:
        raise KernelError("shape", "one entry a case is needed", entry=start.shape, duration=length.shape)
    if entry is not None and not (start < length).all():
        raise KernelError(
            "entry", "a case came under observation only after its end", at=int(np.argmin(length - start))
        )
    return start
