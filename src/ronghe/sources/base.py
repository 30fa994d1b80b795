"""What a source is: a reader of one publisher's own files.

A *record* is the smallest thing that stands by itself in the raw file: a row of a list, a cell of a
matrix or of a wide table, one JSON object. It is named by (part, row, col): the sheet, object or
archive member (``""`` where there is one only), the row as a person counts it in the file (1 = first
line, headers included), and the column for cells (a letter in Excel, the publisher's code in a matrix;
null for whole-row records). Every record a source reads is accepted (it gave at least one row),
rejected (with what was expected) or skipped (with a reason). The lake adds these up and refuses a load
whose sums differ.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from ronghe.errors import SourceError
from ronghe.model.serial import packed
from ronghe.model.table import contract
from ronghe.model.text import Text


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file as its publisher wrote it. ``name`` is its path inside the dataset, with ``/``.

    ``stamp`` is what ``stamp_of`` gave before the file was hashed; empty where nobody asked.
    """

    path: Path
    dataset: str
    name: str
    sha256: str
    bytes: int
    stamp: tuple[int, ...] = ()


def stamp_of(path: Path) -> tuple[int, ...]:
    """What tells whether a file was written to since: where it lies, its size, and when it last changed.

    Raises
    ------
    OSError : there is no such file, or it can't be looked at.
    """
    found = path.stat()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Records passed over on purpose: ``reason`` is a key of ``skip.*`` in the locales."""

    reason: str
    count: int = 1
    part: str = ""
    row: int | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One fault of one record: goes to quarantine. ``reason`` is a key of ``reject.*`` in the locales.

    Several faults may name the same (part, row, col): it is still one record.
    ``col`` is the record's own column where records are cells; ``column`` names the faulty field; ``expected`` is what
    ``wanted`` gives.
    """

    part: str
    row: int
    column: str
    value: str
    reason: str
    expected: Text
    col: str | None = None


def wanted(code: str, **args: Any) -> Text:
    """What a field should have held: ``code`` is a key of ``expected.*`` in the locales, ``args`` its placeholders."""
    return Text(f"expected.{code}", args)


def row_of(told: Rejected | Skipped) -> dict[str, Any]:
    """A fault or skip as the row that tables keep: what was expected as ``model.serial.packed`` gives it."""
    row = {one.name: getattr(told, one.name) for one in fields(told)}
    if isinstance(told, Rejected):
        row["expected"], row["args"] = packed(told.expected)
    return row


@dataclass(frozen=True, slots=True)
class Repair:
    """A value that an explicit, published table mended while reading; kept as a decision."""

    part: str
    row: int
    column: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """One stretch of a raw file: how many records it held and what became of them.

    ``rows`` maps a contract table to rows in that contract's ``schema`` (with ``_part``, ``_row``, ``_col``).
    A record may not be split over two chunks.
    """

    records: int
    rows: Mapping[str, pa.Table] = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()
    rejected: Sequence[Rejected] = ()
    repairs: Sequence[Repair] = ()


@runtime_checkable
class Source(Protocol):
    """A reader of one publisher's format.

    ``version`` is the parser's: raise it when the rows change, and the next ingest replaces the old load.
    """

    @property
    def name(self) -> str:
        """The reader's name."""
        ...

    @property
    def version(self) -> str:
        """The parser's version."""
        ...

    @property
    def tables(self) -> tuple[str, ...]:
        """The contracts whose rows it gives."""
        ...

    def accepts(self, raw: RawFile) -> bool:
        """Whether this file of the dataset holds data for this reader (licences and read-mes do not)."""
        ...

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """The file's records. Pure: no network, no lake. Raises ``SourceError`` when it isn't the format."""
        ...


def table_of(
    name: str,
    columns: Mapping[str, Any],
    *,
    part: Any = "",
    row: Any,
    col: Any = None,
) -> pa.Table:
    """Rows of one contract from columns (arrays, lists or scalars to repeat); absent columns are null.

    Parameters
    ----------
    name : the contract.
    columns : contract column -> values; a scalar is repeated.
    part, row, col : the lineage, each an array or a scalar; ``row`` must be an array or list.
    """
    schema = contract(name).schema
    length = len(row)
    given = {**columns, "_part": part, "_row": row, "_col": col}
    unknown = set(given) - set(schema.names)
    if unknown:
        raise KeyError(f"{name} has no column {', '.join(sorted(unknown))}")
    arrays = [_array(given.get(f.name), f.type, length) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: Any, kind: pa.DataType, length: int) -> pa.Array:
    if values is None:
        return pa.nulls(length, kind)
    if isinstance(values, (str, int, float, bool)):
        return pa.array([values], kind).take(pa.array([0] * length, pa.int64())) if length else pa.array([], kind)
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        return flat.cast(kind)
    return pa.array(values, kind, from_pandas=True)


def rows_of(name: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows of one contract from dictionaries that carry ``_part``, ``_row`` and ``_col`` themselves."""
    return pa.Table.from_pylist(list(rows), schema=contract(name).schema)


def not_this_format(raw: RawFile, expected: Text | str, why: Text | str) -> SourceError:
    """The one error for a file that isn't what it claims to be."""
    if raw.bytes == 0:
        return SourceError("source_empty", file=raw.name)
    return SourceError("source_format", file=raw.name, expected=expected, why=why)
