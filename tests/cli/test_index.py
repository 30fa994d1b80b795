"""``ronghe index``: list, copy, check, on a lake and a city's own workbook."""

import json

import pytest
from typer.testing import CliRunner

from ronghe.brain import Brain
from ronghe.cli.main import build
from ronghe.config import Config
from ronghe.errors import AskError, UnknownName
from ronghe.intake import ingest_own
from tests.conftest import ROOT


def run(*words, lake):
    return CliRunner().invoke(build(), ["--lake", str(lake), *words])


def mapping():
    """The mapping that the guide shows for the city's workbook."""
    guide = (ROOT / "docs" / "guide" / "systems.md").read_text(encoding="utf-8")
    start = guide.index("```toml mapping") + len("```toml mapping\n")
    return guide[start : guide.index("```", start)]


HEADINGS = (
    "区县,年份,GDP（亿元）,常住人口（万人）,R&D经费（万元）,R&D人员（人年）,有效发明专利（件）,"
    "高新技术产业增加值（亿元）,高新技术企业（家）,技术合同成交额（万元）"
)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = tmp_path_factory.mktemp("city")
    lines = [HEADINGS]
    for i, name in enumerate(("南山区", "福田区", "罗湖区", "宝安区")):
        for t, year in enumerate((2021, 2022, 2023)):
            k = (i + 2) * (1 + 0.1 * t)
            figures = (1000 * k, 100 + 9 * i, 9e4 * k * (1 + i / 4), 3000 * k + 50 * i**2, 900 * k + 7 * t * i,
                       300 * k - 10 * i, 80 * k + i, 2e4 * k / (1 + i / 3))  # fmt: skip
            lines.append(",".join([name, str(year), *(f"{v:.1f}" for v in figures)]))
    (folder / "city.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "city.toml").write_text(mapping(), encoding="utf-8")
    brain = Brain(Config(lake=str(folder / "lake")))
    report = ingest_own(brain, folder / "city.csv", table="indicator", mapping=folder / "city.toml")
    assert report.load.quarantined == 0
    return brain, folder


def test_a_city_measures_its_districts_with_its_own_workbook(city):
    brain, _ = city
    check = brain.ask("index_check", system="city_workbook")
    args = check.finding.headline.args
    assert (args["count"], args["regions"], args["whole"]) == (6, 4, 6)
    answer = brain.ask("fusion_map", system="city_workbook", draws=200)
    assert {r["region"] for r in answer.tables["ranking"].data.to_pylist()} == {
        "CN-440305", "CN-440304", "CN-440303", "CN-440306"
    }  # fmt: skip
    diagnosis = brain.ask("fusion", system="city_workbook", region="CN-440305", draws=200)
    row = next(r for r in diagnosis.tables["obstacles"].data.to_pylist() if r["indicator"] == "rd_intensity")
    assert row["value"] == pytest.approx(100 * 9e4 * 2.4 * 1e4 / (1000 * 2.4 * 1e8))


def test_list_copy_and_check(city):
    _, folder = city
    lake = folder / "lake"
    assert "fusion_province" in run("index", "list", lake=lake).stdout
    mine = folder / "mine.toml"
    assert run("index", "copy", "city_workbook", str(mine), lake=lake).exit_code == 0
    again = run("index", "copy", "city_workbook", str(mine), lake=lake)
    assert isinstance(again.exception, AskError)
    assert again.exception.code == "system_exists"
    text = mine.read_text(encoding="utf-8")
    mine.write_text(text.replace('of = "city_technology_contracts"', 'of = "city_technology_contract"', 1), "utf-8")
    said = run("--lang", "zh", "index", "check", str(mine), lake=lake).stdout
    assert "无法生成 1" in said
    assert "city_technology_contracts" in said
    document = json.loads(run("index", "check", "city_workbook", "--json", lake=lake).stdout)
    assert document["lens"] == "index_check"
    wrong = run("index", "check", "fusion_provnce", lake=lake).exception
    assert isinstance(wrong, UnknownName)
    assert wrong.known[0] == "fusion_province"
