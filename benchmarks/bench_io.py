"""Input-output at EXIOBASE's size (49 regions x 163 products), side by side with pymrio, in one run.

    python benchmarks/bench_io.py [--regions 49] [--products 163] [--satellites 3] [--solves 2] [--repeat 2]

The table is synthetic and seeded: heavy-tailed flows, most trade at home, sectors without output. Every
contestant runs in a process of its own, reads the same arrays from disk and starts from Z, Y and F; peak memory is
the process's own high-water mark. Outputs are compared. The extraction of every sector is set against one solve a
sector, of which a few are timed and scaled up.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

OUTPUTS = ("multipliers", "consumption", "imports", "production", "exports")


def peak_mb() -> float:
    """High-water mark of this process's memory, MB (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no high-water mark here: Linux is needed")


def make(folder: Path, regions: int, products: int, satellites: int) -> dict[str, float]:
    """Write Z, Y and F of the synthetic world."""
    from ronghe.kernels.neumann import iterative

    rng = np.random.default_rng(20)
    n = regions * products
    size = rng.lognormal(0, 1.5, n)
    A = np.empty((n, n))
    for r in range(regions):
        rows = slice(r * products, (r + 1) * products)
        block = rng.lognormal(0, 2, (products, n)) * size[rows, None]
        block[rng.random(block.shape) < 0.4] = 0
        block[:, rows] *= 5 * regions
        A[rows] = block
    A *= rng.uniform(0.25, 0.75, n) / A.sum(axis=0)
    idle = rng.random(n) < 0.05
    A[idle], A[:, idle] = 0, 0
    Y = rng.lognormal(0, 2, (n, regions)) * size[:, None]
    Y[np.arange(n), np.repeat(np.arange(regions), products)] *= 5 * regions
    Y[idle] = 0
    x = iterative(A).solve(Y.sum(axis=1)).x
    A *= x
    np.save(folder / "Z.npy", A)
    np.save(folder / "Y.npy", Y)
    np.save(folder / "F.npy", rng.lognormal(0, 1, (satellites, n)) * x)
    return {}


def read(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.load(folder / "Z.npy"), np.load(folder / "Y.npy"), np.load(folder / "F.npy")


def codes(regions: int, products: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(np.arange(regions), products), np.tile(np.arange(products), regions)


def ours(folder: Path, regions: int, products: int) -> dict[str, float]:
    """Multipliers and the four footprint accounts by our kernels."""
    from ronghe.kernels.footprint import accounts
    from ronghe.kernels.leontief import satellite_coefficients, technical_coefficients
    from ronghe.kernels.neumann import iterative

    Z, Y, F = read(folder)
    region, product = codes(regions, products)
    start, before, cpu = time.perf_counter(), peak_mb(), time.process_time()
    x = Z.sum(axis=1) + Y.sum(axis=1)
    A = technical_coefficients(Z, x, out=Z)
    at_a = time.perf_counter()
    system = iterative(A, blocks=region, tolerance=1e-11)
    at_ready = time.perf_counter()
    got = accounts(system, satellite_coefficients(F, x), Y, region, product)
    end, cpu = time.perf_counter(), time.process_time() - cpu
    np.savez(folder / "ours.npz", **{name: getattr(got, name).reshape(len(F), -1) for name in OUTPUTS})
    return {
        "seconds": end - start,
        "cpu": cpu,
        "coefficients": at_a - start,
        "prepare": at_ready - at_a,
        "accounts": end - at_ready,
        "peak": peak_mb(),
        "above_inputs": peak_mb() - before,
        "residual": got.residual,
    }


def peer(folder: Path, regions: int, products: int) -> dict[str, float]:
    """The same outputs by pymrio's calc_all."""
    warnings.simplefilter("ignore")
    import pandas as pd
    import pymrio

    Z, Y, F = read(folder)
    region, product = codes(regions, products)
    sectors = pd.MultiIndex.from_arrays([region, product], names=["region", "sector"])
    demand = pd.MultiIndex.from_arrays([range(regions), ["f"] * regions], names=["region", "category"])
    system = pymrio.IOSystem(
        Z=pd.DataFrame(Z, sectors, sectors, copy=False),
        Y=pd.DataFrame(Y, sectors, demand),
        sat={"name": "sat", "F": pd.DataFrame(F, [f"s{k}" for k in range(len(F))], sectors)},
    )
    start, before, cpu = time.perf_counter(), peak_mb(), time.process_time()
    system.calc_all()
    end, cpu = time.perf_counter(), time.process_time() - cpu
    found = (system.sat.M, system.sat.D_cba, system.sat.D_imp, system.sat.D_pba, system.sat.D_exp)
    np.savez(folder / "peer.npz", **{k: v.to_numpy() for k, v in zip(OUTPUTS, found, strict=True)})
    return {"seconds": end - start, "cpu": cpu, "peak": peak_mb(), "above_inputs": peak_mb() - before}


def _coefficients(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    from ronghe.kernels.leontief import technical_coefficients

    Z, Y, _ = read(folder)
    f = Y.sum(axis=1)
    return technical_coefficients(Z, Z.sum(axis=1) + f), f


def closed(folder: Path, precision: str) -> dict[str, float]:
    """Loss from extracting each sector, all n from one factorisation."""
    from ronghe.kernels.extraction import extract
    from ronghe.kernels.leontief import factorise

    A, f = _coefficients(folder)
    start, cpu = time.perf_counter(), time.process_time()
    loss = extract(factorise(A, precision=precision), f).loss
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    np.save(folder / f"loss_{precision}.npy", loss)
    return {"seconds": seconds, "cpu": cpu, "peak": peak_mb()}


def one_each(folder: Path, solves: int) -> dict[str, float]:
    """Delete a sector, solve, take the difference: the ordinary way, a few times."""
    A, f = _coefficients(folder)
    n = len(f)
    total = np.linalg.solve(np.eye(n) - A, f).sum()
    live = np.flatnonzero(f > 0)
    picked = live[np.linspace(0, len(live) - 1, solves).astype(int)]
    losses, start, cpu = [], time.perf_counter(), time.process_time()
    for j in picked:
        keep = np.delete(np.arange(n), j)
        losses.append(total - np.linalg.solve(np.eye(n - 1) - A[np.ix_(keep, keep)], f[keep]).sum())
    seconds, cpu = (time.perf_counter() - start) / solves, (time.process_time() - cpu) / solves
    np.savez(folder / "brute.npz", picked=picked, losses=losses)
    return {"seconds": seconds, "cpu": cpu, "peak": peak_mb()}


def limits() -> dict[str, float]:
    """What this machine does at best now: GFlop/s of a square product, single and double."""
    rate = {}
    for name, kind in (("single", np.float32), ("double", np.float64)):
        a = np.ones((3000, 3000), dtype=kind)
        a @ a
        best = np.inf
        for _ in range(10):
            start = time.perf_counter()
            a @ a
            best = min(best, time.perf_counter() - start)
        rate[name] = 2 * 3000**3 / best / 1e9
    return rate


def child(task: str, folder: Path, args: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--task", task, "--folder", str(folder)]
    for name in ("regions", "products", "satellites", "solves"):
        command += [f"--{name}", str(getattr(args, name))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{task} failed:\n{done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    packages = ", ".join(f"{p} {version(p)}" for p in ("numpy", "scipy", "pymrio", "pandas"))
    return f"{len(models)} x {models[0]}; Python {platform.python_version()}, {packages}"


def apart(folder: Path) -> float:
    """Largest difference between the two outputs, relative to each cell (cells under 1e-12 of the largest left out)."""
    mine, theirs = np.load(folder / "ours.npz"), np.load(folder / "peer.npz")
    worst = 0.0
    for name in OUTPUTS:
        a, b = mine[name], theirs[name]
        seen = np.abs(b) > 1e-12 * np.abs(b).max(axis=1, keepdims=True)
        worst = max(worst, float(np.max(np.abs(a[seen] - b[seen]) / np.abs(b[seen]))))
    return worst


def report(folder: Path, args: argparse.Namespace) -> None:
    n, k, regions = args.regions * args.products, args.satellites, args.regions
    print(machine())
    print(f"{n} sectors ({regions} x {args.products}), {k} satellites, table {8 * n * n / 2**20:.0f} MB")
    child("make", folder, args)
    rate = child("limits", folder, args)
    runs = [(child("ours", folder, args), child("peer", folder, args)) for _ in range(args.repeat)]
    a, b = (min(side, key=lambda run: run["seconds"]) for side in zip(*runs, strict=True))
    print(f"\nM and the accounts D_cba, D_imp, D_pba, D_exp of every region; best of {args.repeat} in turn")
    columns = {"seconds": "seconds", "cpu": "CPU s", "peak": "peak MB", "above_inputs": "above inputs MB"}
    print(f"  {'':16}" + "".join(f"{title:>17}" for title in columns.values()))
    for name, row in (("ronghe", a), ("pymrio calc_all", b)):
        print(f"  {name:16}" + "".join(f"{row[key]:17.2f}" for key in columns))
    print(f"  {'ratio':16}" + "".join(f"{b[key] / a[key]:17.2f}" for key in columns))
    print(f"  largest relative difference {apart(folder):.1e}; residual {a['residual']:.1e}")
    print(f"  of which: A {a['coefficients']:.2f} s, preparation {a['prepare']:.2f} s, accounts {a['accounts']:.2f} s")
    rhs = regions * (k + 1)
    # No fewer than one product with A in float32 and two residuals in float64 will do for six digits twice.
    least = 2 * n * n * rhs * (1 / rate["single"] + 2 / rate["double"]) / 1e9
    print(f"  limit: {rate['single']:.0f} GFlop/s single, {rate['double']:.0f} double. One product with {rhs} columns")
    print(f"  and two checks of them take {least:.2f} s at that rate; we need {a['seconds'] / least:.1f} x that")
    brute = child("one_each", folder, args)
    picked = np.load(folder / "brute.npz")
    print("\nextraction of every sector, factorisation included")
    print(
        f"  one solve a sector  {brute['seconds']:9.2f} s each, x {n} = {brute['seconds'] * n:.0f} s (scaled, not run)"
    )
    for precision in ("double", "single"):
        c = child(f"closed_{precision}", folder, args)
        loss = np.load(folder / f"loss_{precision}.npy")[picked["picked"]]
        error = float(np.max(np.abs(loss / picked["losses"] - 1)))
        flops = 4 / 3 * n**3 / rate[precision] / 1e9
        print(
            f"  closed form, {precision} {c['seconds']:9.2f} s for all, peak {c['peak']:.0f} MB, ratio "
            f"{brute['seconds'] * n / c['seconds']:,.0f} (CPU {brute['cpu'] * n / c['cpu']:,.0f}), "
            f"error on the solves timed {error:.1e}"
        )
        print(f"  {'':20}limit: 4/3 n^3 operations take {flops:.2f} s; we need {c['seconds'] / flops:.1f} x that")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("regions", 49), ("products", 163), ("satellites", 3), ("solves", 2), ("repeat", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.task is None:
        with tempfile.TemporaryDirectory() as folder:
            report(Path(folder), args)
        return
    tasks = {
        "make": lambda: make(args.folder, args.regions, args.products, args.satellites),
        "limits": limits,
        "ours": lambda: ours(args.folder, args.regions, args.products),
        "peer": lambda: peer(args.folder, args.regions, args.products),
        "one_each": lambda: one_each(args.folder, args.solves),
        "closed_double": lambda: closed(args.folder, "double"),
        "closed_single": lambda: closed(args.folder, "single"),
    }
    print(json.dumps(tasks[args.task]()))


if __name__ == "__main__":
    main()
