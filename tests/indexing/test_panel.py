"""Figures become indicators: units, quantities, transforms, directions, gaps."""

import numpy as np
import pytest

from ronghe.errors import AskError, NoData
from ronghe.indexing.figures import base_values
from ronghe.indexing.panel import build, complete, figures_of, region_set
from ronghe.indexing.reading import parse_system
from tests.indexing.toys import PROVINCES, SYSTEM, UNITS, YEARS, cells

NAMES = {r: {"zh": r, "en": r} for r in PROVINCES}


def columns(values):
    rows = [(k, r, y, v, UNITS.get(k, "index")) for (k, r, y), v in values.items()]
    keys = ("indicator", "region", "year", "value", "unit")
    return {key: [row[i] for row in rows] for i, key in enumerate(keys)}


def panel_of(text=SYSTEM, values=None, missing=None):
    system = parse_system(text, "toy.toml")
    figures, years = figures_of(system, columns(cells() if values is None else values), {})
    return build(figures, years, system.indicators, NAMES, missing), system


def test_values_are_what_a_calculator_gives():
    values = cells()
    panel, _ = panel_of(values=values)
    assert (panel.years, panel.regions) == (YEARS, PROVINCES)
    v = {k: values[k, "CN-31", 2020] for k in UNITS}
    gdp = v["money"] * 1e4 / (v["rate"] / 100)  # yuan
    total = sum(values["sales", r, 2020] for r in PROVINCES)
    expected = [v["papers"] / (gdp / 1e8), v["rate"], 100 * v["sales"] / total, v["waste"] / v["sales"]]
    np.testing.assert_allclose(panel.values[2, 0], expected, rtol=1e-13)
    assert panel.units == ("item/CNY_100m", "percent", "percent", "ratio")
    np.testing.assert_array_equal(panel.oriented[..., 3], -panel.values[..., 3])


def test_growth_takes_the_year_before_the_window():
    text = SYSTEM.replace('transform = "share"', 'transform = "growth"').replace(
        'regions = "provinces"', 'regions = "provinces"\nyears = [2019, 2021]'
    )
    values = cells()
    panel, _ = panel_of(text, values)
    assert panel.years == (2019, 2020, 2021)
    expected = 100 * (values["sales", "CN-44", 2019] / values["sales", "CN-44", 2018] - 1)
    assert panel.values[0, PROVINCES.index("CN-44"), 2] == pytest.approx(expected, rel=1e-12)


def test_money_is_put_into_the_prices_of_a_year():
    text = SYSTEM.replace(
        'of = "sales"\ntransform = "share"', 'of = "sales"\nunit = "CNY_100m"\ndeflator = "cpi"\nprice_year = 2020'
    )
    values = cells() | {("cpi", r, y): 100.0 + 5 * (y - 2018) for r in PROVINCES for y in YEARS}
    panel, _ = panel_of(text, values)
    assert panel.values[0, 0, 2] == pytest.approx(values["sales", "CN-31", 2018] * 110 / 100)
    assert panel.values[2, 0, 2] == pytest.approx(values["sales", "CN-31", 2020])


def test_an_interval_counts_the_distance_to_it():
    text = SYSTEM.replace('direction = "cost"', 'direction = "interval"\ninterval = [0.08, 0.09]')
    panel, _ = panel_of(text)
    raw, turned = panel.values[..., 3], panel.oriented[..., 3]
    np.testing.assert_allclose(turned, -np.maximum(np.maximum(0.08 - raw, raw - 0.09), 0), atol=1e-15)


def test_gaps_are_filled_as_told_and_marked():
    values = cells()
    del values["waste", "CN-44", 2019]
    values["waste", "CN-44", 2020] = None
    panel, system = panel_of(values=values)
    at = PROVINCES.index("CN-44")
    a, b = panel.values[0, at, 3], panel.values[3, at, 3]
    np.testing.assert_allclose(panel.values[1:3, at, 3], [a + (b - a) / 3, a + 2 * (b - a) / 3])
    assert panel.filled.sum() == 2
    assert panel.filled[1:3, at, 3].all()
    assert (panel.sd > 0).sum() == 2
    assert complete(panel, system) is panel


def test_gaps_left_are_refused_by_name_or_leave_the_region_out():
    values = {k: v for k, v in cells().items() if k[:2] != ("waste", "CN-46")}
    panel, system = panel_of(values=values)
    with pytest.raises(AskError) as caught:
        complete(panel, system)
    assert caught.value.code == "gaps_left"
    for lang, word in (("zh", "丁"), ("en", "D")):
        assert word in caught.value.say(lang)
        assert "CN-46" in caught.value.say(lang)
    panel, system = panel_of(SYSTEM.replace("[[subsystem]]", 'gaps = "drop_regions"\n[[subsystem]]', 1), values)
    rest = complete(panel, system)
    assert rest.regions == tuple(r for r in PROVINCES if r != "CN-46")
    assert rest.dropped == {"CN-46": ("d",)}


def test_a_model_needs_something_in_every_region():
    values = {k: v for k, v in cells().items() if k[:2] != ("waste", "CN-46")}
    with pytest.raises(AskError) as caught:
        panel_of(values=values, missing="model")
    assert caught.value.code == "gap_model"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('unit = "item/CNY_100m"', 'unit = "item/person"', "system_dimension"),
        ('unit = "item/CNY_100m"', 'unit = "item"', "system_dimension"),
        ('of = "papers"\nover = "gdp"', 'of = ["papers", "money"]\nover = "gdp"', "system_sum"),
        ('of = "sales"\ntransform', 'of = "salez"\ntransform', "unknown_source"),
        ('transform = "share"', 'deflator = "rate"\nprice_year = 2030', "system_price_year"),
    ],
)
def test_what_can_not_be_made_is_a_clear_error(old, new, code):
    text = SYSTEM.replace(old, new, 1)
    assert text != SYSTEM
    with pytest.raises(AskError) as caught:
        panel_of(text)
    assert caught.value.code == code
    assert caught.value.say("zh")
    assert caught.value.say("en")


def test_a_logarithm_of_zero_names_the_regions():
    values = cells()
    values["sales", "CN-32", 2019] = 0.0
    with pytest.raises(AskError) as caught:
        panel_of(SYSTEM.replace('transform = "share"', 'transform = "log"'), values)
    assert caught.value.code == "system_log"
    assert "Jiangsu" in caught.value.say("en")
    assert "江苏" in caught.value.say("zh")


def test_one_indicator_in_two_kinds_of_unit_is_refused():
    rows = columns(cells())
    rows["unit"][rows["indicator"].index("sales")] = "person"
    with pytest.raises(AskError) as caught:
        base_values(rows, YEARS, PROVINCES)
    assert caught.value.code == "mixed_units"


def test_no_year_or_region_at_all():
    system = parse_system(SYSTEM.replace('"provinces"', '"provinces"\nyears = [1990, 1995]'), "toy.toml")
    with pytest.raises(NoData):
        figures_of(system, columns(cells()), {})


def test_sets_of_regions():
    system = parse_system(SYSTEM, "toy.toml")
    held = ["CN-44", "CHN", "DEU", "CN-11", "CN-440305"]
    assert region_set(system, held) == ("CN-11", "CN-44")
    countries = parse_system(SYSTEM.replace('"provinces"', '"countries"'), "toy.toml")
    assert region_set(countries, held) == ("CHN", "DEU")
    mine = parse_system(SYSTEM.replace('"provinces"', '["广东", "CN-440305"]'), "toy.toml")
    assert region_set(mine, held) == ("CN-44", "CN-440305")
