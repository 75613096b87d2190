"""What each repair changes in the carve, and nothing else."""

from __future__ import annotations

import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.errors import DataError

ACCOUNTS = pd.DataFrame(
    {
        "account_id": list("abcdef"),
        "group": ["x", "x", "X ", "y", "y", "z"],
        "potential": [4.0, 3.0, 3.0, 4.0, 4.0, 2.0],
    }
)


def build(table: pd.DataFrame) -> gtm.CarvingProblem:
    together = gtm.KeepTogether("group", missing="together")
    return gtm.CarvingProblem(table, ["T1", "T2"], [gtm.Balance("potential", 0.6)], rules=[together])


def quality() -> gtm.DataQuality:
    return gtm.inspect_accounts(ACCOUNTS, as_of="2026-10-31", categories=["group"])


def test_a_spelling_that_splits_a_group_changes_the_carve() -> None:
    table = gtm.repair_effects(quality(), ACCOUNTS, build).set_index("rule")
    assert table.index.tolist() == ["as is", "spelling"]
    assert table.loc["spelling", "cells"] == 1
    assert table.loc["as is", "worst_deviation"] == pytest.approx(0.0)  # x + z + ... : 7 + 3 = 4 + 4 + 2
    assert table.loc["spelling", "worst_deviation"] == pytest.approx(0.0)
    assert (table["status"] == "carved").all()


def test_a_repair_that_changes_nothing_moves_nobody() -> None:
    accounts = ACCOUNTS.assign(owner=["gone", "r", "r", "r", "r", "r"])
    reps = pd.DataFrame({"rep_id": ["r"]})
    seen = gtm.inspect_accounts(accounts, reps, as_of="2026-10-31", categories=[])
    table = gtm.repair_effects(seen, accounts, build).set_index("rule")
    assert table.loc["owner_unknown", ["cells", "moved"]].tolist() == [1, 0]


def test_a_table_that_cannot_be_carved_says_why() -> None:
    accounts = ACCOUNTS.assign(potential=["4", "3", "3", "4", "4", "2"])
    seen = gtm.inspect_accounts(accounts, as_of="2026-10-31", categories=[])
    table = gtm.repair_effects(seen, accounts, build).set_index("rule")
    assert "numbers written as text" in table.loc["as is", "status"]
    assert table.loc["text_number", "status"] == "carved"


def test_something_that_is_no_function_is_refused() -> None:
    with pytest.raises(DataError, match="`build` must be a function from accounts to a CarvingProblem, got int"):
        gtm.repair_effects(quality(), ACCOUNTS, 3)  # type: ignore[arg-type]
