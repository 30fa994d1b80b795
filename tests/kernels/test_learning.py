"""Moore's and Wright's laws: closed forms of the papers, coverage on wandering series, real technologies."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from ronghe.kernels.errors import KernelError
from ronghe.kernels.learning import forecast, hindcast, moore, wright


def walk(rng, steps, mu=-0.1, sigma=0.2, theta=0.0):
    v = rng.normal(0, sigma / np.sqrt(1 + theta**2), steps + 1)
    return np.exp(np.concatenate(([0.0], np.cumsum(mu + v[1:] + theta * v[:-1]))))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 30), st.integers(1, 20), st.floats(-0.9, 0.9))
def test_error_has_the_closed_form_of_farmer_and_lafond(m, tau, theta):
    values = walk(np.random.default_rng(m), m)
    fit = moore(np.arange(m + 1), values, theta)
    ahead = forecast(fit, m + np.arange(1, tau + 1))
    factor = -2 * theta + (1 + 2 * (m - 1) * theta / m + theta**2) * (tau + tau**2 / m)
    assert ahead.spread[-1] ** 2 == pytest.approx(fit.sigma**2 * factor / (1 + theta**2))


def test_error_of_wright_without_autocorrelation_is_noise_plus_slope():
    rng = np.random.default_rng(1)
    output = np.exp(np.cumsum(rng.random(16) + 0.1))
    fit = wright(output, walk(rng, 15))
    ahead = forecast(fit, output[-1] * np.array([1.5, 2.5, 4.0]))
    expected = fit.sigma**2 * (3 + np.log(4.0) ** 2 / (fit.x @ fit.x))
    assert ahead.spread[-1] ** 2 == pytest.approx(expected)
    assert fit.slope_error == pytest.approx(fit.sigma / np.sqrt(fit.x @ fit.x))


def test_exact_laws_are_recovered():
    halving = moore(np.arange(2000, 2008), 100 * 0.5 ** (np.arange(8) / 2))
    assert halving.doubling_time == pytest.approx(-2)
    assert forecast(halving, [2009.0]).median == pytest.approx([100 * 0.5**4.5])
    experience = wright(2.0 ** np.arange(6), 50 * 0.8 ** np.arange(6))
    assert experience.learning_rate == pytest.approx(0.2)
    assert forecast(experience, [64.0]).median == pytest.approx([50 * 0.8**6])


def test_moore_is_wright_on_exponential_experience():
    values = walk(np.random.default_rng(2), 12)
    growing = np.exp(0.3 * np.arange(13))
    one, other = moore(np.arange(13), values, 0.3), wright(growing, values, 0.3)
    assert one.slope == pytest.approx(0.3 * other.slope)
    left = forecast(one, [13.0, 14.0])
    right = forecast(other, np.exp(0.3 * np.array([13.0, 14.0])))
    assert left.upper == pytest.approx(right.upper)


def test_unequal_steps_weigh_by_their_length():
    time = np.array([0.0, 1.0, 3.0, 4.0, 8.0])
    values = walk(np.random.default_rng(3), 4)
    fit = moore(time, values)
    assert fit.slope == pytest.approx(np.log(values[-1] / values[0]) / 8)
    once = forecast(fit, [12.0])
    twice = forecast(fit, [9.0, 12.0])
    assert once.spread[0] == pytest.approx(twice.spread[1])
    assert once.spread[0] ** 2 == pytest.approx(fit.sigma**2 * (4 + 16 / 8))


@pytest.mark.parametrize("theta", [0.0, 0.6])
def test_limits_hold_as_often_as_they_say(theta):
    rng = np.random.default_rng(4)
    inside = total = 0
    for _ in range(150):
        values = walk(rng, 20, theta=theta)
        ahead = forecast(moore(np.arange(16), values[:16], theta), np.arange(16, 21), 0.8)
        inside += int(((ahead.lower <= values[16:]) & (values[16:] <= ahead.upper)).sum())
        total += 5
    assert 0.72 < inside / total < 0.88


def test_hindcast_errors_follow_student():
    errors = hindcast(np.arange(800), walk(np.random.default_rng(5), 799), window=8, ahead=3)
    assert errors.shape == (791, 3)
    assert np.isnan(errors[-1, 1:]).all()
    share = np.nanmean(np.abs(errors) < student.ppf(0.9, 7), axis=0)
    assert share == pytest.approx([0.8, 0.8, 0.8], abs=0.06)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: moore([1, 2, 3], [1, 2]), "shape"),
        (lambda: moore([1, 2], [1, 2]), "few"),
        (lambda: moore([1, 3, 2], [1, 2, 3]), "order"),
        (lambda: moore([1, 2, 3], [1, 0, 3]), "range"),
        (lambda: moore([1, 2, np.nan], [1, 2, 3]), "not_finite"),
        (lambda: moore([1, 2, 3], [1, 2, 3], theta=2), "theta"),
        (lambda: moore([1, 2, 4], [1, 2, 3], theta=0.5), "steps"),
        (lambda: wright([0, 1, 2], [1, 2, 3]), "range"),
        (lambda: forecast(moore([1, 2, 3], [1, 2, 3]), [3.0]), "order"),
        (lambda: forecast(moore([1, 2, 3], [1, 2, 3]), []), "shape"),
        (lambda: forecast(moore([1, 2, 3], [1, 2, 3]), [4.0], 0), "level"),
        (lambda: hindcast([1, 2, 3], [1, 2, 3], 2, 1), "few"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code


def series(mirror, name, column, best):
    """The best value of each year, from a file of a mirror's folder of technologies."""
    path = mirror / "technology_progress" / "data" / name / f"{name}.csv"
    by_year = {}
    with path.open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            try:
                year, value = int(float(row["year"])), float(row[column].replace(",", ""))
            except ValueError:
                continue
            by_year.setdefault(year, []).append(value)
    years = np.array(sorted(by_year))
    return years, np.array([best(by_year[int(year)]) for year in years])


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("name", "column", "best", "months", "held"),
    [
        ("transistor-counts", "transistors", max, 23, 1.0),
        ("disk-drive-price", "usd_per_mb", min, -23, 0.5),
        ("fastest-supercomputer", "flops", max, 13, 1.0),
    ],
)
def test_real_technologies_double_about_as_fast_as_published(mirror, name, column, best, months, held):
    """The publisher's months come from a line through all levels; ours from first to last record.

    `held` is the share of the last eight years inside limits of 95 % drawn before them: disk prices stopped falling as
    they used to after 2011, and the limits say so.
    """
    years, values = series(mirror, name, column, best)
    fit = moore(years, values)
    assert fit.doubling_time * 12 == pytest.approx(months, rel=0.25)
    early = years <= years[-1] - 8
    ahead = forecast(moore(years[early], values[early]), years[~early], 0.95)
    inside = (ahead.lower <= values[~early]) & (values[~early] <= ahead.upper)
    assert inside.mean() == held


def test_wright_on_unequal_steps_is_moore_where_output_grows_evenly():
    time = np.array([2000.0, 2001.0, 2004.0, 2005.0, 2009.0, 2010.0])
    value = np.array([100.0, 80.0, 55.0, 41.0, 20.0, 17.0])
    plain = forecast(moore(time, value), [2012.0, 2015.0])
    fit = wright(np.exp(0.3 * (time - 2000)), value, time=time)
    made = forecast(fit, np.exp(0.3 * (np.array([2012.0, 2015.0]) - 2000)), steps=[2.0, 3.0])
    assert made.median == pytest.approx(plain.median)
    assert made.upper == pytest.approx(plain.upper)
    with pytest.raises(KernelError) as caught:
        forecast(fit, [30.0, 40.0], steps=[1.0])
    assert caught.value.code == "shape"
