"""How the National Bureau of Statistics and the OECD lay out a national input-output table.

A data frame has a line of column codes, then one line a row: codes and names of sectors, then of the rows
below them (value added, taxes, sub-totals). ``grid_of`` gives every number its block.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ronghe.errors import SourceError

LABELS = ("Code", "Description", "DescriptionInChinese", "Origin")
ORIGINS: Mapping[str, str] = MappingProxyType({"Domestic": "domestic", "Imports": "imported", "TOT": "total"})
SUBTOTAL = "S"


@dataclass(frozen=True, slots=True)
class Publisher:
    """One publisher's codes.

    ``column_parts`` and ``row_parts`` say what a sub-total sums: codes, or ``Z`` for all sectors, ``F`` for
    all final uses, ``V`` and ``T`` for all value-added and tax rows. ``imports_sign`` is -1 where imports are
    published as a negative column. ``tolerance`` is in ``unit``.
    """

    key: str
    final: tuple[str, ...]
    value: tuple[str, ...]
    taxes: tuple[str, ...]
    imports: str
    imports_sign: int
    error: str
    output: str
    column_parts: Mapping[str, tuple[str, ...]]
    row_parts: Mapping[str, tuple[str, ...]]
    unit: str
    tolerance: float


NBS = Publisher(
    key="cn-io",
    final=("FU101", "FU102", "FU103", "TC", "FU201", "FU202", "EX"),
    value=("VA001", "VA002", "VA003", "VA004"),
    taxes=(),
    imports="IM",
    imports_sign=1,
    error="ERR",
    output="GO",
    column_parts=MappingProxyType(
        {
            "TIU": ("Z",),
            "THC": ("FU101", "FU102"),
            "TC": ("FU101", "FU102", "FU103"),
            "GCF": ("FU201", "FU202"),
            "TFU": ("F",),
        }
    ),
    row_parts=MappingProxyType({"TII": ("Z",), "TVA": ("V",), "TI": ("Z", "V")}),
    unit="CNY_10k",
    # Half of the unit the bureau prints (10 thousand yuan). Sums hold to 2e-6; one column of 2007 (sector 090)
    # differs from its output by 0.445, below what a printed table could show.
    tolerance=0.5,
)

OECD = Publisher(
    key="oecd-io",
    final=("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "CONS_ABR", "CONS_NONRES", "EXPO"),
    value=("VALU",),
    taxes=("TXS_IMP_FNL", "TXS_INT_FNL"),
    imports="IMPO",
    imports_sign=-1,
    error="",
    output="OUTPUT",
    column_parts=MappingProxyType({}),
    row_parts=MappingProxyType({"TTL_INT_FNL": ("Z", "T")}),
    unit="USD_m",
    # Every number is rounded to 0.1, so a sum of 55 (45 sectors, 8 final uses, imports, output) may be off by
    # 55 x 0.05. The largest seen is 0.9.
    tolerance=2.75,
)


@dataclass(frozen=True, slots=True)
class TableName:
    """What a table is, from the name its publisher's object carries."""

    table_id: str
    economy: str
    year: int
    classification: str
    version: str
    publisher: Publisher


def table_name(part: str) -> TableName | None:
    """``china_2020_153`` or ``OECD21ed_CHN_1995`` -> what it is; None for any other name."""
    if found := re.fullmatch(r"china_(\d{4})_(\d+)", part):
        year, sectors = found.groups()
        version = f"{year}-{sectors}"
        return TableName(f"cn-{version}", "CHN", int(year), "cn-io", version, NBS)
    if found := re.fullmatch(r"OECD(\d{2})ed_([A-Z]{3})_(\d{4})", part):
        edition, economy, year = found.groups()
        return TableName(f"oecd{edition}-{economy}-{year}", economy, int(year), "oecd-io", f"20{edition}", OECD)
    return None


@dataclass(frozen=True, slots=True)
class Grid:
    """The numbers of one table, each with its block.

    ``values``: (rows, columns) with NaN for blanks, imports as positive numbers. ``block``: one letter a cell
    (Z F V T M E X, or S for a sub-total). ``row_kind``, ``column_kind``: Z for a sector, else the letter of its
    items, S for sub-totals. ``origin``: one of total, domestic, imported a row.
    """

    name: TableName
    part: str
    file: str
    codes: NDArray[np.object_]
    columns: NDArray[np.object_]
    name_en: NDArray[np.object_]
    name_zh: NDArray[np.object_]
    origin: NDArray[np.object_]
    row_kind: NDArray[np.str_]
    column_kind: NDArray[np.str_]
    block: NDArray[np.str_]
    values: NDArray[np.float64]

    @property
    def sectors(self) -> NDArray[np.object_]:
        """The sector codes, in the publisher's order."""
        found: NDArray[np.object_] = self.columns[self.column_kind == "Z"]
        return found

    @property
    def split(self) -> bool:
        """Whether domestic and imported products stand in separate rows."""
        return bool((self.origin == "imported").any())

    def rows(self, origin: str) -> NDArray[np.bool_]:
        """The sector rows of one origin."""
        mask: NDArray[np.bool_] = (self.row_kind == "Z") & (self.origin == origin)
        return mask


_BLOCKS: Mapping[str, str] = MappingProxyType(
    {
        **{f"Z{kind}": kind for kind in "ZFMEX"},
        **{f"{kind}{column}": kind for kind in "VT" for column in "ZFME"},
        "XZ": "X",
    }
)


def _kinds(codes: NDArray[np.object_], sectors: frozenset[str], groups: Mapping[str, str]) -> NDArray[np.str_]:
    return np.array(["Z" if code in sectors else groups.get(code, "") for code in codes], dtype="<U1")


def _column_groups(publisher: Publisher, columns: frozenset[str]) -> dict[str, str]:
    groups = {**dict.fromkeys(publisher.final, "F"), publisher.imports: "M", publisher.output: "X"}
    if publisher.error:
        groups[publisher.error] = "E"
    for total, parts in publisher.column_parts.items():
        # Consumption is a sub-total where its parts are published, else an item of its own.
        if total not in publisher.final or columns.intersection(parts):
            groups[total] = SUBTOTAL
    return groups


def _row_groups(publisher: Publisher) -> dict[str, str]:
    return {
        **dict.fromkeys(publisher.value, "V"),
        **dict.fromkeys(publisher.taxes, "T"),
        **dict.fromkeys(publisher.row_parts, SUBTOTAL),
        publisher.output: "X",
    }


def _numbers(frame: pd.DataFrame, part: str, file: str) -> NDArray[np.float64]:
    kept = frame.apply(pd.to_numeric, errors="coerce")
    wrong = (kept.isna() & frame.notna()).to_numpy() | np.isinf(kept.to_numpy(dtype=float, na_value=np.nan))
    if wrong.any():
        row, column = (int(at) for at in np.argwhere(wrong)[0])
        name = str(frame.columns[column])
        raise SourceError(
            "source_io_value", file=file, table=part, row=row + 2, column=name, value=str(frame.iat[row, column])
        )
    values = kept.to_numpy(dtype=float, na_value=np.nan)
    # R's NA is a NaN with a payload, which arithmetic would warn of.
    return np.where(np.isnan(values), np.nan, values)


def _text(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    if column not in frame:
        return np.full(len(frame), None, dtype=object)
    values = frame[column].astype("string").str.strip()
    return np.array([value if isinstance(value, str) and value else None for value in values], dtype=object)


def _origins(frame: pd.DataFrame, part: str, file: str) -> NDArray[np.object_]:
    if "Origin" not in frame:
        return np.full(len(frame), "total", dtype=object)
    published = _text(frame, "Origin")
    unknown = [str(value) for value in published if value not in ORIGINS]
    if unknown:
        raise SourceError("source_io_code", file=file, table=part, label=unknown[0])
    return np.array([ORIGINS[value] for value in published], dtype=object)


def _require(known: bool, code: str, part: str, file: str) -> None:
    if not known:
        raise SourceError("source_io_code", file=file, table=part, label=code)


def grid_of(frame: Any, part: str, file: str) -> Grid:
    """The data frame of one table as a grid of blocks.

    Parameters
    ----------
    frame : as published: ``Code``, ``Description``, perhaps ``DescriptionInChinese`` and ``Origin``, then numbers.
    part : the object's name, which says what table it is.
    file : for messages.

    Raises
    ------
    SourceError : ``source_io_object`` (no such table), ``source_io_code`` (a row or column with an unknown or
        missing code), ``source_io_value`` (a cell that is no number).
    """
    name = table_name(part)
    if name is None or not isinstance(frame, pd.DataFrame) or "Code" not in frame:
        raise SourceError("source_io_object", file=file, name=part)
    publisher = name.publisher
    numbers = frame[[column for column in frame.columns if column not in LABELS]]
    columns = np.array([str(column) for column in numbers.columns], dtype=object)
    codes = _text(frame, "Code")
    sectors = frozenset(code for code in columns if code.isdigit())
    column_kind = _kinds(columns, sectors, _column_groups(publisher, frozenset(columns)))
    row_kind = _kinds(codes, sectors, _row_groups(publisher))
    for code, kind in (*zip(columns, column_kind, strict=True), *zip(codes, row_kind, strict=True)):
        _require(bool(kind), str(code), part, file)
    values = _numbers(numbers, part, file)
    origin = _origins(frame, part, file)
    block = _blocks(row_kind, column_kind)
    # What the imported rows add up to is imports, not output.
    block[np.ix_(origin == "imported", column_kind == "X")] = "M"
    values[np.ix_(row_kind == "Z", column_kind == "M")] *= publisher.imports_sign
    grid = Grid(
        name=name,
        part=part,
        file=file,
        codes=codes,
        columns=columns,
        name_en=_text(frame, "Description"),
        name_zh=_text(frame, "DescriptionInChinese"),
        origin=origin,
        row_kind=row_kind,
        column_kind=column_kind,
        block=block,
        values=values,
    )
    _same_sectors(grid)
    return grid


def _blocks(row_kind: NDArray[np.str_], column_kind: NDArray[np.str_]) -> NDArray[np.str_]:
    block = np.full((len(row_kind), len(column_kind)), SUBTOTAL, dtype="<U1")
    for pair, letter in _BLOCKS.items():
        block[np.ix_(row_kind == pair[0], column_kind == pair[1])] = letter
    return block


def _same_sectors(grid: Grid) -> None:
    origins = ("domestic", "imported") if grid.split else ("total",)
    for origin in origins:
        rows = list(grid.codes[grid.rows(origin)])
        odd = set(rows) ^ set(grid.sectors) or {code for code in rows if rows.count(code) > 1}
        _require(not odd, min(odd, default=""), grid.part, grid.file)
        _require(rows == list(grid.sectors), str(rows[:1]), grid.part, grid.file)
    wanted = [grid.name.publisher.output, *grid.name.publisher.value]
    present = {*grid.codes, *grid.columns}
    for code in wanted:
        _require(code in present, code, grid.part, grid.file)
    _require(len(grid.sectors) > 0, "001", grid.part, grid.file)


@cache
def item_names(publisher: str) -> Mapping[str, tuple[str, str]]:
    """Code -> (Chinese, English) name of a publisher's final uses, value-added rows and other items."""
    text = files("ronghe.sources").joinpath("names", "io_items.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType({r["code"]: (r["name_zh"], r["name_en"]) for r in rows if r["publisher"] == publisher})


@cache
def oecd_names() -> Mapping[str, str]:
    """Chinese names of the OECD's 45 industries, which it publishes in English only."""
    text = files("ronghe.sources").joinpath("names", "oecd_icio45.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["code"]: row["name_zh"] for row in csv.DictReader(text.splitlines())})
