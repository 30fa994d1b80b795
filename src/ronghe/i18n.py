"""Sentences in Chinese and English. A key that is missing in either is an error, and a test looks for it."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from ronghe.model.text import Text

LANGUAGES = ("zh", "en")


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{name}.")
        else:
            flat[name] = str(value)
    return flat


@cache
def _rooms(lang: str) -> Mapping[str, Any]:
    """The files of one language by their names."""
    if lang not in LANGUAGES:
        raise KeyError(f"language {lang!r}: choose one of {', '.join(LANGUAGES)}")
    held = files("ronghe.locales").joinpath(lang).iterdir()
    return {file.name.removesuffix(".toml"): file for file in held if file.name.endswith(".toml")}


@cache
def _room(lang: str, name: str) -> Mapping[str, str]:
    flat = _flatten(tomllib.loads(_rooms(lang)[name].read_text(encoding="utf-8")))
    return {key.removesuffix("._"): value for key, value in flat.items()}


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """All sentences of one language: key -> pattern with ``{placeholders}``.

    A key named ``_`` is its parent's own sentence: ``[error.locked] _ = "…", hint = "…"``.
    """
    merged: dict[str, str] = {}
    for name in sorted(_rooms(lang)):
        merged |= _room(lang, name)
    return MappingProxyType(merged)


def _sentence(lang: str, key: str) -> str | None:
    """The pattern of a key; a section with a file of its own name stands whole there, so no other is read for it."""
    name = key.partition(".")[0]
    return _room(lang, name).get(key) if name in _rooms(lang) else catalogue(lang).get(key)


def _resolve(lang: str, value: Any) -> Any:
    if isinstance(value, Text):
        return translate(lang, value)
    if isinstance(value, Mapping) and set(value) == set(LANGUAGES):
        return value[lang]
    if isinstance(value, (list, tuple)):
        return ("、" if lang == "zh" else ", ").join(str(_resolve(lang, item)) for item in value)
    return value


def translate(lang: str, text: Text) -> str:
    """The sentence in one language.

    Raises
    ------
    KeyError : the key is in no locale file, or a placeholder has no argument.
    """
    pattern = _sentence(lang, text.key)
    if pattern is None:
        raise KeyError(text.key)
    if not pattern:
        return ""
    return pattern.format_map({key: _resolve(lang, value) for key, value in text.args.items()})


def has(key: str) -> bool:
    """Whether both languages hold this key."""
    return all(_sentence(lang, key) is not None for lang in LANGUAGES)
