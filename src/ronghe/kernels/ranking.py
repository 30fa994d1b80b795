"""How well a score puts the right cases first.

    AUC            probability that a positive outranks a negative, ties counting half (Hanley & McNeil 1982)
    precision@k    share of positives among the k highest; tied cases at the border count by their average

Both are exact and do not depend on the order in which cases are handed in.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from ronghe.kernels.errors import KernelError


def auc(score: ArrayLike, positive: ArrayLike) -> float:
    """Area under the receiver operating curve.

    Parameters
    ----------
    score : (n,) numbers, higher for likelier. positive : (n,) booleans.

    Returns
    -------
    Between 0 and 1; 0.5 is chance. NaN without a positive or without a negative.

    Raises
    ------
    KernelError
        ``shape``, ``not_finite`` (a score that is NaN).

    Examples
    --------
    >>> auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    value, truth = _pair(score, positive)
    right, wrong = int(truth.sum()), int((~truth).sum())
    if not right or not wrong:
        return float("nan")
    return float((rankdata(value)[truth].sum() - right * (right + 1) / 2) / (right * wrong))


def precision_at(score: ArrayLike, positive: ArrayLike, k: int) -> float:
    """Share of positives among the k highest scores; NaN where there are no cases.

    Raises
    ------
    KernelError
        ``shape``, ``not_finite``, ``k`` if not positive.

    Examples
    --------
    >>> precision_at([3, 2, 2, 1], [True, True, False, False], 2)
    0.75
    """
    value, truth = _pair(score, positive)
    if k < 1:
        raise KernelError("k", "k must be positive", k=k)
    if value.size == 0:
        return float("nan")
    k = min(k, value.size)
    border = np.partition(value, value.size - k)[value.size - k]
    above, tied = value > border, value == border
    room = k - int(above.sum())
    return float((truth[above].sum() + truth[tied].mean() * room) / k)


def _pair(score: ArrayLike, positive: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    value: NDArray[Any] = np.asarray(score, dtype=np.float64)
    truth = np.asarray(positive)
    if value.ndim != 1 or truth.shape != value.shape or truth.dtype != np.bool_:
        raise KernelError("shape", "one flag a score is needed", score=value.shape, positive=truth.shape)
    if np.isnan(value).any():
        raise KernelError("not_finite", "a score is missing", at=int(np.argmax(np.isnan(value))))
    return value, truth
