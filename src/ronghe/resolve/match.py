"""Match written names with organisations: a decision, a code, the exact name, the model, the whole of a part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ronghe.model.table import contract
from ronghe.resolve.keys import Organisations, comparable, read_organisations
from ronghe.resolve.model import Weights, learn, predict
from ronghe.resolve.names import Name, normalise, read_name, said_country, wholes

TABLE = "organisation_match"
FIELD = "org_id"
THRESHOLD = 0.5

NEAREST = 0.05
"""A candidate that comes second, or falls short, is named from this likelihood on."""

SURE = 0.9
"""A part that the model finds less likely than this goes to the whole that its name tells."""

Found = tuple[str, float, str]
"""Organisation, score, method."""


@dataclass
class _Indexes:
    """Spelling -> the organisations it names. ``weak``: acronyms, which count only within a country."""

    exact: dict[str, list[str]] = field(default_factory=dict)
    reduced: dict[str, list[str]] = field(default_factory=dict)
    weak: dict[str, list[str]] = field(default_factory=dict)


def match(
    names: pa.Table,
    organisations: pa.Table,
    decisions: pa.Table | None = None,
    *,
    threshold: float = THRESHOLD,
    seed: int = 0,
    parts: bool = True,
    memory: str = "1GB",
) -> pa.Table:
    """Which organisation each name means.

    Parameters
    ----------
    names : ``name``; and, where known, ``country`` (alpha-3), ``code`` (an organisation's id as the source gives
        it), ``source`` and ``rows``. A name stands once a source and country.
    organisations : rows of the table ``organisation``.
    decisions : rows of the table ``decision``. Of those about ``organisation_match`` the newest of each kind counts:
        ``confirmed`` and ``locked`` give the organisation in ``new`` to the name in ``subject`` (none where ``new``
        is empty), ``rejected`` keeps it from the name.
    threshold : less likely matches are no matches; the nearest organisation then stands as runner-up.
    parts : whether a school, campus or plant that matches nothing may stand for the whole that its name tells.
    seed : of the sample that the model learns from.
    memory : that DuckDB may take.

    Returns
    -------
    Rows of the contract ``organisation_match``, in the order of ``names``, without lineage.
    """
    known = read_organisations(organisations)
    weights = learn(known, seed=seed, memory=memory)
    return match_known(names, known, weights, decisions, threshold=threshold, parts=parts, memory=memory)


def match_known(
    names: pa.Table,
    known: Organisations,
    weights: Weights,
    decisions: pa.Table | None = None,
    *,
    threshold: float = THRESHOLD,
    parts: bool = True,
    memory: str = "1GB",
) -> pa.Table:
    """As ``match``, with organisations read and weights learnt before."""
    rows = _asked(names)
    ruled = Rulings(decisions)
    indexes = _index(known)
    read = {row["name"]: read_name(row["name"]) for row in rows}
    found: dict[int, list[Found]] = {}
    status: dict[int, str] = {}
    open_: list[int] = []
    for i, row in enumerate(rows):
        verdict = ruled.verdict(row["name"])
        if verdict is not None:
            status[i] = verdict[1]
            found[i] = [(verdict[0], 1.0, "decision")] if verdict[0] in known.titles else []
            continue
        direct = _direct(row, read[row["name"]], known, indexes, ruled.rejected(row["name"]))
        if direct:
            found[i] = direct
        else:
            open_.append(i)
    found |= _modelled(open_, rows, read, known, weights, ruled, min(threshold, NEAREST), memory)
    trust = trusted_wholes(known) if parts and open_ else {}
    for i in open_ if parts else ():
        told = _whole(rows[i], known, indexes, ruled.rejected(rows[i]["name"]))[:1]
        found[i] = _ranked(_trusted(told, trust, rows[i]["name"]), found.get(i, []), threshold)
    return _answer(rows, found, status, known, ruled, threshold)


def _asked(names: pa.Table) -> list[dict[str, Any]]:
    held = set(names.column_names)
    defaults: Mapping[str, Any] = {"country": "", "code": None, "source": "", "rows": None}
    columns = {c: names.column(c).to_pylist() if c in held else [v] * names.num_rows for c, v in defaults.items()}
    rows = zip(names.column("name").to_pylist(), *columns.values(), strict=True)
    return [
        {"name": n or "", "country": c or "", "at": c or said_country(n or ""), "code": k, "source": s or "", "rows": r}
        for n, c, k, s, r in rows
    ]


class Rulings:
    """What users decided of names."""

    def __init__(self, decisions: pa.Table | None) -> None:
        self._given: dict[str, tuple[str, str]] = {}
        self._kept: dict[str, set[str]] = {}
        said = [] if decisions is None else decisions.to_pylist()
        said = [d for d in said if d.get("table") == TABLE and d.get("subject")]
        for one in sorted(said, key=lambda d: (str(d.get("at") or ""), str(d.get("decision_id") or ""))):
            subject, kind, org = normalise(one["subject"]), one["kind"], one.get("new") or ""
            if kind in {"confirmed", "locked"}:
                self._given[subject] = (org, kind)
                self._kept.get(subject, set()).discard(org)
            elif kind == "rejected":
                self._kept.setdefault(subject, set()).add(org)
                if self._given.get(subject, ("", ""))[0] == org and self._given[subject][1] != "locked":
                    del self._given[subject]

    def verdict(self, name: str) -> tuple[str, str] | None:
        """The organisation given to a name and how, or nothing."""
        return self._given.get(normalise(name)) if self._given else None

    def rejected(self, name: str) -> set[str]:
        """The organisations kept from a name."""
        return self._kept.get(normalise(name), set()) if self._kept else set()

    def over(self, found: Mapping[str, str]) -> dict[str, str]:
        """Matches made earlier (normalised name -> organisation) as they stand under these decisions."""
        held = {name: org for name, org in found.items() if org not in self._kept.get(name, ())}
        held |= {name: org for name, (org, _) in self._given.items()}
        return {name: org for name, org in held.items() if org}


def _index(known: Organisations) -> _Indexes:
    made = _Indexes()
    for one in known.spellings:
        if one.weak:
            made.weak.setdefault(one.name.exact, []).append(one.org_id)
            continue
        made.exact.setdefault(one.name.exact, []).append(one.org_id)
        made.reduced.setdefault(one.name.reduced, []).append(one.org_id)
    return made


def _direct(row: Mapping[str, Any], name: Name, known: Organisations, indexes: _Indexes, kept: set[str]) -> list[Found]:
    """By code or by spelling, with the others that bear the very name."""
    code = _code(row["code"])
    if code in known.titles and code not in kept:
        return [(code, 1.0, "code")]
    country = row["at"]
    for method, index, form in (
        ("exact", indexes.exact, name.exact),
        ("exact", indexes.weak if country else {}, name.exact),
        ("reduced", indexes.reduced, name.reduced),
    ):
        found = _all_of(index.get(form, ()), country, known, kept)
        if found:
            return [(one, score, method) for one, score in found]
    return []


def _code(code: Any) -> str:
    text = str(code or "")
    return "ror:" + text.rsplit("/", 1)[-1] if "ror.org/" in text else text


def _all_of(found: Sequence[str], country: str, known: Organisations, kept: set[str]) -> list[tuple[str, float]]:
    """Those that bear a name, each with its share: of the country if it is known, active before withdrawn.

    A group's companies often bear one name; the name alone means the one that the others belong to.
    """
    fit = [o for o in dict.fromkeys(found) if o not in kept and (not country or known.countries[o] in ("", country))]
    alive = sorted([o for o in fit if o in known.active] or fit)
    heads = [o for o in alive if not set(known.above(o)) & set(alive)] or alive
    return [(o, 1.0 / len(heads)) for o in heads] + [(o, 0.0) for o in alive if o not in heads]


def _whole(row: Mapping[str, Any], known: Organisations, indexes: _Indexes, kept: set[str]) -> list[Found]:
    """The organisations of which the name says a part, or a company abroad."""
    for part in wholes(row["name"]):
        name = read_name(part)
        for index, form in ((indexes.exact, name.exact), (indexes.reduced, name.reduced)):
            found = _all_of(index.get(form, ()), row["at"], known, kept)
            if found:
                return [(one, score, "parent") for one, score in found]
    if not said_country(row["name"]):
        return []
    found = _all_of(indexes.reduced.get(read_name(row["name"]).reduced, ()), "", known, kept)
    return [(one, score, "parent") for one, score in found]


def trusted_wholes(known: Organisations) -> Mapping[bool, float]:
    """How often the whole that a name tells is one that its organisation belongs to.

    Counted over the organisations that the register places under another, as if their own names were not listed.

    Returns
    -------
    Share of a company abroad (True) and of a school, campus or plant (False). A success and a failure are added.
    """
    indexes = _index(known)
    right, asked = {True: 1, False: 1}, {True: 2, False: 2}
    for one in known.spellings:
        above = known.above(one.org_id)
        if above and not one.weak:
            found = _whole({"name": one.text, "at": one.country}, known, indexes, {one.org_id})
            if found:
                abroad = bool(said_country(one.text))
                asked[abroad] += 1
                right[abroad] += found[0][0] in above
    return {abroad: right[abroad] / asked[abroad] for abroad in asked}


def _ranked(whole: Sequence[Found], likely: Sequence[Found], threshold: float) -> list[Found]:
    """The whole first where it passes, unless the model is sure: a part is no other part of the same whole."""
    if whole and whole[0][1] >= threshold and (not likely or likely[0][1] < SURE):
        return [*whole, *likely]
    return sorted((*whole, *likely), key=lambda one: -one[1])


def _trusted(whole: Sequence[Found], trust: Mapping[bool, float], name: str) -> list[Found]:
    return [(org, score * trust[bool(said_country(name))], method) for org, score, method in whole]


def _modelled(
    open_: Sequence[int],
    rows: Sequence[Mapping[str, Any]],
    read: Mapping[str, Name],
    known: Organisations,
    weights: Weights,
    ruled: Rulings,
    least: float,
    memory: str,
) -> dict[int, list[Found]]:
    """The two likeliest organisations of each open name."""
    asked: dict[tuple[str, str], list[int]] = {}
    for i in open_:
        if read[rows[i]["name"]].exact:
            asked.setdefault((rows[i]["name"], rows[i]["at"]), []).append(i)
    given = [(n, read[name], country) for n, (name, country) in enumerate(asked)]
    scored = predict(comparable(given, known.words, listed=False), known, weights, least=least, memory=memory)
    places = list(asked.values())
    found: dict[int, list[Found]] = {}
    for n, org, score in zip(*(scored.column(c).to_pylist() for c in ("unique_id", "org_id", "score")), strict=True):
        for i in places[n]:
            likely = found.setdefault(i, [])
            if len(likely) < 2 and org not in ruled.rejected(rows[i]["name"]):
                likely.append((org, score, "model"))
    return found


def _answer(
    rows: Sequence[Mapping[str, Any]],
    found: Mapping[int, Sequence[Found]],
    status: Mapping[int, str],
    known: Organisations,
    ruled: Rulings,
    threshold: float,
) -> pa.Table:
    listed = []
    for i, row in enumerate(rows):
        likely = list(found.get(i, ()))
        good = bool(likely) and likely[0][1] >= threshold
        org, score, method = likely.pop(0) if good else (None, None, "decision" if i in status else "none")
        next_, short, _ = next((one for one in likely if one[0] != org), (None, None, ""))
        state = status.get(i) or ("rejected" if org is None and ruled.rejected(row["name"]) else "open")
        listed.append(
            {
                "source": row["source"],
                "name": row["name"],
                "country": row["country"],
                "org_id": org,
                "org_name": known.titles[org] if org else None,
                "score": score,
                "method": method,
                "status": state,
                "runner_up": next_,
                "runner_up_name": known.titles[next_] if next_ else None,
                "runner_up_score": short,
                "rows": row["rows"],
            }
        )
    fields = [f for f in contract(TABLE).schema if not f.name.startswith("_")]
    return pa.Table.from_pylist(listed, schema=pa.schema(fields))
