"""Graphs and Sankey diagrams. Places are computed here, in layers, so that a picture is the same every time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ronghe.draw.frame import Frame, Scale, numbered, shorten
from ronghe.draw.style import INK, PALETTE, SOFT, legend
from ronghe.present import cell

_SWEEPS = 8


@dataclass
class _Node:
    """A node: its id, name, row in the node table, colour class, size and layer."""

    id: str
    name: str
    row: dict[str, Any] | None = None
    group: str = ""
    size: float | None = None
    layer: int | None = None
    lines: list[str] = field(default_factory=list)


def _edges(frame: Frame) -> list[dict[str, Any]]:
    ends = frame.field("source").name, frame.field("target").name
    return [r for r in frame.rows if all(r[e] is not None for e in ends)]


def _nodes(frame: Frame) -> dict[str, _Node]:
    """Nodes of the table that the chart names, or else those at the ends of its edges."""
    found: dict[str, _Node] = {}
    if "nodes" in frame.options:
        table = frame.finding.tables[str(frame.options["nodes"])]
        part = {p: frame.field(p, table) for p in frame.chart.encode if p.startswith("node")}
        shown = [p for p in ("node_size", "node_color") if p in part]
        for row in numbered(table):
            key = str(row[part["node"].name])
            name_field = part.get("node_name", part["node"])
            node = _Node(key, cell(name_field, row[name_field.name], frame.lang, row), row)
            node.lines = [f"{frame.label(part[p])}{frame.colon}{frame.text(row, part[p])}" for p in shown]
            if "node_color" in part:
                node.group = cell(part["node_color"], row[part["node_color"].name], frame.lang, row)
            if "node_size" in part:
                node.size = row[part["node_size"].name]
            if "node_layer" in part:
                node.layer = row[part["node_layer"].name]
            found[key] = node
    for row in _edges(frame):
        for end in ("source", "target"):
            key = str(row[frame.field(end).name])
            name = frame.name(row, f"{end}_name" if frame.has(f"{end}_name") else end)
            found.setdefault(key, _Node(key, name))
    return found


def _links(frame: Frame, scale: Scale | None, names: Mapping[str, _Node]) -> list[dict[str, Any]]:
    links = []
    source, target = frame.field("source").name, frame.field("target").name
    for row in _edges(frame):
        a, b = str(row[source]), str(row[target])
        title = f"{names[a].name} → {names[b].name}"
        link: dict[str, Any] = {"source": a, "target": b, "tooltip": frame.tip(row, title, ["value", "kind"]),
                                "row": row["_row"], "column": frame.chart.encode.get("value", source)}  # fmt: skip
        if scale is not None and row[frame.field("value").name] is not None:
            link["value"] = scale(row[frame.field("value").name])
        links.append(link)
    return links


def layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The layer of each node: one more than the furthest that leads to it; edges that close a circle don't count.

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
    for _ in nodes:
        changed = False
        for a, b in kept:
            if level[b] < level[a] + 1:
                level[b], changed = level[a] + 1, True
        if not changed:
            break
    return level


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
    """Nodes in layers from left to right, with arrows."""
    nodes = _nodes(frame)
    scale = frame.scale([frame.field("value")]) if frame.has("value") else None
    links = _links(frame, scale, nodes)
    pairs = [(link["source"], link["target"]) for link in links]
    level = layers(list(nodes), pairs)
    level |= {n.id: n.layer for n in nodes.values() if n.layer is not None}
    rows = ordered(level, pairs)
    tallest = max((len(r) for r in rows), default=1)
    groups = list(dict.fromkeys(n.group for n in nodes.values() if n.group))
    largest = max((abs(n.size) for n in nodes.values() if n.size is not None), default=0.0) or 1.0
    items = []
    for column, row in enumerate(rows):
        for i, key in enumerate(row):
            node = nodes[key]
            size = 12 if node.size is None else round(8 + 22 * math.sqrt(abs(node.size) / largest), 2)
            items.append(_spot(frame, node, size, groups, x=column * 160.0, y=(i + 0.5) * 30.0 * tallest / len(row)))
    strongest = max((abs(link.get("value") or 0.0) for link in links), default=0.0) or 1.0
    for link in links:
        link["lineStyle"] = {"width": round(0.8 + 3.2 * abs(link.get("value") or 0.0) / strongest, 2)}
    series = {
        "type": "graph", "layout": "none", "data": items, "links": links, "roam": "move",
        "edgeSymbol": ["none", "arrow"],
        "edgeSymbolSize": 6, "left": 20, "right": 140, "top": 36 if groups else 12, "bottom": 12,
        "categories": [{"name": g} for g in groups], "lineStyle": {"color": "#a9b4c0", "curveness": 0.12},
        "label": {"show": True, "position": "right", "fontSize": 11, "color": INK},
        "labelLayout": {"hideOverlap": True}, "emphasis": {"focus": "adjacency", "lineStyle": {"color": PALETTE[1]}},
    }  # fmt: skip
    made: dict[str, Any] = {"series": [series], "height": max(360, 26 * tallest + 90)}
    if groups:
        made["legend"] = legend(groups)
    return made


def _spot(frame: Frame, node: _Node, size: float, groups: list[str], *, x: float, y: float) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": node.id, "name": node.id, "x": x, "y": y, "symbolSize": size,
        "tooltip": frame.said(node.name, node.lines),
        "label": {"formatter": shorten(node.name, 24)},
    }  # fmt: skip
    if node.group:
        item["category"] = groups.index(node.group)
    if node.row is not None and frame.has("node_size"):
        table = frame.finding.tables[str(frame.options["nodes"])]
        item |= {"row": node.row["_row"], "column": frame.field("node_size", table).name,
                 "table": str(frame.options["nodes"])}  # fmt: skip
    return item


def sankey(frame: Frame) -> dict[str, Any]:
    """Flows from left to right. Where flows run in a circle, every name stands once as giver and once as taker."""
    nodes = _nodes(frame)
    scale = frame.scale([frame.field("value")])
    links = [link for link in _links(frame, scale, nodes) if (link.get("value") or 0.0) > 0.0]
    pairs = [(link["source"], link["target"]) for link in links]
    level = layers(list(nodes), pairs)
    circle = any(level[a] >= level[b] for a, b in pairs)
    if circle:
        for link in links:
            link["source"], link["target"] = f"> {link['source']}", f"{link['target']} >"
    used = dict.fromkeys(k for link in links for k in (link["source"], link["target"]))
    items = []
    for i, key in enumerate(used):
        node = nodes[key.removeprefix("> ").removesuffix(" >") if circle else key]
        items.append(
            {"name": key, "label": {"formatter": shorten(node.name, 26)}, "tooltip": frame.said(node.name, node.lines),
             "itemStyle": {"color": PALETTE[i % len(PALETTE)]}}
        )  # fmt: skip
    columns = ordered({k: (0 if k.startswith("> ") else 1) if circle else level[k] for k in used}, [])
    tallest = max((len(c) for c in columns), default=1)
    series = {
        "type": "sankey", "data": items, "links": links, "left": 8, "right": 170, "top": 12, "bottom": 8, "nodeGap": 8,
        "nodeWidth": 14, "layoutIterations": 32, "draggable": False, "label": {"color": INK, "fontSize": 11},
        "lineStyle": {"color": "source", "opacity": 0.28, "curveness": 0.5}, "emphasis": {"focus": "adjacency"},
        "edgeLabel": {"show": False, "color": SOFT},
    }  # fmt: skip
    return {"series": [series], "height": max(320, 30 * tallest + 60)}
