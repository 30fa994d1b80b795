"""Look at what is kept: tables, versions, findings, traces, exports."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ronghe.cli.state import State
from ronghe.errors import AskError
from ronghe.model.text import Text

Json = Annotated[bool, typer.Option("--json")]


def tables(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument()] = None,
    rows: Annotated[int, typer.Option()] = 20,
    to: Annotated[Path | None, typer.Option()] = None,
    redistributable_only: Annotated[bool, typer.Option("--redistributable-only")] = False,
    as_json: Json = False,
) -> None:
    """List the lake's tables, show one, or write its rows to a file."""
    from ronghe.cli.show import show_rows
    from ronghe.views import table_list, table_rows

    state: State = context.obj
    if to is not None:
        return _write_rows(state, name, to, redistributable_only)
    if name is None:
        document = table_list(state.brain)
        if as_json:
            return state.bytes(_bytes(document))
        if not any(t["rows"] for t in document["tables"]):
            return state.console.print(state.t("say.empty_lake", lake=state.config.lake), markup=False)
        return show_rows(
            state,
            state.t("say.snapshot", version=document["snapshot"]),
            ("table", "name", "rows", "loads", "columns"),
            [(t["table"], t[f"name_{state.lang}"], t["rows"], t["loads"], t["columns"]) for t in document["tables"]],
        )
    document = table_rows(state.brain, name, rows)
    if as_json:
        return state.bytes(_bytes(document))
    _plain_rows(state, document)
    return None


def _write_rows(state: State, name: str | None, to: Path, redistributable_only: bool) -> None:
    from ronghe.export.rows import write_rows

    if name is None:
        raise AskError(
            "missing_parameter", name="table", about=Text("help.tables.name"), known=state.brain.snapshot.tables
        )
    done = write_rows(state.brain, name, to, state.lang, redistributable_only=redistributable_only)
    state.console.print(state.t("export.rows_written", file=str(to), rows=done.rows, bytes=to.stat().st_size))
    if done.left:
        state.console.print(state.t("export.rows_left", rows=done.left, datasets=list(done.datasets)))


def _plain_rows(state: State, document: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=f"{document['table']} · {document[f'name_{state.lang}']}")
    for column in document["columns"]:
        table.add_column(f"{column['name']}\n{column[f'name_{state.lang}']}", overflow="fold")
    for row in document["rows"]:
        table.add_row(*["" if v is None else str(v) for v in row])
    state.console.print(table)
    state.console.print(state.t("say.more", shown=len(document["rows"]), total=document["total"]))


def versions(context: typer.Context, as_json: Json = False) -> None:
    """List the lake's versions; any of them can be read with --at."""
    from ronghe.cli.show import show_rows
    from ronghe.views import version_list

    state: State = context.obj
    document = version_list(state.brain)
    if as_json:
        return state.bytes(_bytes(document))
    if not document["versions"]:
        return state.console.print(state.t("say.empty_lake", lake=state.config.lake), markup=False)
    return show_rows(
        state,
        state.t("say.versions"),
        ("version", "at", "note"),
        [(v["version"], v["at"], v["note"]) for v in document["versions"]],
    )


def show(
    context: typer.Context,
    finding: Annotated[str, typer.Argument()],
    rows: Annotated[int, typer.Option()] = 20,
    as_json: Json = False,
) -> None:
    """Show a finding kept earlier."""
    from ronghe.cli.show import show_answer

    state: State = context.obj
    answer = state.brain.find(finding)
    if as_json:
        return state.bytes(answer.json)
    return show_answer(state, answer, rows)


def trace(
    context: typer.Context,
    finding: Annotated[str, typer.Argument()],
    column: Annotated[str, typer.Argument()],
    row: Annotated[str, typer.Argument()],
    table: Annotated[str | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """Trace a figure to the cells it comes from."""
    from ronghe.cli.show import show_trace
    from ronghe.model.serial import canonical
    from ronghe.trace import where

    state: State = context.obj
    answer = state.brain.find(finding)
    found = state.brain.tracer.trace(answer.finding, column, where(row), table)
    if as_json:
        return state.bytes(canonical(found.document()))
    return show_trace(state, found)


def export(
    context: typer.Context,
    what: Annotated[str, typer.Argument()],
    to: Annotated[Path, typer.Option()],
    param: Annotated[list[str] | None, typer.Option()] = None,
) -> None:
    """Write a finding to a file, with its sources."""
    from ronghe.export import FORMATS, format_of, write

    state: State = context.obj
    format_of(to, FORMATS)
    given: dict[str, Any] = {}
    for pair in param or ():
        name, equals, value = pair.partition("=")
        if not equals:
            raise AskError("bad_value", parameter="--param", value=pair, expected=Text("help.kind.pair"))
        given[name] = value
    write(state.brain.named(what, **given), to, state.lang)
    state.console.print(state.t("say.written", file=str(to), bytes=to.stat().st_size))


def _bytes(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


COMMANDS = (tables, versions, show, trace, export)
