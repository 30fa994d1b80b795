"""A citation graph, cleaned and laid out so that whole windows of time are read in one run.

Works are renumbered by date. A window of dates is then a range of numbers, each work's citers lie in order of date,
and every citation remembers where the later citers of the same reference begin: what two-hop measures need is one
random read per reference and a straight run over its citers.

Citations that cannot be (to oneself, to the future, around a cycle) and copies are left out and counted.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ronghe.kernels.errors import KernelError

Ints: TypeAlias = NDArray[np.integer[Any]]

END = np.int32(2**31 - 1)


@dataclass(frozen=True, slots=True)
class EdgeReport:
    """What became of the citations handed in; each is counted once, under the first name that fits.

    `unusable`: one end has no date or was left out by the caller; `self_citations`; `to_future`: the cited work is
    dated after the citing one; `cyclic`: on a cycle, which can only run among works of one date; `duplicates`: the
    second and later copies; `kept`: the rest, which the measures use.
    """

    unusable: int
    self_citations: int
    to_future: int
    cyclic: int
    duplicates: int
    kept: int


@dataclass(frozen=True, slots=True)
class CitationGraph:
    """A cleaned citation graph, works renumbered by date (make one with `citation_graph`).

    Attributes
    ----------
    order : (m,) the caller's number of each usable work, by date.
    date : (m,) its date, ascending.
    works : how many works the caller has, usable or not.
    row : (m + 1,) where the references of each work begin in `later`.
    later : (kept,) per citation, where in `citers` the citers of the same reference begin that are later than the
        citing work.
    entry : (m + 1,) where the citers of each work begin in `citers`.
    citers : (kept + m,) the citers of each work by date, each list closed by an end mark.
    report : what was left out, and why.
    """

    order: Ints
    date: NDArray[Any]
    works: int
    row: Ints
    later: Ints
    entry: Ints
    citers: Ints
    report: EdgeReport


def citation_graph(
    source: ArrayLike, target: ArrayLike, date: ArrayLike, usable: ArrayLike | None = None
) -> CitationGraph:
    """Clean a list of citations and lay it out.

    Parameters
    ----------
    source, target : (e,) integers; citing and cited work, numbers into `date`.
    date : (n,) integers or floats in any unit of time (years, days, seconds); NaN is a work without a date.
    usable : (n,) booleans; False leaves a work out with all its citations (another document type, say).

    Returns
    -------
    CitationGraph

    Raises
    ------
    KernelError
        ``shape`` if lengths differ, ``dtype`` if numbers are no integers, ``index`` if a citation names a work that
        does not exist, ``size`` past 2**31 works and citations together.

    Examples
    --------
    >>> graph = citation_graph([1, 2, 2, 2], [0, 0, 1, 1], [2000, 2001, 2003])
    >>> graph.report.kept, graph.report.duplicates
    (3, 1)
    """
    source, target, date = np.asarray(source), np.asarray(target), np.asarray(date)
    keep = _check(source, target, date, usable)
    order, rank = _by_date(date, keep)
    date_in_order = date[order]
    group = _group_starts(date_in_order)
    row, refs, unusable = _rows(source, target, rank, order.size)
    selfs, future, same = _drop_impossible(row, refs, group)
    component = _cycle_labels(row, refs, group) if same else np.empty(0, np.int32)
    entry, cyclic, duplicates = _drop_repeated(row, refs, component)
    citers = np.empty(int(row[-1]) + order.size, np.int32)
    _transpose(row, refs, entry, citers, group)
    kept = int(row[-1])
    report = EdgeReport(int(unusable), int(selfs), int(future), int(cyclic), int(duplicates), kept)
    return CitationGraph(order, date_in_order, date.size, row, refs[:kept], entry, citers, report)


def _check(source: Ints, target: Ints, date: NDArray[Any], usable: ArrayLike | None) -> NDArray[np.bool_]:
    if source.ndim != 1 or source.shape != target.shape or date.ndim != 1:
        raise KernelError("shape", "citations and dates must be plain lists", source=source.shape, target=target.shape)
    for name, ends in (("source", source), ("target", target)):
        if ends.size == 0:
            continue
        if ends.dtype.kind not in "iu":
            raise KernelError("dtype", "works are named by integers", which=name, dtype=str(ends.dtype))
        low, high = int(ends.min()), int(ends.max())
        if low < 0 or high >= date.size:
            raise KernelError("index", "a citation names a work that does not exist", which=name, low=low, high=high)
    if date.dtype.kind not in "iuf":
        raise KernelError("dtype", "dates are numbers", which="date", dtype=str(date.dtype))
    if source.size + date.size >= int(END):
        raise KernelError("size", "more than 2**31 works and citations", works=date.size, citations=source.size)
    keep = np.ones(date.size, bool) if usable is None else np.asarray(usable, bool)
    if keep.shape != date.shape:
        raise KernelError("shape", "usable must have one entry a work", usable=keep.shape, date=date.shape)
    finite: NDArray[np.bool_] = np.isfinite(date)
    return keep & finite


def _by_date(date: NDArray[Any], keep: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    chosen = np.flatnonzero(keep).astype(np.int32)
    dates = date[chosen]
    if dates.size and dates.dtype.kind in "iu" and int(dates.max()) - int(dates.min()) < 2**16:
        dates = (dates - dates.min()).astype(np.uint16)  # NumPy sorts 16-bit keys by radix
    order = chosen[np.argsort(dates, kind="stable")]
    rank = np.full(date.size, -1, np.int32)
    rank[order] = np.arange(order.size, dtype=np.int32)
    return order, rank


def _group_starts(date: NDArray[Any]) -> Ints:
    """Where each run of equal dates begins, closed by the length."""
    edges = np.flatnonzero(date[1:] != date[:-1]) + 1
    return np.concatenate(([0], edges, [date.size])).astype(np.int32)


@njit(nogil=True, cache=True)
def _rows(source: Ints, target: Ints, rank: Ints, m: int) -> tuple[Ints, Ints, int]:
    """References of each work, in no order within a work."""
    row = np.zeros(m + 2, np.int64)
    unusable = 0
    for e in range(source.size):
        s = rank[source[e]]
        if s < 0 or rank[target[e]] < 0:
            unusable += 1
        else:
            row[s + 2] += 1
    for s in range(m):
        row[s + 2] += row[s + 1]
    refs = np.empty(source.size - unusable, np.int32)
    for e in range(source.size):
        s, t = rank[source[e]], rank[target[e]]
        if s >= 0 and t >= 0:
            refs[row[s + 1]] = t
            row[s + 1] += 1
    return row[: m + 1], refs, unusable


@njit(nogil=True, cache=True)
def _drop_impossible(row: Ints, refs: Ints, group: Ints) -> tuple[int, int, int]:
    """Close up over citations to oneself and to the future; count those among equals in date."""
    selfs = future = same = 0
    out = begin = 0
    for g in range(group.size - 1):
        for s in range(group[g], group[g + 1]):
            end = row[s + 1]
            for e in range(begin, end):
                t = refs[e]
                if t == s:
                    selfs += 1
                elif t >= group[g + 1]:
                    future += 1
                else:
                    same += t >= group[g]
                    refs[out] = t
                    out += 1
            begin = end
            row[s + 1] = out
    return selfs, future, same


@njit(nogil=True, cache=True)
def _among_equals(row: Ints, refs: Ints, group: Ints) -> tuple[Ints, Ints]:
    indptr = np.zeros(row.size, np.int32)
    for counting in (True, False):
        if not counting:
            inner = np.empty(indptr[-1], np.int32)
        found = 0
        for g in range(group.size - 1):
            for s in range(group[g], group[g + 1]):
                for e in range(row[s], row[s + 1]):
                    if refs[e] >= group[g]:
                        if not counting:
                            inner[found] = refs[e]
                        found += 1
                indptr[s + 1] = found
    return indptr, inner


def _cycle_labels(row: Ints, refs: Ints, group: Ints) -> Ints:
    """Works on one cycle share a label; nothing is returned if there is no cycle."""
    indptr, inner = _among_equals(row, refs, group)
    among = csr_array((np.ones(inner.size, np.int8), inner, indptr), shape=(row.size - 1, row.size - 1))
    parts, label = connected_components(among, directed=True, connection="strong")
    return label.astype(np.int32) if parts < row.size - 1 else np.empty(0, np.int32)


@njit(nogil=True, cache=True)
def _drop_repeated(row: Ints, refs: Ints, component: Ints) -> tuple[Ints, int, int]:
    """Close up over cycles and copies; return where each work's citers will begin, with room for an end mark."""
    m = row.size - 1
    entry = np.zeros(m + 1, np.int32)
    seen = np.full(m, -1, np.int32)
    cyclic = duplicates = out = begin = 0
    for s in range(m):
        end = row[s + 1]
        for e in range(begin, end):
            t = refs[e]
            if component.size and component[s] == component[t]:
                cyclic += 1
            elif seen[t] == s:
                duplicates += 1
            else:
                seen[t] = s
                entry[t + 1] += 1
                refs[out] = t
                out += 1
        begin = end
        row[s + 1] = out
    for t in range(m):
        entry[t + 1] += entry[t] + 1
    return entry, cyclic, duplicates


@njit(nogil=True, cache=True)
def _transpose(row: Ints, refs: Ints, entry: Ints, citers: Ints, group: Ints) -> None:
    """Fill `citers`, and turn each reference in `refs` into the place where its later citers begin."""
    m = row.size - 1
    cursor = entry[:m].copy()
    for g in range(group.size - 1):
        for s in range(group[g], group[g + 1]):
            for e in range(row[s], row[s + 1]):
                t = refs[e]
                citers[cursor[t]] = s
                cursor[t] += 1
        # Only now does the cursor of t stand past every citer of this date.
        for e in range(row[group[g]], row[group[g + 1]]):
            refs[e] = cursor[refs[e]]
    for t in range(m):
        citers[cursor[t]] = END
