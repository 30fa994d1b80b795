"""Where a long ask keeps how far it got, so that it goes on there after a cancel, a crash or a restart."""

import re

from ronghe.lake.store import Store

FOLDER = "_checkpoints"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Checkpoint:
    """The saved state of one finding on its way; it is gone once the finding is kept.

    Parameters
    ----------
    store : the lake's store.
    identity : the finding's id: the same question on the same data with the same code, and nothing else.
    """

    def __init__(self, store: Store, identity: str) -> None:
        self._store = store
        self._identity = identity

    def load(self, name: str) -> bytes | None:
        """What was saved under that name; ``None`` when nothing was."""
        return self._store.read(self._place(name))

    def save(self, name: str, content: bytes) -> None:
        """Keep a state whole, or the earlier one where that fails.

        Parameters
        ----------
        name : lower-case letters, digits, ``_`` and ``-``; at most 64.
        content : any bytes.

        Raises
        ------
        ValueError : the name has other letters.
        LakeError : the lake can't be written.
        """
        self._store.write(self._place(name), content)

    def clear(self) -> None:
        """Forget everything saved."""
        for name in self._saved():
            self._store.remove(f"{FOLDER}/{name}")

    def __bool__(self) -> bool:
        """Whether anything is saved."""
        return bool(self._saved())

    def _saved(self) -> list[str]:
        return [n for n in self._store.names(FOLDER) if n.startswith(f"{self._identity}.")]

    def _place(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"checkpoint name {name!r}: use lower-case letters, digits, _ and -")
        return f"{FOLDER}/{self._identity}.{name}"
