"""Runs jobs: a pool of threads in the server, the foreground in a command. Both go through ``Brain.ask``."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ronghe.brain import Answer, Brain, Plan
from ronghe.errors import AskError, Cancelled, RongheError
from ronghe.lake.jobs import Job, Jobs, Progress, error_record, now, raised
from ronghe.lake.pulse import Pulse
from ronghe.lenses.base import never, quiet

log = logging.getLogger("ronghe.jobs")
_TICK = 0.25
"""Seconds between two looks at progress and at wishes to stop."""
_REWRITE = 5.0
"""Seconds after which unchanged progress is written anew: the time left grows while nothing moves."""
_PACE = 1.0
"""Seconds of work before a pace is believed."""
_GRACE = 5.0
"""Seconds that jobs are given to reach a safe point when the server stops."""


class Meter:
    """Takes what a lens reports and tells how far it is and how long this step will still take."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._what, self._done, self._total = "", 0, 0
        self._base, self._clock, self._began = 0, 0.0, ""

    def step(self, what: str, done: int, total: int) -> None:
        """What a lens calls."""
        with self._lock:
            if what != self._what or done < self._done or not self._began:
                self._base, self._clock, self._began = done, time.monotonic(), now()
            self._what, self._done, self._total = what, done, total

    def reading(self) -> Progress | None:
        """How far it is now; ``None`` before the first report."""
        with self._lock:
            if not self._began:
                return None
            spent, moved = time.monotonic() - self._clock, self._done - self._base
            known = self._total > 0 and moved > 0 and spent >= _PACE
            left = (self._total - self._done) * spent / moved if known else None
            return Progress(self._what, self._done, self._total, self._began, now(), left)


@dataclass
class _Run:
    """A job in the hands of this process."""

    job: Job
    brain: Brain
    recorded: bool
    lock: Any = field(default_factory=threading.RLock)
    ended: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)
    stop: threading.Event = field(default_factory=threading.Event)
    meter: Meter = field(default_factory=Meter)
    written: tuple[Any, ...] = ()
    written_at: float = 0.0


class Runner:
    """The jobs that this process runs.

    Parameters
    ----------
    brain : a brain on the lake; workspaces come with each question.
    workers : jobs worked on at once; more of them wait.
    patience : seconds that an ask in the foreground may take without becoming a job that others see.
    """

    def __init__(self, brain: Brain, workers: int = 1, patience: float = 1.0) -> None:
        store = brain.lake.store
        self.jobs = Jobs(store)
        self._pulse = Pulse(store)
        self._workers = max(workers, 1)
        self._patience = patience
        self._queue: queue.SimpleQueue[_Run | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None
        self._closing, self._over = threading.Event(), threading.Event()

    def submit(self, brain: Brain, lens: str, /, **params: Any) -> Job:
        """Start a job for a question; the one there is where it was asked before.

        Raises
        ------
        UnknownName, AskError : the question can't be asked so; no job is made.
        """
        plan = brain.plan(lens, **params)
        with self.jobs.locked():
            job, settled = self._known(plan, brain)
            return self.jobs.put(job) if settled else self._enqueue(job, brain)

    def _known(self, plan: Plan, brain: Brain) -> tuple[Job, bool]:
        """The job of a question, new or old, with its asker as a watcher; and whether nothing is left to start."""
        known = self.jobs.peek(plan.id)
        job = _watched(known or _made(plan, brain.workspace), brain.workspace)
        if job.active and known is not None:
            return job, True
        if brain.findings.bytes(plan.id) is not None:
            return replace(job, state="done", error=None, ended=job.ended or now()), True
        return replace(job, snapshot=plan.snapshot, workspace=brain.workspace), False

    def leave(self, brain: Brain, lens: str, /, **params: Any) -> Job:
        """Record a job that another process will take up with ``resume_here``; the one there is if it runs.

        Raises
        ------
        UnknownName, AskError : the question can't be asked so; no job is made.
        """
        plan = brain.plan(lens, **params)
        with self.jobs.locked():
            job, settled = self._known(plan, brain)
            if not settled:
                job = replace(job, state="queued", runner="", started=now(), ended="", error=None)
            return self.jobs.put(job)

    def resume(self, brain: Brain, start: str) -> Job:
        """Start a job again that failed, was cancelled or interrupted; it goes on from what it saved.

        Raises
        ------
        UnknownName : there is no such job.
        """
        with self.jobs.locked():
            job = self.jobs.get(start, brain.workspace)
            claimed = job.state != "queued" or bool(job.runner)
            if job.state == "done" or (job.active and claimed):
                return job
            return self._enqueue(job, brain)

    def _enqueue(self, job: Job, brain: Brain) -> Job:
        """Record a job as queued here and hand it to the pool. The caller holds the jobs' lock."""
        self._pulse.start()
        self.jobs.clear(job.id)
        job = self.jobs.put(replace(job, state="queued", runner=self._pulse.id, started="", ended="", error=None))
        run = _Run(job, brain.pinned(job.snapshot, job.workspace), recorded=True)
        with self._lock:
            self._runs[job.id] = run
            if len(self._threads) < self._workers:
                # Daemons: a kernel that reaches no safe point must not keep the server from stopping.
                self._threads.append(threading.Thread(target=self._work, name="ronghe-job", daemon=True))
                self._threads[-1].start()
        self._queue.put(run)
        self._watch()
        return job

    def wait(self, identity: str, seconds: float) -> Job:
        """A job of this process after it ended, or as it is after that many seconds."""
        with self._lock:
            run = self._runs.get(identity)
        if run is not None:
            run.ended.wait(seconds)
        return self.jobs.get(identity)

    def _work(self) -> None:
        """One thread of the pool: job after job; whatever happens to one, the next is taken up."""
        while (run := self._queue.get()) is not None:
            try:
                if run.job.active and not run.stop.is_set():
                    self._answer(run, quiet, never)
            except RongheError as error:
                log.info("job %s: %s", run.job.id, error.code)
            except Exception:
                log.exception("job %s", run.job.id)
            self._release(run)

    def foreground(
        self,
        brain: Brain,
        lens: str,
        /,
        *,
        progress: Callable[[str, int, int], None] = quiet,
        cancelled: Callable[[], bool] = never,
        **params: Any,
    ) -> Answer:
        """Ask here and now. What takes longer than ``patience`` is a job that every other process sees.

        Where another process works on this very question, its progress is followed instead.

        Raises
        ------
        Cancelled : here or by another process; ``resume`` goes on.
        RongheError : as ``Brain.ask``.
        """
        plan = brain.plan(lens, **params)
        if brain.findings.bytes(plan.id) is not None:
            return brain.ask(lens, **params)
        known = self.jobs.peek(plan.id)
        if known is not None and known.active and known.runner:
            return self._follow(known, brain, progress, cancelled)
        job = _watched(known or _made(plan, brain.workspace), brain.workspace)
        return self._here(replace(job, snapshot=plan.snapshot, workspace=brain.workspace), brain, progress, cancelled)

    def resume_here(
        self,
        brain: Brain,
        start: str,
        *,
        progress: Callable[[str, int, int], None] = quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Answer:
        """Go on with a job in the foreground.

        Raises
        ------
        UnknownName : there is no such job.
        Cancelled : here or by another process.
        RongheError : as ``Brain.ask``.
        """
        job = self.jobs.get(start, brain.workspace)
        if job.state == "done":
            return brain.find(job.id)
        if job.active and job.runner:
            return self._follow(job, brain, progress, cancelled)
        return self._here(job, brain, progress, cancelled)

    def _here(
        self, job: Job, brain: Brain, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]
    ) -> Answer:
        recorded = self.jobs.peek(job.id) is not None
        if recorded:
            self._pulse.start()
            self.jobs.clear(job.id)
        job = replace(job, state="queued", runner=self._pulse.id, ended="", error=None)
        run = _Run(job, brain.pinned(job.snapshot, job.workspace), recorded)
        with self._lock:
            self._runs[job.id] = run
        self._watch()
        try:
            return self._answer(run, progress, cancelled)
        finally:
            self._release(run)

    def _answer(self, run: _Run, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]) -> Answer:
        """Ask, and record how it ended."""
        self._change(run, state="running", started=now(), runs=run.job.runs + 1)
        end: dict[str, Any] = {"state": "interrupted"}
        try:
            answer = self._ask(run, progress, cancelled)
        except Cancelled:
            end = {"state": "interrupted" if self._closing.is_set() else "cancelled"}
            run.recorded = True
            raise
        except RongheError as error:
            end = {"state": "failed", "error": error_record(error)}
            raise
        except Exception as error:
            end = {"state": "failed", "error": error_record(RongheError("job_crashed", why=type(error).__name__))}
            raise
        else:
            end = {"state": "done"}
            return answer
        finally:
            if end["state"] == "interrupted":
                run.recorded = True
            self._settle(run, end)

    def _ask(self, run: _Run, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]) -> Answer:
        job, brain = run.job, run.brain

        def step(what: str, done: int, total: int) -> None:
            run.meter.step(what, done, total)
            progress(what, done, total)

        params = dict(job.params)
        if brain.plan(job.lens, **params).id != job.id:
            self.jobs.checkpoint(job.id).clear()
            raise AskError("job_outdated", name=job.id, lens=job.lens)
        return brain.ask(job.lens, progress=step, cancelled=lambda: run.stop.is_set() or cancelled(), **params)

    def _settle(self, run: _Run, end: dict[str, Any]) -> None:
        self._note(run, force=True)
        self._change(run, ended=now(), **end)
        if run.recorded:
            self.jobs.unstop(run.job.id)

    def _change(self, run: _Run, **changes: Any) -> None:
        """A new state; written where others may see the job."""
        with run.lock:
            if not run.recorded:
                run.job = replace(run.job, **changes)
                return
            with self.jobs.locked():
                known = self.jobs.peek(run.job.id)
                # Others may have begun or ceased to watch this very run.
                mine = known is not None and known.runner == run.job.runner
                watchers = known.watchers if known is not None and mine else run.job.watchers
                run.job = self.jobs.put(replace(run.job, watchers=watchers, **changes))

    def _release(self, run: _Run) -> None:
        try:
            if run.job.active:
                self._settle(run, {"state": "interrupted" if self._closing.is_set() else "cancelled"})
        except RongheError as error:
            # The lake can't be written: others will see the job as interrupted once this process ends.
            log.warning("job %s: %s", run.job.id, error)
        with self._lock:
            self._runs.pop(run.job.id, None)
        run.ended.set()

    def _follow(
        self, job: Job, brain: Brain, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]
    ) -> Answer:
        """Watch a job that another process runs until it ends; a cancel only stops watching."""
        with self.jobs.locked():
            job = self.jobs.put(_watched(self.jobs.peek(job.id) or job, brain.workspace))
        while job.active:
            if cancelled():
                raise Cancelled("job_unwatched", name=job.id)
            seen = self.jobs.progress(job.id)
            if seen is not None:
                progress(seen.what, seen.done, seen.total)
            time.sleep(_TICK)
            job = self.jobs.get(job.id)
        if job.state == "done":
            return brain.find(job.id)
        raise raised(job)

    def _watch(self) -> None:
        with self._lock:
            if self._watcher is None or not self._watcher.is_alive():
                self._watcher = threading.Thread(target=self._look, name="ronghe-jobs", daemon=True)
                self._watcher.start()

    def _look(self) -> None:
        """Carry progress out and wishes to stop in, while there are jobs."""
        while not self._over.is_set():
            with self._lock:
                runs = list(self._runs.values())
                if not runs:
                    self._watcher = None
                    return
            for run in runs:
                try:
                    self._tend(run)
                except RongheError as error:
                    # A full disk must not end the watch over the others; the job itself meets it as well.
                    log.warning("job %s: %s", run.job.id, error)
            self._over.wait(_TICK)

    def _tend(self, run: _Run) -> None:
        self._pulse.beat()
        with run.lock:
            if not run.job.active:
                return
            if not run.recorded and time.monotonic() - run.began > self._patience:
                self._pulse.start()
                self.jobs.clear(run.job.id)
                run.recorded = True
                self._change(run)
        if run.recorded and self.jobs.stopping(run.job.id):
            run.stop.set()
            if run.job.state == "queued":
                self._settle(run, {"state": "cancelled"})
        self._note(run)

    def _note(self, run: _Run, *, force: bool = False) -> None:
        reading = run.meter.reading()
        if reading is None or not run.recorded:
            return
        said = (reading.what, reading.done, reading.total)
        if force or said != run.written or time.monotonic() - run.written_at > _REWRITE:
            run.written, run.written_at = said, time.monotonic()
            self.jobs.report(run.job.id, reading)

    def close(self) -> None:
        """Stop every job of this process at its next safe point; they can be resumed later."""
        self._closing.set()
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.stop.set()
        until = time.monotonic() + _GRACE
        for run in runs:
            if not run.ended.wait(max(until - time.monotonic(), 0.0)):
                self._settle(run, {"state": "interrupted"})
        for _ in self._threads:
            self._queue.put(None)
        self._over.set()
        watcher = self._watcher
        if watcher is not None:
            watcher.join()
        self._pulse.stop()


def _made(plan: Plan, workspace: str | None) -> Job:
    return Job(
        id=plan.id,
        lens=plan.lens,
        params=dict(plan.params),
        snapshot=plan.snapshot,
        workspace=workspace,
        watchers=(),
        state="queued",
        runner="",
        runs=0,
        created=now(),
    )


def _watched(job: Job, workspace: str | None) -> Job:
    return job if workspace in job.watchers else replace(job, watchers=(*job.watchers, workspace))
