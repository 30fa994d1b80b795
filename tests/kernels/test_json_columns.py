"""Columns of JSON lines against a plain walk over what Python's own parser gives."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ronghe.kernels.json_columns import SPARE, Columns, gather

SHAPE = {
    "id": "text",
    "year": "whole",
    "open": "truth",
    "topic": {"id": "text", "field": {"name": "text"}},
    "refs": ["text"],
    "counts": ["whole"],
    "by": [{"name": "text", "at": [{"ror": "text", "type": "text"}]}],
}
COLUMNS = Columns(SHAPE)


def read(lines: bytes, columns: Columns = COLUMNS) -> dict[Any, list[Any]] | None:
    """Path -> (up, value) of all that was found; an object or list has the value True, or None where it is null."""
    block = np.zeros(len(lines) + SPARE, np.uint8)
    block[: len(lines)] = np.frombuffer(lines, np.uint8)
    # What lies behind the lines is whatever was read before.
    block[len(lines) :] = np.frombuffer(b'"}]\\{[,:0n\n' * 6, np.uint8)[:SPARE]
    found = columns.read(block, len(lines))
    if found is None:
        return None
    told: dict[Any, list[Any]] = {}
    for path, one in found.items():
        kind = at(SHAPE, path)
        values: list[Any] = [None if start < 0 else True for start in one.start]
        if kind == "text":
            made = gather(block, one, np.arange(len(one.up)), len(one.up))
            if made is None:
                return None
            offsets, data, held = made
            try:
                texts = [bytes(data[a:b]).decode() for a, b in pairwise(offsets)]
            except UnicodeDecodeError:
                return None  # who makes texts of the bytes looks at them
            values = [text if there else None for text, there in zip(texts, held, strict=True)]
        elif isinstance(kind, str):
            values = [None if stop < 0 else value for value, stop in zip(one.start, one.stop, strict=True)]
        told[path] = list(zip(one.up.tolist(), values, strict=True))
    return told


def at(shape: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        shape = shape[step]
    return shape


def below(shape: Any) -> list[tuple[Any, Any]]:
    """The steps from a shape down, each with the shape there."""
    if isinstance(shape, dict):
        return list(shape.items())
    return [(0, shape[0])] if isinstance(shape, list) else []


def paths(shape: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    return [path, *(one for step, inner in below(shape) for one in paths(inner, (*path, step)))]


def walked(lines: list[dict[str, Any]]) -> dict[Any, list[Any]]:
    """The same from parsed lines."""
    told: dict[Any, list[Any]] = {path: [] for path in paths(SHAPE)}

    def visit(value: Any, shape: Any, path: tuple[Any, ...], up: int) -> None:
        number = len(told[path])
        told[path].append((up, True if below(shape) and value is not None else value))
        if value is None or not below(shape):
            return
        members = [(0, item) for item in value] if isinstance(shape, list) else value.items()
        for step, inner in members:
            if isinstance(shape, list) or step in shape:
                visit(inner, shape[step], (*path, step), number)

    for number, line in enumerate(lines):
        visit(line, SHAPE, (), number)
    return told


TEXTS = st.text(st.characters(codec="utf-8"), max_size=90)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def of(shape: Any) -> st.SearchStrategy[Any]:
    """Values of a shape, with members nobody asks for and without some that are asked for."""
    if isinstance(shape, list):
        return st.none() | st.lists(of(shape[0]), max_size=4)
    if isinstance(shape, dict):
        known = st.fixed_dictionaries({}, optional={name: of(inner) for name, inner in shape.items()})
        other = st.dictionaries(TEXTS.filter(lambda name: name not in shape), JUNK, max_size=3)
        return st.tuples(known, other).flatmap(
            lambda both: st.permutations(list((both[0] | both[1]).items())).map(dict)
        )
    kinds = {"text": TEXTS, "whole": st.integers(-(10**18) + 1, 10**18 - 1), "truth": st.booleans()}
    return st.none() | kinds[shape]


LINES = st.lists(of(SHAPE), min_size=1, max_size=4)
STYLES = st.fixed_dictionaries(
    {"ensure_ascii": st.booleans(), "separators": st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :\r")])}
)


@settings(deadline=None)
@given(LINES, STYLES, st.booleans())
def test_what_is_found_is_what_a_parser_gives(lines: list[dict[str, Any]], style: dict[str, Any], last: bool) -> None:
    text = "\n".join(json.dumps(line, **style) for line in lines) + ("\n" if last else "")
    found = read(text.encode())
    plain = set(map(chr, range(32, 127))) - set('"\\')
    if any(set(name) - plain for line in lines for name in names(line)):
        assert found is None or found == walked(lines)  # an odd name is the careful reader's
        return
    if found is None:
        assert len(text) // 8 + 62 < len(json.dumps(lines))  # too many short values for the log
        return
    assert found == walked(lines)


def names(value: Any) -> list[str]:
    """The names a walk comes by: those in what is stepped over are not looked at."""
    if isinstance(value, dict):
        return [*value, *(name for inner in value.values() for name in names(inner))]
    return [name for inner in value for name in names(inner)] if isinstance(value, list) else []


@settings(deadline=None, max_examples=400)
@example(b'{"id": "a", "id": "b"}', 0, b"")
@example(b'{"id": "a"}', 11, b" x")
@example(b'{"id": "a"}', 10, b",")
@example(b'{"id": "\\u0041"}', 8, b"\n")
@example(b'{"year": 1}', 9, b"0")
@example(b'{"id": "\\ud83d\\ude00"}', 14, b"x")
@given(of(SHAPE).map(lambda line: json.dumps(line).encode()), st.integers(0, 400), st.binary(max_size=2))
def test_a_line_that_is_no_json_is_refused_or_what_is_asked_for_is_as_it_should_be(
    line: bytes, place: int, more: bytes
) -> None:
    place %= len(line) + 1
    spoilt = (line[:place] + more + line[place + 1 :]).replace(b"\n", b" ")
    found = read(spoilt + b"\n")
    try:
        parsed = json.loads(spoilt)
    except ValueError:
        parsed = None
    if found is None or parsed is None:
        return  # what is stepped over may be no JSON at all; the next test asks where nothing is stepped over
    assert isinstance(parsed, dict)
    if not twice(spoilt):
        assert found == walked([parsed])


def twice(line: bytes) -> bool:
    """Whether an object of a line names a member twice: the log has both, and the caller refuses them."""
    seen: list[bool] = []
    json.loads(line, object_pairs_hook=lambda pairs: seen.append(len({k for k, _ in pairs}) < len(pairs)))
    return any(seen)


WHOLE_SHAPE = st.fixed_dictionaries(
    {},
    optional={
        "id": TEXTS,
        "year": st.integers(-(10**17), 10**17),
        "refs": st.lists(TEXTS, max_size=3),
        "by": st.lists(st.fixed_dictionaries({}, optional={"name": TEXTS}), max_size=3),
    },
)


@settings(deadline=None, max_examples=400)
@given(WHOLE_SHAPE.map(lambda line: json.dumps(line).encode()), st.integers(0, 200), st.binary(max_size=2))
def test_where_nothing_is_stepped_over_what_is_taken_is_json(line: bytes, place: int, more: bytes) -> None:
    place %= len(line) + 1
    spoilt = (line[:place] + more + line[place + 1 :]).replace(b"\n", b" ")
    try:
        parsed = json.loads(spoilt)
    except ValueError:
        parsed = None
    # A spoilt name is one nobody asked for: its value is stepped over.
    if isinstance(parsed, dict) and any(name not in {"id", "year", "refs", "by", "name"} for name in names(parsed)):
        return
    if read(spoilt + b"\n") is not None and parsed is None:
        known = (b'"id"', b'"year"', b'"refs"', b'"by"', b'"name"')
        assert sum(line.count(name) for name in known) != sum(spoilt.count(name) for name in known)


REFUSED = rb"""
null | 5 | [1] | { | {}} | {} {} | {"id"} | {"id":} | {"id":"a",} | {,"id":"a"} | {"id":"a" "year":1} | {"id":5}
{"year":1.5} | {"year":01} | {"year":"1"} | {"year":1000000000000000000} | {"open":1} | {"open":tru} | {"x":}
{"topic":"AI"} | {"topic":[1]} | {"refs":"a"} | {"refs":[1]} | {"by":["Li"]} | {"refs":["a",]} | {"refs":["a"}
{"x":[1,2} | {"x":"a} | {"i\u0064":"a"} | {"id":"\x"} | {"id":"\ud800"} | {"id":"\u12"} | {"id":"a\u00zz"}
"""


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"\xef\xbb\xbf{}",
        '{"名":1}'.encode(),
        b'{"a\tb":1}',
        *REFUSED.strip().replace(b"\n", b" | ").split(b" | "),
    ],
)
def test_refused(line: bytes) -> None:
    assert read(b'{"id":"W1"}\n' + line + b'\n{"id":"W2"}\n') is None


@pytest.mark.parametrize("more", ["", '"\\', "\t", "é"])
def test_a_text_of_many_blocks_and_one_that_ends_with_the_bytes(more: str) -> None:
    long = "长" * 5000 + more + "x" * 63
    for end in ("", "\n"):
        text = json.dumps({"x": {"y": [long, {"z": "}]"}]}, "id": long}, ensure_ascii=False) + end
        found = read(text.encode())
        assert found is not None
        assert found["id",] == [(0, long)]


@pytest.mark.parametrize("before", [0, 1, 62, 63, 64, 65, 127, 128, 200])
def test_a_control_character_is_refused_wherever_it_stands(before: int) -> None:
    for after in (0, 1, 64, 100):
        assert read(b'{"id":"' + b"x" * before + b"\x1f" + b"y" * after + b'"}\n') is None
        assert read(b'{"id":"' + b"x" * before + b"\\n" + b"y" * after + b'"}\x0d\n') is not None


def test_a_log_that_is_full_refuses() -> None:
    assert read(b'{"counts":[' + b",".join([b"1"] * 5000) + b"]}\n") is None


@pytest.mark.parametrize("shape", [{"": "text"}, {"n" * 64: "text"}, {"ab_c": "text", "ad_c": "text"}])
def test_names_the_plan_cannot_tell_apart_are_refused(shape: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="name"):
        Columns(shape)


def test_a_block_needs_room_behind_it() -> None:
    with pytest.raises(ValueError, match=f"11 bytes want an array of {11 + SPARE}"):
        COLUMNS.read(np.zeros(11, np.uint8), 11)
