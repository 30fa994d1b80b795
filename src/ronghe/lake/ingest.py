"""One raw file into the lake: parse, check, balance, write, commit. Idempotent, atomic, nothing lost."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from ronghe.errors import BalanceError, SourceError, system
from ronghe.lake.check import quote
from ronghe.lake.loads import Load, commit, read_log
from ronghe.lake.staging import Staged, staging
from ronghe.lake.store import Store, write_error
from ronghe.model.table import contract
from ronghe.sources.base import RawFile, Rejected, Relational, Skipped, Source, table_of

_SLICE_BYTES = 128_000_000

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total); total 0 when it can't be known."""

QUARANTINE = pa.schema(
    [(n, pa.int64() if n == "row" else pa.string()) for n in
     ("part", "row", "col", "column", "value", "reason", "expected", "_load")]
)  # fmt: skip
SKIPPED = pa.schema(
    [(n, pa.int64() if n in ("row", "count") else pa.string()) for n in
     ("part", "row", "reason", "count", "value", "_load")]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """What the registry or the user says of a file: licence, rank, who may see it."""

    licence: str = ""
    redistributable: bool = True
    commercial: bool = True
    invented: bool = False
    url: str = ""
    precedence: int = 50
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one file: the load, whether it was new, and the lake's version now."""

    load: Load
    new: bool
    version: int


def identity(raw: RawFile, source: Source | Relational, mapping: str, terms: Terms) -> str:
    """The load's identity: file, source, parser, contracts and mapping (repairs included), hashed."""
    said = {
        "sha256": raw.sha256,
        "name": raw.name,
        "dataset": raw.dataset,
        "source": source.name,
        "parser": source.version,
        "contracts": {t: contract(t).version for t in source.tables},
        "mapping": mapping,
        "workspace": terms.workspace,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:20]


def hash_file(path: Path) -> tuple[str, int]:
    """The sha256 and the size of a file.

    Raises
    ------
    SourceError : there is no such file, or it can't be read.
    """
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
            return digest.hexdigest(), stream.tell()
    except OSError as error:
        raise SourceError("source_unreadable", file=str(path), why=system(error)) from error


def ingest_file(
    store: Store,
    source: Source | Relational,
    raw: RawFile,
    *,
    terms: Terms,
    mapping: str = "",
    progress: Progress | None = None,
    memory: str = "1GB",
) -> Report:
    """Bring one file into the lake. The caller holds the lake's ingest lock.

    Raises
    ------
    SourceError : the file isn't what it claims, does not balance, or changed while it was read.
    BalanceError : the source lost or doubled records; nothing was committed.
    LakeError : the lake can't be written.
    """
    load_id = identity(raw, source, mapping, terms)
    version, loads = read_log(store)
    for old in loads:
        if old.load == load_id and old.live:
            return Report(old, new=False, version=version)
    local = Path(store.root) if store.local else None
    with staging(local) as staged, duckdb.connect() as connection:
        settings = _settings(staged.folder, memory)
        for setting in settings:
            connection.execute(setting)
        _parse(source, raw, staged, progress, settings)
        _unchanged(raw)
        staged.settle(connection)
        accepted, counts = _balanced(staged, connection, raw)
        if local is not None:
            staged.room(local)
        slot = hashlib.sha256(f"{raw.dataset}|{raw.name}|{source.name}|{terms.workspace}".encode()).hexdigest()[:20]
        others = [o for o in loads if o.live and o.slot != slot]
        tables, overlaps = {}, {}
        for name in sorted(counts):
            overlaps[name] = _overlap(store, connection, staged, name, others)
            tables[name] = _write(store, name, _reader(connection, staged, name, raw, load_id), load_id)
        _write_faults(store, staged, load_id)
        counts |= _write_repairs(store, staged, raw, load_id, tables)
    load = _row(load_id, slot, raw, source, mapping, terms, staged, accepted, counts, tables, overlaps)
    return Report(load, new=True, version=commit(store, load, load.note))


def _settings(folder: Path, memory: str) -> tuple[str, ...]:
    """What an engine that takes part in a load is told: how much memory it may take, and where the rest goes."""
    place = str(folder).replace("'", "''")
    return (
        f"SET memory_limit = '{memory}'",
        f"SET temp_directory = '{place}'",
        "SET preserve_insertion_order = true",
    )


def _row(
    load: str,
    slot: str,
    raw: RawFile,
    source: Source | Relational,
    mapping: str,
    terms: Terms,
    staged: Staged,
    accepted: int,
    counts: dict[str, int],
    tables: dict[str, int],
    overlaps: dict[str, int],
) -> Load:
    """The line of the log that commits a load."""
    return Load(
        load=load,
        slot=slot,
        dataset=raw.dataset,
        source=source.name,
        parser=source.version,
        file=raw.name,
        sha256=raw.sha256,
        bytes=raw.bytes,
        mapping=mapping,
        **asdict(terms),
        records=staged.records,
        accepted=accepted,
        quarantined=staged.quarantined,
        skipped=staged.passed_over,
        at=dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
        rows=counts,
        tables=tables,
        skips=staged.skip_counts(),
        overlaps={name: n for name, n in overlaps.items() if n},
    )


def _balanced(staged: Staged, connection: duckdb.DuckDBPyConnection, raw: RawFile) -> tuple[int, dict[str, int]]:
    """Records accepted and rows a table, if records in = accepted + quarantined + skipped."""
    accepted, counts = staged.accepted(connection)
    if staged.records != accepted + staged.quarantined + staged.passed_over:
        raise BalanceError(
            "lake_balance",
            file=raw.name,
            records=staged.records,
            accepted=accepted,
            quarantined=staged.quarantined,
            skipped=staged.passed_over,
        )
    return accepted, counts


def _parse(
    source: Source | Relational, raw: RawFile, staged: Staged, progress: Progress | None, settings: Iterable[str]
) -> None:
    if isinstance(source, Relational):
        _parse_relational(source, raw, staged, settings)
        return
    for number, chunk in enumerate(source.parse(raw), start=1):
        staged.add(chunk)
        if progress is not None:
            progress(raw.name, number, 0)


def _parse_relational(source: Relational, raw: RawFile, staged: Staged, settings: Iterable[str]) -> None:
    import ibis

    connection = ibis.duckdb.connect()
    try:
        for setting in settings:
            connection.raw_sql(setting)
        relations = source.relations(connection, str(raw.path), raw.name)
        staged.records = int(connection.execute(relations.records))
        faults = connection.to_pyarrow(relations.faults).to_pylist()
        staged.rejected = [
            Rejected(f["_part"], f["_row"], f["column"], f["value"] or "", f["reason"], f["expected"] or "")
            for f in faults
        ]
        skips = connection.to_pyarrow(relations.skips).to_pylist()
        staged.skipped = [Skipped(s["reason"], 1, s["_part"], s["_row"]) for s in skips]
        for name, expression in relations.rows.items():
            schema = contract(name).schema
            # Ibis 12 hands over batches by a name that DuckDB 2 no longer has.
            for batch in connection.con.sql(connection.compile(expression)).to_arrow_reader(200_000):
                staged.take(name, pa.Table.from_batches([batch]).select(schema.names).cast(schema))
    except duckdb.Error as error:
        raise SourceError("source_truncated", file=raw.name, why=str(error).splitlines()[0]) from error
    finally:
        connection.disconnect()


def _unchanged(raw: RawFile) -> None:
    digest, _ = hash_file(raw.path)
    if digest != raw.sha256:
        raise SourceError("source_changed", file=raw.name)


def _overlap(
    store: Store, connection: duckdb.DuckDBPyConnection, staged: Staged, name: str, others: Iterable[Load]
) -> int:
    """Rows whose key another live load of a table with precedence states as well."""
    table = contract(name)
    live = [o.load for o in others if name in o.rows]
    if not table.precedence or not live:
        return 0
    delta = DeltaTable(store.address(name), storage_options=store.options or None)
    connection.register("others", delta.to_pyarrow_dataset(file_pruning_predicate=[("_load", "in", live)]))
    keys = ", ".join(quote(k) for k in table.keys)
    query = f"SELECT count(*) FROM {staged.relation(connection, name)} t SEMI JOIN others USING ({keys})"
    found = connection.execute(query).fetchall()[0][0]
    connection.unregister("others")
    return int(found)


def _reader(
    connection: duckdb.DuckDBPyConnection, staged: Staged, name: str, raw: RawFile, load: str
) -> pa.RecordBatchReader:
    schema = contract(name).lake_schema
    query = f"SELECT *, '{raw.sha256}' AS _file, '{load}' AS _load FROM {staged.relation(connection, name)}"
    batches: Any = connection.sql(query).to_arrow_reader(200_000)
    return pa.RecordBatchReader.from_batches(schema, (_conform(b, schema) for b in batches))


def _conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    return pa.Table.from_batches([batch]).select(schema.names).cast(schema).combine_chunks().to_batches()[0]


def _write(store: Store, name: str, rows: pa.Table | pa.RecordBatchReader, load: str) -> int:
    """Append rows of one load; what an interrupted earlier try left of the same load is replaced.

    The writer holds all that one commit brings, so a large load comes in several: nobody looks at them before the
    log of loads names the load.
    """
    address, options = store.address(name), store.options or None
    stale = [("_load", "=", load)]
    try:
        try:
            left = bool(DeltaTable(address, storage_options=options).file_uris(file_pruning_predicate=stale))
        except TableNotFoundError:
            left = False
        for part in _slices(rows):
            if left:
                write_deltalake(address, part, mode="overwrite", predicate=f"_load = '{load}'", storage_options=options)
                left = False
            else:
                write_deltalake(address, part, mode="append", partition_by=["_load"], storage_options=options)
        return DeltaTable(address, storage_options=options).version()
    except (DeltaError, OSError) as error:
        raise write_error(error, address) from error


def _slices(rows: pa.Table | pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Rows in stretches that a commit can hold in memory."""
    if isinstance(rows, pa.Table):
        yield rows
        return
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in rows:
        held.append(batch)
        size += batch.nbytes
        if size >= _SLICE_BYTES:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _write_faults(store: Store, staged: Staged, load: str) -> None:
    if staged.rejected:
        rows = [
            {"part": r.part, "row": r.row, "col": r.col, "column": r.column, "value": r.value, "reason": r.reason,
             "expected": r.expected, "_load": load} for r in staged.rejected
        ]  # fmt: skip
        _write(store, "_quarantine", pa.Table.from_pylist(rows, schema=QUARANTINE), load)
    if staged.skipped:
        rows = [
            {"part": s.part, "row": s.row, "reason": s.reason, "count": s.count, "value": s.value, "_load": load}
            for s in staged.skipped
        ]
        _write(store, "_skipped", pa.Table.from_pylist(rows, schema=SKIPPED), load)


def _write_repairs(store: Store, staged: Staged, raw: RawFile, load: str, tables: dict[str, int]) -> dict[str, int]:
    """Keep what an explicit table mended while reading as decisions of this load."""
    if not staged.repairs:
        return {}
    repairs = staged.repairs
    rows = table_of(
        "decision",
        {
            "decision_id": [f"{load}-{n:06d}" for n in range(len(repairs))],
            "by": [r.reason for r in repairs],
            "kind": "repaired",
            "subject": [f"{raw.name}|{r.part}|{r.row}" for r in repairs],
            "field": [r.column for r in repairs],
            "old": [r.old for r in repairs],
            "new": [r.new for r in repairs],
            "reason": [r.reason for r in repairs],
        },
        part=[r.part for r in repairs],
        row=[r.row for r in repairs],
    )
    rows = rows.append_column("_file", pa.array([raw.sha256] * len(repairs)))
    rows = rows.append_column("_load", pa.array([load] * len(repairs)))
    tables["decision"] = _write(store, "decision", rows, load)
    return {"decision": len(repairs)}
