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
from ronghe.lake.jobs import Job, Jobs, error_record, made, now, raised, watched
from ronghe.lake.meter import Meter
from ronghe.lake.pulse import Pulse
from ronghe.lenses.base import never, quiet

log = logging.getLogger("ronghe.jobs")
_TICK = 0.25
"""Seconds between two looks at progress and at wishes to stop."""
_REWRITE = 5.0
"""Seconds after which unchanged progress is written anew: the time left grows while nothing moves."""
_GRACE = 5.0
"""Seconds that jobs are given to reach a safe point when the server stops."""


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
    error: RongheError | None = None


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
            return self.jobs.put(job) if settled else self._enqueue(job, brain).job

    def attempt(self, brain: Brain, seconds: float, lens: str, /, **params: Any) -> Answer | Job:
        """The answer where it is there within that many seconds, else the job that is on its way to it.

        What is quick leaves no job. A job that was cancelled or interrupted is given back as it is.

        Raises
        ------
        RongheError : as ``Brain.ask``.
        """
        plan = brain.plan(lens, **params)
        if brain.findings.bytes(plan.id) is not None:
            return brain.ask(lens, **params)
        with self.jobs.locked():
            known = self.jobs.peek(plan.id)
            with self._lock:
                run = self._runs.get(plan.id)
            if known is not None and (known.state in {"cancelled", "interrupted"} or (known.active and run is None)):
                return self.jobs.put(watched(known, brain.workspace))
            if run is None:
                run = self._enqueue(self._known(plan, brain)[0], brain, recorded=known is not None)
            else:
                self._join(run, brain.workspace)
        if not run.ended.wait(seconds):
            self._record(run)
            return run.job
        if run.error is not None:
            raise run.error
        return brain.find(plan.id) if run.job.state == "done" else run.job

    def _known(self, plan: Plan, brain: Brain) -> tuple[Job, bool]:
        """The job of a question, new or old, with its asker as a watcher; and whether nothing is left to start."""
        known = self.jobs.peek(plan.id)
        job = watched(known or made(plan.id, plan.lens, plan.params, plan.snapshot), brain.workspace)
        if job.active and known is not None:
            return job, True
        if brain.findings.bytes(plan.id) is not None:
            return replace(job, state="done", error=None, ended=job.ended or now()), True
        return replace(job, snapshot=plan.snapshot, workspace=brain.workspace), False

    def leave(self, brain: Brain, lens: str, /, **params: Any) -> Job:
        """As ``submit``, for another process to take up with ``resume_here``."""
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
            return self._enqueue(job, brain).job

    def _enqueue(self, job: Job, brain: Brain, *, recorded: bool = True) -> _Run:
        """Hand a job to the pool, recorded as queued. The caller holds the jobs' lock."""
        job = replace(job, state="queued", runner=self._pulse.id, started="", ended="", error=None)
        if recorded:
            self._pulse.start()
            self.jobs.clear(job.id)
            self.jobs.put(job)
        run = _Run(job, brain.pinned(job.snapshot, job.workspace), recorded)
        with self._lock:
            self._runs[job.id] = run
            if len(self._threads) < self._workers:
                # Daemons: a kernel that reaches no safe point must not keep the server from stopping.
                self._threads.append(threading.Thread(target=self._work, name="ronghe-job", daemon=True))
                self._threads[-1].start()
        self._queue.put(run)
        self._watch()
        return run

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
                run.error = error
            except Exception as error:
                run.error = RongheError("job_crashed", why=type(error).__name__)
                log.exception("job %s", run.job.id)
            self._release(run)
            # A thread that waits must not hold on to a lake.
            del run

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
        job = watched(known or made(plan.id, plan.lens, plan.params, plan.snapshot), brain.workspace)
        return self._here(replace(job, snapshot=plan.snapshot, workspace=brain.workspace), brain, progress, cancelled)

    def resume_here(
        self,
        brain: Brain,
        start: str,
        *,
        progress: Callable[[str, int, int], None] = quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Answer:
        """As ``foreground``, for a job there is, by its id or the beginning of it."""
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

    def _join(self, run: _Run, workspace: str | None) -> None:
        """One more workspace asked for a job of this process. The caller holds the jobs' lock."""
        run.job = watched(run.job, workspace)
        known = self.jobs.peek(run.job.id) if run.recorded else None
        if known is not None:
            self.jobs.put(watched(known, workspace))

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
            self.jobs.put(watched(self.jobs.peek(job.id) or job, brain.workspace))
        ended = self.jobs.follow(job.id, progress, cancelled)
        if ended.active:
            raise Cancelled("job_unwatched", name=job.id)
        if ended.state == "done":
            return brain.find(job.id)
        raise raised(ended)

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
        if time.monotonic() - run.began > self._patience:
            self._record(run)
        if run.recorded and self.jobs.stopping(run.job.id):
            run.stop.set()
            if run.job.state == "queued":
                self._settle(run, {"state": "cancelled"})
        self._note(run)

    def _record(self, run: _Run) -> None:
        """Let others see a job that was quick so far."""
        with run.lock:
            if run.job.active and not run.recorded:
                self._pulse.start()
                self.jobs.clear(run.job.id)
                run.recorded = True
                self._change(run)

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
