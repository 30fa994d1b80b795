"""Neighbours and spatial autocorrelation: weight matrices, Moran's I global and local.

W (n, n) is dense: regions of a country are few. w_ij says how much j counts for i; the diagonal is zero.

What becomes of islands is asked for, never guessed: a region without neighbours raises, unless the caller
links it (`link_islands`) or keeps it with an empty row. A kept island has a lag of zero, the mean, and pulls
Moran's I to zero.

Papers: Moran, Biometrika 37 (1950); Cliff and Ord, Spatial Processes (1981), moments; Anselin,
Geographical Analysis 27 (1995), local I; Benjamini and Hochberg (1995), false discoveries.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from ronghe.kernels.checks import (
    ConstantIndicatorError,
    Floats,
    FusionError,
    IslandError,
    TooFewError,
    complete,
    positions,
)

EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class Moran:
    """Global Moran's I with its expectation, both analytical tests and the permutation test.

    `p_sim` is two-sided: twice (1 + permutations at least as extreme on I's side)/(1 + all), at most 1. GeoDa
    and older esda print half of it, which finds twice as many patterns in noise as it says.
    """

    I: float  # noqa: E741 - the field's name
    EI: float
    V_norm: float
    z_norm: float
    p_norm: float
    V_rand: float
    z_rand: float
    p_rand: float
    p_sim: float
    simulated: Floats


@dataclass(frozen=True, slots=True)
class LocalMoran:
    """Local I (n,), quadrants 1 high-high, 2 low-high, 3 low-low, 4 high-low, and two p values.

    `p_sim` is the two-sided permutation p, `p_fdr` the same after Benjamini and Hochberg, which bounds the
    share of false finds among n tests.
    """

    I: Floats  # noqa: E741 - the field's name
    quadrant: NDArray[np.int64]
    p_sim: Floats
    p_fdr: Floats


def contiguity(n: int, pairs: Iterable[tuple[int, int]]) -> Floats:
    """1 for regions that share a border, from a list of neighbouring pairs (either order, repeats allowed).

    Raises:
        FusionError: a pair outside 0 … n - 1, or of a region with itself.

    >>> contiguity(3, [(0, 1)]).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    W = np.zeros((n, n))
    for i, j in pairs:
        if not (0 <= i < n and 0 <= j < n) or i == j:
            raise FusionError("a pair names two different regions", code="same-place", pair=(i, j), n=n)
        W[i, j] = W[j, i] = 1.0
    return W


def great_circle(lat: ArrayLike, lon: ArrayLike) -> Floats:
    """Distances (n, n) in kilometres on a sphere, from degrees.

    >>> great_circle([0.0, 0.0], [0.0, 90.0]).round(1)[0, 1].item()
    10007.6
    """
    phi, lam = np.radians(complete(lat, 1, "lat")), np.radians(complete(lon, 1, "lon"))
    half_lat, half_lon = (phi[:, None] - phi) / 2, (lam[:, None] - lam) / 2
    chord = np.sin(half_lat) ** 2 + np.cos(phi)[:, None] * np.cos(phi) * np.sin(half_lon) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0, 1))), dtype=np.float64)


def inverse_distance(D: ArrayLike, *, power: float = 1.0, cutoff: float | None = None) -> Floats:
    """w_ij = 1/d_ij^power up to the cutoff, 0 beyond and on the diagonal.

    Raises:
        FusionError: two different regions at distance zero (`pairs`).

    >>> inverse_distance([[0.0, 2.0], [2.0, 0.0]]).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    distance = _square(D)
    off = ~np.eye(len(distance), dtype=bool)
    same = off & (distance <= 0)
    if same.any():
        raise FusionError(
            "two regions at no distance",
            code="same-place",
            pairs=tuple((int(i), int(j)) for i, j in np.argwhere(same) if i < j),
        )
    near = off if cutoff is None else off & (distance <= cutoff)
    return np.where(near, np.where(near, distance, 1.0) ** -power, 0.0)


def economic(g: ArrayLike, D: ArrayLike | None = None, *, power: float = 1.0) -> Floats:
    """Economic weights w_ij = 1/|g_i - g_j|, times 1/d_ij^power where distances are given (nested weights).

    Args:
        g: (n,) mean level of the economy, such as GDP per head over the period (one matrix for all years,
            so that a change in I is not a change of weights).
        D: (n, n) distances.
        power: of the distance.

    Raises:
        FusionError: two regions of the same level (`pairs`).

    >>> economic([1.0, 3.0]).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    level = complete(g, 1, "g")
    W = inverse_distance(np.abs(level[:, None] - level[None, :]))
    return W if D is None else W * inverse_distance(D, power=power)


def link_islands(W: ArrayLike, D: ArrayLike) -> Floats:
    """Give each region without neighbours its nearest one, both ways, with the largest weight in use (1 if none).

    >>> link_islands([[0, 1, 0], [1, 0, 0], [0, 0, 0]], [[0, 1, 5], [1, 0, 4], [5, 4, 0]])[2].tolist()
    [0.0, 1.0, 0.0]
    """
    linked, distance = _square(W).copy(), _square(D)
    if distance.shape != linked.shape:
        raise FusionError("W and D describe the same regions", code="shape", shapes=(linked.shape, distance.shape))
    weight = float(linked.max()) or 1.0
    apart = distance + np.diag(np.full(len(distance), np.inf))
    for i in islands(linked):
        j = int(np.argmin(apart[i]))
        linked[i, j] = linked[j, i] = weight
    return linked


def islands(W: ArrayLike) -> tuple[int, ...]:
    """Regions whose row of weights is empty.

    >>> islands([[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    (2,)
    """
    return positions(_square(W).sum(axis=1) == 0)


def row_standardise(W: ArrayLike, *, island: Literal["raise", "keep"] = "raise") -> Floats:
    """Rows scaled to one, so that a lag is the neighbours' mean.

    Raises:
        IslandError: `islands`, unless they are kept with an empty row.

    >>> row_standardise([[0, 2, 2], [1, 0, 0], [1, 0, 0]])[0].tolist()
    [0.0, 0.5, 0.5]
    """
    weights = _square(W)
    alone = islands(weights)
    if alone and island == "raise":
        raise IslandError("a region has no neighbour: link it or keep it on purpose", islands=alone)
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights / np.where(total > 0, total, 1.0), dtype=np.float64)


def lag(W: ArrayLike, y: ArrayLike) -> Floats:
    """Spatial lag Wy of (n,) or of each year of (t, n).

    >>> lag([[0.0, 1.0], [1.0, 0.0]], [[1.0, 2.0]]).tolist()
    [[2.0, 1.0]]
    """
    return np.asarray(np.asarray(y, dtype=np.float64) @ _square(W).T, dtype=np.float64)


def moran(y: ArrayLike, W: ArrayLike, *, permutations: int = 999, seed: int = 0) -> Moran:
    """Moran's I = (n/S₀) z'Wz / z'z, z = y - ȳ, tested analytically (two-sided) and by permutation.

    Args:
        y: (n,) levels, n ≥ 4.
        W: (n, n) weights as they are to be used: row-standardise first where the mean of neighbours is meant.
        permutations: random relabellings; 0 leaves p_sim NaN.
        seed: of the relabellings; the same seed gives the same p.

    Raises:
        TooFewError: under four regions. ConstantIndicatorError: all levels equal. IslandError: no weights at all.

    >>> W = row_standardise(contiguity(4, [(0, 1), (1, 2), (2, 3)]))
    >>> round(moran([1.0, 2.0, 3.0, 4.0], W).I, 4)
    0.4
    """
    z, weights = _deviations(y, W)
    n, squares = len(z), float(z @ z)
    S0 = float(weights.sum())
    value = n / S0 * float(z @ weights @ z) / squares
    EI = -1.0 / (n - 1)
    V_norm, V_rand = _moments(z, weights)
    z_norm, z_rand = (value - EI) / np.sqrt(V_norm), (value - EI) / np.sqrt(V_rand)
    draws = np.random.default_rng(seed).permuted(np.tile(z, (permutations, 1)), axis=1)
    simulated = np.asarray(n / S0 * ((draws @ weights.T) * draws).sum(axis=1) / squares, dtype=np.float64)
    p_sim = float(_two_sided(simulated[:, None], np.array([value]))[0]) if permutations else float("nan")
    p_norm, p_rand = 2 * float(ndtr(-abs(z_norm))), 2 * float(ndtr(-abs(z_rand)))
    return Moran(value, EI, V_norm, float(z_norm), p_norm, V_rand, float(z_rand), p_rand, p_sim, simulated)


def local_moran(y: ArrayLike, W: ArrayLike, *, permutations: int = 999, seed: int = 0) -> LocalMoran:
    """Local Moran I_i = (n - 1) z_i Σ_j w_ij z_j / z'z, with conditional permutation: i stays, others move.

    Args, errors: as for `moran`, with permutations ≥ 1.

    >>> W = row_standardise(contiguity(4, [(0, 1), (1, 2), (2, 3)]))
    >>> local_moran([1.0, 2.0, 3.0, 4.0], W).quadrant.tolist()
    [3, 3, 1, 1]
    """
    if permutations < 1:
        raise FusionError("local inference needs permutations", code="draws", permutations=permutations)
    z, weights = _deviations(y, W)
    n = len(z)
    scale = (n - 1) / float(z @ z)
    near = weights @ z
    value = np.asarray(scale * z * near, dtype=np.float64)
    quadrant = np.select([(z > 0) & (near > 0), (z <= 0) & (near > 0), (z <= 0)], [1, 2, 3], 4)
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(n - 1), (permutations, 1)), axis=1)
    simulated = np.empty((permutations, n))
    for i in range(n):
        simulated[:, i] = scale * z[i] * (np.delete(z, i)[order] @ np.delete(weights[i], i))
    p_sim = _two_sided(simulated, value)
    return LocalMoran(value, np.asarray(quadrant, dtype=np.int64), p_sim, false_discovery(p_sim))


def false_discovery(p: ArrayLike) -> Floats:
    """Adjust p values as Benjamini and Hochberg do: the smallest false-discovery rate that still keeps each.

    >>> false_discovery([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    values = complete(p, 1, "p")
    order = np.argsort(values)[::-1]
    scaled = values[order] * len(values) / np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum.accumulate(np.minimum(scaled, 1.0))
    return adjusted


def _two_sided(simulated: Floats, value: Floats) -> Floats:
    # Ties come from equal sums in another order: a hair's breadth keeps them ties.
    hair = 1e-12 * (1.0 + np.abs(value))
    count = len(simulated)
    above = (simulated >= value - hair).sum(axis=0)
    below = (simulated <= value + hair).sum(axis=0)
    tail = (np.minimum(above, below) + 1.0) / (count + 1.0)
    return np.asarray(np.minimum(2.0 * tail, 1.0), dtype=np.float64)


def _moments(z: Floats, W: Floats) -> tuple[float, float]:
    n = len(z)
    S0 = W.sum()
    S1 = ((W + W.T) ** 2).sum() / 2
    S2 = ((W.sum(axis=0) + W.sum(axis=1)) ** 2).sum()
    EI2 = 1.0 / (n - 1) ** 2
    normal = (n**2 * S1 - n * S2 + 3 * S0**2) / ((n - 1) * (n + 1) * S0**2) - EI2
    kurtosis = (z**4).mean() / (z**2).mean() ** 2
    first = n * ((n**2 - 3 * n + 3) * S1 - n * S2 + 3 * S0**2)
    second = kurtosis * ((n**2 - n) * S1 - 2 * n * S2 + 6 * S0**2)
    return float(normal), float((first - second) / ((n - 1) * (n - 2) * (n - 3) * S0**2) - EI2)


def _deviations(y: ArrayLike, W: ArrayLike) -> tuple[Floats, Floats]:
    levels, weights = complete(y, 1, "y"), _square(W)
    n = len(levels)
    if n < 4:
        raise TooFewError("Moran's I needs four regions", what="regions", found=n, needed=4)
    if len(weights) != n:
        raise FusionError("W has a row a region", code="shape", shapes=(levels.shape, weights.shape))
    if weights.sum() == 0:
        raise IslandError("no region has a neighbour", islands=tuple(range(n)))
    if np.ptp(levels) == 0:
        raise ConstantIndicatorError("all levels are equal", indicators=(0,))
    return levels - levels.mean(), weights


def _square(W: ArrayLike) -> Floats:
    weights = complete(W, 2, "W")
    if weights.shape[0] != weights.shape[1] or (weights < 0).any() or np.diag(weights).any():
        raise FusionError(
            "needs a square matrix, zero or more, zero on the diagonal", code="link-weights", shape=weights.shape
        )
    return weights
