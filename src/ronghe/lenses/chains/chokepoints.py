"""Where a supply chain hangs on one provider: the steps, what stops behind them, and who could step in."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, UnknownName
from ronghe.kernels.complexity import density, presence, proximity, rca
from ronghe.kernels.dependency import downstream, single_points
from ronghe.lenses.base import Context, lens
from ronghe.lenses.chains.supply import READS, Provision, SupplyChain, load_chain
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.params import Chain
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text

Floats = NDArray[np.float64]
_DRAWN = 40


class Board:
    """Shares of steps by provider as a table: (steps, providers), NaN where only presence is known."""

    def __init__(self, chain: SupplyChain, by: str) -> None:
        self.chain, self.by = chain, by
        listed = [p for p in chain.provisions if p.type == by and p.scope == "one" and chain.index(p.step) is not None]
        self.providers = sorted({p.provider for p in listed})
        self.names = {p.provider: p.names for p in listed}
        self.country = {p.provider: p.country for p in listed}
        place = {p: k for k, p in enumerate(self.providers)}
        self.shares = np.full((len(chain.steps), len(self.providers)), np.nan)
        self.there = np.zeros(self.shares.shape, dtype=bool)
        self.found: dict[tuple[int, int], Provision] = {}
        for one in listed:
            i, k = chain.index(one.step), place[one.provider]
            if i is not None:
                self.there[i, k] = True
                self.shares[i, k] = np.nan if one.share is None else one.share
                self.found[i, k] = one

    def relatedness(self) -> Floats:
        """(steps, providers): how near a step is to what the provider is strong in (Hidalgo et al. 2007), 0 to 1.

        Strong: a revealed advantage of at least 1 where shares are known; being there at all where none is.
        """
        known = np.nan_to_num(self.shares)
        strong = np.zeros(known.shape, dtype=bool)
        measured = known.sum(axis=1) > 0
        if measured.any() and known.sum() > 0:
            live = known.sum(axis=0) > 0
            block = np.zeros(known.shape)
            sub = rca(known[np.ix_(measured, live)].T).T
            block[np.ix_(measured, live)] = sub
            strong = np.asarray(presence(block))
        strong[~measured] = self.there[~measured]
        used = strong.any(axis=1)
        found = np.full(known.shape, np.nan)
        if used.sum() > 1 and strong.any():
            m = strong[used].T
            found[used] = density(m, proximity(m)).T
        return found


def _points(board: Board, threshold: float) -> list[dict[str, Any]]:
    chain = board.chain
    tails, heads = chain.edges
    capped = np.minimum(np.nan_to_num(board.shares), 1.0)
    nodes, holder, behind = single_points(capped, tails, heads, threshold=threshold)
    near = board.relatedness()
    rows: list[dict[str, Any]] = []
    for place, (i, k) in enumerate(zip(nodes.tolist(), holder.tolist(), strict=True)):
        step = chain.steps[i]["step"]
        provider = board.providers[k]
        bounds = chain.bounds(step, board.found[i, k].type)
        others = substitutes(board, i, {k}, near)
        best = others[0] if others else None
        rows.append(
            {
                "step": step,
                **_both("name", chain.names(step)),
                "type": chain.steps[i]["type"],
                "provider": provider,
                **_both("provider", board.names[provider]),
                "share": float(board.shares[i, k]),
                "hhi_low": None if bounds is None else float(bounds.hhi_low),
                "hhi_high": None if bounds is None else float(bounds.hhi_high),
                "downstream": int(behind.weight[place]),
                "others": len(others),
                "next": None if best is None else board.providers[best],
                **_both("next", None if best is None else board.names[board.providers[best]]),
                "next_share": None if best is None else _number(board.shares[i, best]),
                "year": board.found[i, k].year,
            }
        )
    rows.sort(key=lambda r: (-r["downstream"], -r["share"], r["step"]))
    return rows


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _both(prefix: str, names: Any) -> dict[str, str | None]:
    return {f"{prefix}_zh": names["zh"] if names else None, f"{prefix}_en": names["en"] if names else None}


def substitutes(board: Board, step: int, out: set[int], near: Floats) -> list[int]:
    """The other providers of a step, by share, then by relatedness; those without a known share last."""
    others = [k for k in np.flatnonzero(board.there[step]).tolist() if k not in out]
    share, tie = board.shares[step], np.nan_to_num(near[step])
    return sorted(others, key=lambda k: (not np.isfinite(share[k]), -np.nan_to_num(share[k]), -tie[k], k))


def _stops(board: Board, threshold: float) -> list[dict[str, Any]]:
    """What stops when each provider stops: the steps it holds above the threshold and all behind them."""
    chain = board.chain
    tails, heads = chain.edges
    n = len(chain.steps)
    rows: list[dict[str, Any]] = []
    for k, provider in enumerate(board.providers):
        held = np.flatnonzero(np.nan_to_num(board.shares[:, k]) > threshold)
        known = board.shares[:, k][np.isfinite(board.shares[:, k])]
        behind = int(downstream(tails, heads, n, held).union.sum()) if len(held) else 0
        rows.append(
            {
                "provider": provider,
                **_both("provider", board.names[provider]),
                "country": board.country[provider],
                "provides": int(board.there[:, k].sum()),
                "held": len(held),
                "stopped": behind,
                "stopped_share": behind / n if n else None,
                "mean_share": float(known.mean()) if len(known) else None,
                "unknown": int((board.there[:, k] & ~np.isfinite(board.shares[:, k])).sum()),
            }
        )
    rows.sort(key=lambda r: (-r["stopped"], -r["held"], -r["provides"], r["provider"]))
    return rows


def _cells(board: Board, shown: Sequence[str]) -> list[dict[str, Any]]:
    """Step x provider, for the picture: the providers that matter most."""
    rows = []
    for i, step in enumerate(board.chain.steps):
        names = board.chain.names(step["step"])
        rows += [
            {
                "step": step["step"],
                **_both("name", names),
                "provider": p,
                **_both("provider", board.names[p]),
                "share": _number(board.shares[i, board.providers.index(p)]),
            }
            for p in shown
            if board.there[i, board.providers.index(p)]
        ]
    return rows


def _fields(chain: str) -> dict[str, list[Field]]:
    here = Rows("provision", {"chain": chain, "step": Cell("step"), "provider": Cell("provider")})
    step = Rows("provision", {"chain": chain, "step": Cell("step")})
    nearest = Rows("provision", {"chain": chain, "step": Cell("step"), "provider": Cell("next")})
    links = Rows("supply_link", {"chain": chain})
    whole = Rows("provision", {"chain": chain, "provider": Cell("provider")})
    return {
        "points": [
            text_field("step"), *name_fields("name", "column.step_name"), text_field("type", "class"),
            *name_fields("provider", "column.provider_name"),
            figure("share", "share", basis=here),
            figure("downstream", "integer", basis=links),
            figure("hhi_low", basis=step, digits=3), figure("hhi_high", basis=step, digits=3),
            figure("others", "integer", basis=step), *name_fields("next", "column.next"),
            figure("next_share", "share", basis=nearest),
            figure("year", "year", basis=here), text_field("provider"), text_field("next"),
        ],
        "stops": [
            text_field("provider"), *name_fields("provider", "column.provider_name"), text_field("country"),
            figure("stopped", "integer", basis=links), figure("stopped_share", "share", basis=links),
            figure("held", "integer", basis=whole), figure("provides", "integer", basis=whole),
            figure("mean_share", "share", basis=whole), figure("unknown", "integer", basis=whole),
        ],
        "shares": [
            text_field("step"), *name_fields("name", "column.step_name"), text_field("provider"),
            *name_fields("provider", "column.provider_name"), figure("share", "share", basis=here),
        ],
    }  # fmt: skip


def _caveats(board: Board, by: str) -> list[Caveat]:
    chain = board.chain
    said = [Caveat("note", Text("chain.views")), Caveat("note", Text("chokepoints.world"))]
    blind = [i for i in range(len(chain.steps)) if board.there[i].any() and not np.isfinite(board.shares[i]).any()]
    if blind:
        listed = [chain.names(chain.steps[i]["step"]) for i in blind[:8]]
        said.append(Caveat("warning", Text("chokepoints.blind", {"count": len(blind), "steps": listed})))
    none = int((~board.there.any(axis=1)).sum())
    if none:
        said.append(Caveat("note", Text("chain.none", {"count": none, "by": Text(f"chain.by.{by}")})))
    return said


def _headline(board: Board, by: str, threshold: float, points: Sequence[Any], stops: Sequence[Any]) -> Text:
    args = {"chain": board.chain.name, "count": len(points), "threshold": threshold, "by": Text(f"chain.by.{by}")}
    if not points:
        return Text("chokepoints.headline_none", args)
    top, worst = points[0], stops[0]
    names = {"zh": top["name_zh"], "en": top["name_en"]}
    holder = {"zh": top["provider_zh"], "en": top["provider_en"]}
    most = {"zh": worst["provider_zh"], "en": worst["provider_en"]}
    return Text(
        "chokepoints.headline",
        {**args, "step": names, "provider": holder, "share": top["share"], "downstream": top["downstream"],
         "most": most, "held": worst["held"], "stopped": worst["stopped"], "steps": len(board.chain.steps)},
    )  # fmt: skip


_STEPS = (
    Step("dependency.single_points", "steps where one known share exceeds the threshold; what can be reached from them",
         "breadth-first search; threshold as asked"),
    Step("dependency.herfindahl_bounds", "HHI = Σ s²; with a rest R and m unnamed: R²/m ≤ extra ≤ R²",
         "Herfindahl 1950; Hirschman 1964, AER 54(5)"),
    Step("complexity.density", "d_cp = Σ_q M_cq φ_qp / Σ_q φ_qp over the steps a provider is strong in",
         "Hidalgo, Klinger, Barabási & Hausmann 2007, Science 317"),
)  # fmt: skip


@lens("chokepoints", version=1, reads=READS)
def chokepoints(
    ctx: Context, *, chain: Chain, by: Literal["country", "firm"] = "country", threshold: float = 0.5
) -> Finding:
    """Where does a supply chain hang on one country or firm, what stops if it stops, and who else provides it?"""
    if not 0 < threshold < 1:
        raise AskError("bad_value", parameter="threshold", value=threshold, expected="0–1")
    board = Board(load_chain(ctx, str(chain)), by)
    if not board.providers:
        raise UnknownName("unknown_value", by, sorted({p.type for p in board.chain.provisions}), parameter="by")
    points, stops = _points(board, threshold), _stops(board, threshold)
    fields = _fields(str(chain))
    shown = [r["provider"] for r in stops if r["provides"]][:12]
    tables = {
        "points": result(points, fields["points"], ("step",), "chokepoints.points"),
        "stops": result(stops, fields["stops"], ("provider",), "chokepoints.stops"),
        "shares": result(
            _cells(board, shown), fields["shares"], ("step", "provider"), "chokepoints.shares", aside=True
        ),
    }
    charts = (
        Chart("bar", "points", {"x": "name", "y": "share", "label": "provider"}, Text("chokepoints.points"),
              {"top": 25, "line": threshold}),
        Chart("bar", "stops", {"x": "provider", "y": "stopped"}, Text("chokepoints.stops"), {"top": 12}),
        Chart("heatmap", "shares", {"x": "provider", "y": "name", "value": "share"}, Text("chokepoints.map"),
              {"where": {"step": [r["step"] for r in points[:_DRAWN]]}}),
    )  # fmt: skip
    return ctx.answer(
        _headline(board, by, threshold, points, stops),
        tables,
        charts=charts if points else charts[1:2],
        caveats=_caveats(board, by),
        steps=_STEPS,
    )
