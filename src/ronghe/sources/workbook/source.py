"""The workbook source: a user's own file and a mapping -> rows of any contract."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from ronghe.errors import MappingError
from ronghe.sources.base import Chunk, RawFile, Skipped
from ronghe.sources.workbook.build import Builder
from ronghe.sources.workbook.mapping import SheetMapping
from ronghe.sources.workbook.plan import plan
from ronghe.sources.workbook.reading import SUFFIXES, open_book
from ronghe.sources.workbook.repairs import Repairs, settle


class WorkbookSource:
    """Reads any CSV, TSV, Excel or Parquet file as a mapping says.

    Parameters
    ----------
    table : the contract the rows are for.
    mapping : what ``read_mapping`` gave for that contract.
    repairs : where -> the text to read instead; each is told as a ``Repair``.

    Raises
    ------
    MappingError : the mapping is for another contract.
    """

    name = "workbook"
    version = "1"

    def __init__(self, table: str, mapping: SheetMapping, repairs: Repairs | None = None) -> None:
        if mapping.table != table:
            raise MappingError("mapping_table_differs", asked=table, named=mapping.table)
        self.tables: tuple[str, ...] = (table,)
        self.mapping = mapping
        self.repairs: Repairs = dict(repairs or {})

    def accepts(self, raw: RawFile) -> bool:
        """Whether the name is one of a text table, a spreadsheet or a Parquet file."""
        return PurePosixPath(raw.name).suffix.lower() in SUFFIXES

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """The file's records, in batches of bounded size for text and Parquet files of any length.

        Raises
        ------
        SourceError : the file is empty, cut, locked, in no known encoding, or not what its name says.
        MappingError : the mapping or a repair does not fit the file.
        """
        book = open_book(raw, self.mapping.source)
        self._known_parts({sheet.part for sheet in book.sheets})
        for sheet in book.sheets:
            made = plan(sheet, self.mapping, PurePosixPath(raw.name).name)
            builder = Builder(sheet, made, settle(self.repairs, made, sheet.part))
            yield from builder.chunks()
            beyond = [key for key in self.repairs if key[0] == sheet.part and key[1] > builder.last_row]
            if beyond:
                raise MappingError("repair_cell", row=beyond[0][1], column=beyond[0][2])
        for part, rows in book.others:
            yield Chunk(rows, skipped=(Skipped("other_sheet", rows, part),))

    def _known_parts(self, parts: set[str]) -> None:
        for part, row, column, _ in self.repairs:
            if part not in parts:
                raise MappingError("repair_cell", row=row, column=f"{part}!{column}", known=sorted(parts))
