"""Tables of regions on the move and beside their neighbours: Markov chains and Moran's I."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ronghe.kernels import markov as chains
from ronghe.kernels.markov import SpatialChain
from ronghe.kernels.spatial import LocalMoran, lag, local_moran, moran
from ronghe.lenses.fusion.common import everything, named, result, say_names
from ronghe.lenses.fusion.measure import Measure
from ronghe.model.finding import Field, Result
from ronghe.model.text import Text

Floats = NDArray[np.float64]
STATES = 4
PERMUTATIONS = 999
_QUADRANTS = {1: "high_high", 2: "low_high", 3: "low_low", 4: "high_low"}
_SURE = 0.05


def states_of(D: Floats, k: int) -> tuple[NDArray[np.int64], Floats]:
    """Classes (t, n) of equal size over all region-years, and the k - 1 cutoffs."""
    cut = chains.quantile_cutoffs(D, k)
    return chains.classify(D, cut), cut


def spatial_chain(D: Floats, W: Floats, k: int) -> SpatialChain:
    """Chains by the class of the neighbours' mean; regions without neighbours stay out of the conditional ones."""
    states, cut = states_of(D, k)
    near = chains.classify(lag(W, D), cut)
    near[:, W.sum(axis=1) == 0] = -1
    return chains.spatial_markov(states, near, k, k)


def markov_table(measured: Measure, found: SpatialChain) -> Result:
    """Every move between classes, of all regions and by the neighbours' class."""
    k = found.pooled.counts.shape[0]
    blocks = [("all", found.pooled.counts, found.pooled.P)]
    blocks += [(f"l{b + 1}", found.counts[b], found.P[b]) for b in range(len(found.counts))]
    rows = [
        {
            "neighbours": f"fusion.lag.{name}",
            "from": f"fusion.state.{i + 1}",
            "to": f"fusion.state.{j + 1}",
            "count": int(counts[i, j]),
            "p": float(P[i, j]),
        }
        for name, counts, P in blocks
        for i in range(k)
        for j in range(k)
    ]
    basis = everything(measured)
    fields = (
        Field("neighbours", Text("column.neighbours"), "key"),
        Field("from", Text("column.from_state"), "key"),
        Field("to", Text("column.to_state"), "key"),
        Field("count", Text("column.moves"), "integer", basis=basis),
        Field("p", Text("column.transition"), basis=basis, digits=3),
    )
    return result(rows, fields, ("neighbours", "from", "to"), Text("fusion.markov"))


def long_run_table(measured: Measure, found: SpatialChain, cut: Floats, states: NDArray[np.int64]) -> Result:
    """By class: its bounds, how many regions are in it at the start, at the end and in the long run."""
    k = len(cut) + 1
    ergodic = chains.ergodic(found.pooled.P)
    edges = [0.0, *[float(c) for c in cut], 1.0]
    rows = [
        {
            "state": f"fusion.state.{s + 1}",
            "low": edges[s],
            "high": edges[s + 1],
            "first": int((states[0] == s).sum()),
            "last": int((states[-1] == s).sum()),
            "long_run": float(ergodic[s]),
        }
        for s in range(k)
    ]
    basis = everything(measured)
    years = measured.panel.years
    fields = (
        Field("state", Text("column.state"), "key"),
        Field("low", Text("column.above"), basis=basis, digits=3),
        Field("high", Text("column.up_to"), basis=basis, digits=3),
        Field("first", Text("column.regions_in", {"year": years[0]}), "integer", basis=basis),
        Field("last", Text("column.regions_in", {"year": years[-1]}), "integer", basis=basis),
        Field("long_run", Text("column.long_run"), "share", basis=basis),
    )
    return result(rows, fields, ("state",), Text("fusion.long_run"))


def chain_tests(found: SpatialChain) -> list[dict[str, Any]]:
    """Does the neighbourhood matter? Likelihood ratio and Pearson's Q; and how much moves at all."""
    test = chains.homogeneity(found.counts)
    return [
        {"test": "fusion.test.lr", "value": test.LR, "dof": test.dof, "p": test.p_lr},
        {"test": "fusion.test.q", "value": test.Q, "dof": test.dof, "p": test.p_q},
        {"test": "fusion.test.mobility", "value": chains.mobility(found.pooled.P), "dof": None, "p": None},
    ]


def tests_table(measured: Measure, rows: Sequence[Mapping[str, Any]]) -> Result:
    """Tests with statistic, degrees of freedom and p."""
    basis = everything(measured)
    fields = (
        Field("test", Text("column.test"), "key"),
        Field("value", Text("column.statistic"), basis=basis, digits=3),
        Field("dof", Text("column.dof"), "integer", basis=basis),
        Field("p", Text("column.p_value"), basis=basis, digits=3),
    )
    return result(rows, fields, ("test",), Text("fusion.tests"))


def moran_by_year(D: Floats, W: Floats, seed: int) -> list[dict[str, float]]:
    """Moran's I of every year with its expectation, z and permutation p."""
    rows = []
    for y in D:
        found = moran(y, W, permutations=PERMUTATIONS, seed=seed)
        rows.append({"I": found.I, "z": found.z_rand, "p": found.p_sim})
    return rows


def local_table(measured: Measure, W: Floats, t: int, seed: int) -> Result:
    """By region: its deviation, its neighbours', the quadrant of the scatter, and whether it is more than noise."""
    panel, D = measured.panel, measured.found.D[t]
    found: LocalMoran = local_moran(D, W, permutations=PERMUTATIONS, seed=seed)
    spread = float(D.std()) or 1.0
    z = (D - D.mean()) / spread
    near = lag(W, z)
    rows = [
        {
            **say_names("name", panel.name(region)),
            "z": float(z[i]),
            "lag": float(near[i]),
            "I": float(found.I[i]),
            "quadrant": f"fusion.quadrant.{_QUADRANTS[int(found.quadrant[i])]}",
            "p": float(found.p_sim[i]),
            "p_fdr": float(found.p_fdr[i]),
            "verdict": _verdict(float(found.p_sim[i]), float(found.p_fdr[i])),
            "region": region,
        }
        for i, region in enumerate(panel.regions)
    ]
    rows.sort(key=lambda r: (r["p"], str(r["region"])))
    basis = everything(measured)
    fields = (
        *named("name", "column.region_name"),
        Field("z", Text("column.deviation"), basis=basis, digits=3),
        Field("lag", Text("column.spatial_lag"), basis=basis, digits=3),
        Field("I", Text("column.local_I"), basis=basis, digits=3),
        Field("quadrant", Text("column.moran_quadrant"), "key"),
        Field("p", Text("column.p_value"), basis=basis, digits=3),
        Field("p_fdr", Text("column.p_fdr"), basis=basis, digits=3),
        Field("verdict", Text("column.verdict"), "key"),
        Field("region", Text("column.region"), "text"),
    )
    return result(rows, fields, ("region",), Text("fusion.local", {"year": panel.years[t]}))


def _verdict(p: float, p_fdr: float) -> str:
    if p_fdr <= _SURE:
        return "fusion.local.sure"
    return "fusion.local.alone" if p <= _SURE else "fusion.local.noise"
