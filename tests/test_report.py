"""Documents opened again: three-line tables, figures, one numbering, one list of sources; the finding's own figures."""

import builtins
import io
import re
import zipfile

import docx
import pypdf
import pytest
from docx.oxml.ns import qn

from ronghe.errors import AskError, LakeError, RongheError
from ronghe.export import render as export
from ronghe.export.compose import ACROSS, UPRIGHT, Grid, Paragraph, Picture, compose
from ronghe.export.typeset import quoted, source
from ronghe.i18n import LANGUAGES
from ronghe.present import cell, visible
from ronghe.report import render, write
from tests.findings import CLOSED, DANGEROUS, INVENTED, NAMES, OPEN, answer, finding

TWO = "1b" * 12


def opened(content):
    return docx.Document(io.BytesIO(content))


def wanted_cells(one, table, lang):
    result = one.tables[table]
    fields = visible(result, lang)
    return [[cell(f, row[f.name], lang, row) for f in fields] for row in result.data.to_pylist()]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_word_tables_hold_the_figures_between_three_lines(tmp_path, lang):
    one = answer(tmp_path)
    document = opened(export(one, "docx", lang).content)
    table = document.tables[0]
    # A column with the same year in every row of the hand-made table is a number to a reader, so it stays.
    found = [[c.text for c in row.cells] for row in table.rows]
    wanted = wanted_cells(one.finding, "sectors", lang)
    for got, row in zip(found[1:], wanted, strict=True):
        assert got == row
    borders = table._tbl.tblPr.find(qn("w:tblBorders"))
    assert {b.tag: b.get(qn("w:sz")) for b in borders} == {qn("w:top"): "12", qn("w:bottom"): "12"}
    rules = [tc.tcPr.find(qn("w:tcBorders")) for tc in table._tbl.tr_lst[0].tc_lst]
    assert {r.find(qn("w:bottom")).get(qn("w:sz")) for r in rules} == {"6"}
    others = [tc.tcPr.find(qn("w:tcBorders")) for tr in table._tbl.tr_lst[1:] for tc in tr.tc_lst]
    assert not [r for r in others if r is not None]
    assert table._tbl.tr_lst[0].trPr.find(qn("w:tblHeader")) is not None
    said = [p.text for p in document.paragraphs]
    name = "表1　分部门结果" if lang == "zh" else "Table 1  Sectors"
    assert name in said
    assert any("open_data" in s and "CC BY 4.0" in s for s in said)
    assert any("Rasmussen 1956" in s for s in said)
    assert any("0a" * 12 in s for s in said)


def test_word_sets_chinese_in_song_and_latin_in_times(tmp_path):
    document = opened(export(answer(tmp_path), "docx", "zh").content)
    fonts = document.styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == "宋体"
    assert fonts.get(qn("w:ascii")) == "Times New Roman"
    for name in ("Heading 1", "Title", "table text", "table caption"):
        face = document.styles[name].element.rPr.rFonts
        assert face.get(qn("w:eastAsia")) in {"宋体", "黑体"}
        assert face.get(qn("w:eastAsiaTheme")) is None


def test_word_carries_each_figure_as_pixels_and_as_svg(tmp_path):
    content = export(answer(tmp_path, charts=2), "docx", "zh").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        vectors = [archive.read(n).decode() for n in names if n.endswith(".svg")]
        assert len(vectors) == 2
        assert "农产品" in vectors[0]
        assert sum(n.endswith(".png") for n in names) == 2
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert "image/svg+xml" in archive.read("[Content_Types].xml").decode()
    assert len(opened(content).inline_shapes) == 2


@pytest.mark.parametrize("lang", LANGUAGES)
def test_stamps_stand_on_every_page(tmp_path, lang):
    made = render([answer(tmp_path, inputs=(CLOSED, INVENTED))], "docx", lang)
    document = opened(made.content)
    head = document.sections[0].header.paragraphs[0]
    assert "closed_data (CC BY-NC)" in head.text
    assert str(head.runs[0].font.color.rgb) == "C00000"
    assert all(s.header.is_linked_to_previous for s in list(document.sections)[1:])
    assert not opened(render([answer(tmp_path)], "docx", lang).content).sections[0].header.paragraphs[0].text


def test_a_report_numbers_through_and_lists_sources_once(tmp_path):
    answers = [answer(tmp_path), answer(tmp_path, inputs=(OPEN, CLOSED), identity=TWO)]
    document = opened(render(answers, "docx", "en", title="Brief").content)
    said = [p.text for p in document.paragraphs]
    assert said[0] == "Brief"
    captions = [s.split("  ")[0] for s in said if re.match(r"(Table|Figure) \d", s)]
    assert captions == ["Figure 1", "Table 1", "Table 2", "Figure 2", "Table 3", "Table 4"]
    listed = [s for s in said if re.match(r"\[[DM]\d+\]", s)]
    assert [s[:4] for s in listed] == ["[D1]", "[D2]", "[M1]"]
    assert any("Sources: [D1][D2][M1]." in s for s in said)
    assert sum(TWO in s for s in said) == 1


@pytest.mark.parametrize("fmt", ["docx", "pdf"])
def test_the_same_findings_give_the_same_bytes(tmp_path, fmt):
    if fmt == "pdf":
        pytest.importorskip("typst")
    answers = [answer(tmp_path), answer(tmp_path, identity=TWO)]
    assert render(answers, fmt, "zh") == render(answers, fmt, "zh")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pdf_holds_the_figures_and_the_stamps(tmp_path, lang):
    pytest.importorskip("typst")
    path = tmp_path / "报告.pdf"
    one = answer(tmp_path, inputs=(OPEN, CLOSED))
    write([one], path, lang)
    pages = [p.extract_text() for p in pypdf.PdfReader(path).pages]
    text = "".join(pages)
    for row in wanted_cells(one.finding, "sectors", lang):
        assert row[2] in text
    assert "26,990,278,045" in text
    assert ("农产品" if lang == "zh" else "sector 0") in text
    assert all("closed_data" in p for p in pages)


def test_long_tables_say_what_is_left_out_and_wide_ones_turn_the_page():
    made = compose([finding(rows=60, charts=0)], "zh", rows=10)
    grids = [b for b in made.blocks if isinstance(b, Grid)]
    assert len(grids[0].rows) == 10
    assert "共 60 行" in grids[0].note
    assert "“—”表示缺失" in grids[0].note
    for grid in grids:
        assert sum(grid.widths) <= (ACROSS if grid.wide else UPRIGHT) + 1
        assert len(grid.widths) == len(grid.headings) == len(grid.numeric)


def test_a_table_too_wide_for_a_turned_page_goes_on_with_its_names_repeated():
    import dataclasses

    import pyarrow as pa

    from ronghe.model.finding import Field, Result
    from ronghe.model.text import Text

    count = 30
    data = {"sector": ["001", "002"], **{f"v{i}": [i + 0.5, 1e9 + i] for i in range(count)}}
    fields = [Field("sector", Text("column.sector"), "text")]
    fields += [Field(f"v{i}", Text("column.output")) for i in range(count)]
    wide = Result(pa.table(data), tuple(fields), ("sector",), Text("structure.sectors"))
    one = dataclasses.replace(finding(charts=0), tables={"sectors": wide})
    grids = [b for b in compose([one], "en").blocks if isinstance(b, Grid)]
    assert len(grids) > 1
    assert all(g.rows[0][0] == "001" and sum(g.widths) <= ACROSS + 1 for g in grids)
    assert sum(len(g.headings) - 1 for g in grids) == count
    assert "continued" in grids[1].caption


@pytest.mark.parametrize("text", [*DANGEROUS, '"quoted"', "back\\slash", "#let x = 1", "a\x00b", "$x$ *b* _i_ <l> @r"])
def test_no_text_is_taken_for_markup(text):
    pytest.importorskip("typst")
    from ronghe.export.compose import Document
    from ronghe.export.typeset import pdf

    made = Document("en", text, (text,), (Paragraph(text),))
    assert quoted(text)[0] == quoted(text)[-1] == '"'
    plain = re.sub(r"\s", "", text.replace("\x00", "\ufffd"))
    assert plain in re.sub(r"\s", "", pypdf.PdfReader(io.BytesIO(pdf(made))).pages[0].extract_text())


def test_chinese_names_reach_the_pdf_source_whole():
    made = source(compose([finding(charts=0)], "zh"))
    assert all(n in made for n in NAMES[:2])
    assert "Noto Sans SC" in made


def test_without_typst_the_error_says_what_to_install(tmp_path, monkeypatch):
    found = builtins.__import__

    def refuse(name, *args, **how):
        if name == "typst":
            raise ImportError(name)
        return found(name, *args, **how)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(RongheError, match=r'pip install "ronghe\[report\]"'):
        render([answer(tmp_path, charts=0)], "pdf", "en")


def test_what_is_asked_wrongly_is_said(tmp_path):
    with pytest.raises(AskError, match="report"):
        render([], "docx", "en")
    with pytest.raises(RongheError, match="docx"):
        write([answer(tmp_path)], tmp_path / "a.xlsx", "en")
    with pytest.raises(LakeError):
        write([answer(tmp_path, charts=0)], tmp_path / "none" / "a.docx", "en")


def test_the_command_writes_findings_by_id(tmp_path):
    import typer
    from typer.testing import CliRunner

    from ronghe.cli import report as room
    from ronghe.cli.state import State

    one = answer(tmp_path, charts=0)
    one.brain.lake.store.make()
    one.brain.findings.put(one.finding)
    app = typer.Typer()
    app.command()(room.report)
    state = State({"lake": one.brain.config.lake, "lang": "zh"})
    path = tmp_path / "简报.docx"
    done = CliRunner().invoke(app, [one.id[:8], "--to", str(path), "--title", "简报", "--rows", "2"], obj=state)
    assert done.exit_code == 0, done.output
    document = docx.Document(str(path))
    assert document.paragraphs[0].text == "简报"
    assert len(document.tables[0].rows) == 3


def test_pictures_stand_with_their_captions():
    made = compose([finding(charts=2)], "zh")
    assert [b.caption[:2] for b in made.blocks if isinstance(b, Picture)] == ["图1", "图2"]


@pytest.mark.mirror
def test_a_real_structure_becomes_a_document(mirror, tmp_path):
    from ronghe.brain import Brain
    from ronghe.config import Config
    from ronghe.lake.ingest import Terms
    from ronghe.lake.lake import raw_file
    from ronghe.sources.cn_io_tables import CnIoTables

    brain = Brain(Config(lake=str(tmp_path / "lake")))
    raw = raw_file(mirror / "cn_io_tables" / "china_2020_42.rda", "cn_io_tables")
    brain.lake.ingest(CnIoTables(), raw, terms=Terms(licence="official statistics", redistributable=False))
    found = brain.ask("structure", table="cn-2020-42")
    document = opened(export(found, "docx", "zh").content)
    texts = [c.text for row in document.tables[0].rows for c in row.cells]
    field = found.tables["sectors"].field("backward_linkage")
    for value in found.tables["sectors"].data.column("backward_linkage").to_pylist():
        assert cell(field, value, "zh") in texts
