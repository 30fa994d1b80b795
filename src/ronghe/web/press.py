"""Pictures and documents made in a process of its own: the drawing engine would double the server's memory."""

import atexit
import json
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process

from ronghe.errors import RongheError
from ronghe.export import content
from ronghe.model.finding import Finding
from ronghe.model.serial import canonical, from_document, to_document

DRAWN = frozenset({"svg", "png", "docx", "pdf", "zip"})
"""The formats that hold pictures."""
_IDLE = 60.0
"""Seconds without work after which the process ends and gives its memory back."""
_TURNS = 200
"""Files that one process makes before the next takes its place."""


class Press:
    """Makes the bytes of a finding's file; what holds no picture is made in this process."""

    def __init__(self, idle: float = _IDLE) -> None:
        self._idle = idle
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._busy = 0
        self._timer: threading.Timer | None = None

    def content(self, finding: Finding, fmt: str, lang: str, table: str, chart: int | None) -> bytes:
        """As ``ronghe.export.content``.

        Raises
        ------
        RongheError : as there; or the process was killed.
        """
        if fmt not in DRAWN:
            return content(finding, fmt, lang, table, chart)
        said = canonical(to_document(finding))
        pool = self._take()
        try:
            return pool.submit(_made, said, fmt, lang, table, chart).result()
        except BrokenProcessPool as error:
            self._stop(pool)
            raise RongheError("export_broken", name=fmt) from error
        finally:
            self._leave()

    def _take(self) -> ProcessPoolExecutor:
        with self._lock:
            self._busy += 1
            if self._timer is not None:
                self._timer.cancel()
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, get_context("spawn"), _end_with, max_tasks_per_child=_TURNS)
            return self._pool

    def _leave(self) -> None:
        with self._lock:
            self._busy -= 1
            if not self._busy and self._pool is not None:
                self._timer = threading.Timer(self._idle, self.close)
                self._timer.daemon = True
                self._timer.start()

    def _stop(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        pool.shutdown(wait=False)

    def close(self) -> None:
        """Let the process go, if nothing is being made."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            pool = None if self._busy else self._pool
        if pool is not None:
            self._stop(pool)


def _end_with() -> None:
    """End with the server, however it ends: a killed one tells nobody."""
    # At an orderly end DuckDB's binding lists what it believes leaked, into the server's log.
    atexit.register(os._exit, 0)

    def wait() -> None:
        server = parent_process()
        if server is not None:
            server.join()
            os._exit(0)

    threading.Thread(target=wait, name="ronghe-press", daemon=True).start()


def _made(said: bytes, fmt: str, lang: str, table: str, chart: int | None) -> bytes:
    return content(from_document(json.loads(said)), fmt, lang, table, chart)
