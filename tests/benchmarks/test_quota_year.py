"""The benchmarks of cubes and reconciliation run, and agree with the plain scripts beside them."""

from __future__ import annotations

from benchmarks.quota_year import main


def test_cubes_and_reconciliation_run_at_a_small_size_with_their_proofs() -> None:
    table = main(["small"])
    assert table["case"].str.contains("reconcile").sum() == 2
    assert table["proof"].iloc[0] == "optimal"
    difference = table["proof"].iloc[2].rsplit(" ", 1)[1]
    assert float(difference) < 1e-9
