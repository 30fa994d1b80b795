"""Files of JSON lines, plain or gzip, as columns of the fields that are read; a bad line is told, not lost.

A stretch of lines is read in one go (``kernels.json_columns``). Where that finds anything but one object of the
promised shape on every line, the stretch is read again line by line (``json_fit``): that is slow, exact, and says what
is wrong. Stretches are read side by side, a thread a core, and come in the file's order.

A line ends in ``\\n`` and nowhere else, so that its number is the one an editor shows: a carriage return is white
space to JSON, which writes one inside a text as an escape.
"""

import codecs
import gzip
import json
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from ronghe.errors import SourceError
from ronghe.kernels.json_columns import SPARE, log_for
from ronghe.model.text import Text
from ronghe.sources.base import RawFile, not_this_format, wanted
from ronghe.sources.csv_rows import Fault
from ronghe.sources.json_fit import Shape, fitted
from ronghe.sources.json_levels import Level, Levels

LONGEST_LINE = 32 * 2**20
"""Bytes: a work with some thousands of authors is a line of several megabytes."""

_STRETCH = 2**24
"""Bytes read at a time: checks cost by the stretch, memory by its size and the cores."""

_THREADS = 4
"""More read no faster than their rows are written."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some lines of a file and what they hold.

    ``rows``: the good lines. ``at``: the place of each row's line in the stretch, from 0. ``faults``: place of the
    line, the record's identity, its text, a fault. ``blank``: place and text of lines that hold nothing.
    """

    lines: int
    rows: Level
    at: NDArray[np.int64]
    faults: list[tuple[int, str | None, bytes, Fault]] = field(default_factory=list)
    blank: list[tuple[int, bytes]] = field(default_factory=list)


class JsonLines:
    """Lines of one shape.

    Parameters
    ----------
    shape : the fields to read; all others are passed over.
    identity : the field that names a record: a line without it is at fault.
    told : the identity as a fault calls it.
    """

    def __init__(self, shape: Shape, identity: str, told: str) -> None:
        self._shape, self._identity, self._told = shape, identity, told
        self._levels = Levels(shape)

    def stretches(self, raw: RawFile, expected: Text, use: Callable[[Stretch, int], T]) -> Iterator[T]:
        """What ``use`` makes of each stretch and the number of its first line, from 1; on threads, in the file's order.

        Raises
        ------
        SourceError : the file is empty, cut short, not gzip though its name says so, or a line of it has no end.
        """
        threads = min(os.cpu_count() or 1, _THREADS)
        rooms = [_Room(_STRETCH) for _ in range(threads + 1)]
        running: deque[tuple[_Room, Future[T]]] = deque()
        first: Future[int] = Future()
        first.set_result(1)
        with ThreadPoolExecutor(threads) as pool:
            for room in _filled(raw, expected, rooms):
                after: Future[int] = Future()
                running.append((room, pool.submit(self._job, room, use, first, after)))
                first = after
                if not rooms:
                    free, done = running.popleft()
                    yield done.result()
                    rooms.append(free)
            for _, done in running:
                yield done.result()

    def _job(self, room: "_Room", use: Callable[[Stretch, int], T], first: Future[int], after: Future[int]) -> T:
        """Read a stretch, tell the next one where it begins, and use it."""
        try:
            stretch = self.read(room)
            # The stretch before was begun earlier, so that it can be waited for.
            number = first.result()
        except BaseException as error:
            after.set_exception(error)
            raise
        after.set_result(number + stretch.lines)
        return use(stretch, number)

    def read(self, room: "_Room") -> Stretch:
        """The lines in a room."""
        rows = self._quick(room)
        if rows is not None:
            return Stretch(rows.count, rows, np.arange(rows.count))
        return self.careful(room)

    def given(self, lines: Iterable[bytes]) -> Stretch:
        """Lines at hand, without their ends."""
        return self.read(_held(lines))

    def _quick(self, room: "_Room") -> Level | None:
        """The rows, if every line is one of the shape with an identity."""
        rows = self._levels.read(np.frombuffer(room.block, np.uint8), room.size, room.log)
        if rows is None:
            return None
        known = rows.columns[self._identity,]
        return None if known.null_count or pc.any(pc.equal(known, "")).as_py() else rows

    def careful(self, room: "_Room") -> Stretch:
        """The same, line by line."""
        lines = bytes(memoryview(room.block)[: room.size]).removesuffix(b"\n").split(b"\n")
        rows, at = [], []
        blank: list[tuple[int, bytes]] = []
        faults: list[tuple[int, str | None, bytes, Fault]] = []
        for place, line in enumerate(lines):
            if not line.strip():
                blank.append((place, line))
                continue
            row, found = fitted(line, self._shape)
            known = row.get(self._identity)
            if not found and not known:
                found = [Fault(self._told, "", "null", wanted("filled"))]
            if found:
                faults += [(place, known, line, fault) for fault in found]
                continue
            rows.append(row)
            at.append(place)
        # What fits is said again as it should have been, so that columns are made in one place.
        good = self._quick(_held(json.dumps(row, default=str).encode() for row in rows))
        if good is None:
            raise RuntimeError("lines that fit their shape could not be read")
        return Stretch(len(lines), good, np.array(at, np.int64), faults, blank)


def _held(lines: Iterable[bytes]) -> "_Room":
    """Lines in a room."""
    room = _Room(0)
    room.hold(b"".join(line + b"\n" for line in lines))
    room.log = log_for(room.size, each=2)
    return room


class _Room:
    """Memory for a stretch, used again and again: fresh memory costs more than what is done in it."""

    def __init__(self, size: int) -> None:
        self.size = 0
        self.block, self.log = bytearray(size + SPARE), log_for(size)

    def hold(self, held: bytes) -> None:
        """Begin with some bytes, with room for as many more as before."""
        if len(held) * 2 > len(self.block):
            self._grow(len(held))
        self.block[: len(held)] = held
        self.size = len(held)

    def fill(self, stream: Any, raw: RawFile, expected: Text) -> bytes | None:
        """Read on to the end of a line and give what was read beyond it; none at the file's end."""
        while True:
            with memoryview(self.block) as whole, whole[self.size : -SPARE] as free:
                got = stream.readinto(free)
            if not got:
                return None
            cut = self.block.rfind(b"\n", self.size, self.size + got) + 1
            self.size += got
            if cut:
                rest = bytes(memoryview(self.block)[cut : self.size])
                self.size = cut
                return rest
            if self.size > LONGEST_LINE:
                raise not_this_format(raw, expected, Text("why.long_line"))
            if self.size + SPARE == len(self.block):
                self._grow(self.size)

    def _grow(self, more: int) -> None:
        self.block = self.block[: self.size] + bytes(len(self.block) - self.size + more)
        self.log = log_for(len(self.block))


@contextmanager
def opened(raw: RawFile) -> Iterator[Any]:
    """The bytes of a file, plain or gzip.

    Raises
    ------
    SourceError : the file is empty, cut short, or not gzip though its name says so; also while it is read.
    """
    if not raw.path.stat().st_size:
        raise SourceError("source_empty", file=raw.name)
    try:
        with gzip.open(raw.path) if raw.name.endswith(".gz") else raw.path.open("rb", buffering=0) as stream:
            yield stream
    except EOFError as error:
        raise SourceError("source_truncated", file=raw.name, why=Text("why.stream_cut")) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise SourceError("source_format", file=raw.name, expected="gzip", why=Text("why.no_gzip")) from error


def _filled(raw: RawFile, expected: Text, rooms: list[_Room]) -> Iterator[_Room]:
    """Rooms with whole lines, in the file's order; each is taken from ``rooms``, where the caller puts it back."""
    mark = codecs.BOM_UTF8
    with opened(raw) as stream:
        rest: bytes | None = stream.read(len(mark))
        rest = rest and rest.replace(mark, b"")
        while rest is not None:
            room = rooms.pop()
            room.hold(rest)
            rest = room.fill(stream, raw, expected)
            if room.size:
                yield room
            else:
                rooms.append(room)
