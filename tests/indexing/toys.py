"""A small invented panel of provinces and a system over it, small enough to check by hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.lake.ingest import Terms
from ronghe.lake.lake import raw_file
from ronghe.sources.base import Chunk, RawFile, rows_of

PROVINCES = ("CN-31", "CN-32", "CN-33", "CN-34", "CN-35", "CN-36", "CN-44", "CN-46")
YEARS = (2018, 2019, 2020, 2021)
SYSTEM = """
name = "toy"
title = { zh = "玩具体系", en = "Toy system" }
regions = "provinces"
[[subsystem]]
id = "science"
name = { zh = "科技", en = "Science" }
[[subsystem]]
id = "industry"
name = { zh = "产业", en = "Industry" }
[[quantity]]
id = "gdp"
name = "GDP"
of = "money"
over = "rate"
[[indicator]]
id = "a"
subsystem = "science"
dimension = "one"
name = { zh = "甲", en = "A" }
of = "papers"
over = "gdp"
unit = "item/CNY_100m"
why = "because"
[[indicator]]
id = "b"
subsystem = "science"
dimension = "two"
name = { zh = "乙", en = "B" }
of = "rate"
unit = "percent"
why = "because"
[[indicator]]
id = "c"
subsystem = "industry"
dimension = "one"
name = { zh = "丙", en = "C" }
of = "sales"
transform = "share"
missing = "linear"
why = "because"
[[indicator]]
id = "d"
subsystem = "industry"
dimension = "two"
name = { zh = "丁", en = "D" }
of = "waste"
over = "sales"
direction = "cost"
missing = "linear"
why = "because"
[[structure]]
id = "size"
name = { zh = "规模", en = "Size" }
of = "gdp"
transform = "log"
[[input]]
id = "money"
name = { zh = "经费", en = "Money" }
of = "money"
[[output]]
id = "papers"
name = { zh = "论文", en = "Papers" }
of = "papers"
"""
UNITS = {"papers": "item", "money": "CNY_10k", "rate": "percent", "sales": "CNY_100m", "waste": "CNY_100m"}


class Figures:
    """Reads ``region,indicator,year,value,unit`` lines."""

    name = "figures"
    version = "1"
    tables = ("indicator",)

    def accepts(self, raw: RawFile) -> bool:
        return raw.name.endswith(".txt")

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        for number, line in enumerate(raw.path.read_text(encoding="utf-8").splitlines(), start=1):
            region, indicator, year, value, unit = line.split(",")
            row = {
                "region": region,
                "industry": "ALL",
                "indicator": indicator,
                "year": int(year),
                "value": float(value) if value else None,
                "unit": unit,
                "_part": "",
                "_row": number,
            }
            yield Chunk(1, rows={"indicator": rows_of("indicator", [row])})


def cells(regions=PROVINCES, years=YEARS, seed=1):
    """(indicator, region, year) -> value of the invented panel."""
    rng = np.random.default_rng(seed)
    found = {}
    for i, region in enumerate(regions):
        for t, year in enumerate(years):
            size = 100.0 * (i + 1) * (1 + 0.05 * t)
            found["money", region, year] = round(size * rng.uniform(50, 150), 1)
            found["rate", region, year] = round(rng.uniform(0.5, 6.0), 2)
            found["papers", region, year] = round(size * rng.uniform(1, 9))
            found["sales", region, year] = round(size * rng.uniform(2, 4), 1)
            found["waste", region, year] = round(size * rng.uniform(0.1, 0.3), 2)
    return found


def brain_of(folder: Path, values) -> Brain:
    """A brain on a lake with these figures."""
    brain = Brain(Config(lake=str(folder / "lake")))
    path = folder / "figures.txt"
    lines = [f"{r},{k},{y},{'' if v is None else v},{UNITS[k]}" for (k, r, y), v in values.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    brain.lake.ingest(Figures(), raw_file(path, "figures"), terms=Terms(licence="invented", invented=True))
    return brain


def system_file(folder: Path, text: str = SYSTEM) -> str:
    """A system's file."""
    path = folder / "toy.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)
