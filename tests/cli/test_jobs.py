"""Long asks at the command line: Ctrl-C stops and is resumable, jobs are listed, cancelled, resumed, left alone."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from functools import partialmethod
from pathlib import Path

import pytest

from ronghe.brain import Brain
from ronghe.cli.main import main
from ronghe.config import Config
from ronghe.lake.checkpoints import Checkpoint
from ronghe.lake.jobs import Jobs
from ronghe.runner import Runner
from tests.conftest import ROOT
from tests.lake.slow import gate, installed
from tests.lake.toys import bring, lake_at


@pytest.fixture
def brain(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lake = lake_at(tmp_path)
    bring(lake, tmp_path, "CHN,gdp,2020,1\n")
    with installed():
        yield Brain(lake.config, lake)


@pytest.fixture
def shut(brain):
    path = gate(Path(brain.lake.store.root))
    path.touch()
    return path


@pytest.fixture
def run(brain, monkeypatch, capfdbinary):
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ronghe", "--lake", brain.config.lake, *words])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def wait_for(true):
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_ctrl_c_stops_at_a_safe_point_and_resume_goes_on(brain, run, shut):
    plan = brain.plan("slow", steps=3)

    def press():
        wait_for(lambda: Checkpoint(brain.lake.store, plan.id))
        os.kill(os.getpid(), signal.SIGINT)

    other = threading.Thread(target=press)
    other.start()
    code, out, err = run("ask", "slow", "--steps", "3")
    other.join()
    assert (code, out) == (130, "")
    assert "Stopping at the next safe point" in err
    assert "slow was stopped" in err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    jobs = Jobs(brain.lake.store)
    assert jobs.get(plan.id).state == "cancelled"
    code, out, _ = run("jobs")
    assert plan.id in out
    assert "cancelled" in out
    shut.unlink()
    code, out, _ = run("jobs", "resume", plan.id[:6], "--json")
    assert code == 0
    assert json.loads(out)["headline"]["args"] == {"steps": 3, "worked": 2}
    assert jobs.get(plan.id).state == "done"


def test_the_second_ctrl_c_breaks_off(brain, shut):
    plan, jobs = brain.plan("slow", trouble="deaf"), Jobs(brain.lake.store)
    words = [sys.executable, "-m", "tests.lake.slow", "--lake", brain.config.lake, "ask", "slow", "--trouble", "deaf"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            # Before it waits at its gate, deaf, it still comes by safe points.
            wait_for(lambda: jobs.peek(plan.id) is not None and shut.with_name("deaf").exists())
            child.send_signal(signal.SIGINT)
            time.sleep(0.3)
            assert jobs.get(plan.id).active
            child.send_signal(signal.SIGINT)
            assert child.wait(20) != 0
        finally:
            child.kill()
    assert jobs.get(plan.id).state == "interrupted"


def test_jobs_prints_what_the_api_returns(brain, run):
    runner = Runner(brain)
    job = runner.submit(brain, "slow", trouble="ours")
    assert runner.wait(job.id, 20).state == "failed"
    runner.close()
    code, out, _ = run("jobs", "--json")
    assert code == 0
    assert json.loads(out) == runner.jobs.documents()
    code, out, _ = run("--lang", "zh", "jobs")
    assert "失败" in out
    assert runner.jobs.get(job.id).error["message"]["zh"] in out.replace("\n", "")
    assert json.loads(run("jobs", "show", job.id[:5], "--json")[1]) == runner.jobs.document(runner.jobs.get(job.id))


def test_the_command_cancels_what_another_process_runs(brain, run, shut):
    runner = Runner(brain)
    job = runner.submit(brain, "slow", steps=3)
    wait_for(lambda: runner.jobs.get(job.id).state == "running")
    code, out, _ = run("jobs", "cancel", job.id)
    assert (code, job.id in out) == (0, True)
    assert runner.wait(job.id, 20).state == "cancelled"
    assert "is not running" not in run("jobs", "cancel", job.id)[1]
    assert run("jobs", "forget", job.id)[0] == 0
    assert "No jobs" in run("jobs")[1]
    runner.close()


@pytest.mark.parametrize("deed", ["show", "cancel", "resume", "forget"])
def test_a_job_that_is_not_there(run, deed):
    code, out, err = run("jobs", deed, "abcdef")
    assert (code, out) == (2, "")
    assert "There is no job abcdef" in err


def test_a_question_left_to_itself_is_answered_by_another_process(sandbox_lake, tmp_path):
    # Without the findings that other tests left in the lake: an answer that is kept takes no run.
    ignore = shutil.ignore_patterns("_findings")
    own = Brain(Config(lake=shutil.copytree(sandbox_lake, tmp_path / "own", ignore=ignore).as_posix()))
    code = "from ronghe.cli import main; main()"
    words = ["--lake", own.config.lake, "ask", "chain", "--chain", "sandbox", "--detach"]
    jobs = Jobs(own.lake.store)
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, check=True)
        job = jobs.all()[0]
        assert job.id in done.stdout.decode()
        wait_for(lambda: jobs.all()[0].state == "done")
        assert own.find(job.id).finding.lens == "chain"
        assert [j.runs for j in jobs.all()] == [1]


def test_a_quick_ask_leaves_no_job(run, brain, monkeypatch):
    # What is quick depends on what else the machine does: here nothing takes too long.
    monkeypatch.setattr(Runner, "__init__", partialmethod(Runner.__init__, patience=3600.0))
    assert run("ask", "slow", "--steps", "2")[0] == 0
    assert run("ask", "slow", "--steps", "2", "--fresh")[0] == 0
    assert Jobs(brain.lake.store).all() == []
