"""The counts behind the frontier lens, and the paths behind its figures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ronghe.fielding.definition import Definition
from ronghe.kernels.emergence import SCORES
from ronghe.lenses.base import Context, Path
from ronghe.lenses.frontier.citation_load import load_science, whole_year
from ronghe.lenses.frontier.field_load import (
    Counts,
    caught_laboratories,
    caught_patents,
    caught_projects,
    caught_works,
    country_shares,
    model_counts,
    panel_counts,
    place_counts,
    research_works,
    work_counts,
)
from ronghe.lenses.frontier.field_params import chosen
from ronghe.lenses.frontier.field_paths import caught_rows, paths_of
from ronghe.lenses.frontier.places import TABLES, windows
from ronghe.lenses.frontier.project_places import load_places
from ronghe.lenses.frontier.topics import Topics, load_topics
from ronghe.lenses.params import place_names
from ronghe.model.finding import Finding
from ronghe.model.text import both

_KEYS = {"works": "work_id", "models": "model", "patents": "patent_id", "projects": "project_id",
         "laboratories": "lab_id"}  # fmt: skip
_MOST = 8
_CELLS = 200


Found = Mapping[str, Sequence[tuple[Definition, Counts]]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What fields catch: the counts by kind of evidence, in it one for each field; and how many items were looked at.

    ``searched`` has no count for publications of the panel, which are published as sums.
    """

    counts: Found
    searched: Mapping[str, int]

    def of(self, fields: Collection[Definition]) -> Found:
        """The counts of some of the fields."""
        return {e: [g for g in group if g[0] in fields] for e, group in self.counts.items()}


def gather(ctx: Context, fields: Sequence[Definition]) -> Gathered:
    """The counts of every kind of evidence for every field."""
    works, shares = caught_works(ctx, fields), country_shares(ctx)
    patents = caught_patents(ctx, fields)
    projects = caught_projects(ctx, fields, load_places(ctx))
    laboratories = caught_laboratories(ctx, fields)
    found: dict[str, list[tuple[Definition, Counts]]] = {e: [] for e in TABLES}
    for i, one in enumerate(fields):
        found["works"].append((one, work_counts(works, shares, i)))
        found["publications"].append((one, panel_counts(ctx, one)))
        found["models"].append((one, model_counts(ctx, one)))
        found["patents"].append((one, place_counts(patents, "patents", i, "patent_id", "country")))
        found["projects"].append((one, place_counts(projects, "projects", i, "project_id", "place")))
        found["laboratories"].append((one, place_counts(laboratories, "laboratories", i, "lab_id", "region")))
    research = research_works(ctx)
    searched = {
        "works": int(ctx.fetch(research.aggregate(n=research.count()))["n"][0].as_py()),
        "models": ctx.snapshot.count("ai_model"), "patents": len(patents), "projects": len(projects),
        "laboratories": len(laboratories),
    }  # fmt: skip
    return Gathered(found, searched)


def explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The items behind a count by what caught them, the places behind a share, the years or works behind a topic."""
    del finding
    if table in {"topics", "backtest"}:
        return _of_topics(ctx, table, column, row)
    fields = chosen(ctx.params["field"])
    one = next((f for f in fields if f.name == row.get("field_id")), fields[0])
    held = gather(ctx, (one,)).counts
    whole = table in {"cards", "years"}
    evidence = str(row["evidence"]) if whole else table
    if table == "trend":
        evidence = next(e for e in ("publications", "works", "models") if held[e][0][1].years)
    counts = held[evidence][0][1]
    now, earlier = windows(counts, ctx.params["window"], ctx.params["year"])
    place = None if whole else str(row["place"])
    years = earlier if column in {"before", "share_before"} else (row["year"],) if table in {"trend", "years"} else now
    if evidence == "publications" or column not in {"items", "before", "growth_year"}:
        return _by_place(counts, one, years)
    parts = counts.items(years, place)
    if evidence == "models":
        return [
            Path(place_names(place or "WLD"), sum(parts.values()), 1.0, {"model": tuple(parts)[:_CELLS]}, "ai_model")
        ]
    rows = [r for r in caught_rows(ctx, one, TABLES[evidence]) if r[_KEYS[evidence]] in parts]
    return paths_of(rows, TABLES[evidence], parts)


def _by_place(counts: Counts, one: Definition, years: Sequence[int]) -> list[Path]:
    """The largest places of some years, each with its items or cells."""
    total = counts.total(years) or 1.0
    ordered = sorted(counts.places, key=lambda p: (-counts.total(years, p), p))[:_MOST]
    found = []
    for place in ordered:
        value = counts.total(years, place)
        cells: dict[str, Any] = {"indicator": one.series[:1], "region": place, "year": tuple(years)}
        if counts.evidence != "publications":
            cells = {_KEYS[counts.evidence]: tuple(counts.items(years, place))[:_CELLS]}
        found.append(Path(place_names(place), value, value / total, cells, TABLES[counts.evidence]))
    return found


def _of_topics(ctx: Context, table: str, column: str, row: Mapping[str, Any]) -> list[Path]:
    science = load_science(ctx)
    by_year: dict[int, float] = {}
    for value in science.year[science.usable].tolist():
        by_year[int(value)] = by_year.get(int(value), 0.0) + 1
    topics = load_topics(science, whole_year(by_year, ctx.params["year"]), max(3, ctx.params["window"]))
    if table == "backtest":
        return _of_tests(topics, str(row["score"]))
    if column == "cd":
        held = [
            (r, float(cd)) for r, cd in zip(science.rows, topics.cd, strict=True)
            if r["topic"] == row["topic"] and np.isfinite(cd)
        ]  # fmt: skip
        held.sort(key=lambda p: (-abs(p[1]), p[0]["work_id"]))
        whole = sum(abs(cd) for _, cd in held) or 1.0
        return [
            Path(both(None, r["title"]), cd, abs(cd) / whole, {"work_id": r["work_id"]}, "work")
            for r, cd in held[:_MOST]
        ]
    counts = topics.counts[topics.at[str(row["topic"])], -topics.window :]
    years = topics.years[-topics.window :]
    return [
        Path(both(str(y), str(y)), float(n), float(n / counts.sum()), {"topic": row["topic"], "year": y}, "work")
        for y, n in zip(years, counts, strict=True)
    ]


def _of_tests(topics: Topics, score: str) -> list[Path]:
    """The AUC of each year stood at, weighted by the topics asked about."""
    tested = topics.tested
    if tested is None:
        return []
    years = [topics.years[int(i)] for i in tested.years]
    shares = tested.candidates / tested.candidates.sum()
    return [
        Path(both(str(y), str(y)), float(a), float(s), {"year": y}, "work")
        for y, a, s in zip(years, tested.auc[SCORES.index(score)], shares, strict=True)
    ]
