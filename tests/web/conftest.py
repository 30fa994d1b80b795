"""One lake for every test of the web: the invented sandbox, with a made-up finding that has every kind of chart."""

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ronghe.brain import Brain
from ronghe.config import Config
from ronghe.web.app import create_app
from tests.web.samples import gallery

ASK = {"structure": {"table": "sandbox-2025-8"}, "indicators": {"indicator": "rd_intensity"},
       "chain": {"chain": "sandbox"}}  # fmt: skip


@pytest.fixture(scope="session")
def web_config(sandbox_lake, tmp_path_factory) -> Config:
    folder = tmp_path_factory.mktemp("web") / "lake"
    shutil.copytree(sandbox_lake, folder)
    return Config(lake=str(folder), lang="en")


@pytest.fixture(scope="session")
def web_brain(web_config) -> Brain:
    brain = Brain(web_config)
    brain.findings.put(gallery(snapshot=brain.snapshot.version))
    return brain


@dataclass
class Web:
    """Requests to the application, in the process."""

    app: Any
    brain: Brain

    def get(self, path: str, *, method: str = "GET", host: str = "127.0.0.1", **headers: str) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                return await client.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})

        return asyncio.run(one())


@pytest.fixture(scope="session")
def web(web_config, web_brain) -> Web:
    return Web(create_app(web_config, web_brain), web_brain)


@pytest.fixture(scope="session")
def server(web) -> Iterator[str]:
    """The application on a port of this machine, for a real browser."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(web.app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
