"""The tables of the bridge from science to industry."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.lenses.base import Context
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.bridge_load import Concordance, Route
from ronghe.model.finding import Basis, Cell, Matrix, Result
from ronghe.model.text import Text, both

_FEW = 20
_PATENTS = 3
_LEAST = 0.005


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def technology_table(book: Concordance, routes: Sequence[Route]) -> Result:
    """What share of a field leads to each technology, by either route, and how special that is."""
    usual = book.science.mean(axis=0)
    rows = []
    for route in routes:
        for t in np.argsort(-route.technology, kind="stable"):
            if route.technology[t] < _LEAST:
                continue
            name = book.technology_names[t]
            rows.append(
                {
                    "field_zh": route.one.names["zh"], "field_en": route.one.names["en"],
                    "technology_name_zh": name["zh"], "technology_name_en": name["en"],
                    "weight": route.technology[t], "weight_science": _known(route.science[t]),
                    "weight_class": _known(route.classes[t]),
                    "lift": float(route.technology[t] / usual[t]) if usual[t] else None,
                    "classes": ", ".join(route.class_of.get(int(t), ())) or None, "technology": book.technologies[t],
                    "field_id": route.one.name,
                }
            )  # fmt: skip
    science: Basis = _way("ASJC", "WIPO35", Cell("technology"))
    classes: Basis = _way("IPC", "WIPO35", Cell("technology"))
    fields = [
        *name_fields("field", "column.field_name"), *name_fields("technology_name", "column.technology_name"),
        figure("weight", "share", basis=science), figure("weight_science", "share", basis=science),
        figure("weight_class", "share", basis=classes), figure("lift", basis=science, digits=1), text_field("classes"),
        text_field("technology"), text_field("field_id"),
    ]  # fmt: skip
    return result(rows, fields, ("field_id", "technology"), Text("bridge.technologies"))


def industry_table(book: Concordance, routes: Sequence[Route]) -> Result:
    """What share of a field could feed each industry, how special that is, and China's sectors in it."""
    usual = book.industry.mean(axis=0)
    rows = []
    for route in routes:
        for i in np.argsort(-route.industry, kind="stable"):
            if route.industry[i] < _LEAST:
                continue
            name = book.industry_names[i]
            via = book.technology_names[int(np.argmax(route.technology * book.industry[:, i]))]
            sectors = book.sectors.get(book.industries[i], ())
            rows.append(
                {
                    "field_zh": route.one.names["zh"], "field_en": route.one.names["en"],
                    "industry_name_zh": name["zh"], "industry_name_en": name["en"], "weight": route.industry[i],
                    "lift": float(route.industry[i] / usual[i]) if usual[i] else None,
                    "via_zh": via["zh"], "via_en": via["en"], "weight_science": _known(route.industry_science[i]),
                    "weight_class": _known(route.industry_classes[i]), "weight_direct": _known(route.direct[i]),
                    "sectors_zh": "、".join(n["zh"] for n in sectors[:6]) or None,
                    "sectors_en": "; ".join(n["en"] for n in sectors[:6]) or None, "industry": book.industries[i],
                    "field_id": route.one.name,
                }
            )  # fmt: skip
    through: Basis = _way("WIPO35", "NACE", Cell("industry"))
    fields = [
        *name_fields("field", "column.field_name"), *name_fields("industry_name", "column.industry_name"),
        figure("weight", "share", basis=through), figure("lift", basis=through, digits=2),
        *name_fields("via", "column.via"), figure("weight_science", "share", basis=through),
        figure("weight_class", "share", basis=through),
        figure("weight_direct", "share", basis=_way("IPC", "NACE", Cell("industry"))),
        *name_fields("sectors", "column.sectors"), text_field("industry"), text_field("field_id"),
    ]  # fmt: skip
    return result(rows, fields, ("field_id", "industry"), Text("bridge.industries"))


def _way(source: str, target: str, code: Cell) -> Matrix:
    return Matrix("crosswalk", {"from_classification": source, "to_classification": target, "to_code": code})


def agreement_table(routes: Sequence[Route]) -> Result:
    """How alike the industries of a field are by different ways: cosine, 1 where they agree."""
    rows = [
        {
            "field_zh": r.one.names["zh"], "field_en": r.one.names["en"], "field_id": r.one.name,
            "science_class": _cosine(r.industry_science, r.industry_classes),
            "class_direct": _cosine(r.industry_classes, r.direct),
            "science_direct": _cosine(r.industry_science, r.direct),
            "disciplines": int((np.nan_to_num(r.disciplines) > 0).sum()),
        }
        for r in routes
    ]  # fmt: skip
    basis = Matrix("crosswalk", {"to_classification": "NACE"})
    fields = [
        *name_fields("field", "column.field_name"), figure("science_class", basis=basis, digits=2),
        figure("class_direct", basis=basis, digits=2), figure("science_direct", basis=basis, digits=2),
        figure("disciplines", "integer", basis=Matrix("topic", {})), text_field("field_id"),
    ]  # fmt: skip
    return result(rows, fields, ("field_id",), Text("bridge.agreement"))


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b / size) if size else None


def link_table(book: Concordance, routes: Sequence[Route], top: int) -> Result:
    """The flows of the picture: the largest technologies of the fields and what they feed; the rest is left out."""
    share = np.mean([r.technology for r in routes], axis=0)
    kept = np.argsort(-share, kind="stable")[:top]
    fed = (share[kept, None] * book.industry[kept]).sum(axis=0)
    into = np.argsort(-fed, kind="stable")[:top]
    rows = []
    for route in routes:
        for t in kept:
            if route.technology[t] >= _LEAST:
                name, tech = dict(route.one.names), book.technology_names[t]
                flow = float(route.technology[t]) / len(routes)
                rows.append(_link(route.one.name, name, book.technologies[t], tech, flow, route.one.name))
    for t in kept:
        for i in into:
            flow = float(share[t] * book.industry[t, i])
            if flow >= _LEAST / 2:
                tech, name = book.technology_names[t], book.industry_names[i]
                rows.append(_link(book.technologies[t], tech, f"i{book.industries[i]}", name, flow, None))
    basis = Matrix("crosswalk", {"to_classification": ("WIPO35", "NACE")})
    fields = [
        text_field("link_source"), *name_fields("source_name", "column.link_from"), text_field("link_target"),
        *name_fields("target_name", "column.link_to"), figure("flow", "share", basis=basis), text_field("field_id"),
    ]  # fmt: skip
    return result(rows, fields, ("link_source", "link_target"), Text("bridge.links", {"top": top}), aside=True)


def _link(source: str, a: Any, target: str, b: Any, flow: float, field: str | None) -> dict[str, Any]:
    return {"link_source": source, "source_name_zh": a["zh"], "source_name_en": a["en"], "link_target": target,
            "target_name_zh": b["zh"], "target_name_en": b["en"], "flow": flow, "field_id": field}  # fmt: skip


def lag_table(ctx: Context, book: Concordance) -> Result | None:
    """Years from a paper to the application of the patent that cites it; ``None`` without such citations."""
    patents = {
        r["patent_id"]: r["application_year"]
        for r in ctx.rows("patent", ("patent_id", "application_year", "type"), type="utility").to_pylist()
    }
    technology: dict[str, str | None] = {}
    for row in ctx.rows("patent_class", ("patent_id", "scheme", "code", "number")).to_pylist():
        if row["scheme"] in {"IPC", "CPC"} and row["patent_id"] not in technology:
            technology[row["patent_id"]] = book.technology_of(row["code"])
    lags: dict[str, list[int]] = {"": []}
    citing: dict[str, set[str]] = {"": set()}
    for row in ctx.rows("patent_citation", ("citing", "kind", "year"), kind="literature").to_pylist():
        filed = patents.get(row["citing"])
        if filed is None or row["year"] is None or row["year"] > filed:
            continue
        for key in ("", technology.get(row["citing"]) or "?"):
            lags.setdefault(key, []).append(filed - row["year"])
            citing.setdefault(key, set()).add(row["citing"])
    if len(lags[""]) < _FEW:
        return None
    rows = []
    for key in sorted(lags, key=lambda k: (-len(lags[k]), k)):
        if key != "?" and len(lags[key]) >= _FEW and (not key or len(citing[key]) >= _PATENTS):
            low, middle, high = (float(np.quantile(lags[key], q)) for q in (0.25, 0.5, 0.75))
            name = book.technology_names[book.technology_at[key]] if key else both("全部", "all")
            rows.append(
                {"technology_name_zh": name["zh"], "technology_name_en": name["en"], "citations": len(lags[key]),
                 "patents": len(citing[key]), "lag_low": low, "lag": middle, "lag_high": high,
                 "technology": key or "ALL"}
            )  # fmt: skip
    basis = Matrix("patent_citation", {"kind": "literature"})
    fields = [
        *name_fields("technology_name", "column.technology_name"), figure("citations", "integer", basis=basis),
        figure("patents", "integer", basis=basis), figure("lag_low", unit="year", basis=basis, digits=1),
        figure("lag", unit="year", basis=basis, digits=1), figure("lag_high", unit="year", basis=basis, digits=1),
        text_field("technology"),
    ]  # fmt: skip
    return result(rows, fields, ("technology",), Text("bridge.lags"))
