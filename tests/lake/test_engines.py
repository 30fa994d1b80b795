"""The same questions on other engines and other stores give the same figures."""

import shutil
import socket
import subprocess
import sys
import time

import pytest

from ronghe.brain import Brain
from ronghe.config import Config, load_config
from ronghe.errors import ConfigError
from ronghe.intake import ingest_reference, ingest_sandbox

ASKS = [
    ("structure", {"table": "sandbox-2025-8"}),
    ("indicators", {"indicator": "rd_intensity"}),
    ("chain", {"chain": "sandbox"}),
]


@pytest.fixture(params=["duckdb", pytest.param("pyspark://local[1]", marks=pytest.mark.spark)])
def engine(request):
    if request.param != "duckdb":
        pytest.importorskip("pyspark")
        if shutil.which("java") is None:
            pytest.skip("needs Java for PySpark")
    return request.param


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::UserWarning")
def test_one_question_on_every_engine(engine, sandbox_lake, brain):
    other = Brain(Config(lake=sandbox_lake, engine=engine))
    for lens, params in ASKS:
        assert other.ask(lens, fresh=True, **params).json == brain.ask(lens, **params).json


def test_an_unknown_engine_says_which_there_are(sandbox_lake):
    with pytest.raises(ConfigError) as caught:
        Brain(Config(lake=sandbox_lake, engine="abacus")).ask("chain", chain="sandbox", fresh=True)
    assert "duckdb" in caught.value.known


@pytest.fixture
def bucket(monkeypatch):
    """An object store of its own process: in ours it would wait for the lock that its client holds."""
    pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    settings = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        boto3.client("s3", endpoint_url=address, region_name="us-east-1").create_bucket(Bucket="brain")
        yield "s3://brain/lake"
    finally:
        server.terminate()
        server.wait()


def test_a_lake_in_an_object_store(bucket, brain):
    remote = Brain(load_config({"lake": bucket}, environ={}))
    ingest_reference(remote)
    assert all(r.new for r in ingest_sandbox(remote))
    assert not any(r.new for r in ingest_sandbox(remote))
    for lens, params in ASKS:
        there, here = remote.ask(lens, fresh=True, **params), brain.ask(lens, **params)
        for name, result in here.tables.items():
            assert there.tables[name].data.equals(result.data)
    assert remote.find(there.id).id == there.id
    assert there.trace("top_share", 0).origins
