"""Names of organisations as they are compared: one spelling for what is written in many ways.

Case, accents, punctuation, traditional characters, abbreviations (``Univ.``, ``Inst``), articles and what stands in
brackets do not tell organisations apart; legal forms (``Co., Ltd.``, ``有限公司``) hardly do. The order of words
does: Washington University is not the University of Washington.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

from ronghe.model.regions import find_region
from ronghe.resolve.translate import translated

_BRACKETS = re.compile(r"\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]|【[^【】]*】")
_LAST = re.compile(r"\(([^()]+)\)([^()]*)$")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+|[一二三四五六七八九十]+(?=[医附中小])")
_HAN_NUMBERS = MappingProxyType(dict(zip("一二三四五六七八九", "123456789", strict=True)))


_WHOLE = ("university", "company", "hospital", "institute")
"""Kinds that have schools, campuses and plants, the surest first."""


@dataclass(frozen=True, slots=True)
class _Words:
    """The word lists of ``words.csv``."""

    short: Mapping[str, str]
    drop: frozenset[str]
    legal: frozenset[str]
    legal_zh: tuple[str, ...]
    types: Mapping[str, str]
    types_zh: Mapping[str, str]
    characters: Mapping[int, str]


@cache
def _words() -> _Words:
    text = files("ronghe.resolve").joinpath("words.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))

    def pairs(kind: str) -> dict[str, str]:
        return {row["word"]: row["value"] for row in rows if row["kind"] == kind}

    old = pairs("old_zh")
    return _Words(
        short=MappingProxyType(pairs("short")),
        drop=frozenset(pairs("drop")),
        legal=frozenset(pairs("legal")),
        legal_zh=tuple(pairs("legal_zh")),
        types=MappingProxyType(pairs("type")),
        types_zh=MappingProxyType(pairs("type_zh")),
        characters=MappingProxyType({ord(a): b for word, to in old.items() for a, b in zip(word, to, strict=True)}),
    )


@dataclass(frozen=True, slots=True)
class Name:
    """One name in the forms that are compared.

    Attributes
    ----------
    exact : normalised, brackets and legal forms kept.
    reduced : without brackets and legal forms; the same as ``exact`` where nothing is left otherwise.
    core : the words that tell organisations apart, each once: of ``english``, or pairs of Chinese characters.
    kind : university, hospital, company … or empty.
    numbers : the numbers in the name, in order, joined by blanks.
    english : ``reduced`` in English words and Latin letters, without connecting words.
    gist : the words of ``english`` that tell organisations apart, each once.
    """

    exact: str
    reduced: str
    core: tuple[str, ...]
    kind: str
    numbers: str
    english: str
    gist: tuple[str, ...]


def is_cjk(text: str) -> bool:
    """Whether the name is written in Chinese, Japanese or Korean."""
    return _CJK.search(text) is not None


def normalise(text: str) -> str:
    """A name in one spelling; words apart by one blank, Chinese without blanks.

    Examples
    --------
    >>> normalise("The Tsinghua  Univ."), normalise("Université d'Été"), normalise("清 華 大 學")
    ('tsinghua university', 'universite d ete', '清华大学')
    >>> normalise("Johnson & Johnson") == normalise("johnson and Johnson")
    True
    """
    return _join(_split(text))


def _split(text: str) -> list[str]:
    words = _words()
    plain = unicodedata.normalize("NFKC", text).translate(words.characters).replace("&", " and ")
    plain = unicodedata.normalize("NFKD", plain.casefold())
    plain = "".join(ch for ch in plain if not unicodedata.combining(ch) or ch in "\u3099\u309a")
    plain = unicodedata.normalize("NFC", plain.replace("'s ", "s ").replace("\u2019s ", "s "))
    found = (_long(word) for word in _WORD.findall(plain))
    return [word for word in found if word not in words.drop]


@lru_cache(maxsize=200_000)
def _long(word: str) -> str:
    return _words().short.get(word, word)


def _join(words: Iterable[str]) -> str:
    """Words with blanks; none beside a Chinese one."""
    text = ""
    for word in words:
        apart = text and not (is_cjk(text[-1]) and is_cjk(word[0]))
        text += f" {word}" if apart else word
    return text


def read_name(text: str) -> Name:
    """The forms in which a name is compared.

    Examples
    --------
    >>> read_name("Huawei Technologies Co., Ltd. (China)").reduced
    'huawei technology'
    >>> read_name("华为技术有限公司").reduced, read_name("Tsinghua Univ").kind
    ('华为技术', 'university')
    """
    whole = _split(text)
    exact = _join(whole)
    inner = _BRACKETS.sub(" ", unicodedata.normalize("NFKC", text))
    words = whole if inner == text else _split(inner)
    joined = _join(words)
    telling = [_reduced_zh(joined)] if is_cjk(joined) else [w for w in words if w not in _words().legal]
    reduced = " ".join(telling) or exact
    plain = translated(telling or whole, _split) or (reduced,)
    gist = tuple(dict.fromkeys(plain))
    core = _pairs(reduced) if is_cjk(reduced) else gist
    return Name(exact, reduced, core, _kind(joined or exact, words, plain), _numbers(reduced), " ".join(plain), gist)


def _reduced_zh(text: str) -> str:
    for form in _words().legal_zh:
        if len(text) > len(form) + 1 and (text.endswith(form) or text.startswith(form)):
            return text.removesuffix(form) if text.endswith(form) else text.removeprefix(form)
    return text


def _pairs(reduced: str) -> tuple[str, ...]:
    """Pairs of characters, without the ending that says the kind."""
    plain = reduced.replace(" ", "")
    for ending in _words().types_zh:
        if plain.endswith(ending) and len(plain) > len(ending) + 1:
            plain = plain.removesuffix(ending)
            break
    return tuple(dict.fromkeys(plain[i : i + 2] for i in range(max(len(plain) - 1, 1))))


def _kind(joined: str, split: Iterable[str], plain: Sequence[str]) -> str:
    """By the ending in Chinese; else a hospital wherever the word stands, or the first word that says a kind."""
    words = _words()
    if _HAN.search(joined):
        return next((kind for ending, kind in words.types_zh.items() if joined.endswith(ending)), "")
    kinds = [words.types[word] for word in plain if word in words.types]
    if "hospital" in kinds:
        return "hospital"
    return kinds[0] if kinds else "company" if any(word in words.legal for word in split) else ""


def _numbers(reduced: str) -> str:
    found = _NUMBER.findall(reduced)
    return " ".join("".join(_HAN_NUMBERS.get(ch, ch) for ch in number) for number in found)


def wholes(text: str) -> list[str]:
    """Names of which this one may be a part: the sections between commas, and what stands before a Chinese school.

    Examples
    --------
    >>> wholes("School of Economics, Tsinghua University, Beijing")
    ['Tsinghua University']
    >>> wholes("清华大学经济管理学院")
    ['清华大学']
    >>> wholes("Tsinghua University")
    []
    """
    plain = unicodedata.normalize("NFKC", text)
    if is_cjk(plain):
        joined = normalise(_BRACKETS.sub(" ", plain))
        ends = [i + len(word) for word in _words().types_zh if len(word) > 1 for i in _places(joined, word)]
        found = [joined[:end] for end in sorted(set(ends), reverse=True) if 4 <= end < len(joined)]
        return [part for part in found if part not in _words().legal_zh]
    parts = [part.strip() for part in re.split(r"[,;]| - | – ", _BRACKETS.sub(" ", plain)) if part.strip()]
    if len(parts) < 2:
        return []
    kinds = {part: read_name(part).kind for part in parts}
    known = [part for part in kinds if kinds[part] in _WHOLE]
    return sorted(known, key=lambda part: _WHOLE.index(kinds[part]))


def _places(text: str, word: str) -> Iterable[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)


def said_country(text: str) -> str:
    """The country that a name says in brackets at its end, or before its legal form, or an empty text.

    Examples
    --------
    >>> said_country("Huawei Technologies (China)"), said_country("Tsinghua (THU)"), said_country("西门子（中国）")
    ('CHN', '', 'CHN')
    >>> said_country("Siemens (China) Ltd."), said_country("西门子（中国）有限公司"), said_country("A (China) B")
    ('CHN', 'CHN', '')
    """
    words = _words()
    found = _LAST.search(unicodedata.normalize("NFKC", text).strip())
    if found is None or not set(_split(found[2])) <= words.legal | set(words.legal_zh):
        return ""
    region = find_region(found[1]) if len(found[1]) > 3 or is_cjk(found[1]) else None
    return region if region and len(region) == 3 else ""


def person_key(first: str, last: str) -> str:
    """A person's name as it is compared: surname and given names, without accents and full stops.

    Examples
    --------
    >>> person_key("Stephen A.", "Cochran") == person_key("STEPHEN A", "cochran")
    True
    """
    return f"{normalise(last)}|{normalise(first)}"
