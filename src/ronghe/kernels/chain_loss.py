r"""A loss travelling down a supply chain, week by week.

Nodes are the steps of a chain; an edge u → v says that u goes into v, or that u is a kind of v. L_v(t) in [0, 1] is
what v lacks in week t:

    L_v(t) = min(1, max(q_v(t),  max over inputs u of c_uv(t),  Σ over kinds u of w_uv L_u(t)))

An input holds v up according to what it is:

    stock T   used up and held for T weeks: S(0) = T, S(t+1) = S(t) - (L_u(t) - c(t)),  c(t) = max(0, L_u(t) - S(t))
    wear T    capital that lasts T weeks: c(t) = min(1, Σ_{s ≤ t} L_u(s) / T), the part not replaced so far

Stocks are not filled up again and worn capital is not caught up on within the horizon. Inputs are complements (the
worst one counts), as the essential inputs of Diem et al. 2022 (Sci Rep 12, 7719) and Leontief's; kinds add up by
their weight. Every update is monotone in q, in the weights and in 1/T, so bounds of these give bounds of L.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError

__all__ = ["Edges", "Mode", "carry"]

Floats = NDArray[np.float64]
Mode = Literal["stock", "wear", "kind"]
_MODES = ("stock", "wear", "kind")


class Edges(NamedTuple):
    """The edges of a chain: tail, head (m,), mode (m,) and amount (m,): weeks T, or for a kind its weight w."""

    tail: NDArray[np.intp]
    head: NDArray[np.intp]
    mode: tuple[Mode, ...]
    amount: Floats


def _checked(edges: Edges, q: ArrayLike) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    loss = np.asarray(q, dtype=float)
    amount = np.asarray(edges.amount, dtype=float)
    if loss.ndim != 2 or not ((loss >= 0) & (loss <= 1)).all():
        raise KernelError("loss", "a loss lies between 0 and 1, one row a week and one column a step")
    n = loss.shape[1]
    if not len(edges.tail) == len(edges.head) == len(edges.mode) == len(amount):
        raise KernelError("shape", "every edge needs a tail, a head, a mode and an amount")
    for ends in (edges.tail, edges.head):
        if ((ends < 0) | (ends >= n)).any():
            raise KernelError("index", f"steps must be among 0 ... {n - 1}")
    if not set(edges.mode) <= set(_MODES) or not (amount >= 0).all():
        raise KernelError("mode", "an edge is stock, wear or kind, with an amount of zero or more")
    wear = np.array([m == "wear" for m in edges.mode], dtype=bool)
    kind = np.array([m == "kind" for m in edges.mode], dtype=bool)
    if (kind & (amount > 1)).any():
        raise KernelError("weight", "the weight of a kind lies between 0 and 1")
    return loss, amount, wear, kind


def carry(edges: Edges, q: ArrayLike) -> Floats:
    """What each step lacks in each week, (T, n).

    Parameters
    ----------
    edges : the chain.
    q : (T, n) what is taken away at each step in each week, 0 to 1.

    Raises
    ------
    KernelError
        ``loss``, ``shape``, ``index``, ``mode``, ``weight``.

    Examples
    --------
    Two weeks of stock, then the product stops too.

    >>> edges = Edges(np.array([0]), np.array([1]), ("stock",), np.array([2.0]))
    >>> carry(edges, [[1, 0], [1, 0], [1, 0], [1, 0]])[:, 1].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    loss, amount, wear, kind = _checked(edges, q)
    out = np.zeros_like(loss)
    left = np.where(wear | kind, 0.0, amount)
    worn = np.zeros(len(amount))
    # A tool that lasts no time, or too little for its inverse to be a number, is a flow: it is missing at once.
    lasts = wear & (amount >= np.finfo(np.float64).tiny)
    rate = np.divide(1.0, amount, out=np.full(len(amount), np.inf), where=lasts)
    for t in range(len(loss)):
        level = loss[t].copy()
        for _ in range(loss.shape[1] + 1):
            held = level[edges.tail]
            used = np.minimum(1.0, worn + np.multiply(held, rate, out=np.zeros_like(rate), where=held > 0))
            passed = np.where(wear, used, np.maximum(0.0, held - left))
            new = loss[t].copy()
            np.maximum.at(new, edges.head[~kind], passed[~kind])
            kinds = np.zeros_like(new)
            np.add.at(kinds, edges.head[kind], (held * amount)[kind])
            new = np.minimum(1.0, np.maximum(new, kinds))
            settled = np.array_equal(new, level)
            level = new
            if settled:
                break
        out[t] = level
        held = level[edges.tail]
        stock = ~(wear | kind)
        left = np.where(stock, left - np.minimum(held, left), left)
        worn += np.multiply(held, rate, out=np.zeros_like(rate), where=wear & (held > 0))
        np.minimum(worn, 1.0, out=worn)
    return out
