"""``ronghe index``: list, copy, check, on a lake and a city's own workbook."""

import json
import re

import pytest
from typer.testing import CliRunner

from ronghe.brain import Brain
from ronghe.cli.main import build
from ronghe.config import Config
from ronghe.errors import AskError, UnknownName
from ronghe.intake import ingest_own
from tests.conftest import ROOT
from tests.indexing.toys import PROVINCES, brain_of


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
    assert again.exception.code == "definition_exists"
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


def test_a_workbook_brings_population_and_prices(tmp_path):
    """The guide's own mapping and indicator: R&D per head in the prices of 2016, to the cell."""
    guide = (ROOT / "docs" / "guide" / "systems.md").read_text(encoding="utf-8")
    people, item = (
        re.search(rf"```toml {name}\n(.*?)```", guide, re.S).group(1) for name in ("population", "per-head")
    )
    values = {("money", r, y): 1000.0 * (i + 2) * (y - 2010) for i, r in enumerate(PROVINCES) for y in (2016, 2017)}
    values |= {("papers", r, y): 10.0 + i * i + y for i, r in enumerate(PROVINCES) for y in (2016, 2017)}
    brain = brain_of(tmp_path, values)
    rows = [f"{PROVINCES[i]},{y},{100 + i},{100 + 3 * (y - 2016)}" for i in range(len(PROVINCES)) for y in (2016, 2017)]
    head = "地区,年份,年末常住人口（万人）,居民消费价格指数（2016年=100）"
    (tmp_path / "people.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    (tmp_path / "people.toml").write_text(people, encoding="utf-8")
    report = ingest_own(brain, tmp_path / "people.csv", table="indicator", mapping=tmp_path / "people.toml")
    assert report.load.quarantined == 0
    names = "".join(
        f'[[subsystem]]\nid = "{s}"\nname = {{ zh = "{zh}", en = "{s}" }}\n'
        for s, zh in (("science", "科技"), ("industry", "产业"))
    )
    other = item.replace("rd_per_head", "papers_per_head").replace('"science"', '"industry"')
    other = other.replace("rd_expenditure", "papers").replace("CNY/person", "item/person_10k")
    other = re.sub(r"deflator.*\nprice_year.*\n", "", other)
    text = (
        'name = "own"\ntitle = "own"\nregions = "provinces"\n' + names + item.replace("rd_expenditure", "money") + other
    )
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    answer = brain.ask("fusion", system=str(tmp_path / "own.toml"), region="44", draws=200)
    found = {r["indicator"]: r["value"] for r in answer.tables["obstacles"].data.to_pylist()}
    i = PROVINCES.index("CN-44")
    assert found["rd_per_head"] == pytest.approx(values["money", "CN-44", 2017] * 1e4 / ((100 + i) * 1e4) * 100 / 103)
    assert found["papers_per_head"] == pytest.approx(values["papers", "CN-44", 2017] / (100 + i))
    trace = answer.trace("value", table="obstacles", indicator="rd_per_head")
    assert {o.file for p in trace.paths for o in p.origins} == {"figures.txt", "people.csv"}
    real = brain.ask("decoupling", pressure="money/cpi", activity="population", span=1)
    row = next(r for r in real.tables["latest"].data.to_pylist() if r["region"] == "CN-44")
    assert row["growth_pressure"] == pytest.approx(7 / 6 / 1.03 - 1)
    assert row["state"] == "decoupling.state.undefined"
