"""The commands as a user types them: answers, JSON to the byte, errors that teach, quarantine and back."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time

import pytest

from ronghe import __version__
from ronghe.cli.main import main
from ronghe.errors import LakeError
from ronghe.i18n import translate


@pytest.fixture
def lake(sandbox_lake, tmp_path, monkeypatch):
    shutil.copytree(sandbox_lake, tmp_path / "lake")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RONGHE_MIRROR", raising=False)
    return str(tmp_path / "lake")


@pytest.fixture
def run(lake, monkeypatch, capfdbinary):
    """Run a command in this process: (exit code, stdout, stderr)."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ronghe", "--lake", lake, *words])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def test_help_lists_commands_and_questions(run):
    code, out, _ = run("--help")
    assert code == 0
    assert {"ingest", "ask", "trace", "export", "serve", "quarantine"} <= set(re.findall(r"^  (\w+)", out, re.M))
    code, out, _ = run("ask", "--help")
    assert "structure" in out
    assert "How is an economy built?" in out


def test_version_is_the_programs_and_at_is_the_lakes(run):
    assert run("--version") == (0, f"ronghe {__version__}\n", "")
    first = json.loads(run("versions", "--json")[1])["versions"][0]["version"]
    assert json.loads(run("--at", str(first), "tables", "--json")[1])["snapshot"] == first
    code, _, err = run("--at", "9999", "tables")
    assert (code, "9999" in err, "ronghe versions" in err) == (3, True, True)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_ask_prints_the_answer_in_the_asked_language(run, brain, lang):
    code, out, _ = run("ask", "structure", "--table", "sandbox-2025-8", "--lang", lang)
    assert code == 0
    headline = translate(lang, brain.ask("structure", table="sandbox-2025-8").finding.headline)
    assert headline.split("：" if lang == "zh" else ":")[0] in out
    assert ("虚构数据" if lang == "zh" else "Invented data") in out


def test_json_is_the_answer_to_the_byte(run, brain):
    code, out, _ = run("ask", "chain", "--chain", "sandbox", "--json")
    assert code == 0
    assert out.encode() == brain.ask("chain", chain="sandbox").json


def test_a_figure_traces_from_the_command_line(run):
    _, out, _ = run("ask", "structure", "--table", "sandbox-2025-8", "--json")
    finding = json.loads(out)["id"]
    code, out, _ = run("trace", finding[:10], "backward_linkage", "sector=05")
    assert code == 0
    assert "io_cell.csv" in out
    assert "Miller & Blair" in out
    code, out, _ = run("trace", finding, "output", "4", "--json")
    assert json.loads(out)["origins"][0]["file"] == "io_cell.csv"
    code, _, err = run("trace", finding, "output", "05")
    assert code == 0
    code, _, err = run("trace", finding, "output", "five")
    assert (code, "five" in err, "sector=087" in err) == (2, True, True)
    code, _, err = run("trace", finding, "backward_linkag", "0")
    assert code == 2
    assert "backward_linkage" in err


def test_lists_in_text_and_json(run):
    for words in (("tables",), ("versions",), ("sources",), ("quarantine",), ("tables", "indicator")):
        code, out, _ = run(*words)
        assert code == 0, words
        assert out.strip()
        code, out, _ = run(*words, "--json")
        assert isinstance(json.loads(out), dict)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_errors_teach(run, lang):
    code, _, err = run("--lang", lang, "ask", "structur")
    assert code == 2
    assert "structure" in err
    code, _, err = run("--lang", lang, "ask", "structure")
    assert code == 2
    assert "sandbox-2025-8" in err
    code, _, err = run("--lang", lang, "ingest", "no_such_data")
    assert code == 2
    assert "eto_chips" in err
    code, _, err = run("--lang", lang, "ingest", "none.xlsx", "--as", "organisation")
    assert code == 2
    assert "none.xlsx" in err
    code, _, err = run("export", "structur", "--to", "s.xlsx", "--lang", lang)
    assert (code, "structure" in err.splitlines()[1]) == (2, True)
    code, _, err = run(
        "export", "structure", "--param", "table=sandbox-2025-8", "--to", "none/s.xlsx", f"--lang={lang}"
    )
    assert code == 3
    assert "none/s.xlsx" in err
    assert "Errno" not in err


def test_one_unknown_dataset_keeps_all_of_them_out(run):
    before = json.loads(run("versions", "--json")[1])
    code, _, err = run("ingest", "sandbox", "concordances", "eto_chip")
    assert code == 2
    assert "eto_chips" in err
    assert json.loads(run("versions", "--json")[1]) == before


def test_a_dataset_without_a_reader_says_so(run):
    listed = json.loads(run("sources", "--json")[1])["sources"]
    assert {s["from"] for s in listed if not s["readable"]} <= {"unread"}
    assert "mrio_format_samples" in [s["dataset"] for s in listed if not s["readable"]]
    code, _, err = run("ingest", "mrio_format_samples")
    assert code == 2
    assert "nothing that is installed reads its files" in err


def test_what_went_in_is_told_though_the_next_file_fails(run, tmp_path):
    (tmp_path / "firms.csv").write_text(FIRMS, encoding="utf-8")
    code, out, err = run("ingest", "firms.csv", "none.csv", "--as", "organisation")
    assert code == 2
    assert re.search(r"own\s+1\s+1\s+5\s+1\s+2\s+2\s+1", out), out
    assert "none.csv" in err


def test_a_disk_that_fills_up_halfway_leaves_what_went_in_told(run, monkeypatch):
    from ronghe import intake

    def files(brain, name, progress, hosts):
        yield from intake.ingest_reference(brain)
        raise LakeError("lake_full", where="here")

    monkeypatch.setattr(intake, "ingest_files", files)
    code, out, err = run("ingest", "eto_chips")
    assert code == 3
    assert re.search(r"reference\s+4\s+0", out), out
    assert "The disk is full" in err


def test_offline_the_host_of_many_files_is_asked_once_and_told_once(run, monkeypatch):
    asked, slept = [], []

    def getaddrinfo(host, *args, **more):
        asked.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "as told")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.delenv("RONGHE_MIRROR", raising=False)
    code, _, err = run("ingest", "eto_chips", "owid_co2")
    assert (code, asked, slept) == (1, ["raw.githubusercontent.com"], [])
    assert "✗ eto_chips/data/inputs.csv … (5 files)\n✗ owid_co2/owid-co2-data.csv\n" in err
    assert err.count("RONGHE_MIRROR") == 1


FIRMS = """企业名称,统一社会信用代码,所在省份,从业人员（人）,营业收入（亿元）,成立年份
甲公司,91440300AAA,广东省,1200,35.6,2008年
乙公司,91330000CCC,浙江,-5,1.0,2012
丙公司,91000000DDD,浙工省,80,0.3,2019
注：数据为企业填报
"""


def test_a_messy_workbook_in_its_faults_out_mended_and_back(run, tmp_path, lake):
    (tmp_path / "firms.csv").write_bytes(FIRMS.encode("gb18030"))
    code, out, _ = run("ingest", "firms.csv", "--as", "organisation", "--guess")
    assert code == 0
    assert (tmp_path / "firms.toml").exists()
    code, _, err = run("ingest", "firms.csv", "--as", "organisation", "--guess")
    assert code == 2
    assert "firms.toml" in err
    code, out, _ = run("--lang", "zh", "ingest", "firms.csv", "--as", "organisation", "--mapping", "firms.toml")
    assert re.search(r"own\s+1\s+1\s+5\s+1\s+2\s+2\s+1", out), out
    code, out, _ = run("--lang", "zh", "quarantine")
    assert "单元格列" in out
    assert re.search(r"浙工省 +没有这个地区 +已知的名称或代码；相近的有：浙江（CN-33）", out), out
    assert re.search(r"-5\.0 +超出允许范围 +不小于0", out), out
    assert "--repairs" in out
    code, out, _ = run("quarantine", "--rows", "1")
    assert "outside the allowed range   0 or more" in out
    assert "1 of 2 rows shown" in out
    run("--lang", "zh", "quarantine", "--export", "待更正.csv")
    assert "已知的名称或代码" in (tmp_path / "待更正.csv").read_text(encoding="utf-8-sig")
    code, out, _ = run("quarantine", "--export", "mend.csv")
    sheet = (tmp_path / "mend.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(sheet) == 3
    mended = [sheet[0], *(line + ("5" if "employees" in line else "浙江省") for line in sheet[1:])]
    (tmp_path / "mend.csv").write_text("\n".join(mended) + "\n", encoding="utf-8")
    code, out, err = run(
        "ingest", "firms.csv", "--as", "organisation", "--mapping", "firms.toml", "--repairs", "mend.csv"
    )
    assert code == 0, err
    assert re.search(r"own\s+1\s+1\s+5\s+3\s+0\s+2\s+5", out), out
    code, out, _ = run("quarantine", "--json")
    assert json.loads(out)["total"] == 0
    code, out, _ = run("tables", "organisation", "--json")
    rows = json.loads(out)
    names = [c["name"] for c in rows["columns"]]
    assert sorted(r[names.index("region")] for r in rows["rows"]) == ["CN-33", "CN-33", "CN-44"]
    assert sorted(r[names.index("employees")] for r in rows["rows"]) == [5.0, 80.0, 1200.0]


def test_without_data_the_demonstration_is_the_sandbox(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from ronghe.cli import main; main()",
            "--lake",
            "lake",
            "--offline",
            "demo",
            "--no-serve",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONUTF8": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Invented data") == 3


def test_a_guessed_mapping_drops_no_column_that_bears_its_name(run, tmp_path):
    text = "region,industry,indicator,year,value,unit\n44,ALL,gdp,2020,abc,CNY_10k\n11,ALL,gdp,2020,5,CNY_10k\n"
    (tmp_path / "panel.csv").write_text(text, encoding="utf-8")
    code, out, err = run("ingest", "panel.csv", "--as", "indicator")
    assert code == 0, err
    assert re.search(r"own\s+1\s+1\s+3\s+1\s+1\s+1\s+1", out), out
