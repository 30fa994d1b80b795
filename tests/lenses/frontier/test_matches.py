"""Matches of organisations as a user meets them: names of tables and files, decisions, and how far to trust them."""

import pytest

from ronghe.errors import AskError, MappingError, NoData, UnknownName
from ronghe.intake import ingest_decision
from ronghe.lake.ingest import Terms
from ronghe.lake.lake import raw_file
from ronghe.lenses.base import Context
from ronghe.lenses.frontier.match_load import kept_matches
from ronghe.lenses.frontier.match_quality import weights_of
from ronghe.lenses.frontier.project_places import load_places
from ronghe.plugins import get_lens
from ronghe.resolving import ingest_names, keep_matches
from tests.lenses.frontier.frontier_toys import Invented, brain_with, check, project
from tests.resolve.test_match import KINDS, TOWNS

NAMES = "project.institution"


def _organisations():
    rows = [
        {"org_id": f"ror:{i}{j}", "name": form.format(town), "country": "DEU" if i % 2 else "FRA", "status": "active",
         "aliases": [f"{form.format(town)} at the River", form.format(town.replace("a", "aa", 1))], "acronyms": []}
        for i, town in enumerate(TOWNS) for j, form in enumerate(KINDS)
    ]  # fmt: skip
    return [
        *rows,
        {"org_id": "ror:thu", "name": "Tsinghua University", "name_zh": "清华大学", "country": "CHN", "region": "CN-11",
         "aliases": [], "acronyms": ["THU"], "status": "active"},
        {"org_id": "ror:sigs", "name": "Tsinghua Shenzhen International Graduate School", "country": "CHN",
         "name_zh": "清华大学深圳国际研究生院", "aliases": [], "acronyms": [], "status": "active", "parent": "ror:thu"},
        {"org_id": "ror:hw", "name": "Huawei Technologies (China)", "name_zh": "华为技术有限公司", "country": "CHN"},
        {"org_id": "ror:hp", "name": "Huawei Technologies (Poland)", "country": "POL", "parent": "ror:hw"},
        {"org_id": "ror:a", "name": "Ministry of Education", "country": "CHN", "status": "active"},
        {"org_id": "ror:b", "name": "Ministry of Education", "country": "FRA", "status": "active"},
    ]  # fmt: skip


FIRMS = ("Huawei Technologies Co.", "Huawei Technologies (Poland)", "Huawei Technologies (Chile) Ltda.", "华为技术")


def _brain(folder):
    institutions = ("清华大学", "清华大学", "Tsinghua Univ.", "清华大学经济管理学院", "清华大学深圳国际研究生院",
                    "Dresdenn General Hospital", "Ministry of Education", "无此机构", None)  # fmt: skip
    projects = [project(str(i), "a study", "AI", name) for i, name in enumerate(institutions)]
    brain = brain_with(folder, {"organisation": _organisations(), "project": projects})
    return brain


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return _brain(tmp_path_factory.mktemp("matches"))


def _rows(answer, table="matches"):
    return answer.tables[table].data.to_pylist()


def _found(answer):
    return {r["name"]: (r["org_id"], r["match_method"]) for r in _rows(answer)}


def _ask(brain, names=NAMES, **more):
    return brain.ask("matches", names=names, register="invented", **more)


def test_variants_schools_and_parts_find_their_organisation(toy):
    answer = _ask(toy)
    found = _found(answer)
    assert found["清华大学"] == found["Tsinghua Univ."] == ("ror:thu", "exact")
    assert found["清华大学经济管理学院"] == ("ror:thu", "parent")
    assert found["清华大学深圳国际研究生院"] == ("ror:sigs", "exact")
    assert found["Dresdenn General Hospital"][1] == "model"
    assert found["无此机构"] == (None, "none")
    rows = {r["name"]: r for r in _rows(answer)}
    assert rows["清华大学"]["name_rows"] == 2
    assert rows["清华大学深圳国际研究生院"]["top_id"] == "ror:thu"
    assert rows["清华大学"]["top_id"] is None
    assert (rows["Ministry of Education"]["match_score"], rows["Ministry of Education"]["runner_id"]) == (0.5, "ror:b")
    assert sum(r["names"] for r in _rows(answer, "methods")) == len(rows) == 7
    assert sum(r["name_rows"] for r in _rows(answer, "methods")) == 8
    assert sum(r["names_matched"] + r["names_open"] for r in _rows(answer, "scores")) == 7
    check(toy, answer)


def test_a_group_of_companies_is_told_apart(tmp_path):
    projects = [project(str(i), "a study", "AI", name) for i, name in enumerate(FIRMS)]
    brain = brain_with(tmp_path, {"organisation": _organisations(), "project": projects})
    assert _found(_ask(brain)) == {
        "Huawei Technologies Co.": ("ror:hw", "reduced"),
        "Huawei Technologies (Poland)": ("ror:hp", "exact"),
        "Huawei Technologies (Chile) Ltda.": ("ror:hw", "parent"),
        "华为技术": ("ror:hw", "reduced"),
    }


def test_what_is_listed_is_chosen_and_counts_stay_whole(toy):
    doubtful = _ask(toy, only="doubtful")
    assert {"清华大学经济管理学院", "Ministry of Education"} <= set(_found(doubtful))
    assert "清华大学" not in _found(doubtful)
    assert sum(r["names"] for r in _rows(doubtful, "methods")) == 7
    assert set(_found(_ask(toy, only="unmatched"))) == {"无此机构"}
    with pytest.raises(AskError):
        keep_matches(toy, doubtful)
    strict = {r["name"]: r for r in _rows(_ask(toy, least=0.6))}
    assert strict["Ministry of Education"]["org_id"] is None
    assert strict["Ministry of Education"]["runner_id"] in {"ror:a", "ror:b"}


def test_quality_is_measured_on_the_model_that_is_used(toy):
    answer = toy.ask("match_quality", register="invented")
    check(toy, answer)
    weights = weights_of(answer.finding)
    assert weights.pairs == _rows(answer, "model")[0]["pairs"] > 0
    assert [sum(m for m, _ in levels) for levels in weights.levels.values()] == pytest.approx([1.0] * 4)
    rows = [r for r in _rows(answer, "quality") if r["quality_group"] == "all"]
    assert all(r["names_right"] <= r["names_answered"] <= r["names_given"] for r in rows)
    assert all(r["match_precision"] == r["names_right"] / r["names_answered"] for r in rows if r["names_answered"])
    shown = _ask(toy)
    assert [r["match_precision"] for r in _rows(shown, "quality")] == [
        r["match_precision"] for r in rows if r["asked_with"] == "none"
    ]
    assert shown.trace("match_recall", 0, table="quality").child is not None


def test_decisions_stand_above_and_reach_the_questions_that_use_matches(tmp_path):
    brain = _brain(tmp_path)
    assert keep_matches(brain, _ask(brain)).load.records == 7
    with pytest.raises(UnknownName):
        ingest_decision(brain, "maybe", "无此机构", "ror:thu")
    for kind, name, org in (("confirmed", "无此机构", "ror:thu"), ("locked", "Tsinghua Univ.", "ror:00"),
                            ("rejected", "清华大学经济管理学院", "ror:thu")):  # fmt: skip
        ingest_decision(brain, kind, name, org)
    answer = _ask(brain)
    found = _found(answer)
    assert found["无此机构"] == ("ror:thu", "decision")
    assert found["Tsinghua Univ."] == ("ror:00", "decision")
    assert found["清华大学经济管理学院"][0] != "ror:thu"
    assert set(_found(_ask(brain, only="decided"))) == {"无此机构", "Tsinghua Univ.", "清华大学经济管理学院"}
    spec = get_lens("frontier")
    context = Context(spec, {}, "x", brain.snapshot, "x", lambda lens, **_: None)
    held = kept_matches(context)
    assert (held["清华大学"], held["无此机构"], held["tsinghua university"]) == ("ror:thu", "ror:thu", "ror:00")
    assert "清华大学经济管理学院" not in held
    assert load_places(context).of("无此机构") == "CN-11"
    before = brain.snapshot.count("organisation_match")
    assert keep_matches(brain, answer).new
    assert brain.snapshot.count("organisation_match") == before


def test_a_file_of_ones_own(tmp_path):
    brain = _brain(tmp_path)
    file = tmp_path / "firms.csv"
    file.write_text(
        "单位,国家\n清华大学,中国\nTsinghua Univ.,\n,中国\nMinistry of Education,France\n", encoding="gb18030"
    )
    with pytest.raises(AskError):
        ingest_names(brain, file, None)
    with pytest.raises(MappingError):
        ingest_names(brain, file, "名称")
    names = ingest_names(brain, file, "单位", "国家")
    assert names == "firms.csv · 单位"
    answer = _ask(brain, names)
    assert _found(answer) == {"清华大学": ("ror:thu", "exact"), "Tsinghua Univ.": ("ror:thu", "exact"),
                              "Ministry of Education": ("ror:b", "exact")}  # fmt: skip
    assert answer.trace("name_rows", 0, table="matches").origins[0].file == "firms.csv"
    keep_matches(brain, answer)
    assert _found(_ask(brain, names)) == _found(answer)
    assert len(_rows(_ask(brain, names))) == 3
    assert ingest_names(brain, file, "单位", "FRA") == names


def test_what_is_not_there_is_said(tmp_path, toy):
    with pytest.raises(UnknownName) as caught:
        toy.ask("matches", names="project.leader", register="invented")
    assert NAMES in caught.value.say("zh")
    with pytest.raises(UnknownName) as caught:
        toy.ask("matches", names=NAMES, register="ror")
    assert "ronghe ingest ror" in caught.value.say("en")
    bare = brain_with(tmp_path / "bare", {"project": [project("1", "t", "p", None)]})
    path = tmp_path / "org.json"
    path.write_text('{"organisation": [{"org_id": "x:1", "name": "Only One"}]}', encoding="utf-8")
    bare.lake.ingest(Invented(["organisation"]), raw_file(path, "invented"), terms=Terms())
    with pytest.raises(NoData):
        _ask(bare)
    assert "matches.quality_none" in {bare.ask("match_quality", register="invented").finding.headline.key}
