"""The lenses of a shock on the sandbox: every figure traces, parts add up, bounds hold, bad input is told."""

import json
import shutil

import numpy as np
import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.errors import AskError, KernelRefused, NoData, RongheError, UnknownName
from ronghe.i18n import translate
from ronghe.intake import ingest_own
from ronghe.lenses.chains import networks
from ronghe.model.finding import Child
from ronghe.model.serial import canonical, from_document, to_document

TABLE = "sandbox-2025-8"
BLOCKED = "sandbox:B2 from=XBB loss=1"
ASKS = [
    ("extraction", {"table": TABLE}),
    ("extraction", {"table": TABLE, "fraction": 0.3, "side": "sales"}),
    ("chokepoints", {"chain": "sandbox"}),
    ("chokepoints", {"chain": "sandbox", "by": "firm"}),
    ("chain_loss", {"shock": BLOCKED, "weeks": 20}),
    ("sector_loss", {"shock": BLOCKED, "economy": TABLE, "weeks": 20}),
    ("sector_loss", {"shock": "sandbox:A2 from=XAA", "economy": TABLE, "weeks": 20}),
    ("firm_loss", {"shock": BLOCKED, "economy": TABLE}),
    ("firm_loss", {"shock": "firm:SBF08", "economy": TABLE}),
    ("substitutes", {"shock": BLOCKED}),
    ("knowhow", {"shock": BLOCKED, "home": "SBX"}),
    ("scenario", {"shock": BLOCKED, "economy": TABLE, "weeks": 20}),
    ("compare_scenarios", {"a": BLOCKED, "b": "sector:05 loss=0.5 end=4 recovery=2", "economy": TABLE}),
    ("scenario", {"shock": "product:P2 from=XBB loss=0.5", "economy": TABLE, "weeks": 20}),
    ("chain_loss", {"shock": "product:P3"}),
    ("dependency", {"country": "SBX", "shock": f"{BLOCKED}; sandbox:D1; product:P1 from=XAA"}),
    ("linkages", {"table": TABLE}),
    ("dependency", {"country": "SBX"}),
    ("systemic_firms", {"network": "sandbox", "draws": 3, "show": 5}),
    ("systemic_firms", {"network": "sandbox", "draws": 0, "mode": "exact"}),
]
GIVEN = {"loss", "start", "end", "recovery", "shock", "rank", "week", "baseline", "direct", "count", "level"}
"""Columns that the asker gave, that number rows, or that count what is shown beside them."""
IDS = [f"{lens}-{n}" for n, (lens, _) in enumerate(ASKS)]


@pytest.fixture
def own(sandbox_lake, tmp_path):
    shutil.copytree(sandbox_lake, tmp_path / "lake")
    return Brain(Config(lake=str(tmp_path / "lake"), cache=str(tmp_path / "cache")))


def frame(brain, lens, result, /, **params):
    return brain.ask(lens, **params).tables[result].to_pandas()


@pytest.mark.parametrize(("lens", "params"), ASKS, ids=IDS)
def test_every_figure_of_every_table_traces(brain, lens, params):
    answer = brain.ask(lens, **params)
    traced = 0
    for name, result in answer.tables.items():
        assert result.data.select(list(result.key)).num_rows == len(
            set(map(tuple, zip(*(result.data[k].to_pylist() for k in result.key), strict=True)))
        ), (name, "the key does not name a row")
        seen = set()
        for field in result.fields:
            if field.kind in {"number", "share", "integer"} and field.name not in GIVEN:
                assert field.basis is not None, (name, field.name)
            kind = field.basis.table if isinstance(field.basis, Child) else repr(field.basis)
            if field.basis is None or not result.data.num_rows or kind in seen:
                continue
            column = result.data.column(field.name).to_pylist()
            row = next((i for i, v in enumerate(column) if v), None)
            if row is None:
                continue
            seen.add(kind)
            trace = answer.trace(field.name, row, table=name)
            while trace.basis == "child":
                assert trace.child.value == trace.value or field.name == "difference"
                trace = trace.child
            assert trace.basis in {"rows", "matrix"}
            assert trace.total > 0, (name, field.name)
            traced += 1
    assert traced >= 1


@pytest.mark.parametrize(("lens", "params"), ASKS, ids=IDS)
def test_asking_again_gives_the_same_bytes_and_both_languages_read(own, lens, params):
    first, again = own.ask(lens, fresh=True, **params), own.ask(lens, fresh=True, **params)
    assert first.json == again.json
    back = from_document(json.loads(canonical(to_document(first.finding))))
    assert canonical(to_document(back)) == first.json
    zh, en = (translate(lang, first.finding.headline) for lang in ("zh", "en"))
    assert any("\u4e00" <= ch <= "\u9fff" for ch in zh)
    assert en
    assert first.finding.caveats[0].level == "invented"


def test_extraction_equals_taking_the_sector_out(brain):
    rows = frame(brain, "extraction", "sectors", table=TABLE).set_index("sector")
    part = frame(brain, "extraction", "sectors", table=TABLE, fraction=0.4).set_index("sector")
    snapshot = brain.snapshot
    cells = snapshot.rows(snapshot.table("io_cell")).to_pandas()
    z = cells[cells.block == "Z"].pivot(index="row", columns="col", values="value").fillna(0)
    x = cells[cells.block == "X"].set_index("row").value
    m = cells[cells.block == "M"].set_index("row").value.reindex(x.index).fillna(0)
    f = cells[cells.block == "F"]
    home = f[~f.col.isin(["EX", "EXPO"])].groupby("row").value.sum()
    d = 1 - (m / (z.sum(axis=1) + home)).clip(0, 1)
    a = (z / x).mul(d, axis=0)
    final = x - a @ x
    for j in x.index:
        keep = [k for k in x.index if k != j]
        rest = np.linalg.solve(np.eye(7) - a.loc[keep, keep], final[keep])
        assert rows.loc[j, "output_lost"] == pytest.approx(x.sum() - rest.sum(), rel=1e-10)
        assert 0 < part.loc[j, "output_lost"] < rows.loc[j, "output_lost"]


def test_a_matrix_figure_of_extraction_is_the_sum_of_its_paths(brain):
    for params in ({}, {"fraction": 0.3, "side": "purchases"}, {"fraction": 0.7, "side": "sales"}):
        answer = brain.ask("extraction", table=TABLE, **params)
        for column in ("output_lost", "value_added_lost"):
            trace = answer.trace(column, sector="05")
            assert sum(p.value for p in trace.paths) == pytest.approx(trace.value, rel=1e-9)


def test_a_scenario_is_told_in_two_sentences_and_each_part_leads_its_own_table(brain):
    answer = brain.ask("scenario", shock=BLOCKED, economy=TABLE, weeks=20)
    for lang, stop in (("zh", "。"), ("en", ". ")):
        said = translate(lang, answer.finding.headline)
        assert 1 <= f"{said} ".count(stop) <= 2, said
        assert len(said) < 420
    asked = {lens: brain.find(i).finding for i in answer.finding.provenance.children
             if (lens := brain.find(i).finding.lens) != "chokepoints"}  # fmt: skip
    leads = [t.lead for t in answer.tables.values() if t.lead is not None]
    assert {t.key for t in leads} == {f.headline.key for f in asked.values()}
    assert all(lead == next(f.headline for f in asked.values() if f.headline.key == lead.key) for lead in leads)
    read = {name for name, t in answer.tables.items() if not t.aside}
    assert read == {"totals", "sectors", "substitutes", "knowledge_holders"} & set(answer.tables)
    total = asked["sector_loss"].tables["totals"].to_pandas().set_index("measure")
    assert answer.finding.headline.args["loss"].args["share"] == total.share_top["sector_loss.measure.value_added"]


def test_losses_by_sector_week_and_part_add_up_to_the_total(brain):
    tables = brain.ask("sector_loss", shock=BLOCKED, economy=TABLE, weeks=20).tables
    total = tables["totals"].to_pandas().set_index("measure").loc["sector_loss.measure.value_added"]
    sectors, path, parts = (tables[n].to_pandas() for n in ("sectors", "path", "parts"))
    assert sectors.value_added_lost.sum() == pytest.approx(total.value, rel=1e-9)
    assert path.value_added_lost.sum() == pytest.approx(total.value, rel=1e-9)
    whole = parts.part == "sector_loss.part.total"
    assert parts[~whole].amount.sum() == pytest.approx(total.value, rel=1e-9)
    assert parts[whole].amount.tolist() == [pytest.approx(total.value, rel=1e-9)]
    each = sectors[["from_capacity", "from_inputs", "from_orders"]].sum(axis=1)
    assert np.allclose(each, sectors.value_added_lost, rtol=1e-9, atol=1e-9)
    assert total.low <= total.value <= total.high


def test_a_loss_that_still_grows_at_the_end_is_said(brain):
    seen = set()
    for shock, weeks in ((BLOCKED, 3), (BLOCKED, 8), (BLOCKED, 20), ("sector:05 loss=0.1 end=2", 12), ("sector:05", 1)):
        answer = brain.ask("sector_loss", shock=shock, economy=TABLE, weeks=weeks)
        path = answer.tables["path"].to_pandas().sort_values("week").share_top.tolist()
        grows = weeks > 1 and path[-1] > 1.1 * path[-2]
        told = [c.text for c in answer.finding.caveats if c.text.key == "sector_loss.growing"]
        assert len(told) == grows, (shock, weeks, path)
        seen.add(grows)
    assert seen == {True, False}


def test_no_shock_no_loss(brain):
    for shock in ("sandbox:B2 from=XBB loss=0", "sector:05 loss=0", "sandbox:B2 from=XBB start=30"):
        tables = brain.ask("sector_loss", shock=shock, economy=TABLE, weeks=12).tables
        for name in ("totals", "sectors", "path", "parts"):
            numbers = tables[name].to_pandas().select_dtypes("number").drop(columns=["usual", "week"], errors="ignore")
            assert not np.nan_to_num(numbers.to_numpy()).any(), (shock, name)
    lost = frame(brain, "chain_loss", "steps", shock="sandbox:B2 from=XBB loss=0")
    assert not lost[["lost_low", "lost", "lost_high"]].to_numpy().any()


def test_a_larger_longer_or_wider_shock_never_costs_less(brain):
    def cost(shock, weeks=16):
        row = frame(brain, "sector_loss", "totals", shock=shock, economy=TABLE, weeks=weeks).iloc[1]
        return np.array([row.low, row.high])

    small = cost("sandbox:B2 from=XBB loss=0.5")
    assert (cost("sandbox:B2 from=XBB loss=1") >= small - 1e-9).all()
    assert (cost("sandbox:B2 from=XBB+XAA loss=0.5") >= small - 1e-9).all()
    assert (cost("sandbox:B2 from=XBB loss=0.5; sector:01 loss=0.1") >= small - 1e-9).all()
    assert (cost("sandbox:B2 from=XBB loss=0.5 end=4") <= small + 1e-9).all()
    assert (cost("sandbox:B2 from=XBB loss=0.5", weeks=24) >= small - 1e-9).all()


def test_an_unknown_share_gives_a_range_and_no_value(brain):
    answer = brain.ask("chain_loss", shock="sandbox:A2 from=XAA", weeks=20)
    shock = answer.tables["shocks"].to_pandas().iloc[0]
    assert (shock.supply_low, shock.supply_high) == (0.0, 1.0)
    assert np.isnan(shock.supply)
    assert any(c.text.key == "chain_loss.unknown" for c in answer.finding.caveats)
    both = brain.ask("chain_loss", shock="sandbox:A2 from=XAA+XBB", weeks=20).tables["shocks"].to_pandas().iloc[0]
    assert (both.supply_low, both.supply, both.supply_high) == (1.0, 1.0, 1.0)
    total = brain.ask("sector_loss", shock="sandbox:A2 from=XAA", economy=TABLE, weeks=20).tables["totals"].to_pandas()
    assert total.value.isna().all()
    assert (total.low == 0).all()
    assert (total.high > 0).all()


def test_what_stops_behind_a_step_waits_for_its_stock(brain):
    path = frame(brain, "chain_loss", "path", shock="sandbox:A1 from=XAA", weeks=20)
    refining = path[path.step == "C1"].sort_values("week")
    # 85% are lost, others deliver at most a quarter of their 15% more; 12, 8, 4 weeks of stock at that rate of use.
    lost = {k: 0.85 - kappa * 0.15 for k, kappa in (("lost_low", 0.25), ("lost", 0.1), ("lost_high", 0.0))}
    for column, stock in (("lost_low", 12), ("lost", 8), ("lost_high", 4)):
        first = int(stock / lost[column])
        assert (refining[column].to_numpy()[:first] == 0).all()
        assert refining[column].to_numpy()[-1] == pytest.approx(lost[column])


def test_a_scenario_stands_on_its_children_and_a_firm_can_be_shocked(brain):
    answer = brain.ask("scenario", shock=f"{BLOCKED}; firm:SBF08 loss=0.5", economy=TABLE, weeks=20)
    lenses = {brain.find(c).finding.lens for c in answer.finding.provenance.children}
    assert lenses == {"dependency", "chain_loss", "sector_loss", "firm_loss", "substitutes", "knowhow", "chokepoints"}
    assert {"totals", "sectors", "path", "parts", "chain", "firms", "substitutes"} <= set(answer.tables)
    projects = answer.tables["knowledge_project"].to_pandas()
    assert projects.id.tolist()[0] == "SBP1"
    assert projects.closeness.tolist()[0] == "direct"
    kinds = {c.kind for c in answer.finding.charts}
    assert {"line", "waterfall", "graph", "bar"} <= kinds


def test_compare_tells_which_costs_more(brain):
    answer = brain.ask("compare_scenarios", a="sector:05 loss=0.1", b="sector:05 loss=0.6", economy=TABLE)
    row = answer.tables["totals"].to_pandas().iloc[1]
    assert row.b_low > row.a_high
    assert row.difference == pytest.approx(row.b_value - row.a_value)
    assert "B costs more whatever" in translate("en", answer.finding.headline)


def test_linkages_equal_the_inverse(brain):
    rows = frame(brain, "linkages", "sectors", table=TABLE).set_index("sector")
    other = frame(brain, "structure", "sectors", table=TABLE).set_index("sector")
    assert np.allclose(rows.upstreamness, other.forward_linkage)
    assert np.allclose(rows.value_added_total, other.value_added_content)
    assert np.allclose(rows.jobs_total, other.employment_content)
    assert np.allclose(rows.jobs_ratio, rows.jobs_total / rows.jobs_direct)
    assert (rows.upstreamness >= 1).all()
    trace = brain.ask("linkages", table=TABLE).trace("jobs_total", sector="05")
    assert sum(p.value for p in trace.paths) == pytest.approx(trace.value, rel=1e-9)


def test_a_product_that_one_country_sells_is_a_dependence(brain):
    rows = frame(brain, "dependency", "products", country="SBX").set_index("product")
    assert rows.loc["P1", "dependent"] == "yes"
    assert rows.loc["P1", "origin"] == "XAA"
    assert rows.loc["P3", "dependent"] == "yes"
    assert np.isinf(rows.loc["P3", "ratio"]) or np.isnan(rows.loc["P3", "ratio"])
    assert rows.loc["P2", "dependent"] == "no"
    assert rows.loc["P1", "hhi_world"] == pytest.approx((90**2 + 5**2 + 5**2 + 2**2) / 102**2)
    assert rows.loc["P1", "years_met"] == 3


def test_the_riskiest_firm_is_the_one_whose_failure_costs_most(brain):
    answer = brain.ask("systemic_firms", network="sandbox", draws=5, mode="exact", show=30)
    rows = answer.tables["firms"].to_pandas()
    assert rows["rank"].tolist() == sorted(rows["rank"])
    assert rows.supply_index.is_monotonic_decreasing
    assert (rows.rank_low <= rows.rank_high).all()
    trace = answer.trace("supply_index", 0, table="firms")
    assert sum(p.value for p in trace.paths) <= trace.value * (1 + 1e-9)
    assert trace.paths[0].share > 0


BAD = [
    ("chain_loss", {"shock": "sandbox:B9"}, UnknownName, "B1"),
    ("chain_loss", {"shock": "sandbox:光刻"}, UnknownName, "B2 虚构光刻台"),
    ("chain_loss", {"shock": "sandbox:B2 from=Nowhere"}, UnknownName, "XAA"),
    ("chain_loss", {"shock": "sandbox:B2 from=XAA+SF1"}, AskError, "two views"),
    ("chain_loss", {"shock": "sandbx:B2"}, UnknownName, "sandbox"),
    ("chain_loss", {"shock": "sector:01"}, AskError, "supply chain"),
    ("chain_loss", {"shock": BLOCKED, "weeks": 0}, AskError, "1–520"),
    ("chain_loss", {"shock": BLOCKED, "weeks": 999}, AskError, "1–520"),
    ("sector_loss", {"shock": "sector:99", "economy": TABLE}, UnknownName, "01"),
    ("sector_loss", {"shock": "sector:电子", "economy": TABLE}, UnknownName, "05 虚构·电子设备"),
    ("sector_loss", {"shock": "sector:01 loss=2", "economy": TABLE}, AskError, "0 to 1"),
    ("sector_loss", {"shock": "sector:01 start=3 end=1", "economy": TABLE}, AskError, "before it starts"),
    ("sector_loss", {"shock": "firm:XYZ", "economy": TABLE}, UnknownName, "SBF01"),
    ("firm_loss", {"shock": "firm:XYZ", "economy": TABLE}, UnknownName, "SBF01"),
    ("firm_loss", {"shock": "firm:SBF01", "economy": TABLE, "network": "other"}, UnknownName, "sandbox"),
    ("world_loss", {"shock": "region:JPN", "economy": TABLE}, NoData, "ronghe ingest"),
    ("scenario", {"shock": "region:JPN", "economy": TABLE}, RongheError, "ronghe ingest"),
    ("extraction", {"table": TABLE, "fraction": 1.5}, AskError, "0 to 1"),
    ("extraction", {"table": TABLE, "region": "CHN"}, UnknownName, "SBX"),
    ("chokepoints", {"chain": "sandbox", "threshold": 1.5}, AskError, "0–1"),
    ("dependency", {"country": "Atlantis"}, UnknownName, "SBX"),
    ("dependency", {"country": "SBX", "year": 1999}, UnknownName, "2025"),
    ("systemic_firms", {"network": "none"}, UnknownName, "sandbox"),
]


@pytest.mark.parametrize(("lens", "params", "error", "says"), BAD, ids=[f"{b[0]}-{n}" for n, b in enumerate(BAD)])
def test_a_bad_question_gets_one_clear_error(brain, lens, params, error, says):
    with pytest.raises(error) as caught:
        brain.ask(lens, **params)
    assert caught.value.say("zh")
    assert says in caught.value.say("en")


def network_of(own, tmp_path, links, firms="A,01,100\nB,02,100\nC,02,100\n"):
    (tmp_path / "firms.csv").write_text("企业代码,部门代码,销售额\n" + firms, encoding="utf-8")
    (tmp_path / "links.csv").write_text("供应企业,采购企业,金额\n" + links, encoding="utf-8")
    fixed = 'network = {value = "mine"}\nunit = {value = "INVENTED_money"}\n'
    head = "[source]\nheader_rows = [1]\n[columns]\n"
    (tmp_path / "firms.toml").write_text(
        head + fixed + 'firm = "企业代码"\nsector = "部门代码"\nsales = {from = "销售额", unit = "INVENTED_money"}\n'
        'classification = {value = "sandbox"}\nversion = {value = "1"}\n',
        encoding="utf-8",
    )
    (tmp_path / "links.toml").write_text(
        head + fixed + 'supplier = "供应企业"\ncustomer = "采购企业"\nvalue = {from = "金额", '
        'unit = "INVENTED_money"}\n',
        encoding="utf-8",
    )
    ingest_own(own, tmp_path / "firms.csv", table="firm", mapping=tmp_path / "firms.toml")
    ingest_own(own, tmp_path / "links.csv", table="firm_link", mapping=tmp_path / "links.toml")


def test_own_sales_and_loose_ends_of_a_network_are_set_aside_and_told(own, tmp_path):
    network_of(own, tmp_path, "A,B,10\nA,A,5\nB,C,4\nB,ZZ,7\n")
    answer = own.ask("systemic_firms", network="mine", draws=0, mode="exact")
    told = {c.text.key: c.text.args for c in answer.finding.caveats}
    assert told["firms.self"]["firms"] == ["A"]
    assert told["firms.dangling"]["firms"] == ["ZZ"]
    assert answer.tables["firms"].data.num_rows == 3


def test_a_negative_flow_between_firms_names_the_firm(own, tmp_path):
    network_of(own, tmp_path, "A,B,10\nB,C,-4\n")
    with pytest.raises(KernelRefused) as caught:
        own.ask("systemic_firms", network="mine", draws=0)
    assert "B" in str(caught.value.args_["firms"])
    assert "a flow is below zero" in caught.value.say("en")
    assert "供货额为负" in caught.value.say("zh")


def test_an_edge_list_too_large_for_memory_is_refused_before_it_is_read(brain, monkeypatch):
    with pytest.raises(KernelRefused) as caught:
        networks.check_memory(100_000_000, 2_000_000, 8_000_000_000)
    assert "22" in caught.value.say("en")
    monkeypatch.setattr(networks, "free_memory", lambda: 1000)
    read = []
    monkeypatch.setattr(networks, "_edges", lambda *a: read.append(a))
    with pytest.raises(KernelRefused, match="GB"):
        brain.ask("systemic_firms", network="sandbox", draws=0, show=7)
    assert read == []


def test_a_network_without_firms_says_what_to_load(own):
    with pytest.raises(NoData) as caught:
        networks.load_firms(own._context(own.lens("systemic_firms"), {}, own.snapshot, print, bool, False), "none")
    assert "firm" in caught.value.say("en")


def test_an_input_is_traded_as_products_whose_weights_bound_the_exporters(brain):
    answer = brain.ask("dependency", country="SBX", shock=BLOCKED)
    rows = answer.tables["inputs"].to_pandas().set_index("product")
    assert rows.weight.to_dict() == {"P2": 0.6, "P3": 0.4}
    who = answer.tables["exporters"].to_pandas().set_index("exporter")
    trade = brain.snapshot.select("trade", ("region", "product", "value", "year"), {"flow": "export"}).to_pandas()
    sums = trade[trade.year == trade.year.max()].groupby(["product", "region"]).value.sum()
    for one in who.index:
        p2, p3 = (sums.get((p, one), 0.0) / sums[p].sum() for p in ("P2", "P3"))
        assert who.loc[one, "share"] == pytest.approx(0.6 * p2 + 0.4 * p3)
        ends = sorted(w * p2 + (1 - w) * p3 for w in (0.4, 0.8))
        assert who.loc[one, ["share_low", "share_top"]].tolist() == pytest.approx(ends)
    assert set(who[who.blocked == "yes"].index) == {"XBB"}
    assert rows.loc["P2", "blocked_share"] == pytest.approx(sums["P2", "XBB"] / sums["P2"].sum())


def test_a_product_strikes_the_steps_recorded_under_it_by_their_weights(brain):
    whole = frame(brain, "chain_loss", "steps", shock="sandbox:A1 from=XAA loss=0.7", weeks=20)
    same = frame(brain, "chain_loss", "steps", shock="product:P1 from=XAA loss=0.7", weeks=20)
    assert whole.equals(same)
    part = frame(brain, "chain_loss", "shocks", shock="product:P3 loss=0.5").iloc[0]
    assert (part.step, part.lost_low, part.lost, part.lost_high) == ("B2", 0.1, 0.2, 0.3)


def test_what_trade_does_not_record_or_link_is_said(own, tmp_path):
    answer = own.ask("dependency", country="SBX", shock="sandbox:D1")
    assert list(answer.tables) == ["inputs"]
    assert "dependency.unrecorded" in {c.text.key for c in answer.finding.caveats}
    answer = own.ask("dependency", country="SBX", shock="sandbox:B1")
    assert "dependency.unlinked" in {c.text.key for c in answer.finding.caveats}
    rows = "region,partner,flow,classification,version,product,year,years,value,unit\n"
    rows += "XAA,SBX,export,sandbox,1,P9,2025,1,5,USD_m\n"
    (tmp_path / "trade.csv").write_text(rows, encoding="utf-8")
    columns = [f'{h} = {{from = "{h}"{", resolve = false" if h in {"region", "partner"} else ""}}}'
               for h in rows.splitlines()[0].split(",")]  # fmt: skip
    (tmp_path / "trade.toml").write_text("[source]\nheader_rows = [1]\n[columns]\n" + "\n".join(columns) + "\n")
    assert ingest_own(own, tmp_path / "trade.csv", table="trade", mapping=tmp_path / "trade.toml").load.accepted == 1
    alone = own.ask("scenario", shock="product:P9 from=XAA", economy=TABLE)
    assert set(alone.tables) == {"trade_inputs", "trade_exporters"}
    assert "scenario.off_chain" in {c.text.key for c in alone.finding.caveats}
    assert alone.finding.headline.key.startswith("dependency.")
    assert not any(t.aside for t in alone.tables.values())
    with pytest.raises(UnknownName, match="P9") as caught:
        own.ask("scenario", shock="product:P99", economy=TABLE)
    assert caught.value.code == "unknown_product"


@pytest.mark.parametrize(
    ("flow", "lens", "params"),
    [(90, "structure", {"table": "mine"}), (-5, "scenario", {"shock": "sector:A loss=0.1", "economy": "mine"})],
)
def test_a_table_of_ones_own_needs_no_names_and_bad_flows_name_their_sectors(own, tmp_path, flow, lens, params):
    head = "table_id,name_zh,name_en,economy,year,sectors,regions,kind,unit,price,classification,version,residual"
    line = "mine,我的表,Mine,CHN,2020,2,1,competitive,CNY_10k,producer,own,1,0,0.5,x = Z1 + F1"
    (tmp_path / "io_table.csv").write_text(f"{head},tolerance,row_identity\n{line}\n", encoding="utf-8")
    rows = [("Z", "A", "A", flow), ("Z", "A", "B", 30), ("Z", "B", "A", 50), ("Z", "B", "B", 20),
            ("X", "A", "X", 100), ("X", "B", "X", 100), ("F", "A", "C", 10), ("F", "B", "C", 30)]  # fmt: skip
    cells = "".join(f"mine,{b},total,CHN,{r},CHN,{c},{v}\n" for b, r, c, v in rows)
    (tmp_path / "io_cell.csv").write_text(f"table_id,block,origin,row_region,row,col_region,col,value\n{cells}")
    for table in ("io_table", "io_cell"):
        assert not ingest_own(own, tmp_path / f"{table}.csv", table=table).load.quarantined
    with pytest.raises(KernelRefused) as caught:
        own.ask(lens, **params)
    assert caught.value.code == "io_refused"
    assert "涉及部门：A。" in caught.value.say("zh")
    assert "Sectors: A." in caught.value.say("en")
