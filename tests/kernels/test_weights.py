"""Weights: textbook values, peers, invariants, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels import weights as wt
from ronghe.kernels.checks import (
    ConstantIndicatorError,
    InconsistentJudgementError,
    MissingBlockError,
    NegativeValueError,
    NotReciprocalError,
    TooFewError,
    WeightError,
    check_weights,
)
from ronghe.kernels.normalise import minmax
from tests.kernels.fusion_peers import peer

RNG = np.random.default_rng(8)
Z = minmax(RNG.random((31, 6)))
POSITIVE = arrays(np.float64, (7, 4), elements=st.integers(1, 500).map(float)).filter(
    lambda X: (np.ptp(X, axis=0) > 0).any()
)


def test_entropy_by_hand() -> None:
    """Shares (1/4, 3/4): e = 2 - (3/4)·log2(3) in bits; shares (1/2, 1/2): e = 1."""
    e = 2 - 0.75 * np.log2(3)
    w = wt.entropy_weights([[1.0, 2.0, 1.0], [3.0, 2.0, 1e-300]])
    assert w == pytest.approx(np.array([1 - e, 0.0, 1.0]) / (2 - e))


@settings(deadline=None, max_examples=40)
@given(POSITIVE, st.floats(0.1, 900), st.floats(0.01, 100))
def test_a_constant_indicator_changes_nothing_for_entropy(X: np.ndarray, value: float, scale: float) -> None:
    w = wt.entropy_weights(X)
    more = wt.entropy_weights(np.column_stack([X, np.full(len(X), value)]))
    assert more == pytest.approx(np.append(w, 0.0), abs=1e-12)
    assert wt.entropy_weights(scale * X) == pytest.approx(w, abs=1e-9)


def test_panel_pools_years() -> None:
    panel = RNG.random((3, 5, 4))
    for method in (wt.entropy_weights, wt.critic_weights, wt.pca_weights):
        assert method(panel) == pytest.approx(method(panel.reshape(15, 4)))


def test_shift_is_not_neutral() -> None:
    assert wt.entropy_weights(Z, shift=0.01) != pytest.approx(wt.entropy_weights(Z), abs=1e-6)


def test_critic_halves_what_is_doubled() -> None:
    a, b = RNG.random((2, 200))
    w = wt.critic_weights(np.column_stack([a, a, b]))
    assert w[0] == pytest.approx(w[1])
    assert w[2] > 1.5 * w[0]
    assert wt.critic_weights(a[:, None]).tolist() == [1.0]


def test_pca_weights_with_all_components_are_equal() -> None:
    assert wt.pca_weights(Z, explained=1.0) == pytest.approx(wt.equal_weights(6))


def test_pca_ignores_the_loner_when_one_component_is_kept() -> None:
    a, noise = RNG.random(500), RNG.random(500)
    w = wt.pca_weights(np.column_stack([a, a, noise]), explained=0.6)
    assert w == pytest.approx([0.5, 0.5, 0.0], abs=0.01)


def test_ahp_textbook_example() -> None:
    """Saaty's three-item example: weights .637 .258 .105, λmax 3.0385, CR .033."""
    found = wt.ahp_weights([[1, 3, 5], [1 / 3, 1, 3], [1 / 5, 1 / 3, 1]])
    assert found.weights == pytest.approx([0.6370, 0.2583, 0.1047], abs=5e-5)
    assert found.lambda_max == pytest.approx(3.0385, abs=5e-5)
    assert found.cr == pytest.approx(0.0332, abs=5e-5)


def test_ahp_of_consistent_judgements_gives_them_back() -> None:
    w = np.array([0.5, 0.3, 0.15, 0.05])
    found = wt.ahp_weights(w[:, None] / w)
    assert found.weights == pytest.approx(w)
    assert found.cr == pytest.approx(0.0, abs=1e-12)
    assert wt.ahp_weights([[1.0]]).weights.tolist() == [1.0]


def test_ahp_refuses_a_circle_and_names_the_pair() -> None:
    circle = [[1, 9, 1 / 9], [1 / 9, 1, 9], [9, 1 / 9, 1]]
    with pytest.raises(InconsistentJudgementError) as error:
        wt.ahp_weights(circle)
    assert error.value.details["cr"] > 0.1
    assert error.value.details["worst"] in {(0, 1), (0, 2), (1, 2)}
    assert wt.ahp_weights(circle, limit=None).cr == error.value.details["cr"]


def test_ahp_takes_reciprocals_printed_with_two_digits() -> None:
    printed = wt.ahp_weights([[1, 7, 6], [0.14, 1, 0.33], [0.17, 3, 1]])
    exact = wt.ahp_weights([[1, 7, 6], [1 / 7, 1, 1 / 3], [1 / 6, 3, 1]])
    assert printed.weights == pytest.approx(exact.weights, abs=0.003)


def test_ahp_refuses_what_is_not_reciprocal() -> None:
    with pytest.raises(NotReciprocalError) as error:
        wt.ahp_weights([[1, 3, 5], [1 / 3, 1, 3], [1 / 4, 1 / 3, 1]])
    assert error.value.details["pairs"] == ((0, 2),)
    with pytest.raises(NotReciprocalError):
        wt.ahp_weights([[1, -1], [-1, 1]])
    with pytest.raises(NotReciprocalError):
        wt.ahp_weights([[1, 2, 3], [1 / 2, 1, 1]])


def test_game_solves_the_game() -> None:
    W = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])
    found = wt.game_combination(W)
    alpha = np.linalg.solve(W @ W.T, np.diag(W @ W.T))
    assert (alpha > 0).all()
    assert found.shares == pytest.approx(alpha / alpha.sum())
    assert found.weights == pytest.approx(alpha @ W / alpha.sum())


def test_game_gives_no_negative_share_where_the_plain_system_does() -> None:
    W = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4]])
    assert (np.linalg.solve(W @ W.T, np.diag(W @ W.T)) < 0).any()
    found = wt.game_combination(W)
    assert (found.shares >= 0).all()
    assert found.shares.sum() == pytest.approx(1)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float64, (3, 5), elements=st.integers(1, 100).map(float)))
def test_game_stays_between_its_vectors(raw: np.ndarray) -> None:
    W = raw / raw.sum(axis=1, keepdims=True)
    w = wt.game_combination(W).weights
    assert w.sum() == pytest.approx(1)
    assert (w >= W.min(axis=0) - 1e-9).all()
    assert (w <= W.max(axis=0) + 1e-9).all()


@pytest.mark.peer
def test_equal_to_pymcdm_and_scikit_criteria() -> None:
    mcdm, skc = peer("pymcdm.weights"), peer("skcriteria.preprocessing.weighters")
    X = RNG.random((31, 6)) + 0.1
    assert wt.entropy_weights(X) == pytest.approx(mcdm.entropy_weights(X), abs=1e-9)
    assert wt.critic_weights(Z) == pytest.approx(mcdm.critic_weights(Z), abs=1e-9)
    assert wt.critic_weights(Z) == pytest.approx(skc.critic_weights(Z, np.ones(6)), abs=1e-9)
    # scikit-criteria scales the natural-log entropy by ln n as we do.
    assert wt.entropy_weights(X) == pytest.approx(skc.entropy_weights(X), abs=1e-9)


def test_bad_input_is_named() -> None:
    with pytest.raises(NegativeValueError) as negative:
        wt.entropy_weights([[1.0, -1.0], [2.0, 3.0]])
    assert negative.value.details["indicators"] == (1,)
    with pytest.raises(ConstantIndicatorError) as flat:
        wt.entropy_weights([[1.0, 2.0], [1.0, 2.0]])
    assert flat.value.details["indicators"] == (0, 1)
    with pytest.raises(ConstantIndicatorError) as zero:
        wt.entropy_weights([[0.0, 2.0], [0.0, 1.0]])
    assert zero.value.details["indicators"] == (0,)
    with pytest.raises(ConstantIndicatorError):
        wt.critic_weights([[1.0, 2.0], [1.0, 3.0]])
    with pytest.raises(TooFewError) as one:
        wt.entropy_weights([[1.0, 2.0]])
    assert one.value.details["found"] == 1
    with pytest.raises(TooFewError):
        wt.critic_weights([1.0, 2.0])
    with pytest.raises(MissingBlockError) as missing:
        wt.pca_weights([[1.0, np.nan], [2.0, 3.0]])
    assert missing.value.details["indicators"] == (1,)
    with pytest.raises(WeightError):
        wt.pca_weights(Z, explained=0.0)
    with pytest.raises(WeightError):
        wt.equal_weights(0)


def test_weights_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(WeightError) as error:
        check_weights([[0.5, 0.5], [0.6, 0.6], [1.5, -0.5], [np.nan, 1.0]], 2)
    assert error.value.details["rows"] == (1, 2, 3)
    assert error.value.details["sums"][0] == pytest.approx(1.2)
    with pytest.raises(WeightError):
        check_weights([1.0], 2)
