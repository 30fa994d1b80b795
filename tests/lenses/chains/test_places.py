"""Shocks on regions: a province's share is estimated, bounded and adds up; own rows come first; places are checked."""

import shutil
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.errors import AskError, NoData, UnknownName
from ronghe.i18n import translate
from ronghe.intake import ingest_own
from ronghe.lenses.chains.exposure import assumptions
from ronghe.lenses.chains.shocks import read_shocks
from ronghe.lenses.chains.struck import strike_table

TABLE = "sandbox-2025-8"
GDP = {"SBX-1": 400.0, "SBX-2": 300.0, "SBX-3": 120.0, "SBX-4": 100.0, "SBX-5": 50.0, "SBX-6": 30.0}


@pytest.fixture(scope="module")
def own(sandbox_lake, tmp_path_factory):
    """The sandbox with R&D expenditure, so that GDP can be told: intensity is 2 % everywhere in 2030."""
    folder = tmp_path_factory.mktemp("places")
    shutil.copytree(sandbox_lake, folder / "lake")
    brain = Brain(Config(lake=str(folder / "lake"), cache=str(folder / "cache")))
    lines = ["region,industry,indicator,year,value,unit"]
    for region, gdp in GDP.items():
        lines.append(f"{region},ALL,rd_expenditure,2030,{gdp * 0.02},INVENTED_money")
        lines.append(f"{region},ALL,rd_intensity,2030,2,percent")
    (folder / "rd.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert bring(brain, folder / "rd.csv", "indicator").load.accepted == 12
    return brain


def bring(brain, path, table):
    """A file whose headings are the contract's names and whose regions are in no reference table."""
    heads = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    columns = [f'{h} = {{from = "{h}"{", resolve = false" if h == "region" else ""}}}' for h in heads]
    mapping = path.with_suffix(".toml")
    mapping.write_text("[source]\nheader_rows = [1]\n[columns]\n" + "\n".join(columns) + "\n", encoding="utf-8")
    return ingest_own(brain, path, table=table, mapping=mapping)


def loss(brain, shock, weeks=12, **params):
    return brain.ask("sector_loss", shock=shock, economy=TABLE, weeks=weeks, **params)


def test_a_province_holds_its_share_of_gdp_within_bounds(own):
    answer = loss(own, "region:SBX-3 loss=0.5")
    held = answer.tables["places"].to_pandas()
    assert held.there.to_numpy() == pytest.approx(0.12)
    assert held.there_low.to_numpy() == pytest.approx(0.12 * 0.05)
    assert held.there_high.to_numpy() == pytest.approx(0.12 * 2.6)
    assert set(held.told) == {"gdp"}
    assert set(held.year) == {2030}
    total = answer.tables["totals"].to_pandas().set_index("measure").loc["sector_loss.measure.value_added"]
    # The province's own value added is missing at least, whatever its mix; others can make up for a part of it.
    assert total.low <= total.value <= total.high
    assert total.value == pytest.approx(0.06 * total.usual, rel=0.15)
    trace = answer.trace("there", 0, table="places")
    assert [p.value for p in trace.paths] == [pytest.approx(2.4), 2.0]
    assert all(p.origins for p in trace.paths)
    said = {c.text.key for c in answer.finding.caveats}
    assert {"sector_loss.told.gdp", "sector_loss.mix"} <= said


def test_the_mixes_of_all_corners_add_up_to_the_same_whole(own):
    context = own._context(own.lens("sector_loss"), {}, own.snapshot, print, bool, False)
    struck = strike_table(context, read_shocks("region:甲州（虚构） loss=1"), TABLE, 4)
    v = np.maximum(struck.economy.v, 0.0)
    sums = {c: float(p[0] @ v) for c, p in struck.impact.capacity.at.items()}
    assert sums == pytest.approx(dict.fromkeys(sums, 0.4 * v.sum()))


def test_provinces_together_are_the_country(own):
    every = "; ".join(f"region:{p} loss=0.5" for p in GDP)
    whole, parts = (loss(own, s).tables["totals"].to_pandas() for s in ("region:SBX loss=0.5", every))
    assert parts.value.to_numpy() == pytest.approx(whole.value.to_numpy())


def test_one_sector_of_a_province_takes_its_own_bounds(own):
    answer = loss(own, "region:SBX-3/05 loss=1")
    held = answer.tables["places"].to_pandas()
    assert held.sector.tolist() == ["05"]
    row = answer.tables["sectors"].to_pandas().set_index("sector").loc["05"]
    assert row.capacity_lacking == pytest.approx(0.12)
    assert row.share_top >= 0.12 * 2.6 * 0.75


def test_own_rows_rank_first_and_unknown_provinces_say_what_to_bring(own, brain, tmp_path):
    with pytest.raises(AskError) as caught:
        loss(brain, "region:SBX-3 loss=0.5")
    assert caught.value.code == "shock_no_province"
    assert "region_sector" in caught.value.say("zh")
    lake = tmp_path / "lake"
    shutil.copytree(own.config.lake, lake)
    mine = Brain(Config(lake=str(lake), cache=str(tmp_path / "cache")))
    rows = "region,classification,version,sector,low,value,high,reason\n"
    rows += "SBX-3,sandbox,1,05,0.3,0.4,0.5,counted\nSBX-3,sandbox,1,06,,0.2,,counted\n"
    (tmp_path / "rs.csv").write_text(rows, encoding="utf-8")
    bring(mine, tmp_path / "rs.csv", "region_sector")
    answer = loss(mine, "region:SBX-3 loss=1")
    held = answer.tables["places"].to_pandas().set_index("sector")
    assert held.loc["05", ["there_low", "there", "there_high"]].tolist() == [0.3, 0.4, 0.5]
    assert held.loc["06", ["there_low", "there", "there_high"]].tolist() == [0.2, 0.2, 0.2]
    assert held.told.tolist().count("given") == 2
    assert held.loc["01", "told"] == "gdp"
    trace = answer.trace("there", {"province": "SBX-3", "sector": "05"}, table="places")
    assert trace.paths[0].origins


@pytest.mark.parametrize(
    ("shock", "params", "code", "says"),
    [
        ("region:SBX-33", {}, "shock_place", "SBX-3 丙州（虚构）"),
        ("'region:Ceda (invented)'", {}, "shock_place", "SBX-3"),
        ("region:SBX-3/99", {}, "unknown_sector", "01"),
        ("sector:05", {"home": "CHN"}, "unknown_home", "SBX"),
    ],
)
def test_a_place_that_is_not_there_is_told_with_those_that_are(own, shock, params, code, says):
    with pytest.raises(UnknownName) as caught:
        loss(own, shock, **params)
    assert caught.value.code == code
    assert says in caught.value.say("en")
    assert caught.value.say("zh")


def test_a_scenario_on_a_province_shows_where_its_shares_come_from(own):
    answer = own.ask("scenario", shock="region:SBX-2 loss=0.3", economy=TABLE)
    assert answer.tables["places"].data.num_rows
    trace = answer.trace("there", 0, table="places")
    assert trace.basis == "child"
    assert trace.child.paths
    assert "are lost at home" in translate("en", answer.finding.headline)


def test_a_lake_without_what_every_shock_assumes_says_what_is_missing():
    one = {"code": "spare", "chain": "*", "of": "*", "mode": None, "low": 0.0, "value": 0.1, "high": 0.2,
           "reason_zh": "", "reason_en": ""}  # fmt: skip
    older = SimpleNamespace(
        rows=lambda table: pa.Table.from_pylist([one, {**one, "code": "stock"}]),
        nothing=lambda what: NoData("no_data", what=what, tables="assumption"),
    )
    with pytest.raises(NoData) as caught:
        assumptions(older)
    assert "mix" in caught.value.say("zh")
    assert "ronghe ingest" in caught.value.say("en")
