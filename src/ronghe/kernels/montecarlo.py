"""How sure is a ranking? Every choice that reasonable people make differently, drawn many times over.

A draw picks a version of the data (imputation), a normalisation, an aggregation and a vector of weights, and
ranks all regions in all years by what comes out: a composite of all indicators, or the coordination D of the
subsystems. What is reported is never one ranking but how often each came out. Draws that share version,
normalisation and aggregation are scored together, block by block, so that 10,000 draws are some
thousand matrix products.

Papers: Saisana, Saltelli and Tarantola, Journal of the Royal Statistical Society A 168 (2005) 307-323; OECD
and JRC, Handbook on Constructing Composite Indicators (2008), ch. 7; Saltelli et al., Computer Physics
Communications 181 (2010), the estimators.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels import aggregate, normalise
from ronghe.kernels.checks import Floats, FusionError, MissingBlockError, TooFewError, WeightError, positions
from ronghe.kernels.coupling import Form, coupling_classic, coupling_modified, degree, development
from ronghe.kernels.sensitivity import Shares, sobol_shares

Normalisation = Literal["minmax", "minmax_year", "zscore", "rank"]
Aggregation = Literal["weighted_sum", "geometric", "topsis", "vikor", "grey_relation"]
Outcome = Literal["composite", "coordination"]
FACTORS = ("weights", "normalisation", "aggregation", "imputation")
# Products up to this size BLAS runs on one core. Its threads gain little on matrices as small as these and lose
# much when the cores are busy with something else.
_SERIAL_PRODUCT = 1 << 18
_LEAST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be drawn.

    `base_weights` (b, m) holds the weights that methods or people propose, each row summing to one within
    each subsystem; a draw picks a row w and then Dirichlet(concentration · w) within each subsystem, so that
    a weight w_j spreads with √(w_j (1 - w_j)/(concentration + 1)). `alpha` (g,) weighs subsystems and is
    drawn the same way. `floor` is the lowest value that geometric means see, which a zero would swallow.
    """

    base_weights: ArrayLike
    groups: ArrayLike | None = None
    alpha: ArrayLike | None = None
    concentration: float = 100.0
    normalisations: tuple[Normalisation, ...] = ("minmax", "zscore", "rank")
    aggregations: tuple[Aggregation, ...] = ("weighted_sum", "geometric", "topsis", "vikor", "grey_relation")
    outcome: Outcome = "composite"
    form: Form = "modified"
    floor: float = 0.01


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """What came out of all draws, for t years and n regions.

    `score` and `rank` (3, t, n): lower end, median and upper end of the central interval; rank 1 is best.
    `rank_share` (t, n, n): how often region i (second axis) had rank r + 1 (third). `ahead` (t, n, n): how
    often region i scored above j, ties half. `drivers`: what the spread of each region's rank comes from,
    factors in the order of `FACTORS`; None when not asked for. `draws`: how many.
    """

    score: Floats
    rank: NDArray[np.int64]
    rank_share: Floats
    ahead: Floats
    drivers: Shares | None
    draws: int


class _Sample(NamedTuple):
    """Draws: weights (d, m) within subsystems, alpha (d, g), and indices of what else was picked."""

    weights: Floats
    alpha: Floats
    normalisation: NDArray[np.int64]
    aggregation: NDArray[np.int64]
    version: NDArray[np.int64]

    def part(self, start: int, stop: int) -> "_Sample":
        cut = slice(start, stop)
        return _Sample(
            self.weights[cut],
            self.alpha[cut],
            self.normalisation[cut],
            self.aggregation[cut],
            self.version[cut],
        )


def simulate(
    versions: Sequence[ArrayLike],
    choices: Choices,
    *,
    draws: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    sensitivity: int = 1_000,
) -> MonteCarlo:
    """Rank intervals, chances of being ahead, and what drives the spread.

    Args:
        versions: panels (t, n, m) without gaps, more is better (see `normalise.orient`), one for each way
            the gaps were filled; the same shape all.
        choices: what may be drawn.
        draws: number of draws.
        seed: the same seed, input and platform give the same bytes.
        level: share of draws inside the intervals.
        sensitivity: base sample of the Sobol shares, at most half the draws; four more draws each. 0 leaves
            them out.

    Raises:
        TooFewError: one region. WeightError: base weights that don't sum to one within subsystems.
        MissingBlockError: a gap left. ConstantIndicatorError: an indicator equal everywhere.
        FusionError: an unknown choice, or nothing to choose from.

    >>> X = np.random.default_rng(1).random((2, 5, 4))
    >>> found = simulate([X], Choices(base_weights=[[0.25] * 4]), draws=200, sensitivity=50)
    >>> found.rank.shape, bool((found.ahead + found.ahead.swapaxes(1, 2))[:, 0, 1].all() == 1.0)
    ((3, 2, 5), True)
    """
    asked = {"draws": draws, "level": level, "sensitivity": sensitivity}
    if draws < 1 or not 0 < level < 1 or not 0 <= sensitivity <= draws // 2:
        raise FusionError(
            "needs draws, a level in (0, 1), a base sample of at most half the draws", code="draws", **asked
        )
    plan = _Plan.of(_panels(versions), choices)
    sample = plan.sample(np.random.default_rng(seed), draws)
    t, n = plan.shape
    scores = np.empty((draws, t, n), dtype=np.float32)
    ranks = np.empty((draws, t, n), dtype=np.int32)
    ahead = np.zeros((t, n, n), dtype=np.int64)
    plan.run(sample, ranks, ahead, scores)
    share = _rank_share(ranks)
    tails = ((1 - level) / 2, 0.5, (1 + level) / 2)
    score = np.quantile(scores, tails, axis=0, overwrite_input=True).astype(np.float64)
    drivers = _drivers(plan, sample, ranks, sensitivity) if sensitivity else None
    chance = ahead / (2.0 * draws)
    return MonteCarlo(score, _rank_quantiles(share, tails), share, chance, drivers, draws)


def rank_draws(scores: ArrayLike) -> tuple[NDArray[np.int32], Floats]:
    """Ranks of scored draws and how often each region was ahead of each other.

    Args:
        scores: (d, t, n) scores of d draws, t years, n regions; more is better.

    Returns:
        Ranks (d, t, n), 1 the best and ties sharing the better rank; `ahead` (t, n, n) as in `MonteCarlo`.

    Raises:
        FusionError: another shape, or a score that is not a number.

    >>> ranks, ahead = rank_draws([[[0.3, 0.9, 0.3]], [[0.5, 0.2, 0.1]]])
    >>> ranks[:, 0].tolist(), ahead[0, 0].tolist()
    ([[2, 1, 2], [1, 2, 3]], [0.5, 0.5, 0.75])
    """
    values = np.ascontiguousarray(scores, dtype=np.float64)
    if values.ndim != 3 or values.size == 0 or np.isnan(values).any():
        raise FusionError("scores are numbers (draws, years, regions)", code="shape", shape=values.shape)
    draws, t, n = values.shape
    ranks = np.empty((draws, t, n), dtype=np.int32)
    ahead = np.zeros((t, n, n), dtype=np.int64)
    _compare(values, np.arange(draws), ranks, ahead)
    return ranks, ahead / (2.0 * draws)


def clearly_ahead(ahead: ArrayLike, *, level: float = 0.95) -> NDArray[np.bool_]:
    """Where i is ahead of j in at least `level` of the draws; anything else between them is noise.

    >>> clearly_ahead([[0.5, 0.99], [0.01, 0.5]]).tolist()
    [[False, True], [False, False]]
    """
    return np.asarray(np.asarray(ahead, dtype=np.float64) >= level, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Checked choices and every normalised version of the data, ready to be scored."""

    choices: Choices
    base: Floats
    member: Floats
    alpha: Floats
    scaled: dict[tuple[int, int], Floats]
    shape: tuple[int, int]
    n_versions: int

    @staticmethod
    def of(panels: list[Floats], choices: Choices) -> "_Plan":
        t, n, m = panels[0].shape
        groups = np.zeros(m, dtype=np.int64) if choices.groups is None else np.asarray(choices.groups)
        g = int(groups.max(initial=0)) + 1
        if groups.shape != (m,) or not np.array_equal(np.unique(groups), np.arange(g)):
            raise FusionError("groups number the subsystems 0, 1, … without a gap", code="groups", shape=groups.shape)
        if choices.outcome not in ("composite", "coordination") or (choices.outcome == "coordination" and g < 2):
            raise FusionError(
                "outcome is 'composite', or 'coordination' of two subsystems or more", code="option", groups=g
            )
        if not (choices.normalisations and choices.aggregations and choices.concentration > 0):
            raise FusionError("needs a normalisation, an aggregation and a concentration above zero", code="option")
        unknown = set(choices.aggregations) - set(_SCORES)
        if unknown:
            raise FusionError("unknown aggregation", code="option", unknown=tuple(sorted(unknown)))
        member = np.asarray(groups[:, None] == np.arange(g), dtype=np.float64)
        base = np.atleast_2d(np.asarray(choices.base_weights, dtype=np.float64))
        alpha = np.full(g, 1.0 / g) if choices.alpha is None else np.asarray(choices.alpha, dtype=np.float64)
        _check(base, member, alpha)
        scaled = {
            (v, k): _normalised(panel, name).reshape(t * n, m)
            for v, panel in enumerate(panels)
            for k, name in enumerate(choices.normalisations)
        }
        return _Plan(choices, base, member, alpha, scaled, (t, n), len(panels))

    def sample(self, rng: np.random.Generator, draws: int) -> _Sample:
        picked = self.base[rng.integers(len(self.base), size=draws)]
        raw = rng.standard_gamma(self.choices.concentration * picked)
        weights = raw / ((raw @ self.member) @ self.member.T)
        alpha = rng.standard_gamma(self.choices.concentration * np.tile(self.alpha, (draws, 1)))
        return _Sample(
            weights,
            alpha / alpha.sum(axis=1, keepdims=True),
            rng.integers(len(self.choices.normalisations), size=draws),
            rng.integers(len(self.choices.aggregations), size=draws),
            rng.integers(self.n_versions, size=draws),
        )

    def run(
        self,
        sample: _Sample,
        ranks: NDArray[np.int32],
        ahead: NDArray[np.int64],
        scores: NDArray[np.float32] | None = None,
    ) -> None:
        """Score and rank every draw; counts of being ahead are added to `ahead` in halves."""
        for rows in self._blocks(sample):
            block = self._score(sample, rows).reshape(len(rows), *self.shape)
            if scores is not None:
                scores[rows] = block
            _compare(block, rows, ranks, ahead)

    def _blocks(self, sample: _Sample) -> Iterator[NDArray[np.int64]]:
        k, a = len(self.choices.normalisations), len(self.choices.aggregations)
        code = (sample.version * k + sample.normalisation) * a + sample.aggregation
        order = np.argsort(code, kind="stable")
        cuts = np.flatnonzero(np.diff(code[order])) + 1
        size = max(_LEAST_ROWS, _SERIAL_PRODUCT // next(iter(self.scaled.values())).size)
        for same in np.split(order, cuts):
            for start in range(0, len(same), size):
                yield np.asarray(same[start : start + size], dtype=np.int64)

    def _score(self, sample: _Sample, rows: NDArray[np.int64]) -> Floats:
        first = rows[0]
        Z = self.scaled[int(sample.version[first]), int(sample.normalisation[first])]
        name = self.choices.aggregations[int(sample.aggregation[first])]
        if name == "geometric":
            Z = np.maximum(Z, self.choices.floor)
        weights, alpha = sample.weights[rows], sample.alpha[rows]
        if self.choices.outcome == "composite":
            return _SCORES[name](Z, weights * (alpha @ self.member.T))
        levels = np.empty((alpha.shape[1], len(rows), len(Z)))
        for g, level in enumerate(levels):
            own = self.member[:, g] > 0
            np.clip(_SCORES[name](Z[:, own], weights[:, own]), 0.0, 1.0, out=level)
        U = np.moveaxis(levels, 0, -1)
        C = coupling_classic(U) if self.choices.form == "classic" else coupling_modified(U)
        return degree(C, development(U, alpha[:, None, :]))


def _vikor(Z: Floats, W: Floats) -> Floats:
    return 1.0 - aggregate.vikor(Z, W).Q


_SCORES = {
    "weighted_sum": aggregate.weighted_sum,
    "geometric": aggregate.geometric,
    "topsis": aggregate.topsis,
    "vikor": _vikor,
    "grey_relation": aggregate.grey_relation,
}


def _drivers(plan: _Plan, sample: _Sample, ranks: NDArray[np.int32], size: int) -> Shares:
    A, B = sample.part(0, size), sample.part(size, 2 * size)
    swaps = (
        A._replace(weights=B.weights, alpha=B.alpha),
        A._replace(normalisation=B.normalisation),
        A._replace(aggregation=B.aggregation),
        A._replace(version=B.version),
    )
    t, n = plan.shape
    mixed = np.empty((len(swaps), size, t, n), dtype=np.int32)
    unused = np.zeros((t, n, n), dtype=np.int64)
    for swapped, out in zip(swaps, mixed, strict=True):
        plan.run(swapped, out, unused)
    return sobol_shares(ranks[:size], ranks[size : 2 * size], mixed)


@njit(nogil=True, cache=True)
def _compare(block: Floats, rows: NDArray[np.int64], ranks: NDArray[np.int32], ahead: NDArray[np.int64]) -> None:
    """Rank = 1 + regions strictly above; `ahead` counts 2 for above and 1 for level."""
    draws, t, n = block.shape
    for d in range(draws):
        for s in range(t):
            for i in range(n):
                mine, above = block[d, s, i], 0
                for j in range(n):
                    other = block[d, s, j]
                    above += other > mine
                    ahead[s, i, j] += np.int64(mine > other) + np.int64(mine >= other)
                ranks[rows[d], s, i] = 1 + above


def _rank_share(ranks: NDArray[np.int32]) -> Floats:
    draws, t, n = ranks.shape
    cell = np.arange(t * n).reshape(t, n) * n - 1
    count = np.bincount((ranks + cell).ravel(), minlength=t * n * n)
    return np.asarray(count.reshape(t, n, n) / draws, dtype=np.float64)


def _rank_quantiles(share: Floats, tails: Sequence[float]) -> NDArray[np.int64]:
    reached = np.cumsum(share, axis=2)
    return np.array([1 + (reached < q - 1e-12).sum(axis=2) for q in tails], dtype=np.int64)


def _normalised(panel: Floats, name: str) -> Floats:
    if name == "minmax":
        return normalise.minmax(panel)
    if name == "minmax_year":
        return normalise.minmax(panel, bounds="year")
    if name == "zscore":
        return normalise.normal_score(panel)
    if name == "rank":
        return normalise.rank_score(panel)
    raise FusionError(f"unknown normalisation {name!r}", code="option", unknown=(name,))


def _panels(versions: Sequence[ArrayLike]) -> list[Floats]:
    panels = [np.asarray(v, dtype=np.float64) for v in versions]
    if not panels or panels[0].ndim != 3 or any(p.shape != panels[0].shape for p in panels):
        raise FusionError(
            "versions are panels (t, n, m) of one shape", code="shape", shapes=tuple(p.shape for p in panels)
        )
    if panels[0].shape[1] < 2:
        raise TooFewError("a ranking needs two regions", what="regions", found=panels[0].shape[1], needed=2)
    for panel in panels:
        gaps = ~np.isfinite(panel)
        if gaps.any():
            raise MissingBlockError(
                "a version still has gaps",
                indicators=positions(gaps.any(axis=(0, 1))),
                regions=positions(gaps.any(axis=(0, 2))),
            )
    return panels


def _check(base: Floats, member: Floats, alpha: Floats) -> None:
    m, g = member.shape
    if base.ndim != 2 or base.shape[1] != m or alpha.shape != (g,):
        raise WeightError(f"needs {m} weights a row and {g} subsystem weights", rows=(), sums=())
    sums = np.column_stack([base @ member, np.full(len(base), alpha.sum())])
    wrong = (np.abs(sums - 1.0) > 1e-9).any(axis=1) | (base < 0).any(axis=1) | (alpha < 0).any()
    if wrong.any():
        raise WeightError(
            "weights are negative or don't sum to one within a subsystem",
            rows=positions(wrong)[:20],
            sums=tuple(float(s) for s in sums[wrong].ravel()[:20]),
        )
