"""Which topics are emerging, and whether the score would have seen it coming.

From yearly counts c of works a topic, up to a year t and over a window of w years (Rotolo, Hicks & Martin 2015 name
the attributes: novelty, growth, persistence):

    growth        slope of ln(c + 1) on the year, weighted by c + 1, less the slope of all topics together
    newness       share of all the topic's works up to t that fall in the window
    persistence   share of the window's years in which the topic was active and not below the year before by more than
                  its counting error, sqrt(c)
    emergence     geometric mean of the three percentile ranks among active topics
    strength      percentile rank of the works in the window

A topic is active with at least `floor` works in the window. The back-test stands at each year in turn, sees nothing
later, and asks of the active topics that are not yet large whether they are large `ahead` years on. It reports the
score beside what it must beat: last year's growth, and plain size.

References
----------
Rotolo, D., Hicks, D. & Martin, B. R. (2015). What is an emerging technology? Research Policy 44.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from ronghe.kernels.errors import KernelError
from ronghe.kernels.ranking import auc, precision_at

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

SCORES = ("emergence", "projected", "last_growth", "size")


@dataclass(frozen=True, slots=True)
class Emergence:
    """Scores of every topic at one year; NaN for topics that are not active, except `active` itself.

    Attributes
    ----------
    growth : (n,) a year, above the growth of all topics together. newness, persistence : (n,) shares.
    score, strength : (n,) between 0 and 1. active : (n,) flags.
    """

    growth: Floats
    newness: Floats
    persistence: Floats
    score: Floats
    strength: Floats
    active: Flags


@dataclass(frozen=True, slots=True)
class BackTest:
    """What each score would have been worth.

    Attributes
    ----------
    years : (y,) positions of the years stood at that had both outcomes. candidates, large : (y,) topics asked about,
        and how many of them became large.
    auc, precision : (4, y) by score, in the order of `SCORES`; precision among as many topics as became large.
    """

    years: NDArray[np.int64]
    candidates: NDArray[np.int64]
    large: NDArray[np.int64]
    auc: Floats
    precision: Floats

    def mean_auc(self) -> dict[str, float]:
        """AUC of each score, averaged over years."""
        return dict(zip(SCORES, self.auc.mean(axis=1).tolist(), strict=True))

    def mean_precision(self) -> dict[str, float]:
        """Precision of each score, averaged over years."""
        return dict(zip(SCORES, self.precision.mean(axis=1).tolist(), strict=True))

    @property
    def base_rate(self) -> float:
        """Precision of guessing: the share of candidates that became large."""
        return float(self.large.sum() / self.candidates.sum()) if self.candidates.size else float("nan")


def emergence(counts: ArrayLike, year: int = -1, window: int = 5, floor: float = 5.0) -> Emergence:
    """Score every topic with what is known at one year.

    Parameters
    ----------
    counts : (n, T) works of each topic in each year, >= 0; fractional counts are welcome.
    year : position of the year; later columns are not read. window : years looked back on, >= 3.
    floor : works in the window below which a topic is too small to judge.

    Returns
    -------
    Emergence

    Raises
    ------
    KernelError
        ``shape``, ``not_finite``, ``negative``, ``window`` (under three years, or more than there are), ``year``.

    Examples
    --------
    >>> found = emergence([[50, 52, 49, 51, 50], [1, 2, 5, 9, 20], [40, 30, 22, 15, 9]])
    >>> found.score.argmax().item(), found.strength.argmax().item()
    (1, 0)
    """
    table = _counts(counts)
    if not -table.shape[1] <= year < table.shape[1]:
        raise KernelError("year", "no such year", year=year, years=table.shape[1])
    known = table[:, : year % table.shape[1] + 1]
    if not 3 <= window <= known.shape[1]:
        raise KernelError("window", "the window wants three years or more, all known", window=window, known=known.shape)
    recent = known[:, -window:]
    size = recent.sum(axis=1)
    active: Flags = size >= max(floor, 1e-12)
    growth = _slope(recent) - _slope(recent.sum(axis=0, keepdims=True))
    newness = size / np.maximum(known.sum(axis=1), 1e-12)
    # The first year of the window is compared with the one before it, where that is known.
    before = known[:, -window - 1 : -1] if known.shape[1] > window else np.hstack([recent[:, :1], recent[:, :-1]])
    held = (recent > 0) & (recent >= before - np.sqrt(before))
    parts = [np.where(active, part, np.nan) for part in (growth, newness, held.mean(axis=1))]
    score = np.exp(np.mean([np.log(_percentile(part)) for part in parts], axis=0))
    return Emergence(parts[0], parts[1], parts[2], score, _percentile(np.where(active, size, np.nan)), active)


def back_test(counts: ArrayLike, ahead: int = 5, window: int = 5, floor: float = 5.0, top: float = 0.1) -> BackTest:
    """Stand at each past year and test the score against what came `ahead` years later.

    Parameters
    ----------
    counts, window, floor : as in `emergence`. ahead : years between the flag and the outcome.
    top : a topic is large in a year if its count is among this share of all topics that have any work in it.

    Returns
    -------
    BackTest. `projected` is ln(c + 1) + ahead x growth, strength carried on by growth.

    Raises
    ------
    KernelError
        As `emergence`; ``window`` also if no year has both a past and a future, ``top`` outside (0, 1).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rates = rng.normal(0.1, 0.15, 200)[:, None] * np.arange(15) + rng.normal(3, 1, 200)[:, None]
    >>> found = back_test(rng.poisson(np.exp(rates)))
    >>> found.mean_auc()["emergence"] > found.mean_auc()["last_growth"]
    True
    """
    table = _counts(counts)
    if not 0 < top < 1:
        raise KernelError("top", "the share must be between 0 and 1", top=top)
    if ahead < 1 or window < 3 or table.shape[1] < window + ahead:
        raise KernelError("window", "too few years", window=window, ahead=ahead, years=table.shape[1])
    rows = []
    for year in range(window - 1, table.shape[1] - ahead):
        now = emergence(table, year, window, floor)
        asked = now.active & ~_large(table[:, year], top)
        truth = _large(table[:, year + ahead], top)[asked]
        if not truth.any() or truth.all():
            continue
        scores = _scores(table, now, year, ahead)[:, asked]
        rows.append(
            (
                (year, int(asked.sum()), int(truth.sum())),
                [auc(score, truth) for score in scores],
                [precision_at(score, truth, int(truth.sum())) for score in scores],
            )
        )
    facts = np.array([row[0] for row in rows], dtype=np.int64).reshape(-1, 3).T
    found = [np.array([row[i] for row in rows], dtype=np.float64).reshape(-1, len(SCORES)).T for i in (1, 2)]
    return BackTest(facts[0], facts[1], facts[2], found[0], found[1])


def _scores(table: Floats, now: Emergence, year: int, ahead: int) -> Floats:
    logs = np.log(table[:, year] + 1)
    last = logs - np.log(table[:, year - 1] + 1)
    return np.vstack([now.score, logs + ahead * now.growth, last, table[:, year]])


def _large(column: Floats, top: float) -> Flags:
    alive = column[column > 0]
    if not alive.size:
        return np.zeros(column.shape, bool)
    return np.asarray((column >= np.quantile(alive, 1 - top)) & (column > 0))


def _slope(counts: Floats) -> Floats:
    """Slope of ln(c + 1) a year, weighted by c + 1: near the inverse of the variance of the logarithm of a count."""
    x = np.arange(counts.shape[1], dtype=np.float64)
    weight, y = counts + 1, np.log(counts + 1)
    total = weight.sum(axis=1, keepdims=True)
    x_off = x - (weight * x).sum(axis=1, keepdims=True) / total
    return np.asarray((weight * x_off * y).sum(axis=1) / (weight * x_off**2).sum(axis=1))


def _percentile(values: Floats) -> Floats:
    """Mean rank over n, in (0, 1]; ties share a rank, missing stays missing."""
    return np.asarray(rankdata(values, nan_policy="omit") / max(1, int((~np.isnan(values)).sum())))


def _counts(counts: ArrayLike) -> Floats:
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise KernelError("shape", "topics by years are needed", shape=table.shape)
    if not np.isfinite(table).all():
        raise KernelError("not_finite", "missing counts", at=tuple(map(int, np.argwhere(~np.isfinite(table))[0])))
    if (table < 0).any():
        raise KernelError("negative", "counts must not be negative", at=tuple(map(int, np.argwhere(table < 0)[0])))
    return table
