"""The concordance of Fraunhofer ISI (Neuhäusler, Frietsch and Kroll 2019): science, technology, industry.

``concordance_table.xlsx`` holds four matrices of shares, each column adding up to one; a record is a cell. A
column is what is split, a row what it is split into:

    science field -> technology field     ASJC -> WIPO35     which technologies a field's publications lead to
    science field -> IPC class            ASJC -> IPC
    technology field -> industry          WIPO35 -> NACE     which industries own a technology's patents
    IPC class -> industry                 IPC -> NACE

Zeros and totals are not stored. ``nace.xlsx`` names the industries, ``wipo.xlsx`` the technology fields; a record
is a row there. ``nace_ipc.xlsx`` and ``nace_wipo.xlsx`` repeat two of the matrices and are not read, nor is
``ipc.csv``, which has lost its line breaks.

Science fields carry the codes by which OpenAlex numbers its fields, so that a topic's ``field_code`` joins.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, rows_of, wanted
from ronghe.sources.technology_fields import ASJC, IPC, NACE, WIPO35, science_codes, science_fields, technology_fields

EXPECTED = Text("format.concordance")
_METHOD = "publisher"
_TITLES = 3
"""Lines above the headings of every sheet."""


@dataclass(frozen=True, slots=True)
class _Matrix:
    """Where one sheet's figures stand (from 0), and what its two sides are."""

    columns: tuple[str, str]
    rows: tuple[str, str]
    header: int
    label: int
    first: tuple[int, int]


_SHEETS: Mapping[str, _Matrix] = {
    "IPC classes by NACE sectors": _Matrix(IPC, NACE, 3, 1, (4, 2)),
    "WIPO35 classes by NACE sectors": _Matrix(WIPO35, NACE, 4, 1, (5, 2)),
    "Scientific disc. by IPC classes": _Matrix(ASJC, IPC, 3, 1, (5, 2)),
    "Scientific disc. by WIPO35 cl.": _Matrix(ASJC, WIPO35, 3, 2, (5, 3)),
}

_CLASSIFICATIONS: Mapping[tuple[str, str], tuple[str, str, str, str]] = {
    ASJC: ("学科领域（ASJC）", "Fields of science (ASJC)", "Elsevier", "topic"),
    WIPO35: ("技术领域（WIPO 35类）", "Technology fields (WIPO, 35)", "WIPO; Schmoch (2008)", "technology"),
    NACE: ("欧盟经济活动分类 NACE Rev.2", "NACE Rev. 2", "Eurostat", "industry"),
    IPC: ("国际专利分类（IPC）", "International Patent Classification", "WIPO", "technology"),
}


class PatentIndustryConcordance:
    """Science, technology and industry joined by shares. See the module for the files."""

    name = "patent_industry_concordance"
    version = "1"
    tables = ("crosswalk", "industry", "classification")

    def accepts(self, raw: RawFile) -> bool:
        """The matrices and the two lists of names."""
        return raw.name.rsplit("/", 1)[-1] in {"concordance_table.xlsx", "nace.xlsx", "wipo.xlsx"}

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """A chunk a sheet."""
        sheets = _read(raw)
        name = raw.name.rsplit("/", 1)[-1]
        if name == "concordance_table.xlsx":
            missing = [sheet for sheet in _SHEETS if sheet not in sheets]
            if missing:
                raise not_this_format(raw, EXPECTED, Text("why.no_sheet", {"name": missing[0]}))
            for sheet, cells in sheets.items():
                yield _matrix(sheet, cells)
            return
        if name not in {"nace.xlsx", "wipo.xlsx"} or not sheets:
            raise not_this_format(raw, EXPECTED, Text("why.no_such_file"))
        sheet, cells = next(iter(sheets.items()))
        header = ["Sector", "Code", "Label"] if name == "nace.xlsx" else ["Code", "Description"]
        if not cells or [str(cell) for cell in cells[0][: len(header)]] != header:
            raise not_this_format(raw, EXPECTED, Text("why.no_column", {"columns": header}))
        yield _industries(sheet, cells) if name == "nace.xlsx" else _fields(sheet, cells)


def _read(raw: RawFile) -> dict[str, list[list[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    if not raw.path.stat().st_size:
        raise SourceError("source_empty", file=raw.name)
    try:
        book = CalamineWorkbook.from_path(str(raw.path))
        return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except CalamineError as error:
        raise not_this_format(raw, EXPECTED, str(error)) from error


def _letters(column: int) -> str:
    """The letters of a column counted from 0: 0 -> A, 27 -> AB."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _matrix(sheet: str, cells: Sequence[Sequence[Any]]) -> Chunk:
    """One record a filled cell; a sheet that isn't one of the four is passed over, told."""
    filled = [(i, j, value) for i, line in enumerate(cells) for j, value in enumerate(line) if value not in ("", None)]
    layout = _SHEETS.get(sheet)
    if layout is None:
        return Chunk(len(filled), {}, [Skipped("other_sheet", len(filled), sheet)] if filled else [])
    columns = {j: _code(layout.columns, value) for j, value in enumerate(cells[layout.header])}
    rows: list[Mapping[str, Any]] = []
    rejected: list[Rejected] = []
    passed: dict[str, int] = {}
    for i, j, value in filled:
        label = cells[i][layout.label]
        why = _aside(layout, i, j, value, label)
        if why:
            passed[why] = passed.get(why, 0) + 1
            continue
        fault = _fault(layout, value, columns[j], label)
        if fault:
            rejected.append(Rejected(sheet, i + 1, *fault, col=_letters(j)))
            continue
        rows.append(_link(layout, str(columns[j]), str(_code(layout.rows, label)), float(value), sheet, i, j))
    skipped = [Skipped(why, number, sheet) for why, number in passed.items()]
    return Chunk(len(filled), {"crosswalk": rows_of("crosswalk", rows)}, skipped, rejected)


def _aside(layout: _Matrix, i: int, j: int, value: Any, label: Any) -> str | None:
    """Why a cell is no share, or nothing."""
    if i < _TITLES:
        return "title"
    if i < layout.first[0] or j < layout.first[1]:
        return "header"
    if str(label).strip() == "Total":
        return "subtotal"
    return "zero" if value == 0 else None


def _fault(layout: _Matrix, value: Any, column: str | None, label: Any) -> tuple[str, str, str, Text] | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return "weight", str(value)[:80], "type", wanted("between", low=0, high=1)
    if not 0 <= value <= 1:
        return "weight", str(value), "range", wanted("between", low=0, high=1)
    if column is None:
        return "from_code", str(value), "unknown_code", wanted("code_of", classification=layout.columns[0])
    if _code(layout.rows, label) is None:
        return "to_code", str(label)[:80], "unknown_code", wanted("code_of", classification=layout.rows[0])
    return None


def _code(kind: tuple[str, str], value: Any) -> str | None:
    """The code that a heading or label means; none where it is not one of the classification."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    if kind == ASJC:
        return science_codes().get(text)
    if kind == WIPO35:
        code = text.removeprefix("W35F")
        return code if code in technology_fields() else None
    if kind == NACE:
        # The workbook keeps codes as numbers: 1 is division 01.
        return text.zfill(2) if text.isdigit() and len(text) <= 2 else None
    return text if len(text) == 3 and text[0].isalpha() and text[1:].isdigit() else None


def _link(layout: _Matrix, source: str, target: str, weight: float, sheet: str, i: int, j: int) -> dict[str, Any]:
    return {
        "from_classification": layout.columns[0],
        "from_version": layout.columns[1],
        "from_code": source,
        "to_classification": layout.rows[0],
        "to_version": layout.rows[1],
        "to_code": target,
        "weight": weight,
        "method": _METHOD,
        "_part": sheet,
        "_row": i + 1,
        "_col": _letters(j),
    }


def _classification(kind: tuple[str, str], sheet: str, row: int) -> dict[str, Any]:
    zh, en, publisher, of = _CLASSIFICATIONS[kind]
    said = {"classification": kind[0], "version": kind[1], "name_zh": zh, "name_en": en, "publisher": publisher}
    return {**said, "kind": of, "_part": sheet, "_row": row, "_col": None}


def _industries(sheet: str, cells: Sequence[Sequence[Any]]) -> Chunk:
    """NACE: sections, divisions, groups and classes, each under the one before it."""
    rows: list[Mapping[str, Any]] = []
    rejected: list[Rejected] = []
    section = ""
    for number, line in enumerate(cells[1:], start=2):
        code, label = str(line[1]).strip(), str(line[2]).strip()
        if not code or not label:
            rejected.append(Rejected(sheet, number, "code", code, "null", wanted("code_label")))
            continue
        plain = code.replace(".", "")
        section = code if code.isalpha() else section
        level = 1 if code.isalpha() else len(plain)
        parent = None if level == 1 else section if level == 2 else code[:2] if level == 3 else code[:-1]
        name = label.capitalize() if label.isupper() else label
        rows.append(_named(NACE, code, None, name, parent, level, number - 1, sheet, number))
    return Chunk(len(cells), _tables(rows, NACE, sheet), (), rejected)


def _fields(sheet: str, cells: Sequence[Sequence[Any]]) -> Chunk:
    """The 35 technology fields, and with them the fields of science, whose names stand in the matrices."""
    rows: list[Mapping[str, Any]] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(cells[1:], start=2):
        code = str(line[0]).strip().removeprefix("W35F")
        names = technology_fields().get(code)
        if names is None:
            rejected.append(
                Rejected(
                    sheet,
                    number,
                    "code",
                    str(line[0])[:80],
                    "unknown_code",
                    wanted("between", low="W35F01", high="W35F35"),
                )
            )
            continue
        rows.append(_named(WIPO35, code, names["name_zh"], names["name_en"], None, 1, int(code), sheet, number))
    for order, (code, names) in enumerate(science_fields().items(), start=1):
        rows.append(_named(ASJC, code, names["name_zh"], names["name_en"], None, 1, order, sheet, 1))
    tables = _tables(rows, WIPO35, sheet)
    more = rows_of("classification", [_classification(kind, sheet, 1) for kind in (WIPO35, ASJC, IPC)])
    return Chunk(len(cells), {**tables, "classification": more}, (), rejected)


def _tables(rows: Sequence[Mapping[str, Any]], kind: tuple[str, str], sheet: str) -> dict[str, Any]:
    """The rows of both tables; the header's record gives the classification."""
    return {
        "industry": rows_of("industry", rows),
        "classification": rows_of("classification", [_classification(kind, sheet, 1)]),
    }


def _named(
    kind: tuple[str, str],
    code: str,
    zh: str | None,
    en: str,
    parent: str | None,
    level: int,
    order: int,
    sheet: str,
    row: int,
) -> dict[str, Any]:
    return {
        "classification": kind[0],
        "version": kind[1],
        "code": code,
        "name_zh": zh,
        "name_en": en,
        "parent": parent,
        "level": level,
        "order": order,
        "_part": sheet,
        "_row": row,
        "_col": None,
    }
