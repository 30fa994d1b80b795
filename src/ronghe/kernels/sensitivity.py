"""Which choice moves the result: variance shares by Sobol, estimated from swapped samples.

Papers: Sobol', Mathematics and Computers in Simulation 55 (2001); Jansen, Computer Physics Communications
117 (1999); Saltelli et al., Computer Physics Communications 181 (2010).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ronghe.kernels.checks import Floats, FusionError


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares (f, ...) of the variance for f factors.

    `first` is what a factor does alone, `total` with all it does together with others: total - first is
    interaction, and a factor with total 0 can be fixed. Where nothing varies both are NaN. `variance` (...)
    is what they are shares of. Estimates can stray outside [0, 1] by the sampling error, about 1/√d.
    """

    first: Floats
    total: Floats
    variance: Floats


def sobol_shares(fA: ArrayLike, fB: ArrayLike, fAB: ArrayLike) -> Shares:
    """Jansen's estimators of first-order and total-order shares.

    S_i = 1 - E[(f(B) - f(AB_i))²]/2V, T_i = E[(f(A) - f(AB_i))²]/2V, where AB_i is sample A with factor i
    taken from B, and V the variance over both samples.

    Args:
        fA: (d, ...) results of sample A.
        fB: (d, ...) of an independent sample B.
        fAB: (f, d, ...) of A with one factor from B at a time.

    Raises:
        FusionError: shapes that don't match, or fewer than two draws.

    >>> rng = np.random.default_rng(0)
    >>> A, B = rng.random((2, 4000, 2))
    >>> f = lambda x: 2 * x[:, 0] + x[:, 1]
    >>> swapped = [f(np.column_stack([B[:, 0], A[:, 1]])), f(np.column_stack([A[:, 0], B[:, 1]]))]
    >>> sobol_shares(f(A), f(B), swapped).total.round(1).tolist()
    [0.8, 0.2]
    """
    a, b, ab = (np.asarray(f, dtype=np.float64) for f in (fA, fB, fAB))
    if a.shape != b.shape or ab.shape[1:] != a.shape or len(a) < 2:
        raise FusionError("samples A, B and AB_i are of one shape", code="shape", shapes=(a.shape, b.shape, ab.shape))
    variance = np.concatenate([a, b]).var(axis=0)
    safe = np.where(variance > 0, 2.0 * variance, np.nan)
    first = 1.0 - ((b - ab) ** 2).mean(axis=1) / safe
    total = ((a - ab) ** 2).mean(axis=1) / safe
    return Shares(first, total, np.asarray(variance, dtype=np.float64))
