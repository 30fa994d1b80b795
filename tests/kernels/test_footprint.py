"""Footprints and value added in trade: dense S L Ŷ as reference, pymrio on the WIOD table."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.errors import KernelError
from ronghe.kernels.footprint import accounts, flows_by_origin, origins, value_added_trade
from ronghe.kernels.leontief import factorise, satellite_coefficients, technical_coefficients
from ronghe.kernels.neumann import iterative


def world(regions, products, seed):
    """A closed multi-regional table: (Z, Y, x, region, product)."""
    rng = np.random.default_rng(seed)
    n = regions * products
    Z, Y = rng.random((n, n)) ** 4, rng.random((n, regions)) * n / 4
    x = Z.sum(axis=1) + Y.sum(axis=1)
    scale = np.maximum(1, Z.sum(axis=0) / (0.8 * x))
    Z = Z / scale
    x = Z.sum(axis=1) + Y.sum(axis=1)
    return Z, Y, x, np.repeat(np.arange(regions), products), np.tile(np.arange(products), regions)


def spread(Y, product):
    """Y with a column for each consuming region and product, (n, R, K)."""
    return Y[:, :, None] * (product[:, None] == np.arange(product.max() + 1))[:, None, :]


@pytest.mark.parametrize("build", [factorise, iterative, lambda A: factorise(A, precision="single")])
@settings(max_examples=12, deadline=None)
@given(regions=st.integers(1, 4), products=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_accounts_equal_dense(build, regions, products, seed):
    Z, Y, x, region, product = world(regions, products, seed)
    A = technical_coefficients(Z, x)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))  # sectors need not come sorted by region
    A, Y, x, region, product = A[np.ix_(order, order)], Y[order], x[order], region[order], product[order]
    S = rng.random((2, len(x)))
    got = accounts(build(A), S, Y, region, product)
    L = np.linalg.inv(np.eye(len(x)) - A)
    sets = np.einsum("ij,jcp->icp", L, spread(Y, product))  # output at i caused by c's demand for p
    away = region[:, None] != np.arange(regions)
    close = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(got.multipliers, S @ L, **close)
    np.testing.assert_allclose(got.consumption, np.einsum("ki,icp->kcp", S, sets), **close)
    np.testing.assert_allclose(got.imports, np.einsum("ki,ic,icp->kcp", S, away, sets), **close)
    np.testing.assert_allclose(got.production, S * x, **close)
    np.testing.assert_allclose(got.exports, S * np.einsum("ic,icp->i", away, sets), **close)
    np.testing.assert_allclose(flows_by_origin(build(A), S[0], Y), S[0][:, None] * (L @ Y), **close)
    assert got.residual < 1e-11
    # Everything that is emitted is caused by someone; what is imported, someone exports.
    np.testing.assert_allclose(got.consumption.sum((1, 2)), got.production.sum(1), rtol=1e-9)
    np.testing.assert_allclose(got.imports.sum((1, 2)), got.exports.sum(1), **close)


@settings(max_examples=25, deadline=None)
@given(regions=st.integers(1, 4), products=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_value_added_in_trade(regions, products, seed):
    Z, Y, x, region, _ = world(regions, products, seed)
    A = technical_coefficients(Z, x)
    s = 1 - A.sum(axis=0)
    L = np.linalg.inv(np.eye(len(x)) - A)
    system = factorise(A)
    T = origins(system, s, region)
    member = region == np.arange(regions)[:, None]
    np.testing.assert_allclose(T, (member * s) @ L, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(T.sum(axis=0), 1, rtol=1e-10)
    trade = value_added_trade(system, s, Z, Y, region)
    exports = np.array(
        [Z[member[r]][:, ~member[r]].sum() + np.delete(Y[member[r]], r, axis=1).sum() for r in range(regions)]
    )
    np.testing.assert_allclose(trade.gross_exports, exports, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(trade.domestic + trade.foreign, exports, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(trade.vax, member @ (s[:, None] * (L @ Y)), rtol=1e-9)
    np.testing.assert_allclose(trade.vax.sum(), Y.sum(), rtol=1e-9)  # world GDP both ways
    abroad = trade.vax.sum(axis=1) - np.diagonal(trade.vax)
    assert (abroad <= trade.gross_exports * (1 + 1e-9) + 1e-9).all()
    sparse = value_added_trade(system, s, sp.csr_array(Z), Y, region)
    np.testing.assert_allclose(sparse.domestic, trade.domestic, rtol=1e-12)


def test_domestic_share_of_a_region_without_exports_is_nan():
    Z, Y = np.diag([1.0, 1.0]), np.diag([2.0, 3.0])
    trade = value_added_trade(factorise(Z / [3.0, 4.0]), [2 / 3, 3 / 4], Z, Y, [0, 1])
    assert np.isnan(trade.domestic_share).all()
    np.testing.assert_allclose(trade.vax, Y)


def test_bad_input():
    system = factorise(np.eye(2) * 0.1)
    Y = np.ones((2, 2))
    for region in ([0.0, 1.0], [0], [-1, 0]):
        with pytest.raises(KernelError):
            accounts(system, [1.0, 1.0], Y, region, [0, 0])
    with pytest.raises(KernelError):
        accounts(system, [1.0, 1.0, 1.0], Y, [0, 1], [0, 0])
    with pytest.raises(KernelError):
        accounts(system, [1.0, 1.0], Y[:, :1], [0, 1], [0, 0])
    with pytest.raises(KernelError):
        origins(system, [1.0], [0, 1])


def wiod(mirror, year):
    """WIOD: (Z, Y, x, region, product), 41 regions x 35 industries, million US dollars, rounded to one."""
    import rdata

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        table = next(iter(rdata.read_rda(mirror / "wiod2013" / f"wiot_{year}.RData").values()))
    Z, final = np.asarray(table["inter"], dtype=float), np.asarray(table["final"], dtype=float)
    Y = final.reshape(1435, 41, -1).sum(axis=2)
    x = np.asarray(table["output"], dtype=float)
    return Z, Y, x, np.repeat(np.arange(41), 35), np.tile(np.arange(35), 41)


@pytest.mark.mirror
@pytest.mark.peer
@pytest.mark.parametrize(
    "build",
    [
        lambda A, region: factorise(A, precision="single"),
        lambda A, region: iterative(A, blocks=region),
    ],
    ids=["single", "blocks"],
)
def test_equals_pymrio_on_wiod(mirror, build):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer's own dependencies deprecate things at import
        pymrio = pytest.importorskip("pymrio")
    import pandas as pd

    Z, Y, x, region, product = wiod(mirror, 2009)
    F = np.stack([x - Z.sum(axis=0), x**0.5])
    sectors = pd.MultiIndex.from_arrays([region, product], names=["region", "sector"])
    demand = pd.MultiIndex.from_arrays([range(41), ["f"] * 41], names=["region", "category"])
    peer = pymrio.IOSystem(
        Z=pd.DataFrame(Z, sectors, sectors),
        Y=pd.DataFrame(Y, sectors, demand),
        x=pd.DataFrame(x[:, None], sectors, ["indout"]),
        sat={"name": "sat", "F": pd.DataFrame(F, ["va", "other"], sectors)},
    ).calc_all()
    got = accounts(
        build(technical_coefficients(Z, x), region),
        satellite_coefficients(F, x),
        Y,
        region,
        product,
    )
    assert got.residual < 1e-12
    for ours, theirs in (
        (got.multipliers, peer.sat.M),
        (got.consumption, peer.sat.D_cba),
        (got.imports, peer.sat.D_imp),
        (got.production, peer.sat.D_pba),
        (got.exports, peer.sat.D_exp),
    ):
        expected = theirs.to_numpy()
        scale = np.abs(expected).max()
        np.testing.assert_allclose(ours.reshape(2, -1), expected, rtol=1e-9, atol=1e-13 * scale)


@pytest.mark.mirror
def test_chinas_exports_in_wiod_first_lose_then_regain_domestic_value(mirror):
    """The known turn: assembly for export thinned China's share until about 2005; then suppliers settled at home."""
    china, shares = 6, {}
    for year in (1995, 2005, 2009):
        Z, Y, x, region, _ = wiod(mirror, year)
        A = technical_coefficients(Z, x)
        trade = value_added_trade(factorise(A), (1 - A.sum(axis=0)) * (x > 0), Z, Y, region)
        # Rounding leaves a few millions of sales to sectors without output, which nobody's value added explains.
        np.testing.assert_allclose(trade.domestic + trade.foreign, trade.gross_exports, rtol=2e-4)
        assert ((trade.domestic_share > 0.3) & (trade.domestic_share < 1)).all()
        shares[year] = trade.domestic_share[china]
    assert shares[1995] > shares[2009] > shares[2005]
    assert 0.7 < shares[2005] < 0.78
