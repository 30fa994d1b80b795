r"""Who causes what: footprints of final demand across regions, and value added in trade.

The n sectors of a multi-regional table belong to R regions (`region[i]`) and K products (`product[i]`); final
demand Y (n, R) has one column a consuming region; S (k, n) are satellites per unit of output, M = S L.

    consumption[k, c, p] = Σ_{i of product p} M[k, i] Y[i, c]            the footprint, S L Ŷ summed over origins
    production[k, i]     = S[k, i] x_i,  x = L Y 1                        what happens at i, for whomever
    imports[k, c, p]     = consumption less what arises in c itself
    exports[k, i]        = production less what i's own region demands

(Miller & Blair 2009, chapters 3 and 10; Wiedmann 2009.) None of this needs L: it takes R plain and (k R + k)
transposed solves, against n for the inverse.

Value added in trade: with s = value added per unit of output, T[r, i] = Σ_{j in r} s_j L_ji is the share of region
r in the value of i's product (columns add up to 1 in a closed table). Domestic value added in exports is
Σ_{i in r} T[r, i] e_i for gross exports e (OECD TiVA's EXGR_DVA); value added absorbed abroad, VAX, follows
Johnson & Noguera 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError
from ronghe.kernels.leontief import Floats, Matrix, Solver

__all__ = ["Accounts", "TradeInValue", "accounts", "flows_by_origin", "origins", "value_added_trade"]

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Footprint accounts; axes as in the module's docstring. `residual` is the worst solve's."""

    multipliers: Floats
    consumption: Floats
    production: Floats
    imports: Floats
    exports: Floats
    residual: float


@dataclass(frozen=True, slots=True)
class TradeInValue:
    """Value added in each region's trade, (R,) unless said otherwise, in the unit of Z.

    gross_exports; domestic and foreign value added in them (their sum is gross_exports in a closed table);
    vax (R, R): value added of the row region finally absorbed in the column region.
    """

    gross_exports: Floats
    domestic: Floats
    foreign: Floats
    vax: Floats

    @property
    def domestic_share(self) -> Floats:
        """Domestic value added per unit of gross exports, nan for a region that exports nothing."""
        share: Floats = np.divide(
            self.domestic,
            self.gross_exports,
            out=np.full(self.domestic.shape, np.nan),
            where=self.gross_exports != 0,
        )
        return share


def _codes(codes: ArrayLike, n: int, name: str) -> tuple[Index, int]:
    found = np.asarray(codes)
    if found.shape != (n,) or not np.issubdtype(found.dtype, np.integer) or (n and found.min() < 0):
        raise KernelError("codes", f"{name} must be {n} integers from 0, not {found.dtype} of {found.shape}")
    return found.astype(np.intp), int(found.max(initial=-1)) + 1


def _demand(Y: ArrayLike, n: int, regions: int) -> Floats:
    Y = np.asarray(Y, dtype=float)
    if Y.shape != (n, regions):
        raise KernelError("shape", f"final demand must be ({n}, {regions}): a column a region, not {Y.shape}")
    return Y


def _origins(economy: Solver, S: Floats, region: Index, regions: int) -> tuple[Floats, float]:
    """Multipliers split by where the satellite arises: (k, R, n)."""
    k, n = S.shape
    rhs = np.zeros((n, k, regions))
    rhs[np.arange(n), :, region] = S.T
    solved = economy.solve(rhs.reshape(n, k * regions), transposed=True)
    return np.moveaxis(solved.x.reshape(n, k, regions), 0, 2), solved.residual


def origins(economy: Solver, s: ArrayLike, region: ArrayLike) -> Floats:
    """T[r, i], (R, n): what one unit of final demand for i takes of the satellite s, (n,), in region r.

    With value added as s these are the value-added shares of each region in each product. R transposed solves.
    """
    n = economy.A.shape[0]
    codes, regions = _codes(region, n, "region")
    s = np.asarray(s, dtype=float)
    if s.shape != (n,):
        raise KernelError("shape", f"a satellite row has {n} entries, not {s.shape}")
    split, _ = _origins(economy, s[None], codes, regions)
    return np.asarray(split[0])


def flows_by_origin(economy: Solver, s: ArrayLike, Y: ArrayLike) -> Floats:
    """ŝ L Y, (n, m): the satellite s, (n,), arising in each sector for each column of final demand Y, (n, m)."""
    return np.asarray(np.asarray(s, dtype=float)[:, None] * economy.solve(Y).x)


def accounts(economy: Solver, S: ArrayLike, Y: ArrayLike, region: ArrayLike, product: ArrayLike) -> Accounts:
    """Multipliers and all four footprint accounts of every region, by product and by producing sector.

    S (k, n) per unit of output; Y (n, R) final demand by consuming region; region (n,), product (n,) integers
    from 0. Results: multipliers, production, exports (k, n); consumption, imports (k, R, K).
    Raises KernelError where the shapes differ.

    Examples
    --------
    Two regions of one sector each; the second eats what the first makes.

    >>> from ronghe.kernels.leontief import factorise
    >>> economy = factorise(np.array([[0.0, 0.5], [0.0, 0.0]]))
    >>> found = accounts(economy, [[2.0, 1.0]], [[0.0, 0.0], [0.0, 10.0]], [0, 1], [0, 0])
    >>> found.consumption[0, :, 0].tolist(), found.production[0].tolist(), found.imports[0, :, 0].tolist()
    ([0.0, 20.0], [10.0, 10.0], [0.0, 10.0])
    """
    n = economy.A.shape[0]
    home, regions = _codes(region, n, "region")
    kind, _ = _codes(product, n, "product")
    Y, S = _demand(Y, n, regions), np.atleast_2d(np.asarray(S, dtype=float))
    if S.shape[1] != n:
        raise KernelError("shape", f"satellites have {S.shape[1]} sectors, the table {n}")
    by_origin, first = _origins(economy, S, home, regions)
    demanded = economy.solve(Y)
    total = demanded.x.sum(axis=1)
    M = by_origin.sum(axis=1)
    groups = sp.csr_array((np.ones(n), (kind, np.arange(n))))
    consumption = np.stack([(groups @ (row[:, None] * Y)).T for row in M])
    imports = np.stack([(groups @ ((row[:, None] - own.T) * Y)).T for row, own in zip(M, by_origin, strict=True)])
    abroad = total - demanded.x[np.arange(n), home]
    return Accounts(M, consumption, S * total, imports, S * abroad, max(first, demanded.residual))


def value_added_trade(economy: Solver, s: ArrayLike, Z: Matrix, Y: ArrayLike, region: ArrayLike) -> TradeInValue:
    """Value added in exports of every region: s (n,) value added per unit of output, Z (n, n), Y (n, R).

    Raises KernelError where the shapes differ.
    """
    n = economy.A.shape[0]
    home, regions = _codes(region, n, "region")
    Y = _demand(Y, n, regions)
    s = np.asarray(s, dtype=float)
    member = sp.csr_array((np.ones(n), (home, np.arange(n))))
    T = origins(economy, s, home)
    # Sales by buying region, (n, R): intermediate ones summed over the buyer's region, then final ones.
    sales = np.asarray(Z @ member.toarray().T) + Y
    exports = sales.sum(axis=1) - sales[np.arange(n), home]
    value = member @ (exports[:, None] * T.T)
    domestic = np.diagonal(value).copy()
    vax = member @ flows_by_origin(economy, s, Y)
    return TradeInValue(member @ exports, domestic, value.sum(axis=1) - domestic, np.asarray(vax))
