"""The application: API, pages and static files behind one guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from typing import Any

from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ronghe import __version__
from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.runner import Runner
from ronghe.web import api, decide, errors, jobs, pages, upload
from ronghe.web.door import Door
from ronghe.web.guard import Guard
from ronghe.web.press import Press

_YEAR = 365 * 24 * 3600


class Assets(StaticFiles):
    """Static files; one asked for with its content hash may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file."""
        response = await super().get_response(path, scope)
        if response.status_code == 200 and scope["query_string"].startswith(b"v="):
            response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
        return response


def create_app(config: Config, brain: Brain | None = None) -> FastAPI:
    """The web application.

    Parameters
    ----------
    config : the settings in force.
    brain : the brain that answers; one on the configured lake when not given.
    """
    app = FastAPI(
        title="Ronghe · 融合",
        version=__version__,
        summary="An open-source industry brain: every figure traces to its source row, formula and paper.",
        openapi_url=f"{api.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_closing,
    )
    app.state.config = config
    app.openapi = partial(api.describe, app)  # type: ignore[method-assign]
    app.state.brain = brain or Brain(config, files=False)
    app.state.runner = Runner(app.state.brain, config.workers)
    app.state.desk = upload.Desk()
    app.state.press = Press()
    app.include_router(api.router())
    for room in (decide, jobs, upload):
        app.include_router(room.router())
    app.include_router(jobs.api_router())
    app.include_router(pages.router())
    users = _users(app, config) if config.public else None
    static: Any = files("ronghe.web").joinpath("static")
    app.mount("/static", Assets(directory=str(static)), name="static")
    errors.install(app)
    app.add_middleware(Door, brain=app.state.brain, users=users)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(Guard, host=config.host, public=config.public)
    return app


@asynccontextmanager
async def _closing(app: FastAPI) -> AsyncIterator[None]:
    """The application's life: at its end, jobs stop at their next safe point and can be resumed."""
    yield
    await run_sync(app.state.runner.close)
    app.state.desk.close()
    app.state.press.close()


def _users(app: FastAPI, config: Config) -> Any:
    """The database of users, with the routes of login; loaded only where it is needed."""
    from ronghe.web import auth
    from ronghe.web.users import open_users

    users = open_users(config)
    app.include_router(auth.router(users, auth.Attempts()))
    return users
