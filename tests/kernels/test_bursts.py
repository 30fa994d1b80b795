"""Bursts: what the R package bursts publishes, brute force over all paths, planted bursts."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.bursts import batch_bursts, bursts
from ronghe.kernels.errors import KernelError

SHORT = [1, 2, 3, 10, 11, 12, 13, 14, 20, 25, 30]
# The example in the manual of the R package bursts.
MANUAL = [*range(0, 401, 100), *range(410, 451, 5), *range(451, 470, 2), *range(480, 601, 5), 700]
MANUAL += [*range(710, 801, 5), 900, 1000]


def rows(found):
    return np.column_stack([found.level, found.start, found.end]).tolist()


@pytest.mark.parametrize(
    ("s", "gamma", "expected"),
    [
        (2, 1, [[1, 1, 30]]),
        (2, 0.5, [[1, 1, 30], [2, 10, 14]]),
        (2, 0.1, [[1, 1, 30], [2, 1, 3], [2, 10, 14]]),
        (1.5, 0.3, [[1, 1, 30], [2, 10, 14]]),
        (3, 1, [[1, 1, 30]]),
    ],
)
def test_levels_and_ends_of_the_r_package(s, gamma, expected):
    assert rows(bursts(SHORT, s, gamma)) == expected
    assert rows(bursts(SHORT[::-1], s, gamma)) == expected


def test_published_states_of_the_manuals_example():
    default = bursts(MANUAL)
    assert rows(default) == [[1, 0, 1000], [2, 410, 600], [3, 450, 469], [2, 710, 800]]
    assert default.states.tolist() == [0] * 5 + [1] * 8 + [2] * 10 + [1] * 25 + [0] * 2 + [1] * 18 + [0] * 2
    assert rows(bursts(MANUAL, s=3)) == [[1, 0, 1000], [2, 410, 600], [2, 710, 800]]
    assert rows(bursts(MANUAL, gamma=3)) == [[1, 0, 1000], [2, 410, 600]]


def path_cost(path, fit, rise):
    steps = np.diff([0, *path])
    return sum(fit[t, q] for t, q in enumerate(path)) + rise * steps[steps > 0].sum()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.sampled_from([1.5, 2.0, 3.0]), st.floats(0.05, 2))
def test_no_other_path_is_cheaper(gaps, s, gamma):
    moments = np.concatenate(([0], np.cumsum(gaps)))
    found = bursts(moments, s, gamma)
    n, whole = len(gaps), sum(gaps)
    k = int(np.ceil(1 + np.log(whole) / np.log(s) - np.log(min(gaps)) / np.log(s)))
    rate = s ** np.arange(min(k, 5)) * n / whole
    fit = rate * np.array(gaps)[:, None] - np.log(rate)
    best = min(path_cost(path, fit, gamma * np.log(n)) for path in product(range(rate.size), repeat=n))
    assert found.cost <= best + 1e-9
    if found.states.max() < rate.size:
        assert path_cost(found.states, fit, gamma * np.log(n)) == pytest.approx(found.cost)
        assert found.cost == pytest.approx(best)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 300), min_size=2, max_size=30), st.floats(0.5, 20), st.integers(-50, 50))
def test_unit_and_origin_of_time_are_immaterial(moments, unit, origin):
    plain = bursts(sorted(moments))
    moved = bursts(np.array(sorted(moments)) * unit + origin)
    if not np.array_equal(plain.states, moved.states):  # a tie may fall either way by rounding
        assert plain.cost - moved.cost == pytest.approx(len(plain.states) * -np.log(unit), abs=1e-6)
    else:
        assert np.array_equal(plain.level, moved.level)
        assert moved.start == pytest.approx(plain.start * unit + origin)
    assert (plain.end > plain.start).all()
    assert plain.level[0] == 1


def test_one_event_is_one_burst_of_level_zero():
    assert rows(bursts([7])) == [[0, 7, 7]]


def test_a_planted_share_is_found_with_its_weight():
    relevant = np.array([2, 3, 2, 12, 14, 13, 3, 2, 2, 3])
    found = batch_bursts(relevant, np.full(10, 200))
    assert (found.start.tolist(), found.end.tolist()) == ([3], [5])
    base = relevant.sum() / 2000
    r, d = relevant[3:6], 200
    saved = r * np.log(2) + (d - r) * np.log((1 - 2 * base) / (1 - base))
    assert found.weight == pytest.approx([saved.sum()])
    assert found.base == pytest.approx(base)


def test_an_even_share_has_no_burst_even_when_volume_explodes():
    volume = np.array([100, 1000, 10_000, 1000])
    assert batch_bursts(volume // 20, volume).start.size == 0
    assert batch_bursts(np.zeros(4), volume).start.size == 0
    assert batch_bursts(volume, volume).start.size == 0
    assert batch_bursts([0, 0], [0, 0]).states.tolist() == [0, 0]


def test_a_burst_still_under_way_ends_with_the_last_period():
    found = batch_bursts([1, 1, 1, 1, 1, 9, 9], np.full(7, 100), s=2)
    assert found.end.tolist() == [6]
    certain = batch_bursts([60, 60, 100, 100], [100, 100, 100, 100], s=3)
    assert np.isfinite(certain.weight).all()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: bursts([]), "empty"),
        (lambda: bursts([1, 1, 2]), "tied"),
        (lambda: bursts([1, np.nan]), "not_finite"),
        (lambda: bursts([1, 2], s=1), "s"),
        (lambda: bursts([1, 2], gamma=0), "gamma"),
        (lambda: bursts([[1, 2]]), "shape"),
        (lambda: batch_bursts([1], [1, 2]), "shape"),
        (lambda: batch_bursts([3], [2]), "exceeds"),
        (lambda: batch_bursts([-1], [2]), "negative"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code
