"""Benchmarks: protocol, instance readers and generators, runner, tables. Not part of the wheel."""
