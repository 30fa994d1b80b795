from pathlib import Path
from typing import Any

import pytest

from ronghe.errors import MappingError
from ronghe.sources.workbook.headers import Header, build, guess_rows, locate, one_column
from ronghe.sources.workbook.mapping import SourceSpec
from ronghe.sources.workbook.reading import open_book
from tests.sources.workbook.helpers import excel_file, parse, rows_of, text_file


def sheet_of(folder: Path, rows: list[list[Any]], merges: tuple[str, ...] = ()) -> Any:
    return open_book(excel_file(folder, {"表": rows}, merges), SourceSpec()).sheets[0]


THREE = [
    ["各地区科技产出"],
    [None, None, None, None, "单位：件"],
    ["地区", "专利", None, None, "论文（篇）"],
    [None, "申请", "授权", None, None],
    [None, None, "发明", "实用\n新型", None],
    ["北京", 1, 2, 3, 4],
]
THREE_MERGES = ("A1:E1", "A3:A5", "B3:D3", "B4:B5", "C4:D4", "E3:E5")


def test_three_merged_rows(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, THREE, THREE_MERGES)
    assert guess_rows(sheet) == (3, 4, 5)
    header = build(sheet, (3, 4, 5))
    assert header.names == ("地区", "专利 / 申请", "专利 / 授权 / 发明", "专利 / 授权 / 实用新型", "论文（篇）")
    assert [header.unit(i) for i in range(1, 5)] == ["item"] * 4
    assert header.find("专利/授权/发明") == header.find("发明") == [2]
    assert header.find("论文") == [4]


def test_two_rows_whose_groups_are_not_merged(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "地区,经费（万元）,,人员\n,基础,应用,\n北京,1,2,3\n")
    sheet = open_book(raw, SourceSpec()).sheets[0]
    assert guess_rows(sheet) == (1, 2)
    header = build(sheet, (1, 2))
    assert header.names == ("地区", "经费（万元） / 基础", "经费（万元） / 应用", "人员")
    assert [header.unit(i) for i in range(4)] == [None, "CNY_10k", "CNY_10k", None]


def test_a_row_of_units_belongs_to_the_heading(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, [["企业", "收入", "人数"], [None, "(亿元)", "人"], ["甲", 1, 2]])
    assert guess_rows(sheet) == (1, 2)
    header = build(sheet, (1, 2))
    assert [header.unit(i) for i in range(3)] == [None, "CNY_100m", "person"]
    assert header.bare(1) == "收入"


def test_a_heading_merged_into_the_data_is_refused_with_the_place(tmp_path: Path) -> None:
    rows = [["t"], [None], ["地区", "值（万元）", None], [None, "a", "b"], ["北京", 1, 2], ["上海", 3, 4]]
    raw = excel_file(tmp_path, {"表": rows}, ["A3:A5", "B3:C3"])
    toml = '[columns]\nregion="地区"\nyear={value=2020}\nindicator={value="x"}\nvalue="a"\n'
    with pytest.raises(MappingError) as caught:
        parse(raw, toml, "indicator")
    said = caught.value.say("en")
    assert caught.value.code == "header_merged"
    for part in ("表", "row 3", "column A", "A3:A5", "header_rows = [3, 4]"):
        assert part in said
    mended = parse(raw, toml + "[source]\nheader_rows = [3, 4]", "indicator")
    assert [(r["region"], r["value"]) for r in rows_of(mended)] == [(None, 1), ("CN-31", 3)]


def test_two_columns_under_one_merged_heading_are_ambiguous(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, [["地区", "值", None], [None, None, None], ["北京", 1, 2]], ("A1:A2", "B1:C2"))
    header = build(sheet, (1, 2))
    with pytest.raises(MappingError) as caught:
        one_column(header, "值", "a.xlsx")
    assert caught.value.code == "mapping_ambiguous"
    assert "B, C" in caught.value.say("zh")
    assert "header_rows = [1, 2]" in caught.value.say("zh")


def test_the_mapping_helps_to_find_the_heading(tmp_path: Path) -> None:
    """Two lines of contact details look like a heading; the real one holds what the mapping asks for."""
    sheet = sheet_of(tmp_path, [["填报单位", "某局"], ["联系人", "某人"], ["代码", "名称"], ["1", "甲"]])
    assert locate(sheet, SourceSpec(), ["代码", "名称"], None).rows == (3,)
    assert locate(sheet, SourceSpec(header_rows=(2,)), [], None).names == ("联系人", "某人")
    with pytest.raises(MappingError):
        locate(sheet, SourceSpec(header_rows=(70,)), [], None)


def test_years_are_headings_but_numbers_are_not(tmp_path: Path) -> None:
    assert guess_rows(sheet_of(tmp_path, [["地区", 2019, "2020年"], ["北京", 1.5, 2]])) == (1,)
    assert guess_rows(sheet_of(tmp_path, [[1.5, 2], [3, 4]])) == ()


def test_units_come_from_the_nearest_text() -> None:
    header = Header("", (1, 2), (("金额（亿元）", "其中：出口（万元）"), ("金额（亿元）", "内销"), ("其他",)), "CNY")
    assert [header.unit(i) for i in range(3)] == ["CNY_10k", "CNY_100m", "CNY"]
