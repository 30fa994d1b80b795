"""Write several findings as one document."""

from pathlib import Path
from typing import Annotated

import typer

from ronghe.cli.state import State


def report(
    context: typer.Context,
    findings: Annotated[list[str], typer.Argument(help="findings by id, or lenses (their latest finding)")],
    to: Annotated[Path, typer.Option(help="file to write: docx or pdf")],
    title: Annotated[str | None, typer.Option(help="the document's title · 标题")] = None,
    rows: Annotated[int, typer.Option(min=1, help="the most rows of one table")] = 40,
) -> None:
    """Write several findings as one document, with one list of sources · 报告."""
    from ronghe.report import write

    state: State = context.obj
    write([state.brain.named(f) for f in findings], to, state.lang, title=title, rows=rows)
    state.console.print(state.t("say.written", file=str(to), bytes=to.stat().st_size))


COMMANDS = (report,)
