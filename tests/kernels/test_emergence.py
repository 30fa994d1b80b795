"""Emergence: planted topics, no look into the future, and a back-test that can fail."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.emergence import SCORES, back_test, emergence
from ronghe.kernels.errors import KernelError


def world(seed, n=300, years=16, spread=0.12):
    """Topics whose growth persists; sizes from a handful to thousands."""
    rng = np.random.default_rng(seed)
    growth = rng.normal(0.05, spread, n)[:, None] * np.arange(years)
    return rng.poisson(np.exp(growth + rng.normal(2.5, 1.2, n)[:, None])).astype(float)


def test_each_part_measures_what_it_says():
    steady = np.full(10, 30.0)
    young = np.array([0, 0, 0, 0, 0, 2, 5, 12, 30, 70.0])
    fading = 10 * 2.0 ** np.arange(9, -1, -1)
    jumpy = np.array([20, 20, 20, 20, 20, 60, 5, 60, 5, 60.0])
    found = emergence([steady, young, fading, jumpy])
    assert found.growth.argmax() == 1
    assert found.newness == pytest.approx([0.5, 1.0, fading[-5:].sum() / fading.sum(), 190 / 290])
    assert found.persistence == pytest.approx([1.0, 1.0, 0.0, 0.6])
    assert found.score.argmax() == 1
    assert found.strength.argmax() == 2


def test_growth_is_above_that_of_everything():
    doubling = 2.0 ** np.arange(5) * 1000
    found = emergence([doubling, doubling, doubling * 3])
    assert found.growth == pytest.approx([0, 0, 0], abs=1e-3)


def test_small_topics_are_not_judged():
    found = emergence([[1, 0, 1, 0, 1], [10, 11, 12, 13, 14]], floor=5)
    assert found.active.tolist() == [False, True]
    assert np.isnan(found.score[0])
    assert np.isnan(found.strength[0])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(5, 10))
def test_the_future_is_not_read(seed, year):
    table = world(seed, 30, 12)
    changed = table.copy()
    changed[:, year + 1 :] = np.random.default_rng(seed).integers(0, 999, changed[:, year + 1 :].shape)
    for one, other in zip(
        (getattr(emergence(table, year), name) for name in ("growth", "newness", "persistence", "score")),
        (getattr(emergence(changed, year), name) for name in ("growth", "newness", "persistence", "score")),
        strict=True,
    ):
        assert np.array_equal(one, other, equal_nan=True)


def test_order_of_topics_is_immaterial():
    table = world(1, 40)
    order = np.random.default_rng(0).permutation(40)
    assert emergence(table[order]).score == pytest.approx(emergence(table).score[order], nan_ok=True)


def test_back_test_beats_last_years_growth_where_growth_persists():
    found = back_test(world(2))
    mean = found.mean_auc()
    assert set(mean) == set(SCORES)
    assert mean["emergence"] > mean["last_growth"] + 0.02
    assert mean["projected"] > mean["size"]
    assert found.mean_precision()["projected"] > 2 * found.base_rate


def test_back_test_finds_nothing_where_there_is_nothing_to_find():
    rng = np.random.default_rng(3)
    noise = rng.poisson(50, (400, 14)).astype(float)
    mean = back_test(noise).mean_auc()
    for score in SCORES:
        assert mean[score] == pytest.approx(0.5, abs=0.08)


def test_back_test_asks_only_about_topics_not_yet_large():
    table = world(4, 50, 12)
    found = back_test(table)
    assert found.years.tolist() == [4, 5, 6]
    active = emergence(table, 4).active.sum()
    assert 0 < found.large[0] < found.candidates[0] < active
    assert 0 < found.base_rate < 1


def test_a_world_without_outcomes_has_no_years():
    still = np.tile(np.arange(1.0, 41.0)[:, None] * 10, (1, 10))
    assert back_test(still).years.size == 0
    assert np.isnan(back_test(still).base_rate)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: emergence([1, 2, 3]), "shape"),
        (lambda: emergence([[1, np.nan, 1, 1, 1]]), "not_finite"),
        (lambda: emergence([[1, -1, 1, 1, 1]]), "negative"),
        (lambda: emergence([[1, 1, 1]], window=5), "window"),
        (lambda: emergence([[1, 1, 1]], window=2), "window"),
        (lambda: emergence([[1, 1, 1]], year=3), "year"),
        (lambda: back_test(np.ones((3, 8))), "window"),
        (lambda: back_test(np.ones((3, 12)), top=0), "top"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code


@pytest.mark.mirror
def test_real_countries_in_artificial_intelligence(mirror):
    """Papers on artificial intelligence of 220 countries, 2010-2024: beats last year's growth, but not size."""
    path = mirror / "openalex_ai_counts" / "data" / "raw" / "ai_publication_counts.csv"
    with path.open(encoding="utf-8") as file:
        rows = [(row["country_code"], int(row["year"]), float(row["count"])) for row in csv.DictReader(file)]
    places = sorted({row[0] for row in rows})
    table = np.zeros((len(places), 15))
    for place, year, count in rows:
        table[places.index(place), year - 2010] += count
    mean = back_test(table).mean_auc()
    assert mean["emergence"] > mean["last_growth"] + 0.05
    assert mean["projected"] > mean["size"] > mean["emergence"]
