"""How unusual the combinations are that a work draws on.

Every work cites references, each with a label (a journal, a topic, a class). Every pair of references of one work is a
combination of two labels, and the question is how often such a pair would meet by chance. Two answers are given.

Commonness (analytical, Lee, Walsh & Wang 2015), per group of works (a year of publication, say):

    commonness_ab = N_ab N / (N_a N_b)      N_ab pairs of a and b, N_a pairs with a, N all pairs
    novelty of a work = -ln of the 10th percentile of the commonness of its pairs

Atypicality (Uzzi et al. 2013): z_ab = (N_ab - mean) / standard deviation over null worlds. In a null world labels are
shuffled among the references of a stratum (works of one year citing works of one year), which keeps how many
references every work has and how often every label is cited in each stratum. Uzzi's own null switches citations one
by one and never lets a work cite the same paper twice; the shuffle is its limit after many switches, but for that.
Per work: the median z (conventionality) and the 10th percentile (tail novelty, below 0 is atypical).

Shuffles come from a seed, so the same call gives the same figures.

References
----------
Uzzi, B., Mukherjee, S., Stringer, M. & Jones, B. (2013). Atypical combinations and scientific impact. Science 342.
Lee, Y.-N., Walsh, J. P. & Wang, J. (2015). Creativity in scientific teams: unpacking novelty and impact. Res Policy 44.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Commonness:
    """Analytical novelty.

    Attributes
    ----------
    novelty : (w,) -ln of the 10th percentile of commonness; higher is more unusual, NaN under two references.
    pairs : (w,) combinations of each work.
    """

    novelty: Floats
    pairs: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Atypicality:
    """Novelty against null worlds.

    Attributes
    ----------
    median, tail : (w,) median and 10th percentile of z over a work's pairs; NaN where no pair has a z.
    pairs : (w,) combinations of each work. without_z : (w,) those whose count never varied in the null worlds.
    label_a, label_b : (k,) every pair of labels that occurs. count, z : (k,) how often, and its score.
    """

    median: Floats
    tail: Floats
    pairs: NDArray[np.int64]
    without_z: NDArray[np.int64]
    label_a: Ints
    label_b: Ints
    count: NDArray[np.int64]
    z: Floats


def commonness(indptr: ArrayLike, label: ArrayLike, group: ArrayLike | None = None) -> Commonness:
    """Analytical novelty of every work.

    Parameters
    ----------
    indptr : (w + 1,) where each work's references begin. label : (m,) integers >= 0, the label of each reference.
    group : (w,) integers; pairs are counted within a group (a year); one group by default.

    Returns
    -------
    Commonness

    Raises
    ------
    KernelError
        ``shape``, ``dtype``, ``negative``.

    Examples
    --------
    >>> found = commonness([0, 2, 4, 6, 8, 10], [0, 1, 0, 1, 2, 3, 2, 3, 0, 2])
    >>> found.novelty.argmax().item(), found.pairs.tolist()
    (4, [1, 1, 1, 1, 1])
    """
    start, labels = _references(indptr, label)
    works = start.size - 1
    groups = np.zeros(works, np.int64) if group is None else np.asarray(group)
    if groups.shape != (works,) or groups.dtype.kind not in "iu":
        raise KernelError("shape", "one integer group a work is needed", group=groups.shape, works=works)
    span = int(labels.max(initial=0)) + 1
    owner = np.repeat(np.unique(groups, return_inverse=True)[1] * span, np.diff(start))
    _, scoped = np.unique(owner + labels, return_inverse=True)  # a label of another group is another label
    scoped = scoped.astype(np.int64)
    kinds = int(scoped.max(initial=0)) + 1
    codes = _pair_codes(start, scoped, kinds)
    kind, place, count = np.unique(codes, return_inverse=True, return_counts=True)
    a, b = kind // kinds, kind % kinds
    with_label = np.bincount(a, count, kinds) + np.bincount(b, np.where(a == b, 0, count), kinds)
    scope = np.zeros(kinds, np.int64)
    scope[scoped] = owner // span
    whole = np.bincount(scope[a], count, int(scope.max(initial=0)) + 1)[scope[a]]
    common = count * whole / (with_label[a] * with_label[b])
    pairs = _pair_numbers(start)
    tail = _quantiles(pairs, common[place], 0.1)
    with np.errstate(divide="ignore"):
        return Commonness(-np.log(tail), pairs)


def atypicality(
    indptr: ArrayLike, label: ArrayLike, stratum: ArrayLike | None = None, worlds: int = 10, seed: int = 0
) -> Atypicality:
    """Novelty of every work against shuffled worlds.

    Parameters
    ----------
    indptr, label : as in `commonness`.
    stratum : (m,) integers, the stratum of each reference (year of the citing and of the cited work, as one number);
        labels are shuffled within it. One stratum by default.
    worlds : null worlds, >= 2; Uzzi et al. used 10. seed : of the shuffles.

    Returns
    -------
    Atypicality

    Raises
    ------
    KernelError
        ``shape``, ``dtype``, ``negative``, ``worlds``.

    Examples
    --------
    >>> labels = [0, 0, 1] * 10 + [2, 2, 3] * 10 + [0, 2]
    >>> starts = [*range(0, 61, 3), 62]
    >>> found = atypicality(starts, labels, seed=1)
    >>> bool(found.tail[-1] < 0 < found.median[0])
    True
    """
    start, labels = _references(indptr, label)
    strata = np.zeros(labels.size, np.int64) if stratum is None else np.asarray(stratum)
    if strata.shape != labels.shape or strata.dtype.kind not in "iu":
        raise KernelError("shape", "one integer stratum a reference is needed", stratum=strata.shape)
    if worlds < 2:
        raise KernelError("worlds", "a spread wants two null worlds or more", worlds=worlds)
    kinds = int(labels.max(initial=0)) + 1
    kind, place, count = np.unique(_pair_codes(start, labels, kinds), return_inverse=True, return_counts=True)
    mean, spread = _null_moments(start, labels, strata, kind, kinds, worlds, np.random.default_rng(seed))
    z = np.divide(count - mean, spread, out=np.full(kind.size, np.nan), where=spread > 0)
    pairs = _pair_numbers(start)
    return Atypicality(
        median=_quantiles(pairs, z[place], 0.5),
        tail=_quantiles(pairs, z[place], 0.1),
        pairs=pairs,
        without_z=_missing(pairs, z[place]),
        label_a=kind // kinds,
        label_b=kind % kinds,
        count=count.astype(np.int64),
        z=z,
    )


def _missing(pairs: NDArray[np.int64], values: Floats) -> NDArray[np.int64]:
    """How many of each work's values are missing."""
    gone = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.isnan(values))))
    return np.diff(gone[_starts(pairs)])


def _null_moments(
    start: Ints, labels: Ints, strata: Ints, kind: Ints, kinds: int, worlds: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the count of each observed pair over shuffled worlds (Welford)."""
    home = np.argsort(strata, kind="stable")
    mean, square = np.zeros(kind.size), np.zeros(kind.size)
    shuffled = np.empty_like(labels)
    for world in range(1, worlds + 1):
        # Sorting random keys within strata shuffles every stratum at once.
        order = np.lexsort((rng.random(labels.size), strata))
        shuffled[home] = labels[order]
        codes, count = np.unique(_pair_codes(start, shuffled, kinds), return_counts=True)
        found = np.searchsorted(codes, kind)
        here = np.minimum(found, max(codes.size - 1, 0))
        seen = np.where(codes[here] == kind, count[here], 0) if codes.size else np.zeros(kind.size)
        step = seen - mean
        mean += step / world
        square += step * (seen - mean)
    return mean, np.sqrt(square / (worlds - 1))


@njit(nogil=True, cache=True)
def _pair_codes(start: Ints, labels: Ints, kinds: int) -> Ints:
    """Code a x kinds + b, a <= b, of every pair of references of every work, in order."""
    total = 0
    for w in range(start.size - 1):
        k = start[w + 1] - start[w]
        total += k * (k - 1) // 2
    codes = np.empty(total, np.int64)
    out = 0
    for w in range(start.size - 1):
        for i in range(start[w], start[w + 1]):
            for j in range(i + 1, start[w + 1]):
                codes[out] = min(labels[i], labels[j]) * kinds + max(labels[i], labels[j])
                out += 1
    return codes


def _pair_numbers(start: Ints) -> NDArray[np.int64]:
    k = np.diff(start).astype(np.int64)
    return k * (k - 1) // 2


def _starts(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(pairs)))


def _quantiles(pairs: NDArray[np.int64], values: Floats, share: float) -> Floats:
    """A quantile of each work's values, linear between order statistics; missing values left out."""
    return np.asarray(_row_quantiles(_starts(pairs), values, share))


@njit(nogil=True, cache=True)
def _row_quantiles(start: Ints, values: Floats, share: float) -> Floats:
    found = np.full(start.size - 1, np.nan)
    for w in range(start.size - 1):
        row = values[start[w] : start[w + 1]]
        row = np.sort(row[~np.isnan(row)])
        if row.size:
            place = share * (row.size - 1)
            low = int(place)
            high = min(low + 1, row.size - 1)
            found[w] = row[low] + (place - low) * (row[high] - row[low])
    return found


def _references(indptr: ArrayLike, label: ArrayLike) -> tuple[Ints, Ints]:
    start, labels = np.asarray(indptr), np.asarray(label)
    if start.ndim != 1 or start.size == 0 or labels.ndim != 1:
        raise KernelError("shape", "plain lists are needed", indptr=start.shape, label=labels.shape)
    if start.dtype.kind not in "iu" or (labels.size and labels.dtype.kind not in "iu"):
        raise KernelError("dtype", "starts and labels are integers", indptr=str(start.dtype), label=str(labels.dtype))
    if start[0] != 0 or start[-1] != labels.size or (np.diff(start.astype(np.int64)) < 0).any():
        raise KernelError("shape", "starts must ascend from 0 to the number of references", references=labels.size)
    if labels.size and labels.min() < 0:
        raise KernelError("negative", "labels must not be negative", at=int(labels.argmin()))
    return start.astype(np.int64), labels.astype(np.int64)
