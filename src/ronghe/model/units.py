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


FLOW_MEANS = frozenset({"USD_per_flow"})
"""Units of means over single trade flows (one partner, one year): such values are no totals."""
_TRILLION = 1e12
_SMALL = 0.1
_STEPS: Mapping[str, Mapping[str, tuple[tuple[float, str], ...]]] = {
    "CNY": {
        "zh": ((_TRILLION, "万亿元"), (1e8, "亿元"), (1e4, "万元"), (1.0, "元")),
        "en": ((_TRILLION, "trillion yuan"), (1e9, "billion yuan"), (1e6, "million yuan"), (1e3, "thousand yuan"),
               (1.0, "yuan")),
    },
    "USD": {
        "zh": ((_TRILLION, "万亿美元"), (1e8, "亿美元"), (1e4, "万美元"), (1.0, "美元")),
        "en": ((_TRILLION, "trillion US dollars"), (1e9, "billion US dollars"), (1e6, "million US dollars"),
               (1e3, "thousand US dollars"), (1.0, "US dollars")),
    },
    "person_year": {
        "zh": ((1e4, "万人年"), (1.0, "人年")),
        "en": ((1e6, "million person-years"), (1e3, "thousand person-years"), (1.0, "person-years")),
    },
    "tonne_co2": {
        "zh": ((1e8, "亿吨二氧化碳"), (1e4, "万吨二氧化碳"), (1.0, "吨二氧化碳")),
        "en": ((1e9, "billion tonnes of CO2"), (1e6, "million tonnes of CO2"), (1e3, "thousand tonnes of CO2"),
               (1.0, "tonnes of CO2")),
    },
}  # fmt: skip


def amount(value: float, unit: str) -> dict[str, str]:
    """A figure with its unit as a sentence says it: money, work and CO2 in the unit in which it is read most easily.

    Trillions begin at ten, so that a range seldom crosses into them.

    Examples
    --------
    >>> amount(76_343_809, "CNY_10k")
    {'zh': '7,634亿元', 'en': '763 billion yuan'}
    >>> amount(0, "USD_m")
    {'zh': '0美元', 'en': '0 US dollars'}
    """
    return _said((value,), unit, "", "")


def amounts(low: float, high: float, unit: str) -> dict[str, str]:
    """A range with its unit as a sentence says it, both ends in the unit that suits the larger, if it can.

    Examples
    --------
    >>> amounts(26_683, 911_747, "CNY_10k")
    {'zh': '2.67至91.2亿元', 'en': '0.267 to 9.12 billion yuan'}
    """
    return _said((low, high), unit, "至", " to ")


def _said(values: tuple[float, ...], unit: str, and_zh: str, and_en: str) -> dict[str, str]:
    found = units()[unit]
    joined = {"zh": and_zh, "en": and_en}
    said = {}
    for lang, own in found.names.items():
        size, called = 1.0, f" {own}"
        if found.base in _STEPS:
            most = max(abs(v) for v in values) * found.factor
            steps = _STEPS[found.base][lang]
            size, name = next(((z, n) for z, n in steps if most >= z * (10 if z == _TRILLION else 0.9995)), steps[-1])
            size, called = size / found.factor, name if lang == "zh" else f" {name}"
            if 0.0 < min(abs(v) for v in values) / size < _SMALL:
                said[lang] = joined[lang].join(_said((v,), unit, "", "")[lang] for v in values)
                continue
        said[lang] = joined[lang].join(_three_digits(v / size) for v in values) + called
    return both(said["zh"], said["en"])


def _three_digits(value: float) -> str:
    if value == 0 or abs(value) >= 99.95:
        return f"{value:,.0f}"
    if abs(value) < 0.9995:
        return f"{value:.3g}" if abs(value) >= 1e-4 else "0"
    return f"{value:.{1 if abs(value) >= 9.995 else 2}f}"


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
