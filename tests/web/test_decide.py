"""A match is decided on the page: the form beside its trace, and what is turned away."""

import pytest

from ronghe.web.app import create_app
from tests.lenses.frontier.test_matches import _ask, _brain, _found
from tests.web.client import Client, token_of


@pytest.fixture
def asked(tmp_path):
    brain = _brain(tmp_path)
    answer = _ask(brain)
    rows = answer.tables["matches"].data.to_pylist()
    client = Client(create_app(brain.config, brain))
    where = f"/zh/finding/{answer.id}/trace?column=match_score&table=matches&row="
    return brain, answer, client, {r["name"]: f"{where}{i}" for i, r in enumerate(rows)}


def test_a_match_is_confirmed_beside_its_trace(asked):
    brain, answer, client, places = asked
    html = client.get(places["无此机构"]).text
    assert 'action="/zh/decide"' in html
    form = {"form_token": token_of(html), "finding": answer.id, "subject": "无此机构", "reason": "看过"}
    nothing = client.post("/zh/decide", data={**form, "kind": "confirmed", "organisation": " "})
    assert nothing.status_code in {400, 422}
    assert "ror:03cve4549" in nothing.text
    unknown = client.post("/zh/decide", data={**form, "kind": "perhaps", "organisation": "ror:thu"})
    assert unknown.status_code == 404
    assert client.post("/zh/decide", data={**form, "form_token": "x", "kind": "confirmed"}).status_code == 403
    assert _found(_ask(brain))["无此机构"] == (None, "none")
    done = client.post("/zh/decide", data={**form, "kind": "confirmed", "organisation": "ror:thu"})
    assert done.status_code == 303
    assert done.headers["location"].startswith("/zh/ask/matches?names=project.institution")
    assert _found(_ask(brain))["无此机构"] == ("ror:thu", "decision")


def test_other_figures_have_no_such_form(asked):
    _, answer, client, places = asked
    assert "/en/decide" in client.get(places["清华大学"].replace("/zh/", "/en/")).text
    methods = client.get(f"/en/finding/{answer.id}/trace?column=names&table=methods&row=0").text
    assert "/en/decide" not in methods
