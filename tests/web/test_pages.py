"""Pages: every one in both languages, nothing inline, errors that say what to do."""

import json
import re

import pytest

from ronghe.web.deps import preferred
from ronghe.web.page import asset, data_block
from tests.web.conftest import ASK
from tests.web.samples import gallery

PAGES = [
    "", "ask/structure", "ask/structure?table=sandbox-2025-8", "ask/indicators?indicator=rd_intensity",
    "ask/chain?chain=sandbox", f"finding/{gallery().id}", "tables", "tables/io_cell", "tables/work", "sources",
    "versions", "quarantine",
]  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_stand_in_both_languages_with_nothing_inline(web, path, lang):
    response = web.get(f"/{lang}/{path}")
    html = response.text
    assert response.status_code == 200
    assert response.headers["content-language"] == lang
    assert f'<html lang="{"zh-Hans" if lang == "zh" else "en"}">' in html
    other = "en" if lang == "zh" else "zh"
    assert f'href="/{other}/{path}"'.replace("&", "&amp;") in html
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", re.sub(r'<a [^>]*rel="noreferrer"', "", html))
    for script in re.findall(r"<script([^>]*)>", html):
        assert 'type="application/json"' in script or 'src="/static/' in script
    assert html.count("<h1") == 1


@pytest.mark.parametrize("lens", sorted(ASK))
def test_an_answer_carries_all_its_figures(web, lens):
    query = "&".join(f"{k}={v}" for k, v in ASK[lens].items())
    html = web.get(f"/zh/ask/{lens}?{query}").text
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html)[1])
    finding = web.brain.ask(lens, **ASK[lens]).finding
    assert data["finding"] == finding.id
    assert len(data["charts"]) == len(finding.charts)
    for table, (name, result) in zip(data["tables"], finding.tables.items(), strict=True):
        assert (table["name"], table["total"]) == (name, result.data.num_rows)
        for column in table["columns"]:
            assert len(column["raw"]) == result.data.num_rows
            if column["figure"]:
                assert column["raw"] == result.data.column(column["name"]).to_pylist()
        shown = {c["name"] for c in table["columns"]}
        assert not any(name.endswith("_en") for name in shown)
    for one in finding.provenance.inputs:
        assert one.sha256 in html
    assert f"/zh/finding/{finding.id}" in html
    assert f"ronghe ask {lens}" in html
    assert 'class="invented"' in html


def test_text_from_files_is_escaped(web):
    html = web.get(f"/en/finding/{gallery().id}").text
    assert "<b>a&b</b>" not in html
    assert "&lt;b&gt;a&amp;b&lt;/b&gt;.txt" in html


def test_data_blocks_cannot_break_out():
    nasty = {"x": "</script><script>alert(1)</script><!-- & \u2028"}
    block = str(data_block("data", nasty))
    inner = block.removeprefix('<script type="application/json" id="data">').removesuffix("</script>")
    assert "<" not in inner
    assert json.loads(inner) == nasty


def test_the_front_door_speaks_the_readers_language(web):
    for header, place in (("zh-CN,zh;q=0.9,en;q=0.8", "/zh/"), ("en-GB", "/en/"), ("fr", "/en/")):
        response = web.get("/", accept_language=header)
        assert (response.status_code, response.headers["location"]) == (307, place)
    assert web.get("/zh").headers["location"] == "/zh/"
    assert preferred("en;q=0.1,zh;q=0.2", "en") == "zh"


def test_forms_offer_what_the_lake_has_and_keep_what_was_asked(web):
    html = web.get("/zh/ask/structure?table=sandbox-2025-8").text
    assert re.search(r'<option value="sandbox-2025-8" selected>', html)
    for name in re.findall(r'<(?:select|input) id="([^"]+)"', html):
        assert f'<label for="{name}"' in html
    kept = web.get("/zh/ask/indicators?indicator=rd_intensity&year=2020").text
    assert 'name="year" value="2020"' in kept


def test_a_choice_that_does_not_exist_is_not_taken_for_another(web):
    html = web.get("/zh/ask/structure?table=sandbox-2025").text
    assert not re.search(r"<option[^>]* selected", html)
    name = web.get("/api/v1/lenses/structure/choices").json()["choices"]["table"][0]["zh"]
    assert f">{name}</a>" in html
    assert "<code>ronghe ingest cn_io_tables wiod2013</code>" in html


def test_empty_fields_leave_the_address(web):
    response = web.get("/zh/ask/indicators?indicator=rd_intensity&year=&region=")
    assert response.status_code == 303
    assert response.headers["location"] == "/zh/ask/indicators?indicator=rd_intensity"


def test_a_trace_is_a_page_and_a_fragment(web):
    answer = web.brain.ask("structure", **ASK["structure"])
    path = f"/zh/finding/{answer.id}/trace?table=sectors&column=backward_linkage&row=1"
    page, fragment = web.get(path).text, web.get(path, hx_request="true").text
    assert "<html" in page
    assert "<html" not in fragment
    origins = [o for p in answer.trace("backward_linkage", 1).paths for o in p.origins]
    assert origins
    for origin in origins:
        assert origin.sha256 in fragment
        assert origin.file in fragment
    value = answer.tables["sectors"].data.column("backward_linkage")[1].as_py()
    assert f"{value:,.4f}" in fragment


@pytest.mark.parametrize(
    ("path", "status", "link"),
    [
        ("/zh/ask/structur", 404, "/zh/ask/structure"),
        ("/en/ask/structure?table=sandbox-2025", 404, "/en/ask/structure?table=sandbox-2025-8"),
        ("/zh/ask/indicators?indicator=rd_intensity&year=1700", 404, "indicator=rd_intensity&amp;year=2020"),
        ("/zh/ask/indicators?indicator=rd_intensity&yaer=2020", 404, "indicator=rd_intensity&amp;year=2020"),
        ("/zh/ask/structure?tabel=sandbox-2025-8", 404, "/zh/ask/structure?table=sandbox-2025-8"),
        ("/zh/tables/io_cel", 404, "/zh/tables/io_cell"),
        ("/zh/finding/ffffffffffffffffffffffff", 404, "/zh/"),
        ("/zh/nowhere", 404, "/zh/"),
        ("/nowhere", 404, "/en/"),
        ("/fr/tables", 404, "/en/"),
    ],
)
def test_errors_offer_ways_on(web, path, status, link):
    response = web.get(path)
    assert response.status_code == status
    assert link in response.text
    assert 'role="alert"' in response.text


def test_assets_are_kept_for_ever_by_their_hash(web):
    path = asset("app.js")
    assert re.fullmatch(r"/static/app\.js\?v=[0-9a-f]{12}", path)
    assert "immutable" in web.get(path).headers["cache-control"]
    assert "immutable" not in web.get("/static/app.js").headers["cache-control"]
    assert web.get("/static/%2e%2e/app.py").status_code == 404


def test_the_short_address_of_a_finding_leads_to_the_whole(web):
    answer = web.brain.ask("chain", **ASK["chain"])
    response = web.get(f"/en/finding/{answer.id[:8]}")
    assert response.headers["location"] == f"/en/finding/{answer.id}"
