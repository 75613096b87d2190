from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.errors import DataError, InfeasibleError
from gtm_opt.model import Hierarchy
from gtm_opt.quota import cascade
from gtm_opt.quota.cube import Cube, allocate

# a table of half units whose sums by every pair of dimensions are whole, without any controlled rounding
HALVES = [[[0, 0, 0], [0, 1, 3], [4, 1, 3]], [[0, 5, 1], [3, 7, 0], [5, 0, 5]], [[4, 3, 5], [1, 0, 1], [1, 3, 0]]]


def seed_of(array: np.ndarray, names: str = "tpq") -> pd.DataFrame:
    """A table of cells from an array; labels are a letter and a number."""
    index = np.indices(array.shape).reshape(array.ndim, -1)
    columns = {name: [f"{name}{i:02d}" for i in index[k]] for k, name in enumerate(names[: array.ndim])}
    return pd.DataFrame(columns | {"seed": array.ravel().astype(float)})


def margins_of(array: np.ndarray, *keys: tuple[str, ...], names: str = "tpq") -> dict:
    """The sums of an array by some of its dimensions."""
    cells = seed_of(array, names)
    return {k[0] if len(k) == 1 else k: cells.groupby(list(k))["seed"].sum() for k in keys}


def array_of(cube: Cube, shape: tuple[int, ...], column: str = "amount") -> np.ndarray:
    out = np.zeros(shape)
    place = tuple(cube.table[d].str[1:].astype(int).to_numpy() for d in cube.dimensions)
    out[place] = cube.table[column].to_numpy()
    return out


@st.composite
def two_way(draw, most: int = 5, largest: int = 9):
    """A seed and a table of whole numbers whose sums are to be met."""
    shape = draw(st.tuples(st.integers(1, most), st.integers(1, most)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.lognormal(0, 1, shape), rng.integers(0, largest, shape)


@settings(max_examples=60)
@given(two_way(), st.sampled_from(["raking", "quadratic"]))
def test_every_cell_goes_up_or_down_only_and_every_margin_is_exact(tables, method):
    seed, wanted = tables
    cube = allocate(seed_of(seed), margins_of(wanted, ("t",), ("p",)), unit=1, method=method)
    amount, fitted = array_of(cube, seed.shape), array_of(cube, seed.shape, "fitted")
    assert np.array_equal(amount.sum(axis=0), wanted.sum(axis=0))
    assert np.array_equal(amount.sum(axis=1), wanted.sum(axis=1))
    assert (np.abs(amount - fitted) < 1).all()
    assert (amount >= 0).all()
    assert cube.is_optimal
    assert cube.widening == 0


def nearest_by_brute_force(fitted: np.ndarray, wanted: np.ndarray) -> float:
    base = np.floor(fitted + 1e-7)
    loose = np.argwhere(fitted - base > 1e-6)
    best = np.inf
    for ups in itertools.product((0, 1), repeat=len(loose)):
        table = base.copy()
        table[tuple(loose.T)] += ups
        if (table.sum(0) == wanted.sum(0)).all() and (table.sum(1) == wanted.sum(1)).all():
            best = min(best, float(np.abs(table - fitted).sum()))
    return best


@settings(max_examples=40)
@given(two_way(most=3))
def test_the_rounding_of_two_way_tables_is_the_nearest_of_all(tables):
    seed, wanted = tables
    cube = allocate(seed_of(seed), margins_of(wanted, ("t",), ("p",)), unit=1)
    best = nearest_by_brute_force(array_of(cube, seed.shape, "fitted"), wanted)
    assert cube.distance == pytest.approx(best, abs=1e-6)
    assert cube.bound <= best + 1e-6


@settings(max_examples=30)
@given(two_way(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(tables, random):
    seed, wanted = tables
    cells = seed_of(seed)
    order = list(range(len(cells)))
    random.shuffle(order)
    margins = margins_of(wanted, ("t",), ("p",))
    shuffled = {k: m.iloc[::-1] for k, m in margins.items()}
    one = allocate(cells, margins, unit=1)
    two = allocate(cells.iloc[order], shuffled, unit=1)
    pd.testing.assert_frame_equal(one.table, two.table)


@settings(max_examples=20)
@given(two_way())
def test_another_currency_scales_the_result(tables):
    seed, wanted = tables
    one = allocate(seed_of(seed), margins_of(wanted, ("t",), ("p",)), unit=1)
    two = allocate(seed_of(seed * 3), margins_of(wanted * 1000, ("t",), ("p",)), unit=1000)
    assert np.array_equal(one.table["amount"] * 1000, two.table["amount"])


@settings(max_examples=25)
@given(two_way(most=4))
def test_raking_keeps_the_odds_ratios_of_the_seed_and_a_fitted_table_stays_as_it_is(tables):
    seed, wanted = tables
    wanted = wanted + 1
    cube = allocate(seed_of(seed), margins_of(wanted, ("t",), ("p",)), unit=None)
    fitted = array_of(cube, seed.shape)
    ratio = fitted / seed
    assert ratio * ratio[0, 0] == pytest.approx(np.outer(ratio[:, 0], ratio[0, :]), rel=1e-6)
    again = allocate(cube.table[["t", "p", "amount"]], margins_of(wanted, ("t",), ("p",)), unit=None, value="amount")
    assert again.table["amount"].to_numpy() == pytest.approx(cube.table["amount"].to_numpy(), rel=1e-8, abs=1e-8)


def test_raking_agrees_with_a_plain_second_implementation():
    rng = np.random.default_rng(3)
    seed, wanted = rng.lognormal(0, 1, (7, 4, 3)), rng.integers(1, 50, (7, 4, 3)).astype(float)
    plain = seed.copy()
    for _ in range(5000):
        for axis in range(3):
            plain *= wanted.sum(axis=axis, keepdims=True) / plain.sum(axis=axis, keepdims=True)
    cube = allocate(seed_of(seed), margins_of(wanted, ("t", "p"), ("t", "q"), ("p", "q")), unit=None)
    assert array_of(cube, seed.shape) == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("method", ["raking", "quadratic"])
def test_the_fit_within_bounds_is_the_optimum_of_a_general_solver(method):
    from scipy.optimize import LinearConstraint, minimize

    rng = np.random.default_rng(5)
    seed, wanted = rng.lognormal(0, 0.7, (3, 4)), rng.integers(5, 20, (3, 4)).astype(float)
    low, high = wanted * 0.6, wanted * 1.3
    bounds = seed_of(seed).drop(columns="seed").assign(floor=low.ravel(), cap=high.ravel())
    cube = allocate(seed_of(seed), margins_of(wanted, ("t",), ("p",)), bounds=bounds, unit=None, method=method)
    start = seed * wanted.sum() / seed.sum()

    def cost(x):
        x = x.reshape(seed.shape)
        return float((x * np.log(x / seed) - x).sum() if method == "raking" else ((x - start) ** 2).sum())

    rows = [np.repeat(np.eye(3), 4, axis=1), np.tile(np.eye(4), 3)]
    equal = [LinearConstraint(r, s, s) for r, s in zip(rows, (wanted.sum(1), wanted.sum(0)), strict=True)]
    done = minimize(cost, wanted.ravel(), method="SLSQP", bounds=list(zip(low.ravel(), high.ravel(), strict=True)),
                    constraints=equal, options={"maxiter": 500, "ftol": 1e-13})  # fmt: skip
    fitted = array_of(cube, seed.shape)
    assert cost(fitted) <= done.fun + 1e-6 * abs(done.fun)
    assert (fitted >= low - 1e-9).all()
    assert (fitted <= high + 1e-9).all()


def test_bounds_hold_after_rounding_too():
    rng = np.random.default_rng(8)
    seed, wanted = rng.lognormal(0, 1, (6, 5)), rng.integers(0, 20, (6, 5))
    bounds = seed_of(seed).drop(columns="seed").assign(floor=(wanted - 2).clip(0).ravel(), cap=(wanted + 2).ravel())
    amount = array_of(allocate(seed_of(seed), margins_of(wanted, ("t",), ("p",)), bounds=bounds, unit=1), seed.shape)
    assert (amount >= wanted - 2).all()
    assert (amount <= wanted + 2).all()


def test_cells_without_a_seed_get_nothing():
    seed = np.array([[1.0, 0.0, 2.0], [3.0, 1.0, 0.0]])
    wanted = np.array([[4, 0, 3], [5, 6, 0]])
    for cells in (seed_of(seed), seed_of(seed).query("seed > 0")):
        cube = allocate(cells, margins_of(wanted, ("t",), ("p",)), unit=1)
        assert array_of(cube, seed.shape)[seed == 0].tolist() == [0, 0]
        assert cube.zeros == 2


def test_managers_and_regions_tie_in_every_period_and_go_up_or_down_only():
    rng = np.random.default_rng(4)
    shape = (12, 4, 3)
    seed, wanted = rng.lognormal(0, 1, shape), rng.integers(0, 9, shape)
    tree = Hierarchy.from_dict(
        {
            "north": {"m1": ["t00", "t01", "t02"], "m2": ["t03", "t04"]},
            "south": {"m3": ["t05", "t06", "t07"], "m4": ["t08", "t09", "t10", "t11"]},
        },
        levels=("company", "region", "manager", "seat"),
    )
    cube = allocate(seed_of(seed), margins_of(wanted, ("t",), ("p", "q")), unit=1, trees={"t": tree})
    assert cube.rounded_by == "flow"
    for level in ("region", "manager"):
        sums = cube.table.groupby([level, "p", "q"])[["fitted", "amount"]].sum()
        assert (sums["fitted"] - sums["amount"]).abs().max() < 1
    assert (cube.table["fitted"] - cube.table["amount"]).abs().max() < 1


def test_margins_may_be_given_for_levels_of_a_tree():
    rng = np.random.default_rng(6)
    seed, wanted = rng.lognormal(0, 1, (4, 3)), rng.integers(1, 30, (4, 3))
    tree = Hierarchy.from_dict({"m1": ["t00", "t01"], "m2": ["t02", "t03"]}, levels=("all", "manager", "seat"))
    by_manager = pd.Series(
        wanted.reshape(2, 2, 3).sum(axis=1).ravel(),
        index=pd.MultiIndex.from_product([["m1", "m2"], ["p00", "p01", "p02"]]),
    )
    margins = margins_of(wanted, ("t",)) | {("manager", "p"): by_manager}
    cube = allocate(seed_of(seed), margins, unit=1, trees={"t": tree})
    assert cube.sums("manager", "p")["amount"].tolist() == by_manager.tolist()
    assert cube.sums("t")["amount"].tolist() == wanted.sum(axis=1).tolist()


def test_trees_in_both_dimensions_tie():
    rng = np.random.default_rng(9)
    seed, wanted = rng.lognormal(0, 1, (6, 6)), rng.integers(0, 9, (6, 6))
    seats = Hierarchy.from_dict(
        {"m1": ["t00", "t01", "t02"], "m2": ["t03", "t04", "t05"]}, levels=("a", "manager", "s")
    )
    goods = Hierarchy.from_dict({"g1": ["p00", "p01"], "g2": ["p02", "p03", "p04", "p05"]}, levels=("b", "group", "x"))
    cube = allocate(seed_of(seed), margins_of(wanted, ("t",), ("p",)), unit=1, trees={"t": seats, "p": goods})
    for axes in (["manager", "p"], ["group", "t"]):
        sums = cube.table.groupby(axes)[["fitted", "amount"]].sum()
        assert (sums["fitted"] - sums["amount"]).abs().max() < 1


def test_quotas_of_a_cascade_are_a_margin():
    tree = Hierarchy.from_dict({"m1": ["s1", "s2"], "m2": ["s3"]})
    quotas = cascade(tree, 1_000_000, over_assign=0.05)
    seed = {
        "seat": pd.Series({"s1": 1.0, "s2": 2.0, "s3": 1.0}),
        "product": pd.Series({"core": 0.7, "new": 0.3}),
        "quarter": pd.Series({"Q1": 0.2, "Q2": 0.24, "Q3": 0.26, "Q4": 0.3}),
    }
    products = {"core": quotas.street - 300_000, "new": 300_000}
    cube = allocate(seed, {"seat": quotas, "product": products}, trees={"seat": tree})
    leaves = quotas.table[quotas.table["is_leaf"]].set_index("node_id")["quota"]
    assert cube.sums("seat").set_index("seat")["amount"].to_dict() == leaves.to_dict()
    assert cube.total == quotas.street


def test_one_margin_alone_and_margins_inside_margins_are_flows():
    rng = np.random.default_rng(2)
    seed, wanted = rng.lognormal(0, 1, (3, 4, 2)), rng.integers(0, 9, (3, 4, 2))
    for keys in ([("t",)], [("t", "p"), ("p",)], [("t", "p"), ("p", "q")], [("t",), ("p", "q"), ("p",)]):
        cube = allocate(seed_of(seed), margins_of(wanted, *keys), unit=1)
        assert cube.rounded_by == "flow"
        assert (cube.table["fitted"] - cube.table["amount"]).abs().max() < 1


def test_three_way_tables_are_exact_in_every_pair_of_dimensions_and_proven():
    rng = np.random.default_rng(12)
    seed, wanted = rng.lognormal(0, 1, (8, 4, 3)), rng.integers(0, 9, (8, 4, 3))
    keys = [("t", "p"), ("t", "q"), ("p", "q")]
    cube = allocate(seed_of(seed), margins_of(wanted, *keys), unit=1)
    assert cube.rounded_by == "integer program"
    assert cube.is_optimal
    assert cube.gap == 0
    assert cube.bound == pytest.approx(cube.distance, abs=1e-5)
    amount = array_of(cube, seed.shape)
    for axis in range(3):
        assert np.array_equal(amount.sum(axis=axis), wanted.sum(axis=axis))


def test_where_no_floor_or_ceiling_table_exists_one_unit_more_is_taken():
    halves = np.array(HALVES) / 2 + 1
    keys = [("t", "p"), ("t", "q"), ("p", "q")]
    cube = allocate(seed_of(halves), margins_of(halves, *keys), unit=1)
    assert cube.widening == 1
    assert cube.is_optimal
    assert "up to 1 units beyond floor and ceiling" in repr(cube)
    for axis in range(3):
        assert np.array_equal(array_of(cube, halves.shape).sum(axis=axis), halves.sum(axis=axis))


def test_where_no_table_of_whole_units_exists_that_is_proven():
    # a vertex of the tables with these sums: with its zeros kept it is the only one, and it has halves
    halves = np.array(HALVES) / 2
    with pytest.raises(InfeasibleError, match=r"No table of whole units has these margins, not even 3 units beyond"):
        allocate(seed_of(halves), margins_of(halves, ("t", "p"), ("t", "q"), ("p", "q")), unit=1)


@pytest.mark.slow
def test_large_three_way_tables_are_rounded_with_a_small_gap():
    rng = np.random.default_rng(1)
    shape = (150, 12, 5)
    seed, wanted = rng.lognormal(0, 1, shape), np.rint(rng.lognormal(2, 1, shape)).astype(int)
    keys = [("t", "p"), ("t", "q"), ("p", "q")]
    index = np.indices(shape).reshape(3, -1)
    frame = pd.DataFrame({n: np.char.mod(f"{n}%03d", index[k]) for k, n in enumerate("tpq")})
    told = frame.assign(seed=wanted.ravel())
    margins = {k: told.groupby(list(k))["seed"].sum() for k in keys}
    cube = allocate(frame.assign(seed=seed.ravel()), margins, unit=1, time_limit=None)
    assert cube.widening == 0
    assert cube.gap < 1e-3
    assert cube.bound <= cube.distance


def test_margins_that_disagree_are_named_with_cells_and_amounts_before_the_run():
    seed = seed_of(np.ones((2, 2, 2)))
    margins = {
        ("t", "p"): pd.Series([5, 5, 5, 5], index=pd.MultiIndex.from_product([["t00", "t01"], ["p00", "p01"]])),
        ("t", "q"): pd.Series([4, 7, 5, 5], index=pd.MultiIndex.from_product([["t00", "t01"], ["q00", "q01"]])),
        "p": pd.Series({"p00": 10, "p01": 10}),
    }
    with pytest.raises(DataError, match="2 things are wrong") as caught:
        allocate(seed, margins, unit=1)
    text = str(caught.value)
    assert "margins t x p and t x q must agree on the sums by t; violated by 1 cell: 't00: 10 and 11'" in text
    assert "margins t x q and p must agree on the grand total; violated by 1 cell: 'everything: 21 and 20'" in text


def test_levels_of_a_tree_must_agree_with_their_leaves():
    tree = Hierarchy.from_dict({"m1": ["t00", "t01"], "m2": ["t02"]}, levels=("all", "manager", "seat"))
    seed = seed_of(np.ones((3, 2)))
    margins = {"t": {"t00": 1, "t01": 2, "t02": 3}, "manager": {"m1": 4, "m2": 2}}
    with pytest.raises(DataError, match=r"must agree on the sums by manager; violated by 2 cells: 'm1: 3 and 4'"):
        allocate(seed, margins, unit=1, trees={"t": tree})


def test_every_mistake_is_told_at_once():
    seed = seed_of(np.ones((2, 2)))
    bounds = pd.DataFrame({"t": ["t00", "t09"], "p": ["p00", "p01"], "floor": [5, 1], "cap": [4, "much"]})
    with pytest.raises(DataError) as caught:
        allocate(seed, {"t": {"t00": 1500, "t7": 10}, "x": {"a": 1}, "p": {"p00": 3.0}}, bounds=bounds, unit=1000)
    text = str(caught.value)
    for part in (
        "margins['t'] must only name labels of 't'; violated by 1 label: 't7'",
        "margins['x'] must name dimensions of the seed or levels of a tree",
        "margins['p'] must give every group an amount; violated by 1 group: 'p01'",
        "bounds['t'] must only name labels of the seed; violated by 1 label: 't09'",
        "bounds['cap'] must hold numbers, none negative",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"unit": 0}, "unit must be a whole number, at least 1"),
        ({"method": "magic"}, "method must be one of raking, quadratic"),
        ({"time_limit": 0}, "time_limit must be positive"),
        ({"margins": {}}, "margins must map dimensions to amounts"),
        ({"margins": {"t": {"t00": 1500, "t01": 500}}}, "must be multiples of the unit of 1,000"),
        ({"margins": {"t": {"t00": -1000, "t01": 500}}}, "must not be negative"),
        ({"margins": {"t": {"t00": "1.000 EUR", "t01": 500}}}, "must hold numbers"),
        ({"value": "weight"}, "seed['weight'] must exist"),
        ({"trees": {"region": Hierarchy.split(2)}}, "trees['region'] must name a dimension of the seed"),
        ({"trees": {"t": Hierarchy.split(2)}}, "must have every label as a leaf"),
    ],
)
def test_wrong_arguments_are_refused_by_name(change, text):
    arguments = {"seed": seed_of(np.ones((2, 2))), "margins": {"t": {"t00": 1000, "t01": 1000}}} | change
    with pytest.raises(DataError) as caught:
        allocate(**arguments)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("seed", "text"),
    [
        (pd.DataFrame({"t": ["a", "a"], "seed": [1, 2]}), "must have one row per cell"),
        (pd.DataFrame({"t": ["a", None], "seed": [1, 2]}), "seed['t'] must not be empty"),
        (pd.DataFrame({"t": ["a", "b"], "seed": [0, 0]}), "must not be zero everywhere"),
        (pd.DataFrame({"t": ["a", "b"], "seed": [1, -1]}), "must not be negative"),
        (pd.DataFrame({"t": [], "seed": []}), "must have at least one row"),
        ([1, 2], "must be a table or shares by dimension"),
    ],
)
def test_a_wrong_seed_is_refused(seed, text):
    with pytest.raises(DataError) as caught:
        allocate(seed, {"t": {"a": 1, "b": 2}}, unit=1)
    assert text in str(caught.value)


def test_a_margin_that_its_cells_cannot_hold_is_named():
    seed = seed_of(np.array([[1.0, 0.0], [1.0, 0.0]]))
    with pytest.raises(InfeasibleError, match="p 'p01' must have 3, but all its cells are zeros of the seed"):
        allocate(seed, {"t": {"t00": 2, "t01": 3}, "p": {"p00": 2, "p01": 3}}, unit=1)
    bounds = pd.DataFrame({"t": ["t00"], "p": ["p00"], "cap": [1]})
    with pytest.raises(InfeasibleError, match="t 't00' must have 2, but the caps of its cells allow 1"):
        allocate(seed, {"t": {"t00": 2, "t01": 3}}, bounds=bounds, unit=1)


def test_margins_that_agree_without_any_table_are_refused_with_the_least_change():
    # t00 may only sell p00, and p00 wants less than t00 must have
    seed = seed_of(np.array([[1.0, 0.0], [1.0, 1.0]]))
    with pytest.raises(InfeasibleError) as caught:
        allocate(seed, {"t": {"t00": 5, "t01": 5}, "p": {"p00": 3, "p01": 7}}, unit=1)
    assert "No table has these margins; they would have to change by 4 in all" in str(caught.value)


def test_nothing_half_converged_is_returned():
    # the only table has a zero where the seed has none: raking creeps towards it for ever
    seed = seed_of(np.array([[1.0, 1.0], [0.0, 1.0]]))
    margins = {"t": {"t00": 5, "t01": 5}, "p": {"p00": 5, "p01": 5}}
    with pytest.raises(InfeasibleError, match="did not reach one in 100 passes") as caught:
        allocate(seed, margins, unit=1, max_passes=100)
    assert "Take method='quadratic'" in str(caught.value)
    cube = allocate(seed, margins, unit=1, method="quadratic")
    assert array_of(cube, (2, 2)).tolist() == [[5, 0], [0, 5]]


def test_a_cube_that_was_changed_does_not_tie_out():
    cube = allocate(seed_of(np.ones((2, 2))), {"t": {"t00": 3, "t01": 4}}, unit=1)
    cube.table.loc[0, "amount"] += 1
    with pytest.raises(
        DataError, match=r"cube by t must have the sums that were asked for; violated by 1 group: 't00'"
    ):
        cube.tie_out()


def test_a_cube_shows_what_was_done():
    cube = allocate(seed_of(np.ones((2, 3))), {"t": {"t00": 3, "t01": 4}}, unit=1, currency="EUR")
    assert repr(cube) == "Cube: 7 EUR over 2 t x 3 p, 6 cells, units of 1 (least distance proven)"
    assert dict(cube.summary().to_numpy())["proven optimal"] is True
    assert cube.wide("t", "p").to_numpy().sum() == 7
    with pytest.raises(DataError, match="must be a dimension or a level of a tree"):
        cube.sums("product")


@pytest.mark.determinism
def test_allocation_repeats_exactly():
    rng = np.random.default_rng(0)
    seed, wanted = rng.lognormal(0, 1, (6, 5, 4)), rng.integers(0, 9, (6, 5, 4))
    margins = margins_of(wanted, ("t", "p"), ("t", "q"), ("p", "q"))
    one, two = (allocate(seed_of(seed), margins, unit=1).table for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


def test_large_tables_are_solved_by_their_relaxation_with_a_bound_that_holds(monkeypatch):
    from gtm_opt.quota.cube import integer

    rng = np.random.default_rng(21)
    seed, wanted = rng.lognormal(0, 1, (12, 4, 3)), rng.integers(0, 9, (12, 4, 3))
    margins = margins_of(wanted, ("t", "p"), ("t", "q"), ("p", "q"))
    exact = allocate(seed_of(seed), margins, unit=1, time_limit=None)
    monkeypatch.setattr(integer, "_SMALL", 10)
    fast = allocate(seed_of(seed), margins, unit=1, time_limit=None)
    assert exact.is_optimal
    assert fast.bound <= exact.distance <= fast.distance + 1e-9
    assert fast.gap < 0.05
    assert fast.is_optimal == (fast.gap == 0)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_the_bound_of_the_relaxation_holds_for_any_duals(number):
    from scipy.optimize import linprog

    from gtm_opt.mip import Model
    from gtm_opt.quota.cube.pdlp import relaxation_bound

    rng = np.random.default_rng(number)
    matrix, inside = rng.normal(size=(3, 5)), rng.uniform(0, 1, 5)
    cost, slack = rng.normal(size=5), rng.uniform(0, 1, 3) * rng.integers(0, 2, 3)
    model = Model()
    columns = model.add_columns([f"x{c}" for c in range(5)], high=1.0, cost=cost)
    for r in range(3):
        high = np.inf if r == 2 else matrix[r] @ inside + slack[r]
        model.add_row(f"row{r}", columns, matrix[r], low=matrix[r] @ inside - slack[r], high=high)
    program = model.program()
    below = [(matrix[r], program.row_high[r]) for r in range(2)] + [(-matrix[r], -program.row_low[r]) for r in range(3)]
    best = linprog(cost, A_ub=np.array([a for a, _ in below]), b_ub=np.array([b for _, b in below]), bounds=(0, 1))
    assert relaxation_bound(program, rng.normal(size=3)) <= best.fun + 1e-9
