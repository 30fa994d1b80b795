"""Signs of a breakthrough in works and patents: disruption, novelty, citations, bursts; science base and breadth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ronghe.kernels.bursts import batch_bursts
from ronghe.kernels.disruption import disruption
from ronghe.kernels.novelty import atypicality
from ronghe.lenses.frontier.citation_load import Science

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SIGNS = ("cd", "novelty", "citations", "burst")
TOP = 0.9
WINDOW = 5
_REFERENCES, _CITERS, _PAIRS, _COHORT, _BURSTING = 2, 3, 3, 10, 5
_WORLDS = 20
_SEED = 7


@dataclass(frozen=True)
class Signs:
    """Every work's measures and where they stand among those that can be judged.

    Attributes
    ----------
    value : sign -> (n,) measure; NaN where it can't be judged. novelty is turned: higher is less usual.
    place : sign -> (n,) percentile among those judged; citations within a cohort of field and years.
    burst_years : work -> first and last year of its strongest burst.
    """

    science: Science
    value: Mapping[str, Floats]
    place: Mapping[str, Floats]
    burst_years: Mapping[int, tuple[int, int]]
    references: Ints
    citers: Ints

    @cached_property
    def held(self) -> Mapping[str, NDArray[np.bool_]]:
        """Sign -> (n,) whether a work bears it: in the top tenth, and disruptive or novel at all."""
        above = {k: np.nan_to_num(v) >= TOP for k, v in self.place.items()}
        above["cd"] &= np.nan_to_num(self.value["cd"]) > 0
        above["novelty"] &= np.nan_to_num(self.value["novelty"]) > 0
        return above

    @cached_property
    def count(self) -> Ints:
        """(n,) how many signs each work bears."""
        return np.asarray(np.sum([self.held[k] for k in SIGNS], axis=0), dtype=np.int64)

    def by_chance(self, chosen: NDArray[np.bool_]) -> list[tuple[int, int, float]]:
        """(k, works with k kinds of signs or more, as many as were expected if they fell independently).

        Citations and bursts both come from attention: together they are one kind beside disruption and novelty.
        """
        kinds = (("cd",), ("novelty",), ("citations", "burst"))
        held = [np.any([self.held[k] for k in kind], axis=0) & chosen for kind in kinds]
        judged = [np.any([np.isfinite(self.place[k]) for k in kind], axis=0) & chosen for kind in kinds]
        shares = [float(h.sum() / j.sum()) if j.any() else 0.0 for h, j in zip(held, judged, strict=True)]
        expected = np.zeros(len(kinds) + 1)
        for w in np.flatnonzero(chosen):
            spread = np.array([1.0])
            for share, can in zip(shares, judged, strict=True):
                p = share if can[w] else 0.0
                spread = np.convolve(spread, [1 - p, p])
            expected += spread
        count = np.sum(held, axis=0)[chosen]
        return [(k, int((count >= k).sum()), float(expected[k:].sum())) for k in range(1, len(kinds) + 1)]


def load_signs(science: Science, year: int) -> Signs:
    """Measure every work of the lake, as seen at the end of a year."""
    found = disruption(science.graph, WINDOW)
    whole = science.usable & (science.year + WINDOW <= year)
    fit = whole & (found.references >= _REFERENCES) & (found.citations >= _CITERS)
    cd = np.where(fit, found.cd_guarded, np.nan)
    novelty = np.where(science.usable, _novelty(science), np.nan)
    bursts, years = _bursts(science, year)
    cited = np.array([np.nan if r["cited_by"] is None else r["cited_by"] for r in science.rows], dtype=float)
    cited = np.where(science.usable, cited, np.nan)
    value = {"cd": cd, "novelty": novelty, "citations": cited, "burst": bursts}
    place = {k: _percentile(v) for k, v in value.items() if k != "citations"}
    place["citations"] = _in_cohort(science, cited)
    return Signs(science, value, place, years, found.references.astype(np.int64), found.citations.astype(np.int64))


def _percentile(values: Floats) -> Floats:
    known = np.isfinite(values)
    found = np.full(values.shape, np.nan)
    if known.any():
        found[known] = rankdata(values[known]) / known.sum()
    return found


def _in_cohort(science: Science, cited: Floats) -> Floats:
    """Percentile of citations among works of the same field that appeared within a year of each other."""
    found = np.full(cited.shape, np.nan)
    groups: dict[tuple[str, int], list[int]] = {}
    for i in np.flatnonzero(np.isfinite(cited) & science.usable).tolist():
        field = science.rows[i]["field"]
        if field:
            for shift in (-1, 0, 1):
                groups.setdefault((field, int(science.year[i]) + shift), []).append(int(i))
    for i in np.flatnonzero(np.isfinite(cited) & science.usable).tolist():
        cohort = groups.get((science.rows[i]["field"] or "", int(science.year[i])), [])
        if len(cohort) >= _COHORT:
            others = cited[cohort]
            found[i] = float(((others < cited[i]).sum() + 0.5 * (others == cited[i]).sum() + 0.5) / (len(cohort) + 1))
    return found


def references_of(science: Science) -> tuple[Ints, Ints, Ints]:
    """References inside the lake with a topic: starts a work, cited works and their topics' numbers."""
    topics = {t: i for i, t in enumerate(sorted({r["topic"] for r in science.rows if r["topic"]}))}
    label = np.array([topics.get(r["topic"], -1) for r in science.rows], dtype=np.int64)
    keep = (label[science.cited] >= 0) & (science.citing != science.cited)
    source, target = science.citing[keep], science.cited[keep]
    order = np.lexsort((target, source))
    starts = np.concatenate(([0], np.cumsum(np.bincount(source, minlength=len(science.ids))))).astype(np.int64)
    return starts, target[order], label[target[order]]


def _novelty(science: Science) -> Floats:
    """Minus the tenth percentile of z over pairs of topics cited together, against twenty shuffled worlds."""
    starts, _, labels = references_of(science)
    if not labels.size:
        return np.full(len(science.ids), np.nan)
    year = np.nan_to_num(np.repeat(science.year, np.diff(starts)), nan=0.0)
    # Works of five years are one stratum: finer ones would leave too few references to shuffle.
    made = atypicality(starts, labels, (year // 5).astype(np.int64), worlds=_WORLDS, seed=_SEED)
    judged = made.pairs - made.without_z >= _PAIRS
    return np.asarray(np.where(judged, -made.tail, np.nan))


def _bursts(science: Science, year: int) -> tuple[Floats, dict[int, tuple[int, int]]]:
    """Weight of the strongest burst of citations from the lake, against all citations a year."""
    citing_year = science.year[science.citing]
    keep = np.isfinite(citing_year) & (citing_year <= year) & (science.citing != science.cited)
    when, cited = citing_year[keep].astype(int), science.cited[keep]
    weight = np.full(len(science.ids), np.nan)
    years: dict[int, tuple[int, int]] = {}
    if not when.size:
        return weight, years
    first = int(when.min())
    total = np.bincount(when - first, minlength=year - first + 1)
    for work in np.flatnonzero(np.bincount(cited, minlength=len(science.ids)) >= _BURSTING):
        mine = np.bincount(when[cited == work] - first, minlength=total.size)
        found = batch_bursts(mine, total)
        weight[work] = 0.0
        if found.weight.size:
            best = int(np.argmax(found.weight))
            weight[work] = float(found.weight[best])
            years[int(work)] = (first + int(found.start[best]), first + int(found.end[best]))
    return weight, years


def patent_signs(rows: Sequence[dict[str, Any]], cites: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Patents with what they cite of science, how many classes they span, claims, and who cites them in the lake."""
    science: dict[str, int] = {}
    cited: dict[str, int] = {}
    for row in cites:
        if row["kind"] == "literature":
            science[row["citing"]] = science.get(row["citing"], 0) + 1
        elif row["cited"]:
            cited[row["cited"]] = cited.get(row["cited"], 0) + 1
    made = [
        {**r, "science": science.get(r["patent_id"], 0), "breadth": len({c[:4] for c in r["classes"]}),
         "cited_patents": cited.get(r["patent_id"], 0)}
        for r in rows
    ]  # fmt: skip
    for name in ("science", "breadth", "claims", "cited_patents"):
        values = np.array([np.nan if r[name] is None else r[name] for r in made], dtype=float)
        place = _percentile(values)
        for row, at, value in zip(made, place.tolist(), values.tolist(), strict=True):
            row[f"top_{name}"] = bool(at >= TOP and value > 0)
    for row in made:
        row["signs"] = sum(row[f"top_{n}"] for n in ("science", "breadth", "claims", "cited_patents"))
    return made
