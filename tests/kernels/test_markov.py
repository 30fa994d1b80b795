"""Markov chains: Kemeny and Snell's weather, giddy, invariants, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels import markov as mk
from ronghe.kernels.checks import ChainError, FusionError, TooFewError
from ronghe.kernels.spatial import contiguity, lag, row_standardise
from tests.kernels.fusion_peers import peer

OZ = np.array([[0.5, 0.25, 0.25], [0.5, 0.0, 0.5], [0.25, 0.25, 0.5]])
STATES = arrays(np.int64, (6, 10), elements=st.integers(0, 3))
RNG = np.random.default_rng(9)
RING = row_standardise(contiguity(20, [(i, (i + 1) % 20) for i in range(20)]))
LEVELS = np.cumsum(RNG.normal(0, 0.3, (15, 20)), axis=0) + 10


def test_weather_in_oz() -> None:
    """Kemeny and Snell (1960): rain, nice, snow."""
    assert mk.ergodic(OZ) == pytest.approx([0.4, 0.2, 0.4])
    assert mk.first_passage(OZ) == pytest.approx(np.array([[2.5, 4, 10 / 3], [8 / 3, 5, 8 / 3], [10 / 3, 4, 2.5]]))
    assert mk.mobility(OZ) == pytest.approx(1.0)


@settings(deadline=None, max_examples=40)
@given(STATES)
def test_counts_equal_a_loop(states: np.ndarray) -> None:
    found = mk.markov(states, 4)
    counts = np.zeros((4, 4), dtype=int)
    for a, b in zip(states[:-1].ravel(), states[1:].ravel(), strict=True):
        counts[a, b] += 1
    assert (found.counts == counts).all()
    left = counts.sum(axis=1)
    assert found.unseen == tuple(np.flatnonzero(left == 0))
    assert np.isnan(found.P[left == 0]).all()
    assert found.P[left > 0].sum(axis=1) == pytest.approx(1)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float64, (4, 4), elements=st.floats(0.05, 1)))
def test_long_run_is_a_fixed_point_and_the_limit(raw: np.ndarray) -> None:
    P = raw / raw.sum(axis=1, keepdims=True)
    pi = mk.ergodic(P)
    assert pi @ P == pytest.approx(pi)
    assert np.linalg.matrix_power(P, 200)[0] == pytest.approx(pi)
    assert np.diag(mk.first_passage(P)) == pytest.approx(1 / pi)


def test_conditional_counts_add_up_to_the_pooled_chain() -> None:
    cut = mk.quantile_cutoffs(LEVELS, 3)
    states, near = mk.classify(LEVELS, cut), mk.classify(lag(RING, LEVELS), cut)
    found = mk.spatial_markov(states, near, 3, 3)
    assert (found.counts.sum(axis=0) == found.pooled.counts).all()
    alone = near.copy()
    alone[:, 0] = -1
    assert mk.spatial_markov(states, alone, 3, 3).counts.sum() == found.counts.sum() - 14


@pytest.mark.peer
def test_equal_to_giddy() -> None:
    giddy, libpysal = peer("giddy.markov"), peer("libpysal.weights")
    w = libpysal.W({i: [(i - 1) % 20, (i + 1) % 20] for i in range(20)}, silence_warnings=True)
    w.transform = "r"
    cut = mk.quantile_cutoffs(LEVELS, 3)
    other = giddy.Spatial_Markov(LEVELS.T, w, fixed=True, k=3, m=3, cutoffs=cut, lag_cutoffs=cut)
    states, near = mk.classify(LEVELS, cut), mk.classify(lag(RING, LEVELS), cut)
    found = mk.spatial_markov(states, near, 3, 3)
    assert (found.counts == other.T).all()
    assert pytest.approx(other.p, abs=1e-9) == found.pooled.P
    assert mk.ergodic(found.pooled.P) == pytest.approx(other.s, abs=1e-9)
    test = mk.homogeneity(found.counts)
    theirs = giddy.Homogeneity_Results(other.T)
    assert (test.LR, test.Q, test.dof) == pytest.approx((theirs.LR, theirs.Q, theirs.dof), abs=1e-9)
    assert (test.p_lr, test.p_q) == pytest.approx((theirs.LR_p_value, theirs.Q_p_value), abs=1e-9)


@pytest.mark.peer
def test_passage_times_and_mobility_equal_giddy() -> None:
    ergodic, mobility = peer("giddy.ergodic"), peer("giddy.mobility")
    P = mk.markov(mk.classify(LEVELS, mk.quantile_cutoffs(LEVELS, 3)), 3).P
    assert mk.first_passage(P) == pytest.approx(ergodic.mfpt(P), abs=1e-9)
    assert mk.mobility(P) == pytest.approx(mobility.markov_mobility(P, measure="P"), abs=1e-9)


def test_quantiles_part_evenly() -> None:
    states = mk.classify(LEVELS, mk.quantile_cutoffs(LEVELS, 4))
    assert np.bincount(states.ravel()).tolist() == [75, 75, 75, 75]


def test_transient_states_vanish_in_the_long_run() -> None:
    P = [[0.5, 0.5, 0.0], [0.0, 0.4, 0.6], [0.0, 0.6, 0.4]]
    assert mk.ergodic(P) == pytest.approx([0.0, 0.5, 0.5])
    with pytest.raises(ChainError) as error:
        mk.first_passage(P)
    assert error.value.details["states"] == (0,)


def test_periodic_chain_still_has_its_shares() -> None:
    assert mk.ergodic([[0.0, 1.0], [1.0, 0.0]]) == pytest.approx([0.5, 0.5])


def test_homogeneity_finds_a_difference_and_skips_empty_rows() -> None:
    apart = mk.homogeneity([[[90, 10], [10, 90]], [[50, 50], [50, 50]]])
    assert apart.p_lr < 1e-6
    assert apart.dof == 2
    partly = mk.homogeneity([[[9, 1], [0, 0]], [[5, 5], [5, 5]]])
    assert partly.dof == 1


def test_bad_input_is_named() -> None:
    with pytest.raises(ChainError) as two:
        mk.ergodic(np.eye(2))
    assert two.value.details["classes"] == ((0,), (1,))
    with pytest.raises(ChainError) as row:
        mk.ergodic([[0.5, 0.5], [np.nan, np.nan]])
    assert row.value.details["states"] == (1,)
    with pytest.raises(ChainError):
        mk.ergodic([[0.5, 0.5]])
    with pytest.raises(ChainError):
        mk.mobility([[1.0]])
    with pytest.raises(TooFewError) as year:
        mk.markov([[0, 1]], 2)
    assert year.value.details["what"] == "years"
    with pytest.raises(FusionError) as outside:
        mk.markov([[0, 2], [0, 1]], 2)
    assert outside.value.details["highest"] == 2
    with pytest.raises(FusionError):
        mk.markov([[0.0, 1.0], [0.0, 1.0]], 2)
    with pytest.raises(FusionError):
        mk.spatial_markov([[0, 1], [0, 1]], [[0], [1]], 2, 2)
    with pytest.raises(FusionError):
        mk.classify([np.nan], [0.5])
    with pytest.raises(FusionError):
        mk.classify([1.0], [0.5, 0.5])
    with pytest.raises(FusionError):
        mk.quantile_cutoffs([1.0, 1.0, 1.0, 2.0], 3)
    with pytest.raises(FusionError):
        mk.quantile_cutoffs([1.0, 2.0], 1)
    with pytest.raises(TooFewError):
        mk.homogeneity([[[1, 1], [1, 1]]])
    with pytest.raises(FusionError):
        mk.homogeneity([[[1, 0], [0, 1]], [[1, 0], [0, 1]]])
