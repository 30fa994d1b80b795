"""Charts as SVG and PNG: ECharts drawn inside the process, text measured by the font that comes along."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from ronghe.errors import NoData, UnknownName
from ronghe.export.facts import clean, licences, stamps, title
from ronghe.export.fonts import FAMILY, advances, font, script, text_width, wrap
from ronghe.model.finding import Chart, Finding

WIDTH = 760
_SCALE = 2.0
_SIZE, _LINE, _EDGE = 11, 17, 8
_STACK = f"'{FAMILY}', 'PingFang SC', 'Microsoft YaHei', sans-serif"
_RENDER = """
(function (option, width, height) {
  var chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: width, height: height});
  chart.setOption(axisFigures(option));
  var drawn = chart.renderToSVGString();
  chart.dispose();
  return drawn;
})
"""
_MEASURE = """
(function (advances) {
  echarts.setPlatformAPI({measureText: function (text, font) {
    var size = parseFloat((/([\\d.]+)px/.exec(font || '') || [0, 12])[1]), width = 0;
    for (var letter of text || '') { var known = advances[letter]; width += known === undefined ? 1 : known; }
    return {width: width * size};
  }});
})
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn chart: SVG and its size in pixels."""

    svg: str
    width: int
    height: int


def figures(finding: Finding, charts: Sequence[Chart], lang: str, *, titled: bool = False) -> list[Figure]:
    """Charts of a finding drawn as SVG, each a file of its own.

    Parameters
    ----------
    titled : put the chart's title and the finding's id into the picture.
    """
    from ronghe.draw import drawing

    if not charts:
        return []
    from py_mini_racer import MiniRacer

    found = []
    engine = MiniRacer()
    try:
        engine.eval(script())
        engine.eval(f"{_MEASURE}({json.dumps(advances())})")
        for number, chart in enumerate(charts):
            made = drawing(finding, chart, lang, titled=titled)
            option, height = for_paper(made.option, made.height)
            given = json.dumps(option, allow_nan=False)
            drawn = str(engine.eval(f"{_RENDER}({given}, {WIDTH}, {height})"))
            found.append(Figure(_settled(clean(drawn), number), WIDTH, height))
    finally:
        engine.close()
    return found


def for_paper(option: dict[str, Any], height: int) -> tuple[dict[str, Any], int]:
    """The option as paper wants it: whole names instead of tooltips, whole legends instead of pages of them."""
    holder = option.get("baseOption", option)
    holder["tooltip"] = {"show": False}
    holder["textStyle"] = {**holder.get("textStyle", {}), "fontFamily": _STACK}
    for key in ("xAxis", "yAxis"):
        axes = holder.get(key, [])
        for axis in axes if isinstance(axes, list) else [axes]:
            text = axis.get("axisLabel", {})
            if text.get("overflow") == "truncate":
                text.update({"overflow": "break", "width": max(int(text.get("width", 0)), 230), "lineHeight": 12})
                text["fontSize"] = min(int(text.get("fontSize", 11)), 11)
    if "timeline" in holder:
        holder["timeline"]["controlStyle"] = {"show": False}
    legend = holder.get("legend")
    if isinstance(legend, dict) and legend.get("type") == "scroll":
        legend["type"] = "plain"
        legend["textStyle"] = {**legend.get("textStyle", {}), "overflow": "none"}
        more = 22 * (_legend_lines(legend) - 1)
        height += more
        _lower(holder, more)
    return option, height


def _legend_lines(legend: dict[str, Any]) -> int:
    names = [str(d.get("name", "") if isinstance(d, dict) else d) for d in legend.get("data", [])]
    lines, used = 1, 0.0
    for name in names:
        wide = text_width(name, 12) + 14 + 5 + float(legend.get("itemGap", 10))
        if used and used + wide > WIDTH - 16:
            lines, used = lines + 1, 0.0
        used += wide
    return lines


def _lower(holder: dict[str, Any], by: int) -> None:
    """Make room below the legend."""
    grid = holder.get("grid")
    if isinstance(grid, dict) and isinstance(grid.get("top"), int):
        grid["top"] += by
        if "outerBounds" in grid:
            grid["outerBounds"]["top"] += by
    for series in holder.get("series", []):
        if isinstance(series.get("top"), int):
            series["top"] += by


def _settled(drawn: str, number: int) -> str:
    """The SVG without what only a live page uses, with ids that do not depend on what was drawn before.

    Text is moved by ``dy`` instead of ``dominant-baseline``, which word processors do not know.
    """
    drawn = re.sub(r"<style.*?</style>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r'\s(?:class|pointer-events|ecmeta_\w+)="[^"]*"', "", drawn)
    drawn = drawn.replace('dominant-baseline="central"', 'dy="0.36em"')
    order: dict[str, str] = {}
    return re.sub(r"zr\d+-[\w-]+", lambda m: order.setdefault(m[0], f"c{number}-{len(order)}"), drawn)


def sheet(finding: Finding, lang: str, chart: int | None = None) -> str:
    """The finding's charts below one another (or one of them) in a single SVG, with stamps, sources and id.

    Raises
    ------
    NoData : the finding has no chart.
    UnknownName : it has no chart of that number.
    """
    if not finding.charts:
        raise NoData("export_no_chart", lens=finding.lens)
    if chart is not None and not 0 <= chart < len(finding.charts):
        raise UnknownName("export_chart", str(chart), [str(i) for i in range(len(finding.charts))])
    chosen = finding.charts if chart is None else (finding.charts[chart],)
    parts, top = [], 0
    for drawn in figures(finding, chosen, lang, titled=True):
        inner = re.sub(r'^<svg width="\d+" height="\d+"[^>]*>', "", drawn.svg.strip())
        place = f'<svg y="{top}" width="{drawn.width}" height="{drawn.height}">'
        parts.append(place + inner)
        top += drawn.height + 2 * _EDGE
    lines = [(line, "#C00000") for s in stamps(finding, lang) for line in wrap(s, _SIZE, WIDTH - 2 * _EDGE)]
    lines += [(line, "#5B6878") for line in wrap(licences(finding, lang), _SIZE, WIDTH - 2 * _EDGE)]
    for i, (line, colour) in enumerate(lines):
        parts.append(
            f'<text x="{_EDGE}" y="{top + _LINE * i + _SIZE}" fill="{colour}" font-size="{_SIZE}" '
            f'font-family="{_STACK}">{escape(clean(line))}</text>'
        )
    height = top + _LINE * len(lines) + _EDGE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">'
        f"<title>{escape(clean(title(finding, lang)))}</title><desc>Ronghe {finding.id}</desc>"
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def png(svg: str) -> bytes:
    """An SVG as a picture in pixels, twice as fine, set in the font that comes along and in no other."""
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=_SCALE,
            font_files=[str(font())],
            skip_system_fonts=True,
            font_family=FAMILY,
            sans_serif_family=FAMILY,
            serif_family=FAMILY,
        )
    )
