"""Convergence, comparison, efficiency, the checks: on the invented panel, against kernels and by hand."""

import numpy as np
import pytest

from ronghe.errors import AskError, KernelRefused, UnknownName
from ronghe.kernels.convergence import beta_cross_section
from ronghe.kernels.inequality import gini
from tests.indexing.toys import PROVINCES, SYSTEM, YEARS, brain_of, cells, system_file

DRAWS = 200


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("others")
    return brain_of(folder, cells()), system_file(folder), folder


def degrees(brain, system):
    rows = brain.ask("fusion_map", system=system, draws=DRAWS).tables["panel"].data.to_pylist()
    held = {(r["year"], r["region"]): r["D"] for r in rows}
    return np.array([[held[y, r] for r in PROVINCES] for y in YEARS])


def test_convergence_is_the_kernels_on_the_map(place):
    brain, system, _ = place
    answer, D = brain.ask("convergence", system=system), degrees(brain, system)
    trend = answer.tables["trend"].data.to_pylist()
    np.testing.assert_allclose([r["gini"] for r in trend], [gini(d) for d in D])
    np.testing.assert_allclose([r["sigma"] for r in trend], np.log(D).std(axis=1, ddof=1))
    slope = answer.tables["beta"].data.to_pylist()[0]["slope"]
    assert slope == pytest.approx(beta_cross_section(D).slope)
    for row in answer.tables["dagum"].data.to_pylist():
        assert row["Gw"] + row["Gnb"] + row["Gt"] == pytest.approx(row["G"])
        assert row["within"] + row["between"] == pytest.approx(row["T"])
    moves = [r for r in answer.tables["markov"].data.to_pylist() if r["neighbours"] == "fusion.lag.all"]
    assert sum(r["count"] for r in moves) == (len(YEARS) - 1) * len(PROVINCES)
    density = answer.tables["density"].data.to_pandas()
    mass = density.groupby("year").apply(lambda g: np.trapezoid(g["density"], g["x"]), include_groups=False)
    np.testing.assert_allclose(mass, 1.0, atol=5e-3)


@pytest.mark.parametrize("island", ["sea", "nearest", "keep"])
def test_hainan_is_treated_as_the_question_says(place, island):
    brain, system, _ = place
    answer = brain.ask("convergence", system=system, island=island)
    local = {r["region"]: r for r in answer.tables["local"].data.to_pylist()}
    D = degrees(brain, system)[-1]
    z = (D - D.mean()) / D.std()
    expected = {"sea": z[PROVINCES.index("CN-44")], "nearest": z[PROVINCES.index("CN-44")], "keep": 0.0}[island]
    assert local["CN-46"]["lag"] == pytest.approx(expected, abs=1e-12)


def test_an_island_refused_is_named(place):
    brain, system, _ = place
    with pytest.raises(KernelRefused) as caught:
        brain.ask("convergence", system=system, island="refuse")
    assert caught.value.code == "fusion_island"
    assert "海南" in caught.value.say("zh")
    assert "Hainan" in caught.value.say("en")


def test_weights_by_distance_and_by_economy(place):
    brain, system, folder = place
    for kind in ("distance", "economic"):
        assert brain.ask("convergence", system=system, neighbours=kind).tables["trend"].data["I"][0].is_valid
    bare = folder / "bare.toml"
    bare.write_text(SYSTEM[: SYSTEM.index("[[structure]]")], encoding="utf-8")
    with pytest.raises(AskError) as caught:
        brain.ask("convergence", system=str(bare), neighbours="economic")
    assert caught.value.code == "no_structure"
    rows = brain.ask("convergence", system=str(bare)).tables["beta"].data.to_pylist()
    assert {r["model"].rsplit(".", 1)[1] for r in rows} == {"absolute", "two_way"}


def test_a_region_at_the_bottom_of_everything_has_no_logarithm(tmp_path):
    values = cells()
    for y in YEARS:
        values["sales", "CN-33", y] = 1.0 if y < YEARS[-1] else 0.1
        values["waste", "CN-33", y] = 9.0 + y - YEARS[0]
    answer = brain_of(tmp_path, values).ask("convergence", system=system_file(tmp_path))
    said = next(c.text for c in answer.finding.caveats if c.text.key == "convergence.zeros")
    assert said.args["regions"] == [{"zh": "浙江", "en": "Zhejiang"}]
    assert answer.tables["trend"].data["sigma"].null_count == len(YEARS)
    assert answer.tables["trend"].data["cv"].null_count == 0
    assert answer.finding.headline.key == "convergence.headline_zero"


def test_few_regions_leave_parts_out_and_say_so(place):
    brain, _, folder = place
    few = folder / "few.toml"
    few.write_text(SYSTEM.replace('"provinces"', '["CN-31", "CN-33", "CN-44"]'), encoding="utf-8")
    answer = brain.ask("convergence", system=str(few))
    assert "local" not in answer.tables
    assert answer.tables["trend"].data["I"].null_count == len(YEARS)
    assert any(c.text.key == "convergence.left_out" for c in answer.finding.caveats)


def test_a_comparison_and_its_mirror_agree(place):
    brain, system, _ = place
    one, two = (
        brain.ask("compare", system=system, region=a, other=b, draws=DRAWS)
        for a, b in (("33", "44"), ("广东", "Zhejiang"))
    )
    for left, right in zip(one.tables["years"].data.to_pylist(), two.tables["years"].data.to_pylist(), strict=True):
        assert left["p"] + right["p"] == pytest.approx(1.0)
        assert left["gap"] == pytest.approx(-right["gap"])
    parts = one.tables["parts"].data.to_pylist()
    rows = brain.ask("fusion_map", system=system, draws=DRAWS).tables["ranking"].data.to_pylist()
    T = {r["region"]: r["T"] for r in rows}
    assert sum(p["part"] for p in parts) == pytest.approx(T["CN-33"] - T["CN-44"])
    trace = one.trace("gap", table="years", year=2021)
    assert sum(p.value for p in trace.paths) == pytest.approx(T["CN-33"] - T["CN-44"])
    own = one.trace("value_b", table="parts", indicator="a")
    assert {o.values["region"] for p in own.paths for o in p.origins} == {"CN-44"}
    with pytest.raises(AskError) as caught:
        brain.ask("compare", system=system, region="CN-44", other="广东")
    assert caught.value.code == "same_region"


def test_efficiency_of_one_input_and_one_output_is_a_ratio(place):
    brain, system, _ = place
    answer = brain.ask("efficiency", system=system, year=2020)
    values = cells()
    ratio = {r: values["papers", r, 2020] / values["money", r, 2020] for r in PROVINCES}
    for row in answer.tables["scores"].data.to_pylist():
        assert row["ccr"] == pytest.approx(ratio[row["region"]] / max(ratio.values()))
        assert row["ccr_high"] >= row["ccr"]
        assert row["bcc"] >= row["ccr"] - 1e-9
    best = max(ratio, key=ratio.get)
    second = max(v for r, v in ratio.items() if r != best)
    other = next(r for r in answer.tables["scores"].data.to_pylist() if r["region"] != best)
    assert other["ccr_high"] == pytest.approx(min(1.0, ratio[other["region"]] / second))
    for row in answer.tables["by_year"].data.to_pylist():
        assert row["M"] == pytest.approx(row["EC"] * row["TC"])
        assert row["EC"] == pytest.approx(row["PEC"] * row["SEC"])
    trace = answer.trace("ccr", table="scores", region="CN-44")
    assert {o.values["indicator"] for p in trace.paths for o in p.origins} == {"money", "papers"}


def test_units_without_output_or_figures(tmp_path):
    values = cells()
    values["papers", "CN-35", 2021] = 0.0
    with pytest.raises(KernelRefused) as caught:
        brain_of(tmp_path, values).ask("efficiency", system=system_file(tmp_path))
    assert caught.value.code == "fusion_unit"
    assert "福建" in caught.value.say("zh")
    values["papers", "CN-35", 2021] = None
    folder = tmp_path / "again"
    folder.mkdir()
    answer = brain_of(folder, values).ask("efficiency", system=system_file(tmp_path))
    assert answer.tables["scores"].data.num_rows == len(PROVINCES) - 1
    assert any(c.text.key == "efficiency.absent" for c in answer.finding.caveats)


def test_no_inputs_is_an_error(place):
    brain, _, folder = place
    bare = folder / "bare2.toml"
    bare.write_text(SYSTEM[: SYSTEM.index("[[input]]")], encoding="utf-8")
    with pytest.raises(AskError) as caught:
        brain.ask("efficiency", system=str(bare))
    assert caught.value.code == "no_frontier"


@pytest.mark.parametrize(
    ("figures", "verdict", "form"),
    [
        ("0.291,0.320,0.99887;0.049,0.419,0.61234", "right", "classic"),
        ("0.291,0.320,0.93968;0.049,0.419,0.27143", "right", "modified"),
        ("0.200 0.600 0.4330; 0.500 0.100 0.3727", "wrong", "lost_n"),
        ("0.200,0.600,0.4000;0.500,0.100,0.3000", "not_c", "t"),
    ],
)
def test_published_figures_are_told_right_from_wrong(brain, figures, verdict, form):
    answer = brain.ask("check_coupling", figures=figures)
    args = answer.finding.headline.args
    assert args["verdict"].key == f"check_coupling.verdict.{verdict}"
    assert args["form"].key == f"coupling_form.{form}"


def test_coarse_levels_leave_several_forms_open(brain):
    answer = brain.ask("check_coupling", figures="0.2,0.6,0.4330;0.5,0.1,0.3727")
    said = next(c.text for c in answer.finding.caveats if c.text.key == "check_coupling.ambiguous")
    assert "coupling_form.lost_n" in {t.key for t in said.args["forms"]}


def test_figures_no_form_gives_and_figures_that_are_none(brain):
    answer = brain.ask("check_coupling", figures="0.2,0.6,0.99")
    assert answer.finding.headline.args["verdict"].key == "check_coupling.verdict.unknown"
    for wrong in ("0.2,0.6", "", "a,b,c", "0.2,0.6,0.4;0.2,0.4"):
        with pytest.raises(AskError):
            brain.ask("check_coupling", figures=wrong)
    with pytest.raises(KernelRefused) as caught:
        brain.ask("check_coupling", figures="2.2,0.6,0.4")
    assert caught.value.code == "fusion_refused"


def test_a_system_is_checked_against_the_lake(tmp_path):
    values = cells()
    for r in PROVINCES:
        for y in YEARS:
            values["rate", r, y] = 2.0
    del values["waste", "CN-44", 2019]
    del values["waste", "CN-46", 2021]
    text = SYSTEM.replace('of = "papers"\nover = "gdp"', 'of = "paper"\nover = "gdp"', 1)
    answer = brain_of(tmp_path, values).ask("index_check", system=system_file(tmp_path, text))
    rows = {(r["role"], r["indicator"]): r for r in answer.tables["summary"].data.to_pylist()}
    states = {k[1]: r["status"].rsplit(".", 1)[1] for k, r in rows.items() if k[0].endswith("indicator")}
    assert states == {"a": "unmade", "b": "dead", "c": "whole", "d": "gaps"}
    d = rows["index_check.role.indicator", "d"]
    assert (d["filled"], d["left"]) == (1, 1)
    assert d["coverage"] == pytest.approx(1 - 2 / (len(PROVINCES) * len(YEARS)))
    unknown = answer.tables["unknown"].data.to_pylist()
    assert [(u["source"], u["nearest"].split(", ")[0]) for u in unknown] == [("paper", "papers")]
    known = {(r["indicator"], r["year"]): r["known"] for r in answer.tables["coverage"].data.to_pylist()}
    assert known["d", 2019] == len(PROVINCES) - 1


def test_indicators_that_say_the_same_are_found(tmp_path):
    text = SYSTEM + (
        '[[indicator]]\nid = "e"\nsubsystem = "industry"\ndimension = "one"\nname = "E"\nof = "sales"\n'
        'transform = "share"\nwhy = "again"\n'
    )
    answer = brain_of(tmp_path, cells()).ask("index_check", system=system_file(tmp_path, text))
    pairs = answer.tables["together"].data.to_pylist()
    assert [(p["indicator"], p["other_id"]) for p in pairs] == [("c", "e")]
    assert pairs[0]["r"] == pytest.approx(1.0)


def test_unknown_systems_offer_the_nearest(place):
    brain, _, _ = place
    with pytest.raises(UnknownName) as caught:
        brain.ask("index_check", system="fusion_provinces")
    assert caught.value.known[0] == "fusion_province"


def test_a_misspelt_region_is_answered_with_those_that_look_like_it(place):
    brain, system, _ = place
    for wrong, meant in (("广动", "CN-44"), ("Jiangshu", "CN-32")):
        with pytest.raises(UnknownName) as caught:
            brain.ask("fusion", system=system, region=wrong, draws=DRAWS)
        assert caught.value.known[0] == meant
