"""Which heading of an unknown file means which column of a contract."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import pyarrow as pa
from rapidfuzz import fuzz, process

from ronghe.model.table import Column, Table, contract, contracts
from ronghe.model.units import unit_in_header
from ronghe.sources.workbook.cells import REGION_COLUMNS, find_place
from ronghe.sources.workbook.grid import Sheet
from ronghe.sources.workbook.headers import Header, normal
from ronghe.sources.workbook.mapping import DEFAULTS, MISSING
from ronghe.sources.workbook.values import Kind, parse, plain

SURE, MAYBE = 95.0, 74.0
"""Likeness of a heading to a column's name: written without remark, written with a question, not written."""

YEARS = r"(?P<year>(?:1[789]|20|21)\d\d)\s*年?(?:度|末|底)?"
"""Headings that are years."""


@dataclass(frozen=True, slots=True)
class Match:
    """A heading that a contract column may be filled from, and how alike the two are (0 to 100)."""

    column: Column
    index: int
    score: float


@dataclass(frozen=True, slots=True)
class Draft:
    """What was found out about the file."""

    sheet: Sheet
    header: Header
    samples: Sequence[Sequence[str]]
    unread: Sequence[str]


@cache
def _headings() -> Mapping[str, tuple[str, ...]]:
    text = files("ronghe.sources.workbook").joinpath("headings.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType({row["column"]: tuple(row["headings"].split("|")) for row in rows})


def _spellings(column: Column) -> list[str]:
    return [
        column.name,
        column.name.replace("_", " "),
        column.name_zh,
        column.name_en,
        *_headings().get(column.name, ()),
    ]


def likeness(heading: str, column: Column) -> float:
    """How alike a heading and a contract column's names are, 0 to 100."""
    bare = normal(heading)
    known = [normal(name) for name in _spellings(column) if name]
    if bare == normal(column.name):
        return 100.0
    if bare in known:
        return 98.0 - known.index(bare) / 10
    found = process.extractOne(bare, known, scorer=fuzz.ratio)
    within = max((90.0 * len(k) / len(bare) for k in known if len(k) > 1 and k in bare), default=0.0)
    return max(min(found[1], 94.0) if found else 0.0, within)


def assign(target: Table, draft: Draft, taken: set[int]) -> list[Match]:
    """Each heading to at most one column and each column to at most one heading, the most alike first."""
    scored: list[Match] = []
    for index, path in enumerate(draft.header.paths):
        if not path or index in taken:
            continue
        texts = dict.fromkeys((draft.header.bare(index), path[-1], unit_in_header(path[-1])[0]))
        for column in target.columns:
            score = max(likeness(text, column) for text in texts if text or len(texts) == 1)
            # A heading that is the column's own name is mapped whatever stands below: bad cells belong in quarantine.
            if score >= SURE or (score >= MAYBE and _parses(target, column, draft.samples[index])):
                scored.append(Match(column, index, score))
    scored.sort(key=lambda m: (-m.score, not m.column.key, m.index))
    chosen: list[Match] = []
    for match in scored:
        if all(match.index != c.index and match.column.name != c.column.name for c in chosen):
            chosen.append(match)
    order = [column.name for column in target.columns]
    return sorted(chosen, key=lambda m: order.index(m.column.name))


def _parses(target: Table, column: Column, sample: Sequence[str]) -> bool:
    """Whether most of a column's cells are of the contract column's type."""
    texts = plain(pa.array(sample, pa.string()))
    filled = [text for text in texts.to_pylist() if text and text not in MISSING]
    if not filled:
        return True
    if column.name in REGION_COLUMNS and target.name != "region":
        return sum(find_place(text) is not None for text in filled) * 4 >= len(filled)
    kind = Kind(column.type, MISSING, is_year=column.high == 2100)
    bad = parse(pa.array(filled, pa.string()), kind)[1].to_pylist()
    return int(sum(bad)) * 2 < len(filled)


def best_table(draft: Draft) -> Table:
    """The contract most of whose required columns find a heading, the one that uses most headings among equals."""
    if max(len(draft.header.matching(rf"{before}{YEARS}{after}")) for before, after in (("", ""), ("", " / .+"))) >= 2:
        return contract("indicator")
    best, best_score = contract("indicator"), 0.0
    for target in contracts().values():
        matches = assign(target, draft, set())
        needed = [c.name for c in target.columns if not c.nullable and (target.name, c.name) not in DEFAULTS]
        found = [m for m in matches if m.score >= 85]
        got = sum(m.column.name in needed for m in found) / max(len(needed), 1)
        score = got + len(found) / max(len(draft.header.names), 1)
        if score > best_score:
            best, best_score = target, score
    return best if best_score >= 0.8 else contract("indicator")


def is_numeric(draft: Draft, index: int) -> bool:
    """Whether most of a column's filled cells are numbers."""
    texts = plain(pa.array(draft.samples[index], pa.string()))
    filled = [text for text in texts.to_pylist() if text and text not in MISSING]
    bad = parse(pa.array(filled, pa.string()), Kind("float", MISSING))[1].to_pylist()
    return bool(filled) and sum(bad) * 2 < len(filled)
