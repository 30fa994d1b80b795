"""A shock carried through the whole economy: chain, sectors, the world, firms, substitutes, knowledge at home."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ronghe.errors import AskError, NoData
from ronghe.lenses.base import Context, lens
from ronghe.lenses.chains.chain_loss import horizon
from ronghe.lenses.chains.dependency import READS as TRADE
from ronghe.lenses.chains.exposure import chain_name
from ronghe.lenses.chains.firm_loss import READS as FIRMS
from ronghe.lenses.chains.firm_loss import network_for
from ronghe.lenses.chains.impact import VALUE_ADDED, loss_bars
from ronghe.lenses.chains.knowhow import READS as KNOWLEDGE
from ronghe.lenses.chains.places import Places, at_home, split_place
from ronghe.lenses.chains.products import on_chains
from ronghe.lenses.chains.sector_loss import TOTAL
from ronghe.lenses.chains.shocks import Shock, Shocks
from ronghe.lenses.chains.world_loss import READS as WORLD
from ronghe.lenses.chains.world_loss import newest_world
from ronghe.lenses.params import Region, TableId
from ronghe.model.finding import Caveat, Cell, Chart, Child, Finding, Result
from ronghe.model.provenance import Step
from ronghe.model.regions import find_region
from ronghe.model.text import Text
from ronghe.model.units import amount, amounts

READS = tuple(dict.fromkeys((*WORLD, *FIRMS, *KNOWLEDGE, *TRADE)))
PARTS = ("dependency", "sector_loss", "chain_loss", "world_loss", "firm_loss", "substitutes", "knowhow", "chokepoints")
_ROWS = 60
_BARS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("sectors", "sector_loss.bars", {"top": 15}),
    ("abroad", "world_loss.chart", {"top": 12, "where": {"abroad": "yes"}}),
)
_ONCE = frozenset({"sector_loss.reading", "sector_loss.binds", "sector_loss.all_bind", "sector_loss.moved"})


@dataclass(frozen=True)
class Children:
    """The findings that a scenario stands on; ``None`` for a part that the shock or the lake gives no ground for."""

    trade: Finding | None
    sectors: Finding | None
    chain: Finding | None
    world: Finding | None
    firms: Finding | None
    substitutes: Finding | None
    knowledge: Finding | None
    chokepoints: Finding | None

    @property
    def all(self) -> list[Finding]:
        """Those there are."""
        parts = (
            self.trade, self.chain, self.sectors, self.world, self.firms, self.substitutes, self.knowledge,
            self.chokepoints,
        )  # fmt: skip
        return [p for p in parts if p is not None]


def adopt(child: Finding, table: str, limit: int | None = None, title: Text | None = None) -> Result:
    """A child's table as one's own: every figure is traced to the child's cell."""
    held = child.tables[table]
    where = {k: Cell(k) for k in held.key}
    fields = tuple(
        replace(f, basis=Child(child.id, table, f.name, where)) if f.basis is not None else f for f in held.fields
    )
    data = held.data if limit is None else held.data.slice(0, limit)
    return Result(data, fields, held.key, title or held.title)


def _network(ctx: Context, economy: TableId, shocks: Sequence[Shock]) -> str | None:
    """The network that the shock can be carried through, where the lake has one."""
    return network_for(ctx, economy) if any(s.kind != "region" for s in shocks) else None


def ask_children(ctx: Context, shock: Shocks, economy: TableId, weeks: int, home: str | None) -> Children:
    """Ask every part of the scenario on the same snapshot."""
    shocks = shock.shocks
    steps = on_chains(ctx, shocks)
    places = Places.of(ctx, economy)
    lands = [s for s in shocks if s.kind != "product" or s in steps]
    inland = [s for s in lands if at_home(places, s)]
    firms = [s for s in lands if s.kind != "region"]
    common: dict[str, Any] = {"shock": str(shock), "economy": str(economy), "weeks": weeks}
    seen = {"home": home} if home else {}
    world = _world(ctx, economy)
    asker = home or (places.own[0] if len(places.own) == 1 else None)
    network = _network(ctx, economy, lands)
    known = [str(economy), *([world] if world and world != str(economy) else [])]
    _check_places(ctx, places, world, shocks, " · ".join(known))
    done = 0

    def part(name: str, wanted: bool, **params: Any) -> Finding | None:
        nonlocal done
        done += 1
        ctx.progress(name, done, len(PARTS))
        return ctx.child(name, **params) if wanted else None

    on_chain = "; ".join(s.line() for s in steps)
    traded = "; ".join(s.line() for s in shocks if s.kind in {"step", "product"})
    trades = bool(traded) and asker is not None and _trades(ctx, asker)
    return Children(
        trade=part("dependency", trades, shock=traded, country=asker),
        chain=part("chain_loss", bool(steps), shock=on_chain, weeks=weeks),
        sectors=part("sector_loss", bool(inland), **{**common, **seen, "shock": "; ".join(s.line() for s in inland)}),
        world=part("world_loss", world is not None and bool(lands) and _reaches(ctx, economy, world, inland),
                   **{**common, "shock": "; ".join(s.line() for s in lands)}, **seen, world=world),
        firms=part("firm_loss", network is not None, **{**common, "shock": "; ".join(s.line() for s in firms)}),
        substitutes=part("substitutes", bool(steps), shock=on_chain),
        knowledge=part("knowhow", bool(steps) and asker is not None and _has_texts(ctx), shock=on_chain, home=asker),
        chokepoints=part("chokepoints", any(s.chain for s in steps),
                         chain=next((chain_name(ctx, s.chain) for s in steps if s.chain), "")),
    )  # fmt: skip


def _trades(ctx: Context, country: str) -> bool:
    """Whether the lake's trade knows a country."""
    return country in ctx.snapshot.distinct("trade", ("region",))["region"].to_pylist()


def _world(ctx: Context, economy: TableId) -> str | None:
    """The table that shows other countries: the economy's own where it is one of many regions, else the newest."""
    kind = ctx.rows("io_table", ("kind",), table_id=str(economy))["kind"][0].as_py()
    return str(economy) if kind == "multiregional" else newest_world(ctx)


def _check_places(ctx: Context, places: Places, world: str | None, shocks: Sequence[Shock], table: str) -> None:
    """A place that neither the table nor the world table knows is told at once, with those that come nearest."""
    abroad = Places.of(ctx, TableId(world)) if world is not None else places
    for one in shocks:
        if at_home(places, one) or at_home(abroad, one):
            continue
        name = split_place(one.code)[0]
        if world is not None or find_region(name) is None:
            raise abroad.unknown(name, table)


def _has_texts(ctx: Context) -> bool:
    return any(ctx.snapshot.count(t) for t in ("project", "laboratory", "organisation", "work"))


def _reaches(ctx: Context, economy: TableId, world: str, inland: Sequence[Shock]) -> bool:
    """Whether the world table can take the shock: nothing of it is at home, or a crosswalk leads to that table."""
    if world == str(economy) or not inland:
        return True
    meta = {
        t: ctx.rows("io_table", ("classification", "version"), table_id=t).to_pylist()[0] for t in (str(economy), world)
    }
    found = ctx.rows(
        "crosswalk",
        ("from_code",),
        from_classification=meta[str(economy)]["classification"],
        from_version=meta[str(economy)]["version"],
        to_classification=meta[world]["classification"],
        to_version=meta[world]["version"],
    )
    return bool(found.num_rows)


_TAKEN: Mapping[str, Mapping[str, str]] = {
    "sectors": {"totals": "totals", "sectors": "sectors", "path": "path", "parts": "parts", "bridge": "bridge",
                "places": "places"},
    "world": {"abroad": "regions"},
    "trade": {"trade_inputs": "inputs", "trade_exporters": "exporters"},
    "chain": {"shocks": "shocks", "chain": "steps", "chain_path": "path", "links": "links"},
    "firms": {"firms": "firms", "firm_summary": "summary"},
    "substitutes": {"substitutes": "table"},
    "knowledge": {"knowledge_holders": "holders",
                  **{f"knowledge_{n}": n for n in ("project", "laboratory", "organisation", "work")}},
}  # fmt: skip
"""The tables taken over from each part, by the names they bear here."""
_READ = frozenset({"totals", "sectors", "abroad", "substitutes", "knowledge_holders"})
"""Those that are read; the others are drawn as charts, or looked up."""
_SHORT = frozenset({"firms", "knowledge"})
"""Parts of which the first rows are taken."""


def _tables(parts: Children) -> dict[str, Result]:
    """The parts' tables, the first of each led by what its part says, unless that is the headline already."""
    found: dict[str, Result] = {}
    main = parts.sectors or parts.world
    for name, listed in _TAKEN.items():
        part: Finding | None = getattr(parts, name)
        if part is None:
            continue
        lead: Text | None = part.headline if main is not None else None
        for own, table in listed.items():
            if table in part.tables:
                taken = adopt(part, table, _ROWS if name in _SHORT else None)
                found[own] = replace(taken, aside=own not in _READ and main is not None, lead=lead)
                lead = None
    return found


def _charts(tables: Mapping[str, Result]) -> list[Chart]:
    charts = [
        Chart("line", "path", {"x": "week", "y": "share_low", "y2": "share", "y3": "share_top"},
              Text("sector_loss.path")),
        Chart("waterfall", "parts", {"x": "part", "y": "amount"}, Text("sector_loss.parts"),
              {"total": {"part": TOTAL}}),
        Chart("line", "chain_path", {"x": "week", "y": "lost_high", "series": "name"}, Text("chain_loss.path")),
        Chart("graph", "chain", {"id": "step", "name": "name", "value": "lost_high", "category": "stage",
                                 "links": "links", "source": "from_step", "target": "to_step", "size": "lost_high"},
              Text("chain_loss.graph")),
        *(loss_bars(tables[name], name, Text(title), [VALUE_ADDED], **options) for name, title, options in _BARS
          if name in tables),
        Chart("scatter", "substitutes", {"x": "relatedness", "y": "share", "name": "provider", "color": "kind"},
              Text("substitutes.chart")),
    ]  # fmt: skip
    return [c for c in charts if c.table in tables and _drawable(tables[c.table], c)]


def _drawable(table: Result, chart: Chart) -> bool:
    """Whether there is a figure to draw: an unknown share is no point."""
    return any(v is not None for v in table.data.column(chart.encode.get("y", table.key[0])).to_pylist())


def _headline(parts: Children, weeks: int) -> Text:
    """What it costs, where it bites and what is left: one sentence or two; the parts' own lead their tables."""
    loss = _loss(parts, weeks)
    if loss is None:
        return next(part for part in parts.all).headline
    return Text("scenario.headline", {"loss": loss, "rest": _rest(parts)})


def _loss(parts: Children, weeks: int) -> Text | None:
    if parts.sectors is None:
        return _at_home(parts.world, weeks) if parts.world is not None else None
    row = next(r for r in parts.sectors.tables["totals"].data.to_pylist() if r["measure"].endswith("value_added"))
    args = {"weeks": weeks, "share": row["share_top"], "range": amounts(row["low"], row["high"], row["unit"]),
            "sector": parts.sectors.headline.args["sector"]}  # fmt: skip
    where = "home" if "region" not in parts.sectors.tables["sectors"].key else "all"
    if row["value"] is None:
        return Text(f"scenario.{where}_range", args)
    return Text(f"scenario.{where}", {**args, "value": amount(row["value"], row["unit"])})


def _rest(parts: Children) -> Text | str:
    """Losses abroad and who could step in, as far as either is told."""
    args: dict[str, Any] = {}
    if parts.world is not None and parts.world.headline.key == "world_loss.headline":
        args |= {k: parts.world.headline.args[k] for k in ("range", "first")}
    able = parts.substitutes.headline if parts.substitutes is not None else None
    if able is not None and able.key == "substitutes.headline":
        args |= {
            "step": able.args["step"],
            "left": able.args["left"],
            "provider": able.args["first"],
            "share": able.args["share"],
        }
    told = ("abroad" if "range" in args else "") + ("left" if "left" in args else "")
    return Text(f"scenario.rest_{told}", args) if told else ""


def _at_home(world: Finding, weeks: int) -> Text:
    """What a shock abroad costs at home, as the world table tells it; what it costs all where no home is known."""
    table = world.tables["regions"]
    unit = table.field("value_added_high").unit
    mine = next((r for r in table.data.to_pylist() if r["abroad"] == "no"), None)
    if mine is None:
        return world.headline
    ends = amounts(mine["value_added_low"], mine["value_added_high"], unit)
    return Text("scenario.home_world", {"weeks": weeks, "share": mine["share_top"], "range": ends})


def _missing(parts: Children, shocks: Sequence[Shock]) -> list[Caveat]:
    """What this scenario says nothing of, and what would have to be loaded."""
    said = [Caveat("note", Text("scenario.makers"))] if parts.chain is not None else []
    steps = any(s.kind in {"step", "product"} for s in shocks)
    if steps and parts.trade is None:
        said.append(Caveat("note", Text("scenario.no_trade")))
    if parts.trade is not None and len(parts.all) == 1:
        return [*said, Caveat("warning", Text("scenario.off_chain"))]
    if parts.firms is None and parts.sectors is not None:
        said.append(Caveat("note", Text("scenario.no_firms")))
    if parts.world is None:
        said.append(Caveat("note", Text("scenario.no_world")))
    if steps and parts.knowledge is None:
        said.append(Caveat("note", Text("scenario.no_knowledge")))
    if parts.sectors is not None:
        measures = {r["measure"].rsplit(".", 1)[-1] for r in parts.sectors.tables["totals"].data.to_pylist()}
        said += [Caveat("note", Text(f"scenario.no_{m}")) for m in ("work", "co2") if m not in measures]
    return said


@lens("scenario", version=4, reads=READS, builds_on=PARTS)
def scenario(ctx: Context, *, shock: Shocks, economy: TableId, weeks: int = 12, home: Region | None = None) -> Finding:
    """What if an input is blocked or a plant stops: who loses how much, when, what could replace it, who knows how?"""
    steps = horizon(weeks)
    shocks = shock.shocks
    try:
        parts = ask_children(ctx, shock, economy, steps, home)
    except NoData as error:
        raise AskError("scenario_data", what=str(error.args_.get("what", "")), tables=str(error.args_.get("tables", ""))
                       ) from error  # fmt: skip
    tables = _tables(parts)
    if not tables:
        raise AskError("scenario_data", what=str(shock), tables="io_table")
    # The stamps for licences and invented data are set anew, over all inputs at once.
    told = sorted(parts.all, key=lambda f: f is parts.trade)
    said = [c for child in told for c in child.caveats if not c.text.key.startswith("caveat.")]
    # How the model works is the same at home and abroad: it is said once.
    once = {(c.text.key, "" if c.text.key in _ONCE else str(c.text.args)): c for c in reversed(said)}
    inherited = [c for c in said if c in once.values()]
    said = [*inherited, *_missing(parts, shocks)]
    return ctx.answer(
        _headline(parts, steps),
        tables,
        charts=_charts(tables),
        caveats=said,
        steps=[
            Step(
                "scenario",
                " → ".join(c.lens for c in parts.all),
                "",
                {"shock": str(shock), "weeks": steps, "economy": str(economy)},
            )
        ],
    )
