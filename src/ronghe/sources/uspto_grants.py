"""USPTO grants in full text: XML of versions 4.0 to 4.5, many documents one after another in one file.

A record is a document; its row is the line of the file where it begins. A weekly file is not one XML document:
every grant brings its own declaration and root, and grants with gene sequences bring a second root, which is
skipped. Documents are split before they are read, so a damaged one is rejected alone.

Patent numbers are the country and the number without leading zeros (``US8089850``, ``USD651432``), for cited
patents as well. Dates of citations often have no day (``20021100``): their year counts.
"""

import datetime as dt
import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from html.entities import html5
from itertools import count
from types import MappingProxyType
from typing import Any

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, rows_of, wanted
from ronghe.sources.countries import alpha3
from ronghe.sources.csv_rows import Fault

ROOT = "us-patent-grant"
EXPECTED = Text("format.uspto")
TABLES = ("patent", "patent_party", "patent_class", "patent_citation")
BATCH = 200

_BEGIN = re.compile(r"(?=<\?xml\s)")
_END = f"</{ROOT}>"
_ENTITIES = MappingProxyType({name.rstrip(";"): value for name, value in html5.items()})
_NUMBER = re.compile(r"(\D*?)0*(\d.*)")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]+", re.IGNORECASE)
_YEAR = re.compile(r"(?<![\d./-])(1[89]\d\d|20[0-4]\d)(?![\d/])")
_TYPES: Mapping[str, str] = MappingProxyType(
    {"utility": "utility", "design": "design", "plant": "plant", "reissue": "reissue", "sir": "statutory"}
)
_CITED_BY = MappingProxyType({"third": "third party"})


class UsptoGrants:
    """Grants of the USPTO. See the module for what a document gives."""

    name = "uspto_grants"
    version = "1"
    tables = TABLES

    def accepts(self, raw: RawFile) -> bool:
        """XML files."""
        return raw.name.lower().endswith(".xml")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """Chunks of some hundred grants; the file is read once, line by line."""
        batch = _Batch()
        grants = others = 0
        for line, text in documents(raw):
            batch.records += 1
            root = batch.read(line, text)
            grants += root == ROOT
            others += root not in {ROOT, None}
            if batch.records >= BATCH:
                yield batch.chunk()
                batch = _Batch()
        if not grants and not (others or batch.rejected):
            raise not_this_format(raw, EXPECTED, Text("why.no_xml"))
        if not grants and not batch.rejected:
            raise not_this_format(raw, EXPECTED, Text("why.no_element", {"name": ROOT}))
        if batch.records:
            yield batch.chunk()


def documents(raw: RawFile) -> Iterator[tuple[int, str]]:
    """The documents of a file: the line where each begins, and its text.

    A document ends where the next declaration begins, or with the root's closing tag.

    Raises
    ------
    SourceError : the file is empty or not UTF-8.
    """
    if not raw.path.stat().st_size:
        raise SourceError("source_empty", file=raw.name)
    held: list[str] = []
    began = 1
    try:
        with raw.path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                for piece, closes in _pieces(line):
                    if held and piece.startswith("<?xml"):
                        yield began, "".join(held)
                        held = []
                    if not held:
                        began = number
                    if held or piece.strip():
                        held.append(piece)
                    if closes:
                        yield began, "".join(held)
                        held = []
    except UnicodeDecodeError as error:
        raise not_this_format(raw, EXPECTED, Text("why.not_utf8", {"byte": error.start})) from error
    if "".join(held).strip():
        yield began, "".join(held)


def _pieces(line: str) -> Iterator[tuple[str, bool]]:
    """A line cut where a document begins or ends; whether the piece ends one."""
    if "<?xml" not in line and _END not in line:
        yield line, False
        return
    for part in _BEGIN.split(line):
        rest = part
        while _END in rest:
            head, _, rest = rest.partition(_END)
            yield head + _END, True
        if rest:
            yield rest, False


class _Batch:
    """Documents read, rows given and faults found."""

    def __init__(self) -> None:
        self.records = 0
        self.rows: dict[str, list[Mapping[str, Any]]] = {table: [] for table in TABLES}
        self.rejected: list[Rejected] = []
        self.skipped: list[Skipped] = []

    def read(self, line: int, text: str) -> str | None:
        """One document; its root's name, or nothing where it isn't XML."""
        parser = ET.XMLParser()
        # An outside DTD is never fetched: what HTML calls a letter by is known without it.
        parser.entity.update(_ENTITIES)
        try:
            root = ET.fromstring(text, parser)
        except ET.ParseError as error:
            said = f"{error}: {text.strip()[:120]}"
            self.rejected.append(Rejected("", line, "document", said, "malformed_xml", wanted("xml")))
            return None
        if root.tag != ROOT:
            self.skipped.append(Skipped("not_a_grant", 1, "", line, root.tag))
            return str(root.tag)
        try:
            found = _grant(root)
        except Fault as fault:
            self.rejected.append(Rejected("", line, fault.column, fault.value, fault.reason, fault.expected))
            return ROOT
        for table, rows in found.items():
            self.rows[table].extend({**row, "_part": "", "_row": line, "_col": None} for row in rows)
        return ROOT

    def chunk(self) -> Chunk:
        """What was read so far."""
        rows = {table: rows_of(table, found) for table, found in self.rows.items()}
        return Chunk(self.records, rows, self.skipped, self.rejected)


def _grant(root: ET.Element) -> dict[str, list[dict[str, Any]]]:
    head = root.find("us-bibliographic-data-grant")
    if head is None:
        raise Fault("document", ROOT, "null", wanted("element", name="us-bibliographic-data-grant"))
    identity = _identity(head.find("publication-reference/document-id"), "patent_id")
    parties = _parties(head, identity)
    return {
        "patent": [_patent(root, head, identity, parties)],
        "patent_party": parties,
        "patent_class": _classes(head, identity),
        "patent_citation": _citations(head, identity),
    }


def patent_number(country: str, number: str) -> str:
    """A patent's id: the country, letters of the kind of right, the number without leading zeros.

    Examples
    --------
    >>> patent_number("US", "08089850"), patent_number("US", "D0651432"), patent_number("JP", "2002-1234")
    ('US8089850', 'USD651432', 'JP2002-1234')
    """
    plain = "".join(number.split()).upper()
    found = _NUMBER.fullmatch(plain)
    return country.strip().upper() + ("".join(found.groups()) if found else plain)


def _identity(place: ET.Element | None, column: str) -> str:
    country, number = _text(place, "country"), _text(place, "doc-number")
    if not country or not number:
        raise Fault(column, f"{country} {number}".strip(), "null", wanted("document_number"))
    return patent_number(country, number)


def _patent(root: ET.Element, head: ET.Element, identity: str, parties: list[dict[str, Any]]) -> dict[str, Any]:
    granted = _date(_text(head, "publication-reference/document-id/date"), "date")
    applied = _date(_text(head, "application-reference/document-id/date"), "application_date")
    if granted is None:
        raise Fault("date", "", "null", wanted("grant_date"))
    place = head.find("application-reference")
    stated = (place.get("appl-type") or "") if place is not None else ""
    if stated not in _TYPES:
        raise Fault("type", stated, "allowed", wanted("one_of", values=list(_TYPES)))
    return {
        "patent_id": identity,
        "office": _text(head, "publication-reference/document-id/country"),
        "kind": _text(head, "publication-reference/document-id/kind") or None,
        "type": _TYPES[stated],
        "title": _all_text(head.find("invention-title")) or identity,
        "abstract": _all_text(root.find("abstract")) or None,
        "date": granted,
        "year": granted.year,
        "application": _text(head, "application-reference/document-id/doc-number") or None,
        "application_date": applied,
        "application_year": applied.year if applied else None,
        "claims": _whole(_text(head, "number-of-claims"), "claims"),
        "country": next((p["country"] for role in ("assignee", "inventor") for p in parties
                         if p["role"] == role and p["country"]), None),
    }  # fmt: skip


def _parties(head: ET.Element, identity: str) -> list[dict[str, Any]]:
    """Assignees, applicants and inventors. Until 2012 inventors stand among the applicants."""
    found = [("assignee", place) for place in head.findall("assignees/assignee")]
    inventors = head.findall(".//inventors/inventor")
    for place in (*head.findall(".//applicants/applicant"), *head.findall(".//us-applicants/us-applicant")):
        found.append(("applicant", place))
        if not inventors and "inventor" in (place.get("app-type") or ""):
            found.append(("inventor", place))
    found += [("inventor", place) for place in inventors]
    numbers = {role: count(1) for role in ("assignee", "applicant", "inventor")}
    rows = []
    for role, place in found:
        book = place.find("addressbook")
        book = place if book is None else book
        first, last, firm = (_text(book, field) for field in ("first-name", "last-name", "orgname"))
        name = firm or " ".join(part for part in (first, last) if part)
        if name:
            rows.append(
                {
                    "patent_id": identity,
                    "role": role,
                    "number": next(numbers[role]),
                    "name": name,
                    "kind": "organisation" if firm else "person",
                    "first_name": None if firm else first or None,
                    "last_name": None if firm else last or None,
                    "city": _text(book, "address/city") or None,
                    "country": alpha3().get(_text(book, "address/country")),
                }
            )
    return rows


def _classes(head: ET.Element, identity: str) -> list[dict[str, Any]]:
    found: list[tuple[str, str, bool]] = []
    for tag, scheme in (("classification-ipcr", "IPC"), ("classification-cpc", "CPC")):
        found += [(scheme, _symbol(place), _text(place, "symbol-position") == "F") for place in head.iter(tag)]
    for place in head.findall("classification-ipc"):
        found.append(("IPC", ipc_symbol(_text(place, "main-classification")), True))
        found += [("IPC", ipc_symbol(_squeeze(more.text)), False) for more in place.findall("further-classification")]
    for tag, scheme in (("classification-national", "USPC"), ("classification-locarno", "LOCARNO")):
        for place in head.findall(tag):
            found.append((scheme, _text(place, "main-classification"), True))
            found += [(scheme, _squeeze(more.text), False) for more in place.findall("further-classification")]
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for scheme, code, main in found:
        if code:
            number = 1 + sum(key[0] == scheme for key in rows)
            row = {"patent_id": identity, "scheme": scheme, "code": code, "number": number, "main": main}
            rows.setdefault((scheme, code), row)
    return list(rows.values())


def _symbol(place: ET.Element) -> str:
    head = "".join(_text(place, part) for part in ("section", "class", "subclass"))
    group, sub = _text(place, "main-group"), _text(place, "subgroup")
    return f"{head} {group}/{sub}" if group else head


def ipc_symbol(text: str) -> str:
    """A class printed with blanks in places of a fixed width, in the usual way.

    Examples
    --------
    >>> ipc_symbol("H01L 21768"), ipc_symbol("A01B  100"), ipc_symbol("G06F 17/30")
    ('H01L 21/768', 'A01B 1/00', 'G06F 17/30')
    """
    plain = " ".join(text.split())
    if "/" in plain or len(text) < 9:
        return plain
    head, group, sub = text[:4], text[4:7].strip(), text[7:].strip()
    return f"{head} {group}/{sub}" if group.isdigit() and sub else plain


def _citations(head: ET.Element, identity: str) -> list[dict[str, Any]]:
    rows = []
    for number, place in enumerate((*head.iter("citation"), *head.iter("us-citation")), start=1):
        said = _text(place, "category").removeprefix("cited by ").strip()
        row: dict[str, Any] = {
            "citing": identity,
            "number": number,
            "category": _CITED_BY.get(said.split()[0], said) if said else None,
        }
        cited = place.find("patcit")
        if cited is not None:
            one = cited.find("document-id")
            stated = _text(one, "date")[:4]
            country, digits = _text(one, "country"), _text(one, "doc-number")
            row |= {
                "kind": "patent",
                "cited": patent_number(country, digits) if country and digits else None,
                "year": int(stated) if _is_year(stated) else None,
            }
        else:
            text = _all_text(place.find("nplcit"))
            doi, years = _DOI.search(text), _YEAR.findall(text)
            row |= {
                "kind": "literature",
                "text": text or None,
                "doi": doi.group().rstrip(".,;)]").lower() if doi else None,
                "year": int(years[-1]) if years else None,
            }
        rows.append(row)
    return rows


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and 1500 <= int(text) <= 2100


def _date(text: str, column: str) -> dt.date | None:
    """A date of eight digits; the first of the month or year where the day or month is 00."""
    if not text:
        return None
    if len(text) != 8 or not text.isdigit():
        raise Fault(column, text, "time", wanted("date_digits"))
    try:
        return dt.date(int(text[:4]), int(text[4:6]) or 1, int(text[6:]) or 1)
    except ValueError as error:
        raise Fault(column, text, "time", wanted("date_digits")) from error


def _whole(text: str, column: str) -> int | None:
    if text and not text.isdigit():
        raise Fault(column, text, "type", wanted("whole"))
    return int(text) if text else None


def _text(place: ET.Element | None, path: str) -> str:
    found = place.find(path) if place is not None else None
    return _squeeze(found.text) if found is not None else ""


def _all_text(place: ET.Element | None) -> str:
    return _squeeze("".join(place.itertext())) if place is not None else ""


def _squeeze(text: str | None) -> str:
    return " ".join(html.unescape(text or "").split())
