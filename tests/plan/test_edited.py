"""A plan edited by hand is measured anew and shows no proof of the plan it was."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import gtm_opt as gtm


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    accounts = pd.DataFrame(
        {"account_id": list("ABCDEF"), "rev": [6.0, 5.0, 4.0, 3.0, 2.0, 1.0], "owner": ["T1"] * 3 + ["T2"] * 3}
    )
    problem = gtm.CarvingProblem(accounts, ["T1", "T2"], [gtm.Balance("rev", 0.45)], [gtm.KeepOwner()])
    gtm.Plan(gtm.carve(problem)).save(tmp_path / "p")
    return tmp_path / "p"


def test_an_untouched_plan_keeps_its_proof(saved: Path) -> None:
    assert gtm.Plan.load(saved).carving.status is gtm.SolveStatus.OPTIMAL


def test_an_assignment_edited_by_hand_is_recomputed_and_proven_no_more(saved: Path) -> None:
    table = pd.read_csv(saved / "assignment.csv", dtype=str)
    table["territory"] = ["T2", "T2", "T2", "T1", "T1", "T1"]
    table.to_csv(saved / "assignment.csv", index=False)
    carving = gtm.Plan.load(saved, verify=False).carving
    assert carving.status is gtm.SolveStatus.FEASIBLE
    assert carving.termination is not gtm.Termination.PROVED
    assert carving.certificate.value == carving.certificate.evaluation.objective
    assert "proven best" not in str(carving)
    assert "files were changed after the plan was saved" in " ".join(carving.notes)


def test_a_bound_edited_in_the_manifest_is_not_shown(saved: Path) -> None:
    plan = gtm.Plan.load(saved)
    tight = plan.carving.problem.replace(balance=[gtm.Balance("rev", 0.2)])
    gtm.Plan(gtm.carve(tight)).save(saved)
    path = saved / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["plan"]["carving"]["certificate"]["bound"] = 0.99
    path.write_text(json.dumps(manifest), encoding="utf-8")
    carving = gtm.Plan.load(saved).carving
    assert carving.certificate.bound < 0.99
    assert carving.status is gtm.SolveStatus.FEASIBLE
