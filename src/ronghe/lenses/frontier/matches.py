"""Which organisation each written name means: match, likelihood, method, runner-up, and what users decided."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import pyarrow as pa

from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.match_load import (
    PLACES,
    READS,
    REGISTER,
    NamesOf,
    Register,
    decided,
    load_names,
    load_register,
)
from ronghe.lenses.frontier.match_quality import quality_at, weights_of
from ronghe.model.finding import Basis, Caveat, Cell, Chart, Child, Finding, Matrix, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both
from ronghe.resolve.keys import Organisations, read_organisations
from ronghe.resolve.match import SURE, match_known
from ronghe.resolve.match import TABLE as MATCHES

Only = Literal["all", "matched", "doubtful", "unmatched", "decided"]
METHODS = ("decision", "code", "exact", "reduced", "model", "parent", "none")
_BINS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
_LIKELY = "resolve.match"


def doubtful(row: Mapping[str, Any]) -> bool:
    """Whether a match is one to look at: not near to certain, or a part that stands for its whole."""
    if row["org_id"] is None or row["status"] != "open":
        return False
    near = (row["runner_up_score"] or 0.0) >= row["score"] / 2
    return bool(row["score"] < SURE or row["method"] == "parent" or near)


def _kept(row: Mapping[str, Any], only: str) -> bool:
    kept: dict[str, bool] = {
        "all": True,
        "matched": row["org_id"] is not None,
        "doubtful": doubtful(row),
        "unmatched": row["org_id"] is None,
        "decided": row["status"] != "open",
    }
    return kept[only]


def _basis(names: str) -> Basis:
    """The source rows that bear a name."""
    place = PLACES.get(names)
    if place is None:
        return Rows(MATCHES, {"source": names, "name": Cell("name")})
    return Rows(place.table, {place.name: Cell("name"), **(place.where or {})})


def _named(rows: pa.Table) -> dict[str, dict[str, str]]:
    """Organisation -> its names."""
    columns = (rows.column(c).to_pylist() for c in ("org_id", "name", "name_zh"))
    return {org: both(zh, name) for org, name, zh in zip(*columns, strict=True)}


def _table(rows: Sequence[Mapping[str, Any]], names: str) -> Result:
    fields = [
        text_field("name"), text_field("country_said"), figure("name_rows", "integer", basis=_basis(names)),
        *name_fields("organisation", "column.matched_organisation"),
        figure("match_score", "share", basis=Rows("organisation", {"org_id": Cell("org_id")})),
        text_field("match_method", "class"), text_field("match_status", "class"),
        *name_fields("top", "column.top_organisation"), *name_fields("runner", "column.runner_up"),
        figure("runner_score", "share", basis=Rows("organisation", {"org_id": Cell("runner_id")})),
        text_field("org_id"), text_field("top_id"), text_field("runner_id"), text_field("code_said"),
    ]  # fmt: skip
    return result(rows, fields, ("name", "country_said", "code_said"), Text("matches.matches"))


def _shown(
    row: Mapping[str, Any], code: str | None, known: Organisations, named: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    org, next_ = row["org_id"], row["runner_up"]
    top = next(reversed(known.above(org)), None) if org else None
    empty: Mapping[str, str | None] = {"zh": None, "en": None}
    said = {p: named[o] if o else empty for p, o in (("organisation", org), ("top", top), ("runner", next_))}
    return {
        "name": row["name"], "country_said": row["country"] or None, "code_said": code, "name_rows": row["rows"],
        **{f"{part}_{lang}": texts[lang] for part, texts in said.items() for lang in ("zh", "en")},
        "org_id": org, "top_id": top, "runner_id": next_, "match_score": row["score"],
        "runner_score": row["runner_up_score"], "match_method": row["method"], "match_status": row["status"],
    }  # fmt: skip


def _methods(rows: Sequence[Mapping[str, Any]], basis: Basis) -> Result:
    total, lines = max(1, sum(r["rows"] for r in rows)), []
    for method in METHODS:
        held = [r for r in rows if r["method"] == method]
        likely = [r["score"] for r in held if r["score"] is not None]
        if held:
            n = sum(r["rows"] for r in held)
            lines.append(
                {"match_method": method, "names": len(held), "name_rows": n, "rows_share": n / total,
                 "expected_right": sum(likely) / len(likely) if likely else None,
                 "to_look_at": sum(map(doubtful, held))}
            )  # fmt: skip
    fields = [
        text_field("match_method", "class"), figure("names", "integer", basis=basis),
        figure("name_rows", "integer", basis=basis), figure("rows_share", "share", basis=basis),
        figure("expected_right", "share", basis=basis), figure("to_look_at", "integer", basis=basis),
    ]  # fmt: skip
    return result(lines, fields, ("match_method",), Text("matches.methods"))


def _scores(rows: Sequence[Mapping[str, Any]], basis: Basis) -> Result:
    """How many names have a best candidate of which likelihood, those that fall short included."""
    best = [r["score"] if r["score"] is not None else r["runner_up_score"] or 0.0 for r in rows]
    taken = [r["score"] is not None for r in rows]
    lines = []
    for low, high in pairwise((*_BINS, 1.01)):
        inside = [t for s, t in zip(best, taken, strict=True) if low <= s < high]
        said = f"{low:.0%}" if low in {0.0, 1.0} else f"{low:.0%}–"
        lines.append({"score_from": said, "names_matched": sum(inside), "names_open": len(inside) - sum(inside)})
    fields = [text_field("score_from"), *(figure(c, "integer", basis=basis) for c in ("names_matched", "names_open"))]
    return result(lines, fields, ("score_from",), Text("matches.scores"))


def _trust(child: Finding) -> Result:
    """Precision and recall by threshold, as measured on names held out of the register."""
    rows = [
        {
            k: r[k]
            for k in (
                "match_threshold",
                "match_precision",
                "match_recall",
                "names_given",
                "asked_with",
                "quality_group",
            )
        }
        for r in child.tables["quality"].data.to_pylist()
        if r["quality_group"] == "all" and r["asked_with"] == "none"
    ]
    where = {c: Cell(c) for c in ("match_threshold", "asked_with", "quality_group")}
    fields = [
        figure("match_threshold", basis=Child(child.id, "quality", "match_threshold", where), digits=2),
        *(figure(c, "share", basis=Child(child.id, "quality", c, where)) for c in ("match_precision", "match_recall")),
        figure("names_given", "integer", basis=Child(child.id, "quality", "names_given", where)),
        text_field("asked_with", "class"), text_field("quality_group", "class"),
    ]  # fmt: skip
    return result(rows, fields, ("match_threshold",), Text("matches.quality"))


def _caveats(
    rows: Sequence[Mapping[str, Any]], names: str, quality: Mapping[str, Any], least: float, listed: int
) -> list[Caveat]:
    said = [Caveat("note", Text("matches.how")), Caveat("note", Text("matches.listed", {"count": listed}))]
    if quality["match_precision"] is not None:
        args = {
            "precision": quality["match_precision"],
            "recall": quality["match_recall"],
            "least": quality["match_threshold"],
        }
        said.append(Caveat("note", Text("matches.trust", args)))
    if least < 0.5:
        said.append(Caveat("warning", Text("matches.low", {"least": least})))
    look = sum(map(doubtful, rows))
    if look:
        said.append(Caveat("warning", Text("matches.look", {"count": look})))
    nowhere = sum(1 for r in rows if not r["country"])
    if nowhere and nowhere == len(rows):
        said.append(Caveat("note", Text("matches.no_country")))
    said.append(Caveat("note", Text("matches.decide", {"names": names})))
    return said


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The names that stand behind a count, the most frequent first."""
    del column
    rows = finding.tables["matches"].data.to_pylist()
    place = PLACES.get(str(ctx.params["names"]))
    if table == "methods":
        rows = [r for r in rows if r["match_method"] == row["match_method"]]
    total = max(1, sum(r["name_rows"] for r in rows))
    return [
        Path(both(r["organisation_zh"] and f"{r['name']} → {r['organisation_zh']}",
                  f"{r['name']} → {r['organisation_en']}" if r["org_id"] else r["name"]),
             float(r["name_rows"]), r["name_rows"] / total,
             {place.name: r["name"]} if place else {"name": r["name"], "source": str(ctx.params["names"])})
        for r in rows[:8]
    ]  # fmt: skip


@lens("matches", version=1, reads=("organisation", *(t for t in READS if t != "organisation")), explain=_explain,
      builds_on=("match_quality",))  # fmt: skip
def matches(
    ctx: Context,
    *,
    names: NamesOf,
    register: Register = REGISTER,
    least: float = 0.5,
    only: Only = "all",
) -> Finding:
    """Which organisation does each written name mean, how surely, what else could it be, and what did users decide?"""
    quality = ctx.child("match_quality", register=register)
    organisations = load_register(ctx, register)
    asked = load_names(ctx, names, register)
    decisions = decided(ctx)
    ctx.progress("match", 0, asked.num_rows)
    known = read_organisations(organisations)
    found = match_known(asked, known, weights_of(quality), decisions, threshold=least).to_pylist()
    ctx.progress("match", asked.num_rows, asked.num_rows)
    named = _named(organisations)
    codes = asked.column("code").to_pylist()
    shown = [_shown(r, code, known, named) for r, code in zip(found, codes, strict=True) if _kept(r, only)]
    place = PLACES.get(names)
    basis = Matrix(place.table, dict(place.where or {})) if place else Matrix(MATCHES, {"source": str(names)})
    measured = quality_at(quality, least)
    got = [r for r in found if r["org_id"]]
    args = {
        "names": len(found), "matched": len(got), "share": len(got) / len(found), "least": least,
        "covered": sum(r["rows"] for r in got) / max(1, sum(r["rows"] for r in found)),
        "where": next(c.names for c in NamesOf.choices(ctx.snapshot) if c.value == names),
        "look": sum(map(doubtful, found)),
    }  # fmt: skip
    return ctx.answer(
        Text("matches.headline", args),
        {"methods": _methods(found, basis), "matches": _table(shown, str(names)), "scores": _scores(found, basis),
         "quality": _trust(quality)},
        charts=(
            Chart("bar", "scores", {"x": "score_from", "y": "names_matched", "y2": "names_open"},
                  Text("matches.scores_chart"), {"stack": True}),
            Chart("line", "quality", {"x": "match_threshold", "y": "match_precision", "y2": "match_recall"},
                  Text("matches.quality_chart")),
        ),
        caveats=_caveats(found, names, measured, least, organisations.num_rows),
        steps=(Step(_LIKELY, "decision > code > name > model (p ≥ least) > whole of a part",
                    "Fellegi & Sunter (1969), JASA 64(328); Linacre et al. (2022), IJPDS 7(3)", {"least": least}),),
    )  # fmt: skip
