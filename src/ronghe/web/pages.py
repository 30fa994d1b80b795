"""The pages: ``/zh/…`` and ``/en/…``. Every page is an address that can be sent to a colleague."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from ronghe.brain import Brain
from ronghe.errors import RongheError
from ronghe.i18n import translate
from ronghe.lake.jobs import Job
from ronghe.lake.lake import plain
from ronghe.lenses.base import LensSpec
from ronghe.model.text import Text
from ronghe.plugins import get_lens, lens_themes
from ronghe.present import cell, unit_name, visible, with_unit
from ronghe.trace import Trace, where
from ronghe.views import load_list, quarantine_list, source_list, table_list, table_rows, version_list
from ronghe.web.answers import answer_view
from ronghe.web.decide import decidable
from ronghe.web.deps import BrainOf, Lang, asked, language_of
from ronghe.web.errors import suggestions
from ronghe.web.forms import form
from ronghe.web.jobs import answer_or_job, under_way
from ronghe.web.page import page

_ROWS = 200


def home(request: Request, lang: Lang, brain: BrainOf) -> Response:
    """The questions, and what is in the lake."""
    themes = [
        (
            Text(f"theme.{theme}"),
            [{"name": n, "title": Text(f"lens.{n}"), "question": Text(f"lens.{n}.question")} for n in names],
        )
        for theme, names in lens_themes().items()
    ]
    held = table_list(brain)
    filled = [t for t in held["tables"] if t["rows"]]
    loads = load_list(brain)["loads"]
    return page(
        request,
        "home.html",
        lang=lang,
        themes=themes,
        tables=filled,
        datasets=sorted({o["dataset"] for o in loads}),
        snapshot=held["snapshot"],
        records=sum(o["records"] for o in loads),
        rows=sum(t["rows"] for t in filled),
        quarantined=sum(o["quarantined"] for o in loads),
        invented=_invented(brain),
    )


def _invented(brain: Brain) -> bool:
    return any(o.invented for o in brain.snapshot.loads)


def front(request: Request) -> Response:
    """To the home page in the reader's language."""
    return RedirectResponse(f"/{language_of(request)}/", status_code=307, headers={"Vary": "Accept-Language"})


def inside(lang: Lang) -> Response:
    """To the home page."""
    return RedirectResponse(f"/{lang}/", status_code=307)


def ask(request: Request, lang: Lang, lens: str, brain: BrainOf) -> Response:
    """A question: its form, and the answer when everything it needs is given."""
    spec = get_lens(lens)
    given = asked(request)
    if len(given) < len(request.query_params):
        query = f"?{urlencode(given)}" if given else ""
        return RedirectResponse(f"/{lang}/ask/{quote(lens)}{query}", status_code=303)
    known = {p.name for p in spec.params}
    if any(p.required and p.name not in given for p in spec.params) and set(given) <= known:
        return page(request, "ask.html", lang=lang, **_asking(brain, spec, given, lang))
    try:
        answer = answer_or_job(request, brain, spec.name, given)
    except RongheError as error:
        context = _asking(brain, spec, given, lang)
        names = {value: name for field in context["fields"] for value, name in field.choices}
        ways = [(names.get(known, known), link) for known, link in suggestions(request, error)]
        return page(request, "ask.html", status=error.status, lang=lang, **{**context, "error": error, "ways": ways})
    context = _asking(brain, spec, given, lang)
    if isinstance(answer, Job):
        return page(request, "ask.html", lang=lang, **context, **under_way(request, answer, lang))
    return page(request, "ask.html", lang=lang, **{**context, "view": answer_view(answer, lang)})


def _asking(brain: Brain, spec: LensSpec, given: dict[str, str], lang: str) -> dict[str, Any]:
    return {
        "spec": spec,
        "fields": form(spec, given, brain.snapshot, lang),
        "error": None,
        "ways": [],
        "view": None,
        "waiting": sorted(p.name for p in spec.params if p.required and p.name not in given),
    }


def finding(request: Request, lang: Lang, identity: str, brain: BrainOf) -> Response:
    """A finding kept earlier: the permanent address of an answer."""
    view = answer_view(brain.find(identity), lang)
    if view["finding"].id != identity:
        return RedirectResponse(f"/{lang}/finding/{view['finding'].id}", status_code=307)
    return page(request, "finding.html", lang=lang, view=view)


def trace(
    request: Request,
    lang: Lang,
    identity: str,
    brain: BrainOf,
    column: Annotated[str, Query()],
    row: Annotated[str, Query()],
    table: Annotated[str | None, Query()] = None,
) -> Response:
    """Where one figure comes from: a page of its own, or a fragment for the panel."""
    answer = brain.find(identity)
    found = brain.tracer.trace(answer.finding, column, where(row), table)
    context: dict[str, Any] = {
        "trace": found,
        "link": f"/{lang}/finding/{found.finding}/trace?{request.url.query}",
        "json_link": f"/api/v1/findings/{found.finding}/trace?{request.url.query}",
        "figure": lambda one: _figure(brain, one, lang),
        "match": decidable(request, answer.finding, found),
    }
    fragment = request.headers.get("hx-request") == "true"
    return page(request, "trace.html" if fragment else "trace_page.html", lang=lang, **context)


def _figure(brain: Brain, found: Trace, lang: str) -> dict[str, Any]:
    """The traced figure as the table shows it, with its unit, and the row it stands in by its names."""
    result = brain.find(found.finding).finding.tables[found.table]
    field = result.field(found.column)
    unit = unit_name(found.unit, lang) if field.kind != "share" else ""
    rows = result.data.to_pylist()
    row = next(r for r in rows if all(plain(r[k]) == v for k, v in found.key.items()))
    names = [f for f in visible(result, lang) if f.name in result.key or f.lang == lang]
    return {
        "text": with_unit(cell(field, found.value, lang), unit),
        "row": [(translate(lang, f.label), cell(f, row[f.name], lang, row)) for f in names],
    }


def tables(request: Request, lang: Lang, brain: BrainOf) -> Response:
    """Every table of the lake."""
    return page(request, "tables.html", lang=lang, held=table_list(brain), invented=_invented(brain))


def table(request: Request, lang: Lang, name: str, brain: BrainOf) -> Response:
    """One table: what its columns mean, and its first rows with where each came from."""
    held = table_rows(brain, name, _ROWS)
    data = {
        "lang": lang,
        "tables": [
            {
                "name": name,
                "title": held[f"name_{lang}"],
                "columns": [
                    {
                        "name": c["name"],
                        "title": c[f"name_{lang}"],
                        "figure": c["type"] in {"double", "int64"} and c["name"] != "year",
                        "share": False,
                        "raw": [r[i] for r in held["rows"]],
                        "text": None,
                        "basis": None,
                    }
                    for i, c in enumerate(held["columns"])
                ],
                "rows": len(held["rows"]),
                "total": held["total"],
            }
        ],
        "charts": [],
        "finding": "",
    }
    return page(request, "table.html", lang=lang, held=held, data=data)


def sources(request: Request, lang: Lang, brain: BrainOf) -> Response:
    """Every dataset that can be brought in, and the record balance of what was."""
    return page(request, "sources.html", lang=lang, held=source_list(brain), loads=load_list(brain)["loads"])


def versions(request: Request, lang: Lang, brain: BrainOf) -> Response:
    """Every version of the lake."""
    return page(request, "versions.html", lang=lang, held=version_list(brain), now=brain.snapshot.version)


def quarantine(request: Request, lang: Lang, brain: BrainOf) -> Response:
    """The records in quarantine, and how to mend them."""
    held = quarantine_list(brain)
    reason, expected = (held["columns"].index(name) for name in ("reason", "expected"))
    for row in held["rows"]:
        row[reason] = translate(lang, Text(f"reject.{row[reason]}"))
        row[expected] = row[expected][lang]
    return page(request, "quarantine.html", lang=lang, held=held)


def router() -> APIRouter:
    """Every page."""
    made = APIRouter(include_in_schema=False)
    for path, route in (
        ("/", front),
        ("/{lang}", inside),
        ("/{lang}/", home),
        ("/{lang}/ask/{lens}", ask),
        ("/{lang}/finding/{identity}", finding),
        ("/{lang}/finding/{identity}/trace", trace),
        ("/{lang}/tables", tables),
        ("/{lang}/tables/{name}", table),
        ("/{lang}/sources", sources),
        ("/{lang}/versions", versions),
        ("/{lang}/quarantine", quarantine),
    ):
        made.add_api_route(path, route, response_class=Response)
    return made
