"""Markov chains of regions moving between classes, ordinary and conditioned on their neighbours.

States are integers 0 … k - 1 in arrays (t, n) of years and regions. Counts N_ij say how many regions went
from i to j between one year and the next; P is N with rows scaled to one.

Papers: Quah, European Economic Review 37 (1993); Rey, Geographical Analysis 33 (2001), spatial chains;
Bickenbach and Bode, International Regional Science Review 26 (2003), tests of homogeneity; Shorrocks,
Econometrica 46 (1978), mobility.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import chdtrc

from ronghe.kernels.checks import ChainError, Floats, FusionError, TooFewError, complete, positions

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chain:
    """Counts (k, k) and probabilities P (k, k).

    Rows of states nobody started from are NaN in P; `unseen` names them.
    """

    counts: Ints
    P: Floats
    unseen: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SpatialChain:
    """A chain for each class of the neighbours' level: counts and P (l, k, k), and the chain of all, `pooled`."""

    counts: Ints
    P: Floats
    pooled: Chain


@dataclass(frozen=True, slots=True)
class Homogeneity:
    """Likelihood-ratio and Pearson Q statistics against equal chains, degrees of freedom, p values."""

    LR: float
    Q: float
    dof: int
    p_lr: float
    p_q: float


def classify(y: ArrayLike, cutoffs: ArrayLike) -> Ints:
    """Class of each level: 0 up to and with the first cutoff, k above the last.

    >>> classify([[0.1, 0.2, 0.9]], [0.2, 0.5]).tolist()
    [[0, 0, 2]]
    """
    edges = complete(cutoffs, 1, "cutoffs")
    if not (np.diff(edges) > 0).all():
        raise FusionError("cutoffs increase", code="classes", cutoffs=tuple(float(e) for e in edges))
    levels = np.asarray(y, dtype=np.float64)
    if not np.isfinite(levels).all():
        raise FusionError(
            "a level is missing: no class", code="missing-level", missing=int((~np.isfinite(levels)).sum())
        )
    return np.asarray(np.searchsorted(edges, levels, side="left"), dtype=np.int64)


def quantile_cutoffs(y: ArrayLike, k: int) -> Floats:
    """Cutoffs, k - 1 of them, that part all region-years into k classes of equal size.

    Raises:
        FusionError: too many equal levels for k different classes.

    >>> quantile_cutoffs([[1.0, 2.0, 3.0, 4.0, 5.0]], 2).tolist()
    [3.0]
    """
    if k < 2:
        raise FusionError("needs two classes or more", code="classes", k=k)
    levels = np.asarray(y, dtype=np.float64).ravel()
    edges = np.percentile(levels, np.linspace(0, 100, k + 1))
    if not (np.diff(edges) > 0).all():
        raise FusionError(f"too many equal levels for {k} classes", code="classes", k=k)
    return np.asarray(edges[1:-1], dtype=np.float64)


def markov(states: ArrayLike, k: int) -> Chain:
    """Maximum-likelihood chain of all regions' moves from each year to the next.

    Args:
        states: (t, n) integers 0 … k - 1.
        k: number of states.

    Raises:
        TooFewError: one year. FusionError: a state outside 0 … k - 1.

    >>> markov([[0, 1], [0, 0], [1, 0]], 2).P.tolist()
    [[0.6666666666666666, 0.3333333333333333], [1.0, 0.0]]
    """
    path = _states(states, k)
    if len(path) < 2:
        raise TooFewError("a move needs two years", what="years", found=len(path), needed=2)
    return chain_of(_count(path[:-1] * k + path[1:], k * k).reshape(k, k))


def chain_of(counts: ArrayLike) -> Chain:
    """A chain from counts (k, k).

    >>> chain_of([[1, 3], [0, 0]]).unseen
    (1,)
    """
    N = np.asarray(counts, dtype=np.int64)
    total = N.sum(axis=-1, keepdims=True)
    P = np.where(total > 0, N / np.maximum(total, 1), np.nan)
    return Chain(N, P, positions(total[:, 0] == 0))


def spatial_markov(states: ArrayLike, lag_states: ArrayLike, k: int, lags: int) -> SpatialChain:
    """A chain for each class of the neighbours' level at the start of the move.

    Args:
        states: (t, n) own states 0 … k - 1.
        lag_states: (t, n) classes 0 … lags - 1 of the spatial lag (see `spatial.lag`); -1 leaves a region
            without neighbours out of the conditional chains (it stays in the pooled one).
        k: number of own states.
        lags: number of lag classes.

    Raises:
        TooFewError, FusionError: as for `markov`.

    >>> spatial_markov([[0, 1], [1, 1]], [[0, 1], [1, 1]], 2, 2).counts.tolist()
    [[[0, 1], [0, 0]], [[0, 0], [0, 1]]]
    """
    pooled = markov(states, k)
    path = _states(states, k)
    near = _states(lag_states, lags, lowest=-1)
    if near.shape != path.shape:
        raise FusionError("states and lag states have one shape", code="shape", shapes=(path.shape, near.shape))
    start = near[:-1]
    known = start >= 0
    code = (start * k + path[:-1]) * k + path[1:]
    counts = _count(code[known], lags * k * k).reshape(lags, k, k)
    return SpatialChain(counts, np.array([chain_of(c).P for c in counts]), pooled)


def ergodic(P: ArrayLike) -> Floats:
    """Long-run distribution π = πP of a chain with one closed class; transient states get 0.

    Raises:
        ChainError: a row that isn't a distribution (`states`), or several closed classes: then the long
            run depends on the start and no single answer exists (`classes`: one tuple of states each).

    >>> ergodic([[0.5, 0.5], [0.25, 0.75]]).round(6).tolist()
    [0.333333, 0.666667]
    """
    matrix = _stochastic(P)
    k = len(matrix)
    closed = _closed_classes(matrix)
    if len(closed) > 1:
        raise ChainError("several closed classes: the long run depends on the start", states=(), classes=closed)
    system = np.vstack([matrix.T - np.eye(k), np.ones(k)])
    solution = np.linalg.lstsq(system, np.append(np.zeros(k), 1.0), rcond=None)[0]
    inside = np.isin(np.arange(k), closed[0])
    kept = np.where(inside, np.maximum(solution, 0.0), 0.0)
    return np.asarray(kept / kept.sum(), dtype=np.float64)


def first_passage(P: ArrayLike) -> Floats:
    """Mean years until state j is first reached from i (k, k); on the diagonal the mean time of return.

    Raises:
        ChainError: a chain in which some state can't be reached from all others.

    >>> first_passage([[0.5, 0.5], [0.25, 0.75]]).round(4).tolist()
    [[3.0, 2.0], [4.0, 1.5]]
    """
    matrix = _stochastic(P)
    k = len(matrix)
    closed = _closed_classes(matrix)
    if len(closed) > 1 or len(closed[0]) < k:
        outside = tuple(s for s in range(k) if s not in closed[0])
        raise ChainError("some state can't be reached from all others", states=outside, classes=closed)
    pi = ergodic(matrix)
    fundamental = np.linalg.inv(np.eye(k) - matrix + pi[None, :])
    passage = (np.diag(fundamental)[None, :] - fundamental) / pi[None, :]
    np.fill_diagonal(passage, 1.0 / pi)
    return np.asarray(passage, dtype=np.float64)


def mobility(P: ArrayLike) -> float:
    """Shorrocks' mobility (k - tr P)/(k - 1): 0 when nobody moves.

    >>> mobility([[0.5, 0.5], [0.25, 0.75]])
    0.75
    """
    matrix = _stochastic(P)
    k = len(matrix)
    if k < 2:
        raise ChainError("mobility needs two states", states=(0,))
    return float((k - np.trace(matrix)) / (k - 1))


def homogeneity(counts: ArrayLike) -> Homogeneity:
    """Test that several chains are one: neighbours' classes (does the neighbourhood matter?) or periods.

    Degrees of freedom Σ_i (a_i - 1)(b_i - 1), a_i the states reached from i in all chains together, b_i the
    chains in which i was left (Bickenbach and Bode 2003). With few moves the tests promise too much; look
    at the counts.

    Args:
        counts: (s, k, k).

    Raises:
        TooFewError: one chain. FusionError: no degree of freedom left.

    >>> homogeneity([[[8, 2], [2, 8]], [[8, 2], [2, 8]]]).p_lr
    1.0
    """
    N = np.asarray(counts, dtype=np.float64)
    if N.ndim != 3 or len(N) < 2:
        raise TooFewError("compares two chains or more", what="chains", found=len(N), needed=2)
    pooled = N.sum(axis=0)
    left = N.sum(axis=2, keepdims=True)
    P0 = pooled / np.maximum(pooled.sum(axis=1, keepdims=True), 1.0)
    expected = left * P0
    positive = N > 0
    LR = 2.0 * float((N[positive] * np.log(N[positive] / expected[positive])).sum())
    Q = float(((N - expected) ** 2 / np.where(expected > 0, expected, 1.0)).sum())
    reached, chains = (pooled > 0).sum(axis=1), (left[:, :, 0] > 0).sum(axis=0)
    used = chains > 0
    dof = int(((reached[used] - 1) * (chains[used] - 1)).sum())
    if dof < 1:
        raise FusionError("no degree of freedom: too few moves to compare", code="few-moves", dof=dof)
    return Homogeneity(LR, Q, dof, float(chdtrc(dof, max(LR, 0.0))), float(chdtrc(dof, Q)))


def _states(states: ArrayLike, k: int, lowest: int = 0) -> Ints:
    path = np.asarray(states)
    if path.ndim != 2 or path.size == 0 or path.dtype.kind not in "iu":
        raise FusionError("states are integers (t, n)", code="shape", shape=path.shape)
    if path.min() < lowest or path.max() >= k:
        raise FusionError(
            f"states run from {lowest} to {k - 1}", code="shape", lowest=int(path.min()), highest=int(path.max())
        )
    return np.asarray(path, dtype=np.int64)


def _count(codes: Ints, size: int) -> Ints:
    return np.asarray(np.bincount(codes.ravel(), minlength=size), dtype=np.int64)


def _stochastic(P: ArrayLike) -> Floats:
    matrix = np.asarray(P, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ChainError("a chain is a square matrix", states=(), shape=matrix.shape)
    wrong = ~((np.abs(matrix.sum(axis=1) - 1.0) <= 1e-9) & (matrix >= 0).all(axis=1))
    if wrong.any():
        raise ChainError("a row isn't a distribution: a state nobody started from?", states=positions(wrong))
    return matrix


def _closed_classes(matrix: Floats) -> tuple[tuple[int, ...], ...]:
    """Sets of states that reach each other and nothing else."""
    count, label = connected_components((matrix > 0).astype(np.float64), directed=True, connection="strong")
    leaves = (matrix > 0) & (label[:, None] != label[None, :])
    groups = (positions(label == c) for c in range(count))
    return tuple(sorted(g for g in groups if not leaves[list(g)].any()))
