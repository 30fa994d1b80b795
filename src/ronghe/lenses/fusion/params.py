"""The parameters of questions about composite measures: the system, subsystem weights, a class to reach."""

from collections.abc import Sequence
from typing import Self

from ronghe.errors import AskError, UnknownName
from ronghe.indexing.reading import parse_system, read_system, system_names, system_text
from ronghe.indexing.system import System
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.params import Choice, Defined, Named
from ronghe.model.text import both

CLASSES: tuple[tuple[str, str], ...] = (
    ("极度失调", "extreme discoordination"),
    ("严重失调", "serious discoordination"),
    ("中度失调", "moderate discoordination"),
    ("轻度失调", "slight discoordination"),
    ("濒临失调", "near discoordination"),
    ("勉强协调", "bare coordination"),
    ("初级协调", "primary coordination"),
    ("中级协调", "intermediate coordination"),
    ("良好协调", "good coordination"),
    ("优质协调", "excellent coordination"),
)
"""The ten bands of D, from [0, 0.1) to [0.9, 1], in both languages."""


class SystemName(Defined):
    """An indicator system: one of the package's by name, or a file of one's own."""

    code = "unknown_system"

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The systems that come with the package."""
        del snapshot
        return [Choice(name, dict(read_system(name).names)) for name in system_names()]

    @classmethod
    def text(cls, name: str) -> str:
        """The system's file; see ``system_text``."""
        return system_text(name)

    @property
    def system(self) -> System:
        """The system itself."""
        return parse_system(system_text(self.path), self.path)


class Alpha(Named):
    """Weights of the subsystems, such as ``0.6,0.4``, in the system's order."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The weights in one spelling.

        Raises
        ------
        AskError : not numbers.
        """
        try:
            parts = [float(p) for p in text.replace("，", ",").replace(";", ",").split(",")]
        except ValueError as error:
            raise AskError("alpha", value=text) from error
        return cls(",".join(f"{p:.12g}" for p in parts))

    @property
    def values(self) -> tuple[float, ...]:
        """The numbers."""
        return tuple(float(p) for p in self.split(","))


class Target(Named):
    """A class of coordination to reach: its number 1 to 9, its name, or ``next`` for the one above today's."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The class's number, or ``next``.

        Raises
        ------
        UnknownName : no such class.
        """
        wanted = text.strip().casefold()
        if wanted in {"next", "下一级", "下一类"}:
            return cls("next")
        for number, names in enumerate(CLASSES):
            if number and wanted in {str(number), *names, names[1].split()[0]}:
                return cls(number)
        raise UnknownName("unknown_class", text, [n for pair in CLASSES[1:] for n in pair])

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The classes above the lowest, and the next one."""
        del snapshot
        named = [Choice(str(k), both(zh, en)) for k, (zh, en) in enumerate(CLASSES) if k]
        return [Choice("next", both("下一级", "the next class")), *named]


NEXT = Target("next")
