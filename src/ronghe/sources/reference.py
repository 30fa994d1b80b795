"""The built-in ``reference`` dataset: regions that every lake knows, from the package's own CSV files."""

import csv
import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import as_file, files
from typing import Final

from ronghe.model.regions import Region, regions
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, not_this_format, rows_of

FILES: Final = ("regions.csv", "countries.csv")


class Reference:
    """Gives the ``region`` rows of the world, countries, China's zones and provinces."""

    name = "reference"
    tables = ("region",)

    @property
    def version(self) -> str:
        """The parser's version; country names come from Babel, so its version is part of it."""
        return f"1+babel-{version('babel')}"

    def raw_files(self) -> tuple[RawFile, ...]:
        """The package's own files, ready to be parsed: nothing is fetched."""
        found = []
        for name in FILES:
            with as_file(files("ronghe.model").joinpath(name)) as path:
                data = path.read_bytes()
                found.append(RawFile(path, self.name, name, hashlib.sha256(data).hexdigest(), len(data)))
        return tuple(found)

    def accepts(self, raw: RawFile) -> bool:
        """Whether the file is one of the package's region lists."""
        return raw.name in FILES

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One record a line, each one region."""
        with raw.path.open(encoding="utf-8", newline="") as lines:
            codes = [line.get("region") or "" for line in csv.DictReader(lines)]
        known = regions()
        unknown = [code for code in codes if code not in known]
        if not codes or unknown:
            raise not_this_format(raw, Text("format.regions"), Text("why.unknown_regions", {"regions": unknown[:3]}))
        rows = rows_of("region", [_row(known[code]) for code in codes])
        yield Chunk(records=len(codes), rows={"region": rows})


def _row(place: Region) -> dict[str, object]:
    return {
        "region": place.region,
        "level": place.level,
        "parent": place.parent,
        "name_zh": place.name_zh,
        "name_en": place.name_en,
        "aliases": list(place.aliases),
        "_part": "",
        "_row": place.line,
        "_col": None,
    }
