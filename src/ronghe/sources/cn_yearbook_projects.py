"""Projects of the national key R&D programme, as the ministry announced them (``PubNKRDP.csv``)."""

import csv
import re
from collections.abc import Iterator, Mapping
from typing import Final

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Repair, not_this_format, wanted
from ronghe.sources.cn_yearbook_panel import Pile, plain, year_of

COLUMNS: Final = ("year", "date", "NO", "title", "institution", "funds", "type", "duration")
_CJK: Final = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
_WRAP: Final = re.compile(rf"(?<={_CJK})\s+(?={_CJK})")

Entry = tuple[int, Mapping[str, str]]
"""One line of the list: its number in the file and its cells."""


def projects(raw: RawFile) -> Iterator[Chunk]:
    """One record a line. A project announced twice is kept once, from the earlier notice.

    The later notice of December 2020 repeats that of November from scanned pages, with misread characters, and
    adds the duration: the duration is taken over, and logged as a repair.
    """
    try:
        with raw.path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, strict=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise not_this_format(raw, Text("format.projects"), Text("why.no_column", {"columns": missing}))
            entries: list[Entry] = [(reader.line_num, entry) for entry in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise not_this_format(raw, Text("format.projects"), str(error)) from error
    notices = _notices(entries)
    pile = Pile("")
    pile.skip("header", 1)
    for row, entry in entries:
        number = _number(entry)
        of_project = notices.get(number, [(row, entry)])
        if of_project[0][0] != row:
            pile.skip("repeat_notice", row, number)
        else:
            _project(pile, row, entry, next((e for _, e in of_project[1:] if _cell(e, "duration")), None))
    yield pile.chunk("project")


def _notices(entries: list[Entry]) -> dict[str, list[Entry]]:
    """The notices of each project, earliest first; lines without a number stand alone."""
    found: dict[str, list[Entry]] = {}
    for row, entry in entries:
        if number := _number(entry):
            found.setdefault(number, []).append((row, entry))
    return {number: sorted(group, key=lambda e: (_cell(e[1], "date"), e[0])) for number, group in found.items()}


def _cell(entry: Mapping[str, str], column: str) -> str:
    return (entry.get(column) or "").strip()


def _number(entry: Mapping[str, str]) -> str:
    return plain(_cell(entry, "NO")).rstrip("*")  # the star points to a footnote


def _text(entry: Mapping[str, str], column: str) -> str:
    return re.sub(r"\s+", " ", _WRAP.sub("", _cell(entry, column)))


def _amount(pile: Pile, row: int, column: str, text: str) -> float | None:
    cleaned = plain(text).removesuffix("年")
    if cleaned in {"", "*"}:  # a star stands for a sum that is not public
        return None
    try:
        amount = float(cleaned)
    except ValueError:
        pile.rejected.append(Rejected(pile.part, row, column, text, "type", wanted("number")))
        return None
    if amount < 0:
        pile.rejected.append(Rejected(pile.part, row, column, text, "range", wanted("at_least", low=0)))
    return amount


def _project(pile: Pile, row: int, entry: Mapping[str, str], repeat: Mapping[str, str] | None) -> None:
    pile.records += 1
    before = len(pile.rejected)
    number, title, year = _number(entry), _text(entry, "title"), year_of(_cell(entry, "year"))
    for column, value in (("project_id", number), ("title", title)):
        if not value:
            pile.rejected.append(Rejected(pile.part, row, column, "", "null", wanted("filled")))
    if year is None:
        pile.rejected.append(Rejected(pile.part, row, "year", _cell(entry, "year"), "type", wanted("year")))
    duration = _cell(entry, "duration")
    if not duration and repeat is not None:
        duration = _cell(repeat, "duration")
        pile.repairs.append(Repair(pile.part, row, "duration", "", duration, "repeat_notice"))
    figures = {
        "funds": _amount(pile, row, "funds", _cell(entry, "funds")),
        "duration": _amount(pile, row, "duration", duration),
    }
    if len(pile.rejected) == before:
        pile.rows.append(
            {
                "project_id": number,
                "title": title,
                "institution": _text(entry, "institution") or None,
                "programme": _text(entry, "type") or None,
                "year": year,
                **figures,
                "_part": pile.part,
                "_row": row,
                "_col": None,
            }
        )
