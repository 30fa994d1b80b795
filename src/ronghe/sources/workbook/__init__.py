"""Workbooks: any CSV, TSV, Excel or Parquet file with a mapping becomes rows of a contract."""

from ronghe.sources.workbook.guess import guess
from ronghe.sources.workbook.mapping import SheetMapping, mapping_hash, read_mapping
from ronghe.sources.workbook.repairs import Repairs, read_repairs
from ronghe.sources.workbook.source import WorkbookSource

__all__ = ["Repairs", "SheetMapping", "WorkbookSource", "guess", "mapping_hash", "read_mapping", "read_repairs"]
