"""Load a package that is installed for comparison only; its own import warnings are not ours to fix."""

import importlib
import warnings
from importlib import metadata
from types import ModuleType

import pytest


def peer(name: str) -> ModuleType:
    """The module, or a skip that names it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(name.partition(".")[0])
        found = importlib.import_module(name)
    # scikit-criteria deletes the attribute on import, and all that reads a version afterwards fails.
    importlib.metadata = metadata
    return found
