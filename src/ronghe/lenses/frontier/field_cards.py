"""Fields at a glance: for each kind of evidence how much, whose, who leads and how far; or why there is nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from ronghe.fielding.definition import Definition
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.citation_load import whole_year
from ronghe.lenses.frontier.field_load import Counts
from ronghe.lenses.frontier.paths import Gathered
from ronghe.lenses.frontier.places import TABLES, Stand, rise, stands, windows
from ronghe.lenses.params import place_names
from ronghe.model.finding import Cards, Cell, Field, Matrix, Result, Spark
from ronghe.model.text import Text

FEW = 30
"""Below so many items a share says little."""
_SHOWN_YEARS = 25
_LEAST_YEARS = 3
_INLAND = frozenset({"projects", "laboratories"})
"""Evidence that is placed in provinces: a country has no share of it."""
_BASIS = Matrix(Cell("lake_table"), {})
_NONE: Mapping[str, Any] = {
    "from_year": None, "to_year": None, "items": None, "growth_year": None, "share": None, "rank": None,
    "lead_zh": None, "lead_en": None, "lead_share": None, "second_zh": None, "second_en": None, "gap_points": None,
    "lead_moves": None, "emergence": None, "cd": None, "cd_works": None, "topic_first": None,
}  # fmt: skip


def card_table(
    gathered: Gathered,
    where: tuple[str, int, int],
    extra: Mapping[tuple[str, str], Mapping[str, Any]],
    topics: Result,
    narrow: frozenset[str],
) -> Result:
    """One row for each field and kind of evidence; the columns of figures are empty where there is no record.

    Parameters
    ----------
    where : the place asked about, the width of the window, the year asked for.
    extra : emergence and disruption of works by (field, place); a field as a whole has the place ``""``.
    narrow : fields whose works are a by-catch of a sample drawn for another discipline.
    """
    place, width, asked = where
    first = {r["field_en"]: r["topic_name"] for r in reversed(topics.data.to_pylist())}
    rows = []
    for evidence, group in gathered.counts.items():
        for number, (one, counts) in enumerate(group):
            row = {"field_zh": one.names["zh"], "field_en": one.names["en"], "field_id": one.name, "number": number,
                   "evidence": evidence, "unit": f"item_{evidence}", "lake_table": TABLES[evidence],
                   "searched": gathered.searched.get(evidence), **_NONE}  # fmt: skip
            held = stands(counts, width, asked)
            if held:
                row |= _figures(counts, held, where)
            if evidence == "works" and held:
                whole = extra.get((one.name, ""), {})
                row |= {**whole, "cd_works": whole.get("cd_works") or None}
                row["topic_first"] = first.get(one.names["en"])
            row["remark"] = _remark(one, counts, bool(held), row, one.name in narrow)
            rows.append(row)
    rows.sort(key=lambda r: r["number"])
    return result(rows, _fields(place), ("field_id", "evidence"), Text("frontier.cards"), aside=True)


def _figures(counts: Counts, held: Sequence[Stand], where: tuple[str, int, int]) -> dict[str, Any]:
    """How much there is in the window, what of it is the place's, who leads and by how much."""
    place, width, asked = where
    now, earlier = windows(counts, width, asked)
    total, before = counts.total(now), counts.total(earlier) if earlier else None
    lead = place_names(held[0].place)
    found = {"from_year": now[0] or None, "to_year": now[-1] or None, "items": total,
             "growth_year": rise(before, total, width), "lead_zh": lead["zh"], "lead_en": lead["en"],
             "lead_share": held[0].share}  # fmt: skip
    mine = next((s for s in held if s.place == place), None)
    if mine is None:
        if counts.evidence not in _INLAND:
            found |= {"share": 0.0, "gap_points": 100 * held[0].share}
        return found
    found |= {"share": mine.share, "rank": mine.rank}
    against = next((s for s in held if s.rank == (2 if mine.rank == 1 else mine.rank)), None)
    if against is None:
        return found
    if mine.rank == 1:
        second = place_names(against.place)
        found |= {"second_zh": second["zh"], "second_en": second["en"]}
    return {**found, "gap_points": 100 * against.gap, "lead_moves": against.moves}


def _remark(one: Definition, counts: Counts, held: bool, row: Mapping[str, Any], narrow: bool) -> str | None:
    """What to mind of the figures; or why there are none."""
    if held:
        if row["items"] < FEW:
            return "few"
        return "narrow" if narrow and counts.evidence == "works" else None
    if (counts.evidence == "publications" and not one.series) or (counts.evidence == "models" and not one.models):
        return "not_defined"
    if counts.evidence == "publications" or not row["searched"]:
        return "not_loaded"
    if counts.unplaced:
        return "unplaced"
    return "outside" if counts.cells else "nothing"


def _fields(place: str) -> list[Field]:
    mine = Text("frontier.share_of", {"place": place_names(place)})
    return [
        *name_fields("field", "column.field_name"), text_field("evidence", "class"),
        figure("items", unit="=unit", basis=_BASIS), text_field("unit", "unit"),
        figure("growth_year", "share", basis=_BASIS),
        Field("share", mine, "share", basis=_BASIS), figure("rank", "integer", basis=_BASIS),
        *name_fields("lead", "column.lead"), figure("lead_share", "share", basis=_BASIS),
        *name_fields("second", "column.second"), figure("gap_points", unit="point", basis=_BASIS, digits=1),
        text_field("lead_moves", "class"), figure("emergence", basis=_BASIS, digits=2),
        figure("cd", basis=Matrix("citation", {}), digits=3), figure("cd_works", "integer", basis=_BASIS),
        text_field("topic_first"), figure("from_year", "year"), figure("to_year", "year"),
        text_field("remark", "class"), figure("searched", "integer", basis=_BASIS), text_field("field_id"),
        text_field("lake_table"),
    ]  # fmt: skip


def year_table(gathered: Gathered, asked: int) -> Result | None:
    """Items a year of each field and kind of evidence, up to the last whole year; ``None`` where none has three."""
    rows: list[dict[str, Any]] = []
    for group in zip(*gathered.counts.values(), strict=True):
        for evidence, (one, counts) in zip(gathered.counts, group, strict=True):
            if evidence == "laboratories" or len(counts.years) < _LEAST_YEARS:
                continue
            by_year = {y: counts.total([y]) for y in counts.years}
            last = min(whole_year(by_year, asked), max(by_year))
            shown = range(max(min(by_year), last - _SHOWN_YEARS + 1), last + 1)
            rows += [
                {"field_zh": one.names["zh"], "field_en": one.names["en"], "evidence": evidence, "year": y,
                 "items": by_year.get(y, 0.0), "unit": f"item_{evidence}", "field_id": one.name,
                 "lake_table": TABLES[evidence]}
                for y in shown
            ] if len(shown) >= _LEAST_YEARS else []  # fmt: skip
    if not rows:
        return None
    shown_fields = [
        *name_fields("field", "column.field_name"), text_field("evidence", "class"), figure("year", "year"),
        figure("items", unit="=unit", basis=_BASIS), text_field("unit", "unit"), text_field("field_id"),
        text_field("lake_table"),
    ]  # fmt: skip
    return result(rows, shown_fields, ("field_id", "evidence", "year"), Text("frontier.years"), aside=True)


def cards(tables: Mapping[str, Result]) -> Cards:
    """How the fields are read at a glance."""
    figures = ("items", "growth_year", "share", "rank", "lead", "lead_share", "second", "gap_points", "lead_moves",
               "emergence", "cd", "cd_works", "topic_first")  # fmt: skip
    spark = Spark("years", "year", "items", ("field_id", "evidence")) if "years" in tables else None
    return Cards("cards", Text("frontier.cards"), "field", "evidence", figures, ("from_year", "to_year"), "remark",
                 spark)  # fmt: skip
