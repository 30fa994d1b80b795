"""Dependence by hand, bounds by trying every split, chains by transitive closure, the mirror's trade table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels.dependency import (
    dependence,
    downstream,
    exporter_reliance,
    herfindahl,
    herfindahl_bounds,
    single_points,
    substitutable,
)
from ronghe.kernels.errors import KernelError

amounts = st.floats(0, 1e6).map(lambda v: 0.0 if v < 1e-3 else v)


@settings(max_examples=50, deadline=None)
@given(flows=arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=amounts), seed=st.integers(0, 99))
def test_herfindahl_invariants(flows, seed):
    got = herfindahl(flows)
    for row, value in zip(flows, got, strict=True):
        if row.sum() == 0:
            assert np.isnan(value)
        else:
            assert 1 / np.count_nonzero(row) - 1e-12 <= value <= 1 + 1e-12
    shuffled = np.random.default_rng(seed).permutation(flows, axis=1)
    np.testing.assert_allclose(herfindahl(shuffled * 7), got, rtol=1e-12)


def test_dependence_by_hand():
    """Four products over three years; only the first and the last meet all three criteria in two years."""
    even, steep = [1.0, 1.0, 1.0, 1.0], [10.0, 1.0, 0.0, 0.0]  # HHI 0.25 and 101/121
    imports = np.array([[steep, steep, even, steep]] * 3)
    world = np.array([[steep, even, steep, steep]] * 3)
    exports = np.array([[1.0, 1.0, 1.0, 0.0]] * 3)
    exports[0, 0] = 50.0  # exports more than it imports in one year: two of three are left
    got = dependence(imports, world, exports)
    assert got.dependent.tolist() == [True, False, False, True]
    assert got.met[:, 0].tolist() == [False, True, True]
    np.testing.assert_allclose(got.hhi_imports[0], [101 / 121, 101 / 121, 0.25, 101 / 121])
    np.testing.assert_allclose(got.ratio[:, 0], [11 / 50, 11, 11])
    assert np.isinf(got.ratio[:, 3]).all()
    exports[1, 0] = 50.0  # now only one year is left
    assert not dependence(imports, world, exports).dependent[0]
    assert dependence(imports, world, exports, years=1).dependent[0]


def test_thresholds_are_strict_and_no_trade_is_no_dependence():
    two = np.array([[[1.0, 1.0]]] * 3)
    assert not dependence(two, two, [[0.0]] * 3, threshold=0.5).dependent[0]
    assert not dependence(two, two, [[2.0]] * 3).dependent[0]  # a ratio of exactly 1
    none = dependence(np.zeros((3, 1, 2)), two, [[0.0]] * 3)
    assert np.isnan(none.ratio).all()
    assert not none.dependent[0]


def test_bad_dependence():
    flows = np.ones((3, 2, 4))
    for arguments in (
        (flows[0], flows, np.ones((3, 2))),
        (flows, flows, np.ones((2, 2))),
        (-flows, flows, np.ones((3, 2))),
    ):
        with pytest.raises(KernelError):
            dependence(*arguments)
    with pytest.raises(KernelError, match="years"):
        dependence(flows, flows, np.ones((3, 2)), years=4)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), spare=st.floats(0, 2))
def test_substitutable_by_loops(seed, spare):
    rng = np.random.default_rng(seed)
    bought, sold = rng.random((3, 4)) * (rng.random((3, 4)) < 0.7), rng.random((3, 4))
    got = substitutable(bought, sold, spare=spare)
    for p in range(3):
        for c in range(4):
            others = spare * sum(sold[p, k] for k in range(4) if k != c)
            expected = min(1, others / bought[p, c]) if bought[p, c] > 0 else np.nan
            np.testing.assert_allclose(got[p, c], expected, rtol=1e-9)
    assert (np.nan_to_num(substitutable(bought, sold, spare=spare + 1)) >= np.nan_to_num(got)).all()


def test_bad_substitutable():
    with pytest.raises(KernelError):
        substitutable([[1.0]], [[1.0, 2.0]])
    with pytest.raises(KernelError):
        substitutable([[1.0]], [[1.0]], spare=-1)


def test_reliance():
    star = np.zeros((4, 4))
    star[2, [0, 1, 3]] = [100, 1, 7]
    ring = np.roll(np.eye(4), 1, axis=1)
    half = np.array([[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0.0]])
    got = exporter_reliance([star, ring, half, np.zeros((4, 4))])
    np.testing.assert_allclose(got.centralisation[:2], [1, 0], atol=1e-12)
    np.testing.assert_allclose(got.centrality[2], [0.75, 0.25, 0, 0])  # importers 1 and 2: shares 1 and 1/2
    np.testing.assert_allclose(got.centralisation[2], (0.5 + 0.75 + 0.75) / 3)
    assert np.isnan(got.centralisation[3])
    assert got.hub.tolist() == [2, 0, 0, -1]
    np.testing.assert_allclose(got.centrality[:3].sum(axis=1), 1)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), unnamed=st.integers(1, 4))
def test_bounds_hold_for_every_split_and_are_reached(seed, unnamed):
    rng = np.random.default_rng(seed)
    known = rng.dirichlet(np.ones(4))[:3] * rng.random()
    bounds = herfindahl_bounds(known, unnamed)
    rest = 1 - known.sum()
    for _ in range(20):
        full = np.concatenate([known, rest * rng.dirichlet(np.ones(unnamed) * rng.uniform(0.05, 3))])
        assert bounds.hhi_low - 1e-12 <= (full**2).sum() <= bounds.hhi_high + 1e-12
        assert bounds.top_low - 1e-12 <= full.max() <= bounds.top_high + 1e-12
    even, one = np.append(known, np.full(unnamed, rest / unnamed)), np.append(known, rest)
    np.testing.assert_allclose([bounds.hhi_low, bounds.top_low], [(even**2).sum(), even.max()])
    np.testing.assert_allclose([bounds.hhi_high, bounds.top_high], [(one**2).sum(), one.max()])
    anyone = herfindahl_bounds(known, np.inf)
    np.testing.assert_allclose([anyone.hhi_low, anyone.hhi_high], [(known**2).sum(), (one**2).sum()])


def test_bounds_meet_when_all_is_known_and_nothing_is_known():
    sure = herfindahl_bounds([[0.6, 0.4], [0.7, 0.299]], 0)
    np.testing.assert_allclose(sure.hhi_low, sure.hhi_high)
    photoresists = herfindahl_bounds([np.nan, np.nan, np.nan], 3)
    np.testing.assert_allclose([photoresists.hhi_low, photoresists.hhi_high], [1 / 3, 1])


def test_bad_bounds():
    for known, unnamed in (([0.7, 0.6], 1), ([-0.1], 1), ([0.5], 0), ([0.5], -1), ([1.2], 0)):
        with pytest.raises(KernelError):
            herfindahl_bounds(known, unnamed)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 12), m=st.integers(0, 30), seed=st.integers(0, 2**32 - 1))
def test_downstream_equals_transitive_closure(n, m, seed):
    rng = np.random.default_rng(seed)
    u, v, worth = rng.integers(0, n, m), rng.integers(0, n, m), rng.random(n)
    closure = np.eye(n, dtype=bool)
    step = np.eye(n, dtype=bool)
    step[u, v] = True
    for _ in range(n):
        closure = closure @ step
    got = downstream(u, v, n, np.arange(n), weights=worth)
    np.testing.assert_array_equal(got.reached, closure)
    np.testing.assert_allclose(got.weight, closure @ worth - worth, atol=1e-12)
    nodes = np.flatnonzero(rng.random(n) < 0.4)
    some = downstream(u, v, n, nodes, weights=worth)
    np.testing.assert_array_equal(some.union, closure[nodes].any(axis=0))
    assert some.union_weight == pytest.approx(worth[some.union].sum())
    np.testing.assert_array_equal(downstream(np.append(u, u), np.append(v, v), n, nodes).union, some.union)


def test_downstream_of_nothing_and_bad_graphs():
    assert not downstream([0], [1], 2, []).union.any()
    for u, v, nodes in (([0], [2], [0]), ([0], [1], [2]), ([-1], [1], [0]), ([0, 1], [1], [0])):
        with pytest.raises(KernelError):
            downstream(u, v, 2, nodes)
    for weights in ([1.0], [-1.0, 1.0]):
        with pytest.raises(KernelError):
            downstream([0], [1], 2, [0], weights=weights)


def test_single_points_by_hand():
    """0 -> 1 -> 3, 2 -> 3; nodes 0 and 2 are held by one provider each, 1 by nobody known."""
    shares = [[0.9, 0.1], [np.nan, 0.4], [0.0, 0.8], [0.5, 0.5]]
    nodes, provider, found = single_points(shares, [0, 1, 2], [1, 3, 3])
    assert nodes.tolist() == [0, 2]
    assert provider.tolist() == [0, 1]
    assert found.weight.tolist() == [2, 1]
    assert found.union.tolist() == [True, True, True, True]
    assert single_points(shares, [0, 1, 2], [1, 3, 3], weights=[1, 0, 1, 9])[2].weight.tolist() == [9, 9]
    nobody = single_points(shares, [0], [1], threshold=0.95)
    assert nobody[0].size == nobody[1].size == 0
    with pytest.raises(KernelError):
        single_points([[1.5]], [], [])


@pytest.mark.mirror
def test_world_exports_of_the_mirrors_trade_table(mirror):
    """SITC4 exports 1998-2000: the leading exporters that everyone knows, and crude oil from many hands."""
    import pandas as pd

    path = mirror / "trade_complexity" / "fitkit" / "data" / "world_trade_1998_2000.csv"
    table = pd.read_csv(path, dtype={"product": str})
    wide = table.pivot_table(index="product", columns="country", values="value", aggfunc="sum").fillna(0.0)
    hhi = dict(zip(wide.index, herfindahl(wide.to_numpy()), strict=True))
    assert len(hhi) > 700
    assert hhi["3330"] < 0.1
    leaders = {"0721": "civ", "2320": "tha", "2640": "bgd", "2613": "chn"}  # cocoa, natural rubber, jute, raw silk
    assert {code: wide.loc[code].idxmax() for code in leaders} == leaders
    assert sum(value > 0.4 for value in hhi.values()) < 10  # at four digits hardly anything is held by one country
