"""Rules are kept through changes, prices answer equal rules, bounds of frontiers are bounds, strangers stay apart."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm

ACCOUNTS = pd.DataFrame(
    {"account_id": list("ABCDEF"), "rev": [6.0, 5.0, 4.0, 3.0, 2.0, 1.0], "owner": ["T1"] * 3 + ["T2"] * 3}
)


def test_a_limit_on_moves_of_the_problem_holds_when_a_plan_is_carved_again() -> None:
    problem = gtm.CarvingProblem(
        ACCOUNTS, ["T1", "T2"], [gtm.Balance("rev", 0.6)], [gtm.KeepOwner()], [gtm.MaxMoved(0.0)]
    )
    swapped = dict(zip(ACCOUNTS["account_id"], ["T2"] * 3 + ["T1"] * 3, strict=True))
    again = gtm.recarve(swapped, problem)
    assert again.labels.tolist() == ACCOUNTS["owner"].tolist()
    assert gtm.check(problem, again.labels).ok


def test_a_rule_that_is_equal_has_the_same_price() -> None:
    problem = gtm.CarvingProblem(
        ACCOUNTS, ["T1", "T2"], [gtm.Balance("rev", 0.3)], [gtm.KeepOwner()], [gtm.Pin({"A": "T2"})]
    )
    carving = gtm.carve(problem, effort=0.1)
    assert carving.price_of(gtm.Pin({"A": "T2"})) == carving.price_of(problem.rules[0])
    with pytest.raises(gtm.DataError, match="must be one of the problem's own rules"):
        carving.price_of(gtm.Pin({"A": "T1"}))


@settings(max_examples=8)
@given(st.lists(st.integers(1, 30), min_size=4, max_size=6), st.data())
def test_no_plan_as_even_scores_below_the_bound_of_a_frontier(worth, data) -> None:
    count = len(worth)
    owners = [data.draw(st.sampled_from(["T1", "T2"])) for _ in range(count)]
    accounts = pd.DataFrame({"account_id": [f"A{n}" for n in range(count)], "rev": worth, "owner": owners})
    problem = gtm.CarvingProblem(accounts, ["T1", "T2"], [gtm.Balance("rev", 0.4)], [gtm.KeepOwner()])
    table = gtm.frontier(problem, points=4, effort=0.1).table
    half = sum(worth) / 2
    for row in table.itertuples():
        for plan in itertools.product(["T1", "T2"], repeat=count):
            load = sum(w for w, t in zip(worth, plan, strict=True) if t == "T1")
            if abs(load / half - 1) / 0.4 <= row.stretch + 1e-9:
                moved = np.mean([o != t for o, t in zip(owners, plan, strict=True)])
                assert row.bound <= moved + 1e-9


def families(parents: list[str | None], **words: str) -> gtm.Carving:
    accounts = ACCOUNTS.assign(parent_id=parents)
    rules = [gtm.KeepTogether(**words)]
    return gtm.carve(gtm.CarvingProblem(accounts, 2, [gtm.Balance("rev", 0.3)], rules=rules), effort=0.1)


def test_two_accounts_that_name_the_same_missing_parent_stand_alone_and_are_named() -> None:
    carving = families([None, "A", None, "ZZ", "ZZ", None])
    assert carving.problem.resolved.family[0] == carving.problem.resolved.family[1]
    assert carving.problem.resolved.family[3] != carving.problem.resolved.family[4]
    note = next(n for n in carving.notes if "keep together" in n)
    assert note.startswith(
        "keep together by parent_id: 2 accounts name parents that are not in the table, and stand alone: 'D', 'E'."
    )
    together = families([None, "A", None, "ZZ", "ZZ", None], missing="together")
    assert together.problem.resolved.family[3] == together.problem.resolved.family[4]
    assert not [n for n in together.notes if "keep together" in n]


def test_labels_of_groups_still_make_families() -> None:
    accounts = ACCOUNTS.assign(group=["x", "x", None, "y", "y", None])
    problem = gtm.CarvingProblem(accounts, 2, [gtm.Balance("rev", 0.9)], rules=[gtm.KeepTogether("group")])
    assert problem.resolved.family[0] == problem.resolved.family[1]
    assert problem.resolved.family[3] == problem.resolved.family[4]
