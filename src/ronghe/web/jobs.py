"""Long asks on the API and as pages: start, watch, cancel, resume."""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import APIRouter, Body, Form, Query, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from ronghe.brain import Answer, Brain
from ronghe.lake.jobs import Job, Jobs
from ronghe.model.serial import canonical
from ronghe.present import how_far, lens_words, state_of, time_left
from ronghe.runner import Runner
from ronghe.web.api import FAULTS, PREFIX, as_json
from ronghe.web.csrf import check_form, local_path
from ronghe.web.deps import BrainOf, Lang
from ronghe.web.page import page

PATIENCE = 1.5
"""Seconds that a page waits for an answer before it shows a job instead."""
_TICK = 0.4
_SILENCE = 15.0
_JSON = "application/json"


def runner_of(request: Request) -> Runner:
    """The jobs of this server."""
    runner: Runner = request.app.state.runner
    return runner


def answer_or_job(request: Request, brain: Brain, lens: str, given: dict[str, str]) -> Answer | Job:
    """The answer where it is kept or quick, else the job on its way to it."""
    return runner_of(request).attempt(brain, PATIENCE, lens, **given)


def start(
    request: Request,
    brain: BrainOf,
    lens: str,
    params: Annotated[dict[str, Any] | None, Body(description="the lens's parameters")] = None,
) -> Response:
    """Ask a question as a job. The same question twice is one job; its id is that of the finding."""
    runner = runner_of(request)
    job = runner.submit(brain, lens, **(params or {}))
    where = f"{PREFIX}/jobs/{job.id}"
    return Response(canonical(runner.jobs.document(job)), 202, media_type=_JSON, headers={"Location": where})


def listed(request: Request, brain: BrainOf) -> Response:
    """The jobs that this workspace asked for, newest first."""
    return as_json(runner_of(request).jobs.documents(brain.workspace))


def one(request: Request, brain: BrainOf, identity: str) -> Response:
    """One job, by its id or the beginning of it."""
    jobs = runner_of(request).jobs
    return as_json(jobs.document(jobs.get(identity, brain.workspace)))


def cancel(
    request: Request,
    brain: BrainOf,
    identity: str,
    forget: Annotated[bool, Query(description="take an ended job off the list instead")] = False,
) -> Response:
    """Ask a job to stop at its next safe point; it can be resumed."""
    jobs = runner_of(request).jobs
    if forget:
        jobs.forget(identity, brain.workspace)
        return Response(status_code=204)
    return as_json(jobs.document(jobs.cancel(identity, brain.workspace)))


def resume(request: Request, brain: BrainOf, identity: str) -> Response:
    """Go on with a job that failed, was cancelled or interrupted, from what it saved."""
    runner = runner_of(request)
    job = runner.resume(brain, identity)
    return Response(canonical(runner.jobs.document(job)), 202, media_type=_JSON)


async def events(request: Request, brain: BrainOf, identity: str) -> Response:
    """A job as it changes, as server-sent events; the stream ends with the job."""
    jobs = runner_of(request).jobs
    job = await run_sync(jobs.get, identity, brain.workspace)
    return StreamingResponse(
        _stream(jobs, job.id), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _stream(jobs: Jobs, identity: str) -> AsyncIterator[bytes]:
    last, told = b"", time.monotonic()
    while True:
        job = await run_sync(jobs.peek, identity)
        if job is None:
            return
        said = canonical(await run_sync(jobs.document, job))
        if said != last:
            last, told = said, time.monotonic()
            yield b"event: job\ndata: " + said + b"\n"
        elif time.monotonic() - told > _SILENCE:
            told = time.monotonic()
            yield b": still here\n\n"
        if not job.active:
            return
        await sleep(_TICK)


def api_router() -> APIRouter:
    """The routes of the API."""
    made = APIRouter(prefix=f"{PREFIX}/jobs", responses=FAULTS, tags=["jobs"])
    made.add_api_route("", listed, response_class=Response)
    made.add_api_route("/{lens}", start, methods=["POST"], status_code=202, response_class=Response)
    made.add_api_route("/{identity}", one, response_class=Response)
    made.add_api_route("/{identity}", cancel, methods=["DELETE"], response_class=Response)
    made.add_api_route("/{identity}/resume", resume, methods=["POST"], status_code=202, response_class=Response)
    made.add_api_route("/{identity}/events", events, response_class=StreamingResponse)
    return made


def view(jobs: Jobs, job: Job, lang: str, onward: str = "") -> dict[str, Any]:
    """What the templates of a job need."""
    document = jobs.document(job)
    progress = document["progress"]
    return {
        "job": document,
        "lens_words": lens_words(job.lens, lang),
        "active": job.active,
        "told": state_of(document, lang),
        "far": how_far(document, lang),
        "left": time_left(document, lang),
        "share": progress["done"] / progress["total"] if progress and progress["total"] else None,
        "given": {k: v for k, v in document["params"].items() if v not in (None, "")},
        "onward": onward,
        "poll": f"/{lang}/jobs/{job.id}?{urlencode({'next': onward})}",
        "why": document["error"],
    }


def under_way(request: Request, job: Job, lang: str) -> dict[str, Any]:
    """What the page of a question needs while its job runs: it leads back to this very address."""
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return view(runner_of(request).jobs, job, lang, here)


def jobs_page(request: Request, lang: Lang, brain: BrainOf) -> Response:
    """The jobs that this workspace asked for."""
    jobs = runner_of(request).jobs
    return page(request, "jobs/list.html", lang=lang, views=[view(jobs, j, lang) for j in jobs.all(brain.workspace)])


def job_page(
    request: Request,
    lang: Lang,
    identity: str,
    brain: BrainOf,
    next: Annotated[str, Query()] = "",
) -> Response:
    """One job: its progress, or on to the answer when it is done. A fragment of it where the page asks again."""
    jobs = runner_of(request).jobs
    job = jobs.get(identity, brain.workspace)
    onward = local_path(next, lang) if next else f"/{lang}/finding/{job.id}"
    again = request.headers.get("hx-request") == "true"
    if job.state == "done":
        if again:
            return Response(status_code=204, headers={"HX-Redirect": onward})
        return RedirectResponse(onward, status_code=303)
    template = "jobs/progress.html" if again else "jobs/job.html"
    return page(request, template, lang=lang, **view(jobs, job, lang, onward))


def act(
    request: Request,
    lang: Lang,
    identity: str,
    deed: Literal["cancel", "resume", "forget"],
    brain: BrainOf,
    form_token: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """What the buttons do: cancel, resume, forget."""
    check_form(request, form_token)
    runner = runner_of(request)
    if deed == "forget":
        runner.jobs.forget(identity, brain.workspace)
        return RedirectResponse(f"/{lang}/jobs", status_code=303)
    job = runner.resume(brain, identity) if deed == "resume" else runner.jobs.cancel(identity, brain.workspace)
    onward = f"?{urlencode({'next': local_path(next, lang)})}" if next else ""
    return RedirectResponse(f"/{lang}/jobs/{job.id}{onward}", status_code=303)


def router() -> APIRouter:
    """The pages."""
    made = APIRouter(include_in_schema=False)
    made.add_api_route("/{lang}/jobs", jobs_page, response_class=Response)
    made.add_api_route("/{lang}/jobs/{identity}", job_page, response_class=Response)
    made.add_api_route("/{lang}/jobs/{identity}/{deed}", act, methods=["POST"], response_class=Response)
    return made
