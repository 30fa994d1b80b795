"""Where a share of a province, or a weight carried over from another table, comes from: paths and caveats."""

from collections.abc import Mapping, Sequence
from typing import Any

from ronghe.lenses.base import Context
from ronghe.lenses.base import Path as Trail
from ronghe.lenses.chains.places import GDP, REVENUE
from ronghe.lenses.chains.struck import Struck
from ronghe.model.finding import Caveat
from ronghe.model.text import Text, both

MEASURED = (*GDP, REVENUE)


def told_by(ctx: Context, struck: Struck, row: Mapping[str, Any]) -> Sequence[Trail]:
    """The rows behind a province's share of a sector: the user's own, or the province's published figures."""
    place = str(row["province"])
    names = struck.places.names[place]
    if row["told"] == "given":
        own = {k: struck.economy.meta[k] for k in ("classification", "version")}
        cells = {"region": place, "sector": row["sector"], **own}
        share = float(row["there"] if row["there"] is not None else row["there_high"])
        return [Trail(both(names["zh"], names["en"]), share, 1.0, cells, "region_sector")]
    listed = {d["indicator"]: d for d in ctx.rows("indicator_def", ("indicator", "name_zh", "name_en")).to_pylist()}
    rows = ctx.rows(
        "indicator", ("indicator", "value"), region=place, industry="ALL", year=row["year"],
        indicator=[REVENUE] if row["told"] == "hitech" else list(GDP),
    ).to_pylist()  # fmt: skip
    return [
        Trail(
            both(
                f"{names['zh']} {listed.get(r['indicator'], {}).get('name_zh') or r['indicator']}",
                f"{names['en']} {listed.get(r['indicator'], {}).get('name_en') or r['indicator']}",
            ),
            float(r["value"]),
            1.0 / len(rows),
            {"region": place, "indicator": r["indicator"], "year": row["year"], "industry": "ALL"},
        )
        for r in sorted(rows, key=lambda r: str(r["indicator"]))
        if r["value"] is not None
    ]


def carried_by(struck: Struck, row: Mapping[str, Any]) -> Sequence[Trail]:
    """The national rows that a carried weight is made of."""
    for one in struck.links:
        if (one.chain, one.step, struck.economy.codes[one.sector]) == (row["chain"], row["step"], row["sector"]):
            cells = {"chain": one.chain, "step": one.step, "role": "stops", "version": one.version}
            value = one.share.value if one.share.value is not None else one.share.high
            return [Trail(both(one.reason, one.reason), value, 1.0, cells)]
    return []


def place_caveats(struck: Struck) -> list[Caveat]:
    """How the provinces' shares were told, and what they leave open."""
    said = []
    for told in ("given", "hitech", "gdp"):
        found = [h for h in struck.held if h.told == told]
        if found:
            names = [struck.places.names[r] for r in dict.fromkeys(h.region for h in found)]
            args = {
                "places": names,
                "count": len({h.sector for h in found}),
                "year": found[0].year or 0,
                "table_year": struck.economy.meta["year"],
            }
            said.append(Caveat("note" if told == "given" else "warning", Text(f"sector_loss.told.{told}", args)))
    if any(h.told != "given" for h in struck.held):
        said.append(Caveat("warning", Text("sector_loss.mix", {"low": struck.mix.low, "high": struck.mix.high})))
    if struck.spare:
        said.append(Caveat("note", Text("sector_loss.made_up", {"spare": struck.spare})))
    return said
