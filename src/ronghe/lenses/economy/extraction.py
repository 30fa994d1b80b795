"""Which sectors carry the economy: what would be missing if one stopped buying, selling or both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, UnknownName
from ronghe.kernels.extraction import extract
from ronghe.kernels.leontief import Leontief, factorise, satellite_coefficients
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.economy.economy import NOTES, Economy, load_economy
from ronghe.lenses.economy.satellites import Satellite, caveats, jobs
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.params import IoRegion, TableId
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Matrix, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
READS = ("io_table", "io_cell", "industry", "indicator", "crosswalk")
_TOP = 8
_SIDES = {"both": "both", "sales": "row", "purchases": "column"}


@dataclass(frozen=True)
class _Loss:
    """(n,) lost output, value added and jobs of taking each sector away, and the totals they are shares of."""

    output: Floats
    value_added: Floats
    jobs: Floats | None
    total_output: float
    total_value_added: float


def home_demand(economy: Economy) -> Floats:
    """(n,) what is left of each sector's output at home after deliveries to sectors at home: f of x = Aᵈ x + f."""
    return np.asarray(economy.x - economy.domestic.A @ economy.x)


def _losses(economy: Economy, people: Satellite | None, fraction: float, side: str) -> _Loss:
    weights = [np.ones(economy.n), satellite_coefficients(economy.v, economy.x)]
    if people is not None:
        weights.append(people.per_output(economy))
    found = extract(
        economy.domestic,
        home_demand(economy),
        fraction=fraction,
        side=_SIDES[side],  # type: ignore[arg-type]
        demand=side != "purchases",
        weights=np.vstack(weights),
    )
    persons = found.loss[2] if people is not None else None
    return _Loss(found.loss[0], found.loss[1], persons, float(economy.x.sum()), float(economy.v.sum()))


def _rows(economy: Economy, loss: _Loss, shown: Sequence[int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for i in shown:
        x = float(economy.x[i])
        rows.append(
            {
                "region": economy.regions[i],
                "sector": economy.codes[i],
                "name_zh": economy.name_zh[i],
                "name_en": economy.name_en[i],
                "output": x,
                "output_share": x / loss.total_output,
                "output_lost": float(loss.output[i]),
                "output_lost_share": float(loss.output[i]) / loss.total_output,
                "carried": float(loss.output[i]) / x if x > 0 else None,
                "value_added_lost": float(loss.value_added[i]),
                "value_added_lost_share": float(loss.value_added[i]) / loss.total_value_added,
                "jobs_lost": None if loss.jobs is None else float(loss.jobs[i]),
            }
        )
    rows.sort(key=lambda r: (-r["value_added_lost"], r["region"], r["sector"]))
    return [{"rank": number, **row} for number, row in enumerate(rows, start=1)]


def _fields(economy: Economy, with_jobs: bool) -> list[Field]:
    whole = Matrix("io_cell", {"table_id": economy.table_id})
    here: dict[str, Any] = {"table_id": economy.table_id, "block": "X", "row": Cell("sector")}
    if economy.kind == "multiregional":
        here["row_region"] = Cell("region")
    fields = [
        text_field("rank", "integer"),
        text_field("region"),
        text_field("sector"),
        *name_fields("name", "column.sector_name"),
        figure("value_added_lost", unit=economy.unit, basis=whole),
        figure("value_added_lost_share", "share", basis=whole, digits=2),
        figure("output_lost", unit=economy.unit, basis=whole),
        figure("output_lost_share", "share", basis=whole, digits=2),
        figure("carried", basis=whole, digits=3),
        figure("output", unit=economy.unit, basis=Rows("io_cell", here)),
        figure("output_share", "share", basis=whole, digits=2),
        figure("jobs_lost", "integer", "person", whole),
    ]
    return [f for f in fields if f.name != "jobs_lost" or with_jobs]


def without(economy: Economy, j: int, fraction: float, side: str) -> tuple[Leontief, Floats]:
    """The economy with a fraction of sector j taken away: its factorised system and final demand."""
    A, f = np.array(economy.domestic.A, dtype=float), home_demand(economy)
    kept = 1.0 - fraction
    own = A[j, j]
    if side in {"both", "sales"}:
        A[j, :] *= kept
        f[j] *= kept
    if side in {"both", "purchases"}:
        A[:, j] *= kept
    A[j, j] = own * kept
    return factorise(A, check=False), f


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The sectors that lose most when this one is taken away."""
    del finding, table
    economy = load_economy(ctx, TableId(ctx.params["table"]))
    j = economy.index(row["sector"], row["region"])
    if column == "output_share":
        return [_path(economy, j, float(economy.x[j]), float(economy.x[j] / economy.x.sum()), "X")]
    rest, f = without(economy, j, float(ctx.params["fraction"]), str(ctx.params["side"]))
    lost = economy.x - rest.solve(f).x
    if column.startswith("value_added"):
        lost = lost * satellite_coefficients(economy.v, economy.x)
    if column == "jobs_lost":
        people = jobs(ctx, economy)
        lost = lost * (people.per_output(economy) if people is not None else 0.0)
    total = float(lost.sum())
    order = np.argsort(-lost, kind="stable")[:_TOP]
    return [_path(economy, int(i), float(lost[i]), float(lost[i]) / total if total else 0.0, "X") for i in order]


def _path(economy: Economy, i: int, value: float, share: float, block: str) -> Path:
    cells = {"table_id": economy.table_id, "block": block, "row": economy.codes[i]}
    if economy.kind == "multiregional":
        cells["row_region"] = economy.regions[i]
    where = f"{economy.regions[i]} " if economy.kind == "multiregional" else ""
    names = both(f"{where}{economy.codes[i]} {economy.name_zh[i]}", f"{where}{economy.codes[i]} {economy.name_en[i]}")
    return Path(names, value, share, cells)


def _charts() -> tuple[Chart, ...]:
    return (
        Chart("bar", "sectors", {"x": "name", "y": "value_added_lost_share"}, Text("extraction.top"), {"top": 20}),
        Chart(
            "scatter",
            "sectors",
            {"x": "output_share", "y": "output_lost_share", "size": "output", "name": "name"},
            Text("extraction.scatter"),
        ),
    )


def _steps(fraction: float, side: str) -> list[Step]:
    paper = "Paelinck, de Caevel & Degueldre 1965; Dietzenbacher & Lahr 2013, Economic Systems Research 25(3)"
    formula = (
        "loss_j = x_j (wL)_j / L_jj" if fraction == 1 and side == "both" else "Sherman–Morrison–Woodbury on I − Aᵈ"
    )
    return [
        Step("extraction.extract", f"{formula}; every sector from one factorisation", paper,
             {"fraction": fraction, "side": side}),
        Step("imports.domestic_shares", "Aᵈ = d̂ A, d = 1 − M / (Z1 + F_home); f = x − Aᵈx",
             "Miller & Blair 2009, ch. 4"),
    ]  # fmt: skip


@lens("extraction", version=1, reads=READS, explain=_explain)
def extraction(
    ctx: Context,
    *,
    table: TableId,
    fraction: float = 1.0,
    side: Literal["both", "sales", "purchases"] = "both",
    region: IoRegion | None = None,
) -> Finding:
    """Which sectors carry the economy? What would be missing if one stopped, wholly or in part."""
    if not 0 < fraction <= 1:
        raise AskError("shock_loss", value=fraction)
    economy = load_economy(ctx, table)
    shown = [i for i in range(economy.n) if region in (None, economy.regions[i]) and economy.x[i] > 0]
    if not shown:
        raise UnknownName("unknown_region", str(region), sorted(set(economy.regions)))
    people = jobs(ctx, economy)
    loss = _losses(economy, people, fraction, side)
    rows = _rows(economy, loss, shown)
    sectors = result(rows, _fields(economy, loss.jobs is not None), ("region", "sector"), "extraction.sectors")
    first, five = rows[0], rows[:5]
    headline = Text(
        "extraction.headline",
        {
            "table": economy.names,
            "sector": both(first["name_zh"], first["name_en"]),
            "fraction": fraction,
            "share": first["value_added_lost_share"],
            "own": float(economy.v[economy.index(first["sector"], first["region"])]) / loss.total_value_added,
            "names": [both(r["name_zh"], r["name_en"]) for r in five],
        },
    )
    said = [Caveat("note", NOTES[economy.kind]), Caveat("note", Text("extraction.reading"))]
    return ctx.answer(
        headline,
        {"sectors": sectors},
        charts=_charts(),
        caveats=[*said, *caveats(economy, people, None)],
        steps=_steps(fraction, side),
    )
