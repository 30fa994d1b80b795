"""Bars, points with intervals, and waterfalls."""

from typing import Any

from ronghe.draw.frame import Frame, Scale, groups, labels_of, shorten
from ronghe.draw.style import (
    DOWN,
    INK,
    PALETTE,
    RAMP,
    SOFT,
    TOTAL,
    UP,
    category_axis,
    grid,
    legend,
    mark_lines,
    narrow,
)
from ronghe.model.finding import Field

_UNSEEN = 0.005
_NARROW_NAMES = {"yAxis": {"axisLabel": {"width": 104, "fontSize": 11}}}


def bar(frame: Frame) -> dict[str, Any]:
    """Bars: lying where the categories are names, standing where they are years or numbers."""
    lying = bool(frame.options.get("horizontal", frame.names("x")))
    measures = frame.more("y")
    spans = _spans(frame, measures)
    scale = frame.scale([frame.field(p) for p in measures], [frame.field(p) for ends in spans.values() for p in ends])
    labels = labels_of(frame.rows, frame, "x") if frame.group else [frame.name(r, "x") for r in frame.rows]
    series = _grouped(frame, scale, labels) if frame.group else _plain(frame, scale, measures, spans)
    bars = len(series)
    many = bars > 1
    if frame.options.get("stack"):
        for one in series:
            one["stack"] = "all"
    elif not many:
        # Whiskers are dark and must be seen on the bar.
        series[0]["itemStyle"] = {"color": RAMP[3] if spans else PALETTE[0]}
        if len(labels) <= 40:
            _write(frame, scale, spans, series, lying)
    series += _whiskers(frame, scale, measures, spans, lying)
    room = (150 if frame.has("label") else 64) if lying else 24
    figures = frame.axis(scale, vertical=not lying)
    if _barely_below(frame, scale, [*measures, *(p for ends in spans.values() for p in ends)]):
        figures["min"] = 0
    names = category_axis(labels, "" if lying else frame.label(frame.field("x")), vertical=lying)
    made: dict[str, Any] = {
        "grid": grid(36 if many else 12, right=room),
        "xAxis": figures if lying else names,
        "yAxis": names if lying else figures,
        "series": series,
    }
    if spans and many:
        made["height"] = max(220, (9 * bars + 10) * len(labels) + 110)
    if many:
        made["legend"] = legend([s["name"] for s in series[:bars]])
    if "line" in frame.options:
        series[0]["markLine"] = mark_lines([scale.line(frame.options["line"], "x" if lying else "y", turned=lying)])
        made["grid"] = grid(40 if many else 26, right=room)
    slim = {**_NARROW_NAMES, "grid": {"right": 128 if frame.has("label") else 56}}
    return narrow(made, slim) if lying else made


def _spans(frame: Frame, measures: list[str]) -> dict[str, tuple[str, str]]:
    """The parts that hold the limits of a part: ``low`` and ``high`` of ``y``, ``low2`` and ``high2`` of ``y2``."""
    return {p: (f"low{p[1:]}", f"high{p[1:]}") for p in measures if frame.has(f"low{p[1:]}")}


def _barely_below(frame: Frame, scale: Scale, parts: list[str]) -> bool:
    """Whether the only figures below zero are too small to be seen: they would pull the axis a whole step down."""
    values = [v for r in frame.rows for p in parts if (v := scale(r[frame.field(p).name])) is not None]
    return bool(values) and -_UNSEEN * max(values) < min(values) < 0


def _whiskers(
    frame: Frame, scale: Scale, measures: list[str], spans: dict[str, tuple[str, str]], lying: bool
) -> list[dict[str, Any]]:
    """A line with two ends from low to high over each bar that has limits.

    Boxes without width, one set for each set of bars: so they are laid out as the bars are and stand on their middles.
    """
    made: list[dict[str, Any]] = []
    for part in measures if spans else ():
        field, ends = frame.field(part), spans.get(part)
        boxes: list[dict[str, Any]] = []
        for row in frame.rows if ends else ():
            low, high = (scale(row[frame.field(e).name]) for e in ends or ())
            if low is None or high is None:
                boxes.append({"value": ["-"] * 5})
                continue
            at = scale(row[field.name])
            at = low if at is None else at
            tip = frame.tip(row, frame.name(row, "x"), [part, *(ends or ())])
            boxes.append(frame.item(row, frame.field((ends or ("", ""))[0]), [low, at, at, at, high], tip))
        made.append(
            {"type": "boxplot", "name": frame.label(field), "data": boxes, "boxWidth": [5, 9], "z": 3,
             "layout": "vertical" if lying else "horizontal",
             "itemStyle": {"color": INK, "borderColor": INK, "borderWidth": 1.2}}
        )  # fmt: skip
    return made


def _write(
    frame: Frame, scale: Scale, spans: dict[str, tuple[str, str]], series: list[dict[str, Any]], lying: bool
) -> None:
    """Figures at the ends of the bars, or beyond their limits where they have them."""
    label = {"show": True, "position": "right" if lying else "top", "color": SOFT, "fontSize": 11}
    if not spans:
        series[0]["label"] = label
        return
    field, high = frame.field("y"), frame.field(spans["y"][1])
    marks = []
    for i, row in enumerate(frame.rows):
        reach = [v for f in (field, high) if (v := scale(row[f.name])) is not None]
        if row[field.name] is not None:
            at = [max(reach), i] if lying else [i, max(reach)]
            marks.append({"value": at, "label": {"formatter": _said(frame, row, field, scale)}})
    series.append({"type": "scatter", "data": marks, "symbolSize": 0.1, "silent": True, "label": label})


def _plain(frame: Frame, scale: Scale, measures: list[str], spans: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    series = []
    for part in measures:
        field = frame.field(part)
        items = [
            frame.item(
                r, field, _or_dash(scale(r[field.name])),
                frame.tip(r, frame.name(r, "x"), [part, *spans.get(part, ())]),
                label={"formatter": _said(frame, r, field, scale)},
            )
            for r in frame.rows
        ]  # fmt: skip
        series.append({"type": "bar", "name": frame.label(field), "data": items, "barMaxWidth": 22})
    if spans:
        # The gaps that boxes leave, so that a whisker stands on the middle of its bar.
        n = len(measures)
        series[0] |= {"barCategoryGap": "20%", "barGap": f"{30 * n / (0.7 * n + 0.3):.1f}%"}
    return series


def _said(frame: Frame, row: dict[str, Any], field: Field, scale: Scale) -> str:
    """What stands at the end of a bar: the figure, and the part ``label`` where there is one."""
    figure = frame.short(row, field, scale)
    return f"{figure}  {shorten(frame.name(row, 'label'), 18)}" if frame.has("label") else figure


def _grouped(frame: Frame, scale: Scale, labels: list[str]) -> list[dict[str, Any]]:
    field, series = frame.field("y"), []
    for name, rows in groups(frame, frame.group).items():
        held = {frame.name(r, "x"): r for r in rows}
        items: list[Any] = []
        for label in labels:
            row = held.get(label)
            tip = frame.tip(row, f"{label} · {name}", ["y"]) if row else {}
            items.append(frame.item(row, field, _or_dash(scale(row[field.name])), tip) if row else "-")
        series.append({"type": "bar", "name": name, "data": items, "barMaxWidth": 22})
    return series


def _or_dash(value: float | None) -> Any:
    return "-" if value is None else value


def interval(frame: Frame) -> dict[str, Any]:
    """A point with its interval for each name: a thin box from low to high and a dot."""
    y, low, high = frame.field("y"), frame.field("low"), frame.field("high")
    scale = frame.scale([y], [low, high])
    rows = [r for r in frame.rows if r[y.name] is not None]
    boxes, dots = [], []
    for i, row in enumerate(rows):
        tip = frame.tip(row, frame.name(row, "x"), ["y", "low", "high"])
        at = scale(row[y.name])
        ends = [scale(row[f.name]) for f in (low, high)]
        if None not in ends:
            a, b = ends
            boxes.append(frame.item(row, low, [a, a, at, b, b], tip))
        else:
            boxes.append({"value": ["-"] * 5})
        dots.append(frame.item(row, y, [at, i], tip))
    lines = [scale.line(frame.options["x_line"], "x", turned=True)] if "x_line" in frame.options else []
    made = {
        "grid": grid(18 if lines else 10),
        "xAxis": {**frame.axis(scale), "scale": True},
        "yAxis": category_axis([frame.name(r, "x") for r in rows], vertical=True),
        "series": [
            {"type": "boxplot", "data": boxes, "boxWidth": [4, 8], "layout": "vertical",
             "itemStyle": {"color": "#c3daee", "borderColor": "#87b7dc", "borderWidth": 1}},
            {"type": "scatter", "data": dots, "symbolSize": 9, "itemStyle": {"color": PALETTE[0]}, "z": 3,
             "markLine": mark_lines(lines)},
        ],
    }  # fmt: skip
    return narrow(made, _NARROW_NAMES)


def waterfall(frame: Frame) -> dict[str, Any]:
    """Changes that add up: each bar begins where the one before ended; totals (option ``total``) stand on zero."""
    y = frame.field("y")
    scale = frame.scale([y])
    total = frame.options.get("total", {}).items()
    level, bars, marks = 0.0, [], []
    for i, row in enumerate(frame.rows):
        value = scale(row[y.name]) or 0.0
        whole = any(row[column] == value for column, value in total)
        start, end = (0.0, value) if whole else (level, level + value)
        level = end
        start, end = (float(f"{v:.10g}") for v in (start, end))
        tip = frame.tip(row, frame.name(row, "x"), ["y"])
        style = {"color": TOTAL, "color0": TOTAL, "borderColor": TOTAL, "borderColor0": TOTAL} if whole else {}
        bars.append(frame.item(row, y, [start, end, min(start, end), max(start, end)], tip, itemStyle=style))
        label = {"formatter": frame.short(row, y, scale)}
        marks.append({"value": [max(start, end), i], "label": label})
    rises = {"color": UP, "color0": DOWN, "borderColor": UP, "borderColor0": DOWN}
    made = {
        "grid": grid(10, right=72),
        "xAxis": frame.axis(scale),
        "yAxis": category_axis([frame.name(r, "x") for r in frame.rows], vertical=True),
        "series": [
            {"type": "candlestick", "data": bars, "barWidth": 14, "itemStyle": rises},
            {"type": "scatter", "data": marks, "symbolSize": 0.1, "silent": True,
             "label": {"show": True, "position": "right", "color": INK, "fontSize": 11}},
        ],
    }  # fmt: skip
    return narrow(made, _NARROW_NAMES)
