"""An economy's structure: multipliers, Rasmussen linkages, key sectors, value-added and employment content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ronghe.errors import UnknownName
from ronghe.kernels.ghosh import forward_linkage
from ronghe.kernels.leontief import backward_linkage, multipliers, normalised, satellite_coefficients
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.economy.economy import NOTES, Economy, load_economy
from ronghe.lenses.economy.satellites import Satellite, caveats, jobs
from ronghe.lenses.params import IoRegion, TableId, place_names
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Matrix, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
_TOP = 8
READS = ("io_table", "io_cell", "industry", "indicator", "crosswalk")


@dataclass(frozen=True)
class _Figures:
    """(n,) each: what the lens reports of every sector."""

    backward: Floats
    forward: Floats
    value_added: Floats
    imports: Floats
    jobs: Floats


def _figures(economy: Economy, home: NDArray[np.bool_], people: Satellite | None) -> _Figures:
    """Linkages on the table as published; contents on what is made at home (in the regions of ``home``)."""
    v = satellite_coefficients(np.where(home, economy.v, 0.0), economy.x)
    satellites = [v]
    if people is not None:
        satellites.append(satellite_coefficients(np.nan_to_num(people.values), economy.x))
    contents = multipliers(economy.domestic, np.vstack(satellites))
    total = multipliers(economy.domestic, satellite_coefficients(economy.v, economy.x))
    live = economy.x > 0
    inside = np.where(live, contents[0], np.nan)
    # What does not come back as value added at home was paid abroad: for inputs bought there, or to other regions.
    abroad = 1.0 - inside if economy.kind != "multiregional" else np.where(live, total - inside, np.nan)
    return _Figures(
        backward=backward_linkage(economy.economy),
        # Imports would count as carried by home output: rows of Z can exceed x. So forward ties are those at home.
        forward=forward_linkage(economy.domestic, economy.x),
        value_added=inside,
        imports=abroad,
        jobs=contents[1] if people is not None else np.full(economy.n, np.nan),
    )


def _quadrants(backward: Floats, forward: Floats) -> list[str]:
    names = {(True, True): "key", (True, False): "backward", (False, True): "forward", (False, False): "weak"}
    return [names[bool(b >= 1), bool(f >= 1)] for b, f in zip(backward, forward, strict=True)]


def _sectors(economy: Economy, figures: _Figures, shown: NDArray[np.bool_], people: Satellite | None) -> Result:
    b, f = normalised(figures.backward), normalised(figures.forward)
    columns: dict[str, Any] = {
        "region": list(economy.regions),
        "sector": list(economy.codes),
        "name_zh": list(economy.name_zh),
        "name_en": list(economy.name_en),
        "output": economy.x,
        "value_added": economy.v,
        "backward_linkage": figures.backward,
        "backward_normalised": b,
        "forward_linkage": figures.forward,
        "forward_normalised": f,
        "quadrant": _quadrants(b, f),
        "value_added_content": figures.value_added,
        "import_content": figures.imports,
    }
    if people is not None:
        columns["employment"] = people.values
        columns["employment_content"] = figures.jobs
    data = pa.table({k: pa.array(v, from_pandas=True) for k, v in columns.items()}).filter(pa.array(shown))
    return Result(data, tuple(_fields(economy, list(columns))), ("region", "sector"), Text("structure.sectors"))


def _fields(economy: Economy, names: Sequence[str]) -> list[Field]:
    table = {"table_id": economy.table_id}
    whole = Matrix("io_cell", table)
    here: dict[str, Any] = {**table, "row": Cell("sector"), "block": "X"}
    if economy.kind == "multiregional":
        here["row_region"] = Cell("region")
    added: dict[str, Any] = {**table, "block": "V", "col": Cell("sector")}
    derived = economy.value_codes == ("VA",)
    bases = {
        "output": Rows("io_cell", here),
        "value_added": whole if derived else Rows("io_cell", added),
        "employment": Rows("crosswalk", {"to_version": economy.meta["version"], "to_code": Cell("sector")}),
    }
    kinds = {"region": "text", "sector": "text", "name_zh": "text", "name_en": "text", "quadrant": "class"}
    units = {"output": economy.unit, "value_added": economy.unit, "employment": "person"}
    if "employment_content" in names:
        units["employment_content"] = f"person_per_{economy.unit}"
    shares = {"value_added_content", "import_content"}
    return [
        Field(
            name=name,
            label=Text(f"column.{name}"),
            kind=kinds.get(name, "share" if name in shares else "number"),
            unit=units.get(name, "none"),
            basis=None if name in kinds else bases.get(name, whole),
            lang={"name_zh": "zh", "name_en": "en"}.get(name),
            digits=4 if "linkage" in name or "normalised" in name or name == "employment_content" else None,
        )
        for name in names
    ]


def _caveats(economy: Economy, people: Satellite | None) -> list[Caveat]:
    said = [Caveat("note", NOTES[economy.kind])]
    residual, tolerance = economy.meta["residual"], economy.meta["tolerance"]
    said.append(
        Caveat(
            "note",
            Text(
                "structure.balance",
                {"identity": economy.meta["row_identity"], "residual": residual, "tolerance": tolerance},
            ),
        )
    )
    idle = [f"{c}" for c, x in zip(economy.codes, economy.x, strict=True) if x == 0]
    if idle:
        said.append(Caveat("note", Text("structure.idle", {"sectors": idle[:8], "count": len(idle)})))
    negative = int((economy.Z < 0).sum())
    if negative:
        said.append(Caveat("warning", Text("structure.negative", {"count": negative})))
    said += caveats(economy, people, None)
    return said


def _steps(economy: Economy) -> list[Step]:
    blair = "Miller & Blair 2009, Input-Output Analysis, ch. 2, 4, 12"
    params = {"sectors": economy.n, "table": economy.table_id}
    return [
        Step("leontief.backward_linkage", "A = Z x̂⁻¹; L = (I − A)⁻¹; backward = 1ᵀL", blair, params),
        Step("leontief.normalised", "over its mean", "Rasmussen 1956, Studies in Inter-Sectoral Relations"),
        Step("ghosh.forward_linkage", "B = x̂⁻¹Z; G = (I − B)⁻¹; forward = G1 (= upstreamness)",
             f"{blair}; Antràs, Chor, Fally & Hillberry 2012, AER 102(3)"),
        Step("leontief.multipliers", "v̂ x̂⁻¹ (I − Aᵈ)⁻¹; Aᵈ = d̂ A, d = 1 − M / (Z1 + F_home)" if
             economy.kind == "competitive" else "v̂ x̂⁻¹ (I − Aᵈ)⁻¹", blair, params),
    ]  # fmt: skip


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The sectors through which most of one figure runs: L_ij (or G_ji, v_i L_ij) of the largest."""
    del finding
    economy = load_economy(ctx, TableId(ctx.params["table"]))
    if table == "totals":
        return _whole(economy, str(row["measure"]).removeprefix("column."), ctx.params.get("region"))
    j = economy.index(row["sector"], row["region"])
    unit = np.zeros(economy.n)
    unit[j] = 1.0
    forward = column.startswith("forward")
    if forward:
        row_of_l = economy.domestic.solve(unit, transposed=True).x
        parts = row_of_l * np.divide(economy.x, economy.x[j], out=np.zeros_like(economy.x), where=economy.x[j] > 0)
    elif column == "value_added":
        parts = np.where(unit > 0, economy.v, 0.0)
    elif column.endswith("_content"):
        parts = economy.domestic.solve(unit).x * satellite_coefficients(economy.v, economy.x)
    else:
        parts = economy.economy.solve(unit).x
    return [
        Path(_named(economy, i), float(parts[i]), share, _flow(economy, *((j, i) if forward else (i, j))))
        for i, share in _largest(parts)
    ]


def _largest(parts: Floats) -> list[tuple[int, float]]:
    total = float(parts.sum())
    return [(int(i), float(parts[i] / total) if total else 0.0) for i in np.argsort(-parts, kind="stable")[:_TOP]]


def _named(economy: Economy, i: int) -> dict[str, str]:
    where = f"{economy.regions[i]} " if economy.kind == "multiregional" else ""
    return both(
        f"{where}{economy.codes[i]} {economy.name_zh[i]}",
        f"{where}{economy.codes[i]} {economy.name_en[i]}",
    )


def _flow(economy: Economy, source: int, target: int) -> dict[str, Any]:
    """The cell of the direct flow between two sectors."""
    cells = {"table_id": economy.table_id, "block": "Z", "row": economy.codes[source], "col": economy.codes[target]}
    if economy.kind == "multiregional":
        cells |= {"row_region": economy.regions[source], "col_region": economy.regions[target]}
    return cells


def _whole(economy: Economy, measure: str, region: str | None) -> list[Path]:
    """The sectors that a total is made of."""
    parts, block, side = {
        "output": (economy.x, "X", "row"),
        "value_added": (economy.v, "V", "col"),
        "imports": (economy.imports, "M", "row"),
    }[measure]
    shown = np.array([region in (None, r) for r in economy.regions])
    parts = np.where(shown, parts, 0.0)
    found = []
    for i, share in _largest(parts):
        cells = {"table_id": economy.table_id, "block": block, side: economy.codes[i]}
        if economy.kind == "multiregional":
            cells[f"{side}_region"] = economy.regions[i]
        found.append(Path(_named(economy, i), float(parts[i]), share, cells))
    return found


def _totals(economy: Economy, shown: NDArray[np.bool_]) -> Result:
    v, x = economy.v[shown].sum(), economy.x[shown].sum()
    rows = [("output", x), ("value_added", v)]
    if economy.kind != "multiregional":
        rows.append(("imports", float(economy.imports.sum())))
    data = pa.table({"measure": [f"column.{n}" for n, _ in rows], "amount": [float(a) for _, a in rows]})
    fields = (
        Field("measure", Text("column.measure"), "key"),
        Field(
            "amount", Text("column.amount"), "number", economy.unit, Matrix("io_cell", {"table_id": economy.table_id})
        ),
    )
    return Result(data, fields, ("measure",), Text("structure.totals"))


@lens("structure", version=1, reads=READS, explain=_explain)
def structure(ctx: Context, *, table: TableId, region: IoRegion | None = None) -> Finding:
    """How is an economy built? Multipliers, linkages, key sectors, value-added and employment content."""
    economy = load_economy(ctx, table)
    shown = np.ones(economy.n, dtype=bool)
    if region is not None:
        shown = np.array([r == region for r in economy.regions])
        if not shown.any():
            raise UnknownName("unknown_region", str(region), sorted(set(economy.regions)))
    people = jobs(ctx, economy)
    home = shown if economy.kind == "multiregional" else np.ones(economy.n, dtype=bool)
    figures = _figures(economy, home, people)
    sectors = _sectors(economy, figures, shown, people)
    top = sectors.data.sort_by([("backward_linkage", "descending")]).slice(0, 1).to_pylist()[0]
    keys = int(sum(q == "key" for q in sectors.data["quadrant"].to_pylist()))
    where = place_names(str(region)) if region is not None else economy.names
    headline = Text(
        "structure.headline",
        {
            "where": where,
            "table": economy.names,
            "sector": both(top["name_zh"], top["name_en"]),
            "linkage": top["backward_linkage"],
            "keys": keys,
            "count": sectors.data.num_rows,
        },
    )
    charts = (
        Chart(
            "scatter",
            "sectors",
            {"x": "forward_normalised", "y": "backward_normalised", "size": "output", "color": "quadrant",
             "name": "name"},
            Text("structure.quadrants"),
            {"x_line": 1.0, "y_line": 1.0},
        ),
        Chart("bar", "sectors", {"x": "name", "y": "backward_linkage"}, Text("structure.top"), {"top": 15}),
    )  # fmt: skip
    return ctx.answer(
        headline,
        {"sectors": sectors, "totals": _totals(economy, shown)},
        charts=charts,
        caveats=_caveats(economy, people),
        steps=_steps(economy),
    )
