"""The same work on many blocks of an array, on as many threads as the process has cores.

For NumPy calls that run outside the interpreter's lock; blocks write to places of their own.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def on_each(work: Callable[[T], None], blocks: Iterable[T]) -> None:
    """Call work(block) for every block; the first error is raised.

    >>> done = [0, 0, 0]
    >>> on_each(lambda i: done.__setitem__(i, i * i), range(3))
    >>> done
    [0, 1, 4]
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(work, blocks):
            pass
