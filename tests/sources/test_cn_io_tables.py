"""National tables: hand-written ones in the publishers' layouts, then every real file of the mirror."""

import bz2
import csv
import gzip
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import rdata
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.errors import SourceError
from ronghe.lake.check import check_chunk
from ronghe.sources.base import Chunk, RawFile, Source
from ronghe.sources.cn_employment import links
from ronghe.sources.cn_io_tables import CnIoTables, parse_frame
from ronghe.sources.fetch import raw_file

FINAL = {"FU101": 10.0, "FU102": 20.0, "FU103": 5.0, "FU201": 8.0, "FU202": -3.0, "EX": 10.0}


def competitive(error: bool = False) -> pd.DataFrame:
    """Two sectors as the bureau lays them out: x1 = 30 + 50 - 8 (+ 3), x2 = 30 + 50 - 10 (+ 3)."""
    rows = []
    err = 3.0 if error else 0.0
    z = {"001": (10.0, 20.0), "002": (30.0, 0.0)}
    imports = {"001": 8.0, "002": 10.0}
    out = {code: sum(z[code]) + 50.0 - imports[code] + err for code in z}
    for code, name in (("001", "农产品"), ("002", "林产品")):
        rows.append([code, f"Sector {code}", name, *z[code], *uses(sum(z[code]), imports[code], err, out[code], error)])
    inputs = [z["001"][j] + z["002"][j] for j in (0, 1)]
    va = [out["001"] - inputs[0], out["002"] - inputs[1]]
    split = [[0.5 * v for v in va], [0.3 * v for v in va], [0.0 * v for v in va], [0.2 * v for v in va]]
    width = len(rows[0]) - 5
    totals = np.array([row[5:] for row in rows], dtype=float).sum(axis=0)
    rows.append(["TII", "Total intermediate input", "中间投入合计", *inputs, *totals])
    for at, pair in enumerate(split, start=1):
        rows.append([f"VA00{at}", f"Value {at}", f"增加值{at}", *pair, sum(pair), *[np.nan] * (width - 1)])
    rows.append(["TVA", "Total value-added", "增加值合计", *va, sum(va), *[np.nan] * (width - 1)])
    totals_in = [out["001"], out["002"]]
    rows.append(["TI", "Total inputs", "总投入", *totals_in, sum(totals_in), *[np.nan] * (width - 1)])
    return pd.DataFrame(rows, columns=header(error))


def uses(inter: float, imports: float, err: float, out: float, error: bool) -> list[float]:
    f = FINAL
    thc, gcf = f["FU101"] + f["FU102"], f["FU201"] + f["FU202"]
    final = [f["FU101"], f["FU102"], thc, f["FU103"], thc + f["FU103"], f["FU201"], f["FU202"], gcf, f["EX"]]
    return [inter, *final, thc + f["FU103"] + gcf + f["EX"], imports, *([err] if error else []), out]


def header(error: bool) -> list[str]:
    final = ["FU101", "FU102", "THC", "FU103", "TC", "FU201", "FU202", "GCF", "EX", "TFU", "IM"]
    labels = ["Code", "Description", "DescriptionInChinese"]
    return [*labels, "001", "002", "TIU", *final, *(["ERR"] if error else []), "GO"]


def split_table() -> pd.DataFrame:
    """Two sectors with domestic and imported products apart."""
    columns = ["Code", "Description", "DescriptionInChinese", "Origin", "01", "02"]
    columns += ["TIU", "TC", "FU201", "FU202", "EX", "TFU", "GO"]
    rows: list[list[object]] = [
        ["01", "A", "农林牧渔产品和服务", "Domestic", 10.0, 20.0, 30.0, 40.0, 5.0, 1.0, 4.0, 50.0, 80.0],
        ["02", "B", "煤炭采选产品", "Domestic", 30.0, 0.0, 30.0, 20.0, 5.0, 0.0, 5.0, 30.0, 60.0],
        ["01", "A", "农林牧渔产品和服务", "Imports", 2.0, 3.0, 5.0, 4.0, 0.0, 0.0, 1.0, 5.0, 10.0],
        ["02", "B", "煤炭采选产品", "Imports", 8.0, 7.0, 15.0, 5.0, 0.0, 0.0, 0.0, 5.0, 20.0],
        ["TII", "", "中间投入合计", "TOT", 50.0, 30.0, 80.0, 69.0, 10.0, 1.0, 10.0, 90.0, 170.0],
    ]
    nan = [np.nan] * 6
    for at, (one, two) in enumerate(((20.0, 10.0), (5.0, 10.0), (4.0, 5.0), (1.0, 5.0)), start=1):
        rows.append([f"VA00{at}", "", "", "TOT", one, two, one + two, *nan])
    rows.append(["TVA", "", "", "TOT", 30.0, 30.0, 60.0, *nan])
    rows.append(["TI", "", "", "TOT", 80.0, 60.0, 140.0, *nan])
    return pd.DataFrame(rows, columns=columns)


def oecd() -> pd.DataFrame:
    """Two industries as the OECD lays them out: imports negative, taxes and output below."""
    final = ["HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "CONS_ABR", "CONS_NONRES", "EXPO", "IMPO"]
    columns = ["Code", "Description", "01", "02", *final]
    rows: list[list[object]] = [
        ["01", "Agriculture", 10.0, 20.0, 30.0, 1.0, 2.0, 3.0, -1.0, 0.5, 0.5, 9.0, -5.0],
        ["02", "Fishing", 30.0, 0.0, 10.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 5.0, -5.0],
        ["TXS_IMP_FNL", "Taxes abroad", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, -2.0],
        ["TXS_INT_FNL", "Taxes at home", 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        ["TTL_INT_FNL", "Total", 41.0, 22.0, 43.0, 2.0, 4.0, 6.0, 3.0, 2.5, 0.5, 14.0, -12.0],
        ["VALU", "Value added", 29.0, 28.0, *[0.0] * 9],
        ["OUTPUT", "Output", 70.0, 50.0, *[0.0] * 9],
    ]
    return pd.DataFrame(rows, columns=columns)


def employment() -> pd.DataFrame:
    rows = [
        ["TOT", "Total", "全国总计", 100.0, 110.0],
        ["A", "Agriculture and so on", "农、林、牧、渔业", 60.0, 50.0],
        ["A01", "Agriculture", "农业", 40.0, 30.0],
        ["A02", "Forestry", "林业", 20.0, 20.0],
        ["K", "K", "房地产业", 40.0, 60.0],
    ]
    return pd.DataFrame(rows, columns=["Code", "Description", "DescriptionInChinese", "1990", "1991"])


def accepted(chunk: Chunk) -> set[tuple[str, int, str | None]]:
    found: set[tuple[str, int, str | None]] = set()
    for rows in chunk.rows.values():
        found |= set(
            zip(*(rows.column(name).to_pylist() for name in ("_part", "_row", "_col")), strict=True)  # type: ignore[arg-type]
        )
    return found


def assert_balanced(chunk: Chunk) -> None:
    """Every record is accepted, skipped or rejected, once; and every row keeps its contract."""
    rejected = {(r.part, r.row, r.col) for r in chunk.rejected}
    held = accepted(chunk)
    assert not held & rejected
    assert chunk.records == len(held) + len(rejected) + sum(s.count for s in chunk.skipped)
    assert len(check_chunk(chunk).rejected) == len(chunk.rejected)


def cells(chunk: Chunk) -> dict[tuple[str, str, str, str], float]:
    rows = chunk.rows["io_cell"].to_pylist()
    return {(r["block"], r["origin"], r["row"], r["col"]): r["value"] for r in rows}


def table(chunk: Chunk) -> dict[str, object]:
    (row,) = chunk.rows["io_table"].to_pylist()
    return row


def skipped(chunk: Chunk) -> dict[str, int]:
    return {s.reason: s.count for s in chunk.skipped}


def written(path: Path, objects: dict[str, object]) -> RawFile:
    file = path / "made.rda"
    rdata.write_rda(file, objects)
    return raw_file(file, "cn_io_tables", "made.rda")


def test_it_is_a_source() -> None:
    assert isinstance(CnIoTables(), Source)


@pytest.mark.parametrize("error", [False, True])
def test_a_competitive_table(error: bool) -> None:
    chunk = parse_frame(competitive(error), "china_2020_2", "x.rda")
    assert_balanced(chunk)
    row = table(chunk)
    assert (row["table_id"], row["kind"], row["year"], row["sectors"]) == ("cn-2020-2", "competitive", 2020, 2)
    assert (row["unit"], row["price"], row["version"]) == ("CNY_10k", "producer", "2020-2")
    assert row["residual"] == row["column_residual"] == 0.0
    assert row["row_identity"] == ("x = Z1 + F1 - m + e" if error else "x = Z1 + F1 - m")
    values = cells(chunk)
    assert values["Z", "total", "001", "002"] == 20.0
    assert ("Z", "total", "002", "002") not in values
    assert values["F", "total", "001", "FU202"] == -3.0
    assert values["M", "total", "002", "IM"] == 10.0
    assert values["X", "total", "001", "GO"] == (75.0 if error else 72.0)
    assert (("E", "total", "001", "ERR") in values) == error
    assert {col for block, _, _, col in values if block == "F"} == set(FINAL)
    assert {row for block, _, row, _ in values if block == "V"} == {"VA001", "VA002", "VA004"}
    assert set(skipped(chunk)) == {"zero", "subtotal", "blank", "header"}


def test_a_cell_is_named_as_a_person_sees_it() -> None:
    chunk = parse_frame(competitive(), "china_2020_2", "x.rda")
    rows = {(r["block"], r["row"], r["col"]): r for r in chunk.rows["io_cell"].to_pylist()}
    cell = rows["Z", "002", "001"]
    assert (cell["_part"], cell["_row"], cell["_col"]) == ("china_2020_2", 3, "001")
    assert rows["V", "VA001", "002"]["_row"] == 5
    (first, second) = chunk.rows["industry"].to_pylist()
    assert (first["code"], first["name_zh"], first["_row"], first["_col"]) == ("001", "农产品", 2, "Code")
    assert (second["order"], second["classification"], second["version"]) == (2, "cn-io", "2020-2")


def test_items_carry_names_in_both_languages() -> None:
    chunk = parse_frame(competitive(True), "china_2002_2", "x.rda")
    items = {(r["block"], r["code"]): r for r in chunk.rows["io_item"].to_pylist()}
    assert [code for block, code in items if block == "F"] == list(FINAL)
    assert items["V", "VA001"]["name_zh"] == "劳动者报酬"
    assert items["F", "EX"]["_row"] == 1
    assert all(r["name_en"] for r in items.values())


def test_a_table_with_imports_apart() -> None:
    chunk = parse_frame(split_table(), "china_2017_2", "x.rda")
    assert_balanced(chunk)
    assert table(chunk)["kind"] == "noncompetitive"
    assert table(chunk)["row_identity"] == "x = Zd 1 + Fd 1; m = Zm 1 + Fm 1"
    assert table(chunk)["price"] is None
    values = cells(chunk)
    assert values["Z", "domestic", "01", "02"] == 20.0
    assert values["Z", "imported", "01", "02"] == 3.0
    assert values["X", "domestic", "02", "GO"] == 60.0
    assert values["M", "imported", "02", "GO"] == 20.0
    assert values["F", "domestic", "01", "TC"] == 40.0
    assert values["V", "total", "VA001", "01"] == 20.0
    assert chunk.rows["industry"].num_rows == 2
    assert skipped(chunk)["duplicate"] == 2


def test_an_oecd_table() -> None:
    chunk = parse_frame(oecd(), "OECD21ed_CHN_1995", "x.rda")
    assert_balanced(chunk)
    row = table(chunk)
    assert (row["table_id"], row["unit"], row["price"], row["version"]) == ("oecd21-CHN-1995", "USD_m", "basic", "2021")
    values = cells(chunk)
    assert values["M", "total", "01", "IMPO"] == 5.0
    assert values["X", "total", "01", "OUTPUT"] == 70.0
    assert values["T", "total", "TXS_INT_FNL", "02"] == 2.0
    assert values["T", "total", "TXS_IMP_FNL", "IMPO"] == -2.0
    assert values["V", "total", "VALU", "02"] == 28.0
    assert chunk.rows["industry"].column("name_zh").to_pylist() == ["农业、狩猎和林业", "渔业和水产养殖业"]
    output = next(r for r in chunk.rows["io_cell"].to_pylist() if r["block"] == "X")
    assert (output["_row"], output["_col"]) == (8, "01")


def test_the_sectors_of_a_list_are_stated_once(tmp_path: Path) -> None:
    raw = written(tmp_path, {"OECD21ed_CHN": {"OECD21ed_CHN_1995": oecd(), "OECD21ed_CHN_1996": oecd()}})
    one, two = CnIoTables().parse(raw)
    assert_balanced(one)
    assert_balanced(two)
    assert table(two)["year"] == 1996
    assert "industry" in one.rows
    assert "industry" not in two.rows
    assert skipped(two)["duplicate"] == 2


def test_the_file_as_r_writes_it(tmp_path: Path) -> None:
    (chunk,) = CnIoTables().parse(written(tmp_path, {"china_2020_2": competitive()}))
    assert chunk.rows["io_cell"].equals(parse_frame(competitive(), "china_2020_2", "x").rows["io_cell"])


def unbalanced(frame: pd.DataFrame, row: int, column: str, by: float, part: str = "china_2020_2") -> SourceError:
    frame.loc[row, column] += by
    with pytest.raises(SourceError) as refused:
        parse_frame(frame, part, "x.rda")
    assert refused.value.code == "source_unbalanced"
    return refused.value


def test_a_flow_that_was_altered_names_its_sector() -> None:
    error = unbalanced(competitive(), 0, "002", 1.0)
    assert error.args_["where"] == "TIU x 001"
    frame = competitive()
    frame.loc[0, "TIU"] += 1.0
    frame.loc[2, ["002", "TIU"]] += 1.0
    assert unbalanced(frame, 0, "002", 1.0).args_["where"].startswith(("001", "TI x"))
    assert "china" in error.say("zh") or "cn-2020-2" in error.say("zh")


def test_an_output_that_was_altered_names_its_sector() -> None:
    frame = competitive()
    frame.loc[2, "GO"] += 7.0
    error = unbalanced(frame, 1, "GO", 7.0)
    assert error.args_["where"] == "002 林产品"
    assert error.args_["residual"] == "-7"
    assert "x = Z1 + F1 - m" in error.say("en")


def test_value_added_that_was_altered_names_its_column() -> None:
    frame = competitive()
    for at, column in ((3, "001"), (3, "TIU"), (7, "001"), (7, "TIU"), (8, "001"), (8, "TIU")):
        frame.loc[at, column] += 5.0
    with pytest.raises(SourceError) as refused:
        parse_frame(frame, "china_2020_2", "x.rda")
    assert refused.value.args_["where"] == "001 农产品"
    assert refused.value.args_["identity"] == "x' = 1'Z + 1'V"


def test_imported_rows_are_held_to_imports() -> None:
    frame = split_table()
    frame.loc[4, "GO"] += 4.0
    error = unbalanced(frame, 3, "GO", 4.0, "china_2017_2")
    assert error.args_["where"] == "02 煤炭采选产品"


def test_oecd_rounding_passes_and_more_does_not() -> None:
    frame = oecd()
    frame.loc[0, "HFCE"] += 2.7
    assert table(parse_frame(frame, "OECD21ed_CHN_1995", "x"))["residual"] == pytest.approx(2.7)
    assert unbalanced(oecd(), 0, "HFCE", 2.8, "OECD21ed_CHN_1995")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1), st.sampled_from(["001", "002", *FINAL, "IM", "GO", "TIU", "TFU"]), st.floats(0.51, 1e9))
def test_no_altered_number_slips_in(row: int, column: str, by: float) -> None:
    assert unbalanced(competitive(), row, column, by)


@pytest.mark.parametrize(("row", "column"), [(0, "GO"), (1, "001"), (3, "001")])
def test_a_blank_output_or_flow_does_not_pass_for_nothing(row: int, column: str) -> None:
    frame = competitive()
    frame.loc[row, column] = np.nan
    with pytest.raises(SourceError, match="does not balance"):
        parse_frame(frame, "china_2020_2", "x.rda")


def test_a_cell_that_is_no_number_is_named() -> None:
    frame = competitive().astype({"002": object})
    frame.loc[1, "002"] = "1,234"
    with pytest.raises(SourceError) as refused:
        parse_frame(frame, "china_2020_2", "x.rda")
    assert refused.value.code == "source_io_value"
    assert (refused.value.args_["row"], refused.value.args_["column"]) == (3, "002")
    frame.loc[1, "002"] = np.inf
    with pytest.raises(SourceError, match="not a number"):
        parse_frame(frame, "china_2020_2", "x.rda")


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.rename(columns={"EX": "EXPORTS"}),
        lambda f: f.rename(columns={"002": "003"}),
        lambda f: f.drop(index=1),
        lambda f: f.drop(columns="GO"),
        lambda f: f.drop(index=3),
        lambda f: f.assign(Code=["002", "001", *f["Code"][2:]]),
        lambda f: f.assign(Code=["001", "001", *f["Code"][2:]]),
        lambda f: f.assign(Code=[None, *f["Code"][1:]]),
        lambda f: f.assign(Origin="Elsewhere"),
    ],
    ids=["new-column", "renamed", "row-gone", "no-output", "no-wages", "swapped", "twice", "no-code", "origin"],
)
def test_a_table_with_odd_codes_is_refused(change: object) -> None:
    with pytest.raises(SourceError) as refused:
        parse_frame(change(competitive()), "china_2020_2", "x.rda")  # type: ignore[operator]
    assert refused.value.code == "source_io_code"
    assert refused.value.say("zh")


@pytest.mark.parametrize("part", ["japan_2020_2", "china_2020", "OECD21ed_1995", "china_employment_2"])
def test_an_object_that_is_no_table(part: str) -> None:
    with pytest.raises(SourceError) as refused:
        parse_frame(competitive(), part, "x.rda")
    assert refused.value.code == "source_io_object"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "source_empty"),
        (b"this is no R data\n", "source_format"),
        (b"PK\x03\x04 a zip", "source_format"),
        (gzip.compress(b"plain text", mtime=0), "source_format"),
        (b"RDX3\nX\n\x00\x00", "source_format"),
        (b"BZh91AY&SY" + b"\x00" * 40, "source_format"),
        (gzip.compress(b"RDX3\n" + b"x" * 5000, mtime=0)[:-20], "source_truncated"),
        (bz2.compress(b"RDX3\n" + bytes(range(256)) * 9)[:-20], "source_truncated"),
    ],
)
def test_a_file_that_is_no_r_data(tmp_path: Path, data: bytes, code: str) -> None:
    file = tmp_path / "odd.rda"
    file.write_bytes(data)
    with pytest.raises(SourceError) as refused:
        list(CnIoTables().parse(raw_file(file, "cn_io_tables", "odd.rda")))
    assert refused.value.code == code


def test_employment() -> None:
    chunk = parse_frame(employment(), "china_employment", "x.rda")
    assert_balanced(chunk)
    rows = {(r["industry"], r["year"]): r for r in chunk.rows["indicator"].to_pylist()}
    cell = rows["A01", 1991]
    assert (cell["value"], cell["unit"], cell["region"]) == (30.0, "person_10k", "CHN")
    assert (cell["_row"], cell["_col"]) == (4, "1991")
    assert rows["ALL", 1990]["value"] == 100.0
    industries = {r["code"]: r for r in chunk.rows["industry"].to_pylist()}
    assert set(industries) == {"A", "A01", "A02", "K"}
    assert (industries["A01"]["parent"], industries["A01"]["level"]) == ("A", 2)
    assert industries["K"]["name_en"] == "Real estate"
    (repair,) = chunk.repairs
    assert (repair.row, repair.old, repair.new) == (6, "K", "Real estate")


def test_employment_below_zero_or_no_number_is_quarantined() -> None:
    frame = employment().astype({"1991": object})
    frame.loc[3, "1990"] = -20.0
    frame.loc[4, "1991"] = "many"
    chunk = parse_frame(frame, "china_employment", "x.rda")
    assert_balanced(chunk)
    assert {(r.row, r.col, r.reason) for r in chunk.rejected} == {(5, "1990", "range"), (6, "1991", "type")}
    held = {(r["industry"], r["year"]) for r in chunk.rows["indicator"].to_pylist()}
    assert ("A02", 1990) not in held
    assert ("A02", 1991) in held


def test_employment_missing_stays_missing() -> None:
    frame = employment()
    frame.loc[2, "1990"] = np.nan
    chunk = parse_frame(frame, "china_employment", "x.rda")
    assert_balanced(chunk)
    assert skipped(chunk)["blank"] == 1


def test_employment_that_does_not_add_up() -> None:
    frame = employment()
    frame.loc[2, "1990"] += 3.0
    with pytest.raises(SourceError) as refused:
        parse_frame(frame, "china_employment", "x.rda")
    assert refused.value.args_["where"] == "A 1990"


def test_employment_with_an_odd_column() -> None:
    with pytest.raises(SourceError) as refused:
        parse_frame(employment().rename(columns={"1991": "1991年"}), "china_employment", "x.rda")
    assert refused.value.code == "source_io_code"


def listed_links() -> list[dict[str, str]]:
    text = files("ronghe.sources").joinpath("names", "cn_employment_links.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_links_share_an_industry_by_pay_and_lose_nobody() -> None:
    pay = {f"{n:03d}": float(n) for n in range(1, 154)}
    found = links("2020-153", pay)
    total: dict[str, float] = {}
    for link in found:
        total[link.employment] = total.get(link.employment, 0.0) + link.weight
    assert total == pytest.approx(dict.fromkeys(total, 1.0))
    assert {link.sector for link in found} == set(pay)
    tea = next(link for link in found if link.sector == "025")
    assert (tea.employment, tea.method) == ("C03", "share")
    assert tea.weight == pytest.approx(25 / (23 + 24 + 25))


def test_links_of_an_unknown_table_are_none() -> None:
    assert links("1997-124", {"001": 1.0}) == []


def test_an_industry_without_pay_is_not_shared_out() -> None:
    assert all(link.method != "share" for link in links("2020-153", {f"{n:03d}": 0.0 for n in range(1, 154)}))


def stem(name: str) -> str:
    """A name without what differs between an industry and its products."""
    name = name.replace("的", "").replace("、", "").replace("及", "和")
    for end in ("业", "产品", "服务"):
        if name.endswith(end) and len(name) > len(end) + 1:
            return name[: -len(end)]
    return name


def real(mirror: Path, name: str) -> list[Chunk]:
    file = mirror / "cn_io_tables" / name
    return list(CnIoTables().parse(raw_file(file, "cn_io_tables", name)))


def names(chunk: Chunk) -> dict[str, str]:
    return {r["code"]: r["name_zh"] for r in chunk.rows["industry"].to_pylist()}


REAL = {
    "china_2002_122.rda": ("cn-2002-122", 122, 1e-6),
    "china_2007_135.rda": ("cn-2007-135", 135, 0.5),
    "china_2017_149.rda": ("cn-2017-149", 149, 1e-5),
    "china_2017_42.rda": ("cn-2017-42", 42, 1e-5),
    "china_2020_153.rda": ("cn-2020-153", 153, 1e-5),
    "china_2020_42.rda": ("cn-2020-42", 42, 1e-5),
}


@pytest.mark.mirror
@pytest.mark.parametrize("name", sorted(REAL))
def test_every_real_table(mirror: Path, name: str) -> None:
    (chunk,) = real(mirror, name)
    assert_balanced(chunk)
    table_id, sectors, residual = REAL[name]
    row = table(chunk)
    assert (row["table_id"], row["sectors"]) == (table_id, sectors)
    assert row["residual"] < 1e-5
    assert row["column_residual"] < residual
    assert chunk.rows["industry"].num_rows == sectors
    frame = next(iter(rdata.read_rda(mirror / "cn_io_tables" / name).values()))
    cell = chunk.rows["io_cell"].slice(777, 1).to_pylist()[0]
    assert frame.iloc[cell["_row"] - 2][cell["_col"]] == cell["value"]


@pytest.mark.mirror
def test_the_two_real_tables_of_2020_agree(mirror: Path) -> None:
    def total(chunk: Chunk, block: str) -> float:
        rows = chunk.rows["io_cell"].to_pylist()
        return float(sum(r["value"] for r in rows if r["block"] == block))

    (fine,), (coarse,) = real(mirror, "china_2020_153.rda"), real(mirror, "china_2020_42.rda")
    for block in ("Z", "F", "V", "M", "X"):
        assert total(fine, block) == pytest.approx(total(coarse, block), rel=1e-9)


@pytest.mark.mirror
def test_the_real_oecd_list(mirror: Path) -> None:
    chunks = real(mirror, "OECD21ed_CHN_1995to2018.rda")
    assert [table(chunk)["year"] for chunk in chunks] == list(range(1995, 2019))
    for chunk in chunks:
        assert_balanced(chunk)
        assert table(chunk)["residual"] <= 0.8
        assert table(chunk)["column_residual"] <= 0.9
    assert sum("industry" in chunk.rows for chunk in chunks) == 1


@pytest.mark.mirror
def test_real_employment_and_its_links(mirror: Path) -> None:
    (chunk,) = real(mirror, "china_employment.rda")
    assert_balanced(chunk)
    assert chunk.rows["indicator"].num_rows == 115 * 29
    industries = names(chunk)
    tables = {name[6:-4].replace("_", "-"): real(mirror, name)[0] for name in REAL}
    for row in listed_links():
        sector = names(tables[row["version"]])[row["sector"]]
        if row["method"] == "exact-name":
            assert stem(industries[row["employment"]]) == stem(sector)
        assert row["employment"] in industries
    for version in ("2017-149", "2017-42", "2020-153", "2020-42"):
        assert_every_worker_has_a_sector(chunk, tables[version])


def assert_every_worker_has_a_sector(employed: Chunk, linked: Chunk) -> None:
    people = {r["industry"]: r["value"] for r in employed.rows["indicator"].to_pylist() if r["year"] == 2018}
    rows = linked.rows["crosswalk"].to_pylist()
    placed = sum(people[r["from_code"]] * r["weight"] for r in rows)
    assert {r["to_code"] for r in rows} == set(names(linked))
    # Sections and divisions are rounded, and international organisations (0.7) belong to no sector.
    assert placed == pytest.approx(people["ALL"], abs=25)
    assert isinstance(linked.rows["crosswalk"], pa.Table)
