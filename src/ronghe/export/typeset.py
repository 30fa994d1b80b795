"""PDF, typeset by Typst with the Chinese font that comes along; the same document gives the same bytes."""

import tempfile
from pathlib import Path

from ronghe.errors import RongheError
from ronghe.export.compose import UPRIGHT, Block, Document, Grid, Heading, Paragraph, Picture
from ronghe.export.facts import clean
from ronghe.export.fonts import FAMILY, font

_TALL = 620
_BREAKABLE = "/\u200b"
_PREFACE = """\
#set document(title: {title}, date: none)
#set page(paper: "a4", margin: 25mm, numbering: "1", header: {header})
#set text(font: ("Libertinus Serif", "{family}"), size: 10.5pt, lang: "{lang}", region: "{region}")
#set par(justify: true, leading: 0.75em)
#show heading: set text(size: 13pt, weight: "regular")
#show heading: set block(above: 1.4em, below: 0.8em)
#let lead(t) = par(text(size: 11pt, t))
#let stamp(t) = par(text(fill: rgb("#C00000"), t))
#let body(t) = par(t)
#let item(t) = par(hanging-indent: 1.5em, text(size: 9.5pt, t))
#let faint(t) = par(text(size: 9pt, fill: rgb("#5B6878"), t))
#let caption(t) = align(center, text(size: 10pt, t))
#let tnote(t) = par(text(size: 8.5pt, t))
#align(center, text(size: 18pt, {title}))
"""


def pdf(document: Document) -> bytes:
    """The document as a .pdf file.

    Raises
    ------
    RongheError : Typst is not installed; the hint has the line that installs it.
    """
    try:
        import typst
    except ImportError as error:
        raise RongheError("export_missing", extra="report") from error
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number, block in enumerate(document.blocks):
            if isinstance(block, Picture):
                (root / f"{number}.svg").write_text(block.figure.svg, encoding="utf-8")
        main = root / "main.typ"
        main.write_text(source(document), encoding="utf-8")
        made = typst.compile(
            str(main), root=folder, font_paths=[str(font().parent)], ignore_system_fonts=True, format="pdf", timestamp=0
        )
    return bytes(made)


def source(document: Document) -> str:
    """The document in Typst's own language; every text stands in a string, so none is taken for markup."""
    stamps = " ".join(document.stamps)
    header = f'text(size: 8pt, fill: rgb("#C00000"), {quoted(stamps)})' if stamps else "none"
    region = "cn" if document.lang == "zh" else "gb"
    parts = [
        _PREFACE.format(title=quoted(document.title), header=header, family=FAMILY, lang=document.lang, region=region)
    ]
    parts += [f"#stamp({quoted(s)})" for s in document.stamps]
    parts += [_block(number, block) for number, block in enumerate(document.blocks)]
    return "\n".join(parts) + "\n"


def quoted(text: str) -> str:
    """A text as a Typst string; long addresses may break after a slash."""
    plain = (
        clean(text).replace("\r", "").replace("\t", " ").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    )
    return f'"{plain.replace("/", _BREAKABLE) if "://" in plain else plain}"'


def _block(number: int, block: Block) -> str:
    if isinstance(block, Heading):
        return f"#heading(level: {block.level}, {quoted(block.text)})"
    if isinstance(block, Paragraph):
        return f"#{block.style}({quoted(block.text)})"
    if isinstance(block, Picture):
        drawn = block.figure
        width = min(UPRIGHT * 0.95, _TALL * drawn.width / drawn.height)
        return (
            f'#block(breakable: false, width: 100%)[#align(center, image("{number}.svg", width: {width:.0f}pt))\n'
            f"#caption({quoted(block.caption)})]"
        )
    return _turned(block)


def _turned(grid: Grid) -> str:
    table = _table(grid)
    return f"#page(flipped: true)[\n{table}\n]" if grid.wide else table


def _table(grid: Grid) -> str:
    columns = ", ".join(f"{w}pt" for w in grid.widths)
    sides = ", ".join("right" if n else "left" for n in grid.numeric)
    heads = ", ".join(f"align(horizon, {quoted(h)})" for h in grid.headings)
    rows = ",\n".join(", ".join(quoted(c) for c in row) for row in grid.rows)
    return (
        f"#caption({quoted(grid.caption)})\n"
        f"#[#set text(size: {8 if grid.wide else 9}pt)\n#set par(justify: false, leading: 0.5em)\n"
        f"#align(center, table(columns: ({columns},), stroke: none, inset: (x: 3pt, y: 3pt), align: ({sides},),\n"
        f"table.hline(stroke: 1.5pt), table.header({heads}, table.hline(stroke: 0.75pt)),\n"
        f"{rows}{',' if rows else ''}\ntable.hline(stroke: 1.5pt)))]\n"
        f"#tnote({quoted(grid.note)})"
    )
