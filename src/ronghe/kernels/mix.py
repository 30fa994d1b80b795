r"""Shares of a known whole whose mix is not known: the mixes that weigh most and least.

A part (a province) makes s_i of each branch i of size a_i. Known are the whole it makes, Σ a_i s_i = T, and bounds
l_i ≤ s_i ≤ u_i; asked is the mix that is most, or least, for a weight g_i a unit of size:

    max (min)  Σ g_i a_i s_i    subject to  Σ a_i s_i = T,  l ≤ s ≤ u

A linear programme with one constraint beside its bounds is a continuous knapsack: filling the branches in the order of
g solves it (Dantzig 1957, *Operations Research* 5:266).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError

__all__ = ["extreme_mix"]

Floats = NDArray[np.float64]


def extreme_mix(
    size: ArrayLike, low: ArrayLike, high: ArrayLike, total: float, weight: ArrayLike, *, most: bool = True
) -> Floats:
    """The shares (n,) within their bounds that add up to the total and weigh most (or least).

    size     (n,) a >= 0; what a share of 1 would make
    low, high  (n,) bounds of the shares, 0 <= low <= high
    total    T; brought within Σ a·low and Σ a·high where it lies outside
    weight   (n,) g by unit of size; equal weights are filled in the order given

    Raises KernelError for sizes below zero, bounds that cross, or arrays of different length.

    >>> extreme_mix([10.0, 10.0], [0.0, 0.0], [0.5, 1.0], 6.0, [2.0, 1.0]).tolist()
    [0.5, 0.1]
    """
    a, lo, hi, g = (np.asarray(v, dtype=float) for v in (size, low, high, weight))
    if not a.shape == lo.shape == hi.shape == g.shape or a.ndim != 1:
        raise KernelError("shape", "sizes, bounds and weights must be of one length")
    if (a < 0).any() or (lo < 0).any() or (lo > hi).any():
        raise KernelError("bounds", "sizes and shares are zero or more, and no lower bound lies above its upper one")
    order = np.argsort(-g if most else g, kind="stable")
    room = (hi - lo) * a
    left = min(max(float(total) - float(a @ lo), 0.0), float(room.sum()))
    before = np.cumsum(room[order]) - room[order]
    taken = np.empty_like(room)
    taken[order] = np.clip(left - before, 0.0, room[order])
    # Where a branch has no size its share costs nothing: it stays at its lower bound.
    return np.asarray(lo + np.divide(taken, a, out=np.zeros_like(taken), where=a > 0))
