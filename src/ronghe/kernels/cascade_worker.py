"""One thread of the all-firms run: light scenarios pushed at once, heavy ones kept for the lanes.

See `ronghe.kernels.cascade_firms`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels import cascade_push, cascade_reach
from ronghe.kernels.cascade import MAX_STEPS
from ronghe.kernels.cascade_board import Board, Shelf, board, shelf
from ronghe.kernels.cascade_lanes import add_settled, run_demand, run_supply
from ronghe.kernels.cascade_network import Floats, Index, Layout, Network
from ronghe.kernels.cascade_push import (
    Desk,
    Rule,
    clear_demand,
    clear_supply,
    desk,
    push_demand,
    push_supply,
)
from ronghe.kernels.cascade_reach import Reach, reach_demand
from ronghe.kernels.compiled import compiled

SHELF = 1 << 28  # bytes a thread keeps for heavy scenarios that wait for lanes, at most
ROUNDING = 32 * 2.0**-24  # of an index from float32 lanes, relative, at most (seen: under half of it)
BUDGET = 0.01


class Out(NamedTuple):
    """Results by firm, in the order of the layout; every scenario writes its own place."""

    both: Floats
    supply: Floats
    demand: Floats
    pushed: NDArray[np.int64]  # links touched one by one
    swept: NDArray[np.int64]  # links touched in whole sweeps
    steps: Index
    rested: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all threads of a run share."""

    net: Network
    by: Rule
    bound: Reach
    eps: float
    least: float  # increments the supply side may hold back; 0 in exact runs
    demand: bool
    fast: bool  # all lanes in float32


@compiled(cascade_push, cascade_reach)
def _light_supply(net: Layout, by: Rule, w: Desk, f: Index, eps: float, least: float, budget: int) -> Any:
    return push_supply(net, by, w, f, np.ones(1), eps, least, budget, MAX_STEPS)


@compiled(cascade_push, cascade_reach)
def _light_demand(
    net: Layout,
    v: Desk,
    w: Desk,
    n_hit: int,
    f: Index,
    h: Floats,
    spread: Floats,
    eps: float,
    total: float,
    budget: int,
) -> tuple[float, float, bool, int, int]:
    """Σ s·u and Σ s·max(d, u) with the supply losses on desk w; whether they are good; links; steps."""
    if h.size > 0:
        demand, both, kept, seen, links, steps = reach_demand(net, v, w, n_hit, f[0], h, spread, eps * total, budget)
    else:
        steps, seen, links, moving = push_demand(net, v, f, np.ones(1), eps, 0.0, budget, MAX_STEPS)
        kept = moving <= eps
        demand, both = 0.0, 0.0
        for a in range(seen):
            demand += net.sales[v.seen[a]] * v.loss[v.seen[a]]
        both = demand
        for a in range(n_hit):
            i = w.seen[a]
            both += net.sales[i] * max(0.0, w.loss[i] - v.loss[i])
    clear_demand(v, seen)
    return demand, both, kept, links, steps


@compiled(cascade_push, cascade_reach)
def _light(
    net: Layout,
    by: Rule,
    w: Desk,
    v: Desk,
    firms: Index,
    start: int,
    h: Floats,
    spread: Floats,
    eps: float,
    least: float,
    total: float,
    budget: int,
    with_demand: bool,
    shelf: Shelf,
    out: Out,
) -> tuple[int, int]:
    """Run firms[start:] until the shelf is full: (next position, scenarios on the shelf)."""
    waiting, at = 0, start
    while at < firms.size and waiting < shelf.firm.size:
        f = firms[at : at + 1]
        steps, n_hit, links, moving = _light_supply(net, by, w, f, eps, least, budget)
        supply = 0.0
        for a in range(n_hit):
            supply += net.sales[w.seen[a]] * w.loss[w.seen[a]]
        done, demand, both, more, rounds = moving <= eps, np.nan, supply, 0, 0
        if done and with_demand:
            demand, both, done, more, rounds = _light_demand(net, v, w, n_hit, f, h, spread, eps, total, budget)
        i = f[0]
        out.pushed[i] = links + more
        out.steps[i] = max(steps, rounds)
        if done:
            out.supply[i], out.demand[i], out.both[i] = supply / total, demand / total, both / total
            out.rested[i] = True
        else:
            shelf.firm[waiting], shelf.hits[waiting], shelf.supply[waiting] = i, n_hit, supply / total
            shelf.settled[waiting] = moving <= eps
            for a in range(n_hit):
                shelf.hit[waiting, a] = w.seen[a]
                shelf.loss[waiting, a] = w.loss[w.seen[a]]
            waiting += 1
        clear_supply(net, w, n_hit)
        at += 1
    return at, waiting


def shelf_room(n_firms: int) -> int:
    """How many heavy scenarios a thread keeps."""
    return int(np.clip(SHELF // (8 * n_firms), 16, 512))


def least_budget(n_links: int) -> int:
    """Links a scenario may touch one by one before it goes to the lanes."""
    return max(1000, int(BUDGET * n_links))


class Worker:
    """The working memory of one thread, and the loop over its share of firms."""

    def __init__(self, plan: Plan) -> None:
        net = plan.net
        self.plan = plan
        self.desks = [desk(net.n_firms, net.n_groups, net.n_sectors) for _ in range(2)]
        room = shelf_room(net.n_firms)
        self.shelf = shelf(room, min(least_budget(net.n_links) + 1, net.n_firms), net.n_firms)
        worth = plan.bound.worth if plan.bound.bounded else np.zeros(net.n_firms)
        self.reach_of = worth
        self.single = board(net.layout, plan.by, worth, np.float32)
        self.double = self.single if plan.fast else board(net.layout, plan.by, worth, np.float64)

    def run(self, firms: Index, out: Out) -> None:
        """Every firm of `firms` (layout numbers) in turn; results into `out`."""
        plan, net = self.plan, self.plan.net
        at, budget = 0, least_budget(net.n_links)
        while at < firms.size:
            at, waiting = _light(
                net.layout,
                plan.by,
                self.desks[0],
                self.desks[1],
                firms,
                at,
                plan.bound.h,
                plan.bound.spread,
                plan.eps,
                plan.least,
                net.total,
                budget,
                plan.demand,
                self.shelf,
                out,
            )
            self._heavy(waiting, out)

    def _heavy(self, waiting: int, out: Out) -> None:
        on, single = self.shelf, np.inf if self.plan.fast else self.plan.eps / ROUNDING
        on.rested[:waiting] = True
        on.sweeps[:waiting] = 0
        # Scenarios that need a like number of sweeps run together, and the longest first, or one is left to run alone.
        if self.plan.demand:
            slots = np.argsort(-self.reach_of[on.firm[:waiting]], kind="stable")
            large = self._demanded(on.firm[slots]) > single
            self._demand(self.single, slots[~large])
            self._demand(self.double, slots[large])
        add_settled(self.plan.net.layout, np.flatnonzero(on.settled[:waiting]), self.plan.net.total, on)
        slots = np.flatnonzero(~on.settled[:waiting])
        slots = slots[np.argsort(-on.supply[slots], kind="stable")]
        large = on.supply[slots] > single
        rested = on.rested[:waiting].copy()
        self._supply(self.single, slots[~large], single)
        again = slots[large | on.grown[slots]]
        again = again[np.argsort(-on.supply[again], kind="stable")]
        on.rested[again] = rested[again]
        self._supply(self.double, again, np.inf)
        self._results(waiting, out)

    def _demanded(self, firms: Index) -> Floats:
        """What the demand-only index cannot pass."""
        net, bound = self.plan.net, self.plan.bound
        return bound.h[firms] / net.total if bound.bounded else np.ones(firms.size)

    def _supply(self, b: Board, slots: NDArray[np.int64], small: float) -> None:
        net, plan = self.plan.net, self.plan
        run_supply(net.layout, b, plan.by, plan.eps, MAX_STEPS, slots, net.total, small, self.shelf)

    def _demand(self, b: Board, slots: NDArray[np.int64]) -> None:
        net, plan = self.plan.net, self.plan
        run_demand(net.layout, b, plan.bound.bounded, plan.eps, MAX_STEPS, slots, net.total, self.shelf)

    def _results(self, waiting: int, out: Out) -> None:
        layout, on, firms = self.plan.net.layout, self.shelf, self.shelf.firm[:waiting]
        sweeps = on.sweeps[:waiting]
        out.supply[firms] = on.supply[:waiting]
        out.rested[firms] = on.rested[:waiting]
        out.swept[firms] += sweeps[:, 0] * layout.pull_firm.size + sweeps[:, 1] * layout.sale_firm.size
        out.steps[firms] = np.maximum(out.steps[firms] + sweeps[:, 0], sweeps[:, 1])
        # What the demand side still lacks lies between 0 and the bound it stopped at: take the middle.
        half = on.bound[:waiting] / 2
        out.both[firms] = np.minimum(1.0, on.both[:waiting] + half)
        out.demand[firms] = np.minimum(1.0, on.demand[:waiting] + half) if self.plan.demand else np.nan
