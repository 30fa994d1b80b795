"""Columns of JSON lines as Arrow arrays, a level for the lines and one for the items of each list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ronghe.kernels.json_columns import Columns, Found, gather
from ronghe.sources.json_fit import Shape

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """Lines, or the items of all their lists of one kind, in the file's order.

    ``up``: the row each item's list is in, on the level above; of lines, their numbers. ``columns``: names from this
    level down to a value -> a row's value, null where there is none; a level of values has the one column ``()``.
    ``lists``: names down to a list -> its items. ``listed``: on a level of items, whether each row above has the list.
    """

    count: int
    up: NDArray[np.int64]
    columns: Mapping[Path, pa.Array]
    lists: Mapping[Path, "Level"]
    listed: NDArray[np.bool_]


class _Refused(Exception):
    """Something in the lines isn't what was promised."""


class Levels:
    """A shape as levels."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        # Dates are texts to JSON; they are cast, and looked at closely where that fails.
        self._columns = Columns(_texts(shape))

    def read(self, block: NDArray[np.uint8], size: int, log: NDArray[np.int64]) -> Level | None:
        """Whole lines, ``size`` bytes of a block; none where a line isn't of the shape, or isn't UTF-8."""
        found = self._columns.read(block, size, log)
        if found is None:
            return None
        try:
            return _Rows(block, found, (), self._shape).level(found[()].up, np.ones(0, np.bool_))
        except (_Refused, pa.ArrowInvalid):
            return None


class _Rows:
    """What was found of one level: the lines, or the items of one kind of list. ``place`` is a path of the kernel's.

    Not a function within a function that calls itself: that is a ring of references, and the memory it holds waits for
    the collector.
    """

    def __init__(
        self, block: NDArray[np.uint8], found: Mapping[Any, Found], place: tuple[Any, ...], shape: Any
    ) -> None:
        self._block, self._found, self._place = block, found, place
        self._count = len(found[place].up)
        self._columns: dict[Path, pa.Array] = {}
        self._lists: dict[Path, Level] = {}
        self._take((), shape, np.arange(self._count))

    def level(self, up: NDArray[np.int64], listed: NDArray[np.bool_]) -> Level:
        """The level, told which row above each of its rows is in."""
        return Level(self._count, up, self._columns, self._lists, listed)

    def _take(self, path: Path, shape: Any, at: NDArray[np.int64]) -> None:
        """Columns below a name; ``at`` says which row of the level each thing found there belongs to."""
        there = (*self._place, *path)
        if isinstance(shape, Mapping):
            for name, inner in shape.items():
                below = self._found[(*there, name)].up
                if len(below) > 1 and not np.diff(below).all():
                    raise _Refused  # named twice
                self._take((*path, name), inner, at[below])
        elif isinstance(shape, list):
            listed = np.zeros(self._count, np.bool_)
            listed[at] = self._found[there].start >= 0
            items = (*there, 0)
            up = at[self._found[items].up]
            self._lists[path] = _Rows(self._block, self._found, items, shape[0]).level(up, listed)
        else:
            self._columns[path] = _column(self._block, self._found[there], shape, at, self._count)


def _column(block: NDArray[np.uint8], found: Found, kind: str, at: NDArray[np.int64], count: int) -> pa.Array:
    if kind in {"text", "date"}:
        made = gather(block, found, at, count)
        if made is None:
            raise _Refused
        offsets, data, held = made
        bits = None if held.all() else pa.py_buffer(np.packbits(held, bitorder="little"))
        texts = pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data), bits)
        texts.validate(full=True)
        return texts if kind == "text" else pc.cast(texts, pa.date32())
    values, held = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    values[at], held[at] = found.start, found.stop >= 0
    return pa.array(values.astype(np.bool_) if kind == "truth" else values, mask=~held)


def _texts(shape: Any) -> Any:
    if isinstance(shape, Mapping):
        return {name: _texts(inner) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [_texts(shape[0])]
    return "text" if shape == "date" else shape
