"""China's industry codes, GB/T 4754-2011: 20 sections, 96 divisions, groups and classes. A record is a line.

This is the edition of 2011: that of 2017 has 97 divisions and other groups. A group that is one class only is not
repeated as a class.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ronghe.sources.base import Chunk, RawFile, table_of, wanted
from ronghe.sources.csv_rows import Fault, Record, list_chunk, needed

CLASSIFICATION = "gbt4754"
VERSION = "2011"
_LEVELS: Mapping[int, int] = MappingProxyType({1: 1, 3: 2, 4: 3, 5: 4})


def _row(record: Record) -> Mapping[str, Any]:
    code = needed(record, "code", "code")
    if len(code) not in _LEVELS or not code[0].isalpha() or (code[1:] and not code[1:].isdigit()):
        raise Fault("code", code, "allowed", wanted("gbt4754"))
    return {
        "classification": CLASSIFICATION,
        "version": VERSION,
        "code": code,
        "name_zh": needed(record, "name_zh", "name_zh"),
        "parent": record["parent"] or None,
        "level": _LEVELS[len(code)],
    }


class Gbt4754:
    """Reads ``gbt4754_2011_codes.csv``."""

    name = "gbt4754"
    version = "1"
    tables = ("industry", "classification")

    def accepts(self, raw: RawFile) -> bool:
        """The list of codes."""
        return raw.name.endswith("_codes.csv")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk of some fourteen hundred lines."""
        chunk = list_chunk(raw, "industry", ("code", "name_zh", "parent"), _row)
        named = {"classification": CLASSIFICATION, "version": VERSION, "kind": "industry",
                 "name_zh": "国民经济行业分类（GB/T 4754-2011）", "name_en": "Industry codes of China (GB/T 4754-2011)",
                 "publisher": "国家标准化管理委员会"}  # fmt: skip
        first = chunk.rows["industry"].column("_row")[:1].to_pylist()
        yield Chunk(
            chunk.records,
            {**chunk.rows, "classification": table_of("classification", named, row=first)},
            chunk.skipped,
            chunk.rejected,
        )
