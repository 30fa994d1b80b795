"""Which firms fall when sectors or firms fail: the shock carried through a network of firms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, NoData, UnknownName
from ronghe.kernels.cascade import Cascade, cascade
from ronghe.lenses.base import Context, lens
from ronghe.lenses.base import Path as Trail
from ronghe.lenses.chains.chain_loss import horizon
from ronghe.lenses.chains.networks import READS as NETWORK
from ronghe.lenses.chains.networks import FirmNetwork, Firms, load_firms, some_firms
from ronghe.lenses.chains.shocks import Shock, Shocks
from ronghe.lenses.chains.struck import READS as SECTORS
from ronghe.lenses.chains.struck import strike_table
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.params import TableId
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Matrix, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text

Floats = NDArray[np.float64]
READS = tuple(dict.fromkeys((*SECTORS, *NETWORK)))
_TOP = 200
_PATHS = 8


@dataclass(frozen=True)
class _Fall:
    """A network under a shock: (n,) what each firm loses at first, and the cascade at the value and upper bound."""

    firms: Firms
    first: Mapping[str, Floats]
    done: Mapping[str, Cascade]
    known: bool


def network_for(ctx: Context, table: TableId) -> str | None:
    """The network of firms on a table's sectors, by name; real ones before synthetic."""
    meta = ctx.rows("io_table", ("classification", "version"), table_id=str(table)).to_pylist()[0]
    rows = ctx.snapshot.distinct("firm", ("network", "classification", "version", "_load")).to_pylist()
    synthetic = {o.load: o.invented for o in ctx.snapshot.loads}
    fits = [
        (synthetic.get(r["_load"], False), r["network"])
        for r in rows
        if (r["classification"], r["version"]) == (meta["classification"], meta["version"])
    ]
    return min(fits)[1] if fits else None


def _fractions(
    ctx: Context, firms: Firms, shocks: Sequence[Shock], table: TableId, weeks: int
) -> tuple[dict[str, Floats], bool]:
    """(n,) what each firm loses at first, the worst week of its sector or the shock on itself; whether it is known."""
    place = {c: k for k, c in enumerate(firms.sectors)}
    by_sector = [s for s in shocks if s.kind in {"step", "product", "sector"}]
    first = {c: np.zeros(firms.n) for c in ("value", "high")}
    known = True
    if by_sector:
        struck = strike_table(ctx, by_sector, table, weeks)
        known = struck.impact.known
        for name, corner in (("value", "value_low" if known else "low"), ("high", "high")):
            peak = struck.impact.capacity.at[corner].max(axis=0, initial=0.0)  # type: ignore[index]
            sector = np.zeros(len(firms.sectors))
            for code, part in zip(struck.economy.codes, peak, strict=True):
                if code in place:
                    sector[place[code]] = part
            first[name] = sector[firms.sector]
    where = {f: i for i, f in enumerate(firms.ids)}
    for shock in shocks:
        if shock.kind == "firm":
            if shock.code not in where:
                raise UnknownName("unknown_firm", shock.code, some_firms(ctx, shock.code), table=str(table))
            for part in first.values():
                part[where[shock.code]] = max(part[where[shock.code]], shock.loss)
    return first, known


def fall(ctx: Context, shocks: Sequence[Shock], table: TableId, name: str, weeks: int) -> _Fall:
    """A network of firms under a shock.

    Raises
    ------
    NoData, KernelRefused, UnknownName : as ``load_firms`` and the shock's own reading.
    """
    firms = load_firms(ctx, name)
    first, known = _fractions(ctx, firms, shocks, table, weeks)
    net = firms.network()
    done = {}
    for corner, part in first.items():
        hit = np.flatnonzero(part > 0)
        done[corner] = cascade(net, hit, part[hit])
    return _Fall(firms, first, done, known)


def _rows(found: _Fall) -> list[dict[str, Any]]:
    firms, value, high = found.firms, found.done["value"], found.done["high"]
    both_sides = np.maximum(high.d, high.u)
    lost = both_sides * firms.sales
    order = np.lexsort((np.arange(firms.n), -lost))[:_TOP]
    return [
        {
            **firms.cells(i),
            "sales": float(firms.sales[i]),
            "first": float(found.first["high"][i]),
            "supply_loss": float(value.d[i]),
            "supply_loss_high": float(high.d[i]),
            "demand_loss": float(value.u[i]),
            "demand_loss_high": float(high.u[i]),
            "sales_lost_high": float(lost[i]),
        }
        for i in order.tolist()
    ]


def _summary(found: _Fall) -> list[dict[str, Any]]:
    value, high = found.done["value"], found.done["high"]
    rows = [
        ("supply", value.supply_index, high.supply_index),
        ("demand", value.demand_index, high.demand_index),
        ("both", value.index, high.index),
    ]
    fallen = [float((c.d >= 0.5).mean()) for c in (value, high)]
    rows.append(("half", fallen[0], fallen[1]))
    return [{"measure": f"firm_loss.measure.{n}", "share": a, "share_top": b} for n, a, b in rows]


def _fields(found: _Fall) -> dict[str, list[Field]]:
    links = Matrix("firm_link", {"network": found.firms.name})
    here = Rows("firm", {"network": found.firms.name, "firm": Cell("firm")})
    return {
        "summary": [
            text_field("measure", "key"), figure("share", "share", basis=links, digits=3),
            figure("share_top", "share", basis=links, digits=3),
        ],
        "firms": [
            text_field("firm"), *name_fields("name", "column.firm_name"), text_field("sector"),
            *name_fields("sector", "column.sector_name"),
            figure("sales", unit=found.firms.unit, basis=here), figure("first", "share", basis=links, digits=2),
            *(figure(n, "share", basis=links, digits=2)
              for n in ("supply_loss", "supply_loss_high", "demand_loss", "demand_loss_high")),
            figure("sales_lost_high", unit=found.firms.unit, basis=links),
        ],
    }  # fmt: skip


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Trail]:
    """Of a total, the firms that lose most; of one firm, the suppliers or customers that it loses by."""
    del finding
    name = str(ctx.params["network"] or network_for(ctx, TableId(ctx.params["economy"])))
    shocks = Shocks(ctx.params["shock"]).shocks
    found = fall(ctx, shocks, TableId(ctx.params["economy"]), name, int(ctx.params["weeks"]))
    firms, done = found.firms, found.done["high"]
    if table == "firms":
        i = firms.ids.index(row["firm"])
        down = column.startswith("demand")
        side = firms.supplier == i if down else firms.customer == i
        other = (firms.customer if down else firms.supplier)[side]
        parts = firms.value[side] * (done.u if down else done.d)[other]
        cells = [{"supplier": row["firm"], "customer": firms.ids[o]} if down
                 else {"supplier": firms.ids[o], "customer": row["firm"]} for o in other.tolist()]  # fmt: skip
    else:
        other = np.arange(firms.n)
        parts = firms.sales * (done.d if "supply" in str(row["measure"]) else np.maximum(done.d, done.u))
        cells = []
    total = float(parts.sum()) or 1.0
    return [
        Trail(
            firms.name_of(int(other[k])),
            float(parts[k]),
            float(parts[k]) / total,
            {"network": name, **(cells[k] if cells else {"supplier": firms.ids[int(other[k])]})},
        )
        for k in np.argsort(-parts, kind="stable")[:_PATHS].tolist()
    ]


@lens("firm_loss", version=2, reads=READS, explain=_explain)
def firm_loss(
    ctx: Context, *, shock: Shocks, economy: TableId, network: FirmNetwork | None = None, weeks: int = 12
) -> Finding:
    """Which firms fall when an input is blocked or a plant stops, through a network of firms?"""
    name = str(network) if network else network_for(ctx, economy)
    if name is None:
        raise NoData("no_data", what=str(economy), tables="firm, firm_link")
    found = fall(ctx, shock.shocks, economy, name, horizon(weeks))
    if not any(part.any() for part in found.first.values()) and any(s.loss for s in shock.shocks):
        raise AskError("shock_no_firm", network=name)
    fields, rows = _fields(found), _rows(found)
    tables = {
        "firms": result(rows, fields["firms"], ("firm",), "firm_loss.firms"),
        "summary": result(_summary(found), fields["summary"], ("measure",), "firm_loss.summary"),
    }
    args = {
        "network": name,
        "count": found.firms.n,
        "low": found.done["value"].supply_index,
        "high": found.done["high"].supply_index,
        "first": found.firms.name_of(found.firms.ids.index(rows[0]["firm"])),
    }
    said = [*found.firms.caveats(), Caveat("note", Text("firm_loss.reading"))]
    if not found.known:
        said.append(Caveat("warning", Text("firm_loss.bounds")))
    sure = found.done["high"].supply_index - found.done["value"].supply_index < 5e-5
    return ctx.answer(
        Text("firm_loss.headline_sure" if sure else "firm_loss.headline", args),
        tables,
        charts=(Chart("bar", "firms", {"x": "name", "y": "supply_loss_high"}, Text("firm_loss.firms"), {"top": 20}),),
        caveats=said,
        steps=[Step("cascade.cascade",
                    "d_i = max(q_i, Σ non-essential, max over essential sectors); u_j = Σ W_ji u_i / s_j",
                    "Diem, Borsos, Reisch, Kertész & Thurner 2022, Sci Rep 12, 7719")],
    )  # fmt: skip
