"""A lens's form, from its signature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ronghe.i18n import has, translate
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.base import LensSpec, Param
from ronghe.lenses.params import Year
from ronghe.model.text import Text


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form. ``kind`` is ``select``, ``number``, ``year``, ``check`` or ``text``."""

    name: str
    label: str
    kind: str
    value: str
    required: bool
    choices: Sequence[tuple[str, str]] = ()
    step: str = "any"


def form(spec: LensSpec, given: Mapping[str, str], snapshot: Snapshot, lang: str) -> list[Input]:
    """The fields of a lens's form, filled with what was asked or the defaults."""
    return [_field(param, given, snapshot, lang) for param in spec.params]


def _field(param: Param, given: Mapping[str, str], snapshot: Snapshot, lang: str) -> Input:
    label = translate(lang, param.help)
    value = given.get(param.name, _default(param))
    listed = param.choices(snapshot)
    if listed is not None:
        choices = [(c.value, _named(param, c.value, c.names[lang], lang)) for c in listed]
        chosen = _chosen(param, value)
        known = chosen if chosen in {c.value for c in listed} else ""
        return Input(param.name, label, "select", known, param.required, choices)
    if issubclass(param.type, bool):
        return Input(param.name, label, "check", "true" if value in {"true", "True", "1"} else "", False)
    if issubclass(param.type, Year):
        return Input(param.name, label, "year", "" if value == "0" else value, param.required, step="1")
    if issubclass(param.type, (int, float)):
        step = "1" if issubclass(param.type, int) else "any"
        return Input(param.name, label, "number", value, param.required, step=step)
    return Input(param.name, label, "text", value, param.required)


def _default(param: Param) -> str:
    return "" if param.required or param.default is None else str(param.default)


def _chosen(param: Param, value: str) -> str:
    """What the user wrote, as the choice it means: ``广东`` is ``CN-44``."""
    parse: Any = getattr(param.type, "parse", None)
    return str(parse(value)) if value and parse is not None else value


def _named(param: Param, value: str, name: str, lang: str) -> str:
    key = f"choice.{param.name}.{value}"
    return translate(lang, Text(key)) if has(key) else name
