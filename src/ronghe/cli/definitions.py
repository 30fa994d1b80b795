"""What `ronghe field` and `ronghe index` share: checking a definition against the lake, and writing a copy of one."""

from pathlib import Path
from typing import Any

from ronghe.cli.state import State


def check_definition(state: State, lens: str, rows: int, as_json: bool, **params: Any) -> None:
    """Ask the lens that checks a definition and show what it says."""
    from ronghe.cli.show import show_answer

    with state.progress() as step:
        answer = state.brain.ask(lens, progress=step, **params)
    if as_json:
        state.bytes(answer.json)
    else:
        show_answer(state, answer, rows)


def copy_definition(state: State, text: str, to: Path) -> None:
    """Write a definition to a new file.

    Raises
    ------
    AskError : the file exists already.
    """
    from ronghe.errors import AskError

    if to.exists():
        raise AskError("definition_exists", file=str(to))
    to.write_text(text, encoding="utf-8")
    state.console.print(state.t("say.written", file=str(to), bytes=to.stat().st_size))
