"""One shape for every error: ``{code, message{zh,en}, hint{zh,en}, known[]}``, or a page that says what to do."""

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ronghe.errors import AskError, RongheError, TraceError
from ronghe.i18n import LANGUAGES, translate
from ronghe.model.serial import canonical
from ronghe.model.text import Text
from ronghe.web.deps import asked, language_of
from ronghe.web.page import page
from ronghe.web.policy import HEADERS

log = logging.getLogger("ronghe.web")
_SHOWN = 24


def error_document(error: RongheError) -> dict[str, Any]:
    """An error as the API says it, in both languages."""
    return {
        "code": error.code,
        "message": {lang: translate(lang, error.text) for lang in LANGUAGES},
        "hint": {lang: translate(lang, error.hint) for lang in LANGUAGES},
        "known": list(error.known),
    }


def error_bytes(error: RongheError) -> bytes:
    """The canonical JSON of an error."""
    return canonical(error_document(error))


def answer_error(request: Request, error: RongheError, status: int | None = None) -> Response:
    """The response to an error: JSON for the API, a page for a reader."""
    code = status or error.status
    if request.url.path.startswith("/api/"):
        return Response(error_bytes(error), status_code=code, media_type="application/json")
    lang = language_of(request)
    return page(request, "error.html", status=code, lang=lang, error=error, ways=suggestions(request, error))


def suggestions(request: Request, error: RongheError) -> list[tuple[str, str]]:
    """The known values as links: this very address with the wrong part replaced."""
    named = str(error.args_.get("name", ""))
    path, query = request.url.path, asked(request)
    found = []
    for known in error.known[:_SHOWN]:
        link = _replaced(path, query, named, known, error)
        if link:
            found.append((known, link))
    return found


def _replaced(path: str, query: dict[str, str], named: str, known: str, error: RongheError) -> str | None:
    if error.code == "missing_parameter":
        return f"{quote(path)}?{urlencode({**query, named: known})}"
    if error.code == "unknown_parameter":
        return f"{quote(path)}?{urlencode({known if k == named else k: v for k, v in query.items()})}"
    part = str(error.args_.get("parameter", ""))
    hits = [part] if part in query else [k for k, v in query.items() if v == named]
    if hits:
        return f"{quote(path)}?{urlencode({**query, hits[0]: known})}"
    pieces = path.split("/")
    if named in pieces[2:]:
        return quote("/".join([*pieces[:2], *(known if p == named else p for p in pieces[2:])]))
    return None


def mapped(request: Request, faults: Sequence[Any]) -> RongheError:
    """The error of the tree behind what FastAPI's own validation found."""
    fault = faults[0]
    field = str(fault["loc"][-1])
    if tuple(fault["loc"]) == ("path", "lang"):
        return TraceError("web_not_found", path=request.url.path)
    if fault["type"] == "missing":
        return AskError("missing_parameter", name=field, about=Text("web.query_parameter"))
    return AskError("web_invalid", parameter=field, value=str(fault.get("input", "")), why=str(fault["msg"]))


def install(app: FastAPI) -> None:
    """Map every kind of error to the one shape."""

    @app.exception_handler(RongheError)
    def ours(request: Request, error: RongheError) -> Response:
        return answer_error(request, error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer_error(request, mapped(request, error.errors()))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        code = {404: "web_not_found", 405: "web_method"}.get(error.status_code, "web_http")
        said = TraceError(code, path=request.url.path, status=error.status_code, why=str(error.detail))
        return answer_error(request, said, error.status_code)

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        log.exception("%s %s", request.method, request.url.path, exc_info=error)
        response = answer_error(request, RongheError("web_internal", why=type(error).__name__), 500)
        # This answer is made outside the guard, so it brings the headers along.
        response.headers.update(dict(HEADERS))
        return response
