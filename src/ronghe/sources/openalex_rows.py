"""Works of OpenAlex as rows of ``work``, ``authorship`` and ``citation``: nested Arrow tables taken apart."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ronghe.kernels.text_lists import firsts
from ronghe.sources.base import table_of
from ronghe.sources.countries import alpha3
from ronghe.sources.json_levels import Level

Parts: TypeAlias = "str | pa.Array"
"""``_part``: one for all rows, or one a work."""

_HOME = "https://openalex.org/"

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "title": "title",
        "year": "publication_year",
        "date": "publication_date",
        "type": "type",
        "language": "language",
        "cited_by": "cited_by_count",
        "retracted": "is_retracted",
    }
)
"""Columns of ``work`` that are fields as they stand."""


def rows_of_works(works: Level, parts: Parts, numbers: pa.Array) -> Mapping[str, pa.Table]:
    """The rows of some works.

    Parameters
    ----------
    works : a row a work, with the fields of ``openalex_works.SHAPE``.
    parts : ``_part``: one for all, or one a work.
    numbers : ``_row`` of each work.
    """
    held = _Works(works, parts, numbers)
    return {"work": _works(held), "authorship": _authorships(held), "citation": _citations(held)}


class _Works:
    """Some works and what names their rows."""

    def __init__(self, works: Level, parts: Parts, numbers: pa.Array) -> None:
        self.level, self._parts, self._numbers = works, parts, numbers
        self.ids = _short(works.columns["id",])

    def rows(self, name: str, columns: Mapping[str, Any], of: pa.Array | None = None) -> pa.Table:
        """Rows of a contract; ``of`` says which work each row is of, where it isn't one a work."""
        parts, numbers = self._parts, self._numbers
        if of is not None:
            numbers = numbers.take(of)
            parts = parts if isinstance(parts, str) else parts.take(of)
        return table_of(name, columns, part=parts, row=numbers)


def _short(addresses: pa.Array, home: str = _HOME, otherwise: str = "^.*/") -> pa.Array:
    """The ends of addresses: ``https://openalex.org/W1`` -> ``W1``; of any other, what is left without a pattern."""
    usual = pc.starts_with(addresses, home)
    if pc.all(usual).as_py() is not False:
        # Cut as bytes: to count characters takes seven times as long, and behind the home none is cut in two.
        return pc.binary_slice(addresses.cast(pa.binary()), len(home), 2**31 - 1).cast(pa.string())
    ends = pc.utf8_slice_codeunits(addresses, len(home))
    return pc.if_else(usual, ends, pc.replace_substring_regex(addresses, otherwise, ""))


def _works(works: _Works) -> pa.Table:
    held, cited = works.level.columns, works.level.lists["referenced_works",]
    columns = {
        "work_id": works.ids,
        "doi": _short(held["doi",], "https://doi.org/", r"^https?://(dx\.)?doi\.org/"),
        "references": pa.array(np.bincount(cited.up, minlength=works.level.count), mask=~cited.listed),
        "topic": _short(held["primary_topic", "id"]),
        "topic_name": held["primary_topic", "display_name"],
        "venue": held["primary_location", "source", "display_name"],
    }
    columns |= {column: held[field,] for column, field in FIELDS.items()}
    columns |= {level: held["primary_topic", level, "display_name"] for level in ("subfield", "field", "domain")}
    return works.rows("work", columns)


def _citations(works: _Works) -> pa.Table:
    """Each reference of a work once, a reference to itself included."""
    listed = works.level.lists["referenced_works",]
    of, cited = listed.up, _short(listed.columns[()])
    if cited.null_count:
        of, cited = of[pc.is_valid(cited).to_numpy(zero_copy_only=False)], cited.drop_null()
    _, offsets, data = cited.buffers()
    new = firsts(of, np.frombuffer(offsets, np.int32), np.frombuffer(data or b"", np.uint8))
    if not new.all():
        of, cited = of[new], cited.filter(pa.array(new))
    at = pa.array(of)
    return works.rows("citation", {"citing": works.ids.take(at), "cited": cited}, at)


def _authorships(works: _Works) -> pa.Table:
    """A row an author x affiliation; the affiliation's number is 0 where an author has none."""
    authors = works.level.lists["authorships",]
    held = authors.lists["institutions",]
    counts = np.bincount(held.up, minlength=authors.count)
    rows = np.maximum(counts, 1)
    author = np.repeat(np.arange(authors.count), rows)
    affiliation = _places(rows) + (counts > 0)[author]
    of, taken = pa.array(authors.up[author]), pa.array(author)
    # Where every author has an institution, the rows are theirs.
    at = None if held.count == len(author) else pa.array(np.cumsum(affiliation > 0) - 1, mask=affiliation == 0)
    place = {path[-1]: column if at is None else column.take(at) for path, column in held.columns.items()}
    named = authors.columns
    name = pc.coalesce(named["author", "display_name"], named["raw_author_name",])
    columns = {
        "work_id": works.ids.take(of),
        "author_no": pa.array(_places(np.bincount(authors.up, minlength=works.level.count))[author] + 1),
        "affiliation_no": pa.array(affiliation),
        "author_id": _short(named["author", "id"]).take(taken),
        "author": name.take(taken),
        "org_id": pc.coalesce(
            _with("ror:", _short(place["ror"], "https://ror.org/")), _with("openalex:", _short(place["id"]))
        ),
        "org_name": place["display_name"],
        "org_type": place["type"],
        "country": _alpha3(place["country_code"]),
    }
    return works.rows("authorship", columns, of)


def _places(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the items of several lists one after another, each one's place in its own, from 0."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _with(scheme: str, ids: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(scheme, ids, "")


@cache
def _codes() -> tuple[pa.Array, pa.Array]:
    return pa.array(alpha3().keys(), pa.string()), pa.array(alpha3().values(), pa.string())


def _alpha3(alpha2: pa.Array) -> pa.Array:
    """Alpha-2 -> alpha-3, null for a code nobody knows."""
    known, codes = _codes()
    return codes.take(pc.index_in(pc.ascii_upper(alpha2), value_set=known))
