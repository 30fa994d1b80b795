"""Ask, keep, trace: on the sandbox, where every figure can be checked by hand."""

import json
import shutil

import numpy as np
import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.errors import AskError, LakeError, MappingError, NoData, TraceError, UnknownName
from ronghe.i18n import translate
from ronghe.intake import ingest_own
from ronghe.model.serial import canonical, from_document, to_document
from ronghe.sources.sandbox import Sandbox


@pytest.fixture
def own(sandbox_lake, tmp_path):
    shutil.copytree(sandbox_lake, tmp_path / "lake")
    return Brain(Config(lake=str(tmp_path / "lake")))


ASKS = [
    ("structure", {"table": "sandbox-2025-8"}),
    ("indicators", {"indicator": "rd_intensity"}),
    ("indicators", {"indicator": "hitech_revenue", "region": "SBX-2", "year": "2020年"}),
    ("chain", {"chain": "sandbox"}),
    ("chain", {"chain": "sandbox", "by": "firm"}),
]


@pytest.mark.parametrize(("lens", "params"), ASKS)
def test_asking_twice_gives_the_same_bytes(own, lens, params):
    first = own.ask(lens, fresh=True, **params)
    again = own.ask(lens, fresh=True, **params)
    kept = own.ask(lens, **params)
    assert first.json == again.json == kept.json
    assert own.findings.bytes(first.id) == first.json


@pytest.mark.parametrize(("lens", "params"), ASKS)
def test_a_finding_survives_its_json(brain, lens, params):
    finding = brain.ask(lens, **params).finding
    back = from_document(json.loads(canonical(to_document(finding))))
    assert canonical(to_document(back)) == canonical(to_document(finding))
    for name, result in finding.tables.items():
        assert back.tables[name].data.equals(result.data.replace_schema_metadata(None))


@pytest.mark.parametrize(("lens", "params"), ASKS)
def test_every_figure_of_every_table_traces(brain, lens, params):
    answer = brain.ask(lens, **params)
    traced = 0
    for name, result in answer.tables.items():
        for field in result.fields:
            if field.basis is None or not result.data.num_rows:
                continue
            column = result.data.column(field.name)
            row = next((i for i in range(len(column)) if column[i].as_py() is not None), None)
            if row is None:
                continue
            trace = answer.trace(field.name, row, table=name)
            assert trace.total > 0, (name, field.name)
            assert trace.basis in {"rows", "matrix", "child"}
            traced += 1
    assert traced >= 3


def test_invented_data_is_stamped_on_every_answer(brain):
    for lens, params in ASKS:
        assert brain.ask(lens, **params).finding.caveats[0].level == "invented"


def test_structure_equals_the_textbook_on_the_sandbox(brain):
    answer = brain.ask("structure", table="sandbox-2025-8")
    frame = answer.tables["sectors"].to_pandas()
    snapshot = brain.snapshot
    cells = snapshot.rows(snapshot.table("io_cell")).to_pandas()
    z = cells[cells.block == "Z"].pivot(index="row", columns="col", values="value").fillna(0).to_numpy()
    x = cells[cells.block == "X"].sort_values("row").value.to_numpy()
    inverse = np.linalg.inv(np.eye(8) - z / x)
    assert np.allclose(frame.backward_linkage, inverse.sum(axis=0), rtol=1e-12)
    assert np.allclose(frame.backward_normalised.mean(), 1.0)
    assert np.allclose(frame.value_added_content + frame.import_content, 1.0)


def test_a_matrix_figure_is_the_sum_of_its_paths(brain):
    answer = brain.ask("structure", table="sandbox-2025-8")
    for column in ("backward_linkage", "forward_linkage", "value_added_content"):
        trace = answer.trace(column, sector="05")
        assert len(trace.paths) == 8
        assert sum(p.value for p in trace.paths) == pytest.approx(trace.value, rel=1e-12)
        assert sum(p.share for p in trace.paths) == pytest.approx(1.0)


def test_a_figure_puts_a_finger_on_its_cell(brain):
    trace = brain.ask("structure", table="sandbox-2025-8").trace("output", sector="05")
    (origin,) = trace.origins
    assert (origin.dataset, origin.file) == ("sandbox", "io_cell.csv")
    file = next(r for r in Sandbox().raw_files() if r.name == origin.file)
    line = file.path.read_text(encoding="utf-8").splitlines()[origin.row - 1]
    assert line.endswith(f",{int(trace.value)}")


def test_missing_years_stay_missing(brain):
    trend = brain.ask("indicators", indicator="rd_intensity", top=6).tables["trend"].to_pandas()
    gap = trend[(trend.region == "SBX-4") & (trend.year == 2019)].value
    assert gap.isna().all()
    ranking = brain.ask("indicators", indicator="rd_intensity", year=2019).tables["ranking"].to_pandas()
    assert ranking[ranking.region == "SBX-4"]["rank"].isna().all()


def test_shares_of_an_additive_indicator_add_up(brain):
    ranking = brain.ask("indicators", indicator="hitech_revenue").tables["ranking"].to_pandas()
    assert ranking.share.sum() == pytest.approx(1.0)


def test_an_unknown_share_gives_bounds_not_a_guess(brain):
    steps = brain.ask("chain", chain="sandbox").tables["steps"].to_pandas().set_index("step")
    assert np.isnan(steps.loc["A2", "top_share"])
    assert (steps.loc["A2", "hhi_low"], steps.loc["A2", "hhi_high"]) == (0.5, 1.0)
    assert steps.loc["A1", "downstream"] == 4


@pytest.mark.parametrize(
    ("lens", "params", "error", "says"),
    [
        ("structur", {}, UnknownName, "structure"),
        ("structure", {"table": "sandbox-2025-9"}, UnknownName, "sandbox-2025-8"),
        ("structure", {"tabel": "x"}, UnknownName, "table"),
        ("structure", {}, AskError, "sandbox-2025-8"),
        ("structure", {"table": "sandbox-2025-8", "region": "CHN"}, UnknownName, "SBX"),
        ("indicators", {"indicator": "rd_intensity", "year": 1999}, UnknownName, "2016"),
        ("indicators", {"indicator": "rd_intensity", "year": "soon"}, AskError, "four digits"),
        ("indicators", {"indicator": "rd_intensty"}, UnknownName, "rd_intensity"),
        ("indicators", {"indicator": "rd_intensity", "top": "many"}, AskError, "expected"),
        ("chain", {"chain": "chips"}, UnknownName, "sandbox"),
        ("chain", {"chain": "sandbox", "by": "town"}, UnknownName, "country"),
    ],
)
def test_a_bad_question_gets_one_clear_error(brain, lens, params, error, says):
    with pytest.raises(error) as caught:
        brain.ask(lens, **params)
    for lang in ("zh", "en"):
        assert caught.value.say(lang)
    assert says in caught.value.say("en")


def test_an_empty_lake_says_what_to_load(tmp_path):
    empty = Brain(Config(lake=str(tmp_path / "none")))
    assert empty.snapshot.version == -1
    with pytest.raises((UnknownName, NoData)) as caught:
        empty.ask("structure", table="cn-2020-153")
    assert "ronghe ingest" in caught.value.say("en")


def test_trace_errors_name_what_there_is(brain):
    answer = brain.ask("structure", table="sandbox-2025-8")
    with pytest.raises(UnknownName) as column:
        answer.trace("backward_linkag", 0)
    assert column.value.known[0] == "backward_linkage"
    with pytest.raises(TraceError):
        answer.trace("output", 99)
    with pytest.raises(TraceError):
        answer.trace("output", sector="nowhere")
    with pytest.raises(UnknownName):
        brain.find("0000")


def test_a_mapping_that_is_none_gets_one_clear_error(own, tmp_path):
    data = tmp_path / "firms.csv"
    data.write_bytes("统一社会信用代码,企业名称\nX1,甲公司\n".encode("gb18030"))
    for given, says in (({"mapping": data}, "UTF-8"), ({"mapping": tmp_path / "none.toml"}, "none.toml")):
        with pytest.raises(MappingError) as caught:
            ingest_own(own, data, table="organisation", **given)
        assert says in caught.value.say("en")
        assert caught.value.say("zh") != caught.value.say("en")
    with pytest.raises(MappingError, match=r"none\.xlsx"):
        ingest_own(own, data, table="organisation", repairs=tmp_path / "none.xlsx")


def test_a_finding_is_found_by_the_beginning_of_its_id(brain):
    answer = brain.ask("structure", table="sandbox-2025-8")
    assert brain.find(answer.id[:8]).id == answer.id
    assert brain.latest("structure").finding.lens == "structure"


def test_a_finding_of_another_form_is_refused_by_name_and_passed_over(own):
    older = own.ask("structure", table="sandbox-2025-8")
    newer = own.ask("chain", chain="sandbox")
    for answer, start in ((older, older.id), (newer, newer.id[:8])):
        said = json.loads(answer.json)
        del said["provenance"]["steps"]
        own.lake.store.write(f"_findings/{answer.id}.json", canonical(said))
        with pytest.raises(LakeError, match=f"{answer.id}.*another version") as caught:
            own.find(start)
        assert f"ronghe ask {answer.finding.lens}" in caught.value.say("zh")
    with pytest.raises(AskError, match="table"):
        own.latest("structure")  # none is kept in this form, so it is asked, and wants to know of which table


def test_a_finding_keeps_its_trace_after_the_lake_moves_on(own, tmp_path):
    answer = own.ask("indicators", indicator="rd_intensity")
    before = answer.trace("value", 0)
    path = tmp_path / "extra.csv"
    path.write_text("地区,指标,年份,数值,单位\nSBX-1,rd_intensity,2025,99,percent\n", encoding="utf-8")
    mapping = tmp_path / "extra.toml"
    mapping.write_text(
        '[source]\nheader_rows = [1]\n[columns]\nregion = {from = "地区", resolve = false}\nindicator = "指标"\n'
        'year = "年份"\nvalue = {from = "数值", unit = "percent"}\nunit = "单位"\nindustry = {value = "ALL"}\n',
        encoding="utf-8",
    )
    ingest_own(own, path, table="indicator", mapping=mapping)
    assert own.ask("indicators", indicator="rd_intensity").tables["ranking"].to_pandas().value[0] == 99
    assert own.find(answer.id).trace("value", 0).document() == before.document()


def test_headlines_read_in_both_languages(brain):
    for lens, params in ASKS:
        finding = brain.ask(lens, **params).finding
        zh, en = (translate(lang, finding.headline) for lang in ("zh", "en"))
        assert any("\u4e00" <= ch <= "\u9fff" for ch in zh)
        assert en.isascii() or "—" in en
