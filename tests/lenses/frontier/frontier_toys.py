"""A small invented world of science and technology, written through the lake; and what every answer must keep."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ronghe.brain import Answer, Brain
from ronghe.config import Config
from ronghe.draw import drawing
from ronghe.i18n import LANGUAGES, has, translate
from ronghe.lake.ingest import Terms
from ronghe.lake.lake import raw_file
from ronghe.model.finding import Result
from ronghe.model.table import contract
from ronghe.model.text import Text
from ronghe.present import cell
from ronghe.sources.base import Chunk, RawFile, rows_of

Row = Mapping[str, Any]
FIGURES = {"number", "integer", "share"}
PLACES = {"x", "y", "near_all", "caught"}
"""Coordinates and counts of rules: figures of no source row."""


class Invented:
    """A source whose file is the rows of every table, as JSON."""

    name = "invented"
    version = "1"

    def __init__(self, tables: Sequence[str]) -> None:
        self.tables = tuple(tables)

    def accepts(self, raw: RawFile) -> bool:
        return True

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        held = json.loads(raw.path.read_text(encoding="utf-8"))
        for table, rows in held.items():
            known = {c.name for c in contract(table).columns}
            assert all(set(r) <= known for r in rows), table
            dates = [c.name for c in contract(table).columns if c.type == "date"]
            read = [{**r, **{d: date.fromisoformat(r[d]) for d in dates if r.get(d)}} for r in rows]
            marked = [{**r, "_part": table, "_row": i, "_col": None} for i, r in enumerate(read)]
            yield Chunk(len(marked), rows={table: rows_of(table, marked)})


def brain_with(folder: Path, tables: Mapping[str, Sequence[Row]]) -> Brain:
    """A brain on a lake that holds these rows."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rows.json"
    path.write_text(json.dumps(tables, ensure_ascii=False), encoding="utf-8")
    brain = Brain(Config(lake=str(folder / "lake")))
    report = brain.lake.ingest(Invented(list(tables)), raw_file(path, "invented"), terms=Terms())
    assert brain.lake.snapshot(None, None).count(next(iter(tables))) == len(next(iter(tables.values()))), report
    return brain


def work(number: int | str, year: int | None, topic: str = "T10320", **more: Any) -> dict[str, Any]:
    """A work; topic T10320 is one of artificial intelligence, T10399 of geology, T20001 of physics."""
    places = {
        "T10320": ("Neural Networks and Applications", "Artificial Intelligence", "Computer Science"),
        "T10399": ("Hydrocarbon exploration", "Mechanics of Materials", "Engineering"),
        "T20001": ("Toy physics", "Toy subfield", "Physics and Astronomy"),
    }
    name, subfield, field = places.get(topic, ("Unknown", "Unknown", "Unknown"))
    given = {"work_id": f"W{number}", "title": f"A study {number}", "year": year, "type": "article", "topic": topic,
             "topic_name": name, "subfield": subfield, "field": field, "cited_by": 0, "references": 3,
             "retracted": False}  # fmt: skip
    return {**given, **more}


def author(work_: int | str, number: int, country: str | None, org: str | None = None, kind: str = "education",
           affiliation: int = 1) -> dict[str, Any]:  # fmt: skip
    """One affiliation of an author."""
    return {"work_id": f"W{work_}", "author_no": number, "affiliation_no": affiliation, "org_id": org,
            "org_name": org, "org_type": kind if org else None, "country": country}  # fmt: skip


def science() -> dict[str, list[dict[str, Any]]]:
    """Fourteen years of works: learning grows and China overtakes, geology stands still, physics fades."""
    works: list[dict[str, Any]] = []
    authors: list[dict[str, Any]] = []
    cites: list[dict[str, str]] = []
    number = 0
    for year in range(2008, 2022):
        wanted = {"T10320": year - 2006, "T10399": 8, "T20001": max(1, 2022 - year)}
        for topic, count in wanted.items():
            for k in range(count):
                works.append(work(number, year, topic, cited_by=(number * 7) % 40))
                home = "CHN" if topic == "T10320" and k % 14 < year - 2008 else ("USA", "DEU")[k % 2]
                kind = ("education", "company", "facility")[k % 3]
                authors.append(author(number, 1, home, f"o:{home}-{k % 5}", kind))
                authors.append(author(number, 2, "USA", f"o:USA-{k % 3}"))
                cites += [{"citing": f"W{number}", "cited": f"W{number - back}"} for back in (4, 9, 31, 52)
                          if number >= back]  # fmt: skip
                number += 1
    return {"work": works, "authorship": authors, "citation": cites}


def check(brain: Brain, answer: Answer, traced: int = 12) -> None:
    """Both languages, a basis for every figure, traces, charts, and the same bytes when asked afresh."""
    finding = answer.finding
    for lang in LANGUAGES:
        texts = [finding.headline, *(c.text for c in finding.caveats), *(t.title for t in answer.tables.values())]
        assert all(translate(lang, t) for t in texts)
        for chart in finding.charts:
            made = drawing(finding, chart, lang).option
            assert made.get("baseOption", made)["series"]
        for name, result in answer.tables.items():
            _readable(name, result, lang)
    figures = [(n, f) for n, t in answer.tables.items() for f in t.fields if f.kind in FIGURES and f.name not in PLACES]
    assert [(n, f.name) for n, f in figures if f.basis is None] == []
    held = [(n, f.name) for n, f in figures if answer.tables[n].data.num_rows]
    for name, column in held[:: max(1, len(held) // traced)]:
        assert answer.trace(column, 0, table=name).basis in {"rows", "matrix", "child"}
    again = brain.ask(finding.lens, fresh=True, **{k: v for k, v in finding.params.items() if v is not None})
    assert again.json == answer.json


def _readable(name: str, result: Result, lang: str) -> None:
    """Every heading and cell is a text of the language; every class has its words."""
    for field in result.fields:
        assert translate(lang, field.label), (name, field.name)
        for row in result.data.slice(0, 30).to_pylist():
            value = row[field.name]
            assert cell(field, value, lang, row)
            if field.kind == "class" and value is not None:
                assert has(f"class.{field.name}.{value}"), (name, field.name, value)


def project(number: str, title: str, programme: str, institution: str | None = "x") -> dict[str, Any]:
    """A funded project of 2019."""
    return {"project_id": number, "title": title, "programme": programme, "institution": institution, "year": 2019}


def lab(name: str, institution: str, region: str) -> dict[str, Any]:
    """A key laboratory."""
    return {"lab_id": name, "name": name, "institution": institution, "year": 2019, "type": "SKL", "region": region}


def patent(number: str, country: str = "JPN", **more: Any) -> dict[str, Any]:
    """A patent of 2020."""
    given = {"patent_id": number, "office": "US", "type": "utility", "title": "A net", "date": "2020-01-01",
             "year": 2020, "application_year": 2018, "country": country}  # fmt: skip
    return {**given, **more}


def said(answer: Answer, lang: str = "en") -> list[str]:
    """The caveats in one language."""
    return [translate(lang, c.text) for c in answer.finding.caveats]


def keys(answer: Answer) -> set[str]:
    """The keys of the caveats."""
    return {c.text.key for c in answer.finding.caveats}


__all__ = ["Invented", "Text", "author", "brain_with", "check", "keys", "said", "science", "work"]
