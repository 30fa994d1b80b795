"""``ronghe``: the command line."""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from ronghe.cli.state import State
from ronghe.errors import RongheError

ROOMS = ("data", "field", "index", "jobs", "look", "openalex", "report", "resolve", "serve", "synth", "users")
"""The modules of this package that bring commands: ``COMMANDS`` one by one, ``group()`` under the module's name."""


def root(
    context: typer.Context,
    lake: Annotated[str | None, typer.Option(help="folder or address of the lake · 湖的位置")] = None,
    mirror: Annotated[str | None, typer.Option(help="folder with publishers' files · 原始文件目录")] = None,
    lang: Annotated[str | None, typer.Option(help="zh | en")] = None,
    engine: Annotated[str | None, typer.Option(help="duckdb | pyspark://local[2]")] = None,
    version: Annotated[int | None, typer.Option(help="a version of the lake to read · 湖的版本")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="never reach for the network · 不访问网络")] = False,
    wait: Annotated[float | None, typer.Option(help="seconds to wait for another ingest · 等待秒数")] = None,
) -> None:
    """Keep the flags for the command that follows."""
    flags: dict[str, Any] = {"lake": lake, "mirror": mirror, "lang": lang, "engine": engine, "wait": wait}
    context.obj = State({**flags, "offline": offline or None}, version)


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
    try:
        build()()
    except RongheError as error:
        lang = "zh" if _asked_for_chinese() else "en"
        sys.stderr.write(error.say(lang) + "\n")
        raise SystemExit(error.exit_code) from None


def _asked_for_chinese() -> bool:
    from ronghe.config import load_config

    words = sys.argv
    if "--lang" in words[:-1]:
        return words[words.index("--lang") + 1] == "zh"
    try:
        return load_config().lang == "zh"
    except RongheError:
        return False
