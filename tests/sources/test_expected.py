"""What a quarantined field should have held can be said in both languages, whichever source says it."""

import ast
import re
import string
from pathlib import Path

import pytest

import ronghe
from ronghe.i18n import LANGUAGES, catalogue, has, translate
from ronghe.model.serial import packed, unpacked
from ronghe.sources.base import wanted

CALLS = [
    (path.name, node, ast.unparse(node.func))
    for path in sorted(Path(ronghe.__file__).parent.rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Call)
]
WANTED = [(file, node) for file, node, name in CALLS if name == "wanted"]


def _code(node: ast.Call) -> str:
    first = node.args[0]
    assert isinstance(first, ast.Constant), f"line {node.lineno}: a code that is no literal can't be looked for"
    return str(first.value)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_a_text_and_every_text_a_code(lang):
    assert len(WANTED) > 80
    said = {key.removeprefix("expected.") for key in catalogue(lang) if key.startswith("expected.")}
    assert {_code(node) for _, node in WANTED} == said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_text_uses_just_what_it_is_given(lang):
    differing = []
    for file, node in WANTED:
        pattern = catalogue(lang)[f"expected.{_code(node)}"]
        fields = {name for _, name, _, _ in string.Formatter().parse(pattern) if name}
        if fields != {word.arg for word in node.keywords}:
            differing.append(f"{file}:{node.lineno} {_code(node)}")
    assert differing == []


def test_no_source_says_what_it_expected_in_one_language():
    """The field is a text: a sentence of the source's own would stand in both languages."""
    places = {"Fault": 3, "Rejected": 5}
    literal = []
    for file, node, name in CALLS:
        given = node.args[places[name]] if name in places and len(node.args) > places[name] else None
        if isinstance(given, (ast.Constant, ast.JoinedStr)):
            literal.append(f"{file}:{node.lineno}")
    assert literal == []


def test_no_file_is_refused_in_one_language():
    """Names of formats and files may stand as they are; a sentence may not."""
    refused = [(file, node) for file, node, name in CALLS if name == "not_this_format"]
    assert len(refused) > 30
    literal = []
    for file, node in refused:
        for given in node.args[1:3]:
            parts = given.values if isinstance(given, ast.JoinedStr) else [given]
            texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            if any(re.search(r"[a-z] [a-z]", text) for text in texts):
                literal.append(f"{file}:{node.lineno}")
    assert literal == []


def test_every_reason_that_is_named_has_its_words():
    places = {"Fault": 2, "Rejected": 4}
    reasons = {
        node.args[places[name]].value
        for _, node, name in CALLS
        if name in places and len(node.args) > places[name] and isinstance(node.args[places[name]], ast.Constant)
    }
    assert len(reasons) > 10
    assert [reason for reason in sorted(reasons) if not has(f"reject.{reason}")] == []


@pytest.mark.parametrize(
    ("expected", "zh", "en"),
    [
        (wanted("at_least", low=0.0), "不小于0", "0 or more"),
        (wanted("one_of", values=["a", "b"]), "下列之一：a、b", "one of: a, b"),
        (wanted("unit", unit={"zh": "亿元", "en": "100 million yuan"}), "与“亿元”同类的单位",
         "a unit of the same kind as 100 million yuan"),
    ],
)  # fmt: skip
def test_what_was_expected_survives_the_lake(expected, zh, en):
    held = unpacked(*packed(expected))
    assert (translate("zh", held), translate("en", held)) == (zh, en)
