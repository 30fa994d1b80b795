"""Serve the page and the API."""

from typing import Annotated

import typer

from ronghe.cli.state import State


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="address to listen on · 监听地址")] = None,
    port: Annotated[int | None, typer.Option(help="port · 端口")] = None,
) -> None:
    """Serve the page and the API · 启动网页."""
    import uvicorn

    from ronghe.web.app import create_app

    state: State = context.obj
    config = state.config
    uvicorn.run(create_app(config), host=host or config.host, port=port or config.port, log_level="warning")


COMMANDS = (serve,)
