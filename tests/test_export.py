"""Every file is opened again, and its figures are those of the finding."""

import csv
import errno
import io
import json
import os
import struct
import zipfile
from dataclasses import replace

import openpyxl
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from ronghe.errors import LakeError, LicenceError, NoData, RongheError, UnknownName
from ronghe.export import FORMATS, render, write
from ronghe.export.compose import Grid, compose
from ronghe.export.facts import harmless, span
from ronghe.export.fonts import advances, text_width, wrap
from ronghe.export.picture import for_paper, sheet
from ronghe.export.rows import write_rows
from ronghe.export.workbook import number_format
from ronghe.i18n import LANGUAGES
from ronghe.model.finding import Cards, Field
from ronghe.model.text import Text
from tests.findings import CLOSED, DANGEROUS, INVENTED, NAMES, OPEN, OUTPUT, SHARE, answer, finding
from tests.lake.toys import bring, lake_at

FIGURES = {"output": OUTPUT, "value_added_content": SHARE}


def columns_of(rows, lang):
    """The data rows below the heading that begins with the sector code."""
    head = next(i for i, r in enumerate(rows) if {"部门代码", "sector"} & set(r))
    return list(rows[head]), rows[head + 1 :]


def close(found, wanted):
    """Equal but for the 16th digit, the last that Excel keeps."""
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        if b is None:
            assert a in {None, ""}
        else:
            assert float(a) == pytest.approx(b, rel=1e-15, abs=0)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_workbook_holds_the_figures_the_sources_and_no_formula(tmp_path, lang):
    path = tmp_path / "产业 结构.xlsx"
    write(answer(tmp_path), path, lang)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == (
        ["结果", "分部门结果", "分部门结果 2", "来源"]
        if lang == "zh"
        else ["Result", "Sectors", "Sectors 2", "Sources"]
    )
    assert all(c.data_type != "f" for s in book for row in s.iter_rows() for c in row)
    sheet = book.worksheets[1]
    heads, rows = columns_of([[c.value for c in r] for r in sheet.iter_rows()], lang)
    close([r[2] for r in rows], OUTPUT)
    close([r[3] for r in rows], SHARE)
    assert "万元" in heads[2] if lang == "zh" else "10 thousand yuan" in heads[2]
    if lang == "zh":
        assert [r[1] for r in rows[:6]] == list(NAMES[:6])
    assert sheet.freeze_panes == "C4"
    assert sheet.auto_filter.ref == "A3:G10"
    assert book.worksheets[2]["A4"].value in {"总产出", "gross output"}
    assert book.worksheets[2]["C4"].value in {"万元", "10 thousand yuan"}
    said = [c.value for row in book.worksheets[3].iter_rows() for c in row]
    for wanted in ("o" * 64, "CC BY 4.0", "A = Z x̂⁻¹", "Rasmussen 1956", OPEN.url, OPEN.file):
        assert wanted in said
    assert "io_cell: table_id = t, row = 000, year ∈ {2019, 2020}" in said
    assert f"ronghe trace {'0a' * 12} output 0 --table sectors" in said
    about = [c.value for row in book.worksheets[0].iter_rows() for c in row]
    assert "0.1.0+test" in about
    assert "0a" * 12 in about
    assert "cn-2020-153" in about


def test_a_second_reader_sees_the_same_figures(tmp_path):
    path = tmp_path / "a.xlsx"
    write(answer(tmp_path), path, "en")
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(1).to_python()
    close([r[2] for r in columns_of(rows, "en")[1]], OUTPUT)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_stamps_stand_red_on_top_of_every_sheet(tmp_path, lang):
    made = render(answer(tmp_path, inputs=(OPEN, CLOSED, INVENTED)), "xlsx", lang)
    for one in openpyxl.load_workbook(io.BytesIO(made.content)):
        stamps = [one.cell(r, 1) for r in (2, 3)]
        assert all(c.font.color.rgb == "FFC00000" for c in stamps)
        assert ("虚构" if lang == "zh" else "Invented") in stamps[0].value
        assert "closed_data (CC BY-NC)" in stamps[1].value
        assert "closed_data" in one.cell(4, 1).value
    clean = openpyxl.load_workbook(io.BytesIO(render(answer(tmp_path), "xlsx", lang).content))
    assert all(c.font.color is None or c.font.color.rgb != "FFC00000" for s in clean for row in s for c in row)


@pytest.mark.parametrize("fmt", [f for f in FORMATS if f not in {"docx", "pdf"}])
def test_the_same_finding_gives_the_same_bytes(tmp_path, fmt):
    one = answer(tmp_path)
    made = [render(one, fmt, "zh") for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].filename.isascii()
    assert made[0].media_type == FORMATS[fmt]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_csv_is_marked_exact_and_harmless(tmp_path, lang):
    path = tmp_path / "数据.csv"
    write(answer(tmp_path), path, lang)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    close([r[2] or None for r in rows[1:]], OUTPUT)
    if lang == "zh":
        assert [r[1] for r in rows[3:]] == [f"'{d}" for d in DANGEROUS]
    beside = list(csv.reader((tmp_path / "数据.sources.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert beside[1][:4] == ["open_data", "open_data.csv", "o" * 64, "CC BY 4.0"]
    assert "0a" * 12 in beside[1]


def test_one_table_by_name_and_all_in_an_archive(tmp_path):
    one = render(answer(tmp_path), "csv", "en", "totals")
    assert one.content.decode("utf-8-sig").splitlines() == [
        "measure,amount,Unit",
        "gross output,26990278045.0,10 thousand yuan",
    ]
    assert "totals" in one.filename
    with zipfile.ZipFile(io.BytesIO(render(answer(tmp_path), "zip", "en").content)) as archive:
        assert set(archive.namelist()) == {
            "structure.docx",
            "figure-1.svg",
            "sectors.csv",
            "totals.csv",
            "_summary.csv",
            "_steps.csv",
            "_traces.csv",
            "_sources.csv",
        }
        assert archive.read("totals.csv") == one.content
        for name, fmt in (("structure.docx", "docx"), ("figure-1.svg", "svg")):
            assert archive.read(name) == render(answer(tmp_path), fmt, "en", chart=0).content


@pytest.mark.parametrize("text", ["=1", "+a", "-a", "@x", "\t=1", "\r=1"])
def test_what_could_run_is_disarmed(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1.5", "+3", "-1e-7", "—", "农产品", "", "a=1"])
def test_what_can_not_run_stays(text):
    assert harmless(text) == text


def test_parquet_says_what_it_holds(tmp_path):
    path = tmp_path / "a.parquet"
    write(answer(tmp_path), path, "zh")
    table = pq.read_table(path)
    for name, wanted in FIGURES.items():
        assert table.column(name).to_pylist() == list(wanted)
    output = table.schema.field("output").metadata
    assert output[b"unit"] == b"CNY_10k"
    assert output[b"label_zh"].decode() == "总产出"
    assert json.loads(output[b"basis"])["where"]["row"] == {"column": "sector"}
    about = json.loads(table.schema.metadata[b"ronghe"])
    assert about["id"] == "0a" * 12
    assert about["provenance"]["inputs"][0]["sha256"] == "o" * 64


def test_json_is_the_canonical_document(tmp_path):
    one = answer(tmp_path)
    assert render(one, "json", "zh").content == one.json


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pictures_show_names_stamps_and_sources(tmp_path, lang):
    one = finding(inputs=(OPEN, CLOSED), charts=2)
    drawn = sheet(one, lang)
    for wanted in ("CC BY-NC", "open_data", "0a" * 12, "农产品" if lang == "zh" else "sector 0"):
        assert wanted in drawn
    assert "<style" not in drawn
    assert "zr" not in drawn
    assert 'fill="#C00000"' in drawn
    single = sheet(one, lang, 1)
    assert len(single) < len(drawn)
    path = tmp_path / "图.png"
    write(answer(tmp_path, charts=1), path, lang, chart=0)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack_from(">L", content, 16)[0] == 1520
    assert len(content) > 10_000


def test_charts_of_one_sheet_share_no_id():
    drawn = sheet(finding(charts=2), "en")
    assert "c0-" in drawn or "clip" not in drawn
    ids = [part.split('"')[0] for part in drawn.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


def test_paper_shows_whole_names_and_every_legend_entry():
    names = [f"很长的图例名称第{i}个" for i in range(20)]
    option = {
        "legend": {"type": "scroll", "data": names, "itemGap": 16},
        "grid": {"top": 36, "outerBounds": {"top": 36}},
        "yAxis": {"axisLabel": {"overflow": "truncate", "width": 190}},
        "series": [],
    }
    made, height = for_paper(option, 400)
    assert made["legend"]["type"] == "plain"
    assert made["yAxis"]["axisLabel"]["overflow"] == "break"
    assert height > 400
    assert made["grid"]["top"] - 36 == height - 400


def test_letters_are_as_wide_as_the_font_says():
    assert 0.5 < advances()["0"] < 0.6
    assert text_width("中文", 12) == 24
    assert text_width("iii", 12) < text_width("WWW", 12)
    lines = wrap("数据来源" * 40 + " word" * 20, 11, 200)
    assert all(text_width(line, 11) <= 200 for line in lines)
    assert "".join(lines).replace(" ", "") == "数据来源" * 40 + "word" * 20
    assert span("部门a\nb") == 5


@pytest.mark.parametrize(
    ("kind", "digits", "values", "wanted"),
    [
        ("year", None, [2020], "0"),
        ("share", None, [0.5], "0.0%"),
        ("share", 0, [0.5], "0%"),
        ("number", 4, [1.0], "#,##0.0000"),
        ("number", 0, [1.5], "#,##0"),
        ("integer", None, [1], "#,##0"),
        ("number", None, [10.0, 2.0], "#,##0"),
        ("number", None, [10.5, 2.0], "#,##0.00"),
        ("number", None, [0.5, 2.0], "#,##0.0000"),
        ("number", None, [1e-9, 1e-7], "0.00E+00"),
        ("text", None, ["a"], ""),
        ("number", None, [None], ""),
    ],
)
def test_figures_show_as_they_do_on_the_page(kind, digits, values, wanted):
    assert number_format(Field("x", Text("column.rank"), kind, digits=digits), values) == wanted


def test_what_is_asked_wrongly_is_said(tmp_path):
    one = answer(tmp_path)
    with pytest.raises(RongheError, match="xlsx"):
        render(one, "xls", "en")
    with pytest.raises(RongheError, match="Known"):
        write(one, tmp_path / "a.doc", "en")
    with pytest.raises(UnknownName, match="totals"):
        render(one, "csv", "en", "nothing")
    with pytest.raises(UnknownName):
        render(one, "svg", "en", chart=5)
    with pytest.raises(NoData):
        render(answer(tmp_path, charts=0), "svg", "en")


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LakeError) as caught:
        write(answer(tmp_path), path, "en")
    assert caught.value.code == "export_full"
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    monkeypatch.undo()
    with pytest.raises(LakeError) as caught:
        write(answer(tmp_path), tmp_path / "none" / "a.json", "en")
    assert caught.value.code == "export_folder"


@pytest.fixture
def mixed(tmp_path):
    """A lake whose indicator table has an open load and a closed one that ranks first where both state a key."""
    from ronghe.brain import Brain

    lake = lake_at(tmp_path)
    bring(lake, tmp_path, "CHN,gdp,2020,1\nCHN,=gdp,2021,2\n", name="open.txt", licence="CC BY")
    shut = {"licence": "CC BY-NC-ND", "redistributable": False, "commercial": False, "precedence": 1}
    bring(lake, tmp_path, "CHN,gdp,2020,9\nUSA,gdp,2020,3\n", name="shut.txt", **shut)
    return Brain(lake.config, lake)


def test_rows_that_may_not_be_passed_on_are_refused(mixed, tmp_path):
    for fmt in ("csv", "parquet", "xlsx"):
        path = tmp_path / f"rows.{fmt}"
        with pytest.raises(LicenceError, match=r"toys \(CC BY-NC-ND\)"):
            write_rows(mixed, "indicator", path, "en")
        assert not path.exists()


def test_rows_that_may_be_passed_on_are_written_without_the_others(mixed, tmp_path):
    path = tmp_path / "行.parquet"
    done = write_rows(mixed, "indicator", path, "zh", redistributable_only=True)
    assert (done.rows, done.left, done.datasets) == (2, 1, ("toys (CC BY-NC-ND)",))
    table = pq.read_table(path)
    # The open load's own 1 comes forward, not the closed load's 9 that ranks before it.
    assert table.column("value").to_pylist() == [2.0, 1.0]
    assert set(table.schema.names) >= {"_load", "_file", "_part", "_row", "_col"}
    about = json.loads(table.schema.metadata[b"ronghe"])
    assert [i["licence"] for i in about["inputs"]] == ["CC BY"]
    write_rows(mixed, "indicator", tmp_path / "行.csv", "zh", redistributable_only=True)
    rows = list(csv.DictReader((tmp_path / "行.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {r["indicator"]: float(r["value"]) for r in rows} == {"'=gdp": 2.0, "gdp": 1.0}
    assert "CC BY" in (tmp_path / "行.sources.csv").read_text(encoding="utf-8-sig")
    write_rows(mixed, "indicator", tmp_path / "行.xlsx", "zh", redistributable_only=True)
    book = openpyxl.load_workbook(tmp_path / "行.xlsx")
    cells = [c for row in book.worksheets[0].iter_rows() for c in row]
    assert "=gdp" in [c.value for c in cells if c.data_type == "s"]
    assert not [c for c in cells if c.data_type == "f"]


def test_rows_need_a_table_with_rows(mixed, tmp_path):
    with pytest.raises(NoData):
        write_rows(mixed, "io_cell", tmp_path / "a.csv", "en")
    with pytest.raises(UnknownName):
        write_rows(mixed, "nothing", tmp_path / "a.csv", "en")


def test_the_command_refuses_and_leaves_out(mixed, tmp_path):
    import typer
    from typer.testing import CliRunner

    from ronghe.cli import look
    from ronghe.cli.state import State

    app = typer.Typer()
    app.command()(look.tables)
    state = State({"lake": mixed.config.lake, "lang": "en"})
    base = ["indicator", "--to", str(tmp_path / "a.csv")]
    refused = CliRunner().invoke(app, base, obj=state)
    assert isinstance(refused.exception, LicenceError)
    done = CliRunner().invoke(app, [*base, "--redistributable-only"], obj=state)
    assert done.exit_code == 0
    assert "2 rows" in done.output
    assert "1 rows of toys (CC BY-NC-ND)" in done.output


@pytest.mark.mirror
def test_a_real_structure_goes_through_every_format(mirror, tmp_path):
    from ronghe.brain import Brain
    from ronghe.config import Config
    from ronghe.lake.ingest import Terms
    from ronghe.lake.lake import raw_file
    from ronghe.sources.cn_io_tables import CnIoTables

    brain = Brain(Config(lake=str(tmp_path / "lake")))
    raw = raw_file(mirror / "cn_io_tables" / "china_2020_42.rda", "cn_io_tables")
    brain.lake.ingest(CnIoTables(), raw, terms=Terms(licence="official statistics", redistributable=False))
    found = brain.ask("structure", table="cn-2020-42")
    wanted = found.tables["sectors"].data
    for lang in LANGUAGES:
        write(found, tmp_path / "结构.xlsx", lang)
        book = openpyxl.load_workbook(tmp_path / "结构.xlsx")
        heads, rows = columns_of([[c.value for c in r] for r in book.worksheets[1].iter_rows()], lang)
        linkage = heads.index("影响力（列和）" if lang == "zh" else "backward linkage")
        close([r[linkage] for r in rows], wanted.column("backward_linkage").to_pylist())
    with pytest.raises(LicenceError):
        write_rows(brain, "io_cell", tmp_path / "rows.csv", "en")
    assert render(found, "svg", "zh") == render(found, "svg", "zh")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_document_has_of_a_table_of_cards_what_stands_on_them(lang):
    cards = Cards("sectors", Text("structure.sectors"), "name", "quadrant", ("output",))
    grids = [b for b in compose([replace(finding(), cards=(cards,))], lang).blocks if isinstance(b, Grid)]
    assert [len(g.headings) for g in grids] == [3, 2]
    assert len(grids[0].rows) == 7
    assert grids[0].rows[0][0] == (NAMES[0] if lang == "zh" else "sector 0")
