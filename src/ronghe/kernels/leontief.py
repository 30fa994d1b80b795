r"""Input-output analysis: coefficients, the Leontief system, multipliers and linkages.

Symbols (Miller & Blair, *Input-Output Analysis*, 2nd ed., Cambridge 2009, chapters 2, 6 and 12)

    Z  (n, n)  flows: Z[i, j] is what sector j buys from sector i
    x  (n,)    gross output of each sector, in the unit of Z
    f  (n,)    final demand for each sector's product
    A  = Z x̂⁻¹             technical coefficients
    L  = (I - A)⁻¹         Leontief inverse;  x = A x + f = L f
    s  (k, n)  satellite rows per unit of output (value added, jobs, CO2);  multipliers s L

L is never formed unless asked for: one LU factorisation of I - A serves L f and s L alike. Where no column of A
adds up to more than 1 the diagonal dominates each column, and no rows are exchanged. Sectors that buy nothing, as
the empty ones of a multi-regional table, are left out of the factors: their columns of I - A are unit vectors. In
single precision the factorisation takes half the memory and about a third of the time, and every solve is refined
against A in float64 until its residual is at rounding level (Higham, *Accuracy and Stability*, 2002, ch. 12).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import get_lapack_funcs
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from ronghe.kernels.errors import KernelError
from ronghe.kernels.threads import on_each

Floats = NDArray[np.float64]
Matrix = Any  # a dense (n, n) array or any SciPy sparse matrix or array of that shape

_HOPELESS = 1e14

__all__ = [
    "Leontief",
    "NegativeFlows",
    "NotProductive",
    "SingularSystem",
    "Solution",
    "Solver",
    "backward_linkage",
    "check_flows",
    "check_productive",
    "factorise",
    "leontief_inverse",
    "multipliers",
    "normalised",
    "output",
    "satellite_coefficients",
    "technical_coefficients",
]


class NegativeFlows(KernelError):
    """Flows or coefficients below zero. `cells` holds their (row, column) pairs, shape (k, 2)."""

    def __init__(self, cells: NDArray[np.intp]) -> None:
        self.cells = cells
        first = ", ".join(f"({i}, {j})" for i, j in cells[:5].tolist())
        super().__init__("negative", f"{len(cells)} negative cells, the first at {first}", cells=cells)


class NotProductive(KernelError):
    """A cannot sustain itself: no output meets every final demand (spectral radius of A >= 1).

    `sectors` names the columns to blame: those of a strongly connected block whose own spectral radius is
    at least 1 and that pay out at least as much inside that block as they produce.
    """

    kind: ClassVar[str] = "not-productive"

    def __init__(self, sectors: NDArray[np.intp], message: str | None = None) -> None:
        self.sectors = sectors
        named = ", ".join(str(j) for j in sectors[:10].tolist()) or "none by itself"
        text = message or "A is not productive; inputs cost at least the output"
        super().__init__(self.kind, f"{text} (sectors {named})", sectors=sectors)


class SingularSystem(NotProductive):
    """I - A (or the block asked for) has no inverse to working precision; `sectors` as in NotProductive."""

    kind: ClassVar[str] = "singular"


@dataclass(frozen=True, slots=True)
class Solution:
    """`x` solves the system; `residual` is max over right-hand sides of ‖b - M x‖∞ / ‖b‖∞ as achieved."""

    x: Floats
    residual: float


class Solver(Protocol):
    """Anything that solves with M = I - A: `Leontief` (a factorisation) or `neumann.Neumann` (iterations)."""

    @property
    def A(self) -> Matrix:  # noqa: N802 - the field's name
        """The technical coefficients, (n, n)."""

    def solve(self, b: ArrayLike, *, transposed: bool = False) -> Solution:
        """Solve M x = b, or Mᵀ x = b; b has shape (n,) or (n, m)."""


def is_sparse(matrix: Matrix) -> bool:
    """Whether `matrix` is one of SciPy's sparse matrices or arrays."""
    return bool(sp.issparse(matrix))


def lapack(name: str, like: NDArray[Any]) -> Any:
    """LAPACK's routine of that name for the kind of numbers in `like`."""
    found: Any = get_lapack_funcs([name], [like])
    return found[0]


def _negative_cells(Z: Matrix) -> NDArray[np.intp]:
    if is_sparse(Z):
        coo = sp.coo_array(Z)
        bad = coo.data < 0
        return np.stack([coo.coords[0][bad], coo.coords[1][bad]], axis=1).astype(np.intp)
    return np.argwhere(np.asarray(Z) < 0) if np.min(Z, initial=0.0) < 0 else np.empty((0, 2), np.intp)


def check_flows(Z: Matrix) -> None:
    """Raise KernelError unless Z is square and finite, NegativeFlows if any cell is below zero."""
    if Z.ndim != 2 or Z.shape[0] != Z.shape[1]:
        raise KernelError("shape", f"a square matrix is needed, not shape {Z.shape}")
    total = Z.data.sum() if is_sparse(Z) else np.sum(Z)
    if not np.isfinite(total):
        raise KernelError("not_finite", "flows must be finite")
    cells = _negative_cells(Z)
    if len(cells):
        raise NegativeFlows(cells)


def technical_coefficients(
    Z: Matrix, x: ArrayLike, *, allow_negative: bool = False, out: Floats | None = None
) -> Matrix:
    """A = Z x̂⁻¹: input of i per unit of output of j; the column of a sector without output is zero.

    Z (n, n) dense or sparse and x (n,) in one unit; the result is of Z's kind. A dense result goes to `out` if given,
    which may be Z itself where memory matters. Raises NegativeFlows (unless
    `allow_negative`), and KernelError for shapes that differ, negative output, or a sector that buys inputs
    but has no output.

    >>> technical_coefficients(np.array([[150.0, 500.0], [200.0, 100.0]]), [1000.0, 2000.0])
    array([[0.15, 0.25],
           [0.2 , 0.05]])
    """
    x = np.asarray(x, dtype=float)
    if not allow_negative:
        check_flows(Z)
    if x.shape != (Z.shape[1],):
        raise KernelError("shape", f"output has shape {x.shape}, the table {Z.shape}")
    if not (x >= 0).all():
        bad = np.flatnonzero(~(x >= 0))
        raise KernelError("output", f"output below zero in sectors {bad[:10].tolist()}", sectors=bad)
    idle = np.flatnonzero(x == 0)
    if len(idle):
        idle = idle[np.asarray(abs(Z[:, idle]).sum(axis=0)).ravel() != 0]
    if len(idle):
        raise KernelError("idle", f"inputs but no output in sectors {idle[:10].tolist()}", sectors=idle)
    scale = np.divide(1.0, x, out=np.zeros_like(x), where=x > 0)
    return sp.csr_array(Z @ sp.diags_array(scale)) if is_sparse(Z) else np.multiply(Z, scale, out=out)


def satellite_coefficients(F: ArrayLike, x: ArrayLike) -> Floats:
    """S = F x̂⁻¹: satellite rows F, (k, n) or (n,), per unit of output; zero where there is no output."""
    x = np.asarray(x, dtype=float)
    S: Floats = np.divide(F, x, out=np.zeros(np.shape(F)), where=x > 0)
    return S


@dataclass(frozen=True, slots=True, eq=False)
class Leontief:
    """The factorised system I - A of one economy. Build it with `factorise`; it does not change."""

    A: Matrix
    lu: Any = field(repr=False)
    pivots: NDArray[np.intc] | None = field(repr=False)
    buys: NDArray[np.bool_] = field(repr=False)  # (n,) the sectors the factors are of: those with inputs
    tolerance: float = 1e-12
    sweeps: int = 8
    column_sums: Floats | None = field(default=None, repr=False)  # 1ᵀL, (n,), where A was checked

    @property
    def n(self) -> int:
        """Number of sectors."""
        return int(self.A.shape[0])

    def _raw(self, b: NDArray[Any], transposed: bool) -> NDArray[Any]:
        if self.pivots is None:
            solved: NDArray[Any] = self.lu.solve(b, trans="T" if transposed else "N")
            return solved
        getrs = lapack("getrs", self.lu)
        if self.buys.all():
            return np.asarray(getrs(self.lu, self.pivots, b, trans=1 if transposed else 0)[0])
        whole, idle = b.copy(), self.A[~self.buys]
        if transposed:
            whole += (idle.T @ b[~self.buys]).astype(b.dtype)
        whole[self.buys] = getrs(self.lu, self.pivots, whole[self.buys], trans=1 if transposed else 0)[0]
        if not transposed:
            whole[~self.buys] += (idle @ whole).astype(b.dtype)
        return whole

    def residual(self, x: Floats, b: Floats, *, transposed: bool = False) -> Floats:
        """What is left, b - (I - A) x, in float64; or with (I - A)ᵀ."""
        left: Floats = b - x + ((self.A.T if transposed else self.A) @ x)
        return left

    def solve(self, b: ArrayLike, *, transposed: bool = False) -> Solution:
        """Solve (I - A) x = b, b of shape (n,) or (n, m); refined until the residual stops at rounding."""
        rhs = np.asarray(b, dtype=float)
        if rhs.shape[:1] != (self.n,) or not np.isfinite(rhs).all():
            raise KernelError("shape", f"right-hand side must be finite with {self.n} rows, not shape {rhs.shape}")
        scale = np.max(np.abs(rhs), axis=0, initial=0.0)
        scale = np.where(scale > 0, scale, 1.0)
        single = self.pivots is not None and self.lu.dtype == np.float32
        x, r, reached = np.zeros_like(rhs), rhs, np.inf
        for _ in range(self.sweeps):
            unit = np.max(np.abs(r), axis=0, initial=0.0)
            unit = np.where(unit > 0, unit, 1.0)
            step = self._raw((r / unit).astype(np.float32 if single else np.float64), transposed)
            better = x + step * unit
            r = self.residual(better, rhs, transposed=transposed)
            now = float(np.max(np.abs(r) / scale, initial=0.0))
            if not now < reached:
                break
            gained, x, reached = now < 0.5 * reached, better, now
            if not single or now <= self.tolerance or not gained:
                break
        return Solution(x, reached)

    def raw_inverse(self) -> NDArray[Any]:
        """L = (I - A)⁻¹ in the precision of the factors, (n, n), not refined."""
        if self.pivots is None:
            return self._raw(np.eye(self.n), False)
        getri = lapack("getri", self.lu)
        inner: NDArray[Any] = getri(self.lu, self.pivots, lwork=max(1, 64 * len(self.lu)))[0]
        if self.buys.all():
            return inner
        inverse = np.eye(self.n, dtype=inner.dtype)
        inverse[np.ix_(self.buys, self.buys)] = inner
        inverse[np.ix_(~self.buys, self.buys)] = self.A[np.ix_(~self.buys, self.buys)] @ inner
        return inverse

    def inverse(self) -> Floats:
        """L = (I - A)⁻¹ in full, (n, n) float64: only where every cell is wanted."""
        single = self.pivots is not None and self.lu.dtype == np.float32
        return self.solve(np.eye(self.n)).x if single else np.ascontiguousarray(self.raw_inverse())


def _dense_lu(
    A: NDArray[Any], dtype: type, chosen: NDArray[np.bool_] | None = None
) -> tuple[NDArray[Any], NDArray[np.intc], bool]:
    """LU of I - A, or of its chosen rows and columns, made in the one copy in LAPACK's order; and whether it failed."""
    part = None if chosen is None or chosen.all() else np.flatnonzero(chosen)
    n = len(A) if part is None else len(part)
    M: NDArray[Any] = np.empty((n, n), dtype=dtype, order="F")

    def copy(few: slice) -> None:
        rows = A[few] if part is None else A[part[few]].take(part, axis=1, mode="clip")
        np.negative(rows, out=M[few], casting="same_kind")

    # A few rows at a time: a copy across orders in one go misses every cache.
    on_each(copy, [slice(start, start + 16) for start in range(0, n, 16)])
    M[np.diag_indices_from(M)] += 1
    lu, pivots, info = lapack("getrf", M)(M, overwrite_a=True)
    return lu, pivots, info > 0


def _reciprocal_condition(A: NDArray[Any], lu: NDArray[Any]) -> float:
    rows = (A[start : start + 256] for start in range(0, len(A), 256))
    norm = 1 + float(np.max(sum(np.abs(block).sum(axis=0) for block in rows), initial=0.0))
    return float(lapack("gecon", lu)(lu, norm)[0])


def factorise(
    A: Matrix, *, precision: Literal["double", "single"] = "double", check: bool = True, tolerance: float = 1e-12
) -> Leontief:
    """Factorise I - A once, for any number of solves.

    A (n, n): dense, or sparse (then a sparse LU, always in double). `precision="single"` factorises in float32
    and refines every solve against A in float64 until the relative residual is at most `tolerance`. With `check`,
    A must be non-negative and productive. A is kept, not copied: leave it alone while the result is in use.
    Raises NegativeFlows, NotProductive, SingularSystem, KernelError for a shape that is not square.

    >>> economy = factorise(np.array([[0.15, 0.25], [0.2, 0.05]]))
    >>> output(economy, [600.0, 1500.0]).round(1).tolist()
    [1247.5, 1841.6]
    """
    if check:
        check_flows(A)
    if is_sparse(A):
        try:
            factor = splu(sp.csc_array(sp.eye_array(A.shape[0]) - A))
        except RuntimeError as error:
            raise SingularSystem(blamed(A), f"I - A is singular: {error}") from error
        economy = Leontief(A, factor, None, np.ones(A.shape[0], dtype=np.bool_), tolerance)
    else:
        A = np.asarray(A, dtype=float)
        dtype = np.float32 if precision == "single" else np.float64
        buys = A.any(axis=0)
        buys |= not buys.any()  # LAPACK takes no empty matrix
        lu, pivots, failed = _dense_lu(A, dtype, buys)
        if failed or (not check and _reciprocal_condition(A, lu) < np.finfo(dtype).eps):
            raise SingularSystem(blamed(A), f"I - A is singular to working precision ({precision})")
        economy = Leontief(A, lu, pivots, buys, tolerance)
    return replace(economy, column_sums=check_productive(economy)) if check else economy


def check_productive(economy: Solver) -> Floats:
    """Raise NotProductive unless the spectral radius of A (non-negative) is below 1; return 1ᵀL, (n,).

    Exact, and one solve: I - A is a non-singular M-matrix if and only if some p > 0 has (I - A)ᵀ p > 0, and
    p = (I - A)⁻ᵀ 1 is that vector whenever there is one (Berman & Plemmons 1994, ch. 6). Column sums of 1 and
    more are therefore allowed where the rest of the economy pays for them.
    """
    p = economy.solve(np.ones(economy.A.shape[0]), transposed=True)
    # For a productive A the largest entry of p is the 1-norm of L: beyond this no digit of a solve would be left.
    if p.residual > 1e-6 or (p.x.min(initial=1.0) > 0 and p.x.max(initial=1.0) > _HOPELESS):
        raise SingularSystem(
            blamed(economy.A),
            f"I - A is too close to singular: residual {p.residual:.1e}, largest multiplier {p.x.max():.1e}",
        )
    if (p.x <= 0).any():
        raise NotProductive(blamed(economy.A))
    return p.x


def blamed(A: Matrix) -> NDArray[np.intp]:
    """Columns that make a non-negative A unproductive: see NotProductive. Empty when A is productive."""
    count, block = connected_components(sp.csr_array(A), connection="strong")
    guilty: list[NDArray[np.intp]] = []
    for b in range(count):
        members = np.flatnonzero(block == b)
        inner = A[members][:, members] if count > 1 else A
        inner = inner.toarray() if is_sparse(inner) else np.asarray(inner)
        paid = inner.sum(axis=0)
        if paid.max() < 1:
            continue
        lu, pivots, failed = _dense_lu(inner, np.float64)
        p = (
            np.zeros(1)
            if failed
            else Leontief(inner, lu, pivots, np.ones(len(inner), dtype=np.bool_))
            .solve(np.ones(len(inner)), transposed=True)
            .x
        )
        if p.min() <= 0 or p.max() > _HOPELESS:
            guilty.append(members[paid >= 1])
    return np.sort(np.concatenate(guilty)).astype(np.intp) if guilty else np.empty(0, np.intp)


def output(economy: Solver, f: ArrayLike) -> Floats:
    """Gross output x = L f that final demand f, (n,) or (n, m), calls for."""
    return economy.solve(f).x


def multipliers(economy: Solver, S: ArrayLike) -> Floats:
    """S L: what one unit of final demand for each product takes of each satellite, S (k, n) or (n,).

    Direct and indirect, by one transposed solve for all k rows; L is not formed. With value added per unit of
    output as S, this is the value-added content (1 everywhere in a closed table).
    """
    S = np.asarray(S, dtype=float)
    return economy.solve(S.T, transposed=True).x.T


def backward_linkage(economy: Solver) -> Floats:
    """Column sums of L, (n,): output set in motion by one unit of final demand; also downstreamness.

    Downstreamness in the sense of Miller & Temurshoev 2017 (distance from primary inputs) is the same sum.
    """
    known = economy.column_sums if isinstance(economy, Leontief) else None
    return multipliers(economy, np.ones(economy.A.shape[0])) if known is None else known


def normalised(linkage: ArrayLike) -> Floats:
    """A linkage over its mean (Rasmussen 1956): above 1 where the tie is stronger than average."""
    linkage = np.asarray(linkage, dtype=float)
    return np.asarray(linkage / linkage.mean())


def leontief_inverse(A: Matrix) -> Floats:
    """L = (I - A)⁻¹ in full, (n, n). Raises as `factorise` does."""
    return factorise(A).inverse()
