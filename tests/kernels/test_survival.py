"""Kaplan-Meier and log-rank against the 6-MP trial of Freireich et al. (1963), statsmodels and limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from ronghe.kernels.errors import KernelError
from ronghe.kernels.survival import kaplan_meier, lags, log_rank

# Weeks of remission, as printed in every textbook: 6-MP with censoring, and placebo without.
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def test_published_curve_of_the_6mp_trial():
    curve = kaplan_meier(TREATED, RELAPSED)
    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.survival == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)
    assert curve.quantile(0.5) == 23
    assert (curve.subjects, curve.censored, curve.last) == (21, 12, 35)
    assert curve.at([0, 6, 6.5, 34, 36]) == pytest.approx([1, 0.857, 0.857, 0.448, np.nan], abs=5e-4, nan_ok=True)
    assert kaplan_meier(PLACEBO, [1] * 21).quantile(0.5) == 8


def test_published_log_rank_of_the_6mp_trial():
    found = log_rank(TREATED + PLACEBO, RELAPSED + [1] * 21, [0] * 21 + [1] * 21)
    assert found.statistic == pytest.approx(16.79, abs=5e-3)
    assert found.observed.tolist() == [9, 21]
    assert found.expected == pytest.approx([19.25, 10.75], abs=5e-3)
    assert found.p < 1e-4


cases = st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 2)), min_size=6, max_size=40)


@settings(max_examples=50, deadline=None)
@given(cases)
def test_equals_statsmodels(data):
    length, happened, group = (np.array(column) for column in zip(*data, strict=True))
    if not happened.any():
        assert kaplan_meier(length, happened).time.size == 0
        return
    peer = SurvfuncRight(length, happened.astype(int))
    found = kaplan_meier(length, happened)
    with np.errstate(all="ignore"):
        mine = {float(t): s for t, s in zip(found.time, found.survival, strict=True)}
        theirs = {float(t): s for t, s in zip(peer.surv_times, peer.surv_prob, strict=True) if float(t) in mine}
    assert mine == pytest.approx(theirs)
    _, group = np.unique(group, return_inverse=True)
    alone = [happened[group == g].any() and (group == g).sum() > 1 for g in range(group.max() + 1)]
    if group.max() == 1 and all(alone):
        both = log_rank(length, happened, group)
        try:
            statistic, p = survdiff(length, happened.astype(int), group)
        except np.linalg.LinAlgError:  # all at risk had the event together: nothing can be told apart
            assert both.p == 1
            return
        assert both.statistic == pytest.approx(statistic)
        assert both.p == pytest.approx(p)


@settings(max_examples=50, deadline=None)
@given(cases)
def test_invariants(data):
    length, happened, group = (np.array(column) for column in zip(*data, strict=True))
    curve = kaplan_meier(length, happened)
    assert (np.diff(curve.survival) <= 0).all()
    assert (curve.lower <= curve.survival + 1e-12).all()
    assert (curve.survival <= curve.upper + 1e-12).all()
    assert curve.events.sum() == happened.sum()
    if happened.all():
        assert curve.survival == pytest.approx([(length > t).mean() for t in curve.time])
        assert curve.restricted_mean(20) == pytest.approx(length.mean())
    _, group = np.unique(group, return_inverse=True)
    if group.max() > 0 and happened.any():
        found = log_rank(length, happened, group)
        assert found.observed.sum() == pytest.approx(found.expected.sum())
        relabelled = log_rank(length, happened, group.max() - group)
        assert relabelled.statistic == pytest.approx(found.statistic, abs=1e-9)


def test_dropping_open_cases_would_shorten_the_lag():
    rng = np.random.default_rng(1)
    true = rng.exponential(10, 4000)
    window = rng.uniform(0, 20, 4000)
    seen, happened = np.minimum(true, window), true <= window
    assert kaplan_meier(seen, happened).quantile(0.5) == pytest.approx(10 * np.log(2), rel=0.08)
    assert np.median(seen[happened]) < 5


def test_late_entry_removes_the_bias_of_seeing_only_survivors():
    rng = np.random.default_rng(2)
    true, entered = rng.exponential(10, 6000), rng.uniform(0, 15, 6000)
    seen = true > entered
    naive = kaplan_meier(true[seen], np.ones(seen.sum(), bool))
    corrected = kaplan_meier(true[seen], np.ones(seen.sum(), bool), entered[seen])
    assert naive.quantile(0.5) > 10
    assert corrected.quantile(0.5) == pytest.approx(10 * np.log(2), rel=0.15)
    by_hand = kaplan_meier([3, 4, 5], [True, True, True], [0, 3, 1])
    assert by_hand.at_risk.tolist() == [2, 2, 1]


def test_quantile_limits_and_mean_know_what_they_do_not_know():
    curve = kaplan_meier(TREATED, RELAPSED)
    low, high = curve.quantile_limits(0.5)
    assert low == 13
    assert np.isnan(high)
    assert np.isnan(curve.quantile(0.9))
    assert np.isnan(curve.restricted_mean(40))
    assert curve.restricted_mean(6) == pytest.approx(6)


def test_lags_censor_what_has_not_ended_and_leave_out_the_impossible():
    begin = [2000.0, 2001, 2002, 2011, np.nan, 2003]
    end = [2002.0, np.nan, 2012, 2012, 2005, 2001]
    duration, happened, usable = lags(begin, end, now=2010)
    assert duration.tolist() == [2, 9, 8]
    assert happened.tolist() == [True, False, False]
    assert usable.tolist() == [True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: kaplan_meier([], []), "shape"),
        (lambda: kaplan_meier([], np.empty(0, bool)), "empty"),
        (lambda: kaplan_meier([1, 2], [True]), "shape"),
        (lambda: kaplan_meier([1, -2], [True, True]), "negative"),
        (lambda: kaplan_meier([1, np.nan], [True, True]), "not_finite"),
        (lambda: kaplan_meier([1], [True], [2.0]), "entry"),
        (lambda: kaplan_meier([1], [True], [0.0, 1.0]), "shape"),
        (lambda: kaplan_meier([1], [True], level=1), "level"),
        (lambda: kaplan_meier([1], [True]).quantile(1), "share"),
        (lambda: kaplan_meier([1], [True]).restricted_mean(0), "horizon"),
        (lambda: log_rank([1, 2], [True, True], [0, 0]), "groups"),
        (lambda: log_rank([1, 2], [True, True], [0, 2]), "groups"),
        (lambda: log_rank([1, 2], [False, False], [0, 1]), "no_events"),
        (lambda: log_rank([1, 2], [True, True], [0.0, 1.0]), "shape"),
        (lambda: lags([1], [1, 2], 3), "shape"),
        (lambda: lags([1], [2], np.nan), "not_finite"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code
