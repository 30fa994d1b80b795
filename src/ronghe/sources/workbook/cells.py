"""One column of texts -> one contract column: mapped, defaulted, resolved, parsed; faults say what was expected."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz, process

from ronghe.model.regions import find_region, regions
from ronghe.model.table import Column
from ronghe.model.text import Text
from ronghe.model.units import find_unit, units
from ronghe.sources.base import wanted
from ronghe.sources.workbook.mapping import ColumnSpec
from ronghe.sources.workbook.values import EXPECTED, Kind, parse, plain, without_missing

REGION_COLUMNS = frozenset({"region", "country", "row_region", "col_region"})
"""Contract columns that hold a region's code, whatever spelling the file uses."""


class Fault(NamedTuple):
    """A text that is no value of its column."""

    at: int
    text: str
    reason: str
    expected: Text


class Read(NamedTuple):
    """A column's values (null where faulty or missing) and its faults."""

    values: pa.Array
    faults: list[Fault]


@dataclass(frozen=True, slots=True)
class Reader:
    """How the texts of one column become a contract column."""

    table: str
    column: Column
    spec: ColumnSpec
    kind: Kind

    def read(self, texts: pa.Array) -> Read:
        """Values and faults of a stretch of texts."""
        trimmed = plain(texts)
        if self.spec.map:
            trimmed = _mapped(trimmed, self.spec.map)
        if self.spec.default is not None:
            trimmed = without_missing(trimmed, self.kind.missing).fill_null(self.spec.default)
        if self.column.name in REGION_COLUMNS and self.table != "region" and self.spec.resolve:
            return self._looked_up(trimmed, PLACES)
        if self.column.name == "unit" and self.column.type == "str":
            return self._looked_up(trimmed, UNITS)
        values, bad = parse(trimmed, self.kind)
        if self.spec.prefix and self.column.type == "str":
            values = pc.binary_join_element_wise(self.spec.prefix, values, "")
        if not pc.any(bad).as_py():
            return Read(values, [])
        places = pc.indices_nonzero(bad)
        found = zip(places.to_pylist(), trimmed.take(places).to_pylist(), strict=True)
        expected = EXPECTED[self.column.type]
        return Read(values, [Fault(at, text, "type", expected) for at, text in found])

    def _looked_up(self, texts: pa.Array, lookup: "Lookup") -> Read:
        """Codes for names, each distinct name looked up once."""
        texts = without_missing(texts, self.kind.missing)
        distinct = pc.unique(texts).drop_null()
        codes = {text: lookup.find(text) for text in distinct.to_pylist()}
        values = pa.array(list(codes.values()), pa.string()).take(pc.index_in(texts, distinct))
        if None not in codes.values():
            return Read(values, [])
        places = pc.indices_nonzero(pc.and_(pc.is_valid(texts), pc.is_null(values)))
        found = zip(places.to_pylist(), texts.take(places).to_pylist(), strict=True)
        return Read(values, [Fault(at, text, lookup.reason, lookup.near(text)) for at, text in found])


class Lookup(NamedTuple):
    """A set of codes: how a name finds its own, and what to say when it has none."""

    find: Callable[[str], str | None]
    near: Callable[[str], Text]
    reason: str


def _mapped(texts: pa.Array, table: Mapping[str, str]) -> pa.Array:
    keys = pa.array([key.strip() for key in table], pa.string())
    values = pa.array(list(table.values()), pa.string())
    return pc.coalesce(values.take(pc.index_in(texts, keys)), texts)


def find_place(text: str) -> str | None:
    """The region's code: a known place by any of its names, or the GB/T 2260 code of a place inside a province."""
    known = find_region(text)
    if known:
        return known
    inside = re.fullmatch(r"(?:CN-)?((\d{2})\d{4})", text)
    if inside and find_region(f"CN-{inside.group(2)}"):
        return f"CN-{inside.group(1)}"
    return None


@cache
def _region_spellings() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for region in regions().values():
        for name in (region.name_zh, region.name_en, *region.aliases):
            if len(name) > 1:
                found.setdefault(name, region.region)
    return MappingProxyType(found)


def _named(names: Mapping[str, str], code: str) -> dict[str, str]:
    return {"zh": f"{names['zh']}（{code}）", "en": f"{names['en']} ({code})"}


@cache
def _near_regions(text: str) -> Text:
    spellings = _region_spellings()
    close = process.extract(text, list(spellings), scorer=fuzz.ratio, processor=str.casefold, limit=9)
    codes = list(dict.fromkeys(spellings[name] for name, _, _ in close))[:3]
    return wanted("near", values=[_named(regions()[code].names, code) for code in codes])


def _find_unit(text: str) -> str | None:
    return text if text in units() else find_unit(text)


@cache
def _near_units(text: str) -> Text:
    names = {name: unit.code for unit in units().values() for name in (unit.name_zh, *unit.aliases) if name}
    close = process.extract(text, list(names), scorer=fuzz.ratio, limit=5)
    return wanted("near", values=[f"{name} ({names[name]})" for name, _, _ in close[:3]])


PLACES = Lookup(find_place, _near_regions, "unknown_region")
UNITS = Lookup(_find_unit, _near_units, "unknown_unit")
