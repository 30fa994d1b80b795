"""Login and logout, and how often somebody may try."""

import threading
import time
from collections import deque
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from ronghe.errors import AuthError, RongheError, TooMany
from ronghe.web.csrf import SESSION_COOKIE, check_form, local_path, set_cookie
from ronghe.web.deps import Lang
from ronghe.web.page import page
from ronghe.web.users import SESSION, Users, folded

WINDOW = 900.0
"""Seconds over which failed logins count."""
_PAIR, _ONE = 5, 30


class Attempts:
    """Counts tries to log in: five for one name from one address, thirty for either alone, in a quarter of an hour."""

    def __init__(self, window: float = WINDOW) -> None:
        self._window = window
        self._tries: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def claim(self, name: str, address: str) -> None:
        """Count a try before it is made, so that many at once are counted as well.

        Raises
        ------
        TooMany : there were too many; a right password would not help either.
        """
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            for key, most in self._keys(name, address):
                tries = self._tries.get(key)
                if tries is not None and len(tries) >= most:
                    raise TooMany("auth_wait", seconds=int(tries[0] + self._window - now) + 1)
            for key, _ in self._keys(name, address):
                self._tries.setdefault(key, deque()).append(now)

    def forgive(self, name: str, address: str) -> None:
        """The password was right: this pair starts anew, and the try does not count against the others."""
        with self._lock:
            for key, most in self._keys(name, address):
                if most == _PAIR:
                    self._tries.pop(key, None)
                elif self._tries.get(key):
                    self._tries[key].pop()

    @staticmethod
    def _keys(name: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return ((name, address), _PAIR), ((name, ""), _ONE), (("", address), _ONE)

    def _forget(self, now: float) -> None:
        for key in list(self._tries):
            tries = self._tries[key]
            while tries and tries[0] <= now - self._window:
                tries.popleft()
            if not tries:
                del self._tries[key]


def router(users: Users, attempts: Attempts) -> APIRouter:
    """The routes of login and logout."""
    made = APIRouter(include_in_schema=False)

    def show(request: Request, lang: Lang, next: str = "") -> Response:
        """The login form."""
        return _form(request, lang, next)

    def login(
        request: Request,
        lang: Lang,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        form_token: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "",
    ) -> Response:
        """Open a session, or say why not."""
        check_form(request, form_token)
        address = request.client.host if request.client else ""
        try:
            attempts.claim(folded(name), address)
        except TooMany as error:
            response = _form(request, lang, next, error)
            response.headers["Retry-After"] = str(error.args_["seconds"])
            return response
        user = users.verify(name, password)
        if user is None:
            return _form(request, lang, next, AuthError("auth_wrong"))
        attempts.forgive(folded(name), address)
        token = users.open_session(user)
        response = RedirectResponse(local_path(next, lang), status_code=303)
        response.headers.append("set-cookie", set_cookie(request, SESSION_COOKIE, token, int(SESSION)))
        return response

    def logout(request: Request, lang: Lang, form_token: Annotated[str, Form()] = "") -> Response:
        """Close the session."""
        check_form(request, form_token)
        users.close_session(request.cookies.get(SESSION_COOKIE, ""))
        response = RedirectResponse(f"/{lang}/login", status_code=303)
        response.headers.append("set-cookie", set_cookie(request, SESSION_COOKIE, "", 0))
        return response

    made.add_api_route("/{lang}/login", show, methods=["GET"], response_class=Response)
    made.add_api_route("/{lang}/login", login, methods=["POST"], response_class=Response)
    made.add_api_route("/{lang}/logout", logout, methods=["POST"], response_class=Response)
    return made


def _form(request: Request, lang: str, onward: str, error: RongheError | None = None) -> Response:
    status = 200 if error is None else error.status
    return page(request, "auth/login.html", status=status, lang=lang, error=error, ways=[], onward=onward)
