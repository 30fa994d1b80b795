"""The yearbook: tiny files in its publisher's layouts, and (marked) every real file."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import rdata
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.errors import SourceError
from ronghe.i18n import has, translate
from ronghe.model.regions import provinces
from ronghe.model.units import units
from ronghe.sources.base import Chunk, RawFile, Source
from ronghe.sources.cn_st_yearbook import CnStYearbook
from ronghe.sources.cn_yearbook_panel import indicators, number_of, repairs, year_of

HEADER = ["province", "year", "chn_block4", "value", "units", "variables"]
SOURCE = CnStYearbook()


def raw_file(path: Path, name: str) -> RawFile:
    data = path.read_bytes()
    return RawFile(path, "cn_st_yearbook", name, hashlib.sha256(data).hexdigest(), len(data))


def parse(path: Path, name: str) -> list[Chunk]:
    chunks = list(SOURCE.parse(raw_file(path, name)))
    for chunk in chunks:
        assert_balanced(chunk)
    return chunks


def assert_balanced(chunk: Chunk) -> None:
    rejected = {(r.part, r.row, r.col) for r in chunk.rejected}
    accepted: set[tuple[Any, ...]] = set()
    for table in chunk.rows.values():
        accepted |= set(zip(*(table[name].to_pylist() for name in ("_part", "_row", "_col")), strict=True))
    assert not accepted & rejected
    assert chunk.records == len(accepted) + len(rejected) + sum(s.count for s in chunk.skipped)
    assert all(has(f"skip.{s.reason}") for s in chunk.skipped)
    assert all(has(f"reject.{r.reason}") for r in chunk.rejected)
    assert all(has(f"repair.{r.reason}") for r in chunk.repairs)


def sheet(tmp_path: Path, rows: Iterable[Sequence[Any]], name: str = "part01-over__01-labor-hour__2013.xlsx") -> Path:
    path = tmp_path / name
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("Sheet 1")
        for number, cells in enumerate(rows):
            page.write_row(number, 0, cells)
    return path


def rda(tmp_path: Path, name: str, frame: pd.DataFrame) -> Path:
    path = tmp_path / f"{name}.rda"
    rdata.write_rda(path, {name: frame})
    return path


def panel(rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=HEADER)


def rows_of(chunks: list[Chunk], table: str = "indicator") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for chunk in chunks:
        if table in chunk.rows:
            found += chunk.rows[table].to_pylist()
    return found


def test_is_a_source() -> None:
    assert isinstance(SOURCE, Source)


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("data/RDActivity.rda", True),
        ("data/BasicDistrict.rda", True),
        ("raw/part01-over__01-labor-hour__2010.xlsx", True),
        ("tables/PubNKRDP.csv", True),
        ("README.txt", False),
        ("data/LivestockBreeding.rda", False),
        ("csv_converted/RDActivity.csv", False),
    ],
)
def test_accepts_its_own_files_only(tmp_path: Path, name: str, accepted: bool) -> None:
    assert SOURCE.accepts(RawFile(tmp_path, "cn_st_yearbook", name, "", 1)) is accepted


def test_sheet_in_the_publishers_layout(tmp_path: Path) -> None:
    path = sheet(
        tmp_path,
        [
            HEADER,
            ["全   国", "2010", "合计", 300.0, "人年", "v4_zh_qsdl_hj"],
            ["北\u3000京", "2010", "合计", 100.5, "人年", "v4_zh_qsdl_hj"],
            ["内蒙 古", "2010", "合计", "1,200", "人年", "v4_zh_qsdl_hj"],
        ],
    )
    (chunk,) = parse(path, "raw/part01-over__01-labor-hour__2010.xlsx")
    rows = rows_of([chunk])
    assert [(r["region"], r["year"], r["value"], r["_row"]) for r in rows] == [
        ("CHN", 2010, 300.0, 2),
        ("CN-11", 2010, 100.5, 3),
        ("CN-15", 2010, 1200.0, 4),
    ]
    assert (
        rows[0].items()
        >= {
            "region": "CHN",
            "industry": "ALL",
            "indicator": "rd_personnel",
            "year": 2010,
            "value": 300.0,
            "unit": "person_year",
            "raw_name": "合计 [v4_zh_qsdl_hj]",
            "_part": "Sheet 1",
            "_row": 2,
            "_col": None,
        }.items()
    )
    assert [s.reason for s in chunk.skipped] == ["header"]
    assert chunk.repairs == []


def test_title_blank_line_footnote_and_reordered_columns(tmp_path: Path) -> None:
    path = sheet(
        tmp_path,
        [
            ["各地区研究与试验发展人员"],
            [],
            ["variables", "value", "units", "province", "year", "chn_block4"],
            ["v4_zh_qsdl_hj", 7, "人年", "广东", "2013年", "合计"],
            ["注：本表不含港澳台。"],
        ],
    )
    (chunk,) = parse(path, "raw/x.xlsx")
    assert Counter(s.reason for s in chunk.skipped) == {"title": 1, "blank": 1, "header": 1, "footnote": 1}
    assert [(r["region"], r["year"], r["value"], r["_row"]) for r in rows_of([chunk])] == [("CN-44", 2013, 7.0, 4)]


def test_second_sheet_without_the_header_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("Sheet 1")
        page.write_row(0, 0, HEADER)
        page.write_row(1, 0, ["浙江", "2016", "合计", 1, "人年", "v4_zh_qsdl_hj"])
        book.add_worksheet("说明").write(1, 0, "扫描自印刷页")
    chunks = parse(path, "raw/two.xlsx")
    assert [len(rows_of([chunk])) for chunk in chunks] == [1, 0]
    assert [s.reason for s in chunks[1].skipped] == ["blank", "not_data"]


def test_misread_names_are_mended_and_logged(tmp_path: Path) -> None:
    rows = [
        ["内蒙占", "2013", "合计", 5, "人年", "v4_zh_qsdl_hj"],
        ["两藏", "2013", "合计", 6, "人年", "v4_zh_qsdl_hj"],
    ]
    (chunk,) = parse(sheet(tmp_path, [HEADER, *rows]), "raw/x.xlsx")
    assert [r["region"] for r in rows_of([chunk])] == ["CN-15", "CN-54"]
    assert [(r.row, r.column, r.old, r.new, r.reason) for r in chunk.repairs] == [
        (2, "province", "内蒙占", "内蒙古", "misread_name"),
        (3, "province", "两藏", "西藏", "misread_name"),
    ]


def test_units_are_mended_by_the_table_only(tmp_path: Path) -> None:
    rows = [
        ["北京", "2010", "企业数", 5, "", "v4_cy_scjy_qys"],
        ["北京", "2018", "利润总额", -0.1, "个,亿元", "v4_cy_scjy_lrze"],
        ["北京", "2020", "人员折合全时当量", 62, "万元", "v4_cy_RDhd_qsdl"],
        ["北京", "2016", "利润总额", 3, "亿元", "v4_cy_scjy_lrze"],
        ["北京", "2016", "利润总额", 3, "吨", "v4_cy_scjy_lrze"],
    ]
    (chunk,) = parse(sheet(tmp_path, [HEADER, *rows]), "raw/x.xlsx")
    assert [(r["indicator"], r["value"], r["unit"]) for r in rows_of([chunk])] == [
        ("hitech_firms", 5.0, "item"),
        ("hitech_profit", -0.1, "CNY_100m"),
        ("hitech_rd_personnel", 62.0, "person_year"),
        ("hitech_profit", 3.0, "CNY_100m"),
    ]
    assert [(r.row, r.new) for r in chunk.repairs] == [(2, "个"), (3, "亿元"), (4, "人年")]
    (fault,) = chunk.rejected
    assert (fault.row, fault.column, fault.value, fault.reason) == (6, "unit", "吨", "unit")
    assert translate("zh", fault.expected) == "与“亿元”同类的单位"


@pytest.mark.parametrize(
    ("position", "value", "column", "reason"),
    [
        (0, "亚特兰蒂斯", "region", "unknown_region"),
        (0, "德国", "region", "unknown_region"),
        (0, "", "region", "unknown_region"),
        (1, "二〇一三", "year", "type"),
        (3, "约五", "value", "type"),
        (3, -5, "value", "range"),
        (3, "inf", "value", "type"),
        (4, "吨", "unit", "unit"),
        (4, "", "unit", "unit"),
        (5, "v9_no_such", "indicator", "unknown_indicator"),
    ],
)
def test_bad_cells_are_rejected_and_named(tmp_path: Path, position: int, value: Any, column: str, reason: str) -> None:
    line: list[Any] = ["广东", "2013", "合计", 5, "人年", "v4_zh_qsdl_hj"]
    line[position] = value
    (chunk,) = parse(sheet(tmp_path, [HEADER, line]), "raw/x.xlsx")
    assert rows_of([chunk]) == []
    assert [(r.part, r.row, r.column, r.reason) for r in chunk.rejected] == [("Sheet 1", 2, column, reason)]
    assert chunk.rejected[0].value == (str(float(value)) if isinstance(value, int) else value)


def test_two_faults_of_one_line_are_one_record(tmp_path: Path) -> None:
    line = ["亚特兰蒂斯", "二〇一三", "合计", 5, "人年", "v4_zh_qsdl_hj"]
    (chunk,) = parse(sheet(tmp_path, [HEADER, line]), "raw/x.xlsx")
    assert chunk.records == 2
    assert [r.column for r in chunk.rejected] == ["region", "year"]


@pytest.mark.parametrize("missing", ["", "—", "…", "#", "NA"])
def test_missing_figures_are_skipped_not_zero(tmp_path: Path, missing: str) -> None:
    line = ["西藏", "2018", "合计", missing, "人年", "v4_zh_qsdl_hj"]
    (chunk,) = parse(sheet(tmp_path, [HEADER, line]), "raw/x.xlsx")
    assert rows_of([chunk]) == []
    assert [(s.reason, s.row) for s in chunk.skipped] == [("header", 1), ("blank", 2)]


def test_group_rows_are_subtotals(tmp_path: Path) -> None:
    line = ["尔部地区", "2014", "合计", 9, "件", "v4_cg_zlsyx_hj"]
    (chunk,) = parse(sheet(tmp_path, [HEADER, line]), "raw/x.xlsx")
    assert rows_of([chunk]) == []
    assert [s.reason for s in chunk.skipped] == ["header", "subtotal"]
    assert [r.new for r in chunk.repairs] == ["东部地区"]


def test_tidy_table_keeps_its_rows(tmp_path: Path) -> None:
    frame = panel(
        [
            ["全国", "2023", "合计", 10.0, "万元", "v4_zh_nbzc_hj"],
            ["北京", "2023", "合计", None, "万元", "v4_zh_nbzc_hj"],
            ["上海", "2023", "基础研究", 2.5, "万元", "v4_zh_nbzc_jcyj"],
        ]
    )
    (chunk,) = parse(rda(tmp_path, "RDActivity", frame), "data/RDActivity.rda")
    assert [(r["region"], r["indicator"], r["value"], r["unit"], r["_part"], r["_row"]) for r in rows_of([chunk])] == [
        ("CHN", "rd_expenditure", 10.0, "CNY_10k", "RDActivity", 1),
        ("CN-31", "rd_expenditure_basic", 2.5, "CNY_10k", "RDActivity", 3),
    ]
    assert [(s.reason, s.row) for s in chunk.skipped] == [("blank", 2)]


def test_certified_firms_come_with_their_definition(tmp_path: Path) -> None:
    frame = pd.DataFrame({"index": [1.0], "year": [2024.0], "province": ["北京"], "num": [10.0]})
    chunks = parse(rda(tmp_path, "HitechFirmsPub", frame), "data/HitechFirmsPub.rda")
    assert [(r["indicator"], r["year"], r["value"], r["unit"]) for r in rows_of(chunks)] == [
        ("hitech_certified", 2024, 10.0, "item")
    ]
    assert [r["indicator"] for r in rows_of(chunks, "indicator_def")] == ["hitech_certified"]


def test_codebook_gives_definitions_of_used_codes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"variables": ["v1_sc_bzmj_dd", "v4_ztr_qd_RD"]})
    (chunk,) = parse(rda(tmp_path, "varsList", frame), "data/varsList.rda")
    (row,) = rows_of([chunk], "indicator_def")
    assert (row["indicator"], row["unit"], row["additive"], row["_row"]) == ("rd_intensity", "percent", False, 2)
    assert [(s.reason, s.value) for s in chunk.skipped] == [("unused_definition", "v1_sc_bzmj_dd")]


def test_laboratory_has_one_row_a_host(tmp_path: Path) -> None:
    names = ["year", "type", "index", "name", "area", "institution", "administrator", "province", "NO"]
    frame = pd.DataFrame(
        [
            ["2019", "SKL", "1", "甲实验室", "化学", "一大学", "教育部", "北京", "1987DA1"],
            ["2019", "SKL", "1", "甲实验室", "化学", "二大学", "教育部", "北京", "1987DA1"],
            ["2016", "FSKL", "7", "乙实验室", None, "某公司", None, "广东", None],
            ["2016", "FSKL", "8", "丙实验室", None, "某公司", None, "月球", None],
        ],
        columns=names,
    )
    (chunk,) = parse(rda(tmp_path, "PubSKLMost", frame), "data/PubSKLMost.rda")
    assert [(r["lab_id"], r["institution"], r["region"], r["year"]) for r in rows_of([chunk], "laboratory")] == [
        ("1987DA1", "一大学", "CN-11", 2019),
        ("1987DA1", "二大学", "CN-11", 2019),
        ("FSKL-7", "某公司", "CN-44", 2016),
    ]
    assert [(r.row, r.reason) for r in chunk.rejected] == [(4, "unknown_region")]


def test_districts(tmp_path: Path) -> None:
    names = ["id", "name", "parent_id", "extra", "suffix", "pinyin", "code"]
    frame = pd.DataFrame(
        [
            ["1", "四川", "0", None, "省", "sichuan", "510000"],
            ["2", "台湾", "0", None, "省", "taiwan", "710000"],
            ["3", "凉山", "1", "彝族", "自治州", "liangshan", "615000"],
            ["4", "西昌", "3", None, "市", "xichang", "513401"],
            ["5", "甲", "3", None, "县", "jia", "513499"],
            ["6", "乙", "3", None, "县", "yi", "513499"],
            ["7", "丙", "3", None, "县", "bing", None],
            ["8", "丁", "3", None, "县", "ding", "440301"],
            ["9", "台北", "2", None, "市", "taibei", "63"],
        ],
        columns=names,
    )
    (chunk,) = parse(rda(tmp_path, "BasicDistrict", frame), "data/BasicDistrict.rda")
    found = [(r["region"], r["level"], r["parent"], r["name_zh"], r["name_en"]) for r in rows_of([chunk], "region")]
    assert found == [
        ("CN-513400", "city", "CN-51", "凉山彝族自治州", "Liangshan"),
        ("CN-513401", "county", "CN-513400", "西昌市", "Xichang"),
    ]
    assert [(r.row, r.reason) for r in chunk.rejected] == [
        (5, "duplicate"),
        (6, "duplicate"),
        (7, "null"),
        (8, "region_code"),
    ]
    assert Counter(s.reason for s in chunk.skipped) == {"in_reference": 2, "no_national_code": 1}
    assert [(r.old, r.new) for r in chunk.repairs] == [("615000", "513400")]


def test_projects_keep_the_first_notice_and_take_the_duration(tmp_path: Path) -> None:
    path = tmp_path / "PubNKRDP.csv"
    lines = [
        "year,date,NO,index,title,institution,funds,type,duration",
        "2020,20201223,2020YFA1,9,干细胞 硏究,甲大学,,干细胞,5年",
        "2020,20201127,2020YFA1,1,干细胞研究,甲大学,,干细胞,",
        "2018,20191015,2018YFA2*,2,超临界 CO2 太阳能,乙大学,*,能源,3. 5年",
        "2018,20191015,2018YFA3,3,丙,丙大学,-5,能源,",
        "2018,20191015,,4,丁,丁大学,7,能源,",
        "二〇一八,20191015,2018YFA5,4,,戊大学,七,能源,",
    ]
    path.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    (chunk,) = parse(path, "tables/PubNKRDP.csv")
    found = [(r["project_id"], r["title"], r["funds"], r["duration"], r["_row"]) for r in rows_of([chunk], "project")]
    assert found == [
        ("2020YFA1", "干细胞研究", None, 5.0, 3),
        ("2018YFA2", "超临界 CO2 太阳能", None, 3.5, 4),
    ]
    assert [(s.reason, s.row) for s in chunk.skipped] == [("header", 1), ("repeat_notice", 2)]
    assert [(r.row, r.column, r.reason) for r in chunk.rejected] == [
        (5, "funds", "range"),
        (6, "project_id", "null"),
        (7, "title", "null"),
        (7, "year", "type"),
        (7, "funds", "type"),
    ]
    assert [(r.row, r.column, r.new) for r in chunk.repairs] == [(3, "duration", "5年")]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("data/RDActivity.rda", b"", "source_empty"),
        ("data/RDActivity.rda", b"no R data", "source_format"),
        ("raw/x.xlsx", b"", "source_empty"),
        ("raw/x.xlsx", b"PK\x03\x04 cut", "source_format"),
        ("tables/PubNKRDP.csv", b"", "source_empty"),
        ("tables/PubNKRDP.csv", "year,date,题名\n".encode("gb18030"), "source_format"),
        ("tables/PubNKRDP.csv", b"year,date\n2018,1\n", "source_format"),
        ("data/Other.rda", b"x", "source_format"),
    ],
)
def test_files_that_are_not_what_they_claim(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    path = tmp_path / Path(name).name
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        list(SOURCE.parse(raw_file(path, name)))
    assert caught.value.code == code
    assert caught.value.say("zh")


def test_sheet_without_the_yearbooks_header_is_refused(tmp_path: Path) -> None:
    path = sheet(tmp_path, [["地区", "2013", "2014"], ["北京", 1, 2]])
    with pytest.raises(SourceError, match="province"):
        list(SOURCE.parse(raw_file(path, "raw/x.xlsx")))


def test_table_without_a_column_is_refused(tmp_path: Path) -> None:
    path = rda(tmp_path, "RDActivity", pd.DataFrame({"province": ["北京"]}))
    with pytest.raises(SourceError, match="no column year"):
        list(SOURCE.parse(raw_file(path, "data/RDActivity.rda")))


def test_indicator_list_is_sound() -> None:
    listed = indicators().values()
    assert len({i.indicator for i in listed}) == len(listed)
    assert all(i.unit in units() for i in listed)
    assert all(i.name_zh and i.name_en and i.topic for i in listed)
    assert [i.indicator for i in listed if not i.additive] == [
        "rd_intensity",
        "paper_rank_sci",
        "paper_rank_ei",
        "paper_rank_cpcis",
    ]


def test_repairs_name_indicators_that_exist() -> None:
    known = {i.indicator for i in indicators().values()}
    assert {indicator for indicator, _ in repairs("units")} <= known
    assert all(indicator == "" for indicator, _ in repairs("province"))


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("2020", 2020),
        (2020.0, 2020),
        ("2020.0", 2020),
        (" 2020 年", 2020),
        ("２０２０", 2020),
        ("20", None),
        (None, None),
    ],
)
def test_years(value: Any, year: int | None) -> None:
    assert year_of(value) == year


@settings(max_examples=60, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_figure_survives_its_text(figure: float) -> None:
    assert number_of(figure) == figure
    assert number_of(f" {figure!r} ") == figure


# --- the real files -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(mirror: Path) -> dict[str, list[Chunk]]:
    root = mirror / "cn_st_yearbook"
    files = sorted(path for path in root.rglob("*") if path.is_file())
    named = [raw_file(path, path.relative_to(root).as_posix()) for path in files]
    return {raw.name: list(SOURCE.parse(raw)) for raw in named if SOURCE.accepts(raw)}


def _frame(real: dict[str, list[Chunk]], prefix: str) -> pd.DataFrame:
    tables = [
        c.rows["indicator"] for n, cs in real.items() if n.startswith(prefix) for c in cs if "indicator" in c.rows
    ]
    return pa.concat_tables(tables).to_pandas()


@pytest.mark.mirror
def test_every_real_record_is_accounted_for(real: dict[str, list[Chunk]]) -> None:
    assert len(real) == 63
    for chunks in real.values():
        for chunk in chunks:
            assert_balanced(chunk)
    rejected = Counter((name, r.reason) for name, chunks in real.items() for c in chunks for r in c.rejected)
    assert rejected == {("data/BasicDistrict.rda", "duplicate"): 17, ("data/BasicDistrict.rda", "null"): 11}


@pytest.mark.mirror
def test_real_keys_are_unique_in_each_file(real: dict[str, list[Chunk]]) -> None:
    keys = {
        "indicator": ["region", "industry", "indicator", "year"],
        "indicator_def": ["indicator"],
        "laboratory": ["lab_id", "year", "type", "institution"],
        "project": ["project_id"],
        "region": ["region"],
    }
    for name, chunks in real.items():
        for chunk in chunks:
            for table, rows in chunk.rows.items():
                assert not rows.to_pandas().duplicated(keys[table]).any(), (name, table)


@pytest.mark.mirror
def test_every_used_indicator_is_defined_once(real: dict[str, list[Chunk]]) -> None:
    defined = [r["indicator"] for chunks in real.values() for r in rows_of(chunks, "indicator_def")]
    assert len(defined) == len(set(defined)) == len(indicators())
    used = set(_frame(real, "data/")["indicator"]) | set(_frame(real, "raw/")["indicator"])
    assert used == set(defined)


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("name", "region", "indicator", "year", "value", "unit", "row"),
    [
        ("data/RDActivity.rda", "CHN", "rd_expenditure", 2023, 333570688.0, "CNY_10k", 1),
        ("data/RDPatentValid.rda", "CN-54", "patents_in_force", 2014, 588.0, "item", 1261),
        ("data/RDIntense.rda", "CHN", "rd_expenditure_rounded", 2023, 33357.1, "CNY_100m", 1),
        ("data/MarketPull.rda", "CN-11", "tech_market_inflow_value", 2023, 50247266.0, "CNY_10k", 2),
        ("data/PublicBudget.rda", "CN-11", "budget_total", 2023, 7971.25, "CNY_100m", 2),
        ("data/HitechFirmsPub.rda", "CN-11", "hitech_certified", 2024, 10226.0, "item", 1),
        ("raw/part01-over__01-labor-hour__2010.xlsx", "CN-11", "rd_personnel", 2010, 193718.0, "person_year", 7),
        ("raw/part01-over__02-spend-intense__2016.xlsx", "CN-34", "rd_expenditure_rounded", 2016, 475.1, "CNY_100m", 2),
        ("raw/part05-industry__01-operation__2010.xlsx", "CHN", "hitech_firms", 2010, 28189.0, "item", 2),
        ("raw/part08-output__06-plant-variety__2010.xlsx", "CN-22", "plant_variety_grants", 2010, 37.0, "item", 9),
    ],
)
def test_golden_cells(
    real: dict[str, list[Chunk]],
    name: str,
    region: str,
    indicator: str,
    year: int,
    value: float,
    unit: str,
    row: int,
) -> None:
    found = [r for r in rows_of(real[name]) if (r["region"], r["indicator"], r["year"]) == (region, indicator, year)]
    assert [(r["value"], r["unit"], r["_row"]) for r in found] == [(value, unit, row)]


SECTIONS = {
    "part01-over__01": "RDLaborHour",
    "part01-over__02": "RDIntense",
    "part01-over__03-spend-inner__01": "RDActivity",
    "part01-over__03-spend-inner__02": "RDSource",
    "part05-industry__01": "IndustryOperation",
    "part05-industry__02": "IndustryRD",
    "part05-industry__03": "IndustryTrade",
    "part08-output__01-patent__01": "RDPatentAccept",
    "part08-output__01-patent__02": "RDPatentAuthority",
    "part08-output__01-patent__03": "RDPatentValid",
    "part08-output__05": "RDPaperInternational",
}


@pytest.mark.mirror
def test_sheets_and_tables_agree_in_every_cell(real: dict[str, list[Chunk]]) -> None:
    cells = 0
    for section, name in SECTIONS.items():
        tidy, printed = _panel(real, f"data/{name}."), _panel(real, f"raw/{section}")
        assert printed.items() <= tidy.items(), section
        years = {year for _, _, year in printed}
        assert {key for key in tidy if key[2] in years} == set(printed), section
        cells += len(printed)
    assert cells == 5882


def _panel(real: dict[str, list[Chunk]], prefix: str) -> dict[tuple[str, str, int], tuple[float, str]]:
    rows = [row for name, chunks in real.items() if name.startswith(prefix) for row in rows_of(chunks)]
    return {(r["region"], r["indicator"], r["year"]): (r["value"], r["unit"]) for r in rows}


@pytest.mark.mirror
def test_provinces_add_up_to_the_country(real: dict[str, list[Chunk]]) -> None:
    tidy = _frame(real, "data/").drop_duplicates(["region", "indicator", "year"])
    wide = tidy.pivot(index=["indicator", "year"], columns="region", values="value")
    deviation = (wide[list(provinces())].sum(axis=1) / wide["CHN"] - 1).dropna()
    exact = deviation[
        deviation.index.get_level_values(0).str.match("rd_(funds|expenditure|personnel|researchers)|hitech_")
    ]
    bad = exact[exact.abs() > 0.001]
    assert bad.index.tolist() == [("rd_funds_enterprise", 2012)]
    assert bad.iloc[0] == pytest.approx(-0.0483, abs=5e-5)


@pytest.mark.mirror
def test_the_2012_hole_is_beijings(real: dict[str, list[Chunk]]) -> None:
    rows = rows_of(real["data/RDSource.rda"])
    there = {r["region"] for r in rows if (r["indicator"], r["year"]) == ("rd_funds_enterprise", 2012)}
    assert {"CHN", *provinces()} - there == {"CN-11"}
