"""Who works with whom: counting, strength of ties, concentration, and synergy of three helices.

A is works x partners: A_wi = 1 where partner i (a person, an organisation, a country) takes part in work w, and k_w
partners take part in it.

    full counting          c_i = sum_w A_wi            fractional            c_i = sum_w A_wi / k_w
    joint works            J_ij = sum_w A_wi A_wj      fractional            J_ij = sum_w A_wi A_wj / (k_w - 1), i != j
    Salton's cosine        S_ij = J_ij / sqrt(c_i c_j)
    partner concentration  H_i = sum_j (J_ij / J_i.)^2, Herfindahl-Hirschman
    triple-helix synergy   T = H_1 + H_2 + H_3 - H_12 - H_13 - H_23 + H_123, in bits

With the fractional joint count every work of two or more gives each of its partners exactly one unit to share out, so
a list of 3,000 authors weighs no more than one of three. T is negative where the three dimensions (universities,
firms and government, or place, technology and size) reduce uncertainty together: the more negative, the more synergy.

References
----------
Salton, G. & McGill, M. J. (1983). Introduction to Modern Information Retrieval.
Perianes-Rodriguez, A., Waltman, L. & van Eck, N. J. (2016). Constructing bibliometric networks. J Informetrics 10.
Leydesdorff, L. (2003). The mutual information of university-industry-government relations. Scientometrics 58.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.special import xlogy

from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ties:
    """Joint works of all pairs.

    Attributes
    ----------
    joint : (n, n) symmetric sparse, no diagonal: joint works, full or fractional.
    partners : (w,) how many take part in each work. too_long : works left out for having more than the limit.
    """

    joint: csr_array
    partners: NDArray[np.int64]
    too_long: int


@dataclass(frozen=True, slots=True)
class Synergy:
    """Entropies in bits of the three dimensions, their pairs (12, 13, 23) and all three, and the synergy T."""

    single: Floats
    pair: Floats
    all: float
    t: float


def incidence(work: ArrayLike, partner: ArrayLike, works: int, partners: int) -> csr_array:
    """A from a list of takings-part; one listed twice counts once.

    Parameters
    ----------
    work, partner : (m,) integers. works, partners : how many there are.

    Returns
    -------
    (works, partners) sparse matrix of ones.

    Raises
    ------
    KernelError
        ``shape`` if lengths differ, ``dtype``, ``index`` if a number does not exist.

    Examples
    --------
    >>> incidence([0, 0, 1], [0, 1, 1], 2, 2).toarray()
    array([[1., 1.],
           [0., 1.]])
    """
    rows, columns = np.asarray(work), np.asarray(partner)
    if rows.ndim != 1 or rows.shape != columns.shape:
        raise KernelError("shape", "one partner a line is needed", work=rows.shape, partner=columns.shape)
    for name, values, count in (("work", rows, works), ("partner", columns, partners)):
        if values.size and values.dtype.kind not in "iu":
            raise KernelError("dtype", "named by integers", which=name, dtype=str(values.dtype))
        if values.size and (values.min() < 0 or values.max() >= count):
            raise KernelError("index", "no such number", which=name, low=int(values.min()), high=int(values.max()))
    rows, columns = rows.astype(np.int64), columns.astype(np.int64)
    matrix = coo_array((np.ones(rows.size), (rows, columns)), shape=(works, partners)).tocsr()
    matrix.data[:] = 1.0
    return matrix


def counts(a: csr_array, fractional: bool = True) -> Floats:
    """Works of each partner, whole or shared equally among those who take part.

    Examples
    --------
    >>> a = incidence([0, 0, 1], [0, 1, 1], 2, 2)
    >>> counts(a), counts(a, fractional=False)
    (array([0.5, 1.5]), array([1., 2.]))
    """
    size = np.asarray(a.sum(axis=1), dtype=np.float64)
    weight = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0) if fractional else np.ones(size.size)
    return np.asarray(weight @ a)


def ties(a: csr_array, fractional: bool = True, limit: int | None = None) -> Ties:
    """Joint works of every pair of partners.

    Parameters
    ----------
    a : (w, n) from `incidence`. fractional : share each work out; else each pair gets one.
    limit : works with more partners than this are left out and counted: k partners make k (k - 1) / 2 pairs.

    Returns
    -------
    Ties

    Raises
    ------
    KernelError
        ``limit`` under 2.

    Examples
    --------
    >>> found = ties(incidence([0, 0, 1, 1, 1], [0, 1, 0, 1, 2], 2, 3))
    >>> found.joint.toarray()
    array([[0. , 1.5, 0.5],
           [1.5, 0. , 0.5],
           [0.5, 0.5, 0. ]])
    """
    if limit is not None and limit < 2:
        raise KernelError("limit", "a pair needs two", limit=limit)
    size = np.asarray(a.sum(axis=1)).astype(np.int64)
    kept = (size >= 2) & (size <= (limit or size.max(initial=2)))
    part = csr_array(a[np.flatnonzero(kept)])
    weight = 1.0 / (size[kept] - 1) if fractional else np.ones(int(kept.sum()))
    joint = csr_array(part.T @ (diags_array(weight) @ part))
    joint.setdiag(0.0)
    joint.eliminate_zeros()
    joint.sort_indices()
    return Ties(joint, size, int((size > limit).sum()) if limit else 0)


def salton(joint: csr_array, total: ArrayLike) -> csr_array:
    """Salton's cosine of every pair that has joint works.

    Parameters
    ----------
    joint : (n, n) joint works. total : (n,) works of each, counted the same way (full with full).

    Returns
    -------
    (n, n) sparse, in [0, 1] with full counting.

    Raises
    ------
    KernelError
        ``shape``, ``empty`` if someone has joint works but none in total.

    Examples
    --------
    >>> a = incidence([0, 0, 1], [0, 1, 1], 2, 2)
    >>> salton(ties(a, fractional=False).joint, counts(a, fractional=False)).toarray().round(4)
    array([[0.    , 0.7071],
           [0.7071, 0.    ]])
    """
    size = np.asarray(total, dtype=np.float64)
    if joint.ndim != 2 or joint.shape != (size.size, size.size):
        raise KernelError("shape", "one total a partner is needed", joint=joint.shape, total=size.shape)
    pairs = coo_array(joint)
    scale = size[pairs.row] * size[pairs.col]
    if (scale <= 0).any():
        raise KernelError("empty", "joint works but no works", at=int(pairs.row[np.argmin(scale)]))
    return csr_array((pairs.data / np.sqrt(scale), (pairs.row, pairs.col)), shape=joint.shape)


def partner_concentration(joint: csr_array) -> Floats:
    """Herfindahl-Hirschman index of each one's partners, (n,): 1 is a single partner, NaN is none.

    Examples
    --------
    >>> partner_concentration(csr_array([[0, 3.0, 1.0], [3.0, 0, 0], [1.0, 0, 0]]))
    array([0.625, 1.   , 1.   ])
    """
    total = np.asarray(joint.sum(axis=1), dtype=np.float64)
    square = np.asarray(joint.multiply(joint).sum(axis=1), dtype=np.float64)
    return np.asarray(np.divide(square, total**2, out=np.full(total.shape, np.nan), where=total > 0))


def triple_helix(cells: ArrayLike) -> Synergy:
    """Mutual information in three dimensions.

    Parameters
    ----------
    cells : (a, b, c) counts of cases by three dimensions, such as works by university yes/no, firm yes/no,
        government yes/no.

    Returns
    -------
    Synergy. With two dimensions related and the third apart T is positive or zero; -1 bit is one full bit of synergy.

    Raises
    ------
    KernelError
        ``shape``, ``negative``, ``empty``, ``not_finite``.

    Examples
    --------
    >>> parity = np.zeros((2, 2, 2))
    >>> parity[0, 0, 0] = parity[0, 1, 1] = parity[1, 0, 1] = parity[1, 1, 0] = 1
    >>> triple_helix(parity).t
    -1.0
    """
    table = np.asarray(cells, dtype=np.float64)
    if table.ndim != 3 or 0 in table.shape:
        raise KernelError("shape", "three dimensions are needed", shape=table.shape)
    if not np.isfinite(table).all():
        raise KernelError("not_finite", "missing or infinite counts", shape=table.shape)
    if (table < 0).any():
        raise KernelError("negative", "counts must not be negative", least=float(table.min()))
    if not table.sum() > 0:
        raise KernelError("empty", "no cases", shape=table.shape)
    share = table / table.sum()
    single = np.array([_bits(share.sum(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))])
    pair = np.array([_bits(share.sum(axis=axis)) for axis in (2, 1, 0)])
    whole = _bits(share)
    return Synergy(single, pair, whole, float(single.sum() - pair.sum() + whole))


def _bits(share: NDArray[Any]) -> float:
    return float(-xlogy(share, share).sum() / np.log(2))
