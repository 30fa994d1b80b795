"""In which province an institution stands: by matched organisations, laboratories, names, or place names.

The order, matches first, is the order of trust; what none of them places stays unplaced and is counted as such.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ronghe.lenses.base import Context
from ronghe.lenses.frontier.match_load import kept_matches
from ronghe.model.regions import find_region

READS = ("laboratory", "organisation", "organisation_match", "decision", "region")
_UNIVERSITY = re.compile(r".{2,12}?大学")
_CAMPUS = re.compile(r"大学[（(](.+?)[)）]")
_PLAIN = re.compile(r"[（(].*?[)）]|\s")


@dataclass(frozen=True)
class Places:
    """Institutions' names and the provinces they stand in; ``towns`` maps names of cities and provinces.

    A hospital or school of a university stands where the university does, unless it is known itself; a campus named in
    brackets stands there, or nowhere that is known.
    """

    known: Mapping[str, str]
    towns: Mapping[str, str]
    pattern: re.Pattern[str]

    def of(self, institution: str | None) -> str | None:
        """The province of an institution by its written name."""
        if institution is None:
            return None
        campus = _CAMPUS.search(institution)
        if campus is not None:
            town = self.pattern.match(campus.group(1))
            return self.towns[town.group()] if town else None
        plain = _PLAIN.sub("", institution)
        if plain in self.known:
            return self.known[plain]
        parent = _UNIVERSITY.match(plain)
        if parent and parent.group() in self.known:
            return self.known[parent.group()]
        found = self.pattern.search(plain)
        return self.towns[found.group()] if found else None


def load_places(ctx: Context) -> Places:
    """What the snapshot knows of institutions' places."""
    known: dict[str, str] = {}
    provinces: dict[str, str] = {}
    for row in ctx.rows("organisation", ("org_id", "name", "name_zh", "aliases", "region"), country="CHN").to_pylist():
        province = _province(row["region"])
        if province is not None:
            provinces[row["org_id"]] = province
            for name in (row["name_zh"], row["name"], *(row["aliases"] or ())):
                if name:
                    known.setdefault(_PLAIN.sub("", name), province)
    for name, province in _hosts(ctx).items():
        known.setdefault(name, province)
    for name, org in kept_matches(ctx).items():
        if org in provinces:
            known[_PLAIN.sub("", name)] = provinces[org]
    towns = _towns(ctx)
    # The longest name first: 呼和浩特 before 呼和.
    ordered = sorted(towns, key=lambda t: (-len(t), t))
    return Places(known, towns, re.compile("|".join(map(re.escape, ordered)) or r"(?!)"))


def _hosts(ctx: Context) -> dict[str, str]:
    """Where hosts of laboratories stand, by the laboratories that they host alone.

    A laboratory of several hosts has one place in the lists, which need not be each host's.
    """
    hosts: dict[str, set[tuple[str, str | None]]] = {}
    for row in ctx.rows("laboratory", ("name", "institution", "region")).to_pylist():
        hosts.setdefault(row["name"], set()).add((_PLAIN.sub("", row["institution"]), row["region"]))
    votes: dict[str, dict[str, int]] = {}
    for held in hosts.values():
        (name, province), *others = sorted(held, key=str)
        if province is not None and not others:
            votes.setdefault(name, {}).setdefault(province, 0)
            votes[name][province] += 1
    return {
        name: max(sorted(counts), key=lambda p: counts[p])
        for name, counts in votes.items()
        if len(counts) == 1 or sorted(counts.values())[-1] > sorted(counts.values())[-2]
    }


def _province(code: str | None) -> str | None:
    if code is None:
        return None
    return _of_code(code)


@lru_cache(maxsize=4096)
def _of_code(code: str) -> str | None:
    found = find_region(code) or code
    return found if re.fullmatch(r"CN-\d\d", found) else None


def _towns(ctx: Context) -> dict[str, str]:
    """Names of provinces and cities, full and short, of two letters or more."""
    towns: dict[str, str] = {}
    rows: list[dict[str, Any]] = ctx.rows("region", ("region", "level", "parent", "name_zh", "aliases")).to_pylist()
    for row in sorted(rows, key=lambda r: (r["level"] != "province", r["region"])):
        place = {"province": row["region"], "city": row["parent"]}.get(row["level"])
        if place is None or not place.startswith("CN-"):
            continue
        for name in (row["name_zh"], *(row["aliases"] or ())):
            if name and len(name) >= 2 and "㐀" <= name[0] <= "鿿":
                towns.setdefault(name, place)
    return towns
