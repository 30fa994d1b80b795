"""Which firms would pull the economy down: the systemic-risk index of every firm of a network, with intervals."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ronghe.errors import AskError, Cancelled
from ronghe.kernels.cascade import Replacement, cascade
from ronghe.kernels.cascade_firms import FirmRisks, Progress, firm_risks
from ronghe.kernels.cascade_network import Network
from ronghe.kernels.cascade_uncertainty import RiskIntervals, draw_essential, probable, risk_intervals
from ronghe.kernels.tails import fit_tail
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.chains.networks import READS, FirmNetwork, Firms, load_firms
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Matrix, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
_PATHS = 8
_DOUBT = 0.2
_POWER = (0.5, 2.0)
_ENDS = {"low": "index_low", "high": "index_high"}
_STATE = "risks"


@dataclass(frozen=True)
class _Ranked:
    """Every firm's index and ranks; intervals for those that were drawn again."""

    firms: Firms
    risks: FirmRisks
    rank: NDArray[np.int64]
    size_rank: NDArray[np.int64]
    drawn: NDArray[np.int64]
    intervals: RiskIntervals | None


def _risks(ctx: Context, net: Network, mode: Literal["exact", "fast"]) -> FirmRisks:
    """Every firm in turn; a run that was stopped goes on from where it was."""

    def tell(at: Progress) -> bool:
        ctx.progress("systemic_firms", at.done, at.total)
        return not ctx.cancelled()

    saved = ctx.checkpoint.load(_STATE)
    found = firm_risks(net, mode=mode, state=None if saved is None else _unpacked(saved), progress=tell)
    if not found.done.all():
        ctx.checkpoint.save(_STATE, _packed(found))
        raise Cancelled("cancelled", what=ctx.spec.name)
    return found


def _packed(state: FirmRisks) -> bytes:
    held = io.BytesIO()
    arrays: dict[str, Any] = {f.name: np.asarray(getattr(state, f.name)) for f in fields(state)}
    np.savez_compressed(held, **arrays)
    return held.getvalue()


def _unpacked(content: bytes) -> FirmRisks:
    with np.load(io.BytesIO(content)) as held:
        given: dict[str, Any] = {n: held[n] if held[n].ndim else held[n].item() for n in held.files}
    return FirmRisks(**given)


def _intervals(ctx: Context, firms: Firms, chosen: NDArray[np.int64], draws: int, top: int) -> RiskIntervals:
    """The chosen firms again under drawn essentiality and replaceability."""
    chances = probable(firms.essential, _DOUBT)

    def one(rng: np.random.Generator) -> tuple[Network, Replacement]:
        return firms.network(draw_essential(rng, chances)), Replacement(power=float(rng.uniform(*_POWER)))

    def tell(done: int, total: int) -> bool:
        ctx.progress("systemic_firms", done, total)
        return not ctx.cancelled()

    return risk_intervals(one, draws, seed=1, top=top, mode="fast", firms=chosen, progress=tell)


def _rank(ctx: Context, firms: Firms, mode: Literal["exact", "fast"], draws: int, top: int) -> _Ranked:
    net = firms.network()
    risks = _risks(ctx, net, mode)
    rank = rankdata(-risks.supply, method="min").astype(np.int64)
    size_rank = rankdata(-firms.sales, method="min").astype(np.int64)
    order = np.lexsort((np.arange(firms.n), rank))
    drawn = np.sort(order[: 2 * top]).astype(np.int64)
    intervals = _intervals(ctx, firms, drawn, draws, top) if draws > 1 else None
    return _Ranked(firms, risks, rank, size_rank, drawn, intervals)


def _row(found: _Ranked, i: int) -> dict[str, Any]:
    firms, risks = found.firms, found.risks
    row: dict[str, Any] = {
        "rank": int(found.rank[i]),
        **firms.cells(i),
        "supply_index": float(risks.supply[i]),
        "demand_index": float(risks.demand[i]),
        "index": float(risks.index[i]),
        "sales": float(firms.sales[i]),
        "sales_share": float(firms.sales[i] / firms.sales.sum()),
        "size_rank": int(found.size_rank[i]),
        "index_low": None, "index_high": None, "rank_low": None, "rank_high": None, "in_top": None,
    }  # fmt: skip
    if found.intervals is not None:
        at = int(np.searchsorted(found.drawn, i))
        if at < len(found.drawn) and found.drawn[at] == i:
            for name_, array in (("index_low", found.intervals.index_low), ("index_high", found.intervals.index_high),
                                 ("in_top", found.intervals.in_top)):  # fmt: skip
                row[name_] = float(array[at])
            row["rank_low"], row["rank_high"] = (
                int(found.intervals.rank_low[at]), int(found.intervals.rank_high[at])
            )  # fmt: skip
    return row


def _small(found: _Ranked, top: int) -> list[dict[str, Any]]:
    """Firms that are outside the largest tenth by sales and among the riskiest hundredth: small, and yet critical."""
    n = found.firms.n
    risky = found.rank <= max(top, round(0.01 * n))
    small = found.size_rank > 0.1 * n
    chosen = np.flatnonzero(risky & small)
    order = chosen[np.lexsort((chosen, found.rank[chosen]))][:top]
    return [_row(found, int(i)) for i in order]


def _distribution(risks: Floats) -> list[dict[str, Any]]:
    """How many firms carry at least so much: the complementary distribution at round levels."""
    levels = [k * 10.0**e for e in range(-6, 0) for k in (1, 2, 5)]
    rows = [{"level": level, "firms": int((risks >= level).sum())} for level in levels if (risks >= level).any()]
    return [{**r, "share": r["firms"] / len(risks)} for r in rows]


def _by_sector(found: _Ranked) -> list[dict[str, Any]]:
    firms, supply = found.firms, found.risks.supply
    rows = []
    for k, code in enumerate(firms.sectors):
        here = firms.sector == k
        if here.any():
            names = firms.sector_name(code)
            rows.append({"sector": code, "sector_zh": names["zh"], "sector_en": names["en"],
                         "firms": int(here.sum()), "mean_index": float(supply[here].mean()),
                         "top_index": float(supply[here].max())})  # fmt: skip
    return sorted(rows, key=lambda r: (-float(str(r["top_index"])), str(r["sector"])))


def _fields(firms: Firms, drawn: bool) -> dict[str, list[Field]]:
    links = Matrix("firm_link", {"network": firms.name})
    here = Rows("firm", {"network": firms.name, "firm": Cell("firm")})
    ends = [figure("rank_low", "integer", basis=links), figure("rank_high", "integer", basis=links),
            figure("index_low", "share", basis=links, digits=3), figure("index_high", "share", basis=links, digits=3),
            figure("in_top", "share", basis=links, digits=0)]  # fmt: skip
    listed = [
        text_field("rank", "integer"), text_field("firm"), *name_fields("name", "column.firm_name"),
        *name_fields("sector", "column.sector_name"),
        figure("supply_index", "share", basis=links, digits=3),
        *(ends if drawn else []),
        figure("demand_index", "share", basis=links, digits=3), figure("index", "share", basis=links, digits=3),
        figure("sales", unit=firms.unit, basis=here), figure("sales_share", "share", basis=links, digits=3),
        figure("size_rank", "integer", basis=links), text_field("sector"),
    ]  # fmt: skip
    return {
        "firms": listed,
        "distribution": [replace(text_field("level", "share"), digits=4), figure("firms", "integer", basis=links),
                         figure("share", "share", basis=links, digits=3)],
        "sectors": [
            text_field("sector"), *name_fields("sector", "column.sector_name"),
            figure("firms", "integer", basis=Rows("firm", {"network": firms.name, "sector": Cell("sector")})),
            figure("mean_index", "share", basis=links, digits=3), figure("top_index", "share", basis=links, digits=3),
        ],
    }  # fmt: skip


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """Of a firm's index, the firms that lose most when it fails; of a level or a sector, the riskiest firms there."""
    firms = load_firms(ctx, str(ctx.params["network"]))
    if table in {"firms", "small"}:
        done = cascade(firms.network(), [firms.ids.index(row["firm"])])
        side = {"demand_index": done.u, "index": np.maximum(done.d, done.u)}.get(column, done.d)
        parts = side * firms.sales / firms.sales.sum()
        order = np.argsort(-parts, kind="stable")[:_PATHS].tolist()
        values = [float(parts[i]) for i in order]
    else:
        listed = finding.tables["firms"].data.to_pylist()
        kept = [r for r in listed if table == "distribution" or r["sector"] == row["sector"]][:_PATHS]
        order = [firms.ids.index(r["firm"]) for r in kept]
        values = [float(r["supply_index"]) for r in kept]
    total = sum(values) or 1.0
    return [
        Path(firms.name_of(i), v, v / total, {"network": firms.name, "supplier": firms.ids[i]})
        for i, v in zip(order, values, strict=True)
    ]


def _caveats(found: _Ranked, draws: int) -> list[Caveat]:
    said = [*found.firms.caveats(), Caveat("note", Text("systemic_firms.reading"))]
    if found.intervals is None:
        said.append(Caveat("warning", Text("systemic_firms.no_intervals")))
    else:
        args = {"draws": draws, "doubt": _DOUBT, "low": _POWER[0], "high": _POWER[1], "count": len(found.drawn)}
        said.append(Caveat("note", Text("systemic_firms.intervals", args)))
    if np.isfinite(found.risks.error):
        args = {"error": found.risks.error, "checked": found.risks.checked}
        said.append(Caveat("note", Text("systemic_firms.fast", args)))
    return said


def _charts(drawn: bool) -> list[Chart]:
    charts = [
        Chart("bar", "firms", {"x": "name", "y": "supply_index", **(_ENDS if drawn else {})},
              Text("systemic_firms.firms"), {"top": 25}),
        Chart("scatter", "distribution", {"x": "level", "y": "firms"}, Text("systemic_firms.distribution"),
              {"x_log": True, "y_log": True}),
        Chart("scatter", "firms", {"x": "sales_share", "y": "supply_index", "name": "name"},
              Text("systemic_firms.size"), {"x_log": True, "y_log": True}),
    ]  # fmt: skip
    if drawn:
        charts.insert(1, Chart("interval", "firms", {"x": "name", "y": "rank", "low": "rank_low", "high": "rank_high"},
                               Text("systemic_firms.ranks"), {"top": 25, "by": "rank", "sort": "asc"}))  # fmt: skip
    return charts


@lens("systemic_firms", version=1, reads=READS, explain=_explain)
def systemic_firms(
    ctx: Context,
    *,
    network: FirmNetwork,
    mode: Literal["fast", "exact"] = "fast",
    draws: int = 20,
    show: int = 100,
) -> Finding:
    """Which firms would pull an economy down, how sure is their rank, and who is small and yet critical?"""
    if draws < 0 or show < 1:
        raise AskError("bad_value", parameter="draws, show", value=f"{draws}, {show}", expected=">= 0, >= 1")
    firms = load_firms(ctx, str(network))
    found = _rank(ctx, firms, "exact" if mode == "exact" else "fast", draws, min(show, firms.n))
    columns = _fields(firms, found.intervals is not None)
    order = np.lexsort((np.arange(firms.n), found.rank))[:show]
    listed = [_row(found, int(i)) for i in order]
    small = _small(found, show)
    supply = found.risks.supply
    tail = fit_tail(supply)
    tables = {
        "firms": result(listed, columns["firms"], ("firm",), "systemic_firms.firms"),
        "small": result(small, columns["firms"], ("firm",), "systemic_firms.small"),
        "distribution": result(_distribution(supply), columns["distribution"], ("level",),
                               "systemic_firms.distribution"),
        "sectors": result(_by_sector(found), columns["sectors"], ("sector",), "systemic_firms.sectors"),
    }  # fmt: skip
    first = listed[0]
    args = {
        "network": firms.name, "count": firms.n, "first": firms.name_of(int(order[0])),
        "sector": both(first["sector_zh"], first["sector_en"]), "index": first["supply_index"],
        "heavy": int((supply >= 0.01).sum()), "light": int((supply < 0.01).sum()), "small": len(small),
        "tail": tail.exponent,
    }  # fmt: skip
    return ctx.answer(
        Text("systemic_firms.headline", args),
        tables,
        charts=_charts(found.intervals is not None),
        caveats=_caveats(found, draws),
        steps=[
            Step("cascade_firms.firm_risks", "ESRI_i = Σ s_j max(d_j, u_j) / Σ s_j, i failing whole; supply: d alone",
                 "Diem, Borsos, Reisch, Kertész & Thurner 2022, Sci Rep 12, 7719", {"mode": mode}),
            Step("cascade_uncertainty.risk_intervals", "rank over draws of e (a class away with a chance) and σ**power",
                 "", {"draws": draws}),
        ],
    )  # fmt: skip
