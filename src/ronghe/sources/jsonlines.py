"""JSON lines as an Ibis table, on DuckDB and on Spark alike; a bad line is told, not lost.

An engine's own JSON reader stops at the first malformed line or, told to go on, turns what it can't read
into nulls without a word. Here every line comes in as text, is read into a typed structure whose numbers
and dates stay text, and what could not be read is kept beside it:

    w        the structure; null where the line isn't a JSON object
    _blank   the line holds nothing
    _bad     the first 200 characters of a line that isn't a JSON object, else null
    _lost    field -> the first 200 characters of a list or object that isn't the one expected, else null
    _part    DuckDB: the part as given; Spark: the record's own id, else a digest of the line
    _row     DuckDB: the line's number, from 1; Spark: 0, for Spark knows no line numbers

On Spark, lines that share an id share a name, so they count as one record there.
The engine reads the file once: the structures are kept in a temporary table that lives as long as its
connection.
"""

import gzip
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ronghe.errors import SourceError
from ronghe.model.text import Text

LONGEST_LINE = 32 * 2**20
"""Bytes: a work with some thousands of authors is a line of several megabytes."""

Shape = Mapping[str, Any]
"""field -> ``str`` (any scalar, kept as text), a nested ``Shape`` (object) or a list with one item (array)."""


def read_json_lines(connection: Any, path: str, part: str, shape: Shape, identity: str) -> Any:
    """The typed lines of one file of JSON lines, plain or gzip, read once.

    Parameters
    ----------
    connection : an Ibis connection to DuckDB or PySpark.
    path : the file.
    part : what ``_part`` says on DuckDB.
    shape : the fields to read; all others are passed over.
    identity : the field that names a record.

    Raises
    ------
    SourceError : the file is empty, cut short, not gzip, or not UTF-8.
    """
    name = Path(path).name
    if Path(path).is_file() and not Path(path).stat().st_size:
        raise SourceError("source_empty", file=name)
    engine = _Spark(shape) if connection.name == "pyspark" else _DuckDB(shape)
    try:
        lines = engine.lines(connection, path)
        # Two steps, so that the engine parses a line once though four columns need it.
        parsed = lines.mutate(w=engine.parse(lines.line))
        # Asked of lines without an id only: to strip every line costs more than to parse it.
        anonymous = parsed.w[identity].isnull()
        nothing = parsed.line.isnull() | (parsed.line.strip() == "")
        blank = anonymous.ifelse(nothing, False)
        bad = ~blank & ~engine.valid(parsed, anonymous)
        told = parsed.select(
            "w",
            _blank=blank,
            _mark=anonymous.ifelse(parsed.line.hexdigest("md5"), parsed.w[identity]),
            _bad=bad.ifelse(parsed.line.substr(0, 200), None),
            _lost=_lost(engine, parsed, shape),
        )
        return engine.named(engine.keep(connection, told), part)
    except Exception as error:
        told_as = _told(error, name)
        if told_as is None:
            raise
        raise told_as from error


def _lost(engine: "_DuckDB | _Spark", table: Any, shape: Shape) -> Any:
    """What stands where a list or object was expected, for the fields that came out null."""
    import ibis

    nested = [field for field, inner in shape.items() if not isinstance(inner, str)]
    found = {
        field: (table.w.notnull() & table.w[field].isnull()).ifelse(
            engine.extract(table.line, field).substr(0, 200), None
        )
        for field in nested
    }
    return ibis.struct(found)


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

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._type = _structure(shape)

    def lines(self, connection: Any, path: str) -> Any:
        """One row a line, whatever it holds: no byte of JSON text is a delimiter, a quote or an escape."""
        return connection.read_csv(
            path,
            columns={"line": "VARCHAR"},
            header=False,
            delim="\x01",
            quote="",
            escape="",
            new_line=_line_end(path),
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
        """With the part and the line's number."""
        import ibis

        return kept.mutate(_part=ibis.literal(part), _row=(kept.rowid() + 1).cast("int64"))


class _Spark:
    """How Spark reads lines and JSON."""

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


def _line_end(path: str) -> str:
    """How the first line of a file ends, in DuckDB's words: taken for the other, every line would count double."""
    opened: Any = gzip.open if path.endswith(".gz") else open
    try:
        with opened(path, "rb") as stream:
            return "\\r\\n" if stream.readline(LONGEST_LINE).endswith(b"\r\n") else "\\n"
    except (OSError, EOFError):
        return "\\n"


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
