"""JSON lines taken apart into the columns of a shape, without an object for each line.

A parser that builds what it reads spends most of its time on fields nobody asked for: of a line of OpenAlex, four
fifths. Here a line is walked once (``json_walk``): members of the shape are written down as places in the text, and
columns are then gathered from the places (``json_texts``).

The kernel takes what it is sure of and refuses the rest (-1): its caller reads such lines one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels.byte_masks import WIDTH, Bytes, Ints
from ronghe.kernels.json_texts import copy_texts
from ronghe.kernels.json_walk import (
    LIST,
    LONGEST_NAME,
    NULL,
    OBJECT,
    SLOTS,
    STRIDE,
    TEXT,
    TRUTH,
    WHOLE,
    by_node,
    slot,
    walk,
)

SPARE = WIDTH
"""Bytes that must be readable after the last."""

_KINDS = {"text": TEXT, "whole": WHOLE, "truth": TRUTH}


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one node of a shape, in the order of the text.

    ``up``: for each, the number of the object or list it is in, among those found of that node. ``start``, ``stop``:
    of a text, its place between the quotes, ``stop`` negative where it holds escapes; of a whole number or truth
    value, the value in ``start``; -1 in both for null.
    """

    up: Ints
    start: Ints
    stop: Ints


class Columns:
    """A shape whose columns are read.

    Parameters
    ----------
    shape : field -> ``text``, ``whole`` (18 digits), ``truth``, a shape again (object) or a list of one of these
        (array).

    Raises
    ------
    ValueError : two names of one object are as long as each other and begin and end alike, or a name has no letter or
        more than 63.

    Examples
    --------
    >>> columns = Columns({"id": "text", "by": [{"name": "text"}]})
    >>> line = b'{"x": {"id": 0}, "by": [{"at": 1, "name": "Li"}], "id": "W1"}\\n'
    >>> block = np.zeros(len(line) + SPARE, np.uint8)
    >>> block[: len(line)] = np.frombuffer(line, np.uint8)
    >>> found = columns.read(block, len(line))
    >>> [bytes(line[a:b]) for a, b in zip(found["by", 0, "name"].start, found["by", 0, "name"].stop)]
    [b'Li']
    >>> columns.read(block, 20) is None
    True
    """

    def __init__(self, shape: Mapping[str, Any]) -> None:
        self.nodes: list[tuple[Any, ...]] = []
        kinds: list[int] = []
        edges: list[list[tuple[bytes, int]]] = []

        def node(held: Any, path: tuple[Any, ...]) -> int:
            number = len(kinds)
            self.nodes.append(path)
            kinds.append(OBJECT if isinstance(held, Mapping) else LIST if isinstance(held, list) else _KINDS[held])
            edges.append([])
            if isinstance(held, list):
                edges[number].append((b"", node(held[0], (*path, 0))))
            elif isinstance(held, Mapping):
                edges[number] += [(key.encode(), node(inner, (*path, key))) for key, inner in held.items()]
            return number

        node(shape, ())
        self._plan, self._names = _plan(kinds, edges)

    def read(self, block: Bytes, size: int, log: Ints | None = None) -> Mapping[tuple[Any, ...], Found] | None:
        """What whole lines hold, node by node; ``()`` is the lines themselves. The interpreter's lock is not held.

        Parameters
        ----------
        block : the lines, ``size`` bytes of them and at least ``SPARE`` more.
        log : room to work in, as ``log_for(size)`` gives it; who reads often saves the time to have it made anew.

        Returns
        -------
        path -> what was found there, 0 in a path for a list's items; none where a line isn't just one object of the
        shape as far as it was looked at, or a name in it holds anything but plain ASCII.
        """
        if len(block) < size + SPARE:
            raise ValueError(f"{size} bytes want an array of {size + SPARE}")
        log = log_for(size) if log is None else log
        counts = np.zeros(len(self.nodes), np.int64)
        total = walk(block, size, self._plan, self._names, log, counts)
        if total < 0:
            return None
        ends = np.cumsum(counts)
        ordered = np.empty((3, total), np.int64)
        by_node(log, total, ends - counts, ordered)
        return {
            path: Found(*ordered[:, end - count : end])
            for path, end, count in zip(self.nodes, ends.tolist(), counts.tolist(), strict=True)
        }


def log_for(size: int, each: int = 8) -> Ints:
    """Room for the log of so many bytes: lines whose values take less than `each` on average are refused.

    A value takes two bytes at least, with the comma behind it.
    """
    return np.empty((size // each + 64, 4), np.int64)


def _plan(kinds: list[int], edges: list[list[tuple[bytes, int]]]) -> tuple[Ints, Bytes]:
    """One array for the whole plan, for the compiled functions hand it on many times a line; and the names."""
    names = b"".join(name for one in edges for name, _ in one)
    places: list[int] = []
    members: list[int] = []
    start, before = 0, 2 + STRIDE * len(kinds)
    factor = _factor([[name for name, _ in one] for kind, one in zip(kinds, edges, strict=True) if kind == OBJECT])
    for kind, one in zip(kinds, edges, strict=True):
        slots = [-1] * SLOTS
        for name, child in one:
            if kind == OBJECT:
                slots[slot.py_func(len(name), name[0], name[-1], factor)] = before + len(members)
                members += [child, len(name), start]
                start += len(name)
        places += [*slots, kind, one[0][1] if one else -1]
    padded = np.frombuffer(names + bytes(SPARE), np.uint8).copy()
    return np.array([len(kinds), factor, *places, *members], np.int64), padded


def _factor(groups: list[list[bytes]]) -> int:
    """A factor for which no two names of a group share a slot."""
    for group in groups:
        for name in group:
            if not 0 < len(name) <= LONGEST_NAME:
                raise ValueError(f"a name has 1 to {LONGEST_NAME} bytes: {name!r}")
    for factor in range(1, 2**16):
        if all(len({slot.py_func(len(n), n[0], n[-1], factor) for n in group}) == len(group) for group in groups):
            return factor
    raise ValueError("two names of one object are of one length and begin and end alike")


def gather(
    block: Bytes, found: Found, rows: Ints, count: int
) -> tuple[NDArray[np.int32], Bytes, NDArray[np.bool_]] | None:
    """Texts as one column: offsets (count + 1), bytes and which rows hold one; none where an
    escape is none, or a control character isn't written as an escape.

    Parameters
    ----------
    block : what was read.
    found : of a node that is a text.
    rows : the row of each, ascending, none twice.
    count : rows of the column.
    """
    starts, stops = found.start, found.stop
    if len(rows) < count:
        starts, stops = np.full(count, NULL), np.full(count, NULL)
        starts[rows], stops[rows] = found.start, found.stop
    offsets = np.zeros(count + 1, np.int32)
    data = np.empty(int(np.abs(found.stop).sum() - found.start.sum()) + SPARE, np.uint8)
    size = copy_texts(block, starts, stops, offsets, data)
    return None if size < 0 else (offsets, data[:size], starts >= 0)
