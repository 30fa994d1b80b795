"""Ronghe (融合): an open-source industry brain. Every figure traces to its source row, its formula and its paper."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ronghe.brain import Answer, Brain
    from ronghe.config import Config
    from ronghe.errors import RongheError

__version__ = "0.1.0"

__all__ = ["Answer", "Brain", "Config", "RongheError", "__version__", "open"]


def open(lake: str | None = None, *, version: int | None = None, **settings: Any) -> "Brain":
    """Open a lake.

    Parameters
    ----------
    lake : a folder or an object-store address; the configured one when not named.
    version : a version of the lake to pin; the newest when not named.
    settings : any setting of ``ronghe.Config``, such as ``engine="pyspark://local[2]"``.

    Raises
    ------
    ConfigError : a setting is unknown or malformed.
    """
    from ronghe.brain import Brain
    from ronghe.config import load_config

    return Brain(load_config({"lake": lake, **settings}), version=version)


def __getattr__(name: str) -> Any:
    """The public classes, imported when first asked for: ``import ronghe`` stays light."""
    from importlib import import_module

    rooms = {
        "Answer": "ronghe.brain",
        "Brain": "ronghe.brain",
        "Config": "ronghe.config",
        "RongheError": "ronghe.errors",
    }
    if name in rooms:
        return getattr(import_module(rooms[name]), name)
    raise AttributeError(f"module 'ronghe' has no attribute {name!r}")
