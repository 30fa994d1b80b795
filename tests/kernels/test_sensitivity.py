"""Sobol shares: functions with known shares, additivity, bad input."""

import numpy as np
import pytest

from ronghe.kernels.checks import FusionError
from ronghe.kernels.sensitivity import sobol_shares


def _samples(f, k: int, d: int = 20_000):
    A, B = np.random.default_rng(1).random((2, d, k))
    swapped = []
    for i in range(k):
        mixed = A.copy()
        mixed[:, i] = B[:, i]
        swapped.append(f(mixed))
    return f(A), f(B), np.array(swapped)


def test_ishigami() -> None:
    """Ishigami and Homma (1990), a = 7, b = 0.1: S = .314 .442 0, T = .558 .442 .244."""

    def ishigami(u: np.ndarray) -> np.ndarray:
        x = np.pi * (2 * u - 1)
        return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])

    found = sobol_shares(*_samples(ishigami, 3))
    assert found.first == pytest.approx([0.314, 0.442, 0.0], abs=0.03)
    assert found.total == pytest.approx([0.558, 0.442, 0.244], abs=0.03)
    assert found.variance == pytest.approx(13.845, rel=0.03)


def test_additive_function_has_no_interaction() -> None:
    found = sobol_shares(*_samples(lambda u: 3 * u[:, 0] + u[:, 1] + 0 * u[:, 2], 3))
    assert found.first == pytest.approx(found.total, abs=0.03)
    assert found.total == pytest.approx([0.9, 0.1, 0.0], abs=0.03)
    assert found.total[2] == 0.0


def test_what_does_not_vary_has_no_shares() -> None:
    found = sobol_shares(np.ones((5, 2)), np.ones((5, 2)), np.ones((3, 5, 2)))
    assert np.isnan(found.first).all()
    assert np.isnan(found.total).all()
    assert (found.variance == 0).all()


def test_bad_input_is_named() -> None:
    with pytest.raises(FusionError):
        sobol_shares(np.ones(5), np.ones(4), np.ones((2, 5)))
    with pytest.raises(FusionError):
        sobol_shares(np.ones(1), np.ones(1), np.ones((2, 1)))
