"""Every firm's cascade on synthetic networks: time, memory, links touched, and how near the machine's limit.

    python benchmarks/bench_cascade.py                 N = 10,000 and 50,000
    python benchmarks/bench_cascade.py --national      and 243,399, the size of Hungary's network

The network is drawn by `synth_firms` from an input-output table: a .npz file with Z, x and f where one is named
(--table), else a drawn table of 150 sectors. Inputs among the first 70 % of sectors (goods) are essential, all
others non-essential, as in the generalised Leontief case of Diem et al. 2022.

The field's C++ kernel is not installable here. Its times are the published ones: 238 ms a firm at N = 10,000;
and, from the comparison of the same code with ESRIcascade.jl in the draft paper of that package (Devetak & Klimek
2026; tolerance 1e-2, 12 threads of another machine), 47.17 s and 8.29 s at N = 10,000, 1,362.74 s and 208.85 s at
N = 50,000, 6,602.74 s and 1,016.20 s at N = 100,000. Ratios to them are ratios to published numbers, not a run
side by side.
"""

import argparse
import platform
import resource
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from numba import njit

from ronghe.kernels.cascade_firms import EXACT_EPS, FirmRisks, Progress, firm_risks
from ronghe.kernels.cascade_network import Network, network
from ronghe.kernels.cascade_worker import ROUNDING
from ronghe.kernels.synth_firms import synth_firms

NATIONAL, LINKS_A_FIRM = 243_399, 1_104_141 / 243_399
PUBLISHED = {10_000: (0.238 * 10_000, 47.17, 8.29), 50_000: (float("nan"), 1362.74, 208.85)}


@njit(fastmath=True)
def gather(table: np.ndarray, index: np.ndarray) -> float:
    total = 0.0
    for e in range(index.size):
        total += table[index[e], 0]
    return total


def random_read(n: int, reads: int = 4_000_000) -> float:
    """Seconds a random read of a 32-byte row takes, n rows; the best of five."""
    table = np.random.default_rng(1).random((n, 4))
    index = np.random.default_rng(2).integers(0, n, reads).astype(np.int32)
    gather(table, index)
    best = np.inf
    for _ in range(5):
        begin = time.perf_counter()
        gather(table, index)
        best = min(best, time.perf_counter() - begin)
    return best / reads


def table(path: Path | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if path is not None:
        with np.load(path) as file:
            return file["Z"], file["x"], file["f"]
    rng = np.random.default_rng(7)
    k = 150
    Z = rng.lognormal(0, 2.5, (k, k)) * rng.lognormal(0, 1, k)[:, None]
    f = Z.sum(axis=1) * rng.uniform(0.2, 2.0, k)
    return Z, Z.sum(axis=1) + f, f


def build(n: int, path: Path | None) -> Network:
    Z, x, f = table(path)
    begin = time.perf_counter()
    firms = synth_firms(Z, x, f, n, round(n * LINKS_A_FIRM), seed=1)
    drawn = time.perf_counter() - begin
    goods = np.arange(x.size) < 0.7 * x.size
    e = np.where(goods[:, None] & goods[None, :], 2, 1)
    begin = time.perf_counter()
    net = network(firms.supplier, firms.customer, firms.value, firms.sector, e, final_demand=firms.final_demand)
    d = firms.diagnostics
    print(
        f"\nN = {n:,}, {net.n_links:,} links, {x.size} sectors: drawn in {drawn:.2f} s, laid out in "
        f"{time.perf_counter() - begin:.2f} s"
    )
    print(
        f"  flow error {d.flow_error:.1e}; tail exponents: sales {d.sales_tail.exponent:.2f}, customers "
        f"{d.customers_tail.exponent:.2f}, suppliers {d.suppliers_tail.exponent:.2f}"
    )
    return net


def follow(n: int):
    """Prints progress now and then, and checks the estimate of time left against what it turned out to be."""
    told: list[Progress] = []

    def progress(now: Progress) -> None:
        if told and now.done * 10 // now.total == told[-1].done * 10 // now.total:
            return
        told.append(now)
        if n > 100_000:
            print(
                f"    {now.done / now.total:5.1%} {now.seconds:7.0f} s, left {now.left:6.0f} s "
                f"({now.left_low:.0f}-{now.left_high:.0f})",
                flush=True,
            )

    return told, progress


def run(net: Network, mode: str) -> tuple[FirmRisks, float]:
    told, progress = follow(net.n_firms)
    cpu, begin = time.process_time(), time.perf_counter()
    done = firm_risks(net, mode=mode, check=0, progress=progress)
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    n, m = net.n_firms, net.n_links
    touched = int(done.pushed.sum() + done.swept.sum())
    single = done.index < (EXACT_EPS / ROUNDING if mode == "exact" else np.inf)
    lanes = np.where(single, 16, 8)
    reads = done.pushed.sum() + (done.swept / lanes).sum()
    limit = random_read(n)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"  {mode}: {wall:.2f} s wall, {cpu:.2f} s processor, {wall / n * 1e3:.4f} ms a firm, peak {peak:.2f} GB, "
        f"at rest {done.rested.all()}"
    )
    print(
        f"    links touched {touched:.3e} ({done.pushed.mean() / m:.3f} m pushed, {done.swept.mean() / m:.2f} m "
        f"swept a firm; {np.mean(done.swept > 0):.1%} of firms heavy; the heaviest tenth does "
        f"{share_of_top_tenth(done):.0%})"
    )
    print(
        f"    random reads {reads:.3e}, {limit * 1e9:.2f} ns each: limit {reads * limit:.2f} s processor, "
        f"{cpu / (reads * limit):.1f} x of it"
    )
    for name, other in zip(("C++ 2022", "C++ 2026", "Julia 2026"), PUBLISHED.get(n, ()), strict=False):
        if np.isfinite(other):
            print(f"    {other / wall:,.0f} x the published {name} ({other / n * 1e3:.2f} ms a firm)")
    if len(told) > 2:
        early = told[1]
        print(
            f"    at {early.done / early.total:.0%} the time left was put at {early.left:.2f} s "
            f"({early.left_low:.2f}-{early.left_high:.2f}); it was {wall - early.seconds:.2f} s"
        )
    return done, wall


def share_of_top_tenth(done: FirmRisks) -> float:
    work = np.sort(done.pushed + done.swept)[::-1]
    return float(work[: work.size // 10].sum() / max(1, work.sum()))


def shape(done: FirmRisks) -> None:
    index = np.sort(done.index)[::-1]
    print(
        f"  index: largest {index[0]:.3f}, median {np.median(index):.1e}, {np.mean(index < 0.01):.2%} of firms "
        f"under 1 %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="All-firms cascade benchmark")
    parser.add_argument("--national", action="store_true")
    parser.add_argument("--only", type=int, help="this N alone")
    parser.add_argument("--table", type=Path, help=".npz with Z, x, f")
    chosen = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, two threads")
    tiny = build(600, chosen.table)
    for mode in ("exact", "fast"):
        firm_risks(tiny, mode=mode, check=1)  # compile before the clock starts
    sizes = [chosen.only] if chosen.only else [10_000, 50_000] + ([NATIONAL] if chosen.national else [])
    walls: dict[int, tuple[float, float]] = {}
    for n in sizes:
        net = build(n, chosen.table)
        exact, slow = run(net, "exact")
        fast, quick = run(net, "fast")
        worst = float(np.max(np.abs(fast.index - exact.index)))
        print(f"  fast: {slow / quick:.1f} x faster, largest difference from exact {worst:.1e} over all firms")
        shape(exact)
        walls[n] = slow, quick
    known = sorted(walls)
    for a, b in pairwise(known):
        powers = [np.log(walls[b][i] / walls[a][i]) / np.log(b / a) for i in (0, 1)]
        print(f"\nfrom N = {a:,} to {b:,} time grows as N**{powers[0]:.2f} (exact), N**{powers[1]:.2f} (fast)")


if __name__ == "__main__":
    main()
