"""Tiers follow the score, fit into the hours, and are proven where they are optimized."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.errors import DataError

HOURS = {"A": 10.0, "B": 3.0, "C": 1.0}
WORTH = {"A": 1.0, "B": 0.5, "C": 0.1}


def table(scores: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"account_id": [f"a{i}" for i in range(len(scores))], "score": scores})


def best_by_trying(scores: list[float], available: float, previous: list[str] | None, most: int) -> float:
    best = -np.inf
    for tiers in product(HOURS, repeat=len(scores)):
        if sum(HOURS[t] for t in tiers) > available:
            continue
        if previous and sum(a != b for a, b in zip(tiers, previous, strict=True)) > most:
            continue
        best = max(best, sum(s * WORTH[t] for s, t in zip(scores, tiers, strict=True)))
    return best


@settings(max_examples=25)
@given(scores=st.lists(st.integers(0, 20).map(float), min_size=1, max_size=5), extra=st.integers(0, 40))
def test_tiers_by_capacity_equal_the_best_of_all_and_follow_the_score(scores: list[float], extra: int) -> None:
    available = len(scores) * HOURS["C"] + extra
    result = gtm.tier(table(scores), score="score", hours=HOURS, worth=WORTH, available=available)
    assert result.status == "optimal"
    assert result.objective == pytest.approx(best_by_trying(scores, available, None, 0))
    assert result.bound >= result.objective
    by_tier = result.table.groupby("tier")["score"].agg(["min", "max"]).sort_index()
    assert (by_tier["min"].to_numpy()[:-1] >= by_tier["max"].to_numpy()[1:]).all()
    assert result.table["hours"].sum() <= available + 1e-9


@pytest.mark.parametrize("most", [0, 1, 2])
def test_no_more_tiers_change_than_allowed(most: int) -> None:
    scores, previous = [9.0, 1.0, 5.0, 7.0], ["C", "A", "B", "C"]
    accounts = table(scores).assign(was=previous)
    result = gtm.tier(
        accounts, score="score", hours=HOURS, worth=WORTH, available=16.0, previous="was", max_changes=most
    )
    assert result.table["changed"].sum() <= most
    assert result.objective == pytest.approx(best_by_trying(scores, 16.0, previous, most))


@given(scores=st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_tiers_by_cuts_rise_with_the_score(scores: list[float]) -> None:
    result = gtm.tier(table(scores), score="score", cuts={"A": 80.0, "B": 50.0}).table
    expected = ["A" if s >= 80 else "B" if s >= 50 else "C" for s in scores]
    assert result["tier"].tolist() == expected


def test_more_hours_never_earn_less() -> None:
    accounts = table([3.0, 8.0, 2.0, 9.0, 4.0, 4.0])
    values = [
        gtm.tier(accounts, score="score", hours=HOURS, worth=WORTH, available=h).objective for h in range(6, 61, 6)
    ]
    assert all(b >= a - 1e-9 for a, b in pairwise(values))


def test_characteristics_make_a_of_most_b_of_some_and_c_of_one_or_none() -> None:
    accounts = pd.DataFrame(
        {"account_id": list("wxyz"), "p": [1, 1, 1, 0], "q": [1, 1, 0, 0], "r": [1, 0, 0, 0], "s": [0, 0, 0, 0]}
    )
    assert gtm.tier(accounts, characteristics=["p", "q", "r", "s"]).table["tier"].tolist() == ["A", "B", "C", "C"]


def test_the_order_of_rows_changes_no_tier() -> None:
    accounts = table([5.0, 5.0, 5.0, 5.0, 1.0])
    one, two = (
        gtm.tier(t, score="score", hours=HOURS, worth=WORTH, available=26.0).table.set_index("account_id")["tier"]
        for t in (accounts, accounts.iloc[::-1])
    )
    assert one.sort_index().equals(two.sort_index())


def test_wrong_arguments_are_reported_together() -> None:
    accounts = table([1.0, np.nan])
    with pytest.raises(DataError, match=r"(?s)exactly one of .* got cuts, hours.*must not be empty.*must be the hours"):
        gtm.tier(accounts, score="score", cuts={"A": 1.0}, hours=HOURS)
    with pytest.raises(DataError, match="2 accounts, which need 2"):
        gtm.tier(table([1.0, 2.0]), score="score", hours=HOURS, available=1.0)
    with pytest.raises(DataError, match="must fall from the first to the last"):
        gtm.tier(table([1.0]), score="score", cuts={"A": 50.0, "B": 80.0})
