from pathlib import Path

import pytest

from ronghe.errors import MappingError
from ronghe.sources.workbook import read_repairs
from tests.sources.workbook.helpers import excel_file, parse, rows_of, text_file

ZH = ["文件", "工作表", "行", "列", "原值", "原因", "应为", "更正"]
EN = ["file", "part", "row", "column", "value", "reason", "expected", "mended"]


@pytest.mark.parametrize("headings", [ZH, EN])
def test_the_exported_sheet_comes_back(tmp_path: Path, headings: list[str]) -> None:
    rows = [
        headings,
        ["a.xlsx", "表", 5, "省份", "广冻", "", "", "广东"],
        ["a.xlsx", "表", 6, "省份", "某", "", "", None],
        ["b.xlsx", "表", 7, "省份", "某", "", "", "北京"],
        ["x/a.xlsx", "", 8, "value", "某", "", "", " 3 "],
    ]
    raw = excel_file(tmp_path, {"更正": rows})
    every = {("表", 5, "省份", ""): "广东", ("表", 7, "省份", ""): "北京", ("", 8, "value", ""): "3"}
    assert read_repairs(raw.path) == every
    assert read_repairs(raw.path, "a.xlsx") == {("表", 5, "省份", ""): "广东"}


WIDE = "地区,投入（万元）,产出（万元）\n内蒙占,1,2\n北京,x,4\n"
WIDE_MAP = """[columns]
region = "地区"
year = { value = 2020 }
[melt]
into = "indicator"
[melt.columns]
"投入（万元）" = "rd"
"产出（万元）" = "output"
"""


def test_where_each_cell_is_a_record_a_fault_of_the_row_is_mended_in_the_row(tmp_path: Path) -> None:
    raw = text_file(tmp_path, WIDE)
    before = parse(raw, WIDE_MAP, "indicator")
    assert {(r.row, r.col, r.column) for r in before.rejected} == {
        (2, "B", "地区"), (2, "C", "地区"), (3, "B", "投入（万元）"),
    }  # fmt: skip
    lines = "".join(f"{r.row},{r.column},{r.col},{'内蒙古' if r.row == 2 else 3}\n" for r in before.rejected)
    repairs = read_repairs(text_file(tmp_path, "row,column,col,mended\n" + lines, name="mend.csv").path)
    found = parse(raw, WIDE_MAP, "indicator", repairs)
    assert found.rejected == []
    said = sorted((r["region"], r["indicator"], r["value"]) for r in rows_of(found))
    assert said == [("CN-11", "output", 4.0), ("CN-11", "rd", 3.0), ("CN-15", "output", 2.0), ("CN-15", "rd", 1.0)]
    torn = {("", 2, "地区", "B"): "内蒙古", ("", 2, "地区", "C"): "北京"}
    with pytest.raises(MappingError) as caught:
        parse(raw, WIDE_MAP, "indicator", torn)
    assert caught.value.code == "repair_twice"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("行,列,原值\n1,a,b\n", "repair_sheet"),
        ("行,列,更正\nx,a,b\n", "repair_row"),
        ("行,列,更正\n1,a,b\n1,a,c\n", "repair_twice"),
    ],
)
def test_a_sheet_that_can_not_be_followed(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(MappingError) as caught:
        read_repairs(text_file(tmp_path, text).path)
    assert caught.value.code == code
