"""What could a place enter next? Near what it already does, complex, and with others who know how."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy.stats import spearmanr

from ronghe.errors import AskError, UnknownName
from ronghe.kernels.complexity import diversity_ubiquity, ranks
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.opportunity_load import TABLES, Basket, load_basket
from ronghe.lenses.frontier.opportunity_measure import HIDDEN, Check, Space, candidates, held_out, measure
from ronghe.lenses.frontier.project_places import READS as PLACES
from ronghe.lenses.layouts import backbone, spring
from ronghe.lenses.params import Region, place_names
from ronghe.model.finding import Basis, Caveat, Cell, Chart, Field, Finding, Matrix, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text

READS = ("trade", "published_complexity", "work", "authorship", "project", "patent", "patent_class", "crosswalk",
         "industry", *PLACES)  # fmt: skip
_TOP = 8
_DRAWN = 1000
SURE = 0.9
"""Density wins where it does better than ubiquity in this share of the draws."""
CHINA = Region("CHN")
What = Literal["trade", "topics", "programmes", "patents"]


def _named(prefix: str, names: Mapping[str, str]) -> dict[str, str | None]:
    return {f"{prefix}_{lang}": names[lang] or None for lang in ("zh", "en")}


def _knowers(space: Space, c: int, p: int) -> list[int]:
    """The places that do an activity, the most like this one first."""
    have = np.flatnonzero(space.m[:, p])
    return [int(i) for i in have[np.lexsort((have, -space.places_phi[c, have]))][:3]]


def _candidates(basket: Basket, space: Space, c: int, show: int) -> Result:
    found, score = candidates(space, c)
    rows = []
    for p, s in list(zip(found.tolist(), score.tolist(), strict=True))[:show]:
        near = _knowers(space, c, p)
        largest = int(np.argmax(basket.x[:, p]))
        rows.append(
            {
                **_named("activity_name", basket.names[p]), **_named("group", basket.groups[p]), "score": s,
                "density": space.near[c, p], "pci": space.found.pci[p], "cog": space.cog[c, p],
                "rca": space.index[c, p], "having": int(space.m[:, p].sum()),
                "held_share": float(basket.x[c, p] / basket.x[:, p].sum()),
                **_named("like", _listed([place_names(basket.places[i]) for i in near])),
                **_named("largest", place_names(basket.places[largest])),
                "largest_share": float(basket.x[largest, p] / basket.x[:, p].sum()),
                "activity": basket.activities[p],
            }
        )  # fmt: skip
    return result(rows, _candidate_fields(basket, basket.places[c]), ("activity",),
                  Text("opportunities.candidates", {"place": place_names(basket.places[c])}))  # fmt: skip


def _listed(names: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {"zh": "、".join(n["zh"] for n in names), "en": ", ".join(n["en"] for n in names)}


def _candidate_fields(basket: Basket, place: str) -> list[Field]:
    whole = Matrix(TABLES[basket.what], {})
    own: Basis = Matrix(TABLES[basket.what], {})
    if basket.what == "trade":
        own = Rows("trade", {"region": place, "product": Cell("activity"), "flow": "export"})
    return [
        *name_fields("activity_name", "column.activity_name"), figure("score", basis=whole, digits=2),
        figure("density", "share", basis=whole), figure("pci", basis=whole, digits=2),
        figure("cog", basis=whole, digits=3), *name_fields("like", "column.like"),
        *name_fields("largest", "column.largest"), figure("largest_share", "share", basis=whole),
        figure("having", "integer", basis=whole), figure("rca", basis=whole, digits=2),
        figure("held_share", "share", basis=own), *name_fields("group", "column.group"), text_field("activity"),
    ]  # fmt: skip


def _places(basket: Basket, space: Space, published: Mapping[str, float]) -> Result:
    diversity, _ = diversity_ubiquity(space.m)
    eci, fit = ranks(space.found.eci), ranks(space.fit.fitness)
    rows = [
        {
            **_named("place", place_names(p)), "eci": space.found.eci[i], "eci_rank": int(eci[i]),
            "fitness": space.fit.fitness[i], "fitness_rank": int(fit[i]), "fitness_published": published.get(p),
            "diversity": int(diversity[i]), "coi": space.coi[i], "place": p,
            "share_all": float(basket.x[i].sum() / basket.x.sum()),
        }
        for i, p in enumerate(basket.places)
    ]  # fmt: skip
    rows.sort(key=lambda r: (r["eci_rank"], r["place"]))
    whole = Matrix(TABLES[basket.what], {})
    theirs = Rows("published_complexity", {"kind": "country", "code": Cell("place"), "measure": "fitness"})
    fields = [
        *name_fields("place", "column.region_name"), figure("eci", basis=whole, digits=2),
        figure("eci_rank", "integer", basis=whole), figure("fitness", basis=whole, digits=2),
        figure("fitness_rank", "integer", basis=whole), figure("fitness_published", basis=theirs, digits=2),
        figure("diversity", "integer", basis=whole), figure("coi", basis=whole, digits=2),
        figure("share_all", "share", basis=whole), text_field("place"),
    ]  # fmt: skip
    return result(rows, fields, ("place",), Text("opportunities.places"))


def _picture(basket: Basket, space: Space, c: int, show: int) -> tuple[Result, Result]:
    """The space of activities: where each stands, and the ties that are drawn."""
    size = basket.x.sum(axis=0)
    kept = np.sort(np.argsort(-size, kind="stable")[:_DRAWN])
    kept = kept[space.m[:, kept].any(axis=0)]
    near = space.phi[np.ix_(kept, kept)].copy()
    np.fill_diagonal(near, 0.0)
    first, second, weight = backbone(near, 0.55, int(2.2 * kept.size))
    spots = spring(kept.size, first, second, weight**2)
    best = set(candidates(space, c)[0][:show].tolist())
    rows = [
        {
            "activity": basket.activities[p], **_named("activity_name", basket.names[p]),
            "node_role": "has" if space.m[c, p] else "next" if int(p) in best else None,
            "size": float(size[p] / size.sum()), "pci": space.found.pci[p], "density": space.near[c, p],
            "x": float(spots[i, 0]), "y": float(spots[i, 1]),
        }
        for i, p in enumerate(kept.tolist())
    ]  # fmt: skip
    rows.sort(key=lambda r: ({"has": 0, "next": 1, None: 2}[r["node_role"]], r["activity"]))
    whole = Matrix(TABLES[basket.what], {})
    fields = [
        *name_fields("activity_name", "column.activity_name"), text_field("node_role", "class"),
        figure("density", "share", basis=whole), figure("pci", basis=whole, digits=2),
        figure("size", "share", basis=whole), text_field("activity"),
        figure("x", digits=4), figure("y", digits=4),
    ]  # fmt: skip
    nodes = result(rows, fields, ("activity",), Text("opportunities.space"), aside=True)
    ties = [
        {"tie_from": basket.activities[int(kept[a])], "tie_to": basket.activities[int(kept[b])], "proximity": float(w)}
        for a, b, w in zip(first, second, weight, strict=True)
    ]
    shown = [text_field("tie_from"), text_field("tie_to"), figure("proximity", basis=whole, digits=2)]
    return nodes, result(ties, shown, ("tie_from", "tie_to"), Text("opportunities.ties"), aside=True)


def _check_table(check: Check, basket: Basket) -> Result:
    whole = Matrix(TABLES[basket.what], {})
    shared = {"draws": check.draws, "hidden": check.hidden, "cells": check.cells}
    rows: list[dict[str, Any]] = [
        {"method": "density", "auc": check.density, "auc_spread": check.spread[0], "better": check.wins, **shared},
        {"method": "ubiquity", "auc": check.ubiquity, "auc_spread": check.spread[1], "better": None, **shared},
    ]
    fields = [
        text_field("method", "class"), figure("auc", basis=whole, digits=3),
        figure("auc_spread", basis=whole, digits=3), figure("better", "share", basis=whole, digits=0),
        figure("draws", "integer", basis=whole), figure("hidden", "integer", basis=whole),
        figure("cells", "integer", basis=whole),
    ]  # fmt: skip
    return result(rows, fields, ("method",), Text("opportunities.check", {"share": HIDDEN}))


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """What makes a density: the related activities that the place does; else the largest cells of row or column."""
    del finding
    place = str(ctx.params["region"])
    basket = load_basket(ctx, ctx.params["counted"], place)
    space = measure(basket, ctx.params["advantage"])
    if table == "places":
        c = list(basket.places).index(str(row["place"]))
        worth = np.where(space.m[c], basket.x[c], 0.0)
        if column in {"eci", "eci_rank", "coi"}:
            worth = np.where(space.m[c], np.abs(np.nan_to_num(space.found.pci)), 0.0)
        return _cells(basket, worth, basket.names, lambda p: basket.cells(basket.places[c], basket.activities[p]))
    if table == "check":
        return []
    if table == "ties":
        a, b = (list(basket.activities).index(str(row[k])) for k in ("tie_from", "tie_to"))
        shared = np.where(space.m[:, a] & space.m[:, b], basket.x[:, a] + basket.x[:, b], 0.0)
        names = [place_names(p) for p in basket.places]
        return _cells(basket, shared, names, lambda c: basket.cells(basket.places[c], basket.activities[a]))
    p = list(basket.activities).index(str(row["activity"]))
    c = list(basket.places).index(place)
    if column in {"density", "score"}:
        parts = np.where(space.m[c], space.phi[:, p], 0.0) / (space.phi[:, p].sum() or 1.0)
        return _cells(basket, parts, basket.names, lambda q: basket.cells(place, basket.activities[q]))
    if column == "cog":
        worth = np.nan_to_num(space.found.pci) / np.where(space.phi.sum(axis=0) > 0, space.phi.sum(axis=0), 1.0)
        parts = np.where(space.m[c], 0.0, space.phi[:, p] * worth)
        return _cells(basket, parts, basket.names,
                      lambda q: basket.cells(list(basket.places), basket.activities[q]))  # fmt: skip
    names = [place_names(q) for q in basket.places]
    worth = np.where(space.m[:, p], np.abs(np.nan_to_num(space.found.eci)), 0.0) if column == "pci" else basket.x[:, p]
    return _cells(basket, worth, names, lambda i: basket.cells(basket.places[i], basket.activities[p]))


def _cells(basket: Basket, parts: Any, names: Sequence[Mapping[str, str]], cells: Any) -> list[Path]:
    total = float(np.abs(parts).sum()) or 1.0
    order = np.argsort(-np.abs(parts), kind="stable")[:_TOP]
    table = TABLES[basket.what]
    return [
        Path(names[int(k)], float(parts[k]), float(abs(parts[k]) / total), cells(int(k)), table)
        for k in order
        if parts[k]
    ]


def _caveats(basket: Basket, space: Space, check: Check, agreement: float | None) -> list[Caveat]:
    said = [
        Caveat("note", Text(f"opportunities.what.{basket.what}", {"first": basket.years[0], "last": basket.years[1]}))
    ]
    if basket.what == "trade" and basket.years[1] < 2010:
        said.append(Caveat("warning", Text("opportunities.old", {"year": basket.years[1]})))
    if basket.mean_flow:
        said.append(Caveat("warning", Text("opportunities.mean_flow")))
    if basket.dropped:
        said.append(
            Caveat("note", Text("opportunities.dropped", {"count": basket.dropped, "kept": len(basket.places)}))
        )
    if space.apart:
        said.append(Caveat("note", Text("opportunities.apart", {"count": space.apart})))
    if basket.unplaced > 0.005:
        said.append(Caveat("warning", Text("opportunities.unplaced", {"share": basket.unplaced})))
    gap = space.found.lambda2 - space.found.lambda3
    if gap < 0.1 * space.found.lambda2:
        args = {"second": space.found.lambda2, "third": space.found.lambda3}
        said.append(Caveat("warning", Text("opportunities.close", args)))
    wins = check.wins >= SURE
    args = {"auc": check.density, "base": check.ubiquity, "hidden": check.hidden, "share": HIDDEN,
            "draws": check.draws, "better": check.wins}  # fmt: skip
    said.append(Caveat("note" if wins else "warning", Text(f"opportunities.check_{'wins' if wins else 'loses'}", args)))
    if agreement is not None:
        said.append(Caveat("note", Text("opportunities.published", {"rho": agreement})))
    return said


def _published(ctx: Context, basket: Basket) -> dict[str, float]:
    if basket.what != "trade":
        return {}
    rows = ctx.rows("published_complexity", ("code", "value"), kind="country", measure="fitness").to_pylist()
    return {r["code"]: r["value"] for r in rows}


@lens("opportunities", version=1, reads=READS, explain=_explain)
def opportunities(
    ctx: Context, *, region: Region = CHINA, counted: What = "trade", advantage: float = 1.0, show: int = 25
) -> Finding:
    """What could a region or country enter next: near to what it does, complex, and with those who know how?"""
    if not advantage > 0 or not 1 <= show <= 200:
        raise AskError("space_limits", threshold=advantage, show=show)
    basket = load_basket(ctx, counted, str(region))
    if region not in basket.places:
        raise UnknownName("unknown_place", str(region), basket.places, what=counted)
    space = measure(basket, advantage)
    c = list(basket.places).index(str(region))
    check = held_out(space.m)
    published = _published(ctx, basket)
    common = [i for i, p in enumerate(basket.places) if p in published and np.isfinite(space.fit.fitness[i])]
    agreement = None
    if len(common) > 10:
        agreement = float(spearmanr(space.fit.fitness[common], [published[basket.places[i]] for i in common])[0])
    nodes, ties = _picture(basket, space, c, show)
    tables = {
        "candidates": _candidates(basket, space, c, show), "places": _places(basket, space, published),
        "check": _check_table(check, basket), "space": nodes, "ties": ties,
    }  # fmt: skip
    first = tables["candidates"].data.to_pylist()[:1]
    args = {"place": place_names(str(region)), "diversity": int(space.m[c].sum()), "count": len(basket.activities),
            "rank": int(ranks(space.found.eci)[c]), "places": len(basket.places)}  # fmt: skip
    if first:
        one = first[0]
        args |= {"activity": {"zh": one["activity_name_zh"], "en": one["activity_name_en"]}, "density": one["density"],
                 "pci": one["pci"], "like": {"zh": one["like_zh"], "en": one["like_en"]}}  # fmt: skip
    charts = (
        Chart("graph", "space",
              {"id": "activity", "name": "activity_name", "category": "node_role", "size": "size", "value": "density",
               "x": "x", "y": "y", "links": "ties", "source": "tie_from", "target": "tie_to"},
              Text("opportunities.space"), {"labels": 40, "first": {"node_role": "next"}}),
        Chart("scatter", "candidates",
              {"x": "density", "y": "pci", "size": "largest_share", "name": "activity_name"},
              Text("opportunities.diagram"), {"labels": 14}),
    )  # fmt: skip
    return ctx.answer(
        Text("opportunities.headline" if first else "opportunities.headline_none", args), tables, charts=charts,
        caveats=_caveats(basket, space, check, agreement), steps=_steps(advantage),
    )  # fmt: skip


def _steps(threshold: float) -> list[Step]:
    hausmann = "Hidalgo & Hausmann 2009, PNAS 106(26); Hausmann et al. 2014, The Atlas of Economic Complexity"
    return [
        Step("complexity.rca", "RCA = (x_cp/x_c)/(x_p/x); M = 1 where RCA ≥ threshold", "Balassa 1965",
             {"threshold": threshold}),
        Step("complexity.proximity", "φ = min(P(p|q), P(q|p)); density = Σ φ M / Σ φ",
             "Hidalgo, Klinger, Barabási & Hausmann 2007, Science 317"),
        Step("complexity.complexity", "second eigenvector of D⁻¹MU⁻¹Mᵀ", hausmann),
        Step("complexity.fitness", "F = MQ; Q = 1/(Mᵀ(1/F))", "Tacchella et al. 2012, Sci Rep 2, 723"),
        Step("opportunity_measure.candidates", "√(percentile of density × percentile of PCI) among what is absent", ""),
    ]  # fmt: skip
