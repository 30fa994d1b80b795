"""Which technologies and industries could a field of science feed? Science → technology → industry, with weights.

Two routes lead to technologies: the disciplines of a field's topics, and the patent classes of its definition.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.fielding.definition import Definition, within
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.frontier.bridge_load import Concordance, Route, load_concordance
from ronghe.lenses.frontier.bridge_tables import (
    agreement_table,
    industry_table,
    lag_table,
    link_table,
    technology_table,
)
from ronghe.lenses.frontier.bridge_wait import wait_table
from ronghe.lenses.frontier.field_params import FieldName, chosen
from ronghe.model.finding import Caveat, Chart, Finding, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
READS = ("crosswalk", "industry", "topic", "patent", "patent_class", "patent_citation", "work")
_MOST = 8


def load_route(table: Concordance, one: Definition, topics: Sequence[Mapping[str, Any]]) -> Route:
    """The way of one field.

    Raises
    ------
    AskError : the field has neither topics nor patent classes that the concordance knows.
    """
    disciplines = np.zeros(len(table.disciplines))
    for row in topics:
        at = table.discipline_at.get(row["field_code"] or "")
        if at is not None and one.has_topic(row["topic"], row["subfield"], row["field"]):
            disciplines[at] += 1
    disciplines = disciplines / disciplines.sum() if disciplines.sum() else np.full_like(disciplines, np.nan)
    science = disciplines @ table.science
    classes, class_of = _by_class(table, one)
    direct = _direct(table, one)
    known = [r for r in (science, classes) if np.isfinite(r).all()]
    if not known:
        raise AskError("bridge_no_way", field=dict(one.names))
    technology = np.mean(known, axis=0)
    return Route(
        one, disciplines, science, classes, technology, technology @ table.industry, science @ table.industry,
        classes @ table.industry, direct, class_of,
    )  # fmt: skip


def _by_class(table: Concordance, one: Definition) -> tuple[Floats, dict[int, list[str]]]:
    """Each class of the definition counts alike; a wide one is shared among the technologies of what it holds."""
    shares = np.zeros(len(table.technologies))
    class_of: dict[int, list[str]] = {}
    for code in one.classes:
        hits = table.technologies_of(code)
        for at, weight in hits.items():
            shares[at] += weight
            class_of.setdefault(at, []).append(code)
    return (shares / shares.sum() if shares.sum() else np.full_like(shares, np.nan)), class_of


def _direct(table: Concordance, one: Definition) -> Floats:
    """Industries by the publisher's own table from three-digit classes: a check on the way through technologies."""
    rows = [table.direct[table.ipc_at[c[:3]]] for c in one.classes if c[:3] in table.ipc_at]
    return np.mean(rows, axis=0) if rows else np.full(len(table.industries), np.nan)


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The disciplines or classes that lead to a technology; the technologies that feed an industry."""
    del finding
    book = load_concordance(ctx)
    one = next((f for f in chosen(ctx.params["field"]) if f.name == row.get("field_id")), None)
    if table in {"lags", "waits"}:
        return ()
    if one is None:
        return _link(book, row)
    route = load_route(book, one, ctx.rows("topic", ("topic", "field_code", "subfield", "field")).to_pylist())
    if table == "technologies":
        at = book.technology_at[str(row["technology"])]
        return _class_paths(book, route, at) if column == "weight_class" else _science_paths(book, route, at)
    at = book.industry_at[str(row["industry"])] if "industry" in row else int(np.argmax(route.industry))
    if column == "weight_direct":
        return _direct_paths(book, route, at)
    taken = {"weight_science": route.science, "weight_class": route.classes}.get(column, route.technology)
    parts = taken * book.industry[:, at]
    return _paths(parts, book.technology_names, lambda t: book.cell("WIPO35", book.technologies[t], "NACE", row))


def _paths(parts: Floats, names: Sequence[Mapping[str, str]], cell: Any) -> list[Path]:
    total = float(np.nansum(parts)) or 1.0
    order = np.argsort(-np.nan_to_num(parts), kind="stable")[:_MOST]
    return [
        Path(names[int(k)], float(parts[k]), float(parts[k] / total), cell(int(k)), "crosswalk")
        for k in order
        if parts[k] > 0
    ]


def _science_paths(book: Concordance, route: Route, at: int) -> list[Path]:
    code = book.technologies[at]
    return _paths(
        route.disciplines * book.science[:, at],
        book.discipline_names,
        lambda d: {"from_classification": "ASJC", "from_code": book.disciplines[d], "to_classification": "WIPO35",
                   "to_code": code},
    )  # fmt: skip


def _class_paths(book: Concordance, route: Route, at: int) -> list[Path]:
    found = []
    for code in route.class_of.get(at, ()):
        weight = book.technologies_of(code)[at] / max(1, sum(bool(book.technologies_of(c)) for c in route.one.classes))
        cells = {"from_classification": "IPC", "to_classification": "WIPO35", "to_code": book.technologies[at],
                 "from_code": tuple(p for p in book.prefixes if within(p, code) or within(code, p))}  # fmt: skip
        found.append(Path(both(code, code), weight, weight / float(route.classes[at]), cells, "crosswalk"))
    return sorted(found, key=lambda p: (-p.value, p.names["en"]))[:_MOST]


def _direct_paths(book: Concordance, route: Route, at: int) -> list[Path]:
    used = [c[:3] for c in route.one.classes if c[:3] in book.ipc_at]
    found = []
    for code in dict.fromkeys(used):
        value = float(book.direct[book.ipc_at[code], at]) * used.count(code) / len(used)
        cells = {"from_classification": "IPC", "from_code": code, "to_classification": "NACE",
                 "to_code": book.industries[at]}  # fmt: skip
        found.append(Path(both(code, code), value, value / (float(route.direct[at]) or 1.0), cells, "crosswalk"))
    return sorted(found, key=lambda p: (-p.value, p.names["en"]))[:_MOST]


def _link(book: Concordance, row: Mapping[str, Any]) -> list[Path]:
    """A flow of the picture from a technology to an industry."""
    cells = {"from_classification": "WIPO35", "from_code": row["link_source"], "to_classification": "NACE",
             "to_code": row["link_target"].removeprefix("i")}  # fmt: skip
    at = book.technology_at.get(str(row["link_source"]))
    names = book.technology_names[at] if at is not None else {"zh": row["link_source"], "en": row["link_source"]}
    return [Path(names, float(row["flow"]), 1.0, cells, "crosswalk")]


def _caveats(book: Concordance, routes: Sequence[Route], lags: bool, waits: Result | None) -> list[Caveat]:
    said = [Caveat("note", Text("bridge.what")), Caveat("warning", Text("bridge.coarse"))]
    for route in routes:
        if not np.isfinite(route.classes).all():
            said.append(Caveat("note", Text("bridge.no_class", {"field": dict(route.one.names)})))
        lost = [c for c in route.one.classes if not book.technologies_of(c)]
        if lost:
            said.append(Caveat("warning", Text("bridge.lost", {"field": dict(route.one.names), "classes": lost})))
        if not np.isfinite(route.science).all():
            said.append(Caveat("note", Text("bridge.no_topic", {"field": dict(route.one.names)})))
    if lags:
        said.append(Caveat("warning", Text("bridge.lags_few")))
    if waits is not None:
        cited = sum(waits.data.column("works_cited").to_pylist())
        said.append(Caveat("note", Text("bridge.waits_how")))
        if not cited:
            said.append(Caveat("warning", Text("bridge.waits_none")))
    return said


@lens("bridge", version=2, reads=READS, explain=_explain)
def bridge(ctx: Context, *, field: FieldName | None = None, show: int = 8) -> Finding:
    """Which technologies and industries could a field of science feed, by which way, with what weight and evidence?"""
    fields = chosen(field)
    if not 1 <= show <= 35:
        raise AskError("bridge_top", value=show)
    book = load_concordance(ctx)
    topics = ctx.rows("topic", ("topic", "field_code", "subfield", "field")).to_pylist()
    routes = [load_route(book, one, topics) for one in fields]
    tables = {
        "industries": industry_table(book, routes),
        "technologies": technology_table(book, routes),
        "agreement": agreement_table(routes),
        "links": link_table(book, routes, show),
    }
    lags = lag_table(ctx, book)
    if lags is not None:
        tables["lags"] = lags
    filed = ctx.rows("patent", ("patent_id", "application_year"), type="utility").to_pylist()
    waits = wait_table(ctx, fields, {r["patent_id"]: r["application_year"] for r in filed})
    if waits is not None:
        tables["waits"] = waits
    first = tables["industries"].data.to_pylist()[0]
    tech = next(r for r in tables["technologies"].data.to_pylist() if r["field_id"] == fields[0].name)
    args = {
        "field": dict(fields[0].names), "industry": {"zh": first["industry_name_zh"], "en": first["industry_name_en"]},
        "weight": first["weight"], "lift": first["lift"],
        "technology": {"zh": tech["technology_name_zh"], "en": tech["technology_name_en"]}, "share": tech["weight"],
    }  # fmt: skip
    charts = (
        Chart("sankey", "links",
              {"source": "link_source", "target": "link_target", "value": "flow", "source_name": "source_name",
               "target_name": "target_name"},
              Text("bridge.sankey", {"top": show})),
        Chart("bar", "industries", {"x": "industry_name", "y": "lift", "label": "via"}, Text("bridge.lift"),
              {"top": 12, "line": 1.0, "where": {"field_id": fields[0].name}}),
    )  # fmt: skip
    return ctx.answer(
        Text("bridge.headline", args), tables, charts=charts, caveats=_caveats(book, routes, lags is not None, waits),
        steps=(
            Step("bridge.science", "share of topics in a discipline × share of the discipline's papers that feed a "
                 "technology (ASJC → WIPO35)", "Neuhäusler, Frietsch & Kroll 2019, Fraunhofer ISI Discussion Paper 60"),
            Step("bridge.classes", "classes of the definition → technologies by the longest IPC prefix",
                 "Schmoch 2008, WIPO IPC-Technology Concordance"),
            Step("bridge.industries", "Σ_t w_t · share of technology t used in industry i (WIPO35 → NACE)",
                 "Neuhäusler, Frietsch & Kroll 2019"),
            Step("survival.kaplan_meier", "S(t) = Π (1 − d/n), works not cited by a patent yet censored",
                 "Kaplan & Meier 1958, JASA 53"),
            Step("bridge.lift", "weight over the mean of the 35 technologies", ""),
        ),
    )  # fmt: skip
