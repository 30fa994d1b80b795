"""The catalogue of built-in sources: whole, well-formed, and every reason they give can be said."""

import re
from pathlib import Path

import pytest

import ronghe.sources
from ronghe.i18n import has
from ronghe.model.table import contracts
from ronghe.sources.base import RawFile, Relational, Source
from ronghe.sources.catalogue import builtin, by_dataset
from ronghe.sources.registry import datasets

FOLDER = Path(ronghe.sources.__file__).parent


def test_each_source_keeps_the_protocol() -> None:
    for source in builtin():
        assert isinstance(source, (Source, Relational)), source.name
        assert source.version
        assert set(source.tables) <= set(contracts()), source.name


def test_names_are_unique_and_in_order() -> None:
    names = [source.name for source in builtin()]
    assert names == sorted(set(names))
    assert list(by_dataset()) == names


def test_every_dataset_read_is_registered_or_built_in() -> None:
    assert set(by_dataset()) - set(datasets()) <= {"reference", "sandbox"}


@pytest.mark.parametrize("name", sorted(set(by_dataset()) & set(datasets())))
def test_each_registered_dataset_has_files_its_source_takes(name: str) -> None:
    source = by_dataset()[name]
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
