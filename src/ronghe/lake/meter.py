"""How far a long ask is, and how long its present step will still take."""

import threading
import time

from ronghe.lake.jobs import Progress, now

_PACE = 1.0
"""Seconds of work before a pace is believed."""


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
