import datetime as dt
import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ronghe.sources.workbook.mapping import MISSING
from ronghe.sources.workbook.values import Kind, parse, plain


def one(text: str, kind: str, **options: object) -> object:
    """The value, or the word bad."""
    values, bad = parse(plain(pa.array([text], pa.string())), Kind(kind, MISSING, **options))  # type: ignore[arg-type]
    return "bad" if bad[0].as_py() else values[0].as_py()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.5", 1234.5),
        ("1,234.5", 1234.5),
        ("1 234 567", 1234567.0),
        ("１２３４．５", 1234.5),
        ("\u3000-7\u3000", -7.0),
        ("+3", 3.0),
        ("−3", -3.0),
        ("约1,200", 1200.0),
        ("3.5万", 35000.0),
        ("1e3", 1000.0),
        ("12.5%", 0.125),
        ("5‰", 0.005),
        *[(mark, None) for mark in ("", "—", "…", "#", "-", "..", "n/a", "NA", "空", "　—　", "．．")],
        *[
            (text, "bad")
            for text in ("abc", "1,23", "12,3456", "nan", "inf", "1.2.3", "超过100", "12*", "1e999", "0x10")
        ],
    ],
)
def test_numbers(text: str, value: object) -> None:
    assert one(text, "float") == value


def test_units() -> None:
    assert one("0.07", "float", unit="CNY_100m", target="CNY_10k") == 700.0
    assert one("1,1", "float", unit="CNY_100m", target="CNY_10k") == "bad"
    assert one("1.1", "float", unit="CNY", target="CNY_100m") == 1.1e-8
    assert one("3.5亿元", "float", unit="CNY_10k", target="CNY_10k") == 35000.0
    assert one("12%", "float", unit="percent", target="percent") == 12.0
    assert one("0.12", "float", unit="ratio", target="percent") == 12.0
    assert one("12", "float", unit="month", target="year") == pytest.approx(1.0)
    assert one("5吨", "float", unit="CNY", target="CNY") == "bad"
    assert one("12%", "float", suffixes=False) == "bad"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(text, 2020) for text in ("2020年", "2020 年度", "二〇二〇年", "２０２０", "2020.0", "2020-05-01")],
        ("2020.5", "bad"),
        ("二十", "bad"),
    ],
)
def test_years(text: str, value: object) -> None:
    assert one(text, "int", is_year=True) == value
    assert one("1,234", "int") == 1234
    assert one("99999999999999999999", "int") == "bad"


@pytest.mark.parametrize(
    "text", ["2020-01-31", "2020/1/31", "2020.1.31", "2020年1月31日", "20200131", "2020-01-31 00:00:00"]
)
def test_dates(text: str) -> None:
    assert one(text, "date") == dt.date(2020, 1, 31)
    assert one("2020-02-30", "date") == one("2020年1月", "date") == one("2020-01-31 08:00", "date") == "bad"


def test_moments_booleans_lists() -> None:
    at = dt.datetime(2020, 1, 31, 0, 30, tzinfo=dt.UTC)
    assert one("2020年1月31日 08:30", "time", timezone="Asia/Shanghai") == at
    assert one("2020-01-31T00:30:00Z", "time") == at
    assert [one(t, "bool") for t in ("是", "否", "√", "FALSE", "1", "也许")] == [True, False, True, False, True, "bad"]
    assert one("甲；乙|丙", "list") == ["甲", "乙", "丙"]
    assert one("a/b", "list", separator="/") == ["a", "b"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_written_floats_come_back_exactly(numbers: list[float]) -> None:
    values, bad = parse(pa.array([repr(n) for n in numbers]), Kind("float", MISSING))
    assert not any(bad.to_pylist())
    assert all(
        math.copysign(1, a) == math.copysign(1, b) and a == b for a, b in zip(values.to_pylist(), numbers, strict=True)
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20), st.booleans())
def test_grouped_digits_and_a_bad_neighbour_change_nothing(numbers: list[int], spoiled: bool) -> None:
    texts = [f"{n:,}" for n in numbers] + (["abc"] if spoiled else [])
    values, bad = parse(pa.array(texts), Kind("float", MISSING, unit="CNY_100m", target="CNY_10k"))
    assert values.to_pylist()[: len(numbers)] == [float(n) * 10000 for n in numbers]
    assert bad.to_pylist() == [False] * len(numbers) + [True] * spoiled
