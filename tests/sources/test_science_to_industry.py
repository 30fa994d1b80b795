"""Topics, technology fields and the concordance of science, technology and industry."""

from collections import defaultdict
from pathlib import Path

import pytest
from openpyxl import Workbook

from ronghe.errors import SourceError
from ronghe.model.classes import longest_prefix
from ronghe.sources.base import RawFile
from ronghe.sources.openalex_topics import OpenAlexTopics
from ronghe.sources.patent_industry_concordance import PatentIndustryConcordance
from ronghe.sources.patentsview import PatentsView
from ronghe.sources.technology_fields import science_codes, science_fields, technology_fields

from .raw import Parsed, raw_at, raw_file

IPC_HEAD = "Field_number,Sector_en,Sector_fr,Field_en,IPC_code,Updated_on,Remark\n"


def workbook(tmp_path: Path, name: str, sheets: dict[str, list[list[object]]]) -> RawFile:
    book = Workbook()
    book.remove(book.active)
    for title, lines in sheets.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    path = tmp_path / name
    book.save(path)
    return raw_at(path, f"concordance/{name}")


def sheets() -> dict[str, list[list[object]]]:
    title: list[list[object]] = [[None, "Shares"], [None, "Source"], []]
    return {
        "IPC classes by NACE sectors": [*title, [None, "NACE/IPC", "A01", "H04"], [None, 1, 0.25, 0],
                                        [None, 26, 0.75, 1], [None, "Total", 1, 1]],
        "WIPO35 classes by NACE sectors": [*title, [None, "NACE/WIPO35", "Optics"], [None, None, "W35F09"],
                                           [None, 26, "half"], [None, 27, 1.5], [None, "xx", 0.5]],
        "Scientific disc. by IPC classes": [*title, [None, "x", "Chemistry"], [None, None, 6], [None, "A01", 1]],
        "Scientific disc. by WIPO35 cl.": [*title, [None, "x", None, "Energy", "Alchemy"], [None, None, None, 12, 99],
                                           [None, "Optics", "W35F09", 1, 0.5]],
        "Notes": [["one", "two"]],
    }  # fmt: skip


def test_the_four_matrices(tmp_path: Path) -> None:
    found = Parsed(PatentIndustryConcordance(), workbook(tmp_path, "concordance_table.xlsx", sheets()))
    keys = ("from_classification", "from_code", "to_classification", "to_code", "weight", "_row", "_col")
    assert [tuple(r[k] for k in keys) for r in found.rows("crosswalk")] == [
        ("IPC", "A01", "NACE", "01", 0.25, 5, "C"),
        ("IPC", "A01", "NACE", "26", 0.75, 6, "C"),
        ("IPC", "H04", "NACE", "26", 1.0, 6, "D"),
        ("ASJC", "16", "IPC", "A01", 1.0, 6, "C"),
        ("ASJC", "21", "WIPO35", "09", 1.0, 6, "D"),
    ]
    assert [(r.reason, r.column, r.row, r.col) for r in found.rejected] == [
        ("type", "weight", 6, "C"),
        ("range", "weight", 7, "C"),
        ("unknown_code", "to_code", 8, "C"),
        ("unknown_code", "from_code", 6, "E"),
    ]
    assert found.reasons() == {"title": 8, "header": 23, "zero": 1, "subtotal": 2, "other_sheet": 2}


def test_a_workbook_without_a_matrix(tmp_path: Path) -> None:
    some = {name: lines for name, lines in sheets().items() if "IPC" in name}
    with pytest.raises(SourceError, match="WIPO35"):
        Parsed(PatentIndustryConcordance(), workbook(tmp_path, "concordance_table.xlsx", some))


def test_industries_hang_under_each_other(tmp_path: Path) -> None:
    lines: list[list[object]] = [["Sector", "Code", "Label"], ["A", "A", "FARMING"], ["A", "01", "Crops"],
                                 [None, "01.1", "Annual"], [None, "01.11", "Wheat"], [None, "", "Nothing"]]  # fmt: skip
    found = Parsed(PatentIndustryConcordance(), workbook(tmp_path, "nace.xlsx", {"NACE2": lines}))
    assert found.balance == (6, 5, 0, 1)
    assert [(r["code"], r["parent"], r["level"], r["name_en"]) for r in found.rows("industry")] == [
        ("A", None, 1, "Farming"),
        ("01", "A", 2, "Crops"),
        ("01.1", "01", 3, "Annual"),
        ("01.11", "01.1", 4, "Wheat"),
    ]


@pytest.mark.parametrize("name", ["nace.xlsx", "wipo.xlsx"])
def test_another_heading(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError) as caught:
        Parsed(PatentIndustryConcordance(), workbook(tmp_path, name, {"s": [["Kode", "Name"]]}))
    assert caught.value.code == "source_format"


def test_no_workbook(tmp_path: Path) -> None:
    for data, code in ((b"", "source_empty"), (b"<html>", "source_format")):
        with pytest.raises(SourceError) as caught:
            Parsed(PatentIndustryConcordance(), raw_file(tmp_path, "nace.xlsx", data))
        assert caught.value.code == code


def test_classes_to_fields(tmp_path: Path) -> None:
    text = IPC_HEAD + "1,E,E,x,B60C%,,\n10,I,I,x,H04N  17/%,2015,New\n99,I,I,x,H04N%,,\n2,E,E,x,H4%,,\n"
    found = Parsed(PatentsView(), raw_file(tmp_path, "ipc_technology.csv", text))
    assert found.balance == (5, 3, 0, 2)
    links = found.rows("crosswalk")
    assert [(r["from_code"], r["to_code"], r["note"]) for r in links] == [
        ("B60C", "01", None),
        ("H04N 17/", "10", "New; 2015"),
    ]
    table = {str(r["from_code"]): str(r["to_code"]) for r in links}
    assert [longest_prefix(code, table) for code in ("H04N 17/02", "B60C 1/00", "H04N 1/00")] == ["10", "01", None]
    assert len(found.rows("industry")) == 35


def test_labelled_inventors(tmp_path: Path) -> None:
    head = "mention_id,unique_id,raw_inventor_name_first,raw_inventor_name_last\n"
    found = Parsed(
        PatentsView(), raw_file(tmp_path, "ens-inventors.csv", head + "US1-2,7,Li,Wang\nUSD9-0,7,L.,Wang\nx,1,a,b\n")
    )
    assert found.balance == (3, 2, 0, 1)
    assert [(r["patent_id"], r["number"], r["inventor"]) for r in found.rows("labelled_inventor")] == [
        ("US1", 2, "ens:7"),
        ("USD9", 0, "ens:7"),
    ]


def test_the_names_are_whole() -> None:
    assert list(technology_fields()) == [f"{n:02d}" for n in range(1, 36)]
    assert list(science_fields()) == [str(n) for n in range(10, 37)]
    assert all(row["name_zh"] and row["name_en"] for row in (*technology_fields().values(), *science_fields().values()))


@pytest.mark.parametrize("data", [b"", b"<html>", b"RDX3\n"])
def test_no_topics(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError):
        Parsed(OpenAlexTopics(), raw_file(tmp_path, "data/topics.rda", data))


@pytest.mark.mirror
def test_the_mirror(mirror: Path) -> None:
    topics = Parsed(OpenAlexTopics(), raw_at(mirror / "openalex_topics/data/topics.rda", "data/topics.rda"))
    assert topics.balance == (4516, 4516, 0, 0)
    assert {(r["field_code"], r["field"]) for r in topics.rows("topic")} <= {
        (code, name) for name, code in science_codes().items()
    }
    folder = mirror / "patent_industry_concordance/concordance"
    links = Parsed(PatentIndustryConcordance(), raw_at(folder / "concordance_table.xlsx", "concordance_table.xlsx"))
    assert links.balance == (19019, 10927, 8092, 0)
    sums: dict[tuple[object, ...], float] = defaultdict(float)
    for r in links.rows("crosswalk"):
        sums[r["_part"], r["from_code"]] += float(str(r["weight"]))
    assert all(abs(total - 1) < 1e-9 for total in sums.values())
    industries = Parsed(PatentIndustryConcordance(), raw_at(folder / "nace.xlsx", "nace.xlsx")).rows("industry")
    codes = {r["code"] for r in industries}
    assert {r["to_code"] for r in links.rows("crosswalk") if r["to_classification"] == "NACE"} <= codes
    assert {r["parent"] for r in industries} - codes == {None}
    fields = Parsed(PatentIndustryConcordance(), raw_at(folder / "wipo.xlsx", "wipo.xlsx"))
    assert fields.balance == (36, 36, 0, 0)
    views = Parsed(PatentsView(), raw_at(mirror / "patentsview/ipc_technology.csv", "ipc_technology.csv"))
    assert views.balance == (765, 765, 0, 0)
    labels = Parsed(PatentsView(), raw_at(mirror / "patentsview/ens-inventors.csv", "ens-inventors.csv"))
    assert labels.balance == (10595, 10595, 0, 0)
