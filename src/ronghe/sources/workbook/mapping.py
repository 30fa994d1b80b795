"""What a mapping file says: which column of a sheet becomes which column of a contract.

The file is TOML; docs/guide/mapping.md shows every key. Here it becomes frozen dataclasses, checked
against the contract, so that everything later may trust it.
"""

import dataclasses
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ronghe.errors import MappingError, nearest
from ronghe.model.table import Column, Table, contract, contracts
from ronghe.model.units import find_unit, units

DEFAULTS: Mapping[tuple[str, str], str] = {("indicator", "industry"): "ALL"}
"""What a required column holds when a mapping says nothing: a regional panel is about all industries."""

MISSING = ("", "—", "——", "–", "…", "……", "#", "-", "--", "..", "...", "n/a", "N/A", "NA", "n.a.", "空", "无数据")
"""What stands for a missing value unless the mapping says otherwise."""

TOTALS = ("合计", "总计", "共计", "小计", "total", "grandtotal", "subtotal")
"""Labels of rows that can be computed from others; 全国 only when the mapping names it."""

NOTES = ("注", "资料来源", "数据来源", "来源", "说明", "备注", "note", "notes", "source", "sources")
"""How a line of notes below a table begins, before a colon or a number."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """``[source]``: where in the file the table stands, and how the file is written."""

    sheet: str | int | tuple[str, ...] | None = None
    header_rows: tuple[int, ...] | None = None
    first_row: int | None = None
    last_row: int | None = None
    skip_rows: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One line of ``[columns]``: exactly one of ``header``, ``letter``, ``value``, ``sheet``, ``file`` is set.

    ``header`` is the file's heading, ``letter`` the column as Excel letters it, ``value`` a constant,
    ``sheet`` and ``file`` patterns whose first group is taken from the sheet's or the file's name.
    """

    header: str | None = None
    letter: str | None = None
    value: str | None = None
    sheet: str | None = None
    file: str | None = None
    unit: str | None = None
    map: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None
    missing: tuple[str, ...] | None = None
    prefix: str = ""
    separator: str | None = None
    resolve: bool = True
    fill_down: bool = False


@dataclass(frozen=True, slots=True)
class MeltSpec:
    """``[melt]``: columns whose cells are the records; their headings fill contract columns."""

    value: str
    into: str | None = None
    pattern: str | None = None
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    map: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    fills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetMapping:
    """A whole mapping file, checked against the contract of ``table``."""

    table: str
    source: SourceSpec
    columns: Mapping[str, ColumnSpec]
    melt: MeltSpec | None = None
    missing: tuple[str, ...] = MISSING
    totals: tuple[str, ...] = TOTALS
    keep_totals: bool = False


def mapping_hash(mapping: SheetMapping, repairs: Mapping[tuple[str, int, str, str], str] | None = None) -> str:
    """The identity of a mapping: equal for files that differ only in order, spacing and comments.

    Repairs change what the same file gives, so they are part of it; none leave it as it is.
    """
    tree = dataclasses.asdict(mapping)
    if repairs:
        tree["repairs"] = sorted([*key, text] for key, text in repairs.items())
    text = json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_mapping(text: str, table: str | None = None) -> SheetMapping:
    """A mapping from its TOML text.

    Parameters
    ----------
    text : the file's content.
    table : the contract the rows are for; where absent, the file's own ``table`` key says it.

    Raises
    ------
    MappingError : not TOML, an unknown key, table, column or unit, or a required column without a source.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError("mapping_toml", why=str(error)) from error
    _only(tree, "", ("table", "source", "columns", "melt", "missing", "totals"))
    named = _text(tree, "table", "") or None
    if table and named and table != named:
        raise MappingError("mapping_table_differs", asked=table, named=named)
    target = _contract(table or named)
    missing, totals = _section(tree, "missing"), _section(tree, "totals")
    _only(missing, "missing", ("values", "replace"))
    _only(totals, "totals", ("labels", "keep", "replace"))
    columns = {name: _column(target, name, spec) for name, spec in _section(tree, "columns").items()}
    mapping = SheetMapping(
        table=target.name,
        source=_source(_section(tree, "source")),
        columns=columns,
        melt=_melt(target, _section(tree, "melt")) if "melt" in tree else None,
        missing=_extended(MISSING, missing, "missing", "values"),
        totals=_extended(TOTALS, totals, "totals", "labels"),
        keep_totals=bool(totals.get("keep", False)),
    )
    _complete(target, mapping)
    return mapping


def _contract(name: str | None) -> Table:
    if name is None:
        raise MappingError("mapping_no_table", known=sorted(contracts()))
    if name not in contracts():
        raise MappingError("mapping_table", name=name, known=nearest(name, contracts()))
    return contract(name)


def _only(tree: Mapping[str, Any], where: str, known: Sequence[str]) -> None:
    for key in tree:
        if key not in known:
            raise MappingError("mapping_key", key=f"{where}.{key}" if where else key, known=nearest(key, known))


def _section(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tree.get(key, {})
    if not isinstance(found, dict):
        raise MappingError("mapping_value", key=key, value=repr(found), expected=f"[{key}]")
    return found


def _wrong(where: str, key: str, value: Any, expected: str) -> MappingError:
    return MappingError("mapping_value", key=f"{where}.{key}" if where else key, value=repr(value), expected=expected)


def _text(tree: Mapping[str, Any], key: str, where: str) -> str:
    value = tree.get(key, "")
    if not isinstance(value, str):
        raise _wrong(where, key, value, '"…"')
    return value


def _strings(tree: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = tree.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(where, key, value, '["…", "…"]')
    return tuple(value)


def _numbers(tree: Mapping[str, Any], key: str, where: str) -> tuple[int, ...]:
    value = tree.get(key, [])
    if not isinstance(value, list) or not all(type(item) is int and item > 0 for item in value):
        raise _wrong(where, key, value, "[3, 4]")
    return tuple(sorted(set(value)))


def _number(tree: Mapping[str, Any], key: str, where: str) -> int | None:
    value = tree.get(key)
    if value is not None and (type(value) is not int or value < 1):
        raise _wrong(where, key, value, "1, 2, 3 …")
    return value


def _flag(tree: Mapping[str, Any], key: str, where: str, default: bool) -> bool:
    value = tree.get(key, default)
    if not isinstance(value, bool):
        raise _wrong(where, key, value, "true / false")
    return value


def _extended(base: tuple[str, ...], tree: Mapping[str, Any], where: str, key: str) -> tuple[str, ...]:
    given = _strings(tree, key, where)
    kept = () if _flag(tree, "replace", where, default=False) else base
    return tuple(dict.fromkeys((*kept, *given)))


def _source(tree: Mapping[str, Any]) -> SourceSpec:
    _only(tree, "source", [f.name for f in dataclasses.fields(SourceSpec)])
    sheet = tree.get("sheet")
    if isinstance(sheet, list):
        sheet = _strings(tree, "sheet", "source")
    elif isinstance(sheet, bool) or not isinstance(sheet, (str, int, type(None))):
        raise _wrong("source", "sheet", sheet, '"Sheet1", 1, ["A", "B"], "*"')
    rows = _numbers(tree, "header_rows", "source")
    if rows and rows != tuple(range(rows[0], rows[-1] + 1)):
        raise _wrong("source", "header_rows", list(rows), "[3, 4]")
    delimiter = _text(tree, "delimiter", "source")
    if len(delimiter) > 1:
        raise _wrong("source", "delimiter", delimiter, '",", ";", "|", "\\t"')
    return SourceSpec(
        sheet=sheet,
        header_rows=rows or None,
        first_row=_number(tree, "first_row", "source"),
        last_row=_number(tree, "last_row", "source"),
        skip_rows=_numbers(tree, "skip_rows", "source"),
        notes=_strings(tree, "notes", "source"),
        encoding=_text(tree, "encoding", "source") or None,
        delimiter=delimiter or None,
        timezone=_text(tree, "timezone", "source") or "UTC",
    )


_COLUMN_KEYS = ("from", "column", "value", "sheet", "file", "unit", "map", "default", "missing", "prefix")
_PLACES = ("from", "column", "value", "sheet", "file")


def _column(target: Table, name: str, spec: Any) -> ColumnSpec:
    known = [column.name for column in target.columns]
    if name not in known:
        raise MappingError("mapping_column", name=name, table=target.name, known=nearest(name, known))
    if isinstance(spec, str):
        return ColumnSpec(header=spec)
    where = f"columns.{name}"
    if not isinstance(spec, dict):
        raise _wrong("columns", name, spec, '"…" / { from = "…" }')
    _only(spec, where, (*_COLUMN_KEYS, "separator", "resolve", "fill_down"))
    if sum(key in spec for key in _PLACES) != 1:
        raise _wrong("columns", name, spec, " | ".join(f"{key} = …" for key in _PLACES))
    letter = _text(spec, "column", where).upper()
    if "column" in spec and not re.fullmatch("[A-Z]{1,3}", letter):
        raise _wrong(where, "column", spec["column"], '"A", "B", "AA"')
    return ColumnSpec(
        header=_text(spec, "from", where) if "from" in spec else None,
        letter=letter or None,
        value=_constant(spec["value"], where) if "value" in spec else None,
        sheet=_pattern(spec, "sheet", where),
        file=_pattern(spec, "file", where),
        unit=_unit(_text(spec, "unit", where), where),
        map=_table_of_texts(spec, "map", where),
        default=_constant(spec["default"], where) if "default" in spec else None,
        missing=_strings(spec, "missing", where) if "missing" in spec else None,
        prefix=_text(spec, "prefix", where),
        separator=_text(spec, "separator", where) or None,
        resolve=_flag(spec, "resolve", where, default=True),
        fill_down=_flag(spec, "fill_down", where, default=False),
    )


def _constant(value: Any, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "|".join(_constant(item, where) for item in value)
    if isinstance(value, dict):
        raise _wrong(where, "value", value, '"…", 2020, true')
    return str(value)


def _pattern(tree: Mapping[str, Any], key: str, where: str) -> str | None:
    if key not in tree:
        return None
    pattern = _text(tree, key, where)
    try:
        re.compile(pattern)
    except re.error as error:
        raise _wrong(where, key, pattern, str(error)) from error
    return pattern


def _table_of_texts(tree: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
    found = tree.get(key, {})
    if not isinstance(found, dict):
        raise _wrong(where, key, found, '{ "…" = "…" }')
    return {name: _constant(value, f"{where}.{key}") for name, value in found.items()}


def _unit(text: str, where: str) -> str | None:
    if not text:
        return None
    code = text if text in units() else find_unit(text)
    if code is None:
        raise MappingError("mapping_unit", unit=text, where=where, known=nearest(text, units()))
    return code


def _melt(target: Table, tree: Mapping[str, Any]) -> MeltSpec:
    _only(tree, "melt", ("value", "into", "pattern", "columns", "map", "unit"))
    names = {column.name: column for column in target.columns}
    value = _text(tree, "value", "melt") or "value"
    into = _text(tree, "into", "melt") or None
    for key, name in (("value", value), ("into", into)):
        if name is not None and name not in names:
            raise MappingError("mapping_column", name=name, table=target.name, known=nearest(name, names), key=key)
    pattern = _pattern(tree, "pattern", "melt")
    columns = _melt_columns(tree.get("columns", {}), into, names)
    if not pattern and not columns:
        raise _wrong("melt", "columns", dict(tree), "pattern = … / columns = …")
    groups = tuple(re.compile(pattern).groupindex) if pattern else ()
    fills = tuple(dict.fromkeys([*groups, *(k for given in columns.values() for k in given if k != ":unit")]))
    if pattern and not groups:
        if into is None:
            raise _wrong("melt", "pattern", pattern, "(?P<year>…) / into = …")
        fills = tuple(dict.fromkeys([into, *fills]))
    for name in fills:
        if name not in names:
            raise MappingError("mapping_column", name=name, table=target.name, known=nearest(name, names))
    return MeltSpec(
        value=value,
        into=into,
        pattern=pattern,
        columns=columns,
        map=_table_of_texts(tree, "map", "melt"),
        unit=_unit(_text(tree, "unit", "melt"), "melt"),
        fills=fills,
    )


def _melt_columns(given: Any, into: str | None, names: Mapping[str, Column]) -> dict[str, dict[str, str]]:
    if isinstance(given, list):
        given = {str(header): str(header) for header in given}
    if not isinstance(given, dict):
        raise _wrong("melt", "columns", given, '["2019年", "2020年"]')
    result: dict[str, dict[str, str]] = {}
    for header, target in given.items():
        if isinstance(target, dict):
            where = f"melt.columns.{header}"
            _only(target, where, (*names, "unit"))
            code = _unit(_text(target, "unit", where), where)
            filled = {k: _constant(v, where) for k, v in target.items() if k != "unit"}
            result[header] = filled | ({":unit": code} if code else {})
        elif into is None:
            raise _wrong("melt.columns", header, target, "{ indicator = … } / into = …")
        else:
            result[header] = {into: _constant(target, "melt.columns")}
    return result


def _complete(target: Table, mapping: SheetMapping) -> None:
    """Every required contract column has a source; units of ``=unit`` columns are settled with the sheet."""
    given = set(mapping.columns)
    if mapping.melt:
        given |= {mapping.melt.value, *mapping.melt.fills}
        twice = [name for name in (mapping.melt.value, *mapping.melt.fills) if name in mapping.columns]
        if twice:
            raise _wrong("columns", twice[0], "[melt]", "[columns] | [melt]")
    for column in target.columns:
        if column.nullable or column.name in given or (target.name, column.name) in DEFAULTS:
            continue
        if column.name == "unit" and any(other.unit == "=unit" for other in target.columns):
            continue
        raise MappingError("mapping_required", column=column.name, names=column.names, table=target.name)
