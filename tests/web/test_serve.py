"""``ronghe serve``: for this machine alone unless it is told to be public."""

from types import SimpleNamespace
from typing import Any

import pytest

from ronghe.cli.serve import serve
from ronghe.cli.state import State
from ronghe.errors import ConfigError


def run(lake: str, **flags: Any) -> None:
    serve(SimpleNamespace(obj=State({"lake": lake})), **flags)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::"])
def test_another_host_than_this_machine_needs_public(web_config, host):
    with pytest.raises(ConfigError) as said:
        run(web_config.lake, host=host)
    assert said.value.code == "serve_public"
    assert host in said.value.say("zh")


def test_this_machine_is_served_without(web_config, monkeypatch):
    import uvicorn

    seen = {}
    monkeypatch.setattr(uvicorn.Server, "run", lambda self: seen.update(host=self.config.host, port=self.config.port))
    run(web_config.lake, port=8699)
    assert seen == {"host": "127.0.0.1", "port": 8699}
