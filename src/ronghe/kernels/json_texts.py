"""Texts of JSON gathered into one column, their escapes resolved."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ronghe.kernels import byte_masks
from ronghe.kernels.byte_masks import WIDTH, Bytes, Ints, control_bytes, copy_bytes, lowest_bit
from ronghe.kernels.compiled import compiled

_ESCAPES = np.frombuffer(b'"\\/bfnrt', np.uint8)
_MEANT = np.frombuffer(b'"\\/\b\f\n\r\t', np.uint8)


@njit(nogil=True, cache=True)
def _hex(block: Bytes, at: int) -> int:
    """Four hexadecimal digits as a number; -1 where they aren't."""
    value = 0
    for place in range(at, at + 4):
        byte = int(block[place])
        letter = (byte | 32) - 87
        if 48 <= byte <= 57:
            value = 16 * value + byte - 48
        elif 10 <= letter <= 15:
            value = 16 * value + letter
        else:
            return -1
    return value


@njit(nogil=True, cache=True)
def _utf8(code: int, data: Bytes, to: int) -> int:
    """Write a character in UTF-8 and give where the next byte goes."""
    if code < 0x80:
        data[to] = code
        return to + 1
    if code < 0x800:
        data[to], data[to + 1] = 0xC0 | code >> 6, 0x80 | code & 63
        return to + 2
    if code < 0x10000:
        data[to], data[to + 1], data[to + 2] = 0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63
        return to + 3
    data[to], data[to + 1] = 0xF0 | code >> 18, 0x80 | code >> 12 & 63
    data[to + 2], data[to + 3] = 0x80 | code >> 6 & 63, 0x80 | code & 63
    return to + 4


@compiled(byte_masks)
def _spoken(block: Bytes, at: int, stop: int, data: Bytes, to: int) -> int:
    """Write a text whose escapes are resolved and give where the next byte goes; -1 where one is none."""
    while at < stop:
        byte = block[at]
        if byte < 32:
            return -1
        if byte != 92:
            data[to] = byte
            at, to = at + 1, to + 1
            continue
        byte, at = block[at + 1], at + 2
        if byte == 117:
            code, at = _hex(block, at), at + 4
            if 0xD800 <= code < 0xDC00 and block[at] == 92 and block[at + 1] == 117:
                low, at = _hex(block, at + 2), at + 6
                code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00 if 0xDC00 <= low < 0xE000 else -1
            if code < 0 or 0xD800 <= code < 0xE000 or at > stop:
                return -1
            to = _utf8(code, data, to)
            continue
        for place in range(len(_ESCAPES)):
            if _ESCAPES[place] == byte:
                data[to] = _MEANT[place]
                to += 1
                break
        else:
            return -1
    return to


@compiled(byte_masks)
def copy_texts(block: Bytes, starts: Ints, stops: Ints, offsets: NDArray[np.int32], data: Bytes) -> int:
    """Copy texts one behind another, escapes resolved; the bytes written, -1 where an escape or a character is none."""
    to = 0
    for row in range(len(starts)):
        at, stop = starts[row], stops[row]
        if stop < -1:
            to = _spoken(block, at, -stop, data, to)
            if to < 0:
                return -1
        elif at >= 0:
            for place in range(at, stop, WIDTH):
                copy_bytes(block, place, data, to + place - at)
                control = control_bytes(block, place)
                if control and lowest_bit(control) < stop - place:
                    return -1
            to += stop - at
        offsets[row + 1] = to
    return to
