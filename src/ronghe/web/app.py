"""The application: API, pages and static files behind one guard."""

from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ronghe import __version__
from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.web import api, errors, pages
from ronghe.web.guard import Guard

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
    )
    app.state.config = config
    app.state.brain = brain or Brain(config)
    app.include_router(api.router())
    app.include_router(pages.router())
    static: Any = files("ronghe.web").joinpath("static")
    app.mount("/static", Assets(directory=str(static)), name="static")
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(Guard, host=config.host, public=config.public)
    return app
