"""Regions: every spelling finds its place, no spelling finds two, borders and tiles are sound."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.model import regions as module
from ronghe.model.regions import (
    find_region,
    neighbour_pairs,
    provinces,
    region_names,
    regions,
    tiles,
    zone_of,
)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("44", "CN-44"),
        ("440000", "CN-44"),
        ("CN-44", "CN-44"),
        ("广东", "CN-44"),
        ("广东省", "CN-44"),
        ("粤", "CN-44"),
        ("guangdong", "CN-44"),
        ("Guangdong Province", "CN-44"),
        ("广西壮族自治区", "CN-45"),
        ("内蒙 古", "CN-15"),
        ("北\u3000\u3000京", "CN-11"),
        ("Shanxi", "CN-14"),
        ("Shaanxi", "CN-61"),
        ("Xizang", "CN-54"),
        ("全   国", "CHN"),
        ("China", "CHN"),
        ("CHN", "CHN"),
        ("中国", "CHN"),
        ("US", "USA"),
        ("usa", "USA"),
        ("United States of America", "USA"),
        ("美国", "USA"),
        ("Korea, Rep.", "KOR"),
        ("Cote d'Ivoire", "CIV"),
        ("Türkiye", "TUR"),
        ("Turkey", "TUR"),
        ("UK", "GBR"),
        ("EL", "GRC"),
        ("rom", "ROU"),
        ("ANT", "ANT"),
        ("World", "WLD"),
        ("东部地区", "CN-EAST"),
        ("香港", "CN-81"),
        ("中国香港", "HKG"),
        ("Hong Kong", "HKG"),
        ("TWN", "TWN"),
    ],
)
def test_spellings(text: str, region: str) -> None:
    assert find_region(text) == region


@pytest.mark.parametrize("text", ["", " ", "--", "内蒙占", "Atlantis", "99", "441", "CN-99", "合计"])
def test_not_a_region(text: str) -> None:
    assert find_region(text) is None


def test_thirty_one_and_thirty_four_provinces() -> None:
    assert len(provinces()) == 31
    assert len(provinces(all34=True)) == 34
    assert provinces()[0] == "CN-11"
    assert provinces()[-1] == "CN-65"
    assert set(provinces(all34=True)) - set(provinces()) == {"CN-71", "CN-81", "CN-82"}


def test_no_spelling_means_two_places_of_one_list() -> None:
    for level in ("province", "country"):
        owners: dict[str, set[str]] = {}
        for place in regions().values():
            if place.level == level:
                for name in (place.region, place.name_zh, place.name_en, *place.aliases):
                    owners.setdefault(module._key(name), set()).add(place.region)
        assert {key: value for key, value in owners.items() if len(value) > 1} == {}


def test_every_name_of_a_region_finds_it_or_its_province() -> None:
    for place in regions().values():
        for name in (place.region, place.name_zh, place.name_en, *place.aliases):
            found = find_region(name)
            assert found == place.region, f"{name} finds {found}, not {place.region}"


def test_codes_are_well_formed_and_countries_are_many() -> None:
    levels = Counter(place.level for place in regions().values())
    assert levels["country"] == 252  # the 249 of ISO 3166-1, Kosovo's user-assigned code, and two former ones
    assert levels["world"] == 1
    assert levels["group"] == 4
    assert all(len(p.region) == 3 and p.region.isupper() for p in regions().values() if p.level == "country")


def test_names() -> None:
    assert region_names("CN-44") == {"zh": "广东", "en": "Guangdong"}
    assert region_names("HKG")["zh"] == "中国香港"
    assert region_names("MAC")["zh"] == "中国澳门"
    assert region_names("TWN")["zh"] == "中国台湾"
    assert region_names("DEU") == {"zh": "德国", "en": "Germany"}
    with pytest.raises(KeyError):
        region_names("CN-99")


def test_borders() -> None:
    land = neighbour_pairs()
    assert len({frozenset(pair) for pair in land}) == len(land)
    assert all(a != b for a, b in land)
    assert {region for pair in land for region in pair} <= set(provinces(all34=True))
    degree = Counter(region for pair in land for region in pair)
    assert degree["CN-46"] == 0
    assert degree["CN-15"] == 8
    assert degree["CN-61"] == 8
    assert degree["CN-23"] == 2
    assert set(provinces()) - set(degree) == {"CN-46"}
    with_sea = neighbour_pairs(sea=True)
    assert ("CN-44", "CN-46") in with_sea
    assert set(land) < set(with_sea)


def test_land_borders_join_all_provinces_but_hainan() -> None:
    reached, edges = {"CN-11"}, neighbour_pairs()
    for _ in provinces():
        reached |= {b for a, b in edges if a in reached} | {a for a, b in edges if b in reached}
    assert set(provinces()) - reached == {"CN-46"}


def test_tiles_do_not_overlap() -> None:
    assert set(tiles()) == set(provinces(all34=True))
    assert len(set(tiles().values())) == 34
    assert all(row >= 0 and column >= 0 for row, column in tiles().values())


def test_zones_share_the_31_provinces_out() -> None:
    sizes = Counter(zone_of(region) for region in provinces())
    assert sizes == {"CN-EAST": 10, "CN-CENTRAL": 6, "CN-WEST": 12, "CN-NORTHEAST": 3}
    assert zone_of("CN-71") is None
    assert zone_of("DEU") is None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["广东", "Inner Mongolia", "Côte d'Ivoire", "US"]), st.text(alphabet=" \u3000\t.,", max_size=3))
def test_space_and_case_do_not_matter(name: str, noise: str) -> None:
    assert find_region(noise + noise.join(name.upper()) + noise) == find_region(name)
