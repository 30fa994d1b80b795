"""The words everything else speaks: tables, units, texts, provenance, findings."""
