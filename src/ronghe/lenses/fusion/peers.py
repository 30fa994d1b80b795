"""A region beside its structural peers: who is like it, who of them moved ahead, and what those did differently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.indexing.panel import Panel
from ronghe.kernels.peers import nearest_peers, peer_lessons
from ronghe.lenses.fusion.common import everything, named, result, say_names
from ronghe.lenses.fusion.load import in_words, part
from ronghe.lenses.fusion.measure import Measure
from ronghe.model.finding import Field, Result
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
PEERS = 5


@dataclass(frozen=True, slots=True)
class Company:
    """The peers (k,) of one region by place in the panel, their distance, and which of them moved ahead."""

    index: NDArray[np.int64]
    distance: Floats
    ahead: NDArray[np.bool_]
    structure: Panel
    table: NDArray[np.int64]


def structure_of(measured: Measure) -> Panel | None:
    """The structural figures of the panel's regions; ``None`` when the system names none, or they have gaps."""
    items = measured.system.role("structure")
    if not items:
        return None
    own = measured.panel
    found = part(measured.figures, own.years, items, {r: measured.panel.name(r) for r in measured.figures.regions})
    at = [found.regions.index(r) for r in own.regions]
    means = np.nanmean(found.values[:, at], axis=0) if np.isfinite(found.values[:, at]).any(axis=0).all() else None
    if means is None:
        return None
    return Panel(
        found.items, own.years, own.regions, own.names, found.values[:, at], found.filled[:, at], found.sd[:, at],
        found.units, {},
    )  # fmt: skip


def company(measured: Measure, structure: Panel, i: int, t: int) -> Company | None:
    """The nearest structural peers of a region; ``None`` with fewer than two others."""
    n = len(measured.panel.regions)
    if n < 3:
        return None
    means = np.nanmean(structure.values, axis=0)
    with in_words([s.names for s in structure.items], [measured.panel.name(r) for r in structure.regions]):
        found = nearest_peers(means, k=min(PEERS, n - 1))
    D, index = measured.found.D, found.index[i]
    gain = D[t] - D[0]
    ahead = (gain[index] > gain[i]) & (D[t, index] > D[t, i])
    return Company(index, found.distance[i], np.asarray(ahead, dtype=np.bool_), structure, found.index)


def peers_table(measured: Measure, near: Company, i: int, t: int) -> Result:
    """The region itself and its peers: structure, D then and now, and whether it moved ahead."""
    panel, D = measured.panel, measured.found.D
    structure = near.structure
    means = np.nanmean(structure.values, axis=0)
    rows = []
    for place, (j, distance, ahead) in enumerate(
        [(i, 0.0, False), *zip(near.index.tolist(), near.distance.tolist(), near.ahead.tolist(), strict=True)]
    ):
        rows.append(
            {
                "place": place,
                **say_names("name", panel.name(panel.regions[j])),
                "distance": distance,
                **{f"s{q + 1}": float(means[j, q]) for q in range(means.shape[1])},
                "D_start": float(D[0, j]),
                "D_end": float(D[t, j]),
                "D_change": float(D[t, j] - D[0, j]),
                "moved_ahead": bool(ahead),
                "region": panel.regions[j],
            }
        )
    basis = everything(measured)
    fields = (
        Field("place", Text("column.peer_place"), "integer"),
        *named("name", "column.region_name"),
        Field("distance", Text("column.peer_distance"), basis=everything(measured, structure.items), digits=2),
        *(
            Field(f"s{q + 1}", Text("column.item", {"name": dict(item.names)}),
                  basis=everything(measured, [item]), digits=2)
            for q, item in enumerate(structure.items)
        ),
        Field("D_start", Text("column.D_in", {"year": panel.years[0]}), basis=basis, digits=3),
        Field("D_end", Text("column.D_in", {"year": panel.years[t]}), basis=basis, digits=3),
        Field("D_change", Text("column.D_change"), basis=basis, digits=3),
        Field("moved_ahead", Text("column.moved_ahead"), "text"),
        Field("region", Text("column.region"), "text"),
    )  # fmt: skip
    return result(rows, fields, ("region",), Text("fusion.peers"))


def lessons_table(measured: Measure, near: Company, i: int, t: int) -> Result:
    """By indicator: the region's change on the 0–1 scale, and by how much peers that moved ahead changed more."""
    Z, D = measured.Z, measured.found.D
    more = peer_lessons(Z[0], Z[t], D[0], D[t], near.table)[i]
    order = [int(j) for j in np.argsort(-more, kind="stable") if more[j] > 0]
    rows = [
        {
            **say_names("name", measured.panel.items[j].names),
            **say_names("subsystem", measured.system.subsystems[int(measured.groups[j])].names),
            "own": float(Z[t, i, j] - Z[0, i, j]),
            "peers": float(Z[t, i, j] - Z[0, i, j] + more[j]),
            "more": float(more[j]),
            "indicator": measured.panel.items[j].id,
        }
        for j in order
    ]
    basis = everything(measured)
    fields = (
        *named("name", "column.indicator_name"),
        *named("subsystem", "column.subsystem"),
        Field("own", Text("column.own_change"), basis=basis, digits=3),
        Field("peers", Text("column.peers_change"), basis=basis, digits=3),
        Field("more", Text("column.peers_more"), basis=basis, digits=3),
        Field("indicator", Text("column.indicator"), "text"),
    )
    return result(rows, fields, ("indicator",), Text("fusion.lessons"))


def dimensions_table(measured: Measure, i: int, t: int, others: Sequence[int]) -> Result:
    """Weighted mean score of every dimension: the region, its peers, the median of all."""
    panel = measured.panel
    series: list[tuple[Mapping[str, str], Any]] = [(panel.name(panel.regions[i]), measured.Z[t, i])]
    if others:
        series.append((both("结构相近者均值", "mean of peers"), measured.Z[t, list(others)].mean(axis=0)))
    series.append((both("全部地区中位数", "median of all"), np.median(measured.Z[t], axis=0)))
    rows = []
    for names, z in series:
        for dimension, inside in dimensions(measured).items():
            w = measured.weights[inside]
            value = float(z[inside] @ w / w.sum()) if w.sum() > 0 else float(z[inside].mean())
            first = panel.items[int(inside[0])]
            rows.append(
                {
                    **say_names("series", names),
                    **say_names("dimension", first.dimension),
                    **say_names("subsystem", measured.system.subsystems[dimension[0]].names),
                    "score": value,
                }
            )
    fields = (
        *named("series", "column.series"),
        *named("dimension", "column.dimension"),
        *named("subsystem", "column.subsystem"),
        Field("score", Text("column.score_mean"), basis=everything(measured), digits=3),
    )
    return result(rows, fields, ("series_en", "subsystem_en", "dimension_en"), Text("fusion.dimensions"))


def dimensions(measured: Measure) -> dict[tuple[int, str], NDArray[np.int64]]:
    """(subsystem, dimension) -> the places of its indicators, in the file's order."""
    found: dict[tuple[int, str], list[int]] = {}
    for j, item in enumerate(measured.panel.items):
        found.setdefault((int(measured.groups[j]), item.dimension["en"]), []).append(j)
    return {key: np.array(places, dtype=np.int64) for key, places in found.items()}
