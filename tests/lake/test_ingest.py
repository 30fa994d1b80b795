"""The write path: idempotent, atomic, balanced, one writer, nothing lost."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import deltalake.fs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ronghe.errors import BalanceError, LakeError, SourceError
from ronghe.i18n import translate
from ronghe.lake.ingest import QUARANTINE, Terms
from ronghe.lake.lake import raw_file
from ronghe.model.serial import unpacked
from ronghe.model.table import contract
from tests.lake.toys import Toy, bring, lake_at

GOOD = "CHN,gdp,2020,1\nCHN,gdp,2021,2\n"


def values(lake, version=None):
    snapshot = lake.snapshot(version)
    rows = snapshot.rows(snapshot.table("indicator").order_by(["region", "year"]))
    return list(zip(rows["region"].to_pylist(), rows["year"].to_pylist(), rows["value"].to_pylist(), strict=True))


def test_a_load_adds_up_and_is_seen(tmp_path):
    lake = lake_at(tmp_path)
    report = bring(lake, tmp_path, "# note\n" + GOOD + "?bad\n~CN-15,gdp,2020,3\n")
    load = report.load
    assert report.new
    assert (load.records, load.accepted, load.quarantined, load.skipped) == (5, 3, 1, 1)
    assert load.rows == {"indicator": 3, "decision": 1}
    assert values(lake) == [("CHN", 2020, 1.0), ("CHN", 2021, 2.0), ("CN-15", 2020, 3.0)]
    fault = lake.quarantine(lake.snapshot()).to_pylist()[0]
    assert (fault["file"], fault["row"], fault["column"], fault["reason"]) == ("a.txt", 4, "value", "type")
    assert lake.skipped(lake.snapshot()).to_pylist()[0]["reason"] == "footnote"


def test_the_same_load_twice_is_the_same_version(tmp_path):
    lake = lake_at(tmp_path)
    first = bring(lake, tmp_path, GOOD)
    again = bring(lake, tmp_path, GOOD)
    assert not again.new
    assert again.version == first.version
    assert len(values(lake)) == 2


def test_a_mended_file_replaces_its_earlier_load_and_the_old_version_stays_readable(tmp_path):
    lake = lake_at(tmp_path)
    first = bring(lake, tmp_path, GOOD)
    bring(lake, tmp_path, "CHN,gdp,2020,7\n")
    assert values(lake) == [("CHN", 2020, 7.0)]
    assert len(values(lake, first.version)) == 2
    assert [v.version for v in lake.versions()] == [0, 1]


def test_a_new_parser_replaces_the_old_load(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    assert bring(lake, tmp_path, GOOD, source=Toy("2")).new
    assert len(values(lake)) == 2


def test_a_source_that_loses_a_record_is_refused_and_nothing_is_written(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    with pytest.raises(BalanceError) as caught:
        bring(lake, tmp_path, GOOD, name="b.txt", source=Toy(lose=1))
    assert "4 read, 2 accepted" in str(caught.value)
    assert lake.snapshot().version == 0


def test_contract_faults_go_to_quarantine(tmp_path):
    lake = lake_at(tmp_path)
    load = bring(lake, tmp_path, "CHN,gdp,999,1\nCHN,gdp,2020,nan\nCHN,gdp,2021,inf\nCHN,gdp,2022,4\n").load
    assert (load.accepted, load.quarantined) == (1, 3)
    faults = lake.quarantine(lake.snapshot()).to_pylist()
    assert [fault["reason"] for fault in faults] == ["range", "type", "type"]
    said = [unpacked(fault["expected"], fault["args"]) for fault in faults]
    assert [translate("zh", text) for text in said] == ["不小于1700", "有限的数", "有限的数"]
    assert translate("en", said[0]) == "1700 or more"


def test_a_repeated_key_that_says_otherwise_is_quarantined_and_one_that_agrees_is_skipped(tmp_path):
    lake = lake_at(tmp_path)
    load = bring(lake, tmp_path, "CHN,gdp,2020,1\nCHN,gdp,2020,1\nCHN,gdp,2020,2\n").load
    assert (load.accepted, load.quarantined, load.skipped) == (1, 1, 1)
    assert load.skips == {"duplicate": 1}
    assert values(lake) == [("CHN", 2020, 1.0)]


def test_a_quarantine_with_other_columns_is_not_read_as_ours(tmp_path, monkeypatch):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD + "?bad\n")
    more = pa.schema([*QUARANTINE, ("more", pa.string())])
    monkeypatch.setattr("ronghe.lake.lake.QUARANTINE", more)
    with pytest.raises(LakeError) as told:
        lake.quarantine(lake.snapshot())
    assert (told.value.code, told.value.args_["columns"]) == ("lake_columns", "more")


def test_the_same_key_in_two_files_both_kept_and_precedence_picks(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, "CHN,gdp,2020,1\n", precedence=50)
    load = bring(lake, tmp_path, "CHN,gdp,2020,9\nUSA,gdp,2020,5\n", name="b.txt", precedence=10).load
    assert load.overlaps == {"indicator": 1}
    assert values(lake) == [("CHN", 2020, 9.0), ("USA", 2020, 5.0)]
    snapshot = lake.snapshot()
    assert snapshot.rows(snapshot.raw("indicator")).num_rows == 3


def test_among_equals_the_newest_load_is_read(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, "CHN,gdp,2020,1\n")
    bring(lake, tmp_path, "CHN,gdp,2020,2\n", name="b.txt")
    assert values(lake) == [("CHN", 2020, 2.0)]


def test_a_snapshot_does_not_move_while_others_write(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    pinned = lake.snapshot()
    bring(lake, tmp_path, "CHN,gdp,2020,7\n")
    assert pinned.rows(pinned.table("indicator")).num_rows == 2


def test_what_an_interrupted_write_left_is_never_seen_nor_doubled(tmp_path, monkeypatch):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)

    def cut(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ronghe.lake.ingest.commit", cut)
        with pytest.raises(KeyboardInterrupt):
            bring(lake, tmp_path, "USA,gdp,2020,5\n", name="b.txt")
    assert len(values(lake)) == 2
    bring(lake, tmp_path, "USA,gdp,2020,5\n", name="b.txt")
    assert len(values(lake)) == 3


def test_killed_at_any_moment_the_last_good_version_stands(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    big = "".join(f"CHN,gdp{n},2020,{n}\n" for n in range(3000))
    (tmp_path / "big.txt").write_text(big)
    code = (
        "import sys; from pathlib import Path; from tests.lake.toys import *; "
        "f = Path(sys.argv[1]); lake_at(f).ingest(Toy(), raw_file(f / 'big.txt', 'toys'), terms=Terms())"
    )
    for delay in (0.6, 1.0, 1.4):
        child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONPATH": "src:."})
        time.sleep(delay)
        child.kill()
        child.wait()
        assert len(values(lake)) in (2, 3002)
    (tmp_path / "lake" / ".staging-of-a-killed-one").mkdir()
    lake.ingest(Toy(), raw_file(tmp_path / "big.txt", "toys"), terms=Terms())
    assert len(values(lake)) == 3002
    bring(lake, tmp_path, GOOD.replace("2", "3"))
    assert list((tmp_path / "lake").glob(".staging-*")) == []


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    lake = lake_at(tmp_path)

    class Changing(Toy):
        def parse(self, raw):
            yield from super().parse(raw)
            raw.path.write_text("CHN,gdp,2020,8\n")

    with pytest.raises(SourceError, match="changed while it was read"):
        bring(lake, tmp_path, GOOD, source=Changing())
    assert lake.snapshot().version == -1


@pytest.mark.parametrize("stamped", [0, 2**40])
def test_a_file_written_to_is_refused_by_its_stamp_and_by_its_bytes(tmp_path, monkeypatch, stamped):
    monkeypatch.setattr("ronghe.lake.ingest._STAMPED", stamped)
    lake = lake_at(tmp_path)
    path = tmp_path / "a.txt"

    class Changing(Toy):
        def parse(self, raw):
            yield from super().parse(raw)
            times = raw.path.stat()
            raw.path.write_text(GOOD.replace("2020", "2019"))
            os.utime(raw.path, ns=(times.st_atime_ns, times.st_mtime_ns))

    with pytest.raises(SourceError, match="changed while it was read"):
        bring(lake, tmp_path, GOOD, source=Changing())
    path.write_text(GOOD)
    raw = raw_file(path, "toys")
    path.touch()
    # Another time on the same bytes is no change.
    assert lake.ingest(Toy(), raw, terms=Terms()).new


def _hold(folder: str, ready, release) -> None:
    with lake_at(Path(folder)).writing():
        ready.set()
        release.wait(20)


def test_two_ingests_at_once_one_waits_or_is_told(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(tmp_path), ready, release))
    other.start()
    try:
        assert ready.wait(20)
        lake = lake_at(tmp_path)
        with pytest.raises(LakeError, match="Another ingest"):
            bring(lake, tmp_path, GOOD)
        assert lake.snapshot().version == -1
    finally:
        release.set()
        other.join()
    assert bring(lake_at(tmp_path), tmp_path, GOOD).new


def test_a_lake_that_can_not_be_written_says_so(tmp_path):
    blocked = tmp_path / "lake"
    blocked.write_text("a file where the lake should be")
    with pytest.raises(LakeError):
        bring(lake_at(tmp_path), tmp_path, GOOD)


def test_no_permission_and_full_disk_have_their_own_errors():
    from ronghe.lake.store import write_error

    assert write_error(PermissionError(13, "Permission denied"), "x").code == "lake_readonly"
    assert write_error(OSError(28, "No space left on device"), "x").code == "lake_full"
    assert write_error(OSError(5, "Input/output error"), "x").code == "lake_write"


def test_unknown_version_names_those_there_are(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    with pytest.raises(LakeError) as caught:
        lake.snapshot(7)
    assert caught.value.known == ("0",)


def test_workspaces_see_the_common_rows_and_their_own(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    bring(lake, tmp_path, "USA,gdp,2020,5\n", name="mine.txt", workspace="a")
    assert lake.snapshot(workspace="a").count("indicator") == 3
    assert lake.snapshot(workspace="b").count("indicator") == 2
    assert lake.snapshot(workspace="").count("indicator") == 2


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.one_of(
            st.just("# note"),
            st.just("?"),
            st.builds(
                lambda r, y, v: f"{r},gdp,{y},{v}",
                st.sampled_from(["CHN", "USA"]),
                st.sampled_from([2020, 2021, 1500]),
                st.sampled_from(["1", "2", "", "nan"]),
            ),
        ),
        max_size=25,
    )
)
def test_records_in_are_accepted_quarantined_or_skipped(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("any")
    lake = lake_at(folder)
    load = bring(lake, folder, "".join(f"{line}\n" for line in lines)).load
    assert load.records == len(lines) == load.accepted + load.quarantined + load.skipped
    snapshot = lake.snapshot()
    rows = snapshot.rows(snapshot.raw("indicator")) if load.rows.get("indicator") else pa.table({"_row": []})
    assert rows.num_rows == load.accepted


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_and_leaves_the_last_good_version(tmp_path, monkeypatch):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    writer = pq.ParquetWriter
    with monkeypatch.context() as patch:
        patch.setattr("ronghe.lake.staging.pq.ParquetWriter", lambda file, *a, **k: writer("/dev/full", *a, **k))
        with pytest.raises(LakeError, match="The disk is full"):
            bring(lake, tmp_path, "USA,gdp,2020,5\n", name="b.txt")
    assert values(lake) == [("CHN", 2020, 1.0), ("CHN", 2021, 2.0)]
    assert not list((tmp_path / "lake").glob(".staging-*"))


def test_rows_lie_in_the_lake_as_they_were_spooled_and_without_those_that_repeat(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    bring(lake, tmp_path, "USA,gdp,2020,1\nUSA,gdp,2020,1\nUSA,gdp,2020,2\nUSA,gdp,2021,3\n", name="b.txt")
    files = sorted((tmp_path / "lake" / "indicator").glob("_load=*/*.parquet"))
    held = [pq.ParquetFile(file) for file in files]
    assert sorted(one.metadata.num_rows for one in held) == [2, 2]
    for one in held:
        assert one.schema_arrow.equals(contract("indicator").lake_schema.remove(len(one.schema_arrow)))
        assert len(set(one.read()["_file"].to_pylist())) == 1


def test_many_small_chunks_make_one_row_group(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, "".join(f"CHN,gdp{n},2020,{n}\n" for n in range(500)))
    (file,) = (tmp_path / "lake" / "indicator").glob("_load=*/*.parquet")
    assert pq.ParquetFile(file).metadata.num_row_groups == 1


def test_a_table_with_other_columns_is_not_written_to(tmp_path, monkeypatch):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    tables = lake._tables
    file = tmp_path / "more.parquet"
    schema = contract("indicator").lake_schema.append(pa.field("more", pa.string()))
    pq.write_table(schema.empty_table(), file)
    with pytest.raises(LakeError, match=r"made with other columns \(more\)"):
        tables.add("indicator", schema, "l", file, 0)
    assert file.exists()


def test_a_lake_that_is_replaced_under_an_open_one_is_read_anew(tmp_path):
    lake = lake_at(tmp_path)
    for year in range(2000, 2004):
        bring(lake, tmp_path, f"CHN,gdp,{year},1\n", name=f"{year}.txt")
    shutil.rmtree(tmp_path / "lake")
    bring(lake_at(tmp_path), tmp_path, "USA,gdp,2020,5\n", name="other.txt")
    bring(lake, tmp_path, GOOD)
    assert values(lake_at(tmp_path)) == [("CHN", 2020, 1.0), ("CHN", 2021, 2.0), ("USA", 2020, 5.0)]


def test_digests_that_collide_do_not_change_what_is_counted(tmp_path, monkeypatch):
    """The quick counts only say when to look closely: with digests that are all alike, the load is the same."""
    import duckdb

    real = duckdb.connect

    def worst(*args, **kwargs):
        connection = real(*args, **kwargs)
        connection.execute("CREATE TEMPORARY MACRO hash(a) AS 1, (a, b) AS 1, (a, b, c) AS 1, (a, b, c, d) AS 1")
        return connection

    text = "CHN,gdp,2020,1\nCHN,gdp,2020,1\nCHN,gdp,2020,2\nCHN,gdp,2021,3\n"
    plain = bring(lake_at(tmp_path / "a"), tmp_path, text).load
    monkeypatch.setattr(duckdb, "connect", worst)
    close = bring(lake_at(tmp_path / "b"), tmp_path, text).load
    assert (close.accepted, close.quarantined, close.skips, close.rows) == (
        plain.accepted, plain.quarantined, plain.skips, plain.rows,
    ) == (2, 1, {"duplicate": 1}, {"indicator": 2})  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user to lose permission as")
def test_a_folder_without_write_permission_is_said():
    code = (
        "import os, sys\n"
        "from ronghe.lake.store import Store\n"
        "from ronghe.errors import LakeError\n"
        "os.setuid(65534)\n"
        "try:\n    Store(sys.argv[1]).make()\nexcept LakeError as e:\n    print(e.code)"
    )
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        done = subprocess.run(
            [sys.executable, "-c", code, f"{folder}/lake"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": "src"},
        )
    assert done.stdout.strip() == "lake_readonly", done.stderr


def test_a_lake_in_a_folder_is_read_without_python_in_arrows_threads(tmp_path, monkeypatch):
    """Such a thread ends the process with an abort where it comes back while the interpreter shuts down."""

    def made(*_args, **_options):
        raise AssertionError("Delta's own way, through Python")

    monkeypatch.setattr(deltalake.fs.DeltaStorageHandler, "from_table", made)
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, GOOD)
    again = bring(lake, tmp_path, "CHN,gdp,2020,3\n?bad\n", name="b.txt").load
    assert again.overlaps == {"indicator": 1}
    assert lake.quarantine(lake.snapshot()).num_rows == 1
    assert values(lake)
