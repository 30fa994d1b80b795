"""Every error Ronghe raises on purpose, in one tree.

    RongheError                 anything the user can mend
    ├── ConfigError             a setting that is unknown or malformed
    ├── SourceError             a raw file that can't be read as what it claims to be
    │   └── FetchError          a file that can't be brought, or came damaged
    ├── MappingError            a mapping file that does not fit its workbook
    ├── LakeError               the lake can't be opened, written or read at that version
    │   └── BalanceError        records in differ from accepted + quarantined + skipped
    ├── AskError                a question that can't be answered as put
    │   ├── UnknownName         a name that does not exist; carries those that do
    │   └── NoData              the lake holds nothing for the question
    ├── KernelRefused           the mathematics refuses the data (singular, negative, not reciprocal …)
    ├── TraceError              a figure or finding that can't be traced
    ├── LicenceError            an export that a licence forbids
    ├── AuthError               not logged in
    │   ├── Forbidden           logged in, but not allowed
    │   └── TooMany             too many tries; carries the seconds to wait
    └── Cancelled               the user stopped a long ask

An error is a key with arguments, so that every surface can say it in its reader's language:
``error.<code>`` is the sentence, ``error.<code>.hint`` says how to mend it (both in ``locales``).
``known`` lists the values that would have been valid, nearest first.
"""

import errno
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

from ronghe.i18n import has, translate
from ronghe.model.text import Text


class RongheError(Exception):
    """The root of the tree.

    Parameters
    ----------
    code : the key of the sentence under ``error`` in the locales.
    known : valid values, nearest first; shown as suggestions.
    args : what the sentence's placeholders stand for.
    """

    status: ClassVar[int] = 400
    exit_code: ClassVar[int] = 2

    def __init__(self, code: str, *, known: Iterable[str] = (), **args: Any) -> None:
        self.code = code
        self.known = tuple(known)
        self.args_ = args
        super().__init__(code)

    def __reduce__(self) -> tuple[Any, ...]:
        """An error may cross from one process to another, whatever its class is made from."""
        return _again, (type(self), self.__dict__)

    @property
    def text(self) -> Text:
        """The sentence, waiting for its language."""
        return Text(f"error.{self.code}", self.args_)

    @property
    def hint(self) -> Text:
        """How to mend it, waiting for its language."""
        return Text(f"error.{self.code}.hint", self.args_)

    def say(self, lang: str = "en") -> str:
        """Sentence, suggestions and hint in one language."""
        parts = [translate(lang, self.text)]
        if self.known:
            parts.append(translate(lang, Text("error.known", {"values": ", ".join(self.known[:12])})))
        parts.append(translate(lang, self.hint))
        return "\n".join(part for part in parts if part)

    def __str__(self) -> str:
        return self.say("en")


def _again(kind: type[RongheError], held: dict[str, Any]) -> RongheError:
    made = kind.__new__(kind, held["code"])
    made.__dict__.update(held)
    return made


class ConfigError(RongheError):
    """A setting that is unknown or malformed."""


class SourceError(RongheError):
    """A raw file that can't be read as what it claims to be."""

    status = 422


class FetchError(SourceError):
    """A file that can't be brought, or came damaged."""

    status = 502


class MappingError(RongheError):
    """A mapping file that does not fit its workbook."""

    status = 422


class LakeError(RongheError):
    """The lake can't be opened, written or read at that version."""

    status = 409
    exit_code = 3


class BalanceError(LakeError):
    """Records in differ from accepted + quarantined + skipped: nothing was committed."""

    status = 500


class AskError(RongheError):
    """A question that can't be answered as put."""

    status = 422


class UnknownName(AskError):
    """A name that does not exist; ``known`` holds those that do, nearest first."""

    status = 404

    def __init__(self, code: str, name: str, known: Iterable[str] = (), **args: Any) -> None:
        super().__init__(code, known=nearest(name, known), name=name, **args)


class NoData(AskError):
    """The lake holds nothing for the question."""

    status = 404


class KernelRefused(AskError):
    """The mathematics refuses the data."""


class TraceError(AskError):
    """A figure or finding that can't be traced."""

    status = 404


class LicenceError(RongheError):
    """An export that a licence forbids."""

    status = 403


class AuthError(RongheError):
    """Not logged in."""

    status = 401


class Forbidden(AuthError):
    """Logged in, but not allowed."""

    status = 403


class TooMany(AuthError):
    """Too many tries; ``seconds`` says how long to wait."""

    status = 429


class Cancelled(RongheError):
    """The user stopped a long ask."""

    status = 409
    exit_code = 130


def refusal(code: str, details: Mapping[str, object]) -> Text:
    """Why a kernel refuses, waiting for its language: ``refused.<code>``, from the error's code and details."""
    return Text(f"refused.{code}", details)


def system(error: OSError) -> Text | str:
    """What the system says against a file, in the reader's language where it is one of the usual things."""
    key = f"system.{errno.errorcode.get(error.errno or 0, '')}"
    return Text(key) if has(key) else error.strerror or str(error)


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known names, those that look or begin like ``name`` first."""
    pool = [str(k) for k in known]
    folded = {k.casefold(): k for k in reversed(pool)}
    close = [folded[k] for k in get_close_matches(name.casefold(), list(folded), n=5, cutoff=0.5)]
    begins = [k for k in pool if k.casefold().startswith(name.casefold()[:3]) and k not in close]
    rest = [k for k in pool if k not in close and k not in begins]
    return (*close, *begins, *rest)
