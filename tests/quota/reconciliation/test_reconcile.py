from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.errors import DataError, InfeasibleError
from gtm_opt.model import Hierarchy
from gtm_opt.quota import cascade
from gtm_opt.quota.reconciliation import reconcile

TREE = Hierarchy.from_dict({"a": ["a1", "a2"], "b": ["b1", "b2", "b3"]}, root="r", levels=("root", "manager", "seat"))


@st.composite
def problems(draw):
    """A random tree, estimates that do not fit together, over-assignment, and now and then bounds."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 14))
    parent = [-1] + [int(rng.integers(max(0, i - 4), i)) for i in range(1, n)]
    depth = [0] * n
    for i in range(1, n):
        depth[i] = depth[parent[i]] + 1
    inner = set(parent)
    table = pd.DataFrame(
        {
            "node_id": [f"n{i:02d}" for i in range(n)],
            "parent_id": [None if p < 0 else f"n{p:02d}" for p in parent],
            "level": [f"L{d}" for d in depth],
            "depth": depth,
            "share": 1.0,
            "is_leaf": [i not in inner for i in range(n)],
        }
    )
    over = {f"n{i:02d}": float(rng.choice([0, 0.05, 0.1])) for i in inner if i >= 0}
    value = np.zeros(n)
    for i in range(n - 1, -1, -1):
        value[i] = rng.integers(20, 80) if i not in inner else value[i] / (1 + over[f"n{i:02d}"])
        if parent[i] >= 0:
            value[parent[i]] += value[i]
    noisy = np.maximum(value * np.exp(rng.normal(0, 0.2, n)), 1.0)
    said = pd.DataFrame({"node_id": table["node_id"], "value": noisy, "sd": rng.uniform(1, 9, n)})
    bounds = pd.DataFrame({"node_id": table["node_id"], "floor": np.floor(value * 0.8), "cap": np.ceil(value * 1.2)})
    return SimpleNamespace(table=table), said, over, bounds


def brute(tree, said, over, bounds, coherent):
    """Solve the same quadratic program with a general solver, from the result."""
    from scipy.optimize import LinearConstraint, minimize

    table = tree.table
    place = {n: i for i, n in enumerate(table["node_id"])}
    rows = []
    for p, factor in over.items():
        row = np.zeros(len(table))
        row[place[p]] = -(1 + factor)
        for child in table.loc[table["parent_id"] == p, "node_id"]:
            row[place[child]] = 1
        rows.append(row)
    z, v = said["value"].to_numpy(), said["sd"].to_numpy() ** 2
    limits = list(zip(bounds["floor"], bounds["cap"], strict=True))
    done = minimize(
        lambda y: float((np.square(y - z) / v).sum()), coherent, jac=lambda y: 2 * (y - z) / v, method="SLSQP",
        bounds=limits, constraints=[LinearConstraint(np.array(rows), 0, 0)], options={"maxiter": 300, "ftol": 1e-14},
    )  # fmt: skip
    return done.fun


@settings(max_examples=60)
@given(problems(), st.booleans())
def test_the_result_is_coherent_within_bounds_and_no_general_solver_finds_a_nearer_one(problem, bounded):
    tree, said, over, bounds = problem
    try:
        rec = reconcile(tree, said, over_assign=over, bounds=bounds if bounded else None, unit=1)
    except InfeasibleError as error:
        assert "no whole number of units" in str(error)
        return
    coherent = rec.table["coherent"].to_numpy()
    limits = bounds if bounded else bounds.assign(floor=0.0, cap=1e9)
    best = brute(tree, said, over, limits, coherent)
    mine = float((np.square(coherent - said["value"]) / np.square(said["sd"])).sum())
    assert mine <= best + 1e-6 * max(1.0, best)
    amounts = rec.amounts
    for node, row in limits.set_index("node_id").iterrows():
        assert row["floor"] <= amounts[node] <= row["cap"]
    assert rec.to_quota().target == amounts["n00"]  # ties out at every edge, or raises
    assert max(rec.solved.errors.values()) < 1e-9


def test_a_chain_of_families_held_by_their_bounds_is_solved_too():
    """Bounds hold every node of a family and of those below it: the Newton system is nearly singular there."""
    parent = {"c": None, "v": "c", "m": "v", "s": "m", "w": "c", "t": "w"}
    leaves = {"s", "t"}
    table = pd.DataFrame({"node_id": list(parent), "parent_id": list(parent.values()), "share": 1.0})
    table["is_leaf"] = table["node_id"].isin(leaves)
    table["depth"] = [0, 1, 2, 3, 1, 2]
    table["level"] = [f"L{d}" for d in table["depth"]]
    said = pd.DataFrame({"node_id": list(parent), "value": [100.0, 20, 95, 18, 90, 10], "sd": [9.0, 1, 9, 1, 9, 1]})
    bounds = pd.DataFrame(
        {"node_id": list(parent), "floor": [90, 49, 50, 51, 39, 40], "cap": [101, 51, 52, 52, 49, 50]}
    )
    rec = reconcile(SimpleNamespace(table=table), said, bounds=bounds, unit=1)
    kept = rec.table.set_index("node_id")["coherent"]
    assert kept["v"] == pytest.approx(kept["s"])
    assert kept["c"] == pytest.approx(kept["v"] + kept["w"])
    assert max(rec.solved.errors.values()) < 1e-9


@settings(max_examples=40)
@given(problems())
def test_it_equals_the_formula_of_minimum_trace(problem):
    tree, said, _, _ = problem
    table = tree.table
    ids = table["node_id"].tolist()
    leaves = table.loc[table["is_leaf"], "node_id"].tolist()
    above = dict(zip(table["node_id"], table["parent_id"], strict=True))
    s = np.zeros((len(ids), len(leaves)))
    for column, leaf in enumerate(leaves):
        node = leaf
        while not pd.isna(node):
            s[ids.index(node), column] = 1
            node = above[node]
    inverse = np.diag(1 / np.square(said["sd"]))
    expected = s @ np.linalg.solve(s.T @ inverse @ s, s.T @ inverse @ said["value"])
    if (expected < 0).any():
        return
    assert reconcile(tree, said, unit=1).table["coherent"].to_numpy() == pytest.approx(expected, rel=1e-8, abs=1e-7)


@settings(max_examples=40)
@given(problems())
def test_a_full_covariance_agrees_with_variances_where_it_is_diagonal_bounds_included(problem):
    tree, said, over, bounds = problem
    ids = said["node_id"]
    matrix = pd.DataFrame(np.diag(np.square(said["sd"])), index=ids, columns=ids)
    try:
        one = reconcile(tree, said, over_assign=over, bounds=bounds, unit=1)
    except InfeasibleError:
        return
    two = reconcile(tree, said, over_assign=over, bounds=bounds, unit=1, method="covariance", covariance=matrix)
    assert two.table["coherent"].to_numpy() == pytest.approx(one.table["coherent"].to_numpy(), rel=1e-6, abs=1e-5)


@settings(max_examples=40)
@given(problems(), st.sampled_from(["wls", "ols", "entropy"]))
def test_a_coherent_tree_stays_as_it_is_and_reconciling_twice_is_reconciling_once(problem, method):
    tree, said, over, _ = problem
    once = reconcile(tree, said, over_assign=over, unit=1, method=method).table["coherent"].to_numpy()
    again = said.assign(value=once)
    if (once <= 1e-6).any():
        return
    twice = reconcile(tree, again, over_assign=over, unit=1, method=method).table["coherent"].to_numpy()
    assert twice == pytest.approx(once, rel=1e-8, abs=1e-8)


@settings(max_examples=30)
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(problem, random):
    tree, said, over, bounds = problem
    order = list(range(len(said)))
    random.shuffle(order)
    other = SimpleNamespace(table=tree.table.iloc[order].reset_index(drop=True))
    try:
        one = reconcile(tree, said, over_assign=over, bounds=bounds, unit=1)
    except InfeasibleError:
        return
    two = reconcile(other, said.iloc[order], over_assign=over, bounds=bounds.iloc[order[::-1]], unit=1)
    assert one.amounts == two.amounts


@settings(max_examples=30)
@given(problems())
def test_another_currency_scales_the_result(problem):
    tree, said, over, _ = problem
    one = reconcile(tree, said, over_assign=over, unit=1)
    two = reconcile(tree, said.assign(value=said["value"] * 1000, sd=said["sd"] * 1000), over_assign=over, unit=1000)
    assert two.table["coherent"].to_numpy() == pytest.approx(1000 * one.table["coherent"].to_numpy(), rel=1e-9)


@settings(max_examples=40)
@given(problems())
def test_pulls_add_up_to_what_a_node_moved(problem):
    tree, said, over, bounds = problem
    try:
        rec = reconcile(tree, said, over_assign=over, bounds=bounds, unit=1)
    except InfeasibleError:
        return
    table = rec.table.set_index("node_id")
    for node in table.index:
        moved = table.loc[node, "coherent"] - table.loc[node, "pooled"]
        assert rec.pulls(node)["effect"].sum() == pytest.approx(moved, abs=1e-7)


def test_fixed_nodes_are_bit_identical_and_the_others_meet_them():
    said = {
        "r": 1_000_000,
        "a": 500_000,
        "b": 400_000,
        "a1": 333_333.33,
        "a2": 210_000,
        "b1": 90_000,
        "b2": 150_000,
        "b3": 1,
    }
    rec = reconcile(TREE, said, fixed={"r": 1_000_000, "a": 570_000, "a1": 300_000}, unit=1_000)
    table = rec.table.set_index("node_id")
    assert table.loc[["r", "a", "a1"], "coherent"].tolist() == [1_000_000.0, 570_000.0, 300_000.0]
    assert [rec.amounts[n] for n in ("r", "a", "a1", "a2", "b")] == [1_000_000, 570_000, 300_000, 270_000, 430_000]
    assert table["state"].to_dict() == {
        "r": "fixed",
        "a": "fixed",
        "a1": "fixed",
        "a2": "determined",
        "b": "determined",
    } | dict.fromkeys(["b1", "b2", "b3"], "")


def test_missing_is_not_zero():
    plan = {"r": 600, "a": 300, "b": 300, "a1": 150, "a2": 150, "b1": 100, "b2": 100, "b3": 100}
    commits = pd.DataFrame({"node_id": ["a1", "b", "b1"], "value": [180, 250, None]})
    rec = reconcile(TREE, plan, commits, fixed=["r"], unit=1)
    gaps = rec.gaps.set_index("node_id")
    assert np.isnan(gaps.loc["b1", "bottom_up"])
    assert np.isnan(gaps.loc["a", "bottom_up_rolled"])
    assert gaps.loc["a", ["commits_below", "leaves_below"]].tolist() == [1, 2]
    told = rec.table.set_index("node_id")["coherent"]
    assert told["b1"] == pytest.approx(told["b2"])
    assert told["b1"] > 90
    assert rec.amounts["a1"] > 150


def test_commits_roll_up_only_where_all_of_them_are_there():
    plan = {"r": 600, "a": 300, "b": 300}
    commits = {"a1": 160, "a2": 170, "b1": 90}
    rec = reconcile(TREE, plan, commits, over_assign={"seat": 0.1}, unit=1)
    gaps = rec.gaps.set_index("node_id")
    assert gaps.loc["a", "bottom_up_rolled"] == pytest.approx(300)
    assert gaps.loc["a", "gap"] == pytest.approx(0)
    assert np.isnan(gaps.loc["b", "bottom_up_rolled"])
    assert rec.gaps["rank"].dropna().is_monotonic_increasing


def test_nodes_nobody_speaks_of_follow_from_the_others():
    rec = reconcile(TREE, {"r": 900}, {"a1": 200, "a2": 100, "b1": 120}, fixed=["r"], unit=1)
    assert any("have no estimate of their own" in note for note in rec.notes)
    assert rec.amounts["b2"] == rec.amounts["b3"]
    assert rec.amounts["a1"] > rec.amounts["a2"]
    assert rec.amounts["r"] == 900
    with pytest.raises(DataError, match="must say something about the root, or about everything below it"):
        reconcile(TREE, None, {"a1": 100}, unit=1)


def test_quotas_and_over_assignment_are_taken_from_a_cascade():
    quotas = cascade(TREE, 1_000_000, over_assign={"manager": 0.05, "seat": 0.1})
    rec = reconcile(TREE, quotas, {"a1": 330_000}, fixed=["r"])
    back = rec.to_quota()
    assert back.target == 1_000_000
    assert back.table["edge_oa_frac"].tolist() == quotas.table["edge_oa_frac"].tolist()
    assert back.quota("a1") > quotas.quota("a1")
    assert back.quota("a") + back.quota("b") == 1_050_000


def test_capacity_is_one_of_the_three_views():
    class SeatCapacity:
        table = pd.DataFrame({"seat_id": ["a1", "a1", "a2"], "capacity": [60.0, 60.0, 80.0]})

    rec = reconcile(TREE, {"r": 500, "a": 200, "b": 300}, capacity=SeatCapacity(), unit=1)
    gaps = rec.gaps.set_index("node_id")
    assert gaps.loc["a1", "capacity"] == 120
    assert gaps.loc["a", "capacity"] == 200
    assert np.isnan(gaps.loc["b", "capacity"])


def test_rounds_of_negotiation_are_kept_and_what_was_accepted_stays():
    plan = {"r": 1000, "a": 500, "b": 500, "a1": 250, "a2": 250, "b1": 200, "b2": 150, "b3": 150}
    first = reconcile(TREE, plan, {"a1": 300, "b1": 180}, fixed=["r"], unit=1)
    second = first.accept(["a1"], override={"b": 520})
    assert second.amounts["a1"] == first.amounts["a1"]
    assert second.amounts["b"] == 520
    assert second.amounts["a"] == 480
    third = second.accept(override={"b3": 140})
    assert [r.number for r in third.rounds] == [1, 2, 3]
    assert third.history()["fixed"].tolist() == ["r", "a1, b, r", "a1, b, b3, r"]
    assert len(first.rounds) == 1
    with pytest.raises(InfeasibleError, match="Node 'r': its children"):
        second.accept(override={"a": 500})
    with pytest.raises(DataError, match="2 things are wrong"):
        second.accept(["a1", "zz"], override={"a1": 3})


def test_bias_of_past_commits_is_shrunk_and_used():
    history = pd.DataFrame(
        {
            "node_id": ["a1"] * 4 + ["a2"] * 4 + ["b1"],
            "period": [1, 2, 3, 4, 1, 2, 3, 4, 1],
            "commit": [100.0] * 9,
            "actual": [80, 82, 78, 80, 110, 130, 90, 115, 100],
        }
    )
    plan = {"r": 500, "a": 200, "b": 300, "a1": 100, "a2": 100, "b1": 100, "b2": 100, "b3": 100}
    rec = reconcile(TREE, plan, {"a1": 120, "a2": 120, "b1": 120, "b2": 120}, history=history, unit=1)
    told = rec.reliability.set_index("node_id")
    assert told.loc["a1", "raw_bias"] == pytest.approx(0.8)
    assert 0.8 < told.loc["a1", "bias"] < told["bias"].mean() < told.loc["a2", "bias"] < told.loc["a2", "raw_bias"]
    assert told.loc["a1", "sd_frac"] < told.loc["a2", "sd_frac"]
    table = rec.table.set_index("node_id")
    assert table.loc["a1", "bottom_up"] == pytest.approx(120 * told.loc["a1", "bias"])
    assert table.loc["b2", "bottom_up"] == pytest.approx(120 * told["bias"].mean())
    assert table.loc["a1", "weight_bottom_up"] > table.loc["a2", "weight_bottom_up"]


def test_errors_that_move_together_are_shrunk_and_used_as_a_covariance():
    rng = np.random.default_rng(2)
    common = rng.normal(0, 0.1, 12)
    rows = [
        {"node_id": n, "period": p, "commit": 100.0, "actual": 100 * np.exp(common[p] + rng.normal(0, 0.03))}
        for n in ("a1", "a2", "b1")
        for p in range(12)
    ]
    plan = {"r": 500, "a": 200, "b": 300, "a1": 100, "a2": 100, "b1": 100, "b2": 100, "b3": 100}
    rec = reconcile(TREE, plan, {"a1": 120}, history=pd.DataFrame(rows), method="covariance", fixed=["r"], unit=1)
    matrix = rec.request.covariance
    at = {n: i for i, n in enumerate(rec.request.layers.ids)}
    correlation = matrix[at["a1"], at["a2"]] / np.sqrt(matrix[at["a1"], at["a1"]] * matrix[at["a2"], at["a2"]])
    assert 0.6 < correlation < 0.95
    assert matrix[at["a1"], at["b2"]] == 0
    assert np.linalg.eigvalsh(matrix)[0] > 0
    assert rec.amounts["r"] == 500


def test_bounds_and_fixed_nodes_that_contradict_each_other_are_named_with_amounts():
    plan = {"r": 500, "a": 200, "b": 300}
    bounds = pd.DataFrame({"node_id": ["a1", "a2"], "floor": [150, 120]})
    with pytest.raises(InfeasibleError, match="Node 'a': its children need 70 more than its 200"):
        reconcile(TREE, plan, bounds=bounds, fixed=["a"], unit=1)
    caps = pd.DataFrame({"node_id": ["b1", "b2", "b3"], "cap": [50, 50, 50]})
    with pytest.raises(InfeasibleError, match="Node 'b': its children can take 150 less than its 300"):
        reconcile(TREE, plan, bounds=caps, fixed=["b"], unit=1)
    crossed = pd.DataFrame({"node_id": ["b1"], "floor": [60], "cap": [50]})
    with pytest.raises(InfeasibleError, match="Node 'b1': its floor of 60 is above its cap of 50"):
        reconcile(TREE, plan, bounds=crossed, unit=1)


def test_pins_that_over_assignment_leaves_half_a_unit_apart_are_accepted():
    plan = {"r": 101, "a": 60, "b": 46}
    rec = reconcile(TREE, plan, fixed=["r", "a", "b"], over_assign={"manager": 0.05}, unit=1)
    assert [rec.amounts[n] for n in ("r", "a", "b")] == [101, 60, 46]


def test_every_mistake_is_told_at_once():
    with pytest.raises(DataError) as caught:
        reconcile(
            TREE,
            {"r": 100, "zz": 5},
            pd.DataFrame({"node_id": ["a1", "a1", "b1"], "value": ["1 Mio", "2", "3"], "sd": [1, 2, -1]}),
            fixed={"q": 3, "a": 1.5},
            bounds=pd.DataFrame({"node_id": ["b9"], "cap": [4]}),
            over_assign={"seats": 0.1},
            unit=1,
        )
    text = str(caught.value)
    for part in (
        "top_down['node_id'] must only name nodes of the tree; violated by 1 node: 'zz'",
        "bottom_up must have one row per node; violated by 1 node: 'a1'",
        "bottom_up['value'] must hold numbers",
        "bottom_up['sd'] must hold positive numbers; violated by 1 node: 'b1'",
        "fixed must only name nodes of the tree; violated by 1 node: 'q'",
        "fixed must be whole units of 1, none negative; violated by 1 node: 'a: 1.50'",
        "bounds['node_id'] must only name nodes of the tree; violated by 1 node: 'b9'",
        "over_assign must name levels below the root, or nodes, got 'seats'",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"method": "magic"}, "method must be one of wls, ols, entropy, covariance"),
        ({"unit": 0.5}, "unit must be a whole number"),
        ({"method": "covariance"}, "needs covariance= or history="),
        ({"covariance": pd.DataFrame()}, "covariance needs method='covariance'"),
        (
            {"method": "covariance", "covariance": pd.DataFrame({"r": [1.0]}, index=["r"])},
            "a row and a column for every",
        ),
        ({"sd_frac": {"plan": 0.1}}, "sd_frac must name sources"),
        ({"sd_frac": {"top_down": 0}}, "must be a positive number"),
        ({"fixed": ["a1"]}, "fixed must have a top-down value for each node"),
        ({"top_down": None}, "must not all be missing"),
        ({"top_down": 7}, "must be a table, a Series, a mapping, quotas or capacity"),
        ({"top_down": {"r": 0, "a": 0, "b": 1}, "method": "entropy"}, "must be above 0"),
        ({"history": pd.DataFrame({"node_id": ["a1"]})}, "history must have the columns node_id, commit and actual"),
        (
            {"history": pd.DataFrame({"node_id": ["a1"], "commit": [0], "actual": [1]})},
            "history['commit'] must be above 0",
        ),
    ],
)
def test_wrong_arguments_are_refused_by_name(change, text):
    arguments = {"top_down": {"r": 100, "a": 60, "b": 40}, "unit": 1} | change
    with pytest.raises(DataError) as caught:
        reconcile(TREE, **arguments)
    assert text in str(caught.value)


def test_an_explanation_names_sources_weights_and_who_pulled():
    plan = {"r": 1000, "a": 500, "b": 500, "a1": 250, "a2": 250, "b1": 200, "b2": 150, "b3": 150}
    rec = reconcile(TREE, plan, {"a1": 320}, fixed=["r"], unit=1, currency="EUR")
    text = rec.explain("a2")
    assert text.startswith("a2: top-down 250 EUR (weight 100%); pooled 250 EUR. It moved by -")
    assert "because the estimates below a are" in text
    assert rec.explain("r").endswith("It is fixed at 1,000 EUR.")
    assert repr(rec) == "Reconciliation: 1,000 EUR at the root from top-down, bottom-up, 8 nodes, 1 fixed, round 1"
    assert rec.summary()["amount"].tolist() == [1000, 1000, 1000]
    with pytest.raises(DataError, match="must be in the tree"):
        rec.explain("a9")
