"""Where rows are kept: ACID tables, every load a new version, bad rows in quarantine with a reason."""
