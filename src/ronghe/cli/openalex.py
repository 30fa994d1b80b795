"""Bring records of OpenAlex into a folder, to be read from there."""

from pathlib import Path
from typing import Annotated

import typer

from ronghe.cli.state import State


def fetch_openalex(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to")],
    filter_: Annotated[str, typer.Option("--filter")] = "",
    search: Annotated[str, typer.Option()] = "",
    entity: Annotated[str, typer.Option()] = "works",
    select: Annotated[str, typer.Option()] = "",
    key: Annotated[str, typer.Option(envvar="OPENALEX_API_KEY", show_default=False)] = "",
    limit: Annotated[int | None, typer.Option()] = None,
    base: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Fetch OpenAlex page by page into a folder, for `ronghe ingest FOLDER --as openalex_works`."""
    from ronghe.errors import FetchError
    from ronghe.sources.openalex_api import BASE, Ask, fetch_openalex

    state: State = context.obj
    if state.config.offline:
        raise FetchError("openalex_offline")
    ask = Ask(entity=entity, filter=filter_, search=search, select=select)
    with state.progress() as step:
        place = fetch_openalex(
            ask,
            to,
            key=key,
            base=base or BASE,
            limit=limit,
            progress=lambda done, total: step(entity, done, total),
        )
    state.console.print(state.t("say.openalex_done", records=place.records, total=place.total, folder=str(to)))
    if not place.complete:
        state.console.print(state.t("say.openalex_more"))
    if place.missing:
        state.notes.print(state.t("say.openalex_short", missing=place.missing), style="red")


COMMANDS = (fetch_openalex,)
