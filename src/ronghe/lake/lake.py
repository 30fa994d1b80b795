"""The lake: open it, bring files in, pin a snapshot, list versions and quarantine."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock, Timeout

from ronghe.config import Config
from ronghe.errors import LakeError
from ronghe.lake.engine import Engine
from ronghe.lake.ingest import QUARANTINE, SKIPPED, Progress, Report, Terms, hash_file, identity, ingest_file, standing
from ronghe.lake.loads import Log, Version, read_log, versions
from ronghe.lake.snapshot import Snapshot
from ronghe.lake.store import Store
from ronghe.lake.tables import Tables
from ronghe.sources.base import Chunk, RawFile, Source, stamp_of


class Lake:
    """One lake in a folder or an object store.

    Parameters
    ----------
    config : where it lies and which engine reads it.
    options : the object store's options.
    """

    def __init__(self, config: Config, options: Mapping[str, str] | None = None) -> None:
        self.config = config
        self.store = Store(config.lake, options)
        self._log = Log(self.store)
        self._tables = Tables(self.store)
        self._pinned: dict[tuple[int, str | None], Snapshot] = {}

    @cached_property
    def engine(self) -> Engine:
        """The query engine, made on first use."""
        return Engine(self.config.engine, self.config)

    def snapshot(self, version: int | None = None, workspace: str | None = None) -> Snapshot:
        """The live loads at a version (the newest when ``None``).

        ``workspace`` named: only what everyone may see and what that workspace brought; ``None``: all.
        """
        number, loads = self._log.read(version)
        found = self._pinned.get((number, workspace))
        if found is None:
            live = tuple(o for o in loads if o.live and (workspace is None or o.workspace in {"", workspace}))
            found = Snapshot(self.store, self.engine, number, live)
            self._pinned = {**dict(list(self._pinned.items())[-7:]), (number, workspace): found}
        return found

    def versions(self) -> list[Version]:
        """Every version, oldest first."""
        return versions(self.store)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the ingest lock: one writer at a time; readers never wait."""
        self.store.make()
        if not self.store.local:
            yield
            return
        lock = FileLock(str(Path(self.store.root) / "_lock"))
        try:
            lock.acquire(timeout=self.config.wait)
        except Timeout as error:
            raise LakeError("lake_locked", lake=self.store.root, wait=self.config.wait) from error
        try:
            yield
        finally:
            lock.release()

    def ingest(
        self,
        source: Source,
        raw: RawFile,
        *,
        terms: Terms,
        mapping: str = "",
        progress: Progress | None = None,
        chunks: Iterable[Chunk] | None = None,
    ) -> Report:
        """Bring one file in; see ``ronghe.lake.ingest.ingest_file``."""
        with self.writing():
            return ingest_file(
                self._tables,
                source,
                raw,
                terms=terms,
                mapping=mapping,
                progress=progress,
                memory=self.config.memory,
                chunks=chunks,
            )

    def holds(self, source: Source, raw: RawFile, terms: Terms, mapping: str = "") -> bool:
        """Whether this very load is there already."""
        return standing(read_log(self.store)[1], identity(raw, source, mapping, terms)) is not None

    def quarantine(self, snapshot: Snapshot) -> pa.Table:
        """The faults of the snapshot's live loads: file, part, row, col, column, value, reason, expected, args."""
        return self._side(snapshot, "_quarantine", QUARANTINE, {o.load for o in snapshot.loads if o.quarantined})

    def skipped(self, snapshot: Snapshot) -> pa.Table:
        """What the snapshot's live loads passed over: file, part, row, reason, count, value."""
        return self._side(snapshot, "_skipped", SKIPPED, {o.load for o in snapshot.loads if o.skipped})

    def _side(self, snapshot: Snapshot, name: str, schema: pa.Schema, loads: set[str]) -> pa.Table:
        from deltalake import DeltaTable

        if not loads:
            rows = schema.empty_table()
        else:
            delta = DeltaTable(self.store.address(name), storage_options=self.store.options or None)
            if other := {field.name for field in delta.schema().fields} ^ set(schema.names):
                raise LakeError("lake_columns", table=name, columns=", ".join(sorted(other)), lake=self.store.root)
            dataset = delta.to_pyarrow_dataset(
                filesystem=self.store.files(name), file_pruning_predicate=[("_load", "in", sorted(loads))]
            )
            rows = dataset.to_table().select(schema.names).cast(schema)
        by_load = {o.load: o for o in snapshot.loads}
        keys = rows.column("_load").to_pylist()
        rows = rows.append_column("dataset", pa.array([by_load[k].dataset for k in keys], pa.string()))
        rows = rows.append_column("file", pa.array([by_load[k].file for k in keys], pa.string()))
        order = [(n, "ascending") for n in ("dataset", "file", "part", "row", "_load")]
        return rows.sort_by(order)


def raw_file(path: Path, dataset: str, name: str | None = None) -> RawFile:
    """A file as a source wants it: hashed and named."""
    stamp = stamp_of(path) if path.is_file() else ()
    digest, size = hash_file(path)
    return RawFile(path, dataset, name or path.name, digest, size, stamp)


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    return value.isoformat() if hasattr(value, "isoformat") else value
