"""A switch stops a carve from outside, and the best plan so far comes back with a word that says so."""

from __future__ import annotations

import logging
import pickle
import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.solvers import Run, Termination


def problem(n: int = 400, k: int = 8) -> gtm.CarvingProblem:
    rng = np.random.default_rng(1)
    accounts = pd.DataFrame(
        {
            "account_id": [f"A{i:04d}" for i in range(n)],
            "arr": rng.lognormal(10, 1, n).round(),
            "owner": [f"T{j}" for j in rng.integers(0, k, n)],
        }
    )
    bands = [gtm.Balance("arr", tolerance=0.05), gtm.Count(tolerance=0.05, priority=2)]
    return gtm.CarvingProblem(accounts, [f"T{i}" for i in range(k)], bands, gtm.KeepOwner("owner", value="arr"))


class AfterLooks:
    """An Event-like switch that is set once it was looked at so often: no clock decides."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("looks", [0, 1, 5, 40])
def test_a_cancelled_carve_returns_a_whole_plan_that_says_so(looks: int) -> None:
    carving = gtm.carve(problem(), seed=0, cancel=AfterLooks(looks))
    assert carving.termination is gtm.Termination.CANCELLED
    assert carving.assignment["territory"].notna().all()
    assert gtm.check(carving.problem, carving.assignment).score == pytest.approx(carving.check.score)
    assert carving.certificate.bound <= carving.certificate.value


@pytest.mark.parametrize("switch", [gtm.Cancel(), threading.Event()])
def test_a_switch_that_is_never_set_changes_nothing(switch: Any) -> None:
    small = problem(60, 3)
    plain = gtm.carve(small, seed=0, effort=0.1)
    watched = gtm.carve(small, seed=0, effort=0.1, cancel=switch)
    assert watched.assignment.equals(plain.assignment)
    assert watched.termination is plain.termination


def test_a_switch_is_not_kept_with_the_result() -> None:
    carving = gtm.carve(problem(20, 2), effort=0.1, cancel=gtm.Cancel())
    assert carving.options.cancel is None
    assert pickle.loads(pickle.dumps(carving)).assignment.equals(carving.assignment)


def test_a_tree_is_whole_when_it_is_cancelled_between_nodes() -> None:
    tree = gtm.Hierarchy.from_dict({"East": ["T0", "T1", "T2", "T3"], "West": ["T4", "T5", "T6", "T7"]})
    carving = gtm.carve(problem(), hierarchy=tree, seed=0, cancel=AfterLooks(30))
    assert carving.termination is gtm.Termination.CANCELLED
    assert set(carving.assignment["territory"]) == set(tree.leaves)


def test_whole_plans_recarves_and_curves_take_the_switch() -> None:
    stop = gtm.Cancel()
    stop.cancel()
    reps = pd.DataFrame({"rep_id": [f"T{i}" for i in range(8)]})
    plan = gtm.build_plan(problem(), reps, target=1_000_000, options=gtm.CarveOptions(cancel=stop))
    assert plan.carving.termination is gtm.Termination.CANCELLED
    assert plan.quotas is not None
    assert gtm.recarve(plan.carving, problem(), cancel=stop).termination is gtm.Termination.CANCELLED
    assert len(gtm.frontier(problem(), points=5, cancel=stop).table) == 1


def test_parts_of_a_run_stop_with_it() -> None:
    stop = gtm.Cancel()
    run = Run(cancel=stop)
    part = run.within(100.0)
    assert not part.stop()
    stop.cancel()
    assert part.stop()
    assert part.struck is run.struck is Termination.CANCELLED
    assert run.is_called_off


def test_what_is_no_switch_is_refused_by_its_name() -> None:
    with pytest.raises(TypeError, match=r"`cancel` takes a gtm_opt.Cancel or an Event .*, got bool"):
        gtm.carve(problem(20, 2), cancel=True)  # type: ignore[arg-type]


def test_every_stage_is_logged_at_info_and_nothing_is_printed(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    reps = pd.DataFrame({"rep_id": ["T0", "T1", "T2"]})
    with caplog.at_level(logging.INFO, logger="gtm_opt"):
        gtm.build_plan(
            problem(60, 3),
            reps,
            roles=gtm.Role("AE", 1e6),
            calendar=gtm.Calendar("2027-01"),
            target=1_000_000,
            options=gtm.CarveOptions(effort=0.1),
        )
    text = caplog.text
    for said in (
        "carving 60 accounts into 3",
        "checked feasibility",
        "carved all",
        "carving is",
        "capacity of 3",
        "cascaded",
    ):
        assert said in text
    assert {record.name.split(".")[0] for record in caplog.records} == {"gtm_opt"}
    assert capsys.readouterr() == ("", "")


def test_a_bar_appears_by_itself_only_where_somebody_watches_and_only_late(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gtm_opt.carving import progress

    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    gtm.carve(problem(60, 3), effort=0.1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "is_watched", lambda: True)
    gtm.carve(problem(60, 3), effort=0.1)
    assert "1/1" in capsys.readouterr().err
    gtm.carve(problem(60, 3), effort=0.1, progress=False)
    assert capsys.readouterr().err == ""
    gtm.frontier(problem(60, 3), points=3, effort=0.1)
    assert "frontier" in capsys.readouterr().err
    monkeypatch.setattr(progress, "PATIENCE", 3_600.0)
    gtm.carve(problem(60, 3), effort=0.1)
    assert capsys.readouterr().err == ""


def test_nobody_watches_a_thread() -> None:
    from gtm_opt.carving.progress import is_watched

    seen: list[bool] = []
    worker = threading.Thread(target=lambda: seen.append(is_watched()))
    worker.start()
    worker.join()
    assert seen == [False]
