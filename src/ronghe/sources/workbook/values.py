"""Texts of cells -> values of a contract's type, whole columns at a time.

Every function takes a text array and gives (values, bad): ``bad`` marks texts that are neither missing nor
a value. Plain texts go the fast way through Arrow; what remains is looked at once per distinct text.
"""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ronghe.model.table import TYPES
from ronghe.model.text import Text
from ronghe.model.units import conversion, find_unit
from ronghe.sources.base import wanted

EXPECTED: Mapping[str, Text] = MappingProxyType(
    {
        "float": wanted("float_cell"),
        "int": wanted("int_cell"),
        "bool": wanted("bool_cell"),
        "date": wanted("date_cell"),
        "time": wanted("time_cell"),
    }
)
"""What a rejected text should have been."""

_YES = frozenset({"是", "有", "对", "真", "√", "✓", "yes", "y", "true", "t", "1"})
_NO = frozenset({"否", "无", "没有", "错", "假", "×", "✗", "no", "n", "false", "f", "0"})
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日?)"
)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([, ])\d{3})(?:\1\d{3})*(?:\.\d+)?(?!\d)")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*)")
_CHINESE_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")


@dataclass(frozen=True, slots=True)
class Kind:
    """How the texts of one column are to be read.

    ``unit`` is what the file's figures are in, ``target`` what the contract wants; a unit written in the
    cell itself (12%, 3.5亿元) goes before ``unit``; without ``suffixes`` it is a fault, because another
    column states each row's unit.
    """

    type: str
    missing: tuple[str, ...]
    unit: str | None = None
    target: str | None = None
    timezone: str = "UTC"
    separator: str | None = None
    is_year: bool = False
    suffixes: bool = True


def fits(unit: str, target: str) -> bool:
    """Whether a value in one unit can be told in the other."""
    try:
        conversion(unit, target)
    except ValueError:
        return False
    return True


def plain(texts: pa.Array) -> pa.Array:
    """Texts without white space around them; full-width and fixed spaces become spaces."""
    if pc.any(pc.match_substring_regex(texts, "[\u00a0\u3000]")).as_py():
        texts = pc.replace_substring_regex(texts, "[\u00a0\u3000]", " ")
    return pc.utf8_trim_whitespace(texts)


def without_missing(texts: pa.Array, missing: Sequence[str]) -> pa.Array:
    """Plain texts with every mark of a missing value made null."""
    marks = pa.array(["", *missing], pa.string())
    return pc.if_else(pc.is_in(texts, marks), pa.scalar(None, pa.string()), texts)


def parse(texts: pa.Array, kind: Kind) -> tuple[pa.Array, pa.Array]:
    """Values and faults of one column of plain texts; a null text is a null value and no fault."""
    texts = without_missing(texts, kind.missing)
    if kind.type == "str":
        return texts, _none_bad(texts)
    if kind.type == "float":
        return _floats(texts, kind)
    target = TYPES[kind.type]
    if kind.type == "int":
        fast = _fast_cast(texts, target)
        if fast is not None:
            return fast, _none_bad(texts)
    reader = _READERS[kind.type]
    return _each(texts, target, lambda text: reader(text, kind))


def _none_bad(texts: pa.Array) -> pa.Array:
    return pa.repeat(pa.scalar(False), len(texts))


def _fast_cast(texts: pa.Array, target: pa.DataType) -> pa.Array | None:
    """The column cast at once, or None where some text isn't in the plainest form."""
    try:
        return texts.cast(target)
    except pa.ArrowInvalid:
        return None


def _floats(texts: pa.Array, kind: Kind) -> tuple[pa.Array, pa.Array]:
    exponent, factor = _scale(kind.unit, kind.target)
    scaled = texts
    if exponent:
        scaled = pc.binary_join_element_wise(texts, f"e{exponent}", "")
    fast = _fast_cast(scaled, pa.float64())
    if fast is not None and pc.all(pc.is_finite(fast)).as_py() is not False:
        return (pc.multiply(fast, factor) if factor != 1 else fast), _none_bad(texts)
    simple = pc.fill_null(pc.match_substring_regex(texts, r"^-?\d+(\.\d+)?$"), False)
    quick = pc.if_else(simple, scaled, pa.scalar(None, pa.string())).cast(pa.float64())
    if factor != 1:
        quick = pc.multiply(quick, factor)
    rest = pc.if_else(simple, pa.scalar(None, pa.string()), texts)
    slow, bad = _each(rest, pa.float64(), lambda text: _float(text, kind))
    return pc.coalesce(quick, slow), bad


def _scale(unit: str | None, target: str | None) -> tuple[int, float]:
    """A conversion as a power of ten, written into the number so that no rounding is added, and a factor."""
    factor = conversion(unit, target) if unit and target else 1.0
    exponent = round(math.log10(factor))
    return (exponent, 1.0) if math.isclose(factor, 10.0**exponent, rel_tol=1e-12) else (0, factor)


def _each(texts: pa.Array, target: pa.DataType, read: Callable[[str], Any]) -> tuple[pa.Array, pa.Array]:
    """Read each distinct text once; ``ValueError`` marks it bad, None says missing."""
    distinct = pc.unique(texts).drop_null()
    values: list[Any] = []
    bad: list[bool] = []
    for text in distinct.to_pylist():
        try:
            values.append(read(text))
            bad.append(False)
        except ValueError:
            values.append(None)
            bad.append(True)
    places = pc.index_in(texts, distinct)
    return (
        pa.array(values, target).take(places),
        pc.fill_null(pa.array(bad, pa.bool_()).take(places), False),
    )


def _narrow(text: str, kind: Kind) -> str | None:
    """One width for digits and signs; None when that turns out to be a mark of a missing value."""
    narrow = unicodedata.normalize("NFKC", text).strip()
    return None if not narrow or narrow in _narrow_marks(kind.missing) else narrow


@cache
def _narrow_marks(missing: tuple[str, ...]) -> frozenset[str]:
    return frozenset(unicodedata.normalize("NFKC", mark) for mark in missing)


def _decimal(text: str) -> tuple[Decimal, str]:
    """A number and what is written after it: thousands separators, signs and 约 are read."""
    text = re.sub(r"^(大约|约|≈|~)\s*", "", text).replace("−", "-").replace("‰", " ‰")
    grouped = _GROUPED.match(text)
    if grouped:
        digits = re.sub("[, ]", "", grouped.group())
        text = digits + text[grouped.end() :]
    found = _NUMBER.fullmatch(text.casefold())
    if not found:
        raise ValueError(text)
    try:
        return Decimal(found.group(1)), found.group(2).strip()
    except InvalidOperation as error:
        raise ValueError(text) from error


def _float(text: str, kind: Kind) -> float | None:
    narrow = _narrow(text, kind)
    if narrow is None:
        return None
    number, suffix = _decimal(narrow)
    unit = kind.unit
    if suffix in {"万", "亿"}:
        number = number.scaleb(4 if suffix == "万" else 8)
    elif suffix:
        unit = find_unit(suffix)
        if unit is None or not kind.suffixes or (kind.target is None and suffix not in {"%", "‰"}):
            raise ValueError(text)
    target = kind.target or ("ratio" if suffix in {"%", "‰"} else None)
    exponent, factor = _scale(unit, target)
    value = float(number.scaleb(exponent)) * factor
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _int(text: str, kind: Kind) -> int | None:
    narrow = _narrow(text, kind)
    if narrow is None:
        return None
    year = re.fullmatch(r"(.+?)\s*年(度|末|底)?", narrow)
    if year:
        narrow = year.group(1).translate(_CHINESE_DIGITS)
    elif kind.is_year and (day := _DATE.match(narrow)):
        return int(day.group(1))
    number, suffix = _decimal(narrow)
    if suffix or number != number.to_integral_value() or abs(number) >= 2**63:
        raise ValueError(text)
    return int(number)


def _bool(text: str, kind: Kind) -> bool | None:
    narrow = _narrow(text, kind)
    if narrow is None:
        return None
    word = narrow.casefold()
    if word not in _YES | _NO:
        raise ValueError(text)
    return word in _YES


def _date(text: str, kind: Kind) -> dt.date | None:
    narrow = _narrow(text, kind)
    if narrow is None:
        return None
    if re.fullmatch(r"(1[6-9]|2[01])\d{6}", narrow):
        return dt.date(int(narrow[:4]), int(narrow[4:6]), int(narrow[6:]))
    found = _DATE.match(narrow)
    if not found or not re.fullmatch(r"([ T]00:00(:00)?(\.0+)?)?", narrow[found.end() :]):
        raise ValueError(text)
    year, month, day = (int(group) for group in found.groups() if group)
    return dt.date(year, month, day)


def _time(text: str, kind: Kind) -> dt.datetime | None:
    narrow = _narrow(text, kind)
    if narrow is None:
        return None
    found = _DATE.match(narrow)
    if found:
        year, month, day = (int(group) for group in found.groups() if group)
        narrow = f"{year:04}-{month:02}-{day:02}{narrow[found.end() :]}"
    moment = dt.datetime.fromisoformat(narrow)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(kind.timezone))
    return moment.astimezone(dt.UTC)


def _list(text: str, kind: Kind) -> list[str]:
    parts = text.split(kind.separator) if kind.separator else re.split(r"[|;；、]", text)
    return [part.strip() for part in parts if part.strip()]


_READERS: dict[str, Callable[[str, Kind], Any]] = {
    "int": _int,
    "bool": _bool,
    "date": _date,
    "time": _time,
    "list": _list,
}
