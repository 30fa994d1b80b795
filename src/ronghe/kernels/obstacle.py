"""What holds a region back: obstacle degree, marginal effect on D, the lagging subsystem, the gap to a target.

Z (n, m) holds normalised indicators in [0, 1], more is better. `groups` (m,) numbers the subsystem of each
indicator from 0; `weights` (m,) sum to one within each subsystem, `alpha` (g,) over subsystems. A
subsystem's level is U_k = Σ_{j in k} w_j z_j.

The obstacle degree looks at weight and distance alone. The marginal effect asks how far coordination D
would rise if the indicator did: raising a subsystem that leads already may lower D, which the obstacle
degree can't show. Report both.

Papers: the obstacle degree (障碍度) as the Chinese literature on land use and coordination writes it;
relative development as in 廖重斌, 热带地理 19 (1999) 171-177.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.checks import Floats, FusionError, WeightError, check_weights, complete
from ronghe.kernels.coupling import Form, coordination

Ints = NDArray[np.int64]


def subsystem_levels(Z: ArrayLike, weights: ArrayLike, groups: ArrayLike) -> Floats:
    """Levels U (n, g) of the subsystems: U_k = Σ_{j in k} w_j z_j.

    Raises:
        WeightError: a subsystem's weights don't sum to one.
        FusionError: groups that aren't 0 … g - 1.

    >>> subsystem_levels([[0.2, 0.4, 0.9]], [0.5, 0.5, 1.0], [0, 0, 1]).round(6).tolist()
    [[0.3, 0.9]]
    """
    values = complete(Z, 2, "Z")
    return values @ _loading(weights, groups, values.shape[1])


def obstacle_degree(
    Z: ArrayLike, weights: ArrayLike, groups: ArrayLike | None = None, *, alpha: ArrayLike | None = None
) -> Floats:
    """Obstacle degree O_ij = F_j (1 - z_ij) / Σ_j F_j (1 - z_ij), F_j = α_k w_j.

    Args:
        Z: (n, m) in [0, 1].
        weights: (m,) summing to one within each subsystem (in all, when groups is None).
        groups: (m,) subsystem numbers; None for one system.
        alpha: (g,) subsystem weights; equal when None.

    Returns:
        (n, m) shares, each row summing to one; a region at the top of every indicator gets zeros.

    Raises:
        FusionError: a value outside [0, 1]. WeightError: as for `subsystem_levels`.

    >>> obstacle_degree([[0.5, 0.0]], [0.5, 0.5]).round(4).tolist()
    [[0.3333, 0.6667]]
    """
    values = _unit_interval(Z)
    kinds = np.zeros(values.shape[1], dtype=np.int64) if groups is None else np.asarray(groups)
    loading = _loading(weights, kinds, values.shape[1])
    factor = loading @ _alpha(alpha, loading.shape[1])
    lack = factor * (1.0 - values)
    total = lack.sum(axis=1, keepdims=True)
    return np.asarray(lack / np.where(total > 0, total, 1.0), dtype=np.float64)


def marginal_effect(
    Z: ArrayLike,
    weights: ArrayLike,
    groups: ArrayLike,
    *,
    step: float = 0.1,
    alpha: ArrayLike | None = None,
    form: Form = "modified",
) -> Floats:
    """Gain in D from raising one indicator by a step of its scale, all else equal, divided by the step.

    A finite step and not a derivative: near balance D has a kink, and a plan moves by steps. The step ends
    at 1, so an indicator at the top has no effect; a tiny step gives the right-hand derivative.

    Args:
        Z: (n, m) in [0, 1].
        weights: (m,) within subsystems.
        groups: (m,) subsystem numbers.
        step: share of the scale, above 0.
        alpha: (g,) subsystem weights; equal when None.
        form: form of the coupling degree.

    Returns:
        (n, m) change in D per unit of z; negative where raising the indicator unbalances.

    >>> marginal_effect([[0.2, 0.8]], [1.0, 1.0], [0, 1]).round(3).tolist()
    [[0.904, -0.208]]
    """
    if not step > 0:
        raise FusionError("the step is above 0", code="step", step=step)
    values = _unit_interval(Z)
    loading = _loading(weights, groups, values.shape[1])
    levels = values @ loading
    rise = np.minimum(step, 1.0 - values)
    raised = np.minimum(levels[:, None, :] + rise[:, :, None] * loading[None, :, :], 1.0)
    before = coordination(np.minimum(levels, 1.0), alpha=alpha, form=form).D
    after = coordination(raised, alpha=alpha, form=form).D
    return np.asarray((after - before[:, None]) / step, dtype=np.float64)


def relative_development(U: ArrayLike) -> Floats:
    """Relative development β = U₁ / U₂ of two subsystems; infinite where only the second is zero, NaN if both.

    >>> relative_development([[0.2, 0.4]]).tolist()
    [0.5]
    """
    levels = np.asarray(U, dtype=np.float64)
    if levels.shape[-1] != 2:
        raise FusionError("relative development compares two subsystems", code="subsystems", shape=levels.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(levels[..., 0] / levels[..., 1], dtype=np.float64)


def lagging(U: ArrayLike, *, threshold: float = 0.8) -> Ints:
    """Which subsystem lags: the lowest, if under `threshold` times the mean of the others; else -1.

    With two subsystems: the first lags at β < 0.8, the second at β > 1/0.8 = 1.25. Papers write 0.8 and
    1.2, so that the answer there depends on which subsystem is named first; here it doesn't.

    >>> lagging([[0.2, 0.4], [0.4, 0.41], [0.5, 0.3]]).tolist()
    [0, -1, 1]
    """
    levels = np.asarray(U, dtype=np.float64)
    if levels.ndim < 1 or levels.shape[-1] < 2 or not 0 < threshold <= 1:
        raise FusionError(
            "needs two subsystems or more and a threshold in (0, 1]", code="subsystems", shape=levels.shape
        )
    lowest = levels.min(axis=-1)
    others = (levels.sum(axis=-1) - lowest) / (levels.shape[-1] - 1)
    return np.asarray(np.where(lowest < threshold * others, levels.argmin(axis=-1), -1), dtype=np.int64)


def gap_to_close(U: ArrayLike, target: float, *, alpha: ArrayLike | None = None, form: Form = "modified") -> Floats:
    """Least share λ of every subsystem's distance to 1 that must be closed for D ≥ target.

    U(λ) = U + λ(1 - U): gaps between subsystems shrink with it, so D rises all the way to 1 and the answer
    is found by bisection. Times a subsystem's distance (1 - U_k), it is the rise that subsystem needs.

    Args:
        U: (..., n) levels in [0, 1].
        target: D to reach, in [0, 1].
        alpha: (n,) subsystem weights; equal when None.
        form: form of the coupling degree.

    Returns:
        (...) shares in [0, 1]; 0 where the target is met.

    >>> gap_to_close([0.36, 0.36], 0.8).round(4).item()
    0.4375
    """
    levels = np.asarray(U, dtype=np.float64)
    if not 0 <= target <= 1:
        raise FusionError("the target lies in [0, 1]", code="fraction", target=target)
    low = np.zeros(levels.shape[:-1])
    high = np.where(target <= coordination(levels, alpha=alpha, form=form).D, 0.0, 1.0)
    for _ in range(50):  # halves 1 down to the last bit of a double
        middle = (low + high) / 2
        reached = target <= coordination(levels + middle[..., None] * (1 - levels), alpha=alpha, form=form).D
        high = np.where(reached, middle, high)
        low = np.where(reached, low, middle)
    return np.asarray(high, dtype=np.float64)


def _unit_interval(Z: ArrayLike) -> Floats:
    values = complete(Z, 2, "Z")
    if values.min() < 0 or values.max() > 1:
        raise FusionError(
            "values lie in [0, 1]: use a min–max or rank normalisation",
            code="fraction",
            lowest=float(values.min()),
            highest=float(values.max()),
        )
    return values


def _loading(weights: ArrayLike, groups: ArrayLike, m: int) -> Floats:
    kinds = np.asarray(groups)
    w = np.asarray(weights, dtype=np.float64)
    if kinds.shape != (m,) or not np.array_equal(np.unique(kinds), np.arange(kinds.max(initial=0) + 1)):
        raise FusionError(
            "groups number the subsystems 0, 1, … without a gap", code="groups", groups=tuple(kinds.ravel())
        )
    if w.shape != (m,):
        raise WeightError(f"needs {m} weights", rows=(), sums=())
    loading = np.where(kinds[:, None] == np.arange(kinds.max() + 1), w[:, None], 0.0)
    check_weights(loading.T, m)
    return loading


def _alpha(alpha: ArrayLike | None, g: int) -> Floats:
    return np.full(g, 1.0 / g) if alpha is None else check_weights(alpha, g)[0]
