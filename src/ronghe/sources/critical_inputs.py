"""Which inputs an industry can't do without: a survey of industry analysts (Pichler et al. 2022), 63 x 63.

Pichler, Pangallo, del Rio-Chanona, Lafond & Farmer 2022, *Forecasting the propagation of pandemic shocks with a
dynamic input-output model*, J. Econ. Dyn. Control 144. IHS Markit analysts rated 1 (critical), 0.5 (important) or 0
(neither). Rows supply and columns use: wood (C16) stands in the row of forestry (A02), and electricity's row is
full where its column is not. A record is a cell; the first line is the header, one record.
"""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, table_of, wanted
from ronghe.sources.csv_rows import Fault, read_records

CLASSIFICATION: Final = "nace"
VERSION: Final = "64"
_FILE: Final = "IHS_critical_NACE64.csv"
_VALUES: Final = frozenset({"0", "0.5", "1", "0.0", "1.0"})


class CriticalInputs:
    """Reads the survey; the national tables beside it are not used."""

    name = "critical_inputs"
    version = "1"
    tables = ("critical_input", "classification", "industry")

    def accepts(self, raw: RawFile) -> bool:
        """The survey aggregated to NACE."""
        return raw.name.rsplit("/", 1)[-1] == _FILE

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk: the file is small."""
        records = list(read_records(raw, ("", "A01")))
        suppliers: list[str] = []
        cells: list[tuple[str, str, float, int]] = []
        rejected: list[Rejected] = []
        count = 0
        for number, record in records:
            if isinstance(record, Fault):
                raise not_this_format(raw, Text("format.square"), Text("why.line_columns", {"line": number}))
            supplier = record[""]
            suppliers.append(supplier)
            for customer, text in record.items():
                if customer:
                    count += 1
                    if text in _VALUES:
                        cells.append((supplier, customer, float(text), number))
                    else:
                        expected = wanted("one_of", values=["0", "0.5", "1"])
                        rejected.append(Rejected("", number, "value", text, "allowed", expected, customer))
        columns = [c for c in records[0][1] if c] if records and not isinstance(records[0][1], Fault) else []
        if columns != suppliers:
            raise not_this_format(raw, Text("format.square"), Text("why.not_square"))
        rows = {"critical_input": _cells(cells), **_industries(suppliers)}
        yield Chunk(count + 1, rows, [Skipped("header", 1)], rejected)


def _cells(cells: list[tuple[str, str, float, int]]) -> pa.Table:
    supplier, customer, value, row = (list(column) for column in zip(*cells, strict=True)) if cells else ([],) * 4
    given = {"classification": CLASSIFICATION, "version": VERSION, "supplier": supplier, "customer": customer}
    return table_of("critical_input", {**given, "value": value}, row=row, col=customer)


def _industries(codes: list[str]) -> dict[str, pa.Table]:
    """The industries, named by the rows they stand in; the first cell of a row carries them."""
    row = list(range(2, len(codes) + 2))
    keys = {"classification": CLASSIFICATION, "version": VERSION}
    named = {"name_zh": "NACE 第二版（64组）", "name_en": "NACE Rev. 2, 64 groups", "kind": "industry"}
    return {
        "industry": table_of(
            "industry", {**keys, "code": codes, "name_en": codes, "order": [r - 1 for r in row]}, row=row, col=codes[0]
        ),
        "classification": table_of("classification", {**keys, **named, "publisher": "Eurostat"}, row=[2], col=codes[0]),
    }
