"""The Splink model: which of the names that meet under a key are one organisation's.

Fellegi and Sunter (1969), as Splink computes it on DuckDB. The weights are learnt from the organisations' own
names: a sample of them is set against the rest, and how often each level of likeness occurs among names of one
organisation (m) and of different ones (u) is counted over the pairs that the keys bring together. A probability
is therefore one among pairs that meet, and where several organisations come into question for one name they
share it: p = o / (1 + the sum of all o), o being the odds.

How much of what two names tell they tell in common (words weigh the bits by which they narrow the list down), how
alike they are spelt and how much the common words tell in all make one comparison, for the three are not independent;
country, kind and numbers stand beside it. What is left of their dependence makes the odds too sure of themselves, so
the likeliest candidate's probability is set right by isotonic regression on a second sample, from which some
organisations were taken away: a name need not be in the list at all.
"""

import logging
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from ronghe.resolve.keys import MOST, Organisations, comparable

SAMPLE = 4_000
"""Names that the weights are learnt from, and as many that the probabilities are set right by."""

ABSENT = 0.2
"""Share of names whose organisation is taken to be missing from the list."""

ELSEWHERE = 0.02
"""Share of names taken to stand under another country than their organisation's."""

_MASS = "shared_weight(core_l, core_r)"
_JOINT = f"{_MASS} / greatest(weight_l + weight_r - {_MASS}, 1e-9)"
_WITHIN = f"{_MASS} / greatest(least(weight_l, weight_r), 1e-9)"
_LIKE = "jaro_winkler_similarity(reduced_l, reduced_r)"
_MACRO = (
    "CREATE MACRO shared_weight(a, b) AS coalesce(list_sum([greatest(log2({most} / (1 + left(w, 7)::INT)), 0) "
    "for w in list_intersect(a, b)]), 0)"
)

_LIKENESS = (
    ("same", "reduced_l = reduced_r"),
    ("same words, near", f"{_JOINT} >= 0.99 AND {_LIKE} >= 0.9"),
    ("near to a letter", f"{_LIKE} >= 0.97"),
    ("same words", f"{_JOINT} >= 0.99"),
    ("near", f"{_LIKE} >= 0.93"),
    ("most", f"{_JOINT} >= 0.75"),
    ("one within the other", f"{_WITHIN} >= 0.99 AND {_JOINT} >= 0.5"),
    ("half", f"{_JOINT} >= 0.5"),
    ("part within", f"{_WITHIN} >= 0.99"),
    ("third", f"{_JOINT} >= 0.35"),
    ("some", f"{_JOINT} >= 0.2"),
)
_RARITY = (
    ("telling most", f"{_MASS} >= 40"),
    ("telling much", f"{_MASS} >= 30"),
    ("telling enough", f"{_MASS} >= 23"),
    ("telling something", f"{_MASS} >= 17"),
    ("telling little", "TRUE"),
)

_HARDLY = ("hardly", f"{_JOINT} < 0.2 AND {_LIKE} < 0.93")
"""Asked first, for it is what most pairs are."""

LEVELS: Mapping[str, Sequence[tuple[str, str]]] = {
    "likeness": (
        _HARDLY,
        *((f"{like}; {rare}", f"({alike}) AND ({seldom})") for like, alike in _LIKENESS for rare, seldom in _RARITY),
    ),
    "kind": (("same", "kind_l = kind_r"),),
    "numbers": (("same", "numbers_l = numbers_r AND numbers_l <> ''"), ("none", "numbers_l = numbers_r")),
    "country": (("same", "country_l = country_r"),),
}
"""Comparison -> levels, each with its test in SQL; the first that fits counts, what fits none is a level besides."""

_NULLS: Mapping[str, str] = {
    "kind": "kind_l IS NULL OR kind_r IS NULL",
    "country": "country_l IS NULL OR country_r IS NULL",
}
_SMOOTH = 0.5


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt.

    ``levels``: comparison -> (m, u) of each level, the last being all else. ``prior``: the share of true pairs.
    ``pairs``: how many were counted. ``curve``: (odds' probability, share found right) of the likeliest candidate.
    """

    levels: Mapping[str, tuple[tuple[float, float], ...]]
    prior: float
    pairs: int
    curve: tuple[tuple[float, float], ...] = ()


def learn(organisations: Organisations, *, seed: int = 0, memory: str = "1GB") -> Weights:
    """The weights, from two seeded samples of names of organisations with more than one full name.

    Where there is nothing to learn from, ``pairs`` is 0 and no pair is ever likely.
    """
    full = [i for i, one in enumerate(organisations.spellings) if not one.weak]
    named: dict[str, list[int]] = {}
    for i in full:
        named.setdefault(organisations.spellings[i].org_id, []).append(i)
    draw = random.Random(seed)
    several = [places for _, places in sorted(named.items()) if len(places) > 1]
    chosen = [draw.choice(places) for places in draw.sample(several, min(2 * SAMPLE, len(several)))]
    first, second = chosen[::2], chosen[1::2]
    rest = sorted(set(full) - set(chosen))
    if not first or not rest:
        return Weights({}, 0.0, 0)
    blank = {name: tuple((0.5, 0.5) for _ in range(len(tests) + 1)) for name, tests in LEVELS.items()}
    left, right = _asked(organisations, first), _listed(organisations, rest)
    with _scored(left, right, Weights(blank, 0.5, 0), memory) as (connection, scored):
        found: list[tuple[Any, ...]] = connection.execute(
            f"SELECT org_id_l = org_id_r, {', '.join(f'gamma_{name}' for name in LEVELS)}, count(*) "
            f"FROM {scored} GROUP BY ALL"
        ).fetchall()
    return _set_right(_counted(found), organisations, second, rest, draw, memory)


def _set_right(
    weights: Weights,
    organisations: Organisations,
    asked: Sequence[int],
    rest: Sequence[int],
    draw: random.Random,
    memory: str,
) -> Weights:
    """The weights with the curve that says how often a probability is right."""
    if not weights.pairs or not asked:
        return weights
    owners = {i: organisations.spellings[i].org_id for i in asked}
    gone = {owners[i] for i in draw.sample(list(asked), round(ABSENT * len(asked)))}
    right = [i for i in rest if organisations.spellings[i].org_id not in gone]
    names, others = _asked(organisations, asked), _listed(organisations, right)
    found = _candidates(names, others, weights, 0.01, memory)
    best: dict[int, tuple[float, bool]] = {}
    for i, org, score in zip(*(found.column(c).to_pylist() for c in found.column_names), strict=True):
        best.setdefault(i, (score, org == owners[i]))
    return replace(weights, curve=_curve(sorted(best.values())))


def _curve(best: Sequence[tuple[float, bool]]) -> tuple[tuple[float, float], ...]:
    """The isotonic share of right answers by score, a point at each end of a step."""
    from scipy.optimize import isotonic_regression

    if not best:
        return ()
    steps = isotonic_regression([float(right) for _, right in best])
    points: list[tuple[float, float]] = []
    for low, high in pairwise(steps.blocks.tolist()):
        # One right of one is not certainty: half a success and half a failure are added to every step.
        share = (sum(right for _, right in best[low:high]) + _SMOOTH) / (high - low + 2 * _SMOOTH)
        points += [(best[low][0], share), (best[high - 1][0], share)]
    return tuple(points)


def _counted(found: Sequence[tuple[Any, ...]]) -> Weights:
    totals = {truth: sum(row[-1] for row in found if row[0] is truth) for truth in (True, False)}
    if not totals[True]:
        return Weights({}, 0.0, 0)
    levels = {}
    for place, (name, tests) in enumerate(LEVELS.items(), start=1):
        counts = {truth: [_SMOOTH] * (len(tests) + 1) for truth in (True, False)}
        for row in found:
            if row[place] >= 0:
                counts[row[0]][len(tests) - row[place]] += row[-1]
        shares = [[n / sum(counts[truth]) for n in counts[truth]] for truth in (True, False)]
        levels[name] = tuple(zip(*shares, strict=True))
    (_, alien), (_, other) = levels["country"]
    # An organisation's own names share its country, so how often a source states another can't be learnt from them.
    levels["country"] = ((1 - ELSEWHERE, alien), (ELSEWHERE, other))
    pairs = totals[True] + totals[False]
    return Weights(levels, totals[True] / pairs, pairs)


def _asked(organisations: Organisations, places: Sequence[int]) -> pa.Table:
    """Names of the list as if they were asked for."""
    chosen = [organisations.spellings[i] for i in places]
    rows = [(i, one.name, one.country) for i, one in zip(places, chosen, strict=True)]
    return comparable(rows, organisations.words, {"org_id": [one.org_id for one in chosen]}, listed=False)


def _listed(organisations: Organisations, places: Sequence[int]) -> pa.Table:
    every = organisations.compared
    held = np.zeros(len(organisations.spellings), dtype=bool)
    held[list(places)] = True
    return every.filter(pa.array(held[np.asarray(every.column("unique_id")) // 2]))


def predict(
    names: pa.Table, organisations: Organisations, weights: Weights, *, least: float = 0.05, memory: str = "1GB"
) -> pa.Table:
    """For each name the organisations that come into question, each once with the best of its names.

    Parameters
    ----------
    names : from ``comparable``.
    organisations : among which to look.
    weights : from ``learn``.
    least : candidates less likely than this are left out.

    Returns
    -------
    ``unique_id`` of the name, ``org_id``, ``score``; the likeliest first.
    """
    every = organisations.compared
    if not weights.pairs or not names.num_rows or not every.num_rows:
        return _NONE
    left = names.append_column("org_id", pa.array([""] * names.num_rows))
    found = _candidates(left, every, weights, 0.01, memory)
    score = np.asarray(found.column("score"), dtype=float)
    if weights.curve:
        at, share = np.array(weights.curve).T
        score = np.minimum(np.interp(score, at, np.maximum.accumulate(share)), 1.0)
    kept = pa.array(score >= least)
    return found.set_column(2, "score", pa.array(score)).filter(kept)


_NONE = pa.table(
    {"unique_id": pa.array([], pa.int64()), "org_id": pa.array([], pa.string()), "score": pa.array([], pa.float64())}
)


_ALL_OF_ONE = (
    "(PARTITION BY unique_id ORDER BY odds DESC, org_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
)
"""Added up in a fixed order: the last bits of a sum depend on it, and the same question gives the same bytes."""


def _candidates(left: pa.Table, right: pa.Table, weights: Weights, least: float, memory: str) -> pa.Table:
    """For each name its organisations with the probability that they share, the likeliest first."""
    with _scored(left, right, weights, memory) as (connection, scored):
        found: Any = connection.sql(
            f"WITH best AS (SELECT unique_id_l // 2 AS unique_id, org_id_r AS org_id, "
            f"max(pow(2.0, match_weight)) AS odds FROM {scored} GROUP BY ALL), "
            f"shared AS (SELECT *, odds / (1 + sum(odds) OVER {_ALL_OF_ONE}) AS score FROM best) "
            f"SELECT unique_id, org_id, score FROM shared WHERE score >= {least} "
            f"ORDER BY unique_id, score DESC, org_id"
        ).to_arrow_table()
    return found.cast(_NONE.schema)


@contextmanager
def _scored(
    left: pa.Table, right: pa.Table, weights: Weights, memory: str
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Splink's table of the pairs that meet, with its comparisons and weights."""
    with warnings.catch_warnings(), duckdb.connect() as connection:
        # Splink calls names that DuckDB 2 renamed.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        from splink import DuckDBAPI, Linker, SettingsCreator, block_on

        connection.execute(f"SET memory_limit = '{memory}'")
        connection.execute(_MACRO.format(most=MOST))
        api = DuckDBAPI(connection)
        frames = [
            api.register(connection.from_arrow(table), table_name=name)
            for name, table in (("names_l", left), ("names_r", right))
        ]
        settings = SettingsCreator(
            link_type="link_only",
            probability_two_random_records_match=min(max(weights.prior, 1e-9), 1 - 1e-9),
            comparisons=[_comparison(name, weights.levels[name]) for name in LEVELS],
            blocking_rules_to_generate_predictions=[block_on("keys", arrays_to_explode=["keys"])],
            retain_matching_columns=not weights.pairs,
            retain_intermediate_calculation_columns=False,
            additional_columns_to_retain=["org_id"],
        )
        linker = Linker(frames, settings, log_level=logging.ERROR)
        yield connection, linker.inference.predict().physical_name


def _comparison(name: str, shares: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """A comparison as Splink wants it: the unknown, the levels, all else."""
    levels: list[dict[str, Any]] = []
    if name in _NULLS:
        levels.append({"sql_condition": _NULLS[name], "label_for_charts": "unknown", "is_null_level": True})
    tests = [*LEVELS[name], ("else", "ELSE")]
    for (label, condition), (m, u) in zip(tests, shares, strict=True):
        fixed = {"m_probability": m, "u_probability": u, "fix_m_probability": True, "fix_u_probability": True}
        levels.append({"sql_condition": condition, "label_for_charts": label, **fixed})
    return {"output_column_name": name, "comparison_levels": levels}
