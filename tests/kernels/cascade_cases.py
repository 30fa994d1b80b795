"""Small networks for the cascade tests, and a Hypothesis strategy that draws them."""

import numpy as np
from hypothesis import strategies as st

from ronghe.kernels.cascade_network import network

GOLDEN_W = np.array(
    [
        [0, 3, 2, 7, 5, 11],
        [4, 0, 9, 1, 8, 6],
        [10, 2, 0, 4, 3, 7],
        [6, 5, 1, 0, 9, 2],
        [8, 3, 6, 10, 0, 4],
        [2, 7, 5, 3, 11, 0],
    ],
    dtype=float,
)
GOLDEN_SECTOR = np.array([0, 1, 2, 0, 1, 2])
GOLDEN_E = np.array([[2, 1, 0], [0, 2, 1], [1, 0, 2]])


def make(W, sector, e, final=None):
    supplier, customer = np.nonzero(W)
    return network(supplier, customer, W[supplier, customer], sector, e, final_demand=final)


@st.composite
def economies(draw, closed=False):
    """(W, sector, e, final demand) of 2 to 9 firms in up to 3 sectors."""
    n = draw(st.integers(2, 9))
    k = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    W = np.where(rng.random((n, n)) < draw(st.sampled_from([0.2, 0.5, 0.9])), rng.lognormal(0, 1.5, (n, n)), 0.0)
    np.fill_diagonal(W, 0.0)
    W[0, 1] = max(W[0, 1], 1.0)
    final = np.zeros(n) if closed else rng.lognormal(0, 1, n)
    return W, rng.integers(0, k, n), rng.integers(0, 3, (k, k)), final
