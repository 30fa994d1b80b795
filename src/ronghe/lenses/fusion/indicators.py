"""A panel of one indicator: who stands where, since when, how fast, with gaps shown as gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ronghe.lenses.base import Context, lens
from ronghe.lenses.params import LATEST, Indicator, PanelRegion, Year, pick_year
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both
from ronghe.model.units import units

_LEVELS = ("province", "country", "city", "county", "group", "world")


@dataclass(frozen=True)
class _Panel:
    """One indicator: region -> year -> value (``None`` where published as missing), and what is known of it."""

    names: Mapping[str, str]
    unit: str
    additive: bool | None
    values: Mapping[str, Mapping[int, float | None]]
    regions: Mapping[str, Mapping[str, Any]]
    level: str
    years: tuple[int, ...]

    @property
    def members(self) -> list[str]:
        """The regions that are ranked: those of the panel's level."""
        return [r for r in sorted(self.values) if self._level_of(r) == self.level]

    def _level_of(self, region: str) -> str:
        return str(self.regions.get(region, {}).get("level", ""))

    def name(self, region: str) -> dict[str, str]:
        """A region's name in both languages."""
        known = self.regions.get(region, {})
        return both(known.get("name_zh"), known.get("name_en") or region)

    @property
    def digits(self) -> int:
        """Digits after the point that suit the figures' size, the same down the whole column."""
        sizes = sorted(abs(v) for r in self.members for v in self.values[r].values() if v)
        middle = sizes[len(sizes) // 2] if sizes else 0.0
        return 0 if middle >= 1000 else 2 if middle >= 1 else 4

    def whole(self) -> str | None:
        """The region that the members are parts of, where the panel holds it."""
        parents = {self.regions[r]["parent"] for r in self.members if r in self.regions}
        found = [p for p in parents if p in self.values]
        return found[0] if len(found) == 1 else None


def _panel(ctx: Context, indicator: str) -> _Panel:
    rows = ctx.rows("indicator", ("region", "year", "value", "unit"), indicator=indicator, industry="ALL").to_pylist()
    if not rows:
        raise ctx.nothing(indicator)
    defined = ctx.rows("indicator_def", indicator=indicator).to_pylist()
    about = defined[0] if defined else {}
    values: dict[str, dict[int, float | None]] = {}
    for row in rows:
        values.setdefault(row["region"], {})[row["year"]] = row["value"]
    places = ctx.rows("region", ("region", "level", "parent", "name_zh", "name_en"), region=list(values)).to_pylist()
    regions = {p["region"]: p for p in places}
    levels = {str(p["level"]) for p in places}
    level = next((one for one in _LEVELS if one in levels), "")
    years = sorted({y for per in values.values() for y, v in per.items() if v is not None})
    return _Panel(
        names=both(about.get("name_zh"), about.get("name_en") or indicator),
        unit=rows[0]["unit"],
        additive=about.get("additive"),
        values=values,
        regions=regions,
        level=level,
        years=tuple(years),
    )


def _growth(per: Mapping[int, float | None], first: int, last: int) -> float | None:
    """Mean yearly growth between two years, as a fraction; ``None`` where it is not defined."""
    a, b = per.get(first), per.get(last)
    if a is None or b is None or a <= 0 or b <= 0 or first >= last:
        return None
    return float((b / a) ** (1.0 / (last - first)) - 1.0)


def _first(per: Mapping[int, float | None], until: int) -> int | None:
    known = [y for y, v in per.items() if v is not None and y <= until]
    return min(known, default=None)


def _ranking(panel: _Panel, year: int) -> list[dict[str, Any]]:
    total = _total(panel, year)
    rows = []
    for region in panel.members:
        per = panel.values[region]
        value, before = per.get(year), per.get(year - 1)
        first = _first(per, year)
        rows.append(
            {
                "rank": None,
                "region": region,
                "name_zh": panel.name(region)["zh"],
                "name_en": panel.name(region)["en"],
                "value": value,
                "share": value / total if value is not None and total else None,
                "previous": before,
                "change": value / before - 1.0 if value is not None and before and before > 0 else None,
                "first_year": first,
                "growth": None if first is None else _growth(per, first, year),
                "years_missing": sum(per.get(y) is None for y in panel.years),
            }
        )
    rows.sort(key=lambda r: (r["value"] is None, -float(r["value"] or 0.0), r["region"]))
    place = 0
    for number, row in enumerate(rows, start=1):
        if row["value"] is None:
            continue
        if number == 1 or row["value"] != rows[number - 2]["value"]:
            place = number
        row["rank"] = place
    return rows


def _total(panel: _Panel, year: int) -> float | None:
    """What shares are of: the published whole where there is one, else the sum of the members."""
    if not panel.additive:
        return None
    whole = panel.whole()
    if whole is not None and panel.values[whole].get(year):
        return panel.values[whole][year]
    found = [panel.values[r].get(year) for r in panel.members]
    return sum(v for v in found if v is not None) if all(v is not None for v in found) else None


def _trend(panel: _Panel, shown: Sequence[str]) -> list[dict[str, Any]]:
    span = range(panel.years[0], panel.years[-1] + 1)
    return [
        {
            "region": region,
            "name_zh": panel.name(region)["zh"],
            "name_en": panel.name(region)["en"],
            "year": year,
            "value": panel.values[region].get(year),
        }
        for region in shown
        for year in span
    ]


def _label(name: str, key: str) -> Field:
    return Field(f"name_{name}", Text(key), "text", lang=name)


def _fields(indicator: str, panel: _Panel, year: int) -> tuple[Field, ...]:
    here: dict[str, Any] = {"indicator": indicator, "industry": "ALL", "region": Cell("region")}
    now = Rows("indicator", {**here, "year": year})
    both_years = Rows("indicator", {**here, "year": (year - 1, year)})
    span = Rows("indicator", {**here, "year": tuple(y for y in panel.years if y <= year)})
    whole = panel.whole()
    parts = tuple(panel.members) if whole is None else (whole,)
    shares = Rows("indicator", {"indicator": indicator, "industry": "ALL", "region": parts, "year": year})
    listed = (
        Field("rank", Text("column.rank"), "integer", basis=now),
        Field("region", Text("column.region"), "text"),
        _label("zh", "column.region_name"),
        _label("en", "column.region_name"),
        Field("value", Text("column.value_of", {"year": year}), "number", panel.unit, now, digits=panel.digits),
        Field("share", Text("column.share"), "share", basis=shares, digits=2),
        Field("previous", Text("column.value_of", {"year": year - 1}), "number", panel.unit,
              Rows("indicator", {**here, "year": year - 1}), digits=panel.digits),
        Field("change", Text("column.change"), "share", basis=both_years, digits=1),
        Field("first_year", Text("column.first_year"), "year"),
        Field("growth", Text("column.growth"), "share", basis=span, digits=1),
        Field("years_missing", Text("column.years_missing"), "integer", basis=span),
    )  # fmt: skip
    return tuple(f for f in listed if f.name != "share" or panel.additive)


def _trend_fields(indicator: str, panel: _Panel) -> tuple[Field, ...]:
    here: dict[str, Any] = {
        "indicator": indicator,
        "industry": "ALL",
        "region": Cell("region"),
        "year": Cell("year"),
    }
    return (
        Field("region", Text("column.region"), "text"),
        _label("zh", "column.region_name"),
        _label("en", "column.region_name"),
        Field("year", Text("column.year"), "year"),
        Field("value", Text("column.value"), "number", panel.unit, Rows("indicator", here), digits=panel.digits),
    )


def _caveats(panel: _Panel, year: int, ranked: Sequence[Mapping[str, Any]]) -> list[Caveat]:
    said = []
    gaps = [y for y in range(panel.years[0], panel.years[-1] + 1) if y not in panel.years]
    if gaps:
        said.append(Caveat("warning", Text("indicators.gaps", {"years": [str(y) for y in gaps]})))
    absent = [panel.name(r["region"]) for r in ranked if r["value"] is None]
    if absent:
        said.append(Caveat("warning", Text("indicators.absent", {"year": year, "regions": absent[:10]})))
    whole = panel.whole()
    if panel.additive and whole is not None:
        parts = [panel.values[r].get(year) for r in panel.members]
        stated = panel.values[whole].get(year)
        if stated and all(v is not None for v in parts):
            gap = sum(v for v in parts if v is not None) / stated - 1.0
            level = "warning" if abs(gap) > 0.01 else "note"
            said.append(Caveat(level, Text("indicators.sum", {"whole": panel.name(whole), "gap": gap})))
    return said


def _types(rows: Sequence[Mapping[str, Any]], fields: Sequence[Field]) -> pa.Table:
    kinds = {"text": pa.string(), "integer": pa.int64(), "year": pa.int64()}
    columns = {f.name: pa.array([r[f.name] for r in rows], kinds.get(f.kind, pa.float64())) for f in fields}
    return pa.table(columns)


@lens("indicators", version=1, reads=("indicator", "indicator_def", "region"))
def indicators(
    ctx: Context, *, indicator: Indicator, year: Year = LATEST, region: PanelRegion | None = None, top: int = 8
) -> Finding:
    """Who stands where on an indicator, since when and how fast? Ranking, trend, growth, share; gaps shown as gaps."""
    panel = _panel(ctx, indicator)
    known = sorted({y for r in panel.members for y, v in panel.values[r].items() if v is not None}) or panel.years
    at = pick_year(year, known, str(indicator))
    rows = _ranking(panel, at)
    fields = _fields(str(indicator), panel, at)
    shown = [r["region"] for r in rows if r["value"] is not None][: max(top, 1)]
    if region is not None:
        shown = [str(region), *[r for r in shown if r != region][:2]]
    whole = panel.whole()
    if whole is not None and not panel.additive and whole not in shown:
        shown.append(whole)
    trend_fields = _trend_fields(str(indicator), panel)
    tables = {
        "ranking": Result(_types(rows, fields), fields, ("region",), Text("indicators.ranking", {"year": at})),
        "trend": Result(
            _types(_trend(panel, shown), trend_fields), trend_fields, ("region", "year"), Text("indicators.trend")
        ),
    }
    charts = [
        Chart("bar", "ranking", {"x": "name", "y": "value"}, Text("indicators.ranking", {"year": at}), {"top": 31}),
        Chart("line", "trend", {"x": "year", "y": "value", "series": "name"}, Text("indicators.trend")),
    ]
    if panel.level == "province":
        charts.insert(0, Chart("tilemap", "ranking", {"region": "region", "value": "value", "name": "name"},
                               Text("indicators.map", {"year": at})))  # fmt: skip
    ctx.check()
    return ctx.answer(
        _headline(panel, rows, at, region),
        tables,
        charts=charts,
        caveats=_caveats(panel, at, rows),
        steps=[Step("indicators", "rank by value; growth = (x_T / x_0)^(1/(T−0)) − 1; share = x_i / whole", "")],
    )


def _headline(panel: _Panel, rows: Sequence[Mapping[str, Any]], year: int, region: str | None) -> Text:
    ranked = [r for r in rows if r["value"] is not None]
    asked = next((r for r in ranked if r["region"] == region), None)
    args: dict[str, Any] = {"indicator": panel.names, "year": year, "unit": units()[panel.unit].names}
    if asked is not None:
        named = {"region": panel.name(asked["region"]), "value": asked["value"], "rank": asked["rank"]}
        return Text("indicators.headline_region", {**args, **named, "count": len(ranked)})
    if not ranked:
        return Text("indicators.headline_none", args)
    first, last = ranked[0], ranked[-1]
    return Text(
        "indicators.headline",
        {
            **args,
            "first": panel.name(first["region"]),
            "value": first["value"],
            "last": panel.name(last["region"]),
            "least": last["value"],
            "count": len(ranked),
        },
    )
