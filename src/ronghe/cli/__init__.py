"""The commands. Each lens becomes one from its signature; they compute nothing, they show what the brain says."""

from ronghe.cli.main import main

__all__ = ["main"]
