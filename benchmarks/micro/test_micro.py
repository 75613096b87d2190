"""Timed pieces of work; run with ``python -m pytest benchmarks/micro --benchmark-compare``."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.micro.work import SIZE, WORK

pytest.importorskip("pytest_benchmark")


@pytest.mark.parametrize("name", sorted(WORK))
def test_speed(name: str, benchmark: Any) -> None:
    benchmark.pedantic(WORK[name](SIZE), rounds=5, iterations=1, warmup_rounds=1)
