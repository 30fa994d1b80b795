"""From a file and a mapping to rows of a contract."""

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ronghe.errors import MappingError
from ronghe.i18n import translate
from ronghe.sources.base import Source
from ronghe.sources.workbook import WorkbookSource, read_mapping
from tests.sources.workbook.helpers import excel_file, parse, raw_file, reasons, rows_of, text_file

FIRMS = """
[columns]
org_id = { from = "统一社会信用代码", prefix = "uscc:" }
name = "企业名称"
region = "省份"
revenue = "营业收入（亿元）"
employees = "从业人员"
founded = "成立日期"
type = { from = "类型", map = { "企业" = "company", "高校" = "education" }, default = "company" }
country = { value = "中国" }
"""
FIRMS_CSV = (
    "2020年高新技术企业名单,,,,,,\n"
    "统一社会信用代码,企业名称,省份,营业收入（亿元）,从业人员,成立日期,类型\n"
    'A1, 甲\u3000公司 ,广 东,"1,234.5",１２３,2001年5月6日,企业\n'
    "A2,乙公司,内蒙古自治区,—,-5,1999,高校\n"
    "A3,丙公司,广冻省,1,2,2000,\n"
    "A4,丁公司,上海,abc,约20,2000,\n"
    ",,,,,,\n"
    "合 计,,,9,9,,\n"
    "注：数据为年报数。,,,,,,\n"
    "第二行注释,,,,,,\n"
)


def wide(folder: Path, rows: list[list[object]], merges: tuple[str, ...] = ()) -> object:
    return excel_file(folder, {"表": rows}, merges)


def test_it_is_a_source() -> None:
    source = WorkbookSource("organisation", read_mapping(FIRMS, "organisation"))
    assert isinstance(source, Source)
    assert (source.name, source.tables) == ("workbook", ("organisation",))
    with pytest.raises(MappingError):
        WorkbookSource("work", read_mapping(FIRMS, "organisation"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_list_of_firms(tmp_path: Path, encoding: str) -> None:
    raw = text_file(tmp_path, FIRMS_CSV, encoding)
    found = parse(raw, FIRMS, "organisation")
    first, second = rows_of(found)
    assert first["org_id"] == "uscc:A1"
    assert (first["name"], first["region"], first["revenue"], first["employees"]) == (
        "甲 公司",
        "CN-44",
        12345000.0,
        123,
    )
    assert (first["founded"], first["type"], first["country"]) == (2001, "company", "CHN")
    assert (first["_part"], first["_row"], first["_col"]) == ("", 3, None)
    assert (second["revenue"], second["employees"], second["type"]) == (None, -5.0, "education")
    assert reasons(found) == {"title": 1, "header": 1, "blank": 1, "subtotal": 1, "footnote": 2}
    assert [(r.row, r.column, r.value, r.reason) for r in found.rejected] == [
        (5, "省份", "广冻省", "unknown_region"),
        (6, "营业收入（亿元）", "abc", "type"),
    ]
    near, number = (fault.expected for fault in found.rejected)
    assert translate("zh", near).startswith("已知的名称或代码；相近的有：")
    assert "广东（CN-44）" in translate("zh", near)
    assert "Guangdong (CN-44)" in translate("en", near)
    assert translate("zh", number) == "数字，如 1234.5、1,234.5、12%"
    assert found.records == 10


def test_repairs_are_read_instead_and_told(tmp_path: Path) -> None:
    raw = text_file(tmp_path, FIRMS_CSV)
    mended = {
        ("", 5, "省份", ""): "广东",
        ("", 6, "revenue", ""): "7",
        ("", 4, "E", ""): "5",
        ("", 3, "企业名称", ""): " 甲\u3000公司 ",
    }
    found = parse(raw, FIRMS, "organisation", mended)
    assert [row["_row"] for row in rows_of(found)] == [3, 4, 5, 6]
    assert not found.rejected
    assert {(r.row, r.column, r.old, r.new, r.reason) for r in found.repairs} == {
        (5, "省份", "广冻省", "广东", "user"),
        (6, "营业收入（亿元）", "abc", "7", "user"),
        (4, "从业人员", "-5", "5", "user"),
    }
    for key in (("", 5, "省", ""), ("", 2, "省份", ""), ("", 99, "省份", ""), ("表", 5, "省份", "")):
        with pytest.raises(MappingError) as caught:
            parse(raw, FIRMS, "organisation", {key: "x"})
        assert caught.value.code == "repair_cell"


def test_rows_that_do_not_fit_their_table(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "a,b\n1,x\n2,x,\n3,x,stray\n4\n" + "5,y\n" * 300 + "6,z,stray\n7,z,,\n", name="a.tsv")
    found = parse(raw, '[columns]\norg_id = "a"\nname = "b"', "organisation")
    assert [(r.row, r.reason) for r in found.rejected] == [(4, "ragged"), (306, "ragged")]
    assert [row["org_id"] for row in rows_of(found)] == ["1", "2", "4", *["5"] * 300, "7"]
    assert rows_of(found)[2]["name"] is None


def test_units_are_settled_or_asked_for(tmp_path: Path) -> None:
    def revenue(heading: str, cell: str, spec: str) -> object:
        raw = text_file(tmp_path, f"id|名称|{heading}\n1|甲|{cell}\n")
        toml = f'[columns]\norg_id = "id"\nname = "名称"\nrevenue = {spec.replace("H", heading)}'
        return rows_of(parse(raw, toml, "organisation"))[0]["revenue"]

    assert revenue("收入(万元)", "1.1", '"H"') == 1.1
    assert revenue("收入（亿元）", "1.1", '"H"') == 11000.0
    assert revenue("收入/元", "1", '"H"') == 0.0001
    assert revenue("收入", "2", '{ from = "H", unit = "亿元" }') == 20000.0
    assert revenue("收入（万元）", "2", '{ from = "收入", unit = "CNY_100m" }') == 20000.0
    for heading, code in (("收入", "mapping_unit_missing"), ("收入（万美元）", "mapping_unit_differs")):
        with pytest.raises(MappingError) as caught:
            revenue(heading, "1", '"H"')
        assert caught.value.code == code


def test_a_heading_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "代码,企业名称\n1,甲\n")
    with pytest.raises(MappingError) as caught:
        parse(raw, '[columns]\norg_id = "代码"\nname = "企业名"', "organisation")
    assert (caught.value.code, caught.value.known[0]) == ("mapping_header", "企业名称")


def test_regions_by_years(tmp_path: Path) -> None:
    rows = [
        ["R&D经费"],
        [None, None, None, "单位：亿元"],
        ["地区", 2010, "2011年", "2012 年"],
        ["全　国", 1.1, 2, 3],
        ["北京", 1, "…", None],
        ["某地", 1, "x", None],
        ["资料来源：统计局"],
    ]
    raw = excel_file(tmp_path, {"表": rows}, ["A1:D1"])
    toml = """
    [columns]
    region = "地区"
    indicator = { value = "rd" }
    unit = { value = "CNY_10k" }
    [melt]
    pattern = '(?P<year>\\d{4})\\s*年?'
    """
    found = parse(raw, toml, "indicator")
    got = {(r["region"], r["year"]): (r["value"], r["unit"], r["_row"], r["_col"]) for r in rows_of(found)}
    assert got == {
        ("CHN", 2010): (11000.0, "CNY_10k", 4, "B"),
        ("CHN", 2011): (20000.0, "CNY_10k", 4, "C"),
        ("CHN", 2012): (30000.0, "CNY_10k", 4, "D"),
        ("CN-11", 2010): (10000.0, "CNY_10k", 5, "B"),
        ("CN-11", 2011): (None, "CNY_10k", 5, "C"),
    }
    assert {(r.row, r.col, r.reason) for r in found.rejected} == {
        (6, "B", "unknown_region"),
        (6, "C", "unknown_region"),
        (6, "C", "type"),
    }
    assert reasons(found) == {"title": 1, "unit_line": 1, "header": 1, "footnote": 1, "blank": 2}
    with_totals = parse(raw, toml + '[totals]\nlabels = ["全国"]', "indicator")
    assert reasons(with_totals)["subtotal"] == 3


def test_regions_by_indicators_under_a_merged_heading(tmp_path: Path) -> None:
    rows = [
        ["地区", "R&D经费（万元）", None, "专利（件）"],
        [None, "基础研究", "应用研究", None],
        ["甲", "1", "2", "3"],
        ["北京", 1.5, 2, "1,200"],
        ["总计", 1, 1, 1],
    ]
    raw = excel_file(tmp_path, {"2020年": rows}, ["A1:A2", "B1:C1", "D1:D2"])
    toml = """
    [columns]
    region = "地区"
    year = { sheet = '(\\d{4})' }
    [melt]
    into = "indicator"
    [melt.columns]
    "R&D经费（万元） / 基础研究" = "rd_basic"
    "应用研究" = { indicator = "rd_applied", unit = "亿元" }
    "专利" = "patents"
    """
    found = parse(raw, toml, "indicator")
    got = {r["indicator"]: (r["value"], r["unit"], r["year"], r["_col"], r["raw_name"]) for r in rows_of(found)}
    assert got == {
        "rd_basic": (1.5, "CNY_10k", 2020, "B", "R&D经费（万元） / 基础研究"),
        "rd_applied": (2.0, "CNY_100m", 2020, "C", "R&D经费（万元） / 应用研究"),
        "patents": (1200.0, "item", 2020, "D", "专利（件）"),
    }
    assert reasons(found) == {"header": 3, "subtotal": 3}


def test_indicators_down_regions_across(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "指标,单位,北京,广冻\nGDP,亿元,1,2\n人口,万人,3,\n")
    columns = '[columns]\nindicator = "指标"\nunit = "单位"\nyear = { value = "2020年" }\n'
    toml = columns + '[melt]\ninto = "region"\ncolumns = ["北京", "广冻"]'
    found = parse(raw, toml, "indicator")
    assert [(r["region"], r["indicator"], r["value"], r["unit"], r["year"]) for r in rows_of(found)] == [
        ("CN-11", "GDP", 1.0, "CNY_100m", 2020),
        ("CN-11", "人口", 3.0, "person_10k", 2020),
    ]
    assert [(r.row, r.col, r.reason, r.value) for r in found.rejected] == [(2, "D", "unknown_region", "广冻")]


def test_a_list_states_each_rows_unit(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "地区,年,指标,数值,单位\n北京,2020,a,1,万元\n北京,2020,b,1,斗\n北京,2020,c,5%,%\n")
    toml = '[columns]\nregion="地区"\nyear="年"\nindicator="指标"\nvalue="数值"\nunit="单位"'
    found = parse(raw, toml, "indicator")
    assert [(r["unit"], r["industry"]) for r in rows_of(found)] == [("CNY_10k", "ALL")]
    assert [(r.row, r.reason) for r in found.rejected] == [(4, "type"), (3, "unknown_unit")]


def test_a_city_names_its_own_districts(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "区县,2020\n440305,1\n福田区,2\n虚构区,3\n")
    spec = '{ from = "区县", map = { "福田区" = "CN-440304" } }'
    columns = f'[columns]\nregion = {spec}\nindicator = {{ value = "x" }}\nunit = {{ value = "none" }}\n'
    toml = columns + '[melt]\ninto = "year"\npattern = "2020"'
    assert [r["region"] for r in rows_of(parse(raw, toml, "indicator"))] == ["CN-440305", "CN-440304"]
    kept = parse(raw, toml.replace("map =", "resolve = false, map ="), "indicator")
    assert [r["region"] for r in rows_of(kept)] == ["440305", "CN-440304", "虚构区"]


def test_labels_merged_or_left_blank_below_their_first_row(tmp_path: Path) -> None:
    rows = [["地区", "年", "值（万元）"], ["北京", 2019, 1], [None, 2020, 2], ["上海", 2019, None], [None, 2020, 4]]
    toml = '[columns]\nregion = "地区"\nyear = "年"\nvalue = "值"\nindicator = { value = "x" }'
    merged = parse(excel_file(tmp_path, {"表": rows}, ["A2:A3", "A4:A5", "C4:C5"]), toml, "indicator")
    assert [(r["region"], r["value"]) for r in rows_of(merged)] == [
        ("CN-11", 1),
        ("CN-11", 2),
        ("CN-31", None),
        ("CN-31", None),
    ]
    plain = excel_file(tmp_path, {"表": rows})
    assert [r["region"] for r in rows_of(parse(plain, toml, "indicator"))] == ["CN-11", None, "CN-31", None]
    filled = parse(plain, toml.replace('"地区"', '{ from = "地区", fill_down = true }'), "indicator")
    assert [r["region"] for r in rows_of(filled)] == ["CN-11", "CN-11", "CN-31", "CN-31"]


def test_other_sheets_and_rows_left_out_are_counted(tmp_path: Path) -> None:
    rows = [["id", "name"], [1, "a"], ["id", "name"], [2, "b"], [3, "c"], [4, "d"]]
    raw = excel_file(tmp_path, {"一": rows, "二": rows[:3]})
    toml = '[columns]\norg_id="id"\nname="name"\n[source]\nskip_rows = [4]\nlast_row = 5'
    found = parse(raw, toml, "organisation")
    assert [r["org_id"] for r in rows_of(found)] == ["1", "3"]
    assert reasons(found) == {"header": 2, "by_mapping": 2, "other_sheet": 3}
    both = parse(raw, toml.replace("[source]", '[source]\nsheet = "*"'), "organisation")
    assert [(r["_part"], r["org_id"]) for r in rows_of(both)] == [("一", "1"), ("一", "3"), ("二", "1")]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [7, 8], "name": ["甲", None], "at": pa.array([0, 1], pa.timestamp("us"))}), path)
    found = parse(raw_file(path), '[columns]\norg_id="id"\nname="name"\nfounded="at"', "organisation")
    assert [(r["org_id"], r["name"], r["founded"], r["_row"]) for r in rows_of(found)] == [
        ("7", "甲", 1970, 1),
        ("8", None, 1970, 2),
    ]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_heading_without_rows_gives_none(tmp_path: Path, end: str) -> None:
    toml = '[columns]\nregion="地区"\nyear={value=2020}\n[melt]\ninto="indicator"\ncolumns=["a（个）"]'
    found = parse(text_file(tmp_path, "地区,a（个）" + end), toml, "indicator")
    assert rows_of(found) == []
    assert found.records == 1 + (end == "\n\n")


def test_missing_marks_may_be_named_or_replaced(tmp_path: Path) -> None:
    raw = text_file(tmp_path, "id,name,n（人）\nNA,甲,无\n2,—,-\n")
    toml = '[columns]\norg_id={from="id", missing=[]}\nname="name"\nemployees="n（人）"\n[missing]\nvalues=["无"]'
    assert [(r["org_id"], r["name"], r["employees"]) for r in rows_of(parse(raw, toml, "organisation"))] == [
        ("NA", "甲", None),
        ("2", None, None),
    ]
    replaced = parse(raw, toml + "\nreplace = true", "organisation")
    assert [r.value for r in replaced.rejected] == ["-"]


NUMBERS = st.floats(-1e9, 1e9).map(lambda x: repr(round(x, 4))) | st.sampled_from(
    ["", "—", "abc", "1,234", "12%", "注：x"]
)
PLACES = st.sampled_from(["北京", "上　海", "广冻", "合计", "", "全国", "注：说明", "地区", "资料来源：某局"])


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.lists(NUMBERS, min_size=0, max_size=4).flatmap(lambda n: PLACES.map(lambda p: [p, *n])), max_size=15
    ),
    title=st.booleans(),
    melt=st.booleans(),
)
def test_whatever_the_rows_hold_the_records_balance(
    tmp_path: Path, rows: list[list[str]], title: bool, melt: bool
) -> None:
    """``parse`` asserts it chunk by chunk; here the records are those of the file besides."""
    out = io.StringIO(newline="")
    lines = [["某年某表"]] * title + [["地区", "a（万元）", "b（万元）", "c（万元）"], *rows]
    csv.writer(out, lineterminator="\n").writerows(lines)
    raw = text_file(tmp_path, out.getvalue())
    shape = '[melt]\ninto="indicator"\ncolumns=["a（万元）","b（万元）","c（万元）"]' if melt else ""
    listed = "" if melt else 'value="a（万元）"\nindicator={value="i"}\n'
    found = parse(raw, f'[columns]\nregion="地区"\nyear={{value=2020}}\n{listed}{shape}', "indicator")
    whole = sum(s.count for s in found.skipped if s.reason in {"title", "header", "footnote"} and s.row)
    whole += sum(r.reason == "ragged" for r in found.rejected)
    empty = sum(not any(cell.strip() for cell in row) for row in rows)
    assert found.records == (whole + empty + 3 * (len(lines) - whole - empty) if melt else len(lines))
