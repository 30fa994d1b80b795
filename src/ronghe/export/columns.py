"""Parquet: one table; what a column means lies in its metadata, the finding's provenance in the file's."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ronghe.model.finding import Finding
from ronghe.model.serial import canonical, to_document


def table_parquet(finding: Finding, table: str) -> bytes:
    """One table with every column, codes as they are.

    Each column's metadata says ``label_zh``, ``label_en``, ``unit``, ``kind`` and ``basis`` (JSON); the file's
    says ``ronghe``: the finding as JSON without its figures.
    """
    result, document = finding.tables[table], to_document(finding)
    said = document["tables"][table]
    fields = [
        result.data.schema.field(f["name"]).with_metadata(
            {
                "label_zh": f["label"]["zh"],
                "label_en": f["label"]["en"],
                "unit": f["unit"],
                "kind": f["kind"],
                "basis": json.dumps(f["basis"], ensure_ascii=False, sort_keys=True),
            }
        )
        for f in said["fields"]
    ]
    schema = pa.schema(fields, metadata={"ronghe": canonical(_about(document, table))})
    buffer = io.BytesIO()
    columns = [result.data.column(f.name) for f in fields]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def _about(document: dict[str, Any], table: str) -> dict[str, Any]:
    """The finding without its figures; ``table`` names the one that the file holds."""
    kept = {k: v for k, v in document.items() if k not in {"tables", "charts"}}
    return {**kept, "table": table, "title": document["tables"][table]["title"]}
