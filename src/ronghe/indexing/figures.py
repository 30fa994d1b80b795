"""The lake's figures as arrays of years × regions in base units, and what a system makes of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.indexing.system import Item, Quantity, System
from ronghe.model.regions import regions
from ronghe.model.text import both
from ronghe.model.units import units

Floats = NDArray[np.float64]
_NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Measured:
    """(t, n) values in base units and their dimension, ``a`` or ``a/b``."""

    values: Floats
    dimension: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a system reads, before it is turned into indicators.

    Attributes
    ----------
    years, regions : the axes.
    base : lake indicator -> (t, n) in base units with its dimension; an indicator without a row is absent.
    counts : quantity id -> (n,) counts of rows.
    """

    system: System
    years: tuple[int, ...]
    regions: tuple[str, ...]
    base: Mapping[str, Measured]
    counts: Mapping[str, Floats] = field(default_factory=dict)

    def quantity(self, name: str) -> Measured:
        """An indicator of the lake or a quantity of the system.

        Raises
        ------
        AskError : ``unknown_source`` when neither holds it; a sum of different dimensions.
        """
        known = self.system.quantities.get(name)
        if known is None:
            if name not in self.base:
                raise AskError("unknown_source", name=name, system=self.system.names)
            return self.base[name]
        if known.count is not None:
            return self._count(known)
        return self._ratio(known.of, known.over)

    def _count(self, known: Quantity) -> Measured:
        each = self.counts[known.id]
        return Measured(np.tile(each, (len(self.years), 1)), "count")

    def _ratio(self, of: Sequence[str], over: str | None) -> Measured:
        parts = [self.quantity(name) for name in of]
        kinds = {p.dimension for p in parts}
        if len(kinds) > 1:
            raise AskError("system_sum", names=list(of), dimensions=sorted(kinds), system=self.system.names)
        total = Measured(np.sum([p.values for p in parts], axis=0), kinds.pop())
        return total if over is None else ratio(total, self.quantity(over))

    def item(self, item: Item) -> tuple[Floats, str]:
        """(t, n) values of an item in the unit it is shown in, and that unit.

        The first year of a growth is NaN.

        Raises
        ------
        AskError : an unknown part, a unit of another dimension, a logarithm of zero or less.
        """
        measured = self._ratio(item.of, item.over)
        if item.deflator is not None:
            measured = Measured(measured.values * self._prices(item), measured.dimension)
        values, unit = self._shown(measured, item)
        return _TRANSFORMS[item.transform](self, item, values, unit)

    def _prices(self, item: Item) -> Floats:
        index = self.quantity(str(item.deflator)).values
        base = index[self.years.index(item.price_year)] if item.price_year in self.years else np.array([])
        if not np.isfinite(base).any():
            raise AskError("system_price_year", indicator=item.names, year=str(item.price_year))
        return np.asarray(np.divide(base, index, out=np.full_like(index, np.nan), where=index > 0), dtype=np.float64)

    def _shown(self, measured: Measured, item: Item) -> tuple[Floats, str]:
        upper, _, lower = measured.dimension.partition("/")
        if not item.unit:
            unit = "/".join(base_unit(d) for d in (upper, lower) if d)
            return measured.values, unit
        wanted = item.unit.split("/")
        kinds = [units()[w].dimension for w in wanted]
        if kinds != [d for d in (upper, lower) if d]:
            raise AskError(
                "system_dimension", indicator=item.names, unit=item.unit, wanted="/".join(kinds),
                found=measured.dimension,
            )  # fmt: skip
        factor = units()[wanted[0]].factor / (units()[wanted[1]].factor if len(wanted) > 1 else 1.0)
        return measured.values / factor, item.unit


def ratio(above: Measured, below: Measured) -> Measured:
    """One measured array over another, cell by cell; NaN where the lower one is zero."""
    values = np.full(np.broadcast_shapes(above.values.shape, below.values.shape), np.nan)
    np.divide(above.values, below.values, out=values, where=below.values != 0)
    return Measured(values, _over(above.dimension, below.dimension))


def base_unit(dimension: str) -> str:
    """The unit of a dimension that has factor 1; ``none`` where there is none."""
    for unit in units().values():
        if unit.dimension == dimension and unit.factor == 1:
            return unit.code
    return _NOTHING


def _over(above: str, below: str) -> str:
    if above == below:
        return "ratio"
    if below in {"ratio", "none"}:
        return above
    if "/" in above or "/" in below:
        return "none"
    return f"{above}/{below}"


def _level(figures: Figures, item: Item, values: Floats, unit: str) -> tuple[Floats, str]:
    del figures, item
    return values, unit


def _log(figures: Figures, item: Item, values: Floats, unit: str) -> tuple[Floats, str]:
    bad = np.flatnonzero((values <= 0).any(axis=0))
    if bad.size:
        known = regions()
        codes = [figures.regions[i] for i in bad[:5]]
        places = [known[c].names if c in known else both(None, c) for c in codes]
        raise AskError("system_log", indicator=item.names, regions=places)
    del unit
    return np.log(values), _NOTHING


def _growth(figures: Figures, item: Item, values: Floats, unit: str) -> tuple[Floats, str]:
    del figures, item, unit
    before = values[:-1]
    rate = np.full_like(values, np.nan)
    np.divide(values[1:] - before, before, out=rate[1:], where=before > 0)
    return 100.0 * rate, "percent"


def _share(figures: Figures, item: Item, values: Floats, unit: str) -> tuple[Floats, str]:
    del figures, item, unit
    total = np.nansum(values, axis=1, keepdims=True)
    return 100.0 * np.divide(values, total, out=np.full_like(values, np.nan), where=total > 0), "percent"


_TRANSFORMS: Mapping[str, Callable[[Figures, Item, Floats, str], tuple[Floats, str]]] = {
    "level": _level,
    "log": _log,
    "growth": _growth,
    "share": _share,
}


def base_values(rows: Mapping[str, Sequence[Any]], years: Sequence[int], regions: Sequence[str]) -> dict[str, Measured]:
    """Lake rows as arrays (t, n) in base units, by indicator.

    Parameters
    ----------
    rows : columns ``indicator``, ``region``, ``year``, ``value``, ``unit`` of one length.
    years, regions : the axes; rows outside them are left out.

    Raises
    ------
    AskError : one indicator in units of two dimensions.
    """
    year_at = {y: i for i, y in enumerate(years)}
    region_at = {r: i for i, r in enumerate(regions)}
    found: dict[str, Floats] = {}
    kinds: dict[str, str] = {}
    table = units()
    columns = (rows[c] for c in ("indicator", "region", "year", "value", "unit"))
    for name, region, year, value, code in zip(*columns, strict=True):
        t, n = year_at.get(year), region_at.get(region)
        unit = table.get(code)
        kind = unit.dimension if unit else _NOTHING
        if kinds.setdefault(name, kind) != kind:
            raise AskError("mixed_units", indicator=name, dimensions=sorted({kinds[name], kind}))
        array = found.setdefault(name, np.full((len(years), len(regions)), np.nan))
        if t is not None and n is not None and value is not None:
            array[t, n] = value * (unit.factor if unit else 1.0)
    return {name: Measured(array, kinds[name]) for name, array in found.items()}
