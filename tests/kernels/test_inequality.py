"""Inequality: brute force over pairs, parts that add up, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ronghe.kernels import inequality as iq
from ronghe.kernels.checks import FusionError, MissingBlockError, NegativeValueError, TooFewError

GROUPS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
LEVELS = arrays(np.float64, 9, elements=st.integers(1, 1000).map(float))


def _brute(y: np.ndarray, groups: np.ndarray) -> tuple[float, float, float, float]:
    """Dagum (1997) with every sum written as a loop."""
    n, mean = len(y), y.mean()
    G = sum(abs(a - b) for a in y for b in y) / (2 * n * n * mean)
    parts = [y[groups == g] for g in range(groups.max() + 1)]
    p = [len(v) / n for v in parts]
    s = [v.sum() / y.sum() for v in parts]
    Gw = sum(
        sum(abs(a - b) for a in v for b in v) / (2 * len(v) ** 2 * v.mean()) * p[j] * s[j] for j, v in enumerate(parts)
    )
    Gnb = Gt = 0.0
    for j in range(len(parts)):
        for h in range(j):
            rich, poor = sorted((parts[j], parts[h]), key=np.mean, reverse=True)
            pairs = len(rich) * len(poor)
            d = sum(max(a - b, 0) for a in rich for b in poor) / pairs
            q = sum(max(b - a, 0) for a in rich for b in poor) / pairs
            G_jh = (d + q) / (rich.mean() + poor.mean())
            D = (d - q) / (d + q) if d + q > 0 else 0.0
            weight = p[j] * s[h] + p[h] * s[j]
            Gnb += G_jh * weight * D
            Gt += G_jh * weight * (1 - D)
    return G, Gw, Gnb, Gt


@settings(deadline=None, max_examples=60)
@given(LEVELS)
def test_dagum_equals_its_definition_and_adds_up(y: np.ndarray) -> None:
    found = iq.dagum(y, GROUPS)
    assert (found.G, found.Gw, found.Gnb, found.Gt) == pytest.approx(_brute(y, GROUPS), abs=1e-12)
    assert found.Gw + found.Gnb + found.Gt == pytest.approx(found.G, abs=1e-12)
    assert np.diag(found.gini) == pytest.approx([iq.gini(y[g == GROUPS]) for g in range(3)])
    assert ((found.affluence >= 0) & (found.affluence <= 1 + 1e-12)).all()


@settings(deadline=None, max_examples=40)
@given(LEVELS, st.floats(0.01, 100))
def test_scale_and_order_do_not_matter(y: np.ndarray, scale: float) -> None:
    order = np.random.default_rng(0).permutation(9)
    for kind in ("T", "L"):
        found = iq.theil(y, GROUPS, kind=kind)
        assert pytest.approx(found.T, abs=1e-9) == iq.theil(scale * y, GROUPS, kind=kind).T
        assert iq.theil(y[order], GROUPS[order], kind=kind).between == pytest.approx(found.between, abs=1e-9)
    assert iq.dagum(scale * y, GROUPS).Gt == pytest.approx(iq.dagum(y, GROUPS).Gt, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(LEVELS)
def test_theil_equals_its_definition_and_adds_up(y: np.ndarray) -> None:
    r = y / y.mean()
    assert pytest.approx(np.mean(r * np.log(r)), abs=1e-12) == iq.theil(y).T
    assert pytest.approx(-np.mean(np.log(r)), abs=1e-12) == iq.theil(y, kind="L").T
    for kind in ("T", "L"):
        parts = iq.theil(y, GROUPS, kind=kind)
        assert pytest.approx(iq.theil(y, kind=kind).T, abs=1e-12) == parts.T
        assert parts.within + parts.between == pytest.approx(parts.T, abs=1e-12)
        assert parts.share.sum() == pytest.approx(1)
        own = [iq.theil(y[g == GROUPS], kind=kind).T for g in range(3)]
        assert parts.own == pytest.approx(own, abs=1e-12)


def test_textbook_values() -> None:
    assert iq.gini([1.0, 2, 3, 4, 5]) == pytest.approx(4 / 15)
    assert iq.gini([0.0, 0, 0, 1]) == pytest.approx(0.75)
    assert pytest.approx(0.0) == iq.theil([1.0, 1, 1, 1]).T
    apart = iq.dagum([1.0, 2, 10, 20], [0, 0, 1, 1])
    assert apart.Gt == 0
    assert apart.affluence[0, 1] == 1
    same = iq.dagum([1.0, 5, 1, 5], [0, 0, 1, 1])
    assert same.Gnb == 0
    assert same.Gt > 0


def test_bad_input_is_named() -> None:
    with pytest.raises(NegativeValueError) as negative:
        iq.gini([1.0, -1.0, 2.0])
    assert negative.value.details["regions"] == (1,)
    with pytest.raises(NegativeValueError):
        iq.theil([1.0, 0.0])
    with pytest.raises(NegativeValueError) as zero:
        iq.dagum([1.0, 2.0, 0.0, 0.0], [0, 0, 1, 1])
    assert zero.value.details["regions"] == (2, 3)
    with pytest.raises(TooFewError):
        iq.gini([1.0])
    with pytest.raises(MissingBlockError):
        iq.gini([1.0, np.nan])
    for groups in ([0, 0, 2], [0, 1], [-1, 0, 1]):
        with pytest.raises(FusionError):
            iq.dagum([1.0, 2.0, 3.0], groups)
    with pytest.raises(FusionError):
        iq.theil([1.0, 2.0], kind="X")  # type: ignore[arg-type]
