"""Which works and patents look like breakthroughs, and why? Signs counted, with what chance alone would give."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.fielding.definition import Definition
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.breakthrough_load import SIGNS, TOP, WINDOW, Signs, load_signs, patent_signs, references_of
from ronghe.lenses.frontier.citation_load import load_science, whole_year
from ronghe.lenses.frontier.field_load import caught_patents, caught_works
from ronghe.lenses.frontier.field_params import FieldName
from ronghe.lenses.frontier.field_paths import say
from ronghe.lenses.params import LATEST, Year
from ronghe.model.finding import Caveat, Cell, Chart, Finding, Matrix, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

READS = ("work", "citation", "patent", "patent_class", "patent_citation")
_PATENT_SIGNS = ("science", "breadth", "claims", "cited_patents")


def _chosen(ctx: Context, signs: Signs, field: Definition | None, since: int) -> NDArray[np.bool_]:
    """The works asked about: usable, of the field, from a year on."""
    kept: NDArray[np.bool_] = signs.science.usable & (np.nan_to_num(signs.science.year) >= since)
    if field is None:
        return kept
    inside = set(caught_works(ctx, (field,)).column("work_id").to_pylist())
    return np.asarray(kept & np.array([w in inside for w in signs.science.ids]))


def _why(held: Sequence[str], prefix: str) -> dict[str, str]:
    said = [say(f"{prefix}.{k}") for k in held]
    return {"zh": "、".join(s["zh"] for s in said), "en": ", ".join(s["en"] for s in said)}


def _works(signs: Signs, chosen: NDArray[np.bool_], show: int) -> Result:
    order = np.flatnonzero(chosen & (signs.count >= 1))
    mean = np.array([np.nanmean([signs.place[k][i] for k in SIGNS]) for i in order])
    order = order[np.lexsort((order, -mean, -signs.count[order]))][:show]
    rows = []
    for i in order.tolist():
        row = signs.science.rows[i]
        why = _why([k for k in SIGNS if signs.held[k][i]], "breakthroughs.sign")
        burst = signs.burst_years.get(i)
        rows.append(
            {
                "title": row["title"] or row["work_id"], "year": row["year"], "signs": int(signs.count[i]),
                "why_zh": why["zh"], "why_en": why["en"], "cited_by": row["cited_by"],
                **{k: signs.value[k][i] for k in ("cd", "novelty", "burst")},
                **{f"{k}_place": signs.place[k][i] for k in SIGNS},
                "burst_from": burst[0] if burst else None, "burst_to": burst[1] if burst else None,
                "references_inside": int(signs.references[i]), "citers_inside": int(max(signs.citers[i], 0)),
                "topic_name": row["topic_name"], "work_id": row["work_id"],
            }
        )  # fmt: skip
    own = Rows("work", {"work_id": Cell("work_id")})
    cites, works = Matrix("citation", {}), Matrix("work", {})
    citing, cited = (Matrix("citation", {k: Cell("work_id")}) for k in ("citing", "cited"))
    fields = [
        text_field("title"), figure("year", "year", basis=own), figure("signs", "integer", basis=cites),
        *name_fields("why", "column.why_breakthrough"), figure("cited_by", "integer", basis=own),
        figure("cd", basis=cites, digits=2), figure("novelty", basis=cites, digits=2),
        figure("burst", basis=cites, digits=2), *(figure(f"{k}_place", "share", basis=cites if k != "citations" else
                                                         works, digits=0) for k in SIGNS),
        figure("burst_from", "year", basis=cited), figure("burst_to", "year", basis=cited),
        figure("references_inside", "integer", basis=citing), figure("citers_inside", "integer", basis=cited),
        text_field("topic_name"), text_field("work_id"),
    ]  # fmt: skip
    return result(rows, fields, ("work_id",), Text("breakthroughs.works"))


def _patents(ctx: Context, field: Definition | None, show: int) -> Result | None:
    rows = caught_patents(ctx, () if field is None else (field,))
    cites = ctx.rows("patent_citation", ("citing", "kind", "cited")).to_pylist()
    made = patent_signs(rows, cites)
    made = [r for r in made if r["signs"] and (field is None or r["hit_0"])]
    made.sort(key=lambda r: (-r["signs"], -r["science"], -r["breadth"], r["patent_id"]))
    if not made:
        return None
    shown = []
    for row in made[:show]:
        why = _why([k for k in _PATENT_SIGNS if row[f"top_{k}"]], "breakthroughs.patent")
        shown.append({**row, "why_zh": why["zh"], "why_en": why["en"], "classes": ", ".join(row["classes"][:4])})
    own = Rows("patent", {"patent_id": Cell("patent_id")})
    cites_of = Rows("patent_citation", {"citing": Cell("patent_id"), "kind": "literature"})
    fields = [
        text_field("title"), figure("year", "year", basis=own),
        figure("signs", "integer", basis=Matrix("patent_citation", {"citing": Cell("patent_id")})),
        *name_fields("why", "column.why_breakthrough"), figure("science", "integer", basis=cites_of),
        figure("breadth", "integer", basis=Rows("patent_class", {"patent_id": Cell("patent_id")})),
        figure("claims", "integer", basis=own),
        figure("cited_patents", "integer", basis=Rows("patent_citation", {"cited": Cell("patent_id")})),
        text_field("classes"), text_field("patent_id"),
    ]  # fmt: skip
    return result(shown, fields, ("patent_id",), Text("breakthroughs.patents"))


def _chance(signs: Signs, chosen: NDArray[np.bool_]) -> Result:
    rows = [
        {"signs_least": str(k), "works": seen, "expected_signs": expected,
         "chance_ratio": seen / expected if expected > 0.5 else None}
        for k, seen, expected in signs.by_chance(chosen)
    ]  # fmt: skip
    cites = Matrix("citation", {})
    fields = [
        text_field("signs_least"), figure("works", "integer", basis=cites),
        figure("expected_signs", basis=cites, digits=1), figure("chance_ratio", basis=cites, digits=2),
    ]  # fmt: skip
    return result(rows, fields, ("signs_least",), Text("breakthroughs.chance"))


def _coverage(signs: Signs, chosen: NDArray[np.bool_]) -> Result:
    """How many works each sign can be judged for, and how many bear it."""
    rows = [
        {"sign": k, "judged": int((chosen & np.isfinite(signs.place[k])).sum()),
         "bearing": int((chosen & signs.held[k]).sum()), "all_works": int(chosen.sum())}
        for k in SIGNS
    ]  # fmt: skip
    cites = Matrix("citation", {})
    fields = [text_field("sign", "class"), *(figure(n, "integer", basis=cites)
                                             for n in ("judged", "bearing", "all_works"))]  # fmt: skip
    return result(rows, fields, ("sign",), Text("breakthroughs.coverage"))


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """Who cites the work alone, with its references, or these alone; the rarest pairs it draws on; its citers."""
    del finding
    if table != "works":
        return ()
    science = load_science(ctx)
    i = list(science.ids).index(str(row["work_id"]))
    if column.startswith(("novelty", "references")):
        return _references(science, i)
    near = (science.year[science.citing] > science.year[i]) & (science.year[science.citing] <= science.year[i] + WINDOW)
    near &= science.usable[science.citing]
    cited = set(science.cited[science.citing == i].tolist())
    alone = set(science.citing[near & (science.cited == i)].tolist())
    others = {int(a) for a, b in zip(science.citing[near], science.cited[near], strict=True) if b in cited} - {i}
    groups = {"only": alone - others, "both": alone & others, "references": others - alone}
    total = sum(map(len, groups.values())) or 1
    ids = science.ids
    targets = [ids[i], *(ids[c] for c in sorted(cited))]
    return [
        Path(say(f"breakthroughs.citers.{name}"), float(len(group)), len(group) / total,
             {"citing": tuple(ids[g] for g in sorted(group)[:200]),
              "cited": tuple(targets if name != "only" else targets[:1])}, "citation")
        for name, group in groups.items()
        if group
    ]  # fmt: skip


def _references(science: Any, i: int) -> list[Path]:
    starts, cited, _ = references_of(science)
    mine = cited[starts[i] : starts[i + 1]].tolist()
    held: dict[str, list[str]] = {}
    for work in mine:
        held.setdefault(science.rows[work]["topic_name"] or "", []).append(science.ids[work])
    ordered = sorted(held.items(), key=lambda p: (-len(p[1]), p[0]))[:8]
    return [
        Path(both(None, name), float(len(w)), len(w) / len(mine),
             {"citing": science.ids[i], "cited": tuple(w)}, "citation")
        for name, w in ordered
    ]  # fmt: skip


def _caveats(signs: Signs, chosen: NDArray[np.bool_], patents: Result | None) -> list[Caveat]:
    science = signs.science
    said = [
        Caveat("note", Text("breakthroughs.what", {"top": 1 - TOP, "window": WINDOW})),
        Caveat("warning" if science.coverage < 0.5 else "note",
               Text("breakthroughs.inside", {"coverage": science.coverage})),
    ]  # fmt: skip
    report = science.graph.report
    dropped = report.self_citations + report.to_future + report.cyclic + report.duplicates
    if dropped or report.unusable:
        args = {"self": report.self_citations, "future": report.to_future, "cyclic": report.cyclic,
                "duplicates": report.duplicates, "unusable": report.unusable}  # fmt: skip
        said.append(Caveat("note", Text("breakthroughs.dropped", args)))
    two = signs.by_chance(chosen)[1]
    wins = two[1] > two[2] + 2 * np.sqrt(max(two[2], 1.0))
    said.append(
        Caveat("note" if wins else "warning",
               Text(f"breakthroughs.chance_{'beats' if wins else 'same'}", {"seen": two[1], "expected": two[2]}))
    )  # fmt: skip
    if patents is not None:
        said.append(Caveat("warning", Text("breakthroughs.patents_few")))
    return said


@lens("breakthroughs", version=1, reads=READS, explain=_explain)
def breakthroughs(
    ctx: Context, *, field: FieldName | None = None, since: Year = LATEST, year: Year = LATEST, show: int = 30
) -> Finding:
    """Which works and patents look like breakthroughs, and why: disruption, novelty, citations, bursts?"""
    if not 1 <= show <= 500:
        raise AskError("breakthroughs_show", value=show)
    one = FieldName(field).definition if field is not None else None
    science = load_science(ctx)
    by_year: dict[int, float] = {}
    for value in science.year[science.usable].tolist():
        by_year[int(value)] = by_year.get(int(value), 0.0) + 1
    signs = load_signs(science, whole_year(by_year, year))
    chosen = _chosen(ctx, signs, one, since)
    patents = _patents(ctx, one, show)
    if not chosen.any() and patents is None:
        raise AskError("field_catches_nothing", field=dict(one.names) if one else "", file=one.name if one else "")
    works = _works(signs, chosen, show)
    tables = {"works": works, "coverage": _coverage(signs, chosen), "chance": _chance(signs, chosen)}
    if patents is not None:
        tables["patents"] = patents
    first = works.data.to_pylist()[:1]
    args: dict[str, Any] = {"count": int(chosen.sum()), "two": int((signs.count[chosen] >= 2).sum()),
                            "what": dict(one.names) if one else say("breakthroughs.everything")}  # fmt: skip
    if first:
        args |= {"title": first[0]["title"], "year": first[0]["year"],
                 "why": {"zh": first[0]["why_zh"], "en": first[0]["why_en"]}}  # fmt: skip
    charts = (
        Chart("scatter", "works", {"x": "novelty_place", "y": "cd_place", "size": "cited_by", "name": "title"},
              Text("breakthroughs.diagram"), {"labels": 8}),
        Chart("bar", "chance", {"x": "signs_least", "y": "works", "y2": "expected_signs"},
              Text("breakthroughs.chance")),
    )  # fmt: skip
    return ctx.answer(Text("breakthroughs.headline" if first else "breakthroughs.headline_none", args), tables,
                      charts=charts, caveats=_caveats(signs, chosen, patents), steps=_steps())  # fmt: skip


def _steps() -> list[Step]:
    return [
        Step("disruption.disruption", "CD_5 = (n_i − n_j)/(n_i + n_j + n_k); two references and three citers inside "
             "the lake at least", "Funk & Owen-Smith 2017; Holst et al. 2024"),
        Step("novelty.atypicality", "−10th percentile of z over pairs of cited topics, 20 shuffled worlds, five-year "
             "strata", "Uzzi et al. 2013, Science 342", {"seed": 7}),
        Step("breakthrough_load.cohort", "percentile of citations among works of the same field, within a year", ""),
        Step("bursts.batch_bursts", "citations a year against all citations of the lake", "Kleinberg 2003"),
        Step("breakthrough_load.by_chance", "Poisson-binomial: signs as independent of each other", ""),
    ]  # fmt: skip
