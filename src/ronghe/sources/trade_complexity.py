"""World trade by product and published complexity (R package economiccomplexity), as R data.

``world_trade_avg_1998_to_2000.rda``: exports of 226 countries by 785 products of SITC Rev. 2, one average of the
years 1998 to 2000 (dated 1999, ``years`` = 3). The package averages over single flows, each of one year and one
partner, not over years: values are means of bilateral flows, as their unit says, and add up to 120 billion dollars
where the world traded some 5,600. Against the exports of goods in WIOD 2000 they are 115 times too low for Germany,
67 for China, 30 for Canada: countries with few partners look larger than they are. ``economiccomplexity_output.rda``:
the indices that the package computed from it, to compare with; they are the fitness and complexity of Tacchella et
al. after twenty rounds, though the file calls them complexity indices, and not the ECI.
``world_gdp_avg_1998_to_2000.rda``: GDP per person, the same average. A record is a row of a data frame or an element
of a vector; matrices of proximity and advantage follow from the trade and are not read. Nor are the OEC's sections
and Ukraine's exports: they state no year, or one country only.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from ronghe.model.regions import find_region
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, rows_of, table_of, wanted
from ronghe.sources.r_data import read_r

SITC = ("SITC", "2")
YEAR, YEARS = 1999, 3
_NOTE = "average of 1998 to 2000"
_GDP = "gdp_per_person_1999"
_MEASURES = MappingProxyType(
    {"complexity_index_country": ("country", "fitness"), "complexity_index_product": ("product", "product_complexity")}
)
_AGGREGATES = frozenset({
    "arb", "ceb", "css", "eap", "ear", "eas", "eca", "ecs", "emu", "euu", "fcs", "hic", "hpc", "ibd", "ibt", "ida",
    "idb", "idx", "lac", "lcn", "ldc", "lic", "lmc", "lmy", "lte", "mea", "mic", "mna", "nac", "oed", "oss", "pre",
    "pss", "pst", "sas", "ssa", "ssf", "sst", "tea", "tec", "tla", "tmn", "tsa", "tss", "umc",
})  # fmt: skip
"""The World Bank's codes of groups of countries, skipped."""

_FILES = MappingProxyType(
    {
        "world_trade_avg_1998_to_2000.rda": "world_trade_avg_1998_to_2000",
        "world_gdp_avg_1998_to_2000.rda": "world_gdp_avg_1998_to_2000",
        "economiccomplexity_output.rda": "economiccomplexity_output",
    }
)


class TradeComplexity:
    """Trade by product and published complexity. See the module."""

    name = "trade_complexity"
    version = "2"
    tables = ("trade", "published_complexity", "indicator", "indicator_def", "classification")

    def accepts(self, raw: RawFile) -> bool:
        """The three R files."""
        return raw.name.rsplit("/", 1)[-1] in _FILES

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk."""
        name = _FILES.get(raw.name.rsplit("/", 1)[-1])
        if name is None:
            raise not_this_format(raw, ", ".join(_FILES), Text("why.no_such_file"))
        found = read_r(raw).get(name)
        if name == "economiccomplexity_output":
            yield _complexity(raw, found)
            return
        columns = {"country", "value"} | ({"product"} if "trade" in name else set())
        if not isinstance(found, pd.DataFrame) or not columns <= set(found.columns):
            raise not_this_format(
                raw, Text("format.data_frame", {"name": name}), Text("why.no_column", {"columns": sorted(columns)})
            )
        yield _trade(found) if "trade" in name else _gdp(found)


def _trade(frame: pd.DataFrame) -> Chunk:
    regions = frame["country"].map(_regions(frame["country"]))
    numbers = pd.RangeIndex(1, len(frame) + 1)
    known = regions.notna().to_numpy()
    rejected = [
        Rejected("", int(number), "region", str(country), "unknown_region", wanted("country3"))
        for number, country in zip(numbers[~known], frame["country"][~known], strict=True)
    ]
    columns = {
        "region": regions[known].tolist(),
        "partner": "WLD",
        "flow": "export",
        "classification": SITC[0],
        "version": SITC[1],
        "product": frame["product"][known].astype(str).tolist(),
        "year": YEAR,
        "years": YEARS,
        "value": frame["value"][known].tolist(),
        "unit": "USD_per_flow",
        "note": _NOTE,
    }
    trade = table_of("trade", columns, row=numbers[known].tolist())
    first = numbers[known][:1].tolist()
    named = {
        "classification": SITC[0],
        "version": SITC[1],
        "name_zh": "国际贸易标准分类（第2修订版）",
        "name_en": "SITC Rev. 2",
        "publisher": "United Nations",
        "kind": "product",
        "_part": "",
    }
    tables = {"trade": trade, "classification": rows_of("classification", [{**named, "_row": row} for row in first])}
    return Chunk(len(frame), tables, (), rejected)


def _gdp(frame: pd.DataFrame) -> Chunk:
    regions = _regions(frame["country"])
    rows: list[Mapping[str, Any]] = []
    rejected: list[Rejected] = []
    groups: list[Skipped] = []
    for number, (country, value) in enumerate(zip(frame["country"], frame["value"], strict=True), start=1):
        if country in _AGGREGATES:
            groups.append(Skipped("group_of_countries", 1, "", number, str(country)))
            continue
        if regions[country] is None:
            rejected.append(Rejected("", number, "region", str(country), "unknown_region", wanted("country3")))
            continue
        said = {"region": regions[country], "industry": "ALL", "indicator": _GDP, "year": YEAR, "value": value}
        rows.append({**said, "unit": "USD", "raw_name": "value", "_part": "", "_row": number})
    definition = {
        "indicator": _GDP,
        "name_zh": "人均国内生产总值（1998—2000年平均）",
        "name_en": "GDP per person (average of 1998 to 2000)",
        "unit": "USD",
        "topic": "economy",
        "description": _NOTE,
        "additive": False,
        "_part": "",
        "_row": rows[0]["_row"] if rows else 1,
    }
    tables = {
        "indicator": rows_of("indicator", rows),
        "indicator_def": rows_of("indicator_def", [definition] if rows else []),
    }
    return Chunk(len(frame), tables, groups, rejected)


def _regions(codes: Any) -> Mapping[Any, str | None]:
    return {code: find_region(str(code)) for code in set(codes)}


def _complexity(raw: RawFile, found: Any) -> Chunk:
    """The two indices; a record is an element, its part the index."""
    measures = found.get("complexity_measures") if isinstance(found, Mapping) else None
    if not isinstance(measures, Mapping) or not set(_MEASURES) <= set(measures):
        raise not_this_format(raw, Text("format.package_output"), Text("why.no_column", {"columns": list(_MEASURES)}))
    rows: list[Mapping[str, Any]] = []
    rejected: list[Rejected] = []
    records = 0
    for part, (kind, measure) in _MEASURES.items():
        values = measures[part]
        names = [str(name) for name in values.coords[values.dims[0]].values]
        for number, (name, value) in enumerate(zip(names, values.values.tolist(), strict=True), start=1):
            records += 1
            code = find_region(name) if kind == "country" else name
            if code is None:
                rejected.append(Rejected(part, number, "code", name, "unknown_region", wanted("country3")))
                continue
            said = {"kind": kind, "code": code, "measure": measure, "classification": SITC[0], "version": SITC[1]}
            rows.append({**said, "year": YEAR, "value": value, "note": _NOTE, "_part": part, "_row": number})
    return Chunk(records, {"published_complexity": rows_of("published_complexity", rows)}, (), rejected)
