"""Shocks as one writes them, keeps them in a file and passes them on: what stops, by how much, from when to when.

One line:  ``eto_chips:N32 from=JPN loss=1.0 start=0 end=8 recovery=4; sector:094 loss=0.2``

    <chain>:<step>   an input of a supply chain; ``from=`` names countries or firms (``+`` between several)
    product:<code>   a traded product: every input of a chain that trade records under it, by its share there
    sector:<code>    a sector of the economy's table
    region:<code>    every sector of a country of the world table, or ``region:JPN/c14`` for one of them
    firm:<code>      a firm of the network

``loss`` lies between 0 and 1 (1 when left out). ``start`` and ``end`` are weeks from the beginning (0; to the last
week when ``end`` is left out); from ``end`` on supply comes back over ``recovery`` weeks.

As TOML, where weeks may be dates:

    begin = 2026-01-05
    [[shock]]
    of = "eto_chips:N32"
    from = ["JPN", "NLD"]
    loss = 0.8
    start = 2026-01-19
    recovery = 4

Either is read into one canonical line, which is the parameter's value: the same shocks have the same finding.
"""

import datetime as dt
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ronghe.errors import AskError, UnknownName
from ronghe.lenses.params import Named

KINDS = ("product", "sector", "region", "firm")
_TOML_LINE = re.compile(r"\s*(\[|#|[\w\"'-]+\s*=)")
"""A table, a comment or a key: no line of shocks begins like that, for each begins with what is shocked."""
_KEYS = ("of", "from", "loss", "start", "end", "recovery")


@dataclass(frozen=True, slots=True)
class Shock:
    """One shock. ``kind`` is ``step``, ``product``, ``sector``, ``region`` or ``firm``; ``chain`` is empty but for
    a step.

    ``end`` is ``None`` where the shock lasts to the horizon. Weeks count from 0.
    """

    kind: str
    code: str
    chain: str = ""
    source: tuple[str, ...] = ()
    loss: float = 1.0
    start: int = 0
    end: int | None = None
    recovery: int = 0

    @property
    def subject(self) -> str:
        """What is shocked, as it is written."""
        return f"{self.chain or self.kind}:{self.code}"

    def line(self) -> str:
        """The canonical text."""
        parts = [shlex.quote(self.subject)]
        if self.source:
            parts.append(f"from={shlex.quote('+'.join(self.source))}")
        parts.append(f"loss={self.loss:.12g}")
        if self.start:
            parts.append(f"start={self.start}")
        if self.end is not None:
            parts.append(f"end={self.end}")
        if self.recovery:
            parts.append(f"recovery={self.recovery}")
        return " ".join(parts)

    def weeks(self, steps: int) -> tuple[int, int]:
        """First week, and first week of recovery, within the horizon."""
        return min(self.start, steps), min(steps if self.end is None else self.end, steps)


class Shocks(Named):
    """A list of shocks; the value is their canonical text."""

    file_flag: ClassVar[str] = "file"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The canonical text of a shock string or of TOML.

        Raises
        ------
        AskError : it can't be read; says which part and what was expected.
        """
        return cls("; ".join(s.line() for s in read_shocks(text)))

    @property
    def shocks(self) -> tuple[Shock, ...]:
        """The shocks, in the order they were written."""
        return read_shocks(str(self))


def read_shocks(text: str) -> tuple[Shock, ...]:
    """The shocks of a line or of TOML.

    Raises
    ------
    AskError : ``shock_empty``, ``shock_syntax``, ``shock_toml``, ``shock_of``, ``shock_key``, ``shock_loss``,
        ``shock_dates``, ``shock_before``, ``shock_number``.
    """
    found = _from_toml(text) if _is_toml(text) else [_from_line(part) for part in _split(text)]
    if not found:
        raise AskError("shock_empty")
    return tuple(found)


def _is_toml(text: str) -> bool:
    return any(_TOML_LINE.match(line) for line in text.splitlines())


def _split(text: str) -> list[str]:
    """The shocks of a line: ``;`` or a new line stands between them, but not within quotes."""
    parts, quote, start = [], "", 0
    for at, ch in enumerate(text):
        if quote:
            quote = "" if ch == quote else quote
        elif ch in "\"'":
            quote = ch
        elif ch in ";；\n":
            parts.append(text[start:at])
            start = at + 1
    return [p for p in (*parts, text[start:]) if p.strip()]


def _from_line(text: str) -> Shock:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise AskError("shock_syntax", text=text.strip(), why=str(error)) from error
    given: dict[str, Any] = {"of": words[0]}
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise AskError("shock_syntax", text=text.strip(), why=f"{word!r}")
        given[key] = value
    return _shock(given, text.strip(), None)


def _from_toml(text: str) -> list[Shock]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        line = int(place[1]) if place else len(text.splitlines())
        written = text.splitlines()[line - 1].strip() if 0 < line <= len(text.splitlines()) else ""
        raise AskError("shock_toml", line=line, text=written) from error
    for key in document:
        if key not in {"begin", "shock"}:
            raise UnknownName("shock_key", key, ("begin", "shock"))
    listed = document.get("shock", [])
    if not isinstance(listed, list) or not all(isinstance(s, dict) for s in listed):
        raise AskError("shock_syntax", text="shock", why="[[shock]]")
    begin = document.get("begin")
    if begin is not None and _day(begin) is None:
        raise AskError("shock_number", key="begin", value=str(begin), text="begin")
    if begin is None:
        days = [d for s in listed for k in ("start", "end") if isinstance(d := _day(s.get(k)), dt.date)]
        begin = min(days, default=None)
    return [_shock(s, str(s.get("of", "")), _day(begin)) for s in listed]


def _day(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else None


def _shock(given: Mapping[str, Any], text: str, begin: dt.date | None) -> Shock:
    for key in given:
        if key not in _KEYS:
            raise UnknownName("shock_key", key, _KEYS)
    of = str(given.get("of", ""))
    head, colon, code = of.partition(":")
    if not colon or not head or not code.strip("/ "):
        raise AskError("shock_of", text=of)
    loss = _number(given.get("loss", 1.0), "loss", text)
    if not 0.0 <= loss <= 1.0:
        raise AskError("shock_loss", value=given.get("loss"))
    start = _week(given.get("start", 0), "start", begin)
    end = _week(given["end"], "end", begin) if given.get("end") is not None else None
    recovery = _week(given.get("recovery", 0), "recovery", begin)
    if _day(given.get("recovery")) is not None:
        # A date says when everything is whole again.
        recovery -= start if end is None else end
        if end is None:
            end = start
    if (end is not None and end < start) or recovery < 0 or start < 0:
        if start < 0 and begin is not None:
            raise AskError("shock_before", text=text, start=str(given["start"]), begin=str(begin))
        later = given.get("recovery") if _day(given.get("recovery")) else given.get("end")
        raise AskError("shock_dates", text=text, start=str(given.get("start", 0)), end=str(later))
    kind = head if head in KINDS else "step"
    return Shock(kind, code, "" if kind != "step" else head, _sources(given.get("from")), loss, start, end, recovery)


def _sources(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    parts: Sequence[Any] = value if isinstance(value, list) else str(value).split("+")
    return tuple(str(p).strip() for p in parts if str(p).strip())


def _number(value: Any, key: str, text: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise AskError("shock_number", key=key, value=str(value), text=text) from error
    if number != number:  # noqa: PLR0124 - only NaN differs from itself
        raise AskError("shock_number", key=key, value=str(value), text=text)
    return number


def _week(value: Any, key: str, begin: dt.date | None) -> int:
    day = _day(value)
    if day is not None:
        return (day - (begin or day)).days // 7
    number = _number(value, key, key)
    if number != int(number) or number < 0:
        raise AskError("shock_number", key=key, value=str(value), text=key)
    return int(number)


__all__ = ["KINDS", "Shock", "Shocks", "read_shocks"]
