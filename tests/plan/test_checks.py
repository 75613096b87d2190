from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from gtm_opt.carving import CarveOptions, carve
from gtm_opt.model import Balance, CarvingProblem, Count, KeepOwner, MaxMoved, Pin
from gtm_opt.plan import Plan, build_plan
from tests.plan.conftest import make_plan


def test_a_sound_plan_holds_and_says_what_was_checked(plan: Plan) -> None:
    check = plan.check()
    assert check.ok
    assert len(check.checked) == 6
    assert str(check).startswith("everything holds (6 checks)")


def test_a_band_that_is_broken_is_a_violation_with_its_territory() -> None:
    accounts = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 3.0, 2.0]})
    problem = CarvingProblem(accounts, 2, [Balance("arr", 0.05)])
    carving = carve(problem, start={"a": "T1", "b": "T1", "c": "T2", "d": "T2"}, solver="round_robin")
    check = Plan(carving).check()
    if carving.check.ok:
        return
    assert check.violations["rule"].tolist() == ["band of arr"] * 2
    assert not check.ok
    assert not check.kept


def test_what_gave_way_by_force_is_told_apart_from_violations(tmp_path: Path) -> None:
    accounts = pd.DataFrame({"account_id": list("abc"), "arr": [10.0, 1.0, 1.0]})
    problem = CarvingProblem(accounts, 2, [Balance("arr", 0.05)])
    plan = build_plan(problem, options=CarveOptions(solver="lpt", on_infeasible="nearest"))
    for found in (plan, Plan(plan.carving), _saved(plan, tmp_path)):
        check = found.check()
        assert not check.ok
        assert check.kept
        assert len(check.violations) == 0
        assert check.relaxed["rule"].tolist() == ["band of arr"] * 2
        assert "T1 holds 10" in check.relaxed["detail"][0]
        assert "(by force: account a alone is 166.7 % of the target)" in check.relaxed["detail"][0]
        assert "target rescaled to the remainder" in check.relaxed["detail"][1]
        assert str(check).startswith(
            "everything that can hold does, 2 relaxed because infeasible (1 checks)\n~ carving, band of"
        )
        assert found.tables["violations"]["forced"].tolist() == [True, True]
    assert not any("on_infeasible" in note for note in plan.carving.notes)
    assert any(note.endswith("as a named account of its own, or split it.") for note in plan.carving.notes)


def _saved(plan: Plan, folder: Path) -> Plan:
    plan.save(folder / "plan")
    return Plan.load(folder / "plan")


def test_a_violation_beside_what_gave_way_is_still_a_violation() -> None:
    """The giant's place and what it leaves give way; a count that is far off could be mended."""
    accounts = pd.DataFrame({"account_id": [f"a{i}" for i in range(13)], "arr": [100.0] + [1.0] * 12})
    problem = CarvingProblem(accounts, 3, [Balance("arr", 0.05), Count(0.2)])
    carving = carve(problem, on_infeasible="nearest", solver="lpt")
    assert carving.violations.loc[carving.violations["rule"] == "band of arr", "forced"].all()
    labels = carving.labels.copy()
    home = labels["a0"]
    others = [t for t in problem.territories.names if t != home]
    labels[:] = others[0]
    labels["a0"] = home
    worse = replace(carving, unit_leaf=pd.Index(problem.territories.names).get_indexer(pd.Index(labels)))
    check = Plan(worse).check()
    assert not check.kept
    assert "band of accounts" in set(check.violations["rule"])
    assert "band of arr" in set(check.relaxed["rule"])
    assert "proven" in set(check.notes["rule"])
    assert " violation" in str(check).splitlines()[0]
    assert "relaxed because infeasible" in str(check).splitlines()[0]


def test_moves_that_pins_force_over_the_cap_gave_way(tmp_path: Path) -> None:
    ids = [f"a{i}" for i in range(10)]
    accounts = pd.DataFrame({"account_id": ids, "owner": ["T1"] * 5 + ["T2"] * 5})
    rules = [Pin({"a0": "T2", "a1": "T2", "a5": "T1", "a6": "T1"}), MaxMoved(0.2)]
    problem = CarvingProblem(accounts, 2, [Count(0.2)], [KeepOwner()], rules)
    plan = Plan(carve(problem, on_infeasible="nearest"))
    for found in (plan, _saved(plan, tmp_path)):
        check = found.check()
        assert check.kept
        assert check.relaxed["rule"].tolist() == ["at most 20 % of accounts moved"]
        assert "pins, forbids and families alone move as much" in check.relaxed["detail"][0]


def test_a_territory_nobody_covers_is_a_violation(plan: Plan) -> None:
    assert plan.staffing is not None
    roster = plan.staffing.roster
    check = replace(plan, staffing=replace(plan.staffing, roster=roster[roster["seat_id"] != "r1"])).check()
    assert check.violations["rule"].tolist() == ["staffed or covered"]
    assert "nobody in r1 from" in str(check)


def test_a_rep_in_two_seats_is_a_violation(plan: Plan) -> None:
    assert plan.staffing is not None
    table = plan.staffing.table.copy()
    table.loc[1, "rep_id"] = "r1"
    check = replace(plan, staffing=replace(plan.staffing, table=table)).check()
    assert "r1 sits in 'r1', 'r2'" in str(check)


def test_quotas_that_do_not_tie_out_are_a_violation(plan: Plan) -> None:
    assert plan.quotas is not None
    table = plan.quotas.table.copy()
    leaf = table.index[table["is_leaf"]][0]
    table.loc[leaf, "quota"] += 1_000
    check = replace(plan, quotas=replace(plan.quotas, table=table)).check()
    assert check.violations["rule"].tolist() == ["tie-out"]
    assert "1,000" in check.violations["detail"][0] or "instead of" in check.violations["detail"][0]


def test_stages_about_other_territories_are_a_violation(plan: Plan) -> None:
    assert plan.staffing is not None
    table = plan.staffing.table.replace({"territory": {"r6": "r7"}})
    check = replace(plan, staffing=replace(plan.staffing, table=table)).check()
    details = " ".join(check.violations["detail"])
    assert "1 territory missing: 'r6'" in details
    assert "'r7'" in details


def test_open_seats_and_thin_coverage_are_notes_not_violations(plan: Plan) -> None:
    rules = set(plan.check().notes["rule"])
    assert "open seats with a cover" in rules
    poor = make_plan(target=40_000_000).check()
    assert poor.ok
    assert "covers the target" in set(poor.notes["rule"])
