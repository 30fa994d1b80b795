"""One raw file into the lake: parse, check, balance, write, commit. Idempotent, atomic, nothing lost."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ronghe.errors import BalanceError, SourceError, system
from ronghe.lake.check import quote
from ronghe.lake.loads import Load, commit, read_log
from ronghe.lake.staging import Staged, staging
from ronghe.lake.tables import PARTITION, Tables
from ronghe.model.table import contract
from ronghe.sources.base import Chunk, RawFile, Source, row_of, stamp_of, table_of

_STAMPED = 2**24
"""Bytes from which a file's stamp is believed: the system's clock ticks too slowly for what is read in an instant."""

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total); total 0 when it can't be known."""

QUARANTINE = pa.schema(
    [(n, pa.int64() if n == "row" else pa.string()) for n in
     ("part", "row", "col", "column", "value", "reason", "expected", "args", "_load")]
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


def identity(raw: RawFile, source: Source, mapping: str, terms: Terms) -> str:
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


def standing(loads: Iterable[Load], identity: str) -> Load | None:
    """The live load of an identity, if there is one."""
    return next((old for old in loads if old.load == identity and old.live), None)


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
    tables: Tables,
    source: Source,
    raw: RawFile,
    *,
    terms: Terms,
    mapping: str = "",
    progress: Progress | None = None,
    memory: str = "1GB",
    chunks: Iterable[Chunk] | None = None,
) -> Report:
    """Bring one file into the lake. The caller holds the lake's ingest lock, and may have begun the parse (``chunks``).

    Raises
    ------
    SourceError : the file isn't what it claims, does not balance, or changed while it was read.
    BalanceError : the source lost or doubled records; nothing was committed.
    LakeError : the lake can't be written.
    """
    load_id = identity(raw, source, mapping, terms)
    store = tables.store
    version, loads = read_log(store)
    if (old := standing(loads, load_id)) is not None:
        return Report(old, new=False, version=version)
    local = Path(store.root) if store.local else None
    with staging(local, raw.sha256) as staged, duckdb.connect() as connection:
        settings = _settings(staged.folder, memory)
        for setting in settings:
            connection.execute(setting)
        _take(source.parse(raw) if chunks is None else chunks, raw, staged, progress)
        _unchanged(raw)
        staged.settle(connection)
        accepted, counts = _balanced(staged, connection, raw)
        slot = hashlib.sha256(f"{raw.dataset}|{raw.name}|{source.name}|{terms.workspace}".encode()).hexdigest()[:20]
        others = [o for o in loads if o.live and o.slot != slot]
        written, overlaps = {}, {}
        for name in sorted(counts):
            overlaps[name] = _overlap(tables, connection, staged, name, others)
            file = staged.finished(connection, name, counts[name])
            written[name] = tables.add(name, contract(name).lake_schema, load_id, file, counts[name])
        _write_faults(tables, staged, load_id)
        counts |= _write_repairs(tables, staged, raw, load_id, written)
    load = _row(load_id, slot, raw, source, mapping, terms, staged, accepted, counts, written, overlaps)
    return Report(load, new=True, version=commit(store, version, loads, load))


def _settings(folder: Path, memory: str) -> tuple[str, ...]:
    """What an engine that takes part in a load is told: how much memory it may take, and where the rest goes."""
    place = str(folder).replace("'", "''")
    return (
        f"SET memory_limit = '{memory}'",
        f"SET temp_directory = '{place}'",
        "SET preserve_insertion_order = true",
        "SET enable_progress_bar = false",
    )


def _row(
    load: str,
    slot: str,
    raw: RawFile,
    source: Source,
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


def _take(chunks: Iterable[Chunk], raw: RawFile, staged: Staged, progress: Progress | None) -> None:
    for number, chunk in enumerate(chunks, start=1):
        staged.add(chunk)
        if progress is not None:
            progress(raw.name, number, 0)


def _unchanged(raw: RawFile) -> None:
    """Refuse a file that was written to since it was hashed."""
    if raw.bytes >= _STAMPED and raw.path.is_file() and stamp_of(raw.path) == raw.stamp:
        return
    digest, _ = hash_file(raw.path)
    if digest != raw.sha256:
        raise SourceError("source_changed", file=raw.name)


def _overlap(
    tables: Tables, connection: duckdb.DuckDBPyConnection, staged: Staged, name: str, others: Iterable[Load]
) -> int:
    """Rows whose key another live load of a table with precedence states as well."""
    table = contract(name)
    live = [o.load for o in others if name in o.rows]
    if not table.precedence or not live:
        return 0
    delta = tables.open(name)
    if delta is None:
        return 0
    stated = delta.to_pyarrow_dataset(
        filesystem=tables.store.files(name), file_pruning_predicate=[("_load", "in", live)]
    )
    connection.register("others", stated)
    keys = ", ".join(quote(k) for k in table.keys)
    query = f"SELECT count(*) FROM {staged.relation(connection, name)} t SEMI JOIN others USING ({keys})"
    found = connection.execute(query).fetchall()[0][0]
    connection.unregister("others")
    return int(found)


def _write_faults(tables: Tables, staged: Staged, load: str) -> None:
    if staged.rejected:
        _write_extra(tables, staged, "_quarantine", QUARANTINE, map(row_of, staged.rejected), load)
    if staged.skipped:
        _write_extra(tables, staged, "_skipped", SKIPPED, map(row_of, staged.skipped), load)


def _write_extra(
    tables: Tables, staged: Staged, name: str, schema: pa.Schema, rows: Iterable[dict[str, Any]], load: str
) -> None:
    held = pa.Table.from_pylist(list(rows), schema=pa.schema([f for f in schema if f.name != PARTITION]))
    tables.add(name, schema, load, staged.extra(name, held), held.num_rows)


def _write_repairs(tables: Tables, staged: Staged, raw: RawFile, load: str, written: dict[str, int]) -> dict[str, int]:
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
    file = staged.extra("decision", rows)
    written["decision"] = tables.add("decision", contract("decision").lake_schema, load, file, len(repairs))
    return {"decision": len(repairs)}
