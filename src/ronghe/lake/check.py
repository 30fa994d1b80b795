"""Do rows keep their contract? Types, missing values, allowed values, bounds, keys.

A record with one bad row is quarantined whole: half a record in a lake is worse than none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ronghe.model.table import Column, Table, contract
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, Rejected, wanted

Record = tuple[str, int, str | None]


def check_chunk(chunk: Chunk) -> Chunk:
    """The chunk without the records that break a contract; those join its ``rejected``."""
    faults: list[Rejected] = []
    for name, rows in chunk.rows.items():
        faults.extend(faults_of(contract(name), rows))
    known = {_record(r) for r in chunk.rejected}
    bad = {_record(f) for f in faults} | known
    if not bad:
        return chunk
    rows = {name: _without(table, bad) for name, table in chunk.rows.items()}
    return Chunk(chunk.records, rows, chunk.skipped, (*chunk.rejected, *faults), chunk.repairs)


def _record(fault: Rejected) -> Record:
    return (fault.part, fault.row, fault.col)


def faults_of(table: Table, rows: pa.Table) -> Iterator[Rejected]:
    """What breaks the contract in some rows: one fault a value."""
    if not rows.schema.equals(table.schema):
        raise TypeError(f"rows of {table.name} do not have the contract's schema: {rows.schema} != {table.schema}")
    for column in table.columns:
        values = rows.column(column.name)
        for reason, mask, expected in _tests(column, values):
            if pc.any(mask).as_py():
                yield from _rejected(rows, pc.fill_null(mask, False), column.name, reason, expected)


def _tests(column: Column, values: pa.ChunkedArray) -> Iterator[tuple[str, Any, Text]]:
    if (column.key or not column.nullable) and values.null_count:
        yield "null", pc.is_null(values), wanted("filled")
    if column.allowed:
        legal = pc.is_in(values, value_set=pa.array(column.allowed, values.type))
        yield "allowed", pc.and_(pc.is_valid(values), pc.invert(legal)), wanted("one_of", values=list(column.allowed))
    if column.type == "float":
        yield "type", pc.invert(pc.is_finite(values)), wanted("finite")
    if column.low is not None:
        yield "range", pc.less(values, column.low), wanted("at_least", low=column.low)
    if column.high is not None:
        yield "range", pc.greater(values, column.high), wanted("at_most", high=column.high)


def _rejected(rows: pa.Table, mask: Any, name: str, reason: str, expected: Text) -> Iterator[Rejected]:
    for row in rows.filter(mask).select(list(dict.fromkeys([name, "_part", "_row", "_col"]))).to_pylist():
        value = "" if row[name] is None else str(row[name])
        yield Rejected(row["_part"], row["_row"], name, value, reason, expected, row["_col"])


def _without(rows: pa.Table, bad: set[Record]) -> pa.Table:
    if not rows.num_rows:
        return rows
    numbers = pa.array(sorted({row for _, row, _ in bad}), pa.int64())
    near = pc.is_in(rows.column("_row"), value_set=numbers)
    if not pc.any(near).as_py():
        return rows
    lines = rows.select(["_part", "_row", "_col"]).to_pydict()
    keep = [key not in bad for key in zip(lines["_part"], lines["_row"], lines["_col"], strict=True)]
    return rows.filter(pa.array(keep, pa.bool_()))


def quote(name: str) -> str:
    """A name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def parquet(file: Path) -> str:
    """SQL that reads one staged file, with each row's number in it."""
    return f"read_parquet('{str(file).replace(chr(39), chr(39) * 2)}', file_row_number = true)"


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows of one staged table that state a key again.

    ``faults``: records that state it otherwise than the first row did. ``lines``: the numbers of the rows
    that say the same again, and ``records`` whom they belong to.
    """

    faults: list[Rejected]
    lines: list[int]
    records: set[Record]


def duplicates(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> Duplicates:
    """Look for repeated keys in one staged table. The first row of a key stays."""
    table = contract(name)
    found = Duplicates([], [], set())
    if not table.keys:
        return found
    keys = ", ".join(quote(k) for k in table.keys)
    source = parquet(file)
    # Equal keys have equal digests: where all differ, no key comes twice, and the keys need not be compared. Eight
    # bytes a row, sorted, take half the time and less memory than a table of those seen.
    digests: Any = connection.execute(f"SELECT hash({keys}) AS digest FROM {source}").fetchnumpy()["digest"]
    digests.sort()
    if not (digests[1:] == digests[:-1]).any():
        return found
    repeated: Any = connection.sql(
        f"WITH seen AS (SELECT {keys} FROM {source} GROUP BY ALL HAVING count(*) > 1) "
        f"SELECT t.* FROM {source} t SEMI JOIN seen USING ({keys}) ORDER BY file_row_number"
    ).to_arrow_table()
    first: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    columns = [c.name for c in table.columns]
    for row in repeated.to_pylist():
        held = first.setdefault(tuple(row[k] for k in table.keys), row)
        if held is row:
            continue
        if all(held[c] == row[c] for c in columns):
            found.lines.append(row["file_row_number"])
            found.records.add((row["_part"], row["_row"], row["_col"]))
            continue
        shown = ", ".join(f"{k}={row[k]}" for k in table.keys)
        where = " ".join(str(v) for v in (held["_part"], held["_row"], held["_col"]) if v not in ("", None))
        found.faults.append(
            Rejected(
                row["_part"],
                row["_row"],
                table.keys[0],
                shown,
                "duplicate",
                wanted("as_first", where=where),
                row["_col"],
            )
        )
    return found
