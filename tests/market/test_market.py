"""Whitespace, market size and ranking: sums tie out, odds are drawn to the peers, order changes nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.datasets import make_crm
from gtm_opt.errors import DataError
from gtm_opt.market.size import rake

CRM = make_crm(200, n_reps=6, seed=3, duplicates=0.0)


def space(accounts: pd.DataFrame = CRM.accounts, **more):
    return gtm.whitespace(
        accounts,
        CRM.products,
        CRM.installed,
        CRM.opportunities[CRM.opportunities["stage"] == "open"],
        competitors=CRM.competitors,
        **more,
    )


def test_every_cell_has_one_status_and_sums_are_the_market() -> None:
    result = space(size="employees")
    assert len(result.table) == 200 * 5
    assert result.by_account["potential"].sum() == pytest.approx(result.total)
    assert result.by_product["expected"].sum() == pytest.approx(result.total)
    owned = result.table[result.table["status"] == "owned"]
    assert len(owned) == len(CRM.installed)
    assert (owned["expected"] == 0).all()
    assert (owned["motion"] == "renewal").all()
    assert result.table["probability"].between(0, 1).all()


def test_a_wallet_is_never_exceeded_and_an_empty_one_is_no_limit() -> None:
    accounts = CRM.accounts.assign(wallet=[100.0, np.nan] * 100)
    table = space(accounts, wallet="wallet", size="employees").table
    value = table[table["status"].isin(["open", "pipeline"])].groupby("account_id")["value"].sum()
    limited = accounts["account_id"].iloc[::2]
    assert value.reindex(limited).fillna(0).max() <= 100.0 + 1e-6
    assert value.reindex(accounts["account_id"].iloc[1::2]).max() > 1_000.0


def test_products_are_only_sold_to_whom_they_fit() -> None:
    table = space(eligible={"P-next": {"country": ["CA"]}}).table
    canada = set(CRM.accounts.loc[CRM.accounts["country"] == "CA", "account_id"])
    part = table[table["product_id"] == "P-next"]
    assert set(part.loc[part["status"] != "not eligible", "account_id"]) == canada
    assert (part["low"].iloc[0], part["high"].iloc[0], part["value"].iloc[0]) == (10_000.0, 30_000.0, 20_000.0)


def test_whitespace_refuses_everything_wrong_at_once() -> None:
    owned = pd.DataFrame(
        {"account_id": ["A-000001", "A-000001", "nobody"], "product_id": ["P-core", "P-core", "P-core"]}
    )
    with pytest.raises(
        DataError, match=r"(?s)must name an account, got 'nobody'.*accounts\['wallet'\] must not be neg"
    ):
        gtm.whitespace(CRM.accounts.assign(wallet=-1.0), CRM.products, owned, wallet="wallet")
    with pytest.raises(DataError, match=r"must name a product once per account, got A-000001, P-core in 2 rows"):
        gtm.whitespace(CRM.accounts, CRM.products, owned.head(2))


@settings(max_examples=30)
@given(data=st.data())
def test_the_market_is_conserved_to_the_cent_under_any_carve(data) -> None:
    n = data.draw(st.integers(1, 30))
    value = data.draw(st.lists(st.floats(0, 1e7), min_size=n, max_size=n))
    labels = data.draw(st.lists(st.sampled_from(["T1", "T2", "T3", None]), min_size=n, max_size=n))
    odds = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    accounts = pd.DataFrame(
        {"account_id": [f"a{i}" for i in range(n)], "potential": value, "territory": labels, "p": odds}
    )
    size = gtm.market_size(accounts, by=["territory"], probability="p")
    other = gtm.market_size(accounts.assign(territory="all"), by=["territory"], probability="p")
    assert size.total == other.total
    cents = size.accounts[["tam", "sam", "som"]].sum()
    by_group = (size.table()[["tam", "sam", "som"]] * 100).round().astype(np.int64).sum()
    assert by_group.tolist() == cents.tolist()
    assert (size.accounts["som"] <= size.accounts["sam"]).all()
    assert (size.accounts["sam"] <= size.accounts["tam"]).all()


def test_companies_and_matched_rows_of_the_universe_count_once() -> None:
    accounts = pd.DataFrame(
        {"account_id": ["a", "b", "c"], "company": ["x", "x", None], "potential": [5.0, 7.0, 1.0], "t": ["1", "2", "2"]}
    )
    universe = pd.DataFrame({"universe_id": ["u1", "u2"], "potential": [7.0, 4.0], "t": ["2", "1"]})
    matches = pd.DataFrame({"universe_id": ["u1"], "account_id": ["b"]})
    areas = pd.DataFrame({"t": ["3"], "count": [10], "value": [2.0]})
    size = gtm.market_size(accounts, by=["t"], company="company", universe=universe, matches=matches, areas=areas)
    assert size.total["tam"] == 7.0 + 1.0 + 4.0 + 20.0
    assert size.table().set_index("t")["tam"].to_dict() == {"1": 4.0, "2": 8.0, "3": 20.0}
    with pytest.raises(DataError, match="or they count twice"):
        gtm.market_size(accounts, by=["t"], universe=universe)


def test_top_down_figures_are_met_and_their_factor_is_shown() -> None:
    accounts = pd.DataFrame({"account_id": list("abc"), "potential": [10.0, 30.0, 60.0], "t": ["x", "x", "y"]})
    size = gtm.market_size(accounts, by=["t"], top_down={"t": {"x": 80.0, "y": 60.0}})
    assert size.table().set_index("t")["tam"].to_dict() == {"x": 80.0, "y": 60.0}
    assert size.accounts["factor"].tolist() == [2.0, 2.0, 1.0]
    with pytest.raises(DataError, match=r"top_down\['t'\]\['z'\] must have accounts to spread over, got 5"):
        gtm.market_size(accounts, by=["t"], top_down={"t": {"z": 5.0}})


def test_raking_keeps_the_ratios_within_cells() -> None:
    amounts = np.array([1.0, 3.0, 2.0, 2.0, 5.0])
    labels = {"r": np.array(["a", "a", "b", "b", "a"]), "c": np.array(["u", "u", "u", "v", "v"])}
    factor = rake(amounts, labels, {"r": {"a": 12.0, "b": 8.0}, "c": {"u": 11.0, "v": 9.0}})
    fitted = amounts * factor
    assert fitted[[0, 1, 4]].sum() == pytest.approx(12.0)
    assert fitted[[3, 4]].sum() == pytest.approx(9.0)
    assert factor[0] == factor[1]
    with pytest.raises(DataError, match="must have one total over all dimensions, got r 12, c 13"):
        rake(amounts, labels, {"r": {"a": 6.0, "b": 6.0}, "c": {"u": 6.0, "v": 7.0}})


WEEK = pd.DataFrame(
    {
        "account_id": list("abcd"),
        "territory": ["T", "T", "T", "U"],
        "expected_value": [100.0, 60.0, 50.0, 1.0],
        "hours": [10.0, 5.0, 5.0, 5.0],
    }
)


def test_lists_are_ranked_by_value_per_hour_within_the_hours() -> None:
    ranking = gtm.rank_accounts(WEEK, available={"T": 10.0, "U": 4.0})
    assert ranking.table["account_id"].tolist() == ["b", "a", "c", "d"]
    assert ranking.list_of("T")["account_id"].tolist() == ["b", "c"]  # a no longer fits, c does
    assert ranking.list_of("U").empty


def test_an_account_leaves_the_list_only_for_one_that_is_clearly_better() -> None:
    first = gtm.rank_accounts(WEEK, available=10.0)
    close = WEEK.assign(expected_value=[100.0, 60.0, 49.0, 1.0], hours=[5.0 / 0.95 * 2, 5.0, 5.0, 5.0])
    again = gtm.rank_accounts(close.assign(hours=[9.9, 5.0, 5.0, 5.0]), available=10.0, previous=first.table)
    assert not again.table["entered"].any()
    jump = gtm.rank_accounts(WEEK.assign(expected_value=[900.0, 60.0, 50.0, 1.0]), available=10.0, previous=first.table)
    assert jump.table.loc[jump.table["entered"], "account_id"].tolist() == ["a"]
    assert set(jump.table.loc[jump.table["left"], "account_id"]) == {"b", "c"}


def test_the_order_of_rows_changes_no_ranking() -> None:
    accounts = CRM.accounts.assign(expected_value=CRM.truth["expected_value"], hours=4.0).assign(
        territory=CRM.accounts["region"] if "region" in CRM.accounts else CRM.accounts["state"]
    )
    one, two = (gtm.rank_accounts(t, available=40.0).table for t in (accounts, accounts.sample(frac=1, random_state=2)))
    pd.testing.assert_frame_equal(one, two)


def test_ranking_refuses_missing_values_and_reps_without_hours() -> None:
    accounts = WEEK.assign(expected_value=[1.0, np.nan, np.nan, np.nan], hours=[0.0, 1.0, 1.0, 1.0])
    with pytest.raises(DataError, match=r"(?s)must not be empty in 3 rows.*must be positive in 1 row.*every rep.*'U'"):
        gtm.rank_accounts(accounts, available={"T": 1.0})
