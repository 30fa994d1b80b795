"""The map and the diagnosis on an invented panel: figures by hand, intervals, traces, words, bad input."""

from itertools import pairwise

import numpy as np
import pytest

from ronghe.errors import AskError, KernelRefused, NoData, UnknownName
from ronghe.i18n import LANGUAGES, translate
from ronghe.present import cell, label
from tests.indexing.toys import PROVINCES, SYSTEM, YEARS, brain_of, cells, system_file

DRAWS = 400
ALL = ("fusion_map", "fusion", "convergence", "compare", "efficiency", "index_check")


def asked(name, **more):
    params = {
        "fusion_map": {"draws": DRAWS},
        "fusion": {"draws": DRAWS, "region": "CN-31"},
        "compare": {"draws": DRAWS, "region": "上海", "other": "CN-44"},
    }.get(name, {})
    return {**params, **more}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fusion")
    values = cells()
    del values["waste", "CN-44", 2019]
    return brain_of(folder, values), system_file(folder), values


def by_hand(values):
    """U, C, T, D of the toy panel under equal weights, with plain loops."""
    filled = dict(values)
    a, b = values["waste", "CN-44", 2018], values["waste", "CN-44", 2020]
    ratio = {(r, y): filled["waste", r, y] / filled["sales", r, y] for (k, r, y) in filled if k == "waste"}
    a, b = ratio["CN-44", 2018], ratio["CN-44", 2020]
    ratio["CN-44", 2019] = (a + b) / 2
    raw = {k: {} for k in "abcd"}
    for r in PROVINCES:
        for y in YEARS:
            v = {k: filled[k, r, y] for k in ("money", "rate", "papers", "sales")}
            raw["a"][r, y] = v["papers"] / (v["money"] * 1e4 / (v["rate"] / 100) / 1e8)
            raw["b"][r, y] = v["rate"]
            raw["c"][r, y] = v["sales"] / sum(filled["sales", q, y] for q in PROVINCES)
            raw["d"][r, y] = -ratio[r, y]
    z = {}
    for k, one in raw.items():
        low, high = min(one.values()), max(one.values())
        z[k] = {key: (v - low) / (high - low) for key, v in one.items()}
    found = {}
    for key in raw["a"]:
        u1, u2 = (z["a"][key] + z["b"][key]) / 2, (z["c"][key] + z["d"][key]) / 2
        low, high = min(u1, u2), max(u1, u2)
        T = (u1 + u2) / 2
        modified = ((1 - (high - low)) * low / high) ** 0.5
        classic = 2 * (u1 * u2) ** 0.5 / (u1 + u2)
        found[key] = (u1, u2, modified, T, (modified * T) ** 0.5, (classic * T) ** 0.5)
    return found


def test_the_map_gives_what_plain_loops_give(place):
    brain, system, values = place
    answer = brain.ask("fusion_map", system=system, weights="equal", draws=DRAWS)
    expected = by_hand(values)
    rows = answer.tables["panel"].data.to_pylist()
    assert len(rows) == len(expected) == len(PROVINCES) * len(YEARS)
    for row in rows:
        got = [row[k] for k in ("u1", "u2", "C", "T", "D", "D_other")]
        np.testing.assert_allclose(got, expected[row["region"], row["year"]], rtol=1e-12)
        assert row["rank_low"] <= row["rank_mid"] <= row["rank_high"]
        assert row["D_low"] <= row["D_high"]
    ranking = answer.tables["ranking"].data.to_pylist()
    assert [r["D"] for r in ranking] == sorted((r["D"] for r in ranking), reverse=True)
    assert ranking[-1]["p_next"] is None
    swapped = brain.ask("fusion_map", system=system, weights="equal", form="classic", draws=DRAWS)
    again = {r["region"]: r for r in swapped.tables["ranking"].data.to_pylist()}
    assert all(again[r["region"]]["D"] == pytest.approx(r["D_other"]) for r in ranking)


def test_chances_of_being_ahead_add_up_and_noise_is_said(place):
    brain, system, _ = place
    answer = brain.ask("fusion_map", system=system, draws=DRAWS)
    p = {(r["region"], r["other"]): r["p"] for r in answer.tables["ahead"].data.to_pylist()}
    assert all(p[a, b] + p[b, a] == pytest.approx(1.0) for a, b in p if a != b)
    ranking = answer.tables["ranking"].data.to_pylist()
    for one, after in pairwise(ranking):
        assert one["p_next"] == pytest.approx(p[one["region"], after["region"]])
        clear = one["ahead_of_next"] == "fusion.ahead.clear"
        assert clear == (one["p_next"] >= 0.95)
    shares = answer.tables["drivers"].data.to_pylist()
    assert [s["factor"].rsplit(".", 1)[1] for s in shares] == ["weights", "normalisation", "aggregation", "imputation"]


def test_the_same_question_gives_the_same_bytes(place, tmp_path):
    brain, system, values = place
    for name in ALL:
        first = brain.ask(name, system=system, fresh=True, **asked(name)).json
        assert brain.ask(name, system=system, fresh=True, **asked(name)).json == first
    other = brain_of(tmp_path, values)
    one, two = (b.ask("fusion_map", system=system, draws=DRAWS) for b in (brain, other))
    assert one.tables["ranking"].data.equals(two.tables["ranking"].data)
    assert brain.ask("fusion_map", system=system, draws=DRAWS, seed=1).id != one.id


@pytest.mark.parametrize("name", [*ALL, "check_coupling"])
def test_every_word_is_there_in_both_languages(place, name):
    brain, system, _ = place
    more = {"figures": "0.2,0.6,0.4330;0.5,0.1,0.3727"} if name == "check_coupling" else {"system": system}
    finding = brain.ask(name, **asked(name), **more).finding
    for lang in LANGUAGES:
        texts = [finding.headline, *(c.text for c in finding.caveats), *(c.title for c in finding.charts)]
        assert all(translate(lang, t).strip() for t in texts)
        for result in finding.tables.values():
            assert translate(lang, result.title)
            rows = result.data.to_pylist()
            for field in result.fields:
                assert label(field, lang)
                assert all(cell(field, row[field.name], lang, row) for row in rows if row[field.name] not in {None, ""})
    keys = [[tuple(r[k] for k in t.key) for r in t.data.to_pylist()] for t in finding.tables.values()]
    assert all(len(set(k)) == len(k) for k in keys)
    for chart in finding.charts:
        fields = {f.name for f in finding.tables[chart.table].fields}
        assert all(c in fields or f"{c}_zh" in fields for c in chart.encode.values()), chart


@pytest.mark.parametrize("name", ALL)
def test_every_chart_can_be_drawn(place, name):
    from ronghe.draw import drawing

    brain, system, _ = place
    finding = brain.ask(name, system=system, **asked(name)).finding
    for chart in finding.charts:
        for lang in LANGUAGES:
            assert drawing(finding, chart, lang).option


def test_a_composite_is_traced_to_its_largest_parts_and_their_cells(place):
    brain, system, values = place
    answer = brain.ask("fusion_map", system=system, weights="equal", draws=DRAWS)
    trace = answer.trace("D", table="ranking", region="CN-44")
    assert trace.basis == "matrix"
    assert trace.total == len([k for k in values if k[0] != "x"])
    row = next(r for r in answer.tables["ranking"].data.to_pylist() if r["region"] == "CN-44")
    assert sum(p.value for p in trace.paths) == pytest.approx(row["T"])
    assert sum(p.share for p in trace.paths) == pytest.approx(1.0)
    level = answer.trace("u1", table="panel", region="CN-44", year=2019)
    assert {p.names["en"] for p in level.paths} <= {"A", "B"}
    origins = next(p.origins for p in level.paths if p.names["en"] == "A")
    assert {o.values["indicator"] for o in origins} == {"papers", "money", "rate"}
    assert all(o.values["region"] == "CN-44" and o.values["year"] == 2019 for o in origins)
    found = next(o for o in origins if o.values["indicator"] == "papers")
    assert found.values["value"] == values["papers", "CN-44", 2019]


def test_a_filled_figure_is_traced_to_the_years_it_was_filled_from(place):
    brain, system, _ = place
    answer = brain.ask("fusion", system=system, region="CN-44", year=2019, draws=DRAWS)
    row = next(r for r in answer.tables["obstacles"].data.to_pylist() if r["indicator"] == "d")
    assert row["filled"]
    trace = answer.trace("value", table="obstacles", indicator="d")
    years = {o.values["year"] for p in trace.paths for o in p.origins if o.values["indicator"] == "waste"}
    assert years == {2018, 2020, 2021}
    assert [r["years_filled"] for r in answer.tables["filled"].data.to_pylist()] == ["2019"]
    assert any(c.text.key == "fusion.filled" for c in answer.finding.caveats)
    path = answer.trace("D", table="path", year=2019)
    assert path.basis == "child"
    assert path.child.basis == "matrix"


def test_the_diagnosis_names_obstacles_that_would_help(place):
    brain, system, _ = place
    answer = brain.ask("fusion", system=system, region="上海", draws=DRAWS)
    rows = answer.tables["obstacles"].data.to_pylist()
    assert sum(r["obstacle"] for r in rows) == pytest.approx(1.0)
    held = [r for r in rows if r["holds_back"]]
    assert 1 <= len(held) <= 3
    assert all(r["effect"] > 0 for r in held)
    rest = [r["obstacle"] * max(r["effect"], 0) for r in rows if not r["holds_back"]]
    assert min(r["obstacle"] * r["effect"] for r in held) >= max(rest, default=0.0)


def test_the_target_path_ends_on_the_edge_of_the_class(place):
    brain, system, _ = place
    answer = brain.ask("fusion", system=system, region="CN-31", target="优质协调", until=2030, draws=DRAWS)
    path = answer.tables["target_path"].data.to_pylist()
    assert [r["year"] for r in path] == list(range(2021, 2031))
    assert path[-1]["D"] == pytest.approx(0.9, abs=1e-9)
    assert path[-1]["class"] == "fusion.class.9"
    assert path[-2]["D"] < 0.9
    needs = {r["indicator"]: r for r in answer.tables["needs"].data.to_pylist()}
    assert needs["b"]["needed"] > needs["b"]["now"]
    assert needs["d"]["needed"] < needs["d"]["now"]
    sides = answer.tables["target"].data.to_pylist()
    fast = any(s["pace"] > s["best_pace"] for s in sides)
    assert fast == any(c.text.key == "fusion.goal_fast" for c in answer.finding.caveats)
    np.testing.assert_allclose([s["needed"] for s in sides], [path[-1]["u1"], path[-1]["u2"]])
    with pytest.raises(UnknownName) as caught:
        brain.ask("fusion", system=system, region="CN-31", target="良好协凋", draws=DRAWS)
    assert caught.value.known[0] == "良好协调"
    with pytest.raises(AskError) as late:
        brain.ask("fusion", system=system, region="CN-31", until=2020, draws=DRAWS)
    assert late.value.code == "target_year"


def test_own_weights_and_judgements_come_from_the_file(place, tmp_path):
    brain, _, _ = place
    weighed = SYSTEM
    for name, weight in (("a", 0.25), ("b", 0.75), ("c", 0.4), ("d", 0.6)):
        weighed = weighed.replace(f'id = "{name}"\n', f'id = "{name}"\nweight = {weight}\n')
    weighed += '[judgements.science]\norder = ["b", "a"]\nmatrix = [[1, 3], [0.3333333333, 1]]\n'
    weighed += '[judgements.industry]\norder = ["c", "d"]\nmatrix = [[1, 1], [1, 1]]\n'
    file = system_file(tmp_path, weighed)
    rows = brain.ask("fusion_map", system=file, weights="own", draws=DRAWS).tables["weights"].data.to_pylist()
    assert [r["own"] for r in rows] == [0.25, 0.75, 0.4, 0.6]
    assert [r["ahp"] for r in rows] == pytest.approx([0.25, 0.75, 0.5, 0.5])


def test_a_file_that_changed_is_not_the_same_question(place, tmp_path):
    brain, _, _ = place
    file = system_file(tmp_path)
    first = brain.ask("fusion_map", system=file, draws=DRAWS)
    assert first.finding.params["system"].startswith(f"{file}@")
    system_file(tmp_path, SYSTEM.replace('id = "d"\n', 'id = "d2"\n'))
    second = brain.ask("fusion_map", system=file, draws=DRAWS)
    assert second.id != first.id
    with pytest.raises(AskError) as caught:
        first.trace("D", table="ranking", region="CN-44")
    assert caught.value.code == "definition_changed"


BAD = [
    ({"weights": "own"}, "", "", "weights_absent", AskError),
    ({"weights": "equale"}, "", "", "unknown_value", UnknownName),
    ({"alpha": "0.5,0.6"}, "", "", "fusion_weights", KernelRefused),
    ({"alpha": "0.5,0.3,0.2"}, "", "", "alpha_count", AskError),
    ({"alpha": "half"}, "", "", "alpha", AskError),
    ({"draws": 5}, "", "", "draws", AskError),
    ({"year": 1999}, "", "", "unknown_year", UnknownName),
    ({}, 'of = "waste"', 'of = "wastes"', "unknown_source", UnknownName),
    ({}, 'regions = "provinces"', 'regions = ["CN-33"]', "fusion_few_regions", KernelRefused),
    ({}, 'regions = "provinces"', 'regions = "countries"', "no_data", NoData),
    ({}, 'regions = "provinces"', 'regions = "provinces"\nyears = [1990, 1995]', "no_data", NoData),
    ({"missing": "none"}, "", "", "gaps_left", AskError),
    ({}, 'of = "rate"\nunit = "percent"', 'of = "rate"\nover = "rate"', "fusion_constant", KernelRefused),
    ({"weights": "own"}, 'id = "a"\n', 'id = "a"\nweight = 0.5\n', "own_weights", AskError),
]


@pytest.mark.parametrize(("params", "old", "new", "code", "kind"), BAD)
def test_what_can_not_be_measured_is_a_clear_error(place, tmp_path, params, old, new, code, kind):
    brain, _, _ = place
    file = system_file(tmp_path, SYSTEM.replace(old, new, 1) if old else SYSTEM)
    with pytest.raises(kind) as caught:
        brain.ask("fusion_map", **{"system": file, "draws": DRAWS, **params})
    assert caught.value.code == code
    assert caught.value.say("zh") != caught.value.say("en")
    if code == "fusion_constant":
        assert "乙" in caught.value.say("zh")
    if code == "unknown_source":
        assert caught.value.known[0] == "waste"


@pytest.mark.parametrize(
    ("science", "industry", "code"),
    [
        ("[[1, 3], [3, 1]]", "[[1, 1], [1, 1]]", "fusion_reciprocal"),
        ("[[1, 3], [0.3333, 1]]", None, "ahp_absent"),
    ],
)
def test_bad_judgements(place, tmp_path, science, industry, code):
    brain, _, _ = place
    text = SYSTEM + f'[judgements.science]\norder = ["a", "b"]\nmatrix = {science}\n'
    if industry:
        text += f'[judgements.industry]\norder = ["c", "d"]\nmatrix = {industry}\n'
    with pytest.raises(AskError) as caught:
        brain.ask("fusion_map", system=system_file(tmp_path, text), draws=DRAWS)
    assert caught.value.code == code


def test_inconsistent_judgements_name_the_pair_to_think_over(place, tmp_path):
    brain, _, _ = place
    text = SYSTEM.replace('id = "c"\nsubsystem = "industry"', 'id = "c"\nsubsystem = "science"')
    text += '[judgements.science]\norder = ["a", "b", "c"]\nmatrix = [[1, 5, 0.2], [0.2, 1, 5], [5, 0.2, 1]]\n'
    text += '[judgements.industry]\norder = ["d"]\nmatrix = [[1]]\n'
    with pytest.raises(KernelRefused) as caught:
        brain.ask("fusion_map", system=system_file(tmp_path, text), draws=DRAWS)
    assert caught.value.code == "fusion_inconsistent"
    assert "甲" in caught.value.say("zh") or "乙" in caught.value.say("zh")


def test_one_year_is_a_map_without_a_past(place, tmp_path):
    brain, _, _ = place
    file = system_file(tmp_path, SYSTEM.replace('"provinces"', '"provinces"\nyears = [2021, 2021]'))
    assert brain.ask("fusion_map", system=file, draws=DRAWS).tables["panel"].data.num_rows == len(PROVINCES)
    answer = brain.ask("fusion", system=file, region="CN-31", draws=DRAWS)
    assert any(c.text.key == "fusion.one_year" for c in answer.finding.caveats)
    assert answer.finding.headline.args["before"] == ""
    with pytest.raises(KernelRefused) as caught:
        brain.ask("convergence", system=file)
    assert caught.value.code == "fusion_few_years"
    assert "efficiency.no_change" in {c.text.key for c in brain.ask("efficiency", system=file).finding.caveats}
