"""The real records: what the frontier's lenses find in them, and what others found before."""

import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.fielding.reading import FRONTIER, read_field
from ronghe.intake import ingest_reference
from ronghe.lake.ingest import Terms
from ronghe.lake.lake import raw_file
from ronghe.plugins import get_source
from tests.lenses.frontier.frontier_toys import check, keys

pytestmark = pytest.mark.mirror
FILES = {
    "openalex_works": ("works.jsonl.gz",),
    "trade_complexity": ("data/world_trade_avg_1998_to_2000.rda", "data/economiccomplexity_output.rda"),
    "technology_progress": ("*",),
    "epoch_ai_models": ("*",),
    "openalex_topics": ("*",),
}


@pytest.fixture(scope="module")
def real(mirror, tmp_path_factory):
    brain = Brain(Config(lake=str(tmp_path_factory.mktemp("frontier") / "lake")))
    ingest_reference(brain)
    for dataset, names in FILES.items():
        source = get_source(dataset)
        for name in names:
            for path in sorted((mirror / dataset).rglob(name) if name == "*" else [mirror / dataset / name]):
                raw = raw_file(path, dataset) if path.is_file() else None
                if raw is not None and source.accepts(raw):
                    brain.lake.ingest(source, raw, terms=Terms(licence="open"))
    return brain


def _rows(answer, table):
    return answer.tables[table].data.to_pylist()


def test_every_topic_of_the_five_fields_is_in_the_list_under_its_name(real):
    rules = _rows(real.ask("field_check"), "rules")
    topics = [r for r in rules if r["rule_kind"] == "topic"]
    assert len(topics) == sum(len(read_field(name).topics) for name in FRONTIER)
    assert [r["rule"] for r in topics if r["rule_state"] in {"unknown", "renamed"}] == []


def test_fitness_agrees_with_the_published_one(real):
    answer = real.ask("opportunities", region="CHN")
    said = next(c.text.args for c in answer.finding.caveats if c.text.key == "opportunities.published")
    assert said["rho"] > 0.99
    assert "opportunities.check_wins" in keys(answer)
    assert {"opportunities.old", "opportunities.dropped"} <= keys(answer)


def test_transistors_double_every_two_years_and_training_twice_a_year(real):
    rows = {r["technology_series"]: r for r in _rows(real.ask("diffusion"), "summary")}
    assert rows["transistors"]["doubling"] == pytest.approx(2.0, abs=0.1)
    assert rows["transistors"]["error"] < rows["transistors"]["error_naive"]
    late = {r["technology_series"]: r for r in _rows(real.ask("diffusion", since=2010), "summary")}
    assert 0.4 < late["ai_compute"]["doubling"] < 0.7


def test_the_sample_of_works_is_called_what_it_is(real):
    answer = real.ask("frontier", field="geoenergy", region="SAU")
    assert {"frontier.narrow", "frontier.cd", "frontier.test_loses"} <= keys(answer)
    assert _rows(answer, "works")[0]["place"] == "SAU"
    check(real, answer, traced=6)
    shares = real.ask("allocation", region="SAU")
    assert {"allocation.proxy", "allocation.omega_from"} <= keys(shares)


def test_partners_of_the_sample_and_their_test(real):
    answer = real.ask("collaboration")
    first = _rows(answer, "pairs")[0]
    assert {first["a_country"], first["b_country"]} == {"SAU"}
    assert {first["a_kind"], first["b_kind"]} == {"university", "firm"}
    methods = {r["link_method"]: r for r in _rows(answer, "test")}
    assert methods["weighted_allocation"]["auc"] > methods["preferential_attachment"]["auc"]
    assert {"collaboration.slight", "collaboration.rare"} <= keys(answer)
