"""An economy under a shock: one country's table, or one with many regions, seen from one of them or as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, UnknownName
from ronghe.kernels.leontief import satellite_coefficients
from ronghe.lenses.base import Context
from ronghe.lenses.chains.exposure import READS as CHAIN
from ronghe.lenses.chains.exposure import Bound, assumptions, chain_shocks
from ronghe.lenses.chains.impact import Baseline, Binding, Direct, Impact, capacity, find_sector, strike_economy
from ronghe.lenses.chains.networks import firm_shares
from ronghe.lenses.chains.places import READS as PLACES
from ronghe.lenses.chains.places import Held, Places, goods, strike_place
from ronghe.lenses.chains.shocks import Shock
from ronghe.lenses.chains.stands import READS as STANDS
from ronghe.lenses.chains.stands import Stand, stands
from ronghe.lenses.economy.economy import Economy, load_economy
from ronghe.lenses.economy.satellites import Satellite, co2, jobs
from ronghe.lenses.params import TableId

Floats = NDArray[np.float64]
READS = tuple(dict.fromkeys((*CHAIN, *PLACES, *STANDS, "industry", "indicator_def", "firm", "critical_input")))


@dataclass(frozen=True)
class Struck:
    """One economy under a shock, with what hangs on its output.

    ``home`` is the region whose losses are told; ``None`` for all regions of a table of many. ``spare`` is what firms
    elsewhere in the country make on top of their goods in the low corner of a shock on a province.
    """

    economy: Economy
    impact: Impact
    links: Sequence[Stand]
    people: Satellite | None
    carbon: Satellite | None
    weeks: int
    binding: Binding
    places: Places
    home: str | None
    held: Sequence[Held]
    mix: Bound
    spare: float

    @cached_property
    def here(self) -> Floats:
        """(n,) 1 for the sectors whose losses are told, 0 for others."""
        return np.array([float(self.home in (None, r)) for r in self.economy.regions])

    @property
    def value_added(self) -> Floats:
        """(n,) value added per unit of output, 0 where losses are not told."""
        return satellite_coefficients(self.economy.v, self.economy.x) * self.here

    @property
    def one(self) -> bool:
        """Whether the sectors told are of one region, so that a code names one."""
        return self.home is not None

    def measures(self) -> list[tuple[str, str, Floats]]:
        """(measure, unit, weight of a unit of output): money, person-years, tonnes."""
        unit = self.economy.unit
        found = [("output", unit, self.here), ("value_added", unit, self.value_added)]
        if self.people is not None:
            found.append(("work", "person_year", self.people.per_output(self.economy) * self.here))
        if self.carbon is not None:
            found.append(("co2", "tonne_co2", self.carbon.per_output(self.economy) * self.here))
        return found


def home_of(places: Places, economy: Mapping[str, object], home: str | None) -> str | None:
    """The region whose losses are told: the one asked for, that of a table of one country, or ``None`` for all.

    Raises
    ------
    UnknownName : the table has no such region.
    """
    if home is None:
        return None if economy["kind"] == "multiregional" else str(economy["economy"])
    if home in places.own:
        return home
    found = places.find(home)
    if found in places.own:
        return found
    own = {code: f"{code} {places.names[code]['zh']} {places.names[code]['en']}" for code in places.own}
    error = UnknownName("unknown_home", home, (), table=str(economy["table_id"]))
    error.known = tuple(own.values())
    raise error


def strike_table(ctx: Context, shocks: Sequence[Shock], table: TableId, weeks: int, home: str | None = None) -> Struck:
    """An economy under a shock. The lens must read ``READS``.

    Raises
    ------
    UnknownName : a sector, region, firm or step that there isn't.
    AskError : nothing in the shock reaches the table's sectors.
    """
    economy = load_economy(ctx, table)
    places = Places.of(ctx, table)
    at = home_of(places, economy.meta, home)
    chains = chain_shocks(ctx, shocks, weeks)
    if chains and at is None:
        raise AskError("shock_no_home", table=economy.table_id)
    baseline = Baseline.of(economy)
    binding = Binding.of(ctx, baseline)
    links = stands(ctx, economy, chains, at)
    direct, held = _direct(ctx, economy, places, shocks, binding, at)
    if not links and not direct:
        steps = ", ".join(s.subject for s in shocks)
        raise AskError("shock_no_sector", table=economy.table_id, steps=steps)
    lacking = capacity(economy, chains, links, direct, weeks)
    assumed = assumptions(ctx)
    stock, mix = assumed["stock", "*", "*"].bound, assumed["mix", "*", "*"].bound
    spare = assumed["spare", "*", "*"].bound.high if held and goods(ctx, economy).any() else 0.0
    impact = strike_economy(baseline, lacking, stock, binding)
    return Struck(
        economy,
        impact,
        links,
        jobs(ctx, economy),
        co2(ctx, economy),
        weeks,
        binding,
        places,
        at,
        tuple(held),
        mix,
        spare,
    )


def _direct(
    ctx: Context, economy: Economy, places: Places, shocks: Sequence[Shock], binding: Binding, home: str | None
) -> tuple[list[Direct], list[Held]]:
    """The shocks on sectors, places and firms of the table itself. A bare sector is the home's, where there is one."""
    direct: list[Direct] = []
    held: list[Held] = []
    for shock in shocks:
        if shock.kind == "sector":
            bare = home is not None and "/" not in shock.code
            sectors = find_sector(economy, f"{home}/{shock.code}" if bare else shock.code)
            direct.append(Direct.whole(shock, economy.n, sectors))
        elif shock.kind == "region":
            struck, shares = strike_place(ctx, economy, places, shock, binding)
            direct.append(struck)
            held += shares
        elif shock.kind == "firm":
            sector, part = firm_shares(ctx, economy, shock.code)
            direct.append(Direct.whole(shock, economy.n, [sector], part))
    return direct, held
