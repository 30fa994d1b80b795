"""Organisations of ROR: a small array in schema v2, damaged files, and every real record."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ronghe.errors import SourceError
from ronghe.sources import json_array
from ronghe.sources.base import Source
from ronghe.sources.ror import Ror

from .raw import Parsed, raw_at, raw_file

NAME = "ror.json.gz"


def name(value: str, lang: str | None, *types: str) -> dict[str, Any]:
    return {"value": value, "lang": lang, "types": list(types)}


def record(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"https://ror.org/0{number}",
        "names": [name(f"Org {number}", "en", "ror_display", "label")],
        "types": ["education"],
        "locations": [],
        "relationships": [],
        "links": [],
        "status": "active",
        "established": None,
        **more,
    }


def place(country: str, city: str, subdivision: str | None = None) -> list[dict[str, Any]]:
    details = {"country_code": country, "name": city, "lat": 30.5, "lng": 114.25}
    return [{"geonames_details": details | ({"country_subdivision_name": subdivision} if subdivision else {})}]


FULL = record(
    1,
    names=[
        name("武汉某大学", "zh", "label"),
        name("武某大", "zh", "alias"),
        name("Wuhan U", "en", "alias"),
        name("WU", None, "acronym"),
        name("Universität", "de", "label"),
        name("Some University of Wuhan", "en", "label", "ror_display"),
    ],
    types=["funder", "education"],
    locations=place("CN", "Wuhan", "Hubei"),
    relationships=[
        {"id": "https://ror.org/02", "type": "parent", "label": "x"},
        {"id": "https://ror.org/03", "type": "child", "label": "y"},
        {"id": "https://ror.org/03", "type": "child", "label": "y"},
    ],
    links=[{"type": "wikipedia", "value": "w"}, {"type": "website", "value": "https://example.org"}],
    established=1893,
)


def packed(records: Any) -> bytes:
    return gzip.compress(json.dumps(records, ensure_ascii=False).encode())


def parsed(folder: Path, records: Any) -> Parsed:
    return Parsed(Ror(), raw_file(folder, NAME, packed(records)))


def test_is_a_source(tmp_path: Path) -> None:
    assert isinstance(Ror(), Source)
    assert Ror().accepts(raw_file(tmp_path, NAME, b"x"))
    assert not Ror().accepts(raw_file(tmp_path, "README.txt", b"x"))


def test_one_record_in_full(tmp_path: Path) -> None:
    found = parsed(tmp_path, [FULL])
    (row,) = found.rows("organisation")
    assert {k: v for k, v in row.items() if v not in (None, [])} == {
        "org_id": "ror:01",
        "name": "Some University of Wuhan",
        "name_zh": "武汉某大学",
        "name_en": "Some University of Wuhan",
        "aliases": ["武某大", "Wuhan U", "Universität"],
        "acronyms": ["WU"],
        "type": "education",
        "types": ["funder", "education"],
        "country": "CHN",
        "region": "CN-42",
        "city": "Wuhan",
        "parent": "ror:02",
        "founded": 1893,
        "status": "active",
        "latitude": 30.5,
        "longitude": 114.25,
        "website": "https://example.org",
        "_part": "",
        "_row": 1,
    }
    links = found.rows("organisation_link")
    assert [(r["org_id"], r["other_id"], r["kind"]) for r in links] == [
        ("ror:01", "ror:02", "parent"),
        ("ror:01", "ror:03", "child"),
    ]


@pytest.mark.parametrize(
    ("where", "country", "region"),
    [
        (place("CN", "Beijing"), "CHN", "CN-11"),
        (place("CN", "Xi'an", "Shaanxi"), "CHN", "CN-61"),
        (place("CN", "Taiyuan", "Shanxi"), "CHN", "CN-14"),
        (place("CN", "Lhasa", "Tibet"), "CHN", "CN-54"),
        (place("CN", "Wuhan"), "CHN", None),
        (place("HK", "Sha Tin"), "HKG", "CN-81"),
        (place("GB", "Boston"), "GBR", None),
        (place("XK", "Pristina"), "XKX", None),
        ([], None, None),
    ],
)
def test_places(tmp_path: Path, where: Any, country: str | None, region: str | None) -> None:
    (row,) = parsed(tmp_path, [record(1, locations=where)]).rows("organisation")
    assert (row["country"], row["region"]) == (country, region)


def test_bad_records_are_told_and_the_rest_kept(tmp_path: Path) -> None:
    bad: list[Any] = [
        "text",
        record(2, id=None),
        record(3, names=[name("only", "en", "label")]),
        record(4, locations=place("ZZ", "Nowhere")),
        record(5, established="1893年"),
        record(6, relationships="none"),
        record(7, relationships=[{"type": "child"}]),
    ]
    found = parsed(tmp_path, [record(1), *bad, record(9)])
    assert found.balance == (9, 2, 0, 7)
    assert [(r.row, r.column, r.reason) for r in found.rejected] == [
        (2, "record", "type"),
        (3, "org_id", "null"),
        (4, "name", "null"),
        (5, "country", "unknown_region"),
        (6, "founded", "year"),
        (7, "relationships", "type"),
        (8, "org_id", "null"),
    ]


@pytest.mark.parametrize("step", [1, 7, 64, 2**20])
def test_an_array_comes_in_pieces(tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "_STEP", step)
    values = [{"a": [1, {"b": "],[ 钢\\"}]}, [], 17, "x", None, 2.5]
    raw = raw_file(tmp_path, "a.json", json.dumps(values, indent=1, ensure_ascii=False) + "\n")
    assert list(json_array.read_array(raw, "an array")) == values


@pytest.mark.parametrize(
    ("file", "data", "code"),
    [
        (NAME, b"", "source_empty"),
        (NAME, packed([record(i) for i in range(300)])[:-400], "source_truncated"),
        ("ror.json", json.dumps([record(1), record(2)]).encode()[:-5], "source_truncated"),
        (NAME, b"[]", "source_format"),
        ("ror.json", b"id,name\n1,2\n", "source_format"),
        ("ror.json", b'[{"names": []}] trailing', "source_format"),
        ("ror.json", b'[{"id": "https://ror.org/1", "name": "schema v1"}]', "source_format"),
        ("ror.json", b'[{"names": "\xff"}]', "source_format"),
    ],
)
def test_not_this_format(tmp_path: Path, file: str, data: bytes, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        Parsed(Ror(), raw_file(tmp_path, file, data))
    assert caught.value.code == code


@pytest.mark.mirror
def test_every_record_of_the_mirror(mirror: Path) -> None:
    (path,) = (mirror / "ror").glob("*.json.gz")
    found = Parsed(Ror(), raw_at(path, path.name))
    assert found.balance == (29973, 29973, 0, 0)
    rows = found.rows("organisation")
    chinese = [r for r in rows if r["country"] == "CHN"]
    assert sum(r["region"] is not None for r in chinese) >= 450
    assert sum(r["name_zh"] is not None for r in rows) > 1000
