"""Colours, type and the parts that every option shares."""

from typing import Any

from ronghe.model.text import both

FONT = (
    'system-ui, -apple-system, "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", '
    '"Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", sans-serif'
)
INK, SOFT, LINE, FAINT = "#1d2733", "#5b6878", "#d7dde5", "#eef1f5"

PALETTE = ("#0b62a4", "#d55e00", "#009e73", "#b8569b", "#b07d00", "#3a9bd9", "#6b4c9a", "#7a8794")
"""Told apart in the common kinds of colour blindness, and dark enough on white (after Okabe & Ito 2008)."""

RAMP = ("#eef4fa", "#c3daee", "#87b7dc", "#4690c5", "#1b68a6", "#083d6e")
DIVERGING = ("#b35806", "#f1a340", "#fbe3c2", "#f4f5f7", "#d3cfe6", "#998ec3", "#542788")
UP, DOWN, TOTAL, GREY = "#0b62a4", "#d55e00", "#5b6878", "#c9d0d9"

NO_DATA = both("无数据", "no data")
OTHER = both("其他", "other")


def base() -> dict[str, Any]:
    """What every option has: still, light, and a tooltip drawn on the canvas (no inline style for the policy)."""
    return {
        "animation": False,
        "color": list(PALETTE),
        "backgroundColor": "#ffffff",
        "textStyle": {"fontFamily": FONT, "color": INK, "fontSize": 12},
        "tooltip": tooltip(),
    }


def tooltip() -> dict[str, Any]:
    """A tooltip whose text each item brings along."""
    return {
        "trigger": "item",
        "renderMode": "richText",
        "confine": True,
        "transitionDuration": 0,
        "backgroundColor": "#ffffff",
        "borderColor": LINE,
        "padding": [8, 10],
        "textStyle": {"fontSize": 12, "lineHeight": 18, "color": INK, "fontFamily": FONT},
    }


def legend(names: list[Any]) -> dict[str, Any]:
    """A legend on top; it scrolls when there are many."""
    return {"type": "scroll", "top": 0, "left": 0, "right": 0, "data": names, "itemWidth": 14, "itemHeight": 10,
            "textStyle": {"color": INK, "width": 180, "overflow": "truncate"}, "itemGap": 16}  # fmt: skip


def grid(top: int = 16, **more: Any) -> dict[str, Any]:
    """A plot whose labels and axis names stay inside the picture."""
    return {
        "left": 8,
        "right": 24,
        "top": top,
        "bottom": 8,
        "outerBoundsMode": "same",
        "outerBounds": {"left": 8, "right": 12, "top": top, "bottom": 6},
        "outerBoundsContain": "all",
        **more,
    }


def value_axis(
    name: str, lang: str, *, percent: bool = False, words: bool = True, log: bool = False, vertical: bool = False
) -> dict[str, Any]:
    """An axis of figures, with its name and unit.

    What draws the option puts the function there that ``figures`` asks for (``axes.js``): large figures with 万 or
    million where ``words`` may stand beside the unit, as powers of ten where not.
    """
    place: dict[str, Any] = {"nameLocation": "middle", "nameGap": 10 if vertical else 8}
    if vertical:
        place["nameRotate"] = 90
    return {
        "type": "log" if log else "value",
        "name": name,
        "nameTextStyle": {"color": SOFT},
        "nameMoveOverlap": True,
        "axisLabel": {
            "color": SOFT,
            "hideOverlap": True,
            "formatter": "{value}%" if percent else {"figures": lang, "words": words},
            "rich": {"e": {"fontSize": 8, "verticalAlign": "top", "lineHeight": 10, "color": SOFT}},
        },
        "axisLine": {"show": True, "lineStyle": {"color": LINE}},
        "splitLine": {"lineStyle": {"color": FAINT}},
        **place,
    }


def category_axis(labels: list[str], name: str = "", *, vertical: bool = False) -> dict[str, Any]:
    """An axis of names; long ones are cut with an ellipsis, the whole name is in the tooltip."""
    label: dict[str, Any] = {"color": INK, "fontSize": 12, "overflow": "truncate"}
    label |= {"interval": 0, "width": 220} if vertical else {"interval": "auto", "width": 120, "hideOverlap": True}
    if not vertical and len(labels) > 6 and max((len(x) for x in labels), default=0) > 6:
        label["rotate"] = 40
    return {
        "type": "category",
        "data": labels,
        "name": name,
        "nameLocation": "start" if vertical else "middle",
        "nameGap": 8,
        "nameTextStyle": {"color": SOFT, **({"align": "left"} if vertical else {})},
        "inverse": vertical,
        "axisTick": {"show": False},
        "axisLine": {"lineStyle": {"color": LINE}},
        "axisLabel": label,
    }


def narrow(option: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The option with changes that hold in a narrow picture; a wide one takes back what they change.

    Raises
    ------
    KeyError : the option has nothing to go back to.
    """
    slim = {"query": {"maxWidth": 520}, "option": changes}
    return {"baseOption": option, "media": [slim, {"option": _before(option, changes)}]}


def _before(option: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {k: _before(option[k], v) if isinstance(v, dict) else option[k] for k, v in changes.items()}


def mark_lines(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Reference lines that don't answer the mouse."""
    return {"silent": True, "symbol": "none", "animation": False, "data": lines,
            "lineStyle": {"color": SOFT, "type": "dashed", "width": 1}}  # fmt: skip


def with_title(option: dict[str, Any], title: str, note: str) -> None:
    """Put a title on top, move everything else down, and name the source small below."""
    holder = option.get("baseOption", option)
    shift = 34
    holder["title"] = [
        {"text": title, "left": 4, "top": 2, "textStyle": {"fontSize": 15, "fontWeight": 600, "color": INK}},
        {"text": note, "right": 4, "top": 6, "textStyle": {"fontSize": 10, "fontWeight": 400, "color": SOFT}},
    ]
    for key in ("grid", "legend", "visualMap"):
        part = holder.get(key)
        if isinstance(part, dict) and isinstance(part.get("top"), int):
            part["top"] += shift
            if "outerBounds" in part:
                part["outerBounds"]["top"] += shift
    for series in holder["series"]:
        if isinstance(series.get("top"), int):
            series["top"] += shift
