"""Values a user mended in an exported quarantine sheet, on their way back into the file they came from."""

from collections.abc import Mapping
from pathlib import Path

from ronghe.errors import MappingError, nearest, system
from ronghe.sources.base import RawFile
from ronghe.sources.workbook.grid import column_index
from ronghe.sources.workbook.headers import clean, normal
from ronghe.sources.workbook.mapping import SourceSpec
from ronghe.sources.workbook.plan import Plan
from ronghe.sources.workbook.reading import open_book

Place = tuple[str, int, str, str]
"""(part, row, column, letter): the column is a heading, a contract column or an Excel letter; the letter is that of the
record's own cell where a cell is a record, else empty."""
Repairs = Mapping[Place, str]
"""Where -> the mended text."""

_COLUMNS = {
    "file": ("file", "文件"),
    "part": ("part", "工作表"),
    "row": ("row", "行"),
    "column": ("column", "列"),
    "col": ("col", "_col", "单元格列"),
    "mended": ("mended", "更正"),
}


def read_repairs(path: Path, file: str | None = None) -> dict[Place, str]:
    """The mended cells of a sheet that the quarantine's export wrote (.csv or .xlsx).

    Lines whose ``mended`` (更正) is empty are passed over. A blank value is written as ``空``.

    Parameters
    ----------
    path : the sheet, with the columns file, part, row, column, value, reason, expected, mended
        (文件, 工作表, 行, 列, 原值, 原因, 应为, 更正).
    file : only the lines of this file; every line where absent.

    Raises
    ------
    MappingError : there is no such file, a column is missing, a row is no number, or one cell is mended in two ways.
    """
    try:
        raw = RawFile(path, "repairs", path.name, "", path.stat().st_size)
    except OSError as error:
        raise MappingError("mapping_file", file=str(path), why=system(error)) from error
    sheet = open_book(raw, SourceSpec()).sheets[0]
    places = _places(path.name, [clean(cell) for cell in sheet.head[0]])
    found: dict[Place, str] = {}
    for batch in sheet.batches():
        columns = {name: batch.columns[at].to_pylist() for name, at in places.items()}
        for at in range(1 if batch.rows[0].as_py() == 1 else 0, len(batch.rows)):
            line = {name: texts[at].strip() for name, texts in columns.items()}
            if not line["mended"] or (file and "file" in line and line["file"] not in {file, Path(file).name}):
                continue
            if not line["row"].isdigit():
                raise MappingError("repair_row", file=path.name, value=line["row"])
            key = (line.get("part", ""), int(line["row"]), line["column"], line.get("col", ""))
            if found.setdefault(key, line["mended"]) != line["mended"]:
                raise MappingError("repair_twice", file=path.name, row=key[1], column=key[2])
    return found


def _places(name: str, headings: list[str]) -> dict[str, int]:
    folded = [normal(heading) for heading in headings]
    places = {
        key: next(folded.index(normal(spelling)) for spelling in spellings if normal(spelling) in folded)
        for key, spellings in _COLUMNS.items()
        if any(normal(spelling) in folded for spelling in spellings)
    }
    for key in ("row", "column", "mended"):
        if key not in places:
            raise MappingError("repair_sheet", file=name, column=key, known=nearest(key, headings))
    return places


def settle(repairs: Repairs, plan: Plan, part: str) -> dict[tuple[int, int], tuple[str, str]]:
    """The repairs of one sheet by (row, column index), each with its heading.

    Raises
    ------
    MappingError : a repair names a column that the sheet does not have, or a row of its heading, or one cell is mended
        in two ways.
    """
    settled: dict[tuple[int, int], tuple[str, str]] = {}
    for (where, row, column, letter), mended in repairs.items():
        if where != part:
            continue
        index = _cell(plan, column, letter)
        if index is None or row <= plan.header.last:
            raise MappingError("repair_cell", row=row, column=column, known=nearest(column, plan.header.names))
        told = (plan.header.name(index) or column, mended)
        if settled.setdefault((row, index), told) != told:
            raise MappingError("repair_twice", file=part or plan.mapping.table, row=row, column=told[0])
    return settled


def _cell(plan: Plan, column: str, letter: str) -> int | None:
    """The column of the cell to mend: cells of one row share its other columns, such as the region's name."""
    index = _index(plan, column)
    return index if not letter or index in plan.indices.values() else _index(plan, letter)


def _index(plan: Plan, column: str) -> int | None:
    found = plan.header.find(column)
    if len(found) == 1:
        return found[0]
    if column in plan.indices:
        return plan.indices[column]
    if column.isascii() and column.isalpha() and column.isupper() and len(column) <= 3:
        index = column_index(column)
        return index if index < len(plan.header.paths) else None
    return None
