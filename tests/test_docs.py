"""The documentation is tested: every command, setting, question and parameter is in it; its links lead somewhere."""

import re
from dataclasses import fields

import pytest
import typer

from ronghe.cli.main import build
from ronghe.config import Config, load_config
from ronghe.errors import ConfigError
from ronghe.export import FORMATS
from ronghe.i18n import translate
from ronghe.model.table import contracts
from ronghe.plugins import get_lens, lens_names
from tests.conftest import ROOT

GUIDE = ROOT / "docs" / "guide"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands() -> list[str]:
    """Every command, groups as ``group command``."""
    found = []
    top = typer.main.get_command(build())
    for name, command in top.commands.items():
        if name == "ask":
            found.append(name)
        elif hasattr(command, "commands"):
            found += [f"{name} {sub}" for sub in command.commands]
        else:
            found.append(name)
    return found


def test_every_command_is_documented():
    text = (GUIDE / "reference.md").read_text(encoding="utf-8")
    assert [c for c in commands() if f"`ronghe {c}" not in text] == []


def test_every_setting_is_documented_with_its_default():
    text = (GUIDE / "reference.md").read_text(encoding="utf-8")
    missing = []
    for field in fields(Config):
        line = next((row for row in text.splitlines() if row.startswith(f"| `{field.name}`")), "")
        if f"`RONGHE_{field.name.upper()}`" not in line or str(field.default) not in line:
            missing.append(field.name)
    assert missing == []


def test_every_question_and_parameter_is_documented():
    text = (GUIDE / "lenses.md").read_text(encoding="utf-8")
    missing = []
    for name in lens_names():
        spec = get_lens(name)
        part = re.search(rf"^## `{name}`.*?(?=^## |\Z)", text, re.M | re.S)
        if part is None:
            missing.append(name)
            continue
        missing += [f"{name}.{p.name}" for p in spec.params if f"`{p.name}`" not in part.group(0)]
        missing += [f"{name} {lang}" for lang in ("zh", "en") if translate(lang, spec.title) not in part.group(0)]
    assert missing == []


def test_every_export_format_is_documented():
    text = (GUIDE / "reference.md").read_text(encoding="utf-8")
    assert [f for f in FORMATS if f"`{f}`" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere_and_nothing_private_is_told(page):
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text):
        assert (page.parent / link).exists(), link
    assert not re.search(r"/(?:root|home|work|tmp)/\w", text)


def test_the_readme_names_the_two_commands_that_the_makefile_has():
    readme, makefile = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "Makefile"))
    for command in ("demo", "test"):
        assert f"make {command} " in readme
        assert re.search(rf"^{command}:", makefile, re.M)


def test_tables_named_in_the_guide_exist():
    text = (GUIDE / "start.md").read_text(encoding="utf-8")
    assert set(re.findall(r"--as (\w+)", text)) <= set(contracts())


def test_settings_come_from_defaults_file_variables_and_flags_in_that_order(tmp_path):
    file = tmp_path / "ronghe.toml"
    file.write_text('lake = "from-file"\nport = 9000\nlang = "zh"\n', encoding="utf-8")
    config = load_config({"port": 9002}, file=file, environ={"RONGHE_LANG": "en", "RONGHE_PORT": "9001"})
    assert (config.lake, config.lang, config.port) == ("from-file", "en", 9002)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('lak = "x"', "lake"),
        ('port = "many"', "expected a whole number"),
        ("lang = 'fr'", "zh | en"),
        ("lake = ", "TOML"),
    ],
)
def test_a_bad_setting_is_named(tmp_path, text, says):
    file = tmp_path / "ronghe.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file=file, environ={})
    assert says in caught.value.say("en")
