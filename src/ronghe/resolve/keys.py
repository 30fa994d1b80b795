"""Names made ready to be compared: their forms, how rare their words are, and the keys under which they meet."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import pyarrow as pa

from ronghe.resolve.names import Name, is_cjk, read_name

MOST = 2**18
"""A word that so many names hold tells nothing."""

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


@dataclass(frozen=True)
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

    @cached_property
    def compared(self) -> pa.Table:
        """What the model compares, of every name but the acronyms, with ``org_id``; ids are places in ``spellings``."""
        full = [(i, one) for i, one in enumerate(self.spellings) if not one.weak]
        rows = [(i, one.name, one.country) for i, one in full]
        return comparable(rows, self.words, {"org_id": [one.org_id for _, one in full]}, listed=True)

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
    """Of words and of pairs of frequent words: the number of names that hold them."""
    full = [one.name for one in spellings if not one.weak]
    words = Counter(word for name in full for word in dict.fromkeys((*name.core, *name.gist)))
    often = {word for word, count in words.items() if count > LARGEST_BLOCK}
    words.update(pair for name in full for pair in _pairs(sorted(often & set(name.gist))))
    return words


def _pairs(words: Sequence[str]) -> Iterable[str]:
    return (f"{a} {b}" for a, b in combinations(words, 2))


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
    A row for every form: ``unique_id`` (twice the id, and one more for a Chinese, Japanese or Korean name in Latin
    letters), ``reduced``, ``core`` (words, each after its frequency in seven digits), ``weight`` (bits that its words
    tell), ``kind``, ``numbers``, ``country`` (null where unknown), ``keys`` (under which names meet).
    """
    forms = [
        (place, 2 * i + latin, name, country, text, sorted(words_of, key=lambda w: (words.get(w, 0), w)))
        for place, (i, name, country) in enumerate(names)
        for latin, text, words_of in _forms(name)
    ]
    columns: dict[str, Any] = {
        "unique_id": pa.array([one[1] for one in forms], pa.int64()),
        "reduced": pa.array([one[4] for one in forms], pa.string()),
        "core": pa.array([[f"{words.get(w, 0):07d}:{w}" for w in one[5]] for one in forms], pa.list_(pa.string())),
        "weight": pa.array([sum(_weight(words.get(w, 0)) for w in one[5]) for one in forms], pa.float64()),
        "kind": pa.array([one[2].kind or None for one in forms], pa.string()),
        "numbers": pa.array([one[2].numbers for one in forms], pa.string()),
        "country": pa.array([one[3] or None for one in forms], pa.string()),
        "keys": pa.array([_keys(one[4], one[5], words, listed) for one in forms], pa.list_(pa.string())),
    }
    places = [one[0] for one in forms]
    more = {name: [values[place] for place in places] for name, values in (more or {}).items()}
    return pa.table({**columns, **{name: pa.array(values, pa.string()) for name, values in more.items()}})


def _weight(names: int) -> float:
    """What a word that so many names hold tells, in bits."""
    return max(math.log2(MOST / (1 + names)), 0.0)


def _forms(name: Name) -> Iterable[tuple[bool, str, Sequence[str]]]:
    """The forms that are compared, each with whether it is one besides the name's own letters."""
    if is_cjk(name.reduced):
        yield False, name.reduced, name.core
        if not is_cjk(name.english):
            yield True, name.english, name.gist
    else:
        yield False, name.english, name.gist


def _keys(text: str, core: Sequence[str], words: Mapping[str, int], listed: bool) -> list[str]:
    """The rarest words that others hold too, pairs of frequent ones, consonants of rare or unknown ones, the start."""
    known = [w for w in core if 0 < words.get(w, 0) <= LARGEST_BLOCK]
    keys = [f"w:{w}" for w in known[: _RAREST + 1 if is_cjk(text) else _RAREST]]
    if not is_cjk(text):
        often = sorted(w for w in core if words.get(w, 0) > LARGEST_BLOCK)
        keys += [f"p:{pair}" for pair in _pairs(often) if 0 < words.get(pair, 0) <= LARGEST_BLOCK]
        odd = known[:2] if listed else [w for w in core if not words.get(w, 0)]
        keys += [f"s:{bones}" for bones in dict.fromkeys(_bones(w) for w in odd if len(w) >= _LONG) if bones]
        plain = text.replace(" ", "")
        if len(plain) >= _PREFIX:
            keys.append(f"b:{plain[:_PREFIX]}:{len(plain) // 8}")
    return keys


def _bones(word: str) -> str:
    """A word's first letter and its next consonants, none twice in a row."""
    tail = [ch for ch in word[1:] if ch not in "aeiouyhw"]
    return word[0] + "".join(ch for i, ch in enumerate(tail) if i == 0 or ch != tail[i - 1])[:4]
