"""Bring a dataset's file: mirror folder, else cache, else network. Whatever comes is checked by its sha256.

A download grows beside its place (``….part``) and moves there in one step once it is whole and right, so a cut or
a kill leaves either the file or something to resume. Damaged bytes are never kept.
"""

import hashlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from filelock import FileLock

from ronghe.errors import FetchError, system
from ronghe.model.text import Text
from ronghe.sources.base import RawFile, stamp_of
from ronghe.sources.registry import DatasetFile

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes of the whole file. May raise ``Cancelled``."""

_BLOCK = 1 << 20
_NEVER_RETRY = frozenset({400, 401, 403, 404, 405, 410, 451})


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient a download is.

    ``connect`` and ``stall``: seconds to wait for a connection, and for the next byte. ``waits``: seconds before
    each further try, so there is one try more than waits.
    """

    connect: float = 10.0
    stall: float = 30.0
    waits: tuple[float, ...] = (1.0, 4.0, 15.0)


@dataclass(frozen=True, slots=True)
class Hosts:
    """What one run knows of the hosts it asks, handed from fetch to fetch.

    ``lost``: the error by host that could not be reached. Its other files are not tried: the answer would be the same,
    and each would wait for it anew.
    """

    lost: dict[str, FetchError] = field(default_factory=dict)


class _Again(Exception):
    """A try that failed in a way another may mend. ``fresh``: what has come so far is of no use."""

    def __init__(self, code: str, why: Text | str, *, host: str = "", fresh: bool = False) -> None:
        self.code = code
        self.why = why
        self.host = host
        self.fresh = fresh
        super().__init__(why)


def sha256_of(path: Path) -> str:
    """The file's sha256, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def raw_file(path: Path, dataset: str, name: str) -> RawFile:
    """Any file on disk as a source's raw file."""
    stamp = stamp_of(path)
    return RawFile(path, dataset, name, sha256_of(path), path.stat().st_size, stamp)


def fetch(
    file: DatasetFile,
    *,
    mirror: Path | None,
    cache: Path,
    progress: Progress | None = None,
    policy: Policy | None = None,
    offline: bool = False,
    hosts: Hosts | None = None,
) -> RawFile:
    """The file, whole and checked.

    Parameters
    ----------
    file : the registry's line.
    mirror : a folder with the publisher's bytes as ``<dataset>/<name>``, read in place; None when there is none.
    cache : where downloads are kept, as ``<dataset>/<name>``.
    progress : told of every block.
    policy : time limits and retries.
    offline : never reach for the network.
    hosts : what this run has found out about the hosts; renewed here.

    Raises
    ------
    FetchError : ``fetch_mirror`` (the mirror's file is not the publisher's), ``fetch_no_address``,
        ``fetch_offline``, ``fetch_missing`` (the address answers that it isn't there), ``fetch_unreachable`` (no way
        to the host: at once where its name has no address or it refuses, else after all tries), ``fetch_stalled``,
        ``fetch_cut``, ``fetch_server``, ``fetch_damaged`` (other bytes came), ``fetch_disk``.
    """
    if mirror is not None and (place := mirror / file.dataset / file.name).is_file():
        return _from_mirror(file, place)
    place = cache / file.dataset / file.name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_name(f"{place.name}.lock")):
            if not place.is_file() or sha256_of(place) != file.sha256:
                known = hosts or Hosts()
                _reachable(file, known, offline=offline)
                _download(file, place, progress, policy or Policy(), known)
    except OSError as error:
        raise FetchError("fetch_disk", path=str(cache), why=system(error)) from error
    return RawFile(path=place, dataset=file.dataset, name=file.name, sha256=file.sha256, bytes=file.bytes)


def _from_mirror(file: DatasetFile, place: Path) -> RawFile:
    found = raw_file(place, file.dataset, file.name)
    if found.sha256 != file.sha256:
        raise FetchError("fetch_mirror", path=str(place), expected=file.sha256, found=found.sha256)
    return found


def _reachable(file: DatasetFile, hosts: Hosts, *, offline: bool) -> None:
    if not file.url:
        raise FetchError("fetch_no_address", dataset=file.dataset, file=file.name)
    if offline:
        raise FetchError("fetch_offline", dataset=file.dataset, file=file.name)
    host = httpx.URL(file.url).host
    if host in hosts.lost:
        raise _lost(host, hosts.lost[host].args_["why"])


def _lost(host: str, why: Text | str) -> FetchError:
    return FetchError("fetch_unreachable", host=host, why=why)


def _download(file: DatasetFile, place: Path, progress: Progress | None, policy: Policy, hosts: Hosts) -> None:
    try:
        _tries(file, place, progress, policy)
    except FetchError as error:
        if error.code == "fetch_unreachable":
            hosts.lost[error.args_["host"]] = error
        raise


def _tries(file: DatasetFile, place: Path, progress: Progress | None, policy: Policy) -> None:
    part = place.with_name(f"{place.name}.part")
    for wait in (*policy.waits, None):
        try:
            _one_try(file, part, progress, policy)
        except _Again as failed:
            if failed.fresh:
                part.unlink(missing_ok=True)
            if wait is None:
                told = FetchError(failed.code, file=file.name, url=file.url, host=failed.host, why=failed.why)
                raise told from failed
            time.sleep(wait)
        else:
            part.replace(place)
            return


def _one_try(file: DatasetFile, part: Path, progress: Progress | None, policy: Policy) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if have < file.bytes or have == 0:
        _receive(file, part, have, progress, policy)
    size = part.stat().st_size
    if size < file.bytes:
        raise _Again("fetch_cut", f"{size} / {file.bytes}")
    if sha256_of(part) != file.sha256:
        raise _Again("fetch_damaged", f"sha256, {size} / {file.bytes}", fresh=True)


def _receive(file: DatasetFile, part: Path, have: int, progress: Progress | None, policy: Policy) -> None:
    # Stored bytes are hashed and resumed by position, so they must not be packed on the way.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    timeout = httpx.Timeout(policy.stall, connect=policy.connect)
    try:
        with httpx.stream("GET", file.url, headers=headers, timeout=timeout, follow_redirects=True) as response:
            start = _start(file, response, have)
            _write(file, part, response, start, progress)
    except httpx.ConnectTimeout as error:
        silent = Text("fetch.silent", {"seconds": policy.connect})
        raise _Again("fetch_unreachable", silent, host=error.request.url.host) from error
    except httpx.TimeoutException as error:
        raise _Again("fetch_stalled", f"{policy.stall:g} s") from error
    except (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
        host, why = error.request.url.host, _why(error)
        if any(isinstance(cause, (socket.gaierror, ConnectionRefusedError)) for cause in _causes(error)):
            raise _lost(host, why) from error
        raise _Again("fetch_unreachable", why, host=host) from error
    except httpx.TransportError as error:
        raise _Again("fetch_cut", _why(error)) from error
    except httpx.HTTPError as error:
        raise FetchError("fetch_server", url=file.url, why=str(error)) from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those it was raised from."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _why(error: httpx.TransportError) -> Text | str:
    """What the system says of the connection, in the reader's language where it is one of the usual things."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return Text("fetch.no_name")
        if isinstance(cause, OSError):
            return system(cause)
    return str(error)


def _start(file: DatasetFile, response: httpx.Response, have: int) -> int:
    """Where in the file the answer's first byte belongs."""
    status = response.status_code
    if status == httpx.codes.PARTIAL_CONTENT and have:
        given = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if given and int(given[1]) == have:
            return have
        raise _Again("fetch_damaged", "Content-Range", fresh=True)
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise _Again("fetch_damaged", "416", fresh=True)
    if status == httpx.codes.OK:
        return 0
    if status in _NEVER_RETRY:
        raise FetchError("fetch_missing", file=file.name, url=file.url, status=status)
    raise _Again("fetch_server", str(status))


def _write(file: DatasetFile, part: Path, response: httpx.Response, start: int, progress: Progress | None) -> None:
    done = start
    with part.open("r+b" if start else "wb") as stream:
        stream.seek(start)
        # As it comes: a block gathered in memory would be lost when the line is cut.
        for block in response.iter_raw():
            done += len(block)
            if done > file.bytes:
                raise _Again("fetch_damaged", f"> {file.bytes}", fresh=True)
            stream.write(block)
            if progress is not None:
                progress(done, file.bytes)
