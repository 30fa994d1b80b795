"""A system measured: normalised panel, weights by every method, levels, coupling, coordination, uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError, KernelRefused
from ronghe.indexing.figures import Figures
from ronghe.indexing.panel import Panel
from ronghe.indexing.system import Item, System
from ronghe.kernels.checks import check_weights
from ronghe.kernels.coupling import Coordination, coordination, coordination_class
from ronghe.kernels.missing import Imputed, imputed_draws
from ronghe.kernels.montecarlo import Choices, MonteCarlo, simulate
from ronghe.kernels.normalise import minmax
from ronghe.kernels.weights import (
    ahp_weights,
    critic_weights,
    entropy_weights,
    equal_weights,
    game_combination,
    pca_weights,
)
from ronghe.lenses.base import Context
from ronghe.lenses.fusion.load import in_words, load_panel
from ronghe.lenses.fusion.params import Alpha, SystemName

Floats = NDArray[np.float64]
Form = Literal["modified", "classic"]
Weighing = Literal["combined", "entropy", "critic", "pca", "equal", "ahp", "own"]
Filling = Literal["system", "none", "carry", "linear", "model"]
DRAWS = 10_000
_VERSIONS = 4
_SENSITIVITY = 1_000


@dataclass(frozen=True, slots=True)
class Measure:
    """Everything that follows from system, snapshot and choices without chance.

    Attributes
    ----------
    Z : (t, n, m) normalised over the panel, in [0, 1].
    groups : (m,) subsystem of each indicator; ``alpha`` (g,) weights of subsystems.
    methods : weights (m,) by method, each summing to one within each subsystem; ``method`` is the one asked for.
    U : (t, n, g) levels; ``found`` their C, T, D in the form asked for, ``other`` in the other form.
    """

    system: System
    panel: Panel
    figures: Figures
    Z: Floats
    groups: NDArray[np.int64]
    alpha: Floats
    methods: Mapping[str, Floats]
    method: str
    form: Form
    missing: str
    U: Floats
    found: Coordination
    other: Coordination

    @property
    def weights(self) -> Floats:
        """(m,) the weights asked for."""
        return self.methods[self.method]

    @property
    def loading(self) -> Floats:
        """(m,) what one unit of each indicator adds to T: its weight times its subsystem's."""
        return np.asarray(self.weights * self.alpha[self.groups], dtype=np.float64)

    @property
    def classes(self) -> NDArray[np.int64]:
        """(t, n) the class of D."""
        return coordination_class(self.found.D)

    def filling(self, item: Item) -> str:
        """How gaps of an item were filled."""
        return item.missing if self.missing == "system" else self.missing

    def levels(self, weights: Floats) -> Floats:
        """(t, n, g) levels under other weights."""
        return levels(self.Z, weights, self.groups)


@dataclass(frozen=True, slots=True)
class Sure:
    """How sure: ``ranks`` over all choices; ``level`` of D on the min–max scale, where classes mean something."""

    ranks: MonteCarlo
    level: MonteCarlo


def levels(Z: Floats, weights: Floats, groups: NDArray[np.int64]) -> Floats:
    """(t, n, g) weighted sums within subsystems, at most 1."""
    member = groups[:, None] == np.arange(int(groups.max()) + 1)
    return np.asarray(np.minimum(Z @ np.where(member, weights[:, None], 0.0), 1.0), dtype=np.float64)


def measure(ctx: Context, params: Mapping[str, Any]) -> Measure:
    """The system of a question measured with the question's choices.

    Parameters
    ----------
    params : ``system``, ``alpha``, ``form``, ``weights``, ``missing`` of the question.

    Raises
    ------
    AskError, KernelRefused : the system, the data or the choices don't allow it; names what is at fault.
    """
    name = params["system"]
    system = (name if isinstance(name, SystemName) else SystemName(name)).system
    panel, figures = load_panel(ctx, system, params["missing"])
    ctx.check()
    if len(panel.regions) < 2:
        raise KernelRefused("fusion_few_regions", found=len(panel.regions), needed=2)
    names = [i.names for i in panel.items]
    places = [panel.name(r) for r in panel.regions]
    groups = np.array(system.groups, dtype=np.int64)
    with in_words(names, places, panel.years):
        Z = minmax(panel.oriented)
    methods = _methods(system, panel, Z, groups)
    method = params["weights"]
    if method not in methods:
        raise AskError("weights_absent", known=methods, method=method, system=system.names)
    with in_words(names, places):
        alpha = _alpha(params["alpha"], system)
        U = levels(Z, methods[method], groups)
        form: Form = params["form"]
        other: Form = "classic" if form == "modified" else "modified"
        found, second = coordination(U, alpha=alpha, form=form), coordination(U, alpha=alpha, form=other)
    return Measure(system, panel, figures, Z, groups, alpha, methods, method, form, params["missing"], U, found, second)


def _alpha(given: str | None, system: System) -> Floats:
    count = len(system.subsystems)
    if given is None:
        return np.full(count, 1.0 / count)
    values = Alpha.parse(given).values
    if len(values) != count:
        raise AskError("alpha_count", value=str(given), subsystems=[s.names for s in system.subsystems])
    return np.asarray(check_weights(np.asarray(values), count)[0], dtype=np.float64)


def _methods(system: System, panel: Panel, Z: Floats, groups: NDArray[np.int64]) -> dict[str, Floats]:
    found: dict[str, Floats] = {k: np.zeros(len(groups)) for k in ("combined", "entropy", "critic", "pca", "equal")}
    for g in range(len(system.subsystems)):
        own = groups == g
        names = [i.names for i, mine in zip(panel.items, own, strict=True) if mine]
        with in_words(names, [panel.name(r) for r in panel.regions], panel.years):
            cells = Z[:, :, own]
            base = [entropy_weights(cells), critic_weights(cells), pca_weights(cells), equal_weights(int(own.sum()))]
            for key, weights in zip(("entropy", "critic", "pca", "equal"), base, strict=True):
                found[key][own] = weights
            found["combined"][own] = game_combination(base).weights
    found |= _own(system, panel, groups)
    found |= _ahp(system, panel)
    return found


def _own(system: System, panel: Panel, groups: NDArray[np.int64]) -> dict[str, Floats]:
    stated = [i.weight for i in panel.items]
    if all(w is None for w in stated):
        return {}
    bare = [i.names for i, w in zip(panel.items, stated, strict=True) if w is None]
    if bare:
        raise AskError("own_weights", indicators=bare[:8])
    weights = np.array(stated, dtype=np.float64)
    for g, subsystem in enumerate(system.subsystems):
        total = float(weights[groups == g].sum())
        if abs(total - 1.0) > 1e-6:
            raise AskError("own_sum", subsystem=subsystem.names, total=total)
        weights[groups == g] /= total
    return {"own": weights}


def _ahp(system: System, panel: Panel) -> dict[str, Floats]:
    if not system.judgements:
        return {}
    absent = [s.names for s in system.subsystems if s.id not in system.judgements]
    if absent:
        raise AskError("ahp_absent", subsystems=absent)
    place = {item.id: j for j, item in enumerate(panel.items)}
    weights = np.zeros(len(panel.items))
    for judgement in system.judgements.values():
        at = [place[name] for name in judgement.order]
        with in_words([panel.items[j].names for j in at]):
            weights[at] = ahp_weights(judgement.matrix).weights
    return {"ahp": weights}


def versions(measured: Measure, seed: int) -> list[Floats]:
    """The panel as filled, and drawn again where cells were filled; oriented."""
    panel = measured.panel
    if not panel.filled.any():
        return [panel.oriented]
    drawn = imputed_draws(Imputed(panel.values, panel.filled, panel.sd), _VERSIONS - 1, seed=seed)
    return [panel.oriented, *(panel.turn(v) for v in drawn)]


def uncertainty(ctx: Context, measured: Measure, draws: int, seed: int, *, sensitivity: bool = True) -> Sure:
    """Ranks over every choice drawn, and D's interval on its own scale.

    Raises
    ------
    AskError : under 100 draws. KernelRefused : one region, or an indicator without spread.
    """
    if not 100 <= draws <= 200_000:
        raise AskError("draws", draws=draws)
    panel = measured.panel
    base = np.array([measured.methods[k] for k in sorted(measured.methods)])
    wide = Choices(
        base,
        measured.groups,
        measured.alpha,
        outcome="coordination",
        form=measured.form,
    )
    narrow = Choices(
        base,
        measured.groups,
        measured.alpha,
        normalisations=("minmax",),
        aggregations=("weighted_sum",),
        outcome="coordination",
        form=measured.form,
    )
    data = versions(measured, seed)
    base_sample = min(_SENSITIVITY, draws // 2) if sensitivity else 0
    with in_words([i.names for i in panel.items], [panel.name(r) for r in panel.regions], panel.years):
        ctx.progress("montecarlo", 0, 2)
        ranks = simulate(data, wide, draws=draws, seed=seed, sensitivity=base_sample)
        ctx.check()
        ctx.progress("montecarlo", 1, 2)
        level = simulate(data, narrow, draws=draws, seed=seed + 1, sensitivity=0)
        ctx.check()
    return Sure(ranks, level)


def order_of(scores: Floats) -> Sequence[int]:
    """Places from best to worst; equal scores in the order given."""
    return [int(i) for i in np.argsort(-scores, kind="stable")]
