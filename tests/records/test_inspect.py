"""Every rule finds what was planted for it, and nothing in tables that are clean in its respect."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.datasets import dirty, make_crm
from gtm_opt.errors import DataError

AS_OF = "2026-10-31"


@pytest.fixture(scope="module")
def crm():
    return make_crm(1_500, seed=8, duplicates=0.0)


def found(quality, rule: str) -> set[str]:
    return set(quality.table.loc[quality.table["rule"] == rule, "account_id"])


def changed(before: pd.DataFrame, after: pd.DataFrame) -> set[str]:
    return set(before["account_id"][before.map(str).ne(after.map(str)).any(axis=1).to_numpy()])


PLANTED = {
    "swapped_coordinates": "swapped",
    "impossible_coordinates": "impossible_place",
    "cycles": "parent_cycle",
    "lost_zeros": "lost_zeros",
    "currencies": "currencies",
    "outliers": "outlier",
    "spelling": "spelling",
    "contradicting_segments": "segment_contradicts",
    "old_touches": "not_touched",
    "foreign_states": "state_contradicts",
    "unknown_owners": "owner_unknown",
    "unknown_parents": "parent_missing",
    "negative_values": "negative",
    "missing_values": "no_number",
}


@pytest.mark.parametrize(("kind", "rule"), PLANTED.items())
def test_a_planted_fault_is_found_in_exactly_its_rows(crm, kind: str, rule: str) -> None:
    clean = crm.accounts.assign(last_touch=pd.Timestamp("2026-10-01"))
    before = found(gtm.inspect_accounts(clean, crm.reps, as_of=AS_OF), rule)
    soiled = dirty(clean, [kind], rows=5, seed=3)
    after = found(gtm.inspect_accounts(soiled, crm.reps, as_of=AS_OF), rule)
    planted = changed(clean, soiled)
    if kind == "currencies":  # three say USD, two EUR: those of the rarer currency are found
        assert len(after) == 2
        assert after < planted
        return
    assert after - before == planted - before
    assert planted <= after


def test_clean_tables_have_no_errors(crm) -> None:
    quality = gtm.inspect_accounts(crm.accounts, crm.reps, crm.opportunities, crm.contacts, as_of=AS_OF)
    assert set(quality.table["severity"]) <= {"warning", "info"}
    assert not found(quality, "deal_without_account")


def test_deals_and_contacts_are_held_against_accounts() -> None:
    accounts = pd.DataFrame({"account_id": ["a", "b"], "owner": ["r1", "r2"], "potential": [10.0, 20.0]})
    deals = pd.DataFrame(
        {
            "opportunity_id": ["o1", "o2", "o3", "o4"],
            "account_id": ["a", "zz", "b", "b"],
            "owner": ["r1", "r1", "r1", "r1"],
            "stage": ["open", "open", "open", "won"],
            "created": ["2026-01-01"] * 3 + ["2026-06-01"],
            "close_date": ["2026-03-01", "2027-01-01", "2027-01-01", "2026-05-01"],
            "amount": [7.0, 5.0, 3.0, 2.0],
        }
    )
    people = pd.DataFrame({"contact_id": ["c1", "c2"], "account_id": ["a", None]})
    table = gtm.inspect_accounts(accounts, opportunities=deals, contacts=people, as_of=AS_OF).table
    seen = set(zip(table["rule"], table["record_id"], strict=True))
    assert {
        ("deal_overdue", "o1"),
        ("deal_without_account", "o2"),
        ("deal_of_another", "o3"),
        ("deal_backwards", "o4"),
        ("contact_without_account", "c2"),
    } <= seen
    assert ("deal_of_another", "o4") not in seen  # it is closed
    assert table.set_index("record_id").loc["o2", "amount"] == 5.0


def test_owners_who_left_are_found_by_date_and_by_status() -> None:
    accounts = pd.DataFrame({"account_id": ["a", "b", "c", "d"], "owner": ["r1", "r2", "r3", None]})
    reps = pd.DataFrame(
        {"rep_id": ["r1", "r2", "r3"], "end_date": ["2026-10-30", None, AS_OF], "status": ["", "Inactive", ""]}
    )
    assert found(gtm.inspect_accounts(accounts, reps, as_of=AS_OF), "owner_left") == {"a", "b"}


def test_an_owner_with_far_more_than_a_book_is_named_with_its_value() -> None:
    accounts = pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(100)],
            "owner": ["queue"] * 60 + ["r1"] * 20 + ["r2"] * 20,
            "potential": 1.0,
        }
    )
    table = gtm.inspect_accounts(accounts, as_of=AS_OF, rules={"owner_overloaded": {"at_least": 30}}).table
    row = table[table["rule"] == "owner_overloaded"]
    assert row["record_id"].tolist() == []  # 60 is not more than 3 times 20
    table = gtm.inspect_accounts(accounts, as_of=AS_OF, rules={"owner_overloaded": {"times": 2.5}}).table
    row = table[table["rule"] == "owner_overloaded"]
    assert row["record_id"].tolist() == ["queue"]
    assert row["amount"].tolist() == [60.0]


def test_families_have_an_ultimate_parent_a_depth_and_a_size() -> None:
    accounts = pd.DataFrame({"account_id": ["a", "b", "c", "d"], "parent_id": [None, "a", "b", "nobody"]})
    families = gtm.inspect_accounts(accounts, as_of=AS_OF).families.set_index("account_id")
    assert families["ultimate_parent"].to_dict() == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert families["depth"].to_dict() == {"a": 0, "b": 1, "c": 2, "d": 0}
    assert families["family_size"].to_dict() == {"a": 3, "b": 3, "c": 3, "d": 1}


def test_a_chain_of_a_hundred_thousand_parents_is_climbed_quickly() -> None:
    n = 100_000
    ids = [f"a{i}" for i in range(n)]
    accounts = pd.DataFrame({"account_id": ids, "parent_id": [None, *ids[:-1]]})
    quality = gtm.inspect_accounts(accounts, as_of=AS_OF, rules={"parent_deep": {"levels": 99_998}})
    assert found(quality, "parent_deep") == {ids[-1]}
    assert quality.families["family_size"].iloc[0] == n


def test_links_from_another_tool_say_what_is_a_second_record() -> None:
    accounts = pd.DataFrame({"account_id": ["a", "b", "c"], "name": ["Acme", "Acme Inc", "Other"]})
    links = pd.DataFrame({"account_id": ["b", "a"], "other_id": ["a", "c"], "probability": [0.95, 0.5]})
    assert found(gtm.inspect_accounts(accounts, links=links, as_of=AS_OF), "duplicate") == {"b"}


def test_columns_of_another_name_are_found_and_repaired_under_it() -> None:
    accounts = pd.DataFrame({"Id": ["a", "b"], "ParentId": [None, "gone"]})
    quality = gtm.inspect_accounts(accounts, as_of=AS_OF, columns={"account_id": "Id", "parent_id": "ParentId"})
    repaired = quality.apply(accounts, ["parent_missing"])
    assert repaired.accounts["ParentId"].isna().all()
    assert repaired.log["column"].tolist() == ["ParentId"]


def test_rules_can_be_switched_off_and_have_thresholds(crm) -> None:
    accounts = crm.accounts
    quality = gtm.inspect_accounts(accounts, as_of=AS_OF, rules={"not_touched": False})
    assert not found(quality, "not_touched")
    strict = gtm.inspect_accounts(accounts, as_of=AS_OF, rules={"not_touched": {"days": 30}})
    loose = gtm.inspect_accounts(accounts, as_of=AS_OF, rules={"not_touched": {"days": 300}})
    assert found(loose, "not_touched") < found(strict, "not_touched")


def test_the_order_of_rows_changes_nothing_but_the_order_of_findings(crm) -> None:
    kinds = ["cycles", "spelling", "swapped_coordinates", "currencies", "contradicting_segments"]
    soiled = dirty(crm.accounts, kinds, rows=6)
    mixed = soiled.sample(frac=1.0, random_state=4)
    keys = ["rule", "account_id", "column", "record_id"]
    first, second = (
        gtm.inspect_accounts(t, crm.reps, as_of=AS_OF).table.sort_values(keys, ignore_index=True)
        for t in (soiled, mixed)
    )
    pd.testing.assert_frame_equal(first, second)


def test_the_summary_fits_a_screen_and_shows_what_is_touched(crm) -> None:
    quality = gtm.inspect_accounts(dirty(crm.accounts, ["outliers", "unknown_owners"]), crm.reps, as_of=AS_OF)
    text = quality.summary()
    assert len(text.splitlines()) <= 35
    assert "owner_unknown" in text
    assert "potential (" in text
    assert quality.by_owner["findings"].sum() == len(quality.table) == quality.by_team["findings"].sum()
    assert not quality.ok


def test_an_empty_table_and_no_findings_are_fine() -> None:
    quality = gtm.inspect_accounts(pd.DataFrame({"account_id": ["a"]}), as_of=AS_OF)
    assert quality.ok
    assert len(quality.table) == 0
    assert "0 findings" in quality.summary()
    assert len(gtm.inspect_accounts(pd.DataFrame({"account_id": []}), as_of=AS_OF).families) == 0


def test_tables_that_cannot_be_read_are_refused_together() -> None:
    deals = pd.DataFrame({"opportunity_id": ["o"], "account_id": ["a"], "close_date": ["31/10/2026"]})
    with pytest.raises(DataError) as caught:
        gtm.inspect_accounts(pd.DataFrame({"acount_id": ["a"]}), 7, deals, as_of="soon")
    text = str(caught.value)
    for part in (
        "`as_of` must be a date",
        "Did you mean 'acount_id'?",
        "`reps` must be a pandas DataFrame, got int",
        "got '31/10/2026' in 1 row: '0'",
        "format='%d-%m-%Y'",
    ):
        assert part in text
    with pytest.raises(DataError, match=r"(?s)Did you mean 'outlier'.*\['days'\] must be a number, at least 0, got -1"):
        gtm.inspect_accounts(deals, as_of=AS_OF, rules={"outliers": False, "frozen": {"days": -1}})


def test_values_frozen_for_a_year_are_found() -> None:
    accounts = pd.DataFrame(
        {"account_id": ["a", "b"], "potential": [1.0, 2.0], "potential_updated": ["2025-01-01", "2026-10-01"]}
    )
    assert found(gtm.inspect_accounts(accounts, as_of=AS_OF), "frozen") == {"a"}


def test_roots_of_one_name_are_found() -> None:
    accounts = pd.DataFrame(
        {
            "account_id": ["a", "b", "c", "d"],
            "name": ["Acme", "Sub", "ACME.", "Sub 2"],
            "parent_id": [None, "a", None, "c"],
            "country": ["US", "CA", "US", "US"],
        }
    )
    quality = gtm.inspect_accounts(accounts, as_of=AS_OF)
    assert found(quality, "many_roots") == {"a", "c"}
    assert found(quality, "parent_abroad") == {"b"}


def test_a_number_is_touched_once_per_finding(crm) -> None:
    soiled = dirty(crm.accounts, ["unknown_owners"], rows=5)
    quality = gtm.inspect_accounts(soiled, crm.reps, as_of=AS_OF)
    rows = quality.table[quality.table["rule"] == "owner_unknown"]
    by_id = soiled.set_index("account_id")["potential"]
    assert np.allclose(rows["amount"], by_id.loc[rows["account_id"]])
