"""Aggregation: textbook values, peers, loops as brute force, invariants, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels import aggregate as ag
from ronghe.kernels.checks import (
    ConstantIndicatorError,
    FusionError,
    MissingBlockError,
    NegativeValueError,
    TooFewError,
    WeightError,
)
from ronghe.kernels.normalise import minmax, orient, vector
from tests.kernels.fusion_peers import peer

RNG = np.random.default_rng(12)
Z = minmax(RNG.random((31, 6)))
W = RNG.dirichlet(np.ones(6), size=40)
MATRIX = arrays(np.float64, (5, 3), elements=st.integers(0, 50).map(float)).filter(
    lambda X: (np.ptp(X, axis=0) > 0).all()
)
METHODS = {
    "weighted_sum": ag.weighted_sum,
    "geometric": ag.geometric,
    "topsis": ag.topsis,
    "vikor": lambda Z, W: ag.vikor(Z, W).Q,
    "grey_relation": ag.grey_relation,
}


def test_topsis_fighter_aircraft() -> None:
    """Hwang and Yoon (1981): closeness .643 .268 .613 .312, price being a cost."""
    X = [
        [2.0, 1500, 20000, 5.5, 5, 9],
        [2.5, 2700, 18000, 6.5, 3, 5],
        [1.8, 2000, 21000, 4.5, 7, 7],
        [2.2, 1800, 20000, 5.0, 5, 5],
    ]
    z = vector(orient(X, [1, 1, 1, -1, 1, 1]))
    found = ag.topsis(z, [0.2, 0.1, 0.1, 0.1, 0.2, 0.3])
    assert found == pytest.approx([0.643, 0.268, 0.613, 0.312], abs=1e-3)


def test_vikor_mountain_climber() -> None:
    """Opricovic and Tzeng (2004): risk against altitude, the middle route is the compromise."""
    found = ag.vikor(orient([[1.0, 3000], [2, 3750], [5, 4500]], [-1, 1]), [0.5, 0.5])
    assert pytest.approx([0.5, 0.375, 0.5]) == found.S
    assert pytest.approx([0.5, 0.25, 0.5]) == found.R
    assert pytest.approx([1.0, 0.0, 1.0]) == found.Q


def test_grey_relation_by_hand() -> None:
    z = np.array([[0.0, 0.2], [1.0, 0.6], [0.4, 1.0]])
    delta = np.array([[1.0, 0.8], [0.0, 0.4], [0.6, 0.0]])
    assert ag.grey_coefficients(z) == pytest.approx(0.5 / (delta + 0.5))
    assert ag.grey_relation(z, [0.3, 0.7]) == pytest.approx((0.5 / (delta + 0.5)) @ [0.3, 0.7])


@pytest.mark.parametrize("name", METHODS)
def test_many_weights_at_once_equal_one_at_a_time(name: str) -> None:
    method = METHODS[name]
    together = method(Z, W)
    assert together.shape == (40, 31)
    for w, scores in zip(W, together, strict=True):
        alone = method(Z, w)
        assert alone.shape == (31,)
        assert alone == pytest.approx(scores, abs=1e-12)


def test_topsis_by_its_definition() -> None:
    for w, scores in zip(W, ag.topsis(Z, W), strict=True):
        v = Z * w
        best, worst = np.linalg.norm(v - v.max(axis=0), axis=1), np.linalg.norm(v - v.min(axis=0), axis=1)
        assert scores == pytest.approx(worst / (best + worst), abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(MATRIX, st.floats(0.1, 10), st.floats(-5, 5))
def test_distance_methods_do_not_see_scale_or_origin(X: np.ndarray, a: float, b: float) -> None:
    w = [0.5, 0.3, 0.2]
    assert ag.topsis(a * X + b, w) == pytest.approx(ag.topsis(X, w), abs=1e-8)
    assert pytest.approx(ag.vikor(X, w).Q, abs=1e-8) == ag.vikor(a * X + b, w).Q


@settings(deadline=None, max_examples=40)
@given(MATRIX)
def test_reversing_every_direction_mirrors_topsis(X: np.ndarray) -> None:
    w = [0.5, 0.3, 0.2]
    assert ag.topsis(-X, w) == pytest.approx(1 - ag.topsis(X, w), abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float64, (5, 3), elements=st.floats(0.01, 1)), st.integers(0, 4), st.integers(0, 2))
def test_a_better_value_never_lowers_a_sum_or_product(Z: np.ndarray, i: int, j: int) -> None:
    better = Z.copy()
    better[i, j] += 0.5
    w = [0.2, 0.3, 0.5]
    assert ag.weighted_sum(better, w)[i] > ag.weighted_sum(Z, w)[i]
    assert ag.geometric(better, w)[i] > ag.geometric(Z, w)[i]
    assert (ag.geometric(Z, w) <= ag.weighted_sum(Z, w) + 1e-12).all()


def test_geometric_zero_swallows_only_where_it_has_weight() -> None:
    found = ag.geometric([[0.0, 0.5], [0.2, 0.5]], [[0.5, 0.5], [0.0, 1.0]])
    assert found == pytest.approx(np.array([[0.0, np.sqrt(0.1)], [0.5, 0.5]]))


@pytest.mark.peer
def test_equal_to_pymcdm() -> None:
    methods, norms = peer("pymcdm.methods"), peer("pymcdm.normalizations")
    X, types = RNG.random((31, 6)) + 0.5, np.array([1, -1, 1, 1, -1, 1])
    oriented = orient(X, types)
    for w in W[:10]:
        mm, vec = methods.TOPSIS(norms.minmax_normalization), methods.TOPSIS(norms.vector_normalization)
        assert ag.topsis(minmax(oriented), w) == pytest.approx(mm(X, w, types), abs=1e-9)
        assert ag.topsis(vector(oriented), w) == pytest.approx(vec(X, w, types), abs=1e-9)
        assert pytest.approx(methods.VIKOR()(X, w, types), abs=1e-9) == ag.vikor(oriented, w).Q
        wsm = methods.WSM(norms.minmax_normalization)(X, w, types)
        assert ag.weighted_sum(minmax(oriented), w) == pytest.approx(wsm, abs=1e-9)


@pytest.mark.peer
def test_equal_to_scikit_criteria() -> None:
    skc, topsis, vikor = peer("skcriteria"), peer("skcriteria.agg.topsis"), peer("skcriteria.agg.vikor")
    for w in W[:5]:
        dm = skc.mkdm(Z, [max] * 6, weights=w)
        assert ag.topsis(Z, w) == pytest.approx(topsis.TOPSIS().evaluate(dm).e_.similarity, abs=1e-9)
        assert pytest.approx(vikor.VIKOR().evaluate(dm).e_.q_k, abs=1e-9) == ag.vikor(Z, w).Q


def test_bad_input_is_named() -> None:
    w = [0.5, 0.5]
    with pytest.raises(NegativeValueError) as negative:
        ag.geometric([[1.0, -0.1], [1.0, 1.0]], w)
    assert negative.value.details["indicators"] == (1,)
    with pytest.raises(ConstantIndicatorError) as flat:
        ag.vikor([[1.0, 0.1], [1.0, 1.0]], w)
    assert flat.value.details["indicators"] == (0,)
    for method in (ag.topsis, ag.grey_relation):
        with pytest.raises(ConstantIndicatorError):
            method([[1.0, 1.0], [1.0, 1.0]], w)
        with pytest.raises(TooFewError):
            method([[1.0, 1.0]], w)
    with pytest.raises(WeightError):
        ag.weighted_sum([[1.0, 1.0]], [0.5, 0.6])
    with pytest.raises(MissingBlockError) as missing:
        ag.weighted_sum([[1.0, np.nan]], w)
    assert missing.value.details["indicators"] == (1,)
    with pytest.raises(FusionError):
        ag.vikor(Z, W, v=1.5)
    with pytest.raises(FusionError):
        ag.grey_coefficients(Z, rho=0.0)
