"""A chart's table as a drawer sees it: resolved columns, rows chosen and ordered, figures as text and in good units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ronghe.draw.style import SOFT, value_axis
from ronghe.i18n import translate
from ronghe.model.finding import Chart, Field, Finding, Result
from ronghe.model.units import units
from ronghe.present import cell, figure_text, number, unit_name

_NAMES = frozenset({"text", "class", "key"})
_READ_IN = {
    "zh": frozenset({"CNY_10k", "CNY_100m", "USD_10k", "USD_100m", "person_10k", "person_year_10k", "item_10k",
                     "tonne_10k", "tonne_100m"}),
    "en": frozenset({"CNY_m", "CNY_100m", "USD_m", "USD_bn", "tonne_m", "tonne_co2_m", "person_10k", "item_10k"}),
}  # fmt: skip
_BEYOND_WORDS = 1e15
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scale:
    """How an axis shows a field: what values are multiplied by, the axis' name, and how figures stand on it.

    ``words``: whether 万 or million may stand beside the unit: it has no multiple of its own, and none of the figures
    is so large that only a power of ten can say it.
    """

    factor: float
    name: str
    percent: bool
    words: bool = True

    def __call__(self, value: Any) -> float | None:
        """The value on the axis; ``None`` when missing."""
        return None if value is None else float(f"{float(value) * self.factor:.10g}")

    def line(self, at: float, axis: str, *, turned: bool = False) -> dict[str, Any]:
        """A reference line at a value of the field, with the value at its upper or right end.

        ``turned``: the axis of names runs downwards, so that the upper end is where the line begins.
        """
        text = f"{self(at):.4g}{'%' if self.percent else ''}"
        place = "start" if turned else "end"
        return {f"{axis}Axis": self(at), "label": {"formatter": text, "color": SOFT, "position": place}}


class Frame:
    """One chart over one table, in one language."""

    def __init__(self, finding: Finding, chart: Chart, lang: str) -> None:
        self.finding = finding
        self.chart = chart
        self.lang = lang
        self.result = finding.tables[chart.table]

    @property
    def options(self) -> Mapping[str, Any]:
        """The chart's own options."""
        return self.chart.options

    def resolve(self, name: str, result: Result | None = None) -> Field:
        """The field of that name in the reader's language, or else of that very name.

        Raises
        ------
        KeyError : the table has neither.
        """
        known = {f.name: f for f in (result or self.result).fields}
        return known.get(f"{name}_{self.lang}") or known[name]

    def exact(self, part: str, result: Result | None = None) -> Field:
        """The field that plays a part under its very name: an identity, whatever the language."""
        return (result or self.result).field(self.chart.encode[part])

    def has(self, part: str) -> bool:
        """Whether the chart gives a column this part."""
        return part in self.chart.encode

    def field(self, part: str, result: Result | None = None) -> Field:
        """The field that plays a part; ``KeyError`` when none does."""
        return self.resolve(self.chart.encode[part], result)

    @property
    def group(self) -> str | None:
        """The part by which rows fall into series; ``None`` when they are one."""
        return next((part for part in ("series", "color") if self.has(part)), None)

    def more(self, part: str) -> list[str]:
        """The part and its further columns: ``y``, ``y2``, ``y3`` and so on."""
        return [part, *(p for i in range(2, 10) if (p := f"{part}{i}") in self.chart.encode)]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows to draw, each with its number in the table as ``_row``."""
        listed = numbered(self.result)
        for name, value in self.options.get("where", {}).items():
            kept = value if isinstance(value, (list, tuple)) else (value,)
            listed = [r for r in listed if r[name] in kept]
        top, sort = self.options.get("top"), self.options.get("sort", "desc" if "top" in self.options else "none")
        if sort != "none":
            by = self.resolve(str(self.options.get("by") or self._measure)).name
            present = [r for r in listed if r[by] is not None]
            listed = sorted(present, key=lambda r: (-r[by] if sort == "desc" else r[by], r["_row"]))
        return listed[: int(top)] if top else listed

    @property
    def _measure(self) -> str:
        for part in ("y", "value", "size"):
            if self.has(part):
                return self.chart.encode[part]
        raise KeyError(f"{self.chart.kind} has nothing to sort by")

    def text(self, row: Row, field: Field) -> str:
        """A value as a reader sees it, with its unit."""
        return figure_text(field, row, self.lang)

    def short(self, row: Row, field: Field, scale: Scale) -> str:
        """A value as it stands beside an axis: in the axis' own unit, which the axis names."""
        at = scale(row[field.name])
        if at is None or field.kind == "share" or scale.factor == 1.0:
            return cell(field, row[field.name], self.lang)
        return number(at, Field(field.name, field.label))

    def name(self, row: Row, part: str) -> str:
        """What a row is called by a part."""
        field = self.field(part)
        return cell(field, row[field.name], self.lang, row)

    def label(self, field: Field) -> str:
        """A field's name without its unit."""
        return translate(self.lang, field.label)

    def tip(self, row: Row, title: str, parts: Sequence[str]) -> dict[str, Any]:
        """The tooltip of one item: a title, then a line for each part."""
        fields = {self.field(p).name: self.field(p) for p in parts if self.has(p)}.values()
        return self.said(title, [f"{self.label(f)}{self.colon}{self.text(row, f)}" for f in fields])

    def said(self, title: str, lines: Sequence[str]) -> dict[str, Any]:
        """A tooltip of plain lines; braces would be read as ECharts' own."""
        text = "\n".join(line for line in (title, *lines) if line)
        return {"formatter": text.replace("{", "｛").replace("}", "｝")}

    @property
    def colon(self) -> str:
        """The colon of the language."""
        return "：" if self.lang == "zh" else ": "

    def item(self, row: Row, field: Field, value: Any, tip: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """One item of a series; ``row`` and ``column`` let a click trace it."""
        return {"value": value, "row": row["_row"], "column": field.name, "tooltip": dict(tip), **more}

    def names(self, part: str) -> bool:
        """Whether a part holds names and not figures."""
        return self.field(part).kind in _NAMES or self.field(part).lang is not None

    def scale(self, fields: Sequence[Field], ends: Sequence[Field] = ()) -> Scale:
        """One scale for the fields of an axis: shares in per cent, large sums in a larger unit of the language.

        ``ends``: limits of the fields, which share the axis and don't name it.
        """
        first = fields[0]
        name = self.label(first) if len(fields) == 1 else ""
        if first.kind == "share":
            return Scale(100.0, self._named(name, "%"), True)
        code = self._unit(first)
        values = [abs(float(r[f.name])) for r in self.rows for f in (*fields, *ends) if r[f.name] is not None]
        better = self._larger(code, max(values, default=0.0))
        factor = units()[code].factor / units()[better].factor if code in units() else 1.0
        unit = unit_name(better, self.lang)
        own = better in units() and units()[better].factor != 1.0
        beyond = max(values, default=0.0) * factor >= _BEYOND_WORDS
        return Scale(factor, self._named(name, unit), False, words=not (own or beyond))

    def axis(self, scale: Scale, *, log: bool = False, vertical: bool = False) -> dict[str, Any]:
        """An axis of figures on a scale."""
        return value_axis(scale.name, self.lang, percent=scale.percent, words=scale.words, log=log, vertical=vertical)

    def _unit(self, field: Field) -> str:
        if not field.unit.startswith("="):
            return field.unit
        held = {str(r[field.unit[1:]]) for r in self.rows}
        return held.pop() if len(held) == 1 else "none"

    def _larger(self, code: str, size: float) -> str:
        here = units().get(code)
        if here is None or size < 1e5:
            return code
        fits = [
            u for u in units().values()
            if u.dimension == here.dimension and u.code in _READ_IN[self.lang] and here.factor < u.factor
            and size * here.factor / u.factor >= 1
        ]  # fmt: skip
        return max(fits, key=lambda u: u.factor).code if fits else code

    def _named(self, name: str, unit: str) -> str:
        if not unit:
            return name
        if not name:
            return unit
        return f"{name}（{unit}）" if self.lang == "zh" else f"{name} ({unit})"


def numbered(result: Result) -> list[dict[str, Any]]:
    """The rows of a table, each with its number as ``_row``."""
    return [{**row, "_row": i} for i, row in enumerate(result.data.to_pylist())]


def groups(frame: Frame, part: str | None) -> dict[str, list[dict[str, Any]]]:
    """Rows by what they are called by a part, in order of first appearance; all under ``""`` without a part."""
    if part is None:
        return {"": frame.rows}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in frame.rows:
        found.setdefault(frame.name(row, part), []).append(row)
    return found


def shorten(text: str, room: int) -> str:
    """A text cut to ``room`` half-width places, with an ellipsis."""
    used = 0
    for i, letter in enumerate(text):
        used += 2 if ord(letter) > 0x2E7F else 1
        if used > room:
            return text[:i].rstrip() + "…"
    return text


def labels_of(rows: Sequence[Row], frame: Frame, part: str) -> list[str]:
    """Category labels in order, each once."""
    return list(dict.fromkeys(frame.name(r, part) for r in rows))
