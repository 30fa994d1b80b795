"""A reader of lines on Spark: the very code that reads a file here reads stretches of a snapshot there.

Spark knows no line numbers, so a record is named by its own id (``_part``, with row 0): lines that share one count as
one record. What a stretch gives is packed once and kept by Spark, in memory or on its disks; each table is taken from
it. The Python of Spark's workers (``PYSPARK_PYTHON``) needs Ronghe.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from ronghe.errors import SourceError
from ronghe.model.table import contract
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, Rejected, Skipped, row_of

_PACKED = "name string, records long, rows binary"
_FAULTS, _SKIPS = "faults", "skips"


class Unnumbered(Protocol):
    """A reader of lines that come in no order."""

    tables: tuple[str, ...]

    def unnumbered(self, lines: Iterable[bytes]) -> Chunk:
        """What some lines give; every record is named by its part, with row 0."""
        ...


@dataclass(frozen=True, slots=True)
class OnSpark:
    """What a file gives, as Spark's data frames.

    ``rows``: table -> rows in the contract's columns. ``faults`` and ``skips``: a row a ``Rejected``, with what was
    expected as ``model.serial.packed`` gives it, and a row a ``Skipped``.
    """

    rows: Mapping[str, Any]
    faults: Any
    skips: Any
    records: int


def on_spark(session: Any, source: Unnumbered, path: str) -> OnSpark:
    """The lines of a file or folder, plain or gzip, read by a ``SparkSession``.

    Raises
    ------
    SourceError : a gzip file is cut short.
    """
    lines = session.read.option("lineSep", "\n").text(path)
    packed = lines.mapInArrow(partial(_pack, source), _PACKED).persist()
    try:
        records = packed.agg({"records": "sum"}).collect()[0][0] or 0
    except Exception as error:
        # What the workers and the machine below them raise comes as one of several kinds, with their text.
        if not any(word in str(error) for word in ("Unexpected end of input stream", "EOFException")):
            raise
        raise SourceError("source_truncated", file=Path(path).name, why=Text("why.stream_cut")) from error
    schemas = {name: contract(name).schema for name in source.tables}
    schemas |= {_FAULTS: _told(Rejected, []).schema, _SKIPS: _told(Skipped, []).schema}
    frames = {name: _frame(packed, name, schema) for name, schema in schemas.items()}
    return OnSpark({name: frames[name] for name in source.tables}, frames[_FAULTS], frames[_SKIPS], records)


def _frame(packed: Any, name: str, schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return packed.where(packed.name == name).select("rows").mapInArrow(_unpack, from_arrow_schema(schema))


def _pack(source: Unnumbered, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Lines in, a row a table out, with its rows in Arrow's own form."""
    for batch in batches:
        chunk = source.unnumbered(batch.column(0).cast(pa.binary()).to_pylist())
        tables = {**chunk.rows, _FAULTS: _told(Rejected, chunk.rejected), _SKIPS: _told(Skipped, chunk.skipped)}
        # The records are told once, beside the first table.
        records = [chunk.records, *[0] * (len(tables) - 1)]
        yield pa.RecordBatch.from_pydict(
            {"name": list(tables), "records": records, "rows": [_written(table) for table in tables.values()]}
        )


def _unpack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for rows in batch.column(0):
            yield from pa.ipc.open_stream(rows.as_buffer()).read_all().to_batches()


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _told(kind: type[Rejected] | type[Skipped], found: Sequence[Rejected] | Sequence[Skipped]) -> pa.Table:
    """Faults or skips as rows: text, but for numbers."""
    names = [one.name for one in fields(kind)] + (["args"] if kind is Rejected else [])
    schema = pa.schema([(name, pa.int64() if name in {"row", "count"} else pa.string()) for name in names])
    return pa.Table.from_pylist([row_of(one) for one in found], schema=schema)
