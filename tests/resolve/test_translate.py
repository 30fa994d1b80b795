"""Names in English words and Latin letters: the lexicon, the scripts, and what stays apart."""

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ronghe.resolve.names import read_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("太原理工大学", "Taiyuan University of Technology"),
        ("Universidade de Coimbra", "University of Coimbra"),
        ("Universitätsklinikum Münster", "University Hospital Münster"),
        ("KOBENHAVNS UNIVERSITET", "University of Copenhagen"),
        ("Konya Gıda ve Tarım Üniversitesi", "Konya Food and Agriculture University"),
        ("北京师范大学", "Beijing Normal University"),
        ("Xi'an Jiaotong University", "西安交通大学"),
        ("청주교육대학교", "Cheongju University of Education"),
        ("Российская академия наук", "Russian Academy of Sciences"),
        ("ΠΑΝΕΠΙΣΤΗΜΙΟ ΑΘΗΝΩΝ", "University of Athinon"),
        ("Magyar Tudományos Akadémia", "Hungarian Academy of Sciences"),
    ],
)
def test_translations_have_the_same_words(one: str, other: str) -> None:
    assert set(read_name(one).gist) | {"university"} == set(read_name(other).gist) | {"university"}


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("绍兴", "shaoxing"),
        ("トウキョウ", "tokyo"),
        ("원광대학교", "wongwang university"),
        ("Гомель", "gomel"),
        ("日立製作所", "日立製作所"),
        ("مستشفى السلام", "hospital السلام"),
        ("", ""),
    ],
)
def test_what_the_lexicon_does_not_know_is_spelt_or_left(text: str, english: str) -> None:
    assert read_name(text).english == english


def test_no_word_of_the_lexicon_stands_twice() -> None:
    for name, column in (("lexicon.csv", "words"), ("pinyin.csv", "characters")):
        text = files("ronghe.resolve").joinpath(name).read_text(encoding="utf-8")
        cells = [row[column] for row in csv.DictReader(text.splitlines())]
        words = [w for cell in cells for w in (cell.split("|") if column == "words" else cell)]
        assert sorted({w for w in words if words.count(w) > 1}) == []


def test_one_english_word_has_one_row() -> None:
    text = files("ronghe.resolve").joinpath("lexicon.csv").read_text(encoding="utf-8")
    english = [row["english"] for row in csv.DictReader(text.splitlines()) if row["english"]]
    assert len(english) == len(set(english))


@given(st.text(max_size=40))
def test_any_text_has_words_or_nothing(text: str) -> None:
    found = read_name(text)
    assert set(found.english.split()) == set(found.gist) or found.english == found.reduced
