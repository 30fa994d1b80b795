"""What every command shares: settings, the brain, and how errors and figures are said."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ronghe.config import Config, load_config
from ronghe.i18n import translate
from ronghe.model.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from ronghe.brain import Brain


@dataclass
class State:
    """One run of the command. Flags are kept until the settings are first needed."""

    flags: dict[str, Any] = field(default_factory=dict)
    at: int | None = None

    @cached_property
    def config(self) -> Config:
        """The settings in force."""
        return load_config(self.flags)

    @property
    def lang(self) -> str:
        """The language of this run."""
        return self.config.lang

    @cached_property
    def brain(self) -> "Brain":
        """The brain on the configured lake."""
        from ronghe.brain import Brain

        return Brain(self.config, version=self.at)

    @cached_property
    def console(self) -> "Console":
        """Where answers go; wide enough for any table where that isn't a terminal."""
        from rich.console import Console

        return Console(highlight=False, width=None if sys.stdout.isatty() else 240)

    @cached_property
    def notes(self) -> "Console":
        """Where progress and errors go, so that answers can be piped."""
        from rich.console import Console

        return Console(stderr=True, highlight=False)

    def t(self, key: str, **args: Any) -> str:
        """A sentence in this run's language."""
        return translate(self.lang, Text(key, args))

    def bytes(self, content: bytes) -> None:
        """Write bytes as they are: JSON is the API's to the byte."""
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """A progress bar on the error stream; nothing where that isn't a terminal."""
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.notes,
            transient=True,
            disable=not self.notes.is_terminal,
        )
        with bar:
            from ronghe.present import step_name

            task = bar.add_task("", total=None)

            def step(what: str, done: int, total: int) -> None:
                bar.update(task, description=step_name(what, self.lang), completed=done, total=total or None)

            yield step
