"""The index of every firm of a network in turn, with progress, stopping and resuming.

Definitions are those of `ronghe.kernels.cascade`. Each firm fails alone and whole. A scenario that stays
small is pushed along the links that carry a change; one whose work passes a budget is finished with others
in lanes, by whole sweeps.

Exact runs. The supply side stops when no loss moves by more than eps. The demand side is linear
and is stopped by proof: what it can still add to the index is at most eps (`cascade_reach`), unless no
final demand leaves the network anywhere to stop at, when it too stops by its moves. Either way an index is
that of full convergence to about eps. Lanes hold float32 where that cannot be told from float64 at eps: rounding is
relative, so an index under eps / 1.9e-6 (5e-4 at 1e-9) is rounded by less than eps. A scenario that grows past that
starts again in float64; pushes are float64 always.

Fast runs. Lanes in float32; in pushes, increments of the supply side under eps / 10 wait until they add up;
eps is 1e-6 unless given. The supply side can then only be too low, up to rounding; how much too low has no
proven bound, so the run is checked: a random sample of its firms is run exactly and the largest difference
is reported as `error`.
"""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.cascade import PUBLISHED, Replacement, rule
from ronghe.kernels.cascade_network import Floats, Index, Network
from ronghe.kernels.cascade_reach import NO_BOUND, reach
from ronghe.kernels.cascade_worker import Out, Plan, Worker, least_budget, shelf_room
from ronghe.kernels.errors import KernelError

EXACT_EPS, FAST_EPS = 1e-9, 1e-6


@dataclass(frozen=True, slots=True)
class FirmRisks:
    """The index of each firm, by the edge list's numbers, and how far the run has come.

    done: (n,) firms finished; the figures of the others are NaN. index, supply, demand: (n,) combined,
    supply-only and demand-only index, 0 to 1. pushed, swept: (n,) links touched one by one and in sweeps.
    steps: (n,) of the longer side. rested: (n,) both sides came to rest. eps: the tolerance. error, checked: largest
    difference from an exact run over the firms checked (NaN, 0 in exact runs). run: fingerprint of the network and
    options, so that a run is only ever resumed as what it was.
    """

    done: NDArray[np.bool_]
    index: Floats
    supply: Floats
    demand: Floats
    pushed: NDArray[np.int64]
    swept: NDArray[np.int64]
    steps: Index
    rested: NDArray[np.bool_]
    eps: float
    run: str
    error: float = float("nan")
    checked: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come: firms done of all asked for, links touched, seconds so far and seconds left.

    Work a firm is heavy-tailed, so firms are taken in random order and the time left is estimated from the
    mean work of those done: left = firms left · mean work · seconds per unit of work in this run, with
    left_low and left_high two standard errors of the mean away.
    """

    done: int
    total: int
    links: int
    seconds: float
    left: float
    left_low: float
    left_high: float


def bytes_needed(n_firms: int, n_links: int, threads: int = 2) -> int:
    """Memory, in bytes, that checking an edge list and running all its firms takes at most, the edge list apart.

    Examples
    --------
    >>> round(bytes_needed(243_399, 1_104_141) / 1e9, 1)
    1.0
    """
    laying_out = 140 * n_links + 150 * n_firms
    desks = 2 * (60 * n_firms + 8 * max(n_links, n_firms))
    lanes = 310 * n_firms + 24 * n_links
    shelf = shelf_room(n_firms) * (8 * n_firms + 12 * min(least_budget(n_links), n_firms))
    return max(laying_out, 65 * n_links + 120 * n_firms + threads * (desks + lanes + shelf))


def firm_risks(
    net: Network,
    *,
    firms: ArrayLike | None = None,
    mode: Literal["exact", "fast"] = "exact",
    eps: float | None = None,
    demand: bool = True,
    replacement: Replacement = PUBLISHED,
    threads: int = 2,
    seed: int = 0,
    batch: int = 1024,
    check: int = 64,
    state: FirmRisks | None = None,
    progress: Callable[[Progress], bool | None] | None = None,
) -> FirmRisks:
    """Fail every firm in turn and return its index.

    Parameters
    ----------
    net : the network.
    firms : which firms, None for all.
    mode : see the module.
    eps : tolerance, None for 1e-9 (exact) or 1e-6 (fast).
    demand : False leaves the demand side out; index is then the supply-only index and demand NaN.
    replacement : see `cascade`.
    threads : threads, each with its own working memory.
    seed : order in which firms are taken; it changes no result.
    batch : firms a batch; progress is told and stopping possible after each.
    check : in fast runs, how many firms to run again exactly.
    state : an earlier, stopped run to go on from.
    progress : called after each batch; returning False stops the run, which can then be resumed.

    Raises
    ------
    KernelError
        ``firms``, ``eps``, ``state`` (of another network or other options), ``replacement``, ``threads``.

    Examples
    --------
    >>> from ronghe.kernels.cascade_network import network
    >>> net = network([0, 1], [1, 2], [5.0, 4.0], [0, 1, 1], [[2, 2], [1, 1]], final_demand=[0, 1, 30])
    >>> firm_risks(net).index.round(6).tolist()
    [0.408494, 0.408494, 0.95]
    """
    tolerance = eps if eps is not None else (EXACT_EPS if mode == "exact" else FAST_EPS)
    if not tolerance > 0:
        raise KernelError("eps", f"eps = {tolerance} must be positive", eps=tolerance)
    if threads < 1 or batch < 1:
        raise KernelError("threads", "threads and batch must be at least 1", threads=threads, batch=batch)
    wanted = _wanted(net, firms)
    by = rule(net, replacement)
    bound = reach(net.layout) if demand else NO_BOUND
    fast = mode == "fast"
    plan = Plan(net, by, bound, tolerance, tolerance / 10 if fast else 0.0, demand, fast)
    begun = _begin(plan, state)
    todo = np.random.default_rng(seed).permutation(wanted[~begun.done[wanted]])
    out, done = _to_layout(net, begun)
    clock = _Clock(out, done, wanted.size, int(begun.done[wanted].sum()), threads, progress)
    _run(plan, net.place[todo].astype(np.int32), out, done, threads, batch, clock)
    result = _from_layout(net, out, done, begun)
    return _with_error(plan, result, check, seed) if fast and check else result


def _wanted(net: Network, firms: ArrayLike | None) -> NDArray[np.int64]:
    if firms is None:
        return np.arange(net.n_firms)
    which = np.asarray(firms).ravel()
    if which.size and not np.issubdtype(which.dtype, np.integer):
        raise KernelError("firms", "firms must be whole numbers", firms=which)
    which = np.unique(which.astype(np.int64))
    if ((which < 0) | (which >= net.n_firms)).any():
        raise KernelError("firms", f"firms must lie between 0 and {net.n_firms - 1}", firms=which)
    return which


def _begin(plan: Plan, state: FirmRisks | None) -> FirmRisks:
    net, run = plan.net, _fingerprint(plan)
    n = net.n_firms
    if state is not None:
        if state.run != run:
            raise KernelError("state", "the earlier run is of another network or had other options", eps=state.eps)
        return state
    nan, none = np.full(n, np.nan), np.zeros(n, dtype=np.int64)
    no = np.zeros(n, dtype=np.bool_)
    return FirmRisks(no, nan, nan, nan, none, none, none.astype(np.int32), no, plan.eps, run)


def _fingerprint(plan: Plan) -> str:
    net = plan.net
    text = hashlib.sha256(repr((plan.by.rewire, plan.by.power, plan.eps, plan.least, plan.demand, plan.fast)).encode())
    for array in (net.order, *net.layout, plan.by.capacity):
        text.update(np.ascontiguousarray(array).data)
    return text.hexdigest()


def _to_layout(net: Network, state: FirmRisks) -> tuple[Out, NDArray[np.bool_]]:
    o = net.order
    return Out(
        state.index[o],
        state.supply[o],
        state.demand[o],
        state.pushed[o],
        state.swept[o],
        state.steps[o],
        state.rested[o],
    ), state.done[o]


def _from_layout(net: Network, out: Out, done: NDArray[np.bool_], begun: FirmRisks) -> FirmRisks:
    p = net.place
    return FirmRisks(
        done[p],
        out.both[p],
        out.supply[p],
        out.demand[p],
        out.pushed[p],
        out.swept[p],
        out.steps[p],
        out.rested[p],
        begun.eps,
        begun.run,
    )


class _Clock:
    """Counts work and tells progress; a swept link costs about a sixteenth of a pushed one (measured)."""

    def __init__(
        self,
        out: Out,
        done: NDArray[np.bool_],
        total: int,
        before: int,
        threads: int,
        tell: Callable[[Progress], bool | None] | None,
    ) -> None:
        self.out, self.done, self.total, self.count, self.tell = out, done, total, before, tell
        self.begin, self.work, self.busy, self.threads = time.perf_counter(), 0.0, 0.0, threads

    def _work(self, firms: NDArray[np.bool_] | Index) -> Floats:
        return np.asarray(self.out.pushed[firms] + self.out.swept[firms] / 16.0 + 50.0)

    def batch(self, firms: Index, busy: float) -> bool:
        """Note a finished batch and the seconds its thread was busy with it; False to stop."""
        self.done[firms] = True
        self.count += firms.size
        if self.tell is None:
            return True
        self.work += float(self._work(firms).sum())
        # Seconds of the threads, not of the run: batches still going would make an early estimate too long.
        self.busy += busy
        seconds = time.perf_counter() - self.begin
        each = self._work(self.done)
        mean, error = float(each.mean()), float(each.std()) / float(np.sqrt(each.size))
        rate = (self.total - self.count) * self.busy / self.work / self.threads
        links = int(self.out.pushed[self.done].sum() + self.out.swept[self.done].sum())
        low, high = max(0.0, mean - 2 * error) * rate, (mean + 2 * error) * rate
        told = Progress(self.count, self.total, links, seconds, mean * rate, low, high)
        return self.tell(told) is not False


def _run(plan: Plan, todo: Index, out: Out, done: NDArray[np.bool_], threads: int, batch: int, clock: _Clock) -> None:
    # A batch must leave work for every thread; the lanes of a small run matter less than both cores.
    size = max(1, min(batch, -(-todo.size // threads)))
    batches = [todo[a : a + size] for a in range(0, todo.size, size)][::-1]
    idle = [Worker(plan) for _ in range(min(threads, len(batches)))]
    running: dict[Future[float], tuple[Worker, Index]] = {}
    with ThreadPoolExecutor(max(1, len(idle))) as pool:
        going = True
        while running or (going and batches):
            while going and batches and idle:
                worker, firms = idle.pop(), batches.pop()
                running[pool.submit(_timed, worker, firms, out)] = (worker, firms)
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                worker, firms = running.pop(future)
                idle.append(worker)
                going = clock.batch(firms, future.result()) and going
    for figures in (out.both, out.supply, out.demand):
        figures[~done] = np.nan


def _timed(worker: Worker, firms: Index, out: Out) -> float:
    begin = time.perf_counter()
    worker.run(firms, out)
    return time.perf_counter() - begin


def _with_error(plan: Plan, result: FirmRisks, count: int, seed: int) -> FirmRisks:
    """Run some of the firms again exactly and keep the largest difference."""
    net = plan.net
    sample = np.random.default_rng(seed + 1).permutation(np.flatnonzero(result.done))[:count]
    if not sample.size:
        return result
    exact = replace(plan, eps=EXACT_EPS, least=0.0, fast=False)
    out, _ = _to_layout(net, _begin(exact, None))
    Worker(exact).run(net.place[sample].astype(np.int32), out)
    error = max(
        float(np.max(np.abs(out.both[net.place[sample]] - result.index[sample]))),
        float(np.max(np.abs(out.supply[net.place[sample]] - result.supply[sample]))),
    )
    return replace(result, error=error, checked=int(sample.size))
