"""Systems as files: what they hold, and errors that name the place and the nearest word."""

import csv

import pytest

from ronghe.errors import AskError, UnknownName
from ronghe.indexing.reading import parse_system, read_system, system_names
from ronghe.model.units import units
from tests.conftest import ROOT
from tests.indexing.toys import SYSTEM


def test_the_packages_systems_are_whole():
    assert set(system_names()) == {"city_workbook", "fusion_country", "fusion_province", "fusion_province_long"}
    for name in system_names():
        system = read_system(name)
        assert system.name == name
        for item in system.items:
            assert item.names["zh"]
            assert item.names["en"]
            if item.role == "indicator":
                assert item.why["zh"] and item.why["en"] and item.dimension["zh"], item.id  # noqa: PT018
            assert all(u in units() for u in item.unit.split("/") if item.unit)
        assert len(set(system.groups)) == 2


@pytest.mark.parametrize("name", ["fusion_province", "fusion_province_long"])
def test_provincial_systems_use_only_what_the_yearbook_holds(name):
    path = ROOT / "src" / "ronghe" / "sources" / "cn_yearbook_indicators.csv"
    known = {row["indicator"] for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())}
    system = read_system(name)
    used = {s for item in system.items for s in system.sources_of(item)}
    assert used <= known
    # The audit of the data names these as unsound for an index.
    assert not {u for u in used if u.startswith(("hitech_technology_", "plant_variety_", "rd_funds_foreign"))}


def test_the_default_has_at_least_24_indicators_on_both_sides():
    system = read_system("fusion_province")
    assert len(system.indicators) >= 24
    assert min(system.groups.count(0), system.groups.count(1)) >= 10


def test_quantities_are_opened_up_to_the_lakes_own_indicators():
    system = parse_system(SYSTEM, "toy.toml")
    assert system.sources_of(system.indicators[0]) == ("papers", "money", "rate")
    assert system.groups == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "code", "offers"),
    [
        ('subsystem = "science"\nd', 'subsystm = "science"\nd', "system_key", "subsystem"),
        ('direction = "cost"', 'direction = "costs"', "system_value", "cost"),
        ('transform = "share"', 'transform = "shares"', "system_value", "share"),
        ('unit = "percent"', 'unit = "percents"', "system_unit", "percent"),
        ('missing = "linear"', 'missing = "linar"', "system_value", "linear"),
        ('regions = "provinces"', 'regions = "province"', "system_value", "provinces"),
        ('why = "because"', "", "system_key_missing", None),
        ('of = "money"\nover = "rate"', 'of = "gdp"\nover = "rate"', "system_circle", None),
        ('direction = "cost"', 'direction = "interval"\ninterval = [3, 1]', "system_interval", None),
        ('direction = "cost"', 'direction = "interval"', "system_interval", None),
        ('id = "b"', 'id = "a"', "system_twice", None),
        ('transform = "share"', 'transform = "share"\ndeflator = "cpi"', "system_key_missing", None),
        ('name = "toy"', 'name = "toy', "system_toml", None),
        ('id = "d"', 'id = "d"\nweight = -1', "system_value", None),
        ('regions = "provinces"', 'regions = "provinces"\nyears = [2021, 2018]', "system_value", None),
        ("[[indicator]]\nid = \"a\"", "[[structure]]\nid = \"a\"", "system_key_missing", None),
    ],
)  # fmt: skip
def test_a_wrong_file_is_a_clear_error(old, new, code, offers):
    assert old in SYSTEM
    text = SYSTEM.replace(old, new, 1)
    if code == "system_key_missing" and "structure" in new:
        text = SYSTEM.replace('[[subsystem]]\nid = "science"\nname = { zh = "科技", en = "Science" }\n', "").replace(
            '[[subsystem]]\nid = "industry"\nname = { zh = "产业", en = "Industry" }\n', ""
        )
    with pytest.raises(AskError) as caught:
        parse_system(text, "toy.toml")
    assert caught.value.code == code
    if offers:
        assert offers in caught.value.known
    for lang in ("zh", "en"):
        assert "toy.toml" in caught.value.say(lang)


def test_a_subsystem_without_an_indicator_is_refused():
    text = SYSTEM.replace('subsystem = "industry"', 'subsystem = "science"')
    with pytest.raises(AskError) as caught:
        parse_system(text, "toy.toml")
    assert caught.value.code == "system_empty"


def test_a_pairwise_matrix_must_name_every_indicator():
    text = SYSTEM + '[judgements.science]\norder = ["a"]\nmatrix = [[1]]\n'
    with pytest.raises(AskError) as caught:
        parse_system(text, "toy.toml")
    assert caught.value.code == "system_judgements"
    text = SYSTEM + '[judgements.science]\norder = ["a", "b"]\nmatrix = [[1, 2]]\n'
    with pytest.raises(AskError) as caught:
        parse_system(text, "toy.toml")
    assert caught.value.code == "system_matrix"


def test_unknown_names_and_paths():
    with pytest.raises(UnknownName) as caught:
        read_system("fusion_provinse")
    assert caught.value.known[0] == "fusion_province"
    with pytest.raises(AskError) as unread:
        read_system("/nowhere/at/all.toml")
    assert unread.value.code == "system_unreadable"
