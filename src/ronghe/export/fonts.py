"""The files a picture needs: the drawing library and the Chinese font, and how wide the font's letters are."""

import struct
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from ronghe.errors import RongheError

FAMILY = "Noto Sans SC"
_FONT, _SCRIPT = "NotoSansSC-Regular.ttf", "echarts.min.js"
_WIDE_FROM = 0x2E80


def asset(name: str) -> Path:
    """A file that the build brings into the package.

    Raises
    ------
    RongheError : the package was built without it.
    """
    with as_file(files("ronghe").joinpath("web", "static", "vendor", name)) as path:
        if not path.is_file():
            raise RongheError("export_asset", name=name)
        return path


def font() -> Path:
    """The Chinese font's file."""
    return asset(_FONT)


def script() -> str:
    """The drawing library's source, and what writes figures on its axes as the page does."""
    axes = files("ronghe").joinpath("web", "static", "axes.js").read_text(encoding="utf-8")
    return f"{asset(_SCRIPT).read_text(encoding='utf-8')}\n{axes}"


@cache
def advances() -> dict[str, float]:
    """The width of each letter before the Chinese ones, in ems; a Chinese character is one em wide."""
    content = font().read_bytes()
    tables = _tables(content)
    per_em = struct.unpack_from(">H", content, tables["head"] + 18)[0]
    metrics = struct.unpack_from(">H", content, tables["hhea"] + 34)[0]
    widths = {}
    for code, glyph in _glyphs(content, tables["cmap"]).items():
        at = tables["hmtx"] + 4 * min(glyph, metrics - 1)
        widths[chr(code)] = struct.unpack_from(">H", content, at)[0] / per_em
    return widths


def _tables(content: bytes) -> dict[str, int]:
    count = struct.unpack_from(">H", content, 4)[0]
    records = (struct.unpack_from(">4sLLL", content, 12 + 16 * i) for i in range(count))
    return {tag.decode("latin-1"): offset for tag, _, offset, _ in records}


def _glyphs(content: bytes, cmap: int) -> dict[int, int]:
    """The glyph of each character: the font's segmented map (format 4, the one that every font has)."""
    count = struct.unpack_from(">H", content, cmap + 2)[0]
    offsets = (struct.unpack_from(">HHL", content, cmap + 4 + 8 * i)[2] for i in range(count))
    start = next(cmap + o for o in offsets if struct.unpack_from(">H", content, cmap + o)[0] == 4)
    segments = struct.unpack_from(">H", content, start + 6)[0] // 2
    read = f">{segments}H"
    ends = struct.unpack_from(read, content, start + 14)
    begins = struct.unpack_from(read, content, start + 16 + 2 * segments)
    deltas = struct.unpack_from(read, content, start + 16 + 4 * segments)
    ranges_at = start + 16 + 6 * segments
    ranges = struct.unpack_from(read, content, ranges_at)
    found: dict[int, int] = {}
    for i, (begin, end, delta, jump) in enumerate(zip(begins, ends, deltas, ranges, strict=True)):
        for code in range(begin, min(end + 1, _WIDE_FROM)):
            glyph = code
            if jump:
                glyph = struct.unpack_from(">H", content, ranges_at + 2 * i + jump + 2 * (code - begin))[0]
                if not glyph:
                    continue
            found[code] = (glyph + delta) & 0xFFFF
    return found


def text_width(text: str, size: float) -> float:
    """How wide a line of text stands, in the unit of ``size``."""
    known = advances()
    return size * sum(known.get(c, 1.0) for c in text)


def wrap(text: str, size: float, room: float) -> list[str]:
    """A text in lines that fit: broken at spaces, and anywhere between Chinese characters."""
    lines, line = [], ""
    for word in _words(text):
        if line and text_width((line + word).rstrip(), size) > room:
            lines.append(line.rstrip())
            line = ""
        line += word.lstrip() if not line else word
    return [*lines, line.rstrip()] if line.strip() else lines


def _words(text: str) -> list[str]:
    words: list[str] = [""]
    for letter in text:
        words[-1] += letter
        if letter == " " or ord(letter) >= _WIDE_FROM or len(words[-1]) > 60:
            words.append("")
    return words
