"""Bursts of events in time (Kleinberg 2003), by the most likely path of a hidden automaton.

Gaps between events (``bursts``): in state i gaps are exponential with rate alpha_i = s^i / (T / n), where T is the
whole time and n the number of gaps. Rising j states costs j gamma ln n, falling is free. The path starts below, in
state 0. A burst of level k is a longest run in which the state is k - 1 or higher; level 1 is the whole time, and
higher levels nest.

Batches (``batch_bursts``): of d_t documents in period t, r_t are relevant. State 0 expects the share p_0 = R / D,
state 1 expects s p_0; the cost of r_t is binomial, of rising gamma ln n. The weight of a burst is what it saves
against staying in state 0.

References
----------
Kleinberg, J. (2003). Bursty and hierarchical structure in streams. Data Mining and Knowledge Discovery 7(4).
The numbers of states and levels follow the R package bursts, so that results can be compared.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bursts:
    """Bursts in order of start, wider before narrower.

    Attributes
    ----------
    level : (b,) 1 for the whole time, more for bursts. start, end : (b,) first and last moment, in the unit given.
    states : (n,) the state of each gap, 0 the calmest. cost : of the whole path.
    """

    level: Ints
    start: NDArray[Any]
    end: NDArray[Any]
    states: Ints
    cost: float


@dataclass(frozen=True, slots=True)
class BatchBursts:
    """Periods of raised share.

    Attributes
    ----------
    start, end : (b,) first and last period, inclusive. weight : (b,) what the burst saves against the calm state.
    states : (n,) 0 or 1 a period. base : the share of the calm state.
    """

    start: Ints
    end: Ints
    weight: Floats
    states: Ints
    base: float


def bursts(offsets: ArrayLike, s: float = 2.0, gamma: float = 1.0) -> Bursts:
    """Bursts of single events.

    Parameters
    ----------
    offsets : (n + 1,) moments of the events, in any order and unit; no two the same.
    s : ratio of rates between states, > 1. gamma : cost of rising, > 0.

    Returns
    -------
    Bursts. A single event is one burst of level 0, as in the R package.

    Raises
    ------
    KernelError
        ``shape``, ``not_finite``, ``empty``, ``tied`` (two events at one moment), ``s``, ``gamma``.

    Examples
    --------
    >>> found = bursts([0, 20, 40, 41, 42, 43, 44, 45, 46, 66, 86])
    >>> [list(map(int, row)) for row in zip(found.level, found.start, found.end)]
    [[1, 0, 86], [2, 40, 46], [3, 40, 46]]
    """
    moments = np.sort(_series(offsets, "offsets"))
    _require_rates(s, gamma)
    if moments.size == 0:
        raise KernelError("empty", "no events", size=0)
    if moments.size == 1:
        return Bursts(np.zeros(1, np.int64), moments, moments, np.zeros(0, np.int64), 0.0)
    gaps = np.diff(moments)
    if (gaps == 0).any():
        raise KernelError("tied", "two events at one moment", at=int(np.argmin(gaps)))
    whole, n = float(gaps.sum()), gaps.size
    count = int(np.ceil(1 + np.log(whole) / np.log(s) - np.log(float(gaps.min())) / np.log(s)))
    rate = s ** np.arange(count) * (n / whole)
    fit = rate * gaps[:, None] - np.log(rate)
    states, cost = _cheapest_path(fit, gamma * np.log(n))
    level, first, last = _runs(states)
    return Bursts(level, moments[first], moments[last + 1], states, cost)


def batch_bursts(relevant: ArrayLike, total: ArrayLike, s: float = 2.0, gamma: float = 1.0) -> BatchBursts:
    """Bursts of a share over periods, such as papers of a topic among all papers of each year.

    Parameters
    ----------
    relevant : (n,) counts r_t. total : (n,) counts d_t >= r_t.
    s : ratio of the raised share to the base, > 1 (held below certainty). gamma : cost of rising, > 0.

    Returns
    -------
    BatchBursts; none where nothing is relevant.

    Raises
    ------
    KernelError
        ``shape``, ``not_finite``, ``negative``, ``exceeds`` (more relevant than there are), ``s``, ``gamma``.

    Examples
    --------
    >>> found = batch_bursts([1, 1, 9, 8, 1], [100, 100, 100, 100, 100])
    >>> found.start.tolist(), found.end.tolist()
    ([2], [3])
    """
    r, d = _series(relevant, "relevant"), _series(total, "total")
    _require_rates(s, gamma)
    if r.shape != d.shape:
        raise KernelError("shape", "one total a period is needed", relevant=r.shape, total=d.shape)
    if (r < 0).any():
        raise KernelError("negative", "counts must not be negative", at=int(np.argmin(r)))
    if (r > d).any():
        raise KernelError("exceeds", "more relevant than there are", at=int(np.argmax(r - d)))
    base = float(r.sum() / d.sum()) if d.sum() else 0.0
    if not 0 < base < 1:
        none = np.zeros(0, np.int64)
        return BatchBursts(none, none, np.zeros(0), np.zeros(r.size, np.int64), base)
    # A share of 1 would make a single irrelevant document impossible.
    share = np.array([base, min(s * base, (1 + base) / 2)])
    fit = -(xlogy(r[:, None], share) + xlogy((d - r)[:, None], 1 - share))
    states, _ = _cheapest_path(fit, gamma * np.log(max(r.size, 2)))
    level, first, last = _runs(states)
    raised = level == 2
    saved = np.concatenate(([0.0], np.cumsum(fit[:, 0] - fit[:, 1])))
    start, end = first[raised], last[raised]
    return BatchBursts(start, end, saved[end + 1] - saved[start], states, base)


def _cheapest_path(fit: Floats, rise: float) -> tuple[Ints, float]:
    """Viterbi over (n, k) costs of fit; going up j states costs j times `rise`, going down nothing."""
    n, k = fit.shape
    states = np.arange(k)
    up = np.maximum(states[None, :] - states[:, None], 0) * rise
    cost = np.where(states == 0, 0.0, np.inf)
    back = np.empty((n, k), np.int64)
    for t in range(n):
        through = cost[:, None] + up
        back[t] = through.argmin(axis=0)
        cost = through[back[t], states] + fit[t]
    path = np.empty(n, np.int64)
    path[-1] = cost.argmin()
    for t in range(n - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path, float(cost.min())


def _runs(states: Ints) -> tuple[Ints, Ints, Ints]:
    """Longest runs at or above each level; level 1 is state 0 and up. First and last index, inclusive."""
    level: list[int] = []
    first: list[int] = []
    last: list[int] = []
    for height in range(int(states.max()) + 1):
        inside = np.concatenate(([False], states >= height, [False]))
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        first.extend(edges[::2])
        last.extend(edges[1::2] - 1)
        level.extend([height + 1] * (edges.size // 2))
    order = np.lexsort((level, first))
    found = np.array([level, first, last], dtype=np.int64)[:, order]
    return found[0], found[1], found[2]


def _require_rates(s: float, gamma: float) -> None:
    if not s > 1:
        raise KernelError("s", "s must be greater than 1", s=s)
    if not gamma > 0:
        raise KernelError("gamma", "gamma must be positive", gamma=gamma)


def _series(values: ArrayLike, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise KernelError("shape", "a plain list of numbers is needed", which=name, shape=array.shape)
    if not np.isfinite(array).all():
        raise KernelError("not_finite", "missing or infinite values", which=name)
    return array
