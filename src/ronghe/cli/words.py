"""The command line's own words in the reader's language: help, headings, and what is wrong with a line.

Typer brings its own Click and exports neither its formatter nor its errors, so they are imported from there.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from typer._click import exceptions
from typer._click.formatting import HelpFormatter

from ronghe.errors import AskError, UnknownName
from ronghe.i18n import has, translate
from ronghe.model.text import Text

ROOT = "ronghe"
_HELP = "Show this message and exit."
_MARKS = re.compile(r"  \[(?:default: (?P<default>.*?)|)(?P<both>; )?(?P<required>required)?\]$")


def key_of(path: str, name: str = "") -> str:
    """The key of a command's help, or of one of its parameters: its own, else the one that commands share.

    Parameters
    ----------
    path : the command's names with dots, ``field.check``; ``ronghe`` for the whole.
    name : the parameter.
    """
    own = f"help.{path}.{name}" if name else f"help.{path}"
    return own if not name or has(own) else f"help.any.{name}"


def speak(command: Any, lang: str, path: str = ROOT) -> None:
    """Give a command, its parameters and the commands below it their help in one language."""
    command.help = command.short_help = translate(lang, Text(key_of(path)))
    for param in command.params:
        if param.name != "help":
            param.help = translate(lang, Text(key_of(path, param.name)))
    frame(command, lang)
    for name, below in getattr(command, "commands", {}).items():
        speak(below, lang, name if path == ROOT else f"{path}.{name}")


def frame(command: Any, lang: str) -> None:
    """What stands around a command's help: headings and marks, in one language."""
    command.context_class = _CONTEXTS[lang]
    command.options_metavar = translate(lang, Text("help.words.rest"))
    if hasattr(command, "subcommand_metavar"):
        command.subcommand_metavar = translate(lang, Text("help.words.command"))


class _Formatter(HelpFormatter):
    """Click's layout in one language."""

    lang = "en"

    def _say(self, word: str, **args: Any) -> str:
        return translate(self.lang, Text(f"help.words.{word}", args))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The first line."""
        super().write_usage(prog, args, prefix or self._say("usage"))

    def write_heading(self, heading: str) -> None:
        """What a list below it holds."""
        self.write(f"{'':>{self.current_indent}}{self._say('heading', name=heading)}\n")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A heading and what stands below it."""
        known = name.lower()
        with super().section(self._say(known) if known in {"options", "arguments", "commands"} else name):
            yield

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Names and what they mean."""
        super().write_dl([(name, self._row(text)) for name, text in rows], col_max, col_spacing)

    def _row(self, text: str) -> str:
        if text == _HELP:
            return translate(self.lang, Text("help.any.help"))
        found = _MARKS.search(text)
        if found is None:
            return text
        marks = [self._say("default", value=found["default"])] if found["default"] is not None else []
        marks += [self._say("required")] if found["required"] else []
        return f"{text[: found.start()]}  [{'; '.join(marks)}]"


class _Chinese(_Formatter):
    lang = "zh"


class _InChinese(typer.Context):
    formatter_class = _Chinese


class _InEnglish(typer.Context):
    formatter_class = _Formatter


_CONTEXTS = {"zh": _InChinese, "en": _InEnglish}


def told(error: exceptions.UsageError) -> AskError:
    """What is wrong with a command line, as an error of ours."""
    param: Any = getattr(error, "param", None)
    command = error.ctx.command_path if error.ctx else ROOT
    if isinstance(error, exceptions.NoSuchOption):
        known = [name for param in error.ctx.command.params for name in param.opts] if error.ctx else []
        return UnknownName("no_option", error.option_name, known, command=command)
    if isinstance(error, exceptions.MissingParameter) and param is not None:
        about = getattr(param, "help", "")
        return AskError("no_argument", name=_shown(param), about=about, command=command)
    if isinstance(error, exceptions.BadParameter) and param is not None:
        return _bad_value(error, param)
    if isinstance(error, exceptions.BadOptionUsage):
        return AskError("option_alone", name=error.option_name)
    if error.ctx is not None and (name := re.match(r"No such command '(.*?)'", error.message)):
        known = error.ctx.command.list_commands(error.ctx)  # type: ignore[attr-defined]  # only a group says so
        return UnknownName("no_command", name[1], known, command=command)
    return AskError("usage", why=error.format_message(), command=command)


def _bad_value(error: exceptions.BadParameter, param: Any) -> AskError:
    """A value that does not read as its parameter's type, or lies outside its bounds."""
    faults = error.__cause__.errors() if isinstance(error.__cause__, ValidationError) else []
    value = str(faults[0]["input"]) if faults else ""
    kind = f"help.kind.{getattr(param.type_descriptor.annotation, '__name__', '')}"
    expected: Text | str = Text(kind) if has(kind) else error.message
    if faults and (least := faults[0].get("ctx", {}).get("ge")) is not None:
        expected = Text("expected.at_least", {"low": least})
    return AskError("bad_value", parameter=_shown(param), value=value, expected=expected)


def _shown(param: Any) -> str:
    return str(param.opts[0] if param.param_type_name == "option" else param.name)
