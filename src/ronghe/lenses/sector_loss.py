"""What an economy's sectors lose, week by week, when an input is blocked or a sector stops."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.kernels.leontief import satellite_coefficients
from ronghe.lenses.base import Context, lens
from ronghe.lenses.base import Path as Trail
from ronghe.lenses.chain_loss import horizon
from ronghe.lenses.economy import Economy, load_economy
from ronghe.lenses.exposure import READS as CHAIN
from ronghe.lenses.exposure import assumptions, chain_shocks
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.impact import (
    PARTS,
    Baseline,
    Binding,
    Impact,
    Stand,
    capacity,
    find_sector,
    sector_names,
    stands,
    strike_economy,
)
from ronghe.lenses.networks import firm_shares
from ronghe.lenses.params import TableId
from ronghe.lenses.satellites import Satellite, caveats, co2, jobs
from ronghe.lenses.shocks import Shock, Shocks
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Matrix, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both
from ronghe.model.units import units

Floats = NDArray[np.float64]
READS = (*CHAIN, "step_sector", "io_table", "io_cell", "industry", "indicator", "crosswalk", "firm", "critical_input")
_TOP = 8


@dataclass(frozen=True)
class Struck:
    """One economy under a shock, with what hangs on its output."""

    economy: Economy
    impact: Impact
    links: Sequence[Stand]
    people: Satellite | None
    carbon: Satellite | None
    weeks: int
    binding: Binding

    @property
    def value_added(self) -> Floats:
        """(n,) value added per unit of output."""
        return satellite_coefficients(self.economy.v, self.economy.x)

    def measures(self) -> list[tuple[str, str, Floats]]:
        """(measure, unit, weight of a unit of output): money, person-years, tonnes."""
        unit = self.economy.unit
        found = [("output", unit, np.ones(self.economy.n)), ("value_added", unit, self.value_added)]
        if self.people is not None:
            found.append(("work", "person_year", self.people.per_output(self.economy)))
        if self.carbon is not None:
            found.append(("co2", "tonne_co2", self.carbon.per_output(self.economy)))
        return found


def strike_table(ctx: Context, shocks: Sequence[Shock], table: TableId, weeks: int) -> Struck:
    """An economy under a shock. The lens must read ``READS``.

    Raises
    ------
    AskError : nothing in the shock reaches the table's sectors.
    """
    economy = load_economy(ctx, table)
    if economy.kind == "multiregional":
        raise AskError("shock_world", table=economy.table_id)
    chains = chain_shocks(ctx, shocks, weeks)
    links = stands(ctx, economy, chains)
    direct: list[tuple[Shock, Sequence[int], float]] = []
    for shock in shocks:
        if shock.kind == "sector":
            direct.append((shock, find_sector(economy, shock.code), 1.0))
        elif shock.kind == "firm":
            sector, part = firm_shares(ctx, economy, shock.code)
            direct.append((shock, [sector], part))
    if not links and not direct:
        steps = ", ".join(s.subject for s in shocks)
        raise AskError("shock_no_sector", table=economy.table_id, steps=steps)
    lacking = capacity(economy, chains, links, direct, weeks)
    stock = assumptions(ctx)["stock", "*", "*"].bound
    baseline = Baseline.of(economy)
    binding = Binding.of(ctx, baseline)
    impact = strike_economy(baseline, lacking, stock, binding)
    return Struck(economy, impact, links, jobs(ctx, economy), co2(ctx, economy), weeks, binding)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _sectors(struck: Struck) -> list[dict[str, Any]]:
    economy, impact = struck.economy, struck.impact
    v = impact.by_sector(struck.value_added)
    x = impact.by_sector(np.ones(economy.n))
    worst = impact.shown
    parts = impact.parts(worst, struck.value_added)
    usual = economy.x / 52.0 * struck.weeks
    rows = [
        {
            **sector_names(economy, i),
            "value_added_low": float(v[0][i]),
            "value_added_lost": _number(v[1][i]),
            "value_added_high": float(v[2][i]),
            "share": _number(x[1][i] / usual[i]),
            "share_top": float(x[2][i] / usual[i]),
            "capacity_lacking": float(impact.capacity.at[worst][:, i].max(initial=0.0)),
            **{f"from_{p}": float(parts[p][i]) for p in PARTS},
        }
        for i in np.flatnonzero(economy.x > 0).tolist()
    ]
    rows.sort(key=lambda r: (-r["value_added_high"], r["sector"]))
    return rows


def _path(struck: Struck) -> list[dict[str, Any]]:
    low, value, high = struck.impact.by_week(struck.value_added)
    usual = float(struck.economy.v.sum()) / 52.0
    lacking = struck.impact.capacity.at[struck.impact.shown]
    weight = struck.economy.x / struck.economy.x.sum()
    return [
        {
            "week": t,
            "value_added_low": float(low[t]),
            "value_added_lost": _number(value[t]),
            "value_added_high": float(high[t]),
            "share_low": float(low[t]) / usual,
            "share": _number(value[t] / usual),
            "share_top": float(high[t]) / usual,
            "capacity_lacking": float(lacking[t] @ weight),
        }
        for t in range(struck.weeks)
    ]


def _totals(struck: Struck) -> list[dict[str, Any]]:
    rows = []
    for name, unit, weight in struck.measures():
        bound = struck.impact.totals(weight)
        usual = float((weight * struck.economy.x).sum()) / 52.0 * struck.weeks
        rows.append(
            {
                "measure": f"sector_loss.measure.{name}",
                "unit": unit,
                "low": bound.low,
                "value": bound.value,
                "high": bound.high,
                "usual": usual,
                "share_top": bound.high / usual if usual else None,
            }
        )
    return rows


def _parts(struck: Struck) -> list[dict[str, Any]]:
    """The waterfall: parts of the value added lost, at the value or (where none can be said) at the high bound."""
    corner = struck.impact.shown
    parts = struck.impact.parts(corner, struck.value_added)
    rows = [{"part": f"sector_loss.part.{p}", "amount": float(parts[p].sum()), "whole": 0} for p in PARTS]
    whole = float((struck.impact.lost(corner) * struck.value_added).sum())
    return [*rows, {"part": "sector_loss.part.total", "amount": whole, "whole": 1}]


def _bridge(struck: Struck) -> list[dict[str, Any]]:
    return [
        {
            "chain": s.chain,
            "step": s.step,
            **sector_names(struck.economy, s.sector),
            "weight_low": s.share.low,
            "weight": s.share.value,
            "weight_high": s.share.high,
            "reason": s.reason,
        }
        for s in struck.links
    ]


def _fields(economy: Economy) -> dict[str, list[Field]]:
    whole = Matrix("io_cell", {"table_id": economy.table_id})
    unit = economy.unit
    own = ("classification", "version")
    bridge = Rows("step_sector", {"chain": Cell("chain"), "step": Cell("step"), "sector": Cell("sector"),
                                  "role": "stops", **{k: economy.meta[k] for k in own}})  # fmt: skip
    lost = ("value_added_low", "value_added_lost", "value_added_high")
    money = [figure(n, unit=unit, basis=whole) for n in lost]
    return {
        "totals": [
            text_field("measure", "key"),
            *(figure(n, unit="=unit", basis=whole) for n in ("low", "value", "high", "usual")),
            figure("share_top", "share", basis=whole, digits=3), text_field("unit"),
        ],
        "sectors": [
            text_field("sector"), *name_fields("name", "column.sector_name"), *money,
            figure("share", "share", basis=whole, digits=3), figure("share_top", "share", basis=whole, digits=3),
            figure("capacity_lacking", "share", basis=whole, digits=2),
            *(figure(f"from_{p}", unit=unit, basis=whole) for p in PARTS), text_field("region"),
        ],
        "path": [
            text_field("week", "integer"), *money,
            *(figure(n, "share", basis=whole, digits=3) for n in ("share_low", "share", "share_top")),
            figure("capacity_lacking", "share", basis=whole, digits=3),
        ],
        "parts": [text_field("part", "key"), figure("amount", unit=unit, basis=whole), text_field("whole", "integer")],
        "bridge": [
            text_field("chain"), text_field("step"), text_field("sector"), *name_fields("name", "column.sector_name"),
            *(figure(n, "share", basis=bridge, digits=2) for n in ("weight_low", "weight", "weight_high")),
            text_field("reason"),
        ],
    }  # fmt: skip


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Trail]:
    """The sectors that make up a total or a week; of one sector's loss, whose orders stayed away and its own part."""
    del finding
    struck = strike_table(ctx, Shocks(ctx.params["shock"]).shocks, TableId(ctx.params["economy"]), ctx.params["weeks"])
    economy, impact = struck.economy, struck.impact
    corner = _corner(column, impact.known)
    weight = dict((f"sector_loss.measure.{n}", w) for n, _, w in struck.measures())
    own = weight.get(str(row.get("measure")), struck.value_added)
    lost = impact.lost(corner) * own
    if table == "sectors":
        i = economy.index(row["sector"])
        missing = impact.lost(corner).sum(axis=0) * economy.A[i] * own[i]
        missing[i] = impact.parts(corner, own)["capacity"][i]
        parts = missing
    elif table == "path":
        parts = lost[int(row["week"])]
    elif table == "parts" and not row["whole"]:
        parts = impact.parts(corner, own)[str(row["part"]).rsplit(".", 1)[-1]]
    else:
        parts = lost.sum(axis=0)
    total = float(np.abs(parts).sum()) or 1.0
    order = np.argsort(-parts, kind="stable")[:_TOP]
    return [
        Trail(
            both(f"{economy.codes[i]} {economy.name_zh[i]}", f"{economy.codes[i]} {economy.name_en[i]}"),
            float(parts[i]),
            float(parts[i]) / total,
            {"table_id": economy.table_id, "block": "X", "row": economy.codes[i]},
        )
        for i in order.tolist()
    ]


def _corner(column: str, known: bool) -> Any:
    if column.endswith("_low") or column == "low":
        return "low"
    if column.endswith(("_high", "_top")) or column == "high" or not known:
        return "high"
    return "value_low"


def binding_caveat(binding: Binding) -> Caveat:
    """Which inputs stop their users when they run short."""
    if not binding.surveyed:
        return Caveat("warning", Text("sector_loss.all_bind"))
    return Caveat("note", Text("sector_loss.binds", {"share": binding.share}))


def _caveats(struck: Struck, shocks: Sequence[Shock]) -> list[Caveat]:
    said = [
        Caveat("note", Text("sector_loss.reading")),
        Caveat("note", Text("sector_loss.imports" if struck.economy.kind == "competitive" else "sector_loss.home")),
    ]
    said.append(binding_caveat(struck.binding))
    if not struck.impact.known:
        said.append(Caveat("warning", Text("sector_loss.bounds")))
    if struck.links:
        said.append(Caveat("warning", Text("sector_loss.bridge", {"count": len(struck.links)})))
    if any(s.kind == "region" for s in shocks):
        said.append(Caveat("warning", Text("sector_loss.no_region")))
    if struck.impact.baseline.moved > 1e-6:
        said.append(
            Caveat(
                "note",
                Text("sector_loss.moved", {"share": struck.impact.baseline.moved, "table": struck.economy.names}),
            )
        )
    return [*said, *caveats(struck.economy, struck.people, struck.carbon)]


def _charts() -> tuple[Chart, ...]:
    return (
        Chart("line", "path", {"x": "week", "y": "share_low", "y2": "share", "y3": "share_top"},
              Text("sector_loss.path")),
        Chart("waterfall", "parts", {"x": "part", "y": "amount", "total": "whole"}, Text("sector_loss.parts")),
        Chart("interval", "sectors", {"x": "name", "y": "value_added_lost", "low": "value_added_low",
                                      "high": "value_added_high"}, Text("sector_loss.sectors"), {"top": 20}),
    )  # fmt: skip


_STEPS = (
    Step("inventory.disrupt", "x = min(D, α(1−Δ)x̄) · min_p(1, S/(ψTÃx°)); S ← S − Ãx + deliveries",
         "Hallegatte 2008, Risk Analysis 28; 2014, World Bank WPS 6759",
         {"psi": 0.8, "restock": "60 days", "alpha_max": 1.25, "alpha_time": "1 year"}),
    Step("impact.capacity", "Δ_i(t) = Σ_steps share_i,s · L_s(t), at most 1", ""),
    Step("leontief.satellite_coefficients", "value added, person-years, CO₂ = (row / x) · lost output",
         "Miller & Blair 2009, ch. 2"),
)  # fmt: skip


@lens("sector_loss", version=1, reads=READS, explain=_explain)
def sector_loss(ctx: Context, *, shock: Shocks, economy: TableId, weeks: int = 12) -> Finding:
    """What do an economy's sectors lose, week by week, in value added, work and CO2, if an input is blocked?"""
    struck = strike_table(ctx, shock.shocks, economy, horizon(weeks))
    fields = _fields(struck.economy)
    totals = _totals(struck)
    sectors = _sectors(struck)
    tables: dict[str, Result] = {
        "totals": result(totals, fields["totals"], ("measure",), "sector_loss.totals"),
        "sectors": result(sectors, fields["sectors"], ("sector",), "sector_loss.sectors"),
        "path": result(_path(struck), fields["path"], ("week",), "sector_loss.path"),
        "parts": result(_parts(struck), fields["parts"], ("part",), "sector_loss.parts"),
        "bridge": result(_bridge(struck), fields["bridge"], ("chain", "step", "sector"), "sector_loss.bridge_table"),
    }
    money = totals[1]
    first = sectors[0]
    args = {
        "table": struck.economy.names,
        "weeks": struck.weeks,
        "low": money["low"],
        "high": money["high"],
        "share": money["share_top"],
        "unit": units()[struck.economy.unit].names,
        "sector": both(first["name_zh"], first["name_en"]),
    }
    return ctx.answer(
        Text("sector_loss.headline", args),
        tables,
        charts=_charts(),
        caveats=_caveats(struck, shock.shocks),
        steps=_STEPS,
    )
