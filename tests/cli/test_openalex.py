"""Fetching, and reading a folder: the commands as a user types them."""

import json
import sys

import pytest

from ronghe.cli.main import main
from tests.sources.test_openalex_api import Api, api  # noqa: F401


@pytest.fixture
def run(tmp_path, monkeypatch, capfdbinary):
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ronghe", "--lake", str(tmp_path / "lake"), *words])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def test_fetch_and_ingest_a_folder(run, api: Api, tmp_path):  # noqa: F811
    folder = tmp_path / "pages"
    words = ("fetch-openalex", "--to", str(folder), "--filter", "x:1", "--base", api.url)
    code, out, err = run(*words, "--limit", "1")
    assert (code, err) == (0, "")
    assert "7 of 7" in out or "7/7" in out
    assert api.asked[0]["filter"] == "x:1"
    (folder / "notes.txt").write_text("mine")
    code, out, err = run("ingest", str(folder), "--as", "openalex_works")
    assert code == 0, err
    assert "openalex_works" in out
    code, again, _ = run("ingest", str(folder), "--as", "openalex_works")
    assert code == 0
    assert again != out


@pytest.mark.parametrize(("lang", "word"), [("en", "set OPENALEX_API_KEY, or give --key"), ("zh", "或用 --key 给出")])
def test_a_user_without_a_key_is_told_how_to_give_one(run, api: Api, tmp_path, monkeypatch, lang, word):  # noqa: F811
    monkeypatch.delenv("OPENALEX_API_KEY", raising=False)
    words = ("--lang", lang, "fetch-openalex", "--to", str(tmp_path / "pages"), "--base", api.url)
    api.plans = ["401"]
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert word in err
    assert [asked.get("api_key") for asked in api.asked] == [None]
    code, out, err = run(*words, "--key", "secret")
    assert (code, err) == (0, "")
    assert api.asked[1]["api_key"] == "secret"
    held = "".join(f.read_text() for f in (tmp_path / "pages").iterdir() if f.is_file())
    assert "secret" not in out + held


def test_what_pages_that_end_early_lack_is_said_and_what_a_load_passes_over(run, api: Api, tmp_path):  # noqa: F811
    folder = tmp_path / "pages"
    one = {"id": "https://openalex.org/W1"}
    page = json.dumps({"meta": {"count": 3, "next_cursor": None}, "results": [one, one]})
    api.plans = [page]
    code, _, err = run("--lang", "en", "fetch-openalex", "--to", str(folder), "--base", api.url)
    assert (code, "with 1 records missing" in err) == (0, True)
    for lang, said in (("en", "exact repetition of an earlier record 1"), ("zh", "openalex_works 跳过：与前面")):
        code, out, _ = run("--lang", lang, "ingest", str(folder), "--as", "openalex_works")
        assert (code, said in out) == (0, True), out


def test_offline_and_empty_folders_say_what_to_do(run, tmp_path):
    code, _, err = run("--offline", "fetch-openalex", "--to", str(tmp_path / "a"))
    assert code == 2
    assert "offline" in err
    (tmp_path / "b").mkdir()
    code, _, err = run("ingest", str(tmp_path / "b"), "--as", "openalex_works")
    assert code == 2
    assert "openalex_works" in err
    code, _, err = run("ingest", str(tmp_path / "b"), "--as", "nothing_such")
    assert code == 2


def test_decide(run):
    code, out, _ = run("--lang", "en", "decide", "rejected", "清华大学", "ror:1")
    assert code == 0
    assert "Rejected: 清华大学 is not ror:1." in out
    code, _, err = run("decide", "perhaps", "x", "y")
    assert code == 2
    assert "confirmed" in err
