"""Collaboration and breakthroughs: who works with whom, who is missing, signs and what chance gives; bad works."""

import numpy as np
import pytest

from ronghe.errors import AskError, NoData
from ronghe.lenses.frontier.breakthrough_load import patent_signs
from tests.lenses.frontier.frontier_toys import author, brain_with, check, keys, patent, project, science, work


def _rows(answer, table):
    return answer.tables[table].data.to_pylist()


def _two_circles():
    """Two circles of four that work together every year, and one bridge; the second has no firm."""
    circles = [
        [("a1", "education"), ("a2", "company"), ("a3", "facility"), ("a4", "education")],
        [("b1", "education"), ("b2", "education"), ("b3", "facility"), ("b4", "education")],
    ]
    works, authors, number = [], [], 0
    for year in range(2010, 2022):
        for circle in circles:
            for k in range(4):
                works.append(work(number, year))
                for place, (org, kind) in enumerate((circle[k], circle[(k + 1 + year % 2) % 4]), start=1):
                    authors.append(author(number, place, "CHN", f"o:{org}", kind))
                number += 1
        works.append(work(number, year))
        authors += [author(number, 1, "CHN", "o:a1"), author(number, 2, "CHN", "o:b1")]
        number += 1
    return {"work": works, "authorship": authors}


@pytest.fixture(scope="module")
def circles(tmp_path_factory):
    return brain_with(tmp_path_factory.mktemp("circles"), _two_circles())


def test_communities_brokers_and_the_missing_side(circles):
    answer = circles.ask("collaboration")
    partners = {r["partner"]: r for r in _rows(answer, "partners")}
    groups = {}
    for name, row in partners.items():
        groups.setdefault(row["community"], set()).add(name[2])
    assert sorted(map(sorted, groups.values())) == [["a"], ["b"]]
    # Every path between the circles runs through the two that know each other.
    between = sorted(partners, key=lambda p: -partners[p]["betweenness"])
    assert set(between[:2]) == {"o:a1", "o:b1"}
    missing = {r["lead_en"].split(";")[0][2]: r["missing_en"] for r in _rows(answer, "communities")}
    assert missing["a"] is None
    assert missing["b"] == "firms"
    check(circles, answer)


def test_joint_work_is_shared_and_salton_is_a_cosine(circles):
    pairs = {(r["partner_a"], r["partner_b"]): r for r in _rows(circles.ask("collaboration"), "pairs")}
    bridge = pairs["o:a1", "o:b1"]
    assert (bridge["joint"], bridge["together"]) == (12.0, 12)
    full = {"a1": 12 * 2 + 12, "b1": 12 * 2 + 12}
    assert bridge["salton"] == pytest.approx(12 / np.sqrt(full["a1"] * full["b1"]))
    assert all(0 < r["salton"] <= 1 for r in pairs.values())


def test_suggestions_are_untied_of_different_sides_and_tested(circles, tmp_path):
    answer = circles.ask("collaboration")
    tied = {(r["partner_a"], r["partner_b"]) for r in _rows(answer, "links")}
    for row in _rows(answer, "suggested"):
        assert (row["partner_a"], row["partner_b"]) not in tied
        assert row["a_kind"] != row["b_kind"]
    assert "collaboration.untested" in keys(answer)
    other = brain_with(tmp_path, science()).ask("collaboration")
    if "test" in other.tables:
        methods = {r["link_method"]: r for r in _rows(other, "test")}
        assert "preferential_attachment" in methods
        assert methods["preferential_attachment"]["beats"] == "no"


def test_the_helix_counts_each_work_once(circles):
    rows = {r["sides_code"]: r for r in _rows(circles.ask("collaboration"), "helix")}
    assert sum(r["events"] for code, r in rows.items() if code != "all") == rows["all"]["events"] == 12 * 9
    assert rows["111"]["events"] == 0


def test_a_list_of_three_thousand_is_left_out_and_counted(tmp_path):
    tables = _two_circles()
    tables["work"].append(work("big", 2020))
    tables["authorship"] += [author("big", k, "USA", f"o:z{k}") for k in range(1, 3001)]
    tables["authorship"] += [author(k, 3, None) for k in range(90)]
    answer = brain_with(tmp_path, tables).ask("collaboration")
    said = next(c.text.args for c in answer.finding.caveats if c.text.key == "collaboration.what.works")
    assert said["left"] == 1
    assert all(not r["partner"].startswith("o:z") for r in _rows(answer, "partners"))
    assert "collaboration.unnamed" in keys(answer)


def test_projects_and_countries_are_networks_too(tmp_path):
    parts = [
        {"programme": "H2020", "project_id": f"cordis:{k}", "org_id": f"cordis:{o}", "number": n, "name": f"ORG {o}",
         "role": "participant", "activity": ("HES", "PRC", "REC")[o % 3], "country": "DEU"}
        for k in range(40) for n, o in enumerate({k % 7, (k * 3 + 1) % 7, (k + 2) % 7})
    ]  # fmt: skip
    years = [
        {"region": a, "partner": b, "year": y, "works": float(5 + 3 * (y - 2010) * (a < "D") + 40 * (b == "USA"))}
        for y in range(2010, 2021)
        for a, b in [("CHN", "USA"), ("CHN", "DEU"), ("DEU", "USA"), ("BRA", "CHN"), ("BRA", "USA"), ("CHN", "CHN"),
                     ("USA", "USA"), ("DEU", "DEU"), ("BRA", "BRA")]
    ]  # fmt: skip
    tables = {"participation": parts, "collaboration": years, "project": [project("cordis:1", "t", "H2020", None)]}
    brain = brain_with(tmp_path, tables)
    for source in ("projects", "countries"):
        answer = brain.ask("collaboration", source=source)
        assert answer.tables["pairs"].data.num_rows
        check(brain, answer)
    china = {(r["partner_a"], r["partner_b"]): r["joint"] for r in _rows(answer, "pairs")}
    assert china["CHN", "USA"] == sum(5 + 3 * (y - 2010) + 40 for y in range(2016, 2021))


def test_collaboration_refuses_what_has_no_ties(tmp_path, circles):
    alone = {"work": [work(1, 2020)], "authorship": [author(1, 1, "CHN", "o:a")]}
    with pytest.raises(AskError) as caught:
        brain_with(tmp_path, alone).ask("collaboration")
    assert caught.value.code == "collaboration_none"
    with pytest.raises(NoData):
        circles.ask("collaboration", source="countries")
    with pytest.raises(AskError):
        circles.ask("collaboration", show=0)


def _disruptive():
    """W100 is cited by ten that forget its references; W200 by ten that cite them too."""
    works = [work(k, 2000, "T10399") for k in range(4)]
    works += [work(100, 2005, cited_by=50), work(200, 2005, cited_by=50)]
    cites = [{"citing": f"W{w}", "cited": f"W{r}"} for w, refs in ((100, (0, 1)), (200, (2, 3))) for r in refs]
    for k in range(10):
        works += [work(1000 + k, 2007), work(2000 + k, 2007)]
        cites.append({"citing": f"W{1000 + k}", "cited": "W100"})
        cites += [{"citing": f"W{2000 + k}", "cited": f"W{r}"} for r in (200, 2, 3)]
    works += [work(3000 + k, 2008 + k % 8, "T20001", cited_by=k % 9) for k in range(60)]
    return {"work": works, "citation": cites}


def test_disruption_is_a_sign_and_its_opposite_is_not(tmp_path):
    brain = brain_with(tmp_path, _disruptive())
    answer = brain.ask("breakthroughs")
    works = {r["work_id"]: r for r in _rows(answer, "works")}
    assert works["W100"]["cd"] == pytest.approx(1.0)
    assert "disruptive" in works["W100"]["why_en"]
    assert "W200" not in works or works["W200"]["cd"] == pytest.approx(-1.0)
    trace = answer.trace("cd", table="works", work_id="W100")
    assert {p.names["en"]: p.value for p in trace.paths} == {"cite this work alone": 10.0}
    coverage = {r["sign"]: r for r in _rows(answer, "coverage")}
    assert coverage["cd"]["judged"] == 2  # works without references, or young, are not judged
    assert "breakthroughs.inside" in keys(answer)
    check(brain, answer)


def test_chance_is_counted_and_signs_of_attention_are_one_kind(tmp_path):
    answer = brain_with(tmp_path, science()).ask("breakthroughs", field="ai")
    rows = _rows(answer, "chance")
    assert [r["signs_least"] for r in rows] == ["1", "2", "3"]
    assert all(r["expected_signs"] >= 0 for r in rows)
    assert {"breakthroughs.chance_beats", "breakthroughs.chance_same"} & keys(answer)


def test_patents_stand_out_by_science_breadth_and_claims():
    rows = [{**patent(f"US{k}"), "claims": k, "classes": ["H01L 21/00"]} for k in range(20)]
    rows[3]["classes"] = ["H01L 21/00", "G06N 3/04", "A61B 5/00"]
    cites = [{"citing": "US7", "kind": "literature", "cited": None}] * 9 + [
        {"citing": "US1", "kind": "patent", "cited": "US2"}
    ]
    made = {r["patent_id"]: r for r in patent_signs(rows, cites)}
    assert made["US7"]["top_science"]
    assert made["US3"]["top_breadth"]
    assert made["US19"]["top_claims"]
    assert made["US2"]["top_cited_patents"]
    assert made["US0"]["signs"] == 0


def test_impossible_citations_and_thin_works_are_said(tmp_path):
    tables = _disruptive()
    tables["work"] += [work(9001, None), work(9002, 2006, cited_by=None), work(9003, 2006, references=None)]
    tables["citation"] += [
        {"citing": "W100", "cited": "W100"}, {"citing": "W0", "cited": "W100"}, {"citing": "W9002", "cited": "W9003"},
        {"citing": "W9003", "cited": "W9002"}, {"citing": "W9001", "cited": "W0"},
    ]  # fmt: skip
    answer = brain_with(tmp_path, tables).ask("breakthroughs")
    said = next(c.text.args for c in answer.finding.caveats if c.text.key == "breakthroughs.dropped")
    assert (said["self"], said["future"], said["cyclic"], said["unusable"]) == (1, 1, 2, 1)
    with pytest.raises(NoData):
        brain_with(tmp_path / "none", {"topic": [{"topic": "T1", "name_en": "x"}]}).ask("breakthroughs")
