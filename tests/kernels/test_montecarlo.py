"""Monte Carlo: brute force over the same draws, cases with a known answer, invariants, bad input."""

from dataclasses import replace

import numpy as np
import pytest

from ronghe.kernels import aggregate, normalise
from ronghe.kernels import montecarlo as mc
from ronghe.kernels.checks import (
    ConstantIndicatorError,
    FusionError,
    MissingBlockError,
    TooFewError,
    WeightError,
)
from ronghe.kernels.coupling import coordination

RNG = np.random.default_rng(10)
X = RNG.random((3, 8, 5))
GROUPS = (0, 0, 0, 1, 1)
BASE = np.array([[1 / 3, 1 / 3, 1 / 3, 0.5, 0.5], [0.6, 0.2, 0.2, 0.3, 0.7]])
CHOICES = mc.Choices(BASE, GROUPS, aggregations=("weighted_sum", "geometric", "topsis", "vikor", "grey_relation"))
NORMALISED = {
    "minmax": normalise.minmax,
    "minmax_year": lambda P: normalise.minmax(P, bounds="year"),
    "zscore": normalise.normal_score,
    "rank": normalise.rank_score,
}
SCORE = {
    "weighted_sum": aggregate.weighted_sum,
    "geometric": lambda Z, w: aggregate.geometric(np.maximum(Z, 0.01), w),
    "topsis": aggregate.topsis,
    "vikor": lambda Z, w: 1 - aggregate.vikor(Z, w).Q,
    "grey_relation": aggregate.grey_relation,
}


def _with(**changes):
    return replace(CHOICES, **changes)


@pytest.mark.parametrize("outcome", ["composite", "coordination"])
def test_every_draw_equals_a_plain_loop(outcome: str) -> None:
    """Score each draw by itself, rank by counting, and compare all that is reported."""
    versions = [X, X + RNG.normal(0, 0.05, X.shape)]
    choices = _with(outcome=outcome, normalisations=tuple(NORMALISED))
    plan = mc._Plan.of(versions, choices)
    draws = 150
    sample = plan.sample(np.random.default_rng(3), draws)
    scores = np.empty((draws, 3, 8))
    for d in range(draws):
        Z = NORMALISED[choices.normalisations[sample.normalisation[d]]](versions[sample.version[d]]).reshape(24, 5)
        score = SCORE[choices.aggregations[sample.aggregation[d]]]
        w, a = sample.weights[d], sample.alpha[d]
        if outcome == "composite":
            flat = score(Z, w * a[list(GROUPS)])
        else:
            U = np.column_stack([score(Z[:, :3], w[:3]), score(Z[:, 3:], w[3:])])
            flat = coordination(np.clip(U, 0, 1), alpha=a).D
        scores[d] = flat.reshape(3, 8)
    ranks = 1 + (scores[:, :, None, :] > scores[:, :, :, None]).sum(axis=3)
    found = mc.simulate(versions, choices, draws=draws, seed=3, sensitivity=0)
    share = np.array([(ranks == r + 1).mean(axis=0) for r in range(8)]).transpose(1, 2, 0)
    assert found.rank_share == pytest.approx(share)
    above = (scores[:, :, :, None] > scores[:, :, None, :]).mean(axis=0)
    level = (scores[:, :, :, None] == scores[:, :, None, :]).mean(axis=0)
    assert found.ahead == pytest.approx(above + level / 2)
    assert found.score == pytest.approx(np.quantile(scores, [0.025, 0.5, 0.975], axis=0), abs=1e-6)
    expected = np.quantile(ranks, [0.025, 0.5, 0.975], axis=0, method="inverted_cdf")
    assert (found.rank == expected).all()


def test_same_seed_same_bytes_and_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    first = mc.simulate([X], CHOICES, draws=500, seed=1, sensitivity=100)
    again = mc.simulate([X], CHOICES, draws=500, seed=1, sensitivity=100)
    assert first.score.tobytes() == again.score.tobytes()
    assert first.ahead.tobytes() == again.ahead.tobytes()
    assert first.drivers.total.tobytes() == again.drivers.total.tobytes()
    monkeypatch.setattr(mc, "_SERIAL_PRODUCT", 1)
    monkeypatch.setattr(mc, "_LEAST_ROWS", 1)
    small = mc.simulate([X], CHOICES, draws=500, seed=1, sensitivity=100)
    assert small.rank_share == pytest.approx(first.rank_share)
    assert mc.simulate([X], CHOICES, draws=500, seed=2, sensitivity=0).ahead != pytest.approx(first.ahead)


def test_a_region_better_in_everything_is_ahead_in_every_draw() -> None:
    best = X.copy()
    best[:, 4] = 2.0
    found = mc.simulate([best], CHOICES, draws=300, sensitivity=50)
    assert (found.rank[:, :, 4] == 1).all()
    others = np.delete(np.arange(8), 4)
    assert (found.ahead[:, 4, others] == 1.0).all()
    assert mc.clearly_ahead(found.ahead)[:, 4, others].all()
    assert found.drivers.variance[:, 4].max() == 0.0
    assert np.isnan(found.drivers.total[:, :, 4]).all()


def test_twins_are_level() -> None:
    twins = X.copy()
    twins[:, 1] = twins[:, 0]
    found = mc.simulate([twins], CHOICES, draws=300, sensitivity=0)
    assert (found.ahead[:, 0, 1] == 0.5).all()
    assert (found.rank[:, :, 0] == found.rank[:, :, 1]).all()
    assert not mc.clearly_ahead(found.ahead)[:, 0, 1].any()


def test_ranks_of_given_scores_by_counting() -> None:
    scores = RNG.integers(0, 4, (50, 2, 6)).astype(float)
    ranks, ahead = mc.rank_draws(scores)
    assert (ranks == 1 + (scores[:, :, None, :] > scores[:, :, :, None]).sum(axis=3)).all()
    difference = np.sign(scores[:, :, :, None] - scores[:, :, None, :])
    assert ahead == pytest.approx((difference.mean(axis=0) + 1) / 2)
    for wrong in (scores[0], scores[:0], np.where(scores > 2, np.nan, scores)):
        with pytest.raises(FusionError):
            mc.rank_draws(wrong)


def test_invariants() -> None:
    found = mc.simulate([X], CHOICES, draws=400, sensitivity=0)
    assert found.rank_share.sum(axis=2) == pytest.approx(1)
    assert found.ahead + found.ahead.swapaxes(1, 2) == pytest.approx(1)
    assert (found.rank[0] <= found.rank[1]).all()
    assert (found.rank[1] <= found.rank[2]).all()
    assert found.drivers is None
    scaled = mc.simulate([X * [1, 10, 100, 1000, 0.1] + 3], CHOICES, draws=400, sensitivity=0)
    assert scaled.rank_share == pytest.approx(found.rank_share, abs=0.01)


def test_only_what_can_be_chosen_drives_the_spread() -> None:
    only_weights = _with(normalisations=("minmax",), aggregations=("weighted_sum",), concentration=10.0)
    found = mc.simulate([X], only_weights, draws=2000, sensitivity=1000).drivers
    varied = found.variance > 0
    assert (found.total[1:, varied] == 0).all()
    assert found.total[0, varied] == pytest.approx(1.0, abs=0.1)
    only_data = mc.Choices(BASE[:1], GROUPS, concentration=1e12, normalisations=("minmax",), aggregations=("topsis",))
    noisy = [X + RNG.normal(0, 0.3, X.shape) for _ in range(20)]
    moved = mc.simulate(noisy, only_data, draws=2000, sensitivity=1000).drivers
    varied = moved.variance > 0.05
    assert moved.total[3, varied] == pytest.approx(1.0, abs=0.15)
    assert (moved.total[:3, varied] < 0.05).all()


def test_concentration_sets_the_spread_of_weights() -> None:
    plan = mc._Plan.of([X], _with(base_weights=BASE[0], concentration=50.0))
    sample = plan.sample(np.random.default_rng(0), 20_000)
    assert sample.weights[:, :3].sum(axis=1) == pytest.approx(1)
    assert sample.weights[:, 3:].sum(axis=1) == pytest.approx(1)
    assert sample.weights.mean(axis=0) == pytest.approx(BASE[0], abs=0.005)
    assert sample.weights[:, 0].std() == pytest.approx(np.sqrt(1 / 3 * 2 / 3 / 51), rel=0.03)
    assert sample.alpha.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.005)


def test_a_weight_of_zero_stays_zero() -> None:
    plan = mc._Plan.of([X], _with(base_weights=[[0.5, 0.5, 0.0, 1.0, 0.0]]))
    weights = plan.sample(np.random.default_rng(0), 100).weights
    assert (weights[:, [2, 4]] == 0).all()
    assert weights[:, 3] == pytest.approx(1)


def test_bad_input_is_named() -> None:
    holes = X.copy()
    holes[1, 2, 3] = np.nan
    with pytest.raises(MissingBlockError) as missing:
        mc.simulate([X, holes], CHOICES)
    assert missing.value.details == {"indicators": (3,), "regions": (2,)}
    flat = X.copy()
    flat[:, :, 2] = 1.0
    with pytest.raises(ConstantIndicatorError) as constant:
        mc.simulate([flat], CHOICES)
    assert constant.value.details["indicators"] == (2,)
    with pytest.raises(TooFewError):
        mc.simulate([X[:, :1]], CHOICES)
    for wrong in ({"base_weights": BASE * 0.9}, {"base_weights": [[0.5, 0.5]]}, {"alpha": [0.5, 0.6]}):
        with pytest.raises(WeightError):
            mc.simulate([X], _with(**wrong))
    with pytest.raises(WeightError) as row:
        mc.simulate([X], _with(base_weights=[BASE[0], [1.2, -0.2, 0, 0.5, 0.5]]))
    assert row.value.details["rows"] == (1,)
    for wrong in (
        {"outcome": "score"},
        {"groups": None, "base_weights": np.full(5, 0.2), "outcome": "coordination"},
        {"groups": (0, 0, 2, 2, 2)},
        {"normalisations": ()},
        {"normalisations": ("other",)},
        {"aggregations": ("other",)},
        {"concentration": 0.0},
    ):
        with pytest.raises(FusionError):
            mc.simulate([X], _with(**wrong))
    for wrong in ({"draws": 0}, {"level": 1.0}, {"draws": 100, "sensitivity": 51}):
        with pytest.raises(FusionError):
            mc.simulate([X], CHOICES, **wrong)
    for versions in ([], [X[0]], [X, X[:2]]):
        with pytest.raises(FusionError):
            mc.simulate(versions, CHOICES)
