"""The quarantine as a sheet a user can mend: fill in the last column, give it back with ``--repairs``."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ronghe.brain import Brain
from ronghe.export import format_of
from ronghe.export.files import draft
from ronghe.i18n import translate
from ronghe.model.serial import unpacked
from ronghe.model.text import Text

FORMATS = ("xlsx", "csv")
COLUMNS = ("dataset", "file", "part", "row", "col", "column", "value", "reason", "expected", "mended")


def write_sheet(brain: Brain, path: Path, lang: str, load: str | None = None) -> int:
    """Write every faulty value of the snapshot, or of one load, to an .xlsx or .csv file.

    Returns
    -------
    How many there are.

    Raises
    ------
    RongheError : the file's ending is neither ``.xlsx`` nor ``.csv``.
    LakeError : the file can't be written; see ``draft``.
    """
    kind = format_of(path, FORMATS)
    snapshot = brain.snapshot
    if load is not None:
        snapshot = replace(snapshot, loads=(snapshot.load(load),))
    faults = brain.lake.quarantine(snapshot).to_pylist()
    lines = [[cell(row, name, lang) for name in COLUMNS] for row in faults]
    heading = [translate(lang, Text(f"quarantine.{name}")) for name in COLUMNS]
    with draft(path) as made:
        if kind == "csv":
            with made.open("w", encoding="utf-8-sig", newline="") as stream:
                csv.writer(stream).writerows([heading, *lines])
        else:
            _xlsx(made, heading, lines)
    return len(lines)


def cell(row: Mapping[str, Any], name: str, lang: str) -> Any:
    """What a column says of a fault; reason and what was expected in the reader's language."""
    if name == "reason":
        return translate(lang, Text(f"reject.{row[name]}"))
    if name == "expected":
        return translate(lang, unpacked(row[name], row["args"]))
    return row.get(name, "") if row.get(name) is not None else ""


def _xlsx(path: Path, heading: list[str], lines: list[list[Any]]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("quarantine")
        bold, fill = book.add_format({"bold": True, "bottom": 1}), book.add_format({"bg_color": "#FFF7D6"})
        sheet.write_row(0, 0, heading, bold)
        for number, line in enumerate(lines, start=1):
            for column, value in enumerate(line):
                if isinstance(value, int):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, str(value))
            sheet.write_blank(number, len(COLUMNS) - 1, None, fill)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(COLUMNS) - 1, 18)
