"""A region's nearest structural peers, and what those who moved ahead did differently.

Paper: Navarro et al., Regional Benchmarking in the Smart Specialisation Process, S3 Working Paper 03/2014:
regions learn from those of like structure, so structure first, results second.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.checks import ConstantIndicatorError, Floats, FusionError, TooFewError, complete, positions


@dataclass(frozen=True, slots=True)
class Peers:
    """The k nearest of each region, nearest first: `index` (n, k) and `distance` (n, k)."""

    index: NDArray[np.int64]
    distance: Floats


def nearest_peers(S: ArrayLike, k: int = 5, *, weights: ArrayLike | None = None) -> Peers:
    """Nearest peers by the distance √(Σ w (s_i - s_r)²) between standardised structural variables.

    Use variables a region can't change soon (size, industry mix, density), not those it is judged by.
    Equal distances are ordered by position.

    Args:
        S: (n, q) structural variables.
        k: peers asked for, at most n - 1.
        weights: (q,) zero or more; 1 each when None. They are scaled to a mean of 1.

    Raises:
        TooFewError: k > n - 1. ConstantIndicatorError: a variable equal everywhere.

    >>> nearest_peers([[0.0], [1.0], [3.0]], k=1).index.tolist()
    [[1], [0], [1]]
    """
    variables = complete(S, 2, "S")
    n, q = variables.shape
    if not 1 <= k <= n - 1:
        raise TooFewError(f"{k} peers need at least {k + 1} regions", what="regions", found=n, needed=k + 1)
    flat = np.ptp(variables, axis=0) == 0
    if flat.any():
        raise ConstantIndicatorError("a structural variable is equal everywhere", indicators=positions(flat))
    w = np.ones(q) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (q,) or not (w >= 0).all() or not w.sum() > 0:
        raise FusionError("weights of variables are zero or more and not all zero", code="link-weights", shape=w.shape)
    scaled = (variables - variables.mean(axis=0)) / variables.std(axis=0) * np.sqrt(w / w.mean())
    gap = scaled[:, None, :] - scaled[None, :, :]
    distance = np.sqrt((gap**2).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return Peers(np.asarray(order, dtype=np.int64), np.take_along_axis(distance, order, axis=1))


def peer_lessons(
    Z_start: ArrayLike, Z_end: ArrayLike, D_start: ArrayLike, D_end: ArrayLike, index: ArrayLike
) -> Floats:
    """By how much the indicators of peers that moved ahead rose more than the region's own.

    A peer moved ahead when its D gained more than the region's over the period and ends above it.

    Args:
        Z_start: (n, m) indicators on one scale at the start.
        Z_end: (n, m) the same at the end, on the same scale (panel bounds).
        D_start: (n,) index at the start.
        D_end: (n,) at the end.
        index: (n, k) peers, from `nearest_peers`.

    Returns:
        (n, m) mean difference in change; NaN rows where no peer moved ahead.

    >>> peer_lessons([[0.1], [0.1]], [[0.2], [0.6]], [0.3, 0.3], [0.4, 0.7], [[1], [0]]).tolist()
    [[0.4], [nan]]
    """
    start, end = complete(Z_start, 2, "Z_start"), complete(Z_end, 2, "Z_end")
    before, after = complete(D_start, 1, "D_start"), complete(D_end, 1, "D_end")
    near = np.asarray(index, dtype=np.int64)
    if start.shape != end.shape or not len(before) == len(after) == len(start) == len(near):
        raise FusionError(
            "all arrays describe the same regions", code="shape", shapes=(start.shape, end.shape, near.shape)
        )
    gain, rise = after - before, end - start
    ahead = (gain[near] > gain[:, None]) & (after[near] > after[:, None])
    count = ahead.sum(axis=1)[:, None]
    mean = (rise[near] * ahead[:, :, None]).sum(axis=1) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, mean - rise, np.nan), dtype=np.float64)
