"""Codes that science, patents and industry share: WIPO's 35 technology fields and the 27 fields of science.

The names in Chinese are this project's own (``names/wipo35.csv``, ``names/asjc.csv``).
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

IPC = ("IPC", "8")
WIPO35 = ("WIPO35", "2008")
ASJC = ("ASJC", "Scopus")
NACE = ("NACE", "2")
"""Classification and version, as crosswalk rows name them."""


def _rows(name: str) -> list[dict[str, str]]:
    text = files("ronghe.sources").joinpath("names", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def technology_fields() -> Mapping[str, Mapping[str, str]]:
    """Code of two digits (``01`` to ``35``) -> names and sector in both languages."""
    return MappingProxyType({row["code"]: MappingProxyType(row) for row in _rows("wipo35.csv")})


@cache
def science_fields() -> Mapping[str, Mapping[str, str]]:
    """Code of two digits (``10`` to ``36``), as OpenAlex numbers its fields -> names in both languages."""
    return MappingProxyType({row["code"]: MappingProxyType(row) for row in _rows("asjc.csv")})


@cache
def science_codes() -> Mapping[str, str]:
    """English name of a science field -> its code."""
    return MappingProxyType({row["name_en"]: code for code, row in science_fields().items()})
