"""``ronghe index``: look at indicator systems and check them against the lake."""

from pathlib import Path
from typing import Annotated

import typer

from ronghe.cli.definitions import check_definition, copy_definition
from ronghe.cli.state import State


def check(
    context: typer.Context,
    system: Annotated[str, typer.Argument()],
    rows: Annotated[int, typer.Option()] = 40,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Check a system against the lake: coverage, dead indicators, collinearity, unknown names."""
    check_definition(context.obj, "index_check", rows, as_json, system=system)


def list_systems(context: typer.Context) -> None:
    """List the systems that come with Ronghe."""
    from ronghe.cli.show import show_rows
    from ronghe.indexing.reading import read_system, system_names

    state: State = context.obj
    systems = {name: read_system(name) for name in system_names()}
    show_rows(
        state,
        state.t("say.systems"),
        ("system", "title", "indicators", "years"),
        [
            (name, one.names[state.lang], len(one.indicators), "–".join(str(y) for y in one.years or ()))
            for name, one in systems.items()
        ],
    )


def copy(
    context: typer.Context,
    system: Annotated[str, typer.Argument()],
    to: Annotated[Path, typer.Argument()],
) -> None:
    """Write a system to a file of your own, to change it."""
    from ronghe.indexing.reading import system_text

    copy_definition(context.obj, system_text(system), to)


def group() -> typer.Typer:
    """The group of commands, made anew."""
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    app.command("check")(check)
    app.command("list")(list_systems)
    app.command("copy")(copy)
    return app
