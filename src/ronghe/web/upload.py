"""Files of the user's own through the page: upload, look over the mapping, bring in, mend what did not fit."""

import secrets
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.types import Message

from ronghe.brain import Brain
from ronghe.errors import RongheError, SourceError, UnknownName
from ronghe.intake import guess_mapping, ingest_own, ingest_reference
from ronghe.lake.lake import Lake
from ronghe.lake.loads import Load
from ronghe.model.table import contracts
from ronghe.quarantine import COLUMNS, cell, write_sheet
from ronghe.sources.workbook import read_mapping
from ronghe.web.csrf import check_form
from ronghe.web.deps import BrainOf, Lang
from ronghe.web.door import demand
from ronghe.web.page import page

KEPT = 3600.0
"""Seconds that an uploaded file waits for its mapping to be looked over."""
_WAIT = 30.0
"""Seconds to wait for another ingest to end."""
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """An uploaded file that waits for its mapping; only who brought it goes on with it."""

    token: str
    path: Path
    owner: str
    at: float


class Desk:
    """Uploaded files on their way in, in a folder of this server's own."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._waiting: dict[str, Waiting] = {}
        self._lock = threading.Lock()

    def lay(self, file: UploadFile, owner: str) -> Waiting:
        """Keep a file until its mapping is looked over."""
        token = secrets.token_urlsafe(12)
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="ronghe-upload-")
            old = [w for w in self._waiting.values() if w.at < time.monotonic() - KEPT]
            folder = Path(self._folder.name) / token
        for one in old:
            self.clear(one)
        folder.mkdir()
        path = folder / plain_name(file.filename or "")
        with path.open("wb") as stream:
            shutil.copyfileobj(file.file, stream, 1 << 20)
        made = Waiting(token, path, owner, time.monotonic())
        with self._lock:
            self._waiting[token] = made
        return made

    def get(self, token: str, owner: str) -> Waiting:
        """A file that waits.

        Raises
        ------
        UnknownName : there is none for this user, or no longer.
        """
        found = self._waiting.get(token)
        if found is None or found.owner != owner:
            raise UnknownName("unknown_upload", token)
        return found

    def clear(self, one: Waiting) -> None:
        """Let go of a file."""
        with self._lock:
            self._waiting.pop(one.token, None)
        shutil.rmtree(one.path.parent, ignore_errors=True)

    def close(self) -> None:
        """Let go of every file."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def plain_name(name: str) -> str:
    """A file's own name, without any folder that a browser or a forger put before it."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    clean = "".join(ch for ch in last if ch.isprintable()).strip(". ")[-120:]
    return clean or "upload"


async def received(request: Request, limit_mb: int) -> FormData:
    """A form with files, refused as soon as it is larger than the limit; files go to disk, not to memory.

    Raises
    ------
    SourceError : it is too large, or no form.
    """
    limit = limit_mb * 1_000_000
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > limit:
        raise SourceError("upload_large", limit=limit_mb)
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise SourceError("upload_large", limit=limit_mb)
        return message

    try:
        return await Request(request.scope, counted).form(max_files=3, max_fields=20)
    except HTTPException as error:
        raise SourceError("upload_form", why=str(error.detail)) from error


def show(request: Request, lang: Lang) -> Response:
    """The form: a file, and what its rows are."""
    demand(request, "analyst")
    return _first(request, lang)


def _first(request: Request, lang: str, error: RongheError | None = None) -> Response:
    tables = [(name, t.names[lang]) for name, t in sorted(contracts().items())]
    status = 200 if error is None else 413 if error.code == "upload_large" else error.status
    limit = request.app.state.config.upload_limit_mb
    return page(request, "upload/file.html", status=status, lang=lang, tables=tables, error=error, ways=[], limit=limit)


async def take(request: Request, lang: Lang) -> Response:
    """Take a file and show the mapping: the one given, or a first guess."""
    demand(request, "analyst")
    try:
        form = await received(request, request.app.state.config.upload_limit_mb)
    except SourceError as error:
        return await run_in_threadpool(_first, request, lang, error)
    try:
        return await run_in_threadpool(_taken, request, lang, form)
    finally:
        await form.close()


def _taken(request: Request, lang: str, form: FormData) -> Response:
    check_form(request, form.get("form_token"))
    file, mapping = form.get("file"), form.get("mapping")
    if not isinstance(file, UploadFile) or not file.filename:
        return _first(request, lang, SourceError("upload_none"))
    desk: Desk = request.app.state.desk
    waiting = desk.lay(file, _owner(request))
    try:
        if isinstance(mapping, UploadFile) and mapping.filename:
            text = mapping.file.read().decode("utf-8-sig")
        else:
            text = guess_mapping(waiting.path, str(form.get("table") or "") or None)
    except UnicodeDecodeError:
        desk.clear(waiting)
        return _first(request, lang, SourceError("upload_mapping"))
    except RongheError as error:
        desk.clear(waiting)
        return _first(request, lang, error)
    return _review(request, lang, waiting, text)


def _owner(request: Request) -> str:
    user = request.state.user
    return user.name if user is not None else ""


def _home(request: Request) -> str:
    """The workspace that sees what this user brings in; empty = everyone."""
    user = request.state.user
    return user.workspace if user is not None else ""


def _review(request: Request, lang: str, waiting: Waiting, text: str, error: RongheError | None = None) -> Response:
    user = request.state.user
    return page(
        request,
        "upload/mapping.html",
        status=200 if error is None else error.status,
        lang=lang,
        token=waiting.token,
        file=waiting.path.name,
        mapping=text,
        rows=min(max(text.count("\n") + 2, 12), 40),
        workspace=_home(request),
        may_share=bool(user is not None and user.workspace and user.may("admin")),
        error=error,
        ways=[],
    )


async def bring(request: Request, lang: Lang, token: str, brain: BrainOf) -> Response:
    """Bring the file in with the mapping as it was looked over."""
    demand(request, "analyst")
    form = await received(request, request.app.state.config.upload_limit_mb)
    try:
        return await run_in_threadpool(_brought, request, lang, token, brain, form)
    finally:
        await form.close()


def _brought(request: Request, lang: str, token: str, brain: Brain, form: FormData) -> Response:
    check_form(request, form.get("form_token"))
    desk: Desk = request.app.state.desk
    waiting = desk.get(token, _owner(request))
    text = str(form.get("mapping") or "").replace("\r\n", "\n")
    shared = form.get("share") == "yes"
    if shared:
        demand(request, "admin")
    try:
        load = _ingest(brain, waiting, text, form.get("repairs"), "" if shared else _home(request))
    except RongheError as error:
        return _review(request, lang, waiting, text, error)
    desk.clear(waiting)
    return RedirectResponse(f"/{lang}/upload/{load.load}", status_code=303)


def _ingest(brain: Brain, waiting: Waiting, text: str, repairs: Any, workspace: str) -> Load:
    folder = waiting.path.parent
    table = read_mapping(text).table
    mapping = folder / "mapping.toml"
    if waiting.path == mapping:
        mapping = folder / "mapping-of-upload.toml"
    mapping.write_text(text, encoding="utf-8")
    mended = None
    if isinstance(repairs, UploadFile) and repairs.filename:
        mended = folder / f"repairs{Path(plain_name(repairs.filename)).suffix}"
        with mended.open("wb") as stream:
            shutil.copyfileobj(repairs.file, stream, 1 << 20)
    patient = Lake(replace(brain.config, wait=max(brain.config.wait, _WAIT)), brain.lake.store.options)
    writer = Brain(patient.config, patient, workspace=brain.workspace)
    ingest_reference(writer)
    report = ingest_own(writer, waiting.path, table=table, mapping=mapping, repairs=mended, workspace=workspace)
    return report.load


def _load(brain: Brain, identity: str) -> Load:
    for load in brain.snapshot.loads:
        if load.load == identity:
            return load
    raise UnknownName("unknown_load", identity)


def result(request: Request, lang: Lang, identity: str, brain: BrainOf) -> Response:
    """What became of a file: the record balance, and what is in quarantine."""
    load = _load(brain, identity)
    only = replace(brain.snapshot, loads=(load,))
    faults = brain.lake.quarantine(only).to_pylist() if load.quarantined else []
    names = [n for n in COLUMNS if n not in {"dataset", "file", "mended"}]
    return page(
        request,
        "upload/result.html",
        lang=lang,
        load=load,
        names=names,
        faults=[[cell(row, n, lang) for n in names] for row in faults[:_SHOWN]],
        total=len(faults),
        tables={name: contracts()[name].names[lang] for name in load.rows},
    )


def sheet(identity: str, lang: Lang, brain: BrainOf) -> Response:
    """The quarantine of one load as a workbook to mend."""
    from starlette.background import BackgroundTask

    load = _load(brain, identity)
    with tempfile.NamedTemporaryFile(prefix="ronghe-mend-", suffix=".xlsx", delete=False) as made:
        path = Path(made.name)
    write_sheet(brain, path, lang, load.load)
    name = f"{Path(load.file).stem}-mend.xlsx"
    return FileResponse(path, filename=name, background=BackgroundTask(path.unlink, missing_ok=True))


def router() -> APIRouter:
    """The pages."""
    made = APIRouter(include_in_schema=False)
    made.add_api_route("/{lang}/upload", show, methods=["GET"], response_class=Response)
    made.add_api_route("/{lang}/upload", take, methods=["POST"], response_class=Response)
    made.add_api_route("/{lang}/upload/{token}", bring, methods=["POST"], response_class=Response)
    made.add_api_route("/{lang}/upload/{identity}", result, methods=["GET"], response_class=Response)
    made.add_api_route("/{lang}/upload/{identity}/quarantine.xlsx", sheet, methods=["GET"], response_class=Response)
    return made
