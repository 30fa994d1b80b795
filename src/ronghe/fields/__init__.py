"""Definitions of fields of science and technology, one TOML file each."""
