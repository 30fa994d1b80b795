"""Long asks through the API and the pages: start, watch, cancel, resume; the same jobs that commands see."""

import json
import threading
import time
from pathlib import Path

import pytest

from ronghe.brain import Brain
from ronghe.lake.jobs import Jobs
from ronghe.web import jobs as web_jobs
from ronghe.web.app import create_app
from tests.lake.slow import gate, installed
from tests.lake.toys import bring, lake_at
from tests.web.client import Client, token_of

JOBS = "/api/v1/jobs"


@pytest.fixture
def lake(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, "CHN,gdp,2020,1\n")
    return lake


@pytest.fixture
def client(lake):
    with installed():
        app = create_app(lake.config, Brain(lake.config, lake))
        with Client(app) as made:
            yield made
            gate(Path(lake.store.root)).unlink(missing_ok=True)


@pytest.fixture
def shut(lake):
    path = gate(Path(lake.store.root))
    path.touch()
    return path


def until(client, identity: str, *states: str) -> dict:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        said = client.get(f"{JOBS}/{identity}").json()
        if said["state"] in states:
            return said
        time.sleep(0.02)
    raise AssertionError(f"{said['state']}, expected {states}")


def test_a_job_is_started_watched_and_gives_its_finding(client):
    started = client.post(f"{JOBS}/slow", json={"steps": 3})
    assert started.status_code == 202
    said = started.json()
    assert started.headers["location"] == f"{JOBS}/{said['id']}"
    done = until(client, said["id"], "done")
    assert done["params"] == {"steps": 3, "trouble": ""}
    assert client.get(f"/api/v1/findings/{done['finding']}").json()["id"] == said["id"]
    assert [j["id"] for j in client.get(JOBS).json()["jobs"]] == [said["id"]]
    again = client.post(f"{JOBS}/slow", json={"steps": 3}).json()
    assert (again["id"], again["state"], again["runs"]) == (said["id"], "done", 1)


def test_what_the_api_says_is_what_the_command_prints(client, lake):
    identity = client.post(f"{JOBS}/slow").json()["id"]
    until(client, identity, "done")
    jobs = Jobs(lake.store)
    assert client.get(f"{JOBS}/{identity[:6]}").json() == jobs.document(jobs.get(identity))
    assert client.get(JOBS).json() == jobs.documents()


def test_cancel_and_resume(client, shut):
    identity = client.post(f"{JOBS}/slow", json={"steps": 3}).json()["id"]
    until(client, identity, "running")
    assert client.delete(f"{JOBS}/{identity}?forget=true").status_code == 422
    assert client.delete(f"{JOBS}/{identity}").status_code == 200
    stopped = until(client, identity, "cancelled")
    assert stopped["error"] is None
    shut.unlink()
    assert client.post(f"{JOBS}/{identity}/resume").status_code == 202
    assert until(client, identity, "done")["runs"] == 2
    assert client.delete(f"{JOBS}/{identity}?forget=true").status_code == 204
    assert client.get(JOBS).json() == {"jobs": []}


def test_the_command_cancels_a_job_of_the_server(client, lake, shut):
    identity = client.post(f"{JOBS}/slow", json={"steps": 3}).json()["id"]
    while not client.get(f"{JOBS}/{identity}").json()["saved"]:
        time.sleep(0.02)
    Jobs(lake.store).cancel(identity)
    assert until(client, identity, "cancelled")["saved"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("nothing", {}, 404, "unknown_lens"),
        ("slow", {"stepps": 1}, 404, "unknown_parameter"),
        ("slow", {"fresh": True}, 404, "unknown_parameter"),
        ("slow", {"steps": "many"}, 422, "bad_value"),
        ("slow", [1], 422, "web_invalid"),
    ],
)
def test_a_bad_question_makes_no_job(client, path, body, status, code):
    answer = client.post(f"{JOBS}/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.get(JOBS).json() == {"jobs": []}


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/events"), ("DELETE", ""), ("POST", "/resume")])
def test_a_job_that_is_not_there(client, method, path):
    answer = client.request(method, f"{JOBS}/abcdef{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")


def test_events_tell_every_change_and_end_with_the_job(client, shut):
    identity = client.post(f"{JOBS}/slow", json={"steps": 3}).json()["id"]
    threading.Timer(0.5, shut.unlink).start()
    stream = client.get(f"{JOBS}/{identity}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in stream.text.split("\n") if line]
    told = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert {line for line in lines if not line.startswith("data: ")} == {"event: job"}
    assert told[0]["state"] in {"queued", "running"}
    assert told[-1]["state"] == "done"
    assert len(told) == len({json.dumps(t) for t in told})


def test_a_quick_question_is_answered_on_its_page_without_a_job(client):
    page = client.get("/en/ask/slow?steps=2")
    assert page.status_code == 200
    assert "2 steps, 2 of them in this run" in page.text
    assert client.get(JOBS).json() == {"jobs": []}


def test_a_long_question_shows_its_job_and_goes_on_to_the_answer(client, shut, monkeypatch):
    monkeypatch.setattr(web_jobs, "PATIENCE", 0.0)
    page = client.get("/zh/ask/slow?steps=3")
    assert page.status_code == 200
    assert "<progress" in page.text
    poll = page.text.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    fragment = client.get(poll, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert fragment.text.startswith('<section class="job"')
    assert "hx-get" in fragment.text
    assert client.get(poll).text.startswith("<!doctype html>")
    identity = client.get(JOBS).json()["jobs"][0]["id"]
    shut.unlink()
    until(client, identity, "done")
    done = client.get(poll, headers={"HX-Request": "true"})
    assert (done.status_code, done.headers["hx-redirect"]) == (204, "/zh/ask/slow?steps=3")
    assert client.get(poll).headers["location"] == "/zh/ask/slow?steps=3"
    assert "3 steps" in client.get("/zh/ask/slow?steps=3").text


def test_the_buttons_cancel_resume_and_forget(client, shut, monkeypatch):
    monkeypatch.setattr(web_jobs, "PATIENCE", 0.0)
    html = client.get("/en/ask/slow?steps=3").text
    identity = client.get(JOBS).json()["jobs"][0]["id"]
    form = {"form_token": token_of(html), "next": "/en/ask/slow?steps=3"}
    assert client.post(f"/en/jobs/{identity}/forget", data=form).status_code == 422
    done = client.post(f"/en/jobs/{identity}/cancel", data=form)
    assert done.status_code == 303
    assert done.headers["location"] == f"/en/jobs/{identity}?next=%2Fen%2Fask%2Fslow%3Fsteps%3D3"
    until(client, identity, "cancelled")
    stopped = client.get("/en/ask/slow?steps=3").text
    assert f"/en/jobs/{identity}/resume" in stopped
    assert "hx-get" not in stopped
    assert f"/en/jobs/{identity}/resume" in client.get("/en/jobs").text
    shut.unlink()
    client.post(f"/en/jobs/{identity}/resume", data=form)
    until(client, identity, "done")
    assert client.post(f"/en/jobs/{identity}/forget", data=form).headers["location"] == "/en/jobs"
    assert client.post(f"/en/jobs/{identity}/burn", data=form).status_code == 422


def test_a_failed_question_says_why_on_its_page_and_in_the_list(client, shut, monkeypatch):
    assert client.get("/zh/ask/slow?trouble=ours").status_code == 200  # held up by the gate: a job
    shut.unlink()
    identity = client.get(JOBS).json()["jobs"][0]["id"]
    said = until(client, identity, "failed")
    assert said["error"]["code"] == "bad_value"
    assert said["error"]["message"]["zh"] in client.get("/zh/jobs").text
    assert client.get("/zh/ask/slow?trouble=ours").status_code == 422


def test_no_other_site_starts_or_stops_anything(client, shut):
    identity = client.post(f"{JOBS}/slow").json()["id"]
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        for method, path in (("POST", f"{JOBS}/slow"), ("DELETE", f"{JOBS}/{identity}")):
            refused = client.request(method, path, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "auth_origin")
    assert client.delete(f"{JOBS}/{identity}", headers={"Origin": "http://127.0.0.1"}).status_code == 200


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_a_form_without_our_token_does_nothing(client, shut, token):
    identity = client.post(f"{JOBS}/slow").json()["id"]
    client.get("/en/upload")  # sets the cookie that the token is bound to
    refused = client.post(f"/en/jobs/{identity}/cancel", data={"form_token": token})
    assert refused.status_code == 403
    assert client.get(f"{JOBS}/{identity}").json()["stopping"] is False


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/api/v1/jobs"]
)
def test_a_job_leads_on_only_to_pages_of_our_own(client, evil):
    identity = client.post(f"{JOBS}/slow").json()["id"]
    until(client, identity, "done")
    assert client.get(f"/en/jobs/{identity}", params={"next": evil}).headers["location"] == "/en/"
    assert client.get(f"/en/jobs/{identity}").headers["location"] == f"/en/finding/{identity}"


def test_the_server_stops_its_jobs_and_they_can_be_resumed(lake, shut):
    with installed():
        brain = Brain(lake.config, lake)
        with Client(create_app(lake.config, brain)) as client:
            identity = client.post(f"{JOBS}/slow").json()["id"]
            until(client, identity, "running")
        assert Jobs(lake.store).get(identity).state == "interrupted"
        shut.unlink()
        with Client(create_app(lake.config, brain)) as client:
            client.post(f"{JOBS}/{identity}/resume")
            until(client, identity, "done")


def test_a_job_of_a_lens_that_is_gone_is_still_listed(lake, shut):
    with installed():
        brain = Brain(lake.config, lake)
        with Client(create_app(lake.config, brain)) as client:
            identity = client.post(f"{JOBS}/slow").json()["id"]
    with Client(create_app(lake.config, brain)) as client:
        assert identity[:8] in client.get("/zh/jobs").text
        assert "slow" in client.get(f"/en/jobs/{identity}").text
        assert client.post(f"{JOBS}/{identity}/resume").status_code == 202
        assert until(client, identity, "failed")["error"]["code"] == "unknown_lens"
