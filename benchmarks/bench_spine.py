"""The spine as a user meets it: the command's start, the mirror into a lake, a warm ask, a page, the server's memory.

    RONGHE_MIRROR=... python benchmarks/bench_spine.py

Prints the machine and what was measured; wall and processor seconds apart, so that a busy machine shows.
"""

import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

RONGHE = [sys.executable, "-c", "from ronghe.cli import main; main()"]
DATASETS = (
    "cn_io_tables", "cn_st_yearbook", "eto_chips", "wiod2013", "owid_co2",
    "openalex_works", "ror", "event_logs", "onet",
)  # fmt: skip


def run(*words: str, cwd: str) -> tuple[float, float, str]:
    """Wall seconds, processor seconds of the child, standard output."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([*RONGHE, *words], cwd=cwd, capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def ask_times(lake: str) -> None:
    """A warm ask inside a process: the kept finding, and computed anew."""
    import ronghe

    brain = ronghe.open(lake)
    brain.ask("structure", table="cn-2020-153", fresh=True)
    for label, fresh in (("kept", False), ("computed anew", True)):
        walls, cpus = [], []
        for _ in range(7):
            wall, cpu = time.perf_counter(), time.process_time()
            brain.ask("structure", table="cn-2020-153", fresh=fresh)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        print(
            f"warm ask structure, 153 sectors, {label}: median {sorted(walls)[3] * 1e3:.0f} ms wall, "
            f"{sorted(cpus)[3] * 1e3:.0f} ms CPU (target 150 ms)"
        )


def page_times(lake: str) -> None:
    """A page in headless Chromium, and the server's resident memory after it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("page: no Chromium on this machine, not measured")
        return
    from playwright.sync_api import sync_playwright

    server = subprocess.Popen(
        [*RONGHE, "--lake", lake, "serve", "--port", "8641"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=flags)
            page = browser.new_page()
            for _ in range(100):
                try:
                    page.goto("http://127.0.0.1:8641/en/")
                    break
                except Exception as error:
                    if "ERR_CONNECTION_REFUSED" not in str(error):
                        raise
                    time.sleep(0.2)
            for turn in ("first", "again"):
                start = time.perf_counter()
                page.goto("http://127.0.0.1:8641/zh/ask/structure?table=cn-2020-153")
                page.wait_for_selector("canvas", timeout=30_000)
                page.wait_for_selector(".tabulator-row", timeout=30_000)
                print(f"page ready in headless Chromium, {turn}: {time.perf_counter() - start:.2f} s (target 1.5 s)")
            browser.close()
        status = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        print(f"server's resident memory: {int(found.group(1)) / 1024:.0f} MB (target 200 MB)" if found else "")
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    packages = ", ".join(f"{p} {version(p)}" for p in ("deltalake", "duckdb", "ibis-framework", "pyarrow"))
    print(f"{len(models)} x {models[0]}; Python {platform.python_version()}; {packages}; load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        helps = [run("--help", cwd=folder) for _ in range(5)]
        wall, cpu = min(h[0] for h in helps), min(h[1] for h in helps)
        print(f"ronghe --help: {cpu:.2f} s CPU, {wall:.2f} s wall (target 0.4 s CPU)")
        if not os.environ.get("RONGHE_MIRROR"):
            print("no mirror: the rest is not measured")
            return
        lake = str(Path(folder) / "lake")
        wall, cpu, out = run("--lake", lake, "ingest", *DATASETS, cwd=folder)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(out)
        print(f"mirror into the lake: {wall:.0f} s wall, {cpu:.0f} s CPU, peak {peak:.0f} MB (target 90 s, 2,048 MB)")
        ask_times(lake)
        page_times(lake)


if __name__ == "__main__":
    main()
