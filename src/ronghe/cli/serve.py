"""Serve the page and the API."""

import ctypes
import os
import threading
from typing import Annotated

import typer

from ronghe.cli.state import State

_M_ARENA_MAX = -8
"""The option's number in glibc's malloc.h."""
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option()] = None,
    public: Annotated[bool, typer.Option("--public")] = False,
) -> None:
    """Serve the page and the API."""
    _frugal()
    import uvicorn

    from ronghe.errors import ConfigError
    from ronghe.web.app import create_app

    state: State = context.obj
    state.flags |= {"host": host, "port": port, "public": public or None}
    state.__dict__.pop("config", None)
    config = state.config
    if config.host not in _LOCAL and not config.public:
        raise ConfigError("serve_public", host=config.host)
    if config.public:
        _ready(state)
    shown = f"[{config.host}]" if ":" in config.host else config.host
    app = create_app(config)
    server = uvicorn.Server(uvicorn.Config(app, host=config.host, port=config.port, log_level="warning", workers=1))
    threading.Thread(target=app.state.brain.prepare, name="ronghe-prepare", daemon=True).start()
    state.notes.print(state.t("web.serve.at", address=f"http://{shown}:{config.port}/{config.lang}/"))
    server.run()


def _frugal() -> None:
    """Give memory back soon: a server lives for weeks. Called before PyArrow is loaded and threads are started."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # Only glibc has it. Each thread that allocates would get a heap of its own, which seldom shrinks.
    if set_option := getattr(ctypes.CDLL(None), "mallopt", None):
        set_option(_M_ARENA_MAX, 2)


def _ready(state: State) -> None:
    """A public server needs somebody who can log in, and a word about TLS."""
    from contextlib import closing

    from ronghe.errors import ConfigError
    from ronghe.web.users import open_users

    with closing(open_users(state.config)) as users:
        if not users.all():
            raise ConfigError("users_none")
    state.notes.print(state.t("auth.plain"))


COMMANDS = (serve,)
