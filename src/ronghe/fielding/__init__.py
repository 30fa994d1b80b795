"""What belongs to a field: definitions read from TOML, and what they catch."""
