"""Series of technologies: cost and performance, AI models, shares of the panel; one figure a year."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.lenses.base import Context
from ronghe.lenses.frontier.field_paths import say
from ronghe.model.text import both

READS = ("technology_series", "ai_model", "indicator", "indicator_def")
_LEAST = 3


@dataclass(frozen=True)
class Series:
    """One technology.

    Attributes
    ----------
    kind : ``cost`` falls as a technology advances, ``performance`` rises, ``share`` lies between 0 and 1, ``adoption``
        counts those who take it up in a year.
    years, values : one value a year, ascending; the best so far for cost and performance.
    origins : the lake's table and cells behind each value.
    """

    code: str
    names: Mapping[str, str]
    kind: str
    unit: str
    years: tuple[int, ...]
    values: tuple[float, ...]
    origins: Sequence[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Driver:
    """Cumulated output by year, and how it grew in its last five years: what a path ahead goes on from."""

    cumulated: Mapping[int, float]

    def ahead(self, years: NDArray[Any]) -> NDArray[np.float64]:
        """Cumulated output in years ahead: as known, and beyond that growing on as in the last five years."""
        known = sorted(self.cumulated)
        last = known[-1]
        early = known[max(0, len(known) - 6)]
        rate = (np.log(self.cumulated[last]) - np.log(self.cumulated[early])) / max(1, last - early)
        path = [self.cumulated.get(int(y), self.cumulated[last] * float(np.exp(rate * (y - last)))) for y in years]
        return np.asarray(path, dtype=np.float64)


def load_series(ctx: Context, since: int = 0) -> list[Series]:
    """Every series with at least three years from a year on: measured ones, AI models, and shares of the panel."""
    found = [_from(s, since) for s in (*_measured(ctx), *_models(ctx), *_shares(ctx))]
    return [s for s in found if len(s.years) >= _LEAST]


def _from(one: Series, since: int) -> Series:
    first = next((i for i, y in enumerate(one.years) if y >= since), len(one.years))
    return replace(one, years=one.years[first:], values=one.values[first:], origins=one.origins[first:])


def _measured(ctx: Context) -> list[Series]:
    columns = ("series", "number", "name_zh", "name_en", "moment", "year", "kind", "value", "unit")
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in ctx.rows("technology_series", columns).to_pylist():
        if row["value"] and row["value"] > 0:
            groups.setdefault(row["series"], []).append(row)
    made = []
    for code, rows in sorted(groups.items()):
        first = rows[0]
        points = [(r["year"], r["value"], {"series": code, "number": r["number"]}) for r in rows]
        made.append(_best(code, both(first["name_zh"], first["name_en"]), first["kind"], first["unit"], points,
                          "technology_series"))  # fmt: skip
    return made


def _best(
    code: str,
    names: Mapping[str, str],
    kind: str,
    unit: str,
    points: Sequence[tuple[int, float, Mapping[str, Any]]],
    table: str,
) -> Series:
    """The frontier: in every year that has figures the best so far, which stands still where it is not beaten."""
    sign = -1.0 if kind == "cost" else 1.0
    kept: dict[int, tuple[float, Mapping[str, Any]]] = {}
    best: tuple[float, Mapping[str, Any]] | None = None
    for year, value, cells in sorted(points, key=lambda p: (p[0], -sign * p[1])):
        if best is None or sign * value > sign * best[0]:
            best = (value, cells)
        kept[year] = best
    years = tuple(sorted(kept))
    return Series(code, names, kind, unit, years, tuple(kept[y][0] for y in years),
                  tuple((table, kept[y][1]) for y in years))  # fmt: skip


def _models(ctx: Context) -> list[Series]:
    """The largest training run, model and bill of notable AI models so far."""
    made = []
    rows = ctx.rows("ai_model", ("model", "year", "compute", "parameters", "cost")).to_pylist()
    for measure, unit in (("compute", "flop"), ("parameters", "none"), ("cost", "USD_2023")):
        points = [(r["year"], r[measure], {"model": r["model"]}) for r in rows if r[measure] and r["year"]]
        made.append(_best(f"ai_{measure}", say(f"diffusion.ai.{measure}"), "performance", unit, points, "ai_model"))
    return made


def _shares(ctx: Context) -> list[Series]:
    """Deep learning in publications on AI, as a share and as works a year: sums over countries, joint works alike."""
    totals: dict[str, dict[int, float]] = {}
    names = ("deep_learning_publications", "ai_publications")
    for row in ctx.rows("indicator", ("indicator", "region", "year", "value"), indicator=names).to_pylist():
        if row["value"] is not None and len(row["region"]) == 3 and row["region"] != "WLD":
            held = totals.setdefault(row["indicator"], {})
            held[row["year"]] = held.get(row["year"], 0.0) + row["value"]
    part, whole = (totals.get(n, {}) for n in names)
    years = tuple(y for y in sorted(part) if whole.get(y) and part[y] > 0)
    values = tuple(part[y] / whole[y] for y in years)
    origins = [("indicator", {"indicator": names, "year": y}) for y in years]
    works = tuple(part[y] for y in years)
    counted = [("indicator", {"indicator": names[:1], "year": y}) for y in years]
    return [
        Series("deep_learning_share", say("diffusion.deep_learning"), "share", "none", years, values, origins),
        Series("deep_learning_works", say("diffusion.deep_learning_works"), "adoption", "item", years, works, counted),
    ]


def load_driver(ctx: Context, indicator: str, region: str) -> Driver:
    """Output of an indicator, cumulated over the years.

    Raises
    ------
    AskError : fewer than three years of it.
    """
    rows = ctx.rows("indicator", ("year", "value"), indicator=indicator, region=region, industry="ALL").to_pylist()
    known = sorted((r["year"], r["value"]) for r in rows if r["value"] is not None and r["value"] > 0)
    if len(known) < _LEAST:
        held = ctx.rows("indicator", ("region", "value"), indicator=indicator, industry="ALL").to_pylist()
        years = Counter(r["region"] for r in held if r["value"] is not None and r["value"] > 0)
        others = [place for place, n in years.most_common() if n >= _LEAST]
        raise AskError("diffusion_output", indicator=indicator, region=region, known=others[:10])
    total = np.cumsum([v for _, v in known])
    return Driver({y: float(t) for (y, _), t in zip(known, total, strict=True)})
