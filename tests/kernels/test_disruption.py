"""CD_t and mCD against the published example, a brute-force count and cdindex."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.citations import citation_graph
from ronghe.kernels.disruption import disruption
from ronghe.kernels.errors import KernelError

YEARS = [1992, 1992, 1993, 1993, 1995, 1997, 1998, 1999, 1999, 1998, 1997]
CITES = [(4, 2), (4, 0), (4, 1), (4, 3), (5, 2), (6, 2), (6, 4), (7, 4), (8, 4), (9, 4), (9, 1), (9, 3), (10, 4)]
YEAR_SECONDS = 365 * 86_400


def example(date):
    source, target = np.array(CITES).T
    return citation_graph(source, target, date)


def brute(source, target, date, window):
    """n_i, n_j, n_k and references, straight from the definition on the cleaned set of citations."""
    n = len(date)
    ok = {(s, t) for s, t in zip(source, target, strict=True) if s != t and date[t] <= date[s]}
    equal = {(s, t) for s, t in ok if date[s] == date[t]}
    reach = {v: {v} for v in range(n)}
    for _ in range(n):
        for s, t in equal:
            reach[s] |= reach[t]
    ok -= {(s, t) for s, t in equal if s in reach[t]}
    refs = [{t for s, t in ok if s == v} for v in range(n)]
    out = []
    for f in range(n):
        later = [v for v in range(n) if date[f] < date[v] <= date[f] + window]
        cites = [(f in refs[v], bool(refs[v] & refs[f])) for v in later]
        out.append([cites.count((True, False)), cites.count((True, True)), cites.count((False, True)), len(refs[f])])
    return np.array(out).reshape(n, 4).T


def test_the_published_example_in_years_and_in_seconds():
    by_year = disruption(example(YEARS), 5, [4])
    assert by_year.cd == pytest.approx([1 / 6])
    assert by_year.mcd == pytest.approx([5 / 6])
    seconds = np.array([int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in YEARS])
    by_second = disruption(example(seconds), 5 * YEAR_SECONDS + 86_400, [4])
    assert (by_second.n_i[0], by_second.n_j[0], by_second.n_k[0]) == (3, 2, 1)
    assert by_second.references[0] == 4


def test_window_ends_on_its_last_day():
    graph = example(YEARS)
    assert disruption(graph, 4, [4]).citations[0] == 5
    assert disruption(graph, 3.9, [4]).citations[0] == 3


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 9))
    node = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(node, node), max_size=40))
    date = draw(st.lists(st.integers(2000, 2006), min_size=n, max_size=n))
    source, target = (np.array(edges, dtype=np.int64).reshape(-1, 2)).T
    return source, target, np.array(date)


@settings(max_examples=150, deadline=None)
@given(graphs(), st.integers(1, 7))
def test_equals_brute_force_on_any_graph_however_bad(graph, window):
    source, target, date = graph
    built = citation_graph(source, target, date)
    found = disruption(built, window)
    expected = brute(source, target, date, window)
    assert np.array_equal([found.n_i, found.n_j, found.n_k, found.references], expected)
    report = built.report
    dropped = report.self_citations + report.to_future + report.cyclic + report.duplicates + report.unusable
    assert dropped + report.kept == source.size
    assert report.kept == expected[3].sum()


@settings(max_examples=40, deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_numbering_of_works_and_citations_is_immaterial(graph, random):
    source, target, date = graph
    shuffle = np.array(random.sample(range(date.size), date.size))
    mixed = np.array(random.sample(range(source.size), source.size), dtype=np.int64)
    new_date = np.empty_like(date)
    new_date[shuffle] = date
    plain = disruption(citation_graph(source, target, date), 3)
    other = disruption(citation_graph(shuffle[source][mixed], shuffle[target][mixed], new_date), 3, shuffle)
    assert np.array_equal(plain.cd, other.cd, equal_nan=True)
    assert np.array_equal(plain.mcd, other.mcd, equal_nan=True)


def test_threads_and_block_borders_do_not_change_a_count():
    rng = np.random.default_rng(5)
    n = 6_000
    source = rng.integers(1, n, 50_000)
    target = (source * rng.random(50_000)).astype(np.int64)
    graph = citation_graph(source, target, np.arange(n) // 300)
    one, two = disruption(graph, 4, threads=1), disruption(graph, 4, threads=2)
    assert np.array_equal([one.n_i, one.n_j, one.n_k], [two.n_i, two.n_j, two.n_k])
    some = rng.choice(n, 40, replace=False)
    part = disruption(graph, 4, some)
    assert np.array_equal([part.n_i, part.n_j, part.n_k], [one.n_i[some], one.n_j[some], one.n_k[some]])


def test_bad_citations_are_counted_apart_and_leave_no_trace():
    date = [2000.0, 2001.0, 2002.0, 2002.0, np.nan, 2003.0]
    clean = ([1, 2, 5], [0, 1, 1])
    bad = ([1, 0, 2, 3, 2, 4, 5], [1, 2, 3, 2, 1, 0, 4])  # self, future, a cycle of two, a copy, undated twice
    graph = citation_graph(clean[0] + bad[0], clean[1] + bad[1], date)
    report = graph.report
    assert (report.self_citations, report.to_future, report.cyclic) == (1, 1, 2)
    assert (report.duplicates, report.unusable, report.kept) == (1, 2, 3)
    good = disruption(citation_graph(*clean, date), 5)
    found = disruption(graph, 5)
    assert np.array_equal(found.cd, good.cd, equal_nan=True)
    assert found.n_i[4] == -1
    assert np.isnan(found.cd[4])
    assert found.citations[4] == 0


def test_a_work_without_references_is_one_by_construction_and_guarded():
    found = disruption(citation_graph([1, 2], [0, 1], [2000, 2001, 2002]), 5)
    assert found.cd[0] == 1
    assert np.isnan(found.cd_guarded[0])
    assert found.cd_guarded[1] == found.cd[1]


def test_works_left_out_vanish_with_their_citations():
    source, target = np.array(CITES).T
    usable = np.ones(11, bool)
    usable[9] = False
    graph = citation_graph(source, target, YEARS, usable)
    assert graph.report.unusable == 3
    found = disruption(graph, 5, [4])
    assert (found.n_i[0], found.n_j[0], found.n_k[0]) == (3, 1, 1)


def test_no_works_and_no_citations():
    assert disruption(citation_graph(np.empty(0, int), np.empty(0, int), np.empty(0)), 1).cd.size == 0
    lonely = disruption(citation_graph(np.empty(0, int), np.empty(0, int), [2000]), 1)
    assert np.isnan(lonely.cd).all()


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (([0], [1, 1], [1, 2]), "shape"),
        (([0], [2], [1, 2]), "index"),
        (([-1], [0], [1, 2]), "index"),
        (([0.5], [1.0], [1, 2]), "dtype"),
        (([0], [1], ["a", "b"]), "dtype"),
        (([0], [1], [1, 2], [True]), "shape"),
    ],
)
def test_bad_input_is_named(args, code):
    with pytest.raises(KernelError) as caught:
        citation_graph(*args)
    assert caught.value.code == code


def test_bad_questions_are_named():
    graph = example(YEARS)
    with pytest.raises(KernelError, match="window"):
        disruption(graph, 0)
    with pytest.raises(KernelError) as caught:
        disruption(graph, 5, [11])
    assert caught.value.code == "index"


@pytest.mark.peer
@pytest.mark.parametrize("same_date", [True, False])
def test_equals_cdindex(same_date):
    """mCD only without citations inside one date: cdindex 1.0.20 counts those citers in mCD, though not in CD."""
    cdindex = pytest.importorskip("cdindex")
    rng = np.random.default_rng(11)
    n = 400
    date = np.sort(rng.integers(0, 20, n))
    source = rng.integers(1, n, 4_000)
    target = (source * rng.random(4_000) ** 2).astype(np.int64)
    drawn = set(zip(source.tolist(), target.tolist(), strict=True))
    pairs = sorted((s, t) for s, t in drawn if same_date or date[t] < date[s])
    peer = cdindex.Graph()
    for work in range(n):
        peer.add_vertex(work, int(date[work]))
    for s, t in pairs:
        peer.add_edge(s, t)
    found = disruption(citation_graph(*np.array(pairs).T, date), 5)
    theirs = np.array([peer.cdindex(v, 5) for v in range(n)], float)
    assert np.array_equal(found.cd, theirs, equal_nan=True)
    if not same_date:
        theirs = np.array([peer.mcdindex(v, 5) for v in range(n)], float)
        assert np.array_equal(found.mcd, theirs, equal_nan=True)
