"""A public server: nobody unknown gets in, nobody sees another workspace's rows, findings or jobs."""

import io
import re
import time

import openpyxl
import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.errors import AuthError, ConfigError, TooMany, UnknownName
from ronghe.intake import ingest_reference
from ronghe.lake.lake import Lake
from ronghe.web import auth, users
from ronghe.web.app import create_app
from ronghe.web.auth import Attempts
from ronghe.web.csrf import local_path
from ronghe.web.upload import Desk, plain_name
from ronghe.web.users import Users, open_users, users_address
from tests.lake.slow import installed
from tests.lake.toys import bring
from tests.web.client import Client, token_of

PASSWORD = "correct horse battery"
HTTPS = "https://brain.example"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A database of users made once: Argon2 is slow on purpose."""
    path = tmp_path_factory.mktemp("users") / "users.db"
    made = Users(f"sqlite:///{path}")
    made.add("li", PASSWORD, "analyst", "hz")
    made.add("han", PASSWORD, "analyst", "nb")
    made.add("mei", PASSWORD, "viewer", "hz")
    made.add("root", PASSWORD, "admin", "hz")
    return path, made


@pytest.fixture
def app(people, tmp_path):
    config = Config(lake=str(tmp_path / "lake"), public=True, users=f"sqlite:///{people[0]}", upload_limit_mb=1)
    lake = Lake(config)
    ingest_reference(Brain(config, lake))
    bring(lake, tmp_path, "CHN,gdp,2020,1\n")
    with installed():
        yield create_app(config, Brain(config, lake))


def come_in(app, people, name: str) -> Client:
    """A client with a session, without the slow hashing of a login."""
    client = Client(app)
    client.cookies.set("ronghe_session", people[1].open_session(people[1].named(name)))
    return client


@pytest.fixture
def li(app, people):
    with come_in(app, people, "li") as client:
        yield client


@pytest.fixture
def han(app, people):
    return come_in(app, people, "han")


def log_in(client: Client, name: str, password: str, **more: str):
    token = token_of(client.get("/en/login").text)
    return client.post("/en/login", data={"name": name, "password": password, "form_token": token, **more})


def upload(client: Client, text: str, name: str = "firms.csv", table: str = "indicator", **more):
    token = token_of(client.get("/en/upload").text)
    data = {"form_token": token, "table": table}
    review = client.post("/en/upload", data=data, files={"file": (name, text.encode())})
    assert review.status_code == 200, review.text
    action = re.search(r'action="(/en/upload/[^"]+)"', review.text)[1]
    mapping = review.text.split("<textarea")[1].partition(">")[2].partition("</textarea>")[0]
    for code, letter in (("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        mapping = mapping.replace(code, letter)
    return client.post(action, data={"form_token": token, "mapping": mapping, **more}, files={"repairs": ("", b"")})


HEAD = "region,indicator,year,value,unit\n"
GOOD = "".join(f"CN-33,secret_orders,{year},5,万元\n" for year in range(2016, 2022))
ROWS = HEAD + GOOD + "CN-44,secret_orders,2021,five,万元\n"


# ---- coming in

OPEN = {"/static/app.css", "/zh/login", "/en/login"}


def test_every_route_demands_a_login(app):
    with Client(app) as client:
        paths = {getattr(r, "path", "") for r in app.routes} | {"/", "/zh/", "/api/v1/openapi.json", "/nowhere"}
        for path in sorted(p for p in paths if p and not p.startswith("/static")):
            there = re.sub(r"\{lang\}", "en", path)
            there = re.sub(r"\{[^}]+\}", "x", there)
            for method in ("GET", "POST", "DELETE"):
                if there.endswith("/login"):
                    continue
                answer = client.request(method, there)
                if there.startswith("/api/"):
                    assert (answer.status_code, answer.json()["code"]) == (401, "auth_needed"), there
                    assert answer.headers["www-authenticate"] == "Bearer"
                else:
                    assert answer.status_code == 303, there
                    assert re.match(r"/(zh|en)/login", answer.headers["location"])
                assert "gdp" not in answer.text
        for path in OPEN:
            assert client.get(path).status_code == 200
        assert "/en/tables" not in client.get("/en/login").text


def test_the_login_page_stands_in_both_languages(app):
    with Client(app) as client:
        assert "登录" in client.get("/zh/login").text
        assert "Log in" in client.get("/en/login").text


def test_log_in_and_out(app):
    with Client(app) as client:
        first = client.get("/en/tables/indicator?rows=5")
        assert first.headers["location"] == "/en/login?next=%2Fen%2Ftables%2Findicator%3Frows%3D5"
        done = log_in(client, "LI", PASSWORD, next="/en/tables/indicator")
        assert (done.status_code, done.headers["location"]) == (303, "/en/tables/indicator")
        cookie = done.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        home = client.get("/en/versions")
        assert "li · hz" in home.text
        kept = client.cookies.get("ronghe_session")
        assert client.post("/en/logout", data={"form_token": "no"}).status_code == 403
        assert client.get("/en/versions").status_code == 200
        client.post("/en/logout", data={"form_token": token_of(home.text)})
        client.cookies.set("ronghe_session", kept)
        assert client.get("/en/versions").status_code == 303


def test_cookies_over_tls_never_travel_without_it(app):
    with Client(app, base=HTTPS) as client:
        assert "Secure" in log_in(client, "li", PASSWORD).headers["set-cookie"].split("; ")


@pytest.mark.parametrize(("name", "password"), [("li", "wrong password"), ("nobody", PASSWORD), ("", ""), ("li", "")])
def test_a_wrong_login_says_no_more_than_that(app, name, password):
    with Client(app) as client:
        refused = log_in(client, name, password)
        assert refused.status_code == 401
        assert "do not fit together" in refused.text
        assert client.cookies.get("ronghe_session") is None


def test_a_login_form_of_another_site_is_refused(app):
    with Client(app) as client:
        for token in ("", "0" * 64):
            client.get("/en/login")
            data = {"name": "li", "password": PASSWORD, "form_token": token}
            assert client.post("/en/login", data=data).status_code == 403
        other = Client(app)
        theirs = token_of(other.get("/en/login").text)
        assert client.post("/en/login", data={**data, "form_token": theirs}).status_code == 403
        right = {**data, "form_token": token_of(client.get("/en/login").text)}
        assert client.post("/en/login", data=right, headers={"Origin": HTTPS}).status_code == 403
        assert client.post("/en/login", data=right, headers={"Origin": "http://127.0.0.1"}).status_code == 303


def test_a_session_ends_by_itself(app, people, monkeypatch):
    client = come_in(app, people, "li")
    assert client.get("/en/versions").status_code == 200
    later = time.time() + users.SESSION + 1
    monkeypatch.setattr(users.time, "time", lambda: later)
    assert client.get("/en/versions").status_code == 303


def test_the_database_holds_nothing_to_log_in_with(people):
    path, made = people
    session, token = made.open_session(made.named("li")), made.make_token("li", "test")
    content = path.read_bytes()
    for secret in (session, token, PASSWORD):
        assert secret.encode() not in content
    assert b"$argon2id$" in content
    assert path.stat().st_mode & 0o077 == 0
    assert made.of_token(token).name == made.of_session(session).name == "li"
    assert made.of_token(session) is made.of_session(token) is None
    assert made.revoke("li") == 1
    assert made.of_token(token) is None


# ---- how often


def test_five_wrong_tries_and_then_a_wait(app, monkeypatch):
    with Client(app) as client:
        monkeypatch.setattr(Users, "verify", lambda *a: None)
        for _ in range(5):
            assert log_in(client, "li", "guess").status_code == 401
        assert log_in(client, "LI ", "guess").status_code == 429
        monkeypatch.undo()
        waits = log_in(client, "li", PASSWORD)
        assert waits.status_code == 429
        assert 0 < int(waits.headers["retry-after"]) <= auth.WINDOW + 1
        assert log_in(client, "han", PASSWORD).status_code == 303
        elsewhere = Client(app, address="10.0.0.9")
        assert log_in(elsewhere, "li", PASSWORD).status_code == 303


def test_tries_are_counted_by_name_and_by_address(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(auth.time, "monotonic", lambda: clock[0])
    tries = Attempts()
    for i in range(30):
        tries.claim(f"user{i}", "10.0.0.1")
    with pytest.raises(TooMany):
        tries.claim("another", "10.0.0.1")
    for i in range(30):
        tries.claim("li", f"10.1.0.{i}")
    with pytest.raises(TooMany) as error:
        tries.claim("li", "10.2.0.1")
    assert error.value.args_["seconds"] == auth.WINDOW + 1
    clock[0] = auth.WINDOW + 1
    tries.claim("li", "10.2.0.1")
    assert len(tries._tries) == 3  # what is over is forgotten


def test_a_right_password_clears_the_pair(monkeypatch):
    tries = Attempts()
    for _ in range(100):
        tries.claim("li", "10.0.0.1")
        tries.forgive("li", "10.0.0.1")
    assert not any(tries._tries.values())


# ---- programs


def test_a_token_is_as_good_as_a_login_for_the_api(app, people):
    token = people[1].make_token("han")
    with Client(app) as client:
        head = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/v1/tables", headers=head).status_code == 200
        started = client.post("/api/v1/jobs/slow", json={"steps": 2}, headers=head)
        assert started.status_code == 202
        for wrong in ("Bearer ", "Bearer nope", f"Basic {token}", token):
            assert client.get("/api/v1/tables", headers={"Authorization": wrong}).status_code == 401
    people[1].revoke("han")
    assert Client(app).get("/api/v1/tables", headers=head).status_code == 401


def test_a_session_changes_nothing_through_the_api_without_its_form_token(li):
    assert li.post("/api/v1/jobs/slow", json={}).json()["code"] == "auth_form"
    assert li.delete("/api/v1/jobs/abcd").json()["code"] == "auth_form"
    token = token_of(li.get("/en/upload").text)
    assert li.post("/api/v1/jobs/slow", json={}, headers={"X-Form-Token": token}).status_code == 202


# ---- workspaces


def test_private_rows_stay_in_their_workspace(li, han, app, people):
    done = upload(li, ROWS)
    assert done.status_code == 303
    load = done.headers["location"].rsplit("/", 1)[1]
    assert "secret_orders" in li.get("/api/v1/tables/indicator?rows=100").text
    mei = come_in(app, people, "mei")
    assert "secret_orders" in mei.get("/en/tables/indicator").text
    seen = [
        "/api/v1/tables/indicator?rows=100", "/api/v1/quarantine", "/api/v1/versions", "/api/v1/sources",
        "/api/v1/lenses/indicators/choices", "/en/tables/indicator", "/en/quarantine", "/en/versions", "/en/sources",
        "/en/", "/en/ask/indicators?indicator=nothing", "/api/v1/ask/indicators?indicator=nothing",
        f"/en/upload/{load}", f"/en/upload/{load}/quarantine.xlsx", "/en/upload", "/en/jobs",
    ]  # fmt: skip
    for path in seen:
        text = han.get(path).text
        assert "secret" not in text, path
        assert "firms.csv" not in text, path
    assert han.get(f"/en/upload/{load}").status_code == 404
    counts = [c.get("/api/v1/tables").json()["tables"] for c in (li, han)]
    rows = [next(t["rows"] for t in one if t["table"] == "indicator") for one in counts]
    assert rows[0] == rows[1] + 6


def test_a_finding_on_private_rows_is_not_there_for_others(li, han):
    upload(li, ROWS)
    head = {"X-Form-Token": token_of(li.get("/en/upload").text)}
    identity = li.post("/api/v1/jobs/slow", json={"steps": 2}, headers=head).json()["id"]
    while li.get(f"/api/v1/jobs/{identity}").json()["state"] != "done":
        time.sleep(0.02)
    assert li.get(f"/api/v1/findings/{identity}").status_code == 200
    theirs = {"X-Form-Token": token_of(han.get("/en/upload").text)}
    trace = "trace?column=value&row=0"
    for path in (f"findings/{identity}", f"findings/{identity[:8]}", f"findings/{identity}/{trace}",
                 f"findings/{identity}/export?format=json", f"jobs/{identity}", f"jobs/{identity}/events"):  # fmt: skip
        answer = han.get(f"/api/v1/{path}")
        assert answer.status_code == 404, path
        assert identity not in "".join(answer.json()["known"])
    for method, path in (("DELETE", f"jobs/{identity}?forget=true"), ("POST", f"jobs/{identity}/resume")):
        assert han.request(method, f"/api/v1/{path}", headers=theirs).status_code == 404
    assert han.get(f"/en/finding/{identity}").status_code == 404
    assert han.get("/api/v1/jobs").json() == {"jobs": []}
    assert han.get("/api/v1/findings/zzzz").json()["known"] == []
    own = han.post("/api/v1/jobs/slow", json={"steps": 2}, headers=theirs).json()["id"]
    assert own != identity
    assert li.get(f"/api/v1/jobs/{identity}").status_code == 200


def test_two_workspaces_may_bring_in_files_of_the_same_name(li, han):
    upload(li, ROWS)
    upload(han, ROWS.replace("secret_orders", "other_orders"))
    assert "secret_orders" in li.get("/api/v1/tables/indicator?rows=100").text
    assert "other_orders" in han.get("/api/v1/tables/indicator?rows=100").text
    assert "other_orders" not in li.get("/api/v1/tables/indicator?rows=100").text


# ---- uploads


def test_an_upload_shows_its_balance_and_a_sheet_to_mend_it(li):
    done = upload(li, ROWS)
    page = li.get(done.headers["location"]).text
    figures = re.findall(r'<dd class="num">(\d+)</dd>', page)
    assert figures == ["8", "6", "1", "1"]
    assert "a number, such as 1234.5" in page
    assert "数字，如 1234.5" in li.get(done.headers["location"].replace("/en/", "/zh/")).text
    assert "<td>数字，如 1234.5" in li.get("/zh/quarantine").text
    assert "<td>a number, such as 1234.5" in li.get("/en/quarantine").text
    listed = li.get("/api/v1/quarantine").json()
    (fault,) = (dict(zip(listed["columns"], row, strict=True)) for row in listed["rows"])
    assert fault["expected"]["key"] == "expected.float_cell"
    sheet = li.get(done.headers["location"] + "/quarantine.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(sheet.content))["quarantine"]
    book.cell(2, 10).value = "7"
    mended = io.BytesIO()
    book.parent.save(mended)
    token = token_of(li.get("/en/upload").text)
    review = li.post(
        "/en/upload", data={"form_token": token, "table": "indicator"}, files={"file": ("firms.csv", ROWS.encode())}
    )
    action = re.search(r'action="(/en/upload/[^"]+)"', review.text)[1]
    mapping = review.text.split("<textarea")[1].partition(">")[2].partition("</textarea>")[0].replace("&#34;", '"')
    again = li.post(
        action, data={"form_token": token, "mapping": mapping}, files={"repairs": ("mend.xlsx", mended.getvalue())}
    )
    assert again.status_code == 303, again.text
    assert re.findall(r'<dd class="num">(\d+)</dd>', li.get(again.headers["location"]).text) == ["8", "7", "0", "1"]


def test_only_analysts_bring_data_in_and_only_admins_for_everyone(app, people, li, han):
    mei = come_in(app, people, "mei")
    assert mei.get("/en/upload").status_code == 403
    token = token_of(mei.get("/en/versions").text)
    assert mei.post("/en/upload", data={"form_token": token}, files={"file": ("a.csv", b"x")}).status_code == 403
    assert upload(li, ROWS, share="yes").status_code == 403
    root = come_in(app, people, "root")
    assert upload(root, ROWS.replace("secret", "public"), share="yes").status_code == 303
    assert "public_orders" in han.get("/api/v1/tables/indicator?rows=100").text


def test_a_mapping_that_does_not_fit_is_shown_again_with_why(li):
    token = token_of(li.get("/en/upload").text)
    files = {"file": ("a.csv", ROWS.encode()), "mapping": ("m.toml", b"table = 'indicator'\nx =")}
    review = li.post("/en/upload", data={"form_token": token}, files=files)
    action = re.search(r'action="(/en/upload/[^"]+)"', review.text)[1]
    again = li.post(action, data={"form_token": token, "mapping": "table = 'indicator'\nx ="})
    assert again.status_code == 422
    assert 'role="alert"' in again.text
    assert "x =</textarea>" in again.text
    assert li.post(action, data={"form_token": "no", "mapping": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({}, 422),
        ({"file": ("a.csv", b"")}, 422),
        ({"file": ("a.xlsx", b"PK\x03\x04no")}, 422),
        ({"file": ("a.csv", b"x" * 1_100_000)}, 413),
        ({"file": ("a.csv", b"a,b\n1,2\n"), "mapping": ("m.toml", b"\xff\xfe\x00")}, 422),
    ],
)
def test_bad_uploads_say_why(li, files, status):
    token = token_of(li.get("/en/upload").text)
    refused = li.post("/en/upload", data={"form_token": token}, files={"repairs": ("", b""), **files})
    assert refused.status_code == status
    assert 'role="alert"' in refused.text


def test_a_file_larger_than_it_says_is_cut_off(li):
    token = token_of(li.get("/en/upload").text)
    begin = (
        b'--b\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n' + token.encode() + b"\r\n--b\r\n"
        b'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    )

    async def endless():
        yield begin
        for _ in range(100):
            yield b"x" * 100_000

    head = {"Content-Type": "multipart/form-data; boundary=b"}
    refused = li.post("/en/upload", content=endless(), headers=head)
    assert refused.status_code == 413


def test_what_is_uploaded_belongs_to_who_brought_it(li, han):
    token = token_of(li.get("/en/upload").text)
    review = li.post(
        "/en/upload", data={"form_token": token, "table": "indicator"}, files={"file": ("a.csv", ROWS.encode())}
    )
    action = re.search(r'action="(/en/upload/[^"]+)"', review.text)[1]
    theirs = token_of(han.get("/en/upload").text)
    assert han.post(action, data={"form_token": theirs, "mapping": "table = 'indicator'"}).status_code == 404


@pytest.mark.parametrize(
    ("given", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\x\\年鉴.xlsx", "年鉴.xlsx"), ("", "upload"), ("..", "upload"),
     (".hidden", "hidden"), ("a\x00b.csv", "ab.csv"), ("x" * 300 + ".csv", "x" * 116 + ".csv")],
)  # fmt: skip
def test_a_name_is_only_a_name(given, kept):
    assert plain_name(given) == kept


def test_files_that_wait_are_gone_at_the_end(tmp_path):
    desk = Desk()
    desk.close()
    upload_file = type("File", (), {"filename": "a.csv", "file": io.BytesIO(b"x")})()
    waiting = desk.lay(upload_file, "li")
    assert desk.get(waiting.token, "li").path.read_bytes() == b"x"
    with pytest.raises(UnknownName):
        desk.get(waiting.token, "han")
    desk.close()
    assert not waiting.path.exists()


def test_without_logins_everyone_may_upload_for_everyone(tmp_path):
    config = Config(lake=str(tmp_path / "lake"))
    with Client(create_app(config)) as client:
        done = upload(client, ROWS)
        assert done.status_code == 303
        assert "secret_orders" in client.get("/api/v1/tables/indicator?rows=9").text
        assert client.post("/en/upload", data={"form_token": "no"}).status_code == 403
        assert client.get("/en/login").status_code == 404


# ---- the database


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("postgresql://ro@db.example/brain", "postgresql+pg8000://ro@db.example/brain"),
        ("postgres://ro:p%40ss@db/brain?x=1", "postgresql+pg8000://ro:p%40ss@db/brain?x=1"),
        ("postgresql+pg8000://db/brain", "postgresql+pg8000://db/brain"),
        ("sqlite:///users.db", "sqlite:///users.db"),
    ],
)
def test_addresses_of_the_database(given, read):
    assert users_address(Config(users=given)) == read


@pytest.mark.parametrize("given", ["mysql://db/brain", "postgresql+psycopg://db/brain", "users.db", "sqlite+x://a"])
def test_addresses_we_do_not_use(given):
    with pytest.raises(ConfigError) as error:
        users_address(Config(users=given))
    assert error.value.code == "users_address"


def test_users_lie_beside_the_lake_and_never_in_an_object_store(tmp_path):
    assert users_address(Config(lake=str(tmp_path))) == f"sqlite:///{tmp_path}/users.db"
    with pytest.raises(ConfigError) as error:
        users_address(Config(lake="s3://bucket/lake"))
    assert error.value.code == "users_needed"


def test_a_database_that_cannot_be_opened_is_said_without_its_password(tmp_path):
    with pytest.raises(ConfigError) as error:
        open_users(Config(users="postgresql://ro:hush@127.0.0.1:1/brain"))
    assert error.value.code == "users_closed"
    assert "hush" not in error.value.say("en")
    (tmp_path / "file").write_bytes(b"no database" * 100)
    with pytest.raises(ConfigError):
        open_users(Config(users=f"sqlite:///{tmp_path}/file"))


def test_users_are_added_changed_and_removed(people):
    made = people[1]
    with pytest.raises(AuthError) as error:
        made.add("ＬＩ", PASSWORD, "viewer")
    assert error.value.code == "user_exists"
    for name, password, role, workspace, fault in [
        ("a b", PASSWORD, "viewer", "", "user_name"),
        ("", PASSWORD, "viewer", "", "user_name"),
        ("new", "short", "viewer", "", "user_password"),
        ("new", PASSWORD, "king", "", "unknown_role"),
        ("new", PASSWORD, "viewer", "a/b", "user_workspace"),
    ]:
        with pytest.raises((AuthError, UnknownName)) as error:
            made.add(name, password, role, workspace)
        assert error.value.code == fault
    made.add("Wang", PASSWORD, "viewer")
    session, token = made.open_session(made.named("wang")), made.make_token("wang")
    made.change_password("wang", PASSWORD + "!")
    assert made.of_session(session) is None
    assert made.of_token(token).role == "viewer"
    assert made.verify("wang", PASSWORD) is None
    assert made.verify("WANG", PASSWORD + "!").name == "wang"
    made.remove("wang")
    assert made.of_token(token) is None
    with pytest.raises(UnknownName):
        made.remove("wang")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("/en/tables?x=1", "/en/tables?x=1"), ("", "/zh/"), ("//evil", "/zh/"), ("https://evil/en/", "/zh/"),
     ("/en/\\evil", "/zh/"), ("/api/v1/jobs", "/zh/"), ("/en/\n", "/zh/")],
)  # fmt: skip
def test_places_to_go_on_to(given, kept):
    assert local_path(given, "zh") == kept
