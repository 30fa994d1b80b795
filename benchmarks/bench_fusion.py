"""Fusion at full size (31 regions x 14 years x 24 indicators, 10,000 draws), side by side with pymcdm, in one run.

    python benchmarks/bench_fusion.py [--regions 31] [--years 14] [--indicators 24] [--draws 10000] [--peer-draws 100]

The panel is synthetic and seeded: heavy-tailed levels that grow, one common factor. Three parts:
1. The same draws of weights and method (weighted sum, TOPSIS, VIKOR), scores and yearly ranks, once with our kernels
   and once in a loop over pymcdm; over the panel at once (one call a draw) and year by year (one call a draw and
   year). The loop runs over the first --peer-draws draws and is scaled up; scores and ranks are compared on them.
   pymcdm is timed as documented (it normalises in every call) and lean (normalised before, identity passed).
2. The Monte Carlo itself, with all normalisations and aggregations, rank intervals, pairs and Sobol shares.
3. Every other kernel of the measurement, once.
Wall and processor seconds are both printed: the first is what a user waits, the second holds on a busy machine.
"""

import argparse
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from ronghe.kernels import (
    aggregate,
    convergence,
    coupling,
    dea,
    decoupling,
    density,
    inequality,
    markov,
    missing,
    normalise,
    obstacle,
    peers,
    spatial,
    weights,
)
from ronghe.kernels.montecarlo import Choices, rank_draws, simulate

SERIAL_PRODUCT = 1 << 18  # as the simulation does: BLAS stays on one core


def timed(work: Callable[[], object], rounds: int = 3) -> tuple[float, float, object]:
    """Best wall and processor seconds of some rounds, and the result."""
    best: list[tuple[float, float]] = []
    result: object = None
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        best.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(b[0] for b in best), min(b[1] for b in best), result


def make(years: int, regions: int, indicators: int) -> np.ndarray:
    rng = np.random.default_rng(2024)
    common = rng.normal(0, 1, (regions, 1))
    growth = np.arange(years)[:, None, None] * rng.normal(0.06, 0.02, indicators)
    return np.exp(0.7 * common + rng.normal(0, 0.5, (regions, indicators)) + growth) * rng.lognormal(
        0, 0.1, (years, regions, indicators)
    )


OURS = {
    "WSM": aggregate.weighted_sum,
    "TOPSIS": aggregate.topsis,
    "VIKOR": lambda Z, W: -aggregate.vikor(Z, W).Q,
}


def ours(Z: list[np.ndarray], W: np.ndarray, method: np.ndarray, years: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and yearly ranks of all draws; Z holds the panel stacked, or one matrix a year."""
    scores = np.empty((len(W), sum(len(z) for z in Z)))
    block = max(8, SERIAL_PRODUCT // Z[0].size)
    for k, score in enumerate(OURS.values()):
        rows = np.flatnonzero(method == k)
        for start in range(0, len(rows), block):
            some = rows[start : start + block]
            scores[some] = np.concatenate([score(z, W[some]) for z in Z], axis=1)
    return scores, rank_draws(scores.reshape(len(W), years, -1))[0]


def _as_it_is(x: np.ndarray, cost: bool = False) -> np.ndarray:  # noqa: ARG001 - the peer's signature
    return x


def theirs(
    X: list[np.ndarray], W: np.ndarray, method: np.ndarray, years: int, *, lean: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The same in a loop over pymcdm."""
    from pymcdm.helpers import rankdata
    from pymcdm.methods import TOPSIS, VIKOR, WSM
    from pymcdm.normalizations import minmax_normalization

    norm = _as_it_is if lean else minmax_normalization
    methods = (WSM(norm), TOPSIS(norm), VIKOR())
    types = np.ones(W.shape[1], dtype=int)
    scores, ranks = [], []
    for w, k in zip(W, method, strict=True):
        score = np.concatenate([methods[k](x, w, types) for x in X])
        score = -score if k == 2 else score
        scores.append(score)
        ranks.append([rankdata(-s) for s in score.reshape(years, -1)])
    return np.array(scores), np.array(ranks)


def against_pymcdm(X: np.ndarray, draws: int, peer_draws: int) -> None:
    years, _, m = X.shape
    rng = np.random.default_rng(1)
    W, method = rng.dirichlet(np.full(m, 4.0), size=draws), rng.integers(len(OURS), size=draws)
    subset, scale = slice(0, peer_draws), draws / peer_draws
    stacked = [X.reshape(-1, m)]
    for name, raw in (("panel at once", stacked), ("year by year", list(X))):
        Z = [normalise.minmax(x) for x in raw]
        our_wall, our_cpu, mine = timed(lambda Z=Z: ours(Z, W, method, years))
        print(f"\n{draws} draws, {name}: scores and yearly ranks by WSM, TOPSIS, VIKOR")
        print(f"  ours                    {our_wall:9.3f} s wall {our_cpu:9.3f} s processor")
        for label, lean in (("pymcdm", False), ("pymcdm, lean", True)):
            data = Z if lean else raw
            wall, cpu, other = timed(lambda d=data, e=lean: theirs(d, W[subset], method[subset], years, lean=e), 1)
            error = np.abs(mine[0][subset] - other[0]).max()
            equal = np.mean(mine[1][subset] == other[1])
            print(
                f"  {label:<14} (scaled) {wall * scale:9.1f} s wall {cpu * scale:9.1f} s processor   "
                f"ratio {wall * scale / our_wall:6.0f}x wall {cpu * scale / our_cpu:6.0f}x processor   "
                f"largest difference {error:.1e}, ranks equal {equal:.2%}"
            )
        for k, label in enumerate(OURS):
            some = np.flatnonzero(method == k)
            few = some[: max(1, peer_draws // 3)]
            _, our_cpu, _ = timed(lambda Z=Z, s=some, k=k: ours(Z, W[s], np.full(len(s), k), years))
            _, cpu, _ = timed(lambda r=raw, f=few, k=k: theirs(r, W[f], np.full(len(f), k), years, lean=False), 1)
            each, peer = our_cpu / len(some), cpu / len(few)
            print(
                f"  {label:<8} {each * 1e6:9.1f} µs a draw, pymcdm {peer * 1e6:9.1f} µs: {peer / each:6.0f}x processor"
            )


def monte_carlo(X: np.ndarray, draws: int) -> tuple[float, float]:
    _, _, m = X.shape
    groups = np.arange(m) * 2 // m
    Z = normalise.minmax(X)
    base = np.zeros((3, m))
    for g in (0, 1):
        own = groups == g
        base[0, own] = weights.equal_weights(int(own.sum()))
        base[1, own] = weights.entropy_weights(Z[:, :, own])
        base[2, own] = weights.critic_weights(Z[:, :, own])
    gaps = np.where(np.random.default_rng(3).random(X.shape) < 0.03, np.nan, X)
    modelled = missing.impute(gaps, "model")
    versions = [X, *np.maximum(missing.imputed_draws(modelled, 3), 0)]
    everything = Choices(
        base,
        groups,
        normalisations=("minmax", "minmax_year", "zscore", "rank"),
        aggregations=("weighted_sum", "geometric", "topsis", "vikor", "grey_relation"),
    )
    total = [0.0, 0.0]
    print(f"\nMonte Carlo, {draws} draws, 4 versions x 4 normalisations x 5 aggregations x weights")
    for outcome in ("composite", "coordination"):
        choices = replace(everything, outcome=outcome)
        simulate(versions, choices, draws=100, sensitivity=0)
        for size in (0, 1000):
            wall, cpu, _ = timed(lambda c=choices, s=size: simulate(versions, c, draws=draws, sensitivity=s))
            share = f"and {4 * size} more for Sobol shares" if size else "without Sobol shares"
            print(f"  {outcome:<13} {share:<32} {wall:7.3f} s wall {cpu:7.3f} s processor")
        total = [total[0] + wall, total[1] + cpu]
    return total[0], total[1]


def everything_else(X: np.ndarray) -> tuple[float, float]:
    _, regions, m = X.shape
    rng = np.random.default_rng(7)
    groups = np.arange(m) * 2 // m
    w = np.where(groups == 0, 1 / (groups == 0).sum(), 1 / (groups == 1).sum())
    Z = normalise.minmax(X)
    U = np.array([obstacle.subsystem_levels(z, w, groups) for z in Z])
    D = coupling.coordination(U).D
    ring = spatial.row_standardise(spatial.contiguity(regions, [(i, (i + 1) % regions) for i in range(regions)]))
    gaps = np.where(rng.random(X.shape) < 0.03, np.nan, X)
    four = np.arange(regions) % 4
    inputs, outputs = X[:, :, :3], X[:, :, 3:5]
    cut = markov.quantile_cutoffs(D, 4)

    def frontier() -> None:
        for x, y in zip(inputs, outputs, strict=True):
            for returns in ("crs", "vrs"):
                dea.radial(x, y, returns=returns)
                dea.radial(x, y, returns=returns, super_efficiency=True)
            dea.sbm(x, y, super_efficiency=True)

    def chains() -> None:
        states, near = markov.classify(D, cut), markov.classify(spatial.lag(ring, D), cut)
        found = markov.spatial_markov(states, near, 4, 4)
        markov.ergodic(found.pooled.P)
        markov.homogeneity(found.counts)

    works: dict[str, Callable[[], object]] = {
        "normalise (5 ways)": lambda: [
            f(X)
            for f in (
                normalise.minmax,
                normalise.zscore,
                normalise.vector,
                normalise.rank_score,
                normalise.normal_score,
            )
        ],
        "weights (entropy, CRITIC, PCA, game)": lambda: weights.game_combination(
            [weights.entropy_weights(Z), weights.critic_weights(Z), weights.pca_weights(Z)]
        ),
        "coupling coordination, both forms": lambda: [
            coupling.coordination(U, form=f) for f in ("classic", "modified")
        ],
        "obstacles and marginal effects": lambda: [
            (obstacle.obstacle_degree(z, w, groups), obstacle.marginal_effect(z, w, groups)) for z in Z
        ],
        "sigma, beta (section, panel)": lambda: (
            convergence.sigma(D),
            convergence.beta_cross_section(D),
            convergence.beta_panel(D),
        ),
        "Dagum and Theil, each year": lambda: [(inequality.dagum(d, four), inequality.theil(d, four)) for d in D],
        "kernel densities": lambda: density.kernel_density(D, support=(0.0, 1.0)),
        "Markov, spatial Markov, tests": chains,
        "Moran global and local, 999 permutations, each year": lambda: [
            (spatial.moran(d, ring), spatial.local_moran(d, ring)) for d in D
        ],
        "Tapio": lambda: decoupling.tapio(X[:, :, 0], X[:, :, 1]),
        "imputation (carry, linear, model)": lambda: [missing.impute(gaps, k) for k in ("carry", "linear", "model")],
        "peers": lambda: peers.nearest_peers(X.mean(axis=0)[:, :6]),
        "DEA: CCR, BCC, super, SBM, super-SBM, each year": frontier,
        "Malmquist": lambda: dea.malmquist(inputs, outputs),
    }
    print("\nEvery other kernel, once")
    total = [0.0, 0.0]
    for name, work in works.items():
        wall, cpu, _ = timed(work)
        total = [total[0] + wall, total[1] + cpu]
        print(f"  {name:<54} {wall * 1e3:9.1f} ms wall {cpu * 1e3:9.1f} ms processor")
    return total[0], total[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("regions", 31), ("years", 14), ("indicators", 24), ("draws", 10_000), ("peer-draws", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # the peer's own
    print(f"Python {platform.python_version()}, numpy {np.__version__}, pymcdm {version('pymcdm')}")
    print(f"{asked.regions} regions x {asked.years} years x {asked.indicators} indicators")
    X = make(asked.years, asked.regions, asked.indicators)
    against_pymcdm(X, asked.draws, asked.peer_draws)
    draws = monte_carlo(X, asked.draws)
    rest = everything_else(X)
    print(f"\nall methods with {asked.draws} draws, composite and coordination:", end=" ")
    print(f"{draws[0] + rest[0]:.2f} s wall, {draws[1] + rest[1]:.2f} s processor")


if __name__ == "__main__":
    main()
