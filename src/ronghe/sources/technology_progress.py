"""Cost and performance of technologies over decades (G. Barentsen): small CSV files, one series each.

A record is a line below the heading. Lines that the publisher switched off with ``#`` are skipped. Series are
marked as a cost, which falls, or as a performance, which rises. Brain sizes of hominids, members of a society
and the downlink of space telescopes, half of which are plans, are no series of a technology and are not read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, rows_of, wanted
from ronghe.sources.csv_rows import Fault, Record, number_of, read_records


@dataclass(frozen=True, slots=True)
class _Series:
    """One file: the series, its names, which columns hold the value and the item, kind and unit."""

    series: str
    name_zh: str
    name_en: str
    value: str
    item: str
    kind: str
    unit: str
    per: str = ""


_FILES: Mapping[str, _Series] = {
    "disk-drive-price.csv": _Series(
        "disk_price", "硬盘单位容量价格", "Price of disk storage", "usd_per_mb", "model", "cost", "usd_per_mb"
    ),
    "transistor-counts.csv": _Series(
        "transistors", "微处理器晶体管数", "Transistors of microprocessors", "transistors", "#processor",
        "performance", "item"
    ),
    "fastest-supercomputer.csv": _Series(
        "supercomputer", "最快超级计算机速度", "Speed of the fastest supercomputer", "flops", "name",
        "performance", "flop_per_second"
    ),
    "research-internet-speed.csv": _Series(
        "research_network", "科研网络带宽", "Speed of a research network", "bps", "name", "performance",
        "bit_per_second"
    ),
    "storage-bus-speed.csv": _Series(
        "storage_bus", "存储总线速度", "Speed of storage buses", "bps", "name", "performance", "bit_per_second"
    ),
    "telescope-pixel-counts.csv": _Series(
        "telescope_optical", "光学巡天像素速率", "Pixel rate of optical surveys", "pixels", "name", "performance",
        "pixel_per_second", "cycle_time"
    ),
    "telescope-pixel-counts-near-infrared.csv": _Series(
        "telescope_infrared", "近红外巡天像素速率", "Pixel rate of near-infrared surveys", "pixels", "name",
        "performance", "pixel_per_second", "cycle_time"
    ),
}  # fmt: skip


class TechnologyProgress:
    """Series of technologies. See the module."""

    name = "technology_progress"
    version = "1"
    tables = ("technology_series",)

    def accepts(self, raw: RawFile) -> bool:
        """The files that hold a series of a technology."""
        return raw.name.rsplit("/", 1)[-1] in _FILES

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk: the files are small."""
        one = _FILES.get(raw.name.rsplit("/", 1)[-1])
        if one is None:
            raise not_this_format(raw, ", ".join(_FILES), Text("why.no_such_file"))
        columns = [one.item, "year", one.value, *([one.per] if one.per else [])]
        rows: list[Mapping[str, Any]] = []
        rejected: list[Rejected] = []
        skipped: list[Skipped] = []
        for number, record in read_records(raw, columns):
            try:
                if isinstance(record, Fault):
                    raise record
                if next(iter(record.values())).startswith("#"):
                    skipped.append(Skipped("switched_off", 1, "", number, record[one.item]))
                    continue
                place = {"number": number - 1, "_part": "", "_row": number, "_col": None}
                rows.append({**_row(one, record), **place})
            except Fault as fault:
                rejected.append(Rejected("", number, fault.column, fault.value, fault.reason, fault.expected))
        found = {"technology_series": rows_of("technology_series", rows)}
        yield Chunk(len(rows) + len(rejected) + len(skipped), found, skipped, rejected)


def _row(one: _Series, record: Record) -> dict[str, Any]:
    moment = number_of(record, "year", "moment", "year")
    value = number_of(record, one.value, "value")
    if moment is None or value is None:
        raise Fault("moment" if moment is None else "value", "", "null", wanted("number"))
    if one.per:
        cycle = number_of(record, one.per, "value")
        if not cycle:
            raise Fault("value", record[one.per], "null", wanted("exposures"))
        value /= cycle
    return {
        "series": one.series,
        "name_zh": one.name_zh,
        "name_en": one.name_en,
        "item": record[one.item] or None,
        "moment": moment,
        "year": int(moment),
        "kind": one.kind,
        "value": value,
        "unit": one.unit,
    }
