"""How should research be shared among fields that build on each other? Actual against optimal shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, KernelRefused, refusal
from ronghe.kernels.allocation import Constrained, constrained_shares, gain, optimal_shares, sensitivity
from ronghe.kernels.errors import KernelError
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.allocation_load import ENOUGH, OTHER, Network, load_network, pieces
from ronghe.lenses.params import Region, place_names
from ronghe.model.finding import Caveat, Chart, Finding, Matrix, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text

Floats = NDArray[np.float64]
READS = ("work", "citation", "authorship", "industry", "crosswalk", "io_table", "io_cell")
RATES = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12)
STEPS = (0.05, 0.1, 0.17, 0.25, 0.4)
_DRAWS = 400
_SEED = 7
_TINY = 0.005
_TOP = 8
Consumed = Literal["works", "industry", "equal"]


@dataclass(frozen=True)
class Plan:
    """Shares and gains.

    Attributes
    ----------
    gamma : (n,) optimal. low, high : (n,) of 90 % of redrawn citations and works. bound : with floors and caps.
    gains : factor on consumption of the optimum and of the bound plan, each with its 90 % limits.
    """

    network: Network
    gamma: Floats
    low: Floats
    high: Floats
    bound: Constrained
    gains: Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True)
class Bounds:
    """What a plan must keep: floor, cap and total as multiples of today's, and the most dependence abroad."""

    floor: float
    cap: float
    total: float
    risk: float | None


def make_plan(network: Network, rates: tuple[float, float], bounds: Bounds) -> Plan:
    """The optimum, its interval and the bound plan.

    Raises
    ------
    KernelRefused : rates that aren't positive, or bounds that nothing keeps.
    """
    rho, lam = rates
    actual = network.actual
    try:
        gamma = optimal_shares(network.beta, network.omega, rho, lam)
        limit = float(np.inf) if bounds.risk is None else bounds.risk
        # A field with next to nothing may grow to a small share whatever its cap.
        top = np.maximum(bounds.cap * actual, _TINY)
        bound = constrained_shares(gamma, floor=bounds.floor * actual, cap=top, total=bounds.total,
                                   risk=network.abroad, risk_limit=limit)  # fmt: skip
        gains = _gains(network, gamma, bound.shares, rates)
    except KernelError as error:
        raise KernelRefused("allocation", why=refusal(error.code, error.details)) from error
    draws = _draws(network, rates)
    low, high = np.quantile(draws[0], 0.05, axis=0), np.quantile(draws[0], 0.95, axis=0)
    return Plan(network, gamma, low, high, bound, gains)


def _gains(network: Network, gamma: Floats, bound: Floats, rates: tuple[float, float]) -> dict[str, Any]:
    held = {"optimal": gain(network.actual, gamma, *rates)}
    if (bound[gamma > 0] > 0).all():
        held["bound"] = gain(network.actual, gamma, *rates, target=bound)
    drawn = _draws(network, rates)[1]
    finite = drawn[np.isfinite(drawn)]
    limits = tuple(np.quantile(finite, (0.05, 0.95)).tolist()) if finite.size else (np.nan, np.nan)
    return {name: (value, *(limits if name == "optimal" else (np.nan, np.nan))) for name, value in held.items()}


def _draws(network: Network, rates: tuple[float, float]) -> tuple[Floats, Floats]:
    """Optimal shares and gains with citations drawn anew from their own shares, and works from theirs."""
    rng = np.random.default_rng(_SEED)
    shares, factors = [], []
    out = network.cites.sum(axis=1).astype(int)
    total = max(1, round(float(network.works.sum())))
    for _ in range(_DRAWS):
        drawn = np.array([rng.multinomial(n, p) for n, p in zip(out, network.omega, strict=True)], dtype=float)
        sums = drawn.sum(axis=1, keepdims=True)
        omega = np.where(sums > 0, drawn / np.where(sums > 0, sums, 1.0), network.omega)
        gamma = optimal_shares(network.beta, omega, *rates)
        actual = rng.multinomial(total, network.actual) / total
        shares.append(gamma)
        factors.append(gain(actual, gamma, *rates) if (actual[gamma > 0] > 0).all() else np.inf)
    return np.array(shares), np.array(factors)


def _share_table(plan: Plan) -> Result:
    network = plan.network
    rows = []
    for i, field in enumerate(network.fields):
        now, best = network.actual[i], plan.gamma[i]
        state = "floor" if plan.bound.at_floor[i] else "cap" if plan.bound.at_cap[i] else "free"
        rows.append(
            {
                "field_zh": network.names[i]["zh"], "field_en": network.names[i]["en"], "actual": now,
                "optimal": best, "optimal_low": plan.low[i], "optimal_high": plan.high[i],
                "advice": _advice(now, plan.low[i], plan.high[i]), "within_bounds": plan.bound.shares[i],
                "bound_state": state, "beta": network.beta[i], "self_cited": network.omega[i, i],
                "cited_abroad": network.abroad[i], "works": network.works[i], "cites_out": int(network.cites[i].sum()),
                "cites_in": int(network.cites[:, i].sum()), "field_name_id": field,
            }
        )  # fmt: skip
    rows.sort(key=lambda r: (-r["optimal"], r["field_name_id"]))
    works, cites = Matrix("work", {}), Matrix("citation", {})
    fields = [
        *name_fields("field", "column.discipline"), figure("actual", "share", basis=works),
        figure("optimal", "share", basis=cites), figure("optimal_low", "share", basis=cites),
        figure("optimal_high", "share", basis=cites), text_field("advice", "class"),
        figure("within_bounds", "share", basis=cites), text_field("bound_state", "class"),
        figure("beta", "share", basis=Matrix("crosswalk", {}) if network.beta_from == "industry" else works),
        figure("self_cited", "share", basis=cites), figure("cited_abroad", "share", basis=cites),
        figure("works", basis=works, digits=1), figure("cites_out", "integer", basis=cites),
        figure("cites_in", "integer", basis=cites), text_field("field_name_id"),
    ]  # fmt: skip
    return result(rows, fields, ("field_name_id",), Text("allocation.shares"))


def _advice(now: float, low: float, high: float) -> str:
    """Whether the actual share lies below, in or above the interval of the optimum."""
    return "more" if now < low else "less" if now > high else "same"


def _gain_table(plan: Plan) -> Result:
    rows = [
        {"plan": name, "consumption_gain": g - 1 if np.isfinite(g) else None,
         "gain_low": low - 1, "gain_high": high - 1,
         "risk": float(plan.network.abroad @ (plan.gamma if name == "optimal" else plan.bound.shares)),
         "risk_now": float(plan.network.abroad @ plan.network.actual),
         "price_risk": None if name == "optimal" else plan.bound.price_risk,
         "unspent": None if name == "optimal" else plan.bound.unspent}
        for name, (g, low, high) in plan.gains.items()
    ]  # fmt: skip
    cites = Matrix("citation", {})
    names = ("consumption_gain", "gain_low", "gain_high", "risk", "risk_now")
    fields = [
        text_field("plan", "class"), *(figure(n, "share", basis=cites) for n in names),
        figure("price_risk", basis=cites, digits=3), figure("unspent", "share", basis=cites),
    ]  # fmt: skip
    return result(rows, fields, ("plan",), Text("allocation.gains"))


def _grid(network: Network) -> Result:
    found = sensitivity(network.beta, network.omega, network.actual, RATES, STEPS)
    rows = []
    for i, rho in enumerate(RATES):
        for j, lam in enumerate(STEPS):
            first = int(np.argmax(found.shares[i, j]))
            names, value = network.names[first], float(found.gain[i, j])
            rows.append(
                {"rho": f"{rho:g}", "lam": f"{lam:g}", "consumption_gain": value - 1 if np.isfinite(value) else None,
                 "largest_zh": names["zh"], "largest_en": names["en"],
                 "largest_share": float(found.shares[i, j, first])}
            )  # fmt: skip
    cites = Matrix("citation", {})
    fields = [
        text_field("rho"), text_field("lam"), figure("consumption_gain", "share", basis=cites),
        *name_fields("largest", "column.largest_field"), figure("largest_share", "share", basis=cites),
    ]  # fmt: skip
    return result(rows, fields, ("rho", "lam"), Text("allocation.sensitivity"), aside=True)


def _omega_table(network: Network) -> Result:
    rows = [
        {"citing_zh": network.names[i]["zh"], "citing_en": network.names[i]["en"], "cited_zh": network.names[j]["zh"],
         "cited_en": network.names[j]["en"], "omega": network.omega[i, j], "cites": int(network.cites[i, j]),
         "citing_field": a, "cited_field": b}
        for i, a in enumerate(network.fields)
        for j, b in enumerate(network.fields)
    ]  # fmt: skip
    cites = Matrix("citation", {})
    fields = [
        *name_fields("citing", "column.citing"), *name_fields("cited", "column.cited"),
        figure("omega", "share", basis=cites), figure("cites", "integer", basis=cites), text_field("citing_field"),
        text_field("cited_field"),
    ]  # fmt: skip
    return result(rows, fields, ("citing_field", "cited_field"), Text("allocation.omega"), aside=True)


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """Whose consumption an optimal share serves, at every remove; else the works or citations themselves."""
    del finding
    p = ctx.params
    network = load_network(ctx, p["region"], p["window"], p["consumed"])
    n = len(network.fields)
    at = {f: i for i, f in enumerate(network.fields)}
    if table == "omega":
        i, j = at[str(row["citing_field"])], at[str(row["cited_field"])]
        return [Path(network.names[j], float(network.cites[i, j]), 1.0, pieces(network, i, j), "citation")]
    s = float(row.get("rho") or p["rho"]) / float(row.get("lam") or p["lam"])
    if table == "shares" and column in {"actual", "works"}:
        held = network.items.get(at[str(row["field_name_id"])], {})
        names = network.names[at[str(row["field_name_id"])]]
        return [Path(names, sum(held.values()), 1.0, {"work_id": tuple(held)[:200]}, "work")]
    if table == "shares":
        j = at[str(row["field_name_id"])]
        reach = np.linalg.solve((np.eye(n) - network.omega / (1 + s)).T, np.diag(network.beta) * s / (1 + s)).T[:, j]
        return _largest(network, np.asarray(reach, dtype=np.float64), lambda i: pieces(network, i, j))
    gamma = optimal_shares(network.beta, network.omega, s, 1.0)
    with np.errstate(divide="ignore"):
        parts = gamma * (np.log(gamma) - np.log(network.actual)) / s
    return _largest(
        network, np.asarray(np.nan_to_num(parts, posinf=0.0), dtype=np.float64), lambda i: pieces(network, i, i)
    )


def _largest(network: Network, parts: Floats, cells: Any) -> list[Path]:
    total = float(np.abs(parts).sum()) or 1.0
    order = np.argsort(-np.abs(parts), kind="stable")[:_TOP]
    return [
        Path(network.names[int(i)], float(parts[i]), float(abs(parts[i]) / total), cells(int(i)), "citation")
        for i in order
        if parts[i]
    ]


def _spread(network: Network) -> dict[str, float]:
    """The least and the largest weight of a field that is not gathered from others."""
    own = [b for b, f in zip(network.beta.tolist(), network.fields, strict=True) if f != OTHER]
    return {"least": min(own, default=0.0), "most": max(own, default=0.0)}


def _caveats(plan: Plan, region: str | None) -> list[Caveat]:
    network = plan.network
    years = {"first": network.years[0], "last": network.years[1]}
    said = [
        Caveat("warning", Text("allocation.proxy", years)),
        Caveat("warning" if network.coverage < 0.5 else "note",
               Text("allocation.omega_from", {"cites": int(network.cites.sum()), "coverage": network.coverage,
                                              "least": ENOUGH})),
        Caveat("note", Text(f"allocation.beta.{network.beta_from}", _spread(network))),
        Caveat("note", Text("allocation.assumed")),
        Caveat("note", Text("allocation.interval", {"draws": _DRAWS})),
    ]  # fmt: skip
    largest = float(network.actual.max())
    if largest > 0.4:
        names = network.names[int(np.argmax(network.actual))]
        said.append(Caveat("warning", Text("allocation.narrow", {"field": names, "share": largest})))
    gathered = dict(zip(network.fields, network.beta.tolist(), strict=True)).get(OTHER, 0.0)
    if gathered > 0.3:
        said.append(Caveat("warning", Text("allocation.gathered", {"share": gathered})))
    if not np.isfinite(plan.gains["optimal"][0]):
        said.append(Caveat("warning", Text("allocation.infinite")))
    if region is None:
        said.append(Caveat("note", Text("allocation.no_risk")))
    return said


@lens("allocation", version=1, reads=READS, explain=_explain)
def allocation(
    ctx: Context,
    *,
    region: Region | None = None,
    consumed: Consumed = "works",
    rho: float = 0.05,
    lam: float = 0.17,
    floor: float = 0.5,
    cap: float = 2.0,
    total: float = 1.0,
    risk_limit: float | None = None,
    window: int = 10,
) -> Finding:
    """How should research be shared among fields that build on each other, and what would it gain?"""
    if not 0 <= floor <= 1 <= cap or window < 1 or not total > 0:
        raise AskError("allocation_bounds", floor=floor, cap=cap, window=window, total=total)
    network = load_network(ctx, str(region) if region else None, window, consumed)
    plan = make_plan(network, (rho, lam), Bounds(floor, cap, total, risk_limit))
    tables = {"shares": _share_table(plan), "gains": _gain_table(plan), "sensitivity": _grid(network),
              "omega": _omega_table(network)}  # fmt: skip
    rows = tables["shares"].data.to_pylist()
    short = max(rows, key=lambda r: r["optimal"] - r["actual"])
    factor = plan.gains["optimal"][0]
    args = {
        "where": place_names(str(region)) if region else {"zh": "湖中全部文献", "en": "All works of the lake"},
        "field": {"zh": short["field_zh"], "en": short["field_en"]}, "actual": short["actual"],
        "optimal": short["optimal"], "gain": factor - 1 if np.isfinite(factor) else 0.0, "rho": rho, "lam": lam,
    }  # fmt: skip
    charts = (
        Chart("bar", "shares", {"x": "field", "y": "actual", "y2": "optimal", "low2": "optimal_low",
                                "high2": "optimal_high", "y3": "within_bounds"}, Text("allocation.bars")),
        Chart("heatmap", "sensitivity", {"x": "rho", "y": "lam", "value": "consumption_gain"},
              Text("allocation.sensitivity")),
        Chart("heatmap", "omega", {"x": "cited", "y": "citing", "value": "omega"}, Text("allocation.omega")),
    )  # fmt: skip
    key = "allocation.headline" if np.isfinite(factor) else "allocation.headline_infinite"
    liu = "Liu & Ma 2021, Innovation Networks and R&D Allocation, NBER 29607"
    return ctx.answer(
        Text(key, args), tables, charts=charts, caveats=_caveats(plan, region),
        steps=(
            Step("allocation.optimal_shares", "γ' = ρ/(ρ+λ) β'(I − Ω/(1+ρ/λ))⁻¹", liu, {"rho": rho, "lam": lam}),
            Step("allocation.gain", "exp[(λ/ρ) γ'(ln γ − ln b)] − 1", liu),
            Step("allocation.constrained_shares", "max γ'ln b with floors, caps, total and r'b ≤ limit",
                 "", {"floor": floor, "cap": cap, "total": total, "risk_limit": risk_limit}),
            Step("allocation.draws", "citations of each field and works drawn anew from a multinomial of their shares",
                 "Efron & Tibshirani 1993", {"draws": _DRAWS, "seed": _SEED}),
        ),
    )  # fmt: skip
