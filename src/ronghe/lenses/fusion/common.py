"""What the lenses on composite measures share: tables, bases, steps, caveats, and the paths behind a figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ronghe.indexing.figures import base_unit
from ronghe.indexing.panel import Panel
from ronghe.indexing.system import Item, System
from ronghe.lenses.base import Context, Path
from ronghe.lenses.fusion.measure import Measure, measure
from ronghe.lenses.params import Indicator, pick_year
from ronghe.model.finding import Basis, Caveat, Field, Finding, Matrix, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both
from ronghe.model.units import units

_TOP = 8
_NAMED = 4
_KINDS = {"text": pa.string(), "class": pa.string(), "key": pa.string(), "integer": pa.int64(), "year": pa.int64()}


def table(rows: Sequence[Mapping[str, Any]], fields: Sequence[Field]) -> pa.Table:
    """An Arrow table with a column for each field."""
    columns = {}
    for one in fields:
        values = [r[one.name] for r in rows]
        kind = _KINDS.get(one.kind, pa.float64())
        if any(isinstance(v, bool) for v in values):
            kind = pa.bool_()
        columns[one.name] = pa.array([None if _is_nan(v) else v for v in values], kind)
    return pa.table(columns)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))


def result(rows: Sequence[Mapping[str, Any]], fields: Sequence[Field], key: Sequence[str], title: Text) -> Result:
    """A result table of rows."""
    return Result(table(rows, fields), tuple(fields), tuple(key), title)


def named(prefix: str, label: str) -> tuple[Field, Field]:
    """A pair of fields for names in both languages."""
    return tuple(  # type: ignore[return-value]  # two of them
        Field(f"{prefix}_{lang}", Text(label), "text", lang=lang) for lang in ("zh", "en")
    )


def say_names(prefix: str, names: Mapping[str, str]) -> dict[str, str]:
    """The cells of such a pair."""
    return {f"{prefix}_zh": names["zh"], f"{prefix}_en": names["en"]}


def class_key(number: int) -> str:
    """The locale key of a class of D."""
    return f"fusion.class.{number}"


def unit_text(code: str) -> dict[str, str]:
    """A unit ``a`` or ``a/b`` in both languages; empty where there is none."""
    parts = [units()[c].names for c in code.split("/") if c in units()]
    return both("/".join(p["zh"] for p in parts), "/".join(p["en"] for p in parts))


def everything(measured: Measure, items: Sequence[Item] = ()) -> Matrix:
    """The basis of a composite: all cells of the panel, as bounds and weights rest on all of them."""
    system = measured.system
    chosen = items or measured.panel.items
    ids = tuple(dict.fromkeys(s for i in chosen for s in system.sources_of(i)))
    where: dict[str, Any] = {"indicator": ids, "industry": "ALL", "region": measured.panel.regions}
    return Matrix("indicator", {**where, "year": measured.panel.years})


def own_basis(measured: Measure, region: str) -> Matrix:
    """The basis of a region's own values: its cells of the panel."""
    whole = everything(measured)
    return Matrix(whole.table, {**whole.where, "region": region})


def source_cells(measured: Measure, item: Item, j: int, region: str, t: int) -> dict[str, Any]:
    """The lake's cells behind one figure of an item: of the year, or of the known years where it was filled."""
    panel = measured.panel
    i = panel.at(region)
    years: tuple[int, ...] = (panel.years[t],)
    if panel.filled[t, i, j]:
        years = tuple(y for s, y in enumerate(panel.years) if not panel.filled[s, i, j])
    elif item.transform == "growth":
        years = (panel.years[t] - 1, panel.years[t])
    return {"indicator": measured.system.sources_of(item), "industry": "ALL", "region": region, "year": years}


def contributions(
    ctx: Context, finding: Finding, table_name: str, column: str, row: Mapping[str, Any]
) -> Sequence[Path]:
    """The indicators that make most of one region's figure, with their source cells.

    A level U of a subsystem is the sum of w z; everything else of a region is led by α w z, the parts of T. A
    value of one indicator is made of that indicator's own source cells.
    """
    del table_name
    measured = measure(ctx, finding.params)
    region = row.get("region") or finding.params.get("region")
    if region is None or region not in measured.panel.regions:
        return ()
    year = row.get("year") or finding.params.get("year")
    t = measured.panel.years.index(pick_year(int(year or 0), measured.panel.years, measured.system.name))
    if column in {"value", "z", "now"} and "indicator" in row:
        return own_cells(ctx, measured, str(row["indicator"]), region, t)
    i = measured.panel.at(region)
    loading = measured.loading
    if column.startswith("u") and column[1:].isdecimal():
        loading = np.where(measured.groups == int(column[1:]) - 1, measured.weights, 0.0)
    return paths(measured, region, t, loading * measured.Z[t, i])


def own_cells(ctx: Context, measured: Measure, indicator: str, region: str, t: int) -> list[Path]:
    """The lake's figures that one indicator of one region and year is made of, in base units."""
    panel = measured.panel
    j = next(k for k, item in enumerate(panel.items) if item.id == indicator)
    item, i = panel.items[j], measured.figures.regions.index(region)
    cells = source_cells(measured, item, j, region, t)
    names = {c.value: c.names for c in Indicator.choices(ctx.snapshot)}
    found = []
    for source in cells["indicator"]:
        held = measured.figures.base[source]
        at = [measured.figures.years.index(y) for y in cells["year"]]
        value = float(np.nanmean(held.values[at, i])) if np.isfinite(held.values[at, i]).any() else float("nan")
        unit = unit_text("/".join(base_unit(d) for d in held.dimension.split("/")))
        label = {lang: f"{names[source][lang]} [{unit[lang]}]" for lang in ("zh", "en")}
        found.append(Path(label, value, 1.0 / len(cells["indicator"]), {**cells, "indicator": source}))
    found += [
        Path(dict(item.names), float(panel.values[t, panel.at(region), j]), 1.0, {**c.where, "region": region}, c.table)
        for c in measured.system.counts_of(item)
    ]
    return found


def paths(measured: Measure, region: str, t: int, parts: Any) -> list[Path]:
    """The largest parts of a figure of one region as paths with their source cells."""
    total = float(np.abs(parts).sum()) or 1.0
    found = []
    for j in np.argsort(-np.abs(parts), kind="stable")[:_TOP]:
        item = measured.panel.items[int(j)]
        if parts[j] == 0:
            continue
        share = float(parts[j] / total)
        found.append(Path(dict(item.names), float(parts[j]), share, source_cells(measured, item, int(j), region, t)))
        found += [
            Path(dict(item.names), float(parts[j]), share, {**count.where, "region": region}, count.table)
            for count in measured.system.counts_of(item)
        ]
    return found


def measure_steps(measured: Measure, draws: int | None = None, seed: int = 0) -> list[Step]:
    """The steps from cells to D, and of the uncertainty where draws were made."""
    steps = [
        Step("missing.impute", "carry, linear or x = μ + region + year; filled cells marked", "Little & Rubin 2002"),
        Step("normalise.minmax", "z = (x − min)/(max − min) over all years; costs turned",
             "OECD & JRC 2008, Handbook on Constructing Composite Indicators, ch. 5"),
        Step(f"weights.{measured.method}", _WEIGHING[measured.method][0], _WEIGHING[measured.method][1]),
        Step("obstacle.subsystem_levels", "U_k = Σ w_j z_j", ""),
        Step(f"coupling.coordination ({measured.form})", _FORMS[measured.form], _FORM_PAPERS[measured.form]),
    ]  # fmt: skip
    if draws is not None:
        steps.append(
            Step("montecarlo.simulate", "draws over weights (Dirichlet around each method), α, normalisation, "
                 "aggregation, filled cells; Jansen's shares", "Saisana, Saltelli & Tarantola 2005, JRSS A 168",
                 {"draws": draws, "seed": seed})
        )  # fmt: skip
    return steps


_FORMS = {
    "modified": "C = √{[1 − Σ|U_i − U_j|/(n(n−1)/2)]·(ΠU_i/max U)^{1/(n−1)}}; T = Σ α_k U_k; D = √(C·T)",
    "classic": "C = n(ΠU)^{1/n}/ΣU; T = Σ α_k U_k; D = √(C·T)",
}
_FORM_PAPERS = {
    "modified": "王淑佳, 孔伟, 任亮, 治丹丹, 戴彬婷 2021, 自然资源学报 36(3):793",
    "classic": "刘春林 2017",
}
_WEIGHING = {
    "combined": ("least-squares game of entropy, CRITIC, PCA and equal weights", ""),
    "entropy": ("w = (1 − e)/Σ(1 − e), e = −Σ p ln p/ln N over the panel", "Zeleny 1982"),
    "critic": ("w ∝ σ_j Σ_k (1 − r_jk)", "Diakoulaki, Mavrotas & Papayannakis 1995"),
    "pca": ("w ∝ Σ λ_k v_jk² over components that carry 85 %", "OECD & JRC 2008"),
    "equal": ("w = 1/m within each subsystem", ""),
    "ahp": ("principal eigenvector of the system file's pairwise matrix, CR ≤ 0.1", "Saaty 1980"),
    "own": ("the system file's own weights", ""),
}


def panel_caveats(measured: Measure) -> list[Caveat]:
    """What was filled, who was left out, what the system says of itself."""
    panel, said = measured.panel, []
    if measured.system.note["zh"]:
        said.append(Caveat("note", Text("fusion.note", {"note": dict(measured.system.note)})))
    if panel.filled.any():
        worst = np.argsort(-panel.filled.sum(axis=(0, 1)), kind="stable")[:4]
        listed = [panel.items[int(j)].names for j in worst if panel.filled[:, :, j].any()]
        args = {"count": int(panel.filled.sum()), "share": float(panel.filled.mean()), "indicators": listed}
        said.append(Caveat("warning", Text("fusion.filled", args)))
    if panel.dropped:
        places = [measured.panel.name(r) for r in list(panel.dropped)[:10]]
        said.append(Caveat("warning", Text("fusion.dropped", {"count": len(panel.dropped), "regions": places})))
    return said


def filled_table(measured: Measure, region: str | None = None) -> Result:
    """The cells that were filled, by indicator: how many, in which years and regions, and how; of one region or all."""
    panel = measured.panel
    shown = range(len(panel.regions)) if region is None else [panel.at(region)]
    rows = []
    for j, item in enumerate(panel.items):
        cells = np.asarray(panel.filled[:, list(shown), j])
        if not cells.any():
            continue
        by_region = [bool(hit) for hit in np.atleast_1d(cells.any(axis=0))]
        by_year = [bool(hit) for hit in np.atleast_1d(cells.any(axis=1))]
        where = [panel.name(panel.regions[i]) for i, hit in zip(shown, by_region, strict=True) if hit]
        rows.append(
            {
                **say_names("name", item.names),
                "cells": int(cells.sum()),
                "years_filled": ", ".join(str(y) for y, hit in zip(panel.years, by_year, strict=True) if hit),
                **say_names("places", _listed(where)),
                "method": f"fusion.missing.{measured.filling(item)}",
                "indicator": item.id,
            }
        )
    fields = (
        *named("name", "column.indicator_name"),
        Field("cells", Text("column.cells_filled"), "integer"),
        Field("years_filled", Text("column.years_filled"), "text"),
        *named("places", "column.regions_filled"),
        Field("method", Text("column.method"), "key"),
        Field("indicator", Text("column.indicator"), "text"),
    )
    return result(rows, fields, ("indicator",), Text("fusion.filled_cells"))


def _listed(places: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """A few names, then how many there are in all."""
    more = f"… ({len(places)})" if len(places) > _NAMED else ""
    return both("、".join(p["zh"] for p in places[:_NAMED]) + more, ", ".join(p["en"] for p in places[:_NAMED]) + more)


def level_fields(system: System, basis: Basis) -> list[Field]:
    """One field for each subsystem: ``u1``, ``u2`` and so on."""
    return [
        Field(f"u{k + 1}", Text("column.level_of", {"name": dict(s.names)}), "number", basis=basis, digits=3)
        for k, s in enumerate(system.subsystems)
    ]


def unit_of(panel: Panel, j: int) -> dict[str, str]:
    """The unit of an item of a panel, in both languages."""
    given = panel.items[j].unit_names
    return both(given["zh"], given["en"]) if given["zh"] else unit_text(panel.units[j])
