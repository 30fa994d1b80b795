"""One scenario at a time, exactly: only firms whose loss moved push their increments.

Compiled steps behind `ronghe.kernels.cascade`. A side (supply or demand) is run to rest, or until its work
passes a budget and it is left, between two steps, for the lanes of `cascade_lanes` to finish.
Accumulators persist between steps, so a step costs the links out of the firms that moved. All updates are
Jacobi: increments are taken from the state at the start of the step, then pushed.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ronghe.kernels.cascade_network import Layout

Floats = NDArray[np.float64]
Index = NDArray[np.int32]


class Rule(NamedTuple):
    """How a lost delivery is replaced. rewire: 0 = σ**power by market share, 1 = spare capacity."""

    rewire: int
    power: float
    capacity: Floats  # (n,) s for σ; spare capacity κ·s for rewiring
    volume: Floats  # (K,) Σ capacity over each sector


class Desk(NamedTuple):
    """One thread's working arrays, all at rest between scenarios."""

    loss: Floats  # (n,) d or u
    start: Floats  # (n,) loss at the start of the step
    sent: Floats  # (n,) what the firm has pushed so far: φ or u
    pile: Floats  # (groups or n,) accumulators
    stamp: Index  # (n,) last step in which the firm moved
    moved: Index  # (n,) firms that moved in the step
    seen: Index  # (n,) firms with a loss, in the order they were reached
    who: Index  # (n,) firms that push in the step
    step_by: Floats  # (n,) their increments
    head: Index  # (K,) first firm with a loss in each sector, -1 for none
    following: Index  # (n,) next firm with a loss in the same sector
    volume: Floats  # (K,) Σ capacity (1 − d)
    mark: Floats  # (K,) volume when last summed afresh
    lost: Floats  # (K,) Σ sold · d, for rewiring
    hot: Index  # (K,) sectors that moved
    warm: Index  # (K,) last step in which the sector moved


def desk(n: int, groups: int, sectors: int) -> Desk:
    """Fresh working arrays for a network of n firms."""

    def floats(size: int) -> Floats:
        return np.zeros(size)

    def index(size: int, fill: int = 0) -> Index:
        return np.full(size, fill, dtype=np.int32)

    return Desk(
        loss=floats(n),
        start=floats(n),
        sent=floats(n),
        pile=floats(max(groups, n)),
        stamp=index(n, -1),
        moved=index(n),
        seen=index(n),
        who=index(n),
        step_by=floats(n),
        head=index(sectors, -1),
        following=index(n),
        volume=floats(sectors),
        mark=floats(sectors),
        lost=floats(sectors),
        hot=index(sectors),
        warm=index(sectors, -1),
    )


@njit(nogil=True, cache=True)
def _share(rule: Rule, j: int, loss: float, volume: float, lost: float) -> float:
    """The part of a lost delivery of firm j that nobody replaces."""
    if rule.rewire == 1:
        if lost <= 0.0:
            return 0.0
        spare = volume - rule.capacity[j] * (1.0 - loss)
        kept: float = 1.0 - spare / lost
        return min(1.0, max(0.0, kept))
    if volume <= rule.capacity[j]:
        return 1.0
    share: float = rule.capacity[j] / volume
    if rule.power != 1.0:
        share = math.pow(share, rule.power)
    return share


@njit(nogil=True, cache=True)
def _enter(net: Layout, w: Desk, firm: int, count: int) -> int:
    """Note a firm's first loss: in the list of all, and in its sector's."""
    w.seen[count] = firm
    k = net.sector[firm]
    w.following[firm] = w.head[k]
    w.head[k] = firm
    return count + 1


@njit(nogil=True, cache=True)
def _settle(net: Layout, rule: Rule, w: Desk, step: int, n_moved: int) -> tuple[float, int]:
    """Close a supply step: largest move, sector volumes, and which sectors must push next."""
    largest, n_hot = 0.0, 0
    for a in range(n_moved):
        i = w.moved[a]
        by = w.loss[i] - w.start[i]
        largest = max(largest, by)
        k = net.sector[i]
        w.volume[k] -= rule.capacity[i] * by
        w.lost[k] += net.sold[i] * by
        if w.warm[k] != step:
            w.warm[k] = step
            w.hot[n_hot] = k
            n_hot += 1
    for a in range(n_hot):
        k = w.hot[a]
        # A difference loses digits as it shrinks: sum afresh each time the volume has halved.
        if w.volume[k] < 0.5 * w.mark[k]:
            fresh = 0.0
            for i in range(net.first[k], net.first[k + 1]):
                fresh += rule.capacity[i] * (1.0 - w.loss[i])
            w.volume[k] = fresh
            w.mark[k] = fresh
    return largest, n_hot


@njit(nogil=True, cache=True)
def _gather(rule: Rule, w: Desk, n_hot: int, least: float) -> int:
    """The increments of φ = loss · share in the sectors that moved, from the state at the step's start."""
    n_who = 0
    for a in range(n_hot):
        k = w.hot[a]
        j = w.head[k]
        while j >= 0:
            phi = w.loss[j] * _share(rule, j, w.loss[j], w.volume[k], w.lost[k])
            by = phi - w.sent[j]
            if by > least:
                w.sent[j] = phi
                w.who[n_who] = j
                w.step_by[n_who] = by
                n_who += 1
            j = w.following[j]
    return n_who


@njit(nogil=True, cache=True)
def links_of(pointers: Index, w: Desk, n_who: int) -> int:
    """How many links the next step would touch."""
    links = 0
    for a in range(n_who):
        links += pointers[w.who[a] + 1] - pointers[w.who[a]]
    return links


@njit(nogil=True, cache=True)
def _push_supply(net: Layout, w: Desk, step: int, n_who: int, n_seen: int) -> tuple[int, int]:
    """Push increments to the customers' groups; a customer's loss is its worst group."""
    n_moved = 0
    for a in range(n_who):
        j, by = w.who[a], w.step_by[a]
        for e in range(net.push_ptr[j], net.push_ptr[j + 1]):
            g = net.push_group[e]
            w.pile[g] += by * net.push_weight[e]
            i = net.push_firm[e]
            if w.pile[g] > w.loss[i] and w.loss[i] < 1.0:
                if w.stamp[i] != step:
                    w.stamp[i] = step
                    w.start[i] = w.loss[i]
                    w.moved[n_moved] = i
                    n_moved += 1
                    if w.loss[i] == 0.0:
                        n_seen = _enter(net, w, i, n_seen)
                w.loss[i] = min(1.0, w.pile[g])
    return n_moved, n_seen


@njit(nogil=True, cache=True)
def push_supply(
    net: Layout,
    rule: Rule,
    w: Desk,
    firms: Index,
    fractions: Floats,
    eps: float,
    least: float,
    budget: int,
    max_steps: int,
) -> tuple[int, int, int, float]:
    """Run the supply side: (steps, firms with a loss, links touched, largest move of the last step)."""
    w.volume[:] = rule.volume
    w.mark[:] = rule.volume
    w.lost[:] = 0.0
    n_seen, n_moved = 0, 0
    for a in range(firms.size):
        if fractions[a] > 0.0:
            n_seen = _enter(net, w, firms[a], n_seen)
            w.loss[firms[a]] = fractions[a]
            w.start[firms[a]] = 0.0
            w.moved[n_moved] = firms[a]
            n_moved += 1
    largest, n_hot = _settle(net, rule, w, 0, n_moved)
    step, touched = 0, 0
    while largest > eps and step < max_steps:
        n_who = _gather(rule, w, n_hot, least)
        links = links_of(net.push_ptr, w, n_who)
        if touched + links > budget:
            break
        touched += links
        step += 1
        n_moved, n_seen = _push_supply(net, w, step, n_who, n_seen)
        largest, n_hot = _settle(net, rule, w, step, n_moved)
    return step, n_seen, touched, largest


@njit(nogil=True, cache=True)
def clear_supply(net: Layout, w: Desk, n_seen: int) -> None:
    """Put the desk at rest after a supply run."""
    for a in range(n_seen):
        j = w.seen[a]
        if w.sent[j] > 0.0:
            for e in range(net.push_ptr[j], net.push_ptr[j + 1]):
                w.pile[net.push_group[e]] = 0.0
        w.loss[j] = 0.0
        w.sent[j] = 0.0
        w.stamp[j] = -1
        w.head[net.sector[j]] = -1
        w.warm[net.sector[j]] = -1


@njit(nogil=True, cache=True)
def push_demand_step(net: Layout, w: Desk, step: int, n_who: int, n_seen: int) -> tuple[int, int]:
    """Push increments to suppliers: (firms that moved, firms with a loss)."""
    n_moved = 0
    for a in range(n_who):
        i, by = w.who[a], w.step_by[a]
        for e in range(net.buy_ptr[i], net.buy_ptr[i + 1]):
            j = net.buy_firm[e]
            w.pile[j] += by * net.buy_weight[e]
            if w.pile[j] > w.loss[j] and w.loss[j] < 1.0:
                if w.stamp[j] != step:
                    w.stamp[j] = step
                    w.start[j] = w.loss[j]
                    w.moved[n_moved] = j
                    n_moved += 1
                    if w.loss[j] == 0.0:
                        w.seen[n_seen] = j
                        n_seen += 1
                w.loss[j] = min(1.0, w.pile[j])
    return n_moved, n_seen


@njit(nogil=True, cache=True)
def push_demand(
    net: Layout,
    w: Desk,
    firms: Index,
    fractions: Floats,
    eps: float,
    least: float,
    budget: int,
    max_steps: int,
) -> tuple[int, int, int, float]:
    """Run the demand side: (steps, firms with a loss, links touched, largest move of the last step)."""
    n_seen, n_moved, largest = 0, 0, 0.0
    for a in range(firms.size):
        if fractions[a] > 0.0:
            w.loss[firms[a]] = fractions[a]
            w.moved[n_moved] = firms[a]
            w.seen[n_seen] = firms[a]
            n_moved += 1
            n_seen += 1
            largest = max(largest, fractions[a])
    step, touched = 0, 0
    while largest > eps and step < max_steps:
        n_who = 0
        for a in range(n_moved):
            i = w.moved[a]
            if w.loss[i] - w.sent[i] > least:
                w.who[n_who] = i
                w.step_by[n_who] = w.loss[i] - w.sent[i]
                w.sent[i] = w.loss[i]
                n_who += 1
        links = links_of(net.buy_ptr, w, n_who)
        if touched + links > budget:
            break
        touched += links
        step += 1
        n_moved, n_seen = push_demand_step(net, w, step, n_who, n_seen)
        largest = 0.0
        for a in range(n_moved):
            largest = max(largest, w.loss[w.moved[a]] - w.start[w.moved[a]])
    return step, n_seen, touched, largest


@njit(nogil=True, cache=True)
def clear_demand(w: Desk, n_seen: int) -> None:
    """Put the desk at rest after a demand run."""
    for a in range(n_seen):
        j = w.seen[a]
        w.loss[j] = 0.0
        w.sent[j] = 0.0
        w.stamp[j] = -1
        w.pile[j] = 0.0
