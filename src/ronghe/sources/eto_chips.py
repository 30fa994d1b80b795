"""The Advanced Semiconductor Supply Chain Dataset (ETO, CSET): inputs, stages, links, providers, shares.

Five CSV files, each read by itself; a record is a row. Steps (inputs ``N…``, stages ``S…``) and providers
(``P…``) keep the publisher's ids in the chain ``chips``; Chinese names of steps are this project's own
(``eto_chips_zh.csv``). Which provider is a country and which a firm is said in ``providers.csv`` alone:
names do not tell, for a firm is called ARM and Armenia's code is ARM. A provision without a share says that
the provider is present.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from ronghe.model.regions import find_region, region_names
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, not_this_format, wanted
from ronghe.sources.csv_rows import Fault, Record, list_chunk, needed, number_of, year_of

CHAIN = "chips"

_MARKET = "market_share_chart_global_market_size_info"
_MARKET_NOTES = ("market_share_chart_caption", "market_share_chart_source")
_SIZE = re.compile(r"\$\s*([\d,]+(?:\.\d+)?)\s*(trillion|billion|million)\b\s*(.*)", re.IGNORECASE | re.DOTALL)
_BILLIONS = MappingProxyType({"trillion": 1000.0, "billion": 1.0, "million": 0.001})
_KINDS = MappingProxyType({"country": "country", "organization": "firm"})

_NOT_ONE: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "EUR": ("group", "欧洲", "Europe"),
        "Various countries": ("rest", "其他国家", "Various countries"),
        "Various companies": ("rest", "其他企业", "Various companies"),
    }
)
"""Providers that are not one country or firm: name -> scope and names."""

_STAGES_ZH = MappingProxyType(
    {"Design": "设计", "Fabrication": "制造", "Assembly, testing, and packaging (ATP)": "封装测试"}
)


@cache
def _names_zh() -> Mapping[str, str]:
    text = files("ronghe.sources").joinpath("names", "eto_chips_zh.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["step"]: row["name_zh"] for row in csv.DictReader(text.splitlines())})


def market_size(text: str) -> tuple[float | None, str]:
    """Billion US dollars and what else the text says.

    Examples
    --------
    >>> market_size("$56.2 billion (microprocessors) (2019)")
    (56.2, '(microprocessors) (2019)')
    >>> market_size("$44 million")
    (0.044, '')
    """
    if not text:
        return None, ""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise Fault("market_size", text, "type", wanted("money"))
    number, scale, rest = found.groups()
    return round(float(number.replace(",", "")) * _BILLIONS[scale.lower()], 9), rest.strip()


def _market(record: Record) -> dict[str, Any]:
    size, rest = market_size(record[_MARKET])
    notes = [rest, *(record[field] for field in _MARKET_NOTES)]
    return {"market_size": size, "market_note": "\n".join(note for note in notes if note) or None}


def _input(record: Record) -> Mapping[str, Any]:
    step = needed(record, "input_id", "step")
    return {
        "chain": CHAIN,
        "step": step,
        "name_zh": _names_zh().get(step),
        "name_en": needed(record, "input_name", "name_en"),
        "type": record["type"] or None,
        "stage": record["stage_name"] or None,
        "stage_zh": _STAGES_ZH.get(record["stage_name"]),
        "description": record["description"] or None,
        "year": year_of(record, "year"),
        **_market(record),
    }


def _stage(record: Record) -> Mapping[str, Any]:
    step, name = needed(record, "stage_id", "step"), needed(record, "stage_name", "name_en")
    return {
        "chain": CHAIN,
        "step": step,
        "name_zh": _names_zh().get(step),
        "name_en": name,
        "type": "stage",
        "stage": name,
        "stage_zh": _STAGES_ZH.get(name),
        "description": record["description"] or None,
        **_market(record),
    }


def _link(record: Record) -> Mapping[str, Any]:
    into, kind = record["goes_into_id"], record["is_type_of_id"]
    if bool(into) == bool(kind):
        raise Fault(
            "to_step", f"{into}|{kind}", "two_kinds", wanted("either", values=["goes_into_id", "is_type_of_id"])
        )
    return {
        "chain": CHAIN,
        "from_step": needed(record, "input_id", "from_step"),
        "to_step": into or kind,
        "kind": "goes_into" if into else "is_type_of",
    }


def _provider(record: Record) -> Mapping[str, Any]:
    kind = record["provider_type"]
    if kind not in _KINDS:
        raise Fault("provider_type", kind, "allowed", wanted("one_of", values=list(_KINDS)))
    name = needed(record, "provider_name", "name_en")
    row = {"provider": needed(record, "provider_id", "provider"), "provider_type": _KINDS[kind]}
    if name in _NOT_ONE:
        scope, zh, en = _NOT_ONE[name]
        return {**row, "scope": scope, "name_zh": zh, "name_en": en}
    stated = name if kind == "country" else record["country"]
    country = find_region(stated) if stated not in ("", *_NOT_ONE) else None
    if stated not in ("", *_NOT_ONE) and country is None:
        raise Fault("country", stated, "unknown_region", wanted("country3"))
    names = region_names(country) if kind == "country" and country else {"zh": None, "en": name}
    return {**row, "scope": "one", "name_zh": names["zh"], "name_en": names["en"], "country": country}


def _provision(record: Record) -> Mapping[str, Any]:
    return {
        "chain": CHAIN,
        "step": needed(record, "provided_id", "step"),
        "provider": needed(record, "provider_id", "provider"),
        "share": number_of(record, "share_provided", "share", "share"),
        "year": year_of(record, "year"),
        "note": record["source"] or None,
    }


_TEXTS = (_MARKET, *_MARKET_NOTES)
_FILES: Mapping[str, tuple[str, tuple[str, ...], Callable[[Record], Mapping[str, Any]]]] = MappingProxyType(
    {
        "inputs.csv": (
            "supply_step",
            ("input_id", "input_name", "type", "stage_name", "description", "year", *_TEXTS),
            _input,
        ),
        "stages.csv": ("supply_step", ("stage_id", "stage_name", "description", *_TEXTS), _stage),
        "sequence.csv": ("supply_link", ("input_id", "goes_into_id", "is_type_of_id"), _link),
        "providers.csv": ("provider", ("provider_name", "provider_id", "provider_type", "country"), _provider),
        "provision.csv": (
            "provision",
            ("provider_id", "provided_id", "share_provided", "year", "source"),
            _provision,
        ),
    }
)
"""File -> table, the columns it must have, and what makes a row of a record."""


class EtoChips:
    """The semiconductor supply chain of ETO. See the module for what each file gives."""

    name = "eto_chips"
    version = "1"
    tables = ("supply_step", "supply_link", "provider", "provision")

    def accepts(self, raw: RawFile) -> bool:
        """The five data files; site texts and pictures are not data."""
        return raw.name.rsplit("/", 1)[-1] in _FILES

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk: the files are small."""
        name = raw.name.rsplit("/", 1)[-1]
        if name not in _FILES:
            raise not_this_format(raw, ", ".join(_FILES), Text("why.no_such_file"))
        table, columns, make = _FILES[name]
        yield list_chunk(raw, table, columns, make)
