"""In which province an institution stands: by matched organisations, laboratories, names, or place names.

The order is the order of trust; what none of them places stays unplaced and is counted as such.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ronghe.lenses.base import Context
from ronghe.model.regions import find_region

READS = ("laboratory", "organisation", "organisation_match", "region")
_UNIVERSITY = re.compile(r".{2,12}?大学")
_PLAIN = re.compile(r"[（(].*?[)）]|\s")


@dataclass(frozen=True)
class Places:
    """Institutions' names and the provinces they stand in; ``towns`` maps names of cities and provinces.

    A hospital or school of a university stands where the university does, unless it is known itself.
    """

    known: Mapping[str, str]
    towns: Mapping[str, str]
    pattern: re.Pattern[str]

    def of(self, institution: str | None) -> str | None:
        """The province of an institution by its written name."""
        if institution is None:
            return None
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
    for row in ctx.rows("laboratory", ("institution", "region")).to_pylist():
        if row["region"]:
            known[_PLAIN.sub("", row["institution"])] = row["region"]
    for row in ctx.rows("organisation_match", ("name", "org_id", "status")).to_pylist():
        if row["org_id"] in provinces and row["status"] != "rejected":
            known[_PLAIN.sub("", row["name"])] = provinces[row["org_id"]]
    towns = _towns(ctx)
    # The longest name first: 呼和浩特 before 呼和.
    ordered = sorted(towns, key=lambda t: (-len(t), t))
    return Places(known, towns, re.compile("|".join(map(re.escape, ordered)) or r"(?!)"))


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
