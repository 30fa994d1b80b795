"""Templates: what every page shares, assets by content hash, data blocks that a strict policy allows."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from ronghe import __version__
from ronghe.i18n import LANGUAGES, translate
from ronghe.model.text import Text
from ronghe.web.csrf import form_token
from ronghe.web.deps import language_of

NAV = ("", "tables", "sources", "versions", "quarantine", "jobs", "upload")


@cache
def asset(path: str) -> str:
    """The address of a static file, with a hash of what it holds, so that a browser may keep it for ever."""
    content = files("ronghe.web").joinpath("static", *path.split("/")).read_bytes()
    return f"/static/{path}?v={hashlib.sha256(content).hexdigest()[:12]}"


def data_block(name: str, data: Any) -> Markup:
    """Data for the page's script, in a block that is never executed."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter, code in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e"), ("\u2028", "\\u2028")):
        text = text.replace(letter, code)
    return Markup('<script type="application/json" id="{}">{}</script>').format(name, Markup(text))


@cache
def environment() -> Environment:
    """The template engine: everything is escaped, an unknown name is an error."""
    made = Environment(
        loader=PackageLoader("ronghe.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"asset": asset, "data_block": data_block, "app_version": __version__, "languages": LANGUAGES}
    return made


def speaker(lang: str) -> Callable[..., str]:
    """What templates say: ``t("key", **args)`` for a sentence of ``web.toml``."""

    def t(key: str, **args: Any) -> str:
        return translate(lang, Text(f"web.{key}", args))

    return t


def switched(request: Request, lang: str) -> str:
    """The very address of the request in another language."""
    pieces = request.url.path.split("/")
    path = "/".join(["", lang, *pieces[2:]]) if len(pieces) > 1 and pieces[1] in LANGUAGES else f"/{lang}/"
    return f"{path}?{request.url.query}" if request.url.query else path


def page(
    request: Request, template: str, *, status: int = 200, lang: str | None = None, **context: Any
) -> HTMLResponse:
    """A page in one language."""
    language = lang or language_of(request)
    pieces = [p for p in request.url.path.split("/") if p]
    shared: Mapping[str, Any] = {
        "request": request,
        "lang": language,
        "t": speaker(language),
        "say": lambda text: translate(language, text),
        "say_key": lambda key, **args: translate(language, Text(key, args)),
        "nav": () if request.state.closed else NAV,
        "user": request.state.user,
        "form_token": lambda: form_token(request),
        "here": pieces[1] if len(pieces) > 1 else "",
        "switch": {code: switched(request, code) for code in LANGUAGES},
    }
    html = environment().get_template(template).render({**shared, **context})
    return HTMLResponse(html, status_code=status, headers={"Content-Language": language, "Vary": "Accept-Language"})
