"""The tidy R tables (``.rda``) of the science and technology yearbook: panels, codebook, laboratories, districts."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from ronghe.model.regions import find_region
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Repair, not_this_format, rows_of, wanted
from ronghe.sources.cn_yearbook_panel import (
    Line,
    Pile,
    definition_row,
    indicators,
    panel_chunk,
    plain,
    repairs,
    year_of,
)
from ronghe.sources.r_data import read_r

PANELS: Final = (
    "RDActivity",
    "RDIntense",
    "RDSource",
    "RDLaborHour",
    "RDPatentAccept",
    "RDPatentAuthority",
    "RDPatentValid",
    "RDPaperInternational",
    "IndustryRD",
    "IndustryOperation",
    "IndustryTrade",
    "MarketPull",
    "MarketPush",
    "PublicBudget",
)
PANEL_COLUMNS: Final = ("province", "year", "chn_block4", "value", "units", "variables")
ABROAD: Final = frozenset({"台湾", "香港", "澳门", "海外"})


def read_frame(raw: RawFile, columns: tuple[str, ...]) -> tuple[str, pd.DataFrame]:
    """The one data frame of an ``.rda`` file, with its name.

    Raises
    ------
    SourceError : the file is not R data, is cut short, or its frame lacks a column.
    """
    frames = {name: value for name, value in read_r(raw).items() if isinstance(value, pd.DataFrame)}
    if len(frames) != 1:
        raise not_this_format(raw, Text("format.one_frame"), Text("why.frames", {"count": len(frames)}))
    ((name, frame),) = frames.items()
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise not_this_format(raw, Text("format.table", {"name": name}), Text("why.no_column", {"columns": missing}))
    return name, frame.astype(object).where(frame.notna(), None)


def _records(frame: pd.DataFrame, columns: tuple[str, ...]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    yield from enumerate(frame[list(columns)].itertuples(index=False, name=None), start=1)


def panel(raw: RawFile) -> Iterator[Chunk]:
    """A panel in long form: one record a line."""
    part, frame = read_frame(raw, PANEL_COLUMNS)
    yield panel_chunk(part, [Line(row, *values) for row, values in _records(frame, PANEL_COLUMNS)])


def certified_firms(raw: RawFile) -> Iterator[Chunk]:
    """Firms certified as high-tech: a panel without units or codes, and with no entry in the codebook."""
    part, frame = read_frame(raw, ("year", "province", "num"))
    pile = Pile(part)
    for row, (year, province, count) in _records(frame, ("year", "province", "num")):
        pile.add(Line(row, province, year, "num", count, "家", "HitechFirmsPub"))
    chunk = pile.chunk()
    definition = rows_of("indicator_def", [definition_row(indicators()["HitechFirmsPub"], part, 1)])
    yield Chunk(chunk.records, {**chunk.rows, "indicator_def": definition}, chunk.skipped, chunk.rejected)


def codebook(raw: RawFile) -> Iterator[Chunk]:
    """The codebook: a definition for every code that the tables here use; other codes have no figures here."""
    part, frame = read_frame(raw, ("variables",))
    pile = Pile(part)
    for row, (code,) in _records(frame, ("variables",)):
        definition = indicators().get(plain(code))
        if definition is None:
            pile.skip("unused_definition", row, plain(code))
        else:
            pile.records += 1
            pile.rows.append(definition_row(definition, part, row))
    yield pile.chunk("indicator_def")


def laboratories(raw: RawFile) -> Iterator[Chunk]:
    """State key laboratories: one record a host, so a laboratory with four hosts has four rows."""
    columns = ("year", "type", "index", "name", "area", "institution", "administrator", "province", "NO")
    part, frame = read_frame(raw, columns)
    pile = Pile(part)
    for row, values in _records(frame, columns):
        entry = dict(zip(columns, values, strict=True))
        region, year = find_region(plain(entry["province"])), year_of(entry["year"])
        pile.records += 1
        if region is None:
            pile.rejected.append(
                Rejected(part, row, "region", str(entry["province"]), "unknown_region", wanted("province"))
            )
        if year is None:
            pile.rejected.append(Rejected(part, row, "year", str(entry["year"]), "type", wanted("year")))
        if region is None or year is None:
            continue
        pile.rows.append(
            {
                "lab_id": plain(entry["NO"]) or f"{plain(entry['type'])}-{plain(entry['index'])}",
                **{name: entry[name] for name in ("name", "area", "institution", "administrator", "type")},
                "region": region,
                "year": year,
                "_part": part,
                "_row": row,
                "_col": None,
            }
        )
    yield pile.chunk("laboratory")


def provinces_list(raw: RawFile) -> Iterator[Chunk]:
    """The list of provinces, which the reference tables hold already."""
    part, frame = read_frame(raw, ("province",))
    pile = Pile(part)
    for row, (province,) in _records(frame, ("province",)):
        pile.skip("in_reference", row, plain(province))
    yield pile.chunk()


def districts(raw: RawFile) -> Iterator[Chunk]:
    """Prefectures and counties as regions; codes that repeat or are missing are rejected."""
    columns = ("id", "parent_id", "name", "extra", "suffix", "pinyin", "code")
    part, frame = read_frame(raw, columns)
    entries = {plain(values[0]): dict(zip(columns, values, strict=True)) for _, values in _records(frame, columns)}
    pile = Pile(part)
    for entry in entries.values():
        code = plain(entry["code"])
        entry["code"] = repairs("code").get(("", code), code)
    cities = {e["code"] for e in entries.values() if _depth(e, entries) == 1}
    seen: dict[str, int] = {}
    for entry in entries.values():
        seen[entry["code"]] = seen.get(entry["code"], 0) + 1
    for row, values in _records(frame, columns):
        old, entry = plain(values[6]), entries[plain(values[0])]
        if old != entry["code"]:
            pile.repairs.append(Repair(part, row, "code", old, entry["code"], "misread_code"))
        depth, root = _depth(entry, entries), _root(entry, entries)
        if depth == 0:
            pile.skip("in_reference", row, plain(entry["name"]))
        elif plain(root["name"]) in ABROAD:
            pile.skip("no_national_code", row, plain(entry["name"]))
        else:
            repeated = seen[entry["code"]] > 1 and not (depth == 1 and entry["code"] in cities)
            _district(pile, row, entry, entries, repeated=repeated)
    yield pile.chunk("region")


def _district(
    pile: Pile, row: int, entry: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]], *, repeated: bool
) -> None:
    pile.records += 1
    code, root = entry["code"], _root(entry, entries)
    if not code:
        pile.rejected.append(Rejected(pile.part, row, "region", "", "null", wanted("region_code")))
    elif not re.fullmatch(r"\d{6}", code) or code[:2] != root["code"][:2]:
        expected = wanted("region_code_of", prefix=root["code"][:2])
        pile.rejected.append(Rejected(pile.part, row, "region", code, "region_code", expected))
    elif repeated:
        pile.rejected.append(Rejected(pile.part, row, "region", code, "duplicate", wanted("region_code_own")))
    else:
        parent = entries[plain(entry["parent_id"])]
        province = f"CN-{root['code'][:2]}"
        name = plain(entry["name"])
        pile.rows.append(
            {
                "region": f"CN-{code}",
                "level": "city" if code.endswith("00") else "county",
                "parent": province if parent is root else f"CN-{parent['code']}",
                "name_zh": f"{name}{plain(entry['extra'])}{plain(entry['suffix'])}",
                "name_en": plain(entry["pinyin"]).capitalize(),
                "aliases": [name],
                "_part": pile.part,
                "_row": row,
                "_col": None,
            }
        )


def _depth(entry: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]) -> int:
    steps, parent = 0, entries.get(plain(entry["parent_id"]))
    while parent is not None and steps < len(entries):
        steps, parent = steps + 1, entries.get(plain(parent["parent_id"]))
    return steps


def _root(entry: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    for _ in range(_depth(entry, entries)):
        entry = entries[plain(entry["parent_id"])]
    return entry


READERS: Final[Mapping[str, Callable[[RawFile], Iterator[Chunk]]]] = MappingProxyType(
    {
        **dict.fromkeys(PANELS, panel),
        "HitechFirmsPub": certified_firms,
        "varsList": codebook,
        "PubSKLMost": laboratories,
        "BasicProvince": provinces_list,
        "BasicDistrict": districts,
    }
)
"""Which reader reads which ``.rda`` file, by the file's name."""


def reader_of(raw: RawFile) -> Callable[[RawFile], Iterator[Chunk]] | None:
    """The reader of a tidy table, or ``None`` when the file is none of them."""
    path = PurePosixPath(raw.name)
    return READERS.get(path.stem) if path.suffix == ".rda" else None
