"""A firm-level supply network, checked and laid out for the cascade kernels.

Firms are renumbered by sector, then by number of links, so that a sector is one stretch of memory and
neighbours in memory do a like amount of work. Every link is kept four times, in the order each sweep
reads it: supply by customer and by supplier, demand by supplier and by customer. Definitions are those of
`ronghe.kernels.cascade`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Index = NDArray[np.int32]

ESSENTIAL, NON_ESSENTIAL, IRRELEVANT = 2, 1, 0


class NetworkError(KernelError):
    """A network that cannot be used; `edges` and `firms` hold the positions of what is wrong in the input."""

    kind = "network"

    def __init__(self, message: str, *, edges: Ints | None = None, firms: Ints | None = None) -> None:
        self.edges = np.zeros(0, dtype=np.int64) if edges is None else edges
        self.firms = np.zeros(0, dtype=np.int64) if firms is None else firms
        word, which = ("edges", self.edges) if self.edges.size else ("firms", self.firms)
        shown = f"{which[:10].tolist()}{' ...' if which.size > 10 else ''} ({which.size} in all)"
        super().__init__(self.kind, f"{message}: {word} {shown}", edges=self.edges, firms=self.firms)


class DuplicateEdgeError(NetworkError):
    """The same supplier and customer more than once; `edges` holds every repetition after the first."""

    kind = "duplicate_edge"


class DanglingEdgeError(NetworkError):
    """An edge from or to a firm that does not exist."""

    kind = "dangling_edge"


class SelfLoopError(NetworkError):
    """A firm that sells to itself."""

    kind = "self_loop"


class FlowError(NetworkError):
    """A flow that is negative or not finite."""

    kind = "flow"


class SectorError(NetworkError):
    """A firm whose sector is not a row of the essentiality matrix."""

    kind = "sector"


class SalesError(NetworkError):
    """Sales that are negative, not finite, or less than what the firm sells inside the network."""

    kind = "sales"


class Layout(NamedTuple):
    """The arrays the compiled kernels read; firms in their new order.

    A supply group is one customer's essential suppliers of one sector, or all its non-essential suppliers.
    In pull_weight the first link of each group carries a minus sign, so that a sweep needs no group table.
    """

    sector: Index  # (n,)
    first: Index  # (K + 1,) where each sector starts
    pull_ptr: Index  # (n + 1,) supply links by customer
    pull_firm: Index
    pull_weight: Floats  # W[j, i] / the group's denominator
    push_ptr: Index  # (n + 1,) supply links by supplier
    push_firm: Index
    push_group: Index
    push_weight: Floats
    sale_ptr: Index  # (n + 1,) demand links by supplier
    sale_firm: Index
    sale_weight: Floats  # W[j, i] / s[j]
    buy_ptr: Index  # (n + 1,) demand links by customer
    buy_firm: Index
    buy_weight: Floats
    sales: Floats  # (n,) s
    sold: Floats  # (n,) sales inside the network


@dataclass(frozen=True, slots=True)
class Network:
    """A checked supply network. Made by `network`; the arrays of `layout` are in the new order.

    order[new] = old and place[old] = new. n_groups counts supply groups, total = Σ s.
    """

    layout: Layout
    order: Ints
    place: Ints
    essential: NDArray[np.int8]
    n_groups: int
    n_links: int
    total: float

    @property
    def n_firms(self) -> int:
        """Number of firms."""
        return int(self.order.size)

    @property
    def n_sectors(self) -> int:
        """Number of sectors."""
        return int(self.essential.shape[0])


def network(
    supplier: ArrayLike,
    customer: ArrayLike,
    value: ArrayLike,
    sector: ArrayLike,
    essential: ArrayLike,
    *,
    sales: ArrayLike | None = None,
    final_demand: ArrayLike | None = None,
) -> Network:
    """Check an edge list and lay it out for the cascade kernels.

    Parameters
    ----------
    supplier : (m,) firm that sells, numbered from 0.
    customer : (m,) firm that buys.
    value : (m,) what the customer buys from the supplier, any one money unit; links of value 0 are no links
        and are left out.
    sector : (n,) sector of each firm, numbered from 0.
    essential : (K, K) matrix e, row = supplier's sector, column = customer's: 2 essential, 1 non-essential,
        0 irrelevant.
    sales : (n,) total sales s, same unit as value; None counts sales inside the network plus final_demand.
    final_demand : (n,) sales to final demand; only where sales is None.

    Raises
    ------
    DanglingEdgeError, SelfLoopError, DuplicateEdgeError, FlowError, SectorError, SalesError
        With the positions of what is wrong.
    KernelError
        ``shape``, ``type``, ``essential`` (other entries), ``sales`` (nobody sells anything).

    Examples
    --------
    >>> net = network([0, 1], [1, 2], [5.0, 4.0], [0, 1, 1], [[2, 2], [1, 1]], final_demand=[0, 1, 6])
    >>> net.n_firms, net.n_links, net.total
    (3, 2, 16.0)
    """
    kind = _essential(essential)
    group = np.asarray(sector, dtype=np.int64).ravel()
    outside = (group < 0) | (group >= kind.shape[0])
    if outside.any():
        raise SectorError(f"sector outside 0..{kind.shape[0] - 1}", firms=np.flatnonzero(outside))
    n = group.size
    sell, buy, flow = _edges(supplier, customer, value, n)
    inside: Floats = np.bincount(sell, flow, minlength=n).astype(np.float64)
    total = _sales(inside, n, sales, final_demand)
    links = np.bincount(sell, minlength=n) + np.bincount(buy, minlength=n)
    order = np.lexsort((-links, group))
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    sell, buy, group, total, inside = place[sell], place[buy], group[order], total[order], inside[order]
    supply, n_groups = _supply(sell, buy, flow, group, kind, n)
    demand = _demand(sell, buy, flow, total, n)
    first = np.searchsorted(group, np.arange(kind.shape[0] + 1)).astype(np.int32)
    layout = Layout(group.astype(np.int32), first, *supply, *demand, total, inside)
    return Network(layout, order, place, kind, n_groups, int(flow.size), float(total.sum()))


def _essential(essential: ArrayLike) -> NDArray[np.int8]:
    raw = np.asarray(essential)
    if raw.ndim != 2 or raw.shape[0] != raw.shape[1]:
        raise KernelError("shape", f"essential has shape {raw.shape}; it must be (K, K)")
    if not np.isin(raw, (IRRELEVANT, NON_ESSENTIAL, ESSENTIAL)).all():
        raise KernelError(
            "essential", "essential holds values other than 2 (essential), 1 (non-essential), 0 (irrelevant)"
        )
    return raw.astype(np.int8)


def _edges(supplier: ArrayLike, customer: ArrayLike, value: ArrayLike, n: int) -> tuple[Ints, Ints, Floats]:
    ends = np.asarray(supplier), np.asarray(customer)
    for end in ends:
        if end.size and not np.issubdtype(end.dtype, np.integer):
            raise KernelError("type", f"supplier and customer must be whole numbers, not {end.dtype}")
    sell, buy = (end.astype(np.int64).ravel() for end in ends)
    flow = np.asarray(value, dtype=np.float64).ravel()
    if not sell.size == buy.size == flow.size:
        raise KernelError(
            "shape", f"supplier ({sell.size}), customer ({buy.size}) and value ({flow.size}) differ in length"
        )
    bad = (sell < 0) | (sell >= n) | (buy < 0) | (buy >= n)
    if bad.any():
        raise DanglingEdgeError(f"supplier or customer outside 0..{n - 1}", edges=np.flatnonzero(bad))
    bad = ~np.isfinite(flow) | (flow < 0)
    if bad.any():
        raise FlowError("flow negative or not finite", edges=np.flatnonzero(bad))
    bad = sell == buy
    if bad.any():
        raise SelfLoopError("a firm sells to itself", edges=np.flatnonzero(bad))
    key = sell * n + buy
    by_key = np.argsort(key, kind="stable")
    again = np.flatnonzero(key[by_key][1:] == key[by_key][:-1])
    if again.size:
        raise DuplicateEdgeError("the same supplier and customer again", edges=np.sort(by_key[again + 1]))
    live = flow > 0
    return sell[live], buy[live], flow[live]


def _sales(inside: Floats, n: int, sales: ArrayLike | None, final_demand: ArrayLike | None) -> Floats:
    if sales is not None and final_demand is not None:
        raise KernelError("sales", "give sales or final_demand, not both")
    given = sales if sales is not None else final_demand
    extra = np.zeros(n) if given is None else np.asarray(given, dtype=np.float64).ravel()
    if extra.size != n:
        raise KernelError("shape", f"sales or final_demand has {extra.size} entries for {n} firms")
    bad = ~np.isfinite(extra) | (extra < 0)
    if bad.any():
        raise SalesError("sales negative or not finite", firms=np.flatnonzero(bad))
    total = inside + extra if sales is None else extra
    bad = total < inside * (1 - 1e-9)
    if bad.any():
        raise SalesError("sales below what the firm sells inside the network", firms=np.flatnonzero(bad))
    result: Floats = np.maximum(total, inside)
    if not result.sum() > 0:
        raise KernelError("sales", "nobody sells anything: the index has no denominator")
    return result


def _pointers(owner: Ints, n: int) -> Index:
    return np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=n)))).astype(np.int32)


def _supply(
    sell: Ints, buy: Ints, flow: Floats, sector: Ints, kind: NDArray[np.int8], n: int
) -> tuple[tuple[Index, Index, Floats, Index, Index, Index, Floats], int]:
    k = kind.shape[0]
    all_inputs = np.bincount(buy, flow, minlength=n)
    matters = kind[sector[sell], sector[buy]]
    keep = matters != IRRELEVANT
    sell, buy, flow, matters = sell[keep], buy[keep], flow[keep], matters[keep]
    slot = np.where(matters == ESSENTIAL, sector[sell], k)
    by_customer = np.lexsort((sell, slot, buy))
    sell, buy, flow, slot = sell[by_customer], buy[by_customer], flow[by_customer], slot[by_customer]
    new = np.ones(sell.size, dtype=np.bool_)
    new[1:] = (buy[1:] != buy[:-1]) | (slot[1:] != slot[:-1])
    group = np.cumsum(new) - 1
    weight = flow / np.where(slot == k, all_inputs[buy], np.bincount(group, flow)[group]) if sell.size else flow
    by_supplier = np.lexsort((group, sell))
    arrays = (
        _pointers(buy, n),
        sell.astype(np.int32),
        np.where(new, -weight, weight),
        _pointers(sell, n),
        buy[by_supplier].astype(np.int32),
        group[by_supplier].astype(np.int32),
        weight[by_supplier],
    )
    return arrays, int(new.sum())


def _demand(
    sell: Ints, buy: Ints, flow: Floats, sales: Floats, n: int
) -> tuple[Index, Index, Floats, Index, Index, Floats]:
    weight = flow / sales[sell]
    by_supplier, by_customer = np.lexsort((buy, sell)), np.lexsort((sell, buy))
    return (
        _pointers(sell, n),
        buy[by_supplier].astype(np.int32),
        weight[by_supplier],
        _pointers(buy, n),
        sell[by_customer].astype(np.int32),
        weight[by_customer],
    )
