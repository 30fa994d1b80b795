"""A finding as canonical JSON, and back: the one form that is stored, served and printed."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from ronghe.i18n import LANGUAGES, translate
from ronghe.model.finding import (
    Basis,
    Cards,
    Caveat,
    Cell,
    Chart,
    Child,
    Field,
    Finding,
    Matrix,
    Result,
    Rows,
    Spark,
)
from ronghe.model.provenance import Input, Provenance, Step
from ronghe.model.text import Text
from ronghe.model.units import units

_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "list<string>": pa.list_(pa.string()),
}


def canonical(document: Any) -> bytes:
    """The bytes of a JSON document: no spaces, UTF-8, shortest exact floats, one line feed at the end."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return (text + "\n").encode("utf-8")


def say(text: Text) -> dict[str, Any]:
    """A text with its key, its arguments and what it says in each language."""
    said: dict[str, Any] = {"key": text.key, "args": {k: _argument(v) for k, v in text.args.items()}}
    for lang in LANGUAGES:
        said[lang] = translate(lang, text)
    return said


def _argument(value: Any) -> Any:
    if isinstance(value, Text):
        return {"text": value.key, "args": {k: _argument(v) for k, v in value.args.items()}}
    if isinstance(value, (list, tuple)):
        return [_argument(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _argument(v) for k, v in value.items()}
    return _number(value)


def _unargument(value: Any) -> Any:
    if isinstance(value, list):
        return [_unargument(v) for v in value]
    if isinstance(value, dict):
        if set(value) == {"text", "args"}:
            return Text(value["text"], {k: _unargument(v) for k, v in value["args"].items()})
        return {k: _unargument(v) for k, v in value.items()}
    return value


def _number(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def unsay(said: Mapping[str, Any]) -> Text:
    """The text behind what ``say`` gave."""
    return Text(said["key"], {k: _unargument(v) for k, v in said["args"].items()})


def packed(text: Text) -> tuple[str, str]:
    """A text's key, and its arguments as JSON: how a table keeps it."""
    return text.key, json.dumps({k: _argument(v) for k, v in text.args.items()}, ensure_ascii=False)


def unpacked(key: str, args: str) -> Text:
    """The text behind what ``packed`` gave."""
    return Text(key, {k: _unargument(v) for k, v in json.loads(args).items()})


def _where(where: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _cell(v) for k, v in where.items()}


def _cell(value: Any) -> Any:
    return {"column": value.column} if isinstance(value, Cell) else value


def _uncell(said: Any) -> Any:
    return Cell(said["column"]) if isinstance(said, dict) else said


def _unwhere(where: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in where.items():
        found[key] = _uncell(value)
        if isinstance(value, list):
            found[key] = tuple(value)
    return found


def _basis(basis: Basis | None) -> dict[str, Any] | None:
    if basis is None:
        return None
    if isinstance(basis, Child):
        return {
            "kind": "child",
            "finding": basis.finding,
            "table": basis.table,
            "column": basis.column,
            "where": _where(basis.where),
        }
    kind = "rows" if isinstance(basis, Rows) else "matrix"
    return {"kind": kind, "table": _cell(basis.table), "where": _where(basis.where)}


def _unbasis(said: Mapping[str, Any] | None) -> Basis | None:
    if said is None:
        return None
    where = _unwhere(said["where"])
    if said["kind"] == "child":
        return Child(said["finding"], said["table"], said["column"], where)
    return (Rows if said["kind"] == "rows" else Matrix)(_uncell(said["table"]), where)


def _field(field: Field, result: Result) -> dict[str, Any]:
    unit = units().get(field.unit)
    return {
        "name": field.name,
        "type": str(result.data.schema.field(field.name).type).replace("list<item: string>", "list<string>"),
        "label": say(field.label),
        "kind": field.kind,
        "unit": field.unit,
        "unit_label": unit.names if unit else None,
        "lang": field.lang,
        "digits": field.digits,
        "basis": _basis(field.basis),
    }


def _result(result: Result) -> dict[str, Any]:
    names = [f.name for f in result.fields]
    columns = {n: [_number(v) for v in result.data.column(n).to_pylist()] for n in names}
    return {
        "title": say(result.title),
        "key": list(result.key),
        "aside": result.aside,
        "lead": None if result.lead is None else say(result.lead),
        "fields": [_field(f, result) for f in result.fields],
        "rows": result.data.num_rows,
        "columns": columns,
    }


def _unresult(said: Mapping[str, Any]) -> Result:
    fields = tuple(
        Field(
            name=f["name"],
            label=unsay(f["label"]),
            kind=f["kind"],
            unit=f["unit"],
            basis=_unbasis(f["basis"]),
            lang=f["lang"],
            digits=f["digits"],
        )
        for f in said["fields"]
    )
    arrays = {f["name"]: pa.array(said["columns"][f["name"]], _TYPES[f["type"]]) for f in said["fields"]}
    lead = None if said["lead"] is None else unsay(said["lead"])
    return Result(pa.table(arrays), fields, tuple(said["key"]), unsay(said["title"]), said["aside"], lead)


def _cards(cards: Cards) -> dict[str, Any]:
    return {
        "table": cards.table,
        "title": say(cards.title),
        "name": cards.name,
        "line": cards.line,
        "figures": list(cards.figures),
        "period": None if cards.period is None else list(cards.period),
        "remark": cards.remark,
        "spark": None if cards.spark is None else asdict(cards.spark),
    }


def _uncards(said: Mapping[str, Any]) -> Cards:
    period, spark = said["period"], said["spark"]
    return Cards(
        table=said["table"],
        title=unsay(said["title"]),
        name=said["name"],
        line=said["line"],
        figures=tuple(said["figures"]),
        period=None if period is None else (period[0], period[1]),
        remark=said["remark"],
        spark=None if spark is None else Spark(spark["table"], spark["x"], spark["y"], tuple(spark["by"])),
    )


def _step(step: Step) -> dict[str, Any]:
    return {
        "kernel": step.kernel,
        "formula": step.formula,
        "paper": step.paper,
        "params": {k: _argument(v) for k, v in step.params.items()},
        "note": None if step.note is None else say(step.note),
    }


def to_document(finding: Finding) -> dict[str, Any]:
    """The finding as a JSON document, in both languages at once."""
    p = finding.provenance
    return {
        "id": finding.id,
        "lens": finding.lens,
        "version": finding.version,
        "params": dict(finding.params),
        "headline": say(finding.headline),
        "tables": {name: _result(result) for name, result in finding.tables.items()},
        "charts": [
            {
                "kind": c.kind,
                "table": c.table,
                "encode": dict(c.encode),
                "title": say(c.title),
                "options": {k: _argument(v) for k, v in c.options.items()},
            }
            for c in finding.charts
        ],
        "cards": [_cards(c) for c in finding.cards],
        "caveats": [{"level": c.level, "text": say(c.text)} for c in finding.caveats],
        "provenance": {
            "snapshot": p.snapshot,
            "tables": dict(p.tables),
            "inputs": [asdict(i) for i in p.inputs],
            "steps": [_step(s) for s in p.steps],
            "code": p.code,
            "children": list(p.children),
        },
    }


def from_document(said: Mapping[str, Any]) -> Finding:
    """The finding behind what ``to_document`` gave."""
    p = said["provenance"]
    steps = tuple(
        Step(
            s["kernel"],
            s["formula"],
            s["paper"],
            {k: _unargument(v) for k, v in s["params"].items()},
            None if s["note"] is None else unsay(s["note"]),
        )
        for s in p["steps"]
    )
    return Finding(
        id=said["id"],
        lens=said["lens"],
        version=said["version"],
        params=said["params"],
        headline=unsay(said["headline"]),
        tables={name: _unresult(result) for name, result in said["tables"].items()},
        charts=tuple(
            Chart(
                c["kind"],
                c["table"],
                c["encode"],
                unsay(c["title"]),
                {k: _unargument(v) for k, v in c["options"].items()},
            )
            for c in said["charts"]
        ),
        caveats=tuple(Caveat(c["level"], unsay(c["text"])) for c in said["caveats"]),
        provenance=Provenance(
            snapshot=p["snapshot"],
            tables=p["tables"],
            inputs=tuple(Input(**i) for i in p["inputs"]),
            steps=steps,
            code=p["code"],
            children=tuple(p["children"]),
        ),
        cards=tuple(_uncards(c) for c in said["cards"]),
    )
