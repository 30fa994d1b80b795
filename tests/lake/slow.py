"""A lens that takes as long as its gate says, for tests of jobs: it counts steps, saves and goes on from there."""

import os
import sys
import time
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType
from unittest.mock import patch

import pyarrow as pa

from ronghe import brain, i18n, plugins
from ronghe.errors import AskError
from ronghe.lenses.base import Context, lens
from ronghe.model.finding import Field, Finding, Result
from ronghe.model.text import Text

WORDS = {
    "lens.slow": "slow",
    "lens.slow.question": "How far does it count?",
    "param.steps": "steps",
    "param.trouble": "trouble",
    "slow.headline": "{steps} steps, {worked} of them in this run",
}


def gate(lake: Path) -> Path:
    """While this file is there, the lens stays where it is."""
    return lake / "gate"


@lens("slow", version=1, reads=("indicator",))
def slow(ctx: Context, *, steps: int = 3, trouble: str = "") -> Finding:
    """How far does it count?"""
    closed = gate(Path(ctx.snapshot.store.root))
    begun = int((ctx.checkpoint.load("step") or b"0").decode())
    ctx.rows("indicator")
    for step in range(begun, steps):
        ctx.progress("counting", step, steps)
        while closed.exists() and step > 0:
            if trouble == "deaf":
                closed.with_name("deaf").touch()
            else:
                ctx.check()
            time.sleep(0.01)
        if trouble == "ours" and step == 1:
            raise AskError("bad_value", parameter="trouble", value="ours", expected="none")
        if trouble == "crash" and step == 1:
            raise ZeroDivisionError
        if trouble == "die" and step == 1:
            os._exit(9)
        ctx.checkpoint.save("step", str(step + 1).encode())
        ctx.check()
    ctx.progress("counting", steps, steps)
    data = pa.table({"name": ["counted", "worked"], "value": pa.array([steps, steps - begun], pa.int64())})
    fields = (Field("name", Text("param.steps")), Field("value", Text("param.steps"), kind="integer"))
    result = Result(data, fields, ("name",), Text("lens.slow"))
    return ctx.answer(Text("slow.headline", {"steps": steps, "worked": steps - begun}), {"count": result})


@contextmanager
def installed():
    """The lens beside the built-in ones, with its words."""
    point = EntryPoint("slow", "tests.lake.slow:slow", plugins.LENSES)
    points, catalogue = plugins._points, i18n.catalogue

    def more(group):
        return {**points(group), "slow": point} if group == plugins.LENSES else points(group)

    def words(lang):
        return MappingProxyType({**catalogue(lang), **WORDS})

    plugins.get_lens.cache_clear()
    # Processes that share a lake must agree on the code's version, even while somebody edits the code.
    same = patch.object(brain, "code_version", lambda: "test")
    with patch.object(plugins, "_points", more), patch.object(i18n, "catalogue", words), same:
        yield
    plugins.get_lens.cache_clear()


def main() -> None:
    """``python -m tests.lake.slow …`` is ``ronghe …`` with this lens installed."""
    from ronghe.cli import main as command

    with installed():
        command()


if __name__ == "__main__":
    sys.modules.setdefault("tests.lake.slow", sys.modules["__main__"])
    main()
