"""Indicators on one scale: direction, min–max, z-score, vector and rank normalisation.

An array holds regions in its last axis but one and indicators in its last: (n, m) for one year, (t, n, m)
for a panel. `direction` has an entry an indicator: 1 more is better, -1 less is better, 0 best inside the
interval [low, high]. Missing cells are NaN and stay NaN; they never move a bound.

Bounds decide what may be compared. With bounds over the whole panel a score may rise from year to year;
with bounds of each year's cross-section only the order within the year means something. Most published
coupling studies do not say which they used.

Papers: OECD and JRC, Handbook on Constructing Composite Indicators (2008), ch. 5; Hwang and Yoon,
Multiple Attribute Decision Making (1981), for the vector norm.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr
from scipy.stats import rankdata

from ronghe.kernels.checks import (
    ConstantIndicatorError,
    DirectionError,
    FusionError,
    MissingBlockError,
    TooFewError,
    positions,
)

Floats = NDArray[np.float64]
Bounds = Literal["panel", "year"]


def orient(
    X: ArrayLike, direction: ArrayLike, *, low: ArrayLike | None = None, high: ArrayLike | None = None
) -> Floats:
    """Turn every indicator so that more is better, in its own unit.

    A cost x becomes -x; an interval indicator becomes minus its distance to [low, high], 0 inside.

    Args:
        X: (..., n, m) values.
        direction: (m,) of 1, -1 or 0.
        low: (m,) lower ends of the intervals; read only where the direction is 0.
        high: (m,) upper ends.

    Raises:
        DirectionError: a direction other than 1, -1, 0, or an interval that is missing or upside down.

    >>> orient([[5.0, 5.0, 5.0], [9.0, 9.0, 9.0]], [1, -1, 0], low=[0, 0, 6], high=[0, 0, 8]).tolist()
    [[5.0, -5.0, -1.0], [9.0, -9.0, -1.0]]
    """
    values = _values(X)
    m = values.shape[-1]
    signs = np.asarray(direction, dtype=np.float64)
    if signs.shape != (m,) or not np.isin(signs, (-1.0, 0.0, 1.0)).all():
        raise DirectionError("direction needs 1, -1 or 0 for each indicator", indicators=tuple(range(m)))
    oriented = values * signs
    interval = signs == 0
    if interval.any():
        if low is None or high is None:
            raise DirectionError("an interval indicator needs low and high", indicators=positions(interval))
        lows, highs = np.broadcast_to(low, (m,)), np.broadcast_to(high, (m,))
        wrong = interval & ~(lows <= highs)
        if wrong.any():
            raise DirectionError("an interval's low lies above its high", indicators=positions(wrong))
        inside = values[..., interval]
        gap = np.maximum(np.maximum(lows[interval] - inside, inside - highs[interval]), 0.0)
        oriented[..., interval] = -gap
    return oriented


def minmax(X: ArrayLike, *, bounds: Bounds = "panel", floor: float = 0.0, constant: float | None = None) -> Floats:
    """Min–max: z = floor + (1 - floor)(x - min)/(max - min), for X where more is better (see `orient`).

    Args:
        X: (..., n, m) values.
        bounds: "panel" takes min and max over all years, "year" within each cross-section.
        floor: lowest value given, in [0, 1). Methods that take logarithms or products need it above 0.
        constant: value for an indicator without spread; None refuses it.

    Returns:
        Same shape, in [floor, 1].

    Raises:
        ConstantIndicatorError, MissingBlockError: see the classes.

    >>> minmax([[1.0], [2.0], [5.0]]).ravel().tolist()
    [0.0, 0.25, 1.0]
    """
    values = _values(X)
    axes = _axes(values, bounds)
    _refuse_empty(values, axes)
    lowest = np.nanmin(values, axis=axes, keepdims=True)
    spread = np.nanmax(values, axis=axes, keepdims=True) - lowest
    flat = spread <= 0
    _refuse_constant(flat, constant)
    z = floor + (1.0 - floor) * (values - lowest) / np.where(flat, 1.0, spread)
    return _fill_constant(z, values, flat, constant)


def zscore(X: ArrayLike, *, bounds: Bounds = "panel", ddof: int = 0, constant: float | None = None) -> Floats:
    """z-score: z = (x - mean)/standard deviation, over the panel or within each year.

    Args:
        X: (..., n, m) values where more is better.
        bounds: over what the mean and the deviation are taken.
        ddof: 0 divides by n, 1 by n - 1.
        constant: value for an indicator without spread; None refuses it.

    Raises:
        ConstantIndicatorError, MissingBlockError: see the classes.

    >>> zscore([[1.0], [3.0]]).ravel().tolist()
    [-1.0, 1.0]
    """
    values = _values(X)
    axes = _axes(values, bounds)
    _refuse_empty(values, axes)
    spread = np.nanmax(values, axis=axes, keepdims=True) - np.nanmin(values, axis=axes, keepdims=True)
    flat = spread <= 0
    _refuse_constant(flat, constant)
    mean = np.nanmean(values, axis=axes, keepdims=True)
    count = np.sum(~np.isnan(values), axis=axes, keepdims=True)
    square = np.nansum((values - mean) ** 2, axis=axes, keepdims=True)
    deviation = np.sqrt(square / np.maximum(count - ddof, 1))
    return _fill_constant((values - mean) / np.where(flat, 1.0, deviation), values, flat, constant)


def normal_score(X: ArrayLike, *, bounds: Bounds = "panel", constant: float | None = None) -> Floats:
    """z-score sent through the normal distribution function, so that it lies in (0, 1).

    Keeps the z-score's resistance to one extreme region and fits methods that need values in [0, 1].

    >>> normal_score([[1.0], [3.0]]).round(4).ravel().tolist()
    [0.1587, 0.8413]
    """
    scores: Floats = ndtr(zscore(X, bounds=bounds, constant=0.0 if constant is not None else None))
    return scores


def vector(X: ArrayLike, *, bounds: Bounds = "panel") -> Floats:
    """Vector normalisation: z = x / sqrt(Σx²). Keeps the sign: orient costs first.

    Raises:
        ConstantIndicatorError: an indicator that is zero everywhere.

    >>> vector([[3.0], [4.0]]).ravel().tolist()
    [0.6, 0.8]
    """
    values = _values(X)
    axes = _axes(values, bounds)
    _refuse_empty(values, axes)
    length = np.sqrt(np.nansum(values**2, axis=axes, keepdims=True))
    _refuse_constant(length <= 0, None)
    scaled: Floats = values / length
    return scaled


def rank_score(X: ArrayLike, *, bounds: Bounds = "panel") -> Floats:
    """Share of the other observations that lie below, ties counted half: 0 the worst, 1 the best.

    An indicator without spread gives 0.5 to all: a rank can say "no difference" without help.

    >>> rank_score([[10.0], [7.0], [90.0], [7.0]]).round(4).ravel().tolist()
    [0.6667, 0.1667, 1.0, 0.1667]
    """
    values = _values(X)
    _refuse_empty(values, _axes(values, bounds))
    pooled = values if bounds == "year" else values.reshape(-1, values.shape[-1])
    ranks = np.asarray(rankdata(pooled, axis=-2, nan_policy="omit"), dtype=np.float64)
    ranks = np.where(np.isnan(pooled), np.nan, ranks)
    count = np.sum(~np.isnan(pooled), axis=-2, keepdims=True)
    share: Floats = (ranks - 1.0) / np.maximum(count - 1, 1) + np.where(count == 1, 0.5, 0.0)
    return share.reshape(values.shape)


def _values(X: ArrayLike) -> Floats:
    values = np.asarray(X, dtype=np.float64)
    if values.ndim < 2 or values.size == 0:
        raise TooFewError("needs regions × indicators, one of each at least", what="regions", found=0, needed=1)
    if np.isinf(values).any():
        raise FusionError(
            "a value is infinite", code="not_finite", indicators=positions(np.isinf(values).any(axis=_leading(values)))
        )
    return values


def _leading(values: Floats) -> tuple[int, ...]:
    return tuple(range(values.ndim - 1))


def _axes(values: Floats, bounds: Bounds) -> tuple[int, ...]:
    if bounds not in ("panel", "year"):
        raise FusionError(f"bounds are 'panel' or 'year', not {bounds!r}", code="option", bounds=bounds)
    return _leading(values) if bounds == "panel" else (values.ndim - 2,)


def _by_indicator(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(mask.any(axis=tuple(range(mask.ndim - 1))), dtype=np.bool_)


def _refuse_empty(values: Floats, axes: tuple[int, ...]) -> None:
    empty = np.asarray(np.isnan(values).all(axis=axes, keepdims=True))
    if empty.any():
        raise MissingBlockError(
            "an indicator has no observed value within its bounds", indicators=positions(_by_indicator(empty))
        )


def _refuse_constant(flat: NDArray[np.bool_], constant: float | None) -> None:
    if constant is None and flat.any():
        raise ConstantIndicatorError(
            "an indicator is equal everywhere within its bounds and can't be put on a scale",
            indicators=positions(_by_indicator(flat)),
        )


def _fill_constant(z: Floats, values: Floats, flat: NDArray[np.bool_], constant: float | None) -> Floats:
    if constant is None or not flat.any():
        return z
    filled: Floats = np.where(flat & ~np.isnan(values), constant, z)
    return filled
