"""Scores for new ties by their definitions, and whether they foresee what was held out."""

import gzip
import json
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.stats import rankdata

from ronghe.kernels.collaboration import incidence, ties
from ronghe.kernels.errors import KernelError
from ronghe.kernels.linkprediction import BASELINE, METHODS, evaluate, pair_scores, suggestions


@st.composite
def networks(draw):
    n = draw(st.integers(3, 8))
    a = np.array(draw(st.lists(st.booleans(), min_size=n * n, max_size=n * n))).reshape(n, n)
    return (a | a.T).astype(float)


@settings(max_examples=50, deadline=None)
@given(networks())
def test_scores_by_their_definitions(a):
    n = len(a)
    i, j = (ends.ravel() for ends in np.indices((n, n)))
    clean = a * (1 - np.eye(n))
    degree = clean.sum(axis=1)
    powers = [np.linalg.matrix_power(clean, k) for k in (2, 3, 4)]
    found = {method: pair_scores(csr_array(a), i, j, method, 0.05).reshape(n, n) for method in METHODS}
    for p, q in np.ndindex(n, n):
        common = np.flatnonzero(clean[p] * clean[q])
        assert found["common_neighbours"][p, q] == common.size
        assert found["resource_allocation"][p, q] == pytest.approx((1 / degree[common]).sum())
        if p != q:
            assert found["adamic_adar"][p, q] == pytest.approx((1 / np.log(degree[common])).sum())
        katz = sum(0.05**k * power[p, q] for k, power in zip((2, 3, 4), powers, strict=True))
        assert found["katz"][p, q] == pytest.approx(katz)
        assert found["preferential_attachment"][p, q] == degree[p] * degree[q]
        assert found["weighted_allocation"][p, q] == pytest.approx(np.log(2) * (1 / degree[common]).sum())
    parts = [rankdata(found[m]) / n**2 for m in ("weighted_allocation", "preferential_attachment")]
    assert found["blend"].ravel() == pytest.approx(np.mean(parts, axis=0))


def test_strength_of_ties_counts_where_it_should():
    weak = np.zeros((4, 4))
    for i, j, works in ((0, 1, 1), (0, 2, 9), (1, 3, 1), (2, 3, 9)):
        weak[i, j] = weak[j, i] = works
    net = csr_array(weak)
    v = np.log1p(weak)
    by_hand = sum(v[0, z] * v[z, 3] / v[z].sum() for z in (1, 2))
    assert pair_scores(net, [0], [3], "weighted_allocation") == pytest.approx([by_hand])
    assert pair_scores(net, [0], [3], "resource_allocation") == pytest.approx([1.0])


def communities(seed, n=120, groups=6):
    """Two periods of a network in which groups keep to themselves, and degrees differ little."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % groups
    rate = np.where(group[:, None] == group, 0.25, 0.01)
    periods = []
    for _ in range(2):
        upper = np.triu(rng.random((n, n)) < rate, 1)
        periods.append(csr_array((upper | upper.T).astype(float)))
    return periods


def test_neighbourhood_beats_the_baseline_where_groups_keep_to_themselves():
    found = evaluate(*communities(0))
    for method in METHODS[:4]:
        assert found.auc[method] > found.auc[BASELINE] + 0.2
        assert method in found.beats_baseline
    assert BASELINE not in found.beats_baseline
    assert 0 < found.positives < found.pairs


def test_the_baseline_is_not_beaten_where_only_activity_counts():
    rng = np.random.default_rng(1)
    activity = rng.pareto(1.5, 150) + 0.2
    rate = np.minimum(np.outer(activity, activity) * 0.02, 0.8)
    periods = []
    for _ in range(2):
        upper = np.triu(rng.random((150, 150)) < rate, 1)
        periods.append(csr_array((upper | upper.T).astype(float)))
    found = evaluate(*periods)
    assert found.auc[BASELINE] > 0.6
    assert "common_neighbours" not in found.beats_baseline


def test_only_untied_pairs_of_the_active_are_asked_about():
    past = np.zeros((6, 6))
    later = np.zeros((6, 6))
    for i, j in ((0, 1), (1, 2), (2, 3)):
        past[i, j] = past[j, i] = 1
    for i, j in ((0, 1), (0, 2), (3, 4)):  # 0-1 was tied before, 4 is new, 5 is never active
        later[i, j] = later[j, i] = 1
    found = evaluate(csr_array(past), csr_array(later), ("common_neighbours",))
    assert (found.pairs, found.positives) == (3, 1)
    assert set(found.auc) == {"common_neighbours", BASELINE}
    assert found.auc["common_neighbours"] == pytest.approx(0.75)


def test_suggestions_leave_out_those_known_and_those_out_of_reach():
    a = np.zeros((6, 6))
    for i, j in ((0, 1), (0, 2), (1, 3), (2, 3), (1, 4)):
        a[i, j] = a[j, i] = 1
    who, score = suggestions(csr_array(a), 0, "common_neighbours", 5)
    assert who.tolist() == [3, 4]
    assert score.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: pair_scores(csr_array((2, 3)), [0], [1], "katz"), "shape"),
        (lambda: pair_scores(csr_array([[0, 1.0], [0, 0]]), [0], [1], "katz"), "asymmetric"),
        (lambda: pair_scores(csr_array([[0, -1.0], [-1.0, 0]]), [0], [1], "katz"), "negative"),
        (lambda: pair_scores(csr_array((2, 2)), [0], [2], "katz"), "index"),
        (lambda: pair_scores(csr_array((2, 2)), [0], [1, 1], "katz"), "shape"),
        (lambda: pair_scores(csr_array((2, 2)), [0], [1], "magic"), "method"),
        (lambda: pair_scores(csr_array((2, 2)), [0], [1], "katz", beta=1), "beta"),
        (lambda: evaluate(csr_array((2, 2)), csr_array((3, 3))), "shape"),
        (lambda: evaluate(csr_array((2, 2)), csr_array((2, 2))), "no_pairs"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code


@pytest.mark.mirror
def test_institutions_of_real_works_meet_as_foreseen(mirror):
    """Geo-energy works of one university and its partners: ties up to 2018 foresee those of 2019 and after."""
    years, rows = [], []
    with gzip.open(mirror / "openalex_works" / "works.jsonl.gz") as file:
        for line in file:
            work = json.loads(line)
            people = work.get("authorships") or []
            years.append(work.get("publication_year") or 0)
            rows.append({place["id"] for person in people for place in person.get("institutions") or [] if place["id"]})
    names = sorted(set().union(*rows))
    number = {name: i for i, name in enumerate(names)}
    pairs = np.array([(w, number[name]) for w, row in enumerate(rows) for name in row])
    year = np.array(years)[pairs[:, 0]]
    past, later = (
        ties(incidence(*pairs[chosen].T, len(rows), len(names)), limit=50).joint
        for chosen in (year <= 2018, year > 2018)
    )
    found = evaluate(past, later)
    assert found.positives > 100
    assert "blend" in found.beats_baseline
    assert "adamic_adar" not in found.beats_baseline


@pytest.mark.mirror
def test_countries_meet_as_foreseen(mirror):
    """Co-authorship of 251 countries: ties of 1995 foresee those first seen in 2000."""
    periods = []
    with ZipFile(mirror / "country_collaboration" / "WrldCo_years.zip") as archive:
        for year in (1995, 2000):
            text = archive.read(f"WrldCo{year}.net").decode("utf-8-sig")
            i, j, works = np.array([line.split()[:3] for line in text.split("*arcs")[1].strip().splitlines()], int).T
            joint = np.zeros((251, 251))
            joint[i - 1, j - 1] = works
            periods.append(csr_array(np.maximum(joint, joint.T)))
    found = evaluate(*periods)
    assert found.auc["blend"] > found.auc[BASELINE]
    assert "blend" in found.beats_baseline
    assert "common_neighbours" not in found.beats_baseline
