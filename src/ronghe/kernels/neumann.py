r"""The Leontief system by iteration, for large or sparse economies.

x = f + A f + A² f + ... converges for every productive A (Waugh 1950; Miller & Blair 2009, section 2.4). Where the
sectors fall into blocks that trade mostly inside (the regions of a world table), block Gauss-Seidel needs far fewer
rounds: each region in turn is solved exactly, given what the others ask of it,

    x_c ← (I - A_cc)⁻¹ (f_c + Σ_{d≠c} A_cd x_d),

which converges for every productive A and never more slowly than the series (Varga, *Matrix Iterative Analysis*,
chapter 3: I - A is an M-matrix). Rounds run in float32, which halves the bytes read, and the sum is refined against
A in float64, so that the result is as good as a float64 solve and says how good. One round of either reads A once;
m right-hand sides beat a factorisation while m x (number of rounds) stays below n / 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError
from ronghe.kernels.leontief import Matrix, NotProductive, Solution, blamed, is_sparse

__all__ = ["Neumann", "SlowConvergence", "iterative"]

Single = NDArray[np.float32]


class SlowConvergence(KernelError):
    """The rounds did not reach the tolerance; `residual` is what they reached. A may not be productive."""

    def __init__(self, residual: float) -> None:
        self.residual = residual
        text = f"the iteration stopped at a residual of {residual:.1e}; use a factorisation"
        super().__init__("slow-convergence", text, residual=residual)


@dataclass(frozen=True, slots=True, eq=False)
class Neumann:
    """Solves with I - A by iteration. Build it with `iterative`; same `solve` as `Leontief`."""

    A: Matrix
    single: Any = field(repr=False)
    blocks: tuple[tuple[slice, Single], ...] = field(repr=False)
    tolerance: float = 1e-12
    rounds: int = 400

    def _series(self, r: Single, transposed: bool) -> Single:
        """Sum of Aᵏ r until a term is lost in float32."""
        A = self.single.T if transposed else self.single
        total, term = r.copy(), r
        for _ in range(self.rounds):
            term = A @ term
            total += term
            if _settled(float(np.max(np.abs(term), initial=0.0)), total):
                break
        return total

    def _seidel(self, r: Single, transposed: bool) -> Single:
        """Rounds over the blocks; `single` holds A with its diagonal blocks set to zero."""
        A = self.single.T if transposed else self.single
        total = np.zeros_like(r)
        for _ in range(self.rounds):
            moved = 0.0
            for rows, inverse in self.blocks:
                new = (inverse.T if transposed else inverse) @ (r[rows] + A[rows] @ total)
                moved = max(moved, float(np.max(np.abs(new - total[rows]), initial=0.0)))
                total[rows] = new
            if _settled(moved, total):
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
        rounds = self._seidel if self.blocks else self._series
        x, r, last = np.zeros_like(rhs), rhs, np.inf
        while True:
            unit = np.max(np.abs(r), axis=0, initial=0.0)
            unit = np.where(unit > 0, unit, 1.0)
            x = x + rounds((r / unit).astype(np.float32), transposed) * unit
            r = rhs - x + A @ x
            now = float(np.max(np.abs(r) / scale, initial=0.0))
            if now <= self.tolerance:
                return Solution(x, now)
            if not now < 0.5 * last:
                raise SlowConvergence(min(now, last))
            last = now


def _settled(change: float, total: Single) -> bool:
    """Six digits of the sum are all that float32 carries; refinement brings the rest."""
    return change <= 1e-6 * float(np.max(np.abs(total), initial=0.0)) or not np.isfinite(change)


def _diagonal_blocks(A: NDArray[np.float64], blocks: ArrayLike, single: Single) -> tuple[tuple[slice, Single], ...]:
    """(rows, (I - A_cc)⁻¹) of every block; the blocks are zeroed in `single`."""
    codes = np.asarray(blocks)
    if codes.shape != (len(A),) or (np.diff(codes) < 0).any():
        raise KernelError("codes", f"blocks must be {len(A)} codes in ascending order")
    edges = np.flatnonzero(np.diff(codes, prepend=codes[:1] - 1, append=codes[-1:] + 1))
    found = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = slice(start, end)
        try:
            inverse = np.linalg.inv(np.eye(end - start) - A[rows, rows])
        except np.linalg.LinAlgError as error:
            raise NotProductive(blamed(A[rows, rows]) + start) from error
        if inverse.min() < -1e-9:
            raise NotProductive(blamed(A[rows, rows]) + start)
        single[rows, rows] = 0
        found.append((rows, inverse.astype(np.float32)))
    return tuple(found)


def iterative(A: Matrix, *, blocks: ArrayLike | None = None, tolerance: float = 1e-12, rounds: int = 400) -> Neumann:
    """Prepare I - A for solves by iteration; A (n, n) non-negative, dense or sparse.

    blocks     (n,) ascending codes, such as the region of each sector, for block Gauss-Seidel; dense A only
    tolerance  bounds the relative residual that a solve returns

    Raises NotProductive where it shows at once (a block by itself, or every column sum at 1 or more), KernelError for
    blocks out of order or a sparse A with blocks.

    >>> economy = iterative(np.array([[0.15, 0.25], [0.2, 0.05]]), blocks=[0, 1])
    >>> economy.solve([600.0, 1500.0]).x.round(1).tolist()
    [1247.5, 1841.6]
    """
    if np.asarray(A.sum(axis=0)).min(initial=np.inf) >= 1:
        raise NotProductive(blamed(A))
    if is_sparse(A):
        if blocks is not None:
            raise KernelError("sparse", "blocks need a dense A")
        return Neumann(A, A.astype(np.float32), (), tolerance, rounds)
    A = np.asarray(A, dtype=float)
    single = A.astype(np.float32)
    found = () if blocks is None else _diagonal_blocks(A, blocks, single)
    return Neumann(A, single, found, tolerance, rounds)
