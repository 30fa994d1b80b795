"""Tail exponents against exact quantiles and drawn samples."""

import numpy as np
import pytest

from ronghe.kernels.errors import KernelError
from ronghe.kernels.tails import fit_tail, hill


def test_hill_by_hand():
    # ln(8/1) + ln(4/1) + ln(2/1) = 6 ln 2
    assert hill([8, 1, 4, 2, -3, 0], 3) == pytest.approx(3 / (6 * np.log(2)))
    assert hill([1.0, 1.0, 1.0], 2) == np.inf


@pytest.mark.parametrize("k", [0, 3])
def test_hill_refuses_k(k):
    with pytest.raises(KernelError):
        hill([1.0, 2.0, 3.0], k)


@pytest.mark.parametrize("exponent", [0.8, 1.5, 2.5])
def test_fit_finds_a_drawn_exponent(exponent):
    rng = np.random.default_rng(1)
    tail = 5.0 * (1 + rng.pareto(exponent, 20_000))
    fit = fit_tail(np.concatenate([rng.uniform(0.1, 5.0, 20_000), tail]))
    assert fit.exponent == pytest.approx(exponent, abs=4 * fit.error)
    assert 3.5 < fit.start < 12
    assert fit.error == pytest.approx(fit.exponent / np.sqrt(fit.n_tail))


def test_fit_of_counts():
    rng = np.random.default_rng(2)
    counts = np.floor(5.5 * (1 + rng.pareto(1.4, 50_000)) + 0.5)
    assert fit_tail(counts, discrete=True).exponent == pytest.approx(1.4, abs=0.08)


@pytest.mark.parametrize("values", [[], [1.0] * 50, [3.0, 2.0], [-1.0] * 50])
def test_nothing_to_fit(values):
    assert np.isnan(fit_tail(values).exponent)
