"""Figures on axes: one file says them for the page and for pictures, with 万 and million or as powers of ten."""

import json
import re
from dataclasses import replace
from importlib.resources import files

import pyarrow as pa
import pytest

from ronghe.draw import option
from ronghe.export.picture import figures
from ronghe.model.finding import Chart
from ronghe.model.text import Text
from tests.web.samples import gallery

SAID = [
    (0, "0", "0"), (7, "7", "7"), (0.25, "0.25", "0.25"), (0.001, "0.001", "0.001"), (1e-4, "10{e|-4}", "10{e|-4}"),
    (2.5e-7, "2.5×10{e|-7}", "2.5×10{e|-7}"), (0.30000000000000004, "0.3", "0.3"), (99_999, "99,999", "99,999"),
    (1e5, "10万", "100,000"), (2.5e6, "250万", "2.5 million"), (1e7, "1,000万", "10 million"),
    (1e8, "1亿", "100 million"), (3.2e9, "32亿", "3.2 billion"), (1e12, "1万亿", "1 trillion"),
    (1e16, "10{e|16}", "10{e|16}"), (1e17, "10{e|17}", "10{e|17}"), (-1e5, "-10万", "-100,000"),
    (-3e18, "-3×10{e|18}", "-3×10{e|18}"),
]  # fmt: skip
PLAIN = [(1e5, "100,000"), (1e8, "100,000,000"), (1e9, "10{e|9}"), (1e21, "10{e|21}"), (1e-5, "10{e|-5}")]


@pytest.fixture(scope="module")
def say():
    racer = pytest.importorskip("py_mini_racer")
    engine = racer.MiniRacer()
    engine.eval(files("ronghe").joinpath("web", "static", "axes.js").read_text(encoding="utf-8"))

    def said(value, lang, words=True):
        axis = {"axisLabel": {"formatter": {"figures": lang, "words": words}}}
        made = json.dumps({"baseOption": {"xAxis": [axis], "yAxis": axis}})
        return engine.eval(f"axisFigures({made}).baseOption.xAxis[0].axisLabel.formatter({value!r})")

    yield said
    engine.close()


@pytest.mark.parametrize(("value", "zh", "en"), SAID)
def test_large_and_small_figures_are_written_as_the_language_does(say, value, zh, en):
    assert (say(value, "zh"), say(value, "en")) == (zh, en)


@pytest.mark.parametrize(("value", "said"), PLAIN)
def test_beside_a_unit_with_a_multiple_no_second_one_stands(say, value, said):
    assert say(value, "zh", words=False) == say(value, "en", words=False) == said


def test_the_axis_of_ten_thousand_yuan_asks_for_no_words_and_shares_keep_their_sign():
    chart = Chart("scatter", "sectors", {"x": "output", "y": "share", "name": "name"}, Text("structure.top"))
    made = option(gallery(), chart, "zh")["baseOption"]
    assert made["xAxis"]["axisLabel"]["formatter"] == {"figures": "zh", "words": False}
    assert made["yAxis"]["axisLabel"]["formatter"] == "{value}%"


def _drawn(values, unit, lang):
    finding = gallery()
    table = finding.tables["sectors"]
    data = table.data.set_column(table.data.schema.get_field_index("change"), "change", pa.array(values, pa.float64()))
    fields = tuple(replace(f, unit=unit) if f.name == "change" else f for f in table.fields)
    chart = Chart("scatter", "sectors", {"x": "share", "y": "change"}, Text("structure.top"), {"y_log": True})
    given = replace(finding, tables={"sectors": replace(table, data=data, fields=fields)})
    return re.findall(r"<text[^>]*>([^<]*)</text>", figures(given, [chart], lang)[0].svg)


def test_a_picture_of_large_figures_has_powers_and_not_seventeen_digits():
    texts = _drawn([1e3, 1e12, 1e21, 5e13, 2e14, 1e7], "flop", "zh")
    assert {"10", "20"} <= set(texts)
    assert not [t for t in texts if "000000" in t.replace(",", "") or "万" in t]


@pytest.mark.parametrize(("lang", "words"), [("zh", {"100万", "1亿"}), ("en", {"1 million", "100 million"})])
def test_a_picture_says_figures_as_its_language_does(lang, words):
    assert words <= set(_drawn([1e3, 1e4, 1e5, 1e6, 1e8, 1e8], "flop", lang))
