"""The tables of a network of partners."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu

from ronghe.kernels.linkprediction import METHODS, Evaluation
from ronghe.lenses.frames import figure, name_fields, result, text_field
from ronghe.lenses.frontier.collaboration_load import HELIX, TABLES, Web
from ronghe.lenses.frontier.field_paths import say
from ronghe.lenses.layouts import spring
from ronghe.model.finding import Basis, Cell, Matrix, Result, Rows
from ronghe.model.text import Text, both

Floats = NDArray[np.float64]
_DRAWN = 160
_NAMED = 8


class Shaped(Protocol):
    """What the tables need to know of the network's shape."""

    @property
    def community(self) -> NDArray[np.int64]:
        """(n,) 0 for the largest; -1 without ties."""
        ...

    @property
    def between(self) -> Floats:
        """(n,) betweenness."""
        ...

    @property
    def closed(self) -> Floats:
        """(n,) Burt's constraint."""
        ...

    @property
    def suggested(self) -> Sequence[tuple[int, int, float]]:
        """Pairs that should meet, with their scores."""
        ...


def _named(prefix: str, web: Web, i: int) -> dict[str, Any]:
    return {f"{prefix}_name_zh": web.names[i]["zh"], f"{prefix}_name_en": web.names[i]["en"]}


def _whole(web: Web) -> Matrix:
    return Matrix(TABLES[web.what], {})


def _own(web: Web) -> Basis:
    """A partner's own rows, where one column names it."""
    if web.what == "countries":
        return Matrix("collaboration", {})
    return Rows(TABLES[web.what], {"org_id": Cell("partner")})


def _strength(web: Web) -> Floats:
    return np.asarray(web.joint.sum(axis=1), dtype=np.float64).ravel()


def node_table(web: Web, shape: Shaped, show: int) -> Result:
    """The partners with most joint work, with their community and whether they bridge."""
    strength = _strength(web)
    degree = np.diff(web.joint.indptr)
    order = np.lexsort((np.arange(strength.size), -strength))[: 2 * show]
    rows = [
        {
            **_named("partner", web, i), "partner_kind": web.kind[i], "country_code": web.country[i],
            "joint": strength[i], "partners_count": int(degree[i]), "works": web.size[i],
            "betweenness": shape.between[i], "constraint": shape.closed[i],
            "community": int(shape.community[i]), "partner": web.ids[i],
        }
        for i in order.tolist()
        if strength[i] > 0
    ]  # fmt: skip
    whole, own = _whole(web), _own(web)
    fields = [
        *name_fields("partner_name", "column.partner_name"), text_field("partner_kind", "class"),
        text_field("country_code"), figure("joint", basis=whole, digits=1),
        figure("partners_count", "integer", basis=whole), figure("works", basis=own, digits=1),
        figure("betweenness", "share", basis=whole, digits=2), figure("constraint", basis=whole, digits=2),
        figure("community", "integer", basis=whole), text_field("partner"),
    ]  # fmt: skip
    return result(rows, fields, ("partner",), Text("collaboration.partners"))


def pair_table(web: Web, strength: csr_array, show: int) -> Result:
    """The strongest ties."""
    upper = triu(web.joint, 1).tocoo()
    order = np.lexsort((upper.col, upper.row, -upper.data))[:show]
    rows = [
        _pair(web, int(upper.row[k]), int(upper.col[k]))
        | {"joint": float(upper.data[k]), "salton": float(strength[int(upper.row[k]), int(upper.col[k])]),
           "together": len(web.shared(int(upper.row[k]), int(upper.col[k]))) or None}
        for k in order
    ]  # fmt: skip
    basis = _whole(web)
    fields = [*_pair_fields(), figure("joint", basis=basis, digits=1), figure("together", "integer", basis=basis),
              figure("salton", basis=basis, digits=3), *_pair_keys()]  # fmt: skip
    return result(rows, fields, ("partner_a", "partner_b"), Text("collaboration.pairs"))


def _pair(web: Web, i: int, j: int) -> dict[str, Any]:
    return {**_named("a", web, i), **_named("b", web, j), "a_kind": web.kind[i], "b_kind": web.kind[j],
            "a_country": web.country[i], "b_country": web.country[j], "partner_a": web.ids[i],
            "partner_b": web.ids[j]}  # fmt: skip


def _pair_fields() -> list[Any]:
    return [
        *name_fields("a_name", "column.one_partner"), text_field("a_kind", "class"),
        *name_fields("b_name", "column.other_partner"), text_field("b_kind", "class"),
    ]  # fmt: skip


def _pair_keys() -> list[Any]:
    return [text_field("a_country"), text_field("b_country"), text_field("partner_a"), text_field("partner_b")]


def community_table(web: Web, shape: Shaped) -> Result:
    """Communities of three and more: who leads them, which sides take part, which is missing."""
    strength, rows = _strength(web), []
    sizes = np.bincount(shape.community[shape.community >= 0])
    for k in np.flatnonzero(sizes >= 3)[:40]:
        inside = np.flatnonzero(shape.community == k)
        lead = inside[np.lexsort((inside, -strength[inside]))][:3].tolist()
        sides = {h: int(sum(web.kind[i] == h for i in inside.tolist())) for h in HELIX}
        missing = [h for h in HELIX if not sides[h]] if web.helix is not None else []
        said = [say(f"class.partner_kind.{h}") for h in missing]
        within = float(web.joint[inside][:, inside].sum())
        rows.append(
            {
                "community": int(k), "members": int(sizes[k]),
                **{f"lead_{lang}": "; ".join(web.names[i][lang] for i in lead) for lang in ("zh", "en")},
                **{f"{h}_count": n for h, n in sides.items()}, "missing_zh": "、".join(s["zh"] for s in said) or None,
                "missing_en": ", ".join(s["en"] for s in said) or None,
                "inward": within / float(strength[inside].sum()) if strength[inside].sum() else None,
                "joint": within / 2,
            }
        )  # fmt: skip
    basis = _whole(web)
    sides_shown = [figure(f"{h}_count", "integer", basis=basis) for h in HELIX] if web.helix is not None else []
    missing_shown = name_fields("missing", "column.missing_side") if web.helix is not None else ()
    fields = [
        figure("community", "integer", basis=basis), *name_fields("lead", "column.community_lead"),
        figure("members", "integer", basis=basis), *sides_shown, *missing_shown,
        figure("inward", "share", basis=basis), figure("joint", basis=basis, digits=1),
    ]  # fmt: skip
    return result(rows, fields, ("community",), Text("collaboration.communities"))


def suggestion_table(web: Web, shape: Shaped) -> Result:
    """Pairs that are not tied and should meet, with the partners they share."""
    rows = []
    for i, j, score in shape.suggested:
        common = web.joint[[i]].toarray().ravel() * web.joint[[j]].toarray().ravel()
        via = [int(z) for z in np.argsort(-common, kind="stable")[:3] if common[z] > 0]
        names = {lang: "; ".join(web.names[z][lang] for z in via) or None for lang in ("zh", "en")}
        rows.append(_pair(web, i, j) | {"link_score": score, "common": int((common > 0).sum()),
                                        "through_zh": names["zh"], "through_en": names["en"]})  # fmt: skip
    basis = _whole(web)
    fields = [*_pair_fields(), figure("link_score", basis=basis, digits=3), figure("common", "integer", basis=basis),
              *name_fields("through", "column.through"), *_pair_keys()]  # fmt: skip
    return result(rows, fields, ("partner_a", "partner_b"), Text("collaboration.suggested"))


def trial_table(web: Web, tested: Evaluation) -> Result:
    """How each method foresaw the ties that were held out."""
    rows = [
        {"link_method": m, "auc": tested.auc[m], "precision": tested.precision[m],
         "base_rate": tested.positives / tested.pairs, "beats": "yes" if m in tested.beats_baseline else "no",
         "pairs_asked": tested.pairs, "new_ties": tested.positives}
        for m in METHODS
    ]  # fmt: skip
    basis = _whole(web)
    fields = [
        text_field("link_method", "class"), figure("auc", basis=basis, digits=3),
        figure("precision", "share", basis=basis), figure("base_rate", "share", basis=basis, digits=2),
        text_field("beats", "class"), figure("pairs_asked", "integer", basis=basis),
        figure("new_ties", "integer", basis=basis),
    ]  # fmt: skip
    return result(rows, fields, ("link_method",), Text("collaboration.test"))


def helix_table(web: Web, synergy: float) -> Result:
    """How often which sides come together, and the synergy of all three."""
    cells = web.helix if web.helix is not None else np.zeros((2, 2, 2))
    total = float(cells.sum()) or 1.0
    rows = []
    for index in sorted(np.ndindex(2, 2, 2), key=lambda t: (sum(t), tuple(-v for v in t))):
        if any(index):
            said = [say(f"class.partner_kind.{h}") for h, here in zip(HELIX, index, strict=True) if here]
            names = {lang: " + ".join(s[lang] for s in said) for lang in ("zh", "en")}
            rows.append({"sides_zh": names["zh"], "sides_en": names["en"], "events": int(cells[index]),
                         "share": float(cells[index]) / total, "synergy": None,
                         "sides_code": "".join(str(v) for v in index)})  # fmt: skip
    every = say("collaboration.synergy")
    rows.append({"sides_zh": every["zh"], "sides_en": every["en"], "events": int(total), "share": 1.0,
                 "synergy": synergy * 1000, "sides_code": "all"})  # fmt: skip
    basis = _whole(web)
    fields = [
        *name_fields("sides", "column.sides"), figure("events", "integer", basis=basis),
        figure("share", "share", basis=basis), figure("synergy", basis=basis, digits=1), text_field("sides_code"),
    ]  # fmt: skip
    return result(rows, fields, ("sides_code",), Text("collaboration.helix"))


def picture(web: Web, shape: Shaped) -> tuple[Result, Result]:
    """The partners of most joint work where they stand, and the strongest ties among them."""
    strength = _strength(web)
    kept = np.sort(np.lexsort((np.arange(strength.size), -strength))[:_DRAWN])
    kept = kept[strength[kept] > 0]
    part = triu(web.joint[kept][:, kept], 1).tocoo()
    order = np.lexsort((part.col, part.row, -part.data))[: 3 * kept.size]
    first, second, weight = part.row[order], part.col[order], part.data[order]
    spots = spring(kept.size, first, second, np.log1p(weight))
    large = set(np.argsort(-np.bincount(shape.community[kept] + 1)[1:], kind="stable")[:_NAMED].tolist())
    rows = []
    for n, i in enumerate(kept.tolist()):
        k = int(shape.community[i])
        name = say("collaboration.community", number=k) if k in large else both(None, None)
        rows.append(
            {**_named("partner", web, i), "community_name_zh": name["zh"] or None,
             "community_name_en": name["en"] or None, "strength": strength[i], "x": float(spots[n, 0]),
             "y": float(spots[n, 1]), "community": k, "partner": web.ids[i]}
        )  # fmt: skip
    rows.sort(key=lambda r: (r["community_name_en"] is None, r["community"], r["partner"]))
    basis = _whole(web)
    fields = [
        *name_fields("partner_name", "column.partner_name"), *name_fields("community_name", "column.community"),
        figure("strength", basis=basis, digits=1), figure("x", digits=4), figure("y", digits=4),
        figure("community", "integer", basis=basis), text_field("partner"),
    ]  # fmt: skip
    ties = [
        {"partner_a": web.ids[int(kept[a])], "partner_b": web.ids[int(kept[b])], "joint": float(w)}
        for a, b, w in zip(first, second, weight, strict=True)
    ]
    shown = [text_field("partner_a"), text_field("partner_b"), figure("joint", basis=basis, digits=2)]
    return (result(rows, fields, ("partner",), Text("collaboration.map"), aside=True),
            result(ties, shown, ("partner_a", "partner_b"), Text("collaboration.links"), aside=True))  # fmt: skip
