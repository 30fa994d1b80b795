"""The store of findings, by content id: a trace, a link and a report still work tomorrow."""

import contextlib
import json
from collections.abc import Callable

from ronghe.errors import LakeError, UnknownName
from ronghe.lake.store import Store
from ronghe.model.finding import Finding
from ronghe.model.serial import canonical, from_document, to_document

FOLDER = "_findings"


class Findings:
    """Findings kept beside the lake's tables, one canonical JSON file each."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, finding: Finding) -> bytes:
        """Keep a finding; the same finding twice is kept once. Returns its canonical bytes."""
        content = canonical(to_document(finding))
        self._store.write(f"{FOLDER}/{finding.id}.json", content)
        return content

    def bytes(self, identity: str) -> bytes | None:
        """The canonical bytes of a finding; ``None`` when it isn't kept."""
        return self._store.read(f"{FOLDER}/{identity}.json")

    def get(self, identity: str) -> Finding | None:
        """A finding by its whole id; ``None`` when it isn't kept.

        Raises
        ------
        LakeError : it was kept in another form, by another version of Ronghe.
        """
        content = self.bytes(identity)
        return None if content is None else _read(content, identity)

    def find(self, start: str) -> Finding:
        """A finding by its id or the beginning of it.

        Raises
        ------
        UnknownName : none, or more than one, begins like that.
        LakeError : as for ``get``.
        """
        whole = self.get(start)
        if whole is not None:
            return whole
        names = [n.removesuffix(".json") for n in self.names()]
        matching = [n for n in names if n.startswith(start)]
        if len(matching) == 1 and len(start) >= 4:
            found = self.get(matching[0])
            if found is not None:
                return found
        raise UnknownName("unknown_finding", start, matching or names)

    def latest(self, lens: str, sees: Callable[[Finding], bool]) -> Finding | None:
        """The finding of a lens that was kept last, of those that may be seen; ``None`` when there is none."""
        mark = f'"lens":"{lens}"'.encode()
        for name in reversed(self._store.names(FOLDER, by_time=True)):
            content = self._store.read(f"{FOLDER}/{name}")
            if content is not None and mark in content[:200]:
                with contextlib.suppress(LakeError):
                    found = _read(content, name)
                    if sees(found):
                        return found
        return None

    def names(self) -> list[str]:
        """The ids kept."""
        return [n.removesuffix(".json") for n in self._store.names(FOLDER) if n.endswith(".json")]


def _read(content: bytes, name: str) -> Finding:
    said = json.loads(content)
    try:
        return from_document(said)
    except (KeyError, TypeError) as error:
        raise LakeError("finding_form", name=name.removesuffix(".json"), lens=said.get("lens", "")) from error
