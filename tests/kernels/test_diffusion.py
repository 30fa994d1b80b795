"""Adoption curves: recovered parameters, a published Bass fit, coverage of the limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.diffusion import bass, logistic, market_taken
from ronghe.kernels.errors import KernelError

# Video recorders in the United States, 1980-1989, thousands: the worked example of most Bass tutorials.
RECORDERS = [840, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890]


def test_published_bass_fit_with_its_standard_errors():
    fit = bass(np.arange(1, 11), RECORDERS, rate=True)
    assert fit.values == pytest.approx([6.594e-3, 6.381e-1, 6.798e4], rel=1e-3)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx([1.430e-3, 4.140e-2, 3.128e3], rel=1e-2)
    assert fit.freedom == 7


@settings(max_examples=20, deadline=None)
@given(st.floats(0.002, 0.04), st.floats(0.2, 0.9), st.floats(10, 1e6))
def test_bass_recovers_what_made_the_data(p, q, m):
    t = np.arange(2001.0, 2031.0)
    since = np.arange(31.0)
    taken = m * (1 - np.exp(-(p + q) * since)) / (1 + q / p * np.exp(-(p + q) * since))
    fit = bass(t, np.diff(taken))
    assert fit.values == pytest.approx([p, q, m], rel=1e-3)
    assert market_taken(fit, [2000, 2030]) == pytest.approx([0, taken[-1] / m], abs=1e-3)
    assert fit.at(t) == pytest.approx(np.diff(taken), rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 1.0), st.floats(2005, 2025), st.booleans(), st.sampled_from([-1, 1]))
def test_logistic_recovers_what_made_the_data(k, middle, known, direction):
    t = np.arange(2000.0, 2031.0)
    y = 40 / (1 + np.exp(-direction * k * (t - middle)))
    fit = logistic(t, y, ceiling=40 if known else None)
    assert fit.values == pytest.approx([direction * k, middle, 40], rel=1e-3)
    assert fit.at(middle) == pytest.approx(20, rel=1e-2)


def test_unit_of_the_level_is_immaterial():
    rng = np.random.default_rng(0)
    t = np.arange(20.0)
    y = 1 / (1 + np.exp(-0.4 * (t - 9))) + rng.normal(0, 0.01, 20)
    one, thousand = logistic(t, y), logistic(t, 1000 * y)
    assert thousand.values[:2] == pytest.approx(one.values[:2], rel=1e-4)
    assert thousand.values[2] == pytest.approx(1000 * one.values[2], rel=1e-4)
    assert thousand.at(25.0) == pytest.approx(1000 * one.at(25.0), rel=1e-4)


def test_limits_hold_as_often_as_they_say():
    rng = np.random.default_rng(3)
    t, ahead = np.arange(15.0), 17.0
    inside = 0
    for _ in range(120):
        y = 1 / (1 + np.exp(-0.5 * (t - 9))) + rng.normal(0, 0.02, t.size)
        low, high = logistic(t, y, ceiling=1.0).interval(ahead, 0.8)
        truth = 1 / (1 + np.exp(-0.5 * (ahead - 9))) + rng.normal(0, 0.02)
        inside += bool(low[0] <= truth <= high[0])
    assert 0.7 < inside / 120 < 0.9


def test_a_curve_that_has_hardly_bent_admits_it_does_not_know_its_ceiling():
    rng = np.random.default_rng(4)
    t = np.arange(12.0)
    noise = 1 + rng.normal(0, 0.02, 12)
    early = logistic(t, noise / (1 + np.exp(-0.3 * (t - 13))))
    assert np.sqrt(early.covariance[2, 2]) > 0.1 * early.values[2]
    known = logistic(t, noise / (1 + np.exp(-0.3 * (t - 25))), ceiling=1.0)
    assert known.covariance[2, 2] == 0
    assert known.values[1] == pytest.approx(25, rel=0.1)
    with pytest.raises(KernelError, match="did not end"):
        logistic(t, noise / (1 + np.exp(-0.3 * (t - 25))))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: logistic([1, 2, 3], [1, 2]), "shape"),
        (lambda: logistic([1, 2, 3, np.nan], [1, 2, 3, 4]), "not_finite"),
        (lambda: logistic([1, 2, 3], [1, 2, 3]), "few"),
        (lambda: logistic([1, 2, 3], [1, 1, 1], ceiling=1.0), "range"),
        (lambda: logistic([1, 2, 3, 4], [0, 0, 0, 0]), "range"),
        (lambda: bass([1, 2, 3, 4], [0, 0, 0, 0]), "range"),
        (lambda: bass([1, 2, 3, 4], [1, -1, 1, 1]), "range"),
        (lambda: bass([1, 2, 3, 4], [1, 2, 3, 4], launch=0.5), "launch"),
        (lambda: market_taken(logistic([1, 2, 3], [0.1, 0.5, 0.8], 1.0), [1]), "kind"),
        (lambda: logistic([1, 2, 3], [0.1, 0.5, 0.8], 1.0).interval(4, 1.0), "level"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code


def test_errors_of_parameters_follow_the_unit_of_the_level():
    rng = np.random.default_rng(4)
    t = np.arange(2010.0, 2022.0)
    taken = 1 / (1 + np.exp(-0.7 * (t - 2019)))
    units = np.diff(taken, prepend=0.0) * 900 * rng.normal(1, 0.02, t.size)
    small, large = bass(t, units), bass(t, units * 1e7)
    assert np.sqrt(large.covariance[2, 2]) == pytest.approx(1e7 * np.sqrt(small.covariance[2, 2]), rel=1e-3)
    assert np.sqrt(small.covariance[2, 2]) > 0.001 * small.values[2]
    low, high = large.interval(2024.0)
    wide = small.interval(2024.0)
    assert high - low == pytest.approx(1e7 * (wide[1] - wide[0]), rel=1e-3)
