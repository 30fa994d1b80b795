"""A first mapping for a file nobody has described yet: a draft, with what is uncertain said in both languages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa

from ronghe.errors import MappingError, nearest
from ronghe.model.table import Table, contract, contracts
from ronghe.model.units import units
from ronghe.sources.base import RawFile
from ronghe.sources.workbook.grid import letter
from ronghe.sources.workbook.headers import Header, build, guess_rows
from ronghe.sources.workbook.likeness import SURE, YEARS, Draft, Match, assign, best_table, is_numeric, likeness
from ronghe.sources.workbook.mapping import DEFAULTS, SourceSpec
from ronghe.sources.workbook.reading import open_book
from ronghe.sources.workbook.values import fits

SAMPLE = 40
"""Rows below the heading that are looked at."""


def guess(raw: RawFile, table: str | None = None) -> str:
    """A mapping file for ``raw`` as commented TOML, to be edited by hand.

    Parameters
    ----------
    raw : any file the workbook source reads.
    table : the contract it is for; where absent, the contract whose columns fit best.

    Raises
    ------
    SourceError : the file can't be read.
    MappingError : there is no such contract, or the sheet has no heading.
    """
    if table is not None and table not in contracts():
        raise MappingError("mapping_table", name=table, known=nearest(table, contracts()))
    draft = _draft(raw)
    target = contract(table) if table else best_table(draft)
    writer = _Writer(raw, draft, target, _shape(draft, target))
    return "\n".join(writer.lines()) + "\n"


def _draft(raw: RawFile) -> Draft:
    book = open_book(raw, SourceSpec())
    sheet = book.sheets[0]
    rows = guess_rows(sheet)
    if sheet.labelled and not rows:
        raise MappingError("header_none", sheet=sheet.part or raw.name)
    header = build(sheet, rows) if rows else Header(sheet.part, (), tuple((name,) for name in sheet.head[0]))
    samples: list[list[str]] = [[] for _ in range(sheet.width)]
    for batch in sheet.batches():
        below = [at for at, row in enumerate(batch.rows.to_pylist()) if row > header.last][:SAMPLE]
        places = pa.array(below, pa.int64())
        samples = [batch.columns[c].take(places).to_pylist() for c in range(sheet.width)]
        break
    return Draft(sheet, header, samples, [name for name, _ in book.others])


@dataclass(frozen=True, slots=True)
class _Shape:
    """The headings that fill columns, those that are melted, the contract columns these fill, and by which pattern."""

    matches: Sequence[Match]
    melted: Sequence[int] = ()
    fills: tuple[str, ...] = ()
    pattern: str = ""


def _shape(draft: Draft, target: Table) -> _Shape:
    if target.name != "indicator":
        return _Shape(assign(target, draft, set()))
    header = draft.header
    grouped = rf"(?P<indicator>.+) / {YEARS}", rf"{YEARS} / (?P<indicator>.+)"
    for pattern, fills in ((grouped[0], 2), (grouped[1], 2), (YEARS, 1)):
        found = [index for index, _ in header.matching(pattern)]
        groups = {header.paths[i][:-1] if pattern == grouped[0] else header.paths[i][1:] for i in found}
        if len(found) < 2 or (fills == 2 and len(groups) < 2):
            continue
        names = ("year", "indicator")[:fills]
        kept = [m for m in assign(target, draft, set(found)) if m.column.name not in {"value", *names}]
        return _Shape(kept, found, names, pattern)
    matches = assign(target, draft, set())
    if any(m.column.name == "value" for m in matches):
        return _Shape(matches)
    kept = [m for m in matches if m.column.name in {"region", "year", "industry"}]
    used = {m.index for m in kept}
    figures = [i for i, path in enumerate(header.paths) if path and i not in used and is_numeric(draft, i)]
    return _Shape(kept, figures, ("indicator",)) if figures else _Shape(matches)


@dataclass(frozen=True, slots=True)
class _Writer:
    raw: RawFile
    draft: Draft
    target: Table
    shape: _Shape

    def lines(self) -> list[str]:
        lines = [*self._preamble(), "[columns]"]
        for match in self.shape.matches:
            lines += self._column(match)
        for name in self._needed():
            lines += self._required(name)
        lines += self._unused()
        if self.shape.melted:
            lines += ["", *(self._melt_years() if self.shape.pattern else self._melt_indicators())]
        return lines

    def _preamble(self) -> list[str]:
        draft, target = self.draft, self.target
        name = re.sub(r"\s+", " ", self.raw.name)
        lines = [
            _remark(f"{name} 的映射草稿，请核对后使用", f"a draft for {name}: check it before use"),
            _remark(f"写入数据表：{target.name_zh}", f"fills the table: {target.name_en}"),
            f"table = {_quoted(target.name)}",
            "",
            "[source]",
        ]
        if draft.unread:
            others = re.sub(r"\s+", " ", "、".join(draft.unread[:8]))
            lines.append(_remark(f"其他工作表未读：{others}", "other sheets are not read"))
        if draft.sheet.part:
            lines.append(f"sheet = {_quoted(draft.sheet.part)}")
        if draft.header.rows:
            if draft.header.rows != (1,):
                lines.append(_remark("表头所在行，请核对", "where the heading stands: please check"))
            lines.append(f"header_rows = {list(draft.header.rows)}")
        return [*lines, ""]

    def _place(self, index: int) -> str:
        """How a mapping names the column: by its heading where that is unique, else by its letter."""
        name = self.draft.header.name(index)
        if self.draft.header.find(name) == [index]:
            return f"from = {_quoted(name)}"
        return f"column = {_quoted(letter(index))}"

    def _column(self, match: Match) -> list[str]:
        parts, lines = [self._place(match.index)], []
        if match.score < SURE:
            lines.append(_remark(f"不确定（相似度 {match.score:.0f}）", f"uncertain (likeness {match.score:.0f})"))
        unit = match.column.unit
        if unit and not unit.startswith("="):
            stated = self.draft.header.unit(match.index)
            if stated is None and units()[unit].factor != 1:
                lines.append(_remark("文件未写单位，请确认", "the file states no unit: please confirm"))
                parts.append(f"unit = {_quoted(unit)}")
            elif stated and not fits(stated, unit):
                lines.append(
                    _remark(f"表头单位 {stated} 与 {unit} 不符", f"the heading's unit {stated} is not a {unit}")
                )
                parts.append(f"unit = {_quoted(unit)}")
        if parts[0].startswith("from = ") and len(parts) == 1:
            return [*lines, f"{match.column.name} = {parts[0].removeprefix('from = ')}"]
        return [*lines, f"{match.column.name} = {{ {', '.join(parts)} }}"]

    def _needed(self) -> list[str]:
        """Required contract columns that neither a heading nor the melt fills."""
        given = {match.column.name for match in self.shape.matches}
        if self.shape.melted:
            given |= {"value", "unit", *self.shape.fills}
        return [c.name for c in self.target.columns if not c.nullable and c.name not in given]

    def _required(self, name: str) -> list[str]:
        column = self.target.column(name)
        default = DEFAULTS.get((self.target.name, name))
        if default:
            return [f"{name} = {{ value = {_quoted(default)} }}"]
        if name == "unit" and self.target.name == "indicator":
            value = next((m for m in self.shape.matches if m.column.name == "value"), None)
            if value and self.draft.header.unit(value.index):
                return []
            unsure = _remark("文件未写单位，请填写", "the file states no unit: please fill in")
            return [unsure, 'unit = { value = "none" }']
        remark = _remark(f"必填：{column.name_zh}", f"required: {column.name_en}")
        stated = self._from_surroundings(name)
        if stated:
            unsure = _remark("取自标题或文件名，请核对", "taken from the title or the file's name: please check")
            return [remark, unsure, f"{name} = {stated}"]
        alike = self._alike(name)
        if alike is not None:
            unsure = _remark("名称不在地区表中，按原文保留", "names that are in no region table, kept as written")
            return [remark, unsure, f"{name} = {{ {self._place(alike)}, resolve = false }}"]
        return [remark, f"# {name} = {_quoted('?')}"]

    def _from_surroundings(self, name: str) -> str | None:
        """The year or the indicator that the title above the table, the sheet or the file names."""
        title = self._title()
        if name == "indicator" and self.shape.pattern:
            return f"{{ value = {_quoted(title or PurePosixPath(self.raw.name).stem)} }}"
        if name == "year":
            for text in (title, self.draft.sheet.part, PurePosixPath(self.raw.name).stem):
                found = re.search(r"(?<!\d)((?:1[89]|20)\d\d)(?!\d)", text)
                if found:
                    return f"{{ value = {found.group(1)} }}"
        return None

    def _title(self) -> str:
        first = self.draft.header.rows[0] if self.draft.header.rows else 1
        for row in self.draft.sheet.head[: first - 1]:
            texts = [cell.strip() for cell in row if cell.strip()]
            if texts and not re.search(r"单位\s*[:：]", texts[0]):
                return re.sub(r"\s+", " ", texts[0])
        return ""

    def _alike(self, name: str) -> int | None:
        """A column called like a region whose names no region table knows: a city's districts, say."""
        if name != "region":
            return None
        column, header = self.target.column(name), self.draft.header
        used = {match.index for match in self.shape.matches} | set(self.shape.melted)
        free = [i for i, path in enumerate(header.paths) if path and i not in used and not is_numeric(self.draft, i)]
        return next((i for i in free if likeness(header.bare(i), column) >= SURE), None)

    def _unused(self) -> list[str]:
        used = {match.index for match in self.shape.matches} | set(self.shape.melted)
        if "region" in self._needed():
            used |= {index for index in [self._alike("region")] if index is not None}
        names = [self.draft.header.name(i) for i, path in enumerate(self.draft.header.paths) if path and i not in used]
        return [_remark(f"其余列：{'、'.join(names)}", "other columns")] if names else []

    def _melt_years(self) -> list[str]:
        lines = [
            _remark("表头含年份：把宽表转为长表", "headings hold years: turned into one row a cell"),
            "[melt]",
            'value = "value"',
            f"pattern = '{self.shape.pattern}'",
        ]
        if all(self.draft.header.unit(index) is None for index in self.shape.melted):
            lines.append(_remark("文件未写单位，请填写", "the file states no unit: please fill in"))
            lines.append('unit = "none"')
        return lines

    def _melt_indicators(self) -> list[str]:
        lines = [
            _remark("每列是一个指标：把宽表转为长表", "one column an indicator: turned into one row a cell"),
            "[melt]",
            'into = "indicator"',
            'value = "value"',
            "",
            "[melt.columns]",
        ]
        for index in self.shape.melted:
            header = self.draft.header
            if header.find(header.name(index)) != [index]:
                lines.append(_remark(f"表头重复：{header.name(index)}", "a heading that stands twice"))
                continue
            bare = _quoted(header.bare(index) or header.name(index))
            if header.unit(index):
                lines.append(f"{_quoted(header.name(index))} = {bare}")
            else:
                lines.append(_remark("文件未写单位，请填写", "the file states no unit: please fill in"))
                lines.append(f'{_quoted(header.name(index))} = {{ indicator = {bare}, unit = "none" }}')
        return lines


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\u{ord(m.group()):04x}", escaped) + '"'


def _remark(zh: str, en: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", f"# {zh} | {en}")
