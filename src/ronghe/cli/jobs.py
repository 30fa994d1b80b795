"""Long asks: in the foreground with a progress bar, by themselves, and the list of them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ronghe.cli.look import Json
from ronghe.cli.state import State

if TYPE_CHECKING:
    from ronghe.brain import Answer
    from ronghe.lake.jobs import Jobs

Id = Annotated[str, typer.Argument()]


@contextmanager
def interruptible(state: State) -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C asks for a stop at the next safe point; the second breaks off."""
    asked = threading.Event()

    def on(number: int, frame: Any) -> None:
        del number, frame
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        state.notes.print(state.t("job.interrupt"))

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, on)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def answer_of(state: State) -> "Iterator[Callable[[str, bool, Mapping[str, Any]], Answer]]":
    """How a command asks: with progress and Ctrl-C; what takes long is a job that others see and can stop."""
    from ronghe.runner import Runner

    with closing(Runner(state.brain)) as runner, state.progress() as step, interruptible(state) as stopped:

        def ask(lens: str, fresh: bool, params: Mapping[str, Any]) -> "Answer":
            if fresh:
                return state.brain.ask(lens, progress=step, cancelled=stopped, fresh=True, **params)
            return runner.foreground(state.brain, lens, progress=step, cancelled=stopped, **params)

        yield ask


def detach(state: State, lens: str, params: Mapping[str, Any]) -> None:
    """Leave a job for a process of its own."""
    from ronghe.runner import Runner

    job = Runner(state.brain).leave(state.brain, lens, **params)
    if job.state == "queued" and not job.runner:
        settings = {f"RONGHE_{f.name.upper()}": str(getattr(state.config, f.name)) for f in fields(state.config)}
        code = "from ronghe.cli import main; main()"
        child = subprocess.Popen(
            [sys.executable, "-c", code, "jobs", "resume", job.id],
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        child.returncode = 0  # it outlives this process on purpose: nobody waits for it
    state.console.print(state.t("job.detached", id=job.id))


def group() -> typer.Typer:
    """``ronghe jobs`` and what can be done with one."""
    made = typer.Typer(rich_markup_mode=None)
    made.callback(invoke_without_command=True)(listed)
    for command in (show, cancel, resume, forget):
        made.command()(command)
    return made


def _jobs(state: State) -> "Jobs":
    from ronghe.lake.jobs import Jobs

    return Jobs(state.brain.lake.store)


def _json(state: State, document: Any) -> None:
    from ronghe.model.serial import canonical

    state.bytes(canonical(document))


def listed(context: typer.Context, as_json: Json = False) -> None:
    """List the jobs, newest first."""
    state: State = context.obj
    if context.invoked_subcommand is not None:
        return
    document = _jobs(state).documents()
    if as_json:
        _json(state, document)
    elif not document["jobs"]:
        state.console.print(state.t("job.none"))
    else:
        _table(state, document["jobs"])


def _table(state: State, documents: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    from ronghe.present import how_far, lens_words, state_of, time_left

    table = Table(box=box.SIMPLE_HEAD, title=state.t("job.title"), title_justify="left")
    for key in ("id", "question", "params", "state", "progress", "left", "created"):
        table.add_column(state.t(f"job.{key}"), overflow="fold")
    for one in documents:
        given = " ".join(f"{k}={v}" for k, v in one["params"].items() if v not in (None, ""))
        why = f"\n{one['error']['message'][state.lang]}" if one["error"] else ""
        told = (state_of(one, state.lang) + why, how_far(one, state.lang), time_left(one, state.lang))
        table.add_row(one["id"], lens_words(one["lens"], state.lang)[0], given, *told, one["created"][:19])
    state.console.print(table)


def show(context: typer.Context, identity: Id, as_json: Json = False) -> None:
    """Show one job."""
    state: State = context.obj
    jobs = _jobs(state)
    document = jobs.document(jobs.get(identity))
    if as_json:
        _json(state, document)
    else:
        _table(state, [document])


def cancel(context: typer.Context, identity: Id, as_json: Json = False) -> None:
    """Ask a job to stop, in whatever process it runs; it can be resumed."""
    state: State = context.obj
    jobs = _jobs(state)
    job = jobs.cancel(identity)
    if as_json:
        _json(state, jobs.document(job))
    elif job.active or job.state == "cancelled":
        state.console.print(state.t("job.cancelled", id=job.id))
    else:
        state.console.print(state.t("job.ended_already", id=job.id, state=state.t(f"job.is.{job.state}")))


def resume(
    context: typer.Context,
    identity: Id,
    rows: Annotated[int, typer.Option()] = 20,
    as_json: Json = False,
) -> None:
    """Go on with a job here, from what it saved."""
    from ronghe.cli.show import show_answer
    from ronghe.runner import Runner

    state: State = context.obj
    with closing(Runner(state.brain)) as runner, state.progress() as step, interruptible(state) as stopped:
        answer = runner.resume_here(state.brain, identity, progress=step, cancelled=stopped)
    if as_json:
        state.bytes(answer.json)
    else:
        show_answer(state, answer, rows)


def forget(context: typer.Context, identity: Id) -> None:
    """Take an ended job off the list; its finding stays."""
    state: State = context.obj
    job = _jobs(state).forget(identity)
    state.console.print(state.t("job.forgotten", id=job.id))
