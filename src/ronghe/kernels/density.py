"""How the distribution of regions moves: Gaussian kernel densities over years, bandwidths reported.

Papers: Silverman, Density Estimation for Statistics and Data Analysis (1986), eq. 3.31; Scott,
Multivariate Density Estimation (1992); Jones, Statistics and Computing 3 (1993), reflection at a bound.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.checks import Floats, FusionError, TooFewError, complete

Rule = Literal["silverman", "scott"]


@dataclass(frozen=True, slots=True)
class Density:
    """Densities (t, g) of t years over one grid (g,), each with its bandwidth (t,) and count of peaks (t,)."""

    grid: Floats
    density: Floats
    bandwidth: Floats
    peaks: NDArray[np.int64]


def bandwidth(y: ArrayLike, *, rule: Rule = "silverman") -> Floats:
    """Bandwidth of each year: Silverman's 0.9 min(s, IQR/1.349) n^(-1/5), or Scott's 1.06 s n^(-1/5).

    s is the standard deviation with n - 1. Where half the regions are equal (IQR = 0), s stands alone.

    Raises:
        TooFewError: one region. FusionError: a year in which all regions are equal (`years`).

    >>> bandwidth([[0.0, 1.0, 2.0, 3.0]], rule="scott").round(4).tolist()
    [1.0371]
    """
    levels = _years(y)
    n = levels.shape[1]
    s = levels.std(axis=1, ddof=1)
    flat = np.ptp(levels, axis=1) == 0
    if flat.any():
        raise FusionError(
            "all regions are equal: no density", code="equal", years=tuple(int(i) for i in np.flatnonzero(flat))
        )
    if rule == "scott":
        return np.asarray(1.06 * s * n**-0.2, dtype=np.float64)
    if rule != "silverman":
        raise FusionError(f"rule is 'silverman' or 'scott', not {rule!r}", code="option", rule=rule)
    upper, lower = np.percentile(levels, [75, 25], axis=1)
    middle = (upper - lower) / 1.349
    return np.asarray(0.9 * np.where(middle > 0, np.minimum(s, middle), s) * n**-0.2, dtype=np.float64)


def kernel_density(
    y: ArrayLike,
    *,
    points: int = 200,
    width: Rule | float | ArrayLike = "silverman",
    support: tuple[float, float] | None = None,
    grid: ArrayLike | None = None,
) -> Density:
    """Gaussian kernel density of every year on one grid: f(x) = (1/nh) Σ φ((x - y_i)/h).

    Args:
        y: (t, n) levels.
        points: size of the grid where none is given: it reaches three of the widest bandwidths beyond the
            data, or fills the support.
        width: a rule, one bandwidth, or (t,) bandwidths.
        support: bounds the level can't pass, such as (0, 1); mass that would leak over is reflected.
        grid: (g,) increasing points.

    Raises:
        FusionError: a level outside the support, a bandwidth of zero or less, a grid that doesn't increase.
        TooFewError: one region.

    >>> found = kernel_density([[0.2, 0.25, 0.8, 0.85]], width=0.05, support=(0.0, 1.0))
    >>> found.peaks.tolist(), round(float(found.density[0].sum() / 199), 2)
    ([2], 1.0)
    """
    levels = _years(y)
    h = (
        bandwidth(levels, rule=width)  # type: ignore[arg-type]  # a str is a Rule or refused there
        if isinstance(width, str)
        else np.broadcast_to(np.asarray(width, dtype=np.float64), (len(levels),)).copy()
    )
    if not (h > 0).all():
        raise FusionError("a bandwidth is above zero", code="grid", widths=tuple(float(v) for v in h))
    if support is not None and (levels.min() < support[0] or levels.max() > support[1]):
        raise FusionError("a level lies outside the support", code="grid", support=support)
    x = _grid(levels, float(h.max()), points, support) if grid is None else complete(grid, 1, "grid")
    if len(x) < 2 or not (np.diff(x) > 0).all():
        raise FusionError("a grid increases and has two points or more", code="grid", points=len(x))
    density = _sum_of_kernels(x, levels, h)
    if support is not None:
        inside = (x >= support[0]) & (x <= support[1])
        mirrored = sum(_sum_of_kernels(2 * edge - x, levels, h) for edge in support)
        density = np.where(inside, density + mirrored, 0.0)
    return Density(x, density, h, _peaks(density))


def _sum_of_kernels(x: Floats, levels: Floats, h: Floats) -> Floats:
    u = (x[None, :, None] - levels[:, None, :]) / h[:, None, None]
    scale = h * levels.shape[1] * np.sqrt(2 * np.pi)
    return np.asarray(np.exp(-0.5 * u**2).sum(axis=2) / scale[:, None], dtype=np.float64)


def _grid(levels: Floats, widest: float, points: int, support: tuple[float, float] | None) -> Floats:
    low, high = support or (levels.min() - 3 * widest, levels.max() + 3 * widest)
    return np.linspace(low, high, max(points, 2))


def _peaks(density: Floats) -> NDArray[np.int64]:
    edge = np.full((len(density), 1), -1.0)
    padded = np.hstack([edge, density, edge])
    higher = (padded[:, 1:-1] > padded[:, :-2]) & (padded[:, 1:-1] >= padded[:, 2:])
    return np.asarray(higher.sum(axis=1), dtype=np.int64)


def _years(y: ArrayLike) -> Floats:
    levels = complete(y, 2, "y")
    if levels.shape[1] < 2:
        raise TooFewError("a density needs two regions", what="regions", found=levels.shape[1], needed=2)
    return levels
