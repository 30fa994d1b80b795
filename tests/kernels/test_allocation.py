"""Optimal research shares: the paper's limits, a golden value, and the constrained optimum against SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from ronghe.kernels.allocation import constrained_shares, gain, optimal_shares, sensitivity, shares_slope
from ronghe.kernels.errors import KernelError

BETA = np.array([0.5, 0.3, 0.2])
OMEGA = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.6, 0.1, 0.3]])


def economy(seed, n=6):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(n), n), rng.dirichlet(np.ones(n) * 3)


def test_golden_value():
    assert optimal_shares(BETA, OMEGA, 0.04, 0.04) == pytest.approx([0.564815, 0.268519, 0.166667], abs=1e-6)


def test_limits():
    assert optimal_shares(BETA, OMEGA, 1e9, 1) == pytest.approx(BETA, abs=1e-6)
    patient = optimal_shares(BETA, OMEGA, 1e-9, 1)
    assert patient @ OMEGA == pytest.approx(patient, abs=1e-6)
    assert optimal_shares(BETA, np.eye(3), 0.05, 0.2) == pytest.approx(BETA)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 50))
def test_shares_solve_the_planners_recursion_and_the_slope_is_right(seed, s):
    beta, omega, _ = economy(seed)
    gamma = optimal_shares(beta, omega, s, 1)
    assert gamma.sum() == pytest.approx(1)
    assert (gamma >= 0).all()
    assert (1 + s) * gamma == pytest.approx(s * beta + gamma @ omega)
    h = 1e-5 * s
    slope = (optimal_shares(beta, omega, s + h, 1) - optimal_shares(beta, omega, s - h, 1)) / (2 * h)
    assert shares_slope(beta, omega, s, 1) == pytest.approx(slope, abs=1e-6)


def test_gain_is_one_at_the_optimum_and_more_elsewhere():
    gamma = optimal_shares(BETA, OMEGA, 0.05, 0.2)
    assert gain(gamma, gamma, 0.05, 0.2) == pytest.approx(1)
    assert gain(BETA, gamma, 0.05, 0.2) == pytest.approx(np.exp(4 * gamma @ np.log(gamma / BETA)))
    assert gain(BETA, gamma, 0.05, 0.2) > 1
    assert gain([0.5, 0.5, 0.0], gamma, 0.05, 0.2) == np.inf
    through = gain(BETA, gamma, 0.05, 0.2, target=[0.4, 0.4, 0.2])
    onward = gain([0.4, 0.4, 0.2], gamma, 0.05, 0.2)
    assert through * onward == pytest.approx(gain(BETA, gamma, 0.05, 0.2))


def test_a_field_that_does_not_count_may_have_nothing():
    gamma = np.array([0.6, 0.4, 0.0])
    assert gain([0.6, 0.4, 0.0], gamma, 1, 1) == pytest.approx(1)
    assert constrained_shares(gamma).shares == pytest.approx(gamma)


def scipy_optimum(gamma, low, high, total, risk, limit):
    found = minimize(
        lambda b: -gamma @ np.log(b),
        np.clip(gamma, low + 1e-6, high),
        jac=lambda b: -gamma / b,
        bounds=list(zip(np.maximum(low, 1e-9), high, strict=True)),
        constraints=[
            {"type": "ineq", "fun": lambda b: total - b.sum()},
            {"type": "ineq", "fun": lambda b: limit - risk @ b},
        ],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return found.x


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_constrained_optimum_keeps_its_constraints_and_beats_scipy(seed):
    rng = np.random.default_rng(seed)
    n = 6
    gamma = rng.dirichlet(np.ones(n))
    low = rng.random(n) * 0.1
    high = low + 0.1 + rng.random(n) * 0.4
    risk = rng.random(n)
    limit = risk @ low + rng.random() * (risk @ np.minimum(high, 1) - risk @ low)
    found = constrained_shares(gamma, floor=low, cap=high, risk=risk, risk_limit=limit)
    b = found.shares
    assert (b >= low - 1e-12).all()
    assert (b <= high + 1e-12).all()
    assert b.sum() <= 1 + 1e-9
    assert risk @ b <= limit + 1e-9
    peer = scipy_optimum(gamma, low, high, 1.0, risk, limit)
    if (peer.sum() <= 1 + 1e-9) and (risk @ peer <= limit + 1e-9):
        assert gamma @ np.log(b) >= gamma @ np.log(peer) - 1e-7
    # Karush-Kuhn-Tucker: slack constraints have no price; free shares balance at the prices.
    assert found.price_total * max(0, 1 - b.sum()) == pytest.approx(0, abs=1e-8)
    assert found.price_risk * max(0, limit - risk @ b) == pytest.approx(0, abs=1e-8)
    free = (b > low + 1e-9) & (b < np.minimum(high, 1) - 1e-9)
    assert (gamma / b)[free] == pytest.approx((found.price_total + found.price_risk * risk)[free], rel=1e-6)


def test_without_binding_constraints_it_is_gamma():
    gamma = optimal_shares(BETA, OMEGA, 0.05, 0.2)
    found = constrained_shares(gamma, floor=[0.01, 0.01, 0.01], cap=[0.9, 0.9, 0.9], risk=[1, 0, 0], risk_limit=0.9)
    assert found.shares == pytest.approx(gamma)
    assert found.price_risk == 0
    assert not found.at_floor.any()
    assert found.unspent == pytest.approx(0, abs=1e-12)


def test_caps_that_do_not_fill_the_total_leave_money_and_say_so():
    found = constrained_shares([0.6, 0.4], cap=[0.3, 0.3])
    assert found.shares == pytest.approx([0.3, 0.3])
    assert found.unspent == pytest.approx(0.4)
    assert found.at_cap.all()


def test_floors_on_the_limit_are_the_answer():
    found = constrained_shares([0.7, 0.3], floor=[0.4, 0.6])
    assert found.shares == pytest.approx([0.4, 0.6])
    tight = constrained_shares([0.7, 0.3], floor=[0.4, 0.1], risk=[1, 0], risk_limit=0.4)
    assert tight.shares == pytest.approx([0.4, 0.6])


def test_sensitivity_is_the_grid_of_single_answers():
    beta, omega, actual = economy(4)
    found = sensitivity(beta, omega, actual, [0.02, 0.05], [0.1, 0.2, 0.3])
    assert found.shares[1, 2] == pytest.approx(optimal_shares(beta, omega, 0.05, 0.3))
    assert found.gain[1, 2] == pytest.approx(gain(actual, found.shares[1, 2], 0.05, 0.3))
    assert (found.gain >= 1).all()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: optimal_shares([0.5, 0.6], np.eye(2), 1, 1), "sum"),
        (lambda: optimal_shares([0.5, 0.5], [[0.5, 0.4], [0, 1]], 1, 1), "sum"),
        (lambda: optimal_shares([0.5, 0.5], np.eye(3), 1, 1), "shape"),
        (lambda: optimal_shares([1.5, -0.5], np.eye(2), 1, 1), "negative"),
        (lambda: optimal_shares([0.5, np.nan], np.eye(2), 1, 1), "not_finite"),
        (lambda: optimal_shares([0.5, 0.5], [[1.5, -0.5], [0, 1]], 1, 1), "negative"),
        (lambda: optimal_shares([0.5, 0.5], np.eye(2), 0, 1), "rate"),
        (lambda: gain([1.0], [0.5, 0.5], 1, 1), "shape"),
        (lambda: gain([0.5, 0.5], [0.5, 0.5], 1, 1, target=[1.0, 0.0]), "sum"),
        (lambda: constrained_shares([0.5, 0.5], floor=[0.7, 0.7]), "infeasible_total"),
        (lambda: constrained_shares([0.5, 0.5], total=0), "infeasible_total"),
        (lambda: constrained_shares([0.5, 0.5], floor=[0.4, 0], cap=[0.3, 1]), "bounds"),
        (lambda: constrained_shares([0.5, 0.5], floor=[0.4, 0], risk=[1, 0], risk_limit=0.3), "infeasible_risk"),
        (lambda: constrained_shares([0.5, 0.5], cap=[1.0]), "shape"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code
