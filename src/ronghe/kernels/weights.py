"""Weights of indicators: entropy, CRITIC, equal, principal components, AHP and their combination.

Every function gives (m,) weights that are zero or more and sum to one. Input matrices are normalised
already (more is better); a panel (t, n, m) is pooled over years, so that weights are the same in all years
and scores stay comparable through time.

Papers: Shannon (1948) by way of Zeleny (1982) for entropy; Diakoulaki, Mavrotas and Papayannakis,
Computers & Operations Research 22 (1995) for CRITIC; OECD and JRC, Handbook (2008), for principal
components; Saaty, The Analytic Hierarchy Process (1980).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from ronghe.kernels.checks import (
    ConstantIndicatorError,
    InconsistentJudgementError,
    MissingBlockError,
    NegativeValueError,
    NotReciprocalError,
    TooFewError,
    WeightError,
    check_weights,
    positions,
)

Floats = NDArray[np.float64]

# Saaty's mean consistency index of random reciprocal matrices of order 1 to 15.
_RANDOM_INDEX = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)


@dataclass(frozen=True, slots=True)
class Ahp:
    """Weights of a pairwise matrix and how consistent the judgements are."""

    weights: Floats
    lambda_max: float
    ci: float
    cr: float


@dataclass(frozen=True, slots=True)
class Combination:
    """Combined weights (m,) and the share (k,) each base vector got."""

    weights: Floats
    shares: Floats


def entropy_weights(Z: ArrayLike, *, shift: float = 0.0) -> Floats:
    """Entropy weights: p = z/Σz, e = -Σ p ln p / ln N, w = (1 - e)/Σ(1 - e).

    N counts all cells of an indicator: regions in a cross-section, region-years in a panel. A constant
    indicator has e = 1 and so weight 0; it changes no other weight.

    Args:
        Z: (n, m) or (t, n, m), zero or more, without missing cells.
        shift: added to every cell first. Some papers add 0.0001 or 0.01 to avoid ln 0; it isn't needed
            (0 ln 0 = 0) and it changes the weights, so say so when you use it.

    Raises:
        NegativeValueError: a value below zero after the shift.
        ConstantIndicatorError: no indicator differs between regions, or one is zero everywhere.
        TooFewError: only one cell an indicator.

    >>> entropy_weights([[1.0, 1.0], [3.0, 1.0]]).tolist()
    [1.0, 0.0]
    """
    cells = _pooled(Z) + shift
    negative = (cells < 0).any(axis=0)
    if negative.any():
        raise NegativeValueError(
            "entropy needs values of zero or more: normalise first", indicators=positions(negative)
        )
    total = cells.sum(axis=0)
    if (total <= 0).any():
        raise ConstantIndicatorError("an indicator is zero everywhere", indicators=positions(total <= 0))
    p = cells / total
    flat = np.ptp(cells, axis=0) == 0
    logs = np.log(np.where(p > 0, p, 1.0))
    divergence = np.where(flat, 0.0, np.maximum(1.0 + (p * logs).sum(axis=0) / np.log(len(cells)), 0.0))
    return _share(divergence)


def critic_weights(Z: ArrayLike) -> Floats:
    """CRITIC weights: c_j = σ_j Σ_k (1 - r_jk), w = c/Σc. Spread counts, doubled information doesn't.

    Args:
        Z: (n, m) or (t, n, m), normalised to one scale (min–max), without missing cells.

    Raises:
        ConstantIndicatorError: an indicator without spread has no correlation.
        TooFewError: only one cell an indicator.

    >>> critic_weights([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]]).tolist()
    [0.5, 0.5]
    """
    cells = _spread(_pooled(Z))
    if cells.shape[1] == 1:
        return np.ones(1)
    contrast = cells.std(axis=0, ddof=1)
    return _share(contrast * (1.0 - _correlation(cells)).sum(axis=0))


def equal_weights(m: int) -> Floats:
    """Equal weights 1/m.

    >>> equal_weights(4).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    if m < 1:
        raise WeightError("needs at least one indicator", rows=(), sums=())
    return np.full(m, 1.0 / m)


def pca_weights(Z: ArrayLike, *, explained: float = 0.85) -> Floats:
    """Weights from principal components of the correlation matrix: w_j ∝ Σ_k λ_k v_jk² over kept k.

    Components are kept in order of λ until they explain the given share of the variance. λ_k v_jk² is the
    part of indicator j's variance that component k carries, so indicators that share no common movement
    get little. With all components kept the weights are equal by construction.

    Args:
        Z: (n, m) or (t, n, m), without missing cells.
        explained: share of the variance to keep, in (0, 1].

    Raises:
        ConstantIndicatorError, TooFewError: as for `critic_weights`.

    >>> pca_weights([[0.0, 0.0], [1.0, 1.0], [2.0, 2.1]]).round(6).tolist()
    [0.5, 0.5]
    """
    if not 0 < explained <= 1:
        raise WeightError(f"the share to explain lies in (0, 1], not {explained}", rows=(), sums=())
    cells = _spread(_pooled(Z))
    values, vectors = np.linalg.eigh(_correlation(cells))
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    reached = np.cumsum(values) / values.sum()
    kept = int(np.searchsorted(reached, explained - 1e-12)) + 1
    return _share((vectors[:, :kept] ** 2) @ values[:kept])


def ahp_weights(A: ArrayLike, *, limit: float | None = 0.1) -> Ahp:
    """AHP: the principal eigenvector of a reciprocal pairwise matrix, with Saaty's consistency ratio.

    CI = (λmax - m)/(m - 1), CR = CI / RI(m) with Saaty's random index.

    Args:
        A: (m, m), a_ij how much more i counts than j, a_ij a_ji = 1, m ≤ 15.
        limit: refuse CR above this; None only reports it.

    Raises:
        NotReciprocalError, InconsistentJudgementError: see the classes.

    >>> ahp_weights([[1.0, 3.0], [1 / 3, 1.0]]).weights.round(6).tolist()
    [0.75, 0.25]
    """
    pairs = np.asarray(A, dtype=np.float64)
    m = len(pairs)
    if pairs.shape != (m, m) or not 1 <= m <= len(_RANDOM_INDEX):
        raise NotReciprocalError("needs a square matrix of order 1 to 15", pairs=())
    positive = np.isfinite(pairs) & (pairs > 0)
    product = np.where(positive & positive.T, pairs * pairs.T, 0.0)
    wrong = np.abs(product - 1.0) > 0.025  # two digits, such as 0.14 for 1/7, are meant as reciprocal
    if wrong.any():
        raise NotReciprocalError(
            "a pair and its mirror don't multiply to one",
            pairs=tuple((int(i), int(j)) for i, j in np.argwhere(wrong) if i <= j),
        )
    values, vectors = np.linalg.eig(pairs)
    top = int(np.argmax(values.real))
    weights = _share(np.abs(vectors[:, top].real))
    lambda_max = float(values[top].real)
    ci = (lambda_max - m) / (m - 1) if m > 2 else 0.0
    cr = ci / _RANDOM_INDEX[m - 1] if m > 2 else 0.0
    if limit is not None and cr > limit:
        gap = np.abs(np.log(pairs * weights[None, :] / weights[:, None]))
        i, j = np.unravel_index(int(np.argmax(np.triu(gap))), gap.shape)
        raise InconsistentJudgementError(
            f"consistency ratio {cr:.3f} is above {limit}", cr=cr, limit=limit, worst=(int(i), int(j))
        )
    return Ahp(weights, lambda_max, ci, cr)


def game_combination(W: ArrayLike) -> Combination:
    """Combine k weight vectors as in a game: α such that Σ_l α_l w_l·w_k = w_k·w_k, then w = Σ α_k w_k / Σα.

    The system's plain solution may hold negative α, which has no meaning as a share (papers take the
    absolute value); here the least-squares solution under α ≥ 0 is used, equal to the plain one wherever
    that is non-negative.

    Args:
        W: (k, m) base weights, each row summing to one.

    Raises:
        WeightError: see `check_weights`.

    >>> game_combination([[0.6, 0.4], [0.4, 0.6]]).weights.round(6).tolist()
    [0.5, 0.5]
    """
    base = check_weights(W, np.shape(W)[-1])
    gram = base @ base.T
    alpha, _ = nnls(gram, np.diag(gram))
    shares = _share(np.asarray(alpha, dtype=np.float64))
    return Combination(_share(shares @ base), shares)


def _pooled(Z: ArrayLike) -> Floats:
    values = np.asarray(Z, dtype=np.float64)
    if values.ndim < 2:
        raise TooFewError("needs regions × indicators", what="regions", found=0, needed=2)
    cells = values.reshape(-1, values.shape[-1])
    missing = ~np.isfinite(cells).all(axis=0)
    if missing.any():
        raise MissingBlockError("weights need complete indicators: impute first", indicators=positions(missing))
    if len(cells) < 2:
        raise TooFewError("one region in one year has no spread", what="regions", found=len(cells), needed=2)
    return cells


def _spread(cells: Floats) -> Floats:
    flat = np.ptp(cells, axis=0) == 0
    if flat.any():
        raise ConstantIndicatorError("an indicator is equal everywhere", indicators=positions(flat))
    return cells


def _correlation(cells: Floats) -> Floats:
    return np.atleast_2d(np.asarray(np.corrcoef(cells, rowvar=False), dtype=np.float64))


def _share(parts: Floats) -> Floats:
    total = parts.sum()
    if not total > 0:
        raise ConstantIndicatorError("no indicator carries information", indicators=tuple(range(len(parts))))
    return np.asarray(parts / total, dtype=np.float64)
