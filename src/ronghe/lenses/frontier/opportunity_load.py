"""Places by activities: exports of products, works by subfield, projects by programme, patents by technology."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.i18n import LANGUAGES, has, translate
from ronghe.lenses.base import Context
from ronghe.lenses.frontier.bridge_load import load_concordance
from ronghe.lenses.frontier.field_load import NO_RESEARCH, caught_projects
from ronghe.lenses.frontier.project_places import load_places
from ronghe.model.text import Text, both
from ronghe.model.units import FLOW_MEANS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
TABLES = {"trade": "trade", "topics": "work", "programmes": "project", "patents": "patent"}
"""What is counted, and the lake's table behind it."""
LEAST = {"trade": 2e-4, "topics": 20.0, "programmes": 20.0, "patents": 3.0}
"""The total below which a place is too small to tell what it is good at; of trade, a share of the world's."""
_FLOOR = {"trade": 0.0, "topics": 2.0, "programmes": 2.0, "patents": 1.0}


@dataclass(frozen=True)
class Basket:
    """What places do.

    Attributes
    ----------
    x : (c, p) exports or counts. floor : the least amount that counts as presence. years : what it covers.
    keys : (place, activity) -> the items behind a count; empty for trade, whose rows are found by code.
    dropped : places left out for being small; unplaced : share of items without a place. mean_flow : values are means
    of single trade flows, not totals.
    """

    what: str
    places: Sequence[str]
    activities: Sequence[str]
    names: Sequence[Mapping[str, str]]
    groups: Sequence[Mapping[str, str]]
    x: Floats
    floor: float
    years: tuple[int, int]
    keys: Mapping[tuple[str, str], Sequence[str]]
    dropped: int
    unplaced: float
    mean_flow: bool = False

    def cells(self, place: str | Sequence[str], activity: str) -> dict[str, Any]:
        """The rows of the lake behind one cell."""
        if self.what == "trade":
            return {"region": place, "product": activity, "flow": "export"}
        key = {"topics": "work_id", "programmes": "project_id", "patents": "patent_id"}[self.what]
        if isinstance(place, str):
            return {key: tuple(self.keys.get((place, activity), ()))[:200]}
        found = (k for p in place for k in self.keys.get((p, activity), ()))
        return {key: tuple(dict.fromkeys(found))[:200]}


def load_basket(ctx: Context, what: str, keep: str) -> Basket:
    """The matrix of one kind of evidence, without places that are too small (but for the one asked about).

    Raises
    ------
    NoData : the lake holds none of it.
    """
    rows = {"trade": _trade, "topics": _topics, "programmes": _programmes, "patents": _patents}[what](ctx)
    if not rows:
        raise ctx.nothing(what)
    total: dict[str, float] = {}
    for row in rows:
        if row["place"]:
            total[row["place"]] = total.get(row["place"], 0.0) + row["value"]
    lost = sum(r["value"] for r in rows if not r["place"])
    least = LEAST[what] * (sum(total.values()) if what == "trade" else 1.0)
    places = sorted(p for p, v in total.items() if v >= least or p == keep)
    names = {r["activity"]: (r["names"], r["group"]) for r in rows}
    inside = [r for r in rows if r["place"] in set(places)]
    activities = sorted({r["activity"] for r in inside})
    at, to = ({v: i for i, v in enumerate(vs)} for vs in (places, activities))
    x = np.zeros((len(places), len(activities)))
    keys: dict[tuple[str, str], list[str]] = {}
    for row in inside:
        x[at[row["place"]], to[row["activity"]]] += row["value"]
        if row["key"]:
            keys.setdefault((row["place"], row["activity"]), []).append(row["key"])
    years = [r["year"] for r in rows if r["year"]]
    return Basket(
        what, places, activities, [names[a][0] for a in activities], [names[a][1] for a in activities], x,
        _FLOOR[what], (min(years, default=0), max(years, default=0)), keys, len(total) - len(places),
        lost / (sum(total.values()) + lost), what == "trade" and _mean_flow(ctx),
    )  # fmt: skip


def say(key: str, code: str) -> dict[str, str]:
    """A name of the locales, or the code itself."""
    return {lang: translate(lang, Text(key)) for lang in LANGUAGES} if has(key) else both(code, code)


def _row(
    place: str | None,
    activity: str,
    value: float,
    year: int | None,
    key: str,
    names: Mapping[str, str],
    group: Mapping[str, str],
) -> dict[str, Any]:
    return {"place": place, "activity": activity, "value": value, "year": year, "key": key, "names": names,
            "group": group}  # fmt: skip


def _mean_flow(ctx: Context) -> bool:
    return not FLOW_MEANS.isdisjoint(ctx.snapshot.distinct("trade", ("unit",))["unit"].to_pylist())


def _trade(ctx: Context) -> list[dict[str, Any]]:
    """Exports to the world of the latest year there is."""
    columns = ("region", "product", "value", "year", "years", "classification", "version")
    rows = ctx.rows("trade", columns, flow="export", partner="WLD").to_pylist()
    last = max((r["year"] for r in rows), default=0)
    found = []
    named = {
        (key, r["code"]): both(r["name_zh"], r["name_en"] or r["code"])
        for key in {(r["classification"], r["version"]) for r in rows}
        for r in ctx.rows("industry", ("code", "name_zh", "name_en"), classification=key[0], version=key[1]).to_pylist()
    }
    for row in rows:
        if row["year"] == last:
            part = row["product"][:2]
            group = say(f"sitc.{part}", part) if row["classification"] == "SITC" else both(part, part)
            said = named.get(((row["classification"], row["version"]), row["product"]), group)
            names = {lang: f"{row['product']} {said[lang]}" for lang in LANGUAGES}
            found.append(_row(row["region"], row["product"], row["value"], row["year"], "", names, group))
    return found


def _topics(ctx: Context) -> list[dict[str, Any]]:
    """Works of the last ten years by subfield, each shared equally among the countries that took part."""
    works = ctx.table("work")
    works = works.filter(~works["retracted"].fill_null(False) & ~works["type"].fill_null("").isin(NO_RESEARCH))
    held = ctx.fetch(works.select("work_id", "year", "subfield", "field").order_by("work_id")).to_pylist()
    taking: dict[str, set[str]] = {}
    for row in ctx.fetch(ctx.table("authorship").select("work_id", "country").distinct()).to_pylist():
        if row["country"]:
            taking.setdefault(row["work_id"], set()).add(row["country"])
    last = max((r["year"] for r in held if r["year"]), default=0)
    found = []
    for row in held:
        if row["subfield"] and row["year"] and row["year"] > last - 10:
            places: list[str | None] = [*sorted(taking.get(row["work_id"], ()))] or [None]
            names, group = both(None, row["subfield"]), both(None, row["field"])
            for place in places:
                share = 1 / len(places)
                found.append(_row(place, row["subfield"], share, row["year"], row["work_id"], names, group))
    return found


_WORDS = re.compile(r"[“”\"]|重点专项|[（(].*?[)）]|第.批|定向项目|定向")


def _programmes(ctx: Context) -> list[dict[str, Any]]:
    """China's national key R&D projects by programme and province; variants of a programme's name are one."""
    found = []
    for row in caught_projects(ctx, (), load_places(ctx)):
        name = _WORDS.sub("", row["programme"] or "").strip().replace("网络协同制造与智能", "网络协同制造和智能")
        if name:
            names = both(name, name)
            found.append(_row(row["place"], name, 1.0, row["year"], row["project_id"], names, both("", "")))
    return found


def _patents(ctx: Context) -> list[dict[str, Any]]:
    """Granted patents by the technology of their first class and the country of the first assignee."""
    book = load_concordance(ctx)
    first: dict[str, str] = {}
    for row in ctx.rows("patent_class", ("patent_id", "scheme", "code", "number")).to_pylist():
        if row["scheme"] in {"IPC", "CPC"}:
            first.setdefault(row["patent_id"], row["code"])
    found = []
    for row in ctx.rows("patent", ("patent_id", "year", "country", "type"), type="utility").to_pylist():
        technology = book.technology_of(first.get(row["patent_id"], ""))
        if technology:
            names = book.technology_names[book.technology_at[technology]]
            found.append(_row(row["country"], technology, 1.0, row["year"], row["patent_id"], names, both("", "")))
    return found
