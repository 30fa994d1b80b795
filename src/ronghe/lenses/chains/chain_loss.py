"""What stops along a supply chain when an input is blocked, week by week, with bounds where shares are unknown."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.chains.exposure import READS, Blow, ChainShock, chain_shocks
from ronghe.lenses.chains.shocks import Shocks
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.params import place_names
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Matrix, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
_ANY = 1e-12


def horizon(weeks: int) -> int:
    """The weeks asked for.

    Raises
    ------
    AskError : none, or more than ten years.
    """
    if not 1 <= weeks <= 520:
        raise AskError("bad_value", parameter="weeks", value=weeks, expected="1–520")
    return weeks


def _shocked(found: Sequence[ChainShock]) -> list[dict[str, Any]]:
    rows = []
    for hit in found:
        for number, blow in enumerate(hit.blows, start=1):
            names = hit.chain.names(blow.step)
            group = {p.provider: p.names for p in hit.chain.provisions}
            who = [group[p] if blow.type == "firm" else place_names(p) for p in blow.providers]
            start, end = blow.shock.weeks(hit.weeks)
            rows.append(
                {
                    "shock": number,
                    "chain": hit.chain.name,
                    "step": blow.step,
                    "name_zh": names["zh"],
                    "name_en": names["en"],
                    "source_zh": "、".join(w["zh"] for w in who),
                    "source_en": ", ".join(w["en"] for w in who),
                    "loss": blow.shock.loss,
                    "supply_low": blow.share.low,
                    "supply": blow.share.value,
                    "supply_high": blow.share.high,
                    "lost_low": blow.lost.low,
                    "lost": blow.lost.value,
                    "lost_high": blow.lost.high,
                    "start": start,
                    "end": end,
                    "recovery": blow.shock.recovery,
                }
            )
    return rows


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _steps(found: Sequence[ChainShock]) -> list[dict[str, Any]]:
    rows = []
    for hit in found:
        low, value, high = hit.bounds
        struck = {b.step for b in hit.blows}
        for i, step in enumerate(hit.chain.steps):
            late = np.flatnonzero(high[:, i] > _ANY)
            rows.append(
                {
                    "chain": hit.chain.name,
                    **hit.chain.cells(step["step"]),
                    "shocked": "yes" if step["step"] in struck else "no",
                    "lost_low": float(low[:, i].max(initial=0.0)),
                    "lost": _number(float(np.max(value[:, i], initial=0.0))),
                    "lost_high": float(high[:, i].max(initial=0.0)),
                    "first_week": int(late[0]) if len(late) else None,
                }
            )
    return rows


def _path(found: Sequence[ChainShock]) -> list[dict[str, Any]]:
    """Week by week, the steps that may lack something: those shocked, and the processes behind them.

    Steps that lack the same in every week are one line, named after the first.
    """
    rows = []
    for hit in found:
        low, value, high = hit.bounds
        struck = {b.step for b in hit.blows}
        alike: dict[bytes, list[int]] = {}
        for i, step in enumerate(hit.chain.steps):
            shown = step["step"] in struck or step["type"] in {"process", "ultimate_output"}
            if shown and high[:, i].max(initial=0.0) > _ANY:
                alike.setdefault(np.stack([low[:, i], value[:, i], high[:, i]]).tobytes(), []).append(i)
        for i, *others in alike.values():
            step = hit.chain.steps[i]
            names = _with_others(hit.chain.names(step["step"]), len(others))
            rows += [
                {
                    "chain": hit.chain.name,
                    "step": step["step"],
                    "name_zh": names["zh"],
                    "name_en": names["en"],
                    "week": t,
                    "lost_low": float(low[t, i]),
                    "lost": _number(value[t, i]),
                    "lost_high": float(high[t, i]),
                }
                for t in range(hit.weeks)
            ]
    return rows


def _with_others(names: Mapping[str, str], others: int) -> Mapping[str, str]:
    if not others:
        return names
    return both(f"{names['zh']}等{others + 1}个环节", f"{names['en']} and {others} more")


def _fields() -> dict[str, list[Field]]:
    provision = Rows("provision", {"chain": Cell("chain"), "step": Cell("step")})
    links = Matrix("supply_link", {"chain": Cell("chain")})
    names = name_fields("name", "column.step_name")
    lost = [figure(n, "share", basis=links, digits=2) for n in ("lost_low", "lost", "lost_high")]
    return {
        "shocks": [
            text_field("shock", "integer"), text_field("chain"), text_field("step"), *names,
            *name_fields("source", "column.source"), text_field("loss", "share"),
            *(figure(n, "share", basis=provision) for n in ("supply_low", "supply", "supply_high")),
            *(figure(n, "share", basis=provision, digits=2) for n in ("lost_low", "lost", "lost_high")),
            text_field("start", "integer"), text_field("end", "integer"), text_field("recovery", "integer"),
        ],
        "steps": [
            text_field("chain"), text_field("step"), *names, text_field("type", "class"),
            *name_fields("stage", "column.stage"), text_field("shocked", "class"), *lost,
            figure("first_week", "integer", basis=links),
        ],
        "path": [text_field("chain"), text_field("step"), *names, text_field("week", "integer"), *lost],
        "links": [
            text_field("chain"), text_field("from_step"), text_field("to_step"), text_field("mode", "class"),
            *(figure(n, basis=Rows("supply_link", {
                "chain": Cell("chain"), "from_step": Cell("from_step"), "to_step": Cell("to_step")}), digits=3)
              for n in ("amount_low", "amount", "amount_high")),
        ],
    }  # fmt: skip


def _links(found: Sequence[ChainShock]) -> list[dict[str, Any]]:
    """The published links with how each passes a loss on."""
    published = {(h.chain.name, a, b) for h in found for a, b, _ in h.chain.links}
    return [
        {
            "chain": hit.chain.name,
            "from_step": tail,
            "to_step": head,
            "mode": mode,
            "amount_low": min(bound.low, bound.high),
            "amount": bound.value,
            "amount_high": max(bound.low, bound.high),
        }
        for hit in found
        for tail, head, mode, bound in hit.edges
        if (hit.chain.name, tail, head) in published
    ]


def _first_hand(hit: ChainShock, blow: Blow) -> list[Path]:
    """The published shares of those who no longer deliver the shocked step itself."""
    names = {p.provider: p.names for p in hit.chain.provisions}
    held = hit.chain.by_step.get((blow.step, blow.type), [])
    gone = [
        p for p in held if not blow.providers or (p.provider if blow.type == "firm" else p.country) in blow.providers
    ]
    return [
        Path(names[p.provider], p.share or 0.0, p.share or 0.0,
             {"chain": hit.chain.name, "step": blow.step, "provider": p.provider}, "provision")
        for p in gone
    ]  # fmt: skip


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The inputs through which a step loses most: what each of them lacks, at the same bound."""
    del finding
    found = chain_shocks(ctx, Shocks(ctx.params["shock"]).shocks, int(ctx.params["weeks"]))
    hit = next(h for h in found if h.chain.name == row["chain"])
    low, value, high = hit.bounds
    level = {"lost_low": low, "lost": value}.get(column, high)
    week = int(row["week"]) if table == "path" else None
    paths = [path for blow in hit.blows if blow.step == row["step"] for path in _first_hand(hit, blow)]
    for tail, head, kind in hit.chain.links:
        i = hit.chain.index(tail)
        if head == row["step"] and i is not None:
            lacks = level[:, i] if week is None else level[week : week + 1, i]
            most = float(np.max(np.nan_to_num(lacks), initial=0.0))
            cells = {"chain": row["chain"], "from_step": tail, "to_step": head, "kind": kind}
            names = hit.chain.names(tail)
            paths.append(Path(both(f"{tail} {names['zh']}", f"{tail} {names['en']}"), most, most, cells))
    total = sum(p.value for p in paths) or 1.0
    paths.sort(key=lambda p: -p.value)
    return [Path(p.names, p.value, p.value / total, p.cells, p.table) for p in paths[:8]]


def _caveats(found: Sequence[ChainShock], rows: Sequence[Mapping[str, Any]]) -> list[Caveat]:
    said = [Caveat("note", Text("chain_loss.reading")), Caveat("note", Text("chain_loss.world"))]
    open_ = [both(r["name_zh"], r["name_en"]) for r in rows if r["supply"] is None]
    if open_:
        said.append(Caveat("warning", Text("chain_loss.unknown", {"steps": open_})))
    none = [both(r["name_zh"], r["name_en"]) for r in rows if r["supply_high"] == 0]
    if none:
        said.append(Caveat("warning", Text("chain_loss.nothing", {"steps": none})))
    used = {hit.chain.steps[hit.chain.index(b.step) or 0]["type"]: b.step for hit in found for b in hit.blows}
    for hit in found:
        for step in used.values():
            if hit.chain.index(step) is not None:
                how = hit.lasts(step)
                args = {"step": hit.chain.names(step), "low": how.bound.low, "value": how.bound.value,
                        "high": how.bound.high, "reason": dict(how.reason)}  # fmt: skip
                said.append(Caveat("note", Text(f"chain_loss.{how.mode}", args)))
    return said


@lens("chain_loss", version=1, reads=READS, explain=_explain)
def chain_loss(ctx: Context, *, shock: Shocks, weeks: int = 12) -> Finding:
    """What stops along a supply chain, and when, if an input is blocked?"""
    steps = horizon(weeks)
    found = chain_shocks(ctx, shock.shocks, steps)
    if not found:
        raise AskError("shock_no_step")
    fields = _fields()
    shocked, rows = _shocked(found), _steps(found)
    rows.sort(key=lambda r: (-r["lost_high"], -(r["lost"] or 0.0), r["chain"], r["step"]))
    tables = {
        "steps": result(rows, fields["steps"], ("chain", "step"), "chain_loss.steps"),
        "shocks": result(shocked, fields["shocks"], ("shock", "chain", "step"), "chain_loss.shocks"),
        "path": result(_path(found), fields["path"], ("chain", "step", "week"), "chain_loss.path"),
        "links": result(_links(found), fields["links"], ("chain", "from_step", "to_step", "mode"), "chain_loss.links"),
    }
    charts = (
        Chart("graph", "steps", {"id": "step", "name": "name", "value": "lost_high", "category": "stage",
                                 "links": "links", "source": "from_step", "target": "to_step", "size": "lost_high"},
              Text("chain_loss.graph")),
        Chart("line", "path", {"x": "week", "y": "lost_high", "series": "name"}, Text("chain_loss.path")),
    )  # fmt: skip
    first = shocked[0]
    behind = [r for r in rows if r["lost_high"] > _ANY and r["shocked"] == "no"]
    last = next((r for r in behind if r["type"] == "process"), behind[0] if behind else None)
    args: dict[str, Any] = {
        "step": both(first["name_zh"], first["name_en"]),
        "low": first["lost_low"],
        "high": first["lost_high"],
        "count": len(behind),
        "weeks": steps,
    }
    if last is not None:
        args |= {"last": both(last["name_zh"], last["name_en"]), "from": last["lost_low"], "to": last["lost_high"]}
    return ctx.answer(
        Text("chain_loss.headline" if last is not None else "chain_loss.headline_none", args),
        tables,
        charts=charts,
        caveats=_caveats(found, shocked),
        steps=[
            Step("chain_loss.carry", "L_v = min(1, max(q_v, c_uv of inputs, Σ w_uv L_u of kinds)); stock, wear",
                 "inputs as complements: Leontief; Diem et al. 2022, Sci Rep 12, 7719"),
            Step("exposure.share_of", "lost = share · loss − spare · (1 − share); bounds where shares are unknown", ""),
        ],
    )  # fmt: skip
