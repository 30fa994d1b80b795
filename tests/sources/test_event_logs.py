"""Event logs: XES and CSV in the layouts of real logs, damaged files, and every real event against another reader."""

import datetime as dt
import gzip
import json
from pathlib import Path

import pytest

from ronghe.errors import SourceError
from ronghe.sources.base import Source
from ronghe.sources.event_logs import EventLogs, moment

from .raw import Parsed, raw_at, raw_file

HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <global scope="trace">
    <date key="deadline" value="1970-01-01T00:00:00.000+01:00"/>
    <string key="department" value="UNKNOWN"/>
  </global>
  <global scope="event"><string key="org:resource" value="UNKNOWN"/></global>
  <string key="source" value="CPN Tools simulation"><string key="version" value="4"/></string>
"""
LOG = (
    HEAD
    + """\
  <trace>
    <string key="concept:name" value="件-1"/>
    <date key="deadline" value="2011-12-06T13:41:31.788+01:00"/>
    <date key="REG_DATE" value="2011-10-11T13:42:22+02:00"/>
    <string key="channel" value="网上"/>
    <string key="AMOUNT" value="20000"/>
    <event>
      <string key="concept:name" value="收件"/>
      <date key="time:timestamp" value="2011-10-11T13:45:40.276+02:00"/>
      <string key="lifecycle:transition" value="complete"/>
      <string key="org:resource" value="Resource21"/>
      <string key="org:group" value="G1"/>
      <float key="cost" value="1.5"><string key="nested" value="not read"/></float>
      <list key="l"><string key="q" value="1"/></list>
    </event>
    <event>
      <string key="concept:name" value="UNKNOWN"/>
      <date key="time:timestamp" value="2011-11-11T13:45:40"/>
      <string key="org:resource" value="UNKNOWN"/>
    </event>
    <event><string key="concept:name" value="c"/><date key="time:timestamp" value="昨天"/></event>
    <event><date key="time:timestamp" value="2011-11-11T13:45:40Z"/></event>
  </trace>
  <trace>
    <string key="concept:name" value="件-2"/>
    <date key="deadline" value="1970-01-01T00:00:00.000+01:00"/>
    <string key="department" value="UNKNOWN"/>
  </trace>
  <trace><event><string key="concept:name" value="whose?"/></event></trace>
</log>
"""
)
CSV = """\
case:channel,case:concept:name,case:deadline,case:enddate,concept:instance,concept:name,org:resource,time:timestamp
网上,件-1,2011-12-06 13:41:31.788000+01:00,,t1,收件,R1,2011-10-11 13:45:40.276000+02:00
网上,件-1,2011-12-06 13:41:31.788000+01:00,,t2,办结,R2,2011-11-24 15:36:51.302000+01:00
窗口,件-2,1970-01-01 00:00:00+01:00,,t3,收件,R1,soon
窗口,件-2,1970-01-01 00:00:00+01:00,,t4,收件,R1,2011-10-12 08:26:25+02:00
电话,件-2,1970-01-01 00:00:00+01:00,,t5,办结,R1,2011-10-13 08:26:25+02:00
窗口,,,,t6,收件,R1,2011-10-12 08:26:25+02:00
"""
COLUMNS = ("case_id", "event_no", "activity", "time", "lifecycle", "resource", "group", "_row")


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type]


def test_is_a_source(tmp_path: Path) -> None:
    assert isinstance(EventLogs(), Source)
    names = ("a.xes", "b.xes.gz", "receipt.csv", "README.txt", "LICENSE")
    assert [EventLogs().accepts(raw_file(tmp_path, n, "x")) for n in names] == [True, True, True, False, False]


@pytest.mark.parametrize("name", ["log.xes", "log.xes.gz"])
def test_events_of_a_log(tmp_path: Path, name: str) -> None:
    data = gzip.compress(LOG.encode()) if name.endswith("gz") else LOG.encode()
    found = Parsed(EventLogs(), raw_file(tmp_path, name, data))
    first, second = found.rows("event")
    assert tuple(first[k] for k in COLUMNS) == (
        "件-1", 1, "收件", utc(2011, 10, 11, 11, 45, 40, 276000), "complete", "Resource21", "G1", 16,
    )  # fmt: skip
    assert json.loads(str(first["attributes"])) == {"cost": "1.5"}
    assert tuple(second[k] for k in COLUMNS) == (
        "件-1", 2, "UNKNOWN", utc(2011, 11, 11, 13, 45, 40), None, None, None, 25,
    )  # fmt: skip


def test_cases_faults_and_the_log_itself(tmp_path: Path) -> None:
    found = Parsed(EventLogs(), raw_file(tmp_path, "folder/log.xes", LOG))
    assert found.balance == (9, 5, 0, 4)
    assert [(r.row, r.column, r.value, r.reason) for r in found.rejected] == [
        (30, "time", "昨天", "time"),
        (31, "activity", "", "null"),
        (38, "case_id", "", "null"),
        (38, "case_id", "", "null"),
    ]
    assert [r.col for r in found.rejected] == [None, None, None, "char 10"]
    first, second = found.rows("event_case")
    assert (first["case_id"], first["channel"], first["_row"]) == ("件-1", "网上", 10)
    assert first["start"] == utc(2011, 10, 11, 11, 42, 22)
    assert first["deadline"] == utc(2011, 12, 6, 12, 41, 31, 788000)
    assert json.loads(str(first["attributes"])) == {"AMOUNT": "20000"}
    assert (second["case_id"], second["deadline"], second["department"]) == ("件-2", None, None)
    (log,) = found.rows("event_log")
    assert (log["log"], log["events"], log["cases"], log["simulated"], log["_row"]) == ("log", 2, 2, True, 2)
    assert (log["real_frequencies"], log["note"]) == (True, None)


def test_frequencies_of_a_log_of_variants_are_not_real(tmp_path: Path) -> None:
    found = Parsed(EventLogs(), raw_file(tmp_path, "16_bpic2019_1t_per_variant.xes.gz", gzip.compress(LOG.encode())))
    (log,) = found.rows("event_log")
    assert log["log"] == "16_bpic2019_1t_per_variant"
    assert log["real_frequencies"] is False
    assert str(log["note"]).startswith("One case per variant")
    assert log["name_zh"] == "采购订单（BPI 2019，每种路径一例）"


def test_a_log_on_one_line(tmp_path: Path) -> None:
    flat = "".join(line.strip() for line in LOG.splitlines()[1:])
    found = Parsed(EventLogs(), raw_file(tmp_path, "flat.xes", flat))
    assert found.balance == (9, 5, 0, 4)


def test_csv_with_mixed_offsets(tmp_path: Path) -> None:
    found = Parsed(EventLogs(), raw_file(tmp_path, "receipt.csv", CSV))
    assert [tuple(r[k] for k in ("case_id", "event_no", "time", "_row")) for r in found.rows("event")] == [
        ("件-1", 1, utc(2011, 10, 11, 11, 45, 40, 276000), 2),
        ("件-1", 2, utc(2011, 11, 24, 14, 36, 51, 302000), 3),
        ("件-2", 2, utc(2011, 10, 12, 6, 26, 25), 5),
    ]
    first, second = found.rows("event_case")
    assert (first["deadline"], first["end"]) == (utc(2011, 12, 6, 12, 41, 31, 788000), None)
    assert (second["deadline"], second["channel"], second["_row"]) == (None, "窗口", 5)
    assert found.balance == (7, 4, 0, 3)
    assert [(r.row, r.column, r.reason) for r in found.rejected] == [
        (4, "time", "time"),
        (6, "channel", "case_differs"),
        (7, "case_id", "null"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("2011-10-11", utc(2011, 10, 11)),
        ("2011-10-11T00:00:00Z", utc(2011, 10, 11)),
        ("2011-10-11T00:00:00.1234567+00:00", utc(2011, 10, 11, 0, 0, 0, 123456)),
    ],
)
def test_moments(text: str, expected: dt.datetime | None) -> None:
    assert moment(text, "time") == expected


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.xes", b"", "source_empty"),
        ("a.xes.gz", b"", "source_empty"),
        ("a.xes", LOG.encode()[:-300], "source_truncated"),
        ("a.xes.gz", gzip.compress(LOG.encode(), mtime=0)[:-60], "source_truncated"),
        ("a.xes", b"case,activity\n1,a\n", "source_format"),
        ("a.xes", b"<html><body>404</body></html>", "source_format"),
        ("a.xes.gz", LOG.encode(), "source_format"),
        ("a.xes", LOG.replace("</event>", "", 1).encode(), "source_format"),
        ("a.csv", b"case,activity\n1,a\n", "source_format"),
    ],
)
def test_not_this_format(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        Parsed(EventLogs(), raw_file(tmp_path, name, data))
    assert caught.value.code == code


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("name", "cases", "events"),
    [
        ("receipt.csv", 1434, 8577),
        ("08_receipt.xes.gz", 1434, 8577),
        ("02_teleclaims.xes.gz", 3512, 46138),
        ("13_SEPSIS_1t_per_variant.xes.gz", 846, 13775),
        ("14_Billing_1t_per_variant.xes.gz", 1020, 12506),
        ("15_bpic2020_permit_log_1t_per_variant.xes.gz", 1478, 26028),
        ("roadtraffic100traces.xes", 100, 390),
        ("running-example.xes", 6, 42),
    ],
)
def test_the_mirror(mirror: Path, name: str, cases: int, events: int) -> None:
    found = Parsed(EventLogs(), raw_at(mirror / "event_logs" / name, name))
    (log,) = found.rows("event_log")
    assert (log["cases"], log["events"], found.rejected) == (cases, events, [])
    assert log["name_zh"]


@pytest.mark.mirror
@pytest.mark.parametrize("name", ["08_receipt.xes.gz", "02_teleclaims.xes.gz", "14_Billing_1t_per_variant.xes.gz"])
def test_events_are_those_another_reader_finds(mirror: Path, name: str) -> None:
    other, _ = pytest.importorskip("rustxes").import_xes(str(mirror / "event_logs" / name))
    ours = Parsed(EventLogs(), raw_at(mirror / "event_logs" / name, name)).table("event")
    theirs = other.to_arrow()
    assert ours["case_id"].to_pylist() == theirs["case:concept:name"].to_pylist()
    assert ours["activity"].to_pylist() == theirs["concept:name"].to_pylist()
    naive = [moment.replace(tzinfo=None) for moment in ours["time"].to_pylist()]
    assert naive == theirs["time:timestamp"].cast("timestamp[us]").to_pylist()
