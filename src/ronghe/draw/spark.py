"""Small bars beside a figure: how a series went, at a glance. Plain rectangles; the page writes them as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 108.0, 26.0
_GAP, _LEAST = 0.25, 0.75


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its left and upper edge, width and height, in the picture's own units."""

    left: float
    top: float
    width: float
    height: float


def spark(values: Sequence[float | None]) -> list[Bar]:
    """A bar for each value, all to one scale from zero; a missing one leaves its place empty.

    A value above zero is never so flat that it can't be seen, and zero is a line on the ground.
    """
    step = WIDTH / max(len(values), 1)
    most = max((v for v in values if v is not None), default=0.0) or 1.0
    bars = []
    for i, value in enumerate(values):
        if value is None:
            continue
        height = max(HEIGHT * value / most, 2 * _LEAST if value > 0 else _LEAST)
        bars.append(Bar(round(i * step, 2), round(HEIGHT - height, 2), round(step * (1 - _GAP), 2), round(height, 2)))
    return bars


def extremes(rows: Sequence[Mapping[str, Any]], x: str, y: str) -> tuple[Mapping[str, Any], ...]:
    """The rows of the first and last place and of the largest value: what a picture says in words."""
    ordered = sorted((r for r in rows if r[y] is not None), key=lambda r: r[x])
    if not ordered:
        return ()
    return ordered[0], ordered[-1], max(ordered, key=lambda r: r[y])
