"""A supply chain as a graph: its steps, who provides what share, how concentrated each step is."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from ronghe.kernels.dependency import downstream
from ronghe.lenses.base import Context, lens
from ronghe.lenses.chains.supply import READS, Provision, SupplyChain, load_chain
from ronghe.lenses.params import Chain
from ronghe.model.finding import Basis, Caveat, Cell, Chart, Field, Finding, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text


def _names(prefix: str, label: str) -> tuple[Field, Field]:
    return (
        Field(f"{prefix}_zh", Text(label), "text", lang="zh"),
        Field(f"{prefix}_en", Text(label), "text", lang="en"),
    )


def _table(rows: Sequence[dict[str, Any]], fields: Sequence[Field]) -> pa.Table:
    kinds = {"text": pa.string(), "class": pa.string(), "integer": pa.int64(), "year": pa.int64()}
    return pa.table({f.name: pa.array([r[f.name] for r in rows], kinds.get(f.kind, pa.float64())) for f in fields})


def _steps(chain: SupplyChain, by: str) -> list[dict[str, Any]]:
    tails, heads = chain.edges
    n = len(chain.steps)
    below = downstream(tails, heads, n, np.arange(n)).weight if n else np.zeros(0)
    rows = []
    for i, step in enumerate(chain.steps):
        group = chain.by_step.get((step["step"], by), [])
        bounds = chain.bounds(step["step"], by)
        known = [p for p in group if p.share is not None]
        single = [p for p in known if p.scope == "one"]
        top: Provision | None = single[0] if single else None
        rows.append(
            {
                **chain.cells(step["step"]),
                "providers": len(group),
                "shares_known": len(known),
                "top": top.provider if top else None,
                "top_zh": top.names["zh"] if top else None,
                "top_en": top.names["en"] if top else None,
                "top_share": top.share if top else None,
                "hhi_low": None if bounds is None else float(bounds.hhi_low),
                "hhi_high": None if bounds is None else float(bounds.hhi_high),
                "downstream": int(below[i]),
                "year": max((p.year for p in group if p.year is not None), default=None),
            }
        )
    return rows


def _step_fields(chain: str) -> tuple[Field, ...]:
    here = Rows("provision", {"chain": chain, "step": Cell("step")})
    top = Rows("provision", {"chain": chain, "step": Cell("step"), "provider": Cell("top")})
    links = Rows("supply_link", {"chain": chain})
    return (
        Field("step", Text("column.step"), "text"),
        *_names("name", "column.name_zh"),
        Field("type", Text("column.type"), "class"),
        *_names("stage", "column.stage"),
        Field("providers", Text("column.providers"), "integer", basis=here),
        Field("shares_known", Text("column.shares_known"), "integer", basis=here),
        *_names("top", "column.top"),
        Field("top_share", Text("column.top_share"), "share", basis=top),
        Field("hhi_low", Text("column.hhi_low"), basis=here, digits=3),
        Field("hhi_high", Text("column.hhi_high"), basis=here, digits=3),
        Field("downstream", Text("column.downstream"), "integer", basis=links),
        Field("year", Text("column.year"), "year", basis=here),
        Field("top", Text("column.top_code"), "text"),
    )


def _providers(chain: SupplyChain, by: str) -> list[dict[str, Any]]:
    rows = []
    for step in chain.steps:
        for place, one in enumerate(chain.by_step.get((step["step"], by), []), start=1):
            names = chain.names(one.step)
            rows.append(
                {
                    "step": one.step,
                    "name_zh": names["zh"],
                    "name_en": names["en"],
                    "provider": one.provider,
                    "provider_zh": one.names["zh"],
                    "provider_en": one.names["en"],
                    "scope": one.scope,
                    "share": one.share,
                    "rank": place if one.share is not None else None,
                    "year": one.year,
                }
            )
    return rows


def _provider_fields(chain: str) -> tuple[Field, ...]:
    basis: Basis = Rows("provision", {"chain": chain, "step": Cell("step"), "provider": Cell("provider")})
    return (
        Field("step", Text("column.step"), "text"),
        *_names("name", "column.name_zh"),
        Field("provider", Text("column.provider"), "text"),
        *_names("provider", "column.provider_name"),
        Field("scope", Text("column.scope"), "class"),
        Field("share", Text("column.share"), "share", basis=basis),
        Field("rank", Text("column.rank"), "integer", basis=basis),
        Field("year", Text("column.year"), "year", basis=basis),
    )


def _links(chain: SupplyChain) -> list[dict[str, Any]]:
    return [
        {
            "from_step": a,
            "from_zh": chain.names(a)["zh"],
            "from_en": chain.names(a)["en"],
            "to_step": b,
            "to_zh": chain.names(b)["zh"],
            "to_en": chain.names(b)["en"],
            "kind": kind,
        }
        for a, b, kind in chain.links
        if chain.index(a) is not None and chain.index(b) is not None
    ]


def _link_fields() -> tuple[Field, ...]:
    return (
        Field("from_step", Text("column.from_step"), "text"),
        *_names("from", "column.from_name"),
        Field("to_step", Text("column.to_step"), "text"),
        *_names("to", "column.to_name"),
        Field("kind", Text("column.link_kind"), "class"),
    )


def _caveats(chain: SupplyChain, by: str, steps: Sequence[dict[str, Any]]) -> list[Caveat]:
    said = [Caveat("note", Text("chain.views"))]
    blind = [s for s in steps if s["providers"] and not s["shares_known"]]
    if blind:
        listed = [{"zh": s["name_zh"], "en": s["name_en"]} for s in blind[:6]]
        said.append(Caveat("warning", Text("chain.blind", {"count": len(blind), "steps": listed})))
    none = sum(not s["providers"] for s in steps)
    if none:
        said.append(Caveat("note", Text("chain.none", {"count": none, "by": Text(f"chain.by.{by}")})))
    over = [s for s in chain.steps if _sum(chain, s["step"], by) > 1.005]
    if over:
        listed = [chain.names(s["step"]) for s in over[:6]]
        said.append(Caveat("warning", Text("chain.over", {"count": len(over), "steps": listed})))
    return said


def _sum(chain: SupplyChain, step: str, by: str) -> float:
    return sum(p.share or 0.0 for p in chain.by_step.get((step, by), []))


@lens("chain", version=1, reads=READS)
def chain(ctx: Context, *, chain: Chain, by: Literal["country", "firm"] = "country") -> Finding:
    """How is a supply chain built, who provides what share of each step, and how concentrated is it?"""
    loaded = load_chain(ctx, str(chain))
    steps = _steps(loaded, by)
    measured = [s for s in steps if s["top_share"] is not None]
    measured.sort(key=lambda s: (-s["top_share"], s["step"]))
    tables = {
        "steps": Result(_table(steps, _step_fields(str(chain))), _step_fields(str(chain)), ("step",),
                        Text("chain.steps")),
        "providers": Result(_table(_providers(loaded, by), _provider_fields(str(chain))),
                            _provider_fields(str(chain)), ("step", "provider"), Text("chain.providers")),
        "links": Result(_table(_links(loaded), _link_fields()), _link_fields(), ("from_step", "to_step", "kind"),
                        Text("chain.links")),
    }  # fmt: skip
    charts = (
        Chart(
            "graph",
            "steps",
            {"id": "step", "name": "name", "value": "top_share", "category": "type", "links": "links",
             "source": "from_step", "target": "to_step", "size": "downstream"},
            Text("chain.graph"),
        ),
        Chart("bar", "steps", {"x": "name", "y": "top_share", "label": "top"}, Text("chain.top"),
              {"top": 20, "line": 0.5}),
        Chart("bar", "steps", {"x": "name", "y": "hhi_low", "low": "hhi_low", "high": "hhi_high"}, Text("chain.hhi"),
              {"top": 20}),
    )  # fmt: skip
    first = measured[0] if measured else None
    args: dict[str, Any] = {
        "chain": str(chain),
        "steps": len(steps),
        "measured": len(measured),
        "held": sum(s["top_share"] > 0.5 for s in measured),
        "by": Text(f"chain.by.{by}"),
    }
    if first is not None:
        args["top"] = {"zh": first["top_zh"], "en": first["top_en"]}
        args["step"] = {"zh": first["name_zh"], "en": first["name_en"]}
        args["share"] = first["top_share"]
    return ctx.answer(
        Text("chain.headline" if first else "chain.headline_none", args),
        tables,
        charts=charts,
        caveats=_caveats(loaded, by, steps),
        steps=[
            Step("dependency.herfindahl_bounds", "HHI = Σ s²; with a rest R and m unnamed: R²/m ≤ extra ≤ R²",
                 "Herfindahl 1950; Hirschman 1964, AER 54(5)"),
            Step("dependency.downstream", "steps reachable along what goes into what, breadth first", ""),
        ],
    )  # fmt: skip
