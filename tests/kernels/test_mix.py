"""Mixes of a known whole: equal to a linear programme, within bounds, adding up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from ronghe.kernels.errors import KernelError
from ronghe.kernels.mix import extreme_mix


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.booleans())
def test_it_solves_the_linear_programme(seed, n, most):
    rng = np.random.default_rng(seed)
    size, weight = rng.uniform(0.1, 100, n), rng.uniform(-5, 5, n)
    low, high = np.sort(rng.uniform(0, 1, (2, n)), axis=0)
    total = float(size @ low) + rng.uniform() * float(size @ (high - low))
    share = extreme_mix(size, low, high, total, weight, most=most)
    assert (share >= low - 1e-12).all()
    assert (share <= high + 1e-9).all()
    assert size @ share == pytest.approx(total, rel=1e-9, abs=1e-9)
    sign = -1 if most else 1
    peer = linprog(sign * weight * size, A_eq=size[None, :], b_eq=[total], bounds=list(zip(low, high, strict=True)))
    assert (weight * size) @ share == pytest.approx(sign * peer.fun, rel=1e-6, abs=1e-6)


def test_a_total_out_of_reach_is_brought_within_the_bounds():
    assert extreme_mix([2.0, 1.0], [0.1, 0.1], [0.4, 0.2], 9.0, [1.0, 1.0]).tolist() == pytest.approx([0.4, 0.2])
    assert extreme_mix([2.0, 1.0], [0.1, 0.1], [0.4, 0.2], 0.0, [1.0, 1.0]).tolist() == [0.1, 0.1]
    assert extreme_mix([0.0, 1.0], [0.1, 0.0], [0.4, 1.0], 0.5, [9.0, 1.0]).tolist() == [0.1, 0.5]


@pytest.mark.parametrize(
    "bad", [([-1.0], [0.0], [1.0]), ([1.0], [0.6], [0.5]), ([1.0], [-0.1], [0.5]), ([1.0, 2.0], [0.0], [1.0])]
)
def test_bad_bounds_are_refused(bad):
    with pytest.raises(KernelError):
        extreme_mix(*bad, 1.0, [1.0])
