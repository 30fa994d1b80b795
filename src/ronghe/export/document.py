"""Word: headings, three-line tables (三线表) and figures, set as Chinese papers are: 宋体 beside Times New Roman."""

import datetime as dt
import io
from functools import singledispatchmethod
from typing import Any
from xml.sax.saxutils import escape

import docx as word
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from ronghe.export.compose import Block, Document, Grid, Heading, Paragraph, Picture
from ronghe.export.facts import clean
from ronghe.export.files import repack
from ronghe.export.picture import png

_CREATED = dt.datetime(2000, 1, 1)
_LATIN, _SONG, _HEI = "Times New Roman", "宋体", "黑体"
_RED, _BLACK, _GREY = RGBColor(0xC0, 0, 0), RGBColor(0, 0, 0), RGBColor(0x5B, 0x68, 0x78)
_LONG, _SHORT, _SIDE, _EDGE = Mm(297), Mm(210), Mm(25), Mm(25)
_FIGURE = Mm(150)
_TALL = Mm(215)
_THICK, _THIN = 12, 6
"""Rules in eighths of a point: 1.5 pt above and below a table, 0.75 pt under its head."""

_SVG = "{96DAC541-7B7A-43D3-8B79-37D633B846F1}"
_STYLES: tuple[tuple[str, str, float, RGBColor], ...] = (
    ("lead", _SONG, 11, _BLACK),
    ("stamp", _HEI, 10.5, _RED),
    ("item", _SONG, 9.5, _BLACK),
    ("faint", _SONG, 9, _GREY),
    ("table caption", _HEI, 10, _BLACK),
    ("figure caption", _HEI, 10, _BLACK),
    ("table text", _SONG, 9, _BLACK),
    ("table text wide", _SONG, 8, _BLACK),
    ("table note", _SONG, 8.5, _BLACK),
)


def docx(document: Document) -> bytes:
    """The document as a .docx file; the same document gives the same bytes."""
    return _Word(document).bytes()


class _Word:
    def __init__(self, document: Document) -> None:
        self.said = document
        self.file = word.Document()
        self.wide = False
        self.pictures = 0
        self._styles()
        self._page(self.file.sections[0], wide=False)
        self._head()
        self.file.add_paragraph(clean(document.title), style="Title")
        for stamp in document.stamps:
            self.add(Paragraph(stamp, "stamp"))
        for block in document.blocks:
            self._turn(isinstance(block, Grid) and block.wide)
            self.add(block)

    def bytes(self) -> bytes:
        """The file, with the clock taken out of it."""
        about = self.file.core_properties
        about.title, about.author, about.comments = clean(self.said.title), "Ronghe", ""
        about.created = about.modified = _CREATED
        buffer = io.BytesIO()
        self.file.save(buffer)
        return repack(buffer.getvalue())

    def _styles(self) -> None:
        styles = self.file.styles
        _face(styles["Normal"], _SONG, 10.5, _BLACK)
        styles["Normal"].paragraph_format.space_after = Pt(4)
        for name, points in (("Title", 18.0), ("Heading 1", 14.0), ("Heading 2", 12.0)):
            _face(styles[name], _HEI, points, _BLACK)
        styles["Title"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
        border = styles["Title"].element.find(".//" + qn("w:pBdr"))
        if border is not None:
            border.getparent().remove(border)
        for name, face, size, colour in _STYLES:
            style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
            style.base_style = styles["Normal"]
            _face(style, face, size, colour)
        for name, line in (("table text", 12.5), ("table text wide", 11)):
            styles[name].paragraph_format.space_after = Pt(0)
            styles[name].paragraph_format.line_spacing = Pt(line)
        for name in ("table caption", "figure caption"):
            styles[name].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
        styles["table caption"].paragraph_format.keep_with_next = True
        styles["table caption"].paragraph_format.space_before = Pt(10)
        styles["figure caption"].paragraph_format.space_after = Pt(10)
        styles["table note"].paragraph_format.space_before = Pt(3)
        styles["table note"].paragraph_format.space_after = Pt(10)
        language = styles["Normal"].element.get_or_add_rPr()
        language.append(parse_xml(f'<w:lang {nsdecls("w")} w:val="en-US" w:eastAsia="zh-CN"/>'))

    def _page(self, section: Any, *, wide: bool) -> None:
        section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = (_LONG, _SHORT) if wide else (_SHORT, _LONG)
        section.left_margin = section.right_margin = _SIDE
        section.top_margin = section.bottom_margin = _EDGE

    def _head(self) -> None:
        """Stamps on every page."""
        if not self.said.stamps:
            return
        line = self.file.sections[0].header.paragraphs[0]
        run = line.add_run(clean(" ".join(self.said.stamps)))
        run.font.size, run.font.color.rgb = Pt(8), _RED

    def _turn(self, wide: bool) -> None:
        if wide != self.wide:
            self.wide = wide
            self._page(self.file.add_section(WD_SECTION.NEW_PAGE), wide=wide)

    @singledispatchmethod
    def add(self, block: Block) -> None:
        """Write one block."""
        raise TypeError(type(block).__name__)

    @add.register
    def _(self, block: Heading) -> None:
        self.file.add_paragraph(clean(block.text), style=f"Heading {block.level}")

    @add.register
    def _(self, block: Paragraph) -> None:
        self.file.add_paragraph(clean(block.text), style="Normal" if block.style == "body" else block.style)

    @add.register
    def _(self, block: Picture) -> None:
        self.pictures += 1
        drawn = block.figure
        width = min(_FIGURE, int(_TALL * drawn.width / drawn.height))
        line = self.file.add_paragraph()
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        line.paragraph_format.keep_with_next = True
        shape = line.add_run().add_picture(io.BytesIO(png(drawn.svg)), width=width)
        shape._inline.docPr.set("descr", clean(block.caption))
        self._vector(shape, drawn.svg)
        self.file.add_paragraph(clean(block.caption), style="figure caption")

    def _vector(self, shape: Any, svg: str) -> None:
        """Lay the SVG beside the pixels: Word shows it where it can, and gives it out again."""
        name = PackURI(f"/word/media/figure{self.pictures}.svg")
        part = Part(name, "image/svg+xml", svg.encode(), self.file.part.package)
        key = self.file.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
        blip = shape._inline.find(".//" + qn("a:blip"))
        blip.append(
            parse_xml(
                f'<a:extLst {nsdecls("a", "r")}><a:ext uri="{_SVG}"><asvg:svgBlip '
                f'xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" r:embed="{key}"/>'
                "</a:ext></a:extLst>"
            )
        )

    @add.register
    def _(self, block: Grid) -> None:
        self.file.add_paragraph(clean(block.caption), style="table caption")
        body = self.file.element.body
        body.insert(len(body) - 1, parse_xml(_table(block)))
        self.file.add_paragraph(clean(block.note), style="table note")


def _face(style: Any, east: str, size: float, colour: RGBColor) -> None:
    style.font.name, style.font.size, style.font.color.rgb = _LATIN, Pt(size), colour
    fonts = style.element.rPr.rFonts
    for part in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{part}"), None)
    for part, face in (("ascii", _LATIN), ("hAnsi", _LATIN), ("cs", _LATIN), ("eastAsia", east)):
        fonts.set(qn(f"w:{part}"), face)


def _rule(side: str, size: int) -> str:
    return f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'


def _table(grid: Grid) -> str:
    """A three-line table: thick rules above and below, a thin one under the head, no other line."""
    widths = [round(w * 20) for w in grid.widths]
    style = "tabletextwide" if grid.wide else "tabletext"
    columns = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
    sides = ["right" if n else "left" for n in grid.numeric]
    head = _row(grid.headings, widths, sides, style, head=True)
    rows = "".join(_row(r, widths, sides, style) for r in grid.rows)
    return (
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f"<w:tblBorders>{_rule('top', _THICK)}{_rule('bottom', _THICK)}</w:tblBorders>"
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/>'
        f"</w:tblCellMar></w:tblPr><w:tblGrid>{columns}</w:tblGrid>"
        f"{head}{rows}</w:tbl>"
    )


def _row(texts: tuple[str, ...], widths: list[int], sides: list[str], style: str, *, head: bool = False) -> str:
    rules = f"<w:tcBorders>{_rule('top', _THICK)}{_rule('bottom', _THIN)}</w:tcBorders>" if head else ""
    centre = '<w:vAlign w:val="center"/>'
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{w}" w:type="dxa"/>{rules}{centre}</w:tcPr><w:p><w:pPr><w:pStyle w:val="{style}"/>'
        f'<w:jc w:val="{side}"/></w:pPr><w:r><w:t xml:space="preserve">{escape(clean(text))}</w:t></w:r></w:p></w:tc>'
        for text, w, side in zip(texts, widths, sides, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if head else ''}</w:trPr>{cells}</w:tr>"
