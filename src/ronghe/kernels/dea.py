"""Efficiency of regions against the frontier of the best, by linear programming (HiGHS).

X (n, i) inputs and Y (n, o) outputs of n units, zero or more. Each column is divided by its mean before
solving: no result depends on a unit of measurement. CRS means constant, VRS variable returns to scale.

Papers: Charnes, Cooper and Rhodes, EJOR 2 (1978), CCR; Banker, Charnes and Cooper, Management Science 30
(1984), BCC; Andersen and Petersen, Management Science 39 (1993), super-efficiency; Tone, EJOR 130 (2001)
and 143 (2002), SBM and super-SBM; Färe, Grosskopf, Norris and Zhang, AER 84 (1994), Malmquist.
"""

from dataclasses import dataclass
from typing import Literal

import highspy
import numpy as np
from numpy.typing import ArrayLike

from ronghe.kernels.checks import Floats, FusionError, TooFewError, UnitError, complete, positions

Returns = Literal["crs", "vrs"]
Orientation = Literal["input", "output"]
_TOLERANCE = 1e-10
_OPTIMAL = highspy.HighsModelStatus.kOptimal
_INFEASIBLE = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Scores (n,) and the weights `peers` (n, r) of the reference units that make each unit's target.

    A score is NaN, with a row of NaN peers, where the programme has no solution (super-efficiency under
    VRS, or against a frontier the unit lies outside of).
    """

    score: Floats
    peers: Floats


@dataclass(frozen=True, slots=True)
class Malmquist:
    """Productivity change between years, M = EC · TC, and EC = PEC · SEC; each (t - 1, n), above 1 is progress.

    EC is catching up with the frontier, TC the frontier's own move, PEC catching up under VRS, SEC the
    change of scale efficiency.
    """

    M: Floats
    EC: Floats
    TC: Floats
    PEC: Floats
    SEC: Floats


def radial(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    returns: Returns = "crs",
    orientation: Orientation = "input",
    super_efficiency: bool = False,
) -> Efficiency:
    """CCR (returns "crs") and BCC ("vrs") efficiency: by how much all inputs can shrink, or outputs grow.

    Input: min θ with Xλ ≤ θx, Yλ ≥ y. Output: max φ with Xλ ≤ x, Yλ ≥ φy, reported as 1/φ so that 1 is the
    frontier either way.

    Args:
        X: (n, i) inputs.
        Y: (n, o) outputs.
        returns: "crs" or "vrs".
        orientation: "input" or "output".
        super_efficiency: leave a unit out of its own reference, so that those on the frontier are told
            apart by scores above 1 (Andersen and Petersen).

    Raises:
        UnitError: `units` with no input or no output at all. TooFewError: one unit.

    >>> radial([[2.0], [4.0], [4.0]], [[1.0], [2.0], [1.0]]).score.tolist()
    [1.0, 1.0, 0.5]
    """
    x, y = _data(X, Y)
    return _radial(x, y, x, y, returns, orientation, super_efficiency)


def sbm(X: ArrayLike, Y: ArrayLike, *, returns: Returns = "crs", super_efficiency: bool = False) -> Efficiency:
    """Slacks-based efficiency (Tone): min (1 - mean s⁻/x)/(1 + mean s⁺/y), not oriented.

    Unlike the radial score it counts what remains after all inputs shrank together. With
    `super_efficiency`, units that reach 1 get Tone's super-SBM instead.

    Args, returns: as for `radial`; `peers` are those of the programme that gave the score.

    Raises:
        UnitError: `units` with an input or output of zero (slacks are shares of them). TooFewError: one unit.

    >>> sbm([[2.0], [4.0]], [[1.0], [1.0]]).score.round(9).tolist()
    [1.0, 0.5]
    """
    x, y = _data(X, Y)
    zero = (x <= 0).any(axis=1) | (y <= 0).any(axis=1)
    if zero.any():
        raise UnitError("slacks-based measures need inputs and outputs above zero", units=positions(zero))
    solver = _Solver()
    rows = [_sbm_unit(solver, x, y, o, returns) for o in range(len(x))]
    if super_efficiency:
        rows = [_super_sbm_unit(solver, x, y, o, returns) if row[0] >= 1 - 1e-9 else row for o, row in enumerate(rows)]
    return Efficiency(np.array([score for score, _ in rows]), np.array([peers for _, peers in rows]))


def malmquist(X: ArrayLike, Y: ArrayLike) -> Malmquist:
    """Malmquist index of every unit between each year and the next, decomposed after Färe et al.

    M = √[(D_t(t+1)/D_t(t)) · (D_{t+1}(t+1)/D_{t+1}(t))] with CRS distances D_s(r) of year r's unit to year
    s's frontier; EC = D_{t+1}(t+1)/D_t(t), TC = M/EC; PEC the EC under VRS, SEC = EC/PEC.
    Distances look towards inputs, those of Färe et al. towards outputs: M, EC and TC are the same either way, as
    returns are constant; PEC and SEC can differ.

    Args:
        X: (t, n, i) inputs.
        Y: (t, n, o) outputs.

    Raises:
        TooFewError: one year or one unit. UnitError: as for `radial`.

    >>> found = malmquist([[[2.0], [4.0]], [[2.0], [3.0]]], [[[2.0], [2.0]], [[3.0], [3.0]]])
    >>> found.EC.round(6).tolist(), found.TC.round(6).tolist()
    ([[1.0, 1.333333]], [[1.5, 1.5]])
    """
    inputs, outputs = complete(X, 3, "X"), complete(Y, 3, "Y")
    t = len(inputs)
    if t < 2 or len(outputs) != t:
        raise TooFewError("a change needs two years of both", what="years", found=t, needed=2)
    years = [_data(inputs[s], outputs[s]) for s in range(t)]

    def distance(frontier: int, year: int, returns: Returns) -> Floats:
        (x, y), (rx, ry) = years[year], years[frontier]
        return _radial(x, y, rx, ry, returns, "input", False).score

    own = np.array([distance(s, s, "crs") for s in range(t)])
    pure = np.array([distance(s, s, "vrs") for s in range(t)])
    ahead = np.array([distance(s, s + 1, "crs") for s in range(t - 1)])
    behind = np.array([distance(s + 1, s, "crs") for s in range(t - 1)])
    EC = own[1:] / own[:-1]
    TC = np.sqrt(ahead / own[1:] * own[:-1] / behind)
    PEC = pure[1:] / pure[:-1]
    return Malmquist(EC * TC, EC, TC, PEC, EC / PEC)


class _Quiet(highspy.Highs):
    """HiGHS without a banner: the stock constructor logs one when it turns its callbacks on."""

    def enableCallbacks(self) -> None:  # noqa: N802 - the name is HiGHS's
        """Leave callbacks off; none is used."""


class _Solver:
    """One HiGHS instance for many small programmes: min c'z, low ≤ Az ≤ high, z ≥ 0."""

    def __init__(self) -> None:
        self._highs = _Quiet()  # type: ignore[no-untyped-call]
        options: dict[str, bool | str | int | float] = {
            "output_flag": False,
            "presolve": "off",
            "threads": 1,
            "primal_feasibility_tolerance": _TOLERANCE,
            "dual_feasibility_tolerance": _TOLERANCE,
        }
        for name, value in options.items():
            self._highs.setOptionValue(name, value)

    def solve(self, c: Floats, A: Floats, low: Floats, high: Floats) -> Floats | None:
        """The solution z, or None where there is none."""
        rows, columns = A.shape
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = columns, rows
        model.col_cost_, model.col_lower_, model.col_upper_ = c, np.zeros(columns), np.full(columns, np.inf)
        model.row_lower_, model.row_upper_ = low, high
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.arange(0, A.size + 1, columns)
        model.a_matrix_.index_ = np.tile(np.arange(columns), rows)
        model.a_matrix_.value_ = A.ravel()
        self._highs.passModel(model)
        self._highs.run()
        status = self._highs.getModelStatus()
        if status in _INFEASIBLE:
            return None
        if status != _OPTIMAL:
            raise FusionError("the solver stopped without an answer", code="solver", status=str(status))
        return np.array(self._highs.getSolution().col_value, dtype=np.float64)


def _radial(
    x: Floats, y: Floats, rx: Floats, ry: Floats, returns: Returns, orientation: Orientation, own_out: bool
) -> Efficiency:
    _known(returns, orientation)
    scale_x, scale_y = rx.mean(axis=0), ry.mean(axis=0)
    x, rx, y, ry = x / scale_x, rx / scale_x, y / scale_y, ry / scale_y
    (n, i), r, o = x.shape, len(rx), y.shape[1]
    solver = _Solver()
    score, peers = np.full(n, np.nan), np.full((n, r), np.nan)
    inward = orientation == "input"
    A = np.zeros((i + o + 1, r + 1))
    A[:i, 1:], A[i : i + o, 1:], A[-1, 1:] = -rx.T, ry.T, 1.0
    cost = np.zeros(r + 1)
    cost[0] = 1.0 if inward else -1.0
    sum_low, sum_high = (1.0, 1.0) if returns == "vrs" else (0.0, np.inf)
    high = np.append(np.full(i + o, np.inf), sum_high)
    for unit in range(n):
        A[:i, 0] = x[unit] if inward else 0.0
        A[i : i + o, 0] = 0.0 if inward else -y[unit]
        bound = (np.zeros(i), y[unit]) if inward else (-x[unit], np.zeros(o))
        reference = A
        if own_out:
            reference = A.copy()
            reference[:, unit + 1] = 0.0
        z = solver.solve(cost, reference, np.concatenate([*bound, [sum_low]]), high)
        if z is not None and (inward or z[0] > 0):
            score[unit] = z[0] if inward else 1.0 / z[0]
            peers[unit] = z[1:]
    return Efficiency(score, peers)


def _sbm_unit(solver: _Solver, x: Floats, y: Floats, o: int, returns: Returns) -> tuple[float, Floats]:
    """Tone's programme after the Charnes-Cooper step; columns t, Λ (n), S⁻ (i), S⁺ (o), in shares of the unit."""
    _known(returns, "input")
    (n, i), p = x.shape, y.shape[1]
    A = np.zeros((1 + i + p + 1, 1 + n + i + p))
    A[0, 0], A[0, 1 + n + i :] = 1.0, 1.0 / p
    A[1 : 1 + i, 0], A[1 : 1 + i, 1 : 1 + n] = -1.0, (x / x[o]).T
    A[1 : 1 + i, 1 + n : 1 + n + i] = np.eye(i)
    A[1 + i : 1 + i + p, 0], A[1 + i : 1 + i + p, 1 : 1 + n] = -1.0, (y / y[o]).T
    A[1 + i : 1 + i + p, 1 + n + i :] = -np.eye(p)
    A[-1, 0], A[-1, 1 : 1 + n] = -1.0, 1.0
    low = np.append(np.concatenate([[1.0], np.zeros(i + p)]), 0.0 if returns == "vrs" else -np.inf)
    high = np.append(np.concatenate([[1.0], np.zeros(i + p)]), 0.0 if returns == "vrs" else np.inf)
    cost = np.zeros(A.shape[1])
    cost[0], cost[1 + n : 1 + n + i] = 1.0, -1.0 / i
    return _unpack(solver.solve(cost, A, low, high), cost, n)


def _super_sbm_unit(solver: _Solver, x: Floats, y: Floats, o: int, returns: Returns) -> tuple[float, Floats]:
    """Tone's super-SBM; columns t, Λ (n), X̄ (i), Ȳ (o), in shares of the unit, itself left out of Λ."""
    (n, i), p = x.shape, y.shape[1]
    A = np.zeros((1 + 2 * i + 2 * p + 1, 1 + n + i + p))
    at_x, at_y = slice(1 + n, 1 + n + i), slice(1 + n + i, None)
    A[0, at_y] = 1.0 / p
    A[1 : 1 + i, 1 : 1 + n], A[1 : 1 + i, at_x] = -(x / x[o]).T, np.eye(i)
    A[1 + i : 1 + 2 * i, 0], A[1 + i : 1 + 2 * i, at_x] = -1.0, np.eye(i)
    row = 1 + 2 * i
    A[row : row + p, 1 : 1 + n], A[row : row + p, at_y] = (y / y[o]).T, -np.eye(p)
    A[row + p : row + 2 * p, 0], A[row + p : row + 2 * p, at_y] = 1.0, -np.eye(p)
    A[-1, 0], A[-1, 1 : 1 + n] = -1.0, 1.0
    A[:, 1 + o] = 0.0
    free = 0.0 if returns == "vrs" else np.inf
    low = np.concatenate([[1.0], np.zeros(2 * i + 2 * p), [-free]])
    high = np.concatenate([[1.0], np.full(2 * i + 2 * p, np.inf), [free]])
    cost = np.zeros(A.shape[1])
    cost[at_x] = 1.0 / i
    return _unpack(solver.solve(cost, A, low, high), cost, n)


def _unpack(z: Floats | None, cost: Floats, n: int) -> tuple[float, Floats]:
    if z is None or z[0] <= 0:
        return float("nan"), np.full(n, np.nan)
    return float(cost @ z), z[1 : 1 + n] / z[0]


def _known(returns: str, orientation: str) -> None:
    if returns not in ("crs", "vrs") or orientation not in ("input", "output"):
        raise FusionError(
            "returns are 'crs' or 'vrs', orientation 'input' or 'output'",
            code="option",
            returns=returns,
            orientation=orientation,
        )


def _data(X: ArrayLike, Y: ArrayLike) -> tuple[Floats, Floats]:
    x, y = complete(X, 2, "X"), complete(Y, 2, "Y")
    if len(x) != len(y):
        raise FusionError("X and Y have a row a unit", code="shape", shapes=(x.shape, y.shape))
    if len(x) < 2:
        raise TooFewError("a frontier needs two units", what="regions", found=len(x), needed=2)
    if (x < 0).any() or (y < 0).any():
        raise UnitError(
            "inputs and outputs are zero or more", units=positions((x < 0).any(axis=1) | (y < 0).any(axis=1))
        )
    idle = (x.sum(axis=1) <= 0) | (y.sum(axis=1) <= 0)
    if idle.any():
        raise UnitError("a unit has no input or no output at all", units=positions(idle))
    if (x.sum(axis=0) <= 0).any() or (y.sum(axis=0) <= 0).any():
        raise UnitError("an input or output is zero for every unit", units=tuple(range(len(x))))
    return x, y
