"""Missing cells of a panel: left, carried, drawn between neighbours, or modelled, and always marked.

X (t, n, m) holds years, regions and indicators with NaN for what isn't known.

Paper: Little and Rubin, Statistical Analysis with Missing Data (2002).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.checks import Floats, FusionError, MissingBlockError, positions

Method = Literal["none", "carry", "linear", "model"]


@dataclass(frozen=True, slots=True)
class Imputed:
    """A panel with its gaps filled: `values`, the `mask` of filled cells, and their standard error `sd`.

    `sd` is 0 for observed cells; for carried and interpolated cells it is NaN, as those methods can't tell.
    """

    values: Floats
    mask: NDArray[np.bool_]
    sd: Floats


def impute(X: ArrayLike, method: Method = "linear", *, max_gap: int | None = None) -> Imputed:
    """Fill the gaps of every region's series.

    "none" fills nothing. "carry" repeats the last known year. "linear" draws a line between the known years
    on both sides and fills nothing beyond them. "model" fits x = μ + region + year to each indicator by
    least squares and adds what is known of the region and the year.

    Args:
        X: (t, n, m) with NaN.
        method: see above.
        max_gap: leave gaps longer than this many years open; None fills all the method can.

    Raises:
        FusionError: not three dimensions, an infinite cell, an unknown method.
        MissingBlockError: "model", and a region or year without any value, or regions that share no year with
            the others: `indicators`, `regions` or `years`.

    >>> filled = impute([[[1.0]], [[np.nan]], [[3.0]], [[np.nan]]])
    >>> filled.values.ravel().tolist(), filled.mask.ravel().tolist()
    ([1.0, 2.0, 3.0, nan], [False, True, False, False])
    """
    panel = _panel(X)
    gaps = np.isnan(panel)
    if method == "none":
        return Imputed(panel, np.zeros_like(gaps), np.zeros_like(panel))
    if method == "carry":
        filled, sd = _carry(panel), np.full_like(panel, np.nan)
    elif method == "linear":
        filled, sd = _linear(panel), np.full_like(panel, np.nan)
    elif method == "model":
        filled, sd = _model(panel)
    else:
        raise FusionError(f"method is none, carry, linear or model, not {method!r}", code="option", method=method)
    wanted = gaps if max_gap is None else gaps & (_gap_length(gaps) <= max_gap)
    mask = wanted & ~np.isnan(filled)
    return Imputed(np.where(mask, filled, panel), mask, np.where(mask, sd, 0.0))


def missing_blocks(X: ArrayLike) -> tuple[tuple[int, int], ...]:
    """The (region, indicator) pairs without a single known year: nothing but a model of others can fill them.

    >>> missing_blocks([[[1.0, np.nan]], [[np.nan, np.nan]]])
    ((0, 1),)
    """
    empty = np.isnan(_panel(X)).all(axis=0)
    return tuple((int(i), int(j)) for i, j in np.argwhere(empty))


def imputed_draws(filled: Imputed, count: int, *, seed: int = 0) -> Floats:
    """Versions (count, t, n, m) of a modelled panel: each filled cell drawn from its normal error.

    Raises:
        FusionError: filled cells without an error (only "model" gives one), or no draw asked for.

    >>> imputed_draws(impute([[[1.0]], [[2.0]]], "none"), 3).shape
    (3, 2, 1, 1)
    """
    if count < 1 or np.isnan(filled.sd).any():
        raise FusionError("draws need a count and cells filled by the model", code="draws", count=count)
    noise = np.random.default_rng(seed).standard_normal((count, int(filled.mask.sum())))
    versions = np.tile(filled.values, (count, 1, 1, 1))
    versions[:, filled.mask] += noise * filled.sd[filled.mask]
    return versions


def change_errors(X: ArrayLike, filled: Imputed) -> Imputed:
    """Give carried and interpolated cells a standard error, as if the series were a random walk.

    The step s of a region's series is the root mean square of its own known changes, each over the root of the
    years between (of all regions' where it has none). A cell h years after its last known year and without a later
    one has the error s√h; one between known years h and k away has s√(hk/(h + k)), the error of a bridge. Cells that
    have an error already keep it.

    Args:
        X: (t, n, m) with NaN, as it was handed to `impute`.
        filled: what came back.

    Raises:
        FusionError: another shape, or an indicator without two known years to tell a change from.

    >>> X = [[[1.0]], [[2.0]], [[np.nan]]]
    >>> change_errors(X, impute(X, "carry")).sd.ravel().tolist()
    [0.0, 0.0, 1.0]
    """
    panel = _panel(X)
    if panel.shape != filled.values.shape:
        raise FusionError(
            "X and what was filled have one shape", code="shape", shapes=(panel.shape, filled.values.shape)
        )
    wanted = filled.mask & np.isnan(filled.sd)
    if not wanted.any():
        return filled
    t = len(panel)
    years = np.arange(t)[:, None, None]
    known = ~np.isnan(panel)
    before = np.maximum.accumulate(np.where(known, years, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, years, t)[::-1], axis=0)[::-1]
    step = _steps(panel, before, np.asarray(wanted.any(axis=(0, 1))))
    h, k = np.where(before >= 0, years - before, 0), np.where(after < t, after - years, 0)
    bridge = (before >= 0) & (after < t)
    spread = np.where(bridge, h * k / np.maximum(h + k, 1), np.maximum(h, k))
    return Imputed(filled.values, filled.mask, np.where(wanted, step * np.sqrt(spread), filled.sd))


def _steps(panel: Floats, before: NDArray[np.int64], needed: NDArray[np.bool_]) -> Floats:
    """(n, m) root mean square change a year, √(mean Δ²/years between), pooled over regions where one has none."""
    years = np.arange(1, len(panel))[:, None, None]
    earlier = before[:-1]
    seen = ~np.isnan(panel[1:]) & (earlier >= 0)
    change = panel[1:] - np.take_along_axis(panel, np.maximum(earlier, 0), axis=0)
    square = np.where(seen, change, 0.0) ** 2 / np.maximum(years - earlier, 1)
    count = seen.sum(axis=0)
    pooled = count.sum(axis=0)
    unknown = needed & (pooled == 0)
    if unknown.any():
        raise FusionError("no two known years to tell a change from", code="no-change", indicators=positions(unknown))
    own = square.sum(axis=0) / np.maximum(count, 1)
    of_all = square.sum(axis=(0, 1)) / np.maximum(pooled, 1)
    return np.asarray(np.sqrt(np.where(count > 0, own, of_all)), dtype=np.float64)


def _panel(X: ArrayLike) -> Floats:
    panel = np.array(X, dtype=np.float64)
    if panel.ndim != 3 or panel.size == 0:
        raise FusionError(
            f"a panel is years × regions × indicators, not {panel.shape}", code="shape", shape=panel.shape
        )
    if np.isinf(panel).any():
        raise FusionError(
            "a cell is infinite", code="not_finite", indicators=positions(np.isinf(panel).any(axis=(0, 1)))
        )
    return panel


def _carry(panel: Floats) -> Floats:
    years = np.arange(len(panel))[:, None, None]
    last = np.maximum.accumulate(np.where(np.isnan(panel), -1, years), axis=0)
    carried = np.take_along_axis(panel, np.maximum(last, 0), axis=0)
    return np.asarray(np.where(last >= 0, carried, np.nan), dtype=np.float64)


def _linear(panel: Floats) -> Floats:
    t = len(panel)
    years = np.arange(t)[:, None, None]
    known = ~np.isnan(panel)
    before = np.maximum.accumulate(np.where(known, years, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, years, t)[::-1], axis=0)[::-1]
    inside = (before >= 0) & (after < t)
    low = np.take_along_axis(panel, np.clip(before, 0, t - 1), axis=0)
    high = np.take_along_axis(panel, np.clip(after, 0, t - 1), axis=0)
    share = (years - before) / np.maximum(after - before, 1)
    return np.asarray(np.where(inside, low + share * (high - low), np.nan), dtype=np.float64)


def _gap_length(gaps: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Length of the run of missing years each missing cell belongs to."""
    length = np.zeros(gaps.shape, dtype=np.int64)
    run = np.zeros(gaps.shape[1:], dtype=np.int64)
    for year in range(len(gaps)):
        run = np.where(gaps[year], run + 1, 0)
        length[year] = run
    for year in range(len(gaps) - 2, -1, -1):
        length[year] = np.where(gaps[year] & gaps[year + 1], length[year + 1], length[year])
    return length


def _model(panel: Floats) -> tuple[Floats, Floats]:
    t, n, m = panel.shape
    fitted, sd = np.empty_like(panel), np.zeros_like(panel)
    design = np.hstack(
        [np.tile(np.eye(n), (t, 1)), np.repeat(np.eye(t), n, axis=0)[:, 1:]]
    )  # rows run over years, then regions
    for j in range(m):
        x = panel[:, :, j].ravel()
        known = ~np.isnan(x)
        _refuse_unseen(known.reshape(t, n), j)
        guess, error = _least_squares(design, x, known)
        if np.isnan(guess[~known]).any():
            raise MissingBlockError(
                "two sets of regions share no year: the model can't compare them",
                indicators=(j,),
                regions=positions(np.isnan(guess).reshape(t, n).any(axis=0)),
            )
        fitted[:, :, j], sd[:, :, j] = guess.reshape(t, n), error.reshape(t, n)
    return fitted, sd


def _least_squares(design: Floats, x: Floats, known: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Prediction and its standard error for each row; NaN where the known rows don't determine it."""
    seen = design[known]
    values, vectors = np.linalg.eigh(seen.T @ seen)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps * 16
    space = vectors[:, kept]
    inverse = (space / values[kept]) @ space.T
    guess = design @ (inverse @ (seen.T @ x[known]))
    freedom = len(seen) - int(kept.sum())
    error = x[known] - guess[known]
    variance = float(error @ error) / freedom if freedom > 0 else float("nan")
    leverage = ((design @ inverse) * design).sum(axis=1)
    outside = np.abs(design - (design @ space) @ space.T).max(axis=1) > 1e-6
    sd = np.sqrt(variance * (1.0 + np.maximum(leverage, 0.0)))
    return np.where(outside, np.nan, guess), sd


def _refuse_unseen(known: NDArray[np.bool_], j: int) -> None:
    regions = ~known.any(axis=0)
    if regions.any():
        raise MissingBlockError(
            "a region has no value of this indicator in any year", indicators=(j,), regions=positions(regions)
        )
    years = ~known.any(axis=1)
    if years.any():
        raise MissingBlockError(
            "a year has no value of this indicator in any region", indicators=(j,), years=positions(years)
        )
