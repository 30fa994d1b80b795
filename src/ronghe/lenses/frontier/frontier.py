"""Where does a frontier field form, who leads it, and does the distance narrow?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ronghe.fielding.definition import Definition
from ronghe.lenses.base import Context, lens
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.citation_load import Science, load_science, whole_year
from ronghe.lenses.frontier.field_cards import card_table, cards, year_table
from ronghe.lenses.frontier.field_load import caught_works, country_shares, needed
from ronghe.lenses.frontier.field_params import FieldName, chosen
from ronghe.lenses.frontier.paths import Found, explain, gather
from ronghe.lenses.frontier.places import TABLES, place_table
from ronghe.lenses.frontier.project_places import READS as PLACES
from ronghe.lenses.frontier.topics import (
    AHEAD,
    CD_WINDOW,
    Topics,
    backtest_table,
    load_topics,
    topic_table,
)
from ronghe.lenses.params import LATEST, Region, Year, place_names
from ronghe.model.finding import Caveat, Chart, Finding, Matrix, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text

READS = ("work", "citation", "authorship", "indicator", "ai_model", "patent", "patent_class", "project", *PLACES)
CHINA = Region("CHN")
WINDOW = 5
_LINES = 6
_EARTH, _NARROW = "Earth and Planetary Sciences", 0.3


def _extra(
    works: Sequence[Mapping[str, Any]],
    fields: Sequence[Definition],
    shares: Mapping[str, list[tuple[str, float]]],
    topics: Topics,
    science: Science,
) -> dict[tuple[str, str], dict[str, Any]]:
    """Emergence of the topics that a place works on, and the disruption of its works, weighted by its part in them.

    A field as a whole stands under the place ``""``.
    """
    cd = dict(zip(science.ids, topics.cd.tolist(), strict=True))
    sums: dict[tuple[str, str], list[float]] = {}
    recent = topics.years[-topics.window]
    for row in works:
        at = topics.at.get(row["topic"])
        score = float(topics.scores.score[at]) if at is not None else np.nan
        for i, one in enumerate(fields):
            if not row[f"hit_{i}"]:
                continue
            for country, share in [("", 1.0), *shares.get(row["work_id"], [])]:
                held = sums.setdefault((one.name, country), [0.0, 0.0, 0.0, 0.0, 0.0])
                if np.isfinite(score) and (row["year"] or 0) >= recent:
                    held[0] += share * score
                    held[1] += share
                if np.isfinite(cd[row["work_id"]]):
                    held[2] += share * cd[row["work_id"]]
                    held[3] += share
                    held[4] += 1
    return {
        key: {"emergence": e / w if w else None, "cd": d / v if v else None, "cd_works": int(n)}
        for key, (e, w, d, v, n) in sums.items()
    }


def _trend(found: Found, place: str) -> Result | None:
    """Shares of the leading places over the years, by the first kind of evidence that the first field has years of."""
    best = next((e for e in ("publications", "works", "models") if len(found[e][0][1].years) >= 3), "works")
    counts = found[best][0][1]
    if len(counts.years) < 3:
        return None
    last = whole_year({y: counts.total([y]) for y in counts.years})
    years = [y for y in counts.years if y <= last][-25:]
    size = {p: counts.total(years[-5:], p) for p in counts.places}
    ordered = sorted(size, key=lambda p: (-size[p], p))[:_LINES]
    rows = [
        {"place_zh": place_names(p)["zh"], "place_en": place_names(p)["en"], "year": y,
         "share": counts.total([y], p) / counts.total([y]) if counts.total([y]) else None,
         "items": counts.total([y], p), "place": p}
        for p in dict.fromkeys([*ordered, *([place] if place in size else [])])
        for y in years
    ]  # fmt: skip
    basis = Matrix(TABLES[best], {})
    shown = [
        *name_fields("place", "column.region_name"), figure("year", "year"), figure("share", "share", basis=basis),
        figure("items", basis=basis, digits=1), text_field("place"),
    ]  # fmt: skip
    title = Text("frontier.trend", {"field": dict(found[best][0][0].names), "evidence": Text(f"frontier.short.{best}")})
    return result(rows, shown, ("place", "year"), title, aside=True)


def _narrow(works: Sequence[Mapping[str, Any]], fields: Sequence[Definition], science: Science) -> frozenset[str]:
    """The fields whose works are a by-catch of a sample drawn for another discipline."""
    if _earth(science) <= _NARROW:
        return frozenset()
    found = set()
    for i, one in enumerate(fields):
        mine = [r["field"] == _EARTH for r in works if r[f"hit_{i}"]]
        if mine and sum(mine) <= _NARROW * len(mine):
            found.add(one.name)
    return frozenset(found)


def _earth(science: Science) -> float:
    """The share of the discipline that the sample of works was drawn for."""
    return float(np.mean([r["field"] == _EARTH for r in science.rows])) if science.rows else 0.0


def _caveats(found: Found, science: Science, topics: Topics, drawn: bool) -> list[Caveat]:
    said = [Caveat("note", Text("frontier.window", {"window": topics.window, "last": topics.years[-1]}))]
    for evidence in ("works", "projects"):
        all_ = sum(c.total(c.years) + c.unplaced for _, c in found[evidence])
        lost = sum(c.unplaced for _, c in found[evidence])
        if all_ and lost / all_ > 0.005:
            said.append(Caveat("warning", Text(f"frontier.unplaced.{evidence}", {"share": lost / all_})))
    broad = sum(ok for ok in science.usable)
    share = _earth(science)
    if share > _NARROW:
        said.append(Caveat("warning", Text("frontier.narrow", {"share": share, "works": int(broad)})))
    judged = int(np.isfinite(topics.cd).sum())
    said.append(
        Caveat("warning" if science.coverage < 0.5 else "note",
               Text("frontier.cd", {"coverage": science.coverage, "judged": judged, "window": CD_WINDOW}))
    )  # fmt: skip
    if not drawn:
        said.append(Caveat("note", Text("frontier.no_diagram", {"window": topics.window})))
    if found["patents"][0][1].years and len(found["patents"][0][1].years) < 5:
        said.append(Caveat("warning", Text("frontier.patents_few")))
    tested = topics.tested
    if tested is not None and tested.years.size:
        auc = tested.mean_auc()
        best = max(auc, key=lambda k: auc[k])
        args = {"ahead": AHEAD, "auc": auc["emergence"], "last": auc["last_growth"], "size": auc["size"],
                "best": Text(f"class.score.{best}")}  # fmt: skip
        wins = auc["emergence"] > max(auc["last_growth"], auc["size"])
        said.append(Caveat("note" if wins else "warning", Text(f"frontier.test_{'wins' if wins else 'loses'}", args)))
    return said


def _headline(fields: Sequence[Definition], tables: Mapping[str, Result], place: str) -> Text:
    names = place_names(place)
    for evidence in ("publications", "works", "models", "projects"):
        if evidence not in tables:
            continue
        rows = [r for r in tables[evidence].data.to_pylist() if r["field_id"] == fields[0].name]
        if not rows:
            continue
        first = rows[0]
        mine = next((r for r in rows if r["place"] == place), None)
        args = {"field": dict(fields[0].names), "evidence": Text(f"frontier.short.{evidence}"),
                "first": first["from_year"], "last": first["to_year"],
                "lead": {"zh": first["place_zh"], "en": first["place_en"]},
                "share": first["share"], "place": names}  # fmt: skip
        if mine is None or len(rows) == 1:
            return Text("frontier.headline", args)
        if mine["rank"] == 1:
            args |= {"second": {"zh": rows[1]["place_zh"], "en": rows[1]["place_en"]}, "gap": 100 * rows[1]["lead_gap"],
                     "moves": Text(f"class.lead_moves.{rows[1]['lead_moves']}")}  # fmt: skip
            return Text("frontier.headline_leads", args)
        args |= {"own": mine["share"], "rank": mine["rank"], "moves": Text(f"class.lead_moves.{mine['lead_moves']}")}
        return Text("frontier.headline_place", args)
    return Text("frontier.headline_none", {"fields": [dict(f.names) for f in fields]})


@lens("frontier", version=2, reads=READS, explain=explain)
def frontier(
    ctx: Context, *, field: FieldName | None = None, region: Region = CHINA, window: int = WINDOW, year: Year = LATEST
) -> Finding:
    """How large and how fast is each frontier field, what emerges in it, who leads, and does the distance narrow?"""
    asked = chosen(field)
    gathered = gather(ctx, asked)
    held = {
        f.name: sum(bool(g[i][1].cells or g[i][1].unplaced) for g in gathered.counts.values())
        for i, f in enumerate(asked)
    }
    fields = needed(asked, held)
    found = gathered.of(fields)
    science = load_science(ctx)
    by_year: dict[int, float] = {}
    for value in science.year[science.usable].tolist():
        by_year[int(value)] = by_year.get(int(value), 0.0) + 1
    topics = load_topics(science, whole_year(by_year, year), max(3, window))
    shares: dict[str, list[tuple[str, float]]] = {}
    for row in country_shares(ctx).to_pylist():
        if row["country"] is not None:
            shares.setdefault(row["work_id"], []).append((row["country"], row["share"]))
    works = caught_works(ctx, fields).to_pylist()
    extra = _extra(works, fields, shares, topics, science)
    listed = topic_table(topics, science, fields)
    narrow = _narrow(works, fields, science)
    tables = {"cards": card_table(gathered, (str(region), window, year), extra, listed, narrow)}
    for evidence, group in found.items():
        made = place_table(group, window, year, str(region), extra if evidence == "works" else {})
        if made is not None:
            tables[evidence] = made
    more = {"topics": listed if listed.data.num_rows else None, "trend": _trend(found, str(region)),
            "backtest": backtest_table(topics), "years": year_table(gathered, year)}  # fmt: skip
    tables |= {name: made for name, made in more.items() if made is not None}
    said = _caveats(found, science, topics, bool(listed.data.num_rows))
    empty = [dict(f.names) for f in asked if f not in fields]
    if empty:
        said.insert(0, Caveat("warning", Text("frontier.empty", {"fields": empty})))
    return ctx.answer(_headline(fields, tables, str(region)), tables, charts=_charts(tables, len(fields)),
                      cards=[cards(tables)], caveats=said, steps=_steps(window))  # fmt: skip


def _charts(tables: Mapping[str, Result], fields: int) -> list[Chart]:
    made = []
    if "topics" in tables:
        made.append(
            Chart("scatter", "topics",
                  {"x": "strength", "y": "emergence", "size": "works", "name": "topic_name",
                   "color": "field" if fields > 1 else "diagram_standing"},
                  Text("frontier.diagram"), {"x_line": 0.5, "y_line": 0.5, "labels": 14})
        )  # fmt: skip
    if "trend" in tables:
        made.append(Chart("line", "trend", {"x": "year", "y": "share", "series": "place"}, tables["trend"].title))
    first = next((e for e in ("publications", "works", "models", "projects") if e in tables), None)
    if first is not None:
        one = tables[first].data.column("field_id")[0].as_py()
        made.append(
            Chart("bar", first, {"x": "place", "y": "share"}, tables[first].title,
                  {"top": 15, "where": {"field_id": one}})
        )  # fmt: skip
    return made


def _steps(window: int) -> list[Step]:
    return [
        Step("field_load.country_shares", "fractional: authors of a work count alike, an author's affiliations too",
             "Waltman & van Eck 2015, J Informetrics 9"),
        Step("emergence.emergence", "geometric mean of the percentiles of growth, newness and persistence",
             "Rotolo, Hicks & Martin 2015, Research Policy 44", {"window": window}),
        Step("bursts.batch_bursts", "share of a topic in all works: states p0 and 2 p0, cost of rising ln n",
             "Kleinberg 2003, DMKD 7(4)"),
        Step("disruption.disruption", "CD_5 = (n_i − n_j)/(n_i + n_j + n_k), works with references and five years",
             "Funk & Owen-Smith 2017, Management Science 63(3); Holst et al. 2024"),
        Step("frontier_places.stands", "gap = share of the leader − own share; narrows or widens where the change "
             "exceeds 1.645 standard errors of two multinomials", ""),
    ]  # fmt: skip
