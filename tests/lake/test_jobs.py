"""Long asks: one job a question, seen and steered from any process, resumed where they stopped."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.errors import AskError, Cancelled, UnknownName
from ronghe.i18n import translate
from ronghe.lake import jobs as kept_jobs
from ronghe.lake import pulse
from ronghe.lake.checkpoints import Checkpoint
from ronghe.lake.jobs import Jobs
from ronghe.lake.meter import Meter
from ronghe.lake.pulse import Pulse, alive
from ronghe.lake.store import Store
from ronghe.runner import Runner
from tests.conftest import ROOT
from tests.lake.slow import gate, installed
from tests.lake.toys import bring, lake_at


@pytest.fixture
def slow(tmp_path):
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, "CHN,gdp,2020,1\n")
    with installed():
        yield Brain(lake.config, lake)


@pytest.fixture
def runner(slow):
    made = Runner(slow, workers=2)
    yield made
    gate(Path(slow.lake.store.root)).unlink(missing_ok=True)
    made.close()


def shut(brain: Brain) -> Path:
    path = gate(Path(brain.lake.store.root))
    path.touch()
    return path


def until(jobs: Jobs, identity: str, *states: str, seconds: float = 20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job = jobs.get(identity)
        if job.state in states:
            return job
        time.sleep(0.02)
    raise AssertionError(f"{jobs.get(identity).state}, expected {states}")


def headline(brain: Brain, identity: str) -> str:
    return translate("en", brain.find(identity).finding.headline)


def test_a_job_gives_the_finding_of_its_id(slow, runner):
    job = runner.submit(slow, "slow", steps=4)
    assert job.id == slow.plan("slow", steps="4").id
    assert runner.wait(job.id, 20).state == "done"
    assert headline(slow, job.id) == "4 steps, 4 of them in this run"
    document = runner.jobs.document(runner.jobs.get(job.id))
    assert (document["finding"], document["runs"], document["saved"]) == (job.id, 1, False)
    assert document["progress"]["done"] == document["progress"]["total"] == 4


def test_the_same_question_twice_is_one_job(slow, runner):
    shut(slow)
    first = runner.submit(slow, "slow", steps=5)
    again = runner.submit(slow, "slow", steps="5", trouble="")
    assert again.id == first.id
    assert len(runner.jobs.all()) == 1
    shut(slow).unlink()
    assert runner.wait(first.id, 20).runs == 1


def test_a_kept_answer_is_a_job_done(slow, runner):
    answer = slow.ask("slow", steps=2)
    assert runner.submit(slow, "slow", steps=2).state == "done"
    assert runner.jobs.get(answer.id).runs == 0


def test_a_question_that_cannot_be_asked_makes_no_job(slow, runner):
    with pytest.raises(UnknownName):
        runner.submit(slow, "slow", stepps=2)
    with pytest.raises(AskError):
        runner.submit(slow, "slow", steps="many")
    assert runner.jobs.all() == []


def test_cancel_stops_and_resume_goes_on_from_the_checkpoint(slow, runner):
    shut(slow)
    job = runner.submit(slow, "slow", steps=3)
    until(runner.jobs, job.id, "running")
    while not Checkpoint(slow.lake.store, job.id):
        time.sleep(0.01)
    elsewhere = Jobs(Store(slow.config.lake))
    assert elsewhere.cancel(job.id[:8]).active
    stopped = until(elsewhere, job.id, "cancelled")
    assert elsewhere.document(stopped)["saved"]
    with pytest.raises(UnknownName):
        slow.find(job.id)
    shut(slow).unlink()
    runner.resume(slow, job.id)
    assert runner.wait(job.id, 20).state == "done"
    assert headline(slow, job.id) == "3 steps, 2 of them in this run"
    assert not Checkpoint(slow.lake.store, job.id)
    assert runner.jobs.get(job.id).runs == 2


def test_a_waiting_job_is_cancelled_before_it_begins(slow):
    one = Runner(slow, workers=1)
    shut(slow)
    running = one.submit(slow, "slow", steps=3)
    waiting = one.submit(slow, "slow", steps=4)
    until(one.jobs, running.id, "running")
    assert one.jobs.get(waiting.id).state == "queued"
    one.jobs.cancel(waiting.id)
    until(one.jobs, waiting.id, "cancelled")
    shut(slow).unlink()
    assert one.wait(running.id, 20).state == "done"
    one.close()
    assert one.jobs.get(waiting.id).runs == 0


@pytest.mark.parametrize(("trouble", "code"), [("ours", "bad_value"), ("crash", "job_crashed")])
def test_a_failure_is_kept_in_both_languages_and_can_be_tried_again(slow, runner, trouble, code, caplog):
    job = runner.submit(slow, "slow", trouble=trouble)
    failed = runner.wait(job.id, 20)
    assert failed.state == "failed"
    said = runner.jobs.document(failed)["error"]
    assert said["code"] == code
    assert said["message"]["zh"] != said["message"]["en"]
    assert kept_jobs.raised(failed).say("en").startswith(said["message"]["en"])
    assert ("ZeroDivisionError" in caplog.text) == (trouble == "crash")
    runner.submit(slow, "slow", trouble=trouble)
    assert runner.wait(job.id, 20).runs == 2


def test_an_old_job_of_other_code_is_not_passed_off_as_this_one(slow, runner):
    job = runner.submit(slow, "slow", steps=2)
    runner.wait(job.id, 20)
    old = replace(runner.jobs.get(job.id), id="0" * 24, state="interrupted")
    runner.jobs.put(old)
    Checkpoint(slow.lake.store, old.id).save("step", b"1")
    runner.resume(slow, old.id)
    failed = runner.wait(old.id, 20)
    assert failed.error["code"] == "job_outdated"
    assert not Checkpoint(slow.lake.store, old.id)


def test_a_job_reads_the_snapshot_it_was_asked_on(slow, runner, tmp_path):
    shut(slow)
    job = runner.submit(slow, "slow", steps=2)
    bring(slow.lake, tmp_path, "CHN,gdp,2021,2\n", name="b.txt")
    shut(slow).unlink()
    assert runner.wait(job.id, 20).state == "done"
    assert slow.find(job.id).finding.provenance.snapshot == job.snapshot == 0
    assert slow.plan("slow", steps=2).id != job.id


def test_jobs_are_seen_by_the_workspaces_that_asked(slow, runner):
    here, there = (Brain(slow.config, slow.lake, workspace=w) for w in ("hz", "nb"))
    shut(slow)
    job = runner.submit(here, "slow", steps=3)
    with pytest.raises(UnknownName) as error:
        runner.jobs.get(job.id, "nb")
    assert error.value.known == ()
    for act in (runner.jobs.cancel, runner.jobs.forget):
        with pytest.raises(UnknownName):
            act(job.id, "nb")
    with pytest.raises(UnknownName):
        runner.resume(there, job.id)
    assert runner.submit(there, "slow", steps=3).id == job.id
    assert [j.id for j in runner.jobs.all("nb")] == [job.id]
    runner.jobs.cancel(job.id, "nb")
    assert runner.jobs.all("nb") == []
    shut(slow).unlink()
    assert runner.wait(job.id, 20).state == "done"
    assert runner.jobs.all("hz") == runner.jobs.all(None) != []


def test_an_ended_job_can_be_forgotten_and_its_finding_stays(slow, runner):
    shut(slow)
    job = runner.submit(slow, "slow", steps=2)
    with pytest.raises(AskError) as error:
        runner.jobs.forget(job.id)
    assert error.value.code == "job_active"
    shut(slow).unlink()
    runner.wait(job.id, 20)
    runner.jobs.forget(job.id)
    assert runner.jobs.all() == []
    assert slow.find(job.id)


def test_closing_the_runner_interrupts_and_another_goes_on(slow):
    first = Runner(slow)
    shut(slow)
    job = first.submit(slow, "slow", steps=3)
    while not Checkpoint(slow.lake.store, job.id):
        time.sleep(0.01)
    first.close()
    assert first.jobs.get(job.id).state == "interrupted"
    shut(slow).unlink()
    second = Runner(slow)
    second.resume(slow, job.id)
    assert second.wait(job.id, 20).state == "done"
    second.close()
    assert headline(slow, job.id) == "3 steps, 2 of them in this run"


def test_a_quick_ask_in_the_foreground_leaves_no_job(slow):
    assert Runner(slow).foreground(slow, "slow", steps=2).finding.lens == "slow"
    assert Jobs(slow.lake.store).all() == []


def test_an_attempt_gives_what_is_quick_and_a_job_for_what_is_not(slow, runner):
    assert runner.attempt(slow, 20, "slow", steps=2).finding.lens == "slow"
    with pytest.raises(AskError) as error:
        runner.attempt(slow, 20, "slow", trouble="ours")
    assert error.value.code == "bad_value"
    assert runner.jobs.all() == []
    shut(slow)
    here, there = (Brain(slow.config, slow.lake, workspace=w) for w in ("hz", "nb"))
    job = runner.attempt(here, 0.0, "slow", steps=3)
    assert job.active
    assert runner.attempt(there, 0.0, "slow", steps=3).id == job.id
    assert set(until(runner.jobs, job.id, "running").watchers) == {"hz", "nb"}
    runner.jobs.cancel(job.id)
    until(runner.jobs, job.id, "cancelled")
    runner.wait(job.id, 20)
    assert runner.attempt(slow, 20, "slow", steps=3).state == "cancelled"  # nobody restarts it by looking
    shut(slow).unlink()
    runner.resume(slow, job.id)
    runner.wait(job.id, 20)
    assert runner.attempt(slow, 0.0, "slow", steps=3).id == job.id


def test_a_long_ask_in_the_foreground_is_a_job_that_others_can_stop(slow):
    shut(slow)
    runner, seen = Runner(slow, patience=0.0), []
    jobs, plan = Jobs(Store(slow.config.lake)), slow.plan("slow", steps=3)

    def stop():
        while jobs.peek(plan.id) is None or jobs.progress(plan.id) is None:
            time.sleep(0.01)
        jobs.cancel(plan.id)

    other = threading.Thread(target=stop)
    other.start()
    with pytest.raises(Cancelled):
        runner.foreground(slow, "slow", steps=3, progress=lambda *s: seen.append(s))
    other.join()
    assert jobs.get(plan.id).state == "cancelled"
    assert seen[0] == ("counting", 0, 3)
    shut(slow).unlink()
    answer = runner.resume_here(slow, plan.id)
    assert translate("en", answer.finding.headline) == "3 steps, 2 of them in this run"
    assert jobs.get(plan.id).state == "done"


def test_what_is_computed_elsewhere_is_followed(slow, runner):
    shut(slow)
    job = runner.submit(slow, "slow", steps=3)
    until(runner.jobs, job.id, "running")
    other = Brain(Config(lake=slow.config.lake))
    with pytest.raises(Cancelled) as error:
        Runner(other).foreground(other, "slow", steps=3, cancelled=lambda: True)
    assert error.value.code == "job_unwatched"
    assert runner.jobs.get(job.id).active
    threading.Timer(0.3, lambda: shut(slow).unlink()).start()
    answer = Runner(other).foreground(other, "slow", steps=3)
    assert answer.id == job.id
    assert runner.jobs.get(job.id).runs == 1


def test_a_job_whose_process_was_killed_is_interrupted_and_resumed(slow):
    shut(slow)
    plan, jobs = slow.plan("slow", steps=3), Jobs(slow.lake.store)
    words = [sys.executable, "-m", "tests.lake.slow", "--lake", slow.config.lake, "ask", "slow", "--steps", "3"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            end = time.monotonic() + 30
            while (jobs.peek(plan.id) is None or not Checkpoint(slow.lake.store, plan.id)) and time.monotonic() < end:
                time.sleep(0.05)
            assert jobs.get(plan.id).state == "running"
        finally:
            child.kill()
    assert jobs.get(plan.id).state == "interrupted"
    assert list((Path(slow.config.lake) / pulse.FOLDER).glob("*.lock")) == []
    shut(slow).unlink()
    answer = Runner(slow).resume_here(slow, plan.id)
    assert translate("en", answer.finding.headline) == "3 steps, 2 of them in this run"


def test_without_locks_a_process_lives_as_long_as_it_beats(tmp_path, monkeypatch):
    store = Store(f"file://{tmp_path}")
    assert not store.local
    mine = Pulse(store)
    assert not alive(store, mine.id)
    mine.start()
    assert alive(store, mine.id)
    monkeypatch.setattr(pulse, "STALE", -1.0)
    assert not alive(store, mine.id)
    mine.stop()
    assert os.listdir(tmp_path / pulse.FOLDER) == []
    assert not alive(store, "")


def test_nobody_took_up_a_job_left_for_a_process(slow, runner, monkeypatch):
    job = replace(runner.submit(slow, "slow", steps=2), id="1" * 24, runner="", state="queued")
    runner.jobs.put(job)
    assert runner.jobs.get(job.id).state == "queued"
    monkeypatch.setattr(kept_jobs, "UNCLAIMED", -1.0)
    assert runner.jobs.get(job.id).state == "interrupted"
    assert runner.jobs.cancel(job.id).state == "cancelled"


def test_the_time_left_is_told_once_there_is_a_pace(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("ronghe.lake.meter.time.monotonic", lambda: clock[0])
    meter = Meter()
    assert meter.reading() is None
    meter.step("a", 40, 100)
    clock[0] = 110.0
    assert meter.reading().left is None  # resumed at 40: no step was seen yet
    meter.step("a", 50, 100)
    assert meter.reading().left == pytest.approx(50.0)  # 10 steps in 10 s, 50 to go
    clock[0] = 120.0
    assert meter.reading().left == pytest.approx(100.0)  # it stands still: the pace falls
    meter.step("b", 1, 0)
    clock[0] = 130.0
    meter.step("b", 2, 0)
    assert meter.reading().left is None  # the end of this step can't be known


def test_a_checkpoint_belongs_to_one_finding(tmp_path):
    store = Store(str(tmp_path))
    one, other = Checkpoint(store, "a" * 24), Checkpoint(store, "b" * 24)
    one.save("state", b"1")
    one.save("state", b"2")
    assert (one.load("state"), one.load("rest"), other.load("state"), bool(other)) == (b"2", None, None, False)
    other.save("state", b"3")
    one.clear()
    assert (bool(one), other.load("state")) == (False, b"3")
    for name in ("", "../x", "A", "a/b", "a.b"):
        with pytest.raises(ValueError, match="checkpoint name"):
            one.save(name, b"")


def test_job_files_are_json_anyone_can_read(slow, runner):
    job = runner.submit(slow, "slow", steps=2)
    runner.wait(job.id, 20)
    said = json.loads((Path(slow.config.lake) / "_jobs" / f"{job.id}.json").read_text(encoding="utf-8"))
    assert said["params"] == {"steps": 2, "trouble": ""}
    assert (said["state"], said["watchers"], said["lens"]) == ("done", [None], "slow")
