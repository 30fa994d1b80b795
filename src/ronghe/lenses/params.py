"""The types of questions' parameters: small ``str`` and ``int`` classes that parse themselves and know their values."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Self

from ronghe.definitions import digest_of
from ronghe.errors import AskError, UnknownName, nearest
from ronghe.lake.snapshot import Snapshot
from ronghe.model.regions import find_region, region_names
from ronghe.model.text import both


def place_names(region: str) -> dict[str, str]:
    """A region's names; its code where no reference table knows it (a user's own regions)."""
    try:
        return region_names(region)
    except KeyError:
        return both(None, region)


class Choice(NamedTuple):
    """A value that a parameter may take, with its name in both languages."""

    value: str
    names: dict[str, str]


class Named(str):
    """A text parameter. ``code`` is the error's key when the value is none of the choices."""

    code: ClassVar[str] = "unknown_value"
    reads: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The value behind what a user wrote."""
        return cls(text.strip())

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice] | None:
        """The values this snapshot offers; ``None`` when any text will do."""
        del snapshot
        return None

    @classmethod
    def check(cls, value: Self, snapshot: Snapshot, name: str) -> Self:
        """The value, if the snapshot offers it.

        Raises
        ------
        UnknownName : it doesn't; carries those that it offers.
        """
        offered = cls.choices(snapshot)
        if offered is None or value in {c.value for c in offered}:
            return value
        raise UnknownName(cls.code, value, _by_name(value, offered), parameter=name)


class Defined(Named):
    """What a file defines: one of the package's by name, or a file of one's own by a path that ends in ``.toml``.

    A path stands as ``path@hash``: the same finding is asked again only while the file is the same.
    """

    @classmethod
    def text(cls, name: str) -> str:
        """The file of that name or path.

        Raises
        ------
        UnknownName : no such name. AskError : no such file, or not UTF-8.
        """
        raise NotImplementedError

    @classmethod
    def check(cls, value: Self, snapshot: Snapshot, name: str) -> Self:
        """The name, or the path with the hash of what the file holds now.

        Raises
        ------
        UnknownName : no such name. AskError : no such file, or it changed since.
        """
        path, _, stated = value.partition("@")
        if not path.endswith(".toml"):
            return super().check(value, snapshot, name)
        now = digest_of(cls.text(path))
        if stated and stated != now:
            raise AskError("definition_changed", file=path)
        return cls(f"{path}@{now}")

    @property
    def path(self) -> str:
        """The name or path without its hash."""
        return self.partition("@")[0]


def _by_name(text: str, offered: Sequence[Choice]) -> list[str]:
    """The values, those first whose name in either language looks like what was written."""
    held: dict[str, str] = {}
    for choice in offered:
        for name in choice.names.values():
            held.setdefault(name, choice.value)
    return list(dict.fromkeys([*(held[name] for name in nearest(text, held)), *(c.value for c in offered)]))


def _distinct(snapshot: Snapshot, table: str, *columns: str) -> list[dict[str, Any]]:
    return list(snapshot.distinct(table, columns).to_pylist())


class TableId(Named):
    """An input-output table, such as ``cn-2020-153`` or ``wiod13-2011``."""

    code = "unknown_io_table"
    reads = ("io_table",)

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The tables in the lake."""
        rows = _distinct(snapshot, "io_table", "table_id", "name_zh", "name_en")
        return [Choice(r["table_id"], both(r["name_zh"], r["name_en"])) for r in rows]


class Region(Named):
    """A country or province, by code or by name in either language; stands as its code."""

    code = "unknown_region"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The code behind a name: ``44``, ``广东``, ``Guangdong`` and ``CN-44`` are the same."""
        return cls(find_region(text.strip()) or text.strip())


class IoRegion(Region):
    """A region of an input-output table."""

    reads = ("io_table",)


class PanelRegion(Region):
    """A region that the indicator panel holds."""

    reads = ("indicator", "region")

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The regions of the panel."""
        rows = _distinct(snapshot, "indicator", "region")
        places = _distinct(snapshot, "region", "region", "name_zh", "name_en")
        names = {r["region"]: both(r["name_zh"], r["name_en"] or r["region"]) for r in places}
        return [Choice(r["region"], names.get(r["region"]) or place_names(r["region"])) for r in rows]


class Indicator(Named):
    """An indicator of the panel."""

    code = "unknown_indicator"
    reads = ("indicator", "indicator_def")

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The indicators of the panel, with their names."""
        names = {
            r["indicator"]: both(r["name_zh"], r["name_en"])
            for r in _distinct(snapshot, "indicator_def", "indicator", "name_zh", "name_en")
        }
        rows = _distinct(snapshot, "indicator", "indicator")
        return [Choice(r["indicator"], names.get(r["indicator"], both(None, r["indicator"]))) for r in rows]


class Chain(Named):
    """A supply chain, such as ``chips``."""

    code = "unknown_chain"
    reads = ("supply_step",)

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The chains in the lake."""
        return [Choice(r["chain"], both(None, r["chain"])) for r in _distinct(snapshot, "supply_step", "chain")]


class Year(int):
    """A year; ``2020年`` is read as 2020. ``0`` stands for the latest there is."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The year behind what a user wrote.

        Raises
        ------
        AskError : it isn't a year.
        """
        digits = str(text).strip().removesuffix("年")
        if digits in {"latest", "最新", "0"}:
            return cls(0)
        if not digits.isdecimal() or not 1000 <= int(digits) <= 2999:
            raise AskError("not_a_year", value=str(text))
        return cls(int(digits))


LATEST = Year(0)


def pick_year(year: int, known: Sequence[int], what: str) -> int:
    """The year asked for, or the latest of ``known`` when it is 0.

    Raises
    ------
    UnknownName : there are no figures for that year; names the years that have them.
    """
    if not known:
        raise AskError("no_years", what=what)
    if year == 0:
        return max(known)
    if year not in known:
        raise UnknownName("unknown_year", str(year), [str(y) for y in sorted(known)], what=what)
    return year
