"""How well matching does, on truth: organisations' own names held out, and people told apart by hand."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from ronghe.resolve.keys import Organisations, read_organisations
from ronghe.resolve.match import match_known
from ronghe.resolve.model import Weights, learn
from ronghe.resolve.names import is_cjk, person_key

THRESHOLDS = (0.5, 0.7, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Quality:
    """One line of a measurement.

    ``given``: names of the group. ``answered``: those matched at the threshold. ``right``: those matched with their
    organisation. ``findable``: those whose organisation is in the list.
    """

    group: str
    threshold: float
    given: int
    findable: int
    answered: int
    right: int

    @property
    def precision(self) -> float | None:
        """Of the names matched, the share matched rightly; nothing where none was."""
        return self.right / self.answered if self.answered else None

    @property
    def recall(self) -> float | None:
        """Of the names whose organisation is listed, the share matched with it."""
        return self.right / self.findable if self.findable else None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Names taken away from their organisations: who bears each, and the list without them.

    ``truth`` is null for names of organisations taken away whole: those have no right answer.
    """

    names: pa.Table
    truth: tuple[str | None, ...]
    known: Organisations

    def anywhere(self) -> "HeldOut":
        """The same names asked for without their country."""
        return replace(self, names=self.names.select(["name"]))


def hold_out(
    organisations: pa.Table, *, share: float = 0.3, gone: float = 0.05, seed: int = 0, country: bool = True
) -> HeldOut:
    """Take a name away from some organisations, and some organisations altogether.

    Parameters
    ----------
    organisations : rows of the table ``organisation``.
    share : of the organisations with more than one full name, how many lose one (drawn among those names that no
        other organisation bears).
    gone : share of all organisations that are taken away whole; one of their names is asked for.
    seed : of the draw.
    country : whether the names are asked for with their country.
    """
    draw = random.Random(seed)
    known = read_organisations(organisations)
    named: dict[str, list[int]] = {}
    for i, one in enumerate(known.spellings):
        if not one.weak:
            named.setdefault(one.org_id, []).append(i)
    # A name that two organisations bear has no one right answer.
    bearers: dict[str, set[str]] = {}
    for places in named.values():
        for i in places:
            bearers.setdefault(known.spellings[i].name.exact, set()).add(known.spellings[i].org_id)
    own = {o: [i for i in places if len(bearers[known.spellings[i].name.exact]) == 1] for o, places in named.items()}
    ids = sorted(o for o, places in own.items() if places)
    absent = set(draw.sample(ids, round(gone * len(ids))))
    several = [o for o in ids if len(named[o]) > 1 and o not in absent]
    taken = [(draw.choice(own[o]), o) for o in sorted(draw.sample(several, round(share * len(several))))]
    asked: list[tuple[int, str | None]] = [*taken, *((draw.choice(own[o]), None) for o in sorted(absent))]
    out = [i for i, _ in taken] + [i for i, one in enumerate(known.spellings) if one.org_id in absent]
    left = known.without(out)
    columns: dict[str, Any] = {"name": [known.spellings[i].text for i, _ in asked]}
    if country:
        columns["country"] = [known.spellings[i].country for i, _ in asked]
    return HeldOut(pa.table(columns), tuple(o for _, o in asked), left)


def measure(
    held: HeldOut, weights: Weights | None = None, *, seed: int = 0, thresholds: Sequence[float] = THRESHOLDS
) -> list[Quality]:
    """Precision and recall at thresholds, of all names and of groups: by the script, and by what matched them.

    ``weights`` are learnt from what is left of the list unless they are given.
    """
    weights = weights or learn(held.known, seed=seed)
    found = match_known(held.names, held.known, weights, threshold=min(thresholds), parts=False).to_pylist()
    latin = {o for o in held.known.titles if not is_cjk(held.known.titles[o] or "")}
    rows = list(zip(found, held.truth, strict=True))
    groups: dict[str, list[tuple[Mapping[str, Any], str | None]]] = {"all": rows}
    for row in rows:
        other = is_cjk(row[0]["name"]) and (row[1] is None or row[1] in latin)
        groups.setdefault("script: Chinese, Japanese, Korean" if other else "script: other", []).append(row)
        groups.setdefault(f"method: {row[0]['method']}", []).append(row)
    return [_quality(name, rows, least) for name, rows in sorted(groups.items()) for least in thresholds]


def _quality(name: str, rows: Sequence[tuple[Mapping[str, Any], str | None]], least: float) -> Quality:
    answered = [(found, truth) for found, truth in rows if found["org_id"] and found["score"] >= least]
    right = sum(found["org_id"] == truth for found, truth in answered)
    return Quality(name, least, len(rows), sum(truth is not None for _, truth in rows), len(answered), right)


def pairs_quality(truth: Iterable[Any], grouped: Iterable[Any]) -> Quality:
    """Pairwise precision and recall of a grouping: pairs put together, pairs that belong together.

    Examples
    --------
    >>> one = pairs_quality(["a", "a", "b"], [1, 1, 1])
    >>> one.precision, one.recall
    (0.3333333333333333, 1.0)
    """
    said = list(zip(truth, grouped, strict=True))

    def pairs(counts: Iterable[int]) -> int:
        return sum(n * (n - 1) // 2 for n in counts)

    right = pairs(Counter(said).values())
    together = pairs(Counter(t for t, _ in said).values())
    answered = pairs(Counter(g for _, g in said).values())
    return Quality("pairs", 0.0, len(said), together, answered, right)


def inventors_quality(labelled: pa.Table) -> Quality:
    """Inventors put together by their normalised name alone, against those told apart by hand.

    Parameters
    ----------
    labelled : rows of the table ``labelled_inventor``.
    """
    first, last = (labelled.column(c).to_pylist() for c in ("first_name", "last_name"))
    keys = [person_key(f or "", s or "") for f, s in zip(first, last, strict=True)]
    return pairs_quality(labelled.column("inventor").to_pylist(), keys)
