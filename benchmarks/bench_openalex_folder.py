"""A folder of OpenAlex JSON lines into the lake, against DuckDB's bare read_json of the same columns and files.

    python benchmarks/bench_openalex_folder.py [works.jsonl.gz] [--megabytes 2000] [--files 8] [--rounds 1]

The folder is made in a temporary place by repeating the file's works under new ids, and is gone afterwards. Every
measurement is a process of its own, so that its peak memory is its own. Three lines are printed: the bare parse, the
same lines made into the rows of three tables by the source (neither writes anything), and the whole way into the
lake (checks, keys, three tables in Delta), for a quarter of the folder and for all of it: memory that grows with the
folder would show.
"""

import argparse
import gzip
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_ID = re.compile(rb"openalex\.org/W(\d+)")


def build(source: Path, folder: Path, megabytes: int, files: int) -> tuple[int, int]:
    """Write the folder; bytes and works."""
    lines = gzip.decompress(source.read_bytes()).rstrip(b"\n") + b"\n"
    each, size, works, turn = megabytes * 1_000_000 // files, 0, 0, 0
    for number in range(files):
        with (folder / f"part_{number:03d}.jsonl").open("wb") as out:
            while out.tell() < each:
                turn += 1
                # References move with the works, so every copy cites within itself as the file does.
                out.write(_ID.sub(b"openalex.org/W%d\\1" % (100 + turn), lines))
                works += lines.count(b"\n")
            size += out.tell()
    return size, works


def ddl(shape: object) -> str:
    """DuckDB's type of a shape, every scalar as text."""
    if isinstance(shape, list):
        return f"{ddl(shape[0])}[]"
    if isinstance(shape, str):
        return "VARCHAR"
    return "STRUCT(" + ", ".join(f'"{k}" {ddl(v)}' for k, v in dict(shape).items()) + ")"


def bare(paths: list[str], columns: str) -> None:
    import duckdb

    with duckdb.connect() as connection:
        for path in paths:
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE t AS SELECT * FROM read_json('{path}', format = 'newline_delimited', "
                f"columns = {{{columns}}}, maximum_object_size = 67108864)"
            )


def typed(paths: list[str], _: str) -> None:
    from ronghe.sources.base import RawFile
    from ronghe.sources.openalex_works import OpenAlexWorks

    for path in map(Path, paths):
        for _chunk in OpenAlexWorks().parse(RawFile(path, "openalex_works", path.name, "", path.stat().st_size)):
            pass


def lake(paths: list[str], place: str) -> None:
    from ronghe.brain import Brain
    from ronghe.config import load_config
    from ronghe.intake import ingest_folder

    brain = Brain(load_config({"lake": place}))
    reports, failures = ingest_folder(brain, "openalex_works", Path(paths[0]).parent)
    if failures:
        raise SystemExit(str(failures[0].error))
    loads = [report.load for report in reports]
    said = {"records": sum(o.records for o in loads), "accepted": sum(o.accepted for o in loads)}
    print(json.dumps({**said, "rows": sum(sum(o.rows.values()) for o in loads)}))


WAYS: dict[str, Callable[[list[str], str], None]] = {"bare": bare, "typed": typed, "lake": lake}


def child(way: str, folder: Path, place: str) -> None:
    """One measurement, said as JSON on the last line."""
    paths = sorted(str(path) for path in folder.iterdir())
    wall = time.perf_counter()
    WAYS[way](paths, place)
    wall = time.perf_counter() - wall
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}))


def run(way: str, folder: Path, scratch: Path) -> dict[str, float]:
    """One measurement in a process of its own."""
    from ronghe.sources.openalex_works import SHAPE

    with tempfile.TemporaryDirectory(dir=scratch) as place:
        # The bare parse is told its columns, so that it pays for no import of ours.
        given = ", ".join(f"'{k}': '{ddl(v)}'" for k, v in SHAPE.items()) if way == "bare" else place
        asked = [sys.executable, "-m", "benchmarks.bench_openalex_folder", "--child", way, str(folder), given]
        root = Path(__file__).resolve().parent.parent
        done = subprocess.run(asked, cwd=root, check=True, capture_output=True, text=True)
    said: dict[str, float] = {}
    for line in done.stdout.splitlines():
        said |= json.loads(line)
    return said


def best(way: str, folder: Path, scratch: Path, rounds: int) -> dict[str, float]:
    """The least of each clock over the rounds, the highest peak."""
    runs = [run(way, folder, scratch) for _ in range(rounds)]
    return {k: max(r[k] for r in runs) if k == "peak" else min(r[k] for r in runs) for k in runs[0]}


def main() -> None:
    mirror = Path(os.environ.get("RONGHE_MIRROR", "../shared/mirror"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, nargs="?", default=mirror / "openalex_works" / "works.jsonl.gz")
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--child", nargs=3)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child[0], Path(asked.child[1]), asked.child[2])
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as held:
        scratch, whole, part = Path(held), Path(held) / "works", Path(held) / "quarter"
        whole.mkdir()
        part.mkdir()
        size, works = build(asked.source, whole, asked.megabytes, asked.files)
        for path in sorted(whole.iterdir())[: max(asked.files // 4, 1)]:
            (part / path.name).hardlink_to(path)
        print(f"{size / 1e6:,.0f} MB in {asked.files} files, {works:,} works; best of {asked.rounds}")
        base = best("bare", whole, scratch, asked.rounds)
        tell("bare read_json", base, base)
        tell("openalex_works, rows", best("typed", whole, scratch, asked.rounds), base)
        found = best("lake", whole, scratch, asked.rounds)
        tell("into the lake", found, base)
        print(f"  {found['records']:,.0f} records, {found['accepted']:,.0f} accepted, {found['rows']:,.0f} rows")
        quarter = best("lake", part, scratch, asked.rounds)
        print(f"  a quarter of the folder: peak {quarter['peak']:,.0f} MB")


def tell(title: str, found: dict[str, float], base: dict[str, float]) -> None:
    print(f"{title:28} {found['wall']:7.1f} s wall ({base['wall'] / found['wall']:.2f}x)  {found['cpu']:7.1f} s CPU "
          f"({base['cpu'] / found['cpu']:.2f}x)  peak {found['peak']:,.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
