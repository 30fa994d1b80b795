"""Shocks as text: one canonical line, one clear error."""

import pytest

from ronghe.errors import AskError, UnknownName
from ronghe.lenses.chains.shocks import Shocks, read_shocks


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("chips:N32 from=JPN loss=1.0", "chips:N32 from=JPN loss=1"),
        ("chips:N32", "chips:N32 loss=1"),
        ("  chips:N32 loss=.5 ; sector:094 loss=0.2 start=2 end=4 recovery=3 ",
         "chips:N32 loss=0.5; sector:094 loss=0.2 start=2 end=4 recovery=3"),
        ("chips:N32 from='Tokyo Electron'", "chips:N32 from='Tokyo Electron' loss=1"),
        ("chips:N32 from=JPN+NLD；region:JPN/c14", "chips:N32 from=JPN+NLD loss=1; region:JPN/c14 loss=1"),
        ('[[shock]]\nof = "chips:N32"\nfrom = ["JPN", "NLD"]', "chips:N32 from=JPN+NLD loss=1"),
        ('begin = 2026-01-05\n[[shock]]\nof = "firm:F1"\nstart = 2026-01-19\nend = 2026-02-02',
         "firm:F1 loss=1 start=2 end=4"),
        ('[[shock]]\nof = "sector:01"\nstart = 2026-01-05\nrecovery = 2026-02-02', "sector:01 loss=1 end=0 recovery=4"),
    ],
)  # fmt: skip
def test_one_canonical_line(text, line):
    parsed = Shocks.parse(text)
    assert parsed == line
    assert Shocks.parse(parsed) == parsed


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "shock_empty"),
        ("N32", "shock_of"),
        ("chips:", "shock_of"),
        ("region:/", "shock_of"),
        ("[[shock]]\nloss = 0.2", "shock_of"),
        ("[[shock]]\nof = 5", "shock_of"),
        ("# nothing", "shock_empty"),
        ('begin = "monday"\n[[shock]]\nof = "a:b"', "shock_number"),
        ('[[shock]]\nof = "a:b"\nstart = "2026-01-40"', "shock_number"),
        ("chips:N32 loss", "shock_syntax"),
        ("chips:N32 from='JPN", "shock_syntax"),
        ("chips:N32 loss=1.2", "shock_loss"),
        ("chips:N32 loss=-0.1", "shock_loss"),
        ("chips:N32 loss=nan", "shock_number"),
        ("chips:N32 loss=all", "shock_number"),
        ("chips:N32 start=1.5", "shock_number"),
        ("chips:N32 recovery=-2", "shock_number"),
        ("chips:N32 start=5 end=3", "shock_dates"),
        ('[[shock]]\nof = "a:b"\nstart = 2026-02-02\nend = 2026-01-05', "shock_dates"),
        ('[[shock]]\nof = "a:b"\nstart = 2026-02-02\nrecovery = 2026-01-05', "shock_dates"),
        ('begin = 2026-03-02\n[[shock]]\nof = "a:b"\nstart = 2026-01-05', "shock_before"),
        ("[[shock]]\nof = ", "shock_toml"),
        ('[[shock]]\nof = "a:b"\nstart = 2026-13-40', "shock_toml"),
    ],
)
def test_what_can_not_be_read_gets_one_clear_error(text, code):
    with pytest.raises(AskError) as caught:
        read_shocks(text)
    assert caught.value.code == code
    assert all(caught.value.say(lang) for lang in ("zh", "en"))


@pytest.mark.parametrize(
    "text", ["chips:N32 form=JPN", '[[shock]]\nof = "a:b"\nlos = 1', "begin = 2026-01-05\nshok = 1", "foo = 1"]
)
def test_a_key_that_does_not_exist_is_named_with_those_that_do(text):
    with pytest.raises(UnknownName) as caught:
        read_shocks(text)
    assert caught.value.known
