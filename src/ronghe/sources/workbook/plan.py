"""A mapping met with a sheet: which column feeds which contract column, in which unit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from ronghe.errors import MappingError, nearest
from ronghe.model.table import Column, Table, contract
from ronghe.model.units import find_unit, units
from ronghe.sources.workbook.cells import Read, Reader
from ronghe.sources.workbook.grid import Sheet, column_index, letter
from ronghe.sources.workbook.headers import Header, locate, one_column
from ronghe.sources.workbook.mapping import DEFAULTS, ColumnSpec, SheetMapping
from ronghe.sources.workbook.values import Kind, fits


@dataclass(frozen=True, slots=True)
class Field:
    """A contract column and where its texts come from: a column of the sheet, or one constant."""

    column: Column
    heading: str
    reader: Reader
    index: int | None = None
    constant: pa.Scalar | None = None
    fill_down: bool = False

    @property
    def fills_merges(self) -> bool:
        """Whether a cell merged over several data rows stands for all of them: labels do, figures don't."""
        return self.column.key or self.column.type in {"str", "list"}


@dataclass(frozen=True, slots=True)
class Measure:
    """A melted column: its cells are records; ``fills`` are the contract columns its heading gives."""

    index: int
    heading: str
    reader: Reader
    fills: Mapping[str, Read]
    texts: Mapping[str, str]
    unit: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is needed to turn a sheet's rows into contract rows."""

    table: Table
    mapping: SheetMapping
    header: Header
    fields: tuple[Field, ...]
    measures: tuple[Measure, ...] = ()
    indices: Mapping[str, int] = field(default_factory=dict)

    @property
    def label(self) -> int:
        """The leftmost column that a label may stand in: totals and repeated headings are told by it."""
        found = [f.index for f in self.fields if f.index is not None]
        return min(found) if found else 0


def plan(sheet: Sheet, mapping: SheetMapping, file: str) -> Plan:
    """Find every heading the mapping names and settle every unit.

    Raises
    ------
    MappingError : a heading is not there or not unique, a constant does not parse, a unit is unknown or differs.
    """
    wanted = [spec.header for spec in mapping.columns.values() if spec.header is not None]
    melt = mapping.melt
    header = locate(sheet, mapping.source, [*wanted, *(melt.columns if melt else ())], melt.pattern if melt else None)
    maker = _Maker(contract(mapping.table), mapping, header, sheet, file)
    fields = maker.fields()
    measures = maker.measures() if melt else ()
    return Plan(maker.table, mapping, header, fields, measures, maker.indices(fields))


@dataclass(frozen=True, slots=True)
class _Maker:
    table: Table
    mapping: SheetMapping
    header: Header
    sheet: Sheet
    file: str

    def indices(self, fields: tuple[Field, ...]) -> dict[str, int]:
        return {f.column.name: f.index for f in fields if f.index is not None}

    def fields(self) -> tuple[Field, ...]:
        specs = dict(self.mapping.columns)
        for (table, name), text in DEFAULTS.items():
            filled = self.mapping.melt.fills if self.mapping.melt else ()
            if table == self.table.name and name not in specs and name not in filled:
                specs[name] = ColumnSpec(value=text)
        made = [self._field(name, spec) for name, spec in specs.items()]
        return (*made, *self._unit_field(made))

    def _field(self, name: str, spec: ColumnSpec) -> Field:
        column = self.table.column(name)
        index = self._index(spec)
        kind = self._kind(column, spec, index)
        reader = Reader(self.table.name, column, spec, kind)
        if index is not None:
            heading = self.header.name(index) or letter(index)
            return Field(column, heading, reader, index, fill_down=spec.fill_down)
        text = self._constant_text(name, spec)
        read = reader.read(pa.array([text], pa.string()))
        if read.faults:
            fault = read.faults[0]
            raise MappingError("mapping_constant", column=name, value=text, expected=fault.expected)
        return Field(column, name, reader, None, read.values[0])

    def _index(self, spec: ColumnSpec) -> int | None:
        if spec.header is not None:
            return one_column(self.header, spec.header, self.file)
        if spec.letter is None:
            return None
        index = column_index(spec.letter)
        if index >= self.sheet.width:
            known = [letter(i) for i in range(self.sheet.width)]
            raise MappingError("mapping_letter", column=spec.letter, sheet=self.sheet.part or self.file, known=known)
        return index

    def _constant_text(self, name: str, spec: ColumnSpec) -> str:
        if spec.value is not None:
            return spec.value
        pattern = spec.sheet if spec.sheet is not None else spec.file or ""
        text = self.sheet.part if spec.sheet is not None else self.file
        found = re.search(pattern, text)
        if not found:
            raise MappingError("mapping_pattern", column=name, pattern=pattern, text=text)
        return found.group(1) if found.groups() else found.group()

    def _kind(self, column: Column, spec: ColumnSpec, index: int | None, melted: str | None = None) -> Kind:
        unit, target = None, None
        if column.type == "float" and column.unit and not column.unit.startswith("="):
            target = column.unit
            unit = melted or spec.unit or (target if index is None else self._unit(index, column.name, target))
            self._convertible(unit, target, column.name, index)
        elif column.unit == "=unit":
            unit, target = self._free_units(spec.unit or melted, index)
        return Kind(
            type=column.type,
            missing=self.mapping.missing if spec.missing is None else spec.missing,
            unit=unit,
            target=target,
            timezone=self.mapping.source.timezone,
            separator=spec.separator,
            is_year=column.high == 2100,
            suffixes=column.unit != "=unit" or target is not None,
        )

    def _unit(self, index: int, column: str, target: str) -> str:
        """The unit of a column whose contract fixes one: the heading's, a fitting line's, else the plain base unit."""
        found = self.header.unit(index)
        if found and not (found == self.header.line_unit and not fits(found, target)):
            return found
        if units()[target].factor == 1:
            return target
        raise MappingError("mapping_unit_missing", header=self.header.name(index), column=column, unit=target)

    def _free_units(self, given: str | None, index: int | None) -> tuple[str | None, str | None]:
        """Unit and target where each row states its own unit: known only when it is the same for all rows."""
        stated = self.mapping.columns.get("unit")
        if stated is not None and stated.value is None:
            return None, None
        found = given or (self.header.unit(index) if index is not None else None)
        target = _code(stated.value) if stated and stated.value is not None else found
        if target is None:
            name = self.header.name(index) if index is not None else "value"
            raise MappingError("mapping_unit_missing", header=name, column="value", unit="none")
        self._convertible(found or target, target, "value", index)
        return found or target, target

    def _convertible(self, unit: str, target: str, column: str, index: int | None) -> None:
        if not fits(unit, target):
            name = self.header.name(index) if index is not None else column
            raise MappingError("mapping_unit_differs", header=name, column=column, unit=unit, target=target)

    def _unit_field(self, made: list[Field]) -> list[Field]:
        """The unit column of rows whose one unit is known from the heading."""
        names = {f.column.name for f in made}
        if "unit" in names or self.mapping.melt:
            return []
        for found in made:
            if found.column.unit == "=unit":
                column = self.table.column("unit")
                reader = Reader(self.table.name, column, ColumnSpec(), Kind("str", ()))
                return [Field(column, "unit", reader, None, pa.scalar(found.reader.kind.target))]
        return []

    def measures(self) -> tuple[Measure, ...]:
        melt = self.mapping.melt
        if melt is None:
            return ()
        found: dict[int, dict[str, str]] = {}
        if melt.pattern:
            for index, match in self.header.matching(melt.pattern):
                groups = match.groupdict() or {melt.into or "": match.group(1) if match.groups() else match.group()}
                found[index] = {name: text or "" for name, text in groups.items()}
        for heading, given in melt.columns.items():
            found[one_column(self.header, heading, self.file)] = dict(given)
        taken = {one_column(self.header, s.header, self.file) for s in self.mapping.columns.values() if s.header}
        made = tuple(self._measure(index, given) for index, given in sorted(found.items()) if index not in taken)
        if not made:
            raise MappingError(
                "mapping_melt_nothing", pattern=melt.pattern or "", sheet=self.sheet.part or self.file,
                known=self.header.names,
            )  # fmt: skip
        return made

    def _measure(self, index: int, given: dict[str, str]) -> Measure:
        melt = self.mapping.melt
        if melt is None:
            raise AssertionError("a measure without [melt]")
        unit = given.pop(":unit", None) or melt.unit
        value = self.table.column(melt.value)
        spec = ColumnSpec()
        kind = self._kind(value, spec, index, unit)
        texts = {name: melt.map.get(text.strip(), text.strip()) for name, text in given.items()}
        names = {c.name for c in self.table.columns}
        if "raw_name" in names and "indicator" in texts and "raw_name" not in self.mapping.columns:
            texts.setdefault("raw_name", self.header.name(index))
        fills = {name: self._fill(name, text) for name, text in texts.items()}
        stated = "unit" in self.mapping.columns or "unit" in texts or value.unit != "=unit"
        reader = Reader(self.table.name, value, spec, kind)
        return Measure(index, self.header.name(index), reader, fills, texts, None if stated else kind.target)

    def _fill(self, name: str, text: str) -> Read:
        column = self.table.column(name)
        kind = Kind(column.type, (), is_year=column.high == 2100)
        return Reader(self.table.name, column, ColumnSpec(), kind).read(pa.array([text], pa.string()))


def _code(text: str) -> str:
    code = text if text in units() else find_unit(text)
    if code is None:
        raise MappingError("mapping_unit", unit=text, where="columns.unit", known=nearest(text, units()))
    return code
