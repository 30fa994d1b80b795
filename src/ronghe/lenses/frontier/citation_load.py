"""The citation graph of the lake's works, with what each work is; and the last year that is whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels.citations import CitationGraph, citation_graph
from ronghe.lenses.base import Context
from ronghe.lenses.frontier.field_load import NO_RESEARCH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Science:
    """Every work of the lake, in order of its id, and who cites whom among them.

    Attributes
    ----------
    ids : (n,) work ids. year : (n,) NaN where unknown. usable : (n,) research, dated and not retracted.
    citing, cited : (e,) numbers of works, both in the lake, as loaded. graph : the same, cleaned.
    stated : (n,) references that the publisher counts; NaN where unknown. outside : citations to works not in the lake.
    """

    ids: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    year: Floats
    usable: NDArray[np.bool_]
    citing: Ints
    cited: Ints
    graph: CitationGraph
    stated: Floats
    outside: int

    @property
    def coverage(self) -> float:
        """Share of all citations loaded whose cited work is in the lake too."""
        inside = self.citing.size
        return inside / (inside + self.outside) if inside + self.outside else 0.0


_COLUMNS = ("work_id", "title", "year", "type", "topic", "topic_name", "subfield", "field", "cited_by", "references",
            "retracted", "doi")  # fmt: skip


def load_science(ctx: Context) -> Science:
    """Works and citations of the snapshot as one graph.

    Raises
    ------
    NoData : no works in the lake.
    """
    import ibis

    works = ctx.table("work")
    rows = ctx.fetch(works.select(*_COLUMNS).order_by("work_id")).to_pylist()
    if not rows:
        raise ctx.nothing("work")
    numbers = works.select("work_id", number=ibis.row_number().over(ibis.window(order_by="work_id")))
    edges = ctx.table("citation").select("citing", "cited")
    total = int(ctx.fetch(edges.aggregate(n=edges.count())).column("n")[0].as_py())
    inner = edges.join(numbers.rename(a="work_id", source="number"), [("citing", "a")])
    both = inner.join(numbers.rename(b="work_id", target="number"), [("cited", "b")])
    found = ctx.fetch(both.select("source", "target").order_by(["source", "target"]))
    source, target = (np.asarray(found.column(c), dtype=np.int64) for c in ("source", "target"))
    year = np.array([np.nan if r["year"] is None else r["year"] for r in rows], dtype=np.float64)
    usable = np.array([r["type"] not in NO_RESEARCH and not r["retracted"] for r in rows])
    stated = np.array([np.nan if r["references"] is None else r["references"] for r in rows], dtype=np.float64)
    graph = citation_graph(source, target, year, usable)
    ids = [r["work_id"] for r in rows]
    return Science(ids, rows, year, usable & np.isfinite(year), source, target, graph, stated, total - source.size)


def whole_year(counts: Mapping[int, float], asked: int = 0) -> int:
    """The year asked for, else the last year with at least half of what the three years before it had on average.

    >>> whole_year({2021: 90, 2022: 100, 2023: 110, 2024: 12})
    2023
    """
    if asked or not counts:
        return asked
    for year in sorted(counts, reverse=True):
        before = [counts.get(year - k, 0.0) for k in (1, 2, 3)]
        if counts[year] >= 0.5 * sum(before) / 3:
            return year
    return max(counts)
