"""Betweenness, PageRank and constraint against networkx-free brute force and closed forms."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from ronghe.kernels.centrality import betweenness, constraint, pagerank
from ronghe.kernels.errors import KernelError


@st.composite
def networks(draw, symmetric=None):
    n = draw(st.integers(1, 8))
    a = np.array(draw(st.lists(st.booleans(), min_size=n * n, max_size=n * n)), float).reshape(n, n)
    if symmetric or (symmetric is None and draw(st.booleans())):
        a = np.maximum(a, a.T)
    return a


def brute_betweenness(a):
    """Count shortest paths from powers of the adjacency matrix."""
    n = len(a)
    dist, count = np.full((n, n), np.inf), np.zeros((n, n))
    power = np.eye(n)
    for length in range(n):
        new = (power > 0) & np.isinf(dist)
        dist[new], count[new] = length, power[new]
        power = power @ a
    found = np.zeros(n)
    for s, t, v in product(range(n), repeat=3):
        if len({s, t, v}) == 3 and np.isfinite(dist[s, t]) and dist[s, v] + dist[v, t] == dist[s, t]:
            found[v] += count[s, v] * count[v, t] / count[s, t]
    return found


@settings(max_examples=60, deadline=None)
@given(networks())
def test_betweenness_equals_counting_paths(a):
    expected = brute_betweenness(a * (1 - np.eye(len(a))))
    ordered = betweenness(csr_array(a)) * max(1, (len(a) - 1) * (len(a) - 2))
    assert ordered == pytest.approx(expected, abs=1e-9)
    symmetric = np.array_equal(a, a.T)
    assert betweenness(csr_array(a), normalised=False) == pytest.approx(expected / (2 if symmetric else 1), abs=1e-9)


def test_betweenness_does_not_depend_on_threads_and_samples_are_unbiased():
    rng = np.random.default_rng(0)
    a = rng.random((60, 60)) < 0.06
    net = csr_array((a | a.T).astype(float))
    exact = betweenness(net, threads=1)
    assert np.array_equal(exact, betweenness(net, threads=2))
    halves = [betweenness(net, np.arange(60)[i::2]) for i in (0, 1)]
    assert np.mean(halves, axis=0) == pytest.approx(exact)


@settings(max_examples=60, deadline=None)
@given(networks(), st.floats(0.1, 0.95))
def test_pagerank_solves_its_equation(a, damping):
    n = len(a)
    walk = np.array([row / row.sum() if row.sum() else np.full(n, 1 / n) for row in a])
    exact = np.linalg.solve(np.eye(n) - damping * walk.T, np.full(n, (1 - damping) / n))
    assert pagerank(csr_array(a), damping) == pytest.approx(exact, abs=1e-10)


def test_pagerank_follows_weights():
    net = csr_array(np.array([[0, 3, 1], [1, 0, 0], [1, 0, 0]], float))
    rank = pagerank(net)
    assert rank[1] > rank[2]
    assert pagerank(net * 7.0) == pytest.approx(rank)


@settings(max_examples=60, deadline=None)
@given(networks(), st.integers(0, 99))
def test_constraint_by_the_definition(a, seed):
    w = a * np.random.default_rng(seed).integers(1, 5, a.shape)
    both = (w + w.T) * (1 - np.eye(len(w)))
    total = both.sum(axis=1)
    p = np.divide(both, total[:, None], out=np.zeros_like(both), where=total[:, None] > 0)
    expected = np.full(len(w), np.nan)
    for i in range(len(w)):
        if total[i]:
            expected[i] = sum(
                (p[i, j] + sum(p[i, q] * p[q, j] for q in range(len(w)) if q not in (i, j))) ** 2
                for j in range(len(w))
                if j != i and p[i, j] > 0
            )
    assert constraint(csr_array(w)) == pytest.approx(expected, nan_ok=True)


def test_a_broker_is_less_constrained_than_a_member_of_a_clique():
    a = np.zeros((7, 7))
    for group in ((0, 1, 2, 3), (3, 4, 5, 6)):
        for i, j in product(group, repeat=2):
            a[i, j] = i != j
    found = constraint(csr_array(a))
    assert found.argmin() == 3
    assert betweenness(csr_array(a)).argmax() == 3


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: betweenness(csr_array((2, 3))), "shape"),
        (lambda: betweenness(csr_array(np.eye(3)), [3]), "index"),
        (lambda: pagerank(csr_array(-np.eye(3))), "negative"),
        (lambda: pagerank(csr_array(np.eye(3)), damping=1), "damping"),
        (lambda: pagerank(csr_array([[0, 1.0, 0], [1, 0, 1], [0, 1, 0]]), steps=2), "no_convergence"),
        (lambda: constraint(csr_array(-np.eye(3))), "negative"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code
