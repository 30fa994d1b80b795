"""O*NET, the Excel files of its database: occupations, skills, job zones, related occupations, tasks, technologies.

Each workbook is read by itself; a record is a row of its first sheet. Codes are those of O*NET-SOC 2019. In
the ratings (skills, knowledge, abilities, work activities) importance and level are rows of their own, told
apart by ``scale`` (``IM``, ``LV``); rows the publisher asks not to use keep its mark in ``suppress``. A technology's
id is its commodity and its name, an emerging task's a digest of its words, for the publisher gives neither an id.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, table_of, wanted

CLASSIFICATION = "onet_soc"
VERSION = "2019"
EXPECTED = Text("format.onet")
BATCH = 20_000

Rows = Sequence[Sequence[Any]]
CODE = "O*NET-SOC Code"


class _Sheet:
    """Columns of a stretch of a sheet, and which of its rows are at fault."""

    def __init__(self, header: Sequence[str], rows: Rows, first: int) -> None:
        self._place = {name: n for n, name in enumerate(header)}
        filled = [(n, row) for n, row in enumerate(rows, start=first) if any(cell != "" for cell in row)]
        self._rows = [row for _, row in filled]
        self._numbers = [n for n, _ in filled]
        self._blank = len(rows) - len(filled)
        self.bad: set[int] = set()
        self.faults: list[Rejected] = []

    def __len__(self) -> int:
        return len(self._rows)

    def raw(self, name: str) -> list[Any]:
        """The cells as they are."""
        place = self._place[name]
        return [row[place] for row in self._rows]

    def text(self, name: str, column: str = "") -> list[str | None]:
        """Trimmed text, null where blank; with ``column`` a blank is a fault."""
        found = [_text(cell) for cell in self.raw(name)]
        if column:
            for n, cell in enumerate(found):
                if cell is None:
                    self.fault(n, column, "", "null", wanted("filled"))
        return found

    def number(self, name: str, column: str) -> list[float | None]:
        """Numbers, null where blank or ``n/a``; anything else is a fault."""
        found: list[float | None] = []
        for n, cell in enumerate(self.raw(name)):
            number = _number(cell)
            if number is None and _text(cell) not in (None, "n/a"):
                self.fault(n, column, str(cell), "type", wanted("number"))
            found.append(number)
        return found

    def whole(self, name: str, column: str) -> list[int | None]:
        """Whole numbers, null where blank or ``n/a``; anything else is a fault."""
        found: list[int | None] = []
        for n, number in enumerate(self.number(name, column)):
            if number is not None and not number.is_integer():
                self.fault(n, column, f"{number:g}", "type", wanted("whole"))
            found.append(int(number) if number is not None and number.is_integer() else None)
        return found

    def flag(self, name: str) -> list[bool | None]:
        """``Y`` and ``N``; null where blank or ``n/a``."""
        said = {"Y": True, "N": False}
        return [said.get(str(cell).strip()) for cell in self.raw(name)]

    def month(self, name: str) -> list[str | None]:
        """``08/2023`` as ``2023-08``."""
        found = [_text(cell) for cell in self.raw(name)]
        return [f"{t[3:]}-{t[:2]}" if t and len(t) == 7 and t[2] == "/" else t for t in found]

    def fault(self, n: int, column: str, value: str, reason: str, expected: Text) -> None:
        """A fault of the n-th row of the stretch."""
        self.bad.add(n)
        self.faults.append(Rejected("", self._numbers[n], column, value, reason, expected))

    def chunk(self, table: str, columns: Mapping[str, Any]) -> Chunk:
        """Rows of one table, those at fault left out."""
        keep = [n for n in range(len(self)) if n not in self.bad]
        whole = {"classification": CLASSIFICATION, "version": VERSION, **columns}
        kept = {k: [v[n] for n in keep] if isinstance(v, list) else v for k, v in whole.items()}
        rows = table_of(table, kept, row=[self._numbers[n] for n in keep])
        skipped = [Skipped("blank", self._blank)] if self._blank else []
        return Chunk(len(self) + self._blank, {table: rows}, skipped, self.faults)


def _text(cell: Any) -> str | None:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() or None


def _number(cell: Any) -> float | None:
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return float(cell)
    try:
        return float(str(cell))
    except ValueError:
        return None


def _occupations(sheet: _Sheet) -> Chunk:
    columns = {
        "code": sheet.text(CODE, "code"),
        "title": sheet.text("Title", "title"),
        "description": sheet.text("Description"),
    }
    return sheet.chunk("occupation", columns)


def _zones(sheet: _Sheet) -> Chunk:
    zones = sheet.whole("Job Zone", "job_zone")
    columns = {
        "occupation": sheet.text(CODE, "occupation"),
        "job_zone": zones,
        "date": sheet.month("Date"),
        "method": sheet.text("Domain Source"),
    }
    return sheet.chunk("occupation_zone", columns)


def _related(sheet: _Sheet) -> Chunk:
    columns = {
        "from_code": sheet.text(CODE, "from_code"),
        "to_code": sheet.text("Related O*NET-SOC Code", "to_code"),
        "tier": sheet.text("Relatedness Tier"),
        "rank": sheet.whole("Index", "rank"),
    }
    return sheet.chunk("occupation_link", columns)


def _ratings(domain: str) -> Callable[[_Sheet], Chunk]:
    def make(sheet: _Sheet) -> Chunk:
        columns = {
            "occupation": sheet.text(CODE, "occupation"),
            "skill": sheet.text("Element ID", "skill"),
            "scale": sheet.text("Scale ID", "scale"),
            "skill_name": sheet.text("Element Name"),
            "value": sheet.number("Data Value", "value"),
            "n": sheet.whole("N", "n"),
            "standard_error": sheet.number("Standard Error", "standard_error"),
            "low": sheet.number("Lower CI Bound", "low"),
            "high": sheet.number("Upper CI Bound", "high"),
            "suppress": sheet.flag("Recommend Suppress"),
            "not_relevant": sheet.flag("Not Relevant"),
            "domain": domain,
            "date": sheet.month("Date"),
            "method": sheet.text("Domain Source"),
        }
        return sheet.chunk("skill_level", columns)

    return make


def _tasks(sheet: _Sheet) -> Chunk:
    columns = {
        "occupation": sheet.text(CODE, "occupation"),
        "task": sheet.text("Task ID", "task"),
        "kind": "task",
        "text": sheet.text("Task", "text"),
        "core": sheet.text("Task Type"),
        "n": sheet.whole("Incumbents Responding", "n"),
        "date": sheet.month("Date"),
    }
    return sheet.chunk("task", columns)


def _emerging(sheet: _Sheet) -> Chunk:
    texts = sheet.text("Task", "text")
    columns = {
        "occupation": sheet.text(CODE, "occupation"),
        "task": [f"emerging-{hashlib.sha256(t.encode()).hexdigest()[:12]}" if t else None for t in texts],
        "kind": "emerging",
        "text": texts,
        "category": sheet.text("Category"),
        "date": sheet.month("Date"),
    }
    return sheet.chunk("task", columns)


def _technologies(sheet: _Sheet) -> Chunk:
    names = sheet.text("Example", "text")
    commodities = sheet.text("Commodity Code", "task")
    columns = {
        "occupation": sheet.text(CODE, "occupation"),
        "task": [f"{code}:{name}" for code, name in zip(commodities, names, strict=True)],
        "kind": "technology",
        "text": names,
        "category": sheet.text("Commodity Title"),
        "hot": sheet.flag("Hot Technology"),
        "in_demand": sheet.flag("In Demand"),
    }
    return sheet.chunk("task", columns)


_RATED = (CODE, "Element ID", "Element Name", "Scale ID", "Data Value", "N", "Standard Error", "Lower CI Bound",
          "Upper CI Bound", "Recommend Suppress", "Not Relevant", "Date", "Domain Source")  # fmt: skip

_FILES: Mapping[str, tuple[tuple[str, ...], Callable[[_Sheet], Chunk]]] = MappingProxyType(
    {
        "Occupation Data.xlsx": ((CODE, "Title", "Description"), _occupations),
        "Job Zones.xlsx": ((CODE, "Job Zone", "Date", "Domain Source"), _zones),
        "Related Occupations.xlsx": ((CODE, "Related O*NET-SOC Code", "Relatedness Tier", "Index"), _related),
        "Skills.xlsx": (_RATED, _ratings("skills")),
        "Knowledge.xlsx": (_RATED, _ratings("knowledge")),
        "Abilities.xlsx": (_RATED, _ratings("abilities")),
        "Work Activities.xlsx": (_RATED, _ratings("activities")),
        "Task Statements.xlsx": (
            (CODE, "Task ID", "Task", "Task Type", "Incumbents Responding", "Date"),
            _tasks,
        ),
        "Emerging Tasks.xlsx": ((CODE, "Task", "Category", "Date"), _emerging),
        "Technology Skills.xlsx": (
            (CODE, "Example", "Commodity Code", "Commodity Title", "Hot Technology", "In Demand"),
            _technologies,
        ),
    }
)
"""File -> the columns it must have, and what makes rows of a stretch of it."""


class Onet:
    """The O*NET database. See the module for what each workbook gives."""

    name = "onet"
    version = "1"
    tables = ("occupation", "occupation_zone", "occupation_link", "skill_level", "task")

    def accepts(self, raw: RawFile) -> bool:
        """The workbooks this reader knows."""
        return raw.name.rsplit("/", 1)[-1] in _FILES

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """Chunks of some ten thousand rows."""
        name = raw.name.rsplit("/", 1)[-1]
        if name not in _FILES:
            raise not_this_format(raw, ", ".join(_FILES), Text("why.no_such_file"))
        needed, make = _FILES[name]
        rows = _read(raw)
        header = [str(cell).strip() for cell in rows[0]] if rows else []
        missing = [column for column in needed if column not in header]
        if missing:
            raise not_this_format(raw, EXPECTED, Text("why.no_column", {"columns": missing}))
        for start in range(1, len(rows), BATCH):
            yield make(_Sheet(header, rows[start : start + BATCH], start + 1))


def _read(raw: RawFile) -> Rows:
    if not raw.path.stat().st_size:
        raise SourceError("source_empty", file=raw.name)
    try:
        book = CalamineWorkbook.from_path(str(raw.path))
        return book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise not_this_format(raw, EXPECTED, str(error)) from error
