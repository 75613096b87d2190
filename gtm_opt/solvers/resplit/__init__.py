"""Exact re-splits of a few territories, or of a core of units, as large neighborhoods."""
