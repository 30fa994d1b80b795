r"""Hypothetical extraction of every sector, in closed form from one factorisation.

How much output (or value added, jobs, CO2) would be missing if sector j stopped buying, selling or both?
(Paelinck, de Caevel & Degueldre 1965; Dietzenbacher & Lahr 2013, *Expanding extractions*, Economic Systems
Research 25.)

With L = (I - A)⁻¹ and m = w L, where w weighs each sector's output (1 for output itself), removing row and
column j of A and the final demand for j loses

    loss_j = x_j · m_j / L_jj.

Taking away only a fraction θ changes I - A by rank one (row or column) or two (both), so that by Sherman,
Morrison and Woodbury every loss follows from x_j, f_j, m_j, w_j, a_jj and L_jj. Let φ = θ if the final demand
for j shrinks too, else 0; α = a_jj if the sector keeps its use of its own product, else 0; and

    y = x_j - φ f_j L_jj,   z = (x_j - f_j) - φ f_j (L_jj - 1),   h = L_jj - 1 - a_jj L_jj,
    d = L_jj - 1 - α L_jj.

    row     loss_j = φ f_j m_j + θ m_j (z - α y) / (1 + θ d)
    column  loss_j = φ f_j m_j + θ (m_j - w_j - α m_j) y / (1 + θ d)
    both    loss_j = φ f_j m_j + θ u (I + θ K)⁻¹ v,   u = (m_j, m_j - w_j - a_jj m_j),  v = (z - α y, y),
                                                      K = [[d, h (1 - α)], [L_jj, h]]

All that is needed beyond solves is the diagonal of L.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError
from ronghe.kernels.leontief import Floats, Leontief, backward_linkage, lapack, multipliers
from ronghe.kernels.threads import on_each

__all__ = ["Extraction", "Side", "extract", "extract_group", "inverse_diagonal", "output_without"]

Side = Literal["both", "row", "column"]
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Extraction:
    """What the extraction of each sector alone would cost.

    `loss` has shape (n,) for one weight vector, (k, n) for k, in the unit of weight x output; `share` is the
    loss over the whole economy's total of that weight (nan where that total is 0).
    """

    loss: Floats
    share: Floats


def inverse_diagonal(economy: Leontief) -> Floats:
    """Diagonal of L, (n,): how much output of j one unit of final demand for j takes, rounds through j included.

    With I - A = ℓ U and no rows exchanged, L_jj = 1/U_jj + Σ_{k>j} (U⁻¹)_jk (ℓ⁻¹)_kj: the two triangular inverses take
    half the work of L. The terms are feedback through other sectors, all of one sign and small, so that factors in
    float32 leave an error of about 1e-9 of L_jj (where that feedback is small) once U_jj = 1 - a_jj - Σ_{k<j} ℓ_jk U_kj
    is taken in float64; double factors are exact to rounding. Where rows were exchanged (some column of A above 1), or
    A is sparse, L is formed. A sector that buys nothing has L_jj = 1.
    """
    if economy.pivots is None or (economy.pivots != np.arange(len(economy.pivots))).any():
        return _diagonal_of_inverse(economy)
    pivot = 1 - np.diagonal(economy.A)[economy.buys] - _across(economy.lu, "left")
    inverse = np.array(economy.lu, order="F")
    trtri = lapack("trtri", inverse)
    inverse, _ = trtri(inverse, lower=0, overwrite_c=1)
    inverse, _ = trtri(inverse, lower=1, unitdiag=1, overwrite_c=1)
    found = np.ones(economy.n)
    found[economy.buys] = 1 / pivot + _across(inverse, "right")
    return found


def _across(factors: NDArray[np.floating], side: Literal["left", "right"]) -> Floats:
    """Σ_k ℓ_jk U_kj over k < j ("left") or Σ_k U_jk ℓ_kj over k > j ("right"), in float64, of ℓ and U packed as one."""
    total = np.zeros(len(factors))
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(factors), _BLOCK)]

    def add(at: int) -> None:
        rows = blocks[at]
        inner = factors[rows, rows].astype(float)
        lower, upper = np.tril(inner, -1), np.triu(inner, 1)
        near = (lower, upper) if side == "left" else (upper, lower)
        total[rows] = np.einsum("jk,kj->j", *near)
        for others in blocks[:at] if side == "left" else blocks[at + 1 :]:
            # Both in the order of j, and small enough for the cache: einsum reads them side by side.
            far = factors[rows, others].astype(float, order="C"), factors[others, rows].astype(float, order="F")
            total[rows] += np.einsum("jk,kj->j", *far)

    on_each(add, range(len(blocks)))
    return total


def _diagonal_of_inverse(economy: Leontief) -> Floats:
    """The diagonal by way of the whole of L; from float32, L_jj = (1 + Σ_{k≠j} a_jk L_kj) / (1 - a_jj) mends it."""
    L = economy.raw_inverse()
    diagonal = np.diagonal(L).astype(float)
    if L.dtype == np.float64:
        return diagonal
    A = economy.A
    own = np.diagonal(A)
    feedback = np.empty(economy.n)
    for start in range(0, economy.n, _BLOCK):
        rows = slice(start, start + _BLOCK)
        feedback[rows] = np.einsum("jk,kj->j", A[rows], L[:, rows].astype(float))
    result: Floats = (1 + feedback - own * diagonal) / (1 - own)
    return result


def _checked(economy: Leontief, f: ArrayLike, fraction: ArrayLike) -> tuple[Floats, Floats]:
    f = np.asarray(f, dtype=float)
    theta = np.broadcast_to(np.asarray(fraction, dtype=float), (economy.n,))
    if f.shape != (economy.n,) or not np.isfinite(f).all():
        raise KernelError("shape", f"final demand must be finite with shape ({economy.n},), not {f.shape}")
    if not ((theta >= 0) & (theta <= 1)).all():
        raise KernelError("fraction", "a fraction extracted lies between 0 and 1")
    return f, theta


def extract(
    economy: Leontief,
    f: ArrayLike,
    *,
    fraction: ArrayLike = 1.0,
    side: Side = "both",
    demand: bool = True,
    own: bool = True,
    weights: ArrayLike | None = None,
    diagonal: Floats | None = None,
) -> Extraction:
    """Loss from extracting each sector in turn, for all n sectors at once.

    economy   from `leontief.factorise`
    f         (n,) final demand; output is x = L f
    fraction  θ in [0, 1], one number or (n,)
    side      "row": j's sales to industries; "column": its purchases; "both"
    demand    whether the final demand for j shrinks by θ as well
    own       whether its sales to itself count among what is taken away
    weights   (n,) or (k, n) per unit of output (default 1: output itself)
    diagonal  of L, when already at hand

    Raises KernelError for shapes that differ or a fraction outside [0, 1].

    >>> from ronghe.kernels.leontief import factorise
    >>> economy = factorise(np.array([[0.15, 0.25], [0.2, 0.05]]))
    >>> extract(economy, [350.0, 1700.0]).loss.round(4).tolist()
    [1210.5263, 2588.2353]
    """
    f, theta = _checked(economy, f, fraction)
    w = np.ones(economy.n) if weights is None else np.asarray(weights, dtype=float)
    m = backward_linkage(economy) if weights is None else multipliers(economy, w)
    x = economy.solve(f).x
    ljj = inverse_diagonal(economy) if diagonal is None else diagonal
    if side == "both" and demand and own and (theta == 1).all():
        loss = x * m / ljj
    else:
        loss = _partial(economy, (f, x, m, w, ljj), theta, side, demand, own)
    total = np.asarray(w @ x)[..., None]
    share = np.divide(loss, total, out=np.full(loss.shape, np.nan), where=total != 0)
    return Extraction(loss, share)


def _partial(
    economy: Leontief,
    values: tuple[Floats, Floats, Floats, Floats, Floats],
    theta: Floats,
    side: Side,
    demand: bool,
    own: bool,
) -> Floats:
    """The three formulas of the module's docstring."""
    f, x, m, w, ljj = values
    ajj = np.asarray(economy.A.diagonal(), dtype=float)
    alpha = np.zeros_like(ajj) if own else ajj
    phi = theta if demand else np.zeros_like(theta)
    y = x - phi * f * ljj
    z = (x - f) - phi * f * (ljj - 1) - alpha * y
    d = ljj - 1 - alpha * ljj
    first = phi * f * m
    if side == "row":
        return np.asarray(first + theta * m * z / (1 + theta * d))
    if side == "column":
        return np.asarray(first + theta * (m - w - alpha * m) * y / (1 + theta * d))
    h = ljj - 1 - ajj * ljj
    k11, k12, k21, k22 = 1 + theta * d, theta * h * (1 - alpha), theta * ljj, 1 + theta * h
    det = k11 * k22 - k12 * k21
    upper, lower = (k22 * z - k12 * y) / det, (k11 * y - k21 * z) / det
    return np.asarray(first + theta * (m * upper + (m - w - ajj * m) * lower))


def _columns(economy: Leontief, sectors: ArrayLike) -> tuple[NDArray[np.intp], Floats]:
    chosen = np.unique(np.asarray(sectors, dtype=np.intp))
    if not len(chosen) or chosen[0] < 0 or chosen[-1] >= economy.n:
        raise KernelError("index", f"sectors must be among 0 ... {economy.n - 1} and at least one")
    unit = np.zeros((economy.n, len(chosen)))
    unit[chosen, np.arange(len(chosen))] = 1
    return chosen, economy.solve(unit).x


def output_without(economy: Leontief, f: ArrayLike, sectors: ArrayLike) -> Floats:
    """Output of every sector, (n,), once `sectors` (indices) are extracted together and in full.

    x - L_:J (L_JJ)⁻¹ x_J: rows and columns J of A and the final demand for J are dropped, and output there is 0.
    Costs |J| solves. Raises KernelError for an index outside the table.
    """
    f, _ = _checked(economy, f, 1.0)
    chosen, columns = _columns(economy, sectors)
    x = economy.solve(f).x
    rest = x - columns @ np.linalg.solve(columns[chosen], x[chosen])
    rest[chosen] = 0
    return np.asarray(rest)


def extract_group(economy: Leontief, f: ArrayLike, sectors: ArrayLike, *, weights: ArrayLike | None = None) -> Floats:
    """Loss, () or (k,), of extracting `sectors` together, weighed like `extract` (an industry in all regions)."""
    w = np.ones(economy.n) if weights is None else np.asarray(weights, dtype=float)
    f, _ = _checked(economy, f, 1.0)
    return np.asarray(w @ (economy.solve(f).x - output_without(economy, f, sectors)))
