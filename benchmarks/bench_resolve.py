"""Match 100,000 written names with the mirror's organisations and with 110,000 invented ones; quality on truth.

    python benchmarks/bench_resolve.py [--mirror FOLDER] [--names 100000] [--invented 110000] [--quality]

Variants are made from organisations' own names by a seed: misspelt, abbreviated, cut, with legal forms, brackets and
schools added. Quality: names held out of ROR, with and without country; inventors told apart by hand.
"""

import argparse
import os
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from ronghe.resolve.evaluate import hold_out, inventors_quality, measure
from ronghe.resolve.keys import read_organisations
from ronghe.resolve.match import match_known
from ronghe.resolve.model import learn
from ronghe.sources.base import RawFile
from ronghe.sources.patentsview import PatentsView
from ronghe.sources.ror import Ror

SHORT = {"University": "Univ", "Institute": "Inst", "Technology": "Technol", "National": "Natl", "Science": "Sci",
         "Research": "Res", "Center": "Ctr", "Hospital": "Hosp", "Department": "Dept", "College": "Coll"}  # fmt: skip
PLACES = ("Wu", "Kang", "Lor", "Mar", "Tel", "Bran", "Sev", "Qin", "Dal", "Fen", "Gor", "Hai", "Jul", "Nor", "Pel")
TAILS = ("burg", "ville", "shan", "zhou", "stadt", "ford", "grad", "nia", "mont", "dale", "hai", "ping", "ton", "ov")
FORMS = ("University of {}", "{} University", "{} Institute of Technology", "{} General Hospital", "{} Steel Works",
         "National Laboratory of {}", "{} Pharmaceuticals Co., Ltd.", "{} Academy of Sciences", "{} Museum",
         "{} College of Engineering", "{} Power Company", "Center for {} Studies")  # fmt: skip
COUNTRIES = ("CHN", "USA", "DEU", "JPN", "FRA", "GBR", "IND", "BRA", "KOR", "ITA")


def misspelt(text: str, draw: random.Random) -> str:
    place = draw.randrange(1, max(len(text) - 1, 2))
    kind = draw.randrange(3)
    middle = ("", text[place : place + 1] * 2, text[place + 1 : place + 2] + text[place : place + 1])[kind]
    return text[:place] + middle + text[place + (2 if kind == 2 else 1) :]


def shortened(text: str, _: random.Random) -> str:
    return " ".join(SHORT.get(word, word) for word in text.split())


WAYS: tuple[tuple[str, Callable[[str, random.Random], str]], ...] = (
    ("as written", lambda text, _: text),
    ("capitals", lambda text, _: text.upper()),
    ("abbreviated", shortened),
    ("misspelt", misspelt),
    ("misspelt twice", lambda text, draw: misspelt(misspelt(text, draw), draw)),
    ("legal form", lambda text, _: f"{text} Co., Ltd."),
    ("brackets", lambda text, _: f"{text} (HQ)"),
    ("word dropped", lambda text, _: " ".join(text.split()[:-1]) if text.count(" ") > 1 else text),
)


def variants(table: pa.Table, count: int, seed: int) -> tuple[pa.Table, list[str], list[str]]:
    """Names made from organisations', who they belong to, and how they were made."""
    draw = random.Random(seed)
    names, ids, places = (table.column(c).to_pylist() for c in ("name", "org_id", "country"))
    rows, truth, ways = [], [], []
    for _ in range(count):
        i = draw.randrange(len(names))
        way, make = draw.choice(WAYS)
        rows.append({"name": make(names[i], draw), "country": places[i] if draw.random() < 0.5 else ""})
        truth.append(ids[i])
        ways.append(way)
    return pa.Table.from_pylist(rows), truth, ways


def invented(count: int, seed: int) -> pa.Table:
    draw = random.Random(seed)
    rows = []
    for i in range(count):
        place = draw.choice(PLACES) + draw.choice(TAILS) + (draw.choice(TAILS) if draw.random() < 0.7 else "")
        name = draw.choice(FORMS).format(f"{place} {draw.choice(PLACES)}{draw.choice(TAILS)}")
        aliases = [shortened(misspelt(name, draw), draw)] if draw.random() < 0.3 else []
        rows.append({"org_id": f"own:{i}", "name": name, "aliases": aliases, "country": draw.choice(COUNTRIES)})
    return pa.Table.from_pylist(rows)


def run(title: str, table: pa.Table, count: int, seed: int) -> None:
    names, truth, ways = variants(table, count, seed)
    clock, cpu = time.perf_counter(), time.process_time()
    known = read_organisations(table)
    weights = learn(known, seed=seed)
    learnt = time.perf_counter() - clock
    found = match_known(names, known, weights, parts=False).to_pylist()
    wall = time.perf_counter() - clock
    print(f"{title}: {len(names):,} names, {table.num_rows:,} organisations, {len(known.spellings):,} spellings")
    used, peak = time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  {wall:.1f} s wall ({learnt:.1f} s reading and learning), {used:.1f} s CPU, peak {peak:.2f} GB")
    titles = {one.org_id: one.name.exact for one in known.spellings}
    for way, _ in WAYS:
        rows = [(f, t) for f, t, w in zip(found, truth, ways, strict=True) if w == way]
        given = [(f, t) for f, t in rows if f["org_id"]]
        right = sum(f["org_id"] == t or titles[f["org_id"]] == titles[t] for f, t in given)
        print(f"  {way:15} precision {right / max(len(given), 1):.3f}  recall {right / max(len(rows), 1):.3f}")


def mirrored(mirror: Path, name: str, file: str, source: Ror | PatentsView, table: str) -> pa.Table:
    path = mirror / name / file
    raw = RawFile(path, name, file, "", path.stat().st_size)
    return pa.concat_tables(chunk.rows[table] for chunk in source.parse(raw))


def quality(table: pa.Table, labelled: pa.Table) -> None:
    for country in (True, False):
        print(f"held-out names of ROR, {'with' if country else 'without'} country")
        for line in measure(hold_out(table, country=country)):
            if line.answered:
                print(f"  {line.group:35} >= {line.threshold:.2f}: {line.given:5} names, precision "
                      f"{line.precision:.3f}, recall {line.recall or 0:.3f}")  # fmt: skip
    line = inventors_quality(labelled)
    print(f"inventors by name alone, pairs: precision {line.precision:.3f}, recall {line.recall:.3f} (a baseline)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", type=Path, default=os.environ.get("RONGHE_MIRROR"))
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument("--invented", type=int, default=110_000)
    parser.add_argument("--quality", action="store_true")
    asked = parser.parse_args()
    if asked.invented:
        run("invented", invented(asked.invented, 1), asked.names, 2)
    if asked.mirror:
        file = "ror-data_schema_v2_from_updates.json.gz"
        table = mirrored(Path(asked.mirror), "ror", file, Ror(), "organisation")
        run("ROR (the mirror's part)", table, asked.names, 3)
        if asked.quality:
            labelled = mirrored(
                Path(asked.mirror), "patentsview", "ens-inventors.csv", PatentsView(), "labelled_inventor"
            )
            quality(table, labelled)


if __name__ == "__main__":
    main()
