r"""The supply side: Ghosh's model, forward linkages, and output held down by capacity.

Symbols (Ghosh 1958; Miller & Blair 2009, sections 12.1 and 13.2; Antràs, Chor, Fally & Hillberry 2012)

    B = x̂⁻¹ Z       allocation coefficients: the share of i's output sold to j
    G = (I - B)⁻¹   Ghosh inverse;  x' = v' G for primary inputs v
    G 1             forward linkage and upstreamness: distance from final use, at least 1

B = x̂⁻¹ A x̂, hence G = x̂⁻¹ L x̂: the factorisation of I - A serves here too, and G 1 = (L x) / x.
Read Ghosh's model as one of prices or as a measure of reliance, not as a forecast of quantities (Oosterhaven
1988; Dietzenbacher 1997). For quantities under capacity limits use `mixed` or `bottleneck`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError
from ronghe.kernels.leontief import Floats, Leontief, Matrix, SingularSystem, Solver, check_flows, is_sparse

__all__ = [
    "Bottleneck",
    "allocation_coefficients",
    "bottleneck",
    "forward_linkage",
    "ghosh_inverse",
    "mixed",
    "supply_output",
    "upstreamness",
]


def _output(x: ArrayLike, n: int) -> Floats:
    x = np.asarray(x, dtype=float)
    if x.shape != (n,) or not (x >= 0).all():
        raise KernelError("output", f"output must be zero or more with shape ({n},), not {x.shape}")
    return x


def allocation_coefficients(Z: Matrix, x: ArrayLike, *, allow_negative: bool = False) -> Matrix:
    """B = x̂⁻¹ Z, (n, n): the share of i's output that j buys; the row of a sector without output is zero.

    >>> allocation_coefficients(np.array([[150.0, 500.0], [200.0, 100.0]]), [1000.0, 2000.0])
    array([[0.15, 0.5 ],
           [0.1 , 0.05]])
    """
    if not allow_negative:
        check_flows(Z)
    x = _output(x, Z.shape[0])
    scale = np.divide(1.0, x, out=np.zeros_like(x), where=x > 0)
    return sp.csr_array(sp.diags_array(scale) @ Z) if is_sparse(Z) else np.asarray(Z, float) * scale[:, None]


def supply_output(economy: Solver, x: ArrayLike, v: ArrayLike) -> Floats:
    """Output x' = v' G carried by primary inputs v, (n,) or (n, m), where x (n,) is the base year's output.

    Give a change of primary inputs to get the change of output (a supply shock passed on downstream). Sectors
    without output pass nothing on and get nothing.
    """
    x = _output(x, economy.A.shape[0])
    v = np.asarray(v, dtype=float)
    base = x if v.ndim == 1 else x[:, None]
    share = np.divide(v, base, out=np.zeros_like(v), where=base > 0)
    return economy.solve(share, transposed=True).x * base


def upstreamness(economy: Solver, x: ArrayLike) -> Floats:
    """G 1 = (L x) / x, (n,): average number of steps to final use, 1 where all output is final.

    Sectors without output get 1. Raises KernelError for negative output.

    >>> from ronghe.kernels.leontief import factorise
    >>> upstreamness(factorise(np.array([[0.15, 0.25], [0.2, 0.05]])), [1000.0, 2000.0]).round(6).tolist()
    [1.914191, 1.254125]
    """
    x = _output(x, economy.A.shape[0])
    reached = economy.solve(x).x
    return np.divide(reached, x, out=np.ones_like(x), where=x > 0)


def forward_linkage(economy: Solver, x: ArrayLike) -> Floats:
    """Row sums of G, (n,): output that one unit of primary input to each sector carries (same as upstreamness)."""
    return upstreamness(economy, x)


def ghosh_inverse(economy: Leontief, x: ArrayLike) -> Floats:
    """G = x̂⁻¹ L x̂ in full, (n, n); rows and columns of sectors without output are those of the identity."""
    x = _output(x, economy.n)
    G = economy.inverse()
    live = x > 0
    G *= np.divide(1.0, x, out=np.zeros_like(x), where=live)[:, None]
    G *= x
    G[~live, ~live] = 1.0
    return G


def mixed(economy: Leontief, f: ArrayLike, fixed: ArrayLike, x_fixed: ArrayLike) -> tuple[Floats, Floats]:
    """Output and final deliveries when some outputs are given from outside (Miller & Blair 2009, section 13.2).

    f        (n,) final demand; its entries at `fixed` are not used
    fixed    (k,) indices of sectors whose output is exogenous
    x_fixed  (k,) that output

    Returns (x, delivered): x equals `x_fixed` there and meets f elsewhere; delivered = (I - A) x, and at the fixed
    sectors what remains for final use (negative: their output does not even cover what industries ask for).
    Uses the factorisation with k extra solves: x = L (f + E g), L_JJ g = x_fixed - (L f)_J.
    Raises SingularSystem if the fixed block has no solution, KernelError for bad indices or shapes.
    """
    f = np.asarray(f, dtype=float)
    chosen = np.asarray(fixed, dtype=np.intp)
    target = np.asarray(x_fixed, dtype=float)
    bad = len(np.unique(chosen)) != len(chosen) or ((chosen < 0) | (chosen >= economy.n)).any()
    if f.shape != (economy.n,) or target.shape != chosen.shape or bad:
        raise KernelError("index", "f needs n entries; fixed sectors must be distinct, in range, one output each")
    x = economy.solve(f).x
    if not len(chosen):
        return x, f.copy()
    unit = np.zeros((economy.n, len(chosen)))
    unit[chosen, np.arange(len(chosen))] = 1
    columns = economy.solve(unit).x
    try:
        gap = np.linalg.solve(columns[chosen], target - x[chosen])
    except np.linalg.LinAlgError as error:
        raise SingularSystem(chosen, "the outputs fixed do not determine the rest") from error
    x = x + columns @ gap
    x[chosen] = target
    delivered = f.copy()
    delivered[chosen] += gap
    return x, delivered


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Largest output within capacity. `x` (n,), `delivered` (n,) to final use, `binding` (n,) capacity reached.

    `short` (n,) is what the binding sectors lack even to serve industries (stocks or imports would have to fill
    it); where it is above zero the plan as a whole cannot be carried out.
    """

    x: Floats
    delivered: Floats
    binding: NDArray[np.bool_]
    short: Floats


def bottleneck(economy: Leontief, f: ArrayLike, capacity: ArrayLike) -> Bottleneck:
    """Output when capacity caps some sectors and demand drives the others: x = min(capacity, A x + f).

    f (n,) final demand, zero or more; capacity (n,), zero or more, inf where unlimited. The cut falls on final
    use of the capped products; industries are served first. The solution is unique, since I - A is an M-matrix,
    and is found by fixing the sectors over capacity and solving again, at most n times and mostly once or twice
    (policy iteration: Howard 1960; Bokanowski, Maroso & Zidani 2009).

    >>> from ronghe.kernels.leontief import factorise
    >>> economy = factorise(np.array([[0.15, 0.25], [0.2, 0.05]]))
    >>> bottleneck(economy, [350.0, 1700.0], [np.inf, 1500.0]).x.round(4).tolist()
    [852.9412, 1500.0]
    """
    f = np.asarray(f, dtype=float)
    cap = np.asarray(capacity, dtype=float)
    if f.shape != (economy.n,) or cap.shape != f.shape or not ((f >= 0) & (cap >= 0)).all():
        raise KernelError("capacity", "final demand and capacity must be zero or more, one entry a sector")
    x, binding = economy.solve(f).x, np.zeros(economy.n, dtype=bool)
    delivered = f.copy()
    for _ in range(economy.n + 1):
        over = cap < economy.A @ x + f - 1e-12 * (1 + np.abs(x))
        if (over == binding).all():
            break
        binding = over
        where = np.flatnonzero(binding)
        x, delivered = mixed(economy, f, where, cap[where])
    return Bottleneck(x, delivered, binding, np.maximum(-delivered, 0.0))
