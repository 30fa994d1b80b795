"""A finding, a trace or a list on the terminal."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text as Rich

from ronghe.brain import Answer
from ronghe.cli.state import State
from ronghe.i18n import translate
from ronghe.model.finding import Field, Result
from ronghe.present import cell, label, visible
from ronghe.trace import Origin, Trace

_LEFT = {"text", "class", "key", "unit"}


def show_answer(state: State, answer: Answer, rows: int) -> None:
    """Headline, tables, caveats, sources and how to trace on."""
    finding, out = answer.finding, state.console
    out.print(Rich(translate(state.lang, finding.headline), style="bold"))
    for result in finding.tables.values():
        out.print()
        show_result(state, result, rows)
    for caveat in finding.caveats:
        style = {"note": "dim", "warning": "yellow", "invented": "bold red"}[caveat.level]
        out.print(Rich(f"※ {translate(state.lang, caveat.text)}", style=style))
    names = {f"{i.dataset} ({i.licence})" for i in finding.provenance.inputs}
    out.print(Rich(state.t("say.sources", names=sorted(names)), style="dim"))
    out.print(Rich(state.t("say.finding", id=finding.id, snapshot=finding.provenance.snapshot), style="dim"))


def show_result(state: State, result: Result, rows: int) -> None:
    """One table, its first rows; columns that do not fit the terminal are named below it."""
    fields = [f for f in visible(result, state.lang) if not _says_nothing(result, f)]
    lines = [[cell(f, row[f.name], state.lang, row) for f in fields] for row in result.data.slice(0, rows).to_pylist()]
    heads = [label(f, state.lang) for f in fields]
    kept = _fitting(heads, lines, state.console.width - 6)
    table = Table(box=box.SIMPLE_HEAD, title=translate(state.lang, result.title), title_justify="left")
    table.add_column("#", justify="right", style="dim")
    for head, one in zip(heads[:kept], fields, strict=False):
        table.add_column(head, justify="left" if one.kind in _LEFT else "right", overflow="fold")
    for number, line in enumerate(lines):
        table.add_row(str(number), *line[:kept])
    if result.lead is not None:
        state.console.print(Rich(translate(state.lang, result.lead)))
    state.console.print(table)
    if kept < len(heads):
        state.console.print(Rich(state.t("say.hidden", columns=heads[kept:]), style="dim"))
    if result.data.num_rows > rows:
        state.console.print(Rich(state.t("say.more", shown=rows, total=result.data.num_rows), style="dim"))


def _says_nothing(result: Result, field: Field) -> bool:
    """A column without a value, or a code that is the same in every row of a longer table."""
    if result.data.num_rows and result.data.column(field.name).null_count == result.data.num_rows:
        return True
    return field.kind == "text" and result.data.num_rows > 1 and len(result.data.column(field.name).unique()) == 1


def _fitting(heads: Sequence[str], lines: Sequence[Sequence[str]], width: int) -> int:
    """How many columns fit: figures need their whole width, names and headings may fold."""
    used = 0
    for i, head in enumerate(heads):
        longest = max((cell_len(line[i]) for line in lines), default=0)
        used += min(max(longest, cell_len(head) // 3, 6), 28) + 3
        if used > width:
            return max(i, 2)
    return len(heads)


def show_rows(
    state: State, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], words: str = "column"
) -> None:
    """A plain list: names of the headings, which ``words`` in the locales translates, and rows."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    lines = [[("" if v is None else v) for v in row] for row in rows]
    for i, name in enumerate(columns):
        numeric = all(isinstance(line[i], (int, float)) for line in lines) and bool(lines)
        table.add_column(state.t(f"{words}.{name}"), justify="right" if numeric else "left", overflow="fold")
    for line in lines:
        table.add_row(*[f"{v:,}" if isinstance(v, int) and not isinstance(v, bool) else str(v) for v in line])
    state.console.print(table)


def show_trace(state: State, trace: Trace, depth: int = 0) -> None:
    """A figure, its steps, and the cells it comes from; children below, indented."""
    out, pad = state.console, "  " * depth
    key = ", ".join(f"{k}={v}" for k, v in trace.key.items())
    name = translate(state.lang, trace.label)
    value = cell(Field(trace.column, trace.label, digits=6), trace.value, state.lang)
    out.print(Rich(f"{pad}{name} [{key}] = {value}", style="bold"))
    for step in trace.steps:
        paper = f" — {step.paper}" if step.paper else ""
        out.print(Rich(f"{pad}· {step.kernel}: {step.formula}{paper}", style="dim"))
    out.print(Rich(pad + state.t(f"say.basis.{trace.basis}", total=trace.total)))
    for path in trace.paths:
        out.print(Rich(f"{pad}  {path.share:6.1%}  {path.value:.6g}  {path.names[state.lang]}"))
        for origin in path.origins:
            out.print(Rich(f"{pad}          {where(state, origin)}", style="dim"))
    for origin in trace.origins[:20]:
        out.print(Rich(f"{pad}  {where(state, origin)}"))
    if len(trace.origins) > 20:
        out.print(Rich(pad + state.t("say.more", shown=20, total=trace.total), style="dim"))
    if trace.child is not None:
        show_trace(state, trace.child, depth + 1)


def where(state: State, origin: Origin) -> str:
    """The finger on the cell."""
    spot = state.t("say.cell", part=origin.part or "-", row=origin.row, col=origin.col or "-")
    value = origin.values.get("value", origin.values.get("share", ""))
    return f"{origin.dataset}/{origin.file} · {spot} · {value} · sha256 {origin.sha256[:12]}"
