"""Which rows of a sheet are records: not titles, not notes, not totals, not repeated headings, not blank."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ronghe.sources.base import Rejected, Skipped, wanted
from ronghe.sources.workbook.grid import Batch, Sheet
from ronghe.sources.workbook.headers import clean, is_unit_line, normal
from ronghe.sources.workbook.mapping import NOTES
from ronghe.sources.workbook.plan import Plan

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_HEAVENLY = frozenset("甲乙丙丁戊")


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch sorted out: the rows that hold records, and what became of the others."""

    rows: pa.Array
    columns: Sequence[pa.Array]
    skipped: list[Skipped]
    rejected: list[Rejected]
    others: int


@dataclass(slots=True)
class Sorter:
    """Sorts out the rows of one sheet, batch after batch."""

    sheet: Sheet
    plan: Plan
    in_notes: bool = False
    seen: int = 0
    named: int = field(init=False)
    note: str = field(init=False)

    def __post_init__(self) -> None:
        paths = self.plan.header.paths
        self.named = max((i + 1 for i, path in enumerate(paths) if path), default=self.sheet.width)
        words = "|".join(re.escape(w) for w in (*NOTES, *self.plan.mapping.source.notes))
        own = "|".join(re.escape(w) for w in self.plan.mapping.source.notes)
        self.note = rf"(?i)^[\s\x{{3000}}(（\[【*＊]*(?:{words})\s*\d*\s*[:：.、]" + (
            rf"|^[\s\x{{3000}}]*(?:{own})" if own else ""
        )

    def sort(self, batch: Batch) -> Sorted:
        """Sort out one batch."""
        numbers = batch.rows.to_numpy()
        skipped = self._above(numbers)
        rejected = [self._too_long(o.row, o.text) for o in batch.overlong]
        keep = numbers > self.plan.header.last
        others = int((~keep).sum()) + len(rejected)
        keep, more = self._by_mapping(numbers, keep)
        skipped += more
        keep, more = self._without_blank(batch, numbers, keep)
        skipped += more
        keep, more = self._without_notes(batch, numbers, keep)
        skipped += more
        keep, more = self._without_headings(batch, numbers, keep)
        skipped += more
        keep, shifted = self._without_shifted(batch, numbers, keep)
        others += sum(s.count for s in skipped if s.row is not None and s.row > self.plan.header.last) + len(shifted)
        mask = pa.array(keep)
        if keep.all():
            return Sorted(batch.rows, batch.columns, skipped, rejected + shifted, others)
        columns = [column.filter(mask) for column in batch.columns]
        return Sorted(batch.rows.filter(mask), columns, skipped, rejected + shifted, others)

    def _above(self, numbers: Numbers) -> list[Skipped]:
        """The heading and what stands above it."""
        header, part = self.plan.header, self.sheet.part
        skipped = []
        for number in numbers[numbers <= header.last].tolist():
            row = self.sheet.head[number - 1]
            text = " ".join(clean(cell) for cell in row if cell.strip())
            reason = "title"
            if number in header.rows:
                reason = "header"
            elif not text:
                reason = "blank"
            elif is_unit_line(row):
                reason = "unit_line"
            skipped.append(Skipped(reason, 1, part, number, text[:200]))
        return skipped

    def _too_long(self, row: int, text: str) -> Rejected:
        return Rejected(self.sheet.part, row, "", text[:200], "ragged", wanted("fields", count=self.named))

    def _by_mapping(self, numbers: Numbers, keep: Mask) -> tuple[Mask, list[Skipped]]:
        source = self.plan.mapping.source
        out = np.isin(numbers, source.skip_rows)
        if source.first_row:
            out |= numbers < source.first_row
        if source.last_row:
            out |= numbers > source.last_row
        return self._drop(numbers, keep, out, "by_mapping")

    def _drop(self, numbers: Numbers, keep: Mask, out: Mask, reason: str) -> tuple[Mask, list[Skipped]]:
        gone = keep & out
        if not gone.any():
            return keep, []
        first = int(numbers[gone][0])
        return keep & ~out, [Skipped(reason, int(gone.sum()), self.sheet.part, first)]

    def _without_blank(self, batch: Batch, numbers: Numbers, keep: Mask) -> tuple[Mask, list[Skipped]]:
        blank = keep.copy()
        order = [self.plan.label, *range(len(batch.columns))]
        for index in order:
            if not blank.any():
                return keep, []
            blank &= ~_filled(batch.columns[index])
        return self._drop(numbers, keep, blank, "blank")

    def _row(self, batch: Batch, at: int) -> list[str]:
        return [column[at].as_py() for column in batch.columns]

    def _without_notes(self, batch: Batch, numbers: Numbers, keep: Mask) -> tuple[Mask, list[Skipped]]:
        starts = np.zeros(len(keep), dtype=bool)
        for index in {0, self.plan.label}:
            found = pc.match_substring_regex(batch.columns[index], self.note)
            starts |= found.to_numpy(zero_copy_only=False)
        starts &= keep
        if not starts.any() and not self.in_notes:
            return keep, []
        count = np.sum([_filled(column) for column in batch.columns], axis=0)
        notes, skipped = np.zeros(len(keep), dtype=bool), []
        begin = 0 if self.in_notes else int(np.flatnonzero(starts)[0])
        for at in np.flatnonzero(keep & (count <= 2)).tolist():
            if at < begin:
                continue
            first = next(cell for cell in self._row(batch, at) if cell.strip())
            if bool(starts[at]) or (self.in_notes and count[at] == 1 and self.named > 1):
                self.in_notes = notes[at] = True
                skipped.append(Skipped("footnote", 1, self.sheet.part, int(numbers[at]), first.strip()[:200]))
        return keep & ~notes, skipped

    def _without_headings(self, batch: Batch, numbers: Numbers, keep: Mask) -> tuple[Mask, list[Skipped]]:
        """Headings printed again on each page, and the line that numbers the columns (甲 乙 1 2 3)."""
        header = self.plan.header
        if not header.rows:
            return keep, []
        used = sorted({*self.plan.indices.values(), *(m.index for m in self.plan.measures)})
        leaf = {i: normal(header.paths[i][-1]) for i in used if header.paths[i]}
        label = self.plan.label
        again = np.zeros(len(keep), dtype=bool)
        if len(leaf) > 1 and label in leaf:
            text = pc.utf8_trim_whitespace(batch.columns[label])
            same = pc.equal(text, header.paths[label][-1]).to_numpy(zero_copy_only=False)
            for at in np.flatnonzero(same & keep).tolist():
                row = self._row(batch, at)
                again[at] = all(normal(row[i]) == text for i, text in leaf.items())
        below = np.flatnonzero(keep & (numbers == header.last + 1)).tolist()
        if below and _numbers_columns(self._row(batch, below[0])):
            again[below[0]] = True
        return self._drop(numbers, keep, again, "header")

    def _without_shifted(self, batch: Batch, numbers: Numbers, keep: Mask) -> tuple[Mask, list[Rejected]]:
        """Rows of a delimited file with something beyond the last named column: a stray delimiter."""
        if not self.sheet.delimited or self.named >= self.sheet.width:
            return keep, []
        shifted = np.zeros(len(keep), dtype=bool)
        for column in batch.columns[self.named :]:
            shifted |= _filled(column)
        shifted &= keep
        rejected = [
            self._too_long(int(numbers[at]), "|".join(self._row(batch, at))) for at in np.flatnonzero(shifted).tolist()
        ]
        return keep & ~shifted, rejected


def _filled(column: pa.Array) -> Mask:
    filled: Mask = pc.not_equal(pc.utf8_trim_whitespace(column), "").to_numpy(zero_copy_only=False)
    return filled


def _numbers_columns(row: Sequence[str]) -> bool:
    """甲 乙 1 2 3 or (1) (2) (3) under a heading. Bare 1 2 3 may be data, so it is left alone."""
    cells = [normal(cell) for cell in row if cell.strip()]
    stems = 0
    while stems < len(cells) and cells[stems] in _HEAVENLY:
        stems += 1
    rest = cells[stems:]
    counted = [str(i) for i in range(1, len(rest) + 1)]
    return bool(rest) and (
        rest == [f"({i})" for i in counted] if not stems else [c.strip("()") for c in rest] == counted
    )


def is_total(labels: pa.Array, totals: Sequence[str]) -> Mask:
    """Which labels name a row that adds up others (合 计, 总计, Total)."""
    words = pa.array([normal(word) for word in totals], pa.string())
    bare = pc.utf8_lower(pc.replace_substring_regex(labels, r"[\s\x{3000}\x{a0}]+", ""))
    found: Mask = pc.is_in(bare, words).to_numpy(zero_copy_only=False)
    return found
