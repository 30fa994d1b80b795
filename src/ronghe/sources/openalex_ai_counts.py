"""Publications on artificial intelligence by country and year, counted by OpenAlex; a record is a line.

Two lists give rows of ``indicator``: all works on artificial intelligence, and those on deep learning. A work by
authors of several countries counts once for each. The two lists of growth repeat what these give.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, not_this_format, rows_of, wanted
from ronghe.sources.countries import alpha3
from ronghe.sources.csv_rows import Fault, Record, list_chunk, number_of, year_of

_COLUMNS = ("year", "country_code", "count")
_FILES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "ai_publication_counts.csv": ("ai_publications", "人工智能论文数", "AI publications"),
        "deep_learning_publication_counts.csv": (
            "deep_learning_publications",
            "深度学习论文数",
            "Deep-learning publications",
        ),
    }
)
_NOTE = "Counted by OpenAlex; a work counts once for every country of its authors."


class OpenAlexAiCounts:
    """AI publications by country. See the module."""

    name = "openalex_ai_counts"
    version = "1"
    tables = ("indicator", "indicator_def")

    def accepts(self, raw: RawFile) -> bool:
        """The two lists of counts."""
        return raw.name.rsplit("/", 1)[-1] in _FILES

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk; the header's record says what the indicator is."""
        said = _FILES.get(raw.name.rsplit("/", 1)[-1])
        if said is None:
            raise not_this_format(raw, ", ".join(_FILES), Text("why.no_such_file"))
        name, zh, en = said
        chunk = list_chunk(raw, "indicator", _COLUMNS, partial(_row, name))
        definition = {
            "indicator": name,
            "name_zh": zh,
            "name_en": en,
            "unit": "item",
            "topic": "science",
            "description": _NOTE,
            "additive": False,
            "_part": "",
            "_row": 1,
        }
        rows = {**chunk.rows, "indicator_def": rows_of("indicator_def", [definition])}
        yield Chunk(chunk.records + 1, rows, chunk.skipped, chunk.rejected)


def _row(indicator: str, record: Record) -> Mapping[str, Any]:
    code = record["country_code"].rsplit("/", 1)[-1]
    if code not in alpha3():
        raise Fault("region", record["country_code"], "unknown_region", wanted("country2"))
    year = year_of(record, "year")
    if year is None:
        raise Fault("year", "", "null", wanted("year"))
    return {
        "region": alpha3()[code],
        "industry": "ALL",
        "indicator": indicator,
        "year": year,
        "value": number_of(record, "count", "value"),
        "unit": "item",
        "raw_name": "count",
    }
