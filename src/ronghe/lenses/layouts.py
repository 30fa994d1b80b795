"""Where the nodes of a network stand in a picture: computed once, with a seed, so that every picture is the same."""

from collections.abc import Sequence

import numpy as np
import rustworkx as rx
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu
from scipy.sparse.csgraph import minimum_spanning_tree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def backbone(near: Floats, least: float, most: int) -> tuple[Ints, Ints, Floats]:
    """The ties that a picture of a dense network shows: its maximum spanning tree and the strongest others.

    Parameters
    ----------
    near : (n, n) symmetric, non-negative. least : other ties are drawn from this strength on.
    most : at most so many ties in all.

    Returns
    -------
    First ends, second ends and strengths, strongest first; a tie is never lost to ``most`` if it is in the tree.
    """
    upper = np.triu(near, 1)
    # The tree of least distance is the tree of greatest nearness; +1 keeps ties of full strength from vanishing.
    cost = np.where(upper > 0, 2.0 - np.minimum(upper, 1.0), 0.0)
    tree = minimum_spanning_tree(csr_array(cost)).tocoo()
    chosen = {(int(min(a, b)), int(max(a, b))) for a, b in zip(tree.row, tree.col, strict=True)}
    strong = triu(csr_array(np.where(upper >= least, upper, 0.0))).tocoo()
    order = np.lexsort((strong.col, strong.row, -strong.data))
    for k in order:
        if len(chosen) >= most:
            break
        chosen.add((int(strong.row[k]), int(strong.col[k])))
    pairs = sorted(chosen, key=lambda p: (-near[p], p))
    first, second = (np.array([p[i] for p in pairs], dtype=np.int64) for i in (0, 1))
    return first, second, near[first, second]


def spring(n: int, first: Sequence[int] | Ints, second: Sequence[int] | Ints, weight: Floats, seed: int = 7) -> Floats:
    """Places by forces (Fruchterman & Reingold 1991), evened out so that crowds can be read.

    Parameters
    ----------
    n : nodes. first, second, weight : the ties and how strongly each draws. seed : of the first places.

    Returns
    -------
    (n, 2) in [0, 1], to four decimals; half the force's own places, half their ranks.
    """
    graph = rx.PyGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from([(int(a), int(b), float(w)) for a, b, w in zip(first, second, weight, strict=True)])
    made = rx.spring_layout(graph, seed=seed, num_iter=200, weight_fn=float, k=1.2 / np.sqrt(max(n, 1)))
    places = np.array([made[i] for i in range(n)], dtype=np.float64).reshape(n, 2)
    return np.asarray(np.round(0.5 * _scaled(places) + 0.5 * _ranked(places), 4))


def _scaled(places: Floats) -> Floats:
    low, high = np.quantile(places, 0.01, axis=0), np.quantile(places, 0.99, axis=0)
    return np.asarray(np.clip((places - low) / np.where(high > low, high - low, 1.0), 0.0, 1.0))


def _ranked(places: Floats) -> Floats:
    order = np.argsort(np.argsort(places, axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray(order / max(1, len(places) - 1))
