"""Tail exponents of heavy-tailed data: Hill's estimator and the method of Clauset, Shalizi & Newman.

The exponent is that of the complementary distribution, P(X > x) ~ x**-exponent (the density's exponent is
one more). Hill 1975, Annals of Statistics 3, 1163; Clauset, Shalizi & Newman 2009, SIAM Review 51, 661.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError

MIN_TAIL = 10
CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class TailFit:
    """A fitted power-law tail: exponent, its standard error, where the tail starts, its size, KS distance."""

    exponent: float
    error: float
    start: float
    n_tail: int
    distance: float


def hill(values: ArrayLike, k: int) -> float:
    """Hill's estimator from the k largest values.

    Parameters
    ----------
    values : numbers; only positive ones count.
    k : how many of the largest to use, 1 ≤ k < number of positive values.

    Returns
    -------
    k / Σ ln(X_(i) / X_(k+1)), i = 1..k; infinity when the k + 1 largest are equal.

    Raises
    ------
    KernelError
        ``k`` out of range.

    Examples
    --------
    >>> round(hill([1.0, 2.0, 4.0, 8.0], 3), 6)
    0.721348
    """
    data = np.asarray(values, dtype=np.float64)
    data = np.sort(data[data > 0])[::-1]
    if not 1 <= k < data.size:
        raise KernelError("k", f"k = {k} must lie between 1 and {data.size - 1}, the positive values less one")
    total = float(np.log(data[:k] / data[k]).sum())
    return k / total if total > 0 else float("inf")


def fit_tail(values: ArrayLike, *, discrete: bool = False) -> TailFit:
    """Maximum-likelihood exponent with the start of the tail that brings the fit closest to the data.

    For each candidate start x_m the exponent is n / Σ ln(x / x_m) (for counts x_m − 1/2 in the place of
    x_m, the authors' approximation); the start kept has the least Kolmogorov-Smirnov distance.

    Parameters
    ----------
    values : numbers; only positive finite ones count. discrete : the values are counts.

    Returns
    -------
    The fit; every figure is NaN when fewer than 10 positive values, or no spread, leave nothing to fit.

    Examples
    --------
    >>> x = (1.0 - (np.arange(1000) + 0.5) / 1000) ** (-1 / 1.5)
    >>> round(fit_tail(x).exponent, 1)
    1.5
    """
    data = np.asarray(values, dtype=np.float64)
    data = np.sort(data[(data > 0) & np.isfinite(data)])
    none = TailFit(float("nan"), float("nan"), float("nan"), 0, float("nan"))
    if data.size < MIN_TAIL:
        return none
    levels = np.unique(data[: data.size - MIN_TAIL + 1])
    if levels.size > CANDIDATES:
        levels = np.unique(levels[np.linspace(0, levels.size - 1, CANDIDATES).astype(np.int64)])
    fits = [_fit_from(data, float(start), discrete) for start in levels]
    best = min((fit for fit in fits if np.isfinite(fit.exponent)), key=lambda fit: fit.distance, default=none)
    return best


def _fit_from(data: NDArray[np.float64], start: float, discrete: bool) -> TailFit:
    tail = data[np.searchsorted(data, start, side="left") :]
    base = start - 0.5 if discrete else start
    total = float(np.log(tail / base).sum())
    if total <= 0 or tail[0] == tail[-1]:
        return TailFit(float("nan"), float("nan"), start, tail.size, float("inf"))
    exponent = tail.size / total
    steps, first = np.unique(tail, return_index=True)
    above = 1.0 - first / tail.size
    model = ((steps - 0.5 if discrete else steps) / base) ** -exponent
    distance = float(np.max(np.abs(above - model)))
    return TailFit(exponent, exponent / float(np.sqrt(tail.size)), start, int(tail.size), distance)
