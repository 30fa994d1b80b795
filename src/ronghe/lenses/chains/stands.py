"""How much of a sector stands on a step of a supply chain: as rows say, or carried over from a national table."""

from collections.abc import Sequence
from dataclasses import dataclass

from ronghe.lenses.base import Context
from ronghe.lenses.chains.exposure import Bound, ChainShock
from ronghe.lenses.economy.economy import Economy, load_economy
from ronghe.lenses.economy.satellites import crosswalk
from ronghe.lenses.params import TableId

READS = ("step_sector", "io_table", "io_cell", "industry", "crosswalk")


@dataclass(frozen=True, slots=True)
class Stand:
    """How much of a sector stands on a step of a chain, and why; the ``table`` it is carried over from, if any."""

    chain: str
    step: str
    sector: int
    share: Bound
    reason: str
    table: str = ""
    version: str = ""


def stands(ctx: Context, economy: Economy, found: Sequence[ChainShock], home: str | None) -> list[Stand]:
    """The links from the chains' steps to the home's sectors. The lens must read ``READS``.

    A table of many regions takes, where no rows speak of its own classification, those of the home's national table
    of the nearest year, by the output of the sectors that a crosswalk puts into each of its own.
    """
    rows = []
    for hit in found:
        own = _rows(ctx, economy, hit, home)
        if not own and economy.kind == "multiregional" and home is not None:
            own = _carried(ctx, economy, hit, home)
        rows += own
    return rows


def _rows(ctx: Context, economy: Economy, hit: ChainShock, home: str | None) -> list[Stand]:
    place = {c: i for i, (c, r) in enumerate(zip(economy.codes, economy.regions, strict=True)) if home in (None, r)}
    held = ctx.rows(
        "step_sector",
        chain=hit.chain.name,
        role="stops",
        classification=economy.meta["classification"],
        version=economy.meta["version"],
    ).to_pylist()
    return [
        Stand(hit.chain.name, r["step"], place[r["sector"]], Bound(r["low"], r["value"], r["high"]), r["reason"] or "")
        for r in held
        if r["sector"] in place and hit.chain.index(r["step"]) is not None
    ]


def _carried(ctx: Context, economy: Economy, hit: ChainShock, home: str) -> list[Stand]:
    columns = ("table_id", "year", "kind", "classification", "version")
    year = int(economy.meta["year"])
    tables = [r for r in ctx.rows("io_table", columns, economy=home).to_pylist() if r["kind"] != "multiregional"]
    for meta in sorted(tables, key=lambda r: (abs(r["year"] - year), r["table_id"])):
        own = (meta["classification"], meta["version"])
        to = crosswalk(ctx, own, (economy.meta["classification"], economy.meta["version"]))
        known = (
            to
            and ctx.rows(
                "step_sector", ("step",), chain=hit.chain.name, role="stops", classification=own[0], version=own[1]
            ).num_rows
        )
        if known:
            return _over(economy, load_economy(ctx, TableId(meta["table_id"])), to, home, ctx, hit)
    return []


def _over(
    economy: Economy, national: Economy, to: dict[str, str], home: str, ctx: Context, hit: ChainShock
) -> list[Stand]:
    """share_c = Σ_{i→c} share_i x_i / Σ_{i→c} x_i, each bound by itself."""
    place = {c: i for i, (c, r) in enumerate(zip(economy.codes, economy.regions, strict=True)) if r == home}
    whole: dict[str, float] = {}
    for i, code in enumerate(national.codes):
        if code in to:
            whole[to[code]] = whole.get(to[code], 0.0) + float(national.x[i])
    summed: dict[tuple[str, str], tuple[Bound, str]] = {}
    for one in _rows(ctx, national, hit, home):
        target = to.get(national.codes[one.sector], "")
        if target not in place or whole.get(target, 0.0) <= 0:
            continue
        part = float(national.x[one.sector]) / whole[target]
        before, said = summed.get((one.step, target), (Bound(0.0, 0.0, 0.0), ""))
        value = None if one.share.value is None or before.value is None else before.value + part * one.share.value
        bound = Bound(before.low + part * one.share.low, value, before.high + part * one.share.high)
        summed[one.step, target] = (bound, "; ".join(s for s in (said, one.reason) if s))
    return [
        Stand(
            hit.chain.name,
            step,
            place[target],
            bound,
            f"{national.table_id}: {said}",
            national.table_id,
            str(national.meta["version"]),
        )
        for (step, target), (bound, said) in summed.items()
    ]
