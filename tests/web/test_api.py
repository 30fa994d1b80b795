"""The API: bytes are the finding's own, parameters the lens's own, errors of one shape."""

import json
import subprocess
import sys

import pytest

from ronghe.brain import Brain
from ronghe.errors import AskError
from ronghe.i18n import LANGUAGES
from ronghe.model.serial import canonical
from ronghe.plugins import get_lens, lens_names
from ronghe.views import quarantine_list, source_list, table_list, table_rows, version_list
from ronghe.web.app import create_app
from ronghe.web.policy import HEADERS
from tests.web.conftest import ASK

BASE = "/api/v1"


def ask(web, lens, **params):
    query = "&".join(f"{k}={v}" for k, v in (params or ASK[lens]).items())
    return web.get(f"{BASE}/ask/{lens}?{query}")


@pytest.mark.parametrize("lens", sorted(ASK))
def test_an_answer_is_the_finding_to_the_byte(web, lens):
    response = ask(web, lens)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = web.brain.ask(lens, **ASK[lens])
    assert response.content == answer.json
    assert web.get(f"{BASE}/findings/{answer.id}").content == answer.json
    assert web.get(f"{BASE}/findings/{answer.id[:10]}").content == answer.json


def test_every_parameter_of_every_lens_is_in_openapi(web):
    document = web.get(f"{BASE}/openapi.json").json()
    for name in lens_names():
        said = {p["name"]: p for p in document["paths"][f"{BASE}/ask/{name}"]["get"]["parameters"]}
        spec = get_lens(name)
        assert set(said) == {p.name for p in spec.params}
        for param in spec.params:
            assert said[param.name]["in"] == "query"
            assert said[param.name]["required"] is param.required
            assert said[param.name]["description"]
            if param.literals:
                assert said[param.name]["schema"]["enum"] == list(param.literals)
    assert document["paths"][f"{BASE}/ask/indicators"]["get"]["parameters"][1]["schema"]["type"] == "integer"


def test_lenses_are_imported_when_they_are_asked(web_config):
    code = (
        "import sys; from ronghe.config import Config; from ronghe.web.app import create_app; "
        f"create_app(Config(lake={web_config.lake!r})); "
        "sys.exit(', '.join(m for m in sys.modules if m.startswith('ronghe.kernels.') or m == 'numba') or 0)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_parameters_are_read_as_the_lens_reads_them(web):
    one = ask(web, "indicators", indicator="hitech_revenue", region="SBX-2", year="2020年").json()
    assert one["params"]["year"] == 2020
    empty = web.get(f"{BASE}/ask/indicators?indicator=rd_intensity&region=&year=")
    assert empty.content == ask(web, "indicators").content


@pytest.mark.parametrize(
    ("path", "status", "code", "known"),
    [
        ("/ask/structur?table=x", 404, "unknown_lens", "structure"),
        ("/ask/structure", 422, "missing_parameter", "sandbox-2025-8"),
        ("/ask/structure?table=sandbox-2025", 404, "unknown_io_table", "sandbox-2025-8"),
        ("/ask/structure?tabel=sandbox-2025-8", 404, "unknown_parameter", "table"),
        ("/ask/indicators?indicator=rd_intensity&anno=3", 404, "unknown_parameter", "year"),
        ("/ask/indicators?indicator=rd_intensity&year=1700", 404, "unknown_year", "2020"),
        ("/ask/indicators?indicator=rd_intensity&year=soon", 422, "not_a_year", None),
        ("/ask/indicators?indicator=rd_intensity&top=many", 422, "bad_value", None),
        ("/ask/indicators?indicator=rd_intensity&fresh=1", 404, "unknown_parameter", None),
        ("/ask/indicators?indicator=rd_intensity&progress=1", 404, "unknown_parameter", None),
        ("/findings/ffffffffffffffff", 404, "unknown_finding", None),
        ("/tables/io_cel", 404, "unknown_table", "io_cell"),
        ("/tables/io_cell?rows=many", 422, "web_invalid", None),
        ("/tables/io_cell?rows=999999", 422, "web_invalid", None),
        ("/lenses/structur", 404, "unknown_lens", "structure"),
        ("/nowhere", 404, "web_not_found", None),
    ],
)
def test_errors_have_one_shape(web, path, status, code, known):
    response = web.get(BASE + path)
    said = response.json()
    assert (response.status_code, said["code"]) == (status, code)
    assert set(said) == {"code", "message", "hint", "known"}
    assert all(said[part][lang] for part in ("message", "hint") for lang in LANGUAGES)
    if known:
        assert known in said["known"]


def test_a_wrong_method_and_a_defect_have_that_shape_too(web, monkeypatch):
    assert web.get(f"{BASE}/tables", method="POST").json()["code"] == "web_method"
    monkeypatch.setattr(type(web.brain), "versions", lambda self: 1 // 0)
    response = web.get(f"{BASE}/versions")
    assert response.status_code == 500
    assert response.json()["code"] == "web_internal"
    assert "ZeroDivisionError" in response.json()["message"]["en"]
    assert response.headers["content-security-policy"]


def test_a_trace_leads_to_the_cell(web):
    answer = web.brain.ask("structure", **ASK["structure"])
    response = web.get(f"{BASE}/findings/{answer.id}/trace?table=sectors&column=output&row=2")
    assert response.content == canonical(answer.trace("output", 2, table="sectors").document())
    origin = response.json()["origins"][0]
    assert origin["file"]
    assert origin["row"] > 0
    key = answer.tables["sectors"].data.slice(2, 1).to_pylist()[0]["sector"]
    by_key = web.get(f"{BASE}/findings/{answer.id}/trace?column=output&row=sector={key}")
    assert by_key.content == response.content
    for query, code in (("column=output&row=999", "trace_row"), ("column=outputs&row=0", "unknown_column"),
                        ("column=output&row=-1", "trace_row"), ("row=1", "missing_parameter")):  # fmt: skip
        assert web.get(f"{BASE}/findings/{answer.id}/trace?{query}").json()["code"] == code


@pytest.mark.parametrize(
    ("fmt", "begins"), [("json", b'{"id"'), ("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf"), ("png", b"\x89PNG")]
)
def test_exports(web, fmt, begins):
    answer = web.brain.ask("structure", **ASK["structure"])
    response = web.get(f"{BASE}/findings/{answer.id}/export?format={fmt}&lang=zh")
    assert response.status_code == 200
    assert response.content.startswith(begins)
    assert response.headers["content-disposition"].endswith(f'.{fmt}"')
    assert "no-store" not in response.headers["cache-control"]
    if fmt == "json":
        assert response.content == answer.json


def test_an_unknown_format_names_those_there_are(web):
    answer = web.brain.ask("structure", **ASK["structure"])
    response = web.get(f"{BASE}/findings/{answer.id}/export?format=xls")
    assert response.status_code == 400
    assert response.json()["known"][0] == "xlsx"
    assert web.get(f"{BASE}/findings/{answer.id}/export?lang=fr").json()["code"] == "web_invalid"


def test_lists_are_the_views(web):
    brain = web.brain
    for path, document in (
        ("/tables", table_list(brain)),
        ("/tables/io_cell?rows=3", table_rows(brain, "io_cell", 3)),
        ("/versions", version_list(brain)),
        ("/quarantine", quarantine_list(brain)),
        ("/sources", source_list(brain)),
    ):
        assert web.get(BASE + path).content == canonical(document)
    assert {one["lens"] for one in web.get(f"{BASE}/lenses").json()["lenses"]} == set(lens_names())


def test_choices_are_those_of_the_lake(web):
    said = web.get(f"{BASE}/lenses/structure/choices").json()["choices"]
    tables = {c["value"]: c for c in said["table"]}
    assert set(tables["sandbox-2025-8"]) == {"value", "zh", "en"}


def test_every_answer_carries_the_policy(web):
    for path in ("/zh/", f"{BASE}/lenses", "/static/app.css", "/zh/nowhere", f"{BASE}/nowhere"):
        headers = web.get(path).headers
        for name, value in HEADERS:
            assert headers[name] == value


def test_only_this_machine_is_heard(web):
    refused = web.get(f"{BASE}/lenses", host="evil.example")
    assert refused.status_code == 421
    assert json.loads(refused.content)["code"] == "web_host"
    for host in ("localhost:8600", "127.0.0.1:8600", "[::1]:8600"):
        assert web.get(f"{BASE}/lenses", host=host).status_code == 200


def test_large_answers_are_packed(web):
    response = web.get(f"{BASE}/lenses", accept_encoding="gzip")
    assert response.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("value", ["../secret.toml", "/etc/x.toml", "x.TOML@abc"])
def test_no_file_of_the_server_can_be_named(web_config, value):
    brain = Brain(web_config, files=False)
    for call in (brain.ask, brain.plan):
        with pytest.raises(AskError) as caught:
            call("index_check", system=value)
        assert caught.value.code == "no_files_here"
    assert create_app(web_config).state.brain.files is False
