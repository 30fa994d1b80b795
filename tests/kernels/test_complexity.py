"""Relatedness and complexity: small cases by hand, brute force, published output, ecomplexity."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ronghe.kernels import complexity as k
from ronghe.kernels.errors import KernelError

NESTED = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
FLOWS = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 7), st.integers(2, 7)), elements=st.sampled_from([0.0, 1, 2, 9])
)


def some_presence(seed, shape=(12, 30), share=0.4):
    rng = np.random.default_rng(seed)
    m = rng.random(shape) < share * rng.random(shape[0])[:, None] + 0.2
    return m


@settings(max_examples=80, deadline=None)
@given(FLOWS)
def test_rca_is_the_ratio_of_shares_and_averages_to_one(x):
    if x.sum() == 0:
        with pytest.raises(KernelError):
            k.rca(x)
        return
    index = k.rca(x)
    assert np.isfinite(index).all()
    for c, p in np.ndindex(x.shape):
        if x[c].sum() and x[:, p].sum():
            assert index[c, p] == pytest.approx((x[c, p] / x[c].sum()) / (x[:, p].sum() / x.sum()))
        else:
            assert index[c, p] == 0
    weight = x.sum(axis=0) / x.sum()
    traded = x.sum(axis=1) > 0
    assert index[traded] @ weight == pytest.approx(np.ones(traded.sum()))


def test_proximity_and_density_by_the_definition():
    m = some_presence(1, (6, 8)).astype(int)
    m[:, 3] = 0
    phi = k.proximity(m)
    dens = k.density(m, phi)
    ubiquity = m.sum(axis=0)
    for p, q in np.ndindex(8, 8):
        both = (m[:, p] & m[:, q]).sum()
        larger = max(ubiquity[p], ubiquity[q])
        assert phi[p, q] == (both / larger if larger else 0)
    for c, p in np.ndindex(6, 8):
        if p == 3:
            assert np.isnan(dens[c, p])
        else:
            assert dens[c, p] == pytest.approx((phi[p] * m[c]).sum() / phi[p].sum())


def test_nested_world_is_ordered_by_diversity():
    found = k.complexity(NESTED)
    assert k.ranks(found.eci).tolist() == [1, 2, 3, 4]
    assert k.ranks(found.pci).tolist() == [4, 3, 2, 1]
    fit = k.fitness(NESTED, steps=30)
    assert k.ranks(fit.fitness).tolist() == [1, 2, 3, 4]
    assert k.ranks(fit.complexity).tolist() == [4, 3, 2, 1]


@pytest.mark.parametrize("shape", [(9, 25), (25, 9)])
def test_eci_is_the_second_eigenvector_of_the_definition(shape):
    m = some_presence(3, shape).astype(float)
    found = k.complexity(m)
    walk = (m / m.sum(1)[:, None]) @ (m / m.sum(0)).T
    assert walk @ found.eci_raw == pytest.approx(found.lambda2 * found.eci_raw)
    values = np.sort(np.linalg.eigvals(walk).real)
    assert values[-2] == pytest.approx(found.lambda2)
    assert values[-3] == pytest.approx(found.lambda3, abs=1e-12)
    assert (m @ found.pci_raw) / m.sum(1) == pytest.approx(found.eci_raw)
    assert np.corrcoef(found.eci, m.sum(1))[0, 1] > 0
    for index in (found.eci, found.pci):
        assert (index.mean(), index.std()) == pytest.approx((0, 1))


def test_zero_margins_change_nothing_for_the_others_and_rank_last():
    m = some_presence(4).astype(int)
    padded = np.zeros((14, 32), int)
    padded[1:13, 2:32] = m
    plain, wide = k.complexity(m), k.complexity(padded)
    assert wide.eci[1:13] == pytest.approx(plain.eci)
    assert wide.pci[2:] == pytest.approx(plain.pci)
    assert np.isnan(wide.eci[[0, 13]]).all()
    assert np.isnan(wide.pci[:2]).all()
    assert k.ranks(wide.eci)[[0, 13]].tolist() == [13, 13]
    fit, fit_wide = k.fitness(m, steps=20), k.fitness(padded, steps=20)
    assert fit_wide.fitness[1:13] == pytest.approx(fit.fitness)
    coi, cog = k.outlook(padded, k.proximity(padded), k.density(padded, k.proximity(padded)), wide.pci)
    assert np.isfinite(coi).all()
    assert np.isfinite(cog).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_rows_and_columns_is_immaterial(seed):
    rng = np.random.default_rng(seed)
    m = some_presence(seed)
    m[:, 0] = True
    rows, columns = rng.permutation(m.shape[0]), rng.permutation(m.shape[1])
    try:
        plain, mixed = k.complexity(m), k.complexity(m[np.ix_(rows, columns)])
    except KernelError:
        return
    if plain.lambda2 - plain.lambda3 > 1e-6 and abs(np.corrcoef(m.sum(1), plain.eci)[0, 1]) > 1e-6:
        assert mixed.eci == pytest.approx(plain.eci[rows], abs=1e-6, nan_ok=True)
        assert mixed.pci == pytest.approx(plain.pci[columns], abs=1e-6, nan_ok=True)


def test_outlook_by_the_definition():
    m = some_presence(6, (5, 9)).astype(int)
    phi = k.proximity(m)
    dens, pci = k.density(m, phi), k.complexity(m).pci
    coi, cog = k.outlook(m, phi, dens, pci)
    for c in range(5):
        assert coi[c] == pytest.approx(sum(dens[c, p] * (1 - m[c, p]) * pci[p] for p in range(9)))
        for p in range(9):
            gain = sum((1 - m[c, q]) * phi[p, q] * pci[q] / phi[q].sum() for q in range(9))
            assert cog[c, p] == pytest.approx((1 - m[c, p]) * gain)


def test_prody_and_expy_by_hand():
    x = np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    prody, expy = k.prody_expy(x, [10.0, 40.0])
    index = k.rca(x)
    assert prody[0] == pytest.approx((index[0, 0] * 10 + index[1, 0] * 40) / index[:, 0].sum())
    assert prody[1] == pytest.approx(40)
    assert np.isnan(prody[2])
    assert expy == pytest.approx([prody[0], (prody[0] + prody[1]) / 2])
    without, _ = k.prody_expy(x, [np.nan, 40.0])
    assert without[:2] == pytest.approx([40, 40])


def test_fitness_says_when_it_has_not_settled():
    short = k.fitness(some_presence(8), steps=2)
    assert (short.steps, short.moved > 1e-9) == (2, True)
    long = k.fitness(some_presence(8))
    assert long.moved <= 1e-9
    assert np.nanmean(long.fitness) == pytest.approx(1)
    assert np.nanmean(long.complexity) == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: k.rca([1.0, 2.0]), "shape"),
        (lambda: k.rca([[1.0, -2.0]]), "negative"),
        (lambda: k.rca([[1.0, np.nan]]), "not_finite"),
        (lambda: k.proximity([[0.5, 1.0]]), "not_binary"),
        (lambda: k.density(NESTED, np.eye(3)), "shape"),
        (lambda: k.complexity([[1, 1], [1, 0]]), "too_small"),
        (lambda: k.complexity(np.kron(np.eye(2), np.ones((2, 2)))), "disconnected"),
        (lambda: k.fitness(np.zeros((2, 2))), "empty"),
        (lambda: k.outlook(NESTED, np.eye(4), NESTED, [1.0]), "shape"),
        (lambda: k.prody_expy([[1.0]], [1.0, 2.0]), "shape"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code


@pytest.mark.peer
def test_equals_ecomplexity_except_for_its_faults():
    """Left out of the comparison, as faults of ecomplexity 0.5.3.

    PCI: scaled by ECI's moments, so only raw values can be equal. The eigenvector comes from a non-symmetric solver
    on the larger side, equal to about nine digits. Zero margins are not fed: it turns whole columns into NaN.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = pytest.importorskip("ecomplexity")
        pandas = pytest.importorskip("pandas")
        rng = np.random.default_rng(12)
        x = np.exp(rng.normal(size=(20, 45)) * 2) * (rng.random((20, 45)) < 0.6)
        place, activity = np.indices(x.shape)
        frame = pandas.DataFrame({"t": 2000, "c": place.ravel(), "p": activity.ravel(), "v": x.ravel()})
        names = {"time": "t", "loc": "c", "prod": "p", "val": "v"}
        out = peer.ecomplexity(frame, names, check_logsupermodularity=False, verbose=False)
    theirs = {name: out.sort_values(["c", "p"])[name].to_numpy().reshape(x.shape) for name in out.columns[4:]}
    index = k.rca(x)
    m = k.presence(index)
    phi = k.proximity(m)
    dens, found = k.density(m, phi), k.complexity(m)
    assert index == pytest.approx(theirs["rca"])
    assert np.array_equal(m, theirs["mcp"])
    assert dens == pytest.approx(theirs["density"])
    assert found.eci == pytest.approx(theirs["eci"][:, 0], abs=1e-8)
    by_eci_moments = found.pci_raw - found.eci_raw.mean()
    assert by_eci_moments == pytest.approx(theirs["pci"][0], abs=1e-8)
    coi, cog = k.outlook(m, phi, dens, found.pci_raw)
    assert (coi - coi.mean()) / coi.std() == pytest.approx(theirs["coi"][:, 0], abs=1e-8)
    assert cog == pytest.approx(theirs["cog"], abs=1e-8)


@pytest.fixture(scope="module")
def trade(mirror):
    """World trade, average of 1998-2000: flows with labels, and what the R package economiccomplexity published."""
    rdata = pytest.importorskip("rdata")
    folder = mirror / "trade_complexity" / "data"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = rdata.read_rda(folder / "world_trade_avg_1998_to_2000.rda")["world_trade_avg_1998_to_2000"]
        published = rdata.read_rda(folder / "economiccomplexity_output.rda")["economiccomplexity_output"]
    x = table.pivot_table(index="country", columns="product", values="value", aggfunc="sum", fill_value=0)
    return x, published


@pytest.mark.mirror
def test_published_balassa_index_and_proximities_are_hit_exactly(trade):
    x, published = trade
    m = k.presence(k.rca(x.to_numpy()))
    assert np.array_equal(m, published["balassa_index"].to_numpy())
    assert k.proximity(m) == pytest.approx(published["proximity"]["proximity_product"].to_numpy(), abs=1e-12)
    assert k.proximity(m.T) == pytest.approx(published["proximity"]["proximity_country"].to_numpy(), abs=1e-12)


@pytest.mark.mirror
def test_published_complexity_ranks(trade):
    """The published country index is fitness (positive, mean 1); the kernel's fitness has the same ranks."""
    x, published = trade
    fit = k.fitness(k.presence(k.rca(x.to_numpy())), steps=20, tolerance=0)
    measures = published["complexity_measures"]
    country = measures["complexity_index_country"].to_numpy()
    product = measures["complexity_index_product"].to_numpy()
    assert np.corrcoef(k.ranks(fit.fitness), k.ranks(country))[0, 1] > 0.999
    assert np.corrcoef(k.ranks(fit.complexity), k.ranks(product))[0, 1] > 0.999
    assert fit.fitness == pytest.approx(country, abs=1e-3)


@pytest.mark.mirror
def test_eci_of_large_exporters_names_the_known_leaders(trade):
    """With tiny exporters in, one odd basket rules the second eigenvector; the published rankings leave them out."""
    x, _ = trade
    large = x[x.sum(axis=1) > 1e7]
    large = large.loc[:, large.sum() > 0]
    order = large.index[np.argsort(k.ranks(k.complexity(k.presence(k.rca(large.to_numpy()))).eci))]
    assert {"jpn", "deu", "che", "swe"} <= set(order[:8])
