"""Logs of administrative and service processes: XES, XES in gzip, and the same log flattened to CSV.

In XES a record is a trace, an event or the log itself, named by its line; in CSV it is a line, and the header
stands for the log. A line gives one ``event`` and, where it is the first of its case, the ``event_case``.
Moments become UTC, whatever offset each states; one without an offset is taken as UTC. XES logs declare what
they write where they know nothing (``global``): such values are missing here, an activity's name and an
event's time excepted. In the CSV layout the same is said by a date in the first day of 1970.

Logs that keep one case per variant (``…_1t_per_variant``) show true paths but not how often they occur;
``event_log.real_frequencies`` says so, and ``simulated`` tells logs that come from a simulation.
"""

import csv
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from ronghe.errors import SourceError
from ronghe.model.table import contract
from ronghe.sources.base import Chunk, RawFile, Rejected, rows_of, table_of, wanted
from ronghe.sources.csv_rows import Fault, Record, needed, read_records
from ronghe.sources.xes import Item, XesReader

BATCH = 20_000

_EVENT = MappingProxyType(
    {"concept:name": "activity", "time:timestamp": "time", "lifecycle:transition": "lifecycle",
     "org:resource": "resource", "org:group": "group"}
)  # fmt: skip
_CASE = MappingProxyType(
    {"startdate": "start", "REG_DATE": "start", "enddate": "end", "enddate_planned": "planned_end",
     "deadline": "deadline", "channel": "channel", "department": "department", "responsible": "responsible"}
)  # fmt: skip
_MOMENTS = frozenset({"time", "start", "end", "planned_end", "deadline"})
_NEVER_MISSING = frozenset({"concept:name", "time:timestamp"})
_REQUIRED = ("case:concept:name", "concept:name", "time:timestamp")
_PER_VARIANT = "_1t_per_variant"

Place = tuple[int, str | None]


@cache
def _titles() -> Mapping[str, Mapping[str, str]]:
    text = files("ronghe.sources").joinpath("names", "event_logs.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["log"]: row for row in csv.DictReader(text.splitlines())})


def moment(text: str, column: str) -> dt.datetime | None:
    """A moment in UTC, or nothing where the text is blank.

    Raises
    ------
    Fault : the text is no moment.

    Examples
    --------
    >>> moment("2011-10-11T13:45:40.276+02:00", "time").isoformat()
    '2011-10-11T11:45:40.276000+00:00'
    """
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise Fault(column, text, "time", wanted("moment")) from error


class _Batch:
    """Rows and faults of one stretch of a log, column by column."""

    def __init__(self, log: str) -> None:
        self._log = log
        self._columns: dict[str, dict[str, list[Any]]] = {
            name: {c.name: [] for c in contract(name).columns if c.name != "log"} for name in ("event", "event_case")
        }
        self._places: dict[str, list[Place]] = {"event": [], "event_case": []}
        self.rejected: list[Rejected] = []
        self.records = 0

    def add(self, table: str, place: Place, row: Mapping[str, Any]) -> None:
        """One row."""
        for name, column in self._columns[table].items():
            column.append(row.get(name))
        self._places[table].append(place)

    def reject(self, place: Place, fault: Fault) -> None:
        """One fault."""
        row, col = place
        self.rejected.append(Rejected("", row, fault.column, fault.value, fault.reason, fault.expected, col))

    def chunk(self) -> Chunk:
        """What was gathered."""
        rows = {}
        for name, places in self._places.items():
            lines, cols = [row for row, _ in places], [col for _, col in places]
            rows[name] = table_of(name, {"log": self._log, **self._columns[name]}, row=lines, col=cols)
        return Chunk(self.records, rows, (), self.rejected)


def _row(values: Mapping[str, str], names: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, Any]:
    """The contract's columns from a record's attributes; what has no column goes to ``attributes`` as JSON."""
    row: dict[str, Any] = {}
    others: dict[str, str] = {}
    for key, value in values.items():
        if value == "" or (key not in _NEVER_MISSING and defaults.get(key) == value):
            continue
        column = names.get(key)
        if column is None or column in row:
            others[key] = value
        else:
            row[column] = moment(value, column) if column in _MOMENTS else value
    if others:
        row["attributes"] = json.dumps(others, ensure_ascii=False, sort_keys=True)
    return row


def _event(values: Mapping[str, str], defaults: Mapping[str, str], case_id: str, number: int) -> dict[str, Any]:
    row = _row(values, _EVENT, defaults)
    if "activity" not in row:
        raise Fault("activity", "", "null", wanted("attribute", name="concept:name"))
    return {**row, "case_id": case_id, "event_no": number}


class EventLogs:
    """Event logs. See the module for what counts as a record."""

    name = "event_logs"
    version = "1"
    tables = ("event_log", "event_case", "event")

    def accepts(self, raw: RawFile) -> bool:
        """XES, XES in gzip, and CSV."""
        return raw.name.lower().endswith((".xes", ".xes.gz", ".csv"))

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """Chunks of some ten thousand events, then the log itself."""
        if not raw.path.stat().st_size:
            raise SourceError("source_empty", file=raw.name)
        log = raw.name.rsplit("/", 1)[-1]
        log = log[: log.lower().rindex(".csv" if log.lower().endswith(".csv") else ".xes")]
        counts = {"event": 0, "event_case": 0}
        said: dict[str, Any] = {"format": "csv" if raw.name.lower().endswith(".csv") else "xes"}
        chunks = _from_csv(raw, log) if said["format"] == "csv" else _from_xes(raw, log, said)
        for chunk in chunks:
            for name in counts:
                counts[name] += chunk.rows[name].num_rows
            yield chunk
        yield _log_chunk(log, said, counts)


def _log_chunk(log: str, said: Mapping[str, Any], counts: Mapping[str, int]) -> Chunk:
    title = _titles().get(log, {})
    whole = _PER_VARIANT not in log
    row = {
        "log": log,
        "name_zh": title.get("name_zh"),
        "name_en": title.get("name_en"),
        "format": said["format"],
        "real_frequencies": whole,
        "simulated": "simulat" in said.get("source", "").lower(),
        "events": counts["event"],
        "cases": counts["event_case"],
        "note": None if whole else "One case per variant: paths are real, their frequencies are not.",
        "_part": "",
        "_row": said.get("row", 1),
        "_col": said.get("col"),
    }
    return Chunk(1, {"event_log": rows_of("event_log", [row])})


def _from_xes(raw: RawFile, log: str, said: dict[str, Any]) -> Iterator[Chunk]:
    reader = XesReader(raw)
    batch, seen = _Batch(log), dict[str, int]()
    for trace in reader.traces():
        _add_trace(batch, trace, reader.defaults, seen)
        if batch.records >= BATCH:
            yield batch.chunk()
            batch = _Batch(log)
    for event in reader.loose:
        batch.records += 1
        batch.reject((event.row, event.col), Fault("case_id", "", "null", wanted("in_trace")))
    if reader.log is not None:
        said |= {"row": reader.log.row, "col": reader.log.col, "source": reader.log.values.get("source", "")}
    yield batch.chunk()


def _add_trace(batch: _Batch, trace: Item, defaults: Mapping[str, Mapping[str, str]], seen: dict[str, int]) -> None:
    batch.records += 1 + len(trace.events)
    case_id = trace.values.pop("concept:name", "")
    place = (trace.row, trace.col)
    try:
        if not case_id:
            raise Fault("case_id", "", "null", wanted("trace_attribute", name="concept:name"))
        batch.add("event_case", place, {**_row(trace.values, _CASE, defaults["trace"]), "case_id": case_id})
    except Fault as fault:
        batch.reject(place, fault)
    for event in trace.events:
        place = (event.row, event.col)
        seen[case_id] = seen.get(case_id, 0) + 1
        try:
            if not case_id:
                raise Fault("case_id", "", "null", wanted("trace_attribute", name="concept:name"))
            batch.add("event", place, _event(event.values, defaults["event"], case_id, seen[case_id]))
        except Fault as fault:
            batch.reject(place, fault)


def _from_csv(raw: RawFile, log: str) -> Iterator[Chunk]:
    batch, seen = _Batch(log), dict[str, int]()
    cases: dict[str, Mapping[str, Any]] = {}
    for number, record in read_records(raw, _REQUIRED):
        batch.records += 1
        try:
            if isinstance(record, Fault):
                raise record
            _add_line(batch, number, record, seen, cases)
        except Fault as fault:
            batch.reject((number, None), fault)
        if batch.records >= BATCH:
            yield batch.chunk()
            batch = _Batch(log)
    yield batch.chunk()


def _add_line(
    batch: _Batch, number: int, record: Record, seen: dict[str, int], cases: dict[str, Mapping[str, Any]]
) -> None:
    """One line of a flattened log: the event, and the case where it is new."""
    case_id = needed(record, "case:concept:name", "case_id")
    seen[case_id] = seen.get(case_id, 0) + 1
    own = {key: value for key, value in record.items() if not key.startswith("case:")}
    event = _event(own, {}, case_id, seen[case_id])
    stated = {key[5:]: _known(value) for key, value in record.items() if key.startswith("case:")}
    del stated["concept:name"]
    case = {**_row(stated, _CASE, {}), "case_id": case_id}
    if cases.setdefault(case_id, case) is case:
        batch.add("event_case", (number, None), case)
    elif cases[case_id] != case:
        differs = next(k for k in {**case, **cases[case_id]} if case.get(k) != cases[case_id].get(k))
        held = str(cases[case_id].get(differs) or "")
        raise Fault(differs, str(case.get(differs) or ""), "case_differs", wanted("as_before", value=held))
    batch.add("event", (number, None), event)


def _known(text: str) -> str:
    """Nothing where a date only says that none is known."""
    return "" if text.startswith("1970-01-01") else text
