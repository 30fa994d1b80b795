"""The demand side of one firm's failure, only as far as the index needs it, with a proven bound.

The demand side is linear: with M[j, i] = W[j, i] / s[j] and N = (I − M)⁻¹, the firm f that fails gives
u = N[:, f] / N[f, f]. So h = s'N, solved once for all firms, gives

    Σ s·u = h[f] / N[f, f] = h[f] · (1 − Σ_i M[f, i] u[i]),

which needs u only at f's customers; and Σ s·max(d, u) needs it, besides, where d > 0. Increments are pushed
from the firms that hold most of them back, largest first. When no firm holds back more than r, every u
lacks at most r · (N1 − 1), and the interval that follows for the index is narrowed until it is shorter than
what was asked for. No other approximation is made.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ronghe.kernels import cascade_push
from ronghe.kernels.cascade_network import Layout
from ronghe.kernels.cascade_push import Desk, links_of, push_demand_step
from ronghe.kernels.compiled import compiled

Floats = NDArray[np.float64]

ROUNDS = 1000
SLACK = 1e-10
STEEP = 1e3
FALL = 8.0


@dataclass(frozen=True, slots=True)
class Reach:
    """h = s'N, worth = (h − s) / Σs and spread = (N − I)1 of a network.

    worth and spread are upper bounds. All are empty when N does not exist, or nearly so: where hardly any
    sales leave the network the sums over N lose the digits the bounds need.
    """

    h: Floats
    worth: Floats
    spread: Floats

    @property
    def bounded(self) -> bool:
        """Whether the bounds hold for this network."""
        return self.h.size > 0


NO_BOUND = Reach(np.zeros(0), np.zeros(0), np.zeros(0))


def reach(net: Layout) -> Reach:
    """Solve for h and spread by fixed-point rounds; nothing where the rounds do not settle."""
    n = net.sales.size
    by_seller = csr_array((net.sale_weight, net.sale_firm, net.sale_ptr), shape=(n, n))
    by_buyer = csr_array((net.buy_weight, net.buy_firm, net.buy_ptr), shape=(n, n))
    h, spread = _fixed(by_buyer, net.sales), _fixed(by_seller, np.ones(n))
    if h is None or spread is None or h.max() > STEEP * net.sales.sum():
        return NO_BOUND
    # A hair above the solution of v = start + matrix·v is an upper bound of it, the matrix being non-negative.
    worth = (h * (1.0 + SLACK) - net.sales) / net.sales.sum()
    return Reach(h, worth, spread * (1.0 + SLACK) - 1.0)


def _fixed(matrix: csr_array, start: Floats) -> Floats | None:
    """The solution of v = start + matrix·v; None when the rounds do not settle."""
    value = start.copy()
    for _ in range(ROUNDS):
        new: Floats = start + matrix @ value
        change = np.max(np.abs(new - value) / np.maximum(new, 1e-300))
        value = new
        if change < 1e-14:
            return value
    return None


@compiled(cascade_push)
def _interval(
    net: Layout, w: Desk, n_seen: int, hit: Desk, n_hit: int, f: int, h: Floats, spread: Floats
) -> tuple[float, float, float, float, float]:
    """Bounds (low, high) of Σ s·u and of Σ s·max(d, u), and the most any firm holds back."""
    back, got = 0.0, 0.0
    for a in range(n_seen):
        j = w.seen[a]
        back = max(back, w.loss[j] - w.sent[j])
        got += net.sales[j] * w.loss[j]
    both, blurred = got, 0.0
    for a in range(n_hit):
        i = hit.seen[a]
        if hit.loss[i] > w.loss[i]:
            over = hit.loss[i] - w.loss[i]
            both += net.sales[i] * over
            blurred += net.sales[i] * min(over, spread[i] * back)
    high = max(got, h[f] * (1.0 - w.pile[f]))
    low = max(got, high - h[f] * spread[f] * back)
    return low, high, both + max(0.0, low - got - blurred), both + high - got, back


@compiled(cascade_push)
def _held_back(w: Desk, firms: NDArray[np.int32], count: int, least: float) -> int:
    """List the firms that hold back more than `least`."""
    n_who = 0
    for a in range(count):
        j = firms[a]
        by = w.loss[j] - w.sent[j]
        if by > least:
            w.sent[j] = w.loss[j]
            w.who[n_who] = j
            w.step_by[n_who] = by
            n_who += 1
    return n_who


@compiled(cascade_push)
def reach_demand(
    net: Layout,
    w: Desk,
    hit: Desk,
    n_hit: int,
    f: int,
    h: Floats,
    spread: Floats,
    room: float,
    budget: int,
) -> tuple[float, float, bool, int, int, int]:
    """Σ s·u and Σ s·max(d, u) within room / 2, for firm f failed and the supply losses on desk `hit`.

    Returns (demand, both, whether the room was kept, firms reached, links touched, rounds). The desk `w`
    must be cleared with `cascade_push.clear_demand`.
    """
    w.loss[f] = 1.0
    w.seen[0] = f
    n_seen, touched, step, least = 1, 0, 0, 0.05
    n_who = _held_back(w, w.seen, n_seen, least)
    while True:
        while n_who > 0:
            links = links_of(net.buy_ptr, w, n_who)
            if touched + links > budget:
                # These increments are noted as sent but not delivered: an interval would be wrong.
                return 0.0, 0.0, False, n_seen, touched, step
            touched += links
            step += 1
            n_moved, n_seen = push_demand_step(net, w, step, n_who, n_seen)
            n_who = _held_back(w, w.moved, n_moved, least)
        low, high, both_low, both_high, back = _interval(net, w, n_seen, hit, n_hit, f, h, spread)
        if max(high - low, both_high - both_low) <= room or back == 0.0:
            return (low + high) / 2.0, (both_low + both_high) / 2.0, True, n_seen, touched, step
        least = min(least, back) / FALL
        n_who = _held_back(w, w.seen, n_seen, least)
