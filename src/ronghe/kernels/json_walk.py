"""JSON walked: where texts, values and lines end, and a log of the values a shape asks for.

What a shape doesn't ask for is stepped over by counting brackets outside texts, 64 bytes at a time (the mask of what is
inside a text as the running exclusive or of the quotes: Langdale, G. & Lemire, D. (2019). Parsing gigabytes of JSON per
second. VLDB Journal 28); it is looked at for its end alone.
"""

import numpy as np
from numba import njit

from ronghe.kernels import byte_masks
from ronghe.kernels.byte_masks import WIDTH, Bytes, Ints, equal_bytes, lowest_bit, same_bytes
from ronghe.kernels.compiled import compiled

OBJECT, LIST, TEXT, WHOLE, TRUTH = range(5)
"""Kinds of nodes of a shape."""

NULL = -1
SLOTS = 64
STRIDE = SLOTS + 2
"""A plan: the number of nodes; the factor of ``slot``; of each node ``SLOTS`` places of its members, its kind and, of a
list, the node of its items; of each member its node, the length of its name and where in the names that starts."""

LONGEST_NAME = WIDTH - 1
_OPENED, _COMMA, _VALUED = 0, 1, 2


@njit(nogil=True, cache=True, forceinline=True)
def _space(block: Bytes, at: int, end: int) -> int:
    """The first place from `at` on that isn't white space."""
    while at < end and block[at] <= 32 and (block[at] == 32 or block[at] == 13 or block[at] == 9):
        at += 1
    return at


@compiled(byte_masks, forceinline=True)
def _text_end(block: Bytes, at: int, end: int) -> int:
    """The place after a text that opens at `at`, negative where it holds escapes; beyond `end` if it doesn't close."""
    at, sign = at + 1, 1
    while at < end:
        found = equal_bytes(block, at, 34, 0) | equal_bytes(block, at, 92, 0)
        if found == 0:
            at += WIDTH
            continue
        at += lowest_bit(found)
        if block[at] == 34:
            return sign * (at + 1)
        at, sign = at + 2, -1
    return end + 1


@compiled(byte_masks)
def _nested_end(block: Bytes, at: int, end: int) -> int:
    """The place after an object or list that opens at `at`; beyond `end` where it doesn't close."""
    depth = 0
    inside = np.uint64(0)
    escaped = np.uint64(0)
    one = np.uint64(1)
    while at < end:
        quotes = equal_bytes(block, at, 34, 0)
        slashes = equal_bytes(block, at, 92, 0)
        if escaped:
            slashes &= ~one
            quotes &= ~one
        escaped = np.uint64(0)
        while slashes:
            place = lowest_bit(slashes)
            if place == WIDTH - 1:
                escaped = one
                break
            spoken = one << np.uint64(place + 1)
            quotes &= ~spoken
            slashes &= slashes - one
            slashes &= ~spoken
        text = quotes
        for shift in (1, 2, 4, 8, 16, 32):
            text ^= text << np.uint64(shift)
        text ^= inside
        inside = np.uint64(0) - (text >> np.uint64(63))
        opened = equal_bytes(block, at, 123, 32) & ~text
        brackets = opened | (equal_bytes(block, at, 125, 32) & ~text)
        while brackets:
            place = lowest_bit(brackets)
            if (opened >> np.uint64(place)) & one:
                depth += 1
            else:
                depth -= 1
                if depth == 0:
                    return int(at + place + 1)
            brackets &= brackets - one
        at += WIDTH
    return end + 1


@compiled(byte_masks, forceinline=True)
def _value_end(block: Bytes, at: int, end: int) -> int:
    """The place after any value that starts at `at`; beyond `end` where there is none."""
    if block[at] == 34:
        return abs(_text_end(block, at, end))
    if block[at] | 32 == 123:
        return int(_nested_end(block, at, end))
    start = at
    while at < end and block[at] != 44 and block[at] != 125 and block[at] != 93 and block[at] > 32:
        at += 1
    return at if at > start else end + 1


@njit(nogil=True, cache=True, forceinline=True)
def slot(size: int, first: int, last: int, factor: int) -> int:
    """Where a node's plan tells of a name of so many bytes, with these at its ends."""
    return (size + first * factor + last * (factor >> 8)) & (SLOTS - 1)


@compiled(byte_masks, forceinline=True)
def _child(block: Bytes, start: int, stop: int, plan: Ints, names: Bytes, node: int) -> int:
    """The node of the member of `node` that is named block[start:stop]; -1 where none is, -2 for an odd name."""
    size = stop - start
    if 0 < size <= LONGEST_NAME:
        place = plan[2 + STRIDE * node + slot(size, block[start], block[stop - 1], plan[1])]
        if place >= 0 and plan[place + 1] == size:
            other = same_bytes(block, start, names, plan[place + 2]) ^ ~np.uint64(0)
            if lowest_bit(other) >= size:
                return int(plan[place])
    for at in range(start, stop):
        if block[at] < 32 or block[at] > 126:
            return -2
    return -1


@njit(nogil=True, cache=True, forceinline=True)
def _is(block: Bytes, at: int, stop: int, a: int, b: int, c: int, d: int, e: int) -> bool:
    """Whether block[at:stop] is a word of four letters, or of five where `e` isn't 0."""
    size = 5 if e else 4
    if stop - at != size or block[at] != a or block[at + 1] != b or block[at + 2] != c or block[at + 3] != d:
        return False
    return e == 0 or block[at + 4] == e


@njit(nogil=True, cache=True, forceinline=True)
def _number(block: Bytes, at: int, stop: int) -> tuple[bool, int]:
    """Whether block[at:stop] is a whole number of at most 18 digits, and the number."""
    sign = 1
    if block[at] == 45:
        sign, at = -1, at + 1
    if stop - at < 1 or stop - at > 18 or (block[at] == 48 and stop - at > 1):
        return False, 0
    value = 0
    for place in range(at, stop):
        digit = int(block[place]) - 48
        if digit < 0 or digit > 9:
            return False, 0
        value = 10 * value + digit
    return True, sign * value


@compiled(byte_masks, forceinline=True)
def _scalar(block: Bytes, at: int, end: int, kind: int) -> tuple[int, int, int]:
    """The place after a scalar, beyond `end` where it isn't of its kind; and what is written down of it."""
    if block[at] == 34:
        stop = _text_end(block, at, end)
        if kind != TEXT or stop > end:
            return end + 1, 0, 0
        return abs(stop), at + 1, stop - 1 if stop > 0 else stop + 1
    stop = _value_end(block, at, end)
    if stop > end or block[at] | 32 == 123:
        return end + 1, 0, 0
    if _is(block, at, stop, 110, 117, 108, 108, 0):
        return stop, NULL, NULL
    if kind == TRUTH and _is(block, at, stop, 116, 114, 117, 101, 0):
        return stop, 1, 0
    if kind == TRUTH and _is(block, at, stop, 102, 97, 108, 115, 101):
        return stop, 0, 0
    if kind == WHOLE:
        whole, value = _number(block, at, stop)
        if whole:
            return stop, value, 0
    return end + 1, 0, 0


@compiled(byte_masks, forceinline=True)
def _member(block: Bytes, at: int, end: int, plan: Ints, names: Bytes, node: int) -> tuple[int, int]:
    """The node of a member whose name starts at `at`, -1 if not asked for; and where its value starts, `end` if bad."""
    stop = _text_end(block, at, end) if block[at] == 34 else -1
    if stop > end or stop < 0:
        return -1, end
    child = _child(block, at + 1, stop - 1, plan, names, node)
    at = _space(block, stop, end)
    if child == -2 or at >= end or block[at] != 58:
        return -1, end
    return child, _space(block, at + 1, end)


@compiled(byte_masks)
def _line(
    block: Bytes, at: int, end: int, stack: Ints, plan: Ints, names: Bytes, log: Ints, counts: Ints, n: int
) -> int:
    """Log one line behind `n` entries and give how many there are then; -1 where it isn't one object of the shape.

    The line's own entry is there, and `at` is behind its bracket.
    """
    depth, node, own, state = 0, 0, counts[0] - 1, _OPENED
    while True:
        at = _space(block, at, end)
        if at >= end or n + 1 >= len(log):
            return -1
        held = plan[2 + STRIDE * node + SLOTS] == OBJECT
        if state != _COMMA and block[at] == (125 if held else 93):
            at, depth = at + 1, depth - 1
            if depth < 0:
                return n if _space(block, at, end) == end else -1
            node, own, state = stack[depth, 0], stack[depth, 1], _VALUED
            continue
        if state == _VALUED:
            if block[at] != 44:
                return -1
            at, state = at + 1, _COMMA
            continue
        child, at = _member(block, at, end, plan, names, node) if held else (plan[3 + STRIDE * node + SLOTS], at)
        if at >= end:
            return -1
        state = _VALUED
        if child < 0:
            at = _value_end(block, at, end)
            continue
        kind = plan[2 + STRIDE * child + SLOTS]
        log[n, 0], log[n, 1], log[n, 2], log[n, 3] = child, own, at, at
        if kind <= LIST and block[at] == (123 if kind == OBJECT else 91):
            stack[depth, 0], stack[depth, 1] = node, own
            at, depth, node, own, state = at + 1, depth + 1, child, counts[child], _OPENED
        else:
            at, log[n, 2], log[n, 3] = _scalar(block, at, end, kind)
        n, counts[child] = n + 1, counts[child] + 1


@compiled(byte_masks)
def walk(block: Bytes, size: int, plan: Ints, names: Bytes, log: Ints, counts: Ints) -> int:
    """Log every line; the entries, or -1."""
    stack = np.empty((plan[0], 2), np.int64)
    at = entries = 0
    while at < size:
        end = at
        found = equal_bytes(block, end, 10, 0)
        while found == 0 and end + WIDTH < size:
            end += WIDTH
            found = equal_bytes(block, end, 10, 0)
        end = min(end + lowest_bit(found), size)
        at = _space(block, at, end)
        if entries + 1 >= len(log) or at >= end or block[at] != 123:
            return -1
        log[entries, 0], log[entries, 1], log[entries, 2], log[entries, 3] = 0, counts[0], at, at
        at, entries, counts[0] = at + 1, entries + 1, counts[0] + 1
        entries = _line(block, at, end, stack, plan, names, log, counts, entries)
        if entries < 0:
            return -1
        at = end + 1
    return entries


@njit(nogil=True, cache=True)
def by_node(log: Ints, entries: int, starts: Ints, ordered: Ints) -> None:
    """Put the log's entries in the order of their nodes; within a node they stay as they are."""
    for entry in range(entries):
        place = starts[log[entry, 0]]
        starts[log[entry, 0]] = place + 1
        for part in range(3):
            ordered[part, place] = log[entry, part + 1]
