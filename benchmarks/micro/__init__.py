"""Micro-benchmarks with fixed iterations, to catch regressions: ``pytest benchmarks/micro`` (pytest-benchmark)."""
