"""OpenAlex lines on DuckDB and on Spark: one body of tests for both engines."""

import datetime as dt
import gzip
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ibis
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from ronghe.config import Config
from ronghe.errors import SourceError
from ronghe.lake.ingest import Terms
from ronghe.lake.lake import Lake, raw_file
from ronghe.model.table import contract
from ronghe.sources import jsonlines, openalex_works
from ronghe.sources.base import RawFile, Relational, Relations
from ronghe.sources.openalex_works import OpenAlexWorks

AT = "https://openalex.org/"


def duckdb() -> Any:
    return ibis.duckdb.connect()


def spark() -> Any:
    if shutil.which("java") is None:
        pytest.skip("needs Java for PySpark")
    session = pytest.importorskip("pyspark.sql").SparkSession
    builder = session.builder.master("local[1]").config("spark.ui.enabled", "false")
    # Tiny data: compiling a query to bytecode takes longer than to run it.
    for key, value in (
        ("spark.sql.shuffle.partitions", "1"),
        ("spark.sql.codegen.wholeStage", "false"),
        ("spark.sql.codegen.factoryMode", "NO_CODEGEN"),
        ("spark.sql.adaptive.enabled", "false"),
        ("spark.driver.host", "127.0.0.1"),
    ):
        builder = builder.config(key, value)
    return ibis.pyspark.connect(builder.config("spark.sql.session.timeZone", "UTC").getOrCreate())


@pytest.fixture(scope="module", params=["duckdb", pytest.param("pyspark", marks=pytest.mark.spark)])
def engine(request: pytest.FixtureRequest) -> Iterator[Any]:
    connection = duckdb() if request.param == "duckdb" else spark()
    yield connection
    connection.disconnect()


def author(name: str, *institutions: tuple[str, str | None, str | None]) -> dict[str, Any]:
    return {
        "author": {"id": f"{AT}A{name}", "display_name": name},
        "institutions": [
            {"id": f"{AT}{i}", "display_name": i, "ror": ror and f"https://ror.org/{ror}", "country_code": country}
            for i, ror, country in institutions
        ],
    }


def work(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"{AT}W{number}", "publication_year": 2020, "referenced_works": [], "authorships": [], **more}


FULL = work(
    1,
    doi="https://doi.org/10.1/x",
    title='钢 "steel" \\ 与\t水泥',
    publication_date="2020-02-29",
    type="article",
    language="zh",
    cited_by_count=7,
    is_retracted=False,
    primary_topic={
        "id": f"{AT}T10",
        "display_name": "Metals",
        "subfield": {"id": "s", "display_name": "Materials"},
        "field": {"id": "f", "display_name": "Engineering"},
        "domain": {"id": "d", "display_name": "Physical"},
    },
    primary_location={"source": {"display_name": "金属学报"}},
    referenced_works=[f"{AT}W2", f"{AT}W1", f"{AT}W2"],
    authorships=[
        author("Li", ("I1", "0abc", "CN"), ("I2", None, "gb")),
        author("Wu"),
        author("Xu", ("I3", "0xyz", "XK"), ("I4", None, None)),
    ],
)

LINES: list[str] = [
    json.dumps(FULL, ensure_ascii=False),
    "",
    json.dumps({"id": f"{AT}W2"}),
    "{bad",
    '{"id": "https://openalex.org/W3", "title": "cut sh',
    json.dumps({"title": "nobody"}),
    json.dumps(work(4, publication_year="2020年")),
    json.dumps(work(5, cited_by_count=-1, is_retracted="perhaps")),
    json.dumps(work(6, authorships="Li, Wu")),
    json.dumps(work(7, publication_date="2021-02-30")),
    "[1, 2]",
    json.dumps(work(8, publication_date=None, authorships=None, referenced_works=None)),
]


def relations(engine: Any, folder: Path, lines: list[str], *, name: str = "w.jsonl.gz") -> Relations:
    path = folder / name
    data = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return OpenAlexWorks().relations(engine, str(path), name)


def rows(engine: Any, expression: Any) -> list[dict[str, Any]]:
    return list(engine.to_pyarrow(expression).to_pylist())


def balanced(engine: Any, found: Relations) -> tuple[int, int, int, int]:
    """Records, accepted, skipped and rejected, as the lake counts them."""

    def names(expression: Any) -> set[tuple[str, int]]:
        return {(r["_part"], r["_row"]) for r in rows(engine, expression.select("_part", "_row"))}

    accepted = set().union(*(names(e) for e in found.rows.values()))
    skipped, rejected = names(found.skips), names(found.faults)
    assert not accepted & rejected
    assert not accepted & skipped
    return int(engine.execute(found.records)), len(accepted), len(skipped), len(rejected)


def test_is_relational() -> None:
    source = OpenAlexWorks()
    assert isinstance(source, Relational)
    raw = [RawFile(Path(n), "d", n, "", 1) for n in ("works.jsonl.gz", "updated=1/part_000.gz", "README.txt")]
    assert [source.accepts(r) for r in raw] == [True, True, False]


def test_one_work_in_full(engine: Any, tmp_path: Path) -> None:
    name = "w.jsonl.gz"
    found = relations(engine, tmp_path, LINES[:1], name=name)
    part = name if engine.name == "duckdb" else f"{AT}W1"
    line = {"_part": part, "_row": 1 if engine.name == "duckdb" else 0, "_col": None}
    expected = {
        "work_id": "W1",
        "doi": "10.1/x",
        "title": '钢 "steel" \\ 与\t水泥',
        "year": 2020,
        "date": dt.date(2020, 2, 29),
        "type": "article",
        "language": "zh",
        "cited_by": 7,
        "references": 3,
        "topic": "T10",
        "topic_name": "Metals",
        "subfield": "Materials",
        "field": "Engineering",
        "domain": "Physical",
        "venue": "金属学报",
        "retracted": False,
    }
    assert rows(engine, found.rows["work"]) == [expected | line]
    got = rows(engine, found.rows["authorship"].order_by("author_no", "affiliation_no"))
    keys = ("author_no", "affiliation_no", "author", "org_id", "org_name", "country")
    assert [tuple(r[k] for k in keys) for r in got] == [
        (1, 1, "Li", "ror:0abc", "I1", "CHN"),
        (1, 2, "Li", "openalex:I2", "I2", "GBR"),
        (2, 0, "Wu", None, None, None),
        (3, 1, "Xu", "ror:0xyz", "I3", "XKX"),
        (3, 2, "Xu", "openalex:I4", "I4", None),
    ]
    cited = rows(engine, found.rows["citation"].order_by("cited"))
    assert [(r["citing"], r["cited"]) for r in cited] == [("W1", "W1"), ("W1", "W2")]
    for table, expression in found.rows.items():
        assert engine.to_pyarrow(expression).schema.names == contract(table).schema.names


def test_bad_lines_are_told_and_the_rest_kept(engine: Any, tmp_path: Path) -> None:
    found = relations(engine, tmp_path, LINES)
    assert balanced(engine, found) == (12, 3, 1, 8)
    assert sorted(r["work_id"] for r in rows(engine, found.rows["work"])) == ["W1", "W2", "W8"]
    faults = rows(engine, found.faults)
    assert sorted((f["column"], f["value"], f["reason"]) for f in faults) == [
        ("authorships", "Li, Wu", "type"),
        ("cited_by", "-1", "range"),
        ("date", "2021-02-30", "type"),
        ("line", "[1, 2]", "malformed_json"),
        ("line", '{"id": "https://openalex.org/W3", "title": "cut sh', "malformed_json"),
        ("line", "{bad", "malformed_json"),
        ("retracted", "perhaps", "type"),
        ("work_id", "", "null"),
        ("year", "2020年", "type"),
    ]
    skips = rows(engine, found.skips)
    assert [s["reason"] for s in skips] == ["blank"]
    if engine.name == "duckdb":
        lines = {f["_row"] for f in faults} | {s["_row"] for s in skips}
        assert lines == {2, 4, 5, 6, 7, 8, 9, 10, 11}


def test_an_object_that_is_none_is_told_and_an_empty_one_is_not(engine: Any, tmp_path: Path) -> None:
    lines = [
        json.dumps(work(1, primary_topic="AI")),
        json.dumps(work(2, primary_topic={}, primary_location={"source": None})),
        json.dumps(work(3, primary_location=[1])),
        json.dumps(work(4, primary_topic=None, primary_location={"other": "field"})),
    ]
    found = relations(engine, tmp_path, lines)
    assert balanced(engine, found) == (4, 2, 0, 2)
    faults = {(f["column"], f["value"], f["reason"], f["expected"]) for f in rows(engine, found.faults)}
    shape = "expected.json_object"
    assert faults == {("primary_topic", "AI", "type", shape), ("primary_location", "[1]", "type", shape)}


@pytest.mark.parametrize("name", ["w.jsonl", "w.jsonl.gz"])
@pytest.mark.parametrize("ends", [["\n", "\r\n", "\n", "\r\n"], ["\r\n", "\n", "\r\n", "\n"]])
def test_mixed_line_ends_give_the_lines_an_editor_shows(tmp_path: Path, name: str, ends: list[str]) -> None:
    engine = duckdb()
    lines = [json.dumps(work(1)), "{bad", json.dumps(work(3)), json.dumps(work(4))]
    data = "".join(line + end for line, end in zip(lines, ends, strict=True)).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = OpenAlexWorks().relations(engine, str(path), name)
    assert [(r["work_id"], r["_row"]) for r in rows(engine, found.rows["work"].order_by("_row"))] == [
        ("W1", 1), ("W3", 3), ("W4", 4)
    ]  # fmt: skip
    assert [f["_row"] for f in rows(engine, found.faults)] == [2]
    assert balanced(engine, found) == (4, 3, 0, 1)


ODD: list[str] = [
    *LINES,
    "   ",
    "null",
    "5",
    json.dumps(FULL) + " x",
    json.dumps({"id": f"{AT}W9"}) * 2,
    '{"id": "a", "id": "b"}',
    '{"id": {"a": 1}, "title": 1.50, "doi": "x\\u0000y"}',
    json.dumps(work(10, primary_topic="AI")),
    json.dumps(work(11, authorships=["Li"], referenced_works=[None, f"{AT}W1", f"{AT}W1"])),
    '{"id": "W19",\r"title": "returned"}',
    json.dumps(work(12, id="http://openalex.org/W12", referenced_works=["https://api.openalex.org/works/W7"])),
]


def told(path: Path) -> dict[str, Any]:
    """All that a file gives: its rows, faults and skips in a fixed order, or the error that refuses it."""
    connection = duckdb()
    try:
        found = OpenAlexWorks().relations(connection, str(path), path.name)
        parts = {**found.rows, "faults": found.faults, "skips": found.skips}
        given = {name: sorted(map(repr, rows(connection, one))) for name, one in parts.items()}
        return {**given, "records": connection.to_pyarrow(found.records).as_py()}
    except SourceError as error:
        return {"error": error.say("en")}
    finally:
        connection.disconnect()


ENDS = st.sampled_from(["\n", "\r\n"])


@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate))
@example(lines=[(LINES[0], "\n"), (LINES[2], "\r\n"), (LINES[-1], "\n")], last=True)
@example(lines=[(LINES[0], "\r\n"), (LINES[2], "\n"), (LINES[-1], "\r\n")], last=False)
@given(lines=st.lists(st.tuples(st.sampled_from(ODD), ENDS), min_size=1, max_size=6), last=st.booleans())
def test_the_quick_reader_tells_what_the_careful_one_does(lines: list[tuple[str, str]], last: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.jsonl"
        data = "".join(line + end for line, end in lines)
        path.write_bytes((data if last else data.removesuffix("\n").removesuffix("\r")).encode())
        quick = told(path)
        with patch.object(jsonlines._DuckDB, "quick", lambda *_: None):
            assert told(path) == quick


@pytest.mark.parametrize("odd", ["", "   ", "null", "{bad", '{"title": "nobody"}', "[1]", json.dumps(work(1)) + " {}"])
def test_a_clean_file_is_read_quickly_and_any_other_with_care(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "w.jsonl"
    clean = [json.dumps(work(n)) for n in range(3)]
    path.write_text("\n".join(clean))
    shape = jsonlines._DuckDB(openalex_works.SHAPE)
    assert shape.quick(duckdb(), str(path), "id") is not None
    path.write_text("\n".join([*clean, odd, ""]))
    assert shape.quick(duckdb(), str(path), "id") is None


def test_thousands_of_authors_on_one_line(tmp_path: Path) -> None:
    engine = duckdb()
    many = [author(f"n{i}", *[(f"I{i}-{k}" + "x" * 700, f"{i}", "CN") for k in range(2)]) for i in range(3000)]
    found = relations(engine, tmp_path, [json.dumps(work(1, authorships=many)), json.dumps(work(2))])
    assert engine.execute(found.rows["authorship"].count()) == 6000
    assert engine.execute(found.rows["authorship"].author_no.max()) == 3000
    assert balanced(engine, found) == (2, 2, 0, 0)


def test_the_same_work_twice(tmp_path: Path) -> None:
    engine = duckdb()
    found = relations(engine, tmp_path, [json.dumps(work(1)), json.dumps(work(1, title="other"))])
    assert engine.execute(found.rows["work"].count()) == 2
    assert balanced(engine, found) == (2, 2, 0, 0)


@pytest.mark.parametrize("name", ["w.jsonl", "w.jsonl.gz"])
def test_windows_line_ends(tmp_path: Path, name: str) -> None:
    engine = duckdb()
    found = relations(engine, tmp_path, [json.dumps(work(1)) + "\r", json.dumps(work(2)) + "\r", ""], name=name)
    assert balanced(engine, found) == (2, 2, 0, 0)


def test_no_line_is_a_work(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no line of it is one; the first reads province,value"):
        relations(duckdb(), tmp_path, ["province,value", "河北,3"])


def test_truncated_gzip(engine: Any, tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    whole = gzip.compress("\n".join(json.dumps(work(i, title=str(i * 7919))) for i in range(2000)).encode())
    path.write_bytes(whole[:-4000])
    with pytest.raises(SourceError) as caught:
        OpenAlexWorks().relations(engine, str(path), "cut.jsonl.gz")
    assert caught.value.code == "source_truncated"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("empty.jsonl", b"", "source_empty"),
        ("empty.jsonl.gz", b"", "source_empty"),
        ("plain.jsonl.gz", b'{"id": "W1"}\n', "source_format"),
        ("latin.jsonl", b'{"id": "W1"}\n{"id": "W\xff2"}\n', "source_format"),
    ],
)
def test_not_the_format_on_duckdb(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        OpenAlexWorks().relations(duckdb(), str(path), name)
    assert caught.value.code == code
    assert str(path.parent) not in caught.value.say("en")


@pytest.mark.mirror
def test_every_line_of_the_mirror(mirror: Path) -> None:
    path = mirror / "openalex_works" / "works.jsonl.gz"
    connection = duckdb()
    found = OpenAlexWorks().relations(connection, str(path), "works.jsonl.gz")
    assert balanced(connection, found) == (2643, 2643, 0, 0)
    assert connection.execute(found.rows["citation"].count()) == 89591
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        ids = [json.loads(line)["id"].removeprefix(AT) for line in lines]
    numbered = rows(connection, found.rows["work"].order_by("_row"))
    assert [r["work_id"] for r in numbered] == ids
    assert [r["_row"] for r in numbered] == list(range(1, len(ids) + 1))


def test_a_lake_takes_the_lines_and_balances(tmp_path: Path) -> None:
    path = tmp_path / "works.jsonl"
    path.write_text("\n".join([*LINES, LINES[0], json.dumps(work(2, title="otherwise"))]), encoding="utf-8")
    lake = Lake(Config(lake=str(tmp_path / "lake")))
    load = lake.ingest(OpenAlexWorks(), raw_file(path, "openalex_works"), terms=Terms()).load
    # The first line again is skipped beside the blank one; W2 told otherwise joins the eight bad lines.
    assert (load.records, load.accepted, load.quarantined, load.skipped) == (14, 3, 9, 2)
    assert load.rows == {"work": 3, "authorship": 5, "citation": 2}
