"""Who should meet: scores for pairs that are not tied yet, and whether they foresee ties of later years.

G(i) are i's neighbours, k_i how many.

    common neighbours        |G(i) & G(j)|
    Adamic-Adar              sum over common z of 1 / ln k_z
    resource allocation      sum over common z of 1 / k_z
    Katz, cut at length 4    beta^2 (A^2) + beta^3 (A^3) + beta^4 (A^4)
    preferential attachment  k_i k_j, the baseline: the busy meet anyone
    weighted allocation      sum over common z of v_iz v_zj / s_z, with v = ln(1 + joint works), s = sum of v
    blend                    percentile rank of weighted allocation plus that of s_i s_j, among the pairs asked about

The first five read only who is tied to whom. On the real networks at hand (institutions, countries) none of the first
four beats the baseline; the blend, which reads how strong ties are, does.

Evaluation holds out later years: the network is built from the past, the pairs that tie for the first time later are
the positives, and all other untied pairs among those who are active in both periods are the negatives.

References
----------
Liben-Nowell, D. & Kleinberg, J. (2007). The link-prediction problem for social networks. JASIST 58.
Zhou, T., Lu, L. & Zhang, Y.-C. (2009). Predicting missing links via local information. Eur Phys J B 71.
Katz, L. (1953). A new status index derived from sociometric analysis. Psychometrika 18.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, diags_array
from scipy.stats import rankdata

from ronghe.kernels.errors import KernelError
from ronghe.kernels.ranking import auc, precision_at

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

METHODS = (
    "common_neighbours",
    "adamic_adar",
    "resource_allocation",
    "katz",
    "preferential_attachment",
    "weighted_allocation",
    "blend",
)
BASELINE = "preferential_attachment"
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class _Network:
    """Ties alone (ones), and their strengths ln(1 + value); no loops."""

    net: csr_array
    strong: csr_array


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well each method foresaw the new ties.

    Attributes
    ----------
    pairs, positives : untied pairs asked about, and how many of them tied later.
    auc, precision : by method; precision among as many pairs as tied.
    beats_baseline : the methods with a higher AUC and a precision no lower than preferential attachment.
    """

    pairs: int
    positives: int
    auc: Mapping[str, float]
    precision: Mapping[str, float]
    beats_baseline: tuple[str, ...]


def pair_scores(graph: csr_array, i: ArrayLike, j: ArrayLike, method: str, beta: float = 0.01) -> Floats:
    """Score given pairs.

    Parameters
    ----------
    graph : (n, n) sparse symmetric; an entry is a tie, its value (> 0) the joint works; loops are ignored.
    i, j : (p,) the pairs. method : one of `METHODS`. beta : Katz's discount for each step.

    Returns
    -------
    (p,) scores, higher for likelier.

    Raises
    ------
    KernelError
        ``shape``, ``asymmetric``, ``negative``, ``index``, ``method`` (details: `known`), ``beta``.

    Examples
    --------
    >>> path = csr_array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> pair_scores(path, [0], [2], "resource_allocation")
    array([0.5])
    """
    network = _network(graph)
    nodes = network.net.shape[0]
    first, second = np.asarray(i, dtype=np.int64), np.asarray(j, dtype=np.int64)
    if first.ndim != 1 or first.shape != second.shape:
        raise KernelError("shape", "one partner a pair is needed", i=first.shape, j=second.shape)
    for ends in (first, second):
        if ends.size and (ends.min() < 0 or ends.max() >= nodes):
            raise KernelError("index", "no such node", nodes=nodes)
    if method not in _SCORES:
        raise KernelError("method", "no such method", method=method, known=METHODS)
    if not 0 < beta < 1:
        raise KernelError("beta", "the discount must be between 0 and 1", beta=beta)
    return _SCORES[method](network, first, second, beta)


def suggestions(graph: csr_array, node: int, method: str, k: int) -> tuple[Ints, Floats]:
    """The k best new partners of one node, by score and then by number; those who score 0 are left out.

    Examples
    --------
    >>> path = csr_array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> suggestions(path, 0, "adamic_adar", 5)[0]
    array([2])
    """
    net = _network(graph).net
    others = np.setdiff1d(
        np.arange(net.shape[0]), np.append(net.indices[net.indptr[node] : net.indptr[node + 1]], node)
    )
    score = pair_scores(graph, np.full(others.size, node), others, method)
    best = np.lexsort((others, -score))[:k]
    best = best[score[best] > 0]
    return others[best], score[best]


def evaluate(past: csr_array, later: csr_array, methods: tuple[str, ...] = METHODS, beta: float = 0.01) -> Evaluation:
    """Foresee the ties of later years from those of the past.

    Parameters
    ----------
    past, later : (n, n) sparse symmetric networks of the two periods. methods : which to try; the baseline always is.

    Returns
    -------
    Evaluation over all untied pairs of nodes that have a tie in both periods.

    Raises
    ------
    KernelError
        As `pair_scores`; ``no_pairs`` if nothing new was tied, or everything was tied before.

    Examples
    --------
    >>> past = csr_array([[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]])
    >>> later = csr_array([[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]])
    >>> evaluate(past, later).positives
    2
    """
    old, new = _network(past).net, _network(later).net
    if old.shape != new.shape:
        raise KernelError("shape", "both periods must have the same nodes", past=old.shape, later=new.shape)
    active = np.flatnonzero((np.diff(old.indptr) > 0) & (np.diff(new.indptr) > 0))
    i, j, truth = _untied(old, new, active)
    if not truth.any() or truth.all():
        raise KernelError("no_pairs", "no new ties to foresee", pairs=int(truth.size), positives=int(truth.sum()))
    tried = tuple(dict.fromkeys((*methods, BASELINE)))
    scores = {method: pair_scores(past, i, j, method, beta) for method in tried}
    areas = {method: auc(score, truth) for method, score in scores.items()}
    shares = {method: precision_at(score, truth, int(truth.sum())) for method, score in scores.items()}
    better = tuple(m for m in tried if areas[m] > areas[BASELINE] and shares[m] >= shares[BASELINE])
    return Evaluation(truth.size, int(truth.sum()), MappingProxyType(areas), MappingProxyType(shares), better)


def _untied(old: csr_array, new: csr_array, active: Ints) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    firsts, seconds, truths = [], [], []
    for place, node in enumerate(active[:-1]):
        others = active[place + 1 :]
        tied = np.isin(others, old.indices[old.indptr[node] : old.indptr[node + 1]])
        free = others[~tied]
        firsts.append(np.full(free.size, node))
        seconds.append(free)
        truths.append(np.isin(free, new.indices[new.indptr[node] : new.indptr[node + 1]]))
    if not firsts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool)
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(truths)


def _weighted_common(net: csr_array, weight: Floats, i: Ints, j: Ints) -> Floats:
    scaled = csr_array(net @ diags_array(weight))
    return _products(scaled, net, i, j)


def _products(left: csr_array, right: csr_array, i: Ints, j: Ints) -> Floats:
    """Row i of the left times row j of the right, for each pair, a bounded number of pairs at a time."""
    score = np.empty(i.size)
    for begin in range(0, i.size, _CHUNK * 64):
        part = slice(begin, begin + _CHUNK * 64)
        score[part] = left[i[part]].multiply(right[j[part]]).sum(axis=1)
    return score


def _degree(net: csr_array) -> Floats:
    return np.diff(net.indptr).astype(np.float64)


def _common(network: _Network, i: Ints, j: Ints, beta: float) -> Floats:  # noqa: ARG001 (one signature for all scores)
    return _products(network.net, network.net, i, j)


def _adamic_adar(network: _Network, i: Ints, j: Ints, beta: float) -> Floats:  # noqa: ARG001
    # A common neighbour has two ties at least, so its logarithm is never zero.
    return _weighted_common(network.net, 1.0 / np.log(np.maximum(_degree(network.net), 2.0)), i, j)


def _resource_allocation(network: _Network, i: Ints, j: Ints, beta: float) -> Floats:  # noqa: ARG001
    return _weighted_common(network.net, 1.0 / np.maximum(_degree(network.net), 1.0), i, j)


def _katz(network: _Network, i: Ints, j: Ints, beta: float) -> Floats:
    net = network.net
    square = csr_array(net @ net)
    two, three, four = _products(net, net, i, j), _products(square, net, i, j), _products(square, square, i, j)
    return np.asarray(beta**2 * (two + beta * (three + beta * four)))


def _attachment(network: _Network, i: Ints, j: Ints, beta: float) -> Floats:  # noqa: ARG001
    return _degree(network.net)[i] * _degree(network.net)[j]


def _strength(network: _Network) -> Floats:
    return np.asarray(network.strong.sum(axis=1), dtype=np.float64)


def _weighted_allocation(network: _Network, i: Ints, j: Ints, beta: float) -> Floats:  # noqa: ARG001
    total = _strength(network)
    return _weighted_common(network.strong, 1.0 / np.where(total > 0, total, 1.0), i, j)


def _blend(network: _Network, i: Ints, j: Ints, beta: float) -> Floats:
    total = _strength(network)
    parts = (_weighted_allocation(network, i, j, beta), total[i] * total[j])
    return np.asarray(sum(rankdata(part) for part in parts) / (2 * max(1, i.size)))


_SCORES: Mapping[str, Callable[[_Network, Ints, Ints, float], Floats]] = MappingProxyType(
    dict(
        zip(
            METHODS,
            (_common, _adamic_adar, _resource_allocation, _katz, _attachment, _weighted_allocation, _blend),
            strict=True,
        )
    )
)


def _network(graph: csr_array) -> _Network:
    net = csr_array(graph, copy=True).astype(np.float64)
    if net.ndim != 2 or net.shape[0] != net.shape[1] or net.shape[0] == 0:
        raise KernelError("shape", "a square network is needed", shape=net.shape)
    net.sum_duplicates()
    net.setdiag(0.0)
    net.eliminate_zeros()
    if (net.data < 0).any():
        raise KernelError("negative", "joint works must not be negative", least=float(net.data.min()))
    strong = net.copy()
    strong.data = np.log1p(net.data)
    net.data[:] = 1.0
    if abs(net - net.T).nnz:
        raise KernelError("asymmetric", "ties must run both ways", nodes=net.shape[0])
    return _Network(net, strong)
