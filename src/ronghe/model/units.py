"""Units: 万 and 亿, currencies, mass, people. A figure never travels without one."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from ronghe.model.text import both


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: ``factor`` of it make one ``base`` (1 万元 = 10,000 元)."""

    code: str
    dimension: str
    factor: float
    base: str
    name_zh: str
    name_en: str
    aliases: tuple[str, ...]

    @property
    def names(self) -> dict[str, str]:
        """The unit's name in both languages."""
        return both(self.name_zh, self.name_en)


@cache
def units() -> Mapping[str, Unit]:
    """Every unit by its code."""
    text = files("ronghe.model").joinpath("units.csv").read_text(encoding="utf-8")
    table: dict[str, Unit] = {}
    for row in csv.DictReader(text.splitlines()):
        table[row["code"]] = Unit(
            code=row["code"],
            dimension=row["dimension"],
            factor=float(row["factor"]),
            base=row["base"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            aliases=tuple(a for a in row["aliases"].split("|") if a),
        )
    return MappingProxyType(table)


@cache
def _by_name() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for unit in units().values():
        for name in (unit.code, unit.name_zh, *unit.aliases):
            if name:
                names.setdefault(name.casefold(), unit.code)
    return MappingProxyType(names)


def find_unit(text: str) -> str | None:
    """The code of a unit written as code, Chinese name or alias; ``None`` when it is none of them."""
    return _by_name().get(re.sub(r"\s+", "", text).casefold()) or _by_name().get(text.strip().casefold())


_UNIT_IN_HEADER = (
    r"[(（\[【]\s*(?:单位[:：])?\s*([^()（）\[\]【】]+?)\s*[)）\]】]\s*$",
    r"[/／,，]\s*([^/／,，]+)\s*$",
)


def unit_in_header(header: str) -> tuple[str, str | None]:
    """A header without its unit, and the unit's code.

    Knows ``营业收入(万元)``, ``产量（万吨）``, ``营业收入/亿元``, ``收入，万元`` and ``单位：万元``.

    Examples
    --------
    >>> unit_in_header("营业收入（万元）")
    ('营业收入', 'CNY_10k')
    >>> unit_in_header("名称")
    ('名称', None)
    """
    for pattern in (
        r"[(（\[【]\s*(?:单位[:：])?\s*([^()（）\[\]【】]+?)\s*[)）\]】]\s*$",
        r"[/／,，]\s*([^/／,，]+)\s*$",
    ):
        found = re.search(pattern, header)
        if found and (code := find_unit(found.group(1))):
            return header[: found.start()].strip(), code
    found = re.search(r"单位[:：]\s*(\S+)", header)
    if found and (code := find_unit(found.group(1))):
        return header[: found.start()].strip(), code
    return header.strip(), None


def conversion(source: str, target: str) -> float:
    """What a value in ``source`` is multiplied by to stand in ``target``.

    Raises
    ------
    ValueError : the two units measure different things, or one is unknown.
    """
    if source == target:
        return 1.0
    table = units()
    if source not in table or target not in table:
        raise ValueError(f"unknown unit {source if source not in table else target!r}")
    a, b = table[source], table[target]
    if a.dimension != b.dimension or a.dimension == "none":
        raise ValueError(f"{source} measures {a.dimension}, {target} measures {b.dimension}")
    return a.factor / b.factor
