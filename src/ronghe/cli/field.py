"""``ronghe field``: look at the definitions of fields and check what they catch."""

from pathlib import Path
from typing import Annotated

import typer

from ronghe.cli.definitions import check_definition, copy_definition
from ronghe.cli.state import State


def check(
    context: typer.Context,
    field: Annotated[str | None, typer.Argument()] = None,
    rows: Annotated[int, typer.Option()] = 40,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Check what a field's definition catches and misses in the lake."""
    check_definition(context.obj, "field_check", rows, as_json, field=field)


def list_fields(context: typer.Context) -> None:
    """List the fields that come with Ronghe."""
    from ronghe.cli.show import show_rows
    from ronghe.fielding.reading import field_names, read_field

    state: State = context.obj
    fields = [read_field(name) for name in field_names()]
    show_rows(
        state,
        state.t("say.fields"),
        ("field_id", "field_name", "note"),
        [(one.name, one.names[state.lang], one.note[state.lang]) for one in fields],
    )


def copy(
    context: typer.Context,
    field: Annotated[str, typer.Argument()],
    to: Annotated[Path, typer.Argument()],
) -> None:
    """Write a field to a file of your own, to change it."""
    from ronghe.fielding.reading import field_aliases, field_text

    copy_definition(context.obj, field_text(field_aliases().get(field.casefold(), field)), to)


def group() -> typer.Typer:
    """The group of commands, made anew."""
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    app.command("check")(check)
    app.command("list")(list_fields)
    app.command("copy")(copy)
    return app
