"""Rows into Delta tables: Parquet files that lie ready are moved to their place and named in one commit."""

import json
import time
import uuid
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, create_table_with_add_actions

from ronghe.errors import LakeError
from ronghe.lake.store import Store, write_error

PARTITION = "_load"
"""Every table is partitioned by the load its rows came with: the column stands in the folder's name, not in files."""


class Tables:
    """The Delta tables of one lake, kept open: to look for what is new costs a fraction of opening anew.

    Only who holds the lake's ingest lock may use them.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._held: dict[str, tuple[DeltaTable, tuple[int, int]]] = {}

    def open(self, name: str) -> DeltaTable | None:
        """The table at its newest version; ``None`` where there is none yet."""
        table, seen = self._held.pop(name, (None, None))
        if table is not None and seen == self._entry(name, table):
            table.update_incremental()
        else:
            try:
                table = DeltaTable(self.store.address(name), storage_options=self.store.options or None)
            except TableNotFoundError:
                return None
        self._keep(name, table)
        return table

    def _keep(self, name: str, table: DeltaTable) -> None:
        if (entry := self._entry(name, table)) is not None:
            self._held[name] = (table, entry)

    def _entry(self, name: str, table: DeltaTable) -> tuple[int, int] | None:
        """What tells the newest commit of an open table from another's: its folder may have been replaced under us."""
        try:
            found = (Path(self.store.address(name)) / "_delta_log" / f"{table.version():020d}.json").stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def add(self, name: str, schema: pa.Schema, load: str, file: Path, rows: int) -> int:
        """Bring one file of rows into a table; what an interrupted earlier try left of the same load is replaced.

        The file is moved where the lake is a local folder, so its bytes are written once. Nobody looks at the rows
        before the log of loads names the load.

        Parameters
        ----------
        schema : the table's columns, ``_load`` included; the file has all but that.
        rows : how many the file holds.

        Returns
        -------
        The version of the table that holds them.

        Raises
        ------
        LakeError : the table has other columns, or can't be written.
        """
        address = self.store.address(name)
        wanted = Schema.from_arrow(schema)
        try:
            table = self.open(name)
            if table is not None and table.schema() != wanted:
                held = {field.name for field in table.schema().fields}
                other = sorted(held ^ set(schema.names)) or schema.names
                raise LakeError("lake_columns", table=name, columns=", ".join(other), lake=self.store.root)
            action = self._place(name, load, file, rows)
            if table is None:
                create_table_with_add_actions(
                    address,
                    wanted,
                    [action],
                    partition_by=[PARTITION],
                    storage_options=self.store.options or None,
                )
                return 0
            left = table.file_uris(file_pruning_predicate=[(PARTITION, "=", load)])
            table.create_write_transaction(
                [action],
                "overwrite" if left else "append",
                wanted,
                partition_by=[PARTITION],
                partition_filters=[(PARTITION, "=", load)] if left else None,
            )
            table.update_incremental()
            self._keep(name, table)
            return table.version()
        except (DeltaError, OSError) as error:
            raise write_error(error, address) from error

    def _place(self, name: str, load: str, file: Path, rows: int) -> AddAction:
        """Move the file into the table's folder, under a name that no earlier version of the table uses."""
        path = f"{PARTITION}={load}/{uuid.uuid4().hex}.parquet"
        size = file.stat().st_size
        self.store.take(file, f"{name}/{path}")
        return AddAction(
            path=path,
            size=size,
            partition_values={PARTITION: load},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=json.dumps({"numRecords": rows}),
        )
