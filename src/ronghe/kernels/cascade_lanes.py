"""Heavy scenarios several at a time: whole sweeps over the network, one scenario a lane.

Compiled steps behind `ronghe.kernels.cascade`. A sweep reads each link once for all lanes (four in float64,
eight in float32) and each neighbour's losses as one stretch of 32 bytes, so the random reads that bound the
work are shared. Updates are Jacobi; a lane that has come to rest is masked and keeps its state, so that a
result does not depend on its company.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ronghe.kernels.cascade_network import Index, Layout
from ronghe.kernels.vector_rows import LANES, add_volume, market_share, weighted_sum, worst_group

Real = NDArray[Any]  # float32 or float64, the same within a call
Floats = NDArray[np.float64]


class Board(NamedTuple):
    """One thread's lanes and the network's weights, in the precision of the run."""

    pull_weight: Real
    sale_weight: Real
    capacity: Real  # (n,)
    sold: Real  # (n,)
    worth: Real  # (n,) what a unit of residual can still add to Σ s·u
    loss: Real  # (n, lanes) d or u
    other: Real  # (n, lanes) φ, or the next u
    live: Real  # (1, lanes) 1 while a lane runs
    most: Real  # (1, lanes) largest move
    volume: Real  # (1, lanes)
    rest: Real  # (1, lanes) Σ worth · move


def board(net: Layout, capacity: Floats, worth: Floats, dtype: Any) -> Board:
    """Fresh lanes for a network."""
    lanes = LANES[np.dtype(dtype)]
    n = net.sales.size
    few = [np.zeros((1, lanes), dtype=dtype) for _ in range(4)]
    return Board(
        net.pull_weight.astype(dtype),
        net.sale_weight.astype(dtype),
        capacity.astype(dtype),
        net.sold.astype(dtype),
        worth.astype(dtype),
        np.zeros((n, lanes), dtype=dtype),
        np.zeros((n, lanes), dtype=dtype),
        *few,
    )


@njit(nogil=True, cache=True)
def _clear(row: Real) -> None:
    for lane in range(row.shape[1]):
        row[0, lane] = 0


@njit(nogil=True, cache=True)
def _market(net: Layout, b: Board) -> None:
    """φ from the losses at the step's start: σ = min(1, s / the sector's remaining volume)."""
    for k in range(net.first.size - 1):
        _clear(b.volume)
        for i in range(net.first[k], net.first[k + 1]):
            add_volume(b.capacity, b.loss, np.int64(i), b.volume)
        for i in range(net.first[k], net.first[k + 1]):
            market_share(b.capacity, b.volume, b.loss, np.int64(i), b.other)


@njit(nogil=True, cache=True)
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
                b.other[i, lane] = loss * share


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def sweep_supply(net: Layout, b: Board, rewire: int, power: float, eps: float, max_steps: int, steps: Index) -> int:
    """Run the supply side of every live lane to rest; the lanes' states are in b.loss.

    Returns the sweeps made; b.live stays 1 where max_steps came first.
    """
    sweeps, running = 0, 1
    while running > 0 and sweeps < max_steps:
        if rewire == 0 and power == 1.0:
            _market(net, b)
        else:
            _general(net, b, rewire, power)
        _clear(b.most)
        for i in range(net.sales.size):
            start, stop = np.int64(net.pull_ptr[i]), np.int64(net.pull_ptr[i + 1])
            if stop > start:
                worst_group(start, stop, net.pull_firm, b.pull_weight, b.other, b.live, b.loss, np.int64(i), b.most)
        sweeps += 1
        running = _still(b, eps, b.most, steps)
    return sweeps


@njit(nogil=True, cache=True)
def sweep_demand(net: Layout, b: Board, bounded: bool, eps: float, max_steps: int, steps: Index) -> tuple[int, bool]:
    """Run the demand side of every live lane to rest.

    With `bounded`, rest means Σ worth · move ≤ eps (a proven bound on what Σ s·u still lacks), else no
    move above eps. Returns the sweeps made, and whether the state is in b.other rather than b.loss.
    """
    sweeps, running, swapped = 0, 1, False
    while running > 0 and sweeps < max_steps:
        _clear(b.most)
        _clear(b.rest)
        here, there = (b.other, b.loss) if swapped else (b.loss, b.other)
        for j in range(net.sales.size):
            start, stop = np.int64(net.sale_ptr[j]), np.int64(net.sale_ptr[j + 1])
            weighted_sum(
                start,
                stop,
                net.sale_firm,
                b.sale_weight,
                here,
                b.live,
                there,
                np.int64(j),
                b.most,
                b.worth,
                b.rest,
            )
        swapped = not swapped
        sweeps += 1
        if bounded:
            # A lane that just stopped must keep the bound it stopped with.
            for lane in range(b.live.shape[1]):
                if b.live[0, lane] > 0:
                    b.volume[0, lane] = b.rest[0, lane]
        running = _still(b, eps, b.rest if bounded else b.most, steps)
    return sweeps, swapped


@njit(nogil=True, cache=True)
def load_lane(b: Board, lane: int, loss: Floats) -> None:
    """Put a scenario's losses into a lane and set it running."""
    for i in range(loss.size):
        b.loss[i, lane] = loss[i]
    b.live[0, lane] = 1


@njit(nogil=True, cache=True)
def store_lane(b: Board, lane: int, loss: Floats) -> None:
    """Take a scenario's losses out of a lane."""
    for i in range(loss.size):
        loss[i] = b.loss[i, lane]


@njit(nogil=True, cache=True)
def add_up(sales: Floats, d: Floats, u: Real, lane: int) -> tuple[float, float, float]:
    """Σ s·d, Σ s·u and Σ s·max(d, u) of one lane."""
    supply, demand, both = 0.0, 0.0, 0.0
    for i in range(sales.size):
        down, up = d[i], np.float64(u[i, lane])
        supply += sales[i] * down
        demand += sales[i] * up
        both += sales[i] * max(down, up)
    return supply, demand, both
