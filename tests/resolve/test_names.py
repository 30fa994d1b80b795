"""Names in the forms in which they are compared."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.resolve.names import normalise, person_key, read_name, said_country, wholes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tsinghua University", "TSINGHUA UNIV."),
        ("Tsinghua University", "The Tsinghua  university"),
        ("清华大学", "清 華 大 學"),
        ("清华大学", "清華大学"),
        ("Université Côte d’Azur", "Universite Cote d'Azur"),
        ("Johnson & Johnson", "Johnson and Johnson"),
        ("St. Mary's Hospital", "Saint Marys Hosp"),
        ("Ｓｏｎｙ", "Sony"),
        ("Univ Sci & Technol China", "University Science and Technology China"),
        ("Universität Zürich", "UNIVERSITAT ZURICH"),
    ],
)
def test_one_spelling(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("University of Washington", "Washington University"),
        ("北京大学", "北京工业大学"),
        ("No. 1 Hospital", "No. 2 Hospital"),
        ("がくえん", "かくえん"),
    ],
)
def test_different_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize(
    ("text", "reduced", "kind"),
    [
        ("华为技术有限公司", "华为技术", "company"),
        ("株式会社日立製作所", "日立製作所", ""),
        ("Huawei Technologies Co., Ltd. (China)", "huawei technology", "company"),
        ("清华大学（深圳）", "清华大学", "university"),
        ("Co., Ltd.", "co ltd", "company"),
        ("(THU)", "thu", ""),
        ("Universidad de Chile", "universidad de chile", "university"),
        ("首都医科大学附属北京天坛医院", "首都医科大学附属北京天坛医院", "hospital"),
        ("", "", ""),
    ],
)
def test_reduced(text: str, reduced: str, kind: str) -> None:
    found = read_name(text)
    assert (found.reduced, found.kind) == (reduced, kind)


def test_core_leaves_out_what_connects() -> None:
    assert read_name("University of Washington").core == ("university", "washington")
    assert read_name("清华大学").core == ("清华",)
    assert read_name("北京大学第三医院").numbers == read_name("北京大学第3医院").numbers == "3"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Tsinghua Univ, Dept Phys, Beijing, Peoples R China", ["Tsinghua Univ"]),
        ("School of Medicine, Yale University", ["Yale University"]),
        ("华中科技大学同济医学院附属协和医院", ["华中科技大学同济医学院", "华中科技大学"]),
        ("Yale University", []),
        ("清华大学", []),
        ("株式会社日立", []),
        ("", []),
    ],
)
def test_the_whole_of_a_part(text: str, parts: list[str]) -> None:
    assert wholes(text) == parts


def test_country_in_brackets() -> None:
    said = ("Siemens (Germany)", "Siemens (DE)", "Siemens", "西门子（中国）", "X (University)", "X (Guangdong)")
    assert [said_country(text) for text in said] == ["DEU", "", "", "CHN", "", ""]


def test_people() -> None:
    assert person_key("José A.", "Núñez") == person_key("JOSE A", "Nunez")
    assert person_key("Li", "Wang") != person_key("Wang", "Li")


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_normalises_once(text: str) -> None:
    found = read_name(text)
    assert normalise(found.exact) == normalise(normalise(found.exact))
    assert len(set(found.core)) == len(found.core)
    assert bool(found.exact) == bool(found.reduced)
    wholes(text)
    said_country(text)
