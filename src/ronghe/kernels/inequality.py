"""Inequality between regions and its parts: Gini by Dagum, Theil's T and L.

y (n,) holds a positive level for each region, groups (n,) its group numbered from 0 (east, centre, west,
north-east).

Papers: Dagum, Empirical Economics 22 (1997) 515-531; Theil, Economics and Information Theory (1967);
Shorrocks, Econometrica 48 (1980).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.checks import Floats, FusionError, NegativeValueError, TooFewError, complete, positions


@dataclass(frozen=True, slots=True)
class Dagum:
    """Gini G = Gw + Gnb + Gt: within groups, net between groups, and the overlap of groups (transvariation).

    `gini` (g, g) holds the groups' own coefficients on the diagonal and the pairs' beside it;
    `affluence` (g, g) the relative affluence D_jh, 1 where two groups don't overlap.
    """

    G: float
    Gw: float
    Gnb: float
    Gt: float
    gini: Floats
    affluence: Floats


@dataclass(frozen=True, slots=True)
class Theil:
    """Theil index T = within + between; `own` (g,) the groups' own, `share` (g,) their weight in within."""

    T: float
    within: float
    between: float
    own: Floats
    share: Floats


def gini(y: ArrayLike) -> float:
    """Gini coefficient: Σ_i Σ_r |y_i - y_r| / (2 n² ȳ).

    >>> gini([1.0, 1.0, 1.0, 5.0])
    0.375
    """
    levels = _positive(y, zero=True)
    order = np.sort(levels)
    n = len(order)
    return float((2 * np.arange(1, n + 1) - n - 1) @ order / (n * order.sum()))


def dagum(y: ArrayLike, groups: ArrayLike) -> Dagum:
    """Dagum's decomposition of the Gini coefficient.

    G_jh = E|y_j - y_h| / (ȳ_j + ȳ_h). With p_j the share of regions and s_j of the total:
    Gw = Σ G_jj p_j s_j; Gnb = Σ_{j<h} G_jh (p_j s_h + p_h s_j) D_jh; Gt the same with 1 - D_jh.
    D_jh = (d - p)/(d + p), where d is the mean gap in favour of the richer group and p that against it.

    Args:
        y: (n,) zero or more, not all zero.
        groups: (n,) group numbers 0 … g - 1.

    Raises:
        NegativeValueError: a negative level, or a group that is all zero. TooFewError: one region.
        FusionError: groups with a gap.

    >>> parts = dagum([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1])
    >>> round(parts.G, 6), round(parts.Gw + parts.Gnb + parts.Gt, 6), parts.Gt
    (0.25, 0.25, 0.0)
    """
    levels = _positive(y, zero=True)
    member = _members(groups, len(levels))
    size = member.sum(axis=0)
    mean = levels @ member / size
    if (mean <= 0).any():
        raise NegativeValueError("a group is zero in every region", regions=positions(member[:, mean <= 0].any(axis=1)))
    gap = np.maximum(levels[:, None] - levels[None, :], 0.0)
    ahead = (member.T @ gap @ member) / np.outer(size, size)  # E max(y_j - y_h, 0)
    apart = ahead + ahead.T
    pair = apart / (mean[:, None] + mean[None, :])
    affluence = np.where(apart > 0, np.abs(ahead - ahead.T) / np.where(apart > 0, apart, 1.0), 0.0)
    weight = np.outer(size / size.sum(), size * mean / levels.sum())
    between = np.triu(pair * (weight + weight.T), 1)
    return Dagum(
        G=gini(levels),
        Gw=float(np.diag(pair) @ np.diag(weight)),
        Gnb=float((between * affluence).sum()),
        Gt=float((between * (1.0 - affluence)).sum()),
        gini=pair,
        affluence=affluence,
    )


def theil(y: ArrayLike, groups: ArrayLike | None = None, *, kind: Literal["T", "L"] = "T") -> Theil:
    """Theil's T = Σ s_i ln(s_i / p_i) or L = Σ p_i ln(p_i / s_i) with its exact within and between parts.

    s_i is the region's share of the total and p_i = 1/n. T weighs the groups' own indices by their share of
    the total, L by their share of regions.

    Args:
        y: (n,) above zero.
        groups: (n,) group numbers 0 … g - 1; None for one group.
        kind: "T", tender to the top, or "L" (mean log deviation), tender to the bottom.

    Raises:
        NegativeValueError: a level of zero or less. TooFewError: one region.

    >>> parts = theil([1.0, 1.0, 3.0, 3.0], [0, 0, 1, 1])
    >>> round(parts.T, 6) == round(parts.between, 6), parts.within
    (True, 0.0)
    """
    if kind not in ("T", "L"):
        raise FusionError(f"kind is 'T' or 'L', not {kind!r}", code="option", kind=kind)
    levels = _positive(y, zero=False)
    n = len(levels)
    member = _members(np.zeros(n, dtype=np.int64) if groups is None else groups, n)
    size, total = member.sum(axis=0), levels @ member
    mean = total / size
    regions, income = size / n, total / levels.sum()
    ratio = levels / (member @ mean)
    relative = mean / levels.mean()
    if kind == "T":
        own, share = (ratio * np.log(ratio)) @ member / size, income
        between = float(income @ np.log(relative))
    else:
        own, share = -np.log(ratio) @ member / size, regions
        between = float(-regions @ np.log(relative))
    within = float(share @ own)
    return Theil(within + between, within, between, own, share)


def _positive(y: ArrayLike, *, zero: bool) -> Floats:
    levels = complete(y, 1, "y")
    if len(levels) < 2:
        raise TooFewError("inequality needs two regions", what="regions", found=len(levels), needed=2)
    bad = levels < 0 if zero else levels <= 0
    if bad.any() or levels.sum() <= 0:
        raise NegativeValueError("inequality needs positive levels", regions=positions(bad))
    return levels


def _members(groups: ArrayLike, n: int) -> NDArray[np.float64]:
    kinds = np.asarray(groups)
    if kinds.shape != (n,) or not np.array_equal(np.unique(kinds), np.arange(kinds.max(initial=0) + 1)):
        raise FusionError("groups are numbered 0, 1, … without a gap, one a region", code="groups", shape=kinds.shape)
    return np.asarray(kinds[:, None] == np.arange(kinds.max() + 1), dtype=np.float64)
