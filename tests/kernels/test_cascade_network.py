"""What a firm network refuses, and that its layout keeps every link."""

import numpy as np
import pytest
from hypothesis import given, settings

from ronghe.kernels import cascade_network as cn
from ronghe.kernels.errors import KernelError
from tests.kernels.cascade_cases import economies, make

E = np.full((2, 2), 2)


@pytest.mark.parametrize(
    ("links", "error", "edges"),
    [
        ([(0, 1, 1.0), (1, 2, 1.0), (0, 1, 2.0), (0, 1, 3.0)], cn.DuplicateEdgeError, [2, 3]),
        ([(0, 1, 1.0), (0, 3, 1.0)], cn.DanglingEdgeError, [1]),
        ([(-1, 1, 1.0)], cn.DanglingEdgeError, [0]),
        ([(0, 1, 1.0), (2, 2, 1.0)], cn.SelfLoopError, [1]),
        ([(0, 1, -1.0), (1, 2, 1.0), (2, 1, float("nan"))], cn.FlowError, [0, 2]),
        ([(0, 1, float("inf"))], cn.FlowError, [0]),
    ],
)
def test_bad_edges_are_named(links, error, edges):
    supplier, customer, value = zip(*links, strict=True)
    with pytest.raises(error) as caught:
        cn.network(supplier, customer, value, [0, 1, 1], E)
    assert caught.value.edges.tolist() == edges
    assert isinstance(caught.value, KernelError)
    assert str(edges) in str(caught.value)


def test_bad_firms_are_named():
    with pytest.raises(cn.SectorError) as caught:
        cn.network([0], [1], [1.0], [0, 2, -1], E)
    assert caught.value.firms.tolist() == [1, 2]
    with pytest.raises(cn.SalesError) as low:
        cn.network([0], [1], [5.0], [0, 1], E, sales=[4.0, 1.0])
    assert low.value.firms.tolist() == [0]
    with pytest.raises(cn.SalesError):
        cn.network([0], [1], [5.0], [0, 1], E, final_demand=[0.0, -1.0])


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: cn.network([0], [1], [1.0], [0, 1], [[2, 2]]), "shape"),
        (lambda: cn.network([0], [1], [1.0], [0, 1], [[2, 3], [0, 1]]), "essential"),
        (lambda: cn.network([0], [1, 1], [1.0], [0, 1], E), "shape"),
        (lambda: cn.network([0.5], [1], [1.0], [0, 1], E), "type"),
        (lambda: cn.network([0], [1], [1.0], [0, 1], E, final_demand=[1.0]), "shape"),
        (lambda: cn.network([0], [1], [1.0], [0, 1], E, sales=[1, 1], final_demand=[1, 1]), "sales"),
        (lambda: cn.network([0], [1], [0.0], [0, 1], E), "sales"),
        (lambda: cn.network([], [], [], [], E), "sales"),
    ],
)
def test_bad_shapes(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code


@settings(max_examples=40, deadline=None)
@given(economies())
def test_layout_keeps_every_link(economy):
    W, sector, e, final = economy
    net = make(W, sector, e, final)
    lay = net.layout
    assert np.array_equal(net.order[net.place], np.arange(len(W)))
    assert (np.diff(lay.sector) >= 0).all()
    seller = np.repeat(np.arange(len(W)), np.diff(lay.sale_ptr))
    back = np.zeros_like(W)
    back[net.order[seller], net.order[lay.sale_firm]] = lay.sale_weight * lay.sales[seller]
    assert back == pytest.approx(W)
    buyer = np.repeat(np.arange(len(W)), np.diff(lay.buy_ptr))
    again = np.zeros_like(W)
    again[net.order[lay.buy_firm], net.order[buyer]] = lay.buy_weight * lay.sales[lay.buy_firm]
    assert again == pytest.approx(W)
    matters = e[sector[:, None], sector[None, :]] > 0
    assert lay.pull_firm.size == lay.push_firm.size == int(((W > 0) & matters).sum())
    assert int((lay.pull_weight < 0).sum()) == net.n_groups


def test_links_without_value_are_no_links():
    net = cn.network([0, 1], [1, 2], [0.0, 1.0], [0, 1, 1], E)
    assert net.n_links == 1
