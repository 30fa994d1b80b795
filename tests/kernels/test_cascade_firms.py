"""Every firm in turn: against one scenario at a time and the dense reference, stopped, resumed, fast."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels import cascade_worker
from ronghe.kernels.cascade import Replacement, cascade
from ronghe.kernels.cascade_firms import bytes_needed, firm_risks
from ronghe.kernels.cascade_network import network
from ronghe.kernels.cascade_reach import reach
from ronghe.kernels.cascade_reference import dense_cascade
from ronghe.kernels.errors import KernelError
from ronghe.kernels.synth_firms import synth_firms
from ronghe.kernels.vector_rows import aligned
from tests.kernels.cascade_cases import economies, make


@pytest.fixture(scope="module")
def medium():
    """400 firms of 8 sectors: large enough that scenarios go to the lanes."""
    rng = np.random.default_rng(4)
    Z = rng.lognormal(0, 1.5, (8, 8))
    f = Z.sum(axis=1) * rng.uniform(0.3, 1.2, 8)
    firms = synth_firms(Z, Z.sum(axis=1) + f, f, 400, 2400, seed=2)
    e = rng.integers(0, 3, (8, 8))
    return network(firms.supplier, firms.customer, firms.value, firms.sector, e, final_demand=firms.final_demand)


@pytest.fixture
def crowded(monkeypatch):
    """Let no scenario finish by pushing, so that all take the lanes."""

    def budget(links):
        monkeypatch.setattr(cascade_worker, "least_budget", lambda n_links: links)

    return budget


@settings(max_examples=40, deadline=None)
@given(economies(), st.sampled_from([None, 0.4]), st.sampled_from([0.5, 1.0]))
def test_every_firm_equals_dense_reference(economy, spare, power):
    W, sector, e, final = economy
    s = W.sum(axis=1) + final
    run = firm_risks(make(W, sector, e, final), eps=1e-15, replacement=Replacement(power, spare), threads=1)
    for f in range(len(W)):
        q = np.zeros(len(W))
        q[f] = 1.0
        d, u = dense_cascade(W, sector, e, q, sales=s, power=power, spare=spare, eps=1e-15)
        assert run.supply[f] == pytest.approx(s @ d / s.sum(), abs=1e-12)
        assert run.demand[f] == pytest.approx(s @ u / s.sum(), abs=1e-12)
        assert run.index[f] == pytest.approx(s @ np.maximum(d, u) / s.sum(), abs=1e-12)
    assert run.done.all()
    assert run.rested.all()


def demand_at_rest(W, s, f):
    """By solving for it, and the rate at which steps get there: where nothing leaves the network it can be almost 1."""
    M = np.divide(W, s[:, None], out=np.zeros_like(W), where=s[:, None] > 0)
    u = np.eye(len(W))[f]
    for _ in W:
        u = np.maximum(u, M @ u)
    reached = np.setdiff1d(np.flatnonzero(u), [f])
    inside = M[np.ix_(reached, reached)]
    u[reached] = np.linalg.solve(np.eye(reached.size) - inside, M[reached, f])
    return u, np.abs(np.linalg.eigvals(inside)).max(initial=0.0)


@settings(max_examples=25, deadline=None)
@given(economies(closed=True))
def test_closed_economy_without_bounds(economy):
    W, sector, e, final = economy
    run = firm_risks(make(W, sector, e, final), eps=1e-12, threads=1)
    s = W.sum(axis=1)
    for f in range(len(W)):
        q = np.zeros(len(W))
        q[f] = 1.0
        u, rate = demand_at_rest(W, s, f)
        # Stopped by its moves, a side whose moves shrink by `rate` a step still lacks 1 / (1 - rate) of them.
        assert run.demand[f] == pytest.approx(s @ u / s.sum(), abs=1e-6) or rate > 1 - 1e-5


@pytest.mark.parametrize("replacement", [Replacement(), Replacement(2.0), Replacement(spare=0.25)])
def test_lanes_and_pushes_agree_with_single_scenarios(medium, crowded, replacement):
    exact = [cascade(medium, [f], replacement=replacement, eps=1e-15) for f in range(0, 400, 9)]
    for links in (0, 1 << 40):
        crowded(links)
        run = firm_risks(medium, firms=np.arange(0, 400, 9), eps=1e-14, replacement=replacement)
        got = run.index[::9], run.supply[::9], run.demand[::9]
        assert got[0] == pytest.approx([c.index for c in exact], abs=1e-12)
        assert got[1] == pytest.approx([c.supply_index for c in exact], abs=1e-12)
        assert got[2] == pytest.approx([c.demand_index for c in exact], abs=1e-12)
        assert run.swept.any() == (links == 0)


def test_demand_side_keeps_its_proven_bound(medium, crowded):
    truth = firm_risks(medium, eps=1e-15)
    for eps in (1e-3, 1e-5, 1e-8):
        for links in (0, 1 << 40):
            crowded(links)
            run = firm_risks(medium, eps=eps)
            assert np.abs(run.demand - truth.demand).max() <= eps / 2 * (1 + 1e-6)


def test_reach_bounds_are_those_of_the_inverse(medium):
    lay, n = medium.layout, medium.n_firms
    M = np.zeros((n, n))
    M[np.repeat(np.arange(n), np.diff(lay.sale_ptr)), lay.sale_firm] = lay.sale_weight
    N = np.linalg.inv(np.eye(n) - M)
    bound = reach(lay)
    assert bound.h == pytest.approx(lay.sales @ N, rel=1e-8)
    assert bound.spread == pytest.approx(N.sum(axis=1) - 1, rel=1e-8, abs=1e-8)
    assert (bound.worth * medium.total >= lay.sales @ N - lay.sales).all()
    assert (bound.spread >= N.sum(axis=1) - 1).all()


def test_fast_stays_within_its_error(medium, crowded):
    exact = firm_risks(medium)
    for links in (0, 1 << 40):
        crowded(links)
        fast = firm_risks(medium, mode="fast", check=400)
        worst = max(np.abs(fast.index - exact.index).max(), np.abs(fast.supply - exact.supply).max())
        assert fast.error == pytest.approx(worst, abs=1e-8)
        assert fast.checked == 400
        assert 0 < fast.error < 1e-4
        assert np.abs(fast.demand - exact.demand).max() < 2e-6


def test_small_scenarios_in_single_precision_keep_the_tolerance(crowded):
    # 4,000 firms, so that there are indices small enough for float32 lanes and others too large for them.
    rng = np.random.default_rng(4)
    Z = rng.lognormal(0, 1.5, (30, 30))
    f = Z.sum(axis=1) * rng.uniform(0.3, 1.2, 30)
    firms = synth_firms(Z, Z.sum(axis=1) + f, f, 4000, 18_000, seed=2)
    e = np.where(np.arange(30)[:, None] < 20, 2, 1) * np.ones((1, 30), dtype=int)
    net = network(firms.supplier, firms.customer, firms.value, firms.sector, e, final_demand=firms.final_demand)
    some = np.arange(0, 4000, 13)
    truth = firm_risks(net, firms=some, eps=1e-15)
    crowded(0)
    run = firm_risks(net, firms=some)
    single = truth.supply[some] < 1e-9 / cascade_worker.ROUNDING
    assert 0.1 < single.mean() < 0.95
    for got, true in ((run.supply, truth.supply), (run.demand, truth.demand), (run.index, truth.index)):
        assert np.abs(got[some] - true[some])[single].max() < 1e-9
        assert np.abs(got[some] - true[some]).max() < 5e-9
    assert run.rested[some].all()


def test_rows_start_where_cache_lines_do():
    for dtype in (np.float32, np.float64):
        rows = aligned(7, 64 // np.dtype(dtype).itemsize, dtype)
        assert rows.ctypes.data % 64 == 0
        assert rows.flags.c_contiguous
        assert not rows.any()


def test_supply_side_alone(medium):
    whole, alone = firm_risks(medium), firm_risks(medium, demand=False)
    assert alone.index == pytest.approx(whole.supply, abs=1e-14)
    assert np.isnan(alone.demand).all()


def test_order_threads_and_batches_change_nothing(medium):
    one = firm_risks(medium, threads=1, seed=1)
    for other in (firm_risks(medium, threads=2, seed=2, batch=7), firm_risks(medium, threads=3, batch=100)):
        assert np.array_equal(one.index, other.index)
        assert np.array_equal(one.supply, other.supply)


def test_stop_and_resume(medium):
    seen = []

    def stop(told):
        seen.append(told)
        return len(seen) < 3

    part = firm_risks(medium, batch=20, threads=1, progress=stop)
    assert part.done.sum() == 60 == seen[-1].done
    assert np.isnan(part.index[~part.done]).all()
    assert not np.isnan(part.index[part.done]).any()
    told = []
    rest = firm_risks(medium, state=part, batch=50, threads=2, progress=told.append)
    assert rest.done.all()
    assert np.array_equal(rest.index, firm_risks(medium).index)
    assert [t.done for t in told] == sorted(t.done for t in told)
    assert told[-1].done == told[-1].total == 400
    assert told[-1].left == 0.0
    assert all(t.left_low <= t.left <= t.left_high for t in told + seen)
    assert told[-1].links == int(rest.pushed.sum() + rest.swept.sum())


def test_memory_needed_is_an_upper_bound():
    rng = np.random.default_rng(1)
    Z = rng.lognormal(0, 1, (20, 20))
    f = Z.sum(axis=1)
    firms = synth_firms(Z, 2 * f, f, 20_000, 90_000, seed=2)
    links, e = (firms.supplier, firms.customer, firms.value, firms.sector), np.full((20, 20), 2)
    tracemalloc.start()
    try:
        net = network(*links, e, final_demand=firms.final_demand)
        laid_out = tracemalloc.get_traced_memory()[1]
        firm_risks(net, firms=np.arange(20))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert laid_out < peak < bytes_needed(20_000, 90_000) < 2 * peak
    assert bytes_needed(10_000_000, 100_000_000) > 12e9


def test_only_the_firms_asked_for(medium):
    run = firm_risks(medium, firms=[5, 7, 7])
    assert np.flatnonzero(run.done).tolist() == [5, 7]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"firms": [400]}, "firms"),
        ({"firms": [0.5]}, "firms"),
        ({"eps": 0.0}, "eps"),
        ({"threads": 0}, "threads"),
        ({"replacement": Replacement(float("nan"))}, "replacement"),
    ],
)
def test_bad_input(medium, options, code):
    with pytest.raises(KernelError) as caught:
        firm_risks(medium, **options)
    assert caught.value.code == code


def test_state_of_another_run_is_refused(medium):
    state = firm_risks(medium, firms=[1])
    for other in ({"eps": 1e-6}, {"replacement": Replacement(2.0)}, {"demand": False}, {"mode": "fast", "eps": 1e-9}):
        with pytest.raises(KernelError, match="earlier run"):
            firm_risks(medium, state=state, **other)
    with pytest.raises(KernelError, match="earlier run"):
        firm_risks(make(np.ones((3, 3)) - np.eye(3), [0, 0, 0], [[2]]), state=state)
