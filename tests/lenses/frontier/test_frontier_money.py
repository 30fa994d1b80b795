"""Bridge, opportunities, allocation and diffusion: golden values on invented rows, limits, and what they refuse."""

import numpy as np
import pytest

from ronghe.errors import AskError, KernelRefused, NoData, UnknownName
from ronghe.kernels.complexity import density, presence, proximity, rca
from tests.lenses.frontier.frontier_toys import author, brain_with, check, keys, lab, patent, project, science, work

OWN = """
name = "toy"
title = { zh = "玩具", en = "Toy" }
[topics]
fields = ["Computer Science", "Physics"]
[patents]
classes = ["G06N", "H10B"]
"""


def _rows(answer, table):
    return answer.tables[table].data.to_pylist()


def _link(source, code, target, to, weight):
    versions = {"ASJC": "Scopus", "WIPO35": "2008", "NACE": "2", "IPC": "8"}
    return {"from_classification": source, "from_version": versions[source], "from_code": code, "weight": weight,
            "to_classification": target, "to_version": versions[target], "to_code": to}  # fmt: skip


CROSSWALK = [
    _link("ASJC", "17", "WIPO35", "06", 0.75), _link("ASJC", "17", "WIPO35", "08", 0.25),
    _link("ASJC", "31", "WIPO35", "06", 0.2), _link("ASJC", "31", "WIPO35", "08", 0.8),
    _link("WIPO35", "06", "NACE", "26", 0.6), _link("WIPO35", "06", "NACE", "62", 0.4),
    _link("WIPO35", "08", "NACE", "26", 0.9), _link("WIPO35", "08", "NACE", "27", 0.1),
    _link("IPC", "G06N", "WIPO35", "06", 1.0), _link("IPC", "G06", "NACE", "62", 1.0),
]  # fmt: skip
DISCIPLINES = [("Computer Science", "17")] * 3 + [("Physics", "31"), ("Art", "12")]
TOPICS = [{"topic": f"T{k}", "name_en": f"t{k}", "field": f, "field_code": c} for k, (f, c) in enumerate(DISCIPLINES)]


@pytest.fixture(scope="module")
def bridged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bridge")
    own = folder / "toy.toml"
    own.write_text(OWN, encoding="utf-8")
    cites = [
        {"citing": "US1", "number": k, "kind": "literature", "text": "x", "year": 2018 - k % 5} for k in range(1, 31)
    ]
    tables = {"crosswalk": CROSSWALK, "topic": TOPICS, "patent": [patent("US1")], "patent_citation": cites,
              "patent_class": [{"patent_id": "US1", "scheme": "IPC", "code": "G06N 3/04", "number": 1}]}  # fmt: skip
    return brain_with(folder / "b", tables), str(own)


def test_bridge_multiplies_the_concordances(bridged):
    brain, own = bridged
    answer = brain.ask("bridge", field=own)
    tech = {r["technology"]: r for r in _rows(answer, "technologies")}
    # Three topics of discipline 17 and one of 31: 0.75 × (0.75, 0.25) + 0.25 × (0.2, 0.8).
    assert tech["06"]["weight_science"] == pytest.approx(0.75 * 0.75 + 0.25 * 0.2)
    assert tech["06"]["weight_class"] == pytest.approx(1.0)
    six = (0.75 * 0.75 + 0.25 * 0.2 + 1) / 2
    assert tech["06"]["weight"] == pytest.approx(six)
    industry = {r["industry"]: r for r in _rows(answer, "industries")}
    assert industry["26"]["weight"] == pytest.approx(six * 0.6 + (1 - six) * 0.9)
    assert industry["62"]["weight_direct"] == pytest.approx(1.0)
    assert sum(r["weight"] for r in industry.values()) == pytest.approx(1.0)
    assert industry["26"]["industry_name_zh"] == "计算机、电子与光学产品"
    lags = _rows(answer, "lags")
    assert (lags[0]["citations"], lags[0]["lag"]) == (30, 2.0)
    assert "bridge.lost" in keys(answer)
    check(brain, answer)


def test_works_still_waiting_for_a_patent_count(bridged, tmp_path):
    _, own = bridged
    works = [{"work_id": f"W{k}", "title": "x", "year": 2000, "type": "article", "topic": "T0",
              "field": "Computer Science", "doi": f"10.1/{k}"} for k in range(24)]  # fmt: skip
    # Of 24 works of 2000 six are cited after 4 years and six after 8; two of 2006 have waited two years.
    works += [{**works[0], "work_id": f"L{k}", "doi": f"10.2/{k}", "year": 2006} for k in range(2)]
    works.append({**works[0], "work_id": "N", "doi": None})
    patents = [{**patent("US1"), "application_year": 2004}, {**patent("US2"), "application_year": 2008}]
    cites = [{"citing": "US1" if k < 6 else "US2", "number": k + 1, "kind": "literature", "text": "x", "year": 2000,
              "doi": f"10.1/{k}".upper()} for k in range(12)]  # fmt: skip
    tables = {"crosswalk": CROSSWALK, "topic": TOPICS, "patent": patents, "patent_citation": cites, "work": works}
    answer = brain_with(tmp_path / "w", tables).ask("bridge", field=own)
    (row,) = _rows(answer, "waits")
    assert (row["works_waiting"], row["works_cited"], row["wait_median"]) == (26, 12, 8.0)
    assert row["cited_5"] == pytest.approx(6 / 24)
    assert row["cited_5_low"] < row["cited_5"] < row["cited_5_high"]
    assert row["cited_10"] is None
    check(answer.brain, answer)
    assert "bridge.waits_how" in keys(answer)


def test_bridge_without_a_way_or_a_concordance(bridged, tmp_path):
    brain, _ = bridged
    own = tmp_path / "words.toml"
    own.write_text('name = "w"\ntitle = { zh = "词", en = "Words" }\n[terms]\nen = ["word"]', encoding="utf-8")
    with pytest.raises(AskError) as caught:
        brain.ask("bridge", field=str(own))
    assert caught.value.code == "bridge_no_way"
    with pytest.raises(AskError):
        brain.ask("bridge", show=0)
    with pytest.raises(NoData):
        brain_with(tmp_path / "b", {"topic": TOPICS}).ask("bridge")


def _trade(flows, year=1999):
    return [
        {"region": c, "partner": "WLD", "flow": "export", "classification": "SITC", "version": "2", "product": p,
         "year": year, "years": 3, "value": float(v), "unit": "USD"}
        for c, row in flows.items() for p, v in row.items() if v
    ]  # fmt: skip


FLOWS = {
    c: {f"{7000 + 11 * k}": (10 + 7 * ((i * 5 + k * 3) % 11)) * (k <= n) for k in range(12)}
    for i, (c, n) in enumerate({"CHN": 6, "USA": 11, "DEU": 10, "JPN": 9, "IND": 4, "BRA": 3, "VNM": 5}.items())
}


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    published = [{"kind": "country", "code": c, "measure": "fitness", "classification": "SITC", "version": "2",
                  "year": 1999, "value": float(i)} for i, c in enumerate(FLOWS)]  # fmt: skip
    return brain_with(tmp_path_factory.mktemp("trade"), {"trade": _trade(FLOWS), "published_complexity": published})


def test_opportunities_are_absent_near_and_complex(traded):
    answer = traded.ask("opportunities", region="中国")
    places, products = sorted(FLOWS), sorted(FLOWS["CHN"])
    x = np.array([[FLOWS[c][p] for p in products] for c in places], dtype=float)
    m = presence(rca(x)) & (x > 0)
    near = density(m, proximity(m))
    china = places.index("CHN")
    rows = _rows(answer, "candidates")
    assert {r["activity"] for r in rows} == {products[p] for p in np.flatnonzero(~m[china])}
    for row in rows:
        p = products.index(row["activity"])
        assert row["density"] == pytest.approx(near[china, p])
        assert row["having"] == m[:, p].sum()
        assert row["held_share"] == pytest.approx(x[china, p] / x[:, p].sum())
    scores = [r["score"] for r in rows]
    assert scores == sorted(scores, reverse=True)
    assert next(r["eci_rank"] for r in _rows(answer, "places")) == 1
    assert "opportunities.old" in keys(answer)
    assert {"opportunities.check_wins", "opportunities.check_loses"} & keys(answer)
    check(traded, answer)


def test_the_space_is_laid_out_and_every_tie_has_its_ends(traded):
    answer = traded.ask("opportunities", region="CHN")
    nodes = {r["activity"]: r for r in _rows(answer, "space")}
    assert all(0 <= n["x"] <= 1 and 0 <= n["y"] <= 1 for n in nodes.values())
    assert len({(n["x"], n["y"]) for n in nodes.values()}) == len(nodes)
    ties = _rows(answer, "ties")
    assert all(t["tie_from"] in nodes and t["tie_to"] in nodes for t in ties)
    # A spanning tree at least: nothing stands alone.
    assert {t[k] for t in ties for k in ("tie_from", "tie_to")} == set(nodes)


def test_provinces_by_programme(tmp_path):
    held = {"清华大学": "CN-11", "复旦大学": "CN-31", "浙江大学": "CN-33", "四川大学": "CN-51"}
    cells = [(i, name, p) for i, name in enumerate(held) for p in range(8) if (p + i) % 4 and p <= 3 + 2 * i]
    projects = [
        project(f"p{i}-{p}-{n}", "t", f"“专项{p}”重点专项" if n % 2 else f"专项{p}", name)
        for i, name, p in cells
        for n in range(3 + (i + p) % 3)
    ]
    projects += [project(f"q{p}", "t", f"专项{p}", "清华大学") for p in range(8)]
    labs = [lab(name, name, region) for name, region in held.items()]
    brain = brain_with(tmp_path, {"project": projects, "laboratory": labs})
    answer = brain.ask("opportunities", counted="programmes", region="CN-11")
    names = {r["activity"] for r in _rows(answer, "space")}
    assert names <= {f"专项{p}" for p in range(8)}
    with pytest.raises(UnknownName) as caught:
        brain.ask("opportunities", counted="programmes", region="CHN")
    assert "CN-11" in caught.value.known
    check(brain, answer)


def test_opportunities_refuse_what_they_cannot_do(traded, tmp_path):
    with pytest.raises(AskError):
        traded.ask("opportunities", advantage=0)
    with pytest.raises(UnknownName):
        traded.ask("opportunities", counted="dreams")
    with pytest.raises(NoData):
        traded.ask("opportunities", counted="topics")
    small = brain_with(tmp_path, {"trade": _trade({"CHN": {"7000": 5}, "USA": {"7011": 3}})})
    with pytest.raises(AskError) as caught:
        small.ask("opportunities")
    assert caught.value.code == "space_small"


OMEGA = {"Computer Science": (70, 20, 10), "Engineering": (50, 40, 10), "Physics and Astronomy": (60, 10, 30)}


@pytest.fixture(scope="module")
def cited(tmp_path_factory):
    """The example of the paper's check: Ω = (.7 .2 .1; .5 .4 .1; .6 .1 .3), works .5, .3, .2."""
    topics = {
        "Computer Science": ("T10320", 50),
        "Engineering": ("T10399", 30),
        "Physics and Astronomy": ("T20001", 20),
    }
    works, members, number = [], {}, 0
    for field, (topic, count) in topics.items():
        for _ in range(count):
            works.append(work(number, 2020, topic))
            members.setdefault(field, []).append(f"W{number}")
            number += 1
    cites = []
    for field, counts in OMEGA.items():
        for other, count in zip(topics, counts, strict=True):
            pairs = [(a, b) for a in members[field] for b in members[other] if a != b][:count]
            cites += [{"citing": a, "cited": b} for a, b in pairs]
    authors = [author(k, 1, "CHN" if k % 2 else "USA") for k in range(number)]
    tables = {"work": works, "citation": cites, "authorship": authors}
    return brain_with(tmp_path_factory.mktemp("allocation"), tables)


def test_allocation_gives_the_published_shares(cited):
    answer = cited.ask("allocation", rho=0.05, lam=0.05)
    rows = {r["field_name_id"]: r for r in _rows(answer, "shares")}
    assert [rows[f]["actual"] for f in OMEGA] == pytest.approx([0.5, 0.3, 0.2])
    assert [rows[f]["optimal"] for f in OMEGA] == pytest.approx([0.564815, 0.268519, 0.166667], abs=1e-6)
    for row in rows.values():
        assert row["optimal_low"] <= row["optimal"] <= row["optimal_high"]
    gain = _rows(answer, "gains")[0]["consumption_gain"]
    shares = np.array([0.564814815, 0.268518518, 0.166666667])
    assert gain == pytest.approx(np.exp(shares @ (np.log(shares) - np.log([0.5, 0.3, 0.2]))) - 1, rel=1e-6)
    check(cited, answer)


def test_allocation_keeps_floors_caps_and_the_limit_on_dependence(cited):
    free = cited.ask("allocation", region="CHN", floor=0.0, cap=10.0)
    tight = cited.ask("allocation", region="CHN", floor=0.9, cap=1.1)
    for row in _rows(tight, "shares"):
        assert 0.9 * row["actual"] - 1e-9 <= row["within_bounds"] <= 1.1 * row["actual"] + 1e-9
    risk = next(r for r in _rows(free, "gains") if r["plan"] == "bound")["risk"]
    limited = cited.ask("allocation", region="CHN", floor=0.0, cap=10.0, risk_limit=0.9 * risk)
    bound = next(r for r in _rows(limited, "gains") if r["plan"] == "bound")
    assert bound["risk"] <= 0.9 * risk + 1e-9
    assert bound["consumption_gain"] < _rows(limited, "gains")[0]["consumption_gain"]
    less = cited.ask("allocation", region="CHN", floor=0.5, cap=1.5, total=0.8)
    kept = _rows(less, "shares")
    assert sum(r["within_bounds"] for r in kept) == pytest.approx(0.8)
    assert all(r["within_bounds"] >= 0.5 * r["actual"] - 1e-9 for r in kept)
    with pytest.raises(KernelRefused):
        cited.ask("allocation", region="CHN", floor=0.9, total=0.8)
    with pytest.raises(KernelRefused):
        cited.ask("allocation", rho=0.0)
    with pytest.raises(KernelRefused):
        cited.ask("allocation", region="CHN", floor=1.0, risk_limit=0.0)
    with pytest.raises(AskError):
        cited.ask("allocation", floor=2.0)
    with pytest.raises(NoData):
        cited.ask("allocation", region="FRA")
    with pytest.raises(NoData):
        cited.ask("allocation", consumed="industry")


def test_allocation_says_what_stands_for_spending(tmp_path):
    brain = brain_with(tmp_path, science())
    answer = brain.ask("allocation")
    assert {"allocation.proxy", "allocation.omega_from", "allocation.assumed"} <= keys(answer)
    with pytest.raises(AskError) as caught:
        brain_with(tmp_path / "few", {"work": [work(1, 2020), work(2, 2020)]}).ask("allocation")
    assert caught.value.code == "allocation_few"


@pytest.fixture(scope="module")
def progress(tmp_path_factory):
    named = {"series": "chip_price", "name_zh": "芯片价格", "name_en": "Price of chips", "kind": "cost", "unit": "USD"}
    halving = [
        {**named, "number": k + 1, "moment": 2000.0 + k, "year": 2000 + k,
         "value": 1000 * 0.5 ** (k / 2) * (1.05 if k % 2 else 1.0)}
        for k in range(20)
    ]  # fmt: skip
    worse = {**halving[0], "number": 99, "moment": 2005.5, "year": 2005, "value": 5000.0}
    outputs = [{"region": "WLD", "industry": "ALL", "indicator": "chips_made", "year": 2000 + k, "value": 2.0**k,
                "unit": "item"} for k in range(20)]  # fmt: skip
    panel = [
        {"region": "CHN", "industry": "ALL", "indicator": i, "year": 2005 + k, "unit": "item",
         "value": 1000.0 * (1.0 if i == "ai_publications" else 1 / (1 + np.exp(-0.6 * (k - 7))))}
        for i in ("ai_publications", "deep_learning_publications") for k in range(12)
    ]  # fmt: skip
    flags = {"countries": ["USA"], "multinational": False, "frontier": False}
    models = [{**flags, "model": f"m{k}", "year": 2012 + k, "compute": 1e18 * 4.0**k} for k in range(12)]
    tables = {"technology_series": [*halving, worse], "indicator": [*outputs, *panel], "ai_model": models}
    return brain_with(tmp_path_factory.mktemp("progress"), tables)


def test_diffusion_finds_the_pace_and_its_limits(progress):
    answer = progress.ask("diffusion")
    rows = {r["technology_series"]: r for r in _rows(answer, "summary")}
    chip, compute, share = rows["chip_price"], rows["ai_compute"], rows["deep_learning_share"]
    assert chip["doubling"] == pytest.approx(-2.0, rel=0.02)
    assert chip["points"] == 20  # the dearer one of 2005 set no record
    assert compute["yearly"] == pytest.approx(3.0)
    assert share["law"] == "logistic"
    assert share["midpoint"] == pytest.approx(2012.0, abs=0.05)
    for row in (chip, share):
        assert row["forecast_low"] <= row["forecast"] <= row["forecast_high"]
    assert chip["hit"] >= 0.9
    assert chip["error"] < chip["error_naive"]
    check(progress, answer)


def test_wright_needs_output_and_uses_it(progress):
    with pytest.raises(AskError) as caught:
        progress.ask("diffusion", law="wright")
    assert caught.value.code == "diffusion_driver"
    answer = progress.ask("diffusion", law="wright", series="chip_price", driver="chips_made")
    row = _rows(answer, "summary")[0]
    # Output doubles every year (cumulated too, nearly) and the price falls by 2^-1/2: about 29 % a doubling.
    assert row["law"] == "wright"
    assert row["learning"] == pytest.approx(1 - 0.5**0.5, abs=0.03)
    # The law itself is tried on the past, told what was made: it beats no change, and its limits hold.
    assert row["tests"] > 0
    assert row["hit"] >= 0.9
    assert row["error"] < row["error_naive"]
    assert answer.finding.headline.key == "diffusion.headline_learning"
    check(progress, answer)
    with pytest.raises(AskError) as caught:
        progress.ask("diffusion", law="wright", driver="chips_made", region="CHN")
    assert caught.value.code == "diffusion_output"
    assert caught.value.known == ("WLD",)


def test_wright_carries_on_from_the_last_year_with_output(tmp_path):
    """Output ends three years before the prices: the limits of the first forecast year carry four years' noise."""
    named = {"series": "cell", "name_zh": "电池", "name_en": "Cells", "kind": "cost", "unit": "usd_per_mb"}
    prices = [
        {**named, "number": k + 1, "moment": 2000.0 + k, "year": 2000 + k,
         "value": 100 * 0.8**k * (1.1 if k % 2 else 1)}
        for k in range(16)
    ]  # fmt: skip
    spread = []
    for last in (15, 12):
        made = [{"region": "WLD", "industry": "ALL", "indicator": "cells_made", "year": 2000 + k, "value": 1.5**k,
                 "unit": "item"} for k in range(last + 1)]  # fmt: skip
        brain = brain_with(tmp_path / str(last), {"technology_series": prices, "indicator": made})
        answer = brain.ask("diffusion", law="wright", series="cell", driver="cells_made", horizon=3)
        path = [r for r in _rows(answer, "paths") if r["forecast"] is not None]
        assert [r["year"] for r in path] == [2016, 2017, 2018]
        spread.append(np.log(path[0]["forecast_high"] / path[0]["forecast_low"]))
    assert spread[1] > 1.5 * spread[0]


def test_adoption_is_a_bass_curve(tmp_path):
    def share(t):
        fading = np.exp(-0.51 * t)
        return (1 - fading) / (1 + 50 * fading)

    panel = [{"region": "CHN", "industry": "ALL", "indicator": i, "year": 2001 + k, "unit": "item",
              "value": 9e5 if i == "ai_publications" else float(5e5 * (share(k + 1) - share(k)))}
             for i in ("ai_publications", "deep_learning_publications") for k in range(15)]  # fmt: skip
    answer = brain_with(tmp_path, {"indicator": panel}).ask("diffusion", series="deep_learning_works")
    row = _rows(answer, "summary")[0]
    assert (row["law"], row["series_kind"]) == ("bass", "adoption")
    assert (row["innovation"], row["imitation"]) == pytest.approx((0.01, 0.5), rel=0.01)
    assert row["ceiling"] == pytest.approx(5e5, rel=0.01)
    assert row["midpoint"] == pytest.approx(2000 + np.log(50) / 0.51, abs=0.1)
    assert answer.finding.headline.key == "diffusion.headline_midpoint"


def test_diffusion_refuses_unknown_series_and_odd_horizons(progress, tmp_path):
    with pytest.raises(UnknownName) as caught:
        progress.ask("diffusion", series="chip_prise")
    assert caught.value.known[0] == "chip_price"
    with pytest.raises(AskError):
        progress.ask("diffusion", horizon=0)
    with pytest.raises(NoData):
        brain_with(tmp_path, {"work": [work(1, 2020)]}).ask("diffusion")
