"""What every test shares: where real data is, and that nothing reaches the network."""

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Spark's workers run the Python of the tests, where Ronghe is; a context reads it once, when it is made.
os.environ["PYSPARK_PYTHON"] = sys.executable


def mirror_path() -> Path | None:
    """The folder of real data: RONGHE_MIRROR, else the folder beside the checkout, else none."""
    named = os.environ.get("RONGHE_MIRROR")
    folder = Path(named) if named else ROOT.parent / "shared" / "mirror"
    return folder if folder.is_dir() else None


def chromium() -> str:
    """Where headless Chromium is; its tests are skipped by name without it, but never where CI promised it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("NEED_BROWSER"):
            pytest.fail("NEED_BROWSER is set and there is no Chromium")
        pytest.skip("needs headless Chromium")
    return found


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The mirror of real data; tests that need it are skipped by name without it."""
    folder = mirror_path()
    if folder is None:
        pytest.skip("needs the mirror of real data (set RONGHE_MIRROR)")
    return folder


@pytest.fixture(scope="session")
def sandbox_lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake with the built-in invented economy; tests that write copy it."""
    from ronghe.brain import Brain
    from ronghe.config import Config
    from ronghe.intake import ingest_reference, ingest_sandbox

    brain = Brain(Config(lake=str(tmp_path_factory.mktemp("sandbox") / "lake")))
    ingest_reference(brain)
    ingest_sandbox(brain)
    return brain.config.lake


@pytest.fixture
def brain(sandbox_lake: str):
    """A brain on the sandbox lake."""
    from ronghe.brain import Brain
    from ronghe.config import Config

    return Brain(Config(lake=sandbox_lake))
