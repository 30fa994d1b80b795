"""A load on its way in: rows spooled to local Parquet, checked as a whole, then handed to the lake."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ronghe.errors import LakeError
from ronghe.lake.check import Record, check_chunk, duplicates, faults_of, parquet
from ronghe.lake.store import write_error
from ronghe.model.table import contract
from ronghe.sources.base import Chunk, Rejected, Repair, Skipped

_PREFIX = ".staging-"
_RECORD = pa.schema([("_part", pa.string()), ("_row", pa.int64()), ("_col", pa.string())])


@dataclass
class Staged:
    """What one raw file held, before anything is committed."""

    folder: Path
    records: int = 0
    files: dict[str, Path] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    bad: set[Record] = field(default_factory=set)
    lines: dict[str, list[int]] = field(default_factory=dict)
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)

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
            self.spool(name, rows)

    def take(self, name: str, rows: pa.Table) -> None:
        """Spool rows that come without their records; what breaks the contract is left out by ``relation``."""
        self.rejected.extend(faults_of(contract(name), rows))
        self.spool(name, rows)

    def spool(self, name: str, rows: pa.Table) -> None:
        """Append rows of one table to its spool file."""
        if not rows.num_rows:
            return
        try:
            if name not in self._writers:
                self.files[name] = self.folder / f"{name}.parquet"
                self._writers[name] = pq.ParquetWriter(self.files[name], contract(name).schema, compression="lz4")
            self._writers[name].write_table(rows)
        except OSError as error:
            raise write_error(error, str(self.folder)) from error

    def close(self) -> None:
        """Finish the spool files."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

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
        selects = []
        counts: dict[str, int] = {}
        for name in self.files:
            source = self.relation(connection, name)
            counts[name] = int(connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0])
            selects.append(f"SELECT DISTINCT _part, _row, _col FROM {source}")
        if not selects:
            return 0, {}
        union = selects[0] if len(selects) == 1 else " UNION ".join(selects)
        total = connection.execute(f"SELECT count(*) FROM ({union})").fetchall()[0][0]
        return int(total), {name: n for name, n in counts.items() if n}

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
        return f"(SELECT t.* EXCLUDE (file_row_number) FROM {parquet(self.files[name])} t{where})"

    def room(self, root: Path) -> None:
        """Make sure that the lake's disk can hold what was spooled, before anything is written to it.

        Raises
        ------
        LakeError : it can't.
        """
        needed = sum(file.stat().st_size for file in self.files.values())
        if shutil.disk_usage(root).free < needed:
            raise LakeError("lake_full", where=str(root))

    def skip_counts(self) -> Mapping[str, int]:
        """Reason -> records skipped."""
        counts: dict[str, int] = {}
        for one in self.skipped:
            counts[one.reason] = counts.get(one.reason, 0) + one.count
        return dict(sorted(counts.items()))


@contextlib.contextmanager
def staging(parent: Path | None) -> Iterator[Staged]:
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
        staged = Staged(Path(path))
        try:
            yield staged
        finally:
            staged.close()
