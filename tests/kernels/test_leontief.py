"""Leontief kernels: published values, the dense inverse as reference, invariants, bad input."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.errors import KernelError
from ronghe.kernels.leontief import (
    NegativeFlows,
    NotProductive,
    SingularSystem,
    backward_linkage,
    blamed,
    check_flows,
    check_productive,
    factorise,
    leontief_inverse,
    multipliers,
    normalised,
    output,
    satellite_coefficients,
    technical_coefficients,
)
from ronghe.kernels.neumann import SlowConvergence, iterative

Z = np.array([[150.0, 500.0], [200.0, 100.0]])
X = np.array([1000.0, 2000.0])
A = technical_coefficients(Z, X)


@st.composite
def economies(draw, largest=12):
    """A productive random economy: (A, f), column sums between 0 and 0.95, some cells zero."""
    n = draw(st.integers(1, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A = rng.random((n, n)) ** 3 * (rng.random((n, n)) < draw(st.floats(0.1, 1)))
    total = A.sum(axis=0)
    A = A * np.divide(rng.random(n) * 0.95, total, out=np.zeros(n), where=total > 0)
    return A, rng.random(n)


def test_miller_blair_golden_values():
    L = [[1.254125, 0.330033], [0.264026, 1.122112]]
    np.testing.assert_allclose(leontief_inverse(A), L, atol=5e-7)
    np.testing.assert_allclose(output(factorise(A), [600, 1500]), [1247.5, 1841.6], atol=0.05)
    np.testing.assert_allclose(backward_linkage(factorise(A)), np.sum(L, axis=0), atol=1e-6)


@pytest.mark.parametrize("precision", ["double", "single"])
@settings(max_examples=40, deadline=None)
@given(economy=economies())
def test_equals_dense_inverse(precision, economy):
    A, f = economy
    L = np.linalg.inv(np.eye(len(A)) - A)
    system = factorise(A, precision=precision)
    S = np.stack([f, f[::-1] ** 2])
    np.testing.assert_allclose(output(system, f), L @ f, rtol=1e-11)
    np.testing.assert_allclose(multipliers(system, S), S @ L, rtol=1e-11)
    np.testing.assert_allclose(system.inverse(), L, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(check_productive(system), L.sum(axis=0), rtol=1e-11)
    assert system.solve(f).residual <= 1e-12


@settings(max_examples=30, deadline=None)
@given(economy=economies())
def test_sparse_and_series_equal_dense(economy):
    A, f = economy
    expected = np.linalg.solve(np.eye(len(A)) - A, f)
    sparse = sp.csr_array(A)
    for system in (factorise(sparse), iterative(A), iterative(sparse)):
        np.testing.assert_allclose(system.solve(f).x, expected, rtol=1e-10)
        np.testing.assert_allclose(
            system.solve(np.stack([f, 2 * f], 1), transposed=True).x[:, 1],
            2 * np.linalg.solve(np.eye(len(A)) - A.T, f),
            rtol=1e-10,
        )
    np.testing.assert_allclose(factorise(sparse).inverse(), np.linalg.inv(np.eye(len(A)) - A), rtol=1e-10)


@settings(max_examples=30, deadline=None)
@given(economy=economies(), seed=st.integers(0, 2**32 - 1))
def test_invariants(economy, seed):
    A, f = economy
    system = factorise(A)
    x = output(system, f)
    assert (x >= f * (1 - 1e-12)).all()
    more = output(system, f + 0.1)
    assert (more >= x).all()
    order = np.random.default_rng(seed).permutation(len(A))
    np.testing.assert_allclose(output(factorise(A[np.ix_(order, order)]), f[order]), x[order], rtol=1e-11)
    content = multipliers(system, 1 - A.sum(axis=0))
    np.testing.assert_allclose(content, 1, rtol=1e-11)  # value added exhausts every unit of final demand


def test_zero_rows_of_demand_and_scales_apart():
    rng = np.random.default_rng(1)
    A = rng.random((40, 40))
    A *= 0.7 / A.sum(axis=0)
    f = np.stack([np.zeros(40), rng.random(40) * 1e12, rng.random(40) * 1e-12], axis=1)
    got = factorise(A, precision="single").solve(f)
    np.testing.assert_allclose(got.x, np.linalg.solve(np.eye(40) - A, f), rtol=1e-12)
    assert (got.x[:, 0] == 0).all()


def test_idle_sector_has_zero_column():
    Z = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [3.0, 0.0, 1.0]])
    A = technical_coefficients(Z, [10.0, 0.0, 8.0])
    np.testing.assert_array_equal(A[:, 1], 0)
    np.testing.assert_array_equal(technical_coefficients(sp.csr_array(Z), [10.0, 0.0, 8.0]).toarray(), A)
    np.testing.assert_array_equal(satellite_coefficients([[5.0, 0.0, 4.0]], [10.0, 0.0, 8.0]), [[0.5, 0, 0.5]])
    assert backward_linkage(factorise(A))[1] == 1


def test_idle_sector_that_buys_is_named():
    Z = np.array([[1.0, 4.0], [0.0, 0.0]])
    for table in (Z, sp.csr_array(Z)):
        with pytest.raises(KernelError) as error:
            technical_coefficients(table, [10.0, 0.0])
        assert error.value.code == "idle"
        assert error.value.details["sectors"].tolist() == [1]


def test_not_productive_names_sectors():
    A = np.diag([0.2, 0.3, 0.4, 0.1])
    A[1, 2], A[2, 1] = 0.9, 0.8  # sectors 1 and 2 feed each other at a loss; 0 and 3 are sound
    A[3, 0] = 0.7
    for table in (A, sp.csr_array(A)):
        with pytest.raises(NotProductive) as error:
            factorise(table)
        assert error.value.sectors.tolist() == [1, 2]
        assert error.value.code == "not-productive"


def test_column_sum_above_one_may_be_productive():
    A = np.array([[0.1, 0.9], [0.1, 0.5]])
    assert A.sum(axis=0).max() > 1
    system = factorise(A)
    np.testing.assert_allclose(system.inverse(), np.linalg.inv(np.eye(2) - A))
    assert blamed(A).size == 0


def test_one_way_chain_may_pay_any_price():
    A = np.array([[0.0, 5.0], [0.0, 0.0]])  # nilpotent: spectral radius 0 with a column sum of 5
    np.testing.assert_allclose(factorise(A).inverse(), [[1, 5], [0, 1]])


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 8), scale=st.floats(0.3, 1.7), seed=st.integers(0, 2**32 - 1))
def test_productive_exactly_when_spectral_radius_below_one(n, scale, seed):
    rng = np.random.default_rng(seed)
    A = rng.random((n, n)) * (rng.random((n, n)) < 0.5)
    radius = np.abs(np.linalg.eigvals(A)).max()
    A = A * scale / radius if radius > 1e-6 else A
    radius = np.abs(np.linalg.eigvals(A)).max()
    if abs(radius - 1) < 1e-6:
        return
    if radius < 1:
        factorise(A)
    else:
        with pytest.raises(NotProductive) as error:
            factorise(A)
        assert len(error.value.sectors)
        assert (A.sum(axis=0)[error.value.sectors] >= 1).all()


def test_singular_system():
    A = np.array([[0.5, 0.5], [0.5, 0.5]])
    for table in (A, sp.csr_array(A)):
        with pytest.raises(SingularSystem, match="sectors 0, 1") as error:
            factorise(table)
        assert error.value.sectors.tolist() == [0, 1]
    with pytest.raises(NotProductive):
        iterative(A)


def test_iteration_that_diverges_names_sectors():
    A = np.diag([0.2, 0.3, 0.4, 0.1, 0.2])
    A[1, 2], A[2, 1] = 0.9, 0.8  # across two blocks, so that no block shows it
    A[3, 0] = 0.7
    for system in (iterative(A), iterative(A, blocks=[0, 0, 1, 1, 2]), iterative(sp.csr_array(A))):
        with pytest.raises(NotProductive) as error:
            system.solve(np.ones(5))
        assert error.value.sectors.tolist() == [1, 2]


def test_series_says_when_it_is_slow():
    A = np.array([[0.0, 0.999], [0.999, 0.0]])
    for system in (iterative(A, rounds=20), iterative(A, blocks=[0, 1], rounds=20)):
        with pytest.raises(SlowConvergence) as error:
            system.solve([1.0, 1.0])
        assert error.value.residual > 1e-3
    np.testing.assert_allclose(iterative(A, blocks=[0, 1], rounds=20000).solve([1.0, 1.0]).x, 1000, rtol=1e-9)


def test_negative_flows_are_named():
    bad = Z.copy()
    bad[1, 0] = -3
    for table in (bad, sp.csr_array(bad)):
        with pytest.raises(NegativeFlows) as error:
            technical_coefficients(table, X)
        assert error.value.cells.tolist() == [[1, 0]]
    assert technical_coefficients(bad, X, allow_negative=True)[1, 0] == -0.003


@pytest.mark.parametrize(
    ("Z", "x"),
    [
        (np.ones((2, 3)), [1.0, 1.0, 1.0]),
        (np.eye(2), [1.0]),
        (np.eye(2), [1.0, -1.0]),
        (np.eye(2), [1.0, np.nan]),
        (np.array([[np.nan, 0], [0, 0]]), [1.0, 1.0]),
    ],
)
def test_bad_tables(Z, x):
    with pytest.raises(KernelError):
        technical_coefficients(Z, x)


def test_bad_right_hand_sides():
    for system in (factorise(A), iterative(A)):
        for wrong in ([1.0], [np.nan, 1.0], np.ones((3, 2))):
            with pytest.raises(KernelError):
                system.solve(wrong)
    with pytest.raises(KernelError):
        check_flows(np.ones(3))


def test_normalised_linkage_has_mean_one():
    linkage = normalised(backward_linkage(factorise(A)))
    assert linkage.mean() == pytest.approx(1)
    np.testing.assert_allclose(linkage * 2.970296 / 2, [1.518151, 1.452145], atol=1e-6)


def test_coefficients_in_place_and_without_checks():
    flows = Z.copy()
    assert technical_coefficients(flows, X, out=flows) is flows
    np.testing.assert_array_equal(flows, A)
    odd = np.array([[0.2, -0.3], [0.5, 0.1]])
    np.testing.assert_allclose(factorise(odd, check=False).inverse(), np.linalg.inv(np.eye(2) - odd))
    with pytest.raises(SingularSystem):
        factorise(np.array([[0.5, 0.25], [1.0, 0.5]]) + 1e-17, check=False)
    with pytest.raises(SingularSystem):
        factorise(np.array([[1.0 - 1e-9, 0.0], [0.0, 0.2]]), check=False, precision="single")


@settings(max_examples=30, deadline=None)
@given(economy=economies(), cuts=st.integers(1, 5))
def test_blocks_change_the_way_not_the_result(economy, cuts):
    A, f = economy
    system = iterative(A, blocks=np.arange(len(A)) // cuts)
    M = np.eye(len(A)) - A
    np.testing.assert_allclose(system.solve(f).x, np.linalg.solve(M, f), rtol=1e-10)
    got = system.solve(np.stack([f, f**2], axis=1), transposed=True)
    np.testing.assert_allclose(got.x[:, 1], np.linalg.solve(M.T, f**2), rtol=1e-10)
    assert got.residual <= 1e-12


def test_bad_blocks():
    for blocks in ([1, 0], [0], [0, 1, 2]):
        with pytest.raises(KernelError, match="blocks"):
            iterative(A, blocks=blocks)
    with pytest.raises(KernelError, match="dense"):
        iterative(sp.csr_array(A), blocks=[0, 1])
    with pytest.raises(NegativeFlows):
        iterative(-A)
    for own in (1.0, 1.3):
        with pytest.raises(NotProductive) as error:
            iterative(np.array([[0.2, 0.1], [0.0, own]]), blocks=[0, 1])
        assert error.value.sectors.tolist() == [1]


@pytest.mark.parametrize("precision", ["double", "single"])
def test_sectors_without_inputs_are_left_out_of_the_factors(precision):
    rng = np.random.default_rng(3)
    coefficients = rng.random((40, 40)) / 60
    coefficients[:, [0, 7, 39]] = 0  # 0 and 7 still sell
    coefficients[39] = 0
    L = np.linalg.inv(np.eye(40) - coefficients)
    system = factorise(coefficients, precision=precision)
    assert system.lu.shape == (37, 37)
    np.testing.assert_allclose(system.solve(np.eye(40)).x, L, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(system.solve(np.eye(40), transposed=True).x, L.T, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(system.raw_inverse(), L, rtol=1e-5 if precision == "single" else 1e-11, atol=1e-6)
    np.testing.assert_allclose(system.column_sums, L.sum(axis=0), rtol=1e-11)
    assert leontief_inverse(np.zeros((2, 2))).tolist() == [[1, 0], [0, 1]]
