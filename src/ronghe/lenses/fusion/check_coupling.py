"""Was a published coupling degree computed with the right formula? If not, which common error reproduces it?"""

import re
from typing import Any

import numpy as np

from ronghe.errors import AskError
from ronghe.kernels.coupling import Diagnosis, Form, coordination, diagnose_published
from ronghe.lenses.base import Context, lens
from ronghe.lenses.fusion.common import result
from ronghe.lenses.fusion.load import in_words
from ronghe.lenses.fusion.params import Alpha
from ronghe.lenses.params import Named
from ronghe.model.finding import Caveat, Field, Finding, Result
from ronghe.model.provenance import Step
from ronghe.model.text import Text, both

_NUMBER = re.compile(r"[0-9]*\.?[0-9]+")
_FORMS: tuple[Form, ...] = ("classic", "modified")
_RIGHT = frozenset({"classic", "modified"})
_CORRECT_T = frozenset({"T", "D-classic", "D-modified"})


class Figures(Named):
    """Rows of published figures: the levels U₁, U₂ … and then C, rows parted by ``;`` (``0.291,0.320,0.9989``)."""

    @classmethod
    def parse(cls, text: str) -> "Figures":
        """The rows in one spelling, digits kept as printed.

        Raises
        ------
        AskError : fewer than three numbers in a row, or rows of different lengths.
        """
        rows = [_NUMBER.findall(line) for line in re.split(r"[;；\n]", text) if line.strip()]
        if not rows or len(rows[0]) < 3 or any(len(r) != len(rows[0]) for r in rows):
            raise AskError("figures", value=text)
        return cls("; ".join(", ".join(r) for r in rows))

    @property
    def rows(self) -> list[list[str]]:
        """The numbers as printed."""
        return [line.split(", ") for line in self.split("; ")]


def _digits(numbers: list[str]) -> int:
    return max(len(n.partition(".")[2]) for n in numbers)


def _rows(found: Diagnosis, figures: Figures) -> Result:
    rows = []
    for r, printed in enumerate(figures.rows):
        fitting = [form for k, form in enumerate(found.forms) if found.fits[k, r]]
        rows.append(
            {
                "row": r + 1,
                "levels": ", ".join(printed[:-1]),
                "published": float(printed[-1]),
                "classic": float(found.values[found.forms.index("classic"), r]),
                "modified": float(found.values[found.forms.index("modified"), r]),
                "first": f"coupling_form.{_key(fitting[0])}" if fitting else "coupling_form.none",
                "count": len(fitting),
            }
        )
    fields = (
        Field("row", Text("column.row_number"), "integer"),
        Field("levels", Text("column.levels"), "text"),
        Field("published", Text("column.published"), digits=4),
        Field("classic", Text("column.C_classic"), digits=4),
        Field("modified", Text("column.C_modified"), digits=4),
        Field("first", Text("column.first_fit"), "key"),
        Field("count", Text("column.fitting"), "integer"),
    )
    return result(rows, fields, ("row",), Text("check_coupling.rows"))


def _values(found: Diagnosis, figures: Figures) -> Result:
    rows = [
        {
            "row": r + 1,
            "form": f"coupling_form.{_key(form)}",
            "value": float(found.values[k, r]),
            "published": float(printed[-1]),
            "fits": bool(found.fits[k, r]),
        }
        for r, printed in enumerate(figures.rows)
        for k, form in enumerate(found.forms)
    ]
    fields = (
        Field("row", Text("column.row_number"), "integer"),
        Field("form", Text("column.form"), "key"),
        Field("value", Text("column.form_gives"), digits=4),
        Field("published", Text("column.published"), digits=4),
        Field("fits", Text("column.fits"), "text"),
    )
    return result(rows, fields, ("row", "form"), Text("check_coupling.values"))


def _key(form: str) -> str:
    return form.replace("-", "_").lower()


def _forms(found: Diagnosis) -> Result:
    rows = [
        {
            "form": f"coupling_form.{_key(form)}",
            "kind": "check_coupling.right" if form in _RIGHT else "check_coupling.not_c" if form in _CORRECT_T
            else "check_coupling.wrong",
            "fits": int(found.fits[k].sum()),
            "formula": f"coupling_formula.{_key(form)}",
        }
        for k, form in enumerate(found.forms)
    ]  # fmt: skip
    fields = (
        Field("form", Text("column.form"), "key"),
        Field("kind", Text("column.verdict"), "key"),
        Field("fits", Text("column.rows_fit"), "integer"),
        Field("formula", Text("column.formula"), "key"),
    )
    return result(rows, fields, ("form",), Text("check_coupling.forms"))


def _right(U: Any, alpha: Any, figures: Figures) -> Result:
    """What the correct forms give: C, T and D of each row."""
    rows = []
    for r, printed in enumerate(figures.rows):
        for form in _FORMS:
            one = coordination(U[r], alpha=alpha, form=form)
            rows.append({"row": r + 1, "form": f"fusion.form.{form}", "levels": ", ".join(printed[:-1]),
                         "C": float(one.C), "T": float(one.T), "D": float(one.D)})  # fmt: skip
    fields = (
        Field("row", Text("column.row_number"), "integer"),
        Field("form", Text("column.form"), "key"),
        Field("levels", Text("column.levels"), "text"),
        *(Field(k, Text(f"column.{k}"), digits=4) for k in ("C", "T")),
        Field("D", Text("column.D"), digits=4),
    )
    return result(rows, fields, ("row", "form"), Text("check_coupling.correct"))


@lens("check_coupling", version=1, reads=())
def check_coupling(ctx: Context, *, figures: Figures, alpha: Alpha | None = None, decimals: int = -1) -> Finding:
    """Is a published coupling degree right, and if not, which common error does it show?"""
    printed = figures.rows
    U = np.array([[float(v) for v in row[:-1]] for row in printed])
    published = np.array([float(row[-1]) for row in printed])
    shares = None if alpha is None else np.array(alpha.values)
    digits = decimals if decimals >= 0 else _digits([row[-1] for row in printed])
    level_digits = _digits([v for row in printed for v in row[:-1]])
    if shares is not None and len(shares) != U.shape[1]:
        raise AskError("alpha_count", value=str(alpha), subsystems=[f"U{k + 1}" for k in range(U.shape[1])])
    with in_words():
        found = diagnose_published(U, published, alpha=shares, decimals=digits, decimals_U=level_digits)
        correct = _right(U, shares, figures)
    if found.verdict is not None:
        verdict = "right" if found.verdict in _RIGHT else "not_c" if found.verdict in _CORRECT_T else "wrong"
        form: Any = Text(f"coupling_form.{_key(found.verdict)}")
    else:
        verdict, form = ("mixed" if found.mixed else "unknown"), both("—", "—")
    args = {"count": len(printed), "verdict": Text(f"check_coupling.verdict.{verdict}"), "form": form}
    steps = (
        Step("coupling.diagnose_published", "every form, right and wrong, against the printed digits",
             "刘春林 2017; 王淑佳 et al. 2021, 自然资源学报 36(3):793",
             {"decimals": digits, "decimals_U": level_digits}),
    )  # fmt: skip
    notes = [Caveat("note", Text("check_coupling.rounding", {"digits": digits, "level_digits": level_digits}))]
    also = [f for k, f in enumerate(found.forms) if found.fits[k].all() and f != found.verdict]
    if found.verdict is not None and also:
        listed = [Text(f"coupling_form.{_key(f)}") for f in also]
        notes.append(Caveat("warning", Text("check_coupling.ambiguous", {"forms": listed})))
    if len(printed) == 1:
        notes.append(Caveat("warning", Text("check_coupling.one_row")))
    return ctx.answer(
        Text("check_coupling.headline", args),
        {
            "rows": _rows(found, figures),
            "correct": correct,
            "forms": _forms(found),
            "values": _values(found, figures),
        },
        caveats=notes,
        steps=steps,
    )
