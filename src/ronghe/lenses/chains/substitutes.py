"""Who could step in for a blocked input: the other providers, ranked by share and by how near it is to what they do."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ronghe.errors import AskError
from ronghe.lenses.base import Context, lens
from ronghe.lenses.chains.chokepoints import Board, substitutes
from ronghe.lenses.chains.exposure import READS as CHAIN
from ronghe.lenses.chains.exposure import Blow, chain_shocks
from ronghe.lenses.chains.shocks import Shocks
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both


def _candidates(board: Board, blow: Blow) -> list[dict[str, Any]]:
    chain, i = board.chain, board.chain.index(blow.step) or 0
    blocked = set(blow.providers)
    near = board.relatedness()
    out = {
        k
        for k, p in enumerate(board.providers)
        if p in blocked or (board.country[p] in blocked and blow.type == "country")
    }
    there = substitutes(board, i, out, near)
    absent = [k for k in range(len(board.providers)) if k not in there and k not in out and np.isfinite(near[i, k])]
    absent.sort(key=lambda k: (-near[i, k], board.providers[k]))
    names = chain.names(blow.step)
    rows = []
    for place, k in enumerate([*there, *absent[:8]], start=1):
        share = board.shares[i, k]
        rows.append(
            {
                "chain": chain.name,
                "step": blow.step,
                "name_zh": names["zh"],
                "name_en": names["en"],
                "rank": place,
                "provider": board.providers[k],
                "provider_zh": board.names[board.providers[k]]["zh"],
                "provider_en": board.names[board.providers[k]]["en"],
                "kind": "country" if board.by == "country" else "firm",
                "country": board.country[board.providers[k]],
                "standing": "provides" if k in there else "near",
                "share": float(share) if np.isfinite(share) else None,
                "relatedness": float(near[i, k]) if np.isfinite(near[i, k]) else None,
                "needed": _needed(float(share) if np.isfinite(share) else None, blow),
            }
        )
    return rows


def _needed(share: float | None, blow: Blow) -> float | None:
    """By what factor this provider alone would have to grow to fill the gap; ``None`` where a share is unknown."""
    gap = blow.share.value
    return None if share is None or share <= 0 or gap is None else 1.0 + gap * blow.shock.loss / share


def _fields() -> list[Field]:
    where = {"chain": Cell("chain"), "step": Cell("step")}
    here = Rows("provision", {**where, "provider": Cell("provider")})
    whole = Rows("provision", {"chain": Cell("chain")})
    step = Rows("provision", where)
    return [
        text_field("chain"), text_field("step"), *name_fields("name", "column.step_name"),
        text_field("kind", "class"), text_field("rank", "integer"), text_field("provider"),
        *name_fields("provider", "column.provider_name"), text_field("country"), text_field("standing", "class"),
        figure("share", "share", basis=here), figure("relatedness", basis=whole, digits=3),
        figure("needed", basis=step, digits=2),
    ]  # fmt: skip


def _headline(rows: Sequence[dict[str, Any]], blows: Sequence[Blow]) -> Text:
    step = both(rows[0]["name_zh"], rows[0]["name_en"]) if rows else both(blows[0].step, blows[0].step)
    able = [r for r in rows if r["standing"] == "provides" and r["kind"] == "country" and r["share"] is not None]
    if not able:
        return Text("substitutes.headline_none", {"step": step, "count": len(rows)})
    first = able[0]
    args = {
        "step": step,
        "first": both(first["provider_zh"], first["provider_en"]),
        "share": first["share"],
        "count": len(able),
        "left": sum(r["share"] for r in able if r["step"] == first["step"]),
    }
    return Text("substitutes.headline", args)


@lens("substitutes", version=1, reads=CHAIN)
def substitutes_of(ctx: Context, *, shock: Shocks) -> Finding:
    """Who could step in for a blocked input: other countries and firms, by share and by relatedness?"""
    found = chain_shocks(ctx, shock.shocks, 1)
    if not found:
        raise AskError("shock_no_step")
    rows: list[dict[str, Any]] = []
    for hit in found:
        boards = [Board(hit.chain, by) for by in ("country", "firm")]
        done: set[str] = set()
        for blow in hit.blows:
            if blow.step not in done:
                rows += [row for board in boards for row in _candidates(board, blow)]
                done.add(blow.step)
    key = ("chain", "step", "provider")
    table = result(rows, _fields(), key, "substitutes.table")
    charts = (
        Chart("scatter", "table", {"x": "relatedness", "y": "share", "name": "provider", "color": "kind"},
              Text("substitutes.chart")),
    )  # fmt: skip
    return ctx.answer(
        _headline(rows, [b for h in found for b in h.blows]),
        {"table": table},
        charts=charts if any(r["share"] is not None for r in rows) else (),
        caveats=[
            Caveat("note", Text("chain.views")),
            Caveat("note", Text("substitutes.reading")),
        ],
        steps=[
            Step("complexity.density", "d_cp = Σ_q M_cq φ_qp / Σ_q φ_qp; M from revealed advantage ≥ 1",
                 "Hidalgo, Klinger, Barabási & Hausmann 2007, Science 317"),
        ],
    )  # fmt: skip
