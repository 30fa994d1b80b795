"""Which organisation a written name means, across sources and languages.

``match`` is the one way in: codes first, then names exact after normalising, then a school's or campus's parent,
then a Splink model on DuckDB; what a user decided stands above all. ``evaluate`` measures it on held-out aliases.
"""
