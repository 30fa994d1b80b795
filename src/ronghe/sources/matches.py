"""Matches as they were found, one JSON object a line: rows of the table ``organisation_match``."""

import json
from collections.abc import Iterator
from typing import Any

from ronghe.model.table import contract
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, not_this_format, rows_of

TABLE = "organisation_match"
_BATCH = 20_000


class Matches:
    """Matches of written names with organisations. See the module."""

    name = "matches"
    version = "1"
    tables = (TABLE,)

    def accepts(self, raw: RawFile) -> bool:
        """JSON lines."""
        return raw.name.endswith(".jsonl")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """A record is a line."""
        columns = [c.name for c in contract(TABLE).columns]
        held: list[dict[str, Any]] = []
        with raw.path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    said: Any = json.loads(line)
                    row = {c: said.get(c) for c in columns}
                except (ValueError, AttributeError) as error:
                    raise not_this_format(
                        raw, Text("format.match"), Text("why.at_line", {"line": number, "why": str(error)})
                    ) from error
                held.append({**row, "_part": "", "_row": number, "_col": None})
                if len(held) == _BATCH:
                    yield Chunk(len(held), {TABLE: rows_of(TABLE, held)})
                    held = []
        if held:
            yield Chunk(len(held), {TABLE: rows_of(TABLE, held)})
