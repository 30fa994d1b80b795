"""A finding: an answer in tables, with how each figure can be traced."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ronghe.model.provenance import Provenance
from ronghe.model.text import Text

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Cell:
    """In a basis: the value that this row of the result holds in ``column``."""

    column: str


def held_by(value: Any, row: Mapping[str, Any]) -> Any:
    """What a basis names, for one row of the result: a ``Cell`` read, anything else as it is."""
    return row[value.column] if isinstance(value, Cell) else value


@dataclass(frozen=True, slots=True)
class Rows:
    """The figure comes from the rows of ``table`` where every named column matches.

    A match is a literal, a tuple of literals (any of them) or a ``Cell`` of the result's own row; so is the table,
    where the rows of one result come from different ones.
    """

    table: str | Cell
    where: Mapping[str, Scalar | tuple[Scalar, ...] | Cell]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every cell of the named rows matters; the lens names the paths that contribute most."""

    table: str | Cell
    where: Mapping[str, Scalar | tuple[Scalar, ...] | Cell]


@dataclass(frozen=True, slots=True)
class Child:
    """The figure is another finding's: its id, table, column and how the row is found there."""

    finding: str
    table: str
    column: str
    where: Mapping[str, Scalar | Cell]


Basis = Rows | Matrix | Child


@dataclass(frozen=True, slots=True)
class Field:
    """What a column of a result means.

    ``label`` is a locale key's text; ``lang`` is set on a column that holds names in one language
    (``name_zh``, ``name_en``): surfaces show the reader's. ``kind`` is how to show it: ``text``,
    ``number``, ``integer``, ``share`` (a fraction shown as %), ``year``, ``class`` (shown as the locales'
    ``class.<name>.<value>``), ``key`` (the value is itself a key of the locales).
    ``unit`` is a code of ``units.csv``, or ``=column`` where each row has its own.
    """

    name: str
    label: Text
    kind: str = "number"
    unit: str = "none"
    basis: Basis | None = None
    lang: str | None = None
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One table of a finding: the Arrow data, its fields in order, and the key that names a row.

    ``aside`` marks a table that is looked up and not read through: a page folds it, every export has it whole.
    ``lead`` is what the table says in a sentence, where a finding has several parts.
    """

    data: pa.Table
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    title: Text
    aside: bool = False
    lead: Text | None = None

    def to_pandas(self) -> Any:
        """The data as a pandas frame."""
        return self.data.to_pandas()

    def field(self, name: str) -> Field:
        """The field of that name; ``KeyError`` when there is none."""
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture over one result table; ``encode`` says which column plays which part.

    ``kind``: ``bar``, ``line``, ``scatter``, ``graph``, ``sankey``, ``tilemap``, ``heatmap``, ``radar``,
    ``interval`` (a point with its interval), ``ridge``, ``waterfall``. An encoding that ends in ``_zh`` or
    ``_en`` is given without its ending. ``options`` are plain values (limits, reference lines, sort).
    """

    kind: str
    table: str
    encode: Mapping[str, str]
    title: Text
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spark:
    """Small bars beside a line of a card: the rows of ``table`` that agree with the line in every column of ``by``."""

    table: str
    x: str
    y: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cards:
    """One result table read as cards: a card for each ``name``, in it a line for each row.

    Columns that end in ``_zh`` or ``_en`` are given without their ending. A figure that is missing is left out;
    lines without any figure are told together by their ``remark``, so that nothing missing looks like a zero.

    Attributes
    ----------
    table : the table whose rows are shown. title : what the cards are.
    name, line : the columns that name a card, and a line in it.
    figures : the columns shown, in order.
    period : the columns of the first and last year that a line counts, where it has such.
    remark : a column of kind ``class`` that says what to mind of a line, or why it has no figures.
    spark : a series beside every line.
    """

    table: str
    title: Text
    name: str
    line: str
    figures: tuple[str, ...]
    period: tuple[str, str] | None = None
    remark: str | None = None
    spark: Spark | None = None

    def shows(self, field: Field) -> bool:
        """Whether a column of the table stands on the cards."""
        names = {self.name, self.line, *self.figures, *(self.period or ()), self.remark}
        return field.name in names or (field.lang is not None and field.name.removesuffix(f"_{field.lang}") in names)


@dataclass(frozen=True, slots=True)
class Caveat:
    """What a reader must know before believing: ``level`` is ``note``, ``warning`` or ``invented``."""

    level: str
    text: Text


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of a lens on one snapshot. Its id is the hash of lens, version, parameters, snapshot, code."""

    id: str
    lens: str
    version: int
    params: Mapping[str, Any]
    headline: Text
    tables: Mapping[str, Result]
    charts: tuple[Chart, ...]
    caveats: tuple[Caveat, ...]
    provenance: Provenance
    cards: tuple[Cards, ...] = ()

    @property
    def main(self) -> str:
        """The name of the first table: what a command prints."""
        return next(iter(self.tables))
