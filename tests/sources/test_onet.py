"""O*NET workbooks: small ones in the publisher's layout, and every row of the real ones."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from ronghe.errors import SourceError
from ronghe.sources.base import Source
from ronghe.sources.onet import Onet

from .raw import Parsed, raw_at, raw_file

RATED = ("O*NET-SOC Code", "Title", "Element ID", "Element Name", "Scale ID", "Scale Name", "Data Value", "N",
         "Standard Error", "Lower CI Bound", "Upper CI Bound", "Recommend Suppress", "Not Relevant", "Date",
         "Domain Source")  # fmt: skip
FIRST = ("11-1011.00", "Chiefs", "2.A.1.a", "Reading", "IM", "Importance", 4.12, 8, 0.125, 3.88, 4.37, "N", "",
         "08/2023", "Analyst")  # fmt: skip
SECOND = ("11-1011.00", "Chiefs", "2.A.1.a", "Reading", "LV", "Level", 4.62, 8, "n/a", "n/a", "n/a", "Y", "Y",
          "08/2023", "Analyst")  # fmt: skip


def book(*rows: Sequence[Any]) -> bytes:
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for n, row in enumerate(rows):
            sheet.write_row(n, 0, row)
    return out.getvalue()


def parsed(folder: Path, name: str, *rows: Sequence[Any]) -> Parsed:
    return Parsed(Onet(), raw_file(folder, name, book(*rows)))


def test_is_a_source(tmp_path: Path) -> None:
    assert isinstance(Onet(), Source)
    names = ("Skills.xlsx", "db/Skills.xlsx", "README.md", "Scales Reference.xlsx")
    assert [Onet().accepts(raw_file(tmp_path, n, b"x")) for n in names] == [True, True, False, False]


def test_importance_and_level_are_rows_of_their_own(tmp_path: Path) -> None:
    found = parsed(tmp_path, "Skills.xlsx", RATED, FIRST, SECOND)
    first, second = found.rows("skill_level")
    keys = ("scale", "value", "n", "standard_error", "low", "high", "suppress", "not_relevant", "date", "_row")
    assert tuple(first[k] for k in keys) == ("IM", 4.12, 8, 0.125, 3.88, 4.37, False, None, "2023-08", 2)
    assert tuple(second[k] for k in keys) == ("LV", 4.62, 8, None, None, None, True, True, "2023-08", 3)
    assert (first["occupation"], first["skill"], first["domain"]) == ("11-1011.00", "2.A.1.a", "skills")


def test_bad_rows_are_told_and_blank_ones_skipped(tmp_path: Path) -> None:
    bad = list(FIRST)
    bad[6], bad[7] = "high", 8.5
    nobody = ["", *FIRST[1:]]
    found = parsed(tmp_path, "Skills.xlsx", RATED, FIRST, [""], bad, nobody, SECOND)
    assert found.balance == (5, 2, 1, 2)
    assert [(r.row, r.column, r.value, r.reason) for r in found.rejected] == [
        (5, "occupation", "", "null"),
        (4, "value", "high", "type"),
        (4, "n", "8.5", "type"),
    ]
    assert [r["_row"] for r in found.rows("skill_level")] == [2, 6]


def test_occupations_and_zones(tmp_path: Path) -> None:
    code = "O*NET-SOC Code"
    found = parsed(tmp_path, "Occupation Data.xlsx", (code, "Title", "Description"), ("11-1011.00", "Chiefs", "Lead"))
    (row,) = found.rows("occupation")
    assert (row["classification"], row["version"], row["code"], row["title"]) == (
        "onet_soc", "2019", "11-1011.00", "Chiefs",
    )  # fmt: skip
    head = (code, "Title", "Job Zone", "Date", "Domain Source")
    found = parsed(tmp_path, "Job Zones.xlsx", head, ("11-1011.00", "Chiefs", 5, "08/2023", "Analyst"))
    assert found.rows("occupation_zone")[0]["job_zone"] == 5


def test_related_occupations(tmp_path: Path) -> None:
    head = ("O*NET-SOC Code", "Title", "Related O*NET-SOC Code", "Related Title", "Relatedness Tier", "Index")
    found = parsed(tmp_path, "Related Occupations.xlsx", head, ("a", "A", "b", "B", "Primary-Short", 1))
    (row,) = found.rows("occupation_link")
    assert (row["from_code"], row["to_code"], row["tier"], row["rank"]) == ("a", "b", "Primary-Short", 1)


def test_tasks_of_three_kinds(tmp_path: Path) -> None:
    code = "O*NET-SOC Code"
    head = (code, "Title", "Task ID", "Task", "Task Type", "Incumbents Responding", "Date", "Domain Source")
    lines = [
        ("a", "A", 8823, "Direct", "Core", 95, "08/2023", "x"),
        ("a", "A", 8824, "Plan", "", "n/a", "08/2023", "x"),
    ]
    first, second = parsed(tmp_path, "Task Statements.xlsx", head, *lines).rows("task")
    assert (first["task"], first["kind"], first["core"], first["n"]) == ("8823", "task", "Core", 95)
    assert (second["core"], second["n"]) == (None, None)

    head = (code, "Title", "Task", "Category", "Original Task ID", "Original Task", "Date", "Domain Source")
    lines = [
        ("a", "A", "Do new", "New", "", "", "08/2024", "x"),
        ("a", "A", "Do anew", "Revision", 7, "y", "08/2024", "x"),
    ]
    first, second = parsed(tmp_path, "Emerging Tasks.xlsx", head, *lines).rows("task")
    assert (first["kind"], first["text"], first["category"]) == ("emerging", "Do new", "New")
    assert first["task"] != second["task"]

    head = (code, "Title", "Example", "Commodity Code", "Commodity Title", "Hot Technology", "In Demand")
    found = parsed(tmp_path, "Technology Skills.xlsx", head, ("a", "A", "Python", 43232408, "Tools", "Y", "N"))
    (row,) = found.rows("task")
    assert (row["task"], row["text"], row["category"]) == ("43232408:Python", "Python", "Tools")
    assert (row["hot"], row["in_demand"], row["kind"]) == (True, False, "technology")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "source_empty"),
        (b"O*NET-SOC Code\tTitle\n", "source_format"),
        (book(RATED, FIRST)[:-900], "source_format"),
        (book(("Title", "Value"), ("a", 1)), "source_format"),
        (book(), "source_format"),
    ],
)
def test_not_this_format(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        Parsed(Onet(), raw_file(tmp_path, "Skills.xlsx", data))
    assert caught.value.code == code


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("Occupation Data.xlsx", 1016),
        ("Job Zones.xlsx", 923),
        ("Related Occupations.xlsx", 18460),
        ("Skills.xlsx", 61530),
        ("Task Statements.xlsx", 18796),
        ("Emerging Tasks.xlsx", 295),
        ("Technology Skills.xlsx", 32681),
    ],
)
def test_the_mirror(mirror: Path, name: str, rows: int) -> None:
    found = Parsed(Onet(), raw_at(mirror / "onet" / name, name))
    assert found.balance == (rows, rows, 0, 0)
