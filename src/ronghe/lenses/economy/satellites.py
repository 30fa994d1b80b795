"""What goes with a sector's output besides money: jobs and CO2, brought onto a table's sectors by crosswalks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.lenses.base import Context
from ronghe.lenses.economy.economy import Economy
from ronghe.model.finding import Caveat
from ronghe.model.text import Text

Floats = NDArray[np.float64]
READS = ("indicator", "crosswalk")
_CO2 = "co2_production"


@dataclass(frozen=True)
class Satellite:
    """(n,) of each sector, NaN where no crosswalk reaches it; from which year; the share of pay it covers.

    ``grouped`` says that the figures are published for groups of sectors and shared out by output.
    """

    values: Floats
    year: int
    covered: float
    grouped: bool = False

    def per_output(self, economy: Economy) -> Floats:
        """(n,) per unit of output; 0 where unknown or without output."""
        known = np.nan_to_num(self.values)
        return np.asarray(np.divide(known, economy.x, out=np.zeros_like(known), where=economy.x > 0))


def _pay(economy: Economy) -> Floats:
    if "VA001" not in economy.value_codes:
        return economy.v
    return np.asarray(economy.value_added[economy.value_codes.index("VA001")])


def _covered(economy: Economy, values: Floats) -> float:
    pay = _pay(economy)
    return float(pay[np.isfinite(values)].sum() / pay.sum())


def jobs(ctx: Context, economy: Economy) -> Satellite | None:
    """Persons employed by sector, where a crosswalk to it exists; the nearest year not after the table's."""
    links = ctx.rows(
        "crosswalk",
        ("from_classification", "from_code", "to_code", "weight"),
        to_classification=economy.meta["classification"],
        to_version=economy.meta["version"],
        from_classification="cn-employment",
    ).to_pylist()
    if not links:
        return None
    panel = ctx.rows(
        "indicator", ("industry", "year", "value"), region=economy.meta["economy"], indicator="employment"
    ).to_pylist()
    years = sorted({r["year"] for r in panel if r["value"] is not None})
    if not years:
        return None
    year = max((y for y in years if y <= economy.meta["year"]), default=years[0])
    people = {r["industry"]: r["value"] * 1e4 for r in panel if r["year"] == year and r["value"] is not None}
    persons = np.full(economy.n, np.nan)
    place = {code: i for i, code in enumerate(economy.codes)}
    for link in links:
        if link["to_code"] in place and link["from_code"] in people:
            i = place[link["to_code"]]
            persons[i] = np.nan_to_num(persons[i]) + link["weight"] * people[link["from_code"]]
    return Satellite(persons, year, _covered(economy, persons)) if np.isfinite(persons).any() else None


def co2(ctx: Context, economy: Economy) -> Satellite | None:
    """Tonnes of CO2 from production by sector: the OECD's industries, shared out among their sectors by output."""
    if economy.kind == "multiregional":
        return None
    panel = ctx.rows(
        "indicator",
        ("industry", "year", "value", "industry_classification"),
        indicator=_CO2,
        region=economy.meta["economy"],
    ).to_pylist()
    held = [r for r in panel if r["value"] is not None and r["industry_classification"]]
    if not held:
        return None
    classification, version = str(held[0]["industry_classification"]).split(":", 1)
    groups = _groups(ctx, economy, classification, version)
    if not groups:
        return None
    year = min({r["year"] for r in held}, key=lambda y: (abs(y - economy.meta["year"]), y))
    tonnes = {r["industry"]: r["value"] * 1e6 for r in held if r["year"] == year}
    values = np.full(economy.n, np.nan)
    for industry, members in groups.items():
        total = economy.x[members].sum()
        if industry in tonnes and total > 0:
            values[members] = tonnes[industry] * economy.x[members] / total
    return Satellite(values, year, _covered(economy, values), grouped=True) if np.isfinite(values).any() else None


def _groups(ctx: Context, economy: Economy, classification: str, version: str) -> Mapping[str, list[int]]:
    """The publisher's industry -> places of the table's sectors in it."""
    place = {code: i for i, code in enumerate(economy.codes)}
    own = (economy.meta["classification"], economy.meta["version"])
    if own == (classification, version):
        return {code: [i] for code, i in place.items()}
    links = crosswalk(ctx, own, (classification, version))
    found: dict[str, list[int]] = {}
    for source, target in links.items():
        if source in place:
            found.setdefault(target, []).append(place[source])
    return found


def crosswalk(ctx: Context, origin: tuple[str, str], target: tuple[str, str]) -> dict[str, str]:
    """From each code of one classification version to that of another that holds most of it."""
    rows: list[dict[str, Any]] = ctx.rows(
        "crosswalk",
        ("from_code", "to_code", "weight"),
        from_classification=origin[0],
        from_version=origin[1],
        to_classification=target[0],
        to_version=target[1],
    ).to_pylist()
    best: dict[str, tuple[float, str]] = {}
    for row in rows:
        held = best.get(row["from_code"])
        if held is None or row["weight"] > held[0]:
            best[row["from_code"]] = (row["weight"], row["to_code"])
    return {code: to for code, (_, to) in best.items()}


def caveats(economy: Economy, people: Satellite | None, carbon: Satellite | None) -> list[Caveat]:
    """How far jobs and CO2 reach, and from which year they are."""
    said = []
    if people is not None:
        args = {"year": people.year, "table_year": economy.meta["year"], "covered": people.covered}
        whole = people.covered > 0.9999
        said.append(
            Caveat("note" if whole else "warning", Text("structure.jobs" if whole else "structure.jobs_partial", args))
        )
        if people.year != economy.meta["year"]:
            said.append(Caveat("warning", Text("structure.jobs_year", args)))
    if carbon is not None:
        args = {"year": carbon.year, "table_year": economy.meta["year"], "covered": carbon.covered}
        said.append(Caveat("warning", Text("shock.co2", args)))
    return said
