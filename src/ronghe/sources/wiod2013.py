"""World input-output tables, release 2013 (Timmer, Dietzenbacher, Los, Stehrer and de Vries 2015), as R carries them.

An ``.RData`` file holds one list: ``year``, ``countries``, ``industries``, ``inter`` (flows), ``final`` (five uses
a region) and ``output``. A record is an element of one of these, named by ``object$member``, its row and, in a
matrix, its column (``V1`` ...). Value added is not published: what output exceeds the inputs by is value added with
product taxes and transport margins, and lenses derive it.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ronghe.errors import SourceError
from ronghe.sources.base import Chunk, RawFile, Repair, Skipped, table_of
from ronghe.sources.cn_io_layout import item_names
from ronghe.sources.r_data import read_r

CLASSIFICATION = "wiod"
VERSION = "2013"
USES = ("hh", "npish", "gov", "gfcf", "inv")
UNIT = "USD_m"
IDENTITY = "x = Z1 + F1"
LOSS_PER_CELL = 0.1
"""Million USD a cell may lose by rounding to whole millions.

Four cells in five hold less than half a million and became zero, so the losses add up instead of cancelling:
rows fall short of output by 40 on average. The largest gap of the five years is 113, over 1,640 cells.
"""

_ROWS_A_CHUNK = 400
_MEMBERS = ("year", "countries", "industries", "inter", "final", "output")


@dataclass(frozen=True, slots=True)
class World:
    """One year: ``flows`` (n, n), ``final`` (n, regions x 5) and ``output`` (n,), sectors ordered within regions."""

    part: str
    file: str
    year: int
    countries: tuple[str, ...]
    industries: tuple[str, ...]
    flows: NDArray[np.float64]
    final: NDArray[np.float64]
    output: NDArray[np.float64]

    @property
    def table_id(self) -> str:
        """The table's name in the lake."""
        return f"wiod13-{self.year}"

    @property
    def tolerance(self) -> float:
        """What rounding may take from a row, in million USD."""
        return LOSS_PER_CELL * float(self.flows.shape[1] + self.final.shape[1])


class Wiod2013:
    """Reads ``wiod2013``: 41 regions x 35 industries, a file a year."""

    name = "wiod2013"
    version = "1"
    tables = ("io_table", "io_cell", "io_item", "classification", "industry", "region")

    def accepts(self, raw: RawFile) -> bool:
        """The yearly world tables; the package's regional aggregates have another shape."""
        return re.fullmatch(r"(?:.*/)?wiot_\d{4}\.RData", raw.name) is not None

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """The lists of names first, then the cells in stretches of rows. The table is checked before any is given.

        Raises
        ------
        SourceError : ``source_wiod_shape``, ``source_wiod_name``, ``source_io_value``, ``source_unbalanced``.
        """
        objects = read_r(raw)
        for part, content in objects.items():
            yield from parse_world(content, part, raw.name)


def parse_world(content: Any, part: str, file: str) -> Iterator[Chunk]:
    """One year's list as chunks; see ``Wiod2013.parse``."""
    world = _world(content, part, file)
    residual = _check(world)
    yield _names(world, residual)
    codes = _Codes.of(world)
    for start in range(0, len(world.output), _ROWS_A_CHUNK):
        yield _cells(world, codes, slice(start, min(start + _ROWS_A_CHUNK, len(world.output))))


def _world(content: Any, part: str, file: str) -> World:
    found = sorted(content) if isinstance(content, Mapping) else [type(content).__name__]
    if not isinstance(content, Mapping) or not set(_MEMBERS) <= set(content):
        _wrong_shape(part, file, "members", ", ".join(found), ", ".join(_MEMBERS))
    countries = tuple(str(name) for name in np.ravel(content["countries"]))
    industries = tuple(str(name) for name in np.ravel(content["industries"]))
    unknown = [name for name in countries if name not in _regions()]
    unknown += [name for name in industries if name not in _industries()]
    if unknown:
        raise SourceError("source_wiod_name", file=file, table=part, name=unknown[0])
    size = len(countries) * len(industries)
    shapes = {"year": (1,), "inter": (size, size), "final": (size, len(countries) * len(USES)), "output": (size,)}
    arrays = {}
    for member, shape in shapes.items():
        array = np.asarray(content[member])
        if array.shape != shape or array.dtype.kind not in "iuf":
            _wrong_shape(part, file, member, f"{array.dtype} {array.shape}", f"number {shape}")
        arrays[member] = array.astype(np.float64)
        _finite(arrays[member], part, file, member)
    return World(
        part=part,
        file=file,
        year=int(arrays["year"][0]),
        countries=countries,
        industries=industries,
        flows=arrays["inter"],
        final=arrays["final"],
        output=arrays["output"],
    )


def _wrong_shape(part: str, file: str, what: str, found: str, expected: str) -> None:
    raise SourceError("source_wiod_shape", file=file, table=part, what=what, found=found, expected=expected)


def _finite(array: NDArray[np.float64], part: str, file: str, member: str) -> None:
    odd = np.argwhere(~np.isfinite(array))
    if len(odd):
        at = [int(index) for index in odd[0]]
        column = f"V{at[1] + 1}" if len(at) > 1 else ""
        value = str(array[tuple(at)])
        raise SourceError(
            "source_io_value", file=file, table=f"{part}${member}", row=at[0] + 1, column=column, value=value
        )


def _check(world: World) -> float:
    residual = world.flows.sum(axis=1) + world.final.sum(axis=1) - world.output
    worst = int(np.abs(residual).argmax())
    if abs(residual[worst]) > world.tolerance:
        country, industry = divmod(worst, len(world.industries))
        raise SourceError(
            "source_unbalanced",
            file=world.file,
            table=world.table_id,
            where=f"{world.countries[country]} {world.industries[industry]}",
            residual=f"{residual[worst]:.6g}",
            tolerance=f"{world.tolerance:g}",
            unit=UNIT,
            identity=IDENTITY,
        )
    return float(abs(residual[worst]))


@dataclass(frozen=True, slots=True)
class _Codes:
    """The texts that cells repeat, once each; cells take them by position."""

    regions: pa.Array
    rows: pa.Array
    uses: pa.Array
    columns: pa.Array

    @classmethod
    def of(cls, world: World) -> "_Codes":
        return cls(
            regions=pa.array([_regions()[code]["region"] for code in world.countries]),
            rows=pa.array(world.industries),
            uses=pa.array(USES),
            columns=pa.array([f"V{at}" for at in range(1, max(len(world.output), world.final.shape[1]) + 1)]),
        )


def _cells(world: World, codes: _Codes, rows: slice) -> Chunk:
    flows = _matrix(world, codes, rows, "inter", world.flows[rows], "Z")
    final = _matrix(world, codes, rows, "final", world.final[rows], "F")
    output = _output(world, codes, rows)
    sizes = {"inter": world.flows[rows].size, "final": world.final[rows].size, "output": world.output[rows].size}
    tables = {"inter": flows, "final": final, "output": output}
    skipped = [
        Skipped("zero", sizes[member] - table.num_rows, part=f"{world.part}${member}")
        for member, table in tables.items()
        if sizes[member] > table.num_rows
    ]
    return Chunk(records=sum(sizes.values()), rows={"io_cell": pa.concat_tables(tables.values())}, skipped=skipped)


def _matrix(world: World, codes: _Codes, rows: slice, member: str, values: NDArray[np.float64], block: str) -> pa.Table:
    row, column = np.nonzero(values)
    line = row + rows.start
    per_region = len(world.industries) if block == "Z" else len(USES)
    return table_of(
        "io_cell",
        {
            "table_id": world.table_id,
            "block": block,
            "origin": "total",
            "row_region": codes.regions.take(pa.array(line // len(world.industries))),
            "row": codes.rows.take(pa.array(line % len(world.industries))),
            "col_region": codes.regions.take(pa.array(column // per_region)),
            "col": (codes.rows if block == "Z" else codes.uses).take(pa.array(column % per_region)),
            "value": pa.array(values[row, column]),
        },
        part=f"{world.part}${member}",
        row=pa.array(line + 1),
        col=codes.columns.take(pa.array(column)),
    )


def _output(world: World, codes: _Codes, rows: slice) -> pa.Table:
    line = np.flatnonzero(world.output[rows]) + rows.start
    region = codes.regions.take(pa.array(line // len(world.industries)))
    return table_of(
        "io_cell",
        {
            "table_id": world.table_id,
            "block": "X",
            "origin": "total",
            "row_region": region,
            "row": codes.rows.take(pa.array(line % len(world.industries))),
            "col_region": region,
            "col": "GO",
            "value": pa.array(world.output[line]),
        },
        part=f"{world.part}$output",
        row=pa.array(line + 1),
    )


def _names(world: World, residual: float) -> Chunk:
    repairs = [
        Repair(f"{world.part}$countries", at + 1, "region", code, _regions()[code]["region"], "iso3166")
        for at, code in enumerate(world.countries)
        if code != _regions()[code]["region"]
    ]
    return Chunk(
        records=1 + len(world.countries) + len(world.industries),
        rows={
            "io_table": _io_table(world, residual),
            "io_item": _items(world),
            "classification": _classification(world),
            "region": _region_rows(world),
            "industry": _industry_rows(world),
        },
        repairs=repairs,
    )


def _io_table(world: World, residual: float) -> pa.Table:
    return table_of(
        "io_table",
        {
            "table_id": world.table_id,
            "name_zh": f"世界投入产出表（WIOD 2013版，{world.year}年）",
            "name_en": f"World input-output table (WIOD 2013 release), {world.year}",
            "economy": "WORLD",
            "year": world.year,
            "sectors": len(world.industries),
            "regions": len(world.countries),
            "kind": "multiregional",
            "unit": UNIT,
            "price": "basic",
            "classification": CLASSIFICATION,
            "version": VERSION,
            "residual": residual,
            "tolerance": world.tolerance,
            "row_identity": IDENTITY,
        },
        part=f"{world.part}$year",
        row=[1],
    )


def _items(world: World) -> pa.Table:
    codes = [*USES, "GO"]
    named = item_names("wiod")
    return table_of(
        "io_item",
        {
            "table_id": world.table_id,
            "block": ["F"] * len(USES) + ["X"],
            "code": codes,
            "name_zh": [named[code][0] for code in codes],
            "name_en": [named[code][1] for code in codes],
            "order": list(range(1, len(codes) + 1)),
        },
        part=f"{world.part}$year",
        row=[1] * len(codes),
    )


def _classification(world: World) -> pa.Table:
    return table_of(
        "classification",
        {
            "classification": CLASSIFICATION,
            "version": VERSION,
            "name_zh": "WIOD 2013版行业（35个，按NACE第一版归并）",
            "name_en": "Industries of the WIOD 2013 release (35, grouped from NACE Rev. 1)",
            "publisher": "Groningen Growth and Development Centre",
            "kind": "industry",
        },
        part=f"{world.part}$year",
        row=[1],
    )


def _region_rows(world: World) -> pa.Table:
    known = [_regions()[code] for code in world.countries]
    return table_of(
        "region",
        {
            **{key: [row[key] for row in known] for key in ("region", "level", "name_zh", "name_en")},
            "parent": [row["parent"] or None for row in known],
            "aliases": [
                [code] if code != row["region"] else [] for code, row in zip(world.countries, known, strict=True)
            ],
        },
        part=f"{world.part}$countries",
        row=list(range(1, len(known) + 1)),
    )


def _industry_rows(world: World) -> pa.Table:
    known = [_industries()[code] for code in world.industries]
    return table_of(
        "industry",
        {
            "classification": CLASSIFICATION,
            "version": VERSION,
            "code": list(world.industries),
            "name_zh": [row["name_zh"] for row in known],
            "name_en": [row["name_en"] for row in known],
            "level": [1] * len(known),
            "order": list(range(1, len(known) + 1)),
        },
        part=f"{world.part}$industries",
        row=list(range(1, len(known) + 1)),
    )


@cache
def _listed(name: str) -> Mapping[str, Mapping[str, str]]:
    text = files("ronghe.sources").joinpath("names", name).read_text(encoding="utf-8")
    return MappingProxyType({row["code"]: row for row in csv.DictReader(text.splitlines())})


def _regions() -> Mapping[str, Mapping[str, str]]:
    return _listed("wiod2013_regions.csv")


def _industries() -> Mapping[str, Mapping[str, str]]:
    return _listed("wiod2013_industries.csv")
