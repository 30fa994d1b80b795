"""Compiled functions that call compiled functions of other files, kept on disk without going stale.

Numba keeps a compiled function on disk and throws it away when the function's own file changes, but not when a
function it calls, in another file, does. `compiled` puts the text of those other files into what Numba knows
a function by (the values it closes over), so that a change there compiles it anew.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(*modules: ModuleType, **options: Any) -> Callable[[F], F]:
    """Compile a function with Numba, without the interpreter's lock, kept on disk while `modules` are unchanged.

    Parameters
    ----------
    modules : those whose compiled functions it calls, directly or through others.
    options : further options of `numba.njit`.
    """
    text = hashlib.sha256()
    for module in modules:
        if module.__file__ is None:
            raise ValueError(f"{module.__name__} has no file")
        text.update(Path(module.__file__).read_bytes())
    digest = text.hexdigest()

    def decorate(function: F) -> F:
        if not isinstance(function, FunctionType) or function.__closure__:
            raise TypeError("a plain function of a module is needed")
        code = function.__code__.replace(co_freevars=("sources",))
        known = FunctionType(code, function.__globals__, function.__name__, None, (CellType(digest),))
        known.__module__, known.__doc__ = function.__module__, function.__doc__
        known.__annotations__, known.__qualname__ = function.__annotations__, function.__qualname__
        result: F = njit(nogil=True, cache=True, **options)(known)
        return result

    return decorate
