"""Where a figure comes from: the inputs, the steps, the snapshot and the code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ronghe.model.text import Text


@dataclass(frozen=True, slots=True)
class Input:
    """One raw file that a finding stands on.

    ``rows`` counts the rows of the lake that the file gave to the tables the finding read.
    """

    dataset: str
    file: str
    sha256: str
    licence: str
    redistributable: bool
    commercial: bool
    rows: int
    load: str
    url: str = ""
    invented: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a computation: the kernel, what it was given, the formula and the paper."""

    kernel: str
    formula: str
    paper: str
    params: Mapping[str, Any] = field(default_factory=dict)
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """The whole trail of a finding. ``tables`` maps a lake table to its version in the snapshot."""

    snapshot: int
    tables: Mapping[str, int]
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    code: str
    children: tuple[str, ...] = ()
