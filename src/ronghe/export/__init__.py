"""A finding as a file: workbook, CSV, Parquet, JSON, pictures and documents, each with its sources and stamps.

    xlsx      every table, a summary and a sources sheet     csv       one table; the sources lie in a file beside it
    parquet   one table, its provenance in the metadata      zip       the docx, every chart as SVG, every table as CSV
    svg, png  one chart, or all below one another            docx, pdf a document with three-line tables
    json      the canonical document, what the API returns

The same finding gives the same bytes. Nothing is computed here: figures are those of the finding.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ronghe.brain import Answer
from ronghe.errors import RongheError, UnknownName, nearest
from ronghe.export.files import pack, save
from ronghe.model.finding import Finding
from ronghe.model.serial import canonical, to_document

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "csv": "text/csv; charset=utf-8",
        "zip": "application/zip",
        "parquet": "application/vnd.apache.parquet",
        "json": "application/json",
        "svg": "image/svg+xml",
        "png": "image/png",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "pdf": "application/pdf",
    }
)
"""Every format and its media type."""


class Rendered(NamedTuple):
    """A file's bytes, its media type, and an ASCII name for it."""

    content: bytes
    media_type: str
    filename: str


def render(
    answer: Answer,
    fmt: str,
    lang: str,
    table: str | None = None,
    *,
    chart: int | None = None,
    make: Callable[[Finding, str, str, str, int | None], bytes] | None = None,
) -> Rendered:
    """A finding in one format.

    Parameters
    ----------
    answer : the finding with its brain.
    fmt : one of ``FORMATS``.
    lang : ``zh`` or ``en``: the language of headings and sentences.
    table : for csv and parquet, the table written; the finding's main one when ``None``.
    chart : for svg and png, the chart drawn, counted from 0; all of them when ``None``.
    make : what makes the bytes; ``content`` in this process when ``None``.

    Raises
    ------
    RongheError : no such format; or what the format needs is not installed.
    UnknownName : the finding has no such table or chart.
    """
    if fmt not in FORMATS:
        raise RongheError("export_format", name=fmt, known=nearest(fmt, FORMATS))
    finding = answer.finding
    if table is not None and table not in finding.tables:
        raise UnknownName("unknown_result", table, finding.tables)
    made = (make or content)(finding, fmt, lang, table or finding.main, chart)
    part = "" if table is None or fmt not in {"csv", "parquet"} else f"-{table}"
    return Rendered(made, FORMATS[fmt], f"{finding.lens}{part}-{finding.id[:12]}.{fmt}")


def content(finding: Finding, fmt: str, lang: str, table: str, chart: int | None) -> bytes:
    """The bytes of a finding in one format; see ``render``."""
    if fmt == "json":
        return canonical(to_document(finding))
    if fmt == "xlsx":
        from ronghe.export.workbook import workbook

        return workbook(finding, lang)
    if fmt in {"csv", "zip"}:
        from ronghe.export import delimited

        return delimited.table_csv(finding, table, lang) if fmt == "csv" else pack(_set(finding, lang))
    if fmt == "parquet":
        from ronghe.export.columns import table_parquet

        return table_parquet(finding, table)
    if fmt in {"svg", "png"}:
        from ronghe.export import picture

        drawn = picture.sheet(finding, lang, chart)
        return drawn.encode() if fmt == "svg" else picture.png(drawn)
    return paper([finding], fmt, lang)


def _set(finding: Finding, lang: str) -> list[tuple[str, bytes]]:
    """What goes into an archive: the document with its three-line tables, every figure as SVG, every table as CSV."""
    from ronghe.export import delimited, picture

    figures = [
        (f"figure-{number + 1}.svg", picture.sheet(finding, lang, number).encode())
        for number in range(len(finding.charts))
    ]
    return [(f"{finding.lens}.docx", paper([finding], "docx", lang)), *figures, *delimited.members(finding, lang)]


def paper(findings: Sequence[Finding], fmt: str, lang: str, **how: Any) -> bytes:
    """Findings as one document, ``docx`` or ``pdf``; ``how`` is what ``compose`` takes."""
    from ronghe.export.compose import compose

    made = compose(findings, lang, **how)
    if fmt == "docx":
        from ronghe.export.document import docx

        return docx(made)
    from ronghe.export.typeset import pdf

    return pdf(made)


def write(answer: Answer, path: Path, lang: str, table: str | None = None, *, chart: int | None = None) -> None:
    """Write a finding to a file, whole or not at all; the format is the file's ending. See ``render``.

    A ``.csv`` can't carry its sources: they are written beside it, as ``NAME.sources.csv``.

    Raises
    ------
    LakeError : the file can't be written: disk full, no permission, no such folder.
    """
    fmt = format_of(path, FORMATS)
    made = render(answer, fmt, lang, table, chart=chart)
    if fmt == "csv":
        from ronghe.export.delimited import sources_csv

        save(path.with_suffix(".sources.csv"), sources_csv(answer.finding, lang))
    save(path, made.content)


def format_of(path: Path, known: Collection[str]) -> str:
    """The format that a file's ending names; ``RongheError`` with those known when it is none of them."""
    fmt = path.suffix.lower().removeprefix(".")
    if fmt not in known:
        raise RongheError("export_format", name=path.suffix or path.name, known=nearest(fmt, known))
    return fmt


__all__ = ["FORMATS", "Rendered", "content", "format_of", "paper", "render", "write"]
