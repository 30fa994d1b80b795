"""Field cards: the figures of the tables beside one another, and a reason wherever there is no record."""

import pytest

from ronghe.errors import NoData
from ronghe.model.serial import from_document, to_document
from tests.lenses.frontier.frontier_toys import author, brain_with, check, lab, project, science, work

FIGURES = ("items", "growth_year", "share", "rank", "lead_en", "lead_share", "second_en", "gap_points", "lead_moves",
           "emergence", "cd", "cd_works", "from_year", "to_year")  # fmt: skip


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    tables = science() | {
        "project": [project(f"p{k}", "智能机器人", "智能机器人", "某大学") for k in range(40)],
        "laboratory": [lab("机器人学国家重点实验室", "清华大学", "CN-11")],
    }
    return brain_with(tmp_path_factory.mktemp("cards"), tables)


def _cards(answer):
    return {(r["field_id"], r["evidence"]): r for r in answer.tables["cards"].data.to_pylist()}


def test_a_card_says_what_the_table_of_places_says(toy):
    answer = toy.ask("frontier", region="DEU")
    places = {r["place"]: r for r in answer.tables["works"].data.to_pylist() if r["field_id"] == "ai"}
    card = _cards(answer)["ai", "works"]
    assert card["items"] == pytest.approx(sum(r["items"] for r in places.values()))
    assert (card["from_year"], card["to_year"]) == (2017, 2021)
    assert [card[k] for k in ("share", "rank", "lead_moves")] == [
        places["DEU"][k] for k in ("share", "rank", "lead_moves")
    ]
    assert card["gap_points"] == pytest.approx(100 * places["DEU"]["lead_gap"])
    assert card["lead_en"] == places["DEU"]["lead_en"]
    assert card["lead_share"] == max(r["share"] for r in places.values())
    assert card["second_en"] is None
    total = {p: sum(r[p] for r in places.values()) for p in ("items", "before")}
    assert card["growth_year"] == pytest.approx((total["items"] / total["before"]) ** 0.2 - 1)
    check(toy, answer)


def test_a_leader_is_measured_against_the_runner_up(toy):
    rows = toy.ask("frontier", field="ai", region="USA").tables["works"].data.to_pylist()
    assert rows[0]["place"] == "USA"
    card = _cards(toy.ask("frontier", field="ai", region="USA"))["ai", "works"]
    assert (card["rank"], card["second_en"]) == (1, rows[1]["place_en"])
    assert card["gap_points"] == pytest.approx(100 * rows[1]["lead_gap"])
    assert card["lead_moves"] == rows[1]["lead_moves"]


def test_a_field_as_a_whole_has_the_mean_disruption_of_its_works(toy):
    answer = toy.ask("frontier", field="ai")
    card = _cards(answer)["ai", "works"]
    topic = next(r for r in answer.tables["topics"].data.to_pylist() if r["topic"] == "T10320")
    assert card["cd"] == pytest.approx(topic["cd"])
    assert card["cd_works"] == topic["cd_works"]
    assert card["emergence"] == pytest.approx(topic["emergence"])
    assert card["topic_first"] == topic["topic_name"]


def test_a_field_without_records_says_why_and_shows_no_zero(toy):
    answer = toy.ask("frontier")
    cards = _cards(answer)
    quantum = {evidence: row for (field, evidence), row in cards.items() if field == "quantum"}
    assert {e: r["remark"] for e, r in quantum.items()} == {
        "works": "nothing", "publications": "not_defined", "models": "not_defined", "patents": "not_loaded",
        "projects": "nothing", "laboratories": "nothing",
    }  # fmt: skip
    assert all(row[k] is None for row in quantum.values() for k in FIGURES)
    assert (quantum["works"]["searched"], quantum["projects"]["searched"]) == (len(science()["work"]), 40)
    assert cards["ai", "models"]["remark"] == "not_loaded"
    assert cards["ai", "projects"]["remark"] == "unplaced"
    assert (cards["ai", "laboratories"]["remark"], cards["ai", "laboratories"]["share"]) == ("few", None)
    assert cards["ai", "works"]["remark"] is None


def test_items_outside_the_years_and_works_that_a_sample_caught_by_the_way(tmp_path):
    earth = [work(k, 2020, "T1", field="Earth and Planetary Sciences") for k in range(100, 140)]
    tables = {
        "work": [*(work(k, 2020) for k in range(1, 41)), *earth],
        "authorship": [author(k, 1, "CHN") for k in [*range(1, 41), *range(100, 140)]],
    }
    brain = brain_with(tmp_path, tables)
    assert _cards(brain.ask("frontier", field="ai"))["ai", "works"]["remark"] == "narrow"
    with pytest.raises(NoData) as refused:
        brain.ask("frontier", field="ai", year=2010)
    assert (refused.value.code, refused.value.args_) == ("no_topics_yet", {"year": 2010, "first": 2020})
    old = brain_with(tmp_path / "old", {**tables, "work": [*tables["work"], work(200, 2005, "T20001")]})
    early = _cards(old.ask("frontier", field="ai", year=2010))["ai", "works"]
    assert (early["remark"], early["items"]) == ("outside", None)


def test_years_have_no_holes_and_cards_are_kept_with_the_finding(toy):
    answer = toy.ask("frontier")
    rows = [r for r in answer.tables["years"].data.to_pylist() if r["evidence"] == "works" and r["field_id"] == "ai"]
    assert [r["year"] for r in rows] == list(range(2008, 2022))
    assert [r["items"] for r in rows] == [float(y - 2006) for y in range(2008, 2022)]
    assert from_document(to_document(answer.finding)) == answer.finding
    assert answer.finding.cards[0].spark is not None
    assert {n for n, t in answer.tables.items() if t.aside} >= {"cards", "years", "backtest"}
