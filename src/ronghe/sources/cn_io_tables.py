"""China's national input-output tables and sectoral employment, as the R package ``ionet`` carries them.

Each ``.rda`` holds one data frame, or a list of them (the OECD's tables, one a year). A record is a cell, named
by the object, its line (1 = the line of column codes) and the column's code; the names of a line together are
one record, in column ``Code``, and so is each code of the first line. A table is read whole or not at all: it
must balance to its publisher's rounding.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ronghe.errors import SourceError
from ronghe.sources import cn_employment
from ronghe.sources.base import Chunk, RawFile, Skipped, table_of
from ronghe.sources.cn_io_balance import Balance, check
from ronghe.sources.cn_io_layout import OECD, SUBTOTAL, Grid, grid_of, item_names, oecd_names, table_name
from ronghe.sources.r_data import read_r

_PRICES = {"cn-io": "producer", "oecd-io": "basic"}


class CnIoTables:
    """Reads ``cn_io_tables``: the tables of 2002-2020, the OECD's of 1995-2018, employment of 1990-2018."""

    name = "cn_io_tables"
    version = "1"
    tables = (
        "io_table",
        "io_cell",
        "io_item",
        "classification",
        "industry",
        "crosswalk",
        "indicator",
        "indicator_def",
    )

    def accepts(self, raw: RawFile) -> bool:
        """Every R data file of the dataset."""
        return raw.name.lower().endswith((".rda", ".rdata"))

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk a table. Raises ``SourceError`` when a table doesn't balance or isn't one."""
        for part, content in read_r(raw).items():
            frames = content if isinstance(content, dict) else {part: content}
            first = True
            for name, frame in frames.items():
                yield parse_frame(frame, name, raw.name, first=first)
                first = False


def parse_frame(frame: Any, part: str, file: str, *, first: bool = True) -> Chunk:
    """One data frame: an input-output table or the employment panel.

    Parameters
    ----------
    frame : as the publisher laid it out.
    part : the R object's name.
    file : the file's name, for messages.
    first : whether it is the first of a list; the sectors of a list are stated once.
    """
    if table_name(part) is None and part == cn_employment.PART and isinstance(frame, pd.DataFrame):
        return cn_employment.parse(frame, file)
    if isinstance(frame, dict):
        raise SourceError("source_io_object", file=file, name=part)
    grid = grid_of(frame, part, file)
    return _chunk(grid, check(grid), first=first)


def _chunk(grid: Grid, balance: Balance, *, first: bool) -> Chunk:
    labels = _label_rows(grid, first=first)
    tables = {
        "io_table": _io_table(grid, balance),
        "io_cell": _cells(grid),
        "io_item": _items(grid),
    }
    if first:
        tables["classification"] = _classification(grid)
        tables["industry"] = _industries(grid, labels)
        links = _crosswalk(grid, labels)
        if links.num_rows:
            tables["crosswalk"] = links
    lines, columns = grid.values.shape
    return Chunk(
        records=(lines + 1) * (columns + 1),
        rows=tables,
        skipped=_skipped(grid, len(labels)),
    )


def _label_rows(grid: Grid, *, first: bool) -> NDArray[np.int64]:
    """The lines whose names become industries: the sectors once, however often a table repeats them."""
    home = grid.rows("domestic" if grid.split else "total")
    return np.flatnonzero(home) if first else np.flatnonzero(np.zeros_like(home))


def _status(grid: Grid) -> NDArray[np.str_]:
    status = np.full(grid.values.shape, "", dtype="<U8")
    status[grid.values == 0] = "zero"
    status[grid.block == SUBTOTAL] = "subtotal"
    status[np.isnan(grid.values)] = "blank"
    return status


def _skipped(grid: Grid, labels: int) -> tuple[Skipped, ...]:
    status = _status(grid)
    reasons = {reason: int((status == reason).sum()) for reason in ("zero", "subtotal", "blank")}
    totals = int((grid.row_kind == SUBTOTAL).sum())
    reasons["subtotal"] += totals
    items = int(np.isin(grid.row_kind, list("VTX")).sum())
    reasons["duplicate"] = len(grid.codes) - labels - totals - items
    reasons["header"] = int(np.isin(grid.column_kind, ["Z", SUBTOTAL]).sum())
    return tuple(Skipped(reason, count, part=grid.part) for reason, count in reasons.items() if count)


def _cells(grid: Grid) -> pa.Table:
    row, column = np.nonzero(_status(grid) == "")
    block = grid.block[row, column]
    # Output stands below the sectors in some tables: the row it belongs to is then the column's sector.
    below = grid.row_kind[row] == "X"
    codes, columns = grid.codes[row], grid.columns[column]
    return table_of(
        "io_cell",
        {
            "table_id": grid.name.table_id,
            "block": block.astype(object),
            "origin": grid.origin[row],
            "row_region": grid.name.economy,
            "row": np.where(below, columns, codes),
            "col_region": grid.name.economy,
            "col": np.where(below, codes, columns),
            "value": grid.values[row, column],
        },
        part=grid.part,
        row=row + 2,
        col=columns,
    )


def _io_table(grid: Grid, balance: Balance) -> pa.Table:
    name, sectors = grid.name, len(grid.sectors)
    # The codebook says nothing of the prices of the tables that split imports.
    price = None if grid.split else _PRICES[name.publisher.key]
    return table_of(
        "io_table",
        {
            "table_id": name.table_id,
            "name_zh": _title(name.publisher is OECD, name.year, sectors, grid.split, name.economy)[0],
            "name_en": _title(name.publisher is OECD, name.year, sectors, grid.split, name.economy)[1],
            "economy": name.economy,
            "year": name.year,
            "sectors": sectors,
            "regions": 1,
            "kind": "noncompetitive" if grid.split else "competitive",
            "unit": name.publisher.unit,
            "price": price,
            "classification": name.classification,
            "version": name.version,
            "residual": balance.rows,
            "tolerance": name.publisher.tolerance,
            "row_identity": balance.row_identity,
            "column_residual": balance.columns,
            "column_identity": balance.column_identity,
        },
        part=grid.part,
        row=[1],
        col="Code",
    )


def _title(oecd: bool, year: int, sectors: int, split: bool, economy: str) -> tuple[str, str]:
    if oecd:
        return (
            f"经合组织{year}年投入产出表（{economy}，{sectors}部门）",
            f"OECD input-output table of {economy}, {year}, {sectors} sectors",
        )
    kind_zh, kind_en = ("非竞争型", ", imports apart") if split else ("", "")
    return (
        f"{year}年全国{kind_zh}投入产出表（{sectors}部门）",
        f"National input-output table of China, {year}, {sectors} sectors{kind_en}",
    )


def _items(grid: Grid) -> pa.Table:
    """Final uses, imports, error and output from the first line; value added and taxes from their own lines."""
    published = item_names(grid.name.publisher.key)
    across = np.flatnonzero(np.isin(grid.column_kind, list("FMEX")))
    down = np.flatnonzero(np.isin(grid.row_kind, list("VTX")))
    codes = [*grid.columns[across], *grid.codes[down]]
    lines = [1] * len(across) + [int(at) + 2 for at in down]
    return table_of(
        "io_item",
        {
            "table_id": grid.name.table_id,
            "block": [*grid.column_kind[across].tolist(), *grid.row_kind[down].tolist()],
            "code": codes,
            "name_zh": [published[code][0] for code in codes],
            "name_en": [published[code][1] for code in codes],
            "order": list(range(1, len(codes) + 1)),
        },
        part=grid.part,
        row=lines,
        col=[*grid.columns[across], *(["Code"] * len(down))],
    )


def _classification(grid: Grid) -> pa.Table:
    name, count = grid.name, len(grid.sectors)
    oecd = name.publisher is OECD
    return table_of(
        "classification",
        {
            "classification": name.classification,
            "version": name.version,
            "name_zh": f"经合组织投入产出表行业（{count}个）" if oecd else f"{name.year}年投入产出表部门（{count}个）",
            "name_en": f"Industries of the OECD input-output tables ({count})"
            if oecd
            else f"Sectors of China's input-output table of {name.year} ({count})",
            "publisher": "OECD" if oecd else "国家统计局 National Bureau of Statistics of China",
            "kind": "industry",
        },
        part=grid.part,
        row=[1],
        col="Code",
    )


def _industries(grid: Grid, rows: NDArray[np.int64]) -> pa.Table:
    codes = grid.codes[rows]
    oecd = grid.name.publisher is OECD
    return table_of(
        "industry",
        {
            "classification": grid.name.classification,
            "version": grid.name.version,
            "code": codes,
            "name_zh": [oecd_names().get(code) for code in codes] if oecd else grid.name_zh[rows],
            "name_en": grid.name_en[rows],
            "level": 1,
            "order": np.arange(1, len(rows) + 1),
        },
        part=grid.part,
        row=rows + 2,
        col="Code",
    )


def _crosswalk(grid: Grid, rows: NDArray[np.int64]) -> pa.Table:
    """From employment's industries to this table's sectors, where the two can be matched."""
    if grid.name.classification != "cn-io":
        return table_of("crosswalk", {}, part=grid.part, row=[], col="Code")
    pay = grid.values[grid.codes == "VA001"][0, grid.column_kind == "Z"]
    links = cn_employment.links(grid.name.version, dict(zip(grid.sectors, np.nan_to_num(pay), strict=True)))
    line = dict(zip(grid.codes[rows], (rows + 2).tolist(), strict=True))
    return table_of(
        "crosswalk",
        {
            "from_classification": cn_employment.CLASSIFICATION,
            "from_version": cn_employment.VERSION,
            "from_code": [link.employment for link in links],
            "to_classification": grid.name.classification,
            "to_version": grid.name.version,
            "to_code": [link.sector for link in links],
            "weight": [link.weight for link in links],
            "method": [link.method for link in links],
            "note": [link.note for link in links],
        },
        part=grid.part,
        row=[line[link.sector] for link in links],
        col="Code",
    )
