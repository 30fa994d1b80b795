"""China's science and technology yearbooks by province: the tidy R tables and the Excel sheets they came from.

Both are read into the same indicators, so the sheets check the tables; ``docs/data/cn_st_yearbook.md`` says
what was found. Key laboratories, projects and the list of prefectures and counties come along.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, not_this_format
from ronghe.sources.cn_yearbook_projects import projects
from ronghe.sources.cn_yearbook_sheets import sheets
from ronghe.sources.cn_yearbook_tidy import reader_of


class CnStYearbook:
    """Reads 中国科技统计年鉴 and 中国高技术产业统计年鉴 as the R package techme compiled them."""

    name = "cn_st_yearbook"
    version = "1"
    tables = ("indicator", "indicator_def", "laboratory", "project", "region")

    def accepts(self, raw: RawFile) -> bool:
        """Whether the file is a tidy table (``data/*.rda``), a sheet (``raw/*.xlsx``) or the list of projects."""
        path = PurePosixPath(raw.name)
        return path.suffix == ".xlsx" or path.name == "PubNKRDP.csv" or reader_of(raw) is not None

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """The file's records; see the reader of its kind."""
        path = PurePosixPath(raw.name)
        if path.suffix == ".xlsx":
            return sheets(raw)
        if path.name == "PubNKRDP.csv":
            return projects(raw)
        reader = reader_of(raw)
        if reader is None:
            raise not_this_format(raw, Text("format.yearbook_table"), Text("why.no_such_file"))
        return reader(raw)
