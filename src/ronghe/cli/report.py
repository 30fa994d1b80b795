"""Write several findings as one document."""

from pathlib import Path
from typing import Annotated

import typer

from ronghe.cli.state import State


def report(
    context: typer.Context,
    findings: Annotated[list[str], typer.Argument()],
    to: Annotated[Path, typer.Option()],
    title: Annotated[str | None, typer.Option()] = None,
    rows: Annotated[int, typer.Option(min=1)] = 40,
) -> None:
    """Write several findings as one document, with one list of sources."""
    from ronghe.export import format_of
    from ronghe.report import FORMATS, write

    state: State = context.obj
    format_of(to, FORMATS)
    write([state.brain.named(f) for f in findings], to, state.lang, title=title, rows=rows)
    state.console.print(state.t("say.written", file=str(to), bytes=to.stat().st_size))


COMMANDS = (report,)
