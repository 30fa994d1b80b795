"""What a name means, decided on the page: confirm, lock or reject a match."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from ronghe.brain import Brain
from ronghe.errors import AskError
from ronghe.intake import ingest_decision
from ronghe.lake.lake import Lake
from ronghe.model.finding import Finding
from ronghe.trace import Trace
from ronghe.web.csrf import check_form
from ronghe.web.deps import BrainOf, Lang
from ronghe.web.door import demand

LENS, TABLE = "matches", "matches"
_LONGEST = 20_000
_WAIT = 30.0


def decidable(request: Request, finding: Finding, found: Trace) -> dict[str, Any] | None:
    """What the form of a match holds; none where the figure is no match or the reader may not decide."""
    user = request.state.user
    if finding.lens != LENS or found.table != TABLE or (user is not None and not user.may("analyst")):
        return None
    rows = finding.tables[TABLE].data.to_pylist()
    row = next(r for r in rows if all(r[k] == v for k, v in found.key.items()))
    return {"finding": finding.id, **row}


async def take(request: Request, lang: Lang, brain: BrainOf) -> Response:
    """Keep a decision and go back to the question, which is answered anew."""
    demand(request, "analyst")
    body = await request.body()
    given = {name: values[0] for name, values in parse_qs(body[:_LONGEST].decode("utf-8", "replace")).items()}
    return await run_in_threadpool(_taken, request, lang, brain, given)


def _taken(request: Request, lang: str, brain: Brain, given: dict[str, str]) -> Response:
    check_form(request, given.get("form_token"))
    kind, value = given.get("kind", ""), given.get("organisation", "").strip()
    if not value and kind != "rejected":
        raise AskError("decide_nothing")
    finding = brain.find(given.get("finding", "")).finding
    user = request.state.user
    patient = Lake(replace(brain.config, wait=max(brain.config.wait, _WAIT)), brain.lake.store.options)
    ingest_decision(
        Brain(patient.config, patient, workspace=brain.workspace),
        kind,
        given.get("subject", ""),
        value,
        by=user.name if user is not None else "",
        reason=given.get("reason", "").strip(),
        workspace=user.workspace if user is not None else "",
    )
    params = {k: v for k, v in finding.params.items() if v is not None}
    return RedirectResponse(f"/{lang}/ask/{finding.lens}?{urlencode(params)}", status_code=303)


def router() -> APIRouter:
    """The one address."""
    made = APIRouter(include_in_schema=False)
    made.add_api_route("/{lang}/decide", take, methods=["POST"], response_class=Response)
    return made
