"""The lenses of a shock on real data: what is published holds, and the whole answers."""

import numpy as np
import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.errors import AskError
from ronghe.intake import ingest_reference
from ronghe.lake.ingest import Terms
from ronghe.lake.lake import raw_file
from ronghe.plugins import get_source
from ronghe.sources.registry import dataset
from ronghe.synth import make_firms

pytestmark = pytest.mark.mirror
FILES = {
    "cn_io_tables": ("china_2017_149.rda", "china_2020_153.rda", "china_employment.rda"),
    "eto_chips": (),
    "wiod2013": ("wiot_2011.RData",),
    "cn_st_yearbook": (
        "data/PubSKLMost.rda",
        "data/RDActivity.rda",
        "data/RDIntense.rda",
        "data/IndustryOperation.rda",
    ),
    "critical_inputs": (),
    "oecd_co2": (),
    "trade_complexity": ("world_trade_avg_1998_to_2000.rda",),
}
"""The files that these tests need of each dataset; all of them where none is named."""
N32 = "eto_chips:N32 from=JPN loss=1.0"


@pytest.fixture(scope="module")
def real(mirror, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    brain = Brain(Config(lake=str(folder / "lake"), cache=str(folder / "cache"), mirror=str(mirror)))
    ingest_reference(brain)
    for name, wanted in FILES.items():
        source = get_source(name)
        for file in dataset(name).files:
            raw = raw_file(mirror / name / file.name, name, file.name)
            if source.accepts(raw) and (not wanted or file.name.endswith(wanted)):
                brain.lake.ingest(source, raw, terms=Terms())
    return brain


def test_a_blocked_tool_wears_capacity_and_a_blocked_material_stops_it(real):
    tool = real.ask("scenario", shock=N32, economy="cn-2020-153").tables
    total = tool["totals"].to_pandas().set_index("measure")
    assert total.low.min() > 0
    assert (total.low <= total.value).all()
    assert (total.value <= total.high).all()
    first = tool["sectors"].to_pandas().iloc[0]
    assert first["name_zh"] == "电子元器件"
    shock = tool["shocks"].to_pandas().iloc[0]
    assert shock.supply == pytest.approx(0.952)
    material = real.ask("scenario", shock="eto_chips:N31 from=JPN", economy="cn-2020-153", weeks=16)
    ends = material.tables["totals"].to_pandas().set_index("measure")
    assert (ends.low == 0).all()
    assert ends.value.isna().all()
    assert (ends.high > total.high).all()


def test_a_scenario_carries_the_chips_shock_abroad_and_names_substitutes(real):
    answer = real.ask("scenario", shock=N32, economy="cn-2020-153")
    lenses = {real.find(c).finding.lens for c in answer.finding.provenance.children}
    assert {"chain_loss", "sector_loss", "world_loss", "substitutes", "knowhow", "chokepoints"} <= lenses
    first = real.find(answer.finding.provenance.children[0]).finding
    assert (first.lens, str(first.params["country"])) == ("dependency", "CHN")
    assert answer.tables["trade_inputs"].to_pandas()["product"].tolist() == ["7284", "7452", "7435"]
    abroad = answer.tables["abroad"].to_pandas()
    assert set(abroad[abroad.abroad == "no"].region) == {"CHN"}
    assert abroad.value_added_high.iloc[0] == abroad.value_added_high.max()
    countries = answer.tables["substitutes"].to_pandas()
    held = countries[(countries.kind == "country") & (countries.standing == "provides")]
    assert "JPN" not in set(held.country)
    assert held.share.sum() == pytest.approx(0.047, abs=0.002)


def test_the_dollar_of_chinese_exports_in_2011_is_four_fifths_home_made(real):
    rows = real.ask("linkages", table="wiod13-2011").tables["exports"].to_pandas().set_index("region")
    assert rows.loc["CHN", "domestic_share"] == pytest.approx(0.78, abs=0.01)
    assert rows.domestic_share.between(0.3, 1.0).all()
    # Open small economies import more of what they export than large ones: Luxembourg and Ireland against the US.
    assert rows.loc["USA", "domestic_share"] > rows.loc["DEU", "domestic_share"] > rows.loc["IRL", "domestic_share"]


def test_multipliers_of_2017_are_largest_in_making_things_of_made_things(real):
    rows = real.ask("structure", table="cn-2017-149").tables["sectors"].to_pandas()
    top = set(rows.nlargest(10, "backward_linkage").name_zh)
    assert top & {"视听设备", "计算机", "家用器具", "通信设备", "针织或钩针编织及其制品", "电机", "汽车零部件及配件"}
    assert rows.backward_linkage.between(1, 6).all()


def test_extraction_of_every_sector_on_world_and_home_tables(real):
    for table in ("cn-2020-153", "wiod13-2011"):
        rows = real.ask("extraction", table=table).tables["sectors"].to_pandas()
        assert (rows.output_lost >= rows.output * (1 - 1e-9)).all()
        assert rows.value_added_lost_share.between(0, 1).all()


def test_trade_without_imports_says_so_and_ranks_world_supply(real):
    answer = real.ask("dependency", country="CHN")
    keys = {c.text.key for c in answer.finding.caveats}
    assert {"dependency.no_imports", "dependency.coarse", "dependency.average", "dependency.mean_flow"} <= keys
    rows = answer.tables["products"].to_pandas()
    assert (rows.name_zh != rows["product"]).all()
    assert (rows.name_en != rows["product"]).all()
    assert len(rows) == 785
    assert rows.hhi_world.between(0, 1).all()


def test_a_synthetic_network_keeps_to_its_table_and_says_what_it_is(real):
    made = make_firms(real, "cn-2020-153", 2000, seed=1)
    again = make_firms(real, "cn-2020-153", 2000, seed=1)
    assert [r.load.load for r in made.reports] == [r.load.load for r in again.reports]
    assert not any(r.new for r in again.reports)
    assert made.diagnostics.flow_error < 0.05
    assert made.diagnostics.sales_error < 1e-9
    answer = real.ask("systemic_firms", network=made.network, draws=0, show=10)
    assert answer.finding.caveats[0].level == "invented"
    assert any(c.text.key == "firms.synthetic" for c in answer.finding.caveats)
    sales = answer.tables["firms"].to_pandas().sales
    assert np.isfinite(sales).all()
    loss = real.ask("firm_loss", shock=N32, economy="cn-2020-153")
    assert loss.tables["summary"].to_pandas().share_top.between(0, 1).all()


def test_co2_and_jobs_of_sectors_add_up_to_what_is_published(real):
    rows = real.ask("linkages", table="cn-2020-153").tables["sectors"].to_pandas()
    cells = real.snapshot.select("io_cell", ("row", "value"), {"table_id": "cn-2020-153", "block": "X"}).to_pandas()
    x = cells.set_index("row").value.reindex(rows.sector).to_numpy()
    panel = real.snapshot.select("indicator", ("value",), {"indicator": "co2_production", "region": "CHN"})
    assert (rows.co2_direct * x).sum() == pytest.approx(1e6 * sum(panel["value"].to_pylist()), rel=1e-9)


def test_weights_of_chip_steps_are_the_sales_they_name_over_the_tables_output(real):
    rows = real.snapshot.select("step_sector", ("sector", "version", "step", "low", "value", "high", "reason"),
                                {"role": "stops", "classification": "cn-io"}).to_pylist()  # fmt: skip
    assert len(rows) == 6
    steps = real.snapshot.select("supply_step", ("step", "market_size"), {"chain": "chips"}).to_pylist()
    size = {r["step"]: r["market_size"] for r in steps}
    china = {r["step"]: r["share"] for r in real.snapshot.select("provision", ("step", "share"), {"provider": "P2"}
                                                                 ).to_pylist()}  # fmt: skip
    world, yuan = {"2017": 412.2 / 574.1, "2020": 440.4 / 574.1}, {"2017": 6.75, "2020": 6.9}
    for row in rows:
        x = real.snapshot.select("io_cell", ("value",), {"table_id": f"cn-{row['version']}", "block": "X",
                                                         "row": row["sector"]})["value"][0].as_py() / 1e4  # fmt: skip
        sales = float(row["reason"].split("value: ")[1].split(" x ")[0])
        assert row["value"] == pytest.approx(sales / x, abs=5e-5)
        year = row["version"][:4]
        if row["step"] in {"S1", "S3"}:
            foreign = size[row["step"]] * china[row["step"]] / 100 * world[year] * yuan[year] * 10 / x
            assert row["low"] == pytest.approx(min(foreign, 0.8 * row["value"]), abs=1e-4)
        assert row["low"] <= row["value"] <= row["high"]


def test_a_province_stops_with_its_published_share_of_gdp_and_high_tech(real):
    answer = real.ask("sector_loss", shock="region:广东 loss=0.3", economy="cn-2020-153")
    held = answer.tables["places"].to_pandas().set_index("sector")
    # 2020: revenue of high-tech manufacturing 50,185 of 174,616; GDP 110,824 of 1,012,203 (100 million yuan).
    assert held.loc["094", "there"] == pytest.approx(50185 / 174616, abs=1e-6)
    v = answer.tables["sectors"].to_pandas().set_index("sector")
    total = answer.tables["totals"].to_pandas().set_index("measure").loc["sector_loss.measure.value_added"]
    assert total.value == pytest.approx(0.3 * 110824 / 1012203 * total.usual, rel=0.03)
    # Firms elsewhere can make up for goods, not for services: a loss is left even so.
    assert 0.3 * total.value < total.low < 0.9 * total.value
    assert total.value < total.high < 3 * total.value
    assert v.value_added_high.sum() >= total.high * (1 - 1e-9)


def test_a_world_table_is_an_economy_with_a_home(real):
    shock = "region:JPN loss=0.3"
    whole = real.ask("scenario", shock=shock, economy="wiod13-2011").tables
    home = real.ask("scenario", shock=shock, economy="wiod13-2011", home="中国").tables
    abroad = home["abroad"].to_pandas().set_index("region")
    total = home["totals"].to_pandas().set_index("measure").loc["sector_loss.measure.value_added"]
    assert total.value == pytest.approx(abroad.loc["CHN", "value_added_lost"])
    assert abroad.loc["CHN", "abroad"] == "no"
    everywhere = whole["totals"].to_pandas().set_index("measure").loc["sector_loss.measure.value_added"]
    assert everywhere.value == pytest.approx(abroad.value_added_lost.sum())
    assert abroad.loc["JPN", "share"] == pytest.approx(0.3, abs=0.01)
    assert whole["sectors"].key == ("region", "sector")
    chips = real.ask("scenario", shock=N32, economy="wiod13-2011", home="CHN").tables
    bridge = chips["bridge"].to_pandas()
    assert set(bridge.sector) == {"c14", "c30"}
    assert bridge.reason.str.contains("cn-2017-149").all()
    with pytest.raises(AskError, match="--home CHN"):
        real.ask("scenario", shock=N32, economy="wiod13-2011")


def test_every_step_of_the_chip_chain_has_products_of_the_trade_table_or_says_why_not(real):
    steps = set(real.snapshot.distinct("supply_step", ("step",))["step"].to_pylist())
    rows = real.snapshot.select("step_product", (), {"chain": "chips"}).to_pandas()
    assert set(rows.step) == steps
    products = set(real.snapshot.distinct("trade", ("product",))["product"].to_pylist())
    assert set(rows["product"]) - {"none"} <= products
    assert ((rows["product"] == "none") == (rows.fit == "none")).all()
