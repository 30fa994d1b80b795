"""``ronghe ask <lens>``: one command a lens, made from its signature when it is asked for."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ronghe.cli.state import State
from ronghe.cli.words import frame
from ronghe.errors import AskError, system
from ronghe.i18n import translate
from ronghe.model.text import Text
from ronghe.plugins import get_lens, lens_names, lens_themes

if TYPE_CHECKING:
    from ronghe.lenses.base import LensSpec


class LensGroup(TyperGroup):
    """Lists lenses by name alone; a lens is imported only when its command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every lens installed."""
        del ctx
        return list(lens_names())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of one lens; an unknown name is Ronghe's own error."""
        state = ctx.find_object(State) or State()
        if ctx.resilient_parsing or cmd_name in lens_names():
            return lens_command(cmd_name, state.lang)
        get_lens(cmd_name)
        return None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Names and questions, without importing any lens."""
        state = ctx.find_object(State) or State()
        for theme, names in lens_themes().items():
            rows = [(n, translate(state.lang, Text(f"lens.{n}.question"))) for n in names]
            with formatter.section(translate(state.lang, Text(f"theme.{theme}"))):
                formatter.write_dl(rows, col_max=max(map(len, lens_names())))


def lens_command(name: str, lang: str) -> Any:
    """A Typer command with the lens's parameters as flags."""
    spec = get_lens(name)

    def run(context: typer.Context, **given: Any) -> None:
        from ronghe.cli.jobs import answer_of, detach
        from ronghe.cli.show import show_answer

        state: State = context.obj
        as_json, fresh, rows = given.pop("as_json"), given.pop("fresh"), given.pop("rows")
        alone = given.pop("detach")
        asked = {k: v for k, v in given.items() if v is not None}
        _read_files(asked, files)
        if alone:
            return detach(state, name, asked)
        with answer_of(state) as ask:
            answer = ask(name, fresh, asked)
        if as_json:
            return state.bytes(answer.json)
        return show_answer(state, answer, rows)

    files = _files(spec)
    parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for param in spec.params:
        kind: Any = param.type if param.type in (int, float, bool) else str
        shown = "" if param.required or param.default is None else f" [{param.default}]"
        text = translate(lang, param.help) + shown
        flag = f"--{param.name.replace('_', '-')}"
        option = typer.Option(f"{flag}/--no-{flag[2:]}" if kind is bool else flag, help=text, show_default=False)
        parameters.append(_keyword(param.name, kind | None, option, None))
    parameters += _file_flags(files, lang)
    say = {k: translate(lang, Text(f"say.flag.{k}")) for k in ("json", "fresh", "rows", "detach")}
    parameters += [
        _keyword("as_json", bool, typer.Option("--json", help=say["json"]), False),
        _keyword("fresh", bool, typer.Option("--fresh", help=say["fresh"]), False),
        _keyword("rows", int, typer.Option("--rows", help=say["rows"]), 20),
        _keyword("detach", bool, typer.Option("--detach", help=say["detach"]), False),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name=name, help=translate(lang, spec.question))(run)
    command = typer.main.get_command(app)
    frame(command, lang)
    return command


def _files(spec: "LensSpec") -> dict[str, str]:
    """Parameter -> the flag that names a file to read it from; the parameter's name is in it where there are two."""
    files = {p.name: flag for p in spec.params if (flag := getattr(p.type, "file_flag", ""))}
    return files if len(files) < 2 else {name: f"{name}-{flag}" for name, flag in files.items()}


def _file_flags(files: Mapping[str, str], lang: str) -> list[inspect.Parameter]:
    text = translate(lang, Text("say.flag.file"))
    return [
        _keyword(flag.replace("-", "_"), Path | None, typer.Option(f"--{flag}", help=text, show_default=False), None)
        for flag in files.values()
    ]


def _read_files(asked: dict[str, Any], files: Mapping[str, str]) -> None:
    """Where a parameter comes from a file, its text stands for the value: the lens never sees a path.

    Raises
    ------
    AskError : there is no such file, or it isn't text.
    """
    for name, flag in files.items():
        path = asked.pop(flag.replace("-", "_"), None)
        if path is not None:
            try:
                asked[name] = Path(path).read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                why = system(error) if isinstance(error, OSError) else Text("why.no_text")
                raise AskError("shock_file", file=str(path), why=why) from error


def _keyword(name: str, kind: Any, option: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, option], default=default)
