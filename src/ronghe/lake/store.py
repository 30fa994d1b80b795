"""Where a lake's bytes lie: a local folder or an object store, behind one small face."""

import errno
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs

from ronghe.errors import LakeError

_PIECE = 8 * 2**20
"""Bytes handed to an object store at a time."""


class Store:
    """Small files and table addresses under one root.

    Parameters
    ----------
    root : a folder, or an address such as ``s3://bucket/lake``.
    options : the object store's options, as ``deltalake`` names them.
    """

    def __init__(self, root: str, options: Mapping[str, str] | None = None) -> None:
        self.root = root.rstrip("/") or "/"
        self.options = dict(options or {})
        self.local = "://" not in self.root
        self._fs: Any
        if self.local:
            self.root = str(Path(self.root).expanduser().resolve())
            self._fs = pafs.LocalFileSystem()
            self._prefix = self.root + "/"
        else:
            from deltalake._internal import DeltaFileSystemHandler
            from deltalake.fs import DeltaStorageHandler

            self._remote: Any = DeltaFileSystemHandler(table_uri=self.root, options=self.options, known_sizes=None)
            self._fs = pafs.PyFileSystem(DeltaStorageHandler(self.root, self.options))
            self._prefix = ""

    def address(self, name: str) -> str:
        """The address of a table or file under the root."""
        return f"{self.root}/{name}"

    def files(self, table: str) -> Any:
        """What reads a Delta table's files: Arrow itself in a folder, ``None`` (Delta's own way) in an object store.

        Delta's own way goes through Python from Arrow's threads, which ends the process with an abort where one of them
        comes to it while the interpreter shuts down.
        """
        return pafs.SubTreeFileSystem(self._prefix + table, self._fs) if self.local else None

    def make(self) -> None:
        """Make the root; a clear error where it can't be written."""
        if not self.local:
            return
        try:
            Path(self.root).mkdir(parents=True, exist_ok=True)
            probe = Path(self.root) / f".probe-{uuid.uuid4().hex}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise write_error(error, self.root) from error

    def read(self, name: str) -> bytes | None:
        """The bytes of a small file; ``None`` when there is none."""
        try:
            with self._fs.open_input_stream(self._prefix + name) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a small file whole or not at all."""
        if not self.local:
            # PyArrow's own wrapper hands the store a Buffer, which it refuses: give it the bytes themselves.
            stream = self._remote.open_output_stream(name, None)
            stream.write(content)
            stream.close()
            return
        path = Path(self.root) / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
            with draft.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        except OSError as error:
            raise write_error(error, str(path)) from error

    def take(self, file: Path, name: str) -> None:
        """Bring a local file under the root: moved where the root is a folder of the same disk, else copied."""
        if self.local:
            target = Path(self.root) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(file, target)
            return
        target_stream = self._remote.open_output_stream(name, None)
        with file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                target_stream.write(piece)
        target_stream.close()

    def names(self, folder: str, *, by_time: bool = False) -> list[str]:
        """The names of the files directly in a folder, sorted (by when they were written, oldest first)."""
        selector = pafs.FileSelector(self._prefix + folder, allow_not_found=True)
        found = [i for i in self._fs.get_file_info(selector) if i.type == pafs.FileType.File]
        found.sort(key=lambda i: (i.mtime_ns or 0 if by_time else 0, i.path))
        return [Path(i.path).name for i in found]

    def remove(self, name: str) -> None:
        """Remove a small file; nothing happens when there is none."""
        if self.read(name) is not None:
            self._fs.delete_file(self._prefix + name)


def write_error(error: BaseException, where: str) -> LakeError:
    """The lake's own error for a failed write: disk full, no permission, or what the system says."""
    text = str(error)
    code = getattr(error, "errno", None)
    if code in {errno.ENOSPC, errno.EDQUOT} or "No space left" in text or "os error 28" in text:
        return LakeError("lake_full", where=where)
    if code in {errno.EACCES, errno.EPERM, errno.EROFS} or "ermission denied" in text or "Read-only file" in text:
        return LakeError("lake_readonly", where=where)
    return LakeError("lake_write", where=where, why=text)
