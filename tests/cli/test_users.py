"""Who may log in, from the command line; and that serving others asks for it."""

import getpass
import io
import sys

import pytest

from ronghe.cli.main import main
from ronghe.web.users import Users

PASSWORD = "correct horse battery"


@pytest.fixture
def run(tmp_path, monkeypatch, capfdbinary):
    def call(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ronghe", "--lake", str(tmp_path / "lake"), *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    monkeypatch.chdir(tmp_path)
    return call


@pytest.fixture
def users(tmp_path):
    return lambda: Users(f"sqlite:///{tmp_path / 'lake' / 'users.db'}")


def test_a_user_is_added_listed_and_removed(run, users):
    assert "no users yet" in run("users", "list")[1]
    words = ("users", "add", "李雷", "--role", "analyst", "--workspace", "hz", "--password-stdin")
    code, out, _ = run(*words, typed=f"{PASSWORD}\n")
    assert (code, "李雷" in out, PASSWORD in out) == (0, True, False)
    assert users().verify("李雷", PASSWORD).workspace == "hz"
    listed = run("users", "list")[1]
    assert {"李雷", "analyst", "hz"} <= set(listed.split())
    code, _, err = run(*words, typed=f"{PASSWORD}\n")
    assert (code, "already" in err) == (2, True)
    assert run("users", "remove", "李雷")[0] == 0
    assert users().all() == []
    code, _, err = run("users", "remove", "李雷")
    assert (code, "There is no user" in err) == (2, True)


def test_a_password_is_typed_twice_and_never_shown(run, users, monkeypatch):
    typed = [PASSWORD, "something else"]
    monkeypatch.setattr(getpass, "getpass", lambda prompt: typed.pop(0))
    code, out, err = run("users", "add", "mei")
    assert (code, "differ" in err) == (2, True)
    typed += [PASSWORD, PASSWORD]
    code, out, err = run("--lang", "zh", "users", "add", "mei")
    assert code == 0
    assert PASSWORD not in out + err
    assert users().verify("mei", PASSWORD).role == "viewer"


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["add", "x", "--password-stdin"], "short\n", "too short"),
        (["add", "x", "--role", "king", "--password-stdin"], f"{PASSWORD}\n", "no role king"),
        (["add", "a b", "--password-stdin"], f"{PASSWORD}\n", "can't be a user's name"),
        (["add", "x", "--workspace", "a/b", "--password-stdin"], f"{PASSWORD}\n", "can't be a workspace"),
        (["password", "nobody", "--password-stdin"], f"{PASSWORD}\n", "no user nobody"),
        (["token", "nobody"], "", "no user nobody"),
        (["revoke", "nobody"], "", "no user nobody"),
    ],
)
def test_what_cannot_be_is_said(run, words, typed, said):
    code, out, err = run("users", *words, typed=typed)
    assert (code, out) == (2, "")
    assert said in err


def test_tokens_are_printed_alone_so_that_they_can_be_piped(run, users):
    run("users", "add", "mei", "--password-stdin", typed=f"{PASSWORD}\n")
    code, out, err = run("users", "token", "mei", "--label", "nightly")
    assert code == 0
    assert users().of_token(out.strip()).name == "mei"
    assert out.strip() not in err
    assert "1" in run("users", "list")[1].split()
    assert "1" in run("users", "revoke", "mei")[1]
    assert users().of_token(out.strip()) is None


def test_a_new_password_ends_sessions(run, users):
    run("users", "add", "mei", "--password-stdin", typed=f"{PASSWORD}\n")
    session = users().open_session(users().named("mei"))
    assert run("users", "password", "mei", "--password-stdin", typed=f"{PASSWORD}2\n")[0] == 0
    assert users().of_session(session) is None
    assert users().verify("mei", f"{PASSWORD}2")


def test_serving_others_asks_for_logins_and_for_somebody_to_log_in(run):
    code, _, err = run("serve", "--host", "0.0.0.0")
    assert (code, "--public" in err) == (2, True)
    code, _, err = run("serve", "--public")
    assert code == 2
    assert "ronghe users add" in err
