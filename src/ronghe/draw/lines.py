"""Lines over time, and ridges of distributions."""

from typing import Any

from ronghe.draw.frame import Frame, Row, Scale, groups
from ronghe.draw.style import GREY, PALETTE, SOFT, category_axis, grid, legend, mark_lines, value_axis
from ronghe.model.finding import Field

_NAMED = 8


def line(frame: Frame) -> dict[str, Any]:
    """Lines; a missing figure is a gap, never a bridge."""
    years = frame.field("x").kind in {"year", "text", "class", "key"}
    x = frame.field("x")
    asked = [frame.field(p) for p in frame.more("y")]
    fields = [f for f in asked if any(r[f.name] is not None for r in frame.rows)] or asked
    scale = frame.scale(fields)
    spots = sorted({r[x.name] for r in frame.rows if r[x.name] is not None}) if years else []
    if frame.group:
        series = [_one(frame, n, rows, fields[0], scale, spots) for n, rows in groups(frame, frame.group).items()]
    else:
        series = [_one(frame, frame.label(f), frame.rows, f, scale, spots) for f in fields]
    _colour(series, [str(h) for h in frame.options.get("highlight", ())])
    if frame.options.get("band"):
        _band(series)
    few = len(series) <= _NAMED
    axis = (
        category_axis([str(s) for s in spots], frame.label(x))
        if years
        else {**value_axis(frame.label(x), frame.lang), "scale": True}
    )
    made: dict[str, Any] = {
        "grid": grid(36 if len(series) > 1 else 16, right=24),
        "xAxis": {**axis, **({"boundaryGap": False} if years and len(spots) > 2 else {})},
        "yAxis": {
            **frame.axis(scale, vertical=True, log=bool(frame.options.get("log"))),
            "scale": not few or bool(frame.options.get("log")),
        },
        "series": series,
    }
    if "line" in frame.options and series:
        series[0]["markLine"] = mark_lines([scale.line(frame.options["line"], "y")])
    if len(series) > 1:
        made["legend"] = legend([s["name"] for s in series])
    return made


def _one(
    frame: Frame, name: str, rows: list[dict[str, Any]], field: Field, scale: Scale, spots: list[Any]
) -> dict[str, Any]:
    x = frame.field("x")
    items: list[Any] = []
    if spots:
        held = {r[x.name]: r for r in rows}
        items = [_point(frame, name, held[s], field, scale(held[s][field.name])) if s in held else "-" for s in spots]
    else:
        for row in sorted((r for r in rows if r[x.name] is not None), key=lambda r: (r[x.name], r["_row"])):
            at = scale(row[field.name])
            items.append(_point(frame, name, row, field, [row[x.name], "-" if at is None else at]))
    return {"type": "line", "name": name, "data": items, "symbol": "circle", "symbolSize": 6, "connectNulls": False,
            "showAllSymbol": True, "lineStyle": {"width": 2}}  # fmt: skip


def _point(frame: Frame, name: str, row: Row, field: Field, value: Any) -> dict[str, Any]:
    x = frame.field("x")
    tip = frame.said(name, [f"{frame.text(row, x)}{frame.colon}{frame.text(row, field)}"])
    return frame.item(row, field, "-" if value is None else value, tip)


def _colour(series: list[dict[str, Any]], highlight: list[str]) -> None:
    """With highlights the others step back into grey; else each has its colour."""
    if not highlight:
        return
    bright = 0
    for one in series:
        if one["name"] in highlight:
            one["itemStyle"] = {"color": PALETTE[bright % len(PALETTE)]}
            one["z"] = 5
            bright += 1
        else:
            one["itemStyle"] = {"color": GREY}
            one["lineStyle"] = {"width": 1, "color": GREY}
            one["symbolSize"] = 3


def _band(series: list[dict[str, Any]]) -> None:
    """All after the second are its limits: thin, dashed and in its colour."""
    for one in series[2:]:
        one |= {"symbol": "none", "showAllSymbol": False, "itemStyle": {"color": PALETTE[1]},
                "lineStyle": {"width": 1.2, "type": "dashed", "color": PALETTE[1]}}  # fmt: skip


def ridge(frame: Frame) -> dict[str, Any]:
    """Distributions one above the other, each with its own base line, all to one scale."""
    x, y = frame.field("x"), frame.field("y")
    scale = frame.scale([x])
    held = groups(frame, frame.group)
    tallest = max((r[y.name] for r in frame.rows if r[y.name] is not None), default=1.0) or 1.0
    series: list[dict[str, Any]] = []
    for i, (name, rows) in enumerate(held.items()):
        floor = len(held) - 1 - i
        items = []
        for row in sorted(rows, key=lambda r: (r[x.name], r["_row"])):
            at = float(f"{floor + 0.9 * (row[y.name] or 0.0) / tallest:.8g}")
            items.append(frame.item(row, y, [scale(row[x.name]), at], frame.tip(row, name, ["x", "y"])))
        colour = PALETTE[i % len(PALETTE)]
        series.append(
            {"type": "line", "name": name, "data": items, "symbol": "none", "triggerLineEvent": True, "z": 2 + i,
             "lineStyle": {"width": 1.5, "color": colour}, "itemStyle": {"color": colour},
             "areaStyle": {"origin": floor, "opacity": 0.35, "color": colour},
             "endLabel": {"show": True, "formatter": name, "color": SOFT, "width": 110, "overflow": "truncate"}}
        )  # fmt: skip
    if "x_line" in frame.options and series:
        series[0]["markLine"] = mark_lines([scale.line(frame.options["x_line"], "x")])
    return {
        "grid": grid(18, right=130, outerBoundsMode="none", left=24, bottom=44),
        "xAxis": {**frame.axis(scale), "scale": True},
        "yAxis": {"type": "value", "show": False, "min": 0, "max": len(held)},
        "series": series,
        "height": 46 * len(held) + 100,
    }
