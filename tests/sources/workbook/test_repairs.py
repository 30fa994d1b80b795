from pathlib import Path

import pytest

from ronghe.errors import MappingError
from ronghe.sources.workbook import read_repairs
from tests.sources.workbook.helpers import excel_file, text_file

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
    every = {("表", 5, "省份"): "广东", ("表", 7, "省份"): "北京", ("", 8, "value"): "3"}
    assert read_repairs(raw.path) == every
    assert read_repairs(raw.path, "a.xlsx") == {("表", 5, "省份"): "广东"}


def test_a_cells_own_column_goes_before_its_field(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "row,column,col,mended\n5,value,F,3\n", "gb18030")
    assert read_repairs(raw.path) == {("", 5, "F"): "3"}


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
