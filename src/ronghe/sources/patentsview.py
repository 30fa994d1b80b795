"""PatentsView's reference lists: IPC to WIPO's 35 technology fields, and inventors told apart by hand.

``ipc_technology.csv``: a record is a line; it gives a row of ``crosswalk`` whose ``from_code`` is the beginning
of IPC codes as ``patent_class`` writes them (``B60C``, ``A61K 131/``); the longest beginning that fits wins
(``ronghe.model.classes.longest_prefix``). The header's record gives the names of the fields.

``ens-inventors.csv``: a record is one inventor's name on one patent, and which person it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, not_this_format, rows_of, wanted
from ronghe.sources.csv_rows import Fault, Record, list_chunk, needed, read_records
from ronghe.sources.technology_fields import IPC, WIPO35, technology_fields

_IPC_COLUMNS = ("Field_number", "Sector_en", "Field_en", "IPC_code", "Updated_on", "Remark")
_LABEL_COLUMNS = ("mention_id", "unique_id", "raw_inventor_name_first", "raw_inventor_name_last")
_PATTERN = re.compile(r"([A-H]\d\d[A-Z])(?: *(\d+)/)?%")
_MENTION = re.compile(r"(US[A-Z]*\d+)-(\d+)")


class PatentsView:
    """Technology fields of patent classes and labelled inventors. See the module."""

    name = "patentsview"
    version = "1"
    tables = ("crosswalk", "industry", "classification", "labelled_inventor")

    def accepts(self, raw: RawFile) -> bool:
        """The two lists."""
        return raw.name.rsplit("/", 1)[-1] in {"ipc_technology.csv", "ens-inventors.csv"}

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk: the lists are small."""
        name = raw.name.rsplit("/", 1)[-1]
        if name == "ipc_technology.csv":
            yield _technology(raw)
        elif name == "ens-inventors.csv":
            yield list_chunk(raw, "labelled_inventor", _LABEL_COLUMNS, _label)
        else:
            raise not_this_format(raw, "ipc_technology.csv, ens-inventors.csv", Text("why.no_such_file"))


def _technology(raw: RawFile) -> Chunk:
    links: list[Mapping[str, Any]] = []
    rejected: list[Rejected] = []
    for number, record in read_records(raw, _IPC_COLUMNS):
        try:
            if isinstance(record, Fault):
                raise record
            links.append({**_link(record), "_part": "", "_row": number, "_col": None})
        except Fault as fault:
            rejected.append(Rejected("", number, fault.column, fault.value, fault.reason, fault.expected))
    rows = {
        "crosswalk": rows_of("crosswalk", links),
        "industry": rows_of("industry", _fields()),
        "classification": rows_of("classification", [_classification()]),
    }
    return Chunk(len(links) + len(rejected) + 1, rows, (), rejected)


def _link(record: Record) -> dict[str, Any]:
    code = record["Field_number"].zfill(2)
    if code not in technology_fields():
        raise Fault("to_code", record["Field_number"], "unknown_code", wanted("between", low=1, high=35))
    found = _PATTERN.fullmatch(record["IPC_code"])
    if found is None:
        raise Fault("from_code", record["IPC_code"], "unknown_code", wanted("ipc"))
    said = [record["Remark"], record["Updated_on"]]
    return {
        "from_classification": IPC[0],
        "from_version": IPC[1],
        "from_code": found[1] + (f" {found[2]}/" if found[2] else ""),
        "to_classification": WIPO35[0],
        "to_version": WIPO35[1],
        "to_code": code,
        "weight": 1.0,
        "method": "publisher",
        "note": "; ".join(part for part in said if part) or None,
    }


def _classification() -> dict[str, Any]:
    return {
        "classification": WIPO35[0],
        "version": WIPO35[1],
        "name_zh": "技术领域（WIPO 35类）",
        "name_en": "Technology fields (WIPO, 35)",
        "publisher": "WIPO; Schmoch (2008)",
        "kind": "technology",
        "_part": "",
        "_row": 1,
    }


def _fields() -> Iterator[dict[str, Any]]:
    for code, names in technology_fields().items():
        yield {
            "classification": WIPO35[0],
            "version": WIPO35[1],
            "code": code,
            "name_zh": names["name_zh"],
            "name_en": names["name_en"],
            "level": 1,
            "order": int(code),
            "_part": "",
            "_row": 1,
        }


def _label(record: Record) -> Mapping[str, Any]:
    mention = needed(record, "mention_id", "mention")
    found = _MENTION.fullmatch(mention)
    if found is None:
        raise Fault("mention", mention, "type", wanted("mention"))
    return {
        "mention": mention,
        "patent_id": found[1],
        "number": int(found[2]),
        "inventor": "ens:" + needed(record, "unique_id", "inventor"),
        "first_name": record["raw_inventor_name_first"] or None,
        "last_name": record["raw_inventor_name_last"] or None,
    }
