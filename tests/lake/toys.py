"""A tiny source whose files say what to do: one line a record, ``code,value`` or a word that asks for trouble."""

from collections.abc import Iterator
from pathlib import Path

from ronghe.config import Config
from ronghe.lake.ingest import Report, Terms
from ronghe.lake.lake import Lake, raw_file
from ronghe.sources.base import Chunk, RawFile, Rejected, Repair, Skipped, rows_of, wanted


class Toy:
    """Reads ``region,indicator,year,value`` lines; ``#`` is a footnote, ``?`` is rejected, ``~`` mends a name."""

    name = "toy"
    tables = ("indicator",)

    def __init__(self, version: str = "1", lose: int = 0) -> None:
        self.version = version
        self.lose = lose

    def accepts(self, raw: RawFile) -> bool:
        return raw.name.endswith(".txt")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        for number, line in enumerate(raw.path.read_text(encoding="utf-8").splitlines(), start=1):
            yield self._one(number, line)

    def _one(self, number: int, line: str) -> Chunk:
        count = 1 + self.lose
        if line.startswith("#"):
            return Chunk(count, skipped=[Skipped("footnote", 1, "", number, line)])
        if line.startswith("?"):
            return Chunk(count, rejected=[Rejected("", number, "value", line, "type", wanted("number"))])
        repairs = []
        if line.startswith("~"):
            line = line[1:]
            repairs = [Repair("", number, "region", "内蒙占", line.split(",")[0], "toy")]
        region, indicator, year, value = line.split(",")
        row = {
            "region": region,
            "industry": "ALL",
            "indicator": indicator,
            "year": int(year),
            "value": float(value) if value else None,
            "unit": "CNY_10k",
            "_part": "",
            "_row": number,
        }
        return Chunk(count, rows={"indicator": rows_of("indicator", [row])}, repairs=repairs)


def lake_at(folder: Path, **settings: object) -> Lake:
    """A lake in a folder."""
    return Lake(Config(lake=str(folder / "lake"), **settings))  # type: ignore[arg-type]


def bring(
    lake: Lake, folder: Path, text: str, *, name: str = "a.txt", source: Toy | None = None, **terms: object
) -> Report:
    """Write a file and bring it in."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return lake.ingest(source or Toy(), raw_file(path, "toys"), terms=Terms(**terms))  # type: ignore[arg-type]
