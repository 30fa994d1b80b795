"""A system filled with figures: years × regions × indicators, with the cells that had to be filled marked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, NoData
from ronghe.indexing.figures import Figures, Floats, base_values
from ronghe.indexing.system import Item, System
from ronghe.kernels.errors import KernelError
from ronghe.kernels.missing import Imputed, change_errors, impute
from ronghe.kernels.normalise import orient
from ronghe.model.regions import provinces, regions
from ronghe.model.text import both

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Panel:
    """Items as arrays.

    Attributes
    ----------
    values : (t, n, m) in the units shown, NaN where a gap is left.
    filled : (t, n, m) cells that were filled.
    sd : (t, n, m) standard error of filled cells, 0 elsewhere.
    units : (m) unit shown of each item, ``a`` or ``a/b``.
    dropped : region -> the items whose gaps made it be left out.
    """

    items: tuple[Item, ...]
    years: tuple[int, ...]
    regions: tuple[str, ...]
    names: Mapping[str, Mapping[str, str]]
    values: Floats
    filled: Bools
    sd: Floats
    units: tuple[str, ...]
    dropped: Mapping[str, tuple[str, ...]]

    @property
    def oriented(self) -> Floats:
        """(t, n, m) turned so that more is better."""
        return self.turn(self.values)

    def turn(self, values: Floats) -> Floats:
        """Values (…, m) turned so that more is better; interval ends where there are some."""
        low = [i.low if i.low is not None else 0.0 for i in self.items]
        high = [i.high if i.high is not None else 0.0 for i in self.items]
        return orient(values, [i.direction for i in self.items], low=low, high=high)

    def name(self, region: str) -> dict[str, str]:
        """A region's name in both languages."""
        known = self.names.get(region)
        return both(known["zh"], known["en"]) if known else both(None, region)

    def at(self, region: str) -> int:
        """The region's place on the axis; ``KeyError`` when it isn't there."""
        if region not in self.regions:
            raise KeyError(region)
        return self.regions.index(region)


def region_set(system: System, present: Iterable[str]) -> tuple[str, ...]:
    """The regions a system speaks of, of those that the lake holds figures for."""
    held = set(present)
    if isinstance(system.regions, tuple):
        return tuple(r for r in system.regions if r in held)
    if system.regions == "provinces":
        return tuple(r for r in provinces() if r in held)
    if system.regions == "countries":
        known = regions()
        return tuple(sorted(r for r in held if r in known and known[r].level == "country"))
    return tuple(sorted(held))


def year_window(system: System, rows: Mapping[str, Sequence[Any]], wanted: Iterable[str]) -> tuple[int, ...]:
    """The years the panel covers: the system's own as far as the lake reaches, else those all indicators share.

    Raises
    ------
    NoData : the lake holds no figure in any of them.
    """
    held: dict[str, set[int]] = {}
    for name, year, value in zip(rows["indicator"], rows["year"], rows["value"], strict=True):
        if value is not None:
            held.setdefault(name, set()).add(year)
    every = set().union(*held.values()) if held else set()
    if system.years is not None:
        first, last = system.years
        inside = [y for y in every if first <= y <= last]
    else:
        needed = [held[name] for name in wanted if name in held]
        inside = sorted(set.intersection(*needed)) if needed else []
    if not inside:
        raise NoData("no_data", what=system.name, tables="indicator")
    return tuple(range(min(inside), max(inside) + 1))


def figures_of(
    system: System, rows: Mapping[str, Sequence[Any]], counts: Mapping[str, Mapping[str, int]]
) -> tuple[Figures, tuple[int, ...]]:
    """The figures that a system reads and the years it reports.

    The arrays begin a year earlier where a growth rate or a price year needs it.

    Parameters
    ----------
    rows : columns of the lake's indicator rows, see ``base_values``.
    counts : quantity id -> region -> count.
    """
    sources = dict.fromkeys(s for i in system.indicators for s in system.sources_of(i))
    years = year_window(system, rows, sources)
    first, last = years[0], years[-1]
    if any(i.transform == "growth" for i in system.items):
        first -= 1
    priced = [i.price_year for i in system.items if i.price_year is not None]
    span = tuple(range(min([first, *priced]), max([last, *priced]) + 1))
    pairs = zip(rows["region"], rows["value"], strict=True)
    placed = region_set(system, (r for r, v in pairs if v is not None))
    counted = {q: np.array([float(per.get(r, 0)) for r in placed]) for q, per in counts.items()}
    return Figures(system, span, placed, base_values(rows, span, placed), counted), years


def build(
    figures: Figures,
    years: Sequence[int],
    items: Sequence[Item],
    names: Mapping[str, Mapping[str, str]],
    missing: str | None = None,
) -> Panel:
    """The panel of some items; gaps are filled as each item says, or all by ``missing``.

    Raises
    ------
    AskError : an item that can't be made; see ``Figures.item``. ``gap_model`` when a model can't fill.
    """
    at = [figures.years.index(y) for y in years]
    shape = (len(years), len(figures.regions), len(items))
    values, sd = np.empty(shape), np.empty(shape)
    filled = np.zeros(shape, dtype=np.bool_)
    shown = []
    for j, item in enumerate(items):
        series, unit = figures.item(item)
        shown.append(unit)
        one = _fill(series[at][:, :, None], item, missing or item.missing)
        values[:, :, j], filled[:, :, j], sd[:, :, j] = (a[:, :, 0] for a in (one.values, one.mask, one.sd))
    return Panel(
        items=tuple(items),
        years=tuple(years),
        regions=figures.regions,
        names=names,
        values=values,
        filled=filled,
        sd=sd,
        units=tuple(shown),
        dropped={},
    )


def _fill(series: Floats, item: Item, method: str) -> Imputed:
    if method == "none" or not np.isnan(series).any():
        return impute(series, "none")
    try:
        filled = impute(series, method, max_gap=item.max_gap)  # type: ignore[arg-type]
    except KernelError as error:
        if method != "model" or error.code != "missing":
            raise
        raise AskError("gap_model", indicator=item.names) from error
    return change_errors(series, filled)


def complete(panel: Panel, system: System) -> Panel:
    """The panel without gaps: what is left of them is refused, or their regions are left out.

    Raises
    ------
    AskError : ``gaps_left`` with indicators, regions and years; ``regions_left`` when too few remain.
    """
    gaps = ~np.isfinite(panel.values)
    if not gaps.any():
        return panel
    if system.gaps == "refuse":
        raise AskError(
            "gaps_left",
            indicators=[panel.items[j].names for j in np.flatnonzero(gaps.any(axis=(0, 1)))[:6]],
            regions=[panel.name(panel.regions[i]) for i in np.flatnonzero(gaps.any(axis=(0, 2)))[:6]],
            years=[str(panel.years[t]) for t in np.flatnonzero(gaps.any(axis=(1, 2)))],
            count=int(gaps.sum()),
        )
    out = np.asarray(gaps.any(axis=(0, 2)))
    if out.all():
        raise AskError("regions_left", system=system.names, count=int(out.sum()))
    dropped = {
        panel.regions[i]: tuple(panel.items[j].id for j in np.flatnonzero(gaps[:, i].any(axis=0)))
        for i in np.flatnonzero(out)
    }
    return keep(panel, ~out, dropped)


def keep(panel: Panel, inside: Bools, dropped: Mapping[str, tuple[str, ...]] | None = None) -> Panel:
    """The panel of some regions only."""
    return replace(
        panel,
        regions=tuple(r for r, k in zip(panel.regions, inside, strict=True) if k),
        values=panel.values[:, inside],
        filled=panel.filled[:, inside],
        sd=panel.sd[:, inside],
        dropped={**panel.dropped, **(dropped or {})},
    )
