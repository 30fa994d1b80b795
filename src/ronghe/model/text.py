"""A sentence waiting for its language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """A key of the locales and what its placeholders stand for.

    An argument may itself be a ``Text``, or a pair ``{"zh": …, "en": …}`` for names that a source
    gives in both languages; both are resolved when the sentence meets its language.
    """

    key: str
    args: Mapping[str, Any] = field(default_factory=dict)


def both(zh: str | None, en: str | None) -> dict[str, str]:
    """A name in both languages; where one is missing the other stands in."""
    return {"zh": zh or en or "", "en": en or zh or ""}
