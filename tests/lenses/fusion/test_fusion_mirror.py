"""The real yearbook: who leads, what the audit promised, and that figures come from its cells."""

import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.intake import ingest_reference
from ronghe.lake.ingest import Terms
from ronghe.lake.lake import raw_file
from ronghe.plugins import get_source

pytestmark = pytest.mark.mirror
FILES = (
    *("IndustryOperation", "IndustryRD", "MarketPull", "MarketPush", "PubSKLMost", "PublicBudget", "RDActivity"),
    *("RDIntense", "RDLaborHour", "RDPaperInternational", "RDPatentAccept", "RDPatentAuthority", "RDPatentValid"),
    *("RDSource", "varsList"),
)
DRAWS = 2_000


@pytest.fixture(scope="module")
def yearbook(mirror, tmp_path_factory):
    brain = Brain(Config(lake=str(tmp_path_factory.mktemp("yearbook") / "lake")))
    ingest_reference(brain)
    source = get_source("cn_st_yearbook")
    for name in FILES:
        path = mirror / "cn_st_yearbook" / "data" / f"{name}.rda"
        brain.lake.ingest(source, raw_file(path, "cn_st_yearbook"), terms=Terms(licence="official statistics"))
    return brain


@pytest.fixture(scope="module")
def fusion(yearbook):
    return yearbook.ask("fusion_map", draws=DRAWS)


def test_the_default_system_holds_against_the_yearbook(yearbook):
    for name, first in (("fusion_province", 2016), ("fusion_province_long", 2012)):
        answer = yearbook.ask("index_check", system=name)
        args = answer.finding.headline.args
        assert (args["regions"], args["first"], args["last"]) == (31, first, 2023)
        assert (args["unmade"], args["dead"], args["gaps"], args["unknown"]) == (0, 0, 0, 0)
        assert answer.tables["together"].data.num_rows <= 3


def test_those_who_lead_in_the_literature_lead(fusion):
    ranking = fusion.tables["ranking"].data.to_pylist()
    lead = {r["name_zh"] for r in ranking[:5]}
    assert lead == {"北京", "上海", "广东", "浙江", "江苏"}
    last = {r["name_zh"] for r in ranking[-6:]}
    assert {"西藏", "新疆", "内蒙古"} <= last
    assert fusion.tables["panel"].data.num_rows == 31 * 8


def test_neighbouring_ranks_are_noise_and_distant_ones_are_not(fusion):
    args = fusion.finding.headline.args
    assert args["noise"] >= 25
    assert 200 <= args["clear"] <= 350
    ranking = fusion.tables["ranking"].data.to_pylist()
    p = {(r["region"], r["other"]): r["p"] for r in fusion.tables["ahead"].data.to_pylist()}
    assert p[ranking[0]["region"], ranking[-1]["region"]] > 0.99


def test_only_what_was_not_published_is_filled(fusion):
    filled = {r["indicator"]: r for r in fusion.tables["filled"].data.to_pylist()}
    assert filled["papers_sci"]["years_filled"] == "2023"
    assert filled["hitech_revenue"]["years_filled"] == "2017"
    assert filled["technology_sold"]["cells"] == 1
    assert filled["technology_sold"]["places_en"] == "Tibet"
    assert "rd_intensity" not in filled


def test_a_figure_goes_back_to_the_yearbooks_cells(yearbook):
    answer = yearbook.ask("fusion", region="广东", draws=DRAWS)
    trace = answer.trace("value", table="obstacles", indicator="rd_intensity")
    origin = trace.paths[0].origins[0]
    assert (origin.dataset, origin.file, origin.values["year"]) == ("cn_st_yearbook", "RDIntense.rda", 2023)
    row = next(r for r in answer.tables["obstacles"].data.to_pylist() if r["indicator"] == "rd_intensity")
    assert row["value"] == pytest.approx(origin.values["value"])
    labs = answer.trace("value", table="obstacles", indicator="key_labs")
    assert any(o.table == "laboratory" for p in labs.paths for o in p.origins)
    assert answer.finding.headline.args["lagging"]["zh"] == "科技创新"


def test_every_question_is_answered_on_the_yearbook(yearbook):
    trend = yearbook.ask("convergence").tables["trend"].data.to_pylist()
    assert trend[-1]["mean"] > trend[0]["mean"]
    assert all(r["I"] > 0 for r in trend)
    scores = yearbook.ask("efficiency").tables["scores"].data.to_pylist()
    assert len(scores) == 31
    assert {"北京", "广东"} <= {r["name_zh"] for r in scores if r["ccr"] > 1 - 1e-9}
    years = yearbook.ask("compare", region="北京", other="西藏", draws=DRAWS).tables["years"].data.to_pylist()
    assert all(r["verdict"] == "compare.verdict.first" for r in years)
