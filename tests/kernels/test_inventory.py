"""ARIO: a slow reference in plain loops, BoARIO, and what must hold whatever the shock."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.errors import KernelError
from ronghe.kernels.inventory import Adjustment, disrupt, shock_profile
from ronghe.kernels.leontief import NegativeFlows

from .test_footprint import world


def slow(Z, f, delta, factor, product, how, per_year):  # noqa: C901 - plain loops on purpose
    """The module's equations, one cell at a time."""
    n, kinds = len(f), max(product) + 1
    Z, f = Z / per_year, f / per_year
    x0 = [sum(Z[i]) + f[i] for i in range(n)]
    use = [[sum(Z[i][j] for i in range(n) if product[i] == p) / x0[j] for j in range(n)] for p in range(kinds)]
    T = list(np.broadcast_to(how.stock, (kinds,)))
    stock = [[T[p] * use[p][j] * x0[j] if T[p] < np.inf else 0 for j in range(n)] for p in range(kinds)]
    orders, alpha, path = Z.tolist(), [1.0] * n, []
    for t in range(len(delta)):
        ask = [sum(orders[i]) + factor[t][i] * f[i] for i in range(n)]
        cap = [alpha[i] * (1 - delta[t][i]) * x0[i] for i in range(n)]
        want = [min(ask[i], cap[i]) for i in range(n)]
        x = list(want)
        for j in range(n):
            for p in range(kinds):
                need = how.psi * T[p] * use[p][j] * want[j] if use[p][j] > 1e-5 and T[p] < np.inf else 0
                if need > 0 and stock[p][j] < need * (1 - 1e-12):
                    x[j] = min(x[j], want[j] * stock[p][j] / need)
        path.append(x)
        for p in range(kinds):
            for j in range(n):
                came = sum(orders[i][j] * x[i] / ask[i] for i in range(n) if product[i] == p and ask[i] > 0)
                if T[p] < np.inf:
                    stock[p][j] = max(stock[p][j] + came - use[p][j] * x[j], 0)
        new = [[0.0] * n for _ in range(n)]
        for j in range(n):
            for p in range(kinds):
                suppliers = [i for i in range(n) if product[i] == p]
                gap = max(T[p] * use[p][j] * want[j] - stock[p][j], 0) / how.restock if T[p] < np.inf else 0
                size = [Z[i][j] * (cap[i] / x0[i] if how.reroute else 1) for i in suppliers]
                for i, s in zip(suppliers, size, strict=True):
                    new[i][j] = (use[p][j] * x[j] + gap) * s / sum(size) if sum(size) > 0 else 0
        orders = new
        for i in range(n):
            scarce = (ask[i] - x[i]) / ask[i] if ask[i] > 0 else 0
            move = (how.alpha_max - alpha[i]) * scarce if scarce > 1e-12 else 1 - alpha[i]
            alpha[i] = max(alpha[i] + move / how.alpha_time, 1)
    return np.array(path)


@settings(max_examples=25, deadline=None)
@given(
    regions=st.integers(1, 2),
    products=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
    reroute=st.booleans(),
    endless=st.booleans(),
)
def test_equals_slow_reference(regions, products, seed, reroute, endless):
    Z, Y, _, _, product = world(regions, products, seed)
    rng = np.random.default_rng(seed)
    n, steps = len(Z), 25
    stock = rng.uniform(3, 20, products)
    stock[0] = np.inf if endless else stock[0]
    how = Adjustment(stock, psi=0.7, restock=5, alpha_max=1.3, alpha_time=10, reroute=reroute)
    delta = shock_profile(n, steps, [0, n - 1], rng.random(2), start=2, end=8, recovery=6)
    factor = 1 + 0.2 * np.sin(np.arange(steps))[:, None] * rng.random(n)
    got = disrupt(Z, Y.sum(axis=1), delta, demand=factor, product=product, how=how, steps_per_year=52)
    expected = slow(Z, Y.sum(axis=1), delta, factor, product.tolist(), how, 52)
    np.testing.assert_allclose(got.production, expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), reroute=st.booleans())
def test_no_shock_no_loss(seed, reroute):
    Z, Y, x, _, product = world(2, 3, seed)
    path = disrupt(Z, Y.sum(axis=1), np.zeros((200, 6)), product=product, how=Adjustment(reroute=reroute))
    np.testing.assert_allclose(path.production, np.tile(x / 365, (200, 1)), rtol=1e-12)
    np.testing.assert_allclose(path.unmet, 0, atol=1e-12)
    assert not path.short.any()
    np.testing.assert_allclose(path.overproduction, 1)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), loss=st.floats(0.05, 1))
def test_bounds_and_recovery(seed, loss):
    Z, Y, _, _, _ = world(1, 5, seed)
    delta = shock_profile(5, 800, [2], loss, start=10, end=40, recovery=20)
    how = Adjustment(stock=15.0, restock=10, alpha_time=30)
    path = disrupt(Z, Y.sum(axis=1), delta, how=how)
    assert (path.production >= 0).all()
    assert (path.production <= how.alpha_max * path.baseline * (1 + 1e-12)).all()
    assert (path.lost <= 1).all()
    np.testing.assert_allclose(path.lost[:10], 0, atol=1e-12)
    assert path.lost[10] > 0
    assert (path.unmet >= -1e-12).all()
    np.testing.assert_allclose(path.production[-1], path.baseline, rtol=2e-2)
    np.testing.assert_allclose(path.lost_output.sum(), path.lost.sum() * path.baseline.sum(), rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), low=st.floats(0, 1), high=st.floats(0, 1))
def test_deeper_shock_costs_more_while_it_lasts(seed, low, high):
    """Monotone as long as nothing catches up: no overproduction, shock without end."""
    low, high = sorted((low, high))
    Z, Y, _, _, _ = world(1, 4, seed)
    how = Adjustment(stock=10.0, restock=20, alpha_max=1.0)
    less, more = (
        disrupt(Z, Y.sum(axis=1), shock_profile(4, 60, [0], loss, start=1, end=60), how=how).lost.sum()
        for loss in (low, high)
    )
    assert less <= more + 1e-9


def test_stocks_delay_the_blow():
    """The customer of a stopped plant runs on until its stock is below psi of the target, then falls."""
    Z, f = np.array([[0.0, 40.0], [0.0, 0.0]]), np.array([0.0, 100.0])
    how = Adjustment(stock=10.0, psi=0.5, restock=10, alpha_max=1.0)
    path = disrupt(Z, f, shock_profile(2, 30, [0], 1.0, start=0, end=30), how=how, steps_per_year=1)
    np.testing.assert_allclose(path.production[:, 0], 0)
    # Ten steps of stock, one used each step: half is left after five, and below half production slows.
    np.testing.assert_allclose(path.production[:6, 1], 100)
    assert path.production[6, 1] == pytest.approx(100 * 4 / 5)
    assert path.short[6].tolist() == [False, True]
    assert (np.diff(path.production[6:, 1]) < 0).all()


def test_weekly_and_daily_steps_agree_roughly():
    Z, Y, _, _, _ = world(1, 4, 7)
    f = Y.sum(axis=1)
    daily = disrupt(Z, f, shock_profile(4, 364, [1], 0.6, start=0, end=56))
    weekly = disrupt(
        Z, f, shock_profile(4, 52, [1], 0.6, start=0, end=8), how=Adjustment.weekly(), steps_per_year=365 / 7
    )
    assert weekly.lost_output.sum() == pytest.approx(daily.lost_output.sum(), rel=0.1)


def test_bad_input():
    Z, f, calm = np.ones((2, 2)), np.ones(2), np.zeros((3, 2))
    for wrong in (-0.1, 1.5, np.nan):
        with pytest.raises(KernelError, match="loss"):
            shock_profile(2, 3, [0], wrong, end=2)
        with pytest.raises(KernelError, match="loss"):
            disrupt(Z, f, calm + wrong)
    with pytest.raises(KernelError, match="recovery"):
        shock_profile(2, 9, [0], 0.5, start=5, end=3)
    with pytest.raises(KernelError, match="sectors"):
        shock_profile(2, 9, [2], 0.5, end=3)
    with pytest.raises(NegativeFlows):
        disrupt(-Z, f, calm)
    for arguments in ((Z, -f, calm), (Z, np.ones(3), calm), (Z, f, np.zeros((3, 3)))):
        with pytest.raises(KernelError):
            disrupt(*arguments)
    with pytest.raises(KernelError, match="demand"):
        disrupt(Z, f, calm, demand=-np.ones((3, 2)))
    with pytest.raises(KernelError, match="product"):
        disrupt(Z, f, calm, product=[0.5, 1.0])
    for how in (Adjustment(psi=0), Adjustment(restock=0.5), Adjustment(alpha_max=0.9), Adjustment(stock=1.0)):
        with pytest.raises(KernelError):
            disrupt(Z, f, calm, how=how)


def boario(Z, Y, region, product, delta, how, native):
    """Production by BoARIO's model, stepped here: its Simulation class wants a package that is not required.

    BoARIO weighs the production of a step against the orders of the next one when it adapts overproduction
    (`native`); Hallegatte's definition, and ours, weighs it against the demand of its own step.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers' own dependencies deprecate things at import
        models = pytest.importorskip("boario.extended_models")
        pymrio = pytest.importorskip("pymrio")
        import pandas as pd

        names = [f"r{r}" for r in region], [f"s{p}" for p in product]
        sectors = pd.MultiIndex.from_arrays(names, names=["region", "sector"])
        buyers = [f"r{r}" for r in range(Y.shape[1])]
        demand = pd.MultiIndex.from_arrays([buyers, ["f"] * len(buyers)], names=["region", "category"])
        system = pymrio.IOSystem(Z=pd.DataFrame(Z, sectors, sectors), Y=pd.DataFrame(Y, sectors, demand)).calc_all()
        peer = models.ARIOPsiModel(
            system,
            order_type="alt" if how.reroute else "noalt",
            alpha_max=how.alpha_max,
            alpha_tau=how.alpha_time,
            main_inv_dur=how.stock,
            psi_param=how.psi,
            inventory_restoration_tau=how.restock,
        )
    path = []
    for t, lost in enumerate(delta):
        peer.prod_cap_delta_arbitrary = lost
        if native and t > 0:
            peer.calc_overproduction()
        peer.calc_production(t)
        path.append(peer.production.copy())
        peer.distribute_production()
        before = peer.overprod.copy()
        peer.calc_overproduction()
        after, peer.overprod = peer.overprod.copy(), before
        peer.calc_orders()
        if not native:
            peer.overprod = after
    return np.array(path)


@pytest.mark.peer
@pytest.mark.parametrize("reroute", [False, True])
def test_equals_boario(reroute):
    Z, Y, x, region, product = world(3, 4, 11)
    delta = shock_profile(12, 150, [1, 6], [0.9, 0.4], start=1, end=30, recovery=30)
    how = Adjustment(stock=20, psi=0.8, restock=15, alpha_time=50, reroute=reroute)
    ours = disrupt(Z, Y.sum(axis=1), delta, product=product, how=how)
    assert ours.short.any()
    assert ours.lost.max() > 0.05
    np.testing.assert_allclose(ours.baseline, x / 365)
    # BoARIO leaves stocks alone while the change is under a relative 1e-5.
    np.testing.assert_allclose(ours.production, boario(Z, Y, region, product, delta, how, False), rtol=1e-5)
    native = boario(Z, Y, region, product, delta, how, True)
    np.testing.assert_allclose(ours.production.sum(axis=1), native.sum(axis=1), rtol=0.02)
