"""Sentences by language: zh/*.toml and en/*.toml, the same files with the same keys."""
