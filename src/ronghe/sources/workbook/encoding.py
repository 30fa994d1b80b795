"""Which encoding a text file is written in: decided by reading all of it once, in constant memory."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from ronghe.errors import SourceError
from ronghe.model.text import Text
from ronghe.sources.base import RawFile

BLOCK = 4 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the bytes read: the codec (a byte-order mark is swallowed) and the number of quotes."""

    codec: str
    quotes: int


@dataclass(frozen=True, slots=True)
class _Fault:
    """Where a strict decoding stopped: byte offset, line, wide characters read before it."""

    offset: int
    line: int
    wide: int
    at_end: bool


def detect(raw: RawFile, given: str | None = None) -> Encoding:
    """The encoding of a text file.

    A byte-order mark decides. Else the whole file must be valid UTF-8, else valid GB18030. A file that
    reads as UTF-8 for a while (real three-byte characters) and then breaks is damaged UTF-8, not
    GB18030: it is refused rather than read as wrong characters.

    Parameters
    ----------
    raw : the file.
    given : an encoding the user states; it is then held to it.

    Raises
    ------
    SourceError : no encoding fits, the stated one doesn't, or the bytes are no text.
    """
    with raw.path.open("rb") as file:
        start = file.read(4096)
    if given:
        return _stated(raw, given, start)
    for mark, codec in _BOMS:
        if start.startswith(mark):
            return _held(raw, codec)
    if b"\x00" in start:
        return _held(raw, _wide_codec(raw, start))
    fault, quotes = _scan(raw.path, "utf-8")
    if fault is None:
        return Encoding("utf-8", quotes)
    if fault.wide > 1 and (fault.at_end or not _mostly_han(raw.path, fault.offset)):
        raise SourceError("workbook_damaged_text", file=raw.name, encoding="UTF-8", line=fault.line, byte=fault.offset)
    other, quotes = _scan(raw.path, "gb18030")
    if other is None:
        return Encoding("gb18030", quotes)
    raise SourceError("workbook_encoding", file=raw.name, line=fault.line, byte=fault.offset)


def _stated(raw: RawFile, given: str, start: bytes) -> Encoding:
    try:
        codec = codecs.lookup(given).name
    except LookupError as error:
        raise SourceError("workbook_codec", file=raw.name, encoding=given) from error
    codec = "gb18030" if codec in {"gb2312", "gbk"} else codec
    if codec == "utf-8-sig" or (codec == "utf-8" and start.startswith(codecs.BOM_UTF8)):
        codec = "utf-8"
    return _held(raw, codec)


def _held(raw: RawFile, codec: str) -> Encoding:
    fault, quotes = _scan(raw.path, codec)
    if fault:
        name = codec.upper()
        raise SourceError("workbook_damaged_text", file=raw.name, encoding=name, line=fault.line, byte=fault.offset)
    return Encoding(codec, quotes)


def _wide_codec(raw: RawFile, start: bytes) -> str:
    """UTF-16 without a mark: its ASCII characters (delimiters, line ends) leave zeros on one side."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > 4 * even and odd * 20 > len(start):
        return "utf-16-le"
    if even > 4 * odd and even * 20 > len(start):
        return "utf-16-be"
    raise SourceError("source_format", file=raw.name, expected="CSV", why=Text("why.zero_bytes"))


def _scan(path: Path, codec: str) -> tuple[_Fault | None, int]:
    """Decode the whole file strictly, block by block; count quotes on the way."""
    decoder = codecs.getincrementaldecoder(codec)()
    narrow = not codec.startswith(("utf-16", "utf-32"))
    offset = line = quotes = wide = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                wide += _wide(before.decode(codec, errors="ignore"))
                return _Fault(offset - pending + error.start, line + before.count(b"\n") + 1, wide, False), quotes
            quotes += block.count(b'"') if narrow else text.count('"')
            line += block.count(b"\n") if narrow else text.count("\n")
            wide += 0 if wide > 1000 or text.isascii() else _wide(text)
            offset += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _Fault(offset, line + 1, wide, True), quotes
    return None, quotes


def _wide(text: str) -> int:
    """Characters that take three bytes in UTF-8, in at most the first 100,000."""
    return sum("\u0800" <= char <= "\uffff" for char in text[:100_000])


def _mostly_han(path: Path, offset: int) -> bool:
    """Whether the bytes around the break are no UTF-8 at all: a few chance matches among many breaks."""
    with path.open("rb") as file:
        file.seek(max(0, offset - (16 << 10)))
        sample = file.read(64 << 10)
    as_utf8 = sample.decode("utf-8", errors="replace")
    return as_utf8.count("\ufffd") > _wide(as_utf8.replace("\ufffd", ""))
