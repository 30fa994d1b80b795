"""What every response carries: the content-security policy and its companions; and whose requests are heard."""

from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ronghe.errors import AskError
from ronghe.web.errors import error_bytes
from ronghe.web.policy import HEADERS

_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """ASGI middleware: security headers on every response; a server of this machine hears only its own name.

    Parameters
    ----------
    app : the application.
    host : where the server listens.
    public : serve whoever reaches it; else a page that another name leads here (DNS rebinding) is refused.
    """

    def __init__(self, app: ASGIApp, *, host: str, public: bool) -> None:
        self._app = app
        self._hosts = None if public else _LOCAL | {host}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS:
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        app: Any = self._app if self._heard(Headers(scope=scope).get("host", "")) else _refusal()
        await app(scope, receive, sealed)

    def _heard(self, host: str) -> bool:
        return self._hosts is None or _bare(host) in self._hosts


def _bare(host: str) -> str:
    """A Host header without its port: ``[::1]:8600`` is ``::1``."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _refusal() -> Response:
    return Response(error_bytes(AskError("web_host")), status_code=421, media_type="application/json")
