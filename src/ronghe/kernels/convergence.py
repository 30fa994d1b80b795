"""Convergence between regions: σ, absolute and conditional β, by least squares with robust errors.

y (t, n) holds a positive level for t years and n regions.

Papers: Barro and Sala-i-Martin, Journal of Political Economy 100 (1992) 223-251; White, Econometrica 48
(1980); MacKinnon and White, Journal of Econometrics 29 (1985) for HC1 to HC3; Arellano, Oxford Bulletin 49
(1987) for clusters.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from ronghe.kernels.checks import Floats, FusionError, NegativeValueError, TooFewError, complete, positions

Covariance = Literal["plain", "HC1", "HC3", "cluster"]


@dataclass(frozen=True, slots=True)
class Regression:
    """Least squares: coefficients with standard errors, t values, two-sided p values and 95 % limits, (k,) each."""

    beta: Floats
    se: Floats
    t: Floats
    p: Floats
    low: Floats
    high: Floats
    r2: float
    n: int
    dof: int


@dataclass(frozen=True, slots=True)
class BetaConvergence:
    """β convergence: the slope on the starting level, the yearly speed it means, and years to halve a gap.

    `speed` is NaN where the slope means more than a full closing in one period; `half_life` is infinite
    where regions don't converge (slope ≥ 0). `regression` holds all coefficients, `slope_at` where the
    slope stands in it.
    """

    slope: float
    p: float
    speed: float
    half_life: float
    regression: Regression
    slope_at: int


def ols(y: ArrayLike, X: ArrayLike, *, covariance: Covariance = "HC1", groups: ArrayLike | None = None) -> Regression:
    """Ordinary least squares with robust errors; X holds its own constant.

    Args:
        y: (n,) explained.
        X: (n, k) explaining, full column rank, n > k.
        covariance: "plain" equal variance; "HC1" n/(n - k) Σ e²xx'; "HC3" e/(1 - h); "cluster" sums within
            `groups` with the factor G/(G - 1) · (n - 1)/(n - k), and G - 1 degrees of freedom.
        groups: (n,) cluster numbers; read only for "cluster".

    Raises:
        TooFewError: not more observations than columns, or one cluster. FusionError: collinear columns.

    >>> ols([1.0, 3.0, 5.0, 7.1], [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]]).beta.round(2).tolist()
    [0.98, 2.03]
    """
    target, design = complete(y, 1, "y"), complete(X, 2, "X")
    n, k = design.shape
    if len(target) != n:
        raise FusionError("y and X have the same number of rows", code="shape", rows=(len(target), n))
    if n <= k:
        raise TooFewError("needs more observations than coefficients", what="regions", found=n, needed=k + 1)
    q, r = np.linalg.qr(design)
    if np.abs(np.diag(r)).min() <= 1e-10 * np.linalg.norm(design, axis=0).max():
        raise FusionError("columns are collinear", code="collinear", rank=int(np.linalg.matrix_rank(design)), columns=k)
    beta = np.linalg.solve(r, q.T @ target)
    error = target - design @ beta
    r_inverse = np.linalg.inv(r)
    variance, dof = _covariance(design, error, r_inverse @ r_inverse.T, (q**2).sum(axis=1), covariance, groups)
    se = np.sqrt(np.diag(variance))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = beta / se
    reach = float(stdtrit(dof, 0.975)) * se
    p = np.asarray(2.0 * stdtr(dof, -np.abs(t)), dtype=np.float64)
    total = ((target - target.mean()) ** 2).sum()
    r2 = float(1.0 - error @ error / total) if total > 0 else 0.0
    return Regression(beta, se, t, p, beta - reach, beta + reach, r2, n, dof)


def sigma(y: ArrayLike, *, kind: Literal["log", "cv"] = "log") -> Floats:
    """σ convergence: spread between regions in each year, falling when they converge.

    Args:
        y: (t, n), above zero.
        kind: "log" the standard deviation of ln y (n - 1), "cv" the coefficient of variation (n).

    Returns:
        (t,) spreads.

    Raises:
        NegativeValueError: `regions` with a level of zero or less. TooFewError: one region.

    >>> sigma([[1.0, 3.0], [2.0, 4.0]], kind="cv").round(4).tolist()
    [0.5, 0.3333]
    """
    levels = _levels(y, years=1, regions=2)
    if kind == "log":
        return np.asarray(np.log(levels).std(axis=1, ddof=1), dtype=np.float64)
    if kind == "cv":
        return np.asarray(levels.std(axis=1) / levels.mean(axis=1), dtype=np.float64)
    raise FusionError(f"kind is 'log' or 'cv', not {kind!r}", code="option", kind=kind)


def beta_cross_section(
    y: ArrayLike, controls: ArrayLike | None = None, *, covariance: Covariance = "HC1"
) -> BetaConvergence:
    """β convergence over the whole period: (1/T) ln(y_T/y_0) = a + b ln y_0 + c'x + e.

    Absolute without controls, conditional with them. Speed β = -ln(1 + bT)/T, half-life ln 2/β.

    Args:
        y: (t, n), above zero; T = t - 1.
        controls: (n, k) conditions at the start.
        covariance: as for `ols`, without "cluster".

    Raises:
        TooFewError: one year, or not more regions than coefficients. Others as for `sigma` and `ols`.

    >>> round(beta_cross_section([[1.0, 2.0, 4.0, 8.0], [2.0, 2.8, 4.1, 8.0]]).slope, 2)
    -0.34
    """
    levels = np.log(_levels(y, years=2, regions=2))
    T, n = len(levels) - 1, levels.shape[1]
    parts = [np.ones(n), levels[0]]
    if controls is not None:
        extra = complete(controls, 2, "controls")
        if len(extra) != n:
            raise FusionError("controls have a row a region", code="shape", rows=(len(extra), n))
        parts.append(extra)
    fit = ols((levels[-1] - levels[0]) / T, np.column_stack(parts), covariance=covariance)
    return _converged(fit, 1, T)


def beta_panel(
    y: ArrayLike,
    controls: ArrayLike | None = None,
    *,
    region_effects: bool = True,
    year_effects: bool = True,
) -> BetaConvergence:
    """β convergence from year to year: ln(y_{t+1}/y_t) = b ln y_t + c'x_t + μ_i + γ_t + e, clustered by region.

    Region effects let each region have its own steady state, so b then speaks of conditional convergence,
    and it is biased towards convergence when there are few years (Nickell 1981): the speed is an upper end.

    Args:
        y: (t, n), above zero.
        controls: (t, n, k); the last year isn't read.
        region_effects: a constant for each region.
        year_effects: a constant for each year.

    Raises:
        TooFewError: under three years (two without region effects), or too few regions.

    >>> y = [[1.0, 2.0, 4.0], [1.3, 2.3, 4.1], [1.5, 2.6, 4.3]]
    >>> beta_panel(y, region_effects=False).slope < 0
    True
    """
    levels = np.log(_levels(y, years=3 if region_effects else 2, regions=2))
    T, n = len(levels) - 1, levels.shape[1]
    start = levels[:-1].ravel()
    parts = [start[:, None]]
    if controls is not None:
        extra = complete(controls, 3, "controls")
        if extra.shape[:2] != levels.shape:
            raise FusionError("controls are shaped (t, n, k)", code="shape", shape=extra.shape)
        parts.append(extra[:-1].reshape(T * n, -1))
    region, year = np.tile(np.arange(n), T), np.repeat(np.arange(T), n)
    if region_effects:
        parts.append(np.eye(n)[region])
    if year_effects:
        parts.append(np.eye(T)[year][:, 1 if region_effects else 0 :])
    if not region_effects and not year_effects:
        parts.append(np.ones((T * n, 1)))
    fit = ols(np.diff(levels, axis=0).ravel(), np.hstack(parts), covariance="cluster", groups=region)
    return _converged(fit, 0, 1)


def _converged(fit: Regression, at: int, T: int) -> BetaConvergence:
    slope = float(fit.beta[at])
    left = 1.0 + slope * T
    speed = float(-np.log(left) / T) if left > 0 else float("nan")
    half_life = float(np.log(2.0) / speed) if speed > 0 else (float("inf") if slope >= 0 else float("nan"))
    return BetaConvergence(slope, float(fit.p[at]), speed, half_life, fit, at)


def _covariance(
    X: Floats, error: Floats, bread: Floats, leverage: Floats, kind: Covariance, groups: ArrayLike | None
) -> tuple[Floats, int]:
    n, k = X.shape
    if kind == "plain":
        return bread * float(error @ error) / (n - k), n - k
    if kind == "cluster":
        members = np.asarray(groups)
        if members.shape != (n,):
            raise FusionError("clusters need a group for each row", code="shape", shape=members.shape)
        _, number = np.unique(members, return_inverse=True)
        G = int(number.max()) + 1
        if G < 2:
            raise TooFewError("clustered errors need two clusters", what="regions", found=G, needed=2)
        score = np.zeros((G, k))
        np.add.at(score, number, X * error[:, None])
        return bread @ (score.T @ score) @ bread * (G / (G - 1) * (n - 1) / (n - k)), G - 1
    if kind == "HC1":
        scale = np.full(n, np.sqrt(n / (n - k)))
    elif kind == "HC3":
        scale = 1.0 / np.maximum(1.0 - leverage, 1e-12)
    else:
        raise FusionError(
            f"covariance is 'plain', 'HC1', 'HC3' or 'cluster', not {kind!r}", code="option", covariance=kind
        )
    weighted = X * (error * scale)[:, None]
    return bread @ (weighted.T @ weighted) @ bread, n - k


def _levels(y: ArrayLike, years: int, regions: int) -> Floats:
    levels = complete(y, 2, "y")
    if len(levels) < years:
        raise TooFewError("too few years", what="years", found=len(levels), needed=years)
    if levels.shape[1] < regions:
        raise TooFewError("too few regions", what="regions", found=levels.shape[1], needed=regions)
    bad = (levels <= 0).any(axis=0)
    if bad.any():
        raise NegativeValueError("convergence takes logarithms: levels above zero", regions=positions(bad))
    return levels
