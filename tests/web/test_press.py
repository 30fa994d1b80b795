"""Pictures come from a process of their own: the same bytes, the same errors, and it goes when it is not needed."""

import os
import pickle
import signal
import time

import pytest

from ronghe.errors import RongheError, UnknownName
from ronghe.export import render
from ronghe.web.press import Press


@pytest.fixture
def press():
    made = Press()
    yield made
    made.close()


def _workers(press):
    return [] if press._pool is None else list(press._pool._processes.values())


def test_a_picture_made_elsewhere_is_the_same_and_so_are_its_errors(press, brain):
    answer = brain.ask("structure", table="sandbox-2025-8")
    asked = render(answer, "svg", "zh", make=press.content)
    assert asked == render(answer, "svg", "zh")
    (worker,) = _workers(press)
    press._idle = 0.1
    with pytest.raises(UnknownName) as caught:
        render(answer, "svg", "en", chart=9, make=press.content)
    with pytest.raises(UnknownName) as here:
        render(answer, "svg", "en", chart=9)
    assert caught.value.say("zh") == here.value.say("zh")
    until = time.monotonic() + 20
    while worker.is_alive() and time.monotonic() < until:
        time.sleep(0.05)
    assert not worker.is_alive()
    assert render(answer, "xlsx", "zh", make=press.content) == render(answer, "xlsx", "zh")
    assert _workers(press) == []


def test_a_killed_process_is_one_clear_error_and_the_next_file_is_made(press, brain):
    answer = brain.ask("structure", table="sandbox-2025-8")
    render(answer, "svg", "zh", make=press.content)
    os.kill(_workers(press)[0].pid, signal.SIGKILL)
    with pytest.raises(RongheError, match="was ended"):
        render(answer, "svg", "zh", make=press.content)
    assert render(answer, "svg", "zh", make=press.content).content.startswith(b"<svg")


@pytest.mark.parametrize(
    "error", [UnknownName("unknown_lens", "structur", ["structure"]), RongheError("export_broken", name="svg")]
)
def test_an_error_crosses_processes_whole(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.code, again.known, again.args_) == (type(error), error.code, error.known, error.args_)
    assert again.say("zh") == error.say("zh")
