"""Research Organization Registry, schema v2: one JSON array, plain or gzip; a record is an element.

Ids become ``ror:<id>``. A record's names are told apart by language and kind: the display name, a Chinese and
an English one where they are given (labels before aliases), acronyms, and all others as aliases. Where several
types are given, the one that says most of what the organisation does stands first (a funder is mostly something
else besides), and ``types`` holds all. The first location counts; organisations in China get their province
from the subdivision's name, or from the city's where that is a municipality. Withdrawn and inactive records
stay, with their status, for others point to them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ronghe.model.regions import find_region
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, not_this_format, rows_of, wanted
from ronghe.sources.countries import alpha3
from ronghe.sources.csv_rows import Fault
from ronghe.sources.json_array import read_array

EXPECTED = Text("format.ror")
BATCH = 5_000
TYPES = (
    "company", "education", "facility", "healthcare", "government", "nonprofit", "archive", "other", "funder"
)  # fmt: skip
"""The order in which one of several types is taken as the organisation's own."""

_OWN_PROVINCE = {"TW": "CN-71", "HK": "CN-81", "MO": "CN-82"}


class Ror:
    """Organisations of the Research Organization Registry. See the module for what is taken from a record."""

    name = "ror"
    version = "1"
    tables = ("organisation", "organisation_link")

    def accepts(self, raw: RawFile) -> bool:
        """JSON files."""
        return raw.name.endswith((".json", ".json.gz"))

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """Chunks of some thousands of records."""
        organisations: list[Mapping[str, Any]] = []
        links: list[Mapping[str, Any]] = []
        rejected: list[Rejected] = []
        waiting = 0
        for number, record in enumerate(read_array(raw, EXPECTED), start=1):
            if number == 1 and not (isinstance(record, dict) and isinstance(record.get("names"), list)):
                raise not_this_format(raw, EXPECTED, Text("why.no_names"))
            waiting += 1
            try:
                row, own = _organisation(record, number)
                organisations.append(row)
                links.extend(own)
            except Fault as fault:
                rejected.append(Rejected("", number, fault.column, fault.value, fault.reason, fault.expected))
            if waiting == BATCH:
                yield _chunk(waiting, organisations, links, rejected)
                organisations, links, rejected, waiting = [], [], [], 0
        yield _chunk(waiting, organisations, links, rejected)


def _chunk(
    records: int,
    organisations: Sequence[Mapping[str, Any]],
    links: Sequence[Mapping[str, Any]],
    rejected: Sequence[Rejected],
) -> Chunk:
    rows = {
        "organisation": rows_of("organisation", organisations),
        "organisation_link": rows_of("organisation_link", links),
    }
    return Chunk(records, rows, (), rejected)


def _organisation(record: Any, number: int) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """The rows of one record, or ``Fault``."""
    if not isinstance(record, dict):
        raise Fault("record", str(record)[:200], "type", wanted("json_object"))
    lineage = {"_part": "", "_row": number, "_col": None}
    org_id = _id(record.get("id"))
    kinds = _list(record, "types", str)
    relations = _list(record, "relationships", dict)
    links = {(_id(one.get("id")), str(one.get("type") or "related")) for one in relations}
    parents = [_id(one.get("id")) for one in relations if one.get("type") == "parent"]
    row = {
        "org_id": org_id,
        **_names(_list(record, "names", dict)),
        "type": next((kind for kind in TYPES if kind in kinds), kinds[0] if kinds else None),
        "types": kinds,
        **_place(_list(record, "locations", dict)),
        "parent": parents[0] if parents else None,
        "founded": _year(record.get("established")),
        "status": record.get("status"),
        "website": next(
            (one.get("value") for one in _list(record, "links", dict) if one.get("type") == "website"), None
        ),
        **lineage,
    }
    return row, [{"org_id": org_id, "other_id": other, "kind": kind, **lineage} for other, kind in sorted(links)]


def _id(address: Any) -> str:
    if not isinstance(address, str) or not address.strip():
        raise Fault("org_id", str(address or ""), "null", wanted("ror_id"))
    return "ror:" + address.rsplit("/", 1)[-1]


def _list(record: Mapping[str, Any], field: str, kind: type) -> list[Any]:
    found = record.get(field)
    found = [] if found is None else found
    if not isinstance(found, list) or not all(isinstance(one, kind) for one in found):
        raise Fault(field, str(found)[:200], "type", wanted("list_of_objects") if kind is dict else wanted("list"))
    return found


def _year(value: Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise Fault("founded", str(value), "year", wanted("year"))
    return value


def _names(names: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The display name, one name in each of the two languages, acronyms and all others."""
    said = [(str(n.get("value") or ""), n.get("lang"), n.get("types") or ()) for n in names]
    shown = next((value for value, _, kinds in said if "ror_display" in kinds and value), None)
    if shown is None:
        raise Fault("name", "", "null", wanted("ror_display"))

    def in_language(lang: str) -> str | None:
        own = [(value, kinds) for value, spoken, kinds in said if spoken == lang and "acronym" not in kinds and value]
        own.sort(key=lambda pair: ("ror_display" not in pair[1], "label" not in pair[1]))
        return own[0][0] if own else None

    zh, en = in_language("zh"), in_language("en")
    acronyms = [value for value, _, kinds in said if "acronym" in kinds and value]
    others = [value for value, _, _ in said if value and value not in (shown, zh, en, *acronyms)]
    return {
        "name": shown,
        "name_zh": zh,
        "name_en": en,
        "aliases": list(dict.fromkeys(others)),
        "acronyms": list(dict.fromkeys(acronyms)),
    }


def _place(locations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not locations:
        return {}
    said = locations[0].get("geonames_details") or {}
    code = str(said.get("country_code") or "")
    if code and code not in alpha3():
        raise Fault("country", code, "unknown_region", wanted("country2"))
    return {
        "country": alpha3().get(code),
        "region": _province(said),
        "city": said.get("name"),
        "latitude": said.get("lat"),
        "longitude": said.get("lng"),
    }


def _province(said: Mapping[str, Any]) -> str | None:
    code = said.get("country_code")
    if code != "CN":
        return _OWN_PROVINCE.get(str(code))
    for name in (said.get("country_subdivision_name"), said.get("name")):
        found = find_region(name) if name else None
        if found and found.startswith("CN-"):
            return found
    return None
