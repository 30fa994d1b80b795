"""Collaboration, counts, migration, AI models, technology series, H2020, trade: small files in their layouts."""

import datetime as dt
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ronghe.errors import SourceError
from ronghe.sources import trade_complexity
from ronghe.sources.base import Source
from ronghe.sources.cordis_h2020 import CordisH2020
from ronghe.sources.country_collaboration import CountryCollaboration
from ronghe.sources.epoch_ai_models import EpochAiModels
from ronghe.sources.openalex_ai_counts import OpenAlexAiCounts
from ronghe.sources.scholarly_migration import ScholarlyMigration
from ronghe.sources.technology_progress import TechnologyProgress
from ronghe.sources.trade_complexity import TradeComplexity

from .raw import Parsed, raw_at, raw_file

NET = """\ufeff% made by hand
*vertices 4
1 "CN"
2 "US"
3 "QQ"
4 "EL"
*arcs
1 1 50
1 2 7
2 1 7
2 2 60
1 3 1
2 1
1 2 many

"""


def zipped(tmp_path: Path, members: dict[str, str]) -> Path:
    path = tmp_path / "years.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in members.items():
            packed.writestr(name, text)
    return path


def test_each_pair_once(tmp_path: Path) -> None:
    members = {
        "Co1999.net": NET,
        "Co1999G.clu": "x",
        "CoComplete.net": NET,
        "Co2000.net": NET.replace("2 1 7", "2 1 8"),
    }
    found = Parsed(CountryCollaboration(), raw_at(zipped(tmp_path, members), "years.zip"))
    rows = [(r["region"], r["partner"], r["year"], r["works"], r["_row"]) for r in found.rows("collaboration")]
    assert rows[:3] == [("CHN", "CHN", 1999, 50.0, 8), ("CHN", "USA", 1999, 7.0, 9), ("USA", "USA", 1999, 60.0, 11)]
    assert len(rows) == 6
    assert found.reasons() == {"header": 14, "mirrored": 1, "blank": 2}
    assert [(r.row, r.reason) for r in found.rejected] == [
        (12, "unknown_region"), (13, "type"), (14, "type"),
        (10, "not_symmetric"), (12, "unknown_region"), (13, "type"), (14, "type"),
    ]  # fmt: skip


def test_no_networks(tmp_path: Path) -> None:
    for raw in (
        raw_file(tmp_path, "a.zip", b""),
        raw_file(tmp_path, "b.zip", b"PK no zip"),
        raw_at(zipped(tmp_path, {"x.clu": "1"}), "years.zip"),
    ):
        with pytest.raises(SourceError):
            Parsed(CountryCollaboration(), raw)
    with pytest.raises(SourceError, match="vertices"):
        Parsed(CountryCollaboration(), raw_at(zipped(tmp_path, {"Co1999.net": "1 2 3"}), "years.zip"))


def test_ai_counts(tmp_path: Path) -> None:
    text = (
        "year,country_code,count\n2010,https://openalex.org/countries/CN,5\n2010,https://openalex.org/countries/NA,1\n"
    )
    text += "2010,https://openalex.org/countries/QQ,1\n,https://openalex.org/countries/CN,1\n"
    found = Parsed(OpenAlexAiCounts(), raw_file(tmp_path, "data/raw/ai_publication_counts.csv", text))
    assert found.balance == (5, 3, 0, 2)
    assert [(r["region"], r["indicator"], r["value"]) for r in found.rows("indicator")] == [
        ("CHN", "ai_publications", 5.0),
        ("NAM", "ai_publications", 1.0),
    ]


def test_scholars_without_a_country_are_not_namibians(tmp_path: Path) -> None:
    text = "migrationfrom,migrationto,year,n_migrations,n_migrations_back,netmigrations\n"
    text += "NA,CN,2003.0,3,1,2\nnan,CN,2003.0,9,1,8\nCN,,2003.0,9,1,8\nCN,US,2003.5,1,1,0\nCN,US,2003.0,,1,0\n"
    found = Parsed(ScholarlyMigration(), raw_file(tmp_path, "x_countryflows.csv", text))
    assert found.balance == (5, 1, 2, 2)
    (flow,) = found.rows("mobility")
    assert (flow["origin"], flow["destination"], flow["year"], flow["people"]) == ("NAM", "CHN", 2003, 3.0)
    head = "year,countrycode,padded_population_of_researchers,number_of_inmigrations,number_of_outmigrations,"
    text = head + "inmigrationrate,outmigrationrate,netmigrationrate\n2022.0,CN,0,5,4,,,\n2022.0,nan,1,1,1,,,\n"
    found = Parsed(ScholarlyMigration(), raw_file(tmp_path, "x_country.csv", text))
    assert found.balance == (3, 2, 1, 0)
    assert [r["value"] for r in found.rows("indicator")] == [0.0, 5.0, 4.0, None, None, None]


def test_models_of_several_organisations(tmp_path: Path) -> None:
    columns = [
        "Model", "Domain", "Organization", "Organization categorization", "Country (from Organization)",
        "Publication date", "Reference", "Link", "Citations", "Parameters", "Training compute (FLOP)",
        "Training dataset size (datapoints)", "Training time (hours)", "Training hardware", "Hardware quantity",
        "Training compute cost (2023 USD)", "Confidence", "Model accessibility", "Frontier model",
        "Training power draw (W)", "Training compute estimation method",
    ]  # fmt: skip
    frame = pd.DataFrame("", index=range(4), columns=columns)
    frame["Model"] = ["A", "B", "C", ""]
    frame["Organization"] = ["Lab, Inc,Uni", "", "", ""]
    frame["Country (from Organization)"] = ["China,Multinational,China", "", "Atlantis", ""]
    frame["Publication date"] = ["2020-07-01", "2020-13-01", "2020-01-01", "2020-01-01"]
    frame["Training compute (FLOP)"] = ["1e+20", "", "", ""]
    frame["Citations"] = ["12.0", "", "", ""]
    found = Parsed(EpochAiModels(), raw_file(tmp_path, "data/notable_ai_models_1.csv", frame.to_csv(index=False)))
    assert [(r.column, r.reason) for r in found.rejected] == [
        ("date", "time"), ("countries", "unknown_region"), ("model", "null"),
    ]  # fmt: skip
    (model,) = found.rows("ai_model")
    assert (model["organisations"], model["countries"], model["multinational"]) == (["Lab, Inc", "Uni"], ["CHN"], True)
    assert (model["date"], model["compute"], model["citations"], model["frontier"]) == (
        dt.date(2020, 7, 1), 1e20, 12, False,
    )  # fmt: skip


def test_the_price_of_computing(tmp_path: Path) -> None:
    text = "Day,GFLOPCost,Entity\n2020-07-01,0.5,Chip\n,1,Chip\n"
    found = Parsed(EpochAiModels(), raw_file(tmp_path, "dollars_per_compute.csv", text))
    assert found.balance == (2, 1, 0, 1)
    (price,) = found.rows("technology_series")
    assert price["moment"] == pytest.approx(2020 + 182 / 366)


def test_technology_series(tmp_path: Path) -> None:
    text = "name,year,pixels,cycle_time\nA,2000,120e6,60\n#B,2001,1,1\nC,2002,1,\nD,soon,1,1\n"
    found = Parsed(TechnologyProgress(), raw_file(tmp_path, "data/x/telescope-pixel-counts.csv", text))
    assert found.balance == (4, 1, 1, 2)
    (row,) = found.rows("technology_series")
    assert (row["series"], row["value"], row["kind"], row["number"]) == ("telescope_optical", 2e6, "performance", 1)
    text = "year,usd_per_mb,make,model\n2000.34,0.007,M,X\n"
    (row,) = Parsed(TechnologyProgress(), raw_file(tmp_path, "disk-drive-price.csv", text)).rows("technology_series")
    assert (row["moment"], row["year"], row["kind"], row["unit"]) == (2000.34, 2000, "cost", "usd_per_mb")


def test_participations(tmp_path: Path) -> None:
    head = (
        "projectID,projectAcronym,organisationID,name,shortName,SME,activityType,city,country,geolocation,"
        "organizationURL,order,role,ecContribution,netEcContribution,totalCost,endOfParticipation\n"
    )
    lines = (
        '1,P,9,UNIVERSITY,UNI,False,HES,Athens,EL,"38.0,23.7",,1,coordinator,100.5,90,"125113,75",False\n'
        '1,P,9,UNIVERSITY,UNI,,HES,Athens,EL,"38.0,23.7",,2,thirdParty,,0,,True\n'
        "2,Q,8,FIRM,FIRM,True,PRC,London,UK,,,1,participant,x,0,,False\n"
        "2,Q,8,FIRM,FIRM,True,PRC,London,UK,,,1,boss,1,0,,False\n"
        "2,Q,8,FIRM,FIRM,True,PRC,London,ZZ,,,1,participant,1,0,,False\n"
    )
    found = Parsed(CordisH2020(), raw_file(tmp_path, "organization_union_of_3_snapshots.csv", head + lines))
    assert found.balance == (5, 2, 0, 3)
    first, second = found.rows("participation")
    assert (first["country"], first["total_cost"], first["contribution"]) == ("GRC", 125113.75, 100.5)
    assert (second["role"], second["contribution"], second["sme"], second["ended"]) == ("third_party", None, None, True)
    (one,) = found.rows("organisation")
    assert (one["org_id"], one["type"], one["acronyms"], one["latitude"]) == ("cordis:9", "education", ["UNI"], 38.0)
    text = "projectID,topic,title\n1,ERC-1,Starting Grant\n2,ERC-2,\n3,,x\n"
    found = Parsed(CordisH2020(), raw_file(tmp_path, "h2020_topics_out.csv", text))
    assert [(r["title"], r["programme"]) for r in found.rows("project")] == [
        ("Starting Grant", "H2020 ERC-1"),
        ("ERC-2", "H2020 ERC-2"),
    ]


def test_trade_keeps_leading_zeros_and_says_it_is_an_average(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"country": ["chn", "ant", "zzz"], "product": ["0011", "0012", "0011"], "value": [1.0, 2, 3]})
    monkeypatch.setattr(trade_complexity, "read_r", lambda raw: {"world_trade_avg_1998_to_2000": frame})
    found = Parsed(TradeComplexity(), raw_file(tmp_path, "data/world_trade_avg_1998_to_2000.rda", b"x"))
    assert found.balance == (3, 2, 0, 1)
    assert [(r["region"], r["product"], r["year"], r["years"], r["note"]) for r in found.rows("trade")] == [
        ("CHN", "0011", 1999, 3, "average of 1998 to 2000"),
        ("ANT", "0012", 1999, 3, "average of 1998 to 2000"),
    ]
    assert {r["unit"] for r in found.rows("trade")} == {"USD_per_flow"}
    gdp = pd.DataFrame({"country": ["chn", "ssa", "zzz"], "value": [1.0, 2, 3]})
    monkeypatch.setattr(trade_complexity, "read_r", lambda raw: {"world_gdp_avg_1998_to_2000": gdp})
    found = Parsed(TradeComplexity(), raw_file(tmp_path, "data/world_gdp_avg_1998_to_2000.rda", b"x"))
    assert found.balance == (3, 1, 1, 1)


@pytest.mark.parametrize("source", [CordisH2020, CountryCollaboration, EpochAiModels, OpenAlexAiCounts,
                                    ScholarlyMigration, TechnologyProgress, TradeComplexity])  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, source: type) -> None:
    one = source()
    raw = raw_file(tmp_path, "README.md", "# read me")
    assert isinstance(one, Source)
    assert not one.accepts(raw)
    with pytest.raises(SourceError):
        Parsed(one, raw)


MIRROR = [
    (CordisH2020, "organization_union_of_3_snapshots.csv", (5153, 5153, 0, 0)),
    (CordisH2020, "h2020_topics_out.csv", (35396, 35396, 0, 0)),
    (CountryCollaboration, "WrldCo_years.zip", (546933, 273016, 273911, 6)),
    (EpochAiModels, "data/notable_ai_models_24_02_2025.csv", (895, 895, 0, 0)),
    (EpochAiModels, "data/dollars_per_compute.csv", (38, 38, 0, 0)),
    (OpenAlexAiCounts, "data/raw/ai_publication_counts.csv", (2160, 2160, 0, 0)),
    (ScholarlyMigration, "openalex_2023_V1_scholarlymigration_countryflows.csv", (157212, 143078, 14134, 0)),
    (ScholarlyMigration, "openalex_2023_V1_scholarlymigration_country.csv", (5249, 5221, 28, 0)),
    (TechnologyProgress, "data/disk-drive-price/disk-drive-price.csv", (115, 115, 0, 0)),
    (TechnologyProgress, "data/transistor-counts/transistor-counts.csv", (103, 102, 1, 0)),
    (TradeComplexity, "data/world_trade_avg_1998_to_2000.rda", (124336, 124336, 0, 0)),
    (TradeComplexity, "data/world_gdp_avg_1998_to_2000.rda", (240, 195, 45, 0)),
    (TradeComplexity, "data/economiccomplexity_output.rda", (1011, 1011, 0, 0)),
]


@pytest.mark.mirror
@pytest.mark.parametrize(("source", "name", "balance"), MIRROR, ids=[name for _, name, _ in MIRROR])
def test_the_mirror_balances(mirror: Path, source: type, name: str, balance: tuple[int, int, int, int]) -> None:
    one = source()
    assert Parsed(one, raw_at(mirror / one.name / name, name)).balance == balance


@pytest.mark.mirror
def test_what_the_package_calls_complexity_is_fitness(mirror: Path) -> None:
    folder = mirror / "trade_complexity/data"
    parsed = [Parsed(TradeComplexity(), raw_at(folder / f"{n}.rda", f"data/{n}.rda"))
              for n in ("world_trade_avg_1998_to_2000", "economiccomplexity_output")]  # fmt: skip
    wide = parsed[0].table("trade").to_pandas().pivot_table(index="region", columns="product", values="value")
    X = wide.fillna(0).to_numpy()
    M = (X / X.sum(1, keepdims=True)) / (X.sum(0) / X.sum()) >= 1
    F, Q = np.ones(M.shape[0]), np.ones(M.shape[1])
    for _ in range(20):
        F, Q = M @ Q, 1 / (M.T @ (1 / F))
        F, Q = F / F.mean(), Q / Q.mean()
    published = (
        parsed[1].table("published_complexity").to_pandas().query("kind == 'country'").set_index("code")["value"]
    )
    assert np.corrcoef(F, published.loc[wide.index])[0, 1] > 0.999
