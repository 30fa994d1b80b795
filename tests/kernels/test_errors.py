"""Every refusal of a kernel can be said in both languages, with the numbers that every place gives it."""

import ast
import string
from pathlib import Path

import pytest

import ronghe.kernels
from ronghe.errors import refusal
from ronghe.i18n import LANGUAGES, catalogue, translate
from ronghe.kernels.allocation import optimal_shares
from ronghe.kernels.errors import KernelError

TREES = [
    ast.parse(path.read_text(encoding="utf-8")) for path in sorted(Path(ronghe.kernels.__file__).parent.glob("*.py"))
]


def _literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _family() -> set[str]:
    """KernelError and whatever is derived from it, by name."""
    classes = [node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    family = {"KernelError"}
    while more := {c.name for c in classes if family & {ast.unparse(b) for b in c.bases}} - family:
        family |= more
    return family


def _kinds(family: set[str]) -> dict[str, str]:
    """The codes that a class gives its errors."""
    found = {}
    for tree in TREES:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name in family:
                for line in node.body:
                    kind = _literal(getattr(line, "value", None))
                    if isinstance(line, (ast.Assign, ast.AnnAssign)) and kind and "kind" in ast.unparse(line):
                        found[node.name] = kind
    return found


def _raised() -> dict[str, list[set[str]]]:
    """Code -> the names of the details, place by place."""
    family = _family()
    kinds = _kinds(family)
    found: dict[str, list[set[str]]] = {kind: [] for kind in kinds.values()}
    for tree in TREES:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            named = {word.arg: word.value for word in node.keywords if word.arg}
            if name in {"KernelError", "super().__init__"}:
                code = _literal(node.args[0] if node.args else named.get("code"))
            else:
                code = _literal(named.get("code")) or kinds.get(name) if name in family else None
            if code:
                found.setdefault(code, []).append(set(named) - {"code"})
    return found


RAISED = _raised()


def test_the_codes_are_found_however_they_are_raised():
    assert {"shape", "duplicate_edge", "negative", "not-productive", "singular", "table", "fraction"} <= set(RAISED)
    assert len(RAISED) > 80
    # A code that is no literal would escape.
    calls = [node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Call)]
    codes = [n.args[0] for n in calls if ast.unparse(n.func) == "KernelError"]
    codes += [k.value for n in calls if ast.unparse(n.func) == "FusionError" for k in n.keywords if k.arg == "code"]
    assert [ast.unparse(code) for code in codes if not _literal(code)] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_a_text_and_every_text_a_code(lang):
    said = {key.removeprefix("refused.") for key in catalogue(lang) if key.startswith("refused.")}
    assert said == set(RAISED)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_text_asks_only_for_what_every_place_gives(lang):
    wrong = []
    for code, places in RAISED.items():
        fields = {name for _, name, _, _ in string.Formatter().parse(catalogue(lang)[f"refused.{code}"]) if name}
        wrong += [code for given in places if not fields <= given]
    assert wrong == []


def test_a_refusal_is_said_with_its_numbers():
    with pytest.raises(KernelError) as caught:
        optimal_shares([0.5, 0.5], [[0.0, 1.0], [1.0, 0.0]], -0.1, 0.5)
    told = refusal(caught.value.code, caught.value.details)
    assert translate("en", told) == "discount rate (-0.1) and innovation step (0.5) must be positive"
    assert translate("zh", told) == "贴现率（-0.1）与创新步长（0.5）须为正"
