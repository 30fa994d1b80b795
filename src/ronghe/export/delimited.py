"""CSV: one table, or all of them with their sources for an archive. UTF-8 with a mark, so that Excel reads Chinese."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from ronghe.export.facts import (
    Lines,
    caveats,
    harmless,
    identity,
    inputs,
    licences,
    parameters,
    shown,
    stamps,
    steps,
    t,
    title,
    traces,
)
from ronghe.i18n import translate
from ronghe.model.finding import Finding
from ronghe.present import label


def csv_bytes(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file: missing is empty, floats are exact, no text can run as a formula."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([harmless(h) for h in headings])
    writer.writerows([_cell(v) for v in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value


def table_csv(finding: Finding, table: str, lang: str) -> bytes:
    """One table of a finding."""
    fields, rows = shown(finding.tables[table], lang)
    return csv_bytes([label(f, lang) for f in fields], rows)


def summary(finding: Finding, lang: str) -> Lines:
    """Headline, stamps, caveats, parameters and identity as pairs."""
    pairs = [
        (t(lang, "question"), title(finding, lang)),
        (t(lang, "headline"), translate(lang, finding.headline)),
        *((t(lang, "stamp"), s) for s in stamps(finding, lang)),
        *((t(lang, "caveat"), c) for c in caveats(finding, lang)),
        *parameters(finding, lang),
        (t(lang, "licences"), licences(finding, lang)),
        *identity(finding, lang),
    ]
    return Lines(t(lang, "summary"), (t(lang, "item"), t(lang, "content")), tuple(pairs))


def sources_csv(finding: Finding, lang: str) -> bytes:
    """The raw files behind a finding, each with the finding's id, lake version and code."""
    listed = inputs(finding.provenance.inputs, lang)
    known = identity(finding, lang)[:4]
    said = [v for _, v in known]
    rows = [(*row, *said) for row in listed.rows] or [(*[None] * len(listed.headings), *said)]
    return csv_bytes([*listed.headings, *(k for k, _ in known)], rows)


def members(finding: Finding, lang: str) -> list[tuple[str, bytes]]:
    """Every table and what stands behind it, as CSV files by name."""
    about = {"summary": summary(finding, lang), "steps": steps(finding, lang), "traces": traces(finding, lang)}
    listed = [(f"{name}.csv", table_csv(finding, name, lang)) for name in finding.tables]
    listed += [(f"_{name}.csv", csv_bytes(lines.headings, lines.rows)) for name, lines in about.items()]
    return [*listed, ("_sources.csv", sources_csv(finding, lang))]
