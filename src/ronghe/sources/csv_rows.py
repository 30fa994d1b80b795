"""A publisher's own CSV, record by record. For any user's table see ``workbook``.

A record's row is the one a spreadsheet shows: the header is 1, and a cell with line breaks is one row.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, not_this_format, rows_of, wanted

Record = Mapping[str, str]


@dataclass
class Fault(Exception):
    """Why a record can't become a row: the field, what it holds, the reason and what was expected."""

    column: str
    value: str
    reason: str
    expected: Text


def read_text(raw: RawFile) -> str:
    """The file's text, without a byte-order mark.

    Raises
    ------
    SourceError : the file is empty or not UTF-8.
    """
    data = raw.path.read_bytes()
    if not data:
        raise SourceError("source_empty", file=raw.name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_this_format(raw, Text("format.csv_utf8"), Text("why.not_utf8", {"byte": error.start})) from error


def read_records(raw: RawFile, columns: Collection[str]) -> Iterator[tuple[int, Record | Fault]]:
    """Row number and record, field -> trimmed text; a ``Fault`` where a row has too few or too many fields.

    Raises
    ------
    SourceError : the file is empty, not UTF-8, or its header lacks one of ``columns``.
    """
    reader = csv.reader(io.StringIO(read_text(raw)), strict=True)
    try:
        header = _header(raw, next(reader, []), columns)
        for number, cells in enumerate(reader, start=2):
            if len(cells) == len(header):
                yield number, {name: _trim(cell) for name, cell in zip(header, cells, strict=True)}
            elif cells:
                yield number, Fault("line", ",".join(cells)[:200], "type", wanted("fields", count=len(header)))
    except csv.Error as error:
        raise not_this_format(raw, "CSV", str(error)) from error


def _header(raw: RawFile, cells: Sequence[str], columns: Collection[str]) -> Sequence[str]:
    header = [cell.strip() for cell in cells]
    missing = [name for name in columns if name not in header]
    if missing:
        expected = Text("format.columns", {"columns": list(columns)})
        raise not_this_format(raw, expected, Text("why.no_column", {"columns": missing}))
    return header


def _trim(cell: str) -> str:
    return cell.replace("\u00a0", " ").strip()


def list_chunk(
    raw: RawFile, table: str, columns: Collection[str], make: Callable[[Record], Mapping[str, Any]]
) -> Chunk:
    """A list of one row a record: ``make`` turns a record into a row of the table or raises ``Fault``."""
    rows: list[Mapping[str, Any]] = []
    rejected: list[Rejected] = []
    for number, record in read_records(raw, columns):
        try:
            if isinstance(record, Fault):
                raise record
            rows.append({**make(record), "_part": "", "_row": number, "_col": None})
        except Fault as fault:
            rejected.append(Rejected("", number, fault.column, fault.value, fault.reason, fault.expected))
    return Chunk(len(rows) + len(rejected), {table: rows_of(table, rows)}, (), rejected)


def number_of(record: Record, field: str, column: str, reason: str = "type") -> float | None:
    """A number, or nothing where the field is blank.

    Raises
    ------
    Fault : the field holds something else.
    """
    text = record[field]
    try:
        return float(text) if text else None
    except ValueError as error:
        raise Fault(column, text, reason, wanted("number")) from error


def year_of(record: Record, field: str) -> int | None:
    """A year of four digits, or nothing where the field is blank.

    Raises
    ------
    Fault : the field holds something else.
    """
    text = record[field]
    if text and not (len(text) == 4 and text.isascii() and text.isdigit()):
        raise Fault("year", text, "year", wanted("year"))
    return int(text) if text else None


def needed(record: Record, field: str, column: str) -> str:
    """The text of a field that may not be blank.

    Raises
    ------
    Fault : it is blank.
    """
    if not record[field]:
        raise Fault(column, "", "null", wanted("filled"))
    return record[field]
