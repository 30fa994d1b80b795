"""OpenAlex works: JSON lines, one work a line, plain or gzip (the snapshot's files and saved API answers).

A record is a line. It gives one row of ``work``, one of ``authorship`` for every author x affiliation
(affiliation 0 where none is known) and one of ``citation`` for every distinct reference. Ids lose their
address: ``W2181906270``; institutions become ``ror:<id>``, or ``openalex:<id>`` where OpenAlex knows no ROR.

See ``jsonlines`` for how lines are read. One is rejected when it isn't a JSON object, has no id, or holds anything
else than was promised, with the place and the value. The same work on two lines gives its rows twice: the lake keeps
one where they agree, none where they differ.
"""

import hashlib
from collections.abc import Iterable, Iterator
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format
from ronghe.sources.json_fit import Shape
from ronghe.sources.jsonlines import JsonLines, Stretch
from ronghe.sources.openalex_rows import FIELDS, Parts, rows_of_works

EXPECTED = Text("format.works")

_NAMED = {"id": "text", "display_name": "text"}

SHAPE: Shape = MappingProxyType(
    {
        "id": "text",
        "doi": "text",
        "title": "text",
        "publication_year": "whole",
        "publication_date": "date",
        "type": "text",
        "language": "text",
        "cited_by_count": "whole",
        "is_retracted": "truth",
        "primary_location": {"source": {"display_name": "text"}},
        "primary_topic": {**_NAMED, "subfield": _NAMED, "field": _NAMED, "domain": _NAMED},
        "referenced_works": ["text"],
        "authorships": [
            {
                "author": _NAMED,
                "raw_author_name": "text",
                "institutions": [{**_NAMED, "ror": "text", "country_code": "text", "type": "text"}],
            }
        ],
    }
)
"""The fields that are read; everything else of a work is passed over."""

_COLUMNS = {field: column for column, field in FIELDS.items()}
"""A fault is told by the column of ``work`` where its field is one."""


class OpenAlexWorks:
    """Works of OpenAlex. See the module for what a record gives."""

    name = "openalex_works"
    version = "4"
    tables = ("work", "authorship", "citation")

    def accepts(self, raw: RawFile) -> bool:
        """JSON lines, plain or gzip; the snapshot names its gzip files ``part_000.gz``."""
        name = raw.name.rsplit("/", 1)[-1].lower()
        ends = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz")
        return name.endswith(ends) or (name.startswith("part_") and name.endswith(".gz"))

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """A chunk a stretch of lines."""
        known = False
        for chunk in _reader().stretches(raw, EXPECTED, lambda stretch, first: _chunk(stretch, "", first)):
            known = known or bool(chunk.rows["work"].num_rows)
            if chunk.rejected and not known:
                why = Text("why.no_record", {"first": chunk.rejected[0].value[:80]})
                raise not_this_format(raw, EXPECTED, why)
            yield chunk

    def unnumbered(self, lines: Iterable[bytes]) -> Chunk:
        """The same of lines in no order, as on Spark: the part is the work's id, else a digest of the line."""
        stretch = _reader().given(lines)
        return _chunk(stretch, stretch.rows.columns["id",])


def _reader() -> JsonLines:
    return JsonLines(SHAPE, "id", "work_id")


def _chunk(stretch: Stretch, parts: Parts, first: int = 0) -> Chunk:
    """The rows; lines are counted from ``first``, and where parts name the records, all are 0."""

    def place(line: int, identity: str | None, text: bytes) -> tuple[str, int]:
        if isinstance(parts, str):
            return parts, line + first
        return identity or hashlib.md5(text, usedforsecurity=False).hexdigest(), 0

    rejected = []
    for line, identity, text, fault in stretch.faults:
        column = _COLUMNS.get(fault.column, fault.column)
        rejected.append(Rejected(*place(line, identity, text), column, fault.value, fault.reason, fault.expected))
    skipped = [Skipped("blank", 1, *place(line, None, text)) for line, text in stretch.blank]
    at = stretch.at + first if isinstance(parts, str) else np.zeros_like(stretch.at)
    return Chunk(stretch.lines, rows_of_works(stretch.rows, parts, pa.array(at)), skipped, rejected)
