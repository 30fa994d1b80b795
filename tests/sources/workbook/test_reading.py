import csv
import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ronghe.errors import MappingError, SourceError
from ronghe.sources.base import RawFile
from ronghe.sources.workbook import delimited
from ronghe.sources.workbook.delimited import find_delimiter
from ronghe.sources.workbook.encoding import detect
from ronghe.sources.workbook.excel import OLE
from ronghe.sources.workbook.grid import Book, Sheet
from ronghe.sources.workbook.mapping import SourceSpec
from ronghe.sources.workbook.reading import open_book
from tests.sources.workbook.helpers import excel_file, raw_file, text_file

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def cells(sheet: Sheet) -> dict[tuple[int, int], str]:
    """(row, column) -> text of every filled cell, over all batches."""
    found = {}
    for batch in sheet.batches():
        for column, texts in enumerate(batch.columns):
            found |= {(row, column): text for row, text in zip(batch.rows.to_pylist(), texts.to_pylist(), strict=True)}
    return {place: text for place, text in found.items() if text}


def only(book: Book) -> Sheet:
    assert len(book.sheets) == 1
    return book.sheets[0]


CHARS = st.characters(codec="gb18030", exclude_categories=("Cs", "Cc", "Co", "Cn"))
CELL = st.text(CHARS, max_size=6) | st.sampled_from(
    ["北京", '说"是"', "a\nb", "1,234", "x;y", "　全　国", "a|b\tc", "é"]
)
TABLE = st.integers(1, 5).flatmap(lambda w: st.lists(st.lists(CELL, min_size=w, max_size=w), min_size=1, max_size=12))


@QUICK
@given(
    table=TABLE,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    delimiter=st.sampled_from([",", "\t", ";", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_csv_comes_back_cell_for_cell(
    tmp_path: Path, table: list[list[str]], encoding: str, delimiter: str, end: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    path = tmp_path / "t.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    stated = encoding if encoding == "gb18030" else None
    sheet = only(open_book(raw_file(path), SourceSpec(delimiter=delimiter, encoding=stated)))
    assert cells(sheet) == {(r, c): t for r, row in enumerate(table, 1) for c, t in enumerate(row) if t}


@QUICK
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["北京", "上海", "内蒙古"]), st.integers(0, 9999), st.booleans()), min_size=2
    ),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"]),
    delimiter=st.sampled_from([",", "\t", ";", "|"]),
)
def test_encoding_and_delimiter_are_found_out(
    tmp_path: Path, rows: list[tuple[str, int, bool]], encoding: str, delimiter: str
) -> None:
    lines = [delimiter.join(["地区", "产值（万元）", "高新技术"]), *(delimiter.join(map(str, row)) for row in rows)]
    raw = text_file(tmp_path, "\n".join(lines), encoding)
    sheet = only(open_book(raw, SourceSpec()))
    expected = {(r, c): t for r, line in enumerate(lines, 1) for c, t in enumerate(line.split(delimiter))}
    assert cells(sheet) == expected


@settings(QUICK, max_examples=15)
@given(table=TABLE)
def test_an_xlsx_comes_back_cell_for_cell(tmp_path: Path, table: list[list[str]]) -> None:
    table = [[re.sub(r"_x[0-9A-Fa-f]{4}_|[\ufffe\uffff]", "", cell) for cell in row] for row in table]
    table[0][0] = "首"
    book = openpyxl.Workbook()
    for r, row in enumerate(table, 1):
        for c, text in enumerate(row, 1):
            cell = book.active.cell(r, c, text)
            cell.data_type = "s"
    path = tmp_path / "t.xlsx"
    book.save(path)
    sheet = only(open_book(raw_file(path), SourceSpec()))
    assert cells(sheet) == {(r, c): t for r, row in enumerate(table, 1) for c, t in enumerate(row) if t}


def test_rows_keep_their_numbers_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against Python's own reader: quoted line ends, blank, short and overlong rows, far more than one block."""
    monkeypatch.setattr(delimited, "BLOCK", 1 << 12)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for i in range(3000):
        if i % 97 == 5:
            writer.writerow(["短行"])
        elif i % 89 == 7:
            out.write("\n")
        elif i % 211 == 300 % 211:
            writer.writerow([i, "b", "c", "多"])
        else:
            writer.writerow([i, "两\n行" if i % 13 == 0 else "x", "c"])
    raw = text_file(tmp_path, "h,i,j\n" * 250 + out.getvalue())
    batches = list(only(open_book(raw, SourceSpec())).batches())
    expected = list(csv.reader(io.StringIO("h,i,j\n" * 250 + out.getvalue(), newline="")))
    found: dict[int, list[str]] = {}
    long = [o.row for batch in batches for o in batch.overlong]
    for batch in batches:
        columns = [c.to_pylist() for c in batch.columns]
        found |= {row: [c[at] for c in columns] for at, row in enumerate(batch.rows.to_pylist())}
    assert len(batches) > 3
    assert long == [at for at, row in enumerate(expected, 1) if len(row) > 3]
    assert sorted([*found, *long]) == list(range(1, len(expected) + 1))
    assert all(found[at] == [*row, "", "", ""][:3] for at, row in enumerate(expected, 1) if at in found)


def test_parquet_numbers_its_records_from_one(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    kinds = pa.array(["企业", "高校"]).dictionary_encode()
    pq.write_table(pa.table({"名称": kinds, "n": [1.5, None], "l": [["a", "b"], []], "s": [{"k": 1}, None]}), path)
    sheet = only(open_book(raw_file(path), SourceSpec()))
    assert [list(row) for row in sheet.head] == [["名称", "n", "l", "s"]]
    assert cells(sheet) == {(1, 0): "企业", (1, 1): "1.5", (1, 2): "a|b", (1, 3): '{"k": 1}', (2, 0): "高校"}


def test_excel_shows_what_a_person_sees(tmp_path: Path) -> None:
    raw = excel_file(tmp_path, {"一": [["a"], [0.07, 2020.0, True]], "空": [], "二": [["x"], ["y"]]})
    book = openpyxl.load_workbook(raw.path)
    book["一"]["A2"].number_format = "0.0%"
    book.save(raw.path)
    found = open_book(raw_file(raw.path), SourceSpec())
    assert cells(only(found)) == {(1, 0): "a", (2, 0): "7.00%", (2, 1): "2020", (2, 2): "true"}
    assert found.others == [("二", 2)]
    assert [s.part for s in open_book(raw, SourceSpec(sheet="*")).sheets] == ["一", "二"]
    assert only(open_book(raw, SourceSpec(sheet=3))).part == "二"
    for spec in (SourceSpec(sheet="三"), SourceSpec(sheet=9)):
        with pytest.raises(MappingError) as caught:
            open_book(raw, spec)
        assert caught.value.code == "mapping_sheet"


def test_a_new_workbook_under_an_old_name_is_read(tmp_path: Path) -> None:
    old = excel_file(tmp_path, {"a": [["x"]]}, name="a.xlsx").path.rename(tmp_path / "a.xls")
    assert cells(only(open_book(raw_file(old), SourceSpec()))) == {(1, 0): "x"}


def test_ods_is_read_though_it_tells_no_merges(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = "".join(
        "<table:table-row>" + "".join(map(cell.format, r)) + "</table:table-row>"
        for r in (("地区", "值"), ("北京", "1"))
    )
    ns = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{ns}:office:1.0" xmlns:table="{ns}:table:1.0" '
        f'xmlns:text="{ns}:text:1.0"><office:body><office:spreadsheet><table:table table:name="表">{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    path = tmp_path / "t.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{ns}:manifest:1.0"/>')
        archive.writestr("content.xml", content)
    sheet = only(open_book(raw_file(path), SourceSpec()))
    assert sheet.merges is None
    assert cells(sheet) == {(1, 0): "地区", (1, 1): "值", (2, 0): "北京", (2, 1): "1"}


def written(folder: Path, name: str, data: bytes) -> RawFile:
    path = folder / name
    path.write_bytes(data)
    return raw_file(path)


def everything(raw: RawFile) -> None:
    for sheet in open_book(raw, SourceSpec()).sheets:
        for _ in sheet.batches():
            pass


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"", "source_empty"),
        ("a.xlsx", b"", "source_empty"),
        ("a.parquet", b"", "source_empty"),
        ("a.xlsx", b"hello, this is no workbook at all", "source_format"),
        ("a.xls", b"\n<html><table><tr><td>1</td></tr></table></html>", "workbook_html"),
        ("a.xls", OLE + b"\0" * 2000, "source_format"),
        ("a.xlsx", OLE + b"\0" * 999 + "EncryptedPackage".encode("utf-16-le"), "workbook_password"),
        ("a.parquet", b"PAR1 not really", "source_format"),
        ("a.csv", b"a,b\n1,\x00\x00\x01\x02\x00\x03", "source_format"),
        ("a.csv", "地区,值\n北京,1\n".encode() + b"\xe5\x8c", "workbook_damaged_text"),
        ("a.csv", ("地区,值\n北京市,1\n" * 20).encode() + b"\xff\xff,1\n", "workbook_damaged_text"),
        ("a.csv", b"caf\xe9,\xff\xff\n1,2\n", "workbook_encoding"),
        ("a.csv", b'a,b\n1,"open\n' + b"2,3\n" * 5, "workbook_quote"),
    ],
)  # fmt: skip
def test_what_is_no_table_gets_one_clear_error(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    raw = written(tmp_path, name, data)
    with pytest.raises(SourceError) as caught:
        everything(raw)
    assert caught.value.code == code
    assert name in caught.value.say("zh")
    assert name in caught.value.say("en")


def test_a_truncated_workbook_is_said_to_be_cut(tmp_path: Path) -> None:
    whole = excel_file(tmp_path, {"a": [["x"]]}).path.read_bytes()
    with pytest.raises(SourceError) as caught:
        open_book(written(tmp_path, "cut.xlsx", whole[: len(whole) // 2]), SourceSpec())
    assert caught.value.code == "source_truncated"


def test_gb18030_is_not_taken_for_utf8_however_late_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ronghe.sources.workbook.encoding.BLOCK", 1000)
    raw = text_file(tmp_path, "id,name\n" + "1,ascii\n" * 2000 + "2,䶮和中文\n", "gb18030")
    assert detect(raw).codec == "gb18030"
    assert cells(only(open_book(raw, SourceSpec())))[(2002, 1)] == "䶮和中文"
    with pytest.raises(SourceError) as caught:
        detect(raw, "utf-8")
    assert (caught.value.code, caught.value.args_["line"]) == ("workbook_damaged_text", 2002)
    assert detect(raw, "gb2312").codec == "gb18030"
    with pytest.raises(SourceError) as caught:
        detect(raw, "klingon")
    assert caught.value.code == "workbook_codec"


@pytest.mark.parametrize("block", [7, 64, 4096])
def test_a_character_cut_by_a_block_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("ronghe.sources.workbook.encoding.BLOCK", block)
    for encoding in ("utf-8", "gb18030"):
        raw = text_file(tmp_path, '地区,"产值"\n' + "内蒙古,1\n" * 50, encoding)
        found = detect(raw)
        assert (found.codec, found.quotes) == (encoding, 2)


def test_delimiters() -> None:
    assert find_delimiter('a,b\n"x;y;z",1\n') == ","
    assert find_delimiter("说明\n地区\t值\n北京\t1,234\n上海\t2,345\n") == "\t"
    assert find_delimiter("一列\n北京\n") == ","
