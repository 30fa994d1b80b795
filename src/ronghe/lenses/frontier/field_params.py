"""The parameters of questions about the frontier: a field, by a name of the package or a file of one's own."""

from collections.abc import Sequence
from typing import Self

from ronghe.errors import AskError
from ronghe.fielding.definition import Definition
from ronghe.fielding.reading import (
    FRONTIER,
    field_aliases,
    field_digest,
    field_names,
    field_text,
    parse_field,
    read_field,
)
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.params import Choice, Named


class FieldName(Named):
    """A field: one of the package's by any of its names, or a file of one's own by a path that ends in ``.toml``.

    A path stands as ``path@hash``: the same finding is asked again only while the file is the same.
    """

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
    def check(cls, value: Self, snapshot: Snapshot, name: str) -> Self:
        """The name, or the path with the hash of what the file holds now.

        Raises
        ------
        UnknownName : no such field. AskError : no such file, or it changed since.
        """
        path, _, stated = value.partition("@")
        if not path.endswith(".toml"):
            return super().check(value, snapshot, name)
        now = field_digest(field_text(path))
        if stated and stated != now:
            raise AskError("field_changed", file=path)
        return cls(f"{path}@{now}")

    @property
    def definition(self) -> Definition:
        """The field itself."""
        path = self.partition("@")[0]
        return parse_field(field_text(path), path)


def chosen(field: FieldName | None) -> tuple[Definition, ...]:
    """The field asked for, or the five frontier fields."""
    if field is not None:
        return (FieldName(field).definition,)
    return tuple(read_field(name) for name in FRONTIER)
