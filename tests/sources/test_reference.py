"""The built-in reference dataset: every region once, from the package's own files."""

from pathlib import Path

import pytest

from ronghe.errors import SourceError
from ronghe.model.regions import regions
from ronghe.sources.base import RawFile, Source
from ronghe.sources.reference import Reference


def test_gives_every_region_once_with_its_line() -> None:
    source = Reference()
    assert isinstance(source, Source)
    rows = []
    for raw in source.raw_files():
        assert source.accepts(raw)
        (chunk,) = source.parse(raw)
        table = chunk.rows["region"]
        assert chunk.records == table.num_rows
        rows += table.to_pylist()
    assert [row["region"] for row in rows] == list(regions())
    guangdong = next(row for row in rows if row["region"] == "CN-44")
    assert (guangdong["name_zh"], guangdong["name_en"], guangdong["parent"]) == ("广东", "Guangdong", "CHN")
    assert "广东省" in guangdong["aliases"]
    assert {row["parent"] for row in rows} <= {None, *regions()}


def test_the_same_bytes_give_the_same_files() -> None:
    assert [raw.sha256 for raw in Reference().raw_files()] == [raw.sha256 for raw in Reference().raw_files()]
    assert "babel" in Reference().version


@pytest.mark.parametrize("text", ["region\nCN-99\n", "region\n", "other\nCN-11\n"])
def test_a_list_that_is_not_this_versions_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "regions.csv"
    path.write_text(text, encoding="utf-8")
    raw = RawFile(path, "reference", "regions.csv", "", len(text))
    with pytest.raises(SourceError):
        list(Reference().parse(raw))
