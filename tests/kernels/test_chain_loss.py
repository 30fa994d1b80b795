"""Losses down a chain: against a plain reading of the definition, and what must always hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.kernels.chain_loss import Edges, carry
from ronghe.kernels.errors import KernelError

MODES = ("stock", "wear", "kind")


def edges(*listed):
    tail, head, mode, amount = zip(*listed, strict=True)
    return Edges(np.array(tail), np.array(head), tuple(mode), np.array(amount, dtype=float))


def reference(links, q):  # noqa: C901 - the definition, read aloud
    """The definition read week by week, edge by edge, until nothing moves."""
    q = np.asarray(q, dtype=float)
    weeks, n = q.shape
    stock = {e: a for e, (_, _, m, a) in enumerate(links) if m == "stock"}
    worn = dict.fromkeys((e for e, link in enumerate(links) if link[2] == "wear"), 0.0)
    out = []
    for t in range(weeks):
        level = list(q[t])
        while True:
            new = []
            for v in range(n):
                held, kinds = q[t][v], 0.0
                for e, (u, w, mode, amount) in enumerate(links):
                    if w != v:
                        continue
                    if mode == "kind":
                        kinds += amount * level[u]
                    elif mode == "stock":
                        held = max(held, level[u] - stock[e])
                    else:
                        gone = level[u] / amount if amount else (np.inf if level[u] else 0.0)
                        held = max(held, min(1.0, worn[e] + gone))
                new.append(min(1.0, max(held, kinds)))
            if new == level:
                break
            level = new
        out.append(level)
        for e, (u, _, mode, amount) in enumerate(links):
            if mode == "stock":
                stock[e] = max(0.0, stock[e] - level[u])
            elif mode == "wear":
                worn[e] = min(1.0, worn[e] + (level[u] / amount if amount else (np.inf if level[u] else 0.0)))
    return np.array(out)


def test_a_stock_lasts_longer_when_less_is_lost():
    half = carry(edges((0, 1, "stock", 2.0)), [[0.5, 0]] * 6)[:, 1]
    assert half.tolist() == [0, 0, 0, 0, 0.5, 0.5]


def test_capital_wears_out_bit_by_bit():
    assert np.allclose(carry(edges((0, 1, "wear", 4.0)), [[1.0, 0]] * 6)[:, 1], [0.25, 0.5, 0.75, 1, 1, 1])


def test_kinds_add_up_and_inputs_do_not():
    kinds = carry(edges((0, 2, "kind", 0.3), (1, 2, "kind", 0.4)), [[1.0, 0.5, 0]])
    inputs = carry(edges((0, 2, "stock", 0.0), (1, 2, "stock", 0.0)), [[0.3, 0.4, 0]])
    assert kinds[0, 2] == pytest.approx(0.5)
    assert inputs[0, 2] == pytest.approx(0.4)


def test_worn_capital_does_not_come_back():
    out = carry(edges((0, 1, "wear", 10.0)), [[1, 0], [0, 0], [0, 0]])
    assert np.allclose(out[:, 1], 0.1)


@st.composite
def chains(draw):
    n = draw(st.integers(2, 5))
    size = draw(st.integers(1, 7))
    pairs = [(draw(st.integers(0, n - 2)), draw(st.integers(1, n - 1))) for _ in range(size)]
    links = []
    for a, b in pairs:
        # Upstream before downstream: a step that needs itself has no meaning in the reference's order.
        u, v = (a, b) if a < b else (0, n - 1)
        mode = draw(st.sampled_from(MODES))
        amount = draw(st.floats(0, 1)) if mode == "kind" else draw(st.sampled_from([0.0, 0.5, 1.0, 2.5, 8.0]))
        links.append((u, v, mode, amount))
    weeks = draw(st.integers(1, 5))
    q = [[draw(st.sampled_from([0.0, 0.2, 0.7, 1.0])) for _ in range(n)] for _ in range(weeks)]
    return links, np.array(q)


@given(chains())
@settings(max_examples=60, deadline=None)
def test_equals_the_definition_and_stays_between_shock_and_all(case):
    links, q = case
    out = carry(edges(*links), q)
    assert np.allclose(out, reference(links, q), atol=1e-12)
    assert (out >= q - 1e-12).all()
    assert (out <= 1).all()


@given(chains())
@settings(max_examples=40, deadline=None)
def test_more_is_never_lost_by_a_smaller_shock_or_longer_stocks(case):
    links, q = case
    out = carry(edges(*links), q)
    assert (carry(edges(*links), q / 2) <= out + 1e-12).all()
    longer = [(u, v, m, a if m == "kind" else a + 1) for u, v, m, a in links]
    assert (carry(edges(*longer), q) <= out + 1e-12).all()
    assert not carry(edges(*links), q * 0).any()


def test_a_circle_settles():
    out = carry(edges((0, 1, "stock", 0.0), (1, 0, "stock", 0.0)), [[0.4, 0.1]])
    assert out.tolist() == [[0.4, 0.4]]


@pytest.mark.parametrize(
    ("links", "q", "code"),
    [
        (edges((0, 1, "stock", 1.0)), [[1.5, 0]], "loss"),
        (edges((0, 1, "stock", 1.0)), [1.0, 0], "loss"),
        (edges((0, 5, "stock", 1.0)), [[1, 0]], "index"),
        (edges((0, 1, "stock", -1.0)), [[1, 0]], "mode"),
        (edges((0, 1, "heap", 1.0)), [[1, 0]], "mode"),
        (edges((0, 1, "kind", 1.5)), [[1, 0]], "weight"),
        (Edges(np.array([0]), np.array([1]), (), np.array([1.0])), [[1, 0]], "shape"),
    ],
)
def test_what_makes_no_sense_is_refused(links, q, code):
    with pytest.raises(KernelError) as caught:
        carry(links, q)
    assert caught.value.code == code
