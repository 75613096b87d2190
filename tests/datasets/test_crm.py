"""The made-up customer system keeps the truth it was drawn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gtm_opt.datasets import dirty, make_crm
from gtm_opt.datasets.record_dirt import RECORD_KINDS
from gtm_opt.errors import DataError


@pytest.fixture(scope="module")
def crm():
    return make_crm(2_000, seed=5, opportunities=5.0)


def test_the_same_seed_gives_the_same_tables_and_another_seed_others() -> None:
    first, again, other = make_crm(80, seed=1), make_crm(80, seed=1), make_crm(80, seed=2)
    for name in vars(first):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name))
    assert not first.accounts["name"].equals(other.accounts["name"])


def test_the_planted_second_records_are_all_in_the_truth(crm) -> None:
    companies = crm.truth["company_id"]
    assert len(crm.accounts) == 2_100
    assert companies.nunique() == 2_000
    assert crm.truth["account_id"].tolist() == crm.accounts["account_id"].tolist()
    assert crm.accounts["account_id"].is_unique


def test_closed_opportunities_are_won_with_the_true_odds(crm) -> None:
    closed = crm.opportunities[crm.opportunities["stage"] != "open"]
    p = crm.truth.set_index("account_id")["p_win"].reindex(closed["account_id"]).to_numpy()
    won = (closed["stage"] == "won").to_numpy()
    assert abs(won.mean() - p.mean()) < 4.0 * np.sqrt((p * (1 - p)).mean() / len(p))


def test_every_foreign_key_leads_to_a_row(crm) -> None:
    ids, products = set(crm.accounts["account_id"]), set(crm.products["product_id"])
    for table in (crm.opportunities, crm.contacts, crm.installed, crm.competitors, crm.intent):
        assert set(table["account_id"]) <= ids
    for table in (crm.opportunities, crm.installed, crm.competitors):
        assert set(table["product_id"]) <= products
    assert set(crm.universe_truth["company_id"]) - {""} <= ids


def test_nobody_owns_a_product_twice_or_together_with_a_competitor(crm) -> None:
    keys = ["account_id", "product_id"]
    both = pd.concat([crm.installed[keys], crm.competitors[keys]])
    assert not both.duplicated().any()


def test_open_opportunities_close_after_today_and_none_is_won_before_it_was_created(crm) -> None:
    deals = crm.opportunities
    assert (deals["close_date"] > deals["created"]).all()


@pytest.mark.parametrize("kind", sorted(RECORD_KINDS))
def test_each_fault_of_records_changes_the_table_and_not_its_source(kind: str, crm) -> None:
    before = crm.accounts.copy()
    soiled = dirty(crm.accounts, [kind], rows=4)
    pd.testing.assert_frame_equal(crm.accounts, before)
    text, former = (table.map(str).where(table.notna(), "") for table in (soiled, before))
    changed = text.ne(former).any(axis=1)
    assert 1 <= changed.sum() <= 4


def test_faults_need_their_columns(crm) -> None:
    with pytest.raises(DataError, match="got none called 'postal_code'"):
        dirty(crm.accounts.drop(columns="postal_code"), ["lost_zeros"])


def test_impossible_fractions_are_refused_together() -> None:
    with pytest.raises(DataError, match=r"(?s)`duplicates` must lie.*got 2\.0.*`opportunities` must lie.*got -1"):
        make_crm(10, duplicates=2.0, opportunities=-1.0)
