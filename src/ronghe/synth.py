"""Make a synthetic network of firms from an input-output table, and load it: every row and finding says so."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ronghe.brain import Brain
from ronghe.errors import KernelRefused, NoData, UnknownName
from ronghe.kernels.errors import KernelError
from ronghe.kernels.synth_firms import Diagnostics, SynthFirms, synth_firms
from ronghe.lake.ingest import Progress, Report, Terms
from ronghe.lake.lake import raw_file
from ronghe.lenses.base import quiet
from ronghe.lenses.chains.impact import Baseline
from ronghe.lenses.economy.economy import Economy, economy_of
from ronghe.lenses.params import TableId
from ronghe.sources.synthetic import Synthetic

LINKS_A_FIRM = 4.536
"""As many as in the national network of Diem et al. 2024: 1,104,141 links among 243,399 firms."""


@dataclass(frozen=True, slots=True)
class Made:
    """A network made: its name, how many firms and links it has, how well it keeps to the table, what was loaded."""

    network: str
    firms: int
    links: int
    diagnostics: Diagnostics
    reports: tuple[Report, ...]


def _economy(brain: Brain, table: str) -> Economy:
    snapshot = brain.snapshot
    known = [c.value for c in TableId.choices(snapshot)]
    if table not in known:
        raise UnknownName("unknown_io_table", table, known, parameter="io")
    meta = snapshot.select("io_table", (), {"table_id": table}).to_pylist()[0]
    cells = snapshot.select(
        "io_cell", ("block", "origin", "row_region", "row", "col_region", "col", "value"), {"table_id": table}
    )
    if not cells.num_rows:
        raise NoData("no_data", what=table, tables="io_cell")
    key = {"classification": meta["classification"], "version": meta["version"]}
    return economy_of(meta, cells, snapshot.select("industry", ("code", "name_zh", "name_en", "order"), key))


def make_firms(
    brain: Brain, table: str, firms: int, *, links: int | None = None, seed: int = 1, progress: Progress = quiet
) -> Made:
    """Draw a network of firms consistent with a table and load it, marked as invented.

    Raises
    ------
    UnknownName : no such table.
    KernelRefused : no network can be drawn from it, or not with so few firms.
    """
    economy = _economy(brain, table)
    if economy.kind == "multiregional":
        raise KernelRefused("synth_world", table=table)
    base = Baseline.of(economy)
    wanted = round(firms * LINKS_A_FIRM) if links is None else links
    progress("synth", 0, 3)
    try:
        drawn = synth_firms(base.Z, base.Z.sum(axis=1) + base.f, base.f, firms, wanted, seed=seed)
    except KernelError as error:
        raise economy.refused(error) from error
    progress("synth", 1, 3)
    name = f"synthetic-{table}-{firms}-{seed}"
    folder = Path(brain.config.cache) / "synthetic" / name
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, name, economy, drawn)
    terms = Terms(licence="Apache-2.0", precedence=99, invented=True)
    reports = []
    for number, part in enumerate(Synthetic.tables, start=2):
        raw = raw_file(folder / f"{part}.parquet", "synthetic", f"{name}/{part}.parquet")
        reports.append(brain.lake.ingest(Synthetic(), raw, terms=terms))
        progress("synth", number, 3)
    return Made(name, len(drawn.sector), len(drawn.value), drawn.diagnostics, tuple(reports))


def _write(folder: Path, name: str, economy: Economy, drawn: SynthFirms) -> None:
    """The two files, the same bytes for the same draw."""
    width = len(str(len(drawn.sector)))
    ids = np.array([f"SYN{i:0{width}d}" for i in range(1, len(drawn.sector) + 1)], dtype=object)
    codes = np.array(economy.codes, dtype=object)
    count, m = len(ids), len(drawn.value)

    def same(text: str, times: int) -> pa.Array:
        return pa.array([text], pa.string()).take(pa.array(np.zeros(times, dtype=np.int64)))

    firms = {
        "network": same(name, count),
        "firm": pa.array(ids, pa.string()),
        "classification": same(str(economy.meta["classification"]), count),
        "version": same(str(economy.meta["version"]), count),
        "sector": pa.array(codes[drawn.sector], pa.string()),
        "region": same(str(economy.meta["economy"]), count),
        "sales": pa.array(drawn.sales),
        "final_demand": pa.array(drawn.final_demand),
        "unit": same(economy.unit, count),
    }
    links = {
        "network": same(name, m),
        "supplier": pa.array(ids[drawn.supplier], pa.string()),
        "customer": pa.array(ids[drawn.customer], pa.string()),
        "value": pa.array(drawn.value),
        "unit": same(economy.unit, m),
    }
    pq.write_table(pa.table(firms), folder / "firm.parquet", compression="zstd")
    pq.write_table(pa.table(links), folder / "firm_link.parquet", compression="zstd")
