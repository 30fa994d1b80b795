"""DEA: textbook cases, every basis tried by brute force, invariants, bad input."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels import dea
from ronghe.kernels.checks import FusionError, MissingBlockError, TooFewError, UnitError

RNG = np.random.default_rng(5)
X = RNG.integers(1, 20, (6, 2)).astype(float)
Y = RNG.integers(1, 20, (6, 1)).astype(float)
PANEL = st.tuples(
    arrays(np.float64, (3, 4, 2), elements=st.integers(1, 30).map(float)),
    arrays(np.float64, (3, 4, 1), elements=st.integers(1, 30).map(float)),
)


def _best_basis(c: np.ndarray, A: np.ndarray, b: np.ndarray) -> float:
    """min c'z, Az = b, z ≥ 0 by trying every basis."""
    rows, best = len(b), np.inf
    for columns in combinations(range(A.shape[1]), rows):
        B = A[:, columns]
        if abs(np.linalg.det(B)) < 1e-9:
            continue
        z = np.linalg.solve(B, b)
        if (z >= -1e-9).all():
            best = min(best, float(c[list(columns)] @ z))
    return best


def _brute_input(x: np.ndarray, y: np.ndarray, o: int, *, vrs: bool, skip: bool = False) -> float:
    n, i, p = len(x), x.shape[1], y.shape[1]
    keep = [j for j in range(n) if not (skip and j == o)]
    k = len(keep)
    A = np.zeros((i + p + vrs, 1 + k + i + p))
    A[:i, 0], A[:i, 1 : 1 + k], A[:i, 1 + k : 1 + k + i] = -x[o], x[keep].T, np.eye(i)
    A[i : i + p, 1 : 1 + k], A[i : i + p, 1 + k + i :] = y[keep].T, -np.eye(p)
    if vrs:
        A[-1, 1 : 1 + k] = 1
    b = np.concatenate([np.zeros(i), y[o], np.ones(int(vrs))])
    c = np.zeros(A.shape[1])
    c[0] = 1
    return _best_basis(c, A, b)


def _brute_sbm(x: np.ndarray, y: np.ndarray, o: int) -> float:
    """Tone's fraction by its linear programme, without our scaling."""
    n, i, p = len(x), x.shape[1], y.shape[1]
    A = np.zeros((1 + i + p, 1 + n + i + p))
    A[0, 0], A[0, 1 + n + i :] = 1, 1 / (p * y[o])
    A[1 : 1 + i, 0], A[1 : 1 + i, 1 : 1 + n], A[1 : 1 + i, 1 + n : 1 + n + i] = -x[o], x.T, np.eye(i)
    A[1 + i :, 0], A[1 + i :, 1 : 1 + n], A[1 + i :, 1 + n + i :] = -y[o], y.T, -np.eye(p)
    c = np.zeros(A.shape[1])
    c[0], c[1 + n : 1 + n + i] = 1, -1 / (i * x[o])
    return _best_basis(c, A, np.concatenate([[1.0], np.zeros(i + p)]))


def test_eight_stores() -> None:
    """Cooper, Seiford and Tone, Data Envelopment Analysis, table 1.1: sales per employee."""
    employees = np.array([2.0, 3, 3, 4, 5, 5, 6, 8])[:, None]
    sales = np.array([1.0, 3, 2, 3, 4, 2, 3, 5])[:, None]
    expected = [0.5, 1, 2 / 3, 0.75, 0.8, 0.4, 0.5, 0.625]
    assert dea.radial(employees, sales).score == pytest.approx(expected, abs=1e-9)
    assert dea.radial(employees, sales, orientation="output").score == pytest.approx(expected, abs=1e-9)


def test_six_units_and_the_slack_that_a_radial_score_hides() -> None:
    """Same book, example 3.1: F is radially efficient but wastes two of input 1, so SBM gives 0.9."""
    x = np.array([[4.0, 3], [7, 3], [8, 1], [4, 2], [2, 4], [10, 1]])
    y = np.ones((6, 1))
    assert dea.radial(x, y).score == pytest.approx([0.8571, 0.6316, 1, 1, 1, 1], abs=5e-5)
    assert dea.sbm(x, y).score[[2, 3, 4, 5]] == pytest.approx([1, 1, 1, 0.9], abs=1e-9)


@pytest.mark.parametrize("vrs", [False, True])
def test_radial_equals_brute_force(vrs: bool) -> None:
    found = dea.radial(X, Y, returns="vrs" if vrs else "crs")
    assert found.score == pytest.approx([_brute_input(X, Y, o, vrs=vrs) for o in range(6)], abs=1e-9)
    target = found.peers @ X
    assert (target <= found.score[:, None] * X + 1e-8).all()
    assert (found.peers @ Y >= Y - 1e-8).all()
    if vrs:
        assert found.peers.sum(axis=1) == pytest.approx(1)


def test_super_efficiency_equals_brute_force() -> None:
    found = dea.radial(X, Y, super_efficiency=True).score
    assert found == pytest.approx([_brute_input(X, Y, o, vrs=False, skip=True) for o in range(6)], abs=1e-9)
    plain = dea.radial(X, Y).score
    assert np.minimum(found, 1) == pytest.approx(plain, abs=1e-9)
    assert found.max() > 1


def test_sbm_equals_brute_force_and_never_passes_the_radial_score() -> None:
    found = dea.sbm(X, Y).score
    assert found == pytest.approx([_brute_sbm(X, Y, o) for o in range(6)], abs=1e-9)
    assert (found <= dea.radial(X, Y).score + 1e-9).all()


def test_super_sbm_of_one_input_and_output_is_the_distance_to_the_next_best() -> None:
    """Output per input 3, 2, 1: the best may lose a third before the next is as good."""
    x, y = np.ones((3, 1)), np.array([[3.0], [2], [1]])
    assert dea.sbm(x, y, super_efficiency=True).score == pytest.approx([1.5, 2 / 3, 1 / 3], abs=1e-9)
    found = dea.sbm(X, Y, super_efficiency=True).score
    plain = dea.sbm(X, Y).score
    assert (found[plain < 1 - 1e-9] == plain[plain < 1 - 1e-9]).all()
    assert (found[plain >= 1 - 1e-9] >= 1 - 1e-9).all()


def test_vrs_super_efficiency_without_a_solution_is_nan() -> None:
    """The largest producer can't be matched by shares of the others."""
    found = dea.radial([[1.0], [2.0], [9.0]], [[1.0], [2.0], [3.0]], returns="vrs", super_efficiency=True)
    assert np.isnan(found.score[2])
    assert np.isnan(found.peers[2]).all()
    assert not np.isnan(found.score[:2]).any()
    sbm = dea.sbm([[1.0], [2.0], [9.0]], [[1.0], [2.0], [3.0]], returns="vrs")
    assert sbm.score == pytest.approx([1, 1, 1], abs=1e-9)


def test_vrs_envelops_more_closely_than_crs() -> None:
    for orientation in ("input", "output"):
        crs = dea.radial(X, Y, orientation=orientation).score  # type: ignore[arg-type]
        vrs = dea.radial(X, Y, returns="vrs", orientation=orientation).score  # type: ignore[arg-type]
        assert (vrs >= crs - 1e-9).all()


@settings(deadline=None, max_examples=10)
@given(PANEL, st.floats(0.01, 1000))
def test_malmquist_parts_multiply_and_units_do_not_matter(panel, unit: float) -> None:
    x, y = panel
    found = dea.malmquist(x, y)
    assert pytest.approx(found.EC * found.TC) == found.M
    assert pytest.approx(found.PEC * found.SEC) == found.EC
    scaled = dea.malmquist(x * np.array([unit, 1.0]), y / unit)
    assert pytest.approx(found.M, abs=1e-6) == scaled.M
    assert pytest.approx(found.EC, abs=1e-6) == scaled.EC


@settings(deadline=None, max_examples=10)
@given(arrays(np.float64, (2, 5, 2), elements=st.integers(1, 30).map(float)))
def test_malmquist_of_one_input_and_output_is_the_growth_of_productivity(data: np.ndarray) -> None:
    ratio = data[..., 1] / data[..., 0]
    found = dea.malmquist(data[..., :1], data[..., 1:])
    assert pytest.approx(ratio[1] / ratio[0]) == found.M[0]
    assert pytest.approx(np.full(5, ratio[1].max() / ratio[0].max())) == found.TC[0]


def test_malmquist_swapped_years_invert() -> None:
    x, y = RNG.random((2, 5, 2)) + 0.5, RNG.random((2, 5, 2)) + 0.5
    forth, back = dea.malmquist(x, y), dea.malmquist(x[::-1], y[::-1])
    for part in ("M", "EC", "TC", "PEC", "SEC"):
        assert getattr(forth, part) == pytest.approx(1 / getattr(back, part))


def test_solver_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    dea.radial(X, Y)
    assert capfd.readouterr() == ("", "")


def test_bad_input_is_named() -> None:
    with pytest.raises(UnitError) as idle:
        dea.radial([[1.0, 2.0], [0.0, 0.0]], [[1.0], [1.0]])
    assert idle.value.details["units"] == (1,)
    with pytest.raises(UnitError) as barren:
        dea.radial([[1.0], [1.0], [1.0]], [[0.0], [1.0], [1.0]])
    assert barren.value.details["units"] == (0,)
    with pytest.raises(UnitError) as zero:
        dea.sbm([[1.0, 2.0], [1.0, 0.0]], [[1.0], [1.0]])
    assert zero.value.details["units"] == (1,)
    assert dea.radial([[1.0, 2.0], [1.0, 0.0]], [[1.0], [1.0]]).score == pytest.approx([1.0, 1.0])
    with pytest.raises(UnitError) as negative:
        dea.radial([[1.0], [-1.0]], [[1.0], [1.0]])
    assert negative.value.details["units"] == (1,)
    with pytest.raises(UnitError):
        dea.radial([[1.0, 0.0], [1.0, 0.0]], [[1.0], [1.0]])
    with pytest.raises(TooFewError):
        dea.radial([[1.0]], [[1.0]])
    with pytest.raises(TooFewError) as year:
        dea.malmquist(X[None], Y[None])
    assert year.value.details["what"] == "years"
    with pytest.raises(MissingBlockError):
        dea.radial([[1.0], [np.nan]], [[1.0], [1.0]])
    with pytest.raises(FusionError):
        dea.radial(X, Y[:5])
    with pytest.raises(FusionError):
        dea.radial(X, Y, returns="drs")  # type: ignore[arg-type]
    with pytest.raises(FusionError):
        dea.sbm(X, Y, returns="drs")  # type: ignore[arg-type]
