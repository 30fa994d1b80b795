"""A field: which topics, classes, programmes and words it is made of, and whether something belongs to it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_CJK = re.compile(r"[㐀-鿿]")


@dataclass(frozen=True, slots=True)
class Definition:
    """A field as its file states it.

    Attributes
    ----------
    name : short, in ASCII: what commands and findings say.
    names, note : in both languages. aliases : other names by which users may ask for it.
    topics : OpenAlex topic ids, each with the name it bore when the file was written.
    except_topics : ids left out of ``subfields`` and ``fields``, whose topics count whole.
    classes : IPC or CPC, from a section (``H``) to a subgroup (``H01L 21/768``).
    programmes : parts of the names of funding programmes.
    terms, not_terms, near : words in both languages; those that catch, those that forbid it, and wider ones.
    series : indicators of the panel that count the field's works. models : whether notable AI models count.
    """

    name: str
    names: Mapping[str, str]
    note: Mapping[str, str]
    aliases: tuple[str, ...]
    topics: Mapping[str, str]
    subfields: tuple[str, ...]
    fields: tuple[str, ...]
    except_topics: Mapping[str, str]
    classes: tuple[str, ...]
    programmes: tuple[str, ...]
    terms: tuple[str, ...]
    not_terms: tuple[str, ...]
    near: tuple[str, ...]
    series: tuple[str, ...]
    models: bool
    digest: str

    def has_topic(self, topic: str | None, subfield: str | None, field: str | None) -> bool:
        """Whether a topic counts: named by its id, or with its whole subfield or field."""
        if topic is None or topic in self.except_topics:
            return False
        return topic in self.topics or subfield in self.subfields or field in self.fields

    @property
    def title_pattern(self) -> str | None:
        """A regular expression (RE2) that a title with one of the terms matches; ``None`` without terms."""
        return pattern(self.terms)

    @property
    def forbidden_pattern(self) -> str | None:
        """The same for the words that forbid it."""
        return pattern(self.not_terms)

    def has_title(self, title: str | None) -> bool:
        """Whether a title holds a term and none of the forbidden words."""
        return _matches(self.title_pattern, title) and not _matches(self.forbidden_pattern, title)

    def is_near(self, text: str | None) -> bool:
        """Whether a text holds one of the wider words."""
        return _matches(pattern(self.near, whole=False), text)

    def terms_in(self, title: str) -> list[str]:
        """The terms that a title holds, in the order of the file."""
        return [t for t in self.terms if _matches(pattern([t]), title)]

    def has_programme(self, programme: str | None) -> bool:
        """Whether the name of a programme holds one of the field's."""
        return programme is not None and any(p in programme for p in self.programmes)

    def has_class(self, code: str) -> bool:
        """Whether a class of a patent lies in one of the field's."""
        return any(within(code, c) for c in self.classes)


def within(code: str, wide: str) -> bool:
    """Whether an IPC or CPC code lies in another, wider one.

    >>> within("H01L 21/768", "H01L 21"), within("H01L 210/02", "H01L 21"), within("G06N 3/063", "G06N 3/06")
    (True, False, True)
    """
    if not code.startswith(wide):
        return False
    rest = code[len(wide) :]
    # A main group ends at the stroke; sections, classes, subclasses and subgroups go on as they are.
    return " " not in wide or "/" in wide or not rest or rest[0] == "/"


def pattern(words: Sequence[str] | Iterable[str], *, whole: bool = True) -> str | None:
    """A case-blind expression for any of some words; English ones match whole words, Chinese ones anywhere.

    >>> pattern(["deep learning", "芯片"])
    '(?i)(\\\\bdeep learning\\\\b|芯片)'
    """
    parts = []
    for word in words:
        plain = re.escape(word).replace(r"\ ", " ").replace(r"\-", "-")
        parts.append(plain if _CJK.search(word) or not whole else rf"\b{plain}\b")
    return f"(?i)({'|'.join(parts)})" if parts else None


def _matches(expression: str | None, text: str | None) -> bool:
    return expression is not None and text is not None and re.search(expression, text) is not None
