"""Regions: China's provinces by GB/T 2260, countries by ISO 3166-1, and every spelling by which sources name them.

Provinces, their names, zones, borders and places on a tile map are in ``regions.csv`` and
``province_neighbours.csv``; country codes are in ``countries.csv`` and country names come from Unicode's
CLDR through Babel, except where ``countries.csv`` states one.
"""

import csv
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from ronghe.model.text import both


@dataclass(frozen=True, slots=True)
class Region:
    """A place that figures belong to.

    Attributes
    ----------
    region : ``CN-44`` for a province, ``DEU`` for a country, ``CN-EAST`` for a group, ``WLD``.
    level : ``world``, ``group``, ``country`` or ``province``.
    parent : the region it lies in, or ``None``.
    name_zh, name_en : short names, as a chart shows them.
    aliases : other spellings that sources use.
    zone : the group a province belongs to in the statistics bureau's four zones, or ``None``.
    tile : (row, column) on the tile map of provinces, or ``None``.
    line : the line of its CSV file.
    """

    region: str
    level: str
    parent: str | None
    name_zh: str
    name_en: str
    aliases: tuple[str, ...]
    zone: str | None
    tile: tuple[int, int] | None
    line: int

    @property
    def names(self) -> dict[str, str]:
        """The region's short name in both languages."""
        return both(self.name_zh, self.name_en)


def _rows(name: str) -> Iterator[tuple[int, dict[str, str]]]:
    text = files("ronghe.model").joinpath(name).read_text(encoding="utf-8")
    yield from enumerate(csv.DictReader(text.splitlines()), start=2)


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)


@cache
def _places() -> Mapping[str, Region]:
    table: dict[str, Region] = {}
    for line, row in _rows("regions.csv"):
        aliases = (row["full_zh"], row["abbreviation"], *_split(row["aliases"]))
        table[row["region"]] = Region(
            region=row["region"],
            level=row["level"],
            parent=row["parent"] or None,
            name_zh=row["short_zh"],
            name_en=row["name_en"],
            aliases=tuple(a for a in dict.fromkeys(aliases) if a and a != row["short_zh"]),
            zone=row["zone"] or None,
            tile=(int(row["tile_row"]), int(row["tile_col"])) if row["tile_row"] else None,
            line=line,
        )
    return MappingProxyType(table)


@cache
def _country_codes() -> Mapping[str, str]:
    codes = {}
    for _, row in _rows("countries.csv"):
        codes[_key(row["region"])] = codes[_key(row["alpha2"])] = row["region"]
    return MappingProxyType(codes)


@cache
def _countries() -> Mapping[str, Region]:
    from babel import Locale

    zh, en = Locale.parse("zh_Hans").territories, Locale.parse("en").territories
    table: dict[str, Region] = {}
    for line, row in _rows("countries.csv"):
        code = row["alpha2"]
        table[row["region"]] = Region(
            region=row["region"],
            level="country",
            parent="WLD",
            name_zh=row["name_zh"] or zh[code],
            name_en=row["name_en"] or en[code],
            aliases=tuple(dict.fromkeys((code, *_split(row["aliases"])))),
            zone=None,
            tile=None,
            line=line,
        )
    return MappingProxyType(table)


@cache
def regions() -> Mapping[str, Region]:
    """Every region of the reference tables: the world, countries, zones of China, provinces."""
    return MappingProxyType({**_places(), **_countries()})


@cache
def provinces(*, all34: bool = False) -> tuple[str, ...]:
    """The 31 provinces of the mainland in GB/T 2260 order; with ``all34`` also Taiwan, Hong Kong and Macao."""
    found = [place.region for place in _places().values() if place.level == "province"]
    return tuple(region for region in found if all34 or _places()[region].zone is not None)


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text)).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


@cache
def _place_keys() -> Mapping[str, str]:
    keys: dict[str, str] = {}
    for place in _places().values():
        spellings = [place.region, place.name_zh, place.name_en, *place.aliases]
        if place.level == "province":
            digits = place.region.removeprefix("CN-")
            spellings += [digits, f"{digits}0000", f"{place.name_en} Province"]
        for spelling in spellings:
            keys.setdefault(_key(spelling), place.region)
    return MappingProxyType(keys)


@cache
def _country_keys() -> Mapping[str, str]:
    keys: dict[str, str] = {}
    for country in _countries().values():
        for spelling in (country.name_zh, country.name_en, *country.aliases):
            keys.setdefault(_key(spelling), country.region)
    return MappingProxyType(keys)


def find_region(text: str) -> str | None:
    """The region that a code or name means, or ``None``.

    Knows GB/T 2260 codes of two and six digits, ``CN-44``, ISO 3166-1 codes of two and three letters,
    Chinese names short, full and by their one-character abbreviation, English names, and the further
    spellings of the reference tables. White space, case, accents and punctuation do not matter.
    ``全国`` is the country, ``CHN``.

    In Chinese, 台湾, 香港 and 澳门 are provinces' names (``CN-71`` …); with 中国 before them and in English
    they are the territories of ISO 3166-1 (``TWN`` …), as international tables have them.

    Examples
    --------
    >>> [find_region(name) for name in ("44", "440000", "广 东", "广东省", "Guangdong", "CHN", "US")]
    ['CN-44', 'CN-44', 'CN-44', 'CN-44', 'CN-44', 'CHN', 'USA']
    >>> find_region("Atlantis") is None
    True
    """
    key = _key(text)
    if not key:
        return None
    return _place_keys().get(key) or _country_codes().get(key) or _country_keys().get(key)


def region_names(region: str) -> dict[str, str]:
    """The short names of a region in both languages; ``KeyError`` when it is in no reference table."""
    place = _places().get(region)
    return (place or _countries()[region]).names


def zone_of(region: str) -> str | None:
    """The zone (``CN-EAST``, ``CN-CENTRAL``, ``CN-WEST``, ``CN-NORTHEAST``) of a province; ``None`` for others."""
    place = _places().get(region)
    return place.zone if place else None


def tiles() -> Mapping[str, tuple[int, int]]:
    """Where each of the 34 provinces stands on the tile map: region -> (row, column), both from 0."""
    return MappingProxyType({p.region: p.tile for p in _places().values() if p.tile is not None})


@cache
def neighbour_pairs(*, sea: bool = False) -> tuple[tuple[str, str], ...]:
    """Pairs of provinces that share a border, each pair once.

    Hainan shares no land border: without ``sea`` it has no neighbour, and whoever builds spatial weights
    decides whether the strait counts. With ``sea``, pairs that only a strait divides are added.
    """
    rows = (row for _, row in _rows("province_neighbours.csv"))
    return tuple((row["region"], row["neighbour"]) for row in rows if sea or row["kind"] == "land")
