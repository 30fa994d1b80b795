"""Relatedness and complexity of places and the activities they are good at.

The same arrays serve country x product, region x technology and occupation x skill. Rows are places c, columns are
activities p.

    RCA_cp  = (x_cp / x_c.) / (x_.p / x_..)                     revealed comparative advantage
    M_cp    = 1 where RCA_cp >= 1                               presence; diversity = M 1, ubiquity = 1' M
    phi_pq  = (M'M)_pq / max(ubiquity_p, ubiquity_q)            proximity, min of P(p|q) and P(q|p)
    d_cp    = sum_q M_cq phi_qp / sum_q phi_qp                  density: how near p is to what c already does
    ECI     = second eigenvector of D^-1 M U^-1 M'              PCI = U^-1 M' ECI, each standardised
    F, Q    = fitness and complexity                            F = M Q, Q = 1 / (M' (1/F)), each over its mean
    COI_c   = sum_p d_cp (1 - M_cp) PCI_p                       complexity outlook
    COG_cp  = (1 - M_cp) sum_q (1 - M_cq) phi_pq PCI_q / sum_r phi_rq

Rows and columns without presence have no complexity: they are NaN, take no part in any moment, and rank last.

References
----------
Hidalgo, C. A. & Hausmann, R. (2009). The building blocks of economic complexity. PNAS 106(26).
Hausmann, R., Hidalgo, C. A. et al. (2014). The Atlas of Economic Complexity. MIT Press.
Tacchella, A. et al. (2012). A new metrics for countries' fitness and products' complexity. Sci Rep 2, 723.
Hausmann, R., Hwang, J. & Rodrik, D. (2007). What you export matters. J Econ Growth 12.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ronghe.kernels.errors import KernelError

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Complexity:
    """Complexity by eigenvector.

    Attributes
    ----------
    eci : (C,) standardised by its own mean and standard deviation (over places that have one); NaN without presence.
    pci : (P,) standardised by its own.
    eci_raw, pci_raw : the same before, scaled so that eci_raw has standard deviation 1 and each place's eci_raw is
        the mean pci_raw of what it does.
    lambda2, lambda3 : second and third eigenvalue; when they are close the order of places rests on little.
    """

    eci: Floats
    pci: Floats
    eci_raw: Floats
    pci_raw: Floats
    lambda2: float
    lambda3: float


@dataclass(frozen=True, slots=True)
class Fitness:
    """Fitness of places (C,), complexity of activities (P,), both of mean 1 over those with presence.

    `moved` is the largest relative change of a fitness in the last step, `steps` how many were taken. Some fitnesses
    go to zero for ever, so a run may stop at its limit with `moved` above the tolerance; ranks settle long before.
    """

    fitness: Floats
    complexity: Floats
    steps: int
    moved: float


def rca(x: ArrayLike) -> Floats:
    """Balassa's index of each flow.

    Parameters
    ----------
    x : (C, P) non-negative flows in one unit.

    Returns
    -------
    (C, P) index; 0 in rows and columns that sum to zero.

    Raises
    ------
    KernelError
        ``shape``, ``negative``, ``not_finite``, or ``empty`` if nothing flows at all.

    Examples
    --------
    >>> rca([[2.0, 0.0], [1.0, 1.0]]).round(3)
    array([[1.333, 0.   ],
           [0.667, 2.   ]])
    """
    flows = _matrix(x, "x").astype(np.float64)
    if (flows < 0).any():
        raise KernelError("negative", "flows must not be negative", at=tuple(map(int, np.argwhere(flows < 0)[0])))
    place, activity = flows.sum(axis=1), flows.sum(axis=0)
    total = place.sum()
    if not total > 0:
        raise KernelError("empty", "all flows are zero", shape=flows.shape)
    index: Floats = flows * np.divide(total, place, out=np.zeros_like(place), where=place > 0)[:, None]
    index *= np.divide(1.0, activity, out=np.zeros_like(activity), where=activity > 0)
    return index


def presence(index: ArrayLike, threshold: float = 1.0) -> Flags:
    """Return M: where the index reaches the threshold."""
    return np.asarray(np.asarray(index) >= threshold)


def diversity_ubiquity(m: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many activities each place has, and how many places each activity."""
    flags = _flags(m)
    return flags.sum(axis=1, dtype=np.int64), flags.sum(axis=0, dtype=np.int64)


def proximity(m: ArrayLike) -> Floats:
    """Proximity of activities: the smaller of the two conditional probabilities that a place has both.

    Parameters
    ----------
    m : (C, P) presence.

    Returns
    -------
    (P, P) symmetric, 1 on the diagonal; 0 for activities that nobody has. For places, hand in the transpose.

    Examples
    --------
    >>> proximity([[1, 1], [1, 0]])
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    flags = _flags(m)
    ones = flags.astype(np.float32)  # sums of ones are exact below 2**24 places
    return _proximity(ones.T @ ones, flags.sum(axis=0).astype(np.float64))


def density(m: ArrayLike, phi: ArrayLike) -> Floats:
    """Relatedness density of every place and activity (the activity itself included, as Hidalgo et al. 2007).

    Parameters
    ----------
    m : (C, P) presence. phi : (P, P) proximity.

    Returns
    -------
    (C, P) in [0, 1]; NaN for activities related to nothing.

    Examples
    --------
    >>> density([[1, 1], [1, 0]], [[1, 0.5], [0.5, 1]]).round(3)
    array([[1.   , 1.   ],
           [0.667, 0.333]])
    """
    flags, near = _flags(m), _square(phi, np.shape(m)[1])
    share = flags.astype(np.float64) @ near
    total = near.sum(axis=0)
    share /= np.where(total > 0, total, np.nan)
    return share


def complexity(m: ArrayLike) -> Complexity:
    """ECI and PCI of a presence matrix.

    Parameters
    ----------
    m : (C, P) presence.

    Returns
    -------
    Complexity. The sign is the one that goes with diversity.

    Raises
    ------
    KernelError
        ``too_small`` with fewer than three places or activities that have presence; ``disconnected`` if places fall
        into groups that share no activity, where no second eigenvector orders them all (details: the parts).

    Examples
    --------
    >>> found = complexity([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
    >>> ranks(found.eci).tolist(), ranks(found.pci).tolist()
    ([1, 2, 3, 4], [4, 3, 2, 1])
    """
    flags = _flags(m)
    rows, columns = _margins(flags)
    part = flags[np.ix_(rows, columns)].astype(np.float64)
    if min(part.shape) < 3:
        raise KernelError("too_small", "fewer than three places or activities", shape=part.shape)
    _require_connected(part)
    div, ubi = part.sum(axis=1), part.sum(axis=0)
    # The symmetric form has the same eigenvalues; the smaller side is the cheaper one to solve.
    half = part / np.sqrt(div)[:, None] / np.sqrt(ubi)
    wide = part.shape[0] <= part.shape[1]
    gram = half @ half.T if wide else half.T @ half
    n = gram.shape[0]
    values, vectors = eigh(gram, subset_by_index=[n - 3, n - 2], overwrite_a=True)
    second = vectors[:, 1]
    places = second / np.sqrt(div) if wide else part @ (second / np.sqrt(ubi)) / div
    places *= np.sign(np.corrcoef(div, places)[0, 1]) or 1.0
    places /= places.std()
    # One more step down, and up again by the eigenvalue, keeps ECI the mean PCI of what a place does.
    activities = places @ part / ubi / values[1]
    eci_raw, pci_raw = _spread(places, rows), _spread(activities, columns)
    return Complexity(
        _standardise(eci_raw), _standardise(pci_raw), eci_raw, pci_raw, float(values[1]), float(values[0])
    )


def fitness(m: ArrayLike, steps: int = 1000, tolerance: float = 1e-9) -> Fitness:
    """Fitness of places and complexity of activities by non-linear iteration (Tacchella et al. 2012).

    Parameters
    ----------
    m : (C, P) presence.
    steps : at most so many; the original papers take 20 to 200.
    tolerance : stop when no fitness moves by more than this share of itself.

    Returns
    -------
    Fitness; NaN for places and activities without presence.

    Examples
    --------
    >>> found = fitness([[1, 1, 1], [1, 1, 0], [1, 0, 0]], steps=20)
    >>> ranks(found.fitness).tolist()
    [1, 2, 3]
    """
    flags = _flags(m)
    rows, columns = _margins(flags)
    if not rows.any():
        raise KernelError("empty", "nothing is present anywhere", shape=flags.shape)
    part = flags[np.ix_(rows, columns)].astype(np.float64)
    fit, quality, moved, step = np.ones(part.shape[0]), np.ones(part.shape[1]), np.inf, 0
    for step in range(1, steps + 1):  # noqa: B007 (the count is a result)
        new_fit = part @ quality
        inverse = part.T @ (1.0 / np.maximum(fit, 1e-300))
        quality = 1.0 / inverse
        quality /= quality.mean()
        new_fit /= new_fit.mean()
        moved = float(np.max(np.abs(new_fit - fit) / np.maximum(fit, 1e-300)))
        fit = new_fit
        if moved <= tolerance:
            break
    return Fitness(_spread(fit, rows), _spread(quality, columns), step, moved)


def outlook(m: ArrayLike, phi: ArrayLike, dens: ArrayLike, pci: ArrayLike) -> tuple[Floats, Floats]:
    """Complexity outlook index and gain: what a place could still enter, and what each entry would open.

    Parameters
    ----------
    m, dens : (C, P) presence and density. phi : (P, P) proximity. pci : (P,) complexity, NaN where there is none.

    Returns
    -------
    COI (C,), not standardised, and COG (C, P), 0 where the place is already present.

    Examples
    --------
    >>> coi, cog = outlook([[1, 0], [1, 1]], [[1, 0.5], [0.5, 1]], [[2 / 3, 1 / 3], [1, 1]], [-1.0, 1.0])
    >>> coi.round(3), cog.round(3)[0]
    (array([0.333, 0.   ]), array([0.   , 0.667]))
    """
    flags, near = _flags(m), _square(phi, np.shape(m)[1])
    worth = np.nan_to_num(np.asarray(pci, dtype=np.float64))
    if worth.shape != (flags.shape[1],) or np.shape(dens) != flags.shape:
        raise KernelError("shape", "density or PCI does not fit presence", m=flags.shape, pci=worth.shape)
    absent = (~flags).astype(np.float64)
    total = near.sum(axis=0)
    coi = np.asarray((np.nan_to_num(np.asarray(dens, dtype=np.float64)) * absent) @ worth)
    weight = np.divide(worth, total, out=np.zeros_like(worth), where=total > 0)
    return coi, absent * ((absent * weight) @ near)


def prody_expy(x: ArrayLike, income: ArrayLike) -> tuple[Floats, Floats]:
    """Income level of each activity (PRODY) and of each place's basket (EXPY), after Hausmann, Hwang & Rodrik 2007.

    Parameters
    ----------
    x : (C, P) flows. income : (C,) income a head in one unit; places without one (NaN) take no part in PRODY.

    Returns
    -------
    PRODY (P,) and EXPY (C,) in the unit of income; NaN where nothing flows.

    Examples
    --------
    >>> prody, expy = prody_expy([[1.0, 0.0], [0.0, 1.0]], [10.0, 20.0])
    >>> prody, expy
    (array([10., 20.]), array([10., 20.]))
    """
    flows, level = _matrix(x, "x").astype(np.float64), np.asarray(income, dtype=np.float64)
    if level.shape != (flows.shape[0],):
        raise KernelError("shape", "one income a place is needed", income=level.shape, x=flows.shape)
    known = np.isfinite(level)
    weights = rca(flows)[known]
    reach = weights.sum(axis=0)
    prody = np.divide(level[known] @ weights, reach, out=np.full(reach.shape, np.nan), where=reach > 0)
    valued = np.where(np.isfinite(prody), flows, 0.0)
    basket = valued.sum(axis=1)
    worth = valued @ np.nan_to_num(prody)
    return prody, np.divide(worth, basket, out=np.full(basket.shape, np.nan), where=basket > 0)


def ranks(values: ArrayLike) -> NDArray[np.int64]:
    """Rank 1 for the highest; values that are missing come last, never first, all with the same rank.

    Examples
    --------
    >>> ranks([0.5, float("nan"), 2.0, 0.5]).tolist()
    [2, 4, 1, 2]
    """
    score = np.asarray(values, dtype=np.float64)
    have = np.sort(-score[~np.isnan(score)])
    place = np.searchsorted(have, -score, side="left") + 1
    return np.where(np.isnan(score), have.size + 1, place).astype(np.int64)


@njit(nogil=True, cache=True)
def _proximity(both: NDArray[np.float32], ubiquity: Floats) -> Floats:
    n = ubiquity.size
    phi = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            larger = max(ubiquity[i], ubiquity[j])
            phi[i, j] = both[i, j] / larger if larger > 0 else 0.0
    return phi


def _margins(flags: Flags) -> tuple[Flags, Flags]:
    return np.asarray(flags.any(axis=1)), np.asarray(flags.any(axis=0))


def _require_connected(part: Floats) -> None:
    c, p = part.shape
    rows, columns = np.nonzero(part)
    graph = csr_array((np.ones(rows.size, np.int8), (rows, columns + c)), shape=(c + p, c + p))
    parts, label = connected_components(graph, directed=False)
    if parts > 1:
        raise KernelError("disconnected", "places fall into groups without a common activity", parts=parts, label=label)


def _spread(values: Floats, where: Flags) -> Floats:
    full = np.full(where.shape, np.nan)
    full[where] = values
    return full


def _standardise(values: Floats) -> Floats:
    return np.asarray((values - np.nanmean(values)) / np.nanstd(values))


def _matrix(values: ArrayLike, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 2 or 0 in array.shape:
        raise KernelError("shape", "a matrix of places by activities is needed", which=name, shape=array.shape)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        at = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        raise KernelError("not_finite", "missing or infinite values", which=name, at=at)
    return array


def _flags(m: ArrayLike) -> Flags:
    array = _matrix(m, "m")
    flags: Flags = array.astype(bool)
    if not np.array_equal(flags, array):
        raise KernelError("not_binary", "presence must be 0 or 1", shape=array.shape)
    return flags


def _square(phi: ArrayLike, size: int) -> Floats:
    near = np.asarray(phi, dtype=np.float64)
    if near.shape != (size, size):
        raise KernelError("shape", "proximity does not fit presence", phi=near.shape, activities=size)
    return near
