"""Extraction in closed form against one solve for each sector."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.errors import KernelError
from ronghe.kernels.extraction import extract, extract_group, inverse_diagonal, output_without
from ronghe.kernels.leontief import factorise

from .test_leontief import A as GOLDEN
from .test_leontief import economies


def brute(A, f, j, theta, side, demand, own, w):
    """Change A and f by hand, solve again."""
    B, g, keep = A.copy(), f.copy(), A[j, j]
    if side in ("both", "row"):
        B[j] *= 1 - theta
    if side in ("both", "column"):
        B[:, j] = A[:, j] * (1 - theta)
    B[j, j] = keep * (1 - theta) if own else keep
    if demand:
        g[j] *= 1 - theta
    eye = np.eye(len(A))
    return w @ np.linalg.solve(eye - A, f) - w @ np.linalg.solve(eye - B, g)


def test_golden():
    f = (np.eye(2) - GOLDEN) @ [1000.0, 2000.0]
    result = extract(factorise(GOLDEN), f)
    assert result.loss[0] == pytest.approx(1210.5263, abs=5e-5)
    assert result.share[0] == pytest.approx(1210.5263 / 3000, abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    economy=economies(8),
    theta=st.floats(0, 1),
    side=st.sampled_from(["both", "row", "column"]),
    demand=st.booleans(),
    own=st.booleans(),
)
def test_equals_one_solve_each(economy, theta, side, demand, own):
    A, f = economy
    w = np.stack([np.ones(len(A)), np.linspace(0.1, 2, len(A))])
    got = extract(factorise(A), f, fraction=theta, side=side, demand=demand, own=own, weights=w)
    for j in range(len(A)):
        expected = brute(A, f, j, theta, side, demand, own, w)
        np.testing.assert_allclose(got.loss[:, j], expected, rtol=1e-9, atol=1e-11)


@settings(max_examples=30, deadline=None)
@given(economy=economies(10))
def test_total_equals_deleting_the_sector(economy):
    A, f = economy
    x = np.linalg.solve(np.eye(len(A)) - A, f)
    loss = extract(factorise(A), f).loss
    for j in range(len(A)):
        keep = np.delete(np.arange(len(A)), j)
        rest = np.linalg.solve(np.eye(len(keep)) - A[np.ix_(keep, keep)], f[keep])
        assert loss[j] == pytest.approx(x.sum() - rest.sum(), rel=1e-10)
        np.testing.assert_allclose(output_without(factorise(A), f, [j])[keep], rest, rtol=1e-9, atol=1e-12)
    assert (loss >= x * (1 - 1e-12)).all()
    assert (loss <= x.sum() * (1 + 1e-12)).all()


@settings(max_examples=20, deadline=None)
@given(economy=economies(10), low=st.floats(0, 1), high=st.floats(0, 1))
def test_monotone_and_zero(economy, low, high):
    A, f = economy
    low, high = sorted((low, high))
    system = factorise(A)
    for side in ("both", "row", "column"):
        less = extract(system, f, fraction=low, side=side).loss
        more = extract(system, f, fraction=high, side=side).loss
        assert (less <= more + 1e-11).all()
        np.testing.assert_allclose(extract(system, f, fraction=0, side=side).loss, 0, atol=1e-14)


def test_group_equals_deleting_together():
    rng = np.random.default_rng(3)
    A = rng.random((9, 9))
    A *= 0.6 / A.sum(axis=0)
    f, w = rng.random(9), rng.random((2, 9))
    group, keep = [1, 4, 7], [0, 2, 3, 5, 6, 8]
    x = np.linalg.solve(np.eye(9) - A, f)
    rest = np.linalg.solve(np.eye(6) - A[np.ix_(keep, keep)], f[keep])
    expected = w @ x - w[:, keep] @ rest
    np.testing.assert_allclose(extract_group(factorise(A), f, group, weights=w), expected, rtol=1e-12)
    single = extract(factorise(A), f, weights=w).loss[:, 4]
    np.testing.assert_allclose(extract_group(factorise(A), f, [4], weights=w), single, rtol=1e-12)


def test_sparse_economy_and_a_fraction_for_each():
    rng = np.random.default_rng(4)
    A = rng.random((6, 6)) * (rng.random((6, 6)) < 0.5) * 0.3
    f, theta = rng.random(6), rng.random(6)
    dense = extract(factorise(A), f, fraction=theta)
    sparse = extract(factorise(sp.csr_array(A)), f, fraction=theta)
    np.testing.assert_allclose(sparse.loss, dense.loss, rtol=1e-12)


@pytest.mark.parametrize(("largest", "error"), [(0.6, 2e-9), (3.0, 2e-7)])
def test_single_precision_diagonal_is_corrected(largest, error):
    """With and without columns above 1, where rows are exchanged."""
    rng = np.random.default_rng(5)
    A = rng.random((600, 600)) ** 6
    A *= 0.6 / A.sum(axis=0)
    A[np.diag_indices(600)] += 0.2
    A[0, 1], A[1, 0], A[0, 0] = 0, largest, 0.3
    exact = np.diagonal(np.linalg.inv(np.eye(600) - A))
    single, double = factorise(A, precision="single"), factorise(A)
    assert (single.pivots == np.arange(600)).all() == (largest < 1)
    np.testing.assert_allclose(inverse_diagonal(single), exact, rtol=error)
    np.testing.assert_allclose(inverse_diagonal(double), exact, rtol=1e-13)
    assert np.abs(np.diagonal(single.raw_inverse()) / exact - 1).max() > 1e-8  # what the correction removes


def test_bad_input():
    system = factorise(GOLDEN)
    with pytest.raises(KernelError, match="final demand"):
        extract(system, [1.0])
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(KernelError, match="fraction"):
            extract(system, [1.0, 1.0], fraction=wrong)
    for wrong in ([2], [-1], []):
        with pytest.raises(KernelError, match="sectors"):
            output_without(system, [1.0, 1.0], wrong)


def test_share_of_nothing_is_nan():
    assert np.isnan(extract(factorise(GOLDEN), [0.0, 0.0]).share).all()
