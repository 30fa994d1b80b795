"""Fields as files: what they say, what they refuse, and what they catch and miss in a lake."""

import re

import pytest

from ronghe.errors import AskError, UnknownName
from ronghe.fielding.definition import pattern, within
from ronghe.fielding.reading import FRONTIER, field_aliases, field_names, parse_field, read_field
from tests.lenses.frontier.frontier_toys import brain_with, check, keys, lab, patent, project, said, work

OWN = """
name = "toy"
title = { zh = "玩具", en = "Toy" }
[topics.ids]
T10320 = "Neural Networks and Applications"
[patents]
classes = ["G06N"]
[projects]
programmes = ["智能机器人"]
[terms]
zh = ["机器人"]
en = ["deep learning"]
not_en = ["e-learning"]
[near]
zh = ["智能"]
en = ["learning"]
"""


def _tables():
    return {
        "work": [
            work(1, 2020), work(2, 2020, "T20001", title="Deep Learning for rocks"),
            work(3, 2020, "T20001", title="Deep learning and e-learning"),
            work(4, 2020, "T20001", title="Learning Latin"),
            work(5, 2020, "T99999", title=None), work(6, 2020, retracted=True), work(7, 2020, type="erratum"),
        ],
        "topic": [
            {"topic": "T10320", "name_en": "Neural Networks and Applications", "subfield": "Artificial Intelligence",
             "field": "Computer Science", "field_code": "17"},
            {"topic": "T20001", "name_en": "Toy learning", "subfield": "S", "field": "F", "field_code": "31"},
        ],
        "project": [
            project("p1", "仿生手", "“智能机器人”重点专项"), project("p2", "水下机器人", "深海关键技术与装备"),
            project("p3", "智能农机", "智能农机装备"), project("cordis:1", "机器人", "H2020", None),
        ],
        "laboratory": [lab("机器人学国家重点实验室", "a", "CN-21")],
        "patent": [patent("US1"), patent("US2", type="design", title="Deep learning")],
        "patent_class": [{"patent_id": "US1", "scheme": "IPC", "code": "G06N 3/04", "number": 1}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    tables = _tables()
    own = folder / "toy.toml"
    own.write_text(OWN, encoding="utf-8")
    return brain_with(folder / "b", tables), str(own)


def test_the_five_frontier_fields_come_first_and_read_in_both_languages():
    assert field_names()[:5] == FRONTIER
    for name in field_names():
        one = read_field(name)
        assert one.name == name
        assert re.search(r"[一-鿿]", one.names["zh"])
        assert one.note["zh"]
        assert one.note["en"]
        assert any(re.search(r"[一-鿿]", t) for t in one.terms)
        assert any(t.isascii() for t in one.terms)
        assert one.classes
        assert one.programmes
        assert one.topics or one.subfields or one.fields
    assert field_aliases()["人工智能"] == field_aliases()["artificial intelligence"] == "ai"


@pytest.mark.parametrize(
    ("code", "wide", "inside"),
    [
        ("H01L 21/768", "H01L 21", True), ("H01L 210/02", "H01L 21", False), ("H01L 21", "H01L 21", True),
        ("G06N 3/063", "G06N 3/06", True), ("G06N 3/04", "G06N", True), ("G06F 3/04", "G06N", False),
        ("G06N 3/04", "G", True), ("H01L 21/768", "H01L 21/76", True),
    ],
)  # fmt: skip
def test_a_class_lies_within_a_wider_one(code, wide, inside):
    assert within(code, wide) is inside


def test_english_terms_match_whole_words_and_chinese_ones_anywhere():
    made = pattern(["cell", "芯片"])
    assert made is not None
    assert re.search(made, "A CELL divides")
    assert re.search(made, "新型芯片设计")
    assert not re.search(made, "cellular")
    assert pattern([]) is None
    assert re.search(pattern(["neuro"], whole=False), "Neuroscience")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[terms]", "[term]", "field_key"), ('en = ["deep learning"]', 'en = "deep learning"', "field_type"),
        ("T10320", "X1", "field_topic"), ('["G06N"]', '["G6N"]', "field_class"), ("[near]", "[near", "field_toml"),
        ('name = "toy"', "name = 3", "field_type"),
        ('title = { zh = "玩具", en = "Toy" }', 'title = "Toy"', "field_type"),
    ],
)  # fmt: skip
def test_a_faulty_file_says_what_and_where(old, new, code):
    with pytest.raises(AskError) as caught:
        parse_field(OWN.replace(old, new), "my.toml")
    assert caught.value.code == code
    assert "my.toml" in caught.value.say("en")
    assert caught.value.say("zh")


def test_an_unknown_key_offers_the_nearest():
    with pytest.raises(UnknownName) as caught:
        parse_field(OWN.replace("programmes", "programs"), "my.toml")
    assert caught.value.known[0] == "programmes"


def test_a_file_without_rules_is_refused():
    with pytest.raises(AskError) as caught:
        parse_field('name = "n"\ntitle = { zh = "甲", en = "a" }', "my.toml")
    assert caught.value.code == "field_empty"


def test_check_counts_by_kind_and_by_what_caught(toy):
    brain, own = toy
    answer = brain.ask("field_check", field=own)
    row = answer.tables["summary"].data.to_pylist()[0]
    # Works: one by topic, one by its title; the forbidden word, the retracted one and the erratum are out.
    assert (row["topics"], row["works"], row["works_words"]) == (1, 2, 1)
    assert (row["projects"], row["projects_words"], row["laboratories"]) == (
        2, 1, 1,
    )  # fmt: skip
    assert row["patents"] == 1
    near = {(r["near_kind"], r["near"]) for r in answer.tables["near"].data.to_pylist()}
    assert ("work", "Learning Latin") in near
    assert ("project", "智能农机") in near
    assert ("topic", "Toy learning") in near
    rules = {r["rule"]: (r["caught"], r["rule_state"]) for r in answer.tables["rules"].data.to_pylist()}
    assert rules["T10320"] == (1, "found")
    assert rules["deep learning"] == (1, "found")
    assert rules["机器人"] == (2, "found")
    check(brain, answer)


def test_a_topic_that_is_unknown_or_renamed_is_named(toy, tmp_path):
    brain, _ = toy
    own = tmp_path / "toy.toml"
    text = OWN.replace("Neural Networks and", "Neural Nets and")
    own.write_text(text.replace("[patents]", 'T77777 = "Gone"\n[patents]'), encoding="utf-8")
    answer = brain.ask("field_check", field=str(own))
    states = {r["rule"]: r["rule_state"] for r in answer.tables["rules"].data.to_pylist()}
    assert states["T10320"] == "renamed"
    assert states["T77777"] == "unknown"
    assert "field_check.wrong" in keys(answer)
    assert any("T77777" in line for line in said(answer))


def test_a_definition_that_catches_nothing_is_an_error(toy, tmp_path):
    brain, _ = toy
    own = tmp_path / "none.toml"
    own.write_text('name = "n"\ntitle = { zh = "空", en = "Void" }\n[terms]\nen = ["unobtainium"]', encoding="utf-8")
    for lens in ("field_check", "frontier"):
        with pytest.raises(AskError) as caught:
            brain.ask(lens, field=str(own))
        assert caught.value.code == "field_catches_nothing"
        assert "Void" in caught.value.say("en")
        assert "空" in caught.value.say("zh")


def test_names_and_files_of_fields_are_found_or_offered(toy, tmp_path):
    brain, _ = toy
    with pytest.raises(UnknownName) as caught:
        brain.ask("field_check", field="quantun")
    assert caught.value.known[0] == "quantum"
    with pytest.raises(AskError, match="does not exist"):
        brain.ask("field_check", field=str(tmp_path / "missing.toml"))
    assert brain.plan("field_check", field="人工智能").params["field"] == "ai"


def test_a_file_that_changed_is_asked_about_anew(toy, tmp_path):
    brain, own = toy
    mine = tmp_path / "toy.toml"
    mine.write_text(OWN, encoding="utf-8")
    first = brain.plan("field_check", field=str(mine))
    mine.write_text(OWN.replace("机器人", "机械臂"), encoding="utf-8")
    assert brain.plan("field_check", field=str(mine)).id != first.id
    with pytest.raises(AskError) as caught:
        brain.plan("field_check", field=first.params["field"])
    assert caught.value.code == "definition_changed"
    del own
