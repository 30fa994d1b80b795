"""Topics of a field: emergence against strength, bursts, disruption; and what emergence would have been worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import NoData
from ronghe.fielding.definition import Definition
from ronghe.kernels.bursts import batch_bursts
from ronghe.kernels.disruption import disruption
from ronghe.kernels.emergence import SCORES, BackTest, Emergence, back_test, emergence
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.citation_load import Science
from ronghe.model.finding import Cell, Matrix, Result, Rows
from ronghe.model.text import Text

Floats = NDArray[np.float64]
AHEAD = 5
CD_WINDOW = 5


@dataclass(frozen=True)
class Topics:
    """All topics of the lake up to a year: yearly counts, scores, and the CD_5 of every work.

    Attributes
    ----------
    ids : (t,) topics. counts : (t, y) works a year. years : (y,). at : topic -> place in ``ids``.
    cd : (n,) guarded CD_5 of the works of ``Science``; NaN where it can't be judged.
    """

    ids: Sequence[str]
    info: Mapping[str, Mapping[str, Any]]
    years: Sequence[int]
    counts: Floats
    at: Mapping[str, int]
    scores: Emergence
    tested: BackTest | None
    cd: Floats
    window: int


def load_topics(science: Science, year: int, window: int, floor: float = 5.0) -> Topics:
    """Count and score every topic of the works up to a year.

    Raises
    ------
    NoData : no work has a topic so early.
    """
    use = [r for r, ok in zip(science.rows, science.usable, strict=True) if ok and r["topic"] and r["year"] <= year]
    ids = sorted({r["topic"] for r in use})
    if not ids:
        earliest = min((r["year"] for r, ok in zip(science.rows, science.usable, strict=True) if ok and r["topic"]),
                       default="—")  # fmt: skip
        raise NoData("no_topics_yet", year=year, first=earliest)
    first = min(*(r["year"] for r in use), year - window + 1)
    at = {t: i for i, t in enumerate(ids)}
    counts = np.zeros((len(ids), year - first + 1))
    info: dict[str, Mapping[str, Any]] = {}
    for row in use:
        counts[at[row["topic"]], row["year"] - first] += 1
        info[row["topic"]] = row
    scores = emergence(counts, window=window, floor=floor)
    tested = back_test(counts, AHEAD, window, floor) if counts.shape[1] >= window + AHEAD else None
    return Topics(
        ids, info, range(first, year + 1), counts, at, scores, tested, complete_cd(science, year), window
    )  # fmt: skip


def complete_cd(science: Science, year: int) -> Floats:
    """CD_5 of works whose five years have passed and that cite works of the lake; NaN for all others."""
    found = disruption(science.graph, CD_WINDOW)
    passed = science.usable & (science.year + CD_WINDOW <= year)
    return np.asarray(np.where(passed, found.cd_guarded, np.nan))


def topic_table(topics: Topics, science: Science, fields: Sequence[Definition]) -> Result:
    """Topics of the fields that are active in the window, most emerging first."""
    by_topic: dict[str, list[float]] = {}
    for row, cd in zip(science.rows, topics.cd, strict=True):
        if np.isfinite(cd) and row["topic"]:
            by_topic.setdefault(row["topic"], []).append(float(cd))
    recent = tuple(topics.years[-topics.window :])
    total = topics.counts.sum(axis=0)
    rows = []
    for topic, i in topics.at.items():
        info, s = topics.info[topic], topics.scores
        held = [f for f in fields if f.has_topic(topic, info["subfield"], info["field"])]
        if not held or not s.active[i]:
            continue
        burst = batch_bursts(topics.counts[i], total)
        cds = by_topic.get(topic, [])
        rows.append(
            {
                "topic": topic, "topic_name": info["topic_name"], "subfield": info["subfield"],
                "field_zh": held[0].names["zh"], "field_en": held[0].names["en"],
                "works": float(topics.counts[i, -topics.window :].sum()),
                "emergence": s.score[i], "strength": s.strength[i], "growth_over": s.growth[i],
                "newness": s.newness[i], "persistence": s.persistence[i],
                "burst": topics.years[int(burst.start[-1])] if burst.start.size else None,
                "bursting": "yes" if burst.states.size and burst.states[-1] else "no",
                "cd": float(np.mean(cds)) if cds else None, "cd_works": len(cds), "diagram_standing": _quadrant(s, i),
            }
        )  # fmt: skip
    rows.sort(key=lambda r: (-r["emergence"], r["topic"]))
    here = Rows("work", {"topic": Cell("topic"), "year": recent})
    ever = Rows("work", {"topic": Cell("topic")})
    everyone = Matrix("work", {"year": recent})
    fields_ = [
        text_field("topic_name"), *name_fields("field", "column.field_name"), text_field("diagram_standing", "class"),
        figure("works", "integer", basis=here), figure("emergence", basis=everyone, digits=2),
        figure("strength", basis=everyone, digits=2), figure("growth_over", "share", basis=everyone),
        figure("newness", "share", basis=ever), figure("persistence", "share", basis=ever),
        figure("burst", "year", basis=ever), text_field("bursting", "class"),
        figure("cd", basis=Matrix("citation", {}), digits=3), figure("cd_works", "integer", basis=ever),
        text_field("subfield"), text_field("topic"),
    ]  # fmt: skip
    return result(rows, fields_, ("topic",), Text("frontier.topics", {"first": recent[0], "last": recent[-1]}))


def _quadrant(scores: Emergence, i: int) -> str:
    """Where a topic stands in the strategic diagram, by the middles of both axes."""
    rising, strong = scores.score[i] >= 0.5, scores.strength[i] >= 0.5
    return {(True, True): "motor", (True, False): "emerging", (False, True): "basic", (False, False): "fading"}[
        bool(rising), bool(strong)
    ]


def backtest_table(topics: Topics) -> Result | None:
    """What each score would have foreseen: AUC and precision over past years, beside guessing."""
    if topics.tested is None or not topics.tested.years.size:
        return None
    auc, precision = topics.tested.mean_auc(), topics.tested.mean_precision()
    rows = [
        {"score": name, "auc": auc[name], "precision": precision[name], "base_rate": topics.tested.base_rate,
         "tests": int(topics.tested.years.size), "candidates": int(topics.tested.candidates.sum())}
        for name in SCORES
    ]  # fmt: skip
    every = Matrix("work", {})
    fields = [
        text_field("score", "class"), figure("auc", basis=every, digits=3), figure("precision", "share", basis=every),
        figure("base_rate", "share", basis=every), figure("tests", "integer", basis=every),
        figure("candidates", "integer", basis=every),
    ]  # fmt: skip
    return result(rows, fields, ("score",), Text("frontier.backtest", {"ahead": AHEAD}), aside=True)
