"""OpenAlex topics: 4,516 topics with their subfield, field and domain, as an R data frame; a record is a row.

Topic ids are as in ``openalex_works`` (``T10017``). Codes of subfields and fields are those of the All Science
Journal Classification, so that a topic's field joins the science concordance (``patent_industry_concordance``).
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, not_this_format, table_of, wanted
from ronghe.sources.r_data import read_r

COLUMNS = (
    "id_topic", "topic", "description", "id_subfield", "subfield", "id_field", "field", "id_domain", "domain"
)  # fmt: skip


class OpenAlexTopics:
    """Topics of OpenAlex. See the module for the codes."""

    name = "openalex_topics"
    version = "1"
    tables = ("topic",)

    def accepts(self, raw: RawFile) -> bool:
        """The R data frame."""
        return raw.name.endswith(".rda")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk: the list is small. The row is the data frame's, from 1."""
        frame = read_r(raw).get("topics")
        if not isinstance(frame, pd.DataFrame) or not set(COLUMNS) <= set(frame.columns):
            lacking = Text("why.no_column", {"columns": list(COLUMNS)})
            raise not_this_format(raw, Text("format.data_frame", {"name": "topics"}), lacking)
        good: list[dict[str, Any]] = []
        numbers: list[int] = []
        rejected: list[Rejected] = []
        for number, record in enumerate(frame[list(COLUMNS)].itertuples(index=False), start=1):
            said = dict(zip(COLUMNS, (None if pd.isna(value) else str(value).strip() for value in record), strict=True))
            empty = next((field for field in ("id_topic", "topic") if not said[field]), None)
            if empty:
                rejected.append(Rejected("topics", number, empty, "", "null", wanted("filled")))
                continue
            numbers.append(number)
            good.append(_row(said))
        columns = {name: [row[name] for row in good] for name in (good[0] if good else {})}
        yield Chunk(len(frame), {"topic": table_of("topic", columns, part="topics", row=numbers)}, (), rejected)


def _row(said: dict[str, str | None]) -> dict[str, Any]:
    return {
        "topic": _last(said["id_topic"]),
        "name_en": said["topic"],
        "description": said["description"],
        "subfield_code": _last(said["id_subfield"]),
        "subfield": said["subfield"],
        "field_code": _last(said["id_field"]),
        "field": said["field"],
        "domain_code": _last(said["id_domain"]),
        "domain": said["domain"],
    }


def _last(address: str | None) -> str | None:
    """The code at the end of an address: ``subfields/2505`` -> ``2505``."""
    return address.rsplit("/", 1)[-1] if address else None
