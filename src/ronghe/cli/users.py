"""Who may log in to a public server: add, list, password, token, remove."""

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from ronghe.cli.state import State

if TYPE_CHECKING:
    from ronghe.web.users import Users

Name = Annotated[str, typer.Argument()]
Stdin = Annotated[bool, typer.Option("--password-stdin")]


def group() -> typer.Typer:
    """``ronghe users`` and what can be done with one."""
    made = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    made.command(name="list")(listed)
    for command in (add, password, token, revoke, remove):
        made.command()(command)
    return made


def _users(state: State) -> "Users":
    from ronghe.web.users import open_users

    return open_users(state.config)


def _password(state: State, stdin: bool) -> str:
    """From the input's first line, or typed twice without being shown."""
    from ronghe.errors import AuthError

    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    first = getpass.getpass(f"{state.t('auth.password')}: ")
    if getpass.getpass(f"{state.t('auth.again')}: ") != first:
        raise AuthError("user_twice")
    return first


def listed(context: typer.Context) -> None:
    """List the users."""
    from rich import box
    from rich.table import Table

    state: State = context.obj
    with closing(_users(state)) as users:
        known = users.all()
    if not known:
        state.console.print(state.t("auth.none"), markup=False)
        return
    table = Table(box=box.SIMPLE_HEAD, title=state.t("auth.users"), title_justify="left")
    for key in ("name", "role", "workspace", "tokens"):
        table.add_column(state.t(f"auth.column.{key}"), overflow="fold")
    for user in known:
        table.add_row(user.name, user.role, user.workspace, str(user.tokens))
    state.console.print(table)


def add(
    context: typer.Context,
    name: Name,
    role: Annotated[str, typer.Option()] = "viewer",
    workspace: Annotated[str, typer.Option()] = "",
    password_stdin: Stdin = False,
) -> None:
    """Add a user."""
    state: State = context.obj
    with closing(_users(state)) as users:
        user = users.add(name, _password(state, password_stdin), role, workspace)
    said = state.t("auth.added", name=user.name, role=user.role, workspace=user.workspace or "—")
    state.console.print(said, markup=False)


def password(context: typer.Context, name: Name, password_stdin: Stdin = False) -> None:
    """Set a new password; the user's sessions end."""
    state: State = context.obj
    with closing(_users(state)) as users:
        known = users.named(name)
        users.change_password(known.name, _password(state, password_stdin))
    state.console.print(state.t("auth.changed", name=known.name), markup=False)


def token(
    context: typer.Context,
    name: Name,
    label: Annotated[str, typer.Option()] = "",
) -> None:
    """Make a token for programs that use the API; it is shown once."""
    state: State = context.obj
    with closing(_users(state)) as users:
        made = users.make_token(name, label)
    state.notes.print(state.t("auth.token", name=name), markup=False)
    state.bytes(f"{made}\n".encode())


def revoke(context: typer.Context, name: Name) -> None:
    """End every token of a user."""
    state: State = context.obj
    with closing(_users(state)) as users:
        count = users.revoke(name)
    state.console.print(state.t("auth.revoked", name=name, count=count), markup=False)


def remove(context: typer.Context, name: Name) -> None:
    """Remove a user; what the workspace brought in stays."""
    state: State = context.obj
    with closing(_users(state)) as users:
        users.remove(name)
    state.console.print(state.t("auth.removed", name=name), markup=False)
