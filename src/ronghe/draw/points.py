"""Scatter plots and radars."""

import math
from collections.abc import Sequence
from typing import Any

from ronghe.draw.frame import Frame, Scale, groups, shorten
from ronghe.draw.style import INK, LINE, PALETTE, RAMP, SOFT, grid, legend, mark_lines, narrow

_LABELS = 10
_SMALL, _LARGE = 6.0, 32.0
_PICTURE, _SLIM = (960.0, 420.0), (230.0, 420.0)
_BESIDE = 40.0
"""What a name may take of the room beside the axes."""
_LETTER = 6.0
_LINE_HEIGHT = 12.0
_TURN, _OUTER = 0.6, 0.2


def scatter(frame: Frame) -> dict[str, Any]:
    """Points; only the outliers bear their names, all have them in the tooltip."""
    x, y = frame.field("x"), frame.field("y")
    scales = frame.scale([x]), frame.scale([y])
    rows = [r for r in frame.rows if r[x.name] is not None and r[y.name] is not None]
    named = _outliers(frame, rows)
    sizes = _sizes(frame, rows)
    coloured = frame.has("color") and frame.names("color")
    split = groups(frame, "color") if coloured else {"": frame.rows}
    kept = {r["_row"] for r in rows}
    series: list[dict[str, Any]] = []
    for name, members in split.items():
        items = [_dot(frame, r, scales, sizes, named) for r in members if r["_row"] in kept]
        series.append(
            {"type": "scatter", "name": name, "data": items,
             "itemStyle": {"opacity": 0.75, "borderColor": "#ffffff", "borderWidth": 0.5},
             "emphasis": {"itemStyle": {"opacity": 1, "borderColor": INK}}}
        )  # fmt: skip
    if series:
        tags, slim = _name_tags(series)
        series.append(tags)
        series[0]["markLine"] = mark_lines(_references(frame, scales))
    made: dict[str, Any] = {
        "grid": grid(40 if coloured else 20, right=40),
        "xAxis": {**frame.axis(scales[0], log=bool(frame.options.get("x_log"))),
                  "scale": True},
        "yAxis": {**frame.axis(scales[1], vertical=True, log=bool(frame.options.get("y_log"))), "scale": True},
        "series": series,
        "height": 520,
    }  # fmt: skip
    if coloured:
        made["legend"] = legend(list(split))
    elif frame.has("color"):
        _ramp(frame, made, rows)
    if not series or not frame.has("name"):
        return made
    names = [{"query": {"maxWidth": 520}, "option": {"series": [{"id": "names", "data": slim}]}},
             {"option": {"series": [{"id": "names", "data": tags["data"]}]}}]  # fmt: skip
    return {"baseOption": made, "media": names}


def _name_tags(series: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Names on top of all points, and which of them a narrow picture has room for."""
    items = [item for one in series for item in one["data"]]
    labels = [item.pop("label", None) for item in items]
    wide, slim = (_tags(items, labels, picture) for picture in (_PICTURE, _SLIM))
    made = {"type": "scatter", "id": "names", "data": wide, "silent": True, "z": 10,
            "itemStyle": {"color": "transparent"}, "labelLayout": {"hideOverlap": True}}  # fmt: skip
    return made, slim


def _tags(
    items: Sequence[dict[str, Any]], labels: Sequence[dict[str, Any] | None], picture: tuple[float, float]
) -> list[dict[str, Any]]:
    """Names where none hides a point or runs over an edge; on the right they stand to the left."""
    spots = _in_pixels([item["value"][:2] for item in items], picture)
    radii = [item["symbolSize"] / 2 for item in items]
    tags = []
    for item, label, (x, y) in zip(items, labels, spots, strict=True):
        if not label:
            continue
        sides: tuple[str, ...] = ("left", "right") if x > _TURN * picture[0] else ("right", "left")
        # At an edge a name on the outer side would be cut.
        sides = sides[:1] if min(x, picture[0] - x) < _OUTER * picture[0] else sides
        room = _LETTER * sum(2 if ord(ch) > 0x2E7F else 1 for ch in label["formatter"]) + item["symbolSize"] / 2
        free = [
            side
            for side in sides
            if room < (picture[0] + _BESIDE - x if side == "right" else x + _BESIDE)
            and not any(_hides(side, room, a - x, b - y, r) for (a, b), r in zip(spots, radii, strict=True))
        ]
        if free:
            tags.append({"value": item["value"][:2], "symbolSize": item["symbolSize"],
                         "label": {**label, "position": free[0]}})  # fmt: skip
    return tags


def _in_pixels(values: Sequence[Sequence[float]], picture: tuple[float, float]) -> list[tuple[float, float]]:
    """About where points stand in a picture of such a size."""
    made = []
    for axis, size in enumerate(picture):
        along = [value[axis] for value in values]
        low, high = min(along, default=0.0), max(along, default=0.0)
        made.append([size * (v - low) / ((high - low) or 1.0) for v in along])
    return list(zip(*made, strict=True))


def _hides(side: str, room: float, across: float, along: float, radius: float) -> bool:
    """Whether a name on this side would lie over a point of that size, so far away."""
    reach = across if side == "right" else -across
    return abs(along) < max(_LINE_HEIGHT, radius) and 1.0 < reach < room + radius


def _references(frame: Frame, scales: tuple[Scale, Scale]) -> list[dict[str, Any]]:
    lines = []
    for axis, scale in zip(("x", "y"), scales, strict=True):
        at = frame.options.get(f"{axis}_line")
        if at is not None:
            lines.append(scale.line(at, axis))
    return lines


def _dot(
    frame: Frame, row: dict[str, Any], scales: tuple[Scale, Scale], sizes: dict[int, float], named: set[int]
) -> dict[str, Any]:
    x, y = frame.field("x"), frame.field("y")
    title = frame.name(row, "name") if frame.has("name") else ""
    tip = frame.tip(row, title, ["x", "y", "size", "color"])
    value = [scales[0](row[x.name]), scales[1](row[y.name])]
    if frame.has("color") and not frame.names("color"):
        value.append(row[frame.field("color").name])
    item = frame.item(row, y, value, tip, name=title, symbolSize=sizes.get(row["_row"], 10.0))
    if row["_row"] in named:
        halo = {"textBorderColor": "#ffffff", "textBorderWidth": 3}
        item["label"] = {"show": True, "formatter": shorten(title, 24), "color": INK, "fontSize": 11, **halo}
    return item


def _sizes(frame: Frame, rows: Sequence[dict[str, Any]]) -> dict[int, float]:
    """Symbol diameters whose areas follow the values."""
    if not frame.has("size"):
        return {}
    name = frame.field("size").name
    largest = max((abs(r[name]) for r in rows if r[name] is not None), default=0.0) or 1.0
    grown = {r["_row"]: math.sqrt(abs(r[name] or 0.0) / largest) for r in rows}
    return {k: round(_SMALL + (_LARGE - _SMALL) * v, 2) for k, v in grown.items()}


def _outliers(frame: Frame, rows: Sequence[dict[str, Any]]) -> set[int]:
    """The rows furthest from the middle, each axis in its own spread."""
    if not frame.has("name"):
        return set()
    far: dict[int, float] = {r["_row"]: 0.0 for r in rows}
    for part in ("x", "y"):
        name = frame.field(part).name
        values = [float(r[name]) for r in rows]
        middle = sum(values) / len(values) if values else 0.0
        spread = math.sqrt(sum((v - middle) ** 2 for v in values) / len(values)) if values else 0.0
        for row, value in zip(rows, values, strict=True):
            far[row["_row"]] += ((value - middle) / spread) ** 2 if spread else 0.0
    count = int(frame.options.get("labels", _LABELS if len(rows) > 15 else 15))
    return {row for row, _ in sorted(far.items(), key=lambda p: (-p[1], p[0]))[:count]}


def _ramp(frame: Frame, made: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    field = frame.field("color")
    values = [r[field.name] for r in rows if r[field.name] is not None]
    if values:
        made["visualMap"] = {
            "type": "continuous", "min": min(values), "max": max(values), "dimension": 2, "orient": "horizontal",
            "top": 0, "right": 0, "itemWidth": 12, "itemHeight": 120, "inRange": {"color": list(RAMP[1:])},
            "text": [frame.label(field), ""], "textStyle": {"color": SOFT}, "calculable": False,
        }  # fmt: skip
        made["grid"] = grid(44, right=40)


def radar(frame: Frame) -> dict[str, Any]:
    """A radar: long rows of (series, axis, value); every axis from 0 to the same or its own largest value."""
    value = frame.field("value")
    axes = list(groups(frame, "axis"))
    split = groups(frame, frame.group)
    scale = frame.scale([value])
    largest: dict[str, float] = {}
    for row in frame.rows:
        name, at = frame.name(row, "axis"), scale(row[value.name])
        largest[name] = max(largest.get(name, 0.0), at or 0.0)
    given = frame.options.get("max")
    items = []
    for name, rows in split.items():
        held = {frame.name(r, "axis"): r for r in rows}
        lines = [f"{a}{frame.colon}{frame.text(held[a], value)}" for a in axes if a in held]
        values = [scale(held[a][value.name]) if a in held else None for a in axes]
        items.append(
            {"name": name, "value": ["-" if v is None else v for v in values], "tooltip": frame.said(name, lines),
             "areaStyle": {"opacity": 0.12}, "row": rows[0]["_row"], "column": value.name}
        )  # fmt: skip
    made: dict[str, Any] = {
        "radar": {
            "indicator": [
                {"name": _broken(a), "max": scale(given) if given
                 else float(f"{(largest[a] or 1.0) * 1.05:.4g}"), "min": 0}
                for a in axes
            ],
            "radius": "62%", "center": ["50%", "55%"], "axisName": {"color": INK, "fontSize": 11},
            "splitArea": {"show": False}, "splitLine": {"lineStyle": {"color": LINE}},
            "axisLine": {"lineStyle": {"color": LINE}},
        },
        "series": [{"type": "radar", "data": items, "symbolSize": 5, "lineStyle": {"width": 2}}],
        "color": list(PALETTE),
        "height": 460,
    }  # fmt: skip
    if len(split) > 1:
        made["legend"] = legend(list(split))
    return narrow(made, {"radar": {"radius": "48%", "axisName": {"fontSize": 10}}})


def _broken(text: str) -> str:
    """A long axis name over two lines: Chinese by the half, English at a space."""
    if len(text) <= 8:
        return text
    middle = len(text) // 2
    if " " not in text:
        return f"{text[:middle]}\n{text[middle:]}"
    spaces = [i for i, letter in enumerate(text) if letter == " "]
    at = min(spaces, key=lambda i: abs(i - middle))
    return f"{text[:at]}\n{text[at + 1 :]}"
