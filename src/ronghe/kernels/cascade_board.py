"""The lanes in which heavy scenarios are swept, and the shelf on which they wait.

Compiled steps behind `ronghe.kernels.cascade_lanes`. A lane that has come to rest is masked and keeps its state, so
that a result does not depend on its company. When a quarter of the lanes are at rest, their scenarios leave and others
enter; to exchange fewer would not pay for reading the whole board.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels import vector_rows
from ronghe.kernels.cascade_network import Floats, Index, Ints, Layout
from ronghe.kernels.cascade_push import Rule
from ronghe.kernels.compiled import compiled
from ronghe.kernels.vector_rows import aligned, lane_numbers

Real = NDArray[Any]  # float32 or float64, the same within a call
Flags = NDArray[np.bool_]

EXCHANGE = 4  # scenarios are exchanged when one lane in so many is at rest


class Shelf(NamedTuple):
    """One thread's heavy scenarios, by slot: where they stood when pushing was given up, and what became of them."""

    firm: Index  # (room,) the firm that fails
    settled: Flags  # (room,) the supply side had come to rest
    hits: Ints  # (room,) how many firms had a loss
    hit: Index  # (room, most hits) these firms
    loss: Floats  # (room, most hits) and their d
    u: Floats  # (room, n) of the demand side, or 0

    supply: Floats  # (room,) Σ s·d / Σ s
    demand: Floats  # (room,) Σ s·u / Σ s
    both: Floats  # (room,) Σ s·max(d, u) / Σ s
    bound: Floats  # (room,) what the demand side can still add to the index, at most
    sweeps: Ints  # (room, 2) of the supply and the demand side
    rested: Flags  # (room,) came to rest
    grown: Flags  # (room,) lost more than the lanes' precision is good for


def shelf(room: int, hits: int, n: int) -> Shelf:
    """An empty shelf."""
    return Shelf(
        firm=np.zeros(room, dtype=np.int32),
        settled=np.zeros(room, dtype=np.bool_),
        hits=np.zeros(room, dtype=np.int64),
        hit=np.zeros((room, hits), dtype=np.int32),
        loss=np.zeros((room, hits)),
        u=np.zeros((room, n)),
        supply=np.zeros(room),
        demand=np.zeros(room),
        both=np.zeros(room),
        bound=np.zeros(room),
        sweeps=np.zeros((room, 2), dtype=np.int64),
        rested=np.zeros(room, dtype=np.bool_),
        grown=np.zeros(room, dtype=np.bool_),
    )


class Board(NamedTuple):
    """One thread's lanes and the network's weights, in the precision of the run; empty lanes hold zeros."""

    lanes: tuple[int, ...]
    pull_weight: Real
    sale_weight: Real
    capacity: Real  # (n,)
    size: Real  # (n,) (capacity / the sector's)**power
    whole: Real  # (K,) the sector's capacity
    sold: Real  # (n,)
    worth: Real  # (n,) what a unit of residual can still add to Σ s·u
    loss: Real  # (n, lanes) d or u
    phi: Real  # (n, lanes)
    live: Real  # (1, lanes) 1 while a lane runs
    most: Real  # (1, lanes) largest move
    rest: Real  # (1, lanes) Σ worth · move
    before: Real  # (K, lanes) (the sector's capacity / Σ capacity (1 − d))**power when the sweep began
    after: Real  # (K, lanes) the same, of the losses of this sweep
    left: Real  # (1, lanes) Σ capacity (1 − d) over all sectors
    over: Flags  # (lanes,) given up for its losses
    held: Ints  # (lanes,) slot of the scenario in the lane, -1 for none
    steps: Ints  # (lanes,) its sweeps so far


def board(net: Layout, by: Rule, worth: Floats, dtype: Any) -> Board:
    """Fresh lanes for a network."""
    whole = by.volume[net.sector]
    size = np.divide(by.capacity, whole, out=np.ones_like(whole), where=whole > 0) ** by.power
    numbers = lane_numbers(dtype)

    def zeros(rows: int) -> Real:
        return aligned(rows, len(numbers), dtype)

    n, k = net.sales.size, net.first.size - 1
    return Board(
        lanes=numbers,
        pull_weight=net.pull_weight.astype(dtype),
        sale_weight=net.sale_weight.astype(dtype),
        capacity=by.capacity.astype(dtype),
        size=size.astype(dtype),
        whole=by.volume.astype(dtype),
        sold=net.sold.astype(dtype),
        worth=worth.astype(dtype),
        loss=zeros(n),
        phi=zeros(n),
        live=zeros(1),
        most=zeros(1),
        rest=zeros(1),
        before=zeros(k),
        after=zeros(k),
        left=zeros(1),
        over=np.zeros(len(numbers), dtype=np.bool_),
        held=np.full(len(numbers), -1),
        steps=np.zeros(len(numbers), dtype=np.int64),
    )


@compiled(vector_rows)
def clear(row: Real) -> None:
    """Zero the only row of an array."""
    for lane in range(row.shape[1]):
        row[0, lane] = 0


@compiled(vector_rows)
def still(b: Board, eps: float, largest: Real, max_steps: int, on: Shelf) -> int:
    """Count the sweep for running lanes, stop those at rest or out of steps, and say how many still run."""
    running = 0
    for lane in range(b.held.size):
        if b.live[0, lane] > 0:
            b.steps[lane] += 1
            rests = largest[0, lane] <= eps
            if rests or b.steps[lane] >= max_steps:
                b.live[0, lane] = 0
                on.rested[b.held[lane]] &= rests
            else:
                running += 1
    return running


@compiled(vector_rows)
def take(b: Board, slots: Ints, at: int) -> int:
    """Give each lane at rest the next slot while there is one; say which slot comes after."""
    for lane in range(b.held.size):
        if b.live[0, lane] == 0:
            b.held[lane] = -1
            if at < slots.size:
                b.held[lane] = slots[at]
                b.steps[lane] = 0
                b.over[lane] = False
                b.live[0, lane] = 1
                at += 1
    return at


@compiled(vector_rows)
def exchanges(b: Board, running: int, left: int) -> bool:
    """Whether enough lanes are at rest, or all, to let scenarios leave and others enter."""
    return running == 0 or (left > 0 and (b.held.size - running) * EXCHANGE >= b.held.size)
