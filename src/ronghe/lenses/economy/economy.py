"""An input-output table out of the lake as the field's matrices, with labels. Shared by the lenses that need one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ronghe.errors import KernelRefused, NoData, refusal
from ronghe.kernels.errors import KernelError
from ronghe.kernels.imports import domestic_shares
from ronghe.kernels.leontief import Leontief, factorise, technical_coefficients
from ronghe.lenses.base import Context
from ronghe.lenses.params import TableId
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
EXPORTS = frozenset({"EX", "EXPO"})
_CELLS = ("block", "origin", "row_region", "row", "col_region", "col", "value")


@dataclass(frozen=True)
class Economy:
    """One table. ``n`` products in publisher's order; money in ``unit``.

    Z : (n, n) flows: domestic and imported together where the table is competitive, domestic where it tells
        them apart, between all regions where it is multi-regional.
    imported : (n, n) imported flows where the table has them, else ``None``.
    final : (n, k) final uses of the same products as Z; ``final_codes`` names them.
    value_added : (v, n) primary inputs by row of ``value_codes``; derived as x - column sums where unpublished.
    x, imports, error : (n,) gross output, imports (positive), the publisher's error column.
    """

    table_id: str
    meta: Mapping[str, Any]
    codes: tuple[str, ...]
    regions: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    Z: Floats
    imported: Floats | None
    final: Floats
    final_codes: tuple[str, ...]
    final_regions: tuple[str, ...]
    value_added: Floats
    value_codes: tuple[str, ...]
    x: Floats
    imports: Floats
    error: Floats

    @property
    def n(self) -> int:
        """Number of products."""
        return len(self.codes)

    @property
    def kind(self) -> str:
        """``competitive``, ``noncompetitive`` or ``multiregional``."""
        return str(self.meta["kind"])

    @property
    def unit(self) -> str:
        """The code of the money unit."""
        return str(self.meta["unit"])

    @property
    def names(self) -> dict[str, str]:
        """The table's name in both languages."""
        return both(self.meta["name_zh"], self.meta["name_en"])

    @property
    def v(self) -> Floats:
        """(n,) value added, all rows together."""
        return np.asarray(self.value_added.sum(axis=0))

    @cached_property
    def A(self) -> Floats:  # noqa: N802 - the field's name
        """Z x̂⁻¹ of the flows as published."""
        return np.asarray(technical_coefficients(self.Z, self.x, allow_negative=True))

    @cached_property
    def economy(self) -> Leontief:
        """The factorised system of ``A``."""
        return self._factorise(self.A)

    @property
    def demand(self) -> Floats:
        """(n,) what x = L f needs: final use less imports, with the error column."""
        return np.asarray(self.x - self.Z.sum(axis=1))

    @cached_property
    def home_shares(self) -> Floats:
        """(n,) share of each product's use at home that is made at home (1 where imports stand apart)."""
        if self.kind != "competitive":
            return np.ones(self.n)
        home = [k for k, code in enumerate(self.final_codes) if code not in EXPORTS]
        return domestic_shares(self.Z, self.final[:, home].sum(axis=1), np.maximum(self.imports, 0.0))

    @cached_property
    def domestic(self) -> Leontief:
        """The factorised system of what is made at home (of all regions in a multi-regional table)."""
        if self.kind != "competitive":
            return self.economy
        return self._factorise(self.A * self.home_shares[:, None])

    def _factorise(self, A: Floats) -> Leontief:
        try:
            return factorise(A, check=bool((A >= 0).all()))
        except KernelError as error:
            raise self.refused(error) from error

    def refused(self, error: KernelError) -> KernelRefused:
        """A kernel's refusal, with sectors named."""
        sectors = [int(s) for s in np.ravel(np.asarray(error.details.get("sectors", ())))[:8]]
        names = {"zh": self.name_zh, "en": self.name_en}
        named = [{lang: " ".join(dict.fromkeys((self.codes[s], n[s]))) for lang, n in names.items()} for s in sectors]
        why = refusal(error.code, error.details)
        return KernelRefused("io_refused", table=self.table_id, why=why, sectors=named or "-")

    def index(self, code: str, region: str | None = None) -> int:
        """The place of a sector code (of a region)."""
        for i, (c, r) in enumerate(zip(self.codes, self.regions, strict=True)):
            if c == code and region in (None, r):
                return i
        raise KeyError(code)


def load_economy(ctx: Context, table: TableId) -> Economy:
    """The table out of the context's snapshot. The lens must read io_table, io_cell and industry.

    Raises
    ------
    NoData : the lake has no cells of it.
    """
    meta = ctx.rows("io_table", table_id=str(table)).to_pylist()[0]
    cells = ctx.rows("io_cell", _CELLS, table_id=str(table))
    if not cells.num_rows:
        raise NoData("no_data", what=str(table), tables="io_cell")
    industry = ctx.rows(
        "industry",
        ("code", "name_zh", "name_en", "order"),
        classification=meta["classification"],
        version=meta["version"],
    )
    return economy_of(meta, cells, industry)


def economy_of(meta: Mapping[str, Any], cells: pa.Table, industry: pa.Table) -> Economy:
    """Matrices from the rows of one table."""
    places = _Places(meta, cells, industry)
    split = meta["kind"] == "noncompetitive"
    home = "domestic" if split else "total"
    flows = places.matrix("Z", home)
    final_keys = places.columns("F")
    value_keys = places.row_items("V", "T")
    value = places.matrix("V", None, value_keys) + places.matrix("T", None, value_keys)
    x = places.vector("X", None)
    if not len(value_keys):
        value_keys, value = pa.array(["VA"]), (x - flows.sum(axis=0))[None, :]
    return Economy(
        table_id=str(meta["table_id"]),
        meta=dict(meta),
        codes=tuple(code for _, code in places.keys),
        regions=tuple(region for region, _ in places.keys),
        name_zh=places.names("name_zh"),
        name_en=places.names("name_en"),
        Z=flows,
        imported=places.matrix("Z", "imported") if split else None,
        final=places.matrix("F", home, columns=final_keys),
        final_codes=tuple(key.split("|", 1)[1] for key in final_keys.to_pylist()),
        final_regions=tuple(key.split("|", 1)[0] for key in final_keys.to_pylist()),
        value_added=value,
        value_codes=tuple(value_keys.to_pylist()),
        x=x,
        imports=places.vector("M", None),
        error=places.vector("E", None),
    )


class _Places:
    """Where each row and column of the long form stands in the matrices."""

    def __init__(self, meta: Mapping[str, Any], cells: pa.Table, industry: pa.Table) -> None:
        self._cells = cells
        listed = industry.sort_by([("order", "ascending"), ("code", "ascending")]).to_pylist()
        self._listed = {r["code"]: r for r in listed} or _unnamed(cells)
        used = cells.filter(pc.field("block") == "X")
        regions = sorted(set(used["row_region"].to_pylist()) | set(used["col_region"].to_pylist()))
        if meta["kind"] != "multiregional":
            regions = [str(meta["economy"])]
        self.keys = [(region, code) for region in regions for code in self._listed]
        self.n = len(self.keys)
        self._at = pa.array([f"{region}|{code}" for region, code in self.keys])

    def _index(self, rows: pa.Table, side: str, keys: pa.Array) -> NDArray[np.int64]:
        named = rows[side]
        if keys is self._at or "|" in str(keys[0] if len(keys) else ""):
            named = pc.binary_join_element_wise(rows[f"{side}_region"], named, "|")
        return np.asarray(pc.fill_null(pc.index_in(named, value_set=keys), -1).to_numpy(), dtype=np.int64)

    def _select(self, block: str, origin: str | None) -> pa.Table:
        wanted = pc.field("block") == block
        if origin is not None:
            wanted = wanted & (pc.field("origin") == origin)
        return self._cells.filter(wanted)

    def names(self, column: str) -> tuple[str, ...]:
        return tuple(str(self._listed[code][column] or code) for _, code in self.keys)

    def matrix(
        self, block: str, origin: str | None, rows: pa.Array | None = None, columns: pa.Array | None = None
    ) -> Floats:
        """The cells of a block, at the sectors' places unless other keys are given."""
        found = self._select(block, origin)
        rows, columns = (self._at if keys is None else keys for keys in (rows, columns))
        out = np.zeros((len(rows), len(columns)))
        i, j = self._index(found, "row", rows), self._index(found, "col", columns)
        kept = (i >= 0) & (j >= 0)
        np.add.at(out, (i[kept], j[kept]), found["value"].to_numpy()[kept])
        return out

    def columns(self, block: str) -> pa.Array:
        """``region|code`` of a block's columns, sorted."""
        found = self._select(block, None)
        return pa.array(
            sorted(set(pc.binary_join_element_wise(found["col_region"], found["col"], "|").to_pylist())), pa.string()
        )

    def row_items(self, *blocks: str) -> pa.Array:
        """The codes of blocks' rows, sorted."""
        found = self._cells.filter(pc.field("block").isin(list(blocks)))
        return pa.array(sorted(set(found["row"].to_pylist())), pa.string())

    def vector(self, block: str, origin: str | None) -> Floats:
        found = self._select(block, origin)
        out = np.zeros(self.n)
        for side in ("row", "col"):
            i = self._index(found, side, self._at)
            kept = i >= 0
            if kept.any():
                np.add.at(out, i[kept], found["value"].to_numpy()[kept])
                break
        return out


def _unnamed(cells: pa.Table) -> dict[str, dict[str, Any]]:
    """The sectors of a table whose classification nobody named: the codes of its flows, each its own name."""
    flows = cells.filter(pc.field("block") == "Z")
    codes = sorted({*flows["row"].to_pylist(), *flows["col"].to_pylist()})
    return {code: {"name_zh": code, "name_en": code} for code in codes}


NOTES: Mapping[str, Text] = {
    "competitive": Text("structure.note.competitive"),
    "noncompetitive": Text("structure.note.noncompetitive"),
    "multiregional": Text("structure.note.multiregional"),
}
"""What each kind of table means for a reader of its figures."""
