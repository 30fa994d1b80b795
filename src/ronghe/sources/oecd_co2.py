"""CO2 from production by country and industry, 2018 (OECD, edition 2021 of the inter-country tables).

One sheet: the country stands in the first line of its block only, the industry as ``D01T02: Agriculture, …``. The 45
industries come in the order of the OECD's input-output tables, whose codes (01–45) they are given here; the
publisher's own label is kept. A record is a line; the header is one.
"""

from collections.abc import Iterator
from typing import Any, Final
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from ronghe.model.regions import find_region
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, table_of, wanted

CLASSIFICATION: Final = "oecd-io"
VERSION: Final = "2021"
INDICATOR: Final = "co2_production"
YEAR: Final = 2018
_INDUSTRIES: Final = (
    "D01T02", "D03", "D05T06", "D07T08", "D09", "D10T12", "D13T15", "D16", "D17T18", "D19", "D20", "D21", "D22", "D23",
    "D24", "D25", "D26", "D27", "D28", "D29", "D30", "D31T33", "D35", "D36T39", "D41T43", "D45T47", "D49", "D50", "D51",
    "D52", "D53", "D55T56", "D58T60", "D61", "D62T63", "D64T66", "D68", "D69T75", "D77T82", "D84", "D85", "D86T88",
    "D90T93", "D94T96", "D97T98",
)  # fmt: skip
_CODES: Final = {name: f"{number:02d}" for number, name in enumerate(_INDUSTRIES, start=1)}
_REST: Final = "ROW"


class OecdCo2:
    """Reads ``ICIO_Co2_2018.xlsx``."""

    name = "oecd_co2"
    version = "1"
    tables = ("indicator", "indicator_def")

    def accepts(self, raw: RawFile) -> bool:
        """The workbook."""
        return raw.name.endswith(".xlsx")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk of some three thousand lines."""
        lines = _lines(raw)
        if not lines or lines[0][:2] != ("Country", "Sector"):
            raise not_this_format(
                raw, Text("format.columns", {"columns": ["Country", "Sector", "Year 2018"]}), Text("why.first_line")
            )
        kept: list[tuple[str, str, float, str, int]] = []
        rejected: list[Rejected] = []
        country = ""
        for number, (place, sector, value) in enumerate(lines[1:], start=2):
            country = str(place) if place else country
            found = _line(country, str(sector or ""), value)
            if isinstance(found, tuple):
                kept.append((*found, str(sector), number))
            else:
                reason, expected = _FAULTS[found]
                said = f"{country} | {sector} | {value}"
                rejected.append(Rejected("CO2", number, found, said, reason, expected))
        region, industry, tonnes, label, row = (list(c) for c in zip(*kept, strict=True)) if kept else ([],) * 5
        rows = {
            "indicator": table_of(
                "indicator",
                {"region": region, "industry": industry, "indicator": INDICATOR, "year": YEAR, "value": tonnes,
                 "unit": "tonne_co2_m", "raw_name": label,
                 "industry_classification": f"{CLASSIFICATION}:{VERSION}"},
                part="CO2", row=row,
            ),
            "indicator_def": table_of(
                "indicator_def",
                {"indicator": INDICATOR, "name_zh": "生产端二氧化碳排放", "name_en": "CO2 emissions from production",
                 "unit": "tonne_co2_m", "topic": "emissions", "additive": True},
                part="CO2", row=row[:1],
            ),
        }  # fmt: skip
        yield Chunk(len(lines), rows, [Skipped("header", 1, "CO2")], rejected)


_FAULTS: Final = {
    "region": ("unknown_region", wanted("country3")),
    "industry": ("allowed", wanted("oecd_industry")),
    "value": ("type", wanted("number")),
}


def _line(country: str, sector: str, value: Any) -> tuple[str, str, float] | str:
    """Region, industry, value; or the name of the field that can't be read."""
    code = country.split(":", 1)[0].strip()
    region = _REST if code == _REST else find_region(code)
    industry = _CODES.get(sector.split(":", 1)[0].strip())
    if region is None:
        return "region"
    if industry is None:
        return "industry"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        return "value"
    return region, industry, float(value)


def _lines(raw: RawFile) -> list[tuple[Any, Any, Any]]:
    if raw.bytes == 0:
        raise not_this_format(raw, Text("format.excel"), Text("why.no_workbook"))
    try:
        book = openpyxl.load_workbook(raw.path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, OSError, ValueError) as error:
        raise not_this_format(raw, Text("format.excel"), str(error)) from error
    try:
        sheet = book.worksheets[0]
        rows: Iterator[Any] = sheet.iter_rows(values_only=True)
        return [(row + (None,) * 3)[:3] for row in rows]
    finally:
        book.close()
