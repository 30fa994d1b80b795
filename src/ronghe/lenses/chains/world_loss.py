"""What a shock at home, or one on a foreign country, costs abroad: through the world's input-output table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.kernels.leontief import satellite_coefficients
from ronghe.lenses.base import Context, lens
from ronghe.lenses.base import Path as Trail
from ronghe.lenses.chains.chain_loss import horizon
from ronghe.lenses.chains.exposure import assumptions
from ronghe.lenses.chains.impact import (
    VALUE_ADDED,
    Baseline,
    Binding,
    Capacity,
    Impact,
    capacity,
    loss_bars,
    sector_names,
    strike_economy,
)
from ronghe.lenses.chains.places import Places, at_home, strike_place
from ronghe.lenses.chains.sector_loss import binding_caveat
from ronghe.lenses.chains.shocks import Shock, Shocks
from ronghe.lenses.chains.struck import READS as HOME
from ronghe.lenses.chains.struck import Struck, strike_table
from ronghe.lenses.economy.economy import Economy, load_economy
from ronghe.lenses.economy.satellites import crosswalk
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.params import Region, TableId, place_names
from ronghe.model.finding import Caveat, Cell, Field, Finding, Matrix
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both
from ronghe.model.units import amount, amounts

Floats = NDArray[np.float64]
READS = HOME
_TOP = 8


@dataclass(frozen=True)
class World:
    """The world under a shock; ``home`` is the country that asks, ``None`` where nobody in particular does."""

    economy: Economy
    impact: Impact
    home: str | None
    reached: float
    binding: Binding


def newest_world(ctx: Context) -> str | None:
    """The newest multi-regional table of the lake; ``None`` when there is none."""
    rows = ctx.rows("io_table", ("table_id", "year"), kind="multiregional").to_pylist()
    return max(rows, key=lambda r: (r["year"], r["table_id"]))["table_id"] if rows else None


def strike_world(
    ctx: Context, shocks: Sequence[Shock], table: TableId, world: str, weeks: int, home: str | None = None
) -> World:
    """The world's economies under a shock: that of a table of many regions itself, or carried into the world table.

    Raises
    ------
    UnknownName : no such region or sector.
    AskError : nothing in the shock reaches the world table.
    """
    places = Places.of(ctx, table)
    if ctx.rows("io_table", ("kind",), table_id=str(table))["kind"][0].as_py() == "multiregional":
        struck = strike_table(ctx, shocks, table, weeks, home)
        return World(struck.economy, struck.impact, struck.home, 1.0, struck.binding)
    economy = load_economy(ctx, TableId(world))
    baseline = Baseline.of(economy)
    binding = Binding.of(ctx, baseline)
    inland = [s for s in shocks if at_home(places, s)]
    beyond = Places.of(ctx, TableId(world))
    direct = [strike_place(ctx, economy, beyond, s, binding)[0] for s in shocks if not at_home(places, s)]
    lacking = {c: part.copy() for c, part in capacity(economy, (), (), direct, weeks).at.items()}
    reached = 1.0
    if inland:
        struck = strike_table(ctx, inland, table, weeks)
        reached = _carry_over(ctx, struck, economy, lacking)
    capped = Capacity({c: np.minimum(part, 1.0) for c, part in lacking.items()})
    stock = assumptions(ctx)["stock", "*", "*"].bound
    return World(economy, strike_economy(baseline, capped, stock, binding), places.own[0], reached, binding)


def _carry_over(ctx: Context, struck: Struck, world: Economy, lacking: Mapping[Any, Floats]) -> float:
    """Capacity lacking at home onto the world's sectors, by output; the part of it that a crosswalk reaches."""
    own = (struck.economy.meta["classification"], struck.economy.meta["version"])
    to = crosswalk(ctx, own, (world.meta["classification"], world.meta["version"]))
    home = str(struck.economy.meta["economy"])
    place = {c: i for i, (c, r) in enumerate(zip(world.codes, world.regions, strict=True)) if r == home}
    x = struck.economy.x
    groups: dict[int, list[int]] = {}
    for i, code in enumerate(struck.economy.codes):
        if to.get(code) in place:
            groups.setdefault(place[to[code]], []).append(i)
    if not groups:
        raise AskError("shock_no_world", table=struck.economy.table_id, world=world.table_id)
    for corner, part in lacking.items():
        source = struck.impact.capacity.at[corner]
        for target, members in groups.items():
            whole = x[members].sum()
            if whole > 0:
                part[:, target] += source[:, members] @ x[members] / whole
    hit = struck.impact.capacity.at["high"].max(axis=0) * x
    linked = sorted(i for members in groups.values() for i in members)
    return float(hit[linked].sum() / hit.sum()) if hit.sum() else 1.0


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _regions(ctx: Context, world: World, weeks: int) -> list[dict[str, Any]]:
    economy = world.economy
    v = satellite_coefficients(economy.v, economy.x)
    ends = world.impact.by_sector(v)
    listed = ctx.rows("region", ("region", "name_zh", "name_en"), region=sorted(set(economy.regions))).to_pylist()
    named = {r["region"]: both(r["name_zh"], r["name_en"] or r["region"]) for r in listed}
    rows: list[dict[str, Any]] = []
    for region in sorted(set(economy.regions)):
        here = np.array([r == region for r in economy.regions])
        usual = float(economy.v[here].sum()) / 52.0 * weeks
        low, value, high = (float(e[here].sum()) for e in ends)
        names = named.get(region) or place_names(region)
        rows.append(
            {
                "region": region,
                "name_zh": names["zh"],
                "name_en": names["en"],
                "value_added_low": low,
                "value_added_lost": _number(value),
                "value_added_high": high,
                "share": _number(value / usual) if usual else None,
                "share_top": high / usual if usual else None,
                "abroad": "no" if region == world.home else "yes",
            }
        )
    rows.sort(key=lambda r: (-r["value_added_high"], r["region"]))
    return rows


def _sectors(world: World) -> list[dict[str, Any]]:
    economy = world.economy
    low, value, high = world.impact.by_sector(satellite_coefficients(economy.v, economy.x))
    order = [int(i) for i in np.argsort(-high, kind="stable")[:200] if high[i] > 0]
    return [
        {
            **sector_names(economy, i),
            "value_added_low": float(low[i]),
            "value_added_lost": _number(value[i]),
            "value_added_high": float(high[i]),
        }
        for i in order
    ]


def _fields(economy: Economy) -> dict[str, list[Field]]:
    here = Matrix("io_cell", {"table_id": economy.table_id, "row_region": Cell("region")})
    money = [figure(n, unit=economy.unit, basis=here) for n in VALUE_ADDED]
    return {
        "regions": [
            text_field("region"), *name_fields("name", "column.region_name"), *money,
            *(figure(n, "share", basis=here, digits=4) for n in ("share", "share_top")), text_field("abroad", "class"),
        ],
        "sectors": [
            text_field("region"), text_field("sector"), *name_fields("name", "column.sector_name"), *money,
        ],
    }  # fmt: skip


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Trail]:
    """The sectors of the region that lose most; of one sector, the customers whose orders stayed away."""
    del finding
    world = strike_world(
        ctx,
        Shocks(ctx.params["shock"]).shocks,
        TableId(ctx.params["economy"]),
        str(ctx.params["world"] or newest_world(ctx)),
        int(ctx.params["weeks"]),
        ctx.params["home"],
    )
    economy, impact = world.economy, world.impact
    low = column.endswith("_low")
    corner = "low" if low else ("high" if column.endswith(("_high", "_top")) or not impact.known else "value_low")
    lost = impact.lost(corner).sum(axis=0) * satellite_coefficients(economy.v, economy.x)  # type: ignore[arg-type]
    if table == "regions":
        parts = np.where([r == row["region"] for r in economy.regions], lost, 0.0)
    else:
        j = economy.index(row["sector"], row["region"])
        v = satellite_coefficients(economy.v, economy.x)
        parts = impact.lost(corner).sum(axis=0) * economy.A[j] * v[j]  # type: ignore[arg-type]
    total = float(np.abs(parts).sum()) or 1.0
    return [
        Trail(
            both(
                f"{economy.regions[i]} {economy.codes[i]} {economy.name_zh[i]}",
                f"{economy.regions[i]} {economy.codes[i]} {economy.name_en[i]}",
            ),
            float(parts[i]),
            float(parts[i]) / total,
            {"table_id": economy.table_id, "block": "X", "row": economy.codes[i], "row_region": economy.regions[i]},
        )
        for i in np.argsort(-parts, kind="stable")[:_TOP].tolist()
    ]


def _headline(found: World, regions: Sequence[Mapping[str, Any]], weeks: int) -> Text:
    first = next(r for r in regions if r["abroad"] == "yes")
    unit = found.economy.unit
    # Each corner is summed by itself: the sum of every country's own bound would mix the corners.
    elsewhere = np.array([float(r != found.home) for r in found.economy.regions])
    whole = found.impact.totals(satellite_coefficients(found.economy.v, found.economy.x) * elsewhere)
    args = {
        "table": found.economy.names,
        "range": amounts(whole.low, whole.high, unit),
        "weeks": weeks,
        "first": both(first["name_zh"], first["name_en"]),
        "most": amount(first["value_added_high"], unit),
    }
    return Text("world_loss.headline" if found.home else "world_loss.headline_all", args)


def _caveats(found: World, asked: str) -> list[Caveat]:
    said = [Caveat("note", Text("sector_loss.reading"))]
    old = {"year": found.economy.meta["year"], "reached": found.reached}
    own = found.economy.table_id == asked
    said.append(Caveat("warning", Text("world_loss.own" if own else "world_loss.old", old)))
    said.append(binding_caveat(found.binding))
    if found.impact.baseline.moved > 1e-6:
        args = {"share": found.impact.baseline.moved, "table": found.economy.names}
        said.append(Caveat("note", Text("sector_loss.moved", args)))
    return said


@lens("world_loss", version=2, reads=READS, explain=_explain)
def world_loss(
    ctx: Context,
    *,
    shock: Shocks,
    economy: TableId,
    world: TableId | None = None,
    weeks: int = 12,
    home: Region | None = None,
) -> Finding:
    """What does a shock cost abroad, country by country, through the world's input-output table?"""
    table = str(world) if world else newest_world(ctx)
    if table is None:
        raise ctx.nothing("multiregional")
    steps = horizon(weeks)
    found = strike_world(ctx, shock.shocks, economy, table, steps, home)
    fields = _fields(found.economy)
    regions = _regions(ctx, found, steps)
    tables = {
        "regions": result(regions, fields["regions"], ("region",), "world_loss.regions"),
        "sectors": result(_sectors(found), fields["sectors"], ("region", "sector"), "world_loss.sectors"),
    }
    return ctx.answer(
        _headline(found, regions, steps),
        tables,
        charts=(loss_bars(tables["regions"], "regions", Text("world_loss.chart"), [VALUE_ADDED], top=15,
                          where={"abroad": "yes"}),),
        caveats=_caveats(found, str(economy)),
        steps=[
            Step("inventory.disrupt", "suppliers of one product in several regions share a stock; orders by shares",
                 "Hallegatte 2008, Risk Analysis 28; 2014, World Bank WPS 6759"),
            Step("world_loss.carry_over", "Δ_c = Σ_{i→c} Δ_i x_i / Σ_{i→c} x_i", ""),
        ],
    )  # fmt: skip
