"""What an economy's sectors lose, week by week, when an input is blocked or a sector stops."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.lenses.base import Context, lens
from ronghe.lenses.base import Path as Trail
from ronghe.lenses.chains.chain_loss import horizon
from ronghe.lenses.chains.impact import PARTS, VALUE_ADDED, Binding, loss_bars, sector_names
from ronghe.lenses.chains.shocks import Shocks
from ronghe.lenses.chains.struck import READS, Struck, strike_table
from ronghe.lenses.chains.told import MEASURED, carried_by, place_caveats, told_by
from ronghe.lenses.economy.economy import Economy
from ronghe.lenses.economy.satellites import caveats
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.params import Region, TableId
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Matrix, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both
from ronghe.model.units import amounts

Floats = NDArray[np.float64]
_TOP = 8
_GROWTH = 1.1
"""A loss a tenth larger than the week before is one that grows."""
TOTAL = "sector_loss.part.total"


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
        for i in np.flatnonzero((economy.x > 0) & (struck.here > 0)).tolist()
    ]
    rows.sort(key=lambda r: (-r["value_added_high"], r["region"], r["sector"]))
    return rows


def _path(struck: Struck) -> list[dict[str, Any]]:
    low, value, high = struck.impact.by_week(struck.value_added)
    usual = float(struck.economy.v @ struck.here) / 52.0
    lacking = struck.impact.capacity.at[struck.impact.shown]
    weight = struck.economy.x * struck.here / (struck.economy.x @ struck.here)
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
    rows = [{"part": f"sector_loss.part.{p}", "amount": float(parts[p].sum())} for p in PARTS]
    whole = float((struck.impact.lost(corner) * struck.value_added).sum())
    return [*rows, {"part": TOTAL, "amount": whole}]


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


def _places(struck: Struck) -> list[dict[str, Any]]:
    """What part of each sector is in the provinces struck, those that make most value added there first."""
    v = struck.economy.v
    rows = [
        {
            **sector_names(struck.economy, h.sector),
            "province": h.region,
            "province_zh": struck.places.names[h.region]["zh"],
            "province_en": struck.places.names[h.region]["en"],
            "there_low": h.share.low,
            "there": h.share.value,
            "there_high": h.share.high,
            "told": h.told,
            "year": h.year,
        }
        for h in sorted(struck.held, key=lambda h: (h.region, -(h.share.value or h.share.high) * v[h.sector], h.sector))
    ]
    return list({(r["province"], r["sector"]): r for r in rows}.values())


def _bridge_basis(struck: Struck) -> Rows | Matrix:
    """A weight of the table's own is a row; one carried over stands on the rows and outputs of a national table."""
    if any(s.table for s in struck.links):
        return Matrix("step_sector", {"chain": Cell("chain"), "step": Cell("step"), "role": "stops"})
    own = {k: str(struck.economy.meta[k]) for k in ("classification", "version")}
    where: dict[str, Cell | str] = {
        "chain": Cell("chain"),
        "step": Cell("step"),
        "sector": Cell("sector"),
        "role": "stops",
    }
    return Rows("step_sector", {**where, **own})


def _fields(struck: Struck) -> dict[str, list[Field]]:
    economy = struck.economy
    many: dict[str, str] = {"row_region": struck.home} if economy.kind == "multiregional" and struck.home else {}
    of: dict[str, str] = {"table_id": economy.table_id, **many}
    whole = Matrix("io_cell", {**of})
    unit = economy.unit
    bridge = _bridge_basis(struck)
    held = Matrix("indicator", {"region": Cell("province"), "indicator": MEASURED, "year": Cell("year")})
    lost = ("value_added_low", "value_added_lost", "value_added_high")
    money = [figure(n, unit=unit, basis=whole) for n in lost]
    return {
        "totals": [
            text_field("measure", "key"),
            *(figure(n, unit="=unit", basis=whole) for n in ("low", "value", "high", "usual")),
            figure("share_top", "share", basis=whole, digits=3), text_field("unit", "unit"),
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
        "parts": [text_field("part", "key"), figure("amount", unit=unit, basis=whole)],
        "bridge": [
            text_field("chain"), text_field("step"), text_field("sector"), *name_fields("name", "column.sector_name"),
            *(figure(n, "share", basis=bridge, digits=2) for n in ("weight_low", "weight", "weight_high")),
            text_field("reason"),
        ],
        "places": [
            text_field("province"), *name_fields("province", "column.province_name"), text_field("sector"),
            *name_fields("name", "column.sector_name"),
            *(figure(n, "share", basis=held, digits=1) for n in ("there_low", "there", "there_high")),
            text_field("told", "class"), text_field("year", "year"),
        ],
    }  # fmt: skip


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Trail]:
    """The sectors that make up a total or a week; of one sector's loss, whose orders stayed away and its own part."""
    del finding
    struck = strike_table(
        ctx, Shocks(ctx.params["shock"]).shocks, TableId(ctx.params["economy"]), ctx.params["weeks"], ctx.params["home"]
    )
    if table == "places":
        return told_by(ctx, struck, row)
    if table == "bridge":
        return carried_by(struck, row)
    economy, impact = struck.economy, struck.impact
    corner = _corner(column, impact.known)
    weight = dict((f"sector_loss.measure.{n}", w) for n, _, w in struck.measures())
    own = weight.get(str(row.get("measure")), struck.value_added)
    lost = impact.lost(corner) * own
    if table == "sectors":
        i = economy.index(row["sector"], row["region"])
        missing = impact.lost(corner).sum(axis=0) * economy.A[i] * own[i]
        missing[i] = impact.parts(corner, own)["capacity"][i]
        parts = missing
    elif table == "path":
        parts = lost[int(row["week"])]
    elif table == "parts" and row["part"] != TOTAL:
        parts = impact.parts(corner, own)[str(row["part"]).rsplit(".", 1)[-1]]
    else:
        parts = lost.sum(axis=0)
    total = float(np.abs(parts).sum()) or 1.0
    order = np.argsort(-parts, kind="stable")[:_TOP]
    return [
        Trail(
            _said(economy, i),
            float(parts[i]),
            float(parts[i]) / total,
            {"table_id": economy.table_id, "block": "X", "row": economy.codes[i], "row_region": economy.regions[i]},
        )
        for i in order.tolist()
    ]


def _said(economy: Economy, i: int) -> dict[str, str]:
    """A sector's name in both languages, with its region in a table of many."""
    at = f"{economy.regions[i]} " if economy.kind == "multiregional" else ""
    return both(f"{at}{economy.codes[i]} {economy.name_zh[i]}", f"{at}{economy.codes[i]} {economy.name_en[i]}")


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


def _growing(path: list[dict[str, Any]]) -> list[Caveat]:
    """A word where the weeks asked for end while the loss still grows: stocks have only begun to run out."""
    if len(path) < 2:
        return []
    before, last = (row["share_top"] for row in path[-2:])
    if last <= _GROWTH * before:
        return []
    return [Caveat("warning", Text("sector_loss.growing", {"weeks": len(path), "before": before, "last": last}))]


def _caveats(struck: Struck, path: list[dict[str, Any]]) -> list[Caveat]:
    said = [
        *_growing(path),
        Caveat("note", Text("sector_loss.reading")),
        Caveat("note", Text(f"sector_loss.kind.{struck.economy.kind}")),
    ]
    said.append(binding_caveat(struck.binding))
    if not struck.impact.known:
        said.append(Caveat("warning", Text("sector_loss.bounds")))
    if struck.links:
        said.append(Caveat("warning", Text("sector_loss.bridge", {"count": len(struck.links)})))
        said += [
            Caveat("warning", Text("sector_loss.carried", {"table": t}))
            for t in sorted({s.table for s in struck.links if s.table})
        ]
    said += place_caveats(struck)
    if struck.impact.baseline.moved > 1e-6:
        said.append(
            Caveat(
                "note",
                Text("sector_loss.moved", {"share": struck.impact.baseline.moved, "table": struck.economy.names}),
            )
        )
    return [*said, *caveats(struck.economy, struck.people, struck.carbon)]


def _charts(sectors: Result) -> tuple[Chart, ...]:
    return (
        Chart("line", "path", {"x": "week", "y": "share_low", "y2": "share", "y3": "share_top"},
              Text("sector_loss.path")),
        Chart("waterfall", "parts", {"x": "part", "y": "amount"}, Text("sector_loss.parts"),
              {"total": {"part": TOTAL}}),
        loss_bars(sectors, "sectors", Text("sector_loss.bars"), [VALUE_ADDED], top=20),
    )  # fmt: skip


_STEPS = (
    Step("inventory.disrupt", "x = min(D, α(1−Δ)x̄) · min_p(1, S/(ψTÃx°)); S ← S − Ãx + deliveries",
         "Hallegatte 2008, Risk Analysis 28; 2014, World Bank WPS 6759",
         {"psi": 0.8, "restock": "60 days", "alpha_max": 1.25, "alpha_time": "1 year"}),
    Step("impact.capacity", "Δ_i(t) = Σ_steps share_i,s · L_s(t), at most 1", ""),
    Step("leontief.satellite_coefficients", "value added, person-years, CO₂ = (row / x) · lost output",
         "Miller & Blair 2009, ch. 2"),
)  # fmt: skip


def _titled(struck: Struck) -> dict[str, str]:
    """The table's name, with the home in a table of many."""
    names = struck.economy.names
    if struck.economy.kind != "multiregional" or struck.home is None:
        return names
    home = struck.places.names[struck.home]
    return both(f"{names['zh']}，{home['zh']}", f"{names['en']}, {home['en']}")


@lens("sector_loss", version=4, reads=READS, explain=_explain)
def sector_loss(
    ctx: Context, *, shock: Shocks, economy: TableId, weeks: int = 12, home: Region | None = None
) -> Finding:
    """What do an economy's sectors lose, week by week, in value added, work and CO2, if an input is blocked?"""
    struck = strike_table(ctx, shock.shocks, economy, horizon(weeks), home)
    fields = _fields(struck)
    totals = _totals(struck)
    sectors = _sectors(struck)
    path = _path(struck)
    tables: dict[str, Result] = {
        "totals": result(totals, fields["totals"], ("measure",), "sector_loss.totals"),
        "sectors": result(
            sectors, fields["sectors"], ("sector",) if struck.one else ("region", "sector"), "sector_loss.sectors"
        ),
        "path": result(path, fields["path"], ("week",), "sector_loss.path"),
        "parts": result(_parts(struck), fields["parts"], ("part",), "sector_loss.parts"),
    }
    if struck.links:
        key = ("chain", "step", "sector")
        tables["bridge"] = result(_bridge(struck), fields["bridge"], key, "sector_loss.bridge_table")
    if struck.held:
        tables["places"] = result(_places(struck), fields["places"], ("province", "sector"), "sector_loss.places")
    money = totals[1]
    first = sectors[0]
    args = {
        "table": _titled(struck),
        "weeks": struck.weeks,
        "range": amounts(money["low"], money["high"], struck.economy.unit),
        "share": money["share_top"],
        "sector": both(first["name_zh"], first["name_en"]),
    }
    return ctx.answer(
        Text("sector_loss.headline", args),
        tables,
        charts=_charts(tables["sectors"]),
        caveats=_caveats(struck, path),
        steps=_STEPS,
    )
