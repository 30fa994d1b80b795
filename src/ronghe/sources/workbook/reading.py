"""Any file -> its sheets: what it is is told by its first bytes, not by its name."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ronghe.errors import SourceError
from ronghe.sources.base import RawFile, not_this_format
from ronghe.sources.workbook.delimited import open_delimited
from ronghe.sources.workbook.excel import OLE, ZIP, open_excel
from ronghe.sources.workbook.grid import BATCH, Batch, Book, Merge
from ronghe.sources.workbook.mapping import SourceSpec

EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
TEXT = (".csv", ".tsv", ".txt", ".tab")
PARQUET = (".parquet", ".pq")
SUFFIXES = (*EXCEL, *TEXT, *PARQUET)


def open_book(raw: RawFile, spec: SourceSpec) -> Book:
    """The sheets of a CSV, Excel or Parquet file that a mapping asks for.

    Raises
    ------
    SourceError : empty, cut short, locked, or not the format its name says.
    MappingError : a sheet that isn't there.
    """
    if raw.bytes == 0 or raw.path.stat().st_size == 0:
        raise SourceError("source_empty", file=raw.name)
    with raw.path.open("rb") as file:
        start = file.read(8)
    suffix = PurePosixPath(raw.name).suffix.lower()
    if start.startswith((ZIP, OLE)) or suffix in EXCEL:
        return open_excel(raw, spec)
    if start.startswith(b"PAR1") or suffix in PARQUET:
        return Book([_open_parquet(raw)])
    return Book([open_delimited(raw, spec)])


@dataclass(frozen=True, slots=True)
class ParquetSheet:
    """A Parquet file: its field names are a heading above row 1, its first record."""

    raw: RawFile
    width: int
    head: Sequence[Sequence[str]]
    part: str = ""
    merges: Sequence[Merge] | None = None
    labelled: bool = False
    delimited: bool = False

    def batches(self) -> Iterator[Batch]:
        """All records."""
        first = 1
        try:
            for found in pq.ParquetFile(self.raw.path).iter_batches(BATCH):
                rows = pa.array(np.arange(first, first + found.num_rows))
                yield Batch(rows, [_texts(column) for column in found.columns])
                first += found.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise not_this_format(self.raw, "Parquet", str(error).splitlines()[0]) from error


def _open_parquet(raw: RawFile) -> ParquetSheet:
    try:
        names = pq.ParquetFile(raw.path).schema_arrow.names
    except (pa.ArrowInvalid, OSError) as error:
        raise not_this_format(raw, "Parquet", str(error).splitlines()[0]) from error
    return ParquetSheet(raw, len(names), [names])


def _texts(column: Any) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_null(kind):
        return pa.array([""] * len(column), pa.string())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([_nested(value) for value in column.to_pylist()], pa.string())
    return column.cast(pa.string()).fill_null("")


def _nested(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "|".join(value)
    return json.dumps(value, ensure_ascii=False, default=str)
