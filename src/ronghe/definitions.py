"""Files that define something, such as a field or an indicator system: the package's by name, one's own by path."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from ronghe.errors import AskError, UnknownName


def definition_text(name: str, folder: str, kind: str, known: Sequence[str]) -> str:
    """The text of a definition.

    Parameters
    ----------
    name : one of ``known``, or a path that ends in ``.toml``. folder : the package that holds the known ones.
    kind : ``field``, ``system``: what errors speak of.

    Raises
    ------
    UnknownName : no such name. AskError : no such file, or not UTF-8.
    """
    if not name.endswith(".toml"):
        if name not in known:
            raise UnknownName(f"unknown_{kind}", name, known)
        return files(folder).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AskError(f"{kind}_unreadable", file=name, known=known) from error


def digest_of(text: str) -> str:
    """A short hash of a definition."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
