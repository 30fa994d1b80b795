"""From the pinned snapshot to a system's panel, and kernels' refusals in words with names."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ronghe.errors import AskError, KernelRefused, UnknownName, nearest, refusal
from ronghe.indexing.figures import Figures
from ronghe.indexing.panel import Panel, build, complete, figures_of
from ronghe.indexing.system import Count, Item, System
from ronghe.kernels.errors import KernelError
from ronghe.lenses.base import Context
from ronghe.lenses.params import Indicator
from ronghe.model.regions import regions
from ronghe.model.text import both

READS = ("indicator", "indicator_def", "region", "laboratory")
_COLUMNS = ("indicator", "region", "year", "value", "unit")


def load_figures(ctx: Context, system: System, *, strict: bool = True) -> tuple[Figures, tuple[int, ...]]:
    """The figures a system reads, and the years it reports.

    Parameters
    ----------
    strict : refuse a system that names an indicator the lake doesn't hold.

    Raises
    ------
    UnknownName : such an indicator. NoData : none of them is there. AskError : see ``figures_of``.
    """
    wanted = dict.fromkeys(s for i in system.items for s in system.sources_of(i))
    rows = ctx.rows("indicator", _COLUMNS, indicator=list(wanted), industry="ALL")
    columns = {name: rows.column(name).to_pylist() for name in _COLUMNS}
    held = set(columns["indicator"])
    absent = [name for name in wanted if name not in held]
    if absent and strict:
        known = [c.value for c in Indicator.choices(ctx.snapshot)]
        if not held:
            raise ctx.nothing(", ".join(absent[:5]))
        if len(absent) == 1:
            raise UnknownName("unknown_source", absent[0], known, system=system.names)
        raise AskError("unknown_sources", known=nearest(absent[0], known), names=absent[:8], system=system.names)
    counts = {q.id: _counts(ctx, q.count) for q in system.quantities.values() if q.count is not None}
    return figures_of(system, columns, counts)


def _counts(ctx: Context, count: Count) -> dict[str, int]:
    if count.table not in READS:
        raise AskError("system_table", known=nearest(count.table, READS), table=count.table)
    rows = ctx.rows(count.table, ("region", count.column), **count.where)
    if rows.num_rows == 0:
        raise ctx.nothing(count.table)
    found: dict[str, set[Any]] = {}
    for region, value in zip(rows["region"].to_pylist(), rows[count.column].to_pylist(), strict=True):
        found.setdefault(region, set()).add(value)
    return {region: len(values) for region, values in found.items()}


def region_labels(ctx: Context, codes: Sequence[str]) -> dict[str, dict[str, str]]:
    """The names of regions: from the reference list, else from the lake, else the code itself."""
    known = regions()
    named = {c: known[c].names for c in codes if c in known}
    rest = [c for c in codes if c not in known]
    if rest:
        for row in ctx.rows("region", ("region", "name_zh", "name_en"), region=rest).to_pylist():
            named[row["region"]] = both(row["name_zh"], row["name_en"])
    return {c: named.get(c, both(None, c)) for c in codes}


def load_panel(ctx: Context, system: System, missing: str) -> tuple[Panel, Figures]:
    """The system's panel of indicators without gaps, and the figures behind it.

    Raises
    ------
    AskError, KernelRefused : see ``load_figures``, ``build``, ``complete``.
    """
    figures, years = load_figures(ctx, system)
    if not figures.regions:
        raise ctx.nothing(system.names["en"])
    labels = region_labels(ctx, figures.regions)
    panel = part(figures, years, system.indicators, labels, missing)
    return complete(panel, system), figures


def part(
    figures: Figures,
    years: Sequence[int],
    items: Sequence[Item],
    labels: Mapping[str, Mapping[str, str]],
    missing: str = "system",
) -> Panel:
    """The panel of some items, gaps filled as far as they can be."""
    with in_words([i.names for i in items], [labels[r] for r in figures.regions], years):
        return build(figures, years, items, labels, None if missing == "system" else missing)


@contextmanager
def in_words(
    items: Sequence[Mapping[str, str]] = (), places: Sequence[Mapping[str, str]] = (), years: Sequence[int] = ()
) -> Iterator[None]:
    """Turn a kernel's refusal into an error that names indicators, regions and years.

    Raises
    ------
    KernelRefused : in place of any ``KernelError``.
    """
    try:
        yield
    except KernelError as error:
        raise _refusal(error, items, places, years) from error


def _refusal(
    error: KernelError, items: Sequence[Mapping[str, str]], places: Sequence[Mapping[str, str]], years: Sequence[int]
) -> KernelRefused:
    details = error.details
    named = _named(details.get("indicators", ()), items)
    where = _named(details.get("regions", ()) or details.get("islands", ()) or details.get("units", ()), places)
    when = [str(years[int(t)]) for t in _numbers(details.get("years", ())) if int(t) < len(years)]
    kind = error.code.replace("-", "_")
    args: dict[str, Any] = {"indicators": named or ["—"], "regions": where or ["—"], "years": when or ["—"]}
    if kind == "too_few":
        code = "fusion_few_years" if details.get("what") == "years" else "fusion_few_regions"
        return KernelRefused(code, found=details.get("found", 0), needed=details.get("needed", 2))
    if kind == "constant":
        return KernelRefused("fusion_constant", **args)
    if kind == "missing":
        return KernelRefused("fusion_missing", **args)
    if kind == "negative":
        return KernelRefused("fusion_negative", **args)
    if kind == "weights":
        sums = [f"{s:.6g}" for s in _numbers(details.get("sums", ()))]
        return KernelRefused("fusion_weights", sums=sums or ["—"])
    if kind == "island":
        return KernelRefused("fusion_island", **args)
    if kind == "dea_unit":
        return KernelRefused("fusion_unit", **args)
    if kind == "not_reciprocal":
        pairs = details.get("pairs", ())
        listed = [f"({i + 1}, {j + 1})" for i, j in pairs] if isinstance(pairs, tuple) else []
        return KernelRefused("fusion_reciprocal", pairs=listed[:6] or ["—"])
    if kind == "inconsistent":
        pair = _named(details.get("worst", ()), items)
        return KernelRefused("fusion_inconsistent", cr=details["cr"], limit=details["limit"], pair=pair)
    return KernelRefused("fusion_refused", why=refusal(error.code, details), **args)


def _numbers(found: object) -> tuple[Any, ...]:
    return tuple(found) if isinstance(found, (tuple, list, np.ndarray)) else ()


def _named(found: object, names: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    return [names[int(k)] for k in _numbers(found) if int(k) < len(names)][:8]
