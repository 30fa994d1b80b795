"""Where a frontier field forms: counts, shares, gaps, emergence and its baselines, bad works."""

import numpy as np
import pytest

from ronghe.errors import AskError, NoData, UnknownName
from ronghe.lenses.base import Context, LensSpec
from ronghe.lenses.frontier.citation_load import whole_year
from ronghe.lenses.frontier.field_load import Counts
from ronghe.lenses.frontier.places import growth, stands, windows
from ronghe.lenses.frontier.project_places import READS as PLACES
from ronghe.lenses.frontier.project_places import load_places
from tests.lenses.frontier.frontier_toys import author, brain_with, check, keys, lab, patent, project, science, work

PLACED = {
    "某半导体研究所": "CN-11",  # not where the partner of its joint laboratory is
    "某光学研究所": "CN-22", "清华大学附属医院": "CN-11", "石油大学（昆明）": "CN-53", "石油大学（华东）": None,
    "石油大学": "CN-11", "昆明市第一医院": "CN-53", "无处研究所": None,
}  # fmt: skip
KUNMING = {"region": "CN-530100", "level": "city", "parent": "CN-53", "name_zh": "昆明市", "name_en": "Kunming",
           "aliases": ["昆明"]}  # fmt: skip


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return brain_with(tmp_path_factory.mktemp("frontier"), science())


def _rows(answer, table):
    return answer.tables[table].data.to_pylist()


def test_counts_are_fractional_by_author_and_affiliation(tmp_path):
    tables = {
        "work": [work(1, 2020), work(2, 2020)],
        "authorship": [
            author(1, 1, "CHN"), author(1, 2, "CHN", affiliation=1), author(1, 2, "USA", affiliation=2),
            author(1, 3, None), author(2, 1, "USA"),
        ],
    }  # fmt: skip
    answer = brain_with(tmp_path, tables).ask("frontier", field="ai")
    found = {r["place"]: r["items"] for r in _rows(answer, "works")}
    # Work 1: a third for each author; the second halves his; the third has no country.
    assert found == pytest.approx({"CHN": 1 / 3 + 1 / 6, "USA": 1 / 6 + 1})
    assert "frontier.unplaced.works" in keys(answer)


def test_ranks_shares_and_gaps_against_a_plain_recount(toy):
    answer = toy.ask("frontier", field="ai")
    rows = _rows(answer, "works")
    held: dict[tuple[str, int], float] = {}
    tables = science()
    year = {w["work_id"]: w["year"] for w in tables["work"] if w["topic"] == "T10320"}
    for a in tables["authorship"]:
        if a["work_id"] in year:
            key = (a["country"], year[a["work_id"]])
            held[key] = held.get(key, 0.0) + 0.5
    now = {p: sum(v for (c, y), v in held.items() if c == p and 2017 <= y <= 2021) for p in ("CHN", "USA", "DEU")}
    total = sum(now.values())
    for row in rows:
        assert row["items"] == pytest.approx(now[row["place"]])
        assert row["share"] == pytest.approx(now[row["place"]] / total)
    assert [r["rank"] for r in rows] == [1, 2, 3]
    assert rows[0]["lead_moves"] == "leads"
    first = rows[0]["share"]
    assert all(r["lead_gap"] == pytest.approx(first - r["share"]) for r in rows)


def test_the_follower_that_catches_up_narrows_and_small_changes_do_not():
    counts = Counts("works")
    for year in range(2010, 2020):
        counts.add(year, "USA", 1000)
        counts.add(year, "CHN", 300 if year < 2015 else 700)
        counts.add(year, "DEU", 100 if year < 2015 else 101)
    found = {s.place: s for s in stands(counts, 5)}
    assert (found["USA"].moves, found["CHN"].moves) == ("leads", "narrows")
    assert found["CHN"].gap_change < 0
    assert growth(found["CHN"], 5) == pytest.approx((700 / 300) ** 0.2 - 1)
    small = Counts("works")
    for (year, place), value in counts.cells.items():
        small.add(year, place, value / 500)
    assert {s.place: s.moves for s in stands(small, 5)}["CHN"] == "steady"


def test_windows_leave_out_a_year_that_has_only_begun_and_years_before_the_data():
    assert whole_year({2018: 100, 2019: 100, 2020: 100, 2021: 9}) == 2020
    assert whole_year({2018: 100, 2019: 100}, 2018) == 2018
    counts = Counts("works")
    for year in (2018, 2019, 2020):
        counts.add(year, "CHN", 10)
    assert windows(counts, 5) == ((2018, 2019, 2020), ())


def test_growing_topics_emerge_and_the_back_test_names_its_baselines(toy):
    answer = toy.ask("frontier", field="ai")
    topics = _rows(answer, "topics")
    assert [t["topic"] for t in topics] == ["T10320"]
    assert topics[0]["emergence"] > 0.8
    assert {"frontier.test_wins", "frontier.test_loses"} & keys(answer) or "backtest" not in answer.tables
    check(toy, answer)


def test_every_kind_of_evidence_has_its_table_and_province(tmp_path):
    tables = science() | {
        "indicator": [
            {"region": r, "industry": "ALL", "indicator": i, "year": y, "value": float(v), "unit": "item"}
            for i in ("ai_publications", "deep_learning_publications") for y in range(2010, 2021)
            for r, v in (("CHN", 50 + 10 * (y - 2010)), ("USA", 100))
        ],
        "ai_model": [{"model": f"m{k}", "year": 2015 + k % 8, "countries": ["USA", "CHN"][: 1 + k % 2],
                      "multinational": False, "frontier": False} for k in range(40)],
        "project": [
            project("p1", "机器人", "智能机器人", "昆明理工大学"), project("p2", "机器人", "智能机器人", "无处大学"),
            project("p3", "机器人", "智能机器人", "清华大学附属医院"),
        ],
        "laboratory": [lab("机器人学国家重点实验室", "清华大学", "CN-11")],
        "region": [KUNMING],
        "patent": [patent("US1")],
        "patent_class": [{"patent_id": "US1", "scheme": "CPC", "code": "G06N 3/04", "number": 1}],
    }  # fmt: skip
    brain = brain_with(tmp_path, tables)
    answer = brain.ask("frontier")
    ours = {t: [r for r in _rows(answer, t) if r["field_id"] == "ai"] for t in answer.tables if t != "cards"
            and "field_id" in answer.tables[t].data.schema.names}  # fmt: skip
    assert {r["place"]: r["items"] for r in ours["projects"]} == {"CN-53": 1.0, "CN-11": 1.0}
    assert ours["patents"][0]["place"] == "JPN"
    assert ours["laboratories"][0]["place"] == "CN-11"
    assert {r["place"] for r in ours["models"]} == {"USA", "CHN"}
    publications = {r["place"]: r for r in ours["publications"]}
    # 2016 to 2020: 110 … 150 against 100 a year.
    assert publications["CHN"]["items"] == pytest.approx(650)
    assert publications["USA"]["lead_moves"] == "widens"
    assert answer.finding.headline.key.startswith("frontier.headline")
    check(brain, answer)


def test_disruption_needs_references_and_five_years(toy):
    rows = _rows(toy.ask("frontier", field="ai"), "works")
    late = [r for r in rows if r["cd_works"]]
    assert late
    assert all(-1 <= r["cd"] <= 1 for r in late)
    counted = sum(1 for w in science()["work"] if w["topic"] == "T10320" and w["year"] <= 2016)
    assert all(r["cd_works"] <= counted for r in late)


def test_bad_works_are_counted_out_not_crashed_on(tmp_path):
    tables = science()
    tables["work"] += [
        work(9001, None), work(9002, 2020, topic=None), work(9003, 2020, title=None), work(9004, 2020, retracted=None),
        work(9005, 2020, topic="T99999", field=None, subfield=None), work(9006, 2020, references=None, cited_by=None),
    ]  # fmt: skip
    tables["authorship"] += [author(9006, k, "FRA") for k in range(1, 3001)]
    tables["citation"] += [
        {"citing": "W9003", "cited": "W9003"}, {"citing": "W1", "cited": "W9004"},
        {"citing": "W9003", "cited": "W9004"}, {"citing": "W9004", "cited": "W9003"},
        {"citing": "W9001", "cited": "W2"}, {"citing": "W5", "cited": "W_elsewhere"},
    ]  # fmt: skip
    brain = brain_with(tmp_path, tables)
    answer = brain.ask("frontier", field="ai")
    france = next(r for r in _rows(answer, "works") if r["place"] == "FRA")
    assert france["items"] == pytest.approx(1.0)
    broken = brain.ask("breakthroughs")
    assert "breakthroughs.dropped" in keys(broken)
    check(brain, answer, traced=5)


def test_an_empty_lake_an_odd_region_and_an_odd_year_are_said(tmp_path, toy):
    empty = brain_with(tmp_path, {"region": [KUNMING]})
    with pytest.raises(AskError):
        empty.ask("frontier", field="ai")
    with pytest.raises(NoData):
        empty.ask("field_check", field="ai")
    with pytest.raises(AskError, match="year"):
        toy.ask("frontier", field="ai", year="soon")
    with pytest.raises(UnknownName):
        toy.ask("frontier", fields="ai")
    assert np.isfinite(toy.ask("frontier", field="ai", year=2015).tables["works"].data.column("items").to_numpy()).all()


def test_institutions_stand_where_they_are_and_not_where_a_partner_is(tmp_path):
    tables = {
        "project": [project(f"p{k}", "t", "专项", name) for k, name in enumerate(PLACED)],
        "laboratory": [
            lab("甲", "吉林大学", "CN-22"), lab("甲", "某半导体研究所", "CN-22"), lab("丁", "石油大学", "CN-11"),
            lab("乙", "某光学研究所", "CN-22"), lab("丙", "清华大学", "CN-11"),
        ],
        "organisation": [
            {"org_id": "o", "name": "S", "name_zh": "某半导体研究所", "country": "CHN", "region": "CN-11"}
        ],
        "region": [KUNMING],
    }  # fmt: skip
    brain = brain_with(tmp_path, tables)
    spec = LensSpec("x", 1, (*PLACES, "project"), lambda: None, ())  # type: ignore[arg-type, return-value]
    places = load_places(Context(spec, {}, "x", brain.snapshot, "", None))  # type: ignore[arg-type]
    assert {name: places.of(name) for name in PLACED} == PLACED
