"""A firm network made from an input-output table.

Firm-level supply networks are private nearly everywhere. This kernel draws one that is consistent with
a sector table: the value of all links from sector k to sector l is Z[k, l] and the sales of a sector's
firms, final demand included, add to x[k]. What the table does not say is drawn: firm sizes with a heavy
tail, degrees that grow as a power of size, who buys from whom. Everything built on it must be called a
synthetic network.

Method. Sizes are Pareto or lognormal draws scaled to x within each sector. Firm i of sector l has one
supplier plus a number that grows as size**in_power; each supplier's sector is drawn with probability
proportional to Z[k, l]**sector_power and the supplier within it to size**out_power (a Chung-Lu draw inside
the blocks of the table). Values are proportional to the customer's size and the root of the supplier's, with
lognormal noise, scaled so that each block adds to its flow. Final demand fills up what a firm's size leaves
over its network sales.

The stylised facts aimed at (sizes near Zipf's law, degree tails with exponents between 1 and 2, a few
links a firm) are those collected by Bacilieri, Borsos, Astudillo-Estevez & Lafond (2023), Firm-level
production networks: what do we (really) know? The idea of spreading a table over firms follows
Ialongo, de Valk, Marchese, Jansen, Zmarrou, Squartini & Garlaschelli, Sci Rep 12, 11847 (2022).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError
from ronghe.kernels.tails import TailFit, fit_tail

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDS = 60


class TableError(KernelError):
    """A table no firm network can be drawn from; `sectors` holds the offending sector numbers."""

    def __init__(self, message: str, sectors: Ints) -> None:
        shown = f"{sectors[:10].tolist()}{' ...' if sectors.size > 10 else ''}"
        super().__init__("table", f"{message}: sectors {shown}", sectors=sectors)
        self.sectors = sectors


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How well the drawn network keeps to the table, and how heavy its tails are.

    flow_error: Σ|flow between sectors − Z| / ΣZ. flow_error_max: largest |flow − Z[k, l]| over a block, as
    a share of ΣZ. sales_error: largest |Σ sales of the sector − x| / x. blocks_missed: blocks with Z > 0
    that no link covers (too few links, or a sector of one firm selling to itself); their flow is sold to
    final demand instead. links_missed: links asked for beyond the pairs that could be drawn.
    inputs_over_sales: share of firms that buy more than they sell. Tail exponents are those of the
    complementary distribution, P(X > x) ~ x**-exponent.
    """

    flow_error: float
    flow_error_max: float
    sales_error: float
    blocks_missed: int
    links_missed: int
    inputs_over_sales: float
    sales_tail: TailFit
    suppliers_tail: TailFit
    customers_tail: TailFit


@dataclass(frozen=True, slots=True)
class SynthFirms:
    """A synthetic firm network: links (supplier, customer, value) and firms (sector, sales, final demand)."""

    supplier: NDArray[np.int32]
    customer: NDArray[np.int32]
    value: Floats
    sector: NDArray[np.int32]
    sales: Floats
    final_demand: Floats
    diagnostics: Diagnostics


def synth_firms(
    Z: ArrayLike,
    x: ArrayLike,
    f: ArrayLike,
    n_firms: int,
    n_links: int,
    *,
    seed: int,
    firms_seed: int | None = None,
    counts: ArrayLike | None = None,
    law: Literal["pareto", "lognormal"] = "pareto",
    shape: float = 1.1,
    in_power: float = 0.6,
    out_power: float = 0.8,
    sector_power: float = 0.7,
    noise: float = 0.5,
) -> SynthFirms:
    """Draw a firm network consistent with an input-output table (see the module).

    Parameters
    ----------
    Z : (K, K) flows from row sector to column sector, not negative.
    x : (K,) gross output, with x = Z·1 + f.
    f : (K,) final demand, not negative (`imports.domestic_shares` takes imports out of a competitive table).
    n_firms : number of firms, at least the number of sectors with output.
    n_links : number of supplier-customer pairs wanted, at least n_firms.
    seed : the same seed and arguments give the same network.
    firms_seed : draws the sizes from a seed of their own, so that several networks can be drawn among firms of
        the same sizes (their sales then still depend on the links drawn); None takes them from `seed` too.
    counts : (K,) firms a sector; None shares n_firms out in proportion to x, at least one each.
    law : distribution of sizes. shape : Pareto tail exponent, or the lognormal's sigma.
    in_power : suppliers of a firm grow as size**in_power. out_power : its customers as size**out_power.
    sector_power : links of a block grow as Z[k, l]**sector_power.
    noise : sigma of the lognormal factor in each link's value.

    Returns
    -------
    The network and its diagnostics; links sorted by supplier, then customer.

    Raises
    ------
    TableError
        Negative or missing entries, x ≠ Z·1 + f, or sectors without firms.
    KernelError
        ``shape``, ``n_firms`` or ``n_links`` (too few), ``counts``, ``law``.

    Examples
    --------
    >>> net = synth_firms([[1.0, 2.0], [3.0, 4.0]], [10.0, 12.0], [7.0, 5.0], 60, 200, seed=1)
    >>> net.supplier.size, round(float(net.value.sum()), 9), round(float(net.sales.sum()), 9)
    (200, 10.0, 22.0)
    """
    flows, output, demand = _table(Z, x, f)
    per_sector = _counts(output, n_firms, counts)
    if n_links < n_firms:
        raise KernelError(
            "n_links", f"n_links = {n_links} must be at least n_firms = {n_firms}: every firm buys something"
        )
    rng = np.random.default_rng(seed)
    sector = np.repeat(np.arange(output.size), per_sector)
    own = rng if firms_seed is None else np.random.default_rng(firms_seed)
    size = _sizes(own, sector, per_sector, output, law, shape)
    first = np.concatenate(([0], np.cumsum(per_sector)))
    draw = _Draw(rng, first, sector, size, size**out_power, flows, sector_power)
    supplier, customer = draw.links(n_links, size**in_power)
    value = _values(rng, flows, sector, size, supplier, customer, noise)
    final = _final_demand(flows, demand, sector, size, supplier, value)
    sales = np.bincount(supplier, value, minlength=n_firms) + final
    diagnostics = _diagnose(flows, output, sector, supplier, customer, value, sales, n_links)
    return SynthFirms(
        supplier.astype(np.int32),
        customer.astype(np.int32),
        value,
        sector.astype(np.int32),
        sales,
        final,
        diagnostics,
    )


def _table(Z: ArrayLike, x: ArrayLike, f: ArrayLike) -> tuple[Floats, Floats, Floats]:
    flows, output, demand = (np.asarray(a, dtype=np.float64) for a in (Z, x, f))
    k = output.size
    if flows.shape != (k, k) or output.shape != (k,) or demand.shape != (k,):
        raise KernelError("shape", f"Z {flows.shape}, x {output.shape} and f {demand.shape} must be (K, K), (K,), (K,)")
    bad = ~np.isfinite(flows).all(axis=1) | ~np.isfinite(output) | ~np.isfinite(demand)
    if bad.any():
        raise TableError("not finite", np.flatnonzero(bad))
    bad = (flows < 0).any(axis=1) | (output < 0) | (demand < -1e-9 * np.abs(output))
    if bad.any():
        raise TableError("negative flow, output or final demand", np.flatnonzero(bad))
    gap = np.abs(flows.sum(axis=1) + demand - output)
    bad = gap > 1e-6 * np.maximum(output, output.sum() * 1e-9)
    if bad.any():
        raise TableError("x differs from Z·1 + f", np.flatnonzero(bad))
    if not output.any():
        raise TableError("no output", np.arange(k))
    return flows, output, np.maximum(demand, 0.0)


def _counts(output: Floats, n_firms: int, counts: ArrayLike | None) -> Ints:
    if counts is not None:
        given = np.asarray(counts, dtype=np.int64)
        if given.shape != output.shape or given.sum() != n_firms:
            raise KernelError("counts", f"counts must have shape {output.shape} and add to n_firms = {n_firms}")
        bad = (given < 0) | ((output > 0) & (given == 0))
        if bad.any():
            raise TableError("output but no firm", np.flatnonzero(bad))
        return given
    live = (output > 0).astype(np.int64)
    if n_firms < live.sum():
        raise KernelError("n_firms", f"n_firms = {n_firms} is less than the {live.sum()} sectors with output")
    exact = (n_firms - live.sum()) * output / output.sum()
    whole = np.floor(exact).astype(np.int64)
    rest = n_firms - int(live.sum() + whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    result: Ints = whole + live
    return result


def _sizes(rng: np.random.Generator, sector: Ints, counts: Ints, output: Floats, law: str, shape: float) -> Floats:
    if shape <= 0:
        raise KernelError("law", f"shape = {shape} must be positive")
    if law == "pareto":
        raw = 1.0 + rng.pareto(shape, sector.size)
    elif law == "lognormal":
        raw = rng.lognormal(0.0, shape, sector.size)
    else:
        raise KernelError("law", f"law = {law!r} must be 'pareto' or 'lognormal'")
    totals = np.bincount(sector, raw, minlength=counts.size)
    result: Floats = raw * np.divide(output, totals, out=np.zeros_like(output), where=totals > 0)[sector]
    return result


class _Draw:
    """Draws suppliers: a sector by the customer's column of the table, then a firm by its weight."""

    def __init__(
        self,
        rng: np.random.Generator,
        first: Ints,
        sector: Ints,
        size: Floats,
        weight: Floats,
        flows: Floats,
        sector_power: float,
    ) -> None:
        self.rng, self.first, self.sector, self.flows = rng, first, sector, flows
        self.cum_weight = _cumulative(weight, first)
        self.cum_size = _cumulative(size, first)
        column = np.where(flows > 0, flows, 0.0).T ** sector_power
        column[(flows <= 0).T] = 0.0
        total = column.sum(axis=1)
        self.buys = total > 0
        share = np.divide(column, total[:, None], out=np.zeros_like(column), where=self.buys[:, None])
        cum = np.cumsum(share, axis=1)
        last = column.shape[1] - 1 - np.argmax((column > 0)[:, ::-1], axis=1)
        for row in np.flatnonzero(self.buys):
            cum[row, last[row] :] = 1.0
        self.cum_sector = (cum + np.arange(cum.shape[0])[:, None]).ravel()

    def within(self, cumulative: Floats, sector: Ints) -> Ints:
        """One firm of each sector asked for, with probability by the cumulative weights."""
        at = np.searchsorted(cumulative, sector + self.rng.random(sector.size), side="right")
        result: Ints = np.clip(at, self.first[sector], self.first[sector + 1] - 1)
        return result

    def suppliers(self, customer: Ints) -> Ints:
        """A supplier for each customer asked for."""
        buyer = self.sector[customer]
        width = self.flows.shape[0]
        at = np.searchsorted(self.cum_sector, buyer + self.rng.random(buyer.size), side="right")
        return self.within(self.cum_weight, np.minimum(at - buyer * width, width - 1))

    def links(self, n_links: int, appetite: Floats) -> tuple[Ints, Ints]:
        """n_links different pairs: the largest blocks seeded, one supplier each, the rest by appetite."""
        n = self.sector.size
        pairs = self._seeds((n_links - n) // 2)
        appetite = np.where(self.buys[self.sector], appetite, 0.0)
        if not appetite.any():
            raise TableError("no sector buys anything", np.arange(self.flows.shape[0]))
        once = np.flatnonzero(appetite)
        pairs = np.union1d(pairs, self._pairs(once))
        cum = np.cumsum(appetite) / appetite.sum()
        for _ in range(ROUNDS):
            missing = n_links - pairs.size
            if missing <= 0:
                break
            customer = np.searchsorted(cum, self.rng.random(missing + missing // 20 + 8), side="right")
            fresh = np.setdiff1d(self._pairs(np.minimum(customer, n - 1)), pairs)
            if fresh.size > missing:
                fresh = self.rng.choice(fresh, missing, replace=False, shuffle=False)
            pairs = np.union1d(pairs, fresh)
        return pairs // n, pairs % n

    def _pairs(self, customer: Ints) -> Ints:
        supplier = self.suppliers(customer)
        keep = supplier != customer
        result: Ints = np.unique(supplier[keep] * self.sector.size + customer[keep])
        return result

    def _seeds(self, room: int) -> Ints:
        """One link between large firms for each of the largest blocks, so that no flow is lost."""
        width = self.flows.shape[0]
        order = np.argsort(-self.flows, axis=None, kind="stable")[: max(room, 0)]
        order = order[self.flows.ravel()[order] > 0]
        done: Ints = np.zeros(0, dtype=np.int64)
        for _ in range(8):
            seller, buyer = order // width, order % width
            supplier, customer = self.within(self.cum_size, seller), self.within(self.cum_size, buyer)
            keep = supplier != customer
            done = np.union1d(done, supplier[keep] * self.sector.size + customer[keep])
            order = order[~keep]
        return done


def _cumulative(weight: Floats, first: Ints) -> Floats:
    """Cumulative weights within each sector, from 0 to 1, plus the sector's number."""
    running = np.concatenate(([0.0], np.cumsum(weight)))
    counts = np.diff(first)
    start, stop = np.repeat(running[first[:-1]], counts), np.repeat(running[first[1:]], counts)
    span = np.where(stop > start, stop - start, 1.0)
    result: Floats = (running[1:] - start) / span + np.repeat(np.arange(counts.size), counts)
    return result


def _values(
    rng: np.random.Generator,
    flows: Floats,
    sector: Ints,
    size: Floats,
    supplier: Ints,
    customer: Ints,
    noise: float,
) -> Floats:
    # The square root leaves fewer firms buying more than they sell than other powers tried (5 % at national size).
    raw = size[customer] * np.sqrt(size[supplier]) * rng.lognormal(0.0, noise, supplier.size)
    block = sector[supplier] * flows.shape[0] + sector[customer]
    total = np.bincount(block, raw, minlength=flows.size)
    scale = np.divide(flows.ravel(), total, out=np.zeros(flows.size), where=total > 0)
    result: Floats = raw * scale[block]
    return result


def _final_demand(
    flows: Floats,
    demand: Floats,
    sector: Ints,
    size: Floats,
    supplier: Ints,
    value: Floats,
) -> Floats:
    """Final demand of a sector, with any flow no link covers, shared by what each size leaves to fill."""
    k = demand.size
    covered = np.bincount(sector[supplier], value, minlength=k)
    total = demand + np.maximum(flows.sum(axis=1) - covered, 0.0)
    room = np.maximum(size - np.bincount(supplier, value, minlength=size.size), 1e-3 * size)
    by_sector = np.bincount(sector, room, minlength=k)
    scale = np.divide(total, by_sector, out=np.zeros(k), where=by_sector > 0)
    result: Floats = room * scale[sector]
    return result


def _diagnose(
    flows: Floats,
    output: Floats,
    sector: Ints,
    supplier: Ints,
    customer: Ints,
    value: Floats,
    sales: Floats,
    n_links: int,
) -> Diagnostics:
    k, n = output.size, sales.size
    got = np.bincount(sector[supplier] * k + sector[customer], value, minlength=k * k).reshape(k, k)
    gap = np.abs(got - flows)
    total = float(flows.sum()) or 1.0
    sold = np.bincount(sector, sales, minlength=k)
    live = output > 0
    bought = np.bincount(customer, value, minlength=n)
    return Diagnostics(
        flow_error=float(gap.sum()) / total,
        flow_error_max=float(gap.max()) / total,
        sales_error=float(np.max(np.abs(sold - output)[live] / output[live])),
        blocks_missed=int(((flows > 0) & (got == 0)).sum()),
        links_missed=n_links - supplier.size,
        inputs_over_sales=float(np.mean(bought > sales)),
        sales_tail=fit_tail(sales),
        suppliers_tail=fit_tail(np.bincount(customer, minlength=n).astype(np.float64), discrete=True),
        customers_tail=fit_tail(np.bincount(supplier, minlength=n).astype(np.float64), discrete=True),
    )
