"""How far matches can be trusted: names held out of the register itself, and inventors told apart by hand."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ronghe.lenses.base import Context, lens
from ronghe.lenses.frames import figure, result, text_field
from ronghe.lenses.frontier.match_load import REGISTER, Register, load_register
from ronghe.model.finding import Caveat, Chart, Finding, Matrix, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text
from ronghe.resolve.evaluate import Quality, hold_out, inventors_quality, measure
from ronghe.resolve.model import LEVELS, Weights, learn

READS = ("organisation", "labelled_inventor")
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_EVERY = Matrix("organisation", {})
_PAPER = "Fellegi & Sunter (1969), A theory for record linkage, JASA 64(328); Linacre et al. (2022), Splink, IJPDS 7(3)"


def weights_of(finding: Finding) -> Weights:
    """The model's weights as a finding of this lens holds them."""
    levels: dict[str, list[tuple[float, float]]] = {name: [] for name in LEVELS}
    for row in finding.tables["levels"].data.to_pylist():
        levels[row["comparison"]].append((row["m"], row["u"]))
    curve = [(r["odds_score"], r["found_right"]) for r in finding.tables["curve"].data.to_pylist()]
    (model,) = finding.tables["model"].data.to_pylist()
    return Weights({k: tuple(v) for k, v in levels.items() if v}, model["prior"], model["pairs"], tuple(curve))


def quality_at(finding: Finding, least: float) -> dict[str, Any]:
    """Precision and recall of all held-out names at the threshold nearest below, or the lowest."""
    rows = [
        r
        for r in finding.tables["quality"].data.to_pylist()
        if r["quality_group"] == "all" and r["asked_with"] == "none"
    ]
    fit = [r for r in rows if r["match_threshold"] <= least + 1e-9] or rows[:1]
    return dict(fit[-1]) if fit else {"match_precision": None, "match_recall": None, "match_threshold": None}


def _slug(words: str) -> str:
    """A group's or level's own name as a value of a class."""
    return re.sub(r"[^a-z]+", "_", words.casefold())


def _quality(lines: Mapping[str, Sequence[Quality]]) -> Result:
    rows = [
        {"asked_with": how, "quality_group": _slug(line.group), "match_threshold": line.threshold,
         "names_given": line.given, "names_answered": line.answered, "names_right": line.right,
         "match_precision": line.precision, "match_recall": line.recall}
        for how, said in lines.items()
        for line in said
        if line.given
    ]  # fmt: skip
    rows.sort(key=lambda r: (r["asked_with"] != "none", r["quality_group"], r["match_threshold"]))
    fields = [
        text_field("asked_with", "class"), text_field("quality_group", "class"),
        figure("match_threshold", basis=_EVERY, digits=2),
        *(figure(c, "share", basis=_EVERY) for c in ("match_precision", "match_recall")),
        *(figure(c, "integer", basis=_EVERY) for c in ("names_given", "names_answered", "names_right")),
    ]  # fmt: skip
    return result(rows, fields, ("asked_with", "quality_group", "match_threshold"), Text("matches.quality"))


def _levels(weights: Weights) -> Result:
    rows = []
    for comparison, tests in LEVELS.items():
        held = weights.levels.get(comparison, ())
        for (level, _), (m, u) in zip([*tests, ("else", "")], held, strict=False):
            likeness, _, rarity = level.partition("; ")
            rows.append({"comparison": comparison, "likeness": _slug(likeness), "rarity": _slug(rarity) or None, "m": m,
                         "u": u, "match_weight": math.log2(m / u)})  # fmt: skip
    fields = [
        *(text_field(c, "class") for c in ("comparison", "likeness", "rarity")),
        *(figure(c, "share", basis=_EVERY, digits=3) for c in ("m", "u")),
        figure("match_weight", basis=_EVERY, digits=1),
    ]  # fmt: skip
    return result(rows, fields, ("comparison", "likeness", "rarity"), Text("matches.levels"))


def _curve(weights: Weights) -> Result:
    rows = [
        {"point": f"{i:03d}", "odds_score": at, "found_right": share} for i, (at, share) in enumerate(weights.curve)
    ]
    fields = [
        text_field("point"),
        figure("odds_score", basis=_EVERY, digits=6),
        figure("found_right", "share", basis=_EVERY),
    ]
    return result(rows, fields, ("point",), Text("matches.curve"))


def _inventors(ctx: Context) -> Sequence[Quality]:
    rows = ctx.rows("labelled_inventor", ("inventor", "first_name", "last_name"))
    return [inventors_quality(rows)] if rows.num_rows else ()


@lens("match_quality", version=1, reads=READS)
def match_quality(ctx: Context, *, register: Register = REGISTER, seed: int = 0) -> Finding:
    """How far can matches of names with organisations be trusted: precision and recall on names held out?"""
    rows = load_register(ctx, register)
    held = hold_out(rows, seed=seed)
    ctx.progress("model", 0, 3)
    # What is measured is the very model that `matches` uses: it never saw the names held out.
    weights = learn(held.known, seed=seed)
    lines: dict[str, Sequence[Quality]] = {}
    for step, (how, asked) in enumerate((("none", held.anywhere()), ("country", held)), start=1):
        ctx.progress("held out", step, 3)
        ctx.check()
        lines[how] = measure(asked, weights, thresholds=THRESHOLDS)
    inventors = _inventors(ctx)
    model = [{"register": str(register), "organisations": rows.num_rows, "spellings": len(held.known.spellings),
              "pairs": weights.pairs, "prior": weights.prior}]  # fmt: skip
    counted = ("organisations", "spellings", "pairs")
    fields = [
        text_field("register"),
        *(figure(c, "integer", basis=_EVERY) for c in counted),
        figure("prior", basis=_EVERY),
    ]
    tables = {"quality": _quality(lines), "model": result(model, fields, ("register",), Text("matches.model")),
              "levels": _levels(weights), "curve": _curve(weights)}  # fmt: skip
    caveats = [Caveat("note", Text("matches.held_out")), Caveat("note", Text("matches.own_names"))]
    if inventors:
        args = {"precision": inventors[0].precision or 0.0, "recall": inventors[0].recall or 0.0}
        caveats.append(Caveat("note", Text("matches.inventors", {**args, "names": inventors[0].given})))
    at = [line for line in lines["none"] if line.group == "all" and line.threshold == 0.5]
    args = {"names": at[0].given, "precision": at[0].precision or 0.0, "recall": at[0].recall or 0.0} if at else {}
    return ctx.answer(
        Text("matches.quality_headline" if at and at[0].given else "matches.quality_none", args),
        tables,
        charts=(
            Chart("line", "quality", {"x": "match_threshold", "y": "match_precision", "y2": "match_recall"},
                  Text("matches.quality_chart"), {"where": {"quality_group": "all", "asked_with": "none"}}),
        ),
        caveats=caveats,
        steps=(Step("resolve.model", "p = o / (1 + Σ o), log₂ o = log₂ π/(1−π) + Σ log₂ m/u; then isotonic",
                    _PAPER, {"seed": seed}),),
    )  # fmt: skip
