"""Decide what a written name means."""

from typing import Annotated

import typer

from ronghe.cli.state import State


def decide(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="confirmed | rejected | locked")],
    subject: Annotated[str, typer.Argument(help="the name, as written")],
    value: Annotated[str, typer.Argument(help="the organisation's id; empty where it is none")] = "",
    table: Annotated[str, typer.Option(help="the table it is about")] = "organisation_match",
    field: Annotated[str, typer.Option(help="the field it is about")] = "org_id",
    reason: Annotated[str, typer.Option(help="why")] = "",
    by: Annotated[str, typer.Option(help="who decided")] = "",
) -> None:
    """Confirm, reject or lock what a name means; it stands above every method · 人工确认."""
    from ronghe.intake import ingest_decision

    state: State = context.obj
    report = ingest_decision(state.brain, kind, subject, value, table=table, field=field, by=by, reason=reason)
    said = state.t(f"say.decided.{kind}", subject=subject, value=value or "—")
    state.console.print(said, markup=False)
    state.console.print(state.t("say.version_now", version=report.version))


COMMANDS = (decide,)
