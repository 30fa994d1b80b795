"""A pinned, read-only view: the live loads of one version of the lake, table by table."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from ronghe.errors import LakeError, UnknownName
from ronghe.lake.engine import Engine
from ronghe.lake.loads import Load
from ronghe.lake.store import Store
from ronghe.model.provenance import Input
from ronghe.model.table import Table, contracts


@dataclass
class Snapshot:
    """What a reader sees: it does not change while others write.

    ``workspaces`` limits the view to loads of those workspaces (``""`` is what everyone may see).
    """

    store: Store
    engine: Engine
    version: int
    loads: tuple[Load, ...]
    _kept: dict[Any, pa.Table] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"Snapshot(version={self.version}, loads={len(self.loads)}, tables={', '.join(self.tables)})"

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The tables that hold rows, sorted."""
        return tuple(sorted({t for load in self.loads for t in load.rows}))

    def count(self, table: str) -> int:
        """The rows that the live loads gave to a table."""
        return sum(load.rows.get(table, 0) for load in self.loads)

    def loads_of(self, tables: Iterable[str]) -> tuple[Load, ...]:
        """The loads that gave rows to any of the tables, in a fixed order."""
        wanted = set(tables)
        return tuple(sorted((o for o in self.loads if wanted & set(o.rows)), key=lambda o: (o.dataset, o.file, o.load)))

    def digest(self, tables: Iterable[str]) -> str:
        """A hash of what the tables hold here: the same rows give the same digest in any lake."""
        names = sorted(o.load for o in self.loads_of(tables))
        return hashlib.sha256("\n".join(names).encode()).hexdigest()

    def inputs(self, tables: Iterable[str], only: Iterable[str] | None = None) -> tuple[Input, ...]:
        """The raw files behind the tables, with licences; ``only`` keeps the loads named."""
        names = tuple(tables)
        kept = None if only is None else set(only)
        return tuple(
            Input(
                dataset=o.dataset,
                file=o.file,
                sha256=o.sha256,
                licence=o.licence,
                redistributable=o.redistributable,
                commercial=o.commercial,
                rows=sum(o.rows.get(t, 0) for t in names),
                load=o.load,
                url=o.url,
                invented=o.invented,
            )
            for o in self.loads_of(names)
            if kept is None or o.load in kept
        )

    def versions_of(self, tables: Iterable[str]) -> dict[str, int]:
        """The Delta version of each table at which every live row is found."""
        return {t: max((o.tables[t] for o in self.loads if t in o.tables), default=-1) for t in sorted(set(tables))}

    def raw(self, name: str) -> Any:
        """Every live row of a table as an Ibis expression, loads that overlap included."""
        table = self._contract(name)
        return self.scan(name, table.lake_schema)

    def scan(self, name: str, schema: pa.Schema) -> Any:
        """The live rows of a stored table with a given schema."""
        live = [o.load for o in self.loads if name in o.rows]
        version = self.versions_of([name])[name]
        files: list[str] = []
        address = self.store.address(name)
        if live:
            delta = DeltaTable(address, version=version, storage_options=self.store.options or None)
            files = [unquote(f) for f in delta.file_uris(file_pruning_predicate=[("_load", "in", live)])]
            if not self.store.local:
                dataset = delta.to_pyarrow_dataset(file_pruning_predicate=[("_load", "in", live)])
                return self.engine.memory(dataset.to_table())
        return self.engine.parquet(sorted(files), schema, address)

    def table(self, name: str, where: Mapping[str, Any] | None = None) -> Any:
        """A table as readers see it: where loads state the same key, the one that ranks first.

        Parameters
        ----------
        name : the contract.
        where : columns that must equal (or be one of) values; those of the key are looked at before ranking.

        Returns
        -------
        An Ibis expression with the contract's columns and the lineage columns.

        Raises
        ------
        UnknownName : no contract has that name.
        """
        contract = self._contract(name)
        rows = self.raw(name)
        asked = where or {}
        loads = [o for o in self.loads if name in o.rows]
        if not contract.precedence or not any(o.overlaps.get(name) for o in loads):
            return _narrowed(rows, asked)
        import ibis

        rows = _narrowed(rows, {k: v for k, v in asked.items() if k in contract.keys})
        order = sorted(loads, key=lambda o: (o.precedence, _newest(o), o.file))
        rank = rows["_load"].cases(*[(o.load, place) for place, o in enumerate(order)], else_=len(order))
        window = ibis.window(group_by=list(contract.keys), order_by=[rank, rows["_part"], rows["_row"]])
        first = rows.mutate(_place=ibis.row_number().over(window)).filter(lambda t: t["_place"] == 0)
        rest = {k: v for k, v in asked.items() if k not in contract.keys}
        return _narrowed(first.select(*contract.lake_schema.names), rest)

    def rows(self, expression: Any) -> pa.Table:
        """Run an expression of this snapshot."""
        return self.engine.fetch(expression)

    def select(self, name: str, columns: Sequence[str], where: Mapping[str, Any]) -> pa.Table:
        """Rows of a table where the named columns equal (or are one of) the values, in the order of the files.

        A snapshot never changes, so small results are kept and given again.
        """
        key = (name, tuple(columns), tuple((k, _frozen(v)) for k, v in sorted(where.items())))
        if key not in self._kept:
            expression = self.table(name, where)
            expression = expression.order_by(["_file", "_part", "_row", "_col"])
            if columns:
                expression = expression.select(*columns)
            found = self.rows(expression)
            if found.nbytes > _KEEP_BYTES:
                return found
            while len(self._kept) >= _KEEP:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = found
        return self._kept[key]

    def distinct(self, name: str, columns: Sequence[str]) -> pa.Table:
        """The different values of some columns of a table, sorted; kept as ``select`` keeps."""
        key = (name, tuple(columns), "distinct")
        if key not in self._kept:
            # Which of the loads that state a key is read makes no difference to the keys there are.
            rows = self.raw(name) if set(columns) <= set(self._contract(name).keys) else self.table(name)
            rows = rows.select(*columns).distinct().order_by(list(columns))
            self._kept[key] = self.rows(rows)
        return self._kept[key]

    def load(self, identity: str) -> Load:
        """The load of that identity."""
        for one in self.loads:
            if one.load == identity:
                return one
        raise LakeError("lake_load", name=identity)

    def _contract(self, name: str) -> Table:
        known = contracts()
        if name not in known:
            raise UnknownName("unknown_table", name, known)
        return known[name]


_KEEP = 64
_KEEP_BYTES = 4_000_000


def _narrowed(rows: Any, where: Mapping[str, Any]) -> Any:
    for column, value in where.items():
        one = rows[column]
        if value is None:
            rows = rows.filter(one.isnull())
        elif isinstance(value, (list, tuple, set, frozenset)):
            rows = rows.filter(one.isin(sorted(value)))
        else:
            rows = rows.filter(one == value)
    return rows


def _frozen(value: Any) -> Any:
    return tuple(sorted(value)) if isinstance(value, (list, tuple, set, frozenset)) else value


def _newest(load: Load) -> tuple[int, ...]:
    """Sorts the newest moment first."""
    return tuple(-ord(ch) for ch in load.at)
