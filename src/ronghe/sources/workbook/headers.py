"""Which rows are the heading, and what each column is called under one, two or three merged header rows."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ronghe.errors import MappingError, nearest
from ronghe.model.units import find_unit, unit_in_header
from ronghe.sources.workbook.grid import Merge, Sheet, letter
from ronghe.sources.workbook.mapping import SourceSpec

DEPTH = 3
"""At most so many header rows."""

_UNIT_LINE = re.compile(r"单位\s*[:：]|\bunit\s*[:：]", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+%?")
_YEAR = re.compile(r"(1[789]|20|21)\d\d(年(度|末|底)?)?")


def normal(text: str) -> str:
    """A heading for comparison: one width, no white space, no case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def clean(text: str) -> str:
    """A cell's text on one line, without white space around it."""
    return re.sub(r"\s*\n\s*", "", text).strip().replace("\u3000", "")


@dataclass(frozen=True, slots=True)
class Header:
    """The heading of a sheet. ``paths`` holds, for each column, its texts from top to bottom."""

    part: str
    rows: tuple[int, ...]
    paths: tuple[tuple[str, ...], ...]
    line_unit: str | None = None

    @property
    def last(self) -> int:
        """The last header row; 0 where the format keeps names apart from rows."""
        return self.rows[-1] if self.rows else 0

    def name(self, index: int) -> str:
        """The column's full name: its texts joined by `` / ``."""
        return " / ".join(self.paths[index])

    @property
    def names(self) -> tuple[str, ...]:
        """The full names of all columns that have one."""
        return tuple(self.name(i) for i, path in enumerate(self.paths) if path)

    def unit(self, index: int) -> str | None:
        """The unit that the heading states: the lowest text first, then the line above the table."""
        for text in reversed(self.paths[index]):
            code = unit_in_header(text)[1] or find_unit(text.strip("()（）"))
            if code:
                return code
        return self.line_unit

    def bare(self, index: int) -> str:
        """The column's full name without its units."""
        parts = (unit_in_header(text)[0] for text in self.paths[index] if not find_unit(text.strip("()（）")))
        return " / ".join(part for part in parts if part)

    def find(self, text: str) -> list[int]:
        """The columns a mapping's heading means: full name, name without unit, or lowest text."""
        wanted = normal(text)
        filled = [i for i, path in enumerate(self.paths) if path]
        for key in (self.name, self.bare, lambda i: self.paths[i][-1], lambda i: unit_in_header(self.paths[i][-1])[0]):
            found = [i for i in filled if normal(key(i)) == wanted]
            if found:
                return found
        return []

    def matching(self, pattern: str) -> list[tuple[int, re.Match[str]]]:
        """The columns whose name (without units first, then whole) or lowest text a pattern matches from end to end."""
        found = []
        for i, path in enumerate(self.paths):
            if path:
                texts = (self.bare(i), self.name(i), path[-1])
                match = next((m for t in texts if (m := re.fullmatch(pattern, t))), None)
                found += [(i, match)] if match else []
        return found


def locate(sheet: Sheet, spec: SourceSpec, wanted: Sequence[str], pattern: str | None) -> Header:
    """The heading of a sheet for a mapping.

    Parameters
    ----------
    sheet : the sheet.
    spec : ``header_rows`` there is believed, wrong merges and all.
    wanted : the headings the mapping names.
    pattern : the mapping's pattern for melted columns.

    Raises
    ------
    MappingError : a header cell is merged into the data, or no heading is found.
    """
    if not sheet.labelled:
        return Header(sheet.part, (), tuple((clean(name),) for name in sheet.head[0]))
    if spec.header_rows:
        if spec.header_rows[-1] > len(sheet.head):
            raise MappingError("header_rows_beyond", sheet=sheet.part, rows=list(spec.header_rows))
        return build(sheet, spec.header_rows)
    likely = guess_rows(sheet)
    if likely:
        _refuse_crossing(sheet, likely)
        header = build(sheet, likely)
        if _score(header, wanted, pattern) == _full(wanted, pattern):
            return header
    best = max(_candidates(sheet, likely), key=lambda h: _score(h, wanted, pattern), default=None)
    if best is None:
        raise MappingError("header_none", sheet=sheet.part)
    if likely and _score(best, wanted, pattern) <= _score(header, wanted, pattern):
        return header
    return best


def _full(wanted: Sequence[str], pattern: str | None) -> int:
    return len(wanted) + (1 if pattern else 0)


def _score(header: Header, wanted: Sequence[str], pattern: str | None) -> int:
    found = sum(len(header.find(text)) == 1 for text in wanted)
    return found + (1 if pattern and header.matching(pattern) else 0)


def _candidates(sheet: Sheet, likely: tuple[int, ...]) -> Iterable[Header]:
    for depth in range(1, DEPTH + 1):
        for first in range(1, len(sheet.head) - depth + 2):
            rows = tuple(range(first, first + depth))
            ends = (sheet.head[first - 1], sheet.head[rows[-1] - 1])
            if rows != likely and all(any(c.strip() for c in row) for row in ends) and not _crossing(sheet, rows):
                yield build(sheet, rows)


def build(sheet: Sheet, rows: Sequence[int]) -> Header:
    """The heading made of the given rows, merged cells filled right and down, merges cut at its edges."""
    grid = [[_cell(sheet, row, c) for c in range(sheet.width)] for row in rows]
    first, last = rows[0], rows[-1]
    merged_rows = set()
    for merge in sheet.merges or ():
        if merge.bottom < first or merge.top > last:
            continue
        text = _cell(sheet, merge.top, merge.left)
        for row in range(max(merge.top, first), min(merge.bottom, last) + 1):
            merged_rows.add(row)
            for c in range(merge.left, min(merge.right + 1, sheet.width)):
                grid[row - first][c] = text
    for i, row in enumerate(rows[:-1]):
        if row not in merged_rows:
            _fill_right(grid[i], grid[i + 1])
    paths = tuple(_path(line[c] for line in grid) for c in range(sheet.width))
    return Header(sheet.part, tuple(rows), paths, _line_unit(sheet, first))


def _cell(sheet: Sheet, row: int, column: int) -> str:
    line = sheet.head[row - 1] if row <= len(sheet.head) else ()
    return clean(line[column]) if column < len(line) else ""


def _fill_right(upper: list[str], lower: Sequence[str]) -> None:
    """Give an empty group cell its left neighbour's text where a heading stands below it."""
    for c in range(1, len(upper)):
        if not upper[c] and lower[c] and lower[c - 1]:
            upper[c] = upper[c - 1]


def _path(texts: Iterable[str]) -> tuple[str, ...]:
    path: list[str] = []
    for text in texts:
        if text and (not path or path[-1] != text):
            path.append(text)
    return tuple(path)


def is_unit_line(row: Sequence[str]) -> bool:
    """Whether a line above a table states its unit (单位：万元)."""
    return any(_UNIT_LINE.search(cell) for cell in row) and sum(bool(cell.strip()) for cell in row) <= 3


def _line_unit(sheet: Sheet, first: int) -> str | None:
    for row in range(first - 1, 0, -1):
        for cell in sheet.head[row - 1]:
            found = _UNIT_LINE.search(cell)
            if found:
                return find_unit(re.split(r"[)）\]】\s]", cell[found.end() :].strip())[0])
    return None


def guess_rows(sheet: Sheet) -> tuple[int, ...]:
    """The rows that look like the heading, from the cells alone; empty where none does."""
    if not sheet.labelled:
        return ()
    enough = 1 if sheet.width == 1 else 2
    for number, row in enumerate(sheet.head, start=1):
        filled = [cell for cell in row if cell.strip()]
        if len(filled) >= enough and not is_unit_line(row) and not all(_plain(cell) for cell in filled):
            rows = [number]
            while len(rows) < DEPTH and rows[-1] < len(sheet.head) and _continues(sheet, rows):
                rows.append(rows[-1] + 1)
            return tuple(rows)
    return ()


def _plain(cell: str) -> bool:
    """A number that is no year."""
    text = normal(cell)
    return bool(_NUMBER.fullmatch(text)) and not _YEAR.fullmatch(text)


def _continues(sheet: Sheet, rows: Sequence[int]) -> bool:
    upper, lower = sheet.head[rows[-1] - 1], sheet.head[rows[-1]]
    cells = [cell for cell in lower if cell.strip()]
    if not cells or any(_plain(cell) for cell in cells):
        return False
    if all(find_unit(clean(cell).strip("()（）")) for cell in cells):
        return True
    if any(m.top in rows and m.bottom > rows[-1] for m in sheet.merges or ()):
        return True
    if any(m.top == rows[-1] == m.bottom and m.right > m.left for m in sheet.merges or ()):
        return True
    blank_above = [c for c in range(len(lower)) if lower[c].strip() and not (c < len(upper) and upper[c].strip())]
    return bool(blank_above) and not lower[0].strip() and bool(upper[0].strip())


def _crossing(sheet: Sheet, rows: Sequence[int]) -> Merge | None:
    """A merge that starts in the header rows and ends below them, over a row of data."""
    for merge in sheet.merges or ():
        if merge.top in rows and merge.bottom > rows[-1]:
            return merge
    return None


def _refuse_crossing(sheet: Sheet, rows: tuple[int, ...]) -> None:
    merge = _crossing(sheet, rows)
    if merge is None:
        return
    raise MappingError(
        "header_merged",
        sheet=sheet.part,
        row=merge.top,
        column=letter(merge.left),
        text=_cell(sheet, merge.top, merge.left),
        range=f"{letter(merge.left)}{merge.top}:{letter(merge.right)}{merge.bottom}",
        rows=str(list(rows)),
    )


def one_column(header: Header, text: str, file: str) -> int:
    """The one column that a heading names.

    Raises
    ------
    MappingError : no column is called so, or several are.
    """
    found = header.find(text)
    where = {"sheet": header.part or file, "rows": ", ".join(map(str, header.rows)) or "-"}
    if not found:
        raise MappingError("mapping_header", header=text, known=nearest(text, dict.fromkeys(header.names)), **where)
    if len(found) > 1:
        columns = ", ".join(letter(i) for i in found)
        names = dict.fromkeys(header.name(i) for i in found)
        rows = str(list(header.rows))
        raise MappingError(
            "mapping_ambiguous", header=text, columns=columns, known=names, row=header.last, say=rows, **where
        )
    return found[0]
