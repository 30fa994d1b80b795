"""From a shock on a supply chain to what each of its steps lacks week by week, with bounds where shares are unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, UnknownName, nearest
from ronghe.kernels.chain_loss import Edges, Mode, carry
from ronghe.kernels.inventory import shock_profile
from ronghe.lenses.base import Context
from ronghe.lenses.chains.products import READS as PRODUCTS
from ronghe.lenses.chains.products import steps_under
from ronghe.lenses.chains.shocks import KINDS, Shock
from ronghe.lenses.chains.supply import Provision, SupplyChain, load_chain
from ronghe.model.regions import find_region

Floats = NDArray[np.float64]
Corner = Literal["low", "value_low", "value_high", "high"]
CORNERS: tuple[Corner, ...] = ("low", "value_low", "value_high", "high")
SLACK = 0.005
READS = tuple(dict.fromkeys(("supply_step", "supply_link", "provider", "provision", "assumption", *PRODUCTS)))


class Bound(NamedTuple):
    """What is known of a figure: from ``low`` to ``high``; ``value`` where more than bounds can be said."""

    low: float
    value: float | None
    high: float

    def at(self, corner: Corner) -> float:
        """The figure at one corner; an unknown value is its bound there."""
        if corner in {"low", "high"}:
            return self.low if corner == "low" else self.high
        return self.value if self.value is not None else (self.low if corner == "value_low" else self.high)


@dataclass(frozen=True, slots=True)
class Assumption:
    """One line of the lake's assumptions: how (``stock``, ``wear`` …) and how much, with bounds."""

    mode: str
    bound: Bound
    reason: Mapping[str, str]


def chain_name(ctx: Context, name: str) -> str:
    """The chain behind what a user wrote: its own name, or the dataset that brought it.

    Raises
    ------
    UnknownName : neither.
    """
    chains = ctx.snapshot.distinct("supply_step", ("chain",)).column("chain").to_pylist()
    if name in chains:
        return name
    loads = [o.load for o in ctx.snapshot.loads if o.dataset == name and "supply_step" in o.rows]
    if loads:
        return str(ctx.rows("supply_step", ("chain",), _load=loads).column("chain")[0].as_py())
    brought = [o.dataset for o in ctx.snapshot.loads if "supply_step" in o.rows]
    raise UnknownName("unknown_chain", name, dict.fromkeys([*chains, *brought, *KINDS]))


_GENERAL = ("spare", "stock", "mix")
"""What is assumed of every chain and sector; the package's reference tables state it."""


def assumptions(ctx: Context) -> dict[tuple[str, str, str], Assumption]:
    """(code, chain, of) -> what is assumed.

    Raises
    ------
    NoData : the lake lacks an assumption that every shock needs.
    """
    found = {}
    for row in ctx.rows("assumption").to_pylist():
        bound = Bound(row["low"], row["value"], row["high"])
        reason = {"zh": row["reason_zh"] or "", "en": row["reason_en"] or ""}
        found[row["code"], row["chain"], row["of"]] = Assumption(row["mode"], bound, reason)
    for code in _GENERAL:
        if (code, "*", "*") not in found:
            raise ctx.nothing(f"assumption {code}")
    return found


def find_step(chain: SupplyChain, code: str) -> str:
    """A step by its code, or by its name in either language.

    Raises
    ------
    UnknownName : there is none; offers those that come nearest.
    """
    if chain.index(code) is not None:
        return code
    wanted = code.casefold()
    labels: dict[str, str] = {}
    for row in chain.steps:
        names = (row["step"], row["name_zh"] or "", row["name_en"] or "")
        if wanted in {n.casefold() for n in names}:
            return str(row["step"])
        for n in names:
            labels.setdefault(n, f"{row['step']} {row['name_zh'] or ''} {row['name_en'] or ''}".strip())
    holding = [label for n, label in labels.items() if wanted and wanted in n.casefold()]
    near = [labels[n] for n in nearest(code, [n for n in labels if n])]
    raise _unknown("unknown_step", code, [*holding, *near], chain=chain.name)


def _unknown(code: str, name: str, known: Sequence[str], **args: Any) -> UnknownName:
    """An unknown name whose suggestions are in order already."""
    error = UnknownName(code, name, (), **args)
    error.known = tuple(dict.fromkeys(known))[:8]
    return error


@dataclass(frozen=True)
class Blow:
    """One shock on one step: whose share is lost, and what the step lacks once the others have stepped in."""

    shock: Shock
    chain: SupplyChain
    step: str
    type: str
    providers: tuple[str, ...]
    share: Bound
    lost: Bound

    def profile(self, weeks: int, corner: Corner) -> Floats:
        """(weeks,) what the step lacks at first hand."""
        start, end = self.shock.weeks(weeks)
        return np.asarray(
            shock_profile(1, weeks, [0], self.lost.at(corner), start=start, end=end, recovery=self.shock.recovery)[:, 0]
        )


WHOLE = Bound(1.0, 1.0, 1.0)


def strike(chain: SupplyChain, shock: Shock, spare: Bound, part: Bound = WHOLE) -> Blow:
    """A shock on a step of a chain; ``part`` is how much of the step it reaches, where a product carries it there.

    Raises
    ------
    UnknownName : no such step, country or firm.
    AskError : countries and firms named together.
    """
    step = find_step(chain, shock.code)
    value = None if part.value is None else part.value * shock.loss
    loss = Bound(part.low * shock.loss, value, part.high * shock.loss)
    if not shock.source:
        return Blow(shock, chain, step, "country", (), WHOLE, loss)
    kind, wanted = _sources(chain, step, shock)
    share = share_of(chain.by_step.get((step, kind), []), wanted, kind)
    return Blow(shock, chain, step, kind, wanted, share, _lost(share, loss, spare))


def _lost(share: Bound, loss: Bound, spare: Bound) -> Bound:
    """What is missing after the others deliver ``spare`` of what they do on top; nothing is lost by no shock."""

    def left(s: float, gone: float, kappa: float) -> float:
        return min(1.0, max(0.0, s * gone - kappa * (1.0 - s)))

    value = None
    if share.value is not None and spare.value is not None and loss.value is not None:
        value = left(share.value, loss.value, spare.value)
    return Bound(left(share.low, loss.low, spare.high), value, left(share.high, loss.high, spare.low))


def _sources(chain: SupplyChain, step: str, shock: Shock) -> tuple[str, tuple[str, ...]]:
    """Whether countries or firms are named, and their codes (countries) or provider ids (firms)."""
    firms = {p.provider: p for p in chain.provisions if p.type == "firm"}
    by_name = {str(n).casefold(): k for k, p in firms.items() for n in p.names.values()}
    countries, named = [], []
    for source in shock.source:
        if source in firms or source.casefold() in by_name:
            named.append(source if source in firms else by_name[source.casefold()])
            continue
        own = {p.country for p in chain.provisions if p.type == "country"}
        code = source if source in own else find_region(source)
        if code is None:
            here = [p for kind in ("country", "firm") for p in chain.by_step.get((step, kind), []) if p.scope == "one"]
            offered = [f"{p.country if p.type == 'country' else p.provider} {p.names['en']}" for p in here]
            labels = {n: o for p, o in zip(here, offered, strict=True) for n in (o, *p.names.values(), p.country or "")}
            close = [labels[n] for n in nearest(source, [n for n in labels if n])]
            raise _unknown("unknown_provider", source, close, step=step)
        countries.append(code)
    if countries and named:
        raise AskError("shock_mixed", text=shock.line())
    return ("firm", tuple(named)) if named else ("country", tuple(countries))


def share_of(group: Sequence[Provision], wanted: Sequence[str], kind: str) -> Bound:
    """The share that some countries or firms have of a step, as far as the published shares tell.

    What is published for a group or the rest may be anyone's who isn't listed; a listed provider without a share
    has any part of what the known shares leave.
    """
    if not group:
        return Bound(0.0, None, 1.0)
    key = {p.provider if kind == "firm" else p.country: p for p in group if p.scope == "one"}
    listed = [key[w] for w in wanted if w in key]
    known = min(sum(p.share for p in listed if p.share is not None), 1.0)
    total = sum(p.share or 0.0 for p in group)
    rest = max(0.0, 1.0 - total)
    rest = rest if rest > SLACK else 0.0
    blank = [p for p in key.values() if p.share is None]
    mine = [p for p in listed if p.share is None]
    absent = len(listed) < len(set(wanted))
    shared = sum(p.share or 0.0 for p in group if p.scope != "one")
    high = known + (rest if mine or absent else 0.0) + (shared if absent else 0.0)
    closed = all(p.scope == "one" for p in group) and kind == "country"
    low = known + (rest if closed and mine and len(mine) == len(blank) else 0.0)
    high = min(1.0, max(low, high))
    return Bound(low, low if high - low <= SLACK else None, high)


@dataclass(frozen=True)
class ChainShock:
    """All shocks on one chain, and what its steps lack at each corner of what is unknown."""

    chain: SupplyChain
    blows: tuple[Blow, ...]
    assumed: Mapping[tuple[str, str, str], Assumption]
    weeks: int

    def lasts(self, step: str) -> Assumption:
        """How long those behind a step can do without it."""
        kind = str(self.chain.steps[self.chain.index(step) or 0]["type"])
        for chain, of in ((self.chain.name, step), ("*", kind)):
            if ("lasts", chain, of) in self.assumed:
                return self.assumed["lasts", chain, of]
        return Assumption("stock", Bound(0.0, 0.0, 0.0), {})

    @cached_property
    def edges(self) -> list[tuple[str, str, Mode, Bound]]:
        """(from, to, mode, amount) of every link; ``low`` is the amount by which less is lost."""
        found: list[tuple[str, str, Mode, Bound]] = []
        for tail, head, kind in self.chain.links:
            if self.chain.index(tail) is None or self.chain.index(head) is None:
                continue
            if kind == "is_type_of":
                found.append((tail, head, "kind", self._weight(tail, head)))
            else:
                how = self.lasts(tail)
                mode: Mode = "wear" if how.mode == "wear" else "stock"
                found.append((tail, head, mode, Bound(how.bound.high, how.bound.value, how.bound.low)))
        for stage in self.chain.steps:
            if stage["type"] == "stage":
                found += [
                    (s["step"], stage["step"], "stock", Bound(0.0, 0.0, 0.0))
                    for s in self.chain.steps
                    if s["type"] == "process" and s["stage"] == stage["stage"]
                ]
        return found

    def _weight(self, kind: str, of: str) -> Bound:
        """How much of a step is of one kind: by market sizes; at most all, for kinds may not replace each other."""
        sizes = {s["step"]: s["market_size"] for s in self.chain.steps}
        kinds = [sizes.get(a) for a, b, k in self.chain.links if b == of and k == "is_type_of"]
        whole = sizes.get(of)
        if whole is None and kinds and all(k is not None for k in kinds):
            whole = sum(k for k in kinds if k is not None)
        part = sizes.get(kind)
        if not whole or part is None:
            return Bound(0.0, None, 1.0)
        share = min(1.0, part / whole)
        return Bound(share, share, 1.0)

    def losses(self, corner: Corner) -> Floats:
        """(weeks, steps) what each step lacks at one corner."""
        n = len(self.chain.steps)
        q = np.zeros((self.weeks, n))
        for blow in self.blows:
            i = self.chain.index(blow.step) or 0
            # Two shocks on one step (two countries) add up: they take different shares of it.
            q[:, i] = np.minimum(1.0, q[:, i] + blow.profile(self.weeks, corner))
        place = {s["step"]: i for i, s in enumerate(self.chain.steps)}
        tail = np.array([place[a] for a, _, _, _ in self.edges], dtype=np.intp)
        head = np.array([place[b] for _, b, _, _ in self.edges], dtype=np.intp)
        amount = np.array([bound.at(corner) for _, _, _, bound in self.edges])
        return carry(Edges(tail, head, tuple(m for _, _, m, _ in self.edges), amount), q)

    @cached_property
    def bounds(self) -> tuple[Floats, Floats, Floats]:
        """(weeks, steps) each: low, value (NaN where nothing but bounds can be said), high."""
        low, first, second, high = (self.losses(c) for c in CORNERS)
        value = np.where(np.abs(first - second) <= 1e-9, first, np.nan)
        return np.minimum(low, first), value, np.maximum(high, second)


def chain_shocks(ctx: Context, shocks: Sequence[Shock], weeks: int) -> list[ChainShock]:
    """The shocks on supply chains, chain by chain. The lens must read ``READS``.

    Raises
    ------
    UnknownName, AskError : as ``chain_name`` and ``strike``.
    """
    named: dict[str, list[tuple[Shock, Bound]]] = {}
    for shock in shocks:
        if shock.kind == "step":
            named.setdefault(chain_name(ctx, shock.chain), []).append((shock, WHOLE))
        elif shock.kind == "product":
            for row in steps_under(ctx, shock):
                hit = replace(shock, kind="step", chain=row.chain, code=row.step)
                named.setdefault(row.chain, []).append((hit, Bound(row.low, row.value, row.high)))
    if not named:
        return []
    assumed = assumptions(ctx)
    spare = assumed["spare", "*", "*"].bound
    found = []
    for name, listed in named.items():
        chain = load_chain(ctx, name)
        found.append(ChainShock(chain, tuple(strike(chain, s, spare, part) for s, part in listed), assumed, weeks))
    return found
