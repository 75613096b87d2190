"""Segments with teams of their own, levels made by hand, settings per level."""

from __future__ import annotations

import pandas as pd
import pytest

import gtm_opt as gtm
from tests.carving.tree_problems import tree_problem

TEAMS = {"enterprise": ["T01", "T02", "T03"], "smb": [f"T{k:02d}" for k in range(4, 13)]}


def test_every_account_goes_to_its_segments_own_team() -> None:
    carving = gtm.carve(tree_problem(), hierarchy=gtm.Segments("segment", TEAMS), effort=0.2)
    placed = carving.accounts.groupby("segment")["territory"].unique()
    assert set(placed["enterprise"]) == set(TEAMS["enterprise"])
    assert set(placed["smb"]) == set(TEAMS["smb"])
    assert carving.nodes["status"].iloc[0] == "optimal"


def test_targets_inside_a_segment_are_shares_of_what_the_segment_has() -> None:
    problem = tree_problem(balance=[gtm.Count(0.15), gtm.Mix("industry", 0.6)])
    carving = gtm.carve(problem, hierarchy=gtm.Segments("segment", TEAMS), effort=0.2)
    balance = carving.balance[carving.balance["criterion"] == "accounts"].set_index("territory")
    assert balance.loc["T01", "target"] == pytest.approx(60 / 3)
    assert balance.loc["T04", "target"] == pytest.approx(180 / 9)
    assert {"industry=bank", "industry=retail"} <= set(carving.balance["criterion"])
    assert carving.balance["within"].all()


def test_segments_without_a_team_are_named() -> None:
    with pytest.raises(gtm.DataError, match=r"180 accounts of 'smb'"):
        everybody = [f"T{k:02d}" for k in range(1, 13)]
        gtm.carve(tree_problem(), hierarchy=gtm.Segments("segment", {"enterprise": everybody}, max_buckets=12))


def test_territories_without_a_segment_and_named_twice_are_refused() -> None:
    with pytest.raises(gtm.DataError, match=r"must name every territory.*'T12'"):
        gtm.carve(tree_problem(), hierarchy=gtm.Segments("segment", {**TEAMS, "smb": TEAMS["smb"][:-1]}))
    with pytest.raises(gtm.DataError, match=r"each territory once.*'T01'"):
        gtm.carve(tree_problem(), hierarchy=gtm.Segments("segment", {**TEAMS, "smb": [*TEAMS["smb"], "T01"]}))


def test_pins_and_families_across_segments_are_refused() -> None:
    segments = gtm.Segments("segment", TEAMS)
    with pytest.raises(gtm.DataError, match=r"pinned outside.*'A-0000'"):
        gtm.carve(tree_problem(rules=[gtm.Pin({"A-0000": "T12"})]), hierarchy=segments)
    with pytest.raises(gtm.DataError, match="24 accounts are in families"):
        gtm.carve(tree_problem(rules=[gtm.KeepTogether("family")]), hierarchy=segments)


def test_a_level_made_by_hand_is_kept_and_carved_below() -> None:
    tree = gtm.Hierarchy.from_dict({"East": [f"T{k:02d}" for k in range(1, 7)], "West": TEAMS["smb"][3:]})
    problem = tree_problem()
    by_hand = problem.accounts["lon"].map(lambda lon: "East" if lon > -100 else "West")
    carving = gtm.carve(problem, hierarchy=tree, fixed_nodes=by_hand, effort=0.2, on_infeasible="nearest")
    assert (carving.level(1).set_index("account_id")["node"] == by_hand).all()
    count = carving.level_table(1).query("criterion == 'accounts'").set_index("node")
    assert count.loc["East", "target"] == pytest.approx((by_hand == "East").sum())


def test_a_level_by_hand_names_unknown_nodes() -> None:
    tree = gtm.Hierarchy.split([f"T{k:02d}" for k in range(1, 13)])
    with pytest.raises(gtm.DataError, match=r"must name nodes of the hierarchy.*'Nort'"):
        gtm.carve(tree_problem(), hierarchy=tree, fixed_nodes={"A-0000": "Nort"})


def test_a_level_can_have_its_own_tolerance_and_criteria() -> None:
    problem = tree_problem(balance=[gtm.Balance("arr", 0.2), gtm.Count(0.2)])
    free = {"level 1": gtm.Level(tolerance=0.01, balance=["accounts"])}
    carving = gtm.carve(problem, tree=gtm.TreeOptions(levels=free), effort=0.2)
    count = carving.level_table(1).query("criterion == 'accounts'")
    assert count["deviation"].abs().max() <= 0.01 + 1e-9


def test_levels_that_do_not_exist_are_refused_with_all_findings() -> None:
    levels = {"regon": gtm.Level(tolerance=0.01), "level 1": gtm.Level(balance=["arrr"], prefer=["nearby"])}
    with pytest.raises(gtm.DataError, match=r"(?s)'regon'.*'arrr'.*'nearby'"):
        gtm.carve(tree_problem(), tree=gtm.TreeOptions(levels=levels))
    with pytest.raises(gtm.DataError, match="got 2"):
        gtm.Level(tolerance=2)


def test_problem_tables_are_not_changed_by_segments() -> None:
    problem = tree_problem(balance=[gtm.Mix("industry", 0.9), gtm.Count(0.3)])
    before = problem.accounts.copy()
    gtm.carve(problem, hierarchy=gtm.Segments("segment", TEAMS), effort=0.1)
    pd.testing.assert_frame_equal(problem.accounts, before)
