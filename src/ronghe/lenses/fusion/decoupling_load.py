"""The two series of a decoupling question: cells of the panel by region and year, and how far rounding moves them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.indexing.figures import Measured, base_unit, base_values, ratio
from ronghe.kernels.decoupling import tapio
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.base import Context
from ronghe.lenses.fusion.load import in_words, region_labels
from ronghe.lenses.params import Indicator, Named
from ronghe.model.text import both
from ronghe.model.units import units

READS = ("indicator", "indicator_def", "region")
Floats = NDArray[np.float64]
_LEVELS = ("province", "country", "city", "county")
_COLUMNS = ("indicator", "region", "year", "value", "unit")
_MOST_DECIMALS = 8
_SMALLEST = 1e-6
"""What is left of a value that its own rounding could bring to zero or below, as a share of it."""


class Series(Named):
    """An indicator of the panel, or one over another: ``owid_gdp``, ``rd_expenditure/rd_intensity``."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The indicators in one spelling.

        Raises
        ------
        AskError : more than two, or an empty one.
        """
        parts = [p.strip() for p in text.replace("÷", "/").split("/")]
        if not 1 <= len(parts) <= 2 or not all(parts):
            raise AskError("series", value=text)
        return cls("/".join(parts))

    @classmethod
    def check(cls, value: Self, snapshot: Snapshot, name: str) -> Self:
        """The series, if the panel holds its indicators.

        Raises
        ------
        UnknownName : it doesn't hold one of them; carries the nearest.
        """
        for part in value.parts:
            Indicator.check(Indicator(part), snapshot, name)
        return value

    @property
    def parts(self) -> tuple[str, ...]:
        """The indicators, the upper one first."""
        return tuple(self.split("/"))


class Change(NamedTuple):
    """From one year to another, for the regions ``at`` known in both: growth, elasticity with what rounding allows.

    ``elasticity``, ``low`` and ``high`` are NaN where rounding leaves open whether the activity grew: a share of
    nothing. ``sure`` says that every value that rounds to the published ones gives the same state.
    """

    at: NDArray[np.int64]
    pressure: Floats
    activity: Floats
    elasticity: Floats
    low: Floats
    high: Floats
    state: NDArray[np.int64]
    sure: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pair:
    """Both series over (t, n) years and regions, in base units.

    ``cells`` holds each indicator behind them once, ``half`` half a unit of its last printed digit, ``units`` the
    unit it is published in; ``asked`` and ``names`` belong to the series, pressure first.
    """

    years: tuple[int, ...]
    regions: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]
    level: str
    asked: tuple[Series, Series]
    cells: Mapping[str, Measured]
    half: Mapping[str, float]
    units: Mapping[str, str]
    names: tuple[Mapping[str, str], Mapping[str, str]]

    def series(self, k: int, cells: Mapping[str, Measured] | None = None) -> Measured:
        """The pressure (0) or the activity (1), from other cells where those are given."""
        held = self.cells if cells is None else cells
        parts = [held[p] for p in self.asked[k].parts]
        return parts[0] if len(parts) == 1 else ratio(parts[0], parts[1])

    def unit(self, k: int) -> str:
        """The unit a series is shown in: its own, or that of its upper part where a ratio keeps the dimension."""
        upper, dimension = self.asked[k].parts[0], self.series(k).dimension
        return self.units[upper] if self.cells[upper].dimension == dimension else base_unit(dimension)

    def shown(self, k: int) -> Floats:
        """(t, n) values of a series in the unit it is shown in."""
        known = units().get(self.unit(k))
        return self.series(k).values / (known.factor if known else 1.0)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(t, n) where both series are known and above zero, as a rate of change needs."""
        with np.errstate(invalid="ignore"):
            return np.asarray((self.series(0).values > 0) & (self.series(1).values > 0), dtype=np.bool_)

    def change(self, first: int, last: int) -> Change:
        """The change between the years at two places."""
        at = np.flatnonzero(self.known[[first, last]].all(axis=0))
        names = tuple(self.cells)
        signs = np.array([np.zeros(2 * len(names)), *product((-1.0, 1.0), repeat=2 * len(names))])
        moved = {}
        for k, name in enumerate(names):
            values = self.cells[name].values[[first, last]][:, at]
            shift = signs[:, 2 * k : 2 * k + 2].T[:, :, None] * self.half[name]
            near = values[:, None, :] + shift
            near = np.where(values[:, None, :] > 0, np.maximum(near, _SMALLEST * values[:, None, :]), near)
            moved[name] = Measured(near, self.cells[name].dimension)
        E, G = self.series(0, moved).values, self.series(1, moved).values
        if at.size == 0:
            none = np.empty(0)
            return Change(at, none, none, none, none, none, at, np.empty(0, dtype=np.bool_))
        with in_words():
            found = tapio(E, G)
        growth = G[1] / G[0] - 1.0
        sure = np.asarray((found.state[0] == found.state[0, 0]).all(axis=0), dtype=np.bool_)
        way = np.sign(growth.round(12))  # two decimals that meet at their edges are equal but for the last bit
        open_sign = (way != way[0]).any(axis=0) | (way[0] == 0)
        low, high = (np.where(open_sign, np.nan, f(found.elasticity[0], axis=0)) for f in (np.min, np.max))
        elasticity = np.where(open_sign, np.nan, found.elasticity[0, 0])
        return Change(at, E[1, 0] / E[0, 0] - 1.0, growth[0], elasticity, low, high, found.state[0, 0], sure)


def load(ctx: Context, pressure: Series, activity: Series) -> Pair:
    """Both series for the regions of one level: provinces where there are any, else countries.

    Raises
    ------
    NoData : no region has both. AskError : an indicator in units of two dimensions.
    """
    wanted = list(dict.fromkeys((*pressure.parts, *activity.parts)))
    rows = ctx.rows("indicator", _COLUMNS, indicator=wanted, industry="ALL")
    columns = {name: rows.column(name).to_pylist() for name in _COLUMNS}
    held = {name: {r for i, r in zip(columns["indicator"], columns["region"], strict=True) if i == name}
            for name in wanted}  # fmt: skip
    common = set.intersection(*held.values())
    if not common:
        raise ctx.nothing(f"{pressure} · {activity}")
    places = ctx.rows("region", ("region", "level"), region=sorted(common)).to_pylist()
    levels = {p["region"]: str(p["level"]) for p in places}
    level = next((one for one in _LEVELS if one in levels.values()), "")
    regions = tuple(sorted(r for r in common if levels.get(r, "") == level))
    years = tuple(sorted(set(columns["year"])))
    own = dict(zip(columns["indicator"], columns["unit"], strict=True))
    return Pair(
        years=years,
        regions=regions,
        labels=region_labels(ctx, regions),
        level=level,
        asked=(pressure, activity),
        cells=base_values(columns, years, regions),
        half={name: _half_unit(columns, name, own[name]) for name in wanted},
        units=own,
        names=(_names(ctx, pressure), _names(ctx, activity)),
    )


def _names(ctx: Context, series: Series) -> dict[str, str]:
    known = {c.value: c.names for c in Indicator.choices(ctx.snapshot)}
    said = [known.get(p) or both(None, p) for p in series.parts]
    return both(" ÷ ".join(n["zh"] for n in said), " ÷ ".join(n["en"] for n in said))


def _half_unit(columns: Mapping[str, Sequence[Any]], name: str, unit: str) -> float:
    """Half a unit of the last digit an indicator is printed with, in base units; 0 where it isn't rounded."""
    pairs = zip(columns["indicator"], columns["value"], strict=True)
    values = np.array([v for i, v in pairs if i == name and v is not None], dtype=np.float64)
    for digits in range(_MOST_DECIMALS + 1):
        if np.allclose(values, np.round(values, digits), rtol=1e-12, atol=0.0):
            known = units().get(unit)
            return 0.5 * 10.0**-digits * (known.factor if known else 1.0)
    return 0.0
