"""A finding as a page shows it: charts as options, tables as columns of raw values and their texts."""

import shlex
from typing import Any
from urllib.parse import urlencode

from ronghe.brain import Answer
from ronghe.draw import drawing
from ronghe.export import FORMATS
from ronghe.i18n import has, translate
from ronghe.model.finding import Child, Field, Finding, Matrix, Result
from ronghe.model.provenance import Input
from ronghe.model.text import Text
from ronghe.model.units import amount, amounts
from ronghe.present import cell, label, visible
from ronghe.sources.registry import datasets
from ronghe.web.cards import cards_view

WHOLE = tuple(f for f in FORMATS if f not in {"csv", "parquet", "svg", "png"})
"""Formats that hold a whole finding; the others are offered beside a table or a chart."""
ROWS = 5000
"""Rows of a table that a page carries; all of them are in the downloads."""
_BOUNDS = ("low", "value", "high", "unit", "share_top")
_MANY, _FIRST = 5, 3
"""More caveats than the first number are cut to the second; the others are folded away below them."""
_FIGURES = frozenset({"number", "integer", "share"})


def answer_view(answer: Answer, lang: str) -> dict[str, Any]:
    """What the templates of an answer need."""
    finding = answer.finding
    charts = [drawing(finding, c, lang) for c in finding.charts]
    titles = [translate(lang, c.title) for c in finding.charts]
    tables = [table_view(name, result, lang) for name, result in finding.tables.items()]
    return {
        "finding": finding,
        "title": translate(lang, Text(f"lens.{finding.lens}")),
        "question": translate(lang, Text(f"lens.{finding.lens}.question")),
        "headline": translate(lang, finding.headline),
        "figures": _key_figures(finding, lang),
        "cards": cards_view(finding, lang),
        "invented": [translate(lang, c.text) for c in finding.caveats if c.level == "invented"],
        **_caveats(finding, lang),
        "charts": [
            {"title": title, "wide": d.wide, "number": i}
            for i, (title, d) in enumerate(zip(titles, charts, strict=True))
        ],
        "tables": [
            {"number": i, **{k: t[k] for k in ("name", "title", "total", "aside", "lead")}}
            for i, t in enumerate(tables)
        ],
        "inputs": [_input(i, lang) for i in finding.provenance.inputs],
        "steps": [_step(s, lang) for s in finding.provenance.steps],
        "formats": WHOLE,
        "again": f"/{lang}/ask/{finding.lens}?{urlencode(_given(finding.params))}",
        "command": command(finding.lens, finding.params, lang),
        "address": f"/api/v1/ask/{finding.lens}?{urlencode(_given(finding.params))}",
        "python": _python(finding.lens, finding.params),
        "data": {
            "finding": finding.id,
            "lang": lang,
            "charts": [
                {"option": d.option, "height": d.height, "table": c.table}
                for d, c in zip(charts, finding.charts, strict=True)
            ],
            "tables": tables,
        },
    }


def _key_figures(finding: Finding, lang: str) -> list[dict[str, str]]:
    """The main table as a few figures to begin with, where its rows are measures with bounds."""
    table = finding.tables[finding.main]
    if table.key != ("measure",) or not set(_BOUNDS) <= set(table.data.column_names):
        return []
    found = []
    for row in table.data.to_pylist():
        span = amounts(row["low"], row["high"], row["unit"])[lang]
        known = row["value"] is not None
        value = amount(row["value"], row["unit"])[lang] if known else span
        said = {"name": translate(lang, Text(row["measure"])), "value": value, "span": span if known else ""}
        found.append({**said, "share": "" if row["share_top"] is None else cell(table.field("share_top"),
                                                                             row["share_top"], lang)})  # fmt: skip
    return found


def _caveats(finding: Finding, lang: str) -> dict[str, list[tuple[str, str]]]:
    """``caveats`` to read first, warnings before notes, and ``folded`` ones behind them where there are many."""
    said = [(c.level, translate(lang, c.text)) for c in finding.caveats if c.level != "invented"]
    said.sort(key=lambda c: c[0] != "warning")
    first = len(said) if len(said) <= _MANY else _FIRST
    return {"caveats": said[:first], "folded": said[first:]}


def table_view(name: str, result: Result, lang: str) -> dict[str, Any]:
    """One result table: names first, figures as raw values (to sort by) and texts (to read)."""
    fields = visible(result, lang)
    name_first = next((f for f in fields if f.lang == lang), fields[0])
    fields = [name_first, *(f for f in fields if f is not name_first)]
    rows = result.data.slice(0, ROWS).to_pylist()
    columns = []
    for field in fields:
        raw = [row[field.name] for row in rows]
        text = [cell(field, row[field.name], lang, row) for row in rows]
        figure = field.kind in _FIGURES
        columns.append(
            {
                "name": field.name,
                "title": label(field, lang),
                "figure": figure,
                "share": field.kind == "share",
                "raw": raw if figure or field.kind == "year" else text,
                "text": text if figure else None,
                "basis": _basis(field),
            }
        )
    return {
        "name": name,
        "title": translate(lang, result.title),
        "columns": columns,
        "rows": len(rows),
        "total": result.data.num_rows,
        "aside": result.aside,
        "lead": translate(lang, result.lead) if result.lead is not None else "",
    }


def _basis(field: Field) -> str | None:
    if field.basis is None:
        return None
    if isinstance(field.basis, Child):
        return "child"
    return "matrix" if isinstance(field.basis, Matrix) else "rows"


def _input(one: Input, lang: str) -> dict[str, Any]:
    known = datasets()
    title = known[one.dataset].title[lang] if one.dataset in known else one.dataset
    return {"title": title, "input": one}


def _step(step: Any, lang: str) -> dict[str, Any]:
    params = {}
    for name, value in step.params.items():
        key = f"param.{name}"
        params[translate(lang, Text(key)) if has(key) else name] = value
    note = translate(lang, step.note) if step.note else ""
    return {"kernel": step.kernel, "formula": step.formula, "paper": step.paper, "note": note, "params": params}


def _given(params: Any) -> dict[str, str]:
    return {k: _plain(v) for k, v in params.items() if v is not None and v != ""}


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def command(lens: str, params: Any, lang: str) -> str:
    """The command that gives the same answer."""
    flags = [f"--{k.replace('_', '-')} {shlex.quote(v)}" for k, v in _given(params).items()]
    return " ".join(["ronghe ask", lens, *flags, f"--lang {lang}"])


def _python(lens: str, params: Any) -> str:
    words = [repr(lens), *(f"{k}={v!r}" for k, v in params.items() if v is not None)]
    return f"ronghe.open().ask({', '.join(words)})"
