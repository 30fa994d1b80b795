"""Heavy scenarios several at a time: whole sweeps over the network, one scenario a lane.

Compiled steps behind `ronghe.kernels.cascade`. A sweep reads each link once for all lanes and
each neighbour's losses as one stretch of memory, so the random reads that bound the
work are shared. (`cascade_board` says how they take turns.)

A sweep uses each new loss as soon as it is there, where a Jacobi step would wait. Both climb from below, never
past the losses at rest, because more loss anywhere never means less elsewhere; so both end at the same
losses, the sweep in fewer rounds.
"""

import numpy as np

from ronghe.kernels import cascade_board, vector_rows
from ronghe.kernels.cascade_board import Board, Shelf, clear, exchanges, still, take
from ronghe.kernels.cascade_network import Ints, Layout
from ronghe.kernels.cascade_push import Rule
from ronghe.kernels.compiled import compiled
from ronghe.kernels.vector_rows import spread_loss, weighted_sum, worst_group

BLOCK = 128  # rows of a board that stay in the nearest cache while its lanes are read one by one


@compiled(cascade_board, vector_rows)
def _market(net: Layout, b: Board, power: float) -> None:
    """A sweep of the supply side with σ = min(1, s / the sector's volume)**power, a product of a firm's and a sector's.

    The rows are not a function of their own: handing on the tuples would count their arrays' references at each.
    """
    clear(b.left)
    for k in range(net.first.size - 1):
        for lane in range(b.after.shape[1]):
            b.after[k, lane] = 0
        for i in range(net.first[k], net.first[k + 1]):
            start, stop = np.int64(net.pull_ptr[i]), np.int64(net.pull_ptr[i + 1])
            if stop > start:
                worst_group(
                    b.lanes,
                    start,
                    stop,
                    net.pull_firm,
                    b.pull_weight,
                    b.phi,
                    b.live,
                    b.loss,
                    np.int64(i),
                    b.most,
                    np.int64(net.pull_firm.size),
                )
            spread_loss(b.lanes, b.size, b.before, b.after, np.int64(k), b.loss, np.int64(i), b.phi, b.capacity)
        for lane in range(b.after.shape[1]):
            b.left[0, lane] += b.after[k, lane]
            scarce = b.whole[k] / b.after[k, lane] if b.after[k, lane] > 0 else np.inf
            b.after[k, lane] = scarce if power == 1.0 else scarce**power
    b.before[:] = b.after


@compiled(cascade_board, vector_rows)
def _spare(net: Layout, b: Board) -> None:
    """A sweep of the supply side where customers move to the sector's spare capacity (see `cascade_push.Rule`)."""
    for k in range(net.first.size - 1):
        for lane in range(b.loss.shape[1]):
            volume, lost = 0.0, 0.0
            for i in range(net.first[k], net.first[k + 1]):
                volume += b.capacity[i] * (1.0 - b.loss[i, lane])
                lost += b.sold[i] * b.loss[i, lane]
            for i in range(net.first[k], net.first[k + 1]):
                spare = volume - b.capacity[i] * (1.0 - b.loss[i, lane])
                share = min(1.0, max(0.0, 1.0 - spare / lost)) if lost > 0.0 else 0.0
                b.phi[i, lane] = b.loss[i, lane] * share
    for i in range(net.sales.size):
        start, stop = np.int64(net.pull_ptr[i]), np.int64(net.pull_ptr[i + 1])
        if stop > start:
            worst_group(
                b.lanes,
                start,
                stop,
                net.pull_firm,
                b.pull_weight,
                b.phi,
                b.live,
                b.loss,
                np.int64(i),
                b.most,
                np.int64(net.pull_firm.size),
            )


@compiled(cascade_board, vector_rows)
def _enter_supply(net: Layout, b: Board, by: Rule, on: Shelf) -> None:
    """Put the losses of the scenarios that are new into their lanes, with the volumes and φ they mean."""
    left = np.empty(by.volume.size)
    for lane in range(b.held.size):
        slot = b.held[lane]
        if slot < 0 or b.steps[lane] > 0:
            continue
        left[:] = by.volume
        for a in range(on.hits[slot]):
            i = on.hit[slot, a]
            b.loss[i, lane] = on.loss[slot, a]
            left[net.sector[i]] -= b.capacity[i] * on.loss[slot, a]
        for k in range(left.size):
            # A difference of a whole sector leaves rounding, which must not pass for a volume.
            scarce = by.volume[k] / left[k] if left[k] > 1e-12 * by.volume[k] else np.inf
            b.before[k, lane] = scarce**by.power
        for a in range(on.hits[slot]):
            i = on.hit[slot, a]
            share = b.size[i] * b.before[net.sector[i], lane]
            b.phi[i, lane] = b.loss[i, lane] * min(1.0, share)


@compiled(cascade_board, vector_rows)
def _leave_supply(net: Layout, b: Board, total: float, small: float, on: Shelf) -> None:
    """Add up Σ s·d and Σ s·max(d, u) of the lanes at rest, u from the shelf, wipe them, and see which passed
    `small`.
    """
    gone = np.flatnonzero((b.live[0] == 0) & (b.held >= 0))
    sums = np.zeros((gone.size, 2))
    for first in range(0, net.sales.size, BLOCK):
        last = min(first + BLOCK, net.sales.size)
        for a in range(gone.size):
            lane, u, supply, both = gone[a], on.u[b.held[gone[a]]], 0.0, 0.0
            for i in range(first, last):
                d = np.float64(b.loss[i, lane])
                supply += net.sales[i] * d
                both += net.sales[i] * max(d, u[i])
                b.loss[i, lane] = 0
                b.phi[i, lane] = 0
            sums[a, 0] += supply
            sums[a, 1] += both
    for a in range(gone.size):
        slot = b.held[gone[a]]
        on.sweeps[slot, 0] += b.steps[gone[a]]
        on.grown[slot] = b.over[gone[a]] or sums[a, 0] > small * total
        on.supply[slot] = sums[a, 0] / total
        on.both[slot] = sums[a, 1] / total


@compiled(cascade_board, vector_rows)
def _give_up(b: Board, total: float, small: float) -> int:
    """Stop the lanes whose index is well past `small` already; how many."""
    stopped = 0
    for lane in range(b.held.size):
        if b.live[0, lane] > 0 and total - b.left[0, lane] > 1.05 * small * total:
            b.live[0, lane] = 0
            b.over[lane] = True
            stopped += 1
    return stopped


@compiled(cascade_board, vector_rows)
def run_supply(
    net: Layout,
    b: Board,
    by: Rule,
    eps: float,
    max_steps: int,
    slots: Ints,
    total: float,
    small: float,
    on: Shelf,
) -> None:
    """Run the supply side of some scenarios to rest, or for max_steps; on.u must hold their demand side.

    One whose index passes `small` is marked as grown, its results being as good as the lanes' precision only.
    """
    at, running = 0, 0
    b.held[:] = -1
    clear(b.live)
    while True:
        if exchanges(b, running, slots.size - at):
            _leave_supply(net, b, total, small, on)
            at = take(b, slots, at)
            if b.held.max() < 0:
                return
            _enter_supply(net, b, by, on)
        clear(b.most)
        if by.rewire:
            _spare(net, b)
        else:
            _market(net, b, by.power)
        running = still(b, eps, b.most, max_steps, on)
        # Without spare capacity, capacities are sales, and what is left of them tells Σ s·d.
        if not by.rewire and small < np.inf:
            running -= _give_up(b, total, small)


@compiled(cascade_board, vector_rows)
def add_settled(net: Layout, slots: Ints, total: float, on: Shelf) -> None:
    """Σ s·max(d, u) of scenarios whose supply side needed no lane; their Σ s·d is on the shelf."""
    for slot in slots:
        more, u = 0.0, on.u[slot]
        for a in range(on.hits[slot]):
            i = on.hit[slot, a]
            more += net.sales[i] * max(0.0, on.loss[slot, a] - u[i])
        on.both[slot] = on.demand[slot] + more / total


@compiled(cascade_board, vector_rows)
def _leave_demand(net: Layout, b: Board, total: float, on: Shelf) -> None:
    """Put u of the lanes at rest on the shelf, add up Σ s·u, and wipe them."""
    gone = np.flatnonzero((b.live[0] == 0) & (b.held >= 0))
    sums = np.zeros(gone.size)
    for first in range(0, net.sales.size, BLOCK):
        last = min(first + BLOCK, net.sales.size)
        for a in range(gone.size):
            lane, u, demand = gone[a], on.u[b.held[gone[a]]], 0.0
            for i in range(first, last):
                u[i] = b.loss[i, lane]
                demand += net.sales[i] * u[i]
                b.loss[i, lane] = 0
            sums[a] += demand
    for a in range(gone.size):
        on.sweeps[b.held[gone[a]], 1] = b.steps[gone[a]]
        on.demand[b.held[gone[a]]] = sums[a] / total


@compiled(cascade_board, vector_rows)
def _purchases(net: Layout, b: Board) -> None:
    """A sweep of the demand side, backwards: tables end with the sectors that sell late, and the layout keeps that."""
    for j in range(net.sales.size - 1, -1, -1):
        start, stop = np.int64(net.sale_ptr[j]), np.int64(net.sale_ptr[j + 1])
        if stop > start:
            weighted_sum(
                b.lanes,
                start,
                stop,
                net.sale_firm,
                b.sale_weight,
                b.loss,
                b.live,
                b.loss,
                np.int64(j),
                b.most,
                b.worth,
                b.rest,
            )


@compiled(cascade_board, vector_rows)
def run_demand(
    net: Layout,
    b: Board,
    bounded: bool,
    eps: float,
    max_steps: int,
    slots: Ints,
    total: float,
    on: Shelf,
) -> None:
    """Run the demand side of some scenarios to rest, or for max_steps, and leave u on the shelf.

    With `bounded`, rest means Σ worth · move ≤ eps: what is still to be passed on after a sweep is at most
    M·move (only firms updated before their customers are owed anything), so that Σ s·u lacks at most
    s'N M·move = (h − s)'move. Else rest means no move above eps.
    """
    at, running = 0, 0
    b.held[:] = -1
    clear(b.live)
    while True:
        if exchanges(b, running, slots.size - at):
            _leave_demand(net, b, total, on)
            at = take(b, slots, at)
            if b.held.max() < 0:
                return
            for lane in range(b.held.size):
                if b.held[lane] >= 0 and b.steps[lane] == 0:
                    b.loss[on.firm[b.held[lane]], lane] = 1
        clear(b.most)
        clear(b.rest)
        _purchases(net, b)
        for lane in range(b.held.size):
            if b.live[0, lane] > 0:
                on.bound[b.held[lane]] = b.rest[0, lane] if bounded else 0.0
        running = still(b, eps, b.rest if bounded else b.most, max_steps, on)
