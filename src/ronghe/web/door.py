"""Who comes in: the login behind every request of a public server, and that a form was our own.

``Door`` puts on every request: ``request.state.user`` (``None`` where nobody logs in), ``request.state.brain``
(the brain on that user's workspace) and the seed of the form token.
"""

import secrets
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ronghe.brain import Brain
from ronghe.errors import AuthError, Forbidden
from ronghe.i18n import LANGUAGES
from ronghe.web.csrf import FORM_COOKIE, FORM_HEADER, SESSION_COOKIE, right_form, same_origin, set_cookie
from ronghe.web.deps import language_of
from ronghe.web.errors import answer_error

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Door:
    """ASGI middleware: finds out who asks, and turns away who may not.

    Parameters
    ----------
    app : the application.
    brain : the brain that answers where nobody logs in.
    users : the database of users; ``None`` for a server of this machine alone.
    """

    def __init__(self, app: ASGIApp, *, brain: Brain, users: Any = None) -> None:
        self._app = app
        self._brain = brain
        self._users = users

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.user, request.state.brain = None, self._brain
        request.state.closed = self._users is not None
        session = request.cookies.get(SESSION_COOKIE, "") if self._users is not None else ""
        kept = request.cookies.get(FORM_COOKIE, "")
        request.state.form_seed = session or kept or secrets.token_urlsafe(24)
        request.state.form_used = False
        refusal = await self._refusal(request, session)
        answered: ASGIApp = refusal or self._app

        async def seeded(message: Message) -> None:
            if message["type"] == "http.response.start" and request.state.form_used and not (session or kept):
                cookie = set_cookie(request, FORM_COOKIE, request.state.form_seed)
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await answered(scope, receive, seeded)

    async def _refusal(self, request: Request, session: str) -> Response | None:
        """The answer to who may not come in; ``None`` for who may."""
        safe = request.method in _SAFE
        if not safe and not same_origin(request):
            return answer_error(request, Forbidden("auth_origin"))
        if self._users is None or _open(request.url.path):
            return None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = scheme.casefold() == "bearer" and bool(token)
        if bearer:
            user = await run_in_threadpool(self._users.of_token, token.strip())
        else:
            user = await run_in_threadpool(self._users.of_session, session) if session else None
        if user is None:
            return _login(request)
        request.state.user, request.state.closed = user, False
        request.state.brain = Brain(self._brain.config, self._brain.lake, workspace=user.workspace, files=False)
        api = request.url.path.startswith("/api/")
        if api and not safe and not bearer and not right_form(request, request.headers.get(FORM_HEADER, "")):
            return answer_error(request, Forbidden("auth_form"))
        return None


def _open(path: str) -> bool:
    """What a reader sees before the login."""
    return path.startswith("/static/") or path in {f"/{lang}/login" for lang in LANGUAGES}


def _login(request: Request) -> Response:
    if request.url.path.startswith("/api/"):
        response = answer_error(request, AuthError("auth_needed"))
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(here, safe='')}" if request.method == "GET" and here != "/" else ""
    where = f"/{language_of(request)}/login{back}"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": where})
    return RedirectResponse(where, status_code=303, headers={"Vary": "Accept-Language, Cookie"})


def demand(request: Request, role: str) -> None:
    """Refuse who may not do this; without logins everyone may.

    Raises
    ------
    Forbidden : the user's role does not suffice.
    """
    user = request.state.user
    if user is not None and not user.may(role):
        raise Forbidden("auth_role", role=user.role, needed=role)
