"""JSON lines as an Ibis table, on DuckDB and on Spark alike; a bad line is told, not lost.

An engine's own JSON reader stops at the first malformed line or, told to go on, turns what it can't read
into nulls without a word. So it is let to read a plain file on DuckDB, and told to stop: where it does, or where
a line is blank or names no record, what it read is thrown away and every line comes in as text, is read into a
typed structure, and what could not be read is kept beside it. Either way numbers and dates stay text, and a line
gives the shape's fields and

    _blank   the line holds nothing
    _bad     the first 200 characters of a line that isn't a JSON object, else null
    _lost    field -> the first 200 characters of a list or object that isn't the one expected, else null
    _part    DuckDB: the part as given; Spark: the record's own id, else a digest of the line
    _row     DuckDB: the line's number, from 1; Spark: 0, for Spark knows no line numbers

On Spark, lines that share an id share a name, so they count as one record there.
The engine reads the file once: the structures are kept in a temporary table that lives as long as its
connection.
"""

import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.line_ends import even_copy, has_returns, line_count

LONGEST_LINE = 32 * 2**20
"""Bytes: a work with some thousands of authors is a line of several megabytes."""

Shape = Mapping[str, Any]
"""field -> ``str`` (any scalar, kept as text), a nested ``Shape`` (object) or a list with one item (array)."""


def read_json_lines(connection: Any, path: str, part: str, shape: Shape, identity: str, what: str) -> Any:
    """The typed lines of one file of JSON lines, plain or gzip, read once.

    Parameters
    ----------
    connection : an Ibis connection to DuckDB or PySpark.
    path : the file.
    part : what ``_part`` says on DuckDB.
    shape : the fields to read; all others are passed over.
    identity : the field that names a record.
    what : what the records are, for an error to say.

    Raises
    ------
    SourceError : the file is empty, cut short, not gzip, or not UTF-8, or no line of it is such a record.
    """
    name = Path(path).name
    if Path(path).is_file() and not Path(path).stat().st_size:
        raise SourceError("source_empty", file=name)
    engine = _Spark(shape) if connection.name == "pyspark" else _DuckDB(shape)
    try:
        kept = engine.quick(connection, path, identity) if isinstance(engine, _DuckDB) else None
        if kept is None:
            with _readable(engine, connection, path) as even:
                kept = engine.keep(connection, _told_lines(engine, connection, even, identity, shape))
            _refuse(connection, kept, name, identity, what)
        return engine.named(kept, part)
    except Exception as error:
        told_as = _told(error, name)
        if told_as is None:
            raise
        raise told_as from error


@contextmanager
def _readable(engine: "_DuckDB | _Spark", connection: Any, path: str) -> Iterator[str]:
    """The file, or for DuckDB a copy where a line ends otherwise than in ``\\n``, gone after use.

    Told of ``\\n``, DuckDB takes ``\\r\\n`` for two ends; told of ``\\r\\n``, it loses lines where a buffer ends.
    """
    if isinstance(engine, _Spark) or not has_returns(path):
        yield path
        return
    room = connection.raw_sql("SELECT current_setting('temp_directory')").fetchall()[0][0]
    with tempfile.TemporaryDirectory(dir=room if room and Path(room).is_dir() else None) as folder:
        yield even_copy(path, folder)


def _refuse(connection: Any, kept: Any, name: str, identity: str, what: str) -> None:
    """Refuse a file where no line names a record, unless all are blank."""
    if connection.to_pyarrow(kept.filter(kept[identity].notnull()).select(identity).limit(1)).num_rows:
        return
    first = connection.to_pyarrow(kept.filter(~kept["_blank"]).select("_bad").limit(1)).to_pylist()
    if first:
        why = Text("why.no_record", {"first": str(first[0]["_bad"])[:80]})
        raise SourceError("source_format", file=name, expected=f"{what}, one JSON object a line", why=why)


def _told_lines(engine: "_DuckDB | _Spark", connection: Any, path: str, identity: str, shape: Shape) -> Any:
    """Every line as text and as a structure, with what could not be read."""
    lines = engine.lines(connection, path)
    # Two steps, so that the engine parses a line once though four columns need it.
    parsed = lines.mutate(w=engine.parse(lines.line))
    # Asked of lines without an id only: to strip every line costs more than to parse it.
    anonymous = parsed.w[identity].isnull()
    nothing = parsed.line.isnull() | (parsed.line.strip() == "")
    blank = anonymous.ifelse(nothing, False)
    bad = ~blank & ~engine.valid(parsed, anonymous)
    mark = anonymous.ifelse(parsed.line.hexdigest("md5"), parsed.w[identity])
    return parsed.select(
        **{field: parsed.w[field] for field in shape},
        **({} if engine.numbered else {"_mark": mark}),
        _blank=blank,
        _bad=bad.ifelse(parsed.line.substr(0, 200), None),
        _lost=_lost(engine, parsed, shape),
    )


def _lost(engine: "_DuckDB | _Spark", table: Any, shape: Shape) -> Any:
    """What stands where a list or object was expected, for the fields that came out empty."""
    import ibis

    found = {}
    for field, inner in shape.items():
        if isinstance(inner, str):
            continue
        empty = ibis.and_(*_leaves(table.w[field], inner))
        held = engine.extract(table.line, field)
        # An object with none of the fields that are read comes out empty too, and is one all the same.
        other = held if isinstance(inner, list) else held.startswith("{").ifelse(None, held)
        found[field] = (table.w.notnull() & empty).ifelse(other.substr(0, 200), None)
    return ibis.struct(found)


def _leaves(value: Any, shape: Any) -> list[Any]:
    """Whether each list and scalar of a structure is null."""
    if not isinstance(shape, Mapping):
        return [value.isnull()]
    return [test for field, inner in shape.items() for test in _leaves(value[field], inner)]


def _told(error: Exception, name: str) -> SourceError | None:
    """The engine's error as ours where the file is at fault, else none."""
    said = " ".join(str(error).split())
    if "Unexpected end of GZIP" in said or "Unexpected end of input stream" in said or "EOFException" in said:
        return SourceError("source_truncated", file=name, why=Text("why.stream_cut"))
    if "not a GZIP stream" in said or "not a gzip file" in said:
        return SourceError("source_format", file=name, expected="gzip", why=Text("why.no_gzip"))
    if "Invalid unicode" in said:
        return SourceError("source_format", file=name, expected="UTF-8", why=said[:120])
    if "Maximum line size" in said:
        return SourceError("source_format", file=name, expected="JSON lines", why=Text("why.long_line"))
    return None


def _structure(shape: Any) -> Any:
    """The Ibis type of a shape."""
    import ibis.expr.datatypes as dt

    if isinstance(shape, list):
        return dt.Array(_structure(shape[0]))
    if isinstance(shape, Mapping):
        return dt.Struct({field: _structure(inner) for field, inner in shape.items()})
    return dt.string


def _call(name: str, gives: Any, *arguments: Any) -> Any:
    """A function of the engine itself, on text arguments."""
    import ibis
    import ibis.expr.datatypes as dt

    takes = tuple(dt.string for _ in arguments)
    form: Any = _two if len(arguments) == 2 else _one
    return ibis.udf.scalar.builtin(form, name=name, signature=(takes, gives))(*arguments)


def _one(text: str) -> Any:
    """The parameters of an engine's function of one text; the engine has its body."""


def _two(text: str, form: str) -> Any:
    """The parameters of an engine's function of two texts; the engine has its body."""


class _DuckDB:
    """How DuckDB reads lines and JSON."""

    numbered = True

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._type = _structure(shape)

    def quick(self, connection: Any, path: str, identity: str) -> Any:
        """The rows as the engine's own reader gives them, if it finds no fault and every line is a row with an id."""
        if path.endswith(".gz"):
            return None
        import duckdb

        name = f"_lines_{uuid.uuid4().hex}"
        place = path.replace("'", "''")
        columns = ", ".join(f"'{field}': '{_kind(inner)}'" for field, inner in self._shape.items())
        try:
            connection.raw_sql(
                f"CREATE TEMPORARY TABLE {name} AS SELECT * FROM "
                f"read_json('{place}', format = 'newline_delimited', records = true, columns = {{{columns}}})"
            )
        except duckdb.InvalidInputException:
            # Something in it isn't what was promised: the careful reader finds out where.
            return None
        rows, named = connection.raw_sql(f'SELECT count(*), count("{identity}") FROM {name}').fetchall()[0]
        if rows == named == line_count(path):
            return connection.table(name)
        connection.raw_sql(f"DROP TABLE {name}")
        return None

    def lines(self, connection: Any, path: str) -> Any:
        """One row a line, whatever it holds: no byte of JSON text is a delimiter, a quote or an escape."""
        return connection.read_csv(
            path,
            columns={"line": "VARCHAR"},
            header=False,
            delim="\x01",
            quote="",
            escape="",
            new_line="\\n",
            auto_detect=False,
            strict_mode=False,
            max_line_size=LONGEST_LINE,
            # By itself DuckDB takes 16 lines of the longest kind at a time: too few pieces for two cores.
            buffer_size=LONGEST_LINE + 2**23,
        )

    def parse(self, line: Any) -> Any:
        """The structure; null for a line that isn't a JSON object."""
        import ibis

        form = json.dumps(_names(self._shape, "VARCHAR"))
        read = _call("from_json", self._type, line, form)
        return ibis.udf.scalar.builtin(_one, name="try", signature=((self._type,), self._type))(read)

    def valid(self, parsed: Any, anonymous: Any) -> Any:
        """Whether the line is a JSON object: an array or a bare value gives a structure of nulls."""
        return anonymous.ifelse(parsed.w.notnull() & parsed.line.strip().startswith("{"), True)

    def extract(self, line: Any, field: str) -> Any:
        """What the line holds under a field, as text."""
        import ibis.expr.datatypes as dt

        return _call("json_extract_string", dt.string, line, f"$.{field}")

    def keep(self, connection: Any, expression: Any) -> Any:
        """The rows in a temporary table, in the file's order."""
        name = f"_lines_{uuid.uuid4().hex}"
        connection.raw_sql(f"CREATE TEMPORARY TABLE {name} AS {connection.compile(expression)}")
        return connection.table(name)

    def named(self, kept: Any, part: str) -> Any:
        """With the part and the line's number, and without a fault where the engine's own reader found none."""
        import ibis

        null = ibis.null("string")
        lost = {field: null for field, inner in self._shape.items() if not isinstance(inner, str)}
        clean = (
            {} if "_bad" in kept.columns else {"_blank": ibis.literal(False), "_bad": null, "_lost": ibis.struct(lost)}
        )
        return kept.mutate(**clean, _part=ibis.literal(part), _row=(kept.rowid() + 1).cast("int64"))


class _Spark:
    """How Spark reads lines and JSON."""

    numbered = False

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._type = _structure(shape)

    def lines(self, connection: Any, path: str) -> Any:
        """One row a line."""
        view = f"_text_{uuid.uuid4().hex}"
        address = path.replace("`", "``")
        connection.raw_sql(f"CREATE TEMPORARY VIEW {view} AS SELECT value AS line FROM text.`{address}`")
        return connection.table(view)

    def parse(self, line: Any) -> Any:
        """The structure; fields stay null for a line that isn't a JSON object."""
        return _call("from_json", self._type, line, ", ".join(_ddl(self._shape, " ")))

    def valid(self, parsed: Any, anonymous: Any) -> Any:
        """Whether the line is a JSON object: Spark's reader keeps the half of a line that it could read."""
        import ibis.expr.datatypes as dt

        whole = _call("try_parse_json", dt.string, parsed.line).notnull()
        return whole & anonymous.ifelse(parsed.line.strip().startswith("{"), True)

    def extract(self, line: Any, field: str) -> Any:
        """What the line holds under a field, as text."""
        import ibis.expr.datatypes as dt

        return _call("get_json_object", dt.string, line, f"$.{field}")

    def keep(self, connection: Any, expression: Any) -> Any:
        """The rows kept by Spark, in memory or on its disks."""
        name = f"_lines_{uuid.uuid4().hex}"
        connection.raw_sql(f"CACHE TABLE {name} AS {connection.compile(expression)}")
        return connection.table(name)

    def named(self, kept: Any, part: str) -> Any:
        """With the record's own id, for Spark knows no line numbers."""
        import ibis

        return kept.mutate(_part=ibis.coalesce(kept._mark, ibis.literal(part)), _row=ibis.literal(0, "int64"))


def _kind(shape: Any) -> str:
    """DuckDB's type of a shape."""
    if isinstance(shape, list):
        return f"{_kind(shape[0])}[]"
    if isinstance(shape, Mapping):
        return "STRUCT(" + ", ".join(f'"{field}" {_kind(inner)}' for field, inner in shape.items()) + ")"
    return "VARCHAR"


def _names(shape: Any, scalar: str) -> Any:
    """The shape with the engine's word for text in place of every scalar."""
    if isinstance(shape, list):
        return [_names(shape[0], scalar)]
    if isinstance(shape, Mapping):
        return {field: _names(inner, scalar) for field, inner in shape.items()}
    return scalar


def _ddl(shape: Shape, between: str) -> list[str]:
    """``field TYPE`` of each field, in Spark's words."""

    def kind(inner: Any) -> str:
        if isinstance(inner, list):
            return f"ARRAY<{kind(inner[0])}>"
        return f"STRUCT<{', '.join(_ddl(inner, ': '))}>" if isinstance(inner, Mapping) else "STRING"

    return [f"`{field}`{between}{kind(inner)}" for field, inner in shape.items()]
