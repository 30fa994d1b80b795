"""OpenAlex through its API: any filter, page after page, into a folder of JSON lines that ``openalex_works`` reads.

A page is written whole and flushed to the disk before the next cursor is noted, so a run that is cut, killed or
out of quota goes on where it stopped: what stands in the files behind the noted place is cut off, and the page is
asked for again. Nothing is lost and nothing comes twice. The key is sent and never written.
"""

import datetime as dt
import email.utils
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock

from ronghe.errors import FetchError, system

BASE = "https://api.openalex.org"
STATE = "_cursor.state"
"""The file beside the pages that says how far a run has come. Its name is none a source reads."""

ENTITIES = ("works", "institutions", "topics", "authors", "sources", "funders", "publishers")
_START = "*"
_REMEMBERED = 50
_SERVER = frozenset({500, 502, 503, 504})

Progress = Callable[[int, int], None]
"""Called with the records that are here and those in all. May raise ``Cancelled``."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for: an entity, OpenAlex's own filter, a search, and the fields wanted (empty: all)."""

    entity: str = "works"
    filter: str = ""
    search: str = ""
    select: str = ""
    per_page: int = 200

    def parameters(self, cursor: str) -> dict[str, str]:
        """The query of one page."""
        said = {"filter": self.filter, "search": self.search, "select": self.select}
        return {**{k: v for k, v in said.items() if v}, "per-page": str(self.per_page), "cursor": cursor}


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient and how polite. ``delay``: seconds between pages; ``waits``: before each further try of one page.

    ``longest`` is the longest wait the service may ask for; when it asks for more, the quota is taken as spent.
    """

    connect: float = 10.0
    stall: float = 60.0
    delay: float = 0.12
    waits: tuple[float, ...] = (1.0, 4.0, 15.0, 60.0)
    longest: float = 120.0
    records_a_file: int = 50_000


@dataclass(frozen=True, slots=True)
class Place:
    """How far a run has come: what the state file holds."""

    ask: Mapping[str, Any]
    cursor: str | None = _START
    records: int = 0
    pages: int = 0
    total: int = 0
    part: int = 0
    bytes: int = 0
    part_records: int = 0
    seen: tuple[str, ...] = field(default=())

    @property
    def complete(self) -> bool:
        """Whether the last page is here."""
        return self.cursor is None

    @property
    def missing(self) -> int:
        """Records that the service counted and did not give, once the last page is here."""
        return max(self.total - self.records, 0) if self.complete else 0


class _Again(Exception):
    """A try that failed in a way another may mend."""

    def __init__(self, code: str, why: str, wait: float | None = None) -> None:
        self.code, self.why, self.wait = code, why, wait
        super().__init__(why)


def fetch_openalex(
    ask: Ask,
    folder: Path,
    *,
    key: str = "",
    base: str = BASE,
    pace: Pace | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Place:
    """Bring what is asked for into the folder, or go on with it.

    Parameters
    ----------
    ask : what to ask for.
    folder : where the pages go, as ``part_00000.jsonl`` and so on.
    key : the API key; it goes into the query only.
    base : the address of the API.
    pace : time limits, retries, delay.
    limit : stop after this many records (whole pages); the next run goes on.
    progress : told of every page.

    Returns
    -------
    How far the run has come; ``complete`` when all is there.

    Raises
    ------
    FetchError : ``openalex_entity``, ``openalex_key`` (the service wants a key or does not take this one),
        ``openalex_quota`` (the day's allowance is spent: run again later), ``openalex_query`` (it does not
        understand the filter), ``openalex_other`` (the folder holds another query), ``openalex_repeats`` (a page
        comes a second time), ``openalex_unreachable``, ``openalex_cut``, ``openalex_server``, ``fetch_disk``.
    """
    if ask.entity not in ENTITIES:
        raise FetchError("openalex_entity", name=ask.entity, known=ENTITIES)
    pace = pace or Pace()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "_cursor.lock"):
            place = _resume(ask, folder)
            timeout = httpx.Timeout(pace.stall, connect=pace.connect)
            with httpx.Client(base_url=base, timeout=timeout, follow_redirects=True) as client:
                while not place.complete and (limit is None or place.records < limit):
                    page = _page(client, ask, str(place.cursor), key, pace)
                    place = _keep(folder, place, page, pace)
                    if progress is not None:
                        progress(place.records, place.total)
                    if not place.complete and pace.delay:
                        time.sleep(pace.delay)
            return place
    except OSError as error:
        raise FetchError("fetch_disk", path=str(folder), why=system(error)) from error


def _resume(ask: Ask, folder: Path) -> Place:
    """Where the folder's run stands; its files are cut back to that place."""
    state = folder / STATE
    if not state.is_file():
        if any(folder.glob("part_*.jsonl")):
            raise FetchError("openalex_other", folder=str(folder), held="?", asked=_said(asdict(ask)))
        return Place(asdict(ask))
    try:
        held = json.loads(state.read_text(encoding="utf-8"))
        place = Place(**{**held, "seen": tuple(held["seen"])})
    except (ValueError, TypeError, KeyError) as error:
        raise FetchError("openalex_state", file=str(state), why=str(error)) from error
    if dict(place.ask) != asdict(ask):
        raise FetchError("openalex_other", folder=str(folder), held=_said(place.ask), asked=_said(asdict(ask)))
    for file in sorted(folder.glob("part_*.jsonl")):
        if file.name > _part(place.part):
            file.unlink()
    last = folder / _part(place.part)
    size = last.stat().st_size if last.is_file() else 0
    if size < place.bytes:
        raise FetchError("openalex_state", file=str(last), why=f"{size} bytes where {place.bytes} were written")
    if size > place.bytes:
        with last.open("r+b") as stream:
            stream.truncate(place.bytes)
    return place


def _said(ask: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in ask.items() if value)


def _part(number: int) -> str:
    return f"part_{number:05d}.jsonl"


def _page(client: httpx.Client, ask: Ask, cursor: str, key: str, pace: Pace) -> Mapping[str, Any]:
    """One page, asked for as often as the pace allows."""
    parameters = {**ask.parameters(cursor), **({"api_key": key} if key else {})}
    for wait in (*pace.waits, None):
        try:
            return _one_try(client, ask.entity, parameters, key, pace)
        except _Again as failed:
            if wait is None:
                address = str(client.base_url.join(ask.entity))
                raise FetchError(failed.code, address=address, why=failed.why) from failed
            time.sleep(max(wait, failed.wait or 0.0))
    raise AssertionError("the last try returns or raises")


def _one_try(
    client: httpx.Client, entity: str, parameters: Mapping[str, str], key: str, pace: Pace
) -> Mapping[str, Any]:
    try:
        answer = client.get(f"/{entity}", params=dict(parameters))
    except httpx.ConnectError as error:
        raise _Again("openalex_unreachable", str(error)) from error
    except httpx.TransportError as error:
        raise _Again("openalex_cut", str(error) or type(error).__name__) from error
    _refused(answer, key, pace)
    try:
        page = answer.json()
    except ValueError as error:
        raise _Again("openalex_cut", "the answer is not whole JSON") from error
    if not isinstance(page, dict) or not isinstance(page.get("results"), list) or "meta" not in page:
        raise _Again("openalex_server", "the answer holds no page of results")
    return page


def _refused(answer: httpx.Response, key: str, pace: Pace) -> None:
    """Raise what the status says."""
    status = answer.status_code
    if status == 200:
        return
    why = _why(answer, key)
    if status in {401, 403}:
        raise FetchError("openalex_key", why=why)
    if status == 429:
        wait = _retry_after(answer)
        if wait is not None and wait > pace.longest:
            hours, minutes = divmod(math.ceil(wait / 60), 60)
            raise FetchError("openalex_quota", why=why, hours=hours, minutes=minutes)
        raise _Again("openalex_quota_retries", why, wait)
    if status in _SERVER:
        raise _Again("openalex_server", f"{status} {why}", _retry_after(answer))
    raise FetchError("openalex_query", status=status, why=why)


def _why(answer: httpx.Response, key: str) -> str:
    """What the service says, without the key."""
    try:
        said = answer.json()
        text = str(said.get("message") or said.get("error") or said) if isinstance(said, dict) else str(said)
    except ValueError:
        text = answer.text
    text = " ".join(text.split())[:300] or answer.reason_phrase
    return text.replace(key, "…") if key else text


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds to wait, said as such or as a moment; ``None`` where nothing is said or it can't be read."""
    said = answer.headers.get("retry-after", "")
    if said.isdigit():
        return float(said)
    try:
        moment = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    return max((moment - dt.datetime.now(dt.UTC)).total_seconds(), 0.0) if moment.tzinfo else None


def _keep(folder: Path, place: Place, page: Mapping[str, Any], pace: Pace) -> Place:
    """The page on the disk, and the place behind it noted."""
    results, meta = page["results"], page["meta"]
    cursor = meta.get("next_cursor") if results else None
    digest = hashlib.sha256("\n".join(str(one.get("id")) for one in results).encode()).hexdigest()[:16]
    if results and (digest in place.seen or cursor == place.cursor):
        raise FetchError("openalex_repeats", records=place.records, total=place.total)
    if place.part_records >= pace.records_a_file:
        place = replace(place, part=place.part + 1, bytes=0, part_records=0)
    data = b"".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for one in results)
    with (folder / _part(place.part)).open("ab") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    after = replace(
        place,
        cursor=cursor,
        records=place.records + len(results),
        pages=place.pages + 1,
        total=int(meta.get("count") or 0),
        bytes=place.bytes + len(data),
        part_records=place.part_records + len(results),
        seen=(*place.seen, digest)[-_REMEMBERED:],
    )
    waiting = folder / f"{STATE}.part"
    waiting.write_text(json.dumps(asdict(after), ensure_ascii=False), encoding="utf-8")
    waiting.replace(folder / STATE)
    return after
