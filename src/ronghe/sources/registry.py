"""What can be loaded: every file of every dataset, where it comes from, its hash and its licence.

``registry.csv`` has a line a file, ``datasets.csv`` a line a dataset. A file without an address was re-packed or
made from its publisher's files; it comes from a mirror folder only.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from ronghe.errors import UnknownName
from ronghe.model.text import both

_YES_NO = MappingProxyType({"yes": True, "no": False})


@dataclass(frozen=True, slots=True)
class DatasetFile:
    """One file as its publisher wrote it.

    ``name`` is its path inside the dataset; ``url`` is empty where it has no address. ``commercial`` and
    ``redistributable`` are true only where the licence is known to allow it; ``note`` says why not, in both
    languages. ``version`` is the date and commit of the source repository.
    """

    dataset: str
    name: str
    url: str
    sha256: str
    bytes: int
    licence: str
    commercial: bool
    redistributable: bool
    version: str
    note_zh: str
    note_en: str

    @property
    def note(self) -> dict[str, str]:
        """The reason behind the two permissions, in both languages."""
        return both(self.note_zh, self.note_en)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A publisher's dataset. ``precedence``: where datasets state the same thing, the lower number is believed."""

    name: str
    title_zh: str
    title_en: str
    publisher: str
    years: str
    precedence: int
    files: tuple[DatasetFile, ...]

    @property
    def title(self) -> dict[str, str]:
        """The dataset's title in both languages."""
        return both(self.title_zh, self.title_en)

    @property
    def bytes(self) -> int:
        """The size of all its files."""
        return sum(file.bytes for file in self.files)

    @property
    def licences(self) -> tuple[str, ...]:
        """The licences of its files, each once, in the files' order."""
        return tuple(dict.fromkeys(file.licence for file in self.files))

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of its files, each once, in the files' order."""
        return tuple(dict.fromkeys(file.version for file in self.files))

    @property
    def commercial(self) -> bool:
        """Whether every file may be used commercially."""
        return all(file.commercial for file in self.files)

    @property
    def redistributable(self) -> bool:
        """Whether every file's rows may be passed on."""
        return all(file.redistributable for file in self.files)

    def file(self, name: str) -> DatasetFile:
        """The file of that name; ``UnknownName`` when there is none."""
        for file in self.files:
            if file.name == name:
                return file
        raise UnknownName("file_unknown", name, (file.name for file in self.files), dataset=self.name)


def _rows(name: str) -> list[dict[str, str]]:
    text = files("ronghe.sources").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _file(row: Mapping[str, str]) -> DatasetFile:
    return DatasetFile(
        dataset=row["dataset"],
        name=row["file"],
        url=row["url"],
        sha256=row["sha256"],
        bytes=int(row["bytes"]),
        licence=row["licence"],
        commercial=_YES_NO[row["commercial"]],
        redistributable=_YES_NO[row["redistributable"]],
        version=row["version"],
        note_zh=row["note_zh"],
        note_en=row["note_en"],
    )


@cache
def datasets() -> Mapping[str, Dataset]:
    """Every dataset that can be loaded, by name."""
    held: dict[str, list[DatasetFile]] = {}
    for row in _rows("registry.csv"):
        held.setdefault(row["dataset"], []).append(_file(row))
    found = {
        row["dataset"]: Dataset(
            name=row["dataset"],
            title_zh=row["title_zh"],
            title_en=row["title_en"],
            publisher=row["publisher"],
            years=row["years"],
            precedence=int(row["precedence"]),
            files=tuple(held[row["dataset"]]),
        )
        for row in _rows("datasets.csv")
    }
    return MappingProxyType(found)


def dataset(name: str) -> Dataset:
    """One dataset; ``UnknownName`` when there is none of that name."""
    known = datasets()
    if name not in known:
        raise UnknownName("dataset_unknown", name, known)
    return known[name]
