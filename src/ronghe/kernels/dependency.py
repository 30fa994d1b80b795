r"""Import dependence: concentration, substitutes, and how much of a chain hangs on one node.

GeoDep (CEPII Policy Brief 2024-47, after the European Commission's SWD(2021) 352): a product is a dependence
when in at least two of three years

    HHI of its imports by origin > 0.4,  HHI of world exports of it by exporter > 0.4,  imports / exports > 1,

where HHI = Σ share² lies between 1/(number of partners) and 1, and a product imported and not exported has an
infinite ratio. A chain graph has an edge u -> v where u goes into v; what cannot be made without u is all that can
be reached from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import breadth_first_order

from ronghe.kernels.errors import KernelError

__all__ = [
    "Bounds",
    "Dependence",
    "Downstream",
    "Reliance",
    "dependence",
    "downstream",
    "exporter_reliance",
    "herfindahl",
    "herfindahl_bounds",
    "single_points",
    "substitutable",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def _flows(values: ArrayLike, dimensions: int, name: str) -> Floats:
    flows = np.asarray(values, dtype=float)
    if flows.ndim != dimensions:
        raise KernelError("shape", f"{name} needs {dimensions} dimensions, not shape {flows.shape}", name=name)
    if not (np.isfinite(flows) & (flows >= 0)).all():
        raise KernelError("negative", f"{name} must be finite and zero or more", name=name)
    return flows


def herfindahl(flows: ArrayLike) -> Floats:
    """Herfindahl-Hirschman index over the last axis, in (0, 1]; nan where nothing flows.

    >>> herfindahl([[1.0, 1.0, 0.0, 2.0], [5.0, 0.0, 0.0, 0.0]]).tolist()
    [0.375, 1.0]
    """
    flows = np.asarray(flows, dtype=float)
    flows = _flows(flows, flows.ndim, "flows")
    total = flows.sum(axis=-1, keepdims=True)
    share = np.divide(flows, total, out=np.full(flows.shape, np.nan), where=total > 0)
    return np.asarray((share**2).sum(axis=-1))


@dataclass(frozen=True, slots=True)
class Dependence:
    """GeoDep by year and product: hhi_imports, hhi_world, ratio (years, P); dependent (P,).

    `met` (years, P) says in which years all three criteria hold; a year without trade meets none.
    """

    hhi_imports: Floats
    hhi_world: Floats
    ratio: Floats
    met: Bools
    dependent: Bools


def dependence(
    imports: ArrayLike,
    world_exports: ArrayLike,
    exports: ArrayLike,
    *,
    threshold: float = 0.4,
    ratio: float = 1.0,
    years: int = 2,
) -> Dependence:
    """Which products a country depends on.

    imports        (T, P, C) value imported by origin
    world_exports  (T, P, C) value exported to the world by each exporter
    exports        (T, P) value the country itself exports
    threshold      both HHIs must exceed it; `ratio`: imports / exports must exceed it
    years          in how many of the T years, 2 of 3 in the paper

    Raises KernelError for shapes that differ, negative values, or more years asked for than given.

    >>> imports = [[[9.0, 1.0], [5.0, 5.0]]] * 3
    >>> found = dependence(imports, imports, [[2.0, 0.0]] * 3)
    >>> found.dependent.tolist(), found.ratio[0].tolist()
    ([True, True], [5.0, inf])
    """
    bought, sold = _flows(imports, 3, "imports"), _flows(world_exports, 3, "world exports")
    own = _flows(exports, 2, "exports")
    if bought.shape[:2] != own.shape or sold.shape[:2] != own.shape:
        raise KernelError("shape", "imports, world exports and exports must share years and products")
    if not 1 <= years <= len(own):
        raise KernelError("years", f"{years} of {len(own)} years cannot be asked for", given=len(own))
    total = bought.sum(axis=2)
    quotient = np.where(total > 0, np.inf, np.nan)
    np.divide(total, own, out=quotient, where=own > 0)
    hhi_imports, hhi_world = herfindahl(bought), herfindahl(sold)
    # A comparison with nan is false: without trade there is no dependence.
    met = (hhi_imports > threshold) & (hhi_world > threshold) & (quotient > ratio)
    return Dependence(hhi_imports, hhi_world, quotient, met, met.sum(axis=0) >= years)


def substitutable(imports: ArrayLike, world_exports: ArrayLike, *, spare: float = 0.1) -> Floats:
    """Share of what is bought from each origin that others could replace if it stopped, (P, C) in [0, 1].

    The others are taken to be able to divert or add `spare` of their world exports; imports and world_exports are
    (P, C) by the same countries. nan where nothing is bought.

    >>> substitutable([[8.0, 0.0, 2.0]], [[50.0, 20.0, 10.0]]).tolist()
    [[0.375, nan, 1.0]]
    """
    bought, sold = _flows(imports, 2, "imports"), _flows(world_exports, 2, "world exports")
    if bought.shape != sold.shape:
        raise KernelError("shape", f"imports {bought.shape} and world exports {sold.shape} must agree")
    if not spare >= 0:
        raise KernelError("spare", "the spare share of exports must be zero or more")
    others = np.maximum(sold.sum(axis=1, keepdims=True) - sold, 0) * spare
    covered = np.divide(others, bought, out=np.full(bought.shape, np.nan), where=bought > 0)
    return np.asarray(np.minimum(covered, 1))


@dataclass(frozen=True, slots=True)
class Reliance:
    """Who holds a product's export network together.

    centrality (P, C): mean over importing countries of the exporter's share in their imports, a sum of 1 a product;
    centralisation (P,): Freeman's, 0 when all exporters count alike, 1 when everyone buys from one;
    hub (P,): the most central exporter, -1 without trade.
    """

    centrality: Floats
    centralisation: Floats
    hub: NDArray[np.intp]


def exporter_reliance(flows: ArrayLike) -> Reliance:
    """Centrality of exporters in each product's network, flows (P, exporters, importers).

    Every importer counts alike, so that a supplier on whom many small countries rely shows (out-degree centrality
    on import shares; Korniyenko, Pinat & Dew 2017, IMF WP/17/30; centralisation: Freeman 1979).

    >>> exporter_reliance([[[0, 4, 4], [0, 0, 0], [0, 0, 0]]]).centralisation.tolist()
    [1.0]
    """
    W = _flows(flows, 3, "flows")
    total = W.sum(axis=1, keepdims=True)
    share = np.divide(W, total, out=np.zeros_like(W), where=total > 0)
    buyers = (total[:, 0, :] > 0).sum(axis=1)
    traded = buyers > 0
    size = W.shape[1]
    centrality = np.divide(share.sum(axis=2), buyers[:, None], out=np.zeros(W.shape[:2]), where=traded[:, None])
    top = centrality.max(axis=1, initial=0.0, keepdims=True)
    spread = (top - centrality).sum(axis=1) / max(size - 1, 1)
    hub = np.where(traded, centrality.argmax(axis=1), -1).astype(np.intp)
    return Reliance(centrality, np.where(traded, spread, np.nan), hub)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest and highest value that the known shares allow, for the HHI and for the largest share."""

    hhi_low: Floats
    hhi_high: Floats
    top_low: Floats
    top_high: Floats


def herfindahl_bounds(known: ArrayLike, unnamed: ArrayLike, *, slack: float = 0.005) -> Bounds:
    """HHI and largest share when some providers' shares are unknown: bounds, not a guess.

    known    (..., K) shares in [0, 1]; 0 or nan for a provider without a share
    unnamed  (...) how many further providers divide the rest, any count from 0, inf where nobody knows
    slack    by how much published shares may miss 1 by rounding

    Of the rest R = 1 - Σ known, the HHI gains at least R²/m (shared alike by the m others) and at most R² (one has
    all of it). Raises KernelError where shares exceed 1 together, or leave a rest and nobody to hold it.

    >>> bounds = herfindahl_bounds([0.5, 0.1, np.nan, np.nan], 2)
    >>> round(float(bounds.hhi_low), 4), round(float(bounds.hhi_high), 4)
    (0.34, 0.42)
    """
    shares = np.nan_to_num(np.asarray(known, dtype=float), nan=0.0)
    count = np.asarray(unnamed, dtype=float)
    if not ((shares >= 0) & (shares <= 1 + slack)).all() or not (count >= 0).all():
        raise KernelError("share", "shares lie between 0 and 1, and a count of providers is zero or more")
    rest = np.asarray(1 - shares.sum(axis=-1))
    if (rest < -slack).any():
        raise KernelError("share", f"shares add up to {1 - rest.min():.4f}, more than 1")
    rest = np.maximum(rest, 0)
    rest, count = np.broadcast_arrays(rest, count)
    if ((rest > slack) & (count == 0)).any():
        raise KernelError("share", "shares leave a rest, and no provider to hold it")
    each = np.divide(rest, count, out=np.zeros(rest.shape), where=count > 0)
    rest = np.where(count > 0, rest, 0.0)
    base, top = (shares**2).sum(axis=-1), shares.max(axis=-1, initial=0.0)
    return Bounds(base + rest * each, base + rest**2, np.maximum(top, each), np.maximum(top, rest))


@dataclass(frozen=True, slots=True)
class Downstream:
    """What stops when nodes stop: `reached` (k, n), a row for each node asked about, itself included;
    `weight` (k,) its total weight without the node itself; `union` (n,) what stops when all of them do;
    `union_weight` its total weight, the nodes themselves included."""

    reached: Bools
    weight: Floats
    union: Bools
    union_weight: float


def downstream(
    tails: ArrayLike, heads: ArrayLike, n: int, nodes: ArrayLike, *, weights: ArrayLike | None = None
) -> Downstream:
    """All that needs each of `nodes`, along edges tails[e] -> heads[e] of a chain of n nodes.

    Cycles and repeated edges are fine. `weights` (n,), default 1 each, say what a node is worth. One breadth-first
    search for each node asked about. Raises KernelError for a node or edge end outside 0 ... n - 1.

    >>> downstream([0, 1, 1], [1, 2, 3], 4, [0, 1]).weight.tolist()
    [3.0, 2.0]
    """
    u, v = np.asarray(tails, dtype=np.intp), np.asarray(heads, dtype=np.intp)
    asked = np.asarray(nodes, dtype=np.intp)
    if u.shape != v.shape or u.ndim != 1:
        raise KernelError("shape", f"every edge needs two ends, not {u.shape} and {v.shape}")
    for ends in (u, v, asked):
        if ((ends < 0) | (ends >= n)).any():
            raise KernelError("index", f"nodes must be among 0 ... {n - 1}", unknown=ends[(ends < 0) | (ends >= n)])
    worth = np.ones(n) if weights is None else _flows(weights, 1, "weights")
    if worth.shape != (n,):
        raise KernelError("shape", f"weights must have {n} entries, not {worth.shape}")
    graph = sp.csr_array((np.ones(len(u)), (u, v)), shape=(n, n))
    reached = np.zeros((len(asked), n), dtype=bool)
    for row, node in enumerate(asked.tolist()):
        reached[row, breadth_first_order(graph, node, return_predecessors=False)] = True
    union: Bools = np.logical_or.reduce(reached, axis=0)
    return Downstream(reached, reached @ worth - worth[asked], union, float(worth[union].sum()))


def single_points(
    shares: ArrayLike, tails: ArrayLike, heads: ArrayLike, *, threshold: float = 0.5, weights: ArrayLike | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp], Downstream]:
    """Nodes of a chain that one provider holds, and what lies downstream of each.

    shares (n, C) of each node's provision by provider (nan unknown); a node is a single point of failure when one
    known share exceeds `threshold`. Returns (nodes, their provider, what is downstream), the heaviest first, ties by
    index. Raises KernelError as `downstream` does.
    """
    known = np.nan_to_num(np.asarray(shares, dtype=float), nan=0.0)
    if known.ndim != 2 or not ((known >= 0) & (known <= 1)).all():
        raise KernelError("share", "shares must be a table (nodes, providers) of values between 0 and 1")
    nodes = np.flatnonzero(known.max(axis=1, initial=0.0) > threshold).astype(np.intp)
    found = downstream(tails, heads, len(known), nodes, weights=weights)
    order = np.argsort(-found.weight, kind="stable")
    sorted_found = Downstream(found.reached[order], found.weight[order], found.union, found.union_weight)
    provider = known[nodes[order]].argmax(axis=1) if len(nodes) else np.empty(0)
    return nodes[order], provider.astype(np.intp), sorted_found
