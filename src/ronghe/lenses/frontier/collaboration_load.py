"""Who took part in what: organisations in works, participants in projects, countries in joint works."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from ronghe.fielding.definition import Definition
from ronghe.kernels.collaboration import counts, incidence, ties
from ronghe.lenses.base import Context
from ronghe.lenses.frontier.field_load import NO_RESEARCH, caught_works
from ronghe.lenses.params import place_names
from ronghe.model.text import both

Floats = NDArray[np.float64]
HELIX = ("university", "firm", "institute")
TABLES = {"works": "authorship", "projects": "participation", "countries": "collaboration"}
LIMIT = 60
_AHEAD = 5
_HIDDEN = 0.25
_SEED = 7
_TIED = 20.0
_TYPES = {
    "education": "university", "HES": "university", "company": "firm", "PRC": "firm", "facility": "institute",
    "REC": "institute", "government": "institute", "PUB": "institute", "healthcare": "institute",
    "funder": "institute", "nonprofit": "other", "archive": "other", "other": "other", "OTH": "other",
}  # fmt: skip


@dataclass(frozen=True)
class Web:
    """A network of partners.

    Attributes
    ----------
    ids, names : (n,) partners. kind : (n,) ``university``, ``firm``, ``institute``, ``other`` or ``country``.
    country : (n,) codes. joint : (n, n) fractional joint works. size : (n,) fractional works. full : (n,) whole works.
    past, later : (n, n) joint works of the two periods for the test; ``split`` says how they were parted.
    helix : (2, 2, 2) works by university, firm, institute; ``None`` for countries.
    events : (work, partner) as listed, for traces. too_long : works left out for having over LIMIT partners.
    unnamed : share of affiliations without a known organisation.
    """

    what: str
    ids: Sequence[str]
    names: Sequence[Mapping[str, str]]
    kind: Sequence[str]
    country: Sequence[str]
    joint: csr_array
    size: Floats
    full: Floats
    past: csr_array
    later: csr_array
    split: str
    helix: Floats | None
    events: Mapping[int, frozenset[str]]
    too_long: int
    unnamed: float

    @property
    def whole(self) -> csr_array:
        """(n, n) joint works, each counting once in every pair."""
        return self.joint if self.what == "countries" else csr_array(self.past + self.later)

    def shared(self, i: int, j: int) -> tuple[str, ...]:
        """The works or projects of both partners."""
        return tuple(sorted(self.events.get(i, frozenset()) & self.events.get(j, frozenset())))[:200]

    def cells(self, i: int, j: int) -> dict[str, Any]:
        """The lake's rows behind a tie."""
        if self.what == "countries":
            a, b = sorted((self.ids[i], self.ids[j]))
            return {"region": a, "partner": b}
        key = "work_id" if self.what == "works" else "project_id"
        return {key: self.shared(i, j), "org_id": (self.ids[i], self.ids[j])}


def load_web(ctx: Context, what: str, field: Definition | None) -> Web:
    """The network of one kind.

    Raises
    ------
    NoData : none of it in the lake.
    """
    return {"works": _works, "projects": _projects}[what](ctx, field) if what != "countries" else _countries(ctx)


def _works(ctx: Context, field: Definition | None) -> Web:
    kept: dict[str, int | None] = {}
    if field is None:
        works = ctx.table("work")
        works = works.filter(~works["retracted"].fill_null(False) & ~works["type"].fill_null("").isin(NO_RESEARCH))
        found = ctx.fetch(works.select("work_id", "year").order_by("work_id"))
    else:
        found = caught_works(ctx, (field,)).select(["work_id", "year"])
    kept = dict(zip(found.column("work_id").to_pylist(), found.column("year").to_pylist(), strict=True))
    rows = ctx.table("authorship").select("work_id", "org_id", "org_name", "org_type", "country")
    listed = [r for r in ctx.fetch(rows.distinct().order_by(["work_id", "org_id"])).to_pylist() if r["work_id"] in kept]
    if not listed:
        raise ctx.nothing("authorship")
    named = [r for r in listed if r["org_id"]]
    made = [
        {"event": r["work_id"], "id": r["org_id"], "name": r["org_name"], "kind": _TYPES.get(r["org_type"], "other"),
         "country": r["country"] or "", "year": kept[r["work_id"]]}
        for r in named
    ]  # fmt: skip
    last = max((r["year"] for r in made if r["year"]), default=0)
    return _web("works", made, lambda r: (r["year"] or 0) > last - _AHEAD, str(last - _AHEAD),
                1 - len(named) / len(listed))  # fmt: skip


def _projects(ctx: Context, field: Definition | None) -> Web:
    columns = ("project_id", "org_id", "name", "activity", "country", "programme")
    rows = ctx.rows("participation", columns).to_pylist()
    if field is not None:
        called = {r["project_id"] for r in ctx.rows("project", ("project_id", "programme")).to_pylist()
                  if field.has_programme(r["programme"])}  # fmt: skip
        rows = [r for r in rows if r["project_id"] in called]
    if not rows:
        raise ctx.nothing("participation")
    made = [
        {"event": r["project_id"], "id": r["org_id"], "name": r["name"], "kind": _TYPES.get(r["activity"], "other"),
         "country": r["country"] or "", "year": None}
        for r in rows
    ]  # fmt: skip
    projects = sorted({r["event"] for r in made})
    rng = np.random.default_rng(_SEED)
    hidden = {projects[i] for i in rng.permutation(len(projects))[: int(_HIDDEN * len(projects))]}
    return _web("projects", made, lambda r: r["event"] in hidden, "", 0.0)


def _web(what: str, rows: Sequence[Mapping[str, Any]], is_later: Any, split: str, unnamed: float) -> Web:
    ids = sorted({r["id"] for r in rows})
    events = sorted({r["event"] for r in rows})
    at, to = ({v: i for i, v in enumerate(vs)} for vs in (ids, events))
    first: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        first.setdefault(row["id"], row)
    partner = np.array([at[r["id"]] for r in rows], dtype=np.int64)
    event = np.array([to[r["event"]] for r in rows], dtype=np.int64)
    late = np.array([bool(is_later(r)) for r in rows])
    a = incidence(event, partner, len(events), len(ids))
    whole = ties(a, limit=LIMIT)
    parts = [
        ties(incidence(event[m], partner[m], len(events), len(ids)), limit=LIMIT, fractional=False).joint
        for m in (~late, late)
    ]
    taking: dict[int, set[str]] = {}
    for row in rows:
        taking.setdefault(at[row["id"]], set()).add(row["event"])
    return Web(
        what, ids, [both(None, first[i]["name"] or i) for i in ids], [first[i]["kind"] for i in ids],
        [first[i]["country"] for i in ids], whole.joint, counts(a), counts(a, fractional=False), parts[0], parts[1],
        split, _helix(rows, events), {k: frozenset(v) for k, v in taking.items()}, whole.too_long, unnamed,
    )  # fmt: skip


def _helix(rows: Sequence[Mapping[str, Any]], events: Sequence[str]) -> Floats:
    """How many works or projects bring together which of university, firm and institute."""
    sides: dict[str, set[str]] = {e: set() for e in events}
    for row in rows:
        sides[row["event"]].add(row["kind"])
    cells = np.zeros((2, 2, 2))
    for held in sides.values():
        index = tuple(int(h in held) for h in HELIX)
        if any(index):
            cells[index] += 1
    return cells


def _countries(ctx: Context) -> Web:
    rows = ctx.rows("collaboration", ("region", "partner", "year", "works")).to_pylist()
    if not rows:
        raise ctx.nothing("collaboration")
    last = max(r["year"] for r in rows)
    ids = sorted({r["region"] for r in rows} | {r["partner"] for r in rows})
    at = {v: i for i, v in enumerate(ids)}
    own = np.zeros(len(ids))
    for row in rows:
        if row["region"] == row["partner"] and row["year"] > last - _AHEAD:
            own[at[row["region"]]] += row["works"]
    pairs = [r for r in rows if r["region"] != r["partner"]]
    joint = _matrix(pairs, at, last - _AHEAD, last, 0.0)
    past, later = (
        _matrix(pairs, at, last - 2 * _AHEAD, last - _AHEAD, _TIED),
        _matrix(pairs, at, last - _AHEAD, last, _TIED),
    )
    return Web("countries", ids, [place_names(i) for i in ids], ["country"] * len(ids), ids, joint, own, own, past,
               later, str(last - _AHEAD), None, {}, 0, 0.0)  # fmt: skip


def _matrix(
    rows: Sequence[Mapping[str, Any]], at: Mapping[str, int], after: int, until: int, least: float
) -> csr_array:
    """Joint works of the years after one and up to another, both ways; ties below the least are none."""
    held = [(at[r["region"]], at[r["partner"]], r["works"]) for r in rows if after < r["year"] <= until]
    n = len(at)
    i, j, v = (np.array([h[k] for h in held], dtype=np.float64) for k in range(3))
    made = coo_array((v, (i.astype(np.int64), j.astype(np.int64))), shape=(n, n)).tocsr()
    made.data[made.data < least] = 0.0
    made.eliminate_zeros()
    return csr_array(made + made.T)
