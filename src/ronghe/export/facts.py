"""What every file says beside the figures: summary, stamps, sources, steps, and how figures trace."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ronghe.i18n import translate
from ronghe.model.finding import Basis, Child, Field, Finding, Result, held_by
from ronghe.model.provenance import Input, Step
from ronghe.model.text import Text
from ronghe.present import cell, label, unit_name, visible

FIRST = 3
"""The rows of each table whose trace is spelt out."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Lines:
    """A plain list: its title, headings and rows."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def t(lang: str, key: str, **args: Any) -> str:
    """A sentence of the export's own locale file."""
    return translate(lang, Text(f"export.{key}", args))


def clean(text: str) -> str:
    """The text without the characters that no XML file can hold."""
    return _NOT_IN_XML.sub("\ufffd", text)


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run as a formula (numbers stay as they are)."""
    if not text.startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def span(text: str) -> int:
    """How wide a text stands, in half-width characters: a Chinese character takes two."""
    return max(
        (sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s) for s in text.split("\n")), default=0
    )


def stamps(finding: Finding, lang: str) -> list[str]:
    """What must stand on every page: that figures are invented, that data are for non-commercial use only."""
    said = [translate(lang, c.text) for c in finding.caveats if c.level == "invented"]
    return list(dict.fromkeys([*said, *terms(finding.provenance.inputs, lang)]))


def terms(listed: Sequence[Input], lang: str) -> list[str]:
    """The stamps that the raw files themselves demand."""
    said = [Text("caveat.invented")] if any(i.invented for i in listed) else []
    closed = _named(i for i in listed if not i.commercial)
    if closed:
        said.append(Text("caveat.noncommercial", {"datasets": closed}))
    return [translate(lang, s) for s in said]


def licences(finding: Finding, lang: str) -> str:
    """One line: the datasets with their licences, and which must not be passed on as they are."""
    listed = finding.provenance.inputs
    closed = sorted({i.dataset for i in listed if not i.redistributable})
    said = named(listed, lang)
    return f"{said}{t(lang, 'closed', names=closed)}" if closed else said


def named(listed: Sequence[Input], lang: str) -> str:
    """One line: the datasets with their licences."""
    return t(lang, "data", names=_named(listed)) if listed else t(lang, "no_data")


def _named(inputs: Iterable[Input]) -> list[str]:
    return sorted({f"{i.dataset} ({i.licence})" for i in inputs})


def caveats(finding: Finding, lang: str) -> list[str]:
    """The caveats that are no stamps, said."""
    stamped = set(stamps(finding, lang))
    return [s for c in finding.caveats if (s := translate(lang, c.text)) not in stamped]


def title(finding: Finding, lang: str) -> str:
    """The lens's name."""
    return translate(lang, Text(f"lens.{finding.lens}"))


def parameters(finding: Finding, lang: str) -> list[tuple[str, str]]:
    """The parameters asked with: name and value."""
    return [
        (translate(lang, Text(f"param.{k}")), t(lang, "unset") if v is None else str(v))
        for k, v in finding.params.items()
    ]


def identity(finding: Finding, lang: str) -> list[tuple[str, str]]:
    """What the finding is known by: id, lake version, code version, children."""
    p = finding.provenance
    said = [
        (t(lang, "finding"), finding.id),
        (t(lang, "lens"), f"{finding.lens} v{finding.version}"),
        (t(lang, "snapshot"), str(p.snapshot)),
        (t(lang, "code"), p.code),
    ]
    return [*said, *((t(lang, "child"), c) for c in p.children)]


def inputs(listed: Sequence[Input], lang: str) -> Lines:
    """The raw files behind figures or rows."""
    names = ("dataset", "file", "sha256", "licence", "commercial", "redistributable", "rows", "url")
    yes = {True: t(lang, "yes"), False: t(lang, "no")}
    rows = tuple(
        (i.dataset, i.file, i.sha256, i.licence, yes[i.commercial], yes[i.redistributable], i.rows, i.url)
        for i in listed
    )
    return Lines(t(lang, "inputs"), tuple(t(lang, f"input.{n}") for n in names), rows)


def steps(finding: Finding, lang: str) -> Lines:
    """The steps of the computation, with formula and paper."""
    names = ("kernel", "formula", "paper", "params", "note")
    rows = tuple((s.kernel, s.formula, s.paper, _params(s), note(s, lang)) for s in finding.provenance.steps)
    return Lines(t(lang, "steps"), tuple(t(lang, f"step.{n}") for n in names), rows)


def note(step: Step, lang: str) -> str:
    """A step's note, said; empty without one."""
    return "" if step.note is None else translate(lang, step.note)


def _params(step: Step) -> str:
    return ", ".join(f"{k}={v}" for k, v in step.params.items())


def traces(finding: Finding, lang: str) -> Lines:
    """For the first rows of every figure column: which source rows make the figure, and the command that shows them."""
    names = ("table", "column", "row", "value", "basis", "predicate", "command")
    rows = [
        (translate(lang, result.title), label(field, lang), *line)
        for table, result in finding.tables.items()
        for field in visible(result, lang)
        if field.basis is not None
        for line in _traced(finding, table, result, field, lang)
    ]
    return Lines(t(lang, "traces"), tuple(t(lang, f"trace.{n}") for n in names), tuple(rows))


def _traced(finding: Finding, table: str, result: Result, field: Field, lang: str) -> Iterable[tuple[str, ...]]:
    if field.basis is None:
        return
    kind = t(lang, f"basis.{type(field.basis).__name__.lower()}")
    for number, row in enumerate(result.data.slice(0, FIRST).to_pylist()):
        key = ", ".join(f"{k}={row[k]}" for k in result.key)
        command = f"ronghe trace {finding.id} {field.name} {number} --table {table}"
        yield key, cell(field, row[field.name], lang, row), kind, predicate(field.basis, row), command


def predicate(basis: Basis, row: Mapping[str, Any]) -> str:
    """A basis as it reads for one row: the table and what its rows must hold."""
    held = ((k, held_by(v, row)) for k, v in basis.where.items())
    said = ", ".join(f"{k} ∈ {{{', '.join(map(str, v))}}}" if isinstance(v, tuple) else f"{k} = {v}" for k, v in held)
    name = f"{basis.finding}/{basis.table}.{basis.column}" if isinstance(basis, Child) else held_by(basis.table, row)
    return f"{name}: {said}"


def shown(result: Result, lang: str) -> tuple[list[Field], list[list[Any]]]:
    """A table as a data file holds it: the reader's columns; figures exact, names, classes and units said."""
    units = _unit_columns(result)
    fields = [replace(f, kind="unit") if f.name in units else f for f in visible(result, lang)]
    return fields, [[_plain(f, row, lang) for f in fields] for row in result.data.to_pylist()]


def _unit_columns(result: Result) -> set[str]:
    """The columns that say the unit of another column's figures."""
    return {f.unit[1:] for f in result.fields if f.unit.startswith("=")}


def _plain(field: Field, row: Mapping[str, Any], lang: str) -> Any:
    value = row[field.name]
    if value is None or (isinstance(value, float) and value - value != 0.0):
        return None
    if field.kind == "unit":
        return unit_name(str(value), lang) or str(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and field.kind not in {"class", "key"}:
        return value
    return cell(field, value, lang)


def speaks(result: Result, fields: Sequence[Field]) -> list[Field]:
    """The fields without codes that are the same in every row of a longer table, and without units said elsewhere."""
    few, units = result.data.num_rows <= 1, _unit_columns(result)
    return [
        f
        for f in fields
        if f.name not in units and (few or f.kind != "text" or len(result.data.column(f.name).unique()) > 1)
    ]
