"""Help and the errors of a command line: each command and parameter has its words in both languages."""

import sys

import pytest
import typer

from ronghe.cli.main import build, main
from ronghe.cli.words import ROOT, key_of, speak
from ronghe.i18n import LANGUAGES, catalogue, has

CJK = range(0x4E00, 0x9FFF)


def _keys(command, path=ROOT):
    yield key_of(path)
    for param in command.params:
        yield key_of(path, param.name)
    for name, below in getattr(command, "commands", {}).items():
        yield from _keys(below, name if path == ROOT else f"{path}.{name}")


def _helps(command):
    yield command.help
    yield from (param.help for param in command.params if param.name != "help")
    for below in getattr(command, "commands", {}).values():
        yield from _helps(below)


def test_every_command_and_parameter_has_help_and_every_help_its_place():
    keys = set(_keys(typer.main.get_command(build())))
    assert len(keys) > 80
    assert [key for key in sorted(keys) if not has(key)] == []
    said = {key for key in catalogue("en") if key.startswith("help.")}
    assert {key for key in said - keys if not key.startswith(("help.words.", "help.kind.", "help.any.help"))} == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_help_is_in_one_language(lang):
    command = typer.main.get_command(build())
    speak(command, lang)
    chinese = [text for text in _helps(command) if any(ord(c) in CJK for c in text)]
    told = list(_helps(command))
    if lang == "zh":
        assert [text for text in told if text not in chinese] == []
    else:
        # The name itself, and the language's own name for who looks for it.
        assert len(chinese) == 2


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RONGHE_LANG", raising=False)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["ronghe", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return call


def test_help_says_its_headings_and_marks_in_chinese(run):
    code, out, _ = run("ingest", "--help", "--lang", "zh")
    assert code == 0
    assert out.startswith("用法：ronghe ingest [选项]")
    assert "参数：" in out
    assert "[必填]" in out
    code, out, _ = run("--lang", "zh", "quarantine", "--help")
    assert "[默认：50]" in out
    assert "显示本说明" in out
    code, out, _ = run("--lang", "zh", "ask", "structure", "--help")
    assert "选项：" in out
    assert not any(word in out for word in ("Usage", "Options", "Show this", "default"))
    code, out, _ = run("quarantine", "--help")
    assert "[default: 50]" in out
    code, _, err = run("--lang", "zh", "field")
    assert (code, "核查领域界定" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (("ingst",), "`ronghe` 没有命令 ingst。\n可用的值：ingest", "`ronghe` has no command ingst.\nKnown: ingest"),
        (("field", "chek"), "`ronghe field` 没有命令 chek。\n可用的值：check", "`ronghe field` has no command chek."),
        (("ingest", "--guss", "x"), "`ronghe ingest` 没有选项 --guss。\n可用的值：--guess", "has no option --guss."),
        (("ask", "structure", "--tabel", "x"), "`ronghe ask structure` 没有选项 --tabel。\n可用的值：--table",
         "`ronghe ask structure` has no option --tabel."),
        (("ingest",), "`ronghe ingest` 缺少 names（数据集名称", "`ronghe ingest` needs names (datasets;"),
        (("quarantine", "--rows", "many"), "参数 --rows 不能为 many，应为：整数。",
         "--rows can't be many: expected a whole number."),
        (("report", "x", "--to", "y.docx", "--rows", "0"), "参数 --rows 不能为 0，应为：不小于1。",
         "--rows can't be 0: expected 1 or more."),
        (("ingest", "x", "--as"), "选项 --as 后须有取值。", "The option --as needs a value."),
        (("versions", "x"), "无法读懂这条命令", "The command line can't be read"),
    ],
)  # fmt: skip
def test_a_command_line_that_makes_no_sense_is_one_clear_error(run, words, zh, en):
    for lang, said in (("zh", zh), ("en", en)):
        code, out, err = run("--lang", lang, *words)
        assert (code, out) == (2, "")
        assert said in err
        assert "--help" in err or "请更正" in err or "Correct the value" in err


def test_a_lake_that_holds_nothing_says_what_to_do(run, tmp_path):
    for lang, said in (
        ("zh", "nowhere 中还没有数据：用 `ronghe demo`"),
        ("en", "nowhere holds nothing yet: `ronghe demo`"),
    ):
        for words in (("tables",), ("versions",)):
            code, out, _ = run("--lang", lang, "--lake", "nowhere", *words)
            assert code == 0
            assert said in out
    code, _, err = run("--lang", "zh", "--lake", "nowhere", "ask", "structure")
    assert (code, "湖中没有回答此问题所需的数据：投入产出表" in err) == (2, True)
    assert "ronghe ingest" in err
    code, _, err = run("--lang", "zh", "--lake", "nowhere", "ask", "scenario")
    assert (code, err.startswith("缺少参数 shock（")) == (2, True)
    assert run("--lang", "zh", "--lake", "nowhere", "quarantine")[1] == "没有被隔离的记录。\n"
    assert not (tmp_path / "nowhere").exists()


def test_what_can_be_seen_on_the_command_line_is_said_before_the_lake_is_asked(run):
    code, _, err = run("--lang", "zh", "export", "structure", "--to", "x.foo")
    assert (code, "foo" in err) == (2, True)
    code, _, err = run("report", "structure", "--to", "x.foo")
    assert (code, "foo" in err) == (2, True)
    code, _, err = run("--lang", "zh", "export", "structure", "--to", "x.xlsx", "--param", "table")
    assert (code, "参数 --param 不能为 table，应为：名称=值。" in err) == (2, True)


def test_a_setting_that_is_no_number_says_so_in_the_readers_language(run, monkeypatch):
    monkeypatch.setenv("RONGHE_PORT", "abc")
    code, _, err = run("--lang", "zh", "tables")
    assert (code, "port 的值 abc 不合适，应为 整数" in err) == (2, True)
