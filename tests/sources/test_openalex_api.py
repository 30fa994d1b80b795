"""The OpenAlex client against a server that pages well, cuts, repeats, runs out of quota, wants a key."""

import datetime as dt
import email.utils
import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from ronghe.errors import Cancelled, FetchError
from ronghe.sources.openalex_api import STATE, Ask, Pace, Place, fetch_openalex
from ronghe.sources.openalex_institutions import OpenAlexInstitutions
from ronghe.sources.openalex_works import OpenAlexWorks

from .raw import Parsed, raw_at, raw_file

ASK = Ask(filter="publication_year:2024", per_page=2)
QUICK = Pace(connect=2.0, stall=0.5, delay=0.0, waits=(0.0, 0.0), longest=5.0, records_a_file=4)
WORKS = [{"id": f"https://openalex.org/W{n}", "title": f"题{n}"} for n in range(1, 8)]


@dataclass
class Api:
    """What the next answers do (``ok`` where no plan is left), and what was asked."""

    url: str = ""
    plans: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    state: Api

    def log_message(self, *args: object) -> None:
        return

    def _send(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlparse(self.path).query).items()}
        self.state.asked.append(query)
        plan = self.state.plans.pop(0) if self.state.plans else "ok"
        start = 0 if query["cursor"] == "*" else int(query["cursor"])
        size = int(query["per-page"])
        page = WORKS[start : start + size]
        following = str(start + size) if start + size <= len(WORKS) else None
        if plan == "repeat":
            page, following = WORKS[:size], "5"
        if plan == "short":
            following = None
        if plan == "stuck":
            page, following = [{"id": "x"}], query["cursor"]
        body = json.dumps({"meta": {"count": len(WORKS), "next_cursor": following}, "results": page}).encode()
        if plan.startswith("{"):
            body = plan.encode()
        if plan == "cut":
            self._send(200, body[: len(body) // 2], len(body))
        elif plan == "half":
            self._send(200, body[: len(body) // 2])
        elif plan == "odd":
            self._send(200, b"[]")
        elif plan.isdigit():
            text = json.dumps({"error": "no", "message": f"no: {query.get('api_key')}"}).encode()
            self._send(int(plan), text)
        elif plan.startswith("wait"):
            self._send(429, b"slow down", retry_after=plan.removeprefix("wait"))
        else:
            self._send(200, body)


@pytest.fixture
def api() -> Iterator[Api]:
    state = Api()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("H", (Handler,), {"state": state}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def ids(folder: Path) -> list[str]:
    return [
        json.loads(line)["id"].rsplit("W")[-1]
        for part in sorted(folder.glob("part_*.jsonl"))
        for line in part.read_text(encoding="utf-8").splitlines()
    ]


def fetch(api: Api, folder: Path, ask: Ask = ASK, **more: object) -> Place:
    return fetch_openalex(ask, folder, base=api.url, pace=QUICK, **more)  # type: ignore[arg-type]


ALL = [str(n) for n in range(1, 8)]


def test_all_pages_in_files_that_the_source_reads(api: Api, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    place = fetch(api, tmp_path, key="secret", progress=lambda done, total: told.append((done, total)))
    assert (place.complete, place.records, place.total) == (True, 7, 7)
    assert ids(tmp_path) == ALL
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]
    assert sorted(p.name for p in tmp_path.glob("part_*")) == ["part_00000.jsonl", "part_00001.jsonl"]
    assert {q["api_key"] for q in api.asked} == {"secret"}
    assert api.asked[0]["filter"] == "publication_year:2024"
    assert not [p for p in tmp_path.iterdir() if b"secret" in p.read_bytes()]
    taken = [p.name for p in sorted(tmp_path.iterdir()) if OpenAlexWorks().accepts(raw_at(p, p.name))]
    assert taken == ["part_00000.jsonl", "part_00001.jsonl"]
    before = len(api.asked)
    assert fetch(api, tmp_path).complete
    assert len(api.asked) == before


@pytest.mark.parametrize("plan", ["cut", "half", "odd", "503", "500", "wait0", "429"])
def test_a_fault_that_passes_loses_and_doubles_nothing(api: Api, tmp_path: Path, plan: str) -> None:
    api.plans = ["ok", plan, plan, "ok"]
    assert fetch(api, tmp_path).complete
    assert ids(tmp_path) == ALL


@pytest.mark.parametrize(
    ("plan", "code"),
    [("cut", "openalex_cut"), ("half", "openalex_cut"), ("503", "openalex_server"), ("odd", "openalex_server"),
     ("429", "openalex_quota_retries"), ("wait9999", "openalex_quota"), ("401", "openalex_key"),
     ("403", "openalex_key"), ("400", "openalex_query")],
)  # fmt: skip
def test_a_fault_that_stays_keeps_what_came_and_goes_on_later(api: Api, tmp_path: Path, plan: str, code: str) -> None:
    api.plans = ["ok", *[plan] * 3]
    with pytest.raises(FetchError) as caught:
        fetch(api, tmp_path, key="secret")
    assert caught.value.code == code
    assert "secret" not in caught.value.say("en") + caught.value.say("zh")
    assert ids(tmp_path) == ALL[:2]
    api.plans = []
    assert fetch(api, tmp_path).complete
    assert ids(tmp_path) == ALL


def test_pages_that_end_too_early_are_told(api: Api, tmp_path: Path) -> None:
    api.plans = ["ok", "short"]
    place = fetch(api, tmp_path)
    assert (place.complete, place.records, place.missing) == (True, 4, 3)


def test_a_moment_to_wait_for_is_understood_and_said_in_hours(api: Api, tmp_path: Path) -> None:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2, minutes=29, seconds=50)
    api.plans = [f"wait{email.utils.format_datetime(moment, usegmt=True)}"]
    with pytest.raises(FetchError, match=r"opens again in 2 h 30 min") as caught:
        fetch(api, tmp_path)
    assert "2 小时 30 分" in caught.value.say("zh")
    api.plans = ["waitsome day", "waitFri, 01 Jan 2021 00:00:00 GMT"]
    assert fetch(api, tmp_path).complete


def test_an_error_names_the_address_as_it_was_asked(api: Api, tmp_path: Path) -> None:
    api.plans = ["503"] * 3
    with pytest.raises(FetchError, match=f"{api.url}/works answered with an error"):
        fetch(api, tmp_path)


def test_nobody_there(tmp_path: Path, api: Api) -> None:
    with pytest.raises(FetchError) as caught:
        fetch_openalex(ASK, tmp_path, base="http://127.0.0.1:9", pace=QUICK)
    assert caught.value.code == "openalex_unreachable"


@pytest.mark.parametrize("plan", ["repeat", "stuck"])
def test_a_page_that_repeats_is_not_kept(api: Api, tmp_path: Path, plan: str) -> None:
    api.plans = ["ok", "ok", plan]
    with pytest.raises(FetchError) as caught:
        fetch(api, tmp_path)
    assert caught.value.code == "openalex_repeats"
    assert ids(tmp_path) == ALL[:4]
    assert fetch(api, tmp_path).complete
    assert ids(tmp_path) == ALL


def test_what_stands_behind_the_noted_place_is_cut_off(api: Api, tmp_path: Path) -> None:
    assert not fetch(api, tmp_path, limit=4).complete
    with (tmp_path / "part_00000.jsonl").open("ab") as stream:
        stream.write(b'{"id":"https://openalex.org/W5","ti')
    (tmp_path / "part_00001.jsonl").write_bytes(b'{"id":"https://openalex.org/W5"}\n')
    assert fetch(api, tmp_path).complete
    assert ids(tmp_path) == ALL


def test_stopping_between_pages(api: Api, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 4:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        fetch(api, tmp_path, progress=stop)
    assert fetch(api, tmp_path).complete
    assert ids(tmp_path) == ALL


def test_another_query_another_folder(api: Api, tmp_path: Path) -> None:
    fetch(api, tmp_path, limit=2)
    with pytest.raises(FetchError, match="2024"):
        fetch(api, tmp_path, Ask(filter="publication_year:2023", per_page=2))
    with pytest.raises(FetchError, match="magazines"):
        fetch(api, tmp_path / "b", Ask(entity="magazines"))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "part_00000.jsonl").write_text("{}\n")
    with pytest.raises(FetchError):
        fetch(api, tmp_path / "c")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ask": {}}'])
def test_a_damaged_state(api: Api, tmp_path: Path, text: str) -> None:
    (tmp_path / STATE).write_text(text)
    with pytest.raises(FetchError) as caught:
        fetch(api, tmp_path)
    assert caught.value.code in {"openalex_state", "openalex_other"}


def test_files_shorter_than_noted(api: Api, tmp_path: Path) -> None:
    fetch(api, tmp_path, limit=2)
    (tmp_path / "part_00000.jsonl").write_bytes(b"")
    with pytest.raises(FetchError) as caught:
        fetch(api, tmp_path)
    assert caught.value.code == "openalex_state"


INSTITUTIONS = [
    {"id": "https://openalex.org/I1", "ror": "https://ror.org/03cve4549", "display_name": "Tsinghua University",
     "country_code": "CN", "type": "education", "display_name_alternatives": ["Qinghua", "Qinghua"],
     "display_name_acronyms": ["THU"], "geo": {"city": "Beijing", "latitude": 40.0, "longitude": 116.3},
     "international": {"display_name": {"zh": "清华大学", "en": "Tsinghua University"}},
     "associated_institutions": [{"id": "https://openalex.org/I2", "relationship": "parent"}]},
    {"id": "https://openalex.org/I2", "display_name": "Nowhere", "type": "magic", "country_code": None},
    {"id": "https://openalex.org/I3", "display_name": "", "country_code": "CN"},
    {"id": "https://openalex.org/I4", "display_name": "X", "country_code": "QQ"},
    {"display_name": "X"},
]  # fmt: skip


@pytest.mark.parametrize("name", ["part_000.gz", "a.jsonl"])
def test_institutions(tmp_path: Path, name: str) -> None:
    text = "\n".join(json.dumps(one) for one in INSTITUTIONS) + "\n\n[1]\nnot json\n"
    data = text.encode()
    raw = raw_file(tmp_path, f"updated_date=2025-01-01/{name}", gzip.compress(data) if name.endswith("gz") else data)
    assert OpenAlexInstitutions().accepts(raw)
    found = Parsed(OpenAlexInstitutions(), raw)
    assert found.balance == (8, 2, 1, 5)
    first, second = found.rows("organisation")
    assert (first["org_id"], first["name_zh"], first["aliases"], first["country"]) == (
        "ror:03cve4549", "清华大学", ["Qinghua"], "CHN",
    )  # fmt: skip
    assert (first["parent"], second["org_id"], second["type"]) == ("openalex:I2", "openalex:I2", "other")
    assert [r["reason"] for r in map(vars_of, found.rejected)] == [
        "null", "unknown_region", "null", "malformed_json", "malformed_json",
    ]  # fmt: skip


def vars_of(fault: object) -> dict[str, object]:
    return {"reason": fault.reason}  # type: ignore[attr-defined]


@pytest.mark.parametrize("data", [b"", b"name,country\n", b"\xff\xfe", b"[]"])
def test_no_institutions(tmp_path: Path, data: bytes) -> None:
    from ronghe.errors import SourceError

    with pytest.raises(SourceError):
        Parsed(OpenAlexInstitutions(), raw_file(tmp_path, "a.jsonl", data))
    with pytest.raises(SourceError):
        Parsed(OpenAlexInstitutions(), raw_file(tmp_path, "a.jsonl.gz", gzip.compress(b"{}" * 99)[:-9]))
