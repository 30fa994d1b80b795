"""A chain's inputs as trade records them: under which products, who exports these, and how sure the link is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels.dependency import herfindahl
from ronghe.kernels.mix import extreme_mix
from ronghe.lenses.base import Context, Path
from ronghe.lenses.chains.exposure import chain_name, find_step
from ronghe.lenses.chains.products import NONE, Recorded, find_product, recorded
from ronghe.lenses.chains.shocks import Shock
from ronghe.lenses.chains.supply import READS as SUPPLY
from ronghe.lenses.chains.supply import load_chain
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.params import place_names
from ronghe.model.finding import Caveat, Cell, Chart, Field, Matrix, Result, Rows
from ronghe.model.regions import find_region
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
READS = ("step_product", *SUPPLY)
_SHOWN = 12


@dataclass(frozen=True)
class Sold:
    """World exports of one year: products, exporters and values (P, C); ``key`` names the rows of ``trade``."""

    products: Sequence[str]
    exporters: Sequence[str]
    values: Floats
    names: Mapping[str, Mapping[str, str]]
    key: Mapping[str, Any]

    @property
    def classification(self) -> tuple[str, str]:
        """Classification and version."""
        return str(self.key["classification"]), str(self.key["version"])

    def shares(self, product: str) -> Floats | None:
        """(C,) each exporter's share of a product's world exports; ``None`` where nobody exports it."""
        if product not in self.products:
            return None
        row = self.values[self.products.index(product)]
        return np.asarray(row / row.sum()) if row.sum() > 0 else None

    def name(self, product: str) -> Mapping[str, str]:
        """A product's name, or its code."""
        return self.names.get(product) or both(None, product)


@dataclass(frozen=True)
class Input:
    """An input of a chain (or a product named itself), the products that trade records it under, and who is blocked."""

    chain: str
    step: str
    names: Mapping[str, str]
    rows: tuple[Recorded, ...]
    blocked: tuple[str, ...]

    def mixed(self, sold: Sold) -> tuple[Floats, Floats, Floats] | None:
        """(C,) each: lowest, value and highest share of world exports over the products, as their weights allow."""
        held = [(r, s) for r in self.rows if (s := sold.shares(r.product)) is not None]
        if not held:
            return None
        low, value, high = (np.array([getattr(r, a) for r, _ in held]) for a in ("low", "value", "high"))
        shares = np.array([s for _, s in held])
        ones = np.ones(len(held))
        ends = [
            [float(extreme_mix(ones, low, high, 1.0, shares[:, c], most=most) @ shares[:, c])
             for c in range(shares.shape[1])]
            for most in (False, True)
        ]  # fmt: skip
        return np.array(ends[0]), np.asarray(value / value.sum() @ shares), np.array(ends[1])


def inputs_of(ctx: Context, shocks: Sequence[Shock], sold: Sold) -> list[Input]:
    """The shocked inputs as one classification of trade records them, each once. The lens must read ``READS``.

    Raises
    ------
    UnknownName : there is no such chain, step or product.
    """
    found: dict[tuple[str, str], Input] = {}
    for shock in shocks:
        if shock.kind == "step":
            one = _step(ctx, shock, sold)
        elif shock.kind == "product":
            one = _product(ctx, shock, sold)
        else:
            continue
        before = found.get((one.chain, one.step))
        blocked = tuple(dict.fromkeys((*(before.blocked if before else ()), *one.blocked)))
        found[one.chain, one.step] = replace(one, blocked=blocked)
    return list(found.values())


def _step(ctx: Context, shock: Shock, sold: Sold) -> Input:
    chain = load_chain(ctx, chain_name(ctx, shock.chain))
    step = find_step(chain, shock.code)
    rows = tuple(r for r in recorded(ctx, chain.name) if r.step == step and r.key == sold.classification)
    return Input(chain.name, step, chain.names(step), rows, _countries(shock, sold))


def _product(ctx: Context, shock: Shock, sold: Sold) -> Input:
    """A product that a shock names: it is recorded as itself."""
    product = find_product(ctx, shock.code)
    itself = Recorded("", product, *sold.classification, product, 1.0, 1.0, 1.0, "own", "", both("", ""))
    return Input("", product, sold.name(product), (itself,), _countries(shock, sold))


def _countries(shock: Shock, sold: Sold) -> tuple[str, ...]:
    """The exporters that a shock blocks; firms are not in trade."""
    named = (s if s in sold.exporters else find_region(s) for s in shock.source)
    return tuple(c for c in named if c is not None and c in sold.exporters)


def tables_of(inputs: Sequence[Input], sold: Sold, country: str) -> dict[str, Result]:
    """``inputs``: input by product with the weight of the link; ``exporters``: who exports an input's products."""
    rows = [_row(one, r, sold, country) for one in inputs for r in one.rows]
    key = ("chain", "step", "product")
    tables = {"inputs": result(rows, _input_fields(sold, country), key, _title("dependency.inputs", sold))}
    listed = [row for one in inputs for row in _exporters(one, sold, country)]
    if listed:
        tables["exporters"] = result(listed, _exporter_fields(sold), ("chain", "step", "exporter"),
                                     _title("dependency.exporters_table", sold))  # fmt: skip
    return tables


def _title(key: str, sold: Sold) -> Text:
    return Text(key, {"period": sold.key["period"]})


def _row(one: Input, r: Recorded, sold: Sold, country: str) -> dict[str, Any]:
    shares = sold.shares(r.product)
    link = {"weight_low": r.low, "weight": r.value, "weight_high": r.high} if one.chain else {}
    product = both(None, "—") if r.product == NONE else sold.name(r.product)
    row: dict[str, Any] = {
        "chain": one.chain or "—", "step": one.step, "name_zh": one.names["zh"], "name_en": one.names["en"],
        "product": r.product, "product_zh": product["zh"], "product_en": product["en"], "weight_low": None,
        "weight": None, "weight_high": None, "fit": r.fit, "headings": r.via, "reason_zh": r.reason["zh"],
        "reason_en": r.reason["en"], "hhi_world": None, "top": None, "top_zh": None, "top_en": None,
        "top_share": None, "blocked_share": None, "own_share": None,
    }  # fmt: skip
    row |= link
    if shares is None:
        return row
    top = int(shares.argmax())
    leader = place_names(sold.exporters[top])
    row |= {"hhi_world": float(herfindahl(shares[None])[0]), "top": sold.exporters[top], "top_zh": leader["zh"],
            "top_en": leader["en"], "top_share": float(shares[top])}  # fmt: skip
    if one.blocked:
        row["blocked_share"] = float(sum(shares[i] for i, c in enumerate(sold.exporters) if c in one.blocked))
    if country in sold.exporters:
        row["own_share"] = float(shares[sold.exporters.index(country)])
    return row


def _exporters(one: Input, sold: Sold, country: str) -> list[dict[str, Any]]:
    mixed = one.mixed(sold)
    if mixed is None:
        return []
    low, value, high = mixed
    order = np.argsort(-value, kind="stable").tolist()
    kept = {*order[:_SHOWN], *(i for i in order if sold.exporters[i] in {country, *one.blocked})}
    rows = []
    for i in (i for i in order if i in kept):
        who = place_names(sold.exporters[i])
        rows.append(
            {
                "chain": one.chain or "—", "step": one.step, "name_zh": one.names["zh"], "name_en": one.names["en"],
                "exporter": sold.exporters[i], "exporter_zh": who["zh"], "exporter_en": who["en"],
                "share_low": float(low[i]), "share": float(value[i]), "share_top": float(high[i]),
                "blocked": "yes" if sold.exporters[i] in one.blocked else "no",
            }
        )  # fmt: skip
    return rows


def _trade_key(sold: Sold) -> dict[str, Any]:
    return {k: v for k, v in sold.key.items() if k != "period"}


def _input_fields(sold: Sold, country: str) -> list[Field]:
    link = Rows("step_product", {"chain": Cell("chain"), "step": Cell("step"), "product": Cell("product")})
    world = Rows("trade", {**_trade_key(sold), "product": Cell("product")})
    top = Rows("trade", {**_trade_key(sold), "product": Cell("product"), "region": Cell("top")})
    own = Rows("trade", {**_trade_key(sold), "product": Cell("product"), "region": country})
    return [
        text_field("chain"), text_field("step"), *name_fields("name", "column.step_name"), text_field("product"),
        *name_fields("product", "column.product_name"), figure("weight_low", "share", basis=link),
        figure("weight", "share", basis=link), figure("weight_high", "share", basis=link), text_field("fit", "class"),
        figure("hhi_world", basis=world, digits=3), *name_fields("top", "column.top_exporter"),
        figure("top_share", "share", basis=top), figure("blocked_share", "share", basis=world),
        figure("own_share", "share", basis=own), *name_fields("reason", "column.reason"), text_field("headings"),
        text_field("top"),
    ]  # fmt: skip


def _exporter_fields(sold: Sold) -> list[Field]:
    rows = Matrix("trade", {**_trade_key(sold), "region": Cell("exporter")})
    return [
        text_field("chain"), text_field("step"), *name_fields("name", "column.step_name"),
        *name_fields("exporter", "column.exporter"), *(figure(n, "share", basis=rows) for n in
                                                       ("share_low", "share", "share_top")),
        text_field("blocked", "class"), text_field("exporter"),
    ]  # fmt: skip


def charts_of(inputs: Sequence[Input], sold: Sold) -> list[Chart]:
    """Who exports the products of each input, with the range that the weights leave."""
    return [
        Chart("interval", "exporters", {"x": "exporter", "y": "share", "low": "share_low", "high": "share_top"},
              Text("dependency.exporters", {"step": dict(one.names),
                                            "period": sold.key["period"]}),
              {"where": {"chain": one.chain or "—", "step": one.step}})
        for one in inputs[:4]
        if one.mixed(sold) is not None
    ]  # fmt: skip


def headline_of(inputs: Sequence[Input], sold: Sold, country: str) -> Text:
    """The first input that trade records: as what, and who exports it."""
    for one in inputs:
        mixed = one.mixed(sold)
        if mixed is None:
            continue
        low, value, high = mixed
        top = int(value.argmax())
        held = [i for i, c in enumerate(sold.exporters) if c in one.blocked] or [top]
        own = sold.exporters.index(country) if country in sold.exporters else None
        args = {
            "step": dict(one.names),
            "products": [dict(sold.name(r.product)) for r in one.rows],
            "who": [place_names(sold.exporters[i]) for i in held],
            "share": float(value[held].sum()),
            "low": float(low[held].sum()),
            "high": min(1.0, float(high[held].sum())),
            "country": place_names(country),
            "own": 0.0 if own is None else float(value[own]),
            "period": sold.key["period"],
        }
        if args["high"] - args["low"] >= 0.001:
            return Text("dependency.headline_input", args)
        itself = args["products"] == [args["step"]]
        return Text("dependency.headline_product" if itself else "dependency.headline_sure", args)
    return Text("dependency.headline_unrecorded", {"steps": [dict(one.names) for one in inputs]})


def caveats_of(inputs: Sequence[Input], sold: Sold) -> list[Caveat]:
    """That the links are judged, which are loose, and which inputs trade doesn't record."""
    said = []
    if any(one.chain for one in inputs):
        said.append(Caveat("note", Text("dependency.judged")))
    loose = {r.product: sold.name(r.product) for one in inputs for r in one.rows if r.fit == "residual"}
    if loose:
        said.append(Caveat("warning", Text("dependency.residual", {"products": [dict(v) for v in loose.values()]})))
    blank = [one for one in inputs if one.mixed(sold) is None]
    for one in blank:
        reason = next((r.reason for r in one.rows if r.product == NONE), None)
        key = "dependency.unlinked" if reason is None else "dependency.unrecorded"
        said.append(Caveat("warning", Text(key, {"step": dict(one.names), "reason": dict(reason or {})})))
    return said


def explain_exporters(one: Input, sold: Sold, row: Mapping[str, Any]) -> list[Path]:
    """The products of an input that a country exports: its share of each, times the product's weight."""
    total = sum(r.value for r in one.rows if sold.shares(r.product) is not None) or 1.0
    at = sold.exporters.index(row["exporter"])
    paths = []
    for r in one.rows:
        shares = sold.shares(r.product)
        if shares is not None:
            names = {lang: f"{r.product} {text}" for lang, text in sold.name(r.product).items()}
            cells = {**_trade_key(sold), "product": r.product, "region": row["exporter"]}
            paths.append((names, float(r.value / total * shares[at]), cells))
    whole = sum(v for _, v, _ in paths) or 1.0
    return [Path(n, v, v / whole, c) for n, v, c in sorted(paths, key=lambda p: -p[1])]
