"""Decoupling as a user asks for it: against a loop by hand, rounding, jumps, traces, bad input."""

from itertools import product

import pytest

from ronghe.errors import AskError, UnknownName
from ronghe.i18n import translate
from tests.indexing.toys import PROVINCES, YEARS, brain_of, cells


@pytest.fixture(scope="module")
def values():
    return cells()


@pytest.fixture(scope="module")
def brain(values, tmp_path_factory):
    return brain_of(tmp_path_factory.mktemp("decoupling"), values)


def by_hand(E0, E1, G0, G1):
    e = (E1 / E0 - 1) / (G1 / G0 - 1)
    names = ("strong_decoupling", "weak_decoupling", "expansive_coupling", "expansive_negative_decoupling")
    if G1 < G0:
        names = ("strong_negative_decoupling", "weak_negative_decoupling", "recessive_coupling", "recessive_decoupling")
    return e, names[0 if e < 0 else 1 if e < 0.8 else 2 if e <= 1.2 else 3]


def test_elasticity_and_class_are_those_of_a_loop(brain, values):
    answer = brain.ask("decoupling", pressure="waste", activity="sales", span=1)
    rows = answer.tables["periods"].data.to_pylist()
    assert len(rows) == len(PROVINCES) * (len(YEARS) - 1)
    for row in rows:
        a, b, r = row["from_year"], row["to_year"], row["region"]
        e, name = by_hand(*(values[k, r, y] for k in ("waste", "sales") for y in (a, b)))
        assert row["elasticity"] == pytest.approx(e)
        assert row["state"] == f"decoupling.state.{name}"
        assert row["pressure_to"] == values["waste", r, b]
    counts = answer.tables["classes"].data.to_pylist()
    assert sum(c["regions"] for c in counts) == len(rows)


def test_a_ratio_is_a_series_and_its_rounding_bounds_the_elasticity(brain, values):
    answer = brain.ask("decoupling", pressure="papers", activity="money/rate", span=3)
    half = {"papers": 0.5, "money": 0.05, "rate": 0.005}
    for row in answer.tables["latest"].data.to_pylist():
        r = row["region"]
        held = {(k, y): values[k, r, y] for k in half for y in (YEARS[0], YEARS[-1])}
        found = []
        for signs in [(0,) * 6, *product((-1, 1), repeat=6)]:
            near = {key: v + s * half[key[0]] for (key, v), s in zip(held.items(), signs, strict=True)}
            gdp = [near["money", y] / near["rate", y] for y in (YEARS[0], YEARS[-1])]
            found.append(by_hand(near["papers", YEARS[0]], near["papers", YEARS[-1]], *gdp))
        assert row["sure"] == f"decoupling.{'sure' if len({name for _, name in found}) == 1 else 'open'}"
        if row["elasticity_low"] is not None:
            bounds = [e for e, _ in found]
            assert row["elasticity"] == pytest.approx(found[0][0])
            assert (row["elasticity_low"], row["elasticity_high"]) == pytest.approx((min(bounds), max(bounds)))


def test_rounding_that_leaves_the_sign_open_is_said(tmp_path):
    held = cells()
    for r in PROVINCES:
        for y in YEARS:
            held["rate", r, y] = 1.0 if r != "CN-31" else 0.5
    held["rate", "CN-31", YEARS[-1]] = 0.51
    held["papers", "CN-31", YEARS[0]], held["papers", "CN-31", YEARS[-1]] = 10, 11
    brain = brain_of(tmp_path, held)
    answer = brain.ask("decoupling", pressure="papers", activity="rate", span=3)
    for lang, said in (("zh", "弹性不可定"), ("en", "too little for an elasticity")):
        one = brain.ask("decoupling", pressure="papers", activity="rate", span=3, region="31")
        assert said in translate(lang, one.finding.headline)
    row = next(r for r in answer.tables["latest"].data.to_pylist() if r["region"] == "CN-31")
    assert row["sure"] == "decoupling.open"
    assert row["elasticity"] is row["elasticity_low"] is None
    flat = next(r for r in answer.tables["latest"].data.to_pylist() if r["region"] == "CN-44")
    assert (flat["elasticity"], flat["state"]) == (None, "decoupling.state.undefined")
    assert any(c.text.key == "decoupling.rounding" and c.level == "warning" for c in answer.finding.caveats)


def test_what_a_revision_looks_like_is_named(tmp_path):
    held = cells()
    for y in YEARS:
        for r in PROVINCES:
            held["sales", r, y] = 1000.0 * (1.05 ** (y - YEARS[0])) * (0.7 if r == "CN-36" and y == YEARS[-1] else 1.0)
    answer = brain_of(tmp_path, held).ask("decoupling", pressure="waste", activity="sales", span=3)
    said = next(c.text for c in answer.finding.caveats if c.text.key == "decoupling.jumps")
    assert said.args["count"] == 1
    assert "江西2021年 -26.5%" in translate("zh", said)
    assert "Jiangxi 2021 -26.5%" in translate("en", said)


def test_figures_trace_to_both_years(brain, values):
    answer = brain.ask("decoupling", pressure="waste", activity="sales", span=3, region="广东")
    trace = answer.trace("elasticity", table="latest", region="CN-44")
    found = {(o.values["indicator"], o.values["year"]): o.values["value"] for p in trace.paths for o in p.origins}
    assert found == {(k, y): values[k, "CN-44", y] for k in ("waste", "sales") for y in (YEARS[0], YEARS[-1])}
    only = answer.trace("growth_activity", table="latest", region="CN-44")
    assert {o.values["indicator"] for p in only.paths for o in p.origins} == {"sales"}
    end = answer.trace("pressure_to", table="latest", region="CN-44")
    assert [o.values["year"] for o in end.origins] == [YEARS[-1]]
    assert "广东" in translate("zh", answer.finding.headline)


def test_a_zero_leaves_the_region_out_and_says_so(tmp_path):
    held = cells()
    held["waste", "CN-35", YEARS[-1]] = 0.0
    brain = brain_of(tmp_path, held)
    answer = brain.ask("decoupling", pressure="waste", activity="sales", span=3)
    assert "CN-35" not in answer.tables["latest"].data["region"].to_pylist()
    said = next(c.text for c in answer.finding.caveats if c.text.key == "decoupling.absent")
    assert said.args["regions"] == [{"zh": "福建", "en": "Fujian"}]
    with pytest.raises(UnknownName):
        brain.ask("decoupling", pressure="waste", activity="sales", span=3, region="35")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"pressure": "waste/sales/rate", "activity": "sales"}, "series"),
        ({"pressure": "waste/", "activity": "sales"}, "series"),
        ({"pressure": "wast", "activity": "sales"}, "unknown_indicator"),
        ({"pressure": "waste", "activity": "sales", "span": 0}, "span"),
        ({"pressure": "waste", "activity": "sales", "span": 9}, "decoupling_years"),
        ({"pressure": "waste", "activity": "sales", "year": 1999}, "unknown_year"),
    ],
)
def test_bad_input_is_named_in_both_languages(brain, given, code):
    with pytest.raises(AskError) as caught:
        brain.ask("decoupling", **given)
    assert caught.value.code == code
    said = [caught.value.say(lang) for lang in ("zh", "en")]
    assert all(said)
    assert said[0] != said[1]
