"""What fields catch in the lake: works, topics, projects, laboratories, patents, models, by place and year.

Every catch says by what: 1 by structure (topic, programme, class), 2 by words in the title or name, 3 by both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ronghe.errors import AskError
from ronghe.fielding.definition import Definition
from ronghe.lenses.base import Context
from ronghe.lenses.frontier.project_places import Places

STRUCTURE, WORDS = 1, 2
NO_RESEARCH = ("paratext", "erratum", "editorial", "peer-review", "retraction", "dataset", "supplementary-materials")
"""Kinds of works that report no research of their own."""
ABROAD = "cordis:%"


@dataclass(slots=True)
class Counts:
    """What one kind of evidence counts for one field.

    Attributes
    ----------
    evidence : ``works``, ``publications``, ``models``, ``patents``, ``projects``, ``laboratories``.
    cells : (year, place) -> count, fractional where several places share one item.
    unplaced : the share of all that belongs to no known place.
    ids : (year, place) -> the keys of the items, each with its part; a year of 0 where there is none.
    """

    evidence: str
    cells: dict[tuple[int, str], float] = field(default_factory=dict)
    unplaced: float = 0.0
    ids: dict[tuple[int, str], dict[str, float]] = field(default_factory=dict)

    def add(self, year: int | None, place: str | None, value: float, key: str | None = None) -> None:
        """Count one item, or its share, in a place and year."""
        if place is None:
            self.unplaced += value
            return
        spot = (int(year or 0), place)
        self.cells[spot] = self.cells.get(spot, 0.0) + value
        if key is not None:
            held = self.ids.setdefault(spot, {})
            held[key] = held.get(key, 0.0) + value

    @property
    def years(self) -> list[int]:
        """The years that have any, ascending."""
        return sorted({y for y, _ in self.cells if y})

    @property
    def places(self) -> list[str]:
        """The places that have any."""
        return sorted({p for _, p in self.cells})

    def total(self, years: Iterable[int], place: str | None = None) -> float:
        """The count of some years, of a place or of all."""
        wanted = set(years)
        return sum(v for (y, p), v in self.cells.items() if y in wanted and place in (None, p))

    def items(self, years: Iterable[int], place: str | None = None) -> dict[str, float]:
        """The items behind ``total``, each with its part."""
        wanted = set(years)
        found: dict[str, float] = {}
        for (year, here), held in sorted(self.ids.items()):
            if year in wanted and place in (None, here):
                for key, part in held.items():
                    found[key] = found.get(key, 0.0) + part
        return found


def caught_works(ctx: Context, fields: Sequence[Definition], *, everything: bool = False) -> pa.Table:
    """Works of research that are not retracted, with ``hit_0``, ``hit_1`` … for the fields.

    ``everything`` keeps those that no field catches.
    """
    works = research_works(ctx)
    hits = {f"hit_{i}": _work_hit(works, one) for i, one in enumerate(fields)}
    works = works.mutate(**hits)
    if not everything:
        any_hit = works[next(iter(hits))] > 0
        for name in hits:
            any_hit = any_hit | (works[name] > 0)
        works = works.filter(any_hit)
    columns = ("work_id", "title", "year", "type", "topic", "topic_name", "subfield", "field", "cited_by", "references")
    return ctx.fetch(works.select(*columns, *hits).order_by("work_id"))


def research_works(ctx: Context) -> Any:
    """Works of research that are not retracted, as an expression."""
    works = ctx.table("work")
    return works.filter(~works["retracted"].fill_null(False) & ~works["type"].fill_null("").isin(NO_RESEARCH))


def _work_hit(works: Any, one: Definition) -> Any:
    topic = works["topic"].isin(list(one.topics) or [""])
    for column, names in (("subfield", one.subfields), ("field", one.fields)):
        if names:
            topic = topic | works[column].isin(list(names))
    if one.except_topics:
        topic = topic & ~works["topic"].isin(list(one.except_topics))
    return STRUCTURE * topic.fill_null(False).cast("int64") + _word_hit(works["title"], one)


def _word_hit(title: Any, one: Definition) -> Any:
    if one.title_pattern is None:
        return 0
    words = title.re_search(one.title_pattern)
    if one.forbidden_pattern is not None:
        words = words & ~title.re_search(one.forbidden_pattern)
    return WORDS * words.fill_null(False).cast("int64")


def country_shares(ctx: Context) -> pa.Table:
    """``work_id``, ``country`` (null where unknown), ``share``: authors of a work count alike, and so do the
    affiliations of an author.

    The engine counts whole numbers alone, and fractions are added here in a fixed order: to the last digit the same.
    """
    rows = ctx.table("authorship").select("work_id", "author_no", "country")
    rows = rows.mutate(of=rows.count().over(group_by=["work_id", "author_no"]))
    grouped = rows.group_by(["work_id", "country", "of"]).aggregate(n=rows.count())
    found = ctx.fetch(grouped.order_by(["work_id", "country", "of"])).to_pylist()
    sums: dict[tuple[str, str | None], float] = {}
    total: dict[str, float] = {}
    for row in found:
        key, part = (row["work_id"], row["country"]), row["n"] / row["of"]
        sums[key] = sums.get(key, 0.0) + part
        total[row["work_id"]] = total.get(row["work_id"], 0.0) + part
    return pa.table(
        {
            "work_id": pa.array([w for w, _ in sums], pa.string()),
            "country": pa.array([c for _, c in sums], pa.string()),
            "share": pa.array([v / total[w] for (w, _), v in sums.items()], pa.float64()),
        }
    )


def work_counts(works: pa.Table, shares: pa.Table, number: int) -> Counts:
    """Fractional counts of a field's works by country and year."""
    by_work: dict[str, list[tuple[str | None, float]]] = {}
    for work, country, share in zip(*(shares.column(c).to_pylist() for c in shares.column_names), strict=True):
        by_work.setdefault(work, []).append((country, share))
    found = Counts("works")
    columns = (works.column(c).to_pylist() for c in ("work_id", "year", f"hit_{number}"))
    for work, year, hit in zip(*columns, strict=True):
        if hit and year is not None:
            for country, share in by_work.get(work, [(None, 1.0)]):
                found.add(year, country, share, work)
    return found


def panel_counts(ctx: Context, one: Definition) -> Counts:
    """Publications by the panel's first indicator of the field, by country and year."""
    found = Counts("publications")
    if one.series:
        rows = ctx.rows("indicator", ("region", "year", "value"), indicator=one.series[0], industry="ALL")
        for row in rows.to_pylist():
            if row["value"] is not None and len(row["region"]) == 3 and row["region"] != "WLD":
                found.add(row["year"], row["region"], row["value"])
    return found


def model_counts(ctx: Context, one: Definition) -> Counts:
    """Notable AI models by country, shared equally among the countries of one model."""
    found = Counts("models")
    if one.models:
        for row in ctx.rows("ai_model", ("model", "year", "countries")).to_pylist():
            places = row["countries"] or [None]
            for place in places:
                found.add(row["year"], place, 1.0 / len(places), row["model"])
    return found


def caught_patents(ctx: Context, fields: Sequence[Definition]) -> list[dict[str, Any]]:
    """Patents of invention with their classes and, for each field, what caught them."""
    rows = ctx.rows("patent", ("patent_id", "title", "year", "application_year", "country", "claims"), type="utility")
    classes: dict[str, list[str]] = {}
    for row in ctx.rows("patent_class", ("patent_id", "scheme", "code")).to_pylist():
        if row["scheme"] in {"IPC", "CPC"}:
            classes.setdefault(row["patent_id"], []).append(row["code"])
    found = []
    for row in rows.to_pylist():
        held = classes.get(row["patent_id"], [])
        hits = {
            f"hit_{i}": STRUCTURE * any(f.has_class(c) for c in held) + WORDS * f.has_title(row["title"])
            for i, f in enumerate(fields)
        }
        found.append({**row, "classes": held, **hits})
    return found


def caught_projects(ctx: Context, fields: Sequence[Definition], places: Places | None = None) -> list[dict[str, Any]]:
    """China's national R&D projects with their province and, for each field, what caught them."""
    table = ctx.table("project")
    table = table.filter(~table["project_id"].like(ABROAD))
    columns = ("project_id", "title", "institution", "programme", "year", "funds", "region")
    found = []
    for row in ctx.fetch(table.select(*columns).order_by("project_id")).to_pylist():
        hits = {
            f"hit_{i}": STRUCTURE * f.has_programme(row["programme"]) + WORDS * f.has_title(row["title"])
            for i, f in enumerate(fields)
        }
        place = row["region"] or (places.of(row["institution"]) if places is not None else None)
        found.append({**row, "place": place, **hits})
    return found


def caught_laboratories(ctx: Context, fields: Sequence[Definition]) -> list[dict[str, Any]]:
    """Key laboratories, one row each laboratory, with the fields whose words their names hold."""
    seen: dict[str, dict[str, Any]] = {}
    columns = ("lab_id", "name", "area", "institution", "region", "year", "type")
    for row in ctx.rows("laboratory", columns).to_pylist():
        hits = {f"hit_{i}": WORDS * f.has_title(row["name"]) for i, f in enumerate(fields)}
        seen.setdefault(row["name"], {**row, **hits})
    return list(seen.values())


def place_counts(rows: Sequence[Mapping[str, Any]], evidence: str, number: int, key: str, place: str) -> Counts:
    """Counts of rows that a field caught, by a column of places and by ``year``."""
    found = Counts(evidence)
    for row in rows:
        if row[f"hit_{number}"]:
            found.add(row["year"], row[place], 1.0, row[key])
    return found


def needed(fields: Sequence[Definition], caught: Mapping[str, float]) -> tuple[Definition, ...]:
    """The fields that catch anything.

    Raises
    ------
    AskError : none does; names the first.
    """
    kept = tuple(one for one in fields if caught.get(one.name))
    if not kept:
        raise AskError("field_catches_nothing", field=dict(fields[0].names), file=fields[0].name)
    return kept
