"""Heavy scenarios several at a time: whole sweeps over the network, one scenario a lane.

Compiled steps behind `ronghe.kernels.cascade`. A sweep reads each link once for all lanes and
each neighbour's losses as one stretch of memory, so the random reads that bound the
work are shared. A lane that has come to rest is masked and keeps its state, so that a result does not
depend on its company.

A sweep uses each new loss as soon as it is there, where a Jacobi step would wait. Both climb from below, never
past the losses at rest, because more loss anywhere never means less elsewhere; so both end at the same
losses, the sweep in fewer rounds.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels import vector_rows
from ronghe.kernels.cascade_network import Floats, Index, Ints, Layout
from ronghe.kernels.compiled import compiled
from ronghe.kernels.vector_rows import aligned, lane_numbers, spread_loss, weighted_sum, worst_group

Real = NDArray[Any]  # float32 or float64, the same within a call


class Board(NamedTuple):
    """One thread's lanes and the network's weights, in the precision of the run."""

    lanes: tuple[int, ...]
    pull_weight: Real
    sale_weight: Real
    capacity: Real  # (n,)
    sold: Real  # (n,)
    worth: Real  # (n,) what a unit of residual can still add to Σ s·u
    loss: Real  # (n, lanes) d or u
    phi: Real  # (n, lanes)
    live: Real  # (1, lanes) 1 while a lane runs
    most: Real  # (1, lanes) largest move
    rest: Real  # (1, lanes) Σ worth · move
    bound: Real  # (1, lanes) the rest a lane stopped with
    before: Real  # (K, lanes) one over Σ capacity (1 − d) when the sweep began
    after: Real  # (K, lanes) the same, of the losses of this sweep


def board(net: Layout, capacity: Floats, worth: Floats, dtype: Any) -> Board:
    """Fresh lanes for a network."""
    numbers = lane_numbers(dtype, net.sales.size)

    def zeros(rows: int) -> Real:
        return aligned(rows, len(numbers), dtype)

    n, k = net.sales.size, net.first.size - 1
    return Board(
        lanes=numbers,
        pull_weight=net.pull_weight.astype(dtype),
        sale_weight=net.sale_weight.astype(dtype),
        capacity=capacity.astype(dtype),
        sold=net.sold.astype(dtype),
        worth=worth.astype(dtype),
        loss=zeros(n),
        phi=zeros(n),
        live=zeros(1),
        most=zeros(1),
        rest=zeros(1),
        bound=zeros(1),
        before=zeros(k),
        after=zeros(k),
    )


@compiled(vector_rows)
def _clear(row: Real) -> None:
    for lane in range(row.shape[1]):
        row[0, lane] = 0


@compiled(vector_rows)
def _market(net: Layout, b: Board, before: Real, after: Real, pull: bool) -> None:
    """A sweep of the supply side with σ = min(1, s / the sector's volume); without `pull` only φ is set."""
    for k in range(net.first.size - 1):
        for lane in range(after.shape[1]):
            after[k, lane] = 0
        for i in range(net.first[k], net.first[k + 1]):
            start, stop = np.int64(net.pull_ptr[i]), np.int64(net.pull_ptr[i + 1])
            if pull and stop > start:
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
            spread_loss(b.lanes, b.capacity, before, after, np.int64(k), b.loss, np.int64(i), b.phi)
        for lane in range(after.shape[1]):
            after[k, lane] = 1 / after[k, lane] if after[k, lane] > 0 else np.inf


@compiled(vector_rows)
def _general(net: Layout, b: Board, rewire: int, power: float) -> None:
    """The same for any replaceability exponent, or by spare capacity (see `cascade_push.Rule`)."""
    for k in range(net.first.size - 1):
        for lane in range(b.loss.shape[1]):
            volume, lost = 0.0, 0.0
            for i in range(net.first[k], net.first[k + 1]):
                volume += b.capacity[i] * (1.0 - b.loss[i, lane])
                lost += b.sold[i] * b.loss[i, lane]
            for i in range(net.first[k], net.first[k + 1]):
                loss, size, share = b.loss[i, lane], b.capacity[i], 1.0
                if rewire == 1:
                    spare = volume - size * (1.0 - loss)
                    share = min(1.0, max(0.0, 1.0 - spare / lost)) if lost > 0.0 else 0.0
                elif volume > size:
                    share = (size / volume) ** power
                b.phi[i, lane] = loss * share


@compiled(vector_rows)
def _still(b: Board, eps: float, largest: Real, steps: Index) -> int:
    """Count the step for running lanes, stop those at rest, and say how many still run."""
    running = 0
    for lane in range(b.live.shape[1]):
        if b.live[0, lane] > 0:
            steps[lane] += 1
            if largest[0, lane] <= eps:
                b.live[0, lane] = 0
            else:
                running += 1
    return running


@compiled(vector_rows)
def sweep_supply(net: Layout, b: Board, rewire: int, power: float, eps: float, max_steps: int, steps: Index) -> int:
    """Run the supply side of every live lane to rest; the lanes' states are in b.loss.

    Returns the sweeps made; b.live stays 1 where max_steps came first.
    """
    sweeps, running = 0, 1
    published = rewire == 0 and power == 1.0
    before, after = b.before, b.after
    if published:
        # Twice: the first pass adds up the volumes the second one needs.
        _market(net, b, before, after, False)
        _market(net, b, after, before, False)
    while running > 0 and sweeps < max_steps:
        _clear(b.most)
        if published:
            _market(net, b, before, after, True)
            before, after = after, before
        else:
            _general(net, b, rewire, power)
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
        sweeps += 1
        running = _still(b, eps, b.most, steps)
    return sweeps


@compiled(vector_rows)
def sweep_demand(net: Layout, b: Board, bounded: bool, eps: float, max_steps: int, steps: Index) -> int:
    """Run the demand side of every live lane to rest; returns the sweeps made.

    With `bounded`, rest means Σ worth · move ≤ eps: what is still to be passed on after a sweep is at most
    M·move (only firms updated before their customers are owed anything), so that Σ s·u lacks at most
    s'N M·move = (h − s)'move. Else rest means no move above eps.
    """
    sweeps, running = 0, 1
    while running > 0 and sweeps < max_steps:
        _clear(b.most)
        _clear(b.rest)
        # Backwards: the layout keeps the table's order of sectors, and tables end with those that sell late.
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
        sweeps += 1
        for lane in range(b.live.shape[1]):
            if b.live[0, lane] > 0:
                b.bound[0, lane] = b.rest[0, lane]
        running = _still(b, eps, b.rest if bounded else b.most, steps)
    return sweeps


@compiled(vector_rows)
def load_lanes(b: Board, losses: Floats, slots: Ints) -> None:
    """Put the losses of some scenarios, losses[slots], into lanes and set those running."""
    _clear(b.live)
    for lane in range(slots.size):
        b.live[0, lane] = 1
    for i in range(losses.shape[1]):
        for lane in range(slots.size):
            b.loss[i, lane] = losses[slots[lane], i]


@compiled(vector_rows)
def store_lanes(b: Board, losses: Floats, slots: Ints, drop: NDArray[np.bool_]) -> None:
    """Take the losses of the lanes out again, but for those to drop."""
    for i in range(losses.shape[1]):
        for lane in range(slots.size):
            if not drop[lane]:
                losses[slots[lane], i] = b.loss[i, lane]


@compiled(vector_rows)
def lost_sales(b: Board, sales: Floats) -> Floats:
    """Σ s·d of each lane; not left to BLAS, whose threads would take the cores the run's own threads work on."""
    sums = np.zeros(b.loss.shape[1])
    for i in range(sales.size):
        for lane in range(sums.size):
            sums[lane] += sales[i] * b.loss[i, lane]
    return sums


@compiled(vector_rows)
def add_up(b: Board, sales: Floats, losses: Floats, slots: Ints) -> Floats:
    """Σ s·d, Σ s·u and Σ s·max(d, u) of each lane, d from losses[slots] and u from the lanes."""
    sums = np.zeros((slots.size, 3))
    for i in range(sales.size):
        for lane in range(slots.size):
            down, up = losses[slots[lane], i], np.float64(b.loss[i, lane])
            sums[lane, 0] += sales[i] * down
            sums[lane, 1] += sales[i] * up
            sums[lane, 2] += sales[i] * max(down, up)
    return sums
