"""The built-in sources: whole, well-formed, and every reason they give can be said."""

import re
from pathlib import Path

import pytest

import ronghe.sources
from ronghe.i18n import has
from ronghe.model.table import contracts
from ronghe.plugins import get_source, source_names
from ronghe.sources.base import RawFile, Source
from ronghe.sources.registry import datasets

FOLDER = Path(ronghe.sources.__file__).parent


@pytest.mark.parametrize("name", source_names())
def test_each_source_keeps_the_protocol(name: str) -> None:
    source = get_source(name)
    assert isinstance(source, Source)
    assert source.name == name
    assert source.version
    assert set(source.tables) <= set(contracts())


def test_every_dataset_read_is_registered_or_built_in() -> None:
    assert set(source_names()) - set(datasets()) <= {"concordances", "openalex_institutions", "reference", "sandbox"}


@pytest.mark.parametrize("name", sorted(set(source_names()) & set(datasets())))
def test_each_registered_dataset_has_files_its_source_takes(name: str) -> None:
    source = get_source(name)
    files = [RawFile(Path(f.name), name, f.name, f.sha256, f.bytes) for f in datasets()[name].files]
    taken = [raw.name for raw in files if source.accepts(raw)]
    assert taken
    assert not [n for n in taken if n.upper().startswith(("README", "LICENSE"))]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_every_reason_can_be_said_in_both_languages(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for reason in re.findall(r'Skipped\(\s*"(\w+)"', text):
        assert has(f"skip.{reason}"), reason
    for reason in re.findall(r'Fault\([^()]*?,\s*[^,]*?,\s*"(\w+)"', text):
        assert has(f"reject.{reason}"), reason
