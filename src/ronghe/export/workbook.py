"""Excel: a summary, a sheet for every table, and a sheet of sources. The same finding gives the same bytes."""

import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ronghe.errors import RongheError
from ronghe.export.delimited import summary
from ronghe.export.facts import Lines, clean, inputs, licences, shown, span, stamps, steps, t, title, traces
from ronghe.i18n import translate
from ronghe.model.finding import Field, Finding, Result
from ronghe.present import cell, label

MOST_ROWS = 1_048_576
_MOST_CHARS = 32_767
_CREATED = dt.datetime(2000, 1, 1)
_NARROW, _WIDE = 7, 46
_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 13},
    "stamp": {"bold": True, "font_color": "#C00000"},
    "faint": {"font_color": "#5B6878"},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter", "bg_color": "#EEF1F5"},
    "wrap": {"text_wrap": True, "valign": "top"},
    "plain": {"valign": "top"},
    "bold": {"bold": True, "valign": "top"},
}


class Book:
    """A workbook being written in memory."""

    def __init__(self, finding_title: str, comment: str) -> None:
        import xlsxwriter

        self._buffer = io.BytesIO()
        never = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self.book = xlsxwriter.Workbook(self._buffer, {"in_memory": True, **never})
        self.book.set_properties({"title": clean(finding_title), "comments": comment, "created": _CREATED})
        self._formats: dict[str, Any] = {}
        self._names: set[str] = {"history"}

    def close(self) -> bytes:
        """The file's bytes."""
        self.book.close()
        return self._buffer.getvalue()

    def style(self, name: str) -> Any:
        """A named style, or the format of a number pattern."""
        if name not in self._formats:
            self._formats[name] = self.book.add_format(_STYLES.get(name, {"num_format": name}))
        return self._formats[name]

    def sheet(self, name: str) -> Any:
        """A new sheet under a name that Excel takes: 31 characters, none of ``[]:*?/\\``, and no name twice."""
        plain = re.sub(r"[\[\]:*?/\\]", " ", clean(name)).strip().strip("'") or "-"
        chosen, number = plain[:31], 2
        while chosen.casefold() in self._names:
            chosen = f"{plain[: 31 - len(f' {number}')]} {number}"
            number += 1
        self._names.add(chosen.casefold())
        return self.book.add_worksheet(chosen)


def put(sheet: Any, row: int, column: int, value: Any, style: Any) -> None:
    """One value: text as text, never as a formula; a missing one as an empty cell."""
    if value is None:
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        text = clean(str(value))
        sheet.write_string(row, column, text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…", style)
    else:
        sheet.write_number(row, column, value, style)


def workbook(finding: Finding, lang: str) -> bytes:
    """The whole finding as an .xlsx file.

    Raises
    ------
    RongheError : a table has more rows than a sheet can hold.
    """
    book = Book(title(finding, lang), finding.id)
    top = [*((s, "stamp") for s in stamps(finding, lang)), (licences(finding, lang), "faint")]
    lines = summary(finding, lang)
    list_sheet(book, lines.title, top, [lines], lead=translate(lang, finding.headline))
    for result in finding.tables.values():
        _table_sheet(book, result, top, lang)
    behind = [inputs(finding.provenance.inputs, lang), steps(finding, lang), traces(finding, lang)]
    list_sheet(book, t(lang, "sources"), top, behind)
    return book.close()


def banner(book: Book, sheet: Any, heading: str, top: Iterable[tuple[str, str]]) -> int:
    """Title and stamps on top of a sheet; gives the first free row."""
    row = 1
    put(sheet, 0, 0, heading, book.style("title"))
    for text, style in top:
        put(sheet, row, 0, text, book.style(style))
        row += 1
    return row


def _table_sheet(book: Book, result: Result, top: Sequence[tuple[str, str]], lang: str) -> None:
    heading = translate(lang, result.title)
    sheet = book.sheet(heading)
    lead = [] if result.lead is None else [(translate(lang, result.lead), "plain")]
    head = banner(book, sheet, heading, [*lead, *top])
    fields, rows = shown(result, lang)
    if head + 1 + len(rows) > MOST_ROWS:
        raise RongheError("export_rows", rows=len(rows), most=MOST_ROWS)
    heads = [label(f, lang) for f in fields]
    for j, (field, text) in enumerate(zip(fields, heads, strict=True)):
        put(sheet, head, j, text, book.style("head"))
        values = [row[j] for row in rows]
        pattern = number_format(field, values)
        style = book.style(pattern or "plain")
        for i, value in enumerate(values, start=head + 1):
            put(sheet, i, j, value, style)
        sheet.set_column(j, j, _width(field, text, values, lang))
    sheet.set_row(head, 15 * max(_folds(f, h, r, lang) for f, h, r in _columns(fields, heads, rows)))
    sheet.freeze_panes(head + 1, _names_first(fields))
    sheet.autofilter(head, 0, head + max(len(rows), 1), max(len(fields) - 1, 0))


def _columns(
    fields: Sequence[Field], heads: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[tuple[Field, str, list[Any]]]:
    return [(f, h, [row[j] for row in rows]) for j, (f, h) in enumerate(zip(fields, heads, strict=True))]


def _names_first(fields: Sequence[Field]) -> int:
    """How many columns stay in sight: the names a table begins with, three at most."""
    count = 0
    while count < min(3, len(fields) - 1) and fields[count].kind in {"text", "class", "key"}:
        count += 1
    return count


def _width(field: Field, head: str, values: Sequence[Any], lang: str) -> float:
    """A width in characters at which figures show whole and headings fold into two lines or three."""
    longest = max((span(v if isinstance(v, str) else cell(field, v, lang)) for v in values), default=0)
    return float(min(max(longest + 2, span(head) // 2 + 3, _NARROW), _WIDE))


def _folds(field: Field, head: str, values: Sequence[Any], lang: str) -> int:
    return -(-(span(head) + 2) // max(int(_width(field, head, values, lang)) - 2, 1))


def number_format(field: Field, values: Sequence[Any]) -> str:
    """The pattern that shows a column of figures as the page does; empty for text."""
    figures = [abs(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if not figures:
        return ""
    if field.kind == "year":
        return "0"
    if field.kind == "share":
        return "0%" if field.digits == 0 else f"0.{'0' * (1 if field.digits is None else field.digits)}%"
    if field.digits is not None:
        return f"#,##0.{'0' * field.digits}" if field.digits else "#,##0"
    if field.kind == "integer" or all(float(v).is_integer() for v in figures):
        return "#,##0"
    least, most = min((v for v in figures if v), default=0.0), max(figures)
    if least < 0.001:
        return "0.00E+00" if most < 1 else "#,##0.0000"
    return "#,##0.0000" if least < 1 else "#,##0.00"


def list_sheet(
    book: Book, heading: str, top: Sequence[tuple[str, str]], blocks: Sequence[Lines], lead: str = ""
) -> None:
    """A sheet of plain lists below one another."""
    sheet = book.sheet(heading)
    row = banner(book, sheet, lead or heading, top) + 1
    for lines in blocks:
        if len(blocks) > 1:
            put(sheet, row, 0, lines.title, book.style("bold"))
            row += 1
        for j, text in enumerate(lines.headings):
            put(sheet, row, j, text, book.style("head"))
        for line in lines.rows:
            row += 1
            for j, value in enumerate(line):
                put(sheet, row, j, value, book.style("bold" if len(blocks) == 1 and j == 0 else "wrap"))
        row += 2
    if len(blocks) == 1:
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 1, 100)
    else:
        for j, width in enumerate((18, 28, 34, 34, 18, 44, 40, 44)):
            sheet.set_column(j, j, width)
