"""Which traded products the trade in a chain's steps is recorded under, and which steps a product reaches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ronghe.errors import UnknownName, nearest
from ronghe.lenses.base import Context
from ronghe.lenses.chains.shocks import Shock
from ronghe.model.text import both

READS = ("step_product", "industry", "supply_step")
NONE = "none"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of the concordance: the share of a step's trade that is recorded under a product, with bounds."""

    chain: str
    step: str
    classification: str
    version: str
    product: str
    low: float
    value: float
    high: float
    fit: str
    via: str
    reason: Mapping[str, str]

    @property
    def key(self) -> tuple[str, str]:
        """Classification and version."""
        return self.classification, self.version


def recorded(ctx: Context, chain: str) -> list[Recorded]:
    """The concordance of a chain, rows that say that trade doesn't record a step included."""
    rows = ctx.rows("step_product", chain=chain).to_pylist()
    rows.sort(key=lambda r: (r["step"], r["classification"], r["version"], -r["value"], r["product"]))
    return [
        Recorded(
            r["chain"], r["step"], r["classification"], r["version"], r["product"], r["low"], r["value"], r["high"],
            r["fit"], r["via"] or "", both(r["reason_zh"], r["reason_en"] or r["reason_zh"] or ""),
        )
        for r in rows
    ]  # fmt: skip


def product_names(ctx: Context, classification: str, version: str) -> dict[str, dict[str, str]]:
    """Product -> its name in both languages, as far as the lake names the classification's products."""
    rows = ctx.rows("industry", ("code", "name_zh", "name_en"), classification=classification, version=version)
    return {r["code"]: both(r["name_zh"], r["name_en"] or r["code"]) for r in rows.to_pylist()}


def find_product(ctx: Context, text: str) -> str:
    """A product by its code or its name in either language.

    Raises
    ------
    UnknownName : neither trade nor the concordance knows it; offers those that come nearest.
    """
    columns = ("classification", "version", "product")
    held = [r for t in ("trade", "step_product") for r in ctx.snapshot.distinct(t, columns).to_pylist()]
    labels: dict[str, str] = {}
    for key in sorted({(r["classification"], r["version"]) for r in held}):
        names = product_names(ctx, *key)
        for code in sorted({str(r["product"]) for r in held if (r["classification"], r["version"]) == key} - {NONE}):
            said = names.get(code) or both(None, code)
            for name in (code, *said.values()):
                if text.casefold() == name.casefold():
                    return code
                labels.setdefault(name, f"{code} {said['zh']} {said['en']}")
    wanted = text.casefold()
    holding = [label for name, label in labels.items() if wanted in name.casefold() or wanted.startswith(name)]
    error = UnknownName("unknown_product", text, ())
    error.known = tuple(dict.fromkeys([*holding[:5], *(labels[n] for n in nearest(text, labels)[:3])]))
    raise error


def steps_under(ctx: Context, shock: Shock) -> list[Recorded]:
    """The steps of the lake's chains whose trade is recorded under a product that a shock names."""
    product = find_product(ctx, shock.code)
    found = []
    for chain in sorted(ctx.snapshot.distinct("supply_step", ("chain",)).column("chain").to_pylist()):
        steps = set(ctx.rows("supply_step", ("step",), chain=chain)["step"].to_pylist())
        found += [r for r in recorded(ctx, chain) if r.product == product and r.step in steps]
    return found


def on_chains(ctx: Context, shocks: Sequence[Shock]) -> list[Shock]:
    """The shocks that reach a step of a chain."""
    return [s for s in shocks if s.kind == "step" or (s.kind == "product" and steps_under(ctx, s))]
