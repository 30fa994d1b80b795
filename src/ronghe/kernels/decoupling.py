"""Tapio decoupling: whether a pressure still grows with what drives it.

Elasticity e = (ΔE/E₀)/(ΔG/G₀), in eight classes with the thresholds 0.8 and 1.2.

Paper: Tapio, Transport Policy 12 (2005) 137-151.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.checks import Floats, FusionError, NegativeValueError, TooFewError, positions


class State(IntEnum):
    """Tapio's classes; UNDEFINED where the driver stood still."""

    UNDEFINED = -1
    STRONG_DECOUPLING = 0
    WEAK_DECOUPLING = 1
    EXPANSIVE_COUPLING = 2
    EXPANSIVE_NEGATIVE_DECOUPLING = 3
    STRONG_NEGATIVE_DECOUPLING = 4
    WEAK_NEGATIVE_DECOUPLING = 5
    RECESSIVE_COUPLING = 6
    RECESSIVE_DECOUPLING = 7


@dataclass(frozen=True, slots=True)
class Decoupling:
    """Elasticities and `State` numbers, one step less than years along the first axis."""

    elasticity: Floats
    state: NDArray[np.int64]


def tapio(E: ArrayLike, G: ArrayLike, *, low: float = 0.8, high: float = 1.2) -> Decoupling:
    """Elasticity and class between each year and the next.

    Args:
        E: (t, ...) pressure or output that should come loose (emissions, energy), above zero.
        G: (t, ...) driver (value added), above zero.
        low: upper limit of weak decoupling (exclusive).
        high: lower limit of the negative classes (exclusive).

    Returns:
        Arrays of shape (t - 1, ...). Where ΔG = 0 the elasticity is NaN and the state UNDEFINED. ΔE = 0
        counts as e = 0: weak decoupling in growth, weak negative decoupling in decline.

    Raises:
        TooFewError: one year only. NegativeValueError: a value of zero or less (`regions`).

    >>> tapio([100.0, 90.0, 99.0], [100.0, 110.0, 121.0]).state.tolist()
    [0, 2]
    """
    pressure, driver = np.asarray(E, dtype=np.float64), np.asarray(G, dtype=np.float64)
    if pressure.shape != driver.shape or pressure.ndim < 1:
        raise FusionError("E and G have the same shape", code="shape", shapes=(pressure.shape, driver.shape))
    if len(pressure) < 2:
        raise TooFewError("decoupling compares two years", what="years", found=len(pressure), needed=2)
    if not 0 < low <= high:
        raise FusionError("thresholds need 0 < low ≤ high", code="thresholds", low=low, high=high)
    bad = ~((pressure > 0) & (driver > 0))
    if bad.any():
        where = bad.reshape(len(bad), -1).any(axis=0)
        raise NegativeValueError("a rate of change needs values above zero", regions=positions(where))
    growth_E, growth_G = pressure[1:] / pressure[:-1] - 1.0, driver[1:] / driver[:-1] - 1.0
    still = growth_G == 0
    elasticity = np.where(still, np.nan, growth_E / np.where(still, 1.0, growth_G))
    return Decoupling(elasticity, _classify(elasticity, growth_G, low, high))


def _classify(elasticity: Floats, growth_G: Floats, low: float, high: float) -> NDArray[np.int64]:
    up = growth_G > 0
    weak, coupled = elasticity < low, elasticity <= high
    growing = np.select([elasticity < 0, weak, coupled], [0, 1, 2], 3)
    shrinking = np.select([elasticity < 0, weak, coupled], [4, 5, 6], 7)
    state = np.where(np.isnan(elasticity), int(State.UNDEFINED), np.where(up, growing, shrinking))
    return np.asarray(state, dtype=np.int64)
