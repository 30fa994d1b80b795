"""A synthetic network of firms, as a Parquet file that ``ronghe synth firms`` writes. It is no publisher's data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, not_this_format, table_of

_ROWS = 200_000
TABLES = ("firm", "firm_link")


class Synthetic:
    """Reads ``firm.parquet`` and ``firm_link.parquet``: the contract's columns, one record a row."""

    name = "synthetic"
    version = "1"
    tables = TABLES

    def accepts(self, raw: RawFile) -> bool:
        """The two files."""
        return _table(raw.name) in TABLES and raw.name.endswith(".parquet")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """Stretches of some hundred thousand rows."""
        if not self.accepts(raw):
            raise not_this_format(raw, "firm.parquet, firm_link.parquet", Text("why.no_such_file"))
        name, done = _table(raw.name), 0
        try:
            with pq.ParquetFile(raw.path) as file:
                for batch in file.iter_batches(_ROWS):
                    columns: dict[str, Any] = {n: batch.column(n) for n in batch.schema.names}
                    rows = table_of(name, columns, row=range(done + 1, done + batch.num_rows + 1))
                    done += batch.num_rows
                    yield Chunk(batch.num_rows, {name: rows})
        except (pa.ArrowException, KeyError) as error:
            raise not_this_format(raw, Text("format.contract_parquet"), str(error)) from error


def _table(name: str) -> str:
    return Path(name).name.removesuffix(".parquet")
