"""Coupling coordination: published values, invariants, and the errors others published."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels import coupling as cp
from ronghe.kernels.checks import FusionError, WeightError

LEVELS = arrays(np.float64, (4, 3), elements=st.floats(0.01, 1))
RNG = np.random.default_rng(2021)
TWO = RNG.uniform(0.05, 0.95, (12, 2)).round(3)
THREE = RNG.uniform(0.05, 0.95, (12, 3)).round(3)


@pytest.mark.parametrize(
    ("U", "classic", "modified"),
    [((0.291, 0.320), 0.99887, 0.93968), ((0.049, 0.419), 0.61234, 0.27143)],
)
def test_golden_values(U: tuple[float, float], classic: float, modified: float) -> None:
    assert cp.coupling_classic(U) == pytest.approx(classic, abs=5e-6)
    assert cp.coupling_modified(U) == pytest.approx(modified, abs=5e-6)


@pytest.mark.parametrize(
    ("U", "classic", "modified"), [((0.291, 0.320), 0.9989, 0.9404), ((0.049, 0.419), 0.6101, 0.2700)]
)
def test_published_table_is_reproduced_within_its_rounding(
    U: tuple[float, float], classic: float, modified: float
) -> None:
    """王 et al. (2021), Table 8, 2008, 北京 and 承德: U printed with three digits, C with four."""
    for figure, form in ((classic, "classic"), (modified, "modified")):
        found = cp.diagnose_published([U], [figure], decimals=4, decimals_U=3)
        assert found.verdict == form
        assert found.fits.sum() == 1


def test_modified_three_systems_by_its_definition() -> None:
    for U in THREE:
        apart = sum(abs(a - b) for a, b in combinations(U, 2)) / 3
        expected = np.sqrt((1 - apart) * np.prod(U / U.max()) ** 0.5)
        assert cp.coupling_modified(U) == pytest.approx(expected)


@settings(deadline=None, max_examples=50)
@given(LEVELS, st.floats(0.01, 1))
def test_invariants(U: np.ndarray, scale: float) -> None:
    classic, modified = cp.coupling_classic(U), cp.coupling_modified(U)
    for C in (classic, modified):
        assert ((C >= 0) & (C <= 1 + 1e-12)).all()
    assert cp.coupling_classic(scale * U) == pytest.approx(classic)  # only proportions count
    assert cp.coupling_classic(U[:, ::-1]) == pytest.approx(classic)
    assert cp.coupling_modified(U[:, ::-1]) == pytest.approx(modified)
    equal = np.repeat(U[:, :1], 3, axis=1)
    assert cp.coupling_classic(equal) == pytest.approx(1.0)
    assert cp.coupling_modified(equal) == pytest.approx(1.0)
    found = cp.coordination(U, alpha=[0.2, 0.3, 0.5], form="classic")
    assert pytest.approx(U @ [0.2, 0.3, 0.5]) == found.T
    assert pytest.approx(np.sqrt(classic * found.T)) == found.D


def test_all_zero_has_no_coupling_but_a_coordination_of_zero() -> None:
    for form in ("classic", "modified"):
        found = cp.coordination([[0.0, 0.0], [0.0, 0.5]], form=form)
        assert np.isnan(found.C[0])
        assert found.C[1] == 0
        assert found.D.tolist() == [0.0, 0.0]


@settings(deadline=None, max_examples=100)
@given(st.floats(0, 1))
def test_classes_partition_the_unit_interval(D: float) -> None:
    k = int(cp.coordination_class(D))
    assert 0 <= k <= 9
    assert k / 10 - 1e-15 <= D
    assert (k + 1) / 10 > D or D == 1.0 or pytest.approx((k + 1) / 10) == D


def test_class_edges_belong_to_the_upper_band() -> None:
    edges = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert cp.coordination_class(edges).tolist() == list(range(1, 10))
    assert cp.coordination_class(np.nextafter(edges, 0)).tolist() == list(range(9))
    assert cp.coordination_class([0.0, 1.0]).tolist() == [0, 9]


def _written(U: np.ndarray, form: str, alpha: np.ndarray) -> np.ndarray:
    """The forms, spelled out once more as papers write them."""
    n, product, total = U.shape[1], U.prod(axis=1), U.sum(axis=1)
    pairs = np.prod([U[:, i] + U[:, j] for i, j in combinations(range(n), 2)], axis=0)
    weighted = U * alpha
    return {
        "classic": n * product ** (1 / n) / total,
        "lost-n": product ** (1 / n) / total,
        "missing-root": n**n * product / total**n,
        "lost-n-and-root": product / total**n,
        "square-root": np.sqrt(product / (total / n) ** n),
        "squared": (n * product ** (1 / n) / total) ** 2,
        "pairwise": n * (product / pairs) ** (1 / n),
        "over-T": product ** (1 / n) / (U @ alpha),
        "weighted": n * weighted.prod(axis=1) ** (1 / n) / weighted.sum(axis=1),
        "T": U @ alpha,
    }[form]


@pytest.mark.parametrize(
    "form", ["classic", "lost-n", "missing-root", "lost-n-and-root", "pairwise", "over-T", "weighted", "T"]
)
def test_error_in_a_two_system_paper_is_found(form: str) -> None:
    alpha = np.array([0.3, 0.7])
    figures = _written(TWO, form, alpha).round(3)
    found = cp.diagnose_published(TWO, figures, alpha=alpha, decimals=3, decimals_U=3)
    assert found.verdict == form
    assert not found.mixed


@pytest.mark.parametrize("form", ["classic", "square-root", "squared", "pairwise", "missing-root"])
def test_error_in_a_three_system_paper_is_found(form: str) -> None:
    alpha = np.full(3, 1 / 3)
    figures = _written(THREE, form, alpha).round(4)
    assert cp.diagnose_published(THREE, figures, decimals=4).verdict == form


def test_coordination_printed_as_coupling_is_found() -> None:
    for form in ("classic", "modified"):
        figures = cp.coordination(TWO, form=form).D.round(4)
        assert cp.diagnose_published(TWO, figures).verdict == f"D-{form}"


def test_mixing_two_forms_is_said() -> None:
    figures = np.where(np.arange(12) < 5, cp.coupling_classic(TWO), cp.coupling_modified(TWO)).round(4)
    found = cp.diagnose_published(TWO, figures)
    assert found.verdict is None
    assert found.mixed
    assert found.fits[0, :5].all()
    assert found.fits[1, 5:].all()


def test_a_figure_of_no_known_form_gets_no_verdict() -> None:
    found = cp.diagnose_published(TWO, np.full(12, 1.7))
    assert found.verdict is None
    assert not found.mixed


def test_bad_input_is_named() -> None:
    with pytest.raises(FusionError):
        cp.coupling_classic([0.5])
    with pytest.raises(FusionError) as negative:
        cp.coupling_classic([0.5, -0.1])
    assert negative.value.details["lowest"] == -0.1
    with pytest.raises(FusionError) as large:
        cp.coupling_modified([0.5, 1.1])
    assert large.value.details["highest"] == 1.1
    assert cp.coupling_classic([1.0, 3.0]) == pytest.approx(2 * np.sqrt(3) / 4)
    with pytest.raises(FusionError):
        cp.coupling_modified([0.5, np.nan])
    with pytest.raises(WeightError):
        cp.coordination([0.5, 0.6], alpha=[0.5, 0.6])
    with pytest.raises(FusionError):
        cp.coordination([0.5, 0.6], form="other")  # type: ignore[arg-type]
    with pytest.raises(FusionError):
        cp.coordination_class([0.5, np.nan])
    with pytest.raises(FusionError):
        cp.diagnose_published([[0.5, 0.6]], [0.9, 0.8])
