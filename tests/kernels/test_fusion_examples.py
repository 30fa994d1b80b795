"""The examples in the docstrings of the measurement kernels run as printed."""

import doctest
import importlib

import pytest

KERNELS = (
    "aggregate",
    "checks",
    "convergence",
    "coupling",
    "dea",
    "decoupling",
    "density",
    "inequality",
    "markov",
    "missing",
    "montecarlo",
    "normalise",
    "obstacle",
    "peers",
    "sensitivity",
    "spatial",
    "weights",
)


@pytest.mark.parametrize("name", KERNELS)
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"ronghe.kernels.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
