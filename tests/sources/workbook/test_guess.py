from pathlib import Path

import pytest

from ronghe.errors import MappingError
from ronghe.model.table import Column, contract, contracts
from ronghe.sources.workbook import guess, read_mapping
from tests.sources.workbook.helpers import excel_file, parse, raw_file, reasons, rows_of, text_file


def sample(column: Column) -> str:
    """A text that the contract column takes."""
    if column.allowed:
        return column.allowed[0]
    if column.type in {"int", "float"}:
        return str(int(max(column.low or 0, min(2000, column.high or 2000))))
    texts = {"bool": "是", "date": "2020-01-02", "time": "2020-01-02 03:04:05", "list": "甲;乙"}
    named = {"region": "北京", "country": "中国", "row_region": "北京", "col_region": "上海", "unit": "万元"}
    return named.get(column.name) or texts.get(column.type) or f"文{column.name}"


@pytest.mark.parametrize("language", ["name", "name_zh", "name_en"])
@pytest.mark.parametrize("table", sorted(contracts()))
def test_headings_in_the_contracts_own_words_ingest_as_they_are(tmp_path: Path, table: str, language: str) -> None:
    columns = contract(table).columns
    headings = "\t".join(getattr(column, language) for column in columns)
    raw = text_file(tmp_path, headings + "\n" + "\t".join(map(sample, columns)) + "\n", name="p.tsv")
    draft = guess(raw, table)
    found = parse(raw, draft, table)
    assert not found.rejected, draft
    (row,) = rows_of(found)
    empty = [column.name for column in columns if row[column.name] is None]
    assert not empty, draft


def test_a_list_of_firms_is_recognised(tmp_path: Path) -> None:
    heading = "企业名单\n统一社会信用代码,企业名称,所在省,营业收入（亿元）,职工人数,传真\n"
    raw = text_file(tmp_path, heading + "A1,甲,北京,1.5,20,1\nA2,乙,广东,2,30,2\n", "gb18030")
    draft = guess(raw)
    mapping = read_mapping(draft)
    assert mapping.table == "organisation"
    assert mapping.source.header_rows == (2,)
    assert "传真" in draft
    rows = rows_of(parse(raw, draft, "organisation"))
    assert [(r["org_id"], r["region"], r["revenue"], r["employees"]) for r in rows] == [
        ("A1", "CN-11", 15000.0, 20.0),
        ("A2", "CN-44", 20000.0, 30.0),
    ]


def test_regions_by_years_are_recognised(tmp_path: Path) -> None:
    rows = [["R&D经费"], [None, None, "单位：亿元"], ["地区", 2019, "2020年"], ["北京", 1, 2], ["上海", 3, "…"]]
    raw = excel_file(tmp_path, {"表": rows, "说明": [["x"]]}, ["A1:C1"])
    draft = guess(raw)
    assert "说明" in draft
    found = parse(raw, draft, "indicator")
    assert [(r["region"], r["year"], r["value"], r["unit"], r["indicator"]) for r in rows_of(found)] == [
        ("CN-11", 2019, 1.0, "CNY_100m", "R&D经费"),
        ("CN-31", 2019, 3.0, "CNY_100m", "R&D经费"),
        ("CN-11", 2020, 2.0, "CNY_100m", "R&D经费"),
        ("CN-31", 2020, None, "CNY_100m", "R&D经费"),
    ]


def test_regions_by_indicators_are_recognised(tmp_path: Path) -> None:
    rows = [
        ["地区", "R&D经费（万元）", None, "专利"],
        [None, "基础", "应用", None],
        ["北京", 1, 2, 3],
        ["天津", 4, 5, 6],
    ]
    raw = excel_file(tmp_path, {"2020年": rows}, ["A1:A2", "B1:C1", "D1:D2"], name="科技.xlsx")
    found = parse(raw, guess(raw), "indicator")
    assert {(r["indicator"], r["unit"], r["year"]) for r in rows_of(found)} == {
        ("R&D经费 / 基础", "CNY_10k", 2020),
        ("R&D经费 / 应用", "CNY_10k", 2020),
        ("专利", "none", 2020),
    }
    assert len(rows_of(found)) == 6
    assert reasons(found) == {"header": 2}


@pytest.mark.parametrize("years_above", [True, False])
def test_years_and_indicators_in_two_header_rows_are_recognised(tmp_path: Path, years_above: bool) -> None:
    above, below = ["地区", 2019, None, 2020, None], [None, "产值（万元）", "专利（件）", "产值（万元）", "专利（件）"]
    if not years_above:
        above, below = ["地区", "产值（万元）", None, "专利（件）", None], [None, 2019, 2020, 2019, 2020]
    raw = excel_file(tmp_path, {"表": [above, below, ["北京", 1, 2, 3, 4]]}, ["A1:A2", "B1:C1", "D1:E1"])
    found = parse(raw, guess(raw), "indicator")
    got = {(r["indicator"], r["year"]): (r["value"], r["unit"]) for r in rows_of(found)}
    second, third = (2.0, 3.0) if years_above else (3.0, 2.0)
    assert got == {
        ("产值", 2019): (1.0, "CNY_10k"),
        ("专利", 2019): (second, "item"),
        ("产值", 2020): (third, "CNY_10k"),
        ("专利", 2020): (4.0, "item"),
    }


def test_what_is_missing_is_asked_for_in_both_languages(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "企业名称,备用\n甲,1\n")
    draft = guess(raw, "organisation")
    assert "# org_id = " in draft
    assert "必填" in draft
    assert "required" in draft
    with pytest.raises(MappingError) as caught:
        read_mapping(draft)
    assert caught.value.code == "mapping_required"
    with pytest.raises(MappingError):
        guess(raw, "organisaton")


def test_headings_with_quotes_and_line_ends_survive(tmp_path: Path) -> None:
    raw = excel_file(tmp_path, {'a"b': [["代\n码", '企业"名称"'], ["1", "甲"]]})
    toml = guess(raw, "organisation").replace('# org_id = "?"', 'org_id = "代码"')
    assert read_mapping(toml).source.sheet == 'a"b'


@pytest.mark.mirror
def test_a_clean_mirror_sheet_ingests_as_guessed(mirror: Path) -> None:
    path = mirror / "cn_st_yearbook/raw/part08-output__01-patent__03-valid__2016.xlsx"
    raw = raw_file(path)
    draft = guess(raw)
    found = parse(raw, draft, "indicator")
    assert not found.rejected, draft
    assert len(rows_of(found)) == found.records - 1 == 128
    assert {r["unit"] for r in rows_of(found)} == {"item"}


def test_a_heading_without_rows_is_no_reason_to_break(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "统一社会信用代码,企业名称,所在省\n")
    found = parse(raw, guess(raw, "organisation"), "organisation")
    assert (found.records, len(rows_of(found))) == (1, 0)
    assert [s.reason for s in found.skipped] == ["header"]
