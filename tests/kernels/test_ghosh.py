"""The supply side: published values, the dense Ghosh inverse, capacity limits by enumeration."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.errors import KernelError
from ronghe.kernels.ghosh import (
    allocation_coefficients,
    bottleneck,
    forward_linkage,
    ghosh_inverse,
    mixed,
    supply_output,
    upstreamness,
)
from ronghe.kernels.leontief import factorise

from .test_leontief import A as GOLDEN
from .test_leontief import X, Z, economies


def test_golden():
    G = [[1.254125, 0.660066], [0.132013, 1.122112]]
    np.testing.assert_allclose(ghosh_inverse(factorise(GOLDEN), X), G, atol=5e-7)
    np.testing.assert_allclose(forward_linkage(factorise(GOLDEN), X), np.sum(G, axis=1), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(economy=economies(9))
def test_equals_dense_ghosh(economy):
    A, f = economy
    n = len(A)
    x = np.linalg.solve(np.eye(n) - A, f)
    Z = A * x
    B = allocation_coefficients(Z, x)
    np.testing.assert_allclose(allocation_coefficients(sp.csr_array(Z), x).toarray(), B)
    G = np.linalg.inv(np.eye(n) - B)
    system = factorise(A)
    v = x - Z.sum(axis=0)
    np.testing.assert_allclose(ghosh_inverse(system, x), G, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(upstreamness(system, x), G.sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(supply_output(system, x, v), x, rtol=1e-10)
    both = np.stack([v, 2 * v], axis=1)
    np.testing.assert_allclose(supply_output(system, x, both), np.stack([x, 2 * x], 1), rtol=1e-10)
    assert (upstreamness(system, x) >= 1 - 1e-12).all()


def test_sector_without_output():
    Z = np.array([[1.0, 0.0], [0.0, 0.0]])
    x = np.array([4.0, 0.0])
    system = factorise(np.array([[0.25, 0.0], [0.0, 0.0]]))
    np.testing.assert_allclose(allocation_coefficients(Z, x), [[0.25, 0], [0, 0]])
    np.testing.assert_allclose(ghosh_inverse(system, x), [[4 / 3, 0], [0, 1]])
    np.testing.assert_allclose(upstreamness(system, x), [4 / 3, 1])
    np.testing.assert_allclose(supply_output(system, x, [3.0, 5.0]), [4, 0])


@settings(max_examples=40, deadline=None)
@given(economy=economies(8), seed=st.integers(0, 2**32 - 1))
def test_mixed_equals_block_solve(economy, seed):
    A, f = economy
    n = len(A)
    rng = np.random.default_rng(seed)
    fixed = rng.permutation(n)[: rng.integers(0, n + 1)]
    target = rng.random(len(fixed))
    x, delivered = mixed(factorise(A), f, fixed, target)
    free = np.setdiff1d(np.arange(n), fixed)
    M = np.eye(n) - A
    expected = np.empty(n)
    expected[fixed] = target
    expected[free] = np.linalg.solve(M[np.ix_(free, free)], f[free] - M[np.ix_(free, fixed)] @ target)
    np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(delivered, M @ expected, rtol=1e-9, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(economy=economies(5), seed=st.integers(0, 2**32 - 1))
def test_bottleneck_equals_enumeration(economy, seed):
    """Of all sets of sectors that might be capped, exactly one output is consistent."""
    A, f = economy
    n = len(A)
    system = factorise(A)
    cap = np.linalg.solve(np.eye(n) - A, f) * np.random.default_rng(seed).uniform(0.3, 1.4, n)
    got = bottleneck(system, f, cap)
    found = []
    for size in range(n + 1):
        for held in itertools.combinations(range(n), size):
            x, delivered = mixed(system, f, list(held), cap[list(held)])
            if (x <= cap + 1e-10).all() and (delivered <= f + 1e-10).all():
                found.append(x)
    assert found
    for x in found:
        np.testing.assert_allclose(got.x, x, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(got.x, np.minimum(cap, A @ got.x + f), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(got.delivered, (np.eye(n) - A) @ got.x, rtol=1e-8, atol=1e-9)


def test_bottleneck_without_limits_and_with_shortage():
    system = factorise(GOLDEN)
    f = np.array([350.0, 1700.0])
    free = bottleneck(system, f, [np.inf, np.inf])
    np.testing.assert_allclose(free.x, X)
    assert not free.binding.any()
    assert (free.short == 0).all()
    shut = bottleneck(system, f, [0.0, np.inf])
    assert shut.binding.tolist() == [True, False]
    np.testing.assert_allclose(shut.x, [0, 1700 / 0.95])
    np.testing.assert_allclose(shut.short, [0.25 * 1700 / 0.95, 0])


def test_tighter_capacity_never_raises_output():
    rng = np.random.default_rng(2)
    A = rng.random((12, 12))
    A *= 0.6 / A.sum(axis=0)
    f = rng.random(12)
    system = factorise(A)
    cap = np.linalg.solve(np.eye(12) - A, f)
    last = cap
    for part in (0.95, 0.8, 0.5, 0.1):
        limit = cap.copy()
        limit[:4] *= part
        x = bottleneck(system, f, limit).x
        assert (x <= last + 1e-12).all()
        last = x


def test_bad_input():
    system = factorise(GOLDEN)
    for fixed, target in (([0, 0], [1.0, 1.0]), ([5], [1.0]), ([0], [1.0, 2.0])):
        with pytest.raises(KernelError):
            mixed(system, [1.0, 1.0], fixed, target)
    for f, cap in (([-1.0, 0.0], [1.0, 1.0]), ([1.0, 1.0], [-1.0, 1.0]), ([1.0], [1.0])):
        with pytest.raises(KernelError):
            bottleneck(system, f, cap)
    for x in ([-1.0, 2.0], [1.0]):
        with pytest.raises(KernelError):
            upstreamness(system, x)
    with pytest.raises(KernelError):
        allocation_coefficients(-Z, X)
