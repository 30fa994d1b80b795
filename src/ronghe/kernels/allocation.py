"""Optimal shares of research across fields that build on each other (Liu & Ma, NBER 29607).

    Omega_ij   share of field i's citations that go to field j; rows sum to 1
    beta_i     weight of field i in what is consumed; sums to 1
    rho, lam   discount rate; size of an innovation's step
    gamma' = rho / (rho + lam) beta' (I - Omega / (1 + rho / lam))^-1

gamma is the share of research each field should have: its own weight, plus the discounted weight of all that builds
on it, at every remove. A patient planner (rho/lam -> 0) funds by centrality in the citation network (the left
eigenvector of Omega), an impatient one (rho/lam -> infinity) by consumption alone (beta). Welfare of any shares b is,
in terms of consumption, exp((lam / rho) gamma' ln b) up to a constant, so moving from b to gamma multiplies
consumption in every year by exp((lam / rho) gamma' (ln gamma - ln b)).

References
----------
Liu, E. & Ma, S. (2021). Innovation Networks and R&D Allocation. NBER Working Paper 29607.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lu_factor, lu_solve

from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]

_HALVINGS = 200
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Constrained:
    """The best shares that keep every constraint.

    Attributes
    ----------
    shares : (n,) shares; they sum to `total` unless caps or the risk limit leave money unspent.
    unspent : what caps and the risk limit leave over.
    risk : the risk of the shares, r'b; 0 without a risk vector.
    price_total, price_risk : what one more unit of the total, or of the risk limit, would add to gamma' ln b.
    at_floor, at_cap : (n,) where a bound holds the share.
    """

    shares: Floats
    unspent: float
    risk: float
    price_total: float
    price_risk: float
    at_floor: NDArray[np.bool_]
    at_cap: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Optimal shares and gains over a grid: `shares` (R, L, n) and `gain` (R, L) for R rates rho and L steps lam."""

    shares: Floats
    gain: Floats


def optimal_shares(beta: ArrayLike, omega: ArrayLike, rho: float, lam: float) -> Floats:
    """gamma, the optimal shares.

    Parameters
    ----------
    beta : (n,) non-negative, sums to 1. omega : (n, n) non-negative, rows sum to 1.
    rho : discount rate a year, > 0. lam : innovation step, > 0.

    Returns
    -------
    (n,) shares, summing to 1.

    Raises
    ------
    KernelError
        ``shape``, ``negative``, ``not_finite``, ``sum`` (rows or weights do not sum to 1), ``rate``.

    Examples
    --------
    >>> optimal_shares([0.5, 0.3, 0.2], [[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.6, 0.1, 0.3]], 0.05, 0.05).round(6)
    array([0.564815, 0.268519, 0.166667])
    """
    weight, network = _weights(beta, "beta"), _network(omega, np.size(beta))
    return _shares(weight, network, _ratio(rho, lam))


def shares_slope(beta: ArrayLike, omega: ArrayLike, rho: float, lam: float) -> Floats:
    """How the optimal shares move with rho / lam: d gamma / d (rho / lam), (n,), summing to 0.

    Examples
    --------
    >>> slope = shares_slope([0.5, 0.5], [[0.9, 0.1], [0.5, 0.5]], 0.05, 0.05)
    >>> slope.round(3), float(abs(slope.sum()).round(12))
    (array([-0.078,  0.078]), 0.0)
    """
    weight, network = _weights(beta, "beta"), _network(omega, np.size(beta))
    s = _ratio(rho, lam)
    shares = _shares(weight, network, s)
    factor = lu_factor((1 + s) * np.eye(weight.size) - network)
    return np.asarray(shares / s - lu_solve(factor, shares, trans=1))


def gain(actual: ArrayLike, gamma: ArrayLike, rho: float, lam: float, target: ArrayLike | None = None) -> float:
    """Consumption-equivalent factor of moving from the actual shares to others.

    Parameters
    ----------
    actual : (n,) shares now, summing to 1. gamma : (n,) optimal shares. rho, lam : as in `optimal_shares`.
    target : (n,) shares moved to; gamma by default.

    Returns
    -------
    The factor on consumption in every year: 1 is no gain, 1.05 is five per cent, infinite where a field that counts
    has nothing now.

    Examples
    --------
    >>> round(gain([0.5, 0.5], [0.6, 0.4], 0.05, 0.1), 4)
    1.0411
    """
    now, best = _weights(actual, "actual"), _weights(gamma, "gamma")
    then = best if target is None else np.asarray(target, dtype=np.float64)
    if now.shape != best.shape or then.shape != best.shape:
        raise KernelError("shape", "shares differ in length", actual=now.shape, gamma=best.shape, target=then.shape)
    counts = best > 0
    if (then[counts] <= 0).any():
        raise KernelError("sum", "the target leaves a field that counts with nothing", at=int(np.argmin(then)))
    with np.errstate(divide="ignore", over="ignore"):
        return float(np.exp(best[counts] @ (np.log(then[counts]) - np.log(now[counts])) / _ratio(rho, lam)))


def constrained_shares(
    gamma: ArrayLike,
    *,
    floor: ArrayLike | None = None,
    cap: ArrayLike | None = None,
    total: float = 1.0,
    risk: ArrayLike | None = None,
    risk_limit: float = np.inf,
) -> Constrained:
    """The shares b that maximise gamma' ln b with floors, caps, a total and a limit on dependency risk.

    The problem is convex. At the optimum b_i = gamma_i / (mu + nu r_i), held between floor and cap; mu and nu, the
    prices of the total and of risk, are found by bisection: exact to rounding.

    Parameters
    ----------
    gamma : (n,) non-negative weights, sum 1. floor, cap : (n,) bounds, 0 and `total` by default.
    total : the most b may sum to. risk : (n,) non-negative risk of a unit spent in a field (its key inputs' share from
    one supplier, say). risk_limit : the most r'b may be.

    Returns
    -------
    Constrained

    Raises
    ------
    KernelError
        ``shape``, ``negative``, ``not_finite``, ``bounds`` (a floor above its cap), ``infeasible_total``,
        ``infeasible_risk`` (the floors alone break the limit; details: `least`).

    Examples
    --------
    >>> found = constrained_shares([0.6, 0.3, 0.1], floor=[0, 0, 0.2])
    >>> found.shares.round(4), found.at_floor
    (array([0.5333, 0.2667, 0.2   ]), array([False, False,  True]))
    """
    weight = _weights(gamma, "gamma")
    low, burden = _bound(floor, 0.0, weight.size, "floor"), _bound(risk, 0.0, weight.size, "risk")
    high = np.minimum(_bound(cap, total, weight.size, "cap"), total)
    _require_feasible(low, high, total, burden, risk_limit)
    shares, mu, nu = _priced(_Bounds(weight, low, high, burden), total, risk_limit)
    return Constrained(
        shares,
        unspent=max(0.0, total - float(shares.sum())),
        risk=float(burden @ shares),
        price_total=mu,
        price_risk=nu,
        at_floor=(shares <= low + _CLOSE) & (low > 0),
        at_cap=shares >= high - _CLOSE,
    )


@dataclass(frozen=True, slots=True)
class _Bounds:
    """(n,) each: weights gamma, floors, caps, risk of a unit."""

    weight: Floats
    low: Floats
    high: Floats
    burden: Floats

    def at(self, mu: float, nu: float) -> Floats:
        """The best shares at a price of the total and one of risk."""
        price = mu + nu * self.burden
        free = np.divide(self.weight, price, out=np.full(price.shape, np.inf), where=price > 0)
        return np.asarray(np.clip(np.where(self.weight > 0, free, 0.0), self.low, self.high))


def _priced(bounds: _Bounds, total: float, risk_limit: float) -> tuple[Floats, float, float]:
    """The shares that keep total and risk limit, and the prices at which they do."""

    def best_for(nu: float) -> tuple[Floats, float]:
        mu = _least(lambda price: bool(bounds.at(price, nu).sum() <= total))
        return bounds.at(mu, nu), mu

    shares, mu = best_for(0.0)
    if bounds.burden @ shares <= risk_limit:
        return shares, mu, 0.0
    nu = _least(lambda price: bool(bounds.burden @ best_for(price)[0] <= risk_limit))
    return *best_for(nu), nu


def sensitivity(beta: ArrayLike, omega: ArrayLike, actual: ArrayLike, rho: ArrayLike, lam: ArrayLike) -> Sensitivity:
    """Optimal shares and the gain over every pair of a discount rate and an innovation step.

    Parameters
    ----------
    beta, omega : as in `optimal_shares`. actual : (n,) shares now. rho : (R,). lam : (L,).

    Examples
    --------
    >>> found = sensitivity([0.5, 0.5], [[0.9, 0.1], [0.5, 0.5]], [0.5, 0.5], [0.02, 0.05], [0.1])
    >>> found.shares.shape, bool(found.gain[0, 0] > found.gain[1, 0])
    ((2, 1, 2), True)
    """
    rates, jumps = np.atleast_1d(np.asarray(rho, float)), np.atleast_1d(np.asarray(lam, float))
    shares = np.empty((rates.size, jumps.size, np.size(beta)))
    gains = np.empty((rates.size, jumps.size))
    for i, rate in enumerate(rates):
        for j, jump in enumerate(jumps):
            shares[i, j] = optimal_shares(beta, omega, rate, jump)
            gains[i, j] = gain(actual, shares[i, j], rate, jump)
    return Sensitivity(shares, gains)


def _shares(weight: Floats, network: Floats, s: float) -> Floats:
    # The same formula times (1 + s), so that s -> 0 and s -> infinity stay well scaled.
    system = np.eye(weight.size) - network / (1 + s)
    shares = lu_solve(lu_factor(system), weight, trans=1) * (s / (1 + s))
    return np.asarray(shares / shares.sum())


def _ratio(rho: float, lam: float) -> float:
    if not (rho > 0 and lam > 0 and np.isfinite(rho / lam)):
        raise KernelError("rate", "discount rate and innovation step must be positive", rho=rho, lam=lam)
    return rho / lam


def _least(holds: Callable[[float], bool]) -> float:
    """The least non-negative price at which a condition holds that stays true as the price rises."""
    if holds(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while not holds(high):
        low, high = high, 2 * high
        if high > 1e18:  # floors sit on the limit: no price does better
            break
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _weights(values: ArrayLike, name: str) -> Floats:
    weight = _plain(values, name)
    if abs(weight.sum() - 1) > 1e-6:
        raise KernelError("sum", "weights must sum to 1", which=name, sum=float(weight.sum()))
    return weight


def _network(omega: ArrayLike, n: int) -> Floats:
    network = np.asarray(omega, dtype=np.float64)
    if network.shape != (n, n):
        raise KernelError("shape", "omega must be square and fit beta", omega=network.shape, n=n)
    if not np.isfinite(network).all() or (network < 0).any():
        raise KernelError("negative", "citation shares must be finite and not negative", which="omega")
    sums = network.sum(axis=1)
    if (abs(sums - 1) > 1e-6).any():
        worst = int(np.argmax(abs(sums - 1)))
        raise KernelError("sum", "rows of omega must sum to 1", which="omega", row=worst, sum=float(sums[worst]))
    return network


def _plain(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise KernelError("shape", "a plain list of numbers is needed", which=name, shape=array.shape)
    if not np.isfinite(array).all():
        raise KernelError("not_finite", "missing or infinite values", which=name)
    if (array < 0).any():
        raise KernelError("negative", "must not be negative", which=name, at=int(np.argmin(array)))
    return array


def _bound(values: ArrayLike | None, default: float, n: int, name: str) -> Floats:
    array = np.full(n, default) if values is None else _plain(values, name)
    if array.size != n:
        raise KernelError("shape", "one value a field is needed", which=name, shape=array.shape, n=n)
    return array


def _require_feasible(low: Floats, high: Floats, total: float, burden: Floats, limit: float) -> None:
    if not total > 0:
        raise KernelError("infeasible_total", "the total must be positive", total=total)
    if low.sum() > total * (1 + 1e-12):
        raise KernelError("infeasible_total", "the floors exceed the total", total=total, floors=float(low.sum()))
    if (low > high).any():
        raise KernelError("bounds", "a floor is above its cap", at=int(np.argmax(low - high)))
    if burden @ low > limit:
        raise KernelError("infeasible_risk", "the floors break the risk limit", limit=limit, least=float(burden @ low))
