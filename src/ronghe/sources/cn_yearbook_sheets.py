"""The yearbook's Excel sheets: one file a section and year, digitised from the printed page, in long form.

A file's name says section and year (``part01-over__01-labor-hour__2013.xlsx``); the year is the data's own, not
the edition's: every row's ``year`` equals it. The header is looked for by its names, so a title above it or
columns in another order do no harm.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, not_this_format
from ronghe.sources.cn_yearbook_panel import Line, Pile, plain

HEADER: Final = ("province", "year", "chn_block4", "value", "units", "variables")
_FOOTNOTE: Final = re.compile(r"(注|资料来源|数据来源|说明|note|source|\*)", re.IGNORECASE)


def sheets(raw: RawFile) -> Iterator[Chunk]:
    """Every sheet of the workbook: one record a line.

    Raises
    ------
    SourceError : the file is no workbook, or no sheet has the yearbook's header.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(raw.path)
        grids = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except (CalamineError, OSError) as error:
        raise not_this_format(raw, Text("format.excel"), str(error)) from error
    headers = {name: _header(grid) for name, grid in grids.items()}
    if all(header is None for header in headers.values()):
        raise not_this_format(raw, Text("format.yearbook_sheet"), Text("why.no_column", {"columns": list(HEADER)}))
    for name, grid in grids.items():
        yield _sheet(name, grid, headers[name])


def _header(grid: Sequence[Sequence[Any]]) -> int | None:
    for index, cells in enumerate(grid):
        if set(HEADER) <= {plain(cell).casefold() for cell in cells}:
            return index
    return None


def _sheet(part: str, grid: Sequence[Sequence[Any]], header: int | None) -> Chunk:
    pile = Pile(part)
    if header is None:
        for index, cells in enumerate(grid):
            pile.skip("not_data" if _filled(cells) else "blank", index + 1)
        return pile.chunk()
    names = [plain(cell).casefold() for cell in grid[header]]
    places = [names.index(name) for name in HEADER]
    for index, cells in enumerate(grid):
        row, filled = index + 1, _filled(cells)
        if not filled:
            pile.skip("blank", row)
        elif index < header:
            pile.skip("title", row, plain(filled[0]))
        elif index == header:
            pile.skip("header", row)
        elif len(filled) == 1 and _FOOTNOTE.match(plain(filled[0])):
            pile.skip("footnote", row, plain(filled[0]))
        else:
            pile.add(Line(row, *(cells[place] if place < len(cells) else None for place in places)))
    return pile.chunk()


def _filled(cells: Sequence[Any]) -> list[Any]:
    return [cell for cell in cells if plain(cell)]
