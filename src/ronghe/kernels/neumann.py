r"""The Leontief system by its power series, for large or sparse economies with few right-hand sides.

x = f + A f + A² f + ... converges for every productive A (Waugh 1950; Miller & Blair 2009, section 2.4). Terms
are summed in float32, which halves the bytes read, and the sum is refined against A in float64, so that the
result is as good as a float64 solve and says how good. One sweep reads A once: for m right-hand sides this
beats a factorisation while m x (number of terms) stays below n / 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError
from ronghe.kernels.leontief import Matrix, NotProductive, Solution, blamed, is_sparse

__all__ = ["Neumann", "SlowConvergence", "iterative"]


class SlowConvergence(KernelError):
    """The series did not reach the tolerance within the terms allowed; `residual` is what it reached."""

    def __init__(self, residual: float) -> None:
        self.residual = residual
        text = f"the power series stopped at a residual of {residual:.1e}; use a factorisation"
        super().__init__("slow-convergence", text, residual=residual)


@dataclass(frozen=True, slots=True, eq=False)
class Neumann:
    """Solves with I - A by the power series. Build it with `iterative`; same `solve` as `Leontief`."""

    A: Matrix
    single: Any = field(repr=False)
    tolerance: float = 1e-12
    terms: int = 400

    def _series(self, r: NDArray[np.float32], transposed: bool) -> NDArray[np.float32]:
        """Sum of Aᵏ r until a term is lost in float32; r is scaled to a largest entry of 1."""
        A = self.single.T if transposed else self.single
        total, term = r.copy(), r
        for _ in range(self.terms):
            term = A @ term
            total += term
            size = float(np.max(np.abs(term), initial=0.0))
            # Six digits of the sum are all that float32 carries; refinement brings the rest.
            if size <= 1e-6 * float(np.max(np.abs(total), initial=0.0)) or not np.isfinite(size):
                break
        return total

    def solve(self, b: ArrayLike, *, transposed: bool = False) -> Solution:
        """Solve (I - A) x = b or its transpose, b (n,) or (n, m); SlowConvergence if it cannot be reached."""
        rhs = np.asarray(b, dtype=float)
        if rhs.shape[:1] != (self.A.shape[0],) or not np.isfinite(rhs).all():
            raise KernelError("shape", f"right-hand side must be finite with {self.A.shape[0]} rows, not {rhs.shape}")
        scale = np.max(np.abs(rhs), axis=0, initial=0.0)
        scale = np.where(scale > 0, scale, 1.0)
        A = self.A.T if transposed else self.A
        x, r, last = np.zeros_like(rhs), rhs, np.inf
        while True:
            unit = np.max(np.abs(r), axis=0, initial=0.0)
            unit = np.where(unit > 0, unit, 1.0)
            x = x + self._series((r / unit).astype(np.float32), transposed) * unit
            r = rhs - x + A @ x
            now = float(np.max(np.abs(r) / scale, initial=0.0))
            if now <= self.tolerance:
                return Solution(x, now)
            if not now < 0.5 * last:
                raise SlowConvergence(min(now, last))
            last = now


def iterative(A: Matrix, *, tolerance: float = 1e-12, terms: int = 400) -> Neumann:
    """Prepare I - A for solves by the power series; A (n, n), dense or sparse, non-negative.

    `tolerance` bounds the relative residual that a solve returns. Raises NotProductive where the column sums
    show at once that the series cannot converge (all of them 1 or more).

    >>> economy = iterative(np.array([[0.15, 0.25], [0.2, 0.05]]))
    >>> economy.solve([600.0, 1500.0]).x.round(1).tolist()
    [1247.5, 1841.6]
    """
    if np.asarray(A.sum(axis=0)).min(initial=np.inf) >= 1:
        raise NotProductive(blamed(A))
    A = A if is_sparse(A) else np.asarray(A, dtype=float)
    return Neumann(A, A.astype(np.float32), tolerance, terms)
