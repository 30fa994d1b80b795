"""Ronghe (融合): an open-source industry brain."""
