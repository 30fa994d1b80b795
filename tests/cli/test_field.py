"""``ronghe field``: list, copy and check, as a user types them."""

import subprocess
import sys

from ronghe.fielding.reading import field_names, field_text
from tests.lenses.frontier.frontier_toys import brain_with, work


def _run(*words: str, lake: str = "lake") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from ronghe.cli import main; main()", "--lake", lake, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_fields_are_listed_in_both_languages(tmp_path):
    for lang, word in (("zh", "集成电路"), ("en", "Integrated circuits")):
        done = _run("--lang", lang, "field", "list", lake=str(tmp_path / "none"))
        assert done.returncode == 0, done.stderr
        assert word in done.stdout
        assert all(name in done.stdout for name in field_names())


def test_a_copy_is_checked_and_never_written_over(tmp_path):
    lake = brain_with(tmp_path, {"work": [work(1, 2020)]}).config.lake
    own = tmp_path / "own.toml"
    assert _run("field", "copy", "人工智能", str(own), lake=lake).returncode == 0
    assert own.read_text(encoding="utf-8") == field_text("ai")
    again = _run("--lang", "en", "field", "copy", "ai", str(own), lake=lake)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    done = _run("--lang", "en", "field", "check", str(own), lake=lake)
    assert done.returncode == 0, done.stderr
    assert "Artificial intelligence" in done.stdout
    none = _run("--lang", "zh", "field", "check", "量子信息", lake=lake)
    assert none.returncode == 2
    assert "什么也没有抓住" in none.stderr
