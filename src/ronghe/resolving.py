"""Matches of organisations brought in: names of a user's own file, and what was found for them."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ronghe.brain import Answer, Brain
from ronghe.errors import AskError
from ronghe.intake import OWN
from ronghe.lake.ingest import Progress, Report, Terms
from ronghe.lake.lake import raw_file
from ronghe.lenses.base import quiet
from ronghe.lenses.frontier.match_load import NOWHERE, PLACES
from ronghe.model.regions import find_region
from ronghe.sources.matches import TABLE, Matches
from ronghe.sources.workbook import WorkbookSource, mapping_hash, read_mapping

_OWN = Terms(licence="own", redistributable=False, precedence=0)


def ingest_names(
    brain: Brain, path: Path, column: str | None, country: str | None = None, progress: Progress = quiet
) -> str:
    """Bring one column of a user's own file in as names that wait for their organisation.

    Parameters
    ----------
    path : a CSV, Excel or Parquet file.
    column : the heading of the column with the names.
    country : the heading of the column with countries, or one country for every name, by code or name.

    Returns
    -------
    What the names are called from now on: ``file.csv · heading``.

    Raises
    ------
    AskError : no column is named. MappingError, SourceError : the file does not hold it, or can't be read.
    """
    if not column:
        raise AskError("resolve_column", file=path.name)
    names = f"{path.name} · {column}"
    fixed = country is None or find_region(country) is not None
    place = f"value = {_quoted(country or NOWHERE)}" if fixed else f"from = {_quoted(str(country))}"
    lines = [
        f"table = {_quoted(TABLE)}",
        "[columns]",
        f"name = {_quoted(column)}",
        f"source = {{ value = {_quoted(names)} }}",
        'method = { value = "none" }',
        'status = { value = "open" }',
        f"country = {{ {place}, default = {_quoted(NOWHERE)} }}",
    ]
    sheet = read_mapping("\n".join(lines), TABLE)
    source, mapping = WorkbookSource(TABLE, sheet), mapping_hash(sheet, {})
    brain.lake.ingest(source, raw_file(path, OWN), terms=_OWN, mapping=mapping, progress=progress)
    return names


def _quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)


def keep_matches(brain: Brain, answer: Answer) -> Report:
    """Keep the matches of a finding of the lens ``matches`` in the lake, for the other questions.

    They replace those kept before of the same names.

    Raises
    ------
    AskError : the finding lists only some of the names.
    """
    params = answer.finding.params
    if params["only"] != "all":
        raise AskError("resolve_part", only=str(params["only"]))
    names = str(params["names"])
    rows = answer.tables["matches"].data.to_pylist()
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _one_a_key([_row(r, names) for r in rows]))
    folder = Path(brain.config.cache) / "matches"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / (re.sub(r"[^\w.-]+", "_", names) + ".jsonl")
    file.write_text(text, encoding="utf-8")
    return brain.lake.ingest(Matches(), raw_file(file, OWN, f"matches/{names}.jsonl"), terms=_OWN)


def _row(row: Mapping[str, Any], names: str) -> dict[str, Any]:
    return {
        "source": names,
        "name": row["name"],
        "country": row["country_said"] or ("" if names in PLACES else NOWHERE),
        "org_id": row["org_id"],
        "org_name": row["organisation_en"],
        "score": row["match_score"],
        "method": row["match_method"],
        "status": row["match_status"],
        "runner_up": row["runner_id"],
        "runner_up_name": row["runner_en"],
        "runner_up_score": row["runner_score"],
        "rows": row["name_rows"],
    }


def _one_a_key(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A name stands once a country: of several codes the match of the most rows, with the rows of all."""
    held: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        first = held.setdefault((row["name"], row["country"]), row)
        if first is not row:
            first["rows"] += row["rows"]
    return list(held.values())
