"""The chip supply chain: five small files in the publisher's layout."""

from pathlib import Path

import pytest

from ronghe.errors import SourceError
from ronghe.sources.base import Source
from ronghe.sources.csv_rows import Fault
from ronghe.sources.eto_chips import EtoChips, market_size

from .raw import Parsed, raw_at, raw_file

MARKET = "market_share_chart_global_market_size_info,market_share_chart_caption,market_share_chart_source"
INPUTS = f"""\
input_id,input_name,type,stage_name,stage_id,description,year,{MARKET}
N0,Chip design,process,Design,S1,"Two
lines",2022,$574.1 billion (2022),,Somebody
N31,Photoresists,material_resource,,,,2019,$3.3 billion (all),Cap,
N92,Wet chemicals,material_resource,,,,,,,
N91,Gases,material_resource,,,,2019,six billion,,
N90,Pads,material_resource,,,,2019年,,,
"""
PROVIDERS = """\
provider_name,alias,provider_id,provider_type,country
USA,United States,P1,country,
EUR,Europe,P312,country,EUR
Various countries,,P5,country,
ARM,,P198,organization,GBR
Various companies,,P370,organization,Various countries
Nowhere Ltd,,P9,organization,ATL
Guild,,P10,union,CHN
"""


def test_is_a_source() -> None:
    assert isinstance(EtoChips(), Source)


def test_accepts_data_files_only(tmp_path: Path) -> None:
    names = ("data/inputs.csv", "data/site_artifacts/images.csv", "README.md")
    assert [EtoChips().accepts(raw_file(tmp_path, n, "x")) for n in names] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", (None, "")),
        ("$10.9 billion", (10.9, "")),
        ("$0.4 million (2025)", (0.0004, "(2025)")),
        ("$1,044 million (2025)", (1.044, "(2025)")),
        ("$1 trillion", (1000.0, "")),
    ],
)
def test_market_size(text: str, size: tuple[float | None, str]) -> None:
    assert market_size(text) == size


@pytest.mark.parametrize("text", ["10 billion", "$ten billion", "$1.2.3 billion", "$5"])
def test_market_size_that_is_none(text: str) -> None:
    with pytest.raises(Fault):
        market_size(text)


def test_inputs(tmp_path: Path) -> None:
    found = Parsed(EtoChips(), raw_file(tmp_path, "data/inputs.csv", INPUTS))
    assert found.balance == (5, 3, 0, 2)
    design, resist, wet = found.rows("supply_step")
    assert (design["step"], design["name_zh"], design["stage_zh"]) == ("N0", "芯片设计", "设计")
    assert (design["market_size"], design["market_note"]) == (574.1, "(2022)\nSomebody")
    assert (resist["name_zh"], resist["market_note"], resist["stage"]) == ("光刻胶", "(all)\nCap", None)
    assert (wet["market_size"], wet["market_note"], wet["year"]) == (None, None, None)
    assert [r["_row"] for r in found.rows("supply_step")] == [2, 3, 4]
    assert [(r.row, r.column, r.value, r.reason) for r in found.rejected] == [
        (5, "market_size", "six billion", "type"),
        (6, "year", "2019年", "year"),
    ]


def test_providers_are_countries_firms_groups_or_the_rest(tmp_path: Path) -> None:
    found = Parsed(EtoChips(), raw_file(tmp_path, "data/providers.csv", PROVIDERS))
    keys = ("provider", "provider_type", "scope", "name_zh", "name_en", "country")
    assert [tuple(r[k] for k in keys) for r in found.rows("provider")] == [
        ("P1", "country", "one", "美国", "United States", "USA"),
        ("P312", "country", "group", "欧洲", "Europe", None),
        ("P5", "country", "rest", "其他国家", "Various countries", None),
        ("P198", "firm", "one", None, "ARM", "GBR"),
        ("P370", "firm", "rest", "其他企业", "Various companies", None),
    ]
    assert [(r.value, r.reason) for r in found.rejected] == [("ATL", "unknown_region"), ("union", "allowed")]


def test_provision_without_share_is_presence(tmp_path: Path) -> None:
    head = "provider_name,provider_id,provided_name,provided_id,share_provided,year,source\n"
    lines = (
        "A,P1,Wafer,N26,2.4,2025,who\nB,P2,Wafer,N26,,2019,\nC,P3,Wafer,N26,half,2019,\nD,,Wafer,N26,1,2019,\nE,P5\n"
    )
    found = Parsed(EtoChips(), raw_file(tmp_path, "data/provision.csv", head + lines))
    assert [(r["provider"], r["share"], r["year"], r["note"]) for r in found.rows("provision")] == [
        ("P1", 2.4, 2025, "who"),
        ("P2", None, 2019, None),
    ]
    assert [(r.row, r.reason) for r in found.rejected] == [(4, "share"), (5, "null"), (6, "type")]


def test_links_are_of_one_kind(tmp_path: Path) -> None:
    text = (
        "input_name,input_id,goes_into_name,goes_into_id,is_type_of_name,is_type_of_id\n"
        "a,N8,w,N26,,\nb,N20,,,l,N19\nc,N1,x,N2,y,N3\nd,N4,,,,\n"
    )
    found = Parsed(EtoChips(), raw_file(tmp_path, "data/sequence.csv", text))
    assert [(r["from_step"], r["to_step"], r["kind"]) for r in found.rows("supply_link")] == [
        ("N8", "N26", "goes_into"),
        ("N20", "N19", "is_type_of"),
    ]
    assert [(r.row, r.reason) for r in found.rejected] == [(4, "two_kinds"), (5, "two_kinds")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "source_empty"),
        (b"\xef\xbb\xbf", "source_format"),
        (b"<html>404</html>", "source_format"),
        ("省份,数值\n".encode("gb18030"), "source_format"),
        (b'input_id,"unclosed\n', "source_format"),
    ],
)
def test_not_this_format(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        Parsed(EtoChips(), raw_file(tmp_path, "data/inputs.csv", data))
    assert caught.value.code == code


@pytest.mark.mirror
def test_the_mirror(mirror: Path) -> None:
    folder = mirror / "eto_chips" / "data"
    found = {n: Parsed(EtoChips(), raw_at(folder / f"{n}.csv", f"data/{n}.csv")) for n in
             ("inputs", "stages", "sequence", "providers", "provision")}  # fmt: skip
    assert {n: p.balance for n, p in found.items()} == {
        "inputs": (126, 126, 0, 0),
        "stages": (3, 3, 0, 0),
        "sequence": (139, 139, 0, 0),
        "providers": (403, 403, 0, 0),
        "provision": (1300, 1300, 0, 0),
    }
    steps = found["inputs"].rows("supply_step") + found["stages"].rows("supply_step")
    assert not [s["step"] for s in steps if not s["name_zh"]]
    assert len({s["name_zh"] for s in steps}) == len(steps)
    known = {s["step"] for s in steps}
    assert {r["step"] for r in found["provision"].rows("provision")} <= known
    assert {r[k] for r in found["sequence"].rows("supply_link") for k in ("from_step", "to_step")} <= known
    providers = {r["provider"]: r for r in found["providers"].rows("provider")}
    assert {r["provider"] for r in found["provision"].rows("provision")} <= set(providers)
    assert sum(p["provider_type"] == "country" for p in providers.values()) == 23
