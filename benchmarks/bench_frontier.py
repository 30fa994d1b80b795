"""Disruption against cdindex, and complexity against ecomplexity, side by side in one run.

    python benchmarks/bench_frontier.py [--works 1000000] [--references 12] [--large 0]
                                        [--places 230] [--activities 5000] [--years 25] [--repeat 3]

Citations are synthetic and seeded: 50 years growing by 4 % a year, half the references near in time, half copied from
the references of other works, so that a few works are cited by very many; works are numbered at random. Every
contestant runs in a process of its own and starts from the same arrays on disk; building its graph is included; peak
memory is the process's own high-water mark. Values are compared. --large N also runs N works alone.

The limit: a focal work must read one place in memory per reference and one mark per two-hop citer. Both rates are
measured here, with as many threads, on arrays of the same size.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numba import njit

WINDOW = 5


def peak_mb() -> float:
    """High-water mark of this process's memory, MB (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no high-water mark here: Linux is needed")


@njit
def cite(n, mean, seed):
    """References of works numbered by date: half near in time, half copied from another work's references."""
    np.random.seed(seed)
    start = np.zeros(n + 1, np.int64)
    refs = np.empty(int(n * mean * 1.15) + 1000, np.int32)
    for s in range(n):
        wanted = min(int(np.random.exponential(mean) + 0.75), 200)
        end = start[s]
        for _ in range(wanted):
            if s == 0 or end == refs.size:
                break
            near = s - 1 - int(min(np.random.exponential(0.15), 0.999) * s)
            near = max(near, 0)
            if np.random.random() < 0.5 and start[near + 1] > start[near]:
                near = refs[np.random.randint(start[near], start[near + 1])]
            fresh = True
            for e in range(start[s], end):
                fresh = fresh and refs[e] != near
            if fresh:
                refs[end] = near
                end += 1
        start[s + 1] = end
    return start, refs[: start[n]]


@njit
def renamed(start, refs, order, name):
    target = np.empty_like(refs)
    out = 0
    for s in order:
        for e in range(start[s], start[s + 1]):
            target[out] = name[refs[e]]
            out += 1
    return target


def make_citations(folder, works, references):
    start, refs = cite(works, references * 0.98, 7)
    growth = 1.04 ** np.arange(50)
    year = (1975 + np.searchsorted(np.cumsum(growth) / growth.sum(), (np.arange(works) + 0.5) / works)).astype(np.int64)
    rng = np.random.default_rng(8)
    name = rng.permutation(works).astype(np.int32)
    order = np.argsort(name)  # works come in the order of their names, each with its references together
    np.save(folder / "source.npy", np.repeat(np.arange(works, dtype=np.int32), np.diff(start)[order]))
    np.save(folder / "target.npy", renamed(start, refs, order, name))
    np.save(folder / "date.npy", year[order])


def ours_disruption(folder, repeat):
    from ronghe.kernels.citations import citation_graph
    from ronghe.kernels.disruption import disruption

    source, target, date = (np.load(folder / f"{part}.npy") for part in ("source", "target", "date"))
    disruption(citation_graph(source[:1] * 0 + 1, target[:1] * 0, date[:2]), WINDOW)  # compile
    before, best = peak_mb(), None
    for _ in range(repeat):
        t0 = time.perf_counter()
        graph = citation_graph(source, target, date)
        t1 = time.perf_counter()
        found = disruption(graph, WINDOW)
        t2 = time.perf_counter()
        if best is None or t2 - t0 < best["seconds"]:
            best = {"seconds": t2 - t0, "build": t1 - t0, "count": t2 - t1}
    np.save(folder / "ours.npy", np.vstack([found.cd, found.mcd]))
    best |= {"peak": peak_mb(), "inputs": before, "report": str(graph.report)}
    return best | limits(graph)


def peer_disruption(folder, _):
    import cdindex

    source, target, date = (np.load(folder / f"{part}.npy").tolist() for part in ("source", "target", "date"))
    before = peak_mb()
    t0 = time.perf_counter()
    graph = cdindex.Graph()
    for work, when in enumerate(date):
        graph.add_vertex(work, when)
    for s, t in zip(source, target, strict=True):
        graph.add_edge(s, t)
    t1 = time.perf_counter()
    values = [graph.cdindex(work, WINDOW) for work in range(len(date))]
    t2 = time.perf_counter()
    np.save(folder / "peer.npy", np.array(values, dtype=float))
    return {"seconds": t2 - t0, "build": t1 - t0, "count": t2 - t1, "peak": peak_mb(), "inputs": before}


@njit(nogil=True)
def two_hop(date, last, row, later, citers):
    entries = 0
    for f in range(date.size):
        for e in range(row[f], row[f + 1]):
            p = later[e]
            while citers[p] < last[f]:
                entries += 1
                p += 1
    return entries


@njit(nogil=True)
def gather(values, places):
    total = 0
    for place in places:
        total += values[place]
    return total


def reads_per_second(size):
    """Independent random reads of int32 from an array of this size, all threads together."""
    threads = os.cpu_count() or 1
    values = np.ones(size, np.int32)
    places = [np.random.default_rng(i).integers(0, size, 8_000_000).astype(np.int32) for i in range(threads)]
    gather(values, places[0][:10])
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(3):
            t0 = time.perf_counter()
            list(pool.map(lambda place: gather(values, place), places))
            best = max(best, threads * 8_000_000 / (time.perf_counter() - t0))
    return best


def limits(graph):
    last = np.searchsorted(graph.date, graph.date + WINDOW, side="right")
    entries = two_hop(graph.date, last, graph.row, graph.later, graph.citers)
    far, near = reads_per_second(graph.citers.size), reads_per_second(graph.date.size)
    kept = graph.report.kept
    return {"entries": entries, "kept": kept, "far": far, "near": near, "limit": kept / far + entries / near}


def make_trade(folder, places, activities):
    rng = np.random.default_rng(3)
    skill, need = rng.normal(0, 1, (places, 1)), rng.normal(0, 1, activities)
    can = rng.random((places, activities)) < 1 / (1 + np.exp(-(skill - need)))
    np.save(folder / "x.npy", np.exp(rng.normal(0, 2, (places, activities))) * can)


def one_year(x):
    from ronghe.kernels import complexity as k

    index = k.rca(x)
    m = k.presence(index)
    phi = k.proximity(m)
    dens = k.density(m, phi)
    found = k.complexity(m)
    return index, dens, found, k.outlook(m, phi, dens, found.pci)


def ours_complexity(folder, repeat):
    x = np.load(folder / "x.npy")
    one_year(x[:, :50])
    before, seconds = peak_mb(), []
    for _ in range(max(repeat, 1)):
        t0 = time.perf_counter()
        index, dens, found, (coi, _) = one_year(x)
        seconds.append(time.perf_counter() - t0)
    np.savez(folder / "ours.npz", rca=index, density=dens, eci=found.eci, pci=found.pci, coi=coi)
    return {"seconds": min(seconds), "median": float(np.median(seconds)), "peak": peak_mb(), "inputs": before}


def years_complexity(folder, years):
    x = np.load(folder / "x.npy")
    one_year(x[:, :50])
    t0 = time.perf_counter()
    for _ in range(years):
        one_year(x)
    return {"seconds": time.perf_counter() - t0, "peak": peak_mb()}


def peer_complexity(folder, _):
    import ecomplexity
    import pandas as pd

    x = np.load(folder / "x.npy")
    place, activity = np.indices(x.shape)
    frame = pd.DataFrame({"t": 2000, "c": place.ravel(), "p": activity.ravel(), "v": x.ravel()})
    names = {"time": "t", "loc": "c", "prod": "p", "val": "v"}
    before = peak_mb()
    t0 = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = ecomplexity.ecomplexity(frame, names, check_logsupermodularity=False, verbose=False)
    seconds = time.perf_counter() - t0
    table = {name: out[name].to_numpy().reshape(x.shape) for name in ("rca", "density", "eci", "pci", "coi")}
    eci, pci, coi = table["eci"][:, 0], table["pci"][0], table["coi"][:, 0]
    np.savez(folder / "peer.npz", rca=table["rca"], density=table["density"], eci=eci, pci=pci, coi=coi)
    return {"seconds": seconds, "peak": peak_mb(), "inputs": before}


TASKS = {f.__name__: f for f in (ours_disruption, peer_disruption, ours_complexity, years_complexity, peer_complexity)}


def apart(task, folder, argument):
    """Run a task in a process of its own."""
    command = [sys.executable, __file__, "--task", task, "--folder", str(folder), "--argument", str(argument)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def print_disruption(run, edges):
    print(f"  ours     {run['seconds']:8.2f} s (graph {run['build']:.2f}, count {run['count']:.2f})"
          f"   peak {run['peak']:,.0f} MB, of it inputs {run['inputs']:,.0f}")  # fmt: skip
    print(f"  {run['report']}")
    print(f"  two-hop work {run['entries']:,} entries ({run['entries'] / edges:.1f} a citation)")
    print(f"  reads a second {run['far'] / 1e6:,.0f} M among citers, {run['near'] / 1e6:,.0f} M among marks")
    print(f"  limit of those reads {run['limit']:.2f} s; the count takes {run['count'] / run['limit']:.2f} x that")


def bench_disruption(folder, args):
    make_citations(folder, args.works, args.references)
    edges = np.load(folder / "source.npy", mmap_mode="r").size
    print(
        f"\nCD{WINDOW} of every work, {args.works:,} works, {edges:,} citations, graph included, best of {args.repeat}"
    )
    ours = apart("ours_disruption", folder, args.repeat)
    print_disruption(ours, edges)
    if find_spec("cdindex") is None:
        print("  cdindex is not installed (it compiles from its source distribution)")
        return
    peer = apart("peer_disruption", folder, 0)
    same = np.array_equal(np.load(folder / "ours.npy")[0], np.load(folder / "peer.npy"), equal_nan=True)
    print(f"  cdindex  {peer['seconds']:8.2f} s (graph {peer['build']:.2f}, count {peer['count']:.2f})"
          f"   peak {peer['peak']:,.0f} MB, of it inputs {peer['inputs']:,.0f}")  # fmt: skip
    print(f"  ratio {peer['seconds'] / ours['seconds']:.1f} x; values identical: {same}")


def bench_complexity(folder, args):
    make_trade(folder, args.places, args.activities)
    print(f"\nRCA, ECI, PCI, proximity, density, COI, COG: {args.places} x {args.activities}, a year")
    ours = apart("ours_complexity", folder, args.repeat)
    print(f"  ours         {ours['seconds']:8.2f} s (median {ours['median']:.2f})   peak {ours['peak']:,.0f} MB")
    peer = apart("peer_complexity", folder, 0)
    print(f"  ecomplexity  {peer['seconds']:8.2f} s   peak {peer['peak']:,.0f} MB")
    a, b = np.load(folder / "ours.npz"), np.load(folder / "peer.npz")
    gaps = {name: float(np.nanmax(np.abs(a[name] - b[name]))) for name in ("rca", "density", "eci")}
    gaps["pci, each by its own moments"] = float(np.nanmax(np.abs(a["pci"] - standard(b["pci"]))))
    print("  largest difference: " + ", ".join(f"{name} {gap:.1e}" for name, gap in gaps.items()))
    print(f"  ratio {peer['seconds'] / ours['seconds']:.1f} x")
    long = apart("years_complexity", folder, args.years)
    print(f"  {args.years} years, one after another: {long['seconds']:.1f} s, peak {long['peak']:,.0f} MB")


def standard(values):
    return (values - np.nanmean(values)) / np.nanstd(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--works", type=int, default=1_000_000)
    parser.add_argument("--references", type=float, default=12)
    parser.add_argument("--large", type=int, default=0)
    parser.add_argument("--places", type=int, default=230)
    parser.add_argument("--activities", type=int, default=5000)
    parser.add_argument("--years", type=int, default=25)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", choices=("disruption", "complexity", "large"))
    parser.add_argument("--task", choices=sorted(TASKS))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--argument", type=int)
    args = parser.parse_args()
    if args.task:
        print(json.dumps(TASKS[args.task](args.folder, args.argument)))
        return
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, {platform.machine()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.only in (None, "disruption"):
            bench_disruption(folder, args)
        if args.only in (None, "complexity"):
            bench_complexity(folder, args)
        if args.large:
            make_citations(folder, args.large, 10)
            edges = np.load(folder / "source.npy", mmap_mode="r").size
            print(f"\nCD{WINDOW} of every work, {args.large:,} works, {edges:,} citations, alone")
            print_disruption(apart("ours_disruption", folder, 1), edges)


if __name__ == "__main__":
    main()
