r"""The Leontief system by iteration, for large or sparse economies.

x = f + A f + A² f + ... converges for every productive A (Waugh 1950; Miller & Blair 2009, section 2.4). Where the
sectors fall into blocks that trade mostly inside (the regions of a world table), symmetric block Gauss-Seidel needs
far fewer rounds: the blocks are visited forwards, then backwards, and each is solved exactly, given what the others
ask of it,

    x_c ← (I - A_cc)⁻¹ (f_c + Σ_{d<c} A_cd x_d + Σ_{d>c} A_cd x_d),

which converges exactly when A is productive (a regular splitting of an M-matrix: Varga, *Matrix Iterative Analysis*,
chapter 3). Only one of the two sums changes in a sweep, so that a sweep reads half of A (Conrad & Wallach 1979).
Narrow blocks are merged: wider ones converge no more slowly and keep the processor busy. Sweeps run in float32,
which halves the bytes read, and the sum is refined against A in float64, so that the result is as good as a float64
solve and says how good. m right-hand sides beat a factorisation while m x (number of rounds) stays below n / 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError
from ronghe.kernels.leontief import Matrix, NotProductive, Solution, blamed, check_flows, is_sparse

__all__ = ["Neumann", "SlowConvergence", "iterative"]

Single = NDArray[np.float32]

_DIGITS = 1e-6  # of a sum are all that float32 carries; refinement brings the rest
_REACH = 2e-7  # what the last refinement may ask of float32
_WIDTH = 384  # sectors in a merged block, at least


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

    def _series(self, r: Single, transposed: bool, target: float) -> Single:
        """Sum of Aᵏ r until a term is below `target`."""
        A = self.single.T if transposed else self.single
        total, term = r.copy(), r
        for _ in range(self.rounds):
            term = A @ term
            total += term
            change = float(np.max(np.abs(term), initial=0.0))
            if change <= target or not np.isfinite(change):
                break
        return total

    def _seidel(self, r: Single, transposed: bool, target: float) -> Single:
        """Sweeps over the blocks, forwards and backwards, until the next one would move nothing by `target`."""
        A = self.single.T if transposed else self.single
        total, before, after = np.zeros_like(r), np.zeros_like(r), np.zeros_like(r)
        moved = [1.0, 1.0, 1.0]
        for sweep in range(2 * self.rounds):
            forwards, change = sweep % 2 == 0, 0.0
            for rows, inverse in self.blocks if forwards else self.blocks[::-1]:
                if forwards:
                    np.matmul(A[rows, : rows.start], total[: rows.start], out=before[rows])
                else:
                    np.matmul(A[rows, rows.stop :], total[rows.stop :], out=after[rows])
                new = (inverse.T if transposed else inverse) @ (r[rows] + before[rows] + after[rows])
                change = max(change, float(np.max(np.abs(new - total[rows]), initial=0.0)))
                total[rows] = new
            moved = [*moved[1:], change]
            # The slower of the last two rates: the first sweeps gain more than those that follow.
            rate = max(moved[-1] / (moved[-2] or 1.0), moved[-2] / (moved[-3] or 1.0))
            if change * min(rate, 1.0) <= target or not np.isfinite(change):
                break
        return total

    def solve(self, b: ArrayLike, *, transposed: bool = False) -> Solution:
        """Solve (I - A) x = b or its transpose, b (n,) or (n, m).

        Raises NotProductive where the iteration diverges because A is not, SlowConvergence where `tolerance` cannot
        be reached otherwise.
        """
        rhs = np.asarray(b, dtype=float)
        if rhs.shape[:1] != (self.A.shape[0],) or not np.isfinite(rhs).all():
            raise KernelError("shape", f"right-hand side must be finite with {self.A.shape[0]} rows, not {rhs.shape}")
        flat = rhs.reshape(len(rhs), -1)
        scale = np.max(np.abs(flat), axis=0, initial=0.0)
        scale = np.where(scale > 0, scale, 1.0)
        A = self.A.T if transposed else self.A
        rounds = self._seidel if self.blocks else self._series
        x, r, now = np.zeros_like(flat), flat, 1.0
        while True:
            unit = np.max(np.abs(r), axis=0, initial=0.0)
            unit = np.where(unit > 0, unit, 1.0)
            goal = 0.3 * self.tolerance / now
            with np.errstate(over="ignore", invalid="ignore"):
                step = rounds((r / unit).astype(np.float32), transposed, goal if goal > _REACH else _DIGITS)
                x = x + step * unit
                r = flat - x + A @ x
            last, now = now, float(np.max(np.abs(r) / scale, initial=0.0))
            if now <= self.tolerance:
                return Solution(x.reshape(rhs.shape), now)
            if not now < 0.5 * last:
                raise self._refusal(min(now, last))

    def _refusal(self, residual: float) -> KernelError:
        guilty = blamed(self.A)
        return NotProductive(guilty) if len(guilty) else SlowConvergence(residual)


def _diagonal_blocks(A: NDArray[np.float64], blocks: ArrayLike) -> tuple[tuple[slice, Single], ...]:
    """(rows, (I - A_cc)⁻¹) of every block, narrow neighbours merged."""
    codes = np.asarray(blocks)
    if codes.shape != (len(A),) or (np.diff(codes) < 0).any():
        raise KernelError("codes", f"blocks must be {len(A)} codes in ascending order")
    edges = np.flatnonzero(np.diff(codes, prepend=codes[:1] - 1, append=codes[-1:] + 1)).tolist()
    found, start = [], 0
    for end in edges[1:]:
        if end - start < min(_WIDTH, len(A) // 2) and end < len(A):
            continue
        rows, start = slice(start, end), end
        try:
            inverse = np.linalg.inv(np.eye(rows.stop - rows.start) - A[rows, rows])
        except np.linalg.LinAlgError as error:
            raise NotProductive(blamed(A[rows, rows]) + rows.start) from error
        if inverse.min() < -1e-9:
            raise NotProductive(blamed(A[rows, rows]) + rows.start)
        found.append((rows, inverse.astype(np.float32)))
    return tuple(found)


def iterative(A: Matrix, *, blocks: ArrayLike | None = None, tolerance: float = 1e-12, rounds: int = 400) -> Neumann:
    """Prepare I - A for solves by iteration; A (n, n) non-negative, dense or sparse.

    blocks     (n,) ascending codes, such as the region of each sector, for block Gauss-Seidel; dense A only
    tolerance  bounds the relative residual that a solve returns

    Raises NegativeFlows, NotProductive where it shows at once (a block by itself, or every column sum at 1 or more;
    a solve finds the rest), KernelError for blocks out of order or a sparse A with blocks.

    >>> economy = iterative(np.array([[0.15, 0.25], [0.2, 0.05]]), blocks=[0, 1])
    >>> economy.solve([600.0, 1500.0]).x.round(1).tolist()
    [1247.5, 1841.6]
    """
    check_flows(A)
    if np.asarray(A.sum(axis=0)).min(initial=np.inf) >= 1:
        raise NotProductive(blamed(A))
    if is_sparse(A):
        if blocks is not None:
            raise KernelError("sparse", "blocks need a dense A")
        return Neumann(A, A.astype(np.float32), (), tolerance, rounds)
    A = np.asarray(A, dtype=float)
    found = () if blocks is None else _diagonal_blocks(A, blocks)
    return Neumann(A, A.astype(np.float32), found, tolerance, rounds)
