"""A download against a server that serves well, cuts, corrupts, stalls, hides, fails, and ignores Range."""

import hashlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ronghe.errors import Cancelled, FetchError, UnknownName
from ronghe.i18n import catalogue
from ronghe.sources.fetch import Hosts, Policy, fetch, raw_file, sha256_of
from ronghe.sources.registry import DatasetFile, dataset, datasets

BODY = bytes(range(256)) * 12_000  # 3 MB: several blocks
QUICK = Policy(connect=2.0, stall=0.3, waits=(0.0, 0.01, 0.01))


@dataclass
class Server:
    """What the next answers do, and what was asked."""

    url: str = ""
    plans: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """Answers as the next plan says."""

    state: Server

    def log_message(self, *args: object) -> None:
        return

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.state.asked.append(wanted)
        plan = self.state.plans.pop(0) if self.state.plans else "well"
        found = re.match(r"bytes=(\d+)-", wanted)
        start = int(found[1]) if found and plan != "ignores" else 0
        self.close_connection = True
        if plan.isdigit() or start >= len(BODY):
            self.send_error(int(plan) if plan.isdigit() else 416)
            return
        body = BODY[start:]
        if plan == "corrupts":
            body = body[:-1] + bytes([body[-1] ^ 1])
        if plan == "longer":
            body += b"and more"
        self.send_response(206 if start else 200)
        if start:
            shown = start + 7 if plan == "shifts" else start
            self.send_header("Content-Range", f"bytes {shown}-{len(BODY) - 1}/{len(BODY)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if plan in {"cuts", "resets", "stalls"} else body)
        if plan == "resets":
            # Closed without waiting for what is still to be sent: the other side sees a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        if plan == "stalls":
            self.wfile.flush()
            self.state.release.wait(5)

    def handle(self) -> None:
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            return


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), type("Planned", (Handler,), {"state": state}))
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_port}/data.bin"
    yield state
    state.release.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def listed(server: Server | None, **changes: object) -> DatasetFile:
    file = DatasetFile(
        dataset="toy",
        name="deep/data.bin",
        url=server.url if server else "",
        sha256=hashlib.sha256(BODY).hexdigest(),
        bytes=len(BODY),
        licence="CC0",
        commercial=True,
        redistributable=True,
        version="1",
        note_zh="",
        note_en="",
    )
    return replace(file, **changes)


def leftovers(cache: Path) -> set[str]:
    """What a failed download left, besides its lock."""
    return {file.name for file in cache.rglob("*") if file.is_file() and file.suffix != ".lock"}


def test_a_file_that_is_served_well_is_kept_and_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    first = fetch(listed(server), mirror=None, cache=tmp_path, progress=lambda *at: seen.append(at), policy=QUICK)
    assert first.path.read_bytes() == BODY
    assert (first.dataset, first.name, first.bytes) == ("toy", "deep/data.bin", len(BODY))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(BODY), len(BODY))
    again = fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK)
    assert again == first
    assert len(server.asked) == 1
    assert leftovers(tmp_path) == {"data.bin"}


def test_a_cut_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.plans = ["cuts", "cuts"]
    found = fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK)
    assert found.path.read_bytes() == BODY
    half = len(BODY) // 2
    assert server.asked == ["", f"bytes={half}-", f"bytes={half + (len(BODY) - half) // 2}-"]


def test_a_server_that_ignores_range_is_read_from_the_start(server: Server, tmp_path: Path) -> None:
    server.plans = ["cuts", "ignores"]
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY
    assert server.asked[1].startswith("bytes=")


def test_an_answer_about_another_range_is_thrown_away(server: Server, tmp_path: Path) -> None:
    server.plans = ["cuts", "shifts"]
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY
    assert server.asked[2] == ""


@pytest.mark.parametrize("plan", ["corrupts", "longer"])
def test_other_bytes_are_refused_and_nothing_is_kept(server: Server, tmp_path: Path, plan: str) -> None:
    server.plans = [plan] * 4
    with pytest.raises(FetchError) as refused:
        fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK)
    assert refused.value.code == "fetch_damaged"
    assert leftovers(tmp_path) == set()
    assert len(server.asked) == 4


def test_bytes_damaged_once_are_mended_by_the_next_try(server: Server, tmp_path: Path) -> None:
    server.plans = ["corrupts"]
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY


def test_a_damaged_start_left_by_an_earlier_run_does_not_survive(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "toy" / "deep" / "data.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY
    assert server.asked == ["bytes=1000-", ""]


def test_a_whole_part_left_by_a_kill_needs_no_network(tmp_path: Path) -> None:
    part = tmp_path / "toy" / "deep" / "data.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY)
    file = listed(None, url="http://127.0.0.1:9/none")
    assert fetch(file, mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY


def test_a_damaged_file_in_the_cache_is_brought_again(server: Server, tmp_path: Path) -> None:
    place = tmp_path / "toy" / "deep" / "data.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(BODY[:-1] + b"?")
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY


def test_a_stall_is_noticed_and_resumed(server: Server, tmp_path: Path) -> None:
    server.plans = ["stalls"]
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY
    assert server.asked[1] == f"bytes={len(BODY) // 2}-"


@pytest.mark.parametrize(
    ("plan", "code", "tries"),
    [("404", "fetch_missing", 1), ("403", "fetch_missing", 1), ("503", "fetch_server", 4), ("429", "fetch_server", 4)],
)
def test_an_answer_with_an_error(server: Server, tmp_path: Path, plan: str, code: str, tries: int) -> None:
    server.plans = [plan] * 4
    with pytest.raises(FetchError) as refused:
        fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK)
    assert (refused.value.code, len(server.asked)) == (code, tries)
    assert leftovers(tmp_path) == set()


def test_a_server_in_trouble_for_a_moment(server: Server, tmp_path: Path) -> None:
    server.plans = ["503", "500"]
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY


@pytest.mark.parametrize(("plan", "code"), [("cuts", "fetch_cut"), ("stalls", "fetch_stalled")])
def test_giving_up_keeps_what_can_be_resumed(server: Server, tmp_path: Path, plan: str, code: str) -> None:
    server.plans = [plan] * 2
    with pytest.raises(FetchError) as refused:
        fetch(listed(server), mirror=None, cache=tmp_path, policy=replace(QUICK, waits=(0.0,)))
    assert refused.value.code == code
    assert leftovers(tmp_path) == {"data.bin.part"}
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY


@dataclass
class Names:
    """A resolver that answers every name with the error ``number``."""

    number: int
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    known = Names(socket.EAI_AGAIN)

    def getaddrinfo(host: str, *args: object, **more: object) -> object:
        known.asked.append(host)
        raise socket.gaierror(known.number, "as told")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def test_nobody_listens_and_no_time_is_lost(tmp_path: Path, slept: list[float]) -> None:
    file = listed(None, url="http://127.0.0.1:9/none")
    with pytest.raises(FetchError) as refused:
        fetch(file, mirror=None, cache=tmp_path, policy=Policy())
    assert refused.value.code == "fetch_unreachable"
    assert slept == []
    assert "127.0.0.1 can't be reached: the connection is refused." in refused.value.say("en")
    assert "连接被拒绝" in refused.value.say("zh")


@pytest.mark.parametrize("number", [socket.EAI_AGAIN, socket.EAI_NONAME])
def test_a_name_without_address_is_asked_once_in_a_run(
    tmp_path: Path, slept: list[float], names: Names, number: int
) -> None:
    names.number = number
    hosts = Hosts()
    said = set()
    for name in ("a.csv", "b.csv", "c.csv"):
        file = listed(None, url=f"http://data.invalid/{name}", name=name)
        with pytest.raises(FetchError) as refused:
            fetch(file, mirror=None, cache=tmp_path, policy=Policy(), hosts=hosts)
        said.add(refused.value.say("en"))
    assert (names.asked, slept) == (["data.invalid"], [])
    assert len(said) == 1
    assert "RONGHE_MIRROR" in said.pop()
    with pytest.raises(FetchError):
        fetch(listed(None, url="http://other.invalid/a"), mirror=None, cache=tmp_path, policy=Policy(), hosts=hosts)
    assert names.asked == ["data.invalid", "other.invalid"]


def test_each_run_finds_out_anew(tmp_path: Path, names: Names) -> None:
    for _ in range(2):
        with pytest.raises(FetchError):
            fetch(listed(None, url="http://data.invalid/a"), mirror=None, cache=tmp_path, hosts=Hosts())
    assert names.asked == ["data.invalid"] * 2


def test_a_lost_host_does_not_keep_out_what_is_in_the_cache(server: Server, tmp_path: Path) -> None:
    held = fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK)
    hosts = Hosts({"127.0.0.1": FetchError("fetch_unreachable", host="127.0.0.1", why="")})
    assert fetch(listed(server), mirror=None, cache=tmp_path, hosts=hosts) == held
    with pytest.raises(FetchError):
        fetch(listed(server, name="other"), mirror=None, cache=tmp_path, hosts=hosts)
    assert len(server.asked) == 1


def test_a_reset_is_no_lost_host(server: Server, tmp_path: Path) -> None:
    server.plans = ["resets", "resets"]
    hosts = Hosts()
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK, hosts=hosts).path.read_bytes() == BODY
    assert len(server.asked) == 3
    server.plans = ["resets"] * 4
    with pytest.raises(FetchError) as refused:
        fetch(listed(server, name="other"), mirror=None, cache=tmp_path, policy=QUICK, hosts=hosts)
    assert (refused.value.code, hosts.lost) == ("fetch_cut", {})


def test_a_host_that_never_answers_is_given_up_after_all_tries(
    tmp_path: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*args: object, **more: object) -> socket.socket:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", connect)
    hosts = Hosts()
    for _ in range(2):
        with pytest.raises(FetchError) as refused:
            fetch(listed(None, url="http://data.invalid/a"), mirror=None, cache=tmp_path, hosts=hosts)
        assert "no answer for 10 s" in refused.value.say("en")
    assert slept == [1.0, 4.0, 15.0]


def test_tries_wait_as_told(server: Server, tmp_path: Path, slept: list[float]) -> None:
    server.plans = ["503"] * 3
    with pytest.raises(FetchError):
        fetch(listed(server), mirror=None, cache=tmp_path, policy=replace(QUICK, waits=(1.0, 4.0)))
    assert slept == [1.0, 4.0]


def test_a_user_who_stops_can_go_on_later(server: Server, tmp_path: Path) -> None:
    def stop(done: int, whole: int) -> None:
        raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        fetch(listed(server), mirror=None, cache=tmp_path, progress=stop, policy=QUICK)
    assert leftovers(tmp_path) == {"data.bin.part"}
    assert fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes() == BODY
    assert server.asked[1].startswith("bytes=")


def test_two_at_once_ask_once(server: Server, tmp_path: Path) -> None:
    found: list[bytes] = []

    def bring() -> None:
        found.append(fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK).path.read_bytes())

    threads = [threading.Thread(target=bring) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [BODY] * 3
    assert len(server.asked) == 1


def test_the_mirror_is_read_in_place(tmp_path: Path) -> None:
    place = tmp_path / "mirror" / "toy" / "deep" / "data.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(BODY)
    found = fetch(listed(None), mirror=tmp_path / "mirror", cache=tmp_path / "cache")
    assert found.path == place
    assert not (tmp_path / "cache").exists()


def test_a_mirror_with_other_bytes_is_said_not_hidden(server: Server, tmp_path: Path) -> None:
    place = tmp_path / "mirror" / "toy" / "deep" / "data.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"")
    with pytest.raises(FetchError) as refused:
        fetch(listed(server), mirror=tmp_path / "mirror", cache=tmp_path / "cache")
    assert refused.value.code == "fetch_mirror"
    assert server.asked == []


def test_a_file_without_address(tmp_path: Path) -> None:
    with pytest.raises(FetchError) as refused:
        fetch(listed(None), mirror=tmp_path / "nowhere", cache=tmp_path)
    assert refused.value.code == "fetch_no_address"
    assert "RONGHE_MIRROR" in refused.value.say("zh")


def test_offline_uses_the_cache_and_asks_nobody(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as refused:
        fetch(listed(server), mirror=None, cache=tmp_path, offline=True)
    assert refused.value.code == "fetch_offline"
    assert server.asked == []
    held = fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK)
    assert fetch(listed(server), mirror=None, cache=tmp_path, offline=True) == held


def test_a_cache_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(FetchError) as refused:
        fetch(listed(server), mirror=None, cache=blocked, policy=QUICK)
    assert refused.value.code == "fetch_disk"


def test_a_full_disk(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: Callable[..., object] = Path.open

    def open_full(self: Path, mode: str = "r", *args: object, **more: object) -> object:
        if self.suffix == ".part" and "b" in mode and mode != "rb":
            raise OSError(28, "No space left on device")
        return opened(self, mode, *args, **more)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(FetchError) as refused:
        fetch(listed(server), mirror=None, cache=tmp_path, policy=QUICK)
    assert refused.value.code == "fetch_disk"
    assert "the disk is full" in refused.value.say("en")
    assert "磁盘已满" in refused.value.say("zh")


def test_every_error_can_be_said_in_both_languages() -> None:
    said = {key for key in catalogue("en") if key.startswith("error.fetch_")}
    assert said == {key for key in catalogue("zh") if key.startswith("error.fetch_")}
    assert len(said) == 20


def test_raw_file_hashes_what_is_there(tmp_path: Path) -> None:
    place = tmp_path / "a.csv"
    place.write_bytes(b"a,b\n1,2\n")
    found = raw_file(place, "mine", "a.csv")
    assert found.sha256 == hashlib.sha256(b"a,b\n1,2\n").hexdigest() == sha256_of(place)
    assert found.bytes == 8


def test_registry_is_sound() -> None:
    known = datasets()
    assert len(known) == 29
    for held in known.values():
        assert held.files
        assert held.title_zh
        assert held.title_en
        assert len({file.name for file in held.files}) == len(held.files)
        for file in held.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.bytes > 0
            assert file.licence
            assert re.fullmatch(r"(https://raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/[0-9a-f]{40}/\S+)?", file.url)
            assert file.note["zh"] or file.url
            assert (file.commercial and file.redistributable) or file.note_en
    assert not dataset("eto_chips").commercial
    assert not dataset("eto_chips").redistributable
    assert not dataset("cn_io_tables").redistributable
    assert dataset("ror").commercial


def test_registry_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as unknown:
        dataset("wiod2012")
    assert unknown.value.known[0] == "wiod2013"
    with pytest.raises(UnknownName) as unknown:
        dataset("wiod2013").file("wiot_1996.RData")
    assert "wiot_1995.RData" in unknown.value.say("zh")


@pytest.mark.mirror
def test_registry_agrees_with_the_mirror(mirror: Path, tmp_path: Path) -> None:
    for held in datasets().values():
        for file in held.files:
            assert (mirror / held.name / file.name).stat().st_size == file.bytes
    for name in ("cn_io_tables", "eto_chips"):
        for file in dataset(name).files:
            assert fetch(file, mirror=mirror, cache=tmp_path).sha256 == file.sha256
