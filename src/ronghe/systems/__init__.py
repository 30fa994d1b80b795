"""Indicator systems that come with the package, one TOML file each."""
