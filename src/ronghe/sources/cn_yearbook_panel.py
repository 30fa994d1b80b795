"""The yearbook's panel rows, however they are stored: one line is one region, year, indicator and value.

The meaning of each publisher's code is in ``cn_yearbook_indicators.csv``; what was misread when the printed
pages were digitised is in ``cn_yearbook_repairs.csv``, and each use of that table is logged as a ``Repair``.
"""

import csv
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from ronghe.model.regions import find_region, regions
from ronghe.model.text import Text
from ronghe.model.units import find_unit, units
from ronghe.sources.base import Chunk, Rejected, Repair, Skipped, rows_of, wanted

MISSING: Final = frozenset({"", "—", "——", "–", "-", "…", "...", "……", "#", "NA", "nan", "None", "<NA>"})
"""What the yearbook prints where it has no figure."""

_YEAR: Final = re.compile(r"(\d{4})(?:\.0+)?年?")


@dataclass(frozen=True, slots=True)
class Indicator:
    """What one of the publisher's codes means. ``signed`` figures may be negative."""

    code: str
    indicator: str
    name_zh: str
    name_en: str
    unit: str
    topic: str
    additive: bool
    signed: bool
    description: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the file has it, before anything is made of it."""

    row: int
    province: Any
    year: Any
    label: Any
    value: Any
    unit: Any
    code: Any


def _table(name: str) -> Iterator[dict[str, str]]:
    text = files("ronghe.sources").joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


@cache
def indicators() -> Mapping[str, Indicator]:
    """What each of the publisher's codes means, by code."""
    return MappingProxyType(
        {
            row["code"]: Indicator(
                code=row["code"],
                indicator=row["indicator"],
                name_zh=row["name_zh"],
                name_en=row["name_en"],
                unit=row["unit"],
                topic=row["topic"],
                additive=row["additive"] == "yes",
                signed=row["signed"] == "yes",
                description=row["description"],
            )
            for row in _table("cn_yearbook_indicators.csv")
        }
    )


@cache
def repairs(kind: str) -> Mapping[tuple[str, str], str]:
    """The repairs of one field (``province``, ``units``, ``code``): (indicator or "", misread) -> meant."""
    rows = (row for row in _table("cn_yearbook_repairs.csv") if row["field"] == kind)
    return MappingProxyType({(row["indicator"], row["misread"]): row["meant"] for row in rows})


def plain(value: Any) -> str:
    """A cell as text without any white space, in compatibility form; missing values are empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return _squeezed(str(value))


@lru_cache(maxsize=8192)
def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def year_of(value: Any) -> int | None:
    """The year that ``2020``, ``"2020"``, ``2020.0`` or ``"2020年"`` means, or ``None``."""
    found = _YEAR.fullmatch(plain(value))
    return int(found.group(1)) if found else None


def number_of(value: Any) -> float | None:
    """A figure, or ``None`` where the publisher has none.

    Raises
    ------
    ValueError : the cell holds something else.
    """
    text = plain(value)
    if text in MISSING:
        return None
    figure = float(text.replace(",", ""))  # "True" is no number, so a logical cell is refused here
    if not math.isfinite(figure):
        raise ValueError(text)
    return figure


@dataclass(slots=True)
class Pile:
    """What became of the lines of one part of a file."""

    part: str
    records: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)

    def skip(self, reason: str, row: int, value: str = "") -> None:
        """Counts one record that is passed over."""
        self.records += 1
        self.skipped.append(Skipped(reason, 1, self.part, row, value))

    def add(self, line: Line) -> None:
        """Reads one line: it becomes a row, a skip or its faults."""
        definition = indicators().get(plain(line.code))
        if definition is None:
            self.records += 1
            self._fault(line, "indicator", line.code, "unknown_indicator", wanted("indicator_code"))
            return
        before = len(self.rejected)
        region = self._region(line)
        year = year_of(line.year)
        if year is None:
            self._fault(line, "year", line.year, "type", wanted("year"))
        unit = self._unit(line, definition)
        value = self._value(line, definition)
        if len(self.rejected) > before or region is None:
            self.records += 1
        elif value is None:
            self.skip("blank", line.row, f"{region} {definition.indicator} {year}")
        elif regions()[region].level == "group":
            self.skip("subtotal", line.row, f"{region} {definition.indicator} {year}")
        else:
            self.records += 1
            self._accept(line, definition, region, {"year": year, "value": value, "unit": unit})

    def chunk(self, table: str = "indicator") -> Chunk:
        """All of it as one chunk."""
        rows = {table: rows_of(table, self.rows)} if self.rows else {}
        return Chunk(self.records, rows, self.skipped, self.rejected, self.repairs)

    def _accept(self, line: Line, definition: Indicator, region: str, figures: Mapping[str, Any]) -> None:
        self.rows.append(
            {
                "region": region,
                "industry": "ALL",
                "indicator": definition.indicator,
                **figures,
                "raw_name": f"{plain(line.label)} [{definition.code}]",
                "_part": self.part,
                "_row": line.row,
                "_col": None,
            }
        )

    def _fault(self, line: Line, column: str, value: Any, reason: str, expected: Text) -> None:
        text = "" if value is None else str(value)
        self.rejected.append(Rejected(self.part, line.row, column, text, reason, expected))

    def _mend(self, line: Line, column: str, old: str, new: str, reason: str) -> str:
        self.repairs.append(Repair(self.part, line.row, column, old, new, reason))
        return new

    def _region(self, line: Line) -> str | None:
        name = plain(line.province)
        meant = repairs("province").get(("", name))
        if meant is not None:
            name = self._mend(line, "province", name, meant, "misread_name")
        region = find_region(name)
        if region is None or not (region == "CHN" or region.startswith("CN-")):
            self._fault(line, "region", line.province, "unknown_region", wanted("nation_or_province"))
            return None
        return region

    def _unit(self, line: Line, definition: Indicator) -> str | None:
        name = plain(line.unit)
        code = find_unit(name)
        if code is not None and units()[code].dimension == units()[definition.unit].dimension:
            return code
        meant = repairs("units").get((definition.indicator, name))
        if meant is not None:
            return find_unit(self._mend(line, "unit", name, meant, "misread_unit"))
        self._fault(line, "unit", line.unit, "unit", wanted("unit", unit=units()[definition.unit].names))
        return None

    def _value(self, line: Line, definition: Indicator) -> float | None:
        try:
            value = number_of(line.value)
        except ValueError:
            self._fault(line, "value", line.value, "type", wanted("number"))
            return None
        if value is not None and value < 0 and not definition.signed:
            self._fault(line, "value", line.value, "range", wanted("at_least", low=0))
        return value


def definition_row(definition: Indicator, part: str, row: int) -> dict[str, Any]:
    """The ``indicator_def`` row of one indicator."""
    return {
        "indicator": definition.indicator,
        "name_zh": definition.name_zh,
        "name_en": definition.name_en,
        "unit": definition.unit,
        "topic": definition.topic,
        "description": f"{definition.description} Publisher's code: {definition.code}.".strip(),
        "additive": definition.additive,
        "_part": part,
        "_row": row,
        "_col": None,
    }


def panel_chunk(part: str, lines: Sequence[Line]) -> Chunk:
    """Lines of the panel, read in their order."""
    pile = Pile(part)
    for line in lines:
        pile.add(line)
    return pile.chunk()
