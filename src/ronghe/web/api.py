"""The API: ``/api/v1``. A lens's route takes its parameters from its signature; bytes are those of ``--json``."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.openapi.utils import get_openapi
from pydantic import WithJsonSchema
from starlette.responses import Response

from ronghe.brain import Answer, Brain
from ronghe.errors import UnknownName
from ronghe.i18n import translate
from ronghe.lenses.base import LensSpec, Param, never, quiet
from ronghe.lenses.params import Named, Year
from ronghe.model.serial import canonical
from ronghe.plugins import get_lens, lens_names
from ronghe.trace import where
from ronghe.views import lens_document, lens_list, quarantine_list, source_list, table_list, table_rows, version_list
from ronghe.web.deps import BrainOf, Lang, asked, current_brain

PREFIX = "/api/v1"
_JSON = "application/json"
_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "message", "hint", "known"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}},
        "hint": {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}},
        "known": {"type": "array", "items": {"type": "string"}},
    },
}
FAULTS: dict[int | str, dict[str, Any]] = {
    code: {"description": said, "content": {_JSON: {"schema": _ERROR}}}
    for code, said in ((404, "a name that does not exist, with those that do"), (422, "a value that can't be read"))
}


def as_json(document: Any) -> Response:
    """A document as canonical JSON."""
    return Response(canonical(document), media_type=_JSON)


def router() -> APIRouter:
    """Every route of the API; a lens is imported when it is first asked."""
    made = APIRouter(prefix=PREFIX, responses=FAULTS)
    made.add_api_route("/ask/{lens}", ask_any, include_in_schema=False)
    for path, route, tag in _ROUTES:
        made.add_api_route(path, route, tags=[tag], response_class=Response)
    return made


def lens_router() -> APIRouter:
    """A route for each lens, with its own parameters: what OpenAPI describes."""
    made = APIRouter(prefix=PREFIX, responses=FAULTS)
    for name in lens_names():
        spec = get_lens(name)
        made.add_api_route(
            f"/ask/{name}",
            ask_route(spec),
            name=f"ask_{name}",
            tags=["ask"],
            summary=translate("en", spec.title),
            description=f"{translate('en', spec.question)}\n\n{translate('zh', spec.question)}",
            response_class=Response,
        )
    return made


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: the application's routes and every lens's, made when it is first asked for."""
    if app.openapi_schema is None:
        routes = [*app.routes, *lens_router().routes]
        app.openapi_schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=routes)
    return app.openapi_schema


def ask(brain: Brain, spec: LensSpec, given: Mapping[str, str]) -> Answer:
    """Ask with parameters from a URL: only the lens's own names pass, none of the brain's.

    Raises
    ------
    UnknownName : the lens has no such parameter.
    """
    known = [p.name for p in spec.params]
    for name in given:
        if name not in known:
            raise UnknownName("unknown_parameter", name, known, lens=spec.name)
    return brain.ask(spec.name, progress=quiet, cancelled=never, fresh=False, **given)


def ask_route(spec: LensSpec) -> Callable[..., Response]:
    """A route with the lens's parameters, read and checked by the lens itself."""

    def route(request: Request, brain: BrainOf, **given: Any) -> Response:
        del given
        return Response(ask(brain, spec, asked(request)).json, media_type=_JSON)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("request", keyword, annotation=Request),
        inspect.Parameter("brain", keyword, annotation=Annotated[Any, Depends(current_brain)]),
        *(inspect.Parameter(p.name, keyword, annotation=_annotation(p), default=_default(p)) for p in spec.params),
    ]
    route.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    route.__annotations__ = {p.name: p.annotation for p in parameters}
    return route


def _annotation(param: Param) -> Any:
    """Any text passes here, so that the lens's own reading (``2020年``, ``广东``) is the only one there is."""
    said = f"{translate('en', param.help)} · {translate('zh', param.help)}"
    return Annotated[str | None, WithJsonSchema(schema(param)), Query(description=said)]


def _default(param: Param) -> Any:
    return inspect.Parameter.empty if param.required else None


def schema(param: Param) -> dict[str, Any]:
    """The JSON schema of a parameter."""
    made: dict[str, Any] = {"type": "string"}
    if issubclass(param.type, bool):
        made = {"type": "boolean"}
    elif issubclass(param.type, Year):
        made = {"type": "integer", "format": "year"}
    elif issubclass(param.type, int):
        made = {"type": "integer"}
    elif issubclass(param.type, float):
        made = {"type": "number"}
    elif issubclass(param.type, Named):
        made["format"] = param.type.__name__
    if param.literals:
        made["enum"] = list(param.literals)
    if not param.required and param.default is not None:
        made["default"] = param.default
    return made


def ask_any(request: Request, lens: str, brain: BrainOf) -> Response:
    """Ask any lens."""
    return ask_route(get_lens(lens))(request=request, brain=brain)


def lenses() -> Response:
    """Every question there is, with its parameters."""
    return as_json(lens_list())


def lens(name: str) -> Response:
    """One question with its parameters."""
    return as_json(lens_document(get_lens(name)))


def choices(name: str, brain: BrainOf) -> Response:
    """The values that each parameter of a question may take on this lake; null where any will do."""
    snapshot = brain.snapshot
    offered: dict[str, Any] = {}
    for param in get_lens(name).params:
        listed = param.choices(snapshot)
        offered[param.name] = None if listed is None else [{"value": c.value, **c.names} for c in listed]
    return as_json({"lens": name, "snapshot": snapshot.version, "choices": offered})


def finding(identity: str, brain: BrainOf) -> Response:
    """A finding kept earlier, by its id or the beginning of it."""
    return Response(brain.find(identity).json, media_type=_JSON)


def trace(
    identity: str,
    brain: BrainOf,
    column: Annotated[str, Query(description="the figure's column")],
    row: Annotated[str, Query(description="its row: the number from 0, or key=value,key=value")],
    table: Annotated[str | None, Query(description="the table, where several have the column")] = None,
) -> Response:
    """Where one figure comes from: source cells, formula, paper."""
    found = brain.tracer.trace(brain.find(identity).finding, column, where(row), table)
    return as_json(found.document())


def export(
    request: Request,
    identity: str,
    brain: BrainOf,
    form: Annotated[
        str, Query(alias="format", description="xlsx, csv, zip, parquet, json, svg, png, docx, pdf")
    ] = "xlsx",
    lang: Annotated[Lang, Query(description="zh or en")] = "zh",
    table: Annotated[str | None, Query(description="for csv and parquet: the table; else the main one")] = None,
    chart: Annotated[int | None, Query(ge=0, description="for svg and png: the chart, from 0; else all")] = None,
) -> Response:
    """A finding as a file, with its sources."""
    from ronghe.export import render

    made = render(brain.find(identity), form, lang, table, chart=chart, make=request.app.state.press.content)
    headers = {"Content-Disposition": f'attachment; filename="{made.filename}"'}
    return Response(made.content, media_type=made.media_type, headers=headers)


def tables(brain: BrainOf) -> Response:
    """Every table of the lake, with how many rows it holds."""
    return as_json(table_list(brain))


def table(
    name: str,
    brain: BrainOf,
    rows: Annotated[int, Query(ge=0, le=10_000, description="rows to bring")] = 20,
) -> Response:
    """One table: its columns and first rows, with where each came from."""
    return as_json(table_rows(brain, name, rows))


def versions(brain: BrainOf) -> Response:
    """Every version of the lake."""
    return as_json(version_list(brain))


def quarantine(brain: BrainOf) -> Response:
    """The records in quarantine, with the reason of each."""
    return as_json(quarantine_list(brain))


def sources(brain: BrainOf) -> Response:
    """Every dataset that can be brought in: licence, size, where it comes from."""
    return as_json(source_list(brain))


_ROUTES: tuple[tuple[str, Callable[..., Response], str], ...] = (
    ("/lenses", lenses, "ask"),
    ("/lenses/{name}", lens, "ask"),
    ("/lenses/{name}/choices", choices, "ask"),
    ("/findings/{identity}", finding, "findings"),
    ("/findings/{identity}/trace", trace, "findings"),
    ("/findings/{identity}/export", export, "findings"),
    ("/tables", tables, "lake"),
    ("/tables/{name}", table, "lake"),
    ("/versions", versions, "lake"),
    ("/quarantine", quarantine, "lake"),
    ("/sources", sources, "lake"),
)
