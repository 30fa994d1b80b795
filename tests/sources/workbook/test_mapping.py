import tomllib
from pathlib import Path

import pytest

from ronghe.errors import MappingError
from ronghe.i18n import catalogue
from ronghe.sources.workbook import mapping_hash, read_mapping

FIRMS = '[columns]\norg_id = "代码"\nname = "名称"\n'


def test_hash_knows_meaning_not_layout() -> None:
    one = read_mapping(
        'table = "organisation"\n[columns]\norg_id = "代码"\nname = {from = "名称", map = {a = "b", c = "d"}}'
    )
    two = read_mapping(
        '[columns]\n# 注\nname = {map = {c = "d", a = "b"}, from = "名称"}\norg_id = {from="代码"}', "organisation"
    )
    other = read_mapping(FIRMS, "organisation")
    assert mapping_hash(one) == mapping_hash(two)
    assert mapping_hash(one) != mapping_hash(other)
    assert mapping_hash(one, {}) == mapping_hash(one) != mapping_hash(one, {("", 1, "a", ""): "b"})


@pytest.mark.parametrize(
    ("toml", "code", "first"),
    [
        ("[sourc]\n" + FIRMS, "mapping_key", "source"),
        (FIRMS + "[source]\nheader_row = [1]", "mapping_key", "header_rows"),
        (FIRMS + 'revenu = "收入"', "mapping_column", "revenue"),
        (FIRMS + 'revenue = {form = "收入"}', "mapping_key", "from"),
        (FIRMS + 'revenue = {from = "收入", unit = "万圆"}', "mapping_unit", None),
        (FIRMS + 'revenue = {from = "收入", value = 3}', "mapping_value", None),
        (FIRMS + "[source]\nheader_rows = [1, 3]", "mapping_value", None),
        (FIRMS + "[source]\ndelimiter = ', '", "mapping_value", None),
        ('[columns]\nname = "名称"', "mapping_required", None),
        ("[columns", "mapping_toml", None),
        ("columns = 3", "mapping_value", None),
        ('[columns]\nregion = "省"\nindicator = {value="x"}\n[melt]\npattern = "("', "mapping_value", None),
        (
            '[columns]\nregion = "省"\nindicator = {value="x"}\n[melt]\ninto = "yaer"\npattern = ".+"',
            "mapping_column",
            None,
        ),
    ],
)
def test_faults_name_themselves(toml: str, code: str, first: str | None) -> None:
    table = "indicator" if "melt" in toml else "organisation"
    with pytest.raises(MappingError) as caught:
        read_mapping(toml, table)
    assert caught.value.code == code
    assert first is None or caught.value.known[0] == first
    assert caught.value.say("zh") != caught.value.say("en")


def test_table_is_needed_and_must_agree() -> None:
    with pytest.raises(MappingError) as caught:
        read_mapping(FIRMS)
    assert caught.value.code == "mapping_no_table"
    with pytest.raises(MappingError) as caught:
        read_mapping('table = "organisaton"\n' + FIRMS)
    assert caught.value.known[0] == "organisation"
    with pytest.raises(MappingError) as caught:
        read_mapping('table = "work"\n' + FIRMS, "organisation")
    assert caught.value.code == "mapping_table_differs"


def test_a_column_is_not_mapped_twice() -> None:
    with pytest.raises(MappingError) as caught:
        read_mapping(
            '[columns]\nregion = "省"\nyear = "年"\nindicator = "i"\n[melt]\ninto = "year"\npattern = "2.*"',
            "indicator",
        )
    assert caught.value.code == "mapping_value"


def test_every_sentence_says_the_same_things() -> None:
    folder = Path(__file__).parents[3] / "src/ronghe/locales"
    zh, en = (tomllib.loads((folder / lang / "source_workbook.toml").read_text("utf-8")) for lang in ("zh", "en"))
    assert {k: set(v) for k, v in zh.items()} == {k: set(v) for k, v in en.items()}
    assert {k: set(v) for k, v in zh["error"].items()} == {k: set(v) for k, v in en["error"].items()}
    assert catalogue("zh")["reject.ragged"]


def test_the_guide_shows_only_mappings_that_work() -> None:
    guide = (Path(__file__).parents[3] / "docs/guide/mapping.md").read_text("utf-8")
    blocks = [part.split("```")[0] for part in guide.split("```toml\n")[1:]]
    whole = [block for block in blocks if block.startswith("table =")]
    assert len(whole) >= 4
    for block in whole:
        assert mapping_hash(read_mapping(block))
