"""OpenAlex lines read here and on Spark: one body of tests for both, as one body of code reads them."""

import datetime as dt
import gzip
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from ronghe.config import Config
from ronghe.errors import SourceError
from ronghe.lake.ingest import Terms
from ronghe.lake.lake import Lake, raw_file
from ronghe.model.table import contract
from ronghe.sources import jsonlines
from ronghe.sources.base import RawFile, Source
from ronghe.sources.on_spark import on_spark
from ronghe.sources.openalex_works import OpenAlexWorks

AT = "https://openalex.org/"


Row = dict[str, Any]


@dataclass(frozen=True)
class Read:
    """What a file gives, wherever it was read."""

    rows: dict[str, list[Row]]
    faults: list[Row]
    skips: list[Row]
    records: int


def here(path: Path, name: str) -> Read:
    """Read by the source itself."""
    raw = RawFile(path, "openalex_works", name, "", path.stat().st_size)
    chunks = list(OpenAlexWorks().parse(raw))
    tables = {t: pa.concat_tables([c.rows[t] for c in chunks]) for t in OpenAlexWorks.tables}
    for table, rows in tables.items():
        assert rows.schema == contract(table).schema
    return Read(
        {t: rows.to_pylist() for t, rows in tables.items()},
        [{**asdict(one), "expected": one.expected.key} for chunk in chunks for one in chunk.rejected],
        [asdict(one) for chunk in chunks for one in chunk.skipped],
        sum(chunk.records for chunk in chunks),
    )


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
        ("spark.sql.session.timeZone", "UTC"),
    ):
        builder = builder.config(key, value)
    return builder.getOrCreate()


@pytest.fixture(scope="module", params=["here", pytest.param("spark", marks=pytest.mark.spark)])
def read(request: pytest.FixtureRequest) -> Iterator[Callable[[Path, str], Read]]:
    if request.param == "here":
        yield here
        return
    session = spark()

    def there(path: Path, _: str) -> Read:
        found = on_spark(session, OpenAlexWorks(), str(path))
        frames = {**found.rows, "faults": found.faults, "skips": found.skips}
        rows = {name: frame.toArrow().to_pylist() for name, frame in frames.items()}
        return Read({t: rows[t] for t in OpenAlexWorks.tables}, rows["faults"], rows["skips"], found.records)

    yield there
    session.stop()


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


def told(read: Callable[[Path, str], Read], folder: Path, lines: list[str], name: str = "w.jsonl.gz") -> Read:
    path = folder / name
    data = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return read(path, name)


def balanced(found: Read) -> tuple[int, int, int, int]:
    """Records, accepted, skipped and rejected, as the lake counts them."""
    accepted = {(r["_part"], r["_row"]) for rows in found.rows.values() for r in rows}
    skipped, rejected = ({(r["part"], r["row"]) for r in rows} for rows in (found.skips, found.faults))
    assert not accepted & rejected
    assert not accepted & skipped
    return found.records, len(accepted), len(skipped), len(rejected)


def test_the_files_it_reads() -> None:
    source = OpenAlexWorks()
    assert isinstance(source, Source)
    raw = [RawFile(Path(n), "d", n, "", 1) for n in ("works.jsonl.gz", "updated=1/part_000.gz", "README.txt")]
    assert [source.accepts(r) for r in raw] == [True, True, False]


def test_one_work_in_full(read: Any, tmp_path: Path) -> None:
    found = told(read, tmp_path, LINES[:1])
    line = {"_part": "", "_row": 1, "_col": None} if read is here else {"_part": f"{AT}W1", "_row": 0, "_col": None}
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
    assert found.rows["work"] == [expected | line]
    keys = ("author_no", "affiliation_no", "author", "author_id", "org_id", "org_name", "country")
    assert [tuple(r[k] for k in keys) for r in found.rows["authorship"]] == [
        (1, 1, "Li", "ALi", "ror:0abc", "I1", "CHN"),
        (1, 2, "Li", "ALi", "openalex:I2", "I2", "GBR"),
        (2, 0, "Wu", "AWu", None, None, None),
        (3, 1, "Xu", "AXu", "ror:0xyz", "I3", "XKX"),
        (3, 2, "Xu", "AXu", "openalex:I4", "I4", None),
    ]
    assert [(r["citing"], r["cited"]) for r in found.rows["citation"]] == [("W1", "W2"), ("W1", "W1")]
    for table, rows in found.rows.items():
        assert list(rows[0]) == contract(table).schema.names


def test_bad_lines_are_told_and_the_rest_kept(read: Any, tmp_path: Path) -> None:
    found = told(read, tmp_path, LINES)
    assert balanced(found) == (12, 3, 1, 8)  # what is out of a contract's range is the lake's to see
    assert sorted(r["work_id"] for r in found.rows["work"]) == ["W1", "W2", "W8"]
    assert [r["references"] for r in found.rows["work"]] == [3, None, None]
    assert sorted((f["column"], f["value"], f["reason"], f["expected"]) for f in found.faults) == [
        ("authorships", "Li, Wu", "type", "expected.list"),
        ("date", "2021-02-30", "type", "expected.date"),
        ("line", "[1, 2]", "malformed_json", "expected.json_object"),
        ("line", '{"id": "https://openalex.org/W3", "title": "cut sh', "malformed_json", "expected.json_object"),
        ("line", "{bad", "malformed_json", "expected.json_object"),
        ("retracted", "perhaps", "type", "expected.truth"),
        ("work_id", "", "null", "expected.filled"),
        ("year", "2020年", "type", "expected.whole"),
    ]
    assert [s["reason"] for s in found.skips] == ["blank"]
    if read is here:
        assert {f["row"] for f in found.faults} | {s["row"] for s in found.skips} == {2, 4, 5, 6, 7, 8, 9, 10, 11}


def test_what_is_no_object_or_list_or_text_is_told_with_its_place(read: Any, tmp_path: Path) -> None:
    lines = [
        json.dumps(work(1, primary_topic="AI")),
        json.dumps(work(2, primary_topic={}, primary_location={"source": None})),
        json.dumps(work(3, primary_location=[1])),
        json.dumps(work(4, primary_topic=None, primary_location={"other": "field"})),
        json.dumps(work(5, authorships=["Li", author("Wu")])),
        json.dumps(work(6, authorships=[{"author": {"display_name": ["Li"]}, "institutions": [author("Wu"), 7]}])),
        json.dumps(work(7, referenced_works=[{"id": "W1"}])),
    ]
    found = told(read, tmp_path, lines)
    assert balanced(found) == (7, 2, 0, 5)
    assert {(f["column"], f["value"], f["expected"]) for f in found.faults} == {
        ("primary_topic", "AI", "expected.json_object"),
        ("primary_location", "[1]", "expected.json_object"),
        ("authorships[0]", "Li", "expected.json_object"),
        ("authorships[0].author.display_name", '["Li"]', "expected.text"),
        ("authorships[0].institutions[1]", "7", "expected.json_object"),
        ("referenced_works[0]", '{"id": "W1"}', "expected.text"),
    }


def test_numbers_and_truth_values_in_texts_and_texts_that_are_numbers(read: Any, tmp_path: Path) -> None:
    odd = work(1, title=1.5, type=True, publication_year="2020", cited_by_count=7.0, is_retracted="false")
    odd |= {"publication_date": "2020-02-03T10:00:00", "referenced_works": [None, f"{AT}W2", None]}
    odd |= {"authorships": [None, {"raw_author_name": "Li", "institutions": [None]}]}
    found = told(read, tmp_path, [json.dumps(odd), json.dumps(work(2, authorships=[None]))])
    assert balanced(found) == (2, 2, 0, 0)
    first = found.rows["work"][0]
    assert [first[k] for k in ("title", "type", "year", "cited_by", "retracted", "references")] == [
        "1.5", "true", 2020, 7, False, 3
    ]  # fmt: skip
    assert first["date"] == dt.date(2020, 2, 3)
    assert [r["cited"] for r in found.rows["citation"]] == ["W2"]
    told_of = [(r["work_id"], r["author_no"], r["affiliation_no"], r["author"]) for r in found.rows["authorship"]]
    assert told_of == [("W1", 1, 0, None), ("W1", 2, 1, "Li"), ("W2", 1, 0, None)]


@pytest.mark.parametrize("name", ["w.jsonl", "w.jsonl.gz"])
@pytest.mark.parametrize("ends", [["\n", "\r\n", "\n", "\r\n"], ["\r\n", "\n", "\r\n", "\n"]])
def test_mixed_line_ends_give_the_lines_an_editor_shows(tmp_path: Path, name: str, ends: list[str]) -> None:
    lines = [json.dumps(work(1)), "{bad", json.dumps(work(3)), json.dumps(work(4))]
    data = "".join(line + end for line, end in zip(lines, ends, strict=True)).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = here(path, name)
    assert [(r["work_id"], r["_row"]) for r in found.rows["work"]] == [("W1", 1), ("W3", 3), ("W4", 4)]
    assert [f["row"] for f in found.faults] == [2]
    assert balanced(found) == (4, 3, 0, 1)


ODD: list[str] = [
    *LINES,
    "   ",
    "null",
    "5",
    json.dumps(FULL) + " x",
    json.dumps({"id": f"{AT}W9"}) * 2,
    '{"id": "a", "id": "b"}',
    '{"id": "a", "authorships": [], "authorships": null}',
    '{"id": {"a": 1}, "title": 1.50, "doi": "x\\u0000y"}',
    json.dumps(work(10, primary_topic="AI")),
    json.dumps(work(11, authorships=["Li"], referenced_works=[None, f"{AT}W1", f"{AT}W1"])),
    json.dumps(work(14, title="\ud800")),
    '{"id": "W15", "ti\\u0074le": "spelt"}',
    '{"id": "", "title": "nobody"}',
    '{"id": "W19",\r"title": "returned"}',
    json.dumps(work(12, id="http://openalex.org/W12", referenced_works=["https://api.openalex.org/works/W7"])),
    json.dumps(work(13, doi="http://dx.doi.org/10.1/y", authorships=[author("Li", ("I9", None, "cn"))])),
]


def either(path: Path) -> Any:
    """All that a file gives in a fixed order, or the error that refuses it."""
    try:
        return here(path, path.name)
    except SourceError as error:
        return error.say("en")


ENDS = st.sampled_from(["\n", "\r\n"])


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.generate))
@example(lines=[(LINES[0], "\n"), (LINES[2], "\r\n"), (LINES[-1], "\n")], last=True)
@example(lines=[(LINES[0], "\r\n"), (LINES[2], "\n"), (LINES[-1], "\r\n")], last=False)
@given(lines=st.lists(st.tuples(st.sampled_from(ODD), ENDS), min_size=1, max_size=6), last=st.booleans())
def test_the_quick_reader_tells_what_the_careful_one_does(lines: list[tuple[str, str]], last: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.jsonl"
        data = "".join(line + end for line, end in lines)
        path.write_bytes((data if last else data.removesuffix("\n").removesuffix("\r")).encode())
        quick = either(path)
        with patch.object(jsonlines.JsonLines, "read", lambda self, room: self.careful(room)):
            assert either(path) == quick


@pytest.mark.parametrize("odd", ["", "   ", "null", "{bad", '{"title": "nobody"}', "[1]", json.dumps(work(1)) + " {}"])
def test_a_clean_file_is_read_quickly_and_any_other_with_care(tmp_path: Path, odd: str) -> None:
    clean = [json.dumps(work(n)) for n in range(3)]
    path = tmp_path / "w.jsonl"
    calls: list[int] = []
    careful = jsonlines.JsonLines.careful
    with patch.object(jsonlines.JsonLines, "careful", lambda self, room: calls.append(1) or careful(self, room)):
        path.write_text("\n".join(clean))
        assert balanced(here(path, path.name)) == (3, 3, 0, 0)
        assert not calls
        path.write_text("\n".join([*clean, odd, ""]))
        assert here(path, path.name).records == 4
    assert calls


@pytest.mark.parametrize("size", [512, 4000, 2**20])
def test_lines_are_counted_over_the_stretches(tmp_path: Path, size: int) -> None:
    lines = [LINES[n % len(LINES)].replace("W1", f"W{n}0") for n in range(300)]
    with patch.object(jsonlines, "_STRETCH", size):
        found = told(here, tmp_path, lines, "w.jsonl")
    whole = told(here, tmp_path, lines, "v.jsonl")
    assert found == whole
    assert balanced(found) == (300, 75, 25, 200)
    assert {f["row"] for f in found.faults if f["value"] == "{bad"} == set(range(4, 300, 12))


def test_a_mark_at_the_start_is_no_part_of_the_line(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(work(1)).encode())
    assert balanced(here(path, path.name)) == (1, 1, 0, 0)


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    path.write_bytes(b'{"id": "' + b"x" * 5000)
    with (
        patch.object(jsonlines, "_STRETCH", 1000),
        patch.object(jsonlines, "LONGEST_LINE", 3000),
        pytest.raises(SourceError, match="longer than 32 MB"),
    ):
        here(path, path.name)


def test_a_line_that_is_no_utf8_is_told_and_the_rest_kept(tmp_path: Path) -> None:
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'{"id": "W1"}\n{"id": "W\xff2"}\n')
    found = here(path, path.name)
    assert balanced(found) == (2, 1, 0, 1)
    assert found.faults[0]["value"] == '{"id": "W\ufffd2"}'


def test_thousands_of_authors_on_one_line(tmp_path: Path) -> None:
    many = [author(f"n{i}", *[(f"I{i}-{k}" + "x" * 700, f"{i}", "CN") for k in range(2)]) for i in range(3000)]
    found = told(here, tmp_path, [json.dumps(work(1, authorships=many)), json.dumps(work(2))])
    assert len(found.rows["authorship"]) == 6000
    assert max(r["author_no"] for r in found.rows["authorship"]) == 3000
    assert balanced(found) == (2, 2, 0, 0)


def test_an_address_of_another_kind_is_never_cut_within_a_character(tmp_path: Path) -> None:
    odd = "x" * 20 + "钢" * 9
    found = told(here, tmp_path, [json.dumps(work(1)), json.dumps(work(2, id=odd, referenced_works=[f"{odd}/W3"]))])
    assert [r["work_id"] for r in found.rows["work"]] == ["W1", odd]
    assert [(r["citing"], r["cited"]) for r in found.rows["citation"]] == [(odd, "W3")]


def test_thousands_of_short_references(tmp_path: Path) -> None:
    cited = [chr(48 + n // 64) + chr(48 + n % 64) for n in range(3000) if n % 64 != 44]
    found = told(here, tmp_path, [json.dumps(work(1, referenced_works=cited)), json.dumps(work(2, title=5)), ""])
    assert [r["cited"] for r in found.rows["citation"]] == cited
    assert balanced(found) == (2, 2, 0, 0)


def test_the_same_work_twice(tmp_path: Path) -> None:
    found = told(here, tmp_path, [json.dumps(work(1)), json.dumps(work(1, title="other"))])
    assert len(found.rows["work"]) == 2
    assert balanced(found) == (2, 2, 0, 0)


@pytest.mark.parametrize("name", ["w.jsonl", "w.jsonl.gz"])
def test_windows_line_ends(tmp_path: Path, name: str) -> None:
    found = told(here, tmp_path, [json.dumps(work(1)) + "\r", json.dumps(work(2)) + "\r", ""], name)
    assert balanced(found) == (2, 2, 0, 0)


def test_no_line_is_a_work(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no line of it is one; the first reads province,value"):
        told(here, tmp_path, ["province,value", "河北,3"])


def test_truncated_gzip(read: Any, tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    whole = gzip.compress("\n".join(json.dumps(work(i, title=str(i * 7919))) for i in range(2000)).encode())
    path.write_bytes(whole[:-4000])
    with pytest.raises(SourceError) as caught:
        read(path, "cut.jsonl.gz")
    assert caught.value.code == "source_truncated"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("empty.jsonl", b"", "source_empty"),
        ("empty.jsonl.gz", b"", "source_empty"),
        ("plain.jsonl.gz", b'{"id": "W1"}\n', "source_format"),
        ("latin.jsonl", b'{"id": "W\xff2"}\n', "source_format"),
    ],
)
def test_not_the_format(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        here(path, name)
    assert caught.value.code == code
    assert str(path.parent) not in caught.value.say("en")


@pytest.mark.mirror
def test_every_line_of_the_mirror(mirror: Path) -> None:
    path = mirror / "openalex_works" / "works.jsonl.gz"
    found = here(path, "works.jsonl.gz")
    assert balanced(found) == (2643, 2643, 0, 0)
    assert len(found.rows["citation"]) == 89591
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        works = [json.loads(line) for line in lines]
    assert [r["work_id"] for r in found.rows["work"]] == [one["id"].removeprefix(AT) for one in works]
    assert [r["_row"] for r in found.rows["work"]] == list(range(1, len(works) + 1))
    assert [r["title"] for r in found.rows["work"]] == [one["title"] for one in works]
    names = [a["author"]["display_name"] or a["raw_author_name"] for one in works for a in one["authorships"]]
    assert [r["author"] for r in found.rows["authorship"] if r["affiliation_no"] < 2] == names


def test_a_lake_takes_the_lines_and_balances(tmp_path: Path) -> None:
    path = tmp_path / "works.jsonl"
    path.write_text("\n".join([*LINES, LINES[0], json.dumps(work(2, title="otherwise"))]), encoding="utf-8")
    lake = Lake(Config(lake=str(tmp_path / "lake")))
    load = lake.ingest(OpenAlexWorks(), raw_file(path, "openalex_works"), terms=Terms()).load
    # The first line again is skipped beside the blank one; W2 told otherwise joins the eight bad lines.
    assert (load.records, load.accepted, load.quarantined, load.skipped) == (14, 3, 9, 2)
    assert load.rows == {"work": 3, "authorship": 5, "citation": 2}
