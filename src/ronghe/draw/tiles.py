"""Tile map of the provinces, and heat maps. Provinces are tiles: no border is drawn."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ronghe.draw.frame import Frame, Row, Scale, labels_of
from ronghe.draw.style import DIVERGING, INK, NO_DATA, RAMP, SOFT, category_axis, grid
from ronghe.model.regions import region_names, tiles

_DARK = 0.68
"""Where on the ramp white letters become better to read than dark ones."""
_WRITTEN = 48
"""Cells of a heat map that bear their figures; more would hide one another."""
_TILE = {"borderColor": "#ffffff", "borderWidth": 3, "borderRadius": 4}


def tilemap(frame: Frame) -> dict[str, Any]:
    """Provinces as tiles, coloured by value; a slider over the years where the chart has ``time``."""
    value = frame.field("value")
    scale = frame.scale([value])
    shown = [scale(r[value.name]) for r in frame.rows]
    columns = 1 + max(c for _, c in tiles().values())
    lines = 1 + max(r for r, _ in tiles().values())
    made: dict[str, Any] = {
        "grid": {"left": 4, "right": 4, "top": 44, "bottom": 4},
        "xAxis": _hidden(columns),
        "yAxis": {**_hidden(lines), "inverse": True},
        "visualMap": _ramp(frame, scale, [v for v in shown if v is not None]),
        "height": 560,
    }
    if not frame.has("time"):
        return {**made, "series": [_series(_placed(frame, scale, frame.rows))]}
    time = frame.field("time")
    moments = sorted({r[time.name] for r in frame.rows if r[time.name] is not None})
    made["grid"]["bottom"] = 64
    made["timeline"] = _slider(moments)
    frames = [
        {"series": [_series(_placed(frame, scale, [r for r in frame.rows if r[time.name] == m]))]} for m in moments
    ]
    made["series"] = frames[-1]["series"] if frames else []
    return {"baseOption": made, "options": frames}


def _slider(moments: Sequence[Any]) -> dict[str, Any]:
    return {
        "axisType": "category", "data": [str(m) for m in moments], "currentIndex": len(moments) - 1, "bottom": 0,
        "left": 20, "right": 20, "playInterval": 1200, "autoPlay": False, "controlStyle": {"color": SOFT},
        "label": {"color": SOFT, "interval": "auto"}, "checkpointStyle": {"color": RAMP[4], "animation": False},
        "lineStyle": {"color": RAMP[2]}, "itemStyle": {"color": RAMP[3]},
    }  # fmt: skip


def _hidden(count: int) -> dict[str, Any]:
    return {"type": "category", "data": [str(i) for i in range(count)], "show": False}


def _series(items: list[dict[str, Any]]) -> dict[str, Any]:
    rich = {"n": {"fontSize": 12, "lineHeight": 17}, "v": {"fontSize": 10, "lineHeight": 14}}
    return {"type": "heatmap", "data": items, "itemStyle": dict(_TILE),
            "label": {"show": True, "rich": rich, "color": INK, "lineHeight": 15},
            "emphasis": {"itemStyle": {"borderColor": INK, "borderWidth": 2}}}  # fmt: skip


def _placed(frame: Frame, scale: Scale, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A tile for each of the 34, those without a figure in grey."""
    region, value = frame.field("region"), frame.field("value")
    held = {r[region.name]: r for r in rows}
    shown = [v for r in frame.rows if (v := scale(r[value.name])) is not None]
    depth = _depth(frame, scale, shown)
    items = []
    for code, (line, column) in tiles().items():
        name = region_names(code)[frame.lang]
        row = held.get(code)
        at = scale(row[value.name]) if row else None
        if row is None or at is None:
            items.append(
                {"value": [column, line, 0], "visualMap": False, "name": name,
                 "itemStyle": {"color": "#eceff3", **_TILE}, "tooltip": frame.said(name, [NO_DATA[frame.lang]]),
                 "label": {"formatter": f"{{n|{name}}}\n{{v|—}}", "color": SOFT}}
            )  # fmt: skip
            continue
        text = frame.short(row, value, scale)
        colour = "#ffffff" if depth(at) > _DARK else INK
        rich = {k: {"color": colour, "fontSize": s, "lineHeight": h} for k, s, h in (("n", 12, 17), ("v", 10, 14))}
        items.append(
            frame.item(
                row, value, [column, line, at], frame.tip(row, name, ["time", "value"]), name=name,
                label={"formatter": f"{{n|{_short(name)}}}\n{{v|{text}}}", "rich": rich},
            )
        )  # fmt: skip
    return items


def _depth(frame: Frame, scale: Scale, shown: Sequence[float]) -> Callable[[float], float]:
    """How far a value lies along its ramp, 0 to 1: from the least, or from the middle of a diverging one."""
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    if frame.options.get("diverging"):
        middle = scale(frame.options.get("middle", 0.0)) or 0.0
        reach = max(abs(low - middle), abs(high - middle)) or 1.0
        return lambda at: abs(at - middle) / reach
    return lambda at: (at - low) / ((high - low) or 1.0)


def _short(name: str) -> str:
    """A name that fits a tile: two words stand one above the other."""
    return name.replace(" ", "\n", 1) if len(name) > 10 and " " in name else name


def _ramp(frame: Frame, scale: Scale, values: Sequence[float]) -> dict[str, Any]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    colours: Sequence[str] = RAMP
    if frame.options.get("diverging"):
        middle = scale(frame.options.get("middle", 0.0)) or 0.0
        reach = max(abs(low - middle), abs(high - middle)) or 1.0
        low, high, colours = middle - reach, middle + reach, DIVERGING
    if low == high:
        low, high = low - 0.5, high + 0.5
    sign = "%" if scale.percent else ""
    return {
        "type": "continuous", "min": low, "max": high, "dimension": 2, "orient": "horizontal", "left": 4, "top": 4,
        "itemWidth": 14, "itemHeight": 180, "inRange": {"color": list(colours)}, "seriesIndex": 0,
        "text": [f"{_round(high)}{sign}  {scale.name}", f"{_round(low)}{sign}"], "textStyle": {"color": SOFT},
        "calculable": False, "hoverLink": False,
    }  # fmt: skip


def _round(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def heatmap(frame: Frame) -> dict[str, Any]:
    """A matrix of coloured cells; a missing figure is an empty cell."""
    value = frame.field("value")
    scale = frame.scale([value])
    across, down = labels_of(frame.rows, frame, "x"), labels_of(frame.rows, frame, "y")
    if set(across) & set(down):
        # What stands on both axes stands in one order, so that the diagonal is one.
        across = [*(n for n in down if n in set(across)), *(n for n in across if n not in set(down))]
    places: Mapping[str, Mapping[str, int]] = {
        "x": {n: i for i, n in enumerate(across)},
        "y": {n: i for i, n in enumerate(down)},
    }
    items = []
    for row in frame.rows:
        at = scale(row[value.name])
        if at is not None:
            x, y = frame.name(row, "x"), frame.name(row, "y")
            tip = frame.tip(row, f"{y} · {x}", ["value"])
            said = {"formatter": frame.short(row, value, scale)} if len(frame.rows) <= _WRITTEN else {}
            items.append(frame.item(row, value, [places["x"][x], places["y"][y], at], tip, label=said))
    shown = [i["value"][2] for i in items]
    depth = _depth(frame, scale, shown)
    for item in items:
        if item["label"]:
            item["label"]["color"] = "#ffffff" if depth(item["value"][2]) > _DARK else INK
    names = category_axis(across, frame.label(frame.field("x")))
    names["axisLabel"] |= {"interval": 0, "width": 110, "rotate": 45 if len(across) > 8 else 0}
    return {
        "grid": grid(64, right=12),
        "xAxis": names,
        "yAxis": category_axis(down, frame.label(frame.field("y")), vertical=True),
        "visualMap": _ramp(frame, scale, shown),
        "series": [
            {"type": "heatmap", "data": items, "itemStyle": {"borderColor": "#ffffff", "borderWidth": 1},
             "label": {"show": len(frame.rows) <= _WRITTEN, "fontSize": 10},
             "emphasis": {"itemStyle": {"borderColor": INK, "borderWidth": 1}}}
        ],
        "height": 24 * len(down) + 220,
    }  # fmt: skip
