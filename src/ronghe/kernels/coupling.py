"""Coupling coordination of n subsystems, the correct classic form and the modified one, and what others wrote.

U (..., n) holds the level of each subsystem in its last axis, in [0, 1]. C says how alike the levels are,
T how high they are together, D = √(C·T) both at once.

Classic: C = n (Π U)^{1/n} / Σ U. Modified: C = √{[1 - Σ_{i>j}|U_i - U_j| / (n(n-1)/2)] · [Π U_i / max U]^{1/(n-1)}};
it uses the whole of [0, 1] where the classic crowds near 1.

Papers: 刘春林 (2017); 王淑佳, 孔伟, 任亮, 治丹丹, 戴彬婷, 自然资源学报 36(3) (2021) 793, who found about half
of 379 published papers to have written C wrongly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.checks import Floats, FusionError, check_weights

Form = Literal["classic", "modified"]
_EDGES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
_UNROUNDED = 1e-9


@dataclass(frozen=True, slots=True)
class Coordination:
    """Coupling C, development T and coordination D, each shaped like U without its last axis."""

    C: Floats
    T: Floats
    D: Floats


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Which written forms reproduce published figures.

    `forms` are in the order tried, correct ones first; `values` (forms, rows) is what each form gives,
    `fits` (forms, rows) whether rounding explains the rest. `verdict` is the first form that fits every
    row, `mixed` says that no form fits all but each row is fit by some.
    """

    forms: tuple[str, ...]
    values: Floats
    fits: NDArray[np.bool_]
    verdict: str | None
    mixed: bool


def coupling_classic(U: ArrayLike) -> Floats:
    """Classic coupling degree C = n (Π U)^{1/n} / Σ U, 1 when all levels are equal.

    Where all levels are zero C is not defined and comes back as NaN.

    Args:
        U: (..., n) levels, n ≥ 2, zero or more.

    Raises:
        FusionError: fewer than two subsystems, or a negative level.

    >>> coupling_classic([0.291, 0.320]).round(5).item()
    0.99887
    """
    levels = _levels(U, most=None)
    n = levels.shape[-1]
    total = _over(np.add, levels)
    C: Floats = np.where(total > 0, n * _root_product(levels) / np.where(total > 0, total, 1.0), np.nan)
    return C


def coupling_modified(U: ArrayLike) -> Floats:
    """Modified coupling degree of 王淑佳 et al. (2021); see the module for the formula.

    With two subsystems, U₁ ≤ U₂: C = √{[1 - (U₂ - U₁)] · U₁/U₂}. All levels zero: NaN.

    Args:
        U: (..., n) levels in [0, 1], n ≥ 2.

    Raises:
        FusionError: fewer than two subsystems, or a level outside [0, 1].

    >>> coupling_modified([0.049, 0.419]).round(5).item()
    0.27143
    """
    levels = _levels(U, most=1.0)
    n = levels.shape[-1]
    pairs = tuple(combinations(range(n), 2))
    apart = sum((np.abs(levels[..., i] - levels[..., j]) for i, j in pairs), start=np.zeros(levels.shape[:-1]))
    highest = _over(np.maximum, levels)
    scale = np.where(highest > 0, highest, 1.0)
    ratio = _over(np.multiply, levels / scale[..., None])
    C: Floats = np.sqrt((1.0 - apart / len(pairs)) * (ratio if n == 2 else ratio ** (1.0 / (n - 1))))
    return np.where(highest > 0, C, np.nan)


def coordination(U: ArrayLike, *, alpha: ArrayLike | None = None, form: Form = "modified") -> Coordination:
    """C, T = Σ α_k U_k and D = √(C·T). Where all levels are zero D is 0, the limit of either form.

    Args:
        U: (..., n) levels; in [0, 1] for the modified form.
        alpha: (n,) weights of the subsystems; equal when None.
        form: "classic" or "modified".

    Raises:
        WeightError: alpha does not sum to one.
        FusionError: see the two forms.

    >>> coordination([0.04, 0.16], form="classic").D.round(6).item()
    0.282843
    """
    if form not in ("classic", "modified"):
        raise FusionError(f"form is 'classic' or 'modified', not {form!r}", code="option", form=form)
    C = coupling_classic(U) if form == "classic" else coupling_modified(U)
    levels = np.asarray(U, dtype=np.float64)
    T = development(levels, _alpha(alpha, levels.shape[-1]))
    return Coordination(C, T, degree(C, T))


def development(U: ArrayLike, alpha: ArrayLike) -> Floats:
    """T = Σ α_k U_k for one alpha (n,), or for one a row of U (alpha broadcasts against U).

    >>> development([0.2, 0.4], [0.5, 0.5]).round(6).item()
    0.3
    """
    levels, weights = np.asarray(U, dtype=np.float64), np.asarray(alpha, dtype=np.float64)
    parts = (weights[..., k] * levels[..., k] for k in range(levels.shape[-1]))
    return np.asarray(sum(parts, start=np.zeros(())), dtype=np.float64)


def degree(C: ArrayLike, T: ArrayLike) -> Floats:
    """D = √(C·T), 0 where T is 0 and C therefore not defined.

    >>> degree([0.5, np.nan], [0.5, 0.0]).tolist()
    [0.5, 0.0]
    """
    coupling, together = np.asarray(C, dtype=np.float64), np.asarray(T, dtype=np.float64)
    return np.asarray(np.sqrt(np.where(together > 0, coupling, 0.0) * together), dtype=np.float64)


def coordination_class(D: ArrayLike) -> NDArray[np.int64]:
    """Class of D in ten bands of 0.1, from 0 (极度失调) over 4 (濒临失调) and 5 (勉强协调) to 9 (优质协调).

    A band holds its lower end and the last one also 1.

    Raises:
        FusionError: D outside [0, 1].

    >>> coordination_class([0.0, 0.1, 0.59, 0.6, 1.0]).tolist()
    [0, 1, 5, 6, 9]
    """
    degrees = np.asarray(D, dtype=np.float64)
    if not ((degrees >= 0) & (degrees <= 1)).all():
        raise FusionError("D lies in [0, 1]", code="fraction")
    return np.asarray(np.searchsorted(_EDGES, degrees, side="right"), dtype=np.int64)


def diagnose_published(
    U: ArrayLike,
    published: ArrayLike,
    *,
    alpha: ArrayLike | None = None,
    decimals: int = 4,
    decimals_U: int | None = None,
) -> Diagnosis:
    """Find the form, right or wrong, that a published coupling degree was computed with.

    Forms tried: classic, modified; lost-n (the factor n left out, so that C never passes 1/n);
    missing-root (the product's n-th root left out: C to the power n); lost-n-and-root; square-root (two
    systems' root used for n > 2); pairwise (n[ΠU/Π(U_i + U_j)]^{1/n}, the wrong way to more systems);
    weighted (α put on the levels inside C); over-T (ΠU's root over T = ΣαU, so that C can pass 1);
    squared (C², an exponent k = 2 in place of 1/n); and figures that are not C at all: T, D of the classic,
    D of the modified form. Forms that can't be told apart from an earlier one for these n and α are left out.

    A form fits a row when some U inside the published rounding gives the published figure.

    Args:
        U: (rows, n) published levels.
        published: (rows,) published coupling degrees.
        alpha: (n,) the paper's subsystem weights; equal when None.
        decimals: digits the coupling degrees are printed with.
        decimals_U: digits the levels are printed with; None where they are exact.

    Raises:
        FusionError: shapes that don't match, levels outside [0, 1].

    >>> diagnose_published([[0.2, 0.6], [0.5, 0.1]], [0.4330, 0.3727]).verdict
    'lost-n'
    """
    levels = np.atleast_2d(_levels(U, most=1.0))
    figures = np.atleast_1d(np.asarray(published, dtype=np.float64))
    if figures.shape != levels.shape[:1]:
        raise FusionError("needs one published figure a row of U", code="shape", rows=len(levels), figures=len(figures))
    forms = _forms(_alpha(alpha, levels.shape[1]), equal=alpha is None or np.ptp(np.asarray(alpha)) == 0)
    slack = 0.5 * 10.0**-decimals + _UNROUNDED
    box = _rounding_box(levels, decimals_U)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.array([form(levels) for form in forms.values()])
        around = np.array([form(box) for form in forms.values()])
    lowest = np.fmin(np.fmin.reduce(around, axis=1), values)
    highest = np.fmax(np.fmax.reduce(around, axis=1), values)
    fits = (figures >= lowest - slack) & (figures <= highest + slack)
    whole = fits.all(axis=1)
    names = tuple(forms)
    verdict = names[int(np.argmax(whole))] if whole.any() else None
    return Diagnosis(names, values, fits, verdict, verdict is None and bool(fits.any(axis=0).all()))


def _forms(alpha: Floats, *, equal: bool) -> dict[str, Callable[[Floats], Floats]]:
    n = len(alpha)
    pairs = tuple(combinations(range(n), 2))

    def scaled(U: Floats, power: float) -> Floats:
        """(ΠU / (ΣU/n)ⁿ)^power: the classic form has power 1/n."""
        return np.asarray((U.prod(axis=-1) / (U.sum(axis=-1) / n) ** n) ** power, dtype=np.float64)

    def pairwise(U: Floats) -> Floats:
        sums = np.prod([U[..., i] + U[..., j] for i, j in pairs], axis=0)
        return np.asarray(n * (U.prod(axis=-1) / sums) ** (1 / n), dtype=np.float64)

    forms: dict[str, Callable[[Floats], Floats]] = {
        "classic": coupling_classic,
        "modified": coupling_modified,
        "lost-n": lambda U: coupling_classic(U) / n,
        "missing-root": lambda U: scaled(U, 1.0),
        "lost-n-and-root": lambda U: scaled(U, 1.0) / n**n,
        "squared": lambda U: scaled(U, 2.0 / n),
        "pairwise": pairwise,
        "over-T": lambda U: _root_product(U) / (U @ alpha),
        "weighted": lambda U: coupling_classic(U * alpha),
        "square-root": lambda U: scaled(U, 0.5),
        "T": lambda U: np.asarray(U @ alpha),
        "D-classic": lambda U: coordination(U, alpha=alpha, form="classic").D,
        "D-modified": lambda U: coordination(U, alpha=alpha, form="modified").D,
    }
    same = (["over-T", "weighted"] if equal else []) + (["square-root", "squared"] if n == 2 else [])
    return {name: form for name, form in forms.items() if name not in same}


def _rounding_box(levels: Floats, decimals: int | None) -> Floats:
    """Points (grid, rows, n) of the box of levels that round to the published ones."""
    half = 0.0 if decimals is None else 0.5 * 10.0**-decimals
    per_axis = 5 if levels.shape[1] <= 4 else 2
    steps = np.array(list(product(np.linspace(-half, half, per_axis), repeat=levels.shape[1])))
    return np.asarray(np.clip(levels[None, :, :] + steps[:, None, :], 0.0, 1.0), dtype=np.float64)


def _levels(U: ArrayLike, most: float | None) -> Floats:
    levels = np.asarray(U, dtype=np.float64)
    if levels.ndim < 1 or levels.shape[-1] < 2:
        raise FusionError("coupling needs at least two subsystems", code="subsystems", shape=levels.shape)
    if not (levels >= 0).all() or (most is not None and not (levels <= most).all()):
        raise FusionError(
            "a level is missing or outside [0, 1]" if most else "a level is missing or negative",
            code="fraction",
            lowest=float(np.min(levels)),
            highest=float(np.max(levels)),
        )
    return levels


def _root_product(levels: Floats) -> Floats:
    product = _over(np.multiply, levels)
    return np.sqrt(product) if levels.shape[-1] == 2 else product ** (1.0 / levels.shape[-1])


def _over(operation: np.ufunc, levels: Floats) -> Floats:
    """Reduce the short last axis column by column, many times faster than along it."""
    result = levels[..., 0]
    for k in range(1, levels.shape[-1]):
        result = operation(result, levels[..., k])
    return result


def _alpha(alpha: ArrayLike | None, n: int) -> Floats:
    return np.full(n, 1.0 / n) if alpha is None else check_weights(alpha, n)[0]
