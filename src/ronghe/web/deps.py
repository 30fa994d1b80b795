"""What routes are handed: the brain that answers this request, and the reader's language."""

from collections.abc import Iterable
from typing import Annotated, Literal

from fastapi import Depends, Request

from ronghe.brain import Brain
from ronghe.i18n import LANGUAGES

Lang = Literal["zh", "en"]


def current_brain(request: Request) -> Brain:
    """The brain that answers this request: on the user's own workspace where there are logins (see ``Door``)."""
    brain: Brain = request.state.brain
    return brain


BrainOf = Annotated[Brain, Depends(current_brain)]


def asked(request: Request) -> dict[str, str]:
    """The query's parameters that were filled in; a form sends empty ones as well."""
    return {name: value for name, value in request.query_params.items() if value != ""}


def preferred(header: str, default: str, known: Iterable[str] = LANGUAGES) -> str:
    """The language that an ``Accept-Language`` header likes best.

    Examples
    --------
    >>> preferred("fr, zh-CN;q=0.8, en;q=0.9", "zh"), preferred("", "zh"), preferred("*;q=x", "en")
    ('en', 'zh', 'en')
    """
    best, language = 0.0, default
    for part in header.split(","):
        name, _, rest = part.strip().partition(";")
        code = name.split("-")[0].lower()
        weight = rest.strip().removeprefix("q=") if rest.strip().startswith("q=") else "1"
        liked = float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0
        if code in set(known) and liked > best:
            best, language = liked, code
    return language


def language_of(request: Request) -> str:
    """The language of a request: of its path, else what the reader's browser likes, else the configured one."""
    first = request.url.path.split("/")[1]
    if first in LANGUAGES:
        return first
    return preferred(request.headers.get("accept-language", ""), request.app.state.config.lang)
