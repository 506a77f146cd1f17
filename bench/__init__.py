"""Measurements: run by hand, each on its own, never by the checks."""
