"""Rank intervals of firm risks under what is not known.

Which inputs are essential is a survey's judgement, how easily a supplier is replaced a guess, and a
synthetic network one draw of many. Each of `draws` draws sets the unknowns anew, runs every firm, and ranks
them; a firm's rank interval holds the middle share `level` of its ranks. Ranks count from 1, the riskiest;
firms with equal risk share the best of their ranks.

The draws are what the caller says is unknown: `probable` and `draw_essential` serve for the essentiality
matrix, `Replacement(power=rng.uniform(low, high))` for replaceability, and `synth_firms` with a fixed
`firms_seed` and a drawn `seed` for the links of a synthetic network.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from ronghe.kernels.cascade import Replacement
from ronghe.kernels.cascade_firms import firm_risks
from ronghe.kernels.cascade_network import Floats, Network
from ronghe.kernels.errors import KernelError

Draw = Callable[[np.random.Generator], tuple[Network, Replacement]]


@dataclass(frozen=True, slots=True)
class RiskIntervals:
    """Over the draws made, by firm: index (median, low, high), rank (median, low, high), share of draws in the top."""

    draws: int
    level: float
    top: int
    index: Floats
    index_low: Floats
    index_high: Floats
    rank: Floats
    rank_low: Floats
    rank_high: Floats
    in_top: Floats


def probable(essential: ArrayLike, doubt: float) -> Floats:
    """Probabilities of each class around a given essentiality matrix.

    Parameters
    ----------
    essential : (K, K) of 2, 1, 0. doubt : probability, 0 to 1, that a cell is not what it says; it is then one
        class away (a non-essential cell either way, with equal chances).

    Returns
    -------
    (K, K, 3) probabilities of 0, 1 and 2.

    Raises
    ------
    KernelError
        ``essential``, ``doubt``.

    Examples
    --------
    >>> probable([[2, 1], [1, 0]], 0.2).tolist()[0]
    [[0.0, 0.2, 0.8], [0.1, 0.8, 0.1]]
    """
    given = np.asarray(essential)
    if not np.isin(given, (0, 1, 2)).all():
        raise KernelError("essential", "essential must hold 2 (essential), 1 (non-essential) or 0 (irrelevant)")
    if not 0 <= doubt <= 1:
        raise KernelError("doubt", f"doubt = {doubt} must lie between 0 and 1", doubt=doubt)
    rows = np.array([[1 - doubt, doubt, 0.0], [doubt / 2, 1 - doubt, doubt / 2], [0.0, doubt, 1 - doubt]])
    result: Floats = rows[given.astype(np.int64)]
    return result


def draw_essential(rng: np.random.Generator, chances: Floats) -> NDArray[np.int8]:
    """One essentiality matrix drawn from (K, K, 3) probabilities of 0, 1 and 2, cell by cell."""
    if chances.ndim != 3 or chances.shape[2] != 3 or not np.allclose(chances.sum(axis=2), 1.0):
        raise KernelError("chances", f"chances has shape {chances.shape}; it must be (K, K, 3) and add to 1")
    steps = np.cumsum(chances, axis=2)[:, :, :2]
    drawn: NDArray[np.int8] = (rng.random(chances.shape[:2])[:, :, None] >= steps).sum(axis=2).astype(np.int8)
    return drawn


def risk_intervals(
    draw: Draw,
    draws: int,
    *,
    seed: int,
    level: float = 0.9,
    top: int = 100,
    mode: Literal["exact", "fast"] = "fast",
    demand: bool = True,
    firms: ArrayLike | None = None,
    threads: int = 2,
    progress: Callable[[int, int], bool | None] | None = None,
) -> RiskIntervals:
    """Run every firm under each draw and report intervals.

    Parameters
    ----------
    draw : takes a random generator of its own, gives the network and replacement rule of one draw; firms must be
        the same ones, in the same order, in all of them.
    draws : how many. seed : the same seed gives the same draws.
    level : share of draws an interval holds.
    top : how many firms count as the top.
    mode, demand, threads : see `firm_risks`. firms : rank these alone, None for all.
    progress : called with (draws made, draws) after each; returning False stops with the draws made.

    Raises
    ------
    KernelError
        ``draws``, ``level``, ``firms`` (numbers differ between draws).

    Examples
    --------
    >>> from ronghe.kernels.cascade_network import network
    >>> def one(rng):
    ...     e = draw_essential(rng, probable([[2, 2], [1, 1]], 0.3))
    ...     return network([0, 1], [1, 2], [5.0, 4.0], [0, 1, 1], e, final_demand=[0, 1, 30]), Replacement()
    >>> risk_intervals(one, 5, seed=1, top=1).rank_high.tolist()
    [2, 2, 1]
    """
    if draws < 1 or not 0 < level < 1:
        raise KernelError("draws", "draws must be positive and level between 0 and 1", draws=draws, level=level)
    rows: list[Floats] = []
    for number, child in enumerate(np.random.SeedSequence(seed).spawn(draws), start=1):
        net, replacement = draw(np.random.default_rng(child))
        which = np.arange(net.n_firms) if firms is None else np.unique(np.asarray(firms, dtype=np.int64))
        run = firm_risks(net, firms=which, mode=mode, demand=demand, replacement=replacement, threads=threads, check=0)
        if rows and rows[0].size != which.size:
            raise KernelError("firms", "every draw must have the same firms", now=which.size, first=rows[0].size)
        rows.append(run.index[which])
        if progress is not None and progress(number, draws) is False:
            break
    return _intervals(np.array(rows), level, top)


def _intervals(index: Floats, level: float, top: int) -> RiskIntervals:
    ranks = np.array([rankdata(-row, method="min") for row in index])
    tails = [0.5, (1 - level) / 2, (1 + level) / 2]
    middle, low, high = np.quantile(index, tails, axis=0)
    # A rank is one that was seen: no interpolation between ranks, and the ends outwards.
    rank = np.quantile(ranks, 0.5, axis=0, method="lower")
    rank_low = np.quantile(ranks, tails[1], axis=0, method="lower")
    rank_high = np.quantile(ranks, tails[2], axis=0, method="higher")
    return RiskIntervals(
        len(index), level, top, middle, low, high, rank, rank_low, rank_high, (ranks <= top).mean(axis=0)
    )
