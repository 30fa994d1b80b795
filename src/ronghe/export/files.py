"""Files written whole or not at all, and archives whose bytes do not depend on the clock."""

import io
import os
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ronghe.errors import LakeError
from ronghe.lake.store import write_error

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The moment stamped into archives: the earliest that a zip can name."""


@contextmanager
def draft(path: Path) -> Iterator[Path]:
    """A file to write beside ``path``; it takes the place of ``path`` when all went well, else it is removed.

    Raises
    ------
    LakeError : it can't be written: disk full, no permission, no such folder, or what the system says.
    """
    if not path.parent.is_dir():
        raise LakeError("export_folder", where=str(path), folder=str(path.parent))
    made = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield made
        made.replace(path)
    except OSError as error:
        failed = write_error(error, str(path))
        raise LakeError(failed.code.replace("lake_", "export_"), **failed.args_) from error
    finally:
        if made.exists():
            made.unlink()


def save(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; see ``draft``."""
    with draft(path) as made, made.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def pack(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip archive with a fixed moment on every member: the same members give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def repack(content: bytes) -> bytes:
    """The same archive with the clock taken out of it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return pack((i.filename, archive.read(i)) for i in archive.infolist())
