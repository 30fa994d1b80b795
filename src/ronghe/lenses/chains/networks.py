"""A supply network of firms out of the lake, checked and laid out for the cascade kernels."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ronghe.errors import KernelRefused, NoData, UnknownName, refusal
from ronghe.kernels.cascade_network import Network, NetworkError, network
from ronghe.kernels.errors import KernelError
from ronghe.lake.snapshot import Snapshot
from ronghe.lenses.base import Context
from ronghe.lenses.economy.economy import Economy
from ronghe.lenses.economy.satellites import crosswalk
from ronghe.lenses.params import Choice, Named
from ronghe.model.finding import Caveat
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
READS = ("firm", "firm_link", "critical_input", "crosswalk", "industry")
_BYTES_A_LINK, _BYTES_A_FIRM = 220, 400
_SHOWN = 5


class FirmNetwork(Named):
    """A network of firms."""

    code = "unknown_network"
    reads = ("firm",)

    @classmethod
    def choices(cls, snapshot: Snapshot) -> Sequence[Choice]:
        """The networks in the lake."""
        rows = snapshot.distinct("firm", ("network",)).to_pylist()
        return [Choice(r["network"], both(None, r["network"])) for r in rows]


@dataclass(frozen=True)
class Firms:
    """A network with its labels.

    ids, sector (n,); ``sectors`` are the codes that ``sector`` counts; sales (n,) in ``unit``. ``essential`` (K, K) of
    2, 1, 0; ``surveyed`` says whether it comes from a survey. ``aside`` counts links that were left out, by reason.
    """

    name: str
    ids: tuple[str, ...]
    labels: Mapping[int, dict[str, str]]
    classification: tuple[str, str]
    sectors: tuple[str, ...]
    sector_names: Mapping[str, dict[str, str]]
    sector: NDArray[np.int64]
    supplier: NDArray[np.int64]
    customer: NDArray[np.int64]
    value: Floats
    sales: Floats
    essential: NDArray[np.int8]
    surveyed: bool
    unit: str
    synthetic: bool
    aside: Mapping[str, tuple[int, tuple[str, ...]]]

    @property
    def n(self) -> int:
        """Number of firms."""
        return len(self.ids)

    def network(self, essential: NDArray[np.int8] | None = None) -> Network:
        """The network for the kernels, with its own or another essentiality matrix.

        Raises
        ------
        KernelRefused : it can't be used; names the firms.
        """
        try:
            return network(
                self.supplier,
                self.customer,
                self.value,
                self.sector,
                self.essential if essential is None else essential,
                sales=self.sales,
            )
        except NetworkError as error:
            firms = error.firms if len(error.firms) else self.supplier[error.edges]
            raise self._refused(error, [self.ids[int(f)] for f in firms[:_SHOWN]]) from error
        except KernelError as error:
            raise self._refused(error, []) from error

    def _refused(self, error: KernelError, named: Sequence[str]) -> KernelRefused:
        why = refusal(error.code, error.details)
        return KernelRefused("firms_refused", network=self.name, why=why, firms=", ".join(named) or "-")

    def name_of(self, firm: int) -> dict[str, str]:
        """A firm's name in both languages; its code where it has none."""
        return self.labels.get(firm) or both(None, self.ids[firm])

    def sector_name(self, code: str) -> dict[str, str]:
        """A sector's name in both languages; its code where it has none."""
        return self.sector_names.get(code, both(None, code))

    def cells(self, firm: int) -> dict[str, Any]:
        """The cells that say who a firm is: code, names and sector."""
        name, code = self.name_of(firm), self.sectors[self.sector[firm]]
        sector = self.sector_name(code)
        return {
            "firm": self.ids[firm],
            "name_zh": name["zh"],
            "name_en": name["en"],
            "sector": code,
            "sector_zh": sector["zh"],
            "sector_en": sector["en"],
        }

    def caveats(self) -> list[Caveat]:
        """What a reader must know of the network."""
        said = []
        if self.synthetic:
            said.append(Caveat("invented", Text("firms.synthetic", {"network": self.name})))
        for reason, (count, named) in self.aside.items():
            args = {"count": count, "firms": list(named)}
            said.append(Caveat("warning", Text(f"firms.{reason}", args)))
        if not self.surveyed:
            said.append(Caveat("warning", Text("firms.no_survey")))
        return said


def free_memory() -> int:
    """Bytes of memory that are free now."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def check_memory(links: int, firms: int, free: int) -> None:
    """Refuse a network that would not fit.

    Raises
    ------
    KernelRefused : says what it would need and what there is.
    """
    need = links * _BYTES_A_LINK + firms * _BYTES_A_FIRM
    if need > 0.8 * free:
        raise KernelRefused("firms_memory", links=links, firms=firms, need=need / 1e9, free=free / 1e9)


def network_size(ctx: Context, name: str) -> tuple[int, int]:
    """How many links and firms a network has, counted without reading them."""
    counts = []
    for table in ("firm_link", "firm"):
        rows = ctx.snapshot.table(table)
        rows = rows.filter(rows["network"] == name)
        counts.append(int(ctx.snapshot.rows(rows.aggregate(n=rows.count())).column("n")[0].as_py()))
    return counts[0], counts[1]


def load_firms(ctx: Context, name: str) -> Firms:
    """A network out of the context's snapshot. The lens must read ``READS``.

    Raises
    ------
    NoData : the network has no links.
    KernelRefused : it needs more memory than is free.
    """
    links, firms = network_size(ctx, name)
    if not links or not firms:
        raise NoData("no_data", what=name, tables="firm, firm_link")
    check_memory(links, firms, free_memory())
    nodes = ctx.rows(
        "firm",
        ("firm", "name_zh", "name_en", "classification", "version", "sector", "sales", "final_demand", "unit"),
        network=name,
    )
    edges = ctx.rows("firm_link", ("supplier", "customer", "value"), network=name)
    first = nodes.slice(0, 1).to_pylist()[0]
    classification = (first["classification"], first["version"])
    sell, buy, value, aside = _edges(nodes, edges)
    codes, sector = _coded(nodes["sector"])
    sales = _sales(nodes, sell, value)
    essential, surveyed = essentiality(ctx, classification, codes)
    loads = {o.load: o.invented for o in ctx.snapshot.loads}
    return Firms(
        name=name,
        ids=tuple(nodes["firm"].to_pylist()),
        labels=_labels(nodes),
        classification=classification,
        sectors=codes,
        sector_names=_sector_names(ctx, classification),
        sector=sector,
        supplier=sell,
        customer=buy,
        value=value,
        sales=sales,
        essential=essential,
        surveyed=surveyed,
        unit=str(first["unit"]),
        synthetic=any(loads.get(o, False) for o in nodes["_load"].unique().to_pylist()),
        aside=aside,
    )


def _edges(
    nodes: pa.Table, edges: pa.Table
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, dict[str, tuple[int, tuple[str, ...]]]]:
    """Links between known firms; what sells to itself or hangs loose is set aside and counted."""
    ids = nodes["firm"].combine_chunks()
    ends = [pc.fill_null(pc.index_in(edges[c], value_set=ids), -1).to_numpy() for c in ("supplier", "customer")]
    sell, buy = (np.asarray(e, dtype=np.int64) for e in ends)
    value = np.asarray(edges["value"].to_numpy(), dtype=float)
    loose, own = (sell < 0) | (buy < 0), (sell == buy) & (sell >= 0)
    key = sell * max(len(ids), 1) + buy
    order = np.argsort(key, kind="stable")
    again = np.zeros(len(key), dtype=bool)
    again[order[1:]] = key[order][1:] == key[order][:-1]
    again &= ~loose & ~own
    aside: dict[str, tuple[int, tuple[str, ...]]] = {}
    names = edges["supplier"]
    for reason, mask in (("dangling", loose), ("self", own), ("duplicate", again)):
        if mask.any():
            at = np.flatnonzero(mask)
            column = names if reason != "dangling" else pc.if_else(pa.array(sell < 0), names, edges["customer"])
            shown = column.take(pa.array(at[:_SHOWN])).to_pylist()
            aside[reason] = (len(at), tuple(str(s) for s in shown))
    kept = ~loose & ~own & ~again
    return sell[kept], buy[kept], value[kept], aside


def _coded(column: pa.ChunkedArray) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    codes = tuple(sorted(set(column.to_pylist())))
    return codes, np.asarray(pc.index_in(column, value_set=pa.array(codes)).to_numpy(), dtype=np.int64)


def _sales(nodes: pa.Table, sell: NDArray[np.int64], value: Floats) -> Floats:
    """Total sales: as stated, else what the network holds and what goes to final demand; never below the former."""
    inside = np.bincount(sell, np.maximum(value, 0.0), minlength=nodes.num_rows)
    final = np.nan_to_num(np.asarray(nodes["final_demand"].to_numpy(), dtype=float))
    stated = np.asarray(nodes["sales"].to_numpy(), dtype=float)
    return np.asarray(np.where(np.isfinite(stated), np.maximum(stated, inside), inside + final))


def _labels(nodes: pa.Table) -> dict[int, dict[str, str]]:
    named = zip(nodes["name_zh"].to_pylist(), nodes["name_en"].to_pylist(), strict=True)
    return {i: both(zh, en) for i, (zh, en) in enumerate(named) if zh or en}


def _sector_names(ctx: Context, classification: tuple[str, str]) -> dict[str, dict[str, str]]:
    rows = ctx.rows(
        "industry", ("code", "name_zh", "name_en"), classification=classification[0], version=classification[1]
    ).to_pylist()
    return {r["code"]: both(r["name_zh"], r["name_en"] or r["code"]) for r in rows}


def essentiality(ctx: Context, classification: tuple[str, str], codes: Sequence[str]) -> tuple[NDArray[np.int8], bool]:
    """(K, K) of 2 (critical in the survey), 1 (important), 0; all 1 where no survey reaches these sectors.

    The survey's industries are reached by a crosswalk; a sector that none reaches counts as important everywhere.
    """
    none = np.ones((len(codes), len(codes)), dtype=np.int8)
    rows = ctx.rows("critical_input").to_pylist()
    if not rows:
        return none, False
    survey = (rows[0]["classification"], rows[0]["version"])
    to = {c: c for c in codes} if survey == classification else crosswalk(ctx, classification, survey)
    groups = [to.get(c) for c in codes]
    if not any(groups):
        return none, False
    rated = {(r["supplier"], r["customer"]): round(2 * r["value"]) for r in rows}
    found = [[1 if a is None or b is None else rated.get((a, b), 1) for b in groups] for a in groups]
    return np.array(found, dtype=np.int8), True


def firm_shares(ctx: Context, economy: Economy, code: str) -> tuple[int, float]:
    """A firm's sector among the table's, and its part of that sector's sales in its network.

    Raises
    ------
    UnknownName : no firm of that code in a network of the table's classification.
    """
    key = {"classification": economy.meta["classification"], "version": economy.meta["version"]}
    found = ctx.rows("firm", ("network", "sector", "sales"), firm=code, **key).to_pylist()
    place = {c: i for i, c in enumerate(economy.codes)}
    for row in found:
        if row["sector"] in place and row["sales"]:
            peers = ctx.rows("firm", ("sales",), network=row["network"], sector=row["sector"], **key)
            total = float(np.nansum(np.asarray(peers["sales"].to_numpy(), dtype=float)))
            return place[row["sector"]], float(row["sales"]) / total
    raise UnknownName("unknown_firm", code, some_firms(ctx, code), table=economy.table_id)


def some_firms(ctx: Context, like: str) -> list[str]:
    """A few codes of firms, those that begin alike first."""
    rows = ctx.snapshot.table("firm")
    near = rows.filter(rows["firm"].startswith(like[:3])).select("firm").distinct().order_by("firm").limit(8)
    some = rows.select("firm").distinct().order_by("firm").limit(4)
    listed: list[Any] = [*ctx.snapshot.rows(near)["firm"].to_pylist(), *ctx.snapshot.rows(some)["firm"].to_pylist()]
    return list(dict.fromkeys(str(f) for f in listed))
