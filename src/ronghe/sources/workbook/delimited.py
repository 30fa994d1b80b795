"""CSV and its kin, streamed: any size in constant memory, every row with its number."""

import csv
import io
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from ronghe.errors import SourceError
from ronghe.sources.base import RawFile
from ronghe.sources.workbook.encoding import Encoding, detect
from ronghe.sources.workbook.grid import HEAD, Batch, Merge, Overlong
from ronghe.sources.workbook.mapping import SourceSpec

BLOCK = 2 << 20
"""Bytes parsed at a time. A single row may not be longer."""

DELIMITERS = (",", "\t", ";", "|")


@dataclass(slots=True)
class _Odd:
    """Rows whose number of cells is not the table's, in the order they were met."""

    rows: deque[tuple[int, str]] = field(default_factory=deque)

    def __call__(self, row: Any) -> str:
        self.rows.append((row.number, row.text))
        return "skip"


@dataclass(frozen=True, slots=True)
class DelimitedSheet:
    """A delimited text file. ``width`` is the widest row among the first ones."""

    raw: RawFile
    encoding: Encoding
    delimiter: str
    width: int
    head: Sequence[Sequence[str]]
    part: str = ""
    merges: Sequence[Merge] | None = None
    labelled: bool = True
    delimited: bool = True

    def batches(self) -> Iterator[Batch]:
        """All rows, a few megabytes at a time. Rows shorter than the table are filled up."""
        odd, next_row, last = _Odd(), 1, None
        try:
            with self._open(odd) as reader:
                for found in reader:
                    batch = self._batch(found, odd, next_row)
                    next_row += len(batch.rows) + len(batch.overlong)
                    last = batch if len(batch.rows) else last
                    yield batch
        except pa.ArrowInvalid as error:
            raise self._broken(error, next_row) from error
        if odd.rows:
            batch = self._finish(odd, next_row)
            last = batch if len(batch.rows) else last
            yield batch
        self._check_quotes(last)

    def _open(self, odd: _Odd) -> Any:
        names = [str(index) for index in range(self.width)]
        return arrow_csv.open_csv(
            str(self.raw.path),
            read_options=arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=BLOCK, encoding=self.encoding.codec
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=self.encoding.quotes > 0,
                ignore_empty_lines=False,
                invalid_row_handler=odd,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )

    def _batch(self, found: Any, odd: _Odd, first: int) -> Batch:
        """The rows of one block with the odd rows that stand between them put back."""
        columns = list(found.columns)
        if not odd.rows:
            return Batch(pa.array(np.arange(first, first + found.num_rows)), columns)
        mended: list[tuple[int, list[str]]] = []
        overlong: list[Overlong] = []
        last = first + found.num_rows - 1
        while odd.rows and odd.rows[0][0] <= last + 1:
            last += 1
            self._sort_out(odd.rows.popleft(), mended, overlong)
        taken = {row for row, _ in mended} | {o.row for o in overlong}
        whole = [row for row in range(first, last + 1) if row not in taken]
        return self._joined(whole, columns, mended, overlong)

    def _sort_out(self, row: tuple[int, str], mended: list[tuple[int, list[str]]], overlong: list[Overlong]) -> None:
        number, text = row
        cells = next(csv.reader([text], delimiter=self.delimiter), [])
        if any(cell.strip() for cell in cells[self.width :]):
            overlong.append(Overlong(number, text))
        else:
            mended.append((number, [*cells[: self.width], *[""] * (self.width - len(cells))]))

    def _joined(
        self,
        whole: list[int],
        columns: list[Any],
        mended: list[tuple[int, list[str]]],
        overlong: list[Overlong],
    ) -> Batch:
        rows = pa.array([*whole, *(row for row, _ in mended)], pa.int64())
        order = pc.sort_indices(rows)
        joined = [
            pa.concat_arrays([column, pa.array([cells[c] for _, cells in mended], pa.string())]).take(order)
            for c, column in enumerate(columns)
        ]
        return Batch(rows.take(order), joined, overlong)

    def _finish(self, odd: _Odd, first: int) -> Batch:
        empty = pa.table({str(c): pa.array([], pa.string()) for c in range(self.width)})
        return self._batch(empty.to_batches()[0] if empty.to_batches() else _nothing(self.width), odd, first)

    def _broken(self, error: pa.ArrowInvalid, row: int) -> SourceError:
        if self.encoding.quotes % 2:
            return SourceError("workbook_quote", file=self.raw.name, row=row)
        return SourceError("source_format", file=self.raw.name, expected="CSV", why=str(error).splitlines()[0])

    def _check_quotes(self, last: Batch | None) -> None:
        """A quote that is never closed swallows all lines after it: then the last row holds line ends."""
        if last is None or self.encoding.quotes % 2 == 0:
            return
        row = last.rows[-1].as_py()
        if any("\n" in column[-1].as_py() for column in last.columns):
            raise SourceError("workbook_quote", file=self.raw.name, row=row)


def _nothing(width: int) -> pa.RecordBatch:
    names = [str(c) for c in range(width)]
    return pa.record_batch([pa.array([], pa.string())] * width, names=names)


def open_delimited(raw: RawFile, spec: SourceSpec) -> DelimitedSheet:
    """A delimited text file with its encoding and delimiter found out, or as the mapping states them.

    Raises
    ------
    SourceError : the bytes are no text in any encoding known here.
    """
    encoding = detect(raw, spec.encoding)
    with raw.path.open(encoding=encoding.codec, newline="") as file:
        sample = file.read(256 << 10).removeprefix("\ufeff")
    if len(sample) == 256 << 10:
        sample = sample[: sample.rfind("\n") + 1] or sample
    delimiter = spec.delimiter or find_delimiter(sample)
    head = _first_rows(sample, delimiter)
    width = max((len(row) for row in head), default=1) or 1
    return DelimitedSheet(raw, encoding, delimiter, width, head[:HEAD])


def _first_rows(sample: str, delimiter: str) -> list[list[str]]:
    limit = csv.field_size_limit()
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            rows.append(row)
            if len(rows) >= 4 * HEAD:
                break
    except csv.Error as error:
        if str(limit) not in str(error):
            raise
    return rows


def find_delimiter(sample: str) -> str:
    """The delimiter under which most rows have the same number of cells, more cells among equals.

    Examples
    --------
    >>> find_delimiter("地区;值\\n北京;1,5\\n上海;2,5\\n")
    ';'
    """
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = [row for row in _first_rows(sample, delimiter) if any(cell.strip() for cell in row)]
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        score = (round(count / len(rows), 3), width)
        if score > best_score:
            best, best_score = delimiter, score
    return best
