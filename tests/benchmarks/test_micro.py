from __future__ import annotations

import pytest

from benchmarks.micro.work import WORK


@pytest.mark.parametrize("name", sorted(WORK))
def test_every_micro_benchmark_builds_and_runs_once(name: str) -> None:
    WORK[name](400)()
