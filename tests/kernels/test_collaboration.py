"""Counting and ties against plain loops; a work of 3,000; synergy of known tables."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from ronghe.kernels import collaboration as k
from ronghe.kernels.errors import KernelError

works_of_six = st.lists(st.sets(st.integers(0, 5), max_size=6), min_size=1, max_size=12)


def listed(works):
    pairs = [(w, p) for w, people in enumerate(works) for p in sorted(people)]
    work, partner = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return k.incidence(work, partner, len(works), 6)


@settings(max_examples=60, deadline=None)
@given(works_of_six)
def test_counts_and_ties_by_plain_loops(works):
    a = listed(works)
    whole, shared = np.zeros(6), np.zeros(6)
    full, fractional = np.zeros((6, 6)), np.zeros((6, 6))
    for people in works:
        for p in people:
            whole[p] += 1
            shared[p] += 1 / len(people)
        for p, q in combinations(sorted(people), 2):
            for i, j in ((p, q), (q, p)):
                full[i, j] += 1
                fractional[i, j] += 1 / (len(people) - 1)
    assert k.counts(a, fractional=False) == pytest.approx(whole)
    assert k.counts(a) == pytest.approx(shared)
    assert k.counts(a).sum() == pytest.approx(sum(bool(people) for people in works))
    assert k.ties(a, fractional=False).joint.toarray() == pytest.approx(full)
    assert k.ties(a).joint.toarray() == pytest.approx(fractional)
    joint_works = sum(np.array([p in people and len(people) > 1 for p in range(6)]) for people in works)
    assert k.ties(a).joint.sum(axis=1) == pytest.approx(joint_works)
    cosine = k.salton(k.ties(a, fractional=False).joint, whole).toarray()
    for i, j in zip(*np.nonzero(full), strict=True):
        assert cosine[i, j] == pytest.approx(full[i, j] / np.sqrt(whole[i] * whole[j]))
    assert cosine.max(initial=0) <= 1 + 1e-12
    assert ((cosine > 0) == (full > 0)).all()


def test_a_work_of_three_thousand_can_be_left_out_and_is_counted():
    crowd = np.arange(3000)
    work = np.concatenate([np.zeros(3000, int), [1, 1]])
    a = k.incidence(work, np.concatenate([crowd, [0, 1]]), 2, 3000)
    without = k.ties(a, limit=100)
    assert without.too_long == 1
    assert without.joint.nnz == 2
    assert without.partners.tolist() == [3000, 2]
    everyone = k.ties(a)
    assert everyone.too_long == 0
    assert everyone.joint.sum(axis=1)[5] == pytest.approx(1)
    assert everyone.joint[0, 1] == pytest.approx(1 + 1 / 2999)


def test_someone_listed_twice_counts_once():
    a = k.incidence([0, 0, 0], [1, 1, 2], 1, 3)
    assert k.counts(a, fractional=False).tolist() == [0, 1, 1]
    assert k.ties(a).joint[1, 2] == 1


def test_concentration_of_partners():
    joint = csr_array(np.array([[0, 2, 2, 0], [2, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]], float))
    assert k.partner_concentration(joint) == pytest.approx([0.5, 1, 1, np.nan], nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=8, max_size=8).filter(any))
def test_synergy_is_interaction_information(cells):
    table = np.array(cells, float).reshape(2, 2, 2)
    found = k.triple_helix(table)
    p = table / table.sum()

    def mutual(q):
        rows, columns = q.sum(1, keepdims=True), q.sum(0, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nansum(q * np.log2(q / (rows * columns)))

    given_third = sum(p[:, :, c].sum() * mutual(p[:, :, c] / p[:, :, c].sum()) for c in range(2) if p[:, :, c].sum())
    assert found.t == pytest.approx(mutual(p.sum(axis=2)) - given_third, abs=1e-9)
    assert k.triple_helix(table.transpose(2, 0, 1)).t == pytest.approx(found.t, abs=1e-9)
    assert k.triple_helix(table * 7).t == pytest.approx(found.t, abs=1e-9)


def test_synergy_of_known_tables():
    parity = np.zeros((2, 2, 2))
    for a, b in np.ndindex(2, 2):
        parity[a, b, a ^ b] = 1
    assert k.triple_helix(parity).t == pytest.approx(-1)
    copies = np.zeros((2, 2, 2))
    copies[0, 0, 0] = copies[1, 1, 1] = 1
    assert k.triple_helix(copies).t == pytest.approx(1)
    apart = np.einsum("a,b,c->abc", [0.3, 0.7], [0.5, 0.5], [0.2, 0.8])
    assert k.triple_helix(apart).t == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: k.incidence([0], [0, 1], 1, 2), "shape"),
        (lambda: k.incidence([0.5], [0.5], 1, 2), "dtype"),
        (lambda: k.incidence([0], [2], 1, 2), "index"),
        (lambda: k.ties(k.incidence([0], [0], 1, 1), limit=1), "limit"),
        (lambda: k.salton(csr_array((2, 2)), [1.0]), "shape"),
        (lambda: k.salton(csr_array([[0, 1.0], [1.0, 0]]), [0.0, 1.0]), "empty"),
        (lambda: k.triple_helix(np.ones((2, 2))), "shape"),
        (lambda: k.triple_helix(np.zeros((2, 2, 2))), "empty"),
        (lambda: k.triple_helix(-np.ones((2, 2, 2))), "negative"),
        (lambda: k.triple_helix(np.full((2, 2, 2), np.nan)), "not_finite"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code
