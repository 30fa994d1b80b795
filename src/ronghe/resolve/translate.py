"""A name's words in English and Latin letters, so that 清华大学, Universidad de X and X University can be compared.

Words that many organisations share (university, institute, science, a country, a compass point) are translated by
``lexicon.csv``; what is left is written in Latin letters: Chinese by ``pinyin.csv``, kana after Hepburn, Hangul after
the Revised Romanisation, Cyrillic and Greek letter by letter. The lists are written by hand from general knowledge,
never learnt from a register, so that a register's names can measure them.
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

Split = Callable[[str], list[str]]

_PREFIX = 3
"""Letters that a stem of the lexicon has at least."""
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_CLOSE = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_PIECE = re.compile(rf"[{_CLOSE}]+|[^\s{_CLOSE}]+")

_LEADS = ("g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h")
_VOWELS = ("a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu",
           "eu", "ui", "i")  # fmt: skip
_TAILS = ("", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "l", "l", "m", "p", "p", "t", "t",
          "ng", "t", "t", "k", "t", "p", "t")  # fmt: skip
_ROWS = MappingProxyType(
    {"": "アイウエオ", "k": "カキクケコ", "g": "ガギグゲゴ", "s": "サシスセソ", "z": "ザジズゼゾ", "t": "タチツテト",
     "d": "ダヂヅデド", "n": "ナニヌネノ", "h": "ハヒフヘホ", "b": "バビブベボ", "p": "パピプペポ", "m": "マミムメモ",
     "r": "ラリルレロ"}
)  # fmt: skip
_ODD = MappingProxyType(
    {"シ": "shi", "ジ": "ji", "チ": "chi", "ヂ": "ji", "ツ": "tsu", "ヅ": "zu", "フ": "fu", "ヤ": "ya", "ユ": "yu",
     "ヨ": "yo", "ワ": "wa", "ヲ": "o", "ン": "n", "ヴ": "vu", "ァ": "a", "ィ": "i", "ゥ": "u", "ェ": "e", "ォ": "o",
     "ー": "", "ッ": "*", "ャ": "+a", "ュ": "+u", "ョ": "+o"}
)  # fmt: skip
_LETTERS = MappingProxyType(
    str.maketrans(
        dict(zip("абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґәөүқғңһ",
                 ("a", "b", "v", "g", "d", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u",
                  "f", "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya", "i", "i", "e", "g", "a", "o", "u",
                  "k", "g", "n", "h"), strict=True))
        | dict(zip("αβγδεζηθικλμνξοπρσςτυφχψω",
                   ("a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "x", "o", "p", "r", "s", "s", "t",
                    "y", "f", "ch", "ps", "o"), strict=True))
        | dict(zip("øłđıæœð", ("o", "l", "d", "i", "ae", "oe", "d"), strict=True))
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """Words, stems (written with a star) and phrases with what they are in English; ``longest`` in characters."""

    words: Mapping[str, tuple[str, ...]]
    stems: Mapping[str, tuple[str, ...]]
    joined: Mapping[str, tuple[str, ...]]
    longest: int
    syllables: Mapping[str, str]


def _rows(name: str) -> list[dict[str, str]]:
    text = files("ronghe.resolve").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def _lexicon(split: Split) -> _Lexicon:
    words: dict[str, tuple[str, ...]] = {}
    stems: dict[str, tuple[str, ...]] = {}
    joined: dict[str, tuple[str, ...]] = {}
    for row in _rows("lexicon.csv"):
        english = tuple(row["english"].split())
        for word in row["words"].split("|"):
            form = " ".join(split(word.removesuffix("*"))) if english else word.casefold()
            if together(form):
                joined.setdefault(form.replace(" ", ""), english)
            elif word.endswith("*"):
                stems.setdefault(form, english)
            else:
                words.setdefault(form, english)
    syllables = {ch: row["syllable"] for row in _rows("pinyin.csv") for ch in row["characters"]}
    return _Lexicon(words, stems, joined, max(map(len, joined)), syllables)


def together(text: str) -> bool:
    """Whether a text is written without blanks between words."""
    return bool(_HAN.search(text) or _KANA.search(text) or _HANGUL.search(text))


def translated(words: Sequence[str], split: Split) -> tuple[str, ...]:
    """The words of a split name in English and Latin letters, connecting words left out.

    Parameters
    ----------
    words : from ``split``. split : how names are cut into words; the lexicon is read in the same spelling.
    """
    lexicon = _lexicon(split)
    found: list[str] = []
    skip = False
    pieces = [piece for word in words for piece in _PIECE.findall(word)]
    for i, piece in enumerate(pieces):
        if skip:
            skip = False
        elif together(piece):
            found += _segmented(piece, lexicon)
        else:
            pair = lexicon.words.get(f"{piece} {pieces[i + 1]}") if i + 1 < len(pieces) else None
            skip = pair is not None
            found += _english(piece, split) if pair is None else pair
    return tuple(found)


@lru_cache(maxsize=200_000)
def _english(word: str, split: Split) -> tuple[str, ...]:
    lexicon = _lexicon(split)
    if word in lexicon.words:
        return lexicon.words[word]
    for end in range(len(word), _PREFIX - 1, -1):
        if word[:end] in lexicon.stems:
            return lexicon.stems[word[:end]]
    plain = word.translate(_LETTERS)
    return lexicon.words.get(plain, (plain,)) if plain else ()


def _segmented(text: str, lexicon: _Lexicon) -> list[str]:
    """Cut at the longest phrases that the lexicon knows; what is left between them is written in Latin letters."""
    found: list[str] = []
    loose = ""
    at = 0
    while at < len(text):
        end = next((e for e in range(min(len(text), at + lexicon.longest), at, -1) if text[at:e] in lexicon.joined), at)
        if end > at:
            found += _spelt(loose, lexicon)
            found += lexicon.joined[text[at:end]]
            loose, at = "", end
        else:
            loose += text[at]
            at += 1
    return [*found, *_spelt(loose, lexicon)]


def _spelt(text: str, lexicon: _Lexicon) -> Iterable[str]:
    if not text:
        return ()
    if _KANA.search(text):
        kana = "".join(ch for ch in text if _KANA.match(ch))
        return lexicon.words.get(_hepburn(kana), (_hepburn(kana),)) if kana else ()
    if _HANGUL.search(text):
        return ("".join(_syllable(ch) for ch in text if _HANGUL.match(ch)),)
    syllables = [lexicon.syllables.get(ch, "") for ch in text]
    return ("".join(syllables),) if all(syllables) else (text,)


def _syllable(letter: str) -> str:
    """A Hangul syllable in the Revised Romanisation, without the changes between syllables."""
    lead, rest = divmod(ord(letter) - 0xAC00, 588)
    vowel, tail = divmod(rest, 28)
    return _LEADS[lead] + _VOWELS[vowel] + _TAILS[tail]


@cache
def _kana() -> Mapping[str, str]:
    made = {ch: lead + vowel for lead, row in _ROWS.items() for ch, vowel in zip(row, "aiueo", strict=True)}
    return {**made, **_ODD}


def _hepburn(kana: str) -> str:
    """Kana in Hepburn's Latin letters, long vowels written once.

    Examples
    --------
    >>> _hepburn("キョウト"), _hepburn("トウキョウ"), _hepburn("ニッポン")
    ('kyoto', 'tokyo', 'nippon')
    """
    table = _kana()
    text = ""
    double = False
    for letter in kana:
        plain = chr(ord(letter) + 0x60) if "\u3041" <= letter <= "\u3096" else letter
        sound = table.get(plain, "")
        if sound == "*":
            double = True
            continue
        if sound.startswith("+"):
            text = text[:-1] + (sound[1] if text.endswith(("shi", "ji", "chi")) else "y" + sound[1])
        else:
            text += (sound[:1] if double else "") + sound
        double = False
    return re.sub(r"uu", "u", re.sub(r"o[uo]", "o", text))
