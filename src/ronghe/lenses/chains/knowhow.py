"""Who at home knows how: projects, laboratories, organisations and works whose text speaks of the blocked input."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import bm25s
import numpy as np
import rjieba

from ronghe.errors import AskError
from ronghe.lenses.base import Context, lens
from ronghe.lenses.chains.exposure import chain_name, find_step
from ronghe.lenses.chains.products import READS as PRODUCTS
from ronghe.lenses.chains.products import steps_under
from ronghe.lenses.chains.shocks import Shocks
from ronghe.lenses.chains.supply import READS as CHAIN
from ronghe.lenses.chains.supply import SupplyChain, load_chain
from ronghe.lenses.frames import figure, result, text_field
from ronghe.lenses.params import Region
from ronghe.model.finding import Caveat, Cell, Chart, Field, Finding, Result, Rows
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

READS = tuple(dict.fromkeys((*CHAIN, *PRODUCTS, "project", "laboratory", "organisation", "work", "authorship")))
_KEEP = 40
_COMMON = 0.02
_WORKS = 20_000
_RINGS = ("direct", "near", "chain")
_STOP = frozenset(
    """
    设备 系统 材料 工具 其他 用 与 及 的 和 等 先进 集成 电路 技术 处理 工艺 制造 自动 手动 混合 软件 核心 成品 检测
    tools tool equipment other for and of the adv pkg ic non chips chip design software advanced systems system
    process materials material processing misc based to in with by on testing test inspection
    """.split()  # noqa: SIM905 - a list to read, not an array of strings
)


@dataclass(frozen=True, slots=True)
class _Doc:
    """One text of the lake: which table and key it comes from, what it says and whose it is."""

    table: str
    key: str
    text: str
    holder: str
    year: int | None


@cache
def words(text: str) -> tuple[str, ...]:
    """The words of a Chinese or English text that tell something, lower case; numbers and generic words left out."""
    found = []
    for word in rjieba.cut(text.casefold()):
        one = word.strip()
        plain = re.fullmatch(r"[a-z][a-z-]*[a-z]|[\u4e00-\u9fff]{2,}", one)
        if plain and one not in _STOP:
            found.append(one)
    return tuple(found)


def _near(chain: SupplyChain, step: str) -> list[str]:
    """The steps that a step is a kind of or goes into, and its own kinds."""
    ahead = [b for a, b, _ in chain.links if a == step]
    kinds = [a for a, b, kind in chain.links if b == step and kind == "is_type_of"]
    return [s for s in dict.fromkeys([*kinds, *ahead]) if chain.index(s) is not None]


def _terms(chain: SupplyChain, step: str) -> list[str]:
    names = chain.names(step)
    return list(dict.fromkeys([*words(names["zh"]), *words(names["en"])]))


def _docs(ctx: Context, home: str, terms: Sequence[str]) -> list[_Doc]:
    docs = [
        _Doc("project", r["project_id"], r["title"], r["institution"] or "", r["year"])
        for r in ctx.rows("project", ("project_id", "title", "institution", "year")).to_pylist()
    ]
    seen = set()
    for r in ctx.rows("laboratory", ("lab_id", "name", "institution", "year")).to_pylist():
        if (r["name"], r["institution"]) not in seen:
            seen.add((r["name"], r["institution"]))
            docs.append(_Doc("laboratory", r["lab_id"], r["name"], r["institution"] or "", r["year"]))
    docs += [
        _Doc("organisation", r["org_id"], f"{r['name']} {r['description'] or ''}", r["name"], None)
        for r in _speaking(ctx, "organisation", ("org_id", "name", "description", "country"), ("name", "description"),
                           terms)
        if r["country"] in (None, home)
    ]  # fmt: skip
    works = _speaking(ctx, "work", ("work_id", "title", "year"), ("title",), terms)
    holders = _authors(ctx, [w["work_id"] for w in works], home)
    docs += [
        _Doc("work", w["work_id"], w["title"], holders[w["work_id"]], w["year"])
        for w in works
        if w["work_id"] in holders
    ]
    return docs


def _speaking(
    ctx: Context, table: str, columns: Sequence[str], texts: Sequence[str], terms: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows of a large table whose text holds one of the words: the engine looks, not Python."""
    if not ctx.snapshot.count(table) or not terms:
        return []
    rows = ctx.table(table)
    wanted = None
    for column in texts:
        for term in terms:
            one = rows[column].lower().contains(term).fill_null(False)
            wanted = one if wanted is None else wanted | one
    key = columns[0]
    return list(ctx.fetch(rows.filter(wanted).order_by(key).select(*columns).limit(_WORKS)).to_pylist())


def _authors(ctx: Context, works: Sequence[str], home: str) -> dict[str, str]:
    """Work -> its organisations at home."""
    if not works or not ctx.snapshot.count("authorship"):
        return {}
    rows = ctx.table("authorship")
    rows = rows.filter((rows["country"] == home) & rows["work_id"].isin(list(works)))
    found: dict[str, list[str]] = {}
    for r in ctx.fetch(rows.select("work_id", "org_name").distinct().order_by("work_id", "org_name")).to_pylist():
        found.setdefault(r["work_id"], []).append(r["org_name"] or "")
    return {k: "; ".join(n for n in v[:4] if n) for k, v in found.items()}


def _ranked(docs: Sequence[_Doc], terms: Mapping[str, str]) -> list[tuple[float, int, list[str]]]:
    """(score, document, words met): BM25 over the words; a document must hold one that few documents hold."""
    if not docs or not terms:
        return []
    cut = [words(d.text) for d in docs]
    held: dict[str, int] = {}
    for one in cut:
        for word in set(one) & set(terms):
            held[word] = held.get(word, 0) + 1
    rare = {w for w, n in held.items() if n <= max(2, _COMMON * len(docs))}
    known = [w for w in terms if w in held]
    if not rare:
        return []
    engine = bm25s.BM25()
    engine.index([list(c) or ["-"] for c in cut], show_progress=False)
    scores = np.asarray(engine.get_scores(known), dtype=float)
    found = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if scores[i] <= 0:
            break
        met = [w for w in known if w in cut[i]]
        # Words of the chain at large stand in many contexts: one alone says nothing.
        told = len(met) > 1 or any(terms[w] != "chain" for w in met)
        if told and set(met) & rare:
            found.append((float(scores[i]), i, met))
    return found[: _KEEP * 4]


def _rows(docs: Sequence[_Doc], ranked: Iterable[tuple[float, int, list[str]]], terms: Mapping[str, str]) -> Any:
    rows: dict[str, list[dict[str, Any]]] = {t: [] for t in ("project", "laboratory", "organisation", "work")}
    for score, i, met in ranked:
        doc = docs[i]
        if len(rows[doc.table]) < _KEEP:
            rows[doc.table].append(
                {
                    "id": doc.key,
                    "text": doc.text[:200],
                    "holder": doc.holder,
                    "year": doc.year,
                    "met": "、".join(met),
                    "closeness": min((terms[w] for w in met), key=_RINGS.index),
                    "score": score,
                }
            )
    for listed in rows.values():
        listed.sort(key=lambda r: (_RINGS.index(r["closeness"]), -r["score"], r["id"]))
    return rows


_KEYS = {"project": "project_id", "laboratory": "lab_id", "organisation": "org_id", "work": "work_id"}


def _fields(table: str) -> list[Field]:
    here = Rows(table, {_KEYS[table]: Cell("id")})
    return [
        text_field("text"), text_field("holder"), text_field("year", "year"), text_field("closeness", "class"),
        text_field("met"), figure("score", basis=here, digits=2), text_field("id"),
    ]  # fmt: skip


def _holders(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Institutions by how many of their projects and laboratories speak of it, those of the input itself first."""
    found: dict[str, dict[str, Any]] = {}
    for table, column in (("project", "projects"), ("laboratory", "laboratories")):
        for row in rows[table]:
            if row["holder"]:
                blank = {"holder": row["holder"], "direct": 0, "projects": 0, "laboratories": 0}
                one = found.setdefault(row["holder"], blank)
                one[column] += 1
                one["direct"] += row["closeness"] == "direct"
    return sorted(found.values(), key=lambda r: (-r["direct"], -r["projects"] - r["laboratories"], r["holder"]))


def _holder_fields() -> list[Field]:
    projects = Rows("project", {"institution": Cell("holder")})
    return [
        text_field("holder"), text_field("direct", "integer"), figure("projects", "integer", basis=projects),
        figure("laboratories", "integer", basis=Rows("laboratory", {"institution": Cell("holder")})),
    ]  # fmt: skip


def _shocked(ctx: Context, shock: Shocks) -> list[tuple[SupplyChain, str]]:
    """The steps shocked, by name or by way of a product."""
    steps = []
    for one in shock.shocks:
        if one.kind == "step":
            chain = load_chain(ctx, chain_name(ctx, one.chain))
            steps.append((chain, find_step(chain, one.code)))
        elif one.kind == "product":
            steps += [(load_chain(ctx, r.chain), r.step) for r in steps_under(ctx, one)]
    return steps


def _query(ctx: Context, shock: Shocks) -> tuple[list[tuple[SupplyChain, str]], dict[str, str]]:
    """The steps shocked, and each search word with how near it is to them."""
    steps = _shocked(ctx, shock)
    terms: dict[str, str] = {}
    for chain, step in steps:
        terms |= dict.fromkeys(_terms(chain, step), "direct")
    for chain, step in steps:
        for other in _near(chain, step):
            for word in _terms(chain, other):
                terms.setdefault(word, "near")
    for chain, _ in steps:
        for row in chain.steps:
            for word in _terms(chain, row["step"]):
                terms.setdefault(word, "chain")
    return steps, terms


@lens("knowhow", version=2, reads=READS)
def knowhow(ctx: Context, *, shock: Shocks, home: Region = Region("CHN")) -> Finding:  # noqa: B008
    """Who at home knows how to make a blocked input: projects, laboratories, organisations, works that speak of it?"""
    steps, terms = _query(ctx, shock)
    if not steps:
        raise AskError("shock_no_step")
    docs = _docs(ctx, str(home), [w for w, ring in terms.items() if ring != "chain"])
    rows = _rows(docs, _ranked(docs, terms), terms)
    holders = _holders(rows)
    tables: dict[str, Result] = {"holders": result(holders, _holder_fields(), ("holder",), "knowhow.holders")}
    for table, listed in rows.items():
        if listed:
            tables[table] = result(listed, _fields(table), ("id",), f"knowhow.{table}")
    searched = [
        {"word": w, "closeness": c, "count": sum(w in d.text.casefold() for d in docs)}
        for w, c in terms.items()
        if c != "chain"
    ]
    tables["words"] = result(
        searched, [text_field("word"), text_field("closeness", "class"), figure("count", "integer")], ("word",),
        "knowhow.words",
    )  # fmt: skip
    names = steps[0][0].names(steps[0][1])
    count = sum(len(v) for v in rows.values())
    args = {
        "step": both(names["zh"], names["en"]),
        "count": count,
        "direct": sum(r["closeness"] == "direct" for v in rows.values() for r in v),
        "near": sum(r["closeness"] == "near" for v in rows.values() for r in v),
        "texts": len(docs),
        "first": holders[0]["holder"] if holders else "—",
    }
    charts = (Chart("bar", "holders", {"x": "holder", "y": "projects", "y2": "laboratories"}, Text("knowhow.holders"),
                    {"top": 15, "horizontal": True, "stack": True, "sort": "none"}),)  # fmt: skip
    return ctx.answer(
        Text("knowhow.headline" if count else "knowhow.headline_none", args),
        tables,
        charts=charts if holders else (),
        caveats=[Caveat("note", Text("knowhow.reading"))],
        steps=[Step("bm25s", "BM25 over words cut by rjieba; a text must hold a word that few texts hold",
                    "Robertson & Zaragoza 2009, Foundations and Trends in IR 3(4)")],
    )  # fmt: skip
