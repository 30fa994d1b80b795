"""Novelty of combinations: loops over pairs, exact null moments, planted atypical works."""

from collections import Counter
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.errors import KernelError
from ronghe.kernels.novelty import atypicality, commonness

reference_lists = st.lists(st.lists(st.integers(0, 4), max_size=5), min_size=1, max_size=8)


def flat(works):
    return np.cumsum([0, *map(len, works)]), np.array([label for work in works for label in work], dtype=np.int64)


def pairs_of(work):
    return [tuple(sorted(pair)) for pair in combinations(work, 2)]


@settings(max_examples=60, deadline=None)
@given(reference_lists, st.integers(1, 3))
def test_commonness_by_plain_loops(works, groups):
    group = np.arange(len(works)) % groups
    found = commonness(*flat(works), group)
    for w, work in enumerate(works):
        assert found.pairs[w] == len(pairs_of(work))
        if len(work) < 2:
            assert np.isnan(found.novelty[w])
            continue
        near = Counter(pair for v, other in enumerate(works) if group[v] == group[w] for pair in pairs_of(other))
        whole = sum(near.values())
        holding = {x: sum(count for pair, count in near.items() if x in pair) for x in range(5)}
        values = [near[a, b] * whole / (holding[a] * holding[b]) for a, b in pairs_of(work)]
        assert found.novelty[w] == pytest.approx(-np.log(np.quantile(values, 0.1)))


def test_null_moments_tend_to_the_exact_ones():
    works = [[0, 0, 1], [1, 2], [2, 0]]
    start, labels = flat(works)
    exact = {}
    for order in permutations(range(7)):
        mixed = labels[list(order)]
        count = Counter(pair for w in range(3) for pair in pairs_of(mixed[start[w] : start[w + 1]].tolist()))
        for pair in ((0, 0), (0, 1), (0, 2), (1, 2)):
            exact.setdefault(pair, []).append(count[pair])
    found = atypicality(start, labels, worlds=6000, seed=3)
    for a, b, count, z in zip(found.label_a, found.label_b, found.count, found.z, strict=True):
        values = exact[int(a), int(b)]
        assert z == pytest.approx((count - np.mean(values)) / np.std(values), abs=0.06)


def test_strata_keep_their_labels():
    """Two strata with labels of their own: nothing can vary between them, so pairs across have no spread."""
    works = [[0, 1]] * 6
    start, labels = flat(works)
    found = atypicality(start, labels, stratum=labels, worlds=4)
    assert np.isnan(found.z).all()
    assert np.isnan(found.median).all()
    assert found.without_z.tolist() == [1] * 6


def test_an_unusual_work_among_two_schools():
    rng = np.random.default_rng(0)
    works = [rng.integers(0, 10, 6).tolist() for _ in range(200)] + [
        rng.integers(10, 20, 6).tolist() for _ in range(200)
    ]
    works += [[1, 2, 3, 11, 12, 13]]
    start, labels = flat(works)
    found = atypicality(start, labels, seed=1)
    assert found.tail[-1] < -2
    assert found.median[:-1].min() > 0 > found.tail[-1]
    assert commonness(start, labels).novelty.argmax() == 400


def test_same_seed_same_figures():
    start, labels = flat([[0, 1, 2], [1, 2, 3], [0, 3], [2, 2, 1]])
    one, two, other = (atypicality(start, labels, worlds=5, seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(one.z, two.z, equal_nan=True)
    assert not np.array_equal(one.z, other.z, equal_nan=True)


def test_works_without_references_and_no_works():
    found = atypicality([0, 0, 2, 2, 3], [0, 1, 0])
    assert found.pairs.tolist() == [0, 1, 0, 0]
    assert np.isnan(found.median[[0, 2, 3]]).all()
    assert found.without_z[[0, 2, 3]].tolist() == [0, 0, 0]
    assert atypicality([0], np.empty(0, int)).median.size == 0
    assert commonness([0, 0], np.empty(0, int)).novelty.size == 1


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: commonness([0, 3], [0, 1]), "shape"),
        (lambda: commonness([0, 2, 1, 3], [0, 1, 2]), "shape"),
        (lambda: commonness([0, 2], [0.5, 1]), "dtype"),
        (lambda: commonness([0, 2], [0, -1]), "negative"),
        (lambda: commonness([0, 2], [0, 1], [0, 1]), "shape"),
        (lambda: atypicality([0, 2], [0, 1], [0]), "shape"),
        (lambda: atypicality([0, 2], [0, 1], worlds=1), "worlds"),
    ],
)
def test_bad_input_is_named(call, code):
    with pytest.raises(KernelError) as caught:
        call()
    assert caught.value.code == code
