"""Graphs and Sankey diagrams. Places are computed, in layers or by the lens: a picture is the same every time."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ronghe.draw.frame import Frame, numbered, shorten
from ronghe.draw.style import INK, OTHER, PALETTE, legend
from ronghe.model.finding import Field
from ronghe.present import MISSING, cell

_SWEEPS = 8
_TALL = 1000
_NAMED = 45
_EDGE = 0.07
Node = dict[str, Any]


def layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The layer of each node: right before the first that it leads to; edges that close a circle don't count.

    What leads nowhere stands one after the furthest that leads to it.

    Examples
    --------
    >>> layers(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    {'a': 0, 'b': 1, 'c': 2}
    """
    after: dict[str, list[str]] = {n: [] for n in nodes}
    for a, b in edges:
        if a != b:
            after[a].append(b)
    kept = _acyclic(nodes, after)
    level = dict.fromkeys(nodes, 0)
    _relax(nodes, kept, lambda a, b: _raise(level, b, level[a] + 1))
    givers = {a for a, _ in kept}
    late = {n: max(level.values()) if n in givers else level[n] for n in nodes}
    _relax(nodes, kept, lambda a, b: _lower(late, a, late[b] - 1))
    first = min(late.values(), default=0)
    return {n: late[n] - first for n in nodes}


def _relax(nodes: Sequence[str], edges: Sequence[tuple[str, str]], step: Callable[[str, str], bool]) -> None:
    """Apply a step to every edge until none changes anything: at most once a node, for there is no circle."""
    for _ in nodes:
        if not any([step(a, b) for a, b in edges]):
            return


def _raise(level: dict[str, int], node: str, to: int) -> bool:
    higher = level[node] < to
    level[node] = max(level[node], to)
    return higher


def _lower(level: dict[str, int], node: str, to: int) -> bool:
    lower = level[node] > to
    level[node] = min(level[node], to)
    return lower


def _acyclic(nodes: Sequence[str], after: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Edges without those that lead back to a node on the way (depth first, in the given order)."""
    kept: list[tuple[str, str]] = []
    state = dict.fromkeys(nodes, 0)
    for start in nodes:
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(after[start]))]
        while stack:
            here, rest = stack[-1]
            there = next(rest, None)
            if there is None:
                state[here] = 2
                stack.pop()
            elif state[there] != 1:
                kept.append((here, there))
                if state[there] == 0:
                    state[there] = 1
                    stack.append((there, iter(after[there])))
    return kept


def ordered(level: Mapping[str, int], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The nodes of each layer, swept to and fro by the mean place of their neighbours so that few edges cross."""
    rows: list[list[str]] = [[] for _ in range(max(level.values(), default=0) + 1)]
    for node, at in level.items():
        rows[at].append(node)
    near: dict[str, list[str]] = {n: [] for n in level}
    for a, b in edges:
        near[a].append(b)
        near[b].append(a)
    place = {n: i / max(1, len(row) - 1) for row in rows for i, n in enumerate(row)}
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wish = {n: sum(place[m] for m in near[n]) / len(near[n]) if near[n] else place[n] for n in row}
            row.sort(key=lambda n, w=wish: (w[n], n))  # type: ignore[misc]
            for i, node in enumerate(row):
                place[node] = (i + 0.5) / len(row)
    return rows


def graph(frame: Frame) -> dict[str, Any]:
    """Nodes in layers from left to right, with arrows along the links; or where the table says they stand."""
    if frame.has("x"):
        return _placed(frame)
    nodes = {str(r[frame.field("id").name]): r for r in frame.rows}
    links = _links(frame, nodes)
    pairs = [(link["source"], link["target"]) for link in links]
    level = layers(list(nodes), pairs)
    if frame.has("layer"):
        level |= {k: int(r[frame.field("layer").name]) for k, r in nodes.items()}
    rows = ordered(level, pairs)
    tallest = max((len(r) for r in rows), default=1)
    groups = list(dict.fromkeys(frame.name(r, "category") for r in nodes.values())) if frame.has("category") else []
    sizes = _sizes(frame, nodes)
    named = _named(list(nodes), pairs, sizes)
    items = [
        _spot(frame, nodes[key], sizes[key], groups, key in named, [column, round((i + 0.5) / len(row), 6)])
        for column, row in enumerate(rows)
        for i, key in enumerate(row)
    ]
    series: dict[str, Any] = {
        "type": "graph", "coordinateSystem": "cartesian2d", "layout": "none", "data": items, "links": links,
        "edgeSymbol": ["none", "arrow"], "edgeSymbolSize": 6, "categories": [_category(g, frame.lang) for g in groups],
        "lineStyle": {"color": "#a9b4c0", "curveness": 0.12, "width": 1.2},
        "label": {"show": True, "position": "right", "fontSize": 11, "color": INK, "textBorderColor": "#ffffff",
                  "textBorderWidth": 3},
        "labelLayout": {"hideOverlap": True}, "emphasis": {"focus": "adjacency", "lineStyle": {"color": PALETTE[1]}},
    }  # fmt: skip
    made: dict[str, Any] = {
        "grid": {"left": 20, "right": 150, "top": 36 if groups else 12, "bottom": 12},
        "xAxis": {"type": "value", "show": False, "min": 0, "max": max(1, len(rows) - 1)},
        "yAxis": {"type": "value", "show": False, "min": 0, "max": 1, "inverse": True},
        "series": [series],
        "height": min(_TALL, max(360, 26 * tallest + 60)),
    }
    if groups:
        made["legend"] = legend([c["name"] for c in series["categories"]])
    return made


def _placed(frame: Frame) -> dict[str, Any]:
    """Nodes where the table puts them, ties as thin lines; the largest of a drawn crowd bear their names."""
    nodes = {str(r[frame.field("id").name]): r for r in frame.rows if r[frame.field("x").name] is not None}
    links = _links(frame, nodes)
    groups = list(dict.fromkeys(frame.name(r, "category") for r in nodes.values())) if frame.has("category") else []
    sizes = _sizes(frame, nodes)
    shrink = min(1.0, math.sqrt(120 / max(1, len(nodes))))
    count = int(frame.options.get("labels", _NAMED))
    first = frame.options.get("first", {}).items()
    ahead = {n: all(r[column] == value for column, value in first) if first else False for n, r in nodes.items()}
    named = set(sorted(nodes, key=lambda n: (not ahead[n], -sizes[n], n))[:count])
    sizes = {n: 1.8 * s if ahead[n] else s for n, s in sizes.items()}
    across, along = frame.field("x").name, frame.field("y").name
    items = [
        _spot(frame, r, round(max(3.5, sizes[k] * shrink), 2), groups, k in named, [r[across], r[along]])
        for k, r in nodes.items()
    ]
    spread = [item["value"][0] for item in items]
    left, right = min(spread, default=0.0), max(spread, default=0.0)
    for item in items:
        # Over the point, not beside it: in a crowd there is no side that is free but at the edges.
        place = (item["value"][0] - left) / ((right - left) or 1.0)
        item["label"] |= {"position": "right" if place < _EDGE else "left" if place > 1 - _EDGE else "top"}
    kinds = [_category(g, frame.lang) for g in groups]
    series: dict[str, Any] = {
        "type": "graph", "coordinateSystem": "cartesian2d", "layout": "none", "data": items, "links": links,
        "categories": kinds, "lineStyle": {"color": "#c3ccd6", "width": 0.7, "opacity": 0.7},
        "itemStyle": {"borderColor": "#ffffff", "borderWidth": 0.6},
        "label": {"show": True, "fontSize": 11, "color": INK, "textBorderColor": "#ffffff", "textBorderWidth": 3},
        "labelLayout": {"hideOverlap": True}, "emphasis": {"focus": "adjacency", "lineStyle": {"color": PALETTE[1]}},
    }  # fmt: skip
    made: dict[str, Any] = {
        "grid": {"left": 30, "right": 30, "top": 40 if groups else 20, "bottom": 20},
        "xAxis": {"type": "value", "show": False, "scale": True},
        "yAxis": {"type": "value", "show": False, "scale": True},
        "series": [series],
        "height": 460 if len(nodes) <= 60 else 720,
    }
    if groups:
        made["legend"] = legend([c["name"] for c in kinds])
    return made


def _links(frame: Frame, nodes: Mapping[str, Node]) -> list[dict[str, Any]]:
    """Edges of the table that ``links`` names, as far as both ends are drawn."""
    table = frame.finding.tables[frame.chart.encode["links"]]
    ends = frame.exact("source", table), frame.exact("target", table)
    weight = frame.exact("weight", table) if frame.has("weight") else None
    kind = frame.field("kind", table) if frame.has("kind") else None
    rows = [r for r in numbered(table) if all(str(r[e.name]) in nodes for e in ends)]
    heaviest = max((abs(r[weight.name] or 0.0) for r in rows), default=0.0) if weight else 0.0
    links = []
    for row in rows:
        a, b = (str(row[e.name]) for e in ends)
        shown: list[Field] = [f for f in (weight, kind) if f is not None]
        lines = [f"{frame.label(f)}{frame.colon}{frame.text(row, f)}" for f in shown]
        title = f"{frame.name(nodes[a], 'name')} → {frame.name(nodes[b], 'name')}"
        link = {"source": a, "target": b, "tooltip": frame.said(title, lines)}
        if weight is not None:
            width = 0.8 + 3.2 * abs(row[weight.name] or 0.0) / (heaviest or 1.0)
            link |= {"lineStyle": {"width": round(width, 2)}, "row": row["_row"], "column": weight.name,
                     "table": frame.chart.encode["links"]}  # fmt: skip
        links.append(link)
    return links


def _category(name: str, lang: str) -> dict[str, Any]:
    """A colour class; what belongs to none is grey."""
    return {"name": OTHER[lang], "itemStyle": {"color": "#9aa5b1"}} if name == MISSING else {"name": name}


def _named(nodes: Sequence[str], edges: Sequence[tuple[str, str]], sizes: Mapping[str, float]) -> set[str]:
    """The nodes that bear their names: all of a few; of many those that stand out by size, then the best connected."""
    ties = dict.fromkeys(nodes, 0)
    for a, b in edges:
        ties[a] += 1
        ties[b] += 1
    least = min(sizes.values(), default=0.0)
    return set(sorted(nodes, key=lambda n: (sizes[n] <= least, -ties[n], n))[:_NAMED])


def _sizes(frame: Frame, nodes: Mapping[str, Node]) -> dict[str, float]:
    """Diameters whose areas follow the part ``size``."""
    if not frame.has("size"):
        return dict.fromkeys(nodes, 14.0)
    name = frame.field("size").name
    held = {k: abs(float(r[name] or 0.0)) for k, r in nodes.items()}
    largest = max(held.values(), default=0.0) or 1.0
    return {k: round(7 + 16 * math.sqrt(v / largest), 2) for k, v in held.items()}


def _spot(frame: Frame, row: Node, size: float, groups: list[str], named: bool, at: list[float]) -> dict[str, Any]:
    key, name = str(row[frame.field("id").name]), frame.name(row, "name")
    tip = frame.tip(row, name, ["category", "value", "size"])
    item = {"id": key, "name": key, "value": at, "symbolSize": size, "tooltip": tip,
            "label": {"show": named, "formatter": shorten(name, 24)}}  # fmt: skip
    if groups:
        item["category"] = groups.index(frame.name(row, "category"))
    traced = next((p for p in ("value", "size") if frame.has(p)), None)
    if traced:
        item |= {"row": row["_row"], "column": frame.field(traced).name}
    return item


def sankey(frame: Frame) -> dict[str, Any]:
    """Flows from left to right. Where flows run in a circle, every name stands once as giver and once as taker."""
    source, target, value = frame.exact("source"), frame.exact("target"), frame.field("value")
    scale = frame.scale([value])
    rows = [r for r in frame.rows if r[value.name] is not None and r[value.name] > 0]
    pairs = [(str(r[source.name]), str(r[target.name])) for r in rows]
    names = _end_names(frame, rows)
    level = layers(list(dict.fromkeys(k for p in pairs for k in p)), pairs)
    circle = any(level[a] >= level[b] for a, b in pairs)
    marked = [(f"> {a}", f"{b} >") if circle else (a, b) for a, b in pairs]
    links = []
    for row, plain, (a, b) in zip(rows, pairs, marked, strict=True):
        tip = frame.tip(row, f"{names[plain[0]]} → {names[plain[1]]}", ["value"])
        flow = {"source": a, "target": b, "value": scale(row[value.name]), "tooltip": tip}
        links.append({**flow, "row": row["_row"], "column": value.name})
    used = dict.fromkeys(k for pair in marked for k in pair)
    items = []
    for i, key in enumerate(used):
        name = names[key.removeprefix("> ").removesuffix(" >") if circle else key]
        items.append({"name": key, "label": {"formatter": shorten(name, 26)}, "tooltip": frame.said(name, []),
                      "itemStyle": {"color": PALETTE[i % len(PALETTE)]}})  # fmt: skip
    sides = [sum(k.startswith("> ") for k in used), sum(k.endswith(" >") for k in used)]
    tallest = max(sides) if circle else max((len(r) for r in ordered(level, pairs)), default=1)
    series = {
        "type": "sankey", "data": items, "links": links, "left": 8, "right": 170, "top": 12, "bottom": 8, "nodeGap": 8,
        "nodeWidth": 14, "layoutIterations": 32, "draggable": False, "label": {"color": INK, "fontSize": 11},
        "lineStyle": {"color": "source", "opacity": 0.28, "curveness": 0.5}, "emphasis": {"focus": "adjacency"},
    }  # fmt: skip
    return {"series": [series], "height": max(320, 30 * tallest + 60)}


def _end_names(frame: Frame, rows: Sequence[Node]) -> dict[str, str]:
    names: dict[str, str] = {}
    for end in ("source", "target"):
        shown = frame.field(f"{end}_name" if frame.has(f"{end}_name") else end)
        for row in rows:
            names.setdefault(str(row[frame.exact(end).name]), cell(shown, row[shown.name], frame.lang, row))
    return names
