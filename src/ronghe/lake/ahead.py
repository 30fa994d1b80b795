"""A file whose parse is begun before its turn, while the one before is checked as a whole and committed."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Full, Queue
from threading import Event, Thread
from types import TracebackType

from ronghe.errors import SourceError
from ronghe.lake.ingest import Report, Terms
from ronghe.lake.lake import Lake
from ronghe.sources.base import Chunk, RawFile, Source

_HELD = 3
"""Chunks that wait for their turn: more would only take memory."""
_SECONDS = 0.1


class Ahead:
    """The chunks of a file, parsed on a thread of its own and iterated over once; an error is raised in its place.

    To be closed, or used as a context: the thread ends, and what waits is let go.
    """

    def __init__(self, source: Source, raw: RawFile) -> None:
        self._source, self._raw = source, raw
        self._queue: Queue[Chunk | BaseException | None] = Queue(_HELD)
        self._closed = Event()
        self._thread = Thread(target=self._run, name=f"parse {raw.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for chunk in self._source.parse(self._raw):
                if not self._put(chunk):
                    return
            self._put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the chunks are taken
            self._put(error)

    def _put(self, item: Chunk | BaseException | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=_SECONDS)
            except Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[Chunk]:
        """The chunks in their order."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """End the parse."""
        self._closed.set()
        while self._thread.is_alive():
            try:
                self._queue.get_nowait()
            except Empty:
                self._thread.join(_SECONDS)

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Series:
    """Files of one source that go into a lake one after another.

    While one is checked as a whole and committed, the next is hashed and its parse begun, unless the lake holds it.
    """

    def __init__(self, lake: Lake, source: Source, terms: Terms) -> None:
        self._lake, self._source, self._terms = lake, source, terms
        self._pool = ThreadPoolExecutor(1)
        self._hashed: Future[RawFile] | None = None
        self._begun: Ahead | None = None

    def ingest(self, hashed: Callable[[], RawFile], following: Callable[[], RawFile] | None) -> Report:
        """Bring the next file in.

        Parameters
        ----------
        hashed : gives the file.
        following : gives the file after it; the next call is for that one.

        Raises
        ------
        As ``Lake.ingest``, and as ``hashed``.
        """
        held, begun = self._hashed, self._begun
        self._hashed = self._pool.submit(following) if following else None
        self._begun = None
        try:
            raw = hashed() if held is None else held.result()
            chunks = self._source.parse(raw) if begun is None else begun
            return self._lake.ingest(self._source, raw, terms=self._terms, chunks=self._then(chunks))
        finally:
            if begun is not None:
                begun.close()

    def _then(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The chunks; after the last, the next file is begun."""
        yield from chunks
        if self._hashed is None:
            return
        try:
            raw = self._hashed.result()
        except SourceError:
            return  # raised again at its turn
        if not self._lake.holds(self._source, raw, self._terms):
            self._begun = Ahead(self._source, raw)

    def __enter__(self) -> "Series":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)
        if self._begun is not None:
            self._begun.close()
