"""Killed at any moment of a save, the old plan or the new one is at the path."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.plan import store
from gtm_opt.plan.exchange import exchange

WRITER = """
import sys, pandas as pd, gtm_opt as gtm
frame = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 2.0, 1.0]})
plan = gtm.Plan(gtm.carve(gtm.CarvingProblem(frame, 2, [gtm.Balance("arr")]), solver="lpt"))
print("ready", flush=True)
while True:
    plan.save(sys.argv[1])
"""


def small_plan() -> gtm.Plan:
    frame = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 2.0, 1.0]})
    return gtm.Plan(gtm.carve(gtm.CarvingProblem(frame, 2, [gtm.Balance("arr")]), solver="lpt"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked to exchange folders here")
def test_a_save_killed_at_any_moment_leaves_a_whole_plan(tmp_path: Path) -> None:
    small_plan().save(tmp_path / "p")
    chance = random.Random(3)
    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "p")], stdout=subprocess.PIPE, text=True
        )
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0.0, 0.2))
        finally:
            writer.kill()
            writer.wait()
            writer.stdout.close()
        assert gtm.Plan.load(tmp_path / "p").carving.problem.n_accounts == 4


def test_folders_of_earlier_crashes_are_removed_once_they_are_old(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".p.x1.new", tmp_path / ".p.x2.old"
    for leftover in (old, fresh):
        leftover.mkdir()
    long_ago = time.time() - 2 * store.LEFTOVER_SECONDS
    os.utime(old, (long_ago, long_ago))
    small_plan().save(tmp_path / "p")
    assert not old.exists()
    assert fresh.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked to exchange folders here")
def test_an_exchange_swaps_two_folders(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot exchange folders")
    assert (tmp_path / "a" / "b").exists()
    assert (tmp_path / "b" / "a").exists()
    assert not exchange(tmp_path / "a", tmp_path / "nobody")
