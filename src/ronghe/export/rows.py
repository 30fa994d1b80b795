"""A lake table's own rows as a file. Rows whose licence forbids passing them on are refused or left out."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ronghe.brain import Brain
from ronghe.errors import LicenceError, NoData, RongheError
from ronghe.export import FORMATS as _ALL
from ronghe.export import format_of
from ronghe.export.delimited import csv_bytes
from ronghe.export.facts import harmless, inputs, named, t, terms
from ronghe.export.files import draft, save
from ronghe.export.workbook import MOST_ROWS, Book, banner, list_sheet, put
from ronghe.lake.lake import plain
from ronghe.lake.snapshot import Snapshot
from ronghe.model.provenance import Input
from ronghe.model.serial import canonical
from ronghe.model.table import contracts

FORMATS: Mapping[str, str] = MappingProxyType({k: _ALL[k] for k in ("csv", "parquet", "xlsx")})
"""What rows can be written as."""

_CHUNK = 100_000


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows were written, how many a licence kept back, and the datasets of those."""

    rows: int
    left: int
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows to write: an expression on a snapshot, its columns, and the files behind it."""

    table: str
    snapshot: Snapshot
    columns: tuple[str, ...]
    inputs: tuple[Input, ...]
    count: int

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows load by load, in the order of their keys, some at a time."""
        rows = self.snapshot.table(self.table).select(*self.columns)
        keys = [*contracts()[self.table].keys, "_file", "_part", "_row", "_col"]
        for load in self.inputs:
            of_load = rows.filter(rows["_load"] == load.load).order_by(keys)
            yield from self.snapshot.rows(of_load).to_batches(max_chunksize=_CHUNK)


def write_rows(brain: Brain, table: str, path: Path, lang: str, *, redistributable_only: bool = False) -> Written:
    """Write the rows of a lake table, each with its lineage, to a .csv, .parquet or .xlsx file.

    Parameters
    ----------
    redistributable_only : leave out the rows of loads whose licence forbids passing them on.

    Raises
    ------
    LicenceError : rows of such loads are in the table, and they were not left out; names dataset and licence.
    UnknownName : there is no such table.
    NoData : no row is left to write.
    RongheError : no such format, or more rows than a sheet holds.
    LakeError : the file can't be written.
    """
    fmt = format_of(path, FORMATS)
    snapshot = brain.snapshot
    used = _loads(snapshot, table)
    closed = [o for o in snapshot.loads if o.load in used and not o.redistributable]
    names = tuple(sorted({f"{o.dataset} ({o.licence})" for o in closed}))
    if closed and not redistributable_only:
        raise LicenceError("export_licence", table=table, datasets=list(names))
    if closed:
        # Without the closed loads, not with their rows taken out: where both state a key, the open one comes forward.
        snapshot = replace(snapshot, loads=tuple(o for o in snapshot.loads if o.redistributable))
    kept = _loads(snapshot, table)
    rows = _Rows(
        table,
        snapshot,
        tuple(contracts()[table].lake_schema.names),
        snapshot.inputs([table], kept),
        sum(kept.values()),
    )
    if not rows.count:
        raise NoData("export_empty", table=table)
    {"csv": _csv, "parquet": _parquet, "xlsx": _xlsx}[fmt](rows, path, lang)
    return Written(rows.count, sum(used.values()) - rows.count, names)


def _loads(snapshot: Snapshot, table: str) -> dict[str, int]:
    """The loads whose rows readers of the table see, and how many of each."""
    rows = snapshot.table(table)
    found = snapshot.rows(rows.group_by("_load").aggregate(n=rows.count())).to_pylist()
    return {r["_load"]: int(r["n"]) for r in found}


def _csv(rows: _Rows, path: Path, lang: str) -> None:
    listed = inputs(rows.inputs, lang)
    save(path.with_suffix(".sources.csv"), csv_bytes(listed.headings, listed.rows))
    with draft(path) as made, made.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(rows.columns)
        for batch in rows.batches():
            writer.writerows([_plain(v) for v in row.values()] for row in batch.to_pylist())


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, (list, tuple)):
        return harmless("; ".join(map(str, value)))
    return plain(value)


def _parquet(rows: _Rows, path: Path, lang: str) -> None:
    del lang
    fields = ("dataset", "file", "sha256", "licence", "commercial", "redistributable", "rows", "url", "invented")
    about = {
        "table": rows.table,
        "snapshot": rows.snapshot.version,
        "inputs": [{f: getattr(i, f) for f in fields} for i in rows.inputs],
    }
    schema = contracts()[rows.table].lake_schema.with_metadata({"ronghe": canonical(about)})
    with draft(path) as made, pq.ParquetWriter(made, schema, compression="zstd") as writer:
        for batch in rows.batches():
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))


def _xlsx(rows: _Rows, path: Path, lang: str) -> None:
    contract = contracts()[rows.table]
    heading = contract.names[lang]
    top = [*((s, "stamp") for s in terms(rows.inputs, lang)), (named(rows.inputs, lang), "faint")]
    if rows.count + len(top) + 2 > MOST_ROWS:
        raise RongheError("export_rows", rows=rows.count, most=MOST_ROWS)
    book = Book(heading, rows.table)
    sheet = book.sheet(heading)
    line = banner(book, sheet, heading, top)
    known = {c.name: c.names[lang] for c in contract.columns}
    for j, name in enumerate(rows.columns):
        put(sheet, line, j, f"{known[name]}\n{name}" if name in known else name, book.style("head"))
    sheet.freeze_panes(line + 1, 0)
    sheet.autofilter(line, 0, line + rows.count, len(rows.columns) - 1)
    sheet.set_column(0, len(rows.columns) - 1, 16)
    style = book.style("plain")
    for batch in rows.batches():
        for row in batch.to_pylist():
            line += 1
            for j, value in enumerate(row.values()):
                put(sheet, line, j, "; ".join(map(str, value)) if isinstance(value, list) else plain(value), style)
    list_sheet(book, t(lang, "sources"), top, [inputs(rows.inputs, lang)])
    save(path, book.close())
