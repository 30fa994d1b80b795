"""Long asks as jobs, kept in the lake: command, API and page of any process see and steer the same ones.

A job is one question on one snapshot; its id is the id of the finding it will give, so the same question
asked twice is one job. Three small files hold it: ``<id>.json`` (what and in which state; changed under a
lock), ``<id>.progress`` (how far; written by the process that runs it) and ``<id>.cancel`` (there when
somebody asked it to stop).
"""

import contextlib
import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ronghe.errors import AskError, Cancelled, RongheError, UnknownName
from ronghe.i18n import LANGUAGES, translate
from ronghe.lake.checkpoints import Checkpoint
from ronghe.lake.pulse import alive
from ronghe.lake.store import Store
from ronghe.model.serial import canonical, say, unsay

FOLDER = "_jobs"
SHOWN = 200
"""The jobs that a list shows, those that changed last."""
UNCLAIMED = 30.0
"""Seconds that a job may wait for the process that was started for it."""

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Job:
    """One long ask.

    id : the id of the finding it gives.
    params : the lens's parameters as bound, defaults included.
    snapshot : the lake's version it reads.
    workspace : whose view of the lake it reads; ``None`` = everything.
    watchers : the workspaces that asked for it; only they see it.
    runner : the process that runs it.
    runs : how often it was started.
    error : why it failed, as ``error_record`` says it.
    """

    id: str
    lens: str
    params: Mapping[str, Any]
    snapshot: int
    workspace: str | None
    watchers: tuple[str | None, ...]
    state: State
    runner: str
    runs: int
    created: str
    started: str = ""
    ended: str = ""
    error: Mapping[str, Any] | None = None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job got in its present step.

    what : the step's name.
    done, total : in the step's own count; total 0 = can't be known.
    started, updated : when the step began and when this was written (ISO 8601, UTC).
    left : seconds this step will still take at the pace seen in this run; ``None`` until there is a pace.
    """

    what: str
    done: int
    total: int
    started: str
    updated: str
    left: float | None


def now() -> str:
    """The present moment, ISO 8601 in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


class Jobs:
    """The jobs of one lake."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold while a job is read and changed; held for moments only.

        An object store has no locks: there two processes may take up the same job at once, and both give
        the same finding.
        """
        if not self._store.local:
            yield
            return
        from filelock import FileLock

        self._store.make()
        folder = Path(self._store.root) / FOLDER
        folder.mkdir(exist_ok=True)
        with FileLock(str(folder / "_lock")):
            yield

    def put(self, job: Job) -> Job:
        """Keep a job's state."""
        self._store.write(f"{FOLDER}/{job.id}.json", canonical(asdict(job)))
        return job

    def peek(self, identity: str) -> Job | None:
        """A job by its whole id, whoever asked for it; ``None`` when there is none."""
        content = self._store.read(f"{FOLDER}/{identity}.json")
        if content is None:
            return None
        said = json.loads(content)
        job = Job(**{**said, "watchers": tuple(said["watchers"])})
        return replace(job, state="interrupted") if job.active and not self._tended(job) else job

    def _tended(self, job: Job) -> bool:
        if job.runner:
            return alive(self._store, job.runner)
        created = dt.datetime.fromisoformat(job.started or job.created)
        return (dt.datetime.now(dt.UTC) - created).total_seconds() < UNCLAIMED

    def all(self, workspace: str | None = None) -> list[Job]:
        """The jobs that a workspace asked for (``None``: everyone's), newest first."""
        names = [n.removesuffix(".json") for n in self._store.names(FOLDER, by_time=True) if n.endswith(".json")]
        found = []
        for name in reversed(names):
            job = self.peek(name)
            if job is not None and _sees(workspace, job):
                found.append(job)
            if len(found) == SHOWN:
                break
        return sorted(found, key=lambda j: (j.created, j.id), reverse=True)

    def get(self, start: str, workspace: str | None = None) -> Job:
        """A job by its id or the beginning of it.

        Raises
        ------
        UnknownName : none, or more than one, begins like that among those the workspace asked for.
        """
        job = self.peek(start) if start.isalnum() else None
        if job is not None and _sees(workspace, job):
            return job
        seen = self.all(workspace)
        matching = [j for j in seen if j.id.startswith(start)]
        if len(matching) == 1 and len(start) >= 4:
            return matching[0]
        raise UnknownName("unknown_job", start, [j.id for j in matching or seen])

    def progress(self, identity: str) -> Progress | None:
        """How far a job got; ``None`` when it has not begun."""
        content = self._store.read(f"{FOLDER}/{identity}.progress")
        return None if content is None else Progress(**json.loads(content))

    def report(self, identity: str, progress: Progress) -> None:
        """Say how far a job got."""
        self._store.write(f"{FOLDER}/{identity}.progress", canonical(asdict(progress)))

    def stopping(self, identity: str) -> bool:
        """Whether somebody asked the job to stop."""
        return self._store.read(f"{FOLDER}/{identity}.cancel") is not None

    def cancel(self, start: str, workspace: str | None = None) -> Job:
        """Ask a job to stop: it does at its next safe point, and can be resumed.

        Where other workspaces asked for it too, it goes on for them and only leaves this one's list.

        Raises
        ------
        UnknownName : there is no such job.
        """
        with self.locked():
            job = self.get(start, workspace)
            others = tuple(w for w in job.watchers if w != workspace) if workspace is not None else ()
            if others:
                return self.put(replace(job, watchers=others))
            if job.state == "interrupted" or (job.active and not job.runner):
                return self.put(replace(job, state="cancelled", ended=now()))
            if job.active:
                self._store.write(f"{FOLDER}/{job.id}.cancel", b"")
            return job

    def forget(self, start: str, workspace: str | None = None) -> Job:
        """Take an ended job off the list, with what it saved on its way; its finding stays.

        Raises
        ------
        UnknownName : there is no such job.
        AskError : it still runs.
        """
        with self.locked():
            job = self.get(start, workspace)
            if job.active:
                raise AskError("job_active", name=job.id)
            others = tuple(w for w in job.watchers if w != workspace) if workspace is not None else ()
            if others:
                return self.put(replace(job, watchers=others))
            self.clear(job.id)
            self.checkpoint(job.id).clear()
            self._store.remove(f"{FOLDER}/{job.id}.json")
            return job

    def follow(
        self,
        identity: str,
        progress: Callable[[str, int, int], None],
        cancelled: Callable[[], bool],
        every: float = 0.25,
    ) -> Job:
        """Pass on the progress of a job that another process runs, until it ends or ``cancelled`` says so.

        Returns
        -------
        The job as it is then.
        """
        job = self.get(identity)
        while job.active and not cancelled():
            seen = self.progress(identity)
            if seen is not None:
                progress(seen.what, seen.done, seen.total)
            time.sleep(every)
            job = self.get(identity)
        return job

    def clear(self, identity: str) -> None:
        """Remove an earlier run's progress and any wish to stop."""
        for ending in ("progress", "cancel"):
            self._store.remove(f"{FOLDER}/{identity}.{ending}")

    def unstop(self, identity: str) -> None:
        """The wish to stop was met."""
        self._store.remove(f"{FOLDER}/{identity}.cancel")

    def checkpoint(self, identity: str) -> Checkpoint:
        """What a job saved on its way."""
        return Checkpoint(self._store, identity)

    def document(self, job: Job) -> dict[str, Any]:
        """A job as JSON: what ``ronghe jobs --json`` prints and the API returns."""
        progress = self.progress(job.id)
        error = job.error
        return {
            "id": job.id,
            "lens": job.lens,
            "params": dict(job.params),
            "snapshot": job.snapshot,
            "state": job.state,
            "stopping": job.active and self.stopping(job.id),
            "saved": bool(self.checkpoint(job.id)),
            "runs": job.runs,
            "created": job.created,
            "started": job.started or None,
            "ended": job.ended or None,
            "progress": None if progress is None else asdict(progress),
            "error": None if error is None else {k: error[k] for k in ("code", "message", "hint", "known")},
            "finding": job.id if job.state == "done" else None,
        }

    def documents(self, workspace: str | None = None) -> dict[str, Any]:
        """Every job that a workspace asked for, newest first."""
        return {"jobs": [self.document(job) for job in self.all(workspace)]}


def _sees(workspace: str | None, job: Job) -> bool:
    return workspace is None or workspace in job.watchers


def made(identity: str, lens: str, params: Mapping[str, Any], snapshot: int) -> Job:
    """A job that nobody has asked for yet."""
    return Job(identity, lens, dict(params), snapshot, None, (), "queued", runner="", runs=0, created=now())


def watched(job: Job, workspace: str | None) -> Job:
    """The job, asked for by one more workspace."""
    return job if workspace in job.watchers else replace(job, watchers=(*job.watchers, workspace))


def error_record(error: RongheError) -> dict[str, Any]:
    """An error as a job keeps it: in both languages, and with what it takes to raise it again."""
    return {
        "code": error.code,
        "known": list(error.known),
        "args": say(error.text)["args"],
        "message": {lang: translate(lang, error.text) for lang in LANGUAGES},
        "hint": {lang: translate(lang, error.hint) for lang in LANGUAGES},
    }


def raised(job: Job) -> RongheError:
    """The error behind a job that did not end well."""
    if job.error is not None:
        args = unsay({"key": "", "args": job.error["args"]}).args
        return AskError(job.error["code"], known=job.error["known"], **args)
    return Cancelled("job_stopped", name=job.id, what=job.lens)
