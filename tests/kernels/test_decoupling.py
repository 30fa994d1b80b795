"""Tapio's classes: each once, their partition, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.checks import FusionError, NegativeValueError, TooFewError
from ronghe.kernels.decoupling import State, tapio


@pytest.mark.parametrize(
    ("dE", "dG", "state"),
    [
        (-0.05, 0.10, State.STRONG_DECOUPLING),
        (0.05, 0.10, State.WEAK_DECOUPLING),
        (0.10, 0.10, State.EXPANSIVE_COUPLING),
        (0.20, 0.10, State.EXPANSIVE_NEGATIVE_DECOUPLING),
        (0.05, -0.10, State.STRONG_NEGATIVE_DECOUPLING),
        (-0.05, -0.10, State.WEAK_NEGATIVE_DECOUPLING),
        (-0.10, -0.10, State.RECESSIVE_COUPLING),
        (-0.20, -0.10, State.RECESSIVE_DECOUPLING),
        (0.0, 0.10, State.WEAK_DECOUPLING),
        (0.0, -0.10, State.WEAK_NEGATIVE_DECOUPLING),
        (0.10, 0.0, State.UNDEFINED),
    ],
)
def test_each_class(dE: float, dG: float, state: State) -> None:
    found = tapio([100.0, 100 * (1 + dE)], [50.0, 50 * (1 + dG)])
    assert found.state[0] == state
    if dG:
        assert found.elasticity[0] == pytest.approx(dE / dG)
    else:
        assert np.isnan(found.elasticity[0])


@settings(deadline=None, max_examples=100)
@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.01, 100))
def test_units_do_not_matter_and_signs_decide_the_half(E: float, G: float, unit: float) -> None:
    found = tapio([1.0, E], [1.0, G])
    assert tapio([unit, unit * E], [1.0, G]).elasticity == pytest.approx(found.elasticity, abs=1e-6, nan_ok=True)
    state = found.state[0]
    assert (state in range(4)) == (G > 1)
    assert (state in range(4, 8)) == (G < 1)


def test_thresholds_belong_to_coupling() -> None:
    assert tapio([100.0, 108.0, 108.0 * 1.12], [100.0, 110.0, 121.0]).state.tolist() == [2, 2]
    assert tapio([100.0, 112.0], [100.0, 110.0], low=0.5, high=1.1).state.tolist() == [3]


def test_bad_input_is_named() -> None:
    with pytest.raises(TooFewError) as one:
        tapio([1.0], [1.0])
    assert one.value.details == {"what": "years", "found": 1, "needed": 2}
    with pytest.raises(NegativeValueError) as negative:
        tapio([[1.0, 1.0], [1.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]])
    assert negative.value.details["regions"] == (1,)
    with pytest.raises(FusionError):
        tapio([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(FusionError):
        tapio([1.0, 2.0], [1.0, 2.0], low=1.3)
