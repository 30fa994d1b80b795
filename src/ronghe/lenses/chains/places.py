"""Shocks on places: a country of a table, a sector of it, or a province, whose share of each sector is an estimate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, UnknownName, nearest
from ronghe.kernels.mix import extreme_mix
from ronghe.lenses.base import Context
from ronghe.lenses.chains.exposure import CORNERS, Bound, Corner, assumptions
from ronghe.lenses.chains.impact import Binding, Direct, find_sector
from ronghe.lenses.chains.shocks import Shock
from ronghe.lenses.economy.economy import Economy
from ronghe.lenses.economy.satellites import crosswalk
from ronghe.lenses.params import TableId, place_names
from ronghe.model.regions import find_region
from ronghe.model.text import both

Floats = NDArray[np.float64]
READS = ("region_sector", "region", "indicator", "crosswalk", "assumption", "io_table")
HIGH_TECH = ("hitech-cn", "2017")
WIOD = ("wiod", "2013")
TRAVELS = frozenset(f"c{i}" for i in range(1, 17))
GDP = ("rd_expenditure", "rd_intensity")
REVENUE = "hitech_revenue"
_TERRITORY = {"CN-71": "TWN", "CN-81": "HKG", "CN-82": "MAC"}


@dataclass(frozen=True)
class Places:
    """The regions that a table and the lake know: ``own`` are the table's, ``parent`` those within them."""

    own: tuple[str, ...]
    parent: Mapping[str, str]
    names: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, ctx: Context, table: TableId) -> "Places":
        """Those of a table. The lens must read region, io_table and io_cell."""
        meta = ctx.rows("io_table", ("economy", "kind"), table_id=str(table)).to_pylist()[0]
        own = [str(meta["economy"])]
        if meta["kind"] == "multiregional":
            cells = ctx.rows("io_cell", ("row_region", "col_region"), table_id=str(table), block="X")
            own = sorted({*cells["row_region"].to_pylist(), *cells["col_region"].to_pylist()} - {"", None})
        listed = ctx.rows("region", ("region", "level", "parent", "name_zh", "name_en")).to_pylist()
        inner = {r["region"]: str(r["parent"]) for r in listed if r["parent"] in own and r["level"] == "province"}
        named = {r["region"]: both(r["name_zh"], r["name_en"] or r["region"]) for r in listed}
        names = {code: named.get(code) or place_names(code) for code in (*own, *inner)}
        return cls(tuple(own), inner, names)

    def find(self, text: str) -> str | None:
        """The code behind a code or a name; ``None`` where it is none of these regions."""
        code = find_region(text) or ""
        code = _TERRITORY.get(code, code) if code not in self.parent or code in _TERRITORY else code
        for one in (text, code, find_region(text) or ""):
            if one in self.names:
                return one
        wanted = text.casefold()
        return next((c for c, n in self.names.items() if wanted in {v.casefold() for v in n.values()}), None)

    def unknown(self, text: str, table: str) -> UnknownName:
        """The error for a place that is none of these; those that come nearest first."""
        labels: dict[str, str] = {}
        for code, names in self.names.items():
            for one in (code, *names.values()):
                labels.setdefault(one, f"{code} {names['zh']} {names['en']}")
        close = [labels[n] for n in nearest(text, labels)[:8]]
        error = UnknownName("shock_place", text, (), table=table)
        error.known = tuple(dict.fromkeys(close))[:6]
        return error


def split_place(code: str) -> tuple[str, str]:
    """The region and the sector of ``JPN/c14``; the sector is empty where only a region is named."""
    region, _, sector = code.partition("/")
    return region.strip(), sector.strip()


def at_home(places: Places, shock: Shock) -> bool:
    """Whether a shock strikes the table itself; a place that isn't on it is abroad."""
    return shock.kind != "region" or places.find(split_place(shock.code)[0]) is not None


@dataclass(frozen=True, slots=True)
class Held:
    """A province's share of one sector's output: how it was told (``given``, ``hitech``, ``gdp``) and of which year."""

    region: str
    sector: int
    share: Bound
    told: str
    year: int | None


def strike_place(
    ctx: Context, economy: Economy, places: Places, shock: Shock, binding: Binding
) -> tuple[Direct, list[Held]]:
    """A shock on a region of a table, on a sector there, or on a province. The lens must read ``READS``.

    Raises
    ------
    UnknownName : no such region or sector.
    AskError : nothing tells how much of the sectors is in the province.
    """
    text, sector = split_place(shock.code)
    code = places.find(text)
    if code is None:
        raise places.unknown(text, economy.table_id)
    country = places.parent.get(code, code)
    here = [i for i, r in enumerate(economy.regions) if r == country]
    if sector:
        wanted = set(find_sector(economy, f"{country}/{sector}"))
        here = [i for i in here if i in wanted]
    if code == country:
        return Direct.whole(shock, economy.n, here), []
    part, held = Province(ctx, economy, code, country).shares(binding)
    if not sector:
        return Direct(shock, _made_up(ctx, economy, part, shock.loss)), held
    # One sector alone need not add up with the others: its own bounds count.
    asked = [h for h in held if h.sector in set(here)]
    alone = {c: np.zeros(economy.n) for c in CORNERS}
    for one in asked:
        for c in CORNERS:
            alone[c][one.sector] = one.share.at(c)
    return Direct(shock, _made_up(ctx, economy, alone, shock.loss)), asked


def goods(ctx: Context, economy: Economy) -> NDArray[np.bool_]:
    """(n,) sectors whose products travel: agriculture, mining, manufacturing, as far as a crosswalk to WIOD tells."""
    to = crosswalk(ctx, (str(economy.meta["classification"]), str(economy.meta["version"])), WIOD)
    return np.array([to.get(code) in TRAVELS for code in economy.codes], dtype=bool)


def _made_up(ctx: Context, economy: Economy, part: Mapping[Corner, Floats], loss: float) -> dict[Corner, Floats]:
    """The shares with the low corner less what firms elsewhere in the country make on top of their own goods."""
    spare = assumptions(ctx)["spare", "*", "*"].bound.high
    there = part["low"]
    left = np.maximum(0.0, there - spare * (1.0 - there) / loss) if loss > 0 else there
    return {**part, "low": np.where(goods(ctx, economy), left, there)}


@dataclass(frozen=True)
class Province:
    """What the lake knows of a province's part in its country's table."""

    ctx: Context
    economy: Economy
    code: str
    country: str

    @cached_property
    def block(self) -> NDArray[np.intp]:
        """The places of the country's sectors."""
        own = [i for i, r in enumerate(self.economy.regions) if r == self.country and self.economy.x[i] > 0]
        return np.array(own, dtype=np.intp)

    @property
    def _key(self) -> dict[str, str]:
        meta = self.economy.meta
        return {"classification": str(meta["classification"]), "version": str(meta["version"])}

    @cached_property
    def given(self) -> dict[int, Bound]:
        """Shares that a user's own rows state, by sector."""
        rows = self.ctx.rows("region_sector", region=self.code, **self._key).to_pylist()
        place = {self.economy.codes[i]: int(i) for i in self.block}
        found = {}
        for r in rows:
            ends = [v for v in (r["low"], r["value"], r["high"]) if v is not None]
            if r["sector"] in place and ends:
                found[place[r["sector"]]] = Bound(min(ends), r["value"] if len(ends) > 1 else ends[0], max(ends))
        return found

    def _panel(self, names: Sequence[str]) -> dict[int, dict[str, dict[str, float]]]:
        """Year -> province -> indicator -> value, where every indicator is known."""
        siblings = self.ctx.rows("region", ("region",), parent=self.country, level="province")["region"].to_pylist()
        rows = self.ctx.rows(
            "indicator",
            ("region", "indicator", "year", "value"),
            indicator=list(names),
            region=siblings,
            industry="ALL",
        ).to_pylist()
        found: dict[int, dict[str, dict[str, float]]] = {}
        for r in rows:
            if r["value"] is not None:
                found.setdefault(r["year"], {}).setdefault(r["region"], {})[r["indicator"]] = float(r["value"])
        return {
            year: kept
            for year, held in found.items()
            if self.code in (kept := {p: v for p, v in held.items() if len(v) == len(names)})
        }

    def _share(self, names: Sequence[str], amount: Any) -> tuple[float, int] | None:
        """The province's share of all provinces' amounts, in the year nearest to the table's; and that year."""
        panel = self._panel(names)
        if not panel:
            return None
        year = min(panel, key=lambda y: (abs(y - int(self.economy.meta["year"])), y))
        amounts = {p: amount(v) for p, v in panel[year].items()}
        total = sum(amounts[p] for p in sorted(amounts))
        return (amounts[self.code] / total, year) if total > 0 else None

    @cached_property
    def gdp(self) -> tuple[float, int] | None:
        """Share of gross domestic product: R&D expenditure over R&D intensity, both as published."""
        return self._share(GDP, lambda v: v["rd_expenditure"] / v["rd_intensity"] if v["rd_intensity"] else 0.0)

    @cached_property
    def revenue(self) -> tuple[float, int] | None:
        """Share of the revenue of high-tech manufacturing."""
        return self._share((REVENUE,), lambda v: v[REVENUE])

    @cached_property
    def high_tech(self) -> NDArray[np.bool_]:
        """(block,) sectors that belong to high-tech manufacturing as a whole."""
        links = crosswalk(self.ctx, (self._key["classification"], self._key["version"]), HIGH_TECH)
        return np.array([self.economy.codes[i] in links for i in self.block], dtype=bool)

    def shares(self, binding: Binding) -> tuple[dict[Corner, Floats], list[Held]]:
        """What part of each sector is in the province: (n,) at each corner, and sector by sector how it was told.

        Sectors of high-tech manufacturing hold its share of that industry's revenue, the others its share of what is
        left of GDP; how the sum is spread among sectors isn't known, and bounded by the assumption ``mix``. The high
        corner is the mix on which most of the economy hangs, the others one like the nation's; all make the same sum.

        Raises
        ------
        AskError : neither own rows nor GDP.
        """
        economy, block = self.economy, self.block
        if self.gdp is None and not self.given:
            raise AskError("shock_no_province", region=self.code, table=economy.table_id, **self._key)
        part = {c: np.zeros(economy.n) for c in CORNERS}
        held: list[Held] = []
        for i, bound in self.given.items():
            held.append(Held(self.code, i, bound, "given", None))
            for c in CORNERS:
                part[c][i] = bound.at(c)
        for told, (share, year), members, size in self._pools():
            held += self._spread(told, share, year, block[members], size[members], part, binding)
        order = {int(i): k for k, i in enumerate(block)}
        held.sort(key=lambda h: order[h.sector])
        return part, held

    def _pools(self) -> list[tuple[str, tuple[float, int], NDArray[np.bool_], Floats]]:
        """(how told, share and year, members of the block, sizes) of each group of sectors with one known sum."""
        if self.gdp is None:
            return []
        x, v = self.economy.x[self.block], np.maximum(self.economy.v[self.block], 0.0)
        free = np.array([int(i) not in self.given for i in self.block], dtype=bool)
        tech = self.high_tech if self.revenue is not None else np.zeros(len(self.block), dtype=bool)
        pools = []
        share, year = self.gdp
        rest = ~tech
        if self.revenue is not None and tech.any():
            own = share * v.sum() - self.revenue[0] * v[tech].sum()
            share = max(0.0, float(own / v[rest].sum())) if v[rest].sum() > 0 else share
            pools.append(("hitech", self.revenue, tech & free, x))
        pools.append(("gdp", (min(share, 1.0), year), rest & free, v))
        return [p for p in pools if p[2].any()]

    def _spread(
        self,
        told: str,
        share: float,
        year: int,
        sectors: NDArray[np.intp],
        size: Floats,
        part: Mapping[Corner, Floats],
        binding: Binding,
    ) -> list[Held]:
        mix = assumptions(self.ctx)["mix", "*", "*"].bound
        low = np.full(len(sectors), min(1.0, share * mix.low))
        high = np.full(len(sectors), min(1.0, share * mix.high))
        total = share * float(size.sum())
        weight = np.divide(self._hanging(binding)[sectors], size, out=np.zeros(len(sectors)), where=size > 0)
        # No mix loses less than one like the nation's: where all sectors lose alike, none is short of another.
        part["low"][sectors] = part["value_low"][sectors] = part["value_high"][sectors] = share
        part["high"][sectors] = extreme_mix(size, low, high, total, weight)
        return [
            Held(self.code, int(i), Bound(float(lo), share, float(hi)), told, year)
            for i, lo, hi in zip(sectors, low, high, strict=True)
        ]

    def _hanging(self, binding: Binding) -> Floats:
        """(n,) value added of a sector itself and of those it can stop."""
        economy = self.economy
        product = {code: k for k, code in enumerate(dict.fromkeys(economy.codes))}
        rows = np.array([product[c] for c in economy.codes], dtype=np.intp)
        stops = binding.critical[rows] & (economy.Z > 0)
        return np.asarray(economy.v + stops @ np.maximum(economy.v, 0.0))
