"""Several findings as one document: numbered tables and figures, one list of sources, one of methods."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ronghe.brain import Answer
from ronghe.errors import AskError, RongheError, nearest
from ronghe.export import FORMATS as _ALL
from ronghe.export import Rendered, format_of, paper
from ronghe.export.files import save

FORMATS: Mapping[str, str] = MappingProxyType({k: _ALL[k] for k in ("docx", "pdf")})
"""What a report can be written as, and its media type."""

ROWS = 40
"""The rows of one table that a report shows when nothing else is asked for."""


def render(answers: Sequence[Answer], fmt: str, lang: str, *, title: str | None = None, rows: int = ROWS) -> Rendered:
    """Findings as one document.

    Parameters
    ----------
    answers : in the order of the document's sections.
    fmt : ``docx`` or ``pdf``.
    lang : ``zh`` or ``en``.
    title : the document's title; a general one when ``None``.
    rows : the most rows of one table that are shown; the note below it says what is left out.

    Raises
    ------
    AskError : no finding was given.
    RongheError : no such format; or what it needs is not installed.
    """
    if fmt not in FORMATS:
        raise RongheError("export_format", name=fmt, known=nearest(fmt, FORMATS))
    if not answers:
        raise AskError("report_empty")
    content = paper([a.finding for a in answers], fmt, lang, heading=title, rows=rows)
    return Rendered(content, FORMATS[fmt], f"report-{answers[0].id[:12]}.{fmt}")


def write(answers: Sequence[Answer], path: Path, lang: str, *, title: str | None = None, rows: int = ROWS) -> None:
    """Write findings as one document, whole or not at all; the format is the file's ending. See ``render``.

    Raises
    ------
    LakeError : the file can't be written.
    """
    save(path, render(answers, format_of(path, FORMATS), lang, title=title, rows=rows).content)


__all__ = ["FORMATS", "ROWS", "render", "write"]
