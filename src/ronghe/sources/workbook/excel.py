"""Spreadsheets (.xlsx, .xlsm, .xlsb, .xls, .ods) through calamine, every cell as the text a person would write."""

import datetime as dt
import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from ronghe.errors import MappingError, SourceError, nearest
from ronghe.model.text import Text
from ronghe.sources.base import RawFile, not_this_format
from ronghe.sources.workbook.grid import BATCH, HEAD, Batch, Book, Merge, batch_of
from ronghe.sources.workbook.mapping import SourceSpec

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class ExcelSheet:
    """One worksheet, in memory. Row and column count from the sheet's own first cell, A1."""

    part: str
    width: int
    merges: Sequence[Merge] | None
    cells: Sequence[Sequence[str]]
    labelled: bool = True
    delimited: bool = False

    @property
    def head(self) -> Sequence[Sequence[str]]:
        """The rows at the top."""
        return self.cells[:HEAD]

    def batches(self) -> Iterator[Batch]:
        """All rows."""
        for start in range(0, len(self.cells), BATCH):
            yield batch_of(start + 1, self.cells[start : start + BATCH], self.width)


def open_excel(raw: RawFile, spec: SourceSpec) -> Book:
    """The sheets a mapping asks for: by name, by number, several, all (``"*"``), else the first with content.

    Raises
    ------
    SourceError : no spreadsheet, cut short, or locked with a password.
    MappingError : a sheet that isn't there.
    """
    book = _open(raw)
    try:
        visible = [
            s.name
            for s in book.sheets_metadata
            if s.typ == SheetTypeEnum.WorkSheet and s.visible == SheetVisibleEnum.Visible
        ]
        loaded = {name: book.get_sheet_by_name(name) for name in book.sheet_names if _is_table(book, name)}
        filled = [name for name in visible if loaded[name].height]
        names = _asked(raw, spec.sheet, list(loaded), filled)
        percents = _percent_cells(raw, names)
        sheets = [_sheet(name, loaded[name], percents.get(name, frozenset())) for name in names]
        others = [(name, s.end[0] + 1) for name, s in loaded.items() if name not in names and s.end]
    except CalamineError as error:
        raise _broken(raw, error) from error
    finally:
        book.close()
    return Book(sheets, others)


def _open(raw: RawFile) -> CalamineWorkbook:
    with raw.path.open("rb") as file:
        start = file.read(512)
    if start.startswith(OLE) and _is_locked(raw):
        raise SourceError("workbook_password", file=raw.name)
    try:
        # By content: an .xlsx is often saved under the old name .xls.
        return CalamineWorkbook.from_filelike(io.BytesIO(raw.path.read_bytes()))
    except PasswordError as error:
        raise SourceError("workbook_password", file=raw.name) from error
    except CalamineError as error:
        raise _broken(raw, error) from error


def _is_locked(raw: RawFile) -> bool:
    """An encrypted .xlsx is an OLE file with a stream of this name."""
    mark = "EncryptedPackage".encode("utf-16-le")
    with raw.path.open("rb") as file:
        tail = b""
        while block := file.read(1 << 20):
            if mark in tail + block:
                return True
            tail = block[-len(mark) :]
    return False


def _broken(raw: RawFile, error: CalamineError) -> SourceError:
    with raw.path.open("rb") as file:
        start = file.read(512).lstrip()
    if start.startswith(ZIP) and not zipfile.is_zipfile(raw.path):
        return SourceError("source_truncated", file=raw.name, why=Text("why.zip_cut"))
    lowered = start.lower()
    if lowered.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head")):
        return SourceError("workbook_html", file=raw.name)
    said = str(error).splitlines()[0]
    why = Text("why.no_workbook") if "detect file format" in said else said
    return not_this_format(raw, Text("format.excel"), why)


def _is_table(book: CalamineWorkbook, name: str) -> bool:
    return any(s.name == name and s.typ == SheetTypeEnum.WorkSheet for s in book.sheets_metadata)


def _asked(raw: RawFile, sheet: str | int | tuple[str, ...] | None, names: list[str], filled: list[str]) -> list[str]:
    if sheet is None:
        if not filled:
            raise SourceError("workbook_no_rows", file=raw.name)
        return filled[:1]
    if sheet == "*":
        return filled
    if isinstance(sheet, int):
        if not 1 <= sheet <= len(names):
            raise MappingError("mapping_sheet", file=raw.name, sheet=str(sheet), known=names)
        return [names[sheet - 1]]
    wanted = [sheet] if isinstance(sheet, str) else list(sheet)
    for name in wanted:
        if name not in names:
            raise MappingError("mapping_sheet", file=raw.name, sheet=name, known=nearest(name, names))
    return wanted


def _sheet(name: str, sheet: Any, percents: frozenset[tuple[int, int]]) -> ExcelSheet:
    values = sheet.to_python(skip_empty_area=False)
    cells = [[text_of(value) for value in row] for row in values]
    for row, column in percents:
        if row < len(cells) and column < len(cells[row]) and isinstance(values[row][column], (int, float)):
            cells[row][column] = f"{Decimal(cells[row][column]) * 100:f}%"
    found = sheet.merged_cell_ranges
    merges = None if found is None else [Merge(a + 1, b, c + 1, d) for (a, b), (c, d) in found]
    return ExcelSheet(name, max((len(row) for row in cells), default=1) or 1, merges, cells)


def text_of(value: Any) -> str:
    """A cell's value as text that reads back as the same value.

    Examples
    --------
    >>> text_of(16052.0), text_of(0.1), text_of(True)
    ('16052', '0.1', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e22 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return str(value)


def _percent_cells(raw: RawFile, names: Sequence[str]) -> Mapping[str, frozenset[tuple[int, int]]]:
    """Cells that an .xlsx shows as per cent while it stores the hundredth part: (row, column) from 0."""
    if not zipfile.is_zipfile(raw.path):
        return {}
    with zipfile.ZipFile(raw.path) as archive:
        if "xl/styles.xml" not in archive.namelist():
            return {}
        styles = archive.read("xl/styles.xml")
        if b"%" not in styles and b'numFmtId="9"' not in styles and b'numFmtId="10"' not in styles:
            return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of extensions that don't touch number formats
        import openpyxl

        book = openpyxl.load_workbook(raw.path, read_only=True, data_only=True)
        try:
            return {name: _percents_of(book[name]) for name in names}
        finally:
            book.close()


def _percents_of(sheet: Any) -> frozenset[tuple[int, int]]:
    return frozenset(
        (cell.row - 1, cell.column - 1)
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None and "%" in (cell.number_format or "")
    )
