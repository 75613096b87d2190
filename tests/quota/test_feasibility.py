"""Before anything runs: what each node can get, which bounds clash, and the cheapest way out, proven."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings

import gtm_opt as gtm
from tests.quota.test_cascade import tree_of
from tests.quota.test_fair_quotas import all_allocations, small_trees

PARENTS = {"root": None, "x": "root", "y": "root", "x1": "x", "x2": "x", "y1": "y"}


def test_every_node_has_a_range_and_a_slack() -> None:
    bounds = pd.DataFrame(
        {"node_id": ["x1", "x2", "y"], "floor": [30_000, 10_000, None], "cap": [40_000, 30_000, 50_000]}
    )
    state = gtm.check_feasibility(tree_of(PARENTS), 100_000, bounds=bounds)
    table = state.table.set_index("node_id")
    assert state.is_feasible
    assert state.conflict.empty
    assert state.relaxation().empty
    assert table.loc["x", ["least", "most", "slack"]].tolist() == [40_000, 70_000, 30_000]
    assert table.loc["x", ["lowest", "highest"]].tolist() == [50_000, 70_000]
    assert table.loc["y", ["lowest", "highest"]].tolist() == [30_000, 50_000]
    assert "is possible. Tightest: 'x1' with a slack of 10,000" in state.summary()


def test_an_impossible_plan_names_who_how_much_and_the_cheapest_way_out() -> None:
    bounds = pd.DataFrame(
        {"node_id": ["x1", "x2", "y1"], "floor": [60_000, 50_000, 1_000], "cap": [None, None, 90_000]}
    )
    state = gtm.check_feasibility(tree_of(PARENTS), 100_000, bounds=bounds)
    assert not state.is_feasible
    assert state.conflict.to_dict("list") == {
        "node_id": ["x1", "x2"],
        "bound": ["floor", "floor"],
        "amount": [60_000, 50_000],
    }
    cheapest = state.relaxation()
    assert cheapest["change"].sum() == -11_000
    assert cheapest.attrs["status"] == "optimal"
    assert cheapest.attrs["cost"] == pytest.approx(cheapest.attrs["bound"]) == 11_000
    dear = state.relaxation(costs={"x1": 5.0, "y1": 0.1})
    assert dict(zip(dear["node_id"], dear["change"], strict=True)) == {"x2": -10_000, "y1": -1_000}
    with pytest.raises(gtm.DataError, match=r"(?s)must only name nodes.*must be above 0"):
        state.relaxation(costs={"z": 1.0, "x1": 0.0})
    with pytest.raises(gtm.InfeasibleError, match="check_feasibility names the conflicting bounds"):
        gtm.cascade(tree_of(PARENTS), 100_000, bounds=bounds)


@settings(max_examples=50)
@given(small_trees(over=(0.0, 0.5, -0.3)))
def test_ranges_conflicts_and_relaxations_equal_brute_force(case) -> None:
    from fractions import Fraction

    ids, parents, children, _, rows, assign, plan = case
    tree = gtm.Hierarchy.from_frame(pd.DataFrame({"node_id": ids, "parent_id": parents}))
    floor = {n: r[0] for n, r in rows.items() if r[0] is not None}
    cap = {n: r[1] for n, r in rows.items() if r[1] is not None}
    frame = pd.DataFrame(
        {"node_id": list(rows), "floor": [r[0] for r in rows.values()], "cap": [r[1] for r in rows.values()]}
    )
    factor = {n: 1 + Fraction(str(assign[n])) for n in children}
    state = gtm.check_feasibility(tree, plan, bounds=frame if len(frame) else None, over_assign=assign, unit=1)
    every = list(all_allocations(children, factor, floor, cap, "co", plan))
    assert state.is_feasible == bool(every)
    table = state.table.set_index("node_id")
    if every:
        for leaf in every[0]:
            assert table.loc[leaf, "lowest"] <= min(a[leaf] for a in every)
            assert table.loc[leaf, "highest"] >= max(a[leaf] for a in every)
        return
    conflict = list(state.conflict[["node_id", "bound"]].itertuples(index=False, name=None))

    def possible(kept) -> bool:
        low = {n: floor[n] for n, kind in kept if kind == "floor"}
        high = {n: cap[n] for n, kind in kept if kind == "cap"}
        return any(True for _ in all_allocations(children, factor, low, high, "co", plan))

    assert not possible(conflict)
    assert all(possible([b for b in conflict if b != left]) for left in conflict)
    relaxed = state.relaxation()
    changes = {(r.node_id, r.bound): r.new_amount for r in relaxed.itertuples()}
    new_floor = {n: changes.get((n, "floor"), v) for n, v in floor.items()}
    new_cap = {n: changes.get((n, "cap"), v) for n, v in cap.items()}
    assert next(all_allocations(children, factor, new_floor, new_cap, "co", plan), None) is not None
    assert relaxed["change"].abs().sum() == pytest.approx(relaxed.attrs["bound"])
    # no cheaper change exists: all allocations without bounds, each with what it would need
    if plan <= 4:
        costs = []
        for leaves in all_allocations(children, factor, {}, {}, "co", plan):
            costs.append(sum(max(floor.get(n, 0) - q, 0) + max(q - cap.get(n, 99), 0) for n, q in leaves.items()))
        inner = [n for n in rows if n in children]
        if not inner and all(a == 0 for a in assign.values()):
            assert min(costs) == relaxed["change"].abs().sum()


def test_a_conflict_of_thousands_of_bounds_is_named_at_once_and_says_what_it_is_not() -> None:
    names = [f"s{n:04d}" for n in range(2_000)]
    tree = gtm.Hierarchy.from_reps(pd.DataFrame({"rep_id": names, "m": "m"}), levels=["m"], max_buckets=2_000)
    bounds = pd.DataFrame({"node_id": names, "cap": 10_000})
    state = gtm.check_feasibility(tree, 20_001_000, bounds=bounds)
    assert len(state.conflict) == 2_000
    assert not state.conflict.attrs["is_irreducible"]
    assert "These bounds clash: cap of 's0000' 10,000; " in state.summary()
    assert state.summary().endswith("and 1995 more.")
