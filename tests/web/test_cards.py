"""Cards on the page: the figures of their table, with units and traces, and words where there is nothing."""

import re
from html import unescape

import pytest

from ronghe.draw.spark import HEIGHT, WIDTH, spark
from ronghe.model.finding import Field
from ronghe.model.text import Text
from ronghe.present import figure_text, visible
from ronghe.present import number as shown_number
from ronghe.web.app import create_app
from ronghe.web.cards import cards_view
from tests.lenses.frontier.frontier_toys import brain_with, science
from tests.web.conftest import Web

LANGUAGES = ["zh", "en"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    brain = brain_with(tmp_path_factory.mktemp("cards"), science())
    return Web(create_app(brain.config, brain), brain)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_cards_carry_every_figure_of_their_table_with_its_trace(toy, lang):
    answer = toy.brain.ask("frontier")
    html = toy.get(f"/{lang}/ask/frontier?window=5").text
    assert html.count('<li class="factcard"') == 5
    table, said = answer.tables["cards"], answer.finding.cards[0]
    fields = [f for f in visible(table, lang) if f.name in said.figures and f.basis is not None]
    shown = 0
    for number, row in enumerate(table.data.to_pylist()):
        for field in (f for f in fields if row[f.name] is not None):
            address = f"/{lang}/finding/{answer.id}/trace?table=cards&column={field.name}&row={number}"
            link = f'<a class="fig" href="{re.escape(address.replace("&", "&amp;"))}">([^<]*)</a>'
            assert unescape(re.search(link, html)[1]) == figure_text(field, row, lang)
            assert toy.get(address).status_code == 200
            shown += 1
    assert shown >= 9


@pytest.mark.parametrize(("lang", "nothing"), [("zh", "湖中没有这个领域可计的记录"), ("en", "nothing to count here")])
def test_a_card_without_records_says_so_and_why(toy, lang, nothing):
    view = cards_view(toy.brain.ask("frontier").finding, lang)[0]
    empty = [c for c in view["cards"] if not c["lines"]]
    assert len(empty) == 4
    assert all(one["remark"] and one["names"] for card in empty for one in card["absent"])
    html = toy.get(f"/{lang}/ask/frontier?window=5").text
    first = html[html.index(f">{empty[0]['title']}</h3>") :].split("</li>")[0]
    assert nothing in first
    assert "<dd>0" not in first
    assert "fig" not in first


@pytest.mark.parametrize("lang", LANGUAGES)
def test_cards_are_headed_and_their_bars_are_told_in_words(toy, lang):
    html = toy.get(f"/{lang}/ask/frontier?window=5").text
    for name in re.findall(r'<li class="factcard" aria-labelledby="([^"]+)"', html):
        assert f'<h3 id="{name}">' in html
    alt = re.search(r'<svg role="img" aria-label="([^"]+)"', html)[1]
    assert "2008" in alt
    assert "15" in alt


def test_tables_to_look_up_are_folded_and_still_offered(toy):
    html = toy.get("/en/ask/frontier?window=5").text
    answer = toy.brain.ask("frontier")
    aside = [n for n, t in answer.tables.items() if t.aside]
    assert html.count('<details class="aside">') == len(aside)
    for name in answer.tables:
        assert f"table={name}" in html
    assert html.count('class="grid"') == len(answer.tables)


def test_bars_stand_to_one_scale_and_nothing_is_a_gap():
    bars = spark([0.0, None, 5.0, 10.0, 0.001])
    step = WIDTH / 5
    assert [round(b.left / step) for b in bars] == [0, 2, 3, 4]
    assert [b.height for b in bars[1:3]] == [HEIGHT / 2, HEIGHT]
    assert 0 < bars[0].height < bars[3].height < HEIGHT / 10
    assert all(b.top + b.height == pytest.approx(HEIGHT) for b in bars)
    assert spark([]) == []


def test_a_sum_of_parts_is_shown_as_the_whole_number_it_is():
    count = Field("count", Text("column.count"), "number", "none")
    assert shown_number(sum([1 / 3] * 9), count) == "3"
    assert shown_number(sum([0.1] * 10) + 284, count) == "285"
    assert shown_number(3.75, count) == "3.75"
    assert shown_number(0.0, count) == "0"
    assert shown_number(2e-12, count) == "2e-12"
