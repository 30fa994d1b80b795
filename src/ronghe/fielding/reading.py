"""From a TOML file to a field's definition, with errors that name the place and the nearest known word."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ronghe.definitions import definition_text, digest_of
from ronghe.errors import AskError, UnknownName
from ronghe.fielding.definition import Definition
from ronghe.model.text import both

FRONTIER = ("ai", "quantum", "chips", "health", "brain")
"""The five frontier fields of the plan, in its order."""

_KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {"name", "aliases", "title", "note", "topics", "patents", "projects", "terms", "near", "panel", "models"}
    ),
    "title": frozenset({"zh", "en"}),
    "note": frozenset({"zh", "en"}),
    "topics": frozenset({"ids", "fields", "subfields", "except"}),
    "patents": frozenset({"classes"}),
    "projects": frozenset({"programmes"}),
    "terms": frozenset({"zh", "en", "not_zh", "not_en"}),
    "near": frozenset({"zh", "en"}),
    "panel": frozenset({"series"}),
    "models": frozenset({"count"}),
}
_TOPIC = re.compile(r"T\d+")
_CLASS = re.compile(r"[A-HY](\d\d([A-Z]( \d+(/\d+)?)?)?)?")


@cache
def field_names() -> tuple[str, ...]:
    """The fields that come with the package: the five frontier ones first."""
    folder = files("ronghe.fields")
    found = {f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")}
    return (*FRONTIER, *sorted(found - set(FRONTIER)))


@cache
def field_aliases() -> Mapping[str, str]:
    """Every spelling of a field of the package, lower case, and its name."""
    found: dict[str, str] = {}
    for name in field_names():
        one = read_field(name)
        for spelling in (name, one.names["zh"], one.names["en"], *one.aliases):
            found[spelling.casefold()] = name
    return found


def field_text(name: str) -> str:
    """The file of a field: a name of the package's, or a path that ends in ``.toml``.

    Raises
    ------
    UnknownName : no such name. AskError : no such file, or not UTF-8.
    """
    return definition_text(name, "ronghe.fields", "field", field_names())


def read_field(name: str) -> Definition:
    """A field by name or path.

    Raises
    ------
    UnknownName, AskError : see ``field_text`` and ``parse_field``.
    """
    return parse_field(field_text(name), name)


def parse_field(text: str, file: str) -> Definition:
    """A field from the text of its file.

    Raises
    ------
    AskError : not TOML, a key that is missing, unknown or of the wrong kind, a topic or class that can't be one,
        or a definition that holds nothing to catch with; says where.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AskError("field_toml", file=file, why=str(error)) from error
    for part, known in _KEYS.items():
        _known(_part(tree, part, file), known, file, part)
    topics = _part(tree, "topics", file)
    made = Definition(
        name=_text(tree, "name", file),
        names=_names(tree, "title", file, needed=True),
        note=_names(tree, "note", file, needed=False),
        aliases=_words(tree, "aliases", file, ""),
        topics=_topics(topics, "ids", file),
        subfields=_words(topics, "subfields", file, "topics"),
        fields=_words(topics, "fields", file, "topics"),
        except_topics=_topics(topics, "except", file),
        classes=_classes(_part(tree, "patents", file), file),
        programmes=_words(_part(tree, "projects", file), "programmes", file, "projects"),
        terms=_pair(_part(tree, "terms", file), ("zh", "en"), file, "terms"),
        not_terms=_pair(_part(tree, "terms", file), ("not_zh", "not_en"), file, "terms"),
        near=_pair(_part(tree, "near", file), ("zh", "en"), file, "near"),
        series=_words(_part(tree, "panel", file), "series", file, "panel"),
        models=_flag(_part(tree, "models", file), "count", file, "models"),
        digest=digest_of(text),
    )
    if not any((made.topics, made.subfields, made.fields, made.classes, made.programmes, made.terms)):
        raise AskError("field_empty", file=file)
    return made


def _known(part: Mapping[str, Any], known: Iterable[str], file: str, where: str) -> None:
    for key in part:
        if key not in known:
            raise UnknownName("field_key", key, sorted(known), file=file, where=where)


def _part(tree: Mapping[str, Any], key: str, file: str) -> Mapping[str, Any]:
    value = tree.get(key, {}) if key else tree
    if not isinstance(value, Mapping):
        raise AskError("field_type", file=file, key=key, expected="[table]")
    return value


def _text(tree: Mapping[str, Any], key: str, file: str) -> str:
    value = tree.get(key)
    if not isinstance(value, str) or not value.strip():
        raise AskError("field_type", file=file, key=key, expected='"text"')
    return value.strip()


def _flag(part: Mapping[str, Any], key: str, file: str, where: str) -> bool:
    value = part.get(key, False)
    if not isinstance(value, bool):
        raise AskError("field_type", file=file, key=f"{where}.{key}", expected="true | false")
    return value


def _names(tree: Mapping[str, Any], key: str, file: str, *, needed: bool) -> dict[str, str]:
    part = _part(tree, key, file)
    for lang in ("zh", "en"):
        if not isinstance(part.get(lang, "" if not needed else None), str):
            raise AskError("field_type", file=file, key=f"{key}.{lang}", expected='"text"')
    return both(part.get("zh"), part.get("en"))


def _words(part: Mapping[str, Any], key: str, file: str, where: str) -> tuple[str, ...]:
    value = part.get(key, [])
    name = f"{where}.{key}" if where else key
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise AskError("field_type", file=file, key=name, expected='["text", …]')
    return tuple(dict.fromkeys(v.strip() for v in value))


def _pair(part: Mapping[str, Any], keys: tuple[str, str], file: str, where: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(w for key in keys for w in _words(part, key, file, where)))


def _topics(part: Mapping[str, Any], key: str, file: str) -> dict[str, str]:
    """Ids with their names; a plain list of ids will do."""
    value = part.get(key, {})
    if isinstance(value, list):
        value = dict.fromkeys(_words(part, key, file, "topics"), "")
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise AskError("field_type", file=file, key=f"topics.{key}", expected='T10320 = "name"')
    for topic in value:
        if not _TOPIC.fullmatch(topic):
            raise AskError("field_topic", file=file, topic=topic)
    return dict(value)


def _classes(part: Mapping[str, Any], file: str) -> tuple[str, ...]:
    listed = _words(part, "classes", file, "patents")
    for code in listed:
        if not _CLASS.fullmatch(code):
            raise AskError("field_class", file=file, listed=code)
    return listed
