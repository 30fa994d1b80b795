"""Which imports could be cut off: how concentrated imports and world exports are, as far as the trade table tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ronghe.errors import AskError, UnknownName
from ronghe.kernels.complexity import density, presence, proximity, rca
from ronghe.kernels.dependency import dependence, exporter_reliance, herfindahl, substitutable
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.chains.products import product_names
from ronghe.lenses.chains.shocks import Shocks
from ronghe.lenses.chains.traded import READS as TRADED
from ronghe.lenses.chains.traded import (
    Input,
    Sold,
    caveats_of,
    charts_of,
    explain_exporters,
    headline_of,
    inputs_of,
    tables_of,
)
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.params import LATEST, Choice, Region, Year, pick_year, place_names
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both
from ronghe.model.units import FLOW_MEANS

Floats = NDArray[np.float64]
READS = ("trade", "industry", *TRADED)
WORLD = "WLD"


class Trader(Region):
    """A country in the trade table."""

    reads = ("trade",)

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The countries that export or import."""
        return [
            Choice(r["region"], place_names(r["region"])) for r in snapshot.distinct("trade", ("region",)).to_pylist()
        ]


@dataclass(frozen=True)
class _Trade:
    """One classification's trade.

    sold (T, P, C) world exports by exporter; bought (T, P, C) the country's imports by origin, ``None`` where the
    table has none; own (T, P) its exports. ``averaged`` years stand behind each.
    """

    classification: tuple[str, str]
    products: tuple[str, ...]
    exporters: tuple[str, ...]
    years: tuple[int, ...]
    averaged: int
    sold: Floats
    bought: Floats | None
    own: Floats
    unit: str

    @property
    def period(self) -> str:
        """The last year, or the years that its averages stand for."""
        last, half = self.years[-1], self.averaged // 2
        return f"{last - half}–{last + half}" if half else str(last)

    def place(self, country: str) -> int | None:
        """The place of a country among the exporters."""
        return self.exporters.index(country) if country in self.exporters else None


def _classification(ctx: Context) -> tuple[str, str]:
    """The finest classification of the table: the one with most products."""
    rows = ctx.table("trade")
    counted = rows.group_by(["classification", "version"]).aggregate(n=rows["product"].nunique())
    found = ctx.fetch(counted).to_pylist()
    if not found:
        raise ctx.nothing("trade")
    best = max(found, key=lambda r: (r["n"], r["classification"], r["version"]))
    return best["classification"], best["version"]


def _sums(ctx: Context, where: Mapping[str, Any], by: Sequence[str]) -> pa.Table:
    """Trade added up by the engine; only sums come back."""
    rows = ctx.table("trade")
    for column, value in where.items():
        one = rows[column]
        rows = rows.filter(one.isin(list(value)) if isinstance(value, (list, tuple)) else one == value)
    found = rows.group_by(list(by)).aggregate(value=rows["value"].sum(), years=rows["years"].max())
    return ctx.fetch(found.order_by(list(by)))


def _cube(rows: pa.Table, axes: Mapping[str, Sequence[Any]]) -> Floats:
    """The values of ``rows`` in an array with one axis a column; what is on no axis is left out."""
    at = [pc.fill_null(pc.index_in(rows[c], value_set=pa.array(v, rows[c].type)), -1).to_numpy() for c, v in
          axes.items()]  # fmt: skip
    kept = np.all([i >= 0 for i in at], axis=0) if rows.num_rows else np.zeros(0, dtype=bool)
    out = np.zeros([len(v) for v in axes.values()])
    np.add.at(out, tuple(np.asarray(i)[kept].astype(np.int64) for i in at), rows["value"].to_numpy()[kept])
    return out


def _load(ctx: Context, country: str, year: int, span: int) -> _Trade:
    key = _classification(ctx)
    base = {"classification": key[0], "version": key[1]}
    known = sorted(_sums(ctx, base, ("year",)).column("year").to_pylist())
    last = pick_year(year, known, "trade")
    years = tuple(y for y in known if last - span < y <= last)
    here = {**base, "year": years}
    sums = _sums(ctx, {**here, "flow": "export"}, ("region", "partner", "product", "year"))
    whole = pc.equal(sums["partner"], WORLD)
    if pc.any(whole).as_py():
        # Where a country's total to the world is published it stands; the sum over partners would count it twice.
        stated = sums.filter(whole)
        seen = set(zip(*(stated[c].to_pylist() for c in ("region", "product", "year")), strict=True))
        rest = sums.filter(pc.invert(whole))
        fresh = [k not in seen for k in zip(*(rest[c].to_pylist() for c in ("region", "product", "year")), strict=True)]
        sums = pa.concat_tables([stated, rest.filter(pa.array(fresh, pa.bool_()))])
    products = tuple(sorted(sums["product"].unique().to_pylist()))
    exporters = tuple(sorted(sums["region"].unique().to_pylist()))
    sold = _cube(sums, {"year": years, "product": products, "region": exporters})
    bought = _imports(ctx, here, country, products, exporters)
    own = sold[:, :, exporters.index(country)] if country in exporters else np.zeros(sold.shape[:2])
    averaged = int(pc.max(sums["years"]).as_py() or 1)
    units = ctx.snapshot.distinct("trade", ("unit", "classification", "version")).to_pylist()
    unit = next(str(r["unit"]) for r in units if (r["classification"], r["version"]) == key)
    return _Trade(key, products, exporters, years, averaged, sold, bought, own, unit)


def _imports(
    ctx: Context, here: Mapping[str, Any], country: str, products: Sequence[str], exporters: Sequence[str]
) -> Floats | None:
    """The country's imports by origin: as it reports them, else as its partners report their exports to it."""
    reported = _sums(ctx, {**here, "flow": "import", "region": country}, ("partner", "product", "year"))
    reported = reported.filter(pc.not_equal(reported["partner"], WORLD))
    years = here["year"]
    if reported.num_rows:
        return _cube(reported, {"year": years, "product": products, "partner": exporters})
    mirrored = _sums(ctx, {**here, "flow": "export", "partner": country}, ("region", "product", "year"))
    if not mirrored.num_rows:
        return None
    return _cube(mirrored, {"year": years, "product": products, "region": exporters})


def _relied(ctx: Context, trade: _Trade) -> Floats | None:
    """(P,) Freeman's centralisation of each product's export network in the last year; ``None`` without partners."""
    here = {"classification": trade.classification[0], "version": trade.classification[1], "flow": "export",
            "year": trade.years[-1]}  # fmt: skip
    rows = _sums(ctx, here, ("product", "region", "partner"))
    rows = rows.filter(pc.not_equal(rows["partner"], WORLD))
    if not rows.num_rows:
        return None
    places = sorted({*rows["region"].unique().to_pylist(), *rows["partner"].unique().to_pylist()})
    found = np.full(len(trade.products), np.nan)
    for i, product in enumerate(trade.products):
        flows = _cube(rows.filter(pc.equal(rows["product"], product)), {"region": places, "partner": places})
        found[i] = exporter_reliance(flows[None]).centralisation[0]
    return found


def _near(trade: _Trade, country: str) -> Floats:
    """(P,) how near each product is to what the country exports with an advantage; NaN where it exports nothing."""
    mine = trade.place(country)
    last = trade.sold[-1].T
    if mine is None or not last.sum() > 0:
        return np.full(len(trade.products), np.nan)
    m = presence(rca(last))
    return np.asarray(density(m, proximity(m))[mine])


def _rows(ctx: Context, trade: _Trade, country: str, threshold: float, years: int) -> list[dict[str, Any]]:
    last = trade.sold[-1]
    hhi, total, top = herfindahl(last), last.sum(axis=1), last.argmax(axis=1)
    named, near, relied = product_names(ctx, *trade.classification), _near(trade, country), _relied(ctx, trade)
    bought = _bought(trade, threshold, years)
    rows: list[dict[str, Any]] = []
    for i in np.flatnonzero(total > 0).tolist():
        product, leader = trade.products[i], trade.exporters[top[i]]
        names = place_names(leader)
        rows.append(
            {
                "product": product,
                **{f"name_{lang}": name for lang, name in named.get(product, both(None, product)).items()},
                "world_exports": float(total[i]),
                "exporters": int((last[i] > 0).sum()),
                "hhi_world": float(hhi[i]),
                "top": leader,
                "top_zh": names["zh"],
                "top_en": names["en"],
                "top_share": float(last[i, top[i]] / total[i]),
                "own_exports": float(trade.own[-1, i]),
                "own_share": float(trade.own[-1, i] / total[i]),
                "relatedness": _number(near[i]),
                "centralisation": None if relied is None else _number(relied[i]),
                "concentrated": "yes" if hhi[i] > threshold and leader != country else "no",
                **(bought[i] if bought is not None else {}),
            }
        )
    full = bought is not None
    column, weight = ("dependent", "imports") if full else ("concentrated", "hhi_world")
    rows.sort(key=lambda r: (r[column] != "yes", -float(r[weight]), r["product"]))
    return rows


def _bought(trade: _Trade, threshold: float, years: int) -> list[dict[str, Any]] | None:
    """What the country's own imports say of each product; ``None`` where the table has none."""
    if trade.bought is None:
        return None
    found = dependence(trade.bought, trade.sold, trade.own, threshold=threshold, years=years)
    last = trade.bought[-1]
    spare = substitutable(last, trade.sold[-1])
    total, origin = last.sum(axis=1), last.argmax(axis=1)
    rows = []
    for i in range(len(trade.products)):
        k, held = int(origin[i]), total[i] > 0
        where = place_names(trade.exporters[k])
        rows.append(
            {
                "imports": float(total[i]),
                "hhi_imports": _number(found.hhi_imports[-1, i]),
                "ratio": _number(found.ratio[-1, i]),
                "years_met": int(found.met[:, i].sum()),
                "dependent": "yes" if found.dependent[i] else "no",
                "origin": trade.exporters[k] if held else None,
                "origin_zh": where["zh"] if held else None,
                "origin_en": where["en"] if held else None,
                "origin_share": float(last[i, k] / total[i]) if held else None,
                "replaceable": _number(spare[i, k]) if held else None,
            }
        )
    return rows


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _fields(trade: _Trade, country: str) -> list[Field]:
    key: dict[str, Any] = {
           "classification": trade.classification[0], "version": trade.classification[1], "product": Cell("product"),
           "year": trade.years[-1]}  # fmt: skip
    world = Rows("trade", {**key, "flow": "export"})
    own = Rows("trade", {**key, "flow": "export", "region": country})
    top = Rows("trade", {**key, "flow": "export", "region": Cell("top")})
    first = [
        text_field("product"), *name_fields("name", "column.product_name"), text_field("concentrated", "class"),
        figure("hhi_world", basis=world, digits=3), *name_fields("top", "column.top_exporter"),
        figure("top_share", "share", basis=top), figure("exporters", "integer", basis=world),
        figure("world_exports", unit=trade.unit, basis=world), figure("own_exports", unit=trade.unit, basis=own),
        figure("own_share", "share", basis=world), figure("relatedness", basis=Rows("trade", {
            k: v for k, v in key.items() if k != "product"}), digits=3),
        figure("centralisation", basis=world, digits=3), text_field("top"),
    ]  # fmt: skip
    if trade.bought is None:
        return [f for f in first if f.name != "centralisation"]
    span = {**key, "year": trade.years}
    bought = Rows("trade", span)
    return [
        *first[:3], text_field("dependent", "class"), figure("imports", unit=trade.unit, basis=bought),
        figure("hhi_imports", basis=bought, digits=3), figure("ratio", basis=bought, digits=2),
        figure("years_met", "integer", basis=bought), *name_fields("origin", "column.origin"),
        figure("origin_share", "share", basis=bought), figure("replaceable", "share", basis=bought), *first[3:],
        text_field("origin"),
    ]  # fmt: skip


def _caveats(trade: _Trade, rows: Sequence[Mapping[str, Any]]) -> list[Caveat]:
    code, version = trade.classification
    args = {"classification": f"{code} {version}", "products": len(rows), "first": trade.years[0],
            "last": trade.years[-1], "averaged": trade.averaged}  # fmt: skip
    said = [Caveat("warning", Text("dependency.mean_flow"))] if trade.unit in FLOW_MEANS else []
    if code.casefold() != "hs":
        said.append(Caveat("warning", Text("dependency.coarse", args)))
    if trade.averaged > 1:
        said.append(Caveat("warning", Text("dependency.average", args)))
    if trade.bought is None:
        said.append(Caveat("warning", Text("dependency.no_imports", args)))
    elif len(trade.years) < 3:
        said.append(Caveat("warning", Text("dependency.few_years", {**args, "years": len(trade.years)})))
    return said


def _sold(ctx: Context, trade: _Trade) -> Sold:
    key = {"classification": trade.classification[0], "version": trade.classification[1], "flow": "export",
           "year": trade.years[-1], "period": trade.period}  # fmt: skip
    return Sold(trade.products, trade.exporters, trade.sold[-1], product_names(ctx, *trade.classification), key)


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The products of an input, by how much of the exporter's share each makes."""
    del finding, table, column
    trade = _load(ctx, str(ctx.params["country"]), int(ctx.params["year"]), 3)
    sold = _sold(ctx, trade)
    inputs = inputs_of(ctx, Shocks(ctx.params["shock"]).shocks, sold)
    return explain_exporters(next(i for i in inputs if (i.chain or "—", i.step) == (row["chain"], row["step"])), sold,
                             row)  # fmt: skip


def _headline(trade: _Trade, country: str, threshold: float, rows: Sequence[Mapping[str, Any]], column: str) -> Text:
    picked = [r for r in rows if r[column] == "yes"]
    first = picked[0] if picked else rows[0]
    args = {
        "country": place_names(country), "count": len(picked), "products": len(rows), "threshold": threshold,
        "first": both(first["name_zh"], first["name_en"]), "top": both(first["top_zh"], first["top_en"]),
        "weight": sum(r["world_exports"] for r in picked) / sum(r["world_exports"] for r in rows),
        "share": first["top_share"], "classification": " ".join(trade.classification), "year": trade.period,
    }  # fmt: skip
    return Text("dependency.headline" if trade.bought is not None else "dependency.headline_world", args)


def _charts(column: str, threshold: float) -> list[Chart]:
    return [
        Chart("bar", "products", {"x": "name", "y": "hhi_world", "label": "top"}, Text("dependency.top"),
              {"top": 25, "line": threshold, "where": {column: "yes"}}),
        Chart("scatter", "products", {"x": "relatedness", "y": "hhi_world", "size": "world_exports", "name": "name",
                                      "color": column}, Text("dependency.map"), {"y_line": threshold}),
    ]  # fmt: skip


def _steps(full: bool) -> list[Step]:
    return [
        Step("dependency.dependence" if full else "dependency.herfindahl",
             "HHI of imports > θ, HHI of world exports > θ, imports / exports > 1, in 2 of 3 years",
             "CEPII Policy Brief 2024-47; European Commission SWD(2021) 352"),
        Step("complexity.density", "d_cp = Σ_q M_cq φ_qp / Σ_q φ_qp",
             "Hidalgo, Klinger, Barabási & Hausmann 2007, Science 317"),
    ]  # fmt: skip


def _of_inputs(ctx: Context, trade: _Trade, sold: Sold, country: str, inputs: Sequence[Input], products: Result,
               rows: Sequence[Mapping[str, Any]]) -> Finding:  # fmt: skip
    """The answer for the inputs of a shock alone."""
    if not inputs:
        raise AskError("shock_no_step")
    linked = [one for one in inputs if any(r.product in sold.products for r in one.rows)]
    tables = tables_of(inputs, sold, country)
    coarse = {"dependency.coarse", "dependency.few_years"}
    said = [c for c in _caveats(trade, rows) if c.text.key not in coarse]
    mixed = Step("traded.mixed", "share_c = Σ_p w_p s_pc; bounds: all w within theirs that add up to 1",
                 "Dantzig 1957, Operations Research 5")  # fmt: skip
    return ctx.answer(
        headline_of(inputs, sold, country),
        {**tables, "products": products} if linked else tables,
        charts=charts_of(inputs, sold),
        caveats=[*said, *caveats_of(inputs, sold)],
        steps=[*_steps(trade.bought is not None), mixed],
    )


@lens("dependency", version=2, reads=READS, explain=_explain)
def dependency(ctx: Context, *, country: Trader = Trader("CHN"), year: Year = LATEST, threshold: float = 0.4,  # noqa: B008
               shock: Shocks | None = None) -> Finding:  # fmt: skip
    """Which products does a country depend on others for: imports, world concentration, and how near it is to them?"""
    if not 0 < threshold < 1:
        raise AskError("bad_value", parameter="threshold", value=threshold, expected="0–1")
    trade = _load(ctx, str(country), int(year), 3)
    rows = _rows(ctx, trade, str(country), threshold, min(2, len(trade.years)))
    if not rows:
        raise UnknownName("unknown_region", str(country), trade.exporters)
    fields = _fields(trade, str(country))
    if shock is not None:
        sold = _sold(ctx, trade)
        inputs = inputs_of(ctx, shock.shocks, sold)
        wanted = {r.product for one in inputs for r in one.rows}
        kept = [r for r in rows if r["product"] in wanted]
        products = result(kept, fields, ("product",), "dependency.products")
        return _of_inputs(ctx, trade, sold, str(country), inputs, products, rows)
    column = "dependent" if trade.bought is not None else "concentrated"
    return ctx.answer(
        _headline(trade, str(country), threshold, rows, column),
        {"products": result(rows, fields, ("product",), "dependency.products")},
        charts=_charts(column, threshold),
        caveats=_caveats(trade, rows),
        steps=_steps(trade.bought is not None),
    )
