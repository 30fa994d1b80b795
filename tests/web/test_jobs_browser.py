"""A job in a real browser: progress, cancel, resume, and on to the answer; nothing breaks the policy."""

import threading
import time
from pathlib import Path

import pytest

from ronghe.brain import Brain
from ronghe.web.app import create_app
from tests.conftest import chromium
from tests.lake.slow import gate, installed
from tests.lake.toys import bring, lake_at

pytestmark = [
    pytest.mark.browser,
    # Playwright's own loop and pipes are closed by its garbage collection, after the test.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def server(tmp_path):
    import uvicorn

    lake = lake_at(tmp_path)
    bring(lake, tmp_path, "CHN,gdp,2020,1\n")
    shut = gate(Path(lake.store.root))
    shut.touch()
    with installed():
        app = create_app(lake.config, Brain(lake.config, lake))
        running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        while not running.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}", shut
        shut.unlink(missing_ok=True)
        running.should_exit = True
        thread.join(timeout=10)


def test_a_job_runs_stops_and_leads_on_to_its_answer(server):
    sync = pytest.importorskip("playwright.sync_api")
    address, shut = server
    faults: list[str] = []
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--headless=new", "--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda m: faults.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda e: faults.append(str(e)))
        page.add_init_script("addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective))")
        page.goto(f"{address}/en/ask/slow?steps=3")
        page.wait_for_selector("#job progress[value]")
        assert "1 of 3" in page.inner_text("#job")
        page.click("button.cancel")
        page.wait_for_selector("button.resume")
        assert "goes on from where it stopped" in page.inner_text("#job")
        page.click("button.resume")
        page.wait_for_selector("#job progress")
        shut.unlink()
        page.wait_for_url("**/en/ask/slow?steps=3")
        assert "3 steps, 2 of them in this run" in page.inner_text("main")
        browser.close()
    assert faults == []
