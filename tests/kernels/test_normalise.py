"""Normalisation: golden values, brute force, invariants, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels import normalise as nm
from ronghe.kernels.checks import (
    ConstantIndicatorError,
    DirectionError,
    FusionError,
    MissingBlockError,
    TooFewError,
)

MATRIX = arrays(np.float64, (6, 3), elements=st.integers(-1000, 1000).map(float)).filter(
    lambda X: (np.ptp(X, axis=0) > 0).all()
)
RNG = np.random.default_rng(4)
PANEL = RNG.random((3, 5, 4)) + np.arange(3)[:, None, None]


@pytest.mark.parametrize(
    ("x", "expected"), [(5.0, 1 - 1 / 4), (6.0, 1.0), (7.5, 1.0), (10.0, 1 - 2 / 4), (2.0, 0.0), (12.0, 0.0)]
)
def test_interval_indicator_has_the_textbook_scale(x: float, expected: float) -> None:
    """z = 1 inside [6, 8]; outside 1 - gap / the largest gap (4, at both 2 and 12)."""
    X = np.array([[2.0], [5.0], [6.0], [7.5], [10.0], [12.0]])
    z = nm.minmax(nm.orient(X, [0], low=[6.0], high=[8.0]))
    assert z[X[:, 0] == x, 0].item() == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(MATRIX, st.floats(0.01, 100), st.floats(-50, 50))
def test_scale_and_origin_do_not_matter(X: np.ndarray, a: float, b: float) -> None:
    for method in (nm.minmax, nm.zscore, nm.rank_score):
        assert method(a * X + b) == pytest.approx(method(X), abs=1e-8)


@settings(deadline=None, max_examples=40)
@given(MATRIX)
def test_reversing_the_direction_mirrors_the_scale(X: np.ndarray) -> None:
    cost = nm.orient(X, [-1, -1, -1])
    assert nm.minmax(cost) == pytest.approx(1 - nm.minmax(X))
    assert nm.rank_score(cost) == pytest.approx(1 - nm.rank_score(X))
    assert nm.zscore(cost) == pytest.approx(-nm.zscore(X))
    assert nm.normal_score(cost) == pytest.approx(1 - nm.normal_score(X))


def test_panel_bounds_let_a_score_rise_and_yearly_bounds_do_not() -> None:
    assert nm.minmax(PANEL)[2].min() > nm.minmax(PANEL)[0].max() - 1e-9
    yearly = nm.minmax(PANEL, bounds="year")
    assert (yearly.min(axis=1) == 0).all()
    assert (yearly.max(axis=1) == 1).all()
    for year in range(3):
        assert nm.zscore(PANEL, bounds="year")[year] == pytest.approx(nm.zscore(PANEL[year]))
        assert nm.rank_score(PANEL, bounds="year")[year] == pytest.approx(nm.rank_score(PANEL[year]))


def test_vector_norm_keeps_ratios() -> None:
    z = nm.vector(PANEL, bounds="year")
    assert (z**2).sum(axis=1) == pytest.approx(1.0)
    assert z[0, 0, 0] / z[0, 1, 0] == pytest.approx(PANEL[0, 0, 0] / PANEL[0, 1, 0])


def test_rank_score_counts_shares_below_by_brute_force() -> None:
    x = np.array([3.0, 1.0, 3.0, 7.0, 1.0])
    brute = [(np.sum(x < v) + (np.sum(x == v) - 1) / 2) / 4 for v in x]
    assert nm.rank_score(x[:, None])[:, 0] == pytest.approx(brute)


def test_missing_cells_stay_missing_and_move_no_bound() -> None:
    X = PANEL.copy()
    X[1, 2, 3] = np.nan
    known = np.delete(X[:, :, 3].ravel(), 7)
    for method in (nm.minmax, nm.zscore, nm.vector, nm.rank_score, nm.normal_score):
        z = method(X)
        assert np.isnan(z).sum() == 1
        assert np.isnan(z[1, 2, 3])
        assert np.delete(z[:, :, 3].ravel(), 7) == pytest.approx(method(known[:, None])[:, 0])


def test_floor_lifts_the_lowest_value() -> None:
    z = nm.minmax(PANEL, floor=0.01)
    assert z.min() == pytest.approx(0.01)
    assert z.max() == 1


@pytest.mark.parametrize("method", [nm.minmax, nm.zscore, nm.normal_score])
def test_equal_indicator_is_named_or_filled(method) -> None:
    X = PANEL[0].copy()
    X[:, 2] = 7.0
    with pytest.raises(ConstantIndicatorError) as error:
        method(X)
    assert error.value.details["indicators"] == (2,)
    assert error.value.code == "constant"
    filled = method(X, constant=0.5)
    assert (filled[:, 2] == 0.5).all()
    assert filled[:, :2] == pytest.approx(method(X[:, :2]))


def test_one_region_has_no_scale_within_a_year_but_may_over_years() -> None:
    one = PANEL[:, :1]
    with pytest.raises(ConstantIndicatorError):
        nm.minmax(one, bounds="year")
    assert nm.minmax(one).shape == one.shape
    with pytest.raises(ConstantIndicatorError):
        nm.minmax(one[:1])
    assert (nm.rank_score(one[:1]) == 0.5).all()


def test_bad_input_is_named() -> None:
    empty = PANEL.copy()
    empty[:, :, 1] = np.nan
    with pytest.raises(MissingBlockError) as missing:
        nm.minmax(empty)
    assert missing.value.details["indicators"] == (1,)
    with pytest.raises(FusionError) as infinite:
        nm.zscore([[1.0, np.inf], [2.0, 3.0]])
    assert infinite.value.details["indicators"] == (1,)
    with pytest.raises(DirectionError):
        nm.orient(PANEL, [1, 1, 2, 1])
    with pytest.raises(DirectionError) as interval:
        nm.orient(PANEL, [1, 0, 1, 1])
    assert interval.value.details["indicators"] == (1,)
    with pytest.raises(DirectionError):
        nm.orient(PANEL, [1, 0, 1, 1], low=2.0, high=1.0)
    with pytest.raises(ConstantIndicatorError):
        nm.vector(np.zeros((3, 1)))
    with pytest.raises(TooFewError):
        nm.minmax([1.0, 2.0])
    with pytest.raises(FusionError):
        nm.minmax(PANEL, bounds="decade")  # type: ignore[arg-type]
