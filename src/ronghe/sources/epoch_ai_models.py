"""Notable AI models and the price of computing (Epoch AI); a record is a line.

``notable_ai_models_….csv`` gives rows of ``ai_model``. A model of several organisations lists them, their sectors
and countries with commas; each is kept once. "Multinational" is no country: it becomes a mark of its own.
``dollars_per_compute.csv`` gives the series ``gpu_price`` of ``technology_series``. The runs and the progress of
benchmarks are not read.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ronghe.model.regions import find_region
from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, not_this_format, rows_of, wanted
from ronghe.sources.csv_rows import Fault, Record, list_chunk, needed, number_of, read_records

_NUMBERS: Mapping[str, str] = {
    "parameters": "Parameters",
    "compute": "Training compute (FLOP)",
    "dataset_size": "Training dataset size (datapoints)",
    "training_time": "Training time (hours)",
    "hardware_quantity": "Hardware quantity",
    "power": "Training power draw (W)",
    "cost": "Training compute cost (2023 USD)",
}
_TEXTS: Mapping[str, str] = {
    "compute_method": "Training compute estimation method",
    "hardware": "Training hardware",
    "accessibility": "Model accessibility",
    "confidence": "Confidence",
    "reference": "Reference",
    "link": "Link",
}
_LISTS: Mapping[str, str] = {
    "domains": "Domain",
    "organisations": "Organization",
    "sectors": "Organization categorization",
}
_COUNTRIES = "Country (from Organization)"
_COLUMNS = (
    "Model", "Publication date", "Citations", "Frontier model", _COUNTRIES,
    *_NUMBERS.values(), *_TEXTS.values(), *_LISTS.values()
)  # fmt: skip
_ANYWHERE = "Multinational"


class EpochAiModels:
    """Notable AI models. See the module."""

    name = "epoch_ai_models"
    version = "1"
    tables = ("ai_model", "technology_series")

    def accepts(self, raw: RawFile) -> bool:
        """The models and the price of computing."""
        name = raw.name.rsplit("/", 1)[-1]
        return name == "dollars_per_compute.csv" or (name.startswith("notable_ai_models") and name.endswith(".csv"))

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk."""
        if not self.accepts(raw):
            raise not_this_format(raw, "notable_ai_models.csv, dollars_per_compute.csv", Text("why.no_such_file"))
        if raw.name.endswith("dollars_per_compute.csv"):
            yield _prices(raw)
        else:
            yield list_chunk(raw, "ai_model", _COLUMNS, _model)


def _model(record: Record) -> Mapping[str, Any]:
    date = _date(record["Publication date"])
    countries, anywhere = _countries(record[_COUNTRIES])
    return {
        "model": needed(record, "Model", "model"),
        "date": date,
        "year": date.year if date else None,
        **{column: _split(record[field]) for column, field in _LISTS.items()},
        "countries": countries,
        "multinational": anywhere,
        **{column: number_of(record, field, column) for column, field in _NUMBERS.items()},
        **{column: record[field] or None for column, field in _TEXTS.items()},
        "citations": _whole(record, "Citations"),
        "frontier": record["Frontier model"] == "True",
    }


def _split(text: str) -> list[str]:
    """The parts between commas, each once; a comma before a blank belongs to a name."""
    parts: list[str] = []
    for piece in text.split(","):
        if parts and piece.startswith(" "):
            parts[-1] += "," + piece
        else:
            parts.append(piece)
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _countries(text: str) -> tuple[list[str], bool]:
    stated = _split(text)
    found: list[str] = []
    for name in stated:
        if name == _ANYWHERE:
            continue
        region = find_region(name)
        if region is None:
            raise Fault("countries", name, "unknown_region", wanted("country"))
        found.append(region)
    return list(dict.fromkeys(found)), _ANYWHERE in stated


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Fault("date", text, "time", wanted("date")) from error


def _whole(record: Record, field: str) -> int | None:
    number = number_of(record, field, "citations")
    if number is not None and not number.is_integer():
        raise Fault("citations", record[field], "type", wanted("whole"))
    return None if number is None else int(number)


def _prices(raw: RawFile) -> Chunk:
    rows: list[Mapping[str, Any]] = []
    rejected: list[Rejected] = []
    for number, record in read_records(raw, ("Day", "GFLOPCost", "Entity")):
        try:
            if isinstance(record, Fault):
                raise record
            rows.append({**_price(record), "number": number - 1, "_part": "", "_row": number, "_col": None})
        except Fault as fault:
            rejected.append(Rejected("", number, fault.column, fault.value, fault.reason, fault.expected))
    return Chunk(len(rows) + len(rejected), {"technology_series": rows_of("technology_series", rows)}, (), rejected)


def _price(record: Record) -> dict[str, Any]:
    date = _date(record["Day"])
    if date is None:
        raise Fault("date", "", "null", wanted("date"))
    return {
        "series": "gpu_price",
        "name_zh": "图形处理器单位算力价格",
        "name_en": "Price of computing on GPUs",
        "item": record["Entity"] or None,
        "moment": _moment(date),
        "year": date.year,
        "kind": "cost",
        "value": number_of(record, "GFLOPCost", "value"),
        "unit": "usd_per_gflops",
    }


def _moment(date: dt.date) -> float:
    """The year with its fraction."""
    days: Sequence[int] = [dt.date(date.year + step, 1, 1).toordinal() for step in (0, 1)]
    return date.year + (date.toordinal() - days[0]) / (days[1] - days[0])
