"""The paths behind what a field catches: by which topic, programme, class or word, with the items' own rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from ronghe.fielding.definition import Definition
from ronghe.i18n import LANGUAGES, translate
from ronghe.lenses.base import Context, Path
from ronghe.lenses.frontier.field_load import (
    STRUCTURE,
    caught_laboratories,
    caught_patents,
    caught_projects,
    caught_works,
)
from ronghe.model.text import Text, both

_MOST = 8
_CELLS = 200
KEYS = {"work": "work_id", "project": "project_id", "patent": "patent_id", "laboratory": "lab_id"}


def say(key: str, **args: Any) -> dict[str, str]:
    """A sentence of the locales in both languages, for places that hold names."""
    return {lang: translate(lang, Text(key, args)) for lang in LANGUAGES}


def caught_rows(ctx: Context, one: Definition, table: str) -> list[dict[str, Any]]:
    """The rows of a table that a field catches, each with ``reason``: a name in both languages."""
    if table == "work":
        rows: list[dict[str, Any]] = caught_works(ctx, (one,)).to_pylist()
    elif table == "patent":
        rows = caught_patents(ctx, (one,))
    else:
        rows = caught_projects(ctx, (one,)) if table == "project" else caught_laboratories(ctx, (one,))
    return [{**r, "reason": _reason(one, table, r)} for r in rows if r["hit_0"]]


def _reason(one: Definition, table: str, row: Mapping[str, Any]) -> dict[str, str]:
    if row["hit_0"] & STRUCTURE:
        if table == "work":
            return both(None, row["topic_name"])
        if table == "project":
            return both(row["programme"], None)
        return both(None, next(c for c in row["classes"] if one.has_class(c)))
    words = one.terms_in(row["name" if table == "laboratory" else "title"] or "")
    return say("fields.by_word", word=words[0] if words else "")


def paths_of(rows: Sequence[Mapping[str, Any]], table: str, parts: Mapping[str, float] | None = None) -> list[Path]:
    """The largest reasons, each with what it caught and the items' rows; what is left stands together.

    ``parts`` holds what each item counts, by its key; one each when not given.
    """
    key = KEYS[table]
    held: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        held.setdefault(row["reason"]["en"], []).append(row)

    def size(group: Sequence[Mapping[str, Any]]) -> float:
        return sum(1.0 if parts is None else parts[str(r[key])] for r in group)

    ordered = sorted(held.values(), key=lambda g: (-size(g), g[0]["reason"]["en"]))
    groups = [(g[0]["reason"], g) for g in ordered[:_MOST]]
    rest = [r for g in ordered[_MOST:] for r in g]
    if rest:
        groups.append((say("fields.other_reasons"), rest))
    total = size(list(rows)) or 1.0
    return [
        Path(names, size(g), size(g) / total, {key: tuple(str(r[key]) for r in g[:_CELLS])}, table)
        for names, g in groups
    ]
