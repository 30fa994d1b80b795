"""From a figure back to its cells: the one function behind command, page and workbook."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from ronghe.errors import TraceError, UnknownName
from ronghe.lake.lake import plain
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.base import Context, LensSpec
from ronghe.model.finding import Child, Field, Finding, Matrix, Result, Rows, held_by
from ronghe.model.provenance import Step
from ronghe.model.serial import say
from ronghe.model.table import LINEAGE
from ronghe.model.text import Text

LIMIT = 200
"""Source rows shown for one figure; ``total`` says how many there are."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One source row: the finger on the cell."""

    dataset: str
    file: str
    sha256: str
    part: str
    row: int
    col: str | None
    table: str
    values: Mapping[str, Any]
    licence: str
    url: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """One path of a figure that a whole matrix makes, with its cells."""

    names: Mapping[str, str]
    value: float
    share: float
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A figure and where it comes from. ``basis`` is ``rows``, ``matrix``, ``child`` or ``key``."""

    finding: str
    table: str
    column: str
    label: Text
    unit: str
    key: Mapping[str, Any]
    value: Any
    basis: str
    steps: tuple[Step, ...]
    origins: tuple[Origin, ...]
    total: int
    paths: tuple[Contribution, ...] = ()
    child: "Trace | None" = None

    def document(self) -> dict[str, Any]:
        """The trace as a JSON document in both languages."""
        return {
            "finding": self.finding,
            "table": self.table,
            "column": self.column,
            "label": say(self.label),
            "unit": self.unit,
            "key": dict(self.key),
            "value": plain(self.value),
            "basis": self.basis,
            "steps": [
                {"kernel": s.kernel, "formula": s.formula, "paper": s.paper, "note": say(s.note) if s.note else None}
                for s in self.steps
            ],
            "origins": [asdict(o) for o in self.origins],
            "total": self.total,
            "paths": [asdict(p) for p in self.paths],
            "child": self.child.document() if self.child else None,
        }


@dataclass(frozen=True, slots=True)
class Tracer:
    """What a trace needs of the brain: snapshots, findings and lenses."""

    snapshot: Callable[[int], Snapshot]
    finding: Callable[[str], Finding]
    context: Callable[[Finding], tuple[LensSpec, Context]]

    def trace(self, finding: Finding, column: str, row: int | Mapping[str, Any], table: str | None = None) -> Trace:
        """Where one figure comes from.

        Parameters
        ----------
        finding : the answer the figure stands in.
        column : the figure's column.
        row : the row's number in the table (0 = first), or values of its key columns.
        table : the result table; the first one that has the column when not named.

        Raises
        ------
        UnknownName : no such table or column.
        TraceError : no such row.
        """
        name = table or _table_with(finding, column)
        if name not in finding.tables:
            raise UnknownName("unknown_result", name, finding.tables)
        result = finding.tables[name]
        if column not in {f.name for f in result.fields}:
            raise UnknownName("unknown_column", column, [f.name for f in result.fields], table=name)
        values = _row(result, row)
        field = result.field(column)
        key = {k: plain(values[k]) for k in result.key}
        return self._follow(finding, name, field, values, key)

    def _follow(
        self, finding: Finding, table: str, field: Field, values: Mapping[str, Any], key: Mapping[str, Any]
    ) -> Trace:
        basis = field.basis
        origins: tuple[Origin, ...] = ()
        paths: tuple[Contribution, ...] = ()
        child: Trace | None = None
        total, kind = 0, "key"
        snapshot = self.snapshot(finding.provenance.snapshot)
        if isinstance(basis, Rows):
            kind = "rows"
            origins, total = source_rows(snapshot, held_by(basis.table, values), _resolve(basis.where, values))
        elif isinstance(basis, Matrix):
            kind = "matrix"
            _, total = source_rows(snapshot, held_by(basis.table, values), _resolve(basis.where, values), limit=0)
            paths = self._paths(finding, snapshot, basis, table, field.name, values)
        elif isinstance(basis, Child):
            kind = "child"
            other = self.finding(basis.finding)
            child = self.trace(other, basis.column, _resolve(basis.where, values), basis.table)
        return Trace(
            finding=finding.id,
            table=table,
            column=field.name,
            label=field.label,
            unit=str(values.get(field.unit[1:], "")) if field.unit.startswith("=") else field.unit,
            key=key,
            value=values[field.name],
            basis=kind,
            steps=finding.provenance.steps,
            origins=origins,
            total=total,
            paths=paths,
            child=child,
        )

    def _paths(
        self,
        finding: Finding,
        snapshot: Snapshot,
        basis: Matrix,
        table: str,
        column: str,
        values: Mapping[str, Any],
    ) -> tuple[Contribution, ...]:
        spec, context = self.context(finding)
        if spec.explain is None:
            return ()
        found = []
        usual = held_by(basis.table, values)
        for path in spec.explain(context, finding, table, column, values):
            origins, _ = source_rows(snapshot, path.table or usual, path.cells, limit=10) if path.cells else ((), 0)
            found.append(Contribution(dict(path.names), path.value, path.share, origins))
        return tuple(found)


def where(row: str) -> int | dict[str, str]:
    """A row as a command or a URL names it: its number from 0, or ``key=value,key=value``.

    Raises
    ------
    TraceError : it is neither.
    """
    if key := dict(part.split("=", 1) for part in row.split(",") if "=" in part):
        return key
    try:
        return int(row)
    except ValueError as error:
        raise TraceError("trace_where", row=row) from error


def _table_with(finding: Finding, column: str) -> str:
    for name, result in finding.tables.items():
        if any(f.name == column for f in result.fields):
            return name
    known = dict.fromkeys(f.name for r in finding.tables.values() for f in r.fields)
    raise UnknownName("unknown_column", column, known, table=", ".join(finding.tables))


def _row(result: Result, row: int | Mapping[str, Any]) -> dict[str, Any]:
    rows = result.data.num_rows
    if isinstance(row, int):
        if not 0 <= row < rows:
            raise TraceError("trace_row", row=row, last=rows - 1)
        return dict(result.data.slice(row, 1).to_pylist()[0])
    columns = set(result.data.schema.names)
    for name in row:
        if name not in columns:
            raise UnknownName("unknown_column", name, result.key, table="")
    for values in result.data.to_pylist():
        if all(str(values[k]) == str(v) for k, v in row.items()):
            return dict(values)
    raise TraceError("trace_key", key=", ".join(f"{k}={v}" for k, v in row.items()), last=rows - 1)


def _resolve(where: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: held_by(v, values) for k, v in where.items()}


def source_rows(
    snapshot: Snapshot, table: str, where: Mapping[str, Any], limit: int = LIMIT
) -> tuple[tuple[Origin, ...], int]:
    """The lake's rows that match, as origins, and how many there are in all.

    A value that is a list or tuple matches any of its members; ``None`` matches a missing value.
    """
    rows = snapshot.table(table, where)
    total = int(snapshot.rows(rows.aggregate(n=rows.count())).column("n")[0].as_py())
    if not limit:
        return (), total
    found = snapshot.rows(rows.order_by(["_file", "_part", "_row", "_col"]).limit(limit))
    return tuple(_origins(snapshot, table, found)), total


def _origins(snapshot: Snapshot, table: str, rows: pa.Table) -> Sequence[Origin]:
    loads = {o.load: o for o in snapshot.loads}
    found = []
    for row in rows.to_pylist():
        load = loads[row["_load"]]
        values = {k: plain(v) for k, v in row.items() if k not in LINEAGE and v is not None}
        found.append(
            Origin(
                load.dataset, load.file, row["_file"], row["_part"], row["_row"], row["_col"], table, values,
                load.licence, load.url,
            )
        )  # fmt: skip
    return found
