"""``ronghe``: the command line."""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from ronghe import __version__
from ronghe.cli.state import State
from ronghe.errors import RongheError

ROOMS = ("data", "field", "index", "jobs", "look", "openalex", "report", "resolve", "serve", "synth", "users")
"""The modules of this package that bring commands: ``COMMANDS`` one by one, ``group()`` under the module's name."""


def _version(asked: bool) -> None:
    """Print the version and stop, as every command line does."""
    if asked:
        typer.echo(f"ronghe {__version__}")
        raise typer.Exit


def root(
    context: typer.Context,
    lake: Annotated[str | None, typer.Option(help="folder or address of the lake · 湖的位置")] = None,
    mirror: Annotated[str | None, typer.Option(help="folder with publishers' files · 原始文件目录")] = None,
    lang: Annotated[str | None, typer.Option(help="zh | en; may stand anywhere · 语言，可写在任意位置")] = None,
    engine: Annotated[str | None, typer.Option(help="duckdb | pyspark://local[2]")] = None,
    at: Annotated[int | None, typer.Option(help="a version of the lake to read · 湖的版本")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="never reach for the network · 不访问网络")] = False,
    wait: Annotated[float | None, typer.Option(help="seconds to wait for another ingest · 等待秒数")] = None,
    version: Annotated[  # noqa: ARG001 - the callback has answered
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print Ronghe's version · 程序版本")
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
        help="融合 · Ronghe: an open-source industry brain. Every figure traces to its source row, formula and paper.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(root)
    ask = typer.Typer(cls=LensGroup, no_args_is_help=True, help="ask a question · 提问", rich_markup_mode=None)
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
    """Ask a question · 提问."""


def main() -> None:
    """Run the command; an error of ours is one clear message and an exit code."""
    sys.argv[1:] = _language_first(sys.argv[1:])
    try:
        build()()
    except RongheError as error:
        lang = "zh" if _asked_for_chinese() else "en"
        sys.stderr.write(error.say(lang) + "\n")
        raise SystemExit(error.exit_code) from None


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
