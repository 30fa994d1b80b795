"""China's employment by industry, 1990-2018, and its links to the sectors of the input-output tables.

Wang, Jia and Wang 2021, Research on Sectoral Employment Accounting of China, Statistical Research 38(12), 3-18.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, Rejected, Repair, Skipped, table_of, wanted

PART = "china_employment"
CLASSIFICATION = "cn-employment"
VERSION = "2021"
_UNIT = "person_10k"
_LABELS = ("Code", "Description", "DescriptionInChinese")

# The collector's slips, mended in the open.
_NAMES_EN: Mapping[str, str] = MappingProxyType({"K": "Real estate", "Eentertainment": "Entertainment"})


@dataclass(frozen=True, slots=True)
class Link:
    """The share ``weight`` of an employment industry that belongs to a sector."""

    employment: str
    sector: str
    weight: float
    method: str
    note: str


@cache
def _groups() -> Mapping[str, tuple[tuple[str, str, str], ...]]:
    """Table version -> (sector, employment industry, method), agreed by names and by GB/T 4754's divisions."""
    text = files("ronghe.sources").joinpath("names", "cn_employment_links.csv").read_text(encoding="utf-8")
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["version"], []).append((row["sector"], row["employment"], row["method"]))
    return MappingProxyType({version: tuple(rows) for version, rows in found.items()})


def links(version: str, pay: Mapping[str, float]) -> list[Link]:
    """Employment's industries on the sectors of one table; none where they can't be matched.

    Parameters
    ----------
    version : of the table's sectors, such as ``2020-153``.
    pay : sector -> its compensation of employees. Where one industry is several sectors it is split by this
        (method ``share``), which takes pay per worker to be equal within the industry.
    """
    pairs = [pair for pair in _groups().get(version, ()) if pair[0] in pay]
    total: dict[str, float] = defaultdict(float)
    for sector, industry, _ in pairs:
        total[industry] += pay[sector]
    found = []
    for sector, industry, method in pairs:
        if method == "share" and total[industry] <= 0:
            continue
        weight = pay[sector] / total[industry] if method == "share" else 1.0
        note = "split by compensation of employees of the same table" if method == "share" else ""
        found.append(Link(industry, sector, float(weight), method, note))
    return found


def parse(frame: pd.DataFrame, file: str) -> Chunk:
    """The employment panel: a line an industry, a column a year. A record is a cell, or a line's names.

    The first line (all industries) becomes industry ``ALL``. A section is the sum of its divisions to the
    rounding of each number, or the file is refused.

    Raises
    ------
    SourceError : ``source_io_code`` (a column that is no year), ``source_unbalanced``.
    """
    years = [column for column in frame.columns if column not in _LABELS]
    odd = next((column for column in years if not (column.isdigit() and len(column) == 4)), None)
    missing = next((column for column in _LABELS if column not in frame), odd)
    if missing is not None:
        raise SourceError("source_io_code", file=file, table=PART, label=missing)
    codes = frame["Code"].astype(str).str.strip().to_numpy(dtype=object)
    values = frame[years].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    given = frame[years].notna().to_numpy()
    text, negative = given & ~np.isfinite(values), values < 0
    values[text | negative] = np.nan
    _sections_add_up(codes, values, years, file)
    industries, repairs = _industries(frame, codes)
    blank = int((~given).sum())
    skipped = [Skipped("header", len(years), part=PART)]
    if blank:
        skipped.append(Skipped("blank", blank, part=PART))
    return Chunk(
        records=(len(frame) + 1) * (len(years) + 1),
        rows={
            "classification": _classification(),
            "indicator_def": _definition(),
            "industry": industries,
            "indicator": _indicators(codes, values, years),
        },
        skipped=[*skipped, *([Skipped("subtotal", int((codes == "TOT").sum()), part=PART)] if "TOT" in codes else [])],
        rejected=[
            *_rejected(frame, years, text, "type", wanted("number")),
            *_rejected(frame, years, negative, "range", wanted("at_least", low=0)),
        ],
        repairs=repairs,
    )


def _rejected(
    frame: pd.DataFrame, years: list[str], mask: NDArray[np.bool_], reason: str, expected: Text
) -> list[Rejected]:
    return [
        Rejected(PART, int(at) + 2, "value", str(frame[years[year]].iloc[at]), reason, expected, col=years[year])
        for at, year in np.argwhere(mask)
    ]


def _indicators(codes: NDArray[np.object_], values: NDArray[np.float64], years: list[str]) -> pa.Table:
    row, year = np.nonzero(~np.isnan(values))
    names = np.array(years, dtype=object)
    return table_of(
        "indicator",
        {
            "region": "CHN",
            "industry": np.where(codes[row] == "TOT", "ALL", codes[row]),
            "indicator": "employment",
            "year": names.astype(int)[year],
            "value": values[row, year],
            "unit": _UNIT,
            "industry_classification": f"{CLASSIFICATION}:{VERSION}",
        },
        part=PART,
        row=row + 2,
        col=names[year],
    )


def _industries(frame: pd.DataFrame, codes: NDArray[np.object_]) -> tuple[pa.Table, list[Repair]]:
    rows = np.flatnonzero(codes != "TOT")
    english = frame["Description"].astype(str).str.strip().to_numpy(dtype=object)
    repairs = [
        Repair(PART, int(at) + 2, "name_en", english[at], _NAMES_EN[english[at]], "spelling")
        for at in rows
        if english[at] in _NAMES_EN
    ]
    level = np.array([1 if len(code) == 1 else 2 for code in codes[rows]])
    table = table_of(
        "industry",
        {
            "classification": CLASSIFICATION,
            "version": VERSION,
            "code": codes[rows],
            "name_zh": frame["DescriptionInChinese"].astype(str).str.strip().to_numpy(dtype=object)[rows],
            "name_en": [_NAMES_EN.get(name, name) for name in english[rows]],
            "parent": [code[0] if len(code) > 1 else None for code in codes[rows]],
            "level": level,
            "order": np.arange(1, len(rows) + 1),
        },
        part=PART,
        row=rows + 2,
        col="Code",
    )
    return table, repairs


def _sections_add_up(codes: NDArray[np.object_], values: NDArray[np.float64], years: list[str], file: str) -> None:
    groups: dict[str, list[int]] = {}
    at = {str(code): row for row, code in enumerate(codes)}
    for code, row in at.items():
        if code != "TOT":
            groups.setdefault(code[0] if len(code) > 1 else "TOT", []).append(row)
    for parent, rows in groups.items():
        if parent not in at:
            continue
        residual = values[rows].sum(axis=0) - values[at[parent]]
        # Each number is rounded to a whole 10 thousand persons.
        allowed = 0.5 * (len(rows) + 1)
        size = np.nan_to_num(np.abs(residual), nan=0.0)
        if size.max(initial=0.0) > allowed:
            worst = int(size.argmax())
            raise SourceError(
                "source_unbalanced",
                file=file,
                table=PART,
                where=f"{parent} {years[worst]}",
                residual=f"{residual[worst]:.6g}",
                tolerance=f"{allowed:g}",
                unit=_UNIT,
                identity="section = sum of its divisions",
            )


def _classification() -> pa.Table:
    return table_of(
        "classification",
        {
            "classification": CLASSIFICATION,
            "version": VERSION,
            "name_zh": "中国分行业就业核算（Wang、Jia、Wang，2021）",
            "name_en": "Sectoral employment accounts of China (Wang, Jia and Wang 2021)",
            "publisher": "Wang, Jia and Wang",
            "kind": "industry",
        },
        part=PART,
        row=[1],
        col="Code",
    )


def _definition() -> pa.Table:
    return table_of(
        "indicator_def",
        {
            "indicator": "employment",
            "name_zh": "就业人员",
            "name_en": "Employed persons",
            "unit": _UNIT,
            "topic": "employment",
            "additive": True,
        },
        part=PART,
        row=[1],
        col="Code",
    )
