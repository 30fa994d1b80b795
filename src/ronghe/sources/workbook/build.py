"""Rows of a sheet -> chunks of contract rows: a list's rows or a wide table's cells are the records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ronghe.sources.base import Chunk, Rejected, Repair, Skipped, table_of
from ronghe.sources.workbook.cells import Fault, Read
from ronghe.sources.workbook.grid import Batch, Sheet, letter
from ronghe.sources.workbook.plan import Field, Measure, Plan
from ronghe.sources.workbook.rows import Mask, Sorter, is_total
from ronghe.sources.workbook.values import plain, without_missing


@dataclass(slots=True)
class Builder:
    """Turns one sheet into chunks. ``repairs`` maps (row, column index) to the mended text."""

    sheet: Sheet
    plan: Plan
    repairs: Mapping[tuple[int, int], tuple[str, str]]
    merged: Mapping[int, set[int]] = field(default_factory=dict)
    above: dict[int, str] = field(default_factory=dict)
    last_row: int = 0

    def chunks(self) -> Iterator[Chunk]:
        """The sheet, batch by batch. Every row and cell is accounted for."""
        self.merged = self._merged_labels()
        sorter = Sorter(self.sheet, self.plan)
        for batch in self.sheet.batches():
            mended, repairs = self._mend(batch)
            found = sorter.sort(mended)
            if len(batch.rows):
                self.last_row = max(self.last_row, batch.rows[-1].as_py())
            columns = self._filled(found.rows, found.columns)
            make = self._cells if self.plan.measures else self._rows
            chunk = make(found.rows, columns)
            yield Chunk(
                records=chunk.records + found.others,
                rows=chunk.rows,
                skipped=(*found.skipped, *chunk.skipped),
                rejected=(*found.rejected, *chunk.rejected),
                repairs=tuple(repairs),
            )

    def _merged_labels(self) -> dict[int, set[int]]:
        """Labels merged over several data rows: column -> rows."""
        wanted = {f.index for f in self.plan.fields if f.index is not None and f.fills_merges}
        found: dict[int, set[int]] = {}
        for merge in self.sheet.merges or ():
            if merge.left in wanted and merge.bottom > merge.top > self.plan.header.last:
                found.setdefault(merge.left, set()).update(range(merge.top, merge.bottom + 1))
        return found

    def _filled(self, rows: pa.Array, columns: Sequence[pa.Array]) -> list[pa.Array]:
        """Columns with merged labels and, where the mapping says so, blanks taken from the row above."""
        filled = list(columns)
        for index in {f.index for f in self.plan.fields if f.index is not None and f.fill_down} | set(self.merged):
            texts = without_missing(plain(filled[index]), ())
            carried = pc.fill_null_forward(pa.concat_arrays([pa.array([self.above.get(index)], pa.string()), texts]))
            carried = carried.slice(1)
            if len(carried) and carried[-1].is_valid:
                self.above[index] = carried[-1].as_py()
            if index in self.merged and not self._fills_down(index):
                inside = pc.is_in(rows, pa.array(list(self.merged[index]), pa.int64()))
                carried = pc.if_else(inside, carried, texts)
            filled[index] = carried.fill_null("")
        return filled

    def _fills_down(self, index: int) -> bool:
        return any(f.index == index and f.fill_down for f in self.plan.fields)

    def _mend(self, batch: Batch) -> tuple[Batch, list[Repair]]:
        """Apply the user's repairs that fall into this batch."""
        if not self.repairs or not len(batch.rows):
            return batch, []
        first, last = batch.rows[0].as_py(), batch.rows[-1].as_py()
        due = {key: value for key, value in self.repairs.items() if first <= key[0] <= last}
        if not due:
            return batch, []
        places = {row: at for at, row in enumerate(batch.rows.to_pylist())}
        columns, made = list(batch.columns), []
        for index in sorted({column for _, column in due}):
            texts = columns[index].to_pylist()
            for (row, column), (heading, new) in due.items():
                if column == index and row in places and texts[places[row]] != new:
                    made.append(Repair(self.sheet.part, row, heading, texts[places[row]], new, "user"))
                    texts[places[row]] = new
            columns[index] = pa.array(texts, pa.string())
        return Batch(batch.rows, columns, batch.overlong), made

    def _totals(self, columns: Sequence[pa.Array], rows: int) -> Mask:
        if self.plan.mapping.keep_totals or not rows:
            return np.zeros(rows, dtype=bool)
        return is_total(columns[self.plan.label], self.plan.mapping.totals)

    def _read(self, column: Field, columns: Sequence[pa.Array], rows: int) -> Read:
        if column.index is None:
            return Read(_repeat(column.constant, rows), [])
        return column.reader.read(columns[column.index])

    def _rows(self, rows: pa.Array, columns: Sequence[pa.Array]) -> Chunk:
        """A list: each row is a record."""
        total = self._totals(columns, len(rows))
        skipped = self._skipped_totals(rows, columns, total, 1)
        rows, columns = _select(rows, columns, ~total)
        good = np.ones(len(rows), dtype=bool)
        values: dict[str, pa.Array] = {}
        rejected: list[Rejected] = []
        for column in self.plan.fields:
            read = self._read(column, columns, len(rows))
            values[column.column.name] = read.values
            for fault in read.faults:
                good[fault.at] = False
                rejected.append(self._rejected(rows[fault.at].as_py(), column.heading, fault))
        (rows, *kept) = _kept([rows, *values.values()], good)
        given = dict(zip(values, kept, strict=True))
        table = table_of(self.plan.table.name, given, part=self.sheet.part, row=rows)
        return Chunk(len(total), {self.plan.table.name: table}, skipped, rejected)

    def _rejected(self, row: int, heading: str, fault: Fault, col: str | None = None) -> Rejected:
        return Rejected(self.sheet.part, row, heading, fault.text, fault.reason, fault.expected, col)

    def _skipped_totals(self, rows: pa.Array, columns: Sequence[pa.Array], total: Mask, each: int) -> list[Skipped]:
        labels = columns[self.plan.label]
        return [
            Skipped("subtotal", each, self.sheet.part, rows[at].as_py(), labels[at].as_py().strip())
            for at in np.flatnonzero(total).tolist()
        ]

    def _cells(self, rows: pa.Array, columns: Sequence[pa.Array]) -> Chunk:
        """A wide table: each cell of a melted column is a record."""
        measures, count = self.plan.measures, len(rows)
        total = self._totals(columns, count)
        skipped = self._skipped_totals(rows, columns, total, len(measures))
        rows, columns = _select(rows, columns, ~total)
        labels: dict[str, pa.Array] = {}
        faulty: dict[int, list[tuple[str, Fault]]] = {}
        for column in self.plan.fields:
            read = self._read(column, columns, len(rows))
            labels[column.column.name] = read.values
            for fault in read.faults:
                faulty.setdefault(fault.at, []).append((column.heading, fault))
        tables, rejected, blanks = [], [], np.zeros(2, dtype=np.int64)
        for measure in measures:
            table, faults, empty = self._measured(measure, rows, columns, labels, faulty)
            tables.append(table)
            rejected += faults
            blanks += empty
        for reason, number in zip(("blank", "missing_mark"), blanks.tolist(), strict=True):
            if number:
                skipped.append(Skipped(reason, number, self.sheet.part, rows[0].as_py()))
        name = self.plan.table.name
        given = {name: pa.concat_tables(tables)} if tables else {}
        return Chunk(count * len(measures), given, skipped, rejected)

    def _measured(
        self,
        measure: Measure,
        rows: pa.Array,
        columns: Sequence[pa.Array],
        labels: Mapping[str, pa.Array],
        faulty: Mapping[int, Sequence[tuple[str, Fault]]],
    ) -> tuple[pa.Table, list[Rejected], npt.NDArray[np.int64]]:
        """One melted column: its rows, its faults, how many cells are blank or (where forbidden) marked missing."""
        texts, col = plain(columns[measure.index]), letter(measure.index)
        blank: Mask = pc.equal(texts, "").to_numpy(zero_copy_only=False)
        read = measure.reader.read(texts)
        rejected: list[Rejected] = []
        bad = np.zeros(len(rows), dtype=bool)
        own = [(fault.at, measure.heading, fault) for fault in read.faults]
        label = [(at, heading, fault) for at, found in faulty.items() for heading, fault in found]
        shared = [found.faults[0] for found in measure.fills.values() if found.faults]
        head = [(at, measure.heading, fault) for fault in shared for at in range(len(rows))]
        for at, heading, fault in (*own, *label, *head):
            if not blank[at]:
                bad[at] = True
                rejected.append(self._rejected(rows[at].as_py(), heading, fault, col))
        marked = np.zeros(len(rows), dtype=bool)
        if not measure.reader.column.nullable:
            marked = read.values.is_null().to_numpy(zero_copy_only=False) & ~blank & ~bad
        good = ~(blank | bad | marked)
        given = {**labels, measure.reader.column.name: read.values}
        given |= {name: _repeat(found.values[0], len(rows)) for name, found in measure.fills.items()}
        if measure.unit:
            given["unit"] = _repeat(pa.scalar(measure.unit), len(rows))
        (kept_rows, *kept) = _kept([rows, *given.values()], good)
        values = dict(zip(given, kept, strict=True))
        table = table_of(self.plan.table.name, values, part=self.sheet.part, row=kept_rows, col=col)
        return table, rejected, np.array([blank.sum(), marked.sum()])


def _repeat(value: Any, count: int) -> pa.Array:
    return pa.repeat(value, count)


def _select(rows: pa.Array, columns: Sequence[pa.Array], keep: Mask) -> tuple[pa.Array, list[pa.Array]]:
    if keep.all():
        return rows, list(columns)
    mask = pa.array(keep)
    return rows.filter(mask), [column.filter(mask) for column in columns]


def _kept(arrays: Sequence[pa.Array], keep: Mask) -> list[pa.Array]:
    if keep.all():
        return list(arrays)
    mask = pa.array(keep)
    return [array.filter(mask) for array in arrays]
