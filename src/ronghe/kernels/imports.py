"""Taking imports out of a competitive table: what is made at home, under proportionality.

A competitive table books domestic and imported products together and imports in one column. The usual
assumption (Miller & Blair 2009, ch. 4; United Nations 2018, Handbook on Supply and Use Tables, ch. 8) lets each
product's imports meet every use at home in the same proportion, and none of its exports.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError

Floats = NDArray[np.float64]


def domestic_shares(Z: ArrayLike, home: ArrayLike, imports: ArrayLike) -> Floats:
    """1 - M / (Z 1 + home use): the share of each product's use at home that is made at home, (n,).

    Parameters
    ----------
    Z : (n, n) flows, domestic and imported together.
    home : (n,) final use at home: consumption, capital formation, stocks; no exports.
    imports : (n,) imports as positive numbers.

    Shares are held between 0 and 1: where imports exceed use at home (goods in transit, stock draw-down) all
    of it counts as imported. A product without use at home has share 1.

    Raises
    ------
    KernelError : shapes differ, or imports are negative.

    Examples
    --------
    >>> domestic_shares([[10.0, 20.0], [0.0, 10.0]], [10.0, 0.0], [10.0, 20.0]).tolist()
    [0.75, 0.0]
    """
    flows = np.asarray(Z, dtype=float)
    use = flows.sum(axis=1) + np.asarray(home, dtype=float)
    bought = np.asarray(imports, dtype=float)
    if use.shape != bought.shape:
        raise KernelError("shape", f"use has shape {use.shape}, imports {bought.shape}")
    if (bought < 0).any():
        raise KernelError("negative", "imports must be given as positive numbers", sectors=np.flatnonzero(bought < 0))
    share = np.divide(bought, use, out=np.zeros_like(use), where=use > 0)
    return np.asarray(1.0 - np.clip(share, 0.0, 1.0))
