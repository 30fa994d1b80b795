"""Institutions of OpenAlex: JSON lines, plain or gzip (the snapshot's files and saved API answers).

A record is a line; it gives a row of ``organisation`` and one of ``organisation_link`` for every institution it
is associated with. Ids are as in ``openalex_works``: ``ror:<id>``, or ``openalex:<id>`` where there is no ROR.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, rows_of, wanted
from ronghe.sources.countries import alpha3
from ronghe.sources.csv_rows import Fault
from ronghe.sources.jsonlines import opened

EXPECTED = Text("format.institutions")
BATCH = 5_000
_TYPES = frozenset(
    {"education", "facility", "company", "funder", "government", "healthcare", "nonprofit", "archive", "other"}
)


class OpenAlexInstitutions:
    """Institutions of OpenAlex. See the module."""

    name = "openalex_institutions"
    version = "1"
    tables = ("organisation", "organisation_link")

    def accepts(self, raw: RawFile) -> bool:
        """JSON lines, plain or gzip; the snapshot names its gzip files ``part_000.gz``."""
        name = raw.name.rsplit("/", 1)[-1].lower()
        ends = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
        return name.endswith(ends) or (name.startswith("part_") and name.endswith(".gz"))

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """Chunks of some thousands of lines."""
        batch = _Batch()
        known = 0
        for number, line in enumerate(_lines(raw), start=1):
            known += batch.add(number, line)
            if number == 1 and not known and not batch.skipped:
                raise not_this_format(raw, EXPECTED, Text("why.reads", {"line": line[:80]}))
            if batch.records >= BATCH:
                yield batch.chunk()
                batch = _Batch()
        if batch.records:
            yield batch.chunk()


def _lines(raw: RawFile) -> Iterator[str]:
    try:
        with opened(raw) as stream, io.TextIOWrapper(io.BufferedReader(stream), encoding="utf-8") as lines:
            yield from lines
    except UnicodeDecodeError as error:
        raise not_this_format(raw, EXPECTED, str(error)) from error


class _Batch:
    """Lines read and what became of them."""

    def __init__(self) -> None:
        self.records = 0
        self.organisations: list[Mapping[str, Any]] = []
        self.links: list[Mapping[str, Any]] = []
        self.rejected: list[Rejected] = []
        self.skipped: list[Skipped] = []

    def add(self, number: int, line: str) -> bool:
        """One line; whether it is an institution."""
        self.records += 1
        place = {"_part": "", "_row": number, "_col": None}
        if not line.strip():
            self.skipped.append(Skipped("blank", 1, "", number))
            return False
        try:
            row, links = _institution(_object(line))
        except Fault as fault:
            self.rejected.append(Rejected("", number, fault.column, fault.value, fault.reason, fault.expected))
            return False
        self.organisations.append({**row, **place})
        self.links.extend({**link, **place} for link in links)
        return True

    def chunk(self) -> Chunk:
        """What was read so far."""
        rows = {
            "organisation": rows_of("organisation", self.organisations),
            "organisation_link": rows_of("organisation_link", self.links),
        }
        return Chunk(self.records, rows, self.skipped, self.rejected)


def _object(line: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise Fault("line", line[:200], "malformed_json", wanted("json_object")) from error
    if not isinstance(found, dict):
        raise Fault("line", line[:200], "malformed_json", wanted("json_object"))
    return found


def _identity(said: Mapping[str, Any]) -> str:
    ror, own = said.get("ror"), said.get("id")
    if isinstance(ror, str) and ror:
        return "ror:" + ror.rsplit("/", 1)[-1]
    if not isinstance(own, str) or not own:
        raise Fault("org_id", str(own or ""), "null", wanted("openalex_id"))
    return "openalex:" + own.rsplit("/", 1)[-1]


def _institution(said: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    identity, name = _identity(said), said.get("display_name")
    if not isinstance(name, str) or not name.strip():
        raise Fault("name", str(name or ""), "null", wanted("attribute", name="display_name"))
    place = said.get("geo") or {}
    spoken = (said.get("international") or {}).get("display_name") or {}
    zh, en = (next((spoken[lang] for lang in langs if spoken.get(lang)), None) for langs in (_ZH, ("en",)))
    kind = said.get("type")
    row = {
        "org_id": identity,
        "name": name,
        "name_zh": zh,
        "name_en": en or name,
        "aliases": _texts(said, "display_name_alternatives"),
        "acronyms": _texts(said, "display_name_acronyms"),
        "type": kind if kind in _TYPES else "other" if kind else None,
        "types": [kind] if kind else [],
        "country": _country(said.get("country_code")),
        "city": place.get("city"),
        "latitude": place.get("latitude"),
        "longitude": place.get("longitude"),
        "website": said.get("homepage_url"),
    }
    others = [one for one in said.get("associated_institutions") or [] if isinstance(one, dict)]
    links = {(_identity(one), str(one.get("relationship") or "related")) for one in others}
    row["parent"] = next((other for other, relation in sorted(links) if relation == "parent"), None)
    return row, [{"org_id": identity, "other_id": other, "kind": relation} for other, relation in sorted(links)]


_ZH: Sequence[str] = ("zh", "zh-hans", "zh-cn", "zh-hant")


def _texts(said: Mapping[str, Any], field: str) -> list[str]:
    found = said.get(field) or []
    if not isinstance(found, list):
        raise Fault(field, str(found)[:200], "type", wanted("list"))
    return list(dict.fromkeys(str(one) for one in found if one))


def _country(code: Any) -> str | None:
    if code and code not in alpha3():
        raise Fault("country", str(code), "unknown_region", wanted("country2"))
    return alpha3().get(code) if code else None
