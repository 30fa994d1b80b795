"""The built-in ``sandbox``: a small invented economy for machines without data. Every figure of it says so."""

import csv
import hashlib
from collections.abc import Iterator
from importlib.resources import as_file, files
from typing import Any, ClassVar

import pyarrow as pa

from ronghe.model.table import Table, contract, contracts
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, not_this_format, table_of


class Sandbox:
    """One CSV file a table, headings as in the contract; a record is a line."""

    name = "sandbox"
    version = "1"
    folder: ClassVar[str] = "ronghe.sources.sandbox"

    @property
    def tables(self) -> tuple[str, ...]:
        """The contracts that the package has rows for."""
        return tuple(raw.name.removesuffix(".csv") for raw in self.raw_files())

    def raw_files(self) -> tuple[RawFile, ...]:
        """The package's own files, ready to be parsed: nothing is fetched."""
        found = []
        for one in sorted(files(self.folder).iterdir(), key=lambda f: f.name):
            if one.name.endswith(".csv"):
                with as_file(one) as path:
                    data = path.read_bytes()
                    found.append(RawFile(path, self.name, one.name, hashlib.sha256(data).hexdigest(), len(data)))
        return tuple(found)

    def accepts(self, raw: RawFile) -> bool:
        """Whether the file is named after a contract."""
        return raw.name.removesuffix(".csv") in contracts()

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """The file's lines as rows of the contract it is named after."""
        table = contract(raw.name.removesuffix(".csv"))
        with raw.path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            lines = list(reader)
            headings = reader.fieldnames or []
        known = {c.name for c in table.columns}
        if not headings or not set(headings) <= known:
            raise not_this_format(
                raw, Text("format.table", {"name": table.name}), ", ".join(sorted(set(headings) - known)) or "-"
            )
        columns = {name: _values(table, name, [line[name] for line in lines]) for name in headings}
        rows = table_of(table.name, columns, row=list(range(2, len(lines) + 2)))
        yield Chunk(len(lines), {table.name: rows})


def _values(table: Table, name: str, cells: list[str]) -> pa.Array:
    kind: Any = table.schema.field(name).type
    return pa.array([cell or None for cell in cells], pa.string()).cast(kind)
