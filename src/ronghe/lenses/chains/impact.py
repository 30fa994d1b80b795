"""From capacity that sectors lack to what an economy loses week by week, at each corner of what is unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import UnknownName, nearest
from ronghe.kernels.errors import KernelError
from ronghe.kernels.inventory import Adjustment, Path, disrupt, shock_profile
from ronghe.lenses.base import Context
from ronghe.lenses.chains.exposure import CORNERS, Bound, ChainShock, Corner
from ronghe.lenses.chains.networks import essentiality
from ronghe.lenses.chains.shocks import Shock
from ronghe.lenses.chains.stands import Stand
from ronghe.lenses.economy.economy import Economy
from ronghe.model.finding import Chart, Result
from ronghe.model.text import Text

Floats = NDArray[np.float64]
VALUE_ADDED = ("value_added_low", "value_added_lost", "value_added_high")
"""The columns of a loss of value added: lower bound, value, upper bound."""
WEEKS_A_YEAR = 52.0
_ROUNDING = 1e-10
_CRITICAL = 2
PARTS = ("capacity", "inputs", "orders")
"""Where a loss comes from: a sector's own capacity, inputs that ran short, orders that stayed away."""


def find_sector(economy: Economy, code: str) -> list[int]:
    """The places of a sector, by code or by name, in every region or (``JPN/c14``) in one.

    Raises
    ------
    UnknownName : there is none; offers those that come nearest.
    """
    region, slash, name = code.rpartition("/")
    found = [
        i
        for i, (c, zh, en, r) in enumerate(
            zip(economy.codes, economy.name_zh, economy.name_en, economy.regions, strict=True)
        )
        if name.casefold() in {c.casefold(), zh.casefold(), en.casefold()} and (not slash or r == region)
    ]
    if found:
        return found
    labels: dict[str, str] = {}
    for c, zh, en in zip(economy.codes, economy.name_zh, economy.name_en, strict=True):
        for n in (c, zh, en):
            labels.setdefault(n, f"{c} {zh} {en}")
    close = [label for n, label in labels.items() if name and name.casefold() in n.casefold()]
    error = UnknownName("unknown_sector", name, (), table=economy.table_id)
    error.known = tuple(dict.fromkeys([*close, *(labels[n] for n in nearest(name, labels))]))[:8]
    raise error


@dataclass(frozen=True)
class Capacity:
    """(weeks, n) the part of each sector's capacity that is lacking, at each corner."""

    at: Mapping[Corner, Floats]

    @property
    def known(self) -> bool:
        """Whether more than bounds can be said."""
        return bool(np.allclose(self.at["value_low"], self.at["value_high"], rtol=0, atol=1e-9))

    @property
    def struck(self) -> NDArray[np.bool_]:
        """(n,) sectors that may lack capacity."""
        return np.asarray(self.at["high"].max(axis=0, initial=0.0) > 0)


@dataclass(frozen=True)
class Direct:
    """A shock on sectors themselves: which part of each sector's capacity it strikes, (n,) at each corner."""

    shock: Shock
    part: Mapping[Corner, Floats]

    @classmethod
    def whole(cls, shock: Shock, n: int, sectors: Sequence[int], part: float = 1.0) -> "Direct":
        """A known part of some sectors."""
        struck = np.zeros(n)
        struck[list(sectors)] = part
        return cls(shock, dict.fromkeys(CORNERS, struck))


def capacity(
    economy: Economy,
    found: Sequence[ChainShock],
    links: Sequence[Stand],
    direct: Sequence[Direct],
    weeks: int,
) -> Capacity:
    """What sectors lack: through the chains, and by shocks on themselves."""
    at = {}
    by_chain = {h.chain.name: h for h in found}
    for corner in CORNERS:
        lacking = np.zeros((weeks, economy.n))
        for name, hit in by_chain.items():
            steps = hit.losses(corner)
            for one in links:
                if one.chain == name:
                    lacking[:, one.sector] += one.share.at(corner) * steps[:, hit.chain.index(one.step) or 0]
        for blow in direct:
            start, end = blow.shock.weeks(weeks)
            own = shock_profile(1, weeks, [0], blow.shock.loss, start=start, end=end, recovery=blow.shock.recovery)
            lacking += own * blow.part[corner]
        at[corner] = np.minimum(lacking, 1.0)
    return Capacity(at)


@dataclass(frozen=True)
class Baseline:
    """An economy as the adaptive model takes it: flows and final use of what is made at home.

    ``moved`` is the part of all output by which the baseline differs from the table: negative final use (stocks
    drawn down, imports above use) is set to zero, for nothing can be delivered less than nothing.
    """

    economy: Economy
    Z: Floats
    f: Floats
    moved: float
    product: NDArray[np.intp]

    @classmethod
    def of(cls, economy: Economy) -> "Baseline":
        """The baseline of a table; a competitive one is freed of its imports.

        Raises
        ------
        KernelRefused : flows below zero; names the sectors.
        """
        Z = economy.Z * economy.home_shares[:, None] if economy.kind == "competitive" else economy.Z
        rest = economy.x - Z.sum(axis=1)
        f = np.maximum(rest, 0.0)
        codes = {code: k for k, code in enumerate(dict.fromkeys(economy.codes))}
        product = np.array([codes[c] for c in economy.codes], dtype=np.intp)
        moved = float((f - rest).sum() / economy.x.sum())
        made = cls(economy, Z, f, moved, product)
        negative = np.flatnonzero((Z < 0).any(axis=1))
        if len(negative):
            raise economy.refused(KernelError("negative", "flows below zero", sectors=negative))
        return made


@dataclass(frozen=True)
class Impact:
    """The paths of an economy under a shock at each corner; money in the table's unit a week."""

    baseline: Baseline
    capacity: Capacity
    paths: Mapping[Corner, Path]

    def lost(self, corner: Corner) -> Floats:
        """(weeks, n) output lost."""
        path = self.paths[corner]
        lost = path.baseline - path.production
        # What is a rounding error beside the sector's output is no loss.
        return np.where(np.abs(lost) > _ROUNDING * path.baseline, lost, 0.0)

    @cached_property
    def known(self) -> bool:
        """Whether more than bounds can be said."""
        return self.capacity.known

    @property
    def shown(self) -> Corner:
        """The corner whose parts are shown: the value, or the upper bound where there is none."""
        return "value_low" if self.known else "high"

    def bounds(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """(weeks, n) each of weights x lost output: low, value (NaN where unknown), high; low ≤ high cell by cell."""
        low, first, second, high = (self.lost(c) * weights for c in CORNERS)
        value = first if self.known else np.full_like(first, np.nan)
        ends = np.stack([low, first, second, high])
        return ends.min(axis=0), value, ends.max(axis=0)

    def totals(self, weights: Floats) -> Bound:
        """Weights x lost output over all weeks and sectors: each corner is summed by itself."""
        sums = [float((self.lost(c) * weights).sum()) for c in CORNERS]
        return Bound(min(sums), sums[1] if self.known else None, max(sums))

    def by_sector(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """(n,) each: weights x lost output over all weeks, low, value, high."""
        ends = np.stack([(self.lost(c) * weights).sum(axis=0) for c in CORNERS])
        value = ends[1] if self.known else np.full(ends.shape[1], np.nan)
        return ends.min(axis=0), value, ends.max(axis=0)

    def by_week(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """(weeks,) each: weights x lost output of all sectors, low, value, high."""
        ends = np.stack([(self.lost(c) * weights).sum(axis=1) for c in CORNERS])
        value = ends[1] if self.known else np.full(ends.shape[1], np.nan)
        return ends.min(axis=0), value, ends.max(axis=0)

    def parts(self, corner: Corner, weights: Floats) -> dict[str, Floats]:
        """(n,) by part: loss of struck sectors, of others short of inputs, of others short of orders; they add up."""
        lost, path = self.lost(corner) * weights, self.paths[corner]
        lacking = self.capacity.at[corner] > 0
        short = path.short & ~lacking
        return {
            "capacity": np.where(lacking, lost, 0.0).sum(axis=0),
            "inputs": np.where(short, lost, 0.0).sum(axis=0),
            "orders": np.where(~lacking & ~short, lost, 0.0).sum(axis=0),
        }


@dataclass(frozen=True, slots=True)
class Binding:
    """Which inputs stop which users when they run short, (P, n): those that a survey rates critical for the user.

    Inputs rated important do not bind: held against what happened in 2020, models that let them (or every input)
    stop production lost far too much (Pichler et al. 2022, J. Econ. Dyn. Control 144). Every input binds where no
    survey reaches the table.
    """

    critical: NDArray[np.bool_]
    surveyed: bool

    @classmethod
    def of(cls, ctx: Context, baseline: Baseline) -> "Binding":
        """By the ratings of the survey. The lens must read critical_input."""
        economy = baseline.economy
        codes = tuple(dict.fromkeys(economy.codes))
        rated, surveyed = essentiality(ctx, (economy.meta["classification"], economy.meta["version"]), codes)
        if not surveyed:
            return cls(np.ones((len(codes), economy.n), dtype=bool), False)
        return cls(rated[:, baseline.product] == _CRITICAL, True)

    @property
    def share(self) -> float:
        """The share of pairs of product and user in which the product binds."""
        return float(self.critical.mean())


def weekly(stock: float, binds: NDArray[np.bool_]) -> Adjustment:
    """The literature's adjustment with a week as the step, the stock asked for in weeks, and inputs that bind."""
    usual = Adjustment.weekly()
    return Adjustment(
        stock=np.where(binds, max(stock, 1.0 / usual.psi), np.inf),
        psi=usual.psi,
        restock=usual.restock,
        alpha_max=usual.alpha_max,
        alpha_time=usual.alpha_time,
    )


def strike_economy(baseline: Baseline, lacking: Capacity, stock: Bound, binding: Binding) -> Impact:
    """Run the adaptive model at each corner: thick stocks where the loss is to be low, thin ones where high.

    Raises
    ------
    KernelRefused : the model refuses the table; names the sectors.
    """
    paths: dict[Corner, Path] = {}
    thick = {"low": stock.high, "high": stock.low}
    try:
        for corner in CORNERS:
            if corner == "value_high" and lacking.known:
                paths[corner] = paths["value_low"]
                continue
            weeks = thick.get(corner, stock.value if stock.value is not None else stock.low)
            how = weekly(weeks, binding.critical)
            paths[corner] = disrupt(
                baseline.Z,
                baseline.f,
                lacking.at[corner],
                product=baseline.product,
                how=how,
                steps_per_year=WEEKS_A_YEAR,
            )
    except KernelError as error:
        raise baseline.economy.refused(error) from error
    return Impact(baseline, lacking, paths)


def sector_names(economy: Economy, i: int) -> dict[str, Any]:
    """The columns that name a sector."""
    return {
        "region": economy.regions[i],
        "sector": economy.codes[i],
        "name_zh": economy.name_zh[i],
        "name_en": economy.name_en[i],
    }


def loss_bars(table: Result, name: str, title: Text, columns: Sequence[Sequence[str]], **options: Any) -> Chart:
    """Losses as bars with their ranges, in the order of what is lost at most.

    Parameters
    ----------
    columns : for each set of bars the names of lower bound, value and upper bound. Where a set has no value at all,
        the bars of every set end at the upper bound.
    """
    known = all(table.data.column(value).null_count < table.data.num_rows for _, value, _ in columns)
    parts: dict[str, str] = {"x": "name"}
    for i, (low, value, high) in enumerate(columns, 1):
        ends = {"y": value if known else high, "low": low, "high": high}
        parts |= {part + ("" if i == 1 else str(i)): column for part, column in ends.items()}
    return Chart("bar", name, parts, title, {"by": columns[0][2], "sort": "desc", **options})
