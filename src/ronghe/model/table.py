"""What a lake table promises: its columns, types, units and keys. The contracts are CSV files beside this one."""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import pyarrow as pa

from ronghe.model.text import both

TYPES: Mapping[str, pa.DataType] = MappingProxyType(
    {
        "str": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "date": pa.date32(),
        "time": pa.timestamp("us", tz="UTC"),
        "list": pa.list_(pa.string()),
    }
)
"""Contract type -> Arrow type. A year is an ``int``; a moment is UTC, microseconds."""

LINEAGE: Mapping[str, pa.DataType] = MappingProxyType(
    {
        "_load": pa.string(),
        "_file": pa.string(),
        "_part": pa.string(),
        "_row": pa.int64(),
        "_col": pa.string(),
    }
)
"""On every row of the lake: the load, the file's sha256, the sheet or member, the row, the column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a contract.

    ``unit`` is a code of ``units.csv``, the name of the column that holds each row's unit (``=unit``),
    or empty. ``allowed`` lists the only values the column may hold; ``low`` and ``high`` bound numbers.
    """

    name: str
    type: str
    unit: str
    key: bool
    nullable: bool
    name_zh: str
    name_en: str
    description: str
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def names(self) -> dict[str, str]:
        """The column's name in both languages."""
        return both(self.name_zh, self.name_en)


@dataclass(frozen=True, slots=True)
class Table:
    """A contract: what the rows of one lake table hold.

    ``precedence`` says that several loads may state the same key: all are kept, and readers see the
    one whose dataset ranks first, the newest load among equals.
    """

    name: str
    name_zh: str
    name_en: str
    precedence: bool
    description: str
    columns: tuple[Column, ...]
    version: str

    @property
    def names(self) -> dict[str, str]:
        """The table's name in both languages."""
        return both(self.name_zh, self.name_en)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that together name a row."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of a source's rows: contract columns, then ``_part``, ``_row``, ``_col``."""
        fields = [pa.field(column.name, TYPES[column.type]) for column in self.columns]
        fields += [pa.field(name, LINEAGE[name]) for name in ("_part", "_row", "_col")]
        return pa.schema(fields)

    @property
    def lake_schema(self) -> pa.Schema:
        """The Arrow schema in the lake: with the load and the file besides."""
        return pa.schema([*self.schema, pa.field("_file", pa.string()), pa.field("_load", pa.string())])

    def column(self, name: str) -> Column:
        """The column of that name; ``KeyError`` when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _column(row: Mapping[str, str]) -> Column:
    if row["type"] not in TYPES:
        raise ValueError(f"column {row['column']}: type {row['type']!r} is none of {', '.join(TYPES)}")
    return Column(
        name=row["column"],
        type=row["type"],
        unit=row["unit"],
        key=row["key"] == "yes",
        nullable=row["nullable"] == "yes",
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        description=row["description"],
        allowed=tuple(v for v in row["allowed"].split("|") if v),
        low=_number(row["low"]),
        high=_number(row["high"]),
    )


@cache
def contracts() -> Mapping[str, Table]:
    """Every contract, by table name."""
    folder = files("ronghe.model").joinpath("contracts")
    tables: dict[str, Table] = {}
    index = csv.DictReader(folder.joinpath("_tables.csv").read_text(encoding="utf-8").splitlines())
    for row in index:
        raw = folder.joinpath(f"{row['table']}.csv").read_bytes()
        columns = tuple(_column(line) for line in csv.DictReader(raw.decode("utf-8").splitlines()))
        tables[row["table"]] = Table(
            name=row["table"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            precedence=row["precedence"] == "yes",
            description=row["description"],
            columns=columns,
            version=hashlib.sha256(raw).hexdigest()[:12],
        )
    return MappingProxyType(tables)


def contract(name: str) -> Table:
    """The contract of one table; ``KeyError`` when there is none."""
    return contracts()[name]
