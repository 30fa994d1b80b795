"""Tiny files written on the spot, and what the source makes of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl

from ronghe.i18n import has
from ronghe.sources.base import Chunk, RawFile
from ronghe.sources.workbook import WorkbookSource, read_mapping


def raw_file(path: Path) -> RawFile:
    return RawFile(path, "user", path.name, "0" * 64, path.stat().st_size)


def text_file(folder: Path, text: str, encoding: str = "utf-8", name: str = "a.csv") -> RawFile:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return raw_file(path)


def excel_file(
    folder: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], merges: Sequence[str] = (), name: str = "a.xlsx"
) -> RawFile:
    """An .xlsx; the merges go to its first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    for merge in merges:
        book.worksheets[0].merge_cells(merge)
    path = folder / name
    book.save(path)
    return raw_file(path)


def parse(raw: RawFile, toml: str, table: str, repairs: Mapping[tuple[str, int, str, str], str] | None = None) -> Chunk:
    """All chunks as one, after the balance that the lake asserts was checked on each."""
    chunks = list(WorkbookSource(table, read_mapping(toml, table), repairs).parse(raw))
    for chunk in chunks:
        balanced(chunk)
    rows: list[dict[str, Any]] = []
    for chunk in chunks:
        for found in chunk.rows.values():
            rows += found.to_pylist()
    return Chunk(
        sum(c.records for c in chunks),
        {table: rows},  # type: ignore[dict-item]
        [s for c in chunks for s in c.skipped],
        [r for c in chunks for r in c.rejected],
        [r for c in chunks for r in c.repairs],
    )


def balanced(chunk: Chunk) -> None:
    accepted = {(r["_part"], r["_row"], r["_col"]) for t in chunk.rows.values() for r in t.to_pylist()}
    rejected = {(r.part, r.row, r.col) for r in chunk.rejected}
    assert not accepted & rejected
    assert chunk.records == len(accepted) + len(rejected) + sum(s.count for s in chunk.skipped)
    assert all(has(f"skip.{s.reason}") for s in chunk.skipped)
    assert all(has(f"reject.{r.reason}") for r in chunk.rejected)


def rows_of(chunk: Chunk) -> list[dict[str, Any]]:
    return [row for rows in chunk.rows.values() for row in rows]


def reasons(chunk: Chunk) -> dict[str, int]:
    found: dict[str, int] = {}
    for skip in chunk.skipped:
        found[skip.reason] = found.get(skip.reason, 0) + skip.count
    return found
