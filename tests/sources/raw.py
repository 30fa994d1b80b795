"""Raw files for tests of sources, and the balance every source must keep."""

from collections import Counter
from pathlib import Path

import pyarrow as pa

from ronghe.model.table import contract
from ronghe.sources.base import Chunk, RawFile, Source


def raw_file(folder: Path, name: str, data: bytes | str, dataset: str = "d") -> RawFile:
    """A file of a test, written."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return raw_at(path, name, dataset)


def raw_at(path: Path, name: str, dataset: str = "d") -> RawFile:
    """A file that is there already."""
    return RawFile(path, dataset, name, "0" * 64, path.stat().st_size)


class Parsed:
    """Everything a source said of one file; raises when the records do not balance."""

    def __init__(self, source: Source, raw: RawFile) -> None:
        self.chunks: list[Chunk] = list(source.parse(raw))
        self.rejected = [r for c in self.chunks for r in c.rejected]
        self.skipped = [s for c in self.chunks for s in c.skipped]
        self.repairs = [r for c in self.chunks for r in c.repairs]
        self.records = sum(c.records for c in self.chunks)
        names: set[tuple[str, int, str | None]] = set()
        for number, chunk in enumerate(self.chunks):
            mine: set[tuple[str, int, str | None]] = set()
            for table, rows in chunk.rows.items():
                assert table in source.tables
                assert rows.schema.equals(contract(table).schema), table
                keys = rows.select(["_part", "_row", "_col"]).to_pydict()
                mine |= set(zip(*keys.values(), strict=True))
            assert not mine & names, f"chunk {number} splits a record"
            names |= mine
        bad = {(r.part, r.row, r.col) for r in self.rejected}
        self.accepted = len(names - bad)
        self.balance = (self.records, self.accepted, sum(s.count for s in self.skipped), len(bad))
        assert self.records == sum(self.balance[1:]), self.balance

    def table(self, name: str) -> pa.Table:
        """All rows of one table."""
        parts = [c.rows[name] for c in self.chunks if name in c.rows]
        return pa.concat_tables(parts) if parts else contract(name).schema.empty_table()

    def rows(self, name: str) -> list[dict[str, object]]:
        """All rows of one table, as dictionaries."""
        return list(self.table(name).to_pylist())

    def reasons(self) -> dict[str, int]:
        """Skip reason -> records."""
        counts: Counter[str] = Counter()
        for one in self.skipped:
            counts[one.reason] += one.count
        return dict(counts)
