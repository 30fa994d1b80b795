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
def catalogue(lang: str) -> Mapping[str, str]:
    """All sentences of one language: key -> pattern with ``{placeholders}``.

    A key named ``_`` is its parent's own sentence: ``[error.locked] _ = "…", hint = "…"``.
    """
    if lang not in LANGUAGES:
        raise KeyError(f"language {lang!r}: choose one of {', '.join(LANGUAGES)}")
    merged: dict[str, str] = {}
    for file in sorted(files("ronghe.locales").joinpath(lang).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            merged |= _flatten(tomllib.loads(file.read_text(encoding="utf-8")))
    return MappingProxyType({key.removesuffix("._"): value for key, value in merged.items()})


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
    pattern = catalogue(lang)[text.key]
    if not pattern:
        return ""
    return pattern.format_map({key: _resolve(lang, value) for key, value in text.args.items()})


def has(key: str) -> bool:
    """Whether both languages hold this key."""
    return all(key in catalogue(lang) for lang in LANGUAGES)
