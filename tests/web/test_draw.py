"""Options: plain, the same every time, in the reader's language, with figures in the unit that the axis names."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa
import pytest

from ronghe.draw import KINDS, drawing, option
from ronghe.draw.frame import Frame, shorten
from ronghe.draw.networks import layers, ordered
from ronghe.model.finding import Chart, Field, Result
from ronghe.model.regions import tiles
from ronghe.model.text import Text
from tests.web.samples import CHARTS, NAMES, gallery

FINDING = gallery()
TOP = Text("structure.top")


def chart(kind, number=0):
    return [c for c in CHARTS if c.kind == kind][number]


def drawn(kind, lang="zh", number=0, **options):
    one = chart(kind, number)
    made = option(FINDING, Chart(kind, one.table, one.encode, one.title, {**one.options, **options}), lang)
    return made.get("baseOption", made)


def walk(value):
    yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(child)


def items(holder):
    for series in holder["series"]:
        for part in ("data", "links"):
            yield from (i for i in series.get(part, []) if isinstance(i, dict) and not series.get("silent"))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("number", range(len(CHARTS)))
def test_options_are_plain_still_and_the_same_every_time(number, lang):
    made = drawing(FINDING, CHARTS[number], lang)
    again = drawing(gallery(), CHARTS[number], lang)
    text = json.dumps(made.option, allow_nan=False)
    assert text == json.dumps(again.option, allow_nan=False)
    assert 200 < made.height <= 1000
    holder = made.option.get("baseOption", made.option)
    assert holder["animation"] is False
    assert holder["tooltip"]["renderMode"] == "richText"
    assert not [v for v in walk(made.option) if callable(v)]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("number", range(len(CHARTS)))
def test_every_item_says_what_it_is(number, lang):
    made = option(FINDING, CHARTS[number], lang)
    found = [i for i in items(made.get("baseOption", made)) if i.get("value") != ["-"] * 5]
    assert found
    for item in found:
        tip = item["tooltip"]["formatter"]
        assert tip
        assert "{" not in tip
        if "row" in item:
            table = FINDING.tables[item.get("table", CHARTS[number].table)]
            assert 0 <= item["row"] < table.data.num_rows
            assert table.field(item["column"])


def test_every_kind_is_sampled():
    assert {c.kind for c in CHARTS} == set(KINDS)


def test_bars_of_names_lie_sorted_in_a_unit_that_reads_well():
    made = drawn("bar")
    assert made["yAxis"]["type"] == "category"
    assert made["yAxis"]["inverse"]
    assert made["yAxis"]["data"] == [NAMES[i][0] for i in (0, 5, 3, 4, 1)]
    assert made["xAxis"]["name"] == "总产出（亿元）"
    first = made["series"][0]["data"][0]
    assert first["value"] == pytest.approx(70788.96737)
    assert first["label"]["formatter"] == "70,789  000"
    assert "707,889,674 万元" in first["tooltip"]["formatter"]
    english = drawn("bar", "en")
    assert english["yAxis"]["data"][1] == "Motor vehicles"
    assert english["xAxis"]["name"] == "gross output (100 million yuan)"
    assert [i["row"] for i in drawn("bar", sort="asc", top=2)["series"][0]["data"]] == [1, 4]


def test_a_bar_bears_its_interval_in_the_middle():
    made = drawn("bar", number=1)
    bars, other, whiskers, gap = made["series"]
    assert [s["type"] for s in made["series"]] == ["bar", "bar", "boxplot", "boxplot"]
    assert (whiskers["name"], gap["name"]) == (bars["name"], other["name"])
    assert gap["data"] == []
    first, bar = whiskers["data"][0], bars["data"][0]
    assert first["value"] == [5.0, 7.1, 7.1, 7.1, 10.0]
    assert (first["row"], first["column"]) == (bar["row"], "low")
    assert first["tooltip"] == bar["tooltip"]
    assert "10.0%" in bar["tooltip"]["formatter"]
    # Both kinds leave a fifth of a name's room free; a box's gap is 0.3 of an even part, a bar's is of its own width.
    even, gap_share = 1 / 2, float(bars["barGap"].rstrip("%")) / 100
    assert gap_share * (1 - 0.3 * even) * even == pytest.approx(0.3 * even, rel=2e-3)


def test_figures_stand_beyond_the_interval():
    one = chart("bar", 1)
    parts = {k: v for k, v in one.encode.items() if k != "y2"}
    made = option(FINDING, Chart("bar", one.table, parts, one.title, {}), "zh")["baseOption"]
    bars, marks, whiskers = made["series"]
    assert "label" not in bars
    assert [m["value"] for m in marks["data"]][:2] == [[10.0, 0], [95.0, 1]]
    assert len(whiskers["data"]) == len(bars["data"])


def test_bars_of_years_stand():
    made = option(
        FINDING, Chart("bar", "panel", {"x": "year", "y": "value"}, TOP, {"where": {"region": "CN-44"}}), "zh"
    )
    assert made["xAxis"]["data"] == ["2020", "2021", "2022"]
    assert made["yAxis"]["type"] == "value"


def test_shares_are_per_cent():
    made = drawn("interval")
    assert made["xAxis"]["axisLabel"]["formatter"] == "{value}%"
    assert made["series"][1]["data"][0]["value"] == [7.1, 0]
    assert made["series"][0]["data"][0]["value"] == [5, 5, 7.1, 10, 10]
    assert made["series"][1]["markLine"]["data"][0]["xAxis"] == 50


def test_a_missing_figure_is_a_gap():
    made = drawn("line")
    series = made["series"][3]
    assert [d["value"] for d in series["data"]] == [320, "-", 322]
    assert series["connectNulls"] is False
    assert made["series"][0]["markLine"]["data"][0]["yAxis"] == 2000


def test_highlights_step_forward():
    made = drawn("line", highlight=["CN-44"])
    colours = {s["name"]: s["itemStyle"]["color"] for s in made["series"]}
    assert colours["CN-44"] != colours["CN-11"]
    assert len(set(colours.values())) == 2


def test_a_scatter_names_outliers_only_on_top_of_all_points():
    made = drawn("scatter", labels=2)
    *points, tags = made["series"]
    assert tags["silent"]
    assert len(tags["data"]) == 2
    assert sum(len(s["data"]) for s in points) == 6
    assert made["legend"]["data"] == ["关键部门", "弱联系", "支撑型", "带动型"]
    lines = points[0]["markLine"]["data"]
    assert [line.get("xAxis", line.get("yAxis")) for line in lines] == [50, 0]
    biggest = max((i for s in points for i in s["data"]), key=lambda i: i["symbolSize"])
    assert biggest["name"] == NAMES[0][0]


def test_a_narrow_scatter_names_only_what_stays_inside_and_a_wide_one_takes_the_others_back():
    count = 12
    data = {"name": [f"企业名称很长的第{i}家" for i in range(count)], "x": [float(i) for i in range(count)],
            "y": [float(i % 2 or 3 * (i == 6)) for i in range(count)]}  # fmt: skip
    fields = (Field("name", TOP, "text"), Field("x", TOP), Field("y", TOP))
    finding = replace(FINDING, tables={"t": Result(pa.table(data), fields, ("name",), TOP)})
    made = option(finding, Chart("scatter", "t", {"x": "x", "y": "y", "name": "name"}, TOP), "zh")
    slim, wide = (m["option"]["series"] for m in made["media"])
    tags = made["baseOption"]["series"][-1]
    assert (slim[0]["id"], wide[0]["id"], tags["id"]) == ("names", "names", "names")
    assert wide[0]["data"] == tags["data"]
    assert 0 < len(slim[0]["data"]) < len(tags["data"]) == count
    for tag in slim[0]["data"]:
        right, at = tag["label"]["position"] == "right", tag["value"][0] / (count - 1) * 230
        room = 6 * sum(2 if ord(c) > 0x2E7F else 1 for c in tag["label"]["formatter"])
        assert (at if right else at - room) >= -40
        assert (at + room if right else at) <= 270


@pytest.mark.parametrize(("low", "least"), [(-0.01, 0), (-40.0, None), (3.0, None)])
def test_a_limit_too_small_to_be_seen_does_not_pull_the_axis_below_zero(low, least):
    data = {"name": ["a", "b"], "y": [100.0, 50.0], "low": [90.0, low], "high": [110.0, 60.0]}
    fields = (Field("name", TOP, "text"), Field("y", TOP), Field("low", TOP), Field("high", TOP))
    finding = replace(FINDING, tables={"t": Result(pa.table(data), fields, ("name",), TOP)})
    encode = {"x": "name", "y": "y", "low": "low", "high": "high"}
    made = option(finding, Chart("bar", "t", encode, TOP), "en")["baseOption"]
    assert made["xAxis"].get("min") == least


def test_a_heatmap_of_one_set_and_a_stranger_keeps_the_diagonal():
    rows = [(a, b) for a in "ABC" for b in ("C", "X", "B", "A") if a != b]
    data = {"x": [b for _, b in rows], "y": [a for a, _ in rows], "v": [0.5] * len(rows)}
    fields = (Field("x", TOP, "text"), Field("y", TOP, "text"), Field("v", TOP, "share"))
    finding = replace(FINDING, tables={"t": Result(pa.table(data), fields, ("x", "y"), TOP)})
    made = option(finding, Chart("heatmap", "t", {"x": "x", "y": "y", "value": "v"}, TOP), "en")
    assert made["xAxis"]["data"] == ["A", "B", "C", "X"]
    assert made["yAxis"]["data"] == ["A", "B", "C"]
    assert made["yAxis"]["nameLocation"] == "start"


def test_a_scatter_of_figures_has_a_ramp():
    one = Chart("scatter", "sectors", {"x": "share", "y": "change", "color": "low", "name": "name"}, TOP)
    made = option(FINDING, one, "en")["baseOption"]
    assert made["visualMap"]["max"] == 0.9
    assert made["series"][0]["data"][0]["value"][2] == 0.05


def test_a_tile_map_shows_every_province_and_a_slider():
    made = option(FINDING, chart("tilemap"), "en")
    base, frames = made["baseOption"], made["options"]
    assert base["timeline"]["data"] == ["2020", "2021", "2022"]
    assert len(frames) == 3
    for one in frames:
        data = one["series"][0]["data"]
        assert len(data) == len(tiles()) == 34
        assert len({tuple(i["value"][:2]) for i in data}) == 34
    middle = frames[1]["series"][0]["data"]
    without = [i["name"] for i in middle if i.get("visualMap") is False]
    assert len(without) == 4
    assert (base["visualMap"]["min"], base["visualMap"]["max"]) == (20, 3022)


def test_diverging_ramps_are_even_around_their_middle():
    ramp = drawn("heatmap")["visualMap"]
    assert ramp["max"] - 50 == 50 - ramp["min"]


def test_a_waterfall_ends_where_it_should():
    made = drawn("waterfall")
    bars = [i["value"][:2] for i in made["series"][0]["data"]]
    assert bars[0] == [0, 120.5]
    for before, after in pairwise(bars[:5]):
        assert after[0] == pytest.approx(before[1])
    assert bars[5] == [0, -89.75]


def test_a_radar_has_one_axis_a_measure():
    made = drawn("radar")
    assert len(made["radar"]["indicator"]) == 4
    assert made["series"][0]["data"][1]["value"] == [20, 40, 60, 80]
    assert drawn("radar", max=2)["radar"]["indicator"][0]["max"] == 200


def test_ridges_stand_on_their_own_lines():
    made = drawn("ridge")
    assert [s["areaStyle"]["origin"] for s in made["series"]] == [2, 1, 0]
    heights = [d["value"][1] - s["areaStyle"]["origin"] for s in made["series"] for d in s["data"]]
    assert max(heights) == pytest.approx(0.9)


def test_a_graph_runs_from_left_to_right():
    series = drawn("graph")["series"][0]
    at = {i["id"]: i["value"][0] for i in series["data"]}
    for link in series["links"]:
        assert at[link["source"]] < at[link["target"]]


def test_a_sankey_with_a_circle_gives_each_name_two_places():
    straight = drawn("sankey")["series"][0]
    assert {i["name"] for i in straight["data"]} == {"000", "001", "002", "003", "004", "005"}
    finding = gallery()
    edges = finding.tables["edges"]
    turned = edges.data.set_column(1, "taker", [["003", "003", "000", "005", "002"]])
    finding.tables["edges"] = type(edges)(turned, edges.fields, edges.key, edges.title)
    series = option(finding, chart("sankey"), "zh")["series"][0]
    assert all(link["source"].startswith("> ") and link["target"].endswith(" >") for link in series["links"])


def test_layers_survive_circles_and_islands():
    level = layers(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("c", "a")])
    assert level["a"] < level["b"] < level["c"]
    assert level["d"] == 0
    assert layers([], []) == {}
    rows = ordered({"a": 0, "b": 0, "x": 1, "y": 1}, [("a", "y"), ("b", "x")])
    assert [rows[0].index("a"), rows[0].index("b")] == [rows[1].index("y"), rows[1].index("x")]


def test_titles_move_the_rest_down():
    plain, titled = (drawing(FINDING, CHARTS[0], "zh", titled=t) for t in (False, True))
    assert titled.height == plain.height + 34
    assert titled.option["baseOption"]["title"][0]["text"] == "影响力最大的部门"
    assert FINDING.id in titled.option["baseOption"]["title"][1]["text"]


def test_names_resolve_to_the_readers_language():
    frame = Frame(FINDING, CHARTS[0], "en")
    assert frame.resolve("name").name == "name_en"
    assert frame.resolve("code").name == "code"
    with pytest.raises(KeyError):
        frame.resolve("nothing")


def test_an_empty_table_is_an_empty_chart():
    finding = gallery()
    for name, result in list(finding.tables.items()):
        finding.tables[name] = type(result)(result.data.slice(0, 0), result.fields, result.key, result.title)
    for one in CHARTS:
        assert json.dumps(option(finding, one, "zh"), allow_nan=False)


def test_long_texts_are_cut_by_their_width():
    assert shorten("广播电视设备", 8) == "广播电视…"
    assert shorten("abc", 8) == "abc"
    assert not math.isnan(len(shorten("", 0)))
