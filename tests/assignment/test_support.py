"""People around the owner: reference head counts, and books that are carved like territories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt import DataError


def test_pooled_people_are_rounded_up_once_and_workload_does_as_well_as_a_ratio() -> None:
    groups = {"ENT": 4, "MM": 4, "SMB": 4}
    assert gtm.support_heads(groups, ratio=3)["heads"].sum() == 6
    assert gtm.support_heads(groups, ratio=3, pooled=True)["heads"].tolist() == [4]
    hours = {"ENT": 40.0, "MM": 20.0, "SMB": 10.0}
    assert gtm.support_heads(groups, hours=hours, capacity=100)["heads"].tolist() == [2, 1, 1]
    assert gtm.support_heads({"x": 30}, hours=0.1, capacity=1)["heads"].tolist() == [3]


def test_what_is_wrong_with_head_counts_is_reported_together() -> None:
    with pytest.raises(
        DataError, match=r"(?s)4 things.*one of the two.*ratio must be a positive.*not negative.*every group"
    ):
        gtm.support_heads({"a": -1}, ratio=0, hours={}, capacity=1)


def test_a_book_of_success_managers_is_balanced_and_keeps_the_span() -> None:
    rng = np.random.default_rng(2)
    accounts = pd.DataFrame({"account_id": [f"A{i}" for i in range(40)]})
    accounts["hours"] = rng.integers(1, 9, 40).astype(float)
    accounts["csm"] = rng.choice(["ann", "bob", "cy", None], 40)
    book = gtm.carve_support(
        accounts, ["ann", "bob", "cy"], load="hours", tolerance=0.1, span=15, present="csm", effort=0.1
    )
    assert book.violations.empty
    assert book.labels.value_counts().max() <= 15
    load = accounts.set_index("account_id")["hours"].groupby(book.labels).sum()
    assert (abs(load / load.mean() - 1) <= 0.1 + 1e-9).all()
    kept = (book.labels == accounts.set_index("account_id")["csm"].reindex(book.labels.index)).sum()
    assert kept > 20
    with pytest.raises(DataError, match=r"(?s)must have the column 'ours'.*3 people x 5 for 40 rows"):
        gtm.carve_support(accounts, 3, load="ours", span=5)
