"""How sectors are tied: distance to final use and to primary inputs, and what a unit of final demand sets in motion."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import UnknownName
from ronghe.kernels.footprint import value_added_trade
from ronghe.kernels.ghosh import upstreamness
from ronghe.kernels.leontief import backward_linkage, multipliers, satellite_coefficients
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.chains.impact import sector_names
from ronghe.lenses.economy.economy import EXPORTS, Economy, load_economy
from ronghe.lenses.economy.satellites import Satellite, caveats, co2, jobs
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.params import IoRegion, TableId, place_names
from ronghe.model.finding import Caveat, Cell, Chart, Child, Field, Finding, Matrix, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
READS = ("io_table", "io_cell", "industry", "indicator", "crosswalk")
_TOP = 8
_TIES = ("backward_linkage", "backward_normalised", "forward_linkage", "forward_normalised")


def _satellites(
    economy: Economy, people: Satellite | None, carbon: Satellite | None, region: str | None
) -> dict[str, Floats]:
    """Direct coefficients per unit of output; value added of one region alone where one is asked for."""
    home = np.array([region in (None, r) for r in economy.regions])
    found = {"value_added": satellite_coefficients(np.where(home, economy.v, 0.0), economy.x)}
    if people is not None:
        found["jobs"] = people.per_output(economy)
    if carbon is not None:
        found["co2"] = carbon.per_output(economy)
    return found


def _columns(economy: Economy, direct: Mapping[str, Floats]) -> dict[str, Floats]:
    totals = multipliers(economy.domestic, np.vstack(list(direct.values())))
    found = {
        "upstreamness": upstreamness(economy.domestic, economy.x),
        "downstreamness": backward_linkage(economy.domestic),
    }
    for (name, own), total in zip(direct.items(), totals, strict=True):
        found[f"{name}_direct"], found[f"{name}_total"] = own, total
        ratio = np.divide(total, own, out=np.full(economy.n, np.nan), where=own > 0)
        found[f"{name}_ratio"] = ratio
    return found


def _rows(economy: Economy, found: Mapping[str, Floats], ties: Mapping[Any, Mapping[str, Any]], shown: Sequence[int]
          ) -> list[dict[str, Any]]:  # fmt: skip
    rows = []
    for i in shown:
        tie = ties[economy.regions[i], economy.codes[i]]
        row = {**sector_names(economy, i), "quadrant": tie["quadrant"], **{t: tie[t] for t in _TIES}}
        row |= {n: float(v[i]) if np.isfinite(v[i]) and economy.x[i] > 0 else None for n, v in found.items()}
        rows.append(row)
    return rows


def _unit(name: str, unit: str) -> str:
    if name.startswith("jobs") and not name.endswith("ratio"):
        return f"person_per_{unit}"
    return f"tonne_co2_per_{unit}" if name.startswith("co2") and not name.endswith("ratio") else "none"


def _fields(economy: Economy, names: Sequence[str], structure: Finding) -> list[Field]:
    whole = Matrix("io_cell", {"table_id": economy.table_id})
    where = {"region": Cell("region"), "sector": Cell("sector")}
    ties = [figure(t, basis=Child(structure.id, "sectors", t, where), digits=4 if "linkage" in t else 3) for t in _TIES]
    own = [figure(n, unit=_unit(n, economy.unit), basis=whole, digits=4 if "ratio" not in n else 2) for n in names]
    return [
        text_field("region"), text_field("sector"), *name_fields("name", "column.sector_name"),
        text_field("quadrant", "class"), *own[:2], *ties, *own[2:],
    ]  # fmt: skip


def _exports(economy: Economy) -> tuple[list[dict[str, Any]], list[Field]]:
    """Domestic value added in gross exports, by region (multi-regional) or for the one economy."""
    whole = Matrix("io_cell", {"table_id": economy.table_id})
    v = satellite_coefficients(economy.v, economy.x)
    if economy.kind == "multiregional":
        regions = sorted(set(economy.regions))
        code = {r: k for k, r in enumerate(regions)}
        home = np.array([code[r] for r in economy.regions])
        Y = np.zeros((economy.n, len(regions)))
        for k, region in enumerate(economy.final_regions):
            Y[:, code[region]] += economy.final[:, k]
        trade = value_added_trade(economy.economy, v, economy.Z, Y, home)
        figures = list(zip(regions, trade.gross_exports, trade.domestic, trade.domestic_share, strict=True))
    else:
        sold = [k for k, c in enumerate(economy.final_codes) if c in EXPORTS]
        e = economy.final[:, sold].sum(axis=1)
        content = multipliers(economy.domestic, v)
        domestic = float((content * e).sum())
        figures = [(str(economy.meta["economy"]), e.sum(), domestic, domestic / e.sum() if e.sum() else np.nan)]
    rows = []
    for region, gross, domestic, share in figures:
        names = place_names(region)
        rows.append({"region": region, "name_zh": names["zh"], "name_en": names["en"], "exports": float(gross),
                     "domestic_added": float(domestic), "domestic_share": float(share) if np.isfinite(share) else None}
                    )  # fmt: skip
    rows.sort(key=lambda r: -float(str(r["exports"])))
    fields = [
        text_field("region"), *name_fields("name", "column.region_name"),
        figure("exports", unit=economy.unit, basis=whole), figure("domestic_added", unit=economy.unit, basis=whole),
        figure("domestic_share", "share", basis=whole, digits=2),
    ]  # fmt: skip
    return rows, fields


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The sectors through which most of a figure runs."""
    del finding
    economy = load_economy(ctx, TableId(ctx.params["table"]))
    direct = _satellites(economy, jobs(ctx, economy), co2(ctx, economy), ctx.params["region"])
    if table == "exports":
        here = np.array([r == row["region"] for r in economy.regions])
        sold = [k for k, (c, r) in enumerate(zip(economy.final_codes, economy.final_regions, strict=True))
                if (c in EXPORTS if economy.kind != "multiregional" else r != row["region"])]  # fmt: skip
        parts = np.where(here, economy.final[:, sold].sum(axis=1), 0.0)
        if economy.kind == "multiregional":
            parts += np.where(here, economy.Z[:, ~here].sum(axis=1), 0.0)
    else:
        j = economy.index(row["sector"], row["region"])
        unit = np.zeros(economy.n)
        unit[j] = 1.0
        weight = direct.get(column.rsplit("_", 1)[0], np.ones(economy.n))
        if column == "upstreamness":
            reach = economy.domestic.solve(unit, transposed=True).x
            parts = reach * np.divide(economy.x, economy.x[j], out=np.zeros_like(economy.x), where=economy.x[j] > 0)
        elif column.endswith("_direct"):
            parts = unit * weight
        else:
            parts = economy.domestic.solve(unit).x * weight
    total = float(parts.sum()) or 1.0
    return [
        _path(economy, int(i), float(parts[i]), float(parts[i]) / total)
        for i in np.argsort(-parts, kind="stable")[:_TOP]
    ]


def _path(economy: Economy, i: int, value: float, share: float) -> Path:
    cells = {"table_id": economy.table_id, "block": "X", "row": economy.codes[i]}
    where = ""
    if economy.kind == "multiregional":
        cells["row_region"], where = economy.regions[i], f"{economy.regions[i]} "
    code = f"{where}{economy.codes[i]}"
    return Path(both(f"{code} {economy.name_zh[i]}", f"{code} {economy.name_en[i]}"), value, share, cells)


def _headline(economy: Economy, rows: Sequence[Mapping[str, Any]], exports: Sequence[Mapping[str, Any]]) -> Text:
    up = max(rows, key=lambda r: r["upstreamness"] or 0.0)
    down = max(rows, key=lambda r: r["downstreamness"] or 0.0)
    args = {
        "table": economy.names,
        "up": both(up["name_zh"], up["name_en"]),
        "up_value": up["upstreamness"] or 0.0,
        "down": both(down["name_zh"], down["name_en"]),
        "down_value": down["downstreamness"] or 0.0,
        "region": both(exports[0]["name_zh"], exports[0]["name_en"]),
        "share": exports[0]["domestic_share"] or 0.0,
    }
    return Text("linkages.headline", args)


@lens("linkages", version=1, reads=READS, explain=_explain, builds_on=("structure",))
def linkages(ctx: Context, *, table: TableId, region: IoRegion | None = None) -> Finding:
    """How far is a sector from final use, and what value added, jobs and CO2 does its demand set in motion?"""
    economy = load_economy(ctx, table)
    shown = [i for i in range(economy.n) if region in (None, economy.regions[i]) and economy.x[i] > 0]
    if not shown:
        raise UnknownName("unknown_region", str(region), sorted(set(economy.regions)))
    structure = ctx.child("structure", table=str(table))
    ties = {(r["region"], r["sector"]): r for r in structure.tables["sectors"].data.to_pylist()}
    people, carbon = jobs(ctx, economy), co2(ctx, economy)
    found = _columns(economy, _satellites(economy, people, carbon, region))
    rows = _rows(economy, found, ties, shown)
    exports, export_fields = _exports(economy)
    kept = [r for r in exports if region in (None, r["region"])]
    tables: dict[str, Result] = {
        "sectors": result(rows, _fields(economy, list(found), structure), ("region", "sector"), "linkages.sectors"),
        "exports": result(kept, export_fields, ("region",), "linkages.exports"),
    }
    charts = [
        Chart("scatter", "sectors", {"x": "downstreamness", "y": "upstreamness", "name": "name", "color": "quadrant"},
              Text("linkages.map")),
        Chart("bar", "sectors", {"x": "name", "y": "value_added_total"}, Text("linkages.value_added"), {"top": 20}),
    ]  # fmt: skip
    if carbon is not None:
        charts.append(Chart("bar", "sectors", {"x": "name", "y": "co2_total"}, Text("linkages.co2"), {"top": 20}))
    if len(kept) > 1:
        charts.append(Chart("bar", "exports", {"x": "name", "y": "domestic_share"}, Text("linkages.exports"),
                            {"top": 41}))  # fmt: skip
    return ctx.answer(
        _headline(economy, rows, kept),
        tables,
        charts=charts,
        caveats=[Caveat("note", Text("linkages.reading")), *caveats(economy, people, carbon)],
        steps=[
            Step("ghosh.upstreamness", "G 1 with G = (I − Bᵈ)⁻¹ = x̂⁻¹ Lᵈ x̂",
                 "Antràs, Chor, Fally & Hillberry 2012, AER 102(3)"),
            Step("leontief.backward_linkage", "1ᵀ Lᵈ", "Miller & Temurshoev 2017, Int. Regional Science Review 40(5)"),
            Step("leontief.multipliers", "ŝ Lᵈ for value added, persons, tonnes of CO₂; ratio = total / direct",
                 "Miller & Blair 2009, ch. 6"),
            Step("footprint.value_added_trade", "Σ_i T[r, i] e_i over gross exports",
                 "Johnson & Noguera 2012, JIE 86; OECD TiVA"),
        ],
    )  # fmt: skip
