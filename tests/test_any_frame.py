"""Every public function that takes a table takes it in any common kind, or refuses it by the name of what came in."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import gtm_opt as gtm
from gtm_opt.model.frames import as_frame, as_series

QUICK = {"seed": 0, "effort": 0.1}
OPTIONS = gtm.CarveOptions(**QUICK)
ACCOUNTS = pd.DataFrame(
    {
        "account_id": [f"A{i}" for i in range(8)],
        "arr": [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
        "owner": ["r1", "r2", None, "r1", "r2", "r1", None, "r2"],
        "industry": list("xyxyxyxy"),
    }
)
REPS = pd.DataFrame({"rep_id": ["r1", "r2"], "manager": ["m", "n"], "capacity": [1, 1]})
TREE = gtm.Hierarchy.from_reps(REPS, ["manager"])
ROSTER = pd.DataFrame({"seat_id": ["r1", "r2"], "rep_id": ["Ann", "Bob"], "start_date": ["2020-01-01", "2027-03-01"]})
YEAR = gtm.Calendar("2027-01")
ROLE = gtm.Role("AE", 1_200_000)
SEATS = pd.DataFrame({"id": ["r1"], "rep_id": ["Ann"], "first": ["2027-01-01"], "last": ["2027-12-31"]})


def problem(**words: Any) -> gtm.CarvingProblem:
    usual = {"accounts": ACCOUNTS, "territories": ["r1", "r2"], "balance": [gtm.Count(1.0)]}
    return gtm.CarvingProblem(**{**usual, **words})


@functools.cache
def carving() -> gtm.Carving:
    return gtm.carve(problem(), **QUICK)


def plan_of(result: gtm.Carving) -> pd.DataFrame:
    return result.assignment[["account_id", "territory"]]


SEED = pd.DataFrame({"place": ["e", "e", "w", "w"], "product": ["a", "b", "a", "b"], "seed": [1.0, 2.0, 3.0, 4.0]})
MARGINS = {"place": {"e": 60.0, "w": 40.0}}
PLACED = pd.DataFrame({"account_id": ACCOUNTS["account_id"], "territory": ["r1", "r2"] * 4})
SCORES = pd.DataFrame({"value": ["x", "y"], "r1": [1.0, 0.0], "r2": [0.0, 1.0]})

# (function, argument): the table, and what is compared of the result
CASES: dict[tuple[str, str], tuple[pd.DataFrame, Callable[[Any], object]]] = {
    ("CarvingProblem", "accounts"): (ACCOUNTS, lambda t: problem(accounts=t).fingerprint),
    ("Balance", "by_territory"): (
        ACCOUNTS[["account_id"]].assign(r1=1.0, r2=2.0),
        lambda t: problem(balance=[gtm.Balance("arr", 1.0, by_territory=t)]).fingerprint,
    ),
    ("Limit", "by_territory"): (
        ACCOUNTS[["account_id"]].assign(r1=1.0, r2=2.0),
        lambda t: problem(balance=[gtm.Count(1.0), gtm.Limit("arr", at_most=90, by_territory=t)]).fingerprint,
    ),
    ("Fit", "scores"): (SCORES, lambda t: problem(prefer=[gtm.Fit(t, by="industry")]).fingerprint),
    ("Hierarchy.from_frame", "nodes"): (
        pd.DataFrame({"node_id": ["all", "r1", "r2"], "parent_id": [None, "all", "all"]}),
        lambda t: gtm.Hierarchy.from_frame(t).table,
    ),
    ("Hierarchy.from_reps", "reps"): (REPS, lambda t: gtm.Hierarchy.from_reps(t, ["manager"]).table),
    ("Hierarchy.group", "reps"): (REPS, lambda t: gtm.Hierarchy.group(t, "manager").table),
    ("Roles.from_frame", "frame"): (
        pd.DataFrame({"role": ["AE"], "productivity_py": [1e6]}),
        lambda t: repr(gtm.Roles.from_frame(t)),
    ),
    ("Territories.from_reps", "reps"): (REPS, lambda t: gtm.Territories.from_reps(t).table),
    ("parse_numbers", "values"): (
        pd.DataFrame({"arr": ["$1,200", "-"]}),
        lambda t: gtm.parse_numbers(t["arr"]).tolist()[0],
    ),
    ("carve", "fixed_nodes"): (
        pd.DataFrame({"account_id": ["A0", "A1"], "node": ["r2", "r2"]}),
        lambda t: plan_of(gtm.carve(problem(), hierarchy=TREE, fixed_nodes=t, **QUICK)),
    ),
    ("Timeline.from_table", "table"): (SEATS, lambda t: gtm.Timeline.from_table(t).table),
    ("Timeline.from_table", "people"): (
        pd.DataFrame({"rep_id": ["Ann"], "hired": ["2027-01-01"]}),
        lambda t: gtm.Timeline.from_table(SEATS, people=t).table,
    ),
    ("Timeline.with_accounts", "assignment"): (
        PLACED,
        lambda t: gtm.Timeline.from_table(SEATS).with_accounts(t).table,
    ),
    ("PeopleOptions", "leaves"): (
        pd.DataFrame({"rep_id": ["a"], "start_date": ["2027-01-01"], "end_date": ["2027-01-02"]}),
        lambda t: gtm.PeopleOptions(leaves=t).leaves,
    ),
    ("RoundRobin", "absences"): (
        pd.DataFrame({"rep_id": ["a"], "first": ["2027-01-01"], "last": ["2027-01-02"]}),
        lambda t: gtm.RoundRobin(("a", "b"), absences=t).absences,
    ),
    ("Skills", "required"): (SCORES, lambda t: gtm.Skills(t, SCORES.set_index("value")).required),
    ("Skills", "offered"): (SCORES, lambda t: gtm.Skills(SCORES.set_index("value"), t).offered),
    ("carve", "start"): (PLACED, lambda t: plan_of(gtm.carve(problem(), start=t, **QUICK))),
    ("check", "assignment"): (PLACED, lambda t: gtm.check(problem(), t).criteria),
    ("changes", "before"): (PLACED, lambda t: gtm.changes(t, carving())),
    ("changes", "after"): (PLACED, lambda t: gtm.changes(carving(), t)),
    ("recarve", "plan"): (PLACED, lambda t: plan_of(gtm.recarve(t, problem(), **QUICK))),
    ("Pin", "accounts"): (PLACED, lambda t: gtm.Pin(t).accounts),
    ("Forbid", "pairs"): (PLACED, lambda t: gtm.Forbid(t).pairs),
    ("assign", "reps"): (REPS, lambda t: gtm.assign(carving(), t, effective="2027-01-01").table),
    ("assign", "skills"): (
        pd.DataFrame({"rep": ["r1", "r2"], "r1": [0.1, 0.9], "r2": [0.8, 0.2]}),
        lambda t: gtm.assign(carving(), REPS, skills=t, effective="2027-01-01").table,
    ),
    ("build_plan", "accounts"): (
        ACCOUNTS,
        lambda t: plan_of(gtm.build_plan(t, REPS, balance=[gtm.Count(1.0)], options=OPTIONS).carving),
    ),
    ("build_plan", "reps"): (
        REPS,
        lambda t: plan_of(gtm.build_plan(ACCOUNTS, t, balance=[gtm.Count(1.0)], options=OPTIONS).carving),
    ),
    ("capacity", "staffing"): (ROSTER, lambda t: gtm.capacity(t, ROLE, YEAR).table),
    ("capacity", "leaves"): (
        pd.DataFrame({"rep_id": ["Ann"], "start_date": ["2027-02-01"], "end_date": ["2027-05-31"]}),
        lambda t: gtm.capacity(ROSTER, ROLE, YEAR, leaves=t).table,
    ),
    ("capacity", "judgment"): (
        pd.DataFrame({"month": ["2027-02"], "amount": [-5.0]}),
        lambda t: gtm.capacity(ROSTER, ROLE, YEAR, judgment=t).summary(),
    ),
    ("cascade", "metrics"): (
        pd.DataFrame({"node_id": ["r1", "r2"], "p": [1.0, 3.0]}),
        lambda t: gtm.cascade(TREE, 1_000_000, weights="p", metrics=t).table,
    ),
    ("allocate", "seed"): (SEED, lambda t: gtm.allocate(t, MARGINS, unit=None).table),
    ("allocate", "bounds"): (
        pd.DataFrame({"place": ["e"], "product": ["a"], "cap": [40.0]}),
        lambda t: gtm.allocate(SEED, MARGINS, bounds=t, unit=None).table,
    ),
    ("cascade", "bounds"): (
        pd.DataFrame({"node_id": ["r1"], "floor": [600_000]}),
        lambda t: gtm.cascade(TREE, 1_000_000, bounds=t).table,
    ),
    ("Quotas.sellers", "staffing"): (ROSTER, lambda t: gtm.cascade(TREE, 1_000_000, calendar=YEAR).sellers(t, ROLE)),
    ("Quotas.sellers", "adjustments"): (
        pd.DataFrame({"rep_id": ["Ann"], "amount": [1_000]}),
        lambda t: gtm.cascade(TREE, 1_000_000, calendar=YEAR).sellers(ROSTER, ROLE, adjustments=t),
    ),
    ("RoundRobin.route", "leads"): (
        pd.DataFrame({"lead_id": ["l1", "l2"], "at": ["2027-01-04 09:00", "2027-01-04 10:00"]}),
        lambda t: gtm.RoundRobin(("a", "b")).route(t)[0],
    ),
    ("match_people", "candidates"): (
        pd.DataFrame({"seat_id": ["s", "s", "t"], "rep_id": ["a", "b", "a"], "score": [1.0, 0.5, 1.0]}),
        lambda t: gtm.match_people(t).table,
    ),
    ("carve_support", "supported"): (
        pd.DataFrame({"account_id": list("abcd"), "hours": [4.0, 3.0, 2.0, 1.0]}),
        lambda t: plan_of(gtm.carve_support(t, ["s1", "s2"], load="hours", tolerance=0.5, **QUICK)),
    ),
}


def kinds() -> dict[str, Callable[[pd.DataFrame], Any]]:
    made: dict[str, Callable[[pd.DataFrame], Any]] = {
        "list of dicts": lambda t: t.astype(object).where(t.notna(), None).to_dict("records"),
        "dict of lists": lambda t: t.astype(object).where(t.notna(), None).to_dict("list"),
    }
    try:
        import polars

        made["polars"] = lambda t: polars.DataFrame(made["dict of lists"](t))
    except ImportError:
        pass
    try:
        import pyarrow

        made["arrow"] = lambda t: pyarrow.table(made["dict of lists"](t))
    except ImportError:
        pass
    return made


def labelled(where: tuple[str, str], table: pd.DataFrame) -> pd.DataFrame:
    """pandas tables name their rows in the index, the others in the first column."""
    has_names = where[1] in ("by_territory", "scores", "skills", "required", "offered")
    return table.set_index(table.columns[0]) if has_names else table


def assert_same(one: object, two: object) -> None:
    if isinstance(one, pd.DataFrame):
        assert isinstance(two, pd.DataFrame)
        assert_frame_equal(one, two, check_dtype=False)
    else:
        assert one == two


@pytest.mark.parametrize("kind", list(kinds()))
@pytest.mark.parametrize("where", list(CASES), ids=" ".join)
def test_tables_of_every_kind_give_what_pandas_gives(where: tuple[str, str], kind: str) -> None:
    table, use = CASES[where]
    if where == ("parse_numbers", "values") and kind == "list of dicts":
        pytest.skip("a list of dicts has no column")
    assert_same(use(labelled(where, table)), use(kinds()[kind](table)))


@pytest.mark.parametrize("where", [w for w in CASES if w[0] != "parse_numbers"], ids=" ".join)
def test_a_table_that_is_not_computed_yet_is_refused_by_its_name(where: tuple[str, str]) -> None:
    polars = pytest.importorskip("polars")
    table, use = CASES[where]
    said = rf"`{where[1]}` must be a table .* got polars.LazyFrame. Call .collect\(\) first"
    with pytest.raises(TypeError, match=said):
        use(polars.from_pandas(table).lazy())


def test_every_public_argument_that_is_a_table_is_taken_in_any_kind() -> None:
    """A new function that takes a table is decorated with `takes_tables`, or a table of polars ends in a traceback."""
    left: list[tuple[str, str]] = []
    for name, call in public_calls():
        for parameter in inspect.signature(call).parameters.values():
            kind = str(parameter.annotation)
            if "DataFrame" in kind and "Callable" not in kind and parameter.name not in getattr(call, "takes", ()):
                left.append((name, parameter.name))
    assert left == []


def public_calls() -> list[tuple[str, Callable[..., Any]]]:
    out: list[tuple[str, Callable[..., Any]]] = []
    for name in gtm.__all__:
        thing = getattr(gtm, name)
        if not inspect.isclass(thing):
            out += [(name, thing)] if callable(thing) else []
            continue
        for method, function in vars(thing).items():
            function = getattr(function, "__func__", function)
            if not method.startswith("_") and inspect.isfunction(function):
                out.append((f"{name}.{method}", function))
    return out


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (3, "got int."),
        ("accounts.csv", "got str."),
        ([1, 2], "got a list of int."),
        ({"a": 1}, "got dict. Its values must be lists of the same length, one per column."),
        ({"a": [1], "b": [1, 2]}, "got dict. Its values must be lists of the same length"),
        (pd.Series([1]), "got pandas.Series. Call .to_frame"),
        (object(), "got object."),
    ],
)
def test_what_is_no_table_is_refused_by_its_name(values: object, said: str) -> None:
    with pytest.raises(TypeError, match="`reps` must be a table") as error:
        as_frame(values, "reps")
    assert said in str(error.value)


@pytest.mark.parametrize(
    "call",
    [gtm.carve, lambda p: gtm.check(p, PLACED), gtm.frontier, lambda p: gtm.recarve(PLACED, p)],
    ids=["carve", "check", "frontier", "recarve"],
)
def test_a_table_where_a_problem_belongs_is_refused_by_its_name(call: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=r"`problem` must be a CarvingProblem, got pandas.DataFrame. Make one"):
        call(ACCOUNTS)


def test_large_ids_beside_missing_ones_keep_every_digit() -> None:
    polars = pytest.importorskip("polars")
    frame = as_frame(polars.DataFrame({"id": [2**60 + 1, None], "x": [1, 2]}), "accounts")
    assert frame["id"].iloc[0] == 2**60 + 1
    assert frame["x"].dtype == "int64"


def test_a_column_may_be_a_list_or_an_array() -> None:
    assert as_series(["1", "2"], "values").tolist() == ["1", "2"]
    with pytest.raises(TypeError, match=r"`values` must be a column .*, got str"):
        gtm.parse_numbers("12")  # type: ignore[arg-type]
