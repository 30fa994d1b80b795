"""A supply chain out of the lake as steps, links and shares. Shared by the lenses that need one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels.dependency import Bounds, herfindahl_bounds
from ronghe.lenses.base import Context
from ronghe.model.text import both

READS = ("supply_step", "supply_link", "provider", "provision")


@dataclass(frozen=True, slots=True)
class Provision:
    """One provider of one step. ``share`` is a fraction, ``None`` where only its presence is known."""

    step: str
    provider: str
    type: str
    scope: str
    names: Mapping[str, str]
    country: str | None
    share: float | None
    year: int | None


@dataclass(frozen=True)
class SupplyChain:
    """The steps of a chain in the publisher's order, what goes into what, and who provides what."""

    name: str
    steps: tuple[Mapping[str, Any], ...]
    links: tuple[tuple[str, str, str], ...]
    provisions: tuple[Provision, ...]
    _index: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {s["step"]: i for i, s in enumerate(self.steps)})

    def index(self, step: str) -> int | None:
        """The place of a step."""
        return self._index.get(step)

    def names(self, step: str) -> dict[str, str]:
        """A step's name in both languages."""
        row = self.steps[self._index[step]]
        return both(row["name_zh"], row["name_en"] or step)

    def cells(self, step: str) -> dict[str, Any]:
        """The cells that say what a step is: code, names, type and stage."""
        row, names = self.steps[self._index[step]], self.names(step)
        return {
            "step": step,
            "name_zh": names["zh"],
            "name_en": names["en"],
            "type": row["type"],
            "stage_zh": row["stage_zh"] or row["stage"],
            "stage_en": row["stage"],
        }

    @cached_property
    def edges(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """(tails, heads) of what needs what: an input goes into a step, a kind of a step serves it."""
        known = [(self._index[a], self._index[b]) for a, b, _ in self.links if a in self._index and b in self._index]
        pairs = np.array(known, dtype=np.intp).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    @cached_property
    def by_step(self) -> Mapping[tuple[str, str], list[Provision]]:
        """(step, provider type) -> its providers, the largest share first, unknown shares last."""
        found: dict[tuple[str, str], list[Provision]] = {}
        for one in self.provisions:
            found.setdefault((one.step, one.type), []).append(one)
        for group in found.values():
            group.sort(key=lambda p: (p.share is None, -(p.share or 0.0), p.provider))
        return found

    def bounds(self, step: str, kind: str) -> Bounds | None:
        """HHI and top share of a step among countries (or firms), as far as the known shares tell.

        What is published for a group or for the rest is not one provider: it is left for others to divide.
        """
        group = self.by_step.get((step, kind), [])
        if not group:
            return None
        known = [p.share for p in group if p.share is not None and p.scope == "one"]
        unnamed = sum(p.share is None for p in group)
        open_ended = kind == "firm" or any(p.scope != "one" for p in group)
        rest = 1.0 - sum(known)
        others = np.inf if open_ended or (unnamed == 0 and rest > 0.005) else float(unnamed)
        shares = np.array(known or [0.0])
        return herfindahl_bounds(shares / max(1.0, float(shares.sum())), others)


def load_chain(ctx: Context, name: str) -> SupplyChain:
    """The chain out of the context's snapshot. The lens must read ``supply.READS``."""
    steps = ctx.rows("supply_step", chain=name).to_pylist()
    if not steps:
        raise ctx.nothing(name)
    steps.sort(key=lambda s: (s["_file"], s["_row"]))
    links = ctx.rows("supply_link", ("from_step", "to_step", "kind"), chain=name).to_pylist()
    shares = ctx.rows("provision", ("step", "provider", "share", "year"), chain=name).to_pylist()
    wanted = sorted({s["provider"] for s in shares})
    providers = {p["provider"]: p for p in ctx.rows("provider", provider=wanted).to_pylist()} if wanted else {}
    return SupplyChain(
        name,
        tuple(steps),
        tuple(sorted((r["from_step"], r["to_step"], r["kind"]) for r in links)),
        tuple(_provision(s, providers[s["provider"]]) for s in shares if s["provider"] in providers),
    )


def _provision(row: Mapping[str, Any], who: Mapping[str, Any]) -> Provision:
    return Provision(
        step=row["step"],
        provider=row["provider"],
        type=who["provider_type"],
        scope=who["scope"] or "one",
        names=both(who["name_zh"], who["name_en"] or row["provider"]),
        country=who["country"],
        share=None if row["share"] is None else row["share"] / 100.0,
        year=row["year"],
    )
