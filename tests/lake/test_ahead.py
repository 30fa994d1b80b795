"""A parse begun before its turn: the same chunks, the same errors, and nothing left running."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ronghe.config import Config
from ronghe.errors import SourceError
from ronghe.lake.ahead import Ahead, Series
from ronghe.lake.ingest import Terms
from ronghe.lake.lake import Lake, raw_file
from ronghe.sources.base import Chunk, RawFile
from ronghe.sources.openalex_works import OpenAlexWorks

RAW = RawFile(Path("x"), "d", "x", "", 0)


class Counting:
    """A source that gives numbered chunks, and raises after some."""

    name, version, tables = "counting", "1", ("work",)

    def __init__(self, count: int, fails: bool = False) -> None:
        self.count, self.fails, self.given, self.ended = count, fails, 0, False

    def accepts(self, raw: RawFile) -> bool:
        return bool(raw.name)

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        try:
            while self.given < self.count:
                self.given += 1
                yield Chunk(self.given)
            if self.fails:
                raise SourceError("source_empty", file=raw.name)
        finally:
            self.ended = True


def settled(source: Counting, longest: float = 10.0) -> int:
    """How many chunks were given once no more come."""
    seen, until = -1, time.monotonic() + longest
    while seen != source.given and time.monotonic() < until:
        seen = source.given
        time.sleep(0.3)
    return seen


def test_chunks_come_in_order_and_an_error_in_its_place() -> None:
    with Ahead(Counting(50), RAW) as ahead:
        assert [chunk.records for chunk in ahead] == list(range(1, 51))
    taken = []
    with Ahead(Counting(3, fails=True), RAW) as ahead, pytest.raises(SourceError):
        taken += [1 for _ in ahead]
    with Ahead(Counting(3, fails=True), RAW) as ahead:
        chunks = iter(ahead)
        assert [next(chunks).records for _ in range(3)] == [1, 2, 3]
        with pytest.raises(SourceError, match="x"):
            next(chunks)


def test_few_chunks_wait_and_closing_ends_the_parse() -> None:
    source = Counting(10**9)
    ahead = Ahead(source, RAW)
    assert settled(source) == 4  # three that wait and one in hand
    ahead.close()
    assert source.ended
    assert not [thread for thread in threading.enumerate() if thread.name == "parse x"]
    ahead.close()


def files(folder: Path) -> list[Path]:
    paths = [folder / f"part_{n}.jsonl" for n in range(4)]
    for number, path in enumerate(paths):
        path.write_text("".join(f'{{"id": "W{number}{line}"}}\n' for line in range(5)))
    paths[1].write_text("province,value\n")
    return paths


def brought(lake: Lake, source: OpenAlexWorks, paths: list[Path]) -> list[str]:
    """File by file: new, held, or the error's code."""
    said = []
    hashed = [partial(raw_file, path, "openalex_works") for path in paths]
    with Series(lake, source, Terms()) as series:
        for this, after in zip(hashed, [*hashed[1:], None], strict=True):
            try:
                said.append("new" if series.ingest(this, after).new else "held")
            except SourceError as error:
                said.append(error.code)
    return said


def test_a_series_brings_in_what_single_files_do(tmp_path: Path) -> None:
    paths, source = files(tmp_path), OpenAlexWorks()
    lake = Lake(Config(lake=str(tmp_path / "lake")))
    assert brought(lake, source, paths) == ["new", "source_format", "new", "new"]
    other = Lake(Config(lake=str(tmp_path / "other")))
    for path in (paths[0], *paths[2:]):
        other.ingest(source, raw_file(path, "openalex_works"), terms=Terms())
    rows = [
        one.engine.fetch(one.snapshot().table("work").select("work_id", "_row").order_by("work_id"))
        for one in (lake, other)
    ]
    assert rows[0] == rows[1]
    assert rows[0].num_rows == 15


def test_a_file_that_is_gone_fails_at_its_turn(tmp_path: Path) -> None:
    paths = files(tmp_path)
    paths[2].unlink()
    lake = Lake(Config(lake=str(tmp_path / "lake")))
    assert brought(lake, OpenAlexWorks(), paths) == ["new", "source_format", "source_unreadable", "new"]


def test_what_the_lake_holds_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, source = files(tmp_path), OpenAlexWorks()
    lake = Lake(Config(lake=str(tmp_path / "lake")))
    brought(lake, source, [paths[0], *paths[2:]])

    begun: list[str] = []
    monkeypatch.setattr(source, "parse", lambda raw: (begun.append(raw.name) for _ in range(1)))
    assert brought(lake, source, [paths[0], *paths[2:]]) == ["held", "held", "held"]
    assert not begun
