"""From traded products to industries: the Harmonised System (1988/92 and 2012) to ISIC Rev. 3.

Liao, Kim, Miyano & Zhang, R package *concordance*. Each six-digit product has one four-digit industry, weight 1; what
the publisher leaves open is skipped. A record is a line of the data frame.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Skipped, not_this_format, table_of
from ronghe.sources.r_data import read_r

_VERSIONS: Mapping[str, str] = MappingProxyType({"HS0": "1988", "HS4": "2012"})
_FILES = ("hs0_isic3.RData", "hs4_isic3.RData")


class Crosswalks:
    """Reads ``hs0_isic3.RData`` and ``hs4_isic3.RData``."""

    name = "crosswalks"
    version = "1"
    tables = ("crosswalk", "classification")

    def accepts(self, raw: RawFile) -> bool:
        """The two concordances; descriptions of products are another matter."""
        return raw.name.rsplit("/", 1)[-1] in _FILES

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk of some five thousand lines."""
        frames = [v for v in read_r(raw).values() if isinstance(v, pd.DataFrame)]
        edition = next((e for e in _VERSIONS if frames and f"{e}_6d" in frames[0].columns), None)
        if edition is None or "ISIC3_4d" not in frames[0].columns:
            raise not_this_format(
                raw, Text("format.columns", {"columns": ["HS*_6d", "ISIC3_4d"]}), Text("why.first_line")
            )
        frame = frames[0].reset_index(drop=True)
        pairs = frame[[f"{edition}_6d", "ISIC3_4d"]].astype("string")
        known = (pairs.notna() & (pairs != "") & (pairs != "NA")).all(axis=1)
        taken = pairs[known]
        again = taken.duplicated()
        taken = taken[~again]
        rows: dict[str, Any] = {
            "crosswalk": table_of(
                "crosswalk",
                {"from_classification": "hs", "from_version": _VERSIONS[edition],
                 "from_code": taken.iloc[:, 0].tolist(), "to_classification": "isic", "to_version": "3",
                 "to_code": taken.iloc[:, 1].tolist(), "weight": 1.0, "method": "publisher"},
                row=(taken.index + 1).tolist(),
            ),
            "classification": _names(_VERSIONS[edition], [int(i) + 1 for i in taken.index[:1]]),
        }  # fmt: skip
        skipped = [Skipped("blank", int((~known).sum()))] if (~known).any() else []
        skipped += [Skipped("duplicate", int(again.sum()))] if again.any() else []
        yield Chunk(len(frame), rows, skipped)


def _names(edition: str, row: list[int]) -> Any:
    two = [row[0], row[0]] if row else []
    return table_of(
        "classification",
        {"classification": ["hs", "isic"][: len(two)], "version": [edition, "3"][: len(two)],
         "name_zh": [f"商品名称及编码协调制度（{edition}年版）", "国际标准行业分类（第三版）"][: len(two)],
         "name_en": [f"Harmonised System, {edition}", "ISIC Rev. 3"][: len(two)],
         "kind": ["product", "industry"][: len(two)]},
        row=two,
    )  # fmt: skip
