"""CO2 and greenhouse gas emissions by country (Our World in Data): one wide CSV, a line a country and year.

Records are cells: every measure's cell (row, column name), each measure's header cell (it gives an
``indicator_def``), and the first cell that names a group of countries (it gives a ``region`` of level
``group``, so that a group is never ranked among countries). Countries that the publisher leaves without a code,
groups, and lines that are neither are told apart by an explicit table, ``names/owid_co2_regions.csv``; a code
filled in from it is told as a repair. States that are no more are groups, for their successors' series reach
back beyond them.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from ronghe.errors import SourceError
from ronghe.model.regions import regions
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Repair, Skipped, not_this_format, table_of, wanted

PLACE = ("iso_code", "country", "year")
EXPECTED = Text("format.owid_co2")


def _listed(name: str) -> list[dict[str, str]]:
    text = files("ronghe.sources").joinpath("names", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def measures() -> Mapping[str, Mapping[str, str]]:
    """The publisher's column -> indicator, names, unit, topic, whether regions may be summed."""
    return MappingProxyType({row["column"]: MappingProxyType(row) for row in _listed("owid_co2_measures.csv")})


@cache
def _named() -> Mapping[tuple[str, str], Mapping[str, str]]:
    return MappingProxyType({(row["code"], row["name"]): row for row in _listed("owid_co2_regions.csv")})


@dataclass
class _Places:
    """What each line is about: the region (null where none), the year (null where it isn't one)."""

    region: pa.Array
    year: pa.Array
    asked_year: pa.Array
    asked_region: pa.Array
    aside: pa.Array
    unknown: pa.Array
    groups: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)


class OwidCo2:
    """Emissions of countries. See the module for what counts as a record."""

    name = "owid_co2"
    version = "1"
    tables = ("indicator", "indicator_def", "region")

    def accepts(self, raw: RawFile) -> bool:
        """The table itself; codebooks are described in this package."""
        return raw.name.rsplit("/", 1)[-1] == "owid-co2-data.csv"

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """A chunk for the names, then one a measure."""
        table = _read(raw)
        known = [name for name in table.column_names if name in measures()]
        strange = [name for name in table.column_names if name not in measures() and name not in PLACE]
        if not known:
            raise not_this_format(raw, EXPECTED, Text("why.no_measure"))
        rows = pa.array(range(2, table.num_rows + 2), pa.int64())
        places = _places(table)
        yield _names_chunk(known, places)
        for name in strange:
            filled = pc.sum(pc.not_equal(table[name], "")).as_py() or 0
            yield Chunk(filled + 1, skipped=[Skipped("unknown_measure", filled + 1, value=name)])
        for name in known:
            yield _measure_chunk(name, table[name].combine_chunks(), rows, places)


def _read(raw: RawFile) -> pa.Table:
    if not raw.path.stat().st_size:
        raise SourceError("source_empty", file=raw.name)
    try:
        first = arrow_csv.open_csv(raw.path).schema.names
        missing = [name for name in PLACE if name not in first]
        if missing:
            raise not_this_format(raw, EXPECTED, Text("why.no_column", {"columns": missing}))
        text = arrow_csv.ConvertOptions(column_types=dict.fromkeys(first, pa.string()), strings_can_be_null=False)
        options = arrow_csv.ParseOptions(newlines_in_values=True)
        return arrow_csv.read_csv(raw.path, parse_options=options, convert_options=text)
    except pa.ArrowInvalid as error:
        raise not_this_format(raw, EXPECTED, str(error).splitlines()[0][:200]) from error


def _places(table: pa.Table) -> _Places:
    pairs = list(zip(table["iso_code"].to_pylist(), table["country"].to_pylist(), strict=True))
    found: dict[tuple[str, str], str | None] = {}
    aside: set[tuple[str, str]] = set()
    groups: list[tuple[int, Mapping[str, str]]] = []
    repairs: list[Repair] = []
    for line, pair in enumerate(pairs, start=2):
        if pair in found:
            continue
        said = _named().get(pair)
        found[pair] = (said["region"] or None) if said else (pair[0] if pair[0] in regions() else None)
        if said is None:
            continue
        if not said["region"]:
            aside.add(pair)
        elif said["level"] == "group":
            groups.append((line, said))
        else:
            repairs.append(Repair("", line, "iso_code", pair[0], said["region"], "owid_region_code"))
    asked = table["year"].combine_chunks()
    good = pc.match_substring_regex(asked, r"^[12]\d{3}$")
    return _Places(
        region=pa.array([found[pair] for pair in pairs], pa.string()),
        year=pc.cast(pc.if_else(good, asked, None), pa.int64()),
        asked_year=asked,
        asked_region=pa.array([f"{code} {name}".strip() for code, name in pairs], pa.string()),
        aside=pa.array([pair in aside for pair in pairs], pa.bool_()),
        unknown=pa.array([found[pair] is None and pair not in aside for pair in pairs], pa.bool_()),
        groups=groups,
        repairs=repairs,
    )


def _names_chunk(known: list[str], places: _Places) -> Chunk:
    """The header cells as indicator definitions, the first name of each group as a region."""
    said = [measures()[name] for name in known]
    definitions = table_of(
        "indicator_def",
        {key: [row[key] or None for row in said] for key in
         ("indicator", "name_zh", "name_en", "unit", "topic", "description")}
        | {"additive": [row["additive"] == "yes" for row in said]},
        row=[1] * len(said),
        col=known,
    )  # fmt: skip
    groups = table_of(
        "region",
        {
            "region": [row["region"] for _, row in places.groups],
            "level": "group",
            "parent": "WLD",
            "name_zh": [row["name_zh"] for _, row in places.groups],
            "name_en": [row["name"] for _, row in places.groups],
        },
        row=[line for line, _ in places.groups],
        col="country",
    )
    return Chunk(
        len(known) + len(places.groups), {"indicator_def": definitions, "region": groups}, repairs=places.repairs
    )


def _measure_chunk(name: str, cells: pa.Array, rows: pa.Array, places: _Places) -> Chunk:
    """All cells of one measure."""
    filled = pc.not_equal(cells, "")
    values = _numbers(cells)
    skipped = [Skipped("blank", len(cells) - (pc.sum(filled).as_py() or 0), value=name)]
    aside = pc.sum(pc.and_(filled, places.aside)).as_py() or 0
    skipped += [Skipped("not_a_region", aside, value=name)] if aside else []
    asked = pc.and_(filled, pc.invert(places.aside))
    faults = (
        (places.unknown, "region", places.asked_region, "unknown_region", wanted("country3")),
        (pc.is_null(places.year), "year", places.asked_year, "year", wanted("year")),
        (pc.is_null(values), "value", cells, "type", wanted("number")),
    )
    good = asked
    rejected: list[Rejected] = []
    for test, column, shown, reason, expected in faults:
        rejected += _rejected(pc.and_(asked, test), rows, name, column, shown, reason, expected)
        good = pc.and_(good, pc.invert(test))
    said = measures()[name]
    columns: dict[str, Any] = {
        "region": places.region.filter(good),
        "industry": "ALL",
        "indicator": said["indicator"],
        "year": places.year.filter(good),
        "value": values.filter(good),
        "unit": said["unit"],
        "raw_name": name,
    }
    table = table_of("indicator", columns, row=rows.filter(good), col=name)
    return Chunk(len(cells), {"indicator": table}, [s for s in skipped if s.count], rejected)


def _numbers(cells: pa.Array) -> pa.Array:
    """Cells as numbers, null where blank or not one."""
    filled = pc.if_else(pc.not_equal(cells, ""), cells, None)
    try:
        return pc.cast(filled, pa.float64())
    except pa.ArrowInvalid:
        return pa.array(pd.to_numeric(filled.to_pandas(), errors="coerce"), pa.float64(), from_pandas=True)


def _rejected(
    test: Any, rows: pa.Array, name: str, column: str, shown: pa.Array, reason: str, expected: Text
) -> list[Rejected]:
    if not pc.any(test).as_py():
        return []
    lines = rows.filter(test).to_pylist()
    texts = shown.filter(test).to_pylist()
    return [
        Rejected("", line, column, text, reason, expected, col=name) for line, text in zip(lines, texts, strict=True)
    ]
