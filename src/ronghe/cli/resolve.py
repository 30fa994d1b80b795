"""Match written names with organisations, and decide what a name means."""

from pathlib import Path
from typing import Annotated

import typer

from ronghe.cli.state import State


def resolve(
    context: typer.Context,
    names: Annotated[str | None, typer.Argument()] = None,
    column: Annotated[str | None, typer.Option()] = None,
    country: Annotated[str | None, typer.Option()] = None,
    register: Annotated[str, typer.Option()] = "ror",
    least: Annotated[float, typer.Option()] = 0.5,
    rows: Annotated[int, typer.Option()] = 30,
    keep: Annotated[bool, typer.Option()] = True,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Match the names of a table or file with organisations, and keep the matches."""
    from ronghe.cli.show import show_answer
    from ronghe.resolving import ingest_names, keep_matches

    state: State = context.obj
    if names is None:
        return _places(state)
    with state.progress() as step:
        if Path(names).is_file():
            names = ingest_names(state.brain, Path(names), column, country, step)
        answer = state.brain.ask("matches", progress=step, names=names, register=register, least=least)
    if as_json:
        state.bytes(answer.json)
    else:
        show_answer(state, answer, rows)
    if keep:
        report = keep_matches(state.brain, answer)
        said = state.t("say.resolve_kept", rows=report.load.records, names=names)
        state.notes.print(said, markup=False)
    return None


def _places(state: State) -> None:
    """Which columns and files can be matched."""
    from ronghe.cli.show import show_rows
    from ronghe.lenses.frontier.match_load import NamesOf

    listed = NamesOf.choices(state.brain.snapshot)
    show_rows(state, state.t("say.resolve_names"), ("name", "title"), [(c.value, c.names[state.lang]) for c in listed])


def decide(
    context: typer.Context,
    kind: Annotated[str, typer.Argument()],
    subject: Annotated[str, typer.Argument()],
    value: Annotated[str, typer.Argument()] = "",
    table: Annotated[str, typer.Option()] = "organisation_match",
    field: Annotated[str, typer.Option()] = "org_id",
    reason: Annotated[str, typer.Option()] = "",
    by: Annotated[str, typer.Option()] = "",
) -> None:
    """Confirm, reject or lock what a name means; it stands above every method."""
    from ronghe.intake import ingest_decision

    state: State = context.obj
    report = ingest_decision(state.brain, kind, subject, value, table=table, field=field, by=by, reason=reason)
    said = state.t(f"say.decided.{kind}", subject=subject, value=value or "—")
    state.console.print(said, markup=False)
    state.console.print(state.t("say.version_now", version=report.version))


COMMANDS = (resolve, decide)
