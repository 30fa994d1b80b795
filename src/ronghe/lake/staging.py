"""A load on its way in: rows spooled to Parquet, checked as a whole, then the very files are handed to the lake."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ronghe.lake.check import Record, check_chunk, duplicates, parquet
from ronghe.lake.store import write_error
from ronghe.model.table import contract
from ronghe.sources.base import Chunk, Rejected, Repair, Skipped

_PREFIX = ".staging-"
_GROUP_ROWS = 200_000
_GROUP_BYTES = 32_000_000
"""A row group is written when it holds so many rows or bytes: small chunks would make files slow to read."""
_RECORD = pa.schema([("_part", pa.string()), ("_row", pa.int64()), ("_col", pa.string())])


@dataclass
class Staged:
    """What one raw file held, before anything is committed. ``sha256`` is the raw file's."""

    folder: Path
    sha256: str
    records: int = 0
    files: dict[str, Path] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    bad: set[Record] = field(default_factory=set)
    lines: dict[str, list[int]] = field(default_factory=dict)
    _spools: dict[str, "_Spool"] = field(default_factory=dict)

    @property
    def quarantined(self) -> int:
        """Records (not faults) in quarantine."""
        return len({(r.part, r.row, r.col) for r in self.rejected})

    @property
    def passed_over(self) -> int:
        """Records skipped."""
        return sum(s.count for s in self.skipped)

    def add(self, chunk: Chunk) -> None:
        """Check one stretch and spool its rows."""
        good = check_chunk(chunk)
        self.records += good.records
        self.skipped.extend(good.skipped)
        self.rejected.extend(good.rejected)
        self.repairs.extend(good.repairs)
        for name, rows in good.rows.items():
            if rows.num_rows:
                self._spool(name, rows)

    def _spool(self, name: str, rows: pa.Table) -> None:
        """Append rows of one table to its spool file."""
        if name not in self._spools:
            self.files[name] = self.folder / f"{name}.parquet"
            self._spools[name] = _Spool(self.files[name], contract(name).schema, self.sha256)
        self.counts[name] = self.counts.get(name, 0) + rows.num_rows
        self._spools[name].add(rows)

    def close(self) -> None:
        """Finish the spool files."""
        for spool in self._spools.values():
            spool.close()
        self._spools.clear()

    def drop(self) -> None:
        """Let go of the spool files of a load that failed."""
        for spool in self._spools.values():
            spool.drop()

    def finished(self, connection: duckdb.DuckDBPyConnection, name: str, count: int) -> Path:
        """The file of the rows that stay, ``count`` of them: the spool itself where all do, else a new one."""
        if count == self.counts[name]:
            return self.files[name]
        spool = _Spool(self.folder / f"{name}.kept.parquet", contract(name).schema, self.sha256)
        rows: Any = connection.sql(f"SELECT * FROM {self.relation(connection, name)}").to_arrow_reader(_GROUP_ROWS)
        for batch in rows:
            spool.add(pa.Table.from_batches([batch]))
        spool.close()
        return spool.file

    def extra(self, name: str, rows: pa.Table) -> Path:
        """The file of a small table that a load brings besides."""
        file = self.folder / f"{name}.parquet"
        try:
            pq.write_table(rows, file)
        except OSError as error:
            raise write_error(error, str(self.folder)) from error
        return file

    def settle(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Find repeated keys over the whole file; from here on ``relation`` gives the rows that stay."""
        self.close()
        again: set[Record] = set()
        for name, file in self.files.items():
            found = duplicates(connection, name, file)
            self.rejected.extend(found.faults)
            self.lines[name] = found.lines
            again |= found.records
        self.bad = {(r.part, r.row, r.col) for r in self.rejected}
        silent = again - self.bad
        for name in self.files if silent else ():
            rows = connection.execute(f"SELECT DISTINCT _part, _row, _col FROM {self.relation(connection, name)}")
            silent.difference_update(rows.fetchall())
        self.skipped.extend(Skipped("duplicate", 1, part, row) for part, row, _ in sorted(silent, key=str))

    def accepted(self, connection: duckdb.DuckDBPyConnection) -> tuple[int, dict[str, int]]:
        """Records that gave at least one row, counted from the rows themselves; and rows a table."""
        counts: dict[str, int] = {}
        named: list[str] = []
        for name in self.files:
            source = self.relation(connection, name)
            counts[name] = _number(connection, f"SELECT count(*) FROM {source}")
            named.append(f"SELECT _part, _row, _col FROM {source}")
        if not named:
            return 0, {}
        union = " UNION ALL ".join(named)
        # Digests of 64 bits can only make the number too low, so the records are compared where it does not fit.
        total = _number(connection, f"SELECT count(DISTINCT hash(_part, _row, _col)) FROM ({union})")
        if total != self.records - self.quarantined - self.passed_over:
            total = _number(connection, f"SELECT count(*) FROM (SELECT DISTINCT * FROM ({union}))")
        return total, {name: n for name, n in counts.items() if n}

    def relation(self, connection: duckdb.DuckDBPyConnection, name: str) -> str:
        """SQL for the rows of a table that stay: no bad record's, no exact repetition."""
        tests = []
        if lines := self.lines.get(name):
            connection.register(f"lines_{name}", pa.table({"n": pa.array(lines, pa.int64())}))
            tests.append(f"t.file_row_number NOT IN (SELECT n FROM lines_{name})")
        if self.bad:
            parts, rows, cols = zip(*sorted(self.bad, key=str), strict=True)
            connection.register("bad_records", pa.table([list(parts), list(rows), list(cols)], schema=_RECORD))
            tests.append(
                "NOT EXISTS (SELECT 1 FROM bad_records b WHERE b._part = t._part AND b._row = t._row "
                "AND b._col IS NOT DISTINCT FROM t._col)"
            )
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        return f"(SELECT t.* EXCLUDE (file_row_number, _file) FROM {parquet(self.files[name])} t{where})"

    def skip_counts(self) -> Mapping[str, int]:
        """Reason -> records skipped."""
        counts: dict[str, int] = {}
        for one in self.skipped:
            counts[one.reason] = counts.get(one.reason, 0) + one.count
        return dict(sorted(counts.items()))


class _Spool:
    """One table's rows on their way to a Parquet file, with the lineage's ``_file`` beside them."""

    def __init__(self, file: Path, schema: pa.Schema, sha256: str) -> None:
        self.file = file
        self._schema = schema
        self._named = pa.array([sha256])
        self._held: list[pa.Table] = []
        self._rows = self._bytes = 0
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: pa.Table) -> None:
        """Take rows of the contract's schema."""
        self._held.append(rows)
        self._rows += rows.num_rows
        self._bytes += rows.nbytes
        if self._rows >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is held and finish the file."""
        if self._held:
            self._flush()
        if self._writer is not None:
            try:
                self._writer.close()
            except OSError as error:
                raise write_error(error, str(self.file.parent)) from error
            self._writer = None

    def drop(self) -> None:
        """Let go of the file, which nobody wants any more."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()

    def _flush(self) -> None:
        rows = pa.concat_tables(self._held)
        # One word and many references to it: the same bytes in the file, and none copied on the way.
        marks = pa.DictionaryArray.from_arrays(pa.array(np.zeros(self._rows, np.int32)), self._named)
        rows = rows.append_column("_file", marks)
        try:
            if self._writer is None:
                # Without Arrow's own schema: readers get plain text for ``_file``, as Parquet has it.
                # The least and the largest text of a group lead no reader past it, and cost a quarter of the time.
                numbers = [one.name for one in rows.schema if not pa.types.is_string(one.type)]
                self._writer = pq.ParquetWriter(
                    self.file, rows.schema, compression="snappy", store_schema=False, write_statistics=numbers
                )
            self._writer.write_table(rows)
        except OSError as error:
            raise write_error(error, str(self.file.parent)) from error
        self._held, self._rows, self._bytes = [], 0, 0


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that a query gives."""
    return int(connection.execute(query).fetchall()[0][0])


@contextlib.contextmanager
def staging(parent: Path | None, sha256: str) -> Iterator[Staged]:
    """A folder for one load, removed whatever happens; what a killed process left is removed by the next.

    The caller holds the lake's ingest lock, so that no other folder of this kind is in use.
    """
    for left in parent.glob(f"{_PREFIX}*") if parent is not None else ():
        shutil.rmtree(left, ignore_errors=True)
    try:
        folder = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent)
    except OSError as error:
        raise write_error(error, str(parent)) from error
    with folder as path:
        staged = Staged(Path(path), sha256)
        try:
            yield staged
        finally:
            staged.drop()
