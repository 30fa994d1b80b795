"""Which items of lists of texts come for the first time in their list."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def firsts(lists: NDArray[np.int64], offsets: NDArray[np.int32], data: Bytes) -> NDArray[np.bool_]:
    """Whether each text is the first of its kind in its list.

    Parameters
    ----------
    lists : (n,), the list each text is in, ascending.
    offsets : (n + 1,), where each text starts in `data`, and where the last ends.

    Examples
    --------
    >>> data = np.frombuffer(b"abcababc", np.uint8)
    >>> firsts(np.array([0, 0, 0, 1, 1]), np.array([0, 2, 3, 5, 7, 8], np.int32), data).tolist()
    [True, True, False, True, True]
    """
    new = np.ones(len(lists), np.bool_)
    longest = int(np.bincount(lists).max()) if len(lists) else 0
    # Twice as many places as items, a power of two: a search is short.
    places = np.full(max(4, 1 << (2 * longest - 1).bit_length()), -1, np.int64)
    if longest > 1:
        _firsts(lists, offsets, data, places, new)
    return new


@njit(nogil=True, cache=True)
def _digest(data: Bytes, start: int, stop: int) -> int:
    """A number of a text (Fowler, Noll and Vo's)."""
    value = np.uint64(14695981039346656037)
    for at in range(start, stop):
        value = (value ^ np.uint64(data[at])) * np.uint64(1099511628211)
    return int((value ^ (value >> np.uint64(32))) & np.uint64(0x7FFFFFFF))


@njit(nogil=True, cache=True)
def _same(data: Bytes, one: int, other: int, size: int) -> bool:
    at = 0
    while at < size and data[one + at] == data[other + at]:
        at += 1
    return at == size


@njit(nogil=True, cache=True)
def _firsts(
    lists: NDArray[np.int64], offsets: NDArray[np.int32], data: Bytes, places: NDArray[np.int64], new: NDArray[np.bool_]
) -> None:
    """Mark what comes again. `places` holds items; one of an earlier list counts as empty, so none is ever cleared."""
    begun = 0
    for item in range(len(lists)):
        if lists[item] != lists[begun]:
            begun = item
        start, stop = offsets[item], offsets[item + 1]
        place = _digest(data, start, stop) & (len(places) - 1)
        while places[place] >= begun:
            other = places[place]
            if offsets[other + 1] - offsets[other] == stop - start and _same(data, offsets[other], start, stop - start):
                new[item] = False
                break
            place = (place + 1) & (len(places) - 1)
        else:
            places[place] = item
