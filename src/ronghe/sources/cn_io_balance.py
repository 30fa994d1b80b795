"""Does a national table balance? Every row, every column and every sub-total, by the publisher's own identity."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import SourceError
from ronghe.sources.cn_io_layout import SUBTOTAL, Grid


@dataclass(frozen=True, slots=True)
class Balance:
    """The largest residual of the rows and of the columns, in the table's unit, and what was checked."""

    rows: float
    columns: float
    row_identity: str
    column_identity: str


def check(grid: Grid) -> Balance:
    """Hold the table to its publisher's identities.

    Raises
    ------
    SourceError : ``source_unbalanced``, naming the sector or sub-total that is furthest off.
    """
    _subtotals(grid)
    row_identity, by_row = _row_residuals(grid)
    rows = max(_hold(grid, residual, labels, row_identity) for residual, labels in by_row)
    taxed = bool(grid.name.publisher.taxes)
    column_identity = "x' = 1'Z + 1'T + 1'V" if taxed else "x' = 1'Z + 1'V"
    columns = _hold(grid, _column_residuals(grid), _labels(grid, _output_rows(grid)), column_identity)
    return Balance(rows, columns, row_identity, column_identity)


def _sum(grid: Grid, block: str, axis: int) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.where(grid.block == block, np.nan_to_num(grid.values), 0.0).sum(axis=axis)
    return total


def _output_rows(grid: Grid) -> NDArray[np.bool_]:
    return grid.rows("domestic" if grid.split else "total")


def _output(grid: Grid) -> NDArray[np.float64]:
    across = grid.row_kind == "X"
    output: NDArray[np.float64]
    if across.any():
        output = grid.values[across][0, grid.column_kind == "Z"]
    else:
        output = grid.values[_output_rows(grid)][:, grid.column_kind == "X"][:, 0]
    return output


def _row_residuals(grid: Grid) -> tuple[str, list[tuple[NDArray[np.float64], list[str]]]]:
    uses = _sum(grid, "Z", 1) + _sum(grid, "F", 1)
    home = _output_rows(grid)
    labels = _labels(grid, home)
    if grid.split:
        abroad = grid.rows("imported")
        imports = grid.values[abroad][:, grid.column_kind == "X"][:, 0]
        pairs = [(uses[home] - _output(grid), labels), (uses[abroad] - imports, _labels(grid, abroad))]
        return "x = Zd 1 + Fd 1; m = Zm 1 + Fm 1", pairs
    residual = (uses - _sum(grid, "M", 1) + _sum(grid, "E", 1))[home] - _output(grid)
    identity = "x = Z1 + F1 - m"
    if (grid.column_kind == "E").any():
        identity += " + e"
    return identity, [(residual, labels)]


def _column_residuals(grid: Grid) -> NDArray[np.float64]:
    inputs = _sum(grid, "Z", 0) + _sum(grid, "V", 0) + _sum(grid, "T", 0)
    residual: NDArray[np.float64] = inputs[grid.column_kind == "Z"] - _output(grid)
    return residual


def _labels(grid: Grid, rows: NDArray[np.bool_]) -> list[str]:
    names = np.where(grid.name_zh[rows] == None, grid.name_en[rows], grid.name_zh[rows])  # noqa: E711 (elementwise)
    return [f"{code} {name or ''}".strip() for code, name in zip(grid.codes[rows], names, strict=True)]


def _hold(grid: Grid, residual: NDArray[np.float64], labels: Iterable[str], identity: str) -> float:
    """The largest residual; an error when it, or a blank, is beyond the publisher's rounding."""
    size = np.abs(residual)
    worst = float(np.nan_to_num(size, nan=np.inf).max(initial=0.0))
    if worst <= grid.name.publisher.tolerance:
        return worst
    at = int(np.nan_to_num(size, nan=np.inf).argmax())
    raise SourceError(
        "source_unbalanced",
        file=grid.file,
        table=grid.name.table_id,
        where=list(labels)[at],
        residual=f"{residual[at]:.6g}",
        tolerance=f"{grid.name.publisher.tolerance:g}",
        unit=grid.name.publisher.unit,
        identity=identity,
    )


def _subtotals(grid: Grid) -> None:
    publisher = grid.name.publisher
    for at in np.flatnonzero(grid.column_kind == SUBTOTAL):
        total = str(grid.columns[at])
        parts = _members(publisher.column_parts[total], grid.columns, grid.column_kind)
        _total(grid, total, grid.values[:, at], grid.values[:, parts], grid.codes)
    for at in np.flatnonzero(grid.row_kind == SUBTOTAL):
        total = str(grid.codes[at])
        parts = _members(publisher.row_parts[total], grid.codes, grid.row_kind)
        _total(grid, total, grid.values[at], _published(grid)[parts].T, grid.columns)


def _published(grid: Grid) -> NDArray[np.float64]:
    """The values with the publisher's own sign for imports, as its column sums have them."""
    sign = np.where(np.outer(grid.row_kind == "Z", grid.column_kind == "M"), grid.name.publisher.imports_sign, 1)
    published: NDArray[np.float64] = grid.values * sign
    return published


def _members(parts: tuple[str, ...], codes: NDArray[np.object_], kinds: NDArray[np.str_]) -> NDArray[np.bool_]:
    groups = [part for part in parts if len(part) == 1]
    mask: NDArray[np.bool_] = np.isin(kinds, groups) | np.isin(codes.astype(str), parts)
    return mask


def _total(
    grid: Grid,
    total: str,
    stated: NDArray[np.float64],
    parts: NDArray[np.float64],
    labels: NDArray[np.object_],
) -> None:
    there = ~np.isnan(stated)
    residual = np.nansum(parts[there], axis=1) - stated[there]
    _hold(grid, residual, [f"{total} x {label}" for label in labels[there]], f"{total} = sum of its parts")
