"""Kernel densities: SciPy as the other way, mass, reflection, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import gaussian_kde

from ronghe.kernels.checks import FusionError, TooFewError
from ronghe.kernels.density import bandwidth, kernel_density

RNG = np.random.default_rng(6)
Y = RNG.beta(2, 3, (4, 31))


def test_equal_to_scipy_at_the_same_bandwidth() -> None:
    found = kernel_density(Y)
    for year, f, h in zip(Y, found.density, found.bandwidth, strict=True):
        other = gaussian_kde(year, bw_method=h / year.std(ddof=1))
        assert f == pytest.approx(other(found.grid), abs=1e-12)


def test_bandwidths_by_their_formulas() -> None:
    y = Y[:1]
    s = y.std(ddof=1)
    q1, q3 = np.percentile(y, [25, 75])
    assert bandwidth(y, rule="scott")[0] == pytest.approx(1.06 * s * 31**-0.2)
    assert bandwidth(y)[0] == pytest.approx(0.9 * min(s, (q3 - q1) / 1.349) * 31**-0.2)
    tied = np.array([[1.0, 1, 1, 1, 1, 1, 5]])
    assert bandwidth(tied)[0] == pytest.approx(0.9 * tied.std(ddof=1) * 7**-0.2)
    assert kernel_density(Y, width=[0.1, 0.2, 0.3, 0.4]).bandwidth.tolist() == [0.1, 0.2, 0.3, 0.4]


@settings(deadline=None, max_examples=30)
@given(arrays(np.float64, (2, 8), elements=st.floats(0, 1)), st.floats(0.02, 0.5))
def test_mass_is_one_with_and_without_bounds(y: np.ndarray, h: float) -> None:
    free = kernel_density(y, width=h, points=2001, grid=np.linspace(-4, 5, 2001))
    assert np.trapezoid(free.density, free.grid, axis=1) == pytest.approx(1.0, abs=1e-3)
    bound = kernel_density(y, width=h, support=(-1.0, 2.0), points=2001)
    assert np.trapezoid(bound.density, bound.grid, axis=1) == pytest.approx(1.0, abs=1e-2)


def test_reflection_keeps_mass_at_the_bound() -> None:
    y = np.array([[0.0, 0.01, 0.02, 0.05]])
    leaking = kernel_density(y, width=0.1, grid=np.linspace(0, 1, 500))
    kept = kernel_density(y, width=0.1, support=(0.0, 1.0), points=500)
    assert np.trapezoid(leaking.density[0], leaking.grid) < 0.65
    assert np.trapezoid(kept.density[0], kept.grid) == pytest.approx(1.0, abs=1e-3)
    outside = kernel_density(y, width=0.1, support=(0.0, 1.0), grid=[-0.5, 0.5, 1.5])
    assert outside.density[0, [0, 2]].tolist() == [0.0, 0.0]


def test_peaks_count_the_clubs() -> None:
    clubs = np.concatenate([RNG.normal(0.2, 0.02, 40), RNG.normal(0.8, 0.02, 40)])
    found = kernel_density(np.array([clubs, RNG.normal(0.5, 0.02, 80)]), width=0.05)
    assert found.peaks.tolist() == [2, 1]


def test_bad_input_is_named() -> None:
    with pytest.raises(FusionError) as equal:
        kernel_density([[1.0, 2.0], [3.0, 3.0]])
    assert equal.value.details["years"] == (1,)
    with pytest.raises(TooFewError):
        kernel_density([[1.0], [2.0]])
    for wrong in ({"width": 0.0}, {"width": "tight"}, {"support": (0.0, 0.1)}, {"grid": [1.0, 0.0]}):
        with pytest.raises(FusionError):
            kernel_density(Y, **wrong)
