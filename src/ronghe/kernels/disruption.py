"""Disruption of works in a citation graph: CD_t and mCD (Funk & Owen-Smith 2017).

Of the works that appear within t after a focal work and cite it or what it cites,

    n_i  cite the focal work and none of its references
    n_j  cite the focal work and some of its references
    n_k  cite some of its references but not the focal work

    CD_t = (n_i - n_j) / (n_i + n_j + n_k)        mCD_t = CD_t * (n_i + n_j)

CD_t is 1 when all later work forgets what came before, -1 when it always cites both. A work without references has
CD_t = 1 by construction (Holst et al. 2024), so `Disruption.cd_guarded` leaves such works out.

How the graph is laid out, and what happens to impossible citations, is told in `ronghe.kernels.citations`.

References
----------
Funk, R. J. & Owen-Smith, J. (2017). A dynamic network measure of technological change. Management Science 63(3).
Holst, V., Algaba, A., Tori, F., Wenmackers, S. & Ginis, V. (2024). Dataset artefacts are the hidden drivers of the
declining disruptiveness in science. arXiv:2402.14583.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.citations import END, CitationGraph, Ints
from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]

_BLOCK = 2048
_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Disruption:
    """Counts and indices for every focal work asked for, in the order asked.

    Attributes
    ----------
    n_i, n_j, n_k : (f,) citers within the window; -1 for a work without a date.
    references : (f,) references inside the graph, after cleaning.
    """

    n_i: Ints
    n_j: Ints
    n_k: Ints
    references: Ints

    @property
    def citations(self) -> Ints:
        """Citations within the window, n_i + n_j."""
        return np.where(self.n_i < 0, 0, self.n_i + self.n_j)

    @property
    def cd(self) -> Floats:
        """CD_t; not a number where nobody cites the work or its references, or where it has no date."""
        total = self.n_i + self.n_j + self.n_k
        share = np.full(total.shape, np.nan)
        np.divide(self.n_i - self.n_j, total, out=share, where=total > 0)
        return share

    @property
    def mcd(self) -> Floats:
        """mCD_t = CD_t x citations within the window."""
        return self.cd * self.citations

    @property
    def cd_guarded(self) -> Floats:
        """CD_t without the works that have no reference in the graph, whose CD_t is 1 by construction."""
        return np.where(self.references > 0, self.cd, np.nan)


def disruption(
    graph: CitationGraph, window: float, focal: ArrayLike | None = None, threads: int | None = None
) -> Disruption:
    """CD_t and mCD for every work, or for some.

    Parameters
    ----------
    graph : from `ronghe.kernels.citations.citation_graph`.
    window : t, in the unit of the graph's dates; citers dated in (date, date + t] count.
    focal : (f,) the caller's numbers of the works to measure; all by default.
    threads : how many; as many as processors by default. The result does not depend on it.

    Returns
    -------
    Disruption

    Raises
    ------
    KernelError
        ``window`` if t is not positive, ``index`` if a focal work does not exist.

    Examples
    --------
    >>> from ronghe.kernels.citations import citation_graph
    >>> graph = citation_graph([1, 2, 3, 3], [0, 1, 1, 0], [2000, 2001, 2003, 2004])
    >>> disruption(graph, 5, [1]).cd
    array([0.])
    """
    if not window > 0:
        raise KernelError("window", "the window must be positive", window=window)
    rank = np.full(graph.works, -1, np.int32)
    rank[graph.order] = np.arange(graph.order.size, dtype=np.int32)
    wanted = np.arange(graph.works) if focal is None else np.asarray(focal, dtype=np.int64)
    if wanted.size and (wanted.min() < 0 or wanted.max() >= graph.works):
        raise KernelError("index", "a focal work does not exist", works=graph.works)
    place = rank[wanted]
    first = np.searchsorted(graph.date, graph.date, side="right").astype(np.int32)
    last = np.searchsorted(graph.date, graph.date + window, side="right").astype(np.int32)
    # In order of date the marks touched by neighbours overlap and stay in cache.
    dated = np.sort(place[place >= 0])
    counts = np.full((3, graph.order.size + 1), -1, np.int32)
    _run(graph, dated, first, last, counts, threads)
    references = np.append(np.diff(graph.row), 0)[place]
    n_i, n_j, n_k = counts[:, place]
    return Disruption(n_i, n_j, n_k, references)


def _run(graph: CitationGraph, dated: Ints, first: Ints, last: Ints, counts: Ints, threads: int | None) -> None:
    workers = max(1, min(threads or os.cpu_count() or 1, -(-dated.size // _BLOCK)))

    def work(worker: int) -> None:
        mark = np.full(graph.order.size, END, np.int32)
        for block in range(worker, -(-dated.size // _BLOCK), workers):
            part = dated[block * _BLOCK : (block + 1) * _BLOCK]
            _count(part, first, last, graph.row, graph.later, graph.entry, graph.citers, mark, counts)

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, worker) for worker in range(workers)]:
            done.result()


@njit(nogil=True, cache=True)
def _touch(focal: Ints, row: Ints, later: Ints, citers: Ints) -> int:
    """Bring the citers of all references of some works into cache.

    These reads do not wait for each other; in the count each would wait for the end of the list before it.
    """
    touched = 0
    for f in focal:
        for e in range(row[f], row[f + 1]):
            touched ^= citers[later[e]]
    return touched


@njit(nogil=True, cache=True)
def _count(
    focal: Ints,
    first: Ints,
    last: Ints,
    row: Ints,
    later: Ints,
    entry: Ints,
    citers: Ints,
    mark: Ints,
    counts: Ints,
) -> int:
    touched = 0
    for begin in range(0, focal.size, _AHEAD):
        part = focal[begin : begin + _AHEAD]
        touched ^= _touch(part, row, later, citers)
        for f in part:
            _count_one(f, first[f], last[f], row, later, entry, citers, mark, counts)
    return touched


@njit(nogil=True, cache=True)
def _count_one(
    f: int,
    low: int,
    high: int,
    row: Ints,
    later: Ints,
    entry: Ints,
    citers: Ints,
    mark: Ints,
    counts: Ints,
) -> None:
    direct, indirect = np.int32(2 * f + 1 - mark.size), np.int32(2 * f + 2 - mark.size)
    cites_focal = both = any_reference = 0
    p = entry[f]
    while citers[p] < low:
        p += 1
    while citers[p] < high:
        mark[citers[p]] = direct
        cites_focal += 1
        p += 1
    for e in range(row[f], row[f + 1]):
        p = later[e]
        c = citers[p]
        while c < high:
            seen = mark[c]
            both += seen == direct
            any_reference += seen != indirect
            mark[c] = indirect
            p += 1
            c = citers[p]
    counts[0, f] = cites_focal - both
    counts[1, f] = both
    counts[2, f] = any_reference - both
