"""What a user decided, one JSON object a file: a row of the table ``decision``.

A decision says of a subject of a table (a written name of ``organisation_match``) what is so: ``confirmed`` and
``locked`` give it the value in ``new``, ``rejected`` keeps that value from it.
"""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, not_this_format, rows_of

KINDS = ("confirmed", "rejected", "locked")
_TEXTS = ("decision_id", "by", "kind", "table", "subject", "field", "old", "new", "reason")


class Decisions:
    """Decisions of users. See the module."""

    name = "decisions"
    version = "1"
    tables = ("decision",)

    def accepts(self, raw: RawFile) -> bool:
        """JSON files."""
        return raw.name.endswith(".json")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One record: the file is one decision."""
        try:
            said: Any = json.loads(raw.path.read_text(encoding="utf-8"))
            row = {name: said.get(name) for name in _TEXTS}
            at = dt.datetime.fromisoformat(said["at"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise not_this_format(raw, Text("format.decision"), str(error)) from error
        rows = rows_of("decision", [{**row, "at": at, "_part": "", "_row": 1, "_col": None}])
        yield Chunk(1, {"decision": rows})
