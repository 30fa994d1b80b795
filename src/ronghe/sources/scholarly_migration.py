"""Scholars who move between countries (Max Planck Institute for Demographic Research, from OpenAlex).

A record is a line. ``…countryflows.csv`` gives rows of ``mobility``: how many moved from one country to another
in a year. The file states each flow a second time as the way back of the opposite pair; the two differ in places,
and only the flow's own figure is taken. ``…country.csv`` gives rows of ``indicator``: the population of scholars,
those who came, those who left, and the rates. Lines without a country (an empty code, or ``nan``, which is not
Namibia: Namibia's ``NA`` is there besides) are skipped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ronghe.model.text import Text
from ronghe.sources.base import Chunk, RawFile, Rejected, Skipped, not_this_format, rows_of, wanted
from ronghe.sources.countries import alpha3
from ronghe.sources.csv_rows import Fault, Record, number_of, read_records

_FLOWS = ("migrationfrom", "migrationto", "year", "n_migrations")
_NOWHERE = frozenset({"", "nan"})

MEASURES: Mapping[str, tuple[str, str, str, str, bool]] = MappingProxyType(
    {
        "padded_population_of_researchers": ("scholars", "学者数", "Scholars", "person", True),
        "number_of_inmigrations": ("scholars_in", "学者流入数", "Scholars who came", "person", False),
        "number_of_outmigrations": ("scholars_out", "学者流出数", "Scholars who left", "person", False),
        "inmigrationrate": ("scholar_inflow_rate", "学者流入率", "Rate of inflow of scholars", "ratio", False),
        "outmigrationrate": ("scholar_outflow_rate", "学者流出率", "Rate of outflow of scholars", "ratio", False),
        "netmigrationrate": ("scholar_net_rate", "学者净流入率", "Net rate of scholars", "ratio", False),
    }
)
"""The file's column -> indicator, names, unit, whether countries may be summed."""

Maker = Callable[[Record], list[Mapping[str, Any]]]


class ScholarlyMigration:
    """Migration of scholars. See the module."""

    name = "scholarly_migration"
    version = "1"
    tables = ("mobility", "indicator", "indicator_def")

    def accepts(self, raw: RawFile) -> bool:
        """Flows and countries as OpenAlex tells them."""
        return raw.name.endswith(("_countryflows.csv", "_country.csv"))

    def parse(self, raw: RawFile) -> Iterator[Chunk]:
        """One chunk."""
        if raw.name.endswith("_countryflows.csv"):
            yield _chunk(raw, "mobility", _FLOWS, _flow, ("migrationfrom", "migrationto"))
        elif raw.name.endswith("_country.csv"):
            chunk = _chunk(raw, "indicator", ("year", "countrycode", *MEASURES), _country, ("countrycode",))
            rows = {**chunk.rows, "indicator_def": rows_of("indicator_def", _definitions())}
            yield Chunk(chunk.records + 1, rows, chunk.skipped, chunk.rejected)
        else:
            raise not_this_format(raw, "_countryflows.csv, _country.csv", Text("why.no_such_file"))


def _chunk(raw: RawFile, table: str, columns: Sequence[str], make: Maker, places: Sequence[str]) -> Chunk:
    rows: list[Mapping[str, Any]] = []
    rejected: list[Rejected] = []
    good = nowhere = 0
    for number, record in read_records(raw, columns):
        try:
            if isinstance(record, Fault):
                raise record
            if any(record[place] in _NOWHERE for place in places):
                nowhere += 1
                continue
            rows.extend({**row, "_part": "", "_row": number, "_col": None} for row in make(record))
            good += 1
        except Fault as fault:
            rejected.append(Rejected("", number, fault.column, fault.value, fault.reason, fault.expected))
    skipped = [Skipped("no_country", nowhere)] if nowhere else []
    return Chunk(good + nowhere + len(rejected), {table: rows_of(table, rows)}, skipped, rejected)


def _place(record: Record, field: str, column: str) -> str:
    code = record[field]
    if code not in alpha3():
        raise Fault(column, code, "unknown_region", wanted("country2"))
    return alpha3()[code]


def _year(record: Record) -> int:
    number = number_of(record, "year", "year", "year")
    if number is None or not number.is_integer():
        raise Fault("year", record["year"], "year", wanted("year"))
    return int(number)


def _flow(record: Record) -> list[Mapping[str, Any]]:
    people = number_of(record, "n_migrations", "people")
    if people is None:
        raise Fault("people", "", "null", wanted("number"))
    origin, destination = _place(record, "migrationfrom", "origin"), _place(record, "migrationto", "destination")
    return [{"origin": origin, "destination": destination, "year": _year(record), "people": people}]


def _country(record: Record) -> list[Mapping[str, Any]]:
    region, year = _place(record, "countrycode", "region"), _year(record)
    return [
        {
            "region": region,
            "industry": "ALL",
            "indicator": name,
            "year": year,
            "value": number_of(record, column, "value"),
            "unit": unit,
            "raw_name": column,
        }
        for column, (name, _, _, unit, _) in MEASURES.items()
    ]


def _definitions() -> Iterator[dict[str, Any]]:
    for name, zh, en, unit, additive in MEASURES.values():
        yield {
            "indicator": name,
            "name_zh": zh,
            "name_en": en,
            "unit": unit,
            "topic": "talent",
            "additive": additive,
            "_part": "",
            "_row": 1,
        }
