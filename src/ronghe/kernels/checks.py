"""What the kernels of measurement and convergence refuse, and the checks they share.

    KernelError
    └── FusionError                    code given where it is raised
        ├── ConstantIndicatorError     "constant"        indicators
        ├── MissingBlockError          "missing"         indicators, regions
        ├── DirectionError             "direction"       indicators
        ├── NegativeValueError         "negative"        indicators or regions
        ├── TooFewError                "too-few"         found, needed, what ("regions" or "years")
        ├── WeightError                "weights"         rows, sums
        ├── NotReciprocalError         "not-reciprocal"  pairs
        ├── InconsistentJudgementError "inconsistent"    cr, limit, worst
        ├── IslandError                "island"          islands
        ├── UnitError                  "dea-unit"        units
        └── ChainError                 "chain"           states

Every detail is a number or a tuple of positions in the caller's arrays.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError

Floats = NDArray[np.float64]


class FusionError(KernelError):
    """Input that a method of this family is not defined for."""

    def __init__(self, message: str, *, code: str, **details: object) -> None:
        super().__init__(code, message, **details)


class _Named(FusionError):
    """A fault whose `code` is fixed by the class."""

    kind: ClassVar[str]

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message, code=self.kind, **details)


class ConstantIndicatorError(_Named):
    """An indicator has one value everywhere, so it ranks nobody: `indicators`."""

    kind = "constant"


class MissingBlockError(_Named):
    """No observed value where the method needs at least one: `indicators`, and `regions` where it applies."""

    kind = "missing"


class DirectionError(_Named):
    """Directions or intervals that do not fit the matrix: `indicators`."""

    kind = "direction"


class NegativeValueError(_Named):
    """A method that needs values of zero or more (or above zero) met another: `indicators` or `regions`."""

    kind = "negative"


class TooFewError(_Named):
    """Fewer regions or years than a comparison needs: `what`, `found`, `needed`."""

    kind = "too-few"


class WeightError(_Named):
    """Weights that are negative, not finite, of the wrong length, or do not sum to one: `rows`, `sums`."""

    kind = "weights"


class NotReciprocalError(_Named):
    """A pairwise matrix where a_ij · a_ji ≠ 1 or an entry is not positive: `pairs`, the (i, j) met."""

    kind = "not-reciprocal"


class InconsistentJudgementError(_Named):
    """Judgements above the consistency limit: `cr`, `limit`, and `worst`, the pair (i, j) to ask again."""

    kind = "inconsistent"


class IslandError(_Named):
    """Regions without a neighbour: `islands`."""

    kind = "island"


class UnitError(_Named):
    """Units a frontier cannot take in, such as one with no input: `units`."""

    kind = "dea-unit"


class ChainError(_Named):
    """A chain without the property asked for, such as a state never left or two closed classes: `states`."""

    kind = "chain"


def positions(mask: ArrayLike) -> tuple[int, ...]:
    """Where a flat mask is true, as plain integers.

    >>> positions([False, True])
    (1,)
    """
    return tuple(int(j) for j in np.flatnonzero(np.asarray(mask)))


def complete(X: ArrayLike, ndim: int, name: str) -> Floats:
    """Floats of the asked dimension without missing or infinite cells.

    Raises:
        FusionError: another number of dimensions, or nothing in it.
        MissingBlockError: a cell is not finite; `indicators` are the positions along the last axis.

    >>> complete([1, 2], 1, "x").tolist()
    [1.0, 2.0]
    """
    values = np.asarray(X, dtype=np.float64)
    if values.ndim != ndim or values.size == 0:
        raise FusionError(
            f"{name} needs {ndim} dimensions and a cell, not shape {values.shape}", code="shape", shape=values.shape
        )
    finite = np.isfinite(values)
    if not finite.all():
        missing = ~finite.all(axis=tuple(range(ndim - 1)))
        raise MissingBlockError(f"{name} has missing or infinite cells: impute first", indicators=positions(missing))
    return values


def check_weights(W: ArrayLike, m: int, *, tolerance: float = 1e-9) -> Floats:
    """Weights as (k, m) rows, each zero or more and summing to one.

    Raises:
        WeightError: `rows` names the rows at fault (at most 20), `sums` what they sum to.

    >>> check_weights([0.5, 0.5], 2).shape
    (1, 2)
    """
    rows = np.atleast_2d(np.asarray(W, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] != m:
        raise WeightError(f"needs {m} weights a row, not shape {rows.shape}", rows=(), sums=())
    sums = rows.sum(axis=1)
    wrong = ~(np.abs(sums - 1.0) <= tolerance) | ~(rows >= 0).all(axis=1)
    if wrong.any():
        bad = np.flatnonzero(wrong)[:20]
        raise WeightError(
            "weights are negative, missing or do not sum to one",
            rows=tuple(int(i) for i in bad),
            sums=tuple(float(s) for s in sums[bad]),
        )
    return rows
