"""The problem as a whole: what is copied, what is chosen when left open, what identifies it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.errors import DataError
from tests.model.wishes import problem, table


def test_the_callers_table_is_neither_touched_nor_looked_at_again() -> None:
    accounts = table()
    before = accounts.copy(deep=True)
    asked = problem(accounts)
    accounts["arr"] = 0.0
    assert asked.accounts["arr"].tolist() == before["arr"].tolist()
    assert before.index.equals(accounts.index)


def test_territories_may_be_a_number_names_or_a_tree() -> None:
    tree = gtm.Hierarchy.from_dict({"East": ["T1"], "West": ["T2"]})
    for given in (2, np.int64(2), ["T1", "T2"], pd.Index(["T1", "T2"]), tree, gtm.Territories(("T1", "T2"))):
        assert problem(territories=given).territories.names == ("T1", "T2")
    with pytest.raises(TypeError, match="takes Territories, a number or a list of names, got DataFrame"):
        problem(territories=table())
    with pytest.raises(TypeError, match=r"`accounts` must be a table .* got a list of int"):
        gtm.CarvingProblem([1, 2], 2, [gtm.Count()])
    with pytest.raises(TypeError, match="`balance` takes Balance, Count, Mix, Limit, got str"):
        problem(balance=["arr"])


def test_one_wish_need_not_be_in_a_list() -> None:
    asked = problem(balance=gtm.Count(), prefer=gtm.KeepOwner(), rules=None)
    assert (len(asked.balance), len(asked.prefer), asked.rules) == (1, 1, ())


def test_what_was_left_open_is_chosen_anew_after_a_change() -> None:
    asked = problem()
    assert (asked.objective, asked.previous) == ("even", None)
    keeping = asked.replace(prefer=[gtm.KeepOwner()])
    assert (keeping.objective, keeping.previous) == ("preferences", "owner")
    back = keeping.replace(prefer=())
    assert (back.objective, back.previous) == ("even", None)
    fixed = problem(objective="even", previous="owner").replace(prefer=[gtm.KeepOwner()])
    assert (fixed.objective, fixed.previous) == ("even", "owner")


def test_home_is_the_owner_by_rep_or_by_territory_name() -> None:
    seats = gtm.Territories(("East", "West"), reps=("T1", "T2"))
    accounts = table().assign(owner=["T1", "West", " T2 ", None, "", "East"])
    home = problem(accounts, territories=seats, prefer=[gtm.KeepOwner()]).home
    assert home.tolist() == ["East", "West", "West", None, None, "East"]
    assert problem().home is None


def test_owners_who_left_can_be_taken_as_nobody() -> None:
    accounts = table().assign(owner=["Zoe", "T2", "T1", "T1", "T1", "T1"])
    asked = problem(accounts, prefer=[gtm.KeepOwner(unknown="unowned")], rules=[gtm.MaxMoved(0.5)])
    assert asked.home.tolist()[:2] == [None, "T2"]


def test_numeric_ids_with_gaps_match_across_columns_and_tables() -> None:
    accounts = pd.DataFrame(
        {"account_id": [1, 2, 3, 4], "owner": [7.0, np.nan, 8.0, 7.0], "parent_id": [np.nan, 1.0, np.nan, 3.0]}
    )
    seats = gtm.Territories.from_reps(pd.DataFrame({"rep_id": [7, 8]}))
    asked = gtm.CarvingProblem(
        accounts, seats, [gtm.Count(1.0)], [gtm.KeepOwner()], [gtm.KeepTogether(), gtm.Pin({3: 8})]
    )
    assert asked.resolved.family.tolist() == [0, 0, 1, 1]
    assert asked.home.tolist() == ["7", None, "8", "7"]
    assert gtm.check(asked, pd.DataFrame({"account_id": [1.0, 2, 3, 4], "territory": [7, 7, 8, 8]})).ok


def test_columns_can_have_the_users_names() -> None:
    accounts = table().rename(columns={"account_id": "Id", "arr": "ARR"})
    asked = problem(accounts, columns={"account_id": "Id", "arr": "ARR"})
    assert "arr" in asked.accounts
    assert asked.replace(objective="even").fingerprint == asked.fingerprint


def test_two_rules_of_families_join() -> None:
    accounts = table().assign(parent_id=[None, "A0", None, None, None, None], brand=["x", None, "x", None, "y", "y"])
    asked = problem(accounts, rules=[gtm.KeepTogether(), gtm.KeepTogether("brand")])
    assert asked.resolved.family.tolist() == [0, 0, 0, 1, 2, 2]


def test_forbids_by_value_name_all_accounts_of_it() -> None:
    accounts = table().assign(industry=["Bank", None, "Tech", "Bank", None, "Tech"])
    asked = problem(accounts, rules=[gtm.Forbid([("Bank", "T1"), ("(none)", "T2")], by="industry")])
    account, territory = asked.resolved.forbidden
    assert list(zip(account.tolist(), territory.tolist(), strict=True)) == [(0, 0), (1, 1), (3, 0), (4, 1)]


def test_pins_and_forbids_may_come_as_tables() -> None:
    pins = pd.Series({"A1": "T1"})
    pairs = pd.DataFrame({"account_id": ["A2"], "territory": ["T1"], "why": ["conflict"]})
    asked = problem(rules=[gtm.Pin(pins), gtm.Forbid(pairs)])
    assert asked.resolved.pinned.tolist() == [-1, 0, -1, -1, -1, -1]
    with pytest.raises(DataError, match="lacks territory"):
        gtm.Forbid(pairs[["account_id"]])
    with pytest.raises(DataError, match=r"takes pairs .account id, territory., got 'A-1'"):
        gtm.Forbid(["A-1"])
    with pytest.raises(DataError, match="must not pin an account twice, got 'A1'"):
        gtm.Pin(pd.Series(["T1", "T2"], index=["A1", "A1"]))
    with pytest.raises(TypeError, match="or a table with the columns account_id and territory, got a list of str"):
        gtm.Pin(["A1"])


@pytest.mark.parametrize(
    "change",
    [
        {"accounts": table().assign(arr=9.0)},
        {"territories": ["T1", "T3"]},
        {"balance": [gtm.Balance("arr", 0.4)]},
        {"rules": [gtm.Pin({"A1": "T1"})]},
        {
            "prefer": [
                gtm.Fit(pd.DataFrame({"T1": [0.1] * 100, "T2": [0.2] * 100}, index=[f"A{i}" for i in range(100)]))
            ]
        },
    ],
)
def test_the_fingerprint_changes_with_everything_asked_for(change) -> None:
    assert problem().fingerprint == problem().fingerprint
    assert problem().replace(**change).fingerprint != problem().fingerprint


def test_the_fingerprint_sees_every_cell_of_a_long_table_and_cells_that_are_lists() -> None:
    scores = pd.DataFrame({"T1": 0.5, "T2": 0.5}, index=[f"A{i}" for i in range(200)])
    other = scores.copy()
    other.loc["A100", "T1"] = 0.6
    prints = [problem(table(200), prefer=[gtm.Fit(s)]).fingerprint for s in (scores, other)]
    assert prints[0] != prints[1]
    tags = [["a"], ["b"], [], [], [], []]
    assert problem(table().assign(tags=tags)).fingerprint != problem(table().assign(tags=tags[::-1])).fingerprint


def test_limits_take_one_number_or_one_per_territory() -> None:
    asked = problem(balance=[gtm.Limit("arr", at_most={"T1": 20.0}, at_least=2)])
    limit = gtm.check(asked, dict(zip(asked.resolved.ids, ["T1", "T2"] * 3, strict=True))).balance
    assert limit["upper"].tolist() == [20.0, np.inf]
    assert limit["lower"].tolist() == [2.0, 2.0]
    for wrong in ({"at_most": -1}, {"at_least": float("nan")}, {"at_most": {"T1": float("nan")}}):
        with pytest.raises(DataError, match="must be numbers >= 0"):
            problem(balance=[gtm.Limit("arr", **wrong)])


@pytest.mark.parametrize(
    "shares", [{"T1": float("nan"), "T2": 1.0}, {"T1": 0.7, "T2": 0.7}, {"T1": 0.0, "T2": 1.0}, {}]
)
def test_shares_of_a_criterion_must_be_positive_and_whole(shares) -> None:
    with pytest.raises(DataError, match="must be positive and sum to 1"):
        problem(balance=[gtm.Balance("arr", shares=shares)])


def test_activities_by_territory_need_a_cell_for_every_pair() -> None:
    matrix = pd.DataFrame(1.0, index=[f"A{i}" for i in range(6)], columns=["T1", "T2"])
    problem(balance=[gtm.Balance("hours", by_territory=matrix)])
    for wrong, text in [
        (matrix.head(5), "row for every account; violated by 1 account: 'A5'"),
        (matrix[["T1"]], "column for every territory; violated by 1 territory: 'T2'"),
        (pd.concat([matrix, matrix.head(1)]), "one row each, got repeated rows in 1 row: 'A0'"),
        (matrix.drop("A3").reindex(matrix.index), "must hold numbers >= 0 in 1 row: 'A3'"),
        (matrix * 0.0, "positive total, got only zeros"),
    ]:
        with pytest.raises(DataError, match=text):
            problem(balance=[gtm.Balance("hours", by_territory=wrong)])


@pytest.mark.parametrize("column", ["account_id", "arr", "owner", "lat", "lon"])
@pytest.mark.parametrize("row", [0, 5])
def test_any_corrupted_cell_gives_an_error_that_names_its_row(column: str, row: int) -> None:
    accounts = table()
    accounts[column] = accounts[column].astype(object)
    accounts.loc[row, column] = "A1 " if column == "account_id" else "broken"
    with pytest.raises(DataError) as caught:
        problem(accounts, prefer=[gtm.KeepOwner(), gtm.Near()])
    assert ("A1 " if column == "account_id" else f"A{row}") in str(caught.value)


def test_repeated_ids_are_told_together_with_everything_else() -> None:
    accounts = table()
    ids = accounts["account_id"].tolist()
    accounts.loc[2, "account_id"] = ids[1]
    accounts.loc[3, "account_id"] = f" {ids[3]}"
    accounts["arr"] = accounts["arr"].astype(float)
    accounts.loc[2, "arr"] = -5.0
    accounts.loc[0, "owner"] = "stranger"
    with pytest.raises(DataError) as caught:
        rules = [gtm.Pin({"nobody": "T1", ids[3]: "T1"}), gtm.KeepTogether("family")]
        problem(accounts, prefer=gtm.KeepOwner(), rules=rules, objective="best")
    text = str(caught.value)
    assert text.startswith("7 things are wrong with the input:")
    assert f"accounts['account_id'] must be unique; violated by 1 account: '{ids[1]}'." in text
    assert "must not begin or end with blanks" in text
    # the row is distinguished from its namesake
    assert f"accounts['arr'] must not be negative, got -5 in 1 row: '{ids[1]} (row 2)'." in text
    assert "1 unknown owner ('stranger')" in text
    assert "Pin must name known accounts; violated by 1 account: 'nobody'." in text
    assert "accounts['family'] must exist" in text
    assert "objective must be 'preferences' or 'even', got 'best'" in text


def test_ids_of_other_types_and_empty_ids_do_not_hide_other_findings() -> None:
    accounts = table()
    accounts["account_id"] = [None, None, *range(2, len(accounts))]
    accounts["arr"] = "a lot"
    with pytest.raises(DataError, match=r"(?s)must not be empty in 2 rows: 'row 0', 'row 1'.*must hold numbers"):
        problem(accounts)
    with pytest.raises(DataError, match=r"(?s)accounts\['account_id'\] must exist.*|names each criterion once"):
        problem(accounts.drop(columns="account_id"), balance=[gtm.Count(), gtm.Count()])
