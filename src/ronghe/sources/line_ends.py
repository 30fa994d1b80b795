"""How the lines of a text file end, plain or gzip: counted, and made alike."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np


def has_returns(path: str) -> bool:
    """Whether a file, plain or gzip, holds a carriage return: JSON itself writes it as an escape."""
    try:
        with _opened(path) as stream:
            return any(b"\r" in block for block in iter(lambda: stream.read(2**20), b""))
    except (OSError, EOFError):
        # The engine finds the same fault, and says it.
        return False


def even_copy(path: str, folder: str) -> str:
    """A copy of a file whose lines all end in ``\\n``; any other carriage return is a space, as it is to JSON."""
    copy = str(Path(folder) / Path(path).name)
    with _opened(path) as stream, _opened(copy, "wb") as made:
        for line in stream:
            body = line.removesuffix(b"\n")
            made.write(body.removesuffix(b"\r").replace(b"\r", b" ") + line[len(body) :])
    return copy


def _opened(path: str, mode: str = "rb") -> Any:
    return gzip.open(path, mode, compresslevel=1) if path.endswith(".gz") else open(path, mode)


def line_count(path: str) -> int:
    """The lines of a file; what follows the last line's end counts as one."""
    count, last = 0, ord("\n")
    with open(path, "rb", buffering=0) as stream:
        block = bytearray(2**18)
        view = np.frombuffer(block, np.uint8)
        while size := stream.readinto(block):
            count += int(np.count_nonzero(view[:size] == ord("\n")))
            last = block[size - 1]
    return count + (last != ord("\n"))
