"""The log of loads: the lake's one commit point. A snapshot is a version of this log."""

import datetime as dt
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from ronghe.errors import LakeError
from ronghe.lake.store import Store, write_error

NAME = "_loads"


@dataclass(frozen=True, slots=True)
class Load:
    """One file's way into the lake.

    ``load`` is the identity: file hash + source + parser version + contract versions + mapping + repairs.
    ``slot`` is what a mended load replaces: dataset, file name and table it was read as.
    ``rows`` and ``tables`` map a table to the rows given and the Delta version that holds them.
    ``overlaps`` maps a table to the rows whose key another live load of the table states as well.
    """

    load: str
    slot: str
    dataset: str
    source: str
    parser: str
    file: str
    sha256: str
    bytes: int
    mapping: str
    licence: str
    redistributable: bool
    commercial: bool
    invented: bool
    url: str
    precedence: int
    workspace: str
    records: int
    accepted: int
    quarantined: int
    skipped: int
    at: str
    rows: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)
    skips: Mapping[str, int] = field(default_factory=dict)
    overlaps: Mapping[str, int] = field(default_factory=dict)
    live: bool = True
    replaced_by: str = ""

    @property
    def note(self) -> str:
        """What a list of versions says of it."""
        return f"{self.dataset}/{self.file}"


_JSON = ("rows", "tables", "skips", "overlaps")
_TYPES = {"int": pa.int64(), "bool": pa.bool_()}
SCHEMA = pa.schema(
    [
        pa.field(f.name, pa.string() if f.name in _JSON else _TYPES.get(getattr(f.type, "__name__", ""), pa.string()))
        for f in fields(Load)
    ]
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the log: its number, when it was committed and what it did."""

    version: int
    at: str
    note: str


def read_log(store: Store, version: int | None = None) -> tuple[int, tuple[Load, ...]]:
    """The log at a version (the newest when ``None``): its number and every load, replaced ones too.

    A lake that has never committed has version -1 and no loads.

    Raises
    ------
    LakeError : there is no such version.
    """
    try:
        table = DeltaTable(store.address(NAME), version=version, storage_options=store.options or None)
    except TableNotFoundError:
        if version not in (None, -1):
            raise LakeError("lake_version", known=["-1"], version=version) from None
        return -1, ()
    except DeltaError as error:
        newest = DeltaTable(store.address(NAME), storage_options=store.options or None).version()
        raise LakeError("lake_version", known=[str(v) for v in range(newest + 1)], version=version) from error
    rows = table.to_pyarrow_table(filesystem=store.files(NAME)).to_pylist()
    loads = tuple(Load(**{**row, **{k: json.loads(row[k]) for k in _JSON}}) for row in rows)
    return table.version(), loads


class Log:
    """The log kept open: asking for the newest version again costs one look at the folder, not a new read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._table: DeltaTable | None = None
        self._read: dict[int, tuple[Load, ...]] = {}
        self._lock = threading.Lock()

    def read(self, version: int | None = None) -> tuple[int, tuple[Load, ...]]:
        """As ``read_log``."""
        with self._lock:
            number = self._newest() if version is None else version
            if number is None or number not in self._read:
                number, loads = read_log(self._store, version)
                self._read = {**dict(list(self._read.items())[-7:]), number: loads}
            return number, self._read[number]

    def _newest(self) -> int | None:
        try:
            if self._table is None:
                self._table = DeltaTable(self._store.address(NAME), storage_options=self._store.options or None)
            else:
                self._table.update_incremental()
        except TableNotFoundError:
            return None
        except DeltaError:
            # The folder was replaced under us (a copied or removed lake): look at it afresh.
            self._table = None
            return None
        return self._table.version()


def commit(store: Store, version: int, loads: Iterable[Load], load: Load) -> int:
    """Write the log with one more load; an earlier live load of the same slot is replaced by it.

    Parameters
    ----------
    version, loads : the log as ``read_log`` gave it since the ingest lock is held.

    Returns
    -------
    The new version's number: the snapshot in which the load is seen.
    """
    kept = [
        replace(old, live=False, replaced_by=load.load) if old.live and old.slot == load.slot else old
        for old in loads
        if old.load != load.load
    ]
    return write_log(store, [*kept, load], load.note, version)


def write_log(store: Store, loads: list[Load], note: str, base: int) -> int:
    """Write a whole new version of the log over version ``base``."""
    rows = []
    for one in loads:
        row: dict[str, Any] = asdict(one)
        rows.append({**row, **{k: json.dumps(row[k], sort_keys=True) for k in _JSON}})
    from deltalake import CommitProperties

    try:
        write_deltalake(
            store.address(NAME),
            pa.Table.from_pylist(rows, schema=SCHEMA),
            mode="overwrite",
            storage_options=store.options or None,
            commit_properties=CommitProperties(custom_metadata={"note": note}),
        )
    except (DeltaError, OSError) as error:
        raise write_error(error, store.address(NAME)) from error
    return base + 1


def versions(store: Store) -> list[Version]:
    """Every version of the lake, oldest first."""
    try:
        table = DeltaTable(store.address(NAME), storage_options=store.options or None)
    except TableNotFoundError:
        return []
    found = []
    for entry in table.history():
        moment = dt.datetime.fromtimestamp(entry["timestamp"] / 1000, dt.UTC).isoformat(timespec="seconds")
        found.append(Version(int(entry["version"]), moment, str(entry.get("note", ""))))
    return sorted(found, key=lambda v: v.version)
