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
    threshold : less likely matches are no matches.
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
    ruled = _Rulings(decisions)
    indexes = _index(known)
    read = {row["name"]: read_name(row["name"]) for row in rows}
    found: dict[int, Found] = {}
    status: dict[int, str] = {}
    open_: list[int] = []
    for i, row in enumerate(rows):
        verdict = ruled.verdict(row["name"])
        if verdict is not None:
            status[i] = verdict[1]
            if verdict[0] in known.titles:
                found[i] = (verdict[0], 1.0, "decision")
            continue
        direct = _direct(row, read[row["name"]], known, indexes, ruled.rejected(row["name"]))
        if direct is None:
            open_.append(i)
        else:
            found[i] = direct
    found |= _modelled(open_, rows, read, known, weights, ruled, threshold, memory)
    for i in open_ if parts else ():
        if i not in found:
            whole = _whole(rows[i], known, indexes, ruled.rejected(rows[i]["name"]))
            if whole is not None:
                found[i] = whole
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


class _Rulings:
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


def _index(known: Organisations) -> _Indexes:
    made = _Indexes()
    for one in known.spellings:
        if one.weak:
            made.weak.setdefault(one.name.exact, []).append(one.org_id)
            continue
        made.exact.setdefault(one.name.exact, []).append(one.org_id)
        made.reduced.setdefault(one.name.reduced, []).append(one.org_id)
    return made


def _direct(
    row: Mapping[str, Any], name: Name, known: Organisations, indexes: _Indexes, kept: set[str]
) -> Found | None:
    """By code or by spelling."""
    code = _code(row["code"])
    if code in known.titles and code not in kept:
        return code, 1.0, "code"
    country = row["at"]
    for method, index, form in (
        ("exact", indexes.exact, name.exact),
        ("exact", indexes.weak if country else {}, name.exact),
        ("reduced", indexes.reduced, name.reduced),
    ):
        one = _one_of(index.get(form, ()), country, known, kept)
        if one is not None:
            return (*one, method)
    return None


def _code(code: Any) -> str:
    text = str(code or "")
    return "ror:" + text.rsplit("/", 1)[-1] if "ror.org/" in text else text


def _one_of(found: Sequence[str], country: str, known: Organisations, kept: set[str]) -> tuple[str, float] | None:
    """The organisation of several that bear a name: of the country if it is known, active before withdrawn."""
    fit = [o for o in dict.fromkeys(found) if o not in kept and (not country or known.countries[o] in ("", country))]
    alive = [o for o in fit if o in known.active] or fit
    return (min(alive), 1.0 / len(alive)) if alive else None


def _whole(row: Mapping[str, Any], known: Organisations, indexes: _Indexes, kept: set[str]) -> Found | None:
    """The organisation of which the name says a part."""
    for part in wholes(row["name"]):
        name = read_name(part)
        for index, form in ((indexes.exact, name.exact), (indexes.reduced, name.reduced)):
            one = _one_of(index.get(form, ()), row["at"], known, kept)
            if one is not None:
                return (*one, "parent")
    return None


def _modelled(
    open_: Sequence[int],
    rows: Sequence[Mapping[str, Any]],
    read: Mapping[str, Name],
    known: Organisations,
    weights: Weights,
    ruled: _Rulings,
    threshold: float,
    memory: str,
) -> dict[int, Found]:
    """The likeliest organisation of each open name."""
    asked: dict[tuple[str, str], list[int]] = {}
    for i in open_:
        if read[rows[i]["name"]].exact:
            asked.setdefault((rows[i]["name"], rows[i]["at"]), []).append(i)
    given = [(n, read[name], country) for n, (name, country) in enumerate(asked)]
    scored = predict(comparable(given, known.words, listed=False), known, weights, least=threshold, memory=memory)
    places = list(asked.values())
    found: dict[int, Found] = {}
    for n, org, score in zip(*(scored.column(c).to_pylist() for c in ("unique_id", "org_id", "score")), strict=True):
        for i in places[n]:
            if i not in found and org not in ruled.rejected(rows[i]["name"]):
                found[i] = (org, score, "model")
    return found


def _answer(
    rows: Sequence[Mapping[str, Any]],
    found: Mapping[int, Found],
    status: Mapping[int, str],
    known: Organisations,
    ruled: _Rulings,
    threshold: float,
) -> pa.Table:
    good = {i: one for i, one in found.items() if one[1] >= threshold}
    listed = []
    for i, row in enumerate(rows):
        org, score, method = good.get(i, (None, None, "decision" if i in status else "none"))
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
                "rows": row["rows"],
            }
        )
    fields = [f for f in contract(TABLE).schema if not f.name.startswith("_")]
    return pa.Table.from_pylist(listed, schema=pa.schema(fields))
