"""What the allocation of research is computed from: citations between fields, works, weights in consumption."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, NoData
from ronghe.lenses.base import Context
from ronghe.lenses.frontier.bridge_load import load_concordance
from ronghe.lenses.frontier.citation_load import Science, load_science, whole_year
from ronghe.lenses.frontier.field_load import country_shares
from ronghe.model.text import both

Floats = NDArray[np.float64]
ENOUGH = 30
OTHER = "other"


@dataclass(frozen=True)
class Network:
    """Fields of science that build on each other, in the order of their names; ``other`` gathers the small ones.

    Attributes
    ----------
    names : (n,) in both languages. members : field -> the names that the works bear.
    cites : (n, n) citations from works of a field to works of a field, in the lake.
    works : (n,) fractional works of the region asked about (of all without one) in the window.
    abroad : (n,) share of its citations that lead to works in which the region has no part; 0 without a region.
    beta : (n,) weights in consumption. beta_from : ``industry``, ``works`` or ``equal``.
    pairs : (citing field, cited field) -> citing and cited works, for traces.
    """

    fields: Sequence[str]
    names: Sequence[Mapping[str, str]]
    members: Mapping[str, Sequence[str]]
    cites: Floats
    works: Floats
    abroad: Floats
    beta: Floats
    beta_from: str
    years: tuple[int, int]
    pairs: Mapping[tuple[int, int], Sequence[tuple[str, str]]]
    items: Mapping[int, Mapping[str, float]]
    coverage: float

    @property
    def omega(self) -> Floats:
        """(n, n) citation shares, rows summing to 1; a field that cites nothing in the lake cites itself."""
        total = self.cites.sum(axis=1, keepdims=True)
        return np.where(total > 0, self.cites / np.where(total > 0, total, 1.0), np.eye(len(self.fields)))

    @property
    def actual(self) -> Floats:
        """(n,) shares of the region's works."""
        return np.asarray(self.works / self.works.sum())


def load_network(ctx: Context, region: str | None, window: int, consumed: str) -> Network:
    """Read the network.

    Raises
    ------
    NoData : no works, or none of the region; no concordance or table for ``industry``.
    AskError : fewer than two fields cite often enough.
    """
    science = load_science(ctx)
    parts = _parts(ctx, region)
    kept, of_field = _groups(science)
    if len(kept) < 2:
        raise AskError("allocation_few", least=ENOUGH, fields=kept)
    at = {f: i for i, f in enumerate(kept)}
    group = np.array([at.get(of_field.get(r["field"] or "", ""), -1) for r in science.rows])
    by_year: dict[int, float] = {}
    for value in science.year[science.usable].tolist():
        by_year[int(value)] = by_year.get(int(value), 0.0) + 1
    last = whole_year(by_year)
    items = _works(science, group, parts, (last - window + 1, last))
    works = np.array([sum(items.get(i, {}).values()) for i in range(len(kept))])
    if not works.sum():
        raise NoData("no_data", what=region or "work", tables="work, authorship")
    cites, pairs, abroad = _citations(science, group, len(kept), parts if region else None)
    members: dict[str, list[str]] = {}
    for name, field in sorted(of_field.items()):
        members.setdefault(field, []).append(name)
    names = _names(ctx, kept)
    beta, beta_from = _beta(ctx, consumed, kept, members, works)
    return Network(kept, names, members, cites, works, abroad, beta, beta_from, (last - window + 1, last), pairs,
                   items, science.coverage)  # fmt: skip


def _parts(ctx: Context, region: str | None) -> dict[str, float] | None:
    """The region's part in each work; ``None`` without a region."""
    if region is None:
        return None
    rows = country_shares(ctx).to_pylist()
    return {r["work_id"]: r["share"] for r in rows if r["country"] == region}


def _groups(science: Science) -> tuple[list[str], dict[str, str]]:
    """The fields with citations enough, the others gathered; and where each field's name went."""
    out: dict[str, int] = {}
    for a, b in zip(science.citing.tolist(), science.cited.tolist(), strict=True):
        one, two = science.rows[a]["field"], science.rows[b]["field"]
        if one and two and science.usable[a] and science.usable[b]:
            out[one] = out.get(one, 0) + 1
    everyone = sorted({r["field"] for r in science.rows if r["field"]})
    large = [f for f in everyone if out.get(f, 0) >= ENOUGH]
    of_field = {f: f if f in large else OTHER for f in everyone}
    rest = [f for f in everyone if f not in large]
    return [*large, *([OTHER] if rest else [])], of_field


def _works(
    science: Science, group: NDArray[np.int64], parts: Mapping[str, float] | None, years: tuple[int, int]
) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    for k in np.flatnonzero(science.usable & (group >= 0)).tolist():
        if years[0] <= science.year[k] <= years[1]:
            part = 1.0 if parts is None else parts.get(science.ids[k], 0.0)
            if part:
                found.setdefault(int(group[k]), {})[science.ids[k]] = part
    return found


def _citations(
    science: Science, group: NDArray[np.int64], n: int, parts: Mapping[str, float] | None
) -> tuple[Floats, dict[tuple[int, int], list[tuple[str, str]]], Floats]:
    """Counts between fields by everyone; and of the region's own works, the share that leads abroad."""
    cites = np.zeros((n, n))
    pairs: dict[tuple[int, int], list[tuple[str, str]]] = {}
    own, away = np.zeros(n), np.zeros(n)
    for a, b in zip(science.citing.tolist(), science.cited.tolist(), strict=True):
        i, j = int(group[a]), int(group[b])
        if i < 0 or j < 0 or a == b or not (science.usable[a] and science.usable[b]):
            continue
        cites[i, j] += 1
        held = pairs.setdefault((i, j), [])
        if len(held) < 200:
            held.append((science.ids[a], science.ids[b]))
        if parts is not None and science.ids[a] in parts:
            own[i] += 1
            away[i] += science.ids[b] not in parts
    return cites, pairs, np.divide(away, own, out=np.zeros(n), where=own > 0)


def _names(ctx: Context, kept: Sequence[str]) -> list[dict[str, str]]:
    """Chinese names of the disciplines where the lake has them."""
    rows = ctx.rows("industry", ("name_zh", "name_en"), classification="ASJC").to_pylist()
    known = {r["name_en"]: both(r["name_zh"], r["name_en"]) for r in rows}
    other = both("其余领域", "other fields")
    return [other if f == OTHER else known.get(f, both(None, f)) for f in kept]


def _beta(
    ctx: Context, consumed: str, kept: Sequence[str], members: Mapping[str, Sequence[str]], works: Floats
) -> tuple[Floats, str]:
    if consumed == "industry":
        return _by_industry(ctx, kept, members), "industry"
    if consumed == "equal":
        return np.full(len(kept), 1.0 / len(kept)), "equal"
    return np.asarray(works / works.sum()), "works"


def _by_industry(ctx: Context, kept: Sequence[str], members: Mapping[str, Sequence[str]]) -> Floats:
    """Value added of China's latest table, carried back to the fields whose papers its industries draw on.

    An industry's value added is shared among disciplines as they share in what feeds it, each discipline alike large.
    """
    book = load_concordance(ctx)
    added = _value_added(ctx)
    weight = book.science @ book.industry
    by_discipline = np.zeros(len(book.disciplines))
    for code, value in added.items():
        inside = [i for i, c in enumerate(book.industries) if within_group(c, code)]
        share = weight[:, inside].sum(axis=1)
        if share.sum():
            by_discipline += value * share / share.sum()
    names = [n["en"] for n in book.discipline_names]
    field_of = {name: field for field, held in members.items() for name in held}
    beta = np.zeros(len(kept))
    for name, value in zip(names, by_discipline.tolist(), strict=True):
        field = field_of.get(name, OTHER if OTHER in kept else None)
        if field is not None:
            beta[list(kept).index(field)] += value
    if not beta.sum():
        raise NoData("no_data", what="ASJC → NACE → value added", tables="crosswalk, io_cell")
    return np.asarray(beta / beta.sum())


def within_group(division: str, group: str) -> bool:
    """Whether a division (``26``) lies in a group (``C26``, ``B05-09``)."""
    low = group[1:3]
    high = group[4:6] if len(group) > 3 else low
    return low.isdecimal() and int(low) <= int(division) <= int(high)


def _value_added(ctx: Context) -> dict[str, float]:
    """Value added by group of divisions, of the latest Chinese table that the crosswalk knows.

    Raises
    ------
    NoData : no such table or no crosswalk.
    """
    rows = ctx.rows("crosswalk", ("from_version", "from_code", "to_code"), from_classification="cn-io",
                    to_classification="nace").to_pylist()  # fmt: skip
    tables = ctx.rows("io_table", ("table_id", "year", "version", "classification")).to_pylist()
    versions = {r["from_version"] for r in rows}
    known = sorted((t["year"], t["table_id"], t["version"]) for t in tables
                   if t["classification"] == "cn-io" and t["version"] in versions)  # fmt: skip
    if not known:
        raise NoData("no_data", what="cn-io → nace", tables="crosswalk, io_table")
    _, table, version = known[-1]
    groups: dict[str, list[str]] = {}
    for row in rows:
        if row["from_version"] == version:
            groups.setdefault(row["from_code"], []).append(row["to_code"])
    found: dict[str, float] = {}
    for cell in ctx.rows("io_cell", ("col", "value"), table_id=table, block="V").to_pylist():
        for code in groups.get(cell["col"], ()):
            found[code] = found.get(code, 0.0) + cell["value"] / len(groups[cell["col"]])
    return found


def pieces(network: Network, i: int, j: int) -> dict[str, Any]:
    """The citations from one field to another as cells of the lake."""
    held = network.pairs.get((i, j), ())
    return {"citing": tuple(dict.fromkeys(a for a, _ in held)), "cited": tuple(dict.fromkeys(b for _, b in held))}
