"""Obstacles: hand-made cases, derivatives by another way, invariants, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels import obstacle as ob
from ronghe.kernels.checks import FusionError, MissingBlockError, WeightError
from ronghe.kernels.coupling import coordination

GROUPS = np.array([0, 0, 1, 1, 1])
WEIGHTS = np.array([0.4, 0.6, 0.2, 0.3, 0.5])
UNIT = arrays(np.float64, (4, 5), elements=st.floats(0.05, 0.95))
RNG = np.random.default_rng(3)
Z = RNG.uniform(0.1, 0.9, (6, 5))


def test_levels_are_weighted_within_subsystems() -> None:
    U = ob.subsystem_levels(Z, WEIGHTS, GROUPS)
    assert U[:, 0] == pytest.approx(Z[:, :2] @ [0.4, 0.6])
    assert U[:, 1] == pytest.approx(Z[:, 2:] @ [0.2, 0.3, 0.5])


def test_obstacle_degree_by_hand() -> None:
    """Deviations (.5, .2), factors (.25, .75): .125 and .15 of .275."""
    assert ob.obstacle_degree([[0.5, 0.8]], [0.25, 0.75])[0] == pytest.approx([0.125 / 0.275, 0.15 / 0.275])
    found = ob.obstacle_degree([[0.5, 0.5, 1, 1, 0.0]], WEIGHTS, GROUPS, alpha=[0.25, 0.75])
    parts = np.array([0.05, 0.075, 0, 0, 0.375])
    assert found[0] == pytest.approx(parts / parts.sum())
    assert ob.obstacle_degree([[1.0, 1.0]], [0.5, 0.5]).tolist() == [[0.0, 0.0]]


@settings(deadline=None, max_examples=40)
@given(UNIT)
def test_obstacles_add_up_to_one(Z: np.ndarray) -> None:
    assert ob.obstacle_degree(Z, WEIGHTS, GROUPS).sum(axis=1) == pytest.approx(1.0)


def test_classic_marginal_effect_equals_the_derivative() -> None:
    """∂ ln D/∂U_k = ½ [1/(nU_k) - 1/ΣU + α_k/T], times w_j."""
    alpha = np.array([0.4, 0.6])
    U = ob.subsystem_levels(Z, WEIGHTS, GROUPS)
    found = coordination(U, alpha=alpha, form="classic")
    by_level = found.D[:, None] / 2 * (1 / (2 * U) - 1 / U.sum(axis=1)[:, None] + alpha / found.T[:, None])
    expected = by_level[:, GROUPS] * WEIGHTS
    effect = ob.marginal_effect(Z, WEIGHTS, GROUPS, alpha=alpha, form="classic", step=1e-7)
    assert effect == pytest.approx(expected, abs=1e-6)


def test_marginal_effect_is_what_raising_the_indicator_does() -> None:
    effect = ob.marginal_effect(Z, WEIGHTS, GROUPS, step=0.2)
    before = coordination(ob.subsystem_levels(Z, WEIGHTS, GROUPS)).D
    for j in range(5):
        raised = Z.copy()
        raised[:, j] = np.minimum(raised[:, j] + 0.2, 1)
        after = coordination(ob.subsystem_levels(raised, WEIGHTS, GROUPS)).D
        assert effect[:, j] == pytest.approx((after - before) / 0.2)


def test_raising_the_leader_can_lower_coordination_which_the_obstacle_degree_hides() -> None:
    z = [[0.2, 0.2, 0.8, 0.8, 0.1]]
    weights = [0.5, 0.5, 0.4, 0.4, 0.2]
    assert ob.obstacle_degree(z, weights, GROUPS)[0, 4] > 0.1
    assert ob.marginal_effect(z, weights, GROUPS)[0, 4] < 0
    assert (ob.marginal_effect([[1.0, 0.5]], [1, 1], [0, 1])[0] > 0).tolist() == [False, True]


def test_lagging_does_not_depend_on_names() -> None:
    U = RNG.random((50, 2))
    first, swapped = ob.lagging(U), ob.lagging(U[:, ::-1])
    assert (first == np.where(swapped >= 0, 1 - swapped, -1)).all()
    assert ob.lagging([0.79, 1.0]) == 0
    assert ob.lagging([0.81, 1.0]) == -1
    assert ob.lagging([0.6, 0.7, 0.3]) == 2
    assert ob.relative_development([[0.3, 0.6], [0.3, 0.0]]).tolist() == [0.5, np.inf]


@settings(deadline=None, max_examples=40)
@given(arrays(np.float64, (3, 2), elements=st.floats(0.0, 1)), st.floats(0.05, 0.99))
def test_closing_the_gap_reaches_the_target_and_no_less_would(U: np.ndarray, target: float) -> None:
    share = ob.gap_to_close(U, target)
    reached = coordination(U + share[:, None] * (1 - U)).D
    assert (reached >= target - 1e-9).all()
    less = np.maximum(share - 1e-6, 0)
    short = coordination(U + less[:, None] * (1 - U)).D
    assert ((short < target) | (share == 0)).all()


def test_bad_input_is_named() -> None:
    with pytest.raises(FusionError) as outside:
        ob.obstacle_degree([[1.2, 0.5]], [0.5, 0.5])
    assert outside.value.details["highest"] == 1.2
    with pytest.raises(WeightError) as wrong:
        ob.subsystem_levels(Z, WEIGHTS * 0.9, GROUPS)
    assert wrong.value.details["rows"] == (0, 1)
    with pytest.raises(WeightError):
        ob.subsystem_levels(Z, [0.5, 0.5], GROUPS)
    with pytest.raises(FusionError):
        ob.subsystem_levels(Z, WEIGHTS, [0, 0, 2, 2, 2])
    with pytest.raises(MissingBlockError):
        ob.obstacle_degree([[np.nan, 0.5]], [0.5, 0.5])
    with pytest.raises(FusionError):
        ob.marginal_effect(Z, WEIGHTS, GROUPS, step=0.0)
    with pytest.raises(FusionError):
        ob.gap_to_close([0.5, 0.5], 1.2)
    with pytest.raises(FusionError):
        ob.lagging([0.5])
    with pytest.raises(FusionError):
        ob.relative_development([0.5, 0.4, 0.3])
