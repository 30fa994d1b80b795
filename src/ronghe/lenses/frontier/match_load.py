"""What the lenses on matches read: registers of organisations, and the columns of the lake that name organisations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa

from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.base import Context
from ronghe.lenses.params import Choice, Named
from ronghe.model.regions import find_region
from ronghe.model.table import contract
from ronghe.model.text import both
from ronghe.resolve.match import TABLE as MATCHES
from ronghe.resolve.match import Rulings
from ronghe.resolve.names import normalise
from ronghe.sources.registry import datasets

NOWHERE = "WLD"
"""The country of a file's names that come without one: anywhere in the world."""
_COLUMNS = ("org_id", "name", "name_zh", "name_en", "aliases", "acronyms", "country", "status", "parent")


@dataclass(frozen=True, slots=True)
class Place:
    """A column of the lake in which organisations are named.

    ``country``: the column that says the country, or a region within it. ``code``: the column with an organisation's
    id. ``where``: column -> the value that its rows must have.
    """

    table: str
    name: str
    country: str | None = None
    code: str | None = None
    where: Mapping[str, str] | None = None

    @property
    def key(self) -> str:
        """``table.column``."""
        return f"{self.table}.{self.name}"


PLACES: Mapping[str, Place] = {
    place.key: place
    for place in (
        Place("authorship", "org_name", "country", "org_id"),
        Place("laboratory", "institution", "region"),
        Place("organisation", "name", "country"),
        Place("participation", "name", "country"),
        Place("patent_party", "name", "country", where={"kind": "organisation"}),
        Place("project", "institution", "region"),
        Place("provider", "name_en", "country", where={"provider_type": "firm"}),
        Place("firm", "name_zh", "region"),
        Place("firm", "name_en", "region"),
    )
}
READS = (*dict.fromkeys(p.table for p in PLACES.values()), "organisation_match", "decision")


class Register(Named):
    """A dataset that lists organisations, against which names are matched."""

    code = "unknown_register"
    reads = ("organisation",)

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The datasets that brought organisations."""
        held = sorted({o.dataset for o in snapshot.loads if o.rows.get("organisation")})
        return [Choice(name, _titles(name)) for name in held]


REGISTER = Register("ror")


def _titles(name: str) -> dict[str, str]:
    known = datasets()
    return dict(known[name].title) if name in known else both(None, name)


class NamesOf(Named):
    """Where names stand: a ``table.column`` of the lake, or a file whose names were brought in."""

    code = "unknown_names"
    reads = READS

    @classmethod
    def parse(cls, text: str) -> Self:
        """As written, without blanks around."""
        return cls(text.strip())

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The columns that hold something, and the files."""
        filled = {name for o in snapshot.loads for name, rows in o.rows.items() if rows}
        held = [Choice(p.key, _heading(p)) for p in PLACES.values() if p.table in filled]
        if MATCHES in filled:
            said = snapshot.distinct(MATCHES, ("source",)).column("source").to_pylist()
            held += [Choice(name, both(None, name)) for name in said if name not in PLACES]
        return held


def _heading(place: Place) -> dict[str, str]:
    table, column = contract(place.table), contract(place.table).column(place.name)
    return {
        "zh": f"{table.names['zh']} · {column.names['zh']}",
        "en": f"{table.names['en']} · {column.names['en']}",
    }


def load_register(ctx: Context, register: str) -> pa.Table:
    """The organisations of one dataset.

    Raises
    ------
    NoData : that dataset brought none.
    """
    rows = ctx.rows("organisation", _COLUMNS)
    loads = [o.load for o in ctx.snapshot.loads if o.dataset == register]
    rows = rows.filter(pa.compute.is_in(rows.column("_load"), pa.array(loads, pa.string())))
    if not rows.num_rows:
        raise ctx.nothing("organisation")
    return rows


def load_names(ctx: Context, names: str, register: str) -> pa.Table:
    """The names to be matched, each once a country: ``name``, ``country``, ``code``, ``source``, ``rows``.

    Raises
    ------
    NoData : there are none.
    """
    place = PLACES.get(names)
    rows = _of_file(ctx, names) if place is None else _of_column(ctx, place, register)
    if not rows:
        raise ctx.nothing(names)
    return pa.Table.from_pylist(
        [{"source": names, **row} for row in rows],
        schema=pa.schema([("source", pa.string()), ("name", pa.string()), ("country", pa.string()),
                          ("code", pa.string()), ("rows", pa.int64())]),
    )  # fmt: skip


def _of_file(ctx: Context, names: str) -> list[dict[str, Any]]:
    rows = ctx.rows(MATCHES, ("name", "country", "rows"), source=names).to_pylist()
    listed = [
        {"name": r["name"], "country": "" if r["country"] == NOWHERE else r["country"], "code": None,
         "rows": r["rows"] or 1}
        for r in rows
    ]  # fmt: skip
    return sorted(listed, key=lambda r: (-r["rows"], r["name"], r["country"]))


def _of_column(ctx: Context, place: Place, register: str) -> list[dict[str, Any]]:
    rows = ctx.table(place.table)
    rows = rows.filter(rows[place.name].notnull())
    for column, value in (place.where or {}).items():
        rows = rows.filter(rows[column] == value)
    if place.table == "organisation":
        # A register's own names are the ones that others are matched with.
        own = [o.load for o in ctx.snapshot.loads if o.dataset == register]
        rows = rows.filter(~rows["_load"].isin(own))
    asked = [c for c in (place.name, place.country, place.code) if c is not None]
    counted = ctx.fetch(rows.group_by(asked).aggregate(rows=rows.count())).to_pylist()
    held: dict[tuple[str, str, str | None], int] = {}
    for row in counted:
        country = _country(row[place.country]) if place.country else ""
        key = (row[place.name].strip(), country, row[place.code] if place.code else None)
        held[key] = held.get(key, 0) + row["rows"]
    return [
        {"name": name, "country": country, "code": code, "rows": n}
        for (name, country, code), n in sorted(held.items(), key=lambda p: (-p[1], p[0][0], p[0][1], p[0][2] or ""))
        if name
    ]


def _country(code: str | None) -> str:
    """The country of a region's code, empty where it isn't known."""
    if not code:
        return ""
    found = find_region(code) or code
    return "CHN" if found.startswith("CN-") else found if len(found) == 3 and found.isalpha() else ""


def kept_matches(ctx: Context) -> dict[str, str]:
    """Written name, normalised -> organisation: what is kept in the lake, under what users decided since."""
    held: dict[str, str] = {}
    for row in ctx.rows(MATCHES, ("name", "org_id", "score")).to_pylist():
        if row["org_id"]:
            held[normalise(row["name"])] = row["org_id"]
    return Rulings(decided(ctx)).over(held)


def decided(ctx: Context) -> pa.Table:
    """What users decided about matches."""
    return ctx.rows("decision", ("decision_id", "at", "kind", "table", "subject", "new"), table=MATCHES)
