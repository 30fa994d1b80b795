"""Who works with whom, in which communities, who bridges them, who is missing, and which pairs should meet?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, triu
from sknetwork.clustering import Louvain, get_modularity

from ronghe.errors import AskError
from ronghe.kernels.centrality import betweenness, constraint
from ronghe.kernels.collaboration import salton, triple_helix
from ronghe.kernels.errors import KernelError
from ronghe.kernels.linkprediction import BASELINE, METHODS, Evaluation, evaluate, pair_scores
from ronghe.lenses.base import Context, Path, lens
from ronghe.lenses.frontier.collaboration_load import HELIX, LIMIT, TABLES, Web, load_web
from ronghe.lenses.frontier.collaboration_tables import (
    community_table,
    helix_table,
    node_table,
    pair_table,
    picture,
    suggestion_table,
    trial_table,
)
from ronghe.lenses.frontier.field_params import FieldName
from ronghe.model.finding import Caveat, Chart, Finding
from ronghe.model.provenance import Step
from ronghe.model.text import Text

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
READS = ("work", "authorship", "participation", "project", "collaboration")
What = Literal["works", "projects", "countries"]
_SAMPLED = 3000


@dataclass(frozen=True)
class Shape:
    """What follows from a network.

    Attributes
    ----------
    community : (n,) 0 for the largest; -1 without ties. modularity : of the partition. between, closed : (n,)
    betweenness and Burt's constraint. tested : how methods foresaw ties; ``None`` where nothing could be tested.
    method : what suggestions are scored by: the best that beats the baseline, else the baseline itself.
    """

    community: Ints
    modularity: float
    between: Floats
    closed: Floats
    tested: Evaluation | None
    method: str
    suggested: Sequence[tuple[int, int, float]]


def shape_of(web: Web, show: int) -> Shape:
    """Communities, brokers, the test, and the pairs that should meet."""
    n = len(web.ids)
    tied = np.diff(web.joint.indptr) > 0
    label = np.full(n, -1, dtype=np.int64)
    modularity = 0.0
    if tied.any():
        inner = np.flatnonzero(tied)
        part = csr_matrix(web.joint[inner][:, inner])
        found = np.asarray(Louvain(random_state=7).fit_predict(part))
        order = np.argsort(-np.bincount(found), kind="stable")
        label[inner] = np.argsort(order, kind="stable")[found]
        modularity = float(get_modularity(part, found))
    sources = None if n <= _SAMPLED else np.random.default_rng(7).permutation(n)[:_SAMPLED]
    tested = _test(web)
    method = BASELINE
    if tested is not None and tested.beats_baseline:
        method = max(tested.beats_baseline, key=lambda m: (tested.auc[m], m))
    return Shape(label, modularity, betweenness(web.joint, sources), constraint(web.joint), tested, method,
                 _suggested(web, method, show))  # fmt: skip


def _test(web: Web) -> Evaluation | None:
    try:
        return evaluate(web.past, web.later, METHODS)
    except KernelError:
        return None


def _suggested(web: Web, method: str, show: int) -> list[tuple[int, int, float]]:
    """The best untied pairs of different sides (of any countries), among the busiest few hundred."""
    busy = np.argsort(-web.full, kind="stable")[:400]
    busy = np.sort(busy[np.diff(web.joint.indptr)[busy] > 0])
    i, j = (busy[k] for k in np.triu_indices(busy.size, 1))
    graph = web.later + web.past if web.what == "countries" else web.joint
    kinds = np.array(web.kind)
    free = np.asarray(graph[i, j]).ravel() == 0
    if web.what != "countries":
        free &= (kinds[i] != kinds[j]) & np.isin(kinds[i], HELIX) & np.isin(kinds[j], HELIX)
    i, j = i[free], j[free]
    if not i.size:
        return []
    score = pair_scores(graph, i, j, method)
    order = np.lexsort((j, i, -score))[:show]
    return [(int(i[k]), int(j[k]), float(score[k])) for k in order if score[k] > 0]


def _explain(ctx: Context, finding: Finding, table: str, column: str, row: Mapping[str, Any]) -> Sequence[Path]:
    """The ties behind a partner's figure; the common partners behind a suggestion; the works behind a tie."""
    del finding, table, column
    field = ctx.params["field"]
    web = load_web(ctx, ctx.params["source"], FieldName(field).definition if field else None)
    at = {v: i for i, v in enumerate(web.ids)}
    source = TABLES[web.what]
    ends = [row.get(k) for k in ("partner_a", "partner_b")]
    if all(e in at for e in ends):
        i, j = (at[str(e)] for e in ends)
        if web.joint[i, j]:
            return [Path(web.names[j], float(web.joint[i, j]), 1.0, web.cells(i, j), source)]
        parts = web.joint[[i]].toarray().ravel() * web.joint[[j]].toarray().ravel()
        return _ties(web, parts, lambda z: web.cells(i, z))
    if row.get("partner") in at:
        i = at[str(row["partner"])]
        return _ties(web, web.joint[[i]].toarray().ravel(), lambda z: web.cells(i, z))
    if "community" in row and row["community"] is not None:
        label = shape_of(web, 1).community
        inside = np.where(label == int(row["community"]), web.size, 0.0)
        key = "region" if web.what == "countries" else "org_id"
        return _ties(web, inside, lambda z: {key: web.ids[z]})
    return ()


def _ties(web: Web, parts: Floats, cells: Any) -> list[Path]:
    total = float(parts.sum()) or 1.0
    order = np.argsort(-parts, kind="stable")[:8]
    source = TABLES[web.what]
    return [Path(web.names[int(z)], float(parts[z]), float(parts[z] / total), cells(int(z)), source)
            for z in order if parts[z] > 0]  # fmt: skip


def _caveats(web: Web, shape: Shape) -> list[Caveat]:
    said = [Caveat("note", Text(f"collaboration.what.{web.what}", {"limit": LIMIT, "left": web.too_long}))]
    if web.unnamed > 0.005:
        said.append(Caveat("warning", Text("collaboration.unnamed", {"share": web.unnamed})))
    tested = shape.tested
    if tested is None:
        said.append(Caveat("warning", Text("collaboration.untested")))
        return said
    args = {
        "how": Text(f"collaboration.split.{web.what}", {"year": web.split}), "pairs": tested.pairs,
        "positives": tested.positives, "method": Text(f"class.link_method.{shape.method}"),
        "auc": tested.auc[shape.method], "base": tested.auc[BASELINE], "precision": tested.precision[shape.method],
        "base_precision": tested.precision[BASELINE],
    }  # fmt: skip
    wins = shape.method != BASELINE
    said.append(Caveat("note" if wins else "warning", Text(f"collaboration.test_{'wins' if wins else 'loses'}", args)))
    # Two areas on the same pairs: closer than chance would part them, with the positives as the sample.
    apart = 1.645 * float(np.sqrt(tested.auc[shape.method] * (1 - tested.auc[shape.method]) / tested.positives))
    if wins and tested.auc[shape.method] - tested.auc[BASELINE] < apart:
        said.append(Caveat("warning", Text("collaboration.slight", {"apart": apart})))
    if tested.precision[shape.method] < 0.2:
        said.append(Caveat("warning", Text("collaboration.rare", {"precision": tested.precision[shape.method]})))
    return said


@lens("collaboration", version=1, reads=READS, explain=_explain)
def collaboration(ctx: Context, *, source: What = "works", field: FieldName | None = None, show: int = 30) -> Finding:
    """Who works with whom, in which communities, who bridges them, who is missing, and which pairs should meet?"""
    if not 1 <= show <= 500:
        raise AskError("collaboration_show", value=show)
    web = load_web(ctx, source, FieldName(field).definition if field is not None else None)
    if not triu(web.joint, 1).nnz:
        raise AskError("collaboration_none", network=source, partners=len(web.ids))
    shape = shape_of(web, show)
    strength = salton(web.whole, np.maximum(web.full, 1e-12))
    nodes, edges = picture(web, shape)
    tables = {
        "partners": node_table(web, shape, show), "pairs": pair_table(web, strength, show),
        "communities": community_table(web, shape), "suggested": suggestion_table(web, shape),
    }  # fmt: skip
    if shape.tested is not None:
        tables["test"] = trial_table(web, shape.tested)
    args: dict[str, Any] = {
        "partners": len(web.ids), "ties": int(web.joint.nnz // 2),
        "communities": int((np.bincount(shape.community[shape.community >= 0]) >= 3).sum()),
        "modularity": shape.modularity,
    }  # fmt: skip
    if web.helix is not None:
        synergy = triple_helix(web.helix)
        tables["helix"] = helix_table(web, synergy.t)
        args["synergy"] = synergy.t * 1000
    tables |= {"map": nodes, "links": edges}
    first = tables["partners"].data.to_pylist()[0]
    args["first"] = {"zh": first["partner_name_zh"], "en": first["partner_name_en"]}
    charts = [
        Chart("graph", "map",
              {"id": "partner", "name": "partner_name", "category": "community_name", "size": "strength", "x": "x",
               "y": "y", "links": "links", "source": "partner_a", "target": "partner_b", "weight": "joint"},
              Text("collaboration.map"), {"labels": 30}),
    ]  # fmt: skip
    if shape.tested is not None:
        charts.append(Chart("bar", "test", {"x": "link_method", "y": "auc"}, Text("collaboration.test_chart"),
                            {"line": shape.tested.auc[BASELINE]}))  # fmt: skip
    key = "collaboration.headline" if web.helix is not None else "collaboration.headline_countries"
    return ctx.answer(Text(key, args), tables, charts=charts, caveats=_caveats(web, shape), steps=_steps(shape))


def _steps(shape: Shape) -> list[Step]:
    return [
        Step("collaboration.ties", "J_ij = Σ_w 1/(k_w − 1)", "Perianes-Rodriguez, Waltman & van Eck 2016"),
        Step("collaboration.salton", "S_ij = J_ij/√(c_i c_j), with whole counts", "Salton & McGill 1983"),
        Step("Louvain", "communities by modularity, seeded", "Blondel et al. 2008, J Stat Mech P10008"),
        Step("centrality.betweenness", "exact up to 3,000 partners, else from 3,000 of them", "Brandes 2001"),
        Step("centrality.constraint", "C_i = Σ_j (p_ij + Σ_q p_iq p_qj)²", "Burt 1992, Structural Holes"),
        Step("linkprediction.evaluate", "untied pairs of partners active in both periods; AUC and precision among as "
             "many as tied", "Liben-Nowell & Kleinberg 2007", {"method": shape.method}),
        Step("collaboration.triple_helix", "T = H1 + H2 + H3 − H12 − H13 − H23 + H123", "Leydesdorff 2003"),
    ]  # fmt: skip
