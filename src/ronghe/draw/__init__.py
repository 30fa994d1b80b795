"""From a chart to an ECharts option: the only place that knows ECharts. Plain values, no functions, no randomness.

What each kind reads from ``Chart.encode`` (names without ``_zh``/``_en`` resolve to the reader's language) and
from ``Chart.options``. All kinds know ``where`` (column -> value kept), ``sort`` (``asc``, ``desc``, ``none``), ``by``
(the column sorted by) and ``top`` (how many rows are drawn).

    bar        x, y [y2 y3 … or series] [label];   stack, horizontal, line (a reference on the axis of figures)
               [low high of y, low2 high2 of y2, …: drawn as whiskers over the bars]
    line       x, y [y2 … or series];              log, line, highlight (series drawn in colour, others grey),
                                                   band (what follows y2 are its limits)
    scatter    x, y [size color name];             x_line, y_line, x_log, y_log, labels (how many outliers are named)
    graph      of the nodes: id, name [category size value layer; x y: where each stands]; links (the table of edges)
               and of it: source, target [weight kind]; labels (how many bear names where places are given),
               first (column -> value: those that are named before larger ones)
    sankey     source, target, value [source_name target_name]
    tilemap    region, value [time];               diverging, middle
    heatmap    x, y, value;                        diverging, middle
    radar      axis, value [series];               max
    interval   x, y, low, high;                    x_line
    ridge      x, y, series;                       x_line
    waterfall  x, y [total: rows where it is true are totals, not changes]
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ronghe.draw.bars import bar, interval, waterfall
from ronghe.draw.frame import Frame
from ronghe.draw.lines import line, ridge
from ronghe.draw.networks import graph, sankey
from ronghe.draw.points import radar, scatter
from ronghe.draw.style import base, with_title
from ronghe.draw.tiles import heatmap, tilemap
from ronghe.i18n import translate
from ronghe.model.finding import Chart, Finding

Option = dict[str, Any]

KINDS: Mapping[str, Callable[[Frame], Option]] = MappingProxyType(
    {
        "bar": bar,
        "line": line,
        "scatter": scatter,
        "graph": graph,
        "sankey": sankey,
        "tilemap": tilemap,
        "heatmap": heatmap,
        "radar": radar,
        "interval": interval,
        "ridge": ridge,
        "waterfall": waterfall,
    }
)

_WIDE = frozenset({"tilemap", "heatmap", "graph", "sankey"})


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture: the option, the height in pixels at which it reads well, and whether it must not be squeezed."""

    option: Option
    height: int
    wide: bool


def drawing(finding: Finding, chart: Chart, lang: str, *, titled: bool = False) -> Drawing:
    """One chart of a finding.

    Parameters
    ----------
    finding : the answer whose tables the chart draws.
    chart : one of its charts.
    lang : ``zh`` or ``en``.
    titled : put the chart's title and the finding's id into the picture, for files that travel alone.

    Raises
    ------
    KeyError : the chart's kind, table or a column is unknown: a defect of the lens.
    """
    made = KINDS[chart.kind](Frame(finding, chart, lang))
    holder = made.get("baseOption", made)
    height = int(holder.pop("height", 0)) or _height(holder)
    for key, value in base().items():
        holder.setdefault(key, value)
    if titled:
        with_title(made, translate(lang, chart.title), f"Ronghe {finding.id}")
        height += 34
    return Drawing(made, height, chart.kind in _WIDE)


def option(finding: Finding, chart: Chart, lang: str, *, titled: bool = False) -> Option:
    """The ECharts option alone; see ``drawing``."""
    return drawing(finding, chart, lang, titled=titled).option


def _height(holder: Option) -> int:
    axis = holder.get("yAxis", {})
    if axis.get("type") == "category":
        return max(220, 24 * len(axis["data"]) + 90)
    return 420


__all__ = ["KINDS", "Drawing", "Option", "drawing", "option"]
