"""A document before it has a format: headings, paragraphs, three-line tables and figures, numbered throughout."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ronghe.export.facts import caveats, note, parameters, span, speaks, stamps, title
from ronghe.export.picture import Figure, figures
from ronghe.i18n import translate
from ronghe.model.finding import Cards, Field, Finding, Result
from ronghe.model.provenance import Input
from ronghe.model.text import Text
from ronghe.present import MISSING, cell, label, visible
from ronghe.sources.registry import datasets

ROWS = 500
"""The rows of one table that a document shows when nothing else is asked for."""

UPRIGHT, ACROSS = 453.0, 700.0
"""Points between the margins of an A4 page, upright and turned."""

_LETTER, _PADDING = {False: 4.7, True: 4.2}, 8.0
_MOST, _LEAST, _STRETCH = 26, 5, 2.0
_TEXT = frozenset({"text", "class", "key", "unit"})


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 or 2."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph: ``body``, ``lead`` (the answer), ``stamp`` (red), ``item`` (of a list) or ``faint``."""

    text: str
    style: str = "body"


@dataclass(frozen=True, slots=True)
class Grid:
    """A three-line table: caption above, note below; ``widths`` in points; ``wide`` on a turned page."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    widths: tuple[float, ...]
    note: str
    wide: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with its caption below."""

    caption: str
    figure: Figure


Block = Heading | Paragraph | Grid | Picture


@dataclass(frozen=True, slots=True)
class Document:
    """A document: its language, title, the stamps of every page, and its blocks in order."""

    lang: str
    title: str
    stamps: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass
class _Writer:
    """Counts tables, figures, sources and methods through all findings of one document."""

    lang: str
    rows: int
    blocks: list[Block] = field(default_factory=list)
    tables: int = 0
    pictures: int = 0
    sources: dict[tuple[str, str], dict[str, Input]] = field(default_factory=dict)
    methods: dict[str, int] = field(default_factory=dict)

    def say(self, key: str, **args: Any) -> str:
        return translate(self.lang, Text(f"report.{key}", args))

    def finding(self, finding: Finding, number: int | None) -> None:
        """One finding as a section; ``number`` is ``None`` in a document of its own."""
        if number is not None:
            self.blocks.append(Heading(self.say("section", number=number, name=title(finding, self.lang))))
        self.blocks.append(Paragraph(translate(self.lang, finding.headline), "lead"))
        asked = [f"{k} = {v}" for k, v in parameters(finding, self.lang)]
        if asked:
            self.blocks.append(Paragraph(self.say("asked", params=self.say("joined").join(asked)), "faint"))
        origin = self.say("source", numbers="".join(dict.fromkeys([*self._cited(finding), *self._used(finding)])))
        for chart, drawn in zip(finding.charts, figures(finding, finding.charts, self.lang), strict=True):
            self.pictures += 1
            titled = translate(self.lang, chart.title)
            self.blocks.append(Picture(self.say("figure", number=self.pictures, name=titled), drawn))
        cards = {c.table: c for c in finding.cards}
        for name, result in finding.tables.items():
            self.tables += 1
            if result.lead is not None:
                self.blocks.append(Paragraph(translate(self.lang, result.lead)))
            self.blocks += self._grids(result, origin, cards.get(name))
        said = caveats(finding, self.lang)
        if said:
            self.blocks.append(Heading(self.say("caveats"), 2))
            self.blocks += [Paragraph(s, "item") for s in said]

    def _cited(self, finding: Finding) -> Iterable[str]:
        for one in finding.provenance.inputs:
            key = (one.dataset, one.licence)
            self.sources.setdefault(key, {})[one.sha256] = one
            yield f"[D{list(self.sources).index(key) + 1}]"

    def _used(self, finding: Finding) -> Iterable[str]:
        for step in finding.provenance.steps:
            parts = (f"{step.kernel}: {step.formula}", step.paper, note(step, self.lang))
            said = self.say("joined").join(p for p in parts if p)
            yield f"[M{self.methods.setdefault(said, len(self.methods) + 1)}]"

    def _grids(self, result: Result, origin: str, cards: Cards | None) -> Iterable[Grid]:
        """A table in as many parts as it needs; of one that is read as cards, the columns that stand on them."""
        fields = [f for f in speaks(result, visible(result, self.lang)) if cards is None or cards.shows(f)]
        listed = result.data.slice(0, self.rows).to_pylist()
        lines = [tuple(cell(f, row[f.name], self.lang, row) for f in fields) for row in listed]
        notes = []
        if result.data.num_rows > len(listed):
            notes.append(self.say("cut", shown=len(listed), total=result.data.num_rows))
        if any(MISSING in line for line in lines):
            notes.append(self.say("missing"))
        said = self.say("note", text="".join(notes)) if notes else ""
        heads = [label(f, self.lang) for f in fields]
        natural = [
            _natural(f, h, [line[j] for line in lines]) for j, (f, h) in enumerate(zip(fields, heads, strict=True))
        ]
        wide = _points(natural, wide=False) > UPRIGHT
        for part, chosen in enumerate(_panels(fields, natural, wide)):
            key = "table" if part == 0 else "table_more"
            yield Grid(
                caption=self.say(key, number=self.tables, name=translate(self.lang, result.title)),
                headings=tuple(heads[j] for j in chosen),
                rows=tuple(tuple(line[j] for j in chosen) for line in lines),
                numeric=tuple(fields[j].kind not in _TEXT for j in chosen),
                widths=_spread([natural[j] for j in chosen], wide),
                note=f"{said}{origin}" if self.lang == "zh" else f"{said} {origin}".strip(),
                wide=wide,
            )

    def close(self, findings: Sequence[Finding]) -> None:
        """The one list of sources, the one of methods, and what the findings are known by."""
        if self.sources:
            self.blocks.append(Heading(self.say("sources")))
            for number, ((dataset, licence), files) in enumerate(self.sources.items(), start=1):
                self.blocks.append(Paragraph(f"[D{number}] {self._source(dataset, licence, files.values())}", "item"))
        if self.methods:
            self.blocks.append(Heading(self.say("methods")))
            self.blocks += [Paragraph(f"[M{n}] {said}", "item") for said, n in self.methods.items()]
        self.blocks.append(Heading(self.say("findings")))
        for one in findings:
            p = one.provenance
            known = self.say("known", title=title(one, self.lang), id=one.id, snapshot=p.snapshot, code=p.code)
            self.blocks.append(Paragraph(known, "item"))

    def _source(self, dataset: str, licence: str, files: Iterable[Input]) -> str:
        known = datasets().get(dataset)
        name = f"{known.title[self.lang]} ({dataset})" if known else dataset
        listed = list(files)
        said = [self.say("file", file=i.file, rows=i.rows, sha256=i.sha256[:16]) for i in listed]
        folders = dict.fromkeys(i.url.rsplit("/", 1)[0] for i in listed if i.url)
        files_said = self.say("files", files=self.say("joined").join(said))
        return self.say("joined").join([name, licence, *folders, files_said])


def _natural(field_: Field, head: str, values: Sequence[str]) -> int:
    """The width a column wants, in half-width characters: figures whole, headings folded into three lines."""
    longest = max((span(v) for v in values), default=0)
    word = max((span(w) for w in head.split() if w.isascii()), default=0)
    if field_.kind in _TEXT:
        longest = min(longest, _MOST)
    return max(longest, word, -(-span(head) // 3), _LEAST)


def _points(natural: Sequence[int], *, wide: bool) -> float:
    return sum(n * _LETTER[wide] + _PADDING for n in natural)


def _panels(fields: Sequence[Field], natural: Sequence[int], wide: bool) -> list[list[int]]:
    """Columns by page: those that name a row come back on every page; the rest as many as fit."""
    if not wide:
        return [list(range(len(fields)))]
    lead = 0
    while lead < min(2, len(fields) - 1) and fields[lead].kind in _TEXT:
        lead += 1
    names = list(range(lead))
    panels: list[list[int]] = []
    room = 0.0
    for j in range(lead, len(fields)):
        need = _points([natural[j]], wide=True)
        if not panels or need > room:
            panels.append(list(names))
            room = ACROSS - _points([natural[i] for i in names], wide=True)
        panels[-1].append(j)
        room -= need
    return panels


def _spread(natural: Sequence[int], wide: bool) -> tuple[float, ...]:
    """Widths in points: a table fills the page, but its columns never stand more than twice as wide as they want."""
    room, wanted = ACROSS if wide else UPRIGHT, [_points([n], wide=wide) for n in natural]
    return tuple(round(w * min(room / sum(wanted), _STRETCH), 1) for w in wanted)


def compose(findings: Sequence[Finding], lang: str, *, heading: str | None = None, rows: int = ROWS) -> Document:
    """One document of one finding or several.

    Parameters
    ----------
    findings : in the order of the document's sections.
    heading : the title; the lens's name for a single finding, else a general one, when ``None``.
    rows : the most rows of one table that are shown; the note below it says what is left out.
    """
    writer = _Writer(lang, rows)
    alone = len(findings) == 1
    for number, finding in enumerate(findings, start=1):
        writer.finding(finding, None if alone else number)
    writer.close(findings)
    stamped = dict.fromkeys(s for f in findings for s in stamps(f, lang))
    name = heading or (title(findings[0], lang) if alone else writer.say("title"))
    return Document(lang, name, tuple(stamped), tuple(writer.blocks))
