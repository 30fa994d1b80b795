"""Small helpers that turn a lens's rows into a result: types from the fields, names in both languages."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from ronghe.model.finding import Basis, Field, Result
from ronghe.model.text import Text

_TYPES = {
    "text": pa.string(),
    "class": pa.string(),
    "key": pa.string(),
    "unit": pa.string(),
    "integer": pa.int64(),
    "year": pa.int64(),
}


def name_fields(prefix: str, label: str) -> tuple[Field, Field]:
    """The pair of columns ``<prefix>_zh`` and ``<prefix>_en`` under one heading."""
    return (
        Field(f"{prefix}_zh", Text(label), "text", lang="zh"),
        Field(f"{prefix}_en", Text(label), "text", lang="en"),
    )


def text_field(name: str, kind: str = "text") -> Field:
    """A column that names or classes a row; its heading is ``column.<name>``."""
    return Field(name, Text(f"column.{name}"), kind)


def figure(
    name: str,
    kind: str = "number",
    unit: str = "none",
    basis: Basis | None = None,
    digits: int | None = None,
) -> Field:
    """A column of figures; its heading is ``column.<name>``."""
    return Field(name, Text(f"column.{name}"), kind, unit, basis, digits=digits)


def result(
    rows: Sequence[Mapping[str, Any]],
    fields: Sequence[Field],
    key: Sequence[str],
    title: Text | str,
    *,
    aside: bool = False,
) -> Result:
    """A result table from rows that hold every field's column; what isn't a number becomes missing."""
    data = pa.table(
        {
            f.name: pa.array([r[f.name] for r in rows], _TYPES.get(f.kind, pa.float64()), from_pandas=True)
            for f in fields
        }
    )
    return Result(data, tuple(fields), tuple(key), title if isinstance(title, Text) else Text(title), aside)
