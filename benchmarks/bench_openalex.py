"""OpenAlex works against DuckDB's bare read_json of the same columns, in one run.

Run: python benchmarks/bench_openalex.py [works.jsonl.gz] [megabytes]
The file is repeated in a temporary folder until it holds that many megabytes of lines (default 600).
What is timed: lines -> typed rows in a table of the engine, which is what both must do before anything
can be asked. Printed besides: the whole parse, with every row of the three tables handed over as Arrow.
"""

import gzip
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import ibis

from ronghe.sources.openalex_works import SHAPE, OpenAlexWorks

ROUNDS = 5


def replicate(source: Path, target: Path, megabytes: int) -> int:
    lines = gzip.decompress(source.read_bytes())
    lines += b"" if lines.endswith(b"\n") else b"\n"
    with target.open("wb") as out:
        while out.tell() < megabytes * 1_000_000:
            out.write(lines)
        return out.tell()


def ddl(shape: object) -> str:
    if isinstance(shape, list):
        return f"{ddl(shape[0])}[]"
    if isinstance(shape, str):
        return "VARCHAR"
    return "STRUCT(" + ", ".join(f'"{k}" {ddl(v)}' for k, v in dict(shape).items()) + ")"


def bare(path: Path) -> None:
    with duckdb.connect() as connection:
        columns = ", ".join(f"'{k}': '{ddl(v)}'" for k, v in SHAPE.items())
        connection.execute(
            f"CREATE TEMP TABLE t AS SELECT * FROM read_json('{path}', format = 'newline_delimited', "
            f"columns = {{{columns}}}, maximum_object_size = 67108864)"
        )


def ours(path: Path) -> None:
    connection = ibis.duckdb.connect()
    OpenAlexWorks().relations(connection, str(path), path.name)
    connection.disconnect()


def everything(path: Path) -> None:
    connection = ibis.duckdb.connect()
    found = OpenAlexWorks().relations(connection, str(path), path.name)
    for expression in found.rows.values():
        connection.to_pyarrow(expression)
    connection.execute(found.records)
    connection.disconnect()


def timed(work: Callable[[Path], None], path: Path) -> tuple[float, float]:
    wall, used = time.perf_counter(), time.process_time()
    work(path)
    return time.perf_counter() - wall, time.process_time() - used


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    mirror = Path(os.environ.get("RONGHE_MIRROR", "../shared/mirror"))
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else mirror / "openalex_works" / "works.jsonl.gz"
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, DuckDB {duckdb.__version__}"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "works.jsonl"
        size = replicate(source, path, megabytes)
        ours(path)
        pairs = [(timed(bare, path), timed(ours, path)) for _ in range(ROUNDS)]
        typed = peak()
        whole = timed(everything, path)
    print(f"{size / 1e6:.0f} MB of lines, best of {ROUNDS}, in turn")
    for k, clock in enumerate(("elapsed", "processor")):
        theirs, mine = (min(run[k] for run in runs) for runs in zip(*pairs, strict=True))
        print(f"{clock:9}  bare read_json {theirs:5.2f} s   openalex_works {mine:5.2f} s   speed {theirs / mine:4.2f}x")
    print("target: 0.7x or more")
    print(f"whole parse {whole[0]:.2f} s elapsed; peak memory {typed} MB with typed lines, {peak()} MB with all rows")


if __name__ == "__main__":
    main()
