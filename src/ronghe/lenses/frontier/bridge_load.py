"""The concordances from science to technology to industry as matrices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import NoData
from ronghe.fielding.definition import Definition
from ronghe.i18n import LANGUAGES, has, translate
from ronghe.lenses.base import Context
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Concordance:
    """Shares from disciplines to technologies (d, t), technologies to industries (t, i), and classes to both.

    Attributes
    ----------
    prefixes : IPC prefix -> technology; the longest that fits counts.
    direct : (c, i) three-digit classes to industries.
    sectors : industry -> names of China's input-output sectors that lie in it.
    """

    disciplines: Sequence[str]
    technologies: Sequence[str]
    industries: Sequence[str]
    discipline_names: Sequence[Mapping[str, str]]
    technology_names: Sequence[Mapping[str, str]]
    industry_names: Sequence[Mapping[str, str]]
    science: Floats
    industry: Floats
    direct: Floats
    ipc: Sequence[str]
    prefixes: Mapping[str, str]
    sectors: Mapping[str, Sequence[Mapping[str, str]]]

    @cached_property
    def discipline_at(self) -> dict[str, int]:
        """Where each discipline stands."""
        return {c: i for i, c in enumerate(self.disciplines)}

    @cached_property
    def technology_at(self) -> dict[str, int]:
        """Where each technology stands."""
        return {c: i for i, c in enumerate(self.technologies)}

    @cached_property
    def industry_at(self) -> dict[str, int]:
        """Where each industry stands."""
        return {c: i for i, c in enumerate(self.industries)}

    @cached_property
    def ipc_at(self) -> dict[str, int]:
        """Where each three-digit class stands."""
        return {c: i for i, c in enumerate(self.ipc)}

    def technology_of(self, code: str) -> str | None:
        """The technology of one class by the longest prefix."""
        plain = code.replace(" ", "")
        best = max((p for p in self.prefixes if plain.startswith(p.replace(" ", ""))), key=len, default=None)
        return self.prefixes[best] if best else None

    def technologies_of(self, code: str) -> dict[int, float]:
        """The technologies of a class, shares summing to 1: one of a narrow class, those inside of a wide one."""
        narrow = self.technology_of(code)
        if narrow is not None:
            return {self.technology_at[narrow]: 1.0}
        inside = [self.prefixes[p] for p in self.prefixes if p.replace(" ", "").startswith(code.replace(" ", ""))]
        return {self.technology_at[t]: inside.count(t) / len(inside) for t in sorted(set(inside))}

    def cell(self, source: str, code: str, target: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Where one weight towards the industry of a row stands."""
        held = {"from_classification": source, "from_code": code, "to_classification": target}
        return held | ({"to_code": row["industry"]} if "industry" in row else {})


@dataclass(frozen=True)
class Route:
    """One field's way to technologies and industries.

    Attributes
    ----------
    disciplines : (d,) share of the field's topics in each discipline of science.
    science, classes : (t,) shares of technologies by either route; NaN where the field has none.
    technology : (t,) the mean of the routes there are. industry : (i,) technology times what each feeds.
    industry_science, industry_classes, direct : (i,) by either route, and by the table from classes to industries.
    class_of : technology -> the field's classes that lead there.
    """

    one: Definition
    disciplines: Floats
    science: Floats
    classes: Floats
    technology: Floats
    industry: Floats
    industry_science: Floats
    industry_classes: Floats
    direct: Floats
    class_of: Mapping[int, Sequence[str]]


def load_concordance(ctx: Context) -> Concordance:
    """Read the concordances of the snapshot.

    Raises
    ------
    NoData : they aren't in the lake.
    """
    where = {"from_classification": ("ASJC", "WIPO35", "IPC", "cn-io"), "to_classification": ("WIPO35", "NACE", "nace")}
    columns = (
        "from_classification",
        "from_version",
        "from_code",
        "to_classification",
        "to_version",
        "to_code",
        "weight",
    )
    rows = ctx.rows("crosswalk", columns, **where).to_pylist()
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        pairs.setdefault((row["from_classification"], row["to_classification"]), []).append(row)
    if ("ASJC", "WIPO35") not in pairs or ("WIPO35", "NACE") not in pairs:
        raise NoData("no_data", what="ASJC → WIPO35 → NACE", tables="crosswalk")
    names = _names(ctx)
    disciplines = sorted({r["from_code"] for r in pairs["ASJC", "WIPO35"]})
    technologies = sorted({r["from_code"] for r in pairs["WIPO35", "NACE"]})
    industries = sorted({r["to_code"] for r in pairs["WIPO35", "NACE"]})
    straight = pairs.get(("IPC", "NACE"), [])
    ipc = sorted({r["from_code"] for r in straight})
    return Concordance(
        disciplines, technologies, industries,
        [names.get(("ASJC", c), both(c, c)) for c in disciplines],
        [names.get(("WIPO35", c), both(c, c)) for c in technologies],
        [_industry_name(names, c) for c in industries],
        _matrix(pairs["ASJC", "WIPO35"], disciplines, technologies),
        _matrix(pairs["WIPO35", "NACE"], technologies, industries),
        _matrix(straight, ipc, industries), ipc,
        {r["from_code"]: r["to_code"] for r in pairs.get(("IPC", "WIPO35"), []) if r["to_code"] in technologies},
        _sectors(pairs.get(("cn-io", "nace"), []), industries, names),
    )  # fmt: skip


def _matrix(rows: Sequence[Mapping[str, Any]], first: Sequence[str], second: Sequence[str]) -> Floats:
    a, b = ({c: i for i, c in enumerate(codes)} for codes in (first, second))
    made = np.zeros((len(first), len(second)))
    for row in rows:
        if row["from_code"] in a and row["to_code"] in b:
            made[a[row["from_code"]], b[row["to_code"]]] += row["weight"]
    total = made.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(made, total, out=np.zeros_like(made), where=total > 0))


def _names(ctx: Context) -> dict[tuple[str, str], dict[str, str]]:
    """(classification, code) -> names; sectors of the latest input-output table under ``cn-io <version>``."""
    found = {}
    wanted = ("ASJC", "WIPO35", "NACE", "cn-io")
    columns = ("classification", "version", "code", "name_zh", "name_en")
    for row in ctx.rows("industry", columns, classification=wanted).to_pylist():
        key = row["classification"] if row["classification"] != "cn-io" else f"cn-io {row['version']}"
        found[key, row["code"]] = both(row["name_zh"], row["name_en"])
    return found


def _industry_name(names: Mapping[tuple[str, str], dict[str, str]], code: str) -> dict[str, str]:
    if has(f"nace.{code}"):
        return {lang: translate(lang, Text(f"nace.{code}")) for lang in LANGUAGES}
    return names.get(("NACE", code), both(code, code))


def _sectors(
    rows: Sequence[Mapping[str, Any]], industries: Sequence[str], names: Mapping[tuple[str, str], dict[str, str]]
) -> dict[str, list[dict[str, str]]]:
    """China's sectors of the latest table inside each division; groups of divisions read like ``B05-09``."""
    versions = sorted({r["from_version"] for r in rows})
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["from_version"] != versions[-1] or not row["to_code"][1:3].isdecimal():
            continue
        low = int(row["to_code"][1:3])
        high = int(row["to_code"][4:6]) if len(row["to_code"]) > 3 else low
        label = names.get((f"cn-io {versions[-1]}", row["from_code"]), both(row["from_code"], None))
        for code in industries:
            if low <= int(code) <= high:
                found.setdefault(code, []).append(label)
    return found
