"""Co-authorship of countries by year (OpenAlex, compiled by V. Batagelj): Pajek networks in a zip file.

A record is a line of a member that is read, its part the member. Every arc gives a row of ``collaboration`` when
it is the pair's first: networks are symmetric and list each pair twice, so the mirrored arc is skipped once its
value is found equal, and rejected where it differs. A country with itself is the number of works in which it
took part. The members that sum all years, partitions (``.clu``) and vectors (``.vec``) are not read.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, rows_of, wanted
from ronghe.sources.countries import alpha3

EXPECTED = Text("format.pajek")
_MEMBER = re.compile(r"(?:.*/)?\D*(\d{4})\.net")
_VERTEX = re.compile(r'(\d+)\s+"([^"]*)".*')


class CountryCollaboration:
    """Works that countries wrote together. See the module."""

    name = "country_collaboration"
    version = "1"
    tables = ("collaboration",)

    def accepts(self, raw: RawFile) -> bool:
        """The zip file; the list of codes is the standard's own."""
        return raw.name.endswith(".zip")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """A chunk a year."""
        if not raw.path.stat().st_size:
            raise SourceError("source_empty", file=raw.name)
        try:
            with zipfile.ZipFile(raw.path) as packed:
                years = {name: found[1] for name in packed.namelist() if (found := _MEMBER.fullmatch(name))}
                if not years:
                    raise not_this_format(raw, EXPECTED, Text("why.no_network"))
                for name, year in sorted(years.items()):
                    yield _network(raw, name, int(year), packed.read(name))
        except zipfile.BadZipFile as error:
            raise not_this_format(raw, EXPECTED, str(error)) from error


def _network(raw: RawFile, member: str, year: int, data: bytes) -> Chunk:
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise not_this_format(raw, EXPECTED, Text("why.member_utf8", {"name": member})) from error
    marks = [i for i, line in enumerate(lines) if line.startswith("*")]
    kinds = [lines[i].split()[0].lower() for i in marks]
    if len(kinds) != 2 or kinds[0] != "*vertices" or kinds[1] not in {"*arcs", "*edges"}:
        raise not_this_format(raw, EXPECTED, Text("why.member_network", {"name": member}))
    found = (_VERTEX.fullmatch(line.strip()) for line in lines[marks[0] + 1 : marks[1]])
    names = {one[1]: one[2] for one in found if one is not None}
    arcs = _Arcs(member, year, names)
    for number, line in enumerate(lines[marks[1] + 1 :], start=marks[1] + 2):
        arcs.add(number, line.split())
    heads = Skipped("header", marks[1] + 1, member)
    return Chunk(
        len(lines), {"collaboration": rows_of("collaboration", arcs.rows)}, [heads, *arcs.skips()], arcs.rejected
    )


class _Arcs:
    """The arcs of one year, each pair once."""

    def __init__(self, member: str, year: int, names: Mapping[str, str]) -> None:
        self._member, self._year, self._names = member, year, names
        self._held: dict[tuple[str, str], float] = {}
        self._skipped = {"blank": 0, "mirrored": 0}
        self.rows: list[Mapping[str, Any]] = []
        self.rejected: list[Rejected] = []

    def skips(self) -> list[Skipped]:
        """What was passed over."""
        return [Skipped(reason, count, self._member) for reason, count in self._skipped.items() if count]

    def add(self, number: int, parts: Sequence[str]) -> None:
        """One arc: from, to, works."""
        if not parts:
            self._skipped["blank"] += 1
            return
        fault = self._fault(parts)
        if fault:
            self.rejected.append(Rejected(self._member, number, *fault))
            return
        one, other = (str(alpha3()[self._names[part]]) for part in parts[:2])
        pair, works = (min(one, other), max(one, other)), float(parts[2])
        if pair in self._held:
            self._again(number, parts, self._held[pair], works)
            return
        self._held[pair] = works
        self.rows.append(
            {
                "region": pair[0],
                "partner": pair[1],
                "year": self._year,
                "works": works,
                "_part": self._member,
                "_row": number,
                "_col": None,
            }
        )

    def _again(self, number: int, parts: Sequence[str], held: float, works: float) -> None:
        if held == works:
            self._skipped["mirrored"] += 1
        else:
            self.rejected.append(
                Rejected(self._member, number, "works", parts[2], "not_symmetric", wanted("mirrored", value=held))
            )

    def _fault(self, parts: Sequence[str]) -> tuple[str, str, str, Text] | None:
        if len(parts) != 3:
            return "line", " ".join(parts)[:80], "type", wanted("arc")
        for part, column in zip(parts, ("region", "partner"), strict=False):
            if self._names.get(part) not in alpha3():
                return column, self._names.get(part, part), "unknown_region", wanted("country2")
        try:
            float(parts[2])
        except ValueError:
            return "works", parts[2], "type", wanted("number")
        return None
