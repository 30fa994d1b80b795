"""What does a field's definition catch and miss? Counts by rule, dead rules, overlaps between fields, near misses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ronghe.fielding.definition import Definition, within
from ronghe.fielding.reading import field_names, read_field
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.field_load import (
    STRUCTURE,
    WORDS,
    caught_laboratories,
    caught_patents,
    caught_projects,
    caught_works,
    needed,
)
from ronghe.lenses.frontier.field_params import FieldName, chosen
from ronghe.lenses.frontier.field_paths import caught_rows, paths_of
from ronghe.model.finding import Caveat, Chart, Field, Finding, Matrix, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text

READS = ("work", "topic", "project", "laboratory", "patent", "patent_class", "indicator", "ai_model")
KINDS = ("topic", "work", "project", "laboratory", "patent")
_MANY = {k: f"{k}s" for k in KINDS} | {"laboratory": "laboratories"}
_ONE = {many: one for one, many in _MANY.items()}
_NEAR = 12


@dataclass(frozen=True, slots=True)
class _Catch:
    """The rows of every kind, with a hit for each field; ``fields`` lists those asked for, then the others."""

    fields: tuple[Definition, ...]
    asked: int
    rows: Mapping[str, list[dict[str, Any]]]

    def count(self, kind: str, number: int, bits: int = STRUCTURE | WORDS) -> int:
        """How many rows of a kind a field catches, in any of some ways."""
        return sum(bool(r[f"hit_{number}"] & bits) for r in self.rows[kind])

    def both(self, kind: str, a: int, b: int) -> int:
        """How many rows two fields catch together."""
        return sum(bool(r[f"hit_{a}"] and r[f"hit_{b}"]) for r in self.rows[kind])


def _catch(ctx: Context, asked: Sequence[Definition]) -> _Catch:
    names = {f.name for f in asked}
    fields = (*asked, *(read_field(n) for n in field_names() if n not in names))
    topics = []
    columns = ("topic", "name_zh", "name_en", "description", "subfield", "field")
    for row in ctx.rows("topic", columns).to_pylist():
        hits = {
            f"hit_{i}": STRUCTURE * f.has_topic(row["topic"], row["subfield"], row["field"])
            for i, f in enumerate(fields)
        }
        topics.append({**row, **hits})
    rows = {
        "topic": topics,
        "work": caught_works(ctx, fields, everything=True).to_pylist(),
        "project": caught_projects(ctx, fields),
        "laboratory": caught_laboratories(ctx, fields),
        "patent": caught_patents(ctx, fields),
    }
    if not any(rows.values()):
        raise ctx.nothing("field_check")
    needed(asked, {f.name: sum(bool(r[f"hit_{i}"]) for k in KINDS for r in rows[k]) for i, f in enumerate(asked)})
    return _Catch(fields, len(asked), rows)


def _summary(ctx: Context, caught: _Catch) -> Result:
    rows = []
    for i, one in enumerate(caught.fields[: caught.asked]):
        row: dict[str, Any] = {"field_id": one.name, "field_zh": one.names["zh"], "field_en": one.names["en"]}
        for kind in KINDS:
            row[_MANY[kind]] = caught.count(kind, i)
            row[f"{_MANY[kind]}_words"] = sum(r[f"hit_{i}"] == WORDS for r in caught.rows[kind])
        row["publications"] = _panel(ctx, one)
        row["models"] = ctx.rows("ai_model", ("model",)).num_rows if one.models else None
        rows.append(row)
    fields = [*name_fields("field", "column.field_name")]
    for kind in KINDS:
        basis = Matrix(kind, {})
        fields.append(Field(_MANY[kind], Text(f"fields.kind.{kind}"), "integer", basis=basis))
        if kind not in {"topic", "laboratory"}:
            fields.append(Field(f"{_MANY[kind]}_words", Text(f"fields.words.{kind}"), "integer", basis=basis))
    fields += [
        Field("publications", Text("fields.kind.publications"), "integer", basis=Matrix("indicator", {})),
        Field("models", Text("fields.kind.model"), "integer", basis=Rows("ai_model", {})),
        text_field("field_id"),
    ]
    return result(rows, fields, ("field_id",), Text("field_check.summary"))


def _panel(ctx: Context, one: Definition) -> int | None:
    """How many figures the panel holds of the field's series: sums over countries would count joint works twice."""
    return ctx.rows("indicator", ("value",), indicator=one.series).num_rows if one.series else None


def _rules(caught: _Catch) -> Result:
    """Every rule of the fields asked about, with what it catches; rules that catch nothing stand out."""
    rows = []
    known = {r["topic"]: r for r in caught.rows["topic"]}
    for i, one in enumerate(caught.fields[: caught.asked]):
        for topic, name in one.topics.items():
            works = sum(r["topic"] == topic for r in caught.rows["work"])
            now = known.get(topic, {}).get("name_en")
            state = "unknown" if known and now is None else "renamed" if now and name and now != name else "found"
            rows.append(_rule(one, "topic", topic, now or name, works, state))
        for programme in one.programmes:
            hits = sum(programme in (r["programme"] or "") for r in caught.rows["project"])
            rows.append(_rule(one, "programme", programme, programme, hits))
        for code in one.classes:
            hits = sum(_in_class(r["classes"], code) for r in caught.rows["patent"])
            rows.append(_rule(one, "class", code, code, hits))
        words = _by_word(caught, i, one)
        rows += [_rule(one, "word", word, word, words.get(word, 0)) for word in one.terms]
    order = {"topic": 0, "programme": 1, "class": 2, "word": 3}
    rows.sort(key=lambda r: (r["field_id"], order[r["rule_kind"]], -r["caught"], r["rule"]))
    fields = [
        *name_fields("field", "column.field_name"), text_field("rule_kind", "class"), text_field("rule"),
        text_field("rule_name"), figure("caught", "integer"), text_field("rule_state", "class"), text_field("field_id"),
    ]  # fmt: skip
    return result(rows, fields, ("field_id", "rule_kind", "rule"), Text("field_check.rules"))


def _in_class(codes: Sequence[str], wide: str) -> bool:
    return any(within(c, wide) for c in codes)


def _by_word(caught: _Catch, number: int, one: Definition) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind in KINDS[1:]:
        for row in caught.rows[kind]:
            if row[f"hit_{number}"] & WORDS:
                for word in one.terms_in(row["name" if kind == "laboratory" else "title"] or ""):
                    found[word] = found.get(word, 0) + 1
    return found


def _rule(one: Definition, kind: str, rule: str, name: str, caught: int, state: str = "found") -> dict[str, Any]:
    return {
        "field_id": one.name,
        "field_zh": one.names["zh"],
        "field_en": one.names["en"],
        "rule_kind": kind,
        "rule": rule,
        "rule_name": name,
        "caught": caught,
        "rule_state": state if caught or state != "found" else "nothing",
    }


def _overlap(caught: _Catch) -> Result:
    rows = []
    for i, one in enumerate(caught.fields[: caught.asked]):
        for j, other in enumerate(caught.fields):
            if i == j:
                continue
            counts = {_MANY[kind]: caught.both(kind, i, j) for kind in KINDS}
            own = sum(caught.count(kind, i) for kind in KINDS[1:])
            shared = sum(caught.both(kind, i, j) for kind in KINDS[1:])
            names = {"field_zh": one.names["zh"], "field_en": one.names["en"]}
            rows.append(
                {**names, "other_zh": other.names["zh"], "other_en": other.names["en"], **counts,
                 "shared": shared / own if own else None, "field_id": one.name, "other_field_id": other.name}
            )  # fmt: skip
    fields = [
        *name_fields("field", "column.field_name"), *name_fields("other", "column.other_field"),
        *(Field(_MANY[k], Text(f"fields.kind.{k}"), "integer", basis=Matrix(k, {})) for k in KINDS),
        figure("shared", "share", basis=Matrix("work", {})), text_field("field_id"), text_field("other_field_id"),
    ]  # fmt: skip
    return result(rows, fields, ("field_id", "other_field_id"), Text("field_check.overlap"), aside=True)


def _near(caught: _Catch) -> Result:
    """Items that hold one of the wider words and are not caught: every so many of them, from first to last."""
    rows = []
    for i, one in enumerate(caught.fields[: caught.asked]):
        for kind in KINDS:
            column = {"laboratory": "name", "topic": "name_en"}.get(kind, "title")
            missed = [r for r in caught.rows[kind] if not r[f"hit_{i}"] and one.is_near(r[column])]
            step = max(1, len(missed) // _NEAR)
            for row in missed[::step][:_NEAR]:
                why = row.get("programme") or row.get("topic_name") or row.get("subfield") or row.get("area")
                rows.append(
                    {"field_zh": one.names["zh"], "field_en": one.names["en"], "near_kind": kind,
                     "near": row[column], "near_in": why or ", ".join(row.get("classes", ())[:3]) or None,
                     "near_all": len(missed), "field_id": one.name, "near_id": _identity(row, kind)}
                )  # fmt: skip
    fields = [
        *name_fields("field", "column.field_name"), text_field("near_kind", "class"), text_field("near"),
        text_field("near_in"), figure("near_all", "integer"), text_field("field_id"), text_field("near_id"),
    ]  # fmt: skip
    return result(rows, fields, ("field_id", "near_kind", "near_id"), Text("field_check.near"))


def _identity(row: Mapping[str, Any], kind: str) -> str:
    return str(row["topic"] if kind == "topic" else row["lab_id" if kind == "laboratory" else f"{kind}_id"])


def _caveats(caught: _Catch, rules: Result) -> list[Caveat]:
    said = [Caveat("note", Text("field_check.how"))]
    for i, one in enumerate(caught.fields[: caught.asked]):
        if one.note["zh"]:
            said.append(Caveat("note", Text("fields.note", {"field": dict(one.names), "note": dict(one.note)})))
        blind = [Text(f"fields.kind.{k}") for k in KINDS if caught.rows[k] and not caught.count(k, i)]
        if blind:
            said.append(Caveat("warning", Text("field_check.blind", {"field": dict(one.names), "kinds": blind})))
    dead = [r for r in rules.data.to_pylist() if r["rule_state"] == "nothing"]
    if dead:
        said.append(Caveat("note", Text("field_check.dead", {"count": len(dead), "total": rules.data.num_rows})))
    wrong = [r for r in rules.data.to_pylist() if r["rule_state"] in {"unknown", "renamed"}]
    if wrong:
        listed = [f"{r['rule']} {r['rule_name'] or ''}".strip() for r in wrong[:6]]
        said.append(Caveat("warning", Text("field_check.wrong", {"count": len(wrong), "topics": listed})))
    return said


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """What caught the rows of a kind, with the rows."""
    del finding
    kind = _ONE.get(column.removesuffix("_words"), "work")
    fields = {f.name: f for f in chosen(ctx.params["field"])}
    one = fields.get(str(row["field_id"]))
    if one is None or kind not in KINDS or kind == "topic":
        return _topic_paths(ctx, one) if one is not None and kind == "topic" else ()
    rows = caught_rows(ctx, one, kind)
    if column.endswith("_words"):
        rows = [r for r in rows if r["hit_0"] == WORDS]
    if table == "overlap":
        other = read_field(str(row["other_field_id"]))
        shared = {str(r[f"{_key(kind)}"]) for r in caught_rows(ctx, other, kind)}
        rows = [r for r in rows if str(r[_key(kind)]) in shared]
    return paths_of(rows, kind)


def _key(kind: str) -> str:
    return "lab_id" if kind == "laboratory" else f"{kind}_id"


def _topic_paths(ctx: Context, one: Definition) -> list[Path]:
    rows = [
        {**r, "topic_id": r["topic"], "reason": {"zh": r["subfield"] or "", "en": r["subfield"] or ""}}
        for r in ctx.rows("topic", ("topic", "subfield", "field")).to_pylist()
        if one.has_topic(r["topic"], r["subfield"], r["field"])
    ]
    held: dict[str, list[str]] = {}
    for row in rows:
        held.setdefault(row["reason"]["en"], []).append(row["topic"])
    total = max(1, len(rows))
    ordered = sorted(held.items(), key=lambda p: (-len(p[1]), p[0]))[:8]
    return [Path({"zh": s, "en": s}, float(len(t)), len(t) / total, {"topic": tuple(t)}, "topic") for s, t in ordered]


@lens("field_check", version=1, reads=READS, explain=_explain)
def field_check(ctx: Context, *, field: FieldName | None = None) -> Finding:
    """What does a field's definition catch and miss: by rule and kind, overlaps with other fields, near misses?"""
    asked = chosen(field)
    caught = _catch(ctx, asked)
    summary, rules = _summary(ctx, caught), _rules(caught)
    tables = {"summary": summary, "overlap": _overlap(caught), "near": _near(caught), "rules": rules}
    args = {
        "fields": [dict(f.names) for f in asked],
        **{_MANY[k]: sum(bool(any(r[f"hit_{i}"] for i in range(len(asked)))) for r in caught.rows[k]) for k in KINDS},
        **{f"all_{_MANY[k]}": len(caught.rows[k]) for k in KINDS},
    }
    charts = (
        Chart("heatmap", "overlap", {"x": "other", "y": "field", "value": "shared"}, Text("field_check.overlap_chart")),
    )
    return ctx.answer(
        Text("field_check.headline", args),
        tables,
        charts=charts,
        caveats=_caveats(caught, rules),
        steps=(
            Step("fielding.definition", "topic ∈ topics ∪ subfields ∪ fields − except, or a term in the title and no "
                 "forbidden word; class within a listed class; programme holds a listed name", "",
                 {f.name: f.digest for f in asked}),
        ),
    )  # fmt: skip
