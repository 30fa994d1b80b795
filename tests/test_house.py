"""The house keeps its shape: one way through it, small rooms, two languages, an exact public face."""

import ast
import re
import string
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points

import pytest

import ronghe
from ronghe.i18n import LANGUAGES, _flatten, _sentence, catalogue, has
from ronghe.model.table import contracts
from ronghe.model.units import units
from ronghe.plugins import THEMES, get_lens, lens_names, lens_themes, source_names
from tests.conftest import ROOT

SOURCES = sorted((ROOT / "src").rglob("*.py"))
KEY = re.compile(r"""(?:Text|state\.t|\bt)\(\s*f?["']([a-z0-9_]+(?:\.[a-z0-9_]+)+)["']""")
ERROR = re.compile(
    r"""\b(?:RongheError|ConfigError|SourceError|FetchError|MappingError|LakeError|BalanceError|AskError|UnknownName"""
    r"""|NoData|KernelRefused|TraceError|LicenceError|AuthError|Cancelled)\(\s*["']([a-z0-9_]+)["']"""
)


def test_imports_run_one_way():
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines that say what a function does; formulas, shapes and papers need room."""
    first = node.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return first.end_lineno - first.lineno + 1 if told else 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src" / "ronghe")))
def test_rooms_are_small_and_nothing_is_hidden(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno + 1 - _docstring(node) <= 50, node.name
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"line {node.lineno}: print"
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or getattr(node.type, "id", "") in {"Exception", "BaseException"}
            assert not (broad and all(isinstance(b, ast.Pass) for b in node.body)), f"line {node.lineno}"


def _fields(pattern: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(pattern) if name}


def test_both_languages_hold_the_same_keys_and_placeholders():
    zh, en = (catalogue(lang) for lang in LANGUAGES)
    assert set(zh) == set(en)
    assert [k for k in zh if _fields(zh[k]) != _fields(en[k])] == []
    assert [k for k in zh if not zh[k].strip() and not k.endswith("hint")] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_is_said_twice_in_different_words(lang):
    said: dict[str, str] = {}
    differing = []
    for file in sorted((ROOT / "src" / "ronghe" / "locales" / lang).glob("*.toml")):
        for key, text in _flatten(tomllib.loads(file.read_text(encoding="utf-8"))).items():
            if said.setdefault(key, text) != text:
                differing.append(f"{file.name}: {key}")
    assert differing == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_section_with_a_file_of_its_name_stands_whole_there(lang):
    files = {file.stem: file for file in (ROOT / "src" / "ronghe" / "locales" / lang).glob("*.toml")}
    sections = {name: set(tomllib.loads(file.read_text(encoding="utf-8"))) for name, file in files.items()}
    assert [(a, b) for a, held in sections.items() for b in held & set(files) - {a}] == []
    assert all(_sentence(lang, key) == text for key, text in catalogue(lang).items())


def test_every_key_that_the_code_names_is_there():
    missing = []
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        missing += [f"{path.name}: {k}" for k in KEY.findall(text) if not has(k)]
        missing += [f"{path.name}: error.{k}" for k in ERROR.findall(text) if not has(f"error.{k}")]
        missing += [f"{path.name}: error.{k}.hint" for k in ERROR.findall(text) if not has(f"error.{k}.hint")]
    assert missing == []


@pytest.mark.parametrize("name", lens_names())
def test_every_lens_has_its_words(name):
    spec = get_lens(name)
    keys = [spec.title.key, spec.question.key, *(p.help.key for p in spec.params)]
    keys += [f"choice.{p.name}.{value}" for p in spec.params for value in p.literals]
    assert [k for k in keys if not has(k)] == []
    assert set(spec.reads) <= set(contracts())
    assert spec.function.__doc__


def test_contracts_name_their_columns_in_both_languages_and_their_units():
    for table in contracts().values():
        assert table.keys, table.name
        assert table.name_zh
        assert table.name_en
        for column in table.columns:
            assert column.name_zh, (table.name, column.name)
            assert column.name_en, (table.name, column.name)
            if column.unit and not column.unit.startswith("="):
                assert column.unit in units(), (table.name, column.name, column.unit)


def test_units_have_names_in_both_languages():
    assert [u.code for u in units().values() if u.code != "none" and not (u.name_zh and u.name_en)] == []


def test_the_public_face_is_exact():
    assert sorted(ronghe.__all__) == ["Answer", "Brain", "Config", "RongheError", "__version__", "open"]
    for name in ronghe.__all__:
        assert getattr(ronghe, name) is not None
    with pytest.raises(AttributeError):
        _ = ronghe.nothing


def test_built_ins_come_through_the_same_door_as_anyone():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    assert set(lens_names()) == set(declared["ronghe.lenses"])
    assert set(source_names()) == set(declared["ronghe.sources"])
    assert {p.name for p in entry_points(group="ronghe.lenses")} >= set(declared["ronghe.lenses"])


def test_every_question_has_its_theme_and_every_theme_its_name():
    themes = lens_themes()
    assert sorted(name for names in themes.values() for name in names) == sorted(lens_names())
    assert "other" not in themes, "the built-in lenses live in rooms"
    assert [t for t in THEMES if not has(f"theme.{t}")] == []


def test_importing_the_package_is_light():
    heavy = ("pyarrow", "duckdb", "ibis", "numpy", "fastapi")
    code = (
        "import sys, ronghe; from ronghe.cli.main import build; build(); "
        f"print(','.join(m for m in {heavy} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
