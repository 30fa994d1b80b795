"""H2020 projects of the European Commission (CORDIS): participations and topics; a record is a line.

``organization_union_of_3_snapshots.csv`` gives rows of ``participation`` and, once for each organisation, of
``organisation``. Countries are named as the Commission does (EL Greece, UK the United Kingdom). The data are a
part of the programme, and not a random one: projects whose record changed in some weeks of 2023. The single
snapshot beside it holds the same lines and is not read.

``h2020_topics_out.csv`` gives rows of ``project`` for all of H2020, with the call's topic as programme. What the
file calls a title is the topic's; where it is empty the topic's code stands for it.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ronghe.model.regions import find_region
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, not_this_format, rows_of, wanted
from ronghe.sources.csv_rows import Fault, Record, list_chunk, needed, read_records

PROGRAMME = "H2020"
_UNION = "organization_union_of_3_snapshots.csv"
_TOPICS = "h2020_topics_out.csv"
_ROLES = MappingProxyType(
    {
        "coordinator": "coordinator",
        "participant": "participant",
        "thirdParty": "third_party",
        "partner": "partner",
        "internationalPartner": "international_partner",
    }
)
_TYPES = MappingProxyType({"HES": "education", "PRC": "company", "REC": "facility", "PUB": "government"})
_TRUTH = MappingProxyType({"True": True, "False": False, "": None})
_COLUMNS = (
    "projectID", "projectAcronym", "organisationID", "name", "shortName", "SME", "activityType", "city", "country",
    "geolocation", "organizationURL", "order", "role", "ecContribution", "netEcContribution", "totalCost",
    "endOfParticipation",
)  # fmt: skip


class CordisH2020:
    """Who takes part in H2020 projects. See the module."""

    name = "cordis_h2020"
    version = "1"
    tables = ("participation", "organisation", "project")

    def accepts(self, raw: RawFile) -> bool:
        """The union of the snapshots, and the topics."""
        return raw.name.rsplit("/", 1)[-1] in {_UNION, _TOPICS}

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk."""
        name = raw.name.rsplit("/", 1)[-1]
        if name == _TOPICS:
            yield list_chunk(raw, "project", ("projectID", "topic", "title"), _project)
        elif name == _UNION:
            yield _participations(raw)
        else:
            raise not_this_format(raw, f"{_UNION}, {_TOPICS}", Text("why.no_such_file"))


def _participations(raw: RawFile) -> Chunk:
    rows: list[Mapping[str, Any]] = []
    organisations: dict[str, Mapping[str, Any]] = {}
    rejected: list[Rejected] = []
    for number, record in read_records(raw, _COLUMNS):
        place = {"_part": "", "_row": number, "_col": None}
        try:
            if isinstance(record, Fault):
                raise record
            row = _participation(record)
            rows.append({**row, **place})
            if row["org_id"] not in organisations:
                organisations[row["org_id"]] = {**_organisation(record, row), **place}
        except Fault as fault:
            rejected.append(Rejected("", number, fault.column, fault.value, fault.reason, fault.expected))
    tables = {
        "participation": rows_of("participation", rows),
        "organisation": rows_of("organisation", organisations.values()),
    }
    return Chunk(len(rows) + len(rejected), tables, (), rejected)


def _participation(record: Record) -> dict[str, Any]:
    country = find_region(record["country"])
    if country is None:
        raise Fault("country", record["country"], "unknown_region", wanted("country2_eu"))
    role = record["role"]
    if role not in _ROLES:
        raise Fault("role", role, "allowed", wanted("one_of", values=list(_ROLES)))
    if not record["order"].isdigit():
        raise Fault("number", record["order"], "type", wanted("whole"))
    return {
        "programme": PROGRAMME,
        "project_id": "cordis:" + needed(record, "projectID", "project_id"),
        "org_id": "cordis:" + needed(record, "organisationID", "org_id"),
        "number": int(record["order"]),
        "acronym": record["projectAcronym"] or None,
        "name": needed(record, "name", "name"),
        "role": _ROLES[role],
        "activity": record["activityType"] or None,
        "sme": _truth(record, "SME", "sme"),
        "country": country,
        "city": record["city"] or None,
        "contribution": _money(record, "ecContribution", "contribution"),
        "net_contribution": _money(record, "netEcContribution", "net_contribution"),
        "total_cost": _money(record, "totalCost", "total_cost"),
        "ended": _truth(record, "endOfParticipation", "ended"),
    }


def _truth(record: Record, field: str, column: str) -> bool | None:
    if record[field] not in _TRUTH:
        raise Fault(column, record[field], "type", wanted("one_of", values=["True", "False"]))
    return _TRUTH[record[field]]


def _money(record: Record, field: str, column: str) -> float | None:
    """Euros; the total cost is written with a decimal comma."""
    text = record[field]
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError as error:
        raise Fault(column, text, "type", wanted("number")) from error


def _organisation(record: Record, row: Mapping[str, Any]) -> dict[str, Any]:
    north, _, east = record["geolocation"].partition(",")
    short = record["shortName"]
    return {
        "org_id": row["org_id"],
        "name": row["name"],
        "aliases": [],
        "acronyms": [short] if short and short != row["name"] else [],
        "type": _TYPES.get(record["activityType"], "other"),
        "country": row["country"],
        "city": row["city"],
        "latitude": _degrees(north),
        "longitude": _degrees(east),
        "website": record["organizationURL"] or None,
    }


def _degrees(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _project(record: Record) -> Mapping[str, Any]:
    topic = needed(record, "topic", "programme")
    return {
        "project_id": "cordis:" + needed(record, "projectID", "project_id"),
        "title": record["title"] or topic,
        "programme": f"{PROGRAMME} {topic}",
    }
