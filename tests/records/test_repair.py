"""Repairs change what was accepted and nothing else, and undo is the identity."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.datasets import dirty, make_crm
from gtm_opt.errors import DataError

AS_OF = "2026-10-31"
KINDS = ["unknown_owners", "unknown_parents", "cycles", "spelling", "swapped_coordinates", "lost_zeros", "text_numbers"]
REPAIRS = ["owner_unknown", "parent_missing", "parent_cycle", "spelling", "swapped", "lost_zeros", "text_number"]
CRM = make_crm(150, n_reps=6, seed=2)


def cells(table: pd.DataFrame) -> list[list[tuple[str, object]]]:
    """Types and contents of every cell, where NaN, None and NaT differ from each other."""
    return [[(type(v).__name__, str(v)) for v in table[c].tolist()] for c in table.columns]


@settings(max_examples=25)
@given(
    kinds=st.sets(st.sampled_from(KINDS)),
    accept=st.sets(st.sampled_from(REPAIRS)),
    seed=st.integers(0, 5),
    rows=st.integers(0, 4),
)
def test_apply_then_undo_is_the_identity(kinds: set[str], accept: set[str], seed: int, rows: int) -> None:
    soiled = dirty(CRM.accounts, sorted(kinds), rows=rows, seed=seed)
    quality = gtm.inspect_accounts(soiled, CRM.reps, as_of=AS_OF, rules={"not_touched": False})
    repair = quality.apply(soiled, sorted(accept))
    back = repair.undo()
    assert cells(back) == cells(soiled)
    assert (back.dtypes == soiled.dtypes).all()
    assert back.index.equals(soiled.index)


def test_accepted_rules_are_clean_afterwards_and_others_untouched() -> None:
    soiled = dirty(CRM.accounts, KINDS, rows=4, seed=1)
    repair = gtm.inspect_accounts(soiled, CRM.reps, as_of=AS_OF).apply(soiled, REPAIRS)
    again = gtm.inspect_accounts(repair.accounts, CRM.reps, as_of=AS_OF)
    assert not set(again.table["rule"]) & (set(REPAIRS) - {"parent_cycle"})
    assert "parent_cycle" not in set(again.table["rule"])
    assert set(repair.log["column"]) <= {"owner", "parent_id", "industry", "lat", "lon", "postal_code", "potential"}
    assert repair.accounts["potential"].dtype.kind == "f"
    assert len(repair.log) > 150
    assert set(repair.log["rule"]) <= set(REPAIRS)


def test_single_findings_can_be_accepted() -> None:
    soiled = dirty(CRM.accounts, ["unknown_owners"], rows=4)
    quality = gtm.inspect_accounts(soiled, CRM.reps, as_of=AS_OF)
    two = quality.table[quality.table["rule"] == "owner_unknown"].head(2)
    assert len(quality.apply(soiled, two).log) == 2
    assert len(quality.apply(soiled, []).log) == 0


def test_findings_without_a_repair_are_listed_as_skipped() -> None:
    soiled = dirty(CRM.accounts, ["negative_values"], rows=2)
    repair = gtm.inspect_accounts(soiled, as_of=AS_OF).apply(soiled, ["negative"])
    assert len(repair.skipped) == 2
    assert "2 skipped" in repr(repair)
    pd.testing.assert_frame_equal(repair.accounts, soiled)


def test_undo_refuses_cells_that_were_changed_again() -> None:
    soiled = dirty(CRM.accounts, ["unknown_owners"], rows=2)
    repair = gtm.inspect_accounts(soiled, CRM.reps, as_of=AS_OF).apply(soiled, ["owner_unknown"])
    later = repair.accounts.assign(owner="R-0001")
    with pytest.raises(DataError, match=r"accounts\['owner'\] was changed after the repair in 2 rows"):
        repair.undo(later)
    assert cells(repair.undo(repair.accounts.assign(arr=1))[["owner"]]) == cells(soiled[["owner"]])


def test_another_table_and_unknown_rules_are_refused_together() -> None:
    quality = gtm.inspect_accounts(CRM.accounts, as_of=AS_OF)
    with pytest.raises(DataError, match=r"(?s)must be the table that was inspected.*Did you mean 'spelling'"):
        quality.apply(CRM.accounts.iloc[1:], ["speling"])
    with pytest.raises(DataError, match=r"accept=\['spelling'\]"):
        quality.apply(CRM.accounts, "spelling")
