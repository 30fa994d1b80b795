"""A sheet as every reader hands it on: texts, cell by cell, in batches, with the rows a person counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import pyarrow as pa

HEAD = 60
"""How many rows at the top are looked at for headers."""

BATCH = 50_000
"""Rows in a batch of a sheet that is in memory anyway."""


class Merge(NamedTuple):
    """A merged range: rows as a person counts them (1 = first), columns from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Overlong:
    """A row with more filled cells than the table has columns."""

    row: int
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows: their numbers, one text array a column, and rows too long to fit."""

    rows: pa.Array
    columns: Sequence[pa.Array]
    overlong: Sequence[Overlong] = ()


class Sheet(Protocol):
    """One table-like part of a file."""

    @property
    def part(self) -> str:
        """The sheet's name; empty where the file is one table."""
        ...

    @property
    def width(self) -> int:
        """How many columns it has."""
        ...

    @property
    def merges(self) -> Sequence[Merge] | None:
        """Merged ranges; None where the format doesn't tell."""
        ...

    @property
    def head(self) -> Sequence[Sequence[str]]:
        """The first rows, for finding the heading."""
        ...

    @property
    def labelled(self) -> bool:
        """Whether the heading stands in the rows themselves (not so in Parquet)."""
        ...

    @property
    def delimited(self) -> bool:
        """Whether cells were told apart by a delimiter, so that a stray one shifts the row."""
        ...

    def batches(self) -> Iterator[Batch]:
        """All rows from the first one on."""
        ...


@dataclass(frozen=True, slots=True)
class Book:
    """A file's sheets that were asked for, and how many rows those not asked for hold."""

    sheets: Sequence[Sheet]
    others: Sequence[tuple[str, int]] = ()


def letter(index: int) -> str:
    """A column from 0 as spreadsheets letter it.

    Examples
    --------
    >>> letter(0), letter(27)
    ('A', 'AB')
    """
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def column_index(text: str) -> int:
    """The column from 0 that spreadsheets letter so.

    Examples
    --------
    >>> column_index("AB")
    27
    """
    index = 0
    for char in text.upper():
        index = index * 26 + ord(char) - ord("A") + 1
    return index - 1


def batch_of(first: int, rows: Sequence[Sequence[str]], width: int) -> Batch:
    """A batch from lists of texts; short rows are filled up with empty cells."""
    columns = [pa.array([row[c] if c < len(row) else "" for row in rows], pa.string()) for c in range(width)]
    return Batch(pa.array(range(first, first + len(rows)), pa.int64()), columns)
