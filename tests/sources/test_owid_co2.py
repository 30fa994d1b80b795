"""Emissions by country: a tiny table in the publisher's layout, and every cell of the real one."""

from pathlib import Path

import pytest

from ronghe.errors import SourceError
from ronghe.i18n import has
from ronghe.model.units import units
from ronghe.sources.base import Source
from ronghe.sources.owid_co2 import OwidCo2, measures

from .raw import Parsed, raw_at, raw_file

NAME = "owid-co2-data.csv"
TEXT = """\
iso_code,country,year,co2,co2_per_capita,brand_new
CHN,China,2018,10000.5,7.2,1
CHN,China,2017,,7.1,
,Asia,2018,20000,,
,Reunion,2018,2,3.5,
,Statistical Difference,2018,9,,
ATL,Atlantis,2018,1,2,
CHN,China,2016年,1,,
CHN,China,2015,many,,
OWID_WRL,World,2018,36000,4.8,
"""


@pytest.fixture
def found(tmp_path: Path) -> Parsed:
    return Parsed(OwidCo2(), raw_file(tmp_path, NAME, TEXT))


def test_is_a_source(tmp_path: Path) -> None:
    assert isinstance(OwidCo2(), Source)
    assert OwidCo2().accepts(raw_file(tmp_path, NAME, TEXT))
    assert not OwidCo2().accepts(raw_file(tmp_path, "owid-co2-codebook.csv", TEXT))


def test_cells_become_indicators(found: Parsed) -> None:
    keys = ("region", "indicator", "year", "value", "unit", "_row", "_col")
    assert [tuple(r[k] for k in keys) for r in found.rows("indicator")] == [
        ("CHN", "owid_co2", 2018, 10000.5, "tonne_co2_m", 2, "co2"),
        ("OWID-ASIA", "owid_co2", 2018, 20000.0, "tonne_co2_m", 4, "co2"),
        ("REU", "owid_co2", 2018, 2.0, "tonne_co2_m", 5, "co2"),
        ("WLD", "owid_co2", 2018, 36000.0, "tonne_co2_m", 10, "co2"),
        ("CHN", "owid_co2_per_capita", 2018, 7.2, "tonne_co2_per_person", 2, "co2_per_capita"),
        ("CHN", "owid_co2_per_capita", 2017, 7.1, "tonne_co2_per_person", 3, "co2_per_capita"),
        ("REU", "owid_co2_per_capita", 2018, 3.5, "tonne_co2_per_person", 5, "co2_per_capita"),
        ("WLD", "owid_co2_per_capita", 2018, 4.8, "tonne_co2_per_person", 10, "co2_per_capita"),
    ]


def test_nothing_is_lost(found: Parsed) -> None:
    assert found.reasons() == {"unknown_measure": 2, "blank": 5, "not_a_region": 1}
    assert found.balance == (18 + 3 + 2, 8 + 2 + 1, 8, 4)
    assert sorted((r.row, r.col, r.column, r.value, r.reason) for r in found.rejected) == [
        (7, "co2", "region", "ATL Atlantis", "unknown_region"),
        (7, "co2_per_capita", "region", "ATL Atlantis", "unknown_region"),
        (8, "co2", "year", "2016年", "year"),
        (9, "co2", "value", "many", "type"),
    ]


def test_groups_are_no_countries(found: Parsed) -> None:
    (asia,) = found.rows("region")
    assert (asia["region"], asia["level"], asia["name_zh"], asia["_row"]) == ("OWID-ASIA", "group", "亚洲", 4)
    assert [(r.row, r.old, r.new) for r in found.repairs] == [(5, "", "REU"), (10, "OWID_WRL", "WLD")]


def test_definitions_speak_both_languages(found: Parsed) -> None:
    first, second = found.rows("indicator_def")
    assert (first["name_zh"], first["additive"], second["additive"]) == ("二氧化碳排放量", True, False)
    assert len(measures()) == 35
    for said in measures().values():
        assert said["name_zh"]
        assert said["name_en"]
        assert said["unit"] in units()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "source_empty"),
        (b"a,b\n1,2\n", "source_format"),
        (b"iso_code,country,year\nCHN,China,2018\n", "source_format"),
        (b"iso_code,country,year,co2\nCHN,China\n", "source_format"),
        (b"iso_code,country,year,co2\nCHN,\xff\xfe,2018,1\n", "source_format"),
    ],
)
def test_not_this_format(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        Parsed(OwidCo2(), raw_file(tmp_path, NAME, data))
    assert caught.value.code == code


def test_reasons_can_be_said() -> None:
    assert all(has(key) for key in ("skip.unknown_measure", "skip.not_a_region", "reject.year"))


@pytest.mark.mirror
def test_every_cell_of_the_mirror(mirror: Path) -> None:
    found = Parsed(OwidCo2(), raw_at(mirror / "owid_co2" / NAME, NAME))
    assert found.records == 24016 * 35 + 35 + 25
    assert found.rejected == []
    assert found.table("indicator").num_rows + found.reasons()["not_a_region"] == 413999
    keys = found.table("indicator").select(["region", "indicator", "year"])
    assert keys.group_by(["region", "indicator", "year"]).aggregate([]).num_rows == keys.num_rows
