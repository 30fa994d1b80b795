"""Match written names with organisations, and decide what a name means."""

from pathlib import Path
from typing import Annotated

import typer

from ronghe.cli.state import State


def resolve(
    context: typer.Context,
    names: Annotated[
        str | None, typer.Argument(help="a table's column (project.institution), or your own file")
    ] = None,
    column: Annotated[str | None, typer.Option(help="your file's column with the names")] = None,
    country: Annotated[
        str | None, typer.Option(help="your file's column with countries, or one country for all")
    ] = None,
    register: Annotated[str, typer.Option(help="register to match with")] = "ror",
    least: Annotated[float, typer.Option(help="likelihood that a match needs")] = 0.5,
    rows: Annotated[int, typer.Option(help="rows of each table")] = 30,
    keep: Annotated[bool, typer.Option(help="keep the matches in the lake for other questions")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="print what the API returns")] = False,
) -> None:
    """Match the names of a table or file with organisations, and keep the matches · 匹配机构."""
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


COMMANDS = (resolve, decide)
