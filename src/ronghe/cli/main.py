"""``ronghe``: the command line."""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer._click import exceptions

from ronghe import __version__
from ronghe.cli.state import State
from ronghe.cli.words import ROOT, speak, told
from ronghe.errors import RongheError
from ronghe.i18n import translate
from ronghe.model.text import Text

ROOMS = ("data", "field", "index", "jobs", "look", "openalex", "report", "resolve", "serve", "synth", "users")
"""The modules of this package that bring commands: ``COMMANDS`` one by one, ``group()`` under the module's name."""


def _version(asked: bool) -> None:
    """Print the version and stop, as every command line does."""
    if asked:
        typer.echo(f"ronghe {__version__}")
        raise typer.Exit


def root(
    context: typer.Context,
    lake: Annotated[str | None, typer.Option()] = None,
    mirror: Annotated[str | None, typer.Option()] = None,
    lang: Annotated[str | None, typer.Option()] = None,
    engine: Annotated[str | None, typer.Option()] = None,
    at: Annotated[int | None, typer.Option()] = None,
    offline: Annotated[bool, typer.Option("--offline")] = False,
    wait: Annotated[float | None, typer.Option()] = None,
    version: Annotated[  # noqa: ARG001 - the callback has answered
        bool, typer.Option("--version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Keep the flags for the command that follows."""
    flags: dict[str, Any] = {"lake": lake, "mirror": mirror, "lang": lang, "engine": engine, "wait": wait}
    context.obj = State({**flags, "offline": offline or None}, at)


def build() -> typer.Typer:
    """The whole command, made anew."""
    from ronghe.cli.ask import LensGroup

    app = typer.Typer(
        name="ronghe",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(root)
    ask = typer.Typer(cls=LensGroup, no_args_is_help=True, rich_markup_mode=None)
    ask.callback()(_nothing)
    app.add_typer(ask, name="ask")
    for name in ROOMS:
        room = import_module(f"ronghe.cli.{name}")
        for command in getattr(room, "COMMANDS", ()):
            app.command()(command)
        if hasattr(room, "group"):
            app.add_typer(room.group(), name=name)
    return app


def _nothing() -> None:
    """Ask a question."""


def main() -> None:
    """Run the command; an error of ours is one clear message and an exit code."""
    sys.argv[1:] = _language_first(sys.argv[1:])
    lang = "zh" if _asked_for_chinese() else "en"
    try:
        code = _command(lang)(prog_name=ROOT, standalone_mode=False)
    except exceptions.NoArgsIsHelpError as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except (RongheError, exceptions.UsageError) as error:
        said = error if isinstance(error, RongheError) else told(error)
        sys.stderr.write(said.say(lang) + "\n")
        raise SystemExit(said.exit_code) from None
    except typer.Abort:
        sys.stderr.write(translate(lang, Text("say.aborted")) + "\n")
        raise SystemExit(1) from None
    raise SystemExit(code if isinstance(code, int) else 0)


def _command(lang: str) -> Any:
    command = typer.main.get_command(build())
    speak(command, lang)
    return command


def _language_first(words: list[str]) -> list[str]:
    """``--lang`` may stand anywhere, for who reads the answer thinks of it last; the root knows what it means."""
    for place, word in enumerate(words):
        if word == "--lang":
            return [*words[place : place + 2], *words[:place], *words[place + 2 :]]
        if word.startswith("--lang="):
            return [word, *words[:place], *words[place + 1 :]]
    return words


def _asked_for_chinese() -> bool:
    from ronghe.config import load_config

    if (first := sys.argv[1:3]) and first[0].startswith("--lang"):
        return "zh" in (first[0].removeprefix("--lang="), *first[1:])
    try:
        return load_config().lang == "zh"
    except RongheError:
        return False
