"""Convergence: statsmodels as the other way, exact cases, bad input."""

import numpy as np
import pytest

from ronghe.kernels import convergence as cv
from ronghe.kernels.checks import FusionError, MissingBlockError, NegativeValueError, TooFewError
from tests.kernels.fusion_peers import peer

RNG = np.random.default_rng(17)
X = np.column_stack([np.ones(60), RNG.normal(size=(60, 3))])
E = RNG.normal(size=60) * (1 + np.abs(X[:, 1]))
TARGET = X @ [1.0, 0.5, -0.3, 0.0] + E
CLUSTER = np.repeat(np.arange(12), 5)
LEVELS = np.exp(np.cumsum(RNG.normal(0.05, 0.1, (9, 20)), axis=0) + RNG.normal(0, 1, 20))


@pytest.mark.peer
@pytest.mark.parametrize(
    ("covariance", "name", "options"),
    [("plain", "nonrobust", {}), ("HC1", "HC1", {}), ("HC3", "HC3", {}), ("cluster", "cluster", {"groups": CLUSTER})],
)
def test_ols_equals_statsmodels(covariance: str, name: str, options: dict) -> None:
    sm = peer("statsmodels.api")
    other = sm.OLS(TARGET, X).fit(cov_type=name, cov_kwds=options or None, use_t=True)
    found = cv.ols(TARGET, X, covariance=covariance, groups=CLUSTER)  # type: ignore[arg-type]
    assert found.beta == pytest.approx(other.params, abs=1e-9)
    assert found.se == pytest.approx(other.bse, abs=1e-9)
    assert found.p == pytest.approx(other.pvalues, abs=1e-9)
    assert np.column_stack([found.low, found.high]) == pytest.approx(other.conf_int(), abs=1e-9)
    assert found.r2 == pytest.approx(other.rsquared, abs=1e-9)


def test_sigma_by_its_formulas() -> None:
    assert cv.sigma(LEVELS) == pytest.approx([np.log(y).std(ddof=1) for y in LEVELS])
    assert cv.sigma(LEVELS, kind="cv") == pytest.approx([y.std() / y.mean() for y in LEVELS])
    halved = np.exp(np.array([[0.0, 2.0, 4.0], [1.0, 2.0, 3.0]]))
    assert cv.sigma(halved).tolist() == pytest.approx([2.0, 1.0])
    assert cv.sigma(1000 * LEVELS) == pytest.approx(cv.sigma(LEVELS))


def test_known_speed_and_half_life_come_back() -> None:
    """ln y moves to 3 with speed 0.04 a year: the gap is halved in ln 2/0.04 = 17.3 years."""
    start = np.linspace(0, 2, 12)
    y = np.exp(3 + (start - 3) * np.exp(-0.04 * np.arange(11))[:, None])
    found = cv.beta_cross_section(y)
    assert found.slope == pytest.approx(-(1 - np.exp(-0.4)) / 10)
    assert found.speed == pytest.approx(0.04)
    assert found.half_life == pytest.approx(np.log(2) / 0.04)
    yearly = cv.beta_panel(y, region_effects=False, year_effects=False)
    assert yearly.speed == pytest.approx(0.04)


def test_conditional_convergence_finds_own_steady_states() -> None:
    """Regions run to levels set by a condition: no absolute convergence, exact conditional."""
    condition = np.linspace(0, 4, 15)
    start = condition + np.tile([-0.5, 0.1, 0.3], 5)
    y = np.exp(condition + (start - condition) * np.exp(-0.1 * np.arange(6))[:, None])
    assert cv.beta_cross_section(y).speed < 0.02
    conditional = cv.beta_cross_section(y, condition[:, None])
    assert conditional.speed == pytest.approx(0.1)
    fixed = cv.beta_panel(y, year_effects=False)
    assert fixed.speed == pytest.approx(0.1)


def test_panel_equals_least_squares_on_demeaned_data() -> None:
    """Two-way effects in a balanced panel: take out region and year means (Frisch-Waugh)."""
    logs = np.log(LEVELS)
    growth, level = np.diff(logs, axis=0), logs[:-1]

    def within(v: np.ndarray) -> np.ndarray:
        return v - v.mean(axis=0) - v.mean(axis=1, keepdims=True) + v.mean()

    g, x = within(growth), within(level)
    assert cv.beta_panel(LEVELS).slope == pytest.approx((g * x).sum() / (x * x).sum())
    extra = RNG.normal(size=(9, 20, 1))
    assert cv.beta_panel(LEVELS, extra).regression.beta.size == 1 + 1 + 20 + 7


def test_divergence_has_no_half_life() -> None:
    y = np.exp(np.linspace(0.1, 2, 10) * np.array([[1.0], [1.5]]))
    found = cv.beta_cross_section(y)
    assert found.slope > 0
    assert found.half_life == np.inf
    leap = np.exp(np.linspace(0.1, 2, 10) * np.array([[1.0], [-1.0]]) + np.array([[0.0], [5.0]]))
    overshoot = cv.beta_cross_section(leap)
    assert np.isnan(overshoot.speed)
    assert np.isnan(overshoot.half_life)


def test_bad_input_is_named() -> None:
    with pytest.raises(TooFewError) as year:
        cv.beta_cross_section(LEVELS[:1])
    assert year.value.details == {"what": "years", "found": 1, "needed": 2}
    with pytest.raises(TooFewError):
        cv.beta_panel(LEVELS[:2])
    with pytest.raises(TooFewError) as region:
        cv.sigma(LEVELS[:, :1])
    assert region.value.details["what"] == "regions"
    with pytest.raises(TooFewError):
        cv.beta_cross_section(LEVELS[:, :3], RNG.normal(size=(3, 2)))
    with pytest.raises(NegativeValueError) as zero:
        cv.sigma([[1.0, 0.0], [1.0, 2.0]])
    assert zero.value.details["regions"] == (1,)
    with pytest.raises(MissingBlockError):
        cv.sigma([[1.0, np.nan]])
    with pytest.raises(FusionError) as collinear:
        cv.beta_cross_section(LEVELS, np.ones((20, 1)))
    assert collinear.value.details["rank"] == 2
    with pytest.raises(FusionError):
        cv.beta_cross_section(LEVELS, np.ones((19, 1)))
    with pytest.raises(FusionError):
        cv.beta_panel(LEVELS, np.ones((2, 20, 1)))
    with pytest.raises(TooFewError):
        cv.ols(TARGET, X, covariance="cluster", groups=np.zeros(60))
    with pytest.raises(FusionError):
        cv.ols(TARGET, X, covariance="cluster")
    with pytest.raises(FusionError):
        cv.ols(TARGET, X, covariance="HC9")  # type: ignore[arg-type]
    with pytest.raises(FusionError):
        cv.ols(TARGET[:-1], X)
    with pytest.raises(FusionError):
        cv.sigma(LEVELS, kind="gini")  # type: ignore[arg-type]
