"""Sources and lenses come through entry points; the built-in ones take the same door as anyone's."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from ronghe.errors import UnknownName

if TYPE_CHECKING:
    # Names are listed without importing what they stand for: `ronghe --help` must not wait for NumPy.
    from ronghe.lenses.base import LensSpec
    from ronghe.sources.base import Source

SOURCES = "ronghe.sources"
LENSES = "ronghe.lenses"
THEMES = ("chains", "economy", "fusion", "frontier", "other")
"""What questions are about, in the order people are shown them: the rooms of the built-in lenses, and outsiders'."""


@cache
def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda p: p.name)}


def lens_names() -> tuple[str, ...]:
    """The names of every lens installed; nothing is imported."""
    return tuple(_points(LENSES))


def lens_themes() -> dict[str, tuple[str, ...]]:
    """Theme -> the names of its lenses; nothing is imported. A built-in lens's theme is the room that it lives in."""
    found: dict[str, list[str]] = {theme: [] for theme in THEMES}
    for name, point in _points(LENSES).items():
        room = point.module.removeprefix(f"{LENSES}.").partition(".")[0]
        found[room if room in found else "other"].append(name)
    return {theme: tuple(names) for theme, names in found.items() if names}


def source_names() -> tuple[str, ...]:
    """The names of every dataset that a source is installed for; nothing is imported."""
    return tuple(_points(SOURCES))


@cache
def get_lens(name: str) -> "LensSpec":
    """A lens by its name.

    Raises
    ------
    UnknownName : no such lens; carries those there are.
    """
    from ronghe.lenses.base import LensSpec

    points = _points(LENSES)
    if name not in points:
        raise UnknownName("unknown_lens", name, points)
    found = points[name].load()
    if not isinstance(found, LensSpec):
        raise TypeError(f"entry point {points[name].value} is no lens")
    return found


@cache
def get_source(dataset: str) -> "Source":
    """The source that reads a dataset.

    Raises
    ------
    UnknownName : no source reads it; carries those that are read.
    """
    from ronghe.sources.base import Source

    points = _points(SOURCES)
    if dataset not in points:
        raise UnknownName("unknown_dataset", dataset, points)
    found = points[dataset].load()()
    if not isinstance(found, Source):
        raise TypeError(f"entry point {points[dataset].value} is no source")
    return found
