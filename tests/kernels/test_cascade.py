"""One scenario against the golden value, the dense reference and what must always hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.cascade import Replacement, cascade
from ronghe.kernels.cascade_reference import dense_cascade
from ronghe.kernels.errors import KernelError
from tests.kernels.cascade_cases import GOLDEN_E, GOLDEN_SECTOR, GOLDEN_W, economies, make

few = settings(max_examples=60, deadline=None)


def shock(n, firms, q):
    full = np.zeros(n)
    full[firms] = q
    return full


def test_golden_six_firms():
    done = cascade(make(GOLDEN_W, GOLDEN_SECTOR, GOLDEN_E), [0], eps=1e-15)
    assert (1 - done.d).round(8).tolist() == [0, 0.6, 0.78940682, 0, 0.61111111, 0.87866706]
    assert done.supply_index == pytest.approx(0.50687988214742, abs=1e-14)
    assert done.at_rest


def test_golden_dense_reference():
    d, _ = dense_cascade(GOLDEN_W, GOLDEN_SECTOR, GOLDEN_E, [1, 0, 0, 0, 0, 0], eps=1e-15)
    assert GOLDEN_W.sum(axis=1) @ d / GOLDEN_W.sum() == pytest.approx(0.50687988214742, abs=1e-14)


def test_closed_network_drifts_to_total_loss_on_the_demand_side():
    done = cascade(make(GOLDEN_W, GOLDEN_SECTOR, GOLDEN_E), [0])
    assert done.demand_index == pytest.approx(1.0, abs=1e-6)
    assert done.supply_index < 0.51


@few
@given(economies(), st.data())
def test_equals_dense_reference(economy, data):
    W, sector, e, final = economy
    n = len(W)
    firms = data.draw(st.lists(st.integers(0, n - 1), unique=True, max_size=3))
    q = data.draw(st.lists(st.floats(0.01, 1), min_size=len(firms), max_size=len(firms)))
    spare = data.draw(st.sampled_from([None, 0.0, 0.3, np.linspace(0, 1, n)]))
    power = data.draw(st.sampled_from([0.0, 0.5, 1.0, 2.5]))
    s = W.sum(axis=1) + final
    d, u = dense_cascade(W, sector, e, shock(n, firms, q), sales=s, power=power, spare=spare, eps=1e-9)
    done = cascade(make(W, sector, e, final), firms, q, replacement=Replacement(power, spare), path=True)
    assert np.abs(done.d - d).max() < 1e-12
    assert np.abs(done.u - u).max() < 1e-12
    assert done.index == pytest.approx(s @ np.maximum(d, u) / s.sum(), abs=1e-12)
    assert np.abs(done.path_d[-1] - d).max() < 1e-12
    assert np.abs(done.path_u[-1] - u).max() < 1e-12
    assert (np.diff(done.path_d, axis=0) >= 0).all()
    assert len(done.path_d) == max(done.steps) + 1


@few
@given(economies(), st.data())
def test_loss_grows_with_the_shock_and_stays_in_bounds(economy, data):
    W, sector, e, final = economy
    n = len(W)
    f = data.draw(st.integers(0, n - 1))
    less, more = sorted(data.draw(st.tuples(st.floats(0, 1), st.floats(0, 1))))
    net = make(W, sector, e, final)
    rule = Replacement(spare=data.draw(st.sampled_from([None, 0.2])))
    small, large = (cascade(net, [f], q, replacement=rule, eps=1e-13) for q in (less, more))
    assert (large.d >= small.d - 1e-9).all()
    assert (large.u >= small.u - 1e-9).all()
    assert 0 <= small.index <= large.index + 1e-9 <= 1 + 2e-9
    assert max(large.supply_index, large.demand_index) <= large.index + 1e-15
    other = (f + 1) % n
    both = cascade(net, [f, other], [more, 1.0], replacement=rule, eps=1e-13)
    assert (both.d >= large.d - 1e-9).all()


@few
@given(economies(), st.randoms(use_true_random=False))
def test_relabelling_firms_changes_nothing(economy, random):
    W, sector, e, final = economy
    n = len(W)
    to = list(range(n))
    random.shuffle(to)
    moved = np.zeros_like(W)
    moved[np.ix_(to, to)] = W
    new_sector, new_final = np.zeros(n, dtype=int), np.zeros(n)
    new_sector[to], new_final[to] = sector, final
    old = cascade(make(W, sector, e, final), [0], eps=1e-13)
    new = cascade(make(moved, new_sector, e, new_final), [to[0]], eps=1e-13)
    assert np.abs(new.d[to] - old.d).max() < 1e-10
    assert new.index == pytest.approx(old.index, abs=1e-10)


@few
@given(economies())
def test_no_shock_no_loss(economy):
    net = make(*economy)
    for done in (cascade(net, []), cascade(net, [0, 1], 0.0)):
        assert done.index == done.supply_index == done.demand_index == 0.0
        assert not done.d.any()
        assert done.steps == (0, 0)


def test_rewiring_within_spare_capacity_by_hand():
    # Firms 0 and 1 make the essential input of firm 2; firm 0 fails. Firm 1 sells 40 and can add kappa * 40.
    W = np.zeros((3, 3))
    W[0, 2], W[1, 2] = 60.0, 40.0
    net = make(W, [0, 0, 1], [[2, 2], [0, 0]], [0, 0, 100])
    lost = {k: cascade(net, [0], replacement=Replacement(spare=k)).d[2] for k in (0.0, 0.5, 1.5, 3.0)}
    assert lost == pytest.approx({0.0: 0.6, 0.5: 0.4, 1.5: 0.0, 3.0: 0.0})
    assert cascade(net, [0]).d[2] == pytest.approx(0.6)  # market share: nothing but firm 1 is left, sigma = 1


def test_nobody_is_replaced_by_its_own_spare_capacity():
    net = make(np.array([[0.0, 10.0], [0.0, 0.0]]), [0, 1], [[2, 2], [0, 0]], [0, 10])
    assert cascade(net, [0], 0.5, replacement=Replacement(spare=9.0)).d[1] == pytest.approx(0.5)


def test_replaceability_exponent_by_hand():
    # sigma of firm 0 is 20 / (20 * 0.5 + 80) when half of it fails.
    W = np.zeros((3, 3))
    W[0, 2], W[1, 2] = 20.0, 80.0
    net = make(W, [0, 0, 1], [[2, 2], [0, 0]], [0, 0, 100])
    sigma = 20 / 90
    for power in (0.0, 1.0, 2.0):
        d = cascade(net, [0], 0.5, replacement=Replacement(power)).d
        assert d[2] == pytest.approx(0.2 * 0.5 * sigma**power)


def test_stops_unrested_at_max_steps():
    done = cascade(make(GOLDEN_W, GOLDEN_SECTOR, GOLDEN_E), [0], max_steps=2)
    assert not done.at_rest
    assert done.steps == (2, 2)


@pytest.mark.parametrize(
    ("firms", "fraction", "options", "code"),
    [
        ([6], 1.0, {}, "firms"),
        ([-1], 1.0, {}, "firms"),
        ([0.5], 1.0, {}, "firms"),
        ([0, 0], 1.0, {}, "firms"),
        ([0], 1.5, {}, "fraction"),
        ([0], -0.1, {}, "fraction"),
        ([0], float("nan"), {}, "fraction"),
        ([0], [1.0, 1.0], {}, "fraction"),
        ([0], 1.0, {"eps": -1.0}, "eps"),
        ([0], 1.0, {"eps": float("nan")}, "eps"),
        ([0], 1.0, {"replacement": Replacement(-1.0)}, "replacement"),
        ([0], 1.0, {"replacement": Replacement(spare=-0.1)}, "replacement"),
        ([0], 1.0, {"replacement": Replacement(spare=np.ones(5))}, "replacement"),
    ],
)
def test_bad_scenarios(firms, fraction, options, code):
    with pytest.raises(KernelError) as caught:
        cascade(make(GOLDEN_W, GOLDEN_SECTOR, GOLDEN_E), firms, fraction, **options)
    assert caught.value.code == code
