"""What every test shares: where real data is, and that nothing reaches the network."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def mirror_path() -> Path | None:
    """The folder of real data: RONGHE_MIRROR, else the folder beside the checkout, else none."""
    named = os.environ.get("RONGHE_MIRROR")
    folder = Path(named) if named else ROOT.parent / "shared" / "mirror"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The mirror of real data; tests that need it are skipped by name without it."""
    folder = mirror_path()
    if folder is None:
        pytest.skip("needs the mirror of real data (set RONGHE_MIRROR)")
    return folder
