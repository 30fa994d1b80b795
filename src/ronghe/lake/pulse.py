"""Whether a process that runs jobs still lives, seen from any other process.

On a local lake the process holds a file lock for as long as it lives: the system lets go of it however the
process ends, and a kernel that keeps the interpreter busy for minutes does not look like death. An object
store knows no locks: there a small file is written again and again, and one grown old means that the process died.
"""

import time
import uuid
from pathlib import Path
from typing import Any

from ronghe.lake.store import Store

FOLDER = "_runners"
EVERY = 5.0
"""Seconds between two signs of life on an object store."""
STALE = 60.0
"""Seconds after which a silent process counts as dead on an object store."""


class Pulse:
    """The sign of life of one process. ``start`` before the first job is recorded, ``stop`` at the end."""

    def __init__(self, store: Store) -> None:
        self.id = uuid.uuid4().hex[:16]
        self._store = store
        self._lock: Any = None
        self._beaten = -STALE

    def start(self) -> None:
        """Be seen as alive from now on; nothing happens when it was called before."""
        if not self._store.local:
            self.beat()
            return
        if self._lock is None:
            from filelock import FileLock

            path = _lock_path(self._store, self.id)
            self._store.make()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(str(path), thread_local=False)
            self._lock.acquire(timeout=0)

    def beat(self) -> None:
        """Write the sign of life anew where it would grow old."""
        if self._store.local or time.monotonic() - self._beaten < EVERY:
            return
        self._beaten = time.monotonic()
        self._store.write(_beat_name(self.id), repr(time.time()).encode())

    def stop(self) -> None:
        """Be seen as gone."""
        if self._lock is not None:
            _lock_path(self._store, self.id).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None
        elif not self._store.local and self._beaten >= 0:
            self._store.remove(_beat_name(self.id))


def alive(store: Store, runner: str) -> bool:
    """Whether the process of that id lives."""
    if not runner:
        return False
    if not store.local:
        content = store.read(_beat_name(runner))
        return content is not None and time.time() - float(content) < STALE
    from filelock import FileLock, Timeout

    path = _lock_path(store, runner)
    if not path.exists():
        return False
    probe = FileLock(str(path), thread_local=False)
    try:
        probe.acquire(timeout=0)
    except Timeout:
        return True
    # Nobody else will ever take this lock, so its file can go.
    path.unlink(missing_ok=True)
    probe.release()
    return False


def _lock_path(store: Store, runner: str) -> Path:
    return Path(store.root) / FOLDER / f"{runner}.lock"


def _beat_name(runner: str) -> str:
    return f"{FOLDER}/{runner}.beat"
