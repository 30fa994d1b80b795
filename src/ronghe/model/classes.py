"""Which class a code belongs to when a list names only the beginnings of codes."""

from collections.abc import Mapping


def longest_prefix(code: str, prefixes: Mapping[str, str]) -> str | None:
    """What the longest beginning of a code stands for, or nothing.

    Parameters
    ----------
    code : as ``patent_class`` writes it (``H04N 17/02``).
    prefixes : beginning -> class, as the crosswalk of IPC to WIPO35 gives them.

    Examples
    --------
    >>> fields = {"H04N": "02", "H04N 17/": "10", "H04": "03"}
    >>> [longest_prefix(code, fields) for code in ("H04N 17/02", "H04N 1/00", "H04", "A01B 1/00")]
    ['10', '02', '03', None]
    """
    for end in range(len(code), 0, -1):
        if code[:end] in prefixes:
            return prefixes[code[:end]]
    return None
