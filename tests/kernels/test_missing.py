"""Imputation: series by hand, an exact model, marks, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels.checks import FusionError, MissingBlockError
from ronghe.kernels.missing import change_errors, impute, imputed_draws, missing_blocks

NAN = np.nan
SERIES = np.array([NAN, 1.0, NAN, NAN, 4.0, NAN])[:, None, None]
PANEL = arrays(np.float64, (5, 3, 2), elements=st.one_of(st.floats(-9, 9), st.just(NAN)))
RNG = np.random.default_rng(14)


@pytest.mark.parametrize(
    ("method", "max_gap", "expected"),
    [
        ("none", None, [NAN, 1, NAN, NAN, 4, NAN]),
        ("carry", None, [NAN, 1, 1, 1, 4, 4]),
        ("linear", None, [NAN, 1, 2, 3, 4, NAN]),
        ("carry", 1, [NAN, 1, NAN, NAN, 4, 4]),
        ("linear", 1, [NAN, 1, NAN, NAN, 4, NAN]),
        ("linear", 2, [NAN, 1, 2, 3, 4, NAN]),
    ],
)
def test_series_by_hand(method, max_gap, expected) -> None:
    found = impute(SERIES, method, max_gap=max_gap)
    assert found.values.ravel() == pytest.approx(expected, nan_ok=True)
    filled = np.isnan(SERIES.ravel()) & ~np.isnan(expected)
    assert found.mask.ravel().tolist() == filled.tolist()


@settings(deadline=None, max_examples=50)
@given(PANEL, st.sampled_from(["none", "carry", "linear"]))
def test_what_is_known_is_never_touched(X: np.ndarray, method: str) -> None:
    found = impute(X, method)  # type: ignore[arg-type]
    known = ~np.isnan(X)
    assert (found.values[known] == X[known]).all()
    assert not found.mask[known].any()
    assert (found.mask == (~known & ~np.isnan(found.values))).all()
    assert (found.sd[known] == 0).all()


def test_linear_equals_numpy_interp() -> None:
    X = RNG.normal(size=(12, 4, 3))
    holes = RNG.random(X.shape) < 0.3
    holes[[0, -1]] = False
    found = impute(np.where(holes, NAN, X)).values
    for i in range(4):
        for j in range(3):
            known = ~holes[:, i, j]
            series = np.interp(np.arange(12), np.flatnonzero(known), X[known, i, j])
            assert found[:, i, j] == pytest.approx(series)


def test_model_gives_back_an_additive_panel() -> None:
    X = np.array([1.0, 2, 5])[None, :, None] + np.array([0.0, 1, 4, 9])[:, None, None]
    gaps = X.copy()
    gaps[1, 2, 0] = gaps[3, 0, 0] = NAN
    found = impute(gaps, "model")
    assert found.values == pytest.approx(X)
    assert found.mask.sum() == 2
    assert found.sd[found.mask] == pytest.approx(0.0, abs=1e-6)


def test_model_error_covers_the_truth_as_often_as_it_says() -> None:
    truth = RNG.normal(size=(10, 30, 1)) + RNG.normal(0, 3, (1, 30, 1)) + RNG.normal(0, 3, (10, 1, 1))
    holes = RNG.random(truth.shape) < 0.2
    found = impute(np.where(holes, NAN, truth), "model")
    score = (truth - found.values)[holes] / found.sd[holes]
    assert np.mean(np.abs(score) < 1.96) > 0.85
    assert np.std(score) == pytest.approx(1.0, abs=0.3)


def test_draws_move_only_modelled_cells() -> None:
    X = RNG.normal(size=(6, 5, 2))
    X[2, 3, 1] = NAN
    found = impute(X, "model")
    versions = imputed_draws(found, 200, seed=3)
    assert versions.shape == (200, 6, 5, 2)
    assert (versions[:, ~found.mask] == X[~found.mask]).all()
    assert versions[:, 2, 3, 1].std() == pytest.approx(found.sd[2, 3, 1], rel=0.2)
    assert (versions == imputed_draws(found, 200, seed=3)).all()
    with pytest.raises(FusionError):
        imputed_draws(impute(X, "linear"), 5)
    with pytest.raises(FusionError):
        imputed_draws(found, 0)


def test_bad_input_is_named() -> None:
    X = RNG.normal(size=(3, 4, 2))
    X[:, 2, 1] = NAN
    assert missing_blocks(X) == ((2, 1),)
    with pytest.raises(MissingBlockError) as region:
        impute(X, "model")
    assert region.value.details == {"indicators": (1,), "regions": (2,)}
    X[:, 2, 1] = 0.0
    X[1, :, 0] = NAN
    with pytest.raises(MissingBlockError) as year:
        impute(X, "model")
    assert year.value.details == {"indicators": (0,), "years": (1,)}
    apart = np.full((4, 4, 1), NAN)
    apart[:2, :2] = apart[2:, 2:] = 1.0
    with pytest.raises(MissingBlockError) as sets:
        impute(apart, "model")
    assert sets.value.details == {"indicators": (0,), "regions": (0, 1, 2, 3)}
    with pytest.raises(FusionError):
        impute(X[0])
    with pytest.raises(FusionError) as infinite:
        impute(np.where(X > 0, np.inf, X))
    assert infinite.value.details["indicators"] == (0, 1)
    with pytest.raises(FusionError):
        impute(X, "guess")  # type: ignore[arg-type]


def test_errors_of_carried_and_bridged_cells_are_those_of_a_random_walk():
    X = np.array([1.0, 2.0, np.nan, np.nan, 5.0, np.nan])[:, None, None]
    found = change_errors(X, impute(X, "linear"))
    step = np.sqrt((1.0**2 / 1 + 3.0**2 / 3) / 2)
    np.testing.assert_allclose(found.sd.ravel(), [0, 0, step * np.sqrt(2 / 3), step * np.sqrt(2 / 3), 0, 0])
    found = change_errors(X, impute(X, "carry"))
    assert found.sd.ravel()[-1] == pytest.approx(step)
    assert np.isfinite(found.sd).all()


def test_a_region_without_a_change_borrows_the_others():
    X = np.full((3, 2, 1), np.nan)
    X[:, 0, 0] = [1.0, 3.0, 5.0]
    X[0, 1, 0] = 7.0
    found = change_errors(X, impute(X, "carry"))
    np.testing.assert_allclose(found.sd[:, 1, 0], [0, 2, 2 * np.sqrt(2)])


def test_cells_of_a_model_keep_their_error_and_single_years_tell_nothing():
    X = np.arange(12.0).reshape(3, 4, 1) ** 1.5
    X[1, 2, 0] = np.nan
    modelled = impute(X, "model")
    assert change_errors(X, modelled) is modelled
    lone = np.array([[[1.0], [2.0]], [[np.nan], [np.nan]]])
    with pytest.raises(FusionError, match="two known years"):
        change_errors(lone, impute(lone, "carry"))
