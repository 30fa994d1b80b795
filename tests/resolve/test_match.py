"""Names find their organisation: by decision, code, spelling, likeness, or as a part; and what has none finds none."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.errors import UnknownName
from ronghe.intake import ingest_decision
from ronghe.model.table import contract
from ronghe.resolve.evaluate import Quality, hold_out, inventors_quality, measure, pairs_quality
from ronghe.resolve.keys import LARGEST_BLOCK, comparable, read_organisations
from ronghe.resolve.match import match, match_known
from ronghe.resolve.model import LEVELS, learn
from ronghe.resolve.names import read_name
from tests.sources.raw import Parsed, raw_at

TOWNS = (
    "Arvika", "Belfort", "Cuenca", "Dresden", "Evora", "Fukui", "Gdansk", "Halden", "Ipswich", "Jaffna",
    "Kaunas", "Leiden", "Mostar", "Namur", "Oviedo", "Parma", "Quimper", "Rostock", "Siena", "Tampere",
)  # fmt: skip
KINDS = ("University of {}", "{} Institute of Physics", "{} General Hospital", "{} Steel Works Ltd.")


@pytest.fixture(scope="module")
def organisations() -> pa.Table:
    rows = [
        {"org_id": f"ror:{i}{j}", "name": form.format(town), "country": "DEU" if i % 2 else "FRA", "status": "active",
         "aliases": [f"{form.format(town)} at the River", form.format(town.replace("a", "aa", 1))], "acronyms": []}
        for i, town in enumerate(TOWNS) for j, form in enumerate(KINDS)
    ]  # fmt: skip
    rows += [
        {"org_id": "ror:thu", "name": "Tsinghua University", "name_zh": "清华大学", "country": "CHN",
         "acronyms": ["THU"], "status": "active"},
        {"org_id": "ror:edu1", "name": "Ministry of Education", "country": "CHN", "status": "active"},
        {"org_id": "ror:edu2", "name": "Ministry of Education", "country": "FRA", "status": "active"},
        {"org_id": "ror:old", "name": "Acme Works", "country": "USA", "status": "withdrawn"},
        {"org_id": "ror:new", "name": "ACME Works", "country": "USA", "status": "active"},
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema([
        ("org_id", pa.string()), ("name", pa.string()), ("name_zh", pa.string()), ("country", pa.string()),
        ("status", pa.string()), ("aliases", pa.list_(pa.string())), ("acronyms", pa.list_(pa.string())),
    ]))  # fmt: skip


def found(table: pa.Table) -> list[tuple[object, ...]]:
    return [(r["org_id"], r["method"]) for r in table.to_pylist()]


ASKED = pa.Table.from_pylist(
    [
        {"name": "清華大學", "country": "", "code": None},
        {"name": "Tsinghua Univ.", "country": "CHN"},
        {"name": "THU", "country": "CHN"},
        {"name": "THU", "country": ""},
        {"name": "Whatever", "country": "", "code": "https://ror.org/thu"},
        {"name": "Ministry of Education", "country": "FRA"},
        {"name": "Ministry of Education (China)", "country": ""},
        {"name": "Ministry of Education", "country": "JPN"},
        {"name": "Acme Works", "country": ""},
        {"name": "Acme Works, Inc.", "country": ""},
        {"name": "清华大学经济管理学院", "country": ""},
        {"name": "School of Law, Tsinghua University", "country": ""},
        {"name": "Nothing At All", "country": ""},
        {"name": "", "country": ""},
    ]
)


def test_codes_spellings_countries_and_parts(organisations: pa.Table) -> None:
    result = match(ASKED, organisations)
    schema = [f for f in contract("organisation_match").schema if not f.name.startswith("_")]
    assert result.schema.equals(pa.schema(schema))
    assert found(result) == [
        ("ror:thu", "exact"),
        ("ror:thu", "exact"),
        ("ror:thu", "exact"),
        (None, "none"),
        ("ror:thu", "code"),
        ("ror:edu2", "exact"),
        ("ror:edu1", "reduced"),
        (None, "none"),
        ("ror:new", "exact"),
        ("ror:new", "reduced"),
        ("ror:thu", "parent"),
        ("ror:thu", "parent"),
        (None, "none"),
        (None, "none"),
    ]
    assert found(match(ASKED, organisations, parts=False))[10:12] == [(None, "none")] * 2


def test_a_name_of_several_is_worth_its_share(organisations: pa.Table) -> None:
    one = pa.table({"name": ["Ministry of Education"]})
    assert match(one, organisations).to_pylist()[0]["score"] == 0.5
    assert found(match(one, organisations, threshold=0.6)) == [(None, "none")]


def test_likeness(organisations: pa.Table) -> None:
    names = ["Dresdenn General Hospital", "Rostock Institute for Physics", "University of Leyden-Siena"]
    result = match(pa.table({"name": names}), organisations, threshold=0.3).to_pylist()
    assert [(r["org_name"], r["method"]) for r in result[:2]] == [
        ("Dresden General Hospital", "model"),
        ("Rostock Institute of Physics", "model"),
    ]
    assert all(0 <= r["score"] <= 1 for r in result if r["score"] is not None)


def decisions(*said: tuple[str, str, str]) -> pa.Table:
    at = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    rows = [
        {"decision_id": str(i), "at": at + dt.timedelta(hours=i), "by": "me", "kind": kind,
         "table": "organisation_match", "subject": subject, "field": "org_id", "new": new}
        for i, (kind, subject, new) in enumerate(said)
    ]  # fmt: skip
    return pa.Table.from_pylist([*rows, {**rows[0], "table": "other", "new": "ror:edu1"}])


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ([("confirmed", "清华大学", "ror:00")], ("ror:00", "decision", "confirmed")),
        ([("locked", "清 华 大 学", "ror:00")], ("ror:00", "decision", "locked")),
        ([("locked", "清华大学", "")], (None, "decision", "locked")),
        ([("rejected", "清华大学", "ror:thu")], (None, "none", "rejected")),
        ([("confirmed", "清华大学", "ror:00"), ("rejected", "清华大学", "ror:00")], ("ror:thu", "exact", "open")),
        ([("locked", "清华大学", "ror:00"), ("rejected", "清华大学", "ror:00")], ("ror:00", "decision", "locked")),
        ([("rejected", "清华大学", "ror:thu"), ("confirmed", "清华大学", "ror:thu")],
         ("ror:thu", "decision", "confirmed")),
        ([("confirmed", "北京大学", "ror:00")], ("ror:thu", "exact", "open")),
    ],
)  # fmt: skip
def test_what_a_user_decided_stands_above(
    organisations: pa.Table, said: list[tuple[str, str, str]], answer: tuple[object, ...]
) -> None:
    known = read_organisations(organisations)
    (row,) = match_known(pa.table({"name": ["清华大学"]}), known, learn(known), decisions(*said)).to_pylist()
    assert (row["org_id"], row["method"], row["status"]) == answer


def test_a_decision_is_kept_in_the_lake(organisations: pa.Table, tmp_path: Path) -> None:
    brain = Brain(Config(lake=str(tmp_path / "lake"), cache=str(tmp_path / "cache")))
    for kind, value in (("confirmed", "ror:00"), ("rejected", "ror:00")):
        assert ingest_decision(brain, kind, "清华大学", value, reason="seen").new
    snapshot = brain.lake.snapshot()
    rows = snapshot.rows(snapshot.table("decision"))
    assert sorted(r["kind"] for r in rows.to_pylist()) == ["confirmed", "rejected"]
    assert found(match(pa.table({"name": ["清华大学"]}), organisations, rows)) == [("ror:thu", "exact")]
    for words in (("perhaps", "x", "y", "organisation_match"), ("locked", "x", "y", "no_table")):
        with pytest.raises(UnknownName):
            ingest_decision(brain, *words[:3], table=words[3])


def test_nothing_to_learn_from_and_nothing_asked() -> None:
    one = pa.table({"org_id": ["a"], "name": ["Only One"]})
    assert found(match(pa.table({"name": ["Only One", "Only Won"]}), one)) == [("a", "exact"), (None, "none")]
    empty = pa.table({"name": pa.array([], pa.string())})
    assert match(empty, one).num_rows == 0
    none = pa.table({"org_id": pa.array([], pa.string()), "name": pa.array([], pa.string())})
    assert found(match(pa.table({"name": ["x"]}), none)) == [(None, "none")]


def test_the_same_seed_gives_the_same_weights(organisations: pa.Table) -> None:
    known = read_organisations(organisations)
    assert learn(known, seed=3) == learn(known, seed=3)
    weights = learn(known)
    assert set(weights.levels) == set(LEVELS)
    for name, tests in LEVELS.items():
        assert len(weights.levels[name]) == len(tests) + 1
        assert sum(m for m, _ in weights.levels[name]) == pytest.approx(1)
        assert sum(u for _, u in weights.levels[name]) == pytest.approx(1)
    shares = [share for _, share in weights.curve]
    assert all(0 < share < 1 for share in shares)


def test_frequent_words_bring_nothing_together() -> None:
    words = {"common": LARGEST_BLOCK + 1, "rare": 2, "unknown": 0}
    table = comparable([(0, read_name("common rare unknown"), "")], words, listed=False)
    (keys,) = table.column("keys").to_pylist()
    assert "w:rare" in keys
    assert not [key for key in keys if key in ("w:common", "w:unknown")]
    assert table.column("core").to_pylist() == [["0000000:unknown", "0000002:rare", "0000121:common"]]


def test_held_out_names_are_nowhere_in_the_list(organisations: pa.Table) -> None:
    held = hold_out(organisations, share=0.5, gone=0.1, seed=1)
    left = {(one.org_id, one.text) for one in held.known.spellings}
    assert held.names.num_rows == len(held.truth)
    assert None in held.truth
    for name, truth in zip(held.names.column("name").to_pylist(), held.truth, strict=True):
        assert (truth, name) not in left
    lines = measure(held, thresholds=(0.3, 0.9))
    (all_low,) = [line for line in lines if line.group == "all" and line.threshold == 0.3]
    assert all_low.given == len(held.truth)
    assert all_low.precision is not None
    assert all_low.precision > 0.6
    assert all_low.recall is not None
    assert 0.3 < all_low.recall <= 1
    assert hold_out(organisations, seed=4).truth == hold_out(organisations, seed=4).truth


def test_pairs() -> None:
    apart = pairs_quality(["a", "a", "b", "b"], [1, 2, 3, 4])
    assert (apart.precision, apart.recall) == (None, 0.0)
    right = pairs_quality(["a", "a", "b"], [1, 1, 2])
    assert (right.precision, right.recall) == (1.0, 1.0)
    assert Quality("x", 0.5, 1, 0, 0, 0).recall is None


@pytest.mark.mirror
def test_inventors_by_name_alone(mirror: Path) -> None:
    from ronghe.sources.patentsview import PatentsView

    raw = raw_at(mirror / "patentsview/ens-inventors.csv", "ens-inventors.csv")
    line = inventors_quality(Parsed(PatentsView(), raw).table("labelled_inventor"))
    assert line.precision is not None
    assert line.recall is not None
    assert line.precision > 0.99
    assert 0.7 < line.recall < 0.85
