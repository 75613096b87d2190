"""Accounts held to a team by rule: kept by re-solves, frontiers, explanations, checks and impossibility proofs."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from tests.carving.tree_problems import tree_problem

TEAMS = {"enterprise": ["T01", "T02", "T03"], "smb": [f"T{k:02d}" for k in range(4, 13)]}
SEGMENTS = gtm.Segments("segment", TEAMS)


def wrong_team(carving: gtm.Carving) -> int:
    """Return how many accounts are not with their segment's team."""
    placed = carving.accounts
    return sum(t not in TEAMS[s] for s, t in zip(placed["segment"], placed["territory"], strict=True))


@pytest.fixture(scope="module")
def carving() -> gtm.Carving:
    return gtm.carve(tree_problem(balance=[gtm.Count(0.2)]), hierarchy=SEGMENTS, effort=0.1)


def test_segments_are_a_rule_of_the_carvings_problem(carving: gtm.Carving) -> None:
    rule = carving.problem.rules[-1]
    assert isinstance(rule, gtm.Within)
    assert (rule.name, dict(rule.teams)) == ("within segment", {s: tuple(t) for s, t in TEAMS.items()})
    assert wrong_team(carving) == 0


def test_a_level_by_hand_is_a_rule_that_leaves_others_free() -> None:
    tree = gtm.Hierarchy.from_dict({"East": TEAMS["enterprise"], "West": TEAMS["smb"]})
    given = {"A-0000": "West", "A-0001": "East", "A-0002": "T02"}
    carving = gtm.carve(tree_problem(balance=[gtm.Count(0.2)]), hierarchy=tree, fixed_nodes=given, effort=0.1)
    assert carving.labels["A-0000"] in TEAMS["smb"]
    assert carving.labels["A-0001"] in TEAMS["enterprise"]
    assert carving.labels["A-0002"] == "T02"
    assert "It is in node East by rule." in str(carving.explain("A-0001"))
    assert "rule" not in str(carving.explain("A-0003"))
    again = gtm.carve(carving.problem, hierarchy="flat", effort=0.1, seed=5)
    assert again.labels["A-0000"] in TEAMS["smb"]
    assert again.labels["A-0002"] == "T02"


def test_explanations_name_the_segment_and_forced_carves_stay_within_it(carving: gtm.Carving) -> None:
    found = carving.explain("A-0000", exact=True)
    assert "It is in segment enterprise by rule." in str(found)
    assert found.next_best in TEAMS["enterprise"]
    assert np.isinf(found.options.loc[found.options["option"] == "smb", "total"].iloc[0])
    assert found.forced_cost is not None
    assert np.isfinite(found.forced_cost)


def test_whatever_carves_again_keeps_the_rule(carving: gtm.Carving) -> None:
    assert wrong_team(gtm.recarve_subtree(carving, seed=3, effort=0.1, from_here=False)) == 0
    assert wrong_team(gtm.recarve(carving, carving.problem, effort=0.1)) == 0
    assert wrong_team(gtm.carve(carving.problem, hierarchy="flat", effort=0.1)) == 0


def test_carving_by_the_same_segments_again_adds_no_second_rule(carving: gtm.Carving) -> None:
    again = gtm.carve(carving.problem, hierarchy=SEGMENTS, effort=0.1)
    assert [r.name for r in again.problem.rules] == ["within segment"]
    assert again.problem.fingerprint == carving.problem.fingerprint
    assert (again.labels == carving.labels).all()


def test_a_frontier_of_segments_measures_targets_within_them() -> None:
    problem = tree_problem(count=120, balance=[gtm.Count(0.2)], prefer=[gtm.KeepOwner()])
    found = gtm.frontier(problem, points=3, hierarchy=SEGMENTS, effort=0.05)
    kept = [c for c in found.carvings if c is not None]
    assert all(wrong_team(c) == 0 for c in kept)
    assert found.table["stretch"].iloc[0] <= 1.0


def test_a_check_names_accounts_outside_their_team(carving: gtm.Carving) -> None:
    labels = carving.labels.copy()
    labels["A-0000"] = "T12"
    violations = gtm.check(carving.problem, labels).violations
    text = violations.loc[violations["rule"] == "within segment", "detail"].tolist()
    assert text == ["'A-0000' is in segment enterprise by rule, but T12 is not of its team"]


def test_contradictions_with_other_rules_are_found_before_any_search() -> None:
    team = gtm.Within({"enterprise": ["T01", "T02"]}, by="segment")
    enterprise = [f"A-{4 * i:04d}" for i in range(3)]
    for rule, text in (
        (gtm.Pin({"A-0000": "T12"}), r"Pin and Within must not contradict each other.*'A-0000 -> T12'"),
        (gtm.Forbid([("A-0000", "T01"), ("A-0000", "T02")]), r"Forbid and Within must leave every account.*'A-0000'"),
        (gtm.KeepApart([enterprise]), r"KeepApart and Within.*3 accounts for 2 territories"),
    ):
        with pytest.raises(gtm.DataError, match=text):
            tree_problem(rules=[team, rule])
    both = gtm.Within({"enterprise": ["T01"], "smb": ["T02"]}, by="segment")
    with pytest.raises(gtm.DataError, match=r"Within and KeepTogether must leave every family.*12 accounts"):
        tree_problem(rules=[both, gtm.KeepTogether("family")])
    with pytest.raises(gtm.DataError, match=r"(?s)must name known territories.*'T99'.*column"):
        tree_problem(rules=[gtm.Within({"smb": ["T99"]}, by="segment"), gtm.Within({"x": ["T01"]}, by="nothing")])
    with pytest.raises(gtm.DataError, match="a list of territories per group, got a text for 'smb'"):
        gtm.Within({"smb": "T01"}, by="segment")


def test_families_of_two_teams_go_where_both_may() -> None:
    teams = gtm.Within({"enterprise": ["T01", "T02"], "smb": [f"T{k:02d}" for k in range(2, 13)]}, by="segment")
    problem = tree_problem(balance=[gtm.Count(0.9)], rules=[teams, gtm.KeepTogether("family")])
    carving = gtm.carve(problem, hierarchy="flat", effort=0.1, on_infeasible="nearest")
    assert carving.labels["A-0000"] == carving.labels["A-0001"] == "T02"
    assert not carving.check.violations["rule"].str.startswith("within").any()


def test_a_group_too_large_for_its_team_is_proven_impossible() -> None:
    problem = tree_problem(rules=[gtm.Within({"enterprise": ["T01"]}, by="segment")])
    with pytest.raises(
        gtm.InfeasibleError, match=r"accounts of segment enterprise hold 60 accounts.*\('T01'\) may have 23"
    ):
        gtm.carve(problem)


def test_rules_of_several_columns_hold_together() -> None:
    rules = [
        gtm.Within({"enterprise": ["T01", "T02", "T03", "T04"]}, by="segment"),
        gtm.Within({"bank": [f"T{k:02d}" for k in range(3, 13)]}, by="industry"),
    ]
    carving = gtm.carve(tree_problem(balance=[gtm.Count(0.9)], rules=rules), effort=0.1)
    both = carving.accounts.query("segment == 'enterprise' and industry == 'bank'")
    assert set(both["territory"]) <= {"T03", "T04"}
    assert carving.check.ok


def test_solvers_that_know_no_rules_are_refused() -> None:
    with pytest.raises(gtm.SolverError, match="does not know pins, forbids, teams"):
        gtm.carve(tree_problem(), hierarchy=SEGMENTS, solver="multifit")


def test_a_saved_plan_keeps_its_segments(carving: gtm.Carving, tmp_path: object) -> None:
    gtm.Plan(carving).save(f"{tmp_path}/plan")
    again = gtm.Plan.load(f"{tmp_path}/plan").carving
    assert again.problem.fingerprint == carving.problem.fingerprint
    assert str(again.explain("A-0000")) == str(carving.explain("A-0000"))
    pd.testing.assert_frame_equal(again.balance, carving.balance)
    assert wrong_team(gtm.recarve_subtree(again, seed=3, effort=0.1, from_here=False)) == 0


def test_new_data_carved_by_the_same_segments_gets_targets_of_its_own(carving: gtm.Carving) -> None:
    accounts = carving.problem.accounts.reset_index(drop=True)
    fewer = carving.problem.replace(
        accounts=accounts[~accounts["account_id"].isin([f"A-{4 * i:04d}" for i in range(30)])]
    )
    again = gtm.recarve(carving, fewer, hierarchy=SEGMENTS, effort=0.1)
    target = again.balance.query("criterion == 'accounts'").set_index("territory")["target"]
    assert target["T01"] == pytest.approx(10)
    assert target["T04"] == pytest.approx(20)
    assert wrong_team(again) == 0


def test_threads_carve_the_same_plan_within_teams(carving: gtm.Carving) -> None:
    with ThreadPoolExecutor(2) as pool:
        again = gtm.carve(carving.problem, hierarchy=carving.hierarchy, effort=0.1, executor=pool)
    assert (again.labels == carving.labels).all()
    term = pickle.loads(pickle.dumps(carving.compiled.instance.cost[carving.compiled.cost_names.index("segment")]))
    assert np.isinf(term.block(slice(0, 5))).any()
