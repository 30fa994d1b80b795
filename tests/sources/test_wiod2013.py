"""World tables: small ones in the R package's layout, then every real year of the mirror."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import rdata

from ronghe.errors import SourceError
from ronghe.lake.check import check_chunk
from ronghe.sources.base import Chunk, RawFile, Source
from ronghe.sources.fetch import raw_file
from ronghe.sources.wiod2013 import LOSS_PER_CELL, Wiod2013, parse_world


def world(seed: int = 0) -> dict[str, Any]:
    """Three regions with two industries each, balanced to the unit."""
    rng = np.random.default_rng(seed)
    inter = rng.integers(0, 4, (6, 6)).astype(float)
    final = rng.integers(-1, 6, (6, 15)).astype(float)
    return {
        "year": np.array([1995], dtype=np.int32),
        "countries": np.array(["CHN", "ROM", "RoW"]),
        "industries": np.array(["c1", "c2"]),
        "final": final,
        "output": inter.sum(axis=1) + final.sum(axis=1),
        "inter": inter,
    }


def tables(chunks: list[Chunk]) -> dict[str, pa.Table]:
    found: dict[str, list[pa.Table]] = {}
    for chunk in chunks:
        for name, rows in chunk.rows.items():
            found.setdefault(name, []).append(rows)
    return {name: pa.concat_tables(parts) for name, parts in found.items()}


def assert_balanced(chunks: list[Chunk]) -> None:
    for chunk in chunks:
        lines = pa.concat_tables([rows.select(["_part", "_row", "_col"]) for rows in chunk.rows.values()])
        held = lines.group_by(["_part", "_row", "_col"]).aggregate([]).num_rows
        assert chunk.records == held + sum(s.count for s in chunk.skipped)
        assert check_chunk(chunk).rejected == ()


def refused(content: Any, part: str = "wiot_1995") -> SourceError:
    with pytest.raises(SourceError) as error:
        list(parse_world(content, part, "x.RData"))
    assert error.value.say("zh") != error.value.say("en")
    return error.value


def test_it_is_a_source() -> None:
    source = Wiod2013()
    assert isinstance(source, Source)
    names = {"wiot_1995.RData": True, "data/wiot_2011.RData": True, "wiot_regional_1995.RData": False, "x.md": False}
    for name, wanted in names.items():
        assert source.accepts(RawFile(Path(name), "wiod2013", name, "", 1)) is wanted


@pytest.mark.parametrize("seed", range(5))
def test_every_cell_is_where_it_was(seed: int) -> None:
    content = world(seed)
    chunks = list(parse_world(content, "wiot_1995", "x.RData"))
    assert_balanced(chunks)
    regions, industries, final_uses = ["CHN", "ROU", "ROW"], ["c1", "c2"], ["hh", "npish", "gov", "gfcf", "inv"]
    inter, final = np.zeros((6, 6)), np.zeros((6, 15))
    output = np.zeros(6)
    for r in tables(chunks)["io_cell"].to_pylist():
        row = regions.index(r["row_region"]) * 2 + industries.index(r["row"])
        assert r["_row"] == row + 1
        if r["block"] == "Z":
            column = regions.index(r["col_region"]) * 2 + industries.index(r["col"])
            inter[row, column] = r["value"]
            assert (r["_part"], r["_col"]) == ("wiot_1995$inter", f"V{column + 1}")
        elif r["block"] == "F":
            column = regions.index(r["col_region"]) * 5 + final_uses.index(r["col"])
            final[row, column] = r["value"]
            assert (r["_part"], r["_col"]) == ("wiot_1995$final", f"V{column + 1}")
        else:
            output[row] = r["value"]
            assert (r["_part"], r["_col"], r["col_region"]) == ("wiot_1995$output", None, r["row_region"])
    np.testing.assert_array_equal(inter, content["inter"])
    np.testing.assert_array_equal(final, content["final"])
    np.testing.assert_array_equal(output, content["output"])


def test_the_table_says_what_it_is() -> None:
    held = tables(list(parse_world(world(), "wiot_1995", "x.RData")))
    (row,) = held["io_table"].to_pylist()
    assert (row["table_id"], row["economy"], row["kind"]) == ("wiod13-1995", "WORLD", "multiregional")
    assert (row["sectors"], row["regions"], row["unit"]) == (2, 3, "USD_m")
    assert row["residual"] == 0.0
    assert row["tolerance"] == pytest.approx(LOSS_PER_CELL * 21)
    assert row["column_residual"] is None
    assert held["io_item"].column("code").to_pylist() == ["hh", "npish", "gov", "gfcf", "inv", "GO"]
    assert held["industry"].column("name_zh").to_pylist() == ["农林牧渔业", "采矿业"]


def test_an_old_country_code_is_mended_in_the_open() -> None:
    chunks = list(parse_world(world(), "wiot_1995", "x.RData"))
    repairs = [(r.row, r.old, r.new) for chunk in chunks for r in chunk.repairs]
    assert repairs == [(2, "ROM", "ROU"), (3, "RoW", "ROW")]
    regions = {r["region"]: r for r in tables(chunks)["region"].to_pylist()}
    assert regions["ROU"]["aliases"] == ["ROM"]
    assert regions["CHN"]["aliases"] == []
    assert regions["ROW"]["level"] == "group"


def test_the_file_as_r_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "wiot_1995.RData"
    rdata.write_rda(file, {"wiot_1995": world()})
    found = list(Wiod2013().parse(raw_file(file, "wiod2013", file.name)))
    assert tables(found)["io_cell"].equals(tables(list(parse_world(world(), "wiot_1995", "x")))["io_cell"])


def test_an_unbalanced_row_names_region_and_industry() -> None:
    content = world()
    content["output"][3] += 3.0
    error = refused(content)
    assert error.code == "source_unbalanced"
    assert (error.args_["where"], error.args_["residual"]) == ("ROM c2", "-3")
    content["output"][3] -= 1.0
    assert list(parse_world(content, "wiot_1995", "x.RData"))


@pytest.mark.parametrize("member", ["inter", "final", "output"])
def test_a_blank_is_named(member: str) -> None:
    content = world()
    content[member][(1, 2) if member != "output" else (1,)] = np.nan
    error = refused(content)
    assert error.code == "source_io_value"
    assert (error.args_["table"], error.args_["row"]) == (f"wiot_1995${member}", 2)


@pytest.mark.parametrize(
    "change",
    [
        {"inter": np.zeros((5, 6))},
        {"final": np.zeros((6, 14))},
        {"output": np.zeros(7)},
        {"year": np.array([1995, 1996])},
        {"inter": np.array([["a"] * 6] * 6)},
        {"countries": np.array(["CHN", "ROM"])},
    ],
)
def test_a_wrong_shape_is_refused(change: dict[str, Any]) -> None:
    assert refused({**world(), **change}).code == "source_wiod_shape"


def test_a_member_that_is_missing_is_refused() -> None:
    content = world()
    del content["output"]
    assert refused(content).code == "source_wiod_shape"
    assert refused(np.zeros(3)).code == "source_wiod_shape"


@pytest.mark.parametrize("change", [{"countries": ["CHN", "XXX", "RoW"]}, {"industries": ["c1", "CHN"]}])
def test_an_unknown_name_is_refused(change: dict[str, Any]) -> None:
    assert refused({**world(), **{k: np.array(v) for k, v in change.items()}}).code == "source_wiod_name"


@pytest.mark.parametrize(
    ("cut", "code"),
    [(slice(0, 0), "source_empty"), (slice(0, -30), "source_truncated"), (slice(9, None), "source_format")],
)
def test_a_file_that_was_cut(tmp_path: Path, cut: slice, code: str) -> None:
    file = tmp_path / "wiot_1995.RData"
    rdata.write_rda(file, {"wiot_1995": world()})
    file.write_bytes(file.read_bytes()[cut])
    with pytest.raises(SourceError) as error:
        list(Wiod2013().parse(raw_file(file, "wiod2013", file.name)))
    assert error.value.code == code


@pytest.mark.mirror
@pytest.mark.parametrize("year", [1995, 2000, 2005, 2009, 2011])
def test_every_real_year(mirror: Path, year: int) -> None:
    name = f"wiot_{year}.RData"
    chunks = list(Wiod2013().parse(raw_file(mirror / "wiod2013" / name, "wiod2013", name)))
    assert_balanced(chunks)
    assert sum(chunk.records for chunk in chunks) == 1435 * 1435 + 1435 * 205 + 1435 + 41 + 35 + 1
    held = tables(chunks)
    (row,) = held["io_table"].to_pylist()
    assert (row["table_id"], row["regions"], row["sectors"]) == (f"wiod13-{year}", 41, 35)
    assert 100 < row["residual"] < 115
    # Government and households are told apart by size: final uses stand in this order in every region.
    sums = (
        held["io_cell"]
        .filter(pa.compute.equal(held["io_cell"]["block"], "F"))
        .group_by("col")
        .aggregate([("value", "sum")])
    )
    by_use = dict(zip(sums["col"].to_pylist(), sums["value_sum"].to_pylist(), strict=True))
    assert sorted(by_use, key=lambda use: -by_use[use])[:3] == ["hh", "gfcf", "gov"]
