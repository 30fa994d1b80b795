"""AUC and precision against counting pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.errors import KernelError
from ronghe.kernels.ranking import auc, precision_at

cases = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(cases, st.integers(1, 10))
def test_equals_counting(data, k):
    score, positive = (np.array(column) for column in zip(*data, strict=True))
    pairs = [(a > b) + 0.5 * (a == b) for a in score[positive] for b in score[~positive]]
    assert auc(score, positive) == pytest.approx(np.mean(pairs) if pairs else np.nan, nan_ok=True)
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(400):
        order = np.lexsort((rng.random(score.size), -score))[:k]
        draws.append(positive[order].mean())
    assert precision_at(score, positive, k) == pytest.approx(np.mean(draws), abs=0.12)


def test_edges():
    assert np.isnan(auc([1.0], [True]))
    assert np.isnan(precision_at(np.empty(0), np.empty(0, bool), 3))
    assert precision_at([2, 1], [True, False], 5) == 0.5


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: auc([1, 2], [True]), "shape"),
        (lambda: auc([1, 2], [1, 0]), "shape"),
        (lambda: auc([1, np.nan], [True, False]), "not_finite"),
        (lambda: precision_at([1], [True], 0), "k"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code
