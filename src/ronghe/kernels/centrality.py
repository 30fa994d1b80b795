"""Who is central in a network, and who bridges what would otherwise be apart.

    betweenness   b_v = sum over s != v != t of the share of shortest s-t paths through v (Brandes 2001, exact)
    PageRank      r = d P' r + (d * rank of dead ends + 1 - d) / n (Brin & Page 1998)
    constraint    C_i = sum_{j} (p_ij + sum_q p_iq p_qj)^2 (Burt 1992); p_ij is i's share of ties with j, both ways

Low constraint marks a broker: the partners are not tied to each other. Betweenness is the sum over ordered pairs,
halved for a symmetric network. Paths are counted without weights.

References
----------
Brandes, U. (2001). A faster algorithm for betweenness centrality. J Math Sociology 25.
Brin, S. & Page, L. (1998). The anatomy of a large-scale hypertextual web search engine. Computer Networks 30.
Burt, R. S. (1992). Structural Holes. Harvard University Press.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, diags_array

from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.integer[Any]]

_SHARES = 16


def betweenness(
    graph: csr_array, sources: ArrayLike | None = None, normalised: bool = True, threads: int | None = None
) -> Floats:
    """Betweenness of every node.

    Parameters
    ----------
    graph : (n, n) sparse; an entry is an edge, its value is not read. Symmetric, or not.
    sources : (s,) start paths only at these and scale up, an unbiased estimate; all by default, which is exact.
    normalised : divide by (n - 1)(n - 2), the pairs that could pass.
    threads : as many as processors by default; the result does not depend on it.

    Returns
    -------
    (n,) betweenness.

    Raises
    ------
    KernelError
        ``shape``, ``index`` if a source does not exist.

    Examples
    --------
    >>> star = csr_array([[0, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
    >>> betweenness(star)
    array([1., 0., 0., 0.])
    """
    net = _square(graph)
    n = net.shape[0]
    start = np.arange(n) if sources is None else np.asarray(sources, dtype=np.int64)
    if start.size and (start.min() < 0 or start.max() >= n):
        raise KernelError("index", "a source does not exist", nodes=n)
    # A fixed number of shares, added in order: the sum is the same on any number of processors.
    shares = [start[i::_SHARES] for i in range(_SHARES)]
    with ThreadPoolExecutor(max(1, threads or os.cpu_count() or 1)) as pool:
        parts = list(pool.map(lambda share: _brandes(net.indptr, net.indices, share), shares))
    total: Floats = np.sum(parts, axis=0)
    if start.size:
        total *= n / start.size
    if normalised:
        return total / max(1, (n - 1) * (n - 2))
    symmetric = (abs(net - net.T)).nnz == 0
    return total / 2 if symmetric else total


def pagerank(graph: csr_array, damping: float = 0.85, tolerance: float = 1e-12, steps: int = 1000) -> Floats:
    """PageRank by power iteration to a given accuracy.

    Parameters
    ----------
    graph : (n, n) sparse, row points to column, non-negative weights.
    damping : chance to follow an edge, in (0, 1). tolerance : on the sum of absolute changes.

    Returns
    -------
    (n,) ranks summing to 1.

    Raises
    ------
    KernelError
        ``shape``, ``negative``, ``damping``, ``no_convergence`` (details: the last change).

    Examples
    --------
    >>> pagerank(csr_array([[0, 1], [1, 0]]))
    array([0.5, 0.5])
    """
    net = _square(graph)
    if (net.data < 0).any():
        raise KernelError("negative", "weights must not be negative", least=float(net.data.min()))
    if not 0 < damping < 1:
        raise KernelError("damping", "the damping must be between 0 and 1", damping=damping)
    n = net.shape[0]
    out = np.asarray(net.sum(axis=1), dtype=np.float64)
    dead = out == 0
    pull = csr_array((diags_array(np.where(dead, 0.0, 1.0 / np.where(dead, 1.0, out))) @ net).T)
    rank = np.full(n, 1.0 / n)
    change = np.inf
    for _ in range(steps):
        new = damping * (pull @ rank + rank[dead].sum() / n) + (1 - damping) / n
        change = float(np.abs(new - rank).sum())
        rank = new
        if change <= tolerance:
            return np.asarray(rank / rank.sum())
    raise KernelError("no_convergence", "PageRank did not settle", change=change, steps=steps)


def constraint(graph: csr_array) -> Floats:
    """Burt's constraint of every node.

    Parameters
    ----------
    graph : (n, n) sparse, non-negative weights of ties; a tie i-j weighs both directions together.

    Returns
    -------
    (n,) constraint; NaN for a node without ties.

    Raises
    ------
    KernelError
        ``shape``, ``negative``.

    Examples
    --------
    >>> constraint(csr_array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]))
    array([0.5, 1. , 1. ])
    """
    net = _square(graph)
    if (net.data < 0).any():
        raise KernelError("negative", "weights must not be negative", least=float(net.data.min()))
    both = csr_array(net + net.T)
    both.setdiag(0.0)
    both.eliminate_zeros()
    both.sort_indices()
    total = np.asarray(both.sum(axis=1), dtype=np.float64)
    share = both.data / np.repeat(np.where(total > 0, total, 1.0), np.diff(both.indptr))
    found = _constraint(both.indptr, both.indices, share)
    found[total == 0] = np.nan
    return np.asarray(found)


@njit(nogil=True, cache=True)
def _pass_back(indptr: Ints, indices: Ints, order: Ints, depth: Ints, paths: Floats, passing: Floats) -> None:
    """Backwards, each node takes its share from those one step further: no list of predecessors is kept."""
    for v in order[::-1]:
        for e in range(indptr[v], indptr[v + 1]):
            w = indices[e]
            if depth[w] == depth[v] + 1:
                passing[v] += paths[v] / paths[w] * (1.0 + passing[w])


@njit(nogil=True, cache=True)
def _brandes(indptr: Ints, indices: Ints, sources: Ints) -> Floats:
    n = indptr.size - 1
    total = np.zeros(n)
    depth = np.full(n, -1, np.int64)
    paths = np.zeros(n)
    passing = np.zeros(n)
    order = np.empty(n, np.int64)
    for s in sources:
        depth[s], paths[s], order[0] = 0, 1.0, s
        found, head = 1, 0
        while head < found:
            v = order[head]
            head += 1
            for e in range(indptr[v], indptr[v + 1]):
                w = indices[e]
                if depth[w] < 0:
                    depth[w] = depth[v] + 1
                    order[found] = w
                    found += 1
                if depth[w] == depth[v] + 1:
                    paths[w] += paths[v]
        _pass_back(indptr, indices, order[:found], depth, paths, passing)
        for v in order[1:found]:
            total[v] += passing[v]
        for v in order[:found]:
            depth[v], paths[v], passing[v] = -1, 0.0, 0.0
    return total


@njit(nogil=True, cache=True)
def _constraint(indptr: Ints, indices: Ints, share: Floats) -> Floats:
    n = indptr.size - 1
    found = np.zeros(n)
    reach = np.zeros(n)
    for i in range(n):
        for e in range(indptr[i], indptr[i + 1]):
            q = indices[e]
            reach[q] += share[e]
            for f in range(indptr[q], indptr[q + 1]):
                reach[indices[f]] += share[e] * share[f]
        for e in range(indptr[i], indptr[i + 1]):
            found[i] += reach[indices[e]] ** 2
        for e in range(indptr[i], indptr[i + 1]):
            q = indices[e]
            reach[q] = 0.0
            for f in range(indptr[q], indptr[q + 1]):
                reach[indices[f]] = 0.0
    return found


def _square(graph: csr_array) -> csr_array:
    net = csr_array(graph, copy=True).astype(np.float64)
    if net.ndim != 2 or net.shape[0] != net.shape[1] or net.shape[0] == 0:
        raise KernelError("shape", "a square network is needed", shape=net.shape)
    net.sum_duplicates()
    net.eliminate_zeros()
    return net
