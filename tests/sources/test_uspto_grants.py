"""USPTO grants: several documents in one file, two roots, both ways of naming inventors and citations."""

import datetime as dt
from pathlib import Path

import pytest

from ronghe.errors import SourceError
from ronghe.sources.base import Source
from ronghe.sources.uspto_grants import UsptoGrants, documents, ipc_symbol, patent_number

from .raw import Parsed, raw_at, raw_file

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE us-patent-grant SYSTEM "us.dtd" [ ]>\n'
OLD = (
    HEAD
    + """<us-patent-grant country="US">
<us-bibliographic-data-grant>
<publication-reference><document-id><country>US</country><doc-number>08000001</doc-number><kind>B2</kind>
<date>20120103</date></document-id></publication-reference>
<application-reference appl-type="utility"><document-id><country>US</country><doc-number>12000001</doc-number>
<date>20080200</date></document-id></application-reference>
<classifications-ipcr><classification-ipcr><section>H</section><class>01</class><subclass>L</subclass>
<main-group>21</main-group><subgroup>768</subgroup><symbol-position>F</symbol-position></classification-ipcr>
<classification-ipcr><section>H</section><class>01</class><subclass>L</subclass>
<main-group>21</main-group><subgroup>768</subgroup><symbol-position>L</symbol-position></classification-ipcr>
</classifications-ipcr>
<classification-national><country>US</country><main-classification>438 14</main-classification>
<further-classification>438 15</further-classification></classification-national>
<invention-title>Wires of <i>copper</i> &amp; G&ouml;ld</invention-title>
<references-cited>
<citation><patcit num="00001"><document-id><country>US</country><doc-number>D0351077</doc-number>
<date>19941000</date></document-id></patcit><category>cited by examiner</category></citation>
<citation><patcit num="00002"><document-id><country>DE</country><doc-number></doc-number></document-id></patcit>
<category>cited by third party</category></citation>
<citation><nplcit num="00003"><othercit>Lee, <i>Nature</i> 405 (2000), doi:10.1038/35012020.</othercit></nplcit>
<category>cited by other</category></citation>
</references-cited>
<number-of-claims>7</number-of-claims>
<parties><applicants><applicant sequence="001" app-type="applicant-inventor"><addressbook>
<last-name>Wang</last-name><first-name>Li</first-name><address><city>Wuhan</city><country>CN</country></address>
</addressbook></applicant></applicants></parties>
<assignees><assignee><addressbook><orgname>Light &amp;amp; Sons</orgname><address><country>XX</country></address>
</addressbook></assignee></assignees>
</us-bibliographic-data-grant>
<abstract id="a"><p>Short   text.</p></abstract>
</us-patent-grant>
"""
)
NEW = OLD.replace("08000001", "D0680087").replace('"utility"', '"design"').replace("citation>", "us-citation>")
NEW = NEW.replace(
    "</assignees>",
    "</assignees><inventors><inventor><addressbook><last-name>Chen</last-name></addressbook></inventor></inventors>",
)
SEQUENCE = '<?xml version="1.0"?>\n<sequence-cwu id="S"><number>1</number></sequence-cwu>\n'


def test_a_grant_with_inventors_among_the_applicants(tmp_path: Path) -> None:
    found = Parsed(UsptoGrants(), raw_file(tmp_path, "ipg.xml", OLD))
    assert found.balance == (1, 1, 0, 0)
    (patent,) = found.rows("patent")
    assert (patent["patent_id"], patent["type"], patent["date"], patent["claims"]) == (
        "US8000001",
        "utility",
        dt.date(2012, 1, 3),
        7,
    )
    assert (patent["title"], patent["abstract"]) == ("Wires of copper & Göld", "Short text.")
    assert (patent["application_date"], patent["country"]) == (dt.date(2008, 2, 1), "CHN")
    assert [(r["role"], r["number"], r["name"], r["kind"], r["country"]) for r in found.rows("patent_party")] == [
        ("assignee", 1, "Light & Sons", "organisation", None),
        ("applicant", 1, "Li Wang", "person", "CHN"),
        ("inventor", 1, "Li Wang", "person", "CHN"),
    ]
    assert [(r["scheme"], r["code"], r["number"], r["main"]) for r in found.rows("patent_class")] == [
        ("IPC", "H01L 21/768", 1, True),
        ("USPC", "438 14", 1, True),
        ("USPC", "438 15", 2, False),
    ]
    keys = ("number", "kind", "cited", "year", "category", "doi")
    assert [tuple(r[k] for k in keys) for r in found.rows("patent_citation")] == [
        (1, "patent", "USD351077", 1994, "examiner", None),
        (2, "patent", None, None, "third party", None),
        (3, "literature", None, 2000, "other", "10.1038/35012020"),
    ]
    assert found.rows("patent_citation")[2]["text"] == "Lee, Nature 405 (2000), doi:10.1038/35012020."


def test_documents_one_after_another_and_two_roots(tmp_path: Path) -> None:
    bare = OLD.removeprefix(HEAD).replace("08000001", "08000002").replace("&ouml;", "ö")
    broken = OLD.replace("08000001", "08000003").replace("</invention-title>", "")
    raw = raw_file(tmp_path, "ipg.xml", OLD.rstrip() + bare + SEQUENCE + NEW + broken + SEQUENCE)
    lines = [line for line, _ in documents(raw)]
    assert lines == sorted(lines)
    found = Parsed(UsptoGrants(), raw)
    assert found.balance == (6, 3, 2, 1)
    assert [r["patent_id"] for r in found.rows("patent")] == ["US8000001", "US8000002", "USD680087"]
    assert found.reasons() == {"not_a_grant": 2}
    assert [(r.reason, r.column) for r in found.rejected] == [("malformed_xml", "document")]
    parties = [r for r in found.rows("patent_party") if r["patent_id"] == "USD680087"]
    assert [(r["role"], r["name"]) for r in parties] == [
        ("assignee", "Light & Sons"),
        ("applicant", "Li Wang"),
        ("inventor", "Chen"),
    ]
    assert len([r for r in found.rows("patent_citation") if r["citing"] == "USD680087"]) == 3


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<doc-number>08000001</doc-number>", "", "null"),
        ("20120103", "2012-1-3", "time"),
        ("20120103", "20121345", "time"),
        ("20120103", "", "null"),
        (">7<", ">seven<", "type"),
        ('"utility"', '"magic"', "allowed"),
        ("us-bibliographic-data-grant>", "other>", "null"),
    ],
)
def test_a_grant_at_fault_is_rejected_whole(tmp_path: Path, old: str, new: str, reason: str) -> None:
    found = Parsed(UsptoGrants(), raw_file(tmp_path, "ipg.xml", OLD.replace(old, new)))
    assert found.balance == (1, 0, 0, 1)
    assert found.rejected[0].reason == reason
    assert not found.rows("patent_citation")


def test_a_file_cut_short_keeps_what_came_before(tmp_path: Path) -> None:
    found = Parsed(UsptoGrants(), raw_file(tmp_path, "ipg.xml", OLD + NEW[:700]))
    assert found.balance == (2, 1, 0, 1)


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "source_empty"), (b"  \n", "source_format"), (b"<?xml \xff?>", "source_format"),
                       (SEQUENCE.encode(), "source_format")]
)  # fmt: skip
def test_not_this_format(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        Parsed(UsptoGrants(), raw_file(tmp_path, "ipg.xml", data))
    assert caught.value.code == code


def test_entities_are_not_fetched_and_do_not_grow(tmp_path: Path) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><us-patent-grant>&x;'
    found = Parsed(UsptoGrants(), raw_file(tmp_path, "ipg.xml", bomb + "</us-patent-grant>"))
    assert found.balance == (1, 0, 0, 1)


def test_numbers_and_symbols() -> None:
    assert isinstance(UsptoGrants(), Source)
    assert patent_number("us ", " RE0041000 ") == "USRE41000"
    assert patent_number("EP", "0 123 456") == "EP123456"
    assert ipc_symbol("H01L 21768") == "H01L 21/768"
    assert ipc_symbol("H01L") == "H01L"


@pytest.mark.mirror
def test_the_mirror(mirror: Path) -> None:
    old, new = (
        Parsed(UsptoGrants(), raw_at(mirror / "uspto_grants" / f"{name}.small.xml", f"{name}.small.xml"))
        for name in ("ipg120103", "ipg130416")
    )
    assert old.balance == (25, 25, 0, 0)
    assert new.balance == (27, 25, 2, 0)
    assert (len(old.rows("patent_citation")), len(new.rows("patent_citation"))) == (1015, 1228)
    assert sum(r["kind"] == "literature" for r in new.rows("patent_citation")) == 308
    for found in (old, new):
        patents = {r["patent_id"] for r in found.rows("patent")}
        inventors = {r["patent_id"] for r in found.rows("patent_party") if r["role"] == "inventor"}
        assert patents == inventors
