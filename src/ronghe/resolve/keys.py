"""Names made ready to be compared: their forms, how rare their words are, and the keys under which they meet."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ronghe.resolve.names import Name, is_cjk, read_name

LARGEST_BLOCK = 120
"""Names that may share a key: a more frequent word does not bring names together."""

_RAREST = 3
_PREFIX = 7
_LONG = 5


@dataclass(frozen=True, slots=True)
class Spelling:
    """One of an organisation's names. ``weak``: an acronym, which counts only within a country."""

    org_id: str
    text: str
    country: str
    weak: bool
    name: Name


@dataclass(frozen=True, slots=True)
class Organisations:
    """Every organisation's names.

    ``titles``: org_id -> the name to show. ``countries``: org_id -> country or empty. ``active``: those not
    withdrawn or inactive. ``words``: how many names hold a word. ``parents``: org_id -> what it belongs to.
    """

    spellings: tuple[Spelling, ...]
    titles: Mapping[str, str]
    countries: Mapping[str, str]
    active: frozenset[str]
    words: Mapping[str, int]
    parents: Mapping[str, str] = field(default_factory=dict)

    def above(self, org_id: str) -> list[str]:
        """The organisations that one belongs to, the nearest first."""
        found: list[str] = []
        while (up := self.parents.get(org_id)) in self.titles and up != org_id and up not in found:
            org_id = str(up)
            found.append(org_id)
        return found

    def without(self, gone: Iterable[int]) -> "Organisations":
        """The same without the spellings at these places."""
        out = frozenset(gone)
        kept = tuple(one for i, one in enumerate(self.spellings) if i not in out)
        return Organisations(kept, self.titles, self.countries, self.active, _frequencies(kept), self.parents)


def read_organisations(table: pa.Table) -> Organisations:
    """Rows of the table ``organisation``: org_id, name, and what there is of name_zh, name_en, aliases, acronyms,
    country, status and parent.
    """
    held = set(table.column_names)
    wanted = ("org_id", "name", "name_zh", "name_en", "aliases", "acronyms", "country", "status", "parent")
    columns: dict[str, list[Any]] = {
        c: table.column(c).to_pylist() if c in held else [None] * table.num_rows for c in wanted
    }
    spellings: list[Spelling] = []
    for i, org_id in enumerate(columns["org_id"]):
        full = [columns[c][i] for c in ("name", "name_zh", "name_en")] + list(columns["aliases"][i] or ())
        country = columns["country"][i] or ""
        short = [t for t in columns["acronyms"][i] or () if t and t not in full]
        for weak, texts in ((False, full), (True, short)):
            kept = dict.fromkeys(t for t in texts if t and t.strip())
            spellings.extend(Spelling(org_id, text, country, weak, read_name(text)) for text in kept)
    ids = columns["org_id"]
    active = frozenset(o for o, s in zip(ids, columns["status"], strict=True) if s in (None, "active"))
    found = tuple(one for one in spellings if one.name.exact)
    return Organisations(
        found,
        dict(zip(ids, columns["name"], strict=True)),
        {o: c or "" for o, c in zip(ids, columns["country"], strict=True)},
        active,
        _frequencies(found),
        {o: p for o, p in zip(ids, columns["parent"], strict=True) if p},
    )


def _frequencies(spellings: Sequence[Spelling]) -> Mapping[str, int]:
    return Counter(word for one in spellings if not one.weak for word in one.name.core)


def comparable(
    names: Sequence[tuple[int, Name, str]],
    words: Mapping[str, int],
    more: Mapping[str, Sequence[Any]] | None = None,
    *,
    listed: bool,
) -> pa.Table:
    """What the model compares, a row a name.

    Parameters
    ----------
    names : (id, the name's forms, country or empty).
    words : how many of the organisations' names hold a word.
    more : further columns to carry along.
    listed : whether these are names of the list itself. A word that the list does not know may be a misspelt one
        of it: it meets the listed words that have its consonants.

    Returns
    -------
    ``unique_id``, ``reduced``, ``core`` (words, the rarest first, each after its frequency in seven digits, so that
    the least of some words is the rarest), ``kind``, ``numbers``, ``country`` (null where unknown), ``keys`` (under
    which names meet).
    """
    cores = [sorted(name.core, key=lambda w: (words.get(w, 0), w)) for _, name, _ in names]
    columns: dict[str, Any] = {
        "unique_id": pa.array([i for i, _, _ in names], pa.int64()),
        "reduced": pa.array([name.reduced for _, name, _ in names], pa.string()),
        "core": pa.array([[f"{words.get(w, 0):07d}:{w}" for w in core] for core in cores], pa.list_(pa.string())),
        "kind": pa.array([name.kind or None for _, name, _ in names], pa.string()),
        "numbers": pa.array([name.numbers for _, name, _ in names], pa.string()),
        "country": pa.array([country or None for _, _, country in names], pa.string()),
        "keys": pa.array(
            [_keys(name, core, words, listed) for (_, name, _), core in zip(names, cores, strict=True)],
            pa.list_(pa.string()),
        ),
    }
    return pa.table({**columns, **{name: pa.array(values) for name, values in (more or {}).items()}})


def _keys(name: Name, core: Sequence[str], words: Mapping[str, int], listed: bool) -> list[str]:
    """The rarest words that others hold too, the consonants of rare or unknown words, the beginning."""
    known = [w for w in core if 0 < words.get(w, 0) <= LARGEST_BLOCK]
    keys = [f"w:{w}" for w in known[: _RAREST + 1 if is_cjk(name.reduced) else _RAREST]]
    if not is_cjk(name.reduced):
        odd = known[:2] if listed else [w for w in core if not words.get(w, 0)]
        keys += [f"s:{bones}" for bones in dict.fromkeys(_bones(w) for w in odd if len(w) >= _LONG) if bones]
        plain = name.reduced.replace(" ", "")
        if len(plain) >= _PREFIX:
            keys.append(f"b:{plain[:_PREFIX]}:{len(plain) // 8}")
    return keys


def _bones(word: str) -> str:
    """A word's first letter and its next consonants, none twice in a row."""
    tail = [ch for ch in word[1:] if ch not in "aeiouyhw"]
    return word[0] + "".join(ch for i, ch in enumerate(tail) if i == 0 or ch != tail[i - 1])[:4]
