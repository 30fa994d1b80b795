"""Relatedness and complexity of a basket, and whether density foresees what a place does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import rankdata

from ronghe.errors import AskError
from ronghe.kernels.complexity import (
    Complexity,
    Fitness,
    complexity,
    density,
    diversity_ubiquity,
    fitness,
    outlook,
    presence,
    proximity,
    rca,
)
from ronghe.kernels.errors import KernelError
from ronghe.kernels.ranking import auc
from ronghe.lenses.frontier.opportunity_load import Basket

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
HIDDEN = 0.1
_HIDE = 2000
_DRAWS = (5, 60)


@dataclass(frozen=True)
class Space:
    """Everything that follows from a basket; rows and columns as in the basket.

    Attributes
    ----------
    index : (c, p) RCA. m : (c, p) presence. phi : (p, p). near : (c, p) density. places_phi : (c, c).
    found, fit : complexity and fitness. coi : (c,). cog : (c, p). apart : places outside the largest connected part.
    """

    index: Floats
    m: Flags
    phi: Floats
    near: Floats
    places_phi: Floats
    found: Complexity
    fit: Fitness
    coi: Floats
    cog: Floats
    apart: int


@dataclass(frozen=True, slots=True)
class Check:
    """AUC of finding the presences that were hidden, by density and by ubiquity alone, as means over draws.

    Attributes
    ----------
    density, ubiquity : mean AUC. spread : standard deviation of each over draws, in that order.
    wins : share of the draws in which density did better. draws, hidden, cells : how many, and of what size.
    """

    density: float
    ubiquity: float
    spread: tuple[float, float]
    wins: float
    draws: int
    hidden: int
    cells: int


def measure(basket: Basket, threshold: float) -> Space:
    """Complexity and relatedness of the largest connected part; the rest stays without.

    Raises
    ------
    AskError : too few places or activities with presence.
    """
    index = rca(basket.x)
    m = presence(index, threshold) & (basket.x >= basket.floor) & (basket.x > 0)
    whole, apart = _largest_part(m)
    try:
        found = complexity(whole)
    except KernelError as error:
        raise AskError("space_small", what=basket.what, places=len(basket.places)) from error
    phi = proximity(m)
    near = density(m, phi)
    coi, cog = outlook(m, phi, near, found.pci)
    return Space(index, m, phi, near, proximity(m.T), found, fitness(whole), coi, cog, apart)


def _largest_part(m: Flags) -> tuple[Flags, int]:
    """Presence without the places that share no activity, at any remove, with most others."""
    c, p = m.shape
    rows, columns = np.nonzero(m)
    both = csr_array((np.ones(rows.size), (rows, columns + c)), shape=(c + p, c + p))
    _, label = connected_components(both, directed=False)
    sizes = np.bincount(label[:c], minlength=int(label.max()) + 1)
    inside = label == int(np.argmax(sizes))
    kept = m & inside[:c, None]
    return kept, int((m.any(axis=1) & ~inside[:c]).sum())


def held_out(m: Flags, seed: int = 7) -> Check:
    """Hide a tenth of all presences, again and again, and see who finds them among what is left absent.

    One draw of a small matrix says nothing: there are as many draws as hide 2,000 presences, at least 5, at most 60.
    """
    rows, columns = np.nonzero(m)
    count = max(1, int(HIDDEN * rows.size))
    draws = int(np.clip(np.ceil(_HIDE / count), *_DRAWS))
    rng = np.random.default_rng(seed)
    found = np.empty((draws, 2))
    for k in range(draws):
        chosen = rng.permutation(rows.size)[:count]
        seen = m.copy()
        seen[rows[chosen], columns[chosen]] = False
        near = np.nan_to_num(density(seen, proximity(seen)))
        ubiquity = np.broadcast_to(diversity_ubiquity(seen)[1].astype(np.float64), m.shape)
        asked = ~seen
        found[k] = auc(near[asked], m[asked]), auc(ubiquity[asked], m[asked])
    mean, spread = found.mean(axis=0), found.std(axis=0)
    wins = float((found[:, 0] > found[:, 1]).mean())
    cells = int(m.size - rows.size + count)
    return Check(float(mean[0]), float(mean[1]), (float(spread[0]), float(spread[1])), wins, draws, count, cells)


def candidates(space: Space, c: int) -> tuple[NDArray[np.int64], Floats]:
    """The activities a place does not do, best first, with the geometric mean of two percentile ranks.

    The ranks are those of density and of complexity among all activities absent there.
    """
    absent = np.flatnonzero(~space.m[c] & np.isfinite(space.found.pci) & np.isfinite(space.near[c]))
    score = np.sqrt(_percentile(space.near[c, absent]) * _percentile(space.found.pci[absent]))
    order = np.lexsort((absent, -score))
    return absent[order], score[order]


def _percentile(values: Floats) -> Floats:
    return np.asarray(rankdata(values) / max(1, values.size))
