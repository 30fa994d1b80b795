"""One JSON array too large to hold: its elements one by one, from a plain or gzip file."""

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import IO, Any

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import RawFile, not_this_format

_STEP = 2**20
_LONGEST = 64 * 2**20
_BETWEEN = " \t\r\n,"
_ENDS = (*_BETWEEN, "]")


def read_array(raw: RawFile, expected: Text) -> Iterator[Any]:
    """The elements in their order.

    Raises
    ------
    SourceError : empty, cut short, not gzip or UTF-8 where it should be, or not a JSON array.
    """
    if not raw.path.stat().st_size:
        raise SourceError("source_empty", file=raw.name)
    try:
        with _opened(raw) as stream:
            yield from _elements(raw, stream, expected)
    except EOFError as error:
        raise SourceError("source_truncated", file=raw.name, why=str(error)) from error
    except (gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise not_this_format(raw, expected, str(error)) from error


def _opened(raw: RawFile) -> IO[str]:
    if raw.path.suffix == ".gz":
        return gzip.open(raw.path, "rt", encoding="utf-8")
    return open(raw.path, encoding="utf-8-sig")


def _elements(raw: RawFile, stream: IO[str], expected: Text) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    held = stream.read(_STEP).lstrip()
    if not held.startswith("["):
        raise not_this_format(raw, expected, Text("why.no_array"))
    place = 1
    while True:
        place = _skip(held, place)
        if held.startswith("]", place):
            if (held[place + 1 :] + stream.read(_STEP)).strip():
                raise not_this_format(raw, expected, Text("why.after_array"))
            return
        try:
            if place == len(held):
                raise json.JSONDecodeError("more to come", held, place)
            element, after = decoder.raw_decode(held, place)
            if held[after : after + 1] not in _ENDS:  # a number may go on beyond what is held
                raise json.JSONDecodeError("more to come", held, place)
        except json.JSONDecodeError as error:
            more = stream.read(max(_STEP, len(held) - place))
            if not more:
                raise SourceError("source_truncated", file=raw.name, why=Text("why.open_array")) from error
            if len(held) - place > _LONGEST:
                raise not_this_format(raw, expected, Text("why.open_element", {"why": error.msg})) from error
            held, place = held[place:] + more, 0
            continue
        place = after
        yield element


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BETWEEN:
        place += 1
    return place
