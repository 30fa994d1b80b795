r"""A disruption of weeks and the recovery from it: the adaptive regional input-output model, ARIO.

Hallegatte 2008 (*Risk Analysis* 28:779), 2013 (*Risk Analysis* 34:152; inventories) and 2014 (World Bank WPS 6759).
Sectors hold stocks of each input, produce what demand, capacity and stocks allow, share output among customers in
proportion to what they ordered, and order anew. A step is a day or a week; flows are per step.

    x̄, Z, f, A = Z x̄̂⁻¹     baseline flows per step, x̄ = Z 1 + f;  Ã (P, n) is A summed over suppliers of one product
    Δ_t (n), φ_t (n)         share of capacity lost; factor on final demand
    α_t (n)                  overproduction, from 1 up to α_max with time constant τ_α
    S_t (P, n)               stock of product p held by sector j; target T_p steps of use; rebuilt over τ_s steps
    O_t (n, n)               orders of j placed with i

    D = O 1 + φ f                                    demand on each sector
    x° = min(D, α (1 - Δ) x̄)                         what demand and capacity allow
    x = x° · min over inputs p of min(1, S / (ψ T Ã x°))    what stocks allow: shortage begins below ψ of the target
    deliveries: every customer of i gets the fraction x_i / D_i of the order
    S ← S - Ã x + deliveries;   orders = Ã x + max(T Ã x° - S, 0) / τ_s, spread over suppliers by baseline shares
    α ← α + (α_max - α) (D - x)/D / τ_α where demand is unmet, else back towards 1

With `reroute`, orders of a product are spread in proportion to what its suppliers can still make (BoARIO's "alt").
Without a shock nothing moves: x = x̄ at every step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError
from ronghe.kernels.leontief import Floats, check_flows

__all__ = ["Adjustment", "Path", "disrupt", "shock_profile"]

_NOT_AN_INPUT = 1e-5  # an input below this share of output never stops production (as in the literature)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """How an economy adapts; every duration is counted in steps.

    stock       T_p: steps of use held as stock, one number, (P,) or (P, n) by user; inf for an input that never binds
                (power grids, inputs that a user can do without)
    psi         share of the target stock below which an input slows production, 0 < psi <= 1; psi T must be >= 1
    restock     τ_s: steps over which a missing stock is ordered back, >= 1
    alpha_max   most that capacity can be stretched, >= 1
    alpha_time  τ_α: steps to get there, >= 1
    reroute     whether orders turn to suppliers with capacity left
    """

    stock: ArrayLike = 90.0
    psi: float = 0.8
    restock: float = 60.0
    alpha_max: float = 1.25
    alpha_time: float = 365.0
    reroute: bool = False

    @classmethod
    def weekly(cls) -> Adjustment:
        """The literature's defaults (given in days) with a week as the step."""
        return cls(stock=90 / 7, restock=60 / 7, alpha_time=365 / 7)


@dataclass(frozen=True, slots=True)
class Path:
    """What happened, step by step, in the unit of Z per step.

    production, delivered (to final use), demanded (by final use), overproduction: (T, n); baseline (n,);
    short (T, n): whether a lack of inputs held the sector back.
    """

    production: Floats
    delivered: Floats
    demanded: Floats
    overproduction: Floats
    short: NDArray[np.bool_]
    baseline: Floats

    @property
    def lost(self) -> Floats:
        """Share of the baseline's total output lost at each step, (T,); below 0 while production catches up."""
        return np.asarray(1 - self.production.sum(axis=1) / self.baseline.sum())

    @property
    def lost_output(self) -> Floats:
        """Output lost by each sector over the whole time, (n,), in the unit of Z."""
        return np.asarray((self.baseline - self.production).sum(axis=0))

    @property
    def unmet(self) -> Floats:
        """Final demand not met at each step, (T, n)."""
        return self.demanded - self.delivered


def shock_profile(
    n: int, steps: int, sectors: ArrayLike, loss: ArrayLike, *, start: int = 0, end: int, recovery: int = 0
) -> Floats:
    """Capacity lost, (steps, n): `loss` at `sectors` from `start` until `end`, then back to 0 over `recovery` steps.

    loss     in [0, 1], one number or one for each of `sectors`
    end      first step of recovery; with recovery = 0 capacity is whole again at once

    Raises KernelError for a loss outside [0, 1], an index outside the table, or a recovery before the start.

    >>> shock_profile(2, 5, [1], 0.8, start=1, end=3, recovery=2)[:, 1].tolist()
    [0.0, 0.8, 0.8, 0.4, 0.0]
    """
    chosen = np.atleast_1d(np.asarray(sectors, dtype=np.intp))
    size = np.broadcast_to(np.asarray(loss, dtype=float), chosen.shape)
    if not ((size >= 0) & (size <= 1)).all():
        raise KernelError("loss", "a loss lies between 0 and 1")
    if ((chosen < 0) | (chosen >= n)).any():
        raise KernelError("index", f"sectors must be among 0 ... {n - 1}")
    if not 0 <= start <= end or recovery < 0:
        raise KernelError("dates", f"recovery cannot come before the start (start {start}, end {end})")
    t = np.arange(steps)
    decay = np.clip(1 - (t - end + 1) / recovery, 0, 1) if recovery else np.zeros(steps)
    level = np.where(t < start, 0.0, np.where(t < end, 1.0, decay))
    profile = np.zeros((steps, n))
    profile[:, chosen] = level[:, None] * size
    return profile


def _checked(
    Z: ArrayLike, f: ArrayLike, capacity_loss: ArrayLike, demand: ArrayLike | None, how: Adjustment
) -> tuple[Floats, Floats, Floats, Floats]:
    Z, f, delta = np.asarray(Z, dtype=float), np.asarray(f, dtype=float), np.asarray(capacity_loss, dtype=float)
    check_flows(Z)
    if f.shape != (len(Z),) or delta.ndim != 2 or delta.shape[1] != len(Z):
        raise KernelError("shape", f"final demand {f.shape} and loss {delta.shape} must have {len(Z)} sectors")
    if not (f >= 0).all():
        raise KernelError("negative", "final demand must be zero or more: net out changes in stocks first")
    if not ((delta >= 0) & (delta <= 1)).all():
        raise KernelError("loss", "a loss of capacity lies between 0 and 1")
    factor = np.ones_like(delta) if demand is None else np.asarray(demand, dtype=float)
    if factor.shape != delta.shape or not ((factor >= 0) & np.isfinite(factor)).all():
        raise KernelError("demand", "the factor on final demand must be zero or more, one a step and sector")
    if not 0 < how.psi <= 1 or how.restock < 1 or how.alpha_max < 1 or how.alpha_time < 1:
        raise KernelError("adjustment", "psi in (0, 1]; restock, alpha_max and alpha_time at least 1")
    if not (np.asarray(how.stock, dtype=float) * how.psi >= 1).all():
        raise KernelError("stock", "psi x stock must cover at least one step, or stocks would go below zero")
    return Z, f, delta, factor


def _ratio(top: Floats, bottom: Floats, otherwise: float) -> Floats:
    return np.asarray(np.divide(top, bottom, out=np.full(bottom.shape, otherwise), where=bottom > 0))


class _Economy:
    """Baseline and stocks of one run; `step` moves the stocks and orders on."""

    def __init__(self, Z: Floats, f: Floats, product: NDArray[np.intp], how: Adjustment) -> None:
        n, kinds = len(f), int(product.max(initial=-1)) + 1
        self.how, self.product = how, product
        self.x0 = Z.sum(axis=1) + f
        self.groups = sp.csr_array((np.ones(n), (product, np.arange(n))), shape=(kinds, n))
        bought: Floats = np.asarray(self.groups @ Z)
        self.use: Floats = bought * _ratio(np.ones(n), self.x0, 0.0)
        self.share = Z * _ratio(np.ones_like(bought), bought, 0.0)[product]
        held = np.asarray(how.stock, dtype=float)
        target = np.broadcast_to(held if held.ndim != 1 else held[:, None], (kinds, n))
        self.finite = np.isfinite(target)
        self.target = np.where(self.finite, target, 0.0)
        self.binds = (self.use > _NOT_AN_INPUT) & self.finite
        self.stock = self.target * self.use * self.x0
        self.orders = Z.copy()
        self.alpha = np.ones(n)

    def step(self, delta: Floats, f: Floats) -> tuple[Floats, Floats, NDArray[np.bool_], Floats]:
        """One step under capacity loss `delta` and final demand f: (x, delivered, short, demand)."""
        demand = self.orders.sum(axis=1) + f
        capacity = self.alpha * (1 - delta) * self.x0
        wanted = np.minimum(demand, capacity)
        need = self.target * self.use * wanted
        floor = self.how.psi * need
        ratio = np.divide(self.stock, floor, out=np.ones_like(floor), where=self.binds & (floor > 0))
        # A ratio a rounding error below 1 is no shortage.
        limit = np.where((worst := ratio.min(axis=0, initial=1.0)) > 1 - 1e-12, 1.0, worst)
        x = wanted * limit
        served = _ratio(x, demand, 0.0)
        used = self.use * x
        self.stock += self.groups @ (self.orders * served[:, None]) - used
        np.maximum(self.stock, 0, out=self.stock)
        self._order(used + np.where(self.finite, np.maximum(need - self.stock, 0), 0) / self.how.restock, capacity)
        return x, f * served, limit < 1, demand

    def _order(self, wanted: Floats, capacity: Floats) -> None:
        share = self.share
        if self.how.reroute:
            able = share * _ratio(capacity, self.x0, 0.0)[:, None]
            share = able * _ratio(np.ones_like(wanted), np.asarray(self.groups @ able), 0.0)[self.product]
        np.multiply(share, wanted[self.product], out=self.orders)

    def stretch(self, x: Floats, demand: Floats) -> None:
        """Overproduction answers what was left unmet in the step before."""
        scarcity = _ratio(demand - x, demand, 0.0)
        scarcity[scarcity < 1e-12] = 0
        rising = (self.how.alpha_max - self.alpha) * scarcity
        easing = np.where(scarcity == 0, 1 - self.alpha, 0.0)
        self.alpha = np.maximum(self.alpha + (rising + easing) / self.how.alpha_time, 1.0)


def disrupt(
    Z: ArrayLike,
    f: ArrayLike,
    capacity_loss: ArrayLike,
    *,
    demand: ArrayLike | None = None,
    product: ArrayLike | None = None,
    how: Adjustment | None = None,
    steps_per_year: float = 365.0,
) -> Path:
    """Carry a shock through the economy step by step.

    Z (n, n), f (n,)        flows of a year, zero or more; baseline output is Z 1 + f
    capacity_loss (T, n)    share of capacity lost at each step (see `shock_profile`)
    demand (T, n)           factor on final demand, default 1
    product (n,)            integer product of each sector: suppliers of one product in several regions share a
                            stock and can replace each other only as far as orders are spread; default one each
    how                     an `Adjustment`; default the literature's, in days
    steps_per_year          365 for days, 52 for weeks: flows are divided by it

    Raises NegativeFlows and KernelError (shapes, losses outside [0, 1], stocks too thin for one step).

    >>> path = disrupt([[10, 20], [30, 5]], [70, 65], shock_profile(2, 60, [0], 0.5, start=5, end=25))
    >>> bool(abs(path.lost[0]) < 1e-12), bool(path.lost[10] > 0), bool(abs(path.lost[-1]) < 0.02)
    (True, True, True)
    """
    how = how or Adjustment()
    Z, f, delta, factor = _checked(Z, f, capacity_loss, demand, how)
    n, steps = len(f), len(delta)
    codes = np.arange(n) if product is None else np.asarray(product)
    if codes.shape != (n,) or not np.issubdtype(codes.dtype, np.integer) or (n and codes.min() < 0):
        raise KernelError("codes", f"product must be {n} integers from 0")
    f = f / steps_per_year
    economy = _Economy(Z / steps_per_year, f, codes.astype(np.intp), how)
    production, delivered, stretched = np.empty((steps, n)), np.empty((steps, n)), np.empty((steps, n))
    short = np.empty((steps, n), dtype=bool)
    for t in range(steps):
        stretched[t] = economy.alpha
        production[t], delivered[t], short[t], asked = economy.step(delta[t], factor[t] * f)
        economy.stretch(production[t], asked)
    return Path(production, delivered, factor * f, stretched, short, economy.x0)
