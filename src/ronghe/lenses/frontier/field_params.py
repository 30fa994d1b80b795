"""The parameters of questions about the frontier: a field, by a name of the package or a file of one's own."""

from collections.abc import Sequence
from typing import Self

from ronghe.fielding.definition import Definition
from ronghe.fielding.reading import (
    FRONTIER,
    field_aliases,
    field_names,
    field_text,
    parse_field,
    read_field,
)
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.params import Choice, Defined


class FieldName(Defined):
    """A field: one of the package's by any of its names, or a file of one's own."""

    code = "unknown_field"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The field's own name behind ``人工智能``, ``AI`` or ``Artificial intelligence``."""
        return cls(field_aliases().get(text.strip().casefold(), text.strip()))

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The fields that come with the package."""
        del snapshot
        return [Choice(name, dict(read_field(name).names)) for name in field_names()]

    @classmethod
    def text(cls, name: str) -> str:
        """The field's file; see ``field_text``."""
        return field_text(name)

    @property
    def definition(self) -> Definition:
        """The field itself."""
        return parse_field(field_text(self.path), self.path)


def chosen(field: FieldName | None) -> tuple[Definition, ...]:
    """The field asked for, or the five frontier fields."""
    if field is not None:
        return (FieldName(field).definition,)
    return tuple(read_field(name) for name in FRONTIER)
