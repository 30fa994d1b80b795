"""Weights and Moran's I: esda and libpysal, loops, islands, bad input."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels import spatial as sp
from ronghe.kernels.checks import ConstantIndicatorError, FusionError, IslandError, MissingBlockError, TooFewError
from tests.kernels.fusion_peers import peer

RNG = np.random.default_rng(31)
LAT, LON = RNG.uniform(20, 50, 12), RNG.uniform(80, 130, 12)
D = sp.great_circle(LAT, LON)
Y = LAT + RNG.normal(0, 4, 12)
PAIRS = [(i, i + 1) for i in range(11)] + [(0, 5), (2, 9)]
CONTIGUOUS = sp.contiguity(12, PAIRS)
ROWS = sp.row_standardise(CONTIGUOUS)
LEVELS = arrays(np.float64, 12, elements=st.integers(-50, 50).map(float)).filter(lambda y: np.ptp(y) > 0)


def test_moran_by_loops() -> None:
    z = Y - Y.mean()
    pairs = sum(CONTIGUOUS[i, j] * z[i] * z[j] for i in range(12) for j in range(12))
    assert pytest.approx(12 / CONTIGUOUS.sum() * pairs / (z @ z)) == sp.moran(Y, CONTIGUOUS).I


@settings(deadline=None, max_examples=30)
@given(LEVELS, st.floats(0.1, 10), st.floats(-100, 100))
def test_scale_and_origin_do_not_matter(y: np.ndarray, a: float, b: float) -> None:
    found = sp.moran(y, ROWS, permutations=0)
    assert pytest.approx(found.I, abs=1e-7) == sp.moran(a * y + b, ROWS, permutations=0).I
    assert pytest.approx(found.I, abs=1e-9) == sp.moran(-y, ROWS, permutations=0).I
    local = sp.local_moran(y, ROWS, permutations=1).I
    assert local.sum() * 12 / 11 / ROWS.sum() == pytest.approx(found.I, abs=1e-9)


@pytest.mark.peer
@pytest.mark.parametrize("W", [CONTIGUOUS, ROWS, sp.inverse_distance(D, power=2)])
def test_equal_to_esda(W: np.ndarray) -> None:
    esda, libpysal = peer("esda.moran"), peer("libpysal.weights")
    near = {i: np.flatnonzero(W[i]).tolist() for i in range(12)}
    w = libpysal.W(near, {i: W[i, near[i]].tolist() for i in near}, silence_warnings=True)
    other = esda.Moran(Y, w, transformation="O", permutations=0)
    found = sp.moran(Y, W, permutations=0)
    for mine, theirs in (
        (found.I, other.I),
        (found.EI, other.EI),
        (found.V_norm, other.VI_norm),
        (found.z_norm, other.z_norm),
        (found.p_norm, other.p_norm),
        (found.V_rand, other.VI_rand),
        (found.z_rand, other.z_rand),
        (found.p_rand, other.p_rand),
    ):
        assert mine == pytest.approx(theirs, abs=1e-9)
    assert np.isnan(found.p_sim)
    local = esda.Moran_Local(Y, w, transformation="O", permutations=0)
    ours = sp.local_moran(Y, W, permutations=1)
    assert pytest.approx(local.Is, abs=1e-9) == ours.I
    assert (ours.quadrant == local.q).all()


def test_permutation_p_tends_to_the_share_of_all_orders() -> None:
    """Five regions have 120 orders: count them all."""
    W = sp.row_standardise(sp.contiguity(5, [(0, 1), (1, 2), (2, 3), (3, 4)]))
    y = np.array([1.0, 2.0, 4.0, 7.0, 5.0])
    value = sp.moran(y, W, permutations=0).I
    every = [sp.moran(np.array(p), W, permutations=0).I for p in permutations(y)]
    tail = min(np.mean(np.array(every) >= value - 1e-12), np.mean(np.array(every) <= value + 1e-12))
    exact = min(1.0, 2 * tail)
    assert sp.moran(y, W, permutations=20_000, seed=2).p_sim == pytest.approx(exact, abs=0.02)


def test_local_permutation_p_tends_to_the_share_of_all_orders_of_the_others() -> None:
    W = sp.row_standardise(sp.contiguity(5, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)]))
    y = np.array([1.0, 2.0, 4.0, 8.5, 6.0])
    found = sp.local_moran(y, W, permutations=20_000, seed=2)
    for i in range(5):
        near = np.delete(W[i], i)
        lags = np.array([near @ p for p in permutations(np.delete(y, i) - y.mean())]) * (y[i] - y.mean())
        mine = (W[i] @ (y - y.mean())) * (y[i] - y.mean())
        tail = min(np.mean(lags >= mine - 1e-12), np.mean(lags <= mine + 1e-12))
        assert found.p_sim[i] == pytest.approx(min(1.0, 2 * tail), abs=0.02)
    assert (found.p_fdr >= found.p_sim).all()


def test_seed_gives_the_same_p_and_another_seed_another() -> None:
    same = [sp.moran(Y, ROWS, seed=5).simulated for _ in range(2)]
    assert (same[0] == same[1]).all()
    assert (sp.moran(Y, ROWS, seed=6).simulated != same[0]).any()
    local = [sp.local_moran(Y, ROWS, seed=5).p_sim for _ in range(2)]
    assert (local[0] == local[1]).all()


def test_great_circle_beijing_shanghai() -> None:
    """About 1,068 km between the city centres."""
    assert sp.great_circle([39.9042, 31.2304], [116.4074, 121.4737])[0, 1] == pytest.approx(1068, abs=2)
    assert pytest.approx(D.T) == D
    assert (np.diag(D) == 0).all()


def test_weights_by_their_formulas() -> None:
    assert CONTIGUOUS.sum() == 2 * len(PAIRS)
    W = sp.inverse_distance(D, power=2, cutoff=1500)
    i, j = 0, int(np.argsort(D[0])[1])
    assert W[i, j] == pytest.approx(D[i, j] ** -2 if D[i, j] <= 1500 else 0.0)
    assert ((W > 0) == ((D <= 1500) & (D > 0))).all()
    g = np.arange(1.0, 13.0) ** 2
    assert sp.economic(g)[2, 5] == pytest.approx(1 / 27)
    assert sp.economic(g, D)[2, 5] == pytest.approx(1 / 27 / D[2, 5])


def test_island_is_refused_kept_or_linked() -> None:
    """Hainan has no land border."""
    W = sp.contiguity(12, [p for p in PAIRS if 11 not in p])
    assert sp.islands(W) == (11,)
    with pytest.raises(IslandError) as error:
        sp.row_standardise(W)
    assert error.value.details["islands"] == (11,)
    kept = sp.row_standardise(W, island="keep")
    assert kept[11].sum() == 0
    assert sp.lag(kept, Y)[11] == 0
    linked = sp.link_islands(W, D)
    nearest = int(np.argmin(np.where(np.arange(12) == 11, np.inf, D[11])))
    assert np.flatnonzero(linked[11]).tolist() == [nearest]
    assert linked[nearest, 11] == 1
    assert sp.islands(linked) == ()
    assert (sp.link_islands(CONTIGUOUS, D) == CONTIGUOUS).all()


def test_false_discovery_by_hand() -> None:
    assert sp.false_discovery([0.005, 0.5, 0.02, 0.9]) == pytest.approx([0.02, 2 / 3, 0.04, 0.9])


def test_bad_input_is_named() -> None:
    with pytest.raises(ConstantIndicatorError):
        sp.moran(np.ones(12), ROWS)
    with pytest.raises(TooFewError):
        sp.moran([1.0, 2.0, 3.0], np.ones((3, 3)) - np.eye(3))
    with pytest.raises(IslandError):
        sp.moran(Y, np.zeros((12, 12)))
    with pytest.raises(MissingBlockError):
        sp.moran(np.where(Y > 30, np.nan, Y), ROWS)
    with pytest.raises(FusionError):
        sp.moran(Y[:11], ROWS)
    with pytest.raises(FusionError):
        sp.local_moran(Y, ROWS, permutations=0)
    for pair in ((0, 3), (1, 1), (-1, 0)):
        with pytest.raises(FusionError) as wrong:
            sp.contiguity(3, [pair])
        assert wrong.value.details["pair"] == pair
    with pytest.raises(FusionError) as same:
        sp.economic([1.0, 2.0, 1.0])
    assert same.value.details["pairs"] == ((0, 2),)
    for W in ([[1.0, 0.0], [0.0, 0.0]], [[0.0, -1.0], [1.0, 0.0]], [[0.0, 1.0]]):
        with pytest.raises(FusionError):
            sp.row_standardise(W)
    with pytest.raises(FusionError):
        sp.link_islands(CONTIGUOUS, D[:5, :5])
