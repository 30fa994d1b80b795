"""OpenAlex works: JSON lines, one work a line, plain or gzip (the snapshot's files and saved API answers).

A record is a line. It gives one row of ``work``, one of ``authorship`` for every author x affiliation
(affiliation 0 where none is known) and one of ``citation`` for every distinct reference. Ids lose their
address: ``W2181906270``; institutions become ``ror:<id>``, or ``openalex:<id>`` where OpenAlex knows no ROR.

The parse is one set of Ibis expressions for DuckDB and Spark; see ``jsonlines`` for how a line is read and
what stands for its number on Spark. A line is rejected when it isn't a JSON object, has no id, when a number,
date or truth value isn't one or is outside the contract's range, or when a list or object is something else.
The same work on two lines gives its rows twice: the lake keeps one where they agree, none where they differ.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ronghe.model.serial import packed
from ronghe.model.table import contract
from ronghe.model.text import Text
from ronghe.sources.base import RawFile, Relations, wanted
from ronghe.sources.countries import alpha3
from ronghe.sources.jsonlines import Shape, read_json_lines

Test = tuple[str, Any, Any, str, Text]
"""Column, whether a line is at fault, the value, the reason, what was expected."""

_NAMED = {"id": "str", "display_name": "str"}

SHAPE: Shape = MappingProxyType(
    {
        "id": "str",
        "doi": "str",
        "title": "str",
        "publication_year": "str",
        "publication_date": "str",
        "type": "str",
        "language": "str",
        "cited_by_count": "str",
        "is_retracted": "str",
        "primary_location": {"source": {"display_name": "str"}},
        "primary_topic": {**_NAMED, "subfield": _NAMED, "field": _NAMED, "domain": _NAMED},
        "referenced_works": ["str"],
        "authorships": [
            {
                "author": _NAMED,
                "raw_author_name": "str",
                "institutions": [{**_NAMED, "ror": "str", "country_code": "str", "type": "str"}],
            }
        ],
    }
)
"""The fields that are read; everything else of a work is passed over."""

CAST: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "year": ("publication_year", "int64"),
        "date": ("publication_date", "date"),
        "cited_by": ("cited_by_count", "int64"),
        "retracted": ("is_retracted", "boolean"),
    }
)
"""Contract column -> (the field's name, its Ibis type): read as text first, so that a bad value can be shown."""

_WANTED: Mapping[str, Text] = MappingProxyType(
    {"int64": wanted("whole"), "date": wanted("date"), "boolean": wanted("one_of", values=["true", "false"])}
)


class OpenAlexWorks:
    """Works of OpenAlex. See the module for what a record gives."""

    name = "openalex_works"
    version = "3"
    tables = ("work", "authorship", "citation")

    def accepts(self, raw: RawFile) -> bool:
        """JSON lines, plain or gzip; the snapshot names its gzip files ``part_000.gz``."""
        name = raw.name.rsplit("/", 1)[-1].lower()
        ends = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz")
        return name.endswith(ends) or (name.startswith("part_") and name.endswith(".gz"))

    def relations(self, connection: Any, path: str, part: str) -> Relations:
        """The expressions over one file on an Ibis connection to DuckDB or PySpark.

        Raises
        ------
        SourceError : the file is empty, cut short, or no line of it is a work.
        """
        lines = read_json_lines(connection, path, part, SHAPE, "id", "OpenAlex works")
        typed = lines.mutate(**{column: lines[field].try_cast(kind) for column, (field, kind) in CAST.items()})
        tests = _tests(typed)
        good = typed.filter(~typed._blank & ~_bad(tests))
        return Relations(
            rows={"work": _works(good), "authorship": _authorships(good), "citation": _citations(good)},
            faults=_faults(typed, tests),
            skips=typed.filter(typed._blank).select("_part", "_row", reason=_text("blank")),
            records=typed.select("_part", "_row").distinct().count(),
        )


def _text(value: str | None) -> Any:
    import ibis

    return ibis.literal(value, "string")


def _tests(typed: Any) -> list[Test]:
    """Every way a line may be at fault."""
    asked = ~typed._blank & typed._bad.isnull()
    tests: list[Test] = [
        ("line", typed._bad.notnull(), typed._bad, "malformed_json", wanted("json_object")),
        ("work_id", asked & typed["id"].isnull(), _text(""), "null", wanted("openalex_id")),
    ]
    for column, (field, kind) in CAST.items():
        raw = typed[field]
        tests.append((column, raw.notnull() & typed[column].isnull(), raw, "type", _WANTED[kind]))
        promised = contract("work").column(column)
        low, high = promised.low, promised.high
        if low is not None:
            tests.append((column, typed[column] < low, raw, "range", wanted("at_least", low=low)))
        if high is not None:
            tests.append((column, typed[column] > high, raw, "range", wanted("at_most", high=high)))
    for field in typed._lost.names:
        lost = typed._lost[field]
        shape = wanted("list") if isinstance(SHAPE[field], list) else wanted("json_object")
        tests.append((field, asked & lost.notnull(), lost, "type", shape))
    return tests


def _bad(tests: list[Test]) -> Any:
    """Whether a line has any fault."""
    import ibis

    return ibis.or_(*(test.fill_null(False) for _, test, _, _, _ in tests))


def _faults(typed: Any, tests: list[Test]) -> Any:
    """One row a fault."""
    import ibis

    names = ("column", "value", "reason", "expected", "args")
    told = []
    for column, test, value, reason, expected in tests:
        said = (_text(column), value.cast("string"), _text(reason), *map(_text, packed(expected)))
        told.append(test.fill_null(False).ifelse(ibis.struct(dict(zip(names, said, strict=True))), None))
    found = typed.filter(_bad(tests)).select("_part", "_row", f=ibis.array(told).unnest())
    found = found.filter(found.f.notnull())
    return found.select("_part", "_row", **{name: found.f[name] for name in names})


def _short(address: Any, home: str = "https://openalex.org/") -> Any:
    """The id at the end of an address: ``https://openalex.org/W1`` -> ``W1``."""
    # Cut where the address is the usual one: a regular expression takes several times as long.
    return address.startswith(home).ifelse(address.substr(len(home)), address.re_replace("^.*/", ""))


def _works(good: Any) -> Any:
    """Rows of ``work``."""
    topic = good["primary_topic"]
    columns = {
        "work_id": _short(good["id"]),
        "doi": good["doi"].re_replace("^https?://(dx\\.)?doi\\.org/", ""),
        "title": good["title"],
        "year": good.year,
        "date": good.date,
        "type": good["type"],
        "language": good["language"],
        "cited_by": good.cited_by,
        "references": good["referenced_works"].length().cast("int64"),
        "topic": _short(topic["id"]),
        "topic_name": topic["display_name"],
        "subfield": topic["subfield"]["display_name"],
        "field": topic["field"]["display_name"],
        "domain": topic["domain"]["display_name"],
        "venue": good["primary_location"]["source"]["display_name"],
        "retracted": good.retracted,
    }
    return _row(good, "work", columns)


def _alpha3(alpha2: Any) -> Any:
    """Alpha-2 -> alpha-3 inside the engine: as quick as a join, and in the rows' order."""
    return alpha2.upper().cases(*alpha3().items())


def _numbered(items: Any) -> Any:
    """The items of a list, each with its place from 0: a struct of ``item`` and ``at``."""
    import ibis

    return items.map(lambda item, at: ibis.struct({"item": item, "at": at}))


def _authorships(good: Any) -> Any:
    """Rows of ``authorship``: the affiliation's number is 0 where an author has none."""
    import ibis

    listed = good.select("_part", "_row", work_id=_short(good["id"]), one=_numbered(good["authorships"]).unnest())
    author = listed.one["item"]
    held = author["institutions"]
    some = (held.length() > 0).fill_null(False)
    # An author without an institution is a row as well. A list of one null, unnested, is quicker than an outer join.
    none = ibis.array([ibis.null(held.type().value_type)])
    both = listed.select(
        "_part",
        "_row",
        "work_id",
        author_no=listed.one["at"] + 1,
        author_id=author["author"]["id"],
        author=ibis.coalesce(author["author"]["display_name"], author["raw_author_name"]),
        some=some,
        one=_numbered(some.ifelse(held, none)).unnest(),
    )
    at = both.one["item"]
    columns = {
        "work_id": both.work_id,
        "author_no": both.author_no.cast("int64"),
        "affiliation_no": both.some.ifelse(both.one["at"] + 1, 0).cast("int64"),
        "author_id": _short(both.author_id),
        "author": both.author,
        "org_id": ibis.coalesce("ror:" + _short(at["ror"], "https://ror.org/"), "openalex:" + _short(at["id"])),
        "org_name": at["display_name"],
        "org_type": at["type"],
        "country": _alpha3(at["country_code"]),
    }
    return _row(both, "authorship", columns)


def _once(items: Any) -> Any:
    """Each item of a list of texts once: the engines' own word for it, without Ibis's care for nulls."""
    import ibis
    import ibis.expr.datatypes as dt

    kind = dt.Array(dt.string)
    return ibis.udf.scalar.builtin(_items, name="array_distinct", signature=((kind,), kind))(items)


def _items(items: Any) -> Any:
    """The parameter of an engine's function of a list; the engine has its body."""


def _citations(good: Any) -> Any:
    """Rows of ``citation``: each reference of a work once, a reference to itself included."""
    listed = good.select("_part", "_row", work_id=_short(good["id"]), r=_once(good["referenced_works"]).unnest())
    cited = listed.filter(listed.r.notnull())
    return _row(cited, "citation", {"citing": cited.work_id, "cited": _short(cited.r)})


def _row(table: Any, name: str, columns: Mapping[str, Any]) -> Any:
    """The contract's columns in its order, then the lineage."""
    ordered = {column.name: columns[column.name] for column in contract(name).columns}
    return table.select(**ordered, _part=table._part, _row=table._row, _col=_text(None))
