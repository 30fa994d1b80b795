"""From indicators to one score, for many weight vectors at once.

Z (n, m) holds n regions (or region-years stacked) and m normalised indicators, more is better. W holds k
weight vectors (k, m), or one (m,); a score comes back as (k, n), or (n,). Nothing loops over weight vectors:
each method is a few matrix products or one pass over the indicators.

Papers: Hwang and Yoon, Multiple Attribute Decision Making (1981), TOPSIS; Opricovic and Tzeng, European
Journal of Operational Research 156 (2004), VIKOR; Deng, Systems & Control Letters 1 (1982), grey relation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ronghe.kernels.checks import (
    ConstantIndicatorError,
    Floats,
    FusionError,
    NegativeValueError,
    TooFewError,
    check_weights,
    complete,
    positions,
)

_CACHED_CELLS = 8192  # 64 kB twice fits a core's own cache


@dataclass(frozen=True, slots=True)
class Vikor:
    """VIKOR's group utility S, individual regret R and compromise Q; less is better in all three."""

    S: Floats
    R: Floats
    Q: Floats


def weighted_sum(Z: ArrayLike, W: ArrayLike) -> Floats:
    """Weighted sum: U = Σ_j w_j z_j. A weakness may be made up for elsewhere, one for one.

    >>> weighted_sum([[0.0, 1.0], [0.5, 0.5]], [0.25, 0.75]).tolist()
    [0.75, 0.5]
    """
    values, weights = _inputs(Z, W)
    return _shaped(weights @ values.T, W)


def geometric(Z: ArrayLike, W: ArrayLike) -> Floats:
    """Weighted geometric mean: U = Π_j z_j^{w_j}. A zero with any weight makes the score zero.

    Raises:
        NegativeValueError: a value below zero.

    >>> geometric([[0.25, 1.0], [0.5, 0.5]], [0.5, 0.5]).round(12).tolist()
    [0.5, 0.5]
    """
    values, weights = _inputs(Z, W)
    negative = (values < 0).any(axis=0)
    if negative.any():
        raise NegativeValueError("a geometric mean needs values of zero or more", indicators=positions(negative))
    zero = values == 0
    score = np.exp(weights @ np.log(np.where(zero, 1.0, values)).T)
    if zero.any():
        score[weights @ zero.T.astype(np.float64) > 0] = 0.0
    return _shaped(score, W)


def topsis(Z: ArrayLike, W: ArrayLike) -> Floats:
    """TOPSIS: closeness D⁻/(D⁺ + D⁻) to the best and the worst value met in each indicator.

    With v_ij = w_j z_ij, D⁺² = Σ_j w_j² (max z_j - z_ij)²: the squared weights times a matrix that no
    weight touches, so all weight vectors take two matrix products.

    Raises:
        TooFewError: one region, which is both ideals.
        ConstantIndicatorError: all regions equal in all indicators that have weight.

    >>> topsis([[0.0, 0.0], [1.0, 0.5], [1.0, 1.0]], [0.5, 0.5]).round(4).tolist()
    [0.0, 0.691, 1.0]
    """
    values, weights = _inputs(Z, W, regions=2)
    squared = weights**2
    best = squared @ ((values.max(axis=0) - values) ** 2).T
    worst = squared @ ((values - values.min(axis=0)) ** 2).T
    np.sqrt(best, out=best)
    np.sqrt(worst, out=worst)
    best += worst
    if not best.all():
        raise ConstantIndicatorError(
            "all regions are equal in every indicator with weight", indicators=tuple(range(values.shape[1]))
        )
    worst /= best
    return _shaped(worst, W)


def vikor(Z: ArrayLike, W: ArrayLike, *, v: float = 0.5) -> Vikor:
    """VIKOR: S = Σ_j w_j d_ij, R = max_j w_j d_ij, Q = v·S scaled + (1 - v)·R scaled, with d the distance to
    the best value as a share of the indicator's range. Less is better.

    Where all regions have the same S (or R), that part tells nobody apart and counts 0.

    Args:
        Z: (n, m) values.
        W: (k, m) or (m,) weights.
        v: weight of the group's utility against the individual's regret, in [0, 1].

    Raises:
        ConstantIndicatorError: an indicator without range.
        TooFewError: one region.

    >>> vikor([[0.0, 0.0], [1.0, 0.5], [1.0, 1.0]], [0.5, 0.5]).Q.tolist()
    [1.0, 0.375, 0.0]
    """
    values, weights = _inputs(Z, W, regions=2)
    if not 0 <= v <= 1:
        raise FusionError(f"v lies in [0, 1], not {v}", code="fraction", v=v)
    spread = np.ptp(values, axis=0)
    if not spread.all():
        raise ConstantIndicatorError("an indicator is equal everywhere", indicators=positions(spread == 0))
    distance = (values.max(axis=0) - values) / spread
    S = weights @ distance.T
    R = _largest_part(weights, distance)
    Q = v * _rescaled(S) + (1.0 - v) * _rescaled(R)
    return Vikor(_shaped(S, W), _shaped(R, W), _shaped(Q, W))


def grey_relation(Z: ArrayLike, W: ArrayLike, *, rho: float = 0.5) -> Floats:
    """Grey relational grade to the best value of each indicator: ξ = (Δmin + ρ Δmax)/(Δ + ρ Δmax), U = Σ w ξ.

    Args:
        Z: (n, m) values on one scale.
        W: (k, m) or (m,) weights.
        rho: distinguishing coefficient ρ in (0, 1].

    Raises:
        ConstantIndicatorError: every indicator equal everywhere.
        TooFewError: one region.

    >>> grey_relation([[0.0, 0.0], [1.0, 0.5], [1.0, 1.0]], [0.5, 0.5]).round(4).tolist()
    [0.3333, 0.75, 1.0]
    """
    values, weights = _inputs(Z, W, regions=2)
    return _shaped(weights @ grey_coefficients(values, rho=rho).T, W)


def grey_coefficients(Z: ArrayLike, *, rho: float = 0.5) -> Floats:
    """Grey relational coefficients ξ (n, m) to the best value of each indicator; see `grey_relation`.

    >>> grey_coefficients([[0.0], [1.0]]).round(4).ravel().tolist()
    [0.3333, 1.0]
    """
    values = complete(Z, 2, "Z")
    if not 0 < rho <= 1:
        raise FusionError(f"rho lies in (0, 1], not {rho}", code="fraction", rho=rho)
    delta = values.max(axis=0) - values
    largest = delta.max()
    if largest == 0:
        raise ConstantIndicatorError("every indicator is equal everywhere", indicators=tuple(range(values.shape[1])))
    coefficients: Floats = (delta.min() + rho * largest) / (delta + rho * largest)
    return coefficients


def _inputs(Z: ArrayLike, W: ArrayLike, regions: int = 1) -> tuple[Floats, Floats]:
    values = complete(Z, 2, "Z")
    if len(values) < regions:
        raise TooFewError("one region can't be compared with itself", what="regions", found=len(values), needed=regions)
    return values, check_weights(W, values.shape[1])


def _shaped(score: Floats, W: ArrayLike) -> Floats:
    return score[0] if np.ndim(W) == 1 else score


def _largest_part(weights: Floats, distance: Floats) -> Floats:
    """max_j w_kj d_ij for all k and i, a few weight vectors at a time so that the work stays in cache."""
    largest = np.zeros((len(weights), len(distance)))
    rows = max(1, _CACHED_CELLS // len(distance))
    part = np.empty((rows, len(distance)))
    columns = np.ascontiguousarray(distance.T)
    for start in range(0, len(weights), rows):
        some, out = weights[start : start + rows], largest[start : start + rows]
        for j, column in enumerate(columns):
            np.maximum(out, np.multiply.outer(some[:, j], column, out=part[: len(some)]), out=out)
    return largest


def _rescaled(part: Floats) -> Floats:
    lowest = part.min(axis=1, keepdims=True)
    spread = part.max(axis=1, keepdims=True) - lowest
    return np.asarray((part - lowest) / np.where(spread == 0, 1.0, spread), dtype=np.float64)
