"""That a request was our own: a token bound to the session, and the browser's word for its origin."""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request

from ronghe.errors import Forbidden
from ronghe.i18n import LANGUAGES

SESSION_COOKIE = "ronghe_session"
FORM_COOKIE = "ronghe_form"
FORM_HEADER = "x-form-token"


def same_origin(request: Request) -> bool:
    """Whether a browser says that one of our own pages sent this; programs say nothing and are believed."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def form_token(request: Request) -> str:
    """What our own forms carry: bound to the session, or to a cookie that only our pages set."""
    request.state.form_used = True
    return hmac.new(request.state.form_seed.encode(), b"form", hashlib.sha256).hexdigest()


def right_form(request: Request, given: str) -> bool:
    """Whether a form or a script's header carries the token."""
    known = request.cookies.get(SESSION_COOKIE, "") or request.cookies.get(FORM_COOKIE, "")
    right = hmac.compare_digest(form_token(request).encode(), given.encode())
    return bool(known) and right


def check_form(request: Request, given: Any) -> None:
    """Refuse a form that is not our own.

    Raises
    ------
    Forbidden : its token is missing or another's.
    """
    if not right_form(request, str(given or "")):
        raise Forbidden("auth_form")


def set_cookie(request: Request, name: str, value: str, seconds: int | None = None) -> str:
    """A cookie that no script reads and no other site sends; only over TLS where the request came so."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Strict"]
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    if request.url.scheme == "https":
        parts.append("Secure")
    return "; ".join(parts)


def local_path(text: str, lang: str) -> str:
    """A place of our own to go on to; the home page for anything else."""
    parts = urlsplit(text)
    clean = not (parts.scheme or parts.netloc) and "\\" not in text and text.isprintable()
    return text if clean and text.startswith(tuple(f"/{code}/" for code in LANGUAGES)) else f"/{lang}/"
