"""Rank intervals: certain when nothing is drawn, honest when something is."""

import numpy as np
import pytest

from ronghe.kernels.cascade import Replacement
from ronghe.kernels.cascade_firms import firm_risks
from ronghe.kernels.cascade_uncertainty import draw_essential, probable, risk_intervals
from ronghe.kernels.errors import KernelError
from tests.kernels.cascade_cases import GOLDEN_E, GOLDEN_SECTOR, GOLDEN_W, make

FINAL = np.array([20.0, 5.0, 30.0, 1.0, 10.0, 15.0])


def golden(e=GOLDEN_E):
    return make(GOLDEN_W, GOLDEN_SECTOR, e, FINAL)


def test_nothing_unknown_gives_points():
    got = risk_intervals(lambda rng: (golden(), Replacement()), 4, seed=1, mode="exact", top=2)
    index = firm_risks(golden()).index
    assert got.index == pytest.approx(index)
    assert (got.rank_low == got.rank_high).all()
    assert got.rank.tolist() == [1 + int((index > value).sum()) for value in index]
    assert got.in_top.tolist() == (got.rank <= 2).astype(float).tolist()


def test_unknowns_widen_intervals_and_hold_the_median():
    chances = probable(GOLDEN_E, 0.5)

    def draw(rng):
        return golden(draw_essential(rng, chances)), Replacement(rng.uniform(0.2, 2.0))

    got = risk_intervals(draw, 40, seed=3, mode="exact", level=0.9)
    assert got.draws == 40
    assert (got.rank_low <= got.rank).all()
    assert (got.rank <= got.rank_high).all()
    assert (got.rank_high > got.rank_low).any()
    assert (got.index_low < got.index_high).any()
    again = risk_intervals(draw, 40, seed=3, mode="exact", level=0.9)
    assert np.array_equal(got.rank_low, again.rank_low)
    narrow = risk_intervals(draw, 40, seed=3, mode="exact", level=0.3)
    assert (narrow.rank_high - narrow.rank_low <= got.rank_high - got.rank_low).all()
    assert narrow.index_low == pytest.approx(np.maximum(narrow.index_low, got.index_low))


def test_stops_with_the_draws_made():
    got = risk_intervals(
        lambda rng: (golden(), Replacement()), 9, seed=1, mode="exact", progress=lambda made, of: made < 3
    )
    assert got.draws == 3


def test_drawn_matrices_follow_the_chances():
    chances = np.zeros((2, 1, 3))
    chances[:] = [0.2, 0.5, 0.3]
    drawn = np.array([draw_essential(np.random.default_rng(i), chances) for i in range(3000)])
    assert np.bincount(drawn.ravel()) / drawn.size == pytest.approx([0.2, 0.5, 0.3], abs=0.03)
    sure = draw_essential(np.random.default_rng(0), probable(GOLDEN_E, 0.0))
    assert np.array_equal(sure, GOLDEN_E)
    assert probable(GOLDEN_E, 0.4).sum(axis=2) == pytest.approx(np.ones((3, 3)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: probable([[3]], 0.1),
        lambda: probable([[1]], 1.1),
        lambda: draw_essential(np.random.default_rng(0), np.ones((1, 1, 3))),
        lambda: risk_intervals(lambda rng: (golden(), Replacement()), 0, seed=1),
        lambda: risk_intervals(lambda rng: (golden(), Replacement()), 1, seed=1, level=1.0),
    ],
)
def test_bad_input(call):
    with pytest.raises(KernelError):
        call()


def test_draws_must_share_their_firms():
    nets = iter([golden(), make(GOLDEN_W[:5, :5], GOLDEN_SECTOR[:5], GOLDEN_E, FINAL[:5])])
    with pytest.raises(KernelError, match="same firms"):
        risk_intervals(lambda rng: (next(nets), Replacement()), 2, seed=1, mode="exact")
