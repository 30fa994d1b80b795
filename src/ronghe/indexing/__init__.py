"""Indicator systems: read from files, checked, and filled with the lake's figures."""
