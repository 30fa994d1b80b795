"""The Economic Systemic Risk Index: how far a firm's failure travels through a supply network.

W[j, i] is what customer i buys from supplier j, p[i] the sector of i, s[i] its sales, e[k, l] whether
inputs of sector k are essential (2), non-essential (1) or irrelevant (0) to sector l. Losses d (supply)
and u (demand) run from 0 to 1; the shock sets d = u = q at the firms that fail by the fraction q and is
never undone.

    supply   φ_j = σ_j d_j,  σ_j = min(1, s_j / Σ_{l: p_l = p_j} s_l (1 − d_l))    (1 if nothing is left)
             d_i = max(q_i, Σ_{non-essential j} φ_j W_ji / Σ_{all j} W_ji,
                       max over essential sectors k of Σ_{j∈k} φ_j W_ji / Σ_{j∈k} W_ji)
    demand   u_j = max(q_j, Σ_i W_ji u_i / s_j)
    index    Σ s max(d, u) / Σ s;  supply-only index Σ s d / Σ s

Updates are Jacobi. The two sides do not feed each other, so each runs until none of its own losses moves
by more than eps (the papers stop both together at 1e-2; here the default, 1e-9, is convergence). When s
counts only sales inside a closed network, u drifts to 1 for everyone: give final demand, or read the
supply side alone.

Diem, Borsos, Reisch, Kertész & Thurner, Quantifying firm-level economic systemic risk from nation-wide
supply networks, Sci Rep 12, 7719 (2022).

Replacement. σ is the paper's stand-in for finding another supplier: a small firm is replaced, a large one
is not. Two variants, both monotone, take its place on request: σ**power (0: nobody is replaced, 1: the
paper, above 1: easier), and rewiring. With rewiring a firm l can deliver κ_l s_l on top of its sales while
it works, c_l = κ_l s_l (1 − d_l) under loss; the customers of sector k have lost Q_k = Σ_{j∈k} d_j o_j,
o_j being j's sales inside the network; each supplier's spare capacity is offered in proportion to what was
lost, and nobody is replaced by itself, so that of j's lost deliveries the part

    τ_j = min(1, max(0, 1 − (Σ_{l∈k} c_l − c_j) / Q_k))

stays lost and φ_j = τ_j d_j. The allotment is feasible (no l gives more than c_l). Spare capacity as a
margin over ordinary output is that of Hallegatte 2008, Risk Analysis 28, 779, and rationing in proportion
that of Henriet, Hallegatte & Tabourier 2012, J. Econ. Dyn. Control 36, 150, set here into the cascade;
the demand side gives the new suppliers no credit for what they gain.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.cascade_network import Floats, Ints, Layout, Network
from ronghe.kernels.cascade_push import Rule, desk, push_demand, push_supply
from ronghe.kernels.errors import KernelError

MAX_STEPS = 100_000
NO_LIMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class Replacement:
    """How lost deliveries are replaced: σ**power, or, when spare is given, rewiring within spare capacity.

    power ≥ 0. spare: κ ≥ 0, one number or (n,), as a share of sales.
    """

    power: float = 1.0
    spare: float | Floats | None = None


PUBLISHED = Replacement()


@dataclass(frozen=True, slots=True)
class Cascade:
    """One scenario at rest.

    d, u: (n,) losses of the supply and demand side. index, supply_index, demand_index: shares of Σ s.
    steps: of the supply and the demand side. at_rest: no loss moved by more than eps in the last step.
    links: supply and demand links touched. path_d, path_u: (steps + 1, n), the losses after each step, row 0
    the shock, when asked for; a side at rest repeats its last state.
    """

    d: Floats
    u: Floats
    index: float
    supply_index: float
    demand_index: float
    steps: tuple[int, int]
    at_rest: bool
    links: int
    path_d: Floats | None = None
    path_u: Floats | None = None


def cascade(
    net: Network,
    firms: ArrayLike,
    fraction: ArrayLike = 1.0,
    *,
    replacement: Replacement = PUBLISHED,
    eps: float = 1e-9,
    max_steps: int = MAX_STEPS,
    path: bool = False,
) -> Cascade:
    """Fail a set of firms, each by a fraction, and follow the loss to rest.

    Parameters
    ----------
    net : the network.
    firms : firms that fail, in the numbering of the edge list; none means no shock.
    fraction : loss of each, between 0 and 1; one number or one a firm.
    replacement : see the module.
    eps : a side is at rest when no loss on it moves by more.
    max_steps : bound on the steps of a side.
    path : also keep the losses after every step (2 · (steps + 1) · n · 8 bytes).

    Raises
    ------
    KernelError
        ``firms`` (unknown or repeated), ``fraction`` (outside 0–1), ``eps``, ``replacement``.

    Examples
    --------
    Firm 0 is firm 1's only source of an essential input.

    >>> from ronghe.kernels.cascade_network import network
    >>> net = network([0, 1], [1, 2], [5.0, 4.0], [0, 1, 1], [[2, 2], [1, 1]], final_demand=[0, 1, 30])
    >>> done = cascade(net, [0])
    >>> done.d.round(6).tolist(), done.u.tolist(), round(done.supply_index, 6)
    ([1.0, 1.0, 0.211325], [1.0, 0.0, 0.0], 0.408494)
    """
    which, q = _shock(net, firms, fraction)
    by = rule(net, replacement)
    if not eps >= 0:
        raise KernelError("eps", f"eps = {eps} must not be negative", eps=eps)
    work = desk(net.n_firms, net.n_groups, net.n_sectors)
    place = net.place[which].astype(np.int32)
    first, _, some, moved = push_supply(net.layout, by, work, place, q, eps, 0.0, NO_LIMIT, max_steps)
    d = work.loss[net.place]
    work = desk(net.n_firms, net.n_groups, net.n_sectors)
    second, _, more, drifted = push_demand(net.layout, work, place, q, eps, 0.0, NO_LIMIT, max_steps)
    u = work.loss[net.place]
    s = net.layout.sales[net.place]
    kept = _path(net, which, q, by, (first, second)) if path else (None, None)
    return Cascade(
        d,
        u,
        float(s @ np.maximum(d, u)) / net.total,
        float(s @ d) / net.total,
        float(s @ u) / net.total,
        (first, second),
        max(moved, drifted) <= eps,
        some + more,
        *kept,
    )


def _shock(net: Network, firms: ArrayLike, fraction: ArrayLike) -> tuple[Ints, Floats]:
    which = np.asarray(firms).ravel()
    which = which.astype(np.int64) if which.size == 0 or np.issubdtype(which.dtype, np.integer) else which
    if which.dtype != np.int64 or ((which < 0) | (which >= net.n_firms)).any():
        raise KernelError("firms", f"firms must be whole numbers from 0 to {net.n_firms - 1}", firms=which)
    if np.unique(which).size != which.size:
        raise KernelError("firms", "a firm fails twice in one scenario", firms=which)
    given = np.asarray(fraction, dtype=np.float64).ravel()
    if given.size not in (1, which.size):
        raise KernelError("fraction", f"{given.size} fractions for {which.size} firms", fraction=given)
    if not ((given >= 0) & (given <= 1)).all():
        raise KernelError("fraction", "a loss must lie between 0 and 1", fraction=given)
    return which, np.array(np.broadcast_to(given, which.shape))


def rule(net: Network, replacement: Replacement) -> Rule:
    """The replacement rule as the compiled kernels read it."""
    if not (np.isfinite(replacement.power) and replacement.power >= 0):
        raise KernelError("replacement", f"power = {replacement.power} must be 0 or more", power=replacement.power)
    s, first = net.layout.sales, net.layout.first
    capacity, rewire = s, 0
    if replacement.spare is not None:
        spare = np.asarray(replacement.spare, dtype=np.float64)
        if spare.shape not in ((), (net.n_firms,)) or not (np.isfinite(spare) & (spare >= 0)).all():
            raise KernelError("replacement", "spare must be 0 or more, one number or one a firm", spare=spare)
        capacity, rewire = s * (spare[net.order] if spare.ndim else spare), 1
    running = np.concatenate(([0.0], np.cumsum(capacity)))
    volume = running[first[1:]] - running[first[:-1]]
    for k in np.flatnonzero(np.diff(first)):
        volume[k] = capacity[first[k] : first[k + 1]].sum()
    return Rule(rewire, float(replacement.power), capacity, volume)


def shares(net: Layout, by: Rule, d: Floats) -> Floats:
    """σ**power or τ of every firm at losses d, in the order of the layout."""
    k = net.first.size - 1
    volume = np.bincount(net.sector, by.capacity * (1.0 - d), minlength=k)[net.sector]
    if by.rewire:
        lost = np.bincount(net.sector, net.sold * d, minlength=k)[net.sector]
        spare = volume - by.capacity * (1.0 - d)
        kept = 1.0 - np.divide(spare, lost, out=np.ones_like(d), where=lost > 0)
        return np.asarray(np.clip(kept, 0.0, 1.0))
    share = np.divide(by.capacity, volume, out=np.ones_like(d), where=volume > by.capacity)
    return np.asarray(share**by.power)


def supply_steps(net: Layout, by: Rule, d: Floats) -> Iterator[Floats]:
    """The supply side step by step, whole network each, from the shock d (in the order of the layout)."""
    customer = np.repeat(np.arange(d.size), np.diff(net.pull_ptr))
    group = np.cumsum(net.pull_weight < 0) - 1
    owner = customer[net.pull_weight < 0]
    while True:
        phi = d * shares(net, by, d)
        loss = np.bincount(group, np.abs(net.pull_weight) * phi[net.pull_firm], minlength=owner.size)
        d = d.copy()
        np.maximum.at(d, owner, np.minimum(loss, 1.0))
        yield d


def demand_steps(net: Layout, u: Floats) -> Iterator[Floats]:
    """The demand side step by step, whole network each, from the shock u (in the order of the layout)."""
    supplier = np.repeat(np.arange(u.size), np.diff(net.sale_ptr))
    while True:
        lost = np.bincount(supplier, net.sale_weight * u[net.sale_firm], minlength=u.size)
        u = np.maximum(u, np.minimum(lost, 1.0))
        yield u


def _path(net: Network, which: Ints, q: Floats, by: Rule, steps: tuple[int, int]) -> tuple[Floats, Floats]:
    start = np.zeros(net.n_firms)
    start[net.place[which]] = q
    sides = supply_steps(net.layout, by, start), demand_steps(net.layout, start)
    paths = []
    for side, count in zip(sides, steps, strict=True):
        path: NDArray[np.float64] = np.empty((max(steps) + 1, net.n_firms))
        path[0] = start[net.place]
        for t in range(1, max(steps) + 1):
            path[t] = next(side)[net.place] if t <= count else path[t - 1]
        paths.append(path)
    return paths[0], paths[1]
