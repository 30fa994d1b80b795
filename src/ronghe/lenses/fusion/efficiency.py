"""Who makes most of what goes in? Frontier efficiency by year, how much it hangs on others, productivity over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, KernelRefused
from ronghe.indexing.panel import Panel
from ronghe.indexing.system import System
from ronghe.kernels.dea import Malmquist, malmquist, radial, sbm
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.fusion.common import named, result, say_names
from ronghe.lenses.fusion.fusion_map import PROVINCE
from ronghe.lenses.fusion.load import READS, in_words, load_figures, part, region_labels
from ronghe.lenses.fusion.params import SystemName
from ronghe.lenses.params import LATEST, Year, pick_year
from ronghe.model.finding import Caveat, Chart, Field, Finding, Matrix, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Frontier:
    """Inputs and outputs of every region and year; ``whole`` (t, n) says where all of them are known."""

    system: System
    inputs: Panel
    outputs: Panel
    whole: NDArray[np.bool_]

    @property
    def years(self) -> tuple[int, ...]:
        return self.inputs.years

    def basis(self) -> Matrix:
        """All cells of inputs and outputs."""
        items = (*self.inputs.items, *self.outputs.items)
        ids = tuple(dict.fromkeys(s for i in items for s in self.system.sources_of(i)))
        where: dict[str, Any] = {"indicator": ids, "industry": "ALL", "region": self.inputs.regions}
        return Matrix("indicator", {**where, "year": self.years})

    def names(self, at: NDArray[np.int64]) -> list[dict[str, str]]:
        return [self.inputs.name(self.inputs.regions[int(i)]) for i in at]


def _load(ctx: Context, system: System) -> _Frontier:
    asked = system.role("input"), system.role("output")
    if not all(asked):
        raise AskError("no_frontier", system=system.names)
    figures, years = load_figures(ctx, system)
    if not figures.regions:
        raise ctx.nothing(system.names["en"])
    labels = region_labels(ctx, figures.regions)
    inputs, outputs = (part(figures, years, items, labels) for items in asked)
    known = np.isfinite(inputs.values).all(axis=2) & np.isfinite(outputs.values).all(axis=2)
    return _Frontier(system, inputs, outputs, np.asarray(known, dtype=np.bool_))


def _year_scores(frontier: _Frontier, t: int) -> tuple[list[dict[str, Any]], NDArray[np.int64]]:
    """CCR, BCC, scale, super-efficiency, SBM of one year, and CCR's range when any one other is left out."""
    at = np.flatnonzero(frontier.whole[t])
    X, Y = frontier.inputs.values[t, at], frontier.outputs.values[t, at]
    ccr, bcc = radial(X, Y), radial(X, Y, returns="vrs")
    above = radial(X, Y, super_efficiency=True).score
    slack = _slacks(X, Y)
    high = _left_out(X, Y, ccr.score)
    rows: list[dict[str, Any]] = []
    for k, i in enumerate(at):
        region = frontier.inputs.regions[int(i)]
        lead = [int(p) for p in np.argsort(-ccr.peers[k], kind="stable")[:3] if ccr.peers[k, p] > 1e-9 and p != k]
        peers = [frontier.names(at[[p]])[0] for p in lead]
        rows.append(
            {
                **say_names("name", frontier.inputs.name(region)),
                "ccr": float(ccr.score[k]),
                "ccr_high": float(high[k]),
                "bcc": float(bcc.score[k]),
                "scale": float(ccr.score[k] / bcc.score[k]),
                "super": float(above[k]),
                "sbm": float(slack[k]),
                "peers_zh": "、".join(p["zh"] for p in peers),
                "peers_en": ", ".join(p["en"] for p in peers),
                "region": region,
            }
        )
    rows.sort(key=lambda r: (-r["ccr"], -(r["super"] if np.isfinite(r["super"]) else 0.0), str(r["region"])))
    return rows, np.asarray(at, dtype=np.int64)


def _slacks(X: Floats, Y: Floats) -> Floats:
    """SBM scores; NaN for units with an input or output of zero, which a slack can't be a share of."""
    fit = (X > 0).all(axis=1) & (Y > 0).all(axis=1)
    scores = np.full(len(X), np.nan)
    if fit.sum() > 1:
        scores[fit] = sbm(X[fit], Y[fit], super_efficiency=True).score
    return scores


def _left_out(X: Floats, Y: Floats, whole: Floats) -> Floats:
    """The highest CCR score of each unit when any one other unit is left out; at least the score itself."""
    n = len(X)
    high = whole.copy()
    for out in range(n) if n > 2 else ():
        rest = np.flatnonzero(np.arange(n) != out)
        # Scores can only rise when a unit goes, and only if it was on somebody's frontier.
        if whole[out] < 1 - 1e-9:
            continue
        high[rest] = np.maximum(high[rest], radial(X[rest], Y[rest]).score)
    return high


def _score_fields(frontier: _Frontier) -> tuple[Field, ...]:
    basis = frontier.basis()
    scores = ("ccr", "ccr_high", "bcc", "scale", "super", "sbm")
    return (
        *named("name", "column.region_name"),
        *(Field(k, Text(f"column.dea_{k}"), basis=basis, digits=3) for k in scores),
        *named("peers", "column.dea_peers"),
        Field("region", Text("column.region"), "text"),
    )


def _change(frontier: _Frontier) -> tuple[Result, Result, int] | None:
    """Malmquist index of the regions known in all years: by region (geometric mean) and by year."""
    at = np.flatnonzero(frontier.whole.all(axis=0))
    if len(frontier.years) < 2 or len(at) < 2:
        return None
    found: Malmquist = malmquist(frontier.inputs.values[:, at], frontier.outputs.values[:, at])
    parts = {"M": found.M, "EC": found.EC, "TC": found.TC, "PEC": found.PEC, "SEC": found.SEC}
    basis = frontier.basis()
    fields = tuple(Field(k, Text(f"column.malmquist_{k}"), basis=basis, digits=3) for k in parts)
    code = Field("region", Text("column.region"), "text")
    by_region: list[dict[str, Any]] = [
        {
            **say_names("name", names),
            **{k: _mean(v[:, n]) for k, v in parts.items()},
            "region": frontier.inputs.regions[int(at[n])],
        }
        for n, names in enumerate(frontier.names(at))
    ]
    by_region.sort(key=lambda r: (-r["M"], r["region"]))
    by_year = [
        {"period": f"{frontier.years[t]}–{frontier.years[t + 1]}", **{k: _mean(v[t]) for k, v in parts.items()}}
        for t in range(len(found.M))
    ]
    return (
        result(by_region, (*named("name", "column.region_name"), *fields, code), ("region",),
               Text("efficiency.by_region")),
        result(by_year, (Field("period", Text("column.period"), "text"), *fields), ("period",),
               Text("efficiency.by_year")),
        len(at),
    )  # fmt: skip


def _mean(values: Floats) -> float:
    """Geometric mean of what is known."""
    known = values[np.isfinite(values) & (values > 0)]
    return float(np.exp(np.log(known).mean())) if known.size else float("nan")


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The region's own inputs and outputs in the year asked for: the rest of the frontier is in the basis."""
    del table, column
    region = row.get("region")
    if region is None:
        return ()
    system = SystemName(finding.params["system"]).system
    frontier = _load(ctx, system)
    t = frontier.years.index(pick_year(int(finding.params["year"]), frontier.years, system.name))
    found = []
    for panel in (frontier.inputs, frontier.outputs):
        i = panel.at(region)
        for j, item in enumerate(panel.items):
            total = float(np.nansum(panel.values[t, :, j])) or 1.0
            cells = {
                "indicator": system.sources_of(item),
                "industry": "ALL",
                "region": region,
                "year": frontier.years[t],
            }
            value = float(panel.values[t, i, j])
            found.append(Path(dict(item.names), value, value / total, cells))
    return found


@lens("efficiency", version=1, reads=READS, explain=_explain)
def efficiency(ctx: Context, *, system: SystemName = PROVINCE, year: Year = LATEST) -> Finding:
    """Which regions turn people and money into results best, and who gains productivity?"""
    frontier = _load(ctx, system.system)
    whole_years = [y for t, y in enumerate(frontier.years) if frontier.whole[t].sum() > 1]
    if not whole_years:
        raise KernelRefused("fusion_few_regions", found=int(frontier.whole.sum(axis=1).max(initial=0)), needed=2)
    at = pick_year(year, whole_years, str(system))
    t = frontier.years.index(at)
    names = frontier.names(np.flatnonzero(frontier.whole[t]))
    with in_words(places=names):
        rows, _ = _year_scores(frontier, t)
        change = _change(frontier)
    tables = {"scores": result(rows, _score_fields(frontier), ("region",), Text("efficiency.scores", {"year": at}))}
    said = [
        Caveat(
            "note",
            Text(
                "efficiency.money",
                {
                    "inputs": [i.names for i in frontier.inputs.items],
                    "outputs": [o.names for o in frontier.outputs.items],
                },
            ),
        )
    ]
    absent = frontier.names(np.flatnonzero(~frontier.whole[t]))
    if absent:
        said.append(Caveat("warning", Text("efficiency.absent", {"year": at, "regions": absent[:10]})))
    if change is None:
        said.append(Caveat("note", Text("efficiency.no_change")))
    else:
        tables["by_region"], tables["by_year"], known = change
        said.append(Caveat("note", Text("efficiency.balanced", {"count": known, "of": len(frontier.inputs.regions)})))
    front = [{"zh": r["name_zh"], "en": r["name_en"]} for r in rows if r["ccr"] >= 1 - 1e-9]
    mean = float(np.mean([r["ccr"] for r in rows]))
    args = {"year": at, "front": front[:8], "count": len(front), "of": len(rows), "mean": mean}
    charts = [Chart("interval", "scores", {"x": "name", "y": "ccr", "low": "ccr", "high": "ccr_high"},
                    Text("efficiency.scores", {"year": at}))]  # fmt: skip
    if change is not None:
        charts.append(Chart("line", "by_year", {"x": "period", "y": "M", "y2": "EC", "y3": "TC"},
                            Text("efficiency.by_year")))  # fmt: skip
    steps = (
        Step("dea.radial (CRS)", "min θ: Xλ ≤ θx, Yλ ≥ y", "Charnes, Cooper & Rhodes 1978, EJOR 2"),
        Step("dea.radial (VRS)", "the same with Σλ = 1", "Banker, Charnes & Cooper 1984, Management Science 30"),
        Step("dea.radial (super)", "the unit left out of its own reference", "Andersen & Petersen 1993"),
        Step("dea.sbm", "min (1 − mean s⁻/x)/(1 + mean s⁺/y)", "Tone 2001, 2002, EJOR 130, 143"),
        Step("dea.malmquist", "M = EC·TC, EC = PEC·SEC", "Färe, Grosskopf, Norris & Zhang 1994, AER 84"),
    )
    return ctx.answer(Text("efficiency.headline", args), tables, charts=charts, caveats=said, steps=steps)
