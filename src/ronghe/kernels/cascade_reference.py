"""The cascade written down as its definition reads, on dense matrices: slow, and the measure of the others.

Definitions and the paper are those of `ronghe.kernels.cascade`. Use it for networks of some hundred firms.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def dense_cascade(
    W: ArrayLike,
    sector: ArrayLike,
    essential: ArrayLike,
    q: ArrayLike,
    *,
    sales: ArrayLike | None = None,
    power: float = 1.0,
    spare: ArrayLike | None = None,
    eps: float = 1e-9,
    max_steps: int = 100_000,
) -> tuple[Floats, Floats]:
    """Losses d and u at rest.

    Parameters
    ----------
    W : (n, n), W[j, i] = what i buys from j, zero diagonal.
    sector : (n,) sector of each firm. essential : (K, K) of 2, 1, 0, row = supplier's sector.
    q : (n,) shock, 0 to 1.
    sales : (n,) sales; None takes the rows' sums.
    power, spare : replacement, see `cascade`; spare gives rewiring.
    eps : each side stops when no loss moves by more.

    Examples
    --------
    >>> d, u = dense_cascade(
    ...     [[0, 5, 0], [0, 0, 4], [0, 0, 0]], [0, 1, 1], [[2, 2], [1, 1]], [1, 0, 0], sales=[5, 5, 30]
    ... )
    >>> d.round(6).tolist(), u.tolist()
    ([1.0, 1.0, 0.211325], [1.0, 0.0, 0.0])
    """
    flow, p = np.asarray(W, dtype=np.float64), np.asarray(sector)
    e, shock = np.asarray(essential), np.asarray(q, dtype=np.float64)
    s = flow.sum(axis=1) if sales is None else np.asarray(sales, dtype=np.float64)
    kappa = None if spare is None else np.broadcast_to(np.asarray(spare, dtype=np.float64), s.shape)
    d = shock.copy()
    for _ in range(max_steps):
        new = _supply(flow, p, e, s, shock, d, power, kappa)
        moved = np.max(new - d, initial=0.0)
        d = new
        if moved <= eps:
            break
    u = shock.copy()
    share = np.divide(flow, s[:, None], out=np.zeros_like(flow), where=s[:, None] > 0)
    for _ in range(max_steps):
        new = np.maximum(shock, share @ u)
        moved = np.max(new - u, initial=0.0)
        u = new
        if moved <= eps:
            break
    return d, u


def _supply(
    flow: Floats,
    p: NDArray[np.int64],
    e: NDArray[np.int64],
    s: Floats,
    q: Floats,
    d: Floats,
    power: float,
    kappa: Floats | None,
) -> Floats:
    """One Jacobi step of the supply side."""
    n = s.size
    phi = np.array([d[j] * _unreplaced(j, flow, p, s, d, power, kappa) for j in range(n)])
    new = q.copy()
    for i in range(n):
        total = flow[:, i].sum()
        plain = e[p, p[i]] == 1
        if total > 0:
            new[i] = max(new[i], float((phi * flow[:, i])[plain].sum()) / total)
        for k in range(e.shape[0]):
            inside = (p == k) & (flow[:, i] > 0)
            if e[k, p[i]] == 2 and inside.any():
                lost = float((phi * flow[:, i])[inside].sum()) / float(flow[inside, i].sum())
                new[i] = max(new[i], lost)
    return np.minimum(new, 1.0)


def _unreplaced(
    j: int, flow: Floats, p: NDArray[np.int64], s: Floats, d: Floats, power: float, kappa: Floats | None
) -> float:
    """σ_j**power, or τ_j when there is spare capacity to rewire to."""
    peers = p == p[j]
    if kappa is None:
        left = float((s * (1.0 - d))[peers].sum())
        return 1.0 if left <= 0 else float(min(1.0, s[j] / left) ** power)
    lost = float((d * flow.sum(axis=1))[peers].sum())
    others = peers & (np.arange(s.size) != j)
    offered = float((kappa * s * (1.0 - d))[others].sum())
    return 0.0 if lost <= 0 else min(1.0, max(0.0, 1.0 - offered / lost))
