"""First occurrences in lists of texts against sets."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ronghe.kernels.text_lists import firsts

WORDS = st.sampled_from(["", "a", "b", "ab", "ba", "W12", "W21", "钢", "x" * 100, "x" * 99 + "y"])


@settings(deadline=None)  # the first call compiles
@example([[], [], ["a"]])
@example([["a"] * 9, ["b", "a", "b"]])
@given(st.lists(st.lists(WORDS | st.text(max_size=3), max_size=40), max_size=8))
def test_first_of_its_kind_in_its_list(lists: list[list[str]]) -> None:
    texts = [text.encode() for one in lists for text in one]
    offsets = np.cumsum([0, *(len(text) for text in texts)]).astype(np.int32)
    of = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    expected = [text not in one[:at] for one in lists for at, text in enumerate(one)]
    assert firsts(of, offsets, np.frombuffer(b"".join(texts), np.uint8)).tolist() == expected
