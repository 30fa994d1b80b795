"""Do regions grow together or apart? σ, β, Dagum, Theil, densities, Markov chains and Moran's I of coordination."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import KernelRefused
from ronghe.kernels.convergence import BetaConvergence, beta_cross_section, beta_panel, sigma
from ronghe.kernels.coupling import coordination
from ronghe.kernels.density import Density, kernel_density
from ronghe.kernels.inequality import dagum, gini, theil
from ronghe.lenses.base import Context, lens
from ronghe.lenses.fusion.chains import (
    STATES,
    chain_tests,
    local_table,
    long_run_table,
    markov_table,
    moran_by_year,
    spatial_chain,
    states_of,
    tests_table,
)
from ronghe.lenses.fusion.common import (
    contributions,
    everything,
    measure_steps,
    named,
    panel_caveats,
    result,
    say_names,
)
from ronghe.lenses.fusion.fusion_map import PROVINCE
from ronghe.lenses.fusion.load import READS, in_words
from ronghe.lenses.fusion.measure import Filling, Form, Measure, Weighing, measure
from ronghe.lenses.fusion.params import Alpha, SystemName
from ronghe.lenses.fusion.peers import structure_of
from ronghe.lenses.fusion.spatial import Island, Neighbours, weights_of
from ronghe.lenses.params import LATEST, Year, pick_year
from ronghe.model.finding import Caveat, Chart, Field, Finding, Result
from ronghe.model.provenance import Step
from ronghe.model.regions import region_names, zone_of
from ronghe.model.text import Text

Floats = NDArray[np.float64]
_POINTS = 81
_FORMS: tuple[Form, ...] = ("modified", "classic")
_ZONES = ("CN-EAST", "CN-CENTRAL", "CN-WEST", "CN-NORTHEAST")
_SURE = 0.05
_MOST = 0.8


def _zones(measured: Measure) -> tuple[list[str], NDArray[np.int64]] | None:
    """The zones present and each region's number; ``None`` where regions are in no zone or in one only."""
    of = [zone_of(r) for r in measured.panel.regions]
    present = [z for z in _ZONES if z in of]
    if None in of or len(present) < 2:
        return None
    return present, np.array([present.index(str(z)) for z in of], dtype=np.int64)


def _trend(measured: Measure, W: Floats | None, seed: int, density: Density) -> Result:
    D = measured.found.D
    positive = bool((D > 0).all())
    log = sigma(D) if positive else np.full(len(D), np.nan)
    cv = D.std(axis=1) / D.mean(axis=1)
    near = moran_by_year(D, W, seed) if W is not None else [{"I": None, "z": None, "p": None}] * len(D)
    rows = [
        {
            "year": year,
            "mean": float(D[t].mean()),
            "sigma": float(log[t]),
            "cv": float(cv[t]),
            "gini": gini(D[t]),
            "theil": theil(D[t]).T if positive else None,
            "I": near[t]["I"],
            "I_p": near[t]["p"],
            "bandwidth": float(density.bandwidth[t]),
            "peaks": int(density.peaks[t]),
        }
        for t, year in enumerate(measured.panel.years)
    ]
    basis = everything(measured)
    labels = {"mean": 3, "sigma": 4, "cv": 4, "gini": 4, "theil": 4, "I": 3, "I_p": 3, "bandwidth": 4}
    fields = (
        Field("year", Text("column.year"), "year"),
        *(Field(k, Text(f"column.spread_{k}"), basis=basis, digits=d) for k, d in labels.items()),
        Field("peaks", Text("column.spread_peaks"), "integer", basis=basis),
    )
    return result(rows, fields, ("year",), Text("convergence.trend"))


def _beta_row(name: str, found: BetaConvergence) -> dict[str, Any]:
    at = found.slope_at
    fit = found.regression
    return {
        "model": f"convergence.model.{name}",
        "slope": found.slope,
        "low": float(fit.low[at]),
        "high": float(fit.high[at]),
        "se": float(fit.se[at]),
        "p": found.p,
        "speed": found.speed,
        "half_life": found.half_life if np.isfinite(found.half_life) else None,
        "r2": fit.r2,
        "n": fit.n,
    }


def _beta(measured: Measure, said: list[Caveat]) -> Result:
    D = measured.found.D
    structure = structure_of(measured)
    works: dict[str, Callable[[], BetaConvergence]] = {"absolute": lambda: beta_cross_section(D)}
    if structure is not None:
        works["conditional"] = lambda: beta_cross_section(D, structure.values[0])
        works["pooled"] = lambda: beta_panel(D, structure.values, region_effects=False)
    works["two_way"] = lambda: beta_panel(D)
    rows = []
    for name, work in works.items():
        found = _attempt(measured, f"convergence.model.{name}", work, said)
        rows += [] if found is None else [_beta_row(name, found)]
    basis = everything(measured)
    digits = {"slope": 4, "low": 4, "high": 4, "se": 4, "p": 3, "speed": 4, "half_life": 1, "r2": 3}
    fields = (
        Field("model", Text("column.model"), "key"),
        *(Field(k, Text(f"column.beta_{k}"), basis=basis, digits=d) for k, d in digits.items()),
        Field("n", Text("column.beta_n"), "integer", basis=basis),
    )
    return result(rows, fields, ("model",), Text("convergence.beta"))


def _dagum(measured: Measure, zones: list[str], groups: NDArray[np.int64]) -> tuple[Result, Result]:
    D, years = measured.found.D, measured.panel.years
    parts, own = [], []
    for t, year in enumerate(years):
        found = dagum(D[t], groups)
        entropy = theil(D[t], groups) if (D[t] > 0).all() else None
        shares = {f"{k}_share": v / found.G if found.G else None for k, v in
                  (("Gw", found.Gw), ("Gnb", found.Gnb), ("Gt", found.Gt))}  # fmt: skip
        parts.append({"year": year, "G": found.G, "Gw": found.Gw, "Gnb": found.Gnb, "Gt": found.Gt, **shares,
                      **{k: None if entropy is None else getattr(entropy, k) for k in ("T", "within", "between")},
                      })  # fmt: skip
        own += [
            {
                "year": year,
                **say_names("zone", region_names(a)),
                **say_names("other", region_names(b)),
                "G": float(found.gini[i, j]),
                "zone": a,
                "than": b,
            }
            for i, a in enumerate(zones)
            for j, b in enumerate(zones)
            if i <= j
        ]
    basis = everything(measured)
    fields = (
        Field("year", Text("column.year"), "year"),
        *(Field(k, Text(f"column.dagum_{k}"), basis=basis, digits=4) for k in ("G", "Gw", "Gnb", "Gt")),
        *(Field(f"{k}_share", Text(f"column.dagum_{k}_share"), "share", basis=basis) for k in ("Gw", "Gnb", "Gt")),
        *(Field(k, Text(f"column.theil_{k}"), basis=basis, digits=4) for k in ("T", "within", "between")),
    )
    zone_fields = (
        Field("year", Text("column.year"), "year"),
        *named("zone", "column.zone"),
        *named("other", "column.other_zone"),
        Field("G", Text("column.dagum_G"), basis=basis, digits=4),
        Field("zone", Text("column.zone_code"), "text"),
        Field("than", Text("column.other_zone_code"), "text"),
    )
    return (
        result(parts, fields, ("year",), Text("convergence.dagum")),
        result(own, zone_fields, ("year", "zone", "than"), Text("convergence.zones")),
    )


def _density_table(measured: Measure, found: Density) -> Result:
    rows = [
        {"year": year, "x": float(x), "density": float(d)}
        for t, year in enumerate(measured.panel.years)
        for x, d in zip(found.grid, found.density[t], strict=True)
    ]
    basis = everything(measured)
    fields = (
        Field("year", Text("column.year"), "year"),
        Field("x", Text(f"column.D_{measured.form}"), basis=basis, digits=3),
        Field("density", Text("column.density"), basis=basis, digits=3),
    )
    return result(rows, fields, ("year", "x"), Text("convergence.density"))


def _robust(measured: Measure) -> Result:
    """Would the verdict be the same under other weights and the other form?"""
    rows = []
    for method in sorted(measured.methods):
        U = measured.levels(measured.methods[method])
        for form in _FORMS:
            D = coordination(U, alpha=measured.alpha, form=form).D
            if not (D > 0).all():
                continue
            spread, found = sigma(D), beta_cross_section(D)
            rows.append(
                {
                    "weights": f"fusion.method.{method}",
                    "form": f"fusion.form.{form}",
                    "first": float(spread[0]),
                    "last": float(spread[-1]),
                    "change": float(spread[-1] / spread[0] - 1.0),
                    "slope": found.slope,
                    "p": found.p,
                }
            )
    basis, years = everything(measured), measured.panel.years
    fields = (
        Field("weights", Text("column.weighing"), "key"),
        Field("form", Text("column.form"), "key"),
        Field("first", Text("column.sigma_in", {"year": years[0]}), basis=basis, digits=4),
        Field("last", Text("column.sigma_in", {"year": years[-1]}), basis=basis, digits=4),
        Field("change", Text("column.sigma_change"), "share", basis=basis),
        Field("slope", Text("column.beta_slope"), basis=basis, digits=4),
        Field("p", Text("column.beta_p"), basis=basis, digits=3),
    )
    return result(rows, fields, ("weights", "form"), Text("convergence.robust"))


def _attempt(measured: Measure, section: str, work: Callable[[], Any], said: list[Caveat]) -> Any:
    """A part of the answer, or a caveat that says why these data do not allow it."""
    panel = measured.panel
    try:
        with in_words([i.names for i in panel.items], [panel.name(r) for r in panel.regions], panel.years):
            return work()
    except KernelRefused as error:
        said.append(Caveat("warning", Text("convergence.left_out", {"section": Text(section), "why": error.text})))
        return None


def _charts(tables: dict[str, Result], year: int) -> list[Chart]:
    all_charts = [
        Chart("line", "trend", {"x": "year", "y": "sigma", "y2": "cv", "y3": "gini"}, Text("convergence.trend")),
        Chart("ridge", "density", {"x": "x", "y": "density", "color": "year"}, Text("convergence.density")),
        Chart("bar", "dagum", {"x": "year", "y": "Gw_share", "y2": "Gnb_share", "y3": "Gt_share"},
              Text("convergence.dagum"), {"stack": True}),
        Chart("heatmap", "markov", {"x": "to", "y": "from", "value": "p"}, Text("fusion.markov"),
              {"where": {"neighbours": "fusion.lag.all"}}),
        Chart("scatter", "local", {"x": "z", "y": "lag", "name": "name", "color": "verdict"},
              Text("fusion.local", {"year": year}), {"x_line": 0.0, "y_line": 0.0}),
        Chart("tilemap", "local", {"region": "region", "value": "I"}, Text("fusion.local_map", {"year": year}),
              {"diverging": True, "middle": 0.0}),
    ]  # fmt: skip
    return [c for c in all_charts if c.table in tables and tables[c.table].data.num_rows]


def _headline(measured: Measure, trend: Result, beta: Result, robust: Result) -> Text:
    rows = trend.data.to_pylist()
    first, last = rows[0], rows[-1]
    if first["sigma"] is None:
        return Text(
            "convergence.headline_zero",
            {
                "system": dict(measured.system.names),
                "first": first["year"],
                "last": last["year"],
                "from": first["cv"],
                "to": last["cv"],
                "change": last["cv"] / first["cv"] - 1.0,
            },
        )
    models = {r["model"].rsplit(".", 1)[1]: r for r in beta.data.to_pylist()}
    absolute = models.get("absolute", {"slope": 0.0, "p": 1.0})
    known = absolute["p"] is not None and absolute["p"] <= _SURE
    sign = 1.0 if absolute["slope"] < 0 else -1.0
    variants = robust.data.to_pylist()
    agree = sum(v["slope"] * sign < 0 and v["p"] <= _SURE for v in variants)
    verdict = ("closing" if sign > 0 else "opening") if known else "unclear"
    if known and agree < _MOST * len(variants):
        verdict = f"{verdict}_fragile"
    args = {
        "system": dict(measured.system.names), "first": first["year"], "last": last["year"], "from": first["sigma"],
        "to": last["sigma"], "change": last["sigma"] / first["sigma"] - 1.0,
        "verdict": Text(f"convergence.verdict.{verdict}"), "p": absolute["p"],
        "agree": agree, "variants": len(variants),
    }  # fmt: skip
    return Text("convergence.headline", args)


_STEPS = (
    Step("convergence.sigma", "standard deviation of ln D between regions", "Barro & Sala-i-Martin 1992, JPE 100"),
    Step("convergence.beta", "(1/T)ln(D_T/D_0) = a + b ln D_0 (+ c'x); panel with region and year effects; HC1, "
         "clustered", "Barro & Sala-i-Martin 1992; Arellano 1987"),
    Step("inequality.dagum", "G = Gw + Gnb + Gt", "Dagum 1997, Empirical Economics 22:515"),
    Step("inequality.theil", "T = Σ s ln(s/p), within + between", "Theil 1967; Shorrocks 1980"),
    Step("density.kernel_density", "Gaussian, Silverman's bandwidth, reflected at 0 and 1", "Silverman 1986"),
    Step("markov.spatial_markov", "P_ij = N_ij/N_i, by the class of the neighbours' mean", "Quah 1993; Rey 2001"),
    Step("spatial.moran", "I = (n/S₀)z'Wz/z'z; 999 permutations, two-sided", "Moran 1950; Cliff & Ord 1981"),
    Step("spatial.local_moran", "I_i = (n−1)z_i Σw_ij z_j/z'z; conditional permutation, false-discovery rate",
         "Anselin 1995; Benjamini & Hochberg 1995"),
)  # fmt: skip


@lens("convergence", version=1, reads=READS, explain=contributions)
def convergence(
    ctx: Context,
    *,
    system: SystemName = PROVINCE,
    year: Year = LATEST,
    neighbours: Neighbours = "contiguity",
    island: Island = "sea",
    alpha: Alpha | None = None,
    form: Form = "modified",
    weights: Weighing = "combined",
    missing: Filling = "system",
    seed: int = 0,
) -> Finding:
    """Are regions catching up with each other in fusion, and do neighbours pull each other along?"""
    del alpha, form, weights, missing
    measured = measure(ctx, ctx.params)
    panel, D = measured.panel, measured.found.D
    t = panel.years.index(pick_year(year, panel.years, str(system)))
    if len(panel.years) < 2:
        raise KernelRefused("fusion_few_years", found=len(panel.years), needed=2)
    said: list[Caveat] = []
    names = [panel.name(r) for r in panel.regions]
    with in_words([i.names for i in panel.items], names, panel.years):
        density = kernel_density(D, points=_POINTS, support=(0.0, 1.0))
        W = weights_of(measured, neighbours, island) if len(panel.regions) >= 4 else None
        trend = _trend(measured, W, seed, density)
    zero = [names[i] for i in np.flatnonzero((D <= 0).any(axis=0))]
    if zero:
        said.append(Caveat("warning", Text("convergence.zeros", {"regions": zero[:10]})))
    tables = {"trend": trend, "beta": _beta(measured, said)}
    zones = _zones(measured)
    if zones is None:
        said.append(Caveat("note", Text("convergence.no_zones")))
    else:
        tables["dagum"], tables["zones"] = _dagum(measured, *zones)
    tables["density"] = _density_table(measured, density)
    if W is not None:
        tables |= _moving(measured, W, said)
        tables["local"] = local_table(measured, W, t, seed)
    tables["robust"] = _robust(measured)
    args = {"kind": Text(f"convergence.neighbours.{neighbours}"), "island": Text(f"convergence.island.{island}")}
    said.append(Caveat("note", Text("convergence.weights", args)))
    return ctx.answer(
        _headline(measured, trend, tables["beta"], tables["robust"]),
        tables,
        charts=_charts(tables, panel.years[t]),
        caveats=[Caveat("note", Text("convergence.short", {"years": len(panel.years)})), *said,
                 *panel_caveats(measured)],
        steps=[*measure_steps(measured), *_STEPS],
    )  # fmt: skip


def _moving(measured: Measure, W: Floats, said: list[Caveat]) -> dict[str, Result]:
    """The tables on moves between classes, as far as the data allow them."""
    D = measured.found.D
    found = _attempt(measured, "fusion.markov", lambda: spatial_chain(D, W, STATES), said)
    if found is None:
        return {}
    states, cut = states_of(D, STATES)
    tables = {"markov": markov_table(measured, found)}
    long_run = _attempt(measured, "fusion.long_run", lambda: long_run_table(measured, found, cut, states), said)
    if long_run is not None:
        tables["long_run"] = long_run
    tests = _attempt(measured, "fusion.tests", lambda: tests_table(measured, chain_tests(found)), said)
    if tests is not None:
        tables["tests"] = tests
    return tables
