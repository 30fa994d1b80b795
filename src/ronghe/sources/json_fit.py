"""One line of JSON fitted to a shape, field by field, with a word on each value that doesn't fit."""

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ronghe.model.text import Text
from ronghe.sources.base import wanted
from ronghe.sources.csv_rows import Fault

Shape = Mapping[str, Any]
"""field -> ``text``, ``whole``, ``truth`` or ``date``, a nested ``Shape`` (object) or a list with one item (array)."""

_SHOWN = 200
"""Characters of a faulty value that are shown."""


class _Unfit(Exception):
    """A value isn't what was expected."""

    def __init__(self, expected: Text) -> None:
        super().__init__(expected.key)
        self.expected = expected


def fitted(line: bytes, shape: Shape) -> tuple[dict[str, Any], list[Fault]]:
    """The fields of a line, null where they are absent or don't fit, and what doesn't.

    A number or truth value in place of a text is its text, and a text may hold a number, a date or a truth value.
    """
    try:
        held = json.loads(line)
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        shown = line.decode("utf-8", "replace").strip()[:_SHOWN]
        return {}, [Fault("line", shown, "malformed_json", wanted("json_object"))]
    faults: list[Fault] = []
    return _fit(held, shape, "", faults), faults


def _fit(value: Any, shape: Any, place: str, faults: list[Fault]) -> Any:
    if value is None:
        return None
    try:
        if isinstance(shape, Mapping):
            held = _as(dict, value, wanted("json_object"))
            dot = f"{place}." if place else ""
            return {name: _fit(held.get(name), inner, dot + name, faults) for name, inner in shape.items()}
        if isinstance(shape, list):
            items = enumerate(_as(list, value, wanted("list")))
            return [_fit(item, shape[0], f"{place}[{number}]", faults) for number, item in items]
        return _SCALARS[shape](value)
    except _Unfit as error:
        said = value if isinstance(value, str) else _said(value)
        shown = said.encode("utf-8", "replace").decode()[:_SHOWN]
        faults.append(Fault(place, shown, "type", error.expected))
        return None


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _as(kind: type, value: Any, expected: Text) -> Any:
    if not isinstance(value, kind):
        raise _Unfit(expected)
    return value


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise _Unfit(wanted("text"))
    said = value if isinstance(value, str) else _said(value)
    # Half of a pair that stands for one character can't be written.
    if not said.isascii() and said != said.encode("utf-8", "replace").decode():
        raise _Unfit(wanted("text"))
    return said


def _whole(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) >= 10**18:
        raise _Unfit(wanted("whole"))
    return value


def _date(value: Any) -> dt.date:
    # A moment is taken for its day.
    found = re.fullmatch(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})([T ].*)?", value) if isinstance(value, str) else None
    if found is None:
        raise _Unfit(wanted("date"))
    try:
        return dt.date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise _Unfit(wanted("date")) from error


_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def _truth(value: Any) -> bool:
    found = _TRUTH.get(str(value).strip().lower())
    if found is None:
        raise _Unfit(wanted("truth"))
    return found


_SCALARS: Mapping[str, Callable[[Any], Any]] = {"text": _text, "whole": _whole, "date": _date, "truth": _truth}
