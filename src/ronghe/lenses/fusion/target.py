"""What it takes to reach a class of coordination by a year: levels, indicators, pace."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.kernels.coupling import coordination, coordination_class
from ronghe.kernels.obstacle import gap_to_close
from ronghe.lenses.fusion.common import class_key, everything, level_fields, named, result, say_names, unit_of
from ronghe.lenses.fusion.load import in_words
from ronghe.lenses.fusion.measure import Measure
from ronghe.model.finding import Field, Result
from ronghe.model.text import Text

Floats = NDArray[np.float64]
SPAN = 5
_TOP_CLASS = 9


@dataclass(frozen=True, slots=True)
class Goal:
    """A class to reach by a year: its lower end in D, and the share λ of every distance to 1 that must be closed."""

    number: int
    edge: float
    by: int
    share: float
    start: int
    region: int

    @property
    def reached(self) -> bool:
        """Whether it is met already."""
        return self.share == 0.0


def goal_of(measured: Measure, i: int, t: int, target: str, by: int) -> Goal:
    """The goal that a question names; the next class and five years on where it names none.

    Raises
    ------
    AskError : a year that isn't after the one diagnosed.
    """
    year = measured.panel.years[t]
    last = by or year + SPAN
    if last <= year:
        raise AskError("target_year", by=last, year=year)
    now = int(measured.classes[t, i])
    number = min(now + 1, _TOP_CLASS) if target == "next" else int(target)
    edge = number / 10
    with in_words():
        share = float(gap_to_close(measured.U[t, i], edge, alpha=measured.alpha, form=measured.form))
    return Goal(number, edge, last, share, t, i)


def subsystems_table(measured: Measure, goal: Goal) -> Result:
    """By subsystem: the level now and needed, the pace needed, its own pace so far, the best pace of any region."""
    t, i = goal.start, goal.region
    U, span = measured.U, measured.panel.years[t] - measured.panel.years[0]
    years = goal.by - measured.panel.years[t]
    rows = []
    for k, subsystem in enumerate(measured.system.subsystems):
        now = float(U[t, i, k])
        need = goal.share * (1.0 - now)
        own = float((U[t, i, k] - U[0, i, k]) / span) if span else None
        best = float(((U[t, :, k] - U[0, :, k]) / span).max()) if span else None
        rows.append(
            {
                **say_names("subsystem", subsystem.names),
                "now": now,
                "needed": now + need,
                "pace": need / years,
                "own_pace": own,
                "best_pace": best,
                "years_needed": need / own if own and own > 0 else (0.0 if need == 0 else None),
            }
        )
    basis = everything(measured)
    fields = (
        *named("subsystem", "column.subsystem"),
        Field("now", Text("column.level_now"), basis=basis, digits=3),
        Field("needed", Text("column.level_needed"), basis=basis, digits=3),
        Field("pace", Text("column.pace_needed"), basis=basis, digits=4),
        Field("own_pace", Text("column.pace_own"), basis=basis, digits=4),
        Field("best_pace", Text("column.pace_best"), basis=basis, digits=4),
        Field("years_needed", Text("column.years_needed"), basis=basis, digits=1),
    )
    title = Text("fusion.target", {"class": Text(class_key(goal.number)), "by": goal.by, "edge": goal.edge})
    return result(rows, fields, ("subsystem_en",), title)


def path_table(measured: Measure, goal: Goal) -> Result:
    """A year a row: levels on the straight way to the goal, and what D and class they give."""
    first = measured.panel.years[goal.start]
    years = list(range(first, goal.by + 1))
    share = goal.share * (np.array(years) - first) / (goal.by - first)
    now = measured.U[goal.start, goal.region]
    U = now + share[:, None] * (1.0 - now)
    found = coordination(np.minimum(U, 1.0), alpha=measured.alpha, form=measured.form)
    classes = coordination_class(np.minimum(found.D + 1e-12, 1.0))
    rows: list[dict[str, Any]] = [
        {
            "year": year,
            **{f"u{k + 1}": float(u) for k, u in enumerate(U[s])},
            "D": float(found.D[s]),
            "class": class_key(int(classes[s])),
        }
        for s, year in enumerate(years)
    ]
    basis = everything(measured)
    fields = (
        Field("year", Text("column.year"), "year"),
        *level_fields(measured.system, basis),
        Field("D", Text(f"column.D_{measured.form}"), basis=basis, digits=3),
        Field("class", Text("column.coordination_class"), "key"),
    )
    return result(rows, fields, ("year",), Text("fusion.target_path", {"by": goal.by}))


def needs_table(measured: Measure, goal: Goal) -> Result:
    """By indicator: its value now and at the goal, were every distance closed by the same share."""
    t, i, panel = goal.start, goal.region, measured.panel
    lowest = panel.oriented.min(axis=(0, 1))
    spread = panel.oriented.max(axis=(0, 1)) - lowest
    z = measured.Z[t, i] + goal.share * (1.0 - measured.Z[t, i])
    years, span = goal.by - panel.years[t], panel.years[t] - panel.years[0]
    order = np.argsort(-(goal.share * (1.0 - measured.Z[t, i]) * measured.loading), kind="stable")
    rows = []
    for j in (int(j) for j in order):
        item, now = panel.items[j], float(panel.values[t, i, j])
        needed = None if item.direction == 0 else float(item.direction * (lowest[j] + z[j] * spread[j]))
        rows.append(
            {
                **say_names("name", item.names),
                "now": now,
                "needed": needed,
                **say_names("unit", unit_of(panel, j)),
                "pace": None if needed is None else (needed - now) / years,
                "own_pace": (now - float(panel.values[0, i, j])) / span if span else None,
                "indicator": item.id,
            }
        )
    basis = everything(measured)
    fields = (
        *named("name", "column.indicator_name"),
        Field("now", Text("column.value_now"), basis=basis),
        Field("needed", Text("column.value_needed"), basis=basis),
        *named("unit", "column.unit"),
        Field("pace", Text("column.pace_needed"), basis=basis),
        Field("own_pace", Text("column.pace_own"), basis=basis),
        Field("indicator", Text("column.indicator"), "text"),
    )
    return result(rows, fields, ("indicator",), Text("fusion.needs", {"by": goal.by}))
