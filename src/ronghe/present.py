"""How a figure looks to a person: one place for command, page and document. Nothing is computed here."""

from collections.abc import Mapping
from typing import Any

from ronghe.i18n import has, translate
from ronghe.model.finding import Field, Result
from ronghe.model.text import Text
from ronghe.model.units import units

MISSING = "—"


def visible(result: Result, lang: str) -> list[Field]:
    """The fields a reader of one language sees: those of no language and those of their own."""
    return [f for f in result.fields if f.lang in {None, lang}]


def label(field: Field, lang: str) -> str:
    """A column's heading, with its unit where the whole column has one."""
    name = translate(lang, field.label)
    unit = unit_name(field.unit, lang)
    if not unit or field.kind == "share":
        return name
    return f"{name}（{unit}）" if lang == "zh" else f"{name} ({unit})"


def unit_name(code: str, lang: str) -> str:
    """A unit's name; empty for figures without one and where every row has its own."""
    unit = units().get(code)
    return unit.names[lang] if unit else ""


def cell(field: Field, value: Any, lang: str, row: Mapping[str, Any] | None = None) -> str:
    """One value as text, missing as a dash."""
    if value is None:
        return MISSING
    if field.kind == "class":
        key = f"class.{field.name}.{value}"
        return translate(lang, Text(key)) if has(key) else str(value)
    if field.kind == "key":
        return translate(lang, Text(str(value)))
    if field.kind == "unit":
        return unit_name(str(value), lang) or str(value)
    if isinstance(value, bool):
        return translate(lang, Text("say.yes" if value else "say.no"))
    if isinstance(value, (list, tuple)):
        return ("、" if lang == "zh" else ", ").join(str(v) for v in value)
    if field.kind == "year":
        return str(value)
    if isinstance(value, (int, float)):
        text = number(value, field)
        unit = unit_name(str(row[field.unit[1:]]), lang) if row is not None and field.unit.startswith("=") else ""
        return with_unit(text, unit)
    return str(value)


def figure_text(field: Field, row: Mapping[str, Any], lang: str) -> str:
    """A value as it stands alone, outside its column: with its unit."""
    shown = cell(field, row[field.name], lang, row)
    unit = "" if field.unit.startswith("=") or field.kind == "share" else unit_name(field.unit, lang)
    return with_unit(shown, unit) if shown != MISSING else shown


def with_unit(text: str, unit: str) -> str:
    """A figure and its unit; a unit that begins with a number is multiplied: ``5 × 10 thousand yuan``."""
    return f"{text} × {unit}" if unit[:1].isdigit() else f"{text} {unit}".strip()


def number(value: float, field: Field) -> str:
    """A number with the digits its field asks for, else as many as its size needs."""
    if field.kind == "share":
        return f"{value:.{1 if field.digits is None else field.digits}%}"
    if field.digits is not None:
        return f"{value:,.{field.digits}f}"
    size = abs(value)
    # A sum of thirds and fifths is seldom a whole number to the last bit.
    if field.kind == "integer" or (size < 1e15 and abs(value - round(value)) <= 1e-9 * size):
        return f"{value:,.0f}"
    if size >= 1e15:
        return f"{value:.3g}"
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 1:
        return f"{value:,.2f}"
    return f"{value:.4f}" if size >= 0.001 else f"{value:.3g}"


def lens_words(name: str, lang: str) -> tuple[str, str]:
    """A lens's title and question; its bare name where the lens is no longer installed."""
    if not has(f"lens.{name}"):
        return name, ""
    return translate(lang, Text(f"lens.{name}")), translate(lang, Text(f"lens.{name}.question"))


def state_of(job: Mapping[str, Any], lang: str) -> str:
    """A job's state, from its document."""
    if job["stopping"]:
        return translate(lang, Text("job.stopping"))
    return translate(lang, Text(f"job.is.{job['state']}"))


def how_far(job: Mapping[str, Any], lang: str) -> str:
    """How far a job is: the step's name and its count."""
    progress = job["progress"]
    if progress is None:
        return ""
    key = "job.steps" if progress["total"] else "job.count"
    count = translate(lang, Text(key, {"done": f"{progress['done']:,}", "total": f"{progress['total']:,}"}))
    return f"{step_name(progress['what'], lang)} {count}".strip()


def step_name(what: str, lang: str) -> str:
    """What a step is called: its own name, its lens's, or what it was handed (a file)."""
    key = next((k for k in (f"step.{what}", f"lens.{what}") if has(k)), None)
    return what if key is None else translate(lang, Text(key))


def time_left(job: Mapping[str, Any], lang: str) -> str:
    """How long the step at hand will still take at its pace so far; says so where that isn't known."""
    if job["state"] != "running":
        return ""
    left = None if job["progress"] is None else job["progress"]["left"]
    if left is None:
        return translate(lang, Text("job.unknown_left"))
    return translate(lang, Text("job.about", {"time": span(left, lang)}))


def span(seconds: float, lang: str) -> str:
    """A stretch of time in the unit that suits it."""
    for key, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return translate(lang, Text(f"job.{key}", {"count": round(seconds / size)}))
    return translate(lang, Text("job.seconds", {"count": max(round(seconds), 1)}))
