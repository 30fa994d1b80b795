"""Critical inputs, CO2 by industry, HS to ISIC, GB/T 4754, the package's concordances, synthetic firms."""

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ronghe.errors import SourceError
from ronghe.sources.base import Source
from ronghe.sources.concordances import Concordances
from ronghe.sources.critical_inputs import CriticalInputs
from ronghe.sources.crosswalks import Crosswalks
from ronghe.sources.gbt4754 import Gbt4754
from ronghe.sources.oecd_co2 import OecdCo2
from ronghe.sources.synthetic import Synthetic

from .raw import Parsed, raw_at, raw_file

SURVEY = ",A01,C10\nA01,1,0.5\nC10,0,1\n"
CODES = "code,name_zh,parent\nA,农业,\nA01,种植,A\nA0111,稻谷,A011\nZZ9,坏,\n"


def test_each_is_a_source():
    for one in (CriticalInputs(), OecdCo2(), Crosswalks(), Gbt4754(), Concordances(), Synthetic()):
        assert isinstance(one, Source)


def test_the_survey_reads_rows_as_suppliers(tmp_path):
    parsed = Parsed(CriticalInputs(), raw_file(tmp_path, "x/IHS_critical_NACE64.csv", SURVEY))
    cells = {(r["supplier"], r["customer"]): r["value"] for r in parsed.rows("critical_input")}
    assert cells == {("A01", "A01"): 1.0, ("A01", "C10"): 0.5, ("C10", "A01"): 0.0, ("C10", "C10"): 1.0}
    assert parsed.balance == (5, 4, 1, 0)


def test_a_rating_outside_the_three_goes_to_quarantine(tmp_path):
    text = SURVEY.replace("0.5", "0.7")
    parsed = Parsed(CriticalInputs(), raw_file(tmp_path, "IHS_critical_NACE64.csv", text))
    assert [(r.row, r.col, r.value) for r in parsed.rejected] == [(2, "C10", "0.7")]


def test_a_table_that_is_not_square_is_refused(tmp_path):
    for text in (",A01,C10\nA01,1,0\nB,0,1\n", ",A01,C10\nA01,1\nC10,0,1\n"):
        with pytest.raises(SourceError):
            list(CriticalInputs().parse(raw_file(tmp_path, "IHS_critical_NACE64.csv", text)))


def workbook(path, lines):
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    book.save(path)
    return raw_at(path, path.name)


def test_a_country_stands_once_and_holds_for_its_block(tmp_path):
    raw = workbook(tmp_path / "c.xlsx", [
        ("Country", "Sector", "Year 2018"), ("CHN: China", "D01T02: Agriculture", 1.5), (None, "D03: Fishing", 2),
        ("ROW: Rest of the world", "D97T98: Households", 0), ("ATL: Atlantis", "D03: Fishing", 1),
        ("CHN: China", "D00: None", 1), (None, "D03: Fishing", "n/a"), (None, "D03: Fishing", -1),
    ])  # fmt: skip
    parsed = Parsed(OecdCo2(), raw)
    rows = [(r["region"], r["industry"], r["value"]) for r in parsed.rows("indicator")]
    assert rows == [("CHN", "01", 1.5), ("CHN", "02", 2.0), ("ROW", "45", 0.0)]
    assert [r.column for r in parsed.rejected] == ["region", "industry", "value", "value"]
    assert parsed.balance == (8, 3, 1, 4)


def test_another_sheet_is_refused(tmp_path):
    with pytest.raises(SourceError):
        list(OecdCo2().parse(workbook(tmp_path / "c.xlsx", [("Land", "Sektor", "Jahr")])))
    with pytest.raises(SourceError):
        list(OecdCo2().parse(raw_file(tmp_path, "d.xlsx", "not a workbook")))


def test_codes_have_levels_and_what_is_no_code_is_rejected(tmp_path):
    parsed = Parsed(Gbt4754(), raw_file(tmp_path, "gbt4754_2011_codes.csv", CODES))
    assert [(r["code"], r["level"], r["parent"]) for r in parsed.rows("industry")] == [
        ("A", 1, None), ("A01", 2, "A"), ("A0111", 4, "A011"),
    ]  # fmt: skip
    assert [r.value for r in parsed.rejected] == ["ZZ9"]


def test_concordances_are_whole():
    source = Concordances()
    rows = {}
    for raw in source.raw_files():
        assert source.accepts(raw)
        parsed = Parsed(source, raw)
        rows[raw.name] = parsed.rows(raw.name.removesuffix(".csv"))
    for row in rows["step_sector.csv"]:
        assert row["low"] <= (row["value"] if row["value"] is not None else row["low"]) <= row["high"], row
        assert row["reason"]
    makes = {}
    for row in rows["step_sector.csv"]:
        if row["role"] == "makes":
            key = (row["chain"], row["step"], row["classification"], row["version"])
            makes[key] = makes.get(key, 0.0) + row["value"]
    assert all(total == pytest.approx(1.0) for total in makes.values())
    linked = {}
    for row in rows["step_product.csv"]:
        assert row["low"] <= row["value"] <= row["high"], row
        assert row["reason_zh"]
        assert row["reason_en"]
        linked.setdefault((row["chain"], row["step"]), []).append(row)
    named = {r["code"]: r for r in rows["industry.csv"]}
    assert all(r["name_zh"] and r["name_en"] for r in named.values())
    assert len({r["name_en"] for r in named.values()}) == len({r["name_zh"] for r in named.values()}) == len(named)
    for listed in linked.values():
        assert sum(r["value"] for r in listed) == pytest.approx(1.0)
        assert sum(r["low"] for r in listed) <= 1.0 + 1e-9
        assert sum(r["high"] for r in listed) >= 1.0 - 1e-9
        assert {r["product"] for r in listed} <= {*named, "none"}
        assert len(listed) == 1 or all(r["product"] != "none" for r in listed)
    for row in rows["assumption.csv"]:
        assert row["low"] <= row["value"] <= row["high"]
    links = {}
    for row in rows["crosswalk.csv"]:
        key = (row["from_version"], row["from_code"], row["to_classification"])
        links[key] = links.get(key, 0.0) + row["weight"]
    assert set(links.values()) == {1.0}


def test_synthetic_firms_are_read_in_stretches(tmp_path):
    columns = {"network": ["n", "n"], "supplier": ["A", "B"], "customer": ["B", "A"], "value": [1.0, 2.0],
               "unit": ["CNY", "CNY"]}  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "firm_link.parquet")
    parsed = Parsed(Synthetic(), raw_at(tmp_path / "firm_link.parquet", "net/firm_link.parquet"))
    assert [(r["supplier"], r["_row"]) for r in parsed.rows("firm_link")] == [("A", 1), ("B", 2)]
    for name, content in (("firm_link.parquet", "text"), ("other.parquet", "text")):
        with pytest.raises(SourceError):
            list(Synthetic().parse(raw_file(tmp_path / "bad", name, content)))


@pytest.mark.mirror
def test_real_files_balance(mirror):
    survey = mirror / "critical_inputs" / "data" / "interim" / "eco" / "pichler" / "IHS_critical_NACE64.csv"
    assert Parsed(CriticalInputs(), raw_at(survey, survey.name)).balance == (3970, 3969, 1, 0)
    co2 = mirror / "oecd_co2" / "ICIO_Co2_2018.xlsx"
    assert Parsed(OecdCo2(), raw_at(co2, co2.name)).balance == (3016, 3015, 1, 0)
    codes = mirror / "gbt4754" / "gbt4754_2011_codes.csv"
    assert Parsed(Gbt4754(), raw_at(codes, codes.name)).balance == (1424, 1424, 0, 0)
    for name, lines in (("hs0_isic3.RData", 5018), ("hs4_isic3.RData", 5205)):
        parsed = Parsed(Crosswalks(), raw_at(mirror / "crosswalks" / name, name))
        assert parsed.balance == (lines, lines, 0, 0)
        assert {r["weight"] for r in parsed.rows("crosswalk")} == {1.0}
