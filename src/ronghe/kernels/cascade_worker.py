"""One thread of the all-firms run: light scenarios pushed at once, heavy ones kept for the lanes.

See `ronghe.kernels.cascade_firms`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels import cascade_push, cascade_reach
from ronghe.kernels.cascade import MAX_STEPS
from ronghe.kernels.cascade_lanes import Board, add_up, board, load_lanes, lost_sales, store_lanes, sweep_demand, sweep_supply
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

SHELF = 1 << 27  # bytes a thread keeps for heavy scenarios that wait for lanes
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


class Shelf(NamedTuple):
    """Heavy scenarios waiting for lanes."""

    firm: Index  # (room,)
    moving: Floats  # (room,) largest move left on the supply side, 0 when at rest
    lost: Floats  # (room,) supply-only index so far
    d: Floats  # (room, n)


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
            shelf.firm[waiting] = i
            shelf.moving[waiting] = moving if moving > eps else 0.0
            shelf.lost[waiting] = supply / total
            shelf.d[waiting, :] = w.loss
            waiting += 1
        clear_supply(net, w, n_hit)
        at += 1
    return at, waiting


def least_budget(n_links: int) -> int:
    """Links a scenario may touch one by one before it goes to the lanes."""
    return max(1000, int(BUDGET * n_links))


class Worker:
    """The working memory of one thread, and the loop over its share of firms."""

    def __init__(self, plan: Plan) -> None:
        net = plan.net
        self.plan = plan
        self.desks = [desk(net.n_firms, net.n_groups, net.n_sectors) for _ in range(2)]
        room = int(np.clip(SHELF // (8 * net.n_firms), 16, 512))
        self.shelf = Shelf(np.zeros(room, dtype=np.int32), np.zeros(room), np.zeros(room), np.zeros((room, net.n_firms)))
        worth = plan.bound.worth if plan.bound.bounded else np.zeros(net.n_firms)
        self.reach_of = worth
        self.single = board(net.layout, plan.by.capacity, worth, np.float32)
        self.double = self.single if plan.fast else board(net.layout, plan.by.capacity, worth, np.float64)

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
        shelf, small = self.shelf, np.inf if self.plan.fast else self.plan.eps / ROUNDING
        rested = np.ones(waiting, dtype=np.bool_)
        # Scenarios that need a like number of sweeps share lanes, or the short ones wait for the long.
        moving = shelf.moving[:waiting]
        unfinished = np.argsort(moving, kind="stable")[np.count_nonzero(moving == 0) :]
        large = shelf.lost[unfinished] > small
        again = [
            self._supply(self.single, slots, small, rested, out)
            for slots in self._lots(self.single, unfinished[~large])
        ]
        for slots in self._lots(self.double, np.concatenate([unfinished[large], *again])):
            self._supply(self.double, slots, np.inf, rested, out)
        order = np.argsort(self.reach_of[shelf.firm[:waiting]], kind="stable")
        if not self.plan.demand:
            self._supply_only(order, rested, out)
            return
        large = self._demanded(shelf.firm[order]) > small
        for lanes, chosen in ((self.single, order[~large]), (self.double, order[large])):
            for slots in self._lots(lanes, chosen):
                self._demand(lanes, slots, rested, out)

    def _demanded(self, firms: Index) -> Floats:
        """What the demand-only index cannot pass."""
        net, bound = self.plan.net, self.plan.bound
        return bound.h[firms] / net.total if bound.bounded else np.ones(firms.size)

    def _lots(self, b: Board, slots: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        lanes = len(b.lanes)
        return [slots[start : start + lanes] for start in range(0, slots.size, lanes)]

    def _supply(
        self, b: Board, slots: NDArray[np.int64], small: float, rested: NDArray[np.bool_], out: Out
    ) -> NDArray[np.int64]:
        """Finish some supply sides on a board; those that grew past `small` stay as they were and are returned."""
        plan, layout = self.plan, self.plan.net.layout
        steps = np.zeros(len(b.lanes), dtype=np.int32)
        load_lanes(b, self.shelf.d, slots)
        sweep_supply(layout, b, plan.by.rewire, plan.by.power, plan.eps, MAX_STEPS, steps)
        out.swept[self.shelf.firm[slots]] += steps[: slots.size].astype(np.int64) * layout.pull_firm.size
        out.steps[self.shelf.firm[slots]] += steps[: slots.size]
        lost = lost_sales(b, layout.sales)[: slots.size] / plan.net.total
        grown = lost > small
        self.shelf.lost[slots[~grown]] = lost[~grown]
        store_lanes(b, self.shelf.d, slots, grown)
        rested[slots] = b.live[0, : slots.size] == 0
        return slots[grown]

    def _demand(self, b: Board, slots: NDArray[np.int64], rested: NDArray[np.bool_], out: Out) -> None:
        plan = self.plan
        net, steps = plan.net, np.zeros(len(b.lanes), dtype=np.int32)
        b.live[:] = 0
        b.loss[:] = 0
        for lane, slot in enumerate(slots):
            b.loss[self.shelf.firm[slot], lane] = 1
            b.live[0, lane] = 1
        sweep_demand(net.layout, b, plan.bound.bounded, plan.eps, MAX_STEPS, steps)
        sums = add_up(b, net.layout.sales, self.shelf.d, slots) / net.total
        for lane, slot in enumerate(slots):
            supply, demand, both = sums[lane]
            # What the demand side still lacks lies between 0 and the bound it stopped at: take the middle.
            half = float(b.bound[0, lane]) / 2.0 if plan.bound.bounded else 0.0
            f = self.shelf.firm[slot]
            out.supply[f] = supply
            out.demand[f] = min(1.0, demand + half)
            out.both[f] = min(1.0, both + half)
            out.swept[f] += int(steps[lane]) * net.layout.sale_firm.size
            out.steps[f] = max(out.steps[f], steps[lane])
            out.rested[f] = rested[slot] and b.live[0, lane] == 0

    def _supply_only(self, slots: NDArray[np.int64], rested: NDArray[np.bool_], out: Out) -> None:
        firms = self.shelf.firm[slots]
        out.supply[firms] = out.both[firms] = self.shelf.lost[slots]
        out.rested[firms] = rested[slots]
