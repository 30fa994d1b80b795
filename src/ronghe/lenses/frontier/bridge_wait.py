"""How long works of a field wait for the first patent that cites them, those still waiting included."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ronghe.fielding.definition import Definition
from ronghe.kernels.survival import kaplan_meier, lags
from ronghe.lenses.base import Context
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.field_load import caught_works
from ronghe.model.finding import Matrix, Result
from ronghe.model.text import Text

_WITHIN = (5, 10)
_FEWEST = 20


def wait_table(ctx: Context, fields: Sequence[Definition], patents: Mapping[str, int | None]) -> Result | None:
    """Years from a work to the application of the first patent that cites it, by field.

    Parameters
    ----------
    patents : patent -> the year of its application.

    Returns
    -------
    ``None`` without patents, or where a field has hardly a work with a DOI that a patent could state.
    """
    years = [y for y in patents.values() if y is not None]
    if not years:
        return None
    now = float(max(years))
    first = _first(ctx, patents)
    caught = caught_works(ctx, fields).to_pylist()
    known = ctx.rows("work", ("work_id", "doi"))
    doi = dict(zip(known.column("work_id").to_pylist(), known.column("doi").to_pylist(), strict=True))
    rows = []
    for i, one in enumerate(fields):
        held = [(r["year"], _plain(doi.get(r["work_id"]))) for r in caught if r[f"hit_{i}"] and r["year"]]
        begun = [(float(year), first.get(said, np.nan)) for year, said in held if said and year <= now]
        if len(begun) >= _FEWEST:
            rows.append(_row(one, begun, now))
    if not rows:
        return None
    basis = Matrix("patent_citation", {"kind": "literature"})
    shares = [f"cited_{n}{end}" for n in _WITHIN for end in ("", "_low", "_high")]
    fields_ = [
        *name_fields("field", "column.field_name"), figure("works_waiting", "integer", basis=Matrix("work", {})),
        figure("works_cited", "integer", basis=basis), figure("wait_median", unit="year", basis=basis, digits=1),
        *(figure(c, "share", basis=basis) for c in shares), text_field("field_id"),
    ]  # fmt: skip
    return result(rows, fields_, ("field_id",), Text("bridge.waits", {"until": int(now)}))


def _first(ctx: Context, patents: Mapping[str, int | None]) -> dict[str, float]:
    """DOI -> the year of the first application that cites it."""
    found: dict[str, float] = {}
    for row in ctx.rows("patent_citation", ("citing", "doi"), kind="literature").to_pylist():
        filed, said = patents.get(row["citing"]), _plain(row["doi"])
        if said and filed is not None:
            found[said] = min(found.get(said, np.inf), float(filed))
    return found


def _plain(doi: str | None) -> str:
    return (doi or "").casefold().strip()


def _row(one: Definition, begun: Sequence[tuple[float, float]], now: float) -> dict[str, Any]:
    begin, end = np.array(begun).T
    # An application filed before the paper came out, by the same people, waited for nothing.
    length, happened, _ = lags(begin, np.maximum(begin, end), now)
    curve = kaplan_meier(length, happened)
    said: dict[str, Any] = {
        "field_id": one.name, "field_zh": one.names["zh"], "field_en": one.names["en"], "works_waiting": len(begun),
        "works_cited": int(happened.sum()), "wait_median": _or_none(curve.quantile(0.5)),
    }  # fmt: skip
    for years in _WITHIN:
        at = int(np.searchsorted(curve.time, years, side="right")) - 1
        said[f"cited_{years}"] = _or_none(1.0 - float(curve.at(years)))
        known = at >= 0 and said[f"cited_{years}"] is not None
        said[f"cited_{years}_low"] = 1.0 - float(curve.upper[at]) if known else None
        said[f"cited_{years}_high"] = 1.0 - float(curve.lower[at]) if known else None
    return said


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
