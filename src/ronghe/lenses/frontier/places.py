"""Places of a field: size, share, growth, rank, distance to the leader and whether it narrows beyond chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from ronghe.fielding.definition import Definition
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.citation_load import whole_year
from ronghe.lenses.frontier.field_load import Counts
from ronghe.lenses.params import place_names
from ronghe.model.finding import Basis, Cell, Field, Matrix, Result, Rows
from ronghe.model.text import Text

TABLES = {
    "works": "work",
    "publications": "indicator",
    "models": "ai_model",
    "patents": "patent",
    "projects": "project",
    "laboratories": "laboratory",
}
"""The kinds of evidence, and the lake's table behind each."""
SURE = 0.9
_SHOWN = 30
_ENOUGH = 5.0


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one place stands in one field, by one kind of evidence."""

    place: str
    count: float
    before: float | None
    share: float
    share_before: float | None
    rank: int
    lead: str
    gap: float
    gap_change: float | None
    moves: str


def windows(counts: Counts, width: int, asked: int = 0) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The window up to the last whole year and the one before it; the latter empty where the data begin later.

    Evidence without years (laboratories) has the single year 0.
    """
    by_year: dict[int, float] = {}
    for (year, _), value in counts.cells.items():
        by_year[year] = by_year.get(year, 0.0) + value
    known = {y: v for y, v in by_year.items() if y}
    if not known or counts.evidence == "laboratories":
        return tuple(sorted(by_year)), ()
    last = min(whole_year(known, asked), max(known))
    now = tuple(range(max(last - width + 1, min(known)), last + 1))
    earlier = tuple(range(last - 2 * width + 1, last - width + 1))
    return now, earlier if min(known) <= earlier[0] else ()


def stands(counts: Counts, width: int, asked: int = 0) -> list[Stand]:
    """Every place of some evidence, the largest first."""
    now, earlier = windows(counts, width, asked)
    size = {p: counts.total(now, p) for p in counts.places}
    size = {p: v for p, v in size.items() if v > 0}
    total = sum(size.values())
    if not total:
        return []
    old = {p: counts.total(earlier, p) for p in size} if earlier else None
    old_total = counts.total(earlier) if earlier else 0.0
    ordered = sorted(size, key=lambda p: (-size[p], p))
    lead = ordered[0]
    found = []
    for rank, place in enumerate(ordered, start=1):
        share = size[place] / total
        gap = size[lead] / total - share
        then = change = None
        moves = "leads" if place == lead else "unknown"
        if old is not None and old_total > 0:
            then = old[place] / old_total
            change = gap - (old[lead] / old_total - then)
            if place != lead:
                spread = _variance(size[lead] / total, share, total) + _variance(old[lead] / old_total, then, old_total)
                moves = _direction(change, spread)
        found.append(
            Stand(place, size[place], None if old is None else old[place], share, then, rank, lead, gap, change, moves)
        )
    return found


def _variance(a: float, b: float, n: float) -> float:
    """Sampling variance of the difference of two shares of one multinomial."""
    return max(a + b - (a - b) ** 2, 0.0) / max(n, 1.0)


def _direction(change: float, variance: float) -> str:
    """Whether a gap changed by more than chance: two-sided at ``SURE``."""
    limit = float(norm.ppf((1 + SURE) / 2)) * float(np.sqrt(variance))
    if abs(change) <= limit:
        return "steady"
    return "narrows" if change < 0 else "widens"


def growth(stand: Stand, width: int) -> float | None:
    """Annual growth from the window before to this one; ``None`` where either is too small to tell."""
    return rise(stand.before, stand.count, width)


def rise(before: float | None, now: float, width: int) -> float | None:
    """Annual growth between the counts of two windows; ``None`` where either is too small to tell."""
    if before is None or before < _ENOUGH or now < _ENOUGH:
        return None
    return float((now / before) ** (1 / width) - 1)


def place_table(
    found: Sequence[tuple[Definition, Counts]],
    width: int,
    asked: int,
    kept: str | None,
    extra: Mapping[tuple[str, str], Mapping[str, Any]],
) -> Result | None:
    """One table for one kind of evidence: the largest places of each field, and the one asked about.

    ``extra`` holds further figures by (field, place): the emergence and disruption of works.
    """
    rows: list[dict[str, Any]] = []
    evidence = found[0][1].evidence
    for one, counts in found:
        now, _ = windows(counts, width, asked)
        for stand in stands(counts, width, asked):
            if stand.rank > _SHOWN and stand.place != kept:
                continue
            names, lead = place_names(stand.place), place_names(stand.lead)
            rows.append(
                {
                    "field_zh": one.names["zh"], "field_en": one.names["en"],
                    "place_zh": names["zh"], "place_en": names["en"], "rank": stand.rank, "items": stand.count,
                    "share": stand.share, "growth_year": growth(stand, width), "lead_gap": stand.gap,
                    "lead_gap_change": stand.gap_change, "lead_moves": stand.moves,
                    "lead_zh": lead["zh"], "lead_en": lead["en"],
                    "before": stand.before, "share_before": stand.share_before,
                    **{"emergence": None, "cd": None, "cd_works": None},
                    **extra.get((one.name, stand.place), {}),
                    "from_year": now[0] or None, "to_year": now[-1] or None, "place": stand.place, "field_id": one.name,
                    "panel_series": one.series[0] if one.series else "",
                }
            )  # fmt: skip
    if not rows:
        return None
    return result(rows, _fields(evidence), ("field_id", "place"), Text(f"frontier.{evidence}"))


def _fields(evidence: str) -> list[Field]:
    table = TABLES[evidence]
    count: Basis = Matrix(table, {})
    if evidence == "publications":
        count = Rows(table, {"indicator": Cell("panel_series"), "region": Cell("place"), "industry": "ALL"})
    whole: Basis = Matrix(table, {"indicator": Cell("panel_series")} if evidence == "publications" else {})
    more = [
        figure("emergence", basis=whole, digits=2),
        figure("cd", basis=Matrix("citation", {}), digits=3),
        figure("cd_works", "integer", basis=whole),
    ] if evidence == "works" else []  # fmt: skip
    aside = [text_field("panel_series")] if evidence == "publications" else []
    return [
        *name_fields("field", "column.field_name"), *name_fields("place", "column.region_name"),
        figure("rank", "integer", basis=whole), figure("items", basis=count, digits=1),
        figure("share", "share", basis=whole), figure("growth_year", "share", basis=count),
        figure("lead_gap", "share", basis=whole), figure("lead_gap_change", "share", basis=whole),
        text_field("lead_moves", "class"), *name_fields("lead", "column.lead"), *more,
        figure("before", basis=count, digits=1), figure("share_before", "share", basis=whole),
        figure("from_year", "year"), figure("to_year", "year"), text_field("place"), text_field("field_id"), *aside,
    ]  # fmt: skip
