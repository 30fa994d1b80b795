"""Synthetic firm networks: the table's flows, the seed, the tails, and what is refused."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ronghe.kernels.cascade_network import network
from ronghe.kernels.errors import KernelError
from ronghe.kernels.synth_firms import TableError, synth_firms


def table(k, seed, empty=0.2):
    rng = np.random.default_rng(seed)
    Z = np.where(rng.random((k, k)) < empty, 0.0, rng.lognormal(0, 2, (k, k)))
    f = rng.lognormal(0, 1, k)
    return Z, Z.sum(axis=1) + f, f


def flows(net, k):
    block = net.sector[net.supplier] * k + net.sector[net.customer]
    return np.bincount(block, net.value, minlength=k * k).reshape(k, k)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10_000), st.sampled_from(["pareto", "lognormal"]))
def test_flows_and_sales_of_the_table_are_kept(k, seed, law):
    Z, x, f = table(k, seed)
    assume(Z.any())
    net = synth_firms(Z, x, f, 40 * k, 250 * k, seed=seed, law=law)
    assert net.supplier.size + net.diagnostics.links_missed == 250 * k
    assert np.bincount(net.sector, net.sales, minlength=k) == pytest.approx(x, rel=1e-9)
    if net.diagnostics.blocks_missed == 0:
        assert flows(net, k) == pytest.approx(Z, rel=1e-9)
        assert np.bincount(net.sector, net.final_demand, minlength=k) == pytest.approx(f, rel=1e-9)
        assert net.diagnostics.flow_error < 1e-12
    assert net.sales == pytest.approx(
        np.bincount(net.supplier, net.value, minlength=40 * k) + net.final_demand, rel=1e-12
    )
    assert (net.value > 0).all()
    assert (net.final_demand >= 0).all()
    built = network(
        net.supplier, net.customer, net.value, net.sector, np.full((k, k), 2), final_demand=net.final_demand
    )
    assert built.n_links == net.supplier.size


def test_error_is_reported_when_links_are_too_few():
    Z, x, f = table(20, 3, empty=0.0)
    net = synth_firms(Z, x, f, 40, 120, seed=1)
    got = flows(net, 20)
    assert net.diagnostics.blocks_missed == int((got == 0).sum()) > 200
    assert net.diagnostics.flow_error == pytest.approx(np.abs(got - Z).sum() / Z.sum())
    assert 0 < net.diagnostics.flow_error < 1
    assert np.bincount(net.sector, net.sales, minlength=20) == pytest.approx(x)


def test_seed_decides():
    Z, x, f = table(5, 1)
    one, same, other = (synth_firms(Z, x, f, 200, 900, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.value, same.value)
    assert np.array_equal(one.supplier, same.supplier)
    assert not np.array_equal(one.supplier, other.supplier)


def test_same_firms_other_links():
    Z, x, f = table(5, 1)
    one, two = (synth_firms(Z, x, f, 2000, 9000, seed=s, firms_seed=7) for s in (1, 2))
    apart = synth_firms(Z, x, f, 2000, 9000, seed=1, firms_seed=8)
    assert not np.array_equal(one.supplier, two.supplier)
    likeness = [np.corrcoef(np.log(one.sales), np.log(other.sales))[0, 1] for other in (two, apart)]
    assert likeness[0] > likeness[1] + 0.2


def test_tails_are_heavy():
    Z, x, f = table(10, 5, empty=0.0)
    net = synth_firms(Z, x, f, 20_000, 90_000, seed=1)
    d = net.diagnostics
    assert 0.8 < d.sales_tail.exponent < 1.5
    assert 1.0 < d.customers_tail.exponent < 2.2
    assert 1.2 < d.suppliers_tail.exponent < 3.0
    assert np.union1d(net.supplier, net.customer).size == 20_000
    assert d.links_missed == d.blocks_missed == 0
    thin = synth_firms(Z, x, f, 20_000, 90_000, seed=1, shape=3.0).diagnostics
    assert thin.sales_tail.exponent > d.sales_tail.exponent + 0.5


def test_given_counts():
    Z, x, f = table(3, 2)
    net = synth_firms(Z, x, f, 30, 100, seed=1, counts=[5, 10, 15])
    assert np.bincount(net.sector).tolist() == [5, 10, 15]


def spoil(what, at, value):
    parts = dict(zip("Zxf", table(4, 2, empty=0.0), strict=True))
    parts[what] = parts[what].copy()
    parts[what][at] = value
    return parts["Z"], parts["x"], parts["f"]


@pytest.mark.parametrize(
    ("what", "at", "value"),
    [("Z", (2, 1), -1.0), ("Z", (2, 1), np.nan), ("f", 2, -5.0), ("x", 2, 1e6), ("x", 2, np.inf)],
)
def test_bad_tables_name_the_sector(what, at, value):
    with pytest.raises(TableError) as caught:
        synth_firms(*spoil(what, at, value), 100, 400, seed=1)
    assert caught.value.sectors.tolist() == [2]


@pytest.mark.parametrize(
    ("n", "m", "options", "code"),
    [
        (3, 400, {}, "n_firms"),
        (100, 99, {}, "n_links"),
        (100, 400, {"counts": [50, 50]}, "counts"),
        (100, 400, {"counts": [50, 50, 0, 0]}, "table"),
        (100, 400, {"law": "normal"}, "law"),
        (100, 400, {"shape": 0.0}, "law"),
    ],
)
def test_bad_requests(n, m, options, code):
    with pytest.raises(KernelError) as caught:
        synth_firms(*table(4, 2, empty=0.0), n, m, seed=1, **options)
    assert caught.value.code == code


def test_shapes_must_agree():
    with pytest.raises(KernelError):
        synth_firms(np.ones((2, 3)), np.ones(2), np.ones(2), 10, 20, seed=1)


def test_nobody_buys():
    with pytest.raises(TableError):
        synth_firms(np.zeros((2, 2)), np.ones(2), np.ones(2), 10, 20, seed=1)
