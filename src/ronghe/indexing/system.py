"""An indicator system: subsystem -> dimension -> indicator, as a TOML file says it.

A system says what is measured and why, never how it is weighed: weights, form and draws are parameters of the
question. Everything a file may hold is a field of the dataclasses below; any other key is an error that names
the nearest known one. ``docs/guide/systems.md`` shows a whole file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Missing = Literal["none", "carry", "linear", "model"]
MISSING: tuple[str, ...] = ("none", "carry", "linear", "model")
TRANSFORMS = ("level", "log", "growth", "share")
DIRECTIONS: Mapping[str, int] = {"benefit": 1, "cost": -1, "interval": 0}
GAPS = ("refuse", "drop_regions")
SETS = ("provinces", "countries", "all")
ROLES = ("indicator", "structure", "input", "output")
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Count:
    """Distinct values of ``column`` in the rows of a lake table, by region: one stock for all years.

    ``where`` holds what the rows must equal.
    """

    table: str
    column: str
    where: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure made of the lake's own: the sum of ``of``, divided by ``over``; or a count of rows."""

    id: str
    names: Names
    why: Names
    of: tuple[str, ...]
    over: str | None
    count: Count | None


@dataclass(frozen=True, slots=True)
class Item:
    """One indicator, or a figure with another role: structure of a region, input or output of its efficiency.

    Attributes
    ----------
    of : ids of the lake's indicators or of quantities, summed.
    over : what the sum is divided by: "per capita" or "per" anything else.
    unit : ``a`` or ``a/b`` in codes of ``units.csv``; the unit shown, by ``unit_names`` where the file gives them.
    transform : ``level``, ``log``, ``growth`` (on the year before) or ``share`` (of all regions).
    deflator, price_year : the price index that turns money into that year's prices.
    direction : 1 more is better, -1 less is better, 0 best inside [low, high].
    missing, max_gap : how gaps are filled; longer gaps than ``max_gap`` years stay open.
    weight : the file's own weight within the subsystem; read when the question asks for ``own`` weights.
    """

    id: str
    role: str
    names: Names
    why: Names
    subsystem: str
    dimension: Names
    of: tuple[str, ...]
    over: str | None
    unit: str
    unit_names: Names
    transform: str
    deflator: str | None
    price_year: int | None
    direction: int
    low: float | None
    high: float | None
    missing: str
    max_gap: int | None
    weight: float | None


@dataclass(frozen=True, slots=True)
class Subsystem:
    """One side of the coupling."""

    id: str
    names: Names


@dataclass(frozen=True, slots=True)
class Judgement:
    """A pairwise matrix of AHP over all indicators of one subsystem, in the order given."""

    subsystem: str
    order: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class System:
    """A whole indicator system.

    ``regions`` is ``provinces``, ``countries``, ``all`` (every region that holds a figure) or a tuple of codes.
    ``years`` is the first and last year, or ``None`` for all that the lake holds. ``gaps`` says what becomes of a
    region with gaps left after treatment: the question is refused, or the region left out and named.
    """

    name: str
    names: Names
    note: Names
    regions: str | tuple[str, ...]
    years: tuple[int, int] | None
    gaps: str
    subsystems: tuple[Subsystem, ...]
    quantities: Mapping[str, Quantity]
    items: tuple[Item, ...]
    judgements: Mapping[str, Judgement]
    digest: str

    @property
    def indicators(self) -> tuple[Item, ...]:
        """The items that are weighed."""
        return self.role("indicator")

    def role(self, role: str) -> tuple[Item, ...]:
        """The items of one role, in the file's order."""
        return tuple(i for i in self.items if i.role == role)

    @property
    def groups(self) -> tuple[int, ...]:
        """For each indicator the number of its subsystem."""
        place = {s.id: k for k, s in enumerate(self.subsystems)}
        return tuple(place[i.subsystem] for i in self.indicators)

    def sources(self, name: str) -> tuple[str, ...]:
        """The lake's indicators behind an item's or quantity's part, quantities opened up."""
        known = self.quantities.get(name)
        if known is None:
            return (name,)
        if known.count is not None:
            return ()
        parts = (*known.of, *([known.over] if known.over else []))
        return tuple(dict.fromkeys(s for p in parts for s in self.sources(p)))

    def sources_of(self, item: Item) -> tuple[str, ...]:
        """The lake's indicators behind an item."""
        parts = (*item.of, *(p for p in (item.over, item.deflator) if p))
        return tuple(dict.fromkeys(s for p in parts for s in self.sources(p)))

    def counts_of(self, item: Item) -> tuple[Count, ...]:
        """The counts of rows behind an item."""
        found = []
        for part in (*item.of, *([item.over] if item.over else [])):
            known = self.quantities.get(part)
            if known is not None and known.count is not None:
                found.append(known.count)
        return tuple(found)
