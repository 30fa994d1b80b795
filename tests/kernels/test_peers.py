"""Structural peers: brute force, invariants, lessons by hand, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.checks import ConstantIndicatorError, FusionError, TooFewError
from ronghe.kernels.peers import nearest_peers, peer_lessons

RNG = np.random.default_rng(2)
S = RNG.random((15, 3)) * [1, 100, 1e4]


def test_nearest_by_loops() -> None:
    z = (S - S.mean(axis=0)) / S.std(axis=0)
    found = nearest_peers(S, 4)
    for i in range(15):
        away = [np.inf if r == i else np.linalg.norm(z[i] - z[r]) for r in range(15)]
        assert found.index[i].tolist() == np.argsort(away)[:4].tolist()
        assert found.distance[i] == pytest.approx(np.sort(away)[:4])


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 100), st.floats(-10, 10))
def test_units_do_not_matter(a: float, b: float) -> None:
    other = nearest_peers(S * [a, 1, 1] + b, 3)
    assert (other.index == nearest_peers(S, 3).index).all()


def test_weights_can_leave_a_variable_out() -> None:
    found = nearest_peers(S, 3, weights=[2.0, 0.0, 2.0])
    assert (found.index == nearest_peers(S[:, [0, 2]], 3).index).all()


def test_lessons_by_hand() -> None:
    """Region 0's peers: 1 moved ahead, 2 did not; 1 rose by .4 and .1, region 0 by .1 and .2."""
    start = np.zeros((3, 2))
    end = np.array([[0.1, 0.2], [0.4, 0.1], [0.0, 0.9]])
    found = peer_lessons(start, end, [0.3, 0.3, 0.3], [0.4, 0.6, 0.35], [[1, 2], [0, 2], [0, 1]])
    assert found[0] == pytest.approx([0.3, -0.1])
    assert np.isnan(found[1]).all()
    assert found[2] == pytest.approx([0.25, -0.75])


def test_bad_input_is_named() -> None:
    with pytest.raises(TooFewError) as few:
        nearest_peers(S[:3], 3)
    assert few.value.details == {"what": "regions", "found": 3, "needed": 4}
    with pytest.raises(ConstantIndicatorError) as flat:
        nearest_peers(np.column_stack([S, np.ones(15)]), 3)
    assert flat.value.details["indicators"] == (3,)
    for weights in ([1.0, 1.0], [0.0, 0.0, 0.0], [1.0, -1.0, 1.0]):
        with pytest.raises(FusionError):
            nearest_peers(S, 3, weights=weights)
    with pytest.raises(FusionError):
        peer_lessons(np.zeros((2, 1)), np.zeros((3, 1)), [0, 0], [0, 0], [[1], [0]])
