"""Cards of a finding as a page shows them: every figure with its unit and the address of its trace."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ronghe.draw.frame import numbered
from ronghe.draw.spark import HEIGHT, WIDTH, extremes, spark
from ronghe.i18n import translate
from ronghe.model.finding import Cards, Field, Finding, Result, Spark
from ronghe.model.text import Text
from ronghe.present import cell, figure_text

Row = Mapping[str, Any]


def cards_view(finding: Finding, lang: str) -> list[dict[str, Any]]:
    """Every set of cards of a finding: titles, lines with figures, and what lines without any say."""
    return [
        {"title": translate(lang, cards.title), "cards": _Reader(finding, cards, lang).cards()}
        for cards in finding.cards
    ]


def spoken(result: Result, name: str, lang: str) -> Field:
    """The field of that name in the reader's language, or else of that very name."""
    known = {f.name: f for f in result.fields}
    return known.get(f"{name}_{lang}") or known[name]


class _Reader:
    def __init__(self, finding: Finding, cards: Cards, lang: str) -> None:
        self.finding, self.said, self.lang = finding, cards, lang
        self.result = finding.tables[cards.table]
        self.name, self.line = (spoken(self.result, n, lang) for n in (cards.name, cards.line))
        self.figures = [spoken(self.result, n, lang) for n in cards.figures]

    def cards(self) -> list[dict[str, Any]]:
        """A card for each name, in the order of the table."""
        held: dict[str, list[Row]] = {}
        for row in numbered(self.result):
            held.setdefault(cell(self.name, row[self.name.name], self.lang, row), []).append(row)
        return [self._card(title, rows) for title, rows in held.items()]

    def _card(self, title: str, rows: list[Row]) -> dict[str, Any]:
        full = [r for r in rows if any(r[f.name] is not None for f in self.figures)]
        absent: dict[str, list[str]] = {}
        for row in (r for r in rows if r not in full):
            absent.setdefault(self._remark(row), []).append(self._text(self.line, row))
        joined = "、" if self.lang == "zh" else "; "
        return {
            "title": title,
            "lines": [self._line(r) for r in full],
            "absent": [{"remark": why, "names": joined.join(names)} for why, names in absent.items()],
        }

    def _line(self, row: Row) -> dict[str, Any]:
        return {
            "title": self._text(self.line, row),
            "period": self._period(row),
            "figures": [self._figure(f, row) for f in self.figures if row[f.name] is not None],
            "remark": self._remark(row),
            "spark": self._spark(self.said.spark, row) if self.said.spark else None,
        }

    def _figure(self, field: Field, row: Row) -> dict[str, Any]:
        where = urlencode({"table": self.said.table, "column": field.name, "row": row["_row"]})
        address = f"/{self.lang}/finding/{self.finding.id}/trace?{where}"
        return {
            "label": translate(self.lang, field.label),
            "text": figure_text(field, row, self.lang),
            "trace": address if field.basis is not None else None,
        }

    def _text(self, field: Field, row: Row) -> str:
        return cell(field, row[field.name], self.lang, row)

    def _remark(self, row: Row) -> str:
        if self.said.remark is None or row[self.said.remark] is None:
            return ""
        return self._text(self.result.field(self.said.remark), row)

    def _period(self, row: Row) -> str:
        years = [row[name] for name in self.said.period or () if row[name] is not None]
        return ("—" if self.lang == "zh" else "–").join(str(y) for y in dict.fromkeys(years))

    def _spark(self, said: Spark, line: Row) -> dict[str, Any] | None:
        """The bars of a line's series, and in words how it began, ended and where it stood highest."""
        table = self.finding.tables[said.table]
        rows = [r for r in numbered(table) if all(r[k] == line[k] for k in said.by)]
        ends = extremes(rows, said.x, said.y)
        if not ends:
            return None
        figure = table.field(said.y)
        first, last, most = ({"x": r[said.x], "y": figure_text(figure, r, self.lang)} for r in ends)
        words = {"first": first["x"], "begins": first["y"], "last": last["x"], "ends": last["y"],
                 "most": most["y"], "peak": most["x"]}  # fmt: skip
        return {
            "bars": spark([r[said.y] for r in rows]),
            "width": WIDTH,
            "height": HEIGHT,
            "first": first["x"],
            "last": last["x"],
            "alt": translate(self.lang, Text("web.spark", words)),
        }
