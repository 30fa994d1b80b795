"""The examples in the docstrings of the kernels run as printed."""

import doctest
import importlib
import pkgutil

import pytest

from ronghe import kernels

PARTS = {
    "byte_masks",
    "cascade_board",
    "cascade_lanes",
    "cascade_push",
    "cascade_reach",
    "cascade_worker",
    "compiled",
    "errors",
    "json_texts",
    "json_walk",
    "vector_rows",
}
"""Compiled parts of other kernels, which nobody calls by themselves."""


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(kernels.__path__)])
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"ronghe.kernels.{name}"))
    assert found.failed == 0
    assert found.attempted > 0 or name in PARTS
